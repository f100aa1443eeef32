/* altclip: the image tower
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_VISION_H
#define ALTCLIP_VISION_H

#include "encoder.h"

G_BEGIN_DECLS

/* Tensors whose absence says that there is no tower, or no projection. */
#define ALTCLIP_VISION_TENSOR "vision_model.embeddings.class_embedding"
#define ALTCLIP_VISION_PROJECTION "visual_projection.weight"

/* Found and checked when the model opens, packed when the first picture comes. */
typedef struct {
    const AltclipVisionConfig *config;
    guint projection_dim; /* 0: there is no projection */
    guint n_patches;
    const AltclipStoredTensor *class_embedding;    /* [width] */
    const AltclipStoredTensor *patch;              /* [width, channels, patch, patch] */
    const AltclipStoredTensor *position_embedding; /* [1 + patches, width] */
    const AltclipStoredTensor *pre_norm[2];        /* weight, bias */
    const AltclipStoredTensor *post_norm[2];
    const AltclipStoredTensor *projection; /* (nullable): [projection_dim, width] */
    AltclipStoredBlock *blocks;
    guint64 n_parameters; /* the projection's not counted */
} AltclipStoredVision;

typedef struct {
    const AltclipVisionConfig *config;
    guint projection_dim;      /* 0: there is no projection */
    guint side;                /* rows of patches, and columns, of a picture of image_size */
    float *class_embedding;    /* [width] */
    float *position_embedding; /* [1 + side², width] */
    AltclipLinear patch;       /* [width, channels · patch²] */
    AltclipNorm pre_norm;
    AltclipEncoder encoder;
    AltclipNorm post_norm;
    AltclipLinear projection; /* [projection_dim, width] */
} AltclipVision;

/* Pictures of one size for the tower. */
typedef struct {
    const float *pixel_values; /* [n, channels, height, width] */
    guint n;
    guint height;
    guint width;
    const float *positions; /* [1 + patches, width]: vision's own, or interpolated */
} AltclipVisionInputs;

/* Where a forward pass leaves its results; each nullable. */
typedef struct {
    float *last_hidden_state; /* [images, 1 + patches, width] */
    float *pooler_output;     /* [images, width] */
    float *features;          /* [images, projection_dim], not normalised; needs the projection */
    const AltclipObserver *observer;
} AltclipVisionOutputs;

/**
 * altclip_stored_vision_find:
 * @projection_dim: 0: no projection is asked for
 *
 * Finds the image tower's tensors and checks their shapes. To be cleared, after a failure too.
 */
gboolean altclip_stored_vision_find (AltclipStoredVision *stored, AltclipWeights *weights,
        const AltclipVisionConfig *config, guint projection_dim, GError **error);
void altclip_stored_vision_clear (AltclipStoredVision *stored);

/**
 * altclip_vision_new:
 * @finer: (nullable): what computes the first layer and the projection, and others that @kernels
 *     would be too coarse for, see rounding.h, or those that a tower in 8-bit integers has not in
 *     such; NULL: @kernels do it all
 * @workspace: whose threads pack
 *
 * Returns: (transfer full) (nullable): the packed tower, which needs the configuration as long as
 *     it lives, and nothing of the file; %NULL when cancelled
 */
AltclipVision *altclip_vision_new (const AltclipStoredVision *stored, const AltclipKernels *kernels,
        const AltclipKernels *finer, AltclipWorkspace *workspace, GCancellable *cancellable,
        GError **error);
void altclip_vision_free (AltclipVision *vision);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipVision, altclip_vision_free)

/* Returns: how many linear layers of the blocks are computed by others than the tower's kernels. */
guint altclip_vision_count_finer (const AltclipVision *vision);

/* Returns: bytes of the packed weights. */
gsize altclip_vision_get_size (const AltclipVision *vision);

/* Rows and columns that make no whole patch do not count. Returns: patches of a picture. */
guint altclip_vision_count_patches (const AltclipVision *vision, guint height, guint width);

/**
 * altclip_vision_check_size:
 * @interpolate: whether another size than image_size may be
 *
 * Whether the tower takes pictures of @height by @width pixels.
 */
gboolean altclip_vision_check_size (const AltclipVision *vision, guint height, guint width,
        gboolean interpolate, GError **error);

/**
 * altclip_vision_has_positions:
 *
 * Whether the tower's own positions are those of pictures of this size.
 */
gboolean altclip_vision_has_positions (const AltclipVision *vision, guint height, guint width);

/**
 * altclip_vision_interpolate_positions:
 *
 * Reference: AltCLIPVisionEmbeddings.interpolate_pos_encoding in transformers' modeling_altclip.py:
 * torch's bicubic interpolation, a = −0.75, without anti-aliasing or aligned corners.
 *
 * Returns: (transfer full): [1 + patches, width]; free with altclip_aligned_free()
 */
float *altclip_vision_interpolate_positions (
        const AltclipVision *vision, guint height, guint width);

/* Returns: pictures of this size to run at a time, at least one. */
guint altclip_vision_get_batch (const AltclipVision *vision, guint height, guint width);

/* Returns: @n of the pictures of @inputs, from @first on. */
AltclipVisionInputs altclip_vision_inputs_get_range (
        const AltclipVision *vision, const AltclipVisionInputs *inputs, guint first, guint n);

/**
 * altclip_vision_run:
 * @inputs: of a size that altclip_vision_check_size() took, at least one picture
 *
 * Reference: AltCLIPVisionTransformer.forward and AltCLIPModel.get_image_features in transformers'
 * modeling_altclip.py.
 */
void altclip_vision_run (const AltclipVision *vision, AltclipWorkspace *workspace,
        const AltclipVisionInputs *inputs, const AltclipVisionOutputs *outputs);

G_END_DECLS

#endif /* ALTCLIP_VISION_H */
