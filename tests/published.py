#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Try docs/published.schema.json on what altclippublish and `altclip watch` write.

    tests/published.py

Runs pipelines of every kind of record; each line must be valid, and must not be once it is spoilt.
What `altclip watch` writes of the bundled clip must be what altclippublish does. Prints TAP. The
plugin, the bundled model and the command are found through the environment.

Runs in Debian's own Python, for which the packages python3-jsonschema, python3-gi and
gir1.2-gst-plugins-base-1.0 are.
"""

import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import gi
import jsonschema

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import Gst, GstVideo  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "docs" / "published.schema.json"
EXAMPLES = ROOT / "pipelines" / "examples"
EXAMPLE = EXAMPLES / "prompts.json"
MODEL = ROOT / "models" / "demo"
CLIP = MODEL / "demo.webm"

N_FRAMES = 12
WIDTH = 160
HEIGHT = 120
DRAWN = "videotestsrc num-buffers=%d pattern=smpte" % N_FRAMES
DETECTED = "appsrc name=source format=time caps=video/x-raw,format=RGB,width=%d,height=%d,framerate=30/1" % (WIDTH, HEIGHT)

PROMPTS = 'prompts="colour bars;static noise;a black screen;a red circle"'

# What it is, the filter's properties, and whether a detector comes before it.
CASES = [
    ("whole frames", PROMPTS, False),
    ("a part of the frame", PROMPTS + " region=0.5,0,0.5,1", False),
    ("cosines", PROMPTS + " score-mode=cosine", False),
    ("groups", 'prompts-file="%s"' % EXAMPLE, False),
    ("regions", PROMPTS + " inference-region=roi-list", True),
    ("two filters", PROMPTS + " ! altclipfilter mode=exact " + PROMPTS, False),
]


# What altclip watch is told, and the same as properties.
WATCHED = [
    (
        "altclip watch, prompts",
        ["--prompts", "colour bars;a red circle;static noise", "--negative-prompts", "a clear picture", "--interval", "0.4"],
        'prompts="colour bars;a red circle;static noise" negative-prompts="a clear picture" interval=400000000',
    ),
    (
        "altclip watch, a file of prompts",
        ["--prompts-file", str(EXAMPLES / "watch.json"), "--threshold", "0.7", "--smoothing", "0.5"],
        'prompts-file="%s" threshold=0.7 smoothing=500000000 interval=200000000' % (EXAMPLES / "watch.json"),
    ),
    (
        "altclip watch, groups and all options",
        ["--prompts-file", str(EXAMPLES / "prompts.json"), "--hysteresis", "0.3", "--min-on-time", "0.3", "--min-off-time", "0.4"]
        + ["--region", "0.1,0.1,0.8,0.8", "--motion-threshold", "0.001", "--interval", "0", "--precision", "f32"],
        'prompts-file="%s" hysteresis=0.3 min-on-time=300000000 min-off-time=400000000 ' % (EXAMPLES / "prompts.json")
        + "region=0.1,0.1,0.8,0.8 motion-threshold=0.001 precision=f32",
    ),
]

# Of each line these depend on when and where it was written.
OWN = ("utc", "element")


def spoil_event(line):
    """Events that are none."""
    for name in ("event", "label", "element", "utc", "sequence", "score_mode", "reason"):
        if name in line and (name != "reason" or line["event"] != "begin"):
            yield "without " + name, {key: value for key, value in line.items() if key != name}
    yield "of an unknown kind", {**line, "event": "middle"}
    yield "with a time below 0", {**line, "running_time": -1}
    yield "with objects", {**line, "objects": []}


def spoil_results(line):
    """Results that are none."""
    yield "without objects", {key: value for key, value in line.items() if key != "objects"}
    yield "with no object", {**line, "objects": []}
    yield "with a sequence of 0", {**line, "sequence": 0}
    for name in ("altclip", "results", "element", "age"):
        spoilt = copy.deepcopy(line)
        del spoilt["objects"][0][name]
        yield "of an object without " + name, spoilt
    spoilt = copy.deepcopy(line)
    spoilt["objects"][0]["results"][0]["score"] = "high"
    yield "with a score in words", spoilt


def push_detected(source):
    """Frames with what a detector attaches."""
    for number in range(N_FRAMES):
        frame = Gst.Buffer.new_wrapped(bytes(WIDTH * HEIGHT * 3))
        frame.pts = number * Gst.SECOND // 30
        GstVideo.buffer_add_video_region_of_interest_meta(frame, "person", 16, 12, 64, 48).id = 7
        source.emit("push-buffer", frame)
    source.emit("end-of-stream")


def publish(start, filter_properties, name, detector=False):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "lines.jsonl")
        pipeline = Gst.parse_launch(
            "%s ! altclipfilter mode=exact %s ! "
            'altclippublish method=file file-path="%s" source="%s" ! fakesink' % (start, filter_properties, path, name)
        )
        pipeline.set_state(Gst.State.PLAYING)
        if detector:
            push_detected(pipeline.get_by_name("source"))
        message = pipeline.get_bus().timed_pop_filtered(100 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        pipeline.set_state(Gst.State.NULL)
        if message is None or message.type != Gst.MessageType.EOS:
            raise SystemExit("the pipeline did not come to its end")
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def publish_drawn(filter_properties, detector):
    start = "%s ! video/x-raw,width=%d,height=%d" % (DETECTED if detector else DRAWN, WIDTH, HEIGHT)
    return publish(start, filter_properties, "test", detector)


def watch(arguments):
    command = [os.environ["ALTCLIP_COMMAND"], "watch", str(MODEL), "--results"] + arguments + [str(CLIP)]
    output = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", timeout=200).stdout
    return [json.loads(line) for line in output.splitlines()]


def strip(line):
    """A line without what is its own."""
    line = {key: value for key, value in line.items() if key not in OWN}
    if "objects" in line:
        line["objects"] = [{key: value for key, value in item.items() if key not in OWN} for item in line["objects"]]
    return line


def find_drawn_fault(validator, lines):
    """What is wrong with what was written, or None."""
    if sum("event" in line for line in lines) < 2 or sum("objects" in line for line in lines) != N_FRAMES:
        return "%d lines, and not those that were expected" % len(lines)
    return find_fault(validator, lines)


def find_watched_fault(validator, lines, published):
    """What is wrong with what altclip watch wrote, or None."""
    if sum("event" in line for line in lines) < 10 or sum("objects" in line for line in lines) < 70:
        return "%d lines, and not those that were expected" % len(lines)
    if len(lines) != len(published):
        return "%d lines, but altclippublish writes %d" % (len(lines), len(published))
    for line, other in zip(lines, published):
        if strip(line) != strip(other):
            return "altclippublish writes %s, but altclip watch %s" % (json.dumps(other), json.dumps(line))
    return find_fault(validator, lines)


def find_fault(validator, lines):
    """Which line is invalid, or still valid though it is spoilt, or None."""
    for line in lines:
        error = jsonschema.exceptions.best_match(validator.iter_errors(line))
        if error:
            return "%s: %s" % (json.dumps(line), error.message)
        spoilt = spoil_event(line) if "event" in line else spoil_results(line)
        for how, bad in spoilt:
            if validator.is_valid(bad):
                return "valid %s: %s" % (how, json.dumps(bad))
    return None


def find_faults(validator):
    """Name and fault of each case."""
    for name, filter_properties, detector in CASES:
        yield name, find_drawn_fault(validator, publish_drawn(filter_properties, detector))
    start = 'uridecodebin uri="%s" ! videoconvert' % CLIP.as_uri()
    for name, arguments, filter_properties in WATCHED:
        published = publish(start, filter_properties, CLIP)
        yield name, find_watched_fault(validator, watch(arguments), published)


def main():
    Gst.init(None)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    n_wrong = 0
    print("1..%d" % (len(CASES) + len(WATCHED)))
    for number, (name, fault) in enumerate(find_faults(jsonschema.Draft202012Validator(schema)), 1):
        n_wrong += fault is not None
        if fault:
            print("#", fault)
        print("ok" if fault is None else "not ok", number, "-", name, flush=True)
    return n_wrong > 0


if __name__ == "__main__":
    sys.exit(main())
