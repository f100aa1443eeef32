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

gboolean
altclip_file_is_there (const char *path)
{
    GStatBuf status;

    return g_lstat (path, &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* Returns: a descriptor of a regular file, −1 with @error set for anything else. Not blocking, so
 * that a pipe without a writer cannot stop us before it is seen to be one. */
static int
open_regular (const char *path, struct stat *status, GError **error)
{
    int fd = g_open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);

    if (fd < 0 || fstat (fd, status) != 0)
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: %s", path, g_strerror (errno));
    else if (!S_ISREG (status->st_mode))
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: not a regular file", path);
    else
        return fd;
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
    struct stat status;
    int fd = open_regular (path, &status, error);
    gboolean ok = FALSE;

    if (fd < 0)
        return FALSE;
    *length = (gsize)status.st_size;
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

static gint64
to_nanoseconds (const struct timespec *time)
{
    return (gint64)((guint64)time->tv_sec * 1000000000u + (guint64)time->tv_nsec);
}

static AltclipFileIdentity
identify (const struct stat *status)
{
    return (AltclipFileIdentity){ .device = status->st_dev,
        .inode = status->st_ino,
        .n_bytes = (guint64)status->st_size,
        .modified = to_nanoseconds (&status->st_mtim),
        .changed = to_nanoseconds (&status->st_ctim) };
}

gboolean
altclip_file_identify (const char *path, AltclipFileIdentity *identity)
{
    struct stat status;

    if (stat (path, &status) != 0 || !S_ISREG (status.st_mode))
        return FALSE;
    *identity = identify (&status);
    return TRUE;
}

GBytes *
altclip_file_map (const char *path, AltclipFileIdentity *identity, GError **error)
{
    g_autoptr (GError) map_error = NULL;
    GMappedFile *mapped;
    GBytes *bytes;
    struct stat status;
    int fd = open_regular (path, &status, error);

    if (fd < 0)
        return NULL;
    mapped = g_mapped_file_new_from_fd (fd, FALSE, &map_error);
    close (fd);
    if (!mapped) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IO, "%s: %s", path, map_error->message);
        return NULL;
    }
    if (identity)
        *identity = identify (&status);
    bytes = g_mapped_file_get_bytes (mapped);
    g_mapped_file_unref (mapped);
    return bytes;
}
