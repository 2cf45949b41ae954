/* SPDX-License-Identifier: Apache-2.0
 *
 * test_model_hostile.c - model files that lie, each refused in its own words, within bounds of
 * memory and time.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model_lies.h"
#include "score/model.h"

#define MIB (1u << 20)
#define MEMORY_MAX (1024u * MIB) /* for files of up to 64 MiB */
#define CPU_S_MAX 60		 /* emulated and with sanitizers as well; without a bound: hours */

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0 /* AddressSanitizer reserves terabytes */
#endif

static void
each_lie_is_refused_in_its_own_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(small); i++) {
		struct model *model = NULL;
		struct err err = { 0 };
		if (model_import(small[i].text, strlen(small[i].text), "m", &model, &err) == 0)
			fail_msg("accepted, expected \"%s\"", small[i].why);
		assert_null(model);
		if (strstr(err.text, small[i].why) == NULL)
			fail_msg("\"%s\", expected \"%s\"", err.text, small[i].why);
	}
}

static void
what_the_lies_are_made_of_is_accepted(void **state)
{
	(void)state;
	static const char *const good[] = { XGB(GOOD), XGB(CATEGORIES("1", "0", "0", "1")),
		XGB(LEAVES("Infinity,2,3", ",\"tree_param\":{\"num_nodes\":\"3\"},\"id\":0")),
		LGB_TREE("3", "1 -1", "-3 -2", ""), LGB_CATEGORIES("0 1", "0 1 2", "1 1"),
		LGB_CATEGORIES("1 0", "0 1 2", "1 1"),
		LGB_TREE("3", "1 -1", "-3 -2",
		    "\nis_linear=1\nleaf_const=1 2 3\nnum_features=0 1 0\n"
		    "leaf_features=  0 \nleaf_coeff=  1.5 "),
		LGB("num_leaves=1\nleaf_value=1") "\nparameters:\n[a: b]\nend of parameters\n"
						  "\npandas_categorical:[]\n",
		LGB("num_leaves=1\nleaf_value=1") "pandas_categorical:null\n",
		"tree\nversion=v2\nnum_class=1\nmax_feature_idx=0\nfeature_names=a\n\nTree=0\nnum_"
		"leaves=2\n"
		"split_feature=0\nthreshold=0.5\nleft_child=-1\nright_child=-2\nleaf_value=1 "
		"2\n\nend of trees\n",
		LINEAR("\"weights\":{\"a\":1},\"missing\":{\"a\":1}") };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct model *model = NULL;
		struct err err = { 0 };
		if (model_import(good[i], strlen(good[i]), "m", &model, &err) < 0)
			fail_msg("%zu: %s", i, err.text);
		model_free(model);
	}
}

static void
a_file_cut_at_any_byte_is_refused(void **state)
{
	(void)state;
	static const char *const files[] = { XGB(CATEGORIES("1", "0", "0", "1")),
		LGB_CATEGORIES("0 1", "0 1 2", "1 1"), LINEAR("\"weights\":{\"a\":1}") };
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		/* The line end behind "end of trees" may be missing. */
		size_t whole = strlen(files[i]) - (files[i][0] == 't');
		for (size_t len = 0; len < whole; len++) {
			struct model *model = NULL;
			struct err err = { 0 };
			char *exact = malloc(len + 1); /* so that reading on is seen */
			memcpy(exact, files[i], len);
			if (model_import(exact, len, "m", &model, &err) == 0)
				fail_msg("file %zu cut to %zu bytes is accepted", i, len);
			assert_true(err.text[0] != '\0');
			free(exact);
		}
	}
}

/* ---- large files ---- */

static void
repeat(struct buf *out, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_adds(out, text);
}

static void
many(struct buf *out, const char *key, size_t count, const char *item)
{
	buf_addf(out, "\"%s\":[%s", key, item);
	for (size_t i = 1; i < count; i++) {
		buf_addc(out, ',');
		buf_adds(out, item);
	}
	buf_adds(out, "],");
}

#define OPEN \
	"{\"version\":[1,7,4],\"learner\":{\"learner_model_param\":{\"num_feature\":\"2\"}," \
	"\"objective\":{\"name\":\"reg:squarederror\"},\"gradient_booster\":{\"name\":\"gbtree\"," \
	"\"model\":{\"trees\":[{"
#define SHUT "\"id\":0}],\"tree_info\":[0]}}}}"

static void
deep_tree(struct buf *out)
{
	size_t nodes =
	    2 * 500 * 1000 + 1; /* a spine: node i has the leaf i + 1 and the node i + 2 */
	buf_adds(out, OPEN "\"left_children\":[");
	for (size_t i = 0; i < nodes; i++)
		buf_addf(out, "%s%d", i > 0 ? "," : "",
		    i % 2 == 0 && i + 2 < nodes ? (int)i + 1 : -1);
	buf_adds(out, "],\"right_children\":[");
	for (size_t i = 0; i < nodes; i++)
		buf_addf(out, "%s%d", i > 0 ? "," : "",
		    i % 2 == 0 && i + 2 < nodes ? (int)i + 2 : -1);
	buf_adds(out, "],");
	many(out, "split_indices", nodes, "0");
	many(out, "split_conditions", nodes, "0");
	many(out, "default_left", nodes, "0");
	buf_adds(out, SHUT);
}

static void
all_arrays_full(struct buf *out)
{
	static const char *const keys[] = { "left_children", "right_children", "split_indices",
		"split_conditions", "default_left", "split_type", "categories" };
	buf_adds(out, OPEN);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		many(out, keys[i], 1u << 22, i == 5 ? "0" : "1");
	buf_adds(out, SHUT);
}

static void
array_too_long(struct buf *out)
{
	buf_adds(out, OPEN);
	many(out, "left_children", (1u << 22) + 1, "1");
	buf_adds(out, SHUT);
}

static void
nested_unknown(struct buf *out)
{
	buf_adds(out, "{\"learner\":");
	repeat(out, "{\"a\":[", 5000000);
}

static void
nested_known(struct buf *out)
{
	buf_adds(out, OPEN "\"left_children\":");
	repeat(out, "[", 30000000);
}

static void
nested_linear(struct buf *out)
{
	buf_adds(out, "{\"format\":\"aisle-linear\",\"weights\":");
	repeat(out, "{\"a\":", 1000000);
}

static void
nested_ubjson(struct buf *out)
{
	buf_adds(out, "{i\x07learner");
	repeat(out,
	    "{i\x01"
	    "a[",
	    10000000);
}

static void
long_ubjson_array(struct buf *out)
{
	buf_adds(out, "{i\x07learner{i\x10gradient_booster{i\x05model{i\x09tree_info[$i#l");
	buf_add(out, "\x03\0\0\0", 4);
	repeat(out, "0123456789abcdef", 3u << 20);
	buf_adds(out, "}}}}");
}

static void
too_many_trees(struct buf *out)
{
	buf_adds(out, OPEN);
	repeat(out,
	    "\"left_children\":[-1],\"right_children\":[-1],\"split_indices\":[0],"
	    "\"split_conditions\":[1],\"default_left\":[0]},{",
	    10001);
	buf_adds(out, SHUT);
}

static void
too_many_names(struct buf *out)
{
	buf_adds(out, "{\"learner\":{\"feature_names\":[\"x\"");
	for (int i = 0; i < 65535; i++)
		buf_addf(out, ",\"%d\"", i);
	buf_adds(out, "]}}");
}

static void
many_linear_inputs(struct buf *out)
{
	buf_adds(out, "{\"format\":\"aisle-linear\",\"weights\":{\"x\":1");
	for (int i = 0; i < 400000; i++)
		buf_addf(out, ",\"%d=%d\":1", i % 65534, i);
	buf_adds(out, "},\"missing\":{\"nothing\":1}}");
}

static void
long_string(struct buf *out)
{
	buf_adds(out, "{\"learner\":{\"");
	repeat(out, "0123456789abcdef", 63u * MIB / 16);
}

static void
long_number(struct buf *out)
{
	buf_adds(out, OPEN "\"left_children\":[");
	repeat(out, "0", 60u * MIB);
}

static void
too_large(struct buf *out)
{
	repeat(out, "                ", 64u * MIB / 16);
	buf_addc(out, ' ');
}

static void
linear_too_large(struct buf *out)
{
	buf_adds(out, "{\"format\":\"aisle-linear\",\"weights\":{");
	repeat(out, "                ", MIB);
}

static void
lightgbm_array_too_long(struct buf *out)
{
	buf_adds(out, LGB_HEAD "num_leaves=2\nleaf_value=");
	repeat(out, "1 ", (1u << 22) + 1);
}

static void
many_names(struct buf *out)
{
	buf_adds(out, "{\"learner\":{\"gradient_booster\":{\"model\":{\"cats\":{\"enc\":[");
	for (int i = 0; i < 30; i++) {
		buf_adds(out, i > 0 ? ",{" : "{");
		many(out, "offsets", 1000000, "0");
		buf_adds(out, "\"values\":[]}");
	}
	buf_adds(out, "]}}}}}");
}

static void
many_frame_names(struct buf *out)
{
	buf_adds(out, LGB("num_leaves=1\nleaf_value=1") "pandas_categorical:[[0]");
	repeat(out, ",[1]", 10u << 20);
	buf_adds(out, "]\n");
}

/* In a process of its own that may take so much memory and time; its words come back in text. */
static void
import_bounded(void (*make)(struct buf *), char *text, size_t size)
{
	int ends[2], status;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit memory = { MEMORY_MAX, MEMORY_MAX }, time = { CPU_S_MAX, CPU_S_MAX };
		struct buf file = { 0 };
		struct model *model = NULL;
		struct err err = { 0 };
		make(&file);
		setrlimit(RLIMIT_CPU, &time);
		if (!SANITIZED)
			setrlimit(RLIMIT_AS, &memory);
		int r = model_import(file.data, file.len, "m", &model, &err);
		if (write(ends[1], err.text, strlen(err.text)) < 0)
			_exit(2);
		_exit(r < 0 && model == NULL ? 0 : 1);
	}
	close(ends[1]);
	ssize_t len = read(ends[0], text, size - 1);
	text[len > 0 ? len : 0] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
large_files_are_refused_within_a_gibibyte(void **state)
{
	(void)state;
	static const struct {
		void (*make)(struct buf *);
		const char *why;
	} large[] = {
		{ deep_tree, "deeper than 512" },
		{ all_arrays_full, "node 1: two ways lead to it" },
		{ array_too_long, "array too long" },
		{ nested_unknown, "nested too deep" },
		{ nested_known, "nested too deep" },
		{ nested_linear, "deep" },
		{ nested_ubjson, "nested too deep" },
		{ long_ubjson_array, "array too long" },
		{ too_many_trees, "too many trees" },
		{ too_many_names, "too many inputs" },
		{ many_linear_inputs, "no weight is for \"nothing\"" },
		{ long_string, "string without end" },
		{ long_number, "number without end" },
		{ too_large, "larger than 64 MiB" },
		{ linear_too_large, "larger than 16 MiB" },
		{ lightgbm_array_too_long, "array too long" },
		{ many_names, "too many categories" },
		{ many_frame_names, "too many categories" },
	};
	for (size_t i = 0; i < ARRAY_LEN(large); i++) {
		char text[500];
		import_bounded(large[i].make, text, sizeof(text));
		if (strstr(text, large[i].why) == NULL)
			fail_msg("\"%s\", expected \"%s\"", text, large[i].why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_lie_is_refused_in_its_own_words),
		cmocka_unit_test(what_the_lies_are_made_of_is_accepted),
		cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
		cmocka_unit_test(large_files_are_refused_within_a_gibibyte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
