/* altclip: the options that are properties of altclipfilter
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command_filter.h"
#include "altclipbox.h"
#include "altclipfilter.h"

#include <math.h>

/* Options that are numbers, under the names of the properties. */
static const struct {
    const char *name;
    gsize offset;
    gboolean is_time;
} NUMBERS[] = {
    { "interval", G_STRUCT_OFFSET (FilterArguments, interval), TRUE },
    { "threshold", G_STRUCT_OFFSET (FilterArguments, threshold), FALSE },
    { "hysteresis", G_STRUCT_OFFSET (FilterArguments, hysteresis), FALSE },
    { "smoothing", G_STRUCT_OFFSET (FilterArguments, smoothing), TRUE },
    { "min-on-time", G_STRUCT_OFFSET (FilterArguments, min_on_time), TRUE },
    { "min-off-time", G_STRUCT_OFFSET (FilterArguments, min_off_time), TRUE },
    { "motion-threshold", G_STRUCT_OFFSET (FilterArguments, motion_threshold), FALSE },
};

static double *
get_number (const FilterArguments *arguments, gsize i)
{
    return G_STRUCT_MEMBER_P (arguments, NUMBERS[i].offset);
}

static GParamSpec *
find_property (GObjectClass *class, const char *name)
{
    GParamSpec *property = g_object_class_find_property (class, name);

    g_assert (property);
    return property;
}

void
filter_arguments_init (FilterArguments *arguments)
{
    g_autoptr (GTypeClass) class = g_type_class_ref (GST_TYPE_ALTCLIP_FILTER);

    *arguments = (FilterArguments){ .mode = GST_ALTCLIP_MODE_AUTO };
    for (gsize i = 0; i < G_N_ELEMENTS (NUMBERS); i++) {
        GParamSpec *property = find_property (G_OBJECT_CLASS (class), NUMBERS[i].name);

        if (!NUMBERS[i].is_time)
            *get_number (arguments, i) =
                    g_value_get_double (g_param_spec_get_default_value (property));
    }
}

void
filter_arguments_clear (FilterArguments *arguments)
{
    g_free (arguments->mode_name);
    g_free (arguments->region);
}

static gboolean
check_number (
        const Command *command, const char *option, const GParamSpecDouble *limits, double number)
{
    if (number >= limits->minimum && number <= limits->maximum)
        return TRUE;
    command_refuse (command, "%s is %g, but must be %g to %g", option, number, limits->minimum,
            limits->maximum);
    return FALSE;
}

static gboolean
check_numbers (const Command *command, const FilterArguments *arguments)
{
    g_autoptr (GTypeClass) class = g_type_class_ref (GST_TYPE_ALTCLIP_FILTER);
    gboolean ok = TRUE;

    for (gsize i = 0; ok && i < G_N_ELEMENTS (NUMBERS); i++) {
        GParamSpec *property = find_property (G_OBJECT_CLASS (class), NUMBERS[i].name);
        g_autofree char *option = g_strconcat ("--", NUMBERS[i].name, NULL);
        double number = *get_number (arguments, i);

        ok = NUMBERS[i].is_time
                     ? command_check_seconds (command, option, number)
                     : check_number (command, option, G_PARAM_SPEC_DOUBLE (property), number);
    }
    return ok;
}

static gboolean
check_mode (const Command *command, FilterArguments *arguments)
{
    g_autoptr (GTypeClass) class = g_type_class_ref (GST_TYPE_ALTCLIP_FILTER);
    GParamSpec *property = find_property (G_OBJECT_CLASS (class), "mode");
    const GEnumValue *value;

    if (!arguments->mode_name)
        return TRUE;
    value = g_enum_get_value_by_nick (
            G_PARAM_SPEC_ENUM (property)->enum_class, arguments->mode_name);
    if (value)
        arguments->mode = value->value;
    else
        command_refuse (
                command, "--mode is '%s', but must be auto, live or exact", arguments->mode_name);
    return value != NULL;
}

static gboolean
check_region (const Command *command, const FilterArguments *arguments)
{
    g_autoptr (GError) error = NULL;
    GstAltclipBox box;

    if (!arguments->region || gst_altclip_box_parse (arguments->region, &box, &error))
        return TRUE;
    command_refuse (command, "--%s", error->message);
    return FALSE;
}

gboolean
filter_arguments_check (const Command *command, FilterArguments *arguments)
{
    return check_numbers (command, arguments) && check_mode (command, arguments) &&
           check_region (command, arguments);
}

void
filter_arguments_apply (const FilterArguments *arguments, GstElement *filter)
{
    for (gsize i = 0; i < G_N_ELEMENTS (NUMBERS); i++) {
        double number = *get_number (arguments, i);

        if (NUMBERS[i].is_time)
            g_object_set (filter, NUMBERS[i].name, (guint64)llround (number * GST_SECOND), NULL);
        else
            g_object_set (filter, NUMBERS[i].name, number, NULL);
    }
    g_object_set (filter, "mode", arguments->mode, "region", arguments->region, NULL);
}
