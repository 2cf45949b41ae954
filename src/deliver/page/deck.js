// SPDX-License-Identifier: Apache-2.0
//
// deck.js - where cards lie. A tap answers only the card it was aimed at.
//
// What must be seen lies above all, across the full width. Two other cards have a seat each,
// side by side, or one above the other where the screen is narrow. A card never leaves its seat,
// and its buttons stand at the lower end of it: what arrives takes room from texts and
// from what is empty, never from a place that somebody's finger is on its way to. Who finds
// no seat waits, and the header says so.
//
// What appears under a finger, a card or the page behind a sheet, takes no tap for a while.

const FRESH_MS = 600;
const FITS = [1, 0.88, 0.76, 0.66, 0.57, 0.5, 0.4];
// As style.css has them.
const sideBySide = matchMedia('(min-width: 700px), (min-width: 520px) and (orientation: landscape)');
const small = matchMedia('(max-width: 519px) and (max-height: 559px)');
const low = matchMedia('(max-height: 599px) and (min-width: 520px)');

// ---- fresh: not yet to be tapped ----

const timers = new WeakMap();

export function fresh(node) {
	clearTimeout(timers.get(node));
	node.classList.add('fresh');
	timers.set(node, setTimeout(() => node.classList.remove('fresh'), FRESH_MS));
}

// A finger that came down too early is void, however long it stays; a key has no finger, but held down it is one tap.
export function guardTaps() {
	const early = (target) => !!target.closest?.('.fresh');
	let down = false;

	document.addEventListener('pointerdown', (event) => {
		down = early(event.target);
	}, true);
	document.addEventListener('click', (event) => {
		if (event.detail > 0 && (down || early(event.target))) {
			event.preventDefault();
			event.stopImmediatePropagation();
		}
		down = false;
	}, true);
	document.addEventListener('keydown', (event) => {
		if (event.repeat && ['Enter', ' '].includes(event.key) && event.target.closest?.('button, summary'))
			event.preventDefault();
	}, true);
}

// ---- texts: as large as they fit, down to less than half; then they scroll in their card ----

// What scrolls is reached by keyboard as well.
function reachable(node) {
	if (node.scrollHeight > node.clientHeight + 1 && node.clientHeight > 0)
		node.tabIndex = 0;
	else
		node.removeAttribute('tabindex');
}

// Where a card is alone, its text scrolls by itself and .middle is no box (style.css).
function fit(middle) {
	const text = middle.querySelector('.text');
	const tries = [...FITS.slice(0, 2).map((size) => [size, false]), ...FITS.map((size) => [size, true])];

	for (const [size, bare] of tries) {	// words are worth more than a picture
		text.style.setProperty('--fit', size);
		text.classList.toggle('bare', bare);
		if (text.scrollHeight <= (middle.clientHeight || text.clientHeight) + 1)
			break;
	}
	[middle, text, middle.querySelector('.foot')].forEach(reachable);
}

// What was replaced is in no card any more.
const sizes = new ResizeObserver((entries) => new Set(entries.map((entry) => entry.target.closest('.middle'))).forEach((middle) => middle && fit(middle)));

function watch(card) {
	for (const part of card.querySelectorAll('.middle, .text, .image, .foot'))	// an image has no size before it is there
		sizes.observe(part);
}

// Its words changed.
export function fitAgain(card) {
	watch(card);
	fit(card.querySelector('.middle'));
}

// ---- seats ----

// main: the element; told(waiting): so many cards have no seat.
export function makeDeck(main, told) {
	const seats = {alert: null, 0: null, 1: null};
	let known = [];

	// Seats that are not under what must be seen. A small screen has room for one card.
	const free = () => small.matches ? seats.alert ? [] : ['0'] :
		!seats.alert ? ['0', '1'] : low.matches ? [] : sideBySide.matches ? ['0', '1'] : ['0'];

	function take(name, card) {
		seats[name] = card;
		card.node.dataset.seat = name;
		if (card.node.parentNode !== main) {
			const after = name === 'alert' ? main.firstChild : name === '0' ? seats[1]?.node : null;
			main.insertBefore(card.node, after?.parentNode === main ? after : null);
			watch(card.node);
		}
		fresh(card.node);
	}

	function leave(name) {
		const card = seats[name];
		seats[name] = null;
		if (card && known.includes(card)) {
			card.node.remove();	// it waits; else it is on its way out by itself
			delete card.node.dataset.seat;
		}
	}

	const seated = (card) => Object.values(seats).includes(card);
	const waiting = (must) => known.filter((card) => !seated(card) && must === !!card.prompt.mandatory);

	// An answered coupon gives way to a card that asks.
	function makeWay() {
		for (const name of ['0', '1'])
			if (seats[name]?.idle && waiting(false).some((card) => !card.idle))
				return leave(name);
	}

	// cards: all there are, the oldest first.
	function arrange(cards) {
		known = cards;
		for (const name in seats)
			if (seats[name] && !known.includes(seats[name]))
				leave(name);
		if (!seats.alert && waiting(true).length)
			take('alert', waiting(true)[0]);
		for (const name of ['0', '1'])
			if (seats[name] && !free().includes(name))
				leave(name);
		for (const name of free()) {
			const next = waiting(false).sort((a, b) => !!a.idle - !!b.idle)[0];
			if (!seats[name] && next)
				take(name, next);
		}
		if (waiting(false).some((card) => !card.idle) && ['0', '1'].some((name) => seats[name]?.idle)) {
			makeWay();
			return arrange(cards);
		}
		main.dataset.seats = ['alert', '0', '1'].filter((name) => seats[name]).join(' ');
		told(known.filter((card) => !seated(card) && !card.idle).length);
	}

	for (const shape of [sideBySide, small, low])
		shape.addEventListener('change', () => arrange(known));
	return {arrange};
}
