# SPDX-License-Identifier: Apache-2.0
"""Two limits at once: what each of them allows and no row can hold stops nobody."""
import json
import os
import subprocess
import time

import policy
from store import AISLECTL, BUILD, RUN, Client, Store, main, wait_for

def full_basket(store):
    """A state with the basket "full" of till 7, whose row has 8 bytes left."""
    program = os.path.join(BUILD, "unit", "test_aside")
    if not os.path.exists(program):
        subprocess.run(["make", "-s", f"BUILD={os.path.relpath(BUILD)}", os.path.relpath(program)], check=True,
                       stdout=subprocess.DEVNULL)
    os.makedirs(os.path.join(store.folder, "state"), mode=0o700, exist_ok=True)
    subprocess.run(RUN + [program, "--fill", os.path.join(store.folder, "state"), str(int(time.time() * 1000))], check=True)


def receipts(watch, terminal="7"):
    taken, refused = set(), {}
    for receipt in watch.on(f"pos/{terminal}/receipt"):
        taken.update(event for _, event in receipt.get("ids", []))
        refused.update({event: reason for _, event, reason in receipt.get("refused", [])})
    return taken, refused


def burst(store, watch, names):
    """In one moment: a line of the basket that no row can hold, between baskets of another till."""
    line = store.till(watch, "basket.item-added", store.item("full", 1, "grocery/tea", 100), receipt=True)["id"]
    others = [store.till(watch, "basket.opened", {"basket": name, "terminal": "8"}, terminal="8", receipt=True)["id"]
              for name in names]
    wait_for("its receipt", lambda: receipts(watch)[1].get(line) == "bad-value")
    wait_for("the other till's", lambda: set(others) <= receipts(watch, "8")[0])
    assert line not in receipts(watch)[0]


def test_what_no_row_can_hold_is_set_aside_and_the_others_are_served():
    store = Store()
    try:
        full_basket(store)
        store.start()
        store.ctl("bundle", "install", policy.bundle(store.folder, actions=[policy.ENROL]))
        watch = Client(store.broker.port, [f"{store.root}/#"])
        burst(store, watch, ["a1", "a2", "a3"])
        letters = watch.on("/dead-letter")
        assert all(d["reason"] == "bad-value" and "could not be written" in d["detail"] for d in letters), letters
        kept = json.loads(store.ctl("deadletter", "--json", "--rows", "10"))["dead_letters"]
        assert [d["topic"] for d in kept] == [f"{store.root}/pos/7/event"], kept
        burst(store, watch, ["a4"])
        store.stop()
        store.start()
        burst(store, watch, ["a5"])
        assert store.log_text().count("broker connection lost") == 0
        metrics = store.http("GET", "/metrics")[1].decode()
        assert "aisle_inputs_set_aside_total 1\n" in metrics
        store.till(watch, "basket.item-added", store.item("a5", 1, "grocery/tea", 2000), terminal="8")
        wait_for("guidance", lambda: [g for g in watch.on("guidance/8") if g.get("prompts")])
        watch.close()
    finally:
        store.close()


LISTS, ARTICLES = 150, 2500


def list_action(number):
    articles = ["%014d" % (number * 100000 + article) for article in range(ARTICLES)]
    return policy.changed(policy.ENROL, action=f"a{number}", kind="recommend", group=f"g{number}", eligible=True,
                          applicable={"in": [{"var": "sku"}, articles]}, propensity=0.5, gate="associate",
                          outcome={"is": "bought", "within": "0d", "item": {"category": "y"}})


def test_150_rules_of_2500_articles_are_served_and_their_author_is_told():
    store = Store()
    try:
        actions = [policy.ENROL] + [list_action(number) for number in range(LISTS)]
        features = policy.FEATURES + [policy.feature("sku", "event.sku", "string", default="none")]
        bundle = policy.bundle(store.folder, actions=actions, features=features)
        told = subprocess.run(AISLECTL + ["policy", "check", os.path.join(store.folder, "policy-source")],
                              capture_output=True, text=True)
        assert told.returncode == 0 and "decisions on record hold its first 200" in told.stdout + told.stderr, told
        store.start()
        store.ctl("bundle", "install", bundle)
        watch = Client(store.broker.port, [f"{store.root}/#"])
        store.till(watch, "basket.opened", {"basket": "b", "terminal": "7"})
        for line in range(1, 6):
            event = store.till(watch, "basket.item-added", store.item("b", line, "grocery/tea", 2000), receipt=True)["id"]
            wait_for("its receipt", lambda: event in receipts(watch)[0])
        shown = wait_for("guidance", lambda: [g for g in watch.on("guidance/7") if g.get("prompts")])
        why = json.loads(store.ctl("why", shown[-1]["decision"], "--json"))
        assert len(why["candidates"]) == LISTS + 1
        size = len(json.dumps(why))
        assert size < 512 * LISTS, size
        assert "could not be committed" not in store.log_text()
        print(f"        {size} bytes a record")
        watch.close()
    finally:
        store.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
