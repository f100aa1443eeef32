/* altclip: arrays in structures
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altcliparray.h"

void
gst_altclip_array_init (GValue *array)
{
  g_value_init (array, GST_TYPE_ARRAY);
}

void
gst_altclip_array_append_structure (GValue *array, GstStructure *structure)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (&value, structure);
  gst_value_array_append_and_take_value (array, &value);
}

void
gst_altclip_array_append_double (GValue *array, gdouble number)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_DOUBLE);
  g_value_set_double (&value, number);
  gst_value_array_append_and_take_value (array, &value);
}
