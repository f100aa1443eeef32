/* altclip: the error domain
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "altclip.h"

GQuark
altclip_error_quark (void)
{
    return g_quark_from_static_string ("altclip-error-quark");
}
