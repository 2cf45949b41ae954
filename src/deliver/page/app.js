// SPDX-License-Identifier: Apache-2.0
//
// app.js - the tablet page: paired? which till? then cards until the shop closes.
//
// What the gateway says is the truth, what the page adds is marked as its own: an answer
// is "sending" until it is on the gateway's disk, and "asked" until the till has done it.

import {t, language} from '/words.js';
import {openStream} from '/stream.js';
import {buildCard, sayAgain, showState, showTime, goneWords, isCoupon, el} from '/cards.js';
import {askReason, askLater, askInstead, askManager, closeSheet, showEarlier, pairScreen, stationScreen} from '/sheets.js';

const SEEN_MS = 300;		// visible for so long is shown
const LINGER_MS = 4000;		// an answered card stays readable for so long
const EARLIER_MAX = 5;
const SENT_MAX = 500;

const $ = (id) => document.getElementById(id);
const main = $('main');

let station = '', stations = [], stream = null, live = false, lastHeard = 0, status = {};
let skew = 0;			// gateway's clock minus ours, ms
const guidances = new Map();	// by id, in order of arrival
const cards = new Map();	// by prompt: {prompt, guidance, expires, total, node, local, note, seen, timer}
const earlier = [];		// answered: {prompt, at, words}
const sent = new Set();		// prompts whose "shown" was said, also across replacements

const now = () => Date.now() + skew;

async function post(path, body) {
	const answer = await fetch(path, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body),
		signal: AbortSignal.timeout(10000)});
	return {status: answer.status, body: await answer.json().catch(() => ({}))};
}

function promptPath(card, what) {
	return '/v1/guidance/' + encodeURIComponent(card.guidance) + '/prompts/' + encodeURIComponent(card.prompt.prompt) + '/' + what;
}

// ---- shown ----

function tellShown(card, shown) {
	const id = card.prompt.prompt;
	if (sent.has(id))
		return;
	sent.add(id);
	if (sent.size > SENT_MAX)
		sent.delete(sent.values().next().value);
	post(promptPath(card, 'shown'), shown ? {} : {shown: false}).catch(() => sent.delete(id));
}

const observer = new IntersectionObserver((entries) => {
	for (const entry of entries) {
		const card = cards.get(entry.target.dataset.prompt);
		if (card) {
			card.inView = entry.isIntersecting;
			watchSeen(card);
		}
	}
}, {threshold: 0.5});

function watchSeen(card) {
	clearTimeout(card.timer);
	if (card.inView && document.visibilityState === 'visible')
		card.timer = setTimeout(() => tellShown(card, true), SEEN_MS);
}

// ---- answers ----

function remember(card, words) {
	earlier.unshift({prompt: card.prompt, at: Date.now(), words});
	earlier.length = Math.min(earlier.length, EARLIER_MAX);
	$('earlier').hidden = false;
}

function local(card, state, note) {
	card.local = state;
	card.note = note;
	draw(card);
}

const BECOMES = {dismiss: 'dismissed', snooze: 'snoozed', override: 'overridden'};

// A lost line is tried again while the card lives: the same answer twice is one answer.
async function send(card, body, pause = 1000) {
	let answer;

	local(card, pause === 1000 ? 'sending' : 'retrying');
	try {
		answer = await post(promptPath(card, 'decision'), body);
	} catch {
		answer = {status: 0};
	}
	if (answer.status === 0 || answer.status === 503) {
		if (card.expires > now()) {
			setTimeout(() => send(card, body, Math.min(pause * 2, 8000)), pause);
			local(card, 'retrying');
		} else {
			refused(card, 410);
		}
		return;
	}
	tellShown(card, true);
	if (answer.status === 200)
		answered(card, body.decision);
	else
		refused(card, answer.status);
}

function answered(card, decision) {
	const asks = decision === 'accept' && card.prompt.offer && card.prompt.offer.apply !== 'barcode';
	const state = asks ? 'asked' : BECOMES[decision] || 'accepted';

	card.answered = true;
	// The gateway may have been faster on the stream than in its answer.
	if (!['asked', 'applied', 'refused'].includes(card.prompt.state))
		local(card, state);
	else
		local(card, '');
	remember(card, t('state.' + state));
	if (decision !== 'accept')
		setTimeout(() => remove(card), LINGER_MS / 4);
	else if (!asks && !isCoupon(card.prompt))	// a coupon stays until the sale is over
		setTimeout(() => remove(card), LINGER_MS);
}

function refused(card, code) {
	if (code === 401) {
		start();
	} else if (code === 403 || code === 423) {
		local(card, 'open', t('failed.' + code));
	} else {
		const words = [404, 409, 410].includes(code) ? t('failed.' + code) : t('failed.other', code);
		local(card, 'failed', words);
		remember(card, words);
		setTimeout(() => remove(card), LINGER_MS);
	}
}

async function act(card, choice) {
	const headline = card.prompt.headline;
	let more = {};

	if (choice === 'dismiss')
		more = await askReason(headline);
	else if (choice === 'snooze')
		more = await askLater(headline, now());
	else if (choice === 'override')
		more = await askInstead(headline, card.prompt.alternatives || []);
	else if (card.prompt.gate === 'manager')
		more = await askManager(headline);
	if (more !== undefined && cards.has(card.prompt.prompt))
		send(card, {decision: choice, ...more});
}

// ---- cards ----

function stateOf(card) {
	const state = card.prompt.state || 'open';
	// The till's word stands over ours; ours over a Guidance that is older than the tap.
	if (state === 'refused' && card.prompt.silent)
		return 'silent';
	if (['asked', 'applied', 'refused'].includes(state))
		return state;
	return card.local || state;
}

function draw(card) {
	const state = stateOf(card);
	showState(card.node, card.prompt, state, state === card.local ? card.note : '');
	tick(card);
}

function tick(card) {
	const left = card.expires - now();
	const still = stateOf(card) !== 'open' && stateOf(card) !== 'retrying';
	showTime(card.node, left, card.total, still);
	if (left <= 0 && !still)
		expire(card);
}

function expire(card) {
	announce(t('gone.expired'));
	remove(card);
}

function remove(card) {
	if (cards.get(card.prompt.prompt) !== card)
		return;
	cards.delete(card.prompt.prompt);
	clearTimeout(card.timer);
	observer.unobserve(card.node);
	if (!sent.has(card.prompt.prompt))
		tellShown(card, false);
	card.node.classList.add('leaving');
	setTimeout(() => {
		card.node.remove();
		calm();
	}, matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 200);
	calm();
}

function addCard(guidance, prompt, place) {
	const expires = Date.parse(prompt.expires || guidance.expires) || now() + 120000;
	let card = cards.get(prompt.prompt);

	if (card) {
		const before = stateOf(card), was = card.prompt;
		card.prompt = prompt;
		card.expires = expires;
		sayAgain(card.node, was, prompt);
		const state = stateOf(card);
		if (before !== state && ['applied', 'refused', 'silent'].includes(state)) {
			if (earlier.length)
				(earlier.find((e) => e.prompt.prompt === prompt.prompt) || {}).words = t('state.' + state);
			announce(t('state.' + state));
			// Who says nothing may still speak.
			if (state !== 'silent')
				setTimeout(() => remove(card), LINGER_MS);
		}
	} else {
		if (expires <= now() || (prompt.state && !['open', 'asked'].includes(prompt.state)))
			return;
		const total = Math.max(expires - (Date.parse(guidance.at) || now()), 1000);
		card = {prompt, guidance: guidance.guidance, expires, total, local: '', note: ''};
		card.node = buildCard(prompt, (choice) => act(card, choice));
		cards.set(prompt.prompt, card);
		announce(t('newCard', prompt.headline));
	}
	if (card.node.parentNode !== main)
		main.insertBefore(card.node, main.children[place] || null);
	draw(card);
	observer.observe(card.node);
}

function takeGuidance(guidance) {
	const keep = new Set((guidance.prompts || []).map((p) => p.prompt));

	guidances.delete(guidance.guidance);
	guidances.set(guidance.guidance, guidance);
	for (const card of [...cards.values()])
		if (card.guidance === guidance.guidance && !keep.has(card.prompt.prompt) && !card.answered)
			remove(card);
	(guidance.prompts || []).forEach((prompt, i) => addCard(guidance, prompt, i));
	calm();
}

function takeWithdraw(withdraw) {
	const id = withdraw.guidance || withdraw.withdraw;
	let any = false;

	guidances.delete(id);
	for (const card of [...cards.values()])
		if (card.guidance === id) {
			any = any || !card.answered;
			remove(card);
		}
	if (any) {
		closeSheet();
		announce(goneWords(withdraw.reason));
	}
	calm();
}

// After each connection: what was open before and is no more, went while we could not hear it.
async function reconcile() {
	const before = [...guidances.keys()], asked = station;
	let open;

	if (!before.length)
		return;
	try {
		const answer = await fetch('/v1/stations/' + encodeURIComponent(asked), {cache: 'no-store', signal: AbortSignal.timeout(5000)});
		if (!answer.ok && answer.status !== 404)
			return;
		open = answer.ok ? (await answer.json()).open.map((g) => g.guidance) : [];
	} catch {
		return;		// the next connection asks again
	}
	if (asked === station)
		before.filter((id) => !open.includes(id)).forEach((id) => takeWithdraw({guidance: id, reason: 'expired'}));
}

// ---- around the cards ----

function announce(text) {
	$('announce').textContent = text;
}

function customerLine() {
	const newest = [...guidances.values()].pop();
	return (newest && newest.customer && newest.customer.line) || '';
}

// Nothing on the screen is a state too: quiet, and sure that it is alive.
function calm() {
	const line = customerLine();
	let box = main.querySelector('.calm');

	$('customer').textContent = cards.size ? line : '';
	main.dataset.count = Math.min(cards.size, 3);
	if (cards.size || main.querySelector('.card')) {
		box?.remove();
		return;
	}
	if (!box) {
		box = el('div', 'calm');
		box.append(el('p', 'big', '', {dir: 'auto'}), el('p', 'small'));
		main.replaceChildren(box);
	}
	box.firstChild.textContent = line || t('ready');
	box.lastChild.textContent = line ? t('nothing') : '';
}

function showLive() {
	const banner = $('banner');
	const time = new Date(lastHeard).toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'});
	const words = !live ? (lastHeard ? t('offlineSince', time) : t('neverLive')) : status.time === 'uncertain' ? t('uncertain') : '';

	document.body.classList.toggle('offline', !live && lastHeard > 0);
	$('live').lastElementChild.textContent = live ? t('live') : lastHeard ? t('offline') : t('neverLive');
	if (banner.textContent !== words)
		banner.textContent = words;
	banner.hidden = !words || (!live && !lastHeard);
}

function clear() {
	for (const card of cards.values())
		clearTimeout(card.timer);
	cards.clear();
	guidances.clear();
	closeSheet();
	main.replaceChildren();
}

function show(name) {
	stream?.close();
	clear();
	station = name;
	live = false;
	lastHeard = 0;
	localStorage.setItem('station', name);
	$('top').hidden = false;
	$('station').textContent = t('station', name);
	$('station').disabled = stations.length < 2;
	calm();
	showLive();
	stream = openStream(name, {
		event(type, data) {
			lastHeard = Date.now();
			if (type === 'guidance')
				takeGuidance(data);
			else if (type === 'withdraw')
				takeWithdraw(data);
			else
				status = data;
			showLive();
		},
		live(value) {
			live = value;
			if (value)
				lastHeard = Date.now();
			showLive();
		},
		opened: reconcile,
		refused: start,
	});
}

function choose() {
	stream?.close();
	clear();
	$('top').hidden = true;
	$('banner').hidden = true;
	stationScreen(main, stations, show);
	if (!stations.length)
		setTimeout(start, 5000);
}

function pair() {
	stream?.close();
	clear();
	$('top').hidden = true;
	$('banner').hidden = true;
	const random = crypto.getRandomValues(new Uint16Array(1))[0].toString(36);
	pairScreen(main, localStorage.getItem('name') || 'tablet-' + random, async (entry) => {
		try {
			const answer = await post('/v1/pair', entry);
			if (answer.status === 200) {
				localStorage.setItem('name', entry.name);
				start();
				return '';
			}
			return answer.status === 429 ? t('pairWait') : answer.status === 403 ? t('pairWrong') : answer.body.detail || t('pairWrong');
		} catch {
			return t('pairFailed');
		}
	});
}

async function start() {
	let answer;
	try {
		answer = await fetch('/v1/stations', {cache: 'no-store', signal: AbortSignal.timeout(5000)});
		if (answer.status === 401)
			return pair();
		if (!answer.ok)
			throw new Error(answer.status);
		skew = (Date.parse(answer.headers.get('Date')) || Date.now()) - Date.now();
		if (Math.abs(skew) < 2000)
			skew = 0;	// the header has whole seconds
		stations = (await answer.json()).stations.map((s) => s.station);
	} catch {
		setTimeout(start, 3000);
		return;
	}
	const wanted = new URLSearchParams(location.search).get('station') || localStorage.getItem('station');
	if (wanted && (stations.includes(wanted) || new URLSearchParams(location.search).has('station')))
		show(wanted);
	else if (stations.length === 1)
		show(stations[0]);
	else
		choose();
}

document.documentElement.lang = language;
$('earlier').textContent = t('earlier');
$('earlier').onclick = () => showEarlier(earlier);
$('station').onclick = choose;
document.addEventListener('visibilitychange', () => cards.forEach(watchSeen));
setInterval(() => cards.forEach(tick), 250);
// A screen that goes dark between two customers helps nobody. Only on secure pages.
document.addEventListener('click', () => navigator.wakeLock?.request('screen').catch(() => {}), {once: true});
start();
