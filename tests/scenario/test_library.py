# SPDX-License-Identifier: Apache-2.0
"""The engine as a library: installed, found, linked and run as somebody who has only what `make install` left."""
import os
import random
import re
import shlex
import shutil
import subprocess
import tempfile

import oracle_world as world
from oracle import millis
from store import AISLECTL, BUILD, RUN, main
from test_deciding import Case

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
EXAMPLE = os.path.join(ROOT, "docs", "examples", "replay.c")
FOLDER = tempfile.mkdtemp(prefix="aisle-library-")
DEST = os.path.join(FOLDER, "dest")
LIB = os.path.join(DEST, "usr", "lib")
CC = shlex.split(os.environ.get("CC", "cc"))


def pkg_config(*words):
    found = dict(os.environ, PKG_CONFIG_PATH=os.path.join(LIB, "pkgconfig"), PKG_CONFIG_SYSROOT_DIR=DEST)
    return subprocess.run([os.environ.get("PKG_CONFIG", "pkg-config"), *words, "aisle"], env=found, check=True,
                          capture_output=True, text=True).stdout.split()


def install():
    if not os.path.exists(DEST):
        subprocess.run(["make", "-s", "-C", ROOT, "install", f"BUILD={BUILD}", f"DESTDIR={DEST}", "prefix=/usr"], check=True,
                       stdout=subprocess.DEVNULL)


def build(*sources):
    """A program of an outsider. CFLAGS: where the library itself was built with a sanitizer, so is what links it."""
    install()
    program = os.path.join(FOLDER, os.path.basename(sources[-1])[:-2])
    subprocess.run([*CC, *shlex.split(os.environ.get("CFLAGS", "")), "-Wall", "-Wextra", "-pedantic", "-Werror", "-o", program,
                    *sources, *pkg_config("--static", "--cflags", "--libs")], check=True)
    return program


def a_week():
    """A bundle, and a recording with customers, answers and what tills say, as one string."""
    made = world.World(random.Random(21))
    case = Case(made.policy(), made.profiles())
    events, _ = made.week(case.oracle, 25, millis("2026-03-26T17:00:00Z"))
    return case, world.lines(events)


def run_example(program, bundle, recording, code=0):
    done = subprocess.run(RUN + [program, bundle], input=recording.encode(), capture_output=True)
    assert done.returncode == code, (done.returncode, done.stderr.decode())
    return done


def test_the_example_replays_as_aislectl_does():
    program = build(EXAMPLE)
    case, recording = a_week()
    try:
        events = os.path.join(case.folder, "events.jsonl")
        with open(events, "w") as f:
            f.write(recording)
        ours = subprocess.run(AISLECTL + ["replay", "--store", "0042", "--bundle", case.bundle, "--events", events],
                              capture_output=True, check=True).stdout
        assert ours.count(b"\n") > 20, ours
        assert run_example(program, case.bundle, recording).stdout == ours
    finally:
        case.close()


def test_what_is_wrong_is_said():
    program = build(EXAMPLE)
    done = run_example(program, "/nowhere/bundle", "", code=1)
    assert "/nowhere/bundle" in done.stderr.decode() and not done.stdout, done


def test_the_example_is_short_and_the_document_shows_it():
    text = open(EXAMPLE).read()
    assert text.count("\n") <= 30
    assert text in open(os.path.join(ROOT, "docs", "library.md")).read()


def test_a_program_may_use_our_own_names():
    """All of them are taken, by a program that links the library none the less."""
    install()
    found = subprocess.run(["nm", "-g", "--defined-only", os.path.join(BUILD, "libaisle.a")], capture_output=True, text=True)
    ours = set(re.findall(r"^\S+ [TDBR] (\w+)$", found.stdout, re.M))
    given = subprocess.run(["nm", "-g", "--defined-only", os.path.join(LIB, "libaisle.a")], capture_output=True, text=True)
    public = set(re.findall(r"^\S+ \w (\w+)$", given.stdout, re.M))
    header = open(os.path.join(DEST, "usr", "include", "aisle", "engine.h")).read()
    assert public == set(re.findall(r"^\w[\w *]*\b(aisle_\w+)\(", header, re.M)), public
    taken = sorted(name for name in ours - public if not name.startswith("_"))
    assert len(taken) > 500, len(taken)
    path = os.path.join(FOLDER, "taken.c")
    with open(path, "w") as f:
        f.writelines(f"void {name}(void);\nvoid {name}(void) {{ }}\n" for name in taken)
    program = build(path, EXAMPLE)
    case, recording = a_week()
    try:
        assert run_example(program, case.bundle, recording).stdout
    finally:
        case.close()


if __name__ == "__main__":
    try:
        main([test_the_example_replays_as_aislectl_does, test_what_is_wrong_is_said,
              test_the_example_is_short_and_the_document_shows_it, test_a_program_may_use_our_own_names])
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
