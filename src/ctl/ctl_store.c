/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_store.c - commands that ask the running store.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/ctl.h"

/* ask, and print the whole reply (or one member of it) as JSON */
static int
ask_and_print(struct ctl *ctl, json_t *request, const char *body_path, const char *member)
{
	json_t *reply = NULL;
	int rc = ctl_ask(ctl, request, body_path, &reply);

	if (rc == EX_OK)
		ctl_print_json(member != NULL ? json_object_get(reply, member) : reply);
	json_decref(request);
	json_decref(reply);
	return rc;
}

/* How long the room and the flash will do, as far as that is known. */
static void
print_room(const json_t *reply)
{
	const json_t *room = json_object_get(reply, "room"),
		     *flash = json_object_get(reply, "flash");
	const json_t *days = json_object_get(room, "days_fit"),
		     *written = json_object_get(flash, "bytes_a_day"),
		     *years = json_object_get(flash, "years");
	json_int_t bytes = json_integer_value(json_object_get(room, "bytes")),
		   most = json_integer_value(json_object_get(room, "max_bytes"));

	printf("state     %lld of %lld MiB", (long long)(bytes >> 20), (long long)(most >> 20));
	if (json_is_integer(days))
		printf(", %lld days of decisions fit, %lld are to be kept\n",
		    (long long)json_integer_value(days),
		    (long long)json_integer_value(json_object_get(room, "decision_days")));
	else
		puts(", how many days fit is known after one");
	if (!json_is_integer(written))
		return;
	printf("flash     %lld MiB a day", (long long)(json_integer_value(written) >> 20));
	if (json_is_integer(years))
		printf(", %lld TB last %lld years",
		    (long long)json_integer_value(json_object_get(flash, "terabytes")),
		    (long long)json_integer_value(years));
	puts("");
}

int
ctl_status(struct ctl *ctl)
{
	json_t *request, *reply = NULL, *policy, *catalog, *http, *address, *hq;
	size_t i;
	int rc = ctl_words(ctl, 0, 0);

	if (rc != EX_OK)
		return rc;
	request = json_pack("{s:s}", "command", "status");
	if (ctl->json)
		return ask_and_print(ctl, request, NULL, NULL);
	rc = ctl_ask(ctl, request, NULL, &reply);
	json_decref(request);
	if (rc != EX_OK)
		return rc;
	policy = json_object_get(reply, "policy");
	http = json_object_get(reply, "http");
	printf("store     %s, %s\n", ctl_text(reply, "store"), ctl_text(reply, "state"));
	if (json_is_object(policy))
		printf("policy    %s version %lld\n", ctl_text(policy, "name"),
		    (long long)json_integer_value(json_object_get(policy, "version")));
	else
		puts("policy    none: baskets and profiles are kept, nothing is decided");
	catalog = json_object_get(reply, "catalog");
	if (json_is_object(catalog))
		printf("catalog   %s version %lld, %lld articles\n", ctl_text(catalog, "name"),
		    (long long)json_integer_value(json_object_get(catalog, "version")),
		    (long long)json_integer_value(json_object_get(catalog, "articles")));
	if (strcmp(ctl_text(reply, "disk"), "ok") != 0)
		printf("disk      %s: nothing is acknowledged; what is open stays on the screens\n",
		    ctl_text(reply, "disk"));
	print_room(reply);
	printf("broker    %s\n",
	    json_is_true(json_object_get(json_object_get(reply, "mqtt"), "connected")) ? "connected"
										       : "away");
	hq = json_object_get(reply, "hq");
	if (strcmp(ctl_text(hq, "state"), "none") == 0)
		puts("hq        none");
	else
		printf("hq        %s, %lld records wait\n", ctl_text(hq, "state"),
		    (long long)json_integer_value(json_object_get(hq, "queued")));
	printf("profiles  %lld\n",
	    (long long)json_integer_value(json_object_get(reply, "profiles")));
	printf("visits    %lld open, %lld decisions since start\n",
	    (long long)json_integer_value(json_object_get(reply, "visits")),
	    (long long)json_integer_value(json_object_get(reply, "decisions")));
	json_array_foreach(http, i, address)
		printf("page      http://%s/\n", json_string_value(address));
	json_decref(reply);
	return EX_OK;
}

/* ---- customers: the card number on stdin, never in argv ---- */

static int
ask_customer(struct ctl *ctl, const char *command, json_t **ret_reply)
{
	char card[256];
	json_t *request;
	int rc = ctl_words(ctl, 0, 0);

	if (rc != EX_OK)
		return rc;
	rc = ctl_card(card, sizeof(card));
	if (rc != EX_OK)
		return rc;
	request = json_pack("{s:s,s:s}", "command", command, "card", card);
	explicit_bzero(card, sizeof(card));
	rc = ctl_ask(ctl, request, NULL, ret_reply);
	json_decref(request);
	return rc;
}

static int
about_customer(struct ctl *ctl, const char *command, const char *member)
{
	json_t *reply = NULL;
	int rc = ask_customer(ctl, command, &reply);

	if (rc == EX_OK)
		ctl_print_json(member != NULL ? json_object_get(reply, member) : reply);
	json_decref(reply);
	return rc;
}

int
ctl_customer_show(struct ctl *ctl)
{
	return about_customer(ctl, "customer-show", "customer");
}

/* A line each of what the store was told of them, into the list. */
static int
add_told(const json_t *reply, json_t *told)
{
	const char *at = json_string_value(json_object_get(reply, "lines")), *end;

	if (at == NULL)
		return ctl_fail(EX_PROTOCOL, "the store's answer is none that is known here");
	for (; (end = strchr(at, '\n')) != NULL; at = end + 1)
		json_array_append_new(told, json_loadb(at, (size_t)(end - at), 0, NULL));
	return EX_OK;
}

/* A piece at a time, as aislectl recording has it. */
static int
ask_told(struct ctl *ctl, const char *subject, json_t *told)
{
	int64_t after = 0, upto = -1;
	bool more = true;
	int rc = EX_OK;

	while (rc == EX_OK && more) {
		json_t *request = json_pack("{s:s,s:s,s:I}", "command", "recording", "subject",
		    subject, "after", (json_int_t)after);
		json_t *reply = NULL;

		if (upto >= 0)
			json_object_set_new(request, "upto", json_integer(upto));
		rc = ctl_ask(ctl, request, NULL, &reply);
		if (rc == EX_OK)
			rc = add_told(reply, told);
		upto = json_integer_value(json_object_get(reply, "upto"));
		after = json_integer_value(json_object_get(reply, "last"));
		more = json_is_true(json_object_get(reply, "more"));
		json_decref(request);
		json_decref(reply);
	}
	return rc;
}

int
ctl_customer_export(struct ctl *ctl)
{
	json_t *reply = NULL, *customer, *told = json_array();
	const char *subject;
	int rc = ask_customer(ctl, "customer-show", &reply);

	customer = json_object_get(reply, "customer");
	subject = json_string_value(json_object_get(customer, "subject"));
	if (rc == EX_OK && subject != NULL)
		rc = ask_told(ctl, subject, told);
	if (rc == EX_OK) {
		json_object_set(customer, "told", told);
		ctl_print_json(customer);
	}
	json_decref(told);
	json_decref(reply);
	return rc;
}

int
ctl_customer_forget(struct ctl *ctl)
{
	return about_customer(ctl, "customer-forget", NULL);
}

/* ---- the rest ---- */

int
ctl_deadletter(struct ctl *ctl)
{
	const char *rows = ctl_option(ctl, "--rows");
	json_t *request, *reply = NULL, *letter;
	char *end = NULL;
	long count = rows != NULL ? strtol(rows, &end, 10) : 20;
	size_t i;
	int rc = ctl_words(ctl, 0, 0);

	if (rc != EX_OK)
		return rc;
	if (count < 1 || count > INT_MAX || (end != NULL && *end != '\0'))
		return ctl_fail(EX_USAGE, "--rows: \"%s\", expected a number from 1", rows);
	request = json_pack("{s:s,s:i}", "command", "deadletter", "rows", (int)count);
	if (ctl->json)
		return ask_and_print(ctl, request, NULL, NULL);
	rc = ctl_ask(ctl, request, NULL, &reply);
	json_decref(request);
	if (rc != EX_OK)
		return rc;
	json_array_foreach(json_object_get(reply, "dead_letters"), i, letter)
		printf("%s %-13s %s\n    %s\n", ctl_text(letter, "at"), ctl_text(letter, "reason"),
		    ctl_text(letter, "topic"), ctl_text(letter, "detail"));
	if (json_array_size(json_object_get(reply, "dead_letters")) == 0)
		puts("no dead letters");
	json_decref(reply);
	return EX_OK;
}

int
ctl_stop(struct ctl *ctl)
{
	bool lift = ctl_flag(ctl, "--lift");
	const char *until = ctl_option(ctl, "--until");
	json_t *request, *reply = NULL;
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	if (lift && until != NULL)
		return ctl_fail(EX_USAGE, "--until belongs to a stop, and --lift ends one");
	request = json_pack("{s:s,s:s,s:b,s:s*}", "command", "stop", "action", ctl->argv[0], "lift",
	    lift, "until", until);
	rc = ctl_ask(ctl, request, NULL, &reply);
	if (rc == EX_OK && !ctl->json)
		printf("%s is %s\n", ctl->argv[0],
		    lift ? "allowed again" : "stopped: open cards are withdrawn");
	else if (rc == EX_OK)
		ctl_print_json(reply);
	json_decref(request);
	json_decref(reply);
	return rc;
}

int
ctl_lever_set(struct ctl *ctl)
{
	const char *until = ctl_option(ctl, "--until");
	int rc = ctl_words(ctl, 2, 2);
	char *end;
	double value;

	if (rc != EX_OK)
		return rc;
	value = strtod(ctl->argv[1], &end);
	if (end == ctl->argv[1] || *end != '\0' || !isfinite(value))
		return ctl_fail(EX_USAGE, "\"%s\", expected a number", ctl->argv[1]);
	if (until == NULL)
		return ctl_fail(EX_USAGE,
		    "--until T is expected: when the policy's value comes back");
	return ask_and_print(ctl,
	    json_pack("{s:s,s:s,s:f,s:s}", "command", "lever-set", "name", ctl->argv[0], "value",
		value, "until", until),
	    NULL, NULL);
}

/* To the store "" is all of them; to who says --stations "$S" it is a script's slip. */
static int
stations_of(struct ctl *ctl, int words, const char **ret_stations)
{
	const char *stations = ctl_option(ctl, "--stations");
	int rc = ctl_words(ctl, words, words);

	*ret_stations = stations != NULL ? stations : "";
	if (rc == EX_OK && stations != NULL && stations[0] == '\0')
		return ctl_fail(EX_DATAERR,
		    "--stations: \"\", expected stations like 7,8; all of them without it");
	return rc;
}

int
ctl_tablet_pair(struct ctl *ctl)
{
	const char *stations = NULL;
	json_t *request, *reply = NULL;
	int rc = stations_of(ctl, 0, &stations);

	if (rc != EX_OK)
		return rc;
	request = json_pack("{s:s,s:s}", "command", "tablet-pair", "stations", stations);
	if (ctl->json)
		return ask_and_print(ctl, request, NULL, NULL);
	rc = ctl_ask(ctl, request, NULL, &reply);
	if (rc == EX_OK)
		printf("%s   type it on the tablet before %s\n", ctl_text(reply, "code"),
		    ctl_text(reply, "expires"));
	json_decref(request);
	json_decref(reply);
	return rc;
}

int
ctl_tablet_add(struct ctl *ctl)
{
	const char *stations = NULL;
	int rc = stations_of(ctl, 1, &stations);

	if (rc != EX_OK)
		return rc;
	return ask_and_print(ctl,
	    json_pack("{s:s,s:s,s:s}", "command", "tablet-add", "name", ctl->argv[0], "stations",
		stations),
	    NULL, NULL);
}

int
ctl_tablet_list(struct ctl *ctl)
{
	json_t *request, *reply = NULL, *tablet;
	size_t i;
	int rc = ctl_words(ctl, 0, 0);

	if (rc != EX_OK)
		return rc;
	request = json_pack("{s:s}", "command", "tablet-list");
	if (ctl->json)
		return ask_and_print(ctl, request, NULL, NULL);
	rc = ctl_ask(ctl, request, NULL, &reply);
	json_array_foreach(json_object_get(reply, "tablets"), i, tablet) {
		const char *stations = ctl_text(tablet, "stations");

		printf("%-32s paired %s  stations %s\n", ctl_text(tablet, "name"),
		    ctl_text(tablet, "paired"), stations[0] != '\0' ? stations : "all");
	}
	json_decref(request);
	json_decref(reply);
	return rc;
}

int
ctl_tablet_revoke(struct ctl *ctl)
{
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	return ask_and_print(ctl,
	    json_pack("{s:s,s:s}", "command", "tablet-revoke", "name", ctl->argv[0]), NULL, NULL);
}

int
ctl_manager_add(struct ctl *ctl)
{
	char pin[128];
	json_t *request, *reply = NULL;
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	rc = ctl_secret_line("PIN", true, pin, sizeof(pin));
	if (rc != EX_OK)
		return rc;
	request = json_pack("{s:s,s:s,s:s}", "command", "manager-add", "manager", ctl->argv[0],
	    "pin", pin);
	explicit_bzero(pin, sizeof(pin));
	rc = ctl_ask(ctl, request, NULL, &reply);
	if (rc == EX_OK)
		printf("%s\n", ctl->json ? "{}" : "the manager may approve");
	json_decref(request);
	json_decref(reply);
	return rc;
}

int
ctl_manager_remove(struct ctl *ctl)
{
	int rc = ctl_words(ctl, 1, 1);

	if (rc != EX_OK)
		return rc;
	return ask_and_print(ctl,
	    json_pack("{s:s,s:s}", "command", "manager-remove", "manager", ctl->argv[0]), NULL,
	    NULL);
}

int
ctl_manager_list(struct ctl *ctl)
{
	json_t *request, *reply = NULL, *manager;
	size_t i;
	int rc = ctl_words(ctl, 0, 0);

	if (rc != EX_OK)
		return rc;
	request = json_pack("{s:s}", "command", "manager-list");
	if (ctl->json)
		return ask_and_print(ctl, request, NULL, NULL);
	rc = ctl_ask(ctl, request, NULL, &reply);
	json_array_foreach(json_object_get(reply, "managers"), i, manager)
		printf("%-32s since %s\n", ctl_text(manager, "manager"),
		    ctl_text(manager, "since"));
	json_decref(request);
	json_decref(reply);
	return rc;
}

/* What completion asks. */
int
ctl_names(struct ctl *ctl)
{
	static const struct {
		const char *of, *command, *member; /* member NULL: a list of texts */
	} sources[] = { { "actions", "names", NULL }, { "levers", "names", NULL },
		{ "tablets", "tablet-list", "name" }, { "managers", "manager-list", "manager" } };
	json_t *request, *reply = NULL, *list, *one;
	int rc = ctl_words(ctl, 1, 1);
	size_t i = 0;

	if (rc != EX_OK)
		return rc;
	while (i < ARRAY_LEN(sources) && strcmp(sources[i].of, ctl->argv[0]) != 0)
		i++;
	if (i == ARRAY_LEN(sources))
		return ctl_usage(ctl);
	const char *member = sources[i].member;
	request = json_pack("{s:s}", "command", sources[i].command);
	rc = ctl_ask(ctl, request, NULL, &reply);
	list = json_object_get(reply, ctl->argv[0]);
	if (ctl->json && rc == EX_OK)
		ctl_print_json(list);
	json_array_foreach(list, i, one)
		if (!ctl->json)
			puts(member != NULL ? ctl_text(one, member) : json_string_value(one));
	json_decref(request);
	json_decref(reply);
	return rc;
}
