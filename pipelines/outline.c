/* altclip: the outline of a PNG or JPEG file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Of a file that was cut off, gdk-pixbuf would show the part there is, and nobody would be told;
 * and of where up is, it knows only what a JPEG's EXIF says.
 */

#include "outline.h"
#include "altclip.h"
#include "orientation.h"
#include "still.h"

#include <string.h>

/* Each scan of a progressive JPEG goes over the whole picture, so many of them in a small file
 * would keep the decoder busy for minutes. Ordinary files have about ten. */
#define MAX_JPEG_SCANS 100
#define MAX_JPEG_SCANNED_PIXELS (16 * (guint64)STILL_MAX_PIXELS)

/* And between scans it keeps two bytes for each component of each pixel: 600 MB. */
#define MAX_JPEG_KEPT_SAMPLES (3 * (guint64)STILL_MAX_PIXELS)

static guint32
read_be16 (const guint8 *bytes)
{
    return (guint32)bytes[0] << 8 | bytes[1];
}

static guint32
read_be32 (const guint8 *bytes)
{
    return read_be16 (bytes) << 16 | read_be16 (bytes + 2);
}

/* @prefix: with the zero at its end */
#define HAS_PREFIX(bytes, n, prefix) \
    ((n) >= sizeof (prefix) && memcmp (bytes, prefix, sizeof (prefix)) == 0)

/* ---- PNG ------------------------------------------------------------------------------------- */

static void
look_at_chunk (Outline *outline, const guint8 *kind, const guint8 *bytes, gsize n)
{
    if (memcmp (kind, "eXIf", 4) == 0) {
        outline->exif = bytes;
        outline->n_exif = n;
    } else if (memcmp (kind, "iTXt", 4) == 0 && HAS_PREFIX (bytes, n, "XML:com.adobe.xmp")) {
        outline->xmp = bytes;
        outline->n_xmp = n;
    }
}

/* Returns: whether the end mark was reached */
static gboolean
follow_png (const guint8 *bytes, gsize n, Outline *outline)
{
    gsize at = 8;

    while (n - at >= 12) {
        guint32 length = read_be32 (bytes + at);

        if (length > n - at - 12)
            return FALSE;
        if (memcmp (bytes + at + 4, "IEND", 4) == 0)
            return TRUE;
        look_at_chunk (outline, bytes + at + 4, bytes + at + 8, length);
        at += 12 + (gsize)length;
    }
    return FALSE;
}

/* ---- JPEG ------------------------------------------------------------------------------------ */

/* Of several EXIF segments the first has the directory; of several XMP packets the last one holds,
 * as in Pillow. */
static void
look_at_application_segment (Outline *outline, const guint8 *bytes, gsize n)
{
    if (HAS_PREFIX (bytes, n, "Exif\0") && !outline->exif) {
        outline->exif = bytes;
        outline->n_exif = n;
    } else if (HAS_PREFIX (bytes, n, "http://ns.adobe.com/xap/1.0/")) {
        outline->xmp = bytes;
        outline->n_xmp = n;
    }
}

/* Any of the marks that begin a frame: its header has precision, height, width, and how many
 * components there are. */
static gboolean
is_frame (guint8 mark)
{
    return mark >= 0xc0 && mark <= 0xcf && mark != 0xc4 && mark != 0xc8 && mark != 0xcc;
}

/* bytes: [n], what follows the length */
static void
look_at_segment (Outline *outline, guint8 mark, const guint8 *bytes, gsize n)
{
    if (mark == 0xda)
        outline->n_scans++;
    else if (mark == 0xe1)
        look_at_application_segment (outline, bytes, n);
    else if (is_frame (mark) && n >= 6) {
        outline->n_pixels = (guint64)read_be16 (bytes + 1) * read_be16 (bytes + 3);
        outline->n_samples = outline->n_pixels * bytes[5];
    }
}

/* In compressed data a 0xff is followed by 0 or by a restart mark, which have no length.
 *
 * Returns: whether the end mark was reached */
static gboolean
follow_jpeg (const guint8 *bytes, gsize n, Outline *outline)
{
    gsize at = 2;

    while (n - at >= 2) {
        guint8 mark = bytes[at + 1];

        if (bytes[at] != 0xff || mark == 0xff) {
            at++;
        } else if (mark == 0xd9) {
            return TRUE;
        } else if (mark == 0 || mark == 1 || (mark >= 0xd0 && mark <= 0xd7)) {
            at += 2;
        } else {
            gsize length = n - at >= 4 ? read_be16 (bytes + at + 2) : n;
            if (length > n - at - 2)
                return FALSE;
            if (length >= 2)
                look_at_segment (outline, mark, bytes + at + 4, length - 2);
            at += 2 + length;
        }
    }
    return FALSE;
}

static gboolean
check_scans (const char *path, const Outline *outline, GError **error)
{
    if (outline->n_scans > MAX_JPEG_SCANS) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "%s: a JPEG of %u scans exceeds the limit of %d", path, outline->n_scans,
                MAX_JPEG_SCANS);
        return FALSE;
    }
    if (outline->n_scans * outline->n_pixels > MAX_JPEG_SCANNED_PIXELS) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "%s: a JPEG of %u scans over %" G_GUINT64_FORMAT
                " pixels exceeds the limit of %" G_GUINT64_FORMAT " pixels in all scans",
                path, outline->n_scans, outline->n_pixels, MAX_JPEG_SCANNED_PIXELS);
        return FALSE;
    }
    if (outline->n_scans > 1 && outline->n_samples > MAX_JPEG_KEPT_SAMPLES) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "%s: a JPEG of %u scans and %" G_GUINT64_FORMAT
                " samples exceeds the limit of %" G_GUINT64_FORMAT " samples in several scans",
                path, outline->n_scans, outline->n_samples, MAX_JPEG_KEPT_SAMPLES);
        return FALSE;
    }
    return TRUE;
}

/* ---- Formats --------------------------------------------------------------------------------- */

static const struct {
    const char *name; /* gdk-pixbuf's */
    guint8 magic[8];
    gsize n_magic;
    gboolean (*follow) (const guint8 *bytes, gsize n, Outline *outline);
} FORMATS[] = {
    { "png", { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' }, 8, follow_png },
    { "jpeg", { 0xff, 0xd8, 0xff }, 3, follow_jpeg },
};

/* What people are likely to have instead, to tell them what it is. */
static const struct {
    const char *name;
    gsize at;
    char magic[4];
    gsize n_magic;
} OTHERS[] = {
    { "a GIF picture", 0, { 'G', 'I', 'F', '8' }, 4 },
    { "a WebP picture", 8, { 'W', 'E', 'B', 'P' }, 4 },
    { "a TIFF picture", 0, { 'I', 'I', '*', 0 }, 4 },
    { "a TIFF picture", 0, { 'M', 'M', 0, '*' }, 4 },
    { "a BMP picture", 0, { 'B', 'M' }, 2 },
    { "an AVIF or HEIF picture or an MP4 video", 4, { 'f', 't', 'y', 'p' }, 4 },
};

static void
refuse_format (const char *path, const guint8 *bytes, gsize n, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS (OTHERS); i++) {
        gsize at = OTHERS[i].at;
        gsize n_magic = OTHERS[i].n_magic;

        if (n >= at + n_magic && memcmp (bytes + at, OTHERS[i].magic, n_magic) == 0) {
            g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                    "%s: %s, by its first bytes, where only PNG and JPEG pictures are read", path,
                    OTHERS[i].name);
            return;
        }
    }
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
            "%s: not a PNG or JPEG picture, by its first bytes", path);
}

gboolean
outline_follow (const char *path, const guint8 *bytes, gsize n, Outline *outline, GError **error)
{
    gsize i = 0;

    *outline = (Outline){ NULL };
    while (i < G_N_ELEMENTS (FORMATS) &&
            (n < FORMATS[i].n_magic || memcmp (bytes, FORMATS[i].magic, FORMATS[i].n_magic) != 0))
        i++;
    if (i == G_N_ELEMENTS (FORMATS)) {
        refuse_format (path, bytes, n, error);
        return FALSE;
    }
    outline->format = FORMATS[i].name;
    if (!FORMATS[i].follow (bytes, n, outline)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "%s: the file ends after %" G_GSIZE_FORMAT
                " bytes, before the picture does (is it truncated?)",
                path, n);
        return FALSE;
    }
    outline->orientation =
            orientation_read (outline->exif, outline->n_exif, outline->xmp, outline->n_xmp);
    return check_scans (path, outline, error);
}
