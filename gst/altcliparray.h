/* altclip: arrays in structures
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef GST_ALTCLIP_ARRAY_H
#define GST_ALTCLIP_ARRAY_H

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * gst_altclip_array_init:
 * @array: (out caller-allocated): #G_VALUE_INIT, which becomes an empty
 *   GstValueArray
 */
void gst_altclip_array_init (GValue *array);

/**
 * gst_altclip_array_append_structure:
 * @structure: (transfer full): becomes the last of @array
 */
void gst_altclip_array_append_structure (
    GValue *array, GstStructure *structure);

/**
 * gst_altclip_array_append_double:
 *
 * @number becomes the last of @array.
 */
void gst_altclip_array_append_double (GValue *array, gdouble number);

G_END_DECLS

#endif /* GST_ALTCLIP_ARRAY_H */
