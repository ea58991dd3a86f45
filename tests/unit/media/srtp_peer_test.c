/* SPDX-License-Identifier: Apache-2.0 */
/* srtp_peer_test.c  Our SRTP and libsrtp2 say and understand the same, packet by packet: all suites, both ways, over roll-overs, with packets
 * that come late, twice, changed or never. Built only where libsrtp2-dev is installed. */
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "media/srtp.h"
#include "srtp_oracle.h"
#include "ut.h"

enum { PACKETS = 4000, ROOM = 512, REPORTS = 200 };

static uint64_t dice = 0x5eed5eed;
static uint32_t below(uint32_t n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice >> 33) % n;
}

struct both {
	struct srtp *tx, *rx;
	struct oracle *their_tx, *their_rx;
};

static void both_open(struct both *b, enum srtp_suite suite)
{
	struct srtp_key key = { .suite = suite };
	for (unsigned i = 0; i < SRTP_KEY_MAX; i++)
		key.bytes[i] = (uint8_t)below(256);
	assert_int_equal(srtp_new(&b->tx, &key, true), 0);
	assert_int_equal(srtp_new(&b->rx, &key, false), 0);
	b->their_tx = oracle_new((int)suite, key.bytes, true);
	b->their_rx = oracle_new((int)suite, key.bytes, false);
	assert_non_null(b->their_tx);
	assert_non_null(b->their_rx);
}

static void both_close(struct both *b)
{
	mem_unref(b->tx);
	mem_unref(b->rx);
	oracle_free(b->their_tx);
	oracle_free(b->their_rx);
}

/* A packet of any shape: contributing sources, an extension, up to 200 bytes. */
static size_t some_packet(uint8_t *p, uint32_t ssrc, uint16_t seq)
{
	unsigned sources = below(4) ? 0 : below(16), more = below(4) ? 0 : 1, words = below(5);
	size_t head = 12 + 4 * sources + (more ? 4 + 4 * words : 0), n = head + below(200);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)below(256);
	p[0] = (uint8_t)(0x80 | more << 4 | sources);
	p[2] = (uint8_t)(seq >> 8);
	p[3] = (uint8_t)seq;
	for (unsigned i = 0; i < 4; i++)
		p[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	if (more) {
		p[12 + 4 * sources + 2] = 0;
		p[12 + 4 * sources + 3] = (uint8_t)words;
	}
	assert_int_equal(srtp_head(p, n), head);
	return n;
}

/* Both seal the same bytes to the same. */
static size_t seal(struct both *b, const uint8_t *plain, size_t n, uint8_t *p)
{
	uint8_t theirs[ROOM];
	size_t head = srtp_head(plain, n), total, their_n = n;
	memcpy(p, plain, head);
	assert_int_equal(srtp_seal(b->tx, p, head, plain + head, n - head, &total), 0);
	memcpy(theirs, plain, n);
	assert_int_equal(oracle_seal(b->their_tx, theirs, &their_n, false), 0);
	assert_int_equal(total, their_n);
	assert_memory_equal(p, theirs, total);
	return total;
}

/* Both say the same of a packet, and read the same from it. */
static int receive(struct both *b, const uint8_t *sent, size_t n, bool rtcp)
{
	uint8_t p[ROOM], q[ROOM];
	size_t m = n, k = n;
	memcpy(p, sent, n);
	memcpy(q, sent, n);
	int ours = rtcp ? srtcp_open(b->rx, p, &m) : srtp_open(b->rx, p, &m), theirs = oracle_open(b->their_rx, q, &k, rtcp);
	if (!ours != !theirs || (ours == EALREADY) != (theirs == EALREADY))
		fail_msg("we say %d, libsrtp %d of a packet of %zu bytes, number %u", ours, theirs, n, (unsigned)sent[2] << 8 | sent[3]);
	if (!ours) {
		assert_int_equal(m, k);
		assert_memory_equal(p, q, m);
	}
	return ours;
}

static void sound_is_understood(enum srtp_suite suite)
{
	static uint8_t sent[8][ROOM];
	static size_t len[8];
	struct both b;
	uint8_t plain[ROOM];
	uint32_t at = 1000 + below(30000);
	unsigned taken = 0, again = 0, bad = 0;
	both_open(&b, suite);
	for (unsigned i = 0; i < PACKETS; i++) {
		size_t n = some_packet(plain, 77, (uint16_t)at);
		unsigned slot = i % 8;
		len[slot] = seal(&b, plain, n, sent[slot]);
		at += below(20) ? 1 : 1 + below(i ? 3000 : 1); /* losses, and some roll-overs on the way */
		unsigned what = below(10);
		if (what == 0) { /* changed on the way */
			uint8_t p[ROOM];
			memcpy(p, sent[slot], len[slot]);
			p[12 + below((uint32_t)len[slot] - 12)] ^= (uint8_t)(1 << below(8));
			bad += receive(&b, p, len[slot], false) != 0;
		} else if (what == 1 && i > 8) { /* one of the last eight: late or again */
			unsigned old = below(8);
			again += receive(&b, sent[old], len[old], false) != 0;
		}
		if (what != 2) /* lost */
			taken += receive(&b, sent[slot], len[slot], false) == 0;
	}
	assert_true(at > 65536 * 2 && taken > PACKETS / 2 && bad > PACKETS / 20 && again > 0);
	both_close(&b);
}

static void reports_are_understood(enum srtp_suite suite)
{
	struct both b;
	uint8_t plain[ROOM], p[ROOM], first[ROOM];
	size_t n_first = 0;
	both_open(&b, suite);
	for (unsigned i = 0; i < REPORTS; i++) {
		size_t n = 8 + 4 * below(30), total = 0;
		for (size_t k = 0; k < n; k++)
			plain[k] = (uint8_t)below(256);
		plain[0] = 0x81;
		plain[1] = 200;
		memcpy(plain + 4, "\0\0\0\7", 4);
		memcpy(p, plain, n);
		if (i % 2) { /* theirs */
			total = n;
			assert_int_equal(oracle_seal(b.their_tx, p, &total, true), 0);
		} else {
			assert_int_equal(srtcp_seal(b.tx, p, n, &total), 0);
		}
		uint8_t bent[ROOM];
		memcpy(bent, p, total);
		bent[below((uint32_t)total)] ^= 0x10;
		assert_true(receive(&b, bent, total, true) != 0);
		/* each sender counts for itself, and so one index comes twice */
		int err = receive(&b, p, total, true);
		assert_true(err == 0 || err == EALREADY);
		if (!i)
			memcpy(first, p, n_first = total);
	}
	assert_int_equal(receive(&b, first, n_first, true), EALREADY);
	both_close(&b);
}

static void all_suites(void **state)
{
	(void)state;
	for (enum srtp_suite suite = 1; suite < SRTP_SUITES; suite++) {
		sound_is_understood(suite);
		reports_are_understood(suite);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_suites) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
