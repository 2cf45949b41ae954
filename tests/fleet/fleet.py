#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fleet.py STORES brokers|nats [--no-kills] [--seconds T] - a fleet through a whole headquarters into PostgreSQL.

Every store sends 256 records and fetches a release of 1 MB, over real sessions, with real signatures and files. In the middle
an endpoint node, a collector and PostgreSQL are killed with -9, and come back some seconds later. In the end every record is in the
database once, every store is on the release, and a stop has reached all of them.
"""
import argparse
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "scenario"), os.path.join(HERE, "..", "hq")]
import policy  # noqa: E402
from collecting import Collector  # noqa: E402
from engines import SECRETS, Brokers, Nats, Postgres  # noqa: E402
from headquarters import Headquarters  # noqa: E402
from store import AISLECTL, BUILD, STARTED, wait_for  # noqa: E402

RECORDS, BYTES, MIB = 256, 100, 1 << 20


def png(body):
    """A picture that cannot be packed."""
    def part(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + \
        part(b"IDAT", zlib.compress(b"\0\0\0\0")) + part(b"tEXt", b"c\0" + body) + part(b"IEND", b"")


def processes(pid):
    found = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as f:
            for child in f.read().split():
                try:
                    found += processes(int(child))
                except OSError:
                    pass
    return found


def load(pids):
    """MiB that lie in memory, and seconds of processor time."""
    memory = seconds = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                memory += int(re.search(r"^Pss: +(\d+)", f.read(), re.M).group(1)) / 1024
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(") ", 1)[1].split()
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            pass
    return memory, seconds


class Run:
    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix="aisle-fleet-")
        self.stores = [f"{n:04d}" for n in range(1, options.stores + 1)]
        self.state = {"acked": 0, "released": 0, "stopped": 0}
        self.at = {}
        self.lines = []

    def headquarters(self):
        self.hq = Headquarters(self.folder)
        self.dir = os.path.join(self.folder, "publish")
        for name in ("root", "releases", "orders", "artifacts"):
            os.makedirs(os.path.join(self.dir, name))
        source = os.path.join(self.folder, "policy")
        policy.write(source, policy=policy.changed(policy.POLICY, version=7, name="fleet"))
        os.makedirs(os.path.join(source, "images"))
        for n in range(8):
            with open(os.path.join(source, "images", f"{n}.png"), "wb") as f:
                f.write(png(random.Random(n).randbytes(MIB // 8 - 2500)))
        bundle = os.path.join(self.dir, "artifacts", "fleet.bundle")
        self.hq.ctl("bundle", "build", source, "-o", bundle)
        self.bundle_bytes = os.path.getsize(bundle)
        jitter = max(1, len(self.stores) // 100)
        release = self.hq.release(1, bundle, more=("--jitter", str(jitter)))
        shutil.copy(self.hq.root, os.path.join(self.dir, "root"))
        shutil.copy(release, os.path.join(self.dir, "releases"))

    def endpoint(self):
        if self.options.form == "brokers":
            self.engine = Brokers(self.folder, self.stores, 3)
            self.urls, self.ports = self.engine.urls(), self.engine.ports
        else:
            self.engine = Nats(self.folder, self.stores)
            self.urls, self.ports = [self.engine.url()], [p[1] for p in self.engine.ports]

    def collector(self):
        return Collector(self.postgres.into, self.urls, *self.engine.login(), folder=self.folder)

    def publisher(self):
        secret = os.path.join(self.folder, "publisher.pw")
        with open(secret, "w") as f:
            f.write(SECRETS["publisher"])
        log = open(os.path.join(self.folder, "publish.log"), "ab")
        brokers = [w for port in self.ports for w in ("--broker", f"mqtt://127.0.0.1:{port}")]
        self.publish = subprocess.Popen(AISLECTL + ["publish", "--dir", self.dir, "--serve", "--rate", "65536", *brokers, "--user", "publisher",
                                                    "--password-file", secret], stdout=log, stderr=log)
        STARTED.append(self.publish)

    def fleet(self):
        words = [os.path.join(BUILD, "fleet"), str(len(self.stores)), str(RECORDS), str(BYTES), "30", str(self.options.seconds), self.hq.root,
                 os.path.join(self.folder, "stores"), "s-secret", *(f"127.0.0.1:{port}" for port in self.ports)]
        self.errors = open(os.path.join(self.folder, "fleet.err"), "w+")
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        STARTED.append(self.process)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if line.startswith("all "):
                _, what, at = line.split()
                self.at[what] = int(at) / 1000
            else:
                self.state = {k: int(v) for k, v in (word.split("=") for word in line.split())}
                print(f"  {time.time() - self.began:5.1f} s  {line.strip()}", flush=True)

    def reach(self, what, share):
        def there():
            assert self.process.poll() is None, self.tail()
            return self.state[what] >= share * len(self.stores)
        wait_for(f"{share:.0%} {what}", there, self.options.seconds)

    def tail(self):
        self.errors.flush()
        with open(self.errors.name) as f:
            return "\n".join(self.lines[-5:]) + "\n" + f.read()[-2000:]

    def say(self, text):
        print(f"  {time.time() - self.began:5.1f} s  {text}", flush=True)

    def kills(self):
        self.reach("acked", 0.1)
        self.say("kill -9: an endpoint node")
        self.engine.stop(0)
        self.reach("acked", 0.25)
        self.say("kill -9: a collector")
        self.collectors[0].stop(signal.SIGKILL)
        self.reach("acked", 0.4)
        self.say("kill -9: PostgreSQL")
        self.postgres.stop(signal.SIGKILL)
        time.sleep(2)
        self.postgres.start()
        self.collectors[0] = self.collector()
        self.engine.start(0)
        self.say("all three are started again")

    def stop_all(self):
        order = self.hq.order("all", 1, "stop", "--action", "*")
        self.stopped_from = time.time()
        os.rename(order, os.path.join(self.dir, "orders", "stop.json"))

    def figures(self):
        engines = [p.pid for p in self.engine.processes if p is not None]
        for name, pids in (("endpoint", engines), ("collectors", [c.process.pid for c in self.collectors]), ("publish", processes(self.publish.pid)),
                           ("PostgreSQL", processes(self.postgres.process.pid)), ("the fleet itself", [self.process.pid])):
            memory, seconds = load(pids)
            print(f"  {name}: {memory:.0f} MiB, {seconds:.1f} s of processor time since its last start")
        size = int(self.postgres.value("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname ~ '^record'"))
        print(f"  a record in PostgreSQL: {size / RECORDS / len(self.stores):.0f} bytes with its index; the bundle: {self.bundle_bytes} bytes")

    def check(self):
        rows, keys = self.postgres.sql("SELECT count(*), count(DISTINCT (store, epoch, lane, seq)) FROM record")[0]
        wanted = RECORDS * len(self.stores)
        assert int(rows) == int(keys) == wanted, f"{rows} rows, {keys} different, expected {wanted}"
        assert self.state["refused"] == 0, self.tail()
        began, stop = self.began, self.stopped_from
        print(f"  every one of {wanted} records once after {self.at['acked'] - began:.1f} s; all {len(self.stores)} stores on the release after "
              f"{self.at['released'] - began:.1f} s; a stop at all of them after {self.at['stopped'] - stop:.1f} s")

    def go(self):
        self.headquarters()
        self.endpoint()
        self.postgres = Postgres()
        self.collectors = [self.collector(), self.collector()]
        for collector in self.collectors:
            collector.ready()
        self.publisher()
        self.began = time.time()
        self.fleet()
        if self.options.kills:
            self.kills()
        wait_for("every record and release", lambda: self.process.poll() is not None or {"acked", "released"} <= self.at.keys(), self.options.seconds)
        self.figures()
        self.stop_all()
        code = self.process.wait(self.options.seconds)
        assert code == 0, self.tail()
        wait_for("the last line", lambda: "stopped" in self.at)
        self.check()

    def close(self):
        for process in [getattr(self, "publish", None), getattr(self, "process", None), *(c.process for c in getattr(self, "collectors", ()))]:
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(20)
        for part in ("engine", "postgres"):
            if hasattr(self, part):
                getattr(self, part).close()
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("stores", type=int)
    parser.add_argument("form", choices=("brokers", "nats"))
    parser.add_argument("--no-kills", dest="kills", action="store_false")
    parser.add_argument("--seconds", type=int, default=240)
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    run = Run(options)
    started = time.time()
    try:
        run.go()
        print(f"1 passed, 0 failed ({time.time() - started:.0f} s in all)")
    finally:
        run.close()


main()
