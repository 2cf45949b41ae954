# SPDX-License-Identifier: Apache-2.0
"""full.py [ROUNDS]: the file system of the state is really full, of bytes or of inodes, at five moments.

A tmpfs and an ext4 of some 40 MiB are mounted, which needs root; elsewhere it says so and is no failure. At each moment
the file system is filled to its last block or inode, something is done, and then there is room again:

  - tills go on selling while a card is open
  - a customer is forgotten
  - the daemon is killed, and started
  - it is stopped, and started
  - a bundle is installed

What must hold, each time: it serves, what was open stays; where a turn cannot be written no receipt is sent and status
and doctor say "full"; who is to be forgotten is; once there is room each receipt comes, once, without a hand.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
import policy  # noqa: E402
from store import AISLECTL, Client, Store, main, wait_for  # noqa: E402

ROUNDS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 1


def mount(kind, folder, image):
    if kind == "tmpfs":
        words = ["mount", "-t", "tmpfs", "-o", "size=40m,nr_inodes=120", "tmpfs", folder]
    else:
        with open(image, "wb") as f:
            f.truncate(48 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-N", "128", "-m", "0", image], check=True)
        words = ["mount", "-o", "loop", image, folder]
    return subprocess.run(words, capture_output=True).returncode == 0


class Full:
    """A file system with the state of a store in it, and what fills it."""

    def __init__(self, kind, what):
        self.kind, self.what, self.folder = kind, what, tempfile.mkdtemp(prefix=f"full-{kind}-")
        self.image = self.folder + ".img"
        self.mounted = mount(kind, self.folder, self.image)
        self.serial = 0

    def fill(self):
        self.serial += 1
        try:
            if self.what == "inodes":
                for n in range(10000):
                    open(f"{self.folder}/filler-{self.serial}-{n}", "xb").close()
            for piece in (65536, 512, 1):
                try:
                    with open(f"{self.folder}/filler-{self.serial}", "ab", buffering=0) as f:
                        while True:
                            f.write(b"x" * piece)
                except OSError as error:
                    assert error.errno == 28, error
        except OSError as error:
            assert error.errno == 28, error

    def clear(self):
        for name in os.listdir(self.folder):
            if name.startswith("filler"):
                os.unlink(os.path.join(self.folder, name))

    def close(self):
        if self.mounted:
            for _ in range(50):
                if subprocess.run(["umount", self.folder], capture_output=True).returncode == 0:
                    break
                time.sleep(0.1)
        os.rmdir(self.folder)
        if os.path.exists(self.image):
            os.unlink(self.image)


class Shop:
    """The store on it, a till that wants receipts, and what it has sent."""

    def __init__(self, full):
        self.full, self.store, self.sent, self.basket = full, Store(), [], 0
        with open(self.store.conf) as f:
            text = f.read()
        with open(self.store.conf, "w") as f:
            f.write(text.replace(f"dir = {self.store.folder}/state", f"dir = {full.folder}/state"))
        self.store.start()
        self.client = Client(self.store.broker.port, [f"{self.store.root}/pos/+/receipt", f"{self.store.root}/guidance/+"])
        self.bundle = policy.bundle(self.store.folder, actions=[policy.changed(policy.ENROL, expires="12h")])
        self.store.ctl("bundle", "install", self.bundle)
        self.sell("card", terminal="8")
        wait_for("a card on the screen", self.cards)

    def cards(self):
        shown = {}
        for guidance in self.client.on("/guidance/8"):
            shown = guidance
        return shown.get("prompts")

    def say(self, kind, data, terminal="7"):
        event = self.store.till(self.client, kind, data, terminal=terminal, receipt=True)
        self.sent.append((event["source"], event["id"]))

    def sell(self, basket, lines=1, card=None, terminal="7"):
        self.say("basket.opened", {"basket": basket, "terminal": terminal}, terminal)
        if card is not None:
            self.say("customer.identified", {"card": card, "station": terminal, "basket": basket}, terminal)
        for line in range(lines):
            self.say("basket.item-added", self.store.item(basket, line + 1, "grocery/coffee", 1450), terminal)

    def receipted(self):
        got = {}
        for message in self.client.on("/receipt"):
            assert not message.get("refused"), message
            for key, at in zip(message["ids"], message["at"]):
                got.setdefault(tuple(key), set()).add(at)
        return got

    def heal(self):
        """Without a hand, and each event counted once."""
        self.full.clear()
        wait_for("every receipt", lambda: self.store.alive() and set(self.sent) <= set(self.receipted()), 40)
        twice = {key: at for key, at in self.receipted().items() if len(at) > 1}
        assert not twice, f"one event, two times of arrival: {twice}"
        wait_for("a disk with room", lambda: self.store.status()["disk"] == "ok", 20)

    def assert_on_disk(self, keys):
        """What a kill would leave now, looked at beside the daemon."""
        copy = tempfile.mkdtemp(prefix="full-copy-")
        self.store.process.send_signal(signal.SIGSTOP)
        try:
            shutil.copytree(self.full.folder + "/state", copy, dirs_exist_ok=True)
        finally:
            self.store.process.send_signal(signal.SIGCONT)
        try:
            for source, name in keys:
                terminal = source.rsplit("/", 1)[1]
                said = subprocess.run([*AISLECTL, "state", "check", copy, f"pos/{terminal}", source, name, "--json"], capture_output=True, text=True)
                assert said.returncode == 0, said
                assert json.loads(said.stdout)["event"], f"a receipt for what is not on disk: {name}"
        finally:
            shutil.rmtree(copy)

    def serves(self, before):
        """Full, it says so and receipts what still found room in its log and is there, nothing else; else (inodes alone are gone) it goes on."""
        new = [key for key in self.sent if key not in before]
        ok = wait_for("receipts, or a turn that failed", lambda: self.store.status()["disk"] == "full" or
                      set(new) <= set(self.receipted()), 30, poll=0.05) and self.store.status()["disk"] == "ok"
        self.assert_on_disk(set(new) & set(self.receipted()))
        if not ok:
            assert "disk      full" in self.store.ctl("status")
            assert "the state cannot be written" in self.store.ctl("doctor", code=None)
        assert self.cards(), "what was open is gone"
        return ok

    def up(self):
        wait_for("a start", lambda: self.store.alive() and self.store.status(check=False), 20)
        wait_for("the broker", lambda: self.store.alive() and "connected to the store's broker" in self.store.log_text(), 20)


def sells(shop, n):
    shop.full.fill()
    # What room the log has is used first.
    for basket in range(20):
        before = set(shop.receipted())
        shop.sell(f"b{n}-{basket}", lines=40)
        ok = shop.serves(before)
        if not ok or shop.full.what == "inodes":
            return
    raise AssertionError("it was not full")


def forgets(shop, n):
    card = f"978{n:010d}"
    shop.sell(f"f{n}", card=card)
    wait_for("a customer", lambda: shop.store.ctl("customer", "show", stdin=card + "\n", code=None))
    shop.full.fill()
    done = subprocess.run(AISLECTL + ["--config", shop.store.conf, "customer", "forget"], input=card + "\n", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not json.loads(shop.store.ctl("customer", "show", stdin=card + "\n", code=None) or "{}").get("known"), "not forgotten"


def is_killed(shop, n):
    shop.full.fill()
    before = set(shop.receipted())
    shop.store.process.kill()
    shop.store.process.wait()
    shop.full.fill()
    shop.store.boot()
    shop.up()
    shop.sell(f"k{n}", lines=20)
    shop.serves(before)


def is_stopped(shop, n):
    before = set(shop.receipted())
    assert shop.store.stop() == 0
    shop.full.fill()
    shop.store.boot()
    shop.up()
    shop.sell(f"s{n}", lines=20)
    shop.serves(before)


def installs(shop, n):
    shop.full.fill()
    other = policy.bundle(shop.store.folder, policy=dict(policy.POLICY, version=n + 2), actions=[policy.changed(policy.ENROL, expires="12h")])
    before = shop.store.status()["policy"]
    done = subprocess.run(AISLECTL + ["--config", shop.store.conf, "bundle", "install", other], capture_output=True, text=True)
    now = shop.store.status()["policy"]
    assert (done.returncode == 0) == (now["hash"] != before["hash"]), (done, now)
    assert done.returncode == 0 or done.stderr.strip(), "refused without a word"


MOMENTS = [sells, forgets, is_killed, is_stopped, installs]


def on(kind, what):
    full = Full(kind, what)
    if not full.mounted:
        print(f"no {kind} may be mounted here: not tried")
        full.close()
        return
    shop = Shop(full)
    try:
        for n in range(ROUNDS):
            for moment in MOMENTS:
                start = time.monotonic()
                moment(shop, n)
                shop.heal()
                print(f"        {kind}, {what}, {moment.__name__}: {time.monotonic() - start:.1f} s", flush=True)
        assert shop.store.stop() == 0
        assert "damaged" not in re.sub(r"damaged=0", "", shop.store.log_text()), "taken for damage"
    except BaseException:
        print(shop.store.log_text()[-2500:])
        raise
    finally:
        shop.client.close()
        shop.store.close()
        full.close()


def test_tmpfs_without_bytes():
    on("tmpfs", "bytes")


def test_tmpfs_without_inodes():
    on("tmpfs", "inodes")


def test_ext4_without_bytes():
    on("ext4", "bytes")


def test_ext4_without_inodes():
    on("ext4", "inodes")


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
