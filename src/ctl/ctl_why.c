/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_why.c - aislectl why, why-not: a decision of the running store, and one that it does not take, for people.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/ctl.h"

static void
print_slots(const json_t *slots)
{
	const json_t *slot;
	size_t i;

	json_array_foreach(slots, i, slot) {
		const json_t *p = json_object_get(slot, "p_log");

		printf("slot %zu: %s", i + 1, ctl_text(slot, "action"));
		if (json_object_get(slot, "prompt") != NULL)
			printf("  prompt %s", ctl_text(slot, "prompt"));
		if (json_is_number(p))
			printf("  p %.4f", json_number_value(p));
		putchar('\n');
	}
}

/* What the store's own answers made of the models' chances. */
static void
print_learned(const json_t *learned)
{
	if (json_array_size(learned) == 2)
		printf("learned here: chance with it times %.3f, without times %.3f",
		    json_number_value(json_array_get(learned, 0)) / 65536,
		    json_number_value(json_array_get(learned, 1)) / 65536);
}

static void
print_candidates(const json_t *candidates, bool all)
{
	const json_t *c;
	size_t i;

	puts("\naction                           fate            gain      why");
	json_array_foreach(candidates, i, c) {
		const json_t *gain = json_object_get(c, "gain");

		if (!all && gain == NULL && i >= 20)
			continue;
		printf("%-32s %-15s ", ctl_text(c, "action"), ctl_text(c, "fate"));
		if (json_is_number(gain))
			printf("%-9.2f ", json_number_value(gain));
		else
			printf("%-9s ", "");
		fputs(json_object_get(c, "clause") != NULL ? ctl_text(c, "clause") : "", stdout);
		print_learned(json_object_get(c, "learned"));
		putchar('\n');
	}
}

static void
print_features(const json_t *features)
{
	const char *name;
	json_t *value;

	puts("\nread");
	json_object_foreach((json_t *)features, name, value) {
		printf("  %-30s ", name);
		ctl_print_json(value);
	}
}

static void
print_parts(const json_t *model)
{
	const json_t *part;
	size_t i;

	printf("\n%s by model %s: margin %.4f = base %.4f\n", ctl_text(model, "action"),
	    ctl_text(model, "model"), json_number_value(json_object_get(model, "margin")),
	    json_number_value(json_object_get(model, "base")));
	json_array_foreach(json_object_get(model, "parts"), i, part) {
		printf("  %+12.4f  %-30s ", json_number_value(json_object_get(part, "part")),
		    ctl_text(part, "feature"));
		ctl_print_json(json_object_get(part, "value"));
	}
	if (!json_is_true(json_object_get(model, "exact")))
		puts("  Not as it was: the chance on record does not come out.");
}

static void
print_contributions(const json_t *contributions)
{
	const json_t *model, *policy = json_object_get(contributions, "policy");
	size_t i;

	json_array_foreach(json_object_get(contributions, "models"), i, model)
		print_parts(model);
	if (contributions != NULL && !json_is_true(json_object_get(contributions, "same")))
		printf("  By %s version %lld, which is in force now; "
		       "the decision was made by another.\n",
		    ctl_text(policy, "name"),
		    (long long)json_integer_value(json_object_get(policy, "version")));
}

static void
print_decision(const json_t *decision, bool all)
{
	const json_t *outcome;
	size_t i;

	printf("decision %s at %s, station %s, after %s\n", ctl_text(decision, "decision"),
	    ctl_text(decision, "at"), ctl_text(decision, "station"),
	    ctl_text(json_object_get(decision, "trigger"), "type"));
	if (json_is_string(json_object_get(decision, "withheld")))
		printf("withheld: %s\n", ctl_text(decision, "withheld"));
	if (json_is_string(json_object_get(decision, "cause")))
		printf("nothing could be shown: %s\n", ctl_text(decision, "cause"));
	print_slots(json_object_get(decision, "slots"));
	print_candidates(json_object_get(decision, "candidates"), all);
	print_contributions(json_object_get(decision, "contributions"));
	print_features(json_object_get(decision, "features"));
	json_array_foreach(json_object_get(decision, "outcomes"), i, outcome)
		printf("%s %s\n", ctl_text(outcome, "at"), ctl_text(outcome, "outcome"));
}

int
ctl_why(struct ctl *ctl)
{
	bool all = ctl_flag(ctl, "--all");
	json_t *request, *reply = NULL, *decision;
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	request = json_pack("{s:s,s:s}", "command", "why", "decision", ctl->argv[0]);
	rc = ctl_ask(ctl, request, NULL, &reply);
	json_decref(request);
	if (rc != EX_OK)
		return rc;
	decision = json_object_get(reply, "decision");
	if (ctl->json)
		ctl_print_json(decision);
	else
		print_decision(decision, all);
	json_decref(reply);
	return EX_OK;
}

/* ---- why not ---- */

/* What it means that a gate is closed; the clause stands behind it. */
static const char *const gate_words[][2] = {
	{ "stopped", "it, or everything, is stopped here; aislectl stop ACTION --lift" },
	{ "validity", "it is not valid now" },
	{ "consent", "no agreement is on record that may be used" },
	{ "care", "a complaint is open or near, and only some kinds are let through" },
	{ "eligibility", "who the customer is: this does not hold" },
	{ "applicability", "the basket, the moment: this does not hold" },
	{ "suitability", "whether it suits: this does not hold" },
	{ "missing", "this reads what is not known here" },
	{ "no-treatment", "no text fits the placement, the language and the limits" },
	{ "contact", "it was shown or answered often enough" },
	{ "budget", "the most it can cost is more than what is left" },
	{ "stacking", "an offer of its stack is there already" },
	{ "lane", "the checkout, or who this is, does not let it" },
	{ "no-room", "the visit holds as many cards as it can" },
	{ "not-worth-it", "it is expected to bring no gain, or saves too little" },
	{ "outranked", "its priority is not above what a card must be worth" },
	{ "withheld", "it is kept from this customer, so that its effect can be measured" },
};

static void
print_closed(const json_t *gate, double interrupt)
{
	const char *name = ctl_text(gate, "gate"), *says = "";
	const json_t *clause = json_object_get(gate, "clause");

	for (size_t i = 0; i < ARRAY_LEN(gate_words); i++)
		if (strcmp(gate_words[i][0], name) == 0)
			says = gate_words[i][1];
	if (json_is_string(clause) && strcmp(json_string_value(clause), "visit: open") == 0)
		says = "its card is open in this visit";
	if (json_is_string(clause) && strcmp(json_string_value(clause), "goods.marked") == 0)
		says = "all that it is about is marked in this store: nothing touches it";
	if (json_is_string(clause) && strcmp(json_string_value(clause), "wallet") == 0 &&
	    strcmp(name, "contact") == 0)
		says = "of what is in the wallet they are reminded before something new is offered";
	printf("  closed  %-14s %s", name, says);
	if (strcmp(name, "outranked") == 0)
		printf(" (interrupt): %.2f\n", interrupt);
	else if (json_is_string(clause) && strcmp(name, "stopped") != 0)
		printf(": %s\n", json_string_value(clause));
	else
		putchar('\n');
}

static void
print_above(const json_t *reply)
{
	const json_t *above = json_object_get(reply, "above"), *one;
	long long count = json_integer_value(json_object_get(reply, "above_count"));
	long long slots = json_integer_value(json_object_get(reply, "slots"));
	size_t i;

	if (json_is_true(json_object_get(reply, "mandatory"))) {
		puts("  every gate is open: it is shown with the next event that it is decided on");
		return;
	}
	puts("  every gate is open; what is shown is drawn from what is worth most when one of its "
	     "events comes");
	if (above == NULL)
		return;
	fputs(count == 0 ? "  nothing that could be shown now is worth more" : "  worth more now:",
	    stdout);
	json_array_foreach(above, i, one)
		printf("%s %s %.2f%s", i > 0 ? "," : "", ctl_text(one, "action"),
		    json_number_value(json_object_get(one, "priority")),
		    json_is_true(json_object_get(one, "open")) ? " (on the screen)" : "");
	if (count > (long long)json_array_size(above))
		printf(" and %lld more", count - (long long)json_array_size(above));
	printf("; the %s has %lld place%s\n", ctl_text(reply, "placement"), slots,
	    slots == 1 ? "" : "s");
}

static void
print_triggers(const json_t *reply)
{
	const json_t *on = json_object_get(reply, "on"), *one;
	size_t i;

	if (json_array_size(on) == 0)
		return;
	printf("  decided on");
	json_array_foreach(on, i, one)
		printf("%s %s", i > 0 ? "," : "", json_string_value(one));
	putchar('\n');
}

static void
print_why_not(const json_t *reply)
{
	const json_t *gates = json_object_get(reply, "closed"), *gate;
	const json_t *gain = json_object_get(reply, "gain");
	bool is_open = json_is_true(json_object_get(reply, "visit"));
	const char *basket = json_string_value(json_object_get(reply, "basket"));
	size_t i;

	printf("%s, on the %s of station %s, ", ctl_text(reply, "action"),
	    ctl_text(reply, "placement"), ctl_text(reply, "station"));
	if (is_open)
		printf("in the open visit%s%s\n", basket != NULL ? " with basket " : "",
		    basket != NULL ? basket : "");
	else
		puts("in a visit that would begin now, without goods");
	json_array_foreach(gates, i, gate)
		print_closed(gate, json_number_value(json_object_get(reply, "interrupt")));
	if (json_array_size(gates) == 0)
		print_above(reply);
	if (json_is_number(gain))
		printf("  gain %.2f, priority %.2f, chance with it %.4f, without %.4f\n",
		    json_number_value(gain), json_number_value(json_object_get(reply, "priority")),
		    json_number_value(json_object_get(reply, "p1")),
		    json_number_value(json_object_get(reply, "p0")));
	if (json_object_get(reply, "learned") != NULL) {
		fputs("  ", stdout);
		print_learned(json_object_get(reply, "learned"));
		putchar('\n');
	}
	print_triggers(reply);
}

int
ctl_why_not(struct ctl *ctl)
{
	const char *station = ctl_option(ctl, "--station");
	json_t *request, *reply = NULL;
	char card[256];
	int rc = ctl_words(ctl, 1, 1);

	if (rc == EX_OK)
		rc = ctl_card(card, sizeof(card));
	if (rc != EX_OK)
		return rc;
	request = json_pack("{s:s,s:s,s:s,s:s*}", "command", "why-not", "action", ctl->argv[0],
	    "card", card, "station", station);
	explicit_bzero(card, sizeof(card));
	rc = ctl_ask(ctl, request, NULL, &reply);
	json_decref(request);
	if (rc == EX_OK && ctl->json)
		ctl_print_json(reply);
	else if (rc == EX_OK)
		print_why_not(reply);
	json_decref(reply);
	return rc;
}
