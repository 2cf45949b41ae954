// SPDX-License-Identifier: Apache-2.0
//
// barcode.js - a coupon's code as Code 128 (set B), which the till's scanner reads from the screen.
//
// ISO/IEC 15417: start, one symbol a character, a check symbol mod 103, stop; each symbol
// is given by the widths of its bars and spaces, 11 modules together.

const WIDTHS = ('212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 ' +
	'113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 ' +
	'212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 ' +
	'133121 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 ' +
	'111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 ' +
	'134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 ' +
	'114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112').split(' ');
const START_B = 104, STOP = 106, QUIET = 10, HEIGHT = 60;
const SVG = 'http://www.w3.org/2000/svg';

// The symbols of text, or null: not printable ASCII.
export function symbols(text) {
	const values = [...text].map((c) => c.codePointAt(0) - 32);
	if (!values.length || values.some((v) => v < 0 || v > 94))
		return null;
	const check = values.reduce((sum, v, i) => sum + v * (i + 1), START_B) % 103;
	return [START_B, ...values, check, STOP];
}

export function barcode(text) {
	const list = symbols(text);
	if (!list)
		return null;
	const svg = document.createElementNS(SVG, 'svg');
	let x = QUIET, path = '';
	for (const symbol of list)
		[...WIDTHS[symbol]].forEach((w, i) => {
			if (i % 2 === 0)
				path += `M${x} 0h${w}v${HEIGHT}h-${w}z`;
			x += Number(w);
		});
	const bars = document.createElementNS(SVG, 'path');
	bars.setAttribute('d', path);
	svg.append(bars);
	svg.setAttribute('viewBox', `0 0 ${x + QUIET} ${HEIGHT}`);
	svg.setAttribute('preserveAspectRatio', 'none');
	svg.setAttribute('role', 'img');
	svg.setAttribute('aria-label', text);
	return svg;
}
