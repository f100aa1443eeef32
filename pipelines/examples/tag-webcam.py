#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An example: what a webcam shows.

    tag-webcam.py "a red circle;a person=somebody|a face" ["videotestsrc num-buffers=90"]

Reacts to what begins and ends; a second argument takes the place of the webcam. Ctrl+C ends it.
Needs Debian's python3-gi and gir1.2-gstreamer-1.0.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst


def on_event(event):
    """Here is the place to ring a bell."""
    if event.get_value("event") in ("begin", "end"):
        print(event.get_value("utc"), event.get_value("event"), event.get_value("label"), "%.2f" % event.get_value("score"), flush=True)


def on_message(bus, message, loop):
    if message.type == Gst.MessageType.ELEMENT and message.has_name("altclip"):
        on_event(message.get_structure())
    elif message.type == Gst.MessageType.ERROR:
        print(message.parse_error()[0].message, file=sys.stderr)
        loop.quit()
    elif message.type == Gst.MessageType.EOS:
        loop.quit()


def main(prompts="a person;an empty room", source="v4l2src"):
    Gst.init(None)
    loop = GLib.MainLoop()
    pipeline = Gst.parse_launch(source + " ! videoconvert ! altclipfilter name=filter ! fakesink")
    pipeline.get_by_name("filter").set_property("prompts", prompts)
    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message, loop)
    pipeline.set_state(Gst.State.PLAYING)
    try:
        loop.run()
    except KeyboardInterrupt:
        pass
    pipeline.set_state(Gst.State.NULL)
    bus.remove_signal_watch()


if __name__ == "__main__":
    main(*sys.argv[1:])
