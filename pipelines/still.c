/* altclip: still pictures from files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gdk-pixbuf decodes, but only the two formats that we name: its other loaders are not to meet
 * files that nobody vouches for. It makes 8-bit RGB of grey, palettes, CMYK and 16 bits (the high
 * byte, as Pillow does for colour), and leaves gamma and colour profiles alone, as Pillow does too.
 */

#include "still.h"
#include "outline.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define MAX_FILE_BYTES (256 * 1024 * 1024)

/* ---- Decoding -------------------------------------------------------------------------------- */

/* What the decoder has told so far. */
typedef struct {
    int width; /* 0: not known yet */
    int height;
    int n_rows; /* that were seen */
} Progress;

static gboolean
is_too_large (const Progress *progress)
{
    return (guint64)progress->width * (guint64)progress->height > STILL_MAX_PIXELS;
}

/* Called when the header is known, before memory is allocated. A size of 0 makes the loader stop.
 */
static void
on_size_prepared (GdkPixbufLoader *loader, int width, int height, gpointer data)
{
    Progress *progress = data;

    progress->width = width;
    progress->height = height;
    if (is_too_large (progress))
        gdk_pixbuf_loader_set_size (loader, 0, 0);
}

/* Of an interlaced picture whose data are short some pixels are never written. */
static void
on_area_prepared (GdkPixbufLoader *loader, G_GNUC_UNUSED gpointer data)
{
    GdkPixbuf *pixbuf = gdk_pixbuf_loader_get_pixbuf (loader);

    memset (gdk_pixbuf_get_pixels (pixbuf), 0, gdk_pixbuf_get_byte_length (pixbuf));
}

static void
on_area_updated (G_GNUC_UNUSED GdkPixbufLoader *loader, G_GNUC_UNUSED int x, int y,
        G_GNUC_UNUSED int width, int height, gpointer data)
{
    Progress *progress = data;

    progress->n_rows = MAX (progress->n_rows, y + height);
}

/* gdk-pixbuf's table of orientations, with a value that may not be its own. */
static GdkPixbuf *
turn_upright (GdkPixbuf *pixbuf, guint orientation)
{
    const char digit[] = { (char)('0' + orientation), 0 };

    gdk_pixbuf_remove_option (pixbuf, "orientation");
    gdk_pixbuf_set_option (pixbuf, "orientation", digit);
    return gdk_pixbuf_apply_embedded_orientation (pixbuf);
}

/* Returns: (transfer full) (nullable): the picture, upright */
static GdkPixbuf *
decode (const Outline *outline, const guint8 *bytes, gsize n, Progress *progress, GError **error)
{
    g_autoptr (GdkPixbufLoader) loader = gdk_pixbuf_loader_new_with_type (outline->format, error);
    GdkPixbuf *pixbuf;

    if (!loader)
        return NULL;
    g_signal_connect (loader, "size-prepared", G_CALLBACK (on_size_prepared), progress);
    g_signal_connect (loader, "area-prepared", G_CALLBACK (on_area_prepared), NULL);
    g_signal_connect (loader, "area-updated", G_CALLBACK (on_area_updated), progress);
    if (!gdk_pixbuf_loader_write (loader, bytes, n, error)) {
        gdk_pixbuf_loader_close (loader, NULL);
        return NULL;
    }
    if (!gdk_pixbuf_loader_close (loader, error))
        return NULL;
    if (progress->n_rows < progress->height) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "the picture has %d rows, but data for %d", progress->height, progress->n_rows);
        return NULL;
    }
    pixbuf = gdk_pixbuf_loader_get_pixbuf (loader);
    pixbuf = pixbuf ? turn_upright (pixbuf, outline->orientation) : NULL;
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

GdkPixbuf *
still_decode (const char *path, const guint8 *bytes, gsize n, GError **error)
{
    Outline outline;
    Progress progress = { 0, 0, 0 };
    g_autoptr (GError) decode_error = NULL;
    g_autoptr (GdkPixbuf) pixbuf = NULL;

    if (!outline_follow (path, bytes, n, &outline, error))
        return NULL;
    pixbuf = decode (&outline, bytes, n, &progress, &decode_error);
    if (is_too_large (&progress)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "%s: %d × %d pixels exceed the limit of %d pixels", path, progress.width,
                progress.height, STILL_MAX_PIXELS);
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

/* Which size it has, and what it shows. */
typedef struct {
    gboolean any;                 /* FALSE: the model's image_size */
    const AltclipImageSize *size; /* see still_load_any_size() */
    const AltclipRegion *region;  /* (nullable): of the picture; NULL: all of it */
} Wanted;

static AltclipRectangle
get_part (GdkPixbuf *pixbuf, const Wanted *wanted)
{
    const AltclipRectangle all = { 0, 0, (guint)gdk_pixbuf_get_width (pixbuf),
        (guint)gdk_pixbuf_get_height (pixbuf) };

    return wanted->region ? altclip_region_get_part (wanted->region, &all) : all;
}

static AltclipImagePlan *
new_plan (GdkPixbuf *pixbuf, const AltclipRectangle *part, AltclipModel *model,
        const Wanted *wanted, GError **error)
{
    AltclipPixelLayout layout = ALTCLIP_PIXEL_LAYOUT_RGB;

    layout.pixel_stride = (guint8)gdk_pixbuf_get_n_channels (pixbuf);
    if (wanted->any)
        return altclip_image_plan_new_any_size (
                model, wanted->size, part->width, part->height, &layout, error);
    return altclip_image_plan_new (model, part->width, part->height, &layout, error);
}

static const guint8 *
get_pixels (GdkPixbuf *pixbuf, const AltclipRectangle *part)
{
    return gdk_pixbuf_read_pixels (pixbuf) +
           (gsize)part->y * (gsize)gdk_pixbuf_get_rowstride (pixbuf) +
           (gsize)part->x * (gsize)gdk_pixbuf_get_n_channels (pixbuf);
}

/* Returns: (transfer full) (nullable): pixel_values [num_channels, *height, *width] */
static float *
run_plan (GdkPixbuf *pixbuf, AltclipModel *model, const Wanted *wanted, guint *height, guint *width,
        GError **error)
{
    const AltclipRectangle part = get_part (pixbuf, wanted);
    g_autoptr (AltclipImagePlan) plan = new_plan (pixbuf, &part, model, wanted, error);
    guint num_channels = altclip_model_get_info (model)->num_channels;
    float *pixel_values;

    if (!plan)
        return NULL;
    *height = altclip_image_plan_get_output_height (plan);
    *width = altclip_image_plan_get_output_width (plan);
    pixel_values = g_try_new (float, (gsize)num_channels **height **width);
    if (pixel_values)
        altclip_image_plan_run (plan, get_pixels (pixbuf, &part),
                (gsize)gdk_pixbuf_get_rowstride (pixbuf), pixel_values);
    else
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "memory is too short for a picture of %u×%u pixels", *width, *height);
    return pixel_values;
}

/* Returns: (transfer full) (nullable): as still_load_any_size(), as it is wanted */
static float *
load (const char *path, AltclipModel *model, const Wanted *wanted, guint *height, guint *width,
        GError **error)
{
    g_autoptr (GdkPixbuf) picture = still_read (path, error);
    float *pixel_values;

    if (!picture)
        return NULL;
    pixel_values = run_plan (picture, model, wanted, height, width, error);
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

gboolean
still_is_one (const char *path)
{
    static const guint8 png[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    static const guint8 jpeg[] = { 0xff, 0xd8, 0xff };
    guint8 begin[sizeof png] = { 0 };
    GStatBuf status;
    FILE *file;

    if (g_stat (path, &status) != 0 || !S_ISREG (status.st_mode) || !(file = g_fopen (path, "rb")))
        return FALSE;
    if (fread (begin, 1, sizeof begin, file) < sizeof jpeg)
        begin[0] = 0;
    fclose (file);
    return memcmp (begin, png, sizeof png) == 0 || memcmp (begin, jpeg, sizeof jpeg) == 0;
}

GdkPixbuf *
still_read (const char *path, GError **error)
{
    gsize n;
    g_autofree char *contents = read_file (path, &n, error);
    GdkPixbuf *picture = contents ? still_decode (path, (const guint8 *)contents, n, error) : NULL;

    if (picture && gdk_pixbuf_get_has_alpha (picture))
        composite_on_white (picture);
    return picture;
}

float *
still_look (GdkPixbuf *picture, const AltclipRegion *region, AltclipModel *model, GError **error)
{
    const Wanted wanted = { FALSE, NULL, region };
    guint height;
    guint width;

    return run_plan (picture, model, &wanted, &height, &width, error);
}

float *
still_load (const char *path, AltclipModel *model, GError **error)
{
    const Wanted wanted = { FALSE, NULL, NULL };
    guint height;
    guint width;

    return load (path, model, &wanted, &height, &width, error);
}

float *
still_load_any_size (const char *path, AltclipModel *model, const AltclipImageSize *size,
        guint *height, guint *width, GError **error)
{
    const Wanted wanted = { TRUE, size, NULL };

    return load (path, model, &wanted, height, width, error);
}
