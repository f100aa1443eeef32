/* altclip: a store of events, what it announced, and files to keep it in, for tests
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "diary.h"

#include <glib/gstdio.h>
#include <string.h>

#define MAX_WAIT (60 * G_TIME_SPAN_SECOND)

void
diary_init (Diary *diary)
{
    g_autoptr (GError) error = NULL;

    memset (diary, 0, sizeof *diary);
    diary->thread = g_thread_self ();
    diary->directory = g_dir_make_tmp ("altclip-store-XXXXXX", &error);
    g_assert_no_error (error);
    diary->path = g_build_filename (diary->directory, "events.db", NULL);
    diary->announced = g_ptr_array_new_with_free_func ((GDestroyNotify)monitor_event_unref);
}

static void
remove_all (const char *directory)
{
    g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
    const char *name;

    while (files && (name = g_dir_read_name (files))) {
        g_autofree char *path = g_build_filename (directory, name, NULL);

        if (g_file_test (path, G_FILE_TEST_IS_DIR))
            remove_all (path);
        else
            g_unlink (path);
    }
    g_rmdir (directory);
}

void
diary_clear (Diary *diary)
{
    g_clear_pointer (&diary->store, monitor_store_close);
    remove_all (diary->directory);
    g_ptr_array_unref (diary->announced);
    g_free (diary->directory);
    g_free (diary->path);
}

static void
note (MonitorEvent *event, gpointer data)
{
    Diary *diary = data;

    g_assert_true (g_thread_self () == diary->thread);
    g_ptr_array_add (diary->announced, monitor_event_ref (event));
}

void
diary_open (Diary *diary, const MonitorRetention *retention)
{
    const MonitorRetention all = { 0, 0 };
    g_autoptr (GError) error = NULL;

    diary->store =
            monitor_store_open (diary->path, retention ? retention : &all, note, diary, &error);
    g_assert_no_error (error);
    g_assert_nonnull (diary->store);
}

void
diary_close (Diary *diary)
{
    g_clear_pointer (&diary->store, monitor_store_close);
}

GError *
diary_expect_error (Diary *diary)
{
    const MonitorRetention all = { 0, 0 };
    GError *error = NULL;

    g_assert_null (monitor_store_open (diary->path, &all, NULL, NULL, &error));
    g_assert_nonnull (error);
    g_assert_nonnull (strstr (error->message, diary->path));
    g_assert_null (strchr (error->message, '\n'));
    return error;
}

/* Two thumbnails differ, as those of a camera do. */
static GBytes *
new_thumbnail (guint number, gsize size)
{
    guint8 *bytes = g_malloc (size);

    for (gsize i = 0; i < size; i++)
        bytes[i] = (guint8)(number * 31 + i * 7 + (i >> 8));
    return g_bytes_new_take (bytes, size);
}

MonitorEvent *
diary_new_event (const char *camera, guint number, gsize thumbnail_size)
{
    g_autofree char *label = g_strdup_printf ("label %u", number);
    g_autofree char *json = g_strdup_printf ("{\"label\":\"%s\"}", label);
    g_autoptr (GBytes) thumbnail =
            thumbnail_size > 0 ? new_thumbnail (number, thumbnail_size) : NULL;
    MonitorEvent fields = { .camera = (char *)camera,
        .label = label,
        .kind = (char *)(number % 2 ? "end" : "begin"),
        .time = G_GINT64_CONSTANT (1700000000000000) + (gint64)number * G_USEC_PER_SEC,
        .score = 0.5 + 0.25 * (number % 2),
        .peak = 0.875,
        .duration = number % 2 ? number * G_GUINT64_CONSTANT (1000000000) : 0,
        .reason = (char *)(number % 2 ? "score" : NULL),
        .region = (char *)(number % 3 ? NULL : "0,0.25,1,0.5"),
        .json = json,
        .has_thumbnail = thumbnail != NULL,
        .thumbnail = thumbnail };

    return monitor_event_new (&fields);
}

void
diary_add (Diary *diary, guint first, guint n, gsize thumbnail_size)
{
    for (guint i = first; i < first + n; i++)
        monitor_store_add (diary->store, diary_new_event ("gate", i, thumbnail_size));
}

static gboolean
note_end (gpointer data)
{
    gboolean *over = data;

    *over = TRUE;
    return G_SOURCE_REMOVE;
}

void
diary_run (guint time)
{
    gboolean over = FALSE;

    g_timeout_add (time, note_end, &over);
    while (!over)
        g_main_context_iteration (NULL, TRUE);
}

void
diary_wait (Diary *diary, guint n)
{
    gint64 end = g_get_monotonic_time () + MAX_WAIT;

    while (diary->announced->len < n) {
        g_assert_cmpint (g_get_monotonic_time (), <, end);
        diary_run (5);
    }
    g_assert_cmpuint (diary->announced->len, ==, n);
}

guint64
diary_get_size (Diary *diary)
{
    static const char *const endings[] = { "", "-wal" };
    guint64 size = 0;

    for (guint i = 0; i < G_N_ELEMENTS (endings); i++) {
        g_autofree char *path = g_strconcat (diary->path, endings[i], NULL);
        GStatBuf status;

        if (g_stat (path, &status) == 0)
            size += (guint64)status.st_size;
    }
    return size;
}
