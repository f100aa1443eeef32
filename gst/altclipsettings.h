/* altclip: the values of altclipfilter's properties
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_SETTINGS_H
#define GST_ALTCLIP_SETTINGS_H

#include <gst/gst.h>

#include "altclip.h"
#include "altclipbox.h"

G_BEGIN_DECLS

/**
 * GstAltclipMode:
 * @GST_ALTCLIP_MODE_AUTO: live behind a live source, exact otherwise
 * @GST_ALTCLIP_MODE_LIVE: never wait for the worker
 * @GST_ALTCLIP_MODE_EXACT: every frame leaves with its own result
 */
typedef enum
{
  GST_ALTCLIP_MODE_AUTO,
  GST_ALTCLIP_MODE_LIVE,
  GST_ALTCLIP_MODE_EXACT
} GstAltclipMode;

/**
 * GstAltclipPostMessages:
 * @GST_ALTCLIP_POST_MESSAGES_NONE: no element messages
 * @GST_ALTCLIP_POST_MESSAGES_CHANGE: one when a label begins or ends
 * @GST_ALTCLIP_POST_MESSAGES_ALL: also one per analysed frame
 */
typedef enum
{
  GST_ALTCLIP_POST_MESSAGES_NONE,
  GST_ALTCLIP_POST_MESSAGES_CHANGE,
  GST_ALTCLIP_POST_MESSAGES_ALL
} GstAltclipPostMessages;

/**
 * GstAltclipInferenceRegion:
 * @GST_ALTCLIP_INFERENCE_REGION_FULL_FRAME: the frame
 * @GST_ALTCLIP_INFERENCE_REGION_ROI_LIST: the regions that upstream attached
 */
typedef enum
{
  GST_ALTCLIP_INFERENCE_REGION_FULL_FRAME,
  GST_ALTCLIP_INFERENCE_REGION_ROI_LIST
} GstAltclipInferenceRegion;

/**
 * GstAltclipRules:
 * @has_region: whether @region holds
 * @has_object_class: whether only regions of type @object_class count
 * @object_class: 0: nothing in this process has such a type
 * @n_views: how often what is looked at was changed
 * @n_rules: how often what scores come to was changed
 *
 * The settings that are looked at for every frame; copied whole, so that
 * nothing works with the object lock held.
 */
typedef struct
{
  AltclipScoreMode score_mode;
  gdouble threshold;
  gdouble hysteresis;
  GstClockTime min_on_time;
  GstClockTime min_off_time;
  GstClockTime smoothing;
  guint top_k;
  GstAltclipMode mode;
  GstClockTime interval;
  guint max_buffers;
  GstClockTime max_age;
  gdouble motion_threshold;
  GstAltclipInferenceRegion inference_region;
  gboolean has_object_class;
  GQuark object_class;
  gboolean has_region;
  GstAltclipBox region;
  guint n_views;
  guint n_rules;
  GstAltclipPostMessages post_messages;
  gboolean attach_embedding;
  gboolean send_tags;
} GstAltclipRules;

/**
 * GstAltclipSettings:
 * @from_file: whether the prompts are those of @prompts_file, because it was
 *   set after @prompts, and to something
 *
 * What the properties were last set to.
 */
typedef struct
{
  gchar *model;
  gchar *prompts;
  gchar *prompts_file;
  gboolean from_file;
  gchar *negative_prompts;
  gchar *templates;
  gchar *object_class;
  gchar *region;
  AltclipPrecision precision;
  guint threads;
  GstAltclipRules rules;
} GstAltclipSettings;

typedef enum
{
  GST_ALTCLIP_SETTING_MODEL = 1,
  GST_ALTCLIP_SETTING_PRECISION,
  GST_ALTCLIP_SETTING_THREADS,
  GST_ALTCLIP_SETTING_PROMPTS,
  GST_ALTCLIP_SETTING_PROMPTS_FILE,
  GST_ALTCLIP_SETTING_NEGATIVE_PROMPTS,
  GST_ALTCLIP_SETTING_TEMPLATES,
  GST_ALTCLIP_SETTING_SCORE_MODE,
  GST_ALTCLIP_SETTING_THRESHOLD,
  GST_ALTCLIP_SETTING_HYSTERESIS,
  GST_ALTCLIP_SETTING_SMOOTHING,
  GST_ALTCLIP_SETTING_MIN_ON_TIME,
  GST_ALTCLIP_SETTING_MIN_OFF_TIME,
  GST_ALTCLIP_SETTING_TOP_K,
  GST_ALTCLIP_SETTING_MODE,
  GST_ALTCLIP_SETTING_INTERVAL,
  GST_ALTCLIP_SETTING_MAX_BUFFERS,
  GST_ALTCLIP_SETTING_MAX_AGE,
  GST_ALTCLIP_SETTING_MOTION_THRESHOLD,
  GST_ALTCLIP_SETTING_INFERENCE_REGION,
  GST_ALTCLIP_SETTING_OBJECT_CLASS,
  GST_ALTCLIP_SETTING_REGION,
  GST_ALTCLIP_SETTING_POST_MESSAGES,
  GST_ALTCLIP_SETTING_ATTACH_EMBEDDING,
  GST_ALTCLIP_SETTING_SEND_TAGS,
  GST_ALTCLIP_SETTING_STATS,
  GST_ALTCLIP_SETTING_LAST_STATE
} GstAltclipSetting;

/**
 * gst_altclip_settings_install:
 *
 * Adds the properties to the class, numbered as #GstAltclipSetting.
 */
void gst_altclip_settings_install (GObjectClass *object_class);

void gst_altclip_settings_init (GstAltclipSettings *settings);
void gst_altclip_settings_copy (
    GstAltclipSettings *settings, const GstAltclipSettings *from);
void gst_altclip_settings_clear (GstAltclipSettings *settings);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (
    GstAltclipSettings, gst_altclip_settings_clear)

/**
 * gst_altclip_settings_set:
 *
 * Returns: %FALSE for a number that is no setting
 */
gboolean gst_altclip_settings_set (
    GstAltclipSettings *settings, guint id, const GValue *value);
gboolean gst_altclip_settings_get (
    const GstAltclipSettings *settings, guint id, GValue *value);

/**
 * gst_altclip_settings_get_rules:
 *
 * The rules as they hold now.
 */
void gst_altclip_settings_get_rules (
    const GstAltclipSettings *settings, GstAltclipRules *rules);

/**
 * gst_altclip_settings_check_region:
 *
 * Returns: whether the region that was asked for can be; one that cannot does
 *   not take the place of the one before
 */
gboolean gst_altclip_settings_check_region (
    const GstAltclipSettings *settings, GError **error);

/**
 * gst_altclip_settings_is_prompts:
 *
 * Returns: whether the setting is part of the set of prompts that holds: of a
 *   file, nothing but the file is
 */
gboolean gst_altclip_settings_is_prompts (
    const GstAltclipSettings *settings, guint id);

/**
 * gst_altclip_settings_has_negatives:
 *
 * Returns: whether negative-prompts are more than nothing; likewise templates
 */
gboolean gst_altclip_settings_has_negatives (
    const GstAltclipSettings *settings);
gboolean gst_altclip_settings_has_templates (
    const GstAltclipSettings *settings);

/**
 * gst_altclip_rules_get_threshold:
 * @mode: how the labels are scored
 *
 * Returns: the threshold, with −1 replaced by @mode's own
 */
gdouble gst_altclip_rules_get_threshold (
    const GstAltclipRules *rules, AltclipScoreMode mode);

/**
 * gst_altclip_settings_find_model:
 * @bundled: (out): whether it is the bundled model, because none was named
 *
 * Returns: (transfer full): the directory of the model to load
 */
gchar *gst_altclip_settings_find_model (
    const GstAltclipSettings *settings, gboolean *bundled);

G_END_DECLS

#endif /* GST_ALTCLIP_SETTINGS_H */
