// SPDX-License-Identifier: Apache-2.0
//
// store.mjs - a real store for the tests of the page: broker, daemon, a policy whose cards come when their goods are scanned.

import {spawn, spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {deflateSync} from 'node:zlib';
import mqtt from 'mqtt';

export const until = async (what, ask, ms = 20000) => {
	for (const end = Date.now() + ms; Date.now() < end;) {
		const found = await ask();
		if (found)
			return found;
		await new Promise((done) => setTimeout(done, 50));
	}
	throw new Error('not in time: ' + what);
};

const freePort = () => new Promise((resolve) => {
	const server = createServer().listen(0, '127.0.0.1', () => {
		const {port} = server.address();
		server.close(() => resolve(port));
	});
});

// ---- what the policy says ----

function crc32(bytes) {
	let crc = ~0;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
	}
	return ~crc >>> 0;
}

// A cup from above.
function png(side) {
	const chunk = (kind, body) => {
		const out = Buffer.alloc(12 + body.length), named = Buffer.concat([Buffer.from(kind), body]);
		out.writeUInt32BE(body.length);
		named.copy(out, 4);
		out.writeUInt32BE(crc32(named), 8 + body.length);
		return out;
	};
	const head = Buffer.from([0, 0, 0, side, 0, 0, 0, side, 8, 2, 0, 0, 0]);
	const rows = Buffer.alloc(side * (1 + 3 * side));
	for (let y = 0; y < side; y++)
		for (let x = 0; x < side; x++) {
			const inside = Math.hypot(x - side / 2, y - side / 2) < side * 0.4;
			rows.set(inside ? [120, 72, 32] : [246, 238, 226], y * (1 + 3 * side) + 1 + 3 * x);
		}
	return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

// 200 characters each.
const LONG = {
	en: 'Would you like us to put the missing half of your order aside for you until tomorrow evening, so that you can pick it up together with the two ' +
		'boxes which are already waiting for you at the desk?',
	de: 'Möchten Sie, dass wir Ihnen die fehlende Hälfte Ihrer Bestellung bis morgen Abend zurücklegen, damit Sie alles gemeinsam mit den beiden ' +
		'Lebensmittelverpackungskartons am Schalter abholen können?',
	ar: 'هل تودّون أن نحتفظ لكم بالنصف الناقص من طلبكم حتى مساء الغد، لكي تتمكنوا من استلامه مع الصندوقين اللذين ينتظرانكم بالفعل عند مكتب الاستقبال ' +
		'بجانب المدخل الرئيسي للمتجر دون أي تكلفة إضافية؟',
};
const twoHundred = (text) => text.padEnd(200, ' …').slice(0, 200);

const words = (all) => Object.entries(all).map(([language, text]) => ({treatment: 'plain-' + language, language, ...text}));
const action = (name, more) => ({
	action: name, kind: 'service', issue: 'help', group: name, on: ['aisle.basket.item-added'], personal: false,
	applicable: {'>': [{var: name.replace('-', '_')}, 0]}, propensity: 0.5, incremental: 1, margin: 900, outcome: {is: 'none'},
	placements: ['tablet'], gate: 'associate', expires: '10m', ...more,
});

const offer = {kind: 'offer', outcome: {is: 'redeemed', within: '0d'}};
const ACTIONS = [
	action('coffee', {...offer, margin: 2000,
		offer: {type: 'amount', depth: 45, apply: 'till-code', include: {category: 'go/coffee'}},
		treatments: words({
			en: {headline: '45 cents off any coffee today', say: 'Would you like 45 cents off your coffee today?', why: ['Usually buys coffee by now'], image: 'cup.png'},
			de: {headline: '45 Cent auf jeden Kaffee', say: 'Möchten Sie heute 45 Cent weniger für Ihren Kaffee?', why: ['Kauft sonst um diese Zeit Kaffee'], image: 'cup.png'},
			ar: {headline: 'خصم 45 سنتًا على القهوة', say: 'هل تودّ خصم 45 سنتًا على قهوتك اليوم؟', why: ['يشتري القهوة عادةً في هذا الوقت'], image: 'cup.png'},
		})}),
	action('filters', {kind: 'recommend', outcome: {is: 'bought', within: '0d', item: {category: 'go/paper'}}, margin: 1500,
		treatments: words({
			en: {headline: 'Paper filters, aisle 4', say: 'Do you still have coffee filters at home?', why: ['Bought a filter machine in October']},
			de: {headline: 'Filtertüten, Gang 4', say: 'Haben Sie zu Hause noch Filtertüten?', why: ['Hat im Oktober eine Filtermaschine gekauft']},
			ar: {headline: 'مرشحات ورقية، الممر 4', say: 'هل لديك مرشحات قهوة في البيت؟', why: ['اشترى آلة قهوة في أكتوبر']},
		})}),
	action('coupon', {...offer, margin: 1800, offer: {type: 'amount', depth: 200, apply: 'barcode', code: 'AISLE-0042', include: {category: 'go/coupon'}},
		treatments: words({en: {headline: '€2 off the next bag', say: 'Shall I show you a coupon for €2 off?'}})}),
	action('long', {margin: 1900, treatments: words({
		en: {headline: LONG.en, say: twoHundred(LONG.en), body: LONG.en, why: [LONG.en, LONG.en], disclosure: LONG.en},
		de: {headline: LONG.de, say: twoHundred(LONG.de), body: LONG.de, why: [LONG.de, LONG.de], disclosure: LONG.de},
		ar: {headline: LONG.ar, say: twoHundred(LONG.ar), body: LONG.ar, why: [LONG.ar, LONG.ar], disclosure: LONG.ar},
	})}),
	action('managed', {...offer, margin: 300, gate: 'manager',
		offer: {type: 'amount', depth: 100, apply: 'till-code', include: {category: 'go/coffee'}},
		treatments: words({en: {headline: 'A euro off, if a manager agrees'}})}),
	action('gift', {...offer, margin: 300, applicable: false, offer: {type: 'amount', depth: 150, apply: 'till-code', include: {category: 'go/coffee'}},
		treatments: words({en: {headline: 'A gift of €1.50'}})}),
	// of the law and of safety: no margin, no odds
	...['recall', 'long-recall'].map((name) => {
		const {propensity, incremental, margin, outcome, ...must} = action(name, {kind: 'alert', mandatory: true, gate: 'none', treatments: words(
			name === 'recall' ? {
				en: {headline: 'Recalled: keep the baby food aside', say: 'This jar has been recalled. May I keep it here?', steps: ['Put it in the red box']},
				de: {headline: 'Rückruf: Babybrei beiseitelegen', say: 'Dieses Glas wurde zurückgerufen. Darf ich es hierbehalten?', steps: ['In die rote Kiste legen']},
				ar: {headline: 'استدعاء: ضع طعام الأطفال جانبًا', say: 'تم استدعاء هذه العلبة. هل لي أن أحتفظ بها هنا؟', steps: ['ضعها في الصندوق الأحمر']},
			} : {en: {headline: LONG.en, say: twoHundred(LONG.en), steps: [LONG.en, LONG.en]}, de: {headline: LONG.de}, ar: {headline: LONG.ar}})});
		return must;
	}),
];

const POLICY = {
	name: 'glass', version: 1, currency: 'EUR', languages: ['en', 'de', 'ar'],
	salts: {id: 'c0ffee00'.repeat(8), control: '0badcafe'.repeat(8), explore: 'feedface'.repeat(8)},
	placements: {tablet: {slots: 3}}, explore: 'greedy', interrupt: 3,
};
const FEATURES = {features: ['coffee', 'filters', 'coupon', 'managed', 'long', 'recall', 'long-recall'].map((name) =>
	({name: name.replace('-', '_'), type: 'number', from: `basket.count(category=go/${name})`}))};
const consent = {personalise: 'granted', profile: 'granted', contact: 'granted'};
// Each sale has a customer of its own: one who is read at another till has left this one.
const CUSTOMERS = 200;
const PROFILES = ['en', 'de', 'ar'].flatMap((language) => [...Array(CUSTOMERS).keys()].map((n) => ({card: `card-${language}-${n}`, language, consent, attributes: {},
	line: {en: 'Gold · 6th visit this month', de: 'Gold · 6. Besuch im Monat', ar: 'ذهبي · الزيارة السادسة هذا الشهر'}[language]})));

// ---- the store ----

export class Store {
	static async open(build) {
		const store = new Store();
		store.bin = build;
		store.folder = mkdtempSync(tmpdir() + '/aisle-glass-');
		store.brokerPort = await freePort();
		store.httpPort = await freePort();
		store.serial = store.sales = 0;
		store.log = openSync(store.folder + '/log', 'a');
		store.write('broker.conf', `listener ${store.brokerPort} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n` +
			(process.getuid() === 0 ? 'user root\n' : ''));
		store.write('pepper', '00112233445566778899aabbccddeeff'.repeat(2) + '\n');
		store.write('aisled.conf', `[store]\nid = 0042\n[mqtt]\nport = ${store.brokerPort}\n[http]\nlisten = 127.0.0.1:${store.httpPort}\n` +
			`[state]\ndir = ${store.folder}/state\ncontrol = ${store.folder}/control.sock\n[privacy]\npepper_file = ${store.folder}/pepper\n`);
		process.on('exit', () => [store.daemon, store.broker].forEach((child) => child?.kill('SIGKILL')));
		for (const signal of ['SIGINT', 'SIGTERM'])
			process.on(signal, () => process.exit(1));
		await store.startBroker();
		await store.startDaemon();
		store.install();
		store.token = await store.pair();
		return store;
	}

	write(name, text) {
		writeFileSync(this.folder + '/' + name, typeof text === 'string' || Buffer.isBuffer(text) ? text : JSON.stringify(text));
	}

	get url() {
		return `http://127.0.0.1:${this.httpPort}/`;
	}

	ctl(words, input) {
		const done = spawnSync(this.bin + '/aislectl', ['--config', this.folder + '/aisled.conf', ...words], {input, encoding: 'utf8'});
		if (done.status !== 0)
			throw new Error(words.join(' ') + ': ' + done.stdout + done.stderr);
		return done.stdout;
	}

	install() {
		for (const sub of ['', '/actions', '/images'])
			mkdirSync(this.folder + '/policy' + sub, {recursive: true});
		this.write('policy/policy.json', POLICY);
		this.write('policy/features.json', FEATURES);
		for (const one of ACTIONS)
			this.write(`policy/actions/${one.action}.json`, one);
		this.write('policy/images/cup.png', png(96));
		this.ctl(['bundle', 'build', this.folder + '/policy', '-o', this.folder + '/policy.bundle']);
		this.ctl(['bundle', 'install', this.folder + '/policy.bundle']);
		this.write('profiles.jsonl', PROFILES.map((p) => JSON.stringify(p)).join('\n') + '\n');
		this.ctl(['profiles', 'build', this.folder + '/profiles.jsonl', '--store', '0042', '-o', this.folder + '/profiles.bundle']);
		this.ctl(['profiles', 'install', this.folder + '/profiles.bundle']);
		this.ctl(['manager', 'add', 'm1'], '4321\n');
	}

	// The token of a new tablet; of all stations, or of these.
	async pair(name = 'glass', stations) {
		const {code} = JSON.parse(this.ctl(['tablet', 'pair', '--json', ...stations ? ['--stations', stations] : []]));
		const answer = await fetch(this.url + 'v1/pair', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({code, name})});
		return (await answer.json()).token;
	}

	async startBroker() {
		const binary = process.env.MOSQUITTO || '/usr/sbin/mosquitto';
		this.broker = spawn(binary, ['-c', this.folder + '/broker.conf'], {stdio: ['ignore', this.log, this.log]});
		this.client ??= mqtt.connect(`mqtt://127.0.0.1:${this.brokerPort}`, {reconnectPeriod: 200});
		this.commands ??= [];
		if (!this.listening) {
			this.client.on('connect', () => this.client.subscribe('aisle/v1/0042/pos/+/command', {qos: 1}));
			this.client.on('message', (topic, payload) => this.commands.push({till: topic.split('/')[4], ...JSON.parse(payload)}));
			this.client.on('error', () => {});
			this.listening = true;
		}
		await until('the broker', () => this.client.connected);
	}

	async startDaemon() {
		this.daemon = spawn(this.bin + '/aisled', ['--config', this.folder + '/aisled.conf'], {stdio: ['ignore', this.log, this.log]});
		await until('the daemon', () => fetch(this.url + 'readyz').then((a) => a.json()).then((r) => !r.reasons.includes('no-broker'), () => false));
	}

	async kill(what, signal = 'SIGKILL') {
		const process = this[what], gone = new Promise((done) => process.once('exit', done));
		process.kill(signal);
		if (signal === 'SIGKILL' || signal === 'SIGTERM')
			await gone;
	}

	async event(till, type, data) {
		const event = {specversion: '1.0', id: 'e' + ++this.serial, source: `/store/0042/pos/${till}`, type: 'aisle.' + type,
			time: new Date().toISOString(), datacontenttype: 'application/json', data};
		await this.client.publishAsync(`aisle/v1/0042/pos/${till}/event`, JSON.stringify(event), {qos: 1});
	}

	// A sale at this till, of a customer who speaks this; '': a stranger.
	async sale(till, language = 'en') {
		await this.event(till, 'basket.opened', {basket: 'b-' + till, terminal: till});
		if (language)
			await this.event(till, 'customer.identified', {card: `card-${language}-${this.sales++ % CUSTOMERS}`, basket: 'b-' + till, station: till});
	}

	async scan(till, goods) {
		await this.event(till, 'basket.item-added', {basket: 'b-' + till, line: ++this.serial, sku: 'sku-' + goods, category: 'go/' + goods,
			qty: 1, amount: 499, currency: 'EUR'});
	}

	// What the store has of a card of this action, by another tablet's eyes.
	async prompt(till, name) {
		const answer = await fetch(`${this.url}v1/stations/${till}`, {headers: {Authorization: 'Bearer ' + this.token}});
		const {open} = await answer.json();
		const guidance = (open || []).find((g) => g.prompts.some((p) => p.action === name));
		return guidance && {guidance: guidance.guidance, decision: guidance.decision, ...guidance.prompts.find((p) => p.action === name)};
	}

	outcomes(decision, name) {
		return JSON.parse(this.ctl(['why', decision, '--json'])).outcomes.map((o) => o.outcome).filter((o) => o === name).length;
	}

	async close() {
		await this.client.endAsync(true);
		for (const what of ['daemon', 'broker'])
			if (this[what].exitCode === null)
				await this.kill(what);
		rmSync(this.folder, {recursive: true, force: true});
	}
}
