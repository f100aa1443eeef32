# SPDX-License-Identifier: LGPL-2.1-or-later
"""Model directories of random weights, in every form that the reference writes or reads."""

import json
import math
import pathlib
import struct

import torch
from safetensors.torch import load_file, save_file
from transformers import (AltCLIPConfig, AltCLIPModel, AltCLIPTextConfig, AltCLIPTextModel, AltCLIPVisionConfig,
                          AltCLIPVisionModel, CLIPImageProcessor)
from transformers.activations import ACT2FN

from inputs import TOKENIZER

# Of the attention's weights: enough for texts to differ at <s>, not so much that every rounding
# error grows into a difference (check_rounding).
GAIN = 1.7
SHARD = "12KB"
WEIGHTS = "model.safetensors"
# Documented as supported, but missing in the reference's table.
ACT2FN["selu"] = torch.nn.SELU


# ---------------------------------------------------------------- models


def randomise(model, generator):
    """Gives every parameter a value that matters: initial biases of 0 and gains of 1 hide errors."""
    def normal(parameter, mean, deviation):
        with torch.no_grad():
            parameter.copy_(mean + deviation * torch.randn(parameter.shape, generator=generator))

    for name, parameter in model.named_parameters():
        if name == "logit_scale":
            continue
        if "embedding" in name and parameter.dim() <= 2 and "LayerNorm" not in name:
            normal(parameter, 0.0, 0.5)
        elif parameter.dim() == 1 and name.endswith("weight"):
            normal(parameter, 1.0, 0.3)
        elif parameter.dim() == 1:
            normal(parameter, 0.0, 0.2)
        else:
            attends = any(part in name for part in ("query", "key", "value", "q_proj", "k_proj", "v_proj"))
            normal(parameter, 0.0, (GAIN if attends else 1.3) / math.sqrt(parameter[0].numel()))


def build_model(spec, vocab_size, seed):
    text, vision = spec["text"], spec["vision"]
    if text:
        text = dict({"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}, vocab_size=vocab_size, **text)
    if vision:
        vision = dict({"projection_dim": spec["projection_dim"]}, **vision)
    if not vision:
        model = AltCLIPTextModel(AltCLIPTextConfig(**text))
    elif not text:
        model = AltCLIPVisionModel(AltCLIPVisionConfig(**vision))
    else:
        model = AltCLIPModel(AltCLIPConfig(text_config=text, vision_config=vision,
                                           projection_dim=spec["projection_dim"], **spec.get("top", {})))
        with torch.no_grad():
            model.logit_scale.fill_(spec["logit_scale"])
    randomise(model, torch.Generator().manual_seed(seed))
    return model.eval()


def load_model(directory, spec):
    """Returns the model of a directory, and which tensors the installed reference did not find there."""
    kind = AltCLIPVisionModel if not spec["text"] else AltCLIPModel if spec["vision"] else AltCLIPTextModel
    model, found = kind.from_pretrained(directory, attn_implementation="eager", output_loading_info=True)
    return model.float().eval(), sorted(found["missing_keys"])


# ---------------------------------------------------------------- weights


def cast(model, spec):
    dtype = spec.get("dtype")
    if isinstance(dtype, dict):
        for name, parameter in model.named_parameters():
            parameter.data = parameter.data.to(next((d for p, d in dtype.items() if name.startswith(p)), torch.float32))
    elif dtype:
        model.to(dtype)


def rewrite_tensors(path, spec):
    state = load_file(path)
    for old, new in spec.get("rename", {}).items():
        assert any(old in name for name in state), old
        state = {name.replace(old, new): tensor for name, tensor in state.items()}
    for name, shape in spec.get("extra", {}).items():
        number = name.endswith("position_ids")
        state[name] = torch.arange(shape[-1]).expand(shape).contiguous() if number else torch.full(shape, 0.5)
    save_file(state, path, metadata={"format": "pt"})


def rewrite_with_odd_header(path):
    """Takes the blanks away that the writer filled the header up with."""
    contents = path.read_bytes()
    size = struct.unpack("<Q", contents[:8])[0]
    header = contents[8:8 + size].rstrip(b" ")
    header += b" " * (1 - len(header) % 2)
    path.write_bytes(struct.pack("<Q", len(header)) + header + contents[8 + size:])


def save_views(directory, model):
    """A state dict whose tensors do not simply lie in their storages from beginning to end."""
    state = model.state_dict()
    for i, (name, tensor) in enumerate(state.items()):
        if tensor.dim() == 2 and i % 2 == 0:
            state[name] = tensor.t().contiguous().t()
        elif tensor.dim() == 1:
            whole = torch.cat([torch.full((3,), 9.0, dtype=tensor.dtype), tensor])
            state[name] = whole[3:]
        elif tensor.dim() == 2:
            whole = torch.full((tensor.shape[0], 2 * tensor.shape[1]), 7.0, dtype=tensor.dtype)
            whole[:, ::2] = tensor
            state[name] = whole[:, ::2]
    prefix = "vision_model.encoder.layers.0.self_attn."
    both = torch.cat([state[prefix + "q_proj.weight"], state[prefix + "k_proj.weight"]])
    width = both.shape[1]
    state[prefix + "q_proj.weight"], state[prefix + "k_proj.weight"] = both[:width], both[width:]
    model.config.save_pretrained(directory)
    torch.save(state, directory / "pytorch_model.bin")


def save_weights(directory, model, spec):
    form = spec.get("form", "")
    cast(model, spec)
    if form == "bin views":
        save_views(directory, model)
    elif form in ("bin", "bin shards"):
        model.save_pretrained(directory, safe_serialization=False, max_shard_size=SHARD if "shards" in form else "1GB")
    else:
        model.save_pretrained(directory, max_shard_size=SHARD if form == "shards" else "1GB")
    if spec.get("rename") or spec.get("extra"):
        rewrite_tensors(directory / WEIGHTS, spec)
    if form == "odd header":
        rewrite_with_odd_header(directory / WEIGHTS)


# ---------------------------------------------------------------- settings


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")


def rewrite_as_old(path):
    config = json.loads(path.read_text())
    for section in ("text_config", "vision_config"):
        config[section + "_dict"] = config.pop(section)
    # A stale section under the new name, as some published files have: the old name wins.
    config["text_config"] = {"model_type": "altclip_text_model", "hidden_size": 1024}
    write_json(path, config)


def rewrite_sizes_as_numbers(path):
    settings = json.loads(path.read_text())
    settings["size"] = settings["size"].get("shortest_edge", settings["size"])
    settings["crop_size"] = settings["crop_size"]["height"]
    write_json(path, settings)


def link(directory, name):
    """The directory gets the file of all models."""
    path = directory / name
    path.unlink(missing_ok=True)
    path.symlink_to(pathlib.Path("..") / name)


def make_processor(spec):
    size = spec["vision"]["image_size"]
    settings = {"size": {"shortest_edge": size}, "crop_size": {"height": size, "width": size}}
    return CLIPImageProcessor(**dict(settings, **spec.get("preprocessor", {})))


def save_new_processor(directory, spec):
    """All that transformers 5 writes for a processor; tokenizer.json is the same for all models."""
    from transformers import AltCLIPProcessor, XLMRobertaTokenizer

    link(directory, TOKENIZER)
    AltCLIPProcessor(make_processor(spec), XLMRobertaTokenizer.from_pretrained(directory)).save_pretrained(directory)
    (directory / TOKENIZER).unlink()
    (directory / "tokenizer.json").replace(directory.parent / "tokenizer.json")
    link(directory, "tokenizer.json")


def save_settings(directory, spec):
    form = spec.get("form", "")
    if form == "new processor":
        save_new_processor(directory, spec)
        return
    if spec["vision"]:
        make_processor(spec).save_pretrained(directory)
    if spec["text"]:
        link(directory, TOKENIZER)
    if spec.get("tokenizer"):
        write_json(directory / "tokenizer_config.json", spec["tokenizer"])
    if form == "old config":
        rewrite_as_old(directory / "config.json")
    if form in ("old config", "sizes as numbers"):
        rewrite_sizes_as_numbers(directory / "preprocessor_config.json")


def save_directory(directory, model, spec):
    directory.mkdir(parents=True, exist_ok=True)
    for path in directory.iterdir():
        path.unlink()
    save_weights(directory, model, spec)
    save_settings(directory, spec)
    for path in directory.iterdir():
        if not path.is_symlink():
            path.chmod(0o644)
