/* SPDX-License-Identifier: Apache-2.0
 *
 * test_http_listen.c - the sockets: which addresses are taken, and which of those that were passed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/un.h>

#include "http_rig.h"

#define TOO_HIGH 200 /* for a socket that stands for one that was passed */

static int
setup(void **state)
{
	*state = rig_new();
	return 0;
}

static int
teardown(void **state)
{
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	rig_free(*state);
	return 0;
}

/* Another server, with these addresses. *ret is freed by the caller. */
static int
listen_on(struct rig *rig, const char *addresses, bool plain_lan, struct http **ret)
{
	static struct conf conf;
	struct err err = { 0 };
	int rc;

	free(conf.http_listen);
	conf = rig->conf;
	conf.http_listen = addresses != NULL ? mem_strdup(addresses) : NULL;
	conf.http_plain_lan = plain_lan;
	*ret = NULL;
	rc = http_new(rig->base, &conf, &rig->host, ret, &err);
	if (rc != 0)
		assert_int_not_equal(err.text[0], '\0');
	return rc;
}

static int
status_of(struct rig *rig, const char *addresses, bool plain_lan)
{
	struct http *http;
	int rc = listen_on(rig, addresses, plain_lan, &http);

	http_free(http);
	return rc;
}

static bool
has_ipv6(void)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;

	close(fd);
	return has;
}

static void
an_address_is_one_to_the_letter(void **state)
{
	static const char *const bad[] = { ":80", "127.0.0.1:", "127.0.0.1:65536",
		"127.0.0.1:000000", "127.0.0.1:8x", "127.0.0.1:-1", "::1:0", "[::1:0", "::1]:0",
		"[]:0", "[127.0.0.1]:0", "127.0.0:0", "[::1]", "localhost6:0", "127.0.0.1" };
	struct rig *rig = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (status_of(rig, bad[i], true) != AISLE_E_CONFIG)
			fail_msg("%s", bad[i]);
	assert_int_equal(status_of(rig, "127.0.0.1:00000", false), 0);
	assert_int_not_equal(status_of(rig, "127.0.0.1:65535", false), AISLE_E_CONFIG);
	assert_int_equal(status_of(rig, "127.0.0.1:0 \t,localhost:0", false), 0);
	assert_int_equal(status_of(rig, NULL, false), 0);
}

static void
loopback_is_127_of_ipv4_and_one_address_of_ipv6(void **state)
{
	struct rig *rig = *state;
	struct http *http;

	assert_int_equal(status_of(rig, "127.255.255.254:0", false), 0);
	assert_int_equal(status_of(rig, "126.255.255.255:0", false), AISLE_E_CONFIG);
	assert_int_equal(status_of(rig, "128.0.0.1:0", false), AISLE_E_CONFIG);
	assert_int_equal(status_of(rig, "[::]:0", false), AISLE_E_CONFIG);
	assert_int_equal(status_of(rig, "[::2]:0", false), AISLE_E_CONFIG);
	if (!has_ipv6())
		return;
	assert_int_equal(listen_on(rig, "[::1]:0", false, &http), 0);
	assert_int_equal(strncmp(http_address(http, 0), "[::1]:", 6), 0);
	assert_int_not_equal(atoi(http_address(http, 0) + 6), 0);
	assert_null(http_address(http, 1));
	http_free(http);
}

/* The same port twice: what listens on IPv6 is IPv6 alone. */
static void
ipv6_takes_no_ipv4_with_it(void **state)
{
	struct rig *rig = *state;
	char address[32];

	if (!has_ipv6())
		return;
	snprintf(address, sizeof(address), "[::]:%u", rig->port);
	assert_int_equal(status_of(rig, address, true), 0);
}

static void
so_many_addresses_and_no_more(void **state)
{
	static const char five[] = "127.0.0.1:0 127.0.0.1:0 127.0.0.1:0 127.0.0.1:0 127.0.0.1:0";
	struct rig *rig = *state;
	struct http *http;
	char four[64];

	_Static_assert(CONF_LISTEN_MAX == 4, "the lists here have so many");
	snprintf(four, sizeof(four), "%.*s", (int)(strrchr(five, ' ') - five), five);
	assert_int_equal(listen_on(rig, four, false, &http), 0);
	assert_non_null(http_address(http, CONF_LISTEN_MAX - 1));
	assert_null(http_address(http, CONF_LISTEN_MAX));
	http_free(http);
	assert_int_equal(status_of(rig, five, false), AISLE_E_CONFIG);
}

/* ---- passed by systemd ---- */

/* A TCP socket as file descriptor `as`. */
static void
pass(int family, int as, uint32_t ipv4, bool listens)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(ipv4) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(family, SOCK_STREAM, 0);

	if (family == AF_INET)
		assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	else
		assert_int_equal(bind(fd, (struct sockaddr *)&in6, sizeof(in6)), 0);
	if (listens)
		assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(dup2(fd, as), as);
	close(fd);
}

static void
passed_up_to(int fd_last, long pid)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", pid);
	setenv("LISTEN_PID", text, 1);
	snprintf(text, sizeof(text), "%d", fd_last - 3 + 1);
	setenv("LISTEN_FDS", text, 1);
}

/* Nobody is connected to a socket that listens. */
static void
free_the_rigs(struct rig *rig)
{
	http_free(rig->http);
	rig->http = NULL;
}

static void
a_socket_that_was_passed_is_taken_if_it_listens_for_tcp(void **state)
{
	struct rig *rig = *state;
	struct http *http;
	int unix_fd = socket(AF_UNIX, SOCK_STREAM, 0), fd;
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "\0aisle-test-http-listen" };

	free_the_rigs(rig);
	assert_int_equal(bind(unix_fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(unix_fd, 1), 0);
	pass(AF_INET, TOO_HIGH, INADDR_LOOPBACK, true);
	pass(AF_INET, TOO_HIGH - 1, INADDR_LOOPBACK, false);
	passed_up_to(TOO_HIGH, getpid());
	assert_int_equal(listen_on(rig, "127.0.0.1:0", false, &http), 0);
	assert_int_equal(strncmp(http_address(http, 0), "127.0.0.1:", 10), 0);
	assert_null(http_address(http, 1)); /* nor is what the configuration says */
	fd = evconnlistener_get_fd(http->listeners[0].listener);
	assert_int_equal(fd, TOO_HIGH);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	rig->port = (uint16_t)atoi(http_address(http, 0) + 10);
	assert_int_equal(rig_get(rig, "/livez", "", NULL), 200);
	http_free(http); /* and closes it */
	assert_int_equal(fcntl(TOO_HIGH, F_GETFD), -1);
	close(TOO_HIGH - 1);
	close(unix_fd);
}

static void
one_past_the_last_that_was_passed_is_not_ours(void **state)
{
	struct rig *rig = *state;
	struct http *http;

	free_the_rigs(rig);
	pass(AF_INET, TOO_HIGH, INADDR_LOOPBACK, true);
	passed_up_to(TOO_HIGH - 1, getpid());
	assert_int_equal(listen_on(rig, NULL, false, &http), 0);
	assert_null(http_address(http, 0));
	http_free(http);
	passed_up_to(TOO_HIGH, getpid() + 1); /* for another process */
	assert_int_equal(listen_on(rig, NULL, false, &http), 0);
	assert_null(http_address(http, 0));
	http_free(http);
	unsetenv("LISTEN_FDS");
	assert_int_equal(listen_on(rig, NULL, false, &http), 0);
	assert_null(http_address(http, 0));
	http_free(http);
	close(TOO_HIGH);
}

static void
a_passed_socket_that_others_can_hear_wants_a_certificate_too(void **state)
{
	struct rig *rig = *state;
	struct http *http;

	free_the_rigs(rig);
	pass(AF_INET, TOO_HIGH, INADDR_ANY, true);
	passed_up_to(TOO_HIGH, getpid());
	assert_int_equal(listen_on(rig, NULL, false, &http), AISLE_E_CONFIG);
	assert_int_equal(listen_on(rig, NULL, true, &http), 0);
	assert_int_equal(strncmp(http_address(http, 0), "0.0.0.0:", 8), 0);
	http_free(http);
}

static void
so_many_that_were_passed_and_no_more(void **state)
{
	struct rig *rig = *state;
	struct http *http;

	free_the_rigs(rig);
	for (int i = 0; i <= CONF_LISTEN_MAX; i++)
		pass(i == 1 && has_ipv6() ? AF_INET6 : AF_INET, TOO_HIGH + i, INADDR_LOOPBACK,
		    true);
	passed_up_to(TOO_HIGH + CONF_LISTEN_MAX, getpid());
	assert_int_equal(listen_on(rig, NULL, false, &http), 0);
	assert_non_null(http_address(http, CONF_LISTEN_MAX - 1));
	assert_null(http_address(http, CONF_LISTEN_MAX));
	if (has_ipv6())
		assert_int_equal(strncmp(http_address(http, 1), "[::1]:", 6), 0);
	http_free(http);
	assert_int_not_equal(fcntl(TOO_HIGH + CONF_LISTEN_MAX, F_GETFD), -1);
	close(TOO_HIGH + CONF_LISTEN_MAX);
}

/* Before the daemon starts: nothing is listened on, and a port that is taken by the one that runs is no mistake. */
static void
a_check_asks_whether_addresses_are_of_this_machine(void **state)
{
	static const struct {
		const char *addresses;
		bool plain_lan;
		int error;
	} cases[] = {
		{ NULL, false, 0 },
		{ "127.0.0.1:0", false, 0 },
		{ "127.0.0.1:80", false, 0 },
		{ "127.0.0.1:0, 127.0.0.2:0", false, 0 },
		{ "127.0.0.1:0 192.0.2.1:8080", true, AISLE_E_CONFIG }, /* nobody's */
		{ "192.0.2.1:8080 127.0.0.1:0", true, AISLE_E_CONFIG },
		{ "0.0.0.0:8080", true, 0 },
		{ "0.0.0.0:8080", false, AISLE_E_CONFIG }, /* others could hear it */
		{ "127.0.0.1", false, AISLE_E_CONFIG },
	};
	struct rig *rig = *state;
	char taken[32];
	int before, after;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct conf conf = { .http_plain_lan = cases[i].plain_lan };
		struct err err = { 0 };

		conf.http_listen = (char *)(uintptr_t)cases[i].addresses;
		if (http_check(&conf, &err) != cases[i].error)
			fail_msg("case %zu: %s", i, err.text);
		assert_int_equal(err.text[0] != '\0', cases[i].error != 0);
	}
	snprintf(taken, sizeof(taken), "127.0.0.1:%d", rig->port);
	assert_int_equal(http_check(&(struct conf){ .http_listen = taken }, &(struct err){ 0 }), 0);
	if (has_ipv6()) {
		struct conf six = { .http_listen = (char *)(uintptr_t) "[::1]:80" };
		struct conf other = { .http_listen = (char *)(uintptr_t) "[2001:db8::1]:80",
			.http_plain_lan = true };

		assert_int_equal(http_check(&six, &(struct err){ 0 }), 0);
		assert_int_equal(http_check(&other, &(struct err){ 0 }), AISLE_E_CONFIG);
	}
	/* And what was opened is closed. */
	before = dup(0);
	close(before);
	assert_int_equal(http_check(&(struct conf){ .http_listen = taken }, &(struct err){ 0 }), 0);
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

static void
an_address_that_an_entry_before_has_is_a_mistake(void **state)
{
	(void)state;
	assert_int_equal(status_of(*state, "127.0.0.1:18181, 127.0.0.1:18181", true),
	    AISLE_E_CONFIG);
	assert_int_equal(status_of(*state, "127.0.0.1:18181, localhost:18181", true),
	    AISLE_E_CONFIG);
	assert_int_equal(status_of(*state, "127.0.0.1:18181, 0.0.0.0:18181", true), AISLE_E_CONFIG);
	assert_int_equal(status_of(*state, "0.0.0.0:18181, 127.0.0.1:18181", true), AISLE_E_CONFIG);
	assert_int_not_equal(status_of(*state, "127.0.0.1:18181, 127.0.0.2:18181", true),
	    AISLE_E_CONFIG); /* it may be taken */
	assert_int_not_equal(status_of(*state, "127.0.0.1:18181, 127.0.0.1:18182", true),
	    AISLE_E_CONFIG); /* it may be taken */
	assert_int_not_equal(status_of(*state, "127.0.0.1:18181, [::1]:18181", true),
	    AISLE_E_CONFIG); /* it may be taken */
	assert_int_equal(status_of(*state, "127.0.0.1:0, 127.0.0.1:0", true), 0);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_address_that_an_entry_before_has_is_a_mistake,
		    setup, teardown),
		T(an_address_is_one_to_the_letter),
		T(loopback_is_127_of_ipv4_and_one_address_of_ipv6),
		T(ipv6_takes_no_ipv4_with_it),
		T(so_many_addresses_and_no_more),
		T(a_socket_that_was_passed_is_taken_if_it_listens_for_tcp),
		T(one_past_the_last_that_was_passed_is_not_ours),
		T(a_passed_socket_that_others_can_hear_wants_a_certificate_too),
		T(so_many_that_were_passed_and_no_more),
		T(a_check_asks_whether_addresses_are_of_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
