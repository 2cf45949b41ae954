/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_store.c - what a turn costs on the disk, what a commit costs beside a
 * bare write and fdatasync, and what a profile look-up costs among 200,000.
 *
 *   bench_store [FOLDER]     (default: a new one below /tmp)
 *
 * Bytes are counted by the kernel (/proc/self/io write_bytes), checkpoint
 * included; times are medians.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/id.h"
#include "store/store.h"
#include "profile/keys.h"
#include "profile/profiles.h"
#include "profile/sealer.h"

#define TURNS 2000
#define PROFILES 200000
#define LOOKUPS 20000

static int64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t
written(void)
{
	int64_t bytes = -1;
	char line[128];
	FILE *io = fopen("/proc/self/io", "re");
	while (io != NULL && fgets(line, sizeof(line), io) != NULL)
		sscanf(line, "write_bytes: %" SCNd64, &bytes);
	if (io != NULL)
		fclose(io);
	return bytes;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static double
percentile_us(int64_t *ns, size_t count, double p)
{
	qsort(ns, count, sizeof(*ns), compare);
	return (double)ns[(size_t)((double)(count - 1) * p)] / 1000.0;
}

static void
must(int error, const char *what)
{
	if (error < 0) {
		fprintf(stderr, "bench_store: %s: %d\n", what, error);
		exit(1);
	}
}

static struct id
id_of(const char *what, uint64_t n)
{
	char text[64];
	struct id id;
	int len = snprintf(text, sizeof(text), "%s/%" PRIu64, what, n);
	hash_bytes(id.b, sizeof(id.b), text, (size_t)len, NULL, 0);
	return id;
}

static struct id
ulid_of(const char *what, uint64_t n)
{
	struct id id = id_of(what, n);
	uint64_t ms = UINT64_C(1795000000000) + n * 20;
	for (int i = 0; i < 6; i++)
		id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
	return id;
}

/* The sizes of a typical grocery basket: a visit of eight lines, a decision among twelve actions. */
enum { VISIT_BYTES = 600, DECISION_BYTES = 1200, GUIDANCE_BYTES = 900, UPLINK_BYTES = 1200 };
static char body[4096];

static void
one_event(struct store *store, uint64_t n)
{
	uint64_t visit_n = n / 12;
	struct id name = id_of("event", n), digest = id_of("digest", n),
		  subject = id_of("customer", visit_n * 7919 % 5000);
	struct id visit = ulid_of("visit", visit_n * 12), decision = ulid_of("decision", n);
	int64_t a, b;
	must(store_seen_put(store, &name, &digest, (int64_t)n), "seen");
	must(store_put(store, STORE_VISIT, &visit, &subject, (int64_t)n, 1, body, VISIT_BYTES),
	    "visit");
	must(store_put(store, STORE_DECISION, &decision, &subject, (int64_t)n, 0, body,
		 DECISION_BYTES),
	    "decision");
	must(store_outbox_add(store, "aisle/v1/0042/guidance/7", &subject, false, body,
		 GUIDANCE_BYTES, &a),
	    "outbox");
	must(store_outbox_add(store, "aisle/v1/0042/pos/7/receipt", NULL, false, body, 200, &b),
	    "outbox");
	must(store_outbox_delete(store, a), "outbox");
	must(store_outbox_delete(store, b), "outbox");
	must(store_uplink_add(store, LANE_DECISION, "decision", (int64_t)n, &subject, body,
		 UPLINK_BYTES),
	    "uplink");
}

static void
bench_turns(const char *dir, struct keys *keys, int per_turn)
{
	static int64_t apply[TURNS], commit[TURNS];
	struct sealer sealer;
	struct store *store;
	struct err err = { 0 };
	static uint64_t n;
	sealer_init(&sealer, keys);
	const struct store_options options = { .dir = dir, .max_mib = 256, .sealer = &sealer };
	must(store_open(&options, &store, &err), err.text);
	int64_t before = written(), wal = 0;
	int turns = TURNS / per_turn;
	for (int i = 0; i < turns; i++) {
		int64_t start = now_ns();
		must(store_begin(store), "begin");
		for (int k = 0; k < per_turn; k++)
			one_event(store, n++);
		int64_t middle = now_ns(), wal_before = store_wal_bytes(store);
		must(store_commit(store), "commit");
		commit[i] = now_ns() - middle;
		apply[i] = middle - start;
		wal += store_wal_bytes(store) - wal_before;
		if (store_wal_bytes(store) > 8 << 20)
			store_checkpoint(store);
	}
	store_checkpoint(store);
	int64_t bytes = written() - before;
	printf("%2d event%s a turn   %8.1f KiB/event WAL  %8.1f KiB/event in all   apply %6.1f "
	       "us/event   commit p50 %7.1f p99 %7.1f us\n",
	    per_turn, per_turn == 1 ? " " : "s", (double)wal / turns / per_turn / 1024,
	    (double)bytes / turns / per_turn / 1024,
	    percentile_us(apply, (size_t)turns, 0.5) / per_turn,
	    percentile_us(commit, (size_t)turns, 0.5), percentile_us(commit, (size_t)turns, 0.99));
	store_close(store);
	sealer_done(&sealer);
}

/* Forgetting walks through all decisions: how long that keeps a turn. */
static void
bench_forget(const char *dir, struct keys *keys, uint64_t decisions)
{
	struct sealer sealer;
	struct store *store;
	struct err err = { 0 };
	struct id subject = id_of("customer", 1);
	sealer_init(&sealer, keys);
	const struct store_options options = { .dir = dir, .max_mib = 256, .sealer = &sealer };
	must(store_open(&options, &store, &err), err.text);
	for (uint64_t n = 0; n < decisions; n++) {
		struct id key = ulid_of("forget", 1000000 + n), who = id_of("customer", n % 5000);
		if (n % 500 == 0)
			must(store_begin(store), "begin");
		must(store_put(store, STORE_DECISION, &key, &who, (int64_t)n, 0, body,
			 DECISION_BYTES),
		    "decision");
		if (n % 500 == 499)
			must(store_commit(store), "commit");
		if (store_wal_bytes(store) > 8 << 20)
			store_checkpoint(store);
	}
	int64_t start = now_ns();
	must(store_begin(store), "begin");
	must(store_forget(store, &subject), "forget");
	must(keys_destroy(keys, &subject), "destroy");
	must(store_commit(store), "commit");
	printf("forget a customer among %" PRIu64 " decisions: %.1f ms\n", decisions,
	    (double)(now_ns() - start) / 1e6);
	store_close(store);
	sealer_done(&sealer);
}

static void
bench_bare_sync(const char *dir)
{
	static int64_t ns[TURNS];
	char path[4096];
	snprintf(path, sizeof(path), "%s/bare", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd, "bare file");
	must(posix_fallocate(fd, 0, 8 << 20) == 0 ? 0 : -1, "bare file");
	for (int i = 0; i < TURNS; i++) {
		int64_t start = now_ns();
		if (pwrite(fd, body, sizeof(body), (off_t)i % 2000 * (off_t)sizeof(body)) < 0 ||
		    fdatasync(fd) < 0)
			must(-1, "bare write");
		ns[i] = now_ns() - start;
	}
	close(fd);
	unlink(path);
	printf("bare write of 4 KiB + fdatasync: p50 %.1f p99 %.1f us\n",
	    percentile_us(ns, TURNS, 0.5), percentile_us(ns, TURNS, 0.99));
}

static void
write_lines(const char *path)
{
	FILE *file = fopen(path, "we");
	must(file != NULL ? 0 : -1, "lines");
	for (uint64_t i = 0; i < PROFILES; i++) {
		struct id subject = id_of("profile", i);
		char text[SUBJECT_TEXT_SIZE];
		subject_text(&subject, text);
		fprintf(file,
		    "{\"subject\":\"%s\",\"line\":\"Gold\",\"language\":\"de\",\"consent\":{"
		    "\"personalise\":\"granted\","
		    "\"profile\":\"granted\"},\"attributes\":{\"tier\":\"gold\",\"age_band\":4,"
		    "\"visits_per_month\":3.5,"
		    "\"likely_to_call\":0.031,\"household\":2}}\n",
		    text);
	}
	fclose(file);
}

static void
bench_profiles(const char *dir, struct keys *keys)
{
	static int64_t slices[PROFILES];
	char lines[4096], bundle[4096];
	struct profiles *profiles;
	struct err err = { 0 };
	int64_t rows = 0, start;
	snprintf(lines, sizeof(lines), "%s/lines", dir);
	snprintf(bundle, sizeof(bundle), "%s/bundle", dir);
	write_lines(lines);
	start = now_ns();
	const struct profiles_build what = { .input = lines, .store = "0042", .output = bundle };
	must(profiles_build(&what, &rows, &err), err.text);
	printf("profiles build: %" PRId64 " rows in %.2f s\n", rows,
	    (double)(now_ns() - start) / 1e9);

	must(profiles_open(dir, keys, &profiles, &err), err.text);
	for (int round = 0; round < 2; round++) {
		size_t count = 0;
		int done;
		start = now_ns();
		const struct profiles_install_what to_install = { .bundle = bundle,
			.store = "0042" };
		must(profiles_install_begin(profiles, &to_install, &err), err.text);
		slices[count++] = now_ns() - start;
		do {
			struct pollfd word = { .fd = profiles_install_fd(profiles),
				.events = POLLIN };
			bool swapped;
			must(poll(&word, 1, -1) == 1 ? 0 : -1, "poll");
			int64_t at = now_ns();
			done = profiles_install_step(profiles, &swapped, &err);
			must(done, err.text);
			slices[count++] = now_ns() - at;
		} while (done == 0);
		printf("profiles install (%s): %.2f s, of it the parent's %zu steps: max %.2f ms\n",
		    round == 0 ? "first" : "over another", (double)(now_ns() - start) / 1e9, count,
		    percentile_us(slices, count, 1.0) / 1000);
	}

	static int64_t ns[LOOKUPS];
	struct buf out = { 0 };
	for (int round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < LOOKUPS; i++) {
			struct id subject = id_of("profile", i * 7919 % PROFILES);
			buf_clear(&out);
			int64_t at = now_ns();
			must(profiles_get(profiles, &subject, &out), "get");
			ns[i] = now_ns() - at;
		}
		printf("profile look-up among %d, key and body opened (%s): p50 %.2f p99 %.2f us\n",
		    PROFILES, round == 0 ? "first time" : "again", percentile_us(ns, LOOKUPS, 0.5),
		    percentile_us(ns, LOOKUPS, 0.99));
	}
	buf_done(&out);
	profiles_close(profiles);
}

int
main(int argc, char **argv)
{
	char dir[4000] = "/tmp/aisle-bench-XXXXXX";
	struct keys *keys;
	struct err err = { 0 };
	if (argc > 1)
		snprintf(dir, sizeof(dir), "%s", argv[1]);
	else
		must(mkdtemp(dir) != NULL ? 0 : -1, "folder");
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)('a' + i % 26);
	must(keys_open(dir, NULL, &keys, &err), err.text);
	bench_bare_sync(dir);
	bench_turns(dir, keys, 1);
	bench_turns(dir, keys, 10);
	bench_forget(dir, keys, 50000);
	bench_profiles(dir, keys);
	keys_close(keys);
	if (argc <= 1)
		printf("files are in %s\n", dir);
	return 0;
}
