# SPDX-License-Identifier: Apache-2.0
"""test_flipped_files.py [FLIPS]: one bit flips in a bundle, in what was made of it, in the profiles, or in the keys.

Half of the flips come under the running daemon, which then serves a customer, is stopped and started; half before a
start. Whatever it hit: what is shown is the policy's own words and the profile's own value, or nothing; a start serves,
or leaves with a code of its own and a line that names the file, each time the same; where something was lost, the log
says so. The seed is printed, SEED= repeats, KIND=keys (or bundles, profiles) has only that hit. `make flips FLIPS=200` does it
that often.
"""
import collections
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import policy
from store import AISLECTL, AISLED, STARTED, Client, Store, main, wait_for

FLIPS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 16
SEED = int(os.environ.get("SEED", "0")) or random.randrange(1 << 30)
CARDS = [f"77{n:010d}" for n in range(12)]
NAME = "10 % off any coffee today"
TOLD = "aisled serves"


def files_of(state):
    """(kind, path) of what may be hit."""
    found = [("keys", "keys.db")]
    for name in os.listdir(state):
        if re.match(r"profiles-\d+\.", name):
            found.append(("profiles", name))
    for folder in ("bundles", "catalogs"):
        for name in os.listdir(os.path.join(state, folder)) if os.path.isdir(os.path.join(state, folder)) else []:
            if os.path.getsize(os.path.join(state, folder, name)) > 0:
                found.append((folder, os.path.join(folder, name)))
    return sorted((kind, path) for kind, path in found if kind == os.environ.get("KIND", kind))


def flip(path, chance):
    bit = chance.randrange(8 * os.path.getsize(path))
    with open(path, "r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0] ^ 1 << bit % 8
        file.seek(bit // 8)
        file.write(bytes([byte]))
    return bit


class Shop:
    def __init__(self):
        self.store = Store(config="[limits]\nterminal_rate = 10000/s\n")
        self.state = os.path.join(self.store.folder, "state")
        self.base = os.path.join(self.store.folder, "base")
        self.client = Client(self.store.broker.port, [f"{self.store.root}/guidance/+"])
        self.store.start()
        self.store.ctl("bundle", "install", policy.bundle(self.store.folder, actions=[policy.changed(policy.OFFER, caps=[])]))
        rows = [policy.changed(policy.GOLD, card=card) for card in CARDS]
        self.store.ctl("profiles", "install", policy.profiles(self.store.folder, rows, pepper=self.store.pepper))
        for n, card in enumerate(CARDS):
            self.visit(card, n)
            self.store.till(self.client, "basket.closed", {"basket": f"b-{n}", "total": 450, "currency": "EUR"})
        wait_for("the baskets to be closed", lambda: self.store.status()["visits"] == 0)
        assert self.show(CARDS[0]), "a customer who is known"
        self.store.stop()
        shutil.copytree(self.state, self.base)
        self.serial = 1000

    def visit(self, card, n):
        with self.client.lock:
            self.client.messages.clear()
        self.store.till(self.client, "basket.opened", {"basket": f"b-{n}", "terminal": "7"})
        self.store.till(self.client, "customer.identified", {"card": card, "basket": f"b-{n}", "station": "7"})
        self.store.till(self.client, "basket.item-added", self.store.item(f"b-{n}", 1, "grocery/milk", 450))

    def show(self, card):
        """Nothing: not known any more."""
        done = subprocess.run(AISLECTL + ["--config", self.store.conf, "customer", "show"], input=card + "\n", capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def boot(self):
        """True: it serves. False: it left, by itself and with a word. Anything else is a failure."""
        at = len(self.store.log_text())
        self.store.process = subprocess.Popen(AISLED + ["--config", self.store.conf], stdout=self.store.log, stderr=self.store.log)
        STARTED.append(self.store.process)
        wait_for("a start, or a refusal", lambda: self.store.process.poll() is not None or
                 (TOLD in self.store.log_text()[at:] and self.store.status(check=False)), 20)
        code = self.store.process.poll()
        if code is None:
            wait_for("the broker", lambda: self.store.status()["mqtt"]["connected"], 20)
            return True
        said = self.store.log_text()[at:]
        assert code in (65, 70, 74, 78), f"left with {code}: {said}"
        assert re.search(r"^<3>.*(keys\.db|profiles|bundle|credential)", said, re.M), f"left without naming the file: {said}"
        self.store.process = None
        return False

    def serves(self, chance):
        """Right words and right values, or none. What was shown."""
        self.serial += 1
        card = chance.choice(CARDS)
        self.visit(card, self.serial)
        known = self.store.status()["turns"]
        wait_for("the events to be taken", lambda: self.store.alive() and self.store.status()["turns"] >= known, 10)
        end, shown = time.monotonic() + 0.5, []
        while time.monotonic() < end and not shown:
            self.store.alive()
            shown = [p for g in self.client.on("/guidance/7") for p in g.get("prompts", [])]
            time.sleep(0.01)
        for prompt in shown:
            assert prompt["headline"] == NAME, f"wrong words: {prompt}"
        customer = self.show(card)
        for tier in re.findall(r'"tier": *"([^"]*)"', json.dumps(customer)):
            assert tier == "gold", f"a wrong value: {customer}"
        assert "Sanitizer" not in self.store.log_text()
        if not shown:
            # What nobody finds is noticed in an idle second.
            wait_for("a word of what was lost", self.said, 10)
        return bool(shown)

    def said(self):
        lines = re.findall(r"^<[1-4]>.*$", self.store.log_text(), re.M)
        return [line for line in lines if "broker connection lost" not in line]

    def one(self, seed, under):
        chance = random.Random(seed)
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.copytree(self.base, self.state)
        with open(os.path.join(self.store.folder, "aisled.log"), "w"):
            pass
        files = files_of(self.state)
        kind = chance.choice(sorted({kind for kind, _ in files}))
        name = chance.choice([path for k, path in files if k == kind])
        what = f"{name}, nothing flipped yet"
        try:
            if under:
                assert self.boot(), "a whole state does not start"
                assert self.serves(chance), "a whole state shows nothing"
            what = f"{name} bit {flip(os.path.join(self.state, name), chance)}, {'running' if under else 'stopped'}"
            first = self.serves(chance) if under else True
            if under:
                code = self.store.stop(chance.choice([signal.SIGTERM, signal.SIGKILL]))
                assert code in (0, -9), f"exit {code}"
            starts = [self.boot()]
            second = self.serves(chance) if starts[0] else False
            if starts[0]:
                code = self.store.stop()
                assert code == 0, f"exit {code}"
            starts.append(self.boot())
            third = self.serves(chance) if starts[1] else False
            if starts[1]:
                assert self.store.stop() == 0
            assert starts[0] == starts[1] or starts[1], f"it started once, and not again: {starts}"
            lost = not (first and second and third)
            said = self.said()
            assert said or not lost, "something was lost without a word"
            return kind, "refused" if not starts[1] else "said" if said else "no difference", what, said[:2]
        except BaseException as error:
            if self.store.process is not None:
                self.store.process.kill()
                self.store.process.wait()
                self.store.process = None
            raise AssertionError(f"seed {seed}, {what}: {error}\n{self.store.log_text()[-1500:]}") from error


def test_a_bit_of_another_file_that_flips_is_found_and_nothing_wrong_is_shown():
    chance, shop, seen, failures = random.Random(SEED), Shop(), collections.Counter(), []
    try:
        for n in range(FLIPS):
            try:
                kind, became, what, said = shop.one(chance.randrange(1 << 30), n % 2 == 0)
                seen[kind, became] += 1
                if os.environ.get("VERBOSE"):
                    print(kind, became, what, said)
            except AssertionError as error:
                failures.append(str(error))
        print(f"        seed {SEED}: {FLIPS} flips: " + ", ".join(f"{kind} {became} {count}" for (kind, became), count in sorted(seen.items())))
        assert not failures, f"{len(failures)} of {FLIPS}:\n" + "\n".join(failures[:6])
    finally:
        shop.client.close()
        shop.store.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
