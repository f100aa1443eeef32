/* altclip: streams that share a scheduler
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Uses pthread primitives, which thread sanitizers can see into.
 */

#include "altclip.h"

#include <glib/gstdio.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

static const char CONFIG[] = "{\"projection_dim\": 16,"
                             " \"text_config\": {\"vocab_size\": 40, \"hidden_size\": 16,"
                             " \"num_hidden_layers\": 1, \"num_attention_heads\": 2,"
                             " \"intermediate_size\": 16, \"max_position_embeddings\": 16,"
                             " \"project_dim\": 16, \"initializer_factor\": 0.2},"
                             " \"vision_config\": {\"hidden_size\": 32, \"num_hidden_layers\": 2,"
                             " \"num_attention_heads\": 2, \"intermediate_size\": 64,"
                             " \"image_size\": 32, \"patch_size\": 8}}";
#define N_PIXELS (3 * 32 * 32)
#define DIM 16

static char *directory;

/* What a stream's user sees, under a lock of its own. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_mutex_t gate; /* held by a test to stop the worker in preprocess */
    guint held;           /* from this picture of a frame on */
    guint n_opened;
    guint n_failed_to_open;
    char *open_error; /* the message */
    guint n_prompts_ready;
    guint n_prompts_given_up;
    gpointer last_prompts; /* that were ready, failed or given up */
    guint n_prompts_failed;
    guint n_analysed;
    guint n_failed;
    guint n_freed;
    guint last; /* the last frame analysed */
    gboolean in_order;
    gboolean refuse; /* make preprocess fail */
    gboolean spoil;  /* make a picture of no numbers */
    guint n_entered; /* pictures that reached the gate */
    guint refused;   /* make it fail for one picture: of this number, from 1 */
    guint n_preprocessed;
    guint next_index;  /* of the picture that is expected */
    GHashTable *sizes; /* frame → its pictures, where they are not 1 */
    GPtrArray *rows;   /* (nullable): embeddings of one picture each, in order */
    char name;
    GString *order; /* where the worker writes the name for each frame analysed */
} User;

static void
on_opened (gpointer data, AltclipModel *model, const GError *error)
{
    User *user = data;

    pthread_mutex_lock (&user->lock);
    g_assert_true ((model == NULL) == (error != NULL));
    user->n_opened += model != NULL;
    user->n_failed_to_open += error != NULL;
    if (error)
        user->open_error = g_strdup (error->message);
    pthread_cond_broadcast (&user->changed);
    pthread_mutex_unlock (&user->lock);
}

static void
on_prompts_ready (gpointer data, AltclipPrompts *prompts, const GError *error)
{
    User *user = data;

    pthread_mutex_lock (&user->lock);
    g_assert_nonnull (prompts);
    user->n_prompts_ready += error == NULL;
    if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        user->n_prompts_given_up++;
    else if (error)
        user->n_prompts_failed++;
    user->last_prompts = prompts; /* to compare only */
    pthread_cond_broadcast (&user->changed);
    pthread_mutex_unlock (&user->lock);
}

static guint
get_n_pictures (User *user, gpointer frame)
{
    gpointer size;

    return g_hash_table_lookup_extended (user->sizes, frame, NULL, &size) ? GPOINTER_TO_UINT (size)
                                                                          : 1;
}

static void
paint (guint number, float *pixel_values)
{
    for (guint i = 0; i < N_PIXELS; i++)
        pixel_values[i] = (float)((i * number) % 17) - 8.0f;
}

static gboolean
on_preprocess (gpointer data, gpointer frame, guint index, float *pixel_values, GError **error)
{
    User *user = data;
    gboolean refuse;
    gboolean spoil;

    pthread_mutex_lock (&user->lock);
    user->n_entered++;
    pthread_cond_broadcast (&user->changed);
    pthread_mutex_unlock (&user->lock);
    if (index >= user->held) {
        pthread_mutex_lock (&user->gate);
        pthread_mutex_unlock (&user->gate);
    }
    pthread_mutex_lock (&user->lock);
    refuse = user->refuse || user->refused == index + 1;
    spoil = user->spoil;
    user->n_preprocessed++;
    g_assert_cmpuint (index, <, get_n_pictures (user, frame));
    user->in_order = user->in_order && (index == 0 || index == user->next_index);
    user->next_index = index + 1;
    pthread_cond_broadcast (&user->changed);
    pthread_mutex_unlock (&user->lock);
    if (refuse) {
        g_set_error (error, ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE, "refused");
        return FALSE;
    }
    paint (GPOINTER_TO_UINT (frame) + index, pixel_values);
    if (spoil)
        pixel_values[0] = NAN;
    return TRUE;
}

static void
on_analysed (gpointer data, gpointer frame, const float *embeddings, const GError *error)
{
    User *user = data;
    guint n_pictures;

    pthread_mutex_lock (&user->lock);
    n_pictures = get_n_pictures (user, frame);
    g_assert_true ((embeddings == NULL) == (error != NULL || n_pictures == 0));
    for (guint i = 0; user->rows && embeddings && i < n_pictures; i++)
        g_ptr_array_add (user->rows, g_memdup2 (embeddings + i * DIM, DIM * sizeof (float)));
    user->n_analysed += error == NULL;
    user->n_failed += error != NULL;
    user->in_order = user->in_order && GPOINTER_TO_UINT (frame) > user->last;
    user->last = GPOINTER_TO_UINT (frame);
    if (user->order)
        g_string_append_c (user->order, user->name);
    pthread_cond_broadcast (&user->changed);
    pthread_mutex_unlock (&user->lock);
}

static void
on_frame_free (gpointer data, G_GNUC_UNUSED gpointer frame)
{
    User *user = data;

    pthread_mutex_lock (&user->lock);
    user->n_freed++;
    pthread_cond_broadcast (&user->changed);
    pthread_mutex_unlock (&user->lock);
}

static const AltclipStreamCallbacks CALLBACKS = { on_opened, on_prompts_ready, on_preprocess,
    on_analysed, on_frame_free };

static void
user_init (User *user)
{
    memset (user, 0, sizeof *user);
    pthread_mutex_init (&user->lock, NULL);
    pthread_mutex_init (&user->gate, NULL);
    pthread_cond_init (&user->changed, NULL);
    user->in_order = TRUE;
    user->sizes = g_hash_table_new (NULL, NULL);
}

static void
user_clear (User *user)
{
    pthread_mutex_destroy (&user->lock);
    pthread_mutex_destroy (&user->gate);
    pthread_cond_destroy (&user->changed);
    g_hash_table_unref (user->sizes);
    g_free (user->open_error);
}

static void
wait_for (User *user, const guint *counter, guint value)
{
    pthread_mutex_lock (&user->lock);
    while (*counter < value)
        pthread_cond_wait (&user->changed, &user->lock);
    pthread_mutex_unlock (&user->lock);
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void
test_exact (void)
{
    User user;
    AltclipStream *stream;
    AltclipStreamStats stats;

    user_init (&user);
    stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 2, &CALLBACKS, &user);
    for (guint i = 1; i <= 100; i++)
        altclip_stream_submit (stream, GUINT_TO_POINTER (i), 1);
    wait_for (&user, &user.n_freed, 100);
    altclip_stream_get_stats (stream, &stats);
    altclip_stream_free (stream);
    g_assert_true (user.in_order);
    g_assert_cmpuint (user.n_opened, ==, 1);
    g_assert_cmpuint (user.n_analysed, ==, 100);
    g_assert_cmpuint (user.n_freed, ==, 100);
    g_assert_cmpuint (stats.submitted, ==, 100);
    g_assert_cmpuint (stats.analysed, ==, 100);
    g_assert_cmpuint (stats.latency_p50, >, 0);
    g_assert_cmpuint (stats.latency_p95, >=, stats.latency_p50);
    user_clear (&user);
}

static void
test_latest (void)
{
    User user;
    AltclipStream *stream;
    AltclipStreamStats stats;

    user_init (&user);
    pthread_mutex_lock (&user.gate);
    stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    wait_for (&user, &user.n_opened, 1);
    for (guint i = 1; i <= 1000; i++)
        altclip_stream_submit_latest (stream, GUINT_TO_POINTER (i), 1);
    pthread_mutex_unlock (&user.gate);
    wait_for (&user, &user.n_freed, 1000);
    altclip_stream_get_stats (stream, &stats);
    altclip_stream_free (stream);
    g_assert_true (user.in_order);
    g_assert_cmpuint (user.last, ==, 1000);
    g_assert_cmpuint (user.n_analysed, <=, 2); /* the one in work and the newest */
    g_assert_cmpuint (user.n_analysed + stats.replaced, ==, 1000);
    user_clear (&user);
}

static void
test_flush (void)
{
    User user;
    AltclipStream *stream;

    user_init (&user);
    stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    for (guint round = 1; round <= 200; round++) {
        guint before;

        for (guint i = 0; i < 5; i++)
            altclip_stream_submit (stream, GUINT_TO_POINTER (round * 10 + i), 1);
        altclip_stream_flush (stream);
        pthread_mutex_lock (&user.lock);
        before = user.n_analysed;
        g_assert_cmpuint (user.n_freed, ==, round * 5);
        pthread_mutex_unlock (&user.lock);
        g_thread_yield ();
        pthread_mutex_lock (&user.lock);
        g_assert_cmpuint (user.n_analysed, ==, before); /* nothing from before the flush */
        pthread_mutex_unlock (&user.lock);
    }
    altclip_stream_free (stream);
    user_clear (&user);
}

static void
test_open_error (void)
{
    User user;
    AltclipStream *stream;

    user_init (&user);
    stream = altclip_stream_new ("/nonexistent", ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    altclip_stream_submit (stream, GUINT_TO_POINTER (1), 1);
    wait_for (&user, &user.n_failed_to_open, 1);
    wait_for (&user, &user.n_freed, 1);
    altclip_stream_free (stream);
    g_assert_cmpuint (user.n_failed, ==, 1);
    user_clear (&user);
}

/* A tower alone cannot tell which phrases a picture shows. */
static void
test_one_tower (void)
{
    static const struct {
        const char *model;
        const char *message;
    } cases[] = {
        { "text-new", ": holds no image tower (tensor 'vision_model.embeddings.class_embedding' is "
                      "missing)" },
        { "vision-new",
                ": holds no projection of the image tower (tensor 'visual_projection.weight' is "
                "missing), without which there are no embeddings" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
        g_autofree char *path =
                g_test_build_filename (G_TEST_DIST, "golden", "models", cases[i].model, NULL);
        AltclipStream *stream;
        User user;

        user_init (&user);
        stream = altclip_stream_new (path, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
        wait_for (&user, &user.n_failed_to_open, 1);
        altclip_stream_free (stream);
        g_assert_true (g_str_has_suffix (user.open_error, cases[i].message));
        user_clear (&user);
    }
}

/* Pictures that could never have the tower's size are an error of the model, not of each frame. */
static void
test_other_size (void)
{
    g_autofree char *path = g_build_filename (directory, "preprocessor_config.json", NULL);
    g_autofree char *contents = NULL;
    AltclipStream *stream;
    User user;

    g_assert_true (g_file_get_contents (path, &contents, NULL, NULL));
    g_assert_true (g_file_set_contents (path, "{\"size\": 32, \"crop_size\": 24}", -1, NULL));
    user_init (&user);
    stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    wait_for (&user, &user.n_failed_to_open, 1);
    altclip_stream_free (stream);
    g_assert_true (g_str_has_prefix (user.open_error, directory));
    g_assert_true (g_str_has_suffix (user.open_error,
            ": preprocessing makes 24×24 pixels of a picture of 32×32, by crop_size (height 24, "
            "width 24), but the model's image_size is 32"));
    user_clear (&user);
    g_assert_true (g_file_set_contents (path, contents, -1, NULL));
}

/* A stream whose frames fail beside one whose frames do not, in the same batches. */
static void
run_beside (User *bad)
{
    User good;
    AltclipStream *good_stream;
    AltclipStream *bad_stream;

    user_init (&good);
    good_stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &good);
    bad_stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, bad);
    for (guint i = 1; i <= 50; i++) {
        altclip_stream_submit (good_stream, GUINT_TO_POINTER (i), 1);
        altclip_stream_submit (bad_stream, GUINT_TO_POINTER (i), 1);
    }
    wait_for (&good, &good.n_freed, 50);
    wait_for (bad, &bad->n_freed, 50);
    altclip_stream_free (bad_stream);
    altclip_stream_free (good_stream);
    g_assert_cmpuint (good.n_analysed, ==, 50);
    g_assert_cmpuint (good.n_failed, ==, 0);
    g_assert_cmpuint (bad->n_failed, ==, 50);
    user_clear (&good);
}

static void
test_failures_stay (void)
{
    User refusing;
    User spoiling;

    user_init (&refusing);
    refusing.refuse = TRUE;
    run_beside (&refusing);
    user_clear (&refusing);
    user_init (&spoiling);
    spoiling.spoil = TRUE;
    run_beside (&spoiling);
    user_clear (&spoiling);
}

/* ---- Never waiting, and taking turns --------------------------------------------------------- */

/* The worker stands still in a callback that has a frame: whoever submits goes on, frames replace
 * each other, and the statistics can be read. */
static void
test_submitting_never_waits (void)
{
    User user;
    AltclipStream *stream;
    AltclipStreamStats stats;
    AltclipWorkerStats worker;

    user_init (&user);
    pthread_mutex_lock (&user.gate);
    stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    altclip_stream_submit_latest (stream, GUINT_TO_POINTER (1), 1);
    wait_for (&user, &user.n_entered, 1);
    for (guint i = 2; i <= 1000; i++)
        altclip_stream_submit_latest (stream, GUINT_TO_POINTER (i), 1);
    altclip_stream_get_stats (stream, &stats);
    altclip_stream_get_worker_stats (stream, &worker);
    g_assert_cmpuint (stats.submitted, ==, 1000);
    g_assert_cmpuint (stats.analysed, ==, 0);
    g_assert_cmpuint (stats.waits, ==, 0);
    g_assert_cmpuint (user.n_freed, ==, 998);
    g_assert_cmpuint (worker.streams, ==, 1);
    g_assert_cmpuint (worker.analysed, ==, 0);
    pthread_mutex_unlock (&user.gate);
    wait_for (&user, &user.n_freed, 1000);
    altclip_stream_get_worker_stats (stream, &worker);
    g_assert_cmpuint (worker.analysed, ==, 2);
    g_assert_cmpuint (worker.batches, ==, 2);
    g_assert_cmpuint (worker.pictures, ==, 2);
    g_assert_cmpuint (worker.idle_with_frames, ==, 0);
    altclip_stream_free (stream);
    user_clear (&user);
}

#define N_LIVE 5

/* One exact stream with many frames, and live ones that always have a newer frame, while the worker
 * is held up: how many of each are taken in the first batches is known to the frame. */
static void
test_live_beside_exact (void)
{
    User exact;
    User live[N_LIVE];
    AltclipStream *exact_stream;
    AltclipStream *live_streams[N_LIVE];
    AltclipWorkerStats worker;

    user_init (&exact);
    pthread_mutex_lock (&exact.gate);
    exact_stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &exact);
    altclip_stream_submit (exact_stream, GUINT_TO_POINTER (1), 1);
    wait_for (&exact, &exact.n_entered, 1);
    for (guint i = 0; i < N_LIVE; i++) {
        user_init (&live[i]);
        live_streams[i] =
                altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &live[i]);
        for (guint j = 1; j <= 10; j++)
            altclip_stream_submit_latest (live_streams[i], GUINT_TO_POINTER (j), 1);
    }
    for (guint i = 2; i <= 20; i++)
        altclip_stream_submit (exact_stream, GUINT_TO_POINTER (i), 1);
    pthread_mutex_unlock (&exact.gate);
    wait_for (&exact, &exact.n_freed, 20);
    altclip_stream_get_worker_stats (exact_stream, &worker);
    for (guint i = 0; i < N_LIVE; i++) {
        /* One each, the newest, in the batch after the one that was held up. */
        g_assert_cmpuint (live[i].n_analysed, ==, 1);
        g_assert_cmpuint (live[i].last, ==, 10);
        altclip_stream_free (live_streams[i]);
        user_clear (&live[i]);
    }
    /* One alone; five live ones and three exact ones; then eight and eight exact ones. */
    g_assert_true (exact.in_order);
    g_assert_cmpuint (exact.n_analysed, ==, 20);
    g_assert_cmpuint (worker.batches, ==, 4);
    g_assert_cmpuint (worker.pictures, ==, 20 + N_LIVE);
    g_assert_cmpuint (worker.idle_with_frames, ==, 0);
    altclip_stream_free (exact_stream);
    user_clear (&exact);
}

#define N_TURNS 12

/* A stream's leaving costs no other one its turn: twelve streams, three frames each, and one leaves
 * while the worker is held up in a batch of eight. */
static void
test_leaving_keeps_turns (void)
{
    User users[N_TURNS];
    AltclipStream *streams[N_TURNS];
    g_autoptr (GString) order = g_string_new (NULL);

    for (guint i = 0; i < N_TURNS; i++) {
        user_init (&users[i]);
        users[i].name = (char)('a' + i);
        users[i].order = order;
        streams[i] =
                altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &users[i]);
        wait_for (&users[i], &users[i].n_opened, 1);
    }
    pthread_mutex_lock (&users[0].gate);
    pthread_mutex_lock (&users[1].gate);
    altclip_stream_submit (streams[0], GUINT_TO_POINTER (1), 1);
    wait_for (&users[0], &users[0].n_entered, 1);
    for (guint frame = 2; frame <= 4; frame++)
        for (guint i = 0; i < N_TURNS; i++)
            altclip_stream_submit (streams[i], GUINT_TO_POINTER (frame), 1);
    pthread_mutex_unlock (&users[0].gate);
    wait_for (&users[1], &users[1].n_entered, 1); /* in the batch from b to i */
    altclip_stream_free (streams[3]);
    pthread_mutex_unlock (&users[1].gate);
    for (guint i = 0; i < N_TURNS; i++)
        wait_for (&users[i], &users[i].n_freed, i == 0 ? 4 : 3);
    for (guint i = 0; i < N_TURNS; i++) {
        if (i != 3)
            altclip_stream_free (streams[i]);
        user_clear (&users[i]);
    }
    g_assert_cmpstr (order->str, ==,
            "a"
            "bcefghi"
            "jklabcef"
            "ghijklab"
            "cefghijk"
            "la");
}

/* ---- Flushing with a frame in work ----------------------------------------------------------- */

static gpointer
flush_in_thread (gpointer stream)
{
    altclip_stream_flush (stream);
    return NULL;
}

static void
wait_for_waits (AltclipStream *stream, guint64 n)
{
    AltclipStreamStats stats;

    do {
        g_usleep (1000);
        altclip_stream_get_stats (stream, &stats);
    } while (stats.waits < n);
}

/* A flush that begins while a callback has a frame: no result of any frame before it arrives. */
static void
test_flush_in_work (void)
{
    User user;
    AltclipStream *stream;
    GThread *thread;

    user_init (&user);
    pthread_mutex_lock (&user.gate);
    stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    wait_for (&user, &user.n_opened, 1);
    for (guint i = 1; i <= 8; i++)
        altclip_stream_submit (stream, GUINT_TO_POINTER (i), 1);
    wait_for (&user, &user.n_entered, 1); /* the worker stands at the gate with the first */
    thread = g_thread_new ("flush", flush_in_thread, stream);
    wait_for_waits (stream, 1); /* the flush waits for it */
    pthread_mutex_unlock (&user.gate);
    g_thread_join (thread);
    g_assert_cmpuint (user.n_freed, ==, 8);
    g_assert_cmpuint (user.n_analysed, ==, 0);
    altclip_stream_free (stream);
    g_assert_cmpuint (user.n_preprocessed, <=, 1);
    user_clear (&user);
}

/* ---- Frames of several pictures -------------------------------------------------------------- */

/* Submits frame @number, of @n_pictures. */
static void
submit (AltclipStream *stream, User *user, guint number, guint n_pictures)
{
    pthread_mutex_lock (&user->lock);
    g_hash_table_insert (user->sizes, GUINT_TO_POINTER (number), GUINT_TO_POINTER (n_pictures));
    pthread_mutex_unlock (&user->lock);
    altclip_stream_submit (stream, GUINT_TO_POINTER (number), n_pictures);
}

/* The embeddings are those of the pictures, one by one. */
static void
check_rows (GPtrArray *rows, const guint *numbers, const guint *n_pictures, guint n_frames)
{
    const AltclipModelOptions options = { .precision = ALTCLIP_PRECISION_F32 };
    g_autoptr (AltclipModel) model = altclip_model_open (directory, &options, NULL, NULL);
    g_autoptr (AltclipSession) session = altclip_session_new (model, 1, NULL);
    g_autofree float *pixel_values = g_new (float, N_PIXELS);
    guint at = 0;

    for (guint i = 0; i < n_frames; i++) {
        for (guint j = 0; j < n_pictures[i]; j++, at++) {
            float expected[DIM];
            const float *row = g_ptr_array_index (rows, at);

            paint (numbers[i] + j, pixel_values);
            g_assert_true (
                    altclip_session_encode_images (session, pixel_values, 1, expected, NULL));
            for (guint k = 0; k < DIM; k++)
                g_assert_cmpfloat_with_epsilon (row[k], expected[k], 1e-5f);
        }
    }
    g_assert_cmpuint (at, ==, rows->len);
}

/* Of no picture, of as many as fit a run, of more, of the most there may be. */
static void
test_several (void)
{
    static const guint numbers[] = { 1, 10, 20, 50, 60, 100, 400 };
    static const guint n_pictures[] = { 1, 8, 20, 0, 3, ALTCLIP_MAX_PICTURES, 1 };
    AltclipStream *stream;
    AltclipStreamStats stats;
    User user;

    user_init (&user);
    user.rows = g_ptr_array_new_with_free_func (g_free);
    stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
        submit (stream, &user, numbers[i], n_pictures[i]);
    wait_for (&user, &user.n_freed, G_N_ELEMENTS (numbers));
    altclip_stream_get_stats (stream, &stats);
    altclip_stream_free (stream);
    g_assert_true (user.in_order);
    g_assert_cmpuint (user.n_analysed, ==, G_N_ELEMENTS (numbers));
    g_assert_cmpuint (stats.analysed, ==, G_N_ELEMENTS (numbers) - 1);
    check_rows (user.rows, numbers, n_pictures, G_N_ELEMENTS (numbers));
    g_ptr_array_unref (user.rows);
    user_clear (&user);
}

/* A frame of many pictures does not hold up another stream, whose frames are all done before. */
static void
test_several_beside_one (void)
{
    AltclipStream *crowded_stream;
    AltclipStream *plain_stream;
    User crowded;
    User plain;

    user_init (&crowded);
    user_init (&plain);
    pthread_mutex_lock (&crowded.gate);
    crowded_stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &crowded);
    plain_stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &plain);
    wait_for (&plain, &plain.n_opened, 1);
    submit (crowded_stream, &crowded, 1, ALTCLIP_MAX_PICTURES);
    for (guint i = 1; i <= 30; i++)
        altclip_stream_submit (plain_stream, GUINT_TO_POINTER (i), 1);
    pthread_mutex_unlock (&crowded.gate);
    wait_for (&plain, &plain.n_freed, 30);
    pthread_mutex_lock (&crowded.lock);
    g_assert_cmpuint (crowded.n_preprocessed, <, ALTCLIP_MAX_PICTURES);
    pthread_mutex_unlock (&crowded.lock);
    wait_for (&crowded, &crowded.n_freed, 1);
    altclip_stream_free (plain_stream);
    altclip_stream_free (crowded_stream);
    g_assert_cmpuint (crowded.n_analysed, ==, 1);
    g_assert_cmpuint (plain.n_analysed, ==, 30);
    user_clear (&plain);
    user_clear (&crowded);
}

/* One picture that cannot be read: its frame has no result, but those before and after it have. */
static void
test_several_and_one_fails (void)
{
    AltclipStream *stream;
    User user;

    user_init (&user);
    user.refused = 11;
    stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    submit (stream, &user, 1, 10);
    submit (stream, &user, 20, 40);
    submit (stream, &user, 70, 10);
    wait_for (&user, &user.n_freed, 3);
    altclip_stream_free (stream);
    g_assert_true (user.in_order);
    g_assert_cmpuint (user.n_analysed, ==, 2);
    g_assert_cmpuint (user.n_failed, ==, 1);
    user_clear (&user);
}

/* Flushed while one of its pictures is read, a frame is given back once and has no result. */
static void
test_several_flushed (void)
{
    AltclipStream *stream;
    User user;

    user_init (&user);
    stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    for (guint round = 0; round < 20; round++) {
        guint before = user.n_entered;
        GThread *thread;

        pthread_mutex_lock (&user.gate);
        user.held = round;
        submit (stream, &user, 2 * round + 1, 20);
        submit (stream, &user, 2 * round + 2, 0);
        wait_for (&user, &user.n_entered, before + round + 1);
        thread = g_thread_new ("flush", flush_in_thread, stream);
        wait_for_waits (stream, round + 1);
        pthread_mutex_unlock (&user.gate);
        g_thread_join (thread);
        g_assert_cmpuint (user.n_freed, ==, 2 * round + 2);
        g_assert_cmpuint (user.n_analysed, ==, 0);
    }
    user.held = 0;
    submit (stream, &user, 1000, 20);
    wait_for (&user, &user.n_analysed, 1);
    altclip_stream_free (stream);
    user_clear (&user);
}

/* Flushed at any other moment: nothing is lost, and nothing comes afterwards. */
static void
test_several_flushed_freely (void)
{
    AltclipStream *stream;
    User user;

    user_init (&user);
    stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    wait_for (&user, &user.n_opened, 1);
    for (guint round = 0; round < 100; round++) {
        guint before = user.n_preprocessed;
        guint n_analysed;

        submit (stream, &user, 2 * round + 1, 100);
        submit (stream, &user, 2 * round + 2, 0);
        wait_for (&user, &user.n_preprocessed, before + 1 + round % 20);
        altclip_stream_flush (stream);
        n_analysed = user.n_analysed;
        g_assert_cmpuint (user.n_freed, ==, 2 * round + 2);
        g_thread_yield ();
        pthread_mutex_lock (&user.lock);
        g_assert_cmpuint (user.n_analysed, ==, n_analysed);
        pthread_mutex_unlock (&user.lock);
    }
    altclip_stream_free (stream);
    user_clear (&user);
}

/* ---- Prompts --------------------------------------------------------------------------------- */

static char *
find_golden_model (void)
{
    char *path = g_test_build_filename (G_TEST_DIST, "golden", "models", "patch16", NULL);

    g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR)); /* else nothing would ever be ready */
    return path;
}

static void
test_prompts (void)
{
    g_autofree char *golden = find_golden_model ();
    g_autoptr (AltclipPrompts) prompts = altclip_prompts_parse ("a;b;c", NULL, NULL, NULL);
    User user;
    AltclipStream *stream;

    user_init (&user);
    stream = altclip_stream_new (golden, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    g_assert_null (altclip_stream_set_prompts (stream, prompts)); /* before the model is there */
    wait_for (&user, &user.n_prompts_ready, 1);
    /* Again, though embedded by now: */
    g_assert_null (altclip_stream_set_prompts (stream, prompts));
    wait_for (&user, &user.n_prompts_ready, 2);
    altclip_stream_free (stream);
    g_assert_cmpuint (user.n_prompts_failed, ==, 0);
    user_clear (&user);
}

/* The random model has no tokenizer. */
static void
test_prompts_fail (void)
{
    g_autoptr (AltclipPrompts) prompts = altclip_prompts_parse ("a;b", NULL, NULL, NULL);
    User user;
    AltclipStream *stream;

    user_init (&user);
    stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    g_assert_null (altclip_stream_set_prompts (stream, prompts));
    wait_for (&user, &user.n_prompts_failed, 1);
    altclip_stream_submit (stream, GUINT_TO_POINTER (1), 1); /* pictures go on */
    wait_for (&user, &user.n_analysed, 1);
    altclip_stream_free (stream);
    user_clear (&user);
}

/* Of sets that come faster than they are embedded some are skipped, and the last one is not.
 * Leaving in the middle of one waits for no more than a text. */
static void
test_prompts_replaced (void)
{
    g_autofree char *golden = find_golden_model ();
    g_autoptr (AltclipPrompts) last = NULL;
    guint n_replaced = 0;
    User user;
    AltclipStream *stream;

    user_init (&user);
    stream = altclip_stream_new (golden, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
    wait_for (&user, &user.n_opened, 1);
    for (guint i = 0; i < 200; i++) {
        g_autofree char *list = g_strdup_printf ("label %u;b;c;d;e;f", i);
        g_autoptr (AltclipPrompts) replaced = NULL;

        g_clear_pointer (&last, altclip_prompts_unref);
        last = altclip_prompts_parse (list, NULL, NULL, NULL);
        replaced = altclip_stream_set_prompts (stream, last);
        n_replaced += replaced != NULL;
    }
    pthread_mutex_lock (&user.lock);
    while (user.last_prompts != last)
        pthread_cond_wait (&user.changed, &user.lock);
    pthread_mutex_unlock (&user.lock);
    altclip_stream_free (stream);
    g_assert_cmpuint (user.n_prompts_ready, >, 0);
    g_assert_cmpuint (user.n_prompts_ready, <, 200);
    g_assert_cmpuint (user.n_prompts_ready + user.n_prompts_given_up + n_replaced, ==, 200);
    g_assert_cmpuint (user.n_prompts_failed, ==, 0);
    user_clear (&user);
}

/* ---- Many streams that come and go ----------------------------------------------------------- */

static gpointer
come_and_go (gpointer data)
{
    guint seed = GPOINTER_TO_UINT (data);

    for (guint round = 0; round < 20; round++) {
        User user;
        AltclipStream *stream;

        user_init (&user);
        stream = altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &user);
        for (guint i = 1; i <= seed * 3 + round; i++) {
            altclip_stream_submit_latest (stream, GUINT_TO_POINTER (i), 1);
            if ((i + seed) % 7 == 0)
                altclip_stream_flush (stream);
        }
        if (round % 2)
            wait_for (&user, &user.n_opened, 1);
        altclip_stream_free (stream);
        g_assert_cmpuint (user.n_freed, ==, seed * 3 + round);
        user_clear (&user);
    }
    return NULL;
}

static void
test_come_and_go (void)
{
    GThread *threads[6];

    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = g_thread_new ("stream", come_and_go, GUINT_TO_POINTER (i));
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        g_thread_join (threads[i]);
}

/* ---- For a while ----------------------------------------------------------------------------- */

/* Streams of live frames beside one with every frame, one that refuses them all, one that is
 * flushed all the time and one that comes and goes, each in a thread of its own, for
 * ALTCLIP_SOAK_SECONDS. */
#define N_SOAKING 16

typedef struct {
    User user;
    AltclipStream *stream;
    guint n_submitted;
    gboolean flushes;
    const gint *stop;
} Soaker;

static void
soaker_init (Soaker *soaker, const gint *stop)
{
    *soaker = (Soaker){ .stop = stop };
    user_init (&soaker->user);
    soaker->stream =
            altclip_stream_new (directory, ALTCLIP_PRECISION_F32, 1, &CALLBACKS, &soaker->user);
}

static void
soaker_clear (Soaker *soaker)
{
    altclip_stream_free (soaker->stream);
    g_assert_cmpuint (soaker->user.n_freed, ==, soaker->n_submitted);
    g_assert_true (soaker->user.in_order);
    user_clear (&soaker->user);
}

/* As a source of many frames a second does. */
static gpointer
soak_live (gpointer data)
{
    Soaker *soaker = data;

    while (!g_atomic_int_get (soaker->stop)) {
        altclip_stream_submit_latest (soaker->stream, GUINT_TO_POINTER (++soaker->n_submitted), 1);
        if (soaker->flushes && soaker->n_submitted % 3 == 0)
            altclip_stream_flush (soaker->stream);
        g_usleep (500);
    }
    return NULL;
}

/* Keeps a few batches waiting, so that the worker always has something to do. */
static gpointer
soak_exact (gpointer data)
{
    Soaker *soaker = data;

    while (!g_atomic_int_get (soaker->stop)) {
        guint first = soaker->n_submitted;

        for (guint i = 0; i < 64; i++)
            altclip_stream_submit (soaker->stream, GUINT_TO_POINTER (++soaker->n_submitted), 1);
        wait_for (&soaker->user, &soaker->user.n_freed, first + 32);
    }
    return NULL;
}

static gpointer
soak_guest (gpointer data)
{
    const gint *stop = data;

    while (!g_atomic_int_get (stop)) {
        Soaker soaker;

        soaker_init (&soaker, stop);
        for (guint i = 1; i <= 5; i++) {
            altclip_stream_submit_latest (soaker.stream, GUINT_TO_POINTER (i), 1);
            g_usleep (1000);
        }
        soaker.n_submitted = 5;
        soaker_clear (&soaker);
    }
    return NULL;
}

static guint64
get_analysed (Soaker *soaker)
{
    AltclipStreamStats stats;

    altclip_stream_get_stats (soaker->stream, &stats);
    return stats.analysed;
}

static gulong
get_soak_time (void)
{
    const char *seconds = g_getenv ("ALTCLIP_SOAK_SECONDS");

    return (seconds ? (gulong)g_ascii_strtoull (seconds, NULL, 10) : 1) * G_USEC_PER_SEC;
}

/* Live streams with frames enough were treated alike; nobody waited for the worker but who flushed;
 * and the worker did not rest while there was something to do. */
static void
check_soakers (Soaker *live, Soaker *exact, Soaker *refusing)
{
    guint64 least = G_MAXUINT64;
    guint64 most = 0;
    AltclipStreamStats stats;
    AltclipWorkerStats worker;

    for (guint i = 0; i < N_SOAKING; i++) {
        altclip_stream_get_stats (live[i].stream, &stats);
        g_assert_cmpuint (stats.waits, ==, 0);
        g_assert_cmpuint (stats.failed, ==, 0);
        least = MIN (least, stats.analysed);
        most = MAX (most, stats.analysed);
    }
    g_test_message ("analysed frames of a live stream: %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
            least, most);
    g_assert_cmpuint (least, >, 0);
    altclip_stream_get_stats (exact->stream, &stats);
    g_assert_cmpuint (stats.waits, ==, 0);
    g_assert_cmpuint (stats.replaced, ==, 0);
    g_assert_cmpuint (get_analysed (refusing), ==, 0);
    altclip_stream_get_worker_stats (exact->stream, &worker);
    g_assert_cmpuint (worker.idle_with_frames, ==, 0);
    g_assert_cmpuint (worker.analysed, >=, (guint64)N_SOAKING * least);
}

static void
test_soak (void)
{
    Soaker live[N_SOAKING];
    Soaker exact;
    Soaker refusing;
    Soaker flushed;
    GThread *threads[N_SOAKING + 4];
    gint stop = FALSE;

    for (guint i = 0; i < N_SOAKING; i++)
        soaker_init (&live[i], &stop);
    soaker_init (&exact, &stop);
    soaker_init (&refusing, &stop);
    soaker_init (&flushed, &stop);
    refusing.user.refuse = TRUE;
    flushed.flushes = TRUE;
    for (guint i = 0; i < N_SOAKING; i++)
        threads[i] = g_thread_new ("live", soak_live, &live[i]);
    threads[N_SOAKING] = g_thread_new ("exact", soak_exact, &exact);
    threads[N_SOAKING + 1] = g_thread_new ("refusing", soak_live, &refusing);
    threads[N_SOAKING + 2] = g_thread_new ("flushed", soak_live, &flushed);
    threads[N_SOAKING + 3] = g_thread_new ("guest", soak_guest, &stop);
    for (guint i = 0; i < N_SOAKING; i++)
        wait_for (&live[i].user, &live[i].user.n_analysed, 1);
    g_usleep (get_soak_time ());
    g_atomic_int_set (&stop, TRUE);
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        g_thread_join (threads[i]);
    check_soakers (live, &exact, &refusing);
    for (guint i = 0; i < N_SOAKING; i++)
        soaker_clear (&live[i]);
    soaker_clear (&flushed);
    soaker_clear (&refusing);
    soaker_clear (&exact);
}

static void
remove_file (const char *name)
{
    g_autofree char *path = g_build_filename (directory, name, NULL);

    g_unlink (path);
}

int
main (int argc, char **argv)
{
    g_autofree char *config = NULL;
    int status;

    g_test_init (&argc, &argv, NULL);
    directory = g_dir_make_tmp ("altclip-scheduler-XXXXXX", NULL);
    config = g_build_filename (directory, "source.json", NULL);
    g_assert_true (g_file_set_contents (config, CONFIG, -1, NULL));
    g_assert_true (altclip_initialise (config, 1, directory, NULL));
    g_test_add_func ("/scheduler/exact", test_exact);
    g_test_add_func ("/scheduler/latest", test_latest);
    g_test_add_func ("/scheduler/flush", test_flush);
    g_test_add_func ("/scheduler/open-error", test_open_error);
    g_test_add_func ("/scheduler/one-tower", test_one_tower);
    g_test_add_func ("/scheduler/other-size", test_other_size);
    g_test_add_func ("/scheduler/failures-stay", test_failures_stay);
    g_test_add_func ("/scheduler/submitting-never-waits", test_submitting_never_waits);
    g_test_add_func ("/scheduler/live-beside-exact", test_live_beside_exact);
    g_test_add_func ("/scheduler/leaving-keeps-turns", test_leaving_keeps_turns);
    g_test_add_func ("/scheduler/flush-in-work", test_flush_in_work);
    g_test_add_func ("/scheduler/several", test_several);
    g_test_add_func ("/scheduler/several-beside-one", test_several_beside_one);
    g_test_add_func ("/scheduler/several-and-one-fails", test_several_and_one_fails);
    g_test_add_func ("/scheduler/several-flushed", test_several_flushed);
    g_test_add_func ("/scheduler/several-flushed-freely", test_several_flushed_freely);
    g_test_add_func ("/scheduler/prompts", test_prompts);
    g_test_add_func ("/scheduler/prompts-fail", test_prompts_fail);
    g_test_add_func ("/scheduler/prompts-replaced", test_prompts_replaced);
    g_test_add_func ("/scheduler/come-and-go", test_come_and_go);
    g_test_add_func ("/scheduler/soak", test_soak);
    status = g_test_run ();
    remove_file ("source.json");
    remove_file ("config.json");
    remove_file ("preprocessor_config.json");
    remove_file ("model.safetensors");
    g_rmdir (directory);
    g_free (directory);
    return status;
}
