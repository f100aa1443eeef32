/* altclip: what a decodebin or uridecodebin finds
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "decoder.h"

#include <string.h>

/* ---- Streams --------------------------------------------------------------------------------- */

/* decodebin's, which it has no header for. */
typedef enum { AUTOPLUG_TRY, AUTOPLUG_EXPOSE, AUTOPLUG_SKIP } Autoplug;

/* A list of segments or a description of a session would have us fetch from the network what nobody
 * vouches for. */
static Autoplug
on_autoplug_select (G_GNUC_UNUSED GstElement *decoder, G_GNUC_UNUSED GstPad *pad,
        G_GNUC_UNUSED GstCaps *caps, GstElementFactory *factory, G_GNUC_UNUSED gpointer data)
{
    const char *class = gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_KLASS);

    if (strstr (class, "Adaptive") || strstr (class, "Network") || strstr (class, "Source"))
        return AUTOPLUG_SKIP;
    return AUTOPLUG_TRY;
}

static gboolean
has_media (const GstCaps *caps, const char *media)
{
    return caps && gst_caps_get_size (caps) > 0 &&
           g_str_has_prefix (gst_structure_get_name (gst_caps_get_structure (caps, 0)), media);
}

/* Sound and subtitles are left as they are. */
static gboolean
on_autoplug_continue (G_GNUC_UNUSED GstElement *decoder, G_GNUC_UNUSED GstPad *pad, GstCaps *caps,
        G_GNUC_UNUSED gpointer data)
{
    return !has_media (caps, "audio/") && !has_media (caps, "text/") &&
           !has_media (caps, "subpicture/");
}

static void
on_pad_added (G_GNUC_UNUSED GstElement *decoder, GstPad *pad, gpointer entrance)
{
    g_autoptr (GstPad) sink = gst_element_get_static_pad (entrance, "sink");
    g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);

    if (has_media (caps, "video/x-raw") && !gst_pad_is_linked (sink))
        gst_pad_link (pad, sink);
}

/* No frame would ever come. */
static void
on_no_more_pads (GstElement *decoder, gpointer entrance)
{
    g_autoptr (GstPad) sink = gst_element_get_static_pad (entrance, "sink");

    if (!gst_pad_is_linked (sink))
        GST_ELEMENT_ERROR (decoder, STREAM, WRONG_TYPE, ("it holds no video"), (NULL));
}

void
decoder_connect (GstElement *decoder, GstElement *entrance, DecoderReach reach)
{
    if (reach == DECODER_STAYS_LOCAL)
        g_signal_connect (decoder, "autoplug-select", G_CALLBACK (on_autoplug_select), NULL);
    g_signal_connect (decoder, "autoplug-continue", G_CALLBACK (on_autoplug_continue), NULL);
    g_signal_connect (decoder, "pad-added", G_CALLBACK (on_pad_added), entrance);
    g_signal_connect (decoder, "no-more-pads", G_CALLBACK (on_no_more_pads), entrance);
}

/* ---- Threads --------------------------------------------------------------------------------- */

static gboolean
has_running_task (GstPad *pad)
{
    gboolean runs;

    GST_OBJECT_LOCK (pad);
    runs = GST_PAD_TASK (pad) && gst_task_get_state (GST_PAD_TASK (pad)) == GST_TASK_STARTED;
    GST_OBJECT_UNLOCK (pad);
    return runs;
}

/* Also one whose task was paused already, and that still pushes its last: the end of the stream, on
 * which a decoder may work for long. */
static gboolean
has_thread_within (GstPad *pad)
{
    if (!GST_PAD_STREAM_TRYLOCK (pad))
        return TRUE;
    GST_PAD_STREAM_UNLOCK (pad);
    return FALSE;
}

static void
note_pad (const GValue *item, gpointer runs)
{
    GstPad *pad = g_value_get_object (item);

    if (has_running_task (pad) || has_thread_within (pad))
        *(gboolean *)runs = TRUE;
}

static void
note_element (const GValue *item, gpointer runs)
{
    g_autoptr (GstIterator) pads = gst_element_iterate_pads (g_value_get_object (item));

    /* Of an element that changes meanwhile, pads may be seen twice. */
    while (gst_iterator_foreach (pads, note_pad, runs) == GST_ITERATOR_RESYNC)
        gst_iterator_resync (pads);
}

gboolean
decoder_is_running (GstElement *bin)
{
    g_autoptr (GstIterator) elements = gst_bin_iterate_recurse (GST_BIN (bin));
    gboolean runs = FALSE;

    while (gst_iterator_foreach (elements, note_element, &runs) == GST_ITERATOR_RESYNC)
        gst_iterator_resync (elements);
    return runs;
}
