/* altclip: what an analysed frame shows
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_RESULT_H
#define GST_ALTCLIP_RESULT_H

#include <gst/gst.h>

#include "altclip.h"
#include "altcliptiming.h"
#include "altclipview.h"

G_BEGIN_DECLS

/* Name of the structure that says what a region shows, in the frame's metadata
 * and as a parameter of the region's own. */
#define GST_ALTCLIP_REGION_NAME "altclip-region"

/**
 * GstAltclipFinding:
 * @labels: GstValueArray of `altclip-label` structures, best first
 * @embedding: (nullable): float32, of unit length
 *
 * What the frame or one of its regions shows.
 */
typedef struct
{
  GValue labels;
  GstBuffer *embedding;
} GstAltclipFinding;

/**
 * GstAltclipResult:
 * @timing: of the analysed frame
 * @revision: of the prompts it was scored with
 * @mode: what the scores are
 * @view: what of it was looked at
 * @findings: one per region of @view's, or one
 *
 * Reference counted, and immutable once its findings are set: one result may go
 * out with many frames.
 */
typedef struct
{
  GstAltclipTiming timing;
  guint revision;
  AltclipScoreMode mode;
  GstAltclipView view;
  GstAltclipFinding *findings;
} GstAltclipResult;

GstAltclipResult *gst_altclip_result_new (const GstAltclipTiming *timing,
    guint revision, AltclipScoreMode mode, const GstAltclipView *view);

/**
 * gst_altclip_result_set_labels:
 * @index: of the finding
 * @scores: one per label; likewise @cosines and @active. Labels whose score is
 *   not a number are left out
 * @top_k: how many labels to keep beside the active ones; 0: all
 */
void gst_altclip_result_set_labels (GstAltclipResult *result, guint index,
    AltclipPrompts *prompts, const gdouble *scores, const gdouble *cosines,
    const gboolean *active, guint top_k);
void gst_altclip_result_set_embedding (
    GstAltclipResult *result, guint index, const float *embedding, guint dim);

/**
 * gst_altclip_result_new_region:
 * @index: of the region
 * @age: how much later the frame is that it will be on
 *
 * Returns: (transfer full): what region number @index shows
 */
GstStructure *gst_altclip_result_new_region (
    GstAltclipResult *result, guint index, GstClockTimeDiff age);

/**
 * gst_altclip_result_add_regions:
 * @age: how much later the frame is that they will be on
 * @matches: (nullable) (array length=n): which regions, those below 0 left out;
 *   %NULL: the first @n
 *
 * Adds the field `regions`, and `results` without any: the frame as a whole was
 * not looked at.
 */
void gst_altclip_result_add_regions (GstAltclipResult *result,
    GstStructure *structure, GstClockTimeDiff age, const gint *matches,
    guint n);
GstAltclipResult *gst_altclip_result_ref (GstAltclipResult *result);
void gst_altclip_result_unref (GstAltclipResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAltclipResult, gst_altclip_result_unref)

G_END_DECLS

#endif /* GST_ALTCLIP_RESULT_H */
