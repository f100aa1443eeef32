#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What altclip-monitor can watch, each tried for real in one program: codecs over RTSP, MJPEG over HTTP, files, devices, TLS,
passwords; and what it says where it cannot.

    ALTCLIP_MONITOR=PROGRAM ALTCLIP_RTSP_SERVER=PROGRAM tests/monitor/inputs.py

Prints TAP. Only the standard library, openssl, gst-launch-1.0 and gst-inspect-1.0.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import mjpeg
from mjpeg import MjpegServer
from program import Program
from rtsp import Missing, RtspServer, need

USER, PASSWORD, WRONG = "viewer", "sw0rdfish-4711", "gr0undless-1174"
BARS = "colour bars"
FILM_SECONDS = 1
LIMIT = 40  # s, until a camera is where it is to be


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)


class Site:
    """Servers, files and certificates, and the cameras that are there."""

    def __init__(self, folder):
        self.folder, self.cameras, self.servers, self.silent, self.checks = folder, [], [], [], []

    def path(self, name):
        return os.path.join(self.folder, name)

    def add(self, name, check, uri, **more):
        """A camera, and what becomes of it."""
        self.cameras.append({"name": name, "uri": uri, "interval": 0.5, "prompts": BARS + ";static noise", "watchdog": 4, **more})
        self.checks.append((name, check))

    def leave_out(self, name, reason):
        self.checks.append((name, reason))

    def serve(self, *arguments, **more):
        self.servers.append(RtspServer(*arguments, **more))
        return self.servers[-1]

    def find_port_of_nobody(self):
        """That nobody else listens at either, as it is taken."""
        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))
        self.silent.append(taken)
        return taken.getsockname()[1]

    def film(self, name, *encoder):
        path = self.path(name)
        run("gst-launch-1.0", "-q", "videotestsrc", "num-buffers=%d" % (10 * FILM_SECONDS), "!",
            "video/x-raw,format=I420,width=320,height=240,framerate=10/1", "!", *encoder, "!", "filesink", "location=" + path)
        return path

    def certify(self, name, address, *signer):
        """A PEM file with certificate and key, and one with the certificate alone."""
        key, certificate, pair = self.path(name + ".key"), self.path(name + ".pem"), self.path(name + ".pair")
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name, "-keyout", key, "-out",
            certificate, "-addext", "subjectAltName=" + address, *signer)
        with open(pair, "wb") as f:
            for part in (certificate, key):
                with open(part, "rb") as source:
                    f.write(source.read())
        return pair, certificate

    def end(self):
        for server in self.servers:
            server.end()
        for taken in self.silent:
            taken.close()


# ---- What becomes of a camera ------------------------------------------------------------------------------------------------


def camera(program, name):
    return next(c for c in program.get("/api/cameras").json()["cameras"] if c["name"] == name)


def events(program, name):
    return program.get("/api/events?limit=1000&camera=" + name).json()["events"]


def sees(program, name):
    """It plays, and the colour bars are seen."""
    program.wait_for(lambda: any(e["kind"] == "begin" and e["label"] == BARS for e in events(program, name)), LIMIT)
    assert camera(program, name)["frames"] >= camera(program, name)["analysed"] > 0, camera(program, name)


def sees_without_end(program, name):
    """The colour bars are seen, without an interruption."""
    sees(program, name)
    assert camera(program, name)["reconnects"] == 0, camera(program, name)


def fails(*words):
    def check(program, name):
        program.wait_for(lambda: camera(program, name)["reason"], LIMIT)
        now = camera(program, name)
        assert now["state"] in ("waiting", "connecting") and now["analysed"] == 0, now
        assert re.search(".*".join(words), now["reason"]), now
        program.wait_for(lambda: camera(program, name)["reconnects"] >= 2, LIMIT)
        # And never for another reason.
        said = re.findall("info: %s: (.*)" % name, program.said())
        assert said and all(re.search(".*".join(words), line) for line in said), said
        return now["reason"]

    return check


def comes_back(reason):
    def check(program, name):
        """What ends for that reason is watched anew, and the colour bars begin anew."""
        program.wait_for(lambda: sum(e["kind"] == "begin" for e in events(program, name)) >= 2, LIMIT)
        said = set(re.findall("info: %s: (.*)" % name, program.said())) - {"playing"}
        assert said and all(re.search(reason, line) for line in said), said
        last = events(program, name)[-2]
        assert last["kind"] == "end" and last["reason"] in ("eos", "stopped"), last
        return ", ".join(sorted(said))

    return check


def plays_again_and_again(program, name):
    """At its own speed, and again after half a second, how often ever."""
    program.wait_for(lambda: sum(e["kind"] == "begin" for e in events(program, name)) >= 6, LIMIT)
    begun = [parse(e["time"]) for e in reversed(events(program, name)) if e["kind"] == "begin" and e["label"] == BARS]
    rounds = [b - a for a, b in zip(begun, begun[1:])]
    assert all(r > FILM_SECONDS - 0.5 for r in rounds), rounds
    # Who fails waits longer each time, 4 s here. Two seconds are for the start of a pipeline.
    assert min(rounds[3:]) < FILM_SECONDS + 0.5 * 1.25 + 2, rounds
    assert re.search("has ended", camera(program, name)["reason"] or "has ended"), camera(program, name)


def parse(text):
    seconds, fraction = text.rstrip("Z").split(".")
    return time.mktime(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) + float("0." + fraction)


# ---- Cameras -----------------------------------------------------------------------------------------------------------------


def add_codecs(site):
    for codec, decoders in (("jpeg", ["jpegdec"]), ("h264", ["openh264dec", "avdec_h264"]), ("h265", ["libde265dec", "avdec_h265"])):
        try:
            need(*decoders)
            server = site.serve(codec)
        except Missing as missing:
            site.leave_out(codec, str(missing))
            continue
        for transport in ("tcp", "udp"):
            site.add("%s-%s" % (codec, transport), sees_without_end, server.uri(), transport=transport)


def add_second_stream(site):
    """Its server ends when the second is asked for too."""
    site.add("second-stream", sees_without_end, site.serve("jpeg", "--noise").uri())


def add_passwords(site):
    basic = site.serve("jpeg", "--basic", user=USER, password=PASSWORD)
    digest = site.serve("jpeg", user=USER, password=PASSWORD)
    for name, server in (("basic", basic), ("digest", digest)):
        site.add(name, sees_without_end, server.uri("%s:%s@" % (USER, PASSWORD)))
        site.add(name + "-wrong", fails("user and password"), server.uri("%s:%s@" % (USER, WRONG)))
        site.add(name + "-none", fails("user and password"), server.uri())


def add_http(site):
    path = site.path("bars.jpg")
    run("gst-launch-1.0", "-q", "videotestsrc", "num-buffers=1", "!", "video/x-raw,width=320,height=240", "!", "jpegenc", "!",
        "filesink", "location=" + path)
    with open(path, "rb") as f:
        site.jpeg = f.read()
    server = MjpegServer(site.jpeg, USER, PASSWORD)
    for name in (mjpeg.GOOD, mjpeg.BARE, mjpeg.GARBLED):
        site.add("http-" + name[1:], sees_without_end, server.uri(name))
    for name in (mjpeg.BASIC, mjpeg.DIGEST):
        site.add("http-" + name[1:], sees_without_end, server.uri(name, "%s:%s@" % (USER, PASSWORD)))
        site.add("http-%s-wrong" % name[1:], fails("user and password"), server.uri(name, "%s:%s@" % (USER, WRONG)))
    site.add("http-noisy", comes_back("Boundary not found"), server.uri(mjpeg.NOISY))
    site.add("http-ending", comes_back("has ended"), server.uri(mjpeg.ENDING))
    site.add("http-freezing", comes_back("nothing came for 2 s"), server.uri(mjpeg.FREEZING), watchdog=2)
    site.add("http-missing", fails("404 Not Found"), server.uri("/nowhere"))
    site.add("http-text", fails("text"), server.uri(mjpeg.TEXT))
    # This comes before anybody waits for a picture.
    for n in range(6):
        site.add("http-nobody-%d" % n, fails("Connection refused"), "http://127.0.0.1:%d/" % site.find_port_of_nobody())


def add_tls(site):
    own, own_certificate = site.certify("own", "DNS:camera.example")
    authority_pair, authority = site.certify("authority", "DNS:authority.example", "-addext", "keyUsage=critical,keyCertSign")
    key = site.path("authority.key")
    signed, _ = site.certify("signed", "IP:127.0.0.1", "-CA", authority, "-CAkey", key)
    elsewhere, _ = site.certify("elsewhere", "DNS:camera.example", "-CA", authority, "-CAkey", key)

    # Each has a server of its own: a session of TLS that one camera has begun, another goes on with, and shows no certificate.
    def serve(scheme, pair):
        if scheme == "rtsps":
            return site.serve("jpeg", "--certificate", pair).uri()
        return MjpegServer(site.jpeg, USER, PASSWORD, pair).uri(mjpeg.GOOD)

    for scheme in ("rtsps", "https"):
        site.add(scheme + "-unknown", fails("certificate is not trusted", "nobody", "`certificate`"), serve(scheme, own))
        site.add(scheme + "-known", sees_without_end, serve(scheme, own), certificate=own_certificate)
        site.add(scheme + "-another", fails("certificate is not trusted", "nor signed"), serve(scheme, own), certificate=authority)
        site.add(scheme + "-signed", sees_without_end, serve(scheme, signed), certificate=authority)
        site.add(scheme + "-elsewhere", fails("certificate is not trusted", "another name"), serve(scheme, elsewhere), certificate=authority)
    # Over UDP, it would come as it is.
    site.add("rtsps-udp", sees_without_end, serve("rtsps", own), certificate=own_certificate, transport="udp")


def add_files(site):
    site.add("webm", plays_again_and_again, site.film("film.webm", "vp8enc", "deadline=1", "!", "webmmux"))
    try:
        need("openh264enc", "x264enc")
        need("openh264dec", "avdec_h264")
        site.add("mp4", plays_again_and_again, site.film("film.mp4", "openh264enc", "!", "h264parse", "!", "mp4mux"))
    except Missing as missing:
        site.leave_out("mp4", str(missing))
    with open(site.path("film.webm"), "rb") as whole, open(site.path("half.webm"), "wb") as half:
        half.write(whole.read()[:6000])
    site.add("half", comes_back("has ended"), site.path("half.webm"))
    with open(site.path("garbage.mp4"), "wb") as f:
        f.write(bytes(range(256)) * 40)
    site.add("garbage", fails("type"), site.path("garbage.mp4"))
    site.add("gone", fails("exist|[Nn]o such"), "file:///no/such/film.mp4")


def add_devices(site):
    site.add("no-device", fails("/dev/video97"), "/dev/video97")
    site.add("no-camera", fails("/dev/null"), "v4l2:///dev/null")
    site.add("test", sees_without_end, "test:smpte")


def check_secrets(program, _):
    """No password is in the log, the state or the metrics."""
    told = program.said() + program.get("/api/state").body.decode() + program.get("/metrics").body.decode()
    assert PASSWORD not in told and WRONG not in told


def check_end(program, _):
    """It ends when it is told to, and has said nothing that it should not."""
    said = program.said()
    assert program.end() == 0
    assert not re.search(r"CRITICAL|assertion|ERROR: ", said), said[-4000:]


def report(number, name, check, program):
    """Whether it was as it is to be."""
    if isinstance(check, str):
        print("ok %d %s # SKIP %s" % (number, name, check), flush=True)
        return True
    try:
        start = time.monotonic()
        reason = check(program, name)
        print("ok %d %s (%.1f s)%s" % (number, name, time.monotonic() - start, ": " + reason if reason else ""), flush=True)
        return True
    except Exception:
        status = program.process.poll()
        told = traceback.format_exc() if status is None else "it ended with %d: %s" % (status, program.said()[-2000:])
        print("\n".join("# " + line for line in told.splitlines()))
        print("not ok %d %s" % (number, name), flush=True)
        if status is not None:
            print("Bail out! The program has ended.")
            sys.exit(1)
        return False


def main():
    with tempfile.TemporaryDirectory() as folder:
        site = Site(folder)
        try:
            for add in (add_codecs, add_second_stream, add_passwords, add_http, add_tls, add_files, add_devices):
                add(site)
            program = Program(cameras=site.cameras)
            site.checks += [("secrets", check_secrets), ("end", check_end)]
            print("1..%d" % len(site.checks))
            return 0 if all([report(n, name, check, program) for n, (name, check) in enumerate(site.checks, 1)]) else 1
        finally:
            site.end()


if __name__ == "__main__":
    sys.exit(main())
