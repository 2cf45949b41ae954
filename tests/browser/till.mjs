// SPDX-License-Identifier: Apache-2.0
//
// till.mjs - the tablet page over the real daemon: a screen with room for one card, and a till that nobody has heard of.
//
//   node till.mjs BUILD [FOLDER]      screenshots go to FOLDER

import assert from 'node:assert/strict';
import {TABLET, PHONE, shot, shotsTo, assertLayout, assertInside, assertAccessible, say, choice, settled, run, open as openAt} from './harness.mjs';
import {Store, until} from './store.mjs';

const [build, folder] = process.argv.slice(2);
if (!build) {
	console.error('usage: node till.mjs BUILD [FOLDER]');
	process.exit(64);
}
shotsTo(folder);

const store = await Store.open(build);
let tills = 0;
const till = () => String(++tills);
const open = (at, options) => openAt(store, {query: '?station=' + at, token: store.token, live: true, ...options});

// Two cards, or one after the other; then a recall, alone where there is room for one.
async function small(width, height, language, room) {
	const at = till(), what = `${width} x ${height}, ${language}`, page = await open(at, {viewport: {width, height}});
	const cards = async (count, why) => {
		await settled(page);
		assert.equal(await page.locator('.card:not(.leaving)').count(), count, `${what}: ${why}`);
		await assertInside(page, `${what}: ${why}`);
		await assertLayout(page, `${what}: ${why}`);
		await shot(page, `till-${width}x${height}-${language}-${why.replaceAll(' ', '-')}`);
	};

	await store.sale(at, language);
	await store.scan(at, 'long');
	await page.locator('.card').waitFor();
	await store.scan(at, 'filters');
	await page.locator(room > 1 ? '.card:nth-of-type(2)' : '#more:not([hidden])').waitFor();
	await cards(room, 'two');
	await store.scan(at, 'long-recall');
	await page.locator('.card.mandatory').waitFor();
	await page.locator('.leaving').waitFor({state: 'detached'});
	await cards(room, 'a recall');
	await page.evaluate(() => {		// as a line that is lost has it
		const banner = document.getElementById('banner');
		Object.defineProperty(banner, 'hidden', {set() {}});
		banner.removeAttribute('hidden');
		Object.defineProperty(banner, 'textContent', {get: () => '', set() {}});
		banner.append('Offline – last update 12:34. What you see may be out of date.');
	});
	await cards(room, 'a recall offline');
	await page.locator('body:not(.fresh) .mandatory:not(.fresh) .accept').tap();
	await page.locator('.card.mandatory').waitFor({state: 'detached'});
	await page.locator('.card:not(.leaving)').first().waitFor();
	await page.locator('.leaving').waitFor({state: 'detached'});
	await cards(room, 'two again');
	await page.context().close();
}

const tests = {
	async 'on a small screen one card lies at a time, and every button is on it'() {
		for (const [width, height, room] of [[320, 400, 1], [320, 440, 1], [519, 559, 1], [320, 559, 1], [320, 560, 2]])
			await Promise.all(['en', 'de', 'ar'].map((language) => small(width, height, language, room)));
	},

	async 'of a till that was not heard of it is said so, until it is'() {
		const page = await open('mistyped', {viewport: TABLET});
		await page.locator('.calm .big', {hasText: 'Nothing was heard of till mistyped yet'}).waitFor();
		await page.locator('.calm .small', {hasText: 'Is that its name?'}).waitFor();
		await assertAccessible(page, 'a till that was not heard of');
		await shot(page, 'till-unheard');
		await store.sale('mistyped');
		await until('the till is known', async () => !/Nothing was heard/.test(await page.locator('#main').textContent()));
		await page.context().close();
	},

	async 'a tablet that was paired for tills chooses one before it was heard of'() {
		const token = await store.pair('early', 'early-1,early-2');
		const page = await openAt(store, {query: '', token, viewport: PHONE});
		await page.locator('.stations button', {hasText: 'early-2'}).tap();
		await page.locator('.calm .big', {hasText: 'Nothing was heard of till early-2 yet'}).waitFor();
		await store.sale('early-2');
		await store.scan('early-2', 'coffee');
		await say(page, 'Would you like').waitFor();
		await choice(page, 'accept').waitFor();
		await page.context().close();
		const only = await openAt(store, {query: '', token: await store.pair('alone', 'early-3'), viewport: PHONE});
		await only.locator('.calm .big', {hasText: 'Nothing was heard of till early-3 yet'}).waitFor();
		await only.context().close();
	},
};

const failed = await run(tests);
await store.close();
process.exit(failed ? 1 : 0);
