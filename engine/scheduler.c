/* altclip: one worker for all streams of a model
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A scheduler has two threads: one opens the model and runs the image tower, one embeds prompts.
 * Both call a stream's callbacks without the scheduler's lock. `calls` counts the callbacks of a
 * stream that are running; flushing and leaving wait until it is 0. Frames in work stay reachable
 * in `batch`, so that a flush can take them back without waiting for the inference.
 *
 * Built on pthread primitives rather than GLib's, which thread sanitizers cannot see into.
 */

#include "altclip.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Pictures in one run of the tower. More would only make the first wait for the last: a frame of
 * more pictures is encoded in several runs, with those of other streams between them. */
#define MAX_BATCH 8

/* And no more than fit these bytes and this time, one always: who flushes or leaves waits for a
 * batch at most. */
#define MAX_BATCH_BYTES (64 * 1024 * 1024)
#define MAX_BATCH_NANOSECONDS 1000000000

/* Times that the latency percentiles look back on. */
#define N_LATENCIES 128

typedef struct _AltclipScheduler AltclipScheduler;

struct _AltclipScheduler {
    char *key; /* in the registry */
    char *directory;
    AltclipPrecision precision;
    guint threads;
    guint n_streams; /* under the registry's lock */
    GThread *image_thread;
    GThread *prompt_thread;
    GCancellable *cancellable; /* of the opening */
    pthread_mutex_t lock;
    pthread_cond_t work;  /* there is something to do */
    pthread_cond_t quiet; /* a callback has returned */
    /* Under the lock: */
    AltclipModel *model;
    GError *open_error;
    gboolean quitting;
    GPtrArray *streams;
    guint next_stream;  /* whose turn it is with a picture */
    guint next_prompts; /* and with prompts */
    GPtrArray *batch;   /* Frames in work */
    AltclipWorkerStats stats;
};

struct _AltclipStream {
    gint ref_count;
    AltclipScheduler *scheduler;
    AltclipStreamCallbacks callbacks;
    gpointer user_data;
    /* Under the scheduler's lock: */
    gboolean told_opened;
    gboolean leaving;
    guint calls;
    GThread *callers[2];               /* whose callbacks these are: the workers' */
    GQueue waiting;                    /* Frames */
    AltclipPrompts *prompts;           /* waiting to be embedded */
    GCancellable *prompts_cancellable; /* of the set being embedded */
    AltclipStreamStats stats;
    guint64 latencies[N_LATENCIES];
    guint64 n_latencies;
};

typedef struct {
    AltclipStream *stream;
    gpointer frame; /* NULL once it has been given back */
    guint64 submitted;
    guint n_pictures;
    guint n_taken;     /* pictures that had or have a slot in a run */
    float *embeddings; /* [n_pictures, dim], from the first run on */
    gboolean in_call;  /* the caller's code has it */
    gboolean dropped;  /* meanwhile it was flushed: its result is not wanted */
    GError *error;     /* of the first picture that went wrong */
} Frame;

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *registry; /* key → AltclipScheduler, not owned; under registry_lock */

/* With the registry's lock. Another scheduler may have taken the key since. */
static void
registry_remove (AltclipScheduler *scheduler)
{
    if (!registry || g_hash_table_lookup (registry, scheduler->key) != scheduler)
        return;
    g_hash_table_remove (registry, scheduler->key);
    if (g_hash_table_size (registry) == 0)
        g_clear_pointer (&registry, g_hash_table_unref);
}

static guint64
now (void)
{
    return (guint64)g_get_monotonic_time () * 1000;
}

/* ---- Streams and frames ---------------------------------------------------------------------- */

static AltclipStream *
stream_ref (AltclipStream *stream)
{
    g_atomic_int_inc (&stream->ref_count);
    return stream;
}

static void
stream_unref (AltclipStream *stream)
{
    if (g_atomic_int_dec_and_test (&stream->ref_count))
        g_free (stream);
}

static Frame *
frame_new (AltclipStream *stream, gpointer data, guint n_pictures)
{
    Frame *frame = g_new0 (Frame, 1);

    frame->stream = stream_ref (stream);
    frame->frame = data;
    frame->n_pictures = n_pictures;
    frame->submitted = now ();
    return frame;
}

static void
frame_free (gpointer data)
{
    Frame *frame = data;

    g_clear_error (&frame->error);
    g_free (frame->embeddings);
    stream_unref (frame->stream);
    g_free (frame);
}

/* Whether no picture of it will be taken any more. */
static gboolean
is_over (const Frame *frame)
{
    return !frame->frame || frame->dropped || frame->error || frame->n_taken == frame->n_pictures;
}

static void
begin_call (AltclipStream *stream)
{
    stream->callers[stream->callers[0] != NULL] = g_thread_self ();
    stream->calls++;
    pthread_mutex_unlock (&stream->scheduler->lock);
}

static void
end_call (AltclipStream *stream)
{
    pthread_mutex_lock (&stream->scheduler->lock);
    stream->callers[stream->callers[0] != g_thread_self ()] = NULL;
    stream->calls--;
    pthread_cond_broadcast (&stream->scheduler->quiet);
}

/* With the lock. Calls that somebody else is in: a callback may flush its own stream. */
static guint
count_others (AltclipStream *stream)
{
    gboolean own = stream->callers[0] == g_thread_self () || stream->callers[1] == g_thread_self ();

    return stream->calls - own;
}

/* ---- Image worker: telling, gathering, running ----------------------------------------------- */

static AltclipStream *
find_untold (AltclipScheduler *scheduler)
{
    for (guint i = 0; i < scheduler->streams->len; i++) {
        AltclipStream *stream = g_ptr_array_index (scheduler->streams, i);
        if (!stream->told_opened && !stream->leaving)
            return stream;
    }
    return NULL;
}

/* With the lock, which is let go for the call. */
static void
tell_opened (AltclipScheduler *scheduler, AltclipStream *stream)
{
    stream_ref (stream);
    begin_call (stream);
    stream->callbacks.opened (stream->user_data, scheduler->model, scheduler->open_error);
    end_call (stream);
    stream->told_opened = TRUE;
    pthread_cond_broadcast (&scheduler->work); /* its prompts may go ahead */
    stream_unref (stream);
}

/* A place for a picture in a run of the tower. */
typedef struct {
    Frame *frame;
    guint index; /* of the picture in the frame */
    GError *error;
} Slot;

/* What the image worker computes with; without a session when the model could not be opened. */
typedef struct {
    AltclipSession *session;
    gsize picture_size; /* floats of one picture */
    guint dim;
    guint max_slots;
    float *pixel_values; /* [max_slots, picture_size] */
    float *embeddings;   /* [max_slots, dim] */
    Slot slots[MAX_BATCH];
    guint n_slots; /* of this run */
} ImageWork;

static void
image_work_init (ImageWork *work, AltclipModel *model, guint threads)
{
    const AltclipModelInfo *info = altclip_model_get_info (model);

    work->session = altclip_session_new (model, threads, NULL);
    work->picture_size = (gsize)info->num_channels * info->image_size * info->image_size;
    work->dim = info->projection_dim;
    work->max_slots = (guint)MIN (MAX_BATCH_BYTES / (work->picture_size * sizeof (float)),
            MAX_BATCH_NANOSECONDS / MAX (info->picture_time, 1));
    work->max_slots = CLAMP (work->max_slots, 1, MAX_BATCH);
    work->pixel_values = g_new (float, work->max_slots * work->picture_size);
    work->embeddings = g_new (float, work->max_slots * work->dim);
}

static void
image_work_clear (ImageWork *work)
{
    altclip_session_free (work->session);
    g_free (work->pixel_values);
    g_free (work->embeddings);
}

/* The frame whose pictures are next: the one in work first. */
static Frame *
next_frame (AltclipStream *stream, const ImageWork *work)
{
    GPtrArray *batch = stream->scheduler->batch;
    Frame *frame;

    if (stream->leaving)
        return NULL;
    for (guint i = 0; i < batch->len; i++) {
        frame = g_ptr_array_index (batch, i);
        if (frame->stream == stream && !is_over (frame))
            return frame;
    }
    frame = g_queue_pop_head (&stream->waiting);
    if (!frame)
        return NULL;
    frame->embeddings = g_new (float, (gsize)frame->n_pictures * work->dim);
    g_ptr_array_add (batch, frame);
    return frame;
}

/* Takes one picture of each stream in turn, and again, until the slots are full. A frame of no
 * picture only takes its turn. */
static void
gather_batch (AltclipScheduler *scheduler, ImageWork *work)
{
    guint n_streams = scheduler->streams->len;
    guint idle = 0;

    work->n_slots = 0;
    while (work->n_slots < work->max_slots && idle < n_streams) {
        AltclipStream *stream =
                g_ptr_array_index (scheduler->streams, scheduler->next_stream % n_streams);
        Frame *frame = next_frame (stream, work);

        scheduler->next_stream = (scheduler->next_stream + 1) % n_streams;
        idle = frame ? 0 : idle + 1;
        if (frame && frame->n_taken < frame->n_pictures)
            work->slots[work->n_slots++] = (Slot){ .frame = frame, .index = frame->n_taken++ };
    }
}

/* With the lock, which is let go for the call. Returns: whether there is a picture to encode */
static gboolean
preprocess (Slot *slot, float *pixel_values)
{
    Frame *frame = slot->frame;
    AltclipStream *stream = frame->stream;
    gboolean ok;

    if (!frame->frame || frame->dropped || frame->error)
        return FALSE;
    frame->in_call = TRUE;
    begin_call (stream);
    ok = stream->callbacks.preprocess (
            stream->user_data, frame->frame, slot->index, pixel_values, &frame->error);
    if (!ok && !frame->error)
        frame->error = g_error_new_literal (
                ALTCLIP_ERROR, ALTCLIP_ERROR_IMAGE, "the frame cannot be converted");
    end_call (stream);
    frame->in_call = FALSE;
    return ok;
}

/* With the lock, which is let go for the calls. Slots without a picture are given up. */
static void
preprocess_batch (ImageWork *work)
{
    guint n = 0;

    for (guint i = 0; i < work->n_slots; i++)
        if (preprocess (&work->slots[i], work->pixel_values + n * work->picture_size))
            work->slots[n++] = work->slots[i];
    work->n_slots = n;
}

/* One picture that cannot be encoded must not cost the others of the batch their results: then each
 * goes alone. */
static void
encode_batch (ImageWork *work)
{
    if (altclip_session_encode_images (
                work->session, work->pixel_values, work->n_slots, work->embeddings, NULL))
        return;
    for (guint i = 0; i < work->n_slots; i++)
        altclip_session_encode_images (work->session, work->pixel_values + i * work->picture_size,
                1, work->embeddings + i * work->dim, &work->slots[i].error);
}

/* With the lock. Gives the frames what the run came to. */
static void
collect_batch (ImageWork *work)
{
    for (guint i = 0; i < work->n_slots; i++) {
        Slot *slot = &work->slots[i];
        Frame *frame = slot->frame;

        if (!frame->error)
            frame->error = g_steal_pointer (&slot->error);
        g_clear_error (&slot->error);
        memcpy (frame->embeddings + (gsize)slot->index * work->dim,
                work->embeddings + (gsize)i * work->dim, work->dim * sizeof (float));
    }
}

static void
note_result (Frame *frame)
{
    AltclipStream *stream = frame->stream;
    AltclipWorkerStats *total = &stream->scheduler->stats;

    if (frame->error) {
        stream->stats.failed++;
        total->failed++;
        return;
    }
    stream->stats.analysed++;
    total->analysed++;
    stream->latencies[stream->n_latencies++ % N_LATENCIES] = now () - frame->submitted;
}

/* With the lock, which is let go for the calls. The frame's content is the worker's from here on:
 * a flush waits for the call and finds nothing to take back. */
static void
deliver (Frame *frame)
{
    AltclipStream *stream = frame->stream;
    gpointer content = g_steal_pointer (&frame->frame);
    gboolean wanted = !frame->dropped;

    if (wanted && frame->n_pictures > 0)
        note_result (frame);
    begin_call (stream);
    if (wanted)
        stream->callbacks.analysed (
                stream->user_data, content, frame->error ? NULL : frame->embeddings, frame->error);
    stream->callbacks.frame_free (stream->user_data, content);
    end_call (stream);
}

/* With the lock, which is let go for the calls. A frame of which pictures are left stays. */
static void
deliver_batch (AltclipScheduler *scheduler)
{
    GPtrArray *batch = scheduler->batch;
    guint i = 0;

    while (i < batch->len) {
        Frame *frame = g_ptr_array_index (batch, i);

        if (frame->frame && !scheduler->model && !frame->error)
            frame->error = g_error_copy (scheduler->open_error);
        if (!is_over (frame)) {
            i++;
            continue;
        }
        if (frame->frame)
            deliver (frame);
        g_ptr_array_remove_index (batch, i);
    }
}

/* With the lock, which is let go while computing. */
static void
run_batch (AltclipScheduler *scheduler, ImageWork *work)
{
    if (work->session) {
        preprocess_batch (work);
        scheduler->stats.batches += work->n_slots > 0;
        scheduler->stats.pictures += work->n_slots;
        pthread_mutex_unlock (&scheduler->lock);
        encode_batch (work);
        pthread_mutex_lock (&scheduler->lock);
        collect_batch (work);
    }
    deliver_batch (scheduler);
}

/* ---- Image worker: opening and the loop ------------------------------------------------------ */

/* A model that failed to open is not offered to later streams: they try anew. */
static void
forget (AltclipScheduler *scheduler)
{
    pthread_mutex_lock (&registry_lock);
    registry_remove (scheduler);
    pthread_mutex_unlock (&registry_lock);
}

/* Whether a picture can become what the image tower takes, tried on one that has its size already:
 * told now, not with every frame. */
static gboolean
check_preprocessing (AltclipModel *model, GError **error)
{
    const AltclipModelInfo *info = altclip_model_get_info (model);
    g_autoptr (AltclipImagePlan) plan = altclip_image_plan_new (
            model, info->image_size, info->image_size, &ALTCLIP_PIXEL_LAYOUT_RGB, error);

    if (!plan)
        g_prefix_error (error, "%s: ", info->directory);
    return plan != NULL;
}

static void
open_model (AltclipScheduler *scheduler)
{
    AltclipModelOptions options = { .threads = scheduler->threads,
        .precision = scheduler->precision };
    GError *error = NULL;
    AltclipModel *model =
            altclip_model_open (scheduler->directory, &options, scheduler->cancellable, &error);

    /* The text tower is not asked for: there are prompts that need none. */
    if (model && (!altclip_model_can_embed (model, ALTCLIP_TOWER_IMAGE, &error) ||
                         !check_preprocessing (model, &error)))
        g_clear_pointer (&model, altclip_model_unref);
    if (!model)
        forget (scheduler);
    pthread_mutex_lock (&scheduler->lock);
    scheduler->model = model;
    scheduler->open_error = error;
    pthread_cond_broadcast (&scheduler->work);
    pthread_mutex_unlock (&scheduler->lock);
}

/* With the lock. */
static gboolean
has_waiting (AltclipScheduler *scheduler)
{
    for (guint i = 0; i < scheduler->streams->len; i++) {
        AltclipStream *stream = g_ptr_array_index (scheduler->streams, i);

        if (!stream->leaving && !g_queue_is_empty (&stream->waiting))
            return TRUE;
    }
    return FALSE;
}

/* With the lock, which is let go while waiting. */
static void
wait_for_work (AltclipScheduler *scheduler)
{
    scheduler->stats.idle++;
    scheduler->stats.idle_with_frames += has_waiting (scheduler);
    pthread_cond_wait (&scheduler->work, &scheduler->lock);
}

static gpointer
run_images (gpointer data)
{
    AltclipScheduler *scheduler = data;
    ImageWork work = { .max_slots = MAX_BATCH };

    open_model (scheduler);
    if (scheduler->model)
        image_work_init (&work, scheduler->model, scheduler->threads);
    pthread_mutex_lock (&scheduler->lock);
    while (!scheduler->quitting) {
        AltclipStream *untold = find_untold (scheduler);

        if (untold) {
            tell_opened (scheduler, untold);
            continue;
        }
        gather_batch (scheduler, &work);
        if (scheduler->batch->len > 0)
            run_batch (scheduler, &work);
        else
            wait_for_work (scheduler);
    }
    pthread_mutex_unlock (&scheduler->lock);
    image_work_clear (&work);
    return NULL;
}

/* ---- Prompt worker --------------------------------------------------------------------------- */

/* The next in turn with prompts; a stream is told of them after its opening. */
static AltclipStream *
find_prompted (AltclipScheduler *scheduler)
{
    guint n = scheduler->streams->len;

    for (guint i = 0; scheduler->model && i < n; i++) {
        AltclipStream *stream =
                g_ptr_array_index (scheduler->streams, (scheduler->next_prompts + i) % n);
        if (stream->prompts && stream->told_opened && !stream->leaving) {
            scheduler->next_prompts = (scheduler->next_prompts + i + 1) % n;
            return stream;
        }
    }
    return NULL;
}

/* With the lock, which is let go while computing and for the call. */
static void
embed_prompts (AltclipStream *stream, AltclipSession *session)
{
    AltclipScheduler *scheduler = stream->scheduler;
    g_autoptr (AltclipPrompts) prompts = g_steal_pointer (&stream->prompts);
    g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    g_autoptr (GError) error = NULL;

    stream_ref (stream);
    stream->prompts_cancellable = cancellable;
    pthread_mutex_unlock (&scheduler->lock);
    altclip_prompts_embed (prompts, session, cancellable, &error);
    pthread_mutex_lock (&scheduler->lock);
    stream->prompts_cancellable = NULL;
    /* Told though the next one waits already: where sets come all the time, those that are ready
     * in time are in force for a while. */
    if (!stream->leaving) {
        begin_call (stream);
        stream->callbacks.prompts_ready (stream->user_data, prompts, error);
        end_call (stream);
    }
    stream_unref (stream);
}

static gpointer
run_prompts (gpointer data)
{
    AltclipScheduler *scheduler = data;
    AltclipSession *session = NULL;

    pthread_mutex_lock (&scheduler->lock);
    while (!scheduler->quitting) {
        AltclipStream *stream = find_prompted (scheduler);

        if (!stream) {
            pthread_cond_wait (&scheduler->work, &scheduler->lock);
            continue;
        }
        if (!session)
            session = altclip_session_new (scheduler->model, scheduler->threads, NULL);
        embed_prompts (stream, session);
    }
    pthread_mutex_unlock (&scheduler->lock);
    altclip_session_free (session);
    return NULL;
}

/* ---- Life of a scheduler --------------------------------------------------------------------- */

static AltclipScheduler *
scheduler_new (const char *key, const char *directory, AltclipPrecision precision, guint threads)
{
    AltclipScheduler *scheduler = g_new0 (AltclipScheduler, 1);

    scheduler->key = g_strdup (key);
    scheduler->directory = g_strdup (directory);
    scheduler->precision = precision;
    scheduler->threads = threads;
    scheduler->cancellable = g_cancellable_new ();
    scheduler->streams = g_ptr_array_new ();
    scheduler->batch = g_ptr_array_new_with_free_func (frame_free);
    pthread_mutex_init (&scheduler->lock, NULL);
    pthread_cond_init (&scheduler->work, NULL);
    pthread_cond_init (&scheduler->quiet, NULL);
    scheduler->image_thread = g_thread_new ("altclip-images", run_images, scheduler);
    scheduler->prompt_thread = g_thread_new ("altclip-prompts", run_prompts, scheduler);
    return scheduler;
}

/* Stops the threads, which have no stream left to serve. */
static void
scheduler_free (AltclipScheduler *scheduler)
{
    g_cancellable_cancel (scheduler->cancellable);
    pthread_mutex_lock (&scheduler->lock);
    scheduler->quitting = TRUE;
    pthread_cond_broadcast (&scheduler->work);
    pthread_mutex_unlock (&scheduler->lock);
    g_thread_join (scheduler->image_thread);
    g_thread_join (scheduler->prompt_thread);
    g_clear_pointer (&scheduler->model, altclip_model_unref);
    g_clear_error (&scheduler->open_error);
    g_ptr_array_unref (scheduler->streams);
    g_ptr_array_unref (scheduler->batch);
    pthread_cond_destroy (&scheduler->quiet);
    pthread_cond_destroy (&scheduler->work);
    pthread_mutex_destroy (&scheduler->lock);
    g_object_unref (scheduler->cancellable);
    g_free (scheduler->directory);
    g_free (scheduler->key);
    g_free (scheduler);
}

static AltclipScheduler *
join_scheduler (const char *directory, AltclipPrecision precision, guint threads)
{
    char *resolved = realpath (directory, NULL);
    g_autofree char *key =
            g_strdup_printf ("%d %u %s", (int)precision, threads, resolved ? resolved : directory);
    AltclipScheduler *scheduler;

    pthread_mutex_lock (&registry_lock);
    if (!registry)
        registry = g_hash_table_new (g_str_hash, g_str_equal);
    scheduler = g_hash_table_lookup (registry, key);
    if (!scheduler) {
        scheduler = scheduler_new (key, resolved ? resolved : directory, precision, threads);
        g_hash_table_insert (registry, scheduler->key, scheduler);
    }
    scheduler->n_streams++;
    pthread_mutex_unlock (&registry_lock);
    free (resolved);
    return scheduler;
}

static void
leave_scheduler (AltclipScheduler *scheduler)
{
    gboolean last;

    pthread_mutex_lock (&registry_lock);
    last = --scheduler->n_streams == 0;
    if (last)
        registry_remove (scheduler);
    pthread_mutex_unlock (&registry_lock);
    if (last)
        scheduler_free (scheduler);
}

/* ---- Life of a stream ------------------------------------------------------------------------ */

AltclipStream *
altclip_stream_new (const char *directory, AltclipPrecision precision, guint threads,
        const AltclipStreamCallbacks *callbacks, gpointer user_data)
{
    AltclipStream *stream = g_new0 (AltclipStream, 1);
    AltclipScheduler *scheduler = join_scheduler (directory, precision, threads);

    stream->ref_count = 1;
    stream->scheduler = scheduler;
    stream->callbacks = *callbacks;
    stream->user_data = user_data;
    g_queue_init (&stream->waiting);
    pthread_mutex_lock (&scheduler->lock);
    g_ptr_array_add (scheduler->streams, stream);
    pthread_cond_broadcast (&scheduler->work);
    pthread_mutex_unlock (&scheduler->lock);
    return stream;
}

/* With the lock. Moves the stream's frames in the batch to @dropped, but for one that a callback
 * has: that one is marked. A frame that was taken leaves its place in the batch empty. */
static void
take_from_batch (AltclipStream *stream, GQueue *dropped)
{
    GPtrArray *batch = stream->scheduler->batch;

    for (guint i = 0; i < batch->len; i++) {
        Frame *frame = g_ptr_array_index (batch, i);

        if (frame->stream != stream || !frame->frame)
            continue;
        frame->dropped = TRUE;
        if (!frame->in_call)
            g_queue_push_tail (dropped, g_steal_pointer (&frame->frame));
    }
}

/* With the lock. Moves all the stream's frames to @dropped; returns when no callback runs but the
 * caller's. Taken back first and waited for then, so that no other callback begins meanwhile. */
static void
take_back_frames (AltclipStream *stream, GQueue *dropped)
{
    Frame *frame;

    while ((frame = g_queue_pop_head (&stream->waiting))) {
        g_queue_push_tail (dropped, frame->frame);
        frame_free (frame);
    }
    take_from_batch (stream, dropped);
    while (count_others (stream) > 0) {
        stream->stats.waits++;
        pthread_cond_wait (&stream->scheduler->quiet, &stream->scheduler->lock);
    }
    take_from_batch (stream, dropped);
    stream->stats.replaced += dropped->length;
}

static void
give_back_all (AltclipStream *stream, GQueue *dropped)
{
    while (!g_queue_is_empty (dropped))
        stream->callbacks.frame_free (stream->user_data, g_queue_pop_head (dropped));
}

/* With the lock. Whose turn it is does not change for the others. */
static void
remove_stream (AltclipScheduler *scheduler, AltclipStream *stream)
{
    guint index = 0;

    g_ptr_array_find (scheduler->streams, stream, &index);
    g_ptr_array_remove_index (scheduler->streams, index);
    scheduler->next_stream -= index < scheduler->next_stream;
    if (scheduler->next_stream == scheduler->streams->len)
        scheduler->next_stream = 0;
    scheduler->next_prompts -= index < scheduler->next_prompts;
}

void
altclip_stream_free (AltclipStream *stream)
{
    AltclipScheduler *scheduler;
    GQueue dropped = G_QUEUE_INIT;

    if (!stream)
        return;
    scheduler = stream->scheduler;
    pthread_mutex_lock (&scheduler->lock);
    stream->leaving = TRUE;
    if (stream->prompts_cancellable)
        g_cancellable_cancel (stream->prompts_cancellable);
    take_back_frames (stream, &dropped);
    remove_stream (scheduler, stream);
    g_clear_pointer (&stream->prompts, altclip_prompts_unref);
    pthread_mutex_unlock (&scheduler->lock);
    give_back_all (stream, &dropped);
    leave_scheduler (scheduler);
    stream_unref (stream);
}

/* ---- Use of a stream ------------------------------------------------------------------------- */

AltclipPrompts *
altclip_stream_set_prompts (AltclipStream *stream, AltclipPrompts *prompts)
{
    AltclipScheduler *scheduler = stream->scheduler;
    AltclipPrompts *replaced;

    pthread_mutex_lock (&scheduler->lock);
    replaced = stream->prompts;
    stream->prompts = altclip_prompts_ref (prompts);
    if (stream->prompts_cancellable)
        g_cancellable_cancel (stream->prompts_cancellable);
    pthread_cond_broadcast (&scheduler->work);
    pthread_mutex_unlock (&scheduler->lock);
    return replaced;
}

static void
submit (AltclipStream *stream, gpointer data, guint n_pictures, gboolean replace)
{
    AltclipScheduler *scheduler = stream->scheduler;
    Frame *frame = frame_new (stream, data, n_pictures);
    Frame *replaced = NULL;

    pthread_mutex_lock (&scheduler->lock);
    stream->stats.submitted++;
    if (replace)
        replaced = g_queue_pop_tail (&stream->waiting);
    if (replaced)
        stream->stats.replaced++;
    g_queue_push_tail (&stream->waiting, frame);
    pthread_cond_broadcast (&scheduler->work);
    pthread_mutex_unlock (&scheduler->lock);
    if (replaced) {
        stream->callbacks.frame_free (stream->user_data, replaced->frame);
        frame_free (replaced);
    }
}

void
altclip_stream_submit_latest (AltclipStream *stream, gpointer frame, guint n_pictures)
{
    g_return_if_fail (n_pictures <= ALTCLIP_MAX_PICTURES);
    submit (stream, frame, n_pictures, TRUE);
}

void
altclip_stream_submit (AltclipStream *stream, gpointer frame, guint n_pictures)
{
    g_return_if_fail (n_pictures <= ALTCLIP_MAX_PICTURES);
    submit (stream, frame, n_pictures, FALSE);
}

void
altclip_stream_flush (AltclipStream *stream)
{
    AltclipScheduler *scheduler = stream->scheduler;
    GQueue dropped = G_QUEUE_INIT;

    pthread_mutex_lock (&scheduler->lock);
    take_back_frames (stream, &dropped);
    pthread_mutex_unlock (&scheduler->lock);
    give_back_all (stream, &dropped);
}

static int
compare_times (const void *a, const void *b)
{
    guint64 first = *(const guint64 *)a;
    guint64 second = *(const guint64 *)b;

    return (first > second) - (first < second);
}

void
altclip_stream_get_stats (AltclipStream *stream, AltclipStreamStats *stats)
{
    guint64 latencies[N_LATENCIES];
    Frame *oldest;
    guint n;

    pthread_mutex_lock (&stream->scheduler->lock);
    *stats = stream->stats;
    n = (guint)MIN (stream->n_latencies, N_LATENCIES);
    memcpy (latencies, stream->latencies, n * sizeof *latencies);
    oldest = g_queue_peek_head (&stream->waiting);
    stats->queue_age = oldest ? now () - oldest->submitted : 0;
    pthread_mutex_unlock (&stream->scheduler->lock);
    if (n == 0)
        return;
    qsort (latencies, n, sizeof *latencies, compare_times);
    stats->latency_p50 = latencies[n / 2];
    stats->latency_p95 = latencies[n * 95 / 100];
}

void
altclip_stream_get_worker_stats (AltclipStream *stream, AltclipWorkerStats *stats)
{
    AltclipScheduler *scheduler = stream->scheduler;

    pthread_mutex_lock (&scheduler->lock);
    *stats = scheduler->stats;
    stats->streams = scheduler->streams->len;
    pthread_mutex_unlock (&scheduler->lock);
}
