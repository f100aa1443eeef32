# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program altclip-monitor, running on a port of its own, and requests to it."""

import http.client
import json
import os
import select
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.parse

TOKEN = "a token that is long enough"
START_TIME = 90  # s
PROGRAM = os.environ.get("ALTCLIP_MONITOR", "altclip-monitor")

# Names and labels as an enemy would have them.
HOSTILE = "<img src=x onerror=alert(1)>\"&'"
HOSTILE_LABEL = "\"><script>alert(2)</script>\\"
CHINESE = "仓库 east"
PASSWORD = "s3cret-of-the-camera"
BARS = {"version": 1, "negatives": ["a clear picture"], "labels": [{"label": "colour bars"}, {"label": "static noise"}]}
CAMERAS = [
    {"name": "bars", "uri": "test:smpte", "interval": 0.2},
    {"name": HOSTILE, "uri": "test:snow", "interval": 0.2},
    {"name": CHINESE, "uri": "test:black", "interval": 0.2},
    {"name": "gone", "uri": "rtsp://watcher:%s@127.0.0.1:9/stream" % PASSWORD},
]


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    def json(self):
        return json.loads(self.body)


class Program:
    """With a token, unless `token` is None."""

    def __init__(self, token=TOKEN, cameras=CAMERAS, **more):
        self.folder = tempfile.mkdtemp(prefix="altclip-monitor-")
        self.token = token
        config = dict({"port": 0, "data_directory": os.path.join(self.folder, "data"), "cameras": cameras}, **more)
        path = os.path.join(self.folder, "monitor.json")
        with open(path, "w") as f:
            json.dump(config, f)
        os.chmod(path, 0o600)
        environment = dict(os.environ)
        environment.pop("ALTCLIP_MONITOR_TOKEN", None)
        if token is not None:
            environment["ALTCLIP_MONITOR_TOKEN"] = token
        self.log = open(os.path.join(self.folder, "log"), "w+b")
        self.process = subprocess.Popen([PROGRAM, "--config", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.log, env=environment)
        line = self.read_address()
        self.url = line.rstrip("/")
        if line:
            address = urllib.parse.urlsplit(line)
            self.tls, self.port = address.scheme == "https", address.port
            self.origin = self.url

    def read_address(self):
        """Empty when it has ended without one; one that does neither is told where it stands."""
        if select.select([self.process.stdout], [], [], START_TIME)[0]:
            return self.process.stdout.readline().decode().strip()
        where = []
        for thread in os.listdir("/proc/%d/task" % self.process.pid):
            with open("/proc/%d/task/%s/comm" % (self.process.pid, thread)) as name, open("/proc/%d/task/%s/wchan" % (self.process.pid, thread)) as place:
                where.append("%s: %s" % (name.read().strip(), place.read()))
        said = self.said()
        self.end()
        raise AssertionError("no address after %d s: %s; it said: %s" % (START_TIME, where, said))

    def said(self):
        self.log.flush()
        with open(self.log.name, errors="replace") as f:
            return f.read()

    def connect(self, source="127.0.0.1", timeout=30):
        if self.tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout, source_address=(source, 0))

    def open(self, method, path, body=None, headers=None, bearer=True, source="127.0.0.1", timeout=30):
        """(connection, response): for answers that do not end."""
        headers = dict(headers or {})
        if bearer and self.token is not None:
            headers.setdefault("Authorization", "Bearer " + self.token)
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = self.connect(source, timeout)
        connection.request(method, path, body, headers)
        return connection, connection.getresponse()

    def ask(self, method, path, *arguments, **more):
        connection, response = self.open(method, path, *arguments, **more)
        try:
            return Answer(response, response.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def wait_for(self, what, seconds=60):
        """What `what` returns, once it is true."""
        deadline = time.monotonic() + seconds
        while True:
            value = what()
            if value:
                return value
            assert time.monotonic() < deadline, "not within %d s; the program said: %s" % (seconds, self.said()[-2000:])
            time.sleep(0.2)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return status


def camera_path(name, rest=""):
    return "/api/cameras/" + urllib.parse.quote(name, safe="") + rest
