# SPDX-License-Identifier: Apache-2.0
"""The store's broker over TLS: what it sends is looked at as it is without, and nothing of what is good gets lost on the way.

The certificate and its key in tests/scenario/tls are of no use anywhere else."""
import os
import random
import signal
import socket
import ssl
import threading

import policy
from store import Broker, Client, Store, main, wait_for
from test_broken_broker import HELLO, SAYS, Fake, try_once

TLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tls")
CERT, KEY = os.path.join(TLS, "cert.pem"), os.path.join(TLS, "key.pem")
SEED = int(os.environ.get("SEED") or random.randrange(1 << 30))
TRIES = int(os.environ.get("TRIES") or 3)


class TlsBroker(Broker):
    """Two doors: TLS for the daemon, and one without for the test's own clients."""

    def __init__(self, folder, name="broker"):
        super().__init__(folder, name)
        self.stop(signal.SIGKILL)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.tls_port = s.getsockname()[1]
        with open(self.conf) as f:
            text = f.read()
        with open(self.conf, "w") as f:
            f.write(f"per_listener_settings false\n{text}listener {self.tls_port} 127.0.0.1\ncertfile {CERT}\nkeyfile {KEY}\n")
        self.start()


class TlsFake(Fake):
    """Its bytes in TLS, in records as long as records is."""

    def __init__(self, port):
        self.records = 16384
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(CERT, KEY)
        super().__init__(port)

    def serve(self):
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            plain.settimeout(5)
            try:
                with self.context.wrap_socket(plain, server_side=True) as one:
                    one.recv(65536)
                    for at in range(0, len(self.says), self.records):
                        one.sendall(self.says[at:at + self.records])
                    while one.recv(65536):
                        pass
            except (OSError, ValueError):
                pass
            self.ended.append(self.says)


def go_over_tls(store, port):
    with open(store.conf) as f:
        text = f.read()
    with open(store.conf, "w") as f:
        f.write(text.replace(f"[mqtt]\nport = {store.broker.port}\n", f"[mqtt]\nport = {port}\nca = {CERT}\n"))


def test_what_no_broker_sends_is_refused_by_name_in_tls_too():
    store = Store()
    store.broker.stop(signal.SIGKILL)
    fake = TlsFake(store.broker.port)
    go_over_tls(store, fake.port)
    chance, seen = random.Random(SEED), set()
    try:
        for says, hello, why in SAYS:
            # One of each kind.
            if why is None or why in seen:
                continue
            seen.add(why)
            fake.records = chance.choice([1, 3, 16384])
            log = try_once(store, fake, (HELLO if hello else b"") + bytes.fromhex(says)[:4096])
            assert f"the broker sent what no broker sends: {why}" in log, (says[:40], log)
        for _ in range(TRIES):
            body = chance.randbytes(chance.randrange(1, 120))
            body = bytes([chance.choice([0x20, 0x30, 0x32, 0x40, 0x90, 0xB0, 0xD0, 0xE0]), len(body)]) + body
            try_once(store, fake, HELLO + body + b"\xff\xff\xff\xff\xff")
    finally:
        store.close()
        fake.close()


def test_every_event_over_tls_is_taken_and_answered_however_many_come_at_once():
    store = Store(broker=TlsBroker, config="[limits]\nterminal_rate = 100000/s\n")
    go_over_tls(store, store.broker.tls_port)
    chance = random.Random(SEED)
    try:
        store.start()
        store.ctl("bundle", "install", policy.bundle(store.folder))
        till = Client(store.broker.port, [f"{store.root}/pos/7/receipt", f"{store.root}/guidance/+"])
        store.till(till, "basket.opened", {"basket": "b1", "terminal": "7"})
        # Small and large, so that packets begin and end anywhere in records.
        count = 150
        for n in range(count):
            item = store.item("b1", n + 1, "grocery/coffee", 1500)
            item["note"] = "x" * chance.choice([0, 10, 1000, 15000, 16384, 40000])
            store.till(till, "basket.item-added", item, receipt=True)
        wait_for("each receipt", lambda: store.alive() and len({tuple(i) for r in till.on("/receipt") for i in r["ids"]}) == count, 30)
        assert till.on("/guidance/7"), "a card"
        assert "connection lost" not in store.log_text(), store.log_text()[-1000:]
        till.close()
        # It is only of the connection: the daemon serves on over another.
        store.broker.stop(signal.SIGKILL)
        wait_for("the broker to be missed", lambda: not store.status()["mqtt"]["connected"])
        store.broker.start()
        wait_for("the broker again", lambda: store.alive() and store.status()["mqtt"]["connected"], 20)
        assert store.stop() == 0
    finally:
        store.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
