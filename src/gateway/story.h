/* SPDX-License-Identifier: Apache-2.0 */
/* story.h  What fails again and again is one story: with whom, in which direction, for what, by which verdict, since when and how often.
 *
 * A story is born with the first failure of its kind, counts the others, and ends when the same thing works again, when it fails in another way
 * instead, when nobody is configured any more whom it is about, or when a stranger was not heard for a day. One that comes back within an
 * hour is the same story; it then must rest a while before a success ends it again, so that what comes and goes is no flood of events.
 *
 * Peers that are no gateway are put together by their network (IPv4 /24, IPv6 /48). All numbers are bounded: so many open stories of one
 * gateway, of strangers, in all, and so many ended ones. What finds no place is counted.
 * No I/O; time comes from the clock given. story_store.h keeps stories over a restart. Loop thread.                         */
#ifndef GATEWAY_STORY_H
#define GATEWAY_STORY_H
#include "base/clock.h"
#include "base/id.h"
#include "base/list.h"
#include "trust/explain.h"

enum {
	GW_STORIES_OPEN = 256,     /* in all */
	GW_STORIES_GATEWAY = 48,   /* of one gateway */
	GW_STORIES_STRANGERS = 32, /* networks of strangers */
	GW_STORIES_ENDED = 256,
};

enum gw_story_end {
	GW_STORY_OPEN,
	GW_STORY_WORKS,   /* the same flow was seen to work */
	GW_STORY_CHANGED, /* it fails still, but by another verdict */
	GW_STORY_GONE,    /* the gateway or the address is not configured any more */
	GW_STORY_QUIET,   /* a stranger that was not heard for a day */
};
const char *gw_story_end_name(enum gw_story_end e); /* "open", "works", "changed", "gone", "quiet" */

struct gw_story {
	char id[ID_SIZE];
	char node[TRUST_LABEL_SIZE];
	char gateway[TRUST_LABEL_SIZE]; /* "": a stranger */
	char peer[TRUST_ADDR_SIZE];     /* its address; a stranger's network; "" if none was known */
	char host[TRUST_ADDR_SIZE];     /* strangers: the address heard last */
	bool many;                      /* strangers: several addresses of that network were heard */
	enum trust_role role;
	enum trust_flow flow;
	enum trust_transport transport;
	enum trust_step step;
	enum trust_certainty certainty;
	char verdict[48];               /* its stable name */
	char identity[TRUST_LABEL_SIZE]; /* ours, as shown */
	char sentence[512];
	int64_t first_us, last_us, ended_us; /* wall clock; 0: not yet */
	uint64_t count;
	unsigned returns;               /* how often it came back after its end */
	enum gw_story_end end;
	char *verdict_json, *facts_json; /* of a recent failure, as trust_verdict_json() and facts_json() write them; NULL: no memory */
	/* of the keeper */
	struct link link;
	bool dirty;                     /* changed since it was written to the store */
	int64_t told_ms, made_ms;       /* monotonic: told in an event; the two texts made */
	int64_t failed_ms;              /* monotonic, because the wall clock may be what is mended: its last failure, or when it was read back */
	bool good;                      /* it was seen to work since */
	unsigned others;                /* failures of the same flow by other verdicts since its own last one */
};

struct gw_stories;

int gw_stories_create(struct gw_stories **sp, const struct um_clock *clock, const char *node);
void gw_stories_destroy(struct gw_stories *s); /* NULL is allowed */

enum gw_story_news {
	GW_STORY_IS_OLD,  /* known, and told a short time ago */
	GW_STORY_IS_NEW,
	GW_STORY_IS_BACK, /* it had ended */
	GW_STORY_STILL,   /* an hour since it was told: time for a reminder */
	GW_STORY_IS_LOST, /* no room: only counted */
};
struct gw_story_told {
	enum gw_story_news news;
	const struct gw_story *story; /* NULL: lost; borrowed for the call */
};
/* A failure that has a verdict. `gateway` is "" for strangers; `address` the peer's address without port, "" if none is known. */
void gw_story_failed(struct gw_stories *s, const char *gateway, const char *address, const struct trust_facts *f, const struct trust_verdict *v,
                     struct gw_story_told *told);

/* The short way for floods: when an open story of that kind is known and nothing of it is news, or when a stranger's finds no room, it is counted
 * here and true is said; false: gather the facts and call gw_story_failed(). */
bool gw_story_again(struct gw_stories *s, const char *gateway, const char *address, enum trust_role role, enum trust_flow flow, const char *verdict,
                    const char *identity);

/* A story that has just ended: borrowed for the call. */
typedef void (gw_story_h)(const struct gw_story *st, void *arg);
/* Something worked: ends the stories that it disproves. Dialled: those of the same flow, and of every flow if what failed was to find or reach
 * the peer or to shake hands with it. Accepted: all that this gateway or this address brought. began_ms: when the connection that it came by began
 * (monotonic; 0: just now). One that is older than the last failure proves nothing: it may stand since before a certificate was changed. */
void gw_story_works(struct gw_stories *s, const char *gateway, const char *address, enum trust_role role, enum trust_flow flow, int64_t began_ms,
                    gw_story_h *ended, void *arg);
/* Whether the gateway that an open story is about is still configured, and has that address. */
typedef bool (gw_story_there_h)(const struct gw_story *st, void *arg);
/* Now and then: ends what is gone, quiet, or has rested long enough after it worked. */
void gw_story_sweep(struct gw_stories *s, gw_story_there_h *there, void *there_arg, gw_story_h *ended, void *arg);

/* Newest first, open ones before ended ones. */
unsigned gw_story_count(const struct gw_stories *s);
unsigned gw_story_open(const struct gw_stories *s);
const struct gw_story *gw_story_at(const struct gw_stories *s, unsigned i);
const struct gw_story *gw_story_find(const struct gw_stories *s, const char *id); /* NULL if there is none */
/* Failures that found no room since the start. */
uint64_t gw_story_lost(const struct gw_stories *s);

/* For story_store.c: takes a story that was kept (with its texts, which are the keeper's from now on); one of the same kind that was born
 * meanwhile takes its id, begin and count. False: it was not taken, the texts are the caller's still. */
bool gw_story_restore(struct gw_stories *s, const struct gw_story *kept);
/* Calls `each` for those that changed since the last time, at most max; returns how many. */
unsigned gw_story_dirty(struct gw_stories *s, unsigned max, gw_story_h *each, void *arg);
/* What could not be written after all is to be written again. */
void gw_story_touch(struct gw_stories *s, const char *id);

/* "192.0.2.0/24" of "192.0.2.7", "2001:db8:1::/48" of "2001:db8:1:2::3"; other text as it is. Returns dst. */
char *gw_story_network(const char *address, char *dst, size_t size);
/* "3 min 20 s". Returns dst. */
char *gw_story_lasted(const struct gw_story *st, char *dst, size_t size);

#endif
