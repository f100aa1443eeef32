/* altclip tokenize: text to token ids and back
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"

static json_t *
ids_to_json (GArray *ids)
{
    json_t *list = json_array ();

    for (guint i = 0; i < ids->len; i++)
        json_array_append_new (list, json_integer (g_array_index (ids, gint32, i)));
    return list;
}

static int
encode_all (AltclipModel *model, char *const *texts)
{
    for (guint i = 0; texts[i]; i++) {
        g_autoptr (GError) error = NULL;
        g_autoptr (GArray) ids = altclip_model_tokenize (model, texts[i], &error);

        if (!ids)
            return command_fail (error);
        if (!command_print (
                    json_pack ("{s:s, s:o}", "text", texts[i], "input_ids", ids_to_json (ids))))
            return STATUS_FAILED;
    }
    return STATUS_OK;
}

static int
decode (AltclipModel *model, GArray *ids)
{
    g_autoptr (GError) error = NULL;
    g_autofree char *text =
            altclip_model_decode (model, (const gint32 *)ids->data, ids->len, &error);

    if (!text)
        return command_fail (error);
    return command_print (json_pack ("{s:o, s:s}", "input_ids", ids_to_json (ids), "text", text))
                   ? STATUS_OK
                   : STATUS_FAILED;
}

/* Returns: (transfer full) (nullable) (element-type gint32): the numbers, or NULL after a message
 */
static GArray *
parse_ids (char *const *arguments)
{
    g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

    for (guint i = 0; arguments[i]; i++) {
        g_autoptr (GError) error = NULL;
        guint64 number;
        gint32 id;

        if (!g_ascii_string_to_unsigned (arguments[i], 10, 0, G_MAXINT32, &number, &error)) {
            command_refuse (&COMMAND_TOKENIZE, "ID number %u is '%s', but must be 0 to %d", i + 1,
                    arguments[i], G_MAXINT32);
            return NULL;
        }
        id = (gint32)number;
        g_array_append_val (ids, id);
    }
    return g_steal_pointer (&ids);
}

static int
run (int argc, char **argv)
{
    gboolean is_decode = FALSE;
    g_auto (GStrv) operands = NULL;
    g_autoptr (GArray) ids = NULL;
    g_autoptr (GError) error = NULL;
    g_autoptr (AltclipModel) model = NULL;
    const AltclipModelOptions options = { .flags = ALTCLIP_MODEL_LAZY };
    const GOptionEntry entries[] = {
        { "decode", 'd', 0, G_OPTION_ARG_NONE, &is_decode, "Turn token ids into text", NULL },
        G_OPTION_ENTRY_NULL,
    };
    int status;

    if (!command_parse (&COMMAND_TOKENIZE, entries, 2, G_MAXUINT, argc, argv, &operands, &status))
        return status;
    if (is_decode)
        ids = parse_ids (operands + 1);
    if (is_decode ? !ids : !command_check_utf8 (&COMMAND_TOKENIZE, "TEXT", operands + 1))
        return STATUS_USAGE;
    model = altclip_model_open (operands[0], &options, NULL, &error);
    if (!model)
        return command_fail (error);
    return is_decode ? decode (model, ids) : encode_all (model, operands + 1);
}

const Command COMMAND_TOKENIZE = {
    .name = "tokenize",
    .summary = "Turn texts into the token ids that the model reads, or back",
    .operands = "MODEL TEXT…",
    .description = "Prints {\"text\": …, \"input_ids\": […]} per text, truncated at the model's "
                   "limit.\n"
                   "With --decode the operands are MODEL ID…, and the answer is one line.\n"
                   "A text that begins with a dash comes after '--'.\n"
                   "\n"
                   "Examples:\n"
                   "  altclip tokenize models/demo 'a red circle' 一个红色的圆\n"
                   "  altclip tokenize models/demo --decode 0 17 4 2",
    .run = run,
};
