#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The HTTP interface of the running program: each route, what it answers and what it refuses.

    ALTCLIP_MONITOR=PROGRAM tests/monitor/server.py OPENAPI.json

Prints TAP. Only the standard library.
"""

import contextlib
import fcntl
import itertools
import json
import os
import re
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

from program import BARS, CHINESE, HOSTILE, HOSTILE_LABEL, PASSWORD, TOKEN, Program, camera_path

METHODS = ("get", "put", "post", "delete", "patch", "options")
JPEG = b"\xff\xd8\xff"
BREATH = 0.01  # s: who connects faster than is accepted waits for a second


def same_origin(program):
    return {"Origin": program.origin}


def check_error(answer, status):
    assert answer.status == status, (answer.status, answer.body)
    assert set(answer.json()) == {"error"} and answer.json()["error"], answer.body


def fill(path):
    """A path of the description with something in its holes."""
    return path.replace("{name}", "bars").replace("{id}", "1")


def routes(description):
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield method.upper(), path, operation


def resolve(description, schema):
    while "$ref" in schema:
        node = description
        for part in schema["$ref"].split("/")[1:]:
            node = node[part]
        schema = node
    return schema


TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict, "null": type(None)}


def check_schema(description, schema, value, where="answer"):
    """The part of JSON Schema that the description uses."""
    schema = resolve(description, schema)
    for part in schema.get("allOf", []):
        check_schema(description, part, value, where)
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        assert any(isinstance(value, TYPES[t]) and (t == "boolean" or not isinstance(value, bool)) for t in types), (where, value, types)
    assert "enum" not in schema or value in schema["enum"], (where, value)
    assert "const" not in schema or value == schema["const"], (where, value)
    assert not isinstance(value, (int, float)) or value >= schema.get("minimum", value), (where, value)
    assert not isinstance(value, (int, float)) or value <= schema.get("maximum", value), (where, value)
    if isinstance(value, dict):
        for name in schema.get("required", []):
            assert name in value, (where, "has no", name)
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                check_schema(description, inner, value[name], where + "." + name)
    if isinstance(value, list) and "items" in schema:
        for item in value:
            check_schema(description, schema["items"], item, where + "[]")


def read_news(response, seconds):
    """(name, id, data) of Server-Sent Events as they come."""
    deadline = time.monotonic() + seconds
    name, number, data = None, None, None
    while time.monotonic() < deadline:
        line = response.readline().decode().rstrip("\n")
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "id":
            number = int(value)
        elif field == "data":
            data = json.loads(value)
        elif line == "" and name:
            yield name, number, data
            name, number, data = None, None, None
    raise AssertionError("not within %d s" % seconds)


def read_part(response):
    """(camera, JPEG) of the next part of a live stream."""
    headers = {}
    line = response.readline().strip()
    while line == b"":
        line = response.readline().strip()
    assert line == b"--altclip-picture", line
    for line in iter(lambda: response.readline().strip(), b""):
        name, _, value = line.decode().partition(": ")
        headers[name.lower()] = value
    assert headers["content-type"] == "image/jpeg", headers
    return headers["x-camera"], response.read(int(headers["content-length"]))


def set_prompts(program, name, prompts, **more):
    return program.ask("PUT", camera_path(name, "/prompts"), prompts, **more)


def check_page(program, description):
    for path, kind in (("/", "text/html"), ("/page.js", "text/javascript"), ("/words.js", "text/javascript"), ("/page.css", "text/css"), ("/icon.svg", "image/svg+xml")):
        answer = program.get(path, bearer=False)
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind), path
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        again = program.get(path, bearer=False, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status == 304 and again.body == b""
        head = program.ask("HEAD", path, bearer=False)
        assert head.status == 200 and head.body == b""
    html = program.get("/", bearer=False).body.decode()
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|https?://(?!www\.w3\.org)", html), "inline code, or something from elsewhere"
    assert program.get("/healthz", bearer=False).json() == {"status": "ok"}


def check_words(program, description):
    """Both languages have the same keys, and the page's are among them."""
    words = program.get("/words.js", bearer=False).body.decode()
    english, chinese = words.split("\n    zh: {")
    keys = [set(re.findall(r"^        (\w+): \"", text, re.M)) for text in (english, chinese)]
    assert keys[0] and keys[0] == keys[1], keys[0] ^ keys[1]
    holes = [dict((key, value.count("{}")) for key, value in re.findall(r"^        (\w+): (\".*\"),$", text, re.M)) for text in (english, chinese)]
    assert holes[0] == holes[1]
    html = program.get("/", bearer=False).body.decode()
    script = program.get("/page.js", bearer=False).body.decode()
    used = set(re.findall(r"data-(?:word|label)=\"(\w+)\"", html)) | set(re.findall(r"word\(\"(\w+)\"", script))
    assert used and used <= keys[0], used - keys[0]
    assert "innerHTML" not in script and "eval(" not in script


def check_description(program, description):
    """What is served is docs/openapi.json, and each of its operations answers as it says."""
    assert program.get("/api/openapi.json", bearer=False).json() == description
    for method, path, operation in routes(description):
        if "live" in path or path == "/api/stream":
            path = path + "?camera=bars" if path == "/api/live.mjpeg" else path
            answer = program.ask("HEAD", fill(path))
            assert answer.status == 200, (path, answer.status)
            continue
        body = BARS if method == "PUT" else {"token": TOKEN} if path == "/api/login" else None
        answer = program.ask(method, fill(path), body, headers=same_origin(program))
        told = operation["responses"]
        assert str(answer.status) in told, (method, path, answer.status)
        assert answer.status < 300 or path.startswith("/api/events/{id}"), (method, path, answer.status, answer.body)
        content = resolve(description, told[str(answer.status)]).get("content", {})
        if "application/json" in content:
            check_schema(description, content["application/json"]["schema"], answer.json(), method + " " + path)
        elif content:
            assert answer.headers["Content-Type"].split(";")[0] in content, (path, answer.headers["Content-Type"])


def check_methods(program, description):
    for path, methods in description["paths"].items():
        for method in METHODS:
            if method in methods:
                continue
            answer = program.ask(method.upper(), fill(path))
            check_error(answer, 405)
            allowed = {m.strip().lower() for m in answer.headers["Allow"].split(",")}
            assert allowed - {"head"} == {m for m in methods if m in METHODS}, (path, allowed)


def check_unknown(program, description):
    paths = ["/nothing", "/api", "/api/", "/api/cameras/", "/api/cameras/none", "/api/cameras/bars/nothing", "/api/cameras/bars/", "/index.html",
             "/api/events/0", "/api/events/x", "/api/events/-1", "/api/events/99999999999999999999", "/api/events/999999/thumbnail.jpg",
             "/../etc/passwd", "/%2e%2e/etc/passwd", "/api/cameras/..%2f..%2fetc%2fpasswd", "/api/cameras/..%2f..%2fmonitor.json/prompts",
             "/api/cameras/bars%00/prompts", "/api/cameras/%ff", "/api/cameras/%", "//etc/passwd", "/page.js/..%2f..", "/altclip/monitor/index.html"]
    for path in paths:
        answer = program.get(path)
        assert answer.status in (400, 404), (path, answer.status)
        assert b"root:" not in answer.body
        closed = program.get(path, bearer=False)
        assert closed.status in (400, 401), (path, closed.status)


def check_tokens(program, description):
    for method, path, operation in routes(description):
        if operation.get("security") == []:
            continue
        answer = program.ask(method, fill(path), bearer=False, headers=same_origin(program))
        check_error(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    wrong = {"Authorization": "Bearer wrong"}
    for _ in range(10):
        check_error(program.get("/api/state", headers=wrong, source="127.0.0.2"), 401)
    answer = program.get("/api/state", headers=wrong, source="127.0.0.2")
    check_error(answer, 429)
    assert int(answer.headers["Retry-After"]) >= 1
    # Who tries out tokens does not learn it by finding it, and holds up nobody else.
    check_error(program.get("/api/state", source="127.0.0.2"), 429)
    assert program.get("/api/state").status == 200


def check_login(program, description):
    origin = same_origin(program)
    answer = program.ask("POST", "/api/login", {"token": TOKEN}, bearer=False, headers=origin)
    assert answer.status == 204, answer.body
    header = answer.headers["Set-Cookie"]
    assert "HttpOnly" in header and "SameSite=Strict" in header and TOKEN not in header, header
    cookie = header.split(";")[0]
    with_cookie = {"Cookie": "other=1; " + cookie}
    assert program.get("/api/state", bearer=False, headers=with_cookie).status == 200
    name, _, value = cookie.partition("=")
    end, _, signature = value.partition(".")
    for forged in (value[:-1] + ("0" if value[-1] != "0" else "1"), "%d.%s" % (int(end) + 1, signature), "1." + signature, "", ".", "9" * 400 + "." + signature):
        check_error(program.get("/api/state", bearer=False, headers={"Cookie": name + "=" + forged}), 401)
    check_error(program.ask("POST", "/api/login", {"token": "wrong"}, bearer=False, headers=origin, source="127.0.0.4"), 401)
    for body in ({"token": 5}, {}, [], {"token": None}):
        check_error(program.ask("POST", "/api/login", body, bearer=False, headers=origin), 400)
    check_error(program.ask("POST", "/api/login", b"token=x", bearer=False, headers=dict(origin, **{"Content-Type": "application/x-www-form-urlencoded"})), 415)
    check_error(program.ask("POST", "/api/login", {"token": "x" * 5000}, bearer=False, headers=origin), 413)
    check_error(program.ask("POST", "/api/login", {"token": TOKEN}, bearer=False), 403)
    out = program.ask("POST", "/api/logout", bearer=False, headers=origin)
    assert out.status == 204 and "Max-Age=0" in out.headers["Set-Cookie"]
    check_foreign(program, with_cookie)


def check_foreign(program, with_cookie):
    """What another page's script can make a browser send, with its cookies."""
    path = camera_path("bars", "/restart")
    for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site", "Origin": program.origin},
                    {"Sec-Fetch-Site": "same-site"}, {"Origin": program.origin + ".evil.example"}, {"Origin": "http://127.0.0.1"}):
        check_error(program.ask("POST", path, bearer=False, headers=dict(with_cookie, **headers)), 403)
    for headers in (same_origin(program), {"Sec-Fetch-Site": "same-origin"}):
        assert program.ask("POST", path, bearer=False, headers=dict(with_cookie, **headers)).status == 204
    for path in ("/api/state", "/metrics", camera_path("bars", "/picture.jpg")):
        check_error(program.get(path, bearer=False, headers=dict(with_cookie, **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})), 403)
    # A link to the page is one.
    assert program.get("/", bearer=False, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status == 200


def check_state(program, description):
    state = program.get("/api/state").json()
    assert [camera["name"] for camera in state["cameras"]] == ["bars", HOSTILE, CHINESE, "gone"]
    assert state["load"]["memory"] > 1e6 and 0 <= state["load"]["cpu"] <= 1
    gone = program.wait_for(lambda: next((c for c in program.get("/api/cameras").json()["cameras"] if c["name"] == "gone" and c["reason"]), None))
    assert gone["state"] in ("waiting", "connecting"), gone
    for name in ("bars", HOSTILE, CHINESE):
        camera = program.wait_for(lambda: (lambda c: c["state"] == "playing" and c["analysed"] > 0 and c)(program.get(camera_path(name)).json()))
        assert camera["name"] == name and camera["width"] > 0


def check_prompts(program, description):
    before = program.get(camera_path("bars", "/prompts"))
    assert before.status == 200 and before.json()["labels"]
    prompts = {"version": 1, "negatives": ["a clear picture", "static noise"], "threshold": 0.4,
               "labels": [{"label": "bars here", "texts": ["colour bars"], "region": [0.1, 0.2, 0.5, 0.6]}, {"label": HOSTILE_LABEL, "texts": ["a black screen"]}]}
    answer = set_prompts(program, "bars", prompts)
    assert answer.status == 200, answer.body
    kept = program.get(camera_path("bars", "/prompts")).json()
    assert answer.json() == kept and [label["label"] for label in kept["labels"]] == ["bars here", HOSTILE_LABEL], kept
    assert kept["labels"][0]["region"] == [0.1, 0.2, 0.5, 0.6] and kept["labels"][0]["texts"] == ["colour bars"], kept
    # What is read can be written as it is.
    assert set_prompts(program, "bars", kept).json() == kept
    labels = program.wait_for(lambda: (lambda c: [x["label"] for x in c["labels"]] == ["bars here", HOSTILE_LABEL] and c["labels"][0]["score"] > 0.4 and c["labels"])(program.get(camera_path("bars")).json()))
    assert labels[0]["label"] == "bars here"
    wrong = dict(prompts, labels=[{"label": "x", "threshold": 7}])
    for body, part in ((wrong, "threshold"), ({"version": 1}, "labels"), ({"version": 9, "labels": [{"label": "x"}]}, "version"), ([], ""), ({}, "")):
        answer = set_prompts(program, "bars", body)
        check_error(answer, 400)
        assert part in answer.json()["error"], answer.body
    for body in (b"{", b"\xff\xfe", b"", b"{\"version\": 1}\0", b"[" * 100000):
        check_error(set_prompts(program, "bars", body, headers={"Content-Type": "application/json"}), 400)
    check_error(set_prompts(program, "bars", b"{}", headers={"Content-Type": "text/plain"}), 415)
    check_error(set_prompts(program, "none", prompts), 404)
    assert program.get(camera_path("bars", "/prompts")).json() == kept, "a wrong document changes nothing"
    for name in (HOSTILE, CHINESE):
        assert set_prompts(program, name, BARS).status == 200


def check_short_prompts(program, description):
    """Prompts that take the place of the configuration's short form have negatives of their own, and the camera has nothing to warn of."""
    short = Program(cameras=[{"name": "bars", "uri": "test:smpte", "interval": 0.2, "prompts": "a black screen;static noise"}])

    def shows(label):
        return [one["score"] for one in short.get(camera_path("bars")).json()["labels"] if one["label"] == label and one["score"] is not None]

    try:
        short.wait_for(lambda: shows("a black screen"))
        for _ in range(2):
            assert set_prompts(short, "bars", BARS).status == 200
            short.wait_for(lambda: shows("colour bars"))
            assert short.get(camera_path("bars")).json()["warning"] is None
        assert "no use for" not in short.said(), short.said()
    finally:
        assert short.end() == 0


def check_lost_prompts(program, description):
    """A file of prompts that is gone is not one without labels, which an editor would keep."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "prompts.json")
        with open(path, "w") as f:
            json.dump(BARS, f)
        lost = Program(cameras=[{"name": "bars", "uri": "test:smpte", "prompts_file": path}])
        try:
            assert lost.get(camera_path("bars", "/prompts")).json()["labels"]
            os.unlink(path)
            check_error(lost.get(camera_path("bars", "/prompts")), 500)
            assert path in lost.said(), "the log does not say why"
            assert set_prompts(lost, "bars", BARS).status == 200
            assert lost.get(camera_path("bars", "/prompts")).json()["labels"]
        finally:
            assert lost.end() == 0


def check_bodies(program, description):
    path = camera_path("bars", "/prompts")
    headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"}
    connection = program.connect()
    connection.putrequest("PUT", path)
    for name, value in dict(headers, **{"Content-Length": str(4 * 1024 * 1024 + 1), "Expect": "100-continue"}).items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413, "before the body comes"
    connection.close()
    check_error(program.ask("PUT", path, b" " * (4 * 1024 * 1024 + 1), headers=headers), 413)
    check_error(program.ask("PUT", path, iter([b"{}"]), headers=headers), 411)
    check_error(program.ask("POST", camera_path("bars", "/restart"), b"x" * 5000), 413)
    assert program.ask("GET", "/healthz", b"x" * 10).status == 413
    check_cut(program, path)


def check_cut(program, path):
    """Who sends on and on, without a token, is cut off."""
    with socket.create_connection(("127.0.0.1", program.port), timeout=60) as s:
        s.sendall(("PUT %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 1000000000000\r\n\r\n" % (path, program.port)).encode())
        sent = 0
        try:
            while sent < 64 << 20:
                sent += s.send(b"x" * 65536)
        except (ConnectionError, socket.timeout) as error:
            assert not isinstance(error, socket.timeout), "neither read nor cut off"
        assert sent < 64 << 20, "it takes all"
    assert program.get("/healthz").status == 200


def check_pictures(program, description):
    answer = program.get(camera_path(HOSTILE, "/picture.jpg"))
    assert answer.status == 200 and answer.headers["Content-Type"] == "image/jpeg" and answer.body.startswith(JPEG)
    check_error(program.get(camera_path("gone", "/picture.jpg")), 503)
    check_error(program.get(camera_path("none", "/live.mjpeg")), 404)
    connection, response = program.open("GET", camera_path("bars", "/live.mjpeg"))
    assert response.status == 200 and response.headers["Content-Type"].startswith("multipart/x-mixed-replace")
    start = time.monotonic()
    for _ in range(4):
        camera, jpeg = read_part(response)
        assert camera == "bars" and jpeg.startswith(JPEG)
    assert time.monotonic() - start > 0.3, "more than five a second"
    connection.close()
    query = urllib.parse.urlencode([("camera", CHINESE), ("camera", HOSTILE)])
    connection, response = program.open("GET", "/api/live.mjpeg?" + query)
    seen = {urllib.parse.unquote(read_part(response)[0]) for _ in range(6)}
    assert seen == {CHINESE, HOSTILE}, seen
    connection.close()
    for query in ("", "?camera=none", "?other=bars", "?camera=bars&other=1", "?" + "&".join(["camera=bars"] * 65), "?camera=%ff"):
        check_error(program.get("/api/live.mjpeg" + query), 400)


def check_news(program, description):
    connection, response = program.open("GET", "/api/stream")
    assert response.status == 200 and response.headers["Content-Type"].startswith("text/event-stream")
    news = read_news(response, 60)
    first = [next(news) for _ in range(6)]
    assert first[0][0] == "cameras" and first[0][2] == ["bars", HOSTILE, CHINESE, "gone"], first[0]
    assert [name for name, _, _ in first[1:]] == ["camera"] * 4 + ["state"]
    schemas = description["components"]["schemas"]
    check_schema(description, schemas["Camera"], first[1][2])
    check_schema(description, schemas["State"], first[5][2])
    # Other labels: what was active ends, and something begins.
    assert set_prompts(program, "bars", BARS).status == 200
    event = next(data for name, _, data in news if name == "event" and data["label"] == "colour bars" and data["kind"] == "begin")
    check_schema(description, schemas["Event"], event)
    connection.close()
    assert program.get("/api/events/%d" % event["id"]).json() == event, "announced, so it is stored"
    last = program.get(camera_path("bars")).json()["last_event"]
    assert last["id"] >= event["id"] and program.get("/api/events/%d" % last["id"]).json() == last, last
    # What came meanwhile is told to who comes again.
    connection, response = program.open("GET", "/api/stream", headers={"Last-Event-ID": str(event["id"] - 1)})
    name, number, data = next(read_news(response, 10))
    assert (name, number, data) == ("event", event["id"], event), (name, number)
    connection.close()
    connection, response = program.open("GET", "/api/stream", headers={"Last-Event-ID": "999999999"})
    assert next(read_news(response, 10))[0] == "reset"
    connection.close()


def check_events(program, description):
    for i in range(3):
        assert program.ask("POST", camera_path("bars", "/restart")).status == 204
        program.wait_for(lambda: len(program.get("/api/events?camera=bars&label=colour+bars&kind=begin").json()["events"]) > i)
    everything = program.get("/api/events").json()["events"]
    ids = [event["id"] for event in everything]
    assert len(ids) >= 4 and ids == sorted(ids, reverse=True), ids
    paged, path = [], "/api/events?limit=2"
    answer = program.get(path).json()
    while answer["next"] and len(paged) < len(ids):
        paged += answer["events"]
        assert len(answer["events"]) == 2
        answer = program.get(path + "&before=%d" % answer["next"]).json()
    paged += answer["events"]
    assert [event["id"] for event in paged][-len(ids):] == ids[-len(paged):] or [e["id"] for e in paged if e["id"] in ids] == ids
    ends = program.get("/api/events?kind=end&camera=bars").json()["events"]
    assert ends and all(e["kind"] == "end" and e["camera"] == "bars" and e["duration"] >= 0 for e in ends), ends[:2]
    middle = everything[1]["time"]
    assert all(e["time"] >= middle for e in program.get("/api/events?since=" + middle).json()["events"])
    assert all(e["time"] <= middle for e in program.get("/api/events?until=" + middle).json()["events"])
    assert program.get("/api/events?since=2100-01-01T00:00:00Z").json() == {"events": [], "next": None}
    for enemy in ("' OR 1=1 --", "\"; DROP TABLE events; --", "%", "_", "*"):
        for field in ("camera", "label"):
            assert program.get("/api/events?" + urllib.parse.urlencode({field: enemy})).json()["events"] == []
    assert program.get("/api/events").json()["events"]
    for query in ("limit=0", "limit=1001", "limit=x", "limit=", "kind=other", "since=yesterday", "until=1", "before=0", "before=-1", "before=1e3", "nothing=1", "camera=%ff", "since=9999999999"):
        check_error(program.get("/api/events?" + query), 400)
    with_picture = next(event for event in everything if event["thumbnail"])
    answer = program.get("/api/events/%d/thumbnail.jpg" % with_picture["id"])
    assert answer.status == 200 and answer.body.startswith(JPEG), answer.status


def check_flood(program, description):
    """Of events that come many at once none is missing, and frames of theirs do not pile up."""
    busy = Program(cameras=[{"name": "bars", "uri": "test:smpte", "interval": 0.2}])
    labels = ["thing %d" % i for i in range(400)]
    prompts = {"version": 1, "threshold": 0, "labels": [{"label": label} for label in labels]}
    try:
        assert set_prompts(busy, "bars", prompts).status == 200
        begun = busy.wait_for(lambda: (lambda events: len(events) == len(labels) and events)(
            [event for event in busy.get("/api/events?kind=begin&limit=1000").json()["events"] if event["label"] in labels]))
        assert 1 <= sum(event["thumbnail"] for event in begun) < 300, sum(event["thumbnail"] for event in begun)
    finally:
        assert busy.end() == 0


def check_metrics(program, description):
    set_prompts(program, "bars", {"version": 1, "negatives": ["a clear picture"], "labels": [{"label": HOSTILE_LABEL, "texts": ["colour bars"]}]})
    program.wait_for(lambda: [label["label"] for label in program.get(camera_path("bars")).json()["labels"]] == [HOSTILE_LABEL])
    answer = program.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    line = re.compile(r"(?:# (?:HELP|TYPE) \w+ .+|(\w+)(\{(?:\w+=\"(?:[^\"\\\n]|\\[\\\"n])*\",?)*\})? [-+0-9.eE]+)")
    text = answer.body.decode()
    assert text.endswith("\n")
    values = {}
    for one in text[:-1].split("\n"):
        assert line.fullmatch(one), one
        if not one.startswith("#"):
            name, _, value = one.rpartition(" ")
            assert name not in values, "twice: " + name
            values[name] = float(value)
    assert values['altclip_monitor_camera_state{camera="bars",state="playing"}'] == 1
    assert values['altclip_monitor_frames_total{camera="bars"}'] > 0
    escaped = HOSTILE_LABEL.replace("\\", "\\\\").replace('"', '\\"')
    assert 'altclip_monitor_label_score{camera="bars",label="%s"}' % escaped in values
    assert values["altclip_monitor_stored_events"] > 0 and values["altclip_monitor_lost_events_total"] == 0
    assert values['altclip_monitor_http_responses_total{status="4xx"}'] > 10


def read_hook_counts(program):
    text = program.get("/metrics").body.decode()
    return {name: int(value) for name, value in re.findall(r"^altclip_monitor_hooks_(\w+) (\d+)$", text, re.M)}


def check_hook_counts(program, description):
    """What became of hooks is counted."""
    hooks = [{"command": command, "timeout": 1, "kind": "begin"} for command in (["true"], ["false"], ["sleep", "60"])]
    busy = Program(cameras=[{"name": "bars", "uri": "test:smpte"}], hooks=hooks)
    try:
        busy.wait_for(lambda: read_hook_counts(busy)["run_total"] >= 3)
        counts = busy.wait_for(lambda: (lambda c: c["running"] + c["waiting"] == 0 and c)(read_hook_counts(busy)))
        n = counts["run_total"] // 3
        assert counts == {"run_total": 3 * n, "failed_total": 2 * n, "timed_out_total": n, "dropped_total": 0, "running": 0, "waiting": 0}, counts
    finally:
        assert busy.end() == 0


def count_streams(program):
    return int(re.search(r"^altclip_monitor_streams (\d+)", program.get("/metrics").body.decode(), re.M)[1])


def check_slow_clients(program, description):
    """One who does not take the pictures is let go; the others do not notice."""
    program.wait_for(lambda: count_streams(program) == 0, 20)
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", program.port))
    path = camera_path(HOSTILE, "/live.mjpeg")
    s.sendall(("GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n\r\n" % (path, program.port, TOKEN)).encode())
    program.wait_for(lambda: count_streams(program) == 1)
    assert program.get(path.replace("live.mjpeg", "picture.jpg")).status == 200
    start = time.monotonic()
    program.wait_for(lambda: count_streams(program) == 0, 60)
    assert time.monotonic() - start > 5, "let go at once"
    s.close()


def check_rate(program, description):
    """From several threads at once, since one may be slower than what is allowed."""
    statuses = []

    def ask():
        deadline = time.monotonic() + 60
        while 429 not in statuses and time.monotonic() < deadline:
            statuses.append(program.get("/healthz", bearer=False, source="127.0.0.3").status)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200, 429} and statuses.index(429) > 300, (len(statuses), set(statuses))
    assert program.get("/healthz").status == 200


def check_garbage(program, description):
    for data in (b"\0\1\2\3\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3",
                 b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200000 + b"\r\n\r\n", b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
                 b"POST /api/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nzzz\r\n"):
        with socket.create_connection(("127.0.0.1", program.port), timeout=5) as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
            except OSError:
                pass
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert program.get("/healthz").status == 200


def check_secrets(program, description):
    """Neither the camera's password nor the token is anywhere."""
    texts = [program.said().encode()] + [program.get(path).body for path in ("/api/state", "/metrics", "/api/events", camera_path("gone"))]
    for folder, _, names in os.walk(os.path.join(program.folder, "data")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                texts.append(f.read())
    for text in texts:
        assert PASSWORD.encode() not in text and TOKEN.encode() not in text


def check_without_token(program, description):
    open_program = Program(token=None, cameras=[{"name": "bars", "uri": "test:smpte"}])
    try:
        assert open_program.get("/api/state").status == 200
        for host in ("localhost:%d" % open_program.port, "[::1]:%d" % open_program.port, "127.0.0.1"):
            assert open_program.get("/api/state", headers={"Host": host}).status == 200, host
        # Names that somebody else may have made to point here.
        for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80"):
            check_error(open_program.get("/api/state", headers={"Host": host}), 403)
        check_error(open_program.ask("POST", camera_path("bars", "/restart")), 403)
        assert open_program.ask("POST", camera_path("bars", "/restart"), headers=same_origin(open_program)).status == 204
    finally:
        assert open_program.end() == 0


def check_listening(program, description):
    """Beyond this machine only with a token that cannot be guessed."""
    for token in (None, "short"):
        refused = Program(token=token, cameras=[], listen="0.0.0.0")
        status = refused.process.wait(20)
        said = refused.said()
        refused.end()
        assert status != 0 and "token" in said, (status, said)


def check_missed(program, description):
    """Who comes again after too much hears that it is too much."""
    forgetful = Program(cameras=[{"name": "bars", "uri": "test:smpte"}])

    def come_again(last):
        connection, response = forgetful.open("GET", "/api/stream", headers={"Last-Event-ID": str(last)})
        news = list(itertools.takewhile(lambda one: one[0] != "cameras", read_news(response, 20)))
        connection.close()
        return news

    try:
        columns = "added, time, camera, label, kind, duration, json"
        events = [(1, 1, "bars", "x" * 4096, "begin", 0, "{}")] * 900
        database = sqlite3.connect(os.path.join(forgetful.folder, "data", "events.sqlite"), timeout=30)
        with database:
            database.executemany("INSERT INTO events (%s) VALUES (?, ?, ?, ?, ?, ?, ?)" % columns, events)
            first = database.execute("SELECT max(id) FROM events").fetchone()[0] - len(events)
        database.close()
        assert [(name, data) for name, _, data in come_again(first)] == [("reset", {})]
        told = come_again(first + 600)
        assert len(told) >= 300 and {name for name, _, _ in told} == {"event"}, len(told)
        assert [number for _, number, _ in told][:300] == list(range(first + 601, first + 901))
    finally:
        assert forgetful.end() == 0


def check_slow_store(program, description):
    """Who asks for events waits for the disk; nobody else does, and nothing is missed or told twice."""
    slow = Program(cameras=[{"name": "bars", "uri": "test:smpte", "interval": 0.2}])
    asked = [("/api/events", 200), ("/api/events/1", 200), ("/api/events/1/thumbnail.jpg", 200), ("/api/events/999999", 404)]
    answers = {}

    def ask(path):
        answers[path] = slow.get(path).status

    try:
        newest = slow.wait_for(lambda: slow.get("/api/events").json()["events"])[0]["id"]
        threads = [threading.Thread(target=ask, args=[path]) for path, _ in asked]
        with open(os.path.join(slow.folder, "data", "events.sqlite-shm"), "r+b") as index:
            # Where SQLite's readers say what they read: held, they wait, and so does who writes.
            fcntl.lockf(index, fcntl.LOCK_EX, 5, 123)
            for thread in threads:
                thread.start()
            assert slow.ask("POST", camera_path("bars", "/restart")).status == 204
            connection, response = slow.open("GET", "/api/stream", headers={"Last-Event-ID": str(newest - 1)})
            deadline = time.monotonic() + 2
            longest = 0
            while time.monotonic() < deadline:
                start = time.monotonic()
                assert slow.get("/healthz").status == 200
                longest = max(longest, time.monotonic() - start)
                time.sleep(0.1)
            assert not answers, "it was not slow"
            fcntl.lockf(index, fcntl.LOCK_UN, 5, 123)
        for thread in threads:
            thread.join()
        assert longest < 1, longest
        assert answers == dict(asked), answers
        told = itertools.islice((number for name, number, _ in read_news(response, 30) if name == "event"), 3)
        assert list(told) == [newest, newest + 1, newest + 2]
        connection.close()
    finally:
        assert slow.end() == 0


def check_trouble(program, description):
    """Events that cannot be written are in the state and in what is said of its health, while it is so."""
    troubled = Program(cameras=[{"name": "bars", "uri": "test:smpte"}])

    def find_trouble():
        health = troubled.get("/healthz", bearer=False).json()
        check_schema(description, description["paths"]["/healthz"]["get"]["responses"]["200"]["content"]["application/json"]["schema"], health)
        return health["status"], troubled.get("/api/state").json()["events"]["trouble"]

    try:
        database = os.path.join(troubled.folder, "data", "events.sqlite")
        troubled.wait_for(lambda: troubled.get("/api/events").json()["events"])
        assert find_trouble() == ("ok", None)
        os.rename(database, database + ".away")
        assert troubled.ask("POST", camera_path("bars", "/restart")).status == 204
        status, why = troubled.wait_for(lambda: (lambda found: found[0] != "ok" and found)(find_trouble()))
        assert status == "trouble" and database in why, (status, why)
        os.rename(database + ".away", database)
        troubled.wait_for(lambda: find_trouble() == ("ok", None))
    finally:
        assert troubled.end() == 0


@contextlib.contextmanager
def tls_program():
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "certificate.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        safe = Program(cameras=[{"name": "bars", "uri": "test:smpte"}], tls_certificate=certificate, tls_key=key)
        try:
            yield safe
        finally:
            assert safe.end() == 0


def check_tls(program, description):
    with tls_program() as safe:
        assert safe.url.startswith("https://"), safe.said()
        assert safe.get("/api/state").status == 200
        answer = safe.ask("POST", "/api/login", {"token": TOKEN}, bearer=False, headers=same_origin(safe))
        assert "Secure" in answer.headers["Set-Cookie"]
        connection, response = safe.open("GET", camera_path("bars", "/live.mjpeg"))
        assert read_part(response)[1].startswith(JPEG)
        connection.close()


def count_files(program):
    return len(os.listdir("/proc/%d/fd" % program.process.pid))


def check_closed(program, description):
    """Of connections that the other side closes nothing stays, however many there were."""
    before = count_files(program)
    for _ in range(100):
        assert program.get("/healthz").status == 200
    program.wait_for(lambda: count_files(program) < before + 20, 10)


def read_memory(program):
    with open("/proc/%d/statm" % program.process.pid) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def has_sanitizer(program):
    with open("/proc/%d/maps" % program.process.pid) as f:
        return "libasan" in f.read()


def check_handshakes(program, description):
    """Who connects and says nothing shuts nobody out, also where there is TLS, and nothing of it stays."""
    def connect(safe, n):
        for _ in range(n):
            socket.create_connection(("127.0.0.1", safe.port)).close()
            time.sleep(BREATH)
        assert safe.get("/healthz").status == 200

    with tls_program() as safe:
        connect(safe, 300)
        before = read_memory(safe)
        connect(safe, 600)
        # The address sanitizer keeps for a while what was freed.
        assert read_memory(safe) - before < 4e6 or has_sanitizer(safe), (before, read_memory(safe))


def check_crowd(program, description):
    """Nor does who holds on to connections, as many as it can."""
    held = []
    try:
        for _ in range(300):
            held.append(socket.create_connection(("127.0.0.1", program.port), source_address=("127.0.0.5", 0)))
            time.sleep(BREATH)
    except ConnectionResetError:
        pass
    assert len(held) > 100 and program.get("/healthz").status == 200, len(held)
    for one in held:
        one.close()


class Sleeper:
    """Sends half a request, at the beginning, and is cut off before the end."""

    def __init__(self, program):
        self.socket = socket.create_connection(("127.0.0.1", program.port))
        self.socket.sendall(b"GET / HTTP/1.1\r\nHost: ")

    def check(self, program, description):
        self.socket.settimeout(45)
        try:
            answer = self.socket.recv(1)
        except ConnectionResetError:
            answer = b""
        assert answer == b"", "answered"
        self.socket.close()


def main():
    with open(sys.argv[1]) as f:
        description = json.load(f)
    program = Program()
    sleeper = Sleeper(program)
    checks = [check_page, check_words, check_state, check_description, check_methods, check_unknown, check_tokens, check_login, check_prompts, check_short_prompts, check_lost_prompts, check_bodies, check_pictures,
              check_news, check_events, check_flood, check_metrics, check_hook_counts, check_slow_clients, check_rate, check_garbage, check_secrets, check_without_token, check_listening,
              check_missed, check_slow_store, check_trouble, check_tls, check_handshakes, check_closed, check_crowd, sleeper.check]
    n_failed = 0
    print("1..%d" % (len(checks) + 1))
    for n, check in enumerate(checks, 1):
        name = check.__qualname__.replace("Sleeper.check", "check_deadline")
        try:
            check(program, description)
            print("ok %d %s" % (n, name), flush=True)
        except Exception:
            n_failed += 1
            print("\n".join("# " + line for line in traceback.format_exc().splitlines()))
            print("not ok %d %s" % (n, name), flush=True)
    said = program.said()
    status = program.end()
    right = status == 0 and not re.search(r"CRITICAL|assertion|ERROR: ", said)
    if not right:
        n_failed += 1
        print("\n".join("# " + line for line in said.splitlines()[-40:]))
    print("%sok %d check_end" % ("" if right else "not ", len(checks) + 1), flush=True)
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
