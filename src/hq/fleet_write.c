/* SPDX-License-Identifier: Apache-2.0
 *
 * fleet_write.c - the fleet as a table and as JSON.
 */
#include "hq/fleet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/when.h"

static const struct {
	enum fleet_mark mark;
	const char *name;
} marks[] = {
	{ MARK_CLOCK, "clock" },
	{ MARK_DISK, "disk" },
	{ MARK_QUEUE, "queue" },
	{ MARK_DAMAGED, "damaged" },
	{ MARK_ATTACKED, "refusals" },
};

void
fleet_ago(const struct fleet *fleet, int64_t heard_ms, char out[static 24])
{
	int64_t ago = fleet->now_ms - heard_ms;

	if (heard_ms == 0)
		snprintf(out, 24, "never");
	else if (ago < 2 * H_MS)
		snprintf(out, 24, "%d min", ago > 0 ? (int)(ago / MIN_MS) : 0);
	else if (ago < 2 * D_MS)
		snprintf(out, 24, "%d h", (int)(ago / H_MS));
	else
		snprintf(out, 24, "%d d", (int)(ago / D_MS));
}

/* ---- by channel and ring: who is on the newest ---- */

struct part {
	const char *channel, *ring;
	int64_t expected;
	size_t stores, there;
};

static int
by_part(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	int channel = strcmp(x->channel, y->channel);

	return channel != 0 ? channel : strcmp(x->ring, y->ring);
}

/* The caller frees. */
static struct part *
parts_of(const struct fleet *fleet, size_t *ret_count)
{
	struct part *parts = mem_calloc(fleet->count + 1, sizeof(*parts));
	size_t count = 0;

	for (size_t i = 0; i < fleet->count; i++) {
		const struct fleet_store *one = &fleet->stores[i];
		size_t at = 0;

		if (one->channel[0] == '\0')
			continue;
		while (at < count &&
		    (strcmp(parts[at].channel, one->channel) != 0 ||
			strcmp(parts[at].ring, one->ring) != 0))
			at++;
		if (at == count)
			parts[count++] = (struct part){ one->channel, one->ring, 0, 0, 0 };
		if (one->expected > parts[at].expected)
			parts[at].expected = one->expected;
		parts[at].stores++;
		parts[at].there += one->sequence >= one->expected && one->sequence > 0 &&
		    (one->verdict == VERDICT_GOOD || one->verdict == VERDICT_PROBATION);
	}
	qsort(parts, count, sizeof(*parts), by_part);
	*ret_count = count;
	return parts;
}

/* ---- JSON ---- */

static void
add_store(const struct fleet *fleet, const struct fleet_store *one, struct json_writer *w)
{
	char ago[24];

	fleet_ago(fleet, one->heard_ms, ago);
	json_add_object(w, NULL);
	json_add_str(w, "store", one->store);
	json_add_str(w, "verdict", NAME_OF(verdict_names, one->verdict));
	json_opt_str(w, "state", one->state);
	json_opt_str(w, "why", one->why);
	json_opt_str(w, "detail", one->detail);
	json_opt_str(w, "channel", one->channel);
	json_opt_str(w, "ring", one->ring);
	json_add_int(w, "sequence", one->sequence);
	json_add_int(w, "expected", one->expected);
	if (one->policy_version > 0) {
		json_add_object(w, "policy");
		json_add_str(w, "name", one->policy);
		json_add_int(w, "version", one->policy_version);
		json_end(w);
	}
	json_opt_str(w, "aisle", one->version);
	json_opt_when(w, "heard", one->heard_ms);
	json_add_str(w, "ago", ago);
	json_add_int(w, "queued", one->queued);
	if (one->disk_percent >= 0)
		json_add_int(w, "disk_percent", one->disk_percent);
	if (one->foreign > 0)
		json_add_int(w, "foreign", one->foreign);
	if (one->damaged > 0)
		json_add_int(w, "damaged", one->damaged);
	if (one->stops != NULL)
		json_add_tree(w, "stops", one->stops);
	json_add_list(w, "marks");
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if ((one->marks & (int)marks[i].mark) != 0)
			json_add_str(w, NULL, marks[i].name);
	json_end(w);
	json_end(w);
}

void
fleet_json(const struct fleet *fleet, struct json_writer *w)
{
	size_t count;
	struct part *parts = parts_of(fleet, &count);

	json_add_object(w, NULL);
	json_add_when(w, "at", fleet->now_ms);
	json_add_object(w, "counts");
	json_add_int(w, "stores", (int64_t)fleet->count);
	for (int i = 0; i < VERDICT_COUNT; i++)
		json_add_int(w, verdict_names[i], (int64_t)fleet->counts[i]);
	json_end(w);
	json_add_list(w, "rings");
	for (size_t i = 0; i < count; i++) {
		json_add_object(w, NULL);
		json_add_str(w, "channel", parts[i].channel);
		json_opt_str(w, "ring", parts[i].ring);
		json_add_int(w, "expected", parts[i].expected);
		json_add_int(w, "stores", (int64_t)parts[i].stores);
		json_add_int(w, "there", (int64_t)parts[i].there);
		json_end(w);
	}
	json_end(w);
	json_add_list(w, "stores");
	for (size_t i = 0; i < fleet->count; i++)
		add_store(fleet, &fleet->stores[i], w);
	json_end(w);
	json_end(w);
	free(parts);
}

/* ---- the table ---- */

/* What a store said is text for a terminal: nothing of it steers one. */
static void
add_clean(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		buf_addc(out, (unsigned char)*text < ' ' || *text == 127 ? ' ' : *text);
}

static void
text_why(const struct fleet_store *one, struct buf *out)
{
	bool any = false;

	add_clean(out, one->why);
	if (one->detail[0] != '\0') {
		buf_adds(out, one->why[0] != '\0' ? ": " : "");
		add_clean(out, one->detail);
	}
	any = one->why[0] != '\0' || one->detail[0] != '\0';
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if ((one->marks & (int)marks[i].mark) != 0) {
			buf_addf(out, "%s%s", any ? ", " : "", marks[i].name);
			any = true;
		}
	if (one->stops != NULL)
		buf_addf(out, "%s%zu stopped", any ? ", " : "", json_array_size(one->stops));
}

static void
text_store(const struct fleet *fleet, const struct fleet_store *one, struct buf *out)
{
	char ago[24], release[48], policy[90];
	size_t from;

	fleet_ago(fleet, one->heard_ms, ago);
	if (one->sequence == one->expected)
		snprintf(release, sizeof(release), "%" PRId64, one->sequence);
	else
		snprintf(release, sizeof(release), "%" PRId64 " of %" PRId64, one->sequence,
		    one->expected);
	snprintf(policy, sizeof(policy), "%s %" PRId64, one->policy, one->policy_version);
	from = out->len;
	buf_addf(out, "%-16s %-12s %-10s %-10s %-18s %-8s ", one->store,
	    NAME_OF(verdict_names, one->verdict), one->ring[0] != '\0' ? one->ring : "-",
	    one->expected > 0 || one->sequence > 0 ? release : "-",
	    one->policy_version > 0 ? policy : "-", ago);
	text_why(one, out);
	while (out->len > from && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
	buf_adds(out, "\n");
}

void
fleet_text(const struct fleet *fleet, struct buf *out)
{
	size_t count;
	struct part *parts = parts_of(fleet, &count);
	bool any = false;

	buf_addf(out, "%zu stores:", fleet->count);
	for (int i = 0; i < VERDICT_COUNT; i++)
		if (fleet->counts[i] > 0) {
			buf_addf(out, "%s %zu %s", any ? "," : "", fleet->counts[i],
			    verdict_names[i]);
			any = true;
		}
	buf_adds(out, any ? "\n" : " none has been heard\n");
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "%s%s%s: release %" PRId64 " in %zu of %zu (%d %%)\n",
		    parts[i].channel, parts[i].ring[0] != '\0' ? ", ring " : "", parts[i].ring,
		    parts[i].expected, parts[i].there, parts[i].stores,
		    (int)(100 * parts[i].there / parts[i].stores));
	if (fleet->count > 0)
		buf_addf(out, "\n%-16s %-12s %-10s %-10s %-18s %-8s %s\n", "store", "", "ring",
		    "release", "policy", "heard", "why");
	for (size_t i = 0; i < fleet->count; i++)
		text_store(fleet, &fleet->stores[i], out);
	if (fleet->full)
		buf_addf(out, "… and more than %d stores are not shown\n", FLEET_STORES_MAX);
	free(parts);
}
