/* altclip: plain loops, compiled for each width of the CPU's vectors
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The library is built for the oldest CPU of its architecture; what a newer one has is found at run
 * time.
 */

#ifndef ALTCLIP_VECTOR_WIDTHS_H
#define ALTCLIP_VECTOR_WIDTHS_H

#include <glib.h>

/* What a loop is made of, so that it is compiled anew with the instructions of its caller. */
#define ALTCLIP_VECTOR_LOOP static inline __attribute__ ((always_inline))

/* ALTCLIP_DEFINE_FOR_WIDTHS (name, parameters, arguments): a static function name() that runs
 * name_loop(), an ALTCLIP_VECTOR_LOOP of the same parameters, with the widest vectors there are. */
#if defined(__x86_64__)
#define ALTCLIP_DEFINE_FOR_WIDTHS(name, parameters, arguments)                         \
    __attribute__ ((target ("avx512f,avx512bw"))) static void name##_avx512 parameters \
    {                                                                                  \
        name##_loop arguments;                                                         \
    }                                                                                  \
    __attribute__ ((target ("avx2,fma"))) static void name##_avx2 parameters           \
    {                                                                                  \
        name##_loop arguments;                                                         \
    }                                                                                  \
    static void name parameters                                                        \
    {                                                                                  \
        if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw")) \
            name##_avx512 arguments;                                                   \
        else if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))    \
            name##_avx2 arguments;                                                     \
        else                                                                           \
            name##_loop arguments;                                                     \
    }
#else
#define ALTCLIP_DEFINE_FOR_WIDTHS(name, parameters, arguments) \
    static void name parameters                                \
    {                                                          \
        name##_loop arguments;                                 \
    }
#endif

#endif /* ALTCLIP_VECTOR_WIDTHS_H */
