/* SPDX-License-Identifier: Apache-2.0
 *
 * recommend.c - tables beside what is simpler, on baskets behind all that anything was chosen on.
 *
 * recommend.py makes the files and calls it:
 *     recommend open KIND LEVEL FILE [BASKETS] [shuffle]   KIND 1 groups, 2 articles, 0 whichever wins
 *     recommend next FILE          the next basket of somebody who is known
 *     recommend reminder FILE      how often a reminder is needless
 *     recommend instead FILE       substitutes
 *     recommend speed              a look-up among 50,000 articles
 * A file has a line a purchase, in order of time, tabs between: basket, ms, customer (-1: nobody), item,
 * type, brand, size, class (texts; empty: not known), price. The first four fifths of the baskets
 * are learned from, the last fifth is asked about. Intervals: baskets drawn anew, 2,000 times.
 */
#include <math.h>
#include <string.h>

#include "core/arena.h"
#include "figures.h"
#include "tools/table_judge.h"
#include "tools/table_train.h"

#define DRAWS 2000
#define LINE_MAX_BYTES 4096

static uint64_t seed = 88172645463325252u;

static uint64_t
next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* ---- a file ---- */

static struct train_index words = { .max = 1000000 };

static uint32_t
word_of(const char *text)
{
	return text[0] == '\0' ? 0 : (uint32_t)train_index_add(&words, text, strlen(text)) + 1;
}

struct open_basket {
	uint32_t items[8192];
	size_t count;
	int64_t at_ms;
	int32_t customer;
};

static void
close_basket(struct table_data *data, struct open_basket *open)
{
	if (open->count > 0)
		table_data_add(data, open->at_ms, open->customer, open->items, open->count);
	open->count = 0;
}

static void
take_line(struct table_data *data, struct open_basket *open, char *line, char *last)
{
	char *fields[9] = { 0 };
	struct table_good *good;
	int32_t item;

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < 9; i++)
		fields[i] = strsep(&line, "\t");
	must(fields[8] != NULL, "a line has not nine fields");
	if (strcmp(last, fields[0]) != 0)
		close_basket(data, open);
	snprintf(last, 64, "%s", fields[0]);
	open->at_ms = strtoll(fields[1], NULL, 10);
	open->customer = atoi(fields[2]);
	item = table_data_item(data, fields[3], strlen(fields[3]));
	must(item >= 0, "too many items");
	if (open->count < ARRAY_LEN(open->items))
		open->items[open->count++] = (uint32_t)item;
	good = &data->goods[item];
	good->type = word_of(fields[4]);
	good->brand = word_of(fields[5]);
	good->size = word_of(fields[6]);
	good->class = word_of(fields[7]);
	good->price = atof(fields[8]);
}

static void
read_file(const char *path, struct table_data *data)
{
	static char line[LINE_MAX_BYTES], last[64];
	static struct open_basket open;
	FILE *f = fopen(path, "r");

	must(f != NULL, path);
	table_data_init(data);
	while (fgets(line, sizeof(line), f) != NULL)
		take_line(data, &open, line, last);
	close_basket(data, &open);
	fclose(f);
	must(!data->full, "too much in the file");
}

/* The same items as often, and the same sizes of baskets: what goes together is gone. */
static void
shuffle(struct table_data *data)
{
	uint32_t *pool = calloc(data->use_count + 1, sizeof(*pool));
	struct table_data mixed;
	size_t at = 0;

	memcpy(pool, data->uses, data->use_count * sizeof(*pool));
	for (size_t i = data->use_count; i-- > 1;) {
		size_t other = next_random() % (i + 1);
		uint32_t kept = pool[i];

		pool[i] = pool[other];
		pool[other] = kept;
	}
	table_data_init(&mixed);
	for (size_t i = 0; i < data->items.count; i++)
		table_data_item(&mixed, data->items.keys[i].bytes, data->items.keys[i].len);
	for (size_t b = 0; b < data->count; b++) {
		uint32_t count = data->list[b].count;

		table_data_add(&mixed, data->list[b].at_ms, -1, pool + at, count);
		at += count;
	}
	free(pool);
	*data = mixed;
}

/* ---- two rows of marks ---- */

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
tell(const char *name, const struct table_marks *marks, const struct table_marks *other,
    const char *other_name)
{
	static double draws[DRAWS];
	size_t n = 0, *asked = calloc(marks->count + 1, sizeof(*asked));

	for (size_t i = 0; i < marks->count; i++)
		if (!isnan(marks->list[i]) && !isnan(other->list[i]))
			asked[n++] = i;
	for (int d = 0; d < DRAWS; d++) {
		double a = 0, b = 0;

		for (size_t i = 0; i < n; i++) {
			size_t at = asked[next_random() % n];

			a += marks->list[at];
			b += other->list[at];
		}
		draws[d] = b > 0 ? (a / b - 1) * 100 : 0;
	}
	qsort(draws, DRAWS, sizeof(*draws), compare_doubles);
	printf("%s %.4f, over %s %.4f: %+.1f %% [%.1f, %.1f], %zu asked\n", name,
	    table_marks_mean(marks), other_name, table_marks_mean(other),
	    (table_marks_mean(marks) / table_marks_mean(other) - 1) * 100, draws[DRAWS / 40],
	    draws[DRAWS - DRAWS / 40 - 1], n);
	free(asked);
}

static struct table *
open_trained(const struct table_trained *trained)
{
	struct table *table = NULL;
	struct err err = { 0 };

	printf("  %s\n", trained->said);
	must(trained->bytes.len > 0 &&
		table_open(trained->bytes.data, trained->bytes.len, &table, &err) == 0,
	    trained->said);
	printf("  %u items, %u neighbours, %zu bytes\n", table_count(table), table_cells(table),
	    trained->bytes.len);
	return table;
}

/* ---- the open basket ---- */

enum rival { POPULARITY, CONFIDENCE, COSINE, RIVALS };
static const char *const rival_names[RIVALS] = { "popularity", "summed confidence", "cosine" };

static double
weight(const struct table_part *part, const uint32_t *both, enum rival rival, uint32_t j,
    uint32_t i)
{
	double n = both[(size_t)j * part->count + i];

	if (rival == POPULARITY)
		return 0;
	return rival == CONFIDENCE ? n / part->baskets[j]
				   : n / sqrt((double)part->baskets[j] * part->baskets[i]);
}

static double
rival_rank(const struct table_part *part, const uint32_t *both, enum rival rival,
    const double *score, const bool *scanned, uint32_t hidden)
{
	double own = score[hidden];
	size_t rank = 1;

	for (uint32_t i = 0; i < part->count; i++) {
		double other;

		if (scanned[i])
			continue;
		other = score[i] - weight(part, both, rival, hidden, i);
		rank += other > own + 1e-12 || (i < hidden && other > own - 1e-12);
	}
	return (double)rank;
}

static double
rival_mark(const struct table_part *part, const uint32_t *both, enum rival rival, size_t b,
    double *score, bool *scanned)
{
	size_t count, hidden[TABLE_HIDDEN_MAX], n;
	const uint32_t *uses = table_part_basket(part, b, &count);
	double sum = 0;

	if (count < 2)
		return NAN;
	memset(scanned, 0, part->count);
	for (uint32_t i = 0; i < part->count; i++)
		score[i] = 0;
	for (size_t j = 0; j < count; j++) {
		scanned[uses[j]] = true;
		for (uint32_t i = 0; i < part->count; i++)
			score[i] += weight(part, both, rival, uses[j], i);
	}
	n = table_judge_hidden(b, count, hidden);
	for (size_t h = 0; h < n; h++)
		sum += 1.0 / rival_rank(part, both, rival, score, scanned, uses[hidden[h]]);
	return sum / (double)n;
}

static struct table_marks
judge_rival(const struct table_part *part, enum rival rival, size_t to)
{
	uint32_t n = part->count, *both = calloc((size_t)n * n + 1, sizeof(*both));
	struct table_marks marks = { calloc(to - part->to + 1, sizeof(double)), to - part->to };
	double *score = calloc(n + 1, sizeof(*score));
	bool *scanned = calloc(n + 1, sizeof(*scanned));

	for (size_t b = part->from; b < part->to && rival != POPULARITY; b++) {
		size_t count;
		const uint32_t *uses = table_part_basket(part, b, &count);

		for (size_t j = 0; j < count; j++)
			for (size_t i = 0; i < count; i++)
				both[(size_t)uses[j] * n + uses[i]] += i != j;
	}
	for (size_t b = part->to; b < to; b++)
		marks.list[b - part->to] = rival_mark(part, both, rival, b, score, scanned);
	free(both);
	free(score);
	free(scanned);
	return marks;
}

static void
open_figures(int kind, int level, const char *path, size_t baskets, bool mixed)
{
	struct table_data data;
	struct table_part part;
	struct table_trained trained;
	struct table *table;
	struct table_marks marks, rivals[RIVALS];
	size_t split, from;

	read_file(path, &data);
	if (mixed)
		shuffle(&data);
	split = data.count / 5 * 4;
	from = baskets > 0 && baskets < split ? split - baskets : 0;
	table_train_open(&data, from, split, level, kind, &trained);
	table = open_trained(&trained);
	table_part_make(&part, &data, from, split,
	    kind == TABLE_GROUPS ? TABLE_GROUPS_MAX : TABLE_ITEMS_MAX);
	table_judge_open(table, &part, split, data.count, &marks);
	for (int r = 0; r < RIVALS; r++) {
		rivals[r] = judge_rival(&part, (enum rival)r, data.count);
		tell("MRR", &marks, &rivals[r], rival_names[r]);
	}
}

/* ---- the next basket ---- */

static void
next_figures(const char *path)
{
	struct table_data data;
	struct table_part part;
	struct table_made made;
	struct table_trained trained;
	struct table *table, *plain;
	struct table_next marks, plainly;
	struct buf bytes = { 0 };
	struct err err = { 0 };
	size_t split;

	read_file(path, &data);
	split = data.count / 5 * 4;
	table_train_own(&data, 0, split, 0, &trained);
	table = open_trained(&trained);
	table_part_make(&part, &data, 0, split, TABLE_ITEMS_MAX);
	table_made_init(&made, &part, TABLE_OWN, 0);
	must(table_pack(&made.parts, &bytes, &err) == 0 &&
		table_open(bytes.data, bytes.len, &plain, &err) == 0,
	    err.text);
	table_judge_next(table, &part, split, data.count, data.count, &marks);
	table_judge_next(plain, &part, split, data.count, data.count, &plainly);
	tell("P@1", &marks.first, &plainly.first, "personal frequency");
	tell("nDCG@5", &marks.order, &plainly.order, "personal frequency");
}

/* ---- reminders ---- */

static void
reminder_figures(const char *path)
{
	struct table_data data;
	struct table_part part;
	struct table_trained trained;
	struct table *table;
	size_t split;

	read_file(path, &data);
	split = data.count / 5 * 4;
	table_train_own(&data, 0, split, 0, &trained);
	table = open_trained(&trained);
	table_part_make(&part, &data, 0, split, TABLE_ITEMS_MAX);
	for (int wait = 100; wait <= 250; wait += 50) {
		struct table_needless found =
		    table_needless(table, &part, split, data.count, wait / 100.0);

		printf("at %.1f of the usual lines: %zu of %zu needless, %.1f %%\n", wait / 100.0,
		    found.needless, found.said,
		    100.0 * (double)found.needless / (double)(found.said + !found.said));
	}
}

/* ---- substitutes ---- */

static void
instead_figures(const char *path)
{
	struct table_data data;
	struct table_part part;
	struct table_made made;
	struct table_trained trained;
	struct table *table, *plain;
	struct table_next marks, plainly;
	struct buf bytes = { 0 };
	struct err err = { 0 };
	size_t split;

	read_file(path, &data);
	split = data.count / 5 * 4;
	table_train_substitutes(&data, 0, split, 0, &trained);
	table = open_trained(&trained);
	table_part_make(&part, &data, 0, split, TABLE_ITEMS_MAX);
	table_made_init(&made, &part, TABLE_SUBSTITUTES, 0);
	table_made_instead(&made, &part, false);
	must(table_pack(&made.parts, &bytes, &err) == 0 &&
		table_open(bytes.data, bytes.len, &plain, &err) == 0,
	    err.text);
	table_judge_instead(table, &part, split, data.count, &marks);
	table_judge_instead(plain, &part, split, data.count, &plainly);
	tell("MRR", &marks.order, &plainly.order, "the type's most bought");
	tell("hit@1", &marks.first, &plainly.first, "the type's most bought");
}

/* ---- speed ---- */

static void
speed_figures(void)
{
	static struct table_row rows[50000];
	static struct table_cell cells[50000 * TABLE_ROW_MAX];
	static uint32_t first[50001];
	static char texts[50000][16];
	struct table_parts parts = { .kind = TABLE_ARTICLES,
		.power = 2,
		.baskets = 100000,
		.decay = 65536,
		.prior = 1,
		.rows = rows,
		.row_count = 50000,
		.first = first,
		.cells = cells };
	struct arena *arena = arena_new();
	struct buf bytes = { 0 };
	struct table *table;
	struct err err = { 0 };
	int64_t start;

	for (uint32_t i = 0; i < 50000; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%014u", i * 17 + 3);
		rows[i] = (struct table_row){ texts[i], NULL, 100000 - i, 0, 4096, 0 };
		for (uint32_t c = 0; c < TABLE_ROW_MAX; c++)
			cells[i * TABLE_ROW_MAX + c] =
			    (struct table_cell){ (uint16_t)((i + 1 + c * 977) % 50000),
				    (uint16_t)(60000 - c * 100) };
		first[i + 1] = (i + 1) * TABLE_ROW_MAX;
	}
	must(table_pack(&parts, &bytes, &err) == 0, err.text);
	start = now_ns();
	must(table_open(bytes.data, bytes.len, &table, &err) == 0, err.text);
	printf("50,000 articles: %.1f MB, opened and checked in %.1f ms\n", (double)bytes.len / 1e6,
	    (double)(now_ns() - start) / 1e6);
	for (size_t lines = 1; lines <= 100; lines *= 10) {
		uint32_t scanned[100];
		struct table_pick picks[3];
		size_t sum = 0;

		start = now_ns();
		for (int round = 0; round < 2000; round++) {
			for (size_t i = 0; i < lines; i++) {
				const char *text = texts[next_random() % 50000];

				scanned[i] = (uint32_t)table_find(table, text, strlen(text));
			}
			arena_reset(arena);
			sum += table_top(table_scores_new(arena, table, scanned, lines), true, NULL,
			    NULL, picks, 3);
		}
		printf("%zu lines: %.1f us a look-up, %zu\n", lines,
		    (double)(now_ns() - start) / 2e6, sum / 2000);
	}
}

int
main(int argc, char **argv)
{
	if (argc >= 5 && strcmp(argv[1], "open") == 0)
		open_figures(atoi(argv[2]), atoi(argv[3]), argv[4],
		    argc > 5 ? strtoul(argv[5], NULL, 10) : 0, argc > 6);
	else if (argc == 3 && strcmp(argv[1], "next") == 0)
		next_figures(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "reminder") == 0)
		reminder_figures(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "instead") == 0)
		instead_figures(argv[2]);
	else if (argc == 2 && strcmp(argv[1], "speed") == 0)
		speed_figures();
	else
		must(false,
		    "open KIND LEVEL FILE [BASKETS] [shuffle] | next FILE | reminder FILE | "
		    "instead FILE | speed");
	return 0;
}
