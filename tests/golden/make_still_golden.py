#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes tests/golden/stills: small pictures in the forms that PNG and JPEG files have.

Beside NAME.png or NAME.jpg lies NAME.rgb.png: the 8-bit RGB picture that Pillow 13.0 makes of it,
upright by its EXIF or XMP orientation, and on white where it is transparent. Pillow clips 16-bit grey:
there, and for 16-bit colour, the high byte is expected.
"""

import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps

HERE = pathlib.Path(__file__).resolve().parent / "stills"
WIDTH, HEIGHT = 52, 37


def draw():
    """Smooth, with a few edges, as pictures are that JPEG is made for."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
    red = 128 + 100 * np.sin(x / 9) * np.cos(y / 7)
    green = 4 * x + 40 * (y > 20)
    blue = 220 - 5 * y + 30 * (x > 30)
    return np.clip(np.stack([red, green, blue], 2), 0, 255).astype(np.uint8)


N_COMPONENTS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG's colour type
# Adam7: first column, first row, and steps of each pass
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_row(row, depth):
    if depth == 16:
        return b"\0" + row.astype(">u2").tobytes()
    bits = (row.reshape(-1, 1) >> np.arange(depth - 1, -1, -1)) & 1
    return b"\0" + np.packbits(bits.astype(np.uint8)).tobytes()


def write_png(name, array, colour_type, depth, interlaced=False, chunks=()):
    """The forms that Pillow cannot write."""
    array = array.reshape(*array.shape[:2], N_COMPONENTS[colour_type])
    passes = [array[y::dy, x::dx] for x, y, dx, dy in PASSES] if interlaced else [array]
    data = b"".join(pack_row(row, depth) for part in passes for row in part)
    header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], depth, colour_type, 0, 0, interlaced)
    path = HERE / f"{name}.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*c) for c in chunks)
                     + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))
    return path


def on_white(image):
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image).convert("RGB")


def save_expected(name, image):
    image.save(HERE / f"{name}.rgb.png", optimize=True)


def save_what_pillow_reads(name, path):
    with Image.open(path) as back:
        save_expected(name, on_white(ImageOps.exif_transpose(back)))


def save(name, image, extension="png", **settings):
    path = HERE / f"{name}.{extension}"
    image.save(path, **settings)
    save_what_pillow_reads(name, path)


def save_png(name, *arguments, **settings):
    save_what_pillow_reads(name, write_png(name, *arguments, **settings))


def make_exif(orientation, endian="<"):
    mark = b"II*\0" if endian == "<" else b"MM\0*"
    return mark + struct.pack(endian + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


XMP = b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/>'


def save_oriented(image):
    pixels = np.asarray(image)
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"orientation{orientation}", image, "jpg", quality=90, subsampling=0, exif=exif)
    save("orientation-big-endian", image, "jpg", quality=90, subsampling=0, exif=b"Exif\0\0" + make_exif(6, ">"))
    save("orientation-xmp", image, "jpg", quality=90, subsampling=0, xmp=XMP % 8)
    # EXIF has the last word.
    save("orientation-both", image, "jpg", quality=90, subsampling=0, exif=b"Exif\0\0" + make_exif(3), xmp=XMP % 8)
    save_png("png-orientation", pixels, 2, 8, chunks=[(b"eXIf", make_exif(6))])
    save_png("png-orientation-xmp", pixels, 2, 8,
             chunks=[(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + XMP % 5)])


def save_deep(pixels, grey, alpha):
    """16 bits: the high byte is expected."""
    low = np.arange(WIDTH) * 5 % 256
    wide = [part.astype(np.uint16) * 256 + low for part in (*pixels.transpose(2, 0, 1), grey, alpha)]
    save_png("rgb16", np.dstack(wide[:3]), 2, 16)
    save_png("rgba16", np.dstack([*wide[:3], wide[4]]), 6, 16)
    save_png("grey-alpha16", np.dstack(wide[3:]), 4, 16, interlaced=True)
    write_png("grey16", wide[3], 0, 16)
    save_expected("grey16", Image.fromarray(grey).convert("RGB"))


def save_shallow(grey, palette):
    colours = np.array(palette.getpalette()[:48], np.uint8).tobytes()
    save_png("grey2", grey >> 6, 0, 2)
    save_png("grey4-interlaced", grey >> 4, 0, 4, interlaced=True)
    save_png("palette4", grey >> 4, 3, 4, chunks=[(b"PLTE", colours)])
    save_png("palette2-interlaced", grey >> 6, 3, 2, interlaced=True,
             chunks=[(b"PLTE", colours[:12]), (b"tRNS", bytes([0, 90, 255]))])


def save_ycck(cmyk):
    """Pillow writes CMYK: its file, with another number for what the four channels are."""
    path = HERE / "jpeg-ycck.jpg"
    cmyk.save(path, quality=95, subsampling=0)
    data = bytearray(path.read_bytes())
    data[data.index(b"Adobe") + 11] = 2
    path.write_bytes(data)
    save_what_pillow_reads("jpeg-ycck", path)


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
    grey = np.asarray(rgb.convert("L"))
    save_deep(pixels, grey, np.asarray(alpha))
    save_shallow(grey, palette)
    save_png("rgb-interlaced", pixels, 2, 8, interlaced=True)
    save_png("rgb-transparent", pixels, 2, 8, chunks=[(b"tRNS", struct.pack(">HHH", *pixels[9, 9]))])
    save_png("grey-transparent", grey, 0, 8, chunks=[(b"tRNS", struct.pack(">H", grey[9, 9]))])
    save_png("gamma", pixels, 2, 8, chunks=[(b"gAMA", struct.pack(">I", 100000))])
    save_png("profile", pixels, 2, 8, chunks=[(b"iCCP", b"a\0\0" + zlib.compress(ImageCms.ImageCmsProfile(
        ImageCms.createProfile("LAB")).tobytes()))])
    save("jpeg444", rgb, "jpg", quality=90, subsampling=0)
    save("jpeg420", rgb, "jpg", quality=90, subsampling=2)
    save("jpeg-progressive", rgb, "jpg", quality=90, subsampling=0, progressive=True)
    save("jpeg-grey", rgb.convert("L"), "jpg", quality=90)
    save("jpeg-cmyk", rgb.convert("CMYK"), "jpg", quality=95, subsampling=0)
    save("jpeg422", rgb, "jpg", quality=90, subsampling=1, restart_marker_rows=1)
    save_ycck(rgb.convert("CMYK"))
    save_oriented(rgb)


if __name__ == "__main__":
    main()
