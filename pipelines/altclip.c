/* altclip: the command
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 *     altclip classify models/demo --prompts 'a red circle;colour bars' frame.png
 */

#include "command.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const Command *const COMMANDS[] = { &COMMAND_CLASSIFY,
#if HAVE_PANGO
    &COMMAND_TIMELINE,
#endif
    &COMMAND_WATCH, &COMMAND_CALIBRATE, &COMMAND_EMBED, &COMMAND_INFO, &COMMAND_TOKENIZE,
    &COMMAND_FORWARD, &COMMAND_INIT, &COMMAND_BENCH, &COMMAND_CONVERT };

static void
print_help (FILE *stream)
{
    fputs ("Usage: altclip COMMAND [OPTION…] MODEL …\n"
           "\n"
           "Says which of the phrases you type a picture, a video or a camera shows, with an\n"
           "AltCLIP model.\n"
           "MODEL is a directory in the Hugging Face layout: config.json,\n"
           "preprocessor_config.json, model.safetensors or pytorch_model.bin,\n"
           "sentencepiece.bpe.model.\n"
           "\n"
           "Commands:\n",
            stream);
    for (gsize i = 0; i < G_N_ELEMENTS (COMMANDS); i++)
        fprintf (stream, "  %-10s %s\n", COMMANDS[i]->name, COMMANDS[i]->summary);
    fputs ("\n"
           "Options:\n"
           "  -h, --help     Show this and exit\n"
           "  --version      Show the version and exit\n"
           "\n"
           "'altclip COMMAND --help' tells more. Results are JSON lines on standard output.\n"
           "Exit status: 0 success, 1 failure, 2 wrong usage.\n"
           "\n"
           "Example:\n"
           "  altclip classify models/demo --prompts 'a red circle;colour bars;a black screen' "
           "frame.png\n",
            stream);
}

static int
run_command (int argc, char **argv)
{
    for (gsize i = 0; i < G_N_ELEMENTS (COMMANDS); i++) {
        if (strcmp (argv[1], COMMANDS[i]->name) == 0)
            return COMMANDS[i]->run (argc - 1, argv + 1);
    }
    fprintf (stderr, "altclip: there is no %s '%s'\nTry 'altclip --help'.\n",
            argv[1][0] == '-' ? "option" : "command", argv[1]);
    return STATUS_USAGE;
}

/* Where a standard stream is closed, the next file to be opened would take its place, and be
 * written to. This one refuses. */
static void
fill_standard_streams (void)
{
    int fd;

    do
        fd = open ("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close (fd);
}

int
main (int argc, char **argv)
{
    fill_standard_streams ();
    /* A reader who leaves early is an ordinary write error, not a reason to be killed. */
    signal (SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_help (stderr);
        return STATUS_USAGE;
    }
    if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0) {
        print_help (stdout);
        return STATUS_OK;
    }
    if (strcmp (argv[1], "--version") == 0) {
        puts ("altclip " ALTCLIP_VERSION);
        return STATUS_OK;
    }
    return run_command (argc, argv);
}
