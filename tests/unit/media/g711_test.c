/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <math.h>
#include "media/g711.h"

/* Values of G.711 tables 1a and 2a, scaled to 16 bits. */
static void known_values(void **state)
{
	(void)state;
	const int16_t *u = g711_table(MEDIA_PCMU), *a = g711_table(MEDIA_PCMA);
	assert_int_equal(u[0xff], 0);
	assert_int_equal(u[0x80], 32124);
	assert_int_equal(u[0x00], -32124);
	assert_int_equal(u[0xfe], 8);
	assert_int_equal(a[0xd5], 8);
	assert_int_equal(a[0x55], -8);
	assert_int_equal(a[0xaa], 32256);
	assert_int_equal(a[0x2a], -32256);
	assert_int_equal(g711_encode_ulaw(0), 0xff);
	assert_int_equal(g711_encode_alaw(0), 0xd5);
	assert_int_equal(g711_encode_ulaw(32767), 0x80);
	assert_int_equal(g711_encode_ulaw(-32768), 0x00);
	assert_int_equal(g711_encode_alaw(32767), 0xaa);
	assert_int_equal(g711_encode_alaw(-32768), 0x2a);
}

static void every_code_survives(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		uint8_t u = g711_encode_ulaw(g711_table(MEDIA_PCMU)[i]);
		if (i != 0x7f) /* minus zero */
			assert_int_equal(u, i);
		assert_int_equal(g711_encode_alaw(g711_table(MEDIA_PCMA)[i]), i);
	}
}

static void error_stays_below_a_step(void **state)
{
	(void)state;
	for (int v = -32768; v < 32768; v++) {
		int u = g711_table(MEDIA_PCMU)[g711_encode_ulaw((int16_t)v)], a = g711_table(MEDIA_PCMA)[g711_encode_alaw((int16_t)v)];
		int allowed = abs(v) / 16 + 24;
		if (abs(v) < 32124)
			assert_true(abs(u - v) <= allowed);
		if (abs(v) < 32256)
			assert_true(abs(a - v) <= allowed);
	}
}

static void laws_cross_over(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		int from = g711_table(MEDIA_PCMU)[i], to = g711_table(MEDIA_PCMA)[g711_cross(MEDIA_PCMU)[i]];
		assert_true(abs(from - to) <= abs(from) / 16 + 24);
		from = g711_table(MEDIA_PCMA)[i];
		to = g711_table(MEDIA_PCMU)[g711_cross(MEDIA_PCMA)[i]];
		assert_true(abs(from - to) <= abs(from) / 16 + 24);
	}
}

UT_MAIN(UT(known_values), UT(every_code_survives), UT(error_stays_below_a_step), UT(laws_cross_over))
