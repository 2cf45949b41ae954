// SPDX-License-Identifier: Apache-2.0
//
// answers.js - from a tap to the gateway's disk, over lost lines, reloads, closed tabs and dead batteries.
//
// An answer is put on this tablet's disk (outbox.js), then sent until the gateway has said yes or no,
// whether its card is on the screen still or not. The same answer twice is one answer.

import {t} from '/words.js';

const EARLIER_MAX = 5;
const outbox = self.outbox;

export const BECOMES = {accept: 'accepted', dismiss: 'dismissed', snooze: 'snoozed', override: 'overridden'};

export function failedWords(code) {
	return [403, 404, 409, 410, 423].includes(code) ? t('failed.' + code) : t('failed.other', code);
}

// Should the page be closed meanwhile.
function wakeWorker() {
	navigator.serviceWorker?.ready.then((worker) => worker.sync?.register('answers')).catch(() => {});
}

// on.waits(prompt), on.settled(prompt, status, sent, problem): true if they found its card; on.changed(); on.unpaired().
export function makeAnswers(on) {
	const unsent = new Map();	// by prompt: what the gateway does not have yet
	const earlier = [];		// the last cards: {prompt, at, words, taken}

	// What became of it: one line a card.
	function became(prompt, words, taken) {
		const i = earlier.findIndex((e) => e.prompt.prompt === prompt.prompt);
		const [line] = i < 0 ? [{at: Date.now()}] : earlier.splice(i, 1);
		earlier.unshift(Object.assign(line, {prompt, words, taken: taken ?? line.taken}));
		earlier.length = Math.min(earlier.length, EARLIER_MAX);
		on.changed();
	}

	async function send(kept, pause) {
		const {status, body} = await outbox.deliver(kept);
		const id = kept.prompt.prompt, over = Date.now() - kept.at > outbox.DAY_MS;

		if (outbox.isFinal(status) || over) {
			await outbox.remove(kept.path).catch(() => {});
			unsent.delete(id);
			const last = outbox.isFinal(status) ? status : 410;
			if (!on.settled(id, last, kept.body, body))
				became(kept.prompt, last === 200 ? t('state.' + BECOMES[kept.body.decision]) : failedWords(last), last === 200 && kept.body.decision === 'accept');
			return on.changed();
		}
		unsent.set(id, kept);
		if (pause === 1000)
			wakeWorker();
		setTimeout(send, pause, kept, Math.min(pause * 2, 8000));
		if (!on.waits(id))
			became(kept.prompt, t('state.retrying'));
		on.changed();
		if (status === 401)
			on.unpaired();
	}

	return {
		unsent,
		earlier,
		became,
		// What a manager typed stays in memory: such an answer is lost with the page, and its card asks again.
		async give(prompt, path, body) {
			const kept = {path, body, at: Date.now(), prompt};
			if (!body.pin)
				await outbox.put(kept).catch(() => {});
			send(kept, 1000);
		},
		// What the last page did not get rid of.
		async resume() {
			for (const kept of await outbox.all().catch(() => [])) {
				unsent.set(kept.prompt.prompt, kept);
				became(kept.prompt, t('state.retrying'));
				send(kept, 1000);
			}
		},
	};
}
