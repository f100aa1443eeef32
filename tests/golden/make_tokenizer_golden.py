#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trains a small sentencepiece model and writes what the reference makes of texts with it.

    pip install transformers==4.46.3 sentencepiece
    python3 tests/golden/make_tokenizer_golden.py

Writes tokenizer.model and tokenizer.json beside this file. Reference: XLMRobertaTokenizer, the slow
class in transformers. The trained model may differ between sentencepiece versions; so both files
are committed together.
"""

import itertools
import json
import pathlib
import random
import unicodedata

import sentencepiece
from transformers import XLMRobertaTokenizer

from tokenizer_file import forget_paths

HERE = pathlib.Path(__file__).parent
MODEL = HERE / "tokenizer.model"
MAX_TOKENS = 77

# Subjects and places per script, combined into sentences.
WORDS = {
    "Latin": (["a red circle", "une image de chat", "ein weißes Bild", "colour bars", "un perro"],
              ["on a plain background", "dans la rue", "mit Rauschen", "en la pantalla", "at night"]),
    "Cyrillic": (["красный круг", "чёрный экран", "собака", "размытое изображение"],
                 ["на белом фоне", "ночью", "на улице"]),
    "Greek": (["κόκκινος κύκλος", "μαύρη οθόνη", "μια γάτα"], ["σε λευκό φόντο", "στον δρόμο"]),
    "Arabic": (["دائرة حمراء", "شاشة سوداء", "صورة قطة"], ["على خلفية بيضاء", "في الشارع"]),
    "Hebrew": (["עיגול אדום", "מסך שחור", "תמונה של חתול"], ["על רקע לבן", "ברחוב"]),
    "Devanagari": (["लाल वृत्त", "काली स्क्रीन", "बिल्ली की तस्वीर"], ["सफ़ेद पृष्ठभूमि पर", "सड़क पर"]),
    "Thai": (["วงกลมสีแดง", "หน้าจอสีดำ", "ภาพของแมว"], ["บนพื้นหลังสีขาว", "บนถนน"]),
    "Han": (["红色的圆形", "黑屏", "一张猫的照片", "彩条", "雪花噪点"], ["在白色背景上", "在街上", "在夜里"]),
    "Kana": (["赤い円", "くろいがめん", "ネコのしゃしん", "カラーバー"], ["しろい はいけい", "まちで", "よるに"]),
    "Hangul": (["빨간 원", "검은 화면", "고양이 사진"], ["흰 배경에", "거리에서"]),
    "Tamil": (["சிவப்பு வட்டம்", "கருப்பு திரை"], ["வெள்ளை பின்னணியில்", "தெருவில்"]),
    "Georgian": (["წითელი წრე", "შავი ეკრანი"], ["თეთრ ფონზე", "ქუჩაში"]),
}


def sentences():
    for subjects, places in WORDS.values():
        for subject, place in itertools.product(subjects, places):
            yield f"{subject} {place}"
            yield f"{subject}, {place}."
            yield subject
    for number in range(200):
        yield f"camera {number}: 100 % ({number * 37})"


def train():
    random.seed(1)
    texts = list(sentences()) * 4
    random.shuffle(texts)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_prefix=str(MODEL.with_suffix("")), model_type="unigram",
        vocab_size=1200, hard_vocab_limit=False, character_coverage=1.0,
        normalization_rule_name="nmt_nfkc", num_threads=1, minloglevel=2)
    MODEL.with_suffix(".vocab").unlink()
    forget_paths(MODEL)


def texts():
    yield from ["", " ", "   ", "\t\n", "a", " a", "a ", "  a  b   c  ", "a\tb\nc\r\nd", "\u3000全角\u3000"]
    for subjects, places in WORDS.values():
        yield f"{subjects[0]} {places[0]}"
        yield f"  {subjects[-1]}\u00a0{places[-1]} ! "
    yield from ["🐱", "a 🐱 on a 🏳️‍🌈 mat 👨‍👩‍👧‍👦", "👍🏽👍", "\U0010ffff \ue000", "x" * 300, "猫" * 200]
    nfd = "Réd çircle ñ Å ﬁ ① Ⅷ ｶﾀｶﾅ ㍿ ﷺ 각 ガギグ"
    yield from [nfd, unicodedata.normalize("NFD", nfd), unicodedata.normalize("NFKD", nfd)]
    yield from ["a\x01b\x7fc\x1bd", "\x1c\x1d\x1e\x1f", "zero\u200bwidth\u200d\ufeff", "\u202eright to left",
                "soft\u00adhyphen", "\ufffd", "a\u2028b\u2029c\u0085d", "▁a▁▁b"]
    for token in ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]:
        yield from [token, f"a {token} b", f"a{token}b", f" {token} ", f"{token}{token}", f"a  {token}  b ",
                    f"<{token}>", token[:-1], token[1:], token.upper(), f"a\u3000\x1f{token} b"]
    yield from ["<s> <mask>", "<s>  <mask><mask>  <pad>", "a \n<mask>", "<mas<mask>k>", "＜s＞ ＜mask＞",
                "< s >", "<<<<", "</s</s>", "<0x41>", "<unk> <unk>", "a < b > c <"]
    yield " ".join(f"word{i} 红色 круг" for i in range(200))
    yield " ".join(["a red circle"] * 200)
    yield "<mask> " * 100
    random.seed(2)
    alphabet = sorted(set("".join(sentences()))) + list("  <s>/maskpdunk▁\u3000\u0301\u200b🐱é")
    for length in range(1, 120):
        yield "".join(random.choice(alphabet) for _ in range(length))


def main():
    train()
    tokenizer = XLMRobertaTokenizer(str(MODEL))
    cases = []
    for text in texts():
        ids = tokenizer(text, truncation=True, max_length=MAX_TOKENS)["input_ids"]
        cases.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids)})
    every = list(range(len(tokenizer)))
    golden = {"vocab_size": len(tokenizer), "max_tokens": MAX_TOKENS, "every_id": tokenizer.decode(every),
              "cases": cases}
    with open(HERE / "tokenizer.json", "w", encoding="utf-8") as file:
        json.dump(golden, file, ensure_ascii=True, indent=None, separators=(",", ":"))
        file.write("\n")
    print(f"{MODEL.stat().st_size} bytes of model, {len(cases)} texts, {len(tokenizer)} ids")


if __name__ == "__main__":
    main()
