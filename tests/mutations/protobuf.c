/* altclip: files that went wrong: protocol buffers
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "mutators.h"

#include <string.h>

#define MAX_DEPTH 4

typedef struct {
    gsize begin;   /* of the tag */
    gsize payload; /* of what is after the tag, and after the length */
    gsize end;
    guint wire;
} Field;

/* ---- The message's fields -------------------------------------------------------------------- */

static gboolean
read_varint (const GString *message, gsize *at, guint64 *value)
{
    *value = 0;
    for (guint shift = 0; shift < 64 && *at < message->len; shift += 7) {
        guint8 byte = (guint8)message->str[(*at)++];
        *value |= (guint64)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return TRUE;
    }
    return FALSE;
}

/* Finds where a field's payload begins and ends, which is where the next field begins.
 * Returns: FALSE if this is no field */
static gboolean
find_field (const GString *message, gsize at, Field *field)
{
    guint64 length = 0;
    guint64 tag = 0;

    field->begin = at;
    if (!read_varint (message, &at, &tag) || tag < 8)
        return FALSE;
    field->wire = tag & 7;
    field->payload = at;
    if (field->wire == 1)
        length = 8;
    else if (field->wire == 5)
        length = 4;
    else if (field->wire > 2 || !read_varint (message, &at, &length))
        return FALSE;
    if (field->wire == 0)
        length = 0;
    else if (field->wire == 2)
        field->payload = at;
    if (length > message->len - at)
        return FALSE;
    field->end = at + (gsize)length;
    return TRUE;
}

/* Returns: FALSE if this is no message */
static gboolean
find_fields (const GString *message, GArray *fields)
{
    Field field = { 0, 0, 0, 0 };

    while (field.end < message->len) {
        if (!find_field (message, field.end, &field))
            return FALSE;
        g_array_append_val (fields, field);
    }
    return TRUE;
}

static void
append_varint (GString *message, guint64 value)
{
    for (; value >= 0x80; value >>= 7)
        g_string_append_c (message, (char)(value | 0x80));
    g_string_append_c (message, (char)value);
}

/* Fields of one number follow one another: a kind that is rare is chosen as often as one of which
 * there are many. */
static Field
choose (const GString *message, GArray *fields, Dice *dice)
{
    g_autoptr (GArray) firsts = g_array_new (FALSE, FALSE, sizeof (guint));
    char tag = 0;
    guint kind;
    guint end;

    for (guint i = 0; i < fields->len; i++) {
        gsize begin = g_array_index (fields, Field, i).begin;
        if (i == 0 || message->str[begin] != tag)
            g_array_append_val (firsts, i);
        tag = message->str[begin];
    }
    kind = (guint)dice_roll (dice, firsts->len);
    end = kind + 1 < firsts->len ? g_array_index (firsts, guint, kind + 1) : fields->len;
    kind = g_array_index (firsts, guint, kind);
    return g_array_index (fields, Field, kind + dice_roll (dice, end - kind));
}

/* ---- Changes --------------------------------------------------------------------------------- */

/* Puts another payload in place of the field's. @claimed: the length that is said to be. */
static void
set_payload (GString *message, const Field *field, const GString *payload, guint64 claimed)
{
    g_autoptr (GString) changed = g_string_new (NULL);
    gsize after_tag = field->begin;
    guint64 tag;

    read_varint (message, &after_tag, &tag);
    g_string_append_len (changed, message->str, (gssize)after_tag);
    if (field->wire == 2)
        append_varint (changed, claimed);
    g_string_append_len (changed, payload->str, (gssize)payload->len);
    g_string_append_len (changed, message->str + field->end, (gssize)(message->len - field->end));
    g_string_truncate (message, 0);
    g_string_append_len (message, changed->str, (gssize)changed->len);
}

static void
change_value (GString *message, const Field *field, Dice *dice)
{
    g_autoptr (GString) payload = g_string_new (NULL);

    if (field->wire == 0)
        append_varint (payload, dice_roll_number (dice));
    else
        g_string_append_len (
                payload, message->str + field->payload, (gssize)(field->end - field->payload));
    if (field->wire == 2 && dice_roll (dice, 2) == 0) {
        set_payload (message, field, payload, dice_roll_number (dice));
        return;
    }
    if (field->wire != 0)
        mutate_bytes (payload, dice);
    set_payload (message, field, payload, payload->len);
}

/* Not a number, infinities, huge and tiny numbers. */
static void
change_float (GString *message, const Field *field, Dice *dice)
{
    static const guint32 bits[] = { 0x7fc00000, 0x7f800000, 0xff800000, 0x7f7fffff, 0x00000001,
        0x80000000, 0x49742400, 0x49742410 };
    guint32 chosen = GUINT32_TO_LE (bits[dice_roll (dice, G_N_ELEMENTS (bits))]);

    if (field->wire == 5)
        memcpy (message->str + field->payload, &chosen, sizeof chosen);
    else
        change_value (message, field, dice);
}

static void
change_tag (GString *message, const Field *field, Dice *dice)
{
    message->str[field->begin] = (char)dice_roll (dice, 128);
}

static void
erase_field (GString *message, const Field *field, G_GNUC_UNUSED Dice *dice)
{
    g_string_erase (message, (gssize)field->begin, (gssize)(field->end - field->begin));
}

static void
repeat_field (GString *message, const Field *field, Dice *dice)
{
    static const guint counts[] = { 1, 1, 1, 2, 100, 1000 };
    gsize n = field->end - field->begin;
    g_autofree char *copy = g_memdup2 (message->str + field->begin, n);
    guint count = n <= 64 ? counts[dice_roll (dice, G_N_ELEMENTS (counts))] : 1;

    for (guint i = 0; i < count; i++)
        g_string_insert_len (message, (gssize)field->end, copy, (gssize)n);
}

static void
add_field (GString *message, const Field *field, Dice *dice)
{
    g_autoptr (GString) added = g_string_new (NULL);

    append_varint (added, dice_roll (dice, 2) ? dice_roll (dice, 128) : dice_roll_number (dice));
    append_varint (added, dice_roll_number (dice));
    g_string_insert_len (message, (gssize)field->begin, added->str, (gssize)added->len);
}

/* Goes from a field to the fields within it, some of the time, and then mends the lengths on the
 * way back. */
void
mutate_protobuf (GString *message, Dice *dice)
{
    static void (*const kinds[]) (
            GString * message, const Field *field, Dice *dice) = { change_value, change_value,
        change_value, change_float, change_tag, erase_field, repeat_field, add_field };
    g_autoptr (GPtrArray) messages = g_ptr_array_new ();
    Field path[MAX_DEPTH + 1];
    GString *inner = message;

    while (messages->len <= MAX_DEPTH) {
        g_autoptr (GArray) fields = g_array_new (FALSE, FALSE, sizeof (Field));
        Field *field = &path[messages->len];

        if (!find_fields (inner, fields) || fields->len == 0)
            break;
        *field = choose (inner, fields, dice);
        g_ptr_array_add (messages, inner);
        if (field->wire != 2 || dice_roll (dice, 4) == 0)
            break;
        inner = g_string_new_len (
                inner->str + field->payload, (gssize)(field->end - field->payload));
    }
    if (messages->len == 0 || inner != g_ptr_array_index (messages, messages->len - 1))
        mutate_bytes (inner, dice);
    else
        kinds[dice_roll (dice, G_N_ELEMENTS (kinds))](inner, &path[messages->len - 1], dice);
    for (guint i = messages->len; i-- > 0;) {
        GString *outer = g_ptr_array_index (messages, i);
        if (outer == inner)
            continue;
        set_payload (outer, &path[i], inner, inner->len);
        g_string_free (inner, TRUE);
        inner = outer;
    }
}
