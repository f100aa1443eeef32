/* altclip: which layers 8 bits are too coarse for
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "rounding.h"
#include "noise.h"
#include "packed.h"
#include "quantised.h"

#include <math.h>

/* Pictures, and patches along a side of each. */
#define N_PICTURES 2
#define SIDE 4

typedef struct {
    AltclipWorkspace *workspace;
    gboolean *coarse; /* [num_hidden_layers · ALTCLIP_N_LAYERS] */
} Search;

/* Returns: the sum of squares of what rows of @x [rows, n] differ from their mean by */
static double
sum_variance (const float *x, guint rows, guint n)
{
    double sum = 0.0;

    for (gsize i = 0; i < n; i++) {
        double mean = 0.0;

        for (gsize row = 0; row < rows; row++)
            mean += x[row * n + i];
        mean /= rows;
        for (gsize row = 0; row < rows; row++)
            sum += (x[row * n + i] - mean) * (x[row * n + i] - mean);
    }
    return sum;
}

/* Returns: the same of a layer's outputs */
static double
sum_signal (const Search *search, const AltclipLinear *linear, const float *x, guint rows)
{
    const AltclipEpilogue plain = { ALTCLIP_ACTIVATION_NONE, FALSE };
    g_autofree float *out = g_new (float, (gsize)rows * linear->n);

    altclip_linear_run (search->workspace, linear, x, rows, plain, out);
    return sum_variance (out, rows, linear->n);
}

/* Returns: the sum of squares of what integers add to a layer's outputs. An error that is the same
 * for all tokens does not count. */
static double
sum_noise (const AltclipLinear *linear, const float *x, guint rows)
{
    double power;
    double rounding;
    double noise;

    altclip_packed_measure_weights (linear, &power, &rounding);
    noise = rounding * sum_variance (x, rows, linear->k);
    for (gsize row = 0; row < rows; row++) {
        double step = altclip_row_scale_find (x + row * linear->k, linear->k, 0.0f).step;

        noise += power * step * step / 12.0;
    }
    return noise;
}

static void
look_at (gpointer data, guint block, AltclipLayer layer, const AltclipLinear *linear,
        const float *x, guint rows)
{
    static const char *const names[ALTCLIP_N_LAYERS] = { "qkv", "out", "fc1", "fc2" };
    Search *search = data;
    double error = sqrt (sum_noise (linear, x, rows) / sum_signal (search, linear, x, rows));
    gboolean *coarse = &search->coarse[block * ALTCLIP_N_LAYERS + layer];

    /* Not a number where outputs are all alike, and exact: that is not above the limit. */
    *coarse = linear->k > ALTCLIP_QUANTISED_MAX_INPUTS || error > ALTCLIP_ROUNDING_LIMIT;
    g_debug ("block %u, %s: integers are off by %.2g%s", block, names[layer], error,
            *coarse ? ": too coarse" : "");
}

static float *
new_noise (gsize n)
{
    float *pixel_values = g_new (float, n);
    guint32 state = 1;

    for (gsize i = 0; i < n; i++)
        pixel_values[i] = 2.0f * altclip_noise_next (&state);
    return pixel_values;
}

gboolean *
altclip_rounding_find_coarse (const AltclipVision *vision, AltclipWorkspace *workspace)
{
    const AltclipVisionConfig *config = vision->config;
    guint side = MIN (SIDE, vision->side) * config->patch_size;
    g_autofree float *noise = new_noise ((gsize)N_PICTURES * config->num_channels * side * side);
    Search search = { workspace,
        g_new0 (gboolean, config->tower.num_hidden_layers * ALTCLIP_N_LAYERS) };
    AltclipObserver observer = { .linear = look_at, .data = &search };
    AltclipVisionInputs inputs = { noise, N_PICTURES, side, side, vision->position_embedding };
    AltclipVisionOutputs outputs = { .observer = &observer };

    altclip_vision_run (vision, workspace, &inputs, &outputs);
    return search.coarse;
}
