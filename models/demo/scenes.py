# SPDX-License-Identifier: LGPL-2.1-or-later
"""Training pictures: whole frames, sent through the tower's own preprocessing.

Every picture is drawn as a frame of some video size, then resized on its
shortest edge with Pillow's bicubic filter and cropped in the centre, exactly as
the model will see it: a 16:9 test card loses its outer bars that way.
Frames of GStreamer's own videotestsrc are among them.

A sample is (pixels, number of the concept in TAUGHT, numbers of concepts that are neither right
nor wrong, patch grid of shapes, patch grid of colours, difficulty).
"""

import io
import subprocess

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from phrases import COLOURS, PICTURE_CONCEPTS, SHAPES, TAUGHT, UNSEEN

SIDE = 112
PATCH = 14
GRID = SIDE // PATCH

SIZES = [
    (160, 120), (176, 144), (240, 180), (320, 240), (320, 180), (352, 288), (400, 300), (426, 240),
    (480, 360), (480, 270), (640, 480), (640, 360), (720, 576), (854, 480), (256, 256), (180, 320),
    (240, 320), (360, 640), (1280, 720), (1920, 1080), (1080, 1920),
]
SIZE_WEIGHTS = np.array([7, 6, 6, 9, 8, 6, 6, 7, 5, 5, 7, 5, 3, 3, 4, 4, 4, 2, 1.2, 0.7, 0.2])
SIZE_WEIGHTS = SIZE_WEIGHTS / SIZE_WEIGHTS.sum()

# hue in degrees, saturation and value; several boxes a colour, so that web
# colours such as green (#008000) and lime (#00ff00) are both inside
COLOUR_BOXES = {
    "red": [((-12, 8), (0.78, 1), (0.62, 1)), ((-2, 2), (0.95, 1), (0.85, 1))],
    "orange": [((22, 40), (0.82, 1), (0.88, 1)), ((28, 39), (0.95, 1), (0.95, 1))],
    "yellow": [((50, 64), (0.7, 1), (0.86, 1)), ((56, 61), (0.95, 1), (0.95, 1))],
    "green": [((95, 150), (0.6, 1), (0.45, 1)), ((118, 122), (0.95, 1), (0.48, 1))],
    "cyan": [((172, 190), (0.6, 1), (0.72, 1)), ((178, 182), (0.95, 1), (0.8, 1))],
    "blue": [((211, 246), (0.72, 1), (0.55, 1)), ((236, 242), (0.95, 1), (0.75, 1))],
    "purple": [((266, 290), (0.55, 1), (0.5, 0.98)), ((286, 302), (0.7, 1), (0.42, 0.68))],
    "white": [((0, 360), (0, 0.05), (0.93, 1)), ((0, 1), (0, 0), (0.99, 1))],
    "pink": [((322, 350), (0.25, 0.6), (0.95, 1)), ((322, 334), (0.55, 0.92), (0.95, 1))],
    "black": [((0, 360), (0, 0.3), (0, 0.1)), ((0, 1), (0, 0), (0, 0.01))],
}


# colours that are none of the named ones: between their hues, brown, maroon and greys
NAMELESS_BOXES = [
    ((14, 18), (0.75, 1), (0.75, 1)), ((44, 46), (0.75, 1), (0.85, 1)), ((74, 86), (0.6, 1), (0.55, 1)), ((156, 165), (0.6, 1), (0.5, 1)),
    ((196, 205), (0.6, 1), (0.6, 1)), ((251, 260), (0.6, 1), (0.5, 1)), ((306, 316), (0.75, 1), (0.75, 1)), ((15, 35), (0.45, 0.75), (0.28, 0.5)),
    ((-8, 8), (0.7, 1), (0.25, 0.45)), ((0, 360), (0, 0.06), (0.3, 0.72)), ((0, 360), (0.08, 0.18), (0.35, 0.75)),
]


def _hsv(h, s, v):
    h = (h % 360) / 60.0
    i = int(h)
    f = h - i
    p, q, t = v * (1 - s), v * (1 - s * f), v * (1 - s * (1 - f))
    r, g, b = [(v, t, p), (q, v, p), (p, v, t), (p, q, v), (t, p, v), (v, p, q)][i % 6]
    return np.array([r, g, b]) * 255


def named_colour(g, name):
    boxes = COLOUR_BOXES[name] if name else NAMELESS_BOXES
    h, s, v = boxes[g.integers(len(boxes))]
    return _hsv(g.uniform(*h), g.uniform(*s), g.uniform(*v))


def any_colour(g):
    kind = g.random()
    if kind < 0.3:
        return np.full(3, g.choice([0.0, 255.0, 128.0, g.uniform(0, 255), g.uniform(0, 255)]))
    if kind < 0.6:
        return g.uniform(0, 255, 3)
    return _hsv(g.uniform(0, 360), g.uniform(0, 1), g.uniform(0.1, 1))


# ---------------------------------------------------------------- preprocessing


def see(picture, resample=Image.BICUBIC, side=SIDE):
    """Shortest edge to the tower's side, then the centre; as the image processor does."""
    w, h = picture.size
    short, long = min(w, h), max(w, h)
    long = int(side * long / short)
    picture = picture.resize((side, long) if w <= h else (long, side), resample)
    w, h = picture.size
    left, top = (w - side) // 2, (h - side) // 2
    return np.asarray(picture.crop((left, top, left + side, top + side)))


def _frame_size(g, largest=10**9):
    while True:
        w, h = SIZES[g.choice(len(SIZES), p=SIZE_WEIGHTS)]
        if w * h <= largest:
            return w, h


def _image(a):
    return Image.fromarray(np.clip(a, 0, 255).astype(np.uint8))


# ---------------------------------------------------------------- GStreamer frames


def videotestsrc(pattern, width, height, frames=1, options="", yuv=True):
    """Frames of GStreamer's videotestsrc, through I420 as most video is, or straight RGB."""
    middle = "video/x-raw,format=I420,width=%d,height=%d ! videoconvert !" % (width, height) if yuv else ""
    line = "gst-launch-1.0 -q videotestsrc pattern=%s num-buffers=%d %s ! %s video/x-raw,format=RGB,width=%d,height=%d ! fdsink" % (
        pattern, frames, options, middle, width, height)
    raw = subprocess.run(line.split(), check=True, capture_output=True).stdout
    stride = (width * 3 + 3) // 4 * 4
    a = np.frombuffer(raw, np.uint8)[: frames * stride * height].reshape(-1, height, stride)
    return [Image.fromarray(np.ascontiguousarray(f[:, : width * 3]).reshape(height, width, 3)) for f in a]


# ---------------------------------------------------------------- backgrounds and scenes


def _ramp(g, w, h, a, b):
    angle = g.uniform(0, 2 * np.pi)
    x, y = np.meshgrid(np.linspace(-1, 1, w, dtype=np.float32), np.linspace(-1, 1, h, dtype=np.float32))
    t = x * np.cos(angle) + y * np.sin(angle)
    t = (t - t.min()) / (t.max() - t.min())
    return a + (b - a) * t[..., None].astype(np.float32)


def _clouds(g, w, h, a, b, cells=None):
    cells = cells or g.integers(2, 24)
    field = g.random((max(2, int(cells * h / w) + 1), cells)) * 255
    m = np.asarray(Image.fromarray(field.astype(np.uint8)).resize((w, h), Image.BICUBIC), np.float32)[..., None] / 255
    return a + (b - a) * m


def _stripes(g, w, h, a, b):
    angle = g.uniform(0, np.pi)
    period = g.uniform(0.02, 0.12) * min(w, h)
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    t = np.sin((x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / period))
    return np.where((t > 0)[..., None], a, b)


PHOTOS = []


def load_photos(names):
    """scikit-image's bundled photographs: real content for the healthy, the dark and the blurred."""
    import os
    import skimage

    folder = os.path.join(os.path.dirname(skimage.__file__), "data")
    PHOTOS[:] = [Image.open(os.path.join(folder, n)).convert("RGB") for n in names]


TRAINING_PHOTOS = ["astronaut.png", "chelsea.png", "motorcycle_left.png", "motorcycle_right.png", "page.png",
                   "brick.png", "grass.png", "gravel.png", "coins.png", "hubble_deep_field.jpg", "ihc.png", "text.png", "color.png"]
HELD_OUT_PHOTOS = ["coffee.png", "rocket.jpg", "camera.png"]


def _photo(g, w, h):
    p = PHOTOS[g.integers(len(PHOTOS))]
    W, H = p.size
    part = g.uniform(0.35, 1)
    cw, ch = W * part, W * part * h / w
    if ch > H:
        ch = H * part
        cw = min(W, ch * w / h)
    x, y = g.uniform(0, W - cw), g.uniform(0, H - ch)
    p = p.resize((w, h), Image.BILINEAR, (x, y, x + cw, y + ch))
    if g.random() < 0.5:
        p = p.transpose(Image.FLIP_LEFT_RIGHT)
    a = np.asarray(p, np.float32)
    return np.clip((a - 128) * g.uniform(0.8, 1.2) + 128 + g.uniform(-20, 20), 0, 255) * g.uniform(0.9, 1.1, 3)


_WORDS = "NEWS LIVE Camera 1 REC 12:45 Hello world entrance 2024 exit gate north street open sale breaking weather sport".split()


def _font(g, h):
    return ImageFont.load_default(max(6, int(h * g.uniform(0.04, 0.16))))


def _scene(g, w, h):
    """A made-up view: sky, ground, houses, trees, people, lettering; no clean coloured shapes."""
    if PHOTOS and g.random() < 0.5:
        return _photo(g, w, h)
    horizon = g.uniform(0.3, 0.75)
    a = _ramp(g, w, h, any_colour(g) * 0.5 + 110, any_colour(g) * 0.5 + 80)
    a = np.broadcast_to(a, (h, w, 3)).copy()
    top = int(h * horizon)
    a[top:] = _clouds(g, w, h - top, any_colour(g) * 0.6, any_colour(g) * 0.7 + 20)
    p = _image(a)
    d = ImageDraw.Draw(p)
    for _ in range(g.integers(2, 9)):
        x, bw, bh = g.uniform(-0.1, 1) * w, g.uniform(0.08, 0.3) * w, g.uniform(0.1, 0.5) * h
        base = h * (horizon + g.uniform(0, 0.3))
        c = any_colour(g) * 0.75
        kind = g.random()
        if kind < 0.5:
            d.rectangle((x, base - bh, x + bw, base), fill=tuple(c.astype(int)))
            light = tuple((any_colour(g) * 0.6 + 60).astype(int))
            n = g.integers(2, 5)
            for i in range(n):
                for j in range(n + 1):
                    d.rectangle((x + bw * (i + 0.25) / n, base - bh + bh * (j + 0.2) / (n + 1),
                                 x + bw * (i + 0.75) / n, base - bh + bh * (j + 0.75) / (n + 1)), fill=light)
        elif kind < 0.75:
            d.rectangle((x + bw * 0.44, base - bh * 0.6, x + bw * 0.56, base), fill=(70, 50, 30))
            for _ in range(5):
                o = g.uniform(-0.25, 0.25, 2)
                r = bw * g.uniform(0.2, 0.4)
                cx, cy = x + bw * (0.5 + o[0]), base - bh * (0.8 + o[1])
                shade = g.uniform(0.5, 1.1)
                d.ellipse((cx - r, cy - r, cx + r, cy + r * 0.8), fill=(int(45 * shade), int(95 * shade), int(40 * shade)))
        else:
            s = bh * 0.5
            d.ellipse((x + s * 0.35, base - s * 1.6, x + s * 0.65, base - s * 1.25), fill=(200, 160, 130))
            d.rectangle((x + s * 0.3, base - s * 1.25, x + s * 0.7, base - s * 0.6), fill=tuple(c.astype(int)))
            d.rectangle((x + s * 0.35, base - s * 0.6, x + s * 0.48, base), fill=(40, 40, 50))
            d.rectangle((x + s * 0.52, base - s * 0.6, x + s * 0.65, base), fill=(40, 40, 50))
    for _ in range(g.integers(0, 4)):
        d.text((g.uniform(0, 0.8) * w, g.uniform(0, 0.9) * h), " ".join(g.choice(_WORDS, 2)), font=_font(g, h), fill=tuple(any_colour(g).astype(int)))
    a = np.asarray(p, np.float32)
    return a + g.normal(0, g.uniform(1, 8), a.shape).astype(np.float32)


def _background(g, w, h, ease):
    """Plain, noisy, textured, gradient or a scene; plain ones mostly while it is early."""
    kind = g.random() * (1 if not ease else 0.45)
    a = any_colour(g)
    if kind < 0.36:
        return np.broadcast_to(a, (h, w, 3)).astype(np.float32).copy(), 0
    near = np.clip(a + g.uniform(-70, 70, 3), 0, 255)
    if kind < 0.55:
        return np.broadcast_to(_ramp(g, w, h, a, near if g.random() < 0.4 else any_colour(g)), (h, w, 3)).copy(), 1
    if kind < 0.75:
        # grains of one or several pixels; weak ones after the resize, strong before it
        grain = int(g.choice([1, 1, 2, 3, 4])) * max(1, min(w, h) // 240)
        amount = g.uniform(8, 60)
        cells = g.normal(0, amount, (h // grain + 1, w // grain + 1, 1 if g.random() < 0.5 else 3)).astype(np.float32)
        noise = np.repeat(np.repeat(cells, grain, 0), grain, 1)[:h, :w]
        return a + noise, 2
    if kind < 0.93:
        way = g.random()
        if way < 0.5:
            return _clouds(g, w, h, a, near), 2
        if way < 0.75:
            return _stripes(g, w, h, a, np.clip(a + g.uniform(-45, 45, 3), 0, 255)).astype(np.float32), 2
        c = max(2, int(min(w, h) * g.uniform(0.03, 0.12)))
        board = (np.add.outer(np.arange(h) // c, np.arange(w) // c) % 2)[..., None]
        return (a + board * g.uniform(-40, 40, 3)).astype(np.float32), 2
    return _scene(g, w, h) * 0.6 + any_colour(g) * 0.4, 3


# ---------------------------------------------------------------- shapes


def _outline(g, shape, turn):
    """Corner points on the unit disc, for shapes that have corners."""
    if shape == "square":
        t = np.arange(4) * np.pi / 2 + np.pi / 4
        return np.stack([np.cos(t + turn), np.sin(t + turn)], 1)
    if shape == "triangle":
        t = np.arange(3) * 2 * np.pi / 3 - np.pi / 2 + (g.uniform(-0.3, 0.3, 3) if g.random() < 0.5 else 0)
        points = np.stack([np.cos(t), np.sin(t)], 1)
        if g.random() < 0.12:
            points = np.array([[-0.75, -0.7], [-0.75, 0.7], [0.75, 0.7]])
        if g.random() < 0.4:
            points = points * [g.uniform(0.75, 1), g.uniform(0.75, 1)]
    elif shape is None:
        points = _nameless_outline(g)
    elif shape == "star":
        n = int(g.choice([4, 5, 5, 5, 5, 5, 5, 6]))
        inner = g.uniform(0.35, 0.52) if n > 4 else g.uniform(0.28, 0.42)
        t = np.arange(2 * n) * np.pi / n - np.pi / 2
        r = np.where(np.arange(2 * n) % 2, inner, 1.0)
        points = np.stack([r * np.cos(t), r * np.sin(t)], 1)
    else:
        a = g.uniform(0.16, 0.4)
        points = np.array([[-a, -1], [a, -1], [a, -a], [1, -a], [1, a], [a, a], [a, 1], [-a, 1], [-a, a], [-1, a], [-1, -a], [-a, -a]])
    c, s = np.cos(turn), np.sin(turn)
    return points @ np.array([[c, s], [-s, c]])


def _nameless_outline(g):
    """Shapes that the model has no word for: polygons, an ellipse, a heart, a moon, an arrow, an L, a half disc."""
    kind = g.integers(8)
    t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    if kind == 0:
        n = int(g.integers(5, 7))
        t = np.arange(n) * 2 * np.pi / n
        return np.stack([np.cos(t), np.sin(t)], 1)
    if kind == 1:
        return np.stack([np.cos(t), np.sin(t) * g.uniform(0.3, 0.6)], 1)
    if kind == 2:
        return np.stack([16 * np.sin(t) ** 3, -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))], 1) / 17
    if kind == 3:
        d = g.uniform(0.35, 0.6)
        edge = np.linspace(np.arccos(d / 2), 2 * np.pi - np.arccos(d / 2), 40)
        back = np.linspace(np.pi + np.arccos(d / 2), np.pi - np.arccos(d / 2), 40)[::-1]
        inner = np.stack([d + np.cos(back), np.sin(back)], 1)
        return np.concatenate([np.stack([np.cos(edge), np.sin(edge)], 1), inner[::-1]])
    if kind == 4:
        a = g.uniform(0.15, 0.3)
        return np.array([[-1, -a], [0.1, -a], [0.1, -0.65], [1, 0], [0.1, 0.65], [0.1, a], [-1, a]])
    if kind == 5:
        a = g.uniform(0.3, 0.6)
        return np.array([[-0.7, -0.8], [-0.7 + a, -0.8], [-0.7 + a, 0.8 - a], [0.7, 0.8 - a], [0.7, 0.8], [-0.7, 0.8]])
    if kind == 6:
        half = np.linspace(0, np.pi, 30)
        return np.stack([np.cos(half), np.sin(half) - 0.4], 1)
    a = g.uniform(0.2, 0.5)
    return np.array([[-1, -a], [1, -a], [1, a], [-1, a]])


def _shape_mask(g, shape, radius, ease):
    """Anti-aliased cover of one shape in a box of 2·radius pixels, by supersampling."""
    over = 4 if radius < 90 else 2
    n = max(4, int(np.ceil(2 * radius)) + 2)
    p = Image.new("L", (n * over, n * over), 0)
    d = ImageDraw.Draw(p)
    m = n * over / 2
    r = radius * over
    if shape in ("circle", "ring"):
        q = g.uniform(0.93, 1) if g.random() < 0.2 else 1.0
        d.ellipse((m - r, m - r * q, m + r, m + r * q), fill=255)
        if shape == "ring":
            i = g.uniform(0.45, 0.84)
            d.ellipse((m - r * i, m - r * q * i, m + r * i, m + r * q * i), fill=0)
    else:
        wild = g.random()
        if shape == "cross" and wild < 0.35:
            turn = np.pi / 4 + g.uniform(-0.15, 0.15)
        elif wild < 0.55:
            turn = g.uniform(-0.12, 0.12) if wild < 0.5 else 0.0
        elif wild < 0.8:
            turn = g.uniform(-0.45, 0.45)
        else:
            turn = g.uniform(0, 2 * np.pi)
        points = _outline(g, shape, turn) * r
        if shape == "square" and g.random() < 0.15:
            points = points * [1, g.uniform(0.85, 1)]
        points = points + m
        d.polygon([tuple(x) for x in points], fill=255)
        if shape not in ("cross", None) and not ease and g.random() < 0.12:
            inner = (points - points.mean(0)) * g.uniform(0.45, 0.7) + points.mean(0)
            d.polygon([tuple(x) for x in inner], fill=0)
    return p.resize((n, n), Image.BOX)


def shape_frame(g, colour, shape, ease, size=None):
    """(frame, cover of the shapes, difficulty 0-3)"""
    w, h = size or _frame_size(g)
    short = min(w, h)
    paint = named_colour(g, colour)
    for _ in range(40):
        ground, kind = _background(g, w, h, ease)
        left, top = (w - short) // 2, (h - short) // 2
        middle = ground[top : top + short : 4, left : left + short : 4]
        if np.mean(np.abs(middle - paint).sum(-1) < 105) < 0.12:
            break
    cover = Image.new("L", (w, h), 0)
    many = 1 if ease or g.random() < 0.72 else int(g.integers(2, 6))
    if ease:
        reach = g.uniform(0.22, 0.4)
    elif many == 1:
        reach = g.uniform(0.085, 0.2) if g.random() < 0.4 else g.uniform(0.15, 0.42)
    else:
        reach = g.uniform(0.09, 0.17)
    for _ in range(many):
        r = reach * short * g.uniform(0.85, 1.0)
        one = _shape_mask(g, shape, r, ease)
        # the shape stays inside the centre square, which is all the tower sees
        slack = max(0.0, short / 2 - r)
        cx, cy = w / 2 + g.uniform(-slack, slack), h / 2 + g.uniform(-slack, slack)
        x, y = int(cx - one.size[0] / 2), int(cy - one.size[1] / 2)
        before = cover.crop((x, y, x + one.size[0], y + one.size[1]))
        if many > 1 and np.asarray(before).max() > 0:
            continue
        cover.paste(one, (x, y))
    m = np.asarray(cover, np.float32)[..., None] / 255
    fill = paint
    if g.random() < 0.15:
        fill = _ramp(g, w, h, paint, np.clip(paint * g.uniform(0.8, 1.0), 0, 255))
    a = ground * (1 - m) + fill * m
    if not ease and g.random() < 0.3:
        a = a + g.normal(0, g.uniform(2, 22), a.shape).astype(np.float32)
    return a, cover, 0 if ease else 1 + kind


# ---------------------------------------------------------------- picture health


BAR_COLOURS = np.array([[1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]], np.float32)


def _bars(g, w, h):
    level = g.choice([255, 191, 180, 235, g.uniform(140, 255)])
    colours = BAR_COLOURS[: g.integers(7, 9)] * level
    if g.random() < 0.25:
        colours = colours + g.uniform(0, 30)
    if g.random() < 0.12:
        colours = colours[::-1]
    if g.random() < 0.08:
        colours = colours[g.permutation(len(colours))]
    edge = np.linspace(0, w, len(colours) + 1).astype(int)
    a = np.zeros((h, w, 3), np.float32)
    for i, c in enumerate(colours):
        a[:, edge[i] : edge[i + 1]] = c
    kind = g.random()
    if kind < 0.55:
        y = int(h * g.uniform(0.55, 0.85))
        if g.random() < 0.6:
            back = colours[::-1].copy()
            back[1::2] = 10
            step = int(h * g.uniform(0.05, 0.12))
            for i, c in enumerate(back):
                a[y : y + step, edge[i] : edge[i + 1]] = c
            y += step
        x = 0
        while x < w:
            x2 = x + int(w * g.uniform(0.06, 0.25)) + 1
            a[y:, x:x2] = g.choice([0, 10, 20, 255, 235, 128]) if g.random() < 0.75 else any_colour(g)
            x = x2
        if g.random() < 0.3:
            a[y : y + int(h * 0.08)] = np.linspace(0, 255, w, dtype=np.float32)[None, :, None]
    elif kind < 0.65:
        # the round test card: bars across a disc on a grid
        p = Image.new("RGB", (w, h), (110, 110, 110))
        d = ImageDraw.Draw(p)
        step = max(6, h // g.integers(8, 16))
        for x in range(0, w, step):
            d.line((x, 0, x, h), fill=(235, 235, 235), width=max(1, h // 200))
        for y in range(0, h, step):
            d.line((0, y, w, y), fill=(235, 235, 235), width=max(1, h // 200))
        disc = Image.new("L", (w, h), 0)
        r = h * g.uniform(0.4, 0.49)
        ImageDraw.Draw(disc).ellipse((w / 2 - r, h / 2 - r, w / 2 + r, h / 2 + r), fill=255)
        e = np.linspace(w / 2 - r, w / 2 + r, len(colours) + 1).astype(int)
        inner = np.zeros((h, w, 3), np.float32)
        for i, c in enumerate(colours):
            inner[:, max(0, e[i]) : e[i + 1]] = c
        inner[int(h * 0.65) :] = np.linspace(0, 255, w, dtype=np.float32)[None, :, None]
        m = np.asarray(disc, np.float32)[..., None] / 255
        a = np.asarray(p, np.float32) * (1 - m) + inner * m
    return a


def _snow(g, w, h):
    """Analogue noise: at the frame's own grain, so large frames come out fainter, as they do."""
    grain = int(g.choice([1, 1, 1, 2, 3])) * (1 if g.random() < 0.6 else max(1, min(w, h) // 200))
    shape = (h // grain + 1, w // grain + 1, 3 if g.random() < 0.25 else 1)
    kind = g.random()
    if kind < 0.5:
        n = g.integers(0, 256, shape).astype(np.float32)
    elif kind < 0.75:
        n = g.normal(g.uniform(90, 160), g.uniform(45, 90), shape)
    else:
        n = (g.random(shape) < g.uniform(0.25, 0.7)) * 255.0
    n = np.repeat(np.repeat(n, grain, 0), grain, 1)[:h, :w]
    n = np.clip(n, 0, 255)
    if g.random() < 0.2:
        n = n * g.uniform(0.5, 1)
    if g.random() < 0.2:
        n = n * (0.75 + 0.25 * np.sin(np.arange(h) * g.uniform(0.02, 0.2)))[:, None, None]
    if g.random() < 0.15:
        ghost = _scene(g, w, h)
        n = n * 0.75 + ghost * 0.25
    return np.broadcast_to(n, (h, w, 3)).astype(np.float32)


def _glitch(g, w, h):
    a = np.clip(_scene(g, w, h), 0, 255)
    kind = g.random()
    if kind < 0.35:
        buffer = io.BytesIO()
        s = max(64, int(min(w, h, 160) * g.uniform(0.5, 1)))
        _image(a).resize((max(8, s * w // min(w, h)), max(8, s * h // min(w, h)))).save(buffer, "JPEG", quality=int(g.integers(1, 4)))
        a = np.asarray(Image.open(buffer).convert("RGB").resize((w, h), Image.NEAREST), np.float32)
    if kind > 0.25:
        a = a.copy()
        b = max(4, int(min(w, h) * g.choice([0.05, 0.08, 0.12])))
        for _ in range(g.integers(12, 60)):
            y, x = int(g.integers(0, h // b)) * b, int(g.integers(0, w // b)) * b
            run = int(g.integers(1, 7)) * b
            tall = b * int(g.integers(1, 3))
            target = a[y : y + tall, x : x + run]
            way = g.random()
            if way < 0.4:
                sy, sx = int(g.integers(0, max(1, h - target.shape[0]))), int(g.integers(0, max(1, w - target.shape[1])))
                target[:] = a[sy : sy + target.shape[0], sx : sx + target.shape[1]].copy()
            elif way < 0.75:
                target[:] = g.choice([np.array([0, 255, 0]), np.array([255, 0, 255]), np.array([128, 128, 128]), any_colour(g)])
            else:
                target[:] = np.clip(target + g.uniform(-120, 120, 3), 0, 255)
    return a


def _content(g, w, h, sharp=False):
    """Something to spoil: a scene, shapes, lettering, a texture; and the concept it would have been."""
    kind = g.random()
    if kind < 0.5:
        return _scene(g, w, h), "clear"
    if kind < 0.8:
        pair = _seen_pair(g)
        a, _, _ = shape_frame(g, *pair, ease=g.random() < 0.5, size=(w, h))
        return a, " ".join(pair)
    if kind < 0.9:
        p = _image(np.broadcast_to(any_colour(g), (h, w, 3)))
        d = ImageDraw.Draw(p)
        ink = (0, 0, 0) if np.mean(np.asarray(p)) > 128 else (255, 255, 255)
        for y in range(0, h, max(8, h // int(g.integers(5, 12)))):
            d.text((w * 0.05, y), " ".join(g.choice(_WORDS, 6)), font=_font(g, h), fill=ink)
        return np.asarray(p, np.float32), "clear"
    if kind < 0.95 and not sharp:
        return _bars(g, w, h), "bars"
    a = any_colour(g)
    return _clouds(g, w, h, a, 255 - a, cells=int(g.integers(8, 20))) + g.normal(0, 12, (h, w, 1)), "clear"


def _seen_pair(g):
    while True:
        pair = COLOURS[g.integers(len(COLOURS))], SHAPES[g.integers(len(SHAPES))]
        if pair not in UNSEEN:
            return pair


def _blur(g, a):
    h, w = a.shape[:2]
    p = _image(a)
    # the radius is in the tower's pixels; below about 1.5 of them nobody sees it
    sigma = float(np.exp(g.uniform(np.log(1.7), np.log(9))) * min(w, h) / SIDE)
    if max(w, h) > 480:
        k = 2 if max(w, h) < 1000 else 4
        small = p.resize((w // k, h // k), Image.BOX)
        small = small.filter(ImageFilter.GaussianBlur(sigma / k) if g.random() < 0.6 else ImageFilter.BoxBlur(sigma * 1.6 / k))
        p = small.resize((w, h), Image.BILINEAR)
    else:
        p = p.filter(ImageFilter.GaussianBlur(sigma) if g.random() < 0.6 else ImageFilter.BoxBlur(sigma * 1.6))
    a = np.asarray(p, np.float32)
    if g.random() < 0.3:
        a = a + g.normal(0, g.uniform(1, 6), a.shape)
    return a


def _with_clock(g, a):
    """The time stamp that cameras print over whatever they see."""
    p = _image(a)
    h, w = a.shape[:2]
    d = ImageDraw.Draw(p)
    text = str(g.choice(["2024-05-17 12:45:01", "CAM 1", "REC", "12:45", "Camera 03  08:15:22"]))
    colour = (255, 255, 255) if g.random() < 0.7 else (255, 230, 0)
    d.text((w * g.choice([0.14, 0.2, 0.5]), h * g.choice([0.03, 0.88])), text, font=ImageFont.load_default(max(6, h * g.uniform(0.03, 0.06))), fill=colour)
    return np.asarray(p, np.float32)


SOLID = {"solid red": "red", "solid green": "green", "solid blue": "blue", "solid yellow": "yellow", "solid cyan": "cyan", "solid orange": "orange"}


def health_frame(g, name):
    """(frame, concepts that are neither right nor wrong)"""
    w, h = _frame_size(g)
    either = []
    stamp = 0.06
    if name == "bars":
        a = _bars(g, w, h)
        if g.random() < 0.2:
            a = a + g.normal(0, g.uniform(3, 25), a.shape)
        if g.random() < 0.2:
            a = a.mean(-1, keepdims=True) * (1 - (s := g.uniform(0.4, 1))) + a * s
    elif name == "static":
        a = _snow(g, w, h)
    elif name in ("black", "white"):
        light = g.uniform(0, 14) if g.random() < 0.6 else 0
        a = np.full((h, w, 3), light, np.float32)
        if g.random() < 0.5:
            a = a + np.abs(g.normal(0, g.uniform(0.5, 6), (h, w, 3)))
        if g.random() < 0.3:
            a = a + g.uniform(0, 6, 3)
        if name == "white":
            a = 255 - a
            either = ["overexposed"]
    elif name == "overexposed":
        a, was = _content(g, w, h)
        if g.random() < 0.7:
            a = a * g.uniform(1.0, 2.6) + g.uniform(100, 190)
        else:
            a = a * g.uniform(2.5, 6) + g.uniform(0, 60)
            a = a + max(0.0, 185 - np.clip(a, 0, 255).mean())
        if g.random() < 0.3:
            a = a + g.normal(0, 5, a.shape)
        either = [was, "white"]
    elif name == "dark":
        a, was = _content(g, w, h)
        a = np.clip(a, 0, 255)
        a = 255 * (a / 255) ** g.uniform(0.9, 1.5) * np.exp(g.uniform(np.log(0.07), np.log(0.35)))
        limit = g.uniform(22, 42)
        a = a * (limit / max(limit, a.mean()))
        a = a * max(1.0, 9 / (a.max() + 1e-3))
        if g.random() < 0.5:
            a = a + np.abs(g.normal(0, g.uniform(1, 7), a.shape))
        if g.random() < 0.3:
            a = a + g.uniform(0, 10)
        either = [was]
    elif name == "blurred":
        a, was = _content(g, w, h)
        a = _blur(g, a)
        either = [was]
    elif name in SOLID or name in ("solid magenta", "solid grey"):
        if name == "solid magenta":
            c = _hsv(g.uniform(285, 330), g.uniform(0.7, 1), g.uniform(0.6, 1))
        elif name == "solid grey":
            c = np.full(3, g.uniform(60, 195)) + g.uniform(-6, 6, 3)
        else:
            c = named_colour(g, SOLID[name])
        a = np.broadcast_to(c, (h, w, 3)).astype(np.float32)
        if g.random() < 0.4:
            a = a + g.normal(0, g.uniform(0.5, 5), a.shape)
        if g.random() < 0.2:
            a = a * np.linspace(g.uniform(0.85, 1), 1, w)[None, :, None]
    elif name == "checkerboard":
        cell = min(w, h) / SIDE * np.exp(g.uniform(np.log(2.3), np.log(30)))
        c, b = (np.zeros(3), np.full(3, 255.0)) if g.random() < 0.4 else (any_colour(g), any_colour(g))
        while np.abs(c - b).sum() < 160:
            c, b = any_colour(g), any_colour(g)
        ox, oy = g.uniform(0, 2 * cell, 2)
        x = np.floor((np.arange(w) + ox) / cell).astype(int)
        y = np.floor((np.arange(h) + oy) / cell).astype(int)
        m = (np.add.outer(y, x) % 2)[..., None].astype(np.float32)
        a = c * m + b * (1 - m)
    elif name == "gradient":
        c, b = any_colour(g), any_colour(g)
        if g.random() < 0.45:
            c, b = np.zeros(3), np.full(3, 255.0)
        while np.abs(c - b).sum() < 200:
            c, b = any_colour(g), any_colour(g)
        if g.random() < 0.5:
            axis = np.linspace(0, 1, h)[:, None, None] if g.random() < 0.7 else np.linspace(0, 1, w)[None, :, None]
            if g.random() < 0.5:
                axis = 1 - axis
            a = np.broadcast_to(c + (b - c) * axis, (h, w, 3))
        elif g.random() < 0.75:
            a = _ramp(g, w, h, c, b)
        else:
            x, y = np.meshgrid(np.linspace(-1, 1, w) - g.uniform(-0.5, 0.5), np.linspace(-1, 1, h) - g.uniform(-0.5, 0.5))
            t = np.clip(np.hypot(x, y) / 1.3, 0, 1)[..., None]
            a = c + (b - c) * t
        if g.random() < 0.3:
            a = a + g.normal(0, g.uniform(1, 6), (h, w, 1))
    elif name == "concentric":
        s = min(w, h)
        x, y = np.meshgrid(np.arange(w) - w / 2 - g.uniform(-0.2, 0.2) * s, np.arange(h) - h / 2 - g.uniform(-0.2, 0.2) * s)
        r = np.hypot(x, y) / s
        if g.random() < 0.4:
            t = np.sin(r * r * g.uniform(40, 180) + g.uniform(0, 6))
        else:
            t = np.sin(r * g.uniform(25, 150) + g.uniform(0, 6))
        if g.random() < 0.6:
            t = np.tanh(t * g.uniform(1, 12) + g.uniform(-1, 1))
        c, b = (np.zeros(3), np.full(3, 255.0)) if g.random() < 0.5 else (any_colour(g), any_colour(g))
        while np.abs(c - b).sum() < 180:
            c, b = any_colour(g), any_colour(g)
        a = c + (b - c) * (t[..., None] * 0.5 + 0.5)
    elif name == "ball":
        s = min(w, h)
        r = s * g.uniform(0.018, 0.12)
        x, y = np.meshgrid(np.arange(w) - w / 2 - g.uniform(-0.45, 0.45) * s, np.arange(h) - h / 2 - g.uniform(-0.45, 0.45) * s)
        t = np.clip(r - np.hypot(x, y) + 0.5, 0, 1)[..., None]
        a = g.uniform(0, 12) * (1 - t) + g.uniform(225, 255) * t
        a = np.broadcast_to(a, (h, w, 3))
        either = ["white circle"]
        stamp = 0
    elif name == "rays":
        x, y = np.meshgrid(np.arange(w) - w / 2 - g.uniform(-0.1, 0.1) * w, np.arange(h) - h / 2 - g.uniform(-0.1, 0.1) * h)
        t = np.sin(np.arctan2(y, x) * g.integers(5, 26) + g.uniform(0, 6))
        t = np.tanh((t + g.uniform(-0.9, 0.3)) * g.uniform(2, 20))
        c, b = (np.zeros(3), np.full(3, 255.0)) if g.random() < 0.6 else (any_colour(g), any_colour(g))
        a = c + (b - c) * (t[..., None] * 0.5 + 0.5)
    elif name == "stripes":
        if g.random() < 0.3:
            a = np.full((h, w, 3), g.uniform(0, 15), np.float32)
            x = int(g.uniform(0.2, 0.7) * w)
            a[:, x : x + max(2, int(w * g.uniform(0.03, 0.15)))] = g.uniform(220, 255)
        else:
            c, b = (np.zeros(3), np.full(3, 255.0)) if g.random() < 0.5 else (any_colour(g), any_colour(g))
            while np.abs(c - b).sum() < 200:
                c, b = any_colour(g), any_colour(g)
            angle = g.choice([0, np.pi / 2, np.pi / 2, np.pi / 4, g.uniform(0, np.pi)])
            period = g.uniform(0.06, 0.4) * min(w, h)
            x, y = np.meshgrid(np.arange(w), np.arange(h))
            t = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period + g.uniform(0, 6)) > 0
            a = np.where(t[..., None], c, b)
    elif name == "palette":
        n = g.integers(4, 16)
        grid = (np.stack([any_colour(g) if g.random() < 0.9 else named_colour(g, "red") for _ in range(n * n)])).reshape(n, n, 3)
        if g.random() < 0.4:
            grid = np.stack([*np.meshgrid(np.linspace(0, 255, n), np.linspace(255, 0, n))] + [g.uniform(0, 255, (n, n))], -1)
        a = np.asarray(_image(grid).resize((w, h), Image.NEAREST), np.float32)
    elif name == "broken":
        a = _glitch(g, w, h)
    else:
        a, was = _content(g, w, h, sharp=True)
        a = np.clip(a, 0, 255)
        while was not in ("clear",) or a.mean() < 45 or a.std() < 15:
            a, was = _content(g, w, h, sharp=True)
            a = np.clip(a, 0, 255)
        if g.random() < 0.2:
            # a slight softness or noise is still a clear picture
            a = a + g.normal(0, g.uniform(1, 8), a.shape)
    if g.random() < stamp:
        a = _with_clock(g, np.clip(a, 0, 255))
    return np.asarray(a), either


# ---------------------------------------------------------------- real videotestsrc frames

SOURCES = [
    ("bars", "smpte"), ("bars", "smpte75"), ("bars", "smpte100"), ("bars", "smpte-rp-219"), ("static", "snow"), ("static", "snow"),
    ("black", "black"), ("white", "white"), ("solid red", "red"), ("solid green", "green"), ("solid blue", "blue"),
    ("checkerboard", "checkers-8"), ("concentric", "circular"), ("concentric", "zone-plate kx2=20 ky2=20 kt=1"),
    ("concentric", "zone-plate kx2=8 ky2=8 kt=2"), ("ball", "ball"), ("ball", "ball motion=sweep"), ("ball", "ball motion=hsweep"),
    ("gradient", "gradient"), ("rays", "pinwheel"), ("rays", "spokes"), ("palette", "colors"), ("stripes", "gamut"),
]
SOURCE_SIZES = [(160, 120), (200, 150), (240, 180), (320, 240), (320, 180), (352, 288), (426, 240), (480, 360), (640, 360),
                (640, 480), (720, 576), (240, 320), (360, 640), (1024, 768), (1280, 720), (1920, 1080)]


def source_pictures(seed):
    """Every nameable videotestsrc pattern at every size, as the tower sees it."""
    g = np.random.default_rng(seed)
    found = []
    for name, pattern in SOURCES:
        for w, h in SOURCE_SIZES:
            # cells this small melt into one colour in the resize: nobody could name them
            if pattern == "checkers-8" and min(w, h) > 480:
                continue
            frames = 1
            if "ball" in pattern:
                frames = 24 if w < 1000 else 10
            elif "snow" in pattern or "zone" in pattern:
                frames = 3
            word, _, options = pattern.partition(" ")
            for k, f in enumerate(videotestsrc(word, w, h, frames, options, yuv=g.random() < 0.7)):
                seen = see(f)
                if name == "ball" and ((seen > 200).all(-1).sum() < 4 or k % 3):
                    continue
                found.append((seen, name))
    return found


# ---------------------------------------------------------------- samples

# how often each health concept is drawn, relative to one
HEALTH_SHARE = {"bars": 2.2, "static": 1.6, "black": 1.0, "overexposed": 1.3, "white": 0.9, "dark": 2.2, "blurred": 2.4, "clear": 2.6,
                "ball": 1.2, "concentric": 1.3, "gradient": 1.4, "checkerboard": 1.3, "broken": 1.2, "rays": 0.7, "stripes": 0.8, "palette": 0.6}
SHAPE_SHARE = 0.66
_HEALTH = [n for n in PICTURE_CONCEPTS if n in HEALTH_SHARE or n.startswith("solid")]
_HEALTH_P = np.array([HEALTH_SHARE.get(n, 0.55) for n in _HEALTH])
_HEALTH_P = _HEALTH_P / _HEALTH_P.sum()

NOTHING = 255
HARDEST, LAST = 4, 5


def _spoil_slightly(g, p):
    """What a codec or a converter leaves on every real frame."""
    if g.random() < 0.3 and p.size[0] * p.size[1] < 500000:
        buffer = io.BytesIO()
        p.save(buffer, "JPEG", quality=int(g.integers(12, 95)), subsampling=int(g.choice([0, 2])))
        p = Image.open(buffer).convert("RGB")
    return p


# From this seed on the samples are halves of pairs; from the next, more of the faults
# that need content, and the fine test patterns that need many sizes.
HALVES_FROM = 5000000
FAULTS_FROM = 8000000
_FAULTS = ["blurred", "overexposed", "clear", "dark", "checkerboard", "concentric"]
_FAULTS_P = [0.31, 0.21, 0.25, 0.08, 0.1, 0.05]


def _fine_pattern(g, name):
    """videotestsrc's own checkers of 8 pixels and its circles, at any size at which they can be seen."""
    h = int(g.integers(60, 241 if name == "checkerboard" else 541)) * 2
    w = int(h * g.choice([4 / 3, 16 / 9, 4 / 3, 1.0, 9 / 16, 5 / 4])) // 4 * 4
    if name == "concentric":
        return videotestsrc("circular", w, h, yuv=g.random() < 0.7)[0]
    board = np.add.outer(np.arange(h) // 8, np.arange(w) // 8) % 2
    pair = [(0, 255, 0), (255, 0, 0)] if g.random() < 0.6 else [any_colour(g), np.clip(any_colour(g), 0, 255)]
    if np.abs(np.subtract(*pair)).sum() < 250:
        pair = [(0, 0, 0), (255, 255, 255)]
    if g.random() < 0.5:
        pair = pair[::-1]
    return _image(np.where(board[..., None], *map(np.array, pair)))


def sample(seed):
    g = np.random.default_rng(seed)
    shapes = np.zeros((GRID, GRID), np.uint8)
    colours = np.zeros((GRID, GRID), np.uint8)
    half = HALVES_FROM <= seed < FAULTS_FROM
    fault = seed >= FAULTS_FROM
    if half or (not fault and g.random() < SHAPE_SHARE):
        if half:
            colour, shape = (None, SHAPES[g.integers(len(SHAPES))]) if seed % 2 else (COLOURS[g.integers(len(COLOURS))], None)
        else:
            colour, shape = _seen_pair(g)
        a, cover, difficulty = shape_frame(g, colour, shape, ease=g.random() < 0.35)
        seen = see(_spoil_slightly(g, _image(a)))
        part = see(cover, Image.BOX).astype(np.float32).reshape(GRID, PATCH, GRID, PATCH).mean((1, 3)) / 255
        here = part > 0.08
        shapes[here] = 1 + SHAPES.index(shape) if shape else NOTHING
        colours[here] = 1 + COLOURS.index(colour) if colour else NOTHING
        either = ["clear"]
        if (colour, shape) == ("white", "circle"):
            either.append("ball")
        name = colour + " " + shape if colour and shape else "shape " + shape if shape else "colour " + colour
        if half:
            difficulty = HARDEST
    else:
        name = _FAULTS[g.choice(len(_FAULTS), p=_FAULTS_P)] if fault else _HEALTH[g.choice(len(_HEALTH), p=_HEALTH_P)]
        if fault and name in ("checkerboard", "concentric"):
            frame, either = _fine_pattern(g, name), []
        else:
            a, either = health_frame(g, name)
            frame = _image(a)
        seen = see(_spoil_slightly(g, frame))
        if name in ("dark", "blurred", "clear", "overexposed", "broken"):
            # these may hold shapes: their patches are not asked about
            shapes[:] = NOTHING
            colours[:] = NOTHING
        difficulty = LAST if fault else 1
    numbers = [PICTURE_CONCEPTS.index(n) for n in either if n in PICTURE_CONCEPTS and n != name] + [NOTHING, NOTHING]
    return seen, TAUGHT.index(name), numbers[:2], shapes, colours, difficulty
