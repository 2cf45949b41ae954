// SPDX-License-Identifier: Apache-2.0
//
// sign-in.js - a manager signs in; then /manager is the page itself.

import {direction, language, t} from '/words.js';
import {languageBox} from '/sheets.js';

const $ = (id) => document.getElementById(id);

async function signIn(event) {
	const pin = $('pin').value;

	event.preventDefault();
	$('pin').value = '';
	$('says').textContent = '';
	$('go').disabled = true;
	try {
		const answer = await fetch('/v1/manager/session', {method: 'POST', headers: {'Content-Type': 'application/json'},
			body: JSON.stringify({manager: $('manager').value.trim(), pin}), signal: AbortSignal.timeout(10000)});
		if (answer.ok) {
			location.replace('/manager');
			return;
		}
		$('says').textContent = answer.status === 401 ? t('signIn.wrong') : answer.status === 423 ? t('failed.423')
			: t('failed.other', answer.status);
	} catch {
		$('says').textContent = t('signIn.failed');
	}
	$('go').disabled = false;
	$('pin').focus();
}

document.documentElement.lang = language;
document.documentElement.dir = direction;
document.title = 'aisle – ' + t('signIn.title');
$('title').textContent = t('signIn.title');
$('manager-word').textContent = t('manager');
$('pin-word').textContent = t('pin');
$('go').textContent = t('signIn.go');
$('form').onsubmit = signIn;
$('foot').append(languageBox());
$('manager').focus();
