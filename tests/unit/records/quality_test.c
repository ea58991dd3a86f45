/* SPDX-License-Identifier: Apache-2.0 */
/* The E-model against known points, and silence where something was not measured. */
#include "ut.h"
#include "records/quality.h"

static struct call_record measured(int64_t lost, int64_t jitter_us, int64_t round_trip_us)
{
	struct call_record r;
	record_init(&r);
	text_fill(r.codec, sizeof r.codec, "PCMU");
	r.duration_ms = 60000;
	r.received = 3000 - lost;
	r.lost = lost;
	r.jitter_us = jitter_us;
	r.round_trip_us = round_trip_us;
	return r;
}

static void a_clean_call_is_as_good_as_g711_can_be(void **state)
{
	(void)state;
	struct call_record r = measured(0, 0, 0);
	assert_true(quality_estimate(&r));
	assert_in_range(r.nmos_centi, 439, 441);
	assert_string_equal(r.band, "good"); /* no call of narrow band is excellent */
	assert_int_equal(r.degradation_loss_centi, 0);
	assert_int_equal(r.degradation_jitter_centi, 0);
	assert_in_range(r.degradation_centi, 0, 2); /* the frame itself */
}

static void loss_jitter_and_delay_hurt_each_in_its_place(void **state)
{
	(void)state;
	/* 10 % of loss: Ie,eff = 95 * 10 / 35.1 = 27.1; R = 93.2 - 0.5 - 27.1 = 65.6 -> MOS 3.4 */
	struct call_record r = measured(300, 0, 0);
	assert_true(quality_estimate(&r));
	assert_in_range(r.nmos_centi, 333, 344);
	assert_string_equal(r.band, "average");
	assert_in_range(r.degradation_loss_centi, 96, 108);
	assert_int_equal(r.degradation_jitter_centi, 0);
	/* 400 ms each way: Id = 0.024 * 420 + 0.11 * 242.7 = 36.8; R = 56.4 -> 2.9 */
	r = measured(0, 0, 800000);
	assert_true(quality_estimate(&r));
	assert_in_range(r.nmos_centi, 286, 294);
	assert_int_equal(r.degradation_loss_centi, 0);
	r = measured(0, 100000, 100000);
	assert_true(quality_estimate(&r));
	assert_in_range(r.degradation_jitter_centi, 20, 90);
	r = measured(1500, 0, 0); /* half of it: Ie,eff 63.3, R 29.4 */
	assert_true(quality_estimate(&r));
	assert_string_equal(r.band, "poor");
	assert_in_range(r.nmos_centi, 150, 165);
	r = measured(2500, 0, 0);
	assert_true(quality_estimate(&r));
	assert_string_equal(r.band, "bad");
}

static void all_codecs_are_judged(void **state)
{
	(void)state;
	static const char *const names[] = { "PCMU", "PCMA", "G722", "opus", "L16", "L16/16k" };
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		struct call_record r = measured(150, 5000, 40000);
		text_fill(r.codec, sizeof r.codec, names[i]);
		assert_true(quality_estimate(&r));
		assert_string_equal(r.band, "good");
	}
	struct call_record r = measured(150, 5000, 40000);
	text_fill(r.codec, sizeof r.codec, "G729");
	assert_false(quality_estimate(&r));
}

static void nothing_is_invented(void **state)
{
	(void)state;
	for (int missing = 0; missing < 6; missing++) {
		struct call_record r = measured(1, 1000, 20000);
		int64_t *const figure[] = { &r.lost, &r.jitter_us, &r.round_trip_us };
		if (missing < 3)
			*figure[missing] = RECORD_UNKNOWN;
		else if (missing == 3)
			r.duration_ms = QUALITY_LEAST_MS - 1;
		else if (missing == 4)
			r.received = QUALITY_LEAST_PACKETS - 1;
		else
			r.codec[0] = '\0';
		text_fill(r.band, sizeof r.band, "good");
		assert_false(quality_estimate(&r));
		assert_int_equal(r.nmos_centi, RECORD_UNKNOWN);
		assert_int_equal(r.degradation_centi, RECORD_UNKNOWN);
		assert_int_equal(r.degradation_jitter_centi, RECORD_UNKNOWN);
		assert_int_equal(r.degradation_loss_centi, RECORD_UNKNOWN);
		assert_string_equal(r.band, "");
	}
}

static void bands_are_cut_where_they_are_said_to_be(void **state)
{
	(void)state;
	static const struct {
		int64_t centi;
		const char *band;
	} rows[] = { { 450, "excellent" }, { 449, "good" }, { 350, "good" }, { 349, "average" }, { 250, "average" }, { 249, "poor" }, { 150, "poor" }, { 149, "bad" } };
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(quality_band(rows[i].centi), rows[i].band);
}

UT_MAIN(UT(a_clean_call_is_as_good_as_g711_can_be), UT(loss_jitter_and_delay_hurt_each_in_its_place), UT(all_codecs_are_judged), UT(nothing_is_invented),
        UT(bands_are_cut_where_they_are_said_to_be))
