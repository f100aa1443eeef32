#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compare the manual page of a program with what the program itself says.

    tests/manual.py PROGRAM PAGE [SOURCE]

- Each command that it has, if it has some, has its section, and each option is described there, with the short name and with a
  value where it takes one.
- The page has no command and no option that the program does not know.
- Each field that SOURCE lets a configuration have is in the page.
- man, groff with all its warnings and mandoc find nothing wrong with it, and the file is whole.

The page is compared as man shows it. Prints TAP.
"""

import os
import re
import subprocess
import sys

OPTION = re.compile(r"^  (?:(-\w), )?(--[\w-]+)(=?)", re.MULTILINE)
NAME = re.compile(r"(?<![\w-])(--?\w[\w-]*)(=?)")
# Built only where there is Pango, and always in the page.
OPTIONAL = {"timeline"}
SHARED = "PROMPTS"
FIELDS = re.compile(r"\bfields\[\] = \{([^}]*)\}")


def run(*command):
    """What it prints, which it must do without complaint."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100", "MAN_KEEP_FORMATTING": "", "MANOPT": ""}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
    if done.returncode or done.stderr:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n{done.stderr}")
    return done.stdout


def options(text):
    """{long name: (short name, whether a value follows)} of a help text."""
    return {name: (short or None, bool(value)) for short, name, value in OPTION.findall(text)}


def sections(text, indent):
    """{title: text} of a page or section whose titles stand at that column."""
    parts = re.split(rf"^ {{{indent}}}(\S.*)\n", text, flags=re.MULTILINE)
    return {title.strip(): body for title, body in zip(parts[1::2], parts[2::2])}


def tags(text):
    """The same as options() of a section of the page, with all names that stand together before a text."""
    # Each groff has its own indentation: tags are the least indented, and go on where their texts begin.
    indent = min((len(line) - len(line.lstrip()) for line in text.splitlines() if line.strip()), default=0)
    found = {}
    for tag in re.findall(rf"^ {{{indent}}}(-\S.*(?:\n {{{indent + 8}}}--.*)*)", text, re.MULTILINE):
        names = NAME.findall(re.sub(r"\s{2,}.*", "", tag.split("\n")[0]) + " " + " ".join(tag.split("\n")[1:]))
        short = None
        for name, value in names:
            if name.startswith("--"):
                found[name] = (short, bool(value))
            short = None if name.startswith("--") else name
    return found


def difference(command, expected, found, shared):
    """What is wrong with the options of a command's section."""
    for name, (short, value) in expected.items():
        described = found.get(name)
        if described is None:
            yield f"{command}: {name} is not in the page"
            continue
        # Where the options of several commands are described in one place, that one has their values.
        described = (described[0], described[1] or shared.get(name, (None, False))[1])
        if described != (short, value):
            yield f"{command}: {name} is {(short, value)}, and {described} in the page"
    for name in found.keys() - expected.keys():
        yield f"{command}: {name} is in the page alone"


def check_command(program, page, command):
    section = sections(page["COMMANDS"], 3).get(command)
    if section is None:
        return [f"{command} has no section"]
    expected = options(run(program, command, "--help"))
    if not expected:
        return [f"{command} --help names no option"]
    return list(difference(command, expected, tags(section), tags(page[SHARED])))


def check_names(page, commands):
    """Those of the commands."""
    listed = set(sections(page["COMMANDS"], 3))
    synopsis = set(re.findall(r"^ +altclip (\w+)", page["SYNOPSIS"], re.MULTILINE))
    wrong = [f"{name} is in the page alone" for name in listed - set(commands) - OPTIONAL]
    wrong += [f"{name} is not in the synopsis" for name in set(commands) - synopsis]
    return wrong if len(commands) > 5 else wrong + ["altclip --help names hardly a command"]


def check_own_options(program, page):
    """Those without a command."""
    expected = options(run(program, "--help"))
    if "--help" not in expected:
        return ["--help does not name itself"]
    return list(difference("the program", expected, tags(page.get("OPTIONS") or page["DESCRIPTION"]), {}))


def check_fields(page, path):
    """Those of the configuration, which --help does not name."""
    with open(path, encoding="utf-8") as file:
        names = set(re.findall(r'"(\w+)"', " ".join(FIELDS.findall(file.read()))))
    missing = names - set(re.findall(r"\w+", page["CONFIGURATION"]))
    return [f"{name} is not in the page" for name in sorted(missing)] if len(names) > 20 else [f"{path} names hardly a field"]


def check_format(path):
    run("man", "--warnings=w", "-l", path)
    run("groff", "-ww", "-mandoc", "-Tutf8", path)
    # Style, below warnings, is about a line of BSD's own.
    run("mandoc", "-T", "lint", "-W", "warning", path)
    with open(path, encoding="utf-8") as file:
        source = file.read()
    return [f"{name} was not replaced" for name in re.findall(r"@\w+@", source)]


def main():
    program, path, *configuration = sys.argv[1:]
    page = sections(run("man", "-l", path), 0)
    checks = [("the form", lambda: check_format(path)), ("options", lambda: check_own_options(program, page))]
    checks += [("fields of the configuration", lambda: check_fields(page, *configuration))] if configuration else []
    if "COMMANDS" in page:
        names = run(program, "--help").split("Commands:")[1].split("\n\n")[0]
        commands = re.findall(r"^  (\w+) +\S", names, re.MULTILINE)
        checks += [("all commands", lambda: check_names(page, commands))]
        checks += [(name, lambda name=name: check_command(program, page, name)) for name in commands]
    print(f"1..{len(checks)}")
    bad = False
    for number, (name, check) in enumerate(checks, 1):
        try:
            wrong = check()
        except AssertionError as error:
            wrong = str(error).splitlines()
        print("not ok" if wrong else "ok", number, "-", name)
        for line in wrong:
            print("#", line)
        bad = bad or bool(wrong)
    return bad


if __name__ == "__main__":
    sys.exit(main())
