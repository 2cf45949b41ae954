/* SPDX-License-Identifier: Apache-2.0
 *
 * page_data.S - the page's files, each compressed (Makefile).
 */
	.section .rodata
	.macro file symbol, name
	.global page_\symbol
	.global page_\symbol\()_end
page_\symbol:
	.incbin "\name\().zst"
page_\symbol\()_end:
	.byte 0
	.endm

	file index_html, index.html
	file manager_html, manager.html
	file app_js, app.js
	file answers_js, answers.js
	file deck_js, deck.js
	file stream_js, stream.js
	file outbox_js, outbox.js
	file worker_js, worker.js
	file cards_js, cards.js
	file sheets_js, sheets.js
	file barcode_js, barcode.js
	file words_js, words.js
	file sign_in_html, sign-in.html
	file sign_in_js, sign-in.js
	file manager_js, manager.js
	file manager_words_js, manager-words.js
	file manager_day_js, manager-day.js
	file manager_floor_js, manager-floor.js
	file manager_css, manager.css
	file style_css, style.css
	file preview_js, preview.js
	file preview_css, preview.css
	file fleet_js, fleet.js
	file fleet_css, fleet.css
	file manifest, manifest.webmanifest
	file icon_svg, icon.svg

	.section .note.GNU-stack, "", %progbits
