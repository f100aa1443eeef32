# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers of RTSP for tests: rtsp-server in processes of their own."""

import os
import subprocess

SERVER = os.environ.get("ALTCLIP_RTSP_SERVER", "rtsp-server")
NO_ENCODER = 77


class Missing(Exception):
    """What a test needs and is not there."""


def has_element(name):
    return subprocess.run(["gst-inspect-1.0", "--exists", name], check=False, stderr=subprocess.DEVNULL).returncode == 0


def choose_codec():
    """H.264, or JPEG where there is no encoder for it."""
    return "h264" if has_element("openh264enc") else "jpeg"


def need(*names):
    """One of these elements."""
    if not any(has_element(name) for name in names):
        raise Missing("no " + " and no ".join(names))


def read_port(process):
    """Of an rtsp-server, once it listens; 0 when it has ended without."""
    said = process.stdout.readline()
    return int(said.split()[-1]) if said.startswith("listening at ") else 0


class RtspServer:
    """With the options, arguments and environment of rtsp-server, but for the port."""

    def __init__(self, codec, *options, user=None, password=None, **environment):
        self.tls = "--certificate" in options
        self.process = subprocess.Popen([SERVER, *options, "0", codec] + ([user, password] if user else []),
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
        self.port = read_port(self.process)
        if not self.port:
            said = self.process.communicate()[1].strip()
            if self.process.returncode == NO_ENCODER:
                raise Missing(said)
            raise AssertionError("rtsp-server: " + said)

    def uri(self, credentials="", host="127.0.0.1"):
        return "%s://%s%s:%d/test" % ("rtsps" if self.tls else "rtsp", credentials, host, self.port)

    def end(self):
        self.process.kill()
        self.process.communicate()
