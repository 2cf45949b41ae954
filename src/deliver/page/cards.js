// SPDX-License-Identifier: Apache-2.0
//
// cards.js - one card: what to say, why, how long still, and the buttons.
//
// A card is built once and then only changed, so that it keeps its place and the finger
// that is on its way lands where it aimed. Text comes from outside: textContent only.

import {t, has, language, direction, directionOf} from '/words.js';
import {barcode} from '/barcode.js';

// Kinds whose sentence is a question to the customer are answered by yes and no.
const QUESTIONS = ['offer', 'recommend', 'retain', 'remind'];
const ICONS = {offer: '%', recommend: '+', service: '?', retain: '+', remind: '!', coach: '*', inform: 'i', alert: '!'};

export function el(tag, className, text, more) {
	const node = document.createElement(tag);
	if (className)
		node.className = className;
	if (text !== undefined && text !== null)
		node.textContent = text;
	return Object.assign(node, more);
}

export function button(className, text, onclick) {
	return el('button', className, text, {type: 'button', onclick});
}

function worth(offer) {
	if (!offer || !(offer.worth > 0))
		return '';
	if (offer.type === 'points')
		return t('points', offer.worth.toLocaleString(language));
	if (!offer.currency)
		return '';
	try {
		const format = new Intl.NumberFormat(language, {style: 'currency', currency: offer.currency});
		const digits = format.resolvedOptions().maximumFractionDigits;
		return t(offer.estimate ? 'savesAbout' : 'saves', format.format(offer.worth / 10 ** digits));
	} catch {
		return '';
	}
}

export function isCoupon(prompt) {
	return !!prompt.offer && prompt.offer.apply === 'barcode' && typeof prompt.offer.code === 'string';
}

function isOurImage(image) {
	return typeof image === 'string' && image.startsWith('/v1/images/');
}

// The page's own words inside a card, which has a language of its own.
function ours(node) {
	return Object.assign(node, {lang: language, dir: direction});
}

function buildHead(prompt) {
	const head = ours(el('header', 'head'));
	const kind = el('span', 'kind'), shown = prompt.mandatory ? 'alert' : prompt.kind;
	kind.append(el('i', '', ICONS[shown] || '', {ariaHidden: 'true'}), t('kind.' + shown));
	head.append(kind);
	head.append(el('span', 'worth', worth(prompt.offer)));
	head.append(el('span', 'left', '', {ariaHidden: 'true'}));
	return head;
}

function buildText(prompt) {
	const text = el('div', 'text', null, {dir: prompt.language ? directionOf(prompt.language) : 'auto'});
	// A figure and its sign stay on one line.
	const loud = (prompt.say || prompt.headline).replace(/(\d) (?=[%€$£])/g, '$1\u00a0');
	text.append(el('p', prompt.say ? 'say quoted' : 'say', loud));
	if (prompt.say && prompt.headline)
		text.append(el('h2', 'headline', prompt.headline));
	if (isOurImage(prompt.image))	// one that cannot be had leaves no hole
		text.append(el('img', 'image', null, {src: prompt.image, alt: '', onerror: (event) => event.target.remove()}));
	if (prompt.body)
		text.append(el('p', 'body', prompt.body));
	if (prompt.steps && prompt.steps.length) {
		const steps = el('ol', 'steps', null);
		steps.append(...prompt.steps.map((step) => el('li', '', step)));
		text.append(steps);
	}
	return text;
}

const reasons = (prompt) => (prompt.why || []).map((reason) => el('li', '', reason));

// Its worth is another: the amount is, and mostly the sentence and the reasons, too. True: its text is.
export function sayAgain(card, was, prompt) {
	const words = (p) => JSON.stringify([p.say, p.headline, p.body, p.steps]), taken = card.querySelector('.coupon');
	card.querySelector('.worth').textContent = worth(prompt.offer);
	card.querySelector('.why ul')?.replaceChildren(...reasons(prompt));
	if (words(was) === words(prompt))
		return false;
	card.querySelector('.text').replaceWith(buildText(prompt));
	if (taken)
		card.querySelector('.text').append(taken);
	return true;
}

// Open where there is room, behind a tap where there is not. A reason is written to be said aloud: the screen is shared.
function buildWhy(prompt) {
	const why = el('details', 'why');
	why.open = matchMedia('(min-width: 700px) and (min-height: 700px)').matches;
	const list = el('ul');
	list.append(...reasons(prompt));
	why.append(ours(el('summary', '', t('why'))), list);
	return why;
}

// act(choice) is called by a button.
export function buildCard(prompt, act) {
	const card = el('article', 'card kind-' + prompt.kind + (prompt.mandatory ? ' mandatory' : ''));
	const foot = el('div', 'foot'), middle = el('div', 'middle');
	card.dataset.prompt = prompt.prompt;
	if (prompt.language)
		card.lang = prompt.language;
	// Its words run as they are read; where its buttons stand is the page's matter (style.css).
	card.dir = foot.dir = prompt.language ? directionOf(prompt.language) : 'auto';
	card.append(el('div', 'bar', null, {ariaHidden: 'true'}), buildHead(prompt), middle);
	middle.append(buildText(prompt), foot);
	card.firstChild.append(el('i'));
	if (prompt.disclosure)
		foot.append(el('small', 'disclosure', prompt.disclosure));
	if (prompt.why && prompt.why.length)
		foot.append(buildWhy(prompt));
	card.append(ours(el('p', 'outcome', '', {role: 'status'})), ours(el('div', 'answers')));
	card.answers = card.lastChild;
	card.outcome = card.answers.previousSibling;
	card.act = act;
	return card;
}

function label(prompt, choice) {
	const question = QUESTIONS.includes(prompt.kind);
	switch (choice) {
	case 'accept':
		return prompt.gate === 'manager' ? t('approve') : question ? t('yes') : t('done');
	case 'dismiss':
		return question ? t('no') : t('notNow');
	case 'snooze':
		return t('later');
	default:
		return t('instead');
	}
}

// The coupon that the cashier scans, once the customer wants it.
export function coupon(code) {
	const box = el('div', 'coupon', null, {dir: 'ltr'}), bars = barcode(code);
	if (bars)
		box.append(bars);
	box.append(el('p', '', code));
	return box;
}

// What the card shows now: buttons while it is open, else what became of it.
// state: open sending retrying asked applied refused answered accepted dismissed snoozed overridden; note: plain words.
export function showState(card, prompt, state, note) {
	const open = state === 'open';
	const key = state + '|' + (prompt.choices || []).join() + '|' + (note || '');

	if (card.shownKey === key)
		return;
	card.shownKey = key;
	card.dataset.state = state;
	card.outcome.textContent = note || (open ? '' : t('state.' + state));
	card.outcome.classList.toggle('bad', state === 'refused' || state === 'failed' || (open && !!note));
	card.answers.replaceChildren();
	if (!open) {
		card.querySelector('details')?.removeAttribute('open');
		if (isCoupon(prompt) && ['accepted', 'answered', 'applied'].includes(state))
			card.querySelector('.coupon') || card.querySelector('.text').append(coupon(prompt.offer.code));
		return;
	}
	// What must be seen is not put off.
	for (const choice of ['accept', 'dismiss', 'snooze', 'override']) {
		if (!(prompt.choices || []).includes(choice))
			continue;
		const node = button(choice, label(prompt, choice), () => card.act(choice));
		node.dataset.choice = choice;
		card.answers.append(node);
	}
}

// The bar and the words beside it. total and left in ms.
export function showTime(card, left, total, still) {
	const part = Math.max(0, Math.min(1, left / Math.max(total, 1)));
	const words = left >= 90000 ? t('minutes', Math.round(left / 60000)) : t('seconds', Math.max(0, Math.ceil(left / 1000)));

	card.querySelector('.bar i').style.width = (still ? 100 : part * 100).toFixed(1) + '%';
	if (card.querySelector('.left').textContent !== (still ? '' : words))
		card.querySelector('.left').textContent = still ? '' : words;
	card.classList.toggle('soon', !still && left < 15000);
}

export function goneWords(reason) {
	return has('gone.' + reason) ? t('gone.' + reason) : reason;
}
