/* altclip: tests of altclipfilter's results beside those of `altclip embed` on the same pictures
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The frames of an RGB stream are saved as PNG, and the command, in a process of its own, says what
 * their embeddings are.
 */

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <math.h>
#include <string.h>

#include "../invocation.h"
#include "models.h"
#include "rig.h"

#define MAX_DIFFERENCE 1e-4

/* A stream of pictures, each unlike the others. */
typedef struct {
    const char *model;
    guint width;
    guint height;
    guint n;
    guint dim;
    double *expected; /* [n, dim] */
} Pictures;

/* ---- Pictures -------------------------------------------------------------------------------- */

#define N_BLOCKS 4

/* Coarse blocks of black and white in each channel, with a ramp over them. (transfer full):
 * [height, width, 3] */
static guint8 *
draw (const Pictures *pictures, guint number)
{
    guint8 *pixels = g_new (guint8, (gsize)pictures->width * pictures->height * 3);
    GRand *rand = g_rand_new_with_seed (number);
    gboolean blocks[N_BLOCKS][N_BLOCKS][3];
    guint8 *to = pixels;

    for (guint i = 0; i < N_BLOCKS * N_BLOCKS * 3; i++)
        (&blocks[0][0][0])[i] = g_rand_boolean (rand);
    g_rand_free (rand);
    for (guint y = 0; y < pictures->height; y++)
        for (guint x = 0; x < pictures->width; x++)
            for (guint i = 0; i < 3; i++)
                *to++ = (guint8)(blocks[y * N_BLOCKS / pictures->height]
                                       [x * N_BLOCKS / pictures->width][i]
                                         ? 255 - x * 40 / pictures->width
                                         : y * 40 / pictures->height);
    return pixels;
}

static GstBuffer *
new_picture (const Pictures *pictures, guint number)
{
    GstVideoInfo info;
    GstBuffer *buffer;
    GstVideoFrame frame;
    g_autofree guint8 *pixels = draw (pictures, number);
    gsize row = (gsize)pictures->width * 3;

    gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, pictures->width, pictures->height);
    buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
    fail_unless (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
    for (guint y = 0; y < pictures->height; y++)
        memcpy ((guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) +
                        y * (gsize)GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
                pixels + y * row, row);
    gst_video_frame_unmap (&frame);
    GST_BUFFER_PTS (buffer) = number * FRAME;
    return buffer;
}

/* (transfer full): its path, in the models' directory */
static char *
save_picture (const Pictures *pictures, guint number)
{
    g_autofree guint8 *pixels = draw (pictures, number);
    g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new_from_data (pixels, GDK_COLORSPACE_RGB, FALSE, 8,
            (int)pictures->width, (int)pictures->height, (int)pictures->width * 3, NULL, NULL);
    g_autofree char *top = g_path_get_dirname (models_get_quick ());
    g_autofree char *name =
            g_strdup_printf ("%ux%u-%u.png", pictures->width, pictures->height, number);
    char *path = g_build_filename (top, name, NULL);
    g_autoptr (GError) error = NULL;

    gdk_pixbuf_save (pixbuf, path, "png", &error, NULL);
    g_assert_no_error (error);
    return path;
}

/* ---- The command ----------------------------------------------------------------------------- */

/* (transfer full): what it prints, a line for each picture */
static GStrv
run_embed (const Pictures *pictures)
{
    g_autoptr (GPtrArray) arguments = g_ptr_array_new_with_free_func (g_free);
    g_auto (Invocation) invocation = INVOCATION_INIT;

    g_ptr_array_add (arguments, g_strdup ("embed"));
    g_ptr_array_add (arguments, g_strdup (pictures->model));
    for (guint i = 0; i < pictures->n; i++) {
        g_ptr_array_add (arguments, g_strdup ("--image"));
        g_ptr_array_add (arguments, save_picture (pictures, i));
    }
    invocation = invocation_run_list (NULL, arguments);
    fail_unless (invocation.status == 0, "%s", invocation.err);
    return g_strsplit (g_strchomp (invocation.out), "\n", -1);
}

static void
parse_embedding (Pictures *pictures, guint number, const char *line)
{
    g_autofree char *suffix =
            g_strdup_printf ("/%ux%u-%u.png", pictures->width, pictures->height, number);
    json_t *item = json_loads (line, 0, NULL);
    json_t *embedding = json_object_get (item, "embedding");

    fail_unless (g_str_has_suffix (json_string_value (json_object_get (item, "source")), suffix));
    if (number == 0) {
        pictures->dim = (guint)json_array_size (embedding);
        pictures->expected = g_new (double, (gsize)pictures->n * pictures->dim);
    }
    fail_unless (pictures->dim > 0 && json_array_size (embedding) == pictures->dim);
    for (guint i = 0; i < pictures->dim; i++)
        pictures->expected[number * pictures->dim + i] =
                json_real_value (json_array_get (embedding, i));
    json_decref (item);
}

static double
get_difference (const Pictures *pictures, guint number, guint other)
{
    const double *a = pictures->expected + (gsize)number * pictures->dim;
    const double *b = pictures->expected + (gsize)other * pictures->dim;
    double largest = 0;

    for (guint i = 0; i < pictures->dim; i++)
        largest = MAX (largest, fabs (a[i] - b[i]));
    return largest;
}

/* Were two alike, the result of another frame would not be seen. */
static void
expect_all_unlike (const Pictures *pictures)
{
    for (guint i = 0; i < pictures->n; i++)
        for (guint j = 0; j < i; j++)
            fail_unless (get_difference (pictures, i, j) > 10 * MAX_DIFFERENCE);
}

static void
ask_command (Pictures *pictures)
{
    g_auto (GStrv) lines = run_embed (pictures);

    fail_unless_equals_int (g_strv_length (lines), pictures->n);
    for (guint i = 0; i < pictures->n; i++)
        parse_embedding (pictures, i, lines[i]);
    expect_all_unlike (pictures);
}

/* ---- The element ----------------------------------------------------------------------------- */

/* Returns: how far the embedding on the frame is off that of the still, at worst */
static double
compare (const Pictures *pictures, guint number, GstBuffer *frame)
{
    const double *expected = pictures->expected + (gsize)number * pictures->dim;
    const GstStructure *tags = get_tags (frame);
    GstBuffer *embedding;
    GstMapInfo map;
    double largest = 0;

    fail_unless_equals_uint64 (GST_BUFFER_PTS (frame), number * FRAME);
    fail_unless (tags != NULL);
    fail_unless_equals_uint64 (get_frame_pts (tags), number * FRAME);
    embedding = gst_value_get_buffer (gst_structure_get_value (tags, "embedding"));
    fail_unless (gst_buffer_map (embedding, &map, GST_MAP_READ));
    fail_unless_equals_uint64 (map.size, pictures->dim * sizeof (float));
    for (guint i = 0; i < pictures->dim; i++) {
        float value;

        memcpy (&value, map.data + i * sizeof value, sizeof value);
        fail_unless (isfinite (value));
        largest = MAX (largest, fabs (value - expected[i]));
    }
    gst_buffer_unmap (embedding, &map);
    return largest;
}

static gpointer
push_all (gpointer data)
{
    gpointer *arguments = data;
    Rig *rig = arguments[0];
    const Pictures *pictures = arguments[1];

    for (guint i = 0; i < pictures->n; i++)
        fail_unless_equals_int (
                gst_harness_push (rig->harness, new_picture (pictures, i)), GST_FLOW_OK);
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_eos ()));
    return NULL;
}

/* Every frame comes out, in order, with the embedding of its own still. */
static void
expect_embeddings_of_stills (const char *model, guint width, guint height, guint n)
{
    Pictures pictures = { .model = model, .width = width, .height = height, .n = n };
    g_autofree char *caps = g_strdup_printf (
            "video/x-raw,format=RGB,width=%u,height=%u,framerate=30/1", width, height);
    Rig *rig = rig_new (model, "prompts", "a;b", "mode", "exact", "max-buffers", "3",
            "attach-embedding", "true", "post-messages", "none", NULL);
    gpointer arguments[] = { rig, &pictures };
    double worst = 0;
    GThread *thread;

    ask_command (&pictures);
    gst_harness_set_src_caps_str (rig->harness, caps);
    thread = g_thread_new ("push", push_all, arguments);
    for (guint i = 0; i < n; i++) {
        g_autoptr (GstBuffer) frame = gst_harness_pull (rig->harness);

        fail_unless (frame != NULL, "frame %u does not come", i);
        worst = MAX (worst, compare (&pictures, i, frame));
    }
    g_thread_join (thread);
    fail_unless_equals_int (gst_harness_buffers_received (rig->harness), n);
    fail_unless_equals_uint64 (rig_get_count (rig, "analysed"), n);
    g_print (
            "%u frames of %ux%u beside altclip embed: %.1e off at most\n", n, width, height, worst);
    fail_unless (worst <= MAX_DIFFERENCE);
    rig_free (rig);
    g_free (pictures.expected);
}

/* A picture takes half a second, and three frames are held. */
GST_START_TEST (test_exact_slow_model_gives_each_frame_its_own)
{
    expect_embeddings_of_stills (models_get_slowest (), WIDTH, HEIGHT, 4);
}
GST_END_TEST;

/* Larger and smaller than the model's input, upright and across, with rows that have padding. */
GST_START_TEST (test_exact_embeddings_are_those_of_stills)
{
    expect_embeddings_of_stills (models_get_quick (), 640, 360, 12);
    expect_embeddings_of_stills (models_get_quick (), 101, 203, 12);
    expect_embeddings_of_stills (models_get_quick (), 29, 17, 12);
    if (models_get_demo ())
        expect_embeddings_of_stills (models_get_demo (), 333, 251, 12);
}
GST_END_TEST;

static Suite *
stills_suite (void)
{
    Suite *suite = suite_create ("stills");
    TCase *tests = tcase_create ("stills");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_exact_slow_model_gives_each_frame_its_own);
    tcase_add_test (tests, test_exact_embeddings_are_those_of_stills);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (stills);
