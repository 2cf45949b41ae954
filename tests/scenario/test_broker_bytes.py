# SPDX-License-Identifier: Apache-2.0
"""What answers at the broker's address may be no broker, or a broken one: aisled lets it go, lives, and comes back."""
import random
import socket
import threading
import time

import policy
from store import Client, Store, main, wait_for

CONNACK = bytes([0x20, 3, 0, 0, 0])
TOPIC = b"aisle/v1/0042/pos/7/event"


def message(first, length=None):
    body = bytes([0, len(TOPIC)]) + TOPIC + b"\0\1\0{}"
    return bytes([first, len(body)] if length is None else [first, *length]) + body


class Odd:
    """Takes each connection, says that it is a broker, and then what it is told to say."""

    def __init__(self, port, says):
        self.says, self.gone = says, []
        self.server = socket.create_server(("127.0.0.1", port))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        for number, said in enumerate(self.says):
            client, _ = self.server.accept()
            client.settimeout(20)
            try:
                client.recv(4096)
                client.sendall(CONNACK)
                time.sleep(0.1)   # it is connected by now, and tries again a second after this
                client.sendall(said)
                while client.recv(4096):
                    pass
                self.gone.append(number)
            except ConnectionError:
                self.gone.append(number)
            except TimeoutError:
                pass
            client.close()

    def close(self):
        self.thread.join(60)
        self.server.close()
        return self.gone


def lives_through(says, config=""):
    """Each connection is given up, the process is the same, and the next broker is served."""
    store = Store(config=config)
    try:
        store.start()
        store.ctl("bundle", "install", policy.bundle(store.folder, actions=[policy.changed(policy.ENROL, expires="12h")]))
        process = store.process
        store.broker.stop()
        assert Odd(store.broker.port, says).close() == list(range(len(says)))
        assert store.alive() and store.process is process
        store.broker.start()
        wait_for("the broker", lambda: store.status()["mqtt"]["connected"], 15)
        till = Client(store.broker.port, [f"{store.root}/guidance/+"])
        store.till(till, "basket.opened", {"basket": "b1", "terminal": "7"})
        store.till(till, "basket.item-added", store.item("b1", 1, "grocery/coffee", 1450))
        wait_for("the card", lambda: till.on("guidance/7"))
        till.close()
        return store.log_text()
    finally:
        store.close()


def test_a_message_of_qos_3_ends_the_connection_and_not_the_daemon():
    log = lives_through([message(0x36)])
    assert "the broker sent what no broker sends: a message of QoS 3" in log


def test_a_length_without_an_end_and_one_beyond_what_we_take_make_no_room():
    log = lives_through([message(0x32, [0x80, 0x80, 0x80, 0x80]), message(0x30, [0x81, 0x80, 0x08])])
    assert "a packet whose length has no end" in log
    assert "a packet of more than 128 KiB" in log


def test_random_bytes_end_the_connection_and_not_the_daemon():
    chance = random.Random(7)
    # Each ends in what no broker may say, or the daemon would wait for the rest of a packet. More of them, each with a
    # daemon of its own, which does not wait longer each time, are in test_broken_broker.
    lives_through([bytes(chance.getrandbits(8) for _ in range(chance.randrange(1, 40))) + b"\xff" * 300000 for _ in range(3)])


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
