// SPDX-License-Identifier: Apache-2.0
//
// outbox.js - answers that the gateway does not have yet, on this tablet's own disk.
//
// A plain script: the page and worker.js share it. An answer is put here before it is sent,
// and taken out when the gateway has said yes or no. It is the gateway that makes one answer
// of two, so whoever comes first may send it. A manager's PIN is never written here.

self.outbox = (() => {
	const DAY_MS = 86400000;
	const DISK_MS = 2000;		// a disk that says nothing for so long keeps no answer from being sent
	let opened = null;

	function open() {
		opened ??= new Promise((resolve, reject) => {
			const request = indexedDB.open('aisle', 1);
			request.onupgradeneeded = () => request.result.createObjectStore('answers', {keyPath: 'path'});
			request.onsuccess = () => resolve(request.result);
			request.onerror = () => reject(request.error);
		});
		// What failed, and what the browser has closed, is opened anew.
		opened.then((db) => db.onclose = () => opened = null, () => opened = null);
		return opened;
	}

	const soon = (promise) => Promise.race([promise, new Promise((_, reject) => setTimeout(reject, DISK_MS, new Error('the disk is silent')))]);

	async function work(mode, what) {
		const db = await soon(open());
		return soon(new Promise((resolve, reject) => {
			const turn = db.transaction('answers', mode, {durability: 'strict'});
			const request = what(turn.objectStore('answers'));
			turn.oncomplete = () => resolve(request.result);
			turn.onerror = turn.onabort = () => reject(turn.error);
		}));
	}

	// {path, body, at, prompt, status}; resolves once it is on disk. status: the gateway has said this, and no page heard it.
	const put = (answer) => work('readwrite', (answers) => answers.put(answer));
	const get = (path) => work('readonly', (answers) => answers.get(path)).catch(() => null);
	const remove = (path) => work('readwrite', (answers) => answers.delete(path));
	const all = () => work('readonly', (answers) => answers.getAll());

	// The gateway's status; 0: nobody answered.
	async function post(path, body) {
		try {
			const answer = await fetch(path, {method: 'POST', headers: {'Content-Type': 'application/json'},
				body: JSON.stringify(body), signal: AbortSignal.timeout(10000)});
			return {status: answer.status, body: await answer.json().catch(() => ({}))};
		} catch {
			return {status: 0, body: {}};
		}
	}

	// Is there nothing to be had by sending it again? 401: once this tablet is paired again; 408, 502, 504: of a
	// proxy that the gateway does not answer.
	const isFinal = (status) => ![0, 401, 408, 429, 502, 503, 504].includes(status);

	// One at a time, of all pages and the worker; where there are no locks, there is no worker.
	function deliver(answer) {
		const turn = async () => {
			const known = answer.body.pin ? null : await get(answer.path);
			if (known?.status)
				return {status: known.status, body: {}};
			const reply = await post(answer.path, answer.body);
			if (known && isFinal(reply.status))
				await put({...known, status: reply.status}).catch(() => {});
			return reply;
		};
		return navigator.locks ? navigator.locks.request('answer ' + answer.path, turn) : turn();
	}

	// By the worker, perhaps without a page. false: something is left.
	async function flush() {
		const waiting = (await all()).filter((answer) => !answer.status && Date.now() - answer.at < DAY_MS);
		const replies = await Promise.all(waiting.map(deliver));
		return replies.every(({status}) => isFinal(status));
	}

	return {put, remove, all, post, deliver, isFinal, flush, DAY_MS};
})();
