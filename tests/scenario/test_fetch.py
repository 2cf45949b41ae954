#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Artifacts of headquarters: chunk by chunk through a real broker, over restarts, kills and brokers that fail.

The store is build/fetcher: aisled with artifacts that it is told to fetch, in place of a release that names them.
"""
import hashlib
import json
import os
import random
import signal
import subprocess
import time

import paho.mqtt.client as mqtt

from store import BUILD, RUN, STARTED, Broker, Client, Store, main, wait_for

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


@with_store
def test_what_is_retained_comes_and_is_what_was_published(store):
    artifact = Artifact(3 << 20, 1)
    Hq(store.hq).publish(artifact)
    store.begin(artifact.words())
    store.whole(artifact)
    assert store.fetches() == [{"hash": artifact.hash, "bytes": len(artifact.data), "have": len(artifact.data), "state": "whole"}]


if __name__ == "__main__":
    main([test_what_is_retained_comes_and_is_what_was_published])
