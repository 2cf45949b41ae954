# SPDX-License-Identifier: Apache-2.0
"""A gateway whose clock jumps while it serves: the store goes on, says that it is not sure, and recovers."""
import os
import subprocess

from store import RUN, Client, Store, main, wait_for

CLOCK = """
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
	const char *path = getenv("AISLE_TEST_CLOCK");
	FILE *file = id == CLOCK_REALTIME && path != NULL ? fopen(path, "r") : NULL;
	int rc = (int)syscall(SYS_clock_gettime, id, t);
	long long s;
	if (file == NULL)
		return rc;
	if (fscanf(file, "%lld", &s) == 1)
		t->tv_sec += s;
	fclose(file);
	return rc;
}
"""
YEAR = 365 * 86400


class JumpingStore(Store):
    """Its daemon's clock is wrong by as many seconds as a file says; not under an emulator, whose libraries are not ours."""

    def jump(self, seconds):
        path = os.path.join(self.folder, "clock")
        with open(path + ".new", "w") as f:
            f.write(str(seconds))
        os.rename(path + ".new", path)

    def boot(self):
        library = os.path.join(self.folder, "clock.so")
        if not os.path.exists(library):
            subprocess.run([*os.environ.get("CC", "cc").split(), "-shared", "-fPIC", "-x", "c", "-o", library, "-"], input=CLOCK, text=True,
                           check=True)
        os.environ.update(LD_PRELOAD=library, AISLE_TEST_CLOCK=os.path.join(self.folder, "clock"))
        try:
            super().boot()
        finally:
            del os.environ["LD_PRELOAD"], os.environ["AISLE_TEST_CLOCK"]


def time_of(watch):
    return watch.on("/status")[-1]["time"]


def serves(store, watch, basket):
    before = len(watch.on("pos/7/receipt"))
    store.till(watch, "basket.opened", {"basket": basket, "terminal": "7"}, receipt=True)
    wait_for("a receipt", lambda: len(watch.on("pos/7/receipt")) > before)
    receipt = watch.on("pos/7/receipt")[-1]
    assert len(receipt["ids"]) == 1 and "refused" not in receipt, receipt


def test_a_clock_that_jumps_stops_nothing_and_is_told():
    if RUN:
        return
    store = JumpingStore()
    try:
        store.start()
        watch = Client(store.broker.port, [f"{store.root}/#"])
        serves(store, watch, "before")
        assert time_of(watch) == "certain"
        for number, seconds in enumerate((12 * YEAR, -56 * YEAR, 86400, -3600)):
            store.jump(seconds)
            wait_for("uncertain", lambda: time_of(watch) == "uncertain")
            serves(store, watch, f"during-{number}")
            store.jump(0)
            wait_for("certain", lambda: time_of(watch) == "certain")
            serves(store, watch, f"after-{number}")
    finally:
        store.close()


def test_a_start_without_a_clock_goes_on_where_the_state_ended():
    if RUN:
        return
    store = JumpingStore()
    try:
        store.start()
        watch = Client(store.broker.port, [f"{store.root}/#"])
        serves(store, watch, "before")
        store.stop()
        store.jump(-50 * YEAR)
        store.start()
        wait_for("uncertain", lambda: time_of(watch) == "uncertain")
        serves(store, watch, "during")
        store.jump(0)
        wait_for("certain", lambda: time_of(watch) == "certain")
        serves(store, watch, "after")
    finally:
        store.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
