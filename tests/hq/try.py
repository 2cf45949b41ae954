#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""try.py brokers|nats FOLDER - headquarters as it is shipped, on loopback and without TLS, until Ctrl-C; says how to reach it."""
import os
import shutil
import signal
import sys

from engines import Brokers, Nats

form, folder = sys.argv[1], os.path.abspath(sys.argv[2])
stores = [f"{n:04d}" for n in range(1, 26)]
shutil.rmtree(folder, ignore_errors=True)
os.makedirs(folder)
engine = Brokers(folder, stores, 3) if form == "brokers" else Nats(folder, stores)
urls = engine.urls() if form == "brokers" else [engine.url()]
ports = engine.ports if form == "brokers" else [p[1] for p in engine.ports]
print(f"stores 0001 to 0025 (password s-secret) at 127.0.0.1, ports {' '.join(map(str, ports))}; what it is made of: {folder}")
print(f"    aislectl collect --into sqlite:{folder}/records.db {' '.join('--broker ' + u for u in urls)} {' '.join(engine.login())}")
print("until Ctrl-C", flush=True)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: None)
try:
    signal.pause()
finally:
    engine.close()
