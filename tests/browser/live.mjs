// SPDX-License-Identifier: Apache-2.0
//
// live.mjs - the tablet page over the real daemon and the real broker: what arrives under a finger, what breaks, who reads it.
//
//   node live.mjs BUILD [FOLDER]      screenshots go to FOLDER

import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {chromium} from 'playwright-core';
import {TABLET, PHONE, LAUNCH, shot, shotsTo, assertLayout, assertContrast, assertInside, assertAccessible, say, choice, inSheet, settled, run, open as openAt} from './harness.mjs';
import {Store, until} from './store.mjs';

const [build, folder] = process.argv.slice(2);
if (!build) {
	console.error('usage: node live.mjs BUILD [FOLDER]');
	process.exit(64);
}
shotsTo(folder);

const SIZES = [[320, 568], [360, 640], [390, 844], [600, 960], [768, 1024], [800, 1280], [1080, 1920]];
const store = await Store.open(build);
let tills = 0;
const till = () => String(++tills);
const open = (at, options) => openAt(store, {query: '?station=' + at, token: store.token, live: true, ...options});

// Each button, and what lies at its middle and near its corners.
const aims = (page) => page.evaluate(() => {
	const found = [];
	for (const button of document.querySelectorAll('.card .answers button')) {
		const r = button.getBoundingClientRect();
		button.aim ??= Math.random();
		for (const [x, y] of [[0.5, 0.5], [0.06, 0.12], [0.94, 0.12], [0.06, 0.88], [0.94, 0.88]]) {
			const at = {x: r.left + r.width * x, y: r.top + r.height * y};
			const there = document.elementFromPoint(at.x, at.y)?.closest('button');
			found.push({...at, card: button.closest('.card').dataset.prompt, aim: button.aim, hit: there?.aim, text: button.textContent});
		}
	}
	return found;
});

// At each aim of before there is the very same button, or something that is fresh: a tap cannot mean another card.
async function assertUnmoved(page, before, what) {
	const wrong = await page.evaluate((aims) => aims.filter((aim) => {
		const there = document.elementFromPoint(aim.x, aim.y);
		return there?.closest('button')?.aim !== aim.aim && !there?.closest('.fresh');
	}), before);
	assert.deepEqual(wrong, [], what);
}

const COFFEE = {en: 'Would you like', ar: 'هل تودّ خصم'}, FILTERS = {en: 'filters at home', ar: 'هل لديك مرشحات'};

async function arrival(width, height, colorScheme, speaks = 'en', locale = 'en-GB') {
	const at = till(), what = `${width} x ${height}, ${colorScheme}, ${speaks} on ${locale}`;
	const page = await open(at, {viewport: {width, height}, colorScheme, locale, clock: true});
	// The page's clock stands, so that "too early" is not a matter of how fast this machine is.
	const early = async (then) => {
		await page.clock.pauseAt(await page.evaluate(() => Date.now() + 10000));
		await then();
		await page.clock.runFor(599);
		for (const {x, y} of (await aims(page)).filter((_, i) => i % 5 === 0))
			if (await page.evaluate(({x, y}) => !!document.elementFromPoint(x, y).closest('.fresh'), {x, y}))
				await page.touchscreen.tap(x, y);
		await page.clock.runFor(1);
		assert.equal(await page.locator('.fresh').count(), 0, `${what}: after 600 ms it takes taps`);
		await page.clock.resume();
	};
	const all = (name) => `${what}: ${name}`;
	const name = `live-${width}x${height}-${speaks === 'en' ? colorScheme : speaks + '-' + locale}`;

	await store.sale(at, speaks);
	await store.scan(at, 'coffee');
	await say(page, COFFEE[speaks]).waitFor();
	await settled(page);
	const first = await aims(page);
	assert.ok(first.every((aim) => aim.hit === aim.aim), all('each button can be hit'));
	await assertInside(page, all('one card'));
	await assertContrast(page, all('one card'));
	await shot(page, name + '-1');

	// The second comes while a finger is on its way: to the first, it still hits the first; on the new one it is void.
	await early(async () => {
		await store.scan(at, 'filters');
		await say(page, FILTERS[speaks]).waitFor();
		await assertUnmoved(page, first, all('a second card came'));
	});
	const two = await aims(page);
	assert.ok(two.every((aim) => aim.hit === aim.aim), all('two cards, each button can be hit'));
	assert.equal(new Set(two.map((aim) => aim.card)).size, 2);
	await assertUnmoved(page, first, all('the second card stays beside'));
	assert.ok(first.every((aim) => two.some((now) => now.aim === aim.aim && Math.abs(now.x - aim.x) < 1 && Math.abs(now.y - aim.y) < 1)), all('no button moved'));
	await assertInside(page, all('two cards'));
	await assertContrast(page, all('two cards'));
	await shot(page, name + '-2');

	// So does a recall, wherever the finger was going.
	await early(async () => {
		await store.scan(at, 'recall');
		await page.locator('.card.mandatory').waitFor();
		await assertUnmoved(page, two, all('a recall came'));
	});
	const must = await page.locator('.card.mandatory').boundingBox();
	const others = await page.$$eval('.card:not(.mandatory)', (cards) => cards.map((c) => c.getBoundingClientRect().top));
	assert.ok(others.every((top) => top >= must.y + must.height), all('a recall is above all'));
	assert.ok(must.width > width - 40, all('a recall has the whole width'));
	assert.deepEqual(await page.$$eval('.card.mandatory button', (all) => all.map((b) => b.dataset.choice)), ['accept'], all('it cannot be put off'));
	await assertInside(page, all('a recall'));
	await assertContrast(page, all('a recall'));
	await assertLayout(page, all('a recall'));
	await shot(page, name + '-3');
	for (const card of ['coffee', 'filters', 'recall'])
		assert.equal((await store.prompt(at, card)).state, 'open', all('nobody answered ' + card));
	await page.locator('body:not(.fresh) .mandatory:not(.fresh) .accept').tap();
	await until('the recall is done', async () => (await store.prompt(at, 'recall'))?.state !== 'open');
	await page.locator('.card.mandatory').waitFor({state: 'detached'});
	await say(page, FILTERS[speaks]).waitFor();
	await settled(page);
	await assertUnmoved(page, first, all('the recall went'));
	await page.context().close();
}

async function longSentences(width, height, language) {
	const at = till(), what = `${width} x ${height}, ${language}`, page = await open(at, {viewport: {width, height}});
	const readable = () => page.$$eval('.say', (all) => all.every((say) => parseFloat(getComputedStyle(say).fontSize) >= 16));

	await store.sale(at, language);
	await store.scan(at, 'long');
	await page.locator('.card').waitFor();
	await settled(page);
	assert.ok((await page.locator('.card .say').textContent()).length >= 200);
	assert.equal(await page.locator('.card').getAttribute('lang'), language);
	assert.equal(await page.locator('.card').getAttribute('dir'), language === 'ar' ? 'rtl' : 'ltr');
	assert.equal(await page.locator('.card .answers').getAttribute('dir'), 'ltr', 'the buttons are the page\'s own');
	assert.ok(await readable(), what);
	await assertInside(page, what);
	await shot(page, `live-long-${width}x${height}-${language}`);
	await store.scan(at, 'long-recall');
	await store.scan(at, 'filters');
	await page.locator('.mandatory').waitFor();
	await settled(page);
	assert.ok(await readable(), what);
	await assertInside(page, what + ', with a recall');
	await assertLayout(page, what + ', with a recall');
	await shot(page, `live-long-recall-${width}x${height}-${language}`);
	await page.context().close();
}

const arrivals = {};
for (const [width, height] of SIZES)
	arrivals[`what arrives moves no button and takes no tap: ${width} x ${height}, both ways, light and dark`] = () =>
		Promise.all(['light', 'dark'].flatMap((scheme) => [arrival(width, height, scheme), arrival(height, width, scheme)]));

const tests = {
	...arrivals,

	async 'so it is where cards, or the page, run from right to left'() {
		for (const [width, height] of [[1024, 768], [568, 320], [390, 844]])
			await Promise.all([arrival(width, height, 'light', 'ar'), arrival(width, height, 'light', 'ar', 'ar'), arrival(width, height, 'dark', 'en', 'ar')]);
	},

	async 'sentences of 200 characters, also of a recall, keep every button on the screen and can be read to their end'() {
		for (const [width, height] of SIZES.slice(0, 5))
			await Promise.all(['en', 'de', 'ar'].flatMap((language) => [longSentences(width, height, language), longSentences(height, width, language)]));
	},

	async 'a recall beside a coupon that is being scanned, and a coupon behind a recall'() {
		const at = till(), page = await open(at, {viewport: PHONE});
		await store.sale(at);
		await store.scan(at, 'coupon');
		await choice(page, 'accept').tap();
		await page.locator('.coupon svg').waitFor();
		await store.scan(at, 'recall');
		await page.locator('.card.mandatory').waitFor();
		await settled(page);
		assert.ok(await page.locator('.coupon svg').isVisible(), 'the cashier can still scan it');
		await assertInside(page, 'a recall over a coupon');
		await shot(page, 'live-recall-and-coupon');
		await assertAccessible(page, 'a recall over a coupon');
		await page.locator('body:not(.fresh) .mandatory:not(.fresh) .accept').tap();
		await page.locator('.card.mandatory').waitFor({state: 'detached'});
		await page.context().close();

		const other = till(), second = await open(other, {viewport: TABLET});
		await store.sale(other);
		await store.scan(other, 'recall');
		await second.locator('.card.mandatory').waitFor();
		await store.scan(other, 'coffee');
		await say(second, 'Would you like').waitFor();
		await settled(second);
		assert.ok(await second.evaluate(() => document.querySelector('.card').classList.contains('mandatory')), 'the recall is first for the keyboard, too');
		await second.context().close();
	},

	async 'a third card waits for a seat, and is not said to have been shown before it has one'() {
		const at = till(), page = await open(at), shown = [];
		page.on('request', (request) => request.url().endsWith('/shown') && shown.push(request.url()));
		await store.sale(at);
		for (const goods of ['coffee', 'filters', 'coupon'])
			await store.scan(at, goods);
		await page.locator('#more', {hasText: '+1 waiting'}).waitFor();
		assert.equal(await page.locator('.card').count(), 2);
		await until('two are shown', () => shown.length === 2);
		await settled(page);
		assert.equal(shown.length, 2);
		await choice(page, 'dismiss').tap();
		await inSheet(page, 'Skip').tap();
		await page.locator('#more').waitFor({state: 'hidden'});
		await until('the third is shown', () => shown.length === 3);
		await page.context().close();
	},

	async 'an image of the policy is on the card'() {
		const at = till(), page = await open(at);
		await store.sale(at);
		await store.scan(at, 'coffee');
		await page.waitForFunction(() => document.querySelector('.card img.image')?.naturalWidth === 96);
		await page.context().close();
	},

	async 'an answer without a gateway is kept over a reload and sent once'() {
		for (const serviceWorkers of ['allow', 'block']) {
			const at = till(), page = await open(at, {serviceWorkers});
			await store.sale(at);
			await store.scan(at, 'coffee');
			await say(page, 'Would you like').waitFor();
			const card = await store.prompt(at, 'coffee');
			if (serviceWorkers === 'allow')
				await page.evaluate(() => navigator.serviceWorker.ready);
			await store.kill('daemon');
			await page.locator('#banner', {hasText: 'Offline'}).waitFor();
			await choice(page, 'accept').tap();
			await page.locator('.card .outcome', {hasText: 'Not sent yet'}).waitFor();
			await page.locator('#banner', {hasText: 'still to be sent: 1'}).waitFor();
			if (serviceWorkers === 'allow') {	// the page opens although nobody serves it
				await page.reload();
				await page.locator('#banner', {hasText: 'still to be sent: 1'}).waitFor();
				await shot(page, 'live-reloaded-offline');
				await store.startDaemon();
			} else {
				await store.startDaemon();
				await page.reload();
			}
			await until('the till is asked', () => store.commands.some((c) => c.prompt === card.prompt && c.type === 'apply-offer'));
			await page.locator('#banner').waitFor({state: 'hidden', timeout: 40000});
			assert.equal(store.outcomes(card.decision, 'accepted'), 1);
			assert.equal(store.commands.filter((c) => c.prompt === card.prompt && c.type === 'apply-offer').length, 1);
			assert.deepEqual(await page.evaluate(() => self.outbox.all()), []);
			await page.context().close();
		}
	},

	async 'an answer survives the death of the tablet'() {
		const at = till(), home = mkdtempSync(tmpdir() + '/aisle-tablet-');
		const start = async () => {
			const context = await chromium.launchPersistentContext(home, {...LAUNCH, viewport: TABLET, hasTouch: true});
			await context.addCookies([{name: 'aisle_token', value: store.token, url: store.url, httpOnly: true, sameSite: 'Strict'}]);
			const page = context.pages()[0] || await context.newPage();
			await page.goto(store.url + '?station=' + at);
			return [context, page];
		};
		let [context, page] = await start();
		await store.sale(at);
		await store.scan(at, 'coffee');
		await say(page, 'Would you like').waitFor();
		const card = await store.prompt(at, 'coffee');
		await store.kill('daemon');
		await choice(page, 'dismiss').tap();
		await inSheet(page, 'Out of stock').tap();
		await page.locator('.card .outcome', {hasText: 'Not sent yet'}).waitFor();
		const cdp = await context.browser()?.newBrowserCDPSession() ?? await context.newCDPSession(page);
		await cdp.send('Browser.crash').catch(() => {});	// nothing is said good-bye to
		await context.close().catch(() => {});
		await store.startDaemon();
		[context, page] = await start();
		await until('the answer', () => store.outcomes(card.decision, 'dismissed') === 1);
		await until('nothing is left', () => page.evaluate(async () => (await self.outbox.all()).length === 0));
		assert.equal(store.outcomes(card.decision, 'dismissed'), 1);
		await context.close();
		rmSync(home, {recursive: true, force: true, maxRetries: 5});
	},

	async 'the worker sends what a closed page left, once'() {
		const at = till(), page = await open(at), context = page.context();
		await store.sale(at);
		await store.scan(at, 'coffee');
		await say(page, 'Would you like').waitFor();
		const card = await store.prompt(at, 'coffee');
		await page.evaluate(() => navigator.serviceWorker.ready);
		await store.kill('daemon');
		await choice(page, 'accept').tap();
		await page.locator('.card .outcome', {hasText: 'Not sent yet'}).waitFor();
		const [worker] = context.serviceWorkers();
		await page.close();
		await store.startDaemon();
		assert.ok(await worker.evaluate(() => self.outbox.flush()), 'nothing is left');
		assert.ok(await worker.evaluate(() => self.outbox.flush()));
		assert.equal(store.outcomes(card.decision, 'accepted'), 1);
		await context.close();
	},

	async 'a Wi-Fi that falls silent is noticed, and a broker that died is said'() {
		const at = till(), page = await open(at, {viewport: PHONE});
		await page.locator('#live', {hasText: 'Live'}).waitFor({state: 'attached'});
		await store.kill('daemon', 'SIGSTOP');
		await page.locator('#banner', {hasText: 'Offline'}).waitFor({timeout: 25000});
		await store.kill('daemon', 'SIGCONT');
		await page.locator('#banner').waitFor({state: 'hidden', timeout: 40000});
		await store.kill('broker');
		await page.locator('#banner', {hasText: 'The tills are not heard'}).waitFor();
		assert.equal(await page.locator('#live').innerText(), 'Offline', 'live is the whole way');
		await shot(page, 'live-no-broker');
		await assertAccessible(page, 'without a broker');
		await store.startBroker();
		await page.locator('#banner').waitFor({state: 'hidden', timeout: 40000});
		await page.context().close();
	},

	async 'a till that this tablet may not show is said to be so, and one that cannot be is not waited for'() {
		const at = till(), token = await store.pair('half', at);
		await store.sale(at);
		const page = await openAt(store, {query: '?station=' + at + '0', token, viewport: PHONE});
		await page.locator('.stations .about', {hasText: `may not show till ${at}0`}).waitFor();
		await assertLayout(page, 'not its till');
		await assertAccessible(page, 'not its till');
		await page.locator('.stations button', {hasText: 'Till ' + at}).tap();
		await page.locator('#live', {hasText: 'Live'}).waitFor({state: 'attached'});
		await page.goto(store.url + '?station=' + encodeURIComponent('a/b'));
		await page.locator('#station', {hasText: 'Till ' + at}).waitFor();
		await page.context().close();
	},

	async 'a second tablet sees what the first one answered, and cannot answer otherwise'() {
		const at = till(), [one, two] = await Promise.all([open(at), open(at, {viewport: PHONE})]);
		await store.sale(at);
		await store.scan(at, 'coffee');
		await Promise.all([say(one, 'Would you like').waitFor(), say(two, 'Would you like').waitFor()]);
		await choice(two, 'dismiss').tap();
		await inSheet(two, 'Too busy').waitFor();
		await choice(one, 'accept').tap();
		await one.locator('.card .outcome', {hasText: 'Asked the till'}).waitFor();
		await inSheet(two, 'Too busy').tap();
		await two.locator('.card .outcome', {hasText: /Asked the till|Already answered/}).waitFor();
		await one.context().close();
		await two.context().close();
	},

	async 'what waits for a manager is approved on the manager\'s page, and says there why it was shown'() {
		const at = till(), tablet = await open(at);
		const page = await openAt(store, {query: 'manager?sign-in', token: store.token});
		await page.fill('#manager', 'm1');
		await page.fill('#pin', '4321');
		await page.locator('#go').tap();
		await page.locator('.orders button').first().waitFor();
		await store.sale(at);
		await store.scan(at, 'managed');
		await tablet.locator('.card', {hasText: 'A euro off'}).waitFor();
		await page.locator('#again').tap();
		const row = page.locator('.waits li', {hasText: 'Till ' + at});
		assert.match(await row.innerText(), /A euro off, if a manager agrees[^]*saves €1\.00/);
		await row.locator('.accept').tap();
		await row.locator('.accept', {hasText: 'Tap again'}).tap();
		await until('the till is asked for a euro', () => store.commands.some((c) => c.till === at && c.offer?.worth === 100));
		await row.waitFor({state: 'detached'});
		await tablet.locator('.card[data-state=asked]').waitFor();
		const told = page.locator('.part-cards details').first();
		await told.locator('summary').tap();
		await told.locator('.came li', {hasText: 'Accepted · m1'}).waitFor();
		assert.match(await told.innerText(), /An article was scanned\. It was the only card that fitted\./);
		await page.locator('.part-heard summary').tap();
		assert.match(await page.locator('.heard').innerText(), new RegExp(`Till ${at}\\b[^]*Tablet glass`));
		await assertAccessible(page, 'the manager\'s page of a real store');
		for (const one of [page, tablet])
			await one.context().close();
	},

	async 'a manager gives what needs a manager, listed or not, and what a gate closes is said'() {
		const at = till(), page = await open(at);
		await store.sale(at);
		// A euro off has no place beside three that are worth more.
		for (const goods of ['managed', 'filters', 'coupon', 'coffee'])
			await store.scan(at, goods);
		const card = (text) => page.locator('body:not(.fresh) .card:not(.fresh)', {hasText: text});
		await card('filters at home').locator('.dismiss').tap();
		await inSheet(page, 'Skip').tap();
		await card('45 cents off your coffee').locator('.override').tap();
		await inSheet(page, 'A euro off').tap();
		await page.locator('dialog input[name=pin]').waitFor();
		await page.fill('dialog input[name=manager]', 'm1');
		await page.fill('dialog input[name=pin]', '4321');
		await inSheet(page, '', '.accept').tap();
		await until('the till is asked for a euro', () => store.commands.some((c) => c.till === at && c.offer?.worth === 100));
		await page.context().close();

		const other = till(), second = await open(other, {viewport: {width: 320, height: 568}});
		await store.sale(other);
		await store.scan(other, 'coffee');
		await choice(second, 'override').tap();
		await inSheet(second, 'A manager decides').tap();
		await second.locator('dialog input[name=action]').waitFor();
		await assertLayout(second, 'a manager\'s form');
		await assertInside(second, 'a manager\'s form');
		await shot(second, 'live-manager-decides');
		await assertAccessible(second, 'a manager\'s form');
		await second.fill('dialog input[name=action]', 'coupon');
		await second.fill('dialog input[name=manager]', 'm1');
		await second.fill('dialog input[name=pin]', '0000');
		await inSheet(second, '', '.accept').tap();
		await second.locator('.card .outcome', {hasText: 'PIN not right'}).waitFor();
		await choice(second, 'override').tap();
		await inSheet(second, 'A manager decides').tap();
		await second.fill('dialog input[name=action]', 'gift');
		await second.selectOption('dialog select[name=reason]', 'other');
		await second.fill('dialog input[name=manager]', 'm1');
		await second.fill('dialog input[name=pin]', '4321');
		await inSheet(second, '', '.accept').tap();
		await until('the till is asked for the gift', () => store.commands.some((c) => c.till === other && c.offer?.worth === 150));
		await second.context().close();
	},

	async 'the associate chooses the page\'s language, whatever the customer speaks'() {
		await Promise.all([['de', 'Ja', 'Deutsch'], ['es', 'Sí', 'Español'], ['fr', 'Oui', 'Français'], ['ar', 'نعم', 'العربية']].map(async ([language, yes, english]) => {
			const at = till(), page = await open(at, {viewport: PHONE});
			await page.locator('body:not(.fresh) #station').tap();
			await page.locator('.languages button', {hasText: english}).tap();
			await page.locator(`html[lang=${language}]`).waitFor();
			assert.equal(await page.locator('html').getAttribute('dir'), language === 'ar' ? 'rtl' : 'ltr');
			await store.sale(at, language === 'ar' ? 'en' : 'ar');
			await store.scan(at, 'coffee');
			await page.locator('.card .accept', {hasText: yes}).waitFor();
			await settled(page);
			assert.equal(await page.locator('.card').getAttribute('dir'), language === 'ar' ? 'ltr' : 'rtl');
			await assertLayout(page, language);
			await assertInside(page, language);
			await assertAccessible(page, language);
			await shot(page, 'live-page-' + language);
			await choice(page, 'dismiss').tap();
			await inSheet(page).waitFor();
			await assertLayout(page, language + ', reasons');
			await assertInside(page, language + ', reasons');
			await assertAccessible(page, language + ', reasons');
			await page.context().close();
		}));
	},

	async 'a day by keyboard alone'() {
		const at = till(), page = await open(at);
		const focused = () => page.evaluate(() => document.activeElement.textContent);
		const tabTo = async (text) => {
			for (let i = 0; i < 30 && await focused() !== text; i++)
				await page.keyboard.press('Tab');
			assert.equal(await focused(), text);
			assert.ok(await page.evaluate(() => parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2), 'one sees where one is: ' + text);
		};
		await store.sale(at);
		await store.scan(at, 'recall');
		await page.locator('.card.mandatory').waitFor();
		await tabTo('Done');
		await page.keyboard.press('Enter');
		await until('the recall is done', async () => (await store.prompt(at, 'recall'))?.state !== 'open');
		await store.scan(at, 'coffee');
		await say(page, 'Would you like').waitFor();
		const card = await store.prompt(at, 'coffee');
		await tabTo('No');
		await page.keyboard.press('Space');
		await tabTo('Does not fit');
		await page.keyboard.press('Enter');
		await until('the dismissal', () => store.outcomes(card.decision, 'dismissed') === 1);
		await tabTo('Earlier');
		await page.keyboard.press('Enter');
		await page.locator('.earlier').waitFor();
		await page.keyboard.press('Escape');
		await page.locator('dialog').waitFor({state: 'detached'});
		await page.context().close();
	},

	async 'no rule of accessibility is broken, light and dark, on any screen of the page'() {
		await Promise.all([{viewport: TABLET}, {viewport: PHONE, colorScheme: 'dark'}].map(async (options) => {
			const at = till(), page = await open(at, options);
			await assertAccessible(page, 'ready');
			await store.sale(at);
			for (const goods of ['coffee', 'filters'])
				await store.scan(at, goods);
			await page.locator('.card').nth(1).waitFor();
			await assertAccessible(page, 'two cards');
			await store.scan(at, 'recall');
			await page.locator('.card.mandatory').waitFor();
			await assertAccessible(page, 'a recall');
			for (const [button, what] of [['override', 'instead'], ['snooze', 'later'], ['dismiss', 'reasons']]) {
				await choice(page, button).tap();
				await page.locator('dialog').waitFor();
				await assertAccessible(page, what);
				await page.keyboard.press('Escape');
				await page.locator('dialog').waitFor({state: 'detached'});
			}
			await page.locator('body:not(.fresh) .mandatory:not(.fresh) .accept').tap();
			await choice(page, 'accept').tap();
			await page.locator('.card .outcome', {hasText: 'Asked the till'}).waitFor();
			await assertAccessible(page, 'asked');
			await page.locator('#earlier').tap();
			await page.locator('.earlier').waitFor();
			await assertAccessible(page, 'earlier');
			await page.context().close();
		}));
		const page = await openAt(store, {query: '', paired: false, token: store.token});
		await page.locator('input.code').waitFor();
		await assertAccessible(page, 'pairing');
		await page.context().close();
	},
};

const failed = await run(tests, async () => {
	if (store.daemon.exitCode !== null || store.daemon.signalCode)
		await store.startDaemon();
	if (store.broker.exitCode !== null || store.broker.signalCode)
		await store.startBroker();
});
await store.close();
process.exit(failed ? 1 : 0);
