/* altclip: fuzz target: a still picture
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The decoders are gdk-pixbuf's, which the fuzzer cannot look into; what it follows is the outline
 * and the orientation.
 */

#include "../verdict.h"
#include "outline.h"
#include "still.h"
#include "target.h"

/* Larger ones take long to decode, and show no more. */
#define MAX_PIXELS (256 * 256)

/* A PNG's header comes first; a JPEG's dimensions are in its outline. */
static guint64
count_pixels (const uint8_t *data, size_t size, const Outline *outline)
{
    guint32 sides[2];

    if (outline->format[0] != 'p' || size < 24)
        return outline->n_pixels;
    memcpy (sides, data + 16, sizeof sides);
    return (guint64)GUINT32_FROM_BE (sides[0]) * GUINT32_FROM_BE (sides[1]);
}

static void
decode (const uint8_t *data, size_t size)
{
    g_autoptr (GError) error = NULL;
    g_autoptr (GdkPixbuf) pixbuf = still_decode (TARGET_NAME, data, size, &error);

    verdict_check (pixbuf != NULL, error, TARGET_NAME);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    g_autoptr (GError) error = NULL;
    Outline outline;
    gboolean ok = outline_follow (TARGET_NAME, data, size, &outline, &error);

    verdict_check (ok, error, TARGET_NAME);
    if (ok && (outline.orientation < 1 || outline.orientation > 8))
        verdict_fail ("orientation %u", outline.orientation);
    if (ok && count_pixels (data, size, &outline) <= MAX_PIXELS)
        decode (data, size);
    return 0;
}
