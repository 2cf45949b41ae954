// SPDX-License-Identifier: Apache-2.0
//
// manager-floor.js - what goes on on the floor: the cards that wait for a manager, who is silent, the last cards
// and why each was shown.

import {el, button} from '/cards.js';
import {say, knows, count, share, money, clock, moment, named} from '/manager-words.js';
import {section} from '/manager-day.js';

// ---- what waits ----

// orders: {sure(text, verb, of what, what it does), answer(body)}; null: who looks may not order.
function waitingRow(row, report, orders) {
	const node = el('li'), about = [say('since', clock(row.at, report.zone)), row.worth > 0 && say('saves', money(row.worth, report.currency))];
	const hands = el('div', 'hands');
	const hand = (verb, decision, look) => orders.sure(say(verb), say(verb), named(row), () => orders.answer({guidance: row.guidance, prompt: row.prompt, decision}), look);
	node.append(el('b', '', say('station', row.station)), el('h3', '', named(row), {dir: 'auto'}), el('p', 'spent', about.filter(Boolean).join(' · ')));
	if (orders) {
		hands.append(hand('approve', 'accept', 'accept'), hand('refuse', 'dismiss'));
		node.append(hands);
	}
	return node;
}

export function waiting(report, orders) {
	const rows = [...report.waiting || []].sort((a, b) => a.at < b.at ? -1 : 1), list = el('ol', 'rows waits');
	if (!rows.length)
		return [];
	list.append(...rows.map((row) => waitingRow(row, report, orders)));
	const node = section('waiting', list);
	if (report.waiting_more)
		node.append(el('p', 'more', say('waitingMore', count(report.waiting_more))));
	return [node];
}

// ---- who is silent ----

function who(row) {
	const [kind, name] = [row.who.slice(0, row.who.indexOf('/')), row.who.slice(row.who.indexOf('/') + 1)];
	return say('who.' + kind, row.station && row.station !== name && kind === 'pos' ? `${name} (${row.station})` : name);
}

export function silent(report) {
	const rows = (report.heard || []).filter((row) => row.silent).sort((a, b) => a.at < b.at ? -1 : 1), list = el('ul', 'stops');
	if (!rows.length)
		return [];
	for (const row of rows) {
		const line = el('li');
		line.append(el('b', '', who(row)), el('span', '', say('silentSince', moment(row.at, report))));
		list.append(line);
	}
	return [section('silent', el('p', 'spent', say('silentWhy')), list)];
}

// What a reader has opened stays open when the page is drawn anew.
const opened = new Set();
function unfolded(id, node, fill) {
	node.open = opened.has(id);
	node.ontoggle = () => {
		opened[node.open ? 'add' : 'delete'](id);
		if (node.open && fill)
			fill();
	};
	if (node.open && fill)
		fill();
	return node;
}

export function heard(report) {
	const rows = [...report.heard || []].sort((a, b) => a.who.localeCompare(b.who, undefined, {numeric: true}));
	const node = el('details', 'fold part-heard'), list = el('ul', 'heard');
	if (!rows.length)
		return [];
	node.append(el('summary', '', say('heard')));
	for (const row of rows) {
		const line = el('li', row.silent ? 'is-silent' : '');
		line.append(el('span', '', who(row)), el('b', '', moment(row.at, report)));
		list.append(line);
	}
	node.append(list);
	return [unfolded('heard', node)];
}

// ---- one card, and its why ----

const whys = new Map();		// decisions do not change, but for what comes of them
const WHYS_MAX = 50;

async function decisionOf(id) {
	const answer = await fetch('/v1/decisions/' + encodeURIComponent(id), {cache: 'no-store', signal: AbortSignal.timeout(10000)});
	if (answer.ok) {
		if (whys.size >= WHYS_MAX)
			whys.clear();
		whys.set(id, await answer.json());
	}
	return whys.get(id);
}

function trigger(decision) {
	const type = ((decision.trigger || {}).type || '').replace(/^aisle\./, '');
	return knows('on.' + type) ? say('on.' + type) : say('on.other', type);
}

// How the card came to be the one: a choice of a person, the only one, the best, a draw.
function chosen(slot) {
	const fitted = (slot.shortlist || []).filter((one) => one.action !== 'nothing');
	if (typeof slot.p_log !== 'number')
		return say('by.person');
	if (fitted.length <= 1)
		return say('by.only');
	return slot.p_log < 1 ? say('by.drawn', count(fitted.length), share(slot.p_log, 1)) : say('by.best', count(fitted.length));
}

function outcomes(decision, prompt, report) {
	const rows = (decision.outcomes || []).filter((one) => one.prompt === prompt), list = el('ol', 'came');
	for (const row of rows) {
		const name = row.outcome.split(':')[0], line = el('li');
		line.append(el('b', '', clock(row.at, report.zone)), ' ', knows('out.' + name) ? say('out.' + name) : name,
			row.amount ? ' · ' + money(row.amount, report.currency) : '', row.manager_name ? ' · ' + row.manager_name : '');
		list.append(line);
	}
	return rows.length ? list : el('p', '', say('nothingYet'));
}

// The others by what kept each of them away; the rule's own text for who wants to know.
function others(decision, action, report) {
	const headlines = new Map(report.actions.map((row) => [row.action, row])), list = el('ul', 'others');
	const rows = (decision.candidates || []).filter((one) => one.fate !== 'offered' && one.action !== action);
	for (const row of rows) {
		const line = el('li');
		line.append(el('b', '', named(headlines.get(row.action) || row), {dir: 'auto'}), ' ', knows('fate.' + row.fate) ? say('fate.' + row.fate) : row.fate);
		if (row.clause) {
			const [before, after] = say('rule', '\n').split('\n'), rule = el('p', 'rule', before);
			rule.append(el('code', '', row.clause, {dir: 'ltr'}), after);
			line.append(rule);
		}
		list.append(line);
	}
	return rows.length ? [el('h3', '', say('notOthers')), list] : [];
}

function tell(node, decision, row, report) {
	const slot = decision && (decision.slots || []).find((one) => one.prompt === row.prompt);
	if (!slot) {
		node.replaceChildren(el('p', '', say('whyGone')));
		return;
	}
	const policy = decision.policy || {};
	const looked = Object.values(decision.fates || {}).reduce((n, m) => n + m, 0) || decision.candidates.length;
	node.replaceChildren(el('p', '', trigger(decision) + ' ' + chosen(slot)), el('p', 'spent', say('saw', policy.name, count(policy.version), count(looked))),
		el('h3', '', say('came')), outcomes(decision, row.prompt, report), ...others(decision, row.action, report));
}

function cardRow(row, report) {
	const node = el('details', 'fold'), summary = el('summary'), why = el('div', 'told'), out = 'out.' + row.outcome;
	summary.append(el('span', 'when', moment(row.at, report)), el('span', 'where', say('station', row.station)),
		el('b', '', named(row), {dir: 'auto'}), el('span', 'spent', knows(out) ? say(out) : row.outcome));
	node.append(summary, why);
	return unfolded(row.prompt, node, async () => {
		if (whys.has(row.decision))
			tell(why, whys.get(row.decision), row, report);
		try {
			tell(why, await decisionOf(row.decision), row, report);
		} catch {
			why.append(el('p', '', say('failed')));
		}
	});
}

export function cards(report) {
	const rows = report.cards || [];
	return rows.length ? [section('cards', ...rows.map((row) => cardRow(row, report)))] : [];
}
