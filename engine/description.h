/* altclip: configurations as JSON, as the reference's classes write them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_DESCRIPTION_H
#define ALTCLIP_DESCRIPTION_H

#include "config.h"

#include <jansson.h>

G_BEGIN_DECLS

/* Each returns: (transfer full): every field of the reference's class, and model_type. */
json_t *altclip_description_of_text (const AltclipTextConfig *text);
json_t *altclip_description_of_vision (const AltclipVisionConfig *vision);
/* What is shared, and the towers under text_config and vision_config; one tower alone is flat. */
json_t *altclip_description_of_config (const AltclipConfig *config);
json_t *altclip_description_of_preprocessor (const AltclipPreprocessorConfig *preprocessor);

G_END_DECLS

#endif /* ALTCLIP_DESCRIPTION_H */
