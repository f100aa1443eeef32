/* altclip: what tests/known-answer says, without the model that it is for
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The environment names the script (ALTCLIP_KNOWN_ANSWER), the command it runs (ALTCLIP_COMMAND)
 * and the bundled model (ALTCLIP_DEMO_MODEL), whose answer is another one.
 */

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>

typedef struct {
    char *directory;
    char *picture; /* JPEG, as large as the real one */
    char *command; /* a stand-in for altclip with the real model */
} Fixture;

static void
save_picture (const char *path, int width, int height)
{
    g_autoptr (GdkPixbuf) pixbuf = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, width, height);
    g_autoptr (GError) error = NULL;

    gdk_pixbuf_fill (pixbuf, 0x7f3f1fff);
    gdk_pixbuf_save (pixbuf, path, "jpeg", &error, NULL);
    g_assert_no_error (error);
}

static void
set_up (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    fixture->directory = g_dir_make_tmp ("altclip-answer-XXXXXX", NULL);
    fixture->picture = g_build_filename (fixture->directory, "cat.jpg", NULL);
    fixture->command = g_build_filename (fixture->directory, "altclip", NULL);
    save_picture (fixture->picture, 640, 480);
}

static void
tear_down (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_unlink (fixture->picture);
    g_unlink (fixture->command);
    g_assert_cmpint (g_rmdir (fixture->directory), ==, 0);
    g_free (fixture->directory);
    g_free (fixture->picture);
    g_free (fixture->command);
}

/* A command that has the real model's number of parameters, and gives @cat and @dog as scores. */
static void
pretend (Fixture *fixture, const char *cat, const char *dog)
{
    g_autofree char *script =
            g_strdup_printf ("#!/bin/sh\n"
                             "case $1 in\n"
                             "info) echo '{\"parameters\": 864186113}' ;;\n"
                             "*) echo '{\"results\": [{\"label\": \"一张猫的照片\", \"score\": %s},"
                             " {\"label\": \"一张狗的照片\", \"score\": %s}]}' ;;\n"
                             "esac\n",
                    cat, dog);

    g_assert_true (g_file_set_contents_full (
            fixture->command, script, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
}

/* Runs the script with up to two arguments, and asserts how it ends and what it says last.
 *
 * @command: (nullable): instead of the real one */
static void
check (const char *command, const char *directory, const char *picture, int status,
        const char *message)
{
    const char *argv[] = { g_getenv ("ALTCLIP_KNOWN_ANSWER"), directory, picture, NULL };
    g_auto (GStrv) environment = g_get_environ ();
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    g_autoptr (GError) error = NULL;
    int wait_status;

    if (command)
        environment = g_environ_setenv (environment, "ALTCLIP_COMMAND", command, TRUE);
    g_spawn_sync (NULL, (char **)argv, environment, G_SPAWN_DEFAULT, NULL, NULL, &out, &err,
            &wait_status, &error);
    g_assert_no_error (error);
    g_test_message ("%s%s", out, err);
    g_assert_true (WIFEXITED (wait_status));
    g_assert_cmpint (WEXITSTATUS (wait_status), ==, status);
    g_assert_nonnull (strstr (status == 0 || *out ? out : err, message));
}

static void
test_usage (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    check (NULL, NULL, NULL, 2, "usage: tests/known-answer DIRECTORY CAT.jpg. Try --help.");
    check (NULL, fixture->directory, NULL, 2, "usage: ");
    check (NULL, "--help", NULL, 0, "http://images.cocodataset.org/val2017/000000039769.jpg");
    check (NULL, "--help", NULL, 0, "https://huggingface.co/BAAI/AltCLIP");
}

static void
test_wrong_picture (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    const char *model = g_getenv ("ALTCLIP_DEMO_MODEL");
    const char *script = g_getenv ("ALTCLIP_KNOWN_ANSWER");

    check (NULL, model, "/no/such.jpg", 1, "/no/such.jpg: No such file or directory. See --help");
    check (NULL, model, script, 1,
            ": not a JPEG file, but the picture is a JPEG file of 640 × 480 pixels. See --help");
    save_picture (fixture->picture, 480, 640);
    check (NULL, model, fixture->picture, 1, "cat.jpg: 480 × 640 pixels, but the picture is");
}

static void
test_other_model (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    const char *model = g_getenv ("ALTCLIP_DEMO_MODEL");

    check (NULL, "/no/such/model", fixture->picture, 1, "altclip gave no answer.");
    check (NULL, model, fixture->picture, 1, "一张猫的照片  0.99942 ± 0.005  0.");
    check (NULL, model, fixture->picture, 1, "一张狗的照片  0.00058 ± 0.005  0.");
    check (NULL, model, fixture->picture, 1, "BAAI/AltCLIP has 864,186,113.");
}

static void
test_right_model (Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    pretend (fixture, "0.9952", "0.0048");
    check (fixture->command, "/model", fixture->picture, 0, "The answer is right.");
    pretend (fixture, "0.9942", "0.0058");
    check (fixture->command, "/model", fixture->picture, 1, "0.99420  ✗");
    check (fixture->command, "/model", fixture->picture, 1, "The answer is wrong. Is this model");
}

int
main (int argc, char **argv)
{
    g_test_init (&argc, &argv, NULL);
    g_test_add ("/known-answer/usage", Fixture, NULL, set_up, test_usage, tear_down);
    g_test_add (
            "/known-answer/wrong-picture", Fixture, NULL, set_up, test_wrong_picture, tear_down);
    g_test_add ("/known-answer/other-model", Fixture, NULL, set_up, test_other_model, tear_down);
    g_test_add ("/known-answer/right-model", Fixture, NULL, set_up, test_right_model, tear_down);
    return g_test_run ();
}
