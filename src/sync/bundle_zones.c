/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_zones.c - time zones as the rules that a bundle carries.
 *
 * DESIGN
 *   A zone's rule travels in the bundle, so that a store decides by the rule the
 *   policy was built with, whatever its own tzdata says.
 */
#include "sync/bundle_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json_write.h"
#include "core/zone_file.h"

#define ZONE_NAMES_MAX 2048

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
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
usable(const char *name, char rule[static ZONE_RULE_SIZE])
{
	struct zone *zone = zone_rule_by_name(name, rule) ? zone_new(rule) : NULL;
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
		char rule[ZONE_RULE_SIZE];

		if (strcmp(names[i], last) == 0 || strcmp(names[i], "UTC") == 0)
			continue;
		last = names[i];
		if (!usable(names[i], rule)) {
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
