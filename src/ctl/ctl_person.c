/* SPDX-License-Identifier: Apache-2.0
 *
 * ctl_person.c - hq customer export, forget, reapply, and hq fill: a person's data at HQ.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "core/id.h"
#include "core/json_write.h"
#include "core/random.h"
#include "ctl/ctl.h"
#include "hq/person.h"

static struct person_places
read_places(struct ctl *ctl)
{
	return (struct person_places){ .into = ctl_option(ctl, "--into"),
		.archive = ctl_option(ctl, "--archive"),
		.erased = ctl_option(ctl, "--erased") };
}

/* The card on stdin under the pepper of --pepper, else of the configuration. */
static int
read_subject(struct ctl *ctl, const char *file, char subject[static SUBJECT_TEXT_SIZE])
{
	struct conf *conf = mem_zero(sizeof(*conf));
	uint8_t pepper[32];
	char card[256];
	bool has = false;
	int rc = ctl_conf(ctl, file == NULL, conf);
	if (rc == EX_OK)
		rc = ctl_pepper(ctl, file != NULL ? file : conf->pepper_file, pepper, &has);
	if (rc == EX_OK && !has)
		rc = ctl_fail(EX_CONFIG, "no --pepper, and no [privacy] pepper_file");
	if (rc == EX_OK)
		rc = ctl_card(card, sizeof(card));
	if (rc == EX_OK) {
		struct id id = subject_of_card(pepper, card, strlen(card));
		subject_text(&id, subject);
		sodium_memzero(card, sizeof(card));
	}
	sodium_memzero(pepper, sizeof(pepper));
	conf_done(conf);
	free(conf);
	return rc;
}

static int
fail_err(const struct err *err)
{
	int rc = ctl_fail_err(err);
	return err->code == AISLE_E_IO ? EX_UNAVAILABLE : rc;
}

static void
print_report(const struct person_report *report)
{
	struct buf out = { 0 };
	struct json_writer *w = JSON_OBJECT(&out);
	json_add_int(w, "customers", report->customers);
	json_add_int(w, "records", report->records);
	json_add_int(w, "archived", report->archived);
	json_end(w);
	puts(out.data);
	buf_done(&out);
}

static int
is_there(const char *path, bool folder, const char *what)
{
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode) == folder)
		return EX_OK;
	return ctl_fail(EX_NOINPUT, "%s: no such %s, expected %s", path, folder ? "folder" : "file",
	    what);
}

enum act { EXPORT, FORGET, REAPPLY, FILL };

/* Of a misspelt place nothing would be found, and the answer to a customer would be wrong. */
static int
check_places(const struct person_places *places, enum act act)
{
	int rc = EX_OK;
	if (act != FILL && places->into != NULL && strncmp(places->into, "sqlite:", 7) == 0)
		rc = is_there(places->into + 7, false, "headquarters' database");
	if (rc == EX_OK && places->archive != NULL)
		rc = is_there(places->archive, true, "a collector's archive");
	if (rc == EX_OK && (act == REAPPLY || act == FILL) && places->erased != NULL)
		rc = is_there(places->erased, false, "the file of those who were forgotten");
	return rc;
}

/* The options that all of them have, and no word beside them. */
static int
begin(struct ctl *ctl, struct person_places *places, enum act act)
{
	struct err err = { 0 };
	*places = read_places(ctl);
	int rc = ctl_words(ctl, 0, 0);
	if (rc == EX_OK &&
	    ((act == FILL && places->into == NULL) ||
		(places->into == NULL && places->archive == NULL)))
		rc = ctl_usage(ctl);
	if (rc == EX_OK)
		rc = check_places(places, act);
	if (rc == EX_OK && random_begin(&err) != 0)
		rc = ctl_fail_err(&err);
	return rc;
}

int
ctl_person_export(struct ctl *ctl)
{
	const char *pepper = ctl_option(ctl, "--pepper");
	struct person_places places;
	struct buf lines = { 0 };
	struct err err = { 0 };
	char subject[SUBJECT_TEXT_SIZE];
	int rc = begin(ctl, &places, EXPORT);
	if (rc == EX_OK)
		rc = read_subject(ctl, pepper, subject);
	if (rc == EX_OK && person_export(&places, subject, &lines, &err) != 0)
		rc = fail_err(&err);
	if (rc == EX_OK && lines.len > 0)
		fputs(lines.data, stdout);
	buf_wipe(&lines);
	return rc;
}

int
ctl_person_forget(struct ctl *ctl)
{
	const char *pepper = ctl_option(ctl, "--pepper");
	struct person_places places;
	struct person_report report;
	struct err err = { 0 };
	char subject[SUBJECT_TEXT_SIZE];
	int rc = begin(ctl, &places, FORGET);
	if (rc == EX_OK)
		rc = read_subject(ctl, pepper, subject);
	if (rc == EX_OK && person_forget(&places, subject, &report, &err) != 0)
		rc = fail_err(&err);
	if (rc == EX_OK)
		print_report(&report);
	return rc;
}

int
ctl_person_reapply(struct ctl *ctl)
{
	struct person_places places;
	struct person_report report;
	struct err err = { 0 };
	int rc = begin(ctl, &places, REAPPLY);
	if (rc == EX_OK && person_reapply(&places, &report, &err) != 0)
		rc = fail_err(&err);
	if (rc == EX_OK)
		print_report(&report);
	return rc;
}

int
ctl_person_fill(struct ctl *ctl)
{
	struct person_places places;
	struct person_report report;
	struct err err = { 0 };
	int rc = begin(ctl, &places, FILL);
	if (rc == EX_OK && places.archive == NULL)
		rc = ctl_usage(ctl);
	if (rc == EX_OK && person_fill(&places, &report, &err) != 0)
		rc = fail_err(&err);
	if (rc == EX_OK)
		print_report(&report);
	return rc;
}
