# SPDX-License-Identifier: Apache-2.0
"""The engines of a large headquarters, each started here: PostgreSQL, and a NATS cluster."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
from store import STARTED, Broker, free_port, wait_for  # noqa: E402,F401

PG_BIN = "/usr/lib/postgresql/15/bin"


def other_user():
    """PostgreSQL does not run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


class Postgres:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="aisle-pg-")
        self.port = free_port()
        self.data = os.path.join(self.folder, "data")
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        subprocess.run([*other_user(), f"{PG_BIN}/initdb", "-D", self.data, "-U", "aisle", "-A", "trust", "-E", "UTF8",
                        "--locale=C.UTF-8", "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
        self.process = None
        self.start()
        self.into = f"postgres:host={self.folder} port={self.port} user=aisle dbname=postgres"

    def start(self):
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.launch()
        wait_for("PostgreSQL", self.ready, 90)

    def launch(self):
        self.process = subprocess.Popen(
            [*other_user(), f"{PG_BIN}/postgres", "-D", self.data, "-k", self.folder, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
             "-c", "max_locks_per_transaction=256"], stdout=self.log, stderr=self.log, cwd=self.folder)
        STARTED.append(self.process)

    def ready(self):
        # While a process of the one that was killed still lives it refuses to start: as a service manager does, again.
        if self.process.poll() is not None:
            time.sleep(0.2)
            self.launch()
        return subprocess.run([f"{PG_BIN}/pg_isready", "-q", "-h", self.folder, "-p", str(self.port)]).returncode == 0

    def sql(self, text):
        done = subprocess.run([f"{PG_BIN}/psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port), "-U", "aisle",
                               "postgres"], input=text, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [tuple(line.split("|")) for line in done.stdout.splitlines()]

    def value(self, text):
        return self.sql(text)[0][0]

    def stop(self, sig=signal.SIGINT):
        """SIGKILL: all of its processes, as a cut of the power does it."""
        if self.process is None:
            return
        if sig == signal.SIGKILL:
            # The others leave when the first is gone; the next start waits for them.
            self.process.kill()
        else:
            self.process.send_signal(sig)
        self.process.wait(30)
        self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SECRETS = {"collector": "c-secret", "publisher": "p-secret"}


def shipped(*path):
    with open(os.path.join(ROOT, "firmware-config", "hq", *path)) as f:
        return f.read()


class Nats:
    """firmware-config/hq/nats: three nodes on loopback, without TLS; each store is a user."""

    def __init__(self, folder, stores=(), mapped=True):
        self.folder = folder
        self.ports = [[free_port() for _ in range(3)] for _ in range(3)]
        self.processes = [None] * 3
        self.secret = os.path.join(folder, "collector.pw")
        with open(self.secret, "w") as f:
            f.write(SECRETS["collector"])
        for node in range(3):
            self.configure(node, stores, mapped)
            self.start(node)
        for node in range(3):
            self.await_node(node)

    def configure(self, node, stores, mapped):
        home = os.path.join(self.folder, f"nats{node + 1}")
        os.makedirs(home, exist_ok=True)
        client, mqtt, cluster = self.ports[node]
        text = re.sub(r"^ *tls \{[^}]*\}\n", "", shipped("nats", "nats-server.conf"), flags=re.M)
        for old, new in (("hq1   ", f"hq{node + 1}   "), ("0.0.0.0:4222", f"127.0.0.1:{client}"), ("0.0.0.0:8883", f"127.0.0.1:{mqtt}"),
                         ("0.0.0.0:6222", f"127.0.0.1:{cluster}"), ("/var/lib/nats", f"{home}/js")):
            assert old in text, old
            text = text.replace(old, new)
        if not mapped:
            text = re.sub(r"^mappings \{[^}]*\}\}[^}]*\}\}[^}]*\}\}[^}]*\}\n", "", text, flags=re.M)
            assert "mappings" not in text
        text = re.sub(r"routes: .*", "routes: [ " + ", ".join(f'"nats://127.0.0.1:{p[2]}"' for p in self.ports) + " ]", text)
        users = shipped("nats", "users.conf")
        line = re.search(r"^#     (\{ user: \"0042\".*?\} \})$", users, flags=re.M | re.S).group(1).replace("\n#", "\n")
        line = re.sub(r'"\$2y[^"]*"', '"s-secret"', line)
        if not mapped:
            line = line.replace("up.*.store.", "aisle.v1.hq.store.")
        for name, secret in SECRETS.items():
            users = users.replace(f"PASSWORD-OF-{name.upper()}", secret)
        users = users.replace("# STORES", "\n".join(line.replace("0042", store) for store in stores))
        for name, content in (("nats-server.conf", text), ("users.conf", users)):
            with open(os.path.join(home, name), "w") as f:
                f.write(content)

    def start(self, node):
        home = os.path.join(self.folder, f"nats{node + 1}")
        log = open(os.path.join(home, "log"), "ab")
        self.processes[node] = subprocess.Popen(["nats-server", "-c", os.path.join(home, "nats-server.conf")], stdout=log, stderr=log, cwd=home)
        STARTED.append(self.processes[node])

    def await_node(self, node):
        def answers():
            home = os.path.join(self.folder, f"nats{node + 1}", "log")
            assert self.processes[node].poll() is None, open(home).read()
            try:
                for port in self.ports[node][:2]:
                    socket.create_connection(("127.0.0.1", port), 0.2).close()
                return True
            except OSError:
                return False
        wait_for("a NATS node", answers, 20)

    def url(self):
        return "nats://" + ",".join(f"127.0.0.1:{p[0]}" for p in self.ports)

    def login(self):
        return ["--user", "collector", "--password-file", self.secret]

    def stop(self, node, sig=signal.SIGKILL):
        if self.processes[node] is not None:
            self.processes[node].send_signal(sig)
            self.processes[node].wait(20)
            self.processes[node] = None

    def close(self):
        for node in range(3):
            self.stop(node)


class Brokers:
    """firmware-config/hq/brokers: some mosquittos on loopback, without TLS; each store is a user."""

    def __init__(self, folder, stores=(), count=2):
        self.folder = folder
        self.secret = os.path.join(folder, "collector.pw")
        with open(self.secret, "w") as f:
            f.write(SECRETS["collector"])
        passwords = os.path.join(folder, "passwords")
        with open(passwords, "w") as f:
            f.writelines(f"{user}:{secret}\n" for user, secret in [*SECRETS.items(), *((store, "s-secret") for store in stores)])
        subprocess.run(["mosquitto_passwd", "-U", passwords], check=True)
        with open(os.path.join(folder, "aclfile"), "w") as f:
            f.write(shipped("brokers", "aclfile"))
        os.chmod(passwords, 0o600)
        self.ports = [free_port() for _ in range(count)]
        self.processes = [None] * count
        for node, port in enumerate(self.ports):
            text = re.sub(r"^(listener|cafile|certfile|keyfile|tls_version) .*\n", "", shipped("brokers", "mosquitto.conf"), flags=re.M)
            text = text.replace("/etc/aisle-hq", folder).replace("per_listener_settings false\n", f"per_listener_settings false\nlistener {port} 127.0.0.1\n")
            with open(self.conf(node), "w") as f:
                f.write(text + ("user root\n" if os.geteuid() == 0 else ""))
            self.start(node)

    def conf(self, node):
        return os.path.join(self.folder, f"hq{node + 1}.conf")

    def start(self, node):
        log = open(os.path.join(self.folder, f"hq{node + 1}.log"), "ab")
        self.processes[node] = subprocess.Popen([shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", self.conf(node)], stdout=log, stderr=log)
        STARTED.append(self.processes[node])

        def answers():
            try:
                socket.create_connection(("127.0.0.1", self.ports[node]), 0.2).close()
                return True
            except OSError:
                return False
        wait_for("a broker", answers)

    def urls(self):
        return [f"mqtt://127.0.0.1:{port}" for port in self.ports]

    def login(self):
        return ["--user", "collector", "--password-file", self.secret]

    def stop(self, node, sig=signal.SIGKILL):
        if self.processes[node] is not None:
            self.processes[node].send_signal(sig)
            self.processes[node].wait(20)
            self.processes[node] = None

    def close(self):
        for node in range(len(self.processes)):
            self.stop(node)
