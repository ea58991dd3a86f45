/* SPDX-License-Identifier: Apache-2.0 */
/* srtp.c  What encrypting costs: nanoseconds a packet of 20 ms of G.711, with few and with many keys in turn, so that each comes to cold memory as in a
 * server with as many calls. Beside it libsrtp2, where it is installed. One JSON line a figure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "media/srtp.h"
#ifdef WITH_LIBSRTP2
#include "srtp_oracle.h"
#endif

enum { MOST = 2000, HEAD = 12, PAYLOAD = 160 };

static unsigned packets = 400000;

static uint8_t p[HEAD + PAYLOAD + SRTP_ROOM + 64], payload[PAYLOAD];

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void tell(enum srtp_suite suite, const char *who, unsigned contexts, double ns, bool ours)
{
	printf("{\"figure\": \"E packet %s %u%s\", \"value\": %.0f, \"unit\": \"ns\", \"target\": %s, \"met\": %s, \"how\": \"%s: %s, sealing 160 bytes and opening them again, "
	       "halved; %u keys each way in turn\"}\n", srtp_suite_name(suite), contexts, ours ? "" : " libsrtp2", ns, ours ? "400" : "null", ours ? ns <= 400 ? "true" : "false" : "null", who, srtp_suite_name(suite), contexts);
	fflush(stdout);
}

static void head(uint16_t seq)
{
	memset(p, 0, HEAD);
	p[0] = 0x80;
	p[2] = (uint8_t)(seq >> 8);
	p[3] = (uint8_t)seq;
}

static struct srtp_key key_of(enum srtp_suite suite, unsigned i)
{
	struct srtp_key k = { .suite = suite };
	for (unsigned b = 0; b < SRTP_KEY_MAX; b++)
		k.bytes[b] = (uint8_t)(i * 31 + b * 7);
	return k;
}

static void ours(enum srtp_suite suite, unsigned n)
{
	static struct srtp *tx[MOST], *rx[MOST];
	for (unsigned i = 0; i < n; i++) {
		struct srtp_key k = key_of(suite, i);
		if (srtp_new(&tx[i], &k, true) || srtp_new(&rx[i], &k, false))
			exit(1);
	}
	double from = now_ns();
	for (unsigned i = 0; i < packets; i++) {
		size_t total;
		head((uint16_t)(i / n));
		if (srtp_seal(tx[i % n], p, HEAD, payload, PAYLOAD, &total) || srtp_open(rx[i % n], p, &total))
			exit(1);
	}
	tell(suite, "ours", n, (now_ns() - from) / packets / 2, true);
	for (unsigned i = 0; i < n; i++) {
		mem_unref(tx[i]);
		mem_unref(rx[i]);
	}
}

#ifdef WITH_LIBSRTP2
static void theirs(enum srtp_suite suite, unsigned n)
{
	static struct oracle *tx[MOST], *rx[MOST];
	for (unsigned i = 0; i < n; i++) {
		struct srtp_key k = key_of(suite, i);
		tx[i] = oracle_new((int)suite, k.bytes, true);
		rx[i] = oracle_new((int)suite, k.bytes, false);
	}
	double from = now_ns();
	unsigned some = packets / 10; /* it takes its time */
	for (unsigned i = 0; i < some; i++) {
		size_t total = HEAD + PAYLOAD;
		head((uint16_t)(i / n));
		memcpy(p + HEAD, payload, PAYLOAD);
		if (oracle_seal(tx[i % n], p, &total, false) || oracle_open(rx[i % n], p, &total, false))
			exit(1);
	}
	tell(suite, "libsrtp2", n, (now_ns() - from) / some / 2, false);
	for (unsigned i = 0; i < n; i++) {
		oracle_free(tx[i]);
		oracle_free(rx[i]);
	}
}
#endif

/* srtp [PACKETS]: how many are sealed and opened for a figure of ours; of others a tenth. */
int main(int argc, char **argv)
{
	static const unsigned contexts[] = { 1, 100, 2000 };
	static const enum srtp_suite suites[] = { SRTP_AES_CM_128_80, SRTP_AES_GCM_128 };
	if (argc > 1)
		packets = (unsigned)strtoul(argv[1], NULL, 10);
	for (unsigned s = 0; s < 2; s++)
		for (unsigned i = 0; i < 3; i++) {
			ours(suites[s], contexts[i]);
#ifdef WITH_LIBSRTP2
			theirs(suites[s], contexts[i]);
#endif
		}
	return 0;
}
