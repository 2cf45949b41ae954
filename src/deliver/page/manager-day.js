// SPDX-License-Identifier: Apache-2.0
//
// manager-day.js - the day in figures, beside the days before: what became of the prompts, by hour, by action,
// and why people said no.
//
// A colour never stands alone: a number and a word are beside it. Nobody is ranked, and no lift is told that
// one store cannot know.

import {t} from '/words.js';
import {el} from '/cards.js';
import {say, count, share, money, time, minutes, named} from '/manager-words.js';

const ACTIONS_MAX = 10;

export function section(name, ...content) {
	const node = el('section', 'part-' + name);
	node.append(el('h2', '', say(name)), ...content);
	return node;
}

// How much of something is used; the words are beside it.
function meter(part, all, className = '') {
	const node = el('div', 'meter ' + className, null, {ariaHidden: 'true'}), fill = el('i');
	fill.style.width = (all > 0 ? Math.max(0, Math.min(1, part / all)) * 100 : 0).toFixed(1) + '%';
	node.append(fill);
	return node;
}

// ---- four figures ----

function figure(name, value, about, more) {
	const node = el('div', 'figure'), large = el('dd', 'value', value);
	// As large as its box bears: a sum of money is not broken in two. A digit is some 0.7 em.
	large.style.fontSize = `clamp(1.2rem, ${(95 / 0.7 / value.length).toFixed(1)}cqi, 3rem)`;
	node.append(el('dt', '', say(name)), large, el('dd', 'about', about));
	if (more)
		node.append(more);
	return node;
}

// Tablets that do not say what they showed: then the prompts that were sent are the whole.
function whole(row) {
	return row.shown >= row.accepted ? {name: 'shown', n: row.shown} : {name: 'sent', n: Math.max(row.prompts, row.accepted)};
}

export function figures(report) {
	const node = el('dl', 'figures'), all = whole(report), budget = report.day_budget;
	const accepted = all.n ? say(all.name === 'shown' ? 'acceptedOf' : 'acceptedOfSent', share(report.accepted, all.n)) : '';
	const given = budget ? say('dayBudget', money(budget.money_used, report.currency), money(budget.money, report.currency))
	    : say('givenBy');
	node.append(figure(all.name, count(all.n), all.name === 'shown' ? say('ofSent', count(report.prompts)) : ''),
		figure('accepted', count(report.accepted), accepted),
		figure('given', money(report.redeemed_minor, report.currency, true), given,
			budget && meter(budget.money_used, budget.money)),
		figure('redeemed', count(report.redeemed), say('redeemedBy')));
	return node;
}

// ---- beside them: yesterday, the same day last week ----

function cell(tag, text, more) {
	const node = el(tag, '', text);
	if (more)
		node.append(el('small', '', more));
	return node;
}

export function before(report) {
	const {currency, zone} = report, days = report.before || [], table = el('table'), head = el('tr'), all = whole(report).name;
	if (!days.length)
		return [];
	head.append(el('td'), cell('th', say('today')));
	for (const day of days)
		head.append(cell('th', day.days === 1 ? say('days.1') : time(day.day, zone, {weekday: 'short', day: 'numeric', month: 'short'}),
			say('byHour', String(day.hour).padStart(2, '0') + ':00')));
	for (const th of head.querySelectorAll('th'))
		th.scope = 'col';
	table.append(head);
	for (const [name, member, form] of [[all, all === 'shown' ? 'shown' : 'prompts', count], ['accepted', 'accepted', count],
		['given', 'redeemed_minor', (n) => money(n, currency, true)], ['redeemed', 'redeemed', count]]) {
		const row = el('tr');
		row.append(el('th', '', say(name), {scope: 'row'}), cell('td', form(report[member])));
		for (const day of days)
			row.append(cell('td', form(day.by_hour[member]), say('ofDay', form(day.whole[member]))));
		table.append(row);
	}
	return [section('before', table)];
}

// ---- what became of the prompts ----

export function answers(report) {
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
		line.append(el('i', 'is-' + name, null, {ariaHidden: 'true'}), el('b', '', count(n)), el('span', '', say('answer.' + name)));
		list.append(line);
	}
	return section('answers', bar, list);
}

// ---- why people said no ----

// The most frequent first: "12 Too busy".
function reasonList(reasons) {
	const list = el('ul', 'why-no');
	for (const [name, n] of Object.entries(reasons).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))) {
		const line = el('li');
		line.append(el('b', '', count(n)), ' ', t('reason.' + name));
		list.append(line);
	}
	return list;
}

export function reasons(report) {
	const rows = [...report.actions, ...(report.others ? [{...report.others, action: '', headline: {}}] : [])].filter((row) => row.reasons);
	const sum = (row) => Object.values(row.reasons).reduce((n, m) => n + m, 0), all = {};
	if (!rows.length)
		return [];
	for (const row of rows)
		for (const [name, n] of Object.entries(row.reasons))
			all[name] = (all[name] || 0) + n;
	const list = el('ol', 'rows');
	const add = (title, reasons) => {
		const line = el('li');
		line.append(el('h3', '', title, {dir: 'auto'}), reasonList(reasons));
		list.append(line);
	};
	if (rows.length > 1)
		add(say('reasons.all'), all);
	for (const row of rows.filter((row) => row.action).sort((a, b) => sum(b) - sum(a)).slice(0, ACTIONS_MAX))
		add(named(row), row.reasons);
	return [section('reasons', list)];
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
	const hours = [...report.hours], now = Math.floor(minutes(report.at, report.zone) / 60);
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

export function hours(report) {
	const chart = el('div', 'chart', null, {dir: 'ltr'}), key = el('p', 'key'), list = allHours(report);
	for (const [name, text] of [['of-shown', say('hourShown')], ['of-accepted', say('hourAccepted')]]) {
		const entry = el('span');
		entry.append(el('i', name, null, {ariaHidden: 'true'}), text);
		key.append(entry);
	}
	redraw = () => drawHours(chart, list);
	resized.disconnect();
	resized.observe(chart);
	return section('hours', key, chart);
}

// The chart is as wide as its place, once it has one.
export function drawn() {
	if (redraw)
		redraw();
}

// ---- by action ----

function budgetLines(row, currency) {
	const budget = row.budget, lines = [];
	const line = (is_full, used, all) => lines.push(say('budget.' + budget.per, used, all) + (is_full ? ' – ' + say('usedUp') : ''));
	if (budget && budget.money !== undefined)
		line(budget.money_used >= budget.money, money(budget.money_used, currency), money(budget.money, currency));
	else if (row.redeemed_minor)
		lines.push(say('rowGiven', money(row.redeemed_minor, currency)));
	if (budget && budget.units !== undefined)
		line(budget.units_used >= budget.units, count(budget.units_used), say('offers', count(budget.units)));
	return lines;
}

function actionRow(row, most, currency, hand) {
	const node = el('li'), all = whole(row), bar = meter(all.n, most, 'shown'), inner = el('b');
	inner.style.width = (all.n > 0 ? row.accepted / all.n * 100 : 0).toFixed(1) + '%';
	bar.firstChild.append(inner);
	const numbers = el('p', 'numbers');
	numbers.append(el('span', '', say('rowShown', count(all.n))),
		el('span', '', say('rowAccepted', count(row.accepted)) + (all.n ? ' (' + share(row.accepted, all.n) + ')' : '')));
	node.append(el('h3', '', named(row), {dir: 'auto'}), numbers, bar, ...budgetLines(row, currency).map((text) => el('p', 'spent', text)));
	if (hand)
		node.append(hand(row));
	return node;
}

// hand: what a manager may order of one; null.
export function actions(report, hand) {
	const rows = [...report.actions].sort((a, b) => whole(b).n - whole(a).n || b.accepted - a.accepted || (a.action < b.action ? -1 : 1));
	const list = el('ol', 'rows'), left = rows.length - ACTIONS_MAX;
	if (!rows.length)
		return [];
	list.append(...rows.slice(0, ACTIONS_MAX).map((row) => actionRow(row, whole(rows[0]).n, report.currency, hand)));
	const node = section('actions', list);
	if (left > 0)
		node.append(el('p', 'more', say(report.others ? 'others' : 'more', count(left))));
	return [node];
}
