# SPDX-License-Identifier: Apache-2.0
"""The engines of a large headquarters, each started here: PostgreSQL, and a NATS cluster."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile

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
        self.process = subprocess.Popen(
            [*other_user(), f"{PG_BIN}/postgres", "-D", self.data, "-k", self.folder, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
             "-c", "max_locks_per_transaction=256"], stdout=self.log, stderr=self.log, cwd=self.folder)
        STARTED.append(self.process)
        wait_for("PostgreSQL", lambda: subprocess.run([f"{PG_BIN}/pg_isready", "-q", "-h", self.folder, "-p", str(self.port)]).returncode == 0, 30)

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
