#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes what the reference makes of configuration files: config.json beside this file.

    make_config_golden.py            with transformers 4.46.3
    make_config_golden.py --check    compare what is there with the transformers that is installed

Each case is what a file holds and the reference's object for it, as its class writes it. 5.23.0
gives the same, but for what DIFFERENCES and REFUSED_BY_5 name.
"""

import argparse
import json
import os
import pathlib
import sys

sys.modules.setdefault("torchvision", None)  # not needed here, and often built for another torch
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import transformers  # noqa: E402
from transformers import AltCLIPConfig, AltCLIPTextConfig, AltCLIPVisionConfig  # noqa: E402

GOLDEN = pathlib.Path(__file__).resolve().parent / "config.json"
REFERENCE = "4.46.3"

TOWER_FIELDS = ["model_type", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                "hidden_act", "layer_norm_eps", "initializer_range", "initializer_factor"]
TEXT_FIELDS = TOWER_FIELDS + ["vocab_size", "max_position_embeddings", "type_vocab_size", "project_dim", "pad_token_id",
                              "bos_token_id", "eos_token_id", "hidden_dropout_prob", "attention_probs_dropout_prob",
                              "position_embedding_type", "use_cache"]
VISION_FIELDS = TOWER_FIELDS + ["image_size", "patch_size", "num_channels", "projection_dim", "attention_dropout"]
TOP_FIELDS = ["model_type", "projection_dim", "logit_scale_init_value"]
PREPROCESSOR_FIELDS = ["do_resize", "size", "resample", "do_center_crop", "crop_size", "do_rescale", "rescale_factor",
                       "do_normalize", "image_mean", "image_std"]

# Another default, and two fields that version 5 does not have.
DIFFERENCES = {"attention_probs_dropout_prob", "position_embedding_type", "use_cache"}
# Lists where an integer is declared, and integers where a float is.
REFUSED_BY_5 = {"eos list", "eos empty list", "eos long list", "bos list", "old with lists", "integers for floats"}

TEXT = {"vocab_size": 40, "hidden_size": 20, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 30, "max_position_embeddings": 16, "project_dim": 12}
VISION = {"hidden_size": 36, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 50,
          "image_size": 28, "patch_size": 7}
EVERY_TEXT_FIELD = dict(TEXT, hidden_act="relu", layer_norm_eps=1e-6, initializer_range=0.05, initializer_factor=0.3,
                        type_vocab_size=2, pad_token_id=5, bos_token_id=6, eos_token_id=7, hidden_dropout_prob=0.25,
                        attention_probs_dropout_prob=0.5, position_embedding_type="relative_key_query",
                        use_cache=False)
EVERY_VISION_FIELD = dict(VISION, hidden_act="gelu_new", layer_norm_eps=1e-3, initializer_range=0.07,
                          initializer_factor=2.0, num_channels=1, projection_dim=24, attention_dropout=0.125)


def both(text=TEXT, vision=VISION, **top):
    return dict({"model_type": "altclip", "text_config": text, "vision_config": vision}, **top)


def written_long_ago():
    """Every attribute of the towers, as versions before 4.2x wrote them, with both forms of the sections."""
    text, vision = AltCLIPTextConfig(**TEXT).to_dict(), AltCLIPVisionConfig(**VISION).to_dict()
    return dict(both(text, vision), text_config_dict=None, vision_config_dict=dict(vision, hidden_act="gelu"),
                architectures=["AltCLIPModel"], initializer_factor=3.0, torch_dtype="float32",
                transformers_version="4.25.0.dev0", direct_kd=False, text_model_name=None)


CONFIGS = {
    "nothing": {},
    "type alone": {"model_type": "altclip"},
    "small": both(projection_dim=24),
    "null is absent": both(dict(TEXT), None, text_config_dict=None, vision_config_dict=None),
    "every field": both(EVERY_TEXT_FIELD, EVERY_VISION_FIELD, projection_dim=33, logit_scale_init_value=1.5),
    "unknown fields": both(dict(TEXT, cheese=1), dict(VISION, cheese=[]), cheese={"a": None}),
    "eos list": both(dict(TEXT, eos_token_id=[2, 3])),
    "eos empty list": both(dict(TEXT, eos_token_id=[])),
    "eos long list": both(dict(TEXT, eos_token_id=list(range(4, 39)))),
    "eos null": both(dict(TEXT, eos_token_id=None)),
    "bos list": both(dict(TEXT, bos_token_id=[0])),
    "bos null": both(dict(TEXT, bos_token_id=None)),
    "integers for floats": both(dict(TEXT, layer_norm_eps=1, hidden_dropout_prob=0, initializer_factor=1),
                                logit_scale_init_value=3),
    "relative positions": both(dict(TEXT, position_embedding_type="relative_key")),
    "old names": {"model_type": "altclip", "text_config_dict": TEXT, "vision_config_dict": VISION},
    "old name overrides": both(dict(EVERY_TEXT_FIELD), dict(EVERY_VISION_FIELD), text_config_dict=TEXT,
                               vision_config_dict=VISION),
    "old name of one tower": both(dict(EVERY_TEXT_FIELD), dict(EVERY_VISION_FIELD), text_config_dict=TEXT),
    "old name, empty": both(dict(EVERY_TEXT_FIELD), dict(EVERY_VISION_FIELD), text_config_dict={}),
    "old name, one field": both(dict(EVERY_TEXT_FIELD), dict(EVERY_VISION_FIELD),
                                vision_config_dict={"hidden_size": 48, "image_size": 64}),
    "old name, decoder below": both(dict(TEXT, is_decoder=True), text_config_dict=TEXT),
    "old with lists": dict(both(), text_config_dict=dict(TEXT, eos_token_id=[2, 9])),
    "written long ago": written_long_ago(),
    "text tower": dict(EVERY_TEXT_FIELD, model_type="altclip_text_model"),
    "text tower, defaults": {"model_type": "altclip_text_model"},
    "image tower": dict(EVERY_VISION_FIELD, model_type="altclip_vision_model"),
    "image tower, defaults": {"model_type": "altclip_vision_model"},
}

PREPROCESSORS = {
    "nothing": {},
    "sizes as integers": {"size": 60, "crop_size": 48},
    "sizes as lists": {"size": [60, 54], "crop_size": [48, 40]},
    "shortest edge": {"size": {"shortest_edge": 60}},
    "height and width": {"size": {"height": 61, "width": 54}, "crop_size": {"height": 40, "width": 48}},
    "null is absent": {"size": None, "crop_size": None, "image_mean": None, "image_std": None},
    "switches": {"do_resize": False, "do_center_crop": False, "do_rescale": False, "do_normalize": False},
    "switches as numbers": {"do_resize": 0, "do_center_crop": 1, "do_rescale": 1, "do_normalize": 0},
    "numbers": {"resample": 1, "rescale_factor": 1, "image_mean": [0, 0.5, 1], "image_std": [1, 2, 0.25]},
    "one number for all": {"image_mean": 0.5, "image_std": 0.25},
    "written by a fast class": {
        "crop_size": {"height": 48, "width": 48}, "data_format": "channels_first", "default_to_square": False,
        "device": None, "disable_grouping": None, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True,
        "do_pad": None, "do_rescale": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "CLIPImageProcessorFast", "image_std": [0.5, 0.5, 0.5], "input_data_format": None,
        "pad_size": None, "resample": 3, "rescale_factor": 0.00392156862745098, "return_tensors": None,
        "size": {"shortest_edge": 48}},
}


def pick(attributes, fields):
    return {field: attributes[field] for field in fields if field in attributes}


def config_of(values):
    values = json.loads(json.dumps(values))
    if values.get("model_type") == "altclip_text_model":
        return pick(AltCLIPTextConfig.from_dict(values).to_dict(), TEXT_FIELDS)
    if values.get("model_type") == "altclip_vision_model":
        return pick(AltCLIPVisionConfig.from_dict(values).to_dict(), VISION_FIELDS)
    return whole_of(AltCLIPConfig.from_dict(values))


def whole_of(config):
    found = pick(config.to_dict(), TOP_FIELDS)
    found["text_config"] = pick(config.text_config.to_dict(), TEXT_FIELDS)
    found["vision_config"] = pick(config.vision_config.to_dict(), VISION_FIELDS)
    return found


def composed():
    text, vision = AltCLIPTextConfig(**EVERY_TEXT_FIELD), AltCLIPVisionConfig(**EVERY_VISION_FIELD)
    if hasattr(AltCLIPConfig, "from_text_vision_configs"):
        return whole_of(AltCLIPConfig.from_text_vision_configs(text, vision))
    return whole_of(AltCLIPConfig(text_config=text, vision_config=vision))


def preprocessor_of(settings):
    try:
        from transformers import CLIPImageProcessor as Processor
    except ImportError:
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil as Processor
    found = pick(vars(Processor.from_dict(dict(settings))), PREPROCESSOR_FIELDS)
    for field in ("size", "crop_size"):
        found[field] = dict(found[field])
    for field in ("image_mean", "image_std"):
        found[field] = [found[field]] * 3 if isinstance(found[field], float) else list(found[field])
    for field in PREPROCESSOR_FIELDS:
        if field.startswith("do_"):
            found[field] = bool(found[field])
    return found


def compare(name, found, expected):
    for field, value in expected.items():
        if isinstance(value, dict):
            compare(f"{name}: {field}", found[field], value)
        elif field not in DIFFERENCES:
            assert found[field] == value, f"{name}: {field} is {found[field]} here, {value} in the golden"


def check():
    golden = json.loads(GOLDEN.read_text())
    n_refused = 0
    for case in golden["configs"]:
        try:
            compare(case["name"], config_of(case["input"]), case["expected"])
        except Exception as error:
            if "Strict" not in type(error).__name__ or case["name"] not in REFUSED_BY_5:
                raise
            n_refused += 1
    compare("composed", composed(), golden["composed"]["expected"])
    for case in golden["preprocessors"]:
        if case["name"] != "null is absent":  # an error in version 5
            compare(case["name"], preprocessor_of(case["input"]), case["expected"])
    print(f"transformers {transformers.__version__}: the same, {n_refused} refused")


def make():
    assert transformers.__version__ == REFERENCE, f"the reference is transformers {REFERENCE}"
    golden = {
        "configs": [{"name": n, "input": v, "expected": config_of(v)} for n, v in CONFIGS.items()],
        "composed": {"text": dict(EVERY_TEXT_FIELD, model_type="altclip_text_model"),
                     "vision": dict(EVERY_VISION_FIELD, model_type="altclip_vision_model"), "expected": composed()},
        "preprocessors": [{"name": n, "input": v, "expected": preprocessor_of(v)} for n, v in PREPROCESSORS.items()],
    }
    GOLDEN.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{len(CONFIGS)} configurations, {len(PREPROCESSORS)} preprocessors, {GOLDEN.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check() if parser.parse_args().check else make()


if __name__ == "__main__":
    main()
