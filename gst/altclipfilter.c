/* altclip: the element altclipfilter
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-altclipfilter
 * @title: altclipfilter
 * @short_description: tags video with phrases, zero-shot
 *
 * Says which of the phrases in #GstAltclipFilter:prompts, or of the labels in
 * the file #GstAltclipFilter:prompts-file, a video shows, with an AltCLIP model
 * on the CPU. Frames pass through untouched; the scores are
 * attached to them as a custom meta `AltClipMeta`, and an element message
 * `altclip` is posted when a label begins and when it ends. The same goes
 * downstream as a serialised custom event, for elements such as altclippublish.
 *
 * Without #GstAltclipFilter:model, the small bundled model serves: it knows
 * picture health (colour bars, static noise, a black screen, …) and coloured
 * shapes, in English, Chinese, French, Spanish, German and Japanese.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=60 pattern=smpte ! video/x-raw,width=640,height=480 ! altclipfilter prompts="colour bars;static noise;a black screen;a red circle" ! fakesink
 * ]|
 * Posts a message with `event` `begin` and `label` `colour bars`.
 */

#include "altclipfilter.h"

#include "altclipmeta.h"

GST_DEBUG_CATEGORY (altclip_filter_debug);
#define GST_CAT_DEFAULT altclip_filter_debug

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_ALTCLIP_CAPS ("")));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (GST_ALTCLIP_CAPS ("")));

#define gst_altclip_filter_parent_class parent_class
/* GStreamer's own implementation reads GstAltclipFilter.prs. */
G_DEFINE_TYPE_WITH_CODE (GstAltclipFilter, gst_altclip_filter, GST_TYPE_ELEMENT,
    G_IMPLEMENT_INTERFACE (GST_TYPE_PRESET, NULL))
GST_ELEMENT_REGISTER_DEFINE (
    altclipfilter, "altclipfilter", GST_RANK_NONE, GST_TYPE_ALTCLIP_FILTER)

void
gst_altclip_filter_get_rules (GstAltclipFilter *self, GstAltclipRules *rules)
{
  GST_OBJECT_LOCK (self);
  gst_altclip_settings_get_rules (&self->settings, rules);
  GST_OBJECT_UNLOCK (self);
}

gboolean
gst_altclip_filter_wait (GstAltclipFilter *self, gint64 deadline)
{
  self->counts.waits++;
  if (deadline >= 0)
    return g_cond_wait_until (&self->cond, &self->lock, deadline);
  g_cond_wait (&self->cond, &self->lock);
  return TRUE;
}

/* Below PAUSED it is looked at when the element starts: there may be no bus to
 * tell it on before. */
static void
check_region (GstAltclipFilter *self)
{
  g_autoptr (GError) error = NULL;
  gboolean ok;

  GST_OBJECT_LOCK (self);
  ok = gst_altclip_settings_check_region (&self->settings, &error);
  GST_OBJECT_UNLOCK (self);
  if (!ok)
    GST_ELEMENT_WARNING (self, LIBRARY, SETTINGS, ("%s", error->message),
        ("%s. The region before it, if any, holds on.", error->message));
}

static void
gst_altclip_filter_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GstAltclipFilter *self = GST_ALTCLIP_FILTER (object);
  gboolean known;
  gboolean from_file;
  gboolean is_prompts;

  GST_OBJECT_LOCK (self);
  from_file = self->settings.from_file;
  known = gst_altclip_settings_set (&self->settings, prop_id, value);
  is_prompts = gst_altclip_settings_is_prompts (&self->settings, prop_id)
      || self->settings.from_file != from_file;
  GST_OBJECT_UNLOCK (self);

  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
  else if (is_prompts)
    gst_altclip_analysis_apply_prompts (self);
  else if (prop_id == GST_ALTCLIP_SETTING_SCORE_MODE
      || prop_id == GST_ALTCLIP_SETTING_NEGATIVE_PROMPTS
      || prop_id == GST_ALTCLIP_SETTING_TEMPLATES)
    gst_altclip_analysis_review_prompts (self);
  else if (prop_id == GST_ALTCLIP_SETTING_REGION
      && gst_altclip_analysis_is_started (self))
    check_region (self);
}

static void
gst_altclip_filter_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  GstAltclipFilter *self = GST_ALTCLIP_FILTER (object);
  gboolean known;

  if (prop_id == GST_ALTCLIP_SETTING_STATS) {
    g_value_take_boxed (value, gst_altclip_analysis_get_stats (self));
    return;
  }
  if (prop_id == GST_ALTCLIP_SETTING_LAST_STATE) {
    g_value_take_boxed (value, gst_altclip_analysis_get_last_state (self));
    return;
  }

  GST_OBJECT_LOCK (self);
  known = gst_altclip_settings_get (&self->settings, prop_id, value);
  GST_OBJECT_UNLOCK (self);

  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

static void
gst_altclip_filter_stop (GstAltclipFilter *self)
{
  gst_altclip_analysis_stop (self);
  /* One that was started while the pad was stopping. */
  gst_pad_stop_task (self->srcpad);
  gst_altclip_output_reset (self);
  gst_altclip_input_reset (self);
  gst_altclip_events_forget (&self->events);
}

static GstStateChangeReturn
gst_altclip_filter_change_state (GstElement *element, GstStateChange transition)
{
  GstAltclipFilter *self = GST_ALTCLIP_FILTER (element);
  GstStateChangeReturn ret;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
    check_region (self);
    gst_altclip_analysis_start (self);
  } else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    gst_altclip_output_set_active (self, FALSE);

  ret = GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED
          && ret == GST_STATE_CHANGE_FAILURE))
    gst_altclip_filter_stop (self);
  return ret;
}

static void
gst_altclip_filter_finalize (GObject *object)
{
  GstAltclipFilter *self = GST_ALTCLIP_FILTER (object);

  gst_altclip_output_reset (self);
  gst_altclip_input_clear (self);
  gst_altclip_labels_clear (&self->labels);
  gst_altclip_events_clear (&self->events);
  gst_altclip_outbox_clear (&self->outbox);
  gst_altclip_settings_clear (&self->settings);
  g_mutex_clear (&self->prompts_lock);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);

  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_altclip_filter_class_init (GstAltclipFilterClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      altclip_filter_debug, "altclipfilter", 0, "zero-shot video tags");

  object_class->set_property = gst_altclip_filter_set_property;
  object_class->get_property = gst_altclip_filter_get_property;
  object_class->finalize = gst_altclip_filter_finalize;
  gst_altclip_settings_install (object_class);

  element_class->change_state =
      GST_DEBUG_FUNCPTR (gst_altclip_filter_change_state);
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "AltCLIP video tagger",
      "Filter/Analyzer/Video",
      "Tags video with free-text phrases, zero-shot, with AltCLIP",
      "The altclip developers");

  gst_altclip_meta_register ();
}

static void
gst_altclip_filter_init (GstAltclipFilter *self)
{
  g_mutex_init (&self->prompts_lock);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  g_queue_init (&self->analysis.asked);
  gst_altclip_settings_init (&self->settings);
  gst_altclip_outbox_init (&self->outbox);
  gst_altclip_events_init (&self->events);
  gst_altclip_labels_init (
      &self->labels, GST_OBJECT_CAST (self), &self->outbox, &self->events);

  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_altclip_input_init (self);
  gst_altclip_output_init (self);
  gst_element_add_pad (GST_ELEMENT_CAST (self), self->sinkpad);
  gst_element_add_pad (GST_ELEMENT_CAST (self), self->srcpad);
}
