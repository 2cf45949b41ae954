// SPDX-License-Identifier: Apache-2.0
//
// harness.mjs - what the tests of the pages share: the browser, what is seen on a page, the played store.

import {spawn} from 'node:child_process';
import {mkdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';
import assert from 'node:assert/strict';
import {chromium} from 'playwright-core';

export const TABLET = {width: 1024, height: 768}, PHONE = {width: 390, height: 844};
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const TOKEN = 'T'.repeat(43);
let folder;

export function shotsTo(where) {
	folder = where;
	if (folder)
		mkdirSync(folder, {recursive: true});
}

// ---- the store ----

export class Server {
	constructor(path) {
		this.path = path;
		this.lines = [];
		this.waiting = [];
	}

	async start(port = 0) {
		this.process = spawn(this.path, [String(port)], {stdio: ['pipe', 'pipe', 'inherit']});
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

let serial = 0;

export function prompt(more) {
	return {
		prompt: 'P' + ++serial, action: 'coffee-off', treatment: 'plain', kind: 'offer', headline: '10 % off any coffee today',
		say: 'Would you like 10 % off your coffee today?', why: ['Usually buys coffee by now'], confidence: 0.62, gate: 'associate',
		state: 'open', choices: ['accept', 'dismiss', 'snooze', 'override'],
		alternatives: [{action: 'coffee-off', depth: 5, headline: '5 % off any coffee'}, {action: 'cake', headline: 'A slice of cake with it'}],
		offer: {type: 'percent', worth: 45, currency: 'EUR', apply: 'till-code'}, ...more,
	};
}

export function guidance(prompts, more) {
	return {
		guidance: 'G' + ++serial, decision: 'D1', station: '7', basket: 'B1', at: new Date().toISOString(),
		expires: new Date(Date.now() + 120000).toISOString(), policy: {name: 'spring', version: 12},
		customer: {known: true, line: 'Gold · 6th visit this month'}, prompts, ...more,
	};
}

export const second = () => prompt({
	action: 'filters', kind: 'recommend', headline: 'Paper filters, aisle 4', say: 'Do you still have coffee filters at home?',
	why: ['Bought a filter machine in October'], offer: undefined, alternatives: [], choices: ['accept', 'dismiss', 'snooze'],
});

// ---- the browser ----

export const LAUNCH = {
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
		'--disable-component-update', '--disable-sync'],
};
export const browser = await chromium.launch(LAUNCH);
export const foreign = [], errors = [];

export async function open(store, options = {}) {
	const context = await browser.newContext({viewport: TABLET, colorScheme: 'light', locale: 'en-GB', hasTouch: true, ...options});
	if (options.paired !== false)
		await context.addCookies([{name: 'aisle_token', value: options.token || TOKEN, url: store.url, httpOnly: true, sameSite: 'Strict'}]);
	if (options.script)	// in the page, before its own
		await context.addInitScript(options.script);
	const page = await context.newPage();
	if (options.clock)
		await page.clock.install(options.clock === true ? {} : options.clock);
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
	if (options.query === undefined || options.live)
		await page.waitForFunction(() => !document.getElementById('top').hidden && !document.body.matches('.offline, .connecting'));
	return page;
}

export async function shot(page, name, whole = false) {
	if (folder)
		await page.screenshot({path: folder + '/' + name + '.png', fullPage: whole});
}

// Every control is large enough, inside the screen's width, and no text runs out of its box.
export async function assertLayout(page, what) {
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
export async function assertContrast(page, what) {
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

// Each button of the page, or of the sheet over it, is on the screen whole; only what scrolls in a sheet may lie below.
export async function assertInside(page, what) {
	const found = await page.evaluate(() => {
		const dialog = document.querySelector('dialog[open]');
		return [...(dialog || document).querySelectorAll('button, summary, .say, .head')].filter((e) => {
			const r = e.getBoundingClientRect(), scrolls = e.closest('.inside, .foot, .text');
			if (!e.checkVisibility())
				return false;
			if (scrolls)
				return r.left < -1 || r.right > innerWidth + 1;
			return r.left < -0.5 || r.top < -0.5 || r.right > innerWidth + 0.5 || r.bottom > innerHeight + 0.5;
		}).map((e) => `${e.className} "${e.textContent.slice(0, 30)}" ${JSON.stringify(e.getBoundingClientRect())}`).concat(
			[...document.querySelectorAll('.card, .sheet')].filter((e) => e.scrollHeight > e.clientHeight + 1 && !e.matches('.leaving'))
				.map((e) => `${e.className} is cut off: ${e.scrollHeight} in ${e.clientHeight}`));
	});
	assert.deepEqual(found, [], what);
}

// No rule of WCAG 2.2 AA, and none of the best practices, is broken.
export async function assertAccessible(page, what) {
	await page.waitForFunction(() => !document.querySelector('.fresh'));
	if (!await page.evaluate(() => !!window.axe))
		await page.evaluate(readFileSync(AXE, 'utf8'));
	const broken = await page.evaluate(async () => (await window.axe.run()).violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')));
	assert.deepEqual(broken, [], what);
}

// Something is there, and takes taps.
export const settled = (page) => page.waitForFunction(() => document.querySelector('.card') && !document.querySelector('.fresh'));

export const say = (page, text) => page.locator('.card .say', {hasText: text});
// What has just appeared takes no tap: one waits until it does.
export const choice = (page, name, i = 0) => page.locator(`body:not(.fresh) .card:not(.fresh) .${name}`).nth(i);
export const inSheet = (page, text, what = '.choice') => page.locator(`dialog:not(.fresh) ${what}`, text ? {hasText: text} : {}).first();

// Each test, a line each and the sum; mend() makes the store as it was after one that failed. ONLY: those whose name this expression finds.
export async function run(tests, mend = () => {}) {
	const chosen = Object.entries(tests).filter(([name]) => new RegExp(process.env.ONLY || '').test(name));
	let failed = 0;

	for (const [name, test] of chosen) {
		const began = Date.now();
		try {
			await test();
			assert.deepEqual(errors.splice(0), [], 'errors in the page');
			console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
		} catch (error) {
			failed++;
			console.log('FAIL ' + name + '\n' + error.stack);
			for (const context of browser.contexts())
				await context.close();
			errors.length = 0;
			await mend();
		}
	}
	assert.deepEqual(foreign, [], 'the page asks other hosts');
	await browser.close();
	console.log(`${chosen.length - failed} passed, ${failed} failed`);
	return failed;
}
