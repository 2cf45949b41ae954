/* SPDX-License-Identifier: Apache-2.0
 *
 * feed_map.c - names that a feed check has met: a hash table that grows to a bound.
 */
#include "tools/feed_map.h"

#include <stdlib.h>
#include <string.h>

#define FEED_NAMES_MAX (1u << 19) /* ten days of a large store */

struct feed_map *
feed_map_new(void)
{
	struct feed_map *map = mem_zero(sizeof(*map));

	map->capacity = 1024;
	map->entries = mem_calloc(map->capacity, sizeof(*map->entries));
	return map;
}

void
feed_map_free(struct feed_map *map)
{
	if (map != NULL)
		free(map->entries);
	free(map);
}

/* Keys are hashes, so their first bytes spread well enough. */
struct entry *
feed_map_place(struct feed_map *map, const struct id *key)
{
	uint64_t hash;
	size_t i;

	memcpy(&hash, key->b, sizeof(hash));
	i = (size_t)hash & (map->capacity - 1);
	while (map->entries[i].used && !id_equal(&map->entries[i].key, key))
		i = (i + 1) & (map->capacity - 1);
	return &map->entries[i];
}

static void
map_grow(struct feed_map *map)
{
	struct feed_map larger = { .capacity = map->capacity * 2, .count = map->count };

	larger.entries = mem_calloc(larger.capacity, sizeof(*larger.entries));
	for (size_t i = 0; i < map->capacity; i++) {
		if (map->entries[i].used)
			*feed_map_place(&larger, &map->entries[i].key) = map->entries[i];
	}
	free(map->entries);
	*map = larger;
}

struct entry *
feed_map_get(struct feed_map *map, const struct id *key, bool *ret_new)
{
	struct entry *entry = feed_map_place(map, key);

	*ret_new = !entry->used;
	if (entry->used)
		return entry;
	if (map->count >= FEED_NAMES_MAX)
		return NULL;
	if (map->count * 2 >= map->capacity) {
		map_grow(map);
		entry = feed_map_place(map, key);
	}
	map->count++;
	entry->used = true;
	entry->key = *key;
	return entry;
}
