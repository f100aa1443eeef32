/* altclip: records as lines of a file
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altcliplines.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/* So many lines at most, before the courier looks whether it is to stop. */
#define LINES_AT_ONCE 64

struct _GstAltclipLines
{
  gchar *path;
  int fd;

  /* The record that is being written, and how much of it is. */
  GstAltclipRecord *record;
  gsize written;
};

static gboolean
set_error (GstAltclipLines *lines, GError **error, gint code)
{
  int saved = errno;
  g_autofree gchar *name = g_filename_display_name (
      lines->path != NULL ? lines->path : "standard output");

  g_set_error (error, GST_RESOURCE_ERROR, code, "Cannot write to %s: %s", name,
      g_strerror (saved));
  return FALSE;
}

/* A named pipe that nobody reads is an error, and is not waited for. */
static gboolean
lines_open (gpointer carrier, GError **error)
{
  GstAltclipLines *lines = carrier;

  if (lines->fd >= 0)
    return TRUE;
  if (lines->path == NULL)
    lines->fd = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  else
    lines->fd = g_open (lines->path,
        O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
        0666);
  return lines->fd >= 0
      || set_error (lines, error, GST_RESOURCE_ERROR_OPEN_WRITE);
}

/* Standard output may be one that writing waits for: it has room for as much as
 * is written at once, or is not written to. */
static gboolean
is_writable (GstAltclipLines *lines)
{
  GPollFD poll = {.fd = lines->fd, .events = G_IO_OUT};

  return g_poll (&poll, 1, 0) > 0;
}

/* Returns: whether to go on now; %FALSE without @error: later */
static gboolean
write_some (GstAltclipLines *lines, GError **error)
{
  const GstAltclipRecord *record = lines->record;
  gsize left = record->length + 1 - lines->written;
  gssize n;

  if (!is_writable (lines))
    return FALSE;
  n = write (lines->fd, record->line + lines->written, MIN (left, PIPE_BUF));
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return FALSE;
  if (n < 0)
    return set_error (lines, error, GST_RESOURCE_ERROR_WRITE);
  lines->written += (gsize) n;
  return TRUE;
}

static gboolean
write_record (GstAltclipLines *lines, GstAltclipSpool *spool, GError **error)
{
  gboolean more = TRUE;

  while (more && lines->written <= lines->record->length)
    more = write_some (lines, error);
  if (!more)
    return FALSE;
  gst_altclip_spool_finish (spool, g_steal_pointer (&lines->record));
  lines->written = 0;
  return TRUE;
}

static gboolean
lines_work (
    gpointer carrier, GstAltclipSpool *spool, GPollFD *poll, GError **error)
{
  GstAltclipLines *lines = carrier;
  GError *failure = NULL;
  gboolean more = TRUE;
  guint i;

  *poll = (GPollFD){.fd = -1};
  for (i = 0; more && i < LINES_AT_ONCE; i++) {
    if (lines->record == NULL)
      lines->record = gst_altclip_spool_take (spool);
    if (lines->record == NULL)
      return TRUE;
    more = write_record (lines, spool, &failure);
  }
  if (failure != NULL) {
    g_propagate_error (error, failure);
    return FALSE;
  }
  *poll = (GPollFD){.fd = lines->fd, .events = G_IO_OUT};
  return TRUE;
}

/* What was begun of a line is gone on with in a file. From a pipe it is gone
 * with who read it. */
static void
lines_close (gpointer carrier, GstAltclipSpool *spool)
{
  GstAltclipLines *lines = carrier;
  struct stat status;

  (void) spool;
  if (fstat (lines->fd, &status) != 0 || !S_ISREG (status.st_mode))
    lines->written = 0;
  close (lines->fd);
  lines->fd = -1;
}

static gboolean
lines_is_up (gpointer carrier)
{
  (void) carrier;
  return TRUE;
}

static void
lines_free (gpointer carrier)
{
  GstAltclipLines *lines = carrier;

  if (lines->fd >= 0)
    close (lines->fd);
  g_clear_pointer (&lines->record, gst_altclip_record_free);
  g_free (lines->path);
  g_free (lines);
}

GstAltclipLines *
gst_altclip_lines_new (const gchar *path, GError **error)
{
  GstAltclipLines *lines = g_new0 (GstAltclipLines, 1);

  lines->path = g_strdup (path);
  lines->fd = -1;
  if (!lines_open (lines, error))
    g_clear_pointer (&lines, lines_free);
  return lines;
}

const GstAltclipCarrier *
gst_altclip_lines_get_carrier (void)
{
  static const GstAltclipCarrier carrier = {
      lines_open, lines_work, lines_close, lines_is_up, lines_free};

  return &carrier;
}
