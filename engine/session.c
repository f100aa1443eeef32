/* altclip: what one computing thread needs beside the model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "session.h"

#include <math.h>

struct _AltclipSession {
    AltclipModel *model;
    AltclipWorkspace *workspace;
    guint n_text_runs;       /* altclip_session_begin_texts() without its end */
    const AltclipText *text; /* (nullable): acquired by the first of them that needed it */
    /* The last interpolated ones, and for what size: */
    float *positions;
    guint positions_height;
    guint positions_width;
};

AltclipSession *
altclip_session_new (AltclipModel *model, guint threads, GError **error)
{
    AltclipWorkspace *workspace = altclip_workspace_new (threads, error);
    AltclipSession *session;

    if (!workspace)
        return NULL;
    session = g_new0 (AltclipSession, 1);
    session->model = altclip_model_ref (model);
    session->workspace = workspace;
    return session;
}

void
altclip_session_free (AltclipSession *session)
{
    if (!session)
        return;
    altclip_aligned_free (session->positions);
    altclip_workspace_free (session->workspace);
    altclip_model_unref (session->model);
    g_free (session);
}

AltclipModel *
altclip_session_get_model (AltclipSession *session)
{
    return session->model;
}

AltclipWorkspace *
altclip_session_get_workspace (AltclipSession *session)
{
    return session->workspace;
}

gboolean
altclip_normalise_rows (float *rows, guint n, guint dim, GError **error)
{
    for (guint row = 0; row < n; row++, rows += dim) {
        double square = 0.0;

        for (guint i = 0; i < dim; i++)
            square += (double)rows[i] * rows[i];
        if (!(square > 0.0) || !isfinite (square)) {
            g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
                    "embedding %u has the length %g, which is no positive number", row,
                    sqrt (square));
            return FALSE;
        }
        for (guint i = 0; i < dim; i++)
            rows[i] = (float)(rows[i] / sqrt (square));
    }
    return TRUE;
}

/* ---- Images ---------------------------------------------------------------------------------- */

static const float *
get_positions (AltclipSession *session, const AltclipVision *vision, guint height, guint width)
{
    if (altclip_vision_has_positions (vision, height, width))
        return vision->position_embedding;
    if (height != session->positions_height || width != session->positions_width) {
        altclip_aligned_free (session->positions);
        session->positions = altclip_vision_interpolate_positions (vision, height, width);
        session->positions_height = height;
        session->positions_width = width;
    }
    return session->positions;
}

const AltclipVision *
altclip_session_prepare_pictures (AltclipSession *session, const AltclipPictures *pictures,
        AltclipVisionInputs *inputs, GError **error)
{
    const AltclipVision *vision = altclip_model_get_vision (session->model, error);
    guint height;
    guint width;

    if (!vision)
        return NULL;
    height = pictures->height ? pictures->height : vision->config->image_size;
    width = pictures->width ? pictures->width : vision->config->image_size;
    if (!altclip_vision_check_size (
                vision, height, width, pictures->interpolate_pos_encoding, error))
        return NULL;
    *inputs = (AltclipVisionInputs){ pictures->pixel_values, pictures->n, height, width,
        get_positions (session, vision, height, width) };
    return vision;
}

gboolean
altclip_session_get_image_features (
        AltclipSession *session, const AltclipPictures *pictures, float *features, GError **error)
{
    const AltclipVision *vision;
    AltclipVisionInputs all;
    guint batch;

    if (pictures->n == 0)
        return TRUE;
    if (!altclip_model_can_embed (session->model, ALTCLIP_TOWER_IMAGE, error))
        return FALSE;
    vision = altclip_session_prepare_pictures (session, pictures, &all, error);
    if (!vision)
        return FALSE;
    batch = altclip_vision_get_batch (vision, all.height, all.width);
    for (guint first = 0; first < all.n; first += batch) {
        AltclipVisionInputs inputs =
                altclip_vision_inputs_get_range (vision, &all, first, MIN (batch, all.n - first));
        AltclipVisionOutputs outputs = { .features =
                                                 features + (gsize)first * vision->projection_dim };

        altclip_vision_run (vision, session->workspace, &inputs, &outputs);
    }
    return TRUE;
}

gboolean
altclip_session_encode_images (AltclipSession *session, const float *pixel_values, guint n_images,
        float *embeddings, GError **error)
{
    AltclipPictures pictures = { .pixel_values = pixel_values, .n = n_images };

    return altclip_session_get_image_features (session, &pictures, embeddings, error) &&
           altclip_normalise_rows (embeddings, n_images,
                   altclip_model_get_info (session->model)->projection_dim, error);
}

/* ---- Texts ----------------------------------------------------------------------------------- */

void
altclip_session_begin_texts (AltclipSession *session)
{
    session->n_text_runs++;
}

void
altclip_session_end_texts (AltclipSession *session)
{
    if (--session->n_text_runs == 0 && session->text) {
        session->text = NULL;
        altclip_model_release_text (session->model);
    }
}

const AltclipText *
altclip_session_get_text (AltclipSession *session, GCancellable *cancellable, GError **error)
{
    g_assert (session->n_text_runs > 0);
    if (!session->text)
        session->text =
                altclip_model_acquire_text (session->model, session->workspace, cancellable, error);
    return session->text;
}

/* Runs the texts gathered in @ids, whose ends are in @offsets, and empties both. */
static gboolean
run_batch (AltclipSession *session, GArray *ids, GArray *offsets, guint longest,
        GCancellable *cancellable, float *features, GError **error)
{
    const AltclipText *text = altclip_session_get_text (session, cancellable, error);
    guint n = offsets->len - 1;
    g_autofree guint *lengths = g_new (guint, n);
    const guint *ends = (const guint *)(void *)offsets->data;
    AltclipTokens tokens = { .ids = (const gint32 *)(void *)ids->data,
        .sequences = { n, ends, lengths, longest, NULL } };
    AltclipTextOutputs outputs = { .features = features };

    if (!text)
        return FALSE;
    for (guint i = 0; i < n; i++)
        lengths[i] = ends[i + 1] - ends[i];
    altclip_text_run (text, session->workspace, &tokens, &outputs);
    g_array_set_size (ids, 0);
    g_array_set_size (offsets, 1);
    return TRUE;
}

static gboolean
run_texts (AltclipSession *session, const char *const *texts, guint n_texts,
        GCancellable *cancellable, float *features, GError **error)
{
    guint dim = altclip_model_get_info (session->model)->projection_dim;
    g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));
    g_autoptr (GArray) offsets = g_array_new (FALSE, TRUE, sizeof (guint));
    guint longest = 0;

    g_array_set_size (offsets, 1);
    for (guint i = 0; i < n_texts; i++) {
        g_autoptr (GArray) text_ids = NULL;

        if (g_cancellable_set_error_if_cancelled (cancellable, error))
            return FALSE;
        text_ids = altclip_model_tokenize (session->model, texts[i], error);
        if (!text_ids)
            return FALSE;
        g_array_append_vals (ids, text_ids->data, text_ids->len);
        g_array_append_val (offsets, ids->len);
        longest = MAX (longest, text_ids->len);
        if (ids->len >= ALTCLIP_BATCH_ROWS || i + 1 == n_texts) {
            guint n = offsets->len - 1;
            if (!run_batch (session, ids, offsets, longest, cancellable, features, error))
                return FALSE;
            features += (gsize)n * dim;
            longest = 0;
        }
    }
    return TRUE;
}

gboolean
altclip_session_get_text_features (AltclipSession *session, const char *const *texts, guint n_texts,
        GCancellable *cancellable, float *features, GError **error)
{
    gboolean ok;

    if (n_texts == 0)
        return TRUE;
    if (!altclip_model_can_embed (session->model, ALTCLIP_TOWER_TEXT, error))
        return FALSE;
    altclip_session_begin_texts (session);
    ok = run_texts (session, texts, n_texts, cancellable, features, error);
    altclip_session_end_texts (session);
    return ok;
}

gboolean
altclip_session_encode_texts (AltclipSession *session, const char *const *texts, guint n_texts,
        GCancellable *cancellable, float *embeddings, GError **error)
{
    return altclip_session_get_text_features (
                   session, texts, n_texts, cancellable, embeddings, error) &&
           altclip_normalise_rows (embeddings, n_texts,
                   altclip_model_get_info (session->model)->projection_dim, error);
}
