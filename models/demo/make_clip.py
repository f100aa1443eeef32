# SPDX-License-Identifier: LGPL-2.1-or-later
"""Make demo.webm and demo.scenes.json: thirty seconds of shapes, test patterns and a failing camera.

    python models/demo/make_clip.py models/demo

Needs numpy, Pillow and GStreamer (videotestsrc, vp8enc, webmmux).  The test patterns are
videotestsrc's; the rest is drawn here, with a fixed seed.
"""

import json
import math
import os
import subprocess
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT, RATE = 480, 270, 15
NARROW = 240
OVER = 2


def test_source(pattern, frames, options="", width=WIDTH):
    line = "gst-launch-1.0 -q videotestsrc pattern=%s num-buffers=%d %s ! video/x-raw,format=RGB,width=%d,height=%d ! fdsink" % (
        pattern, frames, options, width, HEIGHT)
    raw = subprocess.run(line.split(), check=True, capture_output=True).stdout
    return list(np.frombuffer(raw, np.uint8).reshape(frames, HEIGHT, width, 3))


def ground(a, b, vertical=True):
    t = np.linspace(0, 1, HEIGHT)[:, None, None] if vertical else np.linspace(0, 1, WIDTH)[None, :, None]
    return np.broadcast_to(np.array(a) + (np.array(b) - np.array(a)) * t, (HEIGHT, WIDTH, 3))


def star(x, y, r, turn):
    return [(x + (r if k % 2 == 0 else 0.42 * r) * math.sin(turn + k * math.pi / 5),
             y - (r if k % 2 == 0 else 0.42 * r) * math.cos(turn + k * math.pi / 5)) for k in range(10)]


def triangle(x, y, r, turn):
    return [(x + r * math.sin(turn + k * 2 * math.pi / 3), y - r * math.cos(turn + k * 2 * math.pi / 3)) for k in range(3)]


def cross(x, y, r, turn):
    a = 0.3 * r
    corners = [(-a, -r), (a, -r), (a, -a), (r, -a), (r, a), (a, a), (a, r), (-a, r), (-a, a), (-r, a), (-r, -a), (-a, -a)]
    return [(x + u * math.cos(turn) - v * math.sin(turn), y + u * math.sin(turn) + v * math.cos(turn)) for u, v in corners]


def shapes(frames, back, draw):
    """Frames of `draw(pen, t)` on a background; t runs from 0 to 1, and everything is drawn large and shrunk."""
    base = Image.fromarray(np.clip(back, 0, 255).astype(np.uint8)).resize((WIDTH * OVER, HEIGHT * OVER), Image.BICUBIC)
    found = []
    for k in range(frames):
        p = base.copy()
        draw(ImageDraw.Draw(p), k / frames)
        found.append(np.asarray(p.resize((WIDTH, HEIGHT), Image.BOX)))
    return found


def at(x, y):
    return x * WIDTH * OVER, y * HEIGHT * OVER


def disc(pen, x, y, r, fill, hole=0.0, inside=None):
    x, y = at(x, y)
    r = r * HEIGHT * OVER
    pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)
    if hole:
        pen.ellipse((x - r * hole, y - r * hole, x + r * hole, y + r * hole), fill=inside)


def street(frames):
    """An ordinary view that drifts sideways: sky, hills, houses, a road, lettering."""
    g = np.random.default_rng(5)
    wide = int(WIDTH * 1.25)
    p = Image.fromarray(np.clip(np.broadcast_to(np.array([120, 170, 215]) + np.linspace(0, 60, HEIGHT)[:, None, None], (HEIGHT, wide, 3)), 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(p)
    hill = [(0, HEIGHT)] + [(x, HEIGHT * (0.5 + 0.06 * math.sin(x / 47) + 0.04 * math.sin(x / 19))) for x in range(0, wide + 8, 8)] + [(wide, HEIGHT)]
    pen.polygon(hill, fill=(90, 125, 80))
    pen.rectangle((0, HEIGHT * 0.8, wide, HEIGHT), fill=(85, 85, 88))
    for x in range(0, wide, 60):
        pen.rectangle((x, HEIGHT * 0.89, x + 30, HEIGHT * 0.905), fill=(225, 225, 215))
    x = 10
    while x < wide:
        w, h = int(g.uniform(45, 90)), int(g.uniform(70, 150))
        wall = tuple(int(v) for v in g.uniform(110, 205, 3))
        pen.rectangle((x, HEIGHT * 0.8 - h, x + w, HEIGHT * 0.8), fill=wall)
        for i in range(3):
            for j in range(max(2, h // 30)):
                pen.rectangle((x + w * (i + 0.25) / 3, HEIGHT * 0.8 - h + 8 + j * 28, x + w * (i + 0.75) / 3, HEIGHT * 0.8 - h + 24 + j * 28), fill=(50, 60, 85))
        pen.rectangle((x + w * 0.4, HEIGHT * 0.8 - 20, x + w * 0.6, HEIGHT * 0.8), fill=(80, 50, 35))
        x += w + int(g.uniform(8, 40))
    a = np.asarray(p, np.float32) + g.normal(0, 3, (HEIGHT, wide, 1))
    p = Image.fromarray(np.clip(a, 0, 255).astype(np.uint8))
    return [np.asarray(p.crop((int(k * (wide - WIDTH) / frames), 0, int(k * (wide - WIDTH) / frames) + WIDTH, HEIGHT))) for k in range(frames)]


def scenes():
    """(seconds, truth, frames) in order; every change is a hard cut."""
    def seconds(n):
        return int(n * RATE)

    yield "colour bars", test_source("smpte", seconds(3))
    yield "a red circle", shapes(seconds(3), ground((205, 205, 200), (150, 155, 165)), lambda d, t: disc(d, 0.35 + 0.3 * t, 0.5 + 0.12 * math.sin(6 * t), 0.26, (225, 20, 25)))
    noise = np.random.default_rng(9)
    grains = [np.repeat(np.repeat(noise.integers(0, 256, (HEIGHT // 2, WIDTH // 2, 1)), 2, 0), 2, 1).repeat(3, 2).astype(np.uint8) for _ in range(6)]
    yield "static noise", [grains[k // 3 % 6] for k in range(seconds(2))]
    yield "a blue star", shapes(seconds(3), ground((240, 225, 150), (235, 190, 110)), lambda d, t: d.polygon(star(*at(0.5 + 0.1 * math.sin(6 * t), 0.5), 0.33 * HEIGHT * OVER, 0.5 * t), fill=(20, 50, 225)))
    yield "a black screen", test_source("black", seconds(2))
    view = street(seconds(3))
    yield "a clear picture", view
    soft = [np.asarray(Image.fromarray(f).filter(ImageFilter.GaussianBlur(11))) for f in view]
    yield "a blurred picture", soft[: seconds(2.5)]
    dim = [(f * 0.16).astype(np.uint8) for f in view]
    yield "a dark picture", dim[: seconds(2.5)]
    inside = (235, 235, 240)
    yield "a green ring", shapes(seconds(3), ground(inside, inside), lambda d, t: disc(d, 0.6 - 0.2 * t, 0.5, 0.32, (10, 150, 40), 0.68, inside))
    yield "a blue screen", test_source("blue", seconds(2))
    # the ball keeps to the middle: the model sees the centre square only
    side = (WIDTH - NARROW) // 2
    yield "a ball on black", [np.pad(f, ((0, 0), (side, side), (0, 0))) for f in test_source("ball", seconds(2), "motion=wavy", NARROW)]

    def crosses(d, t):
        for k in range(3):
            d.polygon(cross(*at(0.34 + 0.16 * k, 0.5 + 0.2 * math.sin(5 * t + 2 * k)), 0.13 * HEIGHT * OVER, 0.2), fill=(250, 225, 20))
    yield "yellow crosses", shapes(seconds(2), ground((60, 30, 80), (30, 40, 90)), crosses)


def main(folder):
    frames, listing = [], []
    for truth, part in scenes():
        listing.append({"start": round(len(frames) / RATE, 3), "end": round((len(frames) + len(part)) / RATE, 3), "truth": truth})
        frames += part
    clip = os.path.join(folder, "demo.webm")
    line = ("gst-launch-1.0 -q fdsrc ! rawvideoparse format=rgb width=%d height=%d framerate=%d/1 ! videoconvert ! video/x-raw,format=I420 ! "
            "vp8enc deadline=0 cpu-used=1 threads=1 end-usage=vbr target-bitrate=230000 min-quantizer=4 max-quantizer=50 keyframe-max-dist=150 ! "
            "webmmux ! filesink location=%s" % (WIDTH, HEIGHT, RATE, clip))
    subprocess.run(line.split(), input=b"".join(np.ascontiguousarray(f).tobytes() for f in frames), check=True)
    with open(os.path.join(folder, "demo.scenes.json"), "w") as f:
        f.write("[\n" + ",\n".join("  " + json.dumps(x) for x in listing) + "\n]\n")
    print(clip, os.path.getsize(clip), "bytes,", len(frames) / RATE, "s")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)))
