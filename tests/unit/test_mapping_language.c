/* SPDX-License-Identifier: Apache-2.0
 *
 * test_mapping_language.c - what a mapping can say: lists, snapshots, lines with names, texts that
 * hold JSON, local times, XML; and what it gets told when it is wrong.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ingest/envelope.h"
#include "ingest/mapping.h"
#include "ingest/xml.h"

#define HEAD "{'topic':'t/+','terminal':2,"
#define LINE "'type':'aisle.basket.item-added','id':{'cat':[{'var':'$.v'},'/',{'var':'n'}]}"
#define DATA \
	"'data':{'basket':{'var':'$.b'},'line':{'var':'n'},'sku':{'var':'s'},'category':'c','qty'" \
	":1,'amount':{'var':'a'}}"

static char path[] = "/tmp/aisle-mapping-language-XXXXXX";
static struct mapping *mapping;
static struct buf report;
static struct err err;
static char terminal[33];

/* Quotes as ' in all texts here. */
static char *
quoted(const char *text)
{
	char *copy = mem_strdup(text);

	for (char *at = copy; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	return copy;
}

static int
load(const char *text)
{
	FILE *file = fopen(path, "w");
	char *copy = quoted(text);

	assert_non_null(file);
	fputs(copy, file);
	fclose(file);
	free(copy);
	mapping_free(mapping);
	mapping = NULL;
	buf_clear(&report);
	return mapping_load("m", path, &mapping, &report);
}

static void
must_load(const char *text)
{
	if (load(text) != 0)
		fail_msg("%s", report.data);
	mapping_set_store(mapping, "EUR", "Europe/Berlin");
}

static json_t *
apply_raw(const char *payload, size_t len)
{
	memset(&err, 0, sizeof(err));
	return mapping_apply(mapping, "t/7", payload, len, terminal, &err);
}

static json_t *
apply(const char *payload)
{
	char *copy = quoted(payload);
	json_t *events = apply_raw(copy, strlen(copy));

	free(copy);
	return events;
}

/* "type-leaf id time? data" of each event, a line each. */
static void
expect(const char *payload, const char *const *wanted, size_t count)
{
	json_t *events = apply(payload), *event;
	size_t i;

	if (events == NULL)
		fail_msg("%s: %s", payload, err.text);
	json_array_foreach(events, i, event) {
		const char *type = json_string_value(json_object_get(event, "type"));
		const char *time = json_string_value(json_object_get(event, "time"));
		struct buf have = { 0 }, data = { 0 };
		char *want = quoted(i < count ? wanted[i] : "nothing");

		json_write(json_object_get(event, "data"), &data);
		buf_addf(&have, "%s %s %s%s%s", strrchr(type, '.') + 1,
		    json_string_value(json_object_get(event, "id")), time != NULL ? time : "",
		    time != NULL ? " " : "", data.data);
		if (strcmp(have.data, want) != 0)
			fail_msg("%s, expected %s", have.data, want);
		buf_done(&have);
		buf_done(&data);
		free(want);
	}
	assert_int_equal(json_array_size(events), count);
	json_decref(events);
}
#define EXPECT(payload, ...) \
	do { \
		static const char *const wanted_[] = { __VA_ARGS__ }; \
		expect(payload, wanted_, ARRAY_LEN(wanted_)); \
	} while (0)

static int
setup(void **state)
{
	(void)state;
	close(mkstemp(path));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mapping_free(mapping);
	buf_done(&report);
	unlink(path);
	return 0;
}

/* ---- lists ---- */

static void
each_of_a_list_is_an_event_and_an_object_is_a_list_of_one(void **state)
{
	(void)state;
	must_load(HEAD
	    "'events':[{'each':'o.l','type':'aisle.stock.changed','id':{'cat':[{'var':'$.v'},'-',"
	    "{'var':'$i'},'-',{'var':'$._topic.1'}]},'data':{'sku':{'var':'s'},'state':'in'}}]}");
	EXPECT("{'v':'e','o':{'l':[{'s':'a'},{'s':'b'}]}}",
	    "changed e-0-7 {'sku':'a','state':'in'}", "changed e-1-7 {'sku':'b','state':'in'}");
	EXPECT("{'v':'e','o':{'l':{'s':'a'}}}", "changed e-0-7 {'sku':'a','state':'in'}");
	assert_null(apply("{'v':'e','o':{'l':[]}}"));
	assert_int_equal(err.code, AISLE_E_NONE);
	assert_null(apply("{'v':'e','o':{}}"));
	assert_int_equal(err.code, AISLE_E_NONE);
	/* the message itself may be the list */
	must_load(HEAD "'events':[{'each':'_list','type':'aisle.stock.changed','id':{'var':'s'},"
		       "'data':{'sku':{'var':'s'},'state':'in'}}]}");
	EXPECT("[{'s':'a'}]", "changed a {'sku':'a','state':'in'}");
	/* the path may be worked out */
	must_load(HEAD "'events':[{'each':{'if':[{'var':'x'},{'var':'x.l'},{'var':'l'}]},"
		       "'type':'aisle.stock.changed','id':{'var':''},'data':{'sku':{'var':''},'"
		       "state':'in'}}]}");
	EXPECT("{'l':['a']}", "changed a {'sku':'a','state':'in'}");
	EXPECT("{'x':{'l':'b'}}", "changed b {'sku':'b','state':'in'}");
}

/* It may be a whole list, asked for each of its elements: only its truth is wanted. As a field it is too large. */
static void
the_truth_of_a_large_value_is_taken_without_a_walk_over_it(void **state)
{
	struct buf large = { 0 }, rule = { 0 }, payload = { 0 };

	(void)state;
	buf_adds(&large, "[{'var':'many'}");
	for (int i = 1; i < 30; i++)
		buf_adds(&large, ",{'var':'many'}");
	buf_adds(&large, "]");
	buf_adds(&payload, "{'many':[0");
	for (int i = 1; i < 5000; i++)
		buf_adds(&payload, ",0");
	buf_adds(&payload, "]}");
	for (int is_field = 0; is_field < 2; is_field++) {
		json_t *events;

		buf_clear(&rule);
		buf_addf(&rule,
		    HEAD
		    "'events':[{'when':%s,'type':'aisle.stock.changed','id':'1','data':{'sku':%s,"
		    "'state':'in'}}]}",
		    large.data, is_field ? large.data : "'a'");
		must_load(rule.data);
		events = apply(payload.data);
		assert_int_equal(json_array_size(events), !is_field);
		json_decref(events);
	}
	assert_non_null(strstr(err.text, "/events/0/data/sku: the rule needs too many steps"));
	buf_done(&large);
	buf_done(&rule);
	buf_done(&payload);
}

static void
a_message_makes_a_bounded_number_of_events(void **state)
{
	struct buf text = { 0 };

	(void)state;
	must_load(HEAD "'events':[{'each':'l','type':'aisle.stock.changed','id':{'var':'$i'},"
		       "'data':{'sku':{'var':''},'state':'in'}}]}");
	for (int count = MAPPING_MADE_MAX; count <= MAPPING_MADE_MAX + 1; count++) {
		json_t *events;

		buf_clear(&text);
		buf_adds(&text, "{\"l\":[1");
		for (int i = 1; i < count; i++)
			buf_adds(&text, ",1");
		buf_adds(&text, "]}");
		events = apply_raw(text.data, text.len);
		assert_true((events != NULL) == (count == MAPPING_MADE_MAX));
		json_decref(events);
	}
	assert_non_null(strstr(err.text, "at most 2048 events"));
	buf_done(&text);
}

/* ---- snapshots ---- */

static void
a_snapshot_voids_what_it_does_not_name(void **state)
{
	json_t *a, *b;

	(void)state;
	must_load(HEAD "'events':[{'each':'l','snapshot':true,'when':{'!=':[{'var':'q'},0]}," LINE
		       ",'time':{'var':'$.t'}," DATA "},"
		       "{'when':{'var':'done'},'type':'aisle.basket.cancelled','id':{'cat':[{'var':"
		       "'v'},'/x']},'data':{'basket':{'var':'b'}}}]}");
	/* the void stands before what follows */
	EXPECT("{'b':'B','v':'1','t':'2026-11-21T10:00:00Z','done':true,'l':[{'n':1,'s':'s','a':5},"
	       "{'n':'x','s':'t','a':6},{'n':3,'q':0}]}",
	    "item-added 1/1 2026-11-21T10:00:00Z "
	    "{'basket':'B','line':1,'sku':'s','category':'c','qty':1,'amount':5,'currency':'EUR'}",
	    "item-added 1/x 2026-11-21T10:00:00Z "
	    "{'basket':'B','line':8799838123481167,'sku':'t','category':'c','qty':1,'amount':6,'"
	    "currency':'EUR'}",
	    "item-voided rest/de7d540dff2232d8a8a8a9cb13324f42 2026-11-21T10:00:00Z "
	    "{'basket':'B','except':[1,8799838123481167]}",
	    "cancelled 1/x {'basket':'B'}");
	/* nothing is left: also where the list is empty, or nothing of it is wanted */
	EXPECT("{'b':'B','v':'2','t':'2026-11-21T10:00:00Z','l':[]}",
	    "item-voided rest/a28c88d9cefb32d4297f855faf66d075 2026-11-21T10:00:00Z "
	    "{'basket':'B','except':[]}");
	EXPECT("{'b':'B','v':'2','t':'2026-11-21T10:00:00Z','l':[{'n':1,'q':0}]}",
	    "item-voided rest/a28c88d9cefb32d4297f855faf66d075 2026-11-21T10:00:00Z "
	    "{'basket':'B','except':[]}");
	/* a message without the list says nothing of it */
	EXPECT("{'b':'B','v':'2','done':true}", "cancelled 2/x {'basket':'B'}");
	/* the same message again is the same event, and another another */
	a = apply("{'b':'B','v':'1','l':[{'n':1,'s':'s','a':5}]}");
	b = apply("{'b':'B','v':'1','l':[{'n':1,'s':'s','a':5}]}");
	assert_true(json_equal(a, b));
	json_decref(b);
	b = apply("{'b':'B','v':'2','l':[{'n':1,'s':'s','a':5}]}");
	assert_false(json_equal(json_object_get(json_array_get(a, 1), "id"),
	    json_object_get(json_array_get(b, 1), "id")));
	json_decref(a);
	json_decref(b);
}

/* ---- lines with names ---- */

static int64_t
line_of(const char *n)
{
	char payload[400];
	json_t *events;
	int64_t line;

	snprintf(payload, sizeof(payload), "{'b':'B','v':'1','n':%s,'s':'s','a':5}", n);
	events = apply(payload);
	assert_non_null(events);
	assert_true(json_is_integer(json_object_get(json_object_get(json_array_get(events, 0),
							"data"),
	    "line")));
	line =
	    json_integer_value(json_object_get(json_object_get(json_array_get(events, 0), "data"),
		"line"));
	json_decref(events);
	return line;
}

static void
a_line_with_a_name_has_the_same_number_wherever_it_is_read(void **state)
{
	int64_t first;

	(void)state;
	must_load(HEAD "'events':[{" LINE "," DATA "}]}");
	/* what is a number stays one */
	assert_int_equal(line_of("7"), 7);
	assert_int_equal(line_of("'7'"), 7);
	assert_int_equal(line_of("'0'"), 0);
	assert_int_equal(line_of("4503599627370495"), INT64_C(4503599627370495));
	assert_int_equal(line_of("'4503599627370495'"), INT64_C(4503599627370495));
	assert_int_equal(line_of("9007199254740991"), INT64_C(9007199254740991));
	/* other texts, and numbers that a line cannot have, are above those that tills count */
	first = line_of("'item_01HXYZ'");
	assert_int_equal(first, INT64_C(8521058205238240));
	assert_true(line_of("'07'") >= INT64_C(1) << 52);
	assert_true(line_of("'4503599627370496'") >= INT64_C(1) << 52);
	assert_true(line_of("9007199254740992") >= INT64_C(1) << 52);
	assert_int_equal(line_of("9007199254740992"), line_of("'9007199254740992'"));
	assert_int_not_equal(line_of("'item_01HXYz'"), first);
	must_load(HEAD "'events':[{" LINE "," DATA "}]}");
	assert_int_equal(line_of("'item_01HXYZ'"), first);
	/* they stay below what a line may be */
	for (int i = 0; i < 2000; i++) {
		char text[32];

		snprintf(text, sizeof(text), "'line-%d'", i);
		assert_true(line_of(text) >= INT64_C(1) << 52 &&
		    line_of(text) <= INT64_C(9007199254740991));
	}
}

/* ---- data ---- */

static void
data_may_have_objects_and_lists_with_rules_in_them(void **state)
{
	(void)state;
	must_load(HEAD "'money':'decimal','rounding':'half-up','events':[{'type':'aisle.basket."
		       "closed','id':{'var':'i'},'data':{"
		       "'basket':{'var':'b'},'total':{'number':{'var':'p'}},"
		       "'tenders':[{'type':'card','amount':{'number':{'var':'p'}}},{'amount':{'+':["
		       "1,1.5]}}]}}]}");
	EXPECT("{'i':'i','b':'B','p':'EUR 1.234,50'}",
	    "closed i "
	    "{'basket':'B','total':123450,'tenders':[{'type':'card','amount':123450},{'amount':250}"
	    "],'currency':'EUR'}");
}

static void
what_is_asked_for_often_has_a_name(void **state)
{
	(void)state;
	must_load(HEAD "'let':{'o':{'var':['order',{'var':''}]},'b':{'cat':['B',{'var':'$o.id'}]}},"
		       "'events':[{'each':'$o.l','type':'aisle.stock.changed','id':{'cat':[{'var':'"
		       "$b'},'/',{'var':''}]},"
		       "'data':{'sku':{'var':''},'state':'in'}}]}");
	EXPECT("{'order':{'id':1,'l':['x']}}", "changed B1/x {'sku':'x','state':'in'}");
	EXPECT("{'id':2,'l':['y']}", "changed B2/y {'sku':'y','state':'in'}");
	/* one that doubles the one before it 30 times ends, and at once */
	struct buf text = { 0 };
	buf_adds(&text, HEAD "'let':{'x0':{'var':''}");
	for (int i = 1; i < 31; i++)
		buf_addf(&text, ",'x%d':{'object':['a',{'var':'$x%d'},'b',{'var':'$x%d'}]}", i,
		    i - 1, i - 1);
	buf_adds(&text,
	    "},'events':[{'type':'aisle.stock.changed','id':'i','data':{'sku':'s','state':'in'}}]"
	    "}");
	must_load(text.data);
	assert_null(apply("{}"));
	assert_non_null(strstr(err.text, "/let/x1"));
	buf_done(&text);
}

static void
a_text_may_hold_the_message(void **state)
{
	(void)state;
	must_load(HEAD "'parse':['none','p','q.0'],'events':[{'type':'aisle.stock.changed','id':{'"
		       "cat':[{'var':'id'},{'var':'$.id'},{'var':'p.id'},{'var':'q.0.z'}]},"
		       "'data':{'sku':{'var':'s'},'state':'in'}}]}");
	EXPECT("{'id':1,'p':'{\\'id\\':2,\\'s\\':\\'x\\'}'}",
	    "changed 212 {'sku':'x','state':'in'}");
	EXPECT("{'id':1,'s':'y','q':['{\\'z\\':5}']}", "changed 115 {'sku':'y','state':'in'}");
	assert_null(apply("{'id':1,'p':'{SECRET'}"));
	assert_non_null(strstr(err.text, "p: not strict JSON at line 1"));
	assert_null(strstr(err.text, "SECRET"));
}

static void
a_text_in_a_text_is_read_twice(void **state)
{
	(void)state;
	must_load(HEAD
	    "'parse':['p','p'],'events':[{'type':'aisle.stock.changed','id':{'var':'id'},"
	    "'data':{'sku':{'var':'s'},'state':'in'}}]}");
	EXPECT("{'id':1,'p':'\\'{\\\\\\'id\\\\\\':7,\\\\\\'s\\\\\\':\\\\\\'x\\\\\\'}\\''}",
	    "changed 7 {'sku':'x','state':'in'}");
}

static void
what_is_to_be_ignored_is_no_event_and_no_fault(void **state)
{
	json_t *events;

	(void)state;
	must_load(HEAD "'ignore':{'==':[{'var':'k'},'ping']},'events':[{'when':{'var':'s'},'type':'"
		       "aisle.stock.changed',"
		       "'id':'i','data':{'sku':'s','state':'in'}}]}");
	events = apply("{'k':'ping'}");
	assert_int_equal(json_array_size(events), 0);
	assert_non_null(events);
	json_decref(events);
	assert_null(apply("{'k':'pong'}"));
	assert_int_equal(err.code, AISLE_E_NONE);
	must_load(HEAD "'ignore':true,'events':[{'when':{'var':'s'},'type':'aisle.stock.changed','"
		       "id':'i','data':{'sku':'s','state':'in'}}]}");
	events = apply("{'k':'pong'}");
	assert_non_null(events);
	json_decref(events);
}

/* ---- times ---- */

static void
expect_time(const char *time, const char *wanted)
{
	char payload[100];
	json_t *events;

	snprintf(payload, sizeof(payload), "{'t':%s}", time);
	events = apply(payload);
	assert_non_null(events);
	assert_string_equal(json_string_value(json_object_get(json_array_get(events, 0), "time")),
	    wanted);
	json_decref(events);
}

static void
a_time_without_a_zone_is_of_the_mapping(void **state)
{
#define TIMES(zone) \
	HEAD zone "'events':[{'type':'aisle.stock.changed','id':'i','time':{'var':'t'},'data':{'" \
		  "sku':'s','state':'in'}}]}"
	(void)state;
	must_load(TIMES("'zone':'store',"));
	expect_time("'2026-11-21T10:15:00'", "2026-11-21T09:15:00.000Z");
	expect_time("'2026-11-21T10:15:00Z'", "2026-11-21T10:15:00Z");
	expect_time("'2026-11-21 10:15:00+02:00'", "2026-11-21T10:15:00+02:00");
	expect_time("'2026-11-21T10:15:00.5+0000'", "2026-11-21T10:15:00.5+00:00");
	expect_time("'2026-11-21 10:15:00-0330'", "2026-11-21T10:15:00-03:30");
	expect_time("'2026-11-21T10:15:00+02000'",
	    "2026-11-21T10:15:00+02000"); /* for the envelope */
	expect_time("'1795257000'", "2026-11-21T10:30:00.000Z");
	expect_time("'soon'", "soon"); /* for the envelope to refuse */
	must_load(TIMES("'zone':'UTC',"));
	expect_time("'2026-11-21 10:15:00'", "2026-11-21T10:15:00.000Z");
	must_load(TIMES("'zone':'America/New_York',"));
	expect_time("'2026-07-01T10:15:00.5'", "2026-07-01T14:15:00.500Z");
	must_load(TIMES(""));
	expect_time("'2026-11-21T10:15:00'", "2026-11-21T10:15:00");
	/* a store whose zone this machine does not know: not taken for another */
	must_load(TIMES("'zone':'store',"));
	mapping_set_store(mapping, "EUR", "Europe/Atlantis");
	expect_time("'2026-11-21T10:15:00'", "2026-11-21T10:15:00");
}

/* ---- names ---- */

static void
wrong_because(const char *text, const char *says)
{
	if (load(text) == 0)
		fail_msg("%s was read", text);
	if (strstr(report.data, says) == NULL)
		fail_msg("%s, expected %s", report.data, says);
}

static void
a_name_that_nothing_has_is_a_mistake_where_it_stands(void **state)
{
#define CLOSED(data) \
	HEAD "'let':{'o':{'var':'order'}},'events':[{'type':'aisle.basket.closed','id':'i','data'" \
	     ":" data "}]}"
	(void)state;
	must_load(CLOSED("{'basket':{'var':'$o.id'},'total':{'var':'$.t'},'currency':'EUR'}"));
	wrong_because(CLOSED("{'basket':'b','totl':1,'total':1}"),
	    "/events/0/data/totl: no member of aisle.basket.closed; is \"total\" meant?");
	wrong_because(CLOSED("{'basket':'b'}"),
	    "/events/0/data: expected \"total\", which aisle.basket.closed needs");
	wrong_because(CLOSED("{'basket':{'cat':['b',{'var':'$ordr.id'}]},'total':1}"),
	    "/events/0/data/basket: a name that no \"let\" has given by then");
	wrong_because(CLOSED("{'basket':'b','total':{'var':['$oo',0]}}"), "is \"o\" meant?");
	/* a let knows those before it, and an index is no name */
	wrong_because(HEAD "'let':{'a':{'var':'$b'},'b':1},'events':[{'type':'aisle.customer.left',"
			   "'id':'i','data':{'station':'s'}}]}",
	    "/let/a: a name that");
	must_load(HEAD
	    "'let':{'b':1,'a':{'var':'$b'}},'events':[{'each':'$.l','type':'aisle.customer.left',"
	    "'id':{'var':'$i'},'data':{'station':'s','card':'c'}}]}");
#define TEN "nnnnnnnnnn"
#define EIGHTY TEN TEN TEN TEN TEN TEN TEN TEN
	must_load(HEAD "'let':{'" EIGHTY "':1},'events':[{'type':'aisle.customer.left','id':'i',"
		       "'data':{'station':{'var':'$" EIGHTY "'},'card':'c'}}]}");
	wrong_because(HEAD "'let':{'" EIGHTY "':1},'events':[{'type':'aisle.customer.left',"
			   "'id':'i','data':{'station':{'var':'$" EIGHTY "n'},'card':'c'}}]}",
	    "a name that no \"let\" has given by then");
	wrong_because(HEAD "'events':[{'each':'$none','type':'aisle.customer.left','id':'i','data':"
			   "{'station':'s'}}]}",
	    "/events/0/each: ");
	/* either will do where one of several is needed */
	must_load(HEAD "'events':[{'type':'aisle.basket.item-voided','id':'i','data':{'basket':'b',"
		       "'sku':'s'}}]}");
}

/* ---- XML ---- */

static void
expect_xml(const char *text, const char *wanted)
{
	struct buf have = { 0 };
	json_t *tree;
	char *want = quoted(wanted);

	memset(&err, 0, sizeof(err));
	tree = xml_read(text, strlen(text), &err);
	if (tree == NULL)
		fail_msg("%s: %s", text, err.text);
	json_write(tree, &have);
	assert_string_equal(have.data, want);
	buf_done(&have);
	json_decref(tree);
	free(want);
}

static void
xml_is_a_tree_of_texts_objects_and_lists(void **state)
{
	(void)state;
	expect_xml("<a>x</a>", "{'a':'x'}");
	expect_xml("<a/>", "{'a':''}");
	expect_xml("<a>\n <b> x y </b>\n <b/>\n <c>1</c>\n</a>", "{'a':{'b':['x y',''],'c':'1'}}");
	expect_xml("<p:a xmlns:p='u' xmlns='v' p:k='1' l='2'>x<p:b/>y</p:a>",
	    "{'a':{'@k':'1','@l':'2','b':'','#text':'xy'}}");
	expect_xml("<?xml version='1.0'?><!-- c --><a><![CDATA[<&]]>&lt;&#233;</a>",
	    "{'a':'<&<\xc3\xa9'}");
	expect_xml("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>", "{'a':'\xc3\xa9'}");
	expect_xml("<a><b/><b/><b/></a>", "{'a':{'b':['','','']}}");
}

static void
refuse_xml(const char *text, size_t len, const char *why)
{
	json_t *tree;

	memset(&err, 0, sizeof(err));
	tree = xml_read(text, len, &err);
	if (tree != NULL)
		fail_msg("%.100s was read", text);
	assert_int_equal(err.code, AISLE_E_INVALID);
	if (strstr(err.text, why) == NULL)
		fail_msg("%s, expected %s", err.text, why);
}

static void
hostile_xml_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "", "no element" },
		{ "x", "" },
		{ "<a>", "no element" },
		{ "<a></b>", "mismatched" },
		{ "<a/><b/>", "junk" },
		{ "<a k='1' k='2'/>", "duplicate" },
		{ "<a>&nbsp;</a>", "undefined entity" },
		{ "<!DOCTYPE a><a/>", "expected no DTD" },
		{ "<!DOCTYPE a [<!ENTITY x 'xx'><!ENTITY y '&x;&x;'>]><a>&y;</a>",
		    "expected no DTD" },
		{ "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "expected no DTD" },
		{ "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://x/'>%p;]><a/>", "expected no DTD" },
		{ "<?xml version='1.0' encoding='EBCDIC-US'?><a/>", "unknown encoding" },
		{ "<a>\xff</a>", "invalid token" },
	};
	char deep[16 * (XML_DEPTH_MAX + 2)] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refuse_xml(bad[i][0], strlen(bad[i][0]), bad[i][1]);
	refuse_xml("<a>\0</a>", 8, "");
	for (int depth = XML_DEPTH_MAX; depth <= XML_DEPTH_MAX + 1; depth++) {
		json_t *tree;

		deep[0] = '\0';
		for (int i = 0; i < depth; i++)
			strcat(deep, "<a>");
		for (int i = 0; i < depth; i++)
			strcat(deep, "</a>");
		memset(&err, 0, sizeof(err));
		tree = xml_read(deep, strlen(deep), &err);
		assert_true((tree != NULL) == (depth == XML_DEPTH_MAX));
		json_decref(tree);
	}
	assert_non_null(strstr(err.text, "at most 56 elements"));
}

static void
an_element_with_attributes_is_its_text_wherever_a_text_is_expected(void **state)
{
	(void)state;
	must_load("{'topic':'t/+','terminal':{'var':'s.w'},'format':'xml','zone':'UTC',"
		  "'let':{'key':{'cat':[{'var':'s.n'},'-',{'var':'s.d'}]}},"
		  "'events':[{'when':{'==':[{'var':'s.k'},'sold']},'type':'aisle.basket.opened',"
		  "'id':{'var':'$key'},'time':{'var':'s.t'},'data':{'basket':{'cat':['b',{'var':'s."
		  "n'}]},"
		  "'terminal':{'var':'s.w'}}}]}");
	EXPECT("<s><w y='POS'>7</w><n x='1'>12</n><d>21</d><k z=''>sold</k><t "
	       "a='Begin'>2026-11-21T10:15:00</t></s>",
	    "opened 12-21 2026-11-21T10:15:00.000Z {'basket':'b12','terminal':'7'}");
	assert_string_equal(terminal, "7");
}

/* Who makes JSON of XML may write it as a number. */
static void
an_elements_text_that_is_a_number_stays_that_number(void **state)
{
	(void)state;
	must_load(HEAD
	    "'events':[{'type':'aisle.basket.item-added','id':'i','data':{'basket':'b',"
	    "'line':{'var':'l'},'sku':'s','category':'c','qty':{'var':'q'},'amount':1}}]}");
	EXPECT("{'l':{'@a':'x','#text':3},'q':{'#text':2}}",
	    "item-added i "
	    "{'basket':'b','line':3,'sku':'s','category':'c','qty':2,'amount':1,'currency':'EUR'}");
	EXPECT("{'l':{'@a':'x','#text':3.0},'q':{'#text':2.5}}",
	    "item-added i "
	    "{'basket':'b','line':3,'sku':'s','category':'c','qty':2.5,'amount':1,'currency':'EUR'"
	    "}");
}

/* {"_id":{"$oid":"…"}}: every sale would be in one basket. */
static void
an_object_is_no_text_and_makes_no_id(void **state)
{
	(void)state;
	must_load(HEAD "'events':[{'type':'aisle.basket.opened','id':{'cat':[{'var':'i'},'/open']},"
		       "'data':{'basket':{'cat':['b',{'var':'b'}]},'terminal':'7'}}]}");
	EXPECT("{'i':['a','b'],'b':1}", "opened a,b/open {'basket':'b1','terminal':'7'}");
	assert_null(apply("{'i':{'o':'6'},'b':1}"));
	assert_int_equal(err.code, AISLE_E_INVALID);
	assert_non_null(strstr(err.text, "/events/0/id"));
	EXPECT("{'i':'x','b':{'o':'6'}}", "opened x/open {'terminal':'7'}");
}

static void
a_till_may_speak_xml(void **state)
{
	(void)state;
	must_load(HEAD "'format':'xml','money':'decimal','events':[{'each':'s.i','type':'aisle."
		       "basket.item-added',"
		       "'id':{'cat':[{'var':'$.s.@no'},'/"
		       "',{'var':'@n'}]},'data':{'basket':{'var':'$.s.@no'},'line':{'var':'@n'},"
		       "'sku':{'var':'a'},'category':'c','qty':{'number':{'var':'q'}},'amount':{'"
		       "number':{'var':'p'}}}}]}");
	EXPECT("<s no='9'><i n='1'><a>x</a><q u='kg'>0,5</q><p>1,99</p></i></s>",
	    "item-added 9/1 "
	    "{'basket':'9','line':1,'sku':'x','category':'c','qty':0.5,'amount':199,'currency':'"
	    "EUR'}");
	assert_null(apply("<s no='9'><i>SECRET</s>"));
	assert_string_equal(err.text,
	    "not XML as it is read here, at line 1, column 22: mismatched tag");
	assert_null(apply("{}"));
}

/* ---- what is wrong with a file ---- */

static void
every_mistake_is_said_with_its_place(void **state)
{
	static const char text[] =
	    "{'topic':'t/+','terminal':2,'zone':'Europe/Atlantis',\n"
	    " 'format':'csv','parse':[7],'ignor':true,\n"
	    " 'let':{'a':{'bang':1}},\n"
	    " 'events':[\n"
	    "  {'type':'aisle.nothing','id':{'var':'i'},'data':{}},\n"
	    "  "
	    "{'type':'aisle.basket.closed','id':{'cat':['a',{'or':[1,{'/"
	    "?':2}]}]},'snapshot':true,\n"
	    "   'data':{'basket':{'vra':'b'},\n"
	    "           'tenders':[{'type':'x','amount':{'numbre':1}},\n"
	    "                      {'object':['a']}]}},\n"
	    "  {'each':7,'type':'aisle.basket.opened','data':{'basket':null}}]}";
	static const char *const lines[] = {
		":2:29: /ignor: unknown member, expected one of topic terminal format parse zone "
		"let events ignore money rounding",
		":2:2: /format: expected json or xml",
		":2:17: /parse: expected the path of a text, or a list of them",
		":1:29: /zone: expected store, UTC or the name of a time zone that this machine "
		"knows",
		":3:14: /let/a/bang: unknown operator \"bang\"",
		":5:3: /events/0: expected type: an event that a till may send",
		":6:72: /events/1/snapshot: expected it beside each, in an aisle.basket.item-added",
		":6:59: /events/1/id/cat/1/or/1//?: unknown operator \"/?\"",
		":7:22: /events/1/data/basket/vra: unknown operator \"vra\"",
		":8:45: /events/1/data/tenders/0/amount/numbre: unknown operator \"numbre\"",
		":9:24: /events/1/data/tenders/1/object: expected a value behind each name",
		":7:4: /events/1/data: expected \"total\", which aisle.basket.closed needs",
		":10:42: /events/2/data: expected \"terminal\", which aisle.basket.opened needs",
		":10:3: /events/2: expected id: JsonLogic",
		":10:4: /events/2/each: expected the path of a list, or JsonLogic",
		":10:50: /events/2/data/basket: expected JsonLogic",
	};
	const char *at;
	size_t count = 0;

	(void)state;
	assert_int_not_equal(load(text), 0);
	for (at = report.data; *at != '\0'; at = strchr(at, '\n') + 1)
		count++;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (strstr(report.data, lines[i]) == NULL)
			fail_msg("%s is missing in\n%s", lines[i], report.data);
	assert_int_equal(count, ARRAY_LEN(lines));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_of_a_list_is_an_event_and_an_object_is_a_list_of_one),
		cmocka_unit_test(the_truth_of_a_large_value_is_taken_without_a_walk_over_it),
		cmocka_unit_test(a_message_makes_a_bounded_number_of_events),
		cmocka_unit_test(a_snapshot_voids_what_it_does_not_name),
		cmocka_unit_test(a_line_with_a_name_has_the_same_number_wherever_it_is_read),
		cmocka_unit_test(data_may_have_objects_and_lists_with_rules_in_them),
		cmocka_unit_test(what_is_asked_for_often_has_a_name),
		cmocka_unit_test(a_text_may_hold_the_message),
		cmocka_unit_test(a_text_in_a_text_is_read_twice),
		cmocka_unit_test(what_is_to_be_ignored_is_no_event_and_no_fault),
		cmocka_unit_test(a_time_without_a_zone_is_of_the_mapping),
		cmocka_unit_test(a_name_that_nothing_has_is_a_mistake_where_it_stands),
		cmocka_unit_test(xml_is_a_tree_of_texts_objects_and_lists),
		cmocka_unit_test(hostile_xml_is_refused),
		cmocka_unit_test(a_till_may_speak_xml),
		cmocka_unit_test(
		    an_element_with_attributes_is_its_text_wherever_a_text_is_expected),
		cmocka_unit_test(an_elements_text_that_is_a_number_stays_that_number),
		cmocka_unit_test(an_object_is_no_text_and_makes_no_id),
		cmocka_unit_test(every_mistake_is_said_with_its_place),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
