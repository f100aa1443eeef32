/* altclip: the values of altclipfilter's properties
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipsettings.h"

#include <string.h>

#define DEFAULT_TEMPLATES "{}"
#define DEFAULT_THRESHOLD (-1.0)
#define DEFAULT_HYSTERESIS 0.2
#define DEFAULT_TOP_K 10
#define DEFAULT_MAX_BUFFERS 64
#define DEFAULT_MAX_AGE (5 * GST_SECOND)

#define SHARE_THRESHOLD 0.5
#define COSINE_THRESHOLD 0.25

#define MAX_REGIONS G_STRINGIFY (ALTCLIP_MAX_PICTURES)

/* May change in READY only, and in any state. */
#define FLAGS_READY \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define FLAGS_PLAYING \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

#define GST_TYPE_ALTCLIP_SCORE_MODE (gst_altclip_score_mode_get_type ())
static GType
gst_altclip_score_mode_get_type (void)
{
  static const GEnumValue values[] = {
      {ALTCLIP_SCORE_SOFTMAX,
          "Share among labels and negatives at the model's own scale, 0 to 1",
          "softmax"},
      {ALTCLIP_SCORE_SIGMOID,
          "Each label for itself, 0 to 1: 1 / (1 + exp (-(scale * cosine + "
          "bias)))",
          "sigmoid"},
      {ALTCLIP_SCORE_COSINE, "Raw cosine of picture and text, -1 to 1",
          "cosine"},
      {0, NULL, NULL},
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstAltclipScoreMode", values));
  return type;
}

#define GST_TYPE_ALTCLIP_PRECISION (gst_altclip_precision_get_type ())
static GType
gst_altclip_precision_get_type (void)
{
  static const GEnumValue values[] = {
      {ALTCLIP_PRECISION_AUTO,
          "bf16 where it is faster on this CPU by a fifth, else f32", "auto"},
      {ALTCLIP_PRECISION_F32, "32-bit floats", "f32"},
      {ALTCLIP_PRECISION_BF16, "Products of bfloat16, summed in 32 bits",
          "bf16"},
      {ALTCLIP_PRECISION_INT8,
          "Products of 8-bit integers, but for layers that they are too coarse "
          "for",
          "int8"},
      {0, NULL, NULL},
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstAltclipPrecision", values));
  return type;
}

#define GST_TYPE_ALTCLIP_MODE (gst_altclip_mode_get_type ())
static GType
gst_altclip_mode_get_type (void)
{
  static const GEnumValue values[] = {
      {GST_ALTCLIP_MODE_AUTO,
          "Live behind a live source or one that does not say, else exact",
          "auto"},
      {GST_ALTCLIP_MODE_LIVE,
          "Never wait: attach the newest result and its age, add no latency",
          "live"},
      {GST_ALTCLIP_MODE_EXACT,
          "Buffer frames until each leaves with its own result", "exact"},
      {0, NULL, NULL},
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstAltclipMode", values));
  return type;
}

#define GST_TYPE_ALTCLIP_POST_MESSAGES (gst_altclip_post_messages_get_type ())
static GType
gst_altclip_post_messages_get_type (void)
{
  static const GEnumValue values[] = {
      {GST_ALTCLIP_POST_MESSAGES_NONE, "No element messages", "none"},
      {GST_ALTCLIP_POST_MESSAGES_CHANGE,
          "A message when a label begins, when it ends, and when the state of "
          "a group of labels changes",
          "change"},
      {GST_ALTCLIP_POST_MESSAGES_ALL,
          "Also a message with the results of each analysed frame", "all"},
      {0, NULL, NULL},
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstAltclipPostMessages", values));
  return type;
}

#define GST_TYPE_ALTCLIP_INFERENCE_REGION \
  (gst_altclip_inference_region_get_type ())
static GType
gst_altclip_inference_region_get_type (void)
{
  static const GEnumValue values[] = {
      {GST_ALTCLIP_INFERENCE_REGION_FULL_FRAME,
          "The frame, or the part of it that 'region' says", "full-frame"},
      {GST_ALTCLIP_INFERENCE_REGION_ROI_LIST,
          "Each region that elements before this one attached to the frame",
          "roi-list"},
      {0, NULL, NULL},
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstAltclipInferenceRegion", values));
  return type;
}

static void
install_model (GObjectClass *object_class)
{
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_MODEL,
      g_param_spec_string ("model", "Model",
          "Directory of an AltCLIP model in the Hugging Face layout (unset: "
          "$ALTCLIP_MODEL, else the small bundled model)",
          NULL, FLAGS_READY));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_PRECISION,
      g_param_spec_enum ("precision", "Precision",
          "What the image tower multiplies in", GST_TYPE_ALTCLIP_PRECISION,
          ALTCLIP_PRECISION_AUTO, FLAGS_READY));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_THREADS,
      g_param_spec_uint ("threads", "Threads",
          "Number of threads to compute with (0: one per core)", 0, 1024, 0,
          FLAGS_READY));
}

static void
install_prompts (GObjectClass *object_class)
{
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_PROMPTS,
      g_param_spec_string ("prompts", "Prompts",
          "What to look for: 'label; label=text|text; ...', the texts of a "
          "label are averaged; ;; == || stand for the character itself (unset: "
          "frames pass untagged)",
          NULL, FLAGS_PLAYING));
  g_object_class_install_property (object_class,
      GST_ALTCLIP_SETTING_PROMPTS_FILE,
      g_param_spec_string ("prompts-file", "Prompts file",
          "JSON file of labels with texts, pictures, thresholds, negatives, "
          "groups, regions; of this and prompts the one set last holds (to "
          "nothing does not count), and setting it again reads the file again. "
          "It has its own negatives and "
          "templates, and what it says goes before score-mode, threshold, "
          "hysteresis, smoothing, min-on-time, min-off-time and region",
          NULL, FLAGS_PLAYING));
  g_object_class_install_property (object_class,
      GST_ALTCLIP_SETTING_NEGATIVE_PROMPTS,
      g_param_spec_string ("negative-prompts", "Negative prompts",
          "Phrases that compete with the prompts in the softmax and are never "
          "reported, in the same form; not for prompts-file",
          NULL, FLAGS_PLAYING));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_TEMPLATES,
      g_param_spec_string ("templates", "Templates",
          "Sentences to put each text in, separated by ';', {} is the text: "
          "their embeddings are averaged; not for prompts-file",
          DEFAULT_TEMPLATES, FLAGS_PLAYING));
}

static void
install_scoring (GObjectClass *object_class)
{
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_SCORE_MODE,
      g_param_spec_enum ("score-mode", "Score mode", "What a score is",
          GST_TYPE_ALTCLIP_SCORE_MODE, ALTCLIP_SCORE_SOFTMAX, FLAGS_PLAYING));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_THRESHOLD,
      g_param_spec_double ("threshold", "Threshold",
          "Score at or above which a label becomes active (-1: 0.5, for cosine "
          "0.25)",
          -1.0, 1.0, DEFAULT_THRESHOLD, FLAGS_PLAYING));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_HYSTERESIS,
      g_param_spec_double ("hysteresis", "Hysteresis",
          "A label stops being active below threshold * (1 - hysteresis)", 0.0,
          1.0, DEFAULT_HYSTERESIS, FLAGS_PLAYING));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_SMOOTHING,
      g_param_spec_uint64 ("smoothing", "Smoothing",
          "Time constant tau in ns of an exponential average of each label's "
          "score over running time: a new score counts 1 - exp (-dt / tau); "
          "what is reported and held against the threshold (0: the score as "
          "it is)",
          0, G_MAXINT64, 0, FLAGS_PLAYING));
  g_object_class_install_property (object_class,
      GST_ALTCLIP_SETTING_MIN_ON_TIME,
      g_param_spec_uint64 ("min-on-time", "Least time on",
          "How long in ns the score must stay at or above the threshold before "
          "a label becomes active",
          0, G_MAXINT64, 0, FLAGS_PLAYING));
  g_object_class_install_property (object_class,
      GST_ALTCLIP_SETTING_MIN_OFF_TIME,
      g_param_spec_uint64 ("min-off-time", "Least time off",
          "How long in ns the score must stay below threshold * (1 - "
          "hysteresis) before a label stops being active",
          0, G_MAXINT64, 0, FLAGS_PLAYING));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_TOP_K,
      g_param_spec_uint ("top-k", "Top k",
          "Attach this many of the best labels, and all active ones (0: all)",
          0, ALTCLIP_MAX_LABELS, DEFAULT_TOP_K, FLAGS_PLAYING));
}

static void
install_timing (GObjectClass *object_class)
{
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_MODE,
      g_param_spec_enum ("mode", "Mode",
          "Whether frames wait for their results; auto decides at the first "
          "frame of each stream",
          GST_TYPE_ALTCLIP_MODE, GST_ALTCLIP_MODE_AUTO, FLAGS_READY));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_INTERVAL,
      g_param_spec_uint64 ("interval", "Interval",
          "Least running time between analysed frames in ns (0: live, as fast "
          "as the worker can; exact, every frame)",
          0, G_MAXUINT64 - 1, 0, FLAGS_PLAYING));
  g_object_class_install_property (object_class,
      GST_ALTCLIP_SETTING_MAX_BUFFERS,
      g_param_spec_uint ("max-buffers", "Max buffers",
          "Exact mode: how many frames may wait inside", 1, 65536,
          DEFAULT_MAX_BUFFERS, FLAGS_PLAYING));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_MAX_AGE,
      g_param_spec_uint64 ("max-age", "Max age",
          "Live mode: age in ns beyond which a result is no longer attached. "
          "All modes: after a longer gap between frames, or between analysed "
          "ones, all states begin anew; a region with an id that was not seen "
          "for as long has gone",
          0, G_MAXINT64, DEFAULT_MAX_AGE, FLAGS_PLAYING));
  g_object_class_install_property (object_class,
      GST_ALTCLIP_SETTING_MOTION_THRESHOLD,
      g_param_spec_double ("motion-threshold", "Motion threshold",
          "Share of the picture, 0 to 1, that must have changed since the last "
          "analysed frame; until then its result serves, while no label may "
          "begin or end with what is seen; in live mode, of regions, and with "
          "smoothing, for half of max-age at most (0: off)",
          0.0, 1.0, 0.0, FLAGS_PLAYING));
}

static void
install_view (GObjectClass *object_class)
{
  g_object_class_install_property (object_class,
      GST_ALTCLIP_SETTING_INFERENCE_REGION,
      g_param_spec_enum ("inference-region", "Inference region",
          "What is classified. roi-list: the frame's "
          "GstVideoRegionOfInterestMeta and, with GStreamer 1.24 or later, "
          "GstAnalyticsODMtd, " MAX_REGIONS " of them at most, each of which "
          "takes as long as a frame; frames without any pass untagged",
          GST_TYPE_ALTCLIP_INFERENCE_REGION,
          GST_ALTCLIP_INFERENCE_REGION_FULL_FRAME, FLAGS_PLAYING));
  g_object_class_install_property (object_class,
      GST_ALTCLIP_SETTING_OBJECT_CLASS,
      g_param_spec_string ("object-class", "Object class",
          "inference-region=roi-list: only regions of this type, as the "
          "element that attached them names it (unset: of any type)",
          NULL, FLAGS_PLAYING));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_REGION,
      g_param_spec_string ("region", "Region",
          "Look only at this part of the picture: 'x,y,w,h', each 0 to 1 of "
          "its width or height, as in 0.5,0,0.5,1 for the right half; "
          "inference-region=roi-list: only at what of the regions lies in it. "
          "Not for labels that have a region of their own in prompts-file "
          "(unset: all of the picture)",
          NULL, FLAGS_PLAYING));
}

static void
install_reporting (GObjectClass *object_class)
{
  g_object_class_install_property (object_class,
      GST_ALTCLIP_SETTING_POST_MESSAGES,
      g_param_spec_enum ("post-messages", "Post messages",
          "Which 'altclip' element messages to post on the bus",
          GST_TYPE_ALTCLIP_POST_MESSAGES, GST_ALTCLIP_POST_MESSAGES_CHANGE,
          FLAGS_PLAYING));
  g_object_class_install_property (object_class,
      GST_ALTCLIP_SETTING_ATTACH_EMBEDDING,
      g_param_spec_boolean ("attach-embedding", "Attach embedding",
          "Put the picture's embedding in the metadata, field 'embedding': a "
          "GstBuffer of 32-bit floats of the machine's byte order, of unit "
          "length",
          FALSE, FLAGS_PLAYING));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_SEND_TAGS,
      g_param_spec_boolean ("send-tags", "Send tags",
          "Send the labels that began in the stream so far downstream as its "
          "keywords (GST_TAG_KEYWORDS, with commas in between), beside the "
          "tags "
          "of upstream, whenever there is another one; 1000 at most",
          FALSE, FLAGS_PLAYING));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Since READY: frames-in, analysed, skipped, reused and failed "
          "frames; waits, how often upstream had to wait in the element, in "
          "live mode at EOS alone; latency-p50, latency-p95 and queue-age in "
          "ns. Of the model that streams of the process share: model-memory in "
          "bytes, picture-time in ns that one took when it was opened, "
          "kernels and precision, f32-time and bf16-time in ns that "
          "precision=auto was decided by, finer-layers, streams, "
          "total-analysed, total-failed, batches, "
          "batch-mean, and idle: how often its worker had nothing to do, "
          "idle-with-frames: although a frame waited",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object_class, GST_ALTCLIP_SETTING_LAST_STATE,
      g_param_spec_boxed ("last-state", "Last state",
          "What is known of each label and group: labels with active, score, "
          "cosine and since; groups with label, which may be unknown, and "
          "since; with roi-list, regions with the same. since is the running "
          "time from which on it is so. Nothing is known in READY and below",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

void
gst_altclip_settings_install (GObjectClass *object_class)
{
  install_model (object_class);
  install_prompts (object_class);
  install_scoring (object_class);
  install_timing (object_class);
  install_view (object_class);
  install_reporting (object_class);

  gst_type_mark_as_plugin_api (GST_TYPE_ALTCLIP_SCORE_MODE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ALTCLIP_PRECISION, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ALTCLIP_MODE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ALTCLIP_INFERENCE_REGION, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_ALTCLIP_POST_MESSAGES, 0);
}

void
gst_altclip_settings_init (GstAltclipSettings *settings)
{
  *settings = (GstAltclipSettings){
      .templates = g_strdup (DEFAULT_TEMPLATES),
      .rules =
          {
              .score_mode = ALTCLIP_SCORE_SOFTMAX,
              .threshold = DEFAULT_THRESHOLD,
              .hysteresis = DEFAULT_HYSTERESIS,
              .top_k = DEFAULT_TOP_K,
              .mode = GST_ALTCLIP_MODE_AUTO,
              .max_buffers = DEFAULT_MAX_BUFFERS,
              .max_age = DEFAULT_MAX_AGE,
              .post_messages = GST_ALTCLIP_POST_MESSAGES_CHANGE,
          },
  };
}

void
gst_altclip_settings_copy (
    GstAltclipSettings *settings, const GstAltclipSettings *from)
{
  *settings = *from;
  settings->model = g_strdup (from->model);
  settings->prompts = g_strdup (from->prompts);
  settings->prompts_file = g_strdup (from->prompts_file);
  settings->negative_prompts = g_strdup (from->negative_prompts);
  settings->templates = g_strdup (from->templates);
  settings->object_class = g_strdup (from->object_class);
  settings->region = g_strdup (from->region);
}

void
gst_altclip_settings_clear (GstAltclipSettings *settings)
{
  g_clear_pointer (&settings->model, g_free);
  g_clear_pointer (&settings->prompts, g_free);
  g_clear_pointer (&settings->prompts_file, g_free);
  g_clear_pointer (&settings->negative_prompts, g_free);
  g_clear_pointer (&settings->templates, g_free);
  g_clear_pointer (&settings->object_class, g_free);
  g_clear_pointer (&settings->region, g_free);
}

static void
set_string (gchar **string, const GValue *value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

static gboolean
is_unset (const gchar *string)
{
  return string == NULL || *string == '\0';
}

/* One that cannot be changes nothing. */
static void
set_region (GstAltclipSettings *settings, const GValue *value)
{
  GstAltclipRules *rules = &settings->rules;

  set_string (&settings->region, value);
  if (is_unset (settings->region))
    rules->has_region = FALSE;
  else if (gst_altclip_box_parse (settings->region, &rules->region, NULL))
    rules->has_region = TRUE;
  else
    return;
  rules->n_views++;
}

/* No quark is made of it, since those are never freed: see get_rules(). */
static void
set_object_class (GstAltclipSettings *settings, const GValue *value)
{
  set_string (&settings->object_class, value);
  settings->rules.has_object_class = !is_unset (settings->object_class);
  settings->rules.n_views++;
}

gboolean
gst_altclip_settings_set (
    GstAltclipSettings *settings, guint id, const GValue *value)
{
  GstAltclipRules *rules = &settings->rules;

  switch (id) {
    case GST_ALTCLIP_SETTING_MODEL:
      set_string (&settings->model, value);
      break;
    case GST_ALTCLIP_SETTING_PRECISION:
      settings->precision = g_value_get_enum (value);
      break;
    case GST_ALTCLIP_SETTING_THREADS:
      settings->threads = g_value_get_uint (value);
      break;
    case GST_ALTCLIP_SETTING_PROMPTS:
      set_string (&settings->prompts, value);
      settings->from_file = FALSE;
      break;
    case GST_ALTCLIP_SETTING_PROMPTS_FILE:
      set_string (&settings->prompts_file, value);
      settings->from_file = !is_unset (settings->prompts_file);
      break;
    case GST_ALTCLIP_SETTING_NEGATIVE_PROMPTS:
      set_string (&settings->negative_prompts, value);
      break;
    case GST_ALTCLIP_SETTING_TEMPLATES:
      set_string (&settings->templates, value);
      break;
    case GST_ALTCLIP_SETTING_SCORE_MODE:
      rules->score_mode = g_value_get_enum (value);
      rules->n_rules++;
      break;
    case GST_ALTCLIP_SETTING_THRESHOLD:
      rules->threshold = g_value_get_double (value);
      rules->n_rules++;
      break;
    case GST_ALTCLIP_SETTING_HYSTERESIS:
      rules->hysteresis = g_value_get_double (value);
      rules->n_rules++;
      break;
    case GST_ALTCLIP_SETTING_SMOOTHING:
      rules->smoothing = g_value_get_uint64 (value);
      rules->n_rules++;
      break;
    case GST_ALTCLIP_SETTING_MIN_ON_TIME:
      rules->min_on_time = g_value_get_uint64 (value);
      rules->n_rules++;
      break;
    case GST_ALTCLIP_SETTING_MIN_OFF_TIME:
      rules->min_off_time = g_value_get_uint64 (value);
      rules->n_rules++;
      break;
    case GST_ALTCLIP_SETTING_TOP_K:
      rules->top_k = g_value_get_uint (value);
      rules->n_rules++;
      break;
    case GST_ALTCLIP_SETTING_MODE:
      rules->mode = g_value_get_enum (value);
      break;
    case GST_ALTCLIP_SETTING_INTERVAL:
      rules->interval = g_value_get_uint64 (value);
      break;
    case GST_ALTCLIP_SETTING_MAX_BUFFERS:
      rules->max_buffers = g_value_get_uint (value);
      break;
    case GST_ALTCLIP_SETTING_MAX_AGE:
      rules->max_age = g_value_get_uint64 (value);
      break;
    case GST_ALTCLIP_SETTING_MOTION_THRESHOLD:
      rules->motion_threshold = g_value_get_double (value);
      break;
    case GST_ALTCLIP_SETTING_INFERENCE_REGION:
      rules->inference_region = g_value_get_enum (value);
      rules->n_views++;
      break;
    case GST_ALTCLIP_SETTING_OBJECT_CLASS:
      set_object_class (settings, value);
      break;
    case GST_ALTCLIP_SETTING_REGION:
      set_region (settings, value);
      break;
    case GST_ALTCLIP_SETTING_POST_MESSAGES:
      rules->post_messages = g_value_get_enum (value);
      break;
    case GST_ALTCLIP_SETTING_SEND_TAGS:
      rules->send_tags = g_value_get_boolean (value);
      break;
    case GST_ALTCLIP_SETTING_ATTACH_EMBEDDING:
      rules->attach_embedding = g_value_get_boolean (value);
      rules->n_rules++;
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

gboolean
gst_altclip_settings_get (
    const GstAltclipSettings *settings, guint id, GValue *value)
{
  const GstAltclipRules *rules = &settings->rules;

  switch (id) {
    case GST_ALTCLIP_SETTING_MODEL:
      g_value_set_string (value, settings->model);
      break;
    case GST_ALTCLIP_SETTING_PRECISION:
      g_value_set_enum (value, settings->precision);
      break;
    case GST_ALTCLIP_SETTING_THREADS:
      g_value_set_uint (value, settings->threads);
      break;
    case GST_ALTCLIP_SETTING_PROMPTS:
      g_value_set_string (value, settings->prompts);
      break;
    case GST_ALTCLIP_SETTING_PROMPTS_FILE:
      g_value_set_string (value, settings->prompts_file);
      break;
    case GST_ALTCLIP_SETTING_NEGATIVE_PROMPTS:
      g_value_set_string (value, settings->negative_prompts);
      break;
    case GST_ALTCLIP_SETTING_TEMPLATES:
      g_value_set_string (value, settings->templates);
      break;
    case GST_ALTCLIP_SETTING_SCORE_MODE:
      g_value_set_enum (value, rules->score_mode);
      break;
    case GST_ALTCLIP_SETTING_THRESHOLD:
      g_value_set_double (value, rules->threshold);
      break;
    case GST_ALTCLIP_SETTING_HYSTERESIS:
      g_value_set_double (value, rules->hysteresis);
      break;
    case GST_ALTCLIP_SETTING_SMOOTHING:
      g_value_set_uint64 (value, rules->smoothing);
      break;
    case GST_ALTCLIP_SETTING_MIN_ON_TIME:
      g_value_set_uint64 (value, rules->min_on_time);
      break;
    case GST_ALTCLIP_SETTING_MIN_OFF_TIME:
      g_value_set_uint64 (value, rules->min_off_time);
      break;
    case GST_ALTCLIP_SETTING_TOP_K:
      g_value_set_uint (value, rules->top_k);
      break;
    case GST_ALTCLIP_SETTING_MODE:
      g_value_set_enum (value, rules->mode);
      break;
    case GST_ALTCLIP_SETTING_INTERVAL:
      g_value_set_uint64 (value, rules->interval);
      break;
    case GST_ALTCLIP_SETTING_MAX_BUFFERS:
      g_value_set_uint (value, rules->max_buffers);
      break;
    case GST_ALTCLIP_SETTING_MAX_AGE:
      g_value_set_uint64 (value, rules->max_age);
      break;
    case GST_ALTCLIP_SETTING_MOTION_THRESHOLD:
      g_value_set_double (value, rules->motion_threshold);
      break;
    case GST_ALTCLIP_SETTING_INFERENCE_REGION:
      g_value_set_enum (value, rules->inference_region);
      break;
    case GST_ALTCLIP_SETTING_OBJECT_CLASS:
      g_value_set_string (value, settings->object_class);
      break;
    case GST_ALTCLIP_SETTING_REGION:
      g_value_set_string (value, settings->region);
      break;
    case GST_ALTCLIP_SETTING_POST_MESSAGES:
      g_value_set_enum (value, rules->post_messages);
      break;
    case GST_ALTCLIP_SETTING_SEND_TAGS:
      g_value_set_boolean (value, rules->send_tags);
      break;
    case GST_ALTCLIP_SETTING_ATTACH_EMBEDDING:
      g_value_set_boolean (value, rules->attach_embedding);
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

/* A frame that has arrived has no type that the process does not know yet. */
void
gst_altclip_settings_get_rules (
    const GstAltclipSettings *settings, GstAltclipRules *rules)
{
  *rules = settings->rules;
  if (rules->has_object_class)
    rules->object_class = g_quark_try_string (settings->object_class);
}

gboolean
gst_altclip_settings_check_region (
    const GstAltclipSettings *settings, GError **error)
{
  GstAltclipBox box;

  return is_unset (settings->region)
      || gst_altclip_box_parse (settings->region, &box, error);
}

gboolean
gst_altclip_settings_is_prompts (const GstAltclipSettings *settings, guint id)
{
  if (settings->from_file)
    return id == GST_ALTCLIP_SETTING_PROMPTS_FILE;
  return id == GST_ALTCLIP_SETTING_PROMPTS
      || id == GST_ALTCLIP_SETTING_NEGATIVE_PROMPTS
      || id == GST_ALTCLIP_SETTING_TEMPLATES;
}

gboolean
gst_altclip_settings_has_negatives (const GstAltclipSettings *settings)
{
  return !is_unset (settings->negative_prompts);
}

gboolean
gst_altclip_settings_has_templates (const GstAltclipSettings *settings)
{
  return !is_unset (settings->templates)
      && strcmp (settings->templates, DEFAULT_TEMPLATES) != 0;
}

gdouble
gst_altclip_rules_get_threshold (
    const GstAltclipRules *rules, AltclipScoreMode mode)
{
  if (rules->threshold > -1.0)
    return rules->threshold;
  return mode == ALTCLIP_SCORE_COSINE ? COSINE_THRESHOLD : SHARE_THRESHOLD;
}

gchar *
gst_altclip_settings_find_model (
    const GstAltclipSettings *settings, gboolean *bundled)
{
  const gchar *directory;

  *bundled = FALSE;
  if (settings->model != NULL && *settings->model != '\0')
    return g_strdup (settings->model);

  directory = g_getenv ("ALTCLIP_MODEL");
  if (directory != NULL && *directory != '\0')
    return g_strdup (directory);

  /* The second variable is for running from a build directory. */
  *bundled = TRUE;
  directory = g_getenv ("ALTCLIP_DEMO_MODEL_DIR");
  if (directory != NULL && *directory != '\0')
    return g_strdup (directory);
  return g_strdup (ALTCLIP_DEMO_MODEL_DIR);
}
