#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Artifacts of headquarters: chunk by chunk through a real broker, over restarts, kills and brokers that fail.

The store is build/fetcher: aisled with artifacts that it is told to fetch, in place of a release that names them.
"""
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import threading
import time

from test_publish import Scene, file_hash
from store import BUILD, RUN, STARTED, Broker, Client, Store, children, main, wait_for

FETCHER = RUN + [os.path.join(BUILD, "fetcher")]
CHUNK = 65536


def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, capture_output=True, check=True).stdout


class Artifact:
    """Half of it compresses, so that its frames are of all sizes."""

    def __init__(self, size, seed, chunk=CHUNK):
        draw = random.Random(seed)
        self.data = b"".join(draw.randbytes(50) + b"x" * 50 for _ in range(size // 100 + 1))[:size]
        self.hash = hashlib.blake2b(self.data, digest_size=32).hexdigest()
        self.chunk = chunk
        self.chunks = [self.data[at:at + chunk] for at in range(0, size, chunk)]
        self.frames = [zstd(c) for c in self.chunks]

    def words(self, way="shared", hours=(0, 0), jitter_s=0, rate=0):
        return f"{self.hash}:{len(self.data)}:{self.chunk}:{way}:{hours[0]}:{hours[1]}:{jitter_s}:{rate}"

    def topic(self, n):
        return f"aisle/v1/hq/artifact/{self.hash}/{n}"


class Hq:
    """What publishes at a broker."""

    def __init__(self, broker):
        self.client = Client(broker.port)

    def retain(self, topic, payload):
        self.client.client.publish(topic, payload, qos=1, retain=True).wait_for_publish(10)

    def publish(self, artifact, numbers=None):
        for n in range(len(artifact.frames)) if numbers is None else numbers:
            self.retain(artifact.topic(n), artifact.frames[n])


class Fetcher(Store):
    def begin(self, *words):
        self.out = open(os.path.join(self.folder, "fetched"), "ab")
        self.process = subprocess.Popen(FETCHER + ["--config", self.conf, *words], stdout=self.out, stderr=self.log)
        STARTED.append(self.process)
        wait_for("the store to answer", lambda: self.alive() and self.status(check=False), 20)

    def told(self):
        with open(os.path.join(self.folder, "fetched")) as f:
            return [line.split() for line in f]

    def fetches(self):
        return self.status()["hq"]["fetches"]

    def have(self, artifact):
        return next((f["have"] for f in self.fetches() if f["hash"] == artifact.hash), None)

    def whole(self, artifact, seconds=30):
        path = wait_for(f"{artifact.hash[:8]} as a whole",
                        lambda: self.alive() and [line[2] for line in self.told() if line[:2] == ["whole", artifact.hash]], seconds)[0]
        with open(path, "rb") as f:
            assert f.read() == artifact.data

    def transfer(self):
        return sorted(os.listdir(os.path.join(self.folder, "state", "transfer")))


def with_store(test):
    def run():
        store = Fetcher(hq_folder=True)
        try:
            test(store)
        finally:
            store.close()
            store.hq.stop(signal.SIGKILL)
    run.__name__ = test.__name__
    return run


def metric(store, name):
    status, text = store.http("GET", "/metrics")
    assert status == 200
    return next((int(float(line.split()[1])) for line in text.decode().splitlines() if line.split()[0] == name), 0)


def refused(store, reason):
    return metric(store, f'aisle_trust_refused_total{{reason="{reason}"}}')


@with_store
def test_what_is_retained_comes_by_eight_topics_at_a_time_at_qos_0(store):
    store.hq.stop()
    with open(store.hq.conf, "a") as f:
        f.write("log_type subscribe\nlog_type unsubscribe\nlog_type error\n")
    store.hq.start()
    artifact = Artifact(3 << 20, 1)
    Hq(store.hq).publish(artifact)
    store.begin(artifact.words())
    store.whole(artifact)
    assert store.fetches() == [] and store.transfer() == []
    topics = sorted(artifact.topic(n) for n in range(len(artifact.frames)))

    def heard():
        """(QoS, or None where it is left, and topic) of each line of the broker."""
        with open(os.path.join(store.folder, "hq.log"), errors="replace") as f:
            return re.findall(r": aisle-0042 (?:(\d) )?(aisle/v1/hq/artifact/\S+)", f.read())
    lines = wait_for("all to be left", lambda: (found := heard()) and sorted(t for q, t in found if q == "") == topics and found)
    assert sorted(t for q, t in lines if q == "0") == topics, lines
    open_now, most = 0, 0
    for qos, _ in lines:
        open_now += 1 if qos else -1
        most = max(most, open_now)
    assert most == 8 and open_now == 0, (most, open_now)


@with_store
def test_killed_at_any_moment_it_goes_on_where_it_was(store):
    artifact = Artifact(6 << 20, 2)
    Hq(store.hq).publish(artifact)
    had = 0
    for part in (0.15, 0.4, 0.65, 0.9):
        store.begin(artifact.words(rate=400))
        wait_for("it to be looked through", lambda: store.have(artifact) is not None and store.fetches()[0]["state"] != "checking")
        assert store.have(artifact) >= had, "what had come is gone"
        had = wait_for("more of it", lambda: (store.have(artifact) or 0) >= part * len(artifact.data) and store.have(artifact), 60)
        store.stop(signal.SIGKILL)
    store.begin(artifact.words())
    store.whole(artifact)
    assert store.transfer() == []


@with_store
def test_a_link_that_is_killed_in_the_middle_costs_nothing(store):
    artifact = Artifact(4 << 20, 3)
    Hq(store.hq).publish(artifact)
    store.begin(artifact.words(rate=400))
    for part in (0.2, 0.5):
        wait_for("some of it", lambda: store.have(artifact) >= part * len(artifact.data), 60)
        os.kill(children(store.process.pid)[0], signal.SIGKILL)
        wait_for("the store to notice", lambda: not store.status()["hq"]["connected"])
        wait_for("another link", lambda: store.status()["hq"]["connected"])
    store.whole(artifact, 60)


def test_another_broker_has_the_rest():
    store = Fetcher(hq_folder=True)
    brokers = [store.hq, Broker(store.folder, "hq-b")]
    with open(store.conf) as f:
        text = f.read()
    with open(store.conf, "w") as f:
        f.write(re.sub(r"\[hq\]\nhost = .*\nport = .*\n", "[hq]\nhost = " + " ".join(f"127.0.0.1:{b.port}" for b in brokers) + "\n", text))
    try:
        artifact = Artifact(4 << 20, 4)
        count = len(artifact.frames)
        # Each has other chunks than the other, and both are needed.
        Hq(brokers[0]).publish(artifact, range(count // 3 * 2))
        Hq(brokers[1]).publish(artifact, range(count // 3, count))
        store.begin(artifact.words())
        part = wait_for("all that one has", lambda: (store.have(artifact) or 0) > len(artifact.data) // 2 and store.have(artifact))
        first = re.findall(r"hq: connected host=127.0.0.1 port=(\d+)", store.log_text())[-1]
        next(b for b in brokers if b.port == int(first)).stop(signal.SIGKILL)
        store.whole(artifact, 60)
        assert part < len(artifact.data)
    finally:
        store.close()
        for broker in brokers:
            broker.stop(signal.SIGKILL)


@with_store
def test_what_is_published_later_comes_then_and_after_headquarters_was_away(store):
    first, second = Artifact(300000, 5), Artifact(CHUNK, 6)
    store.hq.stop()
    store.begin(first.words(), second.words())
    wait_for("both to wait", lambda: [f["state"] for f in store.fetches()] == ["waiting", "waiting"])
    store.hq.start()
    wait_for("headquarters", lambda: store.status()["hq"]["connected"], 40)
    wait_for("both to be asked for", lambda: [f["state"] for f in store.fetches()] == ["fetching", "fetching"])
    hq = Hq(store.hq)
    hq.publish(second)
    store.whole(second)
    hq.publish(first)
    store.whole(first)


@with_store
def test_false_chunks_are_refused_and_the_right_ones_still_come(store):
    artifact = Artifact(10 * CHUNK + 100, 7)
    hq = Hq(store.hq)
    false = {0: zstd(b"0" * (64 << 20)), 1: artifact.frames[1][:-7], 2: artifact.frames[2] + b"x", 3: zstd(artifact.chunks[3] + b"x"),
             4: zstd(artifact.chunks[4][:-1]), 5: b"not zstd", 6: zstd(b"0" * (64 << 20), "--no-content-size")}
    hq.publish(artifact, [n for n in range(11) if n not in false])
    for n, payload in false.items():
        hq.retain(artifact.topic(n), payload)
    store.begin(artifact.words())
    good = sum(len(artifact.chunks[n]) for n in range(11) if n not in false)
    wait_for("the good ones, and a no for each other", lambda: store.have(artifact) == good and
             [refused(store, why) for why in ("bad-chunk", "wrong-size", "bomb")] == [3, 1, 3])
    # What takes the place of what was retained: first nothing, then what is right.
    for n in false:
        hq.retain(artifact.topic(n), b"")
    hq.publish(artifact, false)
    store.whole(artifact)
    assert [refused(store, why) for why in ("bad-chunk", "wrong-size", "bomb")] == [3, 1, 3]


@with_store
def test_endless_false_chunks_are_not_listened_to(store):
    artifact = Artifact(3 * CHUNK, 8)
    store.begin(artifact.words())
    wait_for("it to be asked for", lambda: store.fetches() and store.fetches()[0]["state"] == "fetching")
    hq = Hq(store.hq)
    for n in range(300):
        hq.client.publish(artifact.topic(n % 3), b"no zstd", wait=n == 299)
    wait_for("it to be left", lambda: store.fetches()[0]["state"] == "waiting")
    assert refused(store, "bad-chunk") == 8 and store.fetches()[0]["why"] == "bad-chunk"
    assert store.log_text().count("a chunk of headquarters was refused") < 3
    hq.publish(artifact)
    store.whole(artifact, 40)


@with_store
def test_chunks_that_are_replaced_in_transfer_never_become_a_whole(store):
    artifact, other = Artifact(8 * CHUNK, 9), Artifact(8 * CHUNK, 10)
    hq = Hq(store.hq)
    hq.publish(artifact, range(0, 7))
    store.begin(artifact.words())
    wait_for("what is there", lambda: store.have(artifact) == 7 * CHUNK)
    # The others are replaced by what is as long, and the missing one is of the other too.
    for n in range(8):
        hq.retain(artifact.topic(n), other.frames[n])
    line = wait_for("the refusal", lambda: store.alive() and [line for line in store.told() if line[1] == artifact.hash], 60)[0]
    assert line == ["refused", artifact.hash, "wrong-hash"]
    assert refused(store, "wrong-hash") == 3 and store.transfer() == [] and store.fetches() == []


@with_store
def test_what_is_wrong_once_comes_again_from_its_start(store):
    artifact = Artifact(4 * CHUNK, 11)
    hq = Hq(store.hq)
    hq.publish(artifact, [1, 2, 3])
    store.begin(artifact.words())
    wait_for("what is there", lambda: store.have(artifact) == 3 * CHUNK)
    hq.client.publish(artifact.topic(0), Artifact(CHUNK, 12).frames[0])     # not retained
    wait_for("the refusal", lambda: refused(store, "wrong-hash") == 1)
    hq.publish(artifact, [0])
    store.whole(artifact, 60)


class Server:
    """Answers what a store asks for, but for some chunks the first time."""

    def __init__(self, store, artifact, lose=()):
        self.store, self.artifact, self.lose, self.wants = store, artifact, set(lose), []
        self.client = Client(store.hq.port)
        self.client.client.message_callback_add(f"aisle/v1/hq/store/{store.id}/want", self.on_want)
        self.client.client.subscribe(f"aisle/v1/hq/store/{store.id}/want", 1)

    def on_want(self, client, userdata, message):
        want = json.loads(message.payload)
        self.wants.append((time.monotonic(), want["from"], want["count"]))
        assert set(want) == {"hash", "from", "count"} and want["hash"] == self.artifact.hash, want
        for n in range(want["from"], want["from"] + want["count"]):
            if n in self.lose:
                self.lose.discard(n)
            else:
                client.publish(f"aisle/v1/hq/store/{self.store.id}/chunk/{self.artifact.hash}/{n}", self.artifact.frames[n])


@with_store
def test_what_is_the_stores_own_is_asked_for_32_at_a_time(store):
    artifact = Artifact(70 * CHUNK + 5, 13)
    server = Server(store, artifact)
    store.begin(artifact.words("own"))
    store.whole(artifact, 40)
    assert [w[1:] for w in server.wants] == [(0, 32), (32, 32), (64, 7)], server.wants


@with_store
def test_an_answer_that_is_lost_is_asked_for_again_later(store):
    artifact = Artifact(40 * CHUNK, 14)
    server = Server(store, artifact, lose=(3, 4, 17))
    store.begin(artifact.words("own"))
    store.whole(artifact, 60)
    assert [w[1:] for w in server.wants][:2] == [(0, 32), (3, 2)], server.wants
    assert 14 < server.wants[1][0] - server.wants[0][0] < 40, server.wants
    # What is missing next is known to be.
    assert server.wants[2][1:] == (17, 1) and server.wants[3][1:] == (32, 8) and len(server.wants) == 4, server.wants


@with_store
def test_an_own_one_is_asked_for_again_after_a_reconnect_and_a_kill(store):
    artifact = Artifact(40 * CHUNK, 15)
    server = Server(store, artifact, lose=(5,))
    store.begin(artifact.words("own"))
    wait_for("all but one", lambda: store.have(artifact) == 31 * CHUNK)
    os.kill(children(store.process.pid)[0], signal.SIGKILL)
    wait_for("the next want", lambda: len(server.wants) > 1)
    assert server.wants[1][1:] == (5, 1)
    store.whole(artifact)
    assert len(server.wants) == 3


@with_store
def test_outside_its_hours_nothing_is_asked_for(store):
    minute = int(time.time()) // 60 % 1440
    closed, open_now = Artifact(CHUNK, 16), Artifact(CHUNK, 17)
    hq = Hq(store.hq)
    hq.publish(closed)
    hq.publish(open_now)
    store.begin(closed.words(hours=((minute + 60) % 1440, (minute + 120) % 1440)),
                open_now.words(hours=((minute - 60) % 1440, (minute + 60) % 1440)))
    store.whole(open_now)
    assert [(f["hash"], f["have"], f["state"]) for f in store.fetches()] == [(closed.hash, 0, "waiting")]


@with_store
def test_a_moment_of_its_own_survives_a_restart(store):
    artifact = Artifact(CHUNK, 18)
    Hq(store.hq).publish(artifact)
    # So that its moment is a few seconds off.
    number = int.from_bytes(hashlib.blake2b(b"0042\0" + artifact.hash.encode(), digest_size=16).digest()[:8], "little")
    jitter = next(j for j in range(20, 10000) if 5 <= number % j <= 7)
    begun = time.monotonic()
    store.begin(artifact.words(jitter_s=jitter))
    wait_for("it to wait", lambda: store.fetches() and store.fetches()[0]["state"] == "waiting")
    store.stop(signal.SIGKILL)
    store.begin(artifact.words(jitter_s=jitter))
    store.whole(artifact)
    assert number % jitter - 1 < time.monotonic() - begun < number % jitter + 5, "it drew anew, or did not wait"


@with_store
def test_a_rate_is_kept(store):
    artifact = Artifact(2 << 20, 19)
    Hq(store.hq).publish(artifact)
    kib = sum(len(f) for f in artifact.frames) / 1024
    store.begin(artifact.words(rate=256))
    begun = wait_for("the first of it", lambda: store.have(artifact) and time.monotonic())
    store.whole(artifact, 60)
    took = time.monotonic() - begun
    assert kib / 256 * 0.6 < took < kib / 256 * 2.5, (kib, took)


@with_store
def test_three_have_files_at_a_time_and_one_that_nobody_serves_holds_up_none(store):
    own, *artifacts = [Artifact(10 * CHUNK + n, 20 + n) for n in range(5)]
    hq = Hq(store.hq)
    store.begin(own.words("own"), *(a.words() for a in artifacts))
    wait_for("three to be asked for", lambda: [f["state"] for f in store.fetches()] == ["fetching"] * 3 + ["waiting"] * 2)
    assert len(store.transfer()) == 6
    for artifact in reversed(artifacts):
        hq.publish(artifact)
    for artifact in artifacts:
        store.whole(artifact)
    assert store.transfer() == [own.hash + ".map", own.hash + ".part"]


@with_store
def test_what_publish_sends_and_serves_is_what_comes(store):
    scene = Scene()
    try:
        bundle = scene.bundle(1, 6 << 20)
        with open(bundle, "rb") as f:
            data = f.read()
        scene.brokers[0].stop()
        scene.brokers[0].port = store.hq.port
        store.hq.stop()
        scene.brokers[0].start()
        scene.serve(scene.hq.root, scene.hq.release(1, bundle), bundle)
        artifact = Artifact(0, 0)
        artifact.data, artifact.hash = data, file_hash(bundle)
        for way in ("shared", "own"):
            store.begin(artifact.words(way))
            wait_for("it to be here", lambda: store.alive() and len(store.told()) == (1 if way == "shared" else 2), 60)
            store.whole(artifact)
            store.stop()
        assert scene.stop_serving() == 0
    finally:
        scene.close()


SLOW = [test_endless_false_chunks_are_not_listened_to, test_chunks_that_are_replaced_in_transfer_never_become_a_whole,
        test_an_answer_that_is_lost_is_asked_for_again_later]


def test_those_that_wait_for_half_a_minute():
    """Side by side: they do nothing but wait."""
    failed = []

    def run(test):
        try:
            test()
        except BaseException as error:  # noqa: told below
            failed.append((test.__name__, error))
    threads = [threading.Thread(target=run, args=(test,)) for test in SLOW]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed


if __name__ == "__main__":
    main([test_what_is_retained_comes_by_eight_topics_at_a_time_at_qos_0, test_killed_at_any_moment_it_goes_on_where_it_was,
          test_a_link_that_is_killed_in_the_middle_costs_nothing, test_another_broker_has_the_rest,
          test_what_is_published_later_comes_then_and_after_headquarters_was_away,
          test_false_chunks_are_refused_and_the_right_ones_still_come, test_what_is_wrong_once_comes_again_from_its_start,
          test_what_is_the_stores_own_is_asked_for_32_at_a_time, test_an_own_one_is_asked_for_again_after_a_reconnect_and_a_kill,
          test_outside_its_hours_nothing_is_asked_for, test_a_moment_of_its_own_survives_a_restart, test_a_rate_is_kept,
          test_three_have_files_at_a_time_and_one_that_nobody_serves_holds_up_none, test_what_publish_sends_and_serves_is_what_comes,
          test_those_that_wait_for_half_a_minute])
