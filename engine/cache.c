/* altclip: what was computed of texts, kept between runs
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One file per model and kind of value: a header, then records of one size, each with the hash of
 * its text and a checksum. A file per text would cost ten thousand prompts as many creations, and
 * bounding them a walk through all of them; rewriting one file for each new text would cost more
 * with every text. So records are appended, under a lock that only writers take. Readers take none:
 * a record that is half written, or damaged, fails its checksum and is as good as none; its text is
 * computed again and appended again, and the last record of a text is the one that counts. A file
 * as such appears and is replaced by renaming.
 *
 * Built on pthread primitives rather than GLib's, which thread sanitizers cannot see into.
 */

#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Most that a file holds: then its older half goes. */
#define MAX_RECORDS (128 * 1024)
#define MAX_FILE_BYTES (256 * 1024 * 1024)

/* Most that all files hold: then the files that were not written to for longest go. Looked at when
 * a file is made or has grown by a step. */
#define MAX_TOTAL_BYTES (512 * 1024 * 1024)
#define STEP_BYTES (16 * 1024 * 1024)

/* What waits to be written is when it has grown to this, flushed or not. While others hold the lock
 * it may grow further, up to half of what a file holds; then it is dropped. */
#define FLUSH_BYTES (1024 * 1024)

/* Writers hold the lock for a few milliseconds; whoever does not get it within these tries writes
 * the next time. */
#define LOCK_TRIES 20
#define LOCK_MICROSECONDS 5000

#define SCAN_BYTES (1024 * 1024)

#define LOCK_NAME "lock"
#define NEW_NAME ".new" /* of a file that is being written, under the lock */

#define MAGIC "ALTCLIP"
#define FORMAT_VERSION 1

/* In the byte order of the machine: another's is another version. */
typedef struct {
    char magic[8];
    guint32 version;
    guint32 n_value;
    AltclipFingerprint fingerprint;
    guint64 reserved;
    guint64 checksum; /* of what is before it */
} Header;

G_STATIC_ASSERT (sizeof (Header) == 64);

/* The beginning of a record; the value follows. */
typedef struct {
    guint64 key[2]; /* of the text's SHA-256 */
    guint64 checksum;
} Record;

typedef struct {
    guint64 key[2];
    guint number; /* of the record */
} Entry;

struct _AltclipCache {
    char *directory;
    char *name;
    Header header; /* what the file's must be */
    gsize n_value;
    gsize stride; /* bytes of a record */
    guint max_records;
    pthread_mutex_t lock;
    /* Under the lock: */
    int fd;               /* what is being read; −1: nothing */
    struct stat opened;   /* of it */
    guint n_seen;         /* records in the index */
    GHashTable *index;    /* of Entry */
    GByteArray *pending;  /* records */
    gboolean was_refused; /* writing: it is not tried again */
};

/* ---- Records --------------------------------------------------------------------------------- */

/* FNV-1a by words. Each step is a bijection, so that no change of one word goes unnoticed. */
static guint64
add_to_checksum (guint64 checksum, gconstpointer data, gsize n)
{
    const guint8 *bytes = data;

    while (n > 0) {
        guint64 word = 0;
        gsize part = MIN (n, sizeof word);

        memcpy (&word, bytes, part);
        checksum = (checksum ^ word) * 0x100000001b3;
        bytes += part;
        n -= part;
    }
    return checksum ^ checksum >> 32;
}

static guint64
checksum_record (const AltclipCache *cache, const guint64 key[2], gconstpointer value)
{
    guint64 checksum = add_to_checksum (0xcbf29ce484222325, key, 2 * sizeof *key);

    return add_to_checksum (checksum, value, cache->n_value);
}

static guint64
checksum_header (const Header *header)
{
    return add_to_checksum (0xcbf29ce484222325, header, G_STRUCT_OFFSET (Header, checksum));
}

static void
find_key (const char *text, guint64 key[2])
{
    GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize n = sizeof digest;

    g_checksum_update (checksum, (const guchar *)text, (gssize)strlen (text));
    g_checksum_get_digest (checksum, digest, &n);
    g_checksum_free (checksum);
    memcpy (key, digest, 2 * sizeof *key);
}

static guint
entry_hash (gconstpointer entry)
{
    return (guint)((const Entry *)entry)->key[0];
}

static gboolean
entry_equal (gconstpointer a, gconstpointer b)
{
    return memcmp (((const Entry *)a)->key, ((const Entry *)b)->key, sizeof ((Entry *)0)->key) == 0;
}

/* ---- Files ----------------------------------------------------------------------------------- */

static gboolean
read_exactly (int fd, void *buffer, gsize n, off_t at)
{
    guint8 *bytes = buffer;

    while (n > 0) {
        ssize_t part = pread (fd, bytes, n, at);

        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return FALSE;
        bytes += part;
        at += part;
        n -= (gsize)part;
    }
    return TRUE;
}

static gboolean
write_exactly (int fd, gconstpointer buffer, gsize n, off_t at)
{
    const guint8 *bytes = buffer;

    while (n > 0) {
        ssize_t part = pwrite (fd, bytes, n, at);

        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return FALSE;
        bytes += part;
        at += part;
        n -= (gsize)part;
    }
    return TRUE;
}

/* Nobody else may be able to put a file there. Returns: a descriptor, −1 with errno set */
static int
open_directory (const AltclipCache *cache)
{
    struct stat status;
    int fd = open (cache->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -1;
    if (fstat (fd, &status) == 0 && status.st_uid == geteuid () && !(status.st_mode & 022))
        return fd;
    close (fd);
    errno = EPERM;
    return -1;
}

/* @status: (out caller-allocated). Returns: a descriptor of a cache for this model, −1 if there is
 *     none */
static int
open_file (const AltclipCache *cache, int directory, int flags, struct stat *status)
{
    gsize most = sizeof (Header) + cache->max_records * cache->stride;
    int fd = openat (directory, cache->name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    Header header;

    if (fd < 0)
        return -1;
    if (fstat (fd, status) == 0 && S_ISREG (status->st_mode) && status->st_uid == geteuid () &&
            (guint64)status->st_size <= most && read_exactly (fd, &header, sizeof header, 0) &&
            memcmp (&header, &cache->header, sizeof header) == 0)
        return fd;
    close (fd);
    return -1;
}

/* Returns: whole records in a file, which others may have cut off */
static guint
count_records (const AltclipCache *cache, const struct stat *status)
{
    gsize n_bytes = (gsize)MAX (status->st_size, (off_t)sizeof (Header)) - sizeof (Header);

    return (guint)MIN (n_bytes / cache->stride, cache->max_records);
}

static off_t
get_offset (const AltclipCache *cache, guint number)
{
    return (off_t)(sizeof (Header) + number * cache->stride);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void
close_file (AltclipCache *cache)
{
    if (cache->fd >= 0)
        close (cache->fd);
    cache->fd = -1;
    cache->n_seen = 0;
    g_hash_table_remove_all (cache->index);
}

static void
add_entry (AltclipCache *cache, const guint8 *record, guint number)
{
    Entry *entry = g_new (Entry, 1);

    memcpy (entry->key, record, sizeof entry->key);
    entry->number = number;
    g_hash_table_replace (cache->index, entry, entry);
}

/* With the lock. Brings the index to the file's @n records. */
static void
see_records (AltclipCache *cache, guint n)
{
    guint n_chunk = (guint)MAX (SCAN_BYTES / cache->stride, 1);
    g_autofree guint8 *chunk = NULL;

    if (n < cache->n_seen) {
        g_hash_table_remove_all (cache->index);
        cache->n_seen = 0;
    }
    if (n > cache->n_seen)
        chunk = g_malloc (n_chunk * cache->stride);
    while (cache->n_seen < n) {
        guint n_read = MIN (n_chunk, n - cache->n_seen);

        if (!read_exactly (
                    cache->fd, chunk, n_read * cache->stride, get_offset (cache, cache->n_seen)))
            return;
        for (guint i = 0; i < n_read; i++)
            add_entry (cache, chunk + i * cache->stride, cache->n_seen + i);
        cache->n_seen += n_read;
    }
}

/* With the lock. Opens the file if there is one, or another one than was open. */
static void
reopen (AltclipCache *cache)
{
    int directory = open_directory (cache);
    struct stat now;

    if (directory < 0 || fstatat (directory, cache->name, &now, AT_SYMLINK_NOFOLLOW) != 0) {
        close_file (cache);
    } else if (cache->fd < 0 || now.st_ino != cache->opened.st_ino ||
               now.st_dev != cache->opened.st_dev) {
        close_file (cache);
        cache->fd = open_file (cache, directory, O_RDONLY, &cache->opened);
    }
    if (directory >= 0)
        close (directory);
}

void
altclip_cache_refresh (AltclipCache *cache)
{
    struct stat now;

    if (!cache)
        return;
    pthread_mutex_lock (&cache->lock);
    reopen (cache);
    if (cache->fd >= 0 && fstat (cache->fd, &now) == 0)
        see_records (cache, count_records (cache, &now));
    pthread_mutex_unlock (&cache->lock);
}

static gboolean
read_value (AltclipCache *cache, const Entry *entry, void *value)
{
    g_autofree guint8 *bytes = g_malloc (cache->stride);
    Record record;

    if (!read_exactly (cache->fd, bytes, cache->stride, get_offset (cache, entry->number)))
        return FALSE;
    memcpy (&record, bytes, sizeof record);
    if (memcmp (record.key, entry->key, sizeof record.key) != 0 ||
            record.checksum != checksum_record (cache, record.key, bytes + sizeof record))
        return FALSE;
    memcpy (value, bytes + sizeof record, cache->n_value);
    return TRUE;
}

gboolean
altclip_cache_get (AltclipCache *cache, const char *text, void *value)
{
    Entry wanted = { { 0 }, 0 };
    const Entry *entry;
    gboolean found;

    if (!cache)
        return FALSE;
    find_key (text, wanted.key);
    pthread_mutex_lock (&cache->lock);
    entry = g_hash_table_lookup (cache->index, &wanted);
    found = entry && read_value (cache, entry, value);
    pthread_mutex_unlock (&cache->lock);
    return found;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* With the lock. */
static void
refuse (AltclipCache *cache)
{
    int code = errno;

    g_debug ("%s: nothing is kept there: %s", cache->directory, g_strerror (code));
    cache->was_refused = TRUE;
    g_byte_array_set_size (cache->pending, 0);
}

/* Returns: a descriptor to be closed, which gives the lock back; −1 with errno set, EWOULDBLOCK
 * when others have it */
static int
lock_writers (int directory)
{
    int fd = openat (
            directory, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

    for (guint i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
        if (flock (fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        g_usleep (LOCK_MICROSECONDS);
    }
    if (fd >= 0) {
        int code = errno == EINTR ? EWOULDBLOCK : errno;

        close (fd);
        errno = code;
    }
    return -1;
}

/* The newest of @n records of @from, as many as are to be kept. */
static gboolean
copy_newest (const AltclipCache *cache, int from, guint n, int to)
{
    guint n_kept = MIN (n, cache->max_records / 2);
    g_autofree guint8 *chunk = g_malloc (SCAN_BYTES);
    gsize n_left = n_kept * cache->stride;
    off_t source = get_offset (cache, n - n_kept);
    off_t target = get_offset (cache, 0);

    while (n_left > 0) {
        gsize part = MIN (n_left, SCAN_BYTES);

        if (!read_exactly (from, chunk, part, source) || !write_exactly (to, chunk, part, target))
            return FALSE;
        source += (off_t)part;
        target += (off_t)part;
        n_left -= part;
    }
    return TRUE;
}

/* Replaces the file by one with the newest of @n records of @from, and the pending ones. */
static gboolean
write_anew (const AltclipCache *cache, int directory, int from, guint n)
{
    guint n_kept = MIN (n, cache->max_records / 2);
    gboolean ok;
    int code;
    int fd;

    unlinkat (directory, NEW_NAME, 0);
    fd = openat (directory, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return FALSE;
    ok = write_exactly (fd, &cache->header, sizeof cache->header, 0) &&
         copy_newest (cache, from, n, fd) &&
         write_exactly (
                 fd, cache->pending->data, cache->pending->len, get_offset (cache, n_kept)) &&
         renameat (directory, NEW_NAME, directory, cache->name) == 0;
    code = errno;
    close (fd);
    if (!ok)
        unlinkat (directory, NEW_NAME, 0);
    errno = code;
    return ok;
}

/* What half a record at the end had is overwritten. */
static gboolean
append (const AltclipCache *cache, int fd, guint n)
{
    off_t end = get_offset (cache, n);
    int code;

    if (ftruncate (fd, end) == 0 &&
            write_exactly (fd, cache->pending->data, cache->pending->len, end))
        return TRUE;
    code = errno;
    if (ftruncate (fd, end) != 0)
        g_debug ("%s: %s", cache->directory, g_strerror (errno));
    errno = code;
    return FALSE;
}

/* ---- Bounds ---------------------------------------------------------------------------------- */

typedef struct {
    char *name;
    guint64 n_bytes;
    struct timespec modified;
} OldFile;

static void
old_file_clear (gpointer data)
{
    g_free (((OldFile *)data)->name);
}

static gint
compare_by_age (gconstpointer a, gconstpointer b)
{
    const OldFile *first = a;
    const OldFile *second = b;

    if (first->modified.tv_sec != second->modified.tv_sec)
        return first->modified.tv_sec < second->modified.tv_sec ? -1 : 1;
    return (first->modified.tv_nsec > second->modified.tv_nsec) -
           (first->modified.tv_nsec < second->modified.tv_nsec);
}

/* Digits of the fingerprint in a file's name. */
#define N_DIGITS 32

static gboolean
is_cache_name (const char *name)
{
    return strspn (name, "0123456789abcdef") == N_DIGITS && name[N_DIGITS] == '.';
}

/* Returns: (transfer full) (element-type OldFile): the files of other models, oldest first */
static GArray *
list_others (const AltclipCache *cache, int directory, guint64 *n_bytes)
{
    GArray *files = g_array_new (FALSE, FALSE, sizeof (OldFile));
    int own = openat (directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own >= 0 ? fdopendir (own) : NULL;
    const struct dirent *entry;
    struct stat status;

    g_array_set_clear_func (files, old_file_clear);
    while (stream && (entry = readdir (stream))) {
        OldFile file = { NULL, 0, { 0, 0 } };

        if (!is_cache_name (entry->d_name) || strcmp (entry->d_name, cache->name) == 0 ||
                fstatat (directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
                !S_ISREG (status.st_mode))
            continue;
        file.name = g_strdup (entry->d_name);
        file.n_bytes = (guint64)status.st_size;
        file.modified = status.st_mtim;
        *n_bytes += file.n_bytes;
        g_array_append_val (files, file);
    }
    if (stream)
        closedir (stream);
    else if (own >= 0)
        close (own);
    g_array_sort (files, compare_by_age);
    return files;
}

static void
drop_oldest (const AltclipCache *cache, int directory, guint64 n_bytes)
{
    g_autoptr (GArray) files = list_others (cache, directory, &n_bytes);

    for (guint i = 0; i < files->len && n_bytes > MAX_TOTAL_BYTES; i++) {
        const OldFile *file = &g_array_index (files, OldFile, i);

        if (unlinkat (directory, file->name, 0) == 0)
            n_bytes -= file->n_bytes;
    }
}

/* ---- Flushing -------------------------------------------------------------------------------- */

/* With the writers' lock. */
static gboolean
write_pending (AltclipCache *cache, int directory)
{
    guint n_new = (guint)(cache->pending->len / cache->stride);
    struct stat status;
    int fd = open_file (cache, directory, O_RDWR, &status);
    guint n = fd >= 0 ? count_records (cache, &status) : 0;
    guint64 before = fd >= 0 ? (guint64)get_offset (cache, n) : 0;
    guint64 after = (guint64)get_offset (cache, n + n_new);
    gboolean ok;
    int code;

    ok = fd < 0 || n_new > cache->max_records - n ? write_anew (cache, directory, fd, n)
                                                  : append (cache, fd, n);
    code = errno;
    if (fd >= 0)
        close (fd);
    errno = code;
    if (ok && (fd < 0 || before / STEP_BYTES != after / STEP_BYTES))
        drop_oldest (cache, directory, after);
    return ok;
}

/* With the lock. */
static void
flush (AltclipCache *cache)
{
    int directory;
    int lock;

    if (cache->pending->len == 0)
        return;
    g_mkdir_with_parents (cache->directory, 0700);
    directory = open_directory (cache);
    if (directory < 0) {
        refuse (cache);
        return;
    }
    lock = lock_writers (directory);
    if (lock >= 0) {
        if (write_pending (cache, directory))
            g_byte_array_set_size (cache->pending, 0);
        else
            refuse (cache);
        close (lock);
    } else if (errno != EWOULDBLOCK) {
        refuse (cache);
    } else if (cache->pending->len > cache->max_records / 2 * cache->stride) {
        g_byte_array_set_size (cache->pending, 0);
    }
    close (directory);
}

void
altclip_cache_put (AltclipCache *cache, const char *text, const void *value)
{
    Record record;

    if (!cache)
        return;
    find_key (text, record.key);
    record.checksum = checksum_record (cache, record.key, value);
    pthread_mutex_lock (&cache->lock);
    if (!cache->was_refused) {
        g_byte_array_append (cache->pending, (const guint8 *)&record, sizeof record);
        g_byte_array_append (cache->pending, value, (guint)cache->n_value);
        if (cache->pending->len >= FLUSH_BYTES)
            flush (cache);
    }
    pthread_mutex_unlock (&cache->lock);
}

void
altclip_cache_flush (AltclipCache *cache)
{
    if (!cache)
        return;
    pthread_mutex_lock (&cache->lock);
    flush (cache);
    pthread_mutex_unlock (&cache->lock);
}

/* ---- Life ------------------------------------------------------------------------------------ */

char *
altclip_cache_get_directory (void)
{
    return g_build_filename (g_get_user_cache_dir (), "altclip", NULL);
}

gboolean
altclip_cache_is_off (void)
{
    return g_strcmp0 (g_getenv ("ALTCLIP_CACHE"), "off") == 0;
}

/* The fingerprint's beginning in hexadecimal digits, and the kind. */
static char *
build_name (const AltclipFingerprint *fingerprint, const char *kind)
{
    GString *name = g_string_new (NULL);

    for (guint i = 0; i < N_DIGITS / 2; i++)
        g_string_append_printf (name, "%02x", fingerprint->bytes[i]);
    g_string_append_printf (name, ".%s", kind);
    return g_string_free (name, FALSE);
}

AltclipCache *
altclip_cache_new (const char *directory, const AltclipFingerprint *fingerprint, const char *kind,
        gsize n_value)
{
    AltclipCache *cache = g_new0 (AltclipCache, 1);

    cache->directory = g_strdup (directory);
    cache->name = build_name (fingerprint, kind);
    cache->n_value = n_value;
    cache->stride = sizeof (Record) + n_value;
    cache->max_records = (guint)MIN (MAX_RECORDS, MAX_FILE_BYTES / cache->stride);
    memcpy (cache->header.magic, MAGIC, sizeof MAGIC);
    cache->header.version = FORMAT_VERSION;
    cache->header.n_value = (guint32)n_value;
    cache->header.fingerprint = *fingerprint;
    cache->header.checksum = checksum_header (&cache->header);
    pthread_mutex_init (&cache->lock, NULL);
    cache->fd = -1;
    cache->index = g_hash_table_new_full (entry_hash, entry_equal, g_free, NULL);
    cache->pending = g_byte_array_new ();
    return cache;
}

void
altclip_cache_free (AltclipCache *cache)
{
    if (!cache)
        return;
    flush (cache);
    close_file (cache);
    g_hash_table_unref (cache->index);
    g_byte_array_unref (cache->pending);
    pthread_mutex_destroy (&cache->lock);
    g_free (cache->directory);
    g_free (cache->name);
    g_free (cache);
}
