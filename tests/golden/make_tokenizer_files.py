#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the files that libraries save beside or instead of tokenizer.model, into tokenizers/.

    make_tokenizer_files.py     once with transformers 4.46.3, once with 5.23.0

4.46.3 writes tokenizers/4: tokenizer.json and tokenizer_config.json of XLMRobertaTokenizerFast; and
settings.json: what XLMRobertaTokenizer, the slow class, does with a directory's settings. 5.23.0
writes tokenizers/5: the same two files, of a directory that held the sentencepiece model alone. Both
must give the ids of tokenizer.json beside this file, which are the slow class's; where the fast
classes themselves do not is printed.
"""

import json
import os
import pathlib
import shutil
import sys
import tempfile

sys.modules.setdefault("torchvision", None)  # not needed here, and often built for another torch
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import transformers  # noqa: E402
from transformers import XLMRobertaTokenizer  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE / "tokenizer.model"
FILES = HERE / "tokenizers"
FORMS = ["tokenizer.json", "tokenizer_config.json"]

ANY_LENGTH = 1000000000000000019884624838656
MASK = {"content": "<mask>", "lstrip": True, "normalized": True, "rstrip": False, "single_word": False}
# As published with BAAI/AltCLIP, and as 4.46.3 writes it.
PUBLISHED = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "mask_token": dict(MASK, __type="AddedToken"),
             "model_max_length": 512, "pad_token": "<pad>", "sep_token": "</s>", "unk_token": "<unk>",
             "tokenizer_class": "XLMRobertaTokenizer", "special_tokens_map_file": None, "name_or_path": "."}
SETTINGS = [
    {},
    {"tokenizer_config.json": {}},
    {"tokenizer_config.json": {"model_max_length": 12}},
    {"tokenizer_config.json": {"max_len": 10}},
    {"tokenizer_config.json": {"max_len": 10, "model_max_length": 14}},
    {"tokenizer_config.json": {"max_len": 10, "model_max_length": None}},
    {"tokenizer_config.json": {"model_max_length": ANY_LENGTH}},
    {"tokenizer_config.json": {"model_max_length": 16, "clean_up_tokenization_spaces": True}},
    {"tokenizer_config.json": {"clean_up_tokenization_spaces": False, "sp_model_kwargs": {}, "padding_side": "right",
                               "truncation_side": "right", "additional_special_tokens": None}},
    {"tokenizer_config.json": PUBLISHED,
     "special_tokens_map.json": {"bos_token": "<s>", "mask_token": MASK, "unk_token": "<unk>"}},
    {"tokenizer_config.json": dict(PUBLISHED, clean_up_tokenization_spaces=True), "added_tokens.json": {}},
]
TEXTS = ["a red circle , on a plain background . n't 's 've 're 'm ' it ' ! ?", "a  <mask> b", "one"]


def settings():
    for files in SETTINGS:
        with tempfile.TemporaryDirectory() as directory:
            shutil.copy(MODEL, os.path.join(directory, "sentencepiece.bpe.model"))
            for name, content in files.items():
                (pathlib.Path(directory) / name).write_text(json.dumps(content))
            tokenizer = XLMRobertaTokenizer.from_pretrained(directory)
            length = min(tokenizer.model_max_length, 512)
            cases = [{"text": text, "ids": tokenizer(text, truncation=True, max_length=length)["input_ids"],
                      "decoded": tokenizer.decode(tokenizer(text)["input_ids"])} for text in TEXTS]
            yield {"files": files, "max_length": length, "cases": cases}


def save(tokenizer, version):
    (FILES / version).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        tokenizer.save_pretrained(directory)
        for name in FORMS:
            content = json.loads((pathlib.Path(directory) / name).read_text())
            for key in ("is_local", "local_files_only", "name_or_path"):
                content.pop(key, None)
            (FILES / version / name).write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def compare(tokenizer):
    golden = json.loads((HERE / "tokenizer.json").read_text())
    n_different = 0
    for case in golden["cases"]:
        ids = tokenizer(case["text"], truncation=True, max_length=golden["max_tokens"])["input_ids"]
        if ids != case["ids"]:
            n_different += 1
            print(ascii(case["text"][:60]), case["ids"][:12], ids[:12])
    print(f"transformers {transformers.__version__}: {n_different} of {len(golden['cases'])} texts differ")


def main():
    if transformers.__version__.startswith("4."):
        from transformers import XLMRobertaTokenizerFast

        tokenizer = XLMRobertaTokenizerFast(str(MODEL))
        save(tokenizer, "4")
        (FILES / "settings.json").write_text(json.dumps(list(settings()), separators=(",", ":")) + "\n")
    else:
        with tempfile.TemporaryDirectory() as directory:
            shutil.copy(MODEL, os.path.join(directory, "sentencepiece.bpe.model"))
            tokenizer = XLMRobertaTokenizer.from_pretrained(directory)
        save(tokenizer, "5")
    compare(tokenizer)


if __name__ == "__main__":
    main()
