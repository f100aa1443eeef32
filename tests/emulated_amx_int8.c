/* altclip: the loops of the int8 kernels for AMX, for CPUs that lack it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "emulated_tiles.h"

#define TARGET
#define altclip_kernels_amx_int8 altclip_emulated_amx_int8

#include "kernels_amx_int8.c"
