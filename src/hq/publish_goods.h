/* SPDX-License-Identifier: Apache-2.0
 *
 * publish_goods.h - the files that are to be published, read and told apart by their content.
 */
#ifndef AISLE_HQ_PUBLISH_GOODS_H
#define AISLE_HQ_PUBLISH_GOODS_H

#include "hq/publish.h"
#include "trust/order.h"

#define PUBLISH_CHUNK RELEASE_CHUNK
#define PUBLISH_RETAINED_MAX (INT64_C(16) << 20) /* bytes of a bundle whose chunks are retained */

struct goods_text {
	char *path, *text; /* the envelope, without an end of line */
	size_t len;
};
struct goods_root {
	struct goods_text file;
	struct root root;
};
struct goods_release {
	struct goods_text file;
	struct release release;
};
struct goods_order {
	struct goods_text file;
	struct order order;
};
struct artifact_file {
	char *path;
	char hash[65], kind[16], name[65], version[65];
	int64_t bytes;
	int64_t packed; /* of all its chunks, as they are sent; -1: not made yet */
	uint64_t stamp; /* of the file, before it was read */
};
/* Of a folder: what is wrong in it is left out. */
struct left_out {
	size_t count;
	struct err first;
};
void left_out_add(struct left_out *left, const struct err *why);
struct goods_taken {
	char store[TRUST_NAME_SIZE];
	int64_t sequence; /* of its own orders, the highest that it took */
};
struct goods {
	struct goods_root *roots; /* ascending by version */
	size_t root_count, root_room;
	struct goods_release *releases;
	size_t release_count, release_room;
	struct goods_order *orders;
	size_t order_count, order_room;
	struct artifact_file *artifacts;
	size_t artifact_count, artifact_room;
	struct goods_taken *taken; /* as stores told */
	size_t taken_count;
	struct left_out left;	      /* files that could not be read */
	uint64_t stamp, orders_stamp; /* of the folder and its orders, before they were read */
	bool folder; /* its history: what is superseded or expired in it is no mistake */
};

/* AISLE_E_NONE: what is there, if anything, is no folder of headquarters: a misspelt one would be an empty one. */
int goods_folder(const char *dir, struct err *err) AISLE_MUST_CHECK;
/* Reads and parses; nothing is verified yet. before: as they were; a bundle whose file is the same is not read again. NULL: none. */
int goods_read(const struct publish_options *options, const struct goods *before, struct goods *ret,
    struct err *err) AISLE_MUST_CHECK;
void goods_done(struct goods *goods);
/* Of a folder: another value when a file came, went or was changed. */
uint64_t goods_stamp(const char *dir);
uint64_t goods_orders_stamp(const char *dir); /* likewise, of its orders alone */
/* 0: it told nothing. */
int64_t goods_taken(const struct goods *goods, const char *store);
const struct artifact_file *goods_artifact(const struct goods *goods, const char *hash); /* NULL */

/* Chunk n as it is sent: a zstd frame of exactly its bytes. AISLE_E_REFUSED: the file is not the one that was read. */
int artifact_chunk(const struct artifact_file *artifact, int64_t n, struct buf *out,
    struct err *err) AISLE_MUST_CHECK;
int64_t artifact_chunks(int64_t bytes);
/* How much all of them are. */
int artifact_pack(struct artifact_file *artifact, struct err *err) AISLE_MUST_CHECK;

/* "aisle/v1/hq/…" of what is retained, and of a store's answers. */
#define PUBLISH_TOPIC_SIZE 192
void topic_root(char out[static PUBLISH_TOPIC_SIZE], int64_t version);
void topic_release(char out[static PUBLISH_TOPIC_SIZE], const struct release *release);
void topic_chunk(char out[static PUBLISH_TOPIC_SIZE], const char *hash, int64_t n);
void topic_orders(char out[static PUBLISH_TOPIC_SIZE], const struct order *order);
#define TOPIC_HQ "aisle/v1/hq/"
#define TOPIC_STOP TOPIC_HQ "stop"
/* For that store alone? Then no chunk of it is retained: it asks for them. */
bool release_is_own(const struct release *release);

#endif
