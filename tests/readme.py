#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run what README.md and the pages of docs/ show: each block of commands, each Python and C program.

    tests/readme.py PAGE.md…

A fenced block of `sh`, `python` or `c` is run, and must succeed; a block of `output` is compared with what
the one before it printed. Those of a page are run in turn in a folder that is like the checkout, and is
thrown away. A line before a block says what is different with it:

    <!-- not run: REASON -->    it needs what a test has not
    <!-- fails -->              it ends with an error, which is what it shows
    <!-- needs PACKAGE -->      it is run where pkg-config knows that
    <!-- compiles on CPU -->    it is a file of the engine, which is compiled there and not run

In `output`, an ellipsis (…) stands for anything, blanks and ends of lines for each other, and numbers with a
decimal point may differ a little. A camera is replaced by a test source, a real model by the bundled one
and a window by a fakesink; the rest runs as it is printed. Prints TAP. The plugin and the command are
found through the environment.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

SUBSTITUTES = [
    (r"v4l2src[^!]*", "videotestsrc is-live=true num-buffers=60 pattern=smpte "),
    (r"(uridecodebin uri|rtspsrc location)=rtsp:[^!]*", "videotestsrc is-live=true num-buffers=60 pattern=smpte "),
    (r"autovideosink", "fakesink"),
    (r"/path/to/AltCLIP", "models/demo"),
]

BLOCK = re.compile(r"^(?:<!-- ([^\n]*?) -->\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

# What would be missed, not being in a fenced block.
UNFENCED = re.compile(r"^ {4}(?:altclip[\w-]*|curl|systemctl|gst-\w+-1\.0|meson|mosquitto\w*|git|cc|pip|apt-get|build/\S+|pipelines/\S+|tests/\S+) ", re.MULTILINE)

# Scores differ in their last digits between processors.
TOLERANCE = 0.02

TIME_LIMIT = 120


class Block:
    """A fenced block, with the mark before it."""

    def __init__(self, page, text, match):
        self.mark, self.language, self.source = match.groups()
        self.name = "%s, line %d: %s" % (
            page,
            text.count("\n", 0, match.start(2)) + 1,
            re.split(r"[!\n]", self.source)[0].strip("\\ "),
        )


def run(command, folder, **options):
    """The exit status, and what the command said; none when it took too long."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIME_LIMIT, **options
        )
    except subprocess.TimeoutExpired as e:
        return None, (e.stdout or b"").decode(errors="replace") + "\nruns for more than two minutes\n"
    return done.returncode, done.stdout.decode(errors="replace")


def run_commands(source, folder):
    for pattern, replacement in SUBSTITUTES:
        source = re.sub(pattern, replacement, source)
    status, output = run(["bash", "-euo", "pipefail", "-c", source], folder)
    if status == 0 and re.search(r"gst-launch-1.0 .*-\w*m", source) and "event=(string)begin" not in output:
        return 1, output + "\nno label began\n"
    return status, output


def run_python(source, folder):
    # Debian's own Python, for which the bindings of python3-gst-1.0 are.
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3"
    status, output = run([python, "-c", source], folder)
    return status if output.strip() else 1, output


def run_c(source, folder):
    packages = ["gstreamer-1.0"] + (["gstreamer-analytics-1.0"] if "<gst/analytics/" in source else [])
    flags = subprocess.run(["pkg-config", "--cflags", "--libs"] + packages, check=True, capture_output=True, text=True).stdout.split()
    with open(os.path.join(folder, "example.c"), "w") as f:
        f.write(source)
    status, output = run(["cc", "-Wall", "-Wextra", "-Werror", "-o", "example", "example.c"] + flags, folder)
    if status != 0:
        return status, output
    status, output = run(["./example"], folder)
    return status if output.strip() else 1, output


def compile_of_engine(source, folder):
    with open(os.path.join(folder, "example.c"), "w") as f:
        f.write(source)
    flags = subprocess.run(["pkg-config", "--cflags", "gio-2.0"], check=True, capture_output=True, text=True).stdout.split()
    return run(["cc", "-Wall", "-Wextra", "-Werror", "-Iengine", "-c", "example.c"] + flags, folder)


RUNNERS = {"sh": run_commands, "python": run_python, "c": run_c}


def normalise(text):
    return " ".join(text.split())


def compile_piece(text):
    """A pattern of a part of the expected output, with a group for each number that may differ."""
    numbers = re.findall(r"\d+\.\d+", text)
    pattern = r"(-?\d+\.\d+)".join(re.escape(part) for part in re.split(r"-?\d+\.\d+", text))
    return re.compile(pattern), [float(number) for number in numbers]


def find_piece(piece, output, at):
    """Where the piece ends in the output, at the earliest; -1 when it is not there."""
    pattern, numbers = compile_piece(piece)
    match = pattern.search(output, at)
    while match:
        if all(abs(abs(float(found)) - number) <= TOLERANCE for found, number in zip(match.groups(), numbers)):
            return match.end()
        match = pattern.search(output, match.start() + 1)
    return -1


def find_difference(expected, output):
    """The first part of the expected output that is not in the output, in this order."""
    output = normalise(output)
    at = 0
    for piece in normalise(expected).split("…"):
        at = find_piece(piece.strip(), output, at)
        if at < 0:
            return piece
    return None


def run_block(block, folder):
    runner = compile_of_engine if (block.mark or "").startswith("compiles on ") else RUNNERS[block.language]
    status, output = runner(block.source, folder)
    if block.mark == "fails":
        return status not in (0, None), output
    return status == 0, output


def is_left_out(mark):
    if mark.startswith("needs "):
        return subprocess.run(["pkg-config", "--exists", mark.split()[1]], check=False).returncode != 0
    if mark.startswith("compiles on "):
        return mark.split()[2] != platform.machine()
    return mark.startswith("not run: ")


def make_folder(folder):
    """What the checkout has, and build/ where it was built."""
    for name in os.listdir(ROOT):
        if not name.startswith((".", "build")):
            os.symlink(os.path.join(ROOT, name), os.path.join(folder, name))
    build = os.environ.get("MESON_BUILD_ROOT", os.path.join(ROOT, "build"))
    os.symlink(build, os.path.join(folder, "build"))


def check_page(page, folder):
    """For each block: whether it is right, its name, and what there is to say of it."""
    with open(page, encoding="utf-8") as f:
        text = f.read()
    page = os.path.relpath(page, ROOT)
    for match in UNFENCED.finditer(FENCED.sub(lambda match: "\n" * match.group().count("\n"), text)):
        yield False, "%s, line %d" % (page, text.count("\n", 0, match.start()) + 1), "commands belong into a fenced block of sh"
    output = None
    for block in (Block(page, text, match) for match in BLOCK.finditer(text)):
        if is_left_out(block.mark or ""):
            output = None
        elif block.language in RUNNERS:
            right, output = run_block(block, folder)
            yield right, block.name, output
        elif block.language == "output" and output is not None:
            difference = find_difference(block.source, output)
            yield difference is None, block.name, "%s\nThat does not have, in this order: %s" % (output, difference)


def main():
    n = n_failed = 0
    for page in sys.argv[1:]:
        folder = tempfile.mkdtemp()
        try:
            make_folder(folder)
            for right, name, output in check_page(page, folder):
                n += 1
                if not right:
                    n_failed += 1
                    for line in output.splitlines()[-40:]:
                        print("# " + line)
                print("%s %d %s" % ("ok" if right else "not ok", n, name), flush=True)
        finally:
            shutil.rmtree(folder)
    print("1..%d" % n)
    return n_failed > 0


if __name__ == "__main__":
    sys.exit(main())
