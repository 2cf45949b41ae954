// SPDX-License-Identifier: Apache-2.0
//
// sheets.js - what opens over the cards: why not, later, instead, a manager's PIN, earlier answers.
//
// One dialog at a time, the browser's own: it keeps the focus, Escape closes it, and
// what lies behind cannot be tapped by accident.

import {t} from '/words.js';
import {el, button} from '/cards.js';

const REASONS = ['customer-declined', 'not-relevant', 'out-of-stock', 'too-busy', 'wrong-person', 'insensitive', 'other'];
const MINUTES = [5, 15];
const SKIP_MS = 12000;

let open = null;

export function closeSheet() {
	if (open)
		open.close();
}

// Resolves to what done(value) was given, or undefined when it was closed.
function sheet(title, fill, className) {
	closeSheet();
	return new Promise((resolve) => {
		const dialog = el('dialog', 'sheet ' + (className || ''));
		const heading = el('h2', '', title, {dir: 'auto'});
		let value;

		heading.id = 'sheet-title';
		dialog.setAttribute('aria-labelledby', heading.id);
		dialog.append(heading);
		fill(dialog, (chosen) => {
			value = chosen;
			dialog.close();
		});
		dialog.onclick = (event) => {
			if (event.target === dialog)
				dialog.close();
		};
		dialog.onclose = () => {
			dialog.remove();
			if (open === dialog)
				open = null;
			resolve(value);
		};
		document.body.append(dialog);
		open = dialog;
		dialog.showModal();
	});
}

function grid(choices, done) {
	const node = el('div', 'grid');
	node.append(...choices.map(([text, value]) => button('choice', text, () => done(value))));
	return node;
}

// {reason?}: the customer is still waiting, so no answer in a while means: skip.
export function askReason(headline) {
	return sheet(t('whyNot'), (dialog, done) => {
		const skip = setTimeout(() => done({}), SKIP_MS);
		dialog.append(el('p', 'about', headline, {dir: 'auto'}),
		    grid([...REASONS.map((reason) => [t('reason.' + reason), {reason}]), [t('skip'), {}]], done));
		dialog.querySelector('.grid').lastChild.classList.add('skip');
		dialog.append(button('quiet', t('back'), () => dialog.close()));
		dialog.addEventListener('close', () => clearTimeout(skip));
	}, 'reasons');
}

// {until}
export function askLater(headline, now) {
	const tomorrow = new Date(now);
	tomorrow.setDate(tomorrow.getDate() + 1);
	tomorrow.setHours(6, 0, 0, 0);
	return sheet(t('whenLater'), (dialog, done) => {
		const choices = MINUTES.map((n) => [t('inMinutes', n), {until: new Date(now + n * 60000).toISOString()}]);
		dialog.append(el('p', 'about', headline, {dir: 'auto'}),
		    grid([...choices, [t('nextVisit'), {until: tomorrow.toISOString()}]], done));
		dialog.append(button('quiet', t('back'), () => dialog.close()));
	});
}

// {instead?}
export function askInstead(headline, alternatives) {
	return sheet(t('whatInstead'), (dialog, done) => {
		const choices = alternatives.map((a) => {
			const instead = {action: a.action};
			if (a.depth !== undefined)
				instead.depth = a.depth;
			return [a.headline || a.action, {instead}];
		});
		dialog.append(el('p', 'about', headline, {dir: 'auto'}), grid([...choices, [t('somethingElse'), {}]], done));
		dialog.append(button('quiet', t('back'), () => dialog.close()));
	});
}

function field(name, type, more) {
	const label = el('label', 'field', t(name));
	const input = el('input', '', null, {type, required: true, autocomplete: 'off', name, ...more});
	label.append(input);
	return [label, input];
}

// {manager, pin}
export function askManager(headline) {
	return sheet(t('managerTitle'), (dialog, done) => {
		const form = el('form', 'pin');
		const [managerLabel, manager] = field('manager', 'text', {maxLength: 128});
		const [pinLabel, pin] = field('pin', 'password', {inputMode: 'numeric', maxLength: 64});
		const row = el('div', 'row');

		row.append(button('quiet', t('back'), () => dialog.close()), el('button', 'accept', t('approve'), {type: 'submit'}));
		form.append(el('p', 'about', headline, {dir: 'auto'}), managerLabel, pinLabel, row);
		form.onsubmit = (event) => {
			event.preventDefault();
			done({manager: manager.value.trim(), pin: pin.value});
		};
		dialog.append(form);
	});
}

// The last answered cards, to read again.
export function showEarlier(cards) {
	return sheet(t('earlier'), (dialog) => {
		const list = el('ul', 'earlier');
		for (const card of cards) {
			const item = el('li');
			const when = new Date(card.at).toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'});
			item.append(el('p', 'loud', card.prompt.say || card.prompt.headline, {dir: 'auto'}),
			    el('p', 'became', when + ' · ' + card.words));
			list.append(item);
		}
		dialog.append(cards.length ? list : el('p', 'about', t('none')));
		dialog.append(button('quiet', t('close'), () => dialog.close()));
	});
}

// Pairing: calls try({code, name}) and shows its words until it gives none.
export function pairScreen(main, name, attempt) {
	const form = el('form', 'pair');
	const code = el('input', 'code', null, {inputMode: 'numeric', pattern: '[0-9]{6}', maxLength: 6, required: true,
		autocomplete: 'one-time-code', name: 'code'});
	const label = el('input', '', null, {value: name, pattern: '[A-Za-z0-9_\\-]{1,32}', maxLength: 32, required: true,
		autocomplete: 'off', name: 'name', spellcheck: false});
	const problem = el('p', 'bad', '', {role: 'alert'});
	const send = el('button', 'accept', t('pair'), {type: 'submit'});
	const codeLabel = el('label', 'field', t('code')), nameLabel = el('label', 'field', t('name'));

	codeLabel.append(code);
	nameLabel.append(label);
	form.append(el('h1', '', t('pairTitle')), el('p', 'about', t('pairHelp')), codeLabel, nameLabel, problem, send);
	form.onsubmit = async (event) => {
		event.preventDefault();
		send.disabled = true;
		problem.textContent = await attempt({code: code.value, name: label.value}) || '';
		send.disabled = false;
		code.select();
	};
	main.replaceChildren(form);
	code.focus();
}

export function stationScreen(main, stations, choose) {
	const box = el('div', 'stations');
	box.append(el('h1', '', t('choose')));
	if (!stations.length)
		box.append(el('p', 'about', t('noStations')));
	box.append(grid(stations.map((s) => [t('station', s), s]), choose));
	main.replaceChildren(box);
}
