#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""aislectl publish: what HQ sends gets onto its brokers whole and in order, comes back when one has lost it, and nothing wrong goes out."""
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import paho.mqtt.client as mqtt

import policy
from headquarters import Headquarters
from store import AISLECTL, STARTED, Broker, children, main, wait_for

CHUNK = 65536
ROOT, RELEASE, STOP = "aisle/v1/hq/root/1", "aisle/v1/hq/release/stable", "aisle/v1/hq/stop"


class MemoryBroker(Broker):
    """As the brokers of a large chain are: what is retained is in memory alone."""

    def __init__(self, folder, name="broker", more=""):
        self.more = more
        super().__init__(folder, name)

    def start(self):
        with open(self.conf, "w") as f:
            f.write((f"allow_anonymous true\n" if "allow_anonymous" not in self.more else "") +
                    f"listener {self.port} 127.0.0.1\nmessage_size_limit 1048576\n" + self.more)
        super().start()


class Watcher:
    """What a broker retains, and what comes after, in its order."""

    def __init__(self, broker, topics=("aisle/v1/hq/#",), user=None):
        self.messages, self.lock = [], threading.Lock()
        self.ready = threading.Event()
        self.client = mqtt.Client(client_id=f"watcher-{random.random()}", protocol=mqtt.MQTTv311)
        if user:
            self.client.username_pw_set(user, user)
        self.client.on_connect = lambda c, *a: c.subscribe([(t, 1) for t in topics])
        self.client.on_subscribe = lambda *a: self.ready.set()
        self.client.on_message = self.on_message
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        assert self.ready.wait(10)

    def on_message(self, client, userdata, message):
        with self.lock:
            self.messages.append((message.topic, message.payload))

    def topics(self):
        with self.lock:
            return [t for t, _ in self.messages]

    def get(self, topic):
        with self.lock:
            found = [p for t, p in self.messages if t == topic]
        return found[-1] if found else None

    def kept(self):
        """Topic → payload, as it is now."""
        with self.lock:
            now = dict(self.messages)
        return {t: p for t, p in now.items() if p}

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()


class SlowLine:
    """A way to a broker that carries so many bytes a second up, and holds nothing back down."""

    def __init__(self, port, rate):
        self.to, self.rate = port, rate
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.socket.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self.carry, args=(near, far, self.rate), daemon=True).start()
            threading.Thread(target=self.carry, args=(far, near, None), daemon=True).start()

    def carry(self, one, other, rate):
        try:
            while data := one.recv(16384):
                other.sendall(data)
                if rate:
                    time.sleep(len(data) / rate)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Scene:
    def __init__(self, brokers=1, threshold=1, more=""):
        self.folder = tempfile.mkdtemp(prefix="aisle-publish-")
        self.brokers = [MemoryBroker(self.folder, f"broker{i}", more) for i in range(brokers)]
        self.hq = Headquarters(self.folder, threshold)
        self.serving = None

    def bundle(self, version=1, bytes_more=0, name="test"):
        """A policy of some chunks: an image that cannot be packed is in it."""
        folder = os.path.join(self.folder, f"policy-{name}-{version}")
        policy.write(folder, policy=policy.changed(policy.POLICY, version=version, name=name))
        if bytes_more:
            os.makedirs(os.path.join(folder, "images"))
            rows = random.Random(version).randbytes(bytes_more)
            for i in range(0, bytes_more, 120000):
                with open(os.path.join(folder, "images", f"{i}.png"), "wb") as f:
                    f.write(png(rows[i:i + 120000]))
        out = os.path.join(self.folder, f"{name}-{version}.bundle")
        self.hq.ctl("bundle", "build", folder, "-o", out)
        return out

    def words(self):
        return [w for b in self.brokers for w in ("--broker", f"mqtt://127.0.0.1:{b.port}")]

    def publish(self, *files, code=0):
        return self.hq.ctl("publish", *files, *self.words(), code=code)

    def serve(self, *words):
        self.log = open(os.path.join(self.folder, "publish.log"), "ab")
        self.serving = subprocess.Popen(AISLECTL + ["publish", *words, "--serve", *self.words()], stdout=self.log, stderr=self.log)
        STARTED.append(self.serving)

    def stop_serving(self):
        self.serving.send_signal(signal.SIGTERM)
        code = self.serving.wait(20)
        self.serving = None
        return code

    def close(self):
        if self.serving:
            self.serving.kill()
            self.serving.wait()
        for broker in self.brokers:
            broker.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def png(body):
    import struct
    import zlib

    def part(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + \
        part(b"IDAT", zlib.compress(b"\0\0\0\0")) + part(b"tEXt", b"c\0" + body) + part(b"IEND", b"")


def unpacked(payload):
    return subprocess.run(["zstd", "-dc"], input=payload, capture_output=True, check=True).stdout


def file_hash(path):
    with open(path, "rb") as f:
        return hashlib.blake2b(f.read(), digest_size=32).hexdigest()


def chunks_of(kept, path):
    """The file, put together from what a broker retains."""
    start = f"aisle/v1/hq/artifact/{file_hash(path)}/"
    found = {int(t[len(start):]): p for t, p in kept.items() if t.startswith(start)}
    return b"".join(unpacked(found[n]) for n in range(len(found))), len(found)


def a_folder(scene):
    """Headquarters' folder, with its root."""
    folder = os.path.join(scene.folder, "hq")
    for name in ("root", "releases", "orders", "artifacts"):
        os.makedirs(os.path.join(folder, name))
    put(scene.hq.root, folder + "/root")
    return folder


def put(path, where):
    """In one step, as it has to be."""
    shutil.copy(path, where + "/.new")
    os.rename(where + "/.new", os.path.join(where, os.path.basename(path)))


def with_scene(**how):
    def wrap(test):
        def run():
            scene = Scene(**how)
            try:
                test(scene)
            finally:
                scene.close()
        run.__name__ = test.__name__
        return run
    return wrap


@with_scene()
def test_a_release_is_on_the_broker_with_its_root_its_chunks_and_its_orders(scene):
    bundle = scene.bundle(bytes_more=600000)
    release, stop = scene.hq.release(1, bundle), scene.hq.order("all", 1, "stop", "--action", "coffee-off")
    watch = Watcher(scene.brokers[0])
    said = scene.publish(scene.hq.root, release, stop, bundle)
    size = os.path.getsize(bundle)
    assert f"{-(-size // CHUNK)} chunks sent, 0 chunks were there" in said, said
    assert "MiB, 0 s left" in scene.hq.said, scene.hq.said
    kept = wait_for("what was published", lambda: RELEASE in watch.kept() and watch.kept())
    data, count = chunks_of(kept, bundle)
    assert count == -(-size // CHUNK) > 8 and hashlib.blake2b(data, digest_size=32).hexdigest() == file_hash(bundle)
    with open(release) as f:
        assert kept[RELEASE].decode() == f.read().rstrip("\n")
    assert len(json.loads(kept[STOP])) == 1 and ROOT in kept
    order = watch.topics()
    assert order.index(ROOT) < order.index(STOP) < order.index(f"aisle/v1/hq/artifact/{file_hash(bundle)}/0")
    assert order.index(f"aisle/v1/hq/artifact/{file_hash(bundle)}/{count - 1}") < order.index(RELEASE), "a store never sees a release whose chunks are not there"
    again = scene.publish(scene.hq.root, release, stop, bundle)
    assert f"0 texts and 0 chunks sent, {count} chunks were there" in again, again
    # Without its file it is enough that the broker has it.
    assert "chunks were there" in scene.publish(scene.hq.root, release)
    watch.close()


@with_scene()
def test_orders_for_several_stores_are_one_file_and_each_store_gets_its_own(scene):
    orders = scene.hq.order("0042,0043", 7, "erase", "--subject", "0" * 32, keys=("e1",))
    watch = Watcher(scene.brokers[0])
    assert "2 orders" in scene.publish(scene.hq.root, orders)
    own = ["aisle/v1/hq/store/0042/order", "aisle/v1/hq/store/0043/order"]
    kept = wait_for("both orders", lambda: set(own) <= set(watch.kept()) and watch.kept())
    assert [len(json.loads(kept[topic])) for topic in own] == [1, 1] and kept[own[0]] != kept[own[1]]
    # One of the list is signed by nobody who may: nothing of it goes out.
    bad = scene.hq.order("0042,0043", 8, "erase", "--subject", "1" * 32, keys=("o1",))
    scene.publish(scene.hq.root, bad, code=77)
    with open(bad, "w") as f:
        f.write("[]")
    assert "0 orders" in scene.publish(scene.hq.root, bad), "an empty list is no order"
    with open(bad, "w") as f:
        f.write("[1]")
    scene.publish(scene.hq.root, bad, code=77)
    # In a folder its numbers count when the next order is made.
    folder = os.path.join(scene.folder, "hq")
    for name in ("root", "orders"):
        os.makedirs(os.path.join(folder, name))
    shutil.copy(scene.hq.root, folder + "/root/1.json")
    shutil.copy(orders, folder + "/orders/erase.json")
    made = scene.hq.ctl("fleet", "stop", "coffee-off", "--store", "0043", "--dir", folder, "--key", scene.hq.path("o1.key"))
    assert made.strip() == folder + "/orders/0043-8.json", made
    watch.close()


@with_scene()
def test_what_no_release_names_any_more_goes_and_what_is_half_there_is_completed(scene):
    one, two = scene.bundle(1, 200000), scene.bundle(2, 200000)
    scene.publish(scene.hq.root, scene.hq.release(1, one), one)
    watch = Watcher(scene.brokers[0])
    half = f"aisle/v1/hq/artifact/{file_hash(two)}/0"
    watch.client.publish(half, b"not ours", qos=1, retain=True).wait_for_publish(10)
    release = scene.hq.release(2, two)
    scene.publish(release, two)
    kept = wait_for("the old bundle's end", lambda: not [t for t in watch.kept() if file_hash(one) in t] and watch.kept())
    assert chunks_of(kept, two)[0] == open(two, "rb").read()
    order = watch.topics()
    last = max(i for i, t in enumerate(order) if t == RELEASE)
    assert all(i > last for i, t in enumerate(order) if file_hash(one) in t and watch.messages[i][1] == b""), "it went before its successor was there"
    # One of its chunks is lost.
    watch.client.publish(f"aisle/v1/hq/artifact/{file_hash(two)}/2", b"", qos=1, retain=True).wait_for_publish(10)
    scene.publish(release, two)
    wait_for("the lost chunk", lambda: f"aisle/v1/hq/artifact/{file_hash(two)}/2" in watch.kept())
    assert chunks_of(watch.kept(), two)[0] == open(two, "rb").read()
    watch.close()


@with_scene(threshold=2)
def test_nothing_goes_out_that_a_store_would_refuse(scene):
    bundle, other = scene.bundle(1), scene.bundle(2)
    good = scene.hq.release(5, bundle, keys=("r1", "r2"))
    cases = {
        "one-key.json: threshold": [scene.hq.release(6, bundle, keys=("r1",), name="one-key.json")],
        "expected a order key": [scene.hq.order("all", 1, "stop", "--action", "x", keys=("r1",))],
        "neither given nor on the broker": [good],
    }
    for why, files in cases.items():
        scene.publish(scene.hq.root, *files, code=77)
        assert why in scene.hq.said, (why, scene.hq.said)
    assert "no root was given" in (scene.publish(good, bundle, code=77), scene.hq.said)[1]
    scene.publish(scene.hq.root, good, bundle)
    watch = Watcher(scene.brokers[0])
    before = wait_for("root, release and chunk", lambda: len(watch.kept()) == 3 and watch.kept())
    scene.publish(scene.hq.root, scene.hq.release(4, other, keys=("r1", "r2")), other, code=77)
    assert "sequence 4 is below 5" in scene.hq.said, scene.hq.said
    scene.publish(scene.hq.root, scene.hq.release(5, other, keys=("r1", "r2"), name="again.json"), other, code=77)
    assert "another release's" in scene.hq.said, scene.hq.said
    scene.hq.ctl("publish", __file__, *scene.words(), code=77)
    assert watch.kept() == before and len(watch.messages) == len(before)
    watch.close()


@with_scene(brokers=2)
def test_one_broker_that_is_away_does_not_keep_the_others_from_having_it(scene):
    bundle = scene.bundle()
    release = scene.hq.release(1, bundle)
    scene.brokers[0].stop(signal.SIGKILL)
    scene.publish(scene.hq.root, release, bundle, code=69)
    watch = Watcher(scene.brokers[1])
    wait_for("the other broker's release", lambda: watch.get(RELEASE))
    watch.close()
    scene.brokers[0].start()
    scene.publish(scene.hq.root, release, bundle)
    watch = Watcher(scene.brokers[0])
    wait_for("the release", lambda: watch.get(RELEASE))
    watch.close()


@with_scene(brokers=2)
def test_a_broker_that_lost_its_memory_is_filled_in_again(scene):
    bundle = scene.bundle(1, 200000)
    release, stop = scene.hq.release(1, bundle), scene.hq.order("ring:early", 1, "stop", "--action", "*")
    scene.serve(scene.hq.root, release, stop, bundle)
    for broker in scene.brokers:
        watch = Watcher(broker)
        wait_for("the release", lambda: watch.get(RELEASE))
        watch.close()
    scene.brokers[0].stop(signal.SIGKILL)
    scene.brokers[0].start()
    watch = Watcher(scene.brokers[0])
    wait_for("the release, again", lambda: watch.get(RELEASE), 20)
    wait_for("its stop", lambda: watch.get(STOP))
    wait_for("its chunks", lambda: chunks_of(watch.kept(), bundle)[0] == open(bundle, "rb").read())
    assert len(json.loads(watch.get(STOP))) == 1
    watch.close()
    assert scene.stop_serving() == 0


@with_scene()
def test_a_store_is_sent_what_it_asks_for_if_a_release_is_for_it(scene):
    bundle = scene.bundle(1, 200000)
    scene.serve(scene.hq.root, scene.hq.release(1, bundle), bundle)
    watch = Watcher(scene.brokers[0])
    wait_for("the release", lambda: watch.get(RELEASE))
    wait_for("who serves", lambda: "serving" in open(scene.log.name).read())
    hash_ = file_hash(bundle)

    def ask(payload, store="0042"):
        watch.client.publish(f"aisle/v1/hq/store/{store}/want", payload, qos=1).wait_for_publish(10)

    for hostile in (b"", b"\xff" * 300, b"[]", json.dumps({"hash": "f" * 64, "from": 0, "count": 1}).encode(),
                    json.dumps({"hash": hash_, "from": 0, "count": 1 << 40}).encode(), json.dumps({"hash": hash_, "from": -1, "count": 1}).encode()):
        ask(hostile)
    for _ in range(200):
        ask(json.dumps({"hash": hash_, "from": 0, "count": 32}), "greedy")
    ask(json.dumps({"hash": hash_, "from": 1, "count": 2}))
    wait_for("both chunks", lambda: all(watch.get(f"aisle/v1/hq/store/0042/chunk/{hash_}/{n}") for n in (1, 2)))
    with open(bundle, "rb") as f:
        data = f.read()
    assert unpacked(watch.get(f"aisle/v1/hq/store/0042/chunk/{hash_}/1")) == data[CHUNK:2 * CHUNK]
    mine = [t for t in watch.topics() if "/0042/chunk/" in t]
    assert len(mine) == 2, mine
    assert len([t for t in watch.topics() if "/greedy/chunk/" in t]) <= 64 + 16 * 10, "a store took more than its share"
    assert scene.stop_serving() == 0
    late = Watcher(scene.brokers[0])
    assert not [t for t in late.topics() if "/chunk/" in t], "an answer is retained"
    late.close()
    watch.close()


@with_scene()
def test_a_stores_own_release_is_its_own_and_its_profiles_are_sent_to_it_alone(scene):
    with open(scene.folder + "/pepper", "w") as f:
        f.write("00112233445566778899aabbccddeeff" * 2 + "\n")
    profiles = policy.profiles(scene.folder, [{"card": "4000123412341234", "attributes": {"tier": "gold"}}], pepper=scene.folder + "/pepper")
    own = scene.hq.release(1, profiles, name="own.json", more=("--stores", "0042"))
    scene.serve(scene.hq.root, own, profiles)
    watch = Watcher(scene.brokers[0])
    wait_for("the store's release", lambda: watch.get("aisle/v1/hq/store/0042/release"))
    wait_for("who serves", lambda: "serving" in open(scene.log.name).read())
    assert not [t for t in watch.kept() if "/artifact/" in t], "what one store gets is retained"
    request = json.dumps({"hash": file_hash(profiles), "from": 0, "count": 1})
    for store in ("0043", "0042"):
        watch.client.publish(f"aisle/v1/hq/store/{store}/want", request, qos=1).wait_for_publish(10)
    wait_for("its chunk", lambda: watch.get(f"aisle/v1/hq/store/0042/chunk/{file_hash(profiles)}/0"))
    assert not [t for t in watch.topics() if "/0043/chunk" in t], "somebody else's profiles"
    assert scene.stop_serving() == 0
    watch.close()


@with_scene()
def test_what_is_new_in_the_folder_is_sent_and_what_is_wrong_in_it_is_left_out(scene):
    folder = a_folder(scene)
    one, two = scene.bundle(1), scene.bundle(2)
    put(one, folder + "/artifacts")
    put(scene.hq.release(1, one), folder + "/releases")
    scene.serve("--dir", folder)
    watch = Watcher(scene.brokers[0])
    wait_for("the release", lambda: watch.get(RELEASE))
    first = watch.get(RELEASE)
    put(scene.hq.release(3, two, keys=(), name="unsigned.json"), folder + "/releases")
    wait_for("the word that it is left out", lambda: "unsigned.json" in open(scene.log.name).read(), 10)
    with open(folder + "/releases/notes.json", "w") as f:
        f.write("no release")
    # Its bundle is not there yet: a stop does not wait for that.
    put(scene.hq.release(2, two), folder + "/releases")
    put(scene.hq.order("all", 1, "stop", "--action", "coffee-off"), folder + "/orders")
    wait_for("the stop", lambda: watch.get(STOP) and len(json.loads(watch.get(STOP))) == 1, 10)
    wait_for("the word that a bundle is missing", lambda: "neither given nor on the broker" in open(scene.log.name).read(), 10)
    assert watch.get(RELEASE) == first and "notes.json" in open(scene.log.name).read()
    # Of another one the broker has a part: that is found out as it is sent, and holds back nothing beside it.
    three, four = scene.bundle(3, 200000), scene.bundle(4)
    watch.client.publish(f"aisle/v1/hq/artifact/{file_hash(three)}/0", b"not ours", qos=1, retain=True).wait_for_publish(10)
    put(four, folder + "/artifacts")
    put(scene.hq.release(1, three, channel="alpha"), folder + "/releases")
    put(scene.hq.release(1, four, channel="beta"), folder + "/releases")
    wait_for("the channel beside it", lambda: watch.get("aisle/v1/hq/release/beta"), 10)
    assert not watch.get("aisle/v1/hq/release/alpha")
    put(two, folder + "/artifacts")
    put(three, folder + "/artifacts")
    wait_for("the second release", lambda: watch.get(RELEASE) != first, 10)
    wait_for("the first bundle's end", lambda: not [t for t in watch.kept() if file_hash(one) in t], 10)
    assert scene.stop_serving() == 0
    watch.close()


@with_scene()
def test_what_a_folder_has_wrong_is_named_and_counted_and_the_rest_of_it_is_sent(scene):
    folder, bundle, watch = a_folder(scene), scene.bundle(), Watcher(scene.brokers[0])
    put(scene.hq.order("all", 1, "stop", "--action", "coffee-off"), folder + "/orders")
    assert "left out" not in scene.publish("--dir", folder)
    with open(folder + "/artifacts/half.bundle", "wb") as f:
        f.write(open(bundle, "rb").read()[:4096])
    for n in range(8):      # the first by name counts, whichever a folder lists first
        put(scene.hq.order("all", 1, "stop", "--action", "tea-off", name=f"same-number-{n}.json"), folder + "/orders")
    put(scene.hq.order("all", 2, "stop", "--action", "*"), folder + "/orders")
    said = scene.publish("--dir", folder, code=77)
    assert "; 9 left out" in said, said
    for word in ("half.bundle", "same-number-7.json: sequence 1 for all is another order's", "9 left out, the first: "):
        assert word in scene.hq.said, (word, scene.hq.said)
    wait_for("both stops", lambda: len(json.loads(watch.get(STOP))) == 2)
    with open(folder + "/orders/order-all-1.json") as f:
        assert json.load(f) == json.loads(watch.get(STOP))[0]
    watch.close()


@with_scene()
def test_a_stop_waits_for_no_bundle_that_is_under_way(scene):
    folder = a_folder(scene)
    bundle, watch = scene.bundle(1, 6000000), Watcher(scene.brokers[0])
    put(bundle, folder + "/artifacts")
    put(scene.hq.release(1, bundle), folder + "/releases")
    line = SlowLine(scene.brokers[0].port, 500000)
    scene.log = open(os.path.join(scene.folder, "publish.log"), "ab")
    scene.serving = subprocess.Popen(AISLECTL + ["publish", "--dir", folder, "--serve", "--broker", f"mqtt://127.0.0.1:{line.port}"],
                                     stdout=scene.log, stderr=scene.log)
    STARTED.append(scene.serving)
    first = f"aisle/v1/hq/artifact/{file_hash(bundle)}/0"
    wait_for("the first chunk", lambda: watch.get(first), 20)
    put(scene.hq.order("all", 1, "stop", "--action", "*"), folder + "/orders")
    wait_for("the stop", lambda: watch.get(STOP) and len(json.loads(watch.get(STOP))) == 1, 9)
    assert not watch.get(RELEASE)
    wait_for("the release", lambda: watch.get(RELEASE), 40)
    assert chunks_of(watch.kept(), bundle)[0] == open(bundle, "rb").read()
    # In the middle of another one it leaves when it is told to.
    other = scene.bundle(2, 6000000)
    put(other, folder + "/artifacts")
    put(scene.hq.release(2, other), folder + "/releases")
    wait_for("the other's first chunk", lambda: watch.get(f"aisle/v1/hq/artifact/{file_hash(other)}/0"), 20)
    began = time.monotonic()
    assert scene.stop_serving() == 0 and time.monotonic() - began < 8
    line.close()
    watch.close()


@with_scene(brokers=2)
def test_one_that_is_killed_knows_at_its_next_start_what_came_in_between_and_no_process_is_left(scene):
    folder = a_folder(scene)
    scene.serve("--dir", folder)
    watch = [Watcher(broker) for broker in scene.brokers]
    for one in watch:
        wait_for("the root", lambda: one.get(ROOT))
    wait_for("both that serve", lambda: open(scene.log.name).read().count("serving") == 2)
    for child in children(scene.serving.pid):
        os.kill(child, signal.SIGKILL)
    put(scene.hq.order("all", 1, "stop", "--action", "coffee-off"), folder + "/orders")
    for one in watch:
        wait_for("the stop", lambda: one.get(STOP) and len(json.loads(one.get(STOP))) == 1, 15)
    left = children(scene.serving.pid)
    assert len(left) == 2, left
    scene.serving.kill()
    scene.serving.wait()
    wait_for("everybody's end", lambda: not [pid for pid in left if os.path.exists(f"/proc/{pid}")], 10)
    for one in watch:
        one.close()


def test_a_broker_that_throws_away_what_it_acknowledges_is_found_out():
    folder = tempfile.mkdtemp(prefix="aisle-acl-")
    with open(folder + "/acl", "w") as f:
        f.write("topic readwrite aisle/v1/hq/root/+\ntopic read aisle/v1/hq/#\n")
    scene = Scene(more=f"acl_file {folder}/acl\n")
    try:
        bundle = scene.bundle()
        scene.publish(scene.hq.root, scene.hq.release(1, bundle), bundle, code=77)
        assert "does not keep" in scene.hq.said, scene.hq.said
    finally:
        scene.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main([v for k, v in list(globals().items()) if k.startswith("test_")])
