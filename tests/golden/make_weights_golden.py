#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes tests/golden/weights: one tiny random AltCLIP model in every form that is published.

    make_weights_golden.py

The forms are written by transformers 4.46.3, torch 2.13 and safetensors 0.8 themselves. The values
are multiples of 1/16 below 8, so that float16 and bfloat16 hold them exactly: every form must give
the tensors of whole/model.safetensors.

views.bin holds what a state dict may hold beside plain tensors, and views.safetensors the floating
ones of it, copied out as float32. big.head and big.tail are the ends of a state dict of more than 4 GiB; between them
belongs a hole, which begins after big.head and ends BIG_TAIL_AT bytes into the file.
"""

import json
import pathlib
import shutil
import tempfile
import zipfile
from collections import OrderedDict

import torch
import transformers
from safetensors.torch import load_file, save_file
from torch.serialization import skip_data
from transformers import AltCLIPConfig, AltCLIPModel, AltCLIPTextModel, AltCLIPVisionModel

HERE = pathlib.Path(__file__).parent / "weights"
REFERENCE = "4.46.3"
SHARD_SIZE = "4KB"
BIG_ELEMENTS = 1_200_000_000
BIG_HEAD = 4096


def build_model():
    config = AltCLIPConfig(
        text_config=dict(vocab_size=12, hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
                         intermediate_size=12, max_position_embeddings=12, project_dim=6),
        vision_config=dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=12,
                           image_size=4, patch_size=2),
        projection_dim=4)
    model = AltCLIPModel(config)
    randomise(model.state_dict(), 1)
    return model


def randomise(tensors, seed):
    generator = torch.Generator().manual_seed(seed)
    for tensor in tensors.values():
        tensor.copy_(torch.randint(-127, 128, tensor.shape, generator=generator) / 16)


def save(name, model, **options):
    """What save_pretrained makes, without the configuration."""
    directory = HERE / name
    model.save_pretrained(directory, **options)
    for path in directory.glob("*config.json"):
        path.unlink()
    for path in directory.iterdir():
        path.chmod(0o644)


def save_tensors(path, tensors):
    path.parent.mkdir(exist_ok=True)
    save_file(tensors, path)
    path.chmod(0o644)


def save_bin(path, tensors, **options):
    path.parent.mkdir(exist_ok=True)
    torch.save(tensors, path, **options)


# ---------------------------------------------------------------- forms of the model


def one_tower(model, tower_class, config, prefix):
    tower = tower_class(config)
    own = {name.removeprefix(prefix): value for name, value in model.state_dict().items() if name.startswith(prefix)}
    if any(name.startswith(prefix) for name in tower.state_dict()):
        own = {prefix + name: value for name, value in own.items()}
    tower.load_state_dict(own)
    return tower


def make_forms(model):
    whole = model.state_dict()
    save("whole", model)
    save("shards", model, max_shard_size=SHARD_SIZE)
    save("bin", model, safe_serialization=False)
    save("bin-shards", model, safe_serialization=False, max_shard_size=SHARD_SIZE)

    text = one_tower(model, AltCLIPTextModel, model.config.text_config, "text_model.")
    vision = one_tower(model, AltCLIPVisionModel, model.config.vision_config, "vision_model.")
    save("text", text)
    save("text-bin", text, safe_serialization=False)
    save("vision4", vision)
    # transformers 5 leaves the prefix out.
    bare = {name.removeprefix("vision_model."): value for name, value in vision.state_dict().items()}
    save_tensors(HERE / "vision5" / "model.safetensors", bare)
    save_bin(HERE / "vision5-bin" / "pytorch_model.bin", bare)

    words = {name.replace(".layer.", ".other.").replace(".layers.", ".layer.").replace(".other.", ".layers."): value
             for name, value in whole.items()}
    save_tensors(HERE / "words" / "model.safetensors", words)

    for name, dtype in (("half", torch.float16), ("bfloat", torch.bfloat16), ("double", torch.float64)):
        converted = {key: value.to(dtype) for key, value in whole.items()}
        save_tensors(HERE / name / "model.safetensors", converted)
        save_bin(HERE / (name + "-bin") / "pytorch_model.bin", converted)

    # As a training script saves it: parameters instead of tensors, and buffers nobody needs.
    extra = OrderedDict((name, torch.nn.Parameter(value)) for name, value in whole.items())
    extra["text_model.roberta.embeddings.position_ids"] = torch.arange(12)[None]
    extra["vision_model.embeddings.position_ids"] = torch.arange(5)[None]
    extra["text_model.roberta.pooler.dense.weight"] = torch.zeros(8, 8)
    extra["text_model.transformation_pre.weight"] = torch.zeros(6, 8)
    extra["text_model.roberta.encoder.layer.2.output.dense.bias"] = torch.zeros(8)
    save_bin(HERE / "extra-bin" / "pytorch_model.bin", extra)

    save_bin(HERE / "legacy-bin" / "pytorch_model.bin", whole, _use_new_zipfile_serialization=False)
    make_first_zip(HERE / "bin" / "pytorch_model.bin", HERE / "first-bin" / "pytorch_model.bin")


def make_first_zip(source, path):
    """The layout of torch 1.6: the folder is called archive, no alignment, no byteorder."""
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.namelist():
            name = member.split("/", 1)[1]
            if name in ("data.pkl", "version") or name.startswith("data/"):
                new.writestr(zipfile.ZipInfo("archive/" + name), old.read(member))


# ---------------------------------------------------------------- state dicts


def make_views():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 4
    tied = torch.arange(7, dtype=torch.float32)
    views = OrderedDict(
        base=base,
        transposed=base.t(),
        slice=base[1:3, 2:4],
        columns=base[:, 1::2],
        row=base[2],
        column=base[:, 3],
        middle=base[2:3, :],
        expanded=torch.tensor([0.5]).expand(3, 4),
        expanded_rows=torch.tensor([1.5, -2.0]).expand(3, 2),
        scalar=torch.tensor(2.5),
        scalar_view=base[3, 5],
        empty=torch.empty(0, 3),
        empty_view=base[4:, :],
        tied=tied,
        tied_again=tied,
        permuted=(torch.arange(120, dtype=torch.float32) / 8).reshape(2, 3, 4, 5).permute(3, 1, 0, 2),
        half=(base.half() * 3).t(),
        bfloat=(base.bfloat16() * 3)[:, ::2],
        double=(base.double() / 3).t(),
        windows=torch.arange(10, dtype=torch.float32).as_strided((4, 3), (2, 1), 1),
        parameter=torch.nn.Parameter(base.t()),
        long=torch.arange(5),
        int=torch.arange(5, dtype=torch.int32),
        short=torch.arange(5, dtype=torch.int16),
        char=torch.arange(5, dtype=torch.int8),
        byte=torch.arange(5, dtype=torch.uint8),
        bool=torch.tensor([True, False]),
        complex=torch.ones(2, dtype=torch.complex64),
        float8=torch.ones(3).to(torch.float8_e4m3fn),
        unsigned=torch.arange(3, dtype=torch.int32).to(torch.uint16),
    )
    views["ключ-键"] = torch.tensor([1.0])
    save_bin(HERE / "views.bin", views)
    save_tensors(HERE / "views.safetensors", {
        name: value.detach().float().clone().contiguous()
        for name, value in views.items() if value.dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64)})
    # Views through a negative bit, which is not in the data.
    save_bin(HERE / "negative.bin", {"negative": torch.ones(2, dtype=torch.complex64).conj().imag})


def make_refused():
    """Files of torch.save that are no state dicts that we read."""
    weight = torch.ones(2)
    save_bin(HERE / "sparse.bin", {"weight": torch.eye(2).to_sparse()})
    save_bin(HERE / "protocol4.bin", {"weight": weight}, pickle_protocol=4)
    save_bin(HERE / "checkpoint.bin", {"model": {"weight": weight}, "epoch": 3})
    save_bin(HERE / "tensor.bin", weight)
    save_bin(HERE / "module.bin", torch.nn.Linear(2, 2))


def make_big():
    tensors = OrderedDict(first=torch.empty(15), big=torch.empty(BIG_ELEMENTS), last=torch.empty(7))
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "big.bin"
        with skip_data():
            torch.save(tensors, path)
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            after = archive.getinfo("big/data/2").header_offset
        with open(path, "rb") as file:
            (HERE / "big.head").write_bytes(file.read(BIG_HEAD))
            # The data descriptor of what lies in the hole is before the next member.
            file.seek(after - 24)
            (HERE / "big.tail").write_bytes(file.read())
        reader = torch._C.PyTorchFileReader(str(path))
        places = [reader.get_record_offset(f"data/{i}") for i in range(3)]
    print("big: BIG_TAIL_AT", after - 24, "of", size, "storages at", *places)


def main():
    assert transformers.__version__ == REFERENCE, f"the reference is transformers {REFERENCE}"
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    with torch.no_grad():
        make_forms(build_model())
        make_views()
        make_refused()
    make_big()


if __name__ == "__main__":
    main()
