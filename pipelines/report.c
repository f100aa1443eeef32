/* altclip: a report on a calibration, as a picture
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * SVG, with its words as text: whoever shows it has the fonts for the labels' scripts.
 */

#include "report.h"

#include <math.h>

/* In pixels. */
#define WIDTH 900
#define HEAD 78
#define PANEL 232
#define PLOT_LEFT 62
#define PLOT_WIDTH 540
#define PLOT_TOP 36 /* in a panel */
#define PLOT_HEIGHT 150
#define TEXT_LEFT (PLOT_LEFT + PLOT_WIDTH + 28)
#define LINE 19

#define N_BINS 60
#define LONGEST_NAME 60 /* in characters */

/* Told apart by those who do not see all colours, too. */
#define POSITIVE "#0072b2"
#define NEGATIVE "#d55e00"

struct _Report {
    GString *panels; /* SVG */
    char *title;
    guint n_panels;
};

/* ---- Numbers and names ----------------------------------------------------------------------- */

/* Returns: (transfer full): with a point in every locale */
static char *
format_number (const char *format, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    return g_strdup (g_ascii_formatd (text, sizeof text, format, value));
}

/* Returns: (transfer full): @text for XML, which can say no control characters, and not too long */
static char *
escape (const char *text, glong longest)
{
    g_autoptr (GString) shown = g_string_new (NULL);
    glong n = 0;

    for (const char *at = text; *at; at = g_utf8_next_char (at)) {
        gunichar c = g_utf8_get_char (at);
        if (n++ == longest) {
            g_string_append (shown, "…");
            break;
        }
        g_string_append_unichar (shown, g_unichar_iscntrl (c) || c >= 0xfffe ? 0xfffd : c);
    }
    return g_markup_escape_text (shown->str, (gssize)shown->len);
}

/* ---- The axes -------------------------------------------------------------------------------- */

/* From scores to the plot's width. Shares pile up at 0 and 1, so that they are shown by their
 * logits. */
typedef struct {
    gboolean is_logit;
    double low; /* at the left edge, and what is below it */
    double high;
} Axis;

static double
get_place (const Axis *axis, double score)
{
    double shown = CLAMP (score, axis->low, axis->high);
    double low = axis->low;
    double high = axis->high;

    if (axis->is_logit) {
        shown = log (shown / (1.0 - shown));
        low = log (low / (1.0 - low));
        high = log (high / (1.0 - high));
    }
    return (shown - low) / (high - low);
}

static void
include (Axis *axis, const double *scores, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        axis->low = fmin (axis->low, scores[i]);
        axis->high = fmax (axis->high, scores[i]);
    }
}

/* Cosines of a model lie close together, and where is its own affair. */
static Axis
make_axis (const ReportPanel *panel)
{
    Axis axis = { TRUE, 0.001, 0.999 };

    if (panel->mode != ALTCLIP_SCORE_COSINE)
        return axis;
    axis = (Axis){ FALSE, panel->threshold, panel->threshold };
    include (&axis, panel->positives, panel->n_positives);
    include (&axis, panel->negatives, panel->n_negatives);
    axis.low = floor (axis.low * 10.0 - 0.01) / 10.0;
    axis.high = ceil (axis.high * 10.0 + 0.01) / 10.0;
    return axis;
}

static void
draw_tick (GString *svg, const Axis *axis, double score, double top)
{
    double x = PLOT_LEFT + PLOT_WIDTH * get_place (axis, score);
    g_autofree char *at = format_number ("%.1f", x);
    g_autofree char *value = format_number ("%.3g", score);
    const char *sign = "";

    if (axis->is_logit && score == axis->low)
        sign = "≤ ";
    else if (axis->is_logit && score == axis->high)
        sign = "≥ ";
    g_string_append_printf (svg,
            "<line x1=\"%s\" x2=\"%s\" y1=\"%g\" y2=\"%g\" class=\"grid\"/>"
            "<text x=\"%s\" y=\"%g\" class=\"tick\" text-anchor=\"middle\">%s%s</text>\n",
            at, at, top, top + PLOT_HEIGHT + 4, at, top + PLOT_HEIGHT + 18, sign, value);
}

static void
draw_score_axis (GString *svg, const Axis *axis, double top)
{
    static const double shares[] = { 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999 };

    if (axis->is_logit) {
        for (gsize i = 0; i < G_N_ELEMENTS (shares); i++)
            draw_tick (svg, axis, shares[i], top);
    } else {
        double step = axis->high - axis->low > 0.85 ? 0.2 : 0.1;
        for (double cosine = axis->low; cosine < axis->high + 0.01; cosine += step)
            draw_tick (svg, axis, fabs (cosine) < 1e-9 ? 0.0 : cosine, top);
    }
}

/* By their roots, so that the few that are on the wrong side are seen. */
static double
get_height (double share)
{
    return PLOT_HEIGHT * sqrt (share);
}

static void
draw_share_axis (GString *svg, double top)
{
    static const guint percents[] = { 0, 1, 10, 50, 100 };

    for (gsize i = 0; i < G_N_ELEMENTS (percents); i++) {
        g_autofree char *y =
                format_number ("%.1f", top + PLOT_HEIGHT - get_height (percents[i] / 100.0));
        g_string_append_printf (svg,
                "<line x1=\"%d\" x2=\"%d\" y1=\"%s\" y2=\"%s\" class=\"grid\"/>"
                "<text x=\"%d\" y=\"%s\" dy=\"4\" class=\"tick\" text-anchor=\"end\">%u "
                "%%</text>\n",
                PLOT_LEFT, PLOT_LEFT + PLOT_WIDTH, y, y, PLOT_LEFT - 6, y, percents[i]);
    }
}

/* ---- The distributions ----------------------------------------------------------------------- */

static void
draw_distribution (GString *svg, const Axis *axis, const double *scores, gsize n,
        const char *colour, double top)
{
    guint64 counts[N_BINS] = { 0 };
    g_autoptr (GString) path = g_string_new (NULL);

    for (gsize i = 0; i < n; i++)
        counts[MIN ((guint)(get_place (axis, scores[i]) * N_BINS), N_BINS - 1)]++;
    g_string_append_printf (path, "M%d %g", PLOT_LEFT, top + PLOT_HEIGHT);
    for (guint i = 0; i < N_BINS; i++) {
        double share = (double)counts[i] / (double)n;
        g_autofree char *y = format_number ("%.1f", top + PLOT_HEIGHT - get_height (share));
        g_string_append_printf (
                path, "V%s H%u", y, PLOT_LEFT + (i + 1) * (guint)PLOT_WIDTH / N_BINS);
    }
    g_string_append_printf (path, "V%g Z", top + PLOT_HEIGHT);
    g_string_append_printf (svg,
            "<path d=\"%s\" fill=\"%s\" fill-opacity=\"0.35\" stroke=\"%s\" "
            "stroke-width=\"1.5\"/>\n",
            path->str, colour, colour);
}

static void
draw_threshold (GString *svg, const Axis *axis, double threshold, double top)
{
    double place = get_place (axis, threshold);
    g_autofree char *x = format_number ("%.1f", PLOT_LEFT + PLOT_WIDTH * place);
    g_autofree char *beside =
            format_number ("%.1f", PLOT_LEFT + PLOT_WIDTH * place + (place > 0.8 ? -6 : 6));
    g_autofree char *value = format_number ("%.3g", threshold);

    g_string_append_printf (svg,
            "<line x1=\"%s\" x2=\"%s\" y1=\"%g\" y2=\"%g\" class=\"threshold\"/>"
            "<text x=\"%s\" y=\"%g\" text-anchor=\"%s\" class=\"value\">threshold %s</text>\n",
            x, x, top - 6, top + PLOT_HEIGHT, beside, top + 12, place > 0.8 ? "end" : "start",
            value);
}

/* ---- Public ---------------------------------------------------------------------------------- */

Report *
report_new (const char *title)
{
    Report *report = g_new0 (Report, 1);

    report->title = g_strdup (title);
    report->panels = g_string_new (NULL);
    return report;
}

void
report_free (Report *report)
{
    g_string_free (report->panels, TRUE);
    g_free (report->title);
    g_free (report);
}

void
report_add_panel (Report *report, const ReportPanel *panel)
{
    static const char *const titles[] = { [ALTCLIP_SCORE_SOFTMAX] = "score (softmax)",
        [ALTCLIP_SCORE_COSINE] = "score (cosine)",
        [ALTCLIP_SCORE_SIGMOID] = "score (sigmoid)" };
    GString *svg = report->panels;
    double top = HEAD + (double)report->n_panels * PANEL + PLOT_TOP;
    g_autofree char *name = escape (panel->label, LONGEST_NAME);
    Axis axis = make_axis (panel);

    g_string_append_printf (
            svg, "<text x=\"%d\" y=\"%g\" class=\"name\">%s</text>\n", PLOT_LEFT, top - 14, name);
    draw_share_axis (svg, top);
    draw_score_axis (svg, &axis, top);
    draw_distribution (svg, &axis, panel->negatives, panel->n_negatives, NEGATIVE, top);
    draw_distribution (svg, &axis, panel->positives, panel->n_positives, POSITIVE, top);
    draw_threshold (svg, &axis, panel->threshold, top);
    g_string_append_printf (svg,
            "<text x=\"%d\" y=\"%g\" class=\"tick\" text-anchor=\"end\">%s</text>\n",
            PLOT_LEFT + PLOT_WIDTH, top + PLOT_HEIGHT + 34, titles[panel->mode]);
    for (guint i = 0; panel->lines[i]; i++) {
        g_autofree char *line = escape (panel->lines[i], G_MAXLONG);
        g_string_append_printf (
                svg, "<text x=\"%d\" y=\"%g\">%s</text>\n", TEXT_LEFT, top + 12 + LINE * i, line);
    }
    report->n_panels++;
}

char *
report_draw (const Report *report)
{
    guint height = HEAD + report->n_panels * PANEL;
    g_autofree char *title = escape (report->title, LONGEST_NAME);

    return g_strdup_printf (
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" "
            "viewBox=\"0 0 %d %u\">\n"
            "<style>text { font: 14px sans-serif; fill: #222 } .title { font-size: 20px } "
            ".name { font-size: 16px; font-weight: bold } .tick { font-size: 11px; fill: #555 } "
            ".value { font-weight: bold } .grid { stroke: #ddd } "
            ".threshold { stroke: #222; stroke-width: 2; stroke-dasharray: 5 3 }</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
            "<text x=\"%d\" y=\"32\" class=\"title\">%s</text>\n"
            "<rect x=\"%d\" y=\"47\" width=\"14\" height=\"14\" fill=\"%s\" fill-opacity=\"0.6\"/>"
            "<text x=\"%d\" y=\"59\">the label is there</text>\n"
            "<rect x=\"%d\" y=\"47\" width=\"14\" height=\"14\" fill=\"%s\" fill-opacity=\"0.6\"/>"
            "<text x=\"%d\" y=\"59\">it is not; share of the pictures of either kind</text>\n"
            "%s</svg>\n",
            WIDTH, height, WIDTH, height, PLOT_LEFT, title, PLOT_LEFT, POSITIVE, PLOT_LEFT + 20,
            PLOT_LEFT + 160, NEGATIVE, PLOT_LEFT + 180, report->panels->str);
}
