/* altclip: what encoding pictures asks of the process once it is under way: nothing
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The functions that allocate and lock are replaced by ones of the same names that count: the
 * program's own come before those of the libraries, for these too. What GLib's functions lock among
 * themselves is not seen; what they allocate is. The sets of kernels are replaced by ones that look
 * at the counts around each product.
 */

#include "session.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WARM_UP 3
#define PICTURES 5
#define BATCH 2

/* What glibc's own functions are called besides. */
extern void *__libc_malloc (size_t n_bytes);
extern void *__libc_calloc (size_t n, size_t size);
extern void *__libc_realloc (void *memory, size_t n_bytes);
extern void *__libc_memalign (size_t alignment, size_t n_bytes);
extern void __libc_free (void *memory);

/* ---- Memory ---------------------------------------------------------------------------------- */

static gint n_memory_calls; /* of all threads */

void *
malloc (size_t n_bytes)
{
    g_atomic_int_inc (&n_memory_calls);
    return __libc_malloc (n_bytes);
}

void *
calloc (size_t n, size_t size)
{
    g_atomic_int_inc (&n_memory_calls);
    return __libc_calloc (n, size);
}

void *
realloc (void *memory, size_t n_bytes)
{
    g_atomic_int_inc (&n_memory_calls);
    return __libc_realloc (memory, n_bytes);
}

void
free (void *memory)
{
    if (memory)
        g_atomic_int_inc (&n_memory_calls);
    __libc_free (memory);
}

void *
aligned_alloc (size_t alignment, size_t n_bytes)
{
    g_atomic_int_inc (&n_memory_calls);
    return __libc_memalign (alignment, n_bytes);
}

int
posix_memalign (void **memory, size_t alignment, size_t n_bytes)
{
    g_atomic_int_inc (&n_memory_calls);
    *memory = __libc_memalign (alignment, n_bytes);
    return *memory ? 0 : ENOMEM;
}

void *
mmap (void *address, size_t n_bytes, int protection, int flags, int file, off_t offset)
{
    g_atomic_int_inc (&n_memory_calls);
    return (void *)syscall (SYS_mmap, address, n_bytes, protection, flags, file, offset);
}

int
munmap (void *address, size_t n_bytes)
{
    g_atomic_int_inc (&n_memory_calls);
    return (int)syscall (SYS_munmap, address, n_bytes);
}

/* ---- Locks ----------------------------------------------------------------------------------- */

static __thread guint n_held;
static __thread gboolean is_multiplying;
static gint n_products;        /* of all threads */
static gint n_products_apart;  /* of those, by other threads than the first */
static gint n_locked_products; /* that began while their thread held a lock */
static gint n_locks_inside;    /* taken within a product */
static GThread *first_thread;

static gpointer
find_next (const char *name)
{
    gpointer function = dlsym (RTLD_NEXT, name);

    if (!function)
        abort ();
    return function;
}

static void
count_lock (gboolean is_taken)
{
    n_held += (guint)is_taken;
    if (is_multiplying)
        g_atomic_int_inc (&n_locks_inside);
}

/* A function that takes a lock, and says by @is_taken (result) whether it did. */
#define WATCH_TAKING(type, name, lock_type, is_taken)                                \
    type name (lock_type *lock)                                                      \
    {                                                                                \
        static type (*next) (lock_type *) = NULL;                                    \
        type result;                                                                 \
                                                                                     \
        if (!g_atomic_pointer_get (&next))                                           \
            g_atomic_pointer_set (&next, (type (*) (lock_type *))find_next (#name)); \
        result = next (lock);                                                        \
        count_lock (is_taken (result));                                              \
        return result;                                                               \
    }

#define IS_ZERO(result) ((result) == 0)
#define IS_TRUE(result) ((result) != FALSE)

/* The same of one that returns nothing; @change: what it adds to the locks that are held. */
#define WATCH(name, lock_type, change)                                               \
    void name (lock_type *lock)                                                      \
    {                                                                                \
        static void (*next) (lock_type *) = NULL;                                    \
                                                                                     \
        if (!g_atomic_pointer_get (&next))                                           \
            g_atomic_pointer_set (&next, (void (*) (lock_type *))find_next (#name)); \
        next (lock);                                                                 \
        if (change > 0)                                                              \
            count_lock (TRUE);                                                       \
        else                                                                         \
            n_held--;                                                                \
    }

/* The same of one that gives a lock back. */
#define WATCH_GIVING(name, lock_type)                                               \
    int name (lock_type *lock)                                                      \
    {                                                                               \
        static int (*next) (lock_type *) = NULL;                                    \
                                                                                    \
        if (!g_atomic_pointer_get (&next))                                          \
            g_atomic_pointer_set (&next, (int (*) (lock_type *))find_next (#name)); \
        n_held--;                                                                   \
        return next (lock);                                                         \
    }

WATCH_TAKING (int, pthread_mutex_lock, pthread_mutex_t, IS_ZERO)
WATCH_TAKING (int, pthread_mutex_trylock, pthread_mutex_t, IS_ZERO)
WATCH_GIVING (pthread_mutex_unlock, pthread_mutex_t)
WATCH_TAKING (int, pthread_rwlock_rdlock, pthread_rwlock_t, IS_ZERO)
WATCH_TAKING (int, pthread_rwlock_wrlock, pthread_rwlock_t, IS_ZERO)
WATCH_GIVING (pthread_rwlock_unlock, pthread_rwlock_t)
WATCH (g_mutex_lock, GMutex, 1)
WATCH_TAKING (gboolean, g_mutex_trylock, GMutex, IS_TRUE)
WATCH (g_mutex_unlock, GMutex, -1)
WATCH (g_rec_mutex_lock, GRecMutex, 1)
WATCH (g_rec_mutex_unlock, GRecMutex, -1)
WATCH (g_rw_lock_reader_lock, GRWLock, 1)
WATCH (g_rw_lock_reader_unlock, GRWLock, -1)
WATCH (g_rw_lock_writer_lock, GRWLock, 1)
WATCH (g_rw_lock_writer_unlock, GRWLock, -1)

/* ---- Products -------------------------------------------------------------------------------- */

/* A set of kernels that looks at what is held; what it computes is another's. */
typedef struct {
    AltclipKernels table; /* first: a layer's or attention's kernels are this */
    const AltclipKernels *watched;
} Watch;

static void
begin_product (void)
{
    g_atomic_int_inc (&n_products);
    if (g_thread_self () != first_thread)
        g_atomic_int_inc (&n_products_apart);
    if (n_held > 0)
        g_atomic_int_inc (&n_locked_products);
    is_multiplying = TRUE;
}

static void
end_product (void)
{
    is_multiplying = FALSE;
}

static void
watch_linear (const AltclipLinear *linear, const float *x, guint m, guint n0, guint n1,
        const AltclipEpilogue *epilogue, float *out, gsize out_stride)
{
    const Watch *watch = (const Watch *)(gconstpointer)linear->kernels;

    begin_product ();
    watch->watched->linear (linear, x, m, n0, n1, epilogue, out, out_stride);
    end_product ();
}

static void
watch_attention (const AltclipKernels *kernels, const AltclipAttention *attention, guint first,
        guint last, float *scratch)
{
    const Watch *watch = (const Watch *)(gconstpointer)kernels;

    begin_product ();
    watch->watched->attention (kernels, attention, first, last, scratch);
    end_product ();
}

/* Of the set that @kernels points to, which it points to afterwards. */
static void
watch (const AltclipKernels **kernels, GPtrArray *watches)
{
    Watch *found = NULL;

    for (guint i = 0; i < watches->len && !found; i++) {
        Watch *other = g_ptr_array_index (watches, i);

        if (other->watched == *kernels)
            found = other;
    }
    if (!found) {
        found = g_new (Watch, 1);
        memcpy (&found->table, *kernels, sizeof found->table);
        found->watched = *kernels;
        found->table.linear = watch_linear;
        found->table.attention = watch_attention;
        g_ptr_array_add (watches, found);
    }
    *kernels = &found->table;
}

/* Of all layers of the image tower. Returns: (transfer full): to be kept as long as the tower */
static GPtrArray *
watch_tower (AltclipVision *vision)
{
    GPtrArray *watches = g_ptr_array_new_with_free_func (g_free);

    watch (&vision->patch.kernels, watches);
    watch (&vision->projection.kernels, watches);
    watch (&vision->encoder.kernels, watches);
    for (guint i = 0; i < vision->config->tower.num_hidden_layers; i++) {
        AltclipBlock *block = &vision->encoder.blocks[i];

        watch (&block->qkv.kernels, watches);
        watch (&block->out.kernels, watches);
        watch (&block->fc1.kernels, watches);
        watch (&block->fc2.kernels, watches);
    }
    return watches;
}

/* ---- Tests ----------------------------------------------------------------------------------- */

typedef struct {
    const AltclipKernels *kernels;
    guint threads;
} Case;

static AltclipSession *
open_session (const Case *test)
{
    AltclipModelOptions options = { .kernels = test->kernels->name,
        .precision = test->kernels->precision,
        .threads = test->threads };
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model =
            altclip_model_open (g_getenv ("ALTCLIP_DEMO_MODEL"), &options, NULL, &error);
    AltclipSession *session;

    g_assert_no_error (error);
    session = altclip_session_new (model, test->threads, &error);
    g_assert_no_error (error);
    return session;
}

/* In turns one picture and several. */
static void
encode (AltclipSession *session, const float *pixel_values, float *embeddings, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_assert_true (altclip_session_encode_images (
                session, pixel_values, i % 2 ? 1 : BATCH, embeddings, NULL));
    }
}

/* OpenBLAS looks for a buffer of its own under a lock, which it gives back before it multiplies. */
static gboolean
uses_openblas (const AltclipKernels *kernels)
{
    return kernels != &altclip_kernels_reference && !kernels->attention_tiling;
}

static void
test_encoding (gconstpointer data)
{
    const Case *test = data;
    g_autoptr (AltclipSession) session = open_session (test);
    AltclipModel *model = altclip_session_get_model (session);
    const AltclipModelInfo *info = altclip_model_get_info (model);
    gsize size = (gsize)info->num_channels * info->image_size * info->image_size;
    g_autofree float *pixel_values = g_new (float, BATCH *size);
    g_autofree float *embeddings = g_new (float, BATCH * info->projection_dim);
    g_autoptr (GPtrArray) watches =
            watch_tower ((AltclipVision *)altclip_model_get_vision (model, NULL));
    gint n_before;
    gint n_after;

    for (gsize i = 0; i < BATCH * size; i++)
        pixel_values[i] = (float)(i % 61) / 30.0f - 1.0f;
    encode (session, pixel_values, embeddings, WARM_UP);
    n_products = n_products_apart = n_locked_products = n_locks_inside = 0;
    first_thread = g_thread_self ();
    n_before = g_atomic_int_get (&n_memory_calls);
    encode (session, pixel_values, embeddings, PICTURES);
    n_after = g_atomic_int_get (&n_memory_calls);
    g_test_message ("products: %d, of which %d in another thread", n_products, n_products_apart);
    g_assert_cmpint (n_after - n_before, ==, 0);
    g_assert_cmpint (n_products, >, 0);
    g_assert_cmpint (n_products_apart > 0, ==, test->threads > 1);
    g_assert_cmpint (n_locked_products, ==, 0);
    if (!uses_openblas (test->kernels))
        g_assert_cmpint (n_locks_inside, ==, 0);
}

/* That the counts count. */
static void
test_counts (void)
{
    static GMutex mutex;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    gint n_before = g_atomic_int_get (&n_memory_calls);
    void *volatile memory = malloc (100);

    free (memory);
    memory = g_strdup ("text");
    g_free (memory);
    memory = altclip_aligned_alloc (100);
    altclip_aligned_free (memory);
    memory = altclip_aligned_alloc ((gsize)8 << 20);
    altclip_aligned_free (memory);
    g_assert_cmpint (g_atomic_int_get (&n_memory_calls) - n_before, >=, 8);

    n_locked_products = n_locks_inside = 0;
    pthread_mutex_lock (&lock);
    begin_product ();
    g_mutex_lock (&mutex);
    g_mutex_unlock (&mutex);
    end_product ();
    pthread_mutex_unlock (&lock);
    g_assert_cmpint (n_locked_products, ==, 1);
    g_assert_cmpint (n_locks_inside, ==, 1);
    g_assert_cmpuint (n_held, ==, 0);
}

int
main (int argc, char **argv)
{
    gsize n;
    const AltclipKernels *const *sets = altclip_kernels_list (&n);
    g_autofree Case *cases = g_new (Case, 2 * n);

    g_test_init (&argc, &argv, NULL);
    g_test_add_func ("/steady-state/counts", test_counts);
    for (gsize i = 0; i < 2 * n; i++) {
        g_autofree char *name = NULL;

        cases[i] = (Case){ sets[i / 2], i % 2 + 1 };
        name = g_strdup_printf (
                "/steady-state/%s/%u-threads", cases[i].kernels->name, cases[i].threads);
        if (cases[i].kernels->probe (NULL))
            g_test_add_data_func (name, &cases[i], test_encoding);
    }
    return g_test_run ();
}
