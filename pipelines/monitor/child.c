/* altclip: a command that runs for a while
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the output, the end. */
#define MAX_KEPT 200
#define MAX_READ 65536
/* What writes more than so much is read from only now and then. */
#define MAX_FAST (1 << 20)
#define SLOW 20 /* ms */

/* From the request to end until it is killed: ms. */
#define GRACE 1000
/* How long what was killed may take to be gone: µs. */
#define MAX_DYING (G_TIME_SPAN_SECOND / 2)

struct _MonitorChild {
    pid_t pid; /* and of its process group */
    int output;
    char kept[MAX_KEPT + 1];
    gsize n_kept;
    guint64 n_read;
    guint timeout;
    gboolean late;
    GSource *watch, *reader, *clock;
    MonitorChildDone done;
    gpointer data;
};

/* ---- Sources --------------------------------------------------------------------------------- */

static void
clear_source (GSource **source)
{
    if (*source)
        g_source_destroy (*source);
    g_clear_pointer (source, g_source_unref);
}

/* Takes the source. */
static void
attach (GSource **place, GSource *source, GSourceFunc function, MonitorChild *child)
{
    clear_source (place);
    *place = source;
    g_source_set_callback (source, function, child, NULL);
    g_source_attach (source, g_main_context_get_thread_default ());
}

static void
free_child (MonitorChild *child)
{
    clear_source (&child->watch);
    clear_source (&child->reader);
    clear_source (&child->clock);
    if (child->output >= 0)
        close (child->output);
    g_free (child);
}

/* ---- Its output ------------------------------------------------------------------------------ */

static void
keep (MonitorChild *child, const char *bytes, gsize size)
{
    gsize n_new = MIN (size, MAX_KEPT);
    gsize n_old = MIN (child->n_kept, MAX_KEPT - n_new);

    memmove (child->kept, child->kept + child->n_kept - n_old, n_old);
    memcpy (child->kept + n_old, bytes + size - n_new, n_new);
    child->n_kept = n_old + n_new;
    child->kept[child->n_kept] = '\0';
    child->n_read += size;
}

/* Returns: whether there may be more. */
static gboolean
read_some (MonitorChild *child)
{
    char bytes[MAX_READ];
    gssize size = read (child->output, bytes, sizeof bytes);

    if (size > 0)
        keep (child, bytes, (gsize)size);
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

static gboolean read_later (gpointer data);

static gboolean
read_output (gint fd G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
    MonitorChild *child = data;

    if (!read_some (child)) {
        g_clear_pointer (&child->reader, g_source_unref);
        return G_SOURCE_REMOVE;
    }
    if (child->n_read < MAX_FAST)
        return G_SOURCE_CONTINUE;
    attach (&child->reader, g_timeout_source_new (SLOW), read_later, child);
    return G_SOURCE_REMOVE;
}

static void
attach_reader (MonitorChild *child)
{
    attach (&child->reader, g_unix_fd_source_new (child->output, G_IO_IN | G_IO_HUP | G_IO_ERR),
            G_SOURCE_FUNC (read_output), child);
}

static gboolean
read_later (gpointer data)
{
    attach_reader (data);
    return G_SOURCE_REMOVE;
}

/* What somebody else wrote is for no terminal to obey. */
static char *
dup_printable (const char *text)
{
    g_autoptr (GString) printable = g_string_new (NULL);

    for (; *text; text = g_utf8_next_char (text)) {
        gunichar character = g_utf8_get_char (text);

        g_string_append_unichar (printable, g_unichar_isprint (character) ? character : '?');
    }
    return g_strdup (printable->str);
}

/* Returns: (transfer full): the last line that says something, with a colon before it. */
static char *
dup_last_line (const MonitorChild *child)
{
    g_autofree char *valid = g_utf8_make_valid (child->kept, (gssize)child->n_kept);
    g_autofree char *line = NULL;
    char *begin;

    g_strchomp (valid);
    begin = strrchr (valid, '\n');
    line = dup_printable (begin ? begin + 1 : valid);
    return *line ? g_strconcat (": ", line, NULL) : g_strdup ("");
}

/* ---- Its end --------------------------------------------------------------------------------- */

/* Returns: (transfer full) (nullable). */
static char *
describe (const MonitorChild *child, int status)
{
    g_autofree char *line = dup_last_line (child);

    if (child->late)
        return g_strdup_printf ("took longer than %u s and was ended%s", child->timeout, line);
    if (WIFSIGNALED (status))
        return g_strdup_printf ("was killed by signal %d%s", WTERMSIG (status), line);
    if (WEXITSTATUS (status) != 0)
        return g_strdup_printf ("ended with status %d%s", WEXITSTATUS (status), line);
    return NULL;
}

static void
note_end (GPid pid, gint status, gpointer data)
{
    MonitorChild *child = data;
    g_autofree char *failure = NULL;

    /* What it started and left may still be there, and is late as well. */
    if (child->late)
        kill (-pid, SIGKILL);
    read_some (child);
    failure = describe (child, status);
    child->done (failure, !child->late, child->data);
    free_child (child);
}

static gboolean
kill_group (gpointer data)
{
    MonitorChild *child = data;

    kill (-child->pid, SIGKILL);
    g_clear_pointer (&child->clock, g_source_unref);
    return G_SOURCE_REMOVE;
}

static gboolean
ask_to_end (gpointer data)
{
    MonitorChild *child = data;

    child->late = TRUE;
    kill (-child->pid, SIGTERM);
    attach (&child->clock, g_timeout_source_new (GRACE), kill_group, child);
    return G_SOURCE_REMOVE;
}

/* What cannot be killed, as it waits for a disk, is left to itself. */
static void
wait_until_gone (pid_t pid)
{
    gint64 end = g_get_monotonic_time () + MAX_DYING;

    while (waitpid (pid, NULL, WNOHANG) == 0 && g_get_monotonic_time () < end)
        g_usleep (1000);
}

void
monitor_child_kill (MonitorChild *child)
{
    clear_source (&child->watch);
    kill (-child->pid, SIGKILL);
    wait_until_gone (child->pid);
    free_child (child);
}

/* ---- Its beginning --------------------------------------------------------------------------- */

static gboolean
write_all (int file, GBytes *input)
{
    gsize left;
    const char *bytes = g_bytes_get_data (input, &left);

    while (left > 0) {
        gssize size = write (file, bytes, left);

        if (size < 0 && errno != EINTR)
            return FALSE;
        if (size > 0) {
            bytes += size;
            left -= (gsize)size;
        }
    }
    return lseek (file, 0, SEEK_SET) == 0;
}

/* A file without a name: who does not read it keeps nobody waiting, as a pipe would.
 *
 * Returns: a descriptor; -1: failed. */
static int
open_input (GBytes *input)
{
    int file = memfd_create ("event", MFD_CLOEXEC);

    if (file >= 0 && !write_all (file, input)) {
        int number = errno;

        close (file);
        errno = number;
        return -1;
    }
    return file;
}

static void
set_attributes (posix_spawnattr_t *attributes)
{
    sigset_t none, all;

    sigemptyset (&none);
    sigfillset (&all);
    posix_spawnattr_setsigmask (attributes, &none);
    posix_spawnattr_setsigdefault (attributes, &all);
    posix_spawnattr_setflags (
            attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static void
set_descriptors (posix_spawn_file_actions_t *actions, int input, int output)
{
    posix_spawn_file_actions_adddup2 (actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2 (actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2 (actions, output, STDERR_FILENO);
    /* A camera that libraries have opened would stay in use. */
    posix_spawn_file_actions_addclosefrom_np (actions, STDERR_FILENO + 1);
}

/* Not by a copy of this process, which may be large.
 *
 * Returns: an error number. */
static int
spawn (char **command, char **environment, int input, int output, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int number;

    posix_spawnattr_init (&attributes);
    posix_spawn_file_actions_init (&actions);
    set_attributes (&attributes);
    set_descriptors (&actions, input, output);
    number = posix_spawnp (pid, command[0], &actions, &attributes, command, environment);
    posix_spawn_file_actions_destroy (&actions);
    posix_spawnattr_destroy (&attributes);
    return number;
}

static int
start (MonitorChild *child, char **command, char **environment, GBytes *input)
{
    int file = open_input (input);
    int ends[2];
    int number;

    if (file < 0)
        return errno;
    if (pipe2 (ends, O_CLOEXEC) != 0) {
        number = errno;
        close (file);
        return number;
    }
    number = spawn (command, environment, file, ends[1], &child->pid);
    child->output = ends[0];
    g_unix_set_fd_nonblocking (child->output, TRUE, NULL);
    close (ends[1]);
    close (file);
    return number;
}

MonitorChild *
monitor_child_start (char **command, char **environment, GBytes *input, guint timeout,
        MonitorChildDone done, gpointer data, GError **error)
{
    MonitorChild *child = g_new0 (MonitorChild, 1);
    int number;

    child->output = -1;
    child->timeout = timeout;
    child->done = done;
    child->data = data;
    number = start (child, command, environment, input);
    if (number) {
        g_set_error (error, G_IO_ERROR, (gint)g_io_error_from_errno (number),
                "cannot be started: %s", g_strerror (number));
        free_child (child);
        return NULL;
    }
    attach (&child->watch, g_child_watch_source_new (child->pid), G_SOURCE_FUNC (note_end), child);
    attach (&child->clock, g_timeout_source_new (timeout * 1000), ask_to_end, child);
    attach_reader (child);
    return child;
}
