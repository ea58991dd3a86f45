/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as tones: found where they are, once each, and nowhere else. */
#include "ut.h"
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "audio.h"
#include "media/g711.h"
#include "media/inband.h"

enum { MOST = 8000 * 60 };
static int16_t pcm[MOST];
static struct {
	char begun[256], ended[256];
	unsigned n_begun, n_ended;
	uint32_t ms;
} got;

static void take(const struct dtmf_news *news, void *arg)
{
	(void)arg;
	assert_true(!news->started != !news->ended);
	if (news->started && got.n_begun < 255)
		got.begun[got.n_begun++] = news->started;
	if (news->ended && got.n_ended < 255) {
		got.ended[got.n_ended++] = news->ended;
		got.ms = news->ms;
	}
}

/* How loud: dBm0 of each tone, 3.14 being full scale. */
static size_t press(int16_t *dst, char key, unsigned on_ms, unsigned off_ms, double db, double twist_db, double off_by)
{
	static const char keys[] = "123A456B789C*0#D";
	static const double rows[] = { 697, 770, 852, 941 }, columns[] = { 1209, 1336, 1477, 1633 };
	size_t k = (size_t)(strchr(keys, key) - keys), n = on_ms * 8u;
	double a = 32767 * pow(10, (db - 3.14) / 20), b = a * pow(10, twist_db / 20);
	for (size_t i = 0; i < n; i++)
		dst[i] = (int16_t)(a * sin(2 * 3.14159265358979 * rows[k / 4] * off_by * (double)i / 8000) +
			b * sin(2 * 3.14159265358979 * columns[k % 4] * off_by * (double)i / 8000));
	memset(dst + n, 0, off_ms * 8u * sizeof *dst);
	return n + off_ms * 8u;
}

static size_t type(int16_t *dst, const char *keys, unsigned on_ms, unsigned off_ms, double db)
{
	size_t n = 0;
	for (; *keys; keys++)
		n += press(dst + n, *keys, on_ms, off_ms, db, 0, 1);
	return n;
}

static struct inband *begin(void)
{
	struct inband *ib = NULL;
	memset(&got, 0, sizeof got);
	assert_int_equal(inband_create(&ib), 0);
	return ib;
}

static const char *heard(size_t n)
{
	struct inband *ib = begin();
	for (size_t at = 0; at < n; at += 160)
		inband_samples(ib, pcm + at, n - at < 160 ? n - at : 160, take, NULL);
	inband_free(ib);
	return got.ended;
}

static void all_keys_at_all_paces(void **state)
{
	(void)state;
	static const char all[] = "0123456789*#ABCD";
	static const unsigned on[] = { 55, 70, 100, 400 }, off[] = { 55, 60, 100, 300 };
	for (unsigned i = 0; i < 4; i++) {
		assert_string_equal(heard(type(pcm, all, on[i], off[i], -10)), all);
		assert_string_equal(got.begun, all);
		assert_in_range(got.ms, on[i] - 30, on[i] + 30);
	}
	assert_string_equal(heard(type(pcm, "1122331", 80, 60, -10)), "1122331");
}

static void what_telephones_do_is_understood(void **state)
{
	(void)state;
	assert_string_equal(heard(type(pcm, "159#", 100, 100, -3)), "159#");
	assert_string_equal(heard(type(pcm, "159#", 100, 100, -30)), "159#");
	assert_string_equal(heard(press(pcm, '7', 100, 100, -10, 3, 1)), "7");
	assert_string_equal(heard(press(pcm, '7', 100, 100, -4, -7, 1)), "7");
	assert_string_equal(heard(press(pcm, '7', 100, 100, -10, 0, 1.013)), "7");
	assert_string_equal(heard(press(pcm, '7', 100, 100, -10, 0, 1.05)), ""); /* another tone */
	assert_string_equal(heard(press(pcm, '7', 20, 100, -10, 0, 1)), "");     /* a click */
	assert_string_equal(heard(press(pcm, '7', 100, 100, -50, 0, 1)), "");    /* an echo of somebody else's */
	size_t n = type(pcm, "123456", 100, 100, -12);
	uint32_t x = 1;
	for (size_t i = 0; i < n; i++) {
		x = x * 1664525u + 1013904223u;
		pcm[i] = (int16_t)(pcm[i] + (int32_t)(x >> 16) % 900 - 450);
	}
	assert_string_equal(heard(n), "123456");
}

static void one_tone_or_a_voice_is_no_key(void **state)
{
	(void)state;
	for (double hz = 300; hz < 2000; hz += 37) {
		for (size_t i = 0; i < 4000; i++)
			pcm[i] = (int16_t)(8000 * sin(2 * 3.14159265358979 * hz * (double)i / 8000));
		assert_string_equal(heard(4000), "");
	}
	for (unsigned seed = 0; seed < 8; seed++) {
		audio_make(pcm, MOST, seed);
		assert_string_equal(heard(MOST), "");
	}
}

/* What people said, who recorded prompts for another server: some minutes of them, where they are installed. */
static size_t read_recording(const char *path)
{
	static uint8_t bytes[MOST * 2];
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
	if (f)
		fclose(f);
	if (n <= 44 || memcmp(bytes, "RIFF", 4) != 0)
		return 0;
	memcpy(pcm, bytes + 44, (n - 44) / 2 * 2);
	return (n - 44) / 2;
}

static void people_press_no_keys_by_speaking(void **state)
{
	(void)state;
	glob_t found = { 0 };
	double minutes = 0;
	glob("/usr/share/asterisk/sounds/*/*.wav", 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc && minutes < 40; i++) {
		size_t n = read_recording(found.gl_pathv[i]);
		for (unsigned loud = 0; loud < 2; loud++) {
			const char *keys = heard(n);
			if (*keys)
				fail_msg("%s sounds like %s", found.gl_pathv[i], keys);
			for (size_t k = 0; k < n; k++) /* and at a quarter of it */
				pcm[k] = (int16_t)(pcm[k] / 4);
		}
		minutes += (double)n / 8000 / 60;
	}
	bool none = !found.gl_pathc;
	globfree(&found);
	if (none)
		skip();
}

/* ---- as packets ---- */
static uint64_t seed;
static unsigned chance(unsigned below)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)((seed >> 33) % below);
}

/* Some packets do not come; the others change places with their neighbours. */
static const char *by_packets(size_t n, unsigned lost_percent)
{
	struct inband *ib = begin();
	size_t frames = n / 160;
	for (size_t i = 0; i < frames; i++) {
		size_t k = i ^ 1; /* 1 0 3 2 */
		uint8_t payload[160];
		if (k >= frames || (i && chance(100) < lost_percent))
			continue;
		g711_encode(MEDIA_PCMA, payload, pcm + k * 160, 160);
		struct rtp_packet pkt = { .seq = (uint16_t)k, .ts = (uint32_t)k * 160, .ssrc = 1, .payload = payload, .n = 160 };
		inband_packet(ib, (int64_t)i * 20000, &pkt, MEDIA_PCMA, take, NULL);
		inband_tick(ib, (int64_t)i * 20000, take, NULL);
	}
	inband_tick(ib, (int64_t)frames * 20000 + 1000000, take, NULL);
	inband_free(ib);
	return got.ended;
}

static void lost_and_overtaken_packets_neither_double_nor_drop_a_key(void **state)
{
	(void)state;
	assert_string_equal(by_packets(type(pcm, "00123456789*#", 120, 120, -10), 0), "00123456789*#");
	for (seed = 1; seed < 10; seed++)
		assert_string_equal(by_packets(type(pcm, "44012", 160, 140, -10), 4), "44012");
}

/* The last press ends though nothing comes any more. */
static void a_press_ends_when_the_caller_is_gone(void **state)
{
	(void)state;
	struct inband *ib = begin();
	uint8_t payload[160];
	press(pcm, '5', 400, 0, -10, 0, 1);
	for (unsigned i = 0; i < 10; i++) {
		g711_encode(MEDIA_PCMU, payload, pcm + i * 160, 160);
		inband_packet(ib, i * 20000, &(struct rtp_packet){ .seq = (uint16_t)i, .ts = i * 160, .payload = payload, .n = 160 }, MEDIA_PCMU, take, NULL);
	}
	assert_string_equal(got.begun, "5");
	assert_string_equal(got.ended, "");
	inband_tick(ib, 300000, take, NULL);
	assert_string_equal(got.ended, "");
	inband_tick(ib, 400000, take, NULL);
	assert_string_equal(got.ended, "5");
	inband_free(ib);
}

/* However fast somebody sends. */
static void no_more_is_told_than_there_is_room_for(void **state)
{
	(void)state;
	struct inband *ib = begin();
	uint8_t payload[1440];
	size_t n = type(pcm, "123456789012345678901234567890123456789012345678901234567890", 45, 45, -10);
	unsigned seq = 0;
	for (size_t at = 0; at + 1440 <= n; at += 1440, seq++) {
		g711_encode(MEDIA_PCMU, payload, pcm + at, 1440);
		inband_packet(ib, 0, &(struct rtp_packet){ .seq = (uint16_t)seq, .ts = (uint32_t)at, .payload = payload, .n = 1440 }, MEDIA_PCMU, take, NULL);
	}
	assert_int_equal(got.n_begun + got.n_ended, 16);
	inband_free(ib);
}

UT_MAIN(UT(all_keys_at_all_paces), UT(what_telephones_do_is_understood), UT(one_tone_or_a_voice_is_no_key),
	UT(people_press_no_keys_by_speaking),
	UT(lost_and_overtaken_packets_neither_double_nor_drop_a_key), UT(a_press_ends_when_the_caller_is_gone), UT(no_more_is_told_than_there_is_room_for))
