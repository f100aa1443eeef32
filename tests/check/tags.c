/* altclip: tests of the labels as tags of the stream
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "models.h"
#include "rig.h"

#include <glib/gstdio.h>
#include <unistd.h>

/* Any score reaches the threshold. */
static Rig *
new_rig (const char *mode, const char *send_tags)
{
    return rig_new (models_get_quick (), "prompts", "ä;狗", "mode", mode, "threshold", "0",
            "send-tags", send_tags, NULL);
}

/* Takes the events that wait. Returns: (transfer full) (nullable): the last tags of the stream */
static GstTagList *
take_tags (Rig *rig, guint *n)
{
    GstTagList *last = NULL;
    GstEvent *event;

    *n = 0;
    while ((event = gst_harness_try_pull_event (rig->harness)) != NULL) {
        GstTagList *tags = NULL;

        if (GST_EVENT_TYPE (event) == GST_EVENT_TAG)
            gst_event_parse_tag (event, &tags);
        if (tags && gst_tag_list_get_scope (tags) == GST_TAG_SCOPE_STREAM) {
            gst_tag_list_replace (&last, tags);
            (*n)++;
        }
        gst_event_unref (event);
    }
    return last;
}

static void
expect_text_of (const GstTagList *tags, const char *tag, const char *expected)
{
    const char *found = NULL;

    fail_unless (tags != NULL);
    fail_unless (gst_tag_list_get_tag_size (tags, tag) == (expected ? 1 : 0));
    gst_tag_list_peek_string_index (tags, tag, 0, &found);
    fail_unless_equals_string (found, expected);
}

/* Whichever of the two that begin with one frame is told of first. */
static void
expect_both (const GstTagList *tags, const char *before)
{
    g_autofree char *one = g_strconcat (before, "ä, 狗", NULL);
    g_autofree char *other = g_strconcat (before, "狗, ä", NULL);
    const char *found = NULL;

    fail_unless (tags != NULL);
    fail_unless (gst_tag_list_peek_string_index (tags, GST_TAG_KEYWORDS, 0, &found));
    expect_text_of (tags, GST_TAG_KEYWORDS, g_str_equal (found, one) ? one : other);
}

static void
push_codec (Rig *rig, const char *codec)
{
    fail_unless (gst_harness_push_event (
            rig->harness, gst_event_new_tag (gst_tag_list_new (GST_TAG_VIDEO_CODEC, codec, NULL))));
}

static void
push_frame (Rig *rig, guint number)
{
    gst_buffer_unref (gst_harness_push_and_pull (rig->harness, new_numbered_frame (number)));
}

/* With those of upstream, before the frame that confirmed them, and once. */
GST_START_TEST (test_keywords)
{
    Rig *rig = new_rig ("exact", "true");
    g_autoptr (GstTagList) begun = NULL;
    g_autoptr (GstTagList) none = NULL;
    g_autoptr (GstTagList) next = NULL;
    guint n;

    push_codec (rig, "Theora");
    push_frame (rig, 0);
    begun = take_tags (rig, &n);
    fail_unless_equals_int (n, 2);
    expect_both (begun, "");
    expect_text_of (begun, GST_TAG_VIDEO_CODEC, "Theora");

    push_frame (rig, 1);
    none = take_tags (rig, &n);
    fail_unless (none == NULL);

    fail_unless (gst_harness_push_event (
            rig->harness, gst_event_new_tag (gst_tag_list_new (
                                  GST_TAG_VIDEO_CODEC, "MJPEG", GST_TAG_KEYWORDS, "ours", NULL))));
    push_frame (rig, 2);
    next = take_tags (rig, &n);
    fail_unless_equals_int (n, 1);
    expect_both (next, "ours, ");
    expect_text_of (next, GST_TAG_VIDEO_CODEC, "MJPEG");
    rig_free (rig);
}
GST_END_TEST;

/* A new one knows nothing of the one before, neither labels nor upstream's tags. Live, since there
 * other functions push. */
GST_START_TEST (test_keywords_of_another_stream)
{
    Rig *rig = new_rig ("live", "true");
    g_autoptr (GstTagList) begun = NULL;
    g_autoptr (GstTagList) plain = NULL;
    GstSegment segment;
    guint at = 0;
    guint n;

    gst_buffer_unref (push_until_tagged (rig, &at));
    push_frame (rig, at++);
    begun = take_tags (rig, &n);
    expect_both (begun, "");

    g_object_set (rig->element, "prompts", NULL, NULL);
    gst_segment_init (&segment, GST_FORMAT_TIME);
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_stream_start ("second")));
    fail_unless (gst_harness_push_event (rig->harness, gst_event_new_segment (&segment)));
    push_codec (rig, "Theora");
    plain = take_tags (rig, &n);
    fail_unless_equals_int (n, 1);
    expect_text_of (plain, GST_TAG_KEYWORDS, NULL);
    expect_text_of (plain, GST_TAG_VIDEO_CODEC, "Theora");
    rig_free (rig);
}
GST_END_TEST;

/* Unless asked for. */
GST_START_TEST (test_no_keywords)
{
    Rig *rig = new_rig ("exact", "false");
    g_autoptr (GstTagList) tags = NULL;
    guint n;

    push_frame (rig, 0);
    tags = take_tags (rig, &n);
    fail_unless (tags == NULL);
    rig_free (rig);
}
GST_END_TEST;

/* What a player or a tool sees of a file that was recorded so. */
GST_START_TEST (test_keywords_in_a_file)
{
    g_autofree char *path = g_build_filename (g_get_tmp_dir (), "altclip-tags-XXXXXX", NULL);
    gint file = g_mkstemp (path);
    g_autofree char *line = g_strdup_printf (
            "videotestsrc num-buffers=5 ! video/x-raw,format=RGB,width=64,height=48 ! "
            "altclipfilter prompts=ä;狗 mode=exact threshold=0 send-tags=true model=%s ! "
            "jpegenc ! qtmux ! filesink location=%s",
            models_get_quick (), path);
    g_autofree char *reader =
            g_strdup_printf ("filesrc location=%s ! qtdemux ! fakesink sync=false", path);
    g_autoptr (GstElement) writing = gst_parse_launch (line, NULL);
    g_autoptr (GstElement) reading = gst_parse_launch (reader, NULL);
    g_autoptr (GstTagList) all = gst_tag_list_new_empty ();
    GstBus *bus = gst_element_get_bus (writing);
    GstMessageType type;

    fail_unless (file >= 0);
    close (file);
    gst_element_set_state (writing, GST_STATE_PLAYING);
    gst_message_unref (pop_message (bus, GST_MESSAGE_EOS));
    gst_element_set_state (writing, GST_STATE_NULL);
    gst_object_unref (bus);

    bus = gst_element_get_bus (reading);
    gst_element_set_state (reading, GST_STATE_PLAYING);
    do {
        g_autoptr (GstMessage) message = pop_message (bus, GST_MESSAGE_TAG | GST_MESSAGE_EOS);

        type = GST_MESSAGE_TYPE (message);
        if (type == GST_MESSAGE_TAG) {
            g_autoptr (GstTagList) tags = NULL;

            gst_message_parse_tag (message, &tags);
            gst_tag_list_insert (all, tags, GST_TAG_MERGE_KEEP);
        }
    } while (type != GST_MESSAGE_EOS);
    gst_element_set_state (reading, GST_STATE_NULL);
    gst_object_unref (bus);
    expect_both (all, "");
    g_remove (path);
}
GST_END_TEST;

static Suite *
tags_suite (void)
{
    Suite *suite = suite_create ("tags");
    TCase *tests = tcase_create ("tags");

    tcase_set_timeout (tests, 0);
    tcase_add_test (tests, test_keywords);
    tcase_add_test (tests, test_keywords_of_another_stream);
    tcase_add_test (tests, test_no_keywords);
    tcase_add_test (tests, test_keywords_in_a_file);
    suite_add_tcase (suite, tests);
    return suite;
}

GST_CHECK_MAIN (tags);
