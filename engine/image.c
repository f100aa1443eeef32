/* altclip: from a picture to the image tower's input
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CLIPImageProcessor of transformers with the resampling of Pillow 13.0, bit for bit: two passes
 * with 8-bit results in between and coefficients in fixed point. An axis is described by the taps
 * of the outputs that the crop keeps, so a panorama costs no more than what is seen of it.
 */

#include "axis.h"
#include "frame.h"
#include "image.h"
#include "model.h"
#include "pixel_loops.h"

#include <math.h>
#include <string.h>

#define MAX_PICTURE_SIZE 65535
#define MAX_OUTPUT_SIZE 8192

struct _AltclipImagePlan {
    AltclipPixelLayout layout;
    AltclipRectangle part;      /* of the frames, if it is a plan for frames */
    AltclipFrameReader *reader; /* of frames that are not what @layout can describe */
    guint num_channels;
    guint n_planes; /* that are computed: 1 for grey pictures and grey models */
    const AltclipPixelLoops *loops;
    AltclipAxis x;
    AltclipAxis y;
    gboolean vertical_first;
    gboolean is_luma; /* colour to grey before all else */
    float lookup[3][256];

    guint8 *luma;     /* [y.in_count, x.in_count], if is_luma */
    guint8 *middle;   /* between the passes: a row, or [y.in_count, n_planes, x.n] */
    gint16 *unpacked; /* [n_planes, x.in_count + x.n_taps] */
    guint8 *row;      /* [n_planes, x.n] */
    gint32 *sums;     /* [bytes of a row in the vertical pass] */
    guint8 *pixels;   /* [n_planes, y.out_size, x.out_size]; padding stays 0 */
};

/* ---- The two passes -------------------------------------------------------------------------- */

static gint16 *
get_unpacked (AltclipImagePlan *plan, guint plane)
{
    return plan->unpacked + (gsize)plane * (plan->x.in_count + plan->x.n_taps);
}

/* packed: a row of pixels from x.in_first on → out: [n_planes, x.n] */
static void
run_horizontal (
        AltclipImagePlan *plan, const AltclipPixelLayout *layout, const guint8 *packed, guint8 *out)
{
    const guint8 offsets[3] = { layout->red, layout->green, layout->blue };

    for (guint c = 0; c < plan->n_planes; c++)
        plan->loops->unpack (packed + offsets[c], layout->pixel_stride, plan->x.in_count,
                get_unpacked (plan, c));
    plan->loops->resample_row (&plan->x, plan->n_planes, plan->unpacked, out);
}

/* row: [n_planes, x.n] → its place in pixels */
static void
place_row (AltclipImagePlan *plan, guint i, const guint8 *row)
{
    gsize plane = (gsize)plan->x.out_size * plan->y.out_size;
    gsize at = (gsize)(plan->y.pad + i) * plan->x.out_size + plan->x.pad;

    for (guint c = 0; c < plan->n_planes; c++)
        memcpy (plan->pixels + c * plane + at, row + (gsize)c * plan->x.n, plan->x.n);
}

/* Pillow's Image.convert ("L"). */
static void
convert_to_luma (AltclipImagePlan *plan, const guint8 *data, gsize rowstride)
{
    const AltclipPixelLayout *layout = &plan->layout;
    guint8 *out = plan->luma;

    for (guint y = 0; y < plan->y.in_count; y++) {
        const guint8 *pixel = data + y * rowstride;
        for (guint x = 0; x < plan->x.in_count; x++, pixel += layout->pixel_stride)
            *out++ = (guint8)((pixel[layout->red] * 19595u + pixel[layout->green] * 38470u +
                                      pixel[layout->blue] * 7471u + 0x8000u) >>
                              16);
    }
}

/* middle: [y.in_count, n_planes, x.n] → pixels */
static void
resample_columns (AltclipImagePlan *plan)
{
    gsize n_middle = (gsize)plan->n_planes * plan->x.n;

    for (guint i = 0; i < plan->y.n; i++) {
        plan->loops->resample_rows (
                &plan->y, i, plan->middle, n_middle, n_middle, plan->sums, plan->row);
        place_row (plan, i, plan->row);
    }
}

static void
resample_picture (
        AltclipImagePlan *plan, const AltclipPixelLayout *layout, const guint8 *data, gsize stride)
{
    gsize n_middle = (gsize)plan->n_planes * plan->x.n;
    gsize n_packed = (gsize)plan->x.in_count * layout->pixel_stride;

    if (plan->vertical_first) {
        for (guint i = 0; i < plan->y.n; i++) {
            plan->loops->resample_rows (
                    &plan->y, i, data, stride, n_packed, plan->sums, plan->middle);
            run_horizontal (plan, layout, plan->middle, plan->row);
            place_row (plan, i, plan->row);
        }
        return;
    }
    for (guint y = 0; y < plan->y.in_count; y++)
        run_horizontal (plan, layout, data + y * stride, plan->middle + y * n_middle);
    resample_columns (plan);
}

/* A frame that has to be converted is read a row at a time, so the rows are resampled first,
 * whatever Pillow would do with the picture. */
static void
resample_frame (AltclipImagePlan *plan, const AltclipFrameData *data)
{
    gint16 *const rows[3] = { get_unpacked (plan, 0), get_unpacked (plan, plan->n_planes / 2),
        get_unpacked (plan, plan->n_planes - 1) };
    guint8 *out = plan->middle;

    for (guint y = 0; y < plan->y.in_count; y++, out += (gsize)plan->n_planes * plan->x.n) {
        altclip_frame_reader_read (plan->reader, data, plan->part.y + plan->y.in_first + y, rows);
        plan->loops->resample_row (&plan->x, plan->n_planes, plan->unpacked, out);
    }
    resample_columns (plan);
}

static void
compute_pixels (AltclipImagePlan *plan, const guint8 *data, gsize rowstride)
{
    const guint8 *first = data + plan->y.in_first * rowstride +
                          (gsize)plan->x.in_first * plan->layout.pixel_stride;

    if (plan->is_luma) {
        convert_to_luma (plan, first, rowstride);
        resample_picture (plan, &ALTCLIP_PIXEL_LAYOUT_GRAY8, plan->luma, plan->x.in_count);
    } else {
        resample_picture (plan, &plan->layout, first, rowstride);
    }
}

/* ---- Planning -------------------------------------------------------------------------------- */

static gboolean
check_size (guint width, guint height, GError **error)
{
    if (width >= 1 && width <= MAX_PICTURE_SIZE && height >= 1 && height <= MAX_PICTURE_SIZE)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
            "a picture of %u×%u pixels cannot be used: each side must be 1 to %d", width, height,
            MAX_PICTURE_SIZE);
    return FALSE;
}

static gboolean
check_layout (const AltclipPixelLayout *layout, GError **error)
{
    guint8 last = MAX (layout->red, MAX (layout->green, layout->blue));

    if (last < layout->pixel_stride)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
            "pixel layout: component offset %u is outside a pixel of %u bytes", last,
            layout->pixel_stride);
    return FALSE;
}

/* Size after the resize: int(S · long / short) for the longer edge. */
static void
find_full_size (const AltclipPreprocessorConfig *config, guint width, guint height,
        guint *full_width, guint *full_height)
{
    double edge = config->shortest_edge;

    *full_width = width;
    *full_height = height;
    if (!config->do_resize)
        return;
    *full_width = config->shortest_edge ? config->shortest_edge : config->resize_width;
    *full_height = config->shortest_edge ? config->shortest_edge : config->resize_height;
    if (config->shortest_edge && width <= height)
        *full_height = (guint)(edge * height / width);
    else if (config->shortest_edge)
        *full_width = (guint)(edge * width / height);
}

/* Returns: (transfer full): the fields that decide the output's size, and their values */
static char *
describe_size (const AltclipPreprocessorConfig *config)
{
    if (config->do_center_crop)
        return g_strdup_printf (
                "crop_size (height %u, width %u)", config->crop_height, config->crop_width);
    if (!config->do_resize)
        return g_strdup ("do_resize false and do_center_crop false");
    if (config->shortest_edge)
        return g_strdup_printf (
                "size (shortest_edge %u) and do_center_crop false", config->shortest_edge);
    return g_strdup_printf ("size (height %u, width %u) and do_center_crop false",
            config->resize_height, config->resize_width);
}

/* @image_size: what both sides must be; 0: anything */
static gboolean
check_output (const AltclipImagePlan *plan, const AltclipPreprocessorConfig *config,
        guint image_size, GError **error)
{
    guint width = plan->x.out_size;
    guint height = plan->y.out_size;
    gboolean is_wrong = image_size && (width != image_size || height != image_size);
    g_autofree char *fields = NULL;
    g_autofree char *limit = NULL;

    if (!is_wrong && width <= MAX_OUTPUT_SIZE && height <= MAX_OUTPUT_SIZE)
        return TRUE;
    fields = describe_size (config);
    limit = is_wrong ? g_strdup_printf ("the model's image_size is %u", image_size)
                     : g_strdup_printf ("each side may be at most %d", MAX_OUTPUT_SIZE);
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
            "preprocessing makes %u×%u pixels of a picture of %u×%u, by %s, but %s", width, height,
            plan->x.in_size, plan->y.in_size, fields, limit);
    return FALSE;
}

/* Byte to tower input, rounded where numpy rounds in the reference. */
static gboolean
fill_lookup (AltclipImagePlan *plan, const AltclipPreprocessorConfig *config, GError **error)
{
    for (guint c = 0; c < 3; c++) {
        float mean = (float)config->image_mean[c];
        float std = (float)config->image_std[c];
        for (guint v = 0; v < 256; v++) {
            float value = config->do_rescale ? (float)(v * config->rescale_factor) : (float)v;
            if (config->do_normalize)
                value = (value - mean) / std;
            plan->lookup[c][v] = value;
            if (!isfinite (value)) {
                g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_CONFIG,
                        "rescale_factor %g, image_mean %g and image_std %g make %g of the byte %u",
                        config->rescale_factor, config->image_mean[c], config->image_std[c],
                        (double)value, v);
                return FALSE;
            }
        }
    }
    return TRUE;
}

static gboolean
allocate_scratch (AltclipImagePlan *plan, GError **error)
{
    gsize n_row = (gsize)plan->n_planes * plan->x.n;
    gsize n_packed = (gsize)plan->x.in_count * plan->layout.pixel_stride;
    gsize n_middle = plan->vertical_first ? n_packed : plan->y.in_count * n_row;
    gsize n_output = (gsize)plan->x.out_size * plan->y.out_size;
    gboolean has_source = plan->reader || plan->layout.pixel_stride > 0;

    if (plan->is_luma)
        plan->luma = g_try_malloc ((gsize)plan->x.in_count * plan->y.in_count);
    plan->middle = g_try_malloc (n_middle);
    plan->unpacked = g_try_new0 (gint16, plan->n_planes * (plan->x.in_count + plan->x.n_taps));
    plan->row = g_try_malloc (n_row);
    plan->sums = g_try_new (gint32, MAX (n_row, n_packed));
    plan->pixels = g_try_malloc0 (plan->n_planes * n_output);
    if (has_source && (plan->luma || !plan->is_luma) && plan->middle && plan->unpacked &&
            plan->row && plan->sums && plan->pixels)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
            "a picture of %u×%u pixels needs more memory than there is", plan->x.in_size,
            plan->y.in_size);
    return FALSE;
}

static void
set_sizes (
        AltclipImagePlan *plan, const AltclipPreprocessorConfig *config, guint width, guint height)
{
    guint full_width;
    guint full_height;

    find_full_size (config, width, height, &full_width, &full_height);
    altclip_axis_set_sizes (
            &plan->x, width, full_width, config->do_center_crop ? config->crop_width : 0);
    altclip_axis_set_sizes (
            &plan->y, height, full_height, config->do_center_crop ? config->crop_height : 0);
    plan->vertical_first =
            full_height < height && (gint64)height - full_height > 2 * ((gint64)width - full_width);
}

/* What does not depend on where the components lie.
 *
 * @image_size: what both sides of the output must be; 0: anything */
static AltclipImagePlan *
plan_new (const AltclipPreprocessorConfig *config, guint num_channels, guint image_size,
        guint width, guint height, gboolean is_grey, GError **error)
{
    g_autoptr (AltclipImagePlan) plan = g_new0 (AltclipImagePlan, 1);

    if (!check_size (width, height, error))
        return NULL;
    set_sizes (plan, config, width, height);
    if (!check_output (plan, config, image_size, error))
        return NULL;
    plan->loops = altclip_pixel_loops_get ();
    plan->num_channels = num_channels;
    plan->n_planes = is_grey ? 1 : num_channels;
    altclip_axis_compute (&plan->x, config->resample);
    altclip_axis_compute (&plan->y, config->resample);
    return fill_lookup (plan, config, error) ? g_steal_pointer (&plan) : NULL;
}

static AltclipImagePlan *
plan_new_for_layout (const AltclipPreprocessorConfig *config, guint num_channels, guint image_size,
        guint width, guint height, const AltclipPixelLayout *layout, GError **error)
{
    gboolean is_grey = layout->red == layout->green && layout->green == layout->blue;
    g_autoptr (AltclipImagePlan) plan = NULL;

    if (!check_layout (layout, error))
        return NULL;
    plan = plan_new (config, num_channels, image_size, width, height, is_grey, error);
    if (!plan)
        return NULL;
    plan->layout = *layout;
    plan->is_luma = num_channels == 1 && !is_grey;
    return allocate_scratch (plan, error) ? g_steal_pointer (&plan) : NULL;
}

static AltclipImagePlan *
plan_new_for_reader (const AltclipPreprocessorConfig *config, guint num_channels, guint image_size,
        const AltclipFrameFormat *format, const AltclipRectangle *part, GError **error)
{
    gboolean is_grey = format->colour == ALTCLIP_COLOUR_GREY;
    g_autoptr (AltclipImagePlan) plan =
            plan_new (config, num_channels, image_size, part->width, part->height, is_grey, error);
    guint left;

    if (!plan)
        return NULL;
    left = part->x + plan->x.in_first;
    altclip_axis_begin_earlier (&plan->x, left & format->chroma_x_shift);
    left &= ~(guint)format->chroma_x_shift;
    plan->vertical_first = FALSE;
    plan->reader = altclip_frame_reader_new (format, left, plan->x.in_count, num_channels == 1);
    return allocate_scratch (plan, error) ? g_steal_pointer (&plan) : NULL;
}

AltclipImagePlan *
altclip_image_plan_new_for_frames_and_config (const AltclipPreprocessorConfig *config,
        guint num_channels, guint image_size, const AltclipFrameFormat *format,
        const AltclipRectangle *part, GError **error)
{
    AltclipRectangle whole = { 0, 0, format->width, format->height };
    AltclipPixelLayout layout;
    AltclipImagePlan *plan;

    if (!part)
        part = &whole;
    if (!altclip_frame_format_check (format, error) ||
            !altclip_frame_format_check_part (format, part, error))
        return NULL;
    if (altclip_frame_format_get_layout (format, &layout))
        plan = plan_new_for_layout (
                config, num_channels, image_size, part->width, part->height, &layout, error);
    else
        plan = plan_new_for_reader (config, num_channels, image_size, format, part, error);
    if (plan)
        plan->part = *part;
    return plan;
}

AltclipImagePlan *
altclip_image_plan_new_for_config (const AltclipPreprocessorConfig *config, guint num_channels,
        guint width, guint height, const AltclipPixelLayout *layout, GError **error)
{
    g_return_val_if_fail (num_channels == 1 || num_channels == 3, NULL);
    return plan_new_for_layout (config, num_channels, 0, width, height, layout, error);
}

/* ---- Public ---------------------------------------------------------------------------------- */

AltclipImagePlan *
altclip_image_plan_new (AltclipModel *model, guint width, guint height,
        const AltclipPixelLayout *layout, GError **error)
{
    const AltclipConfig *config = altclip_model_get_config (model);

    if (!altclip_model_check_tower (model, ALTCLIP_TOWER_IMAGE, error))
        return NULL;
    return plan_new_for_layout (&config->preprocessor, config->vision.num_channels,
            config->vision.image_size, width, height, layout, error);
}

/* The reference's processor called with arguments for size and crop_size. */
static gboolean
override_size (AltclipPreprocessorConfig *config, const AltclipImageSize *size, GError **error)
{
    guint height = size->shortest_edge ? size->shortest_edge : size->height;
    guint width = size->shortest_edge ? size->shortest_edge : size->width;

    if (MIN (height, width) < 1 || MAX (height, width) > MAX_OUTPUT_SIZE) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE,
                "pictures of %u×%u pixels are asked for, but each side must be 1 to %d", width,
                height, MAX_OUTPUT_SIZE);
        return FALSE;
    }
    config->do_resize = TRUE;
    config->shortest_edge = size->shortest_edge;
    config->resize_height = size->height;
    config->resize_width = size->width;
    config->do_center_crop = TRUE;
    config->crop_height = height;
    config->crop_width = width;
    return TRUE;
}

AltclipImagePlan *
altclip_image_plan_new_any_size (AltclipModel *model, const AltclipImageSize *size, guint width,
        guint height, const AltclipPixelLayout *layout, GError **error)
{
    const AltclipConfig *config = altclip_model_get_config (model);
    AltclipPreprocessorConfig preprocessor = config->preprocessor;

    if (!altclip_model_check_tower (model, ALTCLIP_TOWER_IMAGE, error) ||
            (size && !override_size (&preprocessor, size, error)))
        return NULL;
    return plan_new_for_layout (
            &preprocessor, config->vision.num_channels, 0, width, height, layout, error);
}

AltclipImagePlan *
altclip_image_plan_new_for_frames (AltclipModel *model, const AltclipFrameFormat *format,
        const AltclipRectangle *part, GError **error)
{
    const AltclipConfig *config = altclip_model_get_config (model);

    if (!altclip_model_check_tower (model, ALTCLIP_TOWER_IMAGE, error))
        return NULL;
    return altclip_image_plan_new_for_frames_and_config (&config->preprocessor,
            config->vision.num_channels, config->vision.image_size, format, part, error);
}

void
altclip_image_plan_free (AltclipImagePlan *plan)
{
    if (!plan)
        return;
    altclip_axis_clear (&plan->x);
    altclip_axis_clear (&plan->y);
    altclip_frame_reader_free (plan->reader);
    g_free (plan->luma);
    g_free (plan->middle);
    g_free (plan->unpacked);
    g_free (plan->row);
    g_free (plan->sums);
    g_free (plan->pixels);
    g_free (plan);
}

guint
altclip_image_plan_get_output_width (const AltclipImagePlan *plan)
{
    return plan->x.out_size;
}

guint
altclip_image_plan_get_output_height (const AltclipImagePlan *plan)
{
    return plan->y.out_size;
}

/* pixels → tower input */
static void
look_up (const AltclipImagePlan *plan, float *pixel_values)
{
    gsize n = (gsize)plan->x.out_size * plan->y.out_size;

    for (guint c = 0; c < plan->num_channels; c++) {
        const guint8 *plane = plan->pixels + (plan->n_planes == 1 ? 0 : c * n);
        for (gsize i = 0; i < n; i++)
            pixel_values[c * n + i] = plan->lookup[c][plane[i]];
    }
}

void
altclip_image_plan_run (
        AltclipImagePlan *plan, const guint8 *data, gsize rowstride, float *pixel_values)
{
    compute_pixels (plan, data, rowstride);
    look_up (plan, pixel_values);
}

void
altclip_image_plan_run_frame (
        AltclipImagePlan *plan, const AltclipFrameData *data, float *pixel_values)
{
    if (plan->reader)
        resample_frame (plan, data);
    else
        compute_pixels (plan,
                data->planes[0] + plan->part.y * data->strides[0] +
                        (gsize)plan->part.x * plan->layout.pixel_stride,
                data->strides[0]);
    look_up (plan, pixel_values);
}

void
altclip_image_plan_run_pixels (
        AltclipImagePlan *plan, const guint8 *data, gsize rowstride, guint8 *pixels)
{
    gsize n = (gsize)plan->x.out_size * plan->y.out_size;

    compute_pixels (plan, data, rowstride);
    for (guint c = 0; c < 3; c++) {
        const guint8 *plane = plan->pixels + (plan->n_planes == 1 ? 0 : c * n);
        for (gsize i = 0; i < n; i++)
            pixels[3 * i + c] = plane[i];
    }
}
