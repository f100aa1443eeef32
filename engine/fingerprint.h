/* altclip: what tells one model from another without reading it
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef ALTCLIP_FINGERPRINT_H
#define ALTCLIP_FINGERPRINT_H

#include "weights.h"

G_BEGIN_DECLS

#define ALTCLIP_FINGERPRINT_BYTES 32

typedef struct {
    guint8 bytes[ALTCLIP_FINGERPRINT_BYTES];
} AltclipFingerprint;

/**
 * altclip_fingerprint_take_settings:
 * @fingerprint: (out caller-allocated): of the files beside the weights that a text's embedding
 *     depends on
 *
 * The configuration and the tokenizer's files: small ones by what they hold, large ones by size,
 * times, inode and device. Takes a fraction of a millisecond, so that it can be taken again to see
 * whether they have changed.
 */
void altclip_fingerprint_take_settings (const char *directory, AltclipFingerprint *fingerprint);

/**
 * altclip_fingerprint_take:
 * @settings: the above, taken before the configuration was read
 * @kernels: name of the kernel set that encodes texts
 * @fingerprint: (out caller-allocated): of all that a text's embedding depends on but the text
 *
 * Of the weights it has what was true of the files when they were mapped: size, times, inode and
 * device, and the outline, which in a zip archive holds checksums of the contents.
 */
void altclip_fingerprint_take (const AltclipFingerprint *settings, AltclipWeights *weights,
        const char *kernels, AltclipFingerprint *fingerprint);

G_END_DECLS

#endif /* ALTCLIP_FINGERPRINT_H */
