/* SPDX-License-Identifier: Apache-2.0 */
/* Peers behind a NAT, who use our own SSRC, or send our packets back; and keys as tones by a real port. */
#include "ut.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "media/g711.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media_pair.h"

static struct pair p;

static int open_socket(struct net_addr *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof in;
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	net_addr_from(at, (struct sockaddr *)&in);
	return fd;
}

static void start(const struct net_addr *remote, bool symmetric, bool inband)
{
	struct media_stream st = { .remote = remote, .codec = MEDIA_PCMU, .dtmf_pt = inband ? MEDIA_NO_PT : 101, .send = true, .recv = true, .symmetric = symmetric,
		.inband = inband };
	assert_int_equal(media_port_start(p.a.port, &st), 0);
}

static void send_rtp(int fd, uint8_t pt, uint32_t ssrc, uint16_t seq, const uint8_t payload[MEDIA_FRAME])
{
	uint8_t b[RTP_HEAD + MEDIA_FRAME];
	const struct net_addr *to = media_port_addr(p.a.port);
	rtp_write_head(b, &(struct rtp_packet){ .pt = pt, .seq = seq, .ts = seq * 160u, .ssrc = ssrc });
	memset(b + RTP_HEAD, 0x90, MEDIA_FRAME);
	if (payload)
		memcpy(b + RTP_HEAD, payload, MEDIA_FRAME);
	assert_int_equal(sendto(fd, b, sizeof b, 0, &to->u.sa, net_addr_len(to)), (ssize_t)sizeof b);
}

/* How many packets wait there; the last one is in *last. */
static unsigned arrived(int fd, struct rtp_packet *last)
{
	static uint8_t b[RTP_PACKET_MAX];
	struct rtp_packet pkt;
	unsigned n = 0;
	for (ssize_t got; (got = recv(fd, b, sizeof b, 0)) > 0; n++)
		if (!rtp_parse(&pkt, b, (size_t)got) && last)
			*last = pkt;
	return n;
}

static uint64_t received(void)
{
	struct media_port_stats st;
	media_port_stats(p.a.port, &st);
	return st.received;
}

static void behind_a_nat_he_is_found_where_he_sends_from(void **state)
{
	(void)state;
	struct net_addr private, public, other;
	int inside = open_socket(&private), nat = open_socket(&public), stranger = open_socket(&other);
	pair_open_idle(&p, false);
	start(&private, true, false);
	pair_run(&p, 100);
	assert_true(arrived(inside, NULL) >= 4);
	send_rtp(stranger, 96, 7, 1, NULL); /* of no type that was agreed */
	assert_int_equal(sendto(stranger, "hello", 5, 0, &media_port_addr(p.a.port)->u.sa, net_addr_len(media_port_addr(p.a.port))), 5);
	pair_run(&p, 20);
	assert_int_equal(pair_count(&p.a, MEDIA_LATCHED), 0);
	arrived(inside, NULL);
	for (uint16_t i = 0; i < 2; i++) {
		send_rtp(nat, 0, 7, i, NULL);
		send_rtp(stranger, 0, 8, i, NULL); /* later than he */
		pair_run(&p, 20);
	}
	assert_int_equal(pair_count(&p.a, MEDIA_LATCHED), 1);
	assert_true(net_addr_eq(&p.a.addr[pair_event(&p.a, MEDIA_LATCHED, 0) - p.a.ev], &public));
	assert_int_equal(received(), 2);
	arrived(inside, NULL);
	arrived(nat, NULL);
	start(&private, true, false); /* a new offer that says the same */
	for (uint16_t i = 2; i < 20; i++) {
		send_rtp(nat, 0, 7, i, NULL);
		send_rtp(stranger, 0, 8, i, NULL);
		pair_run(&p, 20);
	}
	assert_int_equal(received(), 20);
	assert_int_equal(arrived(inside, NULL), 0);
	assert_true(arrived(nat, NULL) >= 17);
	assert_int_equal(arrived(stranger, NULL), 0);
	pair_close(&p);
	close(inside);
	close(nat);
	close(stranger);
}

/* He may be silent when he is found, where that was agreed. */
static void comfort_noise_finds_him_where_it_was_agreed(void **state)
{
	(void)state;
	for (uint8_t agreed = 0; agreed < 2; agreed++) {
		struct net_addr private, public;
		int inside = open_socket(&private), nat = open_socket(&public);
		pair_open_idle(&p, false);
		struct media_stream st = { .remote = &private, .dtmf_pt = 101, .send = true, .recv = true, .symmetric = true, .comfort_pt = agreed ? 13 : 0 };
		assert_int_equal(media_port_start(p.a.port, &st), 0);
		pair_run(&p, 40);
		send_rtp(nat, 13, 7, 1, NULL);
		pair_run(&p, 40);
		assert_int_equal(pair_count(&p.a, MEDIA_LATCHED), agreed);
		pair_close(&p);
		close(inside);
		close(nat);
	}
}

static void another_place_is_believed_after_silence_only(void **state)
{
	(void)state;
	struct net_addr private, public, later;
	int inside = open_socket(&private), nat = open_socket(&public), moved = open_socket(&later);
	pair_open_idle(&p, false);
	start(&private, true, false);
	pair_run(&p, 20);
	send_rtp(nat, 0, 7, 1, NULL);
	pair_run(&p, 1000);
	send_rtp(moved, 0, 9, 1, NULL);
	pair_run(&p, 900);
	assert_int_equal(received(), 1); /* he is not that silent yet */
	assert_int_equal(arrived(moved, NULL), 0);
	pair_run(&p, 200);
	send_rtp(moved, 0, 9, 2, NULL);
	pair_run(&p, 60);
	assert_int_equal(received(), 2);
	assert_int_equal(pair_count(&p.a, MEDIA_LATCHED), 2);
	assert_true(arrived(moved, NULL) >= 1);
	pair_close(&p);
	close(inside);
	close(nat);
	close(moved);
}

static void without_the_setting_nobody_is_followed(void **state)
{
	(void)state;
	struct net_addr at, other;
	int peer = open_socket(&at), stranger = open_socket(&other);
	pair_open_idle(&p, false);
	start(&at, false, false);
	for (uint16_t i = 0; i < 200; i++) {
		send_rtp(stranger, 0, 8, i, NULL);
		pair_run(&p, 20);
	}
	assert_int_equal(received(), 0);
	assert_int_equal(arrived(stranger, NULL), 0);
	assert_int_equal(pair_count(&p.a, MEDIA_LATCHED), 0);
	pair_close(&p);
	close(peer);
	close(stranger);
}

/* The same number by chance: we take another, say goodbye to ours, and hear him all the same. */
static void a_peer_with_our_ssrc_is_heard(void **state)
{
	(void)state;
	struct net_addr at;
	struct rtp_packet ours, now;
	int peer = open_socket(&at);
	pair_open_idle(&p, false);
	start(&at, false, false);
	pair_run(&p, 100);
	assert_true(arrived(peer, &ours) > 0);
	uint32_t was = ours.ssrc;
	uint16_t far = (uint16_t)(ours.seq + 20000);
	for (uint16_t i = 0; i < 50; i++) {
		send_rtp(peer, 0, was, (uint16_t)(far + i), NULL);
		pair_run(&p, 20);
	}
	assert_true(arrived(peer, &now) > 0);
	assert_int_not_equal(now.ssrc, was);
	assert_int_equal(received(), 50);
	assert_int_equal(pair_count(&p.a, MEDIA_COLLISION), 1);
	assert_int_equal(pair_count(&p.a, MEDIA_LOOP), 0);
	pair_close(&p);
	close(peer);
}

/* Our packets come back: nothing of them is taken for the caller's, and it is said once. The call lives. */
static void what_comes_back_to_us_is_not_heard(void **state)
{
	(void)state;
	struct net_addr at;
	struct media_sink_mem sink;
	int peer = open_socket(&at);
	const struct net_addr *to;
	pair_open_idle(&p, false);
	struct media_stream st = { .remote = &at, .codec = MEDIA_PCMU, .dtmf_pt = 101, .send = true, .recv = true, .rtp_timeout_ms = 2000 };
	assert_int_equal(media_port_start(p.a.port, &st), 0);
	to = media_port_addr(p.a.port);
	media_sink_mem_init(&sink, 1 << 20);
	assert_int_equal(media_record(p.a.port, &(struct media_record_prm){ .sink = &sink.sink }, NULL), 0);
	struct media_clip *clip;
	assert_int_equal(media_clip_tone(&clip, 440, 0, 8000, -10), 0);
	assert_int_equal(media_play(p.a.port, &clip, 1, NULL), 0);
	mem_unref(clip);
	for (unsigned i = 0; i < 250; i++) {
		uint8_t b[RTP_PACKET_MAX];
		pair_run(&p, 20);
		for (ssize_t n; (n = recv(peer, b, sizeof b, 0)) > 0;)
			sendto(peer, b, (size_t)n, 0, &to->u.sa, net_addr_len(to));
	}
	assert_int_equal(pair_count(&p.a, MEDIA_COLLISION), 1);
	assert_int_equal(pair_count(&p.a, MEDIA_LOOP), 1);
	assert_int_equal(pair_count(&p.a, MEDIA_RTP_TIMEOUT), 0);
	assert_int_equal(received(), 0);
	media_record_stop(p.a.port);
	pair_run(&p, 40);
	assert_int_equal(pair_event(&p.a, MEDIA_REC_ENDED, 0)->rec.speech_ms, 0);
	buf_free(&sink.bytes);
	pair_close(&p);
	close(peer);
}

/* ---- keys as tones ---- */
static void tones(int fd, const char *keys, uint16_t seq)
{
	static const char all[] = "123A456B789C*0#D";
	static const double rows[] = { 697, 770, 852, 941 }, columns[] = { 1209, 1336, 1477, 1633 };
	for (; *keys; keys++) {
		size_t k = (size_t)(strchr(all, *keys) - all);
		for (unsigned f = 0; f < 10; f++) {
			uint8_t b[MEDIA_FRAME];
			for (unsigned i = 0; i < MEDIA_FRAME; i++) {
				double t = (f * 160 + i) * 2 * 3.14159265358979 / 8000;
				b[i] = g711_encode_ulaw(f < 5 ? (int16_t)(6000 * sin(rows[k / 4] * t) + 6000 * sin(columns[k % 4] * t)) : 0);
			}
			send_rtp(fd, 0, 3, seq++, b);
			pair_run(&p, 20);
		}
	}
}

static void keys_are_heard_as_tones_where_asked_for(void **state)
{
	(void)state;
	for (unsigned inband = 0; inband < 2; inband++) {
		struct net_addr at;
		int peer = open_socket(&at);
		pair_open_idle(&p, false);
		start(&at, false, inband);
		tones(peer, "4711#", 65500);
		pair_run(&p, 300);
		assert_string_equal(pair_digits(&p.a), inband ? "4711#" : "");
		for (unsigned i = 0; i < pair_count(&p.a, MEDIA_DIGIT); i++) {
			assert_true(pair_event(&p.a, MEDIA_DIGIT, i)->by_tone);
			assert_in_range(pair_event(&p.a, MEDIA_DIGIT, i)->ms, 70, 130);
		}
		assert_int_equal(pair_count(&p.a, MEDIA_DIGIT_START), inband ? 5 : 0);
		pair_close(&p);
		close(peer);
	}
}

UT_MAIN(UT(behind_a_nat_he_is_found_where_he_sends_from), UT(comfort_noise_finds_him_where_it_was_agreed), UT(another_place_is_believed_after_silence_only),
	UT(without_the_setting_nobody_is_followed), UT(a_peer_with_our_ssrc_is_heard),
	UT(what_comes_back_to_us_is_not_heard), UT(keys_are_heard_as_tones_where_asked_for))
