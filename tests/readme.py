#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run what README.md shows: each gst-launch line, each Python and each C example.

    tests/readme.py README.md

Prints TAP. A camera is replaced by a test source, a model by the bundled one and a window by a
fakesink; the rest of a line runs as it is printed. The plugin is found through the environment.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

SUBSTITUTES = [
    (r"v4l2src[^!]*", "videotestsrc is-live=true num-buffers=60 pattern=smpte "),
    (r"(uridecodebin uri|rtspsrc location)=rtsp:[^!]*", "videotestsrc is-live=true num-buffers=60 pattern=smpte "),
    (r"autovideosink", "fakesink"),
    (r"model=\S+", ""),
]


def examples(text, language):
    """The fenced blocks in a language."""
    return re.findall(r"^```%s\n(.*?)^```" % language, text, re.MULTILINE | re.DOTALL)


def launch_lines(text):
    for block in examples(text, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("gst-launch-1.0"):
                yield line


def run(command, **options):
    """Whether the command succeeds, and what it said."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, **options)
    except subprocess.TimeoutExpired as e:
        return False, (e.stdout or b"").decode(errors="replace") + "\nruns for more than two minutes\n"
    return done.returncode == 0, done.stdout.decode(errors="replace")


def run_launch_line(line):
    for pattern, replacement in SUBSTITUTES:
        line = re.sub(pattern, replacement, line)
    done, output = run(["bash", "-c", line])
    if re.search(r"gst-launch-1.0 .*-\w*m", line) and "event=(string)begin" not in output:
        return False, output + "\nno label began\n"
    return done, output


def run_python(source):
    # Debian's own Python, for which the bindings of python3-gst-1.0 are.
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3"
    done, output = run([python, "-c", source])
    return done and bool(output.strip()), output


def run_c(source):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "gstreamer-1.0"], check=True, capture_output=True, text=True).stdout.split()
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "example")
        path = program + ".c"
        with open(path, "w") as f:
            f.write(source)
        done, output = run(["cc", "-Wall", "-Wextra", "-Werror", "-o", program, path] + flags)
        if not done:
            return done, output
        done, output = run([program])
        return done and bool(output.strip()), output


def main():
    with open(sys.argv[1]) as f:
        text = f.read()
    cases = [("launch line: " + line.split("!")[0], run_launch_line, line) for line in launch_lines(text)]
    cases += [("Python example", run_python, source) for source in examples(text, "python")]
    cases += [("C example", run_c, source) for source in examples(text, "c")]
    print("1..%d" % len(cases))
    n_failed = 0
    for n, (name, function, argument) in enumerate(cases, 1):
        done, output = function(argument)
        if not done:
            n_failed += 1
            for line in output.splitlines()[-30:]:
                print("# " + line)
        print("%s %d %s" % ("ok" if done else "not ok", n, name.strip()), flush=True)
    return n_failed > 0


if __name__ == "__main__":
    sys.exit(main())
