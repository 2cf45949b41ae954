// SPDX-License-Identifier: Apache-2.0
//
// manager.js - the business day so far, read standing up: four figures, what became of the prompts,
// by hour, by action, and what is not running. Nobody is ranked, and no lift is told that one store
// cannot know.
//
// Everything is drawn anew from one report (GET /v1/report). A colour never stands alone: a number
// and a word are beside it.

import {language as wanted} from '/words.js';
import {el, button} from '/cards.js';

const EVERY_MS = 30000;		// asked again after so long
const STALE_MS = 75000;		// older figures are said to be old: two tries came to nothing
const ACTIONS_MAX = 10;

const texts = {
	en: {
		title: 'Today',
		asOf: 'As of {0}',
		again: 'Refresh',
		shown: 'Prompts shown',
		sent: 'Prompts sent',
		accepted: 'Accepted',
		acceptedOf: '{0} of those shown',
		acceptedOfSent: '{0} of those sent',
		given: 'Given away',
		givenBy: 'taken off at the tills',
		ofSent: 'of {0} sent',
		dayBudget: 'Budgets for today: {0} of {1} used or held',
		redeemed: 'Redeemed',
		redeemedBy: 'offers used at a till',
		answers: 'What became of the prompts',
		'answer.accepted': 'Accepted',
		'answer.dismissed': 'Dismissed',
		'answer.snoozed': 'Later',
		'answer.overridden': 'Something else instead',
		'answer.unanswered': 'No answer, ran out or withdrawn',
		'answer.unseen': 'Not shown',
		'answer.open': 'Still open',
		hours: 'By hour',
		hourShown: 'shown',
		hourAccepted: 'of these accepted',
		hour: '{0}:00: {1} shown, {2} accepted',
		actions: 'By action',
		rowShown: '{0} shown',
		rowAccepted: '{0} accepted',
		'budget.store-day': 'Budget for today: {0} of {1} used or held',
		'budget.campaign': 'Budget in all: {0} of {1} used or held',
		offers: '{0} offers',
		usedUp: 'used up',
		rowGiven: '{0} given away',
		more: 'and {0} more',
		others: 'and more than {0} more',
		running: 'Everything is running.',
		notRunning: 'Not running',
		stop: 'Stop', stopAll: 'Stop everything', allow: 'Allow again', everything: 'Everything', refused: 'That did not work ({0})',
		sure: 'Really stop “{0}”? Tap again.', signOut: 'Sign out', moved: '{0} until {1}', levers: 'Weights until midnight', set: 'Set',
		stopped: 'Stopped in this store until somebody allows it again',
		stoppedUntil: 'Stopped in this store until {0}',
		noPolicy: 'No policy is installed, so nothing is suggested.',
		broker: 'The store’s message broker cannot be reached. Tills are not heard.',
		hq: 'Headquarters cannot be reached. The store goes on without it; records are sent later.',
		time: 'The gateway is not sure of the time. Offers that depend on a date are held back.',
		empty: 'Nothing has been shown yet today.',
		emptyMore: 'The figures begin with the first prompt of the day.',
		lift: 'One store alone cannot tell whether prompts bring more sales; headquarters can.',
		withheld: '{0} prompts were held back on purpose, to measure it.',
		failed: 'The gateway does not answer. This page tries again by itself.',
		stale: 'These figures are from {0}. The gateway does not answer; this page tries again by itself.',
	},
	de: {
		title: 'Heute',
		asOf: 'Stand {0}',
		again: 'Neu laden',
		shown: 'Gezeigte Hinweise',
		sent: 'Gesendete Hinweise',
		accepted: 'Angenommen',
		acceptedOf: '{0} der gezeigten',
		acceptedOfSent: '{0} der gesendeten',
		given: 'Nachlass gewährt',
		givenBy: 'an den Kassen abgezogen',
		ofSent: 'von {0} gesendeten',
		dayBudget: 'Tagesbudgets: {0} von {1} verbraucht oder vorgemerkt',
		redeemed: 'Eingelöst',
		redeemedBy: 'Angebote an der Kasse',
		answers: 'Was aus den Hinweisen wurde',
		'answer.accepted': 'Angenommen',
		'answer.dismissed': 'Abgelehnt',
		'answer.snoozed': 'Später',
		'answer.overridden': 'Stattdessen etwas anderes',
		'answer.unanswered': 'Ohne Antwort, abgelaufen oder zurückgezogen',
		'answer.unseen': 'Nicht gezeigt',
		'answer.open': 'Noch offen',
		hours: 'Nach Stunde',
		hourShown: 'gezeigt',
		hourAccepted: 'davon angenommen',
		hour: '{0} Uhr: {1} gezeigt, {2} angenommen',
		actions: 'Nach Maßnahme',
		rowShown: '{0} gezeigt',
		rowAccepted: '{0} angenommen',
		'budget.store-day': 'Tagesbudget: {0} von {1} verbraucht oder vorgemerkt',
		'budget.campaign': 'Gesamtbudget: {0} von {1} verbraucht oder vorgemerkt',
		offers: '{0} Angeboten',
		usedUp: 'aufgebraucht',
		rowGiven: '{0} Nachlass',
		more: 'und {0} weitere',
		others: 'und mehr als {0} weitere',
		running: 'Alles läuft.',
		notRunning: 'Läuft nicht',
		stop: 'Stoppen', stopAll: 'Alles stoppen', allow: 'Wieder freigeben', everything: 'Alles', refused: 'Das ging nicht ({0})',
		sure: '„{0}“ wirklich stoppen? Noch einmal tippen.', signOut: 'Abmelden', moved: '{0} bis {1}', levers: 'Gewichte bis Mitternacht', set: 'Setzen',
		stopped: 'In diesem Markt gestoppt, bis es jemand wieder freigibt',
		stoppedUntil: 'In diesem Markt gestoppt bis {0}',
		noPolicy: 'Es ist kein Regelwerk installiert, darum wird nichts vorgeschlagen.',
		broker: 'Der Nachrichtendienst im Markt ist nicht erreichbar. Die Kassen werden nicht gehört.',
		hq: 'Die Zentrale ist nicht erreichbar. Der Markt arbeitet weiter; die Daten werden später gesendet.',
		time: 'Die Uhr im Markt ist unsicher. Angebote mit Datum werden zurückgehalten.',
		empty: 'Heute wurde noch nichts gezeigt.',
		emptyMore: 'Die Zahlen beginnen mit dem ersten Hinweis des Tages.',
		lift: 'Ein Markt allein kann nicht sagen, ob Hinweise mehr Umsatz bringen; die Zentrale kann es.',
		withheld: '{0} Hinweise wurden absichtlich zurückgehalten, um das zu messen.',
		failed: 'Das Gateway antwortet nicht. Diese Seite versucht es von selbst wieder.',
		stale: 'Diese Zahlen sind von {0}. Das Gateway antwortet nicht; diese Seite versucht es von selbst wieder.',
	},
};
const language = texts[wanted] ? wanted : 'en';
const words = texts[language];

const locale = (navigator.languages || []).find((l) => l.slice(0, 2).toLowerCase() === language) || language;
const $ = (id) => document.getElementById(id);

function say(name, ...values) {
	return values.reduce((text, value, i) => text.replace('{' + i + '}', () => value), words[name]);
}

// ---- numbers, money, times ----

const count = (n) => (n || 0).toLocaleString(locale);
const share = (part, all) => (part / all).toLocaleString(locale, {style: 'percent', maximumFractionDigits: 0});

// Large sums without cents: they are read from afar.
function money(minor, currency, round) {
	try {
		const digits = new Intl.NumberFormat(locale, {style: 'currency', currency}).resolvedOptions().maximumFractionDigits;
		const amount = minor / 10 ** digits;
		const shown = round && Math.abs(amount) >= 1000 ? 0 : digits;
		return new Intl.NumberFormat(locale, {style: 'currency', currency, minimumFractionDigits: shown,
			maximumFractionDigits: shown}).format(amount);
	} catch {
		return count(minor) + ' ' + currency;
	}
}

// In the store's time, wherever the reader is. A zone that the browser does not know: in the reader's own.
function time(at, zone, form) {
	try {
		return new Intl.DateTimeFormat(locale, {timeZone: zone, ...form}).format(new Date(at));
	} catch {
		return new Intl.DateTimeFormat(locale, form).format(new Date(at));
	}
}

const clock = (at, zone) => time(at, zone, {hour: '2-digit', minute: '2-digit', hourCycle: 'h23'});

// An action by its headline, else by its id made readable.
function named(row) {
	const texts = row.headline || {};
	const tag = [...(navigator.languages || []), language].find((l) => texts[l] || texts[l.slice(0, 2)]);
	const text = (tag && (texts[tag] || texts[tag.slice(0, 2)])) || Object.values(texts)[0];
	if (text)
		return text.replace(/(\d|…) (?=[%€$£])/g, '$1\u00a0');
	const plain = row.action.replace(/[_-]+/g, ' ');
	return plain.charAt(0).toUpperCase() + plain.slice(1);
}

// ---- parts of the page ----

function section(name, ...content) {
	const node = el('section', 'part-' + name);
	node.append(el('h2', '', words[name]), ...content);
	return node;
}

// How much of something is used; the words are beside it.
function meter(part, all, className = '') {
	const node = el('div', 'meter ' + className, null, {ariaHidden: 'true'}), fill = el('i');
	fill.style.width = (all > 0 ? Math.max(0, Math.min(1, part / all)) * 100 : 0).toFixed(1) + '%';
	node.append(fill);
	return node;
}

function figure(name, value, about, more) {
	const node = el('div', 'figure'), large = el('dd', 'value', value);
	// As large as its box bears: a sum of money is not broken in two. A digit is some 0.7 em.
	large.style.fontSize = `clamp(1.2rem, ${(95 / 0.7 / value.length).toFixed(1)}cqi, 3rem)`;
	node.append(el('dt', '', words[name]), large, el('dd', 'about', about));
	if (more)
		node.append(more);
	return node;
}

// Tablets that do not say what they showed: then the prompts that were sent are the whole.
function whole(row) {
	return row.shown >= row.accepted ? {name: 'shown', n: row.shown} : {name: 'sent', n: Math.max(row.prompts, row.accepted)};
}

function figures(report) {
	const node = el('dl', 'figures'), all = whole(report), budget = report.day_budget;
	const accepted = all.n ? say(all.name === 'shown' ? 'acceptedOf' : 'acceptedOfSent', share(report.accepted, all.n)) : '';
	const given = budget ? say('dayBudget', money(budget.money_used, report.currency), money(budget.money, report.currency))
	    : words.givenBy;
	node.append(figure(all.name, count(all.n), all.name === 'shown' ? say('ofSent', count(report.prompts)) : ''), figure('accepted', count(report.accepted), accepted),
		figure('given', money(report.redeemed_minor, report.currency, true), given,
			budget && meter(budget.money_used, budget.money)),
		figure('redeemed', count(report.redeemed), words.redeemedBy));
	return node;
}

function answers(report) {
	const parts = [['accepted', report.accepted], ['dismissed', report.dismissed], ['snoozed', report.snoozed],
		['overridden', report.overridden], ['unanswered', report.unanswered], ['unseen', report['not-shown']]];
	const sum = parts.reduce((n, [, part]) => n + part, 0), all = Math.max(report.prompts, sum);
	const bar = el('div', 'stack', null, {ariaHidden: 'true'}), list = el('ul', 'legend');
	parts.push(['open', all - sum]);
	for (const [name, n] of parts) {
		const line = el('li');
		if (n > 0) {
			const piece = el('i', 'is-' + name, n / all >= 0.07 ? count(n) : '');
			piece.style.flexGrow = n;
			bar.append(piece);
		} else if (name === 'open') {
			continue;
		}
		line.append(el('i', 'is-' + name, null, {ariaHidden: 'true'}), el('b', '', count(n)), el('span', '', words['answer.' + name]));
		list.append(line);
	}
	return section('answers', bar, list);
}

// ---- by hour ----

function svg(tag, attributes, text) {
	const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
	for (const [name, value] of Object.entries(attributes))
		node.setAttribute(name, value);
	if (text !== undefined)
		node.textContent = text;
	return node;
}

// As told, and then quiet hours up to now.
function allHours(report) {
	const hours = [...report.hours], now = Number(time(report.at, report.zone, {hour: 'numeric', hourCycle: 'h23'}).match(/\d+/));
	for (let n = hours.length; n > 0 && n < 24 && hours[n - 1].hour !== now; n++)
		hours.push({hour: (hours[n - 1].hour + 1) % 24, shown: 0, accepted: 0});
	return hours;
}

function drawHours(chart, hours) {
	const width = Math.max(chart.clientWidth, 120), height = 190, top = 20, foot = 24;
	const most = Math.max(1, ...hours.map((h) => Math.max(h.shown, h.accepted)));
	const column = Math.min(72, width / hours.length), bar = column - Math.min(10, column * 0.24);
	const tall = (n) => n / most * (height - top - foot);
	const fits = count(most).length * 9.2 + 3 <= column, every = column < 21 ? 3 : column < 27 ? 2 : 1;
	const picture = svg('svg', {viewBox: `0 0 ${width} ${height}`, width, height, role: 'img',
		'aria-label': hours.filter((h) => h.shown || h.accepted).map((h) => say('hour', h.hour, count(h.shown), count(h.accepted))).join('; ')});
	const ground = height - foot, half = count(most).length * 4.8;
	const inside = (x) => Math.max(half, Math.min(width - half, x));
	hours.forEach((h, i) => {
		const x = i * column + (column - bar) / 2, middle = i * column + column / 2;
		const rect = (name, n) => svg('rect', {class: name, x, y: ground - tall(n), width: bar, height: tall(n), rx: 3});
		if (h.shown > 0)
			picture.append(rect('shown', h.shown));
		if (h.accepted > 0)
			picture.append(rect('accepted', h.accepted));
		if (h.shown > 0 && (fits || h.shown === most))
			picture.append(svg('text', {x: inside(middle), y: ground - tall(Math.max(h.shown, h.accepted)) - 5}, count(h.shown)));
		if (h.accepted > 0 && fits && tall(h.accepted) >= 18)
			picture.append(svg('text', {class: 'inside', x: middle, y: ground - tall(h.accepted) + 14}, count(h.accepted)));
		else if (h.accepted > 0 && fits && tall(h.shown - h.accepted) >= 18)
			picture.append(svg('text', {x: middle, y: ground - tall(h.accepted) - 4}, count(h.accepted)));
		if (i % every === 0)
			picture.append(svg('text', {class: 'hour', x: middle, y: height - 6}, h.hour));
	});
	picture.append(svg('line', {x1: 0, x2: column * hours.length, y1: ground, y2: ground}));
	chart.replaceChildren(picture);
}

let redraw = null;
const resized = new ResizeObserver(() => redraw && redraw());

function hours(report) {
	const chart = el('div', 'chart'), key = el('p', 'key'), list = allHours(report);
	for (const [name, text] of [['of-shown', words.hourShown], ['of-accepted', words.hourAccepted]]) {
		const entry = el('span');
		entry.append(el('i', name, null, {ariaHidden: 'true'}), text);
		key.append(entry);
	}
	redraw = () => drawHours(chart, list);
	resized.disconnect();
	resized.observe(chart);
	return section('hours', key, chart);
}

// ---- what a manager orders ----

async function order(path, body, method = 'POST') {
	try {
		const answer = await fetch('/v1/manager/' + path, {method, headers: {'Content-Type': 'application/json'},
			body: body && JSON.stringify(body), signal: AbortSignal.timeout(10000)});
		if (answer.status === 401 || method === 'DELETE')
			location.reload();
		else if (answer.ok)
			load();
		else
			refused(answer.status);
	} catch {
		refused(0);
	}
}

function refused(status) {
	$('stale').textContent = say('refused', status);
	$('stale').hidden = false;
}

// A slip of the finger stops nothing: it takes two taps. The second says of what: rows move when new figures come.
function stopButton(action, name, text) {
	const node = button('order', text, () => {
		if (node.dataset.sure)
			order('stop', {action});
		node.dataset.sure = '1';
		node.textContent = say('sure', name);
	});
	return node;
}

// The end of the day there, in the store's time, also of one whose clocks are changed.
function midnight(report) {
	const minutes = (at) => clock(at, report.zone).match(/\d+/g).map(Number).reduce((hours, rest) => hours * 60 + rest);
	const start = Math.floor(Date.parse(report.at) / 60000), end = start + 1440 - minutes(start * 60000), off = minutes(end * 60000);
	const there = end - (off < 720 ? off : off - 1440);
	return new Date((minutes(there * 60000) === 0 ? there : end) * 60000).toISOString();
}

function lever(row, report) {
	const node = el('li'), input = el('input'), shown = el('b'), id = 'lever-' + row.name;
	const label = el('label', '', row.name + (row.until ? ', ' + say('moved', row.value.toLocaleString(locale), clock(row.until, report.zone)) : ''));
	label.htmlFor = input.id = id;
	Object.assign(input, {type: 'range', min: row.min, max: row.max, step: 'any', value: row.value});
	// Three digits are enough for a hand; never past the policy's bounds.
	const value = () => Math.min(row.max, Math.max(row.min, Number(Number(input.value).toPrecision(3))));
	input.oninput = () => shown.textContent = value().toLocaleString(locale);
	input.oninput();
	node.append(label, input, shown, button('order', words.set,
		() => order('lever', {name: row.name, value: value(), until: midnight(report)})));
	return node;
}

function levers(report) {
	const list = el('ul', 'levers');
	list.append(...report.levers.map((row) => lever(row, report)));
	return section('levers', list);
}

// An operator's address reads; who signed in orders as well.
let signedIn = false;

function orders(report) {
	const node = el('p', 'orders');
	if (!report.stopped.some((row) => row.action === '*'))
		node.append(stopButton('*', words.everything, words.stopAll));
	node.append(button('order', words.signOut, () => order('session', null, 'DELETE')));
	return node;
}

// ---- by action ----

function budgetLines(row, currency) {
	const budget = row.budget, lines = [];
	const line = (is_full, used, all) => lines.push(say('budget.' + budget.per, used, all) + (is_full ? ' – ' + words.usedUp : ''));
	if (budget && budget.money !== undefined)
		line(budget.money_used >= budget.money, money(budget.money_used, currency), money(budget.money, currency));
	else if (row.redeemed_minor)
		lines.push(say('rowGiven', money(row.redeemed_minor, currency)));
	if (budget && budget.units !== undefined)
		line(budget.units_used >= budget.units, count(budget.units_used), say('offers', count(budget.units)));
	return lines;
}

function actionRow(row, most, currency) {
	const node = el('li'), all = whole(row), bar = meter(all.n, most, 'shown'), inner = el('b');
	inner.style.width = (all.n > 0 ? row.accepted / all.n * 100 : 0).toFixed(1) + '%';
	bar.firstChild.append(inner);
	const numbers = el('p', 'numbers');
	numbers.append(el('span', '', say('rowShown', count(all.n))),
		el('span', '', say('rowAccepted', count(row.accepted)) + (all.n ? ' (' + share(row.accepted, all.n) + ')' : '')));
	node.append(el('h3', '', named(row), {dir: 'auto'}), numbers, bar, ...budgetLines(row, currency).map((text) => el('p', 'spent', text)));
	if (signedIn)
		node.append(stopButton(row.action, named(row), words.stop));
	return node;
}

function actions(report) {
	const rows = [...report.actions].sort((a, b) => whole(b).n - whole(a).n || b.accepted - a.accepted || (a.action < b.action ? -1 : 1));
	const list = el('ol', 'rows'), left = rows.length - ACTIONS_MAX;
	list.append(...rows.slice(0, ACTIONS_MAX).map((row) => actionRow(row, whole(rows[0]).n, report.currency)));
	const node = section('actions', list);
	if (left > 0)
		node.append(el('p', 'more', say(report.others ? 'others' : 'more', count(left))));
	return node;
}

// ---- what is not running: headquarters away is normal life, and alone no alarm ----

function notRunning(report) {
	const list = el('ul', 'stops');
	const add = (text, about, more) => {
		const line = el('li');
		line.append(el('b', '', text));
		if (about)
			line.append(el('span', '', about));
		if (more)
			line.append(more);
		list.append(line);
	};
	if (report.policy === null)
		add(words.noPolicy);
	if (report.broker === 'away')
		add(words.broker);
	if (report.time === 'uncertain')
		add(words.time);
	for (const row of report.stopped)
		add(row.action === '*' ? words.everything : named(row), row.until ? say('stoppedUntil', clock(row.until, report.zone)) : words.stopped,
			signedIn && button('order', words.allow, () => order('lift', {action: row.action})));
	if (report.hq === 'away' && list.children.length)
		list.append(el('li', '', words.hq));
	if (list.children.length)
		return section('notRunning', list);
	return el('p', report.hq === 'away' ? 'away' : 'running', report.hq === 'away' ? words.hq : words.running);
}

// ---- the page ----

function day(report) {
	const hands = signedIn ? [...(report.levers && report.levers.length ? [levers(report)] : []), orders(report)] : [];
	if (report.prompts + report.shown + report.accepted + report.redeemed + report.actions.length === 0) {
		const empty = el('div', 'nothing');
		empty.append(el('p', 'loud', words.empty), el('p', '', words.emptyMore));
		return [empty, notRunning(report), ...hands];
	}
	const told = [words.lift].concat(report.withheld > 0 ? say('withheld', count(report.withheld)) : []);
	const charts = el('div', 'charts');
	charts.append(answers(report), ...(report.hours.length ? [hours(report)] : []));
	return [figures(report), notRunning(report), charts, ...(report.actions.length ? [actions(report)] : []), ...hands, el('p', 'lift', told.join(' '))];
}

let last = null;		// the report on the screen, and when it came
let lastMs = 0;

function draw(report) {
	last = report;
	lastMs = Date.now();
	$('title').textContent = words.title + ', ' + time(report.day, report.zone, {weekday: 'long', day: 'numeric', month: 'long'});
	$('asof').textContent = say('asOf', clock(report.at, report.zone));
	$('stale').hidden = true;
	redraw = null;
	$('report').replaceChildren(...day(report));
	if (redraw)
		redraw();
}

function old() {
	$('stale').textContent = last ? say('stale', clock(last.at, last.zone)) : words.failed;
	$('stale').hidden = false;
}

let touched = true;
for (const kind of ['pointerdown', 'keydown', 'wheel'])
	document.addEventListener(kind, () => touched = true, {passive: true});

async function load() {
	try {
		// Figures that nobody asked for keep no manager signed in.
		const answer = await fetch(touched ? '/v1/report' : '/v1/report?poll', {cache: 'no-store', signal: AbortSignal.timeout(10000)});
		touched = false;
		if (answer.status === 401)
			location.reload();	// to the form
		else if (answer.ok) {
			signedIn = answer.headers.get('Aisle-Manager') !== null;
			draw(await answer.json());
		} else
			old();
	} catch {
		old();
	}
}

// A tablet that slept wakes with what it had: said to be old until the new one is here.
function woke() {
	if (document.visibilityState !== 'visible')
		return;
	if (last && Date.now() - lastMs > STALE_MS)
		old();
	load();
}

document.documentElement.lang = language;
document.title = 'aisle – ' + words.title;
$('title').textContent = words.title;
$('again').textContent = words.again;
$('again').onclick = load;
$('again').hidden = false;
document.addEventListener('visibilitychange', woke);
setInterval(woke, EVERY_MS);
load();
