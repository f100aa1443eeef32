/* altclip: the rows of the reference's page, and what the tests measured for them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The rows are those of golden/models/page.json: all that the reference documents of AltCLIP.
 */

#ifndef PAGE_H
#define PAGE_H

#include "golden.h"

#include <jansson.h>

G_BEGIN_DECLS

/* What was measured so far. One thread at a time. */
typedef struct _Page Page;

Page *page_new (void);
void page_free (Page *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Page, page_free)

/**
 * page_measure:
 * @what: what was compared: the name of a tensor, or a row of the page
 * @name: the case
 * @difference: the largest that was seen
 * @limit: and may be
 *
 * Fails the running test, and lets it go on, if @difference is above @limit or not a number. Of
 * each @what the largest difference is kept, as a part of its limit.
 */
void page_measure (Page *page, const char *what, const char *name, double difference, double limit);

/**
 * page_measure_config:
 * @values: in page.json
 * @what: (nullable): as for page_measure(); %NULL: the row of each field
 * @config: with the sections text_config and vision_config
 *
 * Measures for each of @values whether @config has another one.
 */
void page_measure_config (Page *page, const char *values, const char *what, json_t *config);

/* Says in one line a model what it is there for, and which tensor was worst: the measure of the
 * model's name. */
void page_show_models (Page *page, const GoldenInputs *inputs);

/* Says in one line a row what was measured for it. Fails the running test if nothing was, for a row
 * that has a counterpart here. */
void page_show_rows (Page *page);

G_END_DECLS

#endif /* PAGE_H */
