/* SPDX-License-Identifier: Apache-2.0
 *
 * near.c - how far two names are from each other, and the nearest of many.
 */
#include "core/near.h"

#include <ctype.h>
#include <string.h>

static int
least(int a, int b)
{
	return a < b ? a : b;
}

int
near_slips(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	/* Rows of the table: of the letter before last, of the last, of this one. */
	int rows[3][NEAR_NAME_MAX + 1], *before = rows[0], *last = rows[1], *this = rows[2];

	if (a_len > NEAR_NAME_MAX || b_len > NEAR_NAME_MAX)
		return -1;
	for (size_t j = 0; j <= b_len; j++)
		last[j] = (int)j;
	for (size_t i = 1; i <= a_len; i++) {
		int *spare = before;

		this[0] = (int)i;
		for (size_t j = 1; j <= b_len; j++) {
			char x = (char)tolower((unsigned char)a[i - 1]),
			     y = (char)tolower((unsigned char)b[j - 1]);

			this[j] = least(least(last[j], this[j - 1]) + 1, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == (char)tolower((unsigned char)b[j - 2]) &&
			    y == (char)tolower((unsigned char)a[i - 2]))
				this[j] = least(this[j], before[j - 2] + 1);
		}
		before = last;
		last = this;
		this = spare;
	}
	return last[b_len];
}

void
near_offer(struct near *near, const char *name)
{
	int slips = near_slips(near->word, name), most = 1 + (int)(strlen(near->word) / 4);
	size_t at = near->count;

	/* As many slips as there are letters: another word. */
	if (slips < 0 || slips > most || (size_t)slips >= strlen(near->word))
		return;
	for (size_t i = 0; i < near->count; i++)
		if (strcmp(near->name[i], name) == 0)
			return;
	while (at > 0 && near->slips[at - 1] > slips)
		at--;
	if (at == NEAR_MAX)
		return;
	if (near->count < NEAR_MAX)
		near->count++;
	for (size_t i = near->count - 1; i > at; i--) {
		memcpy(near->name[i], near->name[i - 1], sizeof(near->name[i]));
		near->slips[i] = near->slips[i - 1];
	}
	memcpy(near->name[at], name, strlen(name) + 1);
	near->slips[at] = slips;
}

void
near_say(const struct near *near, struct buf *out)
{
	for (size_t i = 0; i < near->count; i++)
		buf_addf(out, "%s\"%s\"",
		    i == 0		       ? "; is "
			: i + 1 == near->count ? " or "
					       : ", ",
		    near->name[i]);
	if (near->count > 0)
		buf_adds(out, " meant?");
}
