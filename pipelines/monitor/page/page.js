/* altclip-monitor: the page
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Names of cameras and labels are only ever text: nothing here makes HTML of a string. While nobody
 * sees the page it holds no connection; while it is seen, two: one for news and one for the
 * pictures of all cameras in view, since a browser opens six to a server for all its tabs.
 */

"use strict";

const SHOWN_LABELS = 8;
const PAGE_SIZE = 50;
const MAX_EVENTS = 500;
const RETRY = 2000; // ms

/* Words. */

let language = "en";

function chooseLanguage() {
    const kept = localStorage.getItem("language");
    const wanted = kept || navigator.language || "en";
    language = wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
}

function word(key, ...values) {
    return WORDS[language][key].replace(/\{\}/g, () => String(values.shift()));
}

function locale() {
    const own = navigator.language || "";
    return own.toLowerCase().startsWith(language) ? own : language;
}

function number(value, digits) {
    return value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function timeOf(date) {
    return date.toLocaleTimeString(locale());
}

function dayOf(date) {
    return date.toLocaleDateString(locale(), { weekday: "long", year: "numeric", month: "long", day: "numeric" });
}

/* A time of today without its date. */
function momentOf(text) {
    const date = new Date(text);
    return date.toDateString() === new Date().toDateString() ? timeOf(date) : date.toLocaleString(locale());
}

function span(seconds) {
    if (seconds < 60) {
        return word("seconds", number(seconds, seconds < 10 ? 1 : 0));
    }
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
    return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

function bytes(value) {
    return value >= 1e9 ? number(value / 1e9, 1) + " GB" : number(value / 1e6, 0) + " MB";
}

/* Elements. */

function find(id) {
    return document.getElementById(id);
}

/* make("p", {class: "x", text: "y"}, child, …): `text` is text, what begins with "on" a listener. */
function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
        if (name === "text") {
            element.textContent = value;
        } else if (name.startsWith("on")) {
            element.addEventListener(name.slice(2), value);
        } else if (value !== undefined && value !== null) {
            element.setAttribute(name, value);
        }
    }
    element.append(...children);
    return element;
}

function setText(element, text) {
    if (element.textContent !== text) {
        element.textContent = text;
    }
}

let noticeTimer = 0;

function notify(text, bad) {
    const notice = find("notice");
    notice.textContent = text;
    notice.classList.toggle("bad", Boolean(bad));
    notice.hidden = false;
    clearTimeout(noticeTimer);
    noticeTimer = setTimeout(() => { notice.hidden = true; }, bad ? 15000 : 5000);
}

function translate() {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    for (const element of document.querySelectorAll("[data-word]")) {
        element.textContent = word(element.dataset.word);
    }
    for (const element of document.querySelectorAll("[data-label]")) {
        element.setAttribute("aria-label", word(element.dataset.label));
    }
    find("language").textContent = word("otherLanguage");
    find("language").lang = language === "zh" ? "en" : "zh-CN";
    find("language").setAttribute("aria-label", word("otherLanguageLabel"));
    showConnection();
    for (const card of cards.values()) {
        card.translate();
    }
    showState();
    fillFilters();
    showEvents();
}

/* The API. */

class ApiError extends Error {}

async function request(path, options) {
    let response;
    try {
        response = await fetch(path, options);
    } catch (error) {
        throw new ApiError(word("unreachable"));
    }
    if (response.ok) {
        find("logout").hidden = !needsToken;
        return response.status === 204 ? null : response.json();
    }
    if (response.status === 401 && path !== "api/login") {
        askForToken();
    }
    const answer = await response.json().catch(() => ({}));
    throw new ApiError(answer.error || String(response.status));
}

function cameraPath(name, rest) {
    return "api/cameras/" + encodeURIComponent(name) + (rest ? "/" + rest : "");
}

/* The token. */

let needsToken = localStorage.getItem("token-needed") === "yes";

function askForToken() {
    needsToken = true;
    localStorage.setItem("token-needed", "yes");
    stopNews();
    if (!find("login").open) {
        find("login").showModal();
    }
}

async function logIn(event) {
    event.preventDefault();
    const field = find("login-form").elements.token;
    const problem = find("login-error");
    problem.hidden = true;
    try {
        await request("api/login", {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ token: field.value }),
        });
    } catch (error) {
        problem.textContent = word("failed", error.message);
        problem.hidden = false;
        field.select();
        return;
    }
    field.value = "";
    find("login").close();
    find("logout").hidden = false;
    begin();
}

async function logOut() {
    try {
        await request("api/logout", { method: "POST" });
    } catch (error) {
        notify(word("failed", error.message), true);
        return;
    }
    location.reload();
}

/* Live pictures: one stream of all cameras that are in view. */

const inView = new Set();
let liveAbort = null;
let liveTimer = 0;
let liveCameras = "";

function wantedCameras() {
    if (document.hidden || find("login").open) {
        return [];
    }
    if (find("editor").open) {
        return [editor.camera];
    }
    return [...inView].filter((name) => cards.has(name) && cards.get(name).isPlaying()).sort().slice(0, 64);
}

function updateLive() {
    clearTimeout(liveTimer);
    liveTimer = setTimeout(startLive, 200);
}

function startLive() {
    const names = wantedCameras();
    const key = JSON.stringify(names);
    if (key === liveCameras && (liveAbort || names.length === 0)) {
        return;
    }
    liveCameras = key;
    if (liveAbort) {
        liveAbort.abort();
        liveAbort = null;
    }
    if (names.length > 0) {
        const query = new URLSearchParams(names.map((name) => ["camera", name]));
        liveAbort = new AbortController();
        readLive("api/live.mjpeg?" + query, liveAbort);
    }
}

async function readLive(path, abort) {
    try {
        const response = await fetch(path, { signal: abort.signal });
        if (response.ok) {
            await readParts(response.body.getReader(), showPicture);
        } else if (response.status === 401) {
            askForToken();
        }
    } catch (error) {
        // Told below, since it may also just end.
    }
    if (liveAbort === abort) {
        liveAbort = null;
        clearTimeout(liveTimer);
        liveTimer = setTimeout(startLive, RETRY);
    }
}

function join(a, b) {
    const both = new Uint8Array(a.length + b.length);
    both.set(a);
    both.set(b, a.length);
    return both;
}

/* Where the empty line after a part's head ends; -1: it is not there yet. */
function findBody(data) {
    for (let i = 0; i + 3 < data.length; i++) {
        if (data[i] === 13 && data[i + 1] === 10 && data[i + 2] === 13 && data[i + 3] === 10) {
            return i + 4;
        }
    }
    return -1;
}

/* Parts of multipart/x-mixed-replace, each with a Content-Length and the camera's name. */
async function readParts(reader, show) {
    let data = new Uint8Array(0);
    for (;;) {
        const { done, value } = await reader.read();
        if (done) {
            return;
        }
        data = join(data, value);
        for (;;) {
            const start = findBody(data);
            if (start < 0) {
                break;
            }
            const head = new TextDecoder().decode(data.subarray(0, start));
            const length = Number(/^content-length: (\d+)/im.exec(head)[1]);
            if (data.length < start + length + 2) {
                break;
            }
            show(decodeURIComponent(/^x-camera: (.*?)\r?$/im.exec(head)[1]), data.slice(start, start + length));
            data = data.slice(start + length + 2);
        }
    }
}

/* The one before is let go when the new one is there, or could not be shown. */
function setPicture(image, jpeg) {
    const before = image.src;
    image.onload = image.onerror = () => {
        if (before.startsWith("blob:")) {
            URL.revokeObjectURL(before);
        }
        image.onload = image.onerror = null;
    };
    image.src = URL.createObjectURL(new Blob([jpeg], { type: "image/jpeg" }));
}

function showPicture(name, jpeg) {
    if (find("editor").open && editor.camera === name) {
        setPicture(find("stage-picture"), jpeg);
    } else if (cards.has(name)) {
        cards.get(name).showPicture(jpeg);
    }
}

const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
        const name = entry.target.cameraName;
        if (entry.isIntersecting) {
            inView.add(name);
        } else {
            inView.delete(name);
        }
    }
    updateLive();
});

/* Cameras. */

const cards = new Map();

const STATES = {
    stopped: "stateStopped",
    connecting: "stateConnecting",
    playing: "statePlaying",
    waiting: "stateWaiting",
};

class Card {
    constructor(name) {
        this.name = name;
        this.camera = null;
        this.all = false;
        this.rows = new Map();
        this.times = [];
        this.build();
    }

    build() {
        this.image = make("img", { alt: "" });
        this.none = make("span", { class: "none" });
        this.picture = make("div", { class: "picture" }, this.image, this.none);
        this.picture.cameraName = this.name;
        this.badge = make("span", { class: "badge" });
        this.since = make("span");
        this.figures = make("span");
        this.reason = make("span", { class: "reason" });
        this.scores = make("ul", { class: "scores" });
        this.empty = make("p", { class: "empty" });
        this.more = make("button", { type: "button", class: "more", onclick: () => this.toggleAll() });
        this.edit = make("button", { type: "button", onclick: () => editor.show(this.name) });
        this.events = make("button", { type: "button", onclick: () => this.showEvents() });
        this.restart = make("button", { type: "button", onclick: () => this.restartCamera() });
        this.element = make("article", { class: "camera", "aria-label": this.name },
            this.picture,
            make("h3", { text: this.name }),
            make("div", { class: "state" }, this.badge, this.since, this.figures, this.reason),
            this.empty, this.scores, this.more,
            make("div", { class: "actions" }, this.edit, this.events, this.restart));
        watcher.observe(this.picture);
        this.translate();
    }

    translate() {
        setText(this.none, word("noPicture"));
        setText(this.empty, word("noLabels"));
        setText(this.edit, word("edit"));
        setText(this.events, word("itsEvents"));
        setText(this.restart, word("restart"));
        this.edit.setAttribute("aria-label", word("editOf", this.name));
        this.events.setAttribute("aria-label", word("eventsOf", this.name));
        this.restart.setAttribute("aria-label", word("restartOf", this.name));
        this.image.alt = word("pictureOf", this.name);
        for (const [label, row] of this.rows) {
            row.bar.setAttribute("aria-label", word("scoreOf", label));
        }
        if (this.camera) {
            this.update(this.camera);
        }
    }

    isPlaying() {
        return Boolean(this.camera && this.camera.state === "playing");
    }

    update(camera) {
        const was = this.isPlaying();
        this.camera = camera;
        this.badge.className = "badge " + camera.state;
        setText(this.badge, word(STATES[camera.state] || "stateStopped"));
        setText(this.since, camera.since ? word("sinceTime", momentOf(camera.since)) : "");
        setText(this.figures, this.describe(camera));
        setText(this.reason, [camera.state === "playing" ? "" : camera.reason, camera.warning].filter(Boolean).join(" · "));
        this.picture.classList.toggle("old", !this.isPlaying());
        this.none.hidden = this.isPlaying() && Boolean(this.image.src);
        this.countAnalysed(camera);
        this.showScores();
        if (was !== this.isPlaying()) {
            updateLive();
        }
    }

    describe(camera) {
        const parts = [];
        if (camera.width && camera.height) {
            parts.push(word("size", camera.width, camera.height));
        }
        if (camera.fps) {
            parts.push(word("fps", number(camera.fps, camera.fps % 1 ? 1 : 0)));
        }
        parts.push(word("analysedFrames", (camera.analysed || 0).toLocaleString(locale())));
        if (camera.reconnects) {
            parts.push(word("reconnects", camera.reconnects.toLocaleString(locale())));
        }
        return parts.join(" · ");
    }

    /* Over the last five seconds. */
    countAnalysed(camera) {
        const now = performance.now();
        const last = this.times[this.times.length - 1];
        if (last && camera.analysed < last.analysed) {
            this.times = [];
        }
        this.times.push({ time: now, analysed: camera.analysed || 0 });
        while (this.times.length > 2 && this.times[0].time < now - 5000) {
            this.times.shift();
        }
    }

    rate() {
        const first = this.times[0];
        const last = this.times[this.times.length - 1];
        return this.isPlaying() && last && last.time > first.time
            ? (last.analysed - first.analysed) / (last.time - first.time) * 1000 : 0;
    }

    /* Those that are active, and of the others the first ones; in the order of the prompts, so that
     * nothing jumps. */
    shownLabels() {
        const labels = this.camera.labels || [];
        let rest = SHOWN_LABELS - labels.filter((label) => label.active).length;
        return this.all ? labels : labels.filter((label) => label.active || rest-- > 0);
    }

    showScores() {
        const labels = this.camera.labels || [];
        const shown = this.shownLabels();
        const names = new Set(shown.map((label) => label.label));
        for (const [name, row] of this.rows) {
            if (!names.has(name)) {
                row.element.remove();
                this.rows.delete(name);
            }
        }
        shown.forEach((label, i) => {
            const row = this.rows.get(label.label) || this.addRow(label.label);
            this.updateRow(row, label);
            if (this.scores.children[i] !== row.element) {
                this.scores.insertBefore(row.element, this.scores.children[i] || null);
            }
        });
        this.empty.hidden = labels.length > 0;
        this.more.hidden = !this.all && shown.length === labels.length;
        this.more.setAttribute("aria-expanded", String(this.all));
        setText(this.more, this.all ? word("fewerLabels") : word("moreLabels", labels.length));
    }

    addRow(name) {
        const row = {
            bar: make("span", {
                class: "bar", role: "meter", "aria-valuemin": "0", "aria-valuemax": "1",
                "aria-label": word("scoreOf", name),
            }),
            value: make("span", { class: "value" }),
        };
        row.element = make("li", {}, make("span", { class: "name", text: name, title: name }), row.bar, row.value);
        this.rows.set(name, row);
        return row;
    }

    updateRow(row, label) {
        const known = typeof label.score === "number";
        const score = known ? Math.min(1, Math.max(0, label.score)) : 0;
        row.element.classList.toggle("active", Boolean(label.active));
        row.bar.style.setProperty("--score", String(score));
        row.bar.setAttribute("aria-valuenow", score.toFixed(2));
        row.bar.setAttribute("aria-valuetext",
            (known ? number(label.score, 2) : "–") + (label.active ? ", " + word("active") : ""));
        setText(row.value, known ? number(label.score, 2) : "–");
    }

    toggleAll() {
        this.all = !this.all;
        this.showScores();
    }

    showPicture(jpeg) {
        setPicture(this.image, jpeg);
        this.none.hidden = this.isPlaying();
    }

    showEvents() {
        find("filters").elements.camera.value = this.name;
        loadEvents();
        find("events").scrollIntoView();
        find("events").focus();
    }

    async restartCamera() {
        try {
            await request(cameraPath(this.name, "restart"), { method: "POST" });
            notify(word("restarted", this.name));
        } catch (error) {
            notify(word("failed", error.message), true);
        }
    }

    remove() {
        watcher.unobserve(this.picture);
        inView.delete(this.name);
        this.element.remove();
    }
}

function setCameras(names) {
    for (const [name, card] of cards) {
        if (!names.includes(name)) {
            card.remove();
            cards.delete(name);
        }
    }
    names.forEach((name, i) => {
        if (!cards.has(name)) {
            cards.set(name, new Card(name));
        }
        const list = find("camera-list");
        const element = cards.get(name).element;
        if (list.children[i] !== element) {
            list.insertBefore(element, list.children[i] || null);
        }
    });
    find("no-cameras").hidden = names.length > 0;
    fillFilters();
    updateLive();
}

function updateCamera(camera) {
    if (cards.has(camera.name)) {
        cards.get(camera.name).update(camera);
        showLoad();
    }
}

/* The program. */

let state = null;

function showLoad() {
    const all = [...cards.values()];
    const rate = all.reduce((sum, card) => sum + card.rate(), 0);
    setText(find("load-playing"), word("playingOf", all.filter((card) => card.isPlaying()).length, all.length));
    setText(find("load-rate"), word("perSecond", number(rate, 1)));
}

function showState() {
    if (!state) {
        return;
    }
    const model = state.model ? state.model.replace(/\/+$/, "").split("/").pop() : word("bundled");
    setText(find("load-cpu"), number(state.load.cpu * 100, 0) + " %");
    setText(find("load-memory"), bytes(state.load.memory));
    setText(find("load-model"), model);
    find("load-model").title = [state.model, state.precision, state.version].filter(Boolean).join(" · ");
    setText(find("load-uptime"), span(Math.floor(state.uptime)));
    const trouble = state.events && state.events.trouble;
    find("trouble").hidden = !trouble;
    setText(find("trouble"), trouble ? word("trouble", trouble) : "");
    showLoad();
}

/* Events. */

let events = [];
let nextEvent = null;
let eventsAsked = 0;

function filters() {
    const fields = find("filters").elements;
    const time = (value) => value ? new Date(value).toISOString() : "";
    return {
        camera: fields.camera.value,
        label: fields.label.value.trim(),
        kind: fields.kind.value,
        since: time(fields.since.value),
        until: time(fields.until.value),
    };
}

function eventsPath(before) {
    const query = new URLSearchParams(Object.entries(filters()).filter(([, value]) => value));
    query.set("limit", String(PAGE_SIZE));
    if (before) {
        query.set("before", String(before));
    }
    return "api/events?" + query;
}

async function loadEvents(before) {
    const asked = ++eventsAsked;
    let answer;
    try {
        answer = await request(eventsPath(before));
    } catch (error) {
        if (!find("login").open) {
            notify(word("failed", error.message), true);
        }
        return;
    }
    // Other filters were chosen meanwhile.
    if (asked !== eventsAsked) {
        return;
    }
    events = before ? events.concat(answer.events) : answer.events;
    nextEvent = answer.next;
    showEvents();
}

function isWanted(event) {
    const wanted = filters();
    const time = new Date(event.time).getTime();
    return (!wanted.camera || wanted.camera === event.camera) && (!wanted.label || wanted.label === event.label) &&
        (!wanted.kind || wanted.kind === event.kind) &&
        (!wanted.since || time >= new Date(wanted.since).getTime()) &&
        (!wanted.until || time <= new Date(wanted.until).getTime());
}

function addEvent(event) {
    if (!isWanted(event) || events.some((other) => other.id === event.id)) {
        return;
    }
    events.unshift(event);
    if (events.length > MAX_EVENTS) {
        events.length = MAX_EVENTS;
        nextEvent = events[MAX_EVENTS - 1].id;
    }
    showEvents();
}

const REASONS = {
    score: "reasonScore",
    eos: "reasonEos",
    flush: "reasonFlush",
    prompts: "reasonPrompts",
    stopped: "reasonStopped",
    expired: "reasonExpired",
};

function describeEvent(event) {
    const parts = [];
    if (event.kind === "end") {
        if (typeof event.duration === "number") {
            parts.push(word("after", span(event.duration)));
        }
        if (typeof event.peak === "number") {
            parts.push(word("peak", number(event.peak, 2)));
        }
        if (REASONS[event.reason] && event.reason !== "score") {
            parts.push(word(REASONS[event.reason]));
        }
    } else if (typeof event.score === "number") {
        parts.push(word("score", number(event.score, 2)));
    }
    return parts.join(" · ");
}

function makeEvent(event) {
    const date = new Date(event.time);
    const name = event.label + ", " + event.camera + ", " + timeOf(date);
    const path = "api/events/" + event.id + "/thumbnail.jpg";
    const thumbnail = event.thumbnail
        ? make("a", { class: "thumbnail", href: path, target: "_blank", rel: "noopener" },
            make("img", { src: path, loading: "lazy", alt: word("thumbnailOf", name) }))
        : make("span", { class: "thumbnail" });
    return make("li", { class: "event " + (event.kind === "begin" ? "begin" : "end") }, thumbnail,
        make("div", { class: "what" },
            make("p", {}, make("strong", { text: event.label }), " ",
                make("span", { class: "kind", text: word(event.kind === "begin" ? "begin" : "end") })),
            make("p", { text: event.camera }),
            make("p", {}, make("time", { datetime: event.time, text: timeOf(date) }), " · " + describeEvent(event))));
}

const eventElements = new Map();
let eventsLanguage = "";

/* Elements of events that stay, stay: pictures are not loaded again, and what has the focus keeps it. */
function showEvents() {
    const list = find("event-list");
    const wanted = [];
    let day = "";
    if (eventsLanguage !== language) {
        eventElements.clear();
        eventsLanguage = language;
    }
    for (const event of events) {
        const own = dayOf(new Date(event.time));
        if (own !== day) {
            day = own;
            wanted.push(keptElement("day " + day, () => make("li", { class: "day", text: day })));
        }
        wanted.push(keptElement(event.id, () => makeEvent(event)));
    }
    const keep = new Set(wanted);
    for (const [key, element] of eventElements) {
        if (!keep.has(element)) {
            eventElements.delete(key);
        }
    }
    for (const element of [...list.children]) {
        if (!keep.has(element)) {
            element.remove();
        }
    }
    wanted.forEach((element, i) => {
        if (list.children[i] !== element) {
            list.insertBefore(element, list.children[i] || null);
        }
    });
    find("no-events").hidden = events.length > 0;
    find("older").hidden = !nextEvent;
}

function keptElement(key, makeOne) {
    if (!eventElements.has(key)) {
        eventElements.set(key, makeOne());
    }
    return eventElements.get(key);
}

function fillFilters() {
    const select = find("filters").elements.camera;
    const chosen = select.value;
    const names = [...cards.keys()];
    select.replaceChildren(make("option", { value: "", text: word("all") }),
        ...names.map((name) => make("option", { value: name, text: name })));
    select.value = names.includes(chosen) ? chosen : "";
    fillKnownLabels();
}

function fillKnownLabels() {
    const labels = new Set();
    for (const card of cards.values()) {
        for (const label of (card.camera && card.camera.labels) || []) {
            labels.add(label.label);
        }
    }
    find("known-labels").replaceChildren(...[...labels].sort().map((label) => make("option", { value: label })));
}

/* News. */

let news = null;
let newsTimer = 0;
let connection = "connecting";

function showConnection() {
    setText(find("connection"), word(connection));
    find("connection").classList.toggle("on", connection === "connected");
}

function setConnection(now) {
    connection = now;
    showConnection();
}

function hear(name, use) {
    news.addEventListener(name, (event) => use(JSON.parse(event.data)));
}

function startNews() {
    stopNews();
    news = new EventSource("api/stream");
    news.onopen = () => {
        setConnection("connected");
        loadEvents();
    };
    news.onerror = onNewsError;
    hear("cameras", setCameras);
    hear("camera", updateCamera);
    hear("event", addEvent);
    hear("reset", () => loadEvents());
    hear("state", (now) => {
        state = now;
        showState();
        fillKnownLabels();
    });
}

/* The browser tries again by itself when a connection ends, but not after a refusal, which it does
 * not tell apart: that is asked for. */
function onNewsError() {
    setConnection("disconnected");
    if (news && news.readyState === EventSource.CLOSED) {
        stopNews();
        newsTimer = setTimeout(begin, RETRY);
    }
}

function stopNews() {
    clearTimeout(newsTimer);
    if (news) {
        news.close();
        news = null;
    }
}

/* Prompts and their regions. The document is edited in place, so that what this form has no field
 * for stays as it is. */

const FILE_NUMBERS = ["threshold", "hysteresis", "min_on", "min_off", "smoothing"];

function parseNumber(field) {
    return field.value.trim() === "" ? undefined : Number(field.value);
}

function setOrDelete(object, key, value) {
    if (value === undefined || Number.isNaN(value)) {
        delete object[key];
    } else {
        object[key] = value;
    }
}

/* The text of a negative that is nothing but a text; undefined: it is more. */
function plainText(negative) {
    if (typeof negative === "string") {
        return negative;
    }
    const { label, texts, ...more } = negative;
    const plain = Object.keys(more).length === 0 && (!texts || (texts.length === 1 && texts[0] === label));
    return plain ? label : undefined;
}

function lines(text) {
    return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

function round(value) {
    return Math.round(value * 10000) / 10000;
}

const editor = {
    camera: "",
    prompts: null,
    chosen: -1, // the label whose region is drawn
    from: null, // where the drag began

    async show(camera) {
        let prompts;
        try {
            prompts = await request(cameraPath(camera, "prompts"));
        } catch (error) {
            notify(word("failed", error.message), true);
            return;
        }
        this.camera = camera;
        this.prompts = prompts;
        this.chosen = -1;
        this.tell("");
        find("editor-title").textContent = word("editOf", camera);
        find("document").open = false;
        find("stage-picture").removeAttribute("src");
        find("stage-picture").alt = word("pictureOf", camera);
        this.fill();
        find("editor").showModal();
        updateLive();
    },

    /* Comes a while after the dialog has closed, and it may be open again by then. */
    closed() {
        if (!find("editor").open) {
            this.prompts = null;
        }
        updateLive();
    },

    tell(text) {
        find("editor-error").textContent = text;
        find("editor-error").hidden = text === "";
    },

    labels() {
        if (!Array.isArray(this.prompts.labels)) {
            this.prompts.labels = [];
        }
        return this.prompts.labels;
    },

    /* Thresholds below 0 mean something for these scores alone. */
    isCosine() {
        return this.prompts.score_mode === "cosine";
    },

    fill() {
        const fields = find("editor-form").elements;
        for (const name of FILE_NUMBERS) {
            fields[name].value = this.prompts[name] ?? "";
        }
        fields.threshold.min = this.isCosine() ? "-1" : "0";
        const negatives = Array.isArray(this.prompts.negatives) ? this.prompts.negatives : [];
        fields.negatives.value = negatives.map(plainText).filter(Boolean).join("\n");
        find("label-list").replaceChildren(...this.labels().map((label, i) => this.makeLabel(label, i)));
        this.showRegions();
        this.writeDocument();
    },

    writeDocument() {
        find("document-text").value = JSON.stringify(this.prompts, null, 2);
    },

    makeLabel(label, i) {
        const own = label.images || label.embedding;
        const shown = label.label || String(i + 1);
        const name = make("input", {
            type: "text", required: "", value: label.label || "",
            oninput: (event) => this.change(() => { label.label = event.target.value; }),
        });
        const threshold = make("input", {
            type: "number", min: this.isCosine() ? "-1" : "0", max: "1", step: "any", inputmode: "decimal",
            value: label.threshold ?? "",
            placeholder: this.prompts.threshold ?? (this.isCosine() ? "0.25" : "0.5"),
            oninput: (event) => this.change(() => setOrDelete(label, "threshold", parseNumber(event.target))),
        });
        const texts = make("textarea", {
            rows: String(Math.min(4, Math.max(1, (label.texts || []).length))), spellcheck: "false",
            placeholder: word(own ? "ready" : "textsHelp"),
            oninput: (event) => this.change(() => {
                const all = lines(event.target.value);
                setOrDelete(label, "texts", all.length ? all : undefined);
            }),
        });
        texts.value = (label.texts || []).join("\n");
        texts.disabled = Boolean(label.embedding);
        return make("li", {},
            make("label", {}, make("span", { text: word("label") }), name),
            make("label", {}, make("span", { text: word("threshold") }), threshold),
            make("label", { class: "texts" }, make("span", { text: word("texts") }), texts),
            make("div", { class: "row" },
                make("button", {
                    type: "button", class: "choose", "aria-label": word("regionChooseOf", shown),
                    onclick: () => this.choose(i),
                }),
                make("button", {
                    type: "button", text: word("remove"), "aria-label": word("removeOf", shown),
                    onclick: () => this.removeLabel(i),
                })));
    },

    change(apply) {
        apply();
        this.showRegions();
        this.writeDocument();
    },

    addLabel() {
        this.labels().push({ label: "" });
        this.fill();
        find("label-list").lastElementChild.querySelector("input").focus();
    },

    removeLabel(i) {
        this.labels().splice(i, 1);
        this.chosen = -1;
        this.fill();
        find("label-add").focus();
    },

    readFile() {
        const fields = find("editor-form").elements;
        for (const name of FILE_NUMBERS) {
            setOrDelete(this.prompts, name, parseNumber(fields[name]));
        }
        const others = (Array.isArray(this.prompts.negatives) ? this.prompts.negatives : [])
            .filter((negative) => plainText(negative) === undefined);
        const all = lines(fields.negatives.value).concat(others);
        setOrDelete(this.prompts, "negatives", all.length ? all : undefined);
        this.writeDocument();
    },

    readDocument() {
        let prompts;
        try {
            prompts = JSON.parse(find("document-text").value);
            if (typeof prompts !== "object" || prompts === null || Array.isArray(prompts)) {
                throw new Error("{ }");
            }
        } catch (error) {
            this.tell(word("documentWrong", error.message));
            return;
        }
        const text = find("document-text").value;
        this.prompts = prompts;
        this.chosen = -1;
        this.fill();
        find("document-text").value = text;
        this.tell("");
    },

    async save(event) {
        event.preventDefault();
        const unnamed = this.labels().findIndex((label) => typeof label.label !== "string" || !label.label.trim());
        if (unnamed >= 0) {
            this.tell(word("nameMissing", unnamed + 1));
            return;
        }
        // What is not JSON yet was never taken over, and must not be lost silently.
        try {
            JSON.parse(find("document-text").value);
        } catch (error) {
            this.tell(word("documentWrong", error.message));
            return;
        }
        try {
            await request(cameraPath(this.camera, "prompts"), {
                method: "PUT",
                headers: { "Content-Type": "application/json" },
                body: JSON.stringify(this.prompts),
            });
        } catch (error) {
            this.tell(word("failed", error.message));
            return;
        }
        find("editor").close();
        notify(word("saved", this.camera));
    },

    /* Regions. */

    choose(i) {
        this.chosen = this.chosen === i ? -1 : i;
        this.showRegions();
        if (this.chosen >= 0) {
            find("stage").scrollIntoView({ block: "nearest" });
            find("stage").focus();
        }
    },

    chosenLabel() {
        return this.prompts && this.chosen >= 0 ? this.labels()[this.chosen] : null;
    },

    setRegion(region) {
        const label = this.chosenLabel();
        if (!label) {
            return;
        }
        if (region) {
            const w = Math.min(1, Math.max(0.01, region[2]));
            const h = Math.min(1, Math.max(0.01, region[3]));
            const x = Math.min(1 - w, Math.max(0, region[0]));
            const y = Math.min(1 - h, Math.max(0, region[1]));
            label.region = [x, y, Math.min(w, 1 - x), Math.min(h, 1 - y)].map(round);
            // So that rounding leaves it within the picture.
            label.region[2] = round(Math.min(label.region[2], 1 - label.region[0]));
            label.region[3] = round(Math.min(label.region[3], 1 - label.region[1]));
        } else {
            delete label.region;
        }
        this.change(() => {});
    },

    showRegions() {
        if (!this.prompts) {
            return;
        }
        const layer = find("stage-regions");
        const items = [...find("label-list").children];
        layer.replaceChildren();
        this.labels().forEach((label, i) => {
            const button = items[i] && items[i].querySelector(".choose");
            const has = Array.isArray(label.region) && label.region.length === 4;
            if (has) {
                layer.append(this.makeRegion(label, i === this.chosen));
            }
            if (button) {
                items[i].classList.toggle("chosen", i === this.chosen);
                button.setAttribute("aria-pressed", String(i === this.chosen));
                setText(button, word(has ? "regionSet" : "regionChoose"));
            }
        });
        find("stage").classList.toggle("drawing", this.chosen >= 0);
        this.fillRegionFields();
    },

    makeRegion(label, chosen) {
        const box = make("div", { class: "region" + (chosen ? " chosen" : "") }, make("span", { text: label.label || "" }));
        const [x, y, w, h] = label.region.map((part) => part * 100 + "%");
        box.style.left = x;
        box.style.top = y;
        box.style.width = w;
        box.style.height = h;
        return box;
    },

    fillRegionFields() {
        const fields = find("editor-form").elements;
        const label = this.chosenLabel();
        const region = label && label.region;
        find("region-fields").disabled = !label;
        find("region-legend").textContent = label ? word("regionFor", label.label || this.chosen + 1) : word("region");
        ["x", "y", "w", "h"].forEach((name, i) => {
            if (document.activeElement !== fields[name]) {
                fields[name].value = region ? round(region[i] * 100) : "";
            }
        });
    },

    readRegionFields() {
        const fields = find("editor-form").elements;
        const parts = ["x", "y", "w", "h"].map((name) => parseNumber(fields[name]));
        if (parts.every((part) => part !== undefined && !Number.isNaN(part)) && parts[2] > 0 && parts[3] > 0) {
            this.setRegion(parts.map((part) => part / 100));
        }
    },

    /* Where the picture is on the stage: there is black beside one of another shape. */
    placeLayer() {
        const image = find("stage-picture");
        const stage = find("stage");
        const layer = find("stage-regions");
        const shape = image.naturalWidth ? image.naturalWidth / image.naturalHeight : 16 / 9;
        const width = Math.min(stage.clientWidth, stage.clientHeight * shape);
        const height = Math.min(stage.clientHeight, stage.clientWidth / shape);
        layer.style.width = width + "px";
        layer.style.height = height + "px";
        layer.style.left = (stage.clientWidth - width) / 2 + "px";
        layer.style.top = (stage.clientHeight - height) / 2 + "px";
    },

    pointAt(event) {
        const box = find("stage-regions").getBoundingClientRect();
        return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
            .map((part) => Math.min(1, Math.max(0, part)));
    },

    beginDrag(event) {
        if (this.chosenLabel() && event.button === 0) {
            this.from = this.pointAt(event);
            find("stage").setPointerCapture(event.pointerId);
        }
    },

    drag(event) {
        if (!this.from) {
            return;
        }
        const to = this.pointAt(event);
        const w = Math.abs(to[0] - this.from[0]);
        const h = Math.abs(to[1] - this.from[1]);
        // A click is no region.
        if (w > 0.01 && h > 0.01) {
            this.setRegion([Math.min(to[0], this.from[0]), Math.min(to[1], this.from[1]), w, h]);
        }
    },

    endDrag(event) {
        this.drag(event);
        this.from = null;
    },

    onKey(event) {
        const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
        const label = this.chosenLabel();
        if (!label || event.target !== find("stage")) {
            return;
        }
        if (event.key === "Delete" || event.key === "Backspace") {
            event.preventDefault();
            this.setRegion(null);
            return;
        }
        const step = steps[event.key];
        if (!step) {
            return;
        }
        event.preventDefault();
        const [x, y, w, h] = label.region || [0.25, 0.25, 0.5, 0.5];
        const [dx, dy] = step.map((part) => part * 0.02);
        if (!label.region) {
            this.setRegion([x, y, w, h]);
        } else if (event.shiftKey) {
            this.setRegion([x, y, Math.min(w + dx, 1 - x), Math.min(h + dy, 1 - y)]);
        } else {
            this.setRegion([x + dx, y + dy, w, h]);
        }
    },

    connect() {
        const stage = find("stage");
        const form = find("editor-form");
        form.addEventListener("submit", (event) => this.save(event));
        find("editor").addEventListener("close", () => this.closed());
        find("editor-cancel").addEventListener("click", () => find("editor").close());
        find("label-add").addEventListener("click", () => this.addLabel());
        find("region-clear").addEventListener("click", () => this.setRegion(null));
        find("document-text").addEventListener("change", () => this.readDocument());
        for (const name of [...FILE_NUMBERS, "negatives"]) {
            form.elements[name].addEventListener("input", () => this.readFile());
        }
        for (const name of ["x", "y", "w", "h"]) {
            form.elements[name].addEventListener("change", () => this.readRegionFields());
        }
        stage.addEventListener("pointerdown", (event) => this.beginDrag(event));
        stage.addEventListener("pointermove", (event) => this.drag(event));
        stage.addEventListener("pointerup", (event) => this.endDrag(event));
        stage.addEventListener("pointercancel", () => { this.from = null; });
        stage.addEventListener("keydown", (event) => this.onKey(event));
        find("stage-picture").addEventListener("load", () => this.placeLayer());
        new ResizeObserver(() => this.placeLayer()).observe(stage);
    },
};

/* The page. */

async function begin() {
    setConnection("connecting");
    try {
        const now = await request("api/state");
        setCameras(now.cameras.map((camera) => camera.name));
        now.cameras.forEach(updateCamera);
        state = now;
        showState();
        fillKnownLabels();
    } catch (error) {
        if (!find("login").open) {
            setConnection("disconnected");
            newsTimer = setTimeout(begin, RETRY);
        }
        return;
    }
    startNews();
    updateLive();
}

function onVisibility() {
    if (document.hidden) {
        stopNews();
        setConnection("paused");
    } else if (!find("login").open) {
        begin();
    }
    updateLive();
}

function start() {
    chooseLanguage();
    translate();
    editor.connect();
    find("language").addEventListener("click", () => {
        language = language === "zh" ? "en" : "zh";
        localStorage.setItem("language", language);
        translate();
    });
    find("login-form").addEventListener("submit", logIn);
    find("login").addEventListener("cancel", (event) => event.preventDefault());
    find("logout").addEventListener("click", logOut);
    find("logout").hidden = !needsToken;
    find("filters").addEventListener("input", () => loadEvents());
    find("filters").addEventListener("submit", (event) => event.preventDefault());
    find("filters").addEventListener("reset", () => setTimeout(loadEvents));
    find("older").addEventListener("click", () => loadEvents(nextEvent));
    document.addEventListener("visibilitychange", onVisibility);
    if (!document.hidden) {
        begin();
    }
}

start();
