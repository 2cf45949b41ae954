/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl.h - aislectl: the table of commands and what they share.
 */
#ifndef AISLE_CTL_CTL_H
#define AISLE_CTL_CTL_H

#include "core/buf.h"
#include "core/conf.h"
#include "core/json.h"

struct ctl {
	/* --config; NULL: /etc/aisle/aisled.conf where a running store is asked */
	const char *conf_path;
	bool conf_given;
	bool json; /* --json */
	int argc;  /* what is left after the command's words and --config, --json */
	char **argv;
	const char *usage; /* of the command */
};

struct ctl_command {
	const char *words;	     /* "bundle install" */
	const char *arguments;	     /* "FILE" */
	const char *what;	     /* one line */
	int (*run)(struct ctl *ctl); /* a sysexits code */
};

/* Prints "aislectl: text" on stderr and returns exit_code. */
int ctl_fail(int exit_code, const char *format, ...) AISLE_PRINTF(2, 3);
/* err as file:line:column: text; the exit code of its class */
int ctl_fail_err(const struct err *err);
int ctl_usage(const struct ctl *ctl);
/* Value of --name VALUE, taken out of argv; NULL: absent. */
const char *ctl_option(struct ctl *ctl, const char *name);
bool ctl_flag(struct ctl *ctl, const char *name);
/* 0, or EX_USAGE when something unknown or the wrong number of words is left. */
int ctl_words(struct ctl *ctl, int min, int max);
/* The configuration of --config (or the default path when must), into conf. A sysexits code. */
int ctl_conf(struct ctl *ctl, bool must, struct conf *conf);
/* Its path: --config, else the default. */
const char *ctl_conf_path(const struct ctl *ctl);
/* Asks the running store; on an error prints it and returns its exit code, else EX_OK with *ret_reply. request NULL: what
 * was given makes none, and is told so. */
int ctl_ask(struct ctl *ctl, const json_t *request, const char *body_path, json_t **ret_reply);
void ctl_print_json(const json_t *json); /* and the end of the line */
/* a member that is text; "-": it is not there */
const char *ctl_text(const json_t *json, const char *name);
/* One line of stdin without its end, to be wiped by the caller. */
int ctl_stdin_line(char *out, size_t size);
/* The same of what nobody else is to read: on a terminal it is asked for without an echo, twice where it is new. */
int ctl_secret_line(const char *prompt, bool new, char *out, size_t size);
int ctl_card(char *out, size_t size); /* a card number; never in argv */
int ctl_pepper(struct ctl *ctl, const char *file, uint8_t pepper[static 32], bool *ret_has);

/* ctl_why.c */
int ctl_why(struct ctl *ctl);
int ctl_why_not(struct ctl *ctl);
/* ctl_doctor.c */
int ctl_doctor(struct ctl *ctl);
/* ctl_state.c */
int ctl_state_check(struct ctl *ctl);
/* ctl_recording.c */
int ctl_recording(struct ctl *ctl);
/* ctl_top.c */
int ctl_top(struct ctl *ctl);
/* ctl_store.c */
int ctl_status(struct ctl *ctl);
int ctl_customer_show(struct ctl *ctl);
int ctl_customer_export(struct ctl *ctl);
int ctl_customer_forget(struct ctl *ctl);
int ctl_deadletter(struct ctl *ctl);
int ctl_stop(struct ctl *ctl);
int ctl_lever_set(struct ctl *ctl);
int ctl_manager_list(struct ctl *ctl);
int ctl_names(struct ctl *ctl);
int ctl_tablet_pair(struct ctl *ctl);
int ctl_tablet_add(struct ctl *ctl);
int ctl_tablet_list(struct ctl *ctl);
int ctl_tablet_revoke(struct ctl *ctl);
int ctl_manager_add(struct ctl *ctl);
int ctl_manager_remove(struct ctl *ctl);
/* ctl_install.c */
int ctl_bundle_install(struct ctl *ctl);
int ctl_profiles_install(struct ctl *ctl);
/* ctl_profiles.c */
int ctl_profiles_build(struct ctl *ctl);
int ctl_enroll(struct ctl *ctl);
/* ctl_policy.c */
int ctl_policy_check(struct ctl *ctl);
int ctl_policy_preview(struct ctl *ctl);
int ctl_bundle_build(struct ctl *ctl);
int ctl_bundle_inspect(struct ctl *ctl);
int ctl_bundle_examine(struct ctl *ctl);
int ctl_model_import(struct ctl *ctl);
int ctl_model_inspect(struct ctl *ctl);
int ctl_model_score(struct ctl *ctl);
/* ctl_policy_diff.c */
int ctl_policy_diff(struct ctl *ctl);
/* ctl_catalog.c */
int ctl_catalog_build(struct ctl *ctl);
int ctl_catalog_find(struct ctl *ctl);
/* ctl_rule.c */
int ctl_rule_eval(struct ctl *ctl);
/* ctl_replay.c */
int ctl_replay(struct ctl *ctl);
int ctl_decide(struct ctl *ctl);
/* ctl_mapping.c */
int ctl_mapping_try(struct ctl *ctl);
/* ctl_features.c */
int ctl_features(struct ctl *ctl);
/* ctl_train.c */
int ctl_train(struct ctl *ctl);
/* ctl_hq_init.c, ctl_hq_store.c */
int ctl_hq_init(struct ctl *ctl);
int ctl_hq_add_store(struct ctl *ctl);
int ctl_hq_run(struct ctl *ctl);
/* ctl_fleet.c */
int ctl_fleet(struct ctl *ctl);
/* ctl_fleet_send.c */
int ctl_fleet_roll(struct ctl *ctl);
int ctl_fleet_hold(struct ctl *ctl);
int ctl_fleet_back(struct ctl *ctl);
int ctl_fleet_stop(struct ctl *ctl);
int ctl_fleet_lift(struct ctl *ctl);
/* ctl_shrink.c */
int ctl_hq_shrink(struct ctl *ctl);
/* ctl_merge.c */
int ctl_hq_merge(struct ctl *ctl);
/* ctl_evaluate.c */
int ctl_evaluate(struct ctl *ctl);
/* ctl_export.c */
int ctl_export(struct ctl *ctl);
/* ctl_simulate.c */
int ctl_simulate(struct ctl *ctl);
/* ctl_report.c */
int ctl_report(struct ctl *ctl);
/* ctl_publish.c */
int ctl_publish(struct ctl *ctl);
/* ctl_person.c */
int ctl_person_export(struct ctl *ctl);
int ctl_person_forget(struct ctl *ctl);
int ctl_person_reapply(struct ctl *ctl);
int ctl_person_fill(struct ctl *ctl);
/* ctl_hq.c */
int ctl_collect(struct ctl *ctl);
int ctl_feed_check(struct ctl *ctl);
/* ctl_keys.c, ctl_keys_show.c */
int ctl_keys_generate(struct ctl *ctl);
int ctl_keys_root(struct ctl *ctl);
int ctl_keys_sign(struct ctl *ctl);
int ctl_keys_show(struct ctl *ctl);
int ctl_enroll_sign(struct ctl *ctl);
/* ctl_release.c, ctl_release_show.c */
int ctl_release_make(struct ctl *ctl);
int ctl_release_sign(struct ctl *ctl);
int ctl_release_verify(struct ctl *ctl);
int ctl_release_show(struct ctl *ctl);
/* ctl_order.c */
int ctl_order_make(struct ctl *ctl);
int ctl_order_sign(struct ctl *ctl);
int ctl_order_verify(struct ctl *ctl);
int ctl_order_show(struct ctl *ctl);

#endif
