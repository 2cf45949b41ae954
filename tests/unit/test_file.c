/* SPDX-License-Identifier: Apache-2.0
 *
 * test_file.c - small files as a whole: read from anything, written in one step.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"

static char folder[] = "/tmp/aisle-file-XXXXXX", path[64];

static int
open_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/f", folder);
	return 0;
}

static int
close_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static int
entries(void)
{
	DIR *dir = opendir(folder);
	int count = -2;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static void
what_is_written_is_read(void **state)
{
	struct buf back = { 0 };
	struct err err = { 0 };
	struct stat st;
	(void)state;

	assert_int_equal(file_write(path, "a\0b", 3, 0600, true, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	buf_adds(&back, "before ");
	assert_int_equal(file_read(path, 3, &back, &err), 0);
	assert_int_equal(back.len, 10);
	assert_memory_equal(back.data, "before a\0b", 11);
	buf_clear(&back);
	/* The last byte that is too much. */
	assert_int_equal(file_read(path, 2, &back, &err), AISLE_E_INVALID);
	buf_done(&back);
	assert_int_equal(entries(), 1);
}

static void
a_file_is_replaced_only_where_that_is_meant(void **state)
{
	struct buf back = { 0 };
	struct err err = { 0 };
	(void)state;

	assert_int_equal(file_write(path, "second", 6, 0644, true, &err), AISLE_E_REFUSED);
	assert_non_null(strstr(err.text, "one already"));
	err = (struct err){ 0 };
	assert_int_equal(file_read(path, 100, &back, &err), 0);
	assert_int_equal(back.len, 3);
	buf_clear(&back);
	assert_int_equal(file_write(path, "second", 6, 0644, false, &err), 0);
	assert_int_equal(file_read(path, 100, &back, &err), 0);
	assert_memory_equal(back.data, "second", 6);
	buf_done(&back);
	assert_int_equal(entries(), 1);
}

static void
a_folder_that_is_not_there_is_told(void **state)
{
	struct buf back = { 0 };
	struct err err = { 0 };
	(void)state;

	assert_int_equal(file_write("/tmp/aisle-none/f", "x", 1, 0644, false, &err), AISLE_E_IO);
	assert_string_equal(err.file, "/tmp/aisle-none/f");
	err = (struct err){ 0 };
	assert_int_equal(file_read("/tmp/aisle-none/f", 1, &back, &err), AISLE_E_NONE);
	err = (struct err){ 0 };
	assert_int_equal(file_read("/tmp", 1, &back, &err), AISLE_E_IO);
	buf_done(&back);
}

/* The first write takes a part of it, the next says that there is no more room. */
static void
a_file_that_finds_no_room_leaves_the_old_one(void **state)
{
	struct rlimit limit, was;
	struct buf back = { 0 };
	struct err err = { 0 };
	(void)state;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	limit = was;
	limit.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int rc = file_write(path, "third", 5, 0644, false, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(rc, AISLE_E_FULL);
	err = (struct err){ 0 };
	assert_int_equal(file_read(path, 100, &back, &err), 0);
	assert_string_equal(back.data, "second");
	assert_int_equal(entries(), 1);
	buf_done(&back);
}

static void
a_file_comes_to_its_place_also_where_it_is_already(void **state)
{
	struct buf back = { 0 };
	struct err err = { 0 };
	char from[70];
	(void)state;

	snprintf(from, sizeof(from), "%s.from", path);
	assert_int_equal(file_write(from, "moved", 5, 0644, true, &err), 0);
	assert_int_equal(file_move(from, path, &err), 0);
	assert_int_equal(file_move(path, path, &err), 0);
	assert_int_equal(file_read(path, 100, &back, &err), 0);
	assert_string_equal(back.data, "moved");
	assert_int_equal(entries(), 1);
	assert_int_equal(file_move(from, path, &err), AISLE_E_IO);
	assert_non_null(strstr(err.text, "No such file"));
	buf_done(&back);
}

static void
a_pipe_is_read_to_its_end(void **state)
{
	struct buf back = { 0 };
	struct err err = { 0 };
	char name[32];
	int ends[2];
	(void)state;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "from a pipe", 11), 11);
	close(ends[1]);
	snprintf(name, sizeof(name), "/dev/fd/%d", ends[0]);
	assert_int_equal(file_read(name, 100, &back, &err), 0);
	assert_string_equal(back.data, "from a pipe");
	close(ends[0]);
	buf_done(&back);
}

static void
what_is_no_file_stays_what_it_is(void **state)
{
	struct buf back = { 0 };
	struct err err = { 0 };
	char fifo[80], link[80];
	struct stat st;
	(void)state;

	snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
	snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	int fd = open(fifo, O_RDWR);
	assert_int_equal(file_write(fifo, "through", 7, 0644, false, &err), 0);
	char read_back[8] = "";
	assert_int_equal(read(fd, read_back, 7), 7);
	assert_string_equal(read_back, "through");
	assert_int_equal(lstat(fifo, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	/* Who renames by themselves ask. */
	assert_int_equal(file_replaceable(fifo, &err), AISLE_E_INVALID);
	assert_int_equal(file_replaceable(path, &err), 0);
	assert_int_equal(file_replaceable(link, &err), 0);
	/* A new file is never there already. */
	assert_int_equal(file_write(fifo, "x", 1, 0644, true, &err), AISLE_E_REFUSED);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(file_write(link, "by a link", 9, 0644, false, &err), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(file_read(path, 100, &back, &err), 0);
	assert_string_equal(back.data, "by a link");
	close(fd);
	buf_done(&back);
	unlink(fifo);
	unlink(link);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_file_is_replaced_only_where_that_is_meant),
		cmocka_unit_test(a_folder_that_is_not_there_is_told),
		cmocka_unit_test(a_file_that_finds_no_room_leaves_the_old_one),
		cmocka_unit_test(a_file_comes_to_its_place_also_where_it_is_already),
		cmocka_unit_test(a_pipe_is_read_to_its_end),
		cmocka_unit_test(what_is_no_file_stays_what_it_is),
	};

	return cmocka_run_group_tests(tests, open_folder, close_folder);
}
