/* altclip: whether what a configuration names is there and may be used
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "inspection.h"

#include "altclip.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* ---- The model ------------------------------------------------------------------------------ */

/* The outline and the shapes of its weights, which takes milliseconds. What is only seen when all
 * of it is read, each camera says. */
static gboolean
check_model (const MonitorConfiguration *configuration, GError **error)
{
    const AltclipModelOptions options = {
        .flags = ALTCLIP_MODEL_LAZY | ALTCLIP_MODEL_NO_CACHE,
        .threads = 1,
    };
    const char *variable = g_getenv ("ALTCLIP_MODEL");
    const char *directory = configuration->model ? configuration->model : variable;
    const char *place = configuration->model ? "model" : "ALTCLIP_MODEL";
    g_autoptr (AltclipModel) model = NULL;

    /* The bundled one is no part of any configuration. */
    if (!directory || !*directory)
        return TRUE;
    model = altclip_model_open (directory, &options, NULL, error);
    if (!model) {
        g_prefix_error (error, "%s: ", place);
        return FALSE;
    }
    if (altclip_model_get_info (model)->towers & ALTCLIP_TOWER_IMAGE)
        return TRUE;
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: %s: has no image tower", place,
            directory);
    return FALSE;
}

/* ---- The folder for events ------------------------------------------------------------------ */

static gboolean
refuse_directory (const char *path, const char *verb, int number, GError **error)
{
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (number),
            "data_directory %s cannot be %s: %s", path, verb, g_strerror (number));
    return FALSE;
}

/* (transfer full): the nearest folder above it that is there */
static char *
find_ancestor (const char *path)
{
    char *folder = g_path_get_dirname (path);

    while (g_access (folder, F_OK) != 0 && errno == ENOENT) {
        char *above = g_path_get_dirname (folder);

        g_free (folder);
        folder = above;
    }
    return folder;
}

/* What permissions say is not all: some file systems take no folders. */
static gboolean
check_data_directory (const MonitorConfiguration *configuration, GError **error)
{
    g_autofree char *path = g_canonicalize_filename (configuration->data_directory, NULL);
    g_autofree char *ancestor = NULL;
    g_autofree char *trial = NULL;

    if (g_access (path, F_OK) == 0) {
        if (!g_file_test (path, G_FILE_TEST_IS_DIR))
            return refuse_directory (path, "used", ENOTDIR, error);
        return g_access (path, R_OK | W_OK | X_OK) == 0 ||
               refuse_directory (path, "used", errno, error);
    }
    if (errno != ENOENT)
        return refuse_directory (path, "made", errno, error);
    ancestor = find_ancestor (path);
    trial = g_build_filename (ancestor, ".altclip-monitor-XXXXXX", NULL);
    if (!g_mkdtemp (trial))
        return refuse_directory (path, "made", errno, error);
    g_rmdir (trial);
    return TRUE;
}

/* ---- All of it ------------------------------------------------------------------------------ */

gboolean
monitor_inspection_run (const MonitorConfiguration *configuration, GError **error)
{
    return check_model (configuration, error) && check_data_directory (configuration, error);
}
