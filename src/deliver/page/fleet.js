// SPDX-License-Identifier: Apache-2.0
//
// fleet.js - aislectl fleet -o page.html: who is in trouble, how far a release has come, everybody.
//
// What a store said becomes text, never markup. Of thousands only so many are drawn as the eye takes in.

const SHOWN = 60, ROWS = 500, CELLS = 5000;
const data = JSON.parse(document.getElementById('data').textContent), main = document.querySelector('main');
const words = {
	'refused': 'refused the release', 'rolled-back': 'went back', 'silent': 'silent', 'no-policy': 'without a policy', 'behind': 'behind',
	'look': 'to be looked at', 'on-its-way': 'on the way', 'probation': 'on probation', 'good': 'good',
};
const marks = {clock: 'its clock is not to be trusted', disk: 'its disk is nearly full', queue: 'much waits to be sent',
	damaged: 'rows of its state were damaged', refusals: 'refused what headquarters did not send'};
const troubles = ['refused', 'rolled-back', 'silent', 'no-policy', 'behind'];

function el(name, text = '', kind = '') {
	const made = document.createElement(name);

	made.textContent = text;
	made.className = kind;
	return made;
}

// Good, but for a mark: somebody should look.
const look = store => troubles.includes(store.verdict) || store.marks.length === 0 ? store.verdict : 'look';
const isTrouble = store => troubles.includes(store.verdict) || store.marks.length > 0;
const release = store => store.sequence === store.expected ? `release ${store.sequence || '–'}` : `release ${store.sequence || 'none'}, ${store.expected} is out`;
const policy = store => store.policy ? `${store.policy.name} ${store.policy.version}` : 'no policy';
const heard = store => store.heard ? `heard ${store.ago} ago` : 'never heard';

function why(store) {
	const said = [[store.why, store.detail].filter(Boolean).join(': '), ...store.marks.map(mark => marks[mark] || mark)];

	if (store.stops)
		said.push(`stopped by headquarters: ${store.stops.join(', ')}`);
	return said.filter(Boolean).join(' · ');
}

function head() {
	const bad = data.stores.filter(isTrouble).length, all = data.counts.stores, header = el('header');
	const title = all === 0 ? 'No store has been heard yet' : bad === 0 ? (all === 1 ? 'The store is well' : `All ${all} stores are well`) : `${bad} of ${all} ${all === 1 ? 'store' : 'stores'} need${bad === 1 ? 's' : ''} you`;
	const counts = el('ul', '', 'counts');

	header.append(el('h1', title, all === 0 || bad > 0 ? 'bad' : 'well'));
	header.append(el('p', 'as of ' + data.at.slice(0, 16).replace('T', ' ') + ' UTC'));
	for (const [verdict, said] of Object.entries(words)) {
		const count = data.stores.filter(store => look(store) === verdict).length;

		if (count === 0)
			continue;
		const one = el('li', '', verdict);

		one.append(el('b', count), said);
		counts.append(one);
	}
	header.append(counts);
	return header;
}

function section(title, ...inside) {
	const made = el('section');

	made.append(el('h2', title), ...inside);
	return made;
}

function trouble() {
	const bad = data.stores.filter(isTrouble), list = el('div', '', 'trouble');

	if (bad.length === 0)
		return '';
	for (const store of bad.slice(0, SHOWN)) {
		const card = el('article', '', look(store)), title = el('h3', store.store);

		title.append(el('span', words[look(store)] || store.verdict));
		card.append(title);
		if (why(store))
			card.append(el('p', why(store)));
		card.append(el('p', [heard(store), policy(store), release(store), store.ring && 'ring ' + store.ring].filter(Boolean).join(' · '), 'soft'));
		list.append(card);
	}
	const made = section('In trouble', list);

	if (bad.length > SHOWN)
		made.append(el('p', `and ${bad.length - SHOWN} more, below`, 'more'));
	return made;
}

function rings() {
	const list = el('div', '', 'rings');

	if (data.rings.length === 0)
		return '';
	for (const ring of data.rings) {
		const one = el('div'), line = el('p'), meter = el('div', '', 'meter'), part = el('i');
		const percent = Math.floor(100 * ring.there / ring.stores);

		line.append(el('strong', ring.channel + (ring.ring ? `, ring ${ring.ring}` : '')), el('span', `release ${ring.expected} in ${ring.there} of ${ring.stores} stores, ${percent} %`));
		part.style.width = percent + '%';
		meter.append(part);
		one.append(line, meter);
		list.append(one);
	}
	return section('How far the releases have come', list);
}

function row(store) {
	const made = el('tr'), verdict = el('td');

	verdict.append(el('span', words[look(store)] || store.verdict, look(store)));
	made.append(el('td', store.store), verdict, el('td', store.ring || ''), el('td', release(store)), el('td', policy(store)), el('td', heard(store)), el('td', why(store), 'why'));
	return made;
}

function everybody() {
	const map = el('div', '', 'map'), table = el('table'), top = el('tr'), body = el('tbody'), search = el('input'), wide = el('div', '', 'wide'), more = el('p', '', 'more');

	for (const store of data.stores.slice(0, CELLS)) {
		const cell = el('i', '', look(store));

		cell.title = `${store.store}: ${words[look(store)] || store.verdict}`;
		cell.style.background = 'currentColor';
		map.append(cell);
	}
	map.setAttribute('aria-hidden', 'true');
	for (const title of ['store', '', 'ring', 'release', 'policy', 'heard', ''])
		top.append(el('th', title));
	search.placeholder = 'store, ring, policy, reason …';
	search.setAttribute('aria-label', 'find stores');
	function fill() {
		const wanted = search.value.toLowerCase();
		const found = data.stores.filter(store => [store.store, store.ring, words[look(store)], policy(store), why(store)].join(' ').toLowerCase().includes(wanted));

		body.replaceChildren(...found.slice(0, ROWS).map(row));
		more.textContent = found.length > ROWS ? `and ${found.length - ROWS} more` : '';
	}
	search.addEventListener('input', fill);
	fill();
	const heads = el('thead');

	heads.append(top);
	table.append(heads, body);
	wide.append(table);
	return section('Every store', map, search, wide, more);
}

main.append(head(), trouble(), rings(), everybody());
