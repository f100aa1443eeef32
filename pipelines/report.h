/* altclip: a report on a calibration, as a picture
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef REPORT_H
#define REPORT_H

#include "altclip.h"

G_BEGIN_DECLS

/* A picture with a panel for each label. */
typedef struct _Report Report;

/* What a panel shows. */
typedef struct {
    const char *label;
    AltclipScoreMode mode;
    const double *positives; /* [n_positives]: scores */
    gsize n_positives;
    const double *negatives; /* [n_negatives] */
    gsize n_negatives;
    double threshold;
    char *const *lines; /* to be written beside it */
} ReportPanel;

Report *report_new (const char *title);
void report_free (Report *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Report, report_free)

void report_add_panel (Report *report, const ReportPanel *panel);

/* Returns: (transfer full): the picture so far, as SVG */
char *report_draw (const Report *report);

G_END_DECLS

#endif /* REPORT_H */
