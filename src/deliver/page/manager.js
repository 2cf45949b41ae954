// SPDX-License-Identifier: Apache-2.0
//
// manager.js - today's figures as they are: no ranking of staff, no lift that one store cannot tell.
//
// The report is shown member by member, so that a figure which the daemon adds is seen
// without a change here.

import {language} from '/words.js';
import {el} from '/cards.js';

const de = language === 'de';
const words = {
	title: de ? 'Heute' : 'Today',
	again: de ? 'Neu laden' : 'Refresh',
	asOf: de ? 'Stand' : 'As of',
	pair: de ? 'Dieses Gerät ist nicht verbunden.' : 'This device is not connected.',
	failed: de ? 'Das Gateway antwortet nicht.' : 'The gateway does not answer.',
};

function plain(name) {
	const text = name.replace(/[_-]+/g, ' ');
	return text.charAt(0).toUpperCase() + text.slice(1);
}

function valueText(value) {
	if (typeof value === 'number')
		return Number.isInteger(value) ? value.toLocaleString(language) : value.toLocaleString(language, {maximumFractionDigits: 3});
	return value === null ? '–' : String(value);
}

function rowsTable(rows) {
	const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
	const table = el('table');
	const head = el('tr');
	head.append(...names.map((name) => el('th', '', plain(name), {scope: 'col'})));
	table.append(head);
	for (const row of rows) {
		const line = el('tr');
		line.append(...names.map((name) => el('td', typeof row[name] === 'number' ? 'number' : '', row[name] === undefined ? '' : valueText(row[name]))));
		table.append(line);
	}
	return table;
}

function membersTable(object) {
	const table = el('table');
	for (const [name, value] of Object.entries(object)) {
		const line = el('tr'), cell = el('td', typeof value === 'number' ? 'number' : '');
		cell.append(value !== null && typeof value === 'object' ? view(value) : valueText(value));
		line.append(el('th', '', plain(name), {scope: 'row'}), cell);
		table.append(line);
	}
	return table;
}

function view(value) {
	if (Array.isArray(value))
		return value.length && value.every((v) => v !== null && typeof v === 'object' && !Array.isArray(v)) ? rowsTable(value)
		    : el('span', '', value.map((v) => (typeof v === 'object' ? JSON.stringify(v) : valueText(v))).join(', ') || '–');
	return membersTable(value);
}

async function load() {
	const note = document.getElementById('note');
	try {
		const answer = await fetch('/v1/report', {cache: 'no-store'});
		if (!answer.ok) {
			note.textContent = answer.status === 401 ? words.pair : words.failed;
			return;
		}
		document.getElementById('report').replaceChildren(view(await answer.json()));
		note.textContent = words.asOf + ' ' + new Date().toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'});
	} catch {
		note.textContent = words.failed;
	}
}

document.documentElement.lang = language;
document.title = 'aisle – ' + words.title;
document.getElementById('title').textContent = words.title;
document.getElementById('again').textContent = words.again;
document.getElementById('again').onclick = load;
load();
