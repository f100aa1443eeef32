#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What altclip-monitor sees in films of the bundled model's world that come over a network, beside what `altclip watch` sees in
the files: the same events, in the same order, at the same time of the film.

    tests/monitor/streams.py [--long] [BUILD]

A film of 24 s over TCP and over UDP; --long, about a quarter of an hour: films
of 90 s in four codecs, and one of which UDP loses packets.

Both look at a frame each fifth of a second, but not at the same frames: the one that a stream begins with is chance. So a film is
watched as a file several times, each time at other frames. Events that it tells each time are certain: the stream has to tell them,
once. What it tells besides has to be told by one of the files' runs too.

Prints TAP. Only the standard library.
"""

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROMPTS = os.path.join(ROOT, "pipelines/examples/watch.json")
MODEL = os.path.join(ROOT, "models/demo")

FRAME = 1 / 15  # s
INTERVAL = 3 * FRAME
# A file's frames that are looked at: each third, each second, each fourth, all.
INTERVALS = (INTERVAL, 2 * FRAME, 4 * FRAME, 0)

# What a label's state changes by is looked at once an interval, or a frame later where the stream's clock has moved a little;
# once to see that the score has crossed the line, and once more to see that it has stayed there for min_on or min_off.
STEP = INTERVAL + FRAME
TOLERANCE = 2 * STEP + 2 * FRAME

# A stream's time begins when its first packet comes: all of it is that much later, which depends on how busy the machine is.
LATEST_BEGIN = 1

# And each look that the machine had no time for, or for which the network lost the frame, makes that a step later: at both places one.
def get_tolerance(film, state):
    lost = film.seconds / INTERVAL - state["analysed"]
    return TOLERANCE + min(max(int(lost / (0.01 * film.seconds / INTERVAL)), 0), 2) * STEP


class Film:
    """codec: of the file; served as it is, unless another is named."""

    def __init__(self, name, seed, seconds, codec="vp8:300", transcoder=None):
        self.name, self.seed, self.seconds, self.codec, self.transcoder = name, seed, seconds, codec, transcoder
        self.payload = transcoder[0] if transcoder else codec.split(":")[0]

    def render(self, folder, build):
        path = os.path.join(folder, self.name)
        run(os.path.join(build, "tests/evaluation/film"), "--seed", str(self.seed), "--seconds", str(self.seconds), "--codec", self.codec,
            "--brightness", "0.9", "--noise", "3", path)
        self.path = path + ".mkv"
        if self.transcoder:
            run("gst-launch-1.0", "-q", "filesrc", "location=" + self.path, "!", "matroskademux", "!", "vp8dec", "!", "videoconvert", "!",
                *self.transcoder[1:], "!", "matroskamux", "!", "filesink", "location=" + path + "-again.mkv")
            self.path = path + "-again.mkv"


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600).stdout


# ---- Events: (kind, label, time of the film) ---------------------------------------------------------------------------------


def from_lines(lines):
    return [(e["event"], e["label"], e["pts"] / 1e9) for e in map(json.loads, lines)]


def watch_file(film, interval, build):
    return from_lines(run(os.path.join(build, "pipelines/altclip"), "watch", MODEL, "--prompts-file", PROMPTS, "--interval", "%.9f" % interval,
                          film.path).splitlines())


def take_first_round(events):
    """Until the film begins anew."""
    n = next((i for i in range(1, len(events)) if events[i][2] < events[i - 1][2] - TOLERANCE), len(events))
    return events[:n]


def is_same(one, other, tolerance):
    return one[:2] == other[:2] and abs(one[2] - other[2]) <= tolerance


def find(event, events, tolerance=TOLERANCE):
    """The nearest in time that is the same."""
    return min((e for e in events if is_same(event, e, tolerance)), key=lambda e: abs(e[2] - event[2]), default=None)


def get_offset(certain, stream):
    """How much later the stream's time begins: what half of the events are at least."""
    found = [(event, find(event, stream, TOLERANCE + LATEST_BEGIN)) for event in certain]
    return statistics.median([other[2] - event[2] for event, other in found if other] or [0])


def compare(runs, stream, tolerance):
    """What is wrong, and how late each of the certain events was, beside what all are."""
    certain = [e for e in runs[0] if all(find(e, other) for other in runs[1:])]
    offset = get_offset(certain, stream)
    stream = [(kind, label, time - offset) for kind, label, time in stream]
    faults, delays, told = [], [], []
    for event in certain:
        found = [e for e in stream if is_same(event, e, tolerance)]
        if len(found) != 1:
            faults.append("%s %s at %.2f s is told %d times" % (*event, len(found)))
        else:
            told.append(found[0])
            delays.append(found[0][2] - event[2])
    for event in stream:
        if not any(find(event, other, tolerance) for other in runs):
            faults.append("%s %s at %.2f s is in no file" % event)
    # In the same order, where they are further apart than they may be late.
    for (before, a), (after, b) in zip(zip(certain, told), list(zip(certain, told))[1:]):
        if after[2] - before[2] > tolerance and b[2] <= a[2]:
            faults.append("%s %s at %.2f s is told before %s %s at %.2f s" % (*b, *a))
    if abs(offset) > LATEST_BEGIN:
        faults.append("all is %.2f s late" % offset)
    return certain, faults, delays, offset


# ---- Streams -----------------------------------------------------------------------------------------------------------------


def watch_streams(film, options, transports, program_class, server_class):
    """Of each transport: the stored events of the first time that the film was played, and the camera's state after it."""
    server = server_class(film.payload, "--film", film.path, *options)
    cameras = [{"name": "%s-%s" % (film.name, transport), "uri": server.uri(), "transport": transport, "interval": INTERVAL,
                "prompts_file": PROMPTS} for transport in transports]
    program = program_class(token=None, cameras=cameras)
    states = {}

    def have_ended():
        for camera in program.get("/api/cameras").json()["cameras"]:
            if camera["reconnects"] > 0:
                states.setdefault(camera["name"], camera)
        return len(states) == len(cameras)

    try:
        program.wait_for(have_ended, film.seconds + 30)
        # What was on when a stream ended is told after that: all is on disk when the program has ended.
        program.process.terminate()
        program.process.wait(30)
        with sqlite3.connect(os.path.join(program.folder, "data", "events.sqlite")) as database:
            stored = {name: from_lines(row[0] for row in database.execute(
                "SELECT json FROM events WHERE camera = ? ORDER BY id", (name,))) for name in states}
    finally:
        program.end()
        server.end()
    return {name: (take_first_round(stored[name]), states[name]) for name in states}


def report(number, name, film, runs, stream, state):
    certain, faults, delays, offset = compare(runs, stream, get_tolerance(film, state))
    try:
        assert not faults, "; ".join(faults)
        assert len(certain) >= 4, certain
    except AssertionError:
        for line in traceback.format_exc().splitlines() + ["%d frames, %d looked at" % (state["frames"], state["analysed"]), "file: %s" % runs[0], "stream: %s" % stream]:
            print("# " + line)
        print("not ok %d %s" % (number, name), flush=True)
        return False
    print("ok %d %s: %d frames, %d looked at, %d events, of which %d are certain; begun %.2f s late, then at most %.2f s off" % (
        number, name, state["frames"], state["analysed"], len(stream), len(certain), offset, max(map(abs, delays))), flush=True)
    return True


def choose_films(is_long, missing, need):
    """Scenes that follow one another at once, by degrees, with noise and with single frames of something else."""
    both = ("tcp", "udp")
    films = [(Film("short", 7, 24), (), both)]
    if not is_long:
        return films, []
    left_out = []
    films = [(Film("vp8-%d" % seed, seed, 90), (), both) for seed in (5, 6)]
    films.append((Film("jpeg", 7, 90, "jpeg:70"), (), both))
    films.append((Film("jpeg-lossy", 8, 90, "jpeg:70"), ("--loss", "0.01"), ("udp",)))
    for name, encoder, parser, decoders, more in (
            ("h264", "openh264enc", "h264parse", ("openh264dec", "avdec_h264"), ("bitrate=300000", "gop-size=75")),
            ("h265", "x265enc", "h265parse", ("libde265dec", "avdec_h265"), ("bitrate=300", "key-int-max=75", "tune=zerolatency", "speed-preset=ultrafast"))):
        try:
            need(encoder)
            need(*decoders)
            films.append((Film(name, 3, 90, "vp8:2000", (name, encoder, *more, "!", parser)), (), both))
        except missing as error:
            left_out.append((name, str(error)))
    return films, left_out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("build", nargs="?", default=os.path.join(ROOT, "build"))
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    for name, value in (("ALTCLIP_CACHE", "off"), ("ALTCLIP_DEMO_MODEL_DIR", MODEL), ("GST_PLUGIN_PATH", os.path.join(build, "gst")),
                        ("ALTCLIP_MONITOR", os.path.join(build, "pipelines/monitor/altclip-monitor")),
                        ("ALTCLIP_RTSP_SERVER", os.path.join(build, "tests/monitor/rtsp-server"))):
        os.environ.setdefault(name, value)
    # They look at the environment when they are loaded.
    from program import Program
    from rtsp import Missing, RtspServer, need

    films, left_out = choose_films(arguments.long, Missing, need)
    print("1..%d" % (sum(len(transports) for _, _, transports in films) + len(left_out)), flush=True)
    number, right = 0, True
    with tempfile.TemporaryDirectory() as folder:
        for film, options, transports in films:
            film.render(folder, build)
            told = watch_streams(film, options, transports, Program, RtspServer)
            runs = [watch_file(film, interval, build) for interval in (INTERVALS if arguments.long else INTERVALS[:3])]
            for transport in transports:
                number += 1
                name = "%s-%s" % (film.name, transport)
                right = report(number, name, film, runs, *told[name]) and right
    for name, reason in left_out:
        number += 1
        print("ok %d %s # SKIP %s" % (number, name, reason))
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
