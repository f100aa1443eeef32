/* altclip: the loops of the bf16 kernels for AMX, for CPUs that lack it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "emulated_tiles.h"

#define TARGET
#define altclip_kernels_amx altclip_emulated_amx

#include "kernels_amx.c"
