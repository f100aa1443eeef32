#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Count the test cases in a log of `meson test`.

    tests/tally.py build/meson-logs/testlog.json

Prints the names of what failed, each with what it said last, and at the end a line with two numbers:
passed, failed. A program that speaks TAP or is a GstCheck suite counts as its cases, any other as one.
"""

import json
import re
import sys


N_LINES, LONGEST = 12, 600


def quote(lines):
    """The last of them, so that a failure that comes once in a hundred runs leaves its reason."""
    return "".join("\n    " + line[:LONGEST] for line in lines[-N_LINES:])


def find_failed(output):
    """Each failed case of TAP, with the lines since the case before."""
    since, failed = [], []
    for line in output.splitlines():
        case = re.match(r"(not )?ok\b(?: \d+)?(?: -)?(.*)$", line)
        if not case:
            since.append(line)
            continue
        if case.group(1) and "# SKIP" not in case.group(2).upper():
            failed.append(case.group(2).strip() + quote(since))
        since = []
    return failed


def count(test):
    """(passed, names of what failed) of one program."""
    output = test.get("stdout", "")
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    cases = re.findall(r"^(not )?ok\b(?: \d+)?(?: -)?(.*)$", output, re.MULTILINE)
    cases = [(bad, name) for bad, name in cases if "# SKIP" not in name.upper()]
    checks = re.search(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", output, re.MULTILINE)
    if cases:
        passed = sum(not bad for bad, _ in cases)
        failed = ["%s: %s" % (test["name"], case) for case in find_failed(output)]
    elif checks:
        n_failed = int(checks.group(2)) + int(checks.group(3))
        passed = int(checks.group(1)) - n_failed
        failed = re.findall(r"^.*:\d+:[FE]:.*$", output, re.MULTILINE)[:n_failed] or [test["name"]] * n_failed
    else:
        passed, failed = int(good), []
    if not good and test["result"] != "SKIP" and not failed:
        failed = ["%s: %s" % (test["name"], test["result"].lower()) + quote((output + test.get("stderr", "")).splitlines())]
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
