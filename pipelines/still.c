/* altclip: still pictures from files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gdk-pixbuf decodes, but only the two formats that we name: its other loaders are not to meet
 * files that nobody vouches for. It makes 8-bit RGB of grey, palettes and 16 bits (the high byte,
 * as Pillow does for colour).
 */

#include "still.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <string.h>

#define MAX_FILE_BYTES (256 * 1024 * 1024)

/* Each scan of a progressive JPEG goes over the whole picture, so many of them in a small file
 * would keep the decoder busy for minutes. Ordinary files have about ten. */
#define MAX_JPEG_SCANS 100

/* ---- Outline --------------------------------------------------------------------------------- */

/* Both follow the file's outline to its end mark: of a file that was cut off, gdk-pixbuf would show
 * the part there is, and nobody would be told. */

static guint32
read_be32 (const guint8 *bytes)
{
    return (guint32)bytes[0] << 24 | (guint32)bytes[1] << 16 | (guint32)bytes[2] << 8 | bytes[3];
}

typedef enum { OUTLINE_COMPLETE, OUTLINE_CUT_OFF, OUTLINE_TOO_MANY_SCANS } Outline;

static Outline
follow_png (const guint8 *bytes, gsize n)
{
    gsize at = 8;

    while (n - at >= 12) {
        guint32 length = read_be32 (bytes + at);

        if (length > n - at - 12)
            return OUTLINE_CUT_OFF;
        if (memcmp (bytes + at + 4, "IEND", 4) == 0)
            return OUTLINE_COMPLETE;
        at += 12 + (gsize)length;
    }
    return OUTLINE_CUT_OFF;
}

/* In compressed data a 0xff is followed by 0 or by a restart mark, which have no length. */
static Outline
follow_jpeg (const guint8 *bytes, gsize n)
{
    guint n_scans = 0;
    gsize at = 2;

    while (n - at >= 2) {
        guint8 mark = bytes[at + 1];

        if (bytes[at] != 0xff || mark == 0xff) {
            at++;
        } else if (mark == 0xd9) {
            return OUTLINE_COMPLETE;
        } else if (mark == 0 || mark == 1 || (mark >= 0xd0 && mark <= 0xd7)) {
            at += 2;
        } else {
            gsize length = n - at >= 4 ? bytes[at + 2] * 256u + bytes[at + 3] : n;
            if (length > n - at - 2)
                return OUTLINE_CUT_OFF;
            if (mark == 0xda && ++n_scans > MAX_JPEG_SCANS)
                return OUTLINE_TOO_MANY_SCANS;
            at += 2 + length;
        }
    }
    return OUTLINE_CUT_OFF;
}

static const struct {
    const char *name; /* gdk-pixbuf's */
    guint8 magic[8];
    gsize n_magic;
    Outline (*follow) (const guint8 *bytes, gsize n);
} FORMATS[] = {
    { "png", { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' }, 8, follow_png },
    { "jpeg", { 0xff, 0xd8, 0xff }, 3, follow_jpeg },
};

static gboolean
check_outline (const char *path, Outline outline, gsize n, GError **error)
{
    if (outline == OUTLINE_COMPLETE)
        return TRUE;
    if (outline == OUTLINE_CUT_OFF)
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "%s: the file ends after %" G_GSIZE_FORMAT
                " bytes, before the picture does (is it truncated?)",
                path, n);
    else
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "%s: a JPEG of more scans than the limit of %d", path, MAX_JPEG_SCANS);
    return FALSE;
}

/* Returns: (nullable): gdk-pixbuf's name of the format of a whole file */
static const char *
find_format (const char *path, const guint8 *bytes, gsize n, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS (FORMATS); i++) {
        if (n < FORMATS[i].n_magic || memcmp (bytes, FORMATS[i].magic, FORMATS[i].n_magic) != 0)
            continue;
        return check_outline (path, FORMATS[i].follow (bytes, n), n, error) ? FORMATS[i].name
                                                                            : NULL;
    }
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
            "%s: not a PNG or JPEG picture, by its first bytes", path);
    return NULL;
}

/* ---- Decoding -------------------------------------------------------------------------------- */

/* What the file's header says; 0: not known yet. */
typedef struct {
    int width;
    int height;
} Size;

static gboolean
size_is_too_large (const Size *size)
{
    return (guint64)size->width * (guint64)size->height > STILL_MAX_PIXELS;
}

/* Called when the header is known, before memory is allocated. A size of 0 makes the loader stop.
 */
static void
on_size_prepared (GdkPixbufLoader *loader, int width, int height, gpointer data)
{
    Size *size = data;

    *size = (Size){ width, height };
    if (size_is_too_large (size))
        gdk_pixbuf_loader_set_size (loader, 0, 0);
}

/* Returns: (transfer full) (nullable): the picture, upright */
static GdkPixbuf *
decode (const char *format, const guint8 *bytes, gsize n, Size *size, GError **error)
{
    g_autoptr (GdkPixbufLoader) loader = gdk_pixbuf_loader_new_with_type (format, error);
    GdkPixbuf *pixbuf;

    if (!loader)
        return NULL;
    g_signal_connect (loader, "size-prepared", G_CALLBACK (on_size_prepared), size);
    if (!gdk_pixbuf_loader_write (loader, bytes, n, error)) {
        gdk_pixbuf_loader_close (loader, NULL);
        return NULL;
    }
    if (!gdk_pixbuf_loader_close (loader, error))
        return NULL;
    pixbuf = gdk_pixbuf_loader_get_pixbuf (loader);
    pixbuf = pixbuf ? gdk_pixbuf_apply_embedded_orientation (pixbuf) : NULL;
    if (!pixbuf)
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "the file holds no picture, or memory is too short to turn it upright");
    return pixbuf;
}

/* Returns: (transfer full) (nullable): the file, which is an ordinary one: a pipe or device could
 * keep us waiting for ever */
static char *
read_file (const char *path, gsize *n, GError **error)
{
    g_autoptr (GError) io_error = NULL;
    GStatBuf status;
    char *contents = NULL;

    if (g_stat (path, &status) == 0 && !S_ISREG (status.st_mode)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: not a regular file", path);
        return NULL;
    }
    if (g_stat (path, &status) == 0 && status.st_size > MAX_FILE_BYTES) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "%s: %" G_GINT64_FORMAT " bytes exceed the limit of %d", path,
                (gint64)status.st_size, MAX_FILE_BYTES);
        return NULL;
    }
    if (!g_file_get_contents (path, &contents, n, &io_error))
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s", io_error->message);
    return contents;
}

/* Returns: (transfer full) (nullable): the picture, upright */
static GdkPixbuf *
load_pixbuf (const char *path, GError **error)
{
    gsize n;
    g_autofree char *contents = read_file (path, &n, error);
    const char *format;
    Size size = { 0, 0 };
    g_autoptr (GError) decode_error = NULL;
    g_autoptr (GdkPixbuf) pixbuf = NULL;

    if (!contents)
        return NULL;
    format = find_format (path, (const guint8 *)contents, n, error);
    if (!format)
        return NULL;
    pixbuf = decode (format, (const guint8 *)contents, n, &size, &decode_error);
    if (size_is_too_large (&size)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "%s: %d × %d pixels exceed the limit of %d pixels", path, size.width, size.height,
                STILL_MAX_PIXELS);
        return NULL;
    }
    if (!pixbuf)
        g_set_error (
                error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE, "%s: %s", path, decode_error->message);
    return g_steal_pointer (&pixbuf);
}

/* ---- Pixels ---------------------------------------------------------------------------------- */

/* Pillow's Image.alpha_composite on opaque white, to the bit. */
static guint8
over_white (guint value, guint alpha)
{
    guint sum = ((value * alpha + 255 * (255 - alpha)) << 7) + (0x80 << 7);

    return (guint8)((((sum >> 8) + sum) >> 8) >> 7);
}

/* [height, width, 4], in place. */
static void
composite_on_white (GdkPixbuf *pixbuf)
{
    guint8 *row = gdk_pixbuf_get_pixels (pixbuf);
    gsize n_bytes = (gsize)gdk_pixbuf_get_width (pixbuf) * 4;

    for (int y = 0; y < gdk_pixbuf_get_height (pixbuf); y++) {
        for (gsize x = 0; x < n_bytes; x += 4) {
            for (gsize c = 0; c < 3; c++)
                row[x + c] = over_white (row[x + c], row[x + 3]);
        }
        row += gdk_pixbuf_get_rowstride (pixbuf);
    }
}

/* ---- The tower's input ----------------------------------------------------------------------- */

/* altclip_image_plan_new() or altclip_image_plan_new_any_size() */
typedef AltclipImagePlan *(*PlanNew) (AltclipModel *model, guint width, guint height,
        const AltclipPixelLayout *layout, GError **error);

/* Returns: (transfer full) (nullable): pixel_values [num_channels, *height, *width] */
static float *
run_plan (GdkPixbuf *pixbuf, AltclipModel *model, PlanNew plan_new, guint *height, guint *width,
        GError **error)
{
    AltclipPixelLayout layout = ALTCLIP_PIXEL_LAYOUT_RGB;
    g_autoptr (AltclipImagePlan) plan = NULL;
    float *pixel_values;

    layout.pixel_stride = (guint8)gdk_pixbuf_get_n_channels (pixbuf);
    plan = plan_new (model, (guint)gdk_pixbuf_get_width (pixbuf),
            (guint)gdk_pixbuf_get_height (pixbuf), &layout, error);
    if (!plan)
        return NULL;
    *height = altclip_image_plan_get_output_height (plan);
    *width = altclip_image_plan_get_output_width (plan);
    pixel_values =
            g_new (float, (gsize)altclip_model_get_info (model)->num_channels **height **width);
    altclip_image_plan_run (plan, gdk_pixbuf_read_pixels (pixbuf),
            (gsize)gdk_pixbuf_get_rowstride (pixbuf), pixel_values);
    return pixel_values;
}

static float *
load (const char *path, AltclipModel *model, PlanNew plan_new, guint *height, guint *width,
        GError **error)
{
    g_autoptr (GdkPixbuf) pixbuf = load_pixbuf (path, error);
    float *pixel_values;

    if (!pixbuf)
        return NULL;
    if (gdk_pixbuf_get_has_alpha (pixbuf))
        composite_on_white (pixbuf);
    pixel_values = run_plan (pixbuf, model, plan_new, height, width, error);
    if (!pixel_values)
        g_prefix_error (error, "%s: ", path);
    return pixel_values;
}

/* ---- Public ---------------------------------------------------------------------------------- */

gsize
still_get_size (AltclipModel *model)
{
    const AltclipModelInfo *info = altclip_model_get_info (model);

    return (gsize)info->num_channels * info->image_size * info->image_size;
}

float *
still_load (const char *path, AltclipModel *model, GError **error)
{
    guint height;
    guint width;

    return load (path, model, altclip_image_plan_new, &height, &width, error);
}

float *
still_load_any_size (
        const char *path, AltclipModel *model, guint *height, guint *width, GError **error)
{
    return load (path, model, altclip_image_plan_new_any_size, height, width, error);
}

gboolean
still_embed (AltclipSession *session, const char *path, float *embedding, GError **error)
{
    g_autofree float *pixel_values = still_load (path, altclip_session_get_model (session), error);

    if (!pixel_values)
        return FALSE;
    if (altclip_session_encode_images (session, pixel_values, 1, embedding, error))
        return TRUE;
    g_prefix_error (error, "%s: ", path);
    return FALSE;
}
