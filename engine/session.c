/* altclip: what one computing thread needs beside the model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "excerpt.h"
#include "session.h"

#include <math.h>
#include <string.h>

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
altclip_normalise (float *embedding, guint dim, GError **error)
{
    double square = 0.0;

    for (guint i = 0; i < dim; i++)
        square += (double)embedding[i] * embedding[i];
    if (!(square > 0.0) || !isfinite (square)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
                "its embedding has the length %g, which is no positive number", sqrt (square));
        return FALSE;
    }
    for (guint i = 0; i < dim; i++)
        embedding[i] = (float)(embedding[i] / sqrt (square));
    return TRUE;
}

gboolean
altclip_normalise_rows (const char *what, float *rows, guint n, guint dim, GError **error)
{
    for (guint row = 0; row < n; row++) {
        if (altclip_normalise (rows + (gsize)row * dim, dim, error))
            continue;
        g_prefix_error (error, "%s %u: ", what, row + 1);
        return FALSE;
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
    const AltclipModelInfo *info = altclip_model_get_info (session->model);

    if (!altclip_session_get_image_features (session, &pictures, embeddings, error))
        return FALSE;
    if (altclip_normalise_rows ("picture", embeddings, n_images, info->projection_dim, error))
        return TRUE;
    g_prefix_error (error, "%s: ", info->directory);
    return FALSE;
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

/* Texts on their way through the tower. */
typedef struct {
    AltclipSession *session;
    GCancellable *cancellable;
    const char *const *texts;
    gboolean are_features; /* wanted as they leave the projection, not as unit vectors */
    float *out;            /* [texts, dim] */
    guint dim;
    /* The batch that is being gathered: */
    GArray *ids;     /* of gint32, one text after the other */
    GArray *offsets; /* of guint: where they end, after a 0 */
    GArray *places;  /* of guint: their numbers among the texts */
    guint longest;
} TextRun;

static void
text_run_clear (TextRun *run)
{
    g_array_unref (run->ids);
    g_array_unref (run->offsets);
    g_array_unref (run->places);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TextRun, text_run_clear)

static void
begin_batch (TextRun *run)
{
    g_array_set_size (run->ids, 0);
    g_array_set_size (run->offsets, 1);
    g_array_set_size (run->places, 0);
    run->longest = 0;
}

/* @embeddings: [places, dim] */
static void
keep_embeddings (const TextRun *run, const float *embeddings)
{
    AltclipModel *model = run->session->model;
    AltclipCache *cache = altclip_model_get_embedding_cache (model);

    if (!altclip_model_may_keep (model))
        return;
    for (guint i = 0; i < run->places->len; i++)
        altclip_cache_put (cache, run->texts[g_array_index (run->places, guint, i)],
                embeddings + (gsize)i * run->dim);
    altclip_cache_flush (cache);
}

/* @features: (inout): [places, dim] */
static gboolean
normalise_batch (const TextRun *run, float *features, GError **error)
{
    for (guint i = 0; i < run->places->len; i++) {
        const char *text = run->texts[g_array_index (run->places, guint, i)];

        if (!altclip_normalise (features + (gsize)i * run->dim, run->dim, error)) {
            g_autofree char *shown = altclip_excerpt (text);
            g_prefix_error (error, "%s: the text \"%s\": ",
                    altclip_model_get_info (run->session->model)->directory, shown);
            return FALSE;
        }
    }
    return TRUE;
}

/* @features: (inout): [places, dim] */
static gboolean
finish_batch (TextRun *run, float *features, GError **error)
{
    if (!run->are_features) {
        if (!normalise_batch (run, features, error))
            return FALSE;
        keep_embeddings (run, features);
    }
    for (guint i = 0; i < run->places->len; i++)
        memcpy (run->out + (gsize)g_array_index (run->places, guint, i) * run->dim,
                features + (gsize)i * run->dim, run->dim * sizeof (float));
    begin_batch (run);
    return TRUE;
}

static gboolean
run_batch (TextRun *run, GError **error)
{
    AltclipSession *session = run->session;
    const AltclipText *text = altclip_session_get_text (session, run->cancellable, error);
    guint n = run->places->len;
    g_autofree guint *lengths = g_new (guint, n);
    g_autofree float *features = g_new (float, (gsize)n * run->dim);
    const guint *ends = (const guint *)(void *)run->offsets->data;
    AltclipTokens tokens = { .ids = (const gint32 *)(void *)run->ids->data,
        .sequences = { n, ends, lengths, run->longest, NULL } };
    AltclipTextOutputs outputs = { .features = features };

    if (!text)
        return FALSE;
    for (guint i = 0; i < n; i++)
        lengths[i] = ends[i + 1] - ends[i];
    altclip_text_run (text, session->workspace, &tokens, &outputs);
    return finish_batch (run, features, error);
}

static gboolean
run_text (TextRun *run, guint place, GError **error)
{
    g_autoptr (GArray) ids = NULL;

    if (g_cancellable_set_error_if_cancelled (run->cancellable, error))
        return FALSE;
    ids = altclip_model_tokenize (run->session->model, run->texts[place], error);
    if (!ids)
        return FALSE;
    g_array_append_vals (run->ids, ids->data, ids->len);
    g_array_append_val (run->offsets, run->ids->len);
    g_array_append_val (run->places, place);
    run->longest = MAX (run->longest, ids->len);
    return run->ids->len < ALTCLIP_BATCH_ROWS || run_batch (run, error);
}

static gboolean
run_texts (TextRun *run, guint n_texts, GError **error)
{
    AltclipCache *cache =
            run->are_features ? NULL : altclip_model_get_embedding_cache (run->session->model);

    altclip_cache_refresh (cache);
    for (guint i = 0; i < n_texts; i++) {
        if (!altclip_cache_get (cache, run->texts[i], run->out + (gsize)i * run->dim) &&
                !run_text (run, i, error))
            return FALSE;
    }
    return run->places->len == 0 || run_batch (run, error);
}

static gboolean
run_all (AltclipSession *session, const char *const *texts, guint n_texts, gboolean are_features,
        GCancellable *cancellable, float *out, GError **error)
{
    g_auto (TextRun) run = { session, cancellable, texts, are_features, out,
        altclip_model_get_info (session->model)->projection_dim,
        g_array_new (FALSE, FALSE, sizeof (gint32)), g_array_new (FALSE, TRUE, sizeof (guint)),
        g_array_new (FALSE, FALSE, sizeof (guint)), 0 };
    gboolean ok;

    if (!altclip_model_can_embed (session->model, ALTCLIP_TOWER_TEXT, error))
        return FALSE;
    begin_batch (&run);
    altclip_session_begin_texts (session);
    ok = run_texts (&run, n_texts, error);
    altclip_session_end_texts (session);
    return ok;
}

gboolean
altclip_session_get_text_features (AltclipSession *session, const char *const *texts, guint n_texts,
        GCancellable *cancellable, float *features, GError **error)
{
    return run_all (session, texts, n_texts, TRUE, cancellable, features, error);
}

gboolean
altclip_session_encode_texts (AltclipSession *session, const char *const *texts, guint n_texts,
        GCancellable *cancellable, float *embeddings, GError **error)
{
    return run_all (session, texts, n_texts, FALSE, cancellable, embeddings, error);
}
