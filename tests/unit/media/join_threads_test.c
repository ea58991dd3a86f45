/* SPDX-License-Identifier: Apache-2.0 */
/* join_threads_test.c  Ports that are joined, parted, joined with others and closed while packets flow, with real threads on the real clock: what
 * happens when two people are put together, one hangs up, and the other is on the way to a third. Seeds are fixed; what the threads make
 * of it is not, which is the point: run it under ThreadSanitizer.                                                       */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include <time.h>
#include "audio.h"
#include "base/mem.h"
#include "media/media.h"
#include "net/addr.h"
#include "net/loop.h"
#include "net/tmr.h"

enum { CALLS = 12, TURNS = 400, TURN_MS = 4 };

/* A caller, who speaks all the time, and our port that he speaks to. */
struct call {
	struct media_port *caller, *ours;
	struct media_sink_mem sink;
	bool recording, leaving;
	unsigned open;         /* ports that are not CLOSED */
	uint64_t keys;
};
static struct call call[CALLS];
static struct loop *loop;
static struct media_engine *engine;
static struct media_clip *clip;
static struct tmr turn_tmr, limit_tmr;
static unsigned turn, opened, closed, joins, keys_heard;
static uint32_t seed;
static bool ending;

static unsigned below(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void give_up(void *arg)
{
	(void)arg;
	fail_msg("not over in time: %u of %u ports closed", closed, opened);
}

static void on_event(struct media_port *port, const struct media_event *ev, void *arg)
{
	struct call *c = arg;
	assert_true(loop_here(loop));
	switch (ev->type) {
	case MEDIA_PLAY_ENDED:
		if (port == c->caller && !c->leaving && !ev->stopped)
			(void)media_play(port, &clip, 1, NULL);
		break;
	case MEDIA_DIGIT:
		keys_heard++;
		break;
	case MEDIA_REC_ENDED:
		assert_int_equal(ev->err, 0);
		c->recording = false;
		break;
	case MEDIA_CLOSED:
		closed++;
		if (port == c->caller)
			c->caller = NULL;
		else
			c->ours = NULL;
		c->open--;
		if (!c->open) {
			assert_false(c->recording);
			buf_free(&c->sink.bytes);
			c->leaving = false;
		}
		if (ending && closed == opened)
			loop_stop(loop);
		break;
	default:
		break;
	}
}

static struct media_port *open_port(struct call *c)
{
	struct net_addr local;
	struct media_port *port;
	net_addr_parse(&local, TEXT("127.0.0.1"), 0);
	struct media_port_prm prm = { .local = &local, .handler = on_event, .arg = c };
	assert_int_equal(media_port_open(&port, engine, &prm, NULL), 0);
	opened++;
	c->open++;
	return port;
}

static void arrive(struct call *c)
{
	c->caller = open_port(c);
	c->ours = open_port(c);
	media_sink_mem_init(&c->sink, 1 << 20);
	enum media_codec law = below(2) ? MEDIA_PCMU : MEDIA_PCMA;
	struct media_stream st = { .codec = law, .pt = law == MEDIA_PCMU ? 0 : 8, .dtmf_pt = 101, .send = true, .recv = true };
	st.remote = media_port_addr(c->ours);
	assert_int_equal(media_port_start(c->caller, &st), 0);
	st.remote = media_port_addr(c->caller);
	assert_int_equal(media_port_start(c->ours, &st), 0);
	(void)media_play(c->caller, &clip, 1, NULL);
}

static void leave(struct call *c)
{
	c->leaving = true;
	media_port_close(c->ours);
	media_port_close(c->caller);
}

static void something_happens(struct call *c)
{
	struct call *other = &call[below(CALLS)];
	switch (below(10)) {
	case 0:
		leave(c);
		break;
	case 1:
		media_part(c->ours);
		break;
	case 2:
		if (!c->recording && media_record(c->ours, &(struct media_record_prm){ .sink = &c->sink.sink }, NULL) == 0)
			c->recording = true;
		break;
	case 3:
		media_record_stop(c->ours);
		break;
	case 4:
		(void)media_play(c->ours, &clip, 1, NULL);
		break;
	case 5:
		media_play_stop(c->ours);
		break;
	case 6:
		(void)media_send_digits(c->caller, "4", 60, 40);
		break;
	default:
		if (other != c && other->ours && !other->leaving && media_join(c->ours, other->ours) == 0)
			joins++;
		break;
	}
}

static void take_turn(void *arg)
{
	(void)arg;
	if (turn++ < TURNS) {
		tmr_start(loop, &turn_tmr, TURN_MS, take_turn, NULL);
		struct call *c = &call[below(CALLS)];
		if (!c->open)
			arrive(c);
		else if (!c->leaving)
			something_happens(c);
		return;
	}
	ending = true;
	for (unsigned i = 0; i < CALLS; i++)
		if (call[i].open && !call[i].leaving)
			leave(&call[i]);
	if (closed == opened)
		loop_stop(loop);
}

static void begin(unsigned threads)
{
	static int16_t pcm[8 * 300];
	audio_make(pcm, sizeof pcm / 2, 5);
	assert_int_equal(media_clip_from_l16(&clip, pcm, sizeof pcm / 2), 0);
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	struct media_engine_prm prm = { .loop = loop, .clock = clock_system(), .threads = threads };
	assert_int_equal(media_engine_create(&engine, &prm, NULL), 0);
	memset(call, 0, sizeof call);
	turn = opened = closed = joins = keys_heard = 0;
	ending = false;
	seed = 20 + threads;
}

static void finish(void)
{
	tmr_cancel(&limit_tmr);
	tmr_cancel(&turn_tmr);
	media_engine_destroy(engine);
	loop_destroy(loop);
	mem_unref(clip);
}

static void joins_come_and_go(unsigned threads)
{
	begin(threads);
	tmr_start(loop, &limit_tmr, 60000, give_up, NULL);
	tmr_start(loop, &turn_tmr, 0, take_turn, NULL);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(closed, opened);
	assert_true(joins > 20);
	assert_true(opened > CALLS * 2); /* some left, others came */
	finish();
}

static void on_one_thread(void **state)
{
	(void)state;
	joins_come_and_go(1);
}

static void on_three_threads(void **state)
{
	(void)state;
	joins_come_and_go(3);
}

/* A server that is stopped in the middle: whatever lies in the rings goes with it. */
static void the_engine_ends_in_the_middle(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		begin(3);
		seed += round * 7919;
		for (unsigned i = 0; i < CALLS; i++)
			arrive(&call[i]);
		for (unsigned i = 0; i < 60; i++) {
			struct call *c = &call[below(CALLS)], *other = &call[below(CALLS)];
			if (c == other)
				continue;
			(void)media_join(c->ours, other->ours);
			if (!below(3))
				media_part(other->ours);
			if (!below(8))
				(void)media_play(c->ours, &clip, 1, NULL);
		}
		struct timespec some = { .tv_nsec = (long)below(60) * 1000000 };
		nanosleep(&some, NULL);
		finish();
	}
}

UT_MAIN(UT(on_one_thread), UT(on_three_threads), UT(the_engine_ends_in_the_middle))
