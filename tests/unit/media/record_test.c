/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include "audio.h"
#include "base/mem.h"
#include "media/g711.h"
#include "media/media_private.h"
#include "media_pair.h"

static struct pair p;
static int16_t pcm[8 * 4000];

static void speak(struct pair_side *s, unsigned ms)
{
	struct media_clip *clip = pair_clip(pcm, (size_t)ms * 8, 3);
	assert_int_equal(media_play(s->port, &clip, 1, NULL), 0);
	mem_unref(clip);
}

static uint32_t record(struct media_sink *sink, struct media_record_prm prm)
{
	uint32_t id;
	prm.sink = sink;
	assert_int_equal(media_record(p.b.port, &prm, &id), 0);
	return id;
}

static void silence_after_speech_is_told(void **state)
{
	(void)state;
	struct media_sink_mem sink;
	pair_open(&p, false);
	pair_run(&p, 40);
	media_sink_mem_init(&sink, 1 << 20);
	record(&sink.sink, (struct media_record_prm){ .silence_ms = 2000, .start_silence_ms = 5000 });
	pair_run(&p, 1000);
	speak(&p.a, 2000);
	pair_run(&p, 3900);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_SILENCE), 0);
	pair_run(&p, 400);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_SILENCE), 1);
	assert_true(pair_event(&p.b, MEDIA_REC_SILENCE, 0)->heard);
	speak(&p.a, 1000); /* goes on: told again */
	pair_run(&p, 4000);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_SILENCE), 2);
	media_record_stop(p.b.port);
	pair_run(&p, 40);
	const struct media_event *end = pair_event(&p.b, MEDIA_REC_ENDED, 0);
	assert_non_null(end);
	assert_in_range(end->rec.speech_ms, 2800, 3600);
	assert_in_range(end->rec.speech_end, 8 * 6200, 8 * 6450);
	assert_in_range(-end->rec.peak_db, 10, 25);
	assert_in_range(-end->rec.mean_db, 10, 30);
	buf_free(&sink.bytes);
	pair_close(&p);
}

/* Listening while a prompt plays: what is quiet is our own echo, what is loud is the caller; the time without speech counts from the prompt's end. */
static void speech_is_told_when_it_is_certain(void **state)
{
	(void)state;
	struct media_sink_mem sink;
	struct media_record_prm prm = { .format = MEDIA_L16, .silence_ms = 700, .start_silence_ms = 3000, .speech_ms = 200, .playing_db = -34 };
	pair_open(&p, false);
	pair_run(&p, 40);
	media_sink_mem_init(&sink, 1 << 20);
	record(&sink.sink, prm);
	speak(&p.b, 3000); /* the prompt */
	pair_run(&p, 500);
	struct media_clip *echo;
	assert_int_equal(media_clip_tone(&echo, 700, 1100, 1000, -42), 0);
	assert_int_equal(media_play(p.a.port, &echo, 1, NULL), 0);
	mem_unref(echo);
	pair_run(&p, 4500);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_SPEECH), 0);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_SILENCE), 0); /* five seconds, of which three were the prompt's */
	speak(&p.a, 100); /* a click */
	pair_run(&p, 500);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_SPEECH), 0);
	speak(&p.a, 1000);
	pair_run(&p, 400);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_SPEECH), 1);
	assert_in_range(pair_event(&p.b, MEDIA_REC_SPEECH, 0)->samples, 8 * 5500, 8 * 6000);
	pair_run(&p, 2000);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_SILENCE), 1);
	assert_true(pair_event(&p.b, MEDIA_REC_SILENCE, 0)->heard);
	media_record_stop(p.b.port);
	pair_run(&p, 40);
	buf_free(&sink.bytes);
	pair_close(&p);
}

static void silence_from_the_start_is_told(void **state)
{
	(void)state;
	struct media_sink_mem sink;
	pair_open(&p, false);
	media_sink_mem_init(&sink, 1 << 20);
	record(&sink.sink, (struct media_record_prm){ .silence_ms = 2000, .start_silence_ms = 5000 });
	pair_run(&p, 4900);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_SILENCE), 0);
	pair_run(&p, 400);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_SILENCE), 1);
	assert_false(pair_event(&p.b, MEDIA_REC_SILENCE, 0)->heard);
	media_record_stop(p.b.port);
	pair_run(&p, 40);
	assert_int_equal(pair_event(&p.b, MEDIA_REC_ENDED, 0)->rec.speech_end, 0);
	buf_free(&sink.bytes);
	pair_close(&p);
}

/* Levelled: as many samples, louder, the same sound; the odd piece at the end, too. */
static void quiet_speech_is_stored_louder_where_asked_for(void **state)
{
	(void)state;
	double rms[2];
	static int16_t heard[8 * 6000];
	for (unsigned level = 0; level < 2; level++) {
		struct media_sink_mem sink;
		pair_open(&p, false);
		pair_run(&p, 40);
		media_sink_mem_init(&sink, 1 << 20);
		record(&sink.sink, (struct media_record_prm){ .format = MEDIA_L16, .level = level, .max_ms = 3905 });
		struct media_clip *clip;
		audio_make(pcm, 8 * 4000, 3);
		for (unsigned i = 0; i < 8 * 4000; i++)
			pcm[i] = (int16_t)(pcm[i] / 8);
		assert_int_equal(media_clip_from_l16(&clip, pcm, 8 * 4000), 0);
		assert_int_equal(media_play(p.a.port, &clip, 1, NULL), 0);
		mem_unref(clip);
		pair_run(&p, 4200);
		const struct media_event *end = pair_event(&p.b, MEDIA_REC_ENDED, 0);
		assert_int_equal(end->samples, 3905 * 8);
		assert_int_equal(sink.bytes.n, 3905 * 8 * 2);
		memcpy(heard, sink.bytes.p, sink.bytes.n);
		rms[level] = audio_rms(heard + 8 * 2900, 8 * 1000);
		assert_true(audio_compare(pcm + 8 * 2000, 8 * 1800, heard + 8 * 2000, 8 * 1900, 8 * 100).correlation > 0.97);
		buf_free(&sink.bytes);
		pair_close(&p);
	}
	assert_true(rms[1] > rms[0] * 1.7);
}

static void the_longest_time_ends_it_to_the_sample(void **state)
{
	(void)state;
	struct media_sink_mem sink;
	pair_open(&p, false);
	media_sink_mem_init(&sink, 1 << 20);
	uint32_t id = record(&sink.sink, (struct media_record_prm){ .max_ms = 1234 });
	pair_run(&p, 2000);
	assert_int_equal(pair_event(&p.b, MEDIA_REC_FULL, 0)->id, id);
	const struct media_event *end = pair_event(&p.b, MEDIA_REC_ENDED, 0);
	assert_int_equal(end->samples, 1234 * 8);
	assert_int_equal(end->rec.samples, 1234 * 8);
	assert_int_equal(sink.bytes.n, 1234 * 8);
	assert_int_equal(sink.stats.samples, 1234 * 8);
	assert_int_equal(media_record(p.b.port, &(struct media_record_prm){ .sink = &sink.sink }, NULL), 0); /* and another one */
	assert_int_equal(media_record(p.b.port, &(struct media_record_prm){ .sink = &sink.sink }, NULL), EBUSY);
	pair_close(&p);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_ENDED), 2); /* closing ends it too */
	assert_int_equal(p.b.ev[p.b.n - 1].type, MEDIA_CLOSED);
	buf_free(&sink.bytes);
}

static void a_peer_that_vanishes_leaves_silence(void **state)
{
	(void)state;
	struct media_sink_mem sink;
	pair_open(&p, false);
	pair_run(&p, 40);
	media_sink_mem_init(&sink, 1 << 20);
	record(&sink.sink, (struct media_record_prm){ .silence_ms = 3000 });
	speak(&p.a, 4000);
	pair_run(&p, 1000);
	media_port_close(p.a.port);
	pair_run(&p, 4500);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_SILENCE), 1);
	media_record_stop(p.b.port);
	pair_run(&p, 40);
	assert_in_range(pair_event(&p.b, MEDIA_REC_ENDED, 0)->ms, 5400, 5600);
	buf_free(&sink.bytes);
	pair_close(&p);
}

/* A sink that looks at the pace and fails when told to. */
struct odd_sink {
	struct media_sink sink;
	unsigned appends, syncs, finishes;
	size_t bytes, sizes[64];
	unsigned fail_append, fail_sync; /* the nth; 0: never */
};

static int odd_append(struct media_sink *s, const void *data, size_t n)
{
	struct odd_sink *o = (struct odd_sink *)s;
	(void)data;
	o->sizes[o->appends++ % 64] = n;
	if (o->appends == o->fail_append)
		return ENOSPC;
	o->bytes += n;
	return 0;
}

static int odd_sync(struct media_sink *s)
{
	struct odd_sink *o = (struct odd_sink *)s;
	return ++o->syncs == o->fail_sync ? EIO : 0;
}

static int odd_finish(struct media_sink *s, const struct media_rec_stats *stats)
{
	(void)stats;
	((struct odd_sink *)s)->finishes++;
	return 0;
}

static struct odd_sink odd(void)
{
	return (struct odd_sink){ .sink = { .append = odd_append, .sync = odd_sync, .finish = odd_finish } };
}

static void one_append_per_16_kib_and_a_sync_in_4_s(void **state)
{
	(void)state;
	struct odd_sink o = odd();
	pair_open(&p, false);
	record(&o.sink, (struct media_record_prm){ 0 });
	pair_run(&p, 20000);
	assert_int_equal(o.appends, 9); /* 20 s are 160,000 bytes */
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(o.sizes[i], 16384);
	assert_int_equal(o.syncs, 4);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_BLOCK), 9);
	assert_int_equal(pair_event(&p.b, MEDIA_REC_BLOCK, 8)->samples, 9 * 16384);
	media_record_stop(p.b.port);
	pair_run(&p, 40);
	assert_int_equal(o.finishes, 1);
	assert_int_equal(pair_event(&p.b, MEDIA_REC_ENDED, 0)->samples, o.bytes);
	pair_close(&p);
}

static void a_full_disk_ends_the_recording_and_is_told(void **state)
{
	(void)state;
	struct odd_sink o = odd();
	o.fail_append = 3;
	pair_open(&p, false);
	record(&o.sink, (struct media_record_prm){ 0 });
	pair_run(&p, 10000);
	const struct media_event *end = pair_event(&p.b, MEDIA_REC_ENDED, 0);
	assert_non_null(end);
	assert_int_equal(end->err, ENOSPC);
	assert_int_equal(end->samples, 2 * 16384); /* what was written counts */
	assert_int_equal(o.finishes, 1);
	pair_close(&p);
}

static void a_failed_sync_ends_it_too(void **state)
{
	(void)state;
	struct odd_sink o = odd();
	o.fail_sync = 1;
	pair_open(&p, false);
	record(&o.sink, (struct media_record_prm){ 0 });
	pair_run(&p, 10000);
	assert_int_equal(pair_event(&p.b, MEDIA_REC_ENDED, 0)->err, EIO);
	pair_close(&p);
}

static int all_of_it(void *arg)
{
	struct media_engine *e = NULL;
	struct media_port *port = NULL;
	struct clock_fake clock;
	struct net_addr local;
	struct media_clip *clip = NULL;
	struct odd_sink o = odd();
	(void)arg;
	clock_fake_init(&clock, 0);
	net_addr_parse(&local, TEXT("127.0.0.1"), 0);
	int err = media_engine_create(&e, &(struct media_engine_prm){ .clock = &clock.clock }, NULL);
	if (!err)
		err = media_port_open(&port, e, &(struct media_port_prm){ .local = &local }, NULL);
	if (!err)
		err = media_record(port, &(struct media_record_prm){ .sink = &o.sink }, NULL);
	if (!err)
		err = media_clip_silence(&clip, 100);
	if (!err)
		err = media_play(port, &clip, 1, NULL);
	mem_unref(clip);
	if (!err)
		media_engine_step(e);
	media_engine_destroy(e); /* with all of it still going on */
	return err;
}

static void lack_of_memory_and_sudden_ends_leak_nothing(void **state)
{
	(void)state;
	ut_oom(all_of_it, NULL);
}

/* ---- at 16,000 samples a second ---- */
/* Power of a tone, as a share of what is there. */
static double share(const int16_t *v, size_t n, double hz)
{
	double re = 0, im = 0, all = 1;
	for (size_t i = 0; i < n; i++) {
		double w = 2 * 3.14159265358979 * hz * (double)i / MEDIA_RATE_WIDE;
		re += v[i] * cos(w);
		im += v[i] * sin(w);
		all += (double)v[i] * v[i];
	}
	return 2 * (re * re + im * im) / (double)n / all;
}

/* Two tones, of which the telephone's old band has but one. The recording of B. */
static void wide_call(enum media_codec codec, enum media_codec format, struct media_sink_mem *sink, bool level)
{
	enum { N = MEDIA_RATE_WIDE * 2 };
	static int16_t wide[N];
	struct media_clip *clip;
	struct media_stream st = { .codec = codec, .pt = 97, .dtmf_pt = 101, .dtmf_khz = (uint16_t)(codec_info(codec)->clock / 1000), .send = true, .recv = true };
	for (unsigned i = 0; i < N; i++)
		wide[i] = (int16_t)(4000 * sin(2 * 3.14159265358979 * 700 * i / MEDIA_RATE_WIDE) + 4000 * sin(2 * 3.14159265358979 * 5600 * i / MEDIA_RATE_WIDE));
	assert_int_equal(media_clip_from_wide(&clip, wide, N), 0);
	assert_int_equal(media_clip_encode(clip, codec), 0);
	pair_open_idle(&p, false);
	st.remote = media_port_addr(p.b.port);
	assert_int_equal(media_port_start(p.a.port, &st), 0);
	st.remote = media_port_addr(p.a.port);
	assert_int_equal(media_port_start(p.b.port, &st), 0);
	media_sink_mem_init(sink, 1 << 20);
	record(&sink->sink, (struct media_record_prm){ .format = format, .level = level, .silence_ms = 500, .max_ms = 2800 });
	assert_int_equal(media_play(p.a.port, &clip, 1, NULL), 0);
	mem_unref(clip);
	pair_run(&p, 4000);
	const struct media_event *end = pair_event(&p.b, MEDIA_REC_ENDED, 0);
	assert_non_null(end);
	assert_int_equal(end->ms, 2800);
	assert_int_equal(sink->bytes.n, 2800 * 8 * media_codec_tick_bytes(format));
	assert_int_equal(end->rec.lost, 0);
	assert_int_equal(pair_count(&p.b, MEDIA_REC_SILENCE), 1);
	assert_in_range(end->rec.speech_ms, 1900, 2400);
	assert_in_range(end->rec.speech_end, 8 * 1900, 8 * 2200);
	if (!level)
		assert_in_range(-end->rec.mean_db, 12, 22);
	pair_close(&p);
}

static void what_came_wide_is_kept_wide(void **state)
{
	static const enum media_codec codecs[] = { MEDIA_L16_WIDE, MEDIA_OPUS, MEDIA_G722 };
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct media_sink_mem sink;
		enum media_codec codec = codecs[i / 2];
		wide_call(codec, MEDIA_L16_WIDE, &sink, i % 2);
		const int16_t *v = (const int16_t *)(const void *)sink.bytes.p + MEDIA_RATE_WIDE / 2;
		assert_true(share(v, MEDIA_RATE_WIDE, 700) > 0.3);
		if (share(v, MEDIA_RATE_WIDE, 5600) < 0.25)
			fail_msg("%s: %f of the high tone", media_codec_name(codec), share(v, MEDIA_RATE_WIDE, 5600));
		buf_free(&sink.bytes);
	}
}

/* Prompts have it as G.722 beside their G.711. The first time that somebody with another codec hears one, it is made ready; the second time it is wide. */
static void prompts_are_wide_for_who_can_hear_it(void **state)
{
	enum { N = MEDIA_RATE * 2 };
	static const enum media_codec codecs[] = { MEDIA_L16_WIDE, MEDIA_OPUS, MEDIA_G722 };
	static int16_t wide[2 * N], narrow[N];
	static uint8_t law[2][N], coded[N];
	struct codec_tx *tx;
	(void)state;
	for (unsigned i = 0; i < 2 * N; i++)
		wide[i] = (int16_t)(4000 * sin(2 * 3.14159265358979 * 700 * i / MEDIA_RATE_WIDE) + 4000 * sin(2 * 3.14159265358979 * 5600 * i / MEDIA_RATE_WIDE));
	assert_int_equal(codec_resample(wide, 2 * N, MEDIA_RATE_WIDE, narrow, MEDIA_RATE), 0);
	g711_encode(MEDIA_PCMU, law[0], narrow, N);
	g711_encode(MEDIA_PCMA, law[1], narrow, N);
	assert_int_equal(codec_tx_create(&tx, MEDIA_G722, MEDIA_RATE_WIDE), 0);
	for (unsigned at = 0; at < N; at += MEDIA_FRAME) {
		uint8_t payload[CODEC_PAYLOAD_MAX];
		assert_int_equal(codec_encode(tx, wide + 2 * at, payload), MEDIA_FRAME);
		memcpy(coded + at, payload, MEDIA_FRAME);
	}
	codec_tx_free(tx);
	for (unsigned i = 0; i < 3; i++) {
		struct media_sink_mem sink;
		struct media_clip *clip;
		struct media_stream st = { .codec = codecs[i], .pt = 97, .dtmf_pt = 101, .dtmf_khz = (uint16_t)(codec_info(codecs[i])->clock / 1000), .send = true, .recv = true };
		assert_int_equal(media_clip_borrow(&clip, law[0], law[1], N, NULL), 0);
		media_clip_coded(clip, coded);
		pair_open_idle(&p, false);
		st.remote = media_port_addr(p.b.port);
		assert_int_equal(media_port_start(p.a.port, &st), 0);
		st.remote = media_port_addr(p.a.port);
		assert_int_equal(media_port_start(p.b.port, &st), 0);
		assert_int_equal(media_play(p.a.port, &clip, 1, NULL), 0);
		pair_run(&p, 2200);
		assert_false(media_clip_can_widen(clip));
		media_sink_mem_init(&sink, 1 << 20);
		record(&sink.sink, (struct media_record_prm){ .format = MEDIA_L16_WIDE, .max_ms = 1800 });
		assert_int_equal(media_play(p.a.port, &clip, 1, NULL), 0);
		mem_unref(clip);
		pair_run(&p, 2200);
		assert_non_null(pair_event(&p.b, MEDIA_REC_ENDED, 0));
		double high = share((const int16_t *)(const void *)sink.bytes.p + MEDIA_RATE_WIDE / 2, MEDIA_RATE_WIDE, 5600);
		if (high < 0.2)
			fail_msg("%s: %f of the high tone", media_codec_name(codecs[i]), high);
		pair_close(&p);
		buf_free(&sink.bytes);
	}
}

/* A call in G.711 has no more than that; its recording is wide all the same where it was asked for, and sounds as it did. */
static void what_came_narrow_is_made_wide(void **state)
{
	struct media_sink_mem sink;
	(void)state;
	wide_call(MEDIA_PCMA, MEDIA_L16_WIDE, &sink, false);
	const int16_t *v = (const int16_t *)(const void *)sink.bytes.p + MEDIA_RATE_WIDE / 2;
	assert_true(share(v, MEDIA_RATE_WIDE, 700) > 0.9);
	buf_free(&sink.bytes);
}

/* A disk that stands still for half a minute ends no recording, however many there are: the way to it has room for all that they may hold. */
static void the_way_to_the_disk_has_room_for_all(void **state)
{
	(void)state;
	struct filer *f;
	assert_int_equal(filer_create(&f, clock_system(), 2, 3000, false), 0);
	assert_true(ring_room(filer_ring(f, 1)) >= 3000 * BLOCKS_MAX);
	filer_destroy(f);
}

/* ---- a machine that stood still ---- */

/* The nth packet of a caller who speaks, from A's socket, with nobody behind it. */
static void send_packet(unsigned nth)
{
	uint8_t bytes[RTP_HEAD + 160];
	struct rtp_packet head = { .pt = 0, .seq = (uint16_t)(100 + nth), .ts = nth * 160, .ssrc = 7, .marker = nth == 0 };
	const struct net_addr *to = media_port_addr(p.b.port);
	rtp_write_head(bytes, &head);
	memset(bytes + RTP_HEAD, nth % 2 ? 0x10 : 0x90, 160);
	assert_int_equal(sendto(p.a.port->fd, bytes, sizeof bytes, 0, &to->u.sa, net_addr_len(to)), sizeof bytes);
}

/* What a caller said while nobody looked lies in the socket: it belongs to his message, though he has hung up since. */
static void what_waits_in_the_socket_is_kept_when_a_recording_ends(void **state)
{
	(void)state;
	enum { BEFORE = 25, WAITING = 75 };
	for (unsigned close = 0; close < 2; close++) {
		struct media_sink_mem sink;
		pair_open_idle(&p, false);
		pair_start(&p, &p.b, media_port_addr(p.a.port), MEDIA_PCMU);
		media_sink_mem_init(&sink, 1 << 20);
		record(&sink.sink, (struct media_record_prm){ .format = MEDIA_PCMU });
		pair_run(&p, 20);
		for (unsigned i = 0; i < BEFORE; i++) {
			send_packet(i);
			pair_run(&p, 20);
		}
		for (unsigned i = BEFORE; i < BEFORE + WAITING; i++)
			send_packet(i);
		clock_fake_advance_ms(&p.clock, 20 * WAITING);
		if (close)
			media_port_close(p.b.port);
		else
			media_record_stop(p.b.port);
		pair_run(&p, 60);
		const struct media_event *end = pair_event(&p.b, MEDIA_REC_ENDED, 0);
		assert_non_null(end);
		assert_int_equal(end->rec.lost, 0);
		assert_in_range(end->ms, 20 * (BEFORE + WAITING) - 40, 20 * (BEFORE + WAITING) + 60);
		size_t said = 0; /* and not filled up with silence */
		for (size_t i = 0; i < sink.bytes.n; i++)
			said += sink.bytes.p[i] == 0x10 || sink.bytes.p[i] == 0x90;
		assert_int_equal(said, 160 * (BEFORE + WAITING));
		buf_free(&sink.bytes);
		pair_close(&p);
	}
}

UT_MAIN(UT(what_waits_in_the_socket_is_kept_when_a_recording_ends), UT(silence_after_speech_is_told), UT(speech_is_told_when_it_is_certain), UT(silence_from_the_start_is_told), UT(quiet_speech_is_stored_louder_where_asked_for), UT(the_longest_time_ends_it_to_the_sample),
	UT(a_peer_that_vanishes_leaves_silence), UT(one_append_per_16_kib_and_a_sync_in_4_s), UT(a_full_disk_ends_the_recording_and_is_told),
	UT(a_failed_sync_ends_it_too), UT(the_way_to_the_disk_has_room_for_all), UT(what_came_wide_is_kept_wide), UT(what_came_narrow_is_made_wide), UT(prompts_are_wide_for_who_can_hear_it), UT(lack_of_memory_and_sudden_ends_leak_nothing))
