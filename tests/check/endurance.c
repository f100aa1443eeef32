/* altclip: how long tests last that may run for minutes, and what they must not use up
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "endurance.h"

#include <gst/check/check.h>
#include <stdio.h>
#include <unistd.h>

guint
get_soak_seconds (guint usual)
{
    const char *seconds = g_getenv ("ALTCLIP_SOAK_SECONDS");

    return seconds ? (guint)g_ascii_strtoull (seconds, NULL, 10) : usual;
}

gsize
get_resident_memory (void)
{
    g_autofree char *text = NULL;
    gsize pages = 0;

    fail_unless (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
    fail_unless (sscanf (text, "%*u %zu", &pages) == 1);
    return pages * (gsize)sysconf (_SC_PAGESIZE);
}
