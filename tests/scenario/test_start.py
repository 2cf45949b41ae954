# SPDX-License-Identifier: Apache-2.0
"""A policy is compiled beside the loop, kept as an image, and served from it after a restart."""
import glob
import json
import os
import re
import signal
import socket
import subprocess
import threading
from contextlib import contextmanager

import policy
from store import AISLECTL, AISLED, Client, Store, children, main, wait_for

ARMS = {"experiments": [{"experiment": "words", "unit": "visit", "salt": "0badcafe" * 8, "share": 1,
                         "arms": {"b": {"weight": 1, "patch": {"actions": {"enrol": {"treatments": [
                             {"treatment": "plain", "language": "en", "headline": "A card, perhaps?"}]}}}}}}]}


@contextmanager
def open_store(**more):
    store = Store()
    try:
        store.start()
        store.ctl("bundle", "install", policy.bundle(store.folder, actions=[policy.ENROL], **more))
        watch = Client(store.broker.port, [f"{store.root}/#"])
        try:
            yield store, watch
        finally:
            watch.close()
    finally:
        store.close()


def headline(store, watch, basket):
    """What the tablet is told about a stranger's basket."""
    before = len(watch.on("guidance/7"))
    store.till(watch, "basket.opened", {"basket": basket, "terminal": "7"})
    store.till(watch, "basket.item-added", store.item(basket, 1, "grocery/tea", 2000))
    shown = wait_for("guidance", lambda: [g for g in watch.on("guidance/7")[before:] if g.get("prompts")])
    store.till(watch, "basket.closed", {"basket": basket, "total": 2000, "currency": "EUR"})
    return shown[-1]["prompts"][0]["headline"]


def restart(store):
    store.stop()
    store.start()
    return store.status()["policy"]


def images(store):
    return glob.glob(os.path.join(store.folder, "state", "bundles", "*.image"))


def identity(path):
    stat = os.stat(path)
    return stat.st_ino, stat.st_mtime_ns


def test_a_restart_serves_the_same_policy_from_its_image():
    with open_store() as (store, watch):
        before, words = store.status()["policy"], headline(store, watch, "b1")
        image, = images(store)
        made = identity(image)
        assert restart(store) == before
        assert identity(image) == made, "nothing was compiled again"
        assert headline(store, watch, "b2") == words


def test_an_image_that_is_not_ours_is_made_again():
    with open_store() as (store, watch):
        before = store.status()["policy"]
        image, = images(store)
        for damage in (lambda b: b[:-1], lambda b: b"", lambda b: b[:200] + bytes([b[200] ^ 1]) + b[201:],
                       lambda b: b[:-1] + bytes([b[-1] ^ 128])):
            store.stop()
            with open(image, "rb") as f:
                whole = f.read()
            with open(image, "wb") as f:
                f.write(damage(whole))
            made = identity(image)
            store.start()
            assert store.status()["policy"] == before
            assert identity(image) != made
        os.remove(image)
        assert restart(store) == before
        assert images(store) == [image]


def test_a_damaged_bundle_is_not_served_from_its_image():
    with open_store() as (store, watch):
        good = store.status()["policy"]
        store.ctl("bundle", "install", policy.bundle(store.folder, policy=policy.changed(policy.POLICY, version=2)))
        newer = store.status()["policy"]
        assert newer["version"] == 2
        store.stop()
        path = os.path.join(store.folder, "state", "bundles", newer["hash"])
        with open(path, "r+b") as f:
            f.seek(6000)
            byte = f.read(1)
            f.seek(6000)
            f.write(bytes([byte[0] ^ 1]))
        store.start()
        assert store.status()["policy"] == good, "the last good one"
        os.remove(path)
        assert restart(store) == good


def test_where_no_image_can_be_kept_the_policy_is_compiled_at_each_start():
    with open_store() as (store, watch):
        before = store.status()["policy"]
        image, = images(store)
        store.stop()
        os.remove(image)
        os.mkdir(image)
        store.start()
        assert store.status()["policy"] == before
        assert headline(store, watch, "b1")
        assert "no image of the policy is kept" in store.log_text()


def test_an_arm_is_served_from_an_image_too():
    with open_store(extra={"experiments.json": ARMS}) as (store, watch):
        assert headline(store, watch, "b1") == "A card, perhaps?"
        restart(store)
        assert headline(store, watch, "b2") == "A card, perhaps?"


class Installing:
    """A bundle of many actions on its way in, its compiler halted."""

    def __init__(self, store):
        actions = [policy.ENROL] + [dict(policy.ENROL, action=f"a{n}", eligible={">": [{"var": "basket_total"}, 10 ** 9 + n]})
                                    for n in range(700)]
        made = policy.bundle(store.folder, policy=policy.changed(policy.POLICY, version=2), actions=actions)
        self.done = None
        wait_for("the one before it to be gone", lambda: not children(store.process.pid))
        self.thread = threading.Thread(target=self.run, args=(store, made))
        self.thread.start()
        self.child = wait_for("the compiler", lambda: children(store.process.pid))[0]
        os.kill(self.child, signal.SIGSTOP)

    def run(self, store, made):
        self.done = subprocess.run(AISLECTL + ["--config", store.conf, "bundle", "install", made], capture_output=True, text=True)

    def end(self, sig):
        os.kill(self.child, sig)
        self.thread.join(60)
        return self.done.returncode


def test_turns_go_on_while_a_bundle_is_compiled():
    with open_store() as (store, watch):
        installing = Installing(store)
        assert headline(store, watch, "b1")
        assert store.status()["policy"]["version"] == 1
        store.ctl("bundle", "install", policy.bundle(store.folder), code=69)
        assert installing.end(signal.SIGCONT) == 0
        assert store.status()["policy"]["version"] == 2
        assert headline(store, watch, "b2")
        assert restart(store)["version"] == 2
        assert len(images(store)) == 1


def test_a_compiler_that_dies_changes_nothing():
    with open_store() as (store, watch):
        installing = Installing(store)
        assert installing.end(signal.SIGKILL) == 74
        assert "died" in installing.done.stderr
        assert store.status()["policy"]["version"] == 1
        assert headline(store, watch, "b1")
        assert not glob.glob(os.path.join(store.folder, "state", "incoming-*"))


def test_a_stop_does_not_wait_for_a_compiler():
    with open_store() as (store, watch):
        installing = Installing(store)
        assert store.stop() == 0
        installing.thread.join(60)
        assert installing.done.returncode != 0
        store.start()
        assert store.status()["policy"]["version"] == 1


def refuses(store, name, value, section, code, step):
    """aisled leaves with this code when this key is so, and its log names the step."""
    with open(store.conf) as f:
        whole = f.read()
    path = os.path.join(store.folder, "refused.conf")
    with open(path, "w") as f:
        f.write(re.sub(rf"(?m)^{name} = .*\n", "", whole) + f"[{section}]\n{name} = {value}\n")
    done = subprocess.run(AISLED + ["--config", path], capture_output=True, text=True, timeout=30)
    said = re.findall(r"^<3>.* step=(\S+)$", done.stderr, re.M)
    assert (done.returncode, said) == (code, [step]) and "Sanitizer" not in done.stderr, done


def test_what_cannot_be_started_is_named_and_what_was_started_before_it_is_stopped():
    store = Store(hq_folder=True)
    try:
        no_hex, no_mapping = os.path.join(store.folder, "no-hex"), os.path.join(store.folder, "no.json")
        for path in no_hex, no_mapping:
            with open(path, "w") as f:
                f.write("not this")
        refuses(store, "dir", "/proc/aisle", "state", 74, "folders")
        refuses(store, "pepper_file", no_hex, "privacy", 78, "engine")
        crash = os.path.join(store.folder, "state", "crash")
        os.mkdir(crash)
        refuses(store, "level", "info", "log", 74, "crash-mark")
        os.rmdir(crash)
        refuses(store, "acme", no_mapping, "mappings", 78, "mappings")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            refuses(store, "listen", "127.0.0.1:%d" % taken.getsockname()[1], "http", 74, "http")
        # The last one: all the others are stopped, and none of their files is held.
        refuses(store, "control", f"{store.folder}/none/control.sock", "state", 74, "control")
        assert os.path.getsize(os.path.join(store.folder, "state", "state.db-wal")) == 0
        store.start()
    finally:
        store.close()
        store.hq.stop(signal.SIGKILL)


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
