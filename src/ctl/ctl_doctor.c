/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_doctor.c - aislectl doctor: what is wrong here, and how to mend it; of the files, the broker and the running store.
 */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "core/json_write.h"
#include "ctl/ctl.h"
#include "daemon/control.h"
#include "daemon/doctor.h"

#define STRANGER_MS 2000 /* so long a broker may take to answer a stranger */

/* ---- the access list ---- */

static void
on_answer(struct mosquitto *mosq, void *ctx, int rc)
{
	(void)mosq;
	*(int *)ctx = rc;
}

/* Does the broker let somebody in whom it does not know? 0: it does; above: its refusal; -1: no answer. */
static int
knock(const struct conf *conf)
{
	int answer = -1;
	struct mosquitto *stranger;

	mosquitto_lib_init();
	stranger = mosquitto_new("aisle-doctor", true, &answer);
	if (stranger == NULL)
		return -1;
	mosquitto_connect_callback_set(stranger, on_answer);
	if (mosquitto_connect(stranger, conf->mqtt_host, conf->mqtt_port, 10) == 0)
		for (int waited = 0; answer < 0 && waited < STRANGER_MS; waited += 50)
			if (mosquitto_loop(stranger, 50, 1) != 0)
				break;
	mosquitto_disconnect(stranger);
	mosquitto_destroy(stranger);
	mosquitto_lib_cleanup();
	return answer;
}

static void
check_access(const struct conf *conf, struct json_writer *w)
{
	static const char check[] = "access list";
	int answer;

	if (conf->mqtt_socket != NULL || conf->mqtt_ca != NULL || conf->mqtt_host == NULL) {
		doctor_say(w, check, HEALTH_OK, NULL,
		    "not tried: aisled comes over %s; try a till's account on another till's topic",
		    conf->mqtt_socket != NULL ? "a unix socket" : "TLS");
		return;
	}
	answer = knock(conf);
	if (answer == 0)
		doctor_say(w, check, HEALTH_BAD,
		    "allow_anonymous false, a password_file and the acl_file of firmware-config "
		    "for mosquitto.",
		    "%s:%d lets in whoever comes: what they may say there hangs on its acl_file "
		    "alone",
		    conf->mqtt_host, conf->mqtt_port);
	else
		doctor_say(w, check, HEALTH_OK, NULL, "%s",
		    answer > 0 ? "a stranger is refused; that a till speaks on its own topic "
				 "only is acl_file's: try its account on another's"
			       : "not tried: the broker does not answer");
}

/* ---- the store ---- */

static void
ask_store(const struct conf *conf, struct json_writer *w)
{
	json_t *request = json_pack("{s:s}", "command", "doctor"), *reply = NULL, *one;
	struct err err = { 0 };
	size_t i;

	if (control_ask(conf->state_control, request, NULL, &reply, &err) != 0) {
		doctor_say(w, "aisled", HEALTH_BAD,
		    "systemctl status aisled, journalctl -u aisled; aisled --check.", "%s",
		    err.text);
	} else {
		doctor_say(w, "aisled", HEALTH_OK, NULL, "answers");
		json_array_foreach(json_object_get(reply, "checks"), i, one)
			json_add_tree(w, NULL, one);
	}
	json_decref(request);
	json_decref(reply);
}

static int
print_findings(const json_t *findings, bool as_json)
{
	const json_t *one;
	size_t i, bad = 0;

	json_array_foreach(json_object_get(findings, "checks"), i, one) {
		bad += strcmp(ctl_text(one, "state"), "bad") == 0;
		if (as_json)
			continue;
		printf("%-4s  %-13s %s\n", ctl_text(one, "state"), ctl_text(one, "check"),
		    ctl_text(one, "says"));
		if (json_object_get(one, "mend") != NULL)
			printf("                    %s\n", ctl_text(one, "mend"));
	}
	if (as_json)
		ctl_print_json(findings);
	return bad > 0 ? EX_UNAVAILABLE : EX_OK;
}

static int64_t
utc_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * S_MS + now.tv_nsec / 1000000;
}

int
ctl_doctor(struct ctl *ctl)
{
	struct conf *conf = mem_alloc(sizeof(*conf));
	struct buf out = { 0 }, report = { 0 };
	struct json_writer *w = JSON_OBJECT(&out);
	json_t *findings;
	int rc = ctl_words(ctl, 0, 0);

	if (rc == EX_OK) {
		json_add_list(w, "checks");
		doctor_files(ctl_conf_path(ctl), utc_ms(), w);
		if (conf_load(conf, ctl_conf_path(ctl), &report) == 0) {
			check_access(conf, w);
			ask_store(conf, w);
		}
		json_end_all(w);
		findings = json_loadb(out.data, out.len, 0, NULL);
		rc = print_findings(findings, ctl->json);
		json_decref(findings);
	} else {
		conf_init(conf);
	}
	conf_done(conf);
	free(conf);
	buf_done(&out);
	buf_done(&report);
	return rc;
}
