/* altclip: what an analysed frame shows
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_RESULT_H
#define GST_ALTCLIP_RESULT_H

#include <gst/gst.h>

#include "altclip.h"
#include "altcliptiming.h"

G_BEGIN_DECLS

/**
 * GstAltclipResult:
 * @timing: of the analysed frame
 * @revision: of the prompts it was scored with
 * @results: GstValueArray of `altclip-label` structures, best first
 *
 * Immutable, reference counted: one result may go out with many frames.
 */
typedef struct
{
  GstAltclipTiming timing;
  guint revision;
  GValue results;
} GstAltclipResult;

/**
 * gst_altclip_result_new:
 * @scores: one per label; likewise @cosines
 * @tracker: knows which labels are active
 * @top_k: how many labels to keep beside the active ones; 0: all
 */
GstAltclipResult *gst_altclip_result_new (const GstAltclipTiming *timing,
    guint revision, AltclipPrompts *prompts, const gdouble *scores,
    const gdouble *cosines, AltclipTracker *tracker, guint top_k);
GstAltclipResult *gst_altclip_result_ref (GstAltclipResult *result);
void gst_altclip_result_unref (GstAltclipResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstAltclipResult, gst_altclip_result_unref)

G_END_DECLS

#endif /* GST_ALTCLIP_RESULT_H */
