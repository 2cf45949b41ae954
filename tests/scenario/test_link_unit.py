#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The link as a unit of its own: somebody listens, and starts it when the daemon calls, as aisle-link.socket does."""
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

from store import AISLED, STARTED, Client, Store, children, main, shipped_store, wait_for

NOBODY = 65534


class Unit:
    """What systemd does with aisle-link.socket and aisle-link.service."""

    def __init__(self, store, **who):
        self.store = store
        self.who = who          # runs it
        self.path = os.path.join(store.folder, "link.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.ended = []         # pid and exit code of those that are gone
        self.process = None
        self.stopping = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping:
            if not select.select([self.listener], [], [], 0.1)[0]:
                continue
            fd = self.listener.fileno()
            self.process = subprocess.Popen(AISLED + ["--link", str(fd), "--config", self.store.conf], pass_fds=[fd],
                                            stdout=self.store.log, stderr=self.store.log, **self.who)
            STARTED.append(self.process)
            self.process.wait()
            self.ended.append((self.process.pid, self.process.returncode))
            self.process = None

    def link(self, but=()):
        return wait_for("a link", lambda: self.process and self.process.pid not in but and self.process.pid, 20)

    def close(self):
        self.stopping = True
        process = self.process
        if process:
            process.kill()
        self.thread.join()
        self.listener.close()


def with_unit(**who):
    store = Store(hq_folder=True)
    unit = Unit(store, **who)
    os.environ["AISLE_LINK"] = unit.path
    return store, unit


def connected(store):
    return store.status()["hq"]["connected"]


def close(store, unit):
    store.close()
    unit.close()
    store.hq.stop(signal.SIGKILL)


def test_the_daemon_calls_and_starts_no_process_and_a_link_that_dies_is_called_again():
    store, unit = with_unit()
    try:
        store.start()
        wait_for("headquarters", lambda: connected(store))
        assert children(store.process.pid) == []
        seen = []
        for _ in range(3):
            seen.append(unit.link(seen))
            os.kill(seen[-1], signal.SIGKILL)
            wait_for("the store to notice", lambda: not connected(store))
            wait_for("headquarters again", lambda: connected(store), 20)
        hq = Client(store.hq.port, [f"aisle/v1/hq/store/{store.id}/up/#"])
        till = Client(store.broker.port)
        store.reader(till, "consent.changed", {"card": "card-1", "purpose": "profile", "state": "granted"})
        wait_for("a record there", lambda: hq.messages)
        till.close()
        hq.close()
        assert children(store.process.pid) == []
    finally:
        close(store, unit)


def test_the_daemon_starts_again_and_the_link_leaves_and_is_there_for_the_next():
    store, unit = with_unit()
    try:
        for sig in (signal.SIGTERM, signal.SIGKILL):
            store.start()
            wait_for("headquarters", lambda: connected(store), 20)
            link = unit.link()
            store.stop(sig)
            wait_for("the link to leave", lambda: (link, 0) in unit.ended)
        store.start()
        wait_for("headquarters", lambda: connected(store), 20)
        assert "the link process is gone" not in store.log_text()
    finally:
        close(store, unit)


def test_without_the_unit_the_store_serves_and_says_what_is_missing_once():
    store, unit = with_unit()
    os.environ["AISLE_LINK"] = unit.path + "-none"
    try:
        store.start()
        wait_for("the doctor's word", lambda: "the link's unit does not answer at" in store.ctl("doctor", code=None))
        time.sleep(5)           # two more tries
        assert store.log_text().count("the link's unit does not answer") == 1, store.log_text()
        assert children(store.process.pid) == []
        os.symlink(unit.path, unit.path + "-none")
        wait_for("headquarters", lambda: connected(store), 20)
    finally:
        close(store, unit)


def test_a_link_that_hangs_is_given_up_and_ends_by_itself():
    store, unit = with_unit()
    try:
        store.start()
        wait_for("headquarters", lambda: connected(store))
        link = unit.link()
        os.kill(link, signal.SIGSTOP)
        wait_for("the daemon to hang up", lambda: "the link process hangs" in store.log_text(), 30)
        wait_for("the link's end", lambda: (link, -signal.SIGKILL) in unit.ended, 30)
        wait_for("headquarters again", lambda: connected(store), 20)
    finally:
        close(store, unit)


AS_NOBODY = {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def as_nobody(code, *words):
    return subprocess.run(["/usr/bin/python3", "-c", code, *words], capture_output=True, text=True, timeout=30, **AS_NOBODY)


def program_of_all():
    """aisled where every user can start it."""
    program = shutil.copy(AISLED[-1], tempfile.mkdtemp(prefix="aisled-"))
    os.chmod(os.path.dirname(program), 0o755)
    return program


def test_a_link_of_another_user_needs_nothing_of_the_daemon_s():
    """Its pepper, its state and its control socket among them."""
    if os.geteuid() != 0:
        return
    program = program_of_all()
    store, unit = with_unit(executable=program, **AS_NOBODY)
    try:
        os.chmod(store.folder, 0o755)
        os.chmod(store.pepper, 0o600)
        store.start()
        wait_for("headquarters", lambda: connected(store))
        assert os.stat(f"/proc/{unit.link()}").st_uid == NOBODY
    finally:
        close(store, unit)
        shutil.rmtree(os.path.dirname(program))


def test_a_daemon_of_another_user_needs_nothing_of_the_link_s():
    """A file of [hq] has to be there; only the link reads it."""
    if os.geteuid() != 0:
        return
    program = program_of_all()
    folder = os.path.dirname(program)
    secret, conf = os.path.join(folder, "secret"), os.path.join(folder, "aisled.conf")
    text = f"[store]\nid = 0042\n[state]\ndir = {folder}\ncontrol = {folder}/control.sock\n"

    def check(more):
        with open(conf, "w") as f:
            f.write(text + more)
        os.chmod(conf, 0o644)
        return subprocess.run([program, "--config", conf, "--check"], capture_output=True, text=True, **AS_NOBODY)
    try:
        with open(secret, "w") as f:
            f.write("5a" * 32)
        os.chmod(secret, 0o600)
        os.chown(folder, NOBODY, NOBODY)
        hq = "[hq]\nhost = 127.0.0.1\npassword_file = "
        for more, code in ((hq + secret, 0), (hq + folder + "/none", 78), (f"[privacy]\npepper_file = {secret}", 78)):
            done = check(more)
            assert done.returncode == code, (more, done)
    finally:
        shutil.rmtree(folder)


def test_whoever_is_not_the_daemon_is_not_answered():
    """The mode of the socket keeps others out; where it does not, the link does."""
    if os.geteuid() != 0:
        return
    store, unit = with_unit()
    call = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.settimeout(20); print(len(s.recv(1)))"
    try:
        os.chmod(store.folder, 0o755)
        os.chmod(unit.path, 0o600)
        done = as_nobody(call, unit.path)
        assert "PermissionError" in done.stderr, done.stderr
        os.chmod(unit.path, 0o666)
        done = as_nobody(call, unit.path)
        assert done.stdout == "0\n", done.stderr
        assert f"a call of user {NOBODY} was refused, expected user 0" in store.log_text()
        store.start()
        wait_for("headquarters", lambda: connected(store), 20)
    finally:
        close(store, unit)


def test_the_daemon_calls_nobody_else():
    if os.geteuid() != 0:
        return
    store, unit = with_unit()
    open_to_all = os.path.join(store.folder, "open")
    os.mkdir(open_to_all)
    os.chmod(store.folder, 0o755)
    os.chmod(open_to_all, 0o777)
    path = os.environ["AISLE_LINK"] = os.path.join(open_to_all, "link.sock")
    listen = "import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(8); time.sleep(60)"
    other = subprocess.Popen(["/usr/bin/python3", "-c", listen, path], **AS_NOBODY)
    try:
        wait_for("somebody to listen", lambda: os.path.exists(path))
        store.start()
        wait_for("the refusal", lambda: f"user {NOBODY} listens at {path}, expected root or user 0" in store.log_text())
        assert not connected(store)
    finally:
        other.kill()
        other.wait()
        close(store, unit)


def may_leave_the_network():
    return subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode == 0


def test_a_daemon_without_any_network_serves_tills_tablets_and_headquarters():
    """As aisled.service is: the broker at a unix socket, the tablets' socket handed to it, the link a unit."""
    if not may_leave_the_network():
        return
    store = shipped_store(hq_folder=True)
    unit = Unit(store)
    tablets = socket.create_server(("127.0.0.1", 0))
    start = 'exec 3<&"$1"; shift; LISTEN_PID=$$ LISTEN_FDS=1 exec unshare --net "$@"'
    os.environ["AISLE_LINK"] = unit.path
    try:
        store.process = subprocess.Popen(["/bin/sh", "-c", start, "sh", str(tablets.fileno()), *AISLED, "--config", store.conf],
                                         pass_fds=[tablets.fileno()], stdout=store.log, stderr=store.log)
        STARTED.append(store.process)
        wait_for("aisled to answer", lambda: store.alive() and store.status(check=False), 20)
        wait_for("broker and headquarters", lambda: store.status()["mqtt"]["connected"] and connected(store))
        assert os.stat(f"/proc/{store.process.pid}/ns/net").st_ino != os.stat("/proc/self/ns/net").st_ino
        hq = Client(store.hq.port, [f"aisle/v1/hq/store/{store.id}/up/#"])
        till = Client(store.broker.port)
        store.reader(till, "consent.changed", {"card": "card-1", "purpose": "profile", "state": "granted"})
        wait_for("a record at headquarters", lambda: hq.messages)
        with urllib.request.urlopen(f"http://127.0.0.1:{tablets.getsockname()[1]}/livez", timeout=10) as answer:
            assert answer.status == 200
        till.close()
        hq.close()
    finally:
        tablets.close()
        close(store, unit)


if __name__ == "__main__":
    main([test_a_link_of_another_user_needs_nothing_of_the_daemon_s, test_a_daemon_of_another_user_needs_nothing_of_the_link_s,
          test_the_daemon_calls_and_starts_no_process_and_a_link_that_dies_is_called_again,
          test_the_daemon_starts_again_and_the_link_leaves_and_is_there_for_the_next,
          test_without_the_unit_the_store_serves_and_says_what_is_missing_once,
          test_a_link_that_hangs_is_given_up_and_ends_by_itself, test_whoever_is_not_the_daemon_is_not_answered,
          test_the_daemon_calls_nobody_else, test_a_daemon_without_any_network_serves_tills_tablets_and_headquarters])
