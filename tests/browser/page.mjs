// SPDX-License-Identifier: Apache-2.0
//
// page.mjs - the tablet page in a real browser against the real HTTP server (page_server.c).
//
//   node page.mjs PAGE_SERVER [FOLDER]      screenshots go to FOLDER
//
// What the store says is played line by line; what the page does is seen from outside:
// on the screen, and as taps at the server. With a real daemon and broker: live.mjs.

import assert from 'node:assert/strict';
import {PHONE, Server, prompt, guidance, second, shot, shotsTo, assertLayout, assertContrast, say, choice, inSheet, settled, run,
	open as openAt} from './harness.mjs';

const [server_path, folder] = process.argv.slice(2);
if (!server_path) {
	console.error('usage: node page.mjs PAGE_SERVER [FOLDER]');
	process.exit(64);
}
shotsTo(folder);

const store = new Server(server_path);
const open = (options) => openAt(store, options);

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

	async 'the page that is kept opens also where a proxy says that nobody serves it'() {
		const page = await open();
		await page.evaluate(() => navigator.serviceWorker.ready);
		const [worker] = page.context().serviceWorkers();
		const seen = await worker.evaluate(async () => {
			self.fetch = async () => new Response('bad gateway', {status: 502});
			return Promise.all(['/', '/unknown'].map(async (path) => {
				const answer = await fromGateway(path, new Request(path));
				return [answer.status, (await answer.text()).includes('<main')];
			}));
		});
		assert.deepEqual(seen, [[200, true], [502, false]]);
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
};

await store.start();
const failed = await run(tests, () => {
	store.say('reply 200');
	store.say('open []');
	store.say('stations 7');
});
await store.stop();
process.exit(failed ? 1 : 0);
