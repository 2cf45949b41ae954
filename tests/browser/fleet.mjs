// SPDX-License-Identifier: Apache-2.0
//
// fleet.mjs - aislectl fleet -o page.html in a browser: in two seconds who is in trouble, on any screen, whatever a store says.
//
//   node fleet.mjs BUILD [FOLDER]      pictures go to FOLDER

import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {assertContrast, assertLayout, browser, errors, foreign, run, shot, shotsTo} from './harness.mjs';

const [build, pictures] = process.argv.slice(2);
if (!build) {
	console.error('usage: node fleet.mjs BUILD [FOLDER]');
	process.exit(64);
}
shotsTo(pictures);

const folder = mkdtempSync(tmpdir() + '/aisle-fleet-');
const RECORDS = `
import json, sqlite3, sys
from datetime import datetime, timedelta, timezone
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE record(store TEXT, epoch TEXT, lane TEXT, seq INTEGER, type TEXT, at TEXT, body TEXT, PRIMARY KEY(store, epoch, lane, seq))")
for store, minutes, body in json.load(sys.stdin):
    at = (datetime.now(timezone.utc) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    db.execute("INSERT INTO record VALUES(?, 'e', 'telemetry', 1, 'health', ?, ?)", (store, at, json.dumps(body)))
db.commit()
`;
const HOSTILE = '</script><script>document.title="hit"</script><img src=x onerror=\'document.title="hit"\'>';

function health(store, minutes = 5, more = {}, release = {}) {
	return [store, minutes, {policy: {name: 'spring', version: 12}, release: {channel: 'stable', sequence: 5, state: 'good', ...release}, ...more}];
}

async function page(stores, options = {}) {
	const name = `${folder}/${stores.length}-${Math.random()}`;
	execFileSync('/usr/bin/python3', ['-c', RECORDS, name + '.db'], {input: JSON.stringify(stores)});
	execFileSync(build + '/aislectl', ['fleet', '--from', `sqlite:${name}.db`, '-o', name + '.html']);
	const context = await browser.newContext({viewport: {width: 1280, height: 900}, ...options});
	const made = await context.newPage();
	made.on('request', (request) => !/^(file|data|about):/.test(request.url()) && foreign.push(request.url()));
	made.on('pageerror', (error) => errors.push(String(error)));
	made.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
	await made.goto('file://' + name + '.html');
	return made;
}

const mixed = () => [health('0001'), health('0002', 5, {ring: 'early'}), health('0003', 3, {}, {state: 'refused', why: 'exam', detail: HOSTILE.repeat(2)}),
	health('0004', 60 * 30), health('0005', 2, {}, {sequence: 4}), health('0006', 2, {store_time: 'uncertain', stops: {actions: ['coffee-off']}}),
	health('0007', 2, {}, {state: 'fetching'}), health('0008', 2, {}, {state: 'rolled-back', why: 'probation'}), health('0009', 2, {policy: null})];

const tests = {
	async 'who is in trouble stands first, with why, and what a store says is text'() {
		const made = await page(mixed());
		assert.equal(await made.locator('h1').innerText(), '6 of 9 stores need you');
		assert.deepEqual(await made.locator('.trouble h3').allInnerTexts(), ['0003\nrefused the release', '0008\nwent back', '0004\nsilent', '0009\nwithout a policy', '0005\nbehind', '0006\nto be looked at']);
		assert.ok((await made.locator('.trouble article').first().innerText()).includes(HOSTILE));
		assert.equal(await made.title(), 'Fleet');
		assert.ok(await made.locator('.trouble article').first().evaluate((e) => e.getBoundingClientRect().bottom < innerHeight), 'in the first look');
		await made.context().close();
	},
	async 'it is read on any screen, in both schemes'() {
		for (const [width, height, colorScheme] of [[1280, 900, 'light'], [1280, 900, 'dark'], [390, 844, 'light'], [320, 640, 'dark'], [1920, 1080, 'light']]) {
			const made = await page(mixed(), {viewport: {width, height}, colorScheme}), what = `${width} ${colorScheme}`;
			await assertLayout(made, what);
			await assertContrast(made, what);
			await shot(made, `fleet-${width}-${colorScheme}`, true);
			await made.context().close();
		}
	},
	async 'of twenty-five stores the three that need somebody are seen at once'() {
		const wrong = {7: ['0007', 60 * 31], 12: ['0012', 5, {}, {state: 'refused', why: 'shadow', detail: 'the same top card in 33 % of the decisions, expected at least 50 %'}], 19: ['0019', 5, {}, {sequence: 4}]};
		const made = await page(Array.from({length: 25}, (_, i) => wrong[i + 1] ? health(...wrong[i + 1]) : health(String(i + 1).padStart(4, '0'))), {viewport: {width: 1024, height: 768}});
		assert.equal(await made.locator('h1').innerText(), '3 of 25 stores need you');
		assert.deepEqual(await made.locator('.trouble h3').allInnerTexts(), ['0012\nrefused the release', '0007\nsilent', '0019\nbehind']);
		await shot(made, 'fleet-25', false);
		await made.context().close();
	},
	async 'when all is well it says so'() {
		const made = await page([health('0001'), health('0002')]);
		assert.equal(await made.locator('h1').innerText(), 'All 2 stores are well');
		assert.equal(await made.locator('.trouble').count(), 0);
		await made.context().close();
	},
	async 'of two thousand stores one is found by its number'() {
		const made = await page(Array.from({length: 2000}, (_, i) => health(String(i).padStart(4, '0'), 5, {}, i === 1234 ? {state: 'refused', why: 'wrong-hash'} : {})));
		assert.equal(await made.locator('h1').innerText(), '1 of 2000 stores needs you');
		assert.equal(await made.locator('.trouble h3').first().innerText(), '1234\nrefused the release');
		await made.fill('input', '1999');
		assert.equal(await made.locator('tbody tr').count(), 1);
		await made.fill('input', 'wrong-hash');
		assert.equal(await made.locator('tbody tr td').first().innerText(), '1234');
		await made.context().close();
	},
};

const failed = await run(tests);
rmSync(folder, {recursive: true});
process.exitCode = failed ? 1 : 0;
