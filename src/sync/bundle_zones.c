/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_zones.c - time zones as the rules that a bundle carries.
 *
 * DESIGN
 *   The last line of a TZif file, version 2 or later, is the POSIX rule that holds
 *   from now on (RFC 8536, section 3.3). It travels in the bundle, so that a store
 *   decides by the rule the policy was built with, whatever its own tzdata says.
 */
#include "sync/bundle_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json_write.h"
#include "core/when.h"

#define ZONEINFO "/usr/share/zoneinfo"
#define ZONE_NAMES_MAX 2048
#define TZIF_BYTES_MAX (256u << 10)

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
name_valid(const char *name)
{
	return name[0] != '\0' && name[0] != '/' && strlen(name) < 64 && strstr(name, "..") == NULL;
}

/* false: no such zone, or none with a rule. */
static bool
read_rule(const char *name, char *rule, size_t size)
{
	char path[128], *bytes = NULL, *end, *start;
	FILE *file;
	size_t len;
	bool ok = false;

	if (!name_valid(name))
		return false;
	snprintf(path, sizeof(path), ZONEINFO "/%s", name);
	file = fopen(path, "rbe");
	if (file == NULL)
		return false;
	bytes = mem_alloc(TZIF_BYTES_MAX);
	len = fread(bytes, 1, TZIF_BYTES_MAX - 1, file);
	fclose(file);
	bytes[len] = '\0';
	if (len < 46 || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2' || bytes[len - 1] != '\n')
		goto out;
	end = bytes + len - 1;
	start = memrchr(bytes, '\n', len - 1);
	if (start == NULL || end - start < 2 || (size_t)(end - start) > size)
		goto out;
	*end = '\0';
	memcpy(rule, start + 1, (size_t)(end - start));
	ok = true;
out:
	free(bytes);
	return ok;
}

/* Every name in tzdata.zi: "Z NAME …" of a zone, "L TARGET NAME" of a link. */
static size_t
all_names(char **names)
{
	FILE *file = fopen(ZONEINFO "/tzdata.zi", "re");
	char line[512], kind[8], first[128], second[128];
	size_t count = 0;

	while (file != NULL && count < ZONE_NAMES_MAX && fgets(line, sizeof(line), file) != NULL) {
		int n = sscanf(line, "%7s %127s %127s", kind, first, second);

		if (n >= 2 && strcmp(kind, "Z") == 0)
			names[count++] = mem_strdup(first);
		else if (n >= 3 && strcmp(kind, "L") == 0)
			names[count++] = mem_strdup(second);
	}
	if (file != NULL)
		fclose(file);
	return count;
}

static size_t
listed_names(const json_t *list, char **names)
{
	size_t count = 0, i;
	json_t *name;

	json_array_foreach(list, i, name)
		if (json_is_string(name) && count < ZONE_NAMES_MAX)
			names[count++] = mem_strdup(json_string_value(name));
	return count;
}

static bool
usable(const char *name, char *rule, size_t size)
{
	struct zone *zone = read_rule(name, rule, size) ? zone_new(rule) : NULL;
	bool ok = zone != NULL;

	zone_free(zone);
	return ok;
}

static int
write_zones(char **names, size_t count, bool listed, struct buf *out, struct err *err)
{
	struct json_writer *w = JSON_OBJECT(out);
	const char *last = "";

	for (size_t i = 0; i < count; i++) {
		char rule[128];

		if (strcmp(names[i], last) == 0 || strcmp(names[i], "UTC") == 0)
			continue;
		last = names[i];
		if (!usable(names[i], rule, sizeof(rule))) {
			if (listed)
				return err_at(err, AISLE_E_INVALID, "policy.json", 1, 1,
				    "zone \"%s\" is not in " ZONEINFO ", expected the name of one",
				    names[i]);
			continue;
		}
		json_add_str(w, names[i], rule);
		json_space(w, "\n");
	}
	json_add_str(w, "UTC", "UTC0");
	json_end(w);
	buf_addc(out, '\n');
	return 0;
}

static json_t *
read_settings(const struct policy_parts *parts)
{
	struct err ignored = { 0 }; /* the compiler reports it */

	for (size_t i = 0; i < parts->count; i++)
		if (strcmp(parts->part[i].name, "policy.json") == 0)
			return json_read(parts->part[i].bytes, parts->part[i].len, "policy.json",
			    &ignored);
	return NULL;
}

int
zones_build(const struct policy_parts *parts, struct buf *out, struct buf *report, struct err *err)
{
	char **names = mem_calloc(ZONE_NAMES_MAX, sizeof(*names));
	json_t *settings = read_settings(parts), *list = json_object_get(settings, "zones");
	size_t count = json_is_array(list) ? listed_names(list, names) : all_names(names);
	int status;

	if (!json_is_array(list) && count == 0)
		buf_adds(report,
		    "zones.json:1:1: warning: no time zones in " ZONEINFO
		    ", expected the package tzdata\n");
	qsort(names, count, sizeof(*names), compare_names);
	status = write_zones(names, count, json_is_array(list), out, err);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	json_decref(settings);
	return status;
}
