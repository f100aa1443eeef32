/* altclip: XLM-R's special tokens in a directory's JSON files
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_SPECIAL_TOKENS_H
#define ALTCLIP_SPECIAL_TOKENS_H

#include "json.h"

G_BEGIN_DECLS

#define ALTCLIP_N_SPECIAL_TOKENS 4
#define ALTCLIP_MASK_TOKEN "<mask>"

/* By their ids. The mask's is the last of the vocabulary. */
extern const char *const ALTCLIP_SPECIAL_TOKENS[ALTCLIP_N_SPECIAL_TOKENS];

/**
 * altclip_special_tokens_check:
 * @field: what @value is called, for the message
 * @value: (nullable): a token: its text, or an object with "content" and how it is matched
 * @expected: (nullable): the text it must have; %NULL: that of any special token
 *
 * Another token than XLM-R's, or one that is matched in another way than by the reference's class,
 * would give other ids. Sets the reader's error then.
 */
void altclip_special_tokens_check (
        AltclipJsonReader *reader, const char *field, json_t *value, const char *expected);

/**
 * altclip_special_tokens_check_added:
 * @value: an object, as altclip_special_tokens_check()
 * @id: that the file gives it
 * @any_mask: whether the mask may be matched without the blanks before it: the reference's fast
 *     classes differ in that, and what they write has to give the slow one's ids all the same
 *
 * As altclip_special_tokens_check(), and checks the id.
 *
 * Returns: the id if the token is the mask, whose id the file does not decide; −1 for another
 */
gint64 altclip_special_tokens_check_added (
        AltclipJsonReader *reader, const char *field, json_t *value, double id, gboolean any_mask);

G_END_DECLS

#endif /* ALTCLIP_SPECIAL_TOKENS_H */
