#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/headquarters-small.md, done as it says: the commands are read from it. A chain gets from nothing to a store that serves a signed
policy."""
import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile

from store import AISLECTL, AISLED, STARTED, Broker, free_port, main, wait_for

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def commands():
    """Heading → its commands, in their order."""
    with open(os.path.join(ROOT, "docs", "headquarters-small.md"), encoding="utf-8") as f:
        text = re.sub(r"^```.*?^```", "", f.read(), flags=re.M | re.S)
    found, heading = {}, ""
    for line in text.splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("    "):
            found.setdefault(heading, []).append(line.strip())
    assert len(found) >= 3, found
    return found


def edit(path, **members):
    with open(path) as f:
        content = json.load(f)
    content.update(members)
    with open(path, "w") as f:
        json.dump(content, f)


class Chain:
    """The machine of the guide and the gateway of store 0042, in a folder each."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="aisle-hq-")
        self.hq, self.etc = os.path.join(self.folder, "hq"), os.path.join(self.folder, "etc")
        self.port, self.local = free_port(), free_port()
        os.makedirs(self.etc)
        self.broker = Broker(self.etc)
        self.conf = os.path.join(self.etc, "aisled.conf")
        with open(self.conf, "w") as f:
            f.write(f"[store]\nid = 0042\nzone = Europe/Madrid\ncurrency = EUR\n[mqtt]\nport = {self.broker.port}\n[http]\nlisten = 127.0.0.1:0\n"
                    f"[state]\ndir = {self.etc}/state\ncontrol = {self.etc}/control.sock\n")
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.running = self.store = None

    def here(self, command):
        """The guide's command with the places of this test."""
        for there, here in (("root@gateway-0042:", ""), ("scp -r", "cp -r"), ("/srv/hq", self.hq), ("/etc/aisle", self.etc),
                            ("/media/stick", os.path.join(self.folder, "stick")), ("hq.example.com", "127.0.0.1"),
                            ("chgrp aisle-link", f"chgrp {os.getgid()}"), ("chgrp aisle", f"chgrp {os.getgid()}"), ("aislectl ", " ".join(AISLECTL) + " ")):
            command = command.replace(there, here)
        if " hq init " in command:
            command += f" --policy {ROOT}/models/starter --port {self.port} --local-port {self.local}"
        if " hq add-store " in command:
            command += f" --at {self.etc}"
        return command

    def do(self, command, stdin="\n", code=0):
        if command.startswith(("apt ", "systemctl disable", "adduser ", "install ")):
            return ""       # of the machine: it is whoever runs this test
        if command == "systemctl restart aisled":
            return self.restart()
        if " hq run " in command:
            return self.run(command)
        done = subprocess.run(["sh", "-c", self.here(command)], input=stdin, capture_output=True, text=True)
        assert done.returncode == code, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def run(self, command):
        self.running = subprocess.Popen(self.here(command).split(), stdout=self.log, stderr=self.log)
        STARTED.append(self.running)

    def restart(self):
        if self.store:
            self.store.send_signal(signal.SIGTERM)
            self.store.wait(20)
        self.store = subprocess.Popen(AISLED + ["--config", self.conf], stdout=self.log, stderr=self.log)
        STARTED.append(self.store)
        wait_for("the store", lambda: self.store.poll() is None and self.status(), 20)

    def status(self):
        done = subprocess.run(AISLECTL + ["--config", self.conf, "status", "--json"], capture_output=True, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def policy(self):
        return ((self.status() or {}).get("policy") or {}).get("hash")

    def stopped(self):
        return (self.status() or {}).get("stopped", [])

    def bundle(self, name):
        with open(f"{self.hq}/artifacts/{name}.bundle", "rb") as f:
            return hashlib.blake2b(f.read(), digest_size=32).hexdigest()

    def rows(self, sql):
        try:
            with sqlite3.connect(f"file:{self.hq}/records.db?mode=ro", uri=True) as db:
                return db.execute(sql).fetchall()
        except sqlite3.OperationalError:
            return []

    def said(self):
        with open(self.log.name, errors="replace") as f:
            return f.read()

    def keys_onto_the_stick(self):
        os.makedirs(self.folder + "/stick")
        for name in ("release", "order", "erase"):
            shutil.move(f"{self.hq}/secret/{name}.key", f"{self.folder}/stick/{name}.key")

    def close(self):
        for process in (self.store, self.running):
            if process and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
        self.broker.stop(signal.SIGKILL)
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def test_the_guide_leads_from_nothing_to_a_store_that_serves_a_signed_policy():
    chain, guide = Chain(), commands()
    try:
        for command in guide["1. The machine"]:
            if " hq run " in command:
                chain.keys_onto_the_stick()
            chain.do(command)
        for command in guide["2. A store"]:
            chain.do(command)
        assert os.stat(chain.hq + "/secret").st_mode & 0o077 == 0
        assert os.stat(chain.folder + "/stick/release.key").st_mode & 0o077 == 0
        for name in ("hq-password", "pepper"):      # for the group that aisled runs in, and nobody else
            assert os.stat(f"{chain.etc}/{name}").st_mode & 0o777 == 0o640
        with open(chain.hq + "/policy/policy.json") as mine, open(ROOT + "/models/starter/policy.json") as starter:
            mine, starter = json.load(mine), json.load(starter)
        assert mine["currency"] == "EUR" and "zones" not in mine and not set(mine["salts"].values()) & set(starter["salts"].values())
        wait_for("the first release on the broker", lambda: "root 1, 1 releases" in chain.said(), 20)
        first = chain.bundle("policy-1")
        wait_for("the signed policy in the store", lambda: chain.policy() == first, 60)
        wait_for("a record of the store at headquarters", lambda: chain.rows("SELECT 1 FROM record WHERE store = '0042' AND type = 'health'"), 40)
        for command in guide["3. Another policy"]:
            if "policy check" in command:
                edit(chain.hq + "/policy/policy.json", version=2)
            chain.do(command)
        second = chain.bundle("policy-2")
        wait_for("the second policy in the store", lambda: chain.policy() == second, 60)
        for command in guide["4. Look, go back, stop"]:
            if "fleet lift" in command:
                wait_for("the stop in the store", lambda: "coffee-off" in chain.stopped(), 60)
            chain.do(command)
        wait_for("the lift in the store", lambda: chain.stopped() == [], 60)
        wait_for("the first policy in the store, again", lambda: chain.policy() == first, 60)
        assert chain.status()["root"] == 1
        for command in guide["5. The next root"]:
            chain.do(command)
        wait_for("the next root in the store", lambda: (chain.status() or {}).get("root") == 2, 60)
        assert os.stat(chain.hq + "/records.db").st_mode & 0o077 == 0
        fleet = json.loads(chain.do("aislectl fleet --from sqlite:/srv/hq/records.db --dir /srv/hq --json"))
        assert fleet["counts"]["stores"] == 1 and fleet["stores"][0]["store"] == "0042", fleet
        assert fleet["stores"][0]["verdict"] in ("good", "probation", "on-its-way", "behind"), fleet      # its health may be a moment old
        chain.do("aislectl hq add-store /srv/hq 0043")
        fleet = chain.do("aislectl fleet --from sqlite:/srv/hq/records.db --dir /srv/hq")
        assert re.search(r"^0043 +silent .* never$", fleet, re.M), fleet
        chain.do("aislectl fleet --from sqlite:/srv/hq/records.db --dir /srv/hq -o /srv/hq/fleet.html")
        with open(chain.hq + "/fleet.html", encoding="utf-8") as f:
            assert "0043" in f.read()
    finally:
        chain.close()


def test_one_that_ends_is_started_again_and_all_end_together():
    chain = Chain()
    try:
        for command in commands()["1. The machine"]:
            chain.do(command)
        assert "the secret keys are still here" in wait_for("its words", lambda: "started name=publish" in chain.said() and chain.said(), 10)
        with open(f"/proc/{chain.running.pid}/task/{chain.running.pid}/children") as f:
            children = [int(pid) for pid in f.read().split()]
        assert len(children) == 3, children
        second = subprocess.run(AISLECTL + ["hq", "run", chain.hq], capture_output=True, text=True, timeout=20)
        assert second.returncode == 77 and "is run already" in second.stderr, second
        os.kill(children[1], signal.SIGKILL)
        wait_for("another collector", lambda: chain.said().count("started name=collect") == 2, 10)
        chain.do("aislectl hq add-store /srv/hq 0043")
        wait_for("the broker's new users", lambda: "reads its users again" in chain.said(), 10)
        chain.do("aislectl hq add-store /srv/hq 0043", code=77)
        chain.do("aislectl hq add-store /srv/hq publisher", code=65)
        chain.do("aislectl hq add-store /srv/hq all", code=65)
        chain.do("aislectl hq init /srv/hq --host hq.example.com", code=77)
        # Killed, it leaves nobody, and the next one begins where it was.
        chain.running.kill()
        chain.running.wait()
        wait_for("everybody's end", lambda: not [pid for pid in children if os.path.exists(f"/proc/{pid}")], 15)
        before = chain.said().count("publish: serving")
        chain.do("aislectl hq run /srv/hq")
        wait_for("all three, again", lambda: chain.said().count("publish: serving") > before, 20)
        chain.running.send_signal(signal.SIGTERM)
        assert chain.running.wait(20) == 0
    finally:
        chain.close()


def test_stores_that_are_added_at_the_same_time_are_all_there():
    chain = Chain()
    try:
        chain.do(next(c for c in commands()["1. The machine"] if " hq init " in c))
        stores = [f"{n:04d}" for n in range(100, 108)]
        adding = [subprocess.Popen(AISLECTL + ["hq", "add-store", chain.hq, store], stdout=subprocess.DEVNULL) for store in stores]
        assert [process.wait(60) for process in adding] == [0] * len(stores)
        for name, start in (("passwd", ""), ("acl", "user ")):
            with open(f"{chain.hq}/broker/{name}") as f:
                text = f.read()
            assert not [store for store in stores if not re.search(f"^{start}{store}\\b", text, re.M)], text
    finally:
        chain.close()


def test_nobody_but_its_owner_changes_a_headquarters():
    if os.geteuid() != 0:
        return      # root alone can make somebody else's folder
    folder = tempfile.mkdtemp(prefix="aisle-hq-")
    hq = folder + "/hq"
    try:
        subprocess.run(AISLECTL + ["hq", "init", hq, "--host", "localhost", "--policy", ROOT + "/models/starter"], input="\n", text=True,
                       capture_output=True, check=True)
        os.chown(hq, 1, -1)
        before = os.stat(hq + "/broker/passwd")
        for words in (["add-store", hq, "0042"], ["run", hq]):
            done = subprocess.run(AISLECTL + ["hq", *words], capture_output=True, text=True, timeout=20)
            assert done.returncode == 77 and "expected to be run as that user" in done.stderr, done
        assert os.listdir(hq + "/stores") == [] and os.stat(hq + "/broker/passwd").st_ino == before.st_ino
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_store_that_could_not_be_added_is_begun_again():
    folder = tempfile.mkdtemp(prefix="aisle-hq-")
    hq = folder + "/hq"

    def add(path=os.environ["PATH"], **more):
        done = subprocess.run(AISLECTL + ["hq", "add-store", hq, "0042"], capture_output=True, text=True, env={**os.environ, "PATH": path}, **more)
        return done.returncode, done.stderr
    try:
        subprocess.run(AISLECTL + ["hq", "init", hq, "--host", "localhost", "--policy", ROOT + "/models/starter"], input="\n", text=True,
                       capture_output=True, check=True)
        assert add(path=folder)[0] == 74      # no mosquitto_passwd
        assert add() == (0, "")
        for name, there in (("passwd", "\n0042:"), ("acl", "\nuser 0042\n")):
            with open(f"{hq}/broker/{name}") as f:
                assert f.read().count(there) == 1, name
        assert add()[0] == 77
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_what_did_not_become_whole_leaves_nothing_behind():
    folder = tempfile.mkdtemp(prefix="aisle-hq-")
    hq, empty = folder + "/hq", folder + "/empty"

    def init(where, *words, path=os.environ["PATH"]):
        done = subprocess.run(AISLECTL + ["hq", "init", where, "--host", "localhost", "--policy", ROOT + "/models/starter", *words], input="\n",
                              capture_output=True, text=True, env={**os.environ, "PATH": path})
        return done.returncode, done.stderr
    try:
        os.makedirs(empty)
        for where, left in ((hq, False), (empty, True)):
            assert init(where, "--policy", folder + "/none")[0] == 64      # given twice
            for host in ("", "a b", "https://hq.example.com", "hq.example.com:8883", "x\ny", "-x"):
                done = subprocess.run(AISLECTL + ["hq", "init", where, "--host", host], input="\n", capture_output=True, text=True)
                assert done.returncode == 64 and f"--host {host}: expected the name" in done.stderr, done
            for words, code in ((("--currency", "nonsense"), 65),):
                assert init(where, *words)[0] == code, words
                assert os.path.exists(where) == left and not (left and os.listdir(where)), where
        code, said = init(hq, path=folder)      # no mosquitto_passwd
        assert code == 74 and "mosquitto to be installed" in said and not os.path.exists(hq), said
        # Ctrl-C while keys are made under a password, which takes seconds
        process = subprocess.Popen(AISLECTL + ["hq", "init", hq, "--host", "localhost", "--policy", ROOT + "/models/starter"],
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        process.stdin.write("a password\n")
        process.stdin.close()
        wait_for("its folders", lambda: os.path.exists(hq + "/policy/policy.json"))
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 74 and "stopped: nothing was made" in process.stderr.read()
        process.stderr.close()
        assert not os.path.exists(hq)
        os.makedirs(hq + "/keys")
        with open(hq + "/keys/mine", "w") as f:
            f.write("mine")
        assert init(hq)[0] == 77 and os.listdir(hq) == ["keys"] and os.listdir(hq + "/keys") == ["mine"]
        shutil.rmtree(hq)
        assert init(hq)[0] == 0 and os.path.exists(hq + "/hq.json")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main([v for k, v in list(globals().items()) if k.startswith("test_")])
