# SPDX-License-Identifier: LGPL-2.1-or-later
"""The texts, pictures and tokenizer that make_model_golden.py shows the reference."""

import os

import numpy as np
import sentencepiece

from tokenizer_file import forget_paths

TOKENIZER = "sentencepiece.bpe.model"

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
LONG_TEXT = len(TEXTS) - 1

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
