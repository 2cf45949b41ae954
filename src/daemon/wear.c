/* SPDX-License-Identifier: Apache-2.0
 *
 * wear.c - how long what the store has will do: days of decisions in its room, years of its flash.
 */
#include "daemon/daemon.h"

#include <math.h>

#define PACE_LEAST_MS H_MS /* what was seen in less is no pace */
#define YEAR_DAYS 365

int64_t
daemon_written_a_day(struct daemon *daemon)
{
	int64_t bytes = daemon_bytes_written(), up_ms;

	if (bytes < 0)
		return -1;
	(void)daemon_now_ms(daemon); /* asks the clocks */
	up_ms = daemon->steady.mono_ms - daemon->begun_mono_ms;
	return up_ms < PACE_LEAST_MS ? -1 : (int64_t)((double)bytes * D_MS / (double)up_ms);
}

double
daemon_flash_years(const struct daemon *daemon, int64_t written_a_day)
{
	return daemon->conf.flash_tb == 0 || written_a_day <= 0
	    ? -1
	    : daemon->conf.flash_tb * 1e12 / (double)written_a_day / YEAR_DAYS;
}

/* Whole days: more is not known. */
int64_t
daemon_days_fit(struct daemon *daemon)
{
	double days = store_days_fit(engine_store(daemon->engine), daemon_now_ms(daemon));

	return days < 0 ? -1 : (int64_t)floor(days);
}

static void
add_known(struct json_writer *w, const char *name, int64_t value)
{
	if (value >= 0)
		json_add_int(w, name, value);
	else
		json_add_null(w, name);
}

void
daemon_room_json(struct daemon *daemon, struct json_writer *w)
{
	int64_t written = daemon_written_a_day(daemon);
	double years = daemon_flash_years(daemon, written);

	json_add_object(w, "room");
	json_add_int(w, "bytes", daemon_state_bytes(daemon));
	json_add_int(w, "max_bytes", (int64_t)daemon->conf.state_max_mib << 20);
	add_known(w, "days_fit", daemon_days_fit(daemon));
	json_add_int(w, "decision_days", daemon->conf.decision_days);
	json_end(w);
	json_add_object(w, "flash");
	add_known(w, "bytes_a_day", written);
	add_known(w, "terabytes", daemon->conf.flash_tb > 0 ? daemon->conf.flash_tb : -1);
	add_known(w, "years", years < 0 ? -1 : (int64_t)floor(years));
	json_end(w);
}
