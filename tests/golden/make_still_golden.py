#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes tests/golden/stills: small pictures in the forms that PNG and JPEG files have.

Beside NAME.png or NAME.jpg lies NAME.rgb.png: the 8-bit RGB picture that Pillow 13.0 makes of it,
upright by its EXIF orientation, and on white where it is transparent. Pillow clips 16-bit grey:
there, and for 16-bit colour, the high byte is expected.
"""

import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent / "stills"
WIDTH, HEIGHT = 52, 37


def draw():
    """Smooth, with a few edges, as pictures are that JPEG is made for."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    red = 128 + 100 * np.sin(x / 9) * np.cos(y / 7)
    green = 4 * x + 40 * (y > 20)
    blue = 220 - 5 * y + 30 * (x > 30)
    return np.clip(np.stack([red, green, blue], 2), 0, 255).astype(np.uint8)


def write_png(path, array, colour_type):
    """16 bits a sample, which Pillow cannot write."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], 16, colour_type, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9))
                     + chunk(b"IEND", b""))


def on_white(image):
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image).convert("RGB")


def save_expected(name, image):
    image.save(HERE / f"{name}.rgb.png", optimize=True)


def save(name, image, extension="png", **settings):
    path = HERE / f"{name}.{extension}"
    image.save(path, **settings)
    with Image.open(path) as back:
        save_expected(name, on_white(ImageOps.exif_transpose(back)))


def save_oriented(image, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(f"orientation{orientation}", image, "jpg", quality=90, subsampling=0, exif=exif)


def main():
    HERE.mkdir(parents=True, exist_ok=True)
    pixels = draw()
    rgb = Image.fromarray(pixels)
    alpha = Image.fromarray((np.mgrid[0:HEIGHT, 0:WIDTH].sum(0) * 3 % 256).astype(np.uint8))
    palette = rgb.quantize(20)
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    grey_alpha = Image.merge("LA", (rgb.convert("L"), alpha))
    save("rgb", rgb)
    save("rgba", rgba)
    save("grey", rgb.convert("L"))
    save("grey-alpha", grey_alpha)
    save("grey1", rgb.convert("1"))
    save("palette", palette)
    save("palette-alpha", palette, transparency=bytes(range(0, 240, 12)))
    write_png(HERE / "rgb16.png", pixels.astype(np.uint16) * 256 + 255 - pixels, 2)
    save_expected("rgb16", rgb)
    grey = np.asarray(rgb.convert("L"))
    write_png(HERE / "grey16.png", grey.astype(np.uint16) * 257, 0)
    save_expected("grey16", Image.fromarray(grey).convert("RGB"))
    save("jpeg444", rgb, "jpg", quality=90, subsampling=0)
    save("jpeg420", rgb, "jpg", quality=90, subsampling=2)
    save("jpeg-progressive", rgb, "jpg", quality=90, subsampling=0, progressive=True)
    save("jpeg-grey", rgb.convert("L"), "jpg", quality=90)
    save("jpeg-cmyk", rgb.convert("CMYK"), "jpg", quality=95, subsampling=0)
    for orientation in range(2, 9):
        save_oriented(rgb, orientation)


if __name__ == "__main__":
    main()
