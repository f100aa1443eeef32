#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Try docs/published.schema.json on what altclippublish writes.

    tests/published.py

Runs pipelines of every kind of record; each line must be valid, and must not be once it is spoilt.
Prints TAP. The plugin and the bundled model are found through the environment.

Runs in Debian's own Python, for which the packages python3-jsonschema, python3-gi and
gir1.2-gst-plugins-base-1.0 are.
"""

import copy
import json
import pathlib
import sys
import tempfile

import gi
import jsonschema

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import Gst, GstVideo  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "docs" / "published.schema.json"
EXAMPLE = ROOT / "pipelines" / "examples" / "prompts.json"

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


def publish(filter_properties, detector):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "lines.jsonl")
        pipeline = Gst.parse_launch(
            "%s ! video/x-raw,width=%d,height=%d ! altclipfilter mode=exact %s ! "
            'altclippublish method=file file-path="%s" source=test ! fakesink'
            % (DETECTED if detector else DRAWN, WIDTH, HEIGHT, filter_properties, path)
        )
        pipeline.set_state(Gst.State.PLAYING)
        if detector:
            push_detected(pipeline.get_by_name("source"))
        message = pipeline.get_bus().timed_pop_filtered(100 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        pipeline.set_state(Gst.State.NULL)
        if message is None or message.type != Gst.MessageType.EOS:
            raise SystemExit("the pipeline did not come to its end")
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def find_fault(validator, lines):
    """What is wrong with what was written, or None."""
    if sum("event" in line for line in lines) < 2 or sum("objects" in line for line in lines) != N_FRAMES:
        return "%d lines, and not those that were expected" % len(lines)
    for line in lines:
        error = jsonschema.exceptions.best_match(validator.iter_errors(line))
        if error:
            return "%s: %s" % (json.dumps(line), error.message)
        spoilt = spoil_event(line) if "event" in line else spoil_results(line)
        for how, bad in spoilt:
            if validator.is_valid(bad):
                return "valid %s: %s" % (how, json.dumps(bad))
    return None


def main():
    Gst.init(None)
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    n_wrong = 0
    print("1..%d" % len(CASES))
    for number, (name, filter_properties, detector) in enumerate(CASES, 1):
        fault = find_fault(validator, publish(filter_properties, detector))
        n_wrong += fault is not None
        if fault:
            print("#", fault)
        print("ok" if fault is None else "not ok", number, "-", name, flush=True)
    return n_wrong > 0


if __name__ == "__main__":
    sys.exit(main())
