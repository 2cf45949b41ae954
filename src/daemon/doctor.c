/* SPDX-License-Identifier: Apache-2.0
 *
 * doctor.c - everything that can be wrong with a running store, each with its mend: aislectl doctor.
 *
 * DESIGN
 *   A table of checks; each looks at one thing, says how it is in a sentence, and
 *   where that is not well, what to do. "warn" costs the store something, "bad"
 *   stops a part of it. What can be seen without the daemon (files, certificates,
 *   configuration) is doctor_files.c.
 */
#include "daemon/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/metrics.h"
#include "daemon/daemon.h"
#include "nouns/catalog.h"

#define MIB (1 << 20)

void
doctor_say(struct json_writer *w, const char *check, enum health health, const char *mend,
    const char *format, ...)
{
	static const char *const words[] = { "ok", "warn", "bad" };
	char says[400];
	va_list args;

	va_start(args, format);
	vsnprintf(says, sizeof(says), format, args);
	va_end(args);
	json_add_object(w, NULL);
	json_add_str(w, "check", check);
	json_add_str(w, "state", NAME_OF(words, health));
	json_add_str(w, "says", says);
	if (health != HEALTH_OK && mend != NULL)
		json_add_str(w, "mend", mend);
	json_end(w);
}

static void
check_broker(struct daemon *daemon, struct json_writer *w)
{
	bool up = mqtt_connected(daemon->mqtt);

	/* It is let go after each turn that fails: that is no fault of its own. */
	if (daemon_disk(daemon) != 0) {
		doctor_say(w, "broker", HEALTH_BAD,
		    "Make room on the file system of [state] dir (df -h, df -i), or look at its "
		    "disk; "
		    "the journal says how it fails.",
		    "let go: the state cannot be written, so nothing is acknowledged");
		return;
	}
	if (mqtt_refused(daemon->mqtt) != NULL) {
		doctor_say(w, "broker", HEALTH_BAD,
		    "What listens at [mqtt] socket or host is no broker, or a broken one: look at "
		    "it, "
		    "start it again.",
		    "let go, again and again: it sent what no broker sends, %s",
		    mqtt_refused(daemon->mqtt));
		return;
	}
	doctor_say(w, "broker", up ? HEALTH_OK : HEALTH_BAD,
	    "Is mosquitto running (systemctl status mosquitto), and do [mqtt] socket or host, user "
	    "and "
	    "password_file fit its configuration?",
	    up ? "connected" : "away: no till is heard; what is open stays on the screens");
}

static void
check_clock(struct daemon *daemon, struct json_writer *w)
{
	bool uncertain = daemon->steady.uncertain;

	doctor_say(w, "clock", uncertain ? HEALTH_BAD : HEALTH_OK,
	    "Let chrony or systemd-timesyncd set it: timedatectl status.",
	    uncertain ? "uncertain: offers that hang on a date are held back" : "certain");
}

static size_t
ended_actions(const struct policy *policy, int64_t now_ms)
{
	size_t ended = 0;

	for (size_t i = 0; i < policy->action_count; i++)
		ended += policy->actions[i].valid_until_ms <= now_ms;
	return ended;
}

/* "; in force for 12 days"; nothing where that is not known. */
static void
policy_age(struct daemon *daemon, char text[static 60])
{
	int64_t since_s = metrics_get(METRIC_POLICY_ACTIVE);
	int64_t days = (daemon_now_ms(daemon) / 1000 - since_s) / (D_MS / S_MS);

	text[0] = '\0';
	if (since_s > 0 && days > 0)
		snprintf(text, 60, "; in force for %" PRId64 " day%s", days, days > 1 ? "s" : "");
	else if (since_s > 0 && days == 0)
		snprintf(text, 60, "; in force for less than a day");
}

static void
check_policy(struct daemon *daemon, struct json_writer *w)
{
	const struct policy *policy = engine_policy(daemon->engine);
	char age[60];
	size_t ended = policy != NULL ? ended_actions(policy, daemon_now_ms(daemon)) : 0;
	const char *mend = daemon->conf.hq_root != NULL
	    ? "Headquarters' next release brings one; without a link a stick does: aislectl bundle "
	      "install, its release beside it."
	    : "Build and install one that is of today: aislectl bundle build, bundle install.";

	policy_age(daemon, age);
	if (policy == NULL)
		doctor_say(w, "policy", HEALTH_BAD, mend, "none: nothing is decided");
	else if (ended == 0)
		doctor_say(w, "policy", HEALTH_OK, NULL, "%s version %lld, %zu actions%s",
		    policy->name, (long long)policy->version, policy->action_count, age);
	else
		doctor_say(w, "policy", ended == policy->action_count ? HEALTH_BAD : HEALTH_WARN,
		    mend, "%s version %lld: %zu of its %zu actions have ended%s", policy->name,
		    (long long)policy->version, ended, policy->action_count, age);
}

static void
check_catalog(struct daemon *daemon, struct json_writer *w)
{
	const struct catalog *catalog = engine_catalog(daemon->engine);

	if (daemon->catalog_trouble[0] != '\0')
		doctor_say(w, "catalog", HEALTH_BAD,
		    "Install it once more: aislectl bundle install.",
		    "the newest cannot be used, %s: %s",
		    catalog != NULL ? "the one before is in force" : "there is none",
		    daemon->catalog_trouble);
	else if (catalog == NULL)
		doctor_say(w, "catalog", HEALTH_OK, NULL, "none");
	else
		doctor_say(w, "catalog", HEALTH_OK, NULL, "%s version %lld, %zu articles",
		    catalog_is(catalog)->name, (long long)catalog_is(catalog)->version,
		    catalog_count(catalog));
}

static void
check_profiles(struct daemon *daemon, struct json_writer *w)
{
	long long rows = profiles_count(daemon->profiles),
		  version = profiles_version(daemon->profiles);
	const char *trouble = profiles_trouble(daemon->profiles);
	const char *mend = "Headquarters hears that a snapshot is needed; without it: aislectl "
			   "profiles install.";

	if (trouble[0] != '\0')
		doctor_say(w, "profiles", HEALTH_WARN, mend,
		    "not all of them can be used, %lld of version %lld serve: %s", rows, version,
		    trouble);
	else if (daemon_wants_snapshot(daemon) || profiles_gap(daemon->profiles))
		doctor_say(w, "profiles", HEALTH_WARN, mend,
		    "%lld of version %lld; a snapshot is waited for", rows, version);
	else if (version == 0)
		doctor_say(w, "profiles", HEALTH_OK, NULL, "none");
	else
		doctor_say(w, "profiles", HEALTH_OK, NULL, "%lld of version %lld", rows, version);
}

static void
check_release(struct daemon *daemon, struct json_writer *w)
{
	char says[400];
	bool well = daemon_release_says(daemon, says);

	doctor_say(w, "release", well ? HEALTH_OK : HEALTH_WARN,
	    engine_policy(daemon->engine) != NULL
		? "The store serves its last good bundle; headquarters' next release takes its "
		  "place."
		: "The store has nothing to serve until headquarters' next release.",
	    "%s", says);
}

static void
check_stopped(struct daemon *daemon, struct json_writer *w)
{
	size_t count;
	const char *const *stopped = engine_stopped(daemon->engine, &count);

	if (count == 0)
		doctor_say(w, "stopped", HEALTH_OK, NULL, "nothing");
	else
		doctor_say(w, "stopped", HEALTH_WARN,
		    engine_stop(daemon->engine, 0)->here
			? "aislectl stop ACTION --lift allows one again."
			: "Only headquarters allows it again.",
		    count == 1 ? "%zu action is silent: %s, stopped by %s"
			       : "%zu actions are silent, among them %s, stopped by %s",
		    count, stopped[0],
		    engine_stop(daemon->engine, 0)->hq != 0 ? "headquarters" : "this store");
}

static void
check_hq(struct daemon *daemon, struct json_writer *w)
{
	int64_t queued = store_uplink_count(engine_store(daemon->engine));

	if (daemon->conf.hq_host == NULL)
		doctor_say(w, "headquarters", HEALTH_OK, NULL, "none is configured");
	else if (daemon->hq_up)
		doctor_say(w, "headquarters", HEALTH_OK, NULL,
		    "connected, %" PRId64 " records wait", queued);
	else
		doctor_say(w, "headquarters", HEALTH_WARN,
		    "The store goes on without. Is the WAN up, and do [hq] host, port, ca, user "
		    "and "
		    "password_file fit?",
		    "away%s%s, %" PRId64 " records wait", *daemon->hq_why != '\0' ? ": " : "",
		    daemon->hq_why, queued);
}

static void
check_state(struct daemon *daemon, struct json_writer *w)
{
	int64_t bytes = daemon_state_bytes(daemon), max = (int64_t)daemon->conf.state_max_mib * MIB;
	int64_t there = daemon_bytes_free(daemon), days = daemon_days_fit(daemon);
	bool tight = there >= 0 && there < max - bytes;
	bool few = days >= 0 && days < daemon->conf.decision_days;
	char fit[100] = "", room[80] = "";

	if (days >= 0)
		snprintf(fit, sizeof(fit),
		    ", %lld day%s of decisions fit at this pace, %d are to be kept",
		    (long long)days, days == 1 ? "" : "s", daemon->conf.decision_days);
	if (tight)
		snprintf(room, sizeof(room), ", and the file system has %lld MiB free",
		    (long long)(there / MIB));
	doctor_say(w, "state", few || tight ? HEALTH_WARN : HEALTH_OK,
	    tight ? "The file system has less room than [state] max_mib promises: make room, or "
		    "lower it."
		  : "The oldest decisions leave before their time. Raise [state] max_mib, or lower "
		    "[privacy] decision_days.",
	    "%lld of %d MiB%s%s", (long long)(bytes / MIB), daemon->conf.state_max_mib, room, fit);
}

#define FLASH_YEARS_FEW 5

static void
check_flash(struct daemon *daemon, struct json_writer *w)
{
	int64_t day = daemon_written_a_day(daemon);
	double years = daemon_flash_years(daemon, day);

	if (day < 0)
		doctor_say(w, "flash", HEALTH_OK, NULL,
		    daemon_bytes_written() < 0
			? "this kernel does not tell what is written"
			: "what is written in a day is known an hour after the start");
	else if (years < 0)
		doctor_say(w, "flash", day > INT64_C(8) * 1024 * MIB ? HEALTH_WARN : HEALTH_OK,
		    "[limits] linger_ms takes several events into one write.",
		    "%lld MiB a day at this pace, %.1f TB in ten years; [state] flash_tb does not "
		    "say what it stands",
		    (long long)(day / MIB), (double)day * 3650 / 1e12);
	else
		doctor_say(w, "flash", years < FLASH_YEARS_FEW ? HEALTH_WARN : HEALTH_OK,
		    "[limits] linger_ms takes several events into one write; flash that stands "
		    "more lasts longer.",
		    "%lld MiB a day at this pace: %d TB last %.0f years", (long long)(day / MIB),
		    daemon->conf.flash_tb, years);
}

static void
check_rows(struct daemon *daemon, struct json_writer *w)
{
	int64_t damaged = store_damaged(engine_store(daemon->engine));

	doctor_say(w, "rows", damaged > 0 ? HEALTH_BAD : HEALTH_OK,
	    "The disk gives back other bytes than were written: replace it. What was set aside is "
	    "named in "
	    "the log.",
	    damaged > 0 ? "%" PRId64 " were damaged and set aside since the start" : "sound",
	    damaged);
}

static void
check_letters(struct daemon *daemon, struct json_writer *w)
{
	int64_t rejected = 0, taken = 0, most = 0;
	enum reject why = REJECT_TOO_BIG;

	(void)daemon;
	for (int i = REJECT_TOO_BIG; i < REJECT_COUNT; i++) {
		int64_t count =
		    metrics_get((enum metric)(METRIC_REJECTED_TOO_BIG + i - REJECT_TOO_BIG));

		rejected += count;
		why = count > most ? (enum reject)i : why;
		most = count > most ? count : most;
	}
	for (int i = 0; i < EV_COUNT; i++)
		taken += metrics_get((enum metric)(METRIC_ACCEPTED_BASKET_OPENED + 2 * i));
	doctor_say(w, "events", rejected > taken / 100 ? HEALTH_WARN : HEALTH_OK,
	    most > 0 && why == REJECT_CLOCK
		? "The clocks of the tills and of this gateway differ: set both by one time server."
		: "aislectl deadletter shows the newest and why.",
	    most > 0 ? "%" PRId64 " taken, %" PRId64
		       " could not be used since the start, most of them: %s"
		     : "%" PRId64 " taken, %" PRId64 " could not be used since the start",
	    taken, rejected, reject_name(why));
}

static void (*const checks[])(struct daemon *, struct json_writer *) = { check_broker, check_clock,
	check_policy, check_release, check_catalog, check_profiles, check_stopped, check_hq,
	check_state, check_flash, check_rows, check_letters };

void
daemon_doctor(struct daemon *daemon, struct control_request *request)
{
	struct buf out = { 0 };
	struct json_writer *w = JSON_OBJECT(&out);

	json_add_list(w, "checks");
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		checks[i](daemon, w);
	json_end_all(w);
	control_reply(request, out.data);
	buf_done(&out);
}
