#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Count the test cases in a log of `meson test`.

    tests/tally.py build/meson-logs/testlog.json

Prints the names of what failed, and last a line with two numbers: passed, failed. A program that
speaks TAP or is a GstCheck suite counts as its cases, any other as one.
"""

import json
import re
import sys


def count(test):
    """(passed, names of what failed) of one program."""
    output = test.get("stdout", "")
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    cases = re.findall(r"^(not )?ok\b(?: \d+)?(?: -)?(.*)$", output, re.MULTILINE)
    cases = [(bad, name) for bad, name in cases if "# SKIP" not in name.upper()]
    checks = re.search(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", output, re.MULTILINE)
    if cases:
        passed = sum(not bad for bad, _ in cases)
        failed = ["%s: %s" % (test["name"], name.strip()) for bad, name in cases if bad]
    elif checks:
        n_failed = int(checks.group(2)) + int(checks.group(3))
        passed = int(checks.group(1)) - n_failed
        failed = re.findall(r"^.*:\d+:[FE]:.*$", output, re.MULTILINE)[:n_failed] or [test["name"]] * n_failed
    else:
        passed, failed = int(good), []
    if not good and test["result"] != "SKIP" and not failed:
        failed = ["%s: %s" % (test["name"], test["result"].lower())]
    return passed if test["result"] != "SKIP" else 0, failed


def main():
    passed = failed = 0
    with open(sys.argv[1]) as f:
        for line in f:
            good, bad = count(json.loads(line))
            passed += good
            failed += len(bad)
            for name in bad:
                print("FAILED " + name)
    print(passed, failed)


if __name__ == "__main__":
    main()
