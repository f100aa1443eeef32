#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Try docs/prompts-file.schema.json on the examples in tests/golden/prompts.

    pip install jsonschema==4.26.0
    tests/golden/check_prompts_schema.py

Good ones must be valid and bad ones not. Those called beyond are refused by the engine for what a
schema cannot say; the engine's test tries all of them.
"""

import json
import pathlib
import sys

import jsonschema

GOLDEN = pathlib.Path(__file__).resolve().parent
SCHEMA = GOLDEN.parent.parent / "docs" / "prompts-file.schema.json"


def main():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    wrong = 0
    for path in sorted((GOLDEN / "prompts").glob("*.json")):
        expected = not path.name.startswith("bad")
        errors = list(validator.iter_errors(json.loads(path.read_text())))
        if (not errors) != expected:
            wrong += 1
        print("ok" if (not errors) == expected else "WRONG", path.name, "-", errors[0].message[:100] if errors else "valid")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
