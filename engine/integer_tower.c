/* altclip: an image tower in 8-bit integers, as a file has it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "integer_tower.h"
#include "packed.h"
#include "quantised.h"

#include <string.h>

/* Numbers that are made integers at a time. */
#define PART 1024

static void
integer_tensor_free (gpointer data)
{
    AltclipIntegerTensor *tensor = data;

    g_free (tensor->steps);
    g_free (tensor->gains);
    g_free (tensor->numbers);
    g_free (tensor);
}

static float *
copy_numbers (const float *numbers, guint64 n)
{
    return g_memdup2 (numbers, n * sizeof *numbers);
}

/* Returns: (transfer none): what is to stand for @stored */
static AltclipIntegerTensor *
add (GHashTable *tower, const AltclipStoredTensor *stored)
{
    AltclipIntegerTensor *tensor = g_new0 (AltclipIntegerTensor, 1);

    g_hash_table_insert (tower, altclip_tensor_name_to_canonical (stored->name), tensor);
    return tensor;
}

static void
add_vector (GHashTable *tower, const AltclipStoredTensor *stored, const float *numbers)
{
    add (tower, stored)->numbers = copy_numbers (numbers, stored->n_elements);
}

/* Elements of one row as they are before they are integers. */
static void
read_scaled (
        const AltclipStoredTensor *stored, const float *gains, guint64 first, guint n, float *out)
{
    guint64 column = first % stored->dims[1];

    altclip_stored_tensor_read (stored, first, n, out);
    for (guint i = 0; gains && i < n; i++)
        out[i] *= gains[column + i];
}

/* @gamma: (nullable): gains of the layer norm before
 * @steps: of the rows */
static void
add_matrix (GHashTable *tower, const AltclipStoredTensor *stored, const AltclipStoredTensor *gamma,
        const float *steps)
{
    AltclipIntegerTensor *tensor = add (tower, stored);

    if (gamma) {
        tensor->gains = g_new (float, gamma->n_elements);
        altclip_stored_tensor_read (gamma, 0, gamma->n_elements, tensor->gains);
    }
    tensor->steps = copy_numbers (steps, stored->dims[0]);
}

/* The layer norm of a packed layer in integers has no gains and biases any more. */
static void
add_layer (GHashTable *tower, const AltclipStoredLayer *stored, const AltclipLinear *linear)
{
    const float *steps = altclip_packed_get_steps (linear);
    guint n0 = 0;

    for (guint part = 0; part < stored->n_parts; part++) {
        add_matrix (tower, stored->weights[part], stored->gamma, steps + n0);
        add_vector (tower, stored->biases[part], linear->bias + n0);
        n0 += (guint)stored->weights[part]->dims[0];
    }
    if (stored->gamma) {
        g_autofree float *gains = g_new (float, linear->k);
        g_autofree float *biases = g_new0 (float, linear->k);

        for (guint i = 0; i < linear->k; i++)
            gains[i] = 1.0f;
        add_vector (tower, stored->gamma, gains);
        add_vector (tower, stored->beta, biases);
    }
}

GHashTable *
altclip_integer_tower_new (AltclipModel *model, GError **error)
{
    const AltclipStoredVision *stored = altclip_model_get_stored_vision (model);
    const AltclipVision *vision = altclip_model_get_vision (model, error);
    GHashTable *tower;

    if (!vision)
        return NULL;
    tower = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, integer_tensor_free);
    for (guint i = 0; i < vision->config->tower.num_hidden_layers * ALTCLIP_N_LAYERS; i++) {
        AltclipLayer layer = (AltclipLayer)(i % ALTCLIP_N_LAYERS);
        AltclipStoredLayer stored_layer = altclip_stored_block_get_layer (
                &stored->blocks[i / ALTCLIP_N_LAYERS], layer, vision->encoder.order);
        const AltclipLinear *linear =
                altclip_block_get_linear (&vision->encoder.blocks[i / ALTCLIP_N_LAYERS], layer);

        if (linear->kernels->precision == ALTCLIP_PRECISION_INT8)
            add_layer (tower, &stored_layer, linear);
    }
    return tower;
}

static void
add_name (GPtrArray *names, GHashTable *tower, const AltclipStoredTensor *stored)
{
    g_autofree char *name = altclip_tensor_name_to_canonical (stored->name);

    if (!g_hash_table_contains (tower, name))
        g_ptr_array_add (names, g_strndup (name, strlen (name) - strlen (".weight")));
}

char **
altclip_integer_tower_list_finer (AltclipModel *model, GHashTable *tower)
{
    const AltclipStoredVision *stored = altclip_model_get_stored_vision (model);
    GPtrArray *names = g_ptr_array_new ();

    add_name (names, tower, stored->patch);
    for (guint i = 0; i < stored->config->tower.num_hidden_layers * ALTCLIP_N_LAYERS; i++) {
        AltclipStoredLayer layer =
                altclip_stored_block_get_layer (&stored->blocks[i / ALTCLIP_N_LAYERS],
                        (AltclipLayer)(i % ALTCLIP_N_LAYERS), ALTCLIP_PRE_NORM);

        for (guint part = 0; part < layer.n_parts; part++)
            add_name (names, tower, layer.weights[part]);
    }
    if (stored->projection)
        add_name (names, tower, stored->projection);
    g_ptr_array_add (names, NULL);
    return (char **)g_ptr_array_free (names, FALSE);
}

void
altclip_integer_tensor_read (const AltclipIntegerTensor *tensor, const AltclipStoredTensor *stored,
        guint64 first, gsize n, float *out)
{
    gint8 integers[PART];
    guint some;

    for (gsize at = 0; at < n; at += some) {
        guint64 column = (first + at) % stored->dims[1];

        some = (guint)MIN (MIN (PART, n - at), stored->dims[1] - column);
        read_scaled (stored, tensor->gains, first + at, some, out + at);
        altclip_quantise_weights (
                out + at, some, tensor->steps[(first + at) / stored->dims[1]], integers);
        for (guint i = 0; i < some; i++)
            out[at + i] = integers[i];
    }
}
