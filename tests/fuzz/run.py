# SPDX-License-Identifier: Apache-2.0
"""Every fuzz target for SECONDS, JOBS side by side: make fuzz.

    SECONDS=60   of each target; 0: only what is in tests/fuzz/corpus, each once (make check-ci)
    JOBS=2       at once
    ONLY=...     of these targets: json uplink
    FUZZ=DIR     the programs; what they find that is new lies beside them, DIR/../new/TARGET, and is begun with next time

A line for each: runs, runs a second of processor time, points of the program that only new inputs reached, the most
memory, findings. A finding is a crash, a broken promise (CHECK), a look past an end, undefined behaviour, memory that
nobody frees, 25 seconds for one input, or more than 1 GiB. Its input is kept, DIR/../findings; each becomes a
regression test when it is mended. Whatever is found, or a target that cannot run, makes the end non-zero.
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FUZZ = os.environ.get("FUZZ") or "build/fuzz/bin"
SECONDS = int(os.environ.get("SECONDS") or 60)
JOBS = int(os.environ.get("JOBS") or os.cpu_count())
# Its own weighing of inputs (entropic) took half of the time of the targets that reach many points.
OPTIONS = ["-timeout=25", "-rss_limit_mb=1024", "-print_final_stats=1", "-entropic=0"]
# What was freed is held back a little, so that a look at it is found, but not 256 MiB of it; short stacks.
SANITIZERS = {"ASAN_OPTIONS": "quarantine_size_mb=8:malloc_context_size=8",
              "LSAN_OPTIONS": "print_suppressions=0:suppressions=" + os.path.abspath(os.path.join(TOP, "tests/fuzz/leaks.txt")),
              "UBSAN_OPTIONS": "print_stacktrace=1"}

# A disk would be waited for.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def number(name, text):
    """The last that the text says of it; 0: nothing."""
    found = re.findall(name + r": +(\d+)", text)
    return int(found[-1]) if found else 0


def run(target):
    new = os.path.join(FUZZ, "..", "new", target)
    findings = os.path.join(FUZZ, "..", "findings")
    os.makedirs(new, exist_ok=True)
    os.makedirs(findings, exist_ok=True)
    seeds = [d for d in [os.path.join(TOP, "tests/fuzz/corpus", target)] if os.path.isdir(d)]
    command = [os.path.join(FUZZ, "fuzz_" + target)] + OPTIONS + [f"-artifact_prefix={findings}/{target}-"]
    dictionary = os.path.join(TOP, "tests/fuzz", target + ".dict")
    if os.path.exists(dictionary):
        command.append("-dict=" + dictionary)
    command += ["-runs=0"] + seeds if SECONDS == 0 else [f"-max_total_time={SECONDS}", new] + seeds
    log = os.path.join(FUZZ, "..", target + ".log")
    with open(log, "w") as out, tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT,
                                 env=os.environ | SANITIZERS | {"TMPDIR": folder})
        _, status, used = os.wait4(child.pid, 0)
    with open(log, errors="replace") as file:
        text = file.read()
    runs, most = number("number_of_executed_units", text), number("peak_rss_mb", text)
    more = number("cov", text) - (number("INITED cov", text) or number("cov", text))
    found = status != 0 or runs == 0
    rate = runs / max(used.ru_utime + used.ru_stime, 0.01)
    print(f"{target:<12} {runs:>10,} runs {rate:>8,.0f} a second {more:>6,} new {most:>5} MiB   "
          f"{'FOUND' if found else '0 found'}", flush=True)
    if found:
        told = re.findall(r".*(?:ERROR|runtime error|CHECK|SUMMARY|Test unit written).*", text) or text.splitlines()[-5:]
        print("".join(f"    {line[:200]}\n" for line in told[:8]) + f"    all of it: {log}", flush=True)
    return found


def main():
    targets = sorted(os.path.basename(path)[len("fuzz_"):] for path in glob.glob(os.path.join(FUZZ, "fuzz_*")))
    only = (os.environ.get("ONLY") or "").split()
    missing = set(only) - set(targets)
    if missing or not targets:
        sys.exit(f"no target {' '.join(sorted(missing)) or 'at all'}, expected some of {' '.join(targets)}")
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        found = list(pool.map(run, only or targets))
    print(f"{len(found) - sum(found)} passed, {sum(found)} failed")
    sys.exit(1 if any(found) else 0)


main()
