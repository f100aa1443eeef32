/* altclip: every tensor of the reference's forward pass
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "safetensors.h"
#include "session.h"
#include "tensor.h"

#include <string.h>

/* ---- Tensors --------------------------------------------------------------------------------- */

static float *
add_matrix (GPtrArray *tensors, const char *name, guint64 rows, guint64 columns)
{
    return altclip_tensors_add (tensors, name, FALSE, 2, (guint64[]){ rows, columns });
}

static float *
add_cube (GPtrArray *tensors, const char *name, guint64 planes, guint64 rows, guint64 columns)
{
    return altclip_tensors_add (tensors, name, FALSE, 3, (guint64[]){ planes, rows, columns });
}

gboolean
altclip_tensors_save (GPtrArray *tensors, const char *path, GError **error)
{
    return altclip_safetensors_write (path, tensors, error);
}

/* ---- Hidden states --------------------------------------------------------------------------- */

typedef struct {
    GPtrArray *tensors;
    const char *prefix;
    guint n;      /* sequences */
    guint length; /* rows of each */
    guint width;
} HiddenStates;

static void
add_hidden_state (gpointer data, guint layer, const float *x)
{
    HiddenStates *states = data;
    g_autofree char *name = g_strdup_printf ("%s.hidden_states.%u", states->prefix, layer);
    float *out = add_cube (states->tensors, name, states->n, states->length, states->width);

    memcpy (out, x, (gsize)states->n * states->length * states->width * sizeof (float));
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* The texts' ids, padded to the longest as the reference's tokenizer does. */
typedef struct {
    guint n;
    guint length;
    gint32 *ids;       /* [n · length] */
    guint *offsets;    /* [n + 1] */
    guint *n_attended; /* [n]: ids that are not padding */
} PaddedTexts;

static void
padded_texts_clear (PaddedTexts *padded)
{
    g_free (padded->ids);
    g_free (padded->offsets);
    g_free (padded->n_attended);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PaddedTexts, padded_texts_clear)

static void
pad_texts (GPtrArray *rows, gint32 pad, PaddedTexts *padded)
{
    padded->n = rows->len;
    for (guint i = 0; i < rows->len; i++)
        padded->length = MAX (padded->length, ((GArray *)g_ptr_array_index (rows, i))->len);
    padded->ids = g_new (gint32, (gsize)padded->n * padded->length);
    padded->offsets = g_new (guint, padded->n + 1);
    padded->n_attended = g_new (guint, padded->n);
    for (guint i = 0; i < padded->n; i++) {
        GArray *row = g_ptr_array_index (rows, i);
        gint32 *ids = padded->ids + (gsize)i * padded->length;

        memcpy (ids, row->data, row->len * sizeof (gint32));
        for (guint j = row->len; j < padded->length; j++)
            ids[j] = pad;
        padded->offsets[i] = i * padded->length;
        padded->n_attended[i] = row->len;
    }
    padded->offsets[padded->n] = padded->n * padded->length;
}

static gboolean
tokenize_texts (AltclipModel *model, const char *const *texts, guint n_texts, PaddedTexts *padded,
        GError **error)
{
    g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_array_unref);

    for (guint i = 0; i < n_texts; i++) {
        GArray *ids = altclip_model_tokenize (model, texts[i], error);
        if (!ids)
            return FALSE;
        g_ptr_array_add (rows, ids);
    }
    pad_texts (rows, (gint32)altclip_model_get_config (model)->text.pad_token_id, padded);
    return TRUE;
}

static void
add_ids_and_mask (GPtrArray *tensors, const PaddedTexts *padded)
{
    const guint64 dims[] = { padded->n, padded->length };
    gint64 *ids = altclip_tensors_add (tensors, "input_ids", TRUE, 2, dims);
    gint64 *mask = altclip_tensors_add (tensors, "attention_mask", TRUE, 2, dims);

    for (guint i = 0; i < padded->n * padded->length; i++) {
        ids[i] = padded->ids[i];
        mask[i] = i % padded->length < padded->n_attended[i / padded->length];
    }
}

/* Returns: (transfer none) (nullable): text_embeds [n_texts, projection_dim] */
static float *
run_texts (AltclipSession *session, const char *const *texts, guint n_texts,
        AltclipForwardFlags flags, GPtrArray *tensors, GError **error)
{
    AltclipModel *model = altclip_session_get_model (session);
    const AltclipTextConfig *config = &altclip_model_get_config (model)->text;
    guint dim = altclip_model_get_info (model)->projection_dim;
    g_auto (PaddedTexts) padded = { 0 };
    AltclipTokens tokens;
    AltclipTextOutputs outputs = { 0 };
    HiddenStates states;
    const AltclipText *text;
    float *embeds;

    if (!tokenize_texts (model, texts, n_texts, &padded, error))
        return NULL;
    add_ids_and_mask (tensors, &padded);
    tokens = (AltclipTokens){ padded.ids,
        { n_texts, padded.offsets, padded.n_attended, padded.length } };
    states = (HiddenStates){ tensors, "text_model_output", n_texts, padded.length,
        config->tower.hidden_size };
    outputs.last_hidden_state = add_cube (tensors, "text_model_output.last_hidden_state", n_texts,
            padded.length, config->project_dim);
    outputs.pooler_output =
            add_matrix (tensors, "text_model_output.pooler_output", n_texts, config->project_dim);
    outputs.features = add_matrix (tensors, "text_features", n_texts, dim);
    if (flags & ALTCLIP_FORWARD_HIDDEN_STATES) {
        outputs.hidden_state = add_hidden_state;
        outputs.hidden_state_data = &states;
    }
    text = altclip_session_get_text (session, NULL, error);
    if (!text)
        return NULL;
    altclip_text_run (text, altclip_session_get_workspace (session), &tokens, &outputs);
    embeds = add_matrix (tensors, "text_embeds", n_texts, dim);
    memcpy (embeds, outputs.features, (gsize)n_texts * dim * sizeof (float));
    return altclip_normalise_rows (embeds, n_texts, dim, error) ? embeds : NULL;
}

static float *
forward_texts (AltclipSession *session, const char *const *texts, guint n_texts,
        AltclipForwardFlags flags, GPtrArray *tensors, GError **error)
{
    float *embeds;

    if (!altclip_model_can_embed (altclip_session_get_model (session), ALTCLIP_TOWER_TEXT, error))
        return NULL;
    altclip_session_begin_texts (session);
    embeds = run_texts (session, texts, n_texts, flags, tensors, error);
    altclip_session_end_texts (session);
    return embeds;
}

/* ---- Images ---------------------------------------------------------------------------------- */

static void
add_pixel_values (GPtrArray *tensors, const AltclipVisionConfig *config, const float *pixel_values,
        guint n_images)
{
    gsize n = (gsize)n_images * config->num_channels * config->image_size * config->image_size;
    const guint64 dims[] = { n_images, config->num_channels, config->image_size,
        config->image_size };
    float *copy = altclip_tensors_add (tensors, "pixel_values", FALSE, 4, dims);

    memcpy (copy, pixel_values, n * sizeof (float));
}

/* Returns: (transfer none) (nullable): image_embeds [n_images, projection_dim] */
static float *
forward_images (AltclipSession *session, const float *pixel_values, guint n_images,
        AltclipForwardFlags flags, GPtrArray *tensors, GError **error)
{
    AltclipModel *model = altclip_session_get_model (session);
    const AltclipVision *vision = altclip_model_can_embed (model, ALTCLIP_TOWER_IMAGE, error)
                                          ? altclip_model_get_vision (model, error)
                                          : NULL;
    AltclipVisionOutputs outputs = { 0 };
    HiddenStates states;
    float *embeds;
    guint width;
    guint rows;
    guint dim;

    if (!vision)
        return NULL;
    width = vision->config->tower.hidden_size;
    rows = vision->n_patches + 1;
    dim = vision->projection_dim;
    states = (HiddenStates){ tensors, "vision_model_output", n_images, rows, width };
    add_pixel_values (tensors, vision->config, pixel_values, n_images);
    outputs.last_hidden_state =
            add_cube (tensors, "vision_model_output.last_hidden_state", n_images, rows, width);
    outputs.pooler_output =
            add_matrix (tensors, "vision_model_output.pooler_output", n_images, width);
    outputs.features = add_matrix (tensors, "image_features", n_images, dim);
    if (flags & ALTCLIP_FORWARD_HIDDEN_STATES) {
        outputs.hidden_state = add_hidden_state;
        outputs.hidden_state_data = &states;
    }
    altclip_vision_run (
            vision, altclip_session_get_workspace (session), pixel_values, n_images, &outputs);
    embeds = add_matrix (tensors, "image_embeds", n_images, dim);
    memcpy (embeds, outputs.features, (gsize)n_images * dim * sizeof (float));
    return altclip_normalise_rows (embeds, n_images, dim, error) ? embeds : NULL;
}

/* ---- Both ------------------------------------------------------------------------------------ */

static void
add_logits (GPtrArray *tensors, const AltclipModelInfo *info, const float *text_embeds,
        guint n_texts, const float *image_embeds, guint n_images)
{
    float *per_text = add_matrix (tensors, "logits_per_text", n_texts, n_images);
    float *per_image = add_matrix (tensors, "logits_per_image", n_images, n_texts);

    for (guint t = 0; t < n_texts; t++) {
        for (guint i = 0; i < n_images; i++) {
            double cosine = 0.0;

            for (guint d = 0; d < info->projection_dim; d++)
                cosine += (double)text_embeds[(gsize)t * info->projection_dim + d] *
                          image_embeds[(gsize)i * info->projection_dim + d];
            per_text[(gsize)t * n_images + i] = (float)(info->logit_scale * cosine);
            per_image[(gsize)i * n_texts + t] = per_text[(gsize)t * n_images + i];
        }
    }
}

GPtrArray *
altclip_session_forward (AltclipSession *session, const char *const *texts, guint n_texts,
        const float *pixel_values, guint n_images, AltclipForwardFlags flags, GError **error)
{
    g_autoptr (GPtrArray) tensors = altclip_tensors_new ();
    const float *text_embeds = NULL;
    const float *image_embeds = NULL;

    if (texts && n_texts > 0) {
        text_embeds = forward_texts (session, texts, n_texts, flags, tensors, error);
        if (!text_embeds)
            return NULL;
    }
    if (pixel_values && n_images > 0) {
        image_embeds = forward_images (session, pixel_values, n_images, flags, tensors, error);
        if (!image_embeds)
            return NULL;
    }
    if (text_embeds && image_embeds)
        add_logits (tensors, altclip_model_get_info (altclip_session_get_model (session)),
                text_embeds, n_texts, image_embeds, n_images);
    return g_steal_pointer (&tensors);
}
