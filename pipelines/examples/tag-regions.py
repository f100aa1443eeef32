#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An example: an application that knows where to look, and asks what is there.

Pushes a picture with two regions into the pipeline, as a detector of objects would leave them, and
reads what altclipfilter says of each: from the region's own metadata, from the frame's, and with
GStreamer 1.24 or later from GstAnalytics.

Needs Debian's python3-gst-1.0 and gir1.2-gst-plugins-base-1.0.
"""

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import GLib, Gst, GstApp, GstVideo  # noqa: F401  GstApp gives appsink its methods

WIDTH, HEIGHT = 256, 128
PIPELINE = (
    "appsrc name=source format=time caps=video/x-raw,format=RGB,width=%d,height=%d,framerate=1/1 ! "
    'altclipfilter inference-region=roi-list mode=exact prompts="a blue screen;a black screen" ! '
    "appsink name=sink sync=false" % (WIDTH, HEIGHT)
)


def make_picture():
    """Blue on the left and black on the right, each marked as a region."""
    picture = Gst.Buffer.new_wrapped((b"\0\0\xff" * (WIDTH // 2) + b"\0\0\0" * (WIDTH // 2)) * HEIGHT)
    picture.pts = 0
    for number in 1, 2:
        region = GstVideo.buffer_add_video_region_of_interest_meta(picture, "screen", (number - 1) * WIDTH // 2, 0, WIDTH // 2, HEIGHT)
        region.id = number
    return picture


def get_best(structure):
    best = structure.get_value("results")[0]
    return "%s %.2f" % (best.get_value("label"), best.get_value("score"))


def print_tags(frame):
    for region in frame.get_custom_meta("AltClipMeta").get_structure().get_value("regions"):
        print("frame: x=%.1f" % region.get_value("x"), get_best(region))
    for number in 1, 2:
        region = GstVideo.buffer_get_video_region_of_interest_meta_id(frame, number)
        print("region %d: x=%d" % (number, region.x), get_best(region.get_param("altclip-region")))


def print_analytics(frame):
    gi.require_version("GstAnalytics", "1.0")
    from gi.repository import GstAnalytics

    relations = GstAnalytics.buffer_get_analytics_relation_meta(frame)
    if not relations:  # they are attached to objects that came with some
        return print("analytics: none")
    for i in range(relations.get_length()):
        found, classification = relations.get_cls_mtd(i)
        if found:
            print("analytics:", GLib.quark_to_string(classification.get_quark(0)), "%.2f" % classification.get_level(0))


def main():
    Gst.init(None)
    pipeline = Gst.parse_launch(PIPELINE)
    source, sink = pipeline.get_by_name("source"), pipeline.get_by_name("sink")
    pipeline.set_state(Gst.State.PLAYING)
    source.push_buffer(make_picture())
    source.end_of_stream()
    if not (sample := sink.pull_sample()):
        raise SystemExit(pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR).parse_error()[0].message)
    print_tags(sample.get_buffer())
    try:
        print_analytics(sample.get_buffer())
    except ValueError:
        print("analytics: not installed")
    pipeline.set_state(Gst.State.NULL)


main()
