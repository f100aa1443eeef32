# SPDX-License-Identifier: LGPL-2.1-or-later
"""A camera that sends MJPEG over HTTP, as good ones and bad ones do, for tests."""

import base64
import hashlib
import http.server
import random
import re
import socketserver
import ssl
import threading
import time

REALM, NONCE = "camera", "5f2a9c"
FRAMES_PER_SECOND = 10

# What is sent, by path; each is given the number of the part.
GOOD, BARE, GARBLED, NOISY, ENDING, FREEZING = "/good", "/bare", "/garbled", "/noisy", "/ending", "/freezing"
BASIC, DIGEST = "/basic", "/digest"
TEXT = "/text"
PATHS = (GOOD, BARE, GARBLED, NOISY, ENDING, FREEZING, BASIC, DIGEST, TEXT)

# Of those that stop, or send what is no part: after how many parts.
LENGTH = 20


def md5(*parts):
    return hashlib.md5(":".join(parts).encode()).hexdigest()


class Camera(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def is_known(self):
        user, password = self.server.user, self.server.password
        given = self.headers.get("Authorization", "")
        if self.path == BASIC:
            return given == "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
        if self.path != DIGEST:
            return True
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
        inner = md5(user, REALM, password), md5("GET", DIGEST)
        return fields.get("username") == user and fields.get("response") == md5(
            inner[0], NONCE, fields.get("nc", ""), fields.get("cnonce", ""), "auth", inner[1])

    def refuse(self):
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="%s"' % REALM if self.path == BASIC else
                         'Digest realm="%s", nonce="%s", qop="auth", algorithm=MD5' % (REALM, NONCE))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_part(self, number):
        noise = random.Random(number).randbytes(3000)
        jpeg = noise if self.path == GARBLED and number % 3 == 2 else self.server.jpeg
        head = b"--picture\r\nContent-Type: image/jpeg\r\n"
        if self.path != BARE:
            head += b"Content-Length: %d\r\n" % len(jpeg)
        self.wfile.write(head + b"\r\n" + jpeg + b"\r\n")
        if self.path == NOISY and number % LENGTH == LENGTH - 1:
            self.wfile.write(noise + b"\r\n")

    def do_GET(self):
        if self.path not in PATHS:
            self.send_error(404)
        elif not self.is_known():
            self.refuse()
        elif self.path == TEXT:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", "6000")
            self.end_headers()
            self.wfile.write(b"Hello\n" * 1000)
        else:
            self.send_film()

    def send_film(self):
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.send_header("Connection", "close")
        self.end_headers()
        number = 0
        try:
            while not (self.path == ENDING and number == LENGTH):
                if not (self.path == FREEZING and number >= LENGTH):
                    self.send_part(number)
                number += 1
                time.sleep(1 / FRAMES_PER_SECOND)
        except OSError:
            pass  # it has seen enough


class MjpegServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """At 127.0.0.1; over TLS with a certificate, a PEM file with the key too."""

    daemon_threads = True

    def __init__(self, jpeg, user, password, certificate=None):
        super().__init__(("127.0.0.1", 0), Camera)
        self.jpeg, self.user, self.password, self.tls = jpeg, user, password, certificate
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # who trusts no certificate hangs up

    def uri(self, path, credentials=""):
        return "%s://%s127.0.0.1:%d%s" % ("https" if self.tls else "http", credentials, self.server_port, path)
