/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon.h - aisled: the edges (broker, tablets, control socket, link, clock) around the engine.
 */
#ifndef AISLE_DAEMON_DAEMON_H
#define AISLE_DAEMON_DAEMON_H

#include <event2/bufferevent.h>

#include "daemon/control.h"
#include "core/json_write.h"
#include "core/steady.h"
#include "deliver/http.h"
#include "spine/engine.h"
#include "ingest/mapping.h"
#include "ingest/mqtt.h"
#include "profile/profiles.h"
#include "sync/uplink.h"
#include "trust/release.h"
#include "trust/order.h"
#include "daemon/watch.h"

struct mappings {
	struct mapping *mapping[CONF_MAPPINGS_MAX];
	size_t count;
};

/* Where the broker's library is in the outbox. */
struct outgoing {
	int64_t given; /* highest id that it was given */
	bool behind;   /* there may be rows beyond it */
};

/* A native tablet that shows a station. */
#define HELLO_MAX 256
struct hello {
	char tablet[NAME_SIZE], station[NAME_SIZE];
	bool due;	 /* it asked, and was not told yet */
	int64_t told_ms; /* monotonic; 0: never */
};

#define HQ_FILTERS_MAX 64

/* Who takes what headquarters sends: by the first words of the topic behind aisle/v1/hq/, or (own)
 * behind aisle/v1/hq/store/{store}/ of this store. */
struct daemon;
typedef void (*hq_fn)(struct daemon *daemon, const char *topic, const void *payload, size_t len);
struct hq_way {
	const char *words;
	bool own;
	hq_fn take;
};

struct daemon {
	struct event_base *base;
	struct conf conf;
	const char *conf_path;
	struct engine *engine;
	struct profiles *profiles;
	struct mqtt *mqtt;
	struct http *http;
	struct control *control;
	struct mappings mappings;
	bool narrow; /* the broker lets us hear our own topics only */
	struct {
		int count;	 /* messages that the log has not told of */
		int64_t told_ms; /* monotonic; 0: never */
		char topic[128]; /* the last one's */
	} alike;
	struct steady steady;
	bool told_uncertain; /* what the status says of the time */
	/* how many times this state was served; tells an old will from a new birth */
	int64_t session;
	bool session_owed; /* keys.db had no room for it */
	char status_topic[96];
	struct buf will; /* a policy may have a long name */
	struct mqtt_host mqtt_host;
	struct http_host http_host;

	/* keys of the tokens on disk, for who asks with one; see tablets.c */
	struct id *tokens;
	size_t token_count;
	bool tokens_known;

	/* inputs that are not on disk yet */
	struct input *inputs; /* turn_events + room for the daemon's own */
	size_t input_count, input_max;
	int64_t first_us; /* monotonic: when the first of them came */
	struct arena *input_arena;
	struct event *turn_event;  /* lingering, and "soon" */
	struct event *clock_event; /* the next timer of the engine */
	struct watch watch;
	const char *unsound; /* why the service manager's watchdog is not fed; NULL */
	struct event *tick_event, *term_event, *int_event, *hup_event;
	int turn; /* what the last turn returned */
	int failed; /* of the last turn that did, until one of others' inputs does not; see daemon_disk() */
	int64_t failed_ms; /* monotonic */
	bool turned;	   /* since the last tick */
	int64_t turned_ms; /* monotonic: of the last turn with more in it than what was delivered */
	bool worked;	   /* since the last pruning */
	struct outgoing urgent, patient; /* see publish.c */
	int waited_max;			 /* so many events that wait are taken in a turn */
	int64_t busy_ms;		 /* monotonic: when much came at once */
	struct hello hellos[HELLO_MAX];	 /* see hello.c */
	int64_t *delivered;		 /* outbox ids to delete with the next turn */
	size_t delivered_count, delivered_capacity;

	/* headquarters */
	struct uplink *uplink;
	struct bufferevent *link;
	pid_t link_pid;
	bool hq_up;
	int64_t hq_lines_ms;   /* monotonic: until when lines on what is refused are used up */
	char hq_why[128];      /* while it is away: what the link met, "" if nothing yet */
	int64_t link_retry_ms; /* monotonic */
	int64_t mend_ms;       /* monotonic: not before is a suspect store opened again */
	struct {
		struct buf told; /* what stood then */
		int64_t told_ms; /* monotonic */
	} health;
	int64_t link_alive_ms; /* monotonic: a link that has said nothing until then hangs */
	char *hq_filters[HQ_FILTERS_MAX];
	size_t hq_filter_count;
	struct hq_way hq_ways[16];
	size_t hq_way_count;
	struct {
		struct root root; /* version 0: none, nothing of headquarters' is taken */
		struct sequences seen;
	} trusted;
	int64_t orders_again_ms; /* monotonic: one could not be carried out; 0: none */
	int64_t hear_ms; /* monotonic: when it is next looked which tablets' pages are open */

	struct fetching *fetching;	       /* artifacts on their way in; loop_fetch.c */
	struct staging *staging;	       /* a bundle on its way in; NULL */
	struct catalog_taking *catalog_taking; /* a catalog on its way in; NULL */
	char catalog_trouble[200];	/* why the one that the state names is not in force; "" */
	struct handing *handing;	/* release_hand.c: a bundle that is being hashed; NULL */
	struct releases *releases;	/* release.h; NULL: [hq] root is not set */
	struct profiles_taking *taking; /* a running profiles install; NULL */
	struct crash *poison;
	size_t started;			    /* steps of start.c */
	int64_t begun_mono_ms, begun_bytes; /* when it had started, and the state's size then */
	bool stopping;
	int exit_code;
};

/* daemon.c */
int daemon_run(const char *conf_path); /* a sysexits code */
/* check.c: all that a start would refuse, a line each; AISLE_E_CONFIG if there is any. It makes and opens nothing. */
int daemon_check(const char *conf_path, struct buf *report) AISLE_MUST_CHECK;

/* log level and rates, at the start and after a reload */
void daemon_take_configuration(struct daemon *daemon);
int daemon_add_events(struct daemon *daemon, struct err *err);
void daemon_remove_events(struct daemon *daemon);

/* clock.c */
void daemon_clock_init(struct daemon *daemon);
/* The store's time: never runs back, and does not follow a clock that jumps. */
int64_t daemon_now_ms(struct daemon *daemon);
int64_t daemon_state_bytes(const struct daemon *daemon); /* on disk; loop_http.c */
int64_t daemon_mono_ms(void);
int64_t daemon_mono_us(void);
int64_t daemon_cpu_us(void); /* processor time of this process */

/* queue.c */
/* A copy is queued; the turn runs when the loop gets to it. false: no room. */
bool daemon_queue(struct daemon *daemon, const struct input *input);
void daemon_clear_inputs(struct daemon *daemon);
void daemon_soon(struct daemon *daemon); /* a turn when the loop comes round */

/* start.c */
/* Where a step fails, the log names it, and what was started before it is stopped. */
int daemon_start(struct daemon *daemon) AISLE_MUST_CHECK;
void daemon_stop(struct daemon *daemon);

/* state.c: what is below the state folder */
int daemon_make_folders(struct daemon *daemon, struct err *err);
int daemon_open_engine(struct daemon *daemon, struct err *err);
void daemon_close_engine(struct daemon *daemon);
int daemon_open_crash_mark(struct daemon *daemon, struct err *err);
void daemon_close_crash_mark(struct daemon *daemon);
int daemon_open_profiles(struct daemon *daemon, struct err *err);
void daemon_close_profiles(struct daemon *daemon);
int daemon_next_session(struct daemon *daemon, struct err *err);
/* Where keys.db had no room for it: once more. */
void daemon_tell_session(struct daemon *daemon);

/* loop_turn.c */
void daemon_turn(struct daemon *daemon);
/* timers that are due; is the disk there again? */
void daemon_turn_of_nothing(struct daemon *daemon);
/* Can the state be written? 0, AISLE_E_FULL or another error; as the last turns met it. */
int daemon_disk(const struct daemon *daemon);
const char *daemon_disk_text(const struct daemon *daemon); /* ok, full, failing */
void daemon_reopen(struct daemon *daemon);
int daemon_turn_init(struct daemon *daemon, struct err *err);
void daemon_turn_done(struct daemon *daemon);
void daemon_arm_clock(struct daemon *daemon); /* to the engine's next timer */

/* broker.c */
int daemon_open_broker(struct daemon *daemon, struct err *err) AISLE_MUST_CHECK;

/* publish.c */
/* Straight from memory while nothing older waits; else it is found in the outbox. */
void daemon_publish_output(struct daemon *daemon, const struct output *output);
/* what the outbox holds beyond what the library was given */
void daemon_publish_backlog(struct daemon *daemon);
/* All of it is under way, and more may be. */
bool daemon_publish_room(const struct daemon *daemon);
/* Everything again: another connection. */
void daemon_publish_again(struct daemon *daemon);
void daemon_status_json(struct daemon *daemon, const char *state, struct buf *out);
/* The member "policy" of whatever tells it; null without one. */
void daemon_policy_json(const struct daemon *daemon, struct json_writer *w);
/* "none", "connected", "away" */
const char *daemon_hq_text(const struct daemon *daemon);
void daemon_publish_status(struct daemon *daemon, const char *state);

/* hello.c */
void daemon_hello_ask(struct daemon *daemon, const char *tablet, const char *station);
void daemon_hear_tablets(struct daemon *daemon); /* loop_http.c: whose page is open is heard of */
void daemon_hello_answer(struct daemon *daemon); /* who is due */

/* mappings.c */
/* Those of conf, for the store's currency and zone. Every mistake in report, a line each. */
int daemon_mappings_load(const struct conf *conf, const struct conf *store, struct mappings *ret,
    struct buf *report) AISLE_MUST_CHECK;
void daemon_mappings_free(struct mappings *mappings);
/* to our topics and those of the mappings in force */
void daemon_listen(struct daemon *daemon);
bool daemon_is_wide(const char *filter); /* one that catches more than our own topics */
/* alike.c: is it on a topic that is neither ours nor a mapping's? Then it is looked at and that is all. */
bool daemon_alike(struct daemon *daemon, const char *topic);
void daemon_alike_tell(struct daemon *daemon); /* each second; a line in the log once a minute */
/* false: it is not for a mapping. */
bool daemon_mapped(struct daemon *daemon, const char *topic, const void *payload, size_t len);

/* loop_http.c */
extern const struct http_host daemon_http_host;

/* control_calls.c, and what it leaves to others: they answer the request */
void daemon_control(void *ctx, struct control_request *request);
void daemon_doctor(struct daemon *daemon, struct control_request *request); /* doctor.c */
/* forget.c: all cards of the person; reply is called once, before or after this returns */
void daemon_forget(struct daemon *daemon, const struct id *subject, reply_fn reply, void *ctx);
/* activate.c */
/* the one that the state names, else the last good one */
int daemon_activate_named(struct daemon *daemon, struct err *err);
/* One that is in its place, with its image; no_image says why there is none. What it replaces is
 * retired. */
int daemon_activate(struct daemon *daemon, const char *path, const struct err *no_image,
    struct err *err) AISLE_MUST_CHECK;
/* The same, but that nothing is retired, and what is remembered beside it. */
int daemon_switch(struct daemon *daemon, const char *path, const struct err *no_image,
    const struct switch_note *note, struct err *err) AISLE_MUST_CHECK;
/* Of a bundle that was replaced the image goes, and in time the bundle; "": none was. */
void daemon_retire(struct daemon *daemon, const char *hash);
/* An image of the policy in force or of an open card, by its hash. */
int daemon_picture(void *ctx, const char *hash, struct buf *out);
/* That the state names, in its meta; "": it names none. */
int daemon_named_hash(const struct daemon *daemon, const char *meta, char ret_hash[static 65])
    AISLE_MUST_CHECK;
/* of a bundle, or of its image: tail */
void daemon_bundle_path(const struct daemon *daemon, const char *hash, const char *tail,
    char out[static 512]);
/* release.c, release_report.c: what headquarters wants in force, and where it stands */
int daemon_release_start(struct daemon *daemon, struct err *err);
void daemon_release_stop(struct daemon *daemon);
void daemon_release_look(struct daemon *daemon); /* each second */
/* Members "release", "own_release" and "good" of status and the health record. */
void daemon_release_report(struct daemon *daemon, struct json_writer *w);
bool daemon_release_says(struct daemon *daemon,
    char text[static 400]); /* a sentence; is it well? */
/* release_hand.c: what somebody carries in, where [hq] root is set */
void daemon_hand_bundle(struct daemon *daemon, struct control_request *request);
void daemon_hand_release(struct daemon *daemon, struct control_request *request);
void daemon_hand_root(struct daemon *daemon, struct control_request *request);
void daemon_hand_stop(struct daemon *daemon); /* one that is not done yet is dropped */
/* stage.c */
void daemon_stage(struct daemon *daemon, struct control_request *request);
/* From where it was received to its place among the bundles, with its image. */
int daemon_move_in(struct daemon *daemon, const char *from, const char *hash,
    char ret_path[static 512], struct err *err) AISLE_MUST_CHECK;
/* Another policy is in force: everyone is told. */
void daemon_policy_switched(struct daemon *daemon);
void daemon_stage_stop(struct daemon *daemon); /* one that is not done yet is dropped */
/* loop_catalog.c */
/* the one that the state names, else the last good one, else none */
int daemon_catalog_start(struct daemon *daemon, struct err *err);
void daemon_catalog_stop(struct daemon *daemon); /* one that is not done yet is dropped */
/* A file that may be taken (who sent it is asked before): checked beside the loop, moved to its place
 * and in force from the next line on; then done, err->code 0 or why not. It is not called where this
 * returns an error. */
typedef void (*catalog_fn)(void *ctx, const struct err *err);
int daemon_catalog_take(struct daemon *daemon, const char *path, catalog_fn done, void *ctx,
    struct err *err) AISLE_MUST_CHECK;
/* From where it was received to its place among the catalogs. */
int daemon_catalog_move_in(struct daemon *daemon, const char *from, const char *hash,
    char ret_path[static 512], struct err *err) AISLE_MUST_CHECK;
/* Another one is in force, and the state names it: said, and what is older goes. */
void daemon_catalog_switched(struct daemon *daemon);
void daemon_install_catalog(struct daemon *daemon, struct control_request *request);
/* The member "catalog"; null without one. */
void daemon_catalog_json(const struct daemon *daemon, struct json_writer *w);
void daemon_catalog_path(const struct daemon *daemon, const char *hash, char out[static 512]);
/* loop_profiles.c */
/* rc 0: they serve; else err says why the old ones still do (profiles_gap(): a snapshot is needed). */
typedef void (*profiles_fn)(void *ctx, int rc, const struct err *err);
/* Whoever calls it has verified the file, which is gone once it serves. done is called once, before or after this
 * returns. With [hq] root it must be encrypted to this store. */
void daemon_profiles_take(struct daemon *daemon, const char *path, profiles_fn done, void *ctx);
void daemon_enroll(struct daemon *daemon, struct control_request *request);
void daemon_install_profiles(struct daemon *daemon, struct control_request *request);
void daemon_install_profiles_stop(struct daemon *daemon);
/* tablets.c */
int daemon_tablet_put(void *ctx, const char *token_hash, const struct http_tablet *tablet);
int daemon_tablet_get(void *ctx, const char *token_hash, struct http_tablet *ret);
void daemon_tablets_changed(struct daemon *daemon); /* what is known of them is read anew */
/* All tokens of that name, and their open streams. near: appended to, names that are like it. */
int daemon_revoke(struct daemon *daemon, const char *name, size_t *ret_count, struct buf *near)
    AISLE_MUST_CHECK;
/* min to max printable ASCII characters, none of them a blank; NULL is none. */
bool daemon_is_printable(const char *text, size_t min, size_t max);
void daemon_top(struct daemon *daemon, struct control_request *request);       /* top.c */
void daemon_recording(struct daemon *daemon, struct control_request *request); /* recording.c */
void daemon_tablet_pair(struct daemon *daemon, struct control_request *request);
void daemon_tablet_add(struct daemon *daemon, struct control_request *request);
void daemon_tablet_list(struct daemon *daemon, struct control_request *request);
void daemon_tablet_revoke(struct daemon *daemon, struct control_request *request);
void daemon_manager_add(struct daemon *daemon, struct control_request *request);
void daemon_manager_remove(struct daemon *daemon, struct control_request *request);
void daemon_manager_list(struct daemon *daemon, struct control_request *request);

/* orders.c */
void daemon_order_stop(struct daemon *daemon, struct control_request *request);
void daemon_order_lever(struct daemon *daemon, struct control_request *request);
void daemon_manager_orders(void *ctx, const char *manager, const char *name,
    const struct json_t *body, reply_fn reply, void *reply_ctx);
/* Of the policy in force; false: says has why, and near names. */
bool daemon_has_action(struct daemon *daemon, const char *action, struct buf *says);

/* health.c: each second; a record of how the store is, where one is due */
void daemon_health(struct daemon *daemon);
/* ---- wear.c ---- */
int64_t daemon_written_a_day(struct daemon *daemon); /* to the disk; < 0: not known, or not yet */
/* That a new flash lasts; < 0: what it stands is not told, or nothing is written. */
double daemon_flash_years(const struct daemon *daemon, int64_t written_a_day);
int64_t daemon_days_fit(struct daemon *daemon); /* of decisions; < 0: not known yet */
void daemon_room_json(struct daemon *daemon, struct json_writer *w); /* members "room", "flash" */

int64_t daemon_bytes_written(void); /* by this process; < 0: the kernel does not tell */
int64_t daemon_bytes_free(const struct daemon *daemon); /* beside the state; < 0: not known */

/* trusted.c */
int daemon_trusted_start(struct daemon *daemon, struct err *err);
void daemon_trusted_stop(struct daemon *daemon);
const struct root *daemon_root(const struct daemon *daemon); /* NULL: [hq] root is not set */
/* One that is older than what was in force here once is only the way to the next. */
bool daemon_trusts(const struct daemon *daemon);
/* The next one, from wherever: verified, kept, in force. */
int daemon_root_offer(struct daemon *daemon, const char *name, const void *text, size_t len,
    struct err *err) AISLE_MUST_CHECK;
struct trust_self daemon_trust_self(const struct daemon *daemon);
struct sequences *daemon_seen(struct daemon *daemon);
int daemon_seen_save(struct daemon *daemon)
    AISLE_MUST_CHECK; /* a transaction of its own, between two turns */

/* hq_orders.c */
int daemon_orders_start(struct daemon *daemon, struct err *err);
void daemon_orders_look(struct daemon *daemon); /* each second */
/* Members "orders" and "stops" of the health record. */
void daemon_orders_json(struct daemon *daemon, struct json_writer *w);
/* Headquarters ordered one: until a snapshot of profiles is installed, no delta will do. */
bool daemon_wants_snapshot(struct daemon *daemon);
int daemon_has_snapshot(struct daemon *daemon) AISLE_MUST_CHECK;

/* loop_link.c */
int daemon_link_start(struct daemon *daemon, struct err *err);
void daemon_link_stop(struct daemon *daemon);
void daemon_link_pump(struct daemon *daemon);
void daemon_link_look(struct daemon *daemon); /* each second: one that hangs is killed */
/* the store is another one now: after a failed commit */
void daemon_link_reopened(struct daemon *daemon);
/* Before the link is started. */
void daemon_hq_hear(struct daemon *daemon, const char *words, bool own, hq_fn take);
/* A line of the log on what headquarters sent and is refused. Whoever owns its broker can send without end: after the
 * first of them it is one a second, and the counters say how many there were. */
void daemon_hq_refused(struct daemon *daemon, const char *format, ...) AISLE_PRINTF(2, 3);
/* A topic or filter at headquarters' broker, at QoS 0, over reconnects and a new link process, until
 * it is unsubscribed. Once more: what is retained there comes again. */
void daemon_hq_subscribe(struct daemon *daemon, const char *topic);
void daemon_hq_unsubscribe(struct daemon *daemon, const char *topic);
/* At QoS 1, not retained. false: headquarters is away, or too much is on its way; nothing was sent. */
bool daemon_hq_publish(struct daemon *daemon, const char *topic, const void *payload, size_t len);

/* loop_fetch.c: artifacts of headquarters */
struct artifact {
	char hash[65]; /* BLAKE2b-256 of the file, lower-case hex */
	int64_t bytes;
	int chunk; /* bytes of each but the last */
	bool own;  /* this store's alone: asked for; else retained */
};
/* path: the file, verified and on disk, to be renamed or read until daemon_fetch_stop(). NULL: it was refused, why, and
 * what exactly; it is over then. */
typedef void (*fetch_fn)(void *ctx, const char *path, enum refusal refusal, const struct err *err);
/* Begins it, or goes on where a former one stopped, also after a restart; terms NULL: at once, as fast as it goes. done is
 * called from the loop, once; only where too many are wanted at a time (full), at once. Wanted again, it is a matter of the
 * new terms, done and ctx, and told anew if it is here. Three have files at a time, the others wait. While headquarters is
 * away it waits, and a broker without the artifact delays it for ever: bad chunks are counted, and shown in the status. */
void daemon_fetch(struct daemon *daemon, const struct artifact *artifact,
    const struct fetch_terms *terms, fetch_fn done, void *ctx);
/* Not wanted any more: done is not called. What came of it is kept for a while; of one that done had as its path nothing
 * stays where it was. Unknown: nothing. May be called within done. */
void daemon_fetch_stop(struct daemon *daemon, const char *hash);
/* Member "fetches": a list of {"hash","bytes","have","state","why"?}. */
void daemon_fetch_json(const struct daemon *daemon, struct json_writer *w);
void daemon_fetch_up(struct daemon *daemon); /* headquarters is there again */
int daemon_fetch_init(struct daemon *daemon, struct err *err);
void daemon_fetch_done(struct daemon *daemon);

#endif
