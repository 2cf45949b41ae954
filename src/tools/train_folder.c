/* SPDX-License-Identifier: Apache-2.0
 *
 * train_folder.c - the policy that the trainer runs under, and the folder that it writes.
 *
 * DESIGN
 *   The engine takes a policy as a bundle only, so the policy with the
 *   trainer's features goes through a scratch folder and the ordinary
 *   compiler: what trains is checked as what serves.
 */
#include "tools/train_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/json_write.h"

#define SNIFF_LINES 10000

/* Of a policy that never speaks: its one action is for nobody. */
static const char silent_action[] =
    "{\"action\":\"silence\",\"kind\":\"inform\",\"issue\":\"none\",\"group\":\"none\",\"on\":["
    "\"timer\"],\"eligible\":false,"
    "\"personal\":false,\"propensity\":0,\"incremental\":0,\"margin\":0,\"outcome\":{\"is\":"
    "\"none\"},"
    "\"placements\":[\"tablet\"],\"gate\":\"none\",\"expires\":\"60s\","
    "\"treatments\":[{\"treatment\":\"t\",\"language\":\"en\",\"headline\":\"-\"}]}";

/* ---- the policy ---- */

static const struct policy_part *
find_part(const struct train_folder *folder, const char *name)
{
	for (size_t i = 0; i < folder->parts.parts.count; i++) {
		if (strcmp(folder->parts.parts.part[i].name, name) == 0)
			return &folder->parts.parts.part[i];
	}
	return NULL;
}

static int
read_json(const struct train_folder *folder, const char *name, json_t **ret, struct err *err)
{
	const struct policy_part *part = find_part(folder, name);

	if (part == NULL)
		return 0;
	*ret = json_read(part->bytes, part->len, name, err);
	return *ret != NULL ? 0 : AISLE_E_INVALID;
}

/* The currency of the first sale: without one no line of the file would count. */
static bool
sniff_currency(const char *path, char ret[static 4])
{
	static const char key[] = "\"currency\"";
	FILE *in = fopen(path, "re");
	char *line = mem_alloc(RECORDED_LINE_MAX + 1), *at = NULL;
	size_t len;
	bool found = false;

	for (int i = 0;
	     in != NULL && i < SNIFF_LINES && !found && recorded_line(in, line, &len) > 0; i++) {
		at = strstr(line, key);
		if (at == NULL)
			continue;
		at += sizeof(key) - 1;
		at += strspn(at, " :\"");
		found = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
	}
	if (found) {
		memcpy(ret, at, 3);
		ret[3] = '\0';
	}
	free(line);
	if (in != NULL)
		fclose(in);
	return found;
}

static void
silent_policy(const struct conf *conf, struct json_writer *w)
{
	json_add_object(w, NULL);
	json_add_str(w, "name", "train");
	json_add_int(w, "version", 1);
	json_add_str(w, "currency", conf->currency);
	json_add_list(w, "languages");
	json_add_str(w, NULL, "en");
	json_end(w);
	json_add_list(w, "zones");
	json_add_str(w, NULL, conf->zone);
	json_end(w);
	json_add_object(w, "placements");
	json_add_object(w, "tablet");
	json_add_int(w, "slots", 1);
	json_end(w);
	json_end(w);
	json_add_str(w, "explore", "greedy");
	json_add_object(w, "salts");
	json_addf(w, "id", "%064d", 1);
	json_addf(w, "control", "%064d", 2);
	json_addf(w, "explore", "%064d", 3);
	json_end(w);
	json_end(w);
}

static int
make_silent(struct train_folder *folder, const struct train_options *options, struct err *err)
{
	struct buf policy = { 0 };
	char currency[4];
	int rc;

	if (options->policy_currency && sniff_currency(options->events, currency)) {
		free(options->conf->currency);
		options->conf->currency = mem_strdup(currency);
	}
	folder->policy_currency = false;
	silent_policy(options->conf, JSON_WRITER(&policy));
	rc = folder_add(&folder->parts, "policy.json", policy.data, policy.len, err);
	if (rc == 0)
		rc = folder_add(&folder->parts, "features.json", mem_strdup("{\"features\":[]}"),
		    15, err);
	if (rc == 0)
		rc = folder_add(&folder->parts, "actions/silence.json", mem_strdup(silent_action),
		    sizeof(silent_action) - 1, err);
	return rc;
}

static bool
is_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool empty = dir != NULL;

	while (empty && (entry = readdir(dir)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	if (dir != NULL)
		closedir(dir);
	return empty;
}

int
train_folder_open(struct train_folder *folder, const struct train_options *options, struct err *err)
{
	const char *temp = getenv("TMPDIR");
	struct buf work = { 0 };
	int rc;

	*folder = (struct train_folder){ .policy_currency = options->policy_currency };
	/* Now, not when the work is done. */
	if (access(options->output, F_OK) == 0 && !is_empty(options->output))
		return err_set(err, AISLE_E_REFUSED, "%s: not an empty folder, expected a new one",
		    options->output);
	if (options->policy == NULL)
		rc = make_silent(folder, options, err);
	else if ((rc = folder_read(options->policy, &folder->parts, err)) == 0) {
		rc = read_json(folder, "features.json", &folder->features, err);
		if (rc == 0)
			rc = read_json(folder, "models/models.json", &folder->models, err);
	}
	if (rc != 0)
		return rc;
	buf_addf(&work, "%s/aisle-train-XXXXXX", temp != NULL && temp[0] != '\0' ? temp : "/tmp");
	if (mkdtemp(work.data) == NULL)
		rc = err_set(err, AISLE_E_IO, "%s: %s", work.data, strerror(errno));
	else
		folder->work = buf_steal(&work);
	buf_done(&work);
	return rc;
}

void
train_folder_declare(struct train_folder *folder, const struct train_features *features)
{
	for (size_t i = 0; i < folder->parts.parts.count; i++) {
		struct policy_part *part = &folder->parts.parts.part[i];
		struct buf text = { 0 };

		if (strcmp(part->name, "features.json") != 0)
			continue;
		train_features_json(features, folder->features, NULL, NULL, 0, &text);
		free((void *)(uintptr_t)part->bytes);
		part->len = text.len;
		part->bytes = buf_steal(&text);
	}
}

/* ---- the scratch folder ---- */

static int
write_file(const char *path, const void *bytes, size_t len, struct err *err)
{
	FILE *out = fopen(path, "wbe");
	bool good = out != NULL && fwrite(bytes, 1, len, out) == len;

	if (out != NULL)
		good = fclose(out) == 0 && good;
	return good ? 0 : err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
}

static int
make_folder(const char *path, struct err *err)
{
	if (mkdir(path, 0777) == 0 || errno == EEXIST)
		return 0;
	return err_set(err, AISLE_E_IO, "%s: %s", path, strerror(errno));
}

/* work/policy/part and work/bundle. */
static int
write_parts(struct train_folder *folder, struct err *err)
{
	static const char *const subs[] = { "", "/actions", "/models", "/images" };
	struct buf path = { 0 };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(subs) && rc == 0; i++) {
		buf_clear(&path);
		buf_addf(&path, "%s/policy%s", folder->work, subs[i]);
		rc = make_folder(path.data, err);
	}
	for (size_t i = 0; i < folder->parts.parts.count && rc == 0; i++) {
		const struct policy_part *part = &folder->parts.parts.part[i];

		buf_clear(&path);
		buf_addf(&path, "%s/policy/%s", folder->work, part->name);
		rc = write_file(path.data, part->bytes, part->len, err);
	}
	buf_done(&path);
	return rc;
}

int
train_folder_use(struct train_folder *folder, struct recorded *recorded, struct buf *report,
    struct err *err)
{
	struct buf dir = { 0 }, bundle = { 0 };
	int rc = write_parts(folder, err);

	buf_addf(&dir, "%s/policy", folder->work);
	buf_addf(&bundle, "%s/bundle", folder->work);
	buf_clear(report);
	if (rc == 0)
		rc = bundle_build(dir.data, bundle.data, report, err);
	if (rc == 0)
		rc = recorded_bundle(recorded, bundle.data, folder->policy_currency, report, err);
	if (rc == 0)
		buf_clear(report); /* its warnings are its author's */
	buf_done(&dir);
	buf_done(&bundle);
	return rc != 0 && err->code == 0 ? err_set(err, rc, "the policy has mistakes") : rc;
}

static void
remove_work(struct train_folder *folder)
{
	static const char *const rest[] = { "policy/actions", "policy/models", "policy/images",
		"policy", "bundle", "" };
	struct buf path = { 0 };

	for (size_t i = 0; i < folder->parts.parts.count; i++) {
		buf_clear(&path);
		buf_addf(&path, "%s/policy/%s", folder->work, folder->parts.parts.part[i].name);
		unlink(path.data);
	}
	for (size_t i = 0; i < ARRAY_LEN(rest); i++) {
		buf_clear(&path);
		buf_addf(&path, "%s/%s", folder->work, rest[i]);
		if (remove(path.data) != 0)
			continue;
	}
	buf_done(&path);
}

void
train_folder_close(struct train_folder *folder)
{
	if (folder->work != NULL)
		remove_work(folder);
	folder_done(&folder->parts);
	json_decref(folder->features);
	json_decref(folder->models);
	free(folder->work);
	*folder = (struct train_folder){ 0 };
}

/* ---- the result ---- */

int
train_folder_begin(struct train_folder *folder, const char *output, struct err *err)
{
	folder->output = output;
	return make_folder(output, err);
}

int
train_folder_write(struct train_folder *folder, const char *sub, const char *name,
    const char *ending, const struct buf *text, struct err *err)
{
	struct buf path = { 0 };
	int rc = 0;

	buf_adds(&path, folder->output);
	if (sub != NULL) {
		buf_addf(&path, "/%s", sub);
		rc = make_folder(path.data, err);
	}
	buf_addf(&path, "/%s%s", name, ending);
	if (rc == 0)
		rc = write_file(path.data, text->data, text->len, err);
	buf_done(&path);
	return rc;
}
