/* altclip: extensions of arm64, as compilers and CPUs know them
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Their instructions are written out: compilers of some years have no functions for them, or only
 * where the whole file is compiled for them.
 */

#ifndef ALTCLIP_EXTENSIONS_ARM64_H
#define ALTCLIP_EXTENSIONS_ARM64_H

#include <sys/auxv.h>

/* The function attribute for the instructions of @extension, a string. */
#ifdef __clang__
#define ALTCLIP_TARGET_ARM64(extension) __attribute__ ((target (extension)))
#else
#define ALTCLIP_TARGET_ARM64(extension) __attribute__ ((target ("arch=armv8.2-a+" extension)))
#endif

/* Whether the CPU has what the system calls HWCAP_@name or HWCAP2_@name. */
#define ALTCLIP_CPU_HAS_ARM64(name) ((getauxval (AT_HWCAP) & HWCAP_##name) != 0)
#define ALTCLIP_CPU_HAS_ARM64_2(name) ((getauxval (AT_HWCAP2) & HWCAP2_##name) != 0)

#endif /* ALTCLIP_EXTENSIONS_ARM64_H */
