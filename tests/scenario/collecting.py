# SPDX-License-Identifier: Apache-2.0
"""Headquarters from outside: batches as stores send them, collectors, and who acknowledged what."""
import json
import os
import signal
import sqlite3
import subprocess
import threading

import paho.mqtt.client as mqtt

from store import AISLECTL, STARTED, wait_for

EPOCH = "00112233aabbccdd"


def record(seq, body=None, kind="decision", at="2026-11-30T05:00:00.000Z", epoch=EPOCH):
    return {"epoch": epoch, "seq": seq, "type": kind, "at": at, "body": {"n": seq} if body is None else body}


def batch(records):
    lines = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in records)
    return subprocess.run(["zstd", "-q", "-c"], input=lines.encode(), capture_output=True, check=True).stdout


class Sender:
    """Some stores on one broker: sends batches, and hears HQ's acknowledgements."""

    def __init__(self, port, user=None, password=None, topic="aisle/v1/hq/store/+/ack/+", patience=20):
        self.acks = {}
        self.lock = threading.Lock()
        ready = threading.Event()
        self.client = mqtt.Client(protocol=mqtt.MQTTv311)
        self.client.max_inflight_messages_set(200)
        self.client.on_connect = lambda c, *_: c.subscribe(topic, 0)
        self.client.on_subscribe = lambda *_: ready.set()
        self.client.on_message = self.on_message
        if user:
            self.client.username_pw_set(user, password)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert ready.wait(patience)

    def on_message(self, client, userdata, message):
        _, _, _, _, store, _, lane = message.topic.split("/")
        with self.lock:
            self.acks.setdefault((store, lane), []).append(json.loads(message.payload))

    def send(self, store, records, lane="decision"):
        self.client.publish(f"aisle/v1/hq/store/{store}/up/{lane}", batch(records), qos=1)

    def upto(self, store, lane="decision"):
        with self.lock:
            return max((ack["upto"] for ack in self.acks.get((store, lane), [])), default=0)

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()


class Collector:
    def __init__(self, into, brokers, *words, folder, env=None):
        self.path = os.path.join(folder, f"collect-{len(STARTED)}.log")
        self.log = open(self.path, "ab")
        self.words = AISLECTL + ["collect", "--into", into, *(w for b in brokers for w in ("--broker", b)), *words]
        self.process = subprocess.Popen(self.words, stdout=self.log, stderr=self.log, env={**os.environ, **(env or {})})
        STARTED.append(self.process)
        self.brokers = len(brokers)

    def text(self):
        with open(self.path) as f:
            return f.read()

    def ready(self, seconds=40):
        def connected():
            assert self.process.poll() is None, self.text()
            return self.text().count("collect: connected") >= self.brokers
        wait_for("the collector", connected, seconds)
        return self

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        return self.process.wait(20)


def rows(path, sql="SELECT store, epoch, lane, seq FROM record ORDER BY 1, 2, 3, 4"):
    db = sqlite3.connect(path)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()
