# SPDX-License-Identifier: Apache-2.0
"""The file system of the state is really full: a tmpfs of 40 MiB, where whoever runs this may mount one.

A daemon under which it becomes full forgets a customer, for whom a ballast is kept from the start; one that is started
on it serves, and both go on by themselves once there is room.
"""
import json
import os
import re
import subprocess
import tempfile
import time

from store import AISLECTL, Client, Store, main, wait_for

CARD = "9780000000001"


def fill(folder):
    with open(os.path.join(folder, "filler"), "ab", buffering=0) as f:
        for piece in (65536, 512):
            try:
                while True:
                    f.write(b"x" * piece)
            except OSError:
                pass


def test_a_full_file_system_keeps_nobody_from_being_forgotten_nor_the_store_from_starting():
    folder = tempfile.mkdtemp(prefix="full-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", folder], capture_output=True).returncode != 0:
        print("no tmpfs may be mounted here: not tried")
        os.rmdir(folder)
        return
    store = Store()
    with open(store.conf) as f:
        text = f.read()
    with open(store.conf, "w") as f:
        f.write(text.replace(f"dir = {store.folder}/state", f"dir = {folder}/state"))
    try:
        store.start()
        client = Client(store.broker.port, [f"{store.root}/#"])
        store.till(client, "basket.opened", {"basket": "b1", "terminal": "7"})
        store.till(client, "customer.identified", {"card": CARD, "station": "7", "basket": "b1"})
        wait_for("a visit", lambda: store.status()["visits"] == 1)
        assert os.path.exists(os.path.join(folder, "state", "ballast"))
        fill(folder)
        for n in range(8):
            store.till(client, "basket.item-added", store.item("b1", n + 1, "grocery/milk", 100))
        wait_for("a turn that could not be committed", lambda: "a turn could not be committed" in store.log_text())
        # It is not the broker's fault. What is told lasts until it has tried again, twice.
        assert "the state cannot be written" in store.ctl("doctor", code=None)
        status, body = store.http("GET", "/readyz")
        assert status == 503 and "disk-full" in body["reasons"] and "no-broker" not in body["reasons"], body
        assert json.loads(store.ctl("top", "--json"))["disk"] == "full"
        assert re.search("^disk       full: nothing is acknowledged$", store.ctl("top", "--once"), re.M)
        done = subprocess.run(AISLECTL + ["--config", store.conf, "customer", "forget"], input=CARD + "\n", capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        store.stop()
        fill(folder)
        store.boot()
        wait_for("a start", lambda: store.status(check=False) is not None, 20)
        assert "nothing is acknowledged until there is" in store.log_text()
        assert store.alive()
        os.unlink(os.path.join(folder, "filler"))
        turns = store.status()["turns"]
        store.till(client, "basket.opened", {"basket": "b2", "terminal": "8"}, terminal="8")
        wait_for("a turn", lambda: store.status()["turns"] > turns, 20)
        wait_for("the broker", lambda: store.status()["mqtt"]["connected"])
        assert store.http("GET", "/readyz")[1]["reasons"] == ["no-policy"]
        assert "disk" not in store.ctl("top", "--once") and json.loads(store.ctl("top", "--json"))["disk"] == "ok"
        assert store.stop() == 0
        client.close()
    finally:
        store.close()
        time.sleep(0.1)
        subprocess.run(["umount", folder], check=True)
        os.rmdir(folder)


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
