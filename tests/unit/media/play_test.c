/* SPDX-License-Identifier: Apache-2.0 */
/* play_test.c  What is played can be held, skipped through, and swapped for the same words slower or louder; its packets stay in step meanwhile. */
#include "ut.h"
#include <errno.h>
#include <math.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "media/g711.h"
#include "media/rtp.h"
#include "media/stretch.h"
#include "media_pair.h"

enum { FRAMES = 200, KEYS = 101 };

static struct pair p;
static int peer;
static struct rtp_packet last;
static unsigned packets;

/* Frame k of it says k in its first byte: 1 to FRAMES, which no silence does. */
static struct media_clip *counted(unsigned frames)
{
	static uint8_t law[MEDIA_FRAME * FRAMES];
	struct media_clip *c;
	for (unsigned i = 0; i < frames; i++)
		memset(law + i * MEDIA_FRAME, (int)(i + 1), MEDIA_FRAME);
	assert_int_equal(media_clip_from_bytes(&c, MEDIA_PCMU, law, (size_t)frames * MEDIA_FRAME), 0);
	return c;
}

static void begin(bool no_silence)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof in;
	struct net_addr at;
	peer = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(peer >= 0);
	assert_int_equal(bind(peer, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(getsockname(peer, (struct sockaddr *)&in, &len), 0);
	net_addr_from(&at, (struct sockaddr *)&in);
	pair_open_idle(&p, false);
	struct media_stream st = { .remote = &at, .pt = 0, .dtmf_pt = KEYS, .send = true, .recv = true, .no_silence = no_silence };
	assert_int_equal(media_port_start(p.a.port, &st), 0);
	packets = 0;
}

static void end(void)
{
	close(peer);
	pair_close(&p);
}

/* One tick: the first byte of what came, -1 if nothing did. Sequence and time stamps are in step with the clock. */
static int tick(void)
{
	static uint8_t b[2000];
	static unsigned ticks_since;
	struct rtp_packet pkt;
	pair_run(&p, MEDIA_FRAME_MS);
	ssize_t n = recv(peer, b, sizeof b, MSG_DONTWAIT);
	ticks_since = packets ? ticks_since + 1 : 1;
	if (n < 0)
		return -1;
	assert_int_equal(rtp_parse(&pkt, b, (size_t)n), 0);
	if (packets++) {
		assert_int_equal(pkt.seq, (uint16_t)(last.seq + 1));
		assert_int_equal(pkt.ssrc, last.ssrc);
		if (pkt.pt != KEYS && last.pt != KEYS) {
			assert_int_equal(pkt.ts - last.ts, ticks_since * MEDIA_FRAME);
			assert_int_equal(pkt.marker, ticks_since > 1);
		}
	} else {
		assert_true(pkt.marker);
	}
	last = pkt;
	ticks_since = 0;
	return pkt.payload[0];
}

static int ticks(unsigned n)
{
	int got = -1;
	while (n--)
		got = tick();
	return got;
}

static void pauses_go_on_where_they_began(void **state)
{
	(void)state;
	for (int no_silence = 0; no_silence < 2; no_silence++) {
		struct media_clip *c = counted(FRAMES);
		begin(no_silence);
		assert_int_equal(media_play(p.a.port, &c, 1, NULL), 0);
		assert_int_equal(ticks(10), 10);
		assert_int_equal(media_play_pause(p.a.port, true), 0);
		for (unsigned i = 0; i < 30; i++)
			assert_int_equal(tick(), no_silence ? -1 : 0xff);
		assert_int_equal(media_play_pause(p.a.port, false), 0);
		assert_int_equal(tick(), 11); /* tick() saw the marker if nothing was sent, and the stamps either way */
		assert_int_equal(ticks(5), 16);
		assert_int_equal(media_play_pause(p.a.port, true), 0);
		ticks(3);
		media_play_stop(p.a.port);
		ticks(2);
		assert_int_equal(pair_event(&p.a, MEDIA_PLAY_ENDED, 0)->samples, 16 * MEDIA_FRAME);
		assert_int_equal(media_play(p.a.port, &c, 1, NULL), 0); /* the pause went with what it held */
		assert_int_equal(tick(), 1);
		mem_unref(c);
		end();
	}
}

static void skipping_stays_within_what_plays(void **state)
{
	(void)state;
	struct media_clip *c = counted(FRAMES), *clips[] = { c, c };
	uint32_t first, second;
	begin(false);
	assert_int_equal(media_play_skip(p.a.port, 1000), 0); /* nothing plays */
	assert_int_equal(tick(), 0xff);
	assert_int_equal(media_play(p.a.port, clips, 2, &first), 0);
	assert_int_equal(media_play(p.a.port, clips, 1, &second), 0);
	assert_int_equal(ticks(10), 10);
	assert_int_equal(media_play_skip(p.a.port, 1000), 0);
	assert_int_equal(tick(), 61);
	assert_int_equal(media_play_skip(p.a.port, -1210), 0); /* to the beginning of a frame */
	assert_int_equal(tick(), 1);
	assert_int_equal(media_play_skip(p.a.port, INT32_MIN), 0);
	assert_int_equal(tick(), 1);
	assert_int_equal(media_play_skip(p.a.port, 4000), 0); /* into its second clip */
	assert_int_equal(tick(), 2);
	assert_int_equal(media_play_skip(p.a.port, -4000), 0);
	assert_int_equal(tick(), 3);
	assert_int_equal(media_play_skip(p.a.port, INT32_MAX), 0);
	assert_int_equal(tick(), 1); /* of the second play */
	const struct media_event *ev = pair_event(&p.a, MEDIA_PLAY_ENDED, 0);
	assert_int_equal(ev->id, first);
	assert_false(ev->stopped);
	assert_int_equal(ev->samples, 2 * FRAMES * MEDIA_FRAME);
	mem_unref(c);
	end();
}

static void a_swap_goes_on_at_the_same_place(void **state)
{
	(void)state;
	struct media_clip *c = counted(FRAMES), *half = counted(FRAMES / 2);
	uint32_t id, queued;
	begin(false);
	assert_int_equal(media_play(p.a.port, &c, 1, &id), 0);
	assert_int_equal(media_play(p.a.port, &c, 1, &queued), 0);
	assert_int_equal(ticks(100), 100);
	assert_int_equal(media_play_swap(p.a.port, id, &half, 1), 0); /* twice as fast */
	assert_int_equal(tick(), 51);
	assert_int_equal(media_play_swap(p.a.port, queued, &half, 1), 0);
	assert_int_equal(ticks(9), 60);
	assert_int_equal(media_play_swap(p.a.port, id, &c, 1), 0);
	assert_int_equal(tick(), 121);
	assert_int_equal(ticks(79), 200);
	assert_int_equal(pair_count(&p.a, MEDIA_PLAY_ENDED), 1); /* one for all that it was made of */
	assert_int_equal(pair_event(&p.a, MEDIA_PLAY_ENDED, 0)->id, id);
	assert_int_equal(pair_event(&p.a, MEDIA_PLAY_ENDED, 0)->samples, FRAMES * MEDIA_FRAME);
	assert_int_equal(media_play_swap(p.a.port, id, &c, 1), 0); /* too late */
	assert_int_equal(ticks(FRAMES / 2), FRAMES / 2);
	assert_int_equal(tick(), 0xff);
	assert_int_equal(pair_count(&p.a, MEDIA_PLAY_ENDED), 2);
	assert_int_equal(pair_event(&p.a, MEDIA_PLAY_ENDED, 1)->id, queued);
	assert_int_equal(media_play_swap(p.a.port, id, &c, 0), EINVAL);
	assert_int_equal(media_play(p.a.port, &c, 1, &id), 0);
	assert_int_equal(media_play_swap(p.a.port, id, &half, 1), 0);
	mem_unref(half);
	mem_unref(c);
	end(); /* closed in the midst of it: everything is given back */
}

static void keys_between_keep_the_stamps(void **state)
{
	(void)state;
	struct media_clip *c = counted(FRAMES);
	begin(false);
	assert_int_equal(media_play(p.a.port, &c, 1, NULL), 0);
	assert_int_equal(ticks(10), 10);
	uint32_t before = last.ts, key_ts = 0;
	assert_int_equal(media_send_digits(p.a.port, "5", 100, 100), 0);
	unsigned n = 0, i = 0;
	for (; i < 40; i++) {
		unsigned had = packets;
		tick();
		if (packets == had)
			continue;
		if (last.pt != KEYS)
			break;
		key_ts = n ? key_ts : last.ts;
		assert_int_equal(last.ts, key_ts); /* RFC 4733 2.5.1.2: all of a press bear its beginning */
		assert_int_equal(last.marker, !n);
		n++;
	}
	assert_int_equal(n, 7); /* five frames of it, and two copies of the end */
	assert_int_equal(key_ts, before + MEDIA_FRAME);
	assert_int_equal(last.payload[0], 11); /* what was played waited */
	assert_true(last.marker);
	assert_int_equal(last.ts, before + (i + 1) * MEDIA_FRAME);
	assert_int_equal(tick(), 12);
	assert_false(last.marker);
	mem_unref(c);
	end();
}

static double level_of(const struct media_clip *c)
{
	double sum = 0;
	size_t n = media_clip_samples(c);
	for (size_t i = 0; i < n; i++)
		sum += pow(g711_table(MEDIA_PCMU)[media_clip_bytes(c, MEDIA_PCMU)[i]], 2);
	return 10 * log10(sum / (double)n);
}

static void louder_is_louder_and_never_cut(void **state)
{
	(void)state;
	struct media_clip *c, *other;
	assert_int_equal(media_clip_tone(&c, 400, 0, 500, -30), 0);
	for (int db = -20; db <= 20; db += 5) {
		assert_int_equal(media_clip_gain(&other, c, db), 0);
		assert_true(fabs(level_of(other) - level_of(c) - db) < 1.2);
		assert_int_equal(media_clip_samples(other), media_clip_samples(c));
		mem_unref(other);
	}
	assert_int_equal(media_clip_gain(&other, c, 0), 0);
	assert_ptr_equal(other, c);
	mem_unref(other);
	assert_int_equal(media_clip_gain(&other, c, 31), EINVAL);
	assert_int_equal(media_clip_gain(&other, c, -31), EINVAL);
	mem_unref(c);
	assert_int_equal(media_clip_tone(&c, 400, 0, 500, -6), 0);
	assert_int_equal(media_clip_gain(&other, c, 30), 0);
	for (size_t i = 1; i < media_clip_samples(c); i++) { /* it rises where it rose: nothing goes round */
		int was = g711_table(MEDIA_PCMU)[media_clip_bytes(c, MEDIA_PCMU)[i]], is = g711_table(MEDIA_PCMU)[media_clip_bytes(other, MEDIA_PCMU)[i]];
		assert_true(was == 0 || (was > 0) == (is > 0));
	}
	mem_unref(other);
	mem_unref(c);
}

static int gain_one(void *arg)
{
	struct media_clip *other;
	int err = media_clip_gain(&other, arg, 6);
	if (!err)
		mem_unref(other);
	return err;
}

static void no_memory_is_told(void **state)
{
	(void)state;
	struct media_clip *c = counted(10);
	ut_oom(gain_one, c);
	begin(false);
	assert_int_equal(media_play(p.a.port, &c, 1, NULL), 0);
	mem_fail_at(1);
	assert_int_equal(media_play_swap(p.a.port, 1, &c, 1), ENOMEM);
	assert_true(mem_failed());
	mem_fail_at(0);
	assert_int_equal(tick(), 1);
	mem_unref(c);
	end();
}

UT_MAIN(UT(pauses_go_on_where_they_began), UT(skipping_stays_within_what_plays), UT(a_swap_goes_on_at_the_same_place), UT(keys_between_keep_the_stamps),
	UT(louder_is_louder_and_never_cut), UT(no_memory_is_told))
