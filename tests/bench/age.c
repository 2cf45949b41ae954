/* SPDX-License-Identifier: Apache-2.0
 *
 * age.c - makes a store old: the daemon's engine over a state folder, told days of sales by a simulated clock.
 *
 *   age [OPTIONS] BUNDLE FOLDER
 *
 * Tills open baskets, read cards, scan, void, are paid; associates show and answer what is sent to them; offers are taken off;
 * headquarters acknowledges, unless it is away. An event is a turn, as in a store that is not in a hurry; once a second of an
 * hour's pace old rows go and the log is checkpointed, as in the daemon. Everything is drawn from --seed.
 *
 * --measure N: after that so many events more, whose processor time is printed; they are inside measured(), for callgrind.
 */
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "figures.h"
#include "profile/profiles.h"
#include "spine/engine.h"
#include "sync/bundle.h"

#define T0 INT64_C(1790002800000) /* 2026-09-21T15:00:00Z, when the first day opens */
#define OPEN_MS (14 * H_MS)
#define TILLS_MAX 64
#define PROMPTS 8
#define DELIVERED 64
#define TIDY_EVENTS 16 /* events between two looks at what is old */
#define ACK_EVENTS 64
#define WAL_BYTES (7 << 20) /* as in the daemon */

static struct {
	int days, events, customers, known, tills, open, away, max_mib, from, measure, turn;
	uint64_t seed;
	const char *profiles;
} options = { .days = 1,
	.events = 50000,
	.customers = 8000,
	.tills = 12,
	.max_mib = 3072,
	.turn = 1,
	.seed = 1 };

struct till {
	char basket[24], token[32], guidance[32];
	char prompts[PROMPTS][32]; /* open ones that nobody answered yet */
	size_t prompt_count;
	int line, left, total, worth, phase;
};

static struct {
	struct conf conf;
	struct engine *engine;
	struct profiles *profiles;
	struct till tills[TILLS_MAX];
	int64_t now_ms, began_ms, delivered[DELIVERED];
	int64_t events, baskets, decisions, answers, dead, acked[LANE_COUNT];
	size_t delivered_count;
	struct input inputs[DELIVERED + 256];
	char *texts[256];
	size_t count, said;
} age;

static const char *const categories[] = { "grocery/coffee", "grocery/fluid-milk-products",
	"grocery/cold-cereal", "grocery/dry-noodles-pasta", "grocery/pasta-sauce",
	"produce/tropical-fruit", "produce/potatoes", "produce/onions",
	"grocery/baked-bread-buns-rolls", "grocery/yogurt", "grocery/refrgratd-juices-drnks",
	"grocery/dog-foods", "grocery/cat-food", "grocery/soft-drinks", "grocery/bag-snacks",
	"grocery/cheese", "meat/beef", "meat/chicken", "meat-pckgd/lunchmeat",
	"grocery/frozen-pizza", "grocery/ice-cream-milk-sherbts", "grocery/soup",
	"grocery/vegetables-shelf-stable", "grocery/cookies-cones", "grocery/crackers-misc-bkd-fd",
	"deli/prepared", "grocery/beers-ales", "drug-gm/candles", "drug-gm/batteries",
	"grocery/eggs" };

/* ---- chance ---- */

static uint64_t
next(void)
{
	uint64_t z = options.seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static int
below(int n)
{
	return (int)(next() % (uint64_t)n);
}

/* ---- a turn ---- */

static struct input *
add_input(enum input_kind kind)
{
	struct input *input = &age.inputs[age.count++];

	must(age.count <= ARRAY_LEN(age.inputs), "too many inputs in a turn");
	*input = (struct input){ .kind = kind, .now_ms = age.now_ms };
	return input;
}

/* t < 0: the care desk. */
__attribute__((format(printf, 3, 4))) static void
say(int t, const char *type, const char *format, ...)
{
	char at[WHEN_TEXT_SIZE], data[512], text[1024], topic[64], sender[16] = "care";
	struct input *input;
	va_list args;

	va_start(args, format);
	vsnprintf(data, sizeof(data), format, args);
	va_end(args);
	when_text(age.now_ms, at);
	if (t >= 0)
		snprintf(sender, sizeof(sender), "pos/%d", t + 1);
	snprintf(topic, sizeof(topic), "aisle/v1/0042/%s/event", sender);
	snprintf(text, sizeof(text),
	    "{\"specversion\":\"1.0\",\"source\":\"/store/0042/%s\",\"id\":\"%" PRId64
	    "\",\"type\":\"aisle.%s\",\"time\":\"%s\",\"datacontenttype\":\"application/json\","
	    "\"data\":%s}",
	    sender, options.from + age.events, type, at, data);
	age.events++;
	input = add_input(INPUT_MESSAGE);
	age.texts[age.said++] = mem_strdup(text);
	input->payload = age.texts[age.said - 1];
	input->len = strlen(text);
	age.texts[age.said++] = mem_strdup(topic);
	input->topic = age.texts[age.said - 1];
}

static const char *
text_of(const json_t *json, const char *name)
{
	const char *found = json_string_value(json_object_get(json, name));

	return found != NULL ? found : "";
}

static void
see_guidance(struct till *till, const json_t *json)
{
	const json_t *prompt;
	size_t i;

	snprintf(till->guidance, sizeof(till->guidance), "%s", text_of(json, "guidance"));
	till->prompt_count = 0;
	json_array_foreach(json_object_get(json, "prompts"), i, prompt) {
		if (strcmp(text_of(prompt, "state"), "open") == 0 && till->prompt_count < PROMPTS)
			snprintf(till->prompts[till->prompt_count++], sizeof(till->prompts[0]),
			    "%s", text_of(prompt, "prompt"));
	}
}

static void
see_command(struct till *till, const json_t *json)
{
	int64_t worth = 0;

	if (strcmp(text_of(json, "type"), "apply-offer") != 0)
		return;
	snprintf(till->token, sizeof(till->token), "%s", text_of(json, "token"));
	(void)json_int(json_object_get(json_object_get(json, "offer"), "worth"), &worth);
	till->worth = (int)worth;
}

static void
see_outputs(void)
{
	size_t count;
	const struct output *outputs = engine_outputs(age.engine, &count);

	for (size_t i = 0; i < count; i++) {
		json_t *json = json_loadb(outputs[i].payload, outputs[i].len, 0, NULL);
		const char *where =
		    outputs[i].kind == OUTPUT_COMMAND ? text_of(json, "terminal") : NULL;
		int t = atoi(where != NULL		     ? where
				: outputs[i].station != NULL ? outputs[i].station
							     : "0") -
		    1;

		age.dead += outputs[i].kind == OUTPUT_DEAD_LETTER;
		if (t >= 0 && t < options.tills && outputs[i].kind == OUTPUT_GUIDANCE)
			see_guidance(&age.tills[t], json);
		else if (t >= 0 && t < options.tills && outputs[i].kind == OUTPUT_WITHDRAW)
			age.tills[t].prompt_count = 0;
		else if (t >= 0 && t < options.tills && outputs[i].kind == OUTPUT_COMMAND)
			see_command(&age.tills[t], json);
		json_decref(json);
		if (outputs[i].id > 0 && age.delivered_count < DELIVERED)
			age.delivered[age.delivered_count++] = outputs[i].id;
	}
}

/* What receivers have by now goes with the turn that is run. */
static void
turn(void)
{
	for (size_t i = 0; i < age.delivered_count; i++)
		add_input(INPUT_DELIVERED)->number = age.delivered[i];
	age.delivered_count = 0;
	must(turn_run(age.engine, age.inputs, age.count) == 0, "a turn cannot be written");
	see_outputs();
	for (size_t i = 0; i < age.count; i++)
		json_decref(age.inputs[i].answer);
	for (size_t i = 0; i < age.said; i++)
		free(age.texts[i]);
	age.count = age.said = 0;
}

/* ---- sales ---- */

static void
answer(struct till *till, const char *prompt, const char *json)
{
	struct input *input = add_input(INPUT_ANSWER);
	struct err err = { 0 };

	input->text = "t1";
	input->guidance = till->guidance;
	input->prompt = prompt;
	input->is_shown = strcmp(json, "{\"shown\":true}") == 0;
	input->answer = json_read(json, strlen(json), "answer", &err);
	age.answers++;
	turn();
}

/* Three of four cards are said, half of those are liked. */
static void
answer_all(struct till *till)
{
	char prompts[PROMPTS][32];
	size_t count = till->prompt_count;

	memcpy(prompts, till->prompts, sizeof(prompts));
	for (size_t i = 0; i < count; i++) {
		answer(till, prompts[i], "{\"shown\":true}");
		if (below(4) > 0)
			answer(till, prompts[i],
			    below(2) == 0
				? "{\"decision\":\"accept\"}"
				: "{\"decision\":\"dismiss\",\"reason\":\"customer-declined\"}");
	}
	till->prompt_count = 0;
}

/* A few hundred habits: the same customer buys the same kinds. */
static void
scan(int t, struct till *till, int customer)
{
	int amount = 50 + below(900);
	int kind = customer >= 0 && below(3) > 0
	    ? (customer * 7 + below(6)) % (int)ARRAY_LEN(categories)
	    : below((int)ARRAY_LEN(categories));

	till->total += amount;
	till->left--;
	say(t, "basket.item-added",
	    "{\"basket\":\"%s\",\"line\":%d,\"sku\":\"%s-%d\",\"category\":\"%s\",\"qty\":1,"
	    "\"amount\":%d,\"currency\":\"%s\",\"margin\":%d}",
	    till->basket, ++till->line, strrchr(categories[kind], '/') + 1, below(12),
	    categories[kind], amount, age.conf.currency, amount / 4);
}

enum { OPEN, CARD, SCAN, TENDER, APPLIED, REDEEMED, CLOSE };
static int customers[TILLS_MAX];

static void
begin(int t, struct till *till)
{
	*till = (struct till){ .left = 4 + below(17), .phase = CARD };
	snprintf(till->basket, sizeof(till->basket), "%d-%" PRId64, t + 1,
	    options.from + ++age.baskets);
	customers[t] = below(10) < 8 ? below(options.customers) : -1;
	say(t, "basket.opened", "{\"basket\":\"%s\",\"terminal\":\"%d\"}", till->basket, t + 1);
	if (customers[t] < 0)
		till->phase = SCAN;
}

static void
till_event(int t)
{
	struct till *till = &age.tills[t];

	switch (till->phase) {
	case OPEN: begin(t, till); break;
	case CARD:
		say(t, "customer.identified",
		    "{\"card\":\"4000%012d\",\"basket\":\"%s\",\"station\":\"%d\"}", customers[t],
		    till->basket, t + 1);
		till->phase = SCAN;
		break;
	case SCAN:
		if (till->line > 0 && below(33) == 0)
			say(t, "basket.item-voided", "{\"basket\":\"%s\",\"line\":%d}",
			    till->basket, till->line);
		else
			scan(t, till, customers[t]);
		till->phase = till->left > 0 ? SCAN : TENDER;
		break;
	case TENDER:
		say(t, "basket.tender-started", "{\"basket\":\"%s\"}", till->basket);
		till->phase = till->token[0] != '\0' ? APPLIED : CLOSE;
		break;
	case APPLIED:
	case REDEEMED:
		say(t, till->phase == APPLIED ? "offer.applied" : "offer.redeemed",
		    "{\"basket\":\"%s\",\"token\":\"%s\",\"amount\":%d}", till->basket, till->token,
		    till->worth);
		till->phase++;
		break;
	default:
		say(t, "basket.closed",
		    "{\"basket\":\"%s\",\"total\":%d,\"currency\":\"%s\",\"tenders\":[{\"type\":"
		    "\"card\",\"amount\":%d}]}",
		    till->basket, till->total, age.conf.currency, till->total);
		till->phase = OPEN;
	}
}

/* ---- headquarters, and the second's work ---- */

static int
take(void *ctx, int64_t seq, const char *type, int64_t at_ms, const void *body, size_t len)
{
	(void)type, (void)at_ms, (void)body, (void)len;
	*(int64_t *)ctx = seq;
	return 0;
}

static void
acknowledge(void)
{
	struct store *store = engine_store(age.engine);

	for (enum lane lane = 0; lane < LANE_COUNT; lane++) {
		int64_t upto = age.acked[lane];

		must(store_uplink_each(store, lane, upto, 1024, take, &upto) >= 0, "the uplink");
		if (upto > age.acked[lane]) {
			struct input *input = add_input(INPUT_HQ_ACK);

			input->lane = lane;
			input->number = age.acked[lane] = upto;
		}
	}
}

static void
tidy(void)
{
	struct store *store = engine_store(age.engine);

	must(room_make(age.engine, age.now_ms) >= 0, "old rows do not go");
	if (store_checkpoint_due(store, 0) || store_wal_bytes(store) > WAL_BYTES)
		store_checkpoint(store);
}

static void
one_event(bool hq_away)
{
	int64_t before = age.events;
	int t = below(options.tills);

	till_event(t);
	while (age.events - before < options.turn)
		till_event(below(options.tills));
	if (!hq_away && age.events % ACK_EVENTS == 0)
		acknowledge();
	turn();
	for (int i = 0; i < options.tills; i++)
		if (age.tills[i].prompt_count > 0)
			answer_all(&age.tills[i]);
	if (age.events % TIDY_EVENTS == 0)
		tidy();
}

/* Customers of whom a desk has heard once: each has a row, and a key of their own. */
static void
known_customers(void)
{
	for (int i = 0; i < options.known; i++) {
		say(-1, "consent.changed",
		    "{\"card\":\"4000%012d\",\"purpose\":\"profile\",\"state\":\"granted\"}", i);
		if (age.said < 100 && i + 1 < options.known)
			continue;
		acknowledge();
		turn();
		tidy();
	}
}

/* Baskets that stay open, at stations of their own. */
static void
open_visits(void)
{
	for (int i = 0; i < options.open; i++) {
		char basket[32];
		int t = 1000 + i % 1000;

		snprintf(basket, sizeof(basket), "open-%d-%d", options.from, i);
		say(t, "basket.opened", "{\"basket\":\"%s\",\"terminal\":\"%d\"}", basket, t + 1);
		say(t, "basket.suspended", "{\"basket\":\"%s\"}", basket);
		turn();
	}
}

static void
day(int n)
{
	int64_t began = age.events, decisions = metrics_get(METRIC_DECISIONS), at = now_ns();
	struct store *store = engine_store(age.engine);

	for (int64_t done; (done = age.events - began) < options.events;) {
		age.now_ms = age.began_ms + n * D_MS + done * OPEN_MS / options.events;
		one_event(n >= options.days - options.away);
	}
	age.now_ms = age.began_ms + n * D_MS + 20 * H_MS;
	add_input(INPUT_CLOCK);
	turn();
	tidy();
	store_checkpoint(store);
	printf("day %d: %" PRId64 " events, %" PRId64 " decisions, %" PRId64
	       " records wait, %d visits; %.0f us an "
	       "event\n",
	    n + 1, age.events - began, metrics_get(METRIC_DECISIONS) - decisions,
	    store_uplink_count(store), (int)engine_visit_count(age.engine),
	    (double)(now_ns() - at) / 1e3 / (double)(age.events - began));
	fflush(stdout);
}

/* ---- figures ---- */

static int64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

__attribute__((noinline)) void measured(int n);
void
measured(int n)
{
	for (int i = 0; i < n; i++) {
		age.now_ms += 1000;
		one_event(false);
	}
}

static void
measure(void)
{
	int64_t at, decisions, events;

	/* Tills are in the middle of something, and what is read once has been read. */
	age.now_ms += 1000;
	for (int i = 0; i < 200; i++, age.now_ms += 1000)
		one_event(false);
	decisions = metrics_get(METRIC_DECISIONS);
	events = age.events;
	at = cpu_ns();
	measured(options.measure);
	at = cpu_ns() - at;
	events = age.events - events;
	printf("measured %" PRId64 " events, %.3f decisions an event, %.1f us an event\n", events,
	    (double)(metrics_get(METRIC_DECISIONS) - decisions) / (double)events,
	    (double)at / 1e3 / (double)events);
}

/* ---- the store ---- */

static int
profile_of(void *ctx, const struct id *subject, struct buf *out)
{
	if (ctx != NULL)
		return profiles_get(ctx, subject, out);
	/* Nearly everybody agreed. */
	buf_addf(out,
	    "{\"language\":\"en\",\"consent\":{\"personalise\":\"%s\",\"profile\":\"granted\"}}",
	    subject->b[3] % 33 == 0 ? "denied" : "granted");
	return 0;
}

static void
must_err(int rc, const struct err *err)
{
	must(rc == 0, err->text);
}

/* As the daemon does, unless they are there from the run before. */
static void
install_profiles(const char *folder)
{
	struct profiles_install_what what = { .bundle = options.profiles, .store = "0042" };
	struct err err = { 0 };
	bool swapped;
	int rc = profiles_open(folder, engine_keys(age.engine), &age.profiles, &err);

	must_err(rc, &err);
	if (profiles_count(age.profiles) > 0)
		return;
	must_err(profiles_install_begin(age.profiles, &what, &err), &err);
	while ((rc = profiles_install_step(age.profiles, &swapped, &err)) == 0)
		;
	must(rc == 1, err.text);
}

static void
open_store(const char *path, const char *folder)
{
	static const uint8_t pepper[32] = { 0x5a };
	struct engine_options engine = {
		.conf = &age.conf, .state_dir = folder, .sealed = true, .pepper = pepper
	};
	struct bundle *bundle = NULL;
	struct policy *policy = NULL;
	struct buf report = { 0 };
	struct err err = { 0 };

	must_err(bundle_open(path, "policy", &bundle, &err), &err);
	must(bundle_policy(bundle, &policy, &report) == 0, "the policy has mistakes");
	buf_done(&report);
	conf_init(&age.conf);
	age.conf.store_id = mem_strdup("0042");
	free(age.conf.currency);
	age.conf.currency = mem_strdup(policy->currency);
	free(age.conf.zone);
	age.conf.zone = mem_strdup(policy->zone_count > 0 ? policy->zones[0].name : "UTC");
	age.conf.hq_host = mem_strdup("hq");
	age.conf.terminal_rate = 0;
	age.conf.baskets_a_day = 10000;
	age.conf.state_max_mib = options.max_mib;
	must_err(engine_open(&engine, &age.engine, &err), &err);
	must_err(engine_set_bundle(age.engine, bundle, policy, false, &err), &err);
	if (options.profiles != NULL)
		install_profiles(folder);
	engine_set_profiles(age.engine, profile_of, age.profiles);
}

static void
close_store(void)
{
	profiles_close(age.profiles);
	engine_close(age.engine);
	conf_done(&age.conf);
}

static void
read_options(int argc, char **argv)
{
	static const struct option names[] = { { "days", 1, NULL, 'd' }, { "events", 1, NULL, 'e' },
		{ "customers", 1, NULL, 'c' }, { "tills", 1, NULL, 't' }, { "open", 1, NULL, 'o' },
		{ "away", 1, NULL, 'a' }, { "max-mib", 1, NULL, 'm' }, { "from", 1, NULL, 'f' },
		{ "measure", 1, NULL, 'M' }, { "known", 1, NULL, 'k' }, { "turn", 1, NULL, 'n' },
		{ "seed", 1, NULL, 's' }, { "profiles", 1, NULL, 'p' }, { 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		int n = optarg != NULL ? atoi(optarg) : 0;

		switch (c) {
		case 'd': options.days = n; break;
		case 'e': options.events = n; break;
		case 'c': options.customers = n; break;
		case 't': options.tills = n; break;
		case 'o': options.open = n; break;
		case 'a': options.away = n; break;
		case 'm': options.max_mib = n; break;
		case 'f': options.from = n; break;
		case 'M': options.measure = n; break;
		case 'k': options.known = n; break;
		case 'n': options.turn = n; break;
		case 's': options.seed = (uint64_t)n; break;
		case 'p': options.profiles = optarg; break;
		default: must(false, "age [OPTIONS] BUNDLE FOLDER: the options are in age.c");
		}
	}
	must(argc - optind == 2, "age [OPTIONS] BUNDLE FOLDER");
	must(options.tills > 0 && options.tills <= TILLS_MAX && options.customers > 0,
	    "of 1 to 64 tills");
	must(options.turn > 0 && options.turn <= 64 && options.events > 0,
	    "a turn of 1 to 64 events");
}

int
main(int argc, char **argv)
{
	read_options(argc, argv);
	log_set_level(LOG_WARNING);
	open_store(argv[optind], argv[optind + 1]);
	/* The state may be of days before. */
	age.began_ms = T0;
	while (age.began_ms < engine_now(age.engine))
		age.began_ms += D_MS;
	age.now_ms = age.began_ms;
	known_customers();
	open_visits();
	for (int n = 0; n < options.days; n++)
		day(n);
	if (options.measure > 0)
		measure();
	printf("events %" PRId64 ", answers %" PRId64 ", decisions %" PRId64
	       ", dead letters %" PRId64 "\n",
	    age.events, age.answers, metrics_get(METRIC_DECISIONS), age.dead);
	close_store();
	return 0;
}
