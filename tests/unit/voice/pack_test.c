/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "voice/pack.h"

static struct media_clip *tone(unsigned ms)
{
	struct media_clip *c;
	assert_int_equal(media_clip_tone(&c, 500, 0, ms, -20), 0);
	return c;
}

static void what_is_written_is_found(void **state)
{
	(void)state;
	static int16_t narrow[280], wide[560];
	struct media_clip *a = tone(20), *b;
	for (unsigned i = 0; i < 560; i++)
		wide[i] = (int16_t)(i * 4001 % 9000), narrow[i / 2] = wide[i];
	assert_int_equal(media_clip_from_both(&b, narrow, 280, wide), 0);
	struct pack_item items[] = { { "beep", "", a }, { "digits/1", "one", b } };
	struct buf out;
	struct pack pk;
	buf_init(&out, 1 << 20);
	assert_int_equal(pack_write(&out, "en-US", items, 2), 0);
	assert_int_equal(pack_open(&pk, out.p, out.n, true), 0);
	assert_int_equal(pk.entries, 2);
	assert_string_equal(pk.language, "en-US");
	struct pack_entry e = pack_entry_at(&pk, 1);
	assert_true(text_is(e.name, "digits/1") && text_is(e.text, "one"));
	assert_int_equal(e.samples, 280);
	assert_memory_equal(e.pcmu, media_clip_bytes(b, MEDIA_PCMU), 280);
	assert_memory_equal(e.pcma, media_clip_bytes(b, MEDIA_PCMA), 280);
	assert_ptr_equal(e.g722, e.pcma + 280);
	assert_ptr_equal(e.g722 + 280, out.p + out.n);
	assert_null(pack_entry_at(&pk, 0).g722);
	uint8_t *at = out.p + PACK_HEAD + PACK_ENTRY + 28;
	for (uint8_t *p = at; !++*p; p++) /* one byte too far */
		;
	assert_int_equal(pack_open(&pk, out.p, out.n, false), EBADMSG);
	for (uint8_t *p = at; !(*p)--; p++)
		;
	assert_int_equal(pack_open(&pk, out.p, out.n, true), 0);
	for (size_t i = 0; i < out.n; i += i < 128 ? 1 : 37) { /* cut off, or one bit wrong */
		assert_true(pack_open(&pk, out.p, i, true) != 0);
		out.p[i] ^= 1;
		if (i < 28 || i >= 64)
			assert_true(pack_open(&pk, out.p, out.n, true) != 0);
		pack_open(&pk, out.p, out.n, false);
		out.p[i] ^= 1;
	}
	buf_free(&out);
	mem_unref(a);
	mem_unref(b);
}

static void order_and_names_are_asked_for(void **state)
{
	(void)state;
	struct media_clip *a = tone(20);
	struct pack_item wrong[][2] = { { { "b", "", a }, { "a", "", a } }, { { "a", "", a }, { "a", "", a } }, { { "", "", a }, { "a", "", a } },
		{ { "A", "", a }, { "a", "", a } } };
	struct buf out;
	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pack_write(&out, "en-US", wrong[i], 2), EBADMSG);
	buf_free(&out);
	mem_unref(a);
}

static void the_sum_is_that_of_ieee(void **state)
{
	(void)state;
	assert_int_equal(pack_crc((const uint8_t *)"123456789", 9), 0xcbf43926);
}

UT_MAIN(UT(what_is_written_is_found), UT(order_and_names_are_asked_for), UT(the_sum_is_that_of_ieee))
