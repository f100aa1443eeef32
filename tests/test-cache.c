/* altclip: embeddings kept between runs: found again, never wrong, never in the way
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "cache.h"
#include "prompts.h"
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_VALUE 16
#define HEADER_BYTES 64
#define RECORD_BYTES (24 + N_VALUE)

typedef struct {
    char *parent;    /* a folder of the test's own */
    char *directory; /* of caches; not there yet */
    char *file;      /* of the cache that open_cache() opens */
    AltclipFingerprint fingerprint;
} Fixture;

static void
remove_tree (const char *path)
{
    g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name (dir))) {
        g_autofree char *child = g_build_filename (path, name, NULL);

        if (g_file_test (child, G_FILE_TEST_IS_DIR) && !g_file_test (child, G_FILE_TEST_IS_SYMLINK))
            remove_tree (child);
        else
            g_unlink (child);
    }
    g_rmdir (path);
}

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    fixture->parent = g_dir_make_tmp ("altclip-cache-XXXXXX", NULL);
    fixture->directory = g_build_filename (fixture->parent, "altclip", NULL);
    for (guint i = 0; i < sizeof fixture->fingerprint.bytes; i++)
        fixture->fingerprint.bytes[i] = (guint8)(0xa0 + i);
    fixture->file =
            g_build_filename (fixture->directory, "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf.numbers", NULL);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    remove_tree (fixture->parent);
    g_free (fixture->parent);
    g_free (fixture->directory);
    g_free (fixture->file);
}

static AltclipCache *
open_cache (Fixture *fixture)
{
    AltclipCache *cache =
            altclip_cache_new (fixture->directory, &fixture->fingerprint, "numbers", N_VALUE);

    altclip_cache_refresh (cache);
    return cache;
}

/* The one right value of text number @i. */
static void
make_value (guint i, guint8 value[N_VALUE])
{
    for (guint j = 0; j < N_VALUE; j++)
        value[j] = (guint8)(i * 31 + j);
}

static char *
make_text (guint i)
{
    return g_strdup_printf ("text number %u", i);
}

static void
put (AltclipCache *cache, guint i)
{
    g_autofree char *text = make_text (i);
    guint8 value[N_VALUE];

    make_value (i, value);
    altclip_cache_put (cache, text, value);
}

/* Whether there is a value; it must be the right one then. */
static gboolean
has (AltclipCache *cache, guint i)
{
    g_autofree char *text = make_text (i);
    guint8 expected[N_VALUE];
    guint8 found[N_VALUE];

    if (!altclip_cache_get (cache, text, found))
        return FALSE;
    make_value (i, expected);
    g_assert_cmpmem (found, N_VALUE, expected, N_VALUE);
    return TRUE;
}

/* What another program would find. */
static gboolean
is_kept (Fixture *fixture, guint i)
{
    g_autoptr (AltclipCache) cache = open_cache (fixture);

    return has (cache, i);
}

static void
keep (Fixture *fixture, guint first, guint last)
{
    g_autoptr (AltclipCache) cache = open_cache (fixture);

    for (guint i = first; i < last; i++)
        put (cache, i);
}

/* Without waiting for the disk, as g_file_set_contents() would. */
static void
write_file (const char *path, const char *contents, gsize length)
{
    int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    g_assert_cmpint (write (fd, contents, length), ==, (gssize)length);
    close (fd);
}

static guint
count_files (const char *directory)
{
    g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
    guint n = 0;

    while (dir && g_dir_read_name (dir))
        n++;
    return n;
}

/* ---- Keeping --------------------------------------------------------------------------------- */

static void
test_keeps (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipCache) reader = open_cache (fixture);
    g_autoptr (AltclipCache) writer = open_cache (fixture);

    g_assert_false (has (writer, 1));
    put (writer, 1);
    put (writer, 2);
    g_assert_false (g_file_test (fixture->directory, G_FILE_TEST_EXISTS));
    altclip_cache_flush (writer);
    g_assert_false (has (reader, 1));
    altclip_cache_refresh (reader);
    g_assert_true (has (reader, 1));
    g_assert_true (has (reader, 2));
    g_assert_false (has (reader, 3));
    put (writer, 3);
    altclip_cache_flush (writer);
    g_assert_false (has (reader, 3));
    altclip_cache_refresh (reader);
    for (guint i = 1; i <= 3; i++)
        g_assert_true (has (reader, i));
    g_assert_false (altclip_cache_get (NULL, "text", NULL));
}

static void
test_apart (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipCache) other_kind =
            altclip_cache_new (fixture->directory, &fixture->fingerprint, "others", N_VALUE);
    g_autoptr (AltclipCache) other_model = NULL;
    AltclipFingerprint fingerprint = fixture->fingerprint;

    keep (fixture, 0, 1);
    /* In the part that the file's name does not show. */
    fingerprint.bytes[31]++;
    other_model = altclip_cache_new (fixture->directory, &fingerprint, "numbers", N_VALUE);
    altclip_cache_refresh (other_kind);
    altclip_cache_refresh (other_model);
    g_assert_false (has (other_kind, 0));
    g_assert_false (has (other_model, 0));
}

static void
test_privacy (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *contents = NULL;
    struct stat status;
    gsize length;
    mode_t mask = umask (0);

    keep (fixture, 0, 1);
    umask (mask);
    g_assert_cmpint (stat (fixture->directory, &status), ==, 0);
    g_assert_cmpuint (status.st_mode & 07777, ==, 0700);
    g_assert_cmpint (stat (fixture->file, &status), ==, 0);
    g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
    g_assert_cmpuint (count_files (fixture->directory), ==, 2); /* and the lock */
    g_assert_true (g_file_get_contents (fixture->file, &contents, &length, NULL));
    g_assert_cmpuint (length, ==, HEADER_BYTES + RECORD_BYTES);
    g_assert_null (g_strstr_len (contents, (gssize)length, "number 0"));
}

/* ---- Damage ---------------------------------------------------------------------------------- */

/* Whatever byte is changed, a value is right or not there; and what is not there can be kept anew.
 */
static void
test_changed_bytes (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *contents = NULL;
    gsize length;

    keep (fixture, 0, 3);
    g_assert_true (g_file_get_contents (fixture->file, &contents, &length, NULL));
    g_assert_cmpuint (length, ==, HEADER_BYTES + 3 * RECORD_BYTES);
    for (gsize at = 0; at < length; at++) {
        g_autoptr (AltclipCache) cache = NULL;
        guint n_found = 0;

        for (guint bit = 0; bit < 8; bit += 7) {
            contents[at] ^= (char)(1 << bit);
            write_file (fixture->file, contents, length);
            contents[at] ^= (char)(1 << bit);
            g_clear_pointer (&cache, altclip_cache_free);
            cache = open_cache (fixture);
            n_found = has (cache, 0) + has (cache, 1) + has (cache, 2);
            g_assert_cmpuint (n_found, ==, at < HEADER_BYTES ? 0 : 2);
        }
        for (guint i = 0; i < 3; i++)
            put (cache, i);
        altclip_cache_flush (cache);
        for (guint i = 0; i < 3; i++)
            g_assert_true (is_kept (fixture, i));
    }
}

static void
test_lengths (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *contents = NULL;
    gsize length;

    keep (fixture, 0, 2);
    g_assert_true (g_file_get_contents (fixture->file, &contents, &length, NULL));
    contents = g_realloc (contents, length + RECORD_BYTES);
    memset (contents + length, 0x55, RECORD_BYTES);
    for (gsize n = 0; n <= length + RECORD_BYTES; n++) {
        write_file (fixture->file, contents, n);
        g_assert_cmpint (is_kept (fixture, 0), ==, n >= HEADER_BYTES + RECORD_BYTES);
        g_assert_cmpint (is_kept (fixture, 1), ==, n >= HEADER_BYTES + 2 * RECORD_BYTES);
        keep (fixture, 0, 3);
        for (guint i = 0; i < 3; i++)
            g_assert_true (is_kept (fixture, i));
    }
}

/* A reader that has the file open sees it cut off, grow again, and go. */
static void
test_changes_while_open (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipCache) reader = NULL;

    keep (fixture, 0, 3);
    reader = open_cache (fixture);
    g_assert_true (has (reader, 2));
    g_assert_cmpint (truncate (fixture->file, HEADER_BYTES + RECORD_BYTES), ==, 0);
    g_assert_true (has (reader, 0));
    g_assert_false (has (reader, 2));
    altclip_cache_refresh (reader);
    g_assert_false (has (reader, 2));
    keep (fixture, 2, 4);
    altclip_cache_refresh (reader);
    g_assert_true (has (reader, 2));
    g_assert_true (has (reader, 3));
    g_assert_cmpint (truncate (fixture->file, 0), ==, 0);
    altclip_cache_refresh (reader);
    g_assert_false (has (reader, 0));
    g_unlink (fixture->file);
    altclip_cache_refresh (reader);
    g_assert_false (has (reader, 0));
    keep (fixture, 5, 6);
    altclip_cache_refresh (reader);
    g_assert_true (has (reader, 5));
}

/* Not a sparse file of a terabyte, not a pipe, not a way to write elsewhere. */
static void
test_foreign_files (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *precious = g_build_filename (fixture->parent, "precious", NULL);
    g_autofree char *contents = NULL;

    keep (fixture, 0, 1);
    g_assert_cmpint (truncate (fixture->file, (off_t)1 << 40), ==, 0);
    g_assert_false (is_kept (fixture, 0));
    keep (fixture, 0, 1);
    g_assert_true (is_kept (fixture, 0));

    g_unlink (fixture->file);
    g_assert_cmpint (mkfifo (fixture->file, 0600), ==, 0);
    g_assert_false (is_kept (fixture, 0));
    keep (fixture, 0, 1);
    g_assert_true (is_kept (fixture, 0));

    g_assert_true (g_file_set_contents (precious, "precious", -1, NULL));
    g_unlink (fixture->file);
    g_assert_cmpint (symlink (precious, fixture->file), ==, 0);
    g_assert_false (is_kept (fixture, 0));
    keep (fixture, 0, 1);
    g_assert_true (is_kept (fixture, 0));
    g_assert_true (g_file_get_contents (precious, &contents, NULL, NULL));
    g_assert_cmpstr (contents, ==, "precious");
}

static void
test_leftovers (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *leftover = g_build_filename (fixture->directory, ".new", NULL);
    g_autofree char *precious = g_build_filename (fixture->parent, "precious", NULL);
    g_autofree char *contents = NULL;

    g_assert_cmpint (g_mkdir (fixture->directory, 0700), ==, 0);
    g_assert_true (g_file_set_contents (precious, "precious", -1, NULL));
    g_assert_cmpint (symlink (precious, leftover), ==, 0);
    keep (fixture, 0, 1);
    g_assert_true (is_kept (fixture, 0));
    g_assert_false (g_file_test (leftover, G_FILE_TEST_EXISTS));
    g_assert_true (g_file_get_contents (precious, &contents, NULL, NULL));
    g_assert_cmpstr (contents, ==, "precious");
}

/* ---- Directories that cannot be used --------------------------------------------------------- */

static guint n_complaints;

static void
count_complaint (G_GNUC_UNUSED const char *domain, G_GNUC_UNUSED GLogLevelFlags level,
        const char *message, G_GNUC_UNUSED gpointer user_data)
{
    n_complaints += strstr (message, "nothing is kept there") != NULL;
}

/* Says so once, whatever is put. */
static void
assert_refused (Fixture *fixture)
{
    g_autoptr (AltclipCache) cache = open_cache (fixture);

    n_complaints = 0;
    for (guint i = 0; i < 3; i++) {
        put (cache, i);
        altclip_cache_flush (cache);
        altclip_cache_refresh (cache);
        g_assert_false (has (cache, i));
    }
    g_assert_cmpuint (n_complaints, ==, 1);
}

static void
test_unusable_directories (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *elsewhere = g_build_filename (fixture->parent, "elsewhere", NULL);

    /* A file. */
    g_assert_true (g_file_set_contents (fixture->directory, "", -1, NULL));
    assert_refused (fixture);
    g_unlink (fixture->directory);
    /* A link. */
    g_assert_cmpint (g_mkdir (elsewhere, 0700), ==, 0);
    g_assert_cmpint (symlink (elsewhere, fixture->directory), ==, 0);
    assert_refused (fixture);
    g_assert_cmpuint (count_files (elsewhere), ==, 0);
    g_unlink (fixture->directory);
    /* Others may write there. */
    g_assert_cmpint (g_mkdir (fixture->directory, 0700), ==, 0);
    g_assert_cmpint (g_chmod (fixture->directory, 0770), ==, 0);
    assert_refused (fixture);
    g_assert_cmpuint (count_files (fixture->directory), ==, 0);
    g_rmdir (fixture->directory);
    /* It cannot be made. */
    g_free (fixture->directory);
    fixture->directory = g_strdup ("/proc/altclip/cache");
    assert_refused (fixture);
}

/* Another user's, and one that may be read only: what there is, is found. Needs not to be root. */
static void
test_read_only (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    const uid_t nobody = 65534;
    gboolean is_root = geteuid () == 0;
    int status;

    keep (fixture, 10, 11);
    if (is_root) {
        g_assert_cmpint (chmod (fixture->parent, 0755), ==, 0);
        g_assert_cmpint (chown (fixture->directory, nobody, nobody), ==, 0);
        g_assert_false (is_kept (fixture, 10));
        assert_refused (fixture);
        g_assert_cmpint (chown (fixture->file, nobody, nobody), ==, 0);
    } else {
        g_assert_cmpint (chmod (fixture->file, 0400), ==, 0);
    }
    g_assert_cmpint (chmod (fixture->directory, 0500), ==, 0);
    if (fork () == 0) {
        if (is_root && setuid (nobody) != 0)
            _exit (2);
        g_unlink (fixture->file); /* which fails */
        _exit (is_kept (fixture, 10) ? (assert_refused (fixture), 0) : 1);
    }
    g_assert_cmpint (wait (&status), >, 0);
    g_assert_cmpint (status, ==, 0);
    g_assert_cmpint (chmod (fixture->directory, 0700), ==, 0);
}

/* As if the disk were full: a file may not grow beyond a few records. */
static void
test_full_disk (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    int status;

    keep (fixture, 10, 12);
    if (fork () == 0) {
        const struct rlimit limit = { HEADER_BYTES + 2 * RECORD_BYTES + 5,
            HEADER_BYTES + 2 * RECORD_BYTES + 5 };

        signal (SIGXFSZ, SIG_IGN);
        setrlimit (RLIMIT_FSIZE, &limit);
        assert_refused (fixture);
        _exit (is_kept (fixture, 10) && is_kept (fixture, 11) ? 0 : 1);
    }
    g_assert_cmpint (wait (&status), >, 0);
    g_assert_cmpint (status, ==, 0);
    keep (fixture, 0, 1);
    g_assert_true (is_kept (fixture, 0));
    g_assert_true (is_kept (fixture, 10));
}

/* ---- At the same time ------------------------------------------------------------------------ */

/* Each process reads and writes the same texts, in an order of its own. */
static void
work_on_cache (Fixture *fixture, guint number)
{
    g_autoptr (AltclipCache) cache = open_cache (fixture);

    for (guint i = 0; i < 200; i++) {
        guint text = (i * 7 + number * 25) % 200;

        if (!has (cache, text))
            put (cache, text);
        if (i % 10 == 9) {
            altclip_cache_flush (cache);
            altclip_cache_refresh (cache);
        }
    }
}

static void
test_processes (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    guint n_found = 0;

    for (guint number = 0; number < 8; number++) {
        if (fork () == 0) {
            work_on_cache (fixture, number);
            _exit (0);
        }
    }
    for (guint number = 0; number < 8; number++) {
        int status;

        g_assert_cmpint (wait (&status), >, 0);
        g_assert_cmpint (status, ==, 0);
    }
    for (guint i = 0; i < 200; i++)
        n_found += is_kept (fixture, i);
    /* All, unless the machine is so busy that nobody could have the lock. */
    g_assert_cmpuint (n_found, >=, 100);
}

typedef struct {
    AltclipCache *cache;
    guint number;
} Worker;

static gpointer
work_in_thread (gpointer data)
{
    Worker *worker = data;

    for (guint i = 0; i < 100; i++) {
        guint text = (i * 7 + worker->number * 25) % 100;

        if (!has (worker->cache, text))
            put (worker->cache, text);
        if (i % 10 == 9) {
            altclip_cache_flush (worker->cache);
            altclip_cache_refresh (worker->cache);
        }
    }
    return NULL;
}

static void
test_threads (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipCache) cache = open_cache (fixture);
    Worker workers[4];
    GThread *threads[4];

    for (guint i = 0; i < 4; i++) {
        workers[i] = (Worker){ cache, i };
        threads[i] = g_thread_new ("worker", work_in_thread, &workers[i]);
    }
    for (guint i = 0; i < 4; i++)
        g_thread_join (threads[i]);
    altclip_cache_refresh (cache);
    for (guint i = 0; i < 100; i++)
        g_assert_true (has (cache, i));
}

/* Who has the lock and does not let go keeps nobody waiting for long, and loses nobody a value. */
static void
test_held_lock (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *path = g_build_filename (fixture->directory, "lock", NULL);
    g_autoptr (AltclipCache) cache = open_cache (fixture);
    gint64 begin;
    int lock;

    g_assert_cmpint (g_mkdir (fixture->directory, 0700), ==, 0);
    lock = open (path, O_RDWR | O_CREAT, 0600);
    g_assert_cmpint (flock (lock, LOCK_EX), ==, 0);
    put (cache, 0);
    begin = g_get_monotonic_time ();
    altclip_cache_flush (cache);
    g_assert_cmpint (g_get_monotonic_time () - begin, <, 2 * G_USEC_PER_SEC);
    g_assert_false (is_kept (fixture, 0));
    close (lock);
    put (cache, 1);
    altclip_cache_flush (cache);
    g_assert_true (is_kept (fixture, 0));
    g_assert_true (is_kept (fixture, 1));
}

/* ---- Bounds ---------------------------------------------------------------------------------- */

/* A file holds 131072 records: then the older half goes. */
static void
test_full_file (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    const guint most = 131072;
    struct stat status;

    keep (fixture, 0, most);
    g_assert_cmpint (stat (fixture->file, &status), ==, 0);
    g_assert_cmpuint ((guint64)status.st_size, ==, HEADER_BYTES + (guint64)most * RECORD_BYTES);
    g_assert_true (is_kept (fixture, 0));
    keep (fixture, most, most + 1);
    g_assert_cmpint (stat (fixture->file, &status), ==, 0);
    g_assert_cmpuint (
            (guint64)status.st_size, ==, HEADER_BYTES + (most / 2 + 1) * (guint64)RECORD_BYTES);
    g_assert_false (is_kept (fixture, 0));
    g_assert_false (is_kept (fixture, most / 2 - 1));
    g_assert_true (is_kept (fixture, most / 2));
    g_assert_true (is_kept (fixture, most));
}

/* A file of another model, of @megabytes, last written to @age seconds ago. */
static char *
add_old_file (Fixture *fixture, guint number, guint megabytes, guint age)
{
    g_autofree char *name = g_strdup_printf ("%032x.embeddings", number);
    char *path = g_build_filename (fixture->directory, name, NULL);
    struct timespec times[2] = { { 0, 0 }, { 0, 0 } };

    g_assert_true (g_file_set_contents (path, "", -1, NULL));
    g_assert_cmpint (truncate (path, (off_t)megabytes << 20), ==, 0);
    times[0].tv_sec = times[1].tv_sec = g_get_real_time () / G_USEC_PER_SEC - age;
    g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
    return path;
}

/* All files hold 512 MiB: then the oldest go, when a new one is made. */
static void
test_full_directory (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *newer = NULL;
    g_autofree char *oldest = NULL;
    g_autofree char *older = NULL;
    g_autofree char *alien = g_build_filename (fixture->directory, "not-ours", NULL);

    g_assert_cmpint (g_mkdir (fixture->directory, 0700), ==, 0);
    newer = add_old_file (fixture, 1, 200, 100);
    oldest = add_old_file (fixture, 2, 200, 10000);
    older = add_old_file (fixture, 3, 200, 1000);
    g_assert_true (g_file_set_contents (alien, "", -1, NULL));
    g_assert_cmpint (truncate (alien, (off_t)1 << 32), ==, 0);
    keep (fixture, 0, 1);
    g_assert_true (g_file_test (newer, G_FILE_TEST_EXISTS));
    g_assert_true (g_file_test (older, G_FILE_TEST_EXISTS));
    g_assert_false (g_file_test (oldest, G_FILE_TEST_EXISTS));
    g_assert_true (g_file_test (alien, G_FILE_TEST_EXISTS));
    g_assert_true (is_kept (fixture, 0));
}

/* ---- A model --------------------------------------------------------------------------------- */

typedef struct {
    char *directory; /* a copy of the model */
    char *cache;     /* what the library takes for the user's */
} Model;

static char *
model_path (Model *model, const char *name)
{
    return g_build_filename (model->directory, name, NULL);
}

static void
copy_file (const char *from, const char *to)
{
    g_autofree char *contents = NULL;
    gsize length;

    g_assert_true (g_file_get_contents (from, &contents, &length, NULL));
    g_assert_true (g_file_set_contents (to, contents, (gssize)length, NULL));
}

static void
model_set_up (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    static const char *const names[] = { "config.json", "preprocessor_config.json",
        "model.safetensors", "sentencepiece.bpe.model" };

    model->directory = g_dir_make_tmp ("altclip-model-XXXXXX", NULL);
    model->cache = altclip_cache_get_directory ();
    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
        g_autofree char *from =
                g_test_build_filename (G_TEST_DIST, "golden", "models", "patch16", names[i], NULL);
        g_autofree char *to = model_path (model, names[i]);

        copy_file (from, to);
    }
}

static void
model_tear_down (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    remove_tree (model->cache);
    remove_tree (model->directory);
    g_free (model->cache);
    g_free (model->directory);
}

static AltclipModel *
open_model (Model *model, AltclipModelFlags flags, const char *kernels)
{
    const AltclipModelOptions options = {
        .kernels = kernels,
        .threads = 1,
        .flags = ALTCLIP_MODEL_LAZY | flags,
    };
    g_autoptr (GError) error = NULL;
    AltclipModel *opened = altclip_model_open (model->directory, &options, NULL, &error);

    g_assert_no_error (error);
    return opened;
}

static void
embed (AltclipModel *model, const char *text, float *embedding)
{
    g_autoptr (AltclipSession) session = altclip_session_new (model, 1, NULL);
    g_autoptr (GError) error = NULL;

    altclip_session_encode_texts (session, &text, 1, NULL, embedding, &error);
    g_assert_no_error (error);
}

/* Whether the text tower was needed for @text. */
static gboolean
is_computed_with (Model *model, AltclipModelFlags flags, const char *kernels, const char *text)
{
    g_autoptr (AltclipModel) opened = open_model (model, flags, kernels);
    float embedding[64];

    g_assert_cmpuint (altclip_model_get_info (opened)->projection_dim, <=, 64);
    embed (opened, text, embedding);
    return altclip_model_get_memory (opened) > 0;
}

static gboolean
is_computed (Model *model)
{
    return is_computed_with (model, ALTCLIP_MODEL_NONE, NULL, "a cat");
}

static void
test_hits (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipModel) without = open_model (model, ALTCLIP_MODEL_NO_CACHE, NULL);
    g_autoptr (AltclipModel) first = open_model (model, ALTCLIP_MODEL_NONE, NULL);
    g_autoptr (AltclipModel) second = open_model (model, ALTCLIP_MODEL_NONE, NULL);
    gsize dim = altclip_model_get_info (first)->projection_dim;
    g_autofree float *computed = g_new (float, 3 * dim);

    embed (without, "a cat", computed);
    g_assert_cmpuint (count_files (model->cache), ==, 0);
    embed (first, "a cat", computed + dim);
    embed (second, "a cat", computed + 2 * dim);
    g_assert_cmpuint (altclip_model_get_memory (first), >, 0);
    g_assert_cmpuint (altclip_model_get_memory (second), ==, 0);
    g_assert_cmpmem (computed, dim * sizeof (float), computed + dim, dim * sizeof (float));
    g_assert_cmpmem (computed, dim * sizeof (float), computed + 2 * dim, dim * sizeof (float));
    embed (second, "a dog", computed);
    g_assert_cmpuint (altclip_model_get_memory (second), >, 0);
}

/* Texts that are there among texts that are not, and one of them twice. */
static void
test_mixed (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    static const char *const texts[] = { "a", "a cat", "b", "猫", "a cat", "c" };
    g_autoptr (AltclipModel) opened = open_model (model, ALTCLIP_MODEL_NONE, NULL);
    g_autoptr (AltclipSession) session = altclip_session_new (opened, 1, NULL);
    gsize dim = altclip_model_get_info (opened)->projection_dim;
    g_autofree float *together = g_new (float, 6 * dim);
    g_autofree float *alone = g_new (float, dim);

    embed (opened, "b", alone);
    embed (opened, "猫", alone);
    for (guint round = 0; round < 2; round++) {
        g_assert_true (altclip_session_encode_texts (session, texts, 6, NULL, together, NULL));
        for (guint i = 0; i < 6; i++) {
            embed (opened, texts[i], alone);
            for (guint j = 0; j < dim; j++)
                g_assert_cmpfloat_with_epsilon (together[i * dim + j], alone[j], 1e-6);
        }
    }
}

static void
append_to (Model *model, const char *name, const char *text)
{
    g_autofree char *path = model_path (model, name);
    int fd = open (path, O_WRONLY | O_APPEND | O_CREAT, 0600);

    g_assert_cmpint (fd, >=, 0);
    g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize)strlen (text));
    close (fd);
}

static void
touch (Model *model, const char *name)
{
    g_autofree char *path = model_path (model, name);

    g_assert_cmpint (utimensat (AT_FDCWD, path, NULL, 0), ==, 0);
}

/* The same bytes in another file; times as they were. */
static void
replace_by_copy (Model *model, const char *name)
{
    g_autofree char *path = model_path (model, name);
    g_autofree char *copy = model_path (model, "copy");
    struct stat status;
    struct timespec times[2];

    g_assert_cmpint (stat (path, &status), ==, 0);
    copy_file (path, copy);
    times[0] = status.st_atim;
    times[1] = status.st_mtim;
    g_assert_cmpint (utimensat (AT_FDCWD, copy, times, 0), ==, 0);
    g_assert_cmpint (g_rename (copy, path), ==, 0);
}

/* One weight overwritten in place, and the time set back. */
static void
change_in_place (Model *model, const char *name)
{
    g_autofree char *path = model_path (model, name);
    struct timespec times[2];
    struct stat status;
    guint8 byte;
    int fd = open (path, O_RDWR);

    g_assert_cmpint (fstat (fd, &status), ==, 0);
    g_usleep (20000); /* the clock of files ticks slowly */
    g_assert_cmpint (pread (fd, &byte, 1, status.st_size - 4), ==, 1);
    byte ^= 1;
    g_assert_cmpint (pwrite (fd, &byte, 1, status.st_size - 4), ==, 1);
    times[0] = status.st_atim;
    times[1] = status.st_mtim;
    g_assert_cmpint (futimens (fd, times), ==, 0);
    close (fd);
}

static void
test_misses (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    static const struct {
        void (*change) (Model *model, const char *name);
        const char *name;
    } changes[] = {
        { touch, "model.safetensors" },
        { replace_by_copy, "model.safetensors" },
        { change_in_place, "model.safetensors" },
    };

    g_assert_true (is_computed (model));
    for (gsize i = 0; i < G_N_ELEMENTS (changes); i++) {
        g_assert_false (is_computed (model));
        changes[i].change (model, changes[i].name);
        g_assert_true (is_computed (model));
    }
    g_assert_false (is_computed (model));
    append_to (model, "config.json", "\n");
    g_assert_true (is_computed (model));
    g_assert_false (is_computed (model));
    append_to (model, "tokenizer_config.json", "{}");
    g_assert_true (is_computed (model));
    g_assert_false (is_computed (model));
    /* An empty field at the end of a protobuf that readers do not know. */
    append_to (model, "sentencepiece.bpe.model", "\xfa\x3f");
    append_to (model, "sentencepiece.bpe.model", "\x01x");
    g_assert_true (is_computed (model));
    g_assert_false (is_computed (model));
}

/* What says nothing of the embeddings. */
static void
test_no_misses (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    g_assert_true (is_computed (model));
    touch (model, "config.json");
    replace_by_copy (model, "config.json");
    append_to (model, "preprocessor_config.json", "\n");
    append_to (model, "README.md", "of the model\n");
    g_assert_false (is_computed (model));
}

static void
test_other_kernels (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    g_assert_true (is_computed_with (model, ALTCLIP_MODEL_NONE, "openblas", "a cat"));
    g_assert_false (is_computed_with (model, ALTCLIP_MODEL_NONE, "openblas", "a cat"));
    g_assert_true (is_computed_with (model, ALTCLIP_MODEL_NONE, "reference", "a cat"));
    g_assert_false (is_computed_with (model, ALTCLIP_MODEL_NONE, "reference", "a cat"));
    g_assert_true (is_computed_with (model, ALTCLIP_MODEL_NONE, "openblas", "a dog"));
}

static void
test_off (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    g_assert_true (is_computed_with (model, ALTCLIP_MODEL_NO_CACHE, NULL, "a cat"));
    g_setenv ("ALTCLIP_CACHE", "off", TRUE);
    g_assert_true (is_computed (model));
    g_assert_true (is_computed (model));
    g_unsetenv ("ALTCLIP_CACHE");
    g_assert_cmpuint (count_files (model->cache), ==, 0);
    g_assert_true (is_computed (model));
    g_assert_cmpuint (count_files (model->cache), >, 0);
    g_assert_true (is_computed_with (model, ALTCLIP_MODEL_NO_CACHE, NULL, "a cat"));
}

/* Another tokenizer between opening and the first text must not be kept as the first one's work. */
static void
test_changed_while_open (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipModel) opened = open_model (model, ALTCLIP_MODEL_NONE, NULL);
    float embedding[64];

    append_to (model, "tokenizer_config.json", "{}");
    embed (opened, "a cat", embedding);
    g_assert_cmpuint (count_files (model->cache), ==, 0);
    g_assert_true (is_computed (model));
    g_assert_false (is_computed (model));
}

static void
test_forward_is_computed (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipModel) opened = NULL;
    g_autoptr (AltclipSession) session = NULL;
    g_autoptr (GPtrArray) tensors = NULL;
    const char *text = "a cat";

    g_assert_true (is_computed (model));
    opened = open_model (model, ALTCLIP_MODEL_NONE, NULL);
    session = altclip_session_new (opened, 1, NULL);
    tensors = altclip_session_forward (session, &text, 1, NULL, ALTCLIP_FORWARD_NONE, NULL);
    g_assert_nonnull (tensors);
    g_assert_cmpuint (altclip_model_get_memory (opened), >, 0);
    remove_tree (model->cache);
    g_clear_pointer (&tensors, g_ptr_array_unref);
    tensors = altclip_session_forward (session, &text, 1, NULL, ALTCLIP_FORWARD_NONE, NULL);
    g_assert_nonnull (tensors);
    g_assert_cmpuint (count_files (model->cache), ==, 0);
}

/* Returns: how often the tokenizer's file has been opened since the last call */
static guint
count_openings (int watch)
{
    struct inotify_event events[256];
    gssize n_bytes = read (watch, events, sizeof events);
    guint n = 0;

    for (gssize i = 0; i < n_bytes / (gssize)sizeof *events; i++)
        n += (events[i].mask & IN_OPEN) != 0;
    return n;
}

static void
test_prompts (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *tokenizer = model_path (model, "sentencepiece.bpe.model");
    int watch = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
    guint n_openings[3];
    float first[64];

    g_assert_cmpint (inotify_add_watch (watch, tokenizer, IN_OPEN | IN_CLOSE), >=, 0);
    for (guint i = 0; i < 3; i++) {
        AltclipModelFlags flags = i == 2 ? ALTCLIP_MODEL_NO_CACHE : ALTCLIP_MODEL_NONE;
        g_autoptr (AltclipModel) opened = open_model (model, flags, NULL);
        g_autoptr (AltclipSession) session = altclip_session_new (opened, 1, NULL);
        g_autoptr (AltclipPrompts) prompts =
                altclip_prompts_parse ("a cat;ꙮꙮꙮ ꙮꙮ;a dog", "night", "a photo of {}", NULL);
        gsize n_bytes = altclip_model_get_info (opened)->projection_dim * sizeof (float);
        guint n_unknown;

        g_assert_true (altclip_prompts_embed (prompts, session, NULL, NULL));
        g_assert_cmpstr (altclip_prompts_get_unknown (prompts, &n_unknown)[0], ==, "ꙮꙮꙮ ꙮꙮ");
        g_assert_cmpuint (n_unknown, ==, 1);
        if (i == 0)
            memcpy (first, prompts->embeddings, n_bytes);
        g_assert_cmpmem (prompts->embeddings, n_bytes, first, n_bytes);
        g_assert_cmpint (altclip_model_get_memory (opened) > 0, ==, i != 1);
        n_openings[i] = count_openings (watch);
    }
    /* Once for the fingerprint, no more. */
    g_assert_cmpuint (n_openings[0], >, 1);
    g_assert_cmpuint (n_openings[1], ==, 1);
    close (watch);
}

/* Eight programs start at once with the same prompts. */
static void
test_programs (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    for (guint i = 0; i < 8; i++) {
        if (fork () == 0) {
            is_computed (model);
            _exit (0);
        }
    }
    for (guint i = 0; i < 8; i++) {
        int status;

        g_assert_cmpint (wait (&status), >, 0);
        g_assert_cmpint (status, ==, 0);
    }
    g_assert_false (is_computed (model));
}

static void
test_broken_cache (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *parent = g_path_get_dirname (model->cache);

    g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
    g_assert_true (g_file_set_contents (model->cache, "", -1, NULL));
    g_assert_true (is_computed (model));
    g_assert_true (is_computed (model));
    g_unlink (model->cache);
}

/* Several threads take the text tower and give it back. */
static gpointer
embed_in_thread (gpointer data)
{
    AltclipModel *model = data;
    g_autoptr (AltclipSession) session = altclip_session_new (model, 2, NULL);

    for (guint i = 0; i < 20; i++) {
        g_autofree char *text = make_text (i);
        float embedding[64];

        g_assert_true (altclip_session_encode_texts (
                session, (const char *const *)&text, 1, NULL, embedding, NULL));
        g_assert_cmpuint (altclip_model_get_memory (model), <, 1 << 30);
    }
    return NULL;
}

static void
test_model_in_threads (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr (AltclipModel) opened = open_model (model, ALTCLIP_MODEL_NONE, NULL);
    GThread *threads[4];

    for (guint i = 0; i < 4; i++)
        threads[i] = g_thread_new ("embedder", embed_in_thread, opened);
    for (guint i = 0; i < 4; i++)
        g_thread_join (threads[i]);
}

/* ---- A large text tower ---------------------------------------------------------------------- */

/* 100 MB of text tower, more than is kept when nobody uses it. */
static const char LARGE_CONFIG[] =
        "{\"model_type\": \"altclip\", \"projection_dim\": 24,"
        " \"text_config\": {\"vocab_size\": 640, \"hidden_size\": 1024,"
        " \"num_hidden_layers\": 2, \"num_attention_heads\": 16, \"intermediate_size\": 4096,"
        " \"max_position_embeddings\": 80, \"project_dim\": 12},"
        " \"vision_config\": {\"hidden_size\": 36, \"num_hidden_layers\": 1,"
        " \"num_attention_heads\": 3, \"intermediate_size\": 50,"
        " \"image_size\": 28, \"patch_size\": 7}}";

static gpointer
embed_some_in_thread (gpointer data)
{
    AltclipModel *model = data;
    g_autoptr (AltclipSession) session = altclip_session_new (model, 1, NULL);
    const char *texts[] = { "a cat", "a dog" };
    float embeddings[2 * 24];

    for (guint i = 0; i < 3; i++) {
        g_assert_true (altclip_session_encode_texts (session, texts, 2, NULL, embeddings, NULL));
        g_thread_yield ();
    }
    return NULL;
}

/* The tower is packed for those who need it, and let go when nobody does. */
static void
test_large_tower (Model *model, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *config = model_path (model, "large.json");
    g_autoptr (AltclipModel) opened = NULL;
    g_autoptr (AltclipSession) session = NULL;
    g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    g_autoptr (GError) error = NULL;
    GThread *threads[3];
    const char *text = "a cat";
    float embedding[24];

    write_file (config, LARGE_CONFIG, strlen (LARGE_CONFIG));
    altclip_initialise (config, 1, model->directory, &error);
    g_assert_no_error (error);
    opened = open_model (model, ALTCLIP_MODEL_NO_CACHE, NULL);
    session = altclip_session_new (opened, 1, NULL);
    altclip_session_begin_texts (session);
    g_assert_true (altclip_session_encode_texts (session, &text, 1, NULL, embedding, NULL));
    g_assert_cmpuint (altclip_model_get_memory (opened), >, 100 * 1000 * 1000);
    altclip_session_end_texts (session);
    g_assert_cmpuint (altclip_model_get_memory (opened), ==, 0);

    g_cancellable_cancel (cancellable);
    altclip_session_begin_texts (session);
    g_assert_null (altclip_session_get_text (session, cancellable, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    altclip_session_end_texts (session);
    g_assert_cmpuint (altclip_model_get_memory (opened), ==, 0);

    for (guint i = 0; i < 3; i++)
        threads[i] = g_thread_new ("embedder", embed_some_in_thread, opened);
    for (guint i = 0; i < 3; i++)
        g_thread_join (threads[i]);
    g_assert_cmpuint (altclip_model_get_memory (opened), ==, 0);
}

int
main (int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test) (Fixture *fixture, gconstpointer data);
    } tests[] = {
        { "/cache/keeps", test_keeps },
        { "/cache/apart", test_apart },
        { "/cache/privacy", test_privacy },
        { "/cache/changed-bytes", test_changed_bytes },
        { "/cache/lengths", test_lengths },
        { "/cache/changes-while-open", test_changes_while_open },
        { "/cache/foreign-files", test_foreign_files },
        { "/cache/leftovers", test_leftovers },
        { "/cache/unusable-directories", test_unusable_directories },
        { "/cache/read-only", test_read_only },
        { "/cache/full-disk", test_full_disk },
        { "/cache/processes", test_processes },
        { "/cache/threads", test_threads },
        { "/cache/held-lock", test_held_lock },
        { "/cache/full-file", test_full_file },
        { "/cache/full-directory", test_full_directory },
    };
    static const struct {
        const char *path;
        void (*test) (Model *model, gconstpointer data);
    } model_tests[] = {
        { "/cache/model/hits", test_hits },
        { "/cache/model/mixed", test_mixed },
        { "/cache/model/misses", test_misses },
        { "/cache/model/no-misses", test_no_misses },
        { "/cache/model/other-kernels", test_other_kernels },
        { "/cache/model/off", test_off },
        { "/cache/model/changed-while-open", test_changed_while_open },
        { "/cache/model/forward-is-computed", test_forward_is_computed },
        { "/cache/model/prompts", test_prompts },
        { "/cache/model/programs", test_programs },
        { "/cache/model/broken-cache", test_broken_cache },
        { "/cache/model/threads", test_model_in_threads },
        { "/cache/model/large-tower", test_large_tower },
    };
    g_autofree char *caches = g_dir_make_tmp ("altclip-caches-XXXXXX", NULL);
    int status;

    g_setenv ("XDG_CACHE_HOME", caches, TRUE);
    g_unsetenv ("ALTCLIP_CACHE");
    g_unsetenv ("ALTCLIP_KERNELS");
    g_test_init (&argc, &argv, NULL);
    g_log_set_handler ("altclip", G_LOG_LEVEL_DEBUG, count_complaint, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
        g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
    for (gsize i = 0; i < G_N_ELEMENTS (model_tests); i++)
        g_test_add (model_tests[i].path, Model, NULL, model_set_up, model_tests[i].test,
                model_tear_down);
    status = g_test_run ();
    remove_tree (caches);
    return status;
}
