# SPDX-License-Identifier: Apache-2.0
"""test_damage.py [FLIPS]: one bit of the state flips, and the store goes on.

A daemon with many overdue timers is stopped, killed, or runs, and one random
bit of state.db, or of its log, flips. Whatever it hit: the daemon answers an
event with guidance within seconds, it does not spin, it says what it lost, it
leaves when it is told to, and it does all that again after a restart.
`make flips FLIPS=200` does it that often; the seed is printed, SEED= repeats.
"""
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import policy
from store import AISLED, STARTED, Client, Store, main, wait_for

FLIPS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 32
SEED = int(os.environ.get("SEED", "0")) or random.randrange(1 << 30)
LANES = 8
VISITS = 60
SERVED_S = 10.0
LOOK_S = 2.0      # processor time is looked at for so long, after a restart for a quarter of it
LOOK_SHARE = 0.2  # so much of it is allowed to a daemon that has nothing to do

TIP = policy.changed(policy.ENROL, action="tip", kind="recommend", incremental=0.5, on=["aisle.basket.item-added"], eligible=True, applicable=True,
                     expires="1s", gate="associate", outcome={"is": "bought", "within": "0d", "item": {"category": "grocery/milk"}})
CARDS = [f"77{n:010d}" for n in range(20)]


def state_file(store, suffix=""):
    return os.path.join(store.folder, "state", "state.db" + suffix)


def spent_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def visit(store, client, basket, card=None):
    terminal = str(1 + store.serial % 8)
    store.till(client, "basket.opened", {"basket": basket, "terminal": terminal}, terminal=terminal)
    if card:
        store.till(client, "customer.identified", {"card": card, "basket": basket, "station": terminal}, terminal=terminal)
    store.till(client, "basket.item-added", store.item(basket, 1, "grocery/coffee", 450), terminal=terminal)
    return terminal


def make_states(folder):
    """Two states with timers that are due a second later: of a daemon that was stopped, and of one that was killed."""
    store = Store(folder=folder, config="[limits]\nterminal_rate = 10000/s\n")
    store.start()
    store.ctl("bundle", "install", policy.bundle(store.folder, actions=[TIP]))
    rows = [policy.changed(policy.GOLD, card=card) for card in CARDS]
    store.ctl("profiles", "install", policy.profiles(store.folder, rows, pepper=store.pepper))
    client = Client(store.broker.port, [f"{store.root}/guidance/+"])
    for how, sig in (("stopped", signal.SIGTERM), ("killed", signal.SIGKILL)):
        if store.process is None:
            store.start()
        client.messages.clear()
        for n in range(VISITS):
            visit(store, client, f"{how}-{n}", CARDS[n % len(CARDS)] if n % 3 else None)
        wait_for("cards", lambda: len(client.on("")) >= VISITS, 20)
        store.stop(sig)
        shutil.copytree(os.path.join(folder, "state"), os.path.join(folder, how))
    client.close()
    store.broker.stop(signal.SIGKILL)
    time.sleep(1.0)


class Lane(threading.Thread):
    """A store of its own, flipped again and again."""

    def __init__(self, folder, flips, number):
        super().__init__(daemon=True)
        self.states = folder
        self.flips = flips
        self.store = Store(folder=tempfile.mkdtemp(prefix="flips-"), config="[limits]\nterminal_rate = 10000/s\n")
        self.store.serial = 1000000 * (1 + number)  # no event has a name of the state's
        self.client = Client(self.store.broker.port, [f"{self.store.root}/guidance/+", f"{self.store.root}/status"])
        self.said = 0
        self.finished = 0
        self.slowest = 0.0
        self.failures = []

    def online(self):
        with self.client.lock:
            self.client.messages.clear()
        self.store.process = subprocess.Popen(AISLED + ["--config", self.store.conf], stdout=self.store.log, stderr=self.store.log)
        STARTED.append(self.store.process)
        wait_for("the daemon", lambda: self.store.alive() and any(s["state"] == "online" for s in self.client.on("/status")), 20)

    def flip(self, chance, suffix):
        path = state_file(self.store, suffix)
        bit = chance.randrange(8 * os.path.getsize(path))
        with open(path, "r+b") as state:
            state.seek(bit // 8)
            byte = state.read(1)[0] ^ 1 << bit % 8
            state.seek(bit // 8)
            state.write(bytes([byte]))
        return f"{os.path.basename(path)} bit {bit}"

    def serves(self, look_s=LOOK_S):
        """An event is answered with guidance, and then nothing is left to do."""
        start = time.monotonic()
        terminal = visit(self.store, self.client, f"new-{self.store.serial}")

        def shown():
            self.store.alive()
            return [g for g in self.client.on(f"/guidance/{terminal}") if g.get("prompts")]
        wait_for("guidance", shown, SERVED_S)
        self.slowest = max(self.slowest, time.monotonic() - start)
        before = spent_s(self.store.process.pid)
        time.sleep(look_s)
        used = spent_s(self.store.process.pid) - before
        assert used <= LOOK_SHARE * look_s, f"{used:.2f} s of processor time in {look_s} s"

    def damaged(self):
        raw = self.store.http("GET", "/metrics")[1]
        return int(re.search(rb"aisle_rows_damaged_total (\d+)", raw).group(1))

    def one(self, how, suffix, seed):
        chance = random.Random(seed)
        state = os.path.join(self.store.folder, "state")
        shutil.rmtree(state, ignore_errors=True)
        shutil.copytree(os.path.join(self.states, "stopped" if how == "running" else how), state)
        with open(os.path.join(self.store.folder, "aisled.log"), "w"):
            pass
        what = "no flip yet"
        try:
            if how == "running":
                self.online()
                self.serves(0.1)
            what = self.flip(chance, suffix)
            if how == "running":
                self.serves()
                self.store.process.kill()
                self.store.process.wait()
            self.online()
            self.serves()
            if self.damaged() > 0:
                self.said += 1
                assert re.search("damage|set aside", self.store.log_text())
            code = self.store.stop()
            assert code == 0, f"exit {code}"
            self.online()
            self.serves(LOOK_S / 4)
            code = self.store.stop()
            assert code == 0, f"exit {code}"
        except Exception as error:      # whatever it is, this flip was not served
            keep = f"{self.store.folder}/flip-{seed}"
            self.failures.append(f"{how}, {what}, seed {seed}: {error}\n{self.store.log_text()[-1500:]}")
            if os.environ.get("KEEP"):
                shutil.copytree(state, keep, dirs_exist_ok=True)
            if self.store.process is not None:
                self.store.process.kill()
                self.store.process.wait()
                self.store.process = None

    def run(self):
        for how, suffix, seed in self.flips:
            self.one(how, suffix, seed)
            self.finished += 1


def test_a_bit_that_flips_under_overdue_timers_stops_nothing():
    chance = random.Random(SEED)
    kinds = [("stopped", ""), ("killed", "-wal"), ("stopped", ""), ("killed", ""), ("running", ""), ("running", "-wal")]
    flips = [(*kinds[n % len(kinds)], chance.randrange(1 << 30)) for n in range(FLIPS)]
    base = Store(folder=tempfile.mkdtemp(prefix="flips-"))
    base.broker.stop(signal.SIGKILL)
    make_states(base.folder)
    chance.shuffle(flips)
    lanes = [Lane(base.folder, flips[n::LANES], n) for n in range(min(LANES, FLIPS))]
    try:
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        failures = [f for lane in lanes for f in lane.failures]
        finished, said = sum(lane.finished for lane in lanes), sum(lane.said for lane in lanes)
        print(f"seed {SEED}: {FLIPS} flips, served after {finished - len(failures)}, slowest {max(l.slowest for l in lanes):.2f} s, "
              f"{said} told of damage")
        assert not failures, f"{len(failures)} of {FLIPS}:\n" + "\n".join(failures[:5])
        assert finished == FLIPS, f"{finished} of {FLIPS} were tried"  # a lane that dies has no failures
        assert said > 0 or FLIPS < 16, "no flip was seen: are they where the state is?"
    finally:
        for lane in lanes:
            lane.client.close()
            lane.store.close()
        shutil.rmtree(base.folder, ignore_errors=True)


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
