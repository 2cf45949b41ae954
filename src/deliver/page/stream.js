// SPDX-License-Identifier: Apache-2.0
//
// stream.js - the line to the gateway: server-sent events that always come back.
//
// An EventSource comes back by itself from a lost line, but for good it gives up when
// the answer was not 200 (a gateway that is just starting). And a dead Wi-Fi is silent:
// nothing tells the page that nothing will come. So: a closed source is made anew with
// growing pauses, and after 10 s of silence a small question shows whether someone is there.

const QUIET_MS = 10000;
const ANSWER_MS = 4000;
const PAUSE_MAX_MS = 30000;

// on.event(type, data), on.live(bool), on.opened() after each connection, on.refused(status): 401 not paired, 403 not our station.
export function openStream(station, on) {
	let source = null, last = '', pause = 1000, timer = 0, heard = Date.now(), closed = false, live = false;

	function setLive(now) {
		heard = Date.now();
		if (now !== live) {
			live = now;
			on.live(now);
		}
	}

	function take(event) {
		if (event.lastEventId)
			last = event.lastEventId;
		setLive(true);
		try {
			on.event(event.type, JSON.parse(event.data));
		} catch (error) {
			console.error(error);
		}
	}

	function connect() {
		clearTimeout(timer);
		if (closed)
			return;
		if (source)
			source.close();
		const query = last ? '?last_event_id=' + encodeURIComponent(last) : '';
		source = new EventSource('/v1/stations/' + encodeURIComponent(station) + '/stream' + query);
		for (const type of ['guidance', 'withdraw', 'status'])
			source.addEventListener(type, take);
		source.onopen = () => {
			pause = 1000;
			setLive(true);
			on.opened();
		};
		source.onerror = () => {
			setLive(false);
			if (source.readyState === EventSource.CLOSED)
				again();
		};
	}

	function again() {
		clearTimeout(timer);
		timer = setTimeout(async () => {
			const status = await ask();
			if (closed)
				return;
			if (status === 401 || status === 403)
				on.refused(status);
			else
				connect();
		}, pause * (0.75 + Math.random() / 2));
		pause = Math.min(pause * 2, PAUSE_MAX_MS);
	}

	// The status of a small request; 0: nobody answers.
	async function ask() {
		try {
			const answer = await fetch('/v1/stations/' + encodeURIComponent(station), {method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS)});
			return answer.status;
		} catch {
			return 0;
		}
	}

	async function check() {
		if (closed || document.hidden || Date.now() - heard < QUIET_MS)
			return;
		const status = await ask();
		if (closed)
			return;
		if ((status === 200 || status === 404) && source.readyState === EventSource.OPEN) {	// 404: not heard of yet
			setLive(true);
		} else if (status === 401 || status === 403) {
			on.refused(status);
		} else {
			setLive(false);
			connect();
		}
	}

	function hurry() {
		heard = 0;
		check();
	}

	const beat = setInterval(check, 2000);
	addEventListener('online', hurry);
	document.addEventListener('visibilitychange', hurry);
	connect();
	return {
		close() {
			closed = true;
			clearInterval(beat);
			clearTimeout(timer);
			removeEventListener('online', hurry);
			document.removeEventListener('visibilitychange', hurry);
			source.close();
		},
	};
}
