/* altclip: files that are not trusted
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Returns: a descriptor of a regular file, −1 with @error set for anything else. Not blocking, so
 * that a pipe without a writer cannot stop us before it is seen to be one. */
static int
open_regular (const char *path, gsize *size, GError **error)
{
    struct stat status;
    int fd = g_open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);

    if (fd < 0 || fstat (fd, &status) != 0) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: %s", path, g_strerror (errno));
    } else if (!S_ISREG (status.st_mode)) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: not a regular file", path);
    } else {
        *size = (gsize)status.st_size;
        return fd;
    }
    if (fd >= 0)
        close (fd);
    return -1;
}

static gboolean
read_all (int fd, const char *path, char *contents, gsize length, GError **error)
{
    gsize at = 0;

    while (at < length) {
        ssize_t n = read (fd, contents + at, length - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: %s", path,
                    n < 0 ? g_strerror (errno) : "it became shorter while it was read");
            return FALSE;
        }
        at += (gsize)n;
    }
    return TRUE;
}

gboolean
altclip_file_read (const char *path, gsize limit, char **contents, gsize *length, GError **error)
{
    g_autofree char *bytes = NULL;
    int fd = open_regular (path, length, error);
    gboolean ok = FALSE;

    if (fd < 0)
        return FALSE;
    if (*length > limit) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_FORMAT,
                "%s: %" G_GSIZE_FORMAT " bytes exceed the limit of %" G_GSIZE_FORMAT, path, *length,
                limit);
    } else {
        bytes = g_malloc (*length + 1);
        bytes[*length] = '\0';
        ok = read_all (fd, path, bytes, *length, error);
    }
    close (fd);
    if (ok)
        *contents = g_steal_pointer (&bytes);
    return ok;
}

GMappedFile *
altclip_file_map (const char *path, GError **error)
{
    g_autoptr (GError) map_error = NULL;
    GMappedFile *mapped;
    gsize size;
    int fd = open_regular (path, &size, error);

    if (fd < 0)
        return NULL;
    mapped = g_mapped_file_new_from_fd (fd, FALSE, &map_error);
    close (fd);
    if (!mapped)
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: %s", path, map_error->message);
    return mapped;
}
