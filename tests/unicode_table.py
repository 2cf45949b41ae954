#!/usr/bin/python3
"""Writes src/core/unicode_table.h from Python's own Unicode data; --check: is it what stands there?"""
import os
import sys
import unicodedata

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "core", "unicode_table.h")
MADE_WITH = "14.0.0"  # what Python 3.11 of Debian 12 knows; assigned characters never change
ALL = [cp for cp in range(0x110000) if not 0xD800 <= cp <= 0xDFFF]


def decompositions():
    for cp in ALL:
        text = unicodedata.decomposition(chr(cp))
        if text and not text.startswith("<"):
            yield [cp] + ([int(part, 16) for part in text.split()] + [0])[:2]


def compositions():
    """Which of the decompositions are made whole again, in the order of what they are made of."""
    found = []
    for place, (cp, first, second) in enumerate(decompositions()):
        if second and unicodedata.normalize("NFC", chr(first) + chr(second)) == chr(cp):
            found.append((first, second, place))
    return [place for _, _, place in sorted(found)]


def classes():
    runs = []
    for cp in ALL:
        value = unicodedata.combining(chr(cp))
        if value and runs and runs[-1][1] == cp - 1 and runs[-1][2] == value:
            runs[-1][1] = cp
        elif value:
            runs.append([cp, cp, value])
    return runs


def folds():
    for cp in ALL:
        text = [ord(c) for c in chr(cp).casefold()]
        if text != [cp]:
            yield [cp] + text + [0] * (3 - len(text))


def table(kind, name, rows):
    out, line = [f"static const {kind} {name}[] = {{"], "\t"
    for row in rows:
        text = f"{row}," if isinstance(row, int) else "{" + ",".join(map(str, row)) + "},"
        if len(line) + len(text) > 99:
            out.append(line)
            line = "\t"
        line += text
    return out + [line, "};"]


def header():
    single = [row for row in folds() if row[2] == 0]
    several = [row for row in folds() if row[2] != 0]
    lines = ["/* SPDX-License-Identifier: Apache-2.0", " *",
             " * unicode_table.h - canonical decompositions, combining classes, case folding;",
             f" * Unicode {MADE_WITH}, made by tests/unicode_table.py. Rows ascend by their first number.", " */",
             "/* clang-format off */"]
    lines += ["", "/* from, to what one or two */"]
    lines += table("struct unicode_pair", "pairs", decompositions())
    lines += ["", "/* rows of pairs whose two become one again, by these two */"]
    lines += table("uint16_t", "boths", compositions())
    lines += ["", "/* first, last, class */"]
    lines += table("struct unicode_class", "classes", classes())
    lines += ["", "/* from, to */"]
    lines += table("struct unicode_fold", "folds", [row[:2] for row in single])
    lines += ["", "/* from, to what two or three */"]
    lines += table("struct unicode_folds", "long_folds", several)
    return "\n".join(lines + ["/* clang-format on */", ""])


if unicodedata.unidata_version != MADE_WITH:
    print(f"unicode_table: this Python knows Unicode {unicodedata.unidata_version}, not {MADE_WITH}: left as it is")
elif "--check" in sys.argv:
    if open(FILE).read() != header():
        sys.exit("src/core/unicode_table.h is not what tests/unicode_table.py writes")
else:
    with open(FILE, "w") as file:
        file.write(header())
