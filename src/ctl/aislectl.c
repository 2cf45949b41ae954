/* SPDX-License-Identifier: Apache-2.0
 *
 * aislectl.c - the table of commands; finds the one that is meant and runs it.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "core/near.h"

/* clang-format off */
static const struct ctl_command commands[] = {
	{ "status", "", "one look at the running store", ctl_status },
	{ "top", "[--once]", "the running store, live: once a second until q", ctl_top },
	{ "doctor", "", "everything that can be wrong with this store, each with its mend", ctl_doctor },
	{ "state check", "DIR [SENDER SOURCE ID]", "a state folder of a daemon that is stopped: what is sound, what a start would lose; is this event in it?", ctl_state_check },
	{ "recording", "[--from T] [--to T] -o F", "what the store was told and still keeps, as a file for replay", ctl_recording },
	{ "decide", "--bundle B [--catalog F] [--profiles P] [--pepper F] [--store ID] --events E.jsonl",
	    "the last event's decision, dry, with its full trace", ctl_decide },
	{ "replay", "[--bundle B] [--catalog F] [--profiles P] [--pepper F] [--store ID] --events E.jsonl [--out D.jsonl] [--records R.jsonl] [--outcomes F.jsonl|sqlite:FILE] [--state DIR | --after STATE-COPY] [--turn N]",
	    "the engine over recorded events: one decision a line, the same bytes each time", ctl_replay },
	{ "features", "--bundle B [--catalog F] [--profiles P] [--pepper F] [--store ID] --events E.jsonl [--on TYPE,TYPE…] [-o FILE.csv]",
	    "training rows as CSV, made by the very code that serves", ctl_features },
	{ "train", "EVENTS.jsonl [--policy DIR] [--catalog F] [--profiles P] [--pepper F] [--store ID] -o DIR",
	    "models from recorded events, with their card: a folder to lay over the policy", ctl_train },
	{ "why", "DECISION [--all]", "why this was decided, from the running store", ctl_why },
	{ "why-not", "ACTION [--station S]",
	    "every gate that is closed for a customer now (card number on stdin)", ctl_why_not },
	{ "rule eval", "[--strict] RULE.json DATA.json", "the JsonLogic result as JSON", ctl_rule_eval },
	{ "policy check", "DIR [--strict] [--at T] [--events E.jsonl]", "all that is wrong with a policy folder, and what is senseless in it", ctl_policy_check },
	{ "policy preview", "DIR -o page.html", "each card as it will look, on a phone and on a tablet", ctl_policy_preview },
	{ "policy diff", "A B", "what policy B means after A, in words: folders or bundles", ctl_policy_diff },
	{ "bundle build", "DIR -o FILE", "a policy folder to a bundle", ctl_bundle_build },
	{ "bundle inspect", "FILE", "what is in a bundle", ctl_bundle_inspect },
	{ "bundle examine", "FILE", "a bundle's models against their exam rows", ctl_bundle_examine },
	{ "bundle install", "FILE", "makes a bundle the running store's policy, or its catalog", ctl_bundle_install },
	{ "catalog build", "TABLE.csv --version N [--name NAME] [--images DIR] [--policy DIR] -o FILE",
	    "a table of articles to a catalog, as a bundle", ctl_catalog_build },
	{ "catalog find", "FILE CODE… [--country CC]", "what a store finds in a catalog by these codes", ctl_catalog_find },
	{ "profiles build", "P.jsonl --store ID [--pepper F] [--version N] [--from N] [--to DEVICE.pub] -o FILE",
	    "JSON lines to a profiles file for one store", ctl_profiles_build },
	{ "profiles install", "FILE", "makes a profiles file the running store's", ctl_profiles_install },
	{ "model import", "FILE -o M [--trees best|all]", "an XGBoost, LightGBM or linear model to the flat form", ctl_model_import },
	{ "model inspect", "M [--trees best|all]", "what a model is", ctl_model_inspect },
	{ "model score", "M ROWS.csv [--margin | --explain] [--trees best|all]", "scores of rows, or what each input did to them", ctl_model_score },
	{ "customer show", "", "what the store knows of a customer (card number on stdin)", ctl_customer_show },
	{ "customer export", "", "everything kept about a customer, as JSON (card number on stdin)", ctl_customer_export },
	{ "customer forget", "", "destroys a customer's key and rows (card number on stdin)", ctl_customer_forget },
	{ "deadletter", "[--rows N]", "the newest inputs that could not be used", ctl_deadletter },
	{ "stop", "ACTION [--until T] [--lift]", "no store prompt of this action any more, or until then; --lift allows it again", ctl_stop },
	{ "lever set", "NAME VALUE --until T", "moves a lever within the policy's bounds, for a while", ctl_lever_set },
	{ "tablet pair", "[--stations 7,8]", "a code that pairs one tablet within five minutes", ctl_tablet_pair },
	{ "tablet add", "NAME [--stations 7,8]", "makes a tablet known that speaks over the broker", ctl_tablet_add },
	{ "tablet list", "", "the paired tablets", ctl_tablet_list },
	{ "tablet revoke", "NAME", "takes a tablet's token back", ctl_tablet_revoke },
	{ "manager add", "ID", "a manager who may approve, or another PIN for them (PIN on stdin)", ctl_manager_add },
	{ "manager remove", "ID", "takes a manager's approval back", ctl_manager_remove },
	{ "manager list", "", "who may approve", ctl_manager_list },
	{ "names", "actions|levers|tablets|managers", "what the running store knows by name, one a line", ctl_names },
	{ "mapping try", "MAPPING.json [PAYLOAD] [--topic T]", "the events that a mapping makes of a till's message, or why not",
	    ctl_mapping_try },
	{ "feed check", "[E.jsonl] [--store ID] [--catalog F]", "is this till feed good enough to go live?", ctl_feed_check },
	{ "keys generate", "-o NAME [--memory MIB]", "NAME.key and NAME.pub, as minisign has them (password on stdin; an empty line: none)", ctl_keys_generate },
	{ "keys root", "--version N --release A.pub,… [--order B.pub,…] [--erase C.pub,…] --threshold M --expires T [--previous OLD.json] [--key K.key,…] -o root.json",
	    "which keys may sign what, signed by enough of the old root's and of its own", ctl_keys_root },
	{ "keys sign", "ROOT.json [--key K.key,…] [--signature F.minisig] [--previous OLD.json]", "one more signature of a root", ctl_keys_sign },
	{ "keys show", "FILE", "what a key, a root or a gateway's signed key is", ctl_keys_show },
	{ "release make", "--channel C --sequence N --expires T [--stores ID,…|P%] [--salt HEX] [--ring NAME,…] [--bound NAME=N] [--hours HH:MM-HH:MM] [--jitter S] [--rate KIB] BUNDLE… -o R.json",
	    "a release of these bundles, not signed yet", ctl_release_make },
	{ "release sign", "R.json [--key K.key,…] [--signature F.minisig]", "one more signature of a release", ctl_release_sign },
	{ "release verify", "R.json --root root.json", "would a store with this root take it?", ctl_release_verify },
	{ "release show", "R.json [--manifest F] [--signature F]", "what a release says; its parts as files, for minisign", ctl_release_show },
	{ "order make", "--store ID,…|all|ring:NAME --type erase|snapshot|revoke|stop|lift [--subject S] [--tablet NAME] [--action A] --sequence N --expires T -o O.json",
	    "an order to stores, not signed yet", ctl_order_make },
	{ "order sign", "O.json [--key K.key,…] [--signature F.minisig]", "one more signature of an order", ctl_order_sign },
	{ "order verify", "O.json --root root.json", "would a store with this root take it?", ctl_order_verify },
	{ "order show", "O.json [--manifest F] [--signature F]", "what an order says; its parts as files, for minisign", ctl_order_show },
	{ "enroll sign", "REQUEST.json --key K.key -o DEVICE.pub", "a gateway's key, signed with an order key", ctl_enroll_sign },
	{ "enroll", "-o REQUEST.json", "the running store's own key, for headquarters to sign", ctl_enroll },
	{ "hq init", "DIR --host NAME [--port N] [--local-port N] [--plain] [--policy DIR] [--currency C]",
	    "a headquarters in a folder: keys, root, broker, a first release (password for the keys on stdin)", ctl_hq_init },
	{ "hq add-store", "DIR ID [--ring NAME] [--channel C] [--at DIR]", "what a store's gateway needs, and its user on the broker", ctl_hq_add_store },
	{ "hq run", "DIR", "broker, collector and publisher of that folder, until SIGTERM", ctl_hq_run },
	{ "publish", "[FILE…] [--dir DIR] [--from sqlite:FILE|postgres:DSN] [--serve] [--rate KIB] [--broker mqtt[s]://HOST:PORT [--user U --password-file F --ca F --cert F --key F]]",
	    "roots, releases, orders and their bundles onto HQ's brokers", ctl_publish },
	{ "fleet roll", "R.json --key K.key,… [--ring NAME,…] [--percent P] --dir DIR [--sequence N] [--expires T] [-o FILE] [--broker URL [--user U --password-file F --ca F]]",
	    "this release's bundles for all, some rings, or a share of the stores: a new release, signed and sent", ctl_fleet_roll },
	{ "fleet hold", "R.json --key K.key,… --dir DIR [--sequence N] [--expires T] [-o FILE] [--broker URL [--user U --password-file F --ca F]]", "no further store takes this release", ctl_fleet_hold },
	{ "fleet back", "R.json --key K.key,… --dir DIR [--sequence N] [--expires T] [-o FILE] [--broker URL [--user U --password-file F --ca F]]", "every store goes back to this older release's bundles", ctl_fleet_back },
	{ "fleet stop", "ACTION --key K.key,… [--ring NAME | --store ID] --dir DIR [--sequence N] [--expires T] [-o FILE] [--broker URL [--user U --password-file F --ca F]]", "no store shows this action any more; *: none at all", ctl_fleet_stop },
	{ "fleet lift", "ACTION --key K.key,… [--ring NAME | --store ID] --dir DIR [--sequence N] [--expires T] [-o FILE] [--broker URL [--user U --password-file F --ca F]]", "what fleet stop stopped is allowed again", ctl_fleet_lift },
	{ "fleet", "--from sqlite:FILE|postgres:DSN [--dir DIR] [--silent D] [-o page.html]", "what each store runs, and who is in trouble", ctl_fleet },
	{ "collect", "--into sqlite:FILE|postgres:DSN [--archive DIR] [--erased FILE] [--keep LANE=DAYSd,…] [--once] [--broker mqtt[s]://HOST:PORT|nats://HOST:PORT,…]… [--user U --password-file F --ca F --cert F --key F]",
	    "the HQ end: records of all stores into a database", ctl_collect },
	{ "report", "--from sqlite:FILE|postgres:DSN [--bundle B] [--start DAY --weeks N] [--effect MINOR] [-o report.html]",
	    "what experiments brought, with how sure that is", ctl_report },
	{ "evaluate", "--candidate B [--bundle LOGGED | --after STATE-COPY] [--catalog F] [--profiles P] [--pepper F] [--store ID] --events E.jsonl [--from sqlite:FILE|postgres:DSN|R.jsonl] [--turn N]",
	    "what another policy would have earned at the draws of these events", ctl_evaluate },
	{ "export", "--format dsjson|obp-csv|csv --from sqlite:FILE|postgres:DSN|R.jsonl [-o F]",
	    "draws and what came of them, for other tools", ctl_export },
	{ "simulate", "--policies B,B… [--model F] [--catalog F] [--profiles DIR] [--pepper F] [--seed N] [--jobs N] [-o page.html] STORE.jsonl…",
	    "several policies over the same recorded days, with customers whose truth is stated", ctl_simulate },
	{ "hq shrink", "--from sqlite:FILE|postgres:DSN [--since DAY] -o shrink.json", "how far the chances of each action may be believed, by what came of it", ctl_hq_shrink },
	{ "hq merge", "--from sqlite:FILE|postgres:DSN --bundle B -o merged.json", "what stores learned by this bundle, added up; whose weeks are odd", ctl_hq_merge },
	{ "hq customer export", "[--into sqlite:FILE|postgres:DSN] [--archive DIR] [--pepper F]",
	    "everything that headquarters has about a customer, as JSON lines (card number on stdin)", ctl_person_export },
	{ "hq customer forget", "[--into sqlite:FILE|postgres:DSN] [--archive DIR] [--erased FILE] [--pepper F]",
	    "clears a customer out of headquarters' records, now and whenever they come again (card number on stdin)", ctl_person_forget },
	{ "hq customer reapply", "[--into sqlite:FILE|postgres:DSN] [--archive DIR] [--erased FILE]",
	    "forgets again whom it had forgotten, after a copy was put back", ctl_person_reapply },
	{ "hq fill", "--archive DIR --into sqlite:FILE|postgres:DSN [--erased FILE]", "a database from the archive, without those who were forgotten", ctl_person_fill },
};
/* clang-format on */

static void
help(FILE *out)
{
	fputs("usage: aislectl [--config FILE] COMMAND …\n\n", out);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(out, "  %-18s %s\n", commands[i].words, commands[i].what);
	fputs("\naislectl COMMAND --help says what a command takes. --json prints data as JSON "
	      "where there is any.\n",
	    out);
}

/* How many of argv's words this command is called by; 0: it is not this one. */
static int
matches(const struct ctl_command *command, int argc, char **argv)
{
	const char *at = command->words;
	int words = 0;

	for (;;) {
		size_t len = strcspn(at, " ");

		if (words >= argc || strlen(argv[words]) != len ||
		    strncmp(argv[words], at, len) != 0)
			return 0;
		words++;
		if (at[len] == '\0')
			return words;
		at += len + 1;
	}
}

static int
run(const struct ctl_command *command, struct ctl *ctl)
{
	char usage[400];

	snprintf(usage, sizeof(usage), "%s %s", command->words, command->arguments);
	ctl->usage = usage;
	if (ctl_flag(ctl, "--help") || ctl_flag(ctl, "-h")) {
		printf("usage: aislectl [--config FILE] %s [--json]\n\n%s.\n", usage,
		    command->what);
		return EX_OK;
	}
	ctl->json = ctl_flag(ctl, "--json");
	return command->run(ctl);
}

/* What did not get out, for a full disk behind ">", is not done: half of a customer's data is no answer. */
static int
all_out(int rc)
{
	bool out = fflush(stdout) == 0 && ferror(stdout) == 0;

	return out || rc != EX_OK ? rc : ctl_fail(EX_IOERR, "standard output: %s", strerror(errno));
}

/* "policy": of the commands that begin with it, all. */
static bool
begins_others(const char *word)
{
	struct buf all = { 0 };
	size_t len = strlen(word);
	bool any;

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strncmp(commands[i].words, word, len) == 0 && commands[i].words[len] == ' ')
			buf_addf(&all, "%s%s", all.len > 0 ? ", " : "", commands[i].words);
	any = all.len > 0;
	if (any)
		ctl_fail(EX_USAGE, "%s: there is %s", word, all.data);
	buf_done(&all);
	return any;
}

/* As many words as the command of most words, for a slip in the second: "policy chek". */
static int
unknown(int argc, char **argv)
{
	struct buf words = { 0 }, says = { 0 };
	struct near two, one = near_to(argv[0]);

	if (argc == 1 && begins_others(argv[0]))
		return EX_USAGE;
	buf_adds(&says, "");
	buf_addf(&words, argc > 1 ? "%s %s" : "%s", argv[0], argc > 1 ? argv[1] : "");
	two = near_to(words.data);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		bool has_two = strchr(commands[i].words, ' ') != NULL;

		near_offer(has_two ? &two : &one, commands[i].words);
	}
	near_say(two.count > 0 ? &two : &one, &says);
	ctl_fail(EX_USAGE, "no command \"%s\"%s; aislectl --help lists them",
	    two.count > 0 ? words.data : argv[0], says.data);
	buf_done(&words);
	buf_done(&says);
	return EX_USAGE;
}

int
main(int argc, char **argv)
{
	struct ctl ctl = { .argc = argc - 1, .argv = argv + 1 };

	ctl.conf_path = ctl_option(&ctl, "--config");
	ctl.conf_given = ctl.conf_path != NULL;
	if (ctl.argc > 0 && strcmp(ctl.argv[0], "--config") == 0)
		return ctl_fail(EX_USAGE, "--config: expected the path of aisled.conf behind it");
	if (ctl.argc == 0 || strcmp(ctl.argv[0], "--help") == 0 || strcmp(ctl.argv[0], "-h") == 0 ||
	    strcmp(ctl.argv[0], "help") == 0) {
		help(ctl.argc == 0 ? stderr : stdout);
		return ctl.argc == 0 ? EX_USAGE : all_out(EX_OK);
	}
	if (strcmp(ctl.argv[0], "--version") == 0) {
		puts("aislectl " AISLE_VERSION);
		return EX_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		int words = matches(&commands[i], ctl.argc, ctl.argv);

		if (words == 0)
			continue;
		ctl.argc -= words;
		ctl.argv += words;
		return all_out(run(&commands[i], &ctl));
	}
	return unknown(ctl.argc, ctl.argv);
}
