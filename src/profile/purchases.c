/* SPDX-License-Identifier: Apache-2.0
 *
 * purchases.c - the closed baskets of a subject.
 *
 * DESIGN
 *   Each category, brand and item is kept once a subject: a year of weekly
 *   shopping is thousands of lines over a few hundred texts, and a feature
 *   then asks each text once, not each line.
 *
 * INVARIANTS
 *   purchases ascend by (at_ms, visit), and no visit is there twice.
 *
 * Row: u8 version, visit id, at_ms, sold_ms, total, what came back, number of lines; each line: category, brand,
 * item, quantity, amount. A text is its length + 1 as a varint (0: none) and its bytes. A row
 * whose number of lines is -1 takes back what an earlier row of the visit said (post-void); one
 * without lines is a visit all the same: they may still come, or all came back. Where the article
 * of a line has a mark of its own, the marks of all lines follow, a byte each.
 */
#include "profile/subject_rows.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "core/id.h"
#include "core/of_two.h"
#include "nouns/contact.h"
#include "nouns/match.h"
#include "nouns/net.h"

#define PURCHASE_VERSION 1
_Static_assert(PURCHASE_NAME_BYTES == 1 + sizeof(struct id), "version and visit");
#define TAKEN_BACK (-1)
#define LINE_BYTES_MIN 5 /* three empty texts, two small numbers */

struct strings {
	struct arena *arena;
	const char **slots;	/* open addressing; NULL: free */
	size_t count, capacity; /* capacity is a power of two, at most half full */
	size_t lines;		/* of all purchases */
};

/* Made before the first purchase, and gone with the last: purchases_done(). */
static struct strings *
strings_of(struct subject *subject)
{
	struct strings *strings = subject->intern;

	if (strings != NULL)
		return strings;
	strings = mem_zero(sizeof(*strings));
	strings->arena = arena_new();
	strings->capacity = 256;
	strings->slots = mem_calloc(strings->capacity, sizeof(*strings->slots));
	subject->intern = strings;
	return strings;
}

static uint64_t
bytes_hash(const char *bytes, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * UINT64_C(0x100000001b3);
	return hash ^ (hash >> 32);
}

static const char **
slot_of(struct strings *strings, const char *bytes, size_t len)
{
	size_t i = bytes_hash(bytes, len) & (strings->capacity - 1);

	while (strings->slots[i] != NULL &&
	    (strncmp(strings->slots[i], bytes, len) != 0 || strings->slots[i][len] != '\0'))
		i = (i + 1) & (strings->capacity - 1);
	return &strings->slots[i];
}

static void
strings_grow(struct strings *strings)
{
	const char **old = strings->slots;
	size_t capacity = strings->capacity;

	strings->capacity *= 2;
	strings->slots = mem_calloc(strings->capacity, sizeof(*strings->slots));
	for (size_t i = 0; i < capacity; i++) {
		if (old[i] != NULL)
			*slot_of(strings, old[i], strlen(old[i])) = old[i];
	}
	free(old);
}

const char *
purchases_intern(struct subject *subject, const char *bytes, size_t len)
{
	struct strings *strings = strings_of(subject);
	const char **slot = slot_of(strings, bytes, len);

	if (*slot != NULL)
		return *slot;
	if (strings->count * 2 >= strings->capacity) {
		strings_grow(strings);
		slot = slot_of(strings, bytes, len);
	}
	*slot = arena_strndup(strings->arena, bytes, len);
	strings->count++;
	return *slot;
}

static void
remove_at(struct subject *subject, size_t i)
{
	strings_of(subject)->lines -= subject->purchases[i].line_count;
	free(subject->purchases[i].lines);
	subject->purchase_count--;
	memmove(subject->purchases + i, subject->purchases + i + 1,
	    (subject->purchase_count - i) * sizeof(*subject->purchases));
}

/* From the end: late lines are mostly of the last basket. */
void
purchases_remove(struct subject *subject, const struct id *visit)
{
	for (size_t i = subject->purchase_count; i > 0; i--) {
		if (memcmp(&subject->purchases[i - 1].visit, visit, sizeof(*visit)) == 0) {
			remove_at(subject, i - 1);
			return;
		}
	}
}

static bool
before(const struct purchase *a, const struct purchase *b)
{
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms;
	return id_compare(&a->visit, &b->visit) < 0;
}

static void
insert(struct subject *subject, const struct purchase *purchase)
{
	size_t count = subject->purchase_count, i;

	/* Room is a power of two, from 16. */
	if (count == 0 || (count >= 16 && (count & (count - 1)) == 0))
		subject->purchases = mem_realloc(subject->purchases,
		    (count == 0 ? 16 : 2 * count) * sizeof(*purchase));
	for (i = count; i > 0 && before(purchase, &subject->purchases[i - 1]); i--)
		;
	memmove(subject->purchases + i + 1, subject->purchases + i,
	    (count - i) * sizeof(*purchase));
	subject->purchases[i] = *purchase;
	subject->purchase_count++;
}

void
purchases_put(struct subject *subject, const struct purchase *purchase)
{
	struct strings *strings = strings_of(subject);
	size_t drop = 0, lines;

	purchases_remove(subject, &purchase->visit);
	insert(subject, purchase);
	strings->lines += purchase->line_count;
	lines = strings->lines;
	while (subject->purchase_count - drop > HISTORY_BASKETS_MAX || lines > HISTORY_LINES_MAX)
		lines -= subject->purchases[drop++].line_count;
	while (drop-- > 0)
		remove_at(subject, 0);
}

void
purchases_expire(struct subject *subject, int64_t before_ms)
{
	while (subject->purchase_count > 0 && subject->purchases[0].at_ms < before_ms)
		remove_at(subject, 0);
}

void
purchases_done(struct subject *subject)
{
	struct strings *strings = subject->intern;

	for (size_t i = 0; i < subject->purchase_count; i++)
		free(subject->purchases[i].lines);
	free(subject->purchases);
	subject->purchases = NULL;
	subject->purchase_count = 0;
	if (strings == NULL)
		return;
	arena_free(strings->arena);
	free(strings->slots);
	free(strings);
	subject->intern = NULL;
}

/* ---- rows ---- */

static void
text_encode(const char *text, struct buf *out)
{
	size_t len = text == NULL ? 0 : strlen(text);

	buf_i64(out, text == NULL ? 0 : (int64_t)len + 1);
	buf_add(out, text == NULL ? "" : text, len);
}

/* A byte a line, where any has one: rows are named by how they begin, so none has another version
 * for it. */
static void
marks_encode(const struct purchase *purchase, struct buf *out)
{
	size_t i = 0;

	while (i < purchase->line_count && purchase->lines[i].mark == MARK_NONE)
		i++;
	if (i == purchase->line_count)
		return;
	for (i = 0; i < purchase->line_count; i++)
		buf_u8(out, (uint8_t)purchase->lines[i].mark);
}

void
purchase_encode(const struct purchase *purchase, struct buf *out)
{
	const struct purchase_line *line;

	buf_u8(out, PURCHASE_VERSION);
	buf_id(out, &purchase->visit);
	buf_i64(out, purchase->at_ms);
	buf_i64(out, purchase->sold_ms);
	buf_i64(out, purchase->total_minor);
	buf_i64(out, purchase->back_milli);
	buf_i64(out, purchase->taken_back ? TAKEN_BACK : (int64_t)purchase->line_count);
	for (size_t i = 0; i < purchase->line_count; i++) {
		line = &purchase->lines[i];
		text_encode(line->category, out);
		text_encode(line->brand, out);
		text_encode(line->item, out);
		buf_i64(out, line->qty_milli);
		buf_i64(out, line->amount_minor);
	}
	marks_encode(purchase, out);
}

/* Straight from the row into the interned texts: no copy is made on the way. */
static const char *
text_decode(struct rd *rd, struct subject *subject)
{
	int64_t len = rd_i64(rd);
	const char *bytes = (const char *)rd->at;

	if (!rd->ok || len <= 0)
		return NULL;
	len--;
	if (len > rd->end - rd->at || memchr(bytes, 0, (size_t)len) != NULL) {
		rd->ok = false;
		return NULL;
	}
	rd->at += len;
	return purchases_intern(subject, bytes, (size_t)len);
}

static bool
line_decode(struct rd *rd, struct subject *subject, struct purchase_line *line)
{
	line->category = text_decode(rd, subject);
	line->brand = text_decode(rd, subject);
	line->item = text_decode(rd, subject);
	line->qty_milli = rd_i64(rd);
	line->amount_minor = rd_i64(rd);
	return rd->ok && line->category != NULL && line->item != NULL;
}

static bool
marks_decode(struct rd *rd, struct purchase *purchase)
{
	size_t left = (size_t)(rd->end - rd->at);
	bool any = left == 0;

	if (left > 0 && left != purchase->line_count)
		return false;
	for (size_t i = 0; i < left; i++) {
		purchase->lines[i].mark = (enum mark)rd_u8(rd);
		any = any || purchase->lines[i].mark != MARK_NONE;
		if (purchase->lines[i].mark > MARK_NO_PROMOTION)
			return false;
	}
	return any;
}

bool
purchase_decode(struct subject *subject, const void *bytes, size_t len, struct purchase *ret)
{
	struct rd rd = rd_init(bytes, len);
	bool ok = rd_u8(&rd) == PURCHASE_VERSION;
	int64_t count;

	*ret = (struct purchase){ 0 };
	ret->visit = rd_id(&rd);
	ret->at_ms = rd_i64(&rd);
	ret->sold_ms = rd_i64(&rd);
	ret->total_minor = rd_i64(&rd);
	ret->back_milli = rd_i64(&rd);
	count = rd_i64(&rd);
	if (count == TAKEN_BACK) {
		ret->taken_back = true;
		count = 0;
	}
	if (!ok || !rd.ok || count < 0 || count > VISIT_LINES_MAX ||
	    count > (rd.end - rd.at) / LINE_BYTES_MIN)
		return false;
	ret->lines = mem_calloc((size_t)count, sizeof(*ret->lines));
	ret->line_count = (size_t)count;
	for (int64_t i = 0; i < count && ok; i++)
		ok = line_decode(&rd, subject, &ret->lines[i]);
	if (ok && marks_decode(&rd, ret) && rd_done(&rd))
		return true;
	free(ret->lines);
	return false;
}

/* What of a basket may be remembered: not voided, and not sensitive. */
static bool
is_kept(const struct marks *marks, const struct line *line)
{
	return !line->voided && line_mark(marks, line) != MARK_SENSITIVE;
}

static const char *
intern(struct subject *subject, const char *text)
{
	return text == NULL ? NULL : purchases_intern(subject, text, strlen(text));
}

/* The till's total less what sensitive goods cost; never below zero for it. */
static int64_t
kept_total(const struct visit *visit, const struct marks *marks)
{
	int64_t sensitive = 0;

	for (size_t i = 0; i < visit->line_count; i++)
		if (!visit->lines[i].voided && !is_kept(marks, &visit->lines[i]))
			sensitive += visit->lines[i].amount_minor;
	return sensitive > 0 && visit->total_minor < sensitive ? 0 : visit->total_minor - sensitive;
}

/* Lines and total less what came back. */
static void
copy_net(struct subject *subject, const struct visit *visit, const struct marks *marks,
    struct purchase *purchase)
{
	struct net_line *net = net_lines(visit);

	purchase->total_minor = kept_total(visit, marks);
	purchase->lines = mem_calloc(visit->line_count, sizeof(*purchase->lines));
	for (size_t i = 0; i < visit->line_count; i++) {
		const struct line *from = &visit->lines[i];
		const char *item = line_item(from);

		if (!is_kept(marks, from))
			continue;
		purchase->back_milli += from->qty_milli - net[i].qty_milli;
		purchase->total_minor -= from->amount_minor - net[i].amount_minor;
		if (net[i].qty_milli == 0)
			continue;
		purchase->lines[purchase->line_count++] = (struct purchase_line){
			.category = intern(subject, from->category),
			.brand = intern(subject, from->brand),
			.item = intern(subject, item != NULL ? item : ""),
			.qty_milli = net[i].qty_milli,
			.amount_minor = net[i].amount_minor,
			.mark = from->mark,
		};
	}
	if (purchase->back_milli > 0 && (purchase->total_minor < 0 || purchase->line_count == 0))
		purchase->total_minor = 0;
	free(net);
}

/* Cancelled, everything was voided, or there is nothing that may be remembered. A basket whose close came before its
 * lines has a total. */
static bool
nothing_bought(const struct visit *visit, const struct marks *marks)
{
	size_t kept = 0;

	for (size_t i = 0; i < visit->line_count; i++)
		kept += is_kept(marks, &visit->lines[i]);
	return visit->state == VISIT_CANCELLED || (kept_total(visit, marks) == 0 && kept == 0);
}

void
subject_take_purchase(struct subject *subject, const struct id *visit, int64_t at_ms,
    struct buf *out)
{
	struct purchase none = {
		.visit = *visit, .at_ms = at_ms, .sold_ms = at_ms, .taken_back = true
	};

	purchases_remove(subject, visit);
	purchase_encode(&none, out);
}

void
subject_add_purchase(struct subject *subject, const struct visit *visit, const struct marks *marks,
    int64_t at_ms, struct buf *out)
{
	struct purchase purchase = { .visit = visit->id,
		.at_ms = at_ms,
		.sold_ms = visit->sold_ms != 0 ? visit->sold_ms : at_ms };

	if (subject->forgotten || (visit->training && !visit->in_history))
		return;
	if (visit->training || nothing_bought(visit, marks)) {
		purchase.taken_back = true;
		purchases_remove(subject, &visit->id);
		purchase_encode(&purchase, out);
		return;
	}
	subject->dirty = true;
	subject->known = true;
	if (at_ms > subject->last_visit_ms)
		subject->last_visit_ms = at_ms;
	copy_net(subject, visit, marks, &purchase);
	purchase_encode(&purchase, out);
	purchases_put(subject, &purchase);
}

/* ---- a sale that is known by its purchase alone ---- */

static int64_t
take_lines(struct purchase *purchase, const char *item, int64_t qty_milli, int64_t *ret_minor)
{
	int64_t open_milli = qty_milli;
	size_t kept = 0;

	for (size_t i = 0; i < purchase->line_count; i++) {
		struct purchase_line *line = &purchase->lines[i];

		if (open_milli > 0 && item_is(line->item, item)) {
			int64_t part_milli = smaller_of(open_milli, line->qty_milli);
			int64_t part_minor =
			    net_share(line->amount_minor, part_milli, line->qty_milli);

			line->qty_milli -= part_milli;
			line->amount_minor -= part_minor;
			open_milli -= part_milli;
			*ret_minor += part_minor;
		}
		if (line->qty_milli > 0)
			purchase->lines[kept++] = *line;
	}
	purchase->line_count = kept;
	return qty_milli - open_milli;
}

int64_t
subject_take_goods(struct subject *subject, size_t index, const char *item, int64_t qty_milli,
    struct buf *out)
{
	struct purchase copy = subject->purchases[index];
	int64_t minor = 0, taken_milli;

	CHECK(index < subject->purchase_count);
	copy.lines = mem_calloc(copy.line_count, sizeof(*copy.lines));
	memcpy(copy.lines, subject->purchases[index].lines, copy.line_count * sizeof(*copy.lines));
	taken_milli = take_lines(&copy, item, qty_milli, &minor);
	if (taken_milli == 0) {
		free(copy.lines);
		return 0;
	}
	copy.back_milli += taken_milli;
	copy.total_minor -= minor;
	if (copy.line_count == 0 || copy.total_minor < 0)
		copy.total_minor = 0;
	purchase_encode(&copy, out);
	purchases_put(subject, &copy);
	return taken_milli;
}
