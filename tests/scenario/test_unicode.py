#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""NFC and case folding of every character, and of random rows of them, as Python's own Unicode data has them."""
import os
import random
import subprocess
import unicodedata

from store import BUILD, RUN, main

BLANK = [*range(0x21), *range(0x7f, 0xa1), 0x1680, *range(0x2000, 0x2010), *range(0x2028, 0x2030), *range(0x205f, 0x2070),
         0x3000, 0xfeff]
STRIP = "".join(map(chr, BLANK))


def nfc(text):
    return unicodedata.normalize("NFC", text).strip(STRIP)


def key(text):
    folded = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", folded).strip(STRIP)


def texts():
    points = [p for p in range(1, 0x110000) if not 0xd800 <= p <= 0xdfff and p not in (0x0a, 0x0d)]
    yield from map(chr, points)
    dice = random.Random(8)
    marks = [p for p in points if unicodedata.combining(chr(p))]
    letters = [p for p in points if unicodedata.category(chr(p))[0] == "L" and p < 0x3000]
    for _ in range(60000):
        yield "".join(chr(dice.choice(marks if dice.random() < 0.5 else letters)) for _ in range(dice.randrange(1, 9)))


def test_every_character_is_composed_and_folded_as_unicode_has_it():
    if unicodedata.unidata_version != "14.0.0":
        print("another Unicode than the table's: not compared")
        return
    asked = list(texts())
    out = subprocess.run([*RUN, f"{BUILD}/unit/test_unicode", "--print"], input="\n".join(asked) + "\n",
                         capture_output=True, text=True, check=True, errors="surrogateescape").stdout
    got = out.split("\n")
    assert len(got) == len(asked) + 1, (len(got), len(asked))
    for text, line in zip(asked, got):
        assert line == nfc(text) + "\t" + key(text), (text.encode("unicode-escape"), line.encode("unicode-escape"))


if __name__ == "__main__":
    main([v for n, v in list(globals().items()) if n.startswith("test_")])
