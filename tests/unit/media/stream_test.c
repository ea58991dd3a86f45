/* SPDX-License-Identifier: Apache-2.0 */
/* stream_test.c  What a port hears and says on the wire. The other side is a second port, or a bare socket of the test. */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "audio.h"
#include "base/mem.h"
#include "media/dtmf.h"
#include "media/g711.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media_pair.h"

static struct pair p;
static int16_t played[8 * 4000], heard[8 * 6000];

static size_t decode(const struct buf *b, enum media_codec law)
{
	size_t n = b->n < sizeof heard / 2 ? b->n : sizeof heard / 2;
	g711_decode(law, heard, b->p, n);
	return n;
}

/* A plays to B, B records. */
static void plays_across(bool v6, enum media_codec codec, enum media_codec format)
{
	struct media_sink_mem sink;
	struct media_clip *clip = pair_clip(played, 8 * 3000, 1);
	uint32_t play, rec;
	pair_open_idle(&p, v6);
	pair_start(&p, &p.a, media_port_addr(p.b.port), codec);
	pair_start(&p, &p.b, media_port_addr(p.a.port), codec);
	pair_run(&p, 100);
	media_sink_mem_init(&sink, 1 << 20);
	struct media_record_prm prm = { .sink = &sink.sink, .format = format };
	assert_int_equal(media_record(p.b.port, &prm, &rec), 0);
	assert_int_equal(media_play(p.a.port, &clip, 1, &play), 0);
	mem_unref(clip);
	pair_run(&p, 3200);
	media_record_stop(p.b.port);
	pair_run(&p, 40);
	const struct media_event *ended = pair_event(&p.a, MEDIA_PLAY_ENDED, 0), *recorded = pair_event(&p.b, MEDIA_REC_ENDED, 0);
	assert_non_null(ended);
	assert_int_equal(ended->id, play);
	assert_int_equal(ended->samples, 8 * 3000);
	assert_false(ended->stopped);
	assert_non_null(recorded);
	assert_int_equal(recorded->id, rec);
	assert_int_equal(recorded->rec.lost, 0);
	assert_in_range(recorded->ms, 3160, 3240);
	size_t n = format == MEDIA_L16 ? sink.bytes.n / 2 : decode(&sink.bytes, format);
	struct audio_match m = audio_compare(played, 8 * 3000, format == MEDIA_L16 ? (int16_t *)(void *)sink.bytes.p : heard, n, 8 * 60);
	assert_true(m.correlation > 0.99);
	assert_in_range(m.lag, 0, 8 * 60);
	buf_free(&sink.bytes);
	pair_close(&p);
}

static void what_is_played_is_heard(void **state)
{
	(void)state;
	plays_across(false, MEDIA_PCMU, MEDIA_PCMU);
	plays_across(false, MEDIA_PCMA, MEDIA_PCMA);
	plays_across(false, MEDIA_PCMA, MEDIA_PCMU);
	plays_across(false, MEDIA_PCMU, MEDIA_L16);
	plays_across(true, MEDIA_PCMA, MEDIA_L16);
}

/* In any codec; once encoded by the port itself, then from what all share. */
static double hears(enum media_codec codec, unsigned ms, bool encoded)
{
	struct media_sink_mem sink;
	struct media_clip *clip[2] = { pair_clip(played, 8 * ms, 1) };
	struct media_stream st = { .codec = codec, .pt = 97, .recv_pt = 105, .dtmf_pt = 101, .dtmf_khz = (uint16_t)(codec_info(codec)->clock / 1000), .send = true, .recv = true };
	pair_open_idle(&p, false);
	st.remote = media_port_addr(p.b.port);
	assert_int_equal(media_port_start(p.a.port, &st), 0);
	st.remote = media_port_addr(p.a.port);
	st.pt = 105;
	st.recv_pt = 97;
	assert_int_equal(media_port_start(p.b.port, &st), 0);
	assert_int_equal(media_clip_from_l16(&clip[1], played, 8 * 31), 0); /* ends within a frame */
	for (unsigned i = 0; encoded && i < 2; i++)
		assert_int_equal(media_clip_encode(clip[i], codec), 0);
	media_sink_mem_init(&sink, 1 << 20);
	assert_int_equal(media_record(p.b.port, &(struct media_record_prm){ .sink = &sink.sink, .format = MEDIA_L16 }, NULL), 0);
	assert_int_equal(media_play(p.a.port, clip, 2, NULL), 0);
	mem_unref(clip[0]);
	mem_unref(clip[1]);
	pair_run(&p, ms + 300);
	assert_int_equal(pair_event(&p.a, MEDIA_PLAY_ENDED, 0)->samples, 8 * (ms + 31));
	assert_int_equal(media_send_digits(p.b.port, "7", 200, 0), 0);
	pair_run(&p, 400);
	assert_string_equal(pair_digits(&p.a), "7");
	assert_in_range(pair_event(&p.a, MEDIA_DIGIT, 0)->ms, 180, 220);
	media_record_stop(p.b.port);
	pair_run(&p, 40);
	assert_in_range(pair_event(&p.b, MEDIA_REC_ENDED, 0)->ms, ms + 640, ms + 740);
	double corr = audio_compare(played, 8 * ms, (int16_t *)(void *)sink.bytes.p, sink.bytes.n / 2, 8 * 100).correlation;
	buf_free(&sink.bytes);
	pair_close(&p);
	return corr;
}

static void is_heard_in_every_codec(void **state)
{
	(void)state;
	for (enum media_codec c = MEDIA_L16; c < MEDIA_CODECS; c++)
		for (unsigned i = 0; i < 2; i++) {
			double corr = hears(c, 3010, i);
			if (corr < (c == MEDIA_OPUS ? 0.9 : 0.95))
				fail_msg("%s %u: %f", media_codec_name(c), i, corr);
		}
}

static void keys_go_both_ways_at_once(void **state)
{
	(void)state;
	pair_open(&p, false);
	pair_run(&p, 60);
	assert_int_equal(media_send_digits(p.a.port, "0123456789", 0, 0), 0);
	assert_int_equal(media_send_digits(p.b.port, "*#ABCD", 60, 60), 0);
	assert_int_equal(media_send_digits(p.b.port, "1", 0, 0), EBUSY);
	pair_run(&p, 3000);
	assert_string_equal(pair_digits(&p.b), "0123456789");
	assert_string_equal(pair_digits(&p.a), "*#ABCD");
	assert_int_equal(pair_count(&p.b, MEDIA_DIGIT_START), 10);
	assert_in_range(pair_event(&p.b, MEDIA_DIGIT, 0)->ms, 90, 110);
	assert_int_equal(pair_count(&p.a, MEDIA_DIGITS_SENT), 1);
	assert_int_equal(media_send_digits(p.b.port, "1", 0, 0), 0);
	pair_close(&p);
}

/* ---- the test as the other side ---- */
static int open_socket(struct net_addr *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof in;
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	net_addr_from(at, (struct sockaddr *)&in);
	return fd;
}

static void send_as(uint32_t ssrc, int fd, const struct net_addr *to, uint8_t pt, uint16_t seq, uint32_t ts, const void *payload, size_t n)
{
	uint8_t b[RTP_HEAD + 2 * MEDIA_FRAME];
	struct rtp_packet pkt = { .pt = pt, .seq = seq, .ts = ts, .ssrc = ssrc };
	rtp_write_head(b, &pkt);
	memcpy(b + RTP_HEAD, payload, n);
	assert_int_equal(sendto(fd, b, RTP_HEAD + n, 0, &to->u.sa, net_addr_len(to)), (ssize_t)(RTP_HEAD + n));
}

static void send_rtp(int fd, const struct net_addr *to, uint8_t pt, uint16_t seq, uint32_t ts, const void *payload, size_t n)
{
	send_as(99, fd, to, pt, seq, ts, payload, n);
}

static void send_voice_at(int fd, const struct net_addr *to, uint16_t seq, uint32_t ts)
{
	uint8_t voice[MEDIA_FRAME];
	memset(voice, 0x90, sizeof voice);
	send_rtp(fd, to, 0, seq, ts, voice, sizeof voice);
}

static void send_voice(int fd, const struct net_addr *to, uint16_t seq)
{
	send_voice_at(fd, to, seq, seq * 160u);
}

static void send_key(int fd, const struct net_addr *to, uint16_t seq, uint8_t key)
{
	uint8_t event[] = { key, 0x8a, 3, 32 };
	send_rtp(fd, to, 101, seq, seq * 160u, event, sizeof event);
}

static const uint8_t no_sound[MEDIA_FRAME];

static void keys_are_heard_by_the_type_that_we_announced(void **state)
{
	(void)state;
	struct net_addr at;
	int peer = open_socket(&at);
	uint8_t event[] = { 4, 0x8a, 3, 32 };
	pair_open_idle(&p, false);
	struct media_stream st = { .remote = &at, .dtmf_pt = 96, .dtmf_recv_pt = 101, .send = true, .recv = true };
	assert_int_equal(media_port_start(p.a.port, &st), 0);
	pair_run(&p, 20);
	send_key(peer, media_port_addr(p.a.port), 1, 3);
	send_rtp(peer, media_port_addr(p.a.port), 96, 2, 2000, event, sizeof event); /* who mixes them up is heard too */
	send_rtp(peer, media_port_addr(p.a.port), 97, 3, 4000, event, sizeof event);
	pair_run(&p, 40);
	assert_string_equal(pair_digits(&p.a), "34");
	close(peer);
	pair_close(&p);
}

/* A gateway that makes keys itself may send them beside the audio, as a source of their own. */
static void keys_of_a_source_of_their_own_count_once(void **state)
{
	(void)state;
	struct net_addr at;
	struct media_port_stats st;
	int peer = open_socket(&at);
	pair_open_idle(&p, false);
	struct net_addr to = *media_port_addr(p.a.port);
	pair_start(&p, &p.a, &at, MEDIA_PCMU);
	uint16_t n = 100, keys = 7000;
	for (uint8_t key = 1; key <= 3; key++)
		for (uint16_t i = 1; i <= 12; i++, n++) {
			uint8_t event[] = { key, (uint8_t)(i >= 7 ? 0x8a : 0x0a), (uint8_t)((i < 7 ? i : 7) * 160 >> 8), (uint8_t)((i < 7 ? i : 7) * 160) };
			send_voice(peer, &to, n);
			if (i <= 9)
				send_as(77, peer, &to, 101, keys++, key * 8000u, event, sizeof event);
			pair_run(&p, 20);
		}
	pair_run(&p, 300);
	assert_string_equal(pair_digits(&p.a), "123");
	assert_int_equal(pair_count(&p.a, MEDIA_DIGIT_START), 3);
	pair_run(&p, 600);
	media_port_stats(p.a.port, &st);
	assert_int_equal(st.lost, 0);
	close(peer);
	pair_close(&p);
}

static void reports_on_the_port_of_audio_change_nothing(void **state)
{
	(void)state;
	struct net_addr at;
	struct media_port_stats st;
	int peer = open_socket(&at);
	uint8_t report[RTCP_PACKET_MAX];
	pair_open_idle(&p, false);
	struct net_addr to = *media_port_addr(p.a.port);
	pair_start(&p, &p.a, &at, MEDIA_PCMU);
	for (uint16_t i = 0; i < 60; i++) {
		size_t n = rtcp_write(report, &(struct rtcp_report){ .ssrc = 99, .sender = true, .ntp = rtcp_ntp(i), .rtp_ts = i * 160u, .packets = i, .cname = "peer" });
		if (i != 20)
			send_voice(peer, &to, (uint16_t)(100 + i));
		assert_int_equal(sendto(peer, report, n, 0, &to.u.sa, net_addr_len(&to)), (ssize_t)n);
		pair_run(&p, 20);
	}
	pair_run(&p, 600);
	media_port_stats(p.a.port, &st);
	assert_int_equal(st.received, 59);
	assert_int_equal(st.bad, 60);
	assert_int_equal(st.lost, 1);
	close(peer);
	pair_close(&p);
}

/* Keys last, and all their packets bear the stamp of their beginning; and a packet may lie in the socket for a while: neither is the network's doing.
 * What the network did is seen by the kernel's stamps. */
static void jitter_is_the_networks(void **state)
{
	(void)state;
	struct net_addr at;
	struct media_port_stats st;
	int peer = open_socket(&at);
	pair_open_idle(&p, false);
	struct net_addr to = *media_port_addr(p.a.port);
	pair_start(&p, &p.a, &at, MEDIA_PCMU);
	uint16_t n = 100;
	for (; n < 140; n++) {
		uint8_t event[] = { 1, 0x0a, (uint8_t)(n >> 8), (uint8_t)n };
		send_rtp(peer, &to, 101, n, 100 * 160u, event, sizeof event);
		pair_run(&p, 20);
	}
	pair_run(&p, 600);
	media_port_stats(p.a.port, &st);
	assert_true(st.jitter_us < 20000);
	for (unsigned i = 0; i < 80; i++, n++) { /* by our tick as regular as can be; but half of them came 8 ms earlier */
		send_rtp(peer, &to, 0, n, n * 160u, no_sound, sizeof no_sound);
		if (i / 4 % 2)
			usleep(8000);
		pair_run(&p, 20);
	}
	pair_run(&p, 600);
	media_port_stats(p.a.port, &st);
	assert_true(st.jitter_us > 2000);
	close(peer);
	pair_close(&p);
}

/* A straggler of 120 ms is waited for in any codec, as long as nobody listens at the other end of a joined call. */
static void stragglers_are_waited_for_in_any_codec(void **state)
{
	(void)state;
	for (unsigned joined = 0; joined < 2; joined++) {
		struct net_addr at;
		struct media_sink_mem sink;
		int peer = open_socket(&at);
		uint8_t voice[2 * MEDIA_FRAME];
		memset(voice, 0x10, sizeof voice);
		pair_open_idle(&p, false);
		struct net_addr to = *media_port_addr(p.a.port);
		struct media_stream st = { .remote = &at, .codec = MEDIA_L16, .pt = 97, .dtmf_pt = 101, .send = true, .recv = true };
		assert_int_equal(media_port_start(p.a.port, &st), 0);
		if (joined)
			assert_int_equal(media_join(p.a.port, p.b.port), 0);
		media_sink_mem_init(&sink, 1 << 20);
		assert_int_equal(media_record(p.a.port, &(struct media_record_prm){ .sink = &sink.sink }, NULL), 0);
		for (uint16_t i = 0; i < 100; i++) {
			if (i != 50)
				send_rtp(peer, &to, 97, i, i * 160u, voice, sizeof voice);
			if (i == 56)
				send_rtp(peer, &to, 97, 50, 50 * 160u, voice, sizeof voice);
			pair_run(&p, 20);
		}
		media_record_stop(p.a.port);
		pair_run(&p, 40);
		const struct media_event *ended = pair_event(&p.a, MEDIA_REC_ENDED, 0);
		assert_int_equal(ended->rec.lost + ended->rec.late, joined);
		assert_in_range(ended->ms, 1960, 2040);
		buf_free(&sink.bytes);
		close(peer);
		pair_close(&p);
	}
}

static void strangers_are_not_heard_but_named(void **state)
{
	(void)state;
	struct net_addr at, from;
	struct media_port_stats st;
	int peer = open_socket(&at), other = open_socket(&from);
	pair_open_idle(&p, false);
	struct net_addr to = *media_port_addr(p.a.port);
	pair_start(&p, &p.a, &at, MEDIA_PCMU);
	pair_run(&p, 20);
	send_key(other, &to, 1, 5);
	pair_run(&p, 40);
	assert_string_equal(pair_digits(&p.a), "");
	assert_int_equal(pair_count(&p.a, MEDIA_STRANGER), 1);
	for (uint16_t i = 0; i < 50; i++) { /* now the peer speaks, and the socket is connected */
		send_voice(peer, &to, (uint16_t)(100 + i));
		send_key(other, &to, (uint16_t)(2 + i), 6);
		pair_run(&p, 20);
	}
	send_key(peer, &to, 200, 7);
	pair_run(&p, 300);
	assert_string_equal(pair_digits(&p.a), "7");
	media_port_stats(p.a.port, &st);
	assert_int_equal(st.received, 51);
	assert_in_range(st.strangers, 1, 5); /* the kernel kept the others away */
	unsigned told = pair_count(&p.a, MEDIA_STRANGER);
	pair_run(&p, 2100); /* silence: looked at again */
	for (uint16_t i = 0; i < 5; i++) {
		send_voice(other, &to, (uint16_t)(300 + i));
		pair_run(&p, 20);
	}
	pair_run(&p, 60000);
	send_voice(other, &to, 400);
	pair_run(&p, 40);
	assert_true(pair_count(&p.a, MEDIA_STRANGER) > told);
	for (unsigned i = 0; i < p.a.n; i++)
		if (p.a.ev[i].type == MEDIA_STRANGER)
			assert_true(net_addr_eq(&p.a.addr[i], &from));
	close(peer);
	close(other);
	pair_close(&p);
}

static void many_strangers_are_told_seldom(void **state)
{
	(void)state;
	struct net_addr at, from;
	int peer = open_socket(&at), other[4];
	for (int i = 0; i < 4; i++)
		other[i] = open_socket(&from);
	pair_open_idle(&p, false);
	struct net_addr to = *media_port_addr(p.a.port);
	pair_start(&p, &p.a, &at, MEDIA_PCMU);
	for (uint16_t i = 0; i < 500; i++) {
		send_voice(other[i % 4], &to, i);
		pair_run(&p, 20);
	}
	assert_in_range(pair_count(&p.a, MEDIA_STRANGER), 2, 4);
	close(peer);
	for (int i = 0; i < 4; i++)
		close(other[i]);
	pair_close(&p);
}

static void rubbish_is_counted(void **state)
{
	(void)state;
	struct net_addr at;
	struct media_port_stats st;
	int peer = open_socket(&at);
	pair_open_idle(&p, false);
	struct net_addr to = *media_port_addr(p.a.port);
	pair_start(&p, &p.a, &at, MEDIA_PCMU);
	pair_run(&p, 20);
	assert_int_equal(sendto(peer, "nonsense", 8, 0, &to.u.sa, net_addr_len(&to)), 8);
	assert_int_equal(sendto(peer, "", 0, 0, &to.u.sa, net_addr_len(&to)), 0);
	static uint8_t big[4000];
	big[0] = 0x80;
	assert_int_equal(sendto(peer, big, sizeof big, 0, &to.u.sa, net_addr_len(&to)), (ssize_t)sizeof big);
	send_rtp(peer, &to, 101, 1, 1, "x", 1); /* an event that is none */
	pair_run(&p, 40);
	media_port_stats(p.a.port, &st);
	assert_int_equal(st.bad, 4);
	close(peer);
	pair_close(&p);
}

static void silence_of_the_peer_is_told_once(void **state)
{
	(void)state;
	struct net_addr at;
	int peer = open_socket(&at);
	pair_open_idle(&p, false);
	struct net_addr to = *media_port_addr(p.a.port);
	struct media_stream st = { .remote = &at, .pt = 0, .dtmf_pt = 101, .send = true, .recv = true, .rtp_timeout_ms = 5000 };
	assert_int_equal(media_port_start(p.a.port, &st), 0);
	pair_run(&p, 4900);
	assert_int_equal(pair_count(&p.a, MEDIA_RTP_TIMEOUT), 0);
	pair_run(&p, 9000);
	assert_int_equal(pair_count(&p.a, MEDIA_RTP_TIMEOUT), 1);
	send_voice(peer, &to, 1);
	pair_run(&p, 20);
	assert_int_equal(pair_count(&p.a, MEDIA_RTP_BACK), 1);
	pair_run(&p, 6000);
	assert_int_equal(pair_count(&p.a, MEDIA_RTP_TIMEOUT), 2);
	close(peer);
	pair_close(&p);
}

static uint64_t received(void)
{
	struct media_port_stats st;
	media_port_stats(p.a.port, &st);
	return st.received;
}

/* A port that nobody waits for reads one packet a turn and looks for more now and then: what came at once is all read soon, and who sends twice as often loses nothing. */
static void what_waits_is_read_by_who_only_plays(void **state)
{
	(void)state;
	struct net_addr at;
	int peer = open_socket(&at);
	uint16_t seq = 1;
	pair_open_idle(&p, false);
	struct net_addr to = *media_port_addr(p.a.port);
	pair_start(&p, &p.a, &at, MEDIA_PCMU);
	for (; seq <= 10; seq++) {
		send_voice(peer, &to, seq);
		pair_run(&p, 20);
	}
	assert_int_equal(received(), 10);
	for (unsigned i = 0; i < 4; i++) { /* whichever of its turns comes next */
		uint16_t from = seq;
		for (; seq < from + 12; seq++)
			send_voice(peer, &to, seq);
		send_key(peer, &to, seq++, 5);
		pair_run(&p, 80);
		assert_int_equal(received(), seq - 1);
		assert_int_equal(strlen(pair_digits(&p.a)), i + 1);
		pair_run(&p, 20);
	}
	uint64_t before = received();
	for (unsigned i = 0; i < 200; i++, seq += 2) {
		send_voice_at(peer, &to, seq, seq * 80u);
		send_voice_at(peer, &to, (uint16_t)(seq + 1), (seq + 1) * 80u);
		pair_run(&p, 20);
		assert_true(before + 2 * (i + 1) - received() < 8);
	}
	pair_run(&p, 80);
	assert_int_equal(received(), before + 400);
	close(peer);
	pair_close(&p);
}

/* ---- what goes out ---- */
static bool next_packet(int fd, struct rtp_packet *pkt, uint8_t *b, size_t size)
{
	ssize_t n = recv(fd, b, size, MSG_DONTWAIT);
	return n > 0 && !rtp_parse(pkt, b, (size_t)n);
}

static void packets_follow_the_clock(void **state)
{
	(void)state;
	struct net_addr at;
	int peer = open_socket(&at);
	uint8_t b[2000];
	struct rtp_packet pkt, before = { 0 };
	pair_open_idle(&p, false);
	pair_start(&p, &p.a, &at, MEDIA_PCMA);
	for (unsigned i = 0; i < 100; i++) {
		if (i == 50) { /* the machine stands still for a second */
			clock_fake_advance_ms(&p.clock, 1000);
			media_engine_step(p.engine);
			while (next_packet(peer, &pkt, b, sizeof b))
				before = pkt;
		}
		pair_run(&p, 20);
		assert_true(next_packet(peer, &pkt, b, sizeof b));
		assert_int_equal(pkt.n, 160);
		assert_int_equal(pkt.pt, 8);
		assert_int_equal(pkt.payload[0], 0xd5);
		if (i) {
			assert_int_equal(pkt.seq, (uint16_t)(before.seq + 1));
			assert_int_equal(pkt.ts, before.ts + 160);
			assert_int_equal(pkt.ssrc, before.ssrc);
		} else {
			assert_true(pkt.marker);
		}
		before = pkt;
		assert_false(next_packet(peer, &pkt, b, sizeof b));
	}
	close(peer);
	pair_close(&p);
}

static void nothing_is_sent_while_held_or_silent(void **state)
{
	(void)state;
	struct net_addr at;
	int peer = open_socket(&at);
	uint8_t b[2000];
	struct rtp_packet pkt;
	pair_open_idle(&p, false);
	struct media_stream st = { .remote = &at, .pt = 0, .dtmf_pt = MEDIA_NO_PT, .send = true, .recv = true, .no_silence = true };
	assert_int_equal(media_port_start(p.a.port, &st), 0);
	pair_run(&p, 200);
	assert_false(next_packet(peer, &pkt, b, sizeof b));
	assert_int_equal(media_send_digits(p.a.port, "1", 0, 0), ENOTSUP);
	struct media_clip *clip = pair_clip(played, 8 * 100, 1);
	assert_int_equal(media_play(p.a.port, &clip, 1, NULL), 0);
	pair_run(&p, 200);
	unsigned n = 0;
	while (next_packet(peer, &pkt, b, sizeof b))
		assert_int_equal(pkt.marker, !n++);
	assert_int_equal(n, 5);
	st.send = false;
	assert_int_equal(media_port_start(p.a.port, &st), 0);
	assert_int_equal(media_play(p.a.port, &clip, 1, NULL), 0);
	pair_run(&p, 200);
	assert_false(next_packet(peer, &pkt, b, sizeof b));
	assert_int_equal(pair_count(&p.a, MEDIA_PLAY_ENDED), 2); /* time passed all the same */
	mem_unref(clip);
	close(peer);
	pair_close(&p);
}

/* Silence is said once and at times; what is played bears the marker where it begins, and the clock's stamps. */
static void silence_is_said_by_comfort_noise(void **state)
{
	(void)state;
	struct net_addr at;
	int peer = open_socket(&at);
	uint8_t b[2000];
	struct rtp_packet pkt, first = { 0 };
	pair_open_idle(&p, false);
	struct media_stream st = { .remote = &at, .dtmf_pt = 101, .send = true, .recv = true, .comfort_pt = 13 };
	assert_int_equal(media_port_start(p.a.port, &st), 0);
	unsigned n = 0, audio = 0;
	uint16_t seq = 0;
	for (unsigned i = 0; i < 100; i++) {
		if (i == 55) {
			struct media_clip *clip = pair_clip(played, 8 * 200, 1);
			assert_int_equal(media_play(p.a.port, &clip, 1, NULL), 0);
			mem_unref(clip);
		}
		pair_run(&p, 20);
		while (next_packet(peer, &pkt, b, sizeof b)) {
			if (n++)
				assert_int_equal(pkt.seq, (uint16_t)(seq + 1));
			else
				first = pkt;
			seq = pkt.seq;
			assert_int_equal((pkt.ts - first.ts) % 160, 0);
			if (pkt.pt == 13) {
				assert_int_equal(pkt.n, 1);
				assert_int_equal(pkt.payload[0], 65);
				assert_false(pkt.marker);
				continue;
			}
			assert_int_equal(pkt.marker, !audio);
			assert_in_range((pkt.ts - first.ts) / 160, 53 + audio, 56 + audio);
			audio++;
		}
	}
	assert_int_equal(audio, 10);
	assert_in_range(n - audio, 9, 11);
	close(peer);
	pair_close(&p);
}

/* Their comfort noise is silence of its length where it is recorded, and who has said that he is silent need not say it again soon. */
static void comfort_noise_is_silence(void **state)
{
	(void)state;
	struct net_addr at;
	struct media_sink_mem sink;
	int peer = open_socket(&at);
	uint8_t noise = 65;
	pair_open_idle(&p, false);
	struct net_addr to = *media_port_addr(p.a.port);
	struct media_stream st = { .remote = &at, .dtmf_pt = 101, .send = true, .recv = true, .rtp_timeout_ms = 5000 };
	assert_int_equal(media_port_start(p.a.port, &st), 0);
	media_sink_mem_init(&sink, 1 << 20);
	assert_int_equal(media_record(p.a.port, &(struct media_record_prm){ .sink = &sink.sink }, NULL), 0);
	uint16_t seq = 100;
	for (unsigned i = 0; i < 450; i++) { /* a second, seven of silence, a second */
		if (i < 50 || i >= 400)
			send_voice_at(peer, &to, seq++, i * 160u);
		else if (i == 50)
			send_rtp(peer, &to, 13, seq++, i * 160u, &noise, 1);
		pair_run(&p, 20);
	}
	assert_int_equal(pair_count(&p.a, MEDIA_RTP_TIMEOUT), 0);
	media_record_stop(p.a.port);
	pair_run(&p, 40);
	const struct media_event *ended = pair_event(&p.a, MEDIA_REC_ENDED, 0);
	assert_in_range(ended->ms, 8900, 9200);
	assert_int_equal(ended->rec.lost, 0);
	assert_int_equal(sink.bytes.p[500], 0x90);
	for (unsigned i = 8 * 1300; i < 8 * 7700; i++)
		assert_int_equal(sink.bytes.p[i], 0xff);
	assert_int_equal(sink.bytes.p[sink.bytes.n - 4000], 0x90);
	buf_free(&sink.bytes);
	send_rtp(peer, &to, 13, seq++, 500 * 160u, &noise, 1);
	pair_run(&p, 49000);
	assert_int_equal(pair_count(&p.a, MEDIA_RTP_TIMEOUT), 0);
	pair_run(&p, 2000);
	assert_int_equal(pair_count(&p.a, MEDIA_RTP_TIMEOUT), 1);
	close(peer);
	pair_close(&p);
}

static void clips_follow_each_other_without_a_gap(void **state)
{
	(void)state;
	struct net_addr at;
	int peer = open_socket(&at);
	uint8_t b[2000];
	struct rtp_packet pkt;
	pair_open_idle(&p, false);
	pair_start(&p, &p.a, &at, MEDIA_PCMU);
	struct media_clip *clips[3];
	size_t sizes[] = { 100, 333, 47 };
	for (unsigned i = 0; i < 3; i++) {
		int16_t pcm[400];
		for (unsigned k = 0; k < sizes[i]; k++)
			pcm[k] = (int16_t)(1000 * (i + 1));
		assert_int_equal(media_clip_from_l16(&clips[i], pcm, sizes[i]), 0);
	}
	uint32_t first, second;
	assert_int_equal(media_play(p.a.port, clips, 2, &first), 0);
	assert_int_equal(media_play(p.a.port, clips + 2, 1, &second), 0);
	for (unsigned i = 0; i < 3; i++)
		mem_unref(clips[i]);
	pair_run(&p, 80);
	for (unsigned at_sample = 0; next_packet(peer, &pkt, b, sizeof b);)
		for (size_t k = 0; k < pkt.n; k++, at_sample++) {
			int want = at_sample < 100 ? 1000 : at_sample < 433 ? 2000 : at_sample < 480 ? 3000 : 0;
			assert_int_equal(pkt.payload[k], g711_encode_ulaw((int16_t)want));
		}
	assert_int_equal(pair_event(&p.a, MEDIA_PLAY_ENDED, 0)->id, first);
	assert_int_equal(pair_event(&p.a, MEDIA_PLAY_ENDED, 0)->samples, 433);
	assert_int_equal(pair_event(&p.a, MEDIA_PLAY_ENDED, 1)->id, second);
	close(peer);
	pair_close(&p);
}

static void stopping_tells_what_was_heard(void **state)
{
	(void)state;
	pair_open(&p, false);
	struct media_clip *clip = pair_clip(played, 8 * 3000, 1);
	uint32_t id[3];
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(media_play(p.a.port, &clip, 1, &id[i]), 0);
	mem_unref(clip);
	pair_run(&p, 1000);
	media_play_stop(p.a.port);
	pair_run(&p, 40);
	assert_int_equal(pair_count(&p.a, MEDIA_PLAY_ENDED), 3);
	for (unsigned i = 0; i < 3; i++) {
		const struct media_event *ev = pair_event(&p.a, MEDIA_PLAY_ENDED, i);
		assert_int_equal(ev->id, id[i]);
		assert_true(ev->stopped);
		assert_in_range(ev->ms, i ? 0 : 960, i ? 0 : 1020);
	}
	pair_close(&p);
}

static void reports_tell_losses_and_round_trip(void **state)
{
	(void)state;
	struct media_port_stats st;
	pair_open(&p, false);
	pair_run(&p, 20000);
	media_port_stats(p.a.port, &st);
	assert_in_range(st.sent, 990, 1001);
	assert_in_range(st.received, 990, 1001);
	assert_int_equal(st.lost, 0);
	assert_int_equal(st.bad, 0);
	assert_true(st.rtt_us > 0 && st.rtt_us < 1200000); /* read twice a second */
	pair_close(&p);
}

UT_MAIN(UT(is_heard_in_every_codec), UT(what_is_played_is_heard), UT(keys_go_both_ways_at_once), UT(keys_are_heard_by_the_type_that_we_announced), UT(keys_of_a_source_of_their_own_count_once),
	UT(reports_on_the_port_of_audio_change_nothing), UT(jitter_is_the_networks), UT(stragglers_are_waited_for_in_any_codec),
	UT(strangers_are_not_heard_but_named), UT(many_strangers_are_told_seldom),
	UT(rubbish_is_counted), UT(silence_of_the_peer_is_told_once), UT(what_waits_is_read_by_who_only_plays), UT(packets_follow_the_clock), UT(nothing_is_sent_while_held_or_silent),
	UT(clips_follow_each_other_without_a_gap), UT(silence_is_said_by_comfort_noise), UT(comfort_noise_is_silence), UT(stopping_tells_what_was_heard), UT(reports_tell_losses_and_round_trip))
