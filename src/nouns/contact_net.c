/* SPDX-License-Identifier: Apache-2.0
 *
 * contact_net.c - which rows count once what came after them is known: a card that a tablet did not
 * show was not shown, a use that was taken back was no use, what came back was not bought.
 */
#include <string.h>

#include "core/id.h"
#include "nouns/contact.h"

/* The rows of a prompt before row i, newest first, back to where it was decided. i again: no more. */
static size_t
earlier(const struct contacts *contacts, size_t i, size_t from)
{
	const struct id *prompt = &contacts->rows[i].prompt;

	while (from-- > 0) {
		if (id_equal(&contacts->rows[from].prompt, prompt))
			return from;
	}
	return i;
}

/* It is in use (again), and once: an earlier word of the same kind said the same. What is redeemed
 * was accepted and applied. */
static void
count_use(const struct contacts *contacts, size_t i, uint8_t *counts)
{
	enum outcome said = contacts->rows[i].outcome;
	bool applied = said == OUTCOME_APPLIED; /* is there a later word of that? */

	counts[i] = 1;
	if (said == OUTCOME_ACCEPTED)
		return;
	for (size_t j = earlier(contacts, i, i); j != i; j = earlier(contacts, i, j)) {
		enum outcome before = contacts->rows[j].outcome;

		if (before == OUTCOME_DECIDED)
			return;
		if (before == OUTCOME_REDEEMED && said == OUTCOME_REDEEMED)
			counts[j] = 0;
		else if (before == OUTCOME_ACCEPTED)
			counts[j] = 1;
		else if (before == OUTCOME_APPLIED) {
			counts[j] = !applied;
			applied = true;
		}
	}
}

static void
take_back(const struct contacts *contacts, size_t i, uint8_t *counts)
{
	for (size_t j = earlier(contacts, i, i); j != i; j = earlier(contacts, i, j)) {
		if (contacts->rows[j].outcome == OUTCOME_DECIDED)
			return;
		if (contact_is_use(contacts->rows[j].outcome) ||
		    (contacts->rows[i].outcome == OUTCOME_RETURNED &&
			contacts->rows[j].outcome == OUTCOME_BOUGHT))
			counts[j] = 0;
	}
}

/* Its card was decided shortly before. */
static void
not_shown(const struct contacts *contacts, size_t i, uint8_t *counts)
{
	for (size_t j = earlier(contacts, i, i); j != i; j = earlier(contacts, i, j)) {
		if (contacts->rows[j].outcome == OUTCOME_DECIDED) {
			counts[j] = 0;
			return;
		}
	}
}

void
contacts_net(const struct contacts *contacts, uint8_t *counts)
{
	memset(counts, 0, contacts->count);
	for (size_t i = 0; i < contacts->count; i++) {
		const struct contact *row = &contacts->rows[i];

		if (row->ends == ENDS_UNUSED)
			continue;
		if (row->ends == ENDS_TAKEN || row->outcome == OUTCOME_RETURNED)
			take_back(contacts, i, counts);
		else if (contact_is_use(row->outcome))
			count_use(contacts, i, counts);
		else if (row->outcome == OUTCOME_NOT_SHOWN)
			not_shown(contacts, i, counts);
		else
			counts[i] = contact_is_shown(row) || row->outcome == OUTCOME_BOUGHT;
	}
}
