// SPDX-License-Identifier: Apache-2.0: a till with one article. node till.js HOST PORT STORE TERMINAL CARD; Enter is paying.
const mqtt = require('mqtt');
const [host, port, store, terminal, card] = process.argv.slice(2);
const base = `aisle/v1/${store}/pos/${terminal}`;
const basket = `${terminal}-${Date.now()}`;
const PRICE = 499;
const done = new Set();			// commands that were carried out: one may come twice
const unheard = new Map();		// events whose receipt has not come yet
let step = 0, token = null, off = 0, paid = false;	// off: what our token takes off

const client = mqtt.connect({ host, port: Number(port), clientId: `till-${terminal}` });

function say(type, data, receipt = false) {
	const id = `${basket}-${++step}`;
	const event = { specversion: '1.0', id, source: `/${base}`, type: `aisle.${type}`, time: new Date().toISOString(),
		data: { basket, ...data }, receipt };
	if (receipt) unheard.set(id, event);
	client.publish(`${base}/event`, JSON.stringify(event), { qos: 1 });
}

// What our token takes off stands in its line, and so in the total.
function sayLine() {
	say('basket.item-added', { line: 1, gtin: '4006381333931', category: 'grocery/coffee', qty: 1, amount: PRICE - off,
		currency: 'EUR', discounts: off > 0 ? [{ ref: token, amount: off }] : [] });
}

function carryOut(command) {
	if (paid || command.basket !== basket || done.has(command.command)) return;
	done.add(command.command);
	if (command.type === 'apply-offer') {
		token = command.token;
		off = Math.min(command.offer.worth, PRICE);
		sayLine();
		say('offer.applied', { token, amount: off });
	} else if (command.type === 'withdraw-offer' && command.token === token && off > 0) {
		off = 0;
		sayLine();
		say('offer.refused', { token, reason: 'withdrawn' });
	}
}

function heard({ ids, refused = [] }) {
	for (const [, id] of [...ids, ...refused]) unheard.delete(id);
	if (!paid || unheard.size > 0) return;
	console.log(JSON.stringify({ basket, total: PRICE - off }));
	process.exit(0);
}

function pay() {
	if (paid) return;
	say('basket.tender-started', {});
	if (off > 0) say('offer.redeemed', { token, amount: off }, true);
	paid = true;
	say('basket.closed', { total: PRICE - off, currency: 'EUR' }, true);
	setInterval(() => unheard.forEach((e) => client.publish(`${base}/event`, JSON.stringify(e), { qos: 1 })), 5000);
}

client.on('message', (topic, text) => (topic.endsWith('/receipt') ? heard : carryOut)(JSON.parse(text)));
client.subscribe([`${base}/command`, `${base}/receipt`], { qos: 1 }, () => {
	say('basket.opened', { terminal });
	say('customer.identified', { card, station: terminal });
	sayLine();
	process.stdin.on('data', pay);
});
