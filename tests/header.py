#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks that altclip.h keeps its promises to those who build on it.

    tests/header.py engine/altclip.h LIBRARY MODEL

- Every function, type, member and macro has a gtk-doc block, with every parameter and result in it.
- LIBRARY exports the functions that the header declares, and no other symbol.
- The header stands alone, in C and in C++.
- The program in its first comment compiles as it is printed, and tags its picture with MODEL.

altclip-1.0 is found through pkg-config. Prints TAP.
"""

import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"/\*\*\n \* (\w+):\n(.*?)\*/", re.DOTALL)
FUNCTION = re.compile(r"^ALTCLIP_API\s+(.*?)(\w+) \((.*?)\);", re.MULTILINE | re.DOTALL)
CALLBACK = re.compile(r"^typedef ([^;{]*?)\(\*(\w+)\) \((.*?)\);", re.MULTILINE | re.DOTALL)
COMPOUND = re.compile(r"^typedef (struct|enum) \{(.*?)\}\s*(\w+);", re.MULTILINE | re.DOTALL)
OPAQUE = re.compile(r"^typedef struct _(\w+) \1;", re.MULTILINE)
CONSTANT = re.compile(r"^static const \w+ (ALTCLIP_\w+)", re.MULTILINE)
MACRO = re.compile(r"^#define (ALTCLIP_(?!H$)\w+)", re.MULTILINE)
LANGUAGES = [["-std=c99"], ["-std=c11"], ["-xc++", "-std=c++11"]]
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


class Block:
    """One documentation comment: its parameters or members by name, and what it returns."""

    def __init__(self, text):
        text = re.sub(r"^ \* ?", "", text, flags=re.MULTILINE)
        body, _, self.returns = text.partition("\nReturns:")
        head = ("\n" + body).split("\n\n")[0]
        self.items = re.findall(r"^@(\w+):", head, re.MULTILINE)
        self.is_described = bool(self.items or self.returns or body.strip())


def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def parameters(text):
    if text.strip() == "void":
        return []
    return [re.search(r"(\w+)(\[\w*\])?$", part.strip()).group(1) for part in text.split(",")]


def members(kind, text):
    text = without_comments(text)
    if kind == "enum":
        return [part.split("=")[0].strip() for part in text.split(",") if part.strip()]
    names = []
    for part in filter(str.strip, text.split(";")):
        pointer = re.search(r"\(\*(\w+)\)", part)
        names.append(pointer.group(1) if pointer else re.search(r"(\w+)(\[\w+\])?$", part.strip()).group(1))
    return names


def check_function(result, name, arguments, blocks):
    """What is wrong with the documentation of a function."""
    block = blocks[name]
    expected = parameters(arguments)
    if block.items != expected:
        yield f"{name}: documents ({', '.join(block.items)}), but takes ({', '.join(expected)})"
    if (result.strip() != "void") != bool(block.returns):
        yield f"{name}: returns {result.strip()}, and its block {'does' if block.returns else 'does not'} say what"
    if "*" in result and "(transfer " not in block.returns:
        yield f"{name}: does not say who owns the result"
    if "*" in result and "error" in expected and "(nullable)" not in block.returns:
        yield f"{name}: can fail, and its result is not said to be nullable"


def check_documentation(header):
    blocks = {name: Block(text) for name, text in BLOCK.findall(header)}
    declared = [name for pattern in (OPAQUE, CONSTANT, MACRO) for name in pattern.findall(header)]
    functions = FUNCTION.findall(header) + CALLBACK.findall(header)
    declared += [match[2] for match in COMPOUND.findall(header)] + [match[1] for match in functions]
    problems = [f"{name}: has no block" for name in declared if name not in blocks or not blocks[name].is_described]
    problems += [f"{name}: is documented, but not there" for name in blocks if name not in declared]
    for kind, text, name in COMPOUND.findall(header):
        expected = members(kind, text)
        if name in blocks and blocks[name].items != expected:
            problems.append(f"{name}: documents {' '.join(blocks[name].items)}, but has {' '.join(expected)}")
    for result, name, arguments in functions:
        if name in blocks:
            problems += check_function(result, name, arguments, blocks)
    return problems


def check_symbols(header, library):
    output = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    exported = {line.split()[-1].split("@")[0] for line in output.splitlines()}
    declared = {name for _, name, _ in FUNCTION.findall(header)}
    return [f"{name} is exported, but not declared" for name in sorted(exported - declared)] + [
        f"{name} is declared, but not exported" for name in sorted(declared - exported)]


def run(command, **options):
    """What a command prints; raises with it when the command fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=120, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} {command[-1]}: {done.stdout or done.returncode}")
    return done.stdout


def flags():
    return run(["pkg-config", "--cflags", "--libs", "altclip-1.0"]).split()


def check_alone(folder):
    path = os.path.join(folder, "alone.c")
    with open(path, "w", encoding="utf-8") as file:
        file.write("#include <altclip.h>\nint main (void) { return 0; }\n")
    # The header's own folder must not pass for a system one, whose warnings are left out.
    for language in LANGUAGES:
        run(["cc", *language, *STRICT, "-fsyntax-only", *[f for f in flags() if not f.startswith("-l")], path])
    return []


def check_example(header, library, model, folder):
    comment = header[:header.index("*/")]
    lines = re.findall(r"^ \*(?:     (.*))?$", comment, re.MULTILINE)
    source = "\n".join(lines[lines.index("#include <altclip.h>"):])
    path = os.path.join(folder, "example.c")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    program = os.path.join(folder, "example")
    run(["cc", "-Wall", "-Wextra", "-Werror", "-o", program, path, *flags()])
    output = run([program, model], env={**os.environ, "LD_LIBRARY_PATH": os.path.dirname(library)})
    print("# " + output.strip().replace("\n", "\n# "))
    best = max(output.strip().splitlines(), key=lambda line: float(line.split()[-1]))
    return [] if best.startswith("a black screen") else [f"a black picture is said to be {best}"]


def main():
    path, library, model = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        header = file.read()
    folder = tempfile.TemporaryDirectory()
    cases = [
        ("documentation", lambda: check_documentation(header)),
        ("symbols", lambda: check_symbols(header, library)),
        ("stands alone", lambda: check_alone(folder.name)),
        ("example", lambda: check_example(header, library, model, folder.name)),
    ]
    print(f"1..{len(cases)}")
    n_failed = 0
    for n, (name, function) in enumerate(cases, 1):
        try:
            problems = function()
        except (RuntimeError, ValueError, subprocess.SubprocessError) as e:
            problems = [str(e)]
        n_failed += bool(problems)
        for line in "\n".join(problems).splitlines():
            print("# " + line)
        print(f"{'not ok' if problems else 'ok'} {n} {name}", flush=True)
    return n_failed > 0


if __name__ == "__main__":
    sys.exit(main())
