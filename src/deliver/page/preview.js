// SPDX-License-Identifier: Apache-2.0
//
// preview.js - aislectl policy preview: each card of a policy in a phone and in a tablet.
//
// It stands behind words.js, barcode.js, cards.js and deck.js in one script (tools/preview.c).
// A frame is filled when it is near the window: a policy may have thousands of cards.

const DEVICES = [['phone', 390, 780], ['tablet', 1024, 700]];
const CHOICES = {none: ['accept', 'dismiss'], customer: ['accept', 'dismiss'],
	associate: ['accept', 'dismiss', 'snooze', 'override'], manager: ['accept', 'dismiss', 'snooze', 'override']};
const data = JSON.parse(document.getElementById('data').textContent);

function fill(frame, prompt) {
	const inside = frame.contentDocument, main = inside.createElement('main');
	const card = buildCard(prompt, () => {});
	const image = card.querySelector('.image'), why = card.querySelector('details');

	inside.head.append(el('style', '', document.getElementById('style').textContent));
	inside.documentElement.lang = language;
	inside.documentElement.dir = direction;
	if (image)
		image.src = data.images[prompt.image] || '';
	showState(card, {...prompt, choices: prompt.mandatory ? ['accept'] : CHOICES[prompt.gate] || []}, 'open');
	showTime(card, 60000, 60000, true);
	card.dataset.seat = prompt.mandatory ? 'alert' : '0';
	main.id = 'main';
	main.className = 'deck';
	main.dataset.seats = card.dataset.seat;
	main.append(card);
	inside.body.append(main);
	if (why)
		why.open = frame.contentWindow.matchMedia('(min-width: 700px) and (min-height: 700px)').matches;
	fitAgain(card);
}

const near = new IntersectionObserver((entries) => {
	for (const entry of entries.filter((e) => e.isIntersecting)) {
		near.unobserve(entry.target);
		entry.target.fill();
	}
}, {rootMargin: '1500px'});

function section(card) {
	const node = el('section'), frames = el('div', 'frames');
	const about = [card.language, card.prompt.gate + ' decides'];

	if (card.depths.length)
		about.push('depth ' + card.depths.join(', ') + (card.depths.length > 1 ? '; shown: ' + card.depths[0] : ''));
	node.append(el('h2', '', card.action + ' / ' + card.treatment), el('p', '', about.join(' · ')));
	node.append(...card.marks.map((mark) => el('p', 'mark', mark)));
	for (const [name, width, height] of DEVICES) {
		const frame = el('iframe', '', null, {title: `${card.action} / ${card.treatment}, ${name}`, width, height});
		frame.fill = () => {	// a page of its own, in the mode that the tablet's page is in
			frame.onload = () => fill(frame, card.prompt);
			frame.srcdoc = '<!doctype html>';
		};
		frames.append(frame);
		near.observe(frame);
	}
	node.append(frames);
	return node;
}

document.title = `${data.name} ${data.version}: cards`;
document.getElementById('list').append(el('h1', '', `${data.name}, version ${data.version}`),
	el('p', '', 'Sample values: the defaults of features; ‹name› stands for one that has none. An offer is worth what it takes off its typical goods.'),
	...data.cards.map(section));
