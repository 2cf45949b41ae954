# SPDX-License-Identifier: Apache-2.0
"""aislectl state check: a folder looked at without its daemon, and without touching it."""
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile

import policy
from store import AISLECTL, Client, Store, main, wait_for


def check(folder, *words, code=0):
    temp = tempfile.mkdtemp(prefix="aisle-test-")
    done = subprocess.run([*AISLECTL, "state", "check", folder, *words], capture_output=True, text=True, env=dict(os.environ, TMPDIR=temp))
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert os.listdir(temp) == [], "the copy is left"
    os.rmdir(temp)
    assert done.stdout == "" or done.stderr == "", done
    return done.stdout + done.stderr


def print_of(folder):
    return {name: hashlib.sha256(open(os.path.join(folder, name), "rb").read()).hexdigest() for name in sorted(os.listdir(folder))
            if os.path.isfile(os.path.join(folder, name))}


class World:
    """A store with a day behind it; state folders of it, after a kill and after a stop."""

    def __init__(self):
        self.store = store = Store(hq_folder=True, config="[limits]\nterminal_rate = 1000/s\n")
        store.start()
        store.ctl("bundle", "install", policy.bundle(store.folder))
        till = Client(store.broker.port, [f"{store.root}/guidance/+"])
        self.state = os.path.join(store.folder, "state")
        for n in range(30):
            store.till(till, "basket.opened", {"basket": f"b{n}", "terminal": "7"})
            self.told = store.till(till, "basket.item-added", store.item(f"b{n}", 1, "grocery/coffee", 1450))
        wait_for("the cards", lambda: len(till.on("guidance/7")) >= 30)
        self.folders = {}
        for how in (signal.SIGKILL, signal.SIGTERM):
            if store.process is None:
                store.start()
            if how == signal.SIGTERM:
                self.busy = check(self.state, code=74)
            store.stop(how)
            self.folders[how] = os.path.join(store.folder, f"state-{int(how)}")
            shutil.copytree(self.state, self.folders[how])
        till.close()

    def close(self):
        self.store.close()
        self.store.hq.stop(signal.SIGKILL)


def test_a_sound_state_is_sound_and_says_what_waits_in_it():
    world = World()
    try:
        assert "a daemon uses it" in world.busy, world.busy
        for how, folder in world.folders.items():
            before = print_of(folder)
            said = json.loads(check(folder, "--json"))
            assert said["sound"] and said["damaged_pages"] == 0 and not said["new_epoch"], said
            assert said["tables"]["decision"]["rows"] == 30 and said["tables"]["seen"]["rows"] >= 60, said
            assert all(t["damaged"] == 0 for t in said["tables"].values()), said
            assert said["for_headquarters"] > 0 and print_of(folder) == before, how
        text = check(world.folders[signal.SIGTERM])
        assert text.startswith("sound\n") and "decision            30 rows\n" in text, text
    finally:
        world.close()


def test_an_event_is_found_by_its_name():
    world = World()
    try:
        folder = world.folders[signal.SIGKILL]
        event = world.store.event("basket.opened", {"basket": "b1"})
        assert "the event is not in it" in check(folder, "pos/7", event["source"], event["id"])
        assert json.loads(check(folder, "pos/7", world.told["source"], world.told["id"], "--json"))["event"]
        assert "the event is in it, taken 20" in check(folder, "pos/7", world.told["source"], world.told["id"])
        # of another sender it is another event
        assert "the event is not in it" in check(folder, "pos/8", world.told["source"], world.told["id"])
        for wrong in ("pos", "pos/", "7", "till/7", "care/7", ""):
            assert "expected the middle of its topic" in check(folder, wrong, "s", "i", code=65), wrong
    finally:
        world.close()


def test_a_flipped_bit_is_found_counted_and_left_as_it_is():
    world = World()
    chance = random.Random(int(os.environ.get("SEED", "0")) or 7)
    try:
        for number in range(24):
            folder = world.folders[signal.SIGTERM]
            copy = folder + f"-{number}"
            shutil.copytree(folder, copy)
            path = os.path.join(copy, "state.db")
            with open(path, "r+b") as f:
                at = chance.randrange(512, os.path.getsize(path))
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ 1 << chance.randrange(8)]))
            before = print_of(copy)
            said = json.loads(check(copy, "--json", code=65))
            assert not said["sound"] and said["damaged_pages"] == 1, (at, said)
            assert print_of(copy) == before
    finally:
        world.close()


def test_a_flipped_bit_of_the_keys_is_found_and_left_as_it_is():
    world = World()
    chance = random.Random(int(os.environ.get("SEED", "0")) or 7)
    try:
        for number in range(8):
            folder = world.folders[signal.SIGTERM]
            copy = folder + f"-keys-{number}"
            shutil.copytree(folder, copy)
            with open(os.path.join(copy, "keys.db"), "r+b") as f:
                # Behind its head and its secrets.
                at = chance.randrange(3 * 512, os.path.getsize(os.path.join(copy, "keys.db")))
                f.seek(at)
                byte = f.read(1)[0]
                f.seek(at)
                f.write(bytes([byte ^ 1 << chance.randrange(8)]))
            before = print_of(copy)
            said = json.loads(check(copy, "--json", code=65))
            assert not said["sound"] and said["keys_damaged"] == 1, (at, said)
            assert "keys.db is damaged" in check(copy, code=65)
            assert print_of(copy) == before
    finally:
        world.close()


def test_without_room_for_the_copy_nothing_is_said_of_the_state():
    world = World()
    try:
        done = subprocess.run(["sh", "-c", 'ulimit -f 8; trap "" XFSZ; exec "$@"', "sh", *AISLECTL, "state", "check", world.folders[signal.SIGTERM]],
                              capture_output=True, text=True)
        assert done.returncode == 74 and "cannot be copied to" in done.stderr and done.stdout == "", done
    finally:
        world.close()


def test_what_is_no_state_is_said():
    with tempfile.TemporaryDirectory() as folder:
        assert "expected a state folder" in check(folder, code=66)
        assert "expected a state folder" in check(folder + "/none", code=66)
        with open(folder + "/state.db", "w"):
            pass
        assert "keys.db" in check(folder, code=66)


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
