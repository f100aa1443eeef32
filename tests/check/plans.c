/* altclip: how often the element works out how to resample a part of a frame
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plans.h"

#include <dlfcn.h>
#include <string.h>

#include "altclip.h"

static gint n_made;

guint
plans_get_n_made (void)
{
    return (guint)g_atomic_int_get (&n_made);
}

/* Stands before the library's, which it counts the calls of. */
AltclipImagePlan *
altclip_image_plan_new_for_frames (AltclipModel *model, const AltclipFrameFormat *format,
        const AltclipRectangle *part, GError **error)
{
    AltclipImagePlan *(*make) (
            AltclipModel *, const AltclipFrameFormat *, const AltclipRectangle *, GError **);
    void *symbol = dlsym (RTLD_NEXT, "altclip_image_plan_new_for_frames");

    g_assert_nonnull (symbol);
    memcpy (&make, &symbol, sizeof make);
    g_atomic_int_inc (&n_made);
    return make (model, format, part, error);
}
