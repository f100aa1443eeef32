/* altclip: frames that the worker cannot read before the test lets it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gate.h"

#include "rig.h"

static GMutex lock;
static GCond changed;
static gboolean closed;
static guint n_reached;
static guint n_let;
static gulong delay;

/* What maps a frame when nobody stands in the way; always the same, so that it is set with the
 * first frame and not while others are read. */
static gboolean (*map_default) (GstVideoMeta *meta, guint plane, GstMapInfo *info, gpointer *data,
        gint *stride, GstMapFlags flags);

static gboolean
map_guarded (GstVideoMeta *meta, guint plane, GstMapInfo *info, gpointer *data, gint *stride,
        GstMapFlags flags)
{
    guint number;
    gulong wait;

    g_mutex_lock (&lock);
    number = ++n_reached;
    g_cond_broadcast (&changed);
    while (closed && n_let < number)
        g_cond_wait (&changed, &lock);
    wait = delay;
    g_mutex_unlock (&lock);
    g_usleep (wait);
    return map_default (meta, plane, info, data, stride, flags);
}

GstBuffer *
gate_guard (GstBuffer *buffer)
{
    GstVideoMeta *meta = gst_buffer_add_video_meta (
            buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT);

    if (!map_default)
        map_default = meta->map;
    meta->map = map_guarded;
    return buffer;
}

static void
set_closed (gboolean value)
{
    g_mutex_lock (&lock);
    closed = value;
    n_reached = 0;
    n_let = 0;
    g_cond_broadcast (&changed);
    g_mutex_unlock (&lock);
}

void
gate_close (void)
{
    set_closed (TRUE);
}

void
gate_open (void)
{
    set_closed (FALSE);
}

void
gate_let_one (void)
{
    g_mutex_lock (&lock);
    n_let++;
    g_cond_broadcast (&changed);
    g_mutex_unlock (&lock);
}

void
gate_slow_down (gulong microseconds)
{
    g_mutex_lock (&lock);
    delay = microseconds;
    g_mutex_unlock (&lock);
}

void
gate_wait_for (guint n)
{
    gint64 deadline = g_get_monotonic_time () + (gint64)(PATIENCE / GST_USECOND);

    g_mutex_lock (&lock);
    while (n_reached < n)
        fail_unless (g_cond_wait_until (&changed, &lock, deadline), "the worker did not come");
    g_mutex_unlock (&lock);
}
