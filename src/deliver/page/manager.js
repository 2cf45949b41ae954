// SPDX-License-Identifier: Apache-2.0
//
// manager.js - the manager's page, read standing up: the business day so far, what is not running, and what a
// manager who is signed in may order.
//
// Everything is drawn anew from one report (GET /v1/report), unless a hand is on it.

import {language, direction} from '/words.js';
import {el, button} from '/cards.js';
import {languageBox} from '/sheets.js';
import {say, count, time, clock, moment, minutes, named, locale} from '/manager-words.js';
import {section, figures, before, answers, reasons, hours, drawn, actions} from '/manager-day.js';
import {waiting, silent, heard, cards} from '/manager-floor.js';

const EVERY_MS = 30000;		// asked again after so long
const SURE_MS = 5000;		// a second tap after so long was not meant
const STALE_MS = 75000;		// older figures are said to be old: two tries came to nothing

const $ = (id) => document.getElementById(id);

// ---- what a manager orders ----

async function order(path, body, method = 'POST') {
	try {
		const answer = await fetch('/v1/manager/' + path, {method, headers: {'Content-Type': 'application/json'},
			body: body && JSON.stringify(body), signal: AbortSignal.timeout(10000)});
		if (answer.status === 401 || method === 'DELETE')
			location.reload();
		else {
			await load(true);
			if (!answer.ok)
				notice(path === 'answer' && answer.status >= 404 ? say('gone') : say('refused', answer.status));
		}
	} catch {
		notice(say('refused', 0));
	}
}

function notice(text) {
	$('stale').textContent = text;
	$('stale').hidden = false;
}

// A slip of the finger orders nothing: it takes two taps. The second says of what: rows move when new figures come.
function sure(text, verb, name, act, className = '') {
	const node = button('order ' + className, text, () => {
		if (node.dataset.sure) {
			delete node.dataset.sure;
			node.disabled = true;
			act();
			return;
		}
		node.dataset.sure = '1';
		node.textContent = say('sure', verb, name);
		setTimeout(() => {
			delete node.dataset.sure;
			node.textContent = text;
		}, SURE_MS);
	});
	return node;
}

const stopButton = (action, name, text) => sure(text, say('stop'), name, () => order('stop', {action}));

// The end of the day there, in the store's time, also of one whose clocks are changed.
function midnight(report) {
	const of = (minute) => minutes(minute * 60000, report.zone);
	const start = Math.floor(Date.parse(report.at) / 60000), end = start + 1440 - of(start), off = of(end);
	const there = end - (off < 720 ? off : off - 1440);
	return new Date((of(there) === 0 ? there : end) * 60000).toISOString();
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
	node.append(label, input, shown, button('order', say('set'), () => {
		input.blur();
		order('lever', {name: row.name, value: value(), until: midnight(report)});
	}));
	return node;
}

function levers(report) {
	const list = el('ul', 'levers');
	list.append(...report.levers.map((row) => lever(row, report)));
	return section('levers', list);
}

// An operator's address reads; who signed in orders as well.
let signedIn = false;

// Of everything; who does not order yet is shown where to sign in.
function orders(report) {
	const node = el('p', 'orders');
	if (!signedIn) {
		node.append(el('a', 'order', say('signIn'), {href: '/manager?sign-in'}));
		return [node];
	}
	if (!report.stopped.some((row) => row.action === '*'))
		node.append(stopButton('*', say('everything'), say('stopAll')));
	node.append(button('order', say('signOut'), () => order('session', null, 'DELETE')));
	return [...(report.levers && report.levers.length ? [levers(report)] : []), node];
}

function stoppedBy(row, report) {
	if (row.by === 'headquarters')
		return say('stoppedHq', moment(row.since, report));
	const end = row.until ? say('stoppedUntil', moment(row.until, report)) : say('stopped');
	return row.since ? say('stoppedBy', end, row.manager_name || say('by.' + row.by), moment(row.since, report)) : end;
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
		add(say('noPolicy'));
	if (report.broker === 'away')
		add(say('broker'));
	if (report.time === 'uncertain')
		add(say('time'));
	for (const row of report.stopped)
		add(row.action === '*' ? say('everything') : named(row), stoppedBy(row, report),
			signedIn && row.by !== 'headquarters' && button('order', say('lift'), () => order('lift', {action: row.action})));
	if (report.hq === 'away' && list.children.length)
		list.append(el('li', '', say('hq')));
	if (list.children.length)
		return [section('notRunning', list)];
	if (report.hq !== 'away' && (report.heard || []).some((row) => row.silent))
		return [];
	return [el('p', report.hq === 'away' ? 'away' : 'running', say(report.hq === 'away' ? 'hq' : 'running'))];
}

// ---- the page ----

function day(report) {
	const hands = signedIn ? {sure, answer: (body) => order('answer', body)} : null;
	const floor = [...cards(report), ...heard(report), ...orders(report)];
	if (report.prompts + report.shown + report.accepted + report.redeemed + report.actions.length === 0) {
		const empty = el('div', 'nothing');
		empty.append(el('p', 'loud', say('empty')), el('p', '', say('emptyMore')));
		return [...waiting(report, hands), empty, ...notRunning(report), ...silent(report), ...floor];
	}
	const told = [say('noLift')].concat(report.withheld > 0 ? say('withheld', count(report.withheld)) : []);
	const charts = el('div', 'charts');
	charts.append(answers(report), ...(report.hours.length ? [hours(report)] : []));
	return [...waiting(report, hands), figures(report), ...notRunning(report), ...silent(report), ...before(report), charts,
		...reasons(report), ...actions(report, signedIn ? (row) => stopButton(row.action, named(row), say('stop')) : null), ...floor,
		el('p', 'lift', told.join(' '))];
}

let last = null;		// the report on the screen, and when it came
let lastMs = 0;

function draw(report) {
	last = report;
	lastMs = Date.now();
	$('title').textContent = say('title') + (language === 'ar' ? '، ' : ', ') +
		time(report.day, report.zone, {weekday: 'long', day: 'numeric', month: 'long'});
	$('asof').textContent = say('asOf', clock(report.at, report.zone));
	$('stale').hidden = true;
	$('report').replaceChildren(...day(report));
	drawn();
}

function old() {
	notice(last ? say('stale', clock(last.at, last.zone)) : say('failed'));
}

// A finger on a weight, or one that was asked whether it is sure: what it is on stays.
const held = () => !!document.querySelector('[data-sure], .levers input:focus');

let touched = true;
for (const kind of ['pointerdown', 'keydown', 'wheel'])
	document.addEventListener(kind, () => touched = true, {passive: true});

async function load(asked) {
	try {
		// Figures that nobody asked for keep no manager signed in.
		const answer = await fetch(touched ? '/v1/report' : '/v1/report?poll', {cache: 'no-store', signal: AbortSignal.timeout(10000)});
		touched = false;
		if (answer.status === 401)
			location.reload();	// to the form
		else if (!answer.ok)
			old();
		else if (asked || !held()) {
			signedIn = answer.headers.get('Aisle-Manager') !== null;
			draw(await answer.json());
		}
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
	load(false);
}

Object.assign(document.documentElement, {lang: language, dir: direction});
document.title = 'aisle – ' + say('title');
$('title').textContent = say('title');
$('again').textContent = say('again');
$('again').onclick = () => load(true);
$('print').textContent = say('print');
$('print').onclick = () => print();
for (const node of [$('again'), $('print')])
	node.hidden = false;
$('foot').append(languageBox());
document.addEventListener('visibilitychange', woke);
setInterval(woke, EVERY_MS);
load(true);
