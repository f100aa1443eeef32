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
#define PANEL 252
#define PLOT_LEFT 82
#define PLOT_WIDTH 530
#define PLOT_TOP 52 /* in a panel */
#define PLOT_HEIGHT 150
#define TEXT_LEFT (PLOT_LEFT + PLOT_WIDTH + 28)
#define LINE 19
#define BEYOND 16 /* the columns of what is beyond the axis's ends, */
#define GAP 10    /* and between them and the rest */

#define N_BINS 50
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

/* ---- The axis of scores ---------------------------------------------------------------------- */

/* From scores to the plot's width. Shares pile up at 0 and 1, so that they are shown by their
 * logits, and what is beyond the ends in columns of their own. */
typedef struct {
    gboolean is_logit;
    double low; /* at the left end */
    double high;
    double left; /* in pixels */
    double width;
} Axis;

static double
to_logit (double share)
{
    return log (share) - log1p (-share);
}

/* Returns: where it is, below 0 and above 1 if beyond the ends */
static double
get_place (const Axis *axis, double score)
{
    if (axis->is_logit && (score <= 0.0 || score >= 1.0))
        return score <= 0.0 ? -INFINITY : INFINITY;
    if (axis->is_logit)
        return (to_logit (score) - to_logit (axis->low)) /
               (to_logit (axis->high) - to_logit (axis->low));
    return (score - axis->low) / (axis->high - axis->low);
}

/* Returns: in pixels, and in the middle of a column for what is beyond */
static double
get_x (const Axis *axis, double score)
{
    double place = get_place (axis, score);

    if (place < 0.0)
        return PLOT_LEFT + BEYOND / 2.0;
    if (place > 1.0)
        return PLOT_LEFT + PLOT_WIDTH - BEYOND / 2.0;
    return axis->left + axis->width * place;
}

/* Three digits on either side of a half, and as many more as the threshold has, and one. */
static Axis
make_logit_axis (double threshold)
{
    double nearest = CLAMP (fmin (threshold, 1.0 - threshold), 1e-8, 1.0);
    double end = pow (10.0, fmin (-3.0, floor (log10 (nearest)) - 1.0));
    double margin = BEYOND + GAP;

    return (Axis){ TRUE, end, 1.0 - end, PLOT_LEFT + margin, PLOT_WIDTH - 2.0 * margin };
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
    Axis axis = { FALSE, panel->threshold, panel->threshold, PLOT_LEFT, PLOT_WIDTH };

    if (panel->mode != ALTCLIP_SCORE_COSINE)
        return make_logit_axis (panel->threshold);
    include (&axis, panel->positives, panel->n_positives);
    include (&axis, panel->negatives, panel->n_negatives);
    axis.low = floor (axis.low * 10.0 - 0.01) / 10.0;
    axis.high = ceil (axis.high * 10.0 + 0.01) / 10.0;
    return axis;
}

static void
draw_tick_text (GString *svg, double x, double top, const char *sign, double score)
{
    g_autofree char *at = format_number ("%.1f", x);
    g_autofree char *value = format_number ("%.9g", score);

    g_string_append_printf (svg,
            "<text x=\"%s\" y=\"%g\" class=\"tick\" text-anchor=\"middle\">%s%s</text>\n", at,
            top + PLOT_HEIGHT + 18, sign, value);
}

static void
draw_tick (GString *svg, const Axis *axis, double score, gboolean named, double top)
{
    double x = get_x (axis, score);
    g_autofree char *at = format_number ("%.1f", x);

    g_string_append_printf (svg, "<line x1=\"%s\" x2=\"%s\" y1=\"%g\" y2=\"%g\" class=\"grid\"/>\n",
            at, at, top, top + PLOT_HEIGHT + 4);
    if (named)
        draw_tick_text (svg, x, top, "", score);
}

/* A half, and on either side the powers of ten up to the ends, of which as many have a name as
 * there is room for. */
static void
draw_logit_ticks (GString *svg, const Axis *axis, double top)
{
    int n = (int)round (-log10 (axis->low));
    int step = n / 3;

    draw_tick (svg, axis, 0.5, TRUE, top);
    for (int i = 1; i < n; i++) {
        double end = pow (10.0, -i);
        gboolean named = (i - 1) % step == 0 && i + step <= n;

        draw_tick (svg, axis, end, named, top);
        draw_tick (svg, axis, 1.0 - end, named, top);
    }
    draw_tick_text (svg, PLOT_LEFT + BEYOND / 2.0, top, "&lt; ", axis->low);
    draw_tick_text (svg, PLOT_LEFT + PLOT_WIDTH - BEYOND / 2.0, top, "&gt; ", axis->high);
}

static void
draw_score_axis (GString *svg, const Axis *axis, double top)
{
    double step = axis->high - axis->low > 0.85 ? 0.2 : 0.1;

    if (axis->is_logit) {
        draw_logit_ticks (svg, axis, top);
        return;
    }
    for (double cosine = axis->low; cosine < axis->high + 0.01; cosine += step)
        draw_tick (svg, axis, round (cosine * 10.0) / 10.0, TRUE, top);
}

/* ---- The axis of shares ---------------------------------------------------------------------- */

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
    g_string_append_printf (svg,
            "<text transform=\"translate(%d %g) rotate(-90)\" class=\"tick\" "
            "text-anchor=\"middle\">pictures (square root scale)</text>\n",
            PLOT_LEFT - 54, top + PLOT_HEIGHT / 2.0);
}

/* ---- The distributions ----------------------------------------------------------------------- */

/* How many scores are where. */
typedef struct {
    guint64 below; /* the axis */
    guint64 bins[N_BINS];
    guint64 above;
    guint64 n;
} Histogram;

static void
count_scores (Histogram *histogram, const Axis *axis, const double *scores, gsize n)
{
    *histogram = (Histogram){ .n = n };
    for (gsize i = 0; i < n; i++) {
        double place = get_place (axis, scores[i]);

        if (place < 0.0)
            histogram->below++;
        else if (place > 1.0)
            histogram->above++;
        else
            histogram->bins[MIN ((guint)(place * N_BINS), N_BINS - 1)]++;
    }
}

/* From the ground to as many columns, and back to it. */
static void
add_columns (GString *path, const Histogram *histogram, const guint64 *counts, guint n, double left,
        double width, double top)
{
    g_autofree char *start = format_number ("%.1f", left);

    g_string_append_printf (path, "M%s %g", start, top + PLOT_HEIGHT);
    for (guint i = 0; i < n; i++) {
        double share = (double)counts[i] / (double)histogram->n;
        g_autofree char *y = format_number ("%.1f", top + PLOT_HEIGHT - get_height (share));
        g_autofree char *x = format_number ("%.1f", left + width * (i + 1) / n);

        g_string_append_printf (path, "V%s H%s", y, x);
    }
    g_string_append_printf (path, "V%g Z", top + PLOT_HEIGHT);
}

static void
draw_distribution (GString *svg, const Axis *axis, const double *scores, gsize n,
        const char *colour, double top)
{
    Histogram histogram;
    g_autoptr (GString) path = g_string_new (NULL);

    count_scores (&histogram, axis, scores, n);
    add_columns (path, &histogram, histogram.bins, N_BINS, axis->left, axis->width, top);
    if (axis->is_logit) {
        add_columns (path, &histogram, &histogram.below, 1, PLOT_LEFT, BEYOND, top);
        add_columns (path, &histogram, &histogram.above, 1, PLOT_LEFT + PLOT_WIDTH - BEYOND, BEYOND,
                top);
    }
    g_string_append_printf (svg,
            "<path d=\"%s\" fill=\"%s\" fill-opacity=\"0.35\" stroke=\"%s\" "
            "stroke-width=\"1.5\"/>\n",
            path->str, colour, colour);
}

/* Above the plot, where no column hides it. Near 1 with two of the digits that are not 9. */
static void
draw_threshold (GString *svg, const Axis *axis, double threshold, double top)
{
    int digits = threshold > 0.9 ? 2 - (int)floor (log10 (fmax (1.0 - threshold, 1e-8))) : 3;
    g_autofree char *x = format_number ("%.1f", get_x (axis, threshold));
    g_autofree char *format = g_strdup_printf ("%%.%dg", digits);
    g_autofree char *value = format_number (format, threshold);

    g_string_append_printf (svg,
            "<line x1=\"%s\" x2=\"%s\" y1=\"%g\" y2=\"%g\" class=\"threshold\"/>"
            "<text x=\"%s\" y=\"%g\" text-anchor=\"middle\" class=\"value\">threshold %s</text>\n",
            x, x, top - 6, top + PLOT_HEIGHT, x, top - 10, value);
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
        [ALTCLIP_SCORE_SIGMOID] = "score (sigmoid)",
        [ALTCLIP_SCORE_COSINE] = "score (cosine)" };
    GString *svg = report->panels;
    double top = HEAD + (double)report->n_panels * PANEL + PLOT_TOP;
    g_autofree char *name = escape (panel->label, LONGEST_NAME);
    Axis axis = make_axis (panel);

    g_string_append_printf (
            svg, "<text x=\"%d\" y=\"%g\" class=\"name\">%s</text>\n", PLOT_LEFT, top - 30, name);
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
            "<text x=\"%d\" y=\"59\">it is not: a column is the share of the pictures of its "
            "kind</text>\n"
            "%s</svg>\n",
            WIDTH, height, WIDTH, height, PLOT_LEFT, title, PLOT_LEFT, POSITIVE, PLOT_LEFT + 20,
            PLOT_LEFT + 160, NEGATIVE, PLOT_LEFT + 180, report->panels->str);
}
