# SPDX-License-Identifier: Apache-2.0
"""Station 1 waits for the viewer: a till page that this script serves. Its till, the broker, aisled and the tablet are real."""
import http.server
import json
import os
import threading
import time
import urllib.parse

from till import below

HERE = os.path.dirname(os.path.abspath(__file__))
WAN_AWAY_S = 10


def money(minor):
    return f"${minor / 100:.2f}"


class Show:
    """One sale, as far as it got; the next one on demand. Methods are called by the page's requests and by a thread that listens."""

    def __init__(self, store, till, sales, shelf, code, say):
        self.store, self.till, self.sales, self.shelf, self.code, self.say = store, till, sales, shelf, code, say
        self.lock = threading.RLock()
        self.turn, self.log, self.token, self.why = -1, [], None, ""
        self.opened = self.first_card = None                # seconds: the link was opened, the first card came
        self.cutting = self.done = False
        self.kept = []                                      # of each cut: was the same on the tablet, before and after
        self.next()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Page", (Page,), {"show": self}))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        threading.Thread(target=self.listen, daemon=True).start()

    @property
    def link(self):
        return f"http://127.0.0.1:{self.server.server_port}/?code={self.code}"

    def tell(self, text):
        self.log = (self.log + [text])[-6:]
        self.say(f"  station 1: {text}")

    def address(self):
        return self.store.http_address

    # ---- the tablet that the link pairs ----

    def pair(self):
        """The token for the browser: its cookie is good for the tablet page too, which is another port of this machine."""
        with self.lock:
            if self.token is None:
                status, answer = self.store.http("POST", "/v1/pair", {"code": self.code, "name": "demo"})
                if status != 200:                           # five minutes have passed
                    code = json.loads(self.store.ctl("tablet", "pair", "--stations", "1", "--json"))["code"]
                    status, answer = self.store.http("POST", "/v1/pair", {"code": code, "name": "demo"})
                self.token = answer["token"]
                self.opened = time.monotonic()
        return self.token

    # ---- what the viewer does ----

    def next(self):
        self.turn = (self.turn + 1) % len(self.sales)
        self.sale = self.sales[self.turn]
        self.scanned, self.why, self.cuts = set(), "", 0
        self.till.clear(None)

    def do(self, what, item=None):
        with self.lock:
            till = self.till
            if what == "card" and till.basket is None:
                till.begin(self.sale["household"])
                self.tell("a sale begins, and the customer's card is read")
            elif what == "scan" and till.basket and not till.paid and item in range(len(self.sale["lines"])) and item not in self.scanned:
                self.scanned.add(item)
                till.scan(self.sale["lines"][item])
            elif what == "pay" and till.lines and not till.paid:
                till.pay()
                self.tell(f"paid: {money(till.total())}; redeemed: {money(self.saved())}")
                self.explain()
                self.done = self.done or self.saved() > 0
            elif what == "next" and (till.paid or till.basket is None or not till.prompts):
                if till.basket and not till.paid:
                    till.event("basket.cancelled", {"basket": till.basket})
                self.next()
            elif what == "cut" and till.prompts and not till.paid and not self.cutting:
                self.cutting = True
                threading.Thread(target=self.cut_and_kill, daemon=True).start()

    def saved(self):
        return sum(given["amount"] for given in self.till.tokens.values())

    def card(self):
        """The card that matters: the offer, else the newest."""
        cards = list(self.till.prompts.values())
        return next((c for c in cards if "offer" in c), cards[-1] if cards else None)

    def goods(self):
        """Which of the buttons the offer is for. One that saves just what the card says is put on the shelf if it was not on the list."""
        offer = (self.card() or {}).get("offer", {})
        path, lines = (offer.get("include") or {}).get("category"), self.sale["lines"]
        if path is None:
            return []
        fits = [n for n, row in enumerate(lines) if below(row["category"], path)]
        if not fits:
            shelf = [row for row in self.shelf if below(row["category"], path)]
            lines.append(min(shelf, key=lambda row: (abs(int(row["amount"]) * offer.get("depth", 0) - 100 * offer["worth"]), row["name"])))
            fits = [len(lines) - 1]
        return fits

    def explain(self):
        card = self.card()
        if card:
            lines = self.store.ctl("why", card["decision"], code=None).splitlines()
            head = next((n for n, line in enumerate(lines) if line.startswith("action ")), 0) + 1
            rest = sorted(lines[head:], key=lambda line: not line.startswith(card["action"] + " "))     # the card's own line first
            self.why = "\n".join(lines[:head] + rest)
            self.say(f"  why this card:  {self.store.line('why', card['decision'])}")

    def on_the_tablet(self):
        """What the gateway would show a tablet that comes now: prompt and state."""
        status, body = self.store.http("GET", "/v1/stations/1", token=self.pair())
        return {p["prompt"]: p["state"] for g in body.get("open", []) for p in g["prompts"]} if status == 200 else {}

    def cut_and_kill(self):
        """The WAN goes, and aisled with kill -9, in the middle of the sale. Both come back; what was on the tablet still is."""
        before = self.on_the_tablet()
        start = time.monotonic()
        self.store.cut_off()
        took = time.monotonic() - start
        after = self.on_the_tablet()
        same = bool(before) and before == after
        with self.lock:
            card = ", ".join(f"{prompt} ({state})" for prompt, state in after.items()) or "no card"
            self.tell(f"the WAN is cut, aisled was killed with -9 and is back after {took:.1f} s")
            self.tell(f"{'the same card is still there' if same else 'BEFORE ' + str(before) + ', NOW'}: {card}")
            self.kept.append(same)
            self.cuts += 1
            self.cutting = False
        threading.Timer(WAN_AWAY_S, self.store.reconnect).start()

    def listen(self):
        while True:
            self.till.attend()
            with self.lock:
                if self.first_card is None and self.till.prompts and self.opened:
                    self.first_card = time.monotonic() - self.opened
                    self.tell(f"the first card, {self.first_card:.1f} s after the link was opened")
            time.sleep(0.05)

    # ---- what the page draws ----

    def guide(self):
        till, card = self.till, self.card()
        tablet = [["Open the tablet", f"http://{self.address()}/?station=1"]]
        if till.basket is None:
            return 1, "Put the tablet beside this window. Then read the customer's card.", tablet
        if till.paid:
            return 6, "Paid. Below is why the card was shown. The day so far:", [["the manager's page", f"http://{self.address()}/manager"]]
        if card is None:
            return 2, "The policy has nothing to say to this customer yet. Scan on, or take the next one.", tablet
        if self.cutting:
            return 3, "The WAN is cut; aisled is killed with -9 and starts again …", tablet
        if card["state"] == "open" and not self.cuts:
            return 2, f"The tablet says: “{card['headline']}”. Press K: the WAN is cut and aisled killed, in the middle of this sale.", tablet
        if card["state"] == "open":
            return 3, "The same card is still there. Tap Yes on the tablet.", tablet
        if till.tokens and not self.saved():
            return 4, "The customer said yes. Scan what it is for.", []
        if self.saved():
            return 5, "The discount is on the receipt. Take the money; or press K again: it stays.", []
        if card["state"] == "withdrawn":
            return 5, "Nobody answered, and the card has gone. Scan, and take the money; the next customer comes.", []
        return 5, "Scan the rest, and take the money.", []

    def keys(self, step):
        till, busy = self.till, self.cutting
        if till.basket is None:
            return [{"what": "card", "label": "Read the card", "small": "a customer comes to the till", "look": "go", "next": True, "off": busy}]
        keys, goods = [], self.goods()
        for n, row in enumerate(self.sale["lines"]):
            keys.append({"what": "scan", "item": n, "label": label(row), "small": f"scan, {money(int(row['amount']))}", "look": "",
                         "next": step == 4 and n in goods, "off": busy or till.paid or n in self.scanned})
        if not till.paid:
            keys.append({"what": "cut", "label": "Cut the WAN, kill aisled", "small": "or press K", "look": "cut",
                         "next": step == 2 and bool(till.prompts), "off": busy or not till.prompts})
            keys.append({"what": "pay", "label": "Pay", "small": money(till.total()), "look": "go", "next": step == 5, "off": busy or not till.lines})
        if till.paid or not till.prompts:
            keys.append({"what": "next", "label": "Next customer", "small": "", "look": "", "next": till.paid, "off": busy})
        return keys

    def state(self):
        with self.lock:
            till = self.till
            step, guide, links = self.guide()
            lines = [{"name": line["row"]["name"], "amount": int(line["row"]["amount"]), "off": line["off"], "why": "our offer"} for line in till.lines]
            of_basket = sum(given["basket"] for given in till.tokens.values())
            if of_basket:
                lines.append({"name": "The whole basket", "amount": 0, "off": of_basket, "why": "a hello"})
            return {"step": step, "guide": guide, "links": links, "keys": self.keys(step), "customer": self.sale["line"], "lines": lines,
                    "total": till.total(), "saved": self.saved(), "paid": "paid, thank you" if till.paid else till.message, "log": self.log, "cuts": self.cuts,
                    "why": self.why}


def label(row):
    return row["category"].split("/")[-1].replace("-", " ").capitalize()


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if not self.ours():
            return
        if url.path == "/state":
            self.reply(json.dumps(self.show.state()).encode(), "application/json")
        elif url.path == "/":
            code = urllib.parse.parse_qs(url.query).get("code", [""])[0]
            with open(os.path.join(HERE, "till.html"), "rb") as f:
                self.reply(f.read(), "text/html; charset=utf-8", self.show.pair() if code == self.show.code else None)
        else:
            self.send_error(404)

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 4096))
        if not self.ours():
            return
        if self.path != "/do" or self.headers.get("Content-Type") != "application/json":
            self.send_error(404)
            return
        wish = json.loads(body)
        self.show.do(wish.get("what"), wish.get("item"))
        self.reply(b"{}", "application/json")

    def ours(self):
        """Not to be asked by a page from elsewhere, nor under another name."""
        host = f"127.0.0.1:{self.server.server_port}"
        if self.headers.get("Host") == host and self.headers.get("Origin", f"http://{host}") == f"http://{host}":
            return True
        self.send_error(403)
        return False

    def reply(self, body, kind, token=None):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if token:
            self.send_header("Set-Cookie", f"aisle_token={token}; Path=/; HttpOnly; SameSite=Strict")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *about):
        pass
