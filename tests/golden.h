/* altclip: what the reference computed, for the tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Reads what tests/golden/make_model_golden.py wrote. These are our own files: anything wrong with
 * them ends the test. Nothing of the engine is used, so that it cannot agree with itself.
 */

#ifndef GOLDEN_H
#define GOLDEN_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
    guint width;
    guint height;
    guint8 *pixels; /* [height, width, 3] */
} GoldenPicture;

/* Indices into the texts and pictures of GoldenInputs. */
typedef struct {
    guint *at; /* [n] */
    guint n;
} GoldenIndices;

typedef struct {
    char *name;
    char *what;      /* it is there for */
    char *reference; /* version of transformers that made it */
    GoldenIndices texts;
    GoldenIndices pictures;
    GoldenIndices
            subset_texts; /* shown in the second run, with the first subset_pictures of pictures */
    guint subset_pictures;
    GStrv decoded; /* what the reference's decode makes of the texts' ids; may be NULL */
    GStrv covers;  /* rows of the reference's page */
} GoldenModel;

/* inputs.json, and its pictures drawn. */
typedef struct {
    GPtrArray *models; /* of GoldenModel */
    GStrv texts;
    GPtrArray *pictures; /* of GoldenPicture */
} GoldenInputs;

typedef enum { GOLDEN_FLOAT, GOLDEN_INT64, GOLDEN_BYTE } GoldenType;

typedef struct {
    GoldenType type;
    guint n_dims;
    guint64 dims[4];
    gsize n_elements;
    const void *data;
} GoldenTensor;

/* One expected.safetensors. */
typedef struct _GoldenFile GoldenFile;

/* Returns: (transfer full): path of @name in tests/golden/models; @name may be NULL */
char *golden_get_path (const char *model, const char *name);

GoldenInputs *golden_inputs_read (void);
void golden_inputs_free (GoldenInputs *inputs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GoldenInputs, golden_inputs_free)

/* Returns: (transfer none): a model that is there */
const GoldenModel *golden_inputs_find (const GoldenInputs *inputs, const char *model);

/* Opens any safetensors file of tensors of the three types. */
GoldenFile *golden_file_open (const char *path);
/* Opens the expected.safetensors of @model. */
GoldenFile *golden_file_open_expected (const char *model);
void golden_file_close (GoldenFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GoldenFile, golden_file_close)

/* Returns: (transfer none): the tensor; a missing one ends the test */
const GoldenTensor *golden_file_get (GoldenFile *file, const char *name);

/* Returns: (transfer container): the names of all tensors, which the file keeps */
GList *golden_file_list_names (GoldenFile *file);

/* Returns: (transfer none) (nullable): the tensor */
const GoldenTensor *golden_file_find (GoldenFile *file, const char *name);

G_END_DECLS

#endif /* GOLDEN_H */
