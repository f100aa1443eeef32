#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the small real files from which fuzzing sets out.

    pip install sentencepiece protobuf pillow torch
    python3 tests/fuzz/make_seeds.py [FOLDER]

Writes FOLDER/TARGET/seed-NAME, by default into tests/fuzz/corpus. The other files there were found by
fuzzing. The trained tokenizers come out a little different each time.
"""

import base64
import io
import json
import pathlib
import struct
import sys
import tempfile
import zipfile

import sentencepiece
import torch
from PIL import Image, PngImagePlugin
from sentencepiece import sentencepiece_model_pb2

HERE = pathlib.Path(__file__).parent


# ---- safetensors -----------------------------------------------------------------------------------


def safetensors(tensors, metadata=None, pad=8):
    """tensors: name → (dtype, shape, data)"""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % pad)
    return struct.pack("<Q", len(text)) + text + data


def safetensors_seeds():
    floats = struct.pack("<6f", 0.5, -1.0, 2.0, float("inf"), 1e-40, 3.0)
    yield "empty", safetensors({})
    yield "float", safetensors({"logit_scale": ("F32", [], floats[:4]), "a.weight": ("F32", [2, 3], floats)})
    yield "half", safetensors({"a": ("F16", [4], floats[:8]), "b": ("BF16", [2, 2, 1, 1], floats[:8])})
    yield "double", safetensors({"a": ("F64", [1, 2], floats[:16]), "ids": ("I64", [1], bytes(8))})
    yield "metadata", safetensors({"a": ("F32", [1], floats[:4])}, {"format": "pt"})
    yield "misaligned", safetensors({"a": ("F32", [2], floats[:8])}, pad=1)
    yield "no-elements", safetensors({"a": ("F32", [0, 7], b""), "b": ("U8", [3], b"abc")})
    yield "other-types", safetensors({name: (name, [1], bytes(size)) for name, size in (
        ("I32", 4), ("I16", 2), ("I8", 1), ("U64", 8), ("U32", 4), ("U16", 2), ("U8", 1), ("BOOL", 1),
        ("F8_E4M3", 1), ("F8_E5M2", 1))})


# ---- torch.save() ----------------------------------------------------------------------------------


def saved(tensors):
    out = io.BytesIO()
    torch.save(tensors, out)
    return out.getvalue()


def state_dicts():
    """Their storages have at most as many bytes as those that the target pickle provides."""
    shared = torch.arange(6.0).reshape(2, 3)
    yield "empty", {}
    yield "floats", {"logit_scale": torch.tensor(1.0), "a": torch.ones(2), "b": shared}
    yield "views", {"a": torch.tensor(1.0).expand(3), "b": torch.ones(1, 2).t(), "c": shared.t(), "d": shared[1:, ::2]}
    yield "types", {"a": torch.ones(2, dtype=torch.float16), "b": torch.ones(4, dtype=torch.bfloat16),
                    "c": torch.ones(3, dtype=torch.float64), "d": torch.ones(8, dtype=torch.int64)}
    yield "untyped", {"a": torch.ones(2, dtype=torch.uint16), "b": torch.ones(8).to(torch.float8_e4m3fn)}
    yield "module", torch.nn.Sequential(torch.nn.PReLU()).state_dict()
    yield "parameter", {"weight": torch.nn.Parameter(torch.ones(1))}
    yield "nested", {"state_dict": {"a": torch.ones(1)}, "epoch": 3}


def state_dict_seeds():
    for name, tensors in state_dicts():
        yield name, saved(tensors)


def pickle_seeds():
    for name, tensors in state_dicts():
        archive = zipfile.ZipFile(io.BytesIO(saved(tensors)))
        yield name, archive.read("archive/data.pkl")
    # A dict that holds itself, a tuple of tuples of tuples, and something to call.
    yield "cycle", b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."
    yield "doubling", b"\x80\x02)" + b"".join(b"q%ch%c\x86" % (i, i) for i in range(40)) + b"."
    yield "system", b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R."


# ---- JSON ------------------------------------------------------------------------------------------


TEXT = {
    "vocab_size": 40, "hidden_size": 20, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 30, "hidden_act": "gelu_new", "max_position_embeddings": 16, "type_vocab_size": 2,
    "layer_norm_eps": 1e-12, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": [2],
    "position_embedding_type": "relative_key_query", "project_dim": 12, "initializer_factor": 0.2,
    "initializer_range": 0.02, "use_cache": True,
}
VISION = {
    "hidden_size": 36, "intermediate_size": 50, "projection_dim": 24, "num_hidden_layers": 2,
    "num_attention_heads": 3, "num_channels": 1, "image_size": 28, "patch_size": 7, "hidden_act": "relu",
    "layer_norm_eps": 1e-5, "attention_dropout": 0.0,
}
IMAGE = {
    "do_resize": True, "size": {"shortest_edge": 28}, "resample": 3, "do_center_crop": True,
    "crop_size": {"height": 28, "width": 28}, "do_rescale": True, "rescale_factor": 0.00392156862745098,
    "do_normalize": True, "image_mean": [0.48, 0.45, 0.4], "image_std": [0.26, 0.26, 0.27],
    "do_convert_rgb": True,
}


def as_json(**values):
    return json.dumps(values, indent=1).encode()


def config_seeds():
    yield "empty", b"{}"
    yield "both", as_json(model_type="altclip", projection_dim=24, logit_scale_init_value=2.6592,
                          text_config=TEXT, vision_config=VISION)
    yield "old", as_json(model_type="altclip", text_config=TEXT, text_config_dict={"pad_token_id": 3},
                         vision_config_dict=None, vision_config={**VISION, "num_channels": 3})
    yield "text", as_json(model_type="altclip_text_model", **TEXT)
    yield "vision", as_json(model_type="altclip_vision_model", **VISION)


def preprocessor_seeds():
    yield "new", as_json(**IMAGE)
    yield "processor", as_json(processor_class="AltCLIPProcessor", image_processor=IMAGE)
    yield "integers", as_json(size=28, crop_size=28, resample=0, do_rescale=False, do_normalize=False)
    yield "exact", as_json(size={"height": 28, "width": 30}, do_center_crop=False, resample=5)
    yield "nulls", as_json(size=None, crop_size=None, image_mean=None)


def index_seeds():
    yield "safetensors", as_json(metadata={"total_size": 8}, weight_map={
        "a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors",
        "c": "model-00001-of-00002.safetensors"})
    yield "bin", as_json(weight_map={"logit_scale": "pytorch_model-00001-of-00001.bin"})
    yield "elsewhere", as_json(weight_map={"a": "../a", "b": "/dev/zero", "c": ".."})


def prompts_file_seeds():
    yield "everything", as_json(
        version=1, score_mode="sigmoid", logit_scale=50.5, templates=["a photo of {}", "{}"],
        negatives=["an empty street", {"label": "night", "texts": ["dark", "夜"], "templates": ["{}!"],
                                       "language": "zh", "note": "x"}],
        threshold=0.6, hysteresis=0.1, min_on=0.5, min_off=2, bias=-3, labels=[
            {"label": "cat", "texts": ["a cat", "猫"], "group": "pet", "threshold": 0.75, "bias": 1.5},
            {"label": "gate", "images": ["/proc/self/exe"], "texts": ["a gate"],
             "negatives": ["a wall", {"label": "w", "embedding": [0, 2, 0, 0]}], "min_on": 0},
            {"label": "ready", "embedding": "AACAPwAAAAAAAAAAAAAAAA==", "group": "pet"},
            {"label": "dog", "templates": ["the {} and the {}"], "hysteresis": 0}])
    yield "small", as_json(version=1, labels=[{"label": "a"}, "b"])
    yield "missing", as_json(version=1, labels=[{"label": "a", "images": ["a.png"]}])
    yield "region", as_json(version=1, labels=[{"label": "a", "region": [0, 0.25, 0.5, 0.5]}])


# ---- tokenizers ------------------------------------------------------------------------------------


def train(rules, vocab_size=32, **options):
    """A unigram model of few pieces, and few rules of normalisation so that it stays small."""
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as tsv:
        for source, target in rules:
            print(" ".join("%X" % ord(c) for c in source), " ".join("%X" % ord(c) for c in target),
                  sep="\t", file=tsv)
        tsv.flush()
        out = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a red circle", "a cat", "一只猫", "红色的圆形", "red cat fine"] * 3),
            model_writer=out, model_type="unigram", vocab_size=vocab_size, hard_vocab_limit=False,
            normalization_rule_tsv=tsv.name, minloglevel=2, **options)
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(out.getvalue())
    model.trainer_spec.Clear()
    return model


RULES = [("ﬁ", "fi"), ("é", "e"), ("e\u0301", "e"), ("\u00ad", ""), ("\u3000", " "), ("Ⅷ", "VIII")]


def tokenizer_seeds():
    model = train(RULES)
    yield "rules", model.SerializeToString()
    model.normalizer_spec.ClearField("precompiled_charsmap")
    model.denormalizer_spec.Clear()
    yield "no-rules", model.SerializeToString()
    model.normalizer_spec.add_dummy_prefix = False
    model.normalizer_spec.escape_whitespaces = False
    model.normalizer_spec.remove_extra_whitespaces = False
    yield "plain-spaces", model.SerializeToString()
    user = train(RULES[:1], user_defined_symbols=["<cat>", "猫"], control_symbols=["<c>"])
    yield "user-defined", user.SerializeToString()
    user.pieces[5].type = user.pieces[5].UNUSED
    user.trainer_spec.model_type = user.trainer_spec.UNIGRAM
    del user.pieces[12:]
    yield "unused", user.SerializeToString()
    fallback = train(RULES[:1], vocab_size=290, byte_fallback=True)
    fallback.trainer_spec.byte_fallback = True
    yield "bytes", fallback.SerializeToString()


TOKENIZERS = HERE.parent / "golden" / "tokenizers"


def tokenizer_json_seeds():
    """What both versions of the reference write, with a small vocabulary and a small table."""
    table = base64.b64encode(train(RULES).normalizer_spec.precompiled_charsmap).decode()
    for version in "4", "5":
        tokenizer = json.loads((TOKENIZERS / version / "tokenizer.json").read_text())
        vocab = tokenizer["model"]["vocab"]
        tokenizer["model"]["vocab"] = vocab[:12] + vocab[-1:]
        tokenizer["added_tokens"][-1]["id"] = 12
        normalizer = tokenizer["normalizer"]
        normalizer.get("normalizers", [normalizer])[0]["precompiled_charsmap"] = table
        yield version, as_json(**tokenizer)
    tokenizer["normalizer"] = None
    yield "no-table", as_json(**tokenizer)


def tokenizer_config_seeds():
    for version in "4", "5":
        yield version, (TOKENIZERS / version / "tokenizer_config.json").read_bytes()
    yield "special-tokens-map", as_json(bos_token="<s>", mask_token={
        "content": "<mask>", "lstrip": True, "normalized": True, "rstrip": False, "single_word": False})


# ---- pictures --------------------------------------------------------------------------------------

XMP = ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/>'
       "<tiff:Orientation>8</tiff:Orientation></x:xmpmeta>")


def picture(mode, size=(7, 5)):
    image = Image.new("RGBA", size)
    image.putdata([(x * 36, y * 50, 99, 255 - x * 30) for y in range(size[1]) for x in range(size[0])])
    return image.convert(mode)


def encode(image, file_format, **options):
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def still_seeds():
    exif = Image.Exif()
    exif[0x0112] = 6
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", XMP)
    for mode in "RGB", "RGBA", "L", "LA", "1", "P":
        yield "png-" + mode.lower(), encode(picture(mode), "PNG")
    yield "png-16", encode(picture("L").convert("I").convert("I;16"), "PNG")
    yield "png-exif", encode(picture("RGB"), "PNG", exif=exif)
    yield "png-xmp", encode(picture("RGB"), "PNG", pnginfo=text)
    yield "jpeg-grey", encode(picture("L"), "JPEG", quality=50)
    yield "jpeg-420", encode(picture("RGB", (20, 12)), "JPEG", quality=50, subsampling=2)
    yield "jpeg-progressive", encode(picture("RGB"), "JPEG", quality=50, progressive=True)
    yield "jpeg-cmyk", encode(picture("RGB").convert("CMYK"), "JPEG", quality=50)
    yield "jpeg-exif", encode(picture("RGB"), "JPEG", quality=50, exif=exif)
    yield "jpeg-xmp", encode(picture("RGB"), "JPEG", quality=50, xmp=XMP.encode())
    yield "gif", encode(picture("P"), "GIF")


# ---- texts -----------------------------------------------------------------------------------------


def prompts_seeds():
    yield "labels", "a red circle;cat=a cat|une image de chat|猫;\t彩条\n;\0empty; dark=night\0".encode()
    yield "doubled", "a;;b;c==d=e==f|g||h;;i;;; ||;===x\0\0{};a {} ;; b;\u3000{}{}\u3000".encode()
    yield "duplicate", b"a;b; a =c\0b;b\0{}"
    yield "empty", b"a; ;b=\0;\0{}; ;{}"
    yield "invalid", b"a;b\xff\0\xc3\0{}\x80"
    yield "no-slot", b"a\0\0a picture"
    yield "many-slots", b"a=" + b"b" * 200 + b"\0\0" + b"{}" * 200


SEEDS = {
    "config": config_seeds,
    "index": index_seeds,
    "pickle": pickle_seeds,
    "preprocessor": preprocessor_seeds,
    "prompts": prompts_seeds,
    "prompts_file": prompts_file_seeds,
    "safetensors": safetensors_seeds,
    "state_dict": state_dict_seeds,
    "still": still_seeds,
    "tokenizer": tokenizer_seeds,
    "tokenizer_config": tokenizer_config_seeds,
    "tokenizer_json": tokenizer_json_seeds,
}


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "corpus"
    for target, seeds in SEEDS.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for name, content in seeds():
            (folder / target / ("seed-" + name)).write_bytes(content)


if __name__ == "__main__":
    main()
