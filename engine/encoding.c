/* altclip: token ids with masks, positions and types of a caller's own
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "encoding.h"

static gboolean
refuse (const AltclipEncoding *encoding, const char *field, gsize at, gint64 value,
        const char *limit_name, guint64 limit, GError **error)
{
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT,
            "%s[%" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT "] is %" G_GINT64_FORMAT
            ", but must be from 0 to below %s %" G_GUINT64_FORMAT,
            field, at / encoding->length, at % encoding->length, value, limit_name, limit);
    return FALSE;
}

static gboolean
check_ids (const AltclipEncoding *encoding, guint vocab_size, GError **error)
{
    gsize n = (gsize)encoding->n * encoding->length;

    for (gsize i = 0; encoding->input_ids && i < n; i++) {
        gint32 id = encoding->input_ids[i];
        if (id < 0 || (guint)id >= vocab_size)
            return refuse (encoding, "input_ids", i, id, "vocab_size", vocab_size, error);
    }
    return TRUE;
}

/* @values may be NULL. */
static gboolean
check_rows (const AltclipEncoding *encoding, const char *field, const guint *values,
        const char *limit_name, guint limit, GError **error)
{
    gsize n = (gsize)encoding->n * encoding->length;

    for (gsize i = 0; values && i < n; i++) {
        if (values[i] >= limit)
            return refuse (encoding, field, i, values[i], limit_name, limit, error);
    }
    return TRUE;
}

/* Each text must have something to attend to. */
static gboolean
check_mask (const AltclipEncoding *encoding, GError **error)
{
    for (gsize text = 0; encoding->attention_mask && text < encoding->n; text++) {
        const guint8 *mask = encoding->attention_mask + text * encoding->length;
        gboolean attends = FALSE;

        for (gsize i = 0; i < encoding->length; i++) {
            if (mask[i] > 1) {
                g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT,
                        "attention_mask[%" G_GSIZE_FORMAT ", %" G_GSIZE_FORMAT
                        "] is %u, but must be 0 or 1",
                        text, i, mask[i]);
                return FALSE;
            }
            attends |= mask[i];
        }
        if (!attends) {
            g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT,
                    "attention_mask[%" G_GSIZE_FORMAT "] is 0 throughout, but needs one 1", text);
            return FALSE;
        }
    }
    return TRUE;
}

/* Returns: the longest text that has a position for each token. Those that are counted begin after
 * the padding's; relative ones have distances as far as there are absolute positions. */
static guint
get_longest (const AltclipEncoding *encoding, const AltclipTextConfig *config)
{
    if (config->positions != ALTCLIP_POSITIONS_ABSOLUTE)
        return config->max_position_embeddings;
    if (encoding->position_ids)
        return G_MAXUINT;
    return config->max_position_embeddings - config->pad_token_id - 1;
}

static gboolean
check_length (const AltclipEncoding *encoding, const AltclipTextConfig *config, GError **error)
{
    guint longest = get_longest (encoding, config);

    if (encoding->length >= 1 && encoding->length <= longest)
        return TRUE;
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT,
            "the texts' length is %u tokens, but must be from 1 to %u, for which there are "
            "positions",
            encoding->length, longest);
    return FALSE;
}

gboolean
altclip_encoding_check (
        const AltclipEncoding *encoding, const AltclipTextConfig *config, GError **error)
{
    if (!encoding->input_ids == !encoding->inputs_embeds) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_TEXT,
                "there must be either input_ids or inputs_embeds, and there are %s",
                encoding->input_ids ? "both" : "neither");
        return FALSE;
    }
    return check_length (encoding, config, error) &&
           check_ids (encoding, config->vocab_size, error) &&
           check_rows (encoding, "position_ids", encoding->position_ids, "max_position_embeddings",
                   config->max_position_embeddings, error) &&
           check_rows (encoding, "token_type_ids", encoding->token_type_ids, "type_vocab_size",
                   config->type_vocab_size, error) &&
           check_mask (encoding, error);
}
