/* altclip convert: a smaller model, that opens faster
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"

static int
convert (const char *directory, AltclipPrecision precision, gboolean image_tower_only,
        const char *output)
{
    g_autoptr (GError) error = NULL;

    if (!altclip_convert (directory, precision,
                image_tower_only ? ALTCLIP_CONVERT_IMAGE_TOWER_ONLY : ALTCLIP_CONVERT_NONE, output,
                &error))
        return command_fail (error);
    return STATUS_OK;
}

static int
run (int argc, char **argv)
{
    g_autofree char *name = NULL;
    gboolean image_tower_only = FALSE;
    g_auto (GStrv) operands = NULL;
    const GOptionEntry entries[] = {
        { "precision", 0, 0, G_OPTION_ARG_FILENAME, &name,
                "What the weights' matrices are rounded to: bf16 or int8", "P" },
        { "image-tower-only", 0, 0, G_OPTION_ARG_NONE, &image_tower_only,
                "Leave out the text tower: prompts need ready embeddings", NULL },
        G_OPTION_ENTRY_NULL,
    };
    AltclipPrecision precision = ALTCLIP_PRECISION_AUTO;
    int status;

    if (!command_parse (&COMMAND_CONVERT, entries, 2, 2, argc, argv, &operands, &status))
        return status;
    if (!name)
        return command_refuse (&COMMAND_CONVERT, "--precision is missing");
    if (!altclip_precision_from_name (name, &precision) ||
            (precision != ALTCLIP_PRECISION_BF16 && precision != ALTCLIP_PRECISION_INT8))
        return command_refuse (
                &COMMAND_CONVERT, "--precision is '%s', but must be bf16 or int8", name);
    return convert (operands[0], precision, image_tower_only, operands[1]);
}

const Command COMMAND_CONVERT = {
    .name = "convert",
    .summary = "Make a smaller model, that opens faster",
    .operands = "MODEL OUT",
    .description =
            "Writes MODEL to the directory OUT with its matrices in bfloat16: half the size of\n"
            "32-bit floats. With precision=bf16 the image tower computes the same as before, to "
            "the\n"
            "bit; prompts differ a little. transformers loads it too.\n"
            "\n"
            "With --precision int8 the image tower's blocks are 8-bit integers, but for the "
            "layers\n"
            "that these are too coarse for, and the rest is bfloat16. With precision=int8 it "
            "opens\n"
            "in the least time, and with the same layers in integers on every CPU. Nothing else\n"
            "loads it.\n"
            "\n"
            "With --image-tower-only OUT serves small devices: it takes prompts whose embeddings "
            "are\n"
            "ready, from `altclip embed --prompts-file … --output …` with the whole model.\n"
            "\n"
            "Examples:\n"
            "  altclip convert AltCLIP AltCLIP-bf16 --precision bf16\n"
            "  altclip convert AltCLIP camera --precision bf16 --image-tower-only",
    .run = run,
};
