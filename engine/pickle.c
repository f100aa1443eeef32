/* altclip: the part of Python's pickle format that files of weights need
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opcodes of one byte, each with operands of its own after it, as Python's pickletools.py describes
 * them. Nothing here follows a value into another, so that neither depth nor cycles matter.
 */

#include "excerpt.h"
#include "pickle.h"

#include <string.h>

/* Longest line of a global's name, in bytes. */
#define MAX_LINE 256

struct _AltclipPickle {
    char *path;
    const guint8 *bytes;
    gsize n_bytes;
    gsize opcode; /* where the current one is */
    gsize at;     /* where its next operand is */
    const AltclipPickleGlobal *globals;
    gsize n_globals;
    GPtrArray *values; /* all of them, wherever they are used */
    GPtrArray *stack;
    GArray *marks;   /* of guint: how long the stack was */
    GPtrArray *memo; /* NULL where nothing was put */
    const AltclipPickleValue *root;
};

/* Does what an opcode says. */
typedef gboolean (*RunFunc) (AltclipPickle *pickle, GError **error);

static gboolean refuse (const AltclipPickle *pickle, GError **error, const char *format, ...)
        G_GNUC_PRINTF (3, 4);

/* Returns: %FALSE */
static gboolean
refuse (const AltclipPickle *pickle, GError **error, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list arguments;

    va_start (arguments, format);
    reason = g_strdup_vprintf (format, arguments);
    va_end (arguments);
    g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT, "%s: byte %" G_GSIZE_FORMAT ": %s",
            pickle->path, pickle->opcode, reason);
    return FALSE;
}

const char *
altclip_pickle_type_get_name (AltclipPickleType type)
{
    static const char *const names[] = {
        [ALTCLIP_PICKLE_NONE] = "None",
        [ALTCLIP_PICKLE_BOOLEAN] = "bool",
        [ALTCLIP_PICKLE_INTEGER] = "int",
        [ALTCLIP_PICKLE_TEXT] = "str",
        [ALTCLIP_PICKLE_TUPLE] = "tuple",
        [ALTCLIP_PICKLE_DICT] = "dict",
        [ALTCLIP_PICKLE_GLOBAL] = "global",
        [ALTCLIP_PICKLE_CALL] = "call",
        [ALTCLIP_PICKLE_PERSISTENT] = "persistent object",
    };

    return names[type];
}

/* ---- Operands -------------------------------------------------------------------------------- */

/* Returns: (nullable): the next @n bytes of the pickle */
static const guint8 *
take (AltclipPickle *pickle, gsize n, GError **error)
{
    const guint8 *taken = pickle->bytes + pickle->at;

    if (n > pickle->n_bytes - pickle->at) {
        refuse (pickle, error,
                "an operand of %" G_GSIZE_FORMAT " bytes does not fit the %" G_GSIZE_FORMAT
                " that are left",
                n, pickle->n_bytes - pickle->at);
        return NULL;
    }
    pickle->at += n;
    return taken;
}

/* An unsigned number of @n bytes, least significant first. */
static gboolean
take_number (AltclipPickle *pickle, guint n, guint64 *number, GError **error)
{
    const guint8 *taken = take (pickle, n, error);

    if (!taken)
        return FALSE;
    *number = 0;
    for (guint i = 0; i < n; i++)
        *number |= (guint64)taken[i] << (8 * i);
    return TRUE;
}

/* Returns: (transfer full) (nullable): the next line, without its end */
static char *
take_line (AltclipPickle *pickle, GError **error)
{
    gsize left = pickle->n_bytes - pickle->at;
    const guint8 *begin = pickle->bytes + pickle->at;
    const guint8 *end = memchr (begin, '\n', MIN (left, MAX_LINE + 1));

    if (!end) {
        refuse (pickle, error, "a name does not end within %d bytes", MAX_LINE);
        return NULL;
    }
    if (memchr (begin, '\0', (gsize)(end - begin))) {
        refuse (pickle, error, "a name holds a NUL");
        return NULL;
    }
    pickle->at += (gsize)(end - begin) + 1;
    return g_strndup ((const char *)begin, (gsize)(end - begin));
}

/* ---- Stack ----------------------------------------------------------------------------------- */

static gboolean
push (AltclipPickle *pickle, const AltclipPickleValue *value, GError **error)
{
    if (pickle->stack->len == ALTCLIP_PICKLE_MAX_STACK)
        return refuse (
                pickle, error, "more than %d values are on the stack", ALTCLIP_PICKLE_MAX_STACK);
    g_ptr_array_add (pickle->stack, (gpointer)value);
    return TRUE;
}

/* Returns: (transfer none) (nullable): a new value, on the stack */
static AltclipPickleValue *
push_new (AltclipPickle *pickle, AltclipPickleType type, GError **error)
{
    AltclipPickleValue *value;

    if (pickle->values->len == ALTCLIP_PICKLE_MAX_VALUES) {
        refuse (pickle, error, "it makes more than %d values", ALTCLIP_PICKLE_MAX_VALUES);
        return NULL;
    }
    value = g_new0 (AltclipPickleValue, 1);
    value->type = type;
    if (type == ALTCLIP_PICKLE_DICT)
        value->pairs = g_ptr_array_new ();
    g_ptr_array_add (pickle->values, value);
    return push (pickle, value, error) ? value : NULL;
}

static gboolean
push_integer (AltclipPickle *pickle, AltclipPickleType type, gint64 integer, GError **error)
{
    AltclipPickleValue *value = push_new (pickle, type, error);

    if (value)
        value->integer = integer;
    return value != NULL;
}

/* What is on the stack above the last mark belongs to the mark's opcode alone. */
static guint
get_bottom (const AltclipPickle *pickle)
{
    return pickle->marks->len ? g_array_index (pickle->marks, guint, pickle->marks->len - 1) : 0;
}

/* Returns: (nullable): the @n topmost values, in their order; still in the stack's memory */
static const AltclipPickleValue **
pop (AltclipPickle *pickle, guint n, GError **error)
{
    guint length = pickle->stack->len;

    if (n > length - get_bottom (pickle)) {
        refuse (pickle, error, "%u values are needed, but %u are on the stack", n,
                length - get_bottom (pickle));
        return NULL;
    }
    pickle->stack->len = length - n;
    return (const AltclipPickleValue **)pickle->stack->pdata + length - n;
}

/* Returns: (nullable): all values above the last mark, which is gone then */
static const AltclipPickleValue **
pop_marked (AltclipPickle *pickle, guint *n, GError **error)
{
    if (pickle->marks->len == 0) {
        refuse (pickle, error, "there is no mark on the stack");
        return NULL;
    }
    *n = pickle->stack->len - get_bottom (pickle);
    g_array_set_size (pickle->marks, pickle->marks->len - 1);
    pickle->stack->len -= *n;
    return (const AltclipPickleValue **)pickle->stack->pdata + pickle->stack->len;
}

/* Returns: (nullable): the topmost value, if it is of @type */
static AltclipPickleValue *
peek (AltclipPickle *pickle, AltclipPickleType type, GError **error)
{
    AltclipPickleValue *value;

    if (pickle->stack->len == get_bottom (pickle)) {
        refuse (pickle, error, "a value is needed, but none is on the stack");
        return NULL;
    }
    value = g_ptr_array_index (pickle->stack, pickle->stack->len - 1);
    if (value->type == type)
        return value;
    refuse (pickle, error, "a %s is needed, but a %s is on the stack",
            altclip_pickle_type_get_name (type), altclip_pickle_type_get_name (value->type));
    return NULL;
}

/* ---- Opcodes: plain values ------------------------------------------------------------------- */

static gboolean
run_none (AltclipPickle *pickle, GError **error)
{
    return push_new (pickle, ALTCLIP_PICKLE_NONE, error) != NULL;
}

static gboolean
run_true (AltclipPickle *pickle, GError **error)
{
    return push_integer (pickle, ALTCLIP_PICKLE_BOOLEAN, TRUE, error);
}

static gboolean
run_false (AltclipPickle *pickle, GError **error)
{
    return push_integer (pickle, ALTCLIP_PICKLE_BOOLEAN, FALSE, error);
}

static gboolean
run_integer_1 (AltclipPickle *pickle, GError **error)
{
    guint64 number;

    return take_number (pickle, 1, &number, error) &&
           push_integer (pickle, ALTCLIP_PICKLE_INTEGER, (gint64)number, error);
}

static gboolean
run_integer_2 (AltclipPickle *pickle, GError **error)
{
    guint64 number;

    return take_number (pickle, 2, &number, error) &&
           push_integer (pickle, ALTCLIP_PICKLE_INTEGER, (gint64)number, error);
}

static gboolean
run_integer_4 (AltclipPickle *pickle, GError **error)
{
    guint64 number;

    return take_number (pickle, 4, &number, error) &&
           push_integer (pickle, ALTCLIP_PICKLE_INTEGER, (gint32)(guint32)number, error);
}

/* A number in two's complement, and before it of how many bytes. */
static gboolean
run_long (AltclipPickle *pickle, GError **error)
{
    guint64 n;
    guint64 number;

    if (!take_number (pickle, 1, &n, error))
        return FALSE;
    if (n > sizeof number)
        return refuse (pickle, error, "an integer of %" G_GUINT64_FORMAT " bytes exceeds %d", n,
                (int)sizeof number);
    if (!take_number (pickle, (guint)n, &number, error))
        return FALSE;
    if (n > 0 && n < sizeof number && number >> (8 * n - 1))
        number |= G_MAXUINT64 << (8 * n);
    return push_integer (pickle, ALTCLIP_PICKLE_INTEGER, (gint64)number, error);
}

static gboolean
run_text (AltclipPickle *pickle, GError **error)
{
    AltclipPickleValue *value;
    const guint8 *text;
    guint64 n;

    if (!take_number (pickle, 4, &n, error))
        return FALSE;
    if (n > ALTCLIP_PICKLE_MAX_TEXT)
        return refuse (pickle, error, "a text of %" G_GUINT64_FORMAT " bytes exceeds %d", n,
                ALTCLIP_PICKLE_MAX_TEXT);
    text = take (pickle, (gsize)n, error);
    value = text ? push_new (pickle, ALTCLIP_PICKLE_TEXT, error) : NULL;
    if (!value)
        return FALSE;
    value->text = (const char *)text;
    value->n = (guint)n;
    return TRUE;
}

/* ---- Opcodes: tuples ------------------------------------------------------------------------- */

/* @items: in the stack's memory */
static gboolean
push_tuple (AltclipPickle *pickle, const AltclipPickleValue **items, guint n, GError **error)
{
    g_autofree const AltclipPickleValue **copy = g_memdup2 (items, n * sizeof *items);
    AltclipPickleValue *value = push_new (pickle, ALTCLIP_PICKLE_TUPLE, error);

    if (!value)
        return FALSE;
    value->items = g_steal_pointer (&copy);
    value->n = n;
    return TRUE;
}

static gboolean
run_mark (AltclipPickle *pickle, GError **error)
{
    if (pickle->marks->len == ALTCLIP_PICKLE_MAX_MARKS)
        return refuse (pickle, error, "more than %d marks are open", ALTCLIP_PICKLE_MAX_MARKS);
    g_array_append_val (pickle->marks, pickle->stack->len);
    return TRUE;
}

static gboolean
run_tuple (AltclipPickle *pickle, GError **error)
{
    guint n;
    const AltclipPickleValue **items = pop_marked (pickle, &n, error);

    return items && push_tuple (pickle, items, n, error);
}

static gboolean
run_tuple_of (AltclipPickle *pickle, guint n, GError **error)
{
    const AltclipPickleValue **items = pop (pickle, n, error);

    return items && push_tuple (pickle, items, n, error);
}

static gboolean
run_tuple_0 (AltclipPickle *pickle, GError **error)
{
    return push_tuple (pickle, NULL, 0, error);
}

static gboolean
run_tuple_1 (AltclipPickle *pickle, GError **error)
{
    return run_tuple_of (pickle, 1, error);
}

static gboolean
run_tuple_2 (AltclipPickle *pickle, GError **error)
{
    return run_tuple_of (pickle, 2, error);
}

static gboolean
run_tuple_3 (AltclipPickle *pickle, GError **error)
{
    return run_tuple_of (pickle, 3, error);
}

/* ---- Opcodes: dicts -------------------------------------------------------------------------- */

static gboolean
run_dict (AltclipPickle *pickle, GError **error)
{
    return push_new (pickle, ALTCLIP_PICKLE_DICT, error) != NULL;
}

/* @pairs: in the stack's memory, above the dict */
static gboolean
add_pairs (AltclipPickle *pickle, const AltclipPickleValue **pairs, guint n, GError **error)
{
    AltclipPickleValue *dict = peek (pickle, ALTCLIP_PICKLE_DICT, error);

    if (!dict)
        return FALSE;
    if (n % 2 != 0)
        return refuse (pickle, error, "%u values are not pairs of keys and values", n);
    for (guint i = 0; i < n; i++)
        g_ptr_array_add (dict->pairs, (gpointer)pairs[i]);
    return TRUE;
}

static gboolean
run_set_item (AltclipPickle *pickle, GError **error)
{
    const AltclipPickleValue **pair = pop (pickle, 2, error);

    return pair && add_pairs (pickle, pair, 2, error);
}

static gboolean
run_set_items (AltclipPickle *pickle, GError **error)
{
    guint n;
    const AltclipPickleValue **pairs = pop_marked (pickle, &n, error);

    return pairs && add_pairs (pickle, pairs, n, error);
}

/* Attributes of a dict, as PyTorch's `_metadata`: nobody asks for them. */
static gboolean
run_build (AltclipPickle *pickle, GError **error)
{
    return peek (pickle, ALTCLIP_PICKLE_DICT, error) && pop (pickle, 1, error) &&
           peek (pickle, ALTCLIP_PICKLE_DICT, error);
}

/* ---- Opcodes: memo --------------------------------------------------------------------------- */

static gboolean
put (AltclipPickle *pickle, guint operand, GError **error)
{
    guint64 index;

    if (!take_number (pickle, operand, &index, error))
        return FALSE;
    if (index >= ALTCLIP_PICKLE_MAX_VALUES)
        return refuse (pickle, error, "place %" G_GUINT64_FORMAT " of the memo exceeds %d", index,
                ALTCLIP_PICKLE_MAX_VALUES - 1);
    if (pickle->stack->len == get_bottom (pickle))
        return refuse (pickle, error, "a value is needed, but none is on the stack");
    if (index >= pickle->memo->len)
        g_ptr_array_set_size (pickle->memo, (gint)index + 1);
    pickle->memo->pdata[index] = g_ptr_array_index (pickle->stack, pickle->stack->len - 1);
    return TRUE;
}

static gboolean
run_put_1 (AltclipPickle *pickle, GError **error)
{
    return put (pickle, 1, error);
}

static gboolean
run_put_4 (AltclipPickle *pickle, GError **error)
{
    return put (pickle, 4, error);
}

static gboolean
get (AltclipPickle *pickle, guint operand, GError **error)
{
    guint64 index;

    if (!take_number (pickle, operand, &index, error))
        return FALSE;
    if (index >= pickle->memo->len || !pickle->memo->pdata[index])
        return refuse (pickle, error, "place %" G_GUINT64_FORMAT " of the memo is empty", index);
    return push (pickle, pickle->memo->pdata[index], error);
}

static gboolean
run_get_1 (AltclipPickle *pickle, GError **error)
{
    return get (pickle, 1, error);
}

static gboolean
run_get_4 (AltclipPickle *pickle, GError **error)
{
    return get (pickle, 4, error);
}

/* ---- Opcodes: what Python would call --------------------------------------------------------- */

static gboolean
run_protocol (AltclipPickle *pickle, GError **error)
{
    guint64 protocol;

    if (!take_number (pickle, 1, &protocol, error))
        return FALSE;
    if (protocol != 2)
        return refuse (pickle, error,
                "protocol %" G_GUINT64_FORMAT " is not read, but only 2, torch.save()'s own",
                protocol);
    return TRUE;
}

static gboolean
run_global (AltclipPickle *pickle, GError **error)
{
    g_autofree char *module = take_line (pickle, error);
    g_autofree char *name = module ? take_line (pickle, error) : NULL;
    g_autofree char *shown_module = NULL;
    g_autofree char *shown_name = NULL;

    if (!name)
        return FALSE;
    for (gsize i = 0; i < pickle->n_globals; i++) {
        const AltclipPickleGlobal *global = &pickle->globals[i];

        if (strcmp (module, global->module) == 0 && strcmp (name, global->name) == 0) {
            AltclipPickleValue *value = push_new (pickle, ALTCLIP_PICKLE_GLOBAL, error);

            if (value)
                value->global = global;
            return value != NULL;
        }
    }
    shown_module = altclip_excerpt (module);
    shown_name = altclip_excerpt (name);
    return refuse (pickle, error,
            "it asks for '%s.%s', which weights do not need; nothing was called", shown_module,
            shown_name);
}

static gboolean
run_call (AltclipPickle *pickle, GError **error)
{
    const AltclipPickleValue *arguments = peek (pickle, ALTCLIP_PICKLE_TUPLE, error);
    const AltclipPickleValue *callee;
    AltclipPickleValue *value;

    if (!arguments || !pop (pickle, 1, error))
        return FALSE;
    callee = peek (pickle, ALTCLIP_PICKLE_GLOBAL, error);
    if (!callee || !pop (pickle, 1, error))
        return FALSE;
    if (callee->global->makes_dict) {
        if (arguments->n != 0)
            return refuse (pickle, error, "%s() has %u arguments, but must have none",
                    callee->global->name, arguments->n);
        return run_dict (pickle, error);
    }
    value = push_new (pickle, ALTCLIP_PICKLE_CALL, error);
    if (!value)
        return FALSE;
    value->call[0] = callee;
    value->call[1] = arguments;
    return TRUE;
}

static gboolean
run_persistent (AltclipPickle *pickle, GError **error)
{
    const AltclipPickleValue **id = pop (pickle, 1, error);
    const AltclipPickleValue *known = id ? *id : NULL;
    AltclipPickleValue *value = known ? push_new (pickle, ALTCLIP_PICKLE_PERSISTENT, error) : NULL;

    if (value)
        value->persistent = known;
    return value != NULL;
}

static gboolean
run_stop (AltclipPickle *pickle, GError **error)
{
    if (pickle->stack->len != 1 || pickle->marks->len != 0)
        return refuse (pickle, error, "%u values and %u marks are left, but it must be one value",
                pickle->stack->len, pickle->marks->len);
    if (pickle->at != pickle->n_bytes)
        return refuse (pickle, error, "%" G_GSIZE_FORMAT " bytes follow the end",
                pickle->n_bytes - pickle->at);
    pickle->root = g_ptr_array_index (pickle->stack, 0);
    return TRUE;
}

/* ---- All opcodes ----------------------------------------------------------------------------- */

/* Those without a function are refused by name. */
static const struct {
    const char *name;
    RunFunc run;
} OPCODES[256] = {
    ['('] = { "MARK", run_mark },
    [')'] = { "EMPTY_TUPLE", run_tuple_0 },
    ['.'] = { "STOP", run_stop },
    ['0'] = { "POP", NULL },
    ['1'] = { "POP_MARK", NULL },
    ['2'] = { "DUP", NULL },
    ['B'] = { "BINBYTES", NULL },
    ['C'] = { "SHORT_BINBYTES", NULL },
    ['F'] = { "FLOAT", NULL },
    ['G'] = { "BINFLOAT", NULL },
    ['I'] = { "INT", NULL },
    ['J'] = { "BININT", run_integer_4 },
    ['K'] = { "BININT1", run_integer_1 },
    ['L'] = { "LONG", NULL },
    ['M'] = { "BININT2", run_integer_2 },
    ['N'] = { "NONE", run_none },
    ['P'] = { "PERSID", NULL },
    ['Q'] = { "BINPERSID", run_persistent },
    ['R'] = { "REDUCE", run_call },
    ['S'] = { "STRING", NULL },
    ['T'] = { "BINSTRING", NULL },
    ['U'] = { "SHORT_BINSTRING", NULL },
    ['V'] = { "UNICODE", NULL },
    ['X'] = { "BINUNICODE", run_text },
    [']'] = { "EMPTY_LIST", NULL },
    ['a'] = { "APPEND", NULL },
    ['b'] = { "BUILD", run_build },
    ['c'] = { "GLOBAL", run_global },
    ['d'] = { "DICT", NULL },
    ['e'] = { "APPENDS", NULL },
    ['g'] = { "GET", NULL },
    ['h'] = { "BINGET", run_get_1 },
    ['i'] = { "INST", NULL },
    ['j'] = { "LONG_BINGET", run_get_4 },
    ['l'] = { "LIST", NULL },
    ['o'] = { "OBJ", NULL },
    ['p'] = { "PUT", NULL },
    ['q'] = { "BINPUT", run_put_1 },
    ['r'] = { "LONG_BINPUT", run_put_4 },
    ['s'] = { "SETITEM", run_set_item },
    ['t'] = { "TUPLE", run_tuple },
    ['u'] = { "SETITEMS", run_set_items },
    ['}'] = { "EMPTY_DICT", run_dict },
    [0x80] = { "PROTO", run_protocol },
    [0x81] = { "NEWOBJ", NULL },
    [0x82] = { "EXT1", NULL },
    [0x83] = { "EXT2", NULL },
    [0x84] = { "EXT4", NULL },
    [0x85] = { "TUPLE1", run_tuple_1 },
    [0x86] = { "TUPLE2", run_tuple_2 },
    [0x87] = { "TUPLE3", run_tuple_3 },
    [0x88] = { "NEWTRUE", run_true },
    [0x89] = { "NEWFALSE", run_false },
    [0x8a] = { "LONG1", run_long },
    [0x8b] = { "LONG4", NULL },
    [0x8c] = { "SHORT_BINUNICODE", NULL },
    [0x8d] = { "BINUNICODE8", NULL },
    [0x8e] = { "BINBYTES8", NULL },
    [0x8f] = { "EMPTY_SET", NULL },
    [0x90] = { "ADDITEMS", NULL },
    [0x91] = { "FROZENSET", NULL },
    [0x92] = { "NEWOBJ_EX", NULL },
    [0x93] = { "STACK_GLOBAL", NULL },
    [0x94] = { "MEMOIZE", NULL },
    [0x95] = { "FRAME", NULL },
    [0x96] = { "BYTEARRAY8", NULL },
    [0x97] = { "NEXT_BUFFER", NULL },
    [0x98] = { "READONLY_BUFFER", NULL },
};

static gboolean
run (AltclipPickle *pickle, GError **error)
{
    while (!pickle->root) {
        guint8 opcode;

        pickle->opcode = pickle->at;
        if (pickle->at == pickle->n_bytes)
            return refuse (pickle, error, "it ends without the opcode STOP");
        opcode = pickle->bytes[pickle->at++];
        if (!OPCODES[opcode].name)
            return refuse (pickle, error, "0x%02x is no opcode", opcode);
        if (!OPCODES[opcode].run)
            return refuse (pickle, error, "the opcode %s is not one that weights need",
                    OPCODES[opcode].name);
        if (!OPCODES[opcode].run (pickle, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void
value_free (gpointer data)
{
    AltclipPickleValue *value = data;

    if (value->type == ALTCLIP_PICKLE_TUPLE)
        g_free (value->items);
    if (value->type == ALTCLIP_PICKLE_DICT)
        g_ptr_array_unref (value->pairs);
    g_free (value);
}

AltclipPickle *
altclip_pickle_parse (const char *path, const guint8 *bytes, gsize n_bytes,
        const AltclipPickleGlobal *globals, gsize n_globals, GError **error)
{
    g_autoptr (AltclipPickle) pickle = g_new0 (AltclipPickle, 1);

    pickle->path = g_strdup (path);
    pickle->bytes = bytes;
    pickle->n_bytes = n_bytes;
    pickle->globals = globals;
    pickle->n_globals = n_globals;
    pickle->values = g_ptr_array_new_with_free_func (value_free);
    /* With memory from the start, so that no values at all have an address too. */
    pickle->stack = g_ptr_array_sized_new (64);
    pickle->marks = g_array_new (FALSE, FALSE, sizeof (guint));
    pickle->memo = g_ptr_array_new ();
    if (n_bytes > ALTCLIP_PICKLE_MAX_BYTES) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                "%s: %" G_GSIZE_FORMAT " bytes exceed the limit of %d", path, n_bytes,
                ALTCLIP_PICKLE_MAX_BYTES);
        return NULL;
    }
    return run (pickle, error) ? g_steal_pointer (&pickle) : NULL;
}

void
altclip_pickle_free (AltclipPickle *pickle)
{
    if (!pickle)
        return;
    g_ptr_array_unref (pickle->memo);
    g_array_unref (pickle->marks);
    g_ptr_array_unref (pickle->stack);
    g_ptr_array_unref (pickle->values);
    g_free (pickle->path);
    g_free (pickle);
}

const AltclipPickleValue *
altclip_pickle_get_root (const AltclipPickle *pickle)
{
    return pickle->root;
}
