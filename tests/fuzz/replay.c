/* altclip: runs a fuzz target on files, without libFuzzer
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     replay-TARGET FILE-or-FOLDER…
 */

#include "target.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of the processor, so that a busy machine does not count. */
#define MAX_SECONDS 5.0

static guint n_files;

static void
replay_file (const char *path)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *contents = NULL;
    clock_t begin;
    double seconds;
    uint8_t *data;
    gsize n;

    if (!g_file_get_contents (path, &contents, &n, &error))
        g_error ("%s", error->message);
    data = malloc (MAX (n, 1));
    memcpy (data, contents, n);
    begin = clock ();
    g_print ("# %s\n", path);
    LLVMFuzzerTestOneInput (data, n);
    seconds = (double)(clock () - begin) / CLOCKS_PER_SEC;
    free (data);
    if (seconds > MAX_SECONDS)
        g_error ("%s took %.1f s", path, seconds);
    n_files++;
}

static void
replay (const char *path)
{
    GDir *folder = g_dir_open (path, 0, NULL);
    const char *name;

    if (!folder) {
        replay_file (path);
        return;
    }
    while ((name = g_dir_read_name (folder))) {
        g_autofree char *file = g_build_filename (path, name, NULL);
        replay_file (file);
    }
    g_dir_close (folder);
}

int
main (int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay (argv[i]);
    g_print ("%u inputs\n", n_files);
    return n_files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
