#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes tests/golden/models: small random AltCLIP models and what the reference computes with them.

The reference is transformers 4.46.3, and for what newer libraries write 5.23.0 (torch 2.13, one
thread, float32, eager attention), with Pillow 13.0 and sentencepiece 0.2. The numbers are
committed; the tests need no Python. Each version makes its own models, and the older one, which
goes first, the tokenizer and the inputs:

    make_model_golden.py [NAME…]    make everything anew, or these models alone
    make_model_golden.py --check    compare what is there with the transformers that is installed

inputs.json says what each model is shown, and which rows of the reference's page (page.json) it
checks. Beside each model, expected.safetensors holds the reference's outputs under the reference's
names; "pixels" are the 8-bit pictures after resize and crop. Names that begin with "subset." come
from a second run, on few texts and pictures, which also has the hidden states, the attentions and,
where there are as many texts as pictures, the loss. Names that begin with "custom." come from a run
on arguments that no tokenizer gives, and with "embedded." from one on embeddings in the place of
ids; these arguments are "given.".
"""

import argparse
import json
import pathlib
import sys
import zlib

# Pillow's resampling is the reference: transformers 5 would rather take torchvision's.
sys.modules.setdefault("torchvision", None)

import numpy as np  # noqa: E402
import sentencepiece  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from PIL import Image  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from transformers import (AltCLIPConfig, AltCLIPTextConfig, AltCLIPVisionConfig,  # noqa: E402
                          XLMRobertaTokenizer)

import page  # noqa: E402
from directories import build_model, load_model, make_processor, save_directory  # noqa: E402
from inputs import PICTURES, TEXTS, TOKENIZER, draw_picture, train_tokenizer  # noqa: E402
from specs import MODELS, NEW, OLD  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent / "models"
VERSION = transformers.__version__
# The models whose configurations are put together.
COMPOSED = ("text-old", "vision-old")


# ---------------------------------------------------------------- inputs


def read_json(name):
    path = HERE / name
    return json.loads(path.read_text()) if path.exists() else {}


def write_json(name, value):
    """A line for each of what `value` holds, and of what that holds."""
    def write(value, depth):
        if depth == 2 or not isinstance(value, (dict, list)):
            return json.dumps(value, ensure_ascii=False)
        named = isinstance(value, dict)
        lines = [(json.dumps(key) + ": " if named else "") + write(value[key] if named else key, depth + 1)
                 for key in value]
        inner = ",\n".join(" " * (depth + 1) + line for line in lines)
        return "{["[not named] + "\n" + inner + "\n" + " " * depth + "}]"[not named]

    (HERE / name).write_text(write(value, 0) + "\n")


def count_tokens():
    """Pieces, and two ids that the reference adds to them."""
    return sentencepiece.SentencePieceProcessor(model_file=str(HERE / TOKENIZER)).get_piece_size() + 2


def text_config(model):
    return getattr(model.config, "text_config", model.config)


def encode_texts(directory, model, spec):
    """Token ids and mask of the model's texts, padded to the longest and cut at the limit; and what
    is decoded of each without padding, special tokens written out."""
    config, tokenizer = text_config(model), XLMRobertaTokenizer.from_pretrained(directory)
    limit = min(512, tokenizer.model_max_length, config.max_position_embeddings - config.pad_token_id - 1)
    texts = [TEXTS[i] for i in spec["texts"]]
    encoded = tokenizer(texts, padding=True, truncation=True, max_length=limit, return_tensors="pt")
    decoded = tokenizer.batch_decode([ids[mask > 0] for ids, mask in zip(encoded.input_ids, encoded.attention_mask)])
    return encoded.input_ids, encoded.attention_mask, decoded if VERSION == OLD else None


def process_pictures(spec):
    """(pixel_values, pixels) of the model's pictures."""
    grey = spec["vision"].get("num_channels") == 1
    pictures = [Image.fromarray(draw_picture(**PICTURES[i])) for i in spec["pictures"]]
    if grey:
        pictures = [np.asarray(picture.convert("L"))[:, :, None] for picture in pictures]
    processor = make_processor(spec)
    values = processor(pictures, return_tensors="pt").pixel_values
    pixels = processor(pictures, do_rescale=False, do_normalize=False, return_tensors="np").pixel_values
    assert pixels.min() >= 0 and pixels.max() <= 255 and (pixels == np.floor(pixels)).all()
    return values.float(), torch.from_numpy(np.ascontiguousarray(pixels.astype(np.uint8).transpose(0, 2, 3, 1)))


def custom_arguments(config):
    """Two texts of 11 tokens with holes in their masks, and positions and types of their own."""
    generator = torch.Generator().manual_seed(99)
    shape = (2, 11)
    mask = torch.ones(shape, dtype=torch.long)
    mask[0, 3:5] = mask[1, 6] = mask[1, 9:] = 0
    return {
        "input_ids": torch.randint(0, config.vocab_size, shape, generator=generator),
        "attention_mask": mask,
        "position_ids": torch.randint(0, config.max_position_embeddings, shape, generator=generator),
        "token_type_ids": torch.randint(0, config.type_vocab_size, shape, generator=generator),
    }


# ---------------------------------------------------------------- outputs


def tower_outputs(prefix, out, found):
    """The reference's outputs of one tower, by name; all of them if it was asked for the layers."""
    found[prefix + ".pooler_output"] = out.pooler_output
    if out.hidden_states is not None:
        found[prefix + ".last_hidden_state"] = out.last_hidden_state
    for name in ("hidden_states", "attentions"):
        for i, tensor in enumerate(getattr(out, name) or ()):
            found[f"{prefix}.{name}.{i}"] = tensor


def features(result):
    """What get_text_features and get_image_features give: in transformers 5 with the tower's output."""
    return result if isinstance(result, torch.Tensor) else result.pooler_output


def both_outputs(model, text, vision, layers):
    with_loss = bool(layers) and len(text["input_ids"]) == len(vision["pixel_values"])
    out = model(**text, **vision, **layers, return_loss=with_loss)
    found = {name: out[name] for name in ("text_embeds", "image_embeds", "logits_per_text", "logits_per_image")}
    if with_loss:
        found["loss"] = out.loss
    found["text_features"] = features(model.get_text_features(**text))
    found["image_features"] = features(model.get_image_features(**vision))
    tower_outputs("text_model_output", out.text_model_output, found)
    tower_outputs("vision_model_output", out.vision_model_output, found)
    return found


def outputs_of(model, text, vision, layers):
    """`text` and `vision` are the arguments of the towers; None where the directory has no such tower.
    `layers` are those that ask for each layer's output."""
    with torch.no_grad():
        found = {}
        if text and vision:
            found = both_outputs(model, text, vision, layers)
        elif text:
            tower_outputs("text_model_output", model(**text, **layers), found)
        else:
            tower_outputs("vision_model_output", model(**vision, **layers), found)
    return {name: tensor.float().contiguous().clone() for name, tensor in found.items()}


def custom_outputs(model, config):
    given = custom_arguments(config)
    tower = getattr(model, "text_model", model)
    layers = {"output_hidden_states": True, "output_attentions": True}
    found = {}
    with torch.no_grad():
        tower_outputs("custom.text_model_output", tower(**given, **layers), found)
        # Embeddings in the place of ids; the positions are counted then, whatever was padding.
        found["given.inputs_embeds"] = tower.roberta.embeddings.word_embeddings(given["input_ids"])
        embedded = tower(inputs_embeds=found["given.inputs_embeds"], attention_mask=given["attention_mask"], **layers)
        tower_outputs("embedded.text_model_output", embedded, found)
    found = {name: tensor.float().contiguous() for name, tensor in found.items()}
    return dict(found, **{"given." + name: tensor for name, tensor in given.items()})


def without_padding(ids, mask, rows):
    """The rows, cut to the longest of them."""
    length = int(mask[rows].sum(1).max())
    return {"input_ids": ids[rows, :length], "attention_mask": mask[rows, :length]}


def all_outputs(model, spec, ids, mask, pixel_values):
    text = vision = subset_text = subset_vision = None
    if ids is not None:
        text = {"input_ids": ids, "attention_mask": mask}
        subset_text = without_padding(ids, mask, [spec["texts"].index(i) for i in spec["subset_texts"]])
    if pixel_values is not None:
        vision = {"pixel_values": pixel_values}
        if spec.get("interpolate"):
            vision["interpolate_pos_encoding"] = True
        subset_vision = dict(vision, pixel_values=pixel_values[:spec["subset_pictures"]])
    expected = outputs_of(model, text, vision, {})
    layers = {"output_hidden_states": True, "output_attentions": spec["attentions"]}
    subset = outputs_of(model, subset_text, subset_vision, layers)
    expected.update({"subset." + name: tensor for name, tensor in subset.items()})
    if spec.get("custom"):
        expected.update(custom_outputs(model, text_config(model)))
    return expected


# ---------------------------------------------------------------- making


def check_variety(name, expected):
    """Outputs that are all alike would make the test blind."""
    for kind in ("text_model_output.pooler_output", "vision_model_output.pooler_output", "text_embeds", "image_embeds"):
        if kind not in expected:
            continue
        rows = torch.nn.functional.normalize(expected[kind])
        cosines = rows @ rows.T - 2 * torch.eye(len(rows))
        assert cosines.max() < 0.9999 and rows.isfinite().all(), (name, kind, cosines.max())


def check_rounding(model, spec, expected, ids, mask, pixel_values):
    """The reference's own rounding, seen in double precision, must leave room below 1e-5."""
    doubled = None if pixel_values is None else pixel_values.double()
    exact = all_outputs(model.double(), spec, ids, mask, doubled)
    worst = max(float((exact[k] - expected[k]).abs().max() / exact[k].abs().max())
                for k in exact if expected[k].is_floating_point())
    assert worst < 4e-6, worst
    return worst


def covered_rows(model, spec):
    configs = [model.config]
    if spec["text"] and spec["vision"]:
        configs += [model.config.text_config, model.config.vision_config]
    found = [row for config in configs for row in page.covered(config)]
    if spec["vision"] and VERSION == OLD:
        found += page.covered(make_processor(spec))
    return found


def make_model(name, spec):
    directory = HERE / name
    seed = spec.get("seed", zlib.crc32(name.encode()))
    save_directory(directory, build_model(spec, count_tokens(), seed), spec)
    model, missing = load_model(directory, spec)
    assert not missing, missing
    expected = {}
    ids = mask = pixel_values = decoded = None
    if spec["text"]:
        ids, mask, decoded = encode_texts(directory, model, spec)
        expected.update({"input_ids": ids, "attention_mask": mask})
    if spec["vision"]:
        pixel_values, pixels = process_pictures(spec)
        expected.update({"pixel_values": pixel_values[:1].clone(), "pixels": pixels})
    expected.update(all_outputs(model, spec, ids, mask, pixel_values))
    check_variety(name, expected)
    covers = covered_rows(model, spec)
    worst = check_rounding(model, spec, expected, ids, mask, pixel_values)
    save_file(expected, directory / "expected.safetensors")
    (directory / "expected.safetensors").chmod(0o644)
    print(f"{name}: {len(expected)} tensors, rounding of the reference {worst:.1e}, checks {len(covers)} rows")
    keys = ("what", "texts", "pictures", "subset_texts", "subset_pictures")
    return dict({key: spec[key] for key in keys}, reference=VERSION, decoded=decoded, covers=covers)


def write_page():
    """The rows of the installed reference's page; of the older one also what an omitted field of
    config.json means, and what comes of composing the two towers' own configurations."""
    pages = read_json("page.json")
    pages["rows"] = dict(pages.get("rows", {}), **{VERSION: list(page.rows())})
    if VERSION == OLD:
        text = AltCLIPTextConfig.from_pretrained(HERE / COMPOSED[0])
        vision = AltCLIPVisionConfig.from_pretrained(HERE / COMPOSED[1])
        composed = AltCLIPConfig.from_text_vision_configs(text, vision)
        pages["defaults"] = page.values(AltCLIPConfig(), AltCLIPTextConfig(), AltCLIPVisionConfig())
        pages["composed"] = page.values(composed, composed.text_config, composed.vision_config)
    write_json("page.json", pages)


def make_all(names):
    assert VERSION in (OLD, NEW), f"the references are transformers {OLD} and {NEW}"
    HERE.mkdir(parents=True, exist_ok=True)
    if VERSION == OLD and not names:
        train_tokenizer(HERE / TOKENIZER)
    inputs = read_json("inputs.json")
    made = inputs.get("models", {})
    for name, spec in MODELS.items():
        if spec.get("reference", OLD) == VERSION and (not names or name in names):
            made[name] = make_model(name, spec)
    write_json("inputs.json", {"texts": TEXTS, "pictures": PICTURES,
                               "models": {name: made[name] for name in MODELS if name in made}})
    write_page()


# ---------------------------------------------------------------- checking


def normalised(directory, pixels):
    """pixel_values of 8-bit pixels, as preprocessor_config.json or processor_config.json has it."""
    path = directory / "preprocessor_config.json"
    new = directory / "processor_config.json"
    settings = json.loads(path.read_text()) if path.exists() else json.loads(new.read_text())["image_processor"]
    values = pixels.permute(0, 3, 1, 2).numpy().astype(np.float32)
    if settings["do_rescale"]:
        values = (pixels.permute(0, 3, 1, 2).numpy() * settings["rescale_factor"]).astype(np.float32)
    values = torch.from_numpy(values)
    if not settings["do_normalize"]:
        return values
    mean, std = (torch.tensor(settings[key]).view(-1, 1, 1) for key in ("image_mean", "image_std"))
    return (values - mean) / std


def check_model(name, spec):
    """The stored ids and pixels through the installed transformers' towers."""
    if spec.get("alone") and VERSION != spec.get("reference", OLD):
        print(f"{name}: left out: {spec['alone']}")
        return
    directory = HERE / name
    expected = load_file(directory / "expected.safetensors")
    model, missing = load_model(directory, spec)
    assert not missing, missing
    pixel_values = normalised(directory, expected["pixels"]) if spec["vision"] else None
    found = all_outputs(model, spec, expected.get("input_ids"), expected.get("attention_mask"), pixel_values)
    differences = {k: float((found[k] - expected[k]).abs().max()) for k in found}
    worst = max([difference for k, difference in differences.items() if "embeds" in k], default=0.0)
    states = max(differences[k] / float(expected[k].abs().max()) for k in found if found[k].is_floating_point())
    print(f"{name}: embeddings {worst:.2e}, any tensor relative {states:.2e}")
    assert worst < 2e-6 and states < 1e-5 and differences.get("logits_per_image", 0.0) < 1e-3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("names", nargs="*", metavar="NAME", help="models")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(MODELS)
    assert not unknown, unknown
    print("transformers", VERSION)
    if not arguments.check:
        make_all(arguments.names)
        return
    for name, spec in MODELS.items():
        if not arguments.names or name in arguments.names:
            check_model(name, spec)


if __name__ == "__main__":
    main()
