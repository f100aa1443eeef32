/* altclip: files that went wrong: pickles
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "mutators.h"

#include <string.h>

typedef struct {
    gsize begin;
    gsize end;
} Opcode;

/* Bytes of an opcode's argument, but for those that have lines or a length before them. */
static gsize
get_fixed_argument (guint8 opcode)
{
    switch (opcode) {
    case 0x80:
    case 'K':
    case 'h':
    case 'q':
        return 1;
    case 'M':
        return 2;
    case 'J':
    case 'j':
    case 'r':
        return 4;
    default:
        return 0;
    }
}

static gsize
find_end_of_lines (const GString *pickle, gsize at, guint n)
{
    for (; n > 0 && at < pickle->len; at++)
        n -= pickle->str[at] == '\n';
    return at;
}

/* Returns: (transfer full) (element-type Opcode): those of a good pickle of protocol 2 */
static GArray *
find_opcodes (const GString *pickle)
{
    GArray *opcodes = g_array_new (FALSE, FALSE, sizeof (Opcode));

    for (gsize at = 0; at < pickle->len;) {
        const guint8 *bytes = (const guint8 *)pickle->str + at;
        Opcode opcode = { at, at + 1 + get_fixed_argument (bytes[0]) };

        if (bytes[0] == 'c')
            opcode.end = find_end_of_lines (pickle, at + 1, 2);
        else if (bytes[0] == 'X' && pickle->len - at >= 5)
            opcode.end = at + 5 + (bytes[1] | (gsize)bytes[2] << 8 | (gsize)bytes[3] << 16);
        else if (bytes[0] == 0x8a && pickle->len - at >= 2)
            opcode.end = at + 2 + bytes[1];
        opcode.end = MIN (opcode.end, pickle->len);
        g_array_append_val (opcodes, opcode);
        at = opcode.end;
    }
    return opcodes;
}

static Opcode
choose (GArray *opcodes, Dice *dice)
{
    return g_array_index (opcodes, Opcode, dice_roll (dice, opcodes->len));
}

/* ---- Changes --------------------------------------------------------------------------------- */

static void
erase (GString *pickle, GArray *opcodes, Dice *dice)
{
    Opcode opcode = choose (opcodes, dice);

    g_string_erase (pickle, (gssize)opcode.begin, (gssize)(opcode.end - opcode.begin));
}

static void
copy (GString *pickle, GArray *opcodes, Dice *dice)
{
    Opcode from = choose (opcodes, dice);
    Opcode to = choose (opcodes, dice);
    g_autofree char *bytes = g_memdup2 (pickle->str + from.begin, from.end - from.begin);

    g_string_insert_len (pickle, (gssize)to.begin, bytes, (gssize)(from.end - from.begin));
}

static void
set_opcode (GString *pickle, GArray *opcodes, Dice *dice)
{
    pickle->str[choose (opcodes, dice).begin] = (char)dice_roll (dice, 256);
}

static void
set_argument (GString *pickle, GArray *opcodes, Dice *dice)
{
    Opcode opcode = choose (opcodes, dice);
    guint64 number = dice_roll_number (dice);

    for (gsize at = opcode.begin + 1; at < MIN (opcode.end, opcode.begin + 5); at++) {
        pickle->str[at] = (char)number;
        number >>= 8;
    }
}

/* A dimension, stride, offset or number of elements of any size. */
static void
set_integer (GString *pickle, GArray *opcodes, Dice *dice)
{
    guint64 number = GUINT64_TO_LE (dice_roll_number (dice));
    char opcode[10] = { (char)0x8a, 8 };

    memcpy (opcode + 2, &number, sizeof number);
    for (guint i = 0; i < opcodes->len; i++) {
        Opcode old = choose (opcodes, dice);
        if (!strchr ("KMJ", pickle->str[old.begin]) || pickle->str[old.begin] == '\0')
            continue;
        g_string_erase (pickle, (gssize)old.begin, (gssize)(old.end - old.begin));
        g_string_insert_len (pickle, (gssize)old.begin, opcode, sizeof opcode);
        return;
    }
}

/* What nobody would want to be run, and values that are parts of themselves. */
static void
insert (GString *pickle, GArray *opcodes, Dice *dice)
{
#define BYTES(string)               \
    {                               \
        string, sizeof (string) - 1 \
    }
    static const struct {
        const char *bytes;
        gsize n;
    } parts[] = { BYTES ("cos\nsystem\nX\2\0\0\0ls\x85R"), BYTES ("c__builtin__\neval\n"),
        BYTES ("ctorch\nload\n"), BYTES ("c\n\n"), BYTES ("c\x1b[2J\n\xff\n"),
        BYTES ("}q\7X\1\0\0\0ah\7s"), BYTES ("h\7h\7\x86q\7"), BYTES (")q\7h\7\x85q\7"),
        BYTES ("}q\7(X\1\0\0\0ah\7u"), BYTES ("r\xff\xff\xff\x7f"), BYTES ("r\xff\xff\x0f\0"),
        BYTES ("j\xff\xff\xff\xff"), BYTES ("X\xff\xff\xff\x7f"), BYTES ("X\xff\xff\xff\xff"),
        BYTES ("X\3\0\0\0a\nb"), BYTES ("X\2\0\0\0a\0"), BYTES ("X\2\0\0\0\xff\xfe"),
        BYTES ("\x8a\xff"), BYTES ("\x8a\0"), BYTES ("\x80\4"), BYTES ("("), BYTES ("."),
        BYTES ("Q"), BYTES ("R"), BYTES ("b"), BYTES ("u"), BYTES ("s"), BYTES ("t"), BYTES ("N"),
        BYTES ("\x93"), BYTES ("\x8d\xff\xff\xff\xff\xff\xff\xff\xff") };
#undef BYTES
    guint64 i = dice_roll (dice, G_N_ELEMENTS (parts));

    g_string_insert_len (
            pickle, (gssize)choose (opcodes, dice).begin, parts[i].bytes, (gssize)parts[i].n);
}

/* As many as each limit allows, and more; a doubling of doublings. */
static void
insert_many (GString *pickle, GArray *opcodes, Dice *dice)
{
    static const char *const parts[] = { "(", ")", "}", "N", ")\x85", "}q\1", "h\1",
        "h\1h\1\x86q\1", "K\1", "(t", "X\1\0\0\0a" };
    static const guint counts[] = { 30, 65, 300, 70000, 1100000 };
    const char *part = parts[dice_roll (dice, G_N_ELEMENTS (parts))];
    gsize n = *part == 'X' ? 6 : strlen (part);
    g_autoptr (GString) many = g_string_new (NULL);

    for (guint i = counts[dice_roll (dice, G_N_ELEMENTS (counts))]; i > 0; i--)
        g_string_append_len (many, part, (gssize)n);
    g_string_insert_len (
            pickle, (gssize)choose (opcodes, dice).begin, many->str, (gssize)many->len);
}

void
mutate_pickle (GString *pickle, Dice *dice)
{
    static void (*const kinds[]) (GString * pickle, GArray * opcodes, Dice * dice) = { erase, copy,
        set_opcode, set_argument, set_argument, set_integer, set_integer, insert, insert };
    g_autoptr (GArray) opcodes = find_opcodes (pickle);
    guint64 kind = dice_roll (dice, 32);

    if (kind < 6 || opcodes->len == 0)
        mutate_bytes (pickle, dice);
    else if (kind == 6)
        insert_many (pickle, opcodes, dice);
    else
        kinds[dice_roll (dice, G_N_ELEMENTS (kinds))](pickle, opcodes, dice);
}
