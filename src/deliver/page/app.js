// SPDX-License-Identifier: Apache-2.0
//
// app.js - the tablet page: paired? which till? then cards until the shop closes.
//
// What the gateway says is the truth, what the page adds is marked as its own: an answer
// is "sending" until it is on the gateway's disk, and "asked" until the till has done it.

import {t, language, direction, recall, keep} from '/words.js';
import {openStream} from '/stream.js';
import {makeAnswers, failedWords, BECOMES} from '/answers.js';
import {makeDeck, guardTaps, fitAgain} from '/deck.js';
import {buildCard, sayAgain, showState, showTime, goneWords, isCoupon, el} from '/cards.js';
import {askReason, askLater, askInstead, askManager, closeSheet, showEarlier, pairScreen, stationScreen} from '/sheets.js';

const outbox = self.outbox;

const SEEN_MS = 300;		// visible for so long is shown
const LINGER_MS = 4000;		// an answered card stays readable for so long
const SENT_MAX = 500;
const ACTIONS_MAX = 60;
const NAME = /^[A-Za-z0-9_-]{1,32}$/;

const $ = (id) => document.getElementById(id);
const main = $('main');

let station = '', stations = [], heard = null, stream = null, line = false, lastHeard = 0, status = {};
let skew = 0;			// gateway's clock minus ours, ms
const guidances = new Map();	// by id, in order of arrival
const cards = new Map();	// by prompt: {prompt, guidance, expires, total, node, local, note, answered, idle, timer}
const sent = new Set();		// prompts whose "shown" was said, also across replacements

const deck = makeDeck(main, (waiting) => {
	$('more').textContent = waiting ? t('more', waiting) : '';
	$('more').hidden = !waiting;
});

const now = () => Date.now() + skew;

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
	outbox.post(promptPath(card, 'shown'), shown ? {} : {shown: false}).then(({status}) => status === 0 && sent.delete(id));
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

function local(card, state, note) {
	card.local = state;
	card.note = note;
	draw(card);
}

const answers = makeAnswers({
	changed() {
		$('earlier').hidden = !answers.earlier.length;
		showLive();
	},
	// False: the card is not on the screen any more.
	waits(id) {
		const card = cards.get(id);
		if (card)
			local(card, 'retrying');
		return !!card;
	},
	settled(id, status, sent, problem) {
		const card = cards.get(id);
		if (!card)
			return false;
		if ([200, 404, 409, 410].includes(status))
			tellShown(card, true);
		if (status === 200)
			answered(card, sent.decision);
		else
			refused(card, status, sent, problem);
		return true;
	},
	unpaired() {
		if (stream)
			start();
	},
});

function answered(card, decision) {
	const asks = decision === 'accept' && card.prompt.offer && card.prompt.offer.apply !== 'barcode';
	const state = asks ? 'asked' : BECOMES[decision];

	card.answered = true;
	// The gateway may have been faster on the stream than in its answer.
	if (!['asked', 'applied', 'refused'].includes(card.prompt.state))
		local(card, state);
	else
		local(card, '');
	answers.became(card.prompt, t('state.' + state), decision === 'accept');
	if (decision !== 'accept' || card.prompt.mandatory)	// what lies under it is waited for
		setTimeout(() => remove(card), LINGER_MS / 4);
	else if (!asks && !isCoupon(card.prompt))
		setTimeout(() => remove(card), LINGER_MS);
	else if (!asks)		// a coupon stays until the sale is over, and gives way to what asks
		setTimeout(() => {
			card.idle = true;
			arrange();
		}, LINGER_MS);
}

function refused(card, code, body, problem) {
	if (code === 403 || code === 423) {
		local(card, 'open', failedWords(code));
	} else if (code === 409 && body.instead && problem.clause) {
		local(card, 'open', t('failed.closed', problem.clause));
	} else {
		local(card, 'failed', failedWords(code));
		answers.became(card.prompt, failedWords(code));
		setTimeout(() => remove(card), LINGER_MS);
	}
}

let asking = null;		// the card that a sheet is about

async function act(card, choice) {
	const headline = card.prompt.headline;
	let more = {};

	asking = card;
	if (choice === 'dismiss')
		more = await askReason(headline);
	else if (choice === 'snooze')
		more = await askLater(headline, now());
	else if (choice === 'override')
		more = await askInstead(card.prompt, seenActions());
	else if (card.prompt.gate === 'manager')
		more = await askManager(headline);
	if (asking === card)
		asking = null;
	if (more !== undefined && cards.has(card.prompt.prompt)) {
		local(card, 'sending');
		answers.give(card.prompt, promptPath(card, 'decision'), {decision: choice, ...more});
	}
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
	showTime(card.node, left, card.total, still || !!card.prompt.mandatory);
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
	if (asking === card)
		closeSheet();
	clearTimeout(card.timer);
	observer.unobserve(card.node);
	if (!sent.has(card.prompt.prompt))
		tellShown(card, false);
	card.node.classList.add('leaving');
	setTimeout(() => card.node.remove(), matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 200);
	arrange();
}

function arrange() {
	deck.arrange([...cards.values()]);
	calm();
}

function addCard(guidance, prompt) {
	const expires = Date.parse(prompt.expires || guidance.expires) || now() + 120000;
	let card = cards.get(prompt.prompt);

	if (card) {
		const before = stateOf(card), was = card.prompt;
		card.prompt = prompt;
		card.expires = expires;
		if (sayAgain(card.node, was, prompt))
			fitAgain(card.node);
		const state = stateOf(card);
		if (before !== state && ['applied', 'refused', 'silent'].includes(state)) {
			if (answers.earlier.some((e) => e.prompt.prompt === prompt.prompt))
				answers.became(prompt, t('state.' + state));
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
		if (answers.unsent.has(prompt.prompt))
			card.local = 'retrying';
		card.node = buildCard(prompt, (choice) => act(card, choice));
		cards.set(prompt.prompt, card);
		see(prompt);
		announce(t('newCard', prompt.headline));
	}
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
	for (const prompt of guidance.prompts || [])
		addCard(guidance, prompt);
	arrange();
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
	if (any)
		announce(goneWords(withdraw.reason));
	arrange();
}

// After each connection: what was open before and is no more, went while we could not hear it.
async function reconcile() {
	const before = [...guidances.keys()], asked = station;
	let open;

	try {
		const answer = await fetch('/v1/stations/' + encodeURIComponent(asked), {cache: 'no-store', signal: AbortSignal.timeout(5000)});
		if (!answer.ok && answer.status !== 404)
			return;
		takeClock(answer);
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

// Of one whose time is over nothing is left on the screen, also where nobody can say so.
function customerLine() {
	const newest = [...guidances.values()].filter((g) => !(Date.parse(g.expires) <= now())).pop();
	return (newest && newest.customer && newest.customer.line) || '';
}

// Live is the whole way: this line, the daemon, and the broker over which the tills speak.
const live = () => line && status.state !== 'offline' && status.broker !== 'away';

// Nothing on the screen is a state too: quiet, and sure that it is alive.
function calm() {
	const who = customerLine();
	let box = main.querySelector('.calm');

	$('customer').textContent = cards.size ? who : '';
	if (cards.size) {
		box?.remove();
		return;
	}
	if (!box) {
		box = el('div', 'calm');
		box.append(el('p', 'big', '', {dir: 'auto'}), el('p', 'small'));
		main.append(box);
	}
	box.firstChild.textContent = who || (!live() ? t(lastHeard ? 'offline' : 'neverLive') : unheard() ? t('unheard', station) : t('ready'));
	box.lastChild.textContent = !live() ? '' : who ? t('nothing') : unheard() ? t('unheardMend') : '';
}

// ---- which tills there are ----

// The name may be mistyped, and then nothing ever comes; or the till is new.
const unheard = () => heard && !heard.has(station);

function takeStations(list) {
	stations = list.map((s) => s.station);
	heard = new Set(list.filter((s) => s.heard !== false).map((s) => s.station));
}

async function lookAgain() {
	if (!station || !line || heard?.has(station))
		return;
	try {
		const answer = await fetch('/v1/stations', {cache: 'no-store', signal: AbortSignal.timeout(5000)});
		if (answer.ok)
			takeStations((await answer.json()).stations);
	} catch {
		return;		// it is asked again
	}
	showLive();
}

// What a manager may name who wants something else: what was on this tablet.
function seenActions() {
	return JSON.parse(recall('actions') || '[]');
}

function see(prompt) {
	const seen = new Map([[prompt.action, prompt.headline], ...(prompt.alternatives || []).map((a) => [a.action, a.headline]), ...seenActions()]);
	keep('actions', JSON.stringify([...seen].slice(0, ACTIONS_MAX)));
}

function trouble() {
	if (!line && !lastHeard)
		return '';
	if (!line || status.state === 'offline')
		return t('offlineSince', new Date(lastHeard).toLocaleTimeString(language, {hour: '2-digit', minute: '2-digit'}));
	return status.broker === 'away' ? t('noBroker') : status.time === 'uncertain' ? t('uncertain') : '';
}

function showLive() {
	const banner = $('banner');
	const words = [trouble(), answers.unsent.size ? t('unsent', answers.unsent.size) : ''].filter((w) => w).join(' ');

	document.body.classList.toggle('offline', !live() && lastHeard > 0);
	document.body.classList.toggle('connecting', !live() && !lastHeard);
	$('live').lastElementChild.textContent = live() ? t('live') : lastHeard ? t('offline') : t('neverLive');
	if (banner.textContent !== words)
		banner.textContent = words;
	banner.hidden = !words;
	if (station)
		calm();
}

function clear() {
	for (const card of cards.values())
		clearTimeout(card.timer);
	cards.clear();
	guidances.clear();
	closeSheet();
	deck.arrange([]);
	main.replaceChildren();
	main.className = '';
}

function show(name) {
	stream?.close();
	clear();
	station = name;
	line = false;
	lastHeard = 0;
	status = {};
	keep('station', name);
	$('top').hidden = false;
	$('station').textContent = t('station', name);
	main.className = 'deck';
	calm();
	showLive();
	stream = openStream(name, {
		event(type, data) {
			lastHeard = Date.now();
			if (type === 'guidance') {
				heard?.add(station);
				takeGuidance(data);
			} else if (type === 'withdraw') {
				takeWithdraw(data);
			} else {
				status = data;
			}
			showLive();
		},
		live(value) {
			line = value;
			if (value)
				lastHeard = Date.now();
			showLive();
		},
		opened: reconcile,
		refused: (status) => status === 403 ? choose(t('notYours', name)) : start(),
	});
}

function choose(note) {
	stream?.close();
	stream = null;
	station = '';
	clear();
	$('top').hidden = true;
	$('banner').hidden = true;
	stationScreen(main, stations, show, note);
	if (!stations.length)
		setTimeout(start, 5000);
}

function pair() {
	stream?.close();
	stream = null;
	station = '';
	clear();
	$('top').hidden = true;
	$('banner').hidden = true;
	const random = crypto.getRandomValues(new Uint16Array(1))[0].toString(36);
	pairScreen(main, recall('name') || 'tablet-' + random, async (entry) => {
		const answer = await outbox.post('/v1/pair', entry);
		if (answer.status === 200) {
			keep('name', entry.name);
			start();
			return '';
		}
		return answer.status === 0 ? t('pairFailed') : answer.status === 429 ? t('pairWait') :
			answer.status === 403 ? t('pairWrong') : answer.body.detail || t('pairWrong');
	});
}

// The header has whole seconds.
function takeClock(answer) {
	skew = (Date.parse(answer.headers.get('Date')) || Date.now()) - Date.now();
	if (Math.abs(skew) < 2000)
		skew = 0;
}

async function start() {
	const name = new URLSearchParams(location.search).get('station'), asked = NAME.test(name) ? name : '';
	let answer;

	try {
		answer = await fetch('/v1/stations', {cache: 'no-store', signal: AbortSignal.timeout(5000)});
		if (answer.status === 401)
			return pair();
		if (!answer.ok)
			throw new Error(answer.status);
		takeClock(answer);
		takeStations((await answer.json()).stations);
	} catch {
		// A page that was opened without the gateway goes on with what it knows.
		if (asked || recall('station'))
			show(asked || recall('station'));
		else
			setTimeout(start, 3000);
		return;
	}
	const wanted = asked || recall('station');
	if (wanted && (asked || stations.includes(wanted)))
		show(wanted);
	else if (stations.length === 1)
		show(stations[0]);
	else
		choose();
}

document.documentElement.lang = language;
document.documentElement.dir = direction;
guardTaps();
$('earlier').textContent = t('earlier');
$('earlier').onclick = () => showEarlier(answers.earlier);
$('station').onclick = () => choose();
document.addEventListener('visibilitychange', () => cards.forEach(watchSeen));
setInterval(() => cards.forEach(tick), 250);
setInterval(showLive, 1000);
setInterval(lookAgain, 5000);
// A screen that goes dark between two customers helps nobody. Only on secure pages.
document.addEventListener('click', () => navigator.wakeLock?.request('screen').catch(() => {}), {once: true});
navigator.serviceWorker?.register('/worker.js').catch(() => {});
answers.resume().then(start);
