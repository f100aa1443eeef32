/* altclip: the element altclipoverlay
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-altclipoverlay
 * @title: altclipoverlay
 * @short_description: draws what altclipfilter found onto the video
 *
 * Draws the labels that are active, each with a bar as long as its score, and
 * the parts of the picture that were looked at, from the `AltClipMeta` that
 * altclipfilter attaches. Frames on which there is nothing to draw pass
 * through, without a copy.
 *
 * Where downstream takes them, the pictures are attached for it to lay over the
 * frame, as #GstVideoOverlayCompositionMeta; else they are blended into it.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc ! video/x-raw,width=640,height=480 ! altclipfilter prompts="colour bars;static noise" ! altclipoverlay ! videoconvert ! autovideosink
 * ]|
 * Shows colour bars, and in the corner `colour bars` with a bar for its score.
 */

#include "altclipoverlay.h"

#include <gst/video/video.h>

#include "altclipdrawing.h"
#include "altclipformat.h"
#include "altclipmeta.h"

GST_DEBUG_CATEGORY_STATIC (altclip_overlay_debug);
#define GST_CAT_DEFAULT altclip_overlay_debug

#define COMPOSITION GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION

#define CAPS GST_ALTCLIP_CAPS ("") "; " GST_ALTCLIP_CAPS ("(" COMPOSITION ")")

#define DEFAULT_SHOW GST_ALTCLIP_SHOW_ACTIVE
#define DEFAULT_CORNER GST_ALTCLIP_CORNER_TOP_LEFT
#define DEFAULT_FONT "Sans"
#define DEFAULT_SCALE 1.0
#define DEFAULT_OPACITY 0.7
#define DEFAULT_SHOW_REGIONS TRUE
#define DEFAULT_SHOW_AGE TRUE

enum
{
  PROP_0,
  PROP_SHOW,
  PROP_CORNER,
  PROP_FONT,
  PROP_SCALE,
  PROP_OPACITY,
  PROP_SHOW_REGIONS,
  PROP_SHOW_AGE
};

/**
 * GstAltclipOverlay:
 * @choice: with the object lock
 * @look: with the object lock, as @n_looks, which counts its changes
 * @is_asked: atomic
 * @attaches: whether downstream lays pictures over frames; known once
 *   @is_asked
 * @is_warned: of the caps' frames
 * @composition: (nullable): of @scene, as @n_drawn says
 */
struct _GstAltclipOverlay
{
  GstBaseTransform parent;

  GstAltclipChoice choice;
  GstAltclipLook look;
  guint n_looks;

  GstVideoInfo info;
  gint is_asked;
  gboolean attaches;
  gboolean is_warned;
  GstAltclipDrawing *drawing;
  GstAltclipScene *scene;
  GstVideoOverlayComposition *composition;
  guint n_drawn;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

#define gst_altclip_overlay_parent_class parent_class
G_DEFINE_TYPE (GstAltclipOverlay, gst_altclip_overlay, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (
    altclipoverlay, "altclipoverlay", GST_RANK_NONE, GST_TYPE_ALTCLIP_OVERLAY)

/* ---- Properties --------------------------------------------------------- */

static GType
get_show_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {GST_ALTCLIP_SHOW_ACTIVE, "The labels that are active", "active"},
      {GST_ALTCLIP_SHOW_ALL, "All labels that are attached", "all"},
      {0, NULL, NULL}};

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstAltclipShow", values));
  return type;
}

static GType
get_corner_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {GST_ALTCLIP_CORNER_TOP_LEFT, "Top left", "top-left"},
      {GST_ALTCLIP_CORNER_TOP_RIGHT, "Top right", "top-right"},
      {GST_ALTCLIP_CORNER_BOTTOM_LEFT, "Bottom left", "bottom-left"},
      {GST_ALTCLIP_CORNER_BOTTOM_RIGHT, "Bottom right", "bottom-right"},
      {0, NULL, NULL}};

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstAltclipCorner", values));
  return type;
}

static void
gst_altclip_overlay_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GstAltclipOverlay *self = GST_ALTCLIP_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  self->n_looks++;
  switch (prop_id) {
    case PROP_SHOW:
      self->choice.labels = g_value_get_enum (value);
      break;
    case PROP_CORNER:
      self->look.corner = g_value_get_enum (value);
      break;
    case PROP_FONT:
      g_free (self->look.font);
      self->look.font = g_value_get_string (value) != NULL
          ? g_utf8_make_valid (g_value_get_string (value), -1)
          : g_strdup (DEFAULT_FONT);
      break;
    case PROP_SCALE:
      self->look.scale = g_value_get_double (value);
      break;
    case PROP_OPACITY:
      self->look.opacity = g_value_get_double (value);
      break;
    case PROP_SHOW_REGIONS:
      self->choice.regions = g_value_get_boolean (value);
      break;
    case PROP_SHOW_AGE:
      self->choice.age = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_altclip_overlay_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  GstAltclipOverlay *self = GST_ALTCLIP_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  switch (prop_id) {
    case PROP_SHOW:
      g_value_set_enum (value, self->choice.labels);
      break;
    case PROP_CORNER:
      g_value_set_enum (value, self->look.corner);
      break;
    case PROP_FONT:
      g_value_set_string (value, self->look.font);
      break;
    case PROP_SCALE:
      g_value_set_double (value, self->look.scale);
      break;
    case PROP_OPACITY:
      g_value_set_double (value, self->look.opacity);
      break;
    case PROP_SHOW_REGIONS:
      g_value_set_boolean (value, self->choice.regions);
      break;
    case PROP_SHOW_AGE:
      g_value_set_boolean (value, self->choice.age);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

/* ---- Caps --------------------------------------------------------------- */

/* Caps without any feature say that they have system memory, and others may
 * not. */
static void
add_feature (GstCapsFeatures *features)
{
  gst_caps_features_remove (features, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY);
  if (!gst_caps_features_contains (features, COMPOSITION))
    gst_caps_features_add (features, COMPOSITION);
}

/* Each structure with the feature, or without it, if it has no others. */
static GstCaps *
copy_caps (GstCaps *caps, gboolean with_feature)
{
  GstCaps *copy = gst_caps_new_empty ();
  guint i;

  for (i = 0; i < gst_caps_get_size (caps); i++) {
    GstCapsFeatures *features =
        gst_caps_features_copy (gst_caps_get_features (caps, i));

    if (with_feature)
      add_feature (features);
    else
      gst_caps_features_remove (features, COMPOSITION);
    gst_caps_append_structure_full (
        copy, gst_structure_copy (gst_caps_get_structure (caps, i)), features);
  }
  return copy;
}

static GstCaps *
get_plain (GstCaps *caps)
{
  GstCaps *plain = gst_caps_new_empty ();
  guint i;

  for (i = 0; i < gst_caps_get_size (caps); i++) {
    GstCapsFeatures *features = gst_caps_get_features (caps, i);

    if (!gst_caps_features_contains (features, COMPOSITION))
      gst_caps_append_structure_full (plain,
          gst_structure_copy (gst_caps_get_structure (caps, i)),
          gst_caps_features_copy (features));
  }
  return plain;
}

/* Whoever lays over our pictures lays over those of before too. So where they
 * come in, they go out; and may be added on the way. */
static GstCaps *
gst_altclip_overlay_transform_caps (GstBaseTransform *transform,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCaps *others;

  if (direction == GST_PAD_SINK)
    others = gst_caps_merge (copy_caps (caps, TRUE), get_plain (caps));
  else
    others = gst_caps_merge (gst_caps_copy (caps), copy_caps (caps, FALSE));
  if (filter != NULL) {
    GstCaps *both =
        gst_caps_intersect_full (filter, others, GST_CAPS_INTERSECT_FIRST);

    gst_caps_unref (others);
    others = both;
  }
  GST_DEBUG_OBJECT (
      transform, "%" GST_PTR_FORMAT " to %" GST_PTR_FORMAT, caps, others);
  return others;
}

static gboolean
has_feature (GstCaps *caps)
{
  return gst_caps_features_contains (
      gst_caps_get_features (caps, 0), COMPOSITION);
}

/* Whoever takes any caps, or any feature, need not know what to do with the
 * pictures. */
static gboolean
is_named_downstream (GstBaseTransform *transform)
{
  g_autoptr (GstCaps) caps =
      gst_pad_peer_query_caps (GST_BASE_TRANSFORM_SRC_PAD (transform), NULL);
  guint i;

  for (i = 0; !gst_caps_is_any (caps) && i < gst_caps_get_size (caps); i++) {
    GstCapsFeatures *features = gst_caps_get_features (caps, i);

    if (!gst_caps_features_is_any (features)
        && gst_caps_features_contains (features, COMPOSITION))
      return TRUE;
  }
  return FALSE;
}

static GstCaps *
gst_altclip_overlay_fixate_caps (GstBaseTransform *transform,
    GstPadDirection direction, GstCaps *caps, GstCaps *others)
{
  if (direction == GST_PAD_SINK && !has_feature (caps)
      && !is_named_downstream (transform)) {
    GstCaps *plain = get_plain (others);

    if (gst_caps_is_empty (plain))
      gst_caps_replace (&plain, others);
    gst_caps_unref (others);
    others = plain;
  }
  return gst_caps_fixate (others);
}

static gboolean
gst_altclip_overlay_set_caps (
    GstBaseTransform *transform, GstCaps *in, GstCaps *out)
{
  GstAltclipOverlay *self = GST_ALTCLIP_OVERLAY (transform);

  if (!gst_video_info_from_caps (&self->info, in)) {
    GST_WARNING_OBJECT (self, "cannot use %" GST_PTR_FORMAT, in);
    return FALSE;
  }
  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT " to %" GST_PTR_FORMAT, in, out);
  g_atomic_int_set (&self->is_asked, FALSE);
  self->is_warned = FALSE;
  g_clear_pointer (&self->scene, gst_altclip_scene_free);
  return TRUE;
}

/* Another may follow now, that takes the same caps but lays over no pictures,
 * or does so while the one before did not. */
static gboolean
gst_altclip_overlay_src_event (GstBaseTransform *transform, GstEvent *event)
{
  GstAltclipOverlay *self = GST_ALTCLIP_OVERLAY (transform);

  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    g_atomic_int_set (&self->is_asked, FALSE);
  return GST_BASE_TRANSFORM_CLASS (parent_class)->src_event (transform, event);
}

/* Once the caps have gone downstream. Who took them with the feature may still
 * be none who lays pictures over frames, but one that passes on what it gets. */
static gboolean
is_laid_over_downstream (GstAltclipOverlay *self)
{
  GstPad *pad = GST_BASE_TRANSFORM_SRC_PAD (self);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  g_autoptr (GstQuery) query = NULL;

  if (caps == NULL || !has_feature (caps))
    return FALSE;
  query = gst_query_new_allocation (caps, FALSE);
  return gst_pad_peer_query (pad, query)
      && gst_query_find_allocation_meta (
          query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
}

/* ---- Frames ------------------------------------------------------------- */

/* Takes @scene. Draws anew only what has changed. */
static void
draw (GstAltclipOverlay *self, GstAltclipScene *scene)
{
  g_autofree gchar *font = NULL;
  GstAltclipLook look;
  guint n_looks;

  GST_OBJECT_LOCK (self);
  n_looks = self->n_looks;
  look = self->look;
  if (self->n_drawn != n_looks
      || !gst_altclip_scene_is_same (self->scene, scene))
    look.font = font = g_strdup (self->look.font);
  GST_OBJECT_UNLOCK (self);

  if (font == NULL) {
    gst_altclip_scene_free (scene);
    return;
  }
  g_clear_pointer (&self->composition, gst_video_overlay_composition_unref);
  gst_altclip_scene_free (self->scene);
  self->scene = scene;
  self->n_drawn = n_looks;
  self->composition =
      gst_altclip_drawing_draw (self->drawing, scene, &look, &self->info);
}

/* Whether there is anything to lay over @buffer. */
static gboolean
prepare (GstAltclipOverlay *self, GstBuffer *buffer)
{
  GstAltclipScene *scene;
  GstAltclipChoice choice;

  GST_OBJECT_LOCK (self);
  choice = self->choice;
  GST_OBJECT_UNLOCK (self);

  scene = gst_altclip_scene_read (buffer, &self->info, &choice);
  if (scene == NULL)
    return FALSE;
  draw (self, scene);
  return self->composition != NULL;
}

static void
attach (GstBuffer *buffer, GstVideoOverlayComposition *composition)
{
  GstVideoOverlayCompositionMeta *meta =
      gst_buffer_get_video_overlay_composition_meta (buffer);
  GstVideoOverlayComposition *both;
  guint i;

  if (meta == NULL) {
    gst_buffer_add_video_overlay_composition_meta (buffer, composition);
    return;
  }
  both = gst_video_overlay_composition_copy (meta->overlay);
  for (i = 0; i < gst_video_overlay_composition_n_rectangles (composition); i++)
    gst_video_overlay_composition_add_rectangle (
        both, gst_video_overlay_composition_get_rectangle (composition, i));
  gst_video_overlay_composition_unref (meta->overlay);
  meta->overlay = both;
}

/* One for many. */
static void
warn (GstAltclipOverlay *self, GstBuffer *buffer)
{
  if (self->is_warned)
    return;
  self->is_warned = TRUE;
  GST_ELEMENT_WARNING (self, STREAM, FORMAT, ("A frame cannot be drawn on."),
      ("A frame of %" G_GSIZE_FORMAT
       " bytes cannot be mapped for writing as %s of %dx%d.",
          gst_buffer_get_size (buffer), GST_VIDEO_INFO_NAME (&self->info),
          GST_VIDEO_INFO_WIDTH (&self->info),
          GST_VIDEO_INFO_HEIGHT (&self->info)));
}

static void
blend (GstAltclipOverlay *self, GstBuffer *buffer)
{
  GstVideoFrame frame;

  if (!gst_video_frame_map (
          &frame, &self->info, buffer, GST_MAP_READ | GST_MAP_WRITE)) {
    warn (self, buffer);
    return;
  }
  gst_video_overlay_composition_blend (self->composition, &frame);
  gst_video_frame_unmap (&frame);
}

/* What there is nothing to draw on goes through as it is; of the rest, at least
 * the metadata must be ours to change. */
static GstFlowReturn
gst_altclip_overlay_prepare_output_buffer (
    GstBaseTransform *transform, GstBuffer *in, GstBuffer **out)
{
  GstAltclipOverlay *self = GST_ALTCLIP_OVERLAY (transform);

  *out = in;
  if (!prepare (self, in)) {
    g_clear_pointer (&self->scene, gst_altclip_scene_free);
    g_clear_pointer (&self->composition, gst_video_overlay_composition_unref);
    return GST_FLOW_OK;
  }
  if (!gst_buffer_is_writable (in))
    *out = gst_buffer_copy (in);
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_altclip_overlay_transform_ip (
    GstBaseTransform *transform, GstBuffer *buffer)
{
  GstAltclipOverlay *self = GST_ALTCLIP_OVERLAY (transform);

  if (self->composition == NULL)
    return GST_FLOW_OK;
  if (g_atomic_int_compare_and_exchange (&self->is_asked, FALSE, TRUE))
    self->attaches = is_laid_over_downstream (self);
  if (self->attaches)
    attach (buffer, self->composition);
  else
    blend (self, buffer);
  return GST_FLOW_OK;
}

/* ---- The element -------------------------------------------------------- */

static gboolean
gst_altclip_overlay_start (GstBaseTransform *transform)
{
  GstAltclipOverlay *self = GST_ALTCLIP_OVERLAY (transform);

  self->drawing = gst_altclip_drawing_new ();
  return TRUE;
}

static gboolean
gst_altclip_overlay_stop (GstBaseTransform *transform)
{
  GstAltclipOverlay *self = GST_ALTCLIP_OVERLAY (transform);

  g_clear_pointer (&self->scene, gst_altclip_scene_free);
  g_clear_pointer (&self->composition, gst_video_overlay_composition_unref);
  g_clear_pointer (&self->drawing, gst_altclip_drawing_free);
  return TRUE;
}

static void
gst_altclip_overlay_finalize (GObject *object)
{
  GstAltclipOverlay *self = GST_ALTCLIP_OVERLAY (object);

  g_free (self->look.font);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object_class)
{
  GParamFlags flags =
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;

  g_object_class_install_property (object_class, PROP_SHOW,
      g_param_spec_enum ("show", "Show", "Which labels are drawn",
          get_show_type (), DEFAULT_SHOW, flags));
  g_object_class_install_property (object_class, PROP_CORNER,
      g_param_spec_enum ("corner", "Corner",
          "Where the labels of the whole picture are", get_corner_type (),
          DEFAULT_CORNER, flags));
  g_object_class_install_property (object_class, PROP_FONT,
      g_param_spec_string ("font", "Font",
          "Family and style of the letters, as Pango takes them (\"Noto Sans "
          "Bold\"); other scripts are drawn with what fontconfig finds for "
          "them",
          DEFAULT_FONT, flags));
  g_object_class_install_property (object_class, PROP_SCALE,
      g_param_spec_double ("scale", "Scale",
          "Size of the letters; 1: a 36th of the picture's height, and no less "
          "than 10 pixels",
          0.1, 10.0, DEFAULT_SCALE, flags));
  g_object_class_install_property (object_class, PROP_OPACITY,
      g_param_spec_double ("opacity", "Opacity",
          "Of the dark ground behind the letters (0: none)", 0.0, 1.0,
          DEFAULT_OPACITY, flags));
  g_object_class_install_property (object_class, PROP_SHOW_REGIONS,
      g_param_spec_boolean ("show-regions", "Show regions",
          "Draw a box around the parts of the picture that were looked at, "
          "with the labels of objects",
          DEFAULT_SHOW_REGIONS, flags));
  g_object_class_install_property (object_class, PROP_SHOW_AGE,
      g_param_spec_boolean ("show-age", "Show age",
          "Say by how many seconds the scores are older than the frame, from "
          "0.1 on",
          DEFAULT_SHOW_AGE, flags));
}

static void
gst_altclip_overlay_class_init (GstAltclipOverlayClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      altclip_overlay_debug, "altclipoverlay", 0, "drawing of video tags");

  object_class->set_property = gst_altclip_overlay_set_property;
  object_class->get_property = gst_altclip_overlay_get_property;
  object_class->finalize = gst_altclip_overlay_finalize;
  install_properties (object_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class, "AltCLIP overlay",
      "Filter/Editor/Video",
      "Draws the labels that altclipfilter found onto the video",
      "The altclip developers");

  transform_class->transform_caps =
      GST_DEBUG_FUNCPTR (gst_altclip_overlay_transform_caps);
  transform_class->fixate_caps =
      GST_DEBUG_FUNCPTR (gst_altclip_overlay_fixate_caps);
  transform_class->set_caps = GST_DEBUG_FUNCPTR (gst_altclip_overlay_set_caps);
  transform_class->src_event =
      GST_DEBUG_FUNCPTR (gst_altclip_overlay_src_event);
  transform_class->prepare_output_buffer =
      GST_DEBUG_FUNCPTR (gst_altclip_overlay_prepare_output_buffer);
  transform_class->transform_ip =
      GST_DEBUG_FUNCPTR (gst_altclip_overlay_transform_ip);
  transform_class->start = GST_DEBUG_FUNCPTR (gst_altclip_overlay_start);
  transform_class->stop = GST_DEBUG_FUNCPTR (gst_altclip_overlay_stop);

  gst_type_mark_as_plugin_api (get_show_type (), 0);
  gst_type_mark_as_plugin_api (get_corner_type (), 0);
  gst_altclip_meta_register ();
}

static void
gst_altclip_overlay_init (GstAltclipOverlay *self)
{
  self->choice = (GstAltclipChoice){.labels = DEFAULT_SHOW,
      .regions = DEFAULT_SHOW_REGIONS,
      .age = DEFAULT_SHOW_AGE};
  self->look = (GstAltclipLook){.font = g_strdup (DEFAULT_FONT),
      .scale = DEFAULT_SCALE,
      .opacity = DEFAULT_OPACITY,
      .corner = DEFAULT_CORNER};
}
