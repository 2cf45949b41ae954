#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What listens where a broker should is none, or a broken one: the daemon refuses what it sends by its name, counts it,
asks again later and later, and serves everybody else meanwhile."""
import os
import random
import re
import signal
import socket
import threading
import time

from store import Broker, Client, Store, main, wait_for

HELLO = bytes.fromhex("2003000000")
SEED = int(os.environ.get("SEED") or random.randrange(1 << 30))
TRIES = int(os.environ.get("TRIES") or 60)

# (what it says, whether it says hello before, what the log says of it; None: nothing is refused, or the library did)
SAYS = [
    ("200500000204aa", False, "a property that it may not have"),       # libmosquitto 2.0.11 ends the process for it
    ("3007000161027f0178", True, "a property that it may not have"),
    ("e0078e057f00000000", True, "a property that it may not have"),
    ("3606000161000178", True, "a message of QoS 3"),
    ("3406000161000100", True, "a message of QoS 2, which we never asked for"),
    ("2003000000", True, "a second CONNACK"),
    ("3005000161" "0078", False, "a packet before the CONNACK"),
    ("30ffffff7f" + "00" * 64, True, "a packet of more than 128 KiB"),
    ("62020001" * 1000, True, "a packet that is not a broker's to send"),
    ("c000" * 1000, True, "a packet that is not a broker's to send"),
    ("9003000100", True, "an acknowledgement without an answer"),
    ("474554202f20485454502f312e310d0a0d0a", False, "a packet before the CONNACK"),
    ("40020007" * 1000, True, None),                                     # of what was never sent
    ("300500016100ff", True, None),
    ("e0018e", True, None),                                              # somebody else has our name
]


class Fake:
    """Takes each connection, hears its CONNECT, says what it has to say and waits until the other side is gone."""

    def __init__(self, port):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        self.socket.listen(8)
        self.port = self.socket.getsockname()[1]
        self.says, self.ended, self.came, self.flood = b"", [], [], False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                one, _ = self.socket.accept()
            except OSError:
                return
            self.came.append(time.monotonic())
            one.settimeout(5)
            try:
                one.recv(65536)
                one.sendall(self.says)
                while self.flood:
                    one.sendall(self.flood)
                one.shutdown(socket.SHUT_WR)
                while one.recv(65536):
                    pass
            except OSError:
                pass
            one.close()
            self.ended.append(self.says)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)


def try_once(store, fake, says):
    """A daemon of its own, so that none waits for the one before it; what it logged."""
    at, ended = len(store.log_text()), len(fake.ended)
    fake.says = says
    store.boot()
    wait_for(f"the daemon to hear {says[:40].hex()}", lambda: store.alive() and len(fake.ended) > ended, 20, poll=0.005)
    wait_for("it to say so", lambda: store.alive() and "connection lost" in store.log_text()[at:], 10, poll=0.005)
    with open(f"/proc/{store.process.pid}/status") as f:
        most = int(re.search(r"VmHWM:\s+(\d+) kB", f.read())[1])
    assert most < 64 << 10, f"{most} KiB of memory after {says[:40].hex()}"
    assert store.stop(signal.SIGTERM) == 0
    return store.log_text()[at:]


def store_with_fake():
    store = Store()
    store.broker.stop(signal.SIGKILL)
    return store, Fake(store.broker.port)


def test_whatever_a_broker_sends_the_daemon_lives_and_says_what_it_refused():
    store, fake = store_with_fake()
    chance = random.Random(SEED)
    refused = 0
    try:
        for says, hello, why in SAYS:
            log = try_once(store, fake, (HELLO if hello else b"") + bytes.fromhex(says))
            assert why is None or f"the broker sent what no broker sends: {why}" in log, (says[:40], log)
        for _ in range(TRIES):
            # Random bytes, or with a first byte and a length that fit.
            body = chance.randbytes(chance.randrange(1, 120))
            if chance.random() < 0.7:
                body = bytes([chance.choice([0x20, 0x30, 0x32, 0x40, 0x90, 0xB0, 0xD0, 0xE0]), len(body)]) + body
            refused += "what no broker sends" in try_once(store, fake, HELLO + body)
        print(f"        seed {SEED}: {len(SAYS)} packets and {TRIES} random ones, of which {refused} were refused by name")
        assert refused > TRIES // 2
    finally:
        store.close()
        fake.close()


def test_who_sends_nonsense_is_asked_less_and_less_and_a_good_broker_at_once():
    store, fake = store_with_fake()
    fake.says = HELLO + bytes.fromhex("c000")
    try:
        store.boot()
        wait_for("three calls", lambda: store.alive() and len(fake.came) >= 3, 20)
        first, second = fake.came[1] - fake.came[0], fake.came[2] - fake.came[1]
        assert first > 0.8 and second > 1.6 and second > first, (first, second)
        assert "let go, again and again: it sent what no broker sends, a packet that is not a broker's to send" in store.ctl("doctor", code=None)
        _, metrics = store.http("GET", "/metrics")
        assert int(re.search(rb"^aisle_broker_refused_total (\d+)", metrics, re.M)[1]) >= 2
        fake.close()
        store.broker.start()
        wait_for("the broker", lambda: store.alive() and store.status()["mqtt"]["connected"], 20)
        client = Client(store.broker.port, [f"{store.root}/pos/7/receipt"])
        store.till(client, "basket.opened", {"basket": "b1", "terminal": "7"}, receipt=True)
        wait_for("a receipt", lambda: client.on("/receipt"))
        wait_for("the broker to be good again", lambda: "broker        connected" in store.ctl("doctor", code=None), 20, poll=0.5)
        client.close()
    finally:
        store.close()


def test_a_broker_that_sends_without_an_end_keeps_nobody_else_waiting():
    store, fake = store_with_fake()
    fake.says, fake.flood = HELLO, bytes.fromhex("d000") * 20000 + bytes.fromhex("300500016100ff") * 5000
    try:
        store.boot()
        wait_for("a connection", lambda: store.alive() and fake.came, 20)
        slowest, end = 0.0, time.monotonic() + 4
        while time.monotonic() < end:
            start = time.monotonic()
            assert store.status()["store"] == store.id
            slowest = max(slowest, time.monotonic() - start)
        print(f"        slowest answer beside it {slowest:.2f} s")
        assert slowest < 2, slowest
    finally:
        fake.flood = False
        store.close()
        fake.close()


def test_nonsense_of_headquarters_broker_ends_no_more_than_the_link():
    store, fake = Store(hq_port=(hq := Fake(0)).port), hq
    fake.says = bytes.fromhex("20020000" "360700016100017801" "30ffffff7f" "00000000")
    try:
        store.start()
        wait_for("two calls", lambda: store.alive() and len(fake.came) >= 2, 40)
        fake.close()
        good = Broker(store.folder, "hq")
        good.stop(signal.SIGKILL)
        with open(good.conf) as f:
            text = f.read()
        with open(good.conf, "w") as f:
            f.write(text.replace(f"listener {good.port}", f"listener {fake.port}"))
        good.port = fake.port
        good.start()
        wait_for("headquarters", lambda: store.alive() and store.status()["hq"]["connected"], 60)
        good.stop(signal.SIGKILL)
    finally:
        store.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
