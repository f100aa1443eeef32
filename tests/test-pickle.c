/* altclip: pickles, good and bad
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "pickle.h"

#include <string.h>

#define NAME "data.pkl"

static const AltclipPickleGlobal GLOBALS[] = {
    { "collections", "OrderedDict", TRUE },
    { "torch", "make", FALSE },
};

/* A program as a text of opcodes and operands, NULs included. */
typedef struct {
    const char *bytes;
    gsize n;
    const char *message;
} Program;

#define PROGRAM(text, message)         \
    {                                  \
        text, sizeof text - 1, message \
    }

static AltclipPickle *
parse (gconstpointer bytes, gsize n, GError **error)
{
    return altclip_pickle_parse (NAME, bytes, n, GLOBALS, G_N_ELEMENTS (GLOBALS), error);
}

/* Of memory of just this size, so that a sanitizer sees one byte too many. */
static void
assert_refused (gconstpointer bytes, gsize n, const char *message)
{
    g_autofree guint8 *copy = g_memdup2 (bytes, n);
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPickle) pickle = parse (copy, n, &error);

    g_assert_null (pickle);
    g_assert_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT);
    g_assert_true (g_str_has_prefix (error->message, NAME ": "));
    if (!strstr (error->message, message))
        g_test_fail_printf ("'%s' does not hold '%s'", error->message, message);
}

/* ---- Good ------------------------------------------------------------------------------------ */

static const AltclipPickleValue *
get_item (const AltclipPickleValue *tuple, guint i, AltclipPickleType type)
{
    g_assert_cmpint (tuple->type, ==, ALTCLIP_PICKLE_TUPLE);
    g_assert_cmpuint (i, <, tuple->n);
    g_assert_cmpint (tuple->items[i]->type, ==, type);
    return tuple->items[i];
}

static void
test_integers (void)
{
    static const struct {
        Program program;
        gint64 value;
    } cases[] = {
        { PROGRAM ("K\0.", NULL), 0 },
        { PROGRAM ("K\xff.", NULL), 255 },
        { PROGRAM ("M\xff\xff.", NULL), 65535 },
        { PROGRAM ("J\xff\xff\xff\x7f.", NULL), G_MAXINT32 },
        { PROGRAM ("J\0\0\0\x80.", NULL), G_MININT32 },
        { PROGRAM ("\x8a\0.", NULL), 0 },
        { PROGRAM ("\x8a\1\xff.", NULL), -1 },
        { PROGRAM ("\x8a\1\x7f.", NULL), 127 },
        { PROGRAM ("\x8a\5\0\0\0\0\1.", NULL), (gint64)1 << 32 },
        { PROGRAM ("\x8a\5\0\0\0\x80\0.", NULL), (gint64)1 << 31 },
        { PROGRAM ("\x8a\7\0\0\0\0\0\0\x80.", NULL), -((gint64)1 << 55) },
        { PROGRAM ("\x8a\10\xff\xff\xff\xff\xff\xff\xff\x7f.", NULL), G_MAXINT64 },
        { PROGRAM ("\x8a\10\0\0\0\0\0\0\0\x80.", NULL), G_MININT64 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autoptr (GError) error = NULL;
        g_autoptr (AltclipPickle) pickle =
                parse (cases[i].program.bytes, cases[i].program.n, &error);

        g_assert_no_error (error);
        g_assert_cmpint (altclip_pickle_get_root (pickle)->type, ==, ALTCLIP_PICKLE_INTEGER);
        g_assert_cmpint (altclip_pickle_get_root (pickle)->integer, ==, cases[i].value);
    }
}

/* Everything that there is, in one tuple. */
static void
test_values (void)
{
    static const char PICKLE[] = "\x80\2(N\x88\x89X\2\0\0\0hi)K\7\x85K\1K\2\x86NNN\x87"
                                 "ctorch\nmake\nq\0h\0K\5\x85Rr\1\1\0\0j\1\1\0\0QXt\0\0\0"
                                 "tttttttttttttttttttttttttttttttttttttttttttttttttttttttttt"
                                 "tttttttttttttttttttttttttttttttttttttttttttttttttttttttttt"
                                 "t.";
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPickle) pickle = parse (PICKLE, sizeof PICKLE - 1, &error);
    const AltclipPickleValue *root;
    const AltclipPickleValue *call;

    g_assert_no_error (error);
    root = altclip_pickle_get_root (pickle);
    g_assert_cmpuint (root->n, ==, 12);
    get_item (root, 0, ALTCLIP_PICKLE_NONE);
    g_assert_cmpint (get_item (root, 1, ALTCLIP_PICKLE_BOOLEAN)->integer, ==, TRUE);
    g_assert_cmpint (get_item (root, 2, ALTCLIP_PICKLE_BOOLEAN)->integer, ==, FALSE);
    g_assert_cmpmem (get_item (root, 3, ALTCLIP_PICKLE_TEXT)->text, root->items[3]->n, "hi", 2);
    g_assert_cmpuint (get_item (root, 4, ALTCLIP_PICKLE_TUPLE)->n, ==, 0);
    g_assert_cmpint (
            get_item (get_item (root, 5, ALTCLIP_PICKLE_TUPLE), 0, ALTCLIP_PICKLE_INTEGER)->integer,
            ==, 7);
    g_assert_cmpint (
            get_item (get_item (root, 6, ALTCLIP_PICKLE_TUPLE), 1, ALTCLIP_PICKLE_INTEGER)->integer,
            ==, 2);
    g_assert_cmpuint (get_item (root, 7, ALTCLIP_PICKLE_TUPLE)->n, ==, 3);
    g_assert_true (get_item (root, 8, ALTCLIP_PICKLE_GLOBAL)->global == &GLOBALS[1]);
    call = get_item (root, 9, ALTCLIP_PICKLE_CALL);
    g_assert_true (call->call[0] == root->items[8]);
    g_assert_cmpint (get_item (call->call[1], 0, ALTCLIP_PICKLE_INTEGER)->integer, ==, 5);
    g_assert_true (get_item (root, 10, ALTCLIP_PICKLE_PERSISTENT)->persistent == call);
    g_assert_cmpuint (get_item (root, 11, ALTCLIP_PICKLE_TEXT)->n, ==, 116);
}

/* One pair, then several, in a dict made by a call; attributes that are not kept. */
static void
test_dicts (void)
{
    static const char PICKLE[] = "\x80\2ccollections\nOrderedDict\n)R"
                                 "K\1K\2s(K\3K\4K\5K\6u(u"
                                 "}X\11\0\0\0_metadata}sb.";
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPickle) pickle = parse (PICKLE, sizeof PICKLE - 1, &error);
    const AltclipPickleValue *root;

    g_assert_no_error (error);
    root = altclip_pickle_get_root (pickle);
    g_assert_cmpint (root->type, ==, ALTCLIP_PICKLE_DICT);
    g_assert_cmpuint (root->pairs->len, ==, 6);
    for (guint i = 0; i < 6; i++) {
        const AltclipPickleValue *value = g_ptr_array_index (root->pairs, i);
        g_assert_cmpint (value->integer, ==, i + 1);
    }
}

/* A dict in itself, as key and as value, and tuples a hundred thousand deep: values are never
 * followed. */
static void
test_cycles (void)
{
    static const char PICKLE[] = "}q\0h\0h\0s(h\0h\0\x85h\0\x86uq\1.";
    g_autofree char *deep = g_strnfill (100000, '\x85');
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipPickle) pickle = parse (PICKLE, sizeof PICKLE - 1, &error);
    g_autoptr (AltclipPickle) tower = NULL;
    const AltclipPickleValue *root;

    g_assert_no_error (error);
    root = altclip_pickle_get_root (pickle);
    g_assert_cmpuint (root->pairs->len, ==, 4);
    g_assert_true (g_ptr_array_index (root->pairs, 1) == root);
    deep[0] = ')';
    deep[99999] = '.';
    tower = parse (deep, 100000, &error);
    g_assert_no_error (error);
    g_assert_cmpint (altclip_pickle_get_root (tower)->type, ==, ALTCLIP_PICKLE_TUPLE);
}

/* ---- Bad ------------------------------------------------------------------------------------- */

static void
test_globals (void)
{
    static const Program programs[] = {
        PROGRAM ("\x80\2cos\nsystem\n(X\7\0\0\0echo hitR.",
                "byte 2: it asks for 'os.system', which weights do not need; nothing was called"),
        PROGRAM ("cposix\nsystem\n.", "byte 0: it asks for 'posix.system', which weights do not"),
        PROGRAM ("cbuiltins\neval\n.", "it asks for 'builtins.eval'"),
        PROGRAM ("c__builtin__\nexec\n.", "it asks for '__builtin__.exec'"),
        PROGRAM ("ctorch\nmake.run\n.", "it asks for 'torch.make.run'"),
        PROGRAM ("ctorch\nmak\n.", "it asks for 'torch.mak'"),
        PROGRAM ("ctorch\nmake2\n.", "it asks for 'torch.make2'"),
        PROGRAM ("ctorch\nmake\0\n.", "byte 0: a name holds a NUL"),
        PROGRAM ("c\n\n.", "it asks for '.'"),
        PROGRAM ("c\x1b[2J\nx\n.", "it asks for '\xef\xbf\xbd[2J.x'"),
        PROGRAM ("ctorch", "byte 0: a name does not end within 256 bytes"),
        PROGRAM ("ctorch\n", "byte 0: a name does not end within 256 bytes"),
    };
    g_autofree char *line = g_strnfill (1000, 'c');

    for (gsize i = 0; i < G_N_ELEMENTS (programs); i++)
        assert_refused (programs[i].bytes, programs[i].n, programs[i].message);
    line[999] = '\n';
    assert_refused (line, 1000, "byte 0: a name does not end within 256 bytes");
}

static void
test_opcodes (void)
{
    static const Program programs[] = {
        PROGRAM ("\x80\2}\x81.", "byte 3: the opcode NEWOBJ is not one that weights need"),
        PROGRAM ("(ios\nsystem\n.", "byte 1: the opcode INST is not one"),
        PROGRAM ("(o.", "byte 1: the opcode OBJ is not one"),
        PROGRAM ("\x8c\2os\x93.", "byte 0: the opcode SHORT_BINUNICODE is not one"),
        PROGRAM ("X\2\0\0\0osX\6\0\0\0system\x93.", "byte 18: the opcode STACK_GLOBAL is not one"),
        PROGRAM ("\x82\1.", "byte 0: the opcode EXT1 is not one"),
        PROGRAM ("}2.", "byte 1: the opcode DUP is not one"),
        PROGRAM ("].", "byte 0: the opcode EMPTY_LIST is not one"),
        PROGRAM ("P1\n.", "byte 0: the opcode PERSID is not one"),
        PROGRAM ("\x92.", "byte 0: the opcode NEWOBJ_EX is not one"),
        PROGRAM ("\x80\4.", "byte 0: protocol 4 is not read, but only 2, torch.save()'s own"),
        PROGRAM ("\x80\377.", "byte 0: protocol 255 is not read"),
        PROGRAM ("N\xff.", "byte 1: 0xff is no opcode"),
        PROGRAM ("\0.", "byte 0: 0x00 is no opcode"),
    };

    for (gsize i = 0; i < G_N_ELEMENTS (programs); i++)
        assert_refused (programs[i].bytes, programs[i].n, programs[i].message);
    for (guint opcode = 0; opcode < 256; opcode++) {
        guint8 program[2] = { (guint8)opcode, '.' };

        if (!strchr (")N}\x88\x89", (int)opcode) || opcode == 0)
            assert_refused (program, sizeof program, "byte ");
    }
}

static void
test_operands (void)
{
    static const Program programs[] = {
        PROGRAM ("", "byte 0: it ends without the opcode STOP"),
        PROGRAM ("N", "byte 1: it ends without the opcode STOP"),
        PROGRAM ("\x80", "byte 0: an operand of 1 bytes does not fit the 0 that are left"),
        PROGRAM ("K", "byte 0: an operand of 1 bytes does not fit the 0 that are left"),
        PROGRAM ("M\1", "byte 0: an operand of 2 bytes does not fit the 1 that are left"),
        PROGRAM ("J\1\2\3", "byte 0: an operand of 4 bytes does not fit the 3 that are left"),
        PROGRAM ("\x8a", "byte 0: an operand of 1 bytes does not fit the 0 that are left"),
        PROGRAM ("\x8a\3\1\2", "byte 0: an operand of 3 bytes does not fit the 2 that are left"),
        PROGRAM ("\x8a\11\1\2\3\4\5\6\7\10\11.", "byte 0: an integer of 9 bytes exceeds 8"),
        PROGRAM ("\x8a\377", "byte 0: an integer of 255 bytes exceeds 8"),
        PROGRAM ("X\1\0\0", "byte 0: an operand of 4 bytes does not fit the 3 that are left"),
        PROGRAM ("X\5\0\0\0four", "byte 0: an operand of 5 bytes does not fit the 4 that are left"),
        PROGRAM ("X\1\20\0\0", "byte 0: a text of 4097 bytes exceeds 4096"),
        PROGRAM ("X\0\0\0\x80", "byte 0: a text of 2147483648 bytes exceeds 4096"),
        PROGRAM ("X\xff\xff\xff\xff", "byte 0: a text of 4294967295 bytes exceeds 4096"),
        PROGRAM ("Nq", "byte 1: an operand of 1 bytes does not fit the 0 that are left"),
        PROGRAM ("Nr\0\0\0\x80.", "byte 1: place 2147483648 of the memo exceeds 1048575"),
        PROGRAM ("Nr\0\0\20\0.", "byte 1: place 1048576 of the memo exceeds 1048575"),
        PROGRAM ("q\0.", "byte 0: a value is needed, but none is on the stack"),
        PROGRAM ("N(q\0.", "byte 2: a value is needed, but none is on the stack"),
        PROGRAM ("h\0.", "byte 0: place 0 of the memo is empty"),
        PROGRAM ("Nq\5h\4.", "byte 3: place 4 of the memo is empty"),
        PROGRAM ("Nq\5j\xff\xff\xff\xff.", "byte 3: place 4294967295 of the memo is empty"),
    };

    for (gsize i = 0; i < G_N_ELEMENTS (programs); i++)
        assert_refused (programs[i].bytes, programs[i].n, programs[i].message);
}

static void
test_stack (void)
{
    static const Program programs[] = {
        PROGRAM (".", "byte 0: 0 values and 0 marks are left, but it must be one value"),
        PROGRAM ("NN.", "byte 2: 2 values and 0 marks are left, but it must be one value"),
        PROGRAM ("N(.", "byte 2: 1 values and 1 marks are left, but it must be one value"),
        PROGRAM ("N.N", "byte 1: 1 bytes follow the end"),
        PROGRAM ("t.", "byte 0: there is no mark on the stack"),
        PROGRAM ("u.", "byte 0: there is no mark on the stack"),
        PROGRAM ("\x85.", "byte 0: 1 values are needed, but 0 are on the stack"),
        PROGRAM ("NN\x87.", "byte 2: 3 values are needed, but 2 are on the stack"),
        PROGRAM ("NN(N\x86.", "byte 4: 2 values are needed, but 1 are on the stack"),
        PROGRAM ("N(Q.", "byte 2: 1 values are needed, but 0 are on the stack"),
        PROGRAM ("}Ns.", "byte 2: a value is needed, but none is on the stack"),
        PROGRAM ("NNNs.", "byte 3: a dict is needed, but a None is on the stack"),
        PROGRAM ("}(NNNu.", "byte 5: 3 values are not pairs of keys and values"),
        PROGRAM ("(NNu.", "byte 3: a value is needed, but none is on the stack"),
        PROGRAM ("N(NNu.", "byte 4: a dict is needed, but a None is on the stack"),
        PROGRAM ("}}(}b.", "byte 4: a value is needed, but none is on the stack"),
        PROGRAM ("}Nb.", "byte 2: a dict is needed, but a None is on the stack"),
        PROGRAM ("N}b.", "byte 2: a dict is needed, but a None is on the stack"),
        PROGRAM ("R.", "byte 0: a value is needed, but none is on the stack"),
        PROGRAM (")R.", "byte 1: a value is needed, but none is on the stack"),
        PROGRAM ("N)R.", "byte 2: a global is needed, but a None is on the stack"),
        PROGRAM ("ctorch\nmake\nNR.", "byte 13: a tuple is needed, but a None is on the stack"),
        PROGRAM ("ccollections\nOrderedDict\n)\x85R.",
                "byte 27: OrderedDict() has 1 arguments, but must have none"),
    };

    for (gsize i = 0; i < G_N_ELEMENTS (programs); i++)
        assert_refused (programs[i].bytes, programs[i].n, programs[i].message);
}

/* Small programs that want much. */
static void
test_limits (void)
{
    static const struct {
        const char *start;
        const char *repeated;
        guint n;
        const char *message;
    } cases[] = {
        { "", "(", 65, "byte 64: more than 64 marks are open" },
        { "", "(", 1000000, "more than 64 marks are open" },
        { "", "N", 65537, "byte 65536: more than 65536 values are on the stack" },
        { "Nq\1", "h\1", 65537, "more than 65536 values are on the stack" },
        { "}", "NNs", 600000, "it makes more than 1048576 values" },
    };
    g_autofree char *long_one = g_strnfill (ALTCLIP_PICKLE_MAX_BYTES + 1, 'N');

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        GString *program = g_string_new (cases[i].start);

        for (guint j = 0; j < cases[i].n; j++)
            g_string_append (program, cases[i].repeated);
        assert_refused (program->str, program->len, cases[i].message);
        g_string_free (program, TRUE);
    }
    assert_refused (long_one, ALTCLIP_PICKLE_MAX_BYTES + 1,
            NAME ": 16777217 bytes exceed the limit of 16777216");
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/pickle/integers", test_integers);
    g_test_add_func ("/pickle/values", test_values);
    g_test_add_func ("/pickle/dicts", test_dicts);
    g_test_add_func ("/pickle/cycles", test_cycles);
    g_test_add_func ("/pickle/globals", test_globals);
    g_test_add_func ("/pickle/opcodes", test_opcodes);
    g_test_add_func ("/pickle/operands", test_operands);
    g_test_add_func ("/pickle/stack", test_stack);
    g_test_add_func ("/pickle/limits", test_limits);
    return g_test_run ();
}
