// SPDX-License-Identifier: Apache-2.0
//
// manager.mjs - the manager's page in a real browser against the real HTTP server (page_server.c).
//
//   node manager.mjs PAGE_SERVER [FOLDER]      screenshots go to FOLDER

import assert from 'node:assert/strict';
import {TABLET, PHONE, Server, shot, shotsTo, assertLayout, assertContrast, assertAccessible, run, open as openAt} from './harness.mjs';

const [server_path, folder] = process.argv.slice(2);
if (!server_path) {
	console.error('usage: node manager.mjs PAGE_SERVER [FOLDER]');
	process.exit(64);
}
shotsTo(folder);

const store = new Server(server_path);
const open = (options) => openAt(store, options);

// ---- a day ----

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
		before: [
			{days: 1, day: '2026-11-20T03:00:00.000Z', hour: 16, by_hour: {prompts: 180, shown: 171, accepted: 52, redeemed: 40, redeemed_minor: 8120},
				whole: {prompts: 262, shown: 250, accepted: 80, redeemed: 61, redeemed_minor: 12455}},
			{days: 7, day: '2026-11-14T03:00:00.000Z', hour: 16, by_hour: {prompts: 204, shown: 199, accepted: 70, redeemed: 48, redeemed_minor: 9930},
				whole: {prompts: 301, shown: 290, accepted: 101, redeemed: 77, redeemed_minor: 154250}}],
		waiting: [], cards: [], heard: [],
		stopped: [], policy: {name: 'spring', version: 12}, time: 'certain', broker: 'connected', hq: 'connected',
	};
}

const REASONS = {'coffee-off': {'customer-declined': 11, 'too-busy': 4}, enrol: {'not-relevant': 9, insensitive: 1}, 'wine-pairing': {'out-of-stock': 7}};

// The same day, with all that goes on on the floor.
function aFloor() {
	const day = aDay();
	for (const row of day.actions)
		if (REASONS[row.action])
			row.reasons = REASONS[row.action];
	const headline = day.actions[1].headline, card = (prompt, action, at, outcome, more) =>
		({decision: 'D' + prompt, prompt, station: '7', action, at: `2026-11-21T${at}.000Z`, outcome, headline, ...more});
	Object.assign(day, {
		waiting: [{guidance: 'G2', prompt: 'P2', decision: 'D2', station: '12', basket: 'b2', action: 'goodwill', worth: 500, at: '2026-11-21T14:41:02.000Z',
			expires: '2026-11-21T14:51:02.000Z', headline: {en: 'Five euros off for the long wait', de: 'Fünf Euro für das lange Warten', ar: 'خصم خمسة يورو عن الانتظار الطويل'}},
		{guidance: 'G1', prompt: 'P1', decision: 'D1', station: '7', basket: 'b1', action: 'refund_cash', at: '2026-11-21T14:35:40.000Z', expires: '2026-11-21T14:45:40.000Z'}],
		heard: [...[1, 2, 7, 12].map((n) => ({who: 'pos/' + n, station: String(n), at: '2026-11-21T14:4' + n % 3 + ':00.000Z'})),
			{who: 'pos/3', station: '3', at: '2026-11-21T10:12:00.000Z', silent: true}, {who: 'loyalty/r7', station: '7', at: '2026-11-20T18:02:00.000Z', silent: true},
			{who: 'tablet/front', at: '2026-11-21T14:42:10.000Z'}],
		cards: [card('P9', 'coffee-off', '14:41:50', 'accepted'), card('P8', 'wine-pairing', '14:39:12', 'dismissed', {headline: day.actions[3].headline}),
			card('P7', 'gone-action', '14:30:00', 'decided', {headline: undefined, station: '12'})],
		levers: [{name: 'issue:retain', value: 1.2, own: 1.2, min: 0.5, max: 2}],
	});
	return day;
}

const DECISION = {decision: 'DP9', at: '2026-11-21T14:41:50.000Z', station: '7', trigger: {source: '/s', id: 'e', type: 'aisle.basket.item-added'},
	policy: {name: 'spring', version: 12}, fates: {offered: 1, 'not-drawn': 1, eligibility: 1, budget: 1},
	candidates: [{action: 'coffee-off', fate: 'offered'}, {action: 'wine-pairing', fate: 'not-drawn'},
		{action: 'birthday', fate: 'eligibility', clause: '{"==":[{"var":"birthday_week"},true]}'}, {action: 'bread-off', fate: 'budget', clause: 'budget.money'}],
	slots: [{prompt: 'P9', action: 'coffee-off', p_log: 0.62, shortlist: [{action: 'coffee-off', p: 0.62}, {action: 'wine-pairing', p: 0.3}, {action: 'nothing', p: 0.08}]}],
	outcomes: [{prompt: 'P9', outcome: 'shown', at: '2026-11-21T14:41:52.000Z'}, {prompt: 'P9', outcome: 'accepted', at: '2026-11-21T14:42:01.000Z', manager_name: 'anna'},
		{prompt: 'other', outcome: 'shown', at: '2026-11-21T14:41:52.000Z'}]};

async function manager(report, options = {}) {
	store.say('report ' + JSON.stringify(report));
	return open({query: 'manager', timezoneId: 'Europe/London', ...options});
}

// In the browser of a manager who is signed in.
async function signedIn(report, options) {
	const page = await manager(report, {query: 'manager?sign-in', ...options});
	await page.fill('#manager', 'm1');
	await page.fill('#pin', '4321');
	await page.locator('#go').tap();
	await page.locator('#report > *').first().waitFor();
	return page;
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
		apart('.legend li, .stops li, .rows > li, .others li, summary, header > *');
		apart('.why-no li, .came li, .heard li');
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
			stopped: [{action: 'bread-off', headline: {en: 'Bread', de: '… vom Sauerteigbrot'}}, {action: 'tea_cake-2', by: 'manager', manager_name: 'anna', since: '2026-11-21T14:40:00.000Z', until: '2026-11-21T17:00:00.000Z'},
				{action: 'milk', by: 'operator', since: '2026-11-20T14:40:00.000Z'}, {action: 'oil', by: 'manager', since: '2026-11-21T14:41:00.000Z'},
				{action: 'wine-pairing', by: 'headquarters', since: '2026-11-21T13:05:00.000Z'}, {action: 'rum', by: 'headquarters', since: '2026-11-19T13:05:00.000Z'}]});
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
			'Tea cake 2|In diesem Markt gestoppt bis 18:00 (von anna, 15:40)',
			'Milk|In diesem Markt gestoppt, bis es jemand wieder freigibt (von der Technik, Fr., 20.11. 15:40)',
			'Oil|In diesem Markt gestoppt, bis es jemand wieder freigibt (von der Marktleitung, 15:41)',
			'Wine pairing|Von der Zentrale gestoppt seit 14:05: nur sie gibt es wieder frei',
			'Rum|Von der Zentrale gestoppt seit Do., 19.11. 14:05: nur sie gibt es wieder frei',
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

	async 'what waits is first, and is answered with two taps by who is signed in'() {
		const page = await signedIn(aFloor());
		await page.locator('.part-waiting').waitFor();
		assert.deepEqual(await texts(page, '.waits li'), ['Till 7|Refund cash|since 15:35|Approve|Refuse',
			'Till 12|Five euros off for the long wait|since 15:41 · saves €5.00|Approve|Refuse'], 'the oldest first');
		assert.equal(await page.locator('#report > :first-child.part-waiting').count(), 1);
		await page.locator('.waits li').nth(1).locator('.accept').tap();
		await page.locator('.waits .accept', {hasText: 'Tap again'}).tap();
		assert.equal(await store.line(/^m1 decision G2 P2 /), 'm1 decision G2 P2 {"guidance":"G2","prompt":"P2","decision":"accept"}');
		await page.locator('.waits .accept:enabled').first().waitFor();
		await page.locator('.waits li').first().locator('.order', {hasText: 'Refuse'}).tap();
		await page.locator('.waits .order', {hasText: 'Tap again'}).tap();
		await store.line(/^m1 decision G1 P1 .*"dismiss"/);
		store.say('reply 410 too late');
		await page.locator('.waits .accept:enabled').first().waitFor();
		await page.locator('.waits .accept').first().tap();
		await page.locator('.waits .accept', {hasText: 'Tap again'}).tap();
		await page.locator('#stale', {hasText: 'Too late, or answered already'}).waitFor();
		store.say('reply 200');
		await page.context().close();
	},

	async 'a hand that is on something is not disturbed by new figures'() {
		const day = aFloor(), page = await signedIn(day, {clock: {time: 0}});
		await page.locator('.waits .accept').first().tap();
		store.say('report ' + JSON.stringify({...day, shown: 185}));
		await page.clock.runFor(31000 % 4000);
		await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
		await page.waitForResponse(/v1\/report/).catch(() => {});
		assert.equal(await page.locator('.waits .accept', {hasText: 'Tap again'}).count(), 1);
		await page.clock.runFor(5000);
		assert.equal(await page.locator('.waits .accept', {hasText: 'Tap again'}).count(), 0, 'after five seconds it has not been meant');
		await page.locator('#again').tap();
		await page.locator('.figure', {hasText: '185'}).waitFor();
		await page.context().close();
	},

	async 'today is beside yesterday and the same day last week, up to the same hour'() {
		const page = await manager(aFloor());
		await page.locator('.part-before').waitFor();
		assert.deepEqual(await texts(page, '.part-before tr'), ['Today|Yesterday|by 16:00|Sat 14 Nov|by 16:00',
			'Prompts shown|184|171|250 all day|199|290 all day', 'Accepted|61|52|80 all day|70|101 all day',
			'Given away|€88.45|€81.20|€124.55 all day|€99.30|€1,543 all day', 'Redeemed|43|40|61 all day|48|77 all day']);
		store.say('report ' + JSON.stringify({...aDay(), before: []}));
		await page.locator('#again').tap();
		await page.locator('.part-before').waitFor({state: 'detached'});
		await page.context().close();
	},

	async 'why people said no is counted, in all and by action'() {
		const page = await manager(aFloor());
		await page.locator('.part-reasons').waitFor();
		assert.deepEqual(await texts(page, '.part-reasons .rows > li'), [
			'In all|11|Customer said no|9|Does not fit|7|Out of stock|4|Too busy|1|Not appropriate',
			'10\u00a0% off any coffee today|11|Customer said no|4|Too busy', 'Ask: would they like a card?|9|Does not fit|1|Not appropriate',
			'A wine that goes with this cheese, aisle 12|7|Out of stock']);
		await page.context().close();
	},

	async 'who is silent stands out, and the others are there for who asks'() {
		const page = await manager(aFloor());
		await page.locator('.part-silent').waitFor();
		assert.deepEqual(await texts(page, '.part-silent li'), ['Reader r7|last heard Fri 20/11 19:02', 'Till 3|last heard 11:12']);
		assert.equal(await page.locator('.heard li').first().isVisible(), false);
		await page.locator('.part-heard summary').tap();
		assert.deepEqual((await texts(page, '.heard li')).slice(0, 3), ['Reader r7|Fri 20/11 19:02', 'Till 1|15:41', 'Till 2|15:42']);
		assert.equal(await page.locator('.heard li').count(), 7);
		await page.locator('#again').tap();
		await page.locator('.part-heard[open]').waitFor();
		await assertReport(page, 'who is silent');
		await page.context().close();
	},

	async 'one of the last cards says why it was shown, what came of it, and why no other'() {
		const page = await manager(aFloor());
		await page.locator('.part-cards').waitFor();
		assert.deepEqual(await texts(page, '.part-cards summary'), ['15:41|Till 7|10\u00a0% off any coffee today|Accepted',
			'15:39|Till 7|A wine that goes with this cheese, aisle 12|Dismissed', '15:30|Till 12|Gone action|Sent']);
		store.say('decision ' + JSON.stringify(DECISION));
		await page.locator('.part-cards summary').first().tap();
		await page.locator('.told .came').waitFor();
		assert.deepEqual(await texts(page, '.told'), ['An article was scanned. It was drawn among 2 that fitted, with a chance of 62%.|Policy spring, version 12, looked at 4 cards.|' +
			'What came of it|15:41|Shown|15:42|Accepted|· anna|Why not another one|A wine that goes with this cheese, aisle 12|Another card was drawn|' +
			'Birthday week: a free cake|Not meant for this customer|Rule:|{"==":[{"var":"birthday_week"},true]}|' +
			'… off sourdough bread|Its budget is used up|Rule:|budget.money', '', '']);
		await assertReport(page, 'a card and its why');
		await shot(page, 'manager-why-tablet-light', true);
		store.say('decision');
		await page.locator('.part-cards summary').nth(1).tap();
		await page.locator('.told', {hasText: 'not kept any more'}).waitFor();
		await page.context().close();
	},

	async 'every word of both pages is there in every language, with the same places to fill'() {
		for (const name of ['words.js', 'manager-words.js']) {
			const source = await (await fetch(store.url + name)).text(), at = source.indexOf('const texts = {');
			const texts = new Function(source.slice(at, source.indexOf('\n};', at) + 3) + 'return texts;')();
			assert.deepEqual(Object.keys(texts), ['en', 'de', 'es', 'fr', 'ar']);
			for (const [language, words] of Object.entries(texts)) {
				assert.deepEqual(Object.keys(words).sort(), Object.keys(texts.en).sort(), `${name}, ${language}`);
				for (const [word, text] of Object.entries(words))
					assert.deepEqual((text.match(/{\d}/g) || []).sort(), (texts.en[word].match(/{\d}/g) || []).sort(), `${name}, ${language}, ${word}`);
			}
		}
	},

	async 'the page is whole in every language, from right to left too, and stays in the one that is chosen'() {
		const page = await signedIn(aFloor());
		const english = await texts(page, '#report h2');
		for (const [code, name, title] of [['de', 'Deutsch', 'Heute'], ['es', 'Español', 'Hoy'], ['fr', 'Français', 'Aujourd’hui'], ['ar', 'العربية', 'اليوم']]) {
			await page.locator('.languages button', {hasText: name}).tap();
			await page.locator(`html[lang=${code}] h1`, {hasText: title}).waitFor();
			await page.locator('.part-waiting').waitFor();
			assert.equal(await page.getAttribute('html', 'dir'), code === 'ar' ? 'rtl' : 'ltr');
			const now = await texts(page, '#report h2');
			assert.deepEqual(now.map((heading, i) => heading === english[i]).filter(Boolean), [], code + ': ' + now);
			await page.locator('.part-cards summary').first().tap();
			await page.locator('.told').first().locator('p').first().waitFor();
			await assertReport(page, code);
			await shot(page, 'manager-floor-tablet-' + code, true);
			await page.setViewportSize({width: 360, height: 740});
			await assertReport(page, code + ' on a small phone');
			await shot(page, 'manager-floor-phone-' + code, true);
			await page.setViewportSize(TABLET);
		}
		await page.context().close();
	},

	async 'no rule of accessibility is broken, in light, in the dark and on the form'() {
		const page = await signedIn(aFloor());
		await page.locator('.part-heard summary').tap();
		await page.locator('.part-cards summary').first().tap();
		await page.locator('.told p').first().waitFor();
		for (const colorScheme of ['light', 'dark']) {
			await page.emulateMedia({colorScheme});
			await assertAccessible(page, colorScheme);
			await shot(page, 'manager-floor-tablet-' + colorScheme, true);
		}
		await page.goto(store.url + 'manager?sign-in');
		await page.locator('#go').waitFor();
		await assertAccessible(page, 'the form to sign in');
		await page.context().close();
	},

	async 'on paper the round is one sheet of A4, without buttons, also from a dark screen'() {
		// as much as there can be on it
		const day = {...aFloor(), stopped: [{action: 'bread-off', by: 'headquarters', since: '2026-11-21T14:05:00.000Z'}, {action: 'tea'}, {action: 'wine-pairing'}], hq: 'away', time: 'uncertain'};
		for (let i = 0; i < 6; i++)
			day.actions.push(anAction('more-' + i, 6 - i, 1, {reasons: {other: i + 1}, budget: {per: 'store-day', money: 5000, money_used: 4010, units: 4, units_used: 1}}));
		for (let i = 20; i < 26; i++)
			day.heard.push({who: 'pos/' + i, station: String(i), at: '2026-11-21T09:12:00.000Z', silent: true});
		const page = await signedIn(day, {colorScheme: 'dark'});
		for (const name of ['English', 'Deutsch', 'Français', 'العربية', 'Español']) {
			await page.locator('.languages button', {hasText: name}).tap();
			await page.locator('.languages [aria-pressed=true]', {hasText: name}).waitFor();
			await page.locator('.part-before').waitFor();
			const pdf = await page.pdf({preferCSSPageSize: true, printBackground: true, path: folder && `${folder}/manager-round-${name}.pdf`});
			assert.equal(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g).length, 1, 'one sheet in ' + name);
		}
		await page.emulateMedia({media: 'print', colorScheme: 'dark'});
		await page.setViewportSize({width: 710, height: 1040});
		assert.equal(await page.locator('button:visible, a:visible, input:visible, summary:visible').count(), 0);
		for (const part of ['.figure', '.part-before', '.part-silent', '.part-reasons', '.part-actions', '.chart svg'])
			assert.ok(await page.locator(part).first().isVisible(), part);
		await assertContrast(page, 'on paper');
		await shot(page, 'manager-round-paper', true);
		await page.context().close();
	},

	async 'at an operator\'s address one reads, and signs in to order'() {
		const page = await manager(aFloor());
		await page.locator('.part-waiting').waitFor();
		assert.equal(await page.locator('#report button').count(), 0);
		await page.locator('a', {hasText: 'Sign in to order'}).tap();
		await page.fill('#manager', 'm1');
		await page.fill('#pin', '4321');
		await page.locator('#go').tap();
		await page.locator('.waits .accept').first().waitFor();
		assert.match(page.url(), /\/manager$/);
		await page.locator('.orders button', {hasText: 'Sign out'}).tap();
		await page.locator('a', {hasText: 'Sign in to order'}).waitFor();
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
		await page.locator('.rows .order', {hasText: 'Stop “10\u00a0% off any coffee today”? Tap again.'}).tap();
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
const failed = await run(tests, () => store.say('reply 200'));
await store.stop();
process.exit(failed ? 1 : 0);
