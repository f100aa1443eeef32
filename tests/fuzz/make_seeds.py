#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the small real files from which fuzzing sets out.

    pip install sentencepiece protobuf pillow
    python3 tests/fuzz/make_seeds.py [FOLDER]

Writes FOLDER/TARGET/seed-NAME, by default into tests/fuzz/corpus. The other files there were found by
fuzzing. The trained tokenizers come out a little different each time.
"""

import io
import json
import pathlib
import struct
import sys
import tempfile

import sentencepiece
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


def tokenizer_seeds():
    rules = [("ﬁ", "fi"), ("é", "e"), ("e\u0301", "e"), ("\u00ad", ""), ("\u3000", " "), ("Ⅷ", "VIII")]
    model = train(rules)
    yield "rules", model.SerializeToString()
    model.normalizer_spec.ClearField("precompiled_charsmap")
    model.denormalizer_spec.Clear()
    yield "no-rules", model.SerializeToString()
    model.normalizer_spec.add_dummy_prefix = False
    model.normalizer_spec.escape_whitespaces = False
    model.normalizer_spec.remove_extra_whitespaces = False
    yield "plain-spaces", model.SerializeToString()
    user = train(rules[:1], user_defined_symbols=["<cat>", "猫"], control_symbols=["<c>"])
    yield "user-defined", user.SerializeToString()
    user.pieces[5].type = user.pieces[5].UNUSED
    user.trainer_spec.model_type = user.trainer_spec.UNIGRAM
    del user.pieces[12:]
    yield "unused", user.SerializeToString()
    fallback = train(rules[:1], vocab_size=290, byte_fallback=True)
    fallback.trainer_spec.byte_fallback = True
    yield "bytes", fallback.SerializeToString()


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
    "preprocessor": preprocessor_seeds,
    "prompts": prompts_seeds,
    "safetensors": safetensors_seeds,
    "still": still_seeds,
    "tokenizer": tokenizer_seeds,
}


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "corpus"
    for target, seeds in SEEDS.items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for name, content in seeds():
            (folder / target / ("seed-" + name)).write_bytes(content)


if __name__ == "__main__":
    main()
