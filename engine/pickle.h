/* altclip: the part of Python's pickle format that files of weights need
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A pickle is a program for a machine with a stack, which in Python may call anything. Here it
 * calls nothing: what it would call stays a value, "this name with these arguments", for the caller
 * to make sense of, and only names on the caller's list may occur at all.
 */

#ifndef ALTCLIP_PICKLE_H
#define ALTCLIP_PICKLE_H

#include "altclip.h"

G_BEGIN_DECLS

/* Longest pickle that is read, in bytes: that of a model of 800 tensors takes 0.1 MB. Most values
 * that it may make, and most that may be on the stack or between marks at once. */
#define ALTCLIP_PICKLE_MAX_BYTES (16 * 1024 * 1024)
#define ALTCLIP_PICKLE_MAX_VALUES (1024 * 1024)
#define ALTCLIP_PICKLE_MAX_STACK 65536
#define ALTCLIP_PICKLE_MAX_MARKS 64

/* Longest text, in bytes. */
#define ALTCLIP_PICKLE_MAX_TEXT 4096

/* A name that a pickle may use. */
typedef struct {
    const char *module;
    const char *name;
    gboolean makes_dict; /* called with nothing, it makes an empty dict */
} AltclipPickleGlobal;

typedef enum {
    ALTCLIP_PICKLE_NONE,
    ALTCLIP_PICKLE_BOOLEAN,
    ALTCLIP_PICKLE_INTEGER,
    ALTCLIP_PICKLE_TEXT,
    ALTCLIP_PICKLE_TUPLE,
    ALTCLIP_PICKLE_DICT,
    ALTCLIP_PICKLE_GLOBAL,
    ALTCLIP_PICKLE_CALL,
    ALTCLIP_PICKLE_PERSISTENT
} AltclipPickleType;

/* Values may be parts of several others, and even of themselves: whoever goes through them must not
 * count on an end. */
typedef struct _AltclipPickleValue AltclipPickleValue;
struct _AltclipPickleValue {
    AltclipPickleType type;
    guint n; /* bytes of a text, items of a tuple */
    union {
        gint64 integer;                   /* of a boolean: 0 or 1 */
        const char *text;                 /* [n], within the pickle */
        const AltclipPickleValue **items; /* [n] */
        GPtrArray *pairs;                 /* of a dict: key, value, key, value … */
        const AltclipPickleGlobal *global;
        const AltclipPickleValue *call[2];    /* a global, and a tuple of arguments */
        const AltclipPickleValue *persistent; /* how the caller knows something outside */
    };
};

typedef struct _AltclipPickle AltclipPickle;

/**
 * altclip_pickle_parse:
 * @path: where @bytes come from, for messages
 * @bytes: [n_bytes]: a whole pickle, which must live as long as the result
 * @globals: (array length=n_globals): the names that may occur; must live as long as the result
 *
 * Takes the opcodes of protocol 2 that torch.save() writes for tensors in dicts, and refuses any
 * other by name.
 *
 * Returns: (transfer full) (nullable): the pickle
 */
AltclipPickle *altclip_pickle_parse (const char *path, const guint8 *bytes, gsize n_bytes,
        const AltclipPickleGlobal *globals, gsize n_globals, GError **error);

void altclip_pickle_free (AltclipPickle *pickle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AltclipPickle, altclip_pickle_free)

/* Returns: (transfer none): what the pickle stands for. */
const AltclipPickleValue *altclip_pickle_get_root (const AltclipPickle *pickle);

/* Returns: (transfer none): a type's name in Python, "tuple" for instance. */
const char *altclip_pickle_type_get_name (AltclipPickleType type);

G_END_DECLS

#endif /* ALTCLIP_PICKLE_H */
