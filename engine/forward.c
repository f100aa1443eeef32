/* altclip: every tensor of the reference's forward pass
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All tensors are made before anything is computed, so that one pass too large is refused at once.
 * The towers then run on a few texts or pictures at a time, and leave their results there.
 */

#include "encoding.h"
#include "safetensors.h"
#include "session.h"
#include "tensor.h"

#include <math.h>
#include <string.h>

gboolean
altclip_tensors_save (GPtrArray *tensors, const char *path, GError **error)
{
    return altclip_safetensors_write (path, tensors, error);
}

/* ---- Tensors --------------------------------------------------------------------------------- */

typedef struct {
    AltclipSession *session;
    AltclipForwardFlags flags;
    GPtrArray *tensors;
    guint64 n_bytes; /* of all of them */
    GError **error;
    gboolean failed; /* the first error sticks, and nothing is added any more */
} Forward;

/* Sizes are products of few numbers of less than 32 bits, but of more than two. */
static gboolean
grow (Forward *forward, const char *name, guint64 n_bytes, guint n_dims, const guint64 *dims)
{
    gboolean fits = TRUE;

    for (guint i = 0; i < n_dims && fits; i++)
        fits = g_uint64_checked_mul (&n_bytes, n_bytes, dims[i]);
    if (fits && n_bytes <= ALTCLIP_FORWARD_MAX_BYTES - forward->n_bytes) {
        forward->n_bytes += n_bytes;
        return TRUE;
    }
    g_set_error (forward->error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "with '%s' the tensors of this forward pass exceed the limit of %" G_GUINT64_FORMAT
            " bytes: give fewer or shorter texts, fewer or smaller pictures, or ask for less",
            name, ALTCLIP_FORWARD_MAX_BYTES);
    return FALSE;
}

/* Returns: (transfer none) (nullable): the tensor's elements, 0; NULL after an error */
static void *
add (Forward *forward, const char *name, gboolean is_int64, guint n_dims, const guint64 *dims)
{
    void *data;

    if (forward->failed)
        return NULL;
    forward->failed = TRUE;
    if (!grow (forward, name, is_int64 ? sizeof (gint64) : sizeof (float), n_dims, dims))
        return NULL;
    data = altclip_tensors_try_add (forward->tensors, name, is_int64, n_dims, dims);
    if (!data) {
        g_autofree char *shape = altclip_shape_to_string (dims, n_dims);
        g_set_error (forward->error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
                "memory is too short for '%s' of shape %s", name, shape);
        return NULL;
    }
    forward->failed = FALSE;
    return data;
}

static float *
add_matrix (Forward *forward, const char *name, guint64 rows, guint64 columns)
{
    return add (forward, name, FALSE, 2, (guint64[]){ rows, columns });
}

/* ---- Outputs of a tower ---------------------------------------------------------------------- */

/* What a tower is given, and how wide its results are. */
typedef struct {
    const char *tower; /* as in `text_model_output` */
    const char *kind;  /* as in `image_embeds` */
    const AltclipTowerConfig *config;
    guint n;             /* texts or pictures */
    guint length;        /* rows of each */
    guint output_width;  /* of last_hidden_state and pooler_output */
    guint embedding_dim; /* 0: there is no projection */
} TowerShape;

typedef struct {
    TowerShape shape;
    float *last_hidden_state; /* [n, length, output width] */
    float *pooler_output;     /* [n, output width] */
    float *features;          /* [n, embedding dim], or NULL */
    float *embeds;            /* [n, embedding dim], or NULL */
    GPtrArray *hidden_states; /* per layer and one: [n, length, hidden_size] */
    GPtrArray *attentions;    /* per layer: [n, heads, length, length] */
    AltclipObserver observer;
    guint first;   /* of the texts or pictures in work */
    guint n_batch; /* their number */
} TowerOutputs;

static void
tower_outputs_clear (TowerOutputs *outputs)
{
    g_clear_pointer (&outputs->hidden_states, g_ptr_array_unref);
    g_clear_pointer (&outputs->attentions, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TowerOutputs, tower_outputs_clear)

static void
keep_hidden_state (gpointer data, guint layer, const float *x)
{
    TowerOutputs *outputs = data;
    gsize n = (gsize)outputs->shape.length * outputs->shape.config->hidden_size;
    float *state = g_ptr_array_index (outputs->hidden_states, layer);

    memcpy (state + outputs->first * n, x, outputs->n_batch * n * sizeof (float));
}

static float *
get_attentions (gpointer data, guint layer)
{
    TowerOutputs *outputs = data;
    gsize length = outputs->shape.length;
    float *attentions = g_ptr_array_index (outputs->attentions, layer);

    return attentions +
           outputs->first * outputs->shape.config->num_attention_heads * length * length;
}

static GPtrArray *
add_hidden_states (Forward *forward, const TowerShape *shape)
{
    GPtrArray *states = g_ptr_array_new ();
    const guint64 dims[] = { shape->n, shape->length, shape->config->hidden_size };

    for (guint i = 0; i <= shape->config->num_hidden_layers; i++) {
        g_autofree char *name =
                g_strdup_printf ("%s_model_output.hidden_states.%u", shape->tower, i);
        g_ptr_array_add (states, add (forward, name, FALSE, 3, dims));
    }
    return states;
}

static GPtrArray *
add_attentions (Forward *forward, const TowerShape *shape)
{
    GPtrArray *attentions = g_ptr_array_new ();
    const guint64 dims[] = { shape->n, shape->config->num_attention_heads, shape->length,
        shape->length };

    for (guint i = 0; i < shape->config->num_hidden_layers; i++) {
        g_autofree char *name = g_strdup_printf ("%s_model_output.attentions.%u", shape->tower, i);
        g_ptr_array_add (attentions, add (forward, name, FALSE, 4, dims));
    }
    return attentions;
}

/* Makes the tensors; see Forward.failed. */
static void
add_tower_outputs (Forward *forward, const TowerShape *shape, TowerOutputs *outputs)
{
    g_autofree char *last = g_strconcat (shape->tower, "_model_output.last_hidden_state", NULL);
    g_autofree char *pooler = g_strconcat (shape->tower, "_model_output.pooler_output", NULL);
    g_autofree char *features = g_strconcat (shape->kind, "_features", NULL);
    g_autofree char *embeds = g_strconcat (shape->kind, "_embeds", NULL);

    outputs->shape = *shape;
    outputs->last_hidden_state = add (
            forward, last, FALSE, 3, (guint64[]){ shape->n, shape->length, shape->output_width });
    outputs->pooler_output = add_matrix (forward, pooler, shape->n, shape->output_width);
    if (shape->embedding_dim) {
        outputs->features = add_matrix (forward, features, shape->n, shape->embedding_dim);
        outputs->embeds = add_matrix (forward, embeds, shape->n, shape->embedding_dim);
    }
    outputs->observer.data = outputs;
    if (forward->flags & ALTCLIP_FORWARD_HIDDEN_STATES) {
        outputs->hidden_states = add_hidden_states (forward, shape);
        outputs->observer.hidden_state = keep_hidden_state;
    }
    if (forward->flags & ALTCLIP_FORWARD_ATTENTIONS) {
        outputs->attentions = add_attentions (forward, shape);
        outputs->observer.attentions = get_attentions;
    }
}

/* Where the batch in work leaves its last_hidden_state; likewise the two below. */
static float *
get_last_hidden_state (const TowerOutputs *outputs)
{
    return outputs->last_hidden_state +
           (gsize)outputs->first * outputs->shape.length * outputs->shape.output_width;
}

static float *
get_pooler_output (const TowerOutputs *outputs)
{
    return outputs->pooler_output + (gsize)outputs->first * outputs->shape.output_width;
}

static float *
get_features (const TowerOutputs *outputs)
{
    return outputs->features
                   ? outputs->features + (gsize)outputs->first * outputs->shape.embedding_dim
                   : NULL;
}

static gboolean
normalise_features (const Forward *forward, const TowerOutputs *outputs)
{
    const TowerShape *shape = &outputs->shape;
    AltclipModel *model = altclip_session_get_model (forward->session);

    if (!outputs->embeds)
        return TRUE;
    memcpy (outputs->embeds, outputs->features,
            (gsize)shape->n * shape->embedding_dim * sizeof (float));
    if (altclip_normalise_rows (
                shape->kind, outputs->embeds, shape->n, shape->embedding_dim, forward->error))
        return TRUE;
    g_prefix_error (forward->error, "%s: ", altclip_model_get_info (model)->directory);
    return FALSE;
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* Texts of one length, padded. */
typedef struct {
    guint n; /* 0: there are no texts */
    guint length;
    gint64 *ids;         /* [n, length], or NULL when there are embeds */
    gint64 *mask;        /* [n, length] */
    guint *n_attended;   /* [n]: ids up to the last whose mask is 1 */
    gboolean has_holes;  /* in a mask, before its last 1 */
    const float *embeds; /* these three: of an AltclipEncoding, or NULL */
    const guint *positions;
    const guint *types;
    TowerOutputs outputs;
} Texts;

static void
texts_clear (Texts *texts)
{
    g_free (texts->n_attended);
    tower_outputs_clear (&texts->outputs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Texts, texts_clear)

static GPtrArray *
tokenize_texts (AltclipModel *model, const char *const *texts, guint n_texts, GError **error)
{
    g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_array_unref);

    for (guint i = 0; i < n_texts; i++) {
        GArray *ids = altclip_model_tokenize (model, texts[i], error);
        if (!ids)
            return NULL;
        g_ptr_array_add (rows, ids);
    }
    return g_steal_pointer (&rows);
}

/* Makes the tensors; see Forward.failed. */
static void
add_ids_and_mask (Forward *forward, Texts *texts, gboolean with_ids)
{
    const guint64 dims[2] = { texts->n, texts->length };

    if (with_ids)
        texts->ids = add (forward, "input_ids", TRUE, 2, dims);
    texts->mask = add (forward, "attention_mask", TRUE, 2, dims);
}

/* Finds out what the mask leaves. */
static void
count_attended (Texts *texts)
{
    texts->n_attended = g_new0 (guint, texts->n);
    for (guint i = 0; i < texts->n; i++) {
        const gint64 *mask = texts->mask + (gsize)i * texts->length;
        guint n = 0;

        for (guint j = 0; j < texts->length; j++) {
            n += mask[j] != 0;
            if (mask[j])
                texts->n_attended[i] = j + 1;
        }
        texts->has_holes |= n < texts->n_attended[i];
    }
}

/* Pads with the tokenizer's <pad>: the pad_token_id of config.json tells only which tokens have no
 * position of their own. */
static gboolean
pad_rows (Forward *forward, GPtrArray *rows, Texts *texts)
{
    texts->n = rows->len;
    for (guint i = 0; i < rows->len; i++)
        texts->length = MAX (texts->length, ((GArray *)g_ptr_array_index (rows, i))->len);
    add_ids_and_mask (forward, texts, TRUE);
    for (gsize i = 0; i < rows->len && !forward->failed; i++) {
        const GArray *row = g_ptr_array_index (rows, i);

        for (gsize j = 0; j < texts->length; j++) {
            texts->ids[i * texts->length + j] =
                    j < row->len ? g_array_index (row, gint32, j) : ALTCLIP_TOKEN_PAD;
            texts->mask[i * texts->length + j] = j < row->len;
        }
    }
    return !forward->failed;
}

static gboolean
take_strings (Forward *forward, const char *const *strings, guint n, Texts *texts)
{
    AltclipModel *model = altclip_session_get_model (forward->session);
    g_autoptr (GPtrArray) rows = tokenize_texts (model, strings, n, forward->error);

    return rows && pad_rows (forward, rows, texts);
}

static gboolean
take_encoding (Forward *forward, const AltclipEncoding *encoding, Texts *texts)
{
    AltclipModel *model = altclip_session_get_model (forward->session);
    gsize n = (gsize)encoding->n * encoding->length;

    if (!altclip_encoding_check (encoding, &altclip_model_get_config (model)->text, forward->error))
        return FALSE;
    texts->n = encoding->n;
    texts->length = encoding->length;
    texts->embeds = encoding->inputs_embeds;
    texts->positions = encoding->position_ids;
    texts->types = encoding->token_type_ids;
    add_ids_and_mask (forward, texts, encoding->input_ids != NULL);
    for (gsize i = 0; i < n && !forward->failed; i++) {
        if (texts->ids)
            texts->ids[i] = encoding->input_ids[i];
        texts->mask[i] = encoding->attention_mask ? encoding->attention_mask[i] : 1;
    }
    return !forward->failed;
}

/* Makes room for what comes of texts that were taken. */
static gboolean
prepare_texts (Forward *forward, Texts *texts)
{
    AltclipModel *model = altclip_session_get_model (forward->session);
    const AltclipTextConfig *config = &altclip_model_get_config (model)->text;
    TowerShape shape = { "text", "text", &config->tower, texts->n, texts->length,
        config->project_dim, 0 };

    if (altclip_model_can_embed (model, ALTCLIP_TOWER_TEXT, NULL))
        shape.embedding_dim = altclip_model_get_info (model)->projection_dim;
    count_attended (texts);
    add_tower_outputs (forward, &shape, &texts->outputs);
    return !forward->failed;
}

/* What the tower is told of the texts from @first: @ids, @mask and @numbers have room for them. */
static AltclipTokens
gather_tokens (const Texts *texts, guint first, guint n, gint32 *ids, guint8 *mask, guint *numbers)
{
    gsize length = texts->length;
    gsize row = first * length;
    gsize width = texts->outputs.shape.config->hidden_size;

    for (gsize i = 0; i < n * length; i++) {
        ids[i] = texts->ids ? (gint32)texts->ids[row + i] : 0;
        mask[i] = texts->mask[row + i] != 0;
    }
    for (guint i = 0; i <= n; i++)
        numbers[i] = i * texts->length;
    return (AltclipTokens){
        .ids = texts->ids ? ids : NULL,
        .embeds = texts->embeds ? texts->embeds + row * width : NULL,
        .positions = texts->positions ? texts->positions + row : NULL,
        .types = texts->types ? texts->types + row : NULL,
        .sequences = { n, numbers, texts->n_attended + first, texts->length,
                texts->has_holes ? mask : NULL },
    };
}

static void
run_texts (Forward *forward, Texts *texts, const AltclipText *text)
{
    TowerOutputs *outputs = &texts->outputs;
    AltclipWorkspace *workspace = altclip_session_get_workspace (forward->session);
    guint batch = MIN (texts->n, MAX (1, ALTCLIP_BATCH_ROWS / texts->length));
    g_autofree gint32 *ids = g_new (gint32, (gsize)batch * texts->length);
    g_autofree guint8 *mask = g_new (guint8, (gsize)batch * texts->length);
    g_autofree guint *offsets = g_new (guint, batch + 1);

    for (outputs->first = 0; outputs->first < texts->n; outputs->first += batch) {
        AltclipTextOutputs results = { get_last_hidden_state (outputs), get_pooler_output (outputs),
            get_features (outputs), &outputs->observer };
        AltclipTokens tokens = gather_tokens (
                texts, outputs->first, MIN (batch, texts->n - outputs->first), ids, mask, offsets);

        outputs->n_batch = tokens.sequences.n;
        altclip_text_run (text, workspace, &tokens, &results);
    }
}

static gboolean
forward_texts (Forward *forward, Texts *texts)
{
    const AltclipText *text;

    altclip_session_begin_texts (forward->session);
    text = altclip_session_get_text (forward->session, NULL, forward->error);
    if (text)
        run_texts (forward, texts, text);
    altclip_session_end_texts (forward->session);
    return text && normalise_features (forward, &texts->outputs);
}

/* ---- Pictures -------------------------------------------------------------------------------- */

typedef struct {
    const AltclipVision *vision; /* NULL: there are no pictures */
    AltclipVisionInputs inputs;
    TowerOutputs outputs;
} Pictures;

static void
pictures_clear (Pictures *pictures)
{
    tower_outputs_clear (&pictures->outputs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pictures, pictures_clear)

static gboolean
prepare_pictures (Forward *forward, const AltclipPictures *given, Pictures *pictures)
{
    AltclipVisionInputs *inputs = &pictures->inputs;
    const AltclipVision *vision =
            altclip_session_prepare_pictures (forward->session, given, inputs, forward->error);
    guint length;
    float *copy;

    if (!vision)
        return FALSE;
    pictures->vision = vision;
    length = altclip_vision_count_patches (vision, inputs->height, inputs->width) + 1;
    copy = add (forward, "pixel_values", FALSE, 4,
            (guint64[]){ inputs->n, vision->config->num_channels, inputs->height, inputs->width });
    add_tower_outputs (forward,
            &(TowerShape){ "vision", "image", &vision->config->tower, inputs->n, length,
                    vision->config->tower.hidden_size, vision->projection_dim },
            &pictures->outputs);
    if (forward->failed)
        return FALSE;
    memcpy (copy, inputs->pixel_values,
            (gsize)inputs->n * vision->config->num_channels * inputs->height * inputs->width *
                    sizeof (float));
    return TRUE;
}

static gboolean
forward_pictures (Forward *forward, Pictures *pictures)
{
    const AltclipVision *vision = pictures->vision;
    const AltclipVisionInputs *inputs = &pictures->inputs;
    TowerOutputs *outputs = &pictures->outputs;
    guint batch = altclip_vision_get_batch (vision, inputs->height, inputs->width);

    for (outputs->first = 0; outputs->first < inputs->n; outputs->first += batch) {
        AltclipVisionOutputs results = { get_last_hidden_state (outputs),
            get_pooler_output (outputs), get_features (outputs), &outputs->observer };
        AltclipVisionInputs range = altclip_vision_inputs_get_range (
                vision, inputs, outputs->first, MIN (batch, inputs->n - outputs->first));

        outputs->n_batch = range.n;
        altclip_vision_run (
                vision, altclip_session_get_workspace (forward->session), &range, &results);
    }
    return normalise_features (forward, outputs);
}

/* ---- Both ------------------------------------------------------------------------------------ */

typedef struct {
    float *per_text;  /* [texts, pictures] */
    float *per_image; /* [pictures, texts] */
    float *loss;      /* a single number, or NULL */
} Logits;

static void
compute_logits (
        double scale, const TowerOutputs *texts, const TowerOutputs *pictures, Logits *logits)
{
    gsize dim = texts->shape.embedding_dim;
    gsize n_texts = texts->shape.n;
    gsize n_pictures = pictures->shape.n;

    for (gsize t = 0; t < n_texts; t++) {
        for (gsize i = 0; i < n_pictures; i++) {
            double cosine = 0.0;

            for (gsize d = 0; d < dim; d++)
                cosine += (double)texts->embeds[t * dim + d] * pictures->embeds[i * dim + d];
            logits->per_text[t * n_pictures + i] = (float)(scale * cosine);
            logits->per_image[i * n_texts + t] = logits->per_text[t * n_pictures + i];
        }
    }
}

/* The mean of −log softmax at the diagonal of [n, n]. */
static double
compute_cross_entropy (const float *logits, gsize n)
{
    double total = 0.0;

    for (gsize row = 0; row < n; row++) {
        const float *x = logits + row * n;
        double maximum = x[0];
        double sum = 0.0;

        for (gsize i = 1; i < n; i++)
            maximum = MAX (maximum, (double)x[i]);
        for (gsize i = 0; i < n; i++)
            sum += exp (x[i] - maximum);
        total += log (sum) + maximum - x[row];
    }
    return total / (double)n;
}

/* clip_loss of transformers' modeling_altclip.py. */
static void
compute_loss (const Logits *logits, gsize n)
{
    *logits->loss = (float)((compute_cross_entropy (logits->per_text, n) +
                                    compute_cross_entropy (logits->per_image, n)) /
                            2.0);
}

static gboolean
prepare_logits (Forward *forward, guint n_texts, guint n_pictures, Logits *logits)
{
    logits->per_text = add_matrix (forward, "logits_per_text", n_texts, n_pictures);
    logits->per_image = add_matrix (forward, "logits_per_image", n_pictures, n_texts);
    if (forward->flags & ALTCLIP_FORWARD_LOSS)
        logits->loss = add (forward, "loss", FALSE, 0, NULL);
    return !forward->failed;
}

static gboolean
check_loss (guint n_texts, guint n_pictures, GError **error)
{
    if (n_texts > 0 && n_texts == n_pictures)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_COMPUTE,
            "the contrastive loss needs as many texts as pictures, at least one of each, but there "
            "are %u texts and %u pictures",
            n_texts, n_pictures);
    return FALSE;
}

static gboolean
run_both (Forward *forward, Texts *texts, Pictures *pictures, Logits *logits)
{
    AltclipModel *model = altclip_session_get_model (forward->session);

    if ((texts->n > 0 && !forward_texts (forward, texts)) ||
            (pictures->vision && !forward_pictures (forward, pictures)))
        return FALSE;
    if (logits->per_text)
        compute_logits (altclip_model_get_info (model)->logit_scale, &texts->outputs,
                &pictures->outputs, logits);
    if (logits->loss)
        compute_loss (logits, texts->outputs.shape.n);
    return TRUE;
}

/* Runs both towers, or one when there is nothing for the other. Of the texts either @strings or
 * @encoding is there. */
static GPtrArray *
forward_both (AltclipSession *session, const char *const *strings, guint n_texts,
        const AltclipEncoding *encoding, const AltclipPictures *pictures, AltclipForwardFlags flags,
        GError **error)
{
    AltclipModel *model = altclip_session_get_model (session);
    g_autoptr (GPtrArray) tensors = altclip_tensors_new ();
    Forward forward = { session, flags, tensors, 0, error, FALSE };
    guint n_pictures = pictures ? pictures->n : 0;
    g_auto (Texts) text = { 0 };
    g_auto (Pictures) vision = { 0 };
    Logits logits = { 0 };

    if ((flags & ALTCLIP_FORWARD_LOSS) && !check_loss (n_texts, n_pictures, error))
        return NULL;
    if (n_texts > 0 && !altclip_model_check_tower (model, ALTCLIP_TOWER_TEXT, error))
        return NULL;
    if (n_texts > 0 && !(encoding ? take_encoding (&forward, encoding, &text)
                                  : take_strings (&forward, strings, n_texts, &text)))
        return NULL;
    if ((n_texts > 0 && !prepare_texts (&forward, &text)) ||
            (n_pictures > 0 && !prepare_pictures (&forward, pictures, &vision)))
        return NULL;
    if (text.outputs.embeds && vision.outputs.embeds &&
            !prepare_logits (&forward, n_texts, n_pictures, &logits))
        return NULL;
    return run_both (&forward, &text, &vision, &logits) ? g_steal_pointer (&tensors) : NULL;
}

GPtrArray *
altclip_session_forward (AltclipSession *session, const char *const *texts, guint n_texts,
        const AltclipPictures *pictures, AltclipForwardFlags flags, GError **error)
{
    return forward_both (session, texts, n_texts, NULL, pictures, flags, error);
}

GPtrArray *
altclip_session_forward_encoding (AltclipSession *session, const AltclipEncoding *encoding,
        const AltclipPictures *pictures, AltclipForwardFlags flags, GError **error)
{
    return forward_both (
            session, NULL, encoding ? encoding->n : 0, encoding, pictures, flags, error);
}
