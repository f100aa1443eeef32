#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes what the reference makes of pictures: image.json beside this file.

    pip install transformers==4.46.3 pillow==13.0.0 numpy
    python3 tests/golden/make_image_golden.py

With --random N --seed S --output FILE it writes N cases drawn at random instead, for
ALTCLIP_IMAGE_GOLDEN=FILE build/tests/test-image.

The pictures are computed by the same formula here and in test-image.c. Of each result the file
holds its size, the SHA-256 of the 8-bit pixels after resize and crop, the SHA-256 of the float32
pixel_values, and a few of these. Reference: CLIPImageProcessor.
"""

import argparse
import hashlib
import itertools
import json
import pathlib
import random

import numpy as np
import PIL
from PIL import Image
from transformers import CLIPImageProcessor

HERE = pathlib.Path(__file__).parent
N_SAMPLES = 4


def picture(width, height, n_components, smooth):
    """Bytes that look random, or a slope of which they disturb the two lowest bits."""
    i = np.arange(height * width * n_components, dtype=np.uint32)
    v = i * np.uint32(2654435761)
    v ^= v >> np.uint32(15)
    v *= np.uint32(2246822519)
    v ^= v >> np.uint32(13)
    noise = (v >> np.uint32(24)).astype(np.uint8)
    if smooth:
        pixel = i // n_components
        slope = (pixel % width) * 3 + (pixel // width) * 2 + (i % n_components) * 50
        noise = (slope.astype(np.uint8) & 0xFC) | (noise & 3)
    return noise.reshape(height, width, n_components)


def first(value, n):
    return value[:n] if isinstance(value, list) else value


def run(pixels, config, **switches):
    """[channels, height, width]"""
    config = dict(config, do_convert_rgb=False, **switches)
    for name in ["image_mean", "image_std"]:
        config[name] = first(DEFAULT[name] if config.get(name) is None else config[name], pixels.shape[2])
    processor = CLIPImageProcessor(**config)
    out = processor([pixels], input_data_format="channels_last", return_tensors="np")
    return out["pixel_values"][0]


def make_case(width, height, config, layout="RGB", num_channels=3, smooth=False):
    pixels = picture(width, height, 1 if layout == "GRAY8" else 3, smooth)
    mode = "RGB" if num_channels == 3 else "L"
    image = Image.fromarray(pixels[:, :, 0] if layout == "GRAY8" else pixels).convert(mode)
    pixels = np.asarray(image).reshape(height, width, num_channels)
    bytes_ = run(pixels, config, do_rescale=False, do_normalize=False)
    values = run(pixels, config).astype("<f4")
    assert bytes_.dtype == np.uint8
    flat = values.reshape(-1)
    at = [int(k) for k in np.linspace(0, flat.size - 1, N_SAMPLES)]
    return dict(
        width=width, height=height, layout=layout, num_channels=num_channels, smooth=smooth,
        config=config, out_width=bytes_.shape[2], out_height=bytes_.shape[1],
        pixels=hashlib.sha256(np.ascontiguousarray(bytes_.transpose(1, 2, 0)).tobytes()).hexdigest(),
        values=hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest(),
        samples=[[k, float(flat[k]).hex()] for k in at])


DEFAULT = dict(
    do_resize=True, size={"shortest_edge": 224}, resample=3, do_center_crop=True,
    crop_size={"height": 224, "width": 224}, do_rescale=True, rescale_factor=1 / 255,
    do_normalize=True, image_mean=[0.48145466, 0.4578275, 0.40821073],
    image_std=[0.26862954, 0.26130258, 0.27577711])


def with_size(edge, crop=None, **changes):
    crop = crop or (edge, edge)
    return dict(DEFAULT, size={"shortest_edge": edge},
                crop_size={"height": crop[0], "width": crop[1]}, **changes)


def cases():
    sizes = [(1, 1), (1, 7), (9, 1), (3, 2), (1, 300), (300, 1), (31, 33), (33, 31), (224, 224),
             (225, 224), (223, 224), (224, 500), (37, 500), (120, 250), (100, 201), (640, 480),
             (480, 640), (641, 479), (1000, 63), (17, 1000), (160, 120), (448, 448), (65, 129)]
    for width, height in sizes:
        yield make_case(width, height, DEFAULT)
        yield make_case(width, height, with_size(30), smooth=True)
    for width, height in [(1920, 1080), (1080, 1920)]:
        yield make_case(width, height, DEFAULT, smooth=True)
        yield make_case(width, height, with_size(112))
    for resample, (width, height) in itertools.product(
            [0, 1, 2, 4, 5], [(1, 1), (2, 90), (50, 41), (97, 203), (320, 240), (40, 300), (35, 35)]):
        yield make_case(width, height, with_size(35, resample=resample))
        yield make_case(width, height, with_size(64, resample=resample), smooth=True)
    for size in [(20, 50), (50, 20), (33, 47), (7, 3)]:
        for width, height in [(47, 33), (20, 200), (64, 20), (50, 99), (5, 80), (64, 33)]:
            exact = {"height": size[0], "width": size[1]}
            yield make_case(width, height, dict(DEFAULT, size=exact, do_center_crop=False))
            yield make_case(width, height, dict(DEFAULT, size=exact, crop_size={"height": 31, "width": 30}))
    for crop in [(50, 50), (51, 20), (20, 51), (37, 80), (1, 1)]:
        for width, height in [(60, 41), (41, 60), (36, 36)]:
            yield make_case(width, height, with_size(36, crop))
            yield make_case(width, height, with_size(37, crop))
            yield make_case(width, height, with_size(36, crop, do_resize=False))
    for switches in itertools.product([True, False], repeat=4):
        names = ["do_resize", "do_center_crop", "do_rescale", "do_normalize"]
        yield make_case(50, 40, with_size(28, **dict(zip(names, switches))))
    yield make_case(50, 40, with_size(28, rescale_factor=0.007, image_mean=[0.1, 0.2, 0.3],
                                      image_std=[1.5, 0.5, 0.3]))
    for size in [29, [23, 31]]:
        for crop in [28, [27, 40]]:
            yield make_case(50, 40, dict(DEFAULT, size=size, crop_size=crop))
    yield make_case(50, 40, with_size(28, image_mean=0.25, image_std=2))
    yield make_case(50, 40, with_size(28, image_mean=None, image_std=None))
    for layout in ["BGR", "RGBx", "BGRx", "xRGB", "xBGR", "GRAY8"]:
        for width, height in [(64, 48), (30, 99), (640, 360)]:
            yield make_case(width, height, with_size(40), layout=layout)
            yield make_case(width, height, with_size(40), layout=layout, num_channels=1)


def draw_side(draw, largest):
    """Small ones as often as large ones."""
    return min(largest, int(2 ** draw.uniform(0, 12)))


def draw_size(draw, largest, is_crop):
    """In one of the forms that the reference takes."""
    height, width = draw_side(draw, largest), draw_side(draw, largest)
    forms = [height, [height, width], {"height": height, "width": width}]
    if not is_crop:
        forms += [{"shortest_edge": height}, {"shortest_edge": height}]
    return draw.choice(forms)


def draw_config(draw):
    config = {name: draw.random() < 0.85 for name in ["do_resize", "do_center_crop", "do_rescale", "do_normalize"]}
    config["resample"] = draw.randrange(6)
    if draw.random() < 0.95:
        config["size"] = draw_size(draw, 400, is_crop=False)
    if draw.random() < 0.95:
        config["crop_size"] = draw_size(draw, 400, is_crop=True)
    if draw.random() < 0.3:
        config["rescale_factor"] = draw.choice([1 / 256, 0.0078125, 1 / 127.5, -0.5, 1.0])
    if draw.random() < 0.3:
        config["image_mean"] = draw.choice([[draw.random() for _ in range(3)], draw.random(), 0, None])
    if draw.random() < 0.3:
        config["image_std"] = draw.choice([[draw.random() + 0.1 for _ in range(3)], draw.random() + 0.1, 1, None])
    return config


def draw_picture_size(draw):
    if draw.random() < 0.03:
        return draw.choice([(1, 65535), (65535, 1), (3, 40000), (40000, 2), (1, 9999)])
    width = draw_side(draw, 4096)
    return width, draw_side(draw, 2_000_000 // width)


def draw_case(draw):
    """A picture that is not cropped stays small."""
    while True:
        config = draw_config(draw)
        width, height = draw_picture_size(draw)
        size = config.get("size", 224)
        edge = size.get("shortest_edge", 0) if isinstance(size, dict) else size if isinstance(size, int) else 0
        longest = max(width, height) if not config["do_resize"] else edge * max(width, height) // min(width, height)
        if longest <= (8192 if config["do_center_crop"] else 3000):
            break
    layout = draw.choice(["RGB"] * 4 + ["BGR", "RGBx", "BGRx", "xRGB", "xBGR", "GRAY8"])
    return make_case(width, height, config, layout, draw.choice([3, 3, 3, 1]), draw.random() < 0.5)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--random", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "image.json")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    all_cases = [draw_case(draw) for _ in range(options.random)] if options.random else list(cases())
    golden = {"pillow": PIL.__version__, "cases": all_cases}
    with open(options.output, "w", encoding="utf-8") as file:
        json.dump(golden, file, separators=(",", ":"))
        file.write("\n")
    print(f"{len(all_cases)} cases")


if __name__ == "__main__":
    main()
