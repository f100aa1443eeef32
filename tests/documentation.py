#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compare the pages of docs/ with the sources.

    tests/documentation.py [--list]

Each text that altclip may say to its user is in docs/troubleshooting.md, and each message there is one of
those; each environment variable that is read is in docs/environment-variables.md, and none that is not;
properties, sets of kernels, commands and options have their place; links between pages lead somewhere, and
what is named is there. Prints TAP; with --list the texts that are looked for.
"""

import functools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

# ---- Texts in the sources -------------------------------------------------------------------------

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*|^[ ]*\#[ ]*(?!define)\w[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<character>'(?:\\.|[^'\\\n])+')
      | (?P<word>[A-Za-z_]\w*)
      | (?P<mark>[^\s\w])""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)

ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)

# Arguments of these are not said to users, or not as errors and warnings: debugging, what gst-inspect-1.0 and
# --help show, pictures and pages, JSON, code for the compiler, pipelines.
SILENT_CALLS = re.compile(
    r"g_debug|GST_(?:TRACE|LOG|DEBUG|INFO|WARNING)_OBJECT|GST_DEBUG_CATEGORY_INIT|GST_PLUGIN_DEFINE"
    r"|gst_element_class_set_static_metadata|g_param_spec_\w+|json_pack|json_unpack|_Pragma|__asm__|volatile"
    r"|defined|add_line|report_new|begin_progress|end_progress|post_progress|gst_structure_new|gst_parse_launch"
)

# Arguments of these complete a message that is looked for: what a field or a tensor must be, what a CPU lacks.
COMPLETING_CALLS = re.compile(
    r"altclip_json_(?:fail|refuse)|altclip_scanner_(?:open_\w+|read_\w+|refuse)|fail_to_find|go_on|altclip_weights_require|\w+_probe"
)

# Nor are the texts in these initialisers.
SILENT_TYPES = re.compile(r"\b(?:GEnumValue|GOptionEntry|Command|GstStaticPadTemplate)\b.*=")

# Nor those of these files, for the reason that is said.
SILENT_FILES = {
    "gst/altclipdrawing.c": "letters in the picture",
    "gst/altclipformat.h": "caps",
    "pipelines/command_filter.h": "--help",
    "pipelines/command_model.h": "--help",
    "pipelines/command_prompts.h": "--help",
    "pipelines/demo.c": "the demo's own output",
    "pipelines/monitor/metrics.c": "what the numbers are",
    "pipelines/progress.c": "how far it is",
    "pipelines/report.c": "letters in the picture",
}

# Nor these, by how they begin.
SILENT_TEXTS = re.compile(
    # Progress, and --help.
    r"Loading the model|%u sources|Usage: |\nOptions:|  %|Watches cameras, stores|altclip(?:-monitor)? %s\n?$"
    # Keys, phrases and letters, pages and pipelines, caps, and what is compared with.
    r"|%d %u %s|a clear picture|%u ×, %s|<|filesrc name=|capsfilter name=|video\w+ .*name=|altclippublish name=|\{ I420|version https://git-lfs"
    # SQL, and what the monitor says in HTTP, where that is no error.
    r"|(?:SELECT|PRAGMA|BEGIN|COMMIT|INSERT|DELETE|CREATE|SQLite format) | (?:INDEXED|time BETWEEN|LIMIT|id <|AND|ORDER) "
    r"|[a-z]+/[a-z-]+; |private, max-age|Bearer realm|default-src|%s=%s; Path|altclip-monitor session|Content-Type: image|Content-Length: |X-Camera: |(?:event|id|data): |\{\"version"
    r"|\r?\n--"
)


def unescape(text):
    """What the compiler makes of the inside of a string."""

    def replace(match):
        code = match.group(1)
        if code[0] == "x":
            return chr(int(code[1:], 16))
        if code[0].isdigit():
            return chr(int(code, 8))
        return {"n": "\n", "t": "\t", "r": "\r"}.get(code, code)

    text = ESCAPE.sub(replace, text)
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def read_tokens(path):
    """Kind, text and line of each token that is no comment."""
    source = path.read_text(encoding="utf-8")
    line, at = 1, 0
    for match in TOKEN.finditer(source):
        line += source.count("\n", at, match.start())
        at = match.start()
        if match.lastgroup != "comment":
            yield match.lastgroup, match.group(), line


def read_texts(path):
    """Each run of strings in a file: the line, the text, and the calls and initialisers that it is in."""
    around, statement, run, place = [], [], [], None
    for kind, token, line in read_tokens(path):
        if kind == "string":
            place = place or line
            run.append(unescape(token[1:-1]))
            continue
        if token == "\\":
            continue
        # A macro for the rest of a format, as G_GSIZE_FORMAT, or for a name in the middle of it.
        if run and kind == "word" and token.isupper():
            run.append("s" if run[-1].endswith("%") else "%s")
            continue
        if run:
            yield place, "".join(run), list(around)
            run, place = [], None
        if token in "([":
            around.append(statement[-1] if statement else "")
        elif token == "{":
            around.append(" ".join(statement))
        elif token in ")]}" and around:
            around.pop()
        statement = [] if token in "{};" else statement + [token]


def is_said(text, around):
    """Whether it is a sentence, or a part of one, for a person who uses altclip."""
    if not re.search(r"[A-Za-z]{2,}[^A-Za-z]* [^A-Za-z]*[A-Za-z%]{2,}|%\w [a-z]|[a-z] %", text) or SILENT_TEXTS.match(text):
        return False
    return not any(SILENT_CALLS.fullmatch(name) or COMPLETING_CALLS.fullmatch(name) or SILENT_TYPES.search(name) for name in around)


def find_texts():
    """File, line and text of all that may be said."""
    for folder in ("engine", "gst", "pipelines"):
        for path in sorted((ROOT / folder).rglob("*")):
            name = str(path.relative_to(ROOT))
            if path.suffix not in (".c", ".cc", ".h") or name in SILENT_FILES or "examples" in path.parts:
                continue
            for line, text, around in read_texts(path):
                # What follows another message is one by itself.
                parts = re.sub(r"^%s\. ", "", text).split("\n") if is_said(text, around) else []
                yield from ((name, line, part) for part in parts if is_said(part, around))


@functools.lru_cache(maxsize=None)
def read_all_texts():
    return tuple(find_texts())


# ---- Texts in the page ----------------------------------------------------------------------------

CODE = re.compile(r"`([^`\n]+)`")
TEXT_BLOCK = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

# Code in the page that is no message: of sections that are not of messages.
SECTIONS_WITHOUT = re.compile(r"^(?:# .*?|## Without a message.*?)(?=^## )", re.MULTILINE | re.DOTALL)


@functools.lru_cache(maxsize=None)
def read_page(name):
    return (DOCS / name).read_text(encoding="utf-8")


def find_messages(page):
    """What stands as code in the first column of tables and in blocks of text; and all code."""
    lines = [line for block in TEXT_BLOCK.findall(page) for line in block.splitlines() if line]
    rows = [line.split(" | ")[0] for line in SECTIONS_WITHOUT.sub("", page).splitlines() if line.startswith("| `")]
    return lines + [code for row in rows for code in CODE.findall(row)], lines + CODE.findall(FENCED.sub("", page))


def make_pattern(text):
    """A pattern of what a format may become."""
    # Code in a page holds no backquotes.
    text = " ".join(text.replace("`", "").split())
    parts = re.split(r"(%[-+ #0]*\d*(?:\.\d+)?(?:hh|h|ll|l|z)?[a-zA-Z])", text.replace("%%", "%\0"))
    pattern = "".join(".*" if part.startswith("%") and part != "%\0" else re.escape(part) for part in parts)
    return re.compile(pattern.replace("\0", ""))


def find_undocumented(texts, codes):
    """Texts that no code of the page has."""
    for name, line, text in texts:
        pattern = make_pattern(text)
        if not any(pattern.search(code) for code in codes):
            yield "%s:%d: %s" % (name, line, text)


def find_unsaid(texts, messages):
    """Messages of the page that no source says."""
    patterns = [make_pattern(text) for name, line, text in texts if len(re.sub(r"%\w", "", text)) >= 6]
    for message in messages:
        if not any(pattern.search(message) for pattern in patterns):
            yield message


def check_messages():
    codes = find_messages(read_page("troubleshooting.md"))[1]
    yield from find_undocumented(read_all_texts(), codes)


def check_page_of_messages():
    messages = find_messages(read_page("troubleshooting.md"))[0]
    yield from find_unsaid(read_all_texts(), messages)


# ---- Names ----------------------------------------------------------------------------------------

VARIABLE = re.compile(r"ALTCLIP_[A-Z0-9_]+")

# In C, in Python and in shell.
READ_IN_C = re.compile(r'getenv \("(\w+)"\)')
READ_IN_PYTHON = re.compile(r"""environ(?:\.get\(|\[)["'](\w+)""")
READ_IN_SHELL = re.compile(r"\$\{?(ALTCLIP_[A-Z0-9_]+)")
# A helper of a test that is given the name.
READ_BY_HELPER = re.compile(r'get_number_of \("(\w+)"')

# Of the system, whose own documentation has them; and of OpenBLAS, which one test reads.
FOREIGN_VARIABLES = {"TMPDIR", "OPENBLAS_CORETYPE", "MESON_BUILD_ROOT", "PATH", "TRANSFORMERS_VERBOSITY"}

PROPERTY = re.compile(r'g_param_spec_\w+ \(\s*"([\w-]+)"')
NAME = re.compile(r'\.name = "(\w+)"')
OPTION = re.compile(r"^option\('(\w+)'", re.MULTILINE)


def read_sources(*folders):
    """Path and text of each source."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "corpus" not in path.parts and path.suffix in (".c", ".cc", ".h", ".py", ""):
                yield path, path.read_text(encoding="utf-8", errors="replace")


def find_variables():
    """Each environment variable that something reads, and where."""
    for path, text in read_sources("engine", "gst", "pipelines", "tests"):
        for pattern in (READ_IN_C, READ_IN_PYTHON, READ_IN_SHELL, READ_BY_HELPER):
            for name in pattern.findall(text):
                if name not in FOREIGN_VARIABLES:
                    yield name, path.relative_to(ROOT)


def check_variables():
    page = read_page("environment-variables.md")
    read = dict(find_variables())
    yield from ("%s, which %s reads" % item for item in read.items() if "`%s`" % item[0] not in page)
    yield from ("%s, which nothing reads" % name for name in sorted(set(VARIABLE.findall(page)) - read.keys()))


def check_properties():
    places = {"altclipoverlay.c": "overlay.md", "altclippublish.c": "publishing.md"}
    for path, text in read_sources("gst"):
        page = places.get(path.name, "properties.md")
        for name in PROPERTY.findall(text):
            if "| `%s`" % name not in read_page(page) and ", `%s` |" % name not in read_page(page):
                yield "%s, which is not in a table of docs/%s" % (name, page)


def check_kernels():
    page = read_page("environment-variables.md")
    for path, text in read_sources("engine"):
        if path.name.startswith("kernels_"):
            yield from (name for name in NAME.findall(text) if "`%s`" % name not in page)


def check_commands():
    page = read_page("command.md")
    for path, text in read_sources("pipelines"):
        if path.name.startswith("command_"):
            yield from ("altclip " + name for name in NAME.findall(text) if not re.search(r"`%s`" % name, page))


def check_options():
    page = read_page("building-and-testing.md")
    options = OPTION.findall((ROOT / "meson_options.txt").read_text(encoding="utf-8"))
    yield from (name for name in options if "`-D%s`" % name not in page)


# ---- Pages ----------------------------------------------------------------------------------------

LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def make_anchor(heading):
    """As GitHub and MkDocs make it of a heading of ours."""
    return re.sub(r"[^\w\s-]", "", heading.lower()).strip().replace(" ", "-")


def find_anchors(path):
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    return {make_anchor(heading) for heading in HEADING.findall(text)}


def check_links():
    for page in [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "models/demo/README.md", *sorted(DOCS.glob("*.md"))]:
        for target, anchor in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
            path = (page.parent / target).resolve() if target else page
            if re.match(r"\w+:", target):
                continue
            if not path.exists():
                yield "%s leads to %s, which is not there" % (page.name, target)
            elif anchor and anchor not in find_anchors(path):
                yield "%s leads to %s#%s, which has no such heading" % (page.name, target, anchor)


def check_pages():
    places = [ROOT / "mkdocs.yml", DOCS / "meson.build", DOCS / "index.md"]
    for page in sorted(DOCS.glob("*.md")):
        for place in places:
            if page != place and page.name not in place.read_text(encoding="utf-8"):
                yield "%s is not in %s" % (page.name, place.relative_to(ROOT))


PATH = re.compile(r"(?:engine|gst|pipelines|tests|docs|models)/[\w./-]+")

# What the pages make, or make up.
PATHS_THAT_ARE_NOT = ("NAME", "sse2", "docs/html")


def check_paths():
    for page in [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]:
        for code in CODE.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
            path = code.split(" ")[0]
            if PATH.fullmatch(path) and not (ROOT / path).exists() and not any(part in path for part in PATHS_THAT_ARE_NOT):
                yield "%s speaks of %s, which is not there" % (page.name, path)


LABEL = re.compile(r'label="([^"]*)"')
FILE = re.compile(r"\b\w+\.(?:c|cc|h)\b")


def check_picture():
    """The picture has the words that it is drawn from, and these the names of files that there are."""
    drawn = (DOCS / "pictures" / "architecture.svg").read_text(encoding="utf-8").replace("&#45;", "-").replace("&#39;", "'")
    for label in LABEL.findall((DOCS / "pictures" / "architecture.dot").read_text(encoding="utf-8")):
        yield from ("'%s' is not in architecture.svg: docs/pictures/make" % line for line in label.split("\\n") if ">%s<" % line not in drawn)
        names = FILE.findall(label.replace("\\n", " ").replace("kernels_*.c", ""))
        yield from (name for name in names if not ((ROOT / "gst" / name).exists() or (ROOT / "engine" / name).exists()))


def check_rendering():
    """With MkDocs, where it is installed."""
    if not shutil.which("mkdocs"):
        raise Skipped("MkDocs is not installed")
    with tempfile.TemporaryDirectory() as folder:
        command = ["mkdocs", "build", "--strict", "--config-file", ROOT / "mkdocs.yml", "--site-dir", pathlib.Path(folder, "html")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=100)
        for page in sorted(DOCS.glob("*.md")):
            if not pathlib.Path(folder, "html", page.stem + ".html").exists():
                yield "%s is not rendered" % page.name
        if done.returncode != 0:
            yield from done.stderr.splitlines()


# ---- Running --------------------------------------------------------------------------------------

class Skipped(Exception):
    """What is missing to check something."""


CHECKS = {
    "every message is in docs/troubleshooting.md": check_messages,
    "every message in docs/troubleshooting.md is said by something": check_page_of_messages,
    "environment variables are in docs/environment-variables.md": check_variables,
    "properties are in tables of their pages": check_properties,
    "sets of kernels are in docs/environment-variables.md": check_kernels,
    "commands are in docs/command.md": check_commands,
    "options of the build are in docs/building-and-testing.md": check_options,
    "every page is in the tables of contents": check_pages,
    "every link leads somewhere": check_links,
    "every file that is named is there": check_paths,
    "architecture.svg was drawn from architecture.dot": check_picture,
    "the pages are rendered without a warning": check_rendering,
}


def main():
    if sys.argv[1:] == ["--list"]:
        for name, line, text in find_texts():
            print("%s:%d: %s" % (name, line, text))
        return 0
    n_failed = 0
    print("1..%d" % len(CHECKS))
    for number, (name, check) in enumerate(CHECKS.items(), 1):
        try:
            faults = list(check())
        except Skipped as reason:
            print("ok %d - %s # SKIP %s" % (number, name, reason))
            continue
        for fault in faults:
            print("#", fault)
        n_failed += bool(faults)
        print("not ok" if faults else "ok", number, "-", name)
    return n_failed > 0


if __name__ == "__main__":
    sys.exit(main())
