// SPDX-License-Identifier: Apache-2.0
//
// page.mjs - the tablet page in a real browser against the real HTTP server (page_server.c).
//
//   node page.mjs PAGE_SERVER [FOLDER]      screenshots go to FOLDER
//
// What the store says is played line by line; what the page does is seen from outside:
// on the screen, and as taps at the server. With a real daemon and broker: live.mjs.

import assert from 'node:assert/strict';
import {TABLET, PHONE, Server, prompt, guidance, second, shot, shotsTo, assertLayout, assertContrast, say, choice, inSheet, settled, run,
	open as openAt} from './harness.mjs';

const [server_path, folder] = process.argv.slice(2);
if (!server_path) {
	console.error('usage: node page.mjs PAGE_SERVER [FOLDER]');
	process.exit(64);
}
shotsTo(folder);

const store = new Server(server_path);
const open = (options) => openAt(store, options);

// ---- the manager's page ----

function anAction(action, shown, accepted, more) {
	return {action, prompts: shown, shown, accepted, dismissed: shown - accepted, snoozed: 0, overridden: 0, 'not-shown': 0, redeemed: 0,
		unanswered: 0, ...more};
}

function aDay() {
	return {
		at: '2026-11-21T14:42:10.000Z', day: '2026-11-21T03:00:00.000Z', zone: 'Europe/Berlin', currency: 'EUR', decisions: 412, prompts: 191,
		withheld: 9, shown: 184, accepted: 61, dismissed: 48, snoozed: 17, overridden: 6, late: 1, 'not-shown': 12, applied: 45, refused: 2,
		redeemed: 43, reversed: 1, bought: 14, 'case-closed': 0, goal: 0, expired: 30, withdrawn: 26, unanswered: 44, redeemed_minor: 8845,
		spent: [], day_budget: {money: 15000, money_used: 9640},
		hours: [[8, 9, 2], [9, 21, 6], [10, 34, 12], [11, 41, 15], [12, 38, 14], [13, 0, 0], [14, 30, 8], [15, 11, 4]]
			.map(([hour, shown, accepted]) => ({hour, shown, accepted})),
		actions: [
			anAction('enrol', 45, 6, {headline: {en: 'Ask: would they like a card?', de: 'Frage: Möchten sie eine Kundenkarte?'}}),
			anAction('coffee-off', 58, 24, {headline: {en: '10 % off any coffee today', de: '10 % auf Kaffee'}, redeemed: 19, redeemed_minor: 3815,
				budget: {per: 'store-day', money: 5000, money_used: 4010}}),
			anAction('bread-off', 31, 14, {headline: {en: '… off sourdough bread', de: '… vom Sauerteigbrot'}, redeemed: 12, redeemed_minor: 2630,
				budget: {per: 'store-day', money: 10000, money_used: 5630, units: 40, units_used: 12}}),
			anAction('wine-pairing', 22, 9, {headline: {en: 'A wine that goes with this cheese, aisle 12', de: 'Ein Wein zu diesem Käse, Gang 12'}}),
			anAction('birthday', 18, 8, {headline: {en: 'Birthday week: a free cake', de: 'Geburtstagswoche: ein Kuchen gratis'}, redeemed: 12,
				redeemed_minor: 2400, budget: {per: 'campaign', money: 250000, money_used: 61200}}),
			anAction('return-help', 10, 0, {headline: {en: 'The return of last week is still open', de: 'Die Rückgabe der letzten Woche ist noch offen'}}),
		],
		stopped: [], policy: {name: 'spring', version: 12}, time: 'certain', broker: 'connected', hq: 'connected',
	};
}

async function manager(report, options = {}) {
	store.say('report ' + JSON.stringify(report));
	return open({query: 'manager', timezoneId: 'Europe/London', ...options});
}

const text = (page, selector) => page.locator(selector).innerText();

// The words of each, its parts in the order that they are read.
const texts = (page, selector) => page.$$eval(selector, (all) => all.map((e) => {
	const parts = [], walk = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
	while (walk.nextNode())
		parts.push(walk.currentNode.textContent.trim());
	return parts.filter((part) => part).join('|');
}));

// As every page; and no two words of the chart, and no two boxes, lie on each other.
async function assertReport(page, what) {
	await assertLayout(page, what);
	await assertContrast(page, what);
	const found = await page.evaluate(() => {
		const problems = [];
		const apart = (selector) => {
			const all = [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility()).map((e) => [e, e.getBoundingClientRect()]);
			all.forEach(([a, r], i) => all.slice(i + 1).forEach(([b, q]) => {
				if (r.left < q.right - 0.5 && q.left < r.right - 0.5 && r.top < q.bottom - 0.5 && q.top < r.bottom - 0.5)
					problems.push(`"${a.textContent.slice(0, 20)}" lies on "${b.textContent.slice(0, 20)}"`);
			}));
			for (const [e, r] of all)
				if (r.left < -0.5 || r.right > innerWidth + 0.5)
					problems.push(`"${e.textContent.slice(0, 20)}" leaves the screen`);
		};
		apart('.chart text');
		apart('header, .notice, .figure, section, .lift, .running, .nothing');
		apart('.key span, h2, .chart, .stack, .legend');
		apart('.legend li, .stops li, .rows li, header > *');
		apart('.figure dt, .figure dd, .figure .meter, .numbers span, .spent, .rows h3, .rows .meter');
		const frame = document.querySelector('.chart svg')?.getBoundingClientRect();
		for (const e of document.querySelectorAll('.chart text')) {
			const r = e.getBoundingClientRect();
			if (r.left < frame.left - 0.5 || r.right > frame.right + 0.5 || r.top < frame.top - 0.5 || r.bottom > frame.bottom + 0.5)
				problems.push(`"${e.textContent}" is cut off`);
		}
		for (const e of document.querySelectorAll('.stack i'))
			if (e.scrollWidth > e.clientWidth)
				problems.push(`"${e.textContent}" does not fit its part of the bar`);
		return problems;
	});
	assert.deepEqual(found, [], what);
}

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
		await settled(page);
		await shot(page, 'two-cards-tablet-light');
		await assertLayout(page, 'two cards');
		await assertContrast(page, 'two cards');
		await page.getByText('Usually buys coffee by now').waitFor();
		await page.locator('body:not(.fresh) .card:not(.fresh) .why summary').first().click();
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
		await inSheet(page, 'Out of stock').tap();
		await store.line(/^tap decision .* {"decision":"dismiss","reason":"out-of-stock"}/);
		await page.locator('.card').waitFor({state: 'detached'});
		store.send('guidance', guidance([prompt()]));
		await choice(page, 'dismiss').tap();
		await inSheet(page, '', '.skip').tap();
		await store.line(/^tap decision .* {"decision":"dismiss"}/);
		await page.locator('.card').waitFor({state: 'detached'});
		store.send('guidance', guidance([prompt()]));
		await choice(page, 'snooze').tap();
		await shot(page, 'later-tablet-light');
		await inSheet(page, 'In 5 minutes').tap();
		const line = await store.line(/^tap decision .*"snooze"/);
		const until = Date.parse(JSON.parse(line.split(' ').slice(4).join(' ')).until);
		assert.ok(Math.abs(until - Date.now() - 300000) < 60000);
		await page.locator('.card').waitFor({state: 'detached'});
		store.send('guidance', guidance([prompt()]));
		await choice(page, 'override').tap();
		await assertLayout(page, 'instead');
		await inSheet(page, '5 % off').tap();
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

	async 'an answer that never got through is among the earlier ones as too late'() {
		const page = await open();
		store.say('reply 502 bad gateway');
		store.send('guidance', guidance([prompt()], {expires: new Date(Date.now() + 8000).toISOString()}));
		await choice(page, 'accept').tap();
		await page.locator('.card .outcome', {hasText: 'Not sent yet'}).waitFor();
		await page.locator('.card').waitFor({state: 'detached', timeout: 20000});
		await page.locator('#banner', {hasText: 'Answers still to be sent: 1'}).waitFor();
		await page.locator('#earlier').tap();
		await page.locator('.earlier .became', {hasText: 'Not sent yet'}).waitFor();
		await page.keyboard.press('Escape');
		store.say('reply 410 expired');
		await page.locator('#banner').waitFor({state: 'hidden', timeout: 15000});
		await page.locator('body:not(.fresh) #earlier').tap();
		await page.locator('.earlier .became', {hasText: 'Too late'}).waitFor();
		store.say('reply 200');
		await page.context().close();
	},

	async 'a customer\'s line goes when its time is over, also where nobody says so'() {
		const page = await open();
		store.send('guidance', guidance([], {expires: new Date(Date.now() + 60000).toISOString()}));
		await page.locator('.calm .big', {hasText: 'Gold · 6th visit'}).waitFor();
		store.send('guidance', guidance([], {basket: 'B2', customer: {known: true, line: 'Silver · new'},
			expires: new Date(Date.now() + 3000).toISOString()}));
		await page.locator('.calm .big', {hasText: 'Silver · new'}).waitFor();
		await page.locator('.calm .big', {hasText: 'Gold · 6th visit'}).waitFor();
		await page.context().close();
	},

	async 'a headline with a dollar and a quote is read out as it is'() {
		const page = await open();
		store.send('guidance', guidance([prompt({headline: 'The $\'5 and $& offer'})]));
		await page.locator('#announce', {hasText: 'New: The $\'5 and $& offer'}).waitFor({state: 'attached'});
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
		await choice(page, 'accept').tap();
		await page.fill('dialog input[name=manager]', 'm1');
		await page.fill('dialog input[name=pin]', '1234');
		await assertLayout(page, 'PIN');
		await shot(page, 'manager-tablet-light');
		store.say('reply 403 PIN');
		await inSheet(page, '', '.accept').tap();
		await store.line(/^tap decision .* {"decision":"accept","manager":"m1","pin":"1234"}/);
		await page.locator('.card .outcome', {hasText: 'PIN not right'}).waitFor();
		store.say('reply 200');
		await choice(page, 'accept').tap();
		await page.fill('dialog input[name=manager]', 'm1');
		await page.fill('dialog input[name=pin]', '4321');
		await inSheet(page, '', '.accept').tap();
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

	async 'the amount beside a card follows its basket, and is "about" until its goods are there'() {
		const page = await open(), one = prompt(), offer = {...one.offer, estimate: true}, more = {guidance: 'G-worth'};
		const saves = (text) => page.waitForFunction((t) => document.querySelector('.card .worth')?.textContent === t, text);
		store.send('guidance', guidance([{...one, offer}], more));
		await saves('saves about €0.45');
		store.send('guidance', guidance([one], more));
		await saves('saves €0.45');
		store.send('guidance', guidance([{...one, offer: {...one.offer, worth: 90}}], more));
		await saves('saves €0.90');
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
		await settled(page);
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
		const g = guidance([
			prompt({say: 'Möchten Sie heute 10 % auf Ihren Kaffee?', headline: '10 % auf Kaffee', why: ['Kauft sonst um diese Zeit Kaffee']}),
			second()]);
		store.send('guidance', g);
		await page.locator('.card').nth(1).waitFor();
		await settled(page);
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
		store.send('withdraw', {guidance: g.guidance, reason: 'closed'});
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
		await settled(page);
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

	async 'the reasons of a card are those of its basket now'() {
		const page = await open();
		const g = guidance([prompt({why: ['Saves 0.45']})]);
		store.send('guidance', g);
		await page.locator('.card .why li', {hasText: 'Saves 0.45'}).waitFor({state: 'attached'});
		g.prompts[0] = {...g.prompts[0], why: ['Saves 1.20'], offer: {...g.prompts[0].offer, worth: 120}};
		store.send('guidance', g);
		await page.locator('.card .why li', {hasText: 'Saves 1.20'}).waitFor({state: 'attached'});
		await page.context().close();
	},

	async 'a coupon that the customer took stays when its card is worded anew'() {
		const page = await open();
		const g = guidance([prompt({offer: {type: 'amount', worth: 200, currency: 'EUR', apply: 'barcode', code: 'AISLE-0042'}})]);
		store.send('guidance', g);
		await choice(page, 'accept').tap();
		await page.locator('.coupon svg').waitFor();
		g.prompts[0] = {...g.prompts[0], say: 'Worded anew', state: 'answered', choices: []};
		store.send('guidance', g);
		await say(page, 'Worded anew').waitFor();
		assert.equal(await page.locator('.coupon svg').count(), 1);
		await page.context().close();
	},

	async 'what is asked about a card goes with this card, and with no other'() {
		const page = await open();
		const g = guidance([prompt({gate: 'manager'})]), other = guidance([second()], {basket: 'B2'});
		store.send('guidance', g);
		store.send('guidance', other);
		await say(page, 'coffee filters').waitFor();
		await choice(page, 'accept').tap();
		await page.fill('dialog input[name=manager]', 'm1');
		store.send('withdraw', {guidance: other.guidance, reason: 'closed'});
		await say(page, 'coffee filters').waitFor({state: 'detached'});
		assert.equal(await page.inputValue('dialog input[name=manager]'), 'm1', 'who types is not disturbed');
		store.send('guidance', {...g, prompts: []});
		await page.locator('dialog').waitFor({state: 'detached'});
		store.send('guidance', guidance([prompt({say: 'This one is short'})], {expires: new Date(Date.now() + 4000).toISOString()}));
		await choice(page, 'dismiss').tap();
		await page.locator('dialog').waitFor();
		await page.locator('dialog').waitFor({state: 'detached'});
		await page.context().close();
	},

	async 'a browser that keeps nothing shows its cards and sends its answers all the same'() {
		const page = await open({script: () => {
			for (const name of ['getItem', 'setItem'])
				Storage.prototype[name] = () => { throw new DOMException('no room', 'QuotaExceededError'); };
			Object.defineProperty(self, 'indexedDB', {value: undefined});
		}});
		const g = guidance([prompt()]);
		store.send('guidance', g);
		await choice(page, 'accept').tap();
		await store.line(new RegExp('^tap decision ' + g.guidance + ' .*accept'));
		await page.context().close();
	},

	async 'a database that never opens keeps no answer from being sent'() {
		const page = await open({script: () => {
			IDBFactory.prototype.open = () => ({});
		}});
		const g = guidance([prompt()]);
		store.send('guidance', g);
		await choice(page, 'accept').tap();
		await store.line(new RegExp('^tap decision ' + g.guidance + ' .*accept'));
		await page.context().close();
	},

	async 'phone with one card, light'() {
		const page = await open({viewport: PHONE});
		store.send('guidance', guidance([prompt({kind: 'retain'})]));
		await page.locator('.card').waitFor();
		await settled(page);
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

	async 'a key that is held down is one tap'() {
		const page = await open();
		store.send('guidance', guidance([prompt()]));
		await choice(page, 'dismiss').focus();
		await page.keyboard.down('Enter');
		await page.locator('dialog').waitFor();
		for (let i = 0; i < 3; i++)
			await page.keyboard.down('Enter');
		await page.keyboard.up('Enter');
		assert.equal(await page.locator('dialog .choice').count(), 8, 'no reason was chosen');
		await page.keyboard.press('Escape');
		assert.equal(await page.locator('.card[data-state=open]').count(), 1);
		await page.context().close();
	},

	async 'the manager sees today in four figures, and where they come from'() {
		const page = await manager(aDay());
		await page.locator('h1', {hasText: 'Today, Saturday'}).waitFor();
		assert.equal(await text(page, 'h1'), 'Today, Saturday 21 November');
		assert.equal(await text(page, '#asof'), 'As of 15:42');
		assert.deepEqual(await texts(page, '.figure'), ['Prompts shown|184|of 191 sent', 'Accepted|61|33% of those shown',
			'Given away|€88.45|Budgets for today: €96.40 of €150.00 used or held', 'Redeemed|43|offers used at a till']);
		// the parts are the prompts: 61 + 48 + 17 + 6 + 44 + 12, and 3 are open still
		assert.deepEqual(await texts(page, '.legend li'), ['61|Accepted', '48|Dismissed', '17|Later', '6|Something else instead',
			'44|No answer, ran out or withdrawn', '12|Not shown', '3|Still open']);
		const widths = await page.$$eval('.stack i', (all) => all.map((e) => e.getBoundingClientRect().width));
		assert.equal(widths.length, 7);
		assert.ok(Math.abs(widths[0] / widths[1] - 61 / 48) < 0.02, 'as wide as their numbers: ' + widths);
		assert.equal(await page.locator('.running').textContent(), 'Everything is running.');
		assert.equal(await page.locator('.rows li').count(), 6);
		assert.deepEqual((await texts(page, '.rows li')).slice(0, 2), [
			'10\u00a0% off any coffee today|58 shown|24 accepted (41%)|Budget for today: €40.10 of €50.00 used or held',
			'Ask: would they like a card?|45 shown|6 accepted (13%)']);
		assert.match(await text(page, '.lift'), /One store alone cannot tell .* headquarters can\. 9 prompts were held back/);
		// the chart: 8 to 15, a bar for shown and one for accepted, and the same in words
		assert.deepEqual(await page.$$eval('.chart .hour', (all) => all.map((e) => e.textContent)), ['8', '9', '10', '11', '12', '13', '14', '15']);
		assert.equal(await page.locator('.chart rect.shown').count(), 7);
		assert.match(await page.locator('.chart svg').getAttribute('aria-label'), /^8:00: 9 shown, 2 accepted; .*15:00: 11 shown, 4 accepted$/);
		await assertReport(page, 'report');
		await shot(page, 'manager-report-tablet-light', true);
		await page.setViewportSize({width: 768, height: 1024});
		await assertReport(page, 'report upright');
		await shot(page, 'manager-report-upright-light', true);
		await page.setViewportSize(TABLET);
		await page.emulateMedia({colorScheme: 'dark'});
		await assertReport(page, 'report in the dark');
		await shot(page, 'manager-report-tablet-dark', true);
		await page.context().close();
	},

	async 'the manager sees what is not running, on a dark German phone'() {
		const day = aDay();
		Object.assign(day, {currency: 'EUR', broker: 'away', hq: 'away', time: 'uncertain', redeemed_minor: 1234560,
			stopped: [{action: 'bread-off', headline: {en: 'Bread', de: '… vom Sauerteigbrot'}}, {action: 'tea_cake-2', until: '2026-11-21T17:00:00.000Z'}]});
		day.actions[1].budget.money_used = 5000;
		for (let i = 0; i < 6; i++)
			day.actions.push(anAction('more-' + i, 6 - i, 1));
		const page = await manager(day, {viewport: PHONE, colorScheme: 'dark', locale: 'de-DE'});
		await page.locator('h1', {hasText: 'Heute, Samstag, 21. November'}).waitFor();
		assert.equal(await text(page, '#asof'), 'Stand 15:42', 'in the store\'s time');
		assert.deepEqual(await texts(page, '.stops li'), [
			'Der Nachrichtendienst im Markt ist nicht erreichbar. Die Kassen werden nicht gehört.',
			'Die Uhr im Markt ist unsicher. Angebote mit Datum werden zurückgehalten.',
			'… vom Sauerteigbrot|In diesem Markt gestoppt, bis es jemand wieder freigibt',
			'Tea cake 2|In diesem Markt gestoppt bis 18:00',
			'Die Zentrale ist nicht erreichbar. Der Markt arbeitet weiter; die Daten werden später gesendet.']);
		assert.match((await texts(page, '.figure'))[2], /^Nachlass gewährt\|12\.346\s€\|/);
		assert.equal((await texts(page, '.rows li'))[0], '10\u00a0% auf Kaffee|58 gezeigt|24 angenommen (41\u00a0%)|Tagesbudget: 50,00\u00a0€ von 50,00\u00a0€ verbraucht oder vorgemerkt – aufgebraucht');
		assert.equal(await page.locator('.rows li').count(), 10);
		assert.equal(await text(page, '.more'), 'und 2 weitere');
		assert.equal(await page.locator('.running').count(), 0);
		await assertReport(page, 'report on a phone');
		await shot(page, 'manager-report-phone-dark-de', true);
		await page.setViewportSize({width: 320, height: 640});
		await assertReport(page, 'report on a small phone');
		await shot(page, 'manager-report-small-dark-de', true);
		await page.context().close();
	},

	async 'a long day of 25 hours and three digits fits a phone'() {
		const day = aDay();
		day.hours = [...Array(25)].map((_, i) => ({hour: (4 + i) % 24, shown: 100 + i * 37, accepted: 40 + i}));
		const page = await manager(day, {viewport: PHONE});
		await page.locator('.chart svg').waitFor();
		assert.equal(await page.locator('.chart rect.shown').count(), 25);
		await assertReport(page, 'long day');
		await shot(page, 'manager-report-long-phone-light', true);
		await page.context().close();
	},

	async 'a day on which nothing happened yet is said to be one, and why'() {
		const empty = {...aDay(), prompts: 0, withheld: 0, unanswered: 0, redeemed_minor: 0, actions: [], hours: [], policy: null};
		for (const name of ['shown', 'accepted', 'dismissed', 'snoozed', 'overridden', 'not-shown', 'redeemed'])
			empty[name] = 0;
		delete empty.day_budget;
		const page = await manager(empty);
		await page.locator('.nothing', {hasText: 'Nothing has been shown yet today.'}).waitFor();
		assert.deepEqual(await texts(page, '.stops li'), ['No policy is installed, so nothing is suggested.']);
		assert.equal(await page.locator('.figure, .chart, .rows, .lift').count(), 0);
		await assertReport(page, 'empty day');
		await shot(page, 'manager-report-empty-tablet-light', true);
		store.say('report ' + JSON.stringify({...empty, policy: {name: 'spring', version: 12}, hq: 'away'}));
		await page.locator('#again').tap();
		await page.locator('.away', {hasText: 'Headquarters cannot be reached. The store goes on without it'}).waitFor();
		assert.equal(await page.locator('.stops, .running').count(), 0, 'normal life: no alarm');
		await page.context().close();
	},

	async 'the report comes anew every half minute and on a tap, and says when it is old'() {
		const day = aDay();
		const page = await manager(day, {clock: {time: 0}});
		await page.locator('.figure', {hasText: '184'}).waitFor();
		store.say('report ' + JSON.stringify({...day, shown: 185}));
		await page.locator('#again').tap();
		await page.locator('.figure', {hasText: '185'}).waitFor();
		store.say('report ' + JSON.stringify({...day, shown: 186}));
		await page.clock.pauseAt(10000);
		await page.clock.runFor(19000);
		assert.equal(await page.locator('.figure', {hasText: '186'}).count(), 0);
		await page.clock.runFor(8000);
		await page.locator('.figure', {hasText: '186'}).waitFor();
		assert.ok(await page.locator('#stale').isHidden());
		const port = store.port;
		await store.stop();
		await page.locator('#again').tap();
		await page.locator('#stale', {hasText: 'These figures are from 15:42.'}).waitFor();
		assert.equal(await page.locator('.figure', {hasText: '186'}).count(), 1, 'what was known stays');
		await assertReport(page, 'old report');
		await shot(page, 'manager-report-stale-tablet-light', true);
		await store.start(port);
		store.say('report ' + JSON.stringify({...day, shown: 187}));
		await page.clock.runFor(30000);
		await page.locator('.figure', {hasText: '187'}).waitFor();
		await page.locator('#stale').waitFor({state: 'hidden'});
		await page.context().close();
	},

	async 'a manager signs in, and a wrong PIN is said'() {
		await store.stop();
		await store.start();
		store.say('stranger');
		const page = await manager({...aDay(), levers: [{name: 'issue:retain', value: 1.2, own: 1.2, min: 0.5, max: 2}]}, {viewport: PHONE});
		await page.fill('#manager', 'm1');
		await page.fill('#pin', '1111');
		await page.locator('#go').tap();
		await page.locator('#says', {hasText: 'No such manager, or another PIN'}).waitFor();
		assert.equal(await page.locator('.figure').count(), 0);
		await assertReport(page, 'the form to sign in');
		await shot(page, 'manager-sign-in-phone-light', true);
		await page.fill('#pin', '4321');
		await page.locator('#go').tap();
		await page.locator('.figure', {hasText: '184'}).waitFor();
		await shot(page, 'manager-hands-phone-light', true);
		await page.locator('.rows .order').first().tap();
		await page.locator('.rows .order', {hasText: 'Really stop “10\u00a0% off any coffee today”? Tap again.'}).tap();
		await store.line(/^order m1 stop {"action":"coffee-off"}/);
		const day = {...aDay(), levers: [{name: 'issue:retain', value: 1.2, own: 1.2, min: 0.5, max: 2}], stopped: [{action: 'bread-off'}]};
		// to the end of the store's day, also where clocks go back or forward, or leave midnight out
		for (const [at, zone, until] of [['2026-11-21T14:42:10.000Z', 'Europe/Berlin', '2026-11-21T23:00:00.000Z'],
			['2026-10-24T23:30:59.000Z', 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
			['2026-03-28T23:30:00.000Z', 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
			['2026-09-05T15:00:00.000Z', 'America/Santiago', '2026-09-06T04:00:00.000Z']]) {
			store.say('report ' + JSON.stringify({...day, at, zone}));
			await page.locator('#again').tap();
			const hour = new Intl.DateTimeFormat('en-GB', {timeZone: zone, hour: '2-digit', minute: '2-digit'}).format(new Date(at));
			await page.locator('#asof', {hasText: hour}).waitFor();
			await page.locator('.levers .order').tap();
			await store.line(new RegExp('^order m1 lever {"name":"issue:retain","value":1.2,"until":"' + until + '"'));
		}
		await page.locator('.stops .order', {hasText: /^Allow again$/}).tap();
		await store.line(/^order m1 lift {"action":"bread-off"}/);
		assert.match(await text(page, '.lift'), /^One store alone cannot tell/);
		await assertReport(page, 'a manager\'s page with hands');
		await page.context().close();
	},
};

await store.start();
const failed = await run(tests, () => {
	store.say('reply 200');
	store.say('open []');
	store.say('stations 7');
});
await store.stop();
process.exit(failed ? 1 : 0);
