/* SPDX-License-Identifier: Apache-2.0
 *
 * test_watch.c - what the daemon tells others: metrics, the service manager, the crash mark, the log.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/crash.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/notify.h"

static void
holds(const struct buf *text, const char *line)
{
	if (strstr(text->data, line) == NULL)
		fail_msg("no %s in\n%s", line, text->data);
}

static void
every_series_is_there_from_the_start(void **state)
{
	(void)state;
	struct buf text = { 0 };
	metrics_reset();
	metrics_write(&text, false);
	holds(&text, "aisle_events_total{type=\"aisle.basket.opened\",result=\"accepted\"} 0\n");
	holds(&text,
	    "aisle_events_total{type=\"aisle.guidance.decided\",result=\"duplicate\"} 0\n");
	holds(&text, "aisle_events_rejected_total{reason=\"rate\"} 0\n");
	holds(&text, "aisle_limits_hit_total{limit=\"other\"} 0\n");
	holds(&text, "aisle_turn_duration_seconds_bucket{le=\"+Inf\"} 0\n");
	holds(&text, "# TYPE aisle_events_total counter\n");
	holds(&text, "aisle_build_info{version=");
	assert_null(strstr(text.data, "# EOF"));
	assert_int_equal(text.data[text.len - 1], '\n');
	buf_done(&text);
}

static void
what_is_counted_is_shown(void **state)
{
	(void)state;
	struct buf text = { 0 };
	metrics_reset();
	metrics_event(EV_BASKET_CLOSED, false);
	metrics_event(EV_BASKET_CLOSED, true);
	metrics_event(EV_BASKET_CLOSED, true);
	metrics_rejected(REJECT_CLOCK);
	metrics_add(METRIC_PROMPTS_SENT, 3);
	metrics_set(METRIC_UPLINK_QUEUED, 12);
	metrics_observe(50);
	metrics_observe(51);
	metrics_observe(9000000);
	assert_int_equal(metrics_get(METRIC_PROMPTS_SENT), 3);
	metrics_write(&text, false);
	holds(&text, "aisle_events_total{type=\"aisle.basket.closed\",result=\"accepted\"} 1\n");
	holds(&text, "aisle_events_total{type=\"aisle.basket.closed\",result=\"duplicate\"} 2\n");
	holds(&text, "aisle_events_rejected_total{reason=\"clock\"} 1\n");
	holds(&text, "aisle_prompts_total{result=\"sent\"} 3\n");
	holds(&text, "aisle_uplink_queued 12\n");
	holds(&text, "_bucket{le=\"5e-05\"} 1\n");
	holds(&text, "_bucket{le=\"0.0001\"} 2\n");
	holds(&text, "_bucket{le=\"5.0\"} 2\n");
	holds(&text, "_bucket{le=\"+Inf\"} 3\n");
	holds(&text, "_sum 9.000101\n");
	holds(&text, "_count 3\n");
	buf_done(&text);
}

static void
openmetrics_differs_where_it_must(void **state)
{
	(void)state;
	struct buf text = { 0 };
	metrics_reset();
	metrics_write(&text, true);
	holds(&text, "# TYPE aisle_events counter\n");
	holds(&text, "aisle_events_total{type=");
	holds(&text, "# UNIT aisle_turn_duration_seconds seconds\n");
	holds(&text, "# UNIT aisle_state_bytes bytes\n");
	holds(&text, "# TYPE aisle_build info\n");
	assert_string_equal(text.data + text.len - 6, "# EOF\n");
	assert_string_equal(metrics_content_type(true),
	    "application/openmetrics-text; version=1.0.0; charset=utf-8");
	assert_string_equal(metrics_content_type(false),
	    "text/plain; version=0.0.4; charset=utf-8");
	buf_done(&text);
}

static void
hears(int fd, const char *expected)
{
	char text[400];
	ssize_t len = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	assert_true(len >= 0);
	text[len] = '\0';
	assert_memory_equal(text, expected, strlen(expected));
}

static void
the_service_manager_hears_us(void **state)
{
	(void)state;
	for (int abstract = 0; abstract < 2; abstract++) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		char name[60];
		snprintf(name, sizeof(name), "%s/tmp/aisle-notify-%d", abstract ? "@" : "",
		    (int)getpid());
		memcpy(address.sun_path, name, strlen(name));
		if (abstract)
			address.sun_path[0] = '\0';
		int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		socklen_t size =
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + !abstract);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
		setenv("NOTIFY_SOCKET", name, 1);
		notify_ready();
		hears(fd, "READY=1\n");
		notify_status("%d tills\nREADY=0", 7);
		hears(fd, "STATUS=7 tills READY=0\n");
		notify_alive();
		hears(fd, "WATCHDOG=1\n");
		notify_reloading();
		hears(fd, "RELOADING=1\nMONOTONIC_USEC=");
		notify_stopping();
		hears(fd, "STOPPING=1\n");
		close(fd);
		if (!abstract)
			unlink(name);
	}
	notify_ready(); /* nobody there: no harm */
	unsetenv("NOTIFY_SOCKET");
	notify_ready();
}

static void
the_watchdog_is_fed_at_half_its_time_and_only_by_us(void **state)
{
	(void)state;
	char pid[20];
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_interval_ms(), 0);
	setenv("WATCHDOG_USEC", "20000000", 1);
	assert_int_equal(notify_interval_ms(), 10000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_interval_ms(), 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_interval_ms(), 10000);
	setenv("WATCHDOG_USEC", "2e7", 1);
	assert_int_equal(notify_interval_ms(), 0);
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
}

static char dir[] = "/tmp/aisle-crash-XXXXXX";

/* Runs a child that dies by `how` while it works on till/7's 42nd event. */
static int
die(int how)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, STDERR_FILENO);
		for (int i = 1; i < 32; i++)
			signal(i, SIG_DFL);
		struct err err = { 0 };
		if (crash_open(dir, &err) != 0)
			_exit(9);
		crash_input("/till/7", "42");
		if (how == 0)
			CHECK(how == 1);
		else if (how > 0)
			raise(how);
		else
			for (;;)
				pause();
		_exit(8);
	}
	if (how < 0) {
		usleep(20000);
		while (access(dir, F_OK) != 0)
			usleep(1000);
		kill(pid, -how);
	}
	int status;
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static void
a_bug_leaves_a_mark_that_is_taken_once(void **state)
{
	(void)state;
	struct crash crash = { { 0 }, { 0 }, { 0 } };
	assert_int_equal(crash_take(dir, &crash), AISLE_E_NONE);
	assert_int_equal(die(0), SIGABRT);
	assert_int_equal(crash_take(dir, &crash), 0);
	assert_string_equal(crash.source, "/till/7");
	assert_string_equal(crash.id, "42");
	assert_memory_equal(crash.what, "CHECK(how == 1) at ", 19);
	assert_true(crash_is(&crash, "/till/7", "42"));
	assert_false(crash_is(&crash, "/till/7", "43"));
	assert_false(crash_is(&crash, "/till/8", "42"));
	assert_int_equal(crash_take(dir, &crash), AISLE_E_NONE);
}

static void
a_fatal_signal_leaves_a_mark(void **state)
{
	(void)state;
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct crash crash;
		char what[20];
		assert_int_equal(die(signals[i]), signals[i]);
		assert_int_equal(crash_take(dir, &crash), 0);
		snprintf(what, sizeof(what), "signal %02d", signals[i]);
		assert_string_equal(crash.what, what);
		assert_string_equal(crash.id, "42");
	}
}

static void
a_plain_kill_leaves_none(void **state)
{
	(void)state;
	struct crash crash;
	assert_int_equal(die(-SIGKILL), SIGKILL);
	assert_int_equal(crash_take(dir, &crash), AISLE_E_NONE);
	assert_int_equal(die(-SIGTERM), SIGTERM);
	assert_int_equal(crash_take(dir, &crash), AISLE_E_NONE);
}

static void
between_inputs_a_mark_names_none(void **state)
{
	(void)state;
	struct crash crash = { { 0 }, { 0 }, { 0 } };
	assert_false(crash_is(&crash, "", ""));
	struct err err = { 0 };
	assert_int_equal(crash_open("/nonexistent", &err), AISLE_E_IO);
	assert_int_equal(err.code, AISLE_E_IO);
	crash_write("nothing is open: no harm");
}

static void
a_log_line_is_one_line(void **state)
{
	(void)state;
	int ends[2], saved = dup(STDERR_FILENO);
	char text[4096], longer[4000];
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_warning("till said %s count=%d", "a\nREADY\x1b[1m", 7);
	log_debug("not shown");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	log_error("%s", longer);
	dup2(saved, STDERR_FILENO);
	ssize_t len = read(ends[0], text, sizeof(text) - 1);
	assert_true(len > 0);
	text[len] = '\0';
	assert_memory_equal(text, "<4>till said a READY [1m count=7\n<3>xxx", 39);
	assert_int_equal(text[len - 1], '\n');
	assert_true(len < 2200);
	close(ends[0]);
	close(ends[1]);
	close(saved);
	enum log_level level;
	assert_true(log_level_parse("error", &level) && level == LOG_ERROR);
	assert_true(log_level_parse("debug", &level) && level == LOG_DEBUG);
	assert_false(log_level_parse("verbose", &level));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_series_is_there_from_the_start),
		cmocka_unit_test(what_is_counted_is_shown),
		cmocka_unit_test(openmetrics_differs_where_it_must),
		cmocka_unit_test(the_service_manager_hears_us),
		cmocka_unit_test(the_watchdog_is_fed_at_half_its_time_and_only_by_us),
		cmocka_unit_test(a_bug_leaves_a_mark_that_is_taken_once),
		cmocka_unit_test(a_fatal_signal_leaves_a_mark),
		cmocka_unit_test(a_plain_kill_leaves_none),
		cmocka_unit_test(between_inputs_a_mark_names_none),
		cmocka_unit_test(a_log_line_is_one_line),
	};
	if (mkdtemp(dir) == NULL)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	char path[64];
	snprintf(path, sizeof(path), "%s/crash", dir);
	unlink(path);
	rmdir(dir);
	return failed;
}
