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
		puts(json_object_get(c, "clause") != NULL ? ctl_text(c, "clause") : "");
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

static void
print_why_not(const json_t *reply)
{
	const json_t *gates = json_object_get(reply, "closed"), *gate;
	const json_t *gain = json_object_get(reply, "gain");
	size_t i;

	printf("%s, on the %s of station %s, ", ctl_text(reply, "action"),
	    ctl_text(reply, "placement"), ctl_text(reply, "station"));
	if (json_is_true(json_object_get(reply, "visit")))
		printf("in the open visit%s%s\n",
		    json_is_string(json_object_get(reply, "basket")) ? " with basket " : "",
		    json_is_string(json_object_get(reply, "basket")) ? ctl_text(reply, "basket")
								     : "");
	else
		puts("in a visit that would begin now, without goods");
	json_array_foreach(gates, i, gate)
		printf("  closed  %-14s %s\n", ctl_text(gate, "gate"),
		    json_is_string(json_object_get(gate, "clause")) ? ctl_text(gate, "clause")
								    : "");
	if (json_array_size(gates) == 0)
		puts("  every gate is open: whether it is shown is for the draw among what is "
		     "worth showing");
	if (json_is_number(gain))
		printf("  gain %.2f, priority %.2f, chance with it %.4f, without %.4f\n",
		    json_number_value(gain), json_number_value(json_object_get(reply, "priority")),
		    json_number_value(json_object_get(reply, "p1")),
		    json_number_value(json_object_get(reply, "p0")));
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
