/* SPDX-License-Identifier: Apache-2.0
 *
 * policy_pictures.c - the images of a policy: every file below images/.
 *
 * A card names one by the path at which the store serves it, and that by its bytes: a tablet may
 * keep it for good, and a card that is still open when the policy changes keeps its own.
 */
#include "policy/policy_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "nouns/picture.h"

#define FOLDER "images/"

static bool
check(struct compile *c, const struct policy_part *part)
{
	struct picture_head head;
	struct err err = { 0 };

	if (part->len > PICTURE_BYTES_MAX)
		err_set(&err, AISLE_E_INVALID, "image of %zu bytes, expected at most %u", part->len,
		    PICTURE_BYTES_MAX);
	else if (!picture_read(part->bytes, part->len, &head))
		err_set(&err, AISLE_E_INVALID, "not an image, expected PNG, JPEG or WebP");
	else if (head.width == 0 || head.height == 0 || head.width > PICTURE_SIDE_MAX ||
	    head.height > PICTURE_SIDE_MAX)
		err_set(&err, AISLE_E_INVALID, "image of %u x %u pixels, expected sides of 1 to %d",
		    head.width, head.height, PICTURE_SIDE_MAX);
	if (err.code != 0)
		mistake_line(c, part->name, &err);
	return err.code == 0;
}

static void
add(struct compile *c, const struct policy_part *part)
{
	char path[sizeof(PICTURE_PATH) + 64] = PICTURE_PATH;
	uint8_t hash[32];

	if (strncmp(part->name, FOLDER, strlen(FOLDER)) != 0 || !check(c, part))
		return;
	hash_bytes(hash, sizeof(hash), part->bytes, part->len, NULL, 0);
	hash_hex(path + strlen(PICTURE_PATH), hash, sizeof(hash));
	c->policy->pictures[c->policy->picture_count++] =
	    (struct policy_picture){ keep(c, part->name), keep(c, path) };
}

void
pictures_read(struct compile *c)
{
	c->policy->pictures =
	    arena_alloc(c->arena, (c->parts->count + 1) * sizeof(*c->policy->pictures));
	for (size_t i = 0; i < c->parts->count; i++)
		add(c, &c->parts->part[i]);
}

static const char *
path_of(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->picture_count; i++)
		if (strcmp(policy->pictures[i].name + strlen(FOLDER), name) == 0)
			return policy->pictures[i].path;
	return NULL;
}

const char *
picture_named(struct compile *c, const struct at *at)
{
	const char *name = json_string_value(at->json), *path;

	if (name == NULL)
		return NULL;
	if (strncmp(name, FOLDER, strlen(FOLDER)) == 0)
		name += strlen(FOLDER);
	path = path_of(c->policy, name);
	/* One that is there and no image was reported at its own place. */
	if (path == NULL) {
		char file[sizeof(FOLDER) + 256];

		snprintf(file, sizeof(file), FOLDER "%s", name);
		if (part_find(c->parts, file) == NULL)
			mistake(c, at,
			    "there is no image \"%.64s\", expected the name of a file "
			    "below " FOLDER,
			    name);
	}
	return path;
}

const char *
policy_picture(const struct policy *policy, const char *hash)
{
	for (size_t i = 0; i < policy->picture_count; i++)
		if (strcmp(policy->pictures[i].path + strlen(PICTURE_PATH), hash) == 0)
			return policy->pictures[i].name;
	return NULL;
}
