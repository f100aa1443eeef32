/* altclip: a fuzz target
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each target's file has one function, which libFuzzer calls with inputs of its own making, and
 * replay.c with those of files. Inputs are blocks of memory of just their size, so that the address
 * sanitizer sees a read past their end, as it would not in a mapped file.
 */

#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>
#include <stdint.h>

/* What messages call the input. */
#define TARGET_NAME "input"

/* Returns: 0 */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* A mutator of the format's own, optional; and the one of libFuzzer that it builds upon. */
size_t LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate (uint8_t *data, size_t size, size_t max_size);

#endif /* TARGET_H */
