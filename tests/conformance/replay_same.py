# SPDX-License-Identifier: Apache-2.0
"""The same events give the same bytes: twice, whole or cut at any turn, on this machine and (RUN set) under emulation.

The day is the demo's: real baskets, the starter policy with exploration and an experiment.
"""
import datetime
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "scenario"))
sys.path.insert(0, os.path.join(TOP, "models", "demo"))
import journey  # noqa: E402
from store import AISLECTL, RUN, main  # noqa: E402

# In memory where there is such a folder: what is tested is the bytes, not the disk.
FOLDER = tempfile.mkdtemp(prefix="aisle-replay-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
NATIVE = [os.path.abspath(os.path.join(TOP, "build", "aislectl"))] if RUN else AISLECTL
PEPPER = os.path.join(FOLDER, "pepper")
CONF = os.path.join(FOLDER, "aisled.conf")


def ctl(*words, program=None, code=0):
    done = subprocess.run((program or AISLECTL) + ["--config", CONF, *words], capture_output=True)
    assert done.returncode == code, f"{words}: {done.returncode} {done.stderr.decode()}"
    return done.stdout


def prepare():
    with open(PEPPER, "w") as f:
        f.write("5a" * 32 + "\n")
    with open(CONF, "w") as f:
        f.write(f"[store]\nid = 0042\nzone = America/New_York\ncurrency = USD\n[privacy]\npepper_file = {PEPPER}\n")
    everything = journey.baskets(journey.read("journey.csv.gz"))
    past = [b for b in everything if "2017-09" <= b[0][:7] <= "2017-10"]
    journey.write_profiles(f"{FOLDER}/profiles.jsonl", journey.read("households.csv"), past)
    journey.write_history(f"{FOLDER}/events.jsonl", past, datetime.timedelta())
    add_answers()
    ctl("profiles", "build", f"{FOLDER}/profiles.jsonl", "--store", "0042", "-o", f"{FOLDER}/profiles", program=NATIVE)
    ctl("bundle", "build", os.path.join(TOP, "models", "starter"), "-o", f"{FOLDER}/bundle", program=NATIVE)


def add_answers():
    """Associates who answer, and tills that void, so that outcomes and timers are in the file as well."""
    lines = open(f"{FOLDER}/events.jsonl").read().splitlines()
    chance = random.Random(7)
    with open(f"{FOLDER}/events.jsonl", "w") as out:
        for n, line in enumerate(lines):
            out.write(line + "\n")
            event = json.loads(line)
            if event["type"] == "aisle.basket.item-added" and chance.random() < 0.1:
                event.update(id=f"void-{n}", type="aisle.basket.item-voided",
                             data={"basket": event["data"]["basket"], "line": event["data"]["line"]})
                out.write(json.dumps(event) + "\n")


def replay(events, *more, program=None):
    return ctl("replay", "--bundle", f"{FOLDER}/bundle", "--profiles", f"{FOLDER}/profiles", "--events", events, *more,
               program=program)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def head(count, name):
    with open(f"{FOLDER}/events.jsonl") as f, open(f"{FOLDER}/{name}", "w") as out:
        for _, line in zip(range(count), f):
            out.write(line)
    return f"{FOLDER}/{name}"


def split(path, at):
    lines = open(path).read().splitlines(True)
    first, second = f"{FOLDER}/first.jsonl", f"{FOLDER}/second.jsonl"
    open(first, "w").writelines(lines[:at])
    open(second, "w").writelines(lines[at:])
    return first, second


def test_twice_the_same_and_not_empty():
    whole = replay(f"{FOLDER}/events.jsonl")
    decisions = whole.count(b"\n")
    shown = sum(1 for line in whole.splitlines() if b'"prompt":' in line)
    print(f"  {decisions} decisions, {shown} with a prompt, sha256 {digest(whole)[:16]}")
    assert decisions > 1000 and shown > 20
    assert replay(f"{FOLDER}/events.jsonl") == whole


def test_the_size_of_a_turn_does_not_matter():
    path = head(3000, "turns.jsonl")
    whole = replay(path)
    for turn in ("1", "7", "256", "5000"):
        assert replay(path, "--turn", turn) == whole, f"turns of {turn}"


def test_cut_at_every_turn_of_a_short_file():
    path = head(60, "short.jsonl")
    whole = replay(path)
    assert whole.count(b"\n") > 10
    for at in range(1, 60, 1 if not RUN else 7):
        state = f"{FOLDER}/state"
        shutil.rmtree(state, ignore_errors=True)
        first, second = split(path, at)
        cut = replay(first, "--state", state, "--turn", "1") + replay(second, "--state", state, "--turn", "1")
        assert cut == whole, f"cut after event {at}"


def test_cut_at_random_turns_of_a_long_file():
    path = head(6000, "long.jsonl")
    whole = replay(path)
    chance = random.Random(11)
    for at in chance.sample(range(1, 6000), 6 if not RUN else 2):
        state = f"{FOLDER}/state"
        shutil.rmtree(state, ignore_errors=True)
        first, second = split(path, at)
        turn = str(chance.choice((3, 64, 256)))
        cut = replay(first, "--state", state, "--turn", turn) + replay(second, "--state", state, "--turn", turn)
        assert cut == whole, f"cut after event {at}, turns of {turn}"


def test_another_machine_gives_the_same_bytes():
    """With RUN: the other architecture against this one. Bundles too."""
    if not RUN:
        return
    path = head(8000, "other.jsonl")
    assert digest(replay(path)) == digest(replay(path, program=NATIVE))
    ctl("bundle", "build", os.path.join(TOP, "models", "starter"), "-o", f"{FOLDER}/bundle.other")
    assert open(f"{FOLDER}/bundle", "rb").read() == open(f"{FOLDER}/bundle.other", "rb").read()


if __name__ == "__main__":
    prepare()
    try:
        main([test for name, test in list(globals().items()) if name.startswith("test_")])
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
