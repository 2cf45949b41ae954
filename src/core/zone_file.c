/* SPDX-License-Identifier: Apache-2.0
 *
 * zone_file.c - time zones by their names, out of this machine's time zone database.
 *
 * DESIGN
 *   The last line of a TZif file, version 2 or later, is the POSIX rule that holds
 *   from now on (RFC 8536, section 3.3).
 */
#include "core/zone_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TZIF_BYTES_MAX (256u << 10)

static bool
name_valid(const char *name)
{
	return name[0] != '\0' && name[0] != '/' && strlen(name) < 64 && strstr(name, "..") == NULL;
}

bool
zone_rule_of_file(const char *bytes, size_t len, char ret_rule[static ZONE_RULE_SIZE])
{
	if (len < 46 || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2' || bytes[len - 1] != '\n')
		return false;
	const char *end = bytes + len - 1, *start = memrchr(bytes, '\n', len - 1);
	if (start == NULL || end - start < 2 || (size_t)(end - start) > ZONE_RULE_SIZE)
		return false;
	size_t rule = (size_t)(end - start) - 1;
	if (memchr(start + 1, '\0', rule) != NULL)
		return false;
	memcpy(ret_rule, start + 1, rule);
	ret_rule[rule] = '\0';
	return true;
}

bool
zone_rule_by_name(const char *name, char ret_rule[static ZONE_RULE_SIZE])
{
	char path[128];

	if (!name_valid(name))
		return false;
	snprintf(path, sizeof(path), ZONEINFO "/%s", name);
	FILE *file = fopen(path, "rbe");
	if (file == NULL)
		return false;
	char *bytes = mem_alloc(TZIF_BYTES_MAX);
	size_t len = fread(bytes, 1, TZIF_BYTES_MAX, file);
	fclose(file);
	bool ok = zone_rule_of_file(bytes, len, ret_rule);
	free(bytes);
	return ok;
}

struct zone *
zone_by_name(const char *name)
{
	char rule[ZONE_RULE_SIZE];

	return zone_rule_by_name(name, rule) ? zone_new(rule) : NULL;
}
