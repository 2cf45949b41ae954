// SPDX-License-Identifier: Apache-2.0
//
// sheets.js - what opens over the cards: why not, later, instead, a manager's PIN, earlier answers.
//
// One dialog at a time, the browser's own: it keeps the focus, Escape closes it, and
// what lies behind cannot be tapped by accident.

import {t, languages, language, chooseLanguage, directionOf} from '/words.js';
import {el, button, coupon, isCoupon} from '/cards.js';
import {fresh} from '/deck.js';

const REASONS = ['customer-declined', 'not-relevant', 'out-of-stock', 'too-busy', 'wrong-person', 'insensitive', 'other'];
const MINUTES = [5, 15];
const SKIP_MS = 12000;

let open = null;

export function closeSheet() {
	if (open)
		open.close();
}

// Resolves to what done(value) was given, or undefined when it was closed. fill gets the part that scrolls.
function sheet(title, fill, className) {
	closeSheet();
	return new Promise((resolve) => {
		const dialog = el('dialog', 'sheet ' + (className || ''));
		const top = el('header', 'row'), heading = el('h2', '', title), inside = el('div', 'inside');
		let value;

		heading.id = 'sheet-title';
		dialog.setAttribute('aria-labelledby', heading.id);
		top.append(heading, button('quiet', t('back'), () => dialog.close()));
		dialog.append(top, inside);
		fill(inside, (chosen) => {
			value = chosen;
			dialog.close();
		}, dialog);
		dialog.onclick = (event) => {
			if (event.target === dialog)
				dialog.close();
		};
		dialog.onclose = () => {
			dialog.remove();
			if (open === dialog)
				open = null;
			fresh(document.body);	// and so is what lay under it
			resolve(value);
		};
		document.body.append(dialog);
		open = dialog;
		dialog.showModal();
		inside.querySelector('button, input')?.focus();
		fresh(dialog);
	});
}

function grid(choices, done) {
	const node = el('div', 'grid');
	node.append(...choices.map(([text, value]) => button('choice', text, () => done(value))));
	return node;
}

// {reason?}: the customer is still waiting, so no answer in a while means: skip.
export function askReason(headline) {
	return sheet(t('whyNot'), (inside, done, dialog) => {
		const skip = setTimeout(() => done({}), SKIP_MS);
		inside.append(el('p', 'about', headline, {dir: 'auto'}),
		    grid([...REASONS.map((reason) => [t('reason.' + reason), {reason}]), [t('skip'), {}]], done));
		inside.querySelector('.grid').lastChild.classList.add('skip');
		dialog.addEventListener('close', () => clearTimeout(skip));
	}, 'reasons');
}

// {until}
export function askLater(headline, now) {
	const tomorrow = new Date(now);
	tomorrow.setDate(tomorrow.getDate() + 1);
	tomorrow.setHours(6, 0, 0, 0);
	return sheet(t('whenLater'), (inside, done) => {
		const choices = MINUTES.map((n) => [t('inMinutes', n), {until: new Date(now + n * 60000).toISOString()}]);
		inside.append(el('p', 'about', headline, {dir: 'auto'}),
		    grid([...choices, [t('nextVisit'), {until: tomorrow.toISOString()}]], done));
	});
}

// {instead?, reason?, manager?, pin?}: what is listed has passed the store's gates, but may need a manager still; anything
// else needs one, and a reason. seen: [[action, headline], …] for them to choose from.
export async function askInstead(prompt, seen) {
	const alternatives = prompt.alternatives || [];
	const chosen = await sheet(t('whatInstead'), (inside, done) => {
		const choices = alternatives.map((a) => [a.headline || a.action, a]);
		inside.append(el('p', 'about', prompt.headline, {dir: 'auto'}),
		    grid([...choices, [t('byManager'), 'manager'], [t('somethingElse'), 'nothing']], done));
	});

	if (chosen === undefined)
		return undefined;
	if (chosen === 'nothing')
		return {};
	if (chosen === 'manager')
		return askManager(prompt.headline, seen);
	const instead = {action: chosen.action};
	if (chosen.depth !== undefined)
		instead.depth = chosen.depth;
	if (chosen.gate !== 'manager')
		return {instead};
	const who = await askManager(chosen.headline || chosen.action);
	return who && {instead, ...who};
}

function field(name, type, more) {
	const label = el('label', 'field', t(name));
	const input = el('input', '', null, {type, required: true, autocomplete: 'off', name, ...more});
	label.append(input);
	return [label, input];
}

// What a manager wants instead: the action by its name, how much, and why.
function freeChoice(seen) {
	const [actionLabel, action] = field('action', 'text', {maxLength: 128, spellcheck: false});
	const [depthLabel, depth] = field('depth', 'number', {min: 1, required: false, inputMode: 'numeric'});
	const reasonLabel = el('label', 'field', t('reason')), reason = el('select', '', null, {name: 'reason'});
	const list = el('datalist');

	list.id = 'actions';
	list.append(...seen.map(([name, headline]) => el('option', '', headline, {value: name})));
	action.setAttribute('list', list.id);
	reason.append(...REASONS.map((r) => el('option', '', t('reason.' + r), {value: r})));
	reasonLabel.append(reason);
	return {
		nodes: [actionLabel, list, depthLabel, reasonLabel],
		value: () => ({instead: depth.value ? {action: action.value.trim(), depth: Number(depth.value)} : {action: action.value.trim()},
			reason: reason.value}),
	};
}

// {manager, pin}; with seen also {instead, reason}: their own choice.
export function askManager(headline, seen) {
	return sheet(seen ? t('byManager') : t('managerTitle'), (inside, done) => {
		const form = el('form', 'pin');
		const [managerLabel, manager] = field('manager', 'text', {maxLength: 128, spellcheck: false, autocapitalize: 'none'});
		const [pinLabel, pin] = field('pin', 'password', {inputMode: 'numeric', maxLength: 64});
		const free = seen && freeChoice(seen);

		inside.append(el('p', 'about', headline, {dir: 'auto'}), form);
		form.append(...(free ? free.nodes : []), managerLabel, pinLabel, el('button', 'accept', t('approve'), {type: 'submit'}));
		form.onsubmit = (event) => {
			event.preventDefault();
			done({...(free ? free.value() : {}), manager: manager.value.trim(), pin: pin.value});
		};
	});
}

// The last answered cards, to read again.
export function showEarlier(cards) {
	return sheet(t('earlier'), (inside) => {
		const list = el('ul', 'earlier');
		for (const card of cards) {
			const item = el('li');
			const when = new Date(card.at).toLocaleTimeString(language, {hour: '2-digit', minute: '2-digit'});
			item.append(el('p', 'loud', card.prompt.say || card.prompt.headline,
			    {lang: card.prompt.language || '', dir: card.prompt.language ? directionOf(card.prompt.language) : 'auto'}),
			    el('p', 'became', when + ' · ' + card.words));
			if (isCoupon(card.prompt) && card.taken)
				item.append(coupon(card.prompt.offer.code));
			list.append(item);
		}
		inside.append(cards.length ? list : el('p', 'about', t('none')));
	});
}

// Whoever holds the tablet reads the page; what the customer speaks is said by each card.
export function languageBox() {
	const box = el('div', 'languages', null, {role: 'group', ariaLabel: t('language')});
	for (const [code, name] of languages)
		box.append(button('quiet', name, () => chooseLanguage(code)));
	[...box.children].forEach((node, i) => Object.assign(node, {lang: languages[i][0], ariaPressed: String(languages[i][0] === language)}));
	return box;
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
	form.append(el('h1', '', t('pairTitle')), el('p', 'about', t('pairHelp')), codeLabel, nameLabel, problem, send, languageBox());
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

export function stationScreen(main, stations, choose, note) {
	const box = el('div', 'stations');
	box.append(el('h1', '', t('choose')));
	if (note)
		box.append(el('p', 'about', note));
	if (!stations.length)
		box.append(el('p', 'about', t('noStations')));
	box.append(grid(stations.map((s) => [t('station', s), s]), choose), languageBox());
	main.replaceChildren(box);
}
