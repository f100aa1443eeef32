/* altclip: a part of a picture, in fractions of it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclipbox.h"

#include "altcliparray.h"

#include "excerpt.h"

/* 0.7 + 0.3 may come to a little more than 1. */
#define ROUNDING 1e-9

/* ---- From text ---------------------------------------------------------- */

/* Reads a number and the character after it, '\0' for the end. */
static gboolean
parse_number (const gchar **at, gchar after, gdouble *number)
{
  gchar *rest;

  *number = g_ascii_strtod (*at, &rest);
  if (rest == *at)
    return FALSE;
  while (g_ascii_isspace (*rest))
    rest++;
  if (*rest != after)
    return FALSE;
  *at = rest + 1;
  return TRUE;
}

/* Not so if it is not a number either. */
static gboolean
check_limits (const gchar *text, const gchar *name, gdouble value,
    gdouble above, GError **error)
{
  g_autofree gchar *shown = NULL;

  if (value > above && value <= 1.0 + ROUNDING)
    return TRUE;
  shown = altclip_excerpt (text);
  g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
      "region \"%s\": %s is %g, but must be %s 0 and at most 1", shown, name,
      value, above < 0.0 ? "at least" : "above");
  return FALSE;
}

static gboolean
check_box (const gchar *text, const GstAltclipBox *box, GError **error)
{
  return check_limits (text, "x", box->x, -G_MINDOUBLE, error)
      && check_limits (text, "y", box->y, -G_MINDOUBLE, error)
      && check_limits (text, "w", box->w, 0.0, error)
      && check_limits (text, "h", box->h, 0.0, error)
      && check_limits (text, "x + w", box->x + box->w, 0.0, error)
      && check_limits (text, "y + h", box->y + box->h, 0.0, error);
}

gboolean
gst_altclip_box_parse (const gchar *text, GstAltclipBox *box, GError **error)
{
  const gchar *at = text;
  GstAltclipBox read;

  if (!parse_number (&at, ',', &read.x) || !parse_number (&at, ',', &read.y)
      || !parse_number (&at, ',', &read.w)
      || !parse_number (&at, '\0', &read.h)) {
    g_autofree gchar *shown = altclip_excerpt (text);

    g_set_error (error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
        "region \"%s\": must be four numbers x,y,w,h of 0 to 1, as in "
        "0.5,0,0.5,1",
        shown);
    return FALSE;
  }
  if (!check_box (text, &read, error))
    return FALSE;
  *box = read;
  return TRUE;
}

/* ---- Pixels ------------------------------------------------------------- */

GstAltclipBox
gst_altclip_box_from_part (
    const AltclipRectangle *part, guint width, guint height)
{
  return (GstAltclipBox){(gdouble) part->x / width, (gdouble) part->y / height,
      (gdouble) part->width / width, (gdouble) part->height / height};
}

/* ---- Comparing and showing ---------------------------------------------- */

static gdouble
get_common (gdouble a, gdouble a_length, gdouble b, gdouble b_length)
{
  return MAX (0.0, MIN (a + a_length, b + b_length) - MAX (a, b));
}

gdouble
gst_altclip_box_get_overlap (const GstAltclipBox *a, const GstAltclipBox *b)
{
  gdouble common =
      get_common (a->x, a->w, b->x, b->w) * get_common (a->y, a->h, b->y, b->h);

  return common / (a->w * a->h + b->w * b->h - common);
}

void
gst_altclip_box_set_field (
    const GstAltclipBox *box, GstStructure *structure, const gchar *name)
{
  const gdouble numbers[] = {box->x, box->y, box->w, box->h};
  GValue array = G_VALUE_INIT;
  guint i;

  gst_altclip_array_init (&array);
  for (i = 0; i < G_N_ELEMENTS (numbers); i++)
    gst_altclip_array_append_double (&array, numbers[i]);
  gst_structure_take_value (structure, name, &array);
}
