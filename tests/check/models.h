/* altclip: models for the element's tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All are made once in a temporary directory, which goes with the process.
 */

#ifndef ALTCLIP_TEST_MODELS_H
#define ALTCLIP_TEST_MODELS_H

#include <glib.h>

/* The bundled model, or NULL when there is none in this checkout yet. */
const char *models_get_demo (void);

/* Random weights; a picture takes a millisecond or so. */
const char *models_get_quick (void);

/* Random weights; a picture takes a few milliseconds: a dozen streams are too much for it. */
const char *models_get_middling (void);

/* Random weights of more than twenty megabytes; a picture takes a few milliseconds. */
const char *models_get_wide (void);

/* Random weights; a picture takes some ten milliseconds: there is always one in work. */
const char *models_get_slow (void);

/* Random weights; a picture takes half a second or more. */
const char *models_get_slowest (void);

/* A copy of the quick one without its text tower and tokenizer. */
const char *models_get_image_tower (void);

/* A copy of the quick one with something wrong. */
const char *models_get_truncated (void);
const char *models_get_missing_tensor (void);
const char *models_get_wrong_shape (void);
const char *models_get_constant (void);
const char *models_get_not_numbers (void);

#endif /* ALTCLIP_TEST_MODELS_H */
