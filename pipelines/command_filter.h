/* altclip: the options that are properties of altclipfilter
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef COMMAND_FILTER_H
#define COMMAND_FILTER_H

#include "command.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* What the options said; times in seconds. */
typedef struct {
    double interval;
    double threshold;
    double hysteresis;
    double smoothing;
    double min_on_time;
    double min_off_time;
    double motion_threshold;
    char *mode_name; /* NULL: nothing, like the next */
    char *region;
    int mode; /* what mode_name says, once checked */
} FilterArguments;

/* As altclipfilter has them without any. gst_init() must have been called. */
void filter_arguments_init (FilterArguments *arguments);

void filter_arguments_clear (FilterArguments *arguments);

/* Entries of a GOptionEntry[] that fill @arguments, FilterArguments. */
#define FILTER_ARGUMENTS_ENTRIES(arguments)                                                       \
    { "threshold", 0, 0, G_OPTION_ARG_DOUBLE, &(arguments).threshold,                             \
        "A label begins at this score; default 0.5, of cosines 0.25", "SCORE" },                  \
            { "hysteresis", 0, 0, G_OPTION_ARG_DOUBLE, &(arguments).hysteresis,                   \
                "And ends below threshold * (1 - this); default 0.2", "SHARE" },                  \
            { "smoothing", 0, 0, G_OPTION_ARG_DOUBLE, &(arguments).smoothing,                     \
                "Time constant of an average of the score; default 0: none", "SECONDS" },         \
            { "min-on-time", 0, 0, G_OPTION_ARG_DOUBLE, &(arguments).min_on_time,                 \
                "How long it must be so until a label begins; default 0", "SECONDS" },            \
            { "min-off-time", 0, 0, G_OPTION_ARG_DOUBLE, &(arguments).min_off_time,               \
                "How long it must be so until a label ends; default 0", "SECONDS" },              \
            { "region", 0, 0, G_OPTION_ARG_FILENAME, &(arguments).region,                         \
                "Look only at this part of the picture, each 0 to 1", "X,Y,W,H" },                \
            { "motion-threshold", 0, 0, G_OPTION_ARG_DOUBLE, &(arguments).motion_threshold,       \
                "Skip frames of which less than this share changed; default 0: none", "SHARE" },  \
    {                                                                                             \
        "mode", 0, 0, G_OPTION_ARG_FILENAME, &(arguments).mode_name,                              \
                "live: the newest frame, as fast as can be; exact: each frame that is due; auto " \
                "(default): live for cameras",                                                    \
                "MODE"                                                                            \
    }

/* Whether the filter takes them; complains if not. */
gboolean filter_arguments_check (const Command *command, FilterArguments *arguments);

/* Sets the properties of @filter to checked @arguments. */
void filter_arguments_apply (const FilterArguments *arguments, GstElement *filter);

G_END_DECLS

#endif /* COMMAND_FILTER_H */
