#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Images of a policy, from outside: named in Guidance, served by their hash, as long as a card shows them."""
import hashlib
import http.client
import os
import struct
import subprocess
import zlib

import policy
from store import AISLECTL, Client, Store, main, wait_for


def png(colour, side=16):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"".join(b"\0" + bytes(colour) * side for _ in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


RED, BLUE = png((200, 30, 30)), png((30, 30, 200))


def path_of(image):
    return "/v1/images/" + hashlib.blake2b(image, digest_size=32).hexdigest()


def source(folder, version, image, name="cup.png"):
    """A policy whose coffee card shows this image."""
    os.makedirs(os.path.join(folder, "images"), exist_ok=True)
    with open(os.path.join(folder, "images", "cup.png"), "wb") as f:
        f.write(image)
    words = [{**t, "image": name} for t in policy.OFFER["treatments"]]
    return policy.write(folder, policy=policy.changed(policy.POLICY, version=version),
                        actions=[policy.changed(policy.OFFER, treatments=words)])


def install(store, version, image):
    folder = source(os.path.join(store.folder, f"p{version}"), version, image)
    subprocess.run(AISLECTL + ["bundle", "build", folder, "-o", folder + ".bundle"], check=True)
    store.ctl("bundle", "install", folder + ".bundle")


def get(store, path, token=None, headers=None):
    connection = http.client.HTTPConnection(store.status()["http"][0], timeout=10)
    try:
        connection.request("GET", path, headers={**({"Authorization": "Bearer " + token} if token else {}), **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def card_of(store, client, token, basket):
    store.till(client, "basket.opened", {"basket": basket, "terminal": "7"})
    store.reader(client, "customer.identified", {"card": policy.GOLD["card"], "basket": basket, "station": "7"}, reader="7")
    return wait_for("the card", lambda: [p for g in store.http("GET", "/v1/stations/7", token=token)[1].get("open", [])
                                         for p in g["prompts"] if g.get("basket") == basket])[0]


def test_a_cards_image_is_served_and_stays_as_long_as_the_card_is_open():
    store = Store()
    store.start()
    client = Client(store.broker.port)
    try:
        install(store, 1, RED)
        store.ctl("profiles", "install", policy.profiles(store.folder, [policy.GOLD], pepper=store.pepper))
        token = store.pair()
        card = card_of(store, client, token, "b1")
        assert card["image"] == path_of(RED), card
        status, body, headers = get(store, card["image"], token)
        assert (status, body) == (200, RED)
        assert headers["Content-Type"] == "image/png" and headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"].startswith("private") and "immutable" in headers["Cache-Control"], headers
        # by the cookie too; whoever has it is told so; nobody without a token, nothing else by any name
        assert get(store, card["image"], headers={"Cookie": "aisle_token=" + token})[:2] == (200, RED)
        assert get(store, card["image"], token, {"If-None-Match": headers["ETag"]})[:2] == (304, b"")
        assert get(store, card["image"])[0] == 401
        for wrong in (path_of(BLUE), path_of(RED)[:-1], path_of(RED).upper(), "/v1/images/cup.png", "/v1/images/..%2fpolicy.json"):
            assert get(store, wrong, token)[0] == 404, wrong
        # another policy, after a restart as well: the open card's image is there, then it is not
        install(store, 2, BLUE)
        store.stop()
        store.start()
        assert get(store, path_of(BLUE), token)[:2] == (200, BLUE)
        assert get(store, path_of(RED), token)[:2] == (200, RED)
        store.till(client, "basket.cancelled", {"basket": "b1"})
        wait_for("the card to go", lambda: not store.http("GET", "/v1/stations/7", token=token)[1].get("open"))
        assert get(store, path_of(RED), token)[0] == 404
        assert card_of(store, client, token, "b2")["image"] == path_of(BLUE)
    finally:
        client.close()
        store.close()


def test_what_is_no_image_or_is_not_there_does_not_build():
    store = Store()
    try:
        for image, name, words in ((b"GIF89a", "cup.png", "not an image, expected PNG, JPEG or WebP"),
                                   (RED + bytes(131073 - len(RED)), "cup.png", "image of 131073 bytes"),
                                   (RED, "tea.png", 'there is no image "tea.png"')):
            folder = source(os.path.join(store.folder, "p"), 1, image, name)
            for command in (["policy", "check", folder], ["bundle", "build", folder, "-o", folder + ".bundle"]):
                done = subprocess.run(AISLECTL + command, capture_output=True, text=True)
                assert done.returncode == 65 and words in done.stdout + done.stderr, (command, done)
        source(os.path.join(store.folder, "p"), 1, RED + bytes(131072 - len(RED)), "images/cup.png")
        subprocess.run(AISLECTL + ["policy", "check", os.path.join(store.folder, "p")], check=True)
    finally:
        store.close()


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
