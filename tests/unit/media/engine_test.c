/* SPDX-License-Identifier: Apache-2.0 */
/* engine_test.c  The engine with its real threads, on the real clock. */
#include "ut.h"
#include <string.h>
#include "audio.h"
#include "base/mem.h"
#include "event/metrics.h"
#include "media/g711.h"
#include "media/media.h"
#include "net/addr.h"
#include "net/loop.h"
#include "net/tmr.h"

enum { CALLS = 8 };

static struct loop *loop;
static struct media_engine *engine;

struct side {
	struct media_port *port;
	bool caller, plays_over, rec_over;
	char digits[16];
	unsigned n_digits;
	struct media_sink_mem sink;
};
static struct side side[CALLS * 2];
static unsigned closed;

static void on_event(struct media_port *port, const struct media_event *ev, void *arg)
{
	struct side *s = arg;
	assert_true(loop_here(loop));
	switch (ev->type) {
	case MEDIA_PLAY_ENDED:
		s->plays_over = true;
		assert_int_equal(media_send_digits(port, "17#", 60, 60), 0);
		break;
	case MEDIA_DIGIT:
		s->digits[s->n_digits++] = ev->digit;
		if (ev->digit == '#')
			media_record_stop(port);
		break;
	case MEDIA_REC_ENDED:
		assert_int_equal(ev->err, 0);
		s->rec_over = true;
		media_port_close(port);
		media_port_close((s - 1)->port);
		break;
	case MEDIA_CLOSED:
		if (++closed == CALLS * 2)
			loop_stop(loop);
		break;
	default:
		break;
	}
}

static void give_up(void *arg)
{
	(void)arg;
	fail_msg("not over after a minute");
}

static void open_side(struct side *s)
{
	struct net_addr local;
	net_addr_parse(&local, TEXT("127.0.0.1"), 0);
	struct media_port_prm prm = { .local = &local, .handler = on_event, .arg = s };
	assert_int_equal(media_port_open(&s->port, engine, &prm, NULL), 0);
}

static void calls_on_two_threads(void **state)
{
	(void)state;
	static int16_t pcm[8 * 600], heard[8 * 4000];
	struct tmr limit = { 0 };
	struct media_clip *clip;
	memset(side, 0, sizeof side);
	closed = 0;
	audio_make(pcm, sizeof pcm / 2, 5);
	assert_int_equal(media_clip_from_l16(&clip, pcm, sizeof pcm / 2), 0);
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	struct metrics *metrics;
	assert_int_equal(metrics_create(&metrics), 0);
	struct media_engine_prm prm = { .loop = loop, .clock = clock_system(), .threads = 2, .metrics = metrics };
	assert_int_equal(media_engine_create(&engine, &prm, NULL), 0);
	for (unsigned i = 0; i < CALLS * 2; i++)
		open_side(&side[i]);
	for (unsigned i = 0; i < CALLS * 2; i++) {
		struct side *s = &side[i], *o = &side[i ^ 1];
		struct media_stream st = { .remote = media_port_addr(o->port), .pt = 0, .dtmf_pt = 101, .send = true, .recv = true };
		assert_int_equal(media_port_start(s->port, &st), 0);
		if (i % 2) {
			media_sink_mem_init(&s->sink, 1 << 20);
			assert_int_equal(media_record(s->port, &(struct media_record_prm){ .sink = &s->sink.sink }, NULL), 0);
		}
	}
	for (unsigned i = 0; i < CALLS * 2; i += 2) /* when all are listened to */
		assert_int_equal(media_play(side[i].port, &clip, 1, NULL), 0);
	mem_unref(clip);
	tmr_start(loop, &limit, 60000, give_up, NULL);
	assert_int_equal(loop_run(loop), 0);
	tmr_cancel(&limit);
	/* on a machine that stands still for a tenth of a second frames are given up, as they must be: then no two recordings are alike */
	bool all_said = !metric_value(metric_get(metrics, METRIC_COUNTER, "umbel_media_frames_skipped_total", NULL, ""));
	for (unsigned i = 1; i < CALLS * 2; i += 2) {
		struct side *s = &side[i];
		assert_true(s->rec_over);
		assert_string_equal(s->digits, "17#");
		size_t n = s->sink.bytes.n < sizeof heard / 2 ? s->sink.bytes.n : sizeof heard / 2;
		g711_decode(MEDIA_PCMU, heard, s->sink.bytes.p, n);
		if (all_said)
			assert_true(audio_compare(pcm, sizeof pcm / 2, heard, n, MEDIA_RATE).correlation > 0.9);
		buf_free(&s->sink.bytes);
	}
	media_engine_destroy(engine);
	metrics_destroy(metrics);
	loop_destroy(loop);
}

UT_MAIN(UT(calls_on_two_threads))
