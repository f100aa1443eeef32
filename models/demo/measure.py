# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measure a model directory on pictures that share no drawing code with training.

    pip install cairocffi        (besides what train.py needs)
    python models/demo/measure.py models/demo

Shapes are drawn by cairo in plain web colours; test patterns come from GStreamer's
videotestsrc at sizes that training did not use; photographs that training did not see are
spoiled by Pillow.  The model runs in transformers, in f32, behind its own processor.
"""

import argparse
import json
import math
import sys

import cairocffi as cairo
import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from transformers import AltCLIPModel, CLIPImageProcessor, XLMRobertaTokenizer

import scenes
from phrases import LANGUAGES, MEASURED_COLOURS, MEASURED_HEALTH, SHAPES, UNSEEN, measured_pair

SIZES = [(160, 120), (192, 144), (384, 216), (512, 384), (800, 600), (960, 540), (1600, 900), (270, 480), (640, 480), (1920, 1080)]
WEB = {
    "red": ["#ff0000", "#d40000", "#e02020", "#ff0000"],
    "orange": ["#ffa500", "#ff8c00", "#ff7f00", "#f59a14"],
    "yellow": ["#ffff00", "#ffe600", "#f5e61a", "#ffff00"],
    "green": ["#008000", "#00ff00", "#00c000", "#2ecc40"],
    "cyan": ["#00ffff", "#00e5ee", "#1ce6e6", "#00d8d8"],
    "blue": ["#0000ff", "#1e50ff", "#0000c0", "#2040e0"],
    "purple": ["#800080", "#9932cc", "#a020f0", "#7a1fa2"],
    "white": ["#ffffff", "#ffffff", "#f5f5f5", "#fafafa"],
}
GROUNDS = ["#000000", "#ffffff", "#808080", "#202020", "#c0c0c0", "#404060", "#604020", "#a0c0a0", "#103050", "#e0d0c0", "#305030", "#704050"]


def rgb(text):
    return tuple(int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))


def path(c, g, shape, r):
    """The shape around the origin, as a cairo path; ring excepted, which is stroked."""
    if shape == "circle":
        c.arc(0, 0, r, 0, 2 * math.pi)
    elif shape == "square":
        c.rectangle(-r * 0.72, -r * 0.72, r * 1.44, r * 1.44)
    elif shape == "triangle":
        c.move_to(0, -r)
        c.line_to(r * 0.87, r * 0.5)
        c.line_to(-r * 0.87, r * 0.5)
        c.close_path()
    elif shape == "star":
        for k in range(10):
            d = r if k % 2 == 0 else r * 0.42
            c.line_to(d * math.sin(k * math.pi / 5), -d * math.cos(k * math.pi / 5))
        c.close_path()
    elif shape == "cross":
        a = r * g.uniform(0.22, 0.34)
        c.rectangle(-a, -r, 2 * a, 2 * r)
        c.rectangle(-r, -a, 2 * r, 2 * a)


def draw(g, colour, shape):
    w, h = SIZES[g.integers(len(SIZES))]
    s = min(w, h)
    surface = cairo.ImageSurface(cairo.FORMAT_RGB24, w, h)
    c = cairo.Context(surface)
    paint = rgb(WEB[colour][g.integers(4)])
    while True:
        ground = rgb(GROUNDS[g.integers(len(GROUNDS))])
        if sum(abs(a - b) for a, b in zip(ground, paint)) > 0.5:
            break
    kind = ("plain", "gradient", "noise", "texture")[g.integers(4)]
    if kind == "gradient":
        p = cairo.LinearGradient(0, 0, w * g.uniform(0, 1), h)
        p.add_color_stop_rgb(0, *ground)
        p.add_color_stop_rgb(1, *[0.55 * v + 0.12 for v in ground])
        c.set_source(p)
    else:
        c.set_source_rgb(*ground)
    c.paint()
    if kind == "texture":
        c.set_line_width(s * 0.008)
        c.set_source_rgba(*(1 - v for v in ground), 0.2)
        for x in np.arange(-h, w, s * 0.06):
            c.move_to(x, 0)
            c.line_to(x + h * 0.6, h)
            c.stroke()
    if kind == "noise":
        surface.flush()
        a = np.frombuffer(surface.get_data(), np.uint8).reshape(h, surface.get_stride())
        a[:] = np.clip(a + g.normal(0, 22, a.shape), 0, 255).astype(np.uint8)
        surface.mark_dirty()
    many = 1 if g.random() < 0.75 else int(g.integers(2, 5))
    r = s * (g.uniform(0.1, 0.4) if many == 1 else g.uniform(0.1, 0.16))
    spots = []
    for _ in range(200):
        if len(spots) == many:
            break
        x, y = w / 2 + g.uniform(-1, 1) * (s / 2 - r), h / 2 + g.uniform(-1, 1) * (s / 2 - r)
        if all(math.hypot(x - a, y - b) > 2.1 * r for a, b in spots):
            spots.append((x, y))
    c.set_source_rgb(*paint)
    for x, y in spots:
        c.save()
        c.translate(x, y)
        if g.random() < 0.5:
            c.rotate(g.uniform(-0.35, 0.35))
        if shape == "ring":
            c.set_line_width(r * g.uniform(0.22, 0.45))
            c.arc(0, 0, r * 0.8, 0, 2 * math.pi)
            c.stroke()
        else:
            path(c, g, shape, r)
            c.fill()
        c.restore()
    surface.flush()
    a = np.frombuffer(surface.get_data(), np.uint8).reshape(h, -1, 4)[:, :w, 2::-1]
    return Image.fromarray(np.ascontiguousarray(a))


SOURCES = {
    "bars": ["smpte", "smpte75", "smpte100", "smpte-rp-219"], "static": ["snow"], "black": ["black"], "white": ["white"],
    "solid red": ["red"], "solid green": ["green"], "solid blue": ["blue"], "checkerboard": ["checkers-8"], "gradient": ["gradient"],
    "concentric": ["circular", "zone-plate kx2=16 ky2=16 kt=3"], "ball": ["ball", "ball motion=sweep"],
}


def health_pictures(g):
    found = []
    for name, patterns in SOURCES.items():
        for size in SIZES:
            for pattern in patterns:
                # smaller cells than this melt together in the tower's resize
                if pattern == "checkers-8" and min(size) > 480:
                    continue
                word, _, options = pattern.partition(" ")
                for f in scenes.videotestsrc(word, *size, 6 if name == "ball" else 2, options, yuv=bool(g.integers(2)))[-2:]:
                    if name != "ball" or (scenes.see(f) > 200).all(-1).sum() >= 4:
                        found.append((f, name))
    scenes.load_photos(scenes.HELD_OUT_PHOTOS)
    for k in range(30):
        w, h = SIZES[g.integers(len(SIZES))]
        if k % 3:
            p = scenes.PHOTOS[k % 3 - 1] if k % 2 else scenes.PHOTOS[2]
            x = int(g.integers(0, p.size[0] // 3))
            y = int(g.integers(0, p.size[1] // 3))
            p = p.crop((x, y, p.size[0] - int(g.integers(0, p.size[0] // 3)), p.size[1] - int(g.integers(0, p.size[1] // 3)))).resize((w, h))
        else:
            colour, shape = MEASURED_COLOURS[k % 8], SHAPES[k % 6]
            if (colour, shape) in UNSEEN:
                colour = "red"
            p = draw(g, colour, shape)
        found.append((p, "clear") if k % 3 else (p.filter(ImageFilter.GaussianBlur(min(p.size) * 0.05)), "blurred"))
        s = min(p.size)
        found.append((p.filter(ImageFilter.GaussianBlur(s * g.uniform(0.02, 0.06)) if k % 2 else ImageFilter.BoxBlur(s * g.uniform(0.03, 0.08))), "blurred"))
        found.append((ImageEnhance.Brightness(p).enhance(g.uniform(0.12, 0.25)), "dark"))
        if k % 3:
            found.append((Image.fromarray(np.clip(np.asarray(p, np.float32) * g.uniform(1.6, 2.5) + 130, 0, 255).astype(np.uint8)), "overexposed"))
    return found


class Judge:
    def __init__(self, folder):
        self.model = AltCLIPModel.from_pretrained(folder).float().eval()
        self.tokenizer = XLMRobertaTokenizer.from_pretrained(folder)
        self.processor = CLIPImageProcessor.from_pretrained(folder)
        self.scale = self.model.logit_scale.exp().item()

    @torch.no_grad()
    def texts(self, phrases):
        return torch.nn.functional.normalize(self.model.get_text_features(**self.tokenizer(phrases, padding=True, return_tensors="pt")), dim=-1)

    @torch.no_grad()
    def pictures(self, pictures):
        rows = []
        for k in range(0, len(pictures), 64):
            x = self.processor(images=pictures[k : k + 64], return_tensors="pt").pixel_values
            rows.append(torch.nn.functional.normalize(self.model.get_image_features(x), dim=-1))
        return torch.cat(rows)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("model")
    options.add_argument("--each", type=int, default=20, help="pictures of each colour-shape pair")
    options.add_argument("--seed", type=int, default=20260)
    options.add_argument("--mistakes", help="file for a sheet of the pictures named wrongly in English")
    given = options.parse_args()
    torch.set_num_threads(1)
    judge = Judge(given.model)
    g = np.random.default_rng(given.seed)

    pairs = [(c, s) for c in MEASURED_COLOURS for s in SHAPES]
    drawn = [(draw(g, *p), p) for p in pairs for _ in range(given.each)]
    health = health_pictures(g)
    shape_e, health_e = judge.pictures([p for p, _ in drawn]), judge.pictures([p for p, _ in health])
    truth_pair = torch.tensor([pairs.index(p) for _, p in drawn])
    new = torch.tensor([p in UNSEEN for _, p in drawn])
    names = list(MEASURED_HEALTH)
    white = [names.index("white"), names.index("overexposed")]
    truth = torch.tensor([names.index(n) for _, n in health])

    wrong = []
    table = {}
    for at, language in enumerate(LANGUAGES):
        t = judge.texts([measured_pair(c, s, language) for c, s in pairs])
        shape_p = (judge.scale * shape_e @ t.T).softmax(-1)
        right = shape_p.argmax(-1) == truth_pair
        t = judge.texts([MEASURED_HEALTH[n][at] for n in names])
        p = (judge.scale * health_e @ t.T).softmax(-1)
        # a white screen and an overexposed picture count as one: their probabilities are added
        p[:, white[0]] += p[:, white[1]]
        p[:, white[1]] = 0
        truth[truth == white[1]] = white[0]
        well = p.argmax(-1) == truth
        table[language] = dict(health=well.float().mean().item(), shapes=right.float().mean().item(), seen=right[~new].float().mean().item(), unseen=right[new].float().mean().item(),
                               sure_health=p.gather(1, truth[:, None])[:, 0].median().item(), sure_shapes=shape_p.gather(1, truth_pair[:, None])[:, 0].median().item())
        if language == "en":
            for k in (~well).nonzero()[:, 0].tolist():
                wrong.append((health[k][0], "%s: %s" % (health[k][1], names[p[k].argmax()])))
            for n in sorted({n for _, n in health}):
                k = torch.tensor([x == n for _, x in health])
                print("%-14s %4d pictures  %.3f" % (n, k.sum(), well[k].float().mean()))
            for c in MEASURED_COLOURS:
                k = torch.tensor([x[0] == c for _, x in drawn])
                print("%-14s %.3f  colour right %.3f" % (c, right[k].float().mean(), torch.tensor([pairs[i][0] == c for i in shape_p[k].argmax(-1)]).float().mean()))
            for s in SHAPES:
                k = torch.tensor([x[1] == s for _, x in drawn])
                said = shape_p[k].argmax(-1)
                print("%-14s %.3f  taken for %s" % (s, right[k].float().mean(), {o: int(sum(pairs[i][1] == o for i in said)) for o in SHAPES}))
            for pair in UNSEEN:
                k = torch.tensor([x == pair for _, x in drawn])
                print("never shown: %-16s %.3f" % (" ".join(pair), right[k].float().mean()))
            for k in (~right).nonzero()[:, 0].tolist():
                wrong.append((drawn[k][0], "%s: %s" % (" ".join(drawn[k][1]), " ".join(pairs[shape_p[k].argmax()]))))
    print("%d health pictures among %d phrases, %d shape pictures among %d, scale %.1f" % (len(health), len(names), len(drawn), len(pairs), judge.scale))
    for language, row in table.items():
        print(language, json.dumps({k: round(v, 4) for k, v in row.items()}))
    if given.mistakes:
        from PIL import ImageDraw

        sheet = Image.new("RGB", (10 * 180, (len(wrong[:120]) + 9) // 10 * 135 + 1), "grey")
        pen = ImageDraw.Draw(sheet)
        for k, (p, text) in enumerate(wrong[:120]):
            sheet.paste(Image.fromarray(scenes.see(p)), (k % 10 * 180, k // 10 * 135 + 14))
            pen.text((k % 10 * 180, k // 10 * 135), text)
        sheet.save(given.mistakes)


if __name__ == "__main__":
    sys.exit(main())
