#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run the applications of pipelines/examples, with a test source in place of a webcam.

    tests/examples.py FOLDER

Prints TAP. The plugin is found through the environment.
"""

import os
import re
import subprocess
import sys
import tempfile

# Debian's own, for which the bindings of python3-gst-1.0 are.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3"

PROMPTS = "colour bars;static noise"
SOURCE = "videotestsrc num-buffers=30 ! video/x-raw,width=320,height=240"
MAX_LINES = 80


def run(*command):
    """What the command said, which must have succeeded."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def check_events(output):
    """One begin and its end, with the time of day."""
    lines = output.splitlines()
    assert len(lines) == 2, output
    for line, event in zip(lines, ("begin", "end")):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z %s colour bars [01]\.\d\d" % event, line), output


def check_python_webcam(folder):
    check_events(run(PYTHON, os.path.join(folder, "tag-webcam.py"), PROMPTS, SOURCE))


def check_c_webcam(folder):
    flags = run("pkg-config", "--cflags", "--libs", "gstreamer-1.0").split()
    with tempfile.TemporaryDirectory() as build:
        program = os.path.join(build, "tag-webcam")
        run("cc", "-Wall", "-Wextra", "-Werror", "-o", program, os.path.join(folder, "tag-webcam.c"), *flags)
        check_events(run(program, PROMPTS, SOURCE))


def check_regions(folder):
    lines = run(PYTHON, os.path.join(folder, "tag-regions.py")).splitlines()
    told = [line.rpartition(" ")[0] for line in lines]
    assert told[:4] == [
        "frame: x=0.0 a blue screen",
        "frame: x=0.5 a black screen",
        "region 1: x=0 a blue screen",
        "region 2: x=128 a black screen",
    ], lines
    assert lines[4:] in (["analytics: none"], ["analytics: not installed"]), lines


def check_sizes(folder):
    """An example is to be taken in at a glance."""
    for name in os.listdir(folder):
        if name.endswith((".c", ".py")):
            with open(os.path.join(folder, name)) as f:
                n = len(f.readlines())
            assert n <= MAX_LINES, "%s has %d lines" % (name, n)


def main():
    checks = [check_sizes, check_c_webcam, check_python_webcam, check_regions]
    n_failed = 0
    print("1..%d" % len(checks))
    for n, check in enumerate(checks, 1):
        try:
            check(sys.argv[1])
            print("ok %d %s" % (n, check.__name__), flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            n_failed += 1
            for line in str(error).splitlines():
                print("# " + line)
            print("not ok %d %s" % (n, check.__name__), flush=True)
    return n_failed > 0


if __name__ == "__main__":
    sys.exit(main())
