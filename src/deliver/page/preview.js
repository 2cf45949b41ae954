// SPDX-License-Identifier: Apache-2.0
//
// preview.js - aislectl policy preview: each card of a policy on each device, in each language.
//
// It stands behind words.js, barcode.js, cards.js and deck.js in one script (tools/preview.c).
// A frame is filled when it is near the window: a policy may have thousands of cards.

const DEVICES = [['phone', 390, 844], ['phone on its side', 844, 390], ['tablet', 1024, 768], ['tablet upright', 768, 1024]];
const data = JSON.parse(document.getElementById('data').textContent);
const form = document.querySelector('form'), list = document.querySelector('main');

// ---- a card on a device ----

// The tablet's styles, of this colour scheme whatever the author's own is.
function styles(dark) {
	const css = document.getElementById('style').textContent.replaceAll('(prefers-color-scheme: dark)', dark ? '(min-width: 0)' : '(max-width: 0)');
	return css + `:root { color-scheme: ${dark ? 'dark' : 'light'}; }`;
}

// As app.js has it: till, live, one card.
function fill(frame, prompt, chosen) {
	const inside = frame.contentDocument, shown = {...prompt, image: data.images[prompt.image] ? prompt.image : undefined};

	speak(chosen.words || prompt.language);
	inside.documentElement.lang = language;
	inside.documentElement.dir = direction;
	inside.title = frame.title;
	inside.head.append(el('style', '', styles(chosen.dark)));
	inside.body.innerHTML = data.body;
	inside.getElementById('top').hidden = false;
	inside.getElementById('station').textContent = t('station', 7);
	inside.querySelector('#live span').textContent = t('live');

	const main = inside.getElementById('main'), card = buildCard(shown, () => {});
	const image = card.querySelector('.image'), why = card.querySelector('details');
	if (image)
		image.src = data.images[prompt.image];
	if (why)
		why.open = frame.contentWindow.matchMedia('(min-width: 700px) and (min-height: 700px)').matches;
	showState(card, shown, 'open');
	showTime(card, 60000, 60000, true);
	card.dataset.seat = main.dataset.seats = prompt.mandatory ? 'alert' : '0';
	main.className = 'deck';
	main.append(card);
	fitAgain(card);
}

const near = new IntersectionObserver((entries) => {
	for (const entry of entries.filter((e) => e.isIntersecting)) {
		near.unobserve(entry.target);
		entry.target.fill();
	}
}, {rootMargin: '1500px'});

function frameOf(title, [device, width, height], prompt, chosen) {
	const frame = el('iframe', '', null, {title: `${title}, ${device}, ${chosen.dark ? 'dark' : 'light'}`, width, height});
	const scaled = el('div', 'scaled'), figure = el('figure');

	frame.fill = () => {	// a page of its own, in the mode that the tablet's page is in
		frame.onload = () => fill(frame, prompt, chosen);
		frame.srcdoc = '<!doctype html>';
	};
	frame.style.transform = `scale(${chosen.scale})`;
	scaled.style.width = width * chosen.scale + 'px';
	scaled.style.height = height * chosen.scale + 'px';
	scaled.append(frame);
	figure.append(scaled, el('figcaption', '', `${device}, ${width} × ${height}`));
	near.observe(frame);
	return figure;
}

// ---- a card, wherever it is shown ----

const MESSAGES = {till: 'The till shows', customer: 'The till’s customer display shows', receipt: 'The receipt says'};

function placeOf(card, title, at, chosen) {
	const box = el('div', 'place'), prompt = at.customer ? {...card.prompt, why: []} : card.prompt;	// a screen that strangers see

	if (!at.fits) {
		box.append(el('h4', '', `Placement ${at.place}: too long, it is not shown`));
		return box;
	}
	if (at.screen) {
		const frames = el('div', 'frames');
		frames.append(...DEVICES.filter(([device]) => chosen.devices.includes(device)).map((d) => frameOf(`${title}, ${at.place}`, d, prompt, chosen)));
		box.append(el('h4', '', at.customer ? 'The customer’s screen' : 'The associate’s screen'), frames);
	}
	if (at.message) {
		const text = el('p', 'message ' + at.place, prompt.headline, {lang: prompt.language, dir: directionOf(prompt.language)});
		box.append(el('h4', '', MESSAGES[at.place] || at.place), text);
	}
	if (!at.screen && !at.message)
		box.append(el('h4', '', `Placement ${at.place}: nothing is shown in the store`));
	return box;
}

function cardOf(card, chosen) {
	const node = el('article'), title = `${card.action}, ${card.treatment}, ${card.language}`;

	node.append(el('h3', '', `${card.treatment} · ${card.language}`), ...card.marks.map((mark) => el('p', 'mark', mark)));
	node.append(...card.places.map((at) => placeOf(card, title, at, chosen)));
	return node;
}

// ---- an action ----

// "de" speaks to who wants "de-AT".
const speaks = (text, wanted) => text === wanted || wanted.startsWith(text + '-');

function lacking(cards) {
	const [first] = data.languages, has = (language) => cards.some((card) => speaks(card.language, language));
	const none = data.languages.filter((language) => !has(language));
	return none.map((language) => `No text in ${language}: who speaks it ` + (has(first) ? `is addressed in ${first}.` : 'is shown nothing.'));
}

function actionOf(name, chosen) {
	const cards = data.cards.filter((card) => card.action === name), {gate, kind, mandatory} = cards[0].prompt;
	const about = [mandatory ? 'must be seen' : kind, `gate ${gate}`], depths = cards[0].depths || [];
	const node = el('section'), shown = cards.filter((card) => !chosen.language || card.language === chosen.language);

	if (depths.length > 1)
		about.push(`depths ${depths.join(', ')}, shown with ${depths[0]}`);
	if (cards[0].prompt.offer?.code)
		about.push(`after Yes the coupon ${cards[0].prompt.offer.code}`);
	node.append(el('h2', '', name), el('p', '', about.join(' · ')), ...lacking(cards).map((text) => el('p', 'mark', text)));
	node.append(...shown.map((card) => cardOf(card, chosen)));
	return shown.length ? [node] : [];
}

// ---- what the author wants to see ----

function field(text, control) {
	const label = el('label');
	label.append(...control.type === 'checkbox' ? [control, text] : [text, control]);
	return label;
}

function select(name, options) {
	const node = el('select', '', null, {name});
	node.append(...options.map(([value, text]) => el('option', '', text, {value})));
	return node;
}

function controls() {
	const sizes = el('fieldset');

	sizes.append(el('legend', '', 'Devices'), ...DEVICES.map(([device]) => field(device, el('input', '', null, {type: 'checkbox', name: 'device', value: device, checked: true}))));
	form.append(sizes, field('Colours', select('colours', [['light', 'light'], ['dark', 'dark']])),
		field('Size', select('scale', [['0.42', 'small'], ['1', 'as it is']])),
		field('Texts in', select('language', [['', 'every language'], ...[...new Set(data.cards.map((card) => card.language))].map((l) => [l, l])])),
		field('Buttons in', select('words', [['', 'the language of the text'], ...languages])));
	form.onchange = draw;
	form.onsubmit = () => false;
}

function draw() {
	const given = new FormData(form);
	const chosen = {devices: given.getAll('device'), dark: given.get('colours') === 'dark', scale: Number(given.get('scale')),
		language: given.get('language'), words: given.get('words')};

	near.disconnect();
	list.replaceChildren(...[...new Set(data.cards.map((card) => card.action))].flatMap((name) => actionOf(name, chosen)));
}

document.title = `${data.name} ${data.version}: cards`;
document.querySelector('h1').textContent = `${data.name}, version ${data.version}`;
document.querySelector('header p').textContent = 'A value of a customer is shown by its default; ‹name› stands for one that has none. ' +
	'What an offer saves is "about" where it is reckoned on its typical goods: in a store that ends when they are scanned. Buttons do nothing here.';
controls();
draw();
