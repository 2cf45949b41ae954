// SPDX-License-Identifier: Apache-2.0
//
// page.mjs - the tablet page in a real browser against the real HTTP server (page_server.c).
//
//   node page.mjs PAGE_SERVER [FOLDER]      screenshots go to FOLDER
//
// What the store says is played line by line; what the page does is seen from outside:
// on the screen, and as taps at the server.

import {spawn} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {createInterface} from 'node:readline';
import assert from 'node:assert/strict';
import {chromium} from 'playwright-core';

const [server_path, folder] = process.argv.slice(2);
if (!server_path) {
	console.error('usage: node page.mjs PAGE_SERVER [FOLDER]');
	process.exit(64);
}
if (folder)
	mkdirSync(folder, {recursive: true});

const TABLET = {width: 1024, height: 768}, PHONE = {width: 390, height: 844};
const TOKEN = 'T'.repeat(43);

// ---- the store ----

class Server {
	constructor() {
		this.lines = [];
		this.waiting = [];
	}

	async start(port = 0) {
		this.process = spawn(server_path, [String(port)], {stdio: ['pipe', 'pipe', 'inherit']});
		createInterface({input: this.process.stdout}).on('line', (line) => {
			this.lines.push(line);
			this.waiting = this.waiting.filter((wait) => !wait());
		});
		const line = await this.line(/^listening /);
		this.port = Number(line.split(':').pop());
		this.url = 'http://127.0.0.1:' + this.port + '/';
		this.say('tablet ' + TOKEN + ' 7,8');
	}

	say(line) {
		this.process.stdin.write(line + '\n');
	}

	send(event, data, station = '7') {
		this.say('send ' + station + ' ' + event + ' ' + JSON.stringify(data));
	}

	// The next line that matches, also one that came already; it is taken out.
	line(pattern, ms = 15000) {
		return new Promise((resolve, reject) => {
			const look = () => {
				const i = this.lines.findIndex((line) => pattern.test(line));
				if (i < 0)
					return false;
				clearTimeout(timer);
				resolve(this.lines.splice(i, 1)[0]);
				return true;
			};
			const timer = setTimeout(() => reject(new Error('no line ' + pattern + ' in\n' + this.lines.join('\n'))), ms);
			if (!look())
				this.waiting.push(look);
		});
	}

	stop() {
		return new Promise((resolve) => {
			this.process.on('exit', resolve);
			this.process.stdin.end();
		});
	}
}

const store = new Server();
let serial = 0;

function prompt(more) {
	return {
		prompt: 'P' + ++serial, action: 'coffee-off', treatment: 'plain', kind: 'offer', headline: '10 % off any coffee today',
		say: 'Would you like 10 % off your coffee today?', why: ['Usually buys coffee by now'], confidence: 0.62, gate: 'associate',
		state: 'open', choices: ['accept', 'dismiss', 'snooze', 'override'],
		alternatives: [{action: 'coffee-off', depth: 5, headline: '5 % off any coffee'}, {action: 'cake', headline: 'A slice of cake with it'}],
		offer: {type: 'percent', worth: 45, currency: 'EUR', apply: 'till-code'}, ...more,
	};
}

function guidance(prompts, more) {
	return {
		guidance: 'G' + ++serial, decision: 'D1', station: '7', basket: 'B1', at: new Date().toISOString(),
		expires: new Date(Date.now() + 120000).toISOString(), policy: {name: 'spring', version: 12},
		customer: {known: true, line: 'Gold · 6th visit this month'}, prompts, ...more,
	};
}

const second = () => prompt({
	action: 'filters', kind: 'recommend', headline: 'Paper filters, aisle 4', say: 'Do you still have coffee filters at home?',
	why: ['Bought a filter machine in October'], offer: undefined, alternatives: [], choices: ['accept', 'dismiss', 'snooze'],
});

// ---- the browser ----

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
		'--disable-component-update', '--disable-sync'],
});
const foreign = [], errors = [];

async function open(options = {}) {
	const context = await browser.newContext({viewport: TABLET, colorScheme: 'light', locale: 'en-GB', hasTouch: true, ...options});
	if (options.paired !== false)
		await context.addCookies([{name: 'aisle_token', value: TOKEN, url: store.url, httpOnly: true, sameSite: 'Strict'}]);
	const page = await context.newPage();
	page.on('request', (request) => {
		if (!request.url().startsWith(store.url) && !request.url().startsWith('data:'))
			foreign.push(request.url());
	});
	page.on('pageerror', (error) => errors.push(String(error)));
	page.on('console', (message) => {
		if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text()))
			errors.push(message.text());
	});
	page.setDefaultTimeout(10000);
	await page.goto(store.url + (options.query ?? '?station=7'));
	if (options.query === undefined)
		await page.locator('#live', {hasText: /Live/}).waitFor({state: 'attached'});
	return page;
}

async function shot(page, name) {
	if (folder)
		await page.screenshot({path: folder + '/' + name + '.png'});
}

// Every control is large enough, inside the screen's width, and no text runs out of its box.
async function assertLayout(page, what) {
	const found = await page.evaluate(() => {
		const problems = [];
		const visible = (e) => e.checkVisibility() && e.getBoundingClientRect().width > 0;
		const dialog = document.querySelector('dialog[open]');
		for (const e of (dialog || document).querySelectorAll('button, input, summary')) {
			const r = e.getBoundingClientRect();
			if (!visible(e))
				continue;
			if (r.width < 48 || r.height < 48)
				problems.push(`target ${e.textContent || e.name} is ${r.width.toFixed()} x ${r.height.toFixed()}`);
			if (r.left < 0 || r.right > innerWidth + 0.5)
				problems.push(`target ${e.textContent || e.name} leaves the screen`);
		}
		for (const e of document.querySelectorAll('body *:not(.unseen):not(script):not(style)')) {
			if (!visible(e) || e.closest('#customer, #live'))
				continue;
			if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display !== 'inline')
				problems.push(`text overflows in ${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`);
		}
		if (document.documentElement.scrollWidth > innerWidth)
			problems.push('the page scrolls sideways');
		return problems;
	});
	assert.deepEqual(found, [], what);
}

// WCAG contrast of all visible text against the nearest painted background.
async function assertContrast(page, what) {
	const found = await page.evaluate(() => {
		const parse = (c) => (c.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
		const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
		const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
		const behind = (e) => {
			for (; e; e = e.parentElement) {
				const c = parse(getComputedStyle(e).backgroundColor);
				if (c.length < 4 || c[3] > 0)
					return c;
			}
			return [255, 255, 255];
		};
		const problems = [];
		for (const e of document.querySelectorAll('body *')) {
			const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
			if (!own || !e.checkVisibility() || e.matches('.unseen'))
				continue;
			const style = getComputedStyle(e), a = light(parse(style.color)), b = light(behind(e));
			const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
			const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
			if (ratio < (large ? 3 : 4.5))
				problems.push(`${ratio.toFixed(2)} in ${e.className}: ${e.textContent.slice(0, 30)}`);
		}
		return problems;
	});
	assert.deepEqual(found, [], what);
}

const say = (page, text) => page.locator('.card .say', {hasText: text});
const choice = (page, name, i = 0) => page.locator(`.card .${name}`).nth(i);

// ---- what is tested ----

const tests = {
	async 'pairing: six digits make this a tablet, a wrong code is said plainly'() {
		const page = await open({paired: false, query: '', viewport: PHONE});
		await page.locator('input.code').waitFor();
		await assertLayout(page, 'pairing on a phone');
		await assertContrast(page, 'pairing');
		await shot(page, 'pair-phone-light');
		store.say('pair 7');
		const code = (await store.line(/^code /)).slice(5);
		await page.fill('input.code', code === '000000' ? '111111' : '000000');
		await page.click('.pair .accept');
		await page.locator('.pair .bad', {hasText: 'wrong'}).waitFor();
		await page.fill('input.code', code);
		await page.fill('input[name=name]', 'till-7');
		await page.click('.pair .accept');
		await page.locator('.calm .big', {hasText: 'Ready'}).waitFor();
		const cookie = (await page.context().cookies()).find((c) => c.name === 'aisle_token');
		assert.ok(cookie.httpOnly);
		assert.equal(cookie.sameSite, 'Strict');
		assert.equal(await page.evaluate(() => document.cookie), '');
		await page.context().close();
	},

	async 'several tills: the associate chooses, and the choice is kept'() {
		store.say('stations 7,8');
		const page = await open({query: ''});
		await page.locator('.choice', {hasText: 'Till 8'}).waitFor();
		await assertLayout(page, 'choosing a till');
		await shot(page, 'stations-tablet-light');
		await page.locator('.choice', {hasText: 'Till 8'}).click();
		await page.locator('#live', {hasText: 'Live'}).waitFor();
		await page.reload();
		await page.locator('#station', {hasText: 'Till 8'}).waitFor();
		await page.locator('.calm .big', {hasText: 'Ready'}).waitFor();
		await page.context().close();
		store.say('stations 7');
	},

	async 'one tap accepts, and the card says asked until the till has done it'() {
		const page = await open();
		await page.locator('.calm .big', {hasText: 'Ready'}).waitFor();
		await shot(page, 'ready-tablet-light');
		const g = guidance([prompt(), second()]);
		store.send('guidance', g);
		await say(page, 'Would you like').waitFor();
		assert.equal(await page.locator('.card').count(), 2);
		await page.waitForTimeout(300);
		await shot(page, 'two-cards-tablet-light');
		await assertLayout(page, 'two cards');
		await assertContrast(page, 'two cards');
		await page.getByText('Usually buys coffee by now').waitFor();
		await page.locator('.why summary').first().click();
		assert.equal(await page.locator('.card ul').first().isVisible(), false, 'the reason can be put away');
		await store.line(new RegExp('^tap shown ' + g.guidance + ' ' + g.prompts[0].prompt + ' \\{\\}'));
		await store.line(new RegExp('^tap shown ' + g.guidance + ' ' + g.prompts[1].prompt + ' \\{\\}'));
		await choice(page, 'accept').tap();
		await store.line(new RegExp('^tap decision ' + g.guidance + ' ' + g.prompts[0].prompt + ' {"decision":"accept"}'));
		await page.locator('.card .outcome', {hasText: 'Asked the till'}).waitFor();
		await shot(page, 'asked-tablet-light');
		g.prompts[0] = {...g.prompts[0], state: 'applied', choices: []};
		store.send('guidance', g);
		await page.locator('.card .outcome', {hasText: 'Applied'}).waitFor();
		await shot(page, 'applied-tablet-light');
		await assertContrast(page, 'applied');
		await page.locator('.card').nth(1).waitFor({state: 'detached', timeout: 10000});
		await page.click('#earlier');
		await page.locator('.earlier .became', {hasText: 'Applied'}).waitFor();
		await shot(page, 'earlier-tablet-light');
		await page.keyboard.press('Escape');
		await page.locator('dialog').waitFor({state: 'detached'});
		store.send('withdraw', {guidance: g.guidance, reason: 'tender'});
		await page.locator('.calm .big', {hasText: 'Ready'}).waitFor();
		await page.context().close();
	},

	async 'dismiss asks why with large buttons, and later and instead say when and what'() {
		const page = await open();
		const g = guidance([prompt()]);
		store.send('guidance', g);
		await choice(page, 'dismiss').tap();
		await page.locator('dialog .choice', {hasText: 'Customer said no'}).waitFor();
		await assertLayout(page, 'reasons');
		await assertContrast(page, 'reasons');
		await shot(page, 'reasons-tablet-light');
		await page.keyboard.press('Escape');
		assert.equal(await page.locator('.card[data-state=open]').count(), 1, 'escape answers nothing');
		await choice(page, 'dismiss').tap();
		await page.locator('dialog .choice', {hasText: 'Out of stock'}).tap();
		await store.line(/^tap decision .* {"decision":"dismiss","reason":"out-of-stock"}/);
		await page.locator('.card').waitFor({state: 'detached'});
		store.send('guidance', guidance([prompt()]));
		await choice(page, 'dismiss').tap();
		await page.locator('dialog .skip').tap();
		await store.line(/^tap decision .* {"decision":"dismiss"}/);
		await page.locator('.card').waitFor({state: 'detached'});
		store.send('guidance', guidance([prompt()]));
		await choice(page, 'snooze').tap();
		await shot(page, 'later-tablet-light');
		await page.locator('dialog .choice', {hasText: 'In 5 minutes'}).tap();
		const line = await store.line(/^tap decision .*"snooze"/);
		const until = Date.parse(JSON.parse(line.split(' ').slice(4).join(' ')).until);
		assert.ok(Math.abs(until - Date.now() - 300000) < 60000);
		await page.locator('.card').waitFor({state: 'detached'});
		store.send('guidance', guidance([prompt()]));
		await choice(page, 'override').tap();
		await assertLayout(page, 'instead');
		await page.locator('dialog .choice', {hasText: '5 % off'}).tap();
		await store.line(/^tap decision .* {"decision":"override","instead":{"action":"coffee-off","depth":5}}/);
		await page.context().close();
	},

	async 'a card that is over goes, and one that was never seen is said to be'() {
		const page = await open();
		store.send('guidance', guidance([prompt({say: 'This one is short'})], {expires: new Date(Date.now() + 2500).toISOString()}));
		await say(page, 'short').waitFor();
		await page.locator('.card').waitFor({state: 'detached', timeout: 10000});
		await page.locator('.calm').waitFor();
		const g = guidance([prompt()]);
		store.send('guidance', g);
		store.send('withdraw', {guidance: g.guidance, reason: 'customer'});
		await store.line(new RegExp('^tap shown ' + g.guidance + ' \\S+ {"shown":false}'));
		await page.locator('.calm').waitFor();
		await page.context().close();
	},

	async 'too late, answered otherwise and a refusing till are said in plain words'() {
		const page = await open();
		store.say('reply 410 expired');
		store.send('guidance', guidance([prompt()]));
		await choice(page, 'accept').tap();
		await page.locator('.card .outcome', {hasText: 'Too late'}).waitFor();
		await shot(page, 'too-late-tablet-light');
		await page.locator('.card').waitFor({state: 'detached', timeout: 10000});
		store.say('reply 409 other');
		store.send('guidance', guidance([prompt()]));
		await choice(page, 'accept').tap();
		await page.locator('.card .outcome', {hasText: 'Already answered'}).waitFor();
		store.say('reply 200');
		await page.locator('.card').waitFor({state: 'detached', timeout: 10000});
		const g = guidance([prompt()]);
		store.send('guidance', g);
		await choice(page, 'accept').tap();
		await page.locator('.card .outcome', {hasText: 'Asked'}).waitFor();
		g.prompts[0] = {...g.prompts[0], state: 'refused', choices: []};
		store.send('guidance', g);
		await page.locator('.card .outcome', {hasText: 'till said no'}).waitFor();
		await page.context().close();
	},

	async 'a manager approves with a PIN, and a wrong one can be tried again'() {
		const page = await open();
		store.send('guidance', guidance([prompt({gate: 'manager'})]));
		await page.locator('.card .accept', {hasText: 'Approve'}).tap();
		await page.fill('dialog input[name=manager]', 'm1');
		await page.fill('dialog input[name=pin]', '1234');
		await assertLayout(page, 'PIN');
		await shot(page, 'manager-tablet-light');
		store.say('reply 403 PIN');
		await page.locator('dialog .accept').tap();
		await store.line(/^tap decision .* {"decision":"accept","manager":"m1","pin":"1234"}/);
		await page.locator('.card .outcome', {hasText: 'PIN not right'}).waitFor();
		store.say('reply 200');
		await page.locator('.card .accept').tap();
		await page.fill('dialog input[name=manager]', 'm1');
		await page.fill('dialog input[name=pin]', '4321');
		await page.locator('dialog .accept').tap();
		await page.locator('.card .outcome', {hasText: 'Asked'}).waitFor();
		await page.context().close();
	},

	async 'a kept card keeps its place and a new basket replaces all'() {
		const page = await open();
		const kept = second();
		const g = guidance([prompt(), kept]);
		store.send('guidance', g);
		await say(page, 'filters').waitFor();
		await page.locator('.card').nth(1).evaluate((e) => { e.mark = 'same'; });
		g.prompts = [prompt({say: 'Another first card'}), kept];
		store.send('guidance', g);
		await say(page, 'Another').waitFor();
		assert.equal(await page.locator(`[data-prompt=${kept.prompt}]`).evaluate((e) => e.mark), 'same');
		await page.locator('.card').nth(2).waitFor({state: 'detached'});
		store.send('withdraw', {guidance: g.guidance, reason: 'closed'});
		store.send('guidance', guidance([], {customer: {known: true, line: 'Silver · welcome back'}}));
		await page.locator('.calm .big', {hasText: 'Silver'}).waitFor();
		await shot(page, 'customer-line-tablet-light');
		await page.context().close();
	},

	async 'the line breaks: it is said, the cards stay, and the page comes back by itself'() {
		const page = await open();
		const g = guidance([prompt()]);
		store.send('guidance', g);
		await say(page, 'Would you like').waitFor();
		const port = store.port;
		await store.stop();
		await page.locator('#banner', {hasText: 'Offline'}).waitFor();
		assert.equal(await page.locator('.card').count(), 1);
		await page.waitForTimeout(300);
		await shot(page, 'offline-tablet-light');
		await assertContrast(page, 'offline');
		await choice(page, 'accept').tap();
		await page.locator('.card .outcome', {hasText: 'Not sent yet'}).waitFor();
		await store.start(port);
		store.say('open ' + JSON.stringify([g]));
		await store.line(new RegExp('^tap decision ' + g.guidance + ' .*accept'), 30000);
		await page.locator('#banner').waitFor({state: 'hidden', timeout: 60000});
		await page.locator('#live', {hasText: 'Live'}).waitFor();
		store.send('withdraw', {guidance: g.guidance, reason: 'closed'});
		await page.locator('.card').waitFor({state: 'detached'});
		store.say('open []');
		store.send('guidance', guidance([prompt({say: 'This one goes while nobody hears'})]));
		await say(page, 'nobody hears').waitFor();
		await store.stop();
		await page.locator('#banner', {hasText: 'Offline'}).waitFor();
		await store.start(port);
		await page.locator('.card').waitFor({state: 'detached', timeout: 60000});
		await page.context().close();
	},

	async 'text of a card is text, whatever it looks like'() {
		const page = await open();
		const evil = '<img src=x onerror="document.title=1"><b>bold</b>';
		store.send('guidance', guidance([prompt({say: evil, headline: evil, why: [evil], body: evil, steps: [evil],
			image: 'https://evil.example/x.png', disclosure: evil})], {customer: {known: true, line: evil}}));
		await say(page, '<b>bold</b>').waitFor();
		assert.equal(await page.locator('.card img, .card b').count(), 0);
		assert.equal(await page.title(), 'aisle');
		await page.context().close();
	},

	async 'phone, dark, German, long words, many steps: nothing runs over'() {
		const page = await open({viewport: PHONE, colorScheme: 'dark', locale: 'de-DE'});
		store.send('guidance', guidance([
			prompt({say: 'Möchten Sie heute 10 % auf Ihren Kaffee?', headline: '10 % auf Kaffee', why: ['Kauft sonst um diese Zeit Kaffee']}),
			second()]));
		await page.locator('.card').nth(1).waitFor();
		await page.waitForTimeout(300);
		await shot(page, 'two-cards-phone-dark-de');
		assert.equal(await page.locator('html').getAttribute('lang'), 'de');
		assert.ok(await page.locator('.card .accept', {hasText: 'Ja'}).first().isVisible());
		await assertLayout(page, 'phone, two cards');
		await assertContrast(page, 'phone, dark');
		await choice(page, 'dismiss').tap();
		await page.locator('dialog .choice').first().waitFor();
		await page.waitForTimeout(200);
		await assertLayout(page, 'phone, reasons');
		await assertContrast(page, 'phone, dark reasons');
		await shot(page, 'reasons-phone-dark-de');
		await page.keyboard.press('Escape');
		store.send('guidance', guidance([prompt({
			kind: 'service', say: 'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenhalterung gefunden?',
			headline: 'Ein sehr langer Titel, der auch auf einem schmalen Telefon noch ganz zu lesen sein muss', offer: undefined,
			body: 'Die Rückgabe von gestern ist noch offen.', steps: ['Kassenbon zeigen lassen', 'Rückgabe öffnen', 'Betrag bestätigen'],
			disclosure: 'Preis inkl. MwSt.'})]));
		await say(page, 'Donau').waitFor();
		await assertLayout(page, 'phone, long words');
		await page.context().close();
	},

	async 'tablet dark with one card, and a page that reads from right to left'() {
		const page = await open({colorScheme: 'dark'});
		store.send('guidance', guidance([prompt({kind: 'service', headline: 'Two declined payments', offer: undefined,
			say: 'Shall we try the card once more, or another way to pay?', body: 'The terminal was restarted a minute ago.',
			steps: ['Try the chip, not contactless', 'Offer the second terminal'], choices: ['accept', 'dismiss', 'snooze']})]));
		await page.locator('.card').waitFor();
		await page.waitForTimeout(300);
		await shot(page, 'one-card-tablet-dark');
		await assertLayout(page, 'one card');
		await assertContrast(page, 'one card, dark');
		await page.evaluate(() => { document.documentElement.dir = 'rtl'; });
		await assertLayout(page, 'right to left');
		await page.context().close();
	},

	async 'an accepted coupon is a barcode that stays until the sale is over'() {
		const page = await open({colorScheme: 'dark'});
		const g = guidance([prompt({offer: {type: 'amount', worth: 200, currency: 'EUR', apply: 'barcode', code: 'AISLE-0042'}})]);
		store.send('guidance', g);
		await choice(page, 'accept').tap();
		await page.locator('.coupon svg').waitFor();
		const d = await page.locator('.coupon path').getAttribute('d');
		// start B, 10 characters, check, stop: 13 symbols of three bars, and the stop's fourth
		assert.equal(d.split('M').length - 1, 13 * 3 + 1);
		const sum = [...'AISLE-0042'].reduce((s, c, i) => s + (c.charCodeAt(0) - 32) * (i + 1), 104) % 103;
		const {symbols} = await page.evaluate(async () => ({symbols: (await import('/barcode.js')).symbols('AISLE-0042')}));
		assert.deepEqual(symbols, [104, ...[...'AISLE-0042'].map((c) => c.charCodeAt(0) - 32), sum, 106]);
		await page.waitForTimeout(5000);
		assert.ok(await page.locator('.coupon').isVisible());
		await shot(page, 'coupon-tablet-dark');
		await assertLayout(page, 'coupon');
		store.send('withdraw', {guidance: g.guidance, reason: 'closed'});
		await page.locator('.calm').waitFor();
		await page.context().close();
	},

	async 'phone with one card, light'() {
		const page = await open({viewport: PHONE});
		store.send('guidance', guidance([prompt({kind: 'retain'})]));
		await page.locator('.card').waitFor();
		await page.waitForTimeout(300);
		await shot(page, 'one-card-phone-light');
		await assertLayout(page, 'phone, one card');
		await assertContrast(page, 'phone, one card');
		await page.context().close();
	},

	async 'everything is done by keyboard too'() {
		const page = await open();
		const g = guidance([prompt()]);
		store.send('guidance', g);
		await choice(page, 'accept').focus();
		await page.keyboard.press('Tab');
		await page.keyboard.press('Enter');
		await page.locator('dialog').waitFor();
		await page.keyboard.press('Enter');
		await store.line(new RegExp('^tap decision ' + g.guidance + ' .*"reason":"customer-declined"'));
		await page.context().close();
	},

	async 'the manager sees today'() {
		const page = await open({query: 'manager'});
		await page.locator('td', {hasText: '184'}).waitFor();
		await assertContrast(page, 'report');
		await shot(page, 'manager-report-tablet-light');
		await page.context().close();
	},
};

let failed = 0;
await store.start();
for (const [name, test] of Object.entries(tests)) {
	try {
		await test();
		assert.deepEqual(errors.splice(0), [], 'errors in the page');
		console.log('ok   ' + name);
	} catch (error) {
		failed++;
		console.log('FAIL ' + name + '\n' + error.stack);
		for (const context of browser.contexts())
			await context.close();
		errors.length = 0;
		store.say('reply 200');
		store.say('open []');
		store.say('stations 7');
	}
}
assert.deepEqual(foreign, [], 'the page asks other hosts');
await browser.close();
await store.stop();
console.log(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
