/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle_job.c - a bundle compiled and examined in a child process: a big policy takes a good part
 * of a second, and several times its memory.
 */
#include "sync/bundle_image.h"

#include <string.h>

#include "core/file.h"

#define WHAT "compiling and examining it"

struct work {
	const char *path;
	const uint8_t *key;
};

struct answer {
	struct err err;
	char hash[65];
	enum refusal why;
};

static void
run(void *ctx, void *answer_bytes)
{
	const struct work *work = ctx;
	struct answer *answer = answer_bytes;

	file_settle(work->path); /* it is moved to its place next */
	if (bundle_image_make(work->path, work->key, answer->hash, &answer->why, &answer->err) !=
		0 &&
	    answer->err.code == 0)
		err_set(&answer->err, AISLE_E_IO, "the bundle could not be compiled");
}

int
bundle_job_start(const char *path, const uint8_t key[static 32], int64_t max_ms,
    struct beside *ret_job, struct err *err)
{
	struct work work = { path, key };

	return beside_start(run, &work, sizeof(struct answer), max_ms, ret_job, err);
}

int
bundle_job_finish(struct beside *job, char ret_hash[static 65], enum refusal *ret_why,
    struct err *err)
{
	struct answer answer;
	int rc = beside_finish(job, &answer, sizeof(answer), WHAT, err);

	if (rc != 0) {
		*ret_why = rc == AISLE_E_FULL ? REFUSED_DEADLINE : REFUSED_IO;
		return rc;
	}
	*ret_why = answer.why;
	memcpy(ret_hash, answer.hash, sizeof(answer.hash));
	*err = answer.err;
	return answer.err.code;
}
