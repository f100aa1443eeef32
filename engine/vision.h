/* altclip: the image tower
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_VISION_H
#define ALTCLIP_VISION_H

#include "encoder.h"

G_BEGIN_DECLS

typedef struct {
    const AltclipVisionConfig *config;
    guint projection_dim;
    guint n_patches;
    float *class_embedding;    /* [width] */
    float *position_embedding; /* [1 + patches, width] */
    AltclipLinear patch;       /* [width, channels · patch²] */
    AltclipNorm pre_norm;
    AltclipEncoder encoder;
    AltclipNorm post_norm;
    AltclipLinear projection; /* [projection_dim, width] */
    guint64 n_parameters;     /* the projection's not counted */
} AltclipVision;

/* Where a forward pass leaves its results; each nullable. */
typedef struct {
    float *last_hidden_state; /* [images, 1 + patches, width] */
    float *pooler_output;     /* [images, width] */
    float *features;          /* [images, projection_dim], not normalised */
    AltclipHiddenStateFunc hidden_state;
    gpointer hidden_state_data;
} AltclipVisionOutputs;

/**
 * altclip_vision_init:
 *
 * Finds, checks and packs the image tower's weights. On failure @vision is left to be cleared.
 */
gboolean altclip_vision_init (AltclipVision *vision, AltclipWeights *weights,
        const AltclipConfig *config, const AltclipKernels *kernels, GCancellable *cancellable,
        GError **error);
void altclip_vision_clear (AltclipVision *vision);

/**
 * altclip_vision_run:
 * @pixel_values: [n_images, channels, image_size, image_size]
 *
 * Reference: AltCLIPVisionTransformer.forward and AltCLIPModel.get_image_features in transformers'
 * modeling_altclip.py.
 */
void altclip_vision_run (const AltclipVision *vision, AltclipWorkspace *workspace,
        const float *pixel_values, guint n_images, const AltclipVisionOutputs *outputs);

G_END_DECLS

#endif /* ALTCLIP_VISION_H */
