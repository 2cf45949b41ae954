// SPDX-License-Identifier: Apache-2.0
//
// preview.mjs - aislectl policy preview in a browser, beside the tablet's page over a real store.
//
//   node preview.mjs BUILD [FOLDER]      pictures go to FOLDER

import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {TABLET, PHONE, assertContrast, assertInside, assertLayout, browser, errors, foreign, open, run, settled, shot, shotsTo} from './harness.mjs';
import {Store} from './store.mjs';

const [build, folder] = process.argv.slice(2);
if (!build) {
	console.error('usage: node preview.mjs BUILD [FOLDER]');
	process.exit(64);
}
shotsTo(folder);

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const store = await Store.open(build);
store.ctl(['policy', 'preview', store.folder + '/policy', '-o', store.folder + '/page.html']);

async function author(options) {
	const context = await browser.newContext({viewport: {width: 1500, height: 900}, colorScheme: 'light', locale: 'en-GB', ...options});
	const page = await context.newPage();
	page.on('request', (request) => !/^(file|data|about):/.test(request.url()) && foreign.push(request.url()));
	page.on('pageerror', (error) => errors.push(String(error)));
	page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
	await page.goto('file://' + store.folder + '/page.html');
	return page;
}

// The page inside of the frame with this title, filled.
async function frame(page, title) {
	const element = page.locator(`iframe[title="${title}"]`);
	await element.scrollIntoViewIfNeeded();
	const inside = await (await element.elementHandle()).contentFrame();
	await inside.waitForFunction(() => document.querySelector('.card') && [...document.images].every((image) => image.complete));
	return inside;
}

async function assertAccessible(page, what) {
	await page.evaluate(AXE);
	const broken = await page.evaluate(async () => (await window.axe.run({iframes: false})).violations.map((v) => v.id + ': ' +
		v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')));
	assert.deepEqual(broken, [], what);
}

// What lies where in the card, and what it says; what runs with time is left out.
const drawn = (page) => page.evaluate(() => [...document.querySelectorAll('.card, .card *:not(.left, .bar, .bar i)')].filter((e) => e.checkVisibility()).map((e) => {
	const r = e.getBoundingClientRect(), style = getComputedStyle(e), own = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent).join('');
	return [e.tagName, e.className, own, ...[r.left, r.top, r.width, r.height].map(Math.round), style.fontSize, style.color, style.backgroundColor, style.direction].join(' ');
}));

let till = 0;

const tests = {
	async 'a card in the preview is the card on the tablet, to the pixel, in each language, size and colour'() {
		for (const [action, language, device, viewport, colorScheme] of [['coffee', 'en', 'tablet', TABLET, 'light'], ['recall', 'de', 'phone', PHONE, 'dark'],
			['coffee', 'ar', 'phone on its side', {width: PHONE.height, height: PHONE.width}, 'dark'], ['long', 'ar', 'tablet', TABLET, 'light']]) {
			const at = String(++till), page = await author();
			await page.selectOption('[name=colours]', colorScheme);
			const inside = await frame(page, `${action}, plain-${language}, ${language}, tablet, ${device}, ${colorScheme}`);
			const glass = await open(store, {query: '?station=' + at, token: store.token, live: true, viewport, colorScheme, locale: language});
			await store.sale(at, language);
			await store.scan(at, action);
			await settled(glass);
			await glass.waitForFunction(() => [...document.images].every((image) => image.complete));
			assert.deepEqual(await drawn(inside), await drawn(glass), `${action} ${language} ${device}`);
			await page.context().close();
			await glass.context().close();
		}
	},

	async 'every card fits every device, reads in its direction and breaks no rule of access'() {
		const page = await author();
		for (const title of await page.$$eval('iframe', (all) => all.map((f) => f.title))) {
			const inside = await frame(page, title);
			await assertLayout(inside, title);
			await assertInside(inside, title);
			await assertContrast(inside, title);
			const [direction, image] = await inside.evaluate(() => [getComputedStyle(document.querySelector('.text')).direction,
				[...document.images].every((i) => i.naturalWidth > 0)]);
			assert.equal(direction, / ar, /.test(title) ? 'rtl' : 'ltr', title);
			assert.ok(image, title);
			if (/, (phone|tablet), light/.test(title) && /^(coffee|recall|long), /.test(title))
				await assertAccessible(inside, title);
		}
		await assertAccessible(page, 'the page around them');
		await assertContrast(page, 'the page around them');
		assert.equal(await page.locator('iframe').count(), 4 * await page.locator('article').count());
		await shot(page, 'preview');
		await page.context().close();
	},

	async 'an author chooses device, colour, size and language, and a dark screen of theirs changes nothing'() {
		const page = await author({colorScheme: 'dark'});
		const background = async (colour) => (await frame(page, `coffee, plain-en, en, tablet, phone, ${colour}`))
			.evaluate(() => getComputedStyle(document.querySelector('.card')).backgroundColor);
		assert.equal(await background('light'), 'rgb(255, 255, 255)');
		await page.selectOption('[name=colours]', 'dark');
		assert.equal(await background('dark'), 'rgb(29, 35, 40)');
		for (const device of ['phone on its side', 'tablet', 'tablet upright'])
			await page.locator(`[value="${device}"]`).uncheck();
		await page.selectOption('[name=language]', 'ar');
		const cards = await page.locator('article').count();
		assert.equal(await page.locator('iframe').count(), cards);
		assert.equal(await page.locator('iframe[title*=", ar, "]').count(), cards);
		const width = () => page.locator('.scaled').first().evaluate((e) => e.clientWidth);
		assert.equal(await width(), Math.round(390 * 0.42));
		await page.selectOption('[name=scale]', '1');
		assert.equal(await width(), 390);
		const yes = async () => (await frame(page, 'coffee, plain-ar, ar, tablet, phone, dark')).locator('.accept').innerText();
		assert.equal(await yes(), 'نعم');
		await page.selectOption('[name=words]', 'de');
		assert.equal(await yes(), 'Ja');
		await page.context().close();
	},
};

const failed = await run(tests);
await store.close();
process.exitCode = failed ? 1 : 0;
