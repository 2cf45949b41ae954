# SPDX-License-Identifier: Apache-2.0
"""Tills that speak their own language, through the mappings that are shipped: a payload in, the right history out."""
import contextlib
import json
import os
from datetime import datetime, timedelta, timezone

import policy
from store import Client, Store, main, wait_for

SHIPPED = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../firmware-config/mappings"))
START = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=5)


def at(seconds, form="%Y-%m-%dT%H:%M:%SZ", hours=0):
    return (START + timedelta(seconds=seconds, hours=hours)).strftime(form)


def settled(store, watch):
    count = len(watch.on("pos/zz/receipt"))
    store.till(watch, "sensor.reading", {"kind": "door", "value": 1}, terminal="zz", receipt=True)
    wait_for("the receipt", lambda: watch.on("pos/zz/receipt")[count:])


@contextlib.contextmanager
def hearing(name, card, currency="EUR", zone="UTC"):
    """A store with one shipped mapping, where the card's purchases are remembered."""
    store = Store(currency=currency, zone=zone, config=f"[mappings]\n{name} = {SHIPPED}/{name}.json\n")
    try:
        store.start()
        store.ctl("bundle", "install", policy.bundle(store.folder, policy=policy.changed(policy.POLICY, currency=currency)))
        store.ctl("profiles", "install", policy.profiles(store.folder, [policy.changed(policy.GOLD, card=card)], pepper=store.pepper))
        watch = Client(store.broker.port, [f"{store.root}/#"])
        try:
            yield store, watch
        finally:
            watch.close()
    finally:
        store.close()


def history(store, card):
    """[total, [[item, quantity, amount] …]] of each purchase, oldest first."""
    known = json.loads(store.ctl("customer", "show", stdin=card + "\n"))
    return [[p["total"], sorted([l["item"], l["qty"], l["amount"]] for l in p["lines"])] for p in known["purchases"]]


def expect(store, watch, card, wanted):
    settled(store, watch)
    assert not watch.on("/dead-letter"), watch.on("/dead-letter")
    assert history(store, card) == wanted, history(store, card)


def refused(store, watch, name, topic, payload, reason="no-rule"):
    """What nobody knows is counted and named."""
    before = len(watch.on("/dead-letter"))
    watch.publish(topic, payload)
    letter = wait_for("a dead letter", lambda: watch.on("/dead-letter")[before:])[0]
    assert letter["reason"] == reason and letter["topic"] == topic, letter
    assert reason != "no-rule" or name in letter["detail"], letter
    metrics = store.http("GET", "/metrics")[1].decode()
    assert f'aisle_events_rejected_total{{reason="{reason}"}}' in metrics, metrics


# ---- RTSF: what stands in the topic, or in "cmd" of EdgeX's MQTT device, and the event as JSON or as a text that holds it

def rtsf(send):
    ms = int(START.timestamp() * 1000)

    def event(kind, after, **more):
        send(kind, {"lane_id": "1", "basket_id": "abc-012345-def", "customer_id": "joe5", "employee_id": "mary1", "event_time": ms + after, **more})

    def item(kind, after, product, name, quantity, price):
        event(kind, after, product_id=product, product_id_type="UPC", product_name=name, quantity=quantity, quantity_unit="EA", unit_price=price)
    event("basket-open", 0)
    item("scanned-item", 1000, "00000000324588", "Red Apples", 3.0, 0.99)
    item("scanned-item", 1000, "00000000571111", "Trail Mix", 1.0, 5.99)    # in the same millisecond
    item("scanned-item", 2000, "00000000884389", "Red Wine", 1.0, 10.99)
    item("remove-item", 2040, "00000000884389", "Red Wine", 1.0, 10.99)
    item("scanned-item", 3000, "00000000735797", "Steak", 1.0, 8.99)
    item("scanned-item", 3500, "00000000735797", "Steak", -1.0, 8.99)
    event("payment-start", 4000)
    event("payment-success", 5000)
    event("basket-close", 6000)


RTSF_HISTORY = [[0, [["00000000324588", 3, 297], ["00000000571111", 1, 599]]]]


def test_rtsf_by_its_topics():
    with hearing("rtsf", "joe5", currency="USD") as (store, watch):
        rtsf(lambda kind, body: watch.publish(f"rtsf/device-pos/{kind}", body))
        expect(store, watch, "joe5", RTSF_HISTORY)
        refused(store, watch, "rtsf", "rtsf/device-pos/basket-opened", {"lane_id": "1"})


def test_rtsf_over_the_mqtt_device():
    with hearing("rtsf-mqtt", "joe5", currency="USD") as (store, watch):
        rtsf(lambda kind, body: watch.publish("edgex/pos/events", {"name": "device-pos-mqtt", "cmd": kind, kind: json.dumps(body)}))
        expect(store, watch, "joe5", RTSF_HISTORY)
        refused(store, watch, "rtsf-mqtt", "edgex/scale", {"name": "device-scale-mqtt", "cmd": "scale-item", "scale-item": "{}"})
        refused(store, watch, "rtsf-mqtt", "edgex/pos", {"name": "d", "cmd": "basket-open", "basket-open": "{not json"}, "bad-shape")


# ---- Square

def square_order(version, state, lines, total, **more):
    def usd(amount):
        return {"amount": amount, "currency": "USD"}
    return {"order": {
        "id": "CAISENgvlJ6jLWAzERDzjyHVybY", "location_id": "D7AVYMEAPJ3A3", "customer_id": "3ZWAPGEYF97T1SRSFPQXYZ5RKW", "source": {"name": "Point of Sale"},
        "line_items": [{"uid": uid, "catalog_object_id": article, "quantity": quantity, "name": name, "variation_name": "Regular", "item_type": "ITEM",
                        "base_price_money": usd(price), "gross_sales_money": usd(price), "total_tax_money": usd(0), "total_discount_money": usd(price - total_),
                        "total_money": usd(total_), "applied_discounts": [{"uid": "d1", "discount_uid": "zGsRZP", "applied_money": usd(price - total_)}]}
                       for uid, article, quantity, name, price, total_ in lines],
        "created_at": at(0), "updated_at": at(version), "state": state, "version": version, "total_money": usd(total), "net_amounts": {"total_money": usd(total)}, **more}}


def test_square_orders():
    card = "3ZWAPGEYF97T1SRSFPQXYZ5RKW"
    coffee, bun = ("ULkg0tQT", "ART1", "1", "Coffee", 500, 250), ("mumY8Nun", "ART2", "2", "Bun", 600, 600)
    cake = ("xE1f9A", "ART3", "0.45", "Cake", 225, 225)
    with hearing("square", card, currency="USD") as (store, watch):
        watch.publish("square/7/order", square_order(1, "OPEN", [coffee, bun], 850))
        watch.publish("square/7/order", square_order(2, "OPEN", [coffee, cake], 475))           # the bun is gone
        done = square_order(4, "COMPLETED", [coffee, cake], 475, closed_at=at(60),
                            tenders=[{"id": "t1", "type": "CARD", "amount_money": {"amount": 475, "currency": "USD"}}])
        watch.publish("square/7/order", done)
        watch.publish("square/7/order", done)
        wanted = [[475, [["ART1", 1, 250], ["ART3", 0.45, 225]]]]
        expect(store, watch, card, wanted)
        # An order that is the payload itself; it only gives something back.
        watch.publish("square/7/order", {
            "id": "R1", "location_id": "D7AVYMEAPJ3A3", "customer_id": card, "created_at": at(90), "updated_at": at(91), "state": "COMPLETED", "version": 1,
            "returns": [{"uid": "ret1", "source_order_id": "CAISENgvlJ6jLWAzERDzjyHVybY", "return_line_items": [
                {"uid": "rl1", "source_line_item_uid": "ULkg0tQT", "catalog_object_id": "ART1", "quantity": "1", "name": "Coffee",
                 "total_money": {"amount": 250, "currency": "USD"}}]}]})
        expect(store, watch, card, [[225, [["ART3", 0.45, 225]]]])
        assert store.status()["visits"] == 0, "what only comes back is no sale that somebody has to close"
        # An amount keyed in has no name; the card may stand at what it was paid with; a tip that is given back is no article.
        keyed = square_order(1, "COMPLETED", [coffee], 750, closed_at=at(130), id="K1", created_at=at(120), customer_id=None, tenders=[
            {"id": "t1", "type": "CASH", "amount_money": {"amount": 1, "currency": "USD"}},
            {"id": "t2", "type": "CARD", "customer_id": card, "amount_money": {"amount": 749, "currency": "USD"}}])
        keyed["order"]["line_items"].append({"uid": "custom", "quantity": "1", "item_type": "CUSTOM_AMOUNT", "total_money": {"amount": 500, "currency": "USD"}})
        watch.publish("square/7/order", keyed)
        watch.publish("square/7/order", {"order": {"id": "R2", "created_at": at(140), "updated_at": at(141), "state": "COMPLETED", "version": 1,
                                                   "returns": [{"uid": "ret2", "source_order_id": "K1", "return_tips": [{"uid": "tip"}]}]}})
        expect(store, watch, card, [[225, [["ART3", 0.45, 225]]], [750, [["ART1", 1, 250], ["CUSTOM_AMOUNT", 1, 500]]]])
        # The webhook says that there is an order and not what is in it.
        refused(store, watch, "square", "square/7/order", {"merchant_id": "M", "type": "order.updated", "event_id": "e1", "created_at": at(0), "data": {
            "type": "order_updated", "id": "x", "object": {"order_updated": {"order_id": "x", "version": 2, "location_id": "L", "state": "OPEN"}}}})


# ---- Shopify

SHOPIFY = 820982911946154508
IPOD, CASE = (866550311766439020, "IPOD2008PINK", "IPod Nano", "19.99", "5.00"), (141249953214522974, "", "Case", "4.35", "")


def shopify_time(seconds):
    return at(seconds, "%Y-%m-%dT%H:%M:%S+02:00", 2)


def shopify_line(line, quantity, current=None):
    number, sku, title, price, off = line
    return {"id": number, "variant_id": 808950810, "product_id": 632910392, "title": title, "vendor": "Acme", "sku": sku, "quantity": quantity,
            "current_quantity": quantity if current is None else current, "fulfillable_quantity": 0, "price": price, "grams": 567, "taxable": True, "tax_lines": [],
            "discount_allocations": [{"amount": off, "discount_application_index": 0}] if off else []}


def shopify_refund(number, when, *back):
    return {"id": number, "order_id": SHOPIFY, "created_at": shopify_time(when), "processed_at": shopify_time(when), "note": "wrong size", "transactions": [],
            "order_adjustments": [], "refund_line_items": [
                {"id": number + 1 + i, "quantity": quantity, "line_item_id": line[0], "restock_type": "return", "subtotal": subtotal, "total_tax": 0.0,
                 "line_item": shopify_line(line, quantity)} for i, (line, quantity, subtotal) in enumerate(back)]}


def shopify_order(updated, lines, total, **more):
    return {"id": SHOPIFY, "name": "#9999", "currency": "EUR", "source_name": "pos", "location_id": 655441491, "user_id": 548380009, "test": False,
            "created_at": shopify_time(0), "processed_at": shopify_time(0), "updated_at": shopify_time(updated), "cancelled_at": None,
            "customer": {"id": 115310627314723954, "email": "a@example.com"}, "financial_status": "paid", "total_price": total, "total_discounts": "5.00",
            "line_items": lines, "refunds": [], **more}


def test_shopify_orders():
    card = "115310627314723954"
    with hearing("shopify", card, zone="Europe/Berlin") as (store, watch):
        sold = shopify_order(1, [shopify_line(IPOD, 2), shopify_line(CASE, 1)], "39.33")
        watch.publish("shopify/7/orders/create", sold)
        expect(store, watch, card, [[3933, [["808950810", 1, 435], ["IPOD2008PINK", 2, 3498]]]])
        # One of two came back, and the case: 39.98 - 5.00 is 34.98, half of it 17.49.
        back = shopify_refund(509562969, 200, (IPOD, 1, 17.49), (CASE, 1, 4.35))
        left = shopify_order(200, [shopify_line(IPOD, 2, 1), shopify_line(CASE, 1, 0)], "39.33", financial_status="partially_refunded", refunds=[back])
        watch.publish("shopify/7/orders/updated", left)
        wanted = [[1749, [["IPOD2008PINK", 1, 1749]]]]
        expect(store, watch, card, wanted)
        # An older webhook that is tried again brings nothing back, nor does the refund count twice.
        watch.publish("shopify/7/orders/create", sold)
        watch.publish("shopify/7/orders/paid", {**sold, "updated_at": shopify_time(2)})
        watch.publish("shopify/7/orders/updated", {**left, "updated_at": shopify_time(210)})
        expect(store, watch, card, wanted)
        # Cancelled as a whole.
        watch.publish("shopify/7/orders/cancelled", {**left, "updated_at": shopify_time(250), "cancelled_at": shopify_time(249), "financial_status": "voided"})
        expect(store, watch, card, [])
        refused(store, watch, "shopify", "shopify/7/orders/delete", {"id": SHOPIFY})


def test_of_a_shopify_order_that_was_edited_the_newest_version_counts_in_whatever_order_they_come():
    card = "115310627314723954"
    first = shopify_order(1, [shopify_line(CASE, 1)], "4.35")
    edited = shopify_order(90, [shopify_line(CASE, 2), shopify_line(IPOD, 1)], "23.69")
    with hearing("shopify", card, zone="Europe/Berlin") as (store, watch):
        for number, messages in enumerate(([edited, first], [first, edited], [first, edited, {**first, "updated_at": shopify_time(2)}])):
            for message in messages:
                watch.publish("shopify/7/orders/updated", {**message, "id": SHOPIFY + number})
            settled(store, watch)
            assert not watch.on("/dead-letter"), watch.on("/dead-letter")
            assert [lines for _, lines in history(store, card)] == (number + 1) * [[["808950810", 2, 870], ["IPOD2008PINK", 1, 1499]]], history(store, card)
        # One that was refunded before it was first heard of.
        part = shopify_order(200, [shopify_line(IPOD, 2, 1)], "34.98", refunds=[shopify_refund(71, 200, (IPOD, 1, 17.49))], financial_status="partially_refunded")
        watch.publish("shopify/7/orders/updated", {**part, "id": SHOPIFY + 9})
        settled(store, watch)
        assert history(store, card)[-1] == [1749, [["IPOD2008PINK", 1, 1749]]], history(store, card)


# ---- Odoo

def odoo_line(wrap, number, product, qty, price, total, **more):
    line = {"id": number, "product_id": product, "qty": qty, "price_unit": price, "discount": 0, "price_subtotal": total, "price_subtotal_incl": total,
            "tax_ids": [[6, False, [1]]], **more}
    return [0, 0, line] if wrap else line


def test_odoo_orders():
    with hearing("odoo", "14") as (store, watch):
        # As the till sends it.
        watch.publish("odoo/7/order", {"id": "00001-001-0002", "to_invoice": False, "data": {
            "name": "Order 00001-001-0002", "uid": "00001-001-0002", "sequence_number": 2, "pos_session_id": 1, "user_id": 2, "partner_id": 14, "pricelist_id": 1,
            "lines": [odoo_line(True, 1, 42, 1, 4.35, 4.35), odoo_line(True, 2, 43, 0.285, 7.0, 1.995)],
            "statement_ids": [[0, 0, {"amount": 6.35, "payment_method_id": 1}]], "amount_total": 6.35, "amount_paid": 6.35, "amount_tax": 0.5, "amount_return": 0,
            "creation_date": at(0, "%Y-%m-%d %H:%M:%S"), "fiscal_position_id": False}})
        first = [635, [["42", 1, 435], ["43", 0.285, 200]]]
        expect(store, watch, "14", [first])
        # As the server has it: names beside numbers; a draft first, in which a line goes.
        def order(state, after, lines, total):
            return {"id": 9, "pos_reference": "Order 00001-001-0003", "session_id": [1, "POS/00001"], "partner_id": [14, "Azure Interior"], "state": state,
                    "lines": lines, "amount_total": total, "amount_tax": 0, "amount_paid": total, "amount_return": 0, "date_order": at(after, "%Y-%m-%d %H:%M:%S")}
        pen, pad = odoo_line(False, 31, [50, "Pen"], 2.0, 1.5, 3.0), odoo_line(False, 32, [51, "Pad"], 1.0, 2.0, 2.0)
        watch.publish("odoo/7/order", order("draft", 60, [pen, pad], 5.0))
        watch.publish("odoo/7/order", order("paid", 70, [pen], 3.0))
        expect(store, watch, "14", [first, [300, [["50", 2, 300]]]])
        watch.publish("odoo/7/order", {**order("paid", 90, [odoo_line(False, 40, [50, "Pen"], -1.0, 1.5, -1.5)], -1.5), "pos_reference": "Order 00001-001-0004"})
        expect(store, watch, "14", [first, [150, [["50", 1, 150]]]])
        refused(store, watch, "odoo", "odoo/7/order", {"session_id": 1, "cash_register_balance_end": 12.5})
        # What it cannot read whole it does not read at all: a till that was away and hands over two, lines of which only the numbers are there.
        unread = {**order("paid", 100, [pen], 3.0), "pos_reference": "Order 00001-001-0005"}
        refused(store, watch, "odoo", "odoo/7/order", [{"data": unread}, {"data": {**unread, "pos_reference": "Order 00001-001-0006"}}])
        for lines in ([31, 32], [[4, 31], [4, 32]], [odoo_line(True, 1, 42, 1, 4.35, 4.35), [4, 32]]):
            refused(store, watch, "odoo", "odoo/7/order", {**unread, "lines": lines})
        assert history(store, "14") == [first, [150, [["50", 1, 150]]]]
        watch.publish("odoo/7/order", [unread])     # as the server's own call has it
        settled(store, watch)
        assert history(store, "14") == [first, [150, [["50", 1, 150]]], [300, [["50", 2, 300]]]]
        # A draft is sent again as it was at first, and paid so: of one date_order what was sent last.
        def again(state, qty, **more):
            return {**order(state, 120, [odoo_line(False, 51, [60, "Cup"], qty, 2.0, 2.0 * qty)], 2.0 * qty), "pos_reference": "Order 00001-001-0007", **more}
        for message in again("draft", 1.0), again("draft", 2.0), again("draft", 1.0), again("paid", 1.0):
            watch.publish("odoo/7/order", message)
        settled(store, watch)
        assert history(store, "14")[-1] == [200, [["60", 1, 200]]], history(store, "14")


# ---- POSLog

def test_poslog_xml():
    # Local times of Berlin, and amounts with their attributes.
    def local(seconds):
        from zoneinfo import ZoneInfo
        return (START + timedelta(seconds=seconds)).astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%dT%H:%M:%S")

    def transaction(number, body, flags='CancelFlag="false" TrainingModeFlag="false" OfflineFlag="false"'):
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/" xmlns:x="urn:vendor"><Transaction {flags}>
 <RetailStoreID>0042</RetailStoreID><WorkstationID>7</WorkstationID><TillID>1</TillID><SequenceNumber>{number}</SequenceNumber>
 <BusinessDayDate>{local(0)[:10]}</BusinessDayDate><BeginDateTime>{local(0)}</BeginDateTime><EndDateTime>{local(60)}</EndDateTime>
 <OperatorID>op1</OperatorID><CurrencyCode>EUR</CurrencyCode>{body}</Transaction></POSLog>"""

    def sale(number, article, quantity, amount, void="false", what="Sale", gtin=""):
        return f"""<LineItem VoidFlag="{void}" EntryMethod="Scanned"><SequenceNumber>{number}</SequenceNumber><{what} ItemType="Stock">
 {f'<POSIdentity POSIDType="EAN"><POSItemID>{gtin}</POSItemID></POSIdentity>' if gtin else ''}<ItemID Type="SKU">{article}</ItemID>
 <MerchandiseHierarchy Level="Department">grocery</MerchandiseHierarchy><MerchandiseHierarchy Level="Class">coffee</MerchandiseHierarchy>
 <Description>Caf&#233; &amp; more</Description><ExtendedAmount Currency="EUR">{amount}</ExtendedAmount>
 <Quantity UnitOfMeasureCode="EA" Units="1">{quantity}</Quantity></{what}></LineItem>"""
    customer = "<LoyaltyAccount><CustomerID>c-77</CustomerID></LoyaltyAccount>"
    tender = '<LineItem VoidFlag="false"><SequenceNumber>9</SequenceNumber><Tender TenderType="Cash"><Amount Currency="EUR">9.98</Amount></Tender></LineItem>'
    total = '<Total TotalType="TransactionGrossAmount">9.98</Total><Total TotalType="TransactionGrandAmount">9.48</Total>'
    with hearing("poslog-xml", "c-77", zone="Europe/Berlin") as (store, watch):
        whole = transaction(123, f"<RetailTransaction>{customer}{sale(1, 'A1', 2, '9.98', gtin='4006381333931')}"
                                 f"{sale(2, 'A2', 1, '3.00', void='true')}{tender}{total}</RetailTransaction>")
        watch.publish("poslog/7/xml", whole)
        watch.publish("poslog/7/xml", whole)
        wanted = [[948, [["04006381333931", 2, 998]]]]
        expect(store, watch, "c-77", wanted)
        # Training, cancelled, and a day's end: no purchases, and nobody complains.
        watch.publish("poslog/7/xml", transaction(124, f"<RetailTransaction>{customer}{sale(1, 'A1', 1, '4.99')}{total}</RetailTransaction>",
                                                  'CancelFlag="false" TrainingModeFlag="true"'))
        watch.publish("poslog/7/xml", transaction(125, f"<RetailTransaction>{customer}{sale(1, 'A1', 1, '4.99')}{total}</RetailTransaction>",
                                                  'CancelFlag="true"'))
        watch.publish("poslog/7/xml", transaction(126, "<ControlTransaction><BusinessEOD/></ControlTransaction>"))
        expect(store, watch, "c-77", wanted)
        # One of two comes back.
        watch.publish("poslog/7/xml", transaction(127, f"<RetailTransaction>{customer}{sale(1, 'A1', 1, '4.99', what='Return', gtin='4006381333931')}"
                                                       f"<Total TotalType='TransactionGrandAmount'>-4.99</Total></RetailTransaction>"))
        expect(store, watch, "c-77", [[449, [["04006381333931", 1, 499]]]])
        # So does the other, of a vendor who writes less than nothing, and attributes at every element.
        last = transaction(130, f"<RetailTransaction>{customer}{sale(1, 'A1', -1, '-4.99', what='Return', gtin='4006381333931')}"
                                f"<Total TotalType='TransactionGrandAmount'>-4.99</Total></RetailTransaction>")
        for name in ("WorkstationID", "SequenceNumber", "BeginDateTime", "EndDateTime", "OperatorID", "POSItemID", "CurrencyCode"):
            last = last.replace(f"<{name}>", f'<{name} v="1">')
        watch.publish("poslog/7/xml", last)
        expect(store, watch, "c-77", [[0, []]])
        # A sale that is voided afterwards, by a transaction with a number of its own; and one that says so of itself.
        for number in (140, 142, 144):
            watch.publish("poslog/7/xml", transaction(number, f"<RetailTransaction>{customer}{sale(1, 'A3', 1, '9.48')}{total}</RetailTransaction>"))
        sold = [948, [["A3", 1, 948]]]
        expect(store, watch, "c-77", [[0, []], sold, sold, sold])
        link = f"<TransactionLink ReasonCode='PostVoid'><WorkstationID>7</WorkstationID><SequenceNumber>140</SequenceNumber><BusinessDayDate>{local(0)[:10]}</BusinessDayDate></TransactionLink>"
        watch.publish("poslog/7/xml", transaction(141, f"<RetailTransaction TransactionStatus='PostVoided'>{link}{customer}{sale(1, 'A3', -1, '-9.48')}{total}</RetailTransaction>")
                      .replace("<WorkstationID>7<", "<WorkstationID>8<", 1))
        expect(store, watch, "c-77", [[0, []], sold, sold])
        watch.publish("poslog/7/xml", transaction(142, f"<RetailTransaction TransactionStatus='PostVoided'>{customer}{sale(1, 'A3', 1, '9.48')}{total}</RetailTransaction>"))
        expect(store, watch, "c-77", [[0, []], sold])
        refused(store, watch, "poslog-xml", "poslog/7/xml", transaction(128, "<ForeCourtTransaction/>"))
        refused(store, watch, "poslog-xml", "poslog/7/xml", "<POSLog><Transaction></POSLog>", "bad-shape")
        refused(store, watch, "poslog-xml", "poslog/7/xml", '<!DOCTYPE a [<!ENTITY b "c">]><POSLog>&b;</POSLog>', "bad-shape")


def test_poslog_json():
    def sale(number, article, quantity, amount):
        return {"VoidFlag": "false", "SequenceNumber": number, "BeginDateTime": at(10, "%Y-%m-%dT%H:%M:%S"), "Sale": {
            "ItemType": "Stock", "ItemID": article, "AlternativeItemIDs": [{"Type": "UPC", "ID": "221341234"}],
            "MerchandiseHierarchy": [{"Level": "Department", "Value": "Confectionary"}, {"Level": "SubDepartment", "Value": "Chocolates"}],
            "Description": "4oz Dark Chocolate", "RegularSalesUnitPrice": "1.63", "ActualSalesUnitPrice": "1.63", "ExtendedAmount": amount,
            "DiscountAmount": "0.00", "Quantity": quantity}}

    def body(number, key="", **more):
        return {key + "CancelFlag": "false", "WorkstationID": "POS5", "BusinessUnit": {"ID": "120", "Name": "eStore"}, "TillID": "22", "SequenceNumber": number,
                "BusinessDayDate": at(0, "%Y-%m-%d"), "BeginDateTime": at(0, "%Y-%m-%dT%H:%M:%S"), "EndDateTime": at(60, "%Y-%m-%dT%H:%M:%S"),
                "OperatorID": "John", "CurrencyCode": "EUR", **more}
    lines = {"Customer": {"CustomerID": "c-88"}, "Total": {"TotalType": "TransactionGrossAmount", "Amount": "4.89"}, "LineItem": [
        sale("1", "CA7865", "3", "4.89"),
        {"Tender": {"TenderType": "Cash", "TypeCode": "Sale", "Amount": "0.89"}, "SequenceNumber": "2"},
        {"Tender": {"TenderType": "CreditDebit", "Amount": "4.00"}, "SequenceNumber": "3"}]}
    with hearing("poslog-json", "c-88") as (store, watch):
        # Flat, and with the levels of the XML; a list of one may be an object.
        watch.publish("poslog/7/json", {"MessageType": "RetailTransaction", "RetailTransaction": body("41", **lines)})
        wanted = [[489, [["CA7865", 3, 489]]]]
        expect(store, watch, "c-88", wanted)
        watch.publish("poslog/7/json", {"POSLog": {"Transaction": body(42, "@", RetailStoreID="9", RetailTransaction={
            **lines, "LineItem": sale(1, "CA7866", 1, 4.89)})}})
        expect(store, watch, "c-88", wanted + [[489, [["CA7866", 1, 489]]]])
        watch.publish("poslog/7/json", {"MessageType": "RetailTransaction", "RetailTransaction": body(
            "43", TransactionStatus="PostVoided", TransactionLink={"SequenceNumber": "41", "ReasonCode": "PostVoid"}, **lines)})
        expect(store, watch, "c-88", [[489, [["CA7866", 1, 489]]]])
        refused(store, watch, "poslog-json", "poslog/7/json", {"MessageType": "InventoryCount", "Count": []})


if __name__ == "__main__":
    main([test for name, test in list(globals().items()) if name.startswith("test_")])
