/* SPDX-License-Identifier: Apache-2.0
 *
 * test_bundle_job.c - the child that compiles a bundle, whose bundle_image_make is ours here.
 */
#if defined(__SANITIZE_ADDRESS__)
#define OWN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_ALLOCATOR 1
#endif
#endif
#ifndef OWN_ALLOCATOR
#define OWN_ALLOCATOR 0
#endif

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/crash.h"
#include "sync/bundle_image.h"

static const uint8_t key[32] = "this device's";

int
bundle_image_make(const char *path, const uint8_t in_key[static 32], char ret_hash[static 65],
    enum refusal *ret_why, struct err *err)
{
	struct sigaction term;

	(void)in_key;
	(void)ret_hash;
	*ret_why = REFUSED_POLICY;
	if (strcmp(path, "dies") == 0)
		raise(SIGSEGV);
	while (strcmp(path, "never ends") == 0)
		continue;
	/* Touched, or the kernel has not given it. */
	while (strcmp(path, "eats") == 0)
		memset(mem_alloc(1 << 20), 1, 1 << 20);
	sigaction(SIGTERM, NULL, &term);
	return err_set(err, AISLE_E_REFUSED, "%s",
	    term.sa_handler == SIG_DFL ? "default" : "caught");
}

static void
a_bundle_that_kills_its_compiler_is_refused_and_blames_no_event(void **state)
{
	const struct rlimit no_core = { 0 };
	char dir[] = "/tmp/aisle-test-XXXXXX", path[64];
	struct beside job;
	enum refusal why;
	struct crash mark;
	struct err err = { 0 };
	char hash[65] = "";

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setrlimit(RLIMIT_CORE, &no_core), 0);
	assert_int_equal(crash_open(dir, &err), 0);
	crash_input("/store/0042/pos/7", "e-1");
	assert_int_equal(bundle_job_start("dies", key, 60 * S_MS, &job, &err), 0);
	assert_int_equal(bundle_job_finish(&job, hash, &why, &err), AISLE_E_IO);
	assert_string_equal(err.text, "compiling and examining it: its process died");
	crash_close();
	assert_int_equal(crash_take(dir, &mark), AISLE_E_NONE);
	snprintf(path, sizeof(path), "%s/crash", dir);
	unlink(path);
	rmdir(dir);
}

/* What becomes of it within max_ms, and that nothing is left of it. */
static int
run_job(const char *path, int64_t max_ms, struct err *err)
{
	struct beside job;
	enum refusal why;
	char hash[65] = "";
	int rc, pid;

	assert_int_equal(bundle_job_start(path, key, max_ms, &job, err), 0);
	pid = job.pid;
	rc = bundle_job_finish(&job, hash, &why, err);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(why, REFUSED_DEADLINE);
	return rc;
}

static void
a_bundle_that_never_ends_is_refused_after_its_time(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(run_job("never ends", 1050, &err), AISLE_E_FULL);
	assert_string_equal(err.text, "compiling and examining it took longer than 1 s");
}

#define FAT_BYTES (128 << 20)

static void
grow_fat(void *ctx, void *answer)
{
	void *bytes =
	    mmap(NULL, FAT_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)ctx;
	CHECK(bytes != MAP_FAILED);
	(void)madvise(bytes, FAT_BYTES, MADV_NOHUGEPAGE);
	memset(bytes, 1, FAT_BYTES);
	*(int *)answer = getpriority(PRIO_PROCESS, 0);
}

static int64_t
mono_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The kernel takes its time to get back what a large child had; the loop does not wait for it. */
static void
an_answer_is_had_before_its_child_is_gone(void **state)
{
	int64_t least_us = INT64_MAX;

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct beside job;
		struct err err = { 0 };
		int64_t begin_us;
		int priority = 0;

		assert_int_equal(beside_start(grow_fat, NULL, sizeof(priority), 60 * S_MS, &job,
				     &err),
		    0);
		assert_int_equal(poll(&(struct pollfd){ .fd = job.fd, .events = POLLIN }, 1, -1),
		    1);
		begin_us = mono_us();
		assert_int_equal(beside_finish(&job, &priority, sizeof(priority), "it", &err), 0);
		if (mono_us() - begin_us < least_us)
			least_us = mono_us() - begin_us;
		assert_int_equal(job.pid, -1);
		/* The turns come first. */
		assert_true(priority == getpriority(PRIO_PROCESS, 0) + 10 || priority == 19);
	}
	beside_tidy(true);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	if (least_us > 2000)
		fail_msg("it was waited for %lld us", (long long)least_us);
}

/* Some emulators take a bound and do not hold to it. */
static bool
memory_is_bounded(void)
{
	struct rlimit had, bound, got;

	assert_int_equal(getrlimit(RLIMIT_AS, &had), 0);
	bound = (struct rlimit){ (rlim_t)3 << 30, had.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_AS, &bound), 0);
	assert_int_equal(getrlimit(RLIMIT_AS, &got), 0);
	assert_int_equal(setrlimit(RLIMIT_AS, &had), 0);
	return got.rlim_cur == bound.rlim_cur;
}

static void
a_bundle_that_takes_all_memory_gets_only_so_much(void **state)
{
	struct err err = { 0 };

	(void)state;
	if (OWN_ALLOCATOR || !memory_is_bounded())
		skip(); /* the sanitizer's ends the process itself when there is no more */
	assert_int_equal(run_job("eats", 60 * S_MS, &err), AISLE_E_FULL);
	assert_string_equal(err.text,
	    "compiling and examining it needs more than 192 MiB of memory");
}

static void
on_term(int number)
{
	(void)number;
}

static void
the_compiler_does_not_answer_the_loops_signals(void **state)
{
	struct beside job;
	enum refusal why;
	struct err err = { 0 };
	char hash[65] = "";

	(void)state;
	signal(SIGTERM, on_term);
	assert_int_equal(bundle_job_start("says", key, 60 * S_MS, &job, &err), 0);
	assert_int_equal(bundle_job_finish(&job, hash, &why, &err), AISLE_E_REFUSED);
	signal(SIGTERM, SIG_DFL);
	assert_string_equal(err.text, "default");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bundle_that_kills_its_compiler_is_refused_and_blames_no_event),
		cmocka_unit_test(a_bundle_that_never_ends_is_refused_after_its_time),
		cmocka_unit_test(a_bundle_that_takes_all_memory_gets_only_so_much),
		cmocka_unit_test(the_compiler_does_not_answer_the_loops_signals),
		cmocka_unit_test(an_answer_is_had_before_its_child_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
