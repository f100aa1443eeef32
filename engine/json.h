/* altclip: JSON objects that are not trusted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_JSON_H
#define ALTCLIP_JSON_H

#include "altclip.h"

#include <jansson.h>

G_BEGIN_DECLS

/* Most values in a file, so that a small one cannot ask for much memory. */
#define ALTCLIP_JSON_MAX_VALUES 3000000

/**
 * altclip_json_parse:
 * @path: where @bytes come from, for messages
 * @bytes: [n_bytes]
 * @flags: 0, or %JSON_DECODE_INT_AS_REAL for numbers of any size
 *
 * Parses one JSON object. A name that is there twice is refused.
 *
 * Returns: (transfer full) (nullable): the object
 */
json_t *altclip_json_parse (
        const char *path, const char *bytes, gsize n_bytes, gsize flags, GError **error);

/**
 * altclip_json_read:
 * @limit: most bytes that are read
 *
 * As altclip_json_parse(), from a file.
 *
 * Returns: (transfer full) (nullable): the object
 */
json_t *altclip_json_read (const char *path, gsize limit, gsize flags, GError **error);

/* The fields of one object, and where it came from, for messages. The first error sticks, and what
 * is read after it does not matter. A field that is absent or null leaves its variable as it was.
 */
typedef struct {
    const char *path;
    const char *section; /* what the fields' names come after, "text_config." for instance */
    json_t *object;      /* (nullable): NULL: every field is absent */
    GError **error;
    gboolean failed;
} AltclipJsonReader;

/* Sets the error "PATH: SECTION FIELD is VALUE, but must be LIMIT". @value: (nullable): NULL: the
 * field is absent. */
void altclip_json_fail (
        AltclipJsonReader *reader, const char *field, json_t *value, const char *limit);

/* As altclip_json_fail(), for a number that need not come from the file. */
void altclip_json_fail_uint (
        AltclipJsonReader *reader, const char *field, guint value, const char *limit);

/* Returns: (transfer none) (nullable): the field, or NULL when it is absent or null. */
json_t *altclip_json_get (AltclipJsonReader *reader, const char *field);

void altclip_json_check_uint (AltclipJsonReader *reader, const char *field, json_t *value,
        guint minimum, guint maximum, guint *out);

void altclip_json_get_uint (
        AltclipJsonReader *reader, const char *field, guint minimum, guint maximum, guint *out);
void altclip_json_get_double (
        AltclipJsonReader *reader, const char *field, double minimum, double maximum, double *out);
void altclip_json_get_boolean (AltclipJsonReader *reader, const char *field, gboolean *out);
/* @out: (inout) (transfer full): freed when it is replaced */
void altclip_json_get_string (AltclipJsonReader *reader, const char *field, char **out);

/**
 * altclip_json_write:
 * @directory: where the file is
 * @name: the file's
 * @value: (transfer full): what it is to hold
 *
 * Replaces the file whole, with numbers as short as they can be.
 */
gboolean altclip_json_write (
        const char *directory, const char *name, json_t *value, GError **error);

G_END_DECLS

#endif /* ALTCLIP_JSON_H */
