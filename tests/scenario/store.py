# SPDX-License-Identifier: Apache-2.0
"""A store in a temporary folder: a real broker, a real aisled, real sockets.

Everything here knows only the published contract: topics, HTTP paths, the
configuration file and the command line.
"""
import atexit
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone

import paho.mqtt.client as mqtt

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
RUN = os.environ.get("RUN", "").split()
AISLED = RUN + [os.path.join(BUILD, "aisled")]
AISLECTL = RUN + [os.path.join(BUILD, "aislectl")]


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, condition, seconds=10.0, poll=0.01):
    """Polls until condition() is true; the name of what was missing is in the error."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(poll)
    raise AssertionError(f"waited {seconds} s for {what}")


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid):
    """Those that live: one that has answered is buried a moment later."""
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(word) for word in f.read().split() if lives(word)]


STARTED = []


@atexit.register
def leave_nothing_running():
    """What a test that failed half way had started."""
    for process in STARTED:
        if process.poll() is None:
            process.kill()


class Broker:
    def __init__(self, folder, name="broker"):
        self.port = free_port()
        self.folder = folder
        self.conf = os.path.join(folder, f"{name}.conf")
        self.log = open(os.path.join(folder, f"{name}.log"), "ab")
        with open(self.conf, "w") as f:
            f.write(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
                    f"persistence_location {folder}/\npersistence_file {name}.db\nautosave_interval 1\n"
                    "autosave_on_changes true\nmax_inflight_messages 256\nmax_queued_messages 0\n"
                    "message_size_limit 131072\nset_tcp_nodelay true\n")
        self.process = None
        self.start()

    def start(self):
        # mosquitto gives up root for a user that cannot write our folder: stay who we are.
        extra = ["-v"] if os.environ.get("VERBOSE") else []
        if os.geteuid() == 0 and "user root" not in open(self.conf).read():
            with open(self.conf, "a") as f:
                f.write("user root\n")
        binary = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = subprocess.Popen([binary, "-c", self.conf] + extra, stdout=self.log, stderr=self.log)
        STARTED.append(self.process)
        wait_for("the broker", self.answers)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            return True
        except OSError:
            return False

    def stop(self, sig=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(sig)
            self.process.wait()
            self.process = None


SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "firmware-config", "mosquitto.conf")


class ShippedBroker(Broker):
    """firmware-config/mosquitto.conf, but for who may come in and where its files lie."""

    def __init__(self, folder, name="broker"):
        self.port = free_port()
        self.folder = folder
        self.conf = os.path.join(folder, f"{name}.conf")
        self.log = open(os.path.join(folder, f"{name}.log"), "ab")
        with open(SHIPPED) as f:
            text = re.sub(r"^(pid_file|password_file|acl_file|listener) .*\n", "", f.read(), flags=re.M)
        text = text.replace("allow_anonymous false", "allow_anonymous true")
        text = re.sub(r"^persistence_location .*", f"persistence_location {folder}/", text, flags=re.M)
        with open(self.conf, "w") as f:
            f.write(f"listener {self.port} 127.0.0.1\nlistener 0 {folder}/mqtt.sock\n" + text)
        self.process = None
        self.start()


class Client:
    """A till, a tablet or a watcher on a broker; keeps every message it was sent."""

    def __init__(self, port, topics=(), client_id="", clean=True):
        self.messages = []
        self.lock = threading.Lock()
        self.client = mqtt.Client(client_id=client_id, clean_session=clean, protocol=mqtt.MQTTv311)
        self.topics = topics
        self.ready = threading.Event()
        self.client.on_connect = self.on_connect
        self.client.on_subscribe = lambda *a: self.ready.set()
        self.client.on_message = self.on_message
        self.client.connect("127.0.0.1", port)
        self.client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client.loop_start()
        assert self.ready.wait(10), "no subscription"

    def on_connect(self, client, userdata, flags, rc):
        if self.topics:
            client.subscribe([(t, 1) for t in self.topics])
        else:
            self.ready.set()

    def on_message(self, client, userdata, message):
        with self.lock:
            self.messages.append((message.topic, message.payload, time.monotonic()))

    def publish(self, topic, payload, wait=True):
        if not isinstance(payload, (bytes, str)):
            payload = json.dumps(payload)
        info = self.client.publish(topic, payload, qos=1)
        if wait:
            info.wait_for_publish(10)

    def on(self, suffix):
        with self.lock:
            return [json.loads(p) for t, p, _ in self.messages if t.endswith(suffix)]

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()


class Store:
    def __init__(self, store="0042", config="", hq_port=None, folder=None, zone="UTC", currency="EUR",
                 http="127.0.0.1:0", hq_folder=False, broker=Broker):
        self.folder = folder or tempfile.mkdtemp(prefix="aisle-")
        self.id = store
        self.root = f"aisle/v1/{store}"
        self.broker = broker(self.folder)
        self.hq = Broker(self.folder, "hq") if hq_folder else None
        if self.hq:
            hq_port = self.hq.port
        self.serial = 0
        self.process = None
        self.pepper = os.path.join(self.folder, "pepper")
        if not os.path.exists(self.pepper):
            with open(self.pepper, "w") as f:
                f.write("00112233445566778899aabbccddeeff" * 2 + "\n")
        self.conf = os.path.join(self.folder, "aisled.conf")
        with open(self.conf, "w") as f:
            f.write(f"[store]\nid = {store}\nzone = {zone}\ncurrency = {currency}\n"
                    f"[mqtt]\nport = {self.broker.port}\n"
                    + (f"[hq]\nhost = 127.0.0.1\nport = {hq_port}\n" if hq_port else "")
                    + f"[http]\nlisten = {http}\n"
                    f"[state]\ndir = {self.folder}/state\ncontrol = {self.folder}/control.sock\n"
                    f"[privacy]\npepper_file = {self.pepper}\n" + config)
        self.log = open(os.path.join(self.folder, "aisled.log"), "ab")
        self.session = None
        self.stations = {}

    # ---- the daemon ----

    def boot(self):
        self.process = subprocess.Popen(AISLED + ["--config", self.conf], stdout=self.log, stderr=self.log)
        STARTED.append(self.process)

    def start(self):
        self.boot()
        wait_for("aisled to answer", lambda: self.alive() and self.status(check=False), 20)
        wait_for("the broker to be connected", lambda: self.status()["mqtt"]["connected"], 20)

    def alive(self):
        assert self.process.poll() is None, f"aisled left with {self.process.returncode}: {self.log_text()[-3000:]}"
        return True

    def stop(self, sig=signal.SIGTERM):
        if self.process is None:
            return None
        self.process.send_signal(sig)
        code = self.process.wait(20)
        self.process = None
        return code

    def close(self):
        self.stop()
        self.broker.stop(signal.SIGKILL)
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def log_text(self):
        with open(os.path.join(self.folder, "aisled.log"), errors="replace") as f:
            return f.read()

    def ctl(self, *words, stdin=None, code=0):
        done = subprocess.run(AISLECTL + ["--config", self.conf, *words], input=stdin, capture_output=True, text=True)
        assert code is None or done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        self.said = done.stderr
        return done.stdout

    def status(self, check=True):
        done = subprocess.run(AISLECTL + ["--config", self.conf, "status", "--json"], capture_output=True, text=True)
        if done.returncode != 0:
            assert not check, done.stderr
            return None
        return json.loads(done.stdout)

    # ---- what tills and readers say ----

    def event(self, kind, data, source=None, terminal="7", **extra):
        self.serial += 1
        return {"specversion": "1.0", "id": f"e-{self.serial}", "source": source or f"/store/{self.id}/pos/{terminal}",
                "type": f"aisle.{kind}", "time": now(), "datacontenttype": "application/json", "data": data, **extra}

    def till(self, client, kind, data, terminal="7", **extra):
        event = self.event(kind, data, terminal=terminal, **extra)
        client.publish(f"{self.root}/pos/{terminal}/event", event)
        return event

    def reader(self, client, kind, data, reader="r7", **extra):
        event = self.event(kind, data, source=f"/store/{self.id}/loyalty/{reader}", **extra)
        client.publish(f"{self.root}/loyalty/{reader}/event", event)
        return event

    def item(self, basket, line, category, amount, qty=1, **more):
        return {"basket": basket, "line": line, "sku": f"sku-{category.replace('/', '-')}", "category": category,
                "qty": qty, "amount": amount, "currency": "EUR", **more}

    # ---- HTTP ----

    def http(self, method, path, body=None, token=None, headers=None):
        host = self.status()["http"][0]
        connection = http.client.HTTPConnection(host, timeout=10)
        heads = {"Content-Type": "application/json"} if body is not None else {}
        if token:
            heads["Authorization"] = f"Bearer {token}"
        heads.update(headers or {})
        connection.request(method, path, None if body is None else json.dumps(body), heads)
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        try:
            return answer.status, json.loads(raw)
        except ValueError:
            return answer.status, raw

    def pair(self, name="t1", stations=None):
        words = ["tablet", "pair", "--json"] + (["--stations", stations] if stations else [])
        code = json.loads(self.ctl(*words))["code"]
        status, answer = self.http("POST", "/v1/pair", {"code": code, "name": name})
        assert status == 200, (status, answer)
        return answer["token"]

    def sign_in(self, manager, pin):
        """The header of a manager's session."""
        connection = http.client.HTTPConnection(self.status()["http"][0], timeout=10)
        connection.request("POST", "/v1/manager/session", json.dumps({"manager": manager, "pin": pin}))
        answer = connection.getresponse()
        assert answer.status == 200, (answer.status, answer.read())
        cookie = answer.getheader("Set-Cookie").split(";")[0]
        connection.close()
        return {"Cookie": cookie}

    def stream(self, station, token, last=None):
        return Stream(self, station, token, last)


def shipped_store(config="", **more):
    """With the broker as it is shipped, and over its socket."""
    store = Store(config=config, broker=ShippedBroker, **more)
    with open(store.conf) as f:
        text = f.read()
    with open(store.conf, "w") as f:
        f.write(text.replace(f"[mqtt]\nport = {store.broker.port}", f"[mqtt]\nsocket = {store.folder}/mqtt.sock"))
    return store


class Stream:
    """A tablet's server-sent events."""

    def __init__(self, store, station, token, last=None):
        host = store.status()["http"][0]
        self.connection = http.client.HTTPConnection(host, timeout=60)
        heads = {"Authorization": f"Bearer {token}"}
        if last is not None:
            heads["Last-Event-ID"] = str(last)
        self.connection.request("GET", f"/v1/stations/{station}/stream", headers=heads)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        self.events = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        event = {}
        try:
            for raw in self.answer:
                line = raw.decode().rstrip("\n").rstrip("\r")
                if line == "":
                    if "data" in event:
                        self.events.append((event.get("event"), event.get("id"), json.loads(event["data"])))
                    event = {}
                elif not line.startswith(":"):
                    name, _, value = line.partition(":")
                    event[name] = value.lstrip(" ")
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            pass

    def of(self, kind):
        return [d for k, _, d in list(self.events) if k == kind]

    def close(self):
        try:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            pass
        self.connection.close()


def main(tests):
    """Runs each test function, prints a line each and the plain sum."""
    only = sys.argv[1:]
    passed = failed = 0
    for test in tests:
        if only and test.__name__ not in only:
            continue
        start = time.monotonic()
        try:
            test()
            passed += 1
            print(f"ok      {test.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
        except BaseException as error:  # noqa: a test that dies is a failed one
            import traceback
            failed += 1
            print(f"FAILED  {test.__name__}: {error}", flush=True)
            traceback.print_exc(file=sys.stdout)
            if isinstance(error, KeyboardInterrupt):
                break
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)
