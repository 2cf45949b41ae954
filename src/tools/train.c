/* SPDX-License-Identifier: Apache-2.0
 *
 * train.c - models from recorded events, in one go.
 *
 * DESIGN
 *   The events go through the engine twice. First to see who bought what: that
 *   says which categories are worth a feature, and what came of each visit.
 *   Then with those features declared, to see what was known at each moment.
 *   The policy in force is the one that the result joins, so that the offers
 *   it made in the recording are made again and can be learned from; without
 *   one it is a policy that never speaks.
 *   What goes together is about goods, and is told where nobody is known, too.
 */
#include "tools/train.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/subject_io.h"
#include "tools/train_card.h"
#include "tools/train_folder.h"
#include "tools/train_tables.h"

struct training {
	const struct train_options *options;
	struct train_folder folder;
	struct train_baskets baskets;
	struct train_tables tables;
	struct train_features features;
	struct train_rows rows;
	struct train_pairs pairs;
	struct train_target targets[TRAIN_TARGETS_MAX];
	size_t target_count;
	bool *agreed; /* per customer */
	int64_t events;
	struct buf *report;
};

/* ---- one run of the engine over the file ---- */

struct pass {
	struct training *training;
	struct recorded *recorded;
	struct feature_rows *rows;
};

static int
pass_open(struct training *training, uint32_t types, bool offers, feature_row_fn each, void *ctx,
    struct pass *pass, struct err *err)
{
	static const uint8_t no_pepper[32];
	const struct train_options *options = training->options;
	struct recorded_options how = { .conf = options->conf,
		.profiles = options->profiles,
		.turn = options->turn,
		.store_named = options->store_named,
		.pepper = options->pepper != NULL ? options->pepper : no_pepper };
	int rc = recorded_open(&how, &pass->recorded, err);

	pass->training = training;
	if (rc == 0)
		rc = train_folder_use(&training->folder, pass->recorded, training->report, err);
	if (rc != 0)
		return rc;
	if (types == 0)
		types = train_rows_types(engine_policy(recorded_engine(pass->recorded)), offers);
	pass->rows = feature_rows_open(recorded_engine(pass->recorded), types, each, ctx);
	return 0;
}

static void
on_progress(void *ctx, int64_t count)
{
	struct training *training = ctx;

	if (training->options->progress != NULL)
		training->options->progress(training->options->progress_ctx, count);
}

static int
pass_feed(struct pass *pass, struct err *err)
{
	struct training *training = pass->training;
	FILE *events = fopen(training->options->events, "re");
	int rc;

	if (events == NULL)
		return err_set(err, errno == ENOENT ? AISLE_E_NONE : AISLE_E_IO, "%s: %s",
		    training->options->events, strerror(errno));
	rc = recorded_feed(pass->recorded, events, on_progress, training, err);
	fclose(events);
	recorded_refusals(pass->recorded, training->report);
	training->events = recorded_count(pass->recorded);
	return rc;
}

static void
pass_close(struct pass *pass)
{
	feature_rows_close(pass->rows);
	recorded_close(pass->recorded);
}

/* ---- the first: who bought what ---- */

/* Who has taken consent back by the end of the events is not learned from. */
static void
ask_agreed(struct training *training, struct engine *engine)
{
	const struct train_index *customers = &training->baskets.customers;

	training->agreed = mem_calloc(customers->count + 1, sizeof(*training->agreed));
	for (size_t i = 0; i < customers->count; i++) {
		struct id id;
		const struct subject *subject;

		memcpy(&id, customers->keys[i].bytes, sizeof(id));
		subject = engine_subject(engine, &id);
		training->agreed[i] =
		    consent_granted(subject, CONSENT_PERSONALISE, engine_now(engine)) &&
		    consent_granted(subject, CONSENT_PROFILE, engine_now(engine));
	}
}

static void
take_basket(void *ctx, const struct feature_row *row)
{
	struct training *training = ctx;
	size_t before = training->baskets.count;

	train_baskets_take(&training->baskets, row);
	if (training->baskets.count > before)
		train_tables_take(&training->tables, &training->baskets, row);
}

static void
take_return(void *ctx, const struct visit *visit, const struct marks *marks)
{
	struct training *training = ctx;
	int32_t basket = train_index_get(&training->baskets.visits, &visit->id, sizeof(visit->id));

	train_baskets_returned(&training->baskets, visit, marks);
	if (basket >= 0)
		train_tables_returned(&training->tables, (size_t)basket, visit, marks);
}

static int
read_baskets(struct training *training, struct err *err)
{
	struct train_baskets *baskets = &training->baskets;
	struct pass pass = { 0 };
	int rc =
	    pass_open(training, 1u << EV_BASKET_CLOSED, false, take_basket, training, &pass, err);

	train_baskets_init(baskets);
	train_tables_init(&training->tables);
	if (rc == 0) {
		baskets->policy = engine_policy(recorded_engine(pass.recorded));
		engine_show_returns(recorded_engine(pass.recorded), take_return, training);
		rc = pass_feed(&pass, err);
	}
	if (rc == 0)
		ask_agreed(training, recorded_engine(pass.recorded));
	pass_close(&pass);
	baskets->policy = NULL;
	if (rc != 0)
		return rc;
	if (baskets->full || training->tables.articles.full || training->tables.groups.full)
		return err_set(err, AISLE_E_FULL,
		    "more than %d baskets, %d customers or %d uses of categories; "
		    "expected a shorter period",
		    TRAIN_BASKETS_MAX, TRAIN_CUSTOMERS_MAX, TRAIN_USES_MAX);
	if (baskets->count == 0)
		return err_set(err, AISLE_E_INVALID,
		    "no basket closes in these events; expected months of them "
		    "(feed check says what is wrong with a file)");
	train_baskets_link(baskets);
	return 0;
}

/* ---- the second: what was known ---- */

static int
read_rows(struct training *training, struct err *err)
{
	struct train_rows *rows = &training->rows;
	struct pass pass = { 0 };
	bool offers = training->options->policy != NULL;
	int rc;

	train_rows_init(rows, &training->baskets, &training->features, offers);
	if (training->baskets.customers.count == 0)
		return 0;
	rows->agreed = training->agreed;
	rc = pass_open(training, 0, offers, train_rows_take, rows, &pass, err);
	if (rc == 0) {
		train_rows_attach(rows, pass.rows);
		engine_show_returns(recorded_engine(pass.recorded), train_rows_returned, rows);
		rc = pass_feed(&pass, err);
	}
	pass_close(&pass);
	return rc;
}

/* ---- the questions ---- */

static void
add_inputs(struct train_target *target, const struct train_features *features, enum train_role role,
    int category)
{
	for (size_t i = 0; i < features->count; i++) {
		if (features->list[i].role == role && features->list[i].category == category)
			target->inputs[target->input_count++] = (int)i;
	}
}

static struct train_target *
ask(struct training *training, enum train_question question, char *name, char *meaning)
{
	struct train_target *target = &training->targets[training->target_count++];

	target->question = question;
	target->name = name;
	target->meaning = meaning;
	target->category = target->action = -1;
	target->window_ms = question == ASK_LAPSE ? TRAIN_LAPSE_DAYS * D_MS : TRAIN_CLOSE_MS;
	target->population = question == ASK_REDEEMED ? "shown" : "identified";
	add_inputs(target, &training->features, ROLE_OFTEN, -1);
	if (question != ASK_CATEGORY)
		add_inputs(target, &training->features, ROLE_CUSTOMER, -1);
	return target;
}

static char *
text_of(const char *format, const char *word)
{
	struct buf out = { 0 };
	const char *at = strstr(format, "%s");

	buf_add(&out, format, (size_t)(at - format));
	buf_adds(&out, word);
	buf_adds(&out, at + 2);
	return buf_steal(&out);
}

static void
ask_about_actions(struct training *training)
{
	size_t chosen[TRAIN_REDEEM_MAX],
	    count = train_rows_most_shown(&training->rows, chosen, TRAIN_REDEEM_MAX);

	for (size_t i = 0; i < count; i++) {
		size_t a = chosen[i];
		const char *action = training->rows.actions.keys[a].bytes;
		struct train_target *target =
		    ask(training, ASK_REDEEMED, text_of("redeem_%s", action),
			text_of("redeems the offer of %s once it is shown", action));

		target->action = (int32_t)a;
		add_inputs(target, &training->features, ROLE_BASKET, -1);
	}
}

static void
ask_all(struct training *training)
{
	const struct train_features *features = &training->features;

	ask(training, ASK_LAPSE, mem_strdup("lapse_40d"),
	    mem_strdup("buys nothing in the 40 days after this visit"));
	for (size_t c = 0; c < features->top_count; c++) {
		struct train_target *target =
		    ask(training, ASK_CATEGORY, text_of("next_%s", features->slug[c]),
			text_of("buys %s in this basket, which has none yet",
			    train_category(&training->baskets, features->top[c])));

		target->category = (int)c;
		add_inputs(target, features, ROLE_CATEGORY, (int)c);
	}
	ask_about_actions(training);
	for (size_t t = 0; t < training->target_count; t++)
		train_target_run(&training->targets[t], &training->rows);
}

/* ---- what comes out ---- */

static int
write_target(struct training *training, const struct train_result *result,
    const struct train_target *target, struct err *err)
{
	struct buf linear = { 0 }, exam = { 0 }, picture = { 0 };
	int rc;

	train_write_linear(result, target, &linear);
	rc = train_write_exam(result, target, &linear, &exam, err);
	train_card_picture(target, &picture);
	if (rc == 0)
		rc = train_folder_write(&training->folder, "models", target->name, ".linear.json",
		    &linear, err);
	if (rc == 0)
		rc = train_folder_write(&training->folder, "models", target->name, ".exam.csv",
		    &exam, err);
	if (rc == 0)
		rc = train_folder_write(&training->folder, "card", target->name, ".svg", &picture,
		    err);
	buf_done(&linear);
	buf_done(&exam);
	buf_done(&picture);
	return rc;
}

static int
write_tables(struct training *training, struct err *err)
{
	int rc = 0;

	for (int f = FAMILY_BASKET; f < FAMILY_COUNT && rc == 0; f++) {
		const struct buf *bytes = &training->tables.made[f].bytes;

		if (bytes->len > 0)
			rc = train_folder_write(&training->folder, "tables",
			    NAME_OF(family_names, f), ".table", bytes, err);
	}
	return rc;
}

static int
write_all(struct training *training, const struct train_result *result, struct err *err)
{
	static const struct {
		const char *sub, *name;
		void (*write)(const struct train_result *result, struct buf *out);
	} files[] = {
		{ NULL, "features.json", train_write_features },
		{ "models", "models.json", train_write_models },
		{ "copurchase", "pairs.csv", train_write_pairs },
		{ "copurchase", "rules.json", train_write_rules },
		{ NULL, "CARD.md", train_card_write },
	};
	int rc = train_folder_begin(&training->folder, training->options->output, err);

	for (size_t t = 0; t < result->target_count && rc == 0; t++) {
		if (result->targets[t].ships)
			rc = write_target(training, result, &result->targets[t], err);
	}
	if (rc == 0)
		rc = write_tables(training, err);
	for (size_t i = 0; i < ARRAY_LEN(files) && rc == 0; i++) {
		struct buf text = { 0 };

		files[i].write(result, &text);
		rc = train_folder_write(&training->folder, files[i].sub, files[i].name, "", &text,
		    err);
		buf_done(&text);
	}
	return rc;
}

static int
finish(struct training *training, struct buf *summary, struct err *err)
{
	struct train_result result = { .baskets = &training->baskets,
		.features = &training->features,
		.rows = &training->rows,
		.pairs = &training->pairs,
		.tables = &training->tables,
		.targets = training->targets,
		.target_count = training->target_count,
		.events = training->events,
		.base_features = training->folder.features,
		.base_models = training->folder.models };

	train_card_summary(&result, summary);
	for (size_t t = 0; t < training->target_count; t++) {
		if (training->targets[t].ships)
			return write_all(training, &result, err);
	}
	if (training->pairs.count > 0 || train_tables_any(&training->tables))
		return write_all(training, &result, err);
	return err_set(err, AISLE_E_INVALID,
	    "no model came out of these events, nor a pair of categories; expected %d rows of yes "
	    "and of no to learn from, well over %d days for the lapse, and %d baskets that hold "
	    "both",
	    TRAIN_YES_MIN, TRAIN_PARTS * TRAIN_LAPSE_DAYS, PAIRS_SUPPORT_MIN);
}

/* Which categories are worth a model is chosen from what every training part sees. */
static int64_t
learn_until(const struct train_baskets *baskets)
{
	int64_t first = baskets->list[0].at_ms, last = baskets->list[baskets->count - 1].at_ms;

	return first + (last - first) / 2;
}

/* Pairs are looked at once more in the last fifth of the time. */
static int64_t
split_of(const struct train_baskets *baskets)
{
	int64_t first = baskets->list[0].at_ms, last = baskets->list[baskets->count - 1].at_ms;

	return first + (last - first) / 5 * 4;
}

static void
training_free(struct training *training)
{
	for (size_t t = 0; t < training->target_count; t++)
		train_target_done(&training->targets[t]);
	train_pairs_done(&training->pairs);
	train_rows_done(&training->rows);
	train_features_done(&training->features);
	train_baskets_done(&training->baskets);
	train_tables_done(&training->tables);
	train_folder_close(&training->folder);
	free(training->agreed);
	free(training);
}

int
train_run(const struct train_options *options, struct buf *summary, struct buf *report,
    struct err *err)
{
	struct training *training = mem_zero(sizeof(*training));
	int rc;

	training->options = options;
	training->report = report;
	rc = train_folder_open(&training->folder, options, err);
	if (rc == 0)
		rc = read_baskets(training, err);
	if (rc == 0) {
		train_features_make(&training->features, &training->baskets,
		    learn_until(&training->baskets), training->folder.features);
		train_folder_declare(&training->folder, &training->features);
		rc = read_rows(training, err);
	}
	if (rc == 0) {
		train_pairs_make(&training->pairs, &training->baskets,
		    split_of(&training->baskets));
		train_tables_make(&training->tables, training->agreed);
		if (training->baskets.customers.count > 0)
			ask_all(training);
		rc = finish(training, summary, err);
	}
	training_free(training);
	return rc;
}
