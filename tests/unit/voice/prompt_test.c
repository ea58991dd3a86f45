/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "event/bus.h"
#include "media/level.h"
#include "voice/pack.h"
#include "voice/prompt.h"
#include "voice/wav.h"
#include "voice_events.h"

static void the_catalogue_is_complete_and_loud_enough(void **state)
{
	(void)state;
	struct prompt_set *s;
	assert_int_equal(prompt_set_open(&s, &(struct prompt_set_prm){ 0 }, NULL), 0);
	assert_string_equal(prompt_set_language(s), "en-US");
	assert_true(prompt_count(s) > 250);
	for (unsigned i = 0; i < prompt_count(s); i++) {
		const char *name = prompt_name(s, i);
		struct media_clip *c = prompt_clip(s, name);
		assert_non_null(c);
		float power = level_power(MEDIA_PCMU, media_clip_bytes(c, MEDIA_PCMU), media_clip_samples(c));
		int db = level_db(power);
		if (db < -34 || db > -14 || media_clip_ms(c) < 100 || media_clip_ms(c) > 25000)
			fail_msg("%s: %d dB, %u ms", name, db, media_clip_ms(c));
		assert_int_equal(prompt_check(s, name, NULL), 0);
	}
	assert_string_equal(prompt_text(s, "digits/42"), "forty two");
	assert_string_equal(prompt_text(s, "beep"), "");
	struct media_clip *kept = mem_ref(prompt_clip(s, "beep"));
	prompt_set_close(s);
	assert_int_equal(media_clip_ms(kept), 300); /* the mapping lives as long as its clips */
	assert_int_equal(media_clip_bytes(kept, MEDIA_PCMU)[0], 0xff);
	mem_unref(kept);
}

static void what_is_missing_is_named(void **state)
{
	(void)state;
	struct prompt_set *s;
	struct ev_report why;
	char line[512];
	assert_int_equal(prompt_set_open(&s, &(struct prompt_set_prm){ 0 }, NULL), 0);
	assert_null(prompt_clip(s, "no-such-prompt"));
	assert_int_equal(prompt_check(s, "no-such-prompt", &why), ENOENT);
	assert_int_equal(why.id, EV_VOICE_PROMPT_MISSING);
	assert_non_null(strstr(ev_sentence(&why, line, sizeof line), "no-such-prompt"));
	prompt_set_close(s);
	assert_int_equal(prompt_set_open(&s, &(struct prompt_set_prm){ .pack = "/nonexistent/x.pack" }, &why), ENOENT);
	assert_int_equal(why.id, EV_VOICE_PACK_MISSING);
	assert_int_equal(prompt_set_open(&s, &(struct prompt_set_prm){ .pack = "/proc/self/exe" }, &why), EBADMSG);
	assert_int_equal(why.id, EV_VOICE_PACK_DAMAGED);
}

/* A small set in a folder of its own: "a", "b"; recordings for "a" and of no use for "b". */
static const char *small_set(void)
{
	static char dir[64];
	char path[128];
	struct media_clip *c;
	struct buf out;
	int16_t pcm[800];
	snprintf(dir, sizeof dir, "%s", ut_tmpdir());
	assert_int_equal(media_clip_tone(&c, 500, 0, 50, -20), 0);
	struct pack_item items[] = { { "a", "ah", c }, { "b", "bee", c } };
	buf_init(&out, 1 << 20);
	assert_int_equal(pack_write(&out, "xx", items, 2), 0);
	snprintf(path, sizeof path, "%s/xx.pack", dir);
	FILE *f = fopen(path, "w");
	fwrite(out.p, 1, out.n, f);
	fclose(f);
	buf_free(&out);
	mem_unref(c);
	for (unsigned i = 0; i < 800; i++)
		pcm[i] = (int16_t)(i * 10);
	snprintf(path, sizeof path, "%s/a.wav", dir);
	assert_int_equal(wav_write(path, pcm, 800), 0);
	snprintf(path, sizeof path, "%s/b.wav", dir);
	f = fopen(path, "w");
	fputs("no sound", f);
	fclose(f);
	snprintf(path, sizeof path, "%s/xx.wavmap", dir);
	f = fopen(path, "w");
	fputs("# comment\n\na: a.wav\nb: b.wav\nnot a line\nc: c.wav\nb: missing.wav\n", f);
	fclose(f);
	return dir;
}

static unsigned complaints;
static void count(const struct ev_record *rec, void *arg)
{
	(void)arg;
	complaints += rec->report.id == EV_VOICE_WAV_MAP || rec->report.id == EV_VOICE_WAV_UNUSABLE;
}

static void recordings_stand_beside_and_faults_are_told(void **state)
{
	(void)state;
	struct prompt_set *s;
	struct ev_bus *bus;
	const char *dir = small_set();
	char pack[128];
	snprintf(pack, sizeof pack, "%s/xx.pack", dir);
	complaints = 0;
	assert_int_equal(ev_bus_create(&bus, clock_system(), 0), 0);
	ev_bus_sink(bus, count, NULL, NULL);
	assert_int_equal(prompt_set_open(&s, &(struct prompt_set_prm){ .pack = pack, .wav_dir = dir, .bus = bus }, NULL), 0);
	ev_bus_flush(bus);
	assert_int_equal(complaints, 4);
	assert_int_equal(prompt_count(s), 2);
	prompt_set_close(s);
	ev_bus_destroy(bus);
}

/* dir and set of the configuration: a pack of that name, or a folder of recordings. */
static void the_configuration_names_either(void **state)
{
	(void)state;
	struct prompt_set *s;
	struct ev_report why;
	const char *dir = small_set();
	char above[128];
	assert_int_equal(prompt_set_open(&s, &(struct prompt_set_prm){ .dir = dir, .set = "xx" }, NULL), 0);
	assert_string_equal(prompt_set_language(s), "xx");
	prompt_set_close(s);
	snprintf(above, sizeof above, "%.*s", (int)(strrchr(dir, '/') - dir), dir);
	assert_int_equal(prompt_set_open(&s, &(struct prompt_set_prm){ .dir = above, .set = strrchr(dir, '/') + 1 }, NULL), 0);
	assert_string_equal(prompt_set_language(s), "en-US");
	prompt_set_close(s);
	assert_int_equal(prompt_set_open(&s, &(struct prompt_set_prm){ .dir = "", .set = "" }, NULL), 0);
	prompt_set_close(s);
	assert_int_equal(prompt_set_open(&s, &(struct prompt_set_prm){ .dir = dir, .set = "yy" }, &why), ENOENT);
	assert_true(text_is(ev_field_text(&why, "language"), "yy"));
}

static unsigned replaced, gone;
static void count_missing(const struct ev_record *rec, void *arg)
{
	(void)arg;
	replaced += rec->report.id == EV_VOICE_PROMPT_REPLACED;
	gone += rec->report.id == EV_VOICE_PROMPT_MISSING;
}

static const struct prompt_words needed[] = { { "zebra", "zebra" }, { "b", "bee" }, { "aardvark", "aardvark" }, { "unsayable", "..." } };

static void a_set_that_lacks_something_is_completed(void **state)
{
	(void)state;
	struct prompt_set *s;
	struct ev_bus *bus;
	char pack[128];
	snprintf(pack, sizeof pack, "%s/xx.pack", small_set());
	replaced = gone = 0;
	assert_int_equal(ev_bus_create(&bus, clock_system(), 0), 0);
	ev_bus_sink(bus, count_missing, NULL, NULL);
	assert_int_equal(prompt_set_open(&s, &(struct prompt_set_prm){ .pack = pack }, NULL), 0);
	assert_int_equal(prompt_set_complete(s, needed, 4, bus), 0);
	ev_bus_flush(bus);
	assert_int_equal(prompt_count(s), 5); /* a, b, and the two words and the tone that were made */
	assert_int_equal(replaced, 3);
	assert_int_equal(gone, 1);
	assert_true(media_clip_ms(prompt_clip(s, "zebra")) > 200);
	assert_true(media_clip_ms(prompt_clip(s, "aardvark")) > 200);
	assert_int_equal(media_clip_ms(prompt_clip(s, "beep")), 300);
	assert_int_equal(media_clip_ms(prompt_clip(s, "b")), 50); /* what was there is kept */
	assert_null(prompt_clip(s, "unsayable"));
	assert_int_equal(prompt_set_complete(s, needed, 3, bus), 0);
	ev_bus_flush(bus);
	assert_int_equal(replaced, 3);
	prompt_set_close(s);
	ev_bus_destroy(bus);
}

static int complete_small(void *pack)
{
	struct prompt_set *s = NULL;
	int err = prompt_set_open(&s, &(struct prompt_set_prm){ .pack = pack }, NULL);
	if (!err)
		err = prompt_set_complete(s, needed, 1, NULL);
	prompt_set_close(s);
	return err;
}

static int open_small(void *pack)
{
	struct prompt_set *s = NULL;
	int err = prompt_set_open(&s, &(struct prompt_set_prm){ .pack = pack }, NULL);
	prompt_set_close(s);
	return err;
}

static void lack_of_memory_leaks_nothing(void **state)
{
	(void)state;
	char pack[128];
	snprintf(pack, sizeof pack, "%s/xx.pack", small_set());
	ut_oom(open_small, pack);
	ut_oom(complete_small, pack);
}

UT_MAIN(UT(the_catalogue_is_complete_and_loud_enough), UT(what_is_missing_is_named), UT(recordings_stand_beside_and_faults_are_told), UT(the_configuration_names_either),
	UT(a_set_that_lacks_something_is_completed), UT(lack_of_memory_leaks_nothing))
