/* altclip: preprocessor_config.json and processor_config.json
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_PREPROCESSOR_H
#define ALTCLIP_PREPROCESSOR_H

#include "altclip.h"

G_BEGIN_DECLS

/* Pillow's resampling filters, by Pillow's numbers, which `resample` holds. */
typedef enum {
    ALTCLIP_RESAMPLE_NEAREST = 0,
    ALTCLIP_RESAMPLE_LANCZOS = 1,
    ALTCLIP_RESAMPLE_BILINEAR = 2,
    ALTCLIP_RESAMPLE_BICUBIC = 3,
    ALTCLIP_RESAMPLE_BOX = 4,
    ALTCLIP_RESAMPLE_HAMMING = 5
} AltclipResample;

/* CLIPImageProcessor's settings. Sizes are in pixels. */
typedef struct {
    gboolean do_resize;
    guint shortest_edge; /* 0: resize to exactly resize_height × resize_width */
    guint resize_height;
    guint resize_width;
    AltclipResample resample;
    gboolean do_center_crop;
    guint crop_height;
    guint crop_width;
    gboolean do_rescale;
    double rescale_factor;
    gboolean do_normalize;
    double image_mean[3];
    double image_std[3];
} AltclipPreprocessorConfig;

/* Sets the reference's defaults, for pictures of @image_size. */
void altclip_preprocessor_config_init (AltclipPreprocessorConfig *config, guint image_size);

/**
 * altclip_preprocessor_config_parse:
 * @path: where @bytes come from, for messages
 * @bytes: [n_bytes], a whole `preprocessor_config.json`, or a `processor_config.json`, which newer
 *     libraries write, with the same settings as its `image_processor`
 *
 * Fields that are omitted have the reference's defaults. What the reference's versions 4.46 and 5
 * understand differently is refused.
 */
gboolean altclip_preprocessor_config_parse (AltclipPreprocessorConfig *config, const char *path,
        const char *bytes, gsize n_bytes, GError **error);

/**
 * altclip_preprocessor_config_read_directory:
 *
 * Reads @directory's `processor_config.json` if that is there and holds image settings, else its
 * `preprocessor_config.json`. Without either @config is left as it was.
 */
gboolean altclip_preprocessor_config_read_directory (
        AltclipPreprocessorConfig *config, const char *directory, GError **error);

G_END_DECLS

#endif /* ALTCLIP_PREPROCESSOR_H */
