/* altclip: tests of commands that are run, and addresses that are told
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "hooks.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define MAX_WAIT (60 * G_TIME_SPAN_SECOND)

typedef struct {
    char *directory;
    GPtrArray *configs;
    MonitorHooks *hooks;
} Rig;

/* What was logged, in one text. */
static GMutex log_lock;
static GString *log_text;

/* ---- The rig --------------------------------------------------------------------------------- */

static void
note_log (const char *domain G_GNUC_UNUSED, GLogLevelFlags level G_GNUC_UNUSED, const char *message,
        gpointer data G_GNUC_UNUSED)
{
    g_mutex_lock (&log_lock);
    g_string_append_printf (log_text, "%s\n", message);
    g_mutex_unlock (&log_lock);
}

static char *
dup_log (void)
{
    char *text;

    g_mutex_lock (&log_lock);
    text = g_strdup (log_text->str);
    g_mutex_unlock (&log_lock);
    return text;
}

static void
expect_logged (const char *part)
{
    g_autofree char *text = dup_log ();

    if (!strstr (text, part))
        g_error ("Not logged: %s\nbut: %s", part, text);
}

static void
expect_not_logged (const char *part)
{
    g_autofree char *text = dup_log ();

    if (strstr (text, part))
        g_error ("Logged: %s\nin: %s", part, text);
}

static void
free_config (gpointer data)
{
    MonitorHookConfig *config = data;

    g_strfreev (config->command);
    g_free (config->url);
    g_free (config);
}

static void
rig_init (Rig *rig)
{
    g_mutex_lock (&log_lock);
    g_string_set_size (log_text, 0);
    g_mutex_unlock (&log_lock);
    rig->directory = g_dir_make_tmp ("altclip-hooks-XXXXXX", NULL);
    rig->configs = g_ptr_array_new_with_free_func (free_config);
    rig->hooks = NULL;
}

static void
rig_clear (Rig *rig)
{
    g_autoptr (GDir) files = g_dir_open (rig->directory, 0, NULL);
    const char *name;

    g_clear_pointer (&rig->hooks, monitor_hooks_free);
    while ((name = g_dir_read_name (files))) {
        g_autofree char *path = g_build_filename (rig->directory, name, NULL);

        g_unlink (path);
    }
    g_assert_cmpint (g_rmdir (rig->directory), ==, 0);
    g_ptr_array_unref (rig->configs);
    g_free (rig->directory);
}

static MonitorHookConfig *
add_config (Rig *rig, guint timeout)
{
    MonitorHookConfig *config = g_new0 (MonitorHookConfig, 1);

    config->timeout = timeout;
    g_ptr_array_add (rig->configs, config);
    return config;
}

/* A script of the tests' own, whose first parameter is the directory. */
static MonitorHookConfig *
add_script (Rig *rig, guint timeout, const char *script)
{
    const char *const words[] = { "sh", "-c", script, "hook", rig->directory, NULL };
    MonitorHookConfig *config = add_config (rig, timeout);

    config->command = g_strdupv ((char **)words);
    return config;
}

static MonitorHookConfig *
add_url (Rig *rig, guint timeout, const char *url)
{
    MonitorHookConfig *config = add_config (rig, timeout);

    config->url = g_strdup (url);
    return config;
}

/* The configuration may go once they are made. */
static void
rig_start (Rig *rig)
{
    rig->hooks = monitor_hooks_new (rig->configs);
    g_ptr_array_set_size (rig->configs, 0);
}

static MonitorEvent *
new_event (const char *camera, const char *label, gint64 id)
{
    const MonitorEvent fields = { .id = id,
        .camera = (char *)camera,
        .label = (char *)label,
        .kind = (char *)(id % 2 ? "end" : "begin"),
        .time = G_GINT64_CONSTANT (1770091506123457),
        .score = 0.75,
        .peak = 0.875,
        .duration = id % 2 ? G_GUINT64_CONSTANT (2500000000) : 0,
        .reason = (char *)(id % 2 ? "score" : NULL),
        .region = (char *)(id % 2 ? "0,0,1,0.5" : NULL),
        .json = (char *)"{}" };

    return monitor_event_new (&fields);
}

static void
run (Rig *rig, const char *camera, const char *label, gint64 id)
{
    g_autoptr (MonitorEvent) event = new_event (camera, label, id);

    monitor_hooks_run (rig->hooks, event);
}

static MonitorHooksStats
get_stats (Rig *rig)
{
    MonitorHooksStats stats;

    monitor_hooks_get_stats (rig->hooks, &stats);
    return stats;
}

static gboolean
note_end (gpointer data)
{
    gboolean *over = data;

    *over = TRUE;
    return G_SOURCE_REMOVE;
}

/* For so many ms. */
static void
run_context (guint time)
{
    gboolean over = FALSE;

    g_timeout_add (time, note_end, &over);
    while (!over)
        g_main_context_iteration (NULL, TRUE);
}

/* Until nothing waits or runs. */
static void
wait_until_done (Rig *rig)
{
    gint64 end = g_get_monotonic_time () + MAX_WAIT;
    MonitorHooksStats stats;

    do {
        g_assert_cmpint (g_get_monotonic_time (), <, end);
        run_context (5);
        stats = get_stats (rig);
    } while (stats.waiting + stats.running > 0);
}

static void
expect_counts (Rig *rig, guint succeeded, guint failed, guint timed_out)
{
    MonitorHooksStats stats = get_stats (rig);

    g_assert_cmpuint (stats.succeeded, ==, succeeded);
    g_assert_cmpuint (stats.failed, ==, failed);
    g_assert_cmpuint (stats.timed_out, ==, timed_out);
}

/* (transfer full) (nullable) */
static char *
read_file (Rig *rig, const char *name)
{
    g_autofree char *path = g_build_filename (rig->directory, name, NULL);
    char *text = NULL;

    g_file_get_contents (path, &text, NULL, NULL);
    return text;
}

static void
expect_file (Rig *rig, const char *name, const char *expected)
{
    g_autofree char *text = read_file (rig, name);

    g_assert_cmpstr (text, ==, expected);
}

/* Numbers of processes, a line each. */
static void
expect_gone (Rig *rig, const char *name, guint n)
{
    g_autofree char *text = read_file (rig, name);
    g_auto (GStrv) lines = g_strsplit (g_strchomp (text), "\n", -1);

    g_assert_cmpuint (g_strv_length (lines), ==, n);
    for (guint i = 0; i < n; i++) {
        g_autofree char *path = g_strdup_printf ("/proc/%s/stat", lines[i]);
        g_autofree char *status = NULL;

        /* Where nobody reaps what is left it stays as a zombie. */
        if (g_file_get_contents (path, &status, NULL, NULL))
            g_assert_nonnull (strstr (status, ") Z "));
    }
}

/* ---- Commands -------------------------------------------------------------------------------- */

static void
test_input (void)
{
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 10, "cat >\"$1/input\"");
    rig_start (&rig);
    run (&rig, "gate", "a cat", 7);
    wait_until_done (&rig);
    expect_counts (&rig, 1, 0, 0);
    expect_file (&rig, "input",
            "{\"id\":7,\"camera\":\"gate\",\"label\":\"a cat\",\"kind\":\"end\","
            "\"time\":\"2026-02-03T04:05:06.123457Z\",\"score\":0.75,\"peak\":0.875,"
            "\"duration\":2.5,\"reason\":\"score\",\"region\":\"0,0,1,0.5\",\"thumbnail\":false}");
    rig_clear (&rig);
}

static void
test_environment (void)
{
    Rig rig;

    rig_init (&rig);
    g_setenv ("ALTCLIP_MONITOR_TOKEN", "secret", TRUE);
    g_setenv ("ALTCLIP_REASON", "stale", TRUE);
    g_setenv ("OTHER", "kept", TRUE);
    add_script (&rig, 10, "env | grep -E '^(ALTCLIP_|OTHER=)' | sort >\"$1/$ALTCLIP_ID\"");
    rig_start (&rig);
    run (&rig, "gate", "a cat", 2);
    run (&rig, "gate", "a cat", 3);
    wait_until_done (&rig);
    expect_file (&rig, "2",
            "ALTCLIP_CAMERA=gate\nALTCLIP_ID=2\nALTCLIP_KIND=begin\nALTCLIP_LABEL=a cat\n"
            "ALTCLIP_PEAK=0.875\nALTCLIP_SCORE=0.75\nALTCLIP_TIME=2026-02-03T04:05:06.123457Z\n"
            "OTHER=kept\n");
    expect_file (&rig, "3",
            "ALTCLIP_CAMERA=gate\nALTCLIP_DURATION=2.5\nALTCLIP_ID=3\nALTCLIP_KIND=end\n"
            "ALTCLIP_LABEL=a cat\nALTCLIP_PEAK=0.875\nALTCLIP_REASON=score\n"
            "ALTCLIP_REGION=0,0,1,0.5\nALTCLIP_SCORE=0.75\n"
            "ALTCLIP_TIME=2026-02-03T04:05:06.123457Z\nOTHER=kept\n");
    g_unsetenv ("ALTCLIP_MONITOR_TOKEN");
    g_unsetenv ("ALTCLIP_REASON");
    g_unsetenv ("OTHER");
    rig_clear (&rig);
}

/* Neither words nor labels are for a shell. */
static void
test_no_shell (void)
{
    static const char label[] = "$(touch pwned) `touch pwned`; touch pwned\n\"'*";
    Rig rig;
    g_autofree char *path = NULL;
    g_autofree char *found = NULL;
    MonitorHookConfig *config;

    rig_init (&rig);
    path = g_build_filename (rig.directory, "$(touch pwned);*", NULL);
    config = add_config (&rig, 10);
    config->command = g_new0 (char *, 3);
    config->command[0] = g_strdup ("touch");
    config->command[1] = g_strdup (path);
    add_script (&rig, 10, "cd \"$1\" && printf %s \"$ALTCLIP_LABEL\" >label");
    rig_start (&rig);
    run (&rig, "gate", label, 1);
    wait_until_done (&rig);
    expect_counts (&rig, 2, 0, 0);
    g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
    expect_file (&rig, "label", label);
    found = read_file (&rig, "pwned");
    g_assert_null (found);
    g_assert_false (g_file_test ("pwned", G_FILE_TEST_EXISTS));
    rig_clear (&rig);
}

/* Whatever this process has open, ignores and blocks. */
static void
test_clean_start (void)
{
    int descriptor = g_open ("/dev/null", O_RDONLY, 0);
    Rig rig;

    rig_init (&rig);
    signal (SIGPIPE, SIG_IGN);
    add_script (&rig, 10, "ls /proc/self/fd | wc -l >\"$1/n\"; kill -PIPE $$; echo alive >&2");
    rig_start (&rig);
    run (&rig, "gate", "a cat", 1);
    wait_until_done (&rig);
    /* And the one that ls lists with. */
    expect_file (&rig, "n", "4\n");
    expect_logged ("Hook sh: was killed by signal 13");
    g_close (descriptor, NULL);
    rig_clear (&rig);
}

static void
test_failing (void)
{
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 10, "echo first; echo '门: the \033[31mlast one' >&2; exit 3");
    rig_start (&rig);
    run (&rig, "gate", "a cat", 1);
    wait_until_done (&rig);
    for (guint i = 0; i < 5; i++)
        run (&rig, "gate", "a cat", i);
    wait_until_done (&rig);
    expect_counts (&rig, 0, 6, 0);
    expect_logged ("Hook sh: ended with status 3: 门: the ?[31mlast one\n");
    /* Once, for a while. */
    g_assert_cmpuint (log_text->len, <, 100);
    rig_clear (&rig);
}

static void
test_missing (void)
{
    static const char *const paths[] = { "/nowhere/command", "altclip-no-such-command", "/tmp" };
    Rig rig;

    rig_init (&rig);
    for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
        MonitorHookConfig *config = add_config (&rig, 10);

        config->command = g_new0 (char *, 2);
        config->command[0] = g_strdup (paths[i]);
    }
    rig_start (&rig);
    run (&rig, "gate", "a cat", 1);
    wait_until_done (&rig);
    expect_counts (&rig, 0, 3, 0);
    expect_logged ("Hook command: cannot be started: No such file or directory");
    expect_logged ("Hook altclip-no-such-command: cannot be started: No such file or directory");
    expect_logged ("Hook tmp: cannot be started: Permission denied");
    rig_clear (&rig);
}

static void
test_hanging (void)
{
    gint64 begin = g_get_monotonic_time ();
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 1, "echo $$ >\"$1/pids\"; exec sleep 60");
    rig_start (&rig);
    run (&rig, "gate", "a cat", 1);
    wait_until_done (&rig);
    expect_counts (&rig, 0, 1, 1);
    expect_logged ("Hook sh: took longer than 1 s and was ended");
    g_assert_cmpint (g_get_monotonic_time () - begin, <, 5 * G_TIME_SPAN_SECOND);
    expect_gone (&rig, "pids", 1);
    rig_clear (&rig);
}

/* It and what it started, which will not be asked. */
static void
test_stubborn (void)
{
    gint64 begin = g_get_monotonic_time ();
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 1,
            "trap '' TERM; (sleep 60; sleep 60) & echo $$ >\"$1/pids\"; echo $! >>\"$1/pids\";"
            " wait; sleep 60");
    rig_start (&rig);
    run (&rig, "gate", "a cat", 1);
    wait_until_done (&rig);
    expect_counts (&rig, 0, 1, 1);
    g_assert_cmpint (g_get_monotonic_time () - begin, <, 7 * G_TIME_SPAN_SECOND);
    run_context (200);
    expect_gone (&rig, "pids", 2);
    rig_clear (&rig);
}

/* It ends when asked, and what it started does not. */
static void
test_stubborn_rest (void)
{
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 1,
            "sh -c 'trap \"\" TERM; echo $$ >>\"$0/pids\"; sleep 60; sleep 60' \"$1\" &"
            " echo $$ >>\"$1/pids\"; sleep 60");
    rig_start (&rig);
    run (&rig, "gate", "a cat", 1);
    wait_until_done (&rig);
    expect_counts (&rig, 0, 1, 1);
    run_context (200);
    expect_gone (&rig, "pids", 2);
    rig_clear (&rig);
}

static gint64
get_cpu_time (void)
{
    struct rusage usage;

    getrusage (RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void
test_chatty (void)
{
    gint64 begin = get_cpu_time ();
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 60, "head -c 20000000 /dev/zero; echo; echo the end; exit 1");
    add_script (&rig, 2, "exec yes");
    rig_start (&rig);
    run (&rig, "gate", "a cat", 1);
    wait_until_done (&rig);
    expect_counts (&rig, 0, 2, 1);
    expect_logged ("ended with status 1: the end\n");
    expect_logged ("took longer than 2 s and was ended: y\n");
    g_test_message ("%.0f ms of CPU time for what talks all the time",
            (double)(get_cpu_time () - begin) / 1000.0);
    rig_clear (&rig);
}

/* Nobody reads what it is given, and it is no longer than a label may be. */
static void
test_long_input (void)
{
    g_autofree char *label = g_strnfill (60000, 'x');
    g_autofree char *size = NULL;
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 10, "true");
    add_script (&rig, 10, "wc -c >\"$1/size\"");
    rig_start (&rig);
    for (guint i = 0; i < 10; i++)
        run (&rig, "gate", label, 2 * i);
    wait_until_done (&rig);
    expect_counts (&rig, 20, 0, 0);
    size = read_file (&rig, "size");
    g_assert_cmpint (atoi (size), >, 60000);
    rig_clear (&rig);
}

static void
test_filters (void)
{
    MonitorHookConfig *config;
    Rig rig;

    rig_init (&rig);
    config = add_script (&rig, 10, "echo $ALTCLIP_ID >>\"$1/all\"");
    config = add_script (&rig, 10, "echo $ALTCLIP_ID >>\"$1/camera\"");
    config->camera = (char *)"gate";
    config = add_script (&rig, 10, "echo $ALTCLIP_ID >>\"$1/label\"");
    config->label = (char *)"a dog";
    config = add_script (&rig, 10, "echo $ALTCLIP_ID >>\"$1/kind\"");
    config->camera = (char *)"gate";
    config->kind = (char *)"end";
    rig_start (&rig);
    run (&rig, "gate", "a cat", 0);
    wait_until_done (&rig);
    run (&rig, "gate", "a cat", 1);
    wait_until_done (&rig);
    run (&rig, "yard", "a dog", 3);
    wait_until_done (&rig);
    expect_file (&rig, "all", "0\n1\n3\n");
    expect_file (&rig, "camera", "0\n1\n");
    expect_file (&rig, "label", "3\n");
    expect_file (&rig, "kind", "1\n");
    rig_clear (&rig);
}

/* ---- Many of them ---------------------------------------------------------------------------- */

static void
test_order (void)
{
    g_autoptr (GString) expected = g_string_new (NULL);
    Rig rig;

    rig_init (&rig);
    add_script (
            &rig, 10, "sleep 0.0$((ALTCLIP_ID % 3)); echo $ALTCLIP_ID >>\"$1/$ALTCLIP_CAMERA\"");
    rig_start (&rig);
    for (guint i = 0; i < 20; i++) {
        run (&rig, "gate", "a cat", i);
        run (&rig, "yard", "a cat", i);
        g_string_append_printf (expected, "%u\n", i);
    }
    wait_until_done (&rig);
    expect_file (&rig, "gate", expected->str);
    expect_file (&rig, "yard", expected->str);
    rig_clear (&rig);
}

static void
test_at_once (void)
{
    gint64 begin = g_get_monotonic_time ();
    guint most = 0;
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 10, "sleep 0.3");
    rig_start (&rig);
    for (guint i = 0; i < 12; i++) {
        g_autofree char *camera = g_strdup_printf ("camera %u", i);

        run (&rig, camera, "a cat", 0);
    }
    while (get_stats (&rig).waiting + get_stats (&rig).running > 0) {
        most = MAX (most, get_stats (&rig).running);
        g_usleep (5000);
    }
    g_assert_cmpuint (most, ==, 4);
    expect_counts (&rig, 12, 0, 0);
    /* Three times four. */
    g_assert_cmpint (g_get_monotonic_time () - begin, >=, 900000);
    rig_clear (&rig);
}

/* One that hangs with all its events does not stop the other. */
static void
test_beside_hanging (void)
{
    gint64 begin;
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 60, "exec sleep 60");
    add_script (&rig, 10, "true");
    rig_start (&rig);
    begin = g_get_monotonic_time ();
    for (guint i = 0; i < 20; i++) {
        g_autofree char *camera = g_strdup_printf ("camera %u", i);

        run (&rig, camera, "a cat", 0);
    }
    while (get_stats (&rig).succeeded < 20) {
        g_assert_cmpint (g_get_monotonic_time () - begin, <, 20 * G_TIME_SPAN_SECOND);
        g_usleep (5000);
    }
    g_assert_cmpuint (get_stats (&rig).running, ==, 2);
    g_assert_cmpuint (get_stats (&rig).waiting, ==, 18);
    begin = g_get_monotonic_time ();
    g_clear_pointer (&rig.hooks, monitor_hooks_free);
    g_assert_cmpint (g_get_monotonic_time () - begin, <, 4 * G_TIME_SPAN_SECOND);
    expect_logged ("2 hooks were ended before they were done, and 18 never ran");
    rig_clear (&rig);
}

static void
test_bounded (void)
{
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 60, "echo $$ >\"$1/pids\"; exec sleep 60");
    rig_start (&rig);
    run (&rig, "gate", "a cat", 0);
    while (get_stats (&rig).running == 0)
        g_usleep (1000);
    for (guint i = 0; i < 1000; i++)
        run (&rig, "gate", "a cat", 0);
    g_assert_cmpuint (get_stats (&rig).waiting, ==, 64);
    g_assert_cmpuint (get_stats (&rig).dropped, ==, 936);
    run_context (200);
    g_clear_pointer (&rig.hooks, monitor_hooks_free);
    expect_gone (&rig, "pids", 1);
    rig_clear (&rig);
}

/* What still waits has its turn. */
static void
test_last_ones (void)
{
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 10, "echo $ALTCLIP_ID >>\"$1/done\"");
    rig_start (&rig);
    for (guint i = 0; i < 5; i++)
        run (&rig, "gate", "a cat", i);
    g_clear_pointer (&rig.hooks, monitor_hooks_free);
    expect_file (&rig, "done", "0\n1\n2\n3\n4\n");
    rig_clear (&rig);
}

static void
rig_change (Rig *rig)
{
    gint64 begin = g_get_monotonic_time ();

    monitor_hooks_set (rig->hooks, rig->configs);
    g_assert_cmpint (g_get_monotonic_time () - begin, <, G_TIME_SPAN_SECOND / 2);
    g_ptr_array_set_size (rig->configs, 0);
}

/* One that is no more ends in its time what it has, and hears of nothing else. */
static void
test_changed (void)
{
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 10, "sleep 3; echo $ALTCLIP_ID >>\"$1/old\"");
    rig_start (&rig);
    run (&rig, "gate", "a cat", 0);
    run (&rig, "gate", "a cat", 2);
    add_script (&rig, 10, "echo $ALTCLIP_ID >>\"$1/new\"");
    rig_change (&rig);
    run (&rig, "gate", "a cat", 4);
    while (get_stats (&rig).succeeded == 0)
        g_usleep (1000);
    expect_file (&rig, "new", "4\n");
    expect_file (&rig, "old", NULL);
    wait_until_done (&rig);
    expect_file (&rig, "new", "4\n");
    expect_file (&rig, "old", "0\n2\n");
    expect_counts (&rig, 3, 0, 0);
    rig_change (&rig);
    run (&rig, "gate", "a cat", 6);
    wait_until_done (&rig);
    expect_counts (&rig, 3, 0, 0);
    rig_clear (&rig);
}

/* One that stays, stays: its events come in their order. */
static void
test_unchanged (void)
{
    const char *script = "sleep 0.$((3 - ALTCLIP_ID)); echo $ALTCLIP_ID >>\"$1/done\"";
    Rig rig;

    rig_init (&rig);
    add_script (&rig, 10, script);
    rig_start (&rig);
    run (&rig, "gate", "a cat", 0);
    run (&rig, "gate", "a cat", 1);
    add_script (&rig, 10, "true");
    add_script (&rig, 10, script);
    rig_change (&rig);
    run (&rig, "gate", "a cat", 2);
    run (&rig, "gate", "a cat", 3);
    wait_until_done (&rig);
    expect_file (&rig, "done", "0\n1\n2\n3\n");
    expect_counts (&rig, 6, 0, 0);
    rig_clear (&rig);
}

static void
test_none (void)
{
    MonitorHooks *hooks = monitor_hooks_new (NULL);
    g_autoptr (MonitorEvent) event = new_event ("gate", "a cat", 1);

    monitor_hooks_run (hooks, event);
    monitor_hooks_free (hooks);
}

/* ---- Addresses ------------------------------------------------------------------------------- */

/* A server that answers as its path says. */
typedef struct {
    SoupServer *server;
    guint port;
    guint n_requests;
    char *body, *type, *authorization; /* of the last request */
    guint fails;                       /* so many times, with 503 */
} Place;

static void
answer_endlessly (SoupServerMessage *message, gpointer data G_GNUC_UNUSED)
{
    static const char bytes[65536];

    soup_message_body_append (soup_server_message_get_response_body (message), SOUP_MEMORY_STATIC,
            bytes, sizeof bytes);
}

static guint
get_status (Place *place, SoupServerMessage *message, const char *path)
{
    if (g_strcmp0 (path, "/redirect") == 0) {
        soup_server_message_set_redirect (message, SOUP_STATUS_TEMPORARY_REDIRECT, "/secret-path");
        return SOUP_STATUS_TEMPORARY_REDIRECT;
    }
    if (g_strcmp0 (path, "/missing") == 0)
        return SOUP_STATUS_NOT_FOUND;
    if (place->fails > 0) {
        place->fails--;
        return SOUP_STATUS_SERVICE_UNAVAILABLE;
    }
    return SOUP_STATUS_OK;
}

static void
note_request (Place *place, SoupServerMessage *message)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
    g_autoptr (GBytes) body =
            soup_message_body_flatten (soup_server_message_get_request_body (message));

    place->n_requests++;
    g_free (place->body);
    g_free (place->type);
    g_free (place->authorization);
    place->body = g_strndup (g_bytes_get_data (body, NULL), g_bytes_get_size (body));
    place->type = g_strdup (soup_message_headers_get_one (headers, "Content-Type"));
    place->authorization = g_strdup (soup_message_headers_get_one (headers, "Authorization"));
}

static void
answer (SoupServer *server G_GNUC_UNUSED, SoupServerMessage *message, const char *path,
        GHashTable *query G_GNUC_UNUSED, gpointer data)
{
    Place *place = data;
    SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

    g_assert_cmpstr (soup_server_message_get_method (message), ==, "POST");
    note_request (place, message);
    if (g_strcmp0 (path, "/guarded") == 0 &&
            g_strcmp0 (place->authorization, "Basic dXNlcjpwYXNzd29yZA==") != 0) {
        soup_message_headers_replace (headers, "WWW-Authenticate", "Basic realm=\"here\"");
        soup_server_message_set_status (message, SOUP_STATUS_UNAUTHORIZED, NULL);
        return;
    }
    soup_server_message_set_status (message, get_status (place, message, path), NULL);
    if (g_strcmp0 (path, "/endless") == 0) {
        soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
        soup_message_body_set_accumulate (soup_server_message_get_response_body (message), FALSE);
        g_signal_connect (message, "wrote-chunk", G_CALLBACK (answer_endlessly), NULL);
        answer_endlessly (message, NULL);
    }
}

static void
place_init (Place *place)
{
    g_autoptr (GError) error = NULL;
    GSList *uris;

    memset (place, 0, sizeof *place);
    place->server = soup_server_new (NULL, NULL);
    soup_server_add_handler (place->server, NULL, answer, place, NULL);
    soup_server_listen_local (place->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
    g_assert_no_error (error);
    uris = soup_server_get_uris (place->server);
    place->port = (guint)g_uri_get_port (uris->data);
    g_slist_free_full (uris, (GDestroyNotify)g_uri_unref);
}

static void
place_clear (Place *place)
{
    soup_server_disconnect (place->server);
    g_object_unref (place->server);
    g_free (place->body);
    g_free (place->type);
    g_free (place->authorization);
}

static void
tell (Rig *rig, const Place *place, const char *credentials, const char *path, guint timeout)
{
    g_autofree char *url =
            g_strdup_printf ("http://%s127.0.0.1:%u%s", credentials, place->port, path);

    rig_init (rig);
    add_url (rig, timeout, url);
    rig_start (rig);
    run (rig, "gate", "a \"cat\"", 2);
    wait_until_done (rig);
}

static void
test_told (void)
{
    Place place;
    Rig rig;

    place_init (&place);
    tell (&rig, &place, "", "/here?token=secret-token", 10);
    expect_counts (&rig, 1, 0, 0);
    g_assert_cmpuint (place.n_requests, ==, 1);
    g_assert_cmpstr (place.type, ==, "application/json");
    g_assert_cmpstr (place.body, ==,
            "{\"id\":2,\"camera\":\"gate\",\"label\":\"a \\\"cat\\\"\",\"kind\":\"begin\","
            "\"time\":\"2026-02-03T04:05:06.123457Z\",\"score\":0.75,\"peak\":0.875,"
            "\"thumbnail\":false}");
    rig_clear (&rig);
    place_clear (&place);
}

static void
test_told_again (void)
{
    Place place;
    Rig rig;

    place_init (&place);
    place.fails = 1;
    tell (&rig, &place, "", "/", 10);
    expect_counts (&rig, 1, 0, 0);
    g_assert_cmpuint (place.n_requests, ==, 2);
    rig_clear (&rig);
    place_clear (&place);
}

static void
test_told_in_vain (void)
{
    Place place;
    Rig rig;

    place_init (&place);
    place.fails = 5;
    tell (&rig, &place, "user:password@", "/secret-path?token=secret-token", 10);
    expect_counts (&rig, 0, 1, 0);
    g_assert_cmpuint (place.n_requests, ==, 2);
    expect_logged (": answered 503");
    expect_logged ("Hook http://127.0.0.1:");
    expect_not_logged ("secret");
    expect_not_logged ("password");
    expect_not_logged ("user");
    rig_clear (&rig);
    place_clear (&place);
}

/* What would be the same again is not tried again, and no other address is gone to. */
static void
test_refused (void)
{
    static const char *const paths[] = { "/missing", "/redirect", "/guarded" };
    static const char *const answers[] = { "answered 404", "answered 307", "answered 401" };

    for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
        Place place;
        Rig rig;

        place_init (&place);
        tell (&rig, &place, "", paths[i], 10);
        expect_counts (&rig, 0, 1, 0);
        g_assert_cmpuint (place.n_requests, ==, 1);
        expect_logged (answers[i]);
        rig_clear (&rig);
        place_clear (&place);
    }
}

static void
test_credentials (void)
{
    Place place;
    Rig rig;

    place_init (&place);
    tell (&rig, &place, "user:password@", "/guarded", 10);
    expect_counts (&rig, 1, 0, 0);
    g_assert_cmpstr (place.authorization, ==, "Basic dXNlcjpwYXNzd29yZA==");
    rig_clear (&rig);
    place_clear (&place);
}

static void
test_wrong_credentials (void)
{
    Place place;
    Rig rig;

    place_init (&place);
    tell (&rig, &place, "user:passw0rd@", "/guarded", 10);
    expect_counts (&rig, 0, 1, 0);
    g_assert_cmpuint (place.n_requests, <=, 2);
    expect_logged ("answered 401");
    expect_not_logged ("passw0rd");
    rig_clear (&rig);
    place_clear (&place);
}

static void
test_endless_answer (void)
{
    gint64 begin = g_get_monotonic_time ();
    Place place;
    Rig rig;

    place_init (&place);
    tell (&rig, &place, "", "/endless", 10);
    expect_counts (&rig, 1, 0, 0);
    g_assert_cmpint (g_get_monotonic_time () - begin, <, 5 * G_TIME_SPAN_SECOND);
    rig_clear (&rig);
    place_clear (&place);
}

/* It takes connections, and says nothing. */
static guint
listen_silently (GSocketListener **listener)
{
    g_autoptr (GError) error = NULL;
    guint port;

    *listener = g_socket_listener_new ();
    port = g_socket_listener_add_any_inet_port (*listener, NULL, &error);
    g_assert_no_error (error);
    return port;
}

static void
test_silent (void)
{
    g_autoptr (GSocketListener) listener = NULL;
    Place place = { .port = listen_silently (&listener) };
    gint64 begin = g_get_monotonic_time ();
    Rig rig;

    tell (&rig, &place, "", "/secret-path", 1);
    expect_counts (&rig, 0, 1, 1);
    expect_logged ("took longer than 1 s");
    expect_not_logged ("secret");
    /* Twice a second, and one between. */
    g_assert_cmpint (g_get_monotonic_time () - begin, >=, 3 * G_TIME_SPAN_SECOND);
    g_assert_cmpint (g_get_monotonic_time () - begin, <, 8 * G_TIME_SPAN_SECOND);
    rig_clear (&rig);
}

static void
test_silent_at_end (void)
{
    g_autoptr (GSocketListener) listener = NULL;
    g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/", listen_silently (&listener));
    gint64 begin;
    Rig rig;

    rig_init (&rig);
    add_url (&rig, 60, url);
    rig_start (&rig);
    run (&rig, "gate", "a cat", 2);
    run_context (100);
    begin = g_get_monotonic_time ();
    g_clear_pointer (&rig.hooks, monitor_hooks_free);
    g_assert_cmpint (g_get_monotonic_time () - begin, <, 4 * G_TIME_SPAN_SECOND);
    expect_logged ("1 hooks were ended before they were done, and 0 never ran");
    rig_clear (&rig);
}

static void
test_nobody (void)
{
    GSocketListener *listener;
    Place place = { .port = listen_silently (&listener) };
    Rig rig;

    g_socket_listener_close (listener);
    g_object_unref (listener);
    tell (&rig, &place, "user:password@", "/secret-path", 10);
    expect_counts (&rig, 0, 1, 0);
    expect_logged ("refused");
    expect_not_logged ("secret");
    expect_not_logged ("password");
    rig_clear (&rig);
}

static void
test_no_address (void)
{
    static const char *const urls[] = { "", "secret", "ftp://user:secret@here/", "http://",
        "http:///secret", "file:///secret", "http://user:secret@[:80/" };
    Rig rig;

    rig_init (&rig);
    for (guint i = 0; i < G_N_ELEMENTS (urls); i++)
        add_url (&rig, 10, urls[i]);
    rig_start (&rig);
    run (&rig, "gate", "a cat", 2);
    wait_until_done (&rig);
    expect_counts (&rig, 0, G_N_ELEMENTS (urls), 0);
    expect_logged ("Hook an address: cannot be told: not an address of http or https");
    expect_not_logged ("secret");
    rig_clear (&rig);
}

/* A burst, from several hooks and cameras. */
static void
test_many (void)
{
    g_autofree char *url = NULL;
    gint64 begin;
    Place place;
    Rig rig;

    place_init (&place);
    rig_init (&rig);
    url = g_strdup_printf ("http://127.0.0.1:%u/", place.port);
    for (guint i = 0; i < 3; i++)
        add_url (&rig, 10, url);
    rig_start (&rig);
    begin = g_get_monotonic_time ();
    for (guint i = 0; i < 60; i++)
        run (&rig, i % 2 ? "gate" : "yard", "a cat", i);
    wait_until_done (&rig);
    g_test_message (
            "180 requests take %.0f ms", (double)(g_get_monotonic_time () - begin) / 1000.0);
    expect_counts (&rig, 180, 0, 0);
    g_assert_cmpuint (place.n_requests, ==, 180);
    rig_clear (&rig);
    place_clear (&place);
}

/* What GLib says of every connection. */
static void
ignore_log (const char *domain G_GNUC_UNUSED, GLogLevelFlags level G_GNUC_UNUSED,
        const char *message G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
}

int
main (int argc, char **argv)
{
    g_setenv ("no_proxy", "*", TRUE);
    g_test_init (&argc, &argv, NULL);
    log_text = g_string_new (NULL);
    g_log_set_always_fatal (G_LOG_FATAL_MASK);
    g_log_set_handler ("altclip-monitor", G_LOG_LEVEL_MASK, note_log, NULL);
    g_log_set_handler ("GLib", G_LOG_LEVEL_DEBUG, ignore_log, NULL);
    g_log_set_handler ("GLib-GIO", G_LOG_LEVEL_DEBUG, ignore_log, NULL);
    g_test_add_func ("/monitor/hooks/input", test_input);
    g_test_add_func ("/monitor/hooks/environment", test_environment);
    g_test_add_func ("/monitor/hooks/no-shell", test_no_shell);
    g_test_add_func ("/monitor/hooks/clean-start", test_clean_start);
    g_test_add_func ("/monitor/hooks/failing", test_failing);
    g_test_add_func ("/monitor/hooks/missing", test_missing);
    g_test_add_func ("/monitor/hooks/hanging", test_hanging);
    g_test_add_func ("/monitor/hooks/stubborn", test_stubborn);
    g_test_add_func ("/monitor/hooks/stubborn-rest", test_stubborn_rest);
    g_test_add_func ("/monitor/hooks/chatty", test_chatty);
    g_test_add_func ("/monitor/hooks/long-input", test_long_input);
    g_test_add_func ("/monitor/hooks/filters", test_filters);
    g_test_add_func ("/monitor/hooks/order", test_order);
    g_test_add_func ("/monitor/hooks/at-once", test_at_once);
    g_test_add_func ("/monitor/hooks/beside-hanging", test_beside_hanging);
    g_test_add_func ("/monitor/hooks/bounded", test_bounded);
    g_test_add_func ("/monitor/hooks/last-ones", test_last_ones);
    g_test_add_func ("/monitor/hooks/changed", test_changed);
    g_test_add_func ("/monitor/hooks/unchanged", test_unchanged);
    g_test_add_func ("/monitor/hooks/none", test_none);
    g_test_add_func ("/monitor/hooks/told", test_told);
    g_test_add_func ("/monitor/hooks/told-again", test_told_again);
    g_test_add_func ("/monitor/hooks/told-in-vain", test_told_in_vain);
    g_test_add_func ("/monitor/hooks/refused", test_refused);
    g_test_add_func ("/monitor/hooks/credentials", test_credentials);
    g_test_add_func ("/monitor/hooks/wrong-credentials", test_wrong_credentials);
    g_test_add_func ("/monitor/hooks/endless-answer", test_endless_answer);
    g_test_add_func ("/monitor/hooks/silent", test_silent);
    g_test_add_func ("/monitor/hooks/silent-at-end", test_silent_at_end);
    g_test_add_func ("/monitor/hooks/nobody", test_nobody);
    g_test_add_func ("/monitor/hooks/no-address", test_no_address);
    g_test_add_func ("/monitor/hooks/many", test_many);
    return g_test_run ();
}
