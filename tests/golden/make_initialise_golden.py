#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes how the reference draws random weights: initialise.json beside this file.

    make_initialise_golden.py               with transformers 4.46.3
    make_initialise_golden.py --load DIR…   load directories that `altclip init` made, with any version

Per configuration and tensor: shape, mean and standard deviation over MODELS models, and the mean
square of each row, 0 for those that are set to 0.
"""

import argparse
import json
import os
import pathlib
import sys

sys.modules.setdefault("torchvision", None)  # not needed here, and often built for another torch
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import torch  # noqa: E402
import transformers  # noqa: E402
from transformers import AltCLIPConfig, AltCLIPModel, AltCLIPTextConfig, AltCLIPTextModel  # noqa: E402
from transformers import AltCLIPVisionConfig, AltCLIPVisionModel  # noqa: E402

GOLDEN = pathlib.Path(__file__).resolve().parent / "initialise.json"
REFERENCE = "4.46.3"
MODELS = 400

# No two widths are alike, so that each deviation tells where it comes from.
TEXT = {"model_type": "altclip_text_model", "vocab_size": 30, "hidden_size": 20, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 28, "max_position_embeddings": 16, "project_dim": 12,
        "type_vocab_size": 2, "pad_token_id": 3, "initializer_factor": 0.2, "initializer_range": 0.7,
        "position_embedding_type": "relative_key"}
VISION = {"model_type": "altclip_vision_model", "hidden_size": 36, "num_hidden_layers": 2, "num_attention_heads": 3,
          "intermediate_size": 50, "image_size": 28, "patch_size": 7, "initializer_factor": 3.0,
          "initializer_range": 0.05}
WHOLE = {"model_type": "altclip", "projection_dim": 24, "logit_scale_init_value": 1.5,
         "text_config": dict(TEXT, position_embedding_type="absolute"), "vision_config": VISION}
CLASSES = {
    "altclip": (AltCLIPConfig, AltCLIPModel),
    "altclip_text_model": (AltCLIPTextConfig, AltCLIPTextModel),
    "altclip_vision_model": (AltCLIPVisionConfig, AltCLIPVisionModel),
}


def statistics(config):
    config_class, model_class = CLASSES[config["model_type"]]
    sums = {}
    for seed in range(MODELS):
        torch.manual_seed(seed)
        for name, tensor in model_class(config_class.from_dict(config)).state_dict().items():
            values = tensor.double().reshape(tensor.shape[0] if tensor.dim() > 1 else 1, -1)
            entry = sums.setdefault(name, {"shape": list(tensor.shape), "sum": 0.0, "squares": 0.0})
            entry["sum"] = entry["sum"] + float(values.sum())
            entry["squares"] = entry["squares"] + values.square().sum(1)
    return {name: summary(entry) for name, entry in sums.items()}


def summary(entry):
    n = torch.tensor(entry["shape"]).prod().item() if entry["shape"] else 1
    mean = entry["sum"] / n / MODELS
    zero_rows = [i for i, square in enumerate(entry["squares"]) if square == 0]
    drawn = n * (1 - len(zero_rows) / len(entry["squares"]))
    square = float(entry["squares"].sum()) / MODELS / max(drawn, 1)
    deviation = max(square - mean * mean, 0.0) ** 0.5
    return {"shape": entry["shape"], "mean": mean, "deviation": deviation if deviation > 1e-6 else 0.0,
            "zero_rows": zero_rows}


def make():
    assert transformers.__version__ == REFERENCE, f"the reference is transformers {REFERENCE}"
    torch.set_num_threads(1)
    golden = {"models": MODELS, "cases": [{"config": c, "tensors": statistics(c)} for c in (WHOLE, TEXT, VISION)]}
    GOLDEN.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{sum(len(c['tensors']) for c in golden['cases'])} tensors, {GOLDEN.stat().st_size} bytes")


def load(directory):
    config = json.loads((pathlib.Path(directory) / "config.json").read_text())
    model, info = CLASSES[config["model_type"]][1].from_pretrained(directory, output_loading_info=True)
    wrong = {kind: found for kind, found in info.items() if found}
    assert not wrong, f"{directory}: {wrong}"
    print(f"transformers {transformers.__version__}: {directory}: {sum(p.numel() for p in model.parameters())} parameters")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--load", nargs="+", metavar="DIR", help="load directories, write nothing")
    directories = parser.parse_args().load
    for directory in directories or []:
        load(directory)
    if not directories:
        make()


if __name__ == "__main__":
    main()
