#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes tests/golden/models: small random AltCLIP models and what the reference computes with them.

The reference is transformers 4.46.3 (torch 2.13, one thread, float32, eager attention) with
Pillow 13.0 and sentencepiece 0.2. The numbers are committed; the tests need no Python.

    make_model_golden.py            make everything anew
    make_model_golden.py --check    compare what is there with the transformers that is installed;
                                    5.23.0 gives the same numbers for all of these models

Beside each model, expected.safetensors holds the reference's outputs under the reference's names,
for all texts and pictures of inputs.json; "pixels" are the 8-bit pictures after resize and crop.
Names that begin with "subset." come from a second run, on inputs.json's subset_texts and the first
picture only, which also has the hidden states.
"""

import argparse
import json
import math
import os
import pathlib

import numpy as np
import sentencepiece
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AltCLIPConfig, AltCLIPModel, CLIPImageProcessor

from tokenizer_file import forget_paths

HERE = pathlib.Path(__file__).resolve().parent / "models"
TOKENIZER = "sentencepiece.bpe.model"
REFERENCE = "4.46.3"
# Of the attention's weights: enough for texts to differ at <s>, not so much that every rounding
# error grows into a difference (check_rounding).
GAIN = 1.7

# One text per script, then what breaks tokenizers.
TEXTS = [
    "a red circle on a blue background",
    "一张猫的照片",
    "赤い丸と青い四角、テレビの砂嵐",
    "красный круг на синем фоне",
    "دائرة حمراء على خلفية زرقاء",
    "नीली पृष्ठभूमि पर लाल वृत्त",
    "파란 배경 위의 빨간 원",
    "עיגול אדום על רקע כחול",
    "ένας κόκκινος κύκλος σε μπλε φόντο",
    "วงกลมสีแดงบนพื้นหลังสีน้ำเงิน",
    "წითელი წრე · ቀይ ክብ",
    "emoji 🐈‍⬛👍🏽🇫🇷 and ❤️",
    "",
    "   blanks \t and\nlines  ",
    "typed <mask> and </s> and <pad> tokens <s>",
    "ＦＵＬＬ ｗｉｄｔｈ, ﬁne, cafe\u0301, ½",
    " ".join(["the quick brown fox watches a blue television set"] * 66 + ["until the very end of it"]),
]
SUBSET_TEXTS = [0, 2, 12]

# Width, height and how much noise. Landscape, a portrait narrower than 1:2, smaller than the
# input, a square, one far larger, one much wider than high.
PICTURES = [
    {"width": 160, "height": 120, "noise": 2},
    {"width": 61, "height": 173, "noise": 3},
    {"width": 23, "height": 17, "noise": 0},
    {"width": 70, "height": 70, "noise": 4},
    {"width": 641, "height": 479, "noise": 1},
    {"width": 300, "height": 31, "noise": 5},
]

CORPUS = """
a red circle on a blue background. the quick brown fox watches a blue television set until the very end of it.
a photo of a cat and a dog, an ordinary scene with green squares, yellow stars and white triangles.
colour bars, static noise, a black screen, a blurred picture, typed tokens, blanks and lines, full width, fine cafe.
un cercle rouge sur un fond bleu, l'écran noir, une image floue, des étoiles jaunes; ein roter Kreis auf blauem Grund.
un círculo rojo sobre un fondo azul, una pantalla negra, la imagen borrosa; größer, schöner, über, niño, leão.
一张猫的照片 一张狗的照片 蓝色背景上的红色圆圈 黑屏 彩条 电视雪花 模糊的画面 绿色的星星 普通的场景
赤い丸と青い四角、テレビの砂嵐 猫の写真 カラーバー 黒い画面 ぼやけた写真 緑の星 白い三角
красный круг на синем фоне, чёрный экран, цветные полосы, фотография кошки и собаки, размытая картинка
دائرة حمراء على خلفية زرقاء صورة قطة وكلب شاشة سوداء أشرطة ملونة صورة ضبابية
नीली पृष्ठभूमि पर लाल वृत्त बिल्ली की तस्वीर काली स्क्रीन रंगीन पट्टियाँ धुंधली तस्वीर
파란 배경 위의 빨간 원 고양이 사진 검은 화면 컬러 바 흐릿한 사진 초록색 별
עיגול אדום על רקע כחול תמונה של חתול מסך שחור פסי צבע תמונה מטושטשת
ένας κόκκινος κύκλος σε μπλε φόντο φωτογραφία γάτας μαύρη οθόνη χρωματιστές μπάρες
วงกลมสีแดงบนพื้นหลังสีน้ำเงิน รูปถ่ายแมว หน้าจอสีดำ แถบสี ภาพเบลอ
"""

# Names say what is special. Head sizes: 12, 20, 24, 10, 36, 16.
MODELS = {
    "patch14": {
        "text": {"hidden_size": 40, "num_attention_heads": 2, "intermediate_size": 84, "num_hidden_layers": 2,
                 "hidden_act": "gelu", "max_position_embeddings": 66, "project_dim": 32},
        "vision": {"hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 100, "num_hidden_layers": 3,
                   "hidden_act": "quick_gelu", "image_size": 70, "patch_size": 14},
        "projection_dim": 24, "logit_scale": 4.6,
    },
    "patch16": {
        "text": {"hidden_size": 48, "num_attention_heads": 2, "intermediate_size": 72, "num_hidden_layers": 1,
                 "hidden_act": "quick_gelu", "max_position_embeddings": 34, "project_dim": 20,
                 "layer_norm_eps": 1e-3},
        "vision": {"hidden_size": 40, "num_attention_heads": 2, "intermediate_size": 60, "num_hidden_layers": 4,
                   "hidden_act": "gelu", "image_size": 48, "patch_size": 16, "layer_norm_eps": 1e-3},
        "projection_dim": 33, "logit_scale": 2.6592,
    },
    "half": {
        "text": {"hidden_size": 36, "num_attention_heads": 3, "intermediate_size": 50, "num_hidden_layers": 3,
                 "hidden_act": "gelu", "max_position_embeddings": 50, "project_dim": 28},
        "vision": {"hidden_size": 72, "num_attention_heads": 3, "intermediate_size": 90, "num_hidden_layers": 2,
                   "hidden_act": "quick_gelu", "image_size": 98, "patch_size": 14},
        "projection_dim": 17, "logit_scale": 3.3, "dtype": torch.float16,
    },
    "bfloat": {
        "text": {"hidden_size": 40, "num_attention_heads": 4, "intermediate_size": 64, "num_hidden_layers": 2,
                 "hidden_act": "gelu_new", "max_position_embeddings": 40, "project_dim": 40},
        "vision": {"hidden_size": 36, "num_attention_heads": 1, "intermediate_size": 52, "num_hidden_layers": 2,
                   "hidden_act": "gelu_pytorch_tanh", "image_size": 64, "patch_size": 32},
        "projection_dim": 32, "logit_scale": 4.0, "dtype": torch.bfloat16,
    },
    # The last two columns and rows of pixels make no whole patch; texts may have 512 tokens;
    # pictures are stretched to a size that is then cropped.
    "floor": {
        "text": {"hidden_size": 24, "num_attention_heads": 2, "intermediate_size": 40, "num_hidden_layers": 2,
                 "hidden_act": "relu", "max_position_embeddings": 514, "project_dim": 16},
        "vision": {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 48, "num_hidden_layers": 1,
                   "hidden_act": "silu", "image_size": 50, "patch_size": 16},
        "projection_dim": 16, "logit_scale": 3.0,
        "preprocessor": {"size": {"height": 61, "width": 54}, "resample": 2},
    },
    # Pictures are resized to less than the crop, which is filled up with zeros; other mean and
    # deviation; an old config.json, whose sections are called text_config_dict, vision_config_dict.
    "old": {
        "text": {"hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 56, "num_hidden_layers": 2,
                 "hidden_act": "gelu", "max_position_embeddings": 45, "project_dim": 24, "type_vocab_size": 2},
        "vision": {"hidden_size": 24, "num_attention_heads": 2, "intermediate_size": 44, "num_hidden_layers": 2,
                   "hidden_act": "quick_gelu", "image_size": 48, "patch_size": 14},
        "projection_dim": 40, "logit_scale": 2.0, "old_config": True,
        "preprocessor": {"size": 41, "resample": 1, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.25]},
    },
}


# ---------------------------------------------------------------- inputs


def draw_picture(width, height, noise):
    """The formula of tests/golden.c: patterns with edges, and noise of `noise` bits."""
    state = width * 65536 + height
    out = np.empty((height, width, 3), np.uint8)
    for y in range(height):
        for x in range(width):
            for c in range(3):
                state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
                value = x * (3 + c) // 2 + y * (5 - c) // 3 + (x * y >> 5)
                out[y, x, c] = (value + (state >> 24 & (1 << noise) - 1)) & 255
    return out


def train_tokenizer(path):
    prefix = str(path) + ".tmp"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter((CORPUS.strip().splitlines()) * 4), model_prefix=prefix, vocab_size=1000,
        model_type="unigram", character_coverage=1.0, hard_vocab_limit=False,
        normalization_rule_name="nmt_nfkc", num_threads=1, minloglevel=2)
    os.replace(prefix + ".model", path)
    forget_paths(path)
    os.remove(prefix + ".vocab")


def token_limit(config):
    return min(512, config.text_config.max_position_embeddings - config.text_config.pad_token_id - 1)


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
    config = AltCLIPConfig(
        text_config=dict(spec["text"], vocab_size=vocab_size, hidden_dropout_prob=0.0,
                         attention_probs_dropout_prob=0.0),
        vision_config=dict(spec["vision"], projection_dim=spec["projection_dim"]),
        projection_dim=spec["projection_dim"])
    model = AltCLIPModel(config)
    randomise(model, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        model.logit_scale.fill_(spec["logit_scale"])
    return model.eval()


def rewrite_as_old(path):
    config = json.loads(path.read_text())
    for section in ("text_config", "vision_config"):
        config[section + "_dict"] = config.pop(section)
    # A stale section under the new name, as some published files have: the old name wins.
    config["text_config"] = {"model_type": "altclip_text_model", "hidden_size": 1024}
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def rewrite_sizes_as_numbers(path):
    settings = json.loads(path.read_text())
    settings["size"] = settings["size"]["shortest_edge"]
    settings["crop_size"] = settings["crop_size"]["height"]
    path.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")


def save_model(directory, model, spec):
    directory.mkdir(parents=True, exist_ok=True)
    if "dtype" in spec:
        model.to(spec["dtype"])
    model.save_pretrained(directory)
    size = spec["vision"]["image_size"]
    settings = dict({"size": {"shortest_edge": size}, "crop_size": {"height": size, "width": size}},
                    **spec.get("preprocessor", {}))
    CLIPImageProcessor(**settings).save_pretrained(directory)
    if spec.get("old_config"):
        rewrite_as_old(directory / "config.json")
        rewrite_sizes_as_numbers(directory / "preprocessor_config.json")
    (directory / "model.safetensors").chmod(0o644)
    link = directory / TOKENIZER
    link.unlink(missing_ok=True)
    link.symlink_to(pathlib.Path("..") / TOKENIZER)


# ---------------------------------------------------------------- outputs


def outputs_of(model, ids, mask, pixel_values, states):
    with torch.no_grad():
        out = model(input_ids=ids, attention_mask=mask, pixel_values=pixel_values, output_hidden_states=states)
    text, vision = out.text_model_output, out.vision_model_output
    found = {
        "text_model_output.pooler_output": text.pooler_output,
        "vision_model_output.pooler_output": vision.pooler_output,
        "text_embeds": out.text_embeds,
        "image_embeds": out.image_embeds,
        "logits_per_text": out.logits_per_text,
        "logits_per_image": out.logits_per_image,
    }
    with torch.no_grad():
        found["text_features"] = model.text_projection(text.pooler_output)
        found["image_features"] = model.visual_projection(vision.pooler_output)
    if states:
        for prefix, tower in (("text", text), ("vision", vision)):
            found[prefix + "_model_output.last_hidden_state"] = tower.last_hidden_state
            for i, state in enumerate(tower.hidden_states):
                found[f"{prefix}_model_output.hidden_states.{i}"] = state
    return {name: tensor.float().contiguous().clone() for name, tensor in found.items()}


def without_padding(ids, mask, rows):
    """The rows, cut to the longest of them."""
    length = int(mask[rows].sum(1).max())
    return ids[rows, :length], mask[rows, :length]


def all_outputs(model, ids, mask, pixel_values):
    expected = outputs_of(model, ids, mask, pixel_values, False)
    subset_ids, subset_mask = without_padding(ids, mask, SUBSET_TEXTS)
    subset = outputs_of(model, subset_ids, subset_mask, pixel_values[:1], True)
    expected.update({"subset." + name: tensor for name, tensor in subset.items()})
    return expected


def check_variety(name, expected):
    """Embeddings that are all alike would make the test blind."""
    for kind in ("text_embeds", "image_embeds"):
        cosines = expected[kind] @ expected[kind].T - 2 * torch.eye(len(expected[kind]))
        assert cosines.max() < 0.9999 and expected[kind].isfinite().all(), (name, kind, cosines.max())
        print(f"  {kind}: cosines {float((cosines + 2 * (cosines < -0.5)).min()):.3f} to {float(cosines.max()):.4f}")


def check_rounding(model, expected, pixel_values):
    """The reference's own rounding, seen in double precision, must leave room below 1e-5."""
    exact = all_outputs(model.double(), expected["input_ids"], expected["attention_mask"], pixel_values.double())
    worst = max(float((exact[k] - expected[k]).abs().max() / exact[k].abs().max()) for k in exact)
    print(f"  rounding of the reference: {worst:.1e}")
    assert worst < 4e-6


def make_model(name, spec, seed, pictures):
    from transformers import XLMRobertaTokenizer

    directory = HERE / name
    tokenizer = XLMRobertaTokenizer(str(HERE / TOKENIZER))
    model = build_model(spec, len(tokenizer), seed)
    save_model(directory, model, spec)
    model.float()
    encoded = tokenizer(TEXTS, padding=True, truncation=True, max_length=token_limit(model.config), return_tensors="pt")
    images = [Image.fromarray(p) for p in pictures]
    processor = CLIPImageProcessor.from_pretrained(directory)
    pixel_values = processor(images, return_tensors="pt").pixel_values
    pixels = processor(images, do_rescale=False, do_normalize=False, return_tensors="np").pixel_values
    ids, mask = encoded.input_ids, encoded.attention_mask
    expected = all_outputs(model, ids, mask, pixel_values)
    check_variety(name, expected)
    assert pixels.min() >= 0 and pixels.max() <= 255 and (pixels == np.floor(pixels)).all()
    expected.update({
        "input_ids": ids.clone(), "attention_mask": mask.clone(),
        "pixel_values": pixel_values[:1].clone(),
        "pixels": torch.from_numpy(np.ascontiguousarray(pixels.astype(np.uint8).transpose(0, 2, 3, 1))),
    })
    check_rounding(model, expected, pixel_values)
    save_file(expected, directory / "expected.safetensors")
    (directory / "expected.safetensors").chmod(0o644)
    return expected


def make_all():
    assert transformers.__version__ == REFERENCE, f"the reference is transformers {REFERENCE}"
    HERE.mkdir(parents=True, exist_ok=True)
    train_tokenizer(HERE / TOKENIZER)
    inputs = {"texts": TEXTS, "subset_texts": SUBSET_TEXTS, "pictures": PICTURES, "models": list(MODELS)}
    (HERE / "inputs.json").write_text(json.dumps(inputs, indent=1, ensure_ascii=False) + "\n")
    pictures = [draw_picture(**p) for p in PICTURES]
    for seed, (name, spec) in enumerate(MODELS.items(), 1):
        expected = make_model(name, spec, seed, pictures)
        print(name, {k: tuple(v.shape) for k, v in expected.items() if not k.startswith("subset")})


def check_all():
    """The stored ids and pixels through the installed transformers' towers."""
    print("transformers", transformers.__version__)
    for name, spec in MODELS.items():
        expected = load_file(HERE / name / "expected.safetensors")
        model = AltCLIPModel.from_pretrained(HERE / name, attn_implementation="eager").float().eval()
        settings = json.loads((HERE / name / "preprocessor_config.json").read_text())
        mean, std = (torch.tensor(settings[k]).view(3, 1, 1) for k in ("image_mean", "image_std"))
        pixels = expected["pixels"].permute(0, 3, 1, 2).numpy()
        scaled = torch.from_numpy((pixels * settings["rescale_factor"]).astype(np.float32))
        found = all_outputs(model, expected["input_ids"], expected["attention_mask"], (scaled - mean) / std)
        worst = max(float((found[k] - expected[k]).abs().max()) for k in found if "embeds" in k)
        states = max(float((found[k] - expected[k]).abs().max() / expected[k].abs().max()) for k in found)
        logits = float((found["logits_per_image"] - expected["logits_per_image"]).abs().max())
        print(f"{name}: embeddings {worst:.2e}, any tensor relative {states:.2e}, logits {logits:.2e}")
        assert worst < 2e-6 and states < 1e-5 and logits < 1e-3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    if parser.parse_args().check:
        check_all()
    else:
        make_all()


if __name__ == "__main__":
    main()
