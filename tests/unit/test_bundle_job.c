/* SPDX-License-Identifier: Apache-2.0
 *
 * test_bundle_job.c - the child that compiles a bundle, whose bundle_image_make is ours here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/crash.h"
#include "sync/bundle_image.h"

static const uint8_t key[32] = "this device's";

int
bundle_image_make(const char *path, const uint8_t in_key[static 32], char ret_hash[static 65],
    struct err *err)
{
	struct sigaction term;

	(void)in_key;
	(void)ret_hash;
	if (strcmp(path, "dies") == 0)
		raise(SIGSEGV);
	sigaction(SIGTERM, NULL, &term);
	return err_set(err, AISLE_E_REFUSED, "%s",
	    term.sa_handler == SIG_DFL ? "default" : "caught");
}

static void
a_bundle_that_kills_its_compiler_is_refused_and_blames_no_event(void **state)
{
	const struct rlimit no_core = { 0 };
	char dir[] = "/tmp/aisle-test-XXXXXX", path[64];
	struct bundle_job job;
	struct crash mark;
	struct err err = { 0 };
	char hash[65] = "";

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setrlimit(RLIMIT_CORE, &no_core), 0);
	assert_int_equal(crash_open(dir, &err), 0);
	crash_input("/store/0042/pos/7", "e-1");
	assert_int_equal(bundle_job_start("dies", key, &job, &err), 0);
	assert_int_equal(bundle_job_finish(&job, hash, &err), AISLE_E_IO);
	assert_string_equal(err.text, "the bundle's compiler died");
	crash_close();
	assert_int_equal(crash_take(dir, &mark), AISLE_E_NONE);
	snprintf(path, sizeof(path), "%s/crash", dir);
	unlink(path);
	rmdir(dir);
}

static void
on_term(int number)
{
	(void)number;
}

static void
the_compiler_does_not_answer_the_loops_signals(void **state)
{
	struct bundle_job job;
	struct err err = { 0 };
	char hash[65] = "";

	(void)state;
	signal(SIGTERM, on_term);
	assert_int_equal(bundle_job_start("says", key, &job, &err), 0);
	assert_int_equal(bundle_job_finish(&job, hash, &err), AISLE_E_REFUSED);
	signal(SIGTERM, SIG_DFL);
	assert_string_equal(err.text, "default");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bundle_that_kills_its_compiler_is_refused_and_blames_no_event),
		cmocka_unit_test(the_compiler_does_not_answer_the_loops_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
