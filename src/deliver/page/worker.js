// SPDX-License-Identifier: Apache-2.0
//
// worker.js - where the browser allows it (HTTPS, localhost): the page opens without the gateway,
// and answers leave after the page was closed.
//
// The gateway's own files come first, always: what is kept is for when nobody answers.

importScripts('/outbox.js');

const KEPT = 'page-1';
const FILES = ['/', '/app.js', '/deck.js', '/answers.js', '/stream.js', '/cards.js', '/sheets.js', '/barcode.js', '/words.js', '/outbox.js',
	'/style.css', '/manifest.webmanifest', '/icon.svg'];
const WAIT_MS = 4000;

self.addEventListener('install', (event) => {
	event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
	event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name))))
		.then(() => self.clients.claim()));
});

// A proxy that speaks for a gateway which is away says nothing but that. A disk that keeps nothing is no reason to show no page.
async function fromGateway(path, request) {
	const kept = () => caches.match(path).catch(() => undefined);
	try {
		const answer = await fetch(request, {signal: AbortSignal.timeout(WAIT_MS)}), copy = answer.clone();
		if (answer.ok)
			caches.open(KEPT).then((cache) => cache.put(path, copy)).catch(() => {});
		return answer.status < 500 ? answer : await kept() || answer;
	} catch (error) {
		const page = await kept();
		if (page)
			return page;
		throw error;
	}
}

self.addEventListener('fetch', (event) => {
	const url = new URL(event.request.url);
	if (event.request.method === 'GET' && url.origin === location.origin && FILES.includes(url.pathname))
		event.respondWith(fromGateway(url.pathname, event.request));
});

// The browser says so when there is a network again, also without a page; what fails is asked again later.
self.addEventListener('sync', (event) => {
	if (event.tag === 'answers')
		event.waitUntil(outbox.flush().then((empty) => {
			if (!empty)
				throw new Error('the gateway does not answer');
		}));
});
