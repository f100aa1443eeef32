#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Try docs/prompts-file.schema.json on the examples in tests/golden/prompts and pipelines/examples.

    tests/schema.py

Good ones must be valid and bad ones not. Those called beyond are refused by the engine for what a
schema cannot say; the engine's test tries all of those in tests/golden. Prints TAP.

Runs in Debian's own Python, for which the package python3-jsonschema is.
"""

import json
import pathlib
import sys

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "docs" / "prompts-file.schema.json"
FOLDERS = [ROOT / "tests" / "golden" / "prompts", ROOT / "pipelines" / "examples"]


def main():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    examples = [path for folder in FOLDERS for path in sorted(folder.glob("*.json"))]
    wrong = 0
    for number, path in enumerate(examples, 1):
        bad = path.name.startswith("bad")
        found = next(validator.iter_errors(json.loads(path.read_text(encoding="utf-8"))), None)
        right = (found is not None) == bad
        wrong += not right
        print("ok" if right else "not ok", number, "-", path.name, "is", "bad" if bad else "good")
        if found:
            print("#", found.message[:100])
    print("1..%d" % len(examples))
    return wrong != 0 or len(examples) < 20


if __name__ == "__main__":
    sys.exit(main())
