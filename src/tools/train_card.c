/* SPDX-License-Identifier: Apache-2.0
 *
 * train_card.c - CARD.md and the calibration pictures.
 *
 * No clock and no path goes in: the same events give the same bytes.
 */
#include "tools/train_card.h"

#include <string.h>

#include "core/fmath.h"
#include "core/when.h"
#include "logic/logic_impl.h"

static void
add_day(struct buf *out, int64_t ms)
{
	char text[WHEN_TEXT_SIZE];

	when_text(ms, text);
	buf_add(out, text, 10);
}

static size_t
shipped(const struct train_result *result)
{
	size_t count = 0;

	for (size_t i = 0; i < result->target_count; i++)
		count += result->targets[i].ships;
	return count;
}

/* ---- texts ---- */

static const char text_head[] =
    "# Model card\n\n"
    "Made by `aislectl train` from recorded events; the same events give the same bytes.\n\n"
    "## Data\n\n| | |\n|---|---|\n";
static const char text_data[] =
    "Each row is what the store knew at that moment, computed by the code that serves. Who\n"
    "has not agreed, or has taken it back by the end of the events, is in no row. Categories\n"
    "that the policy declares sensitive are in nothing here.\n\n";
#define TEXT_UNNAMED \
	"their categories have one of = , ( ) \" \\ in the name, which no feature can say"
static const char text_nobody[] =
    "no customer of these events has agreed to be known and remembered; expected --profiles with "
    "consent, or aisle.consent.changed events";
static const char text_models[] =
    "## Models\n\n"
    "Figures are of the held-out part, the latest by date, looked at once. Log loss and\n"
    "Brier: less is better. AUC: 0.5 is chance. Base rate: the training part's share of yes\n"
    "for everyone. One rule: the best single cut of a single feature. Gain: base rate's log\n"
    "loss less the model's, with its standard error over customers. A model whose gain, as\n"
    "written here, is below two of that, or below 1 % of the base rate's, is left out.\n\n"
    "| model | rows | yes | log loss | base rate's | gain | one rule's "
    "| Brier | base rate's | AUC | one rule's |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|\n";
static const char text_weights[] =
    "\n| feature | what it is | weight | one spread more | when it is not known, as |\n"
    "|---|---|---|---|---|\n";
static const char text_unknown[] =
    "\nAll of it by the logarithm of 1 more: weight, spread and the last column are of ln(1 + "
    "value).\n"
    "What is not known counts as the last column says; those numbers are learned too, so\n"
    "they need not be ones that could be.\n";
static const char text_limits[] =
    "## Limits\n\n"
    "- These models say what customers do, not what a card would change. Whether a prompt\n"
    "  helps is for an experiment with a control group to say; until then state\n"
    "  `incremental` with care.\n"
    "- They are linear in the log odds: no feature changes what another one means.\n"
    "- A customer without a card, or who has not agreed, has no history: everything about\n"
    "  habits is then missing.\n"
    "- They hold for the stores and the season that they were learned in. Train again every\n"
    "  few months and compare the held-out figures.\n"
    "- Of offers only those that were shown are learned from: `redeem_` models speak of\n"
    "  customers whom the policy chose then. A redemption that came after the basket's close\n"
    "  is not seen.\n";

/* ---- the data ---- */

static void
write_data(const struct train_result *result, struct buf *out)
{
	const struct train_baskets *baskets = result->baskets;
	size_t known = 0;

	for (size_t i = 0; i < baskets->count; i++)
		known += baskets->list[i].customer >= 0;
	buf_adds(out, text_head);
	buf_addf(out,
	    "| events read | %lld |\n| closed baskets | %zu, %zu of them of %zu customers who "
	    "agreed to be known "
	    "and remembered |\n| period | ",
	    (long long)result->events, baskets->count, known, baskets->customers.count);
	add_day(out, baskets->list[0].at_ms);
	buf_adds(out, " to ");
	add_day(out, baskets->list[baskets->count - 1].at_ms);
	buf_addf(out, " |\n| rows | %zu moments at which a customer was recognised%s",
	    result->rows->count, result->rows->share != UINT64_MAX ? ", an even share of all" : "");
	if (result->rows->card_count > 0)
		buf_addf(out, "; %zu offers shown%s", result->rows->card_count,
		    result->rows->full ? ", later ones are left out" : "");
	buf_addf(out,
	    " |\n| categories | %zu, to the second step of their path; of the %zu most bought it "
	    "was "
	    "asked whether a model holds |\n",
	    baskets->categories.count, result->features->top_count);
	if (baskets->unnamed > 0)
		buf_addf(out, "| left out | %zu lines: " TEXT_UNNAMED " |\n", baskets->unnamed);
	buf_addc(out, '\n');
	buf_adds(out, text_data);
}

static void
write_overview(const struct train_result *result, struct buf *out)
{
	if (result->target_count == 0) {
		buf_addf(out, "## Models\n\nNone: %s.\n\n", text_nobody);
		return;
	}
	buf_adds(out, text_models);
	for (size_t i = 0; i < result->target_count; i++) {
		const struct train_target *t = &result->targets[i];

		if (t->ships)
			buf_addf(out,
			    "| `%s` | %zu | %.1f %% | %.4f | %.4f | %.4f ± %.4f | %.4f | %.4f | "
			    "%.4f | %.3f | %.3f |\n",
			    t->name, t->of_model.rows,
			    100.0 * (double)t->of_model.yes / (double)t->of_model.rows,
			    t->of_model.log_loss, t->of_base.log_loss, t->gain, t->gain_error,
			    t->of_rule.log_loss, t->of_model.brier, t->of_base.brier,
			    t->of_model.auc, t->of_rule.auc);
	}
	if (shipped(result) < result->target_count)
		buf_adds(out, "\nLeft out:\n\n");
	for (size_t i = 0; i < result->target_count; i++) {
		if (!result->targets[i].ships)
			buf_addf(out, "- `%s`: %s\n", result->targets[i].name,
			    result->targets[i].why_not);
	}
	buf_addc(out, '\n');
}

/* ---- one model ---- */

static void
write_parts(const struct train_target *target, struct buf *out)
{
	static const char *const names[TRAIN_PARTS] = { "training", "validation", "held out" };

	buf_adds(out, "| part | moments from | to | rows | yes |\n|---|---|---|---|---|\n");
	for (int k = 0; k < TRAIN_PARTS; k++) {
		const struct train_part *part = &target->parts[k];

		buf_addf(out, "| %s | ", names[k]);
		add_day(out, part->span.from_ms);
		buf_adds(out, " | ");
		add_day(out, part->span.to_ms);
		buf_addf(out, " | %zu | %zu |\n", part->rows.rows, part->yes);
	}
}

/* How much one spread more of the input does to the odds, in words. */
static void
add_odds(struct buf *out, double weight, double spread)
{
	double factor = fmath_exp(weight * spread);

	if (factor >= 1.005)
		buf_addf(out, "odds × %.2f", factor);
	else if (factor <= 0.995)
		buf_addf(out, "odds ÷ %.2f", 1 / factor);
	else
		buf_adds(out, "hardly anything");
}

static void
write_weights(const struct train_result *result, const struct train_target *target, struct buf *out)
{
	buf_adds(out, text_weights);
	for (size_t k = 0; k < target->input_count; k++) {
		const struct train_feature *feature = &result->features->list[target->inputs[k]];
		const struct fit *fit = &target->fit;

		if (fit->weight[k] == 0)
			continue;
		buf_addf(out, "| `%s` | %s | %.6g | %.4g more: ", feature->name, feature->words,
		    fit->weight[k], fit->spread[k]);
		add_odds(out, fit->weight[k], fit->spread[k]);
		buf_addf(out, " | %.4g |\n", fit->missing[k]);
	}
}

static void
write_calibration(const struct train_target *target, struct buf *out)
{
	const struct calibration *c = &target->calibration;

	if (c->kind == CALIBRATION_PLATT)
		buf_addf(out,
		    "\nCalibration by Platt, from the validation part: p = 1/(1+exp(-(%.4g·margin "
		    "%+.4g))).",
		    c->a, c->b);
	else if (c->kind == CALIBRATION_ISOTONIC)
		buf_addf(out, "\nCalibration isotonic, from the validation part, %zu points.",
		    c->count);
	else
		buf_adds(out, "\nNo calibration on top: none was better on the validation part.");
	buf_addf(out,
	    " Ridge %g, chosen there, too.\n\nHeld-out part, ten bins by rising chance:\n\n"
	    "```\n rows  predicted  observed\n",
	    target->ridge);
	for (size_t k = 0; k < target->of_model.bin_count; k++) {
		const struct measure_bin *bin = &target->of_model.bins[k];

		buf_addf(out, "%5zu  %9.4f  %8.4f  ", bin->rows, bin->predicted, bin->observed);
		for (int i = 0; i < (int)(bin->observed * 40 + 0.5); i++)
			buf_addc(out, '#');
		while (out->data[out->len - 1] == ' ')
			out->data[--out->len] = '\0';
		buf_addc(out, '\n');
	}
	buf_addf(out, "```\n\n![calibration](card/%s.svg)\n\n", target->name);
}

static void
write_model(const struct train_result *result, const struct train_target *target, struct buf *out)
{
	const struct one_rule *rule = &target->rule;

	buf_addf(out,
	    "### `%s`\n\nThe chance that a customer %s. Population: %s. Answer after: %s.\n\n",
	    target->name, target->meaning, target->population,
	    target->question == ASK_LAPSE ? "40 days" : "the basket's close");
	write_parts(target, out);
	write_weights(result, target, out);
	buf_adds(out, text_unknown);
	buf_addf(out,
	    "\nOne rule, for comparison: `%s` over %.4g: %.1f %%, else %.1f %%, not known %.1f "
	    "%%.\n",
	    result->features->list[target->inputs[rule->column]].name, rule->cut,
	    100 * rule->p_high, 100 * rule->p_low, 100 * rule->p_missing);
	write_calibration(target, out);
}

/* ---- what goes together, and limits ---- */

static void
write_pairs(const struct train_result *result, struct buf *out)
{
	size_t rules = 0;

	buf_addf(out,
	    "## What goes together\n\n`copurchase/pairs.csv`: %zu pairs of categories that at "
	    "least %u of %zu baskets "
	    "share, with a card or\nwithout, by falling confidence; the last columns are the same "
	    "in the %zu later baskets. A pair is a rule\n"
	    "(`copurchase/rules.json`) where its lift is at least %.1f in both and both categories "
	    "are among the %zu most bought.\n\n",
	    result->pairs->count, result->pairs->support_min, result->pairs->baskets,
	    result->pairs->later_baskets, TRAIN_LIFT_MIN, result->features->top_count);
	for (size_t i = 0; i < result->pairs->count && rules < TRAIN_RULES; i++) {
		const struct train_pair *pair = &result->pairs->list[i];

		if (!train_pair_is_rule(result, pair))
			continue;
		if (rules++ == 0)
			buf_adds(out,
			    "| with | also | baskets | confidence | lift | later lift "
			    "|\n|---|---|---|---|---|---|\n");
		buf_addf(out, "| %s | %s | %u | %.1f %% | %.2f | %.2f |\n",
		    train_category(result->baskets, pair->a),
		    train_category(result->baskets, pair->b), pair->both, 100 * pair->confidence,
		    pair->lift, pair->later_lift);
	}
	buf_adds(out, rules > 0 ? "\n" : "No pair passed both.\n\n");
}

void
train_card_write(const struct train_result *result, struct buf *out)
{
	write_data(result, out);
	write_overview(result, out);
	for (size_t i = 0; i < result->target_count; i++) {
		if (result->targets[i].ships)
			write_model(result, &result->targets[i], out);
	}
	write_pairs(result, out);
	train_tables_card(result->tables, out);
	buf_adds(out, text_limits);
}

/* ---- the picture ---- */

#define SIDE 300
#define EDGE 40

static double
across(double p, double most)
{
	return EDGE + p / most * SIDE;
}

static double
up(double p, double most)
{
	return EDGE / 2.0 + SIDE - p / most * SIDE;
}

void
train_card_picture(const struct train_target *target, struct buf *out)
{
	const struct measure *m = &target->of_model;
	double most = 0.01;

	for (size_t k = 0; k < m->bin_count; k++) {
		most = m->bins[k].predicted > most ? m->bins[k].predicted : most;
		most = m->bins[k].observed > most ? m->bins[k].observed : most;
	}
	buf_addf(out,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
	    "font-family=\"sans-serif\" "
	    "font-size=\"11\">\n<title>%s: predicted and observed, held-out part</title>\n"
	    "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
	    SIDE + EDGE + EDGE / 2, SIDE + EDGE + EDGE / 2, target->name);
	buf_addf(out,
	    "<path d=\"M%.1f %.1fV%.1fH%.1f\" fill=\"none\" stroke=\"#333\"/>\n<path d=\"M%.1f "
	    "%.1fL%.1f %.1f\" "
	    "stroke=\"#999\" stroke-dasharray=\"4 4\"/>\n",
	    across(0, 1), up(1, 1), up(0, 1), across(1, 1), across(0, 1), up(0, 1), across(1, 1),
	    up(1, 1));
	for (size_t k = 0; k < m->bin_count; k++)
		buf_addf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"#0b6e4f\"/>\n",
		    across(m->bins[k].predicted, most), up(m->bins[k].observed, most));
	buf_addf(out,
	    "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">predicted, to %.3f</text>\n"
	    "<text x=\"%.1f\" y=\"%.1f\" transform=\"rotate(-90 %.1f %.1f)\" "
	    "text-anchor=\"end\">observed, to %.3f</text>\n</svg>\n",
	    across(1, 1), up(0, 1) + 18, most, across(0, 1) - 8, up(1, 1), across(0, 1) - 8,
	    up(1, 1), most);
}

void
train_card_summary(const struct train_result *result, struct buf *out)
{
	for (size_t i = 0; i < result->target_count; i++) {
		const struct train_target *t = &result->targets[i];

		if (t->ships)
			buf_addf(out,
			    "%s: held-out log loss %.4f (base rate %.4f, one rule %.4f), AUC %.3f, "
			    "%zu rows\n",
			    t->name, t->of_model.log_loss, t->of_base.log_loss, t->of_rule.log_loss,
			    t->of_model.auc, t->of_model.rows);
		else
			buf_addf(out, "%s: left out, %s\n", t->name, t->why_not);
	}
	if (result->target_count == 0)
		buf_addf(out, "no models: %s\n", text_nobody);
	if (result->baskets->unnamed > 0)
		buf_addf(out, "%zu lines left out: " TEXT_UNNAMED "\n", result->baskets->unnamed);
	buf_addf(out, "copurchase: %zu pairs of categories in %zu baskets\n", result->pairs->count,
	    result->pairs->baskets);
	train_tables_summary(result->tables, out);
}
