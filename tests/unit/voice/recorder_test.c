/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "audio.h"
#include "base/mem.h"
#include "media/g711.h"
#include "media_pair.h"
#include "net/loop.h"
#include "voice/recorder.h"

static struct pair p;
static struct recorder *rec;
static unsigned told;
static struct recorder_result res;
static struct spool_info info;
static char path[SPOOL_PATH];
static int16_t pcm[8 * 6000], heard[8 * 10000];

static void over(struct recorder *r, const struct recorder_result *result, void *arg)
{
	assert_ptr_equal(arg, &told);
	assert_ptr_equal(r, rec);
	told++;
	res = *result;
	info = *result->info;
	snprintf(path, sizeof path, "%s", result->path);
	recorder_free(r);
	rec = NULL;
}

static void pass_on(struct media_port *port, const struct media_event *ev, void *arg)
{
	(void)port;
	(void)arg;
	if (rec)
		recorder_event(rec, ev);
}

static void begin(const char *dir, struct recorder_prm prm)
{
	pair_open(&p, false);
	p.b.also = pass_on;
	told = 0;
	pair_run(&p, 60);
	prm.port = p.b.port;
	prm.dir = dir;
	prm.clock = &p.clock.clock;
	prm.mailbox = "4711";
	prm.caller = "+49 30 123";
	prm.name = "Zo\xc3\xab\nX";
	prm.kind = "message";
	prm.session = "s1";
	prm.handler = over;
	prm.arg = &told;
	assert_int_equal(recorder_start(&rec, &prm, NULL), 0);
}

static void speak(unsigned ms)
{
	struct media_clip *clip = pair_clip(pcm, (size_t)ms * 8, 9);
	assert_int_equal(media_play(p.a.port, &clip, 1, NULL), 0);
	mem_unref(clip);
}

static void silence_ends_and_is_trimmed(void **state)
{
	(void)state;
	struct spool_info back;
	struct buf audio;
	char dir[128];
	snprintf(dir, sizeof dir, "%s/spool", ut_tmpdir()); /* is made */
	begin(dir, (struct recorder_prm){ .codec = MEDIA_PCMA, .silence_ms = 3000 });
	speak(4000);
	pair_run(&p, 9000);
	assert_int_equal(told, 1);
	assert_int_equal(res.end, REC_SILENCE);
	assert_int_equal(res.err, 0);
	assert_true(res.heard);
	assert_in_range(info.duration_ms, 4100, 4500);
	buf_init(&audio, 1 << 20);
	assert_int_equal(recording_read(path, &back, &audio), 0);
	assert_true(back.complete);
	assert_string_equal(back.mailbox, "4711");
	assert_string_equal(back.caller, "+49 30 123");
	assert_string_equal(back.name, "Zo\xc3\xab X");
	assert_string_equal(back.id, info.id);
	assert_int_equal(back.codec, MEDIA_PCMA);
	assert_int_equal(back.duration_ms, info.duration_ms);
	assert_int_equal(back.peak_db, info.peak_db);
	assert_int_equal(back.started_s, 1800000000);
	assert_int_equal(audio.n, back.duration_ms * 8);
	g711_decode(MEDIA_PCMA, heard, audio.p, audio.n);
	assert_true(audio_compare(pcm, 4000 * 8, heard, audio.n, 800).correlation > 0.99);
	buf_free(&audio);
	assert_int_equal(recording_remove(path), 0);
	assert_int_equal(recording_read(path, &back, NULL), ENOENT);
	pair_close(&p);
}

static void nobody_speaks(void **state)
{
	(void)state;
	begin(ut_tmpdir(), (struct recorder_prm){ .silence_ms = 3000, .start_silence_ms = 6000 });
	pair_run(&p, 7000);
	assert_int_equal(told, 1);
	assert_int_equal(res.end, REC_SILENCE);
	assert_false(res.heard);
	pair_close(&p);
}

static void a_key_stops_it(void **state)
{
	(void)state;
	begin(ut_tmpdir(), (struct recorder_prm){ .silence_ms = 3000 });
	speak(5000);
	pair_run(&p, 5000);
	assert_in_range(recorder_ms(rec), 4000, 4200); /* as of the last block */
	recorder_stop(rec, REC_STOPPED);
	recorder_stop(rec, REC_HANGUP);
	pair_run(&p, 40);
	assert_int_equal(told, 1);
	assert_int_equal(res.end, REC_STOPPED);
	assert_in_range(info.duration_ms, 4950, 5050);
	pair_close(&p);
}

static void the_longest_time(void **state)
{
	(void)state;
	begin(ut_tmpdir(), (struct recorder_prm){ .max_ms = 2500 });
	pair_run(&p, 3000);
	assert_int_equal(res.end, REC_FULL);
	assert_int_equal(info.duration_ms, 2500);
	pair_close(&p);
}

static void a_closed_port_is_a_hang_up_and_keeps_it(void **state)
{
	(void)state;
	struct spool_info back;
	begin(ut_tmpdir(), (struct recorder_prm){ .codec = MEDIA_L16 });
	speak(3000);
	pair_run(&p, 2000);
	pair_close(&p);
	assert_int_equal(told, 1);
	assert_int_equal(res.end, REC_HANGUP);
	assert_int_equal(recording_read(path, &back, NULL), 0);
	assert_true(back.complete);
	assert_in_range(back.duration_ms, 1950, 2050);
}

/* Twice the samples, and as long; the silence behind is cut at the same place. */
static void a_wide_recording_says_so(void **state)
{
	(void)state;
	struct spool_info back;
	struct buf audio;
	begin(ut_tmpdir(), (struct recorder_prm){ .codec = MEDIA_L16_WIDE, .silence_ms = 2000 });
	speak(3000);
	pair_run(&p, 6000);
	assert_int_equal(told, 1);
	assert_int_equal(res.end, REC_SILENCE);
	buf_init(&audio, 1 << 20);
	assert_int_equal(recording_read(path, &back, &audio), 0);
	assert_int_equal(back.codec, MEDIA_L16_WIDE);
	assert_in_range(back.duration_ms, 3200, 3600);
	assert_int_equal(audio.n, (size_t)back.bytes);
	assert_in_range(back.bytes, back.duration_ms * 32, back.duration_ms * 32 + 31);
	buf_free(&audio);
	pair_close(&p);
}

static void a_folder_that_cannot_be_made_ends_it_at_once(void **state)
{
	(void)state;
	begin("/proc/no/such/folder", (struct recorder_prm){ 0 });
	pair_run(&p, 60);
	assert_int_equal(told, 1);
	assert_int_equal(res.end, REC_FAILED);
	assert_int_equal(res.err, ENOENT);
	pair_close(&p);
}

/* The disk takes two blocks and no more: what they hold is kept and known to be cut off. */
static void a_disk_that_fails_later_leaves_what_was_written(void **state)
{
	(void)state;
	struct rlimit all, little;
	struct spool_info back;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	little = all;
	little.rlim_cur = 2048 + 40000;
	begin(ut_tmpdir(), (struct recorder_prm){ .silence_ms = 3000 });
	speak(6000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	pair_run(&p, 7000); /* it ends by itself: nobody speaks into the void */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_int_equal(told, 1);
	assert_int_equal(res.end, REC_FAILED);
	assert_int_equal(res.err, EFBIG);
	assert_true(res.heard);
	assert_int_equal(recording_read(path, &back, NULL), 0);
	assert_false(back.complete);
	assert_in_range(back.duration_ms, 4000, 5100);
	pair_close(&p);
}

/* ---- with the engine's own threads ---- */
static struct loop *loop;

static void over_on_loop(struct recorder *r, const struct recorder_result *result, void *arg)
{
	over(r, result, arg);
	media_port_close(p.b.port);
}

static void real_event(struct media_port *port, const struct media_event *ev, void *arg)
{
	(void)arg;
	assert_true(loop_here(loop));
	if (rec)
		recorder_event(rec, ev);
	if (ev->type == MEDIA_DIGIT && rec)
		recorder_stop(rec, REC_STOPPED);
	if (ev->type == MEDIA_PLAY_ENDED && !ev->stopped)
		assert_int_equal(media_send_digits(port, "#", 60, 60), 0);
	if (ev->type == MEDIA_CLOSED)
		loop_stop(loop);
}

static void real_port(struct media_port **pp)
{
	struct net_addr local;
	net_addr_parse(&local, TEXT("127.0.0.1"), 0);
	assert_int_equal(media_port_open(pp, p.engine, &(struct media_port_prm){ .local = &local, .handler = real_event }, NULL), 0);
}

static void real_stream(struct media_port *port, const struct media_port *to)
{
	struct media_stream st = { .remote = media_port_addr(to), .dtmf_pt = 101, .send = true, .recv = true };
	assert_int_equal(media_port_start(port, &st), 0);
}

static void a_file_is_written_by_the_file_threads(void **state)
{
	(void)state;
	struct media_clip *clip = pair_clip(pcm, 8 * 400, 2);
	struct media_engine_prm ep = { .clock = clock_system(), .threads = 1 };
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	ep.loop = loop;
	assert_int_equal(media_engine_create(&p.engine, &ep, NULL), 0);
	real_port(&p.a.port);
	real_port(&p.b.port);
	real_stream(p.a.port, p.b.port);
	real_stream(p.b.port, p.a.port);
	told = 0;
	struct recorder_prm prm = { .port = p.b.port, .dir = ut_tmpdir(), .clock = clock_system(), .max_ms = 10000, .silence_ms = 5000,
		.handler = over_on_loop, .arg = &told };
	assert_int_equal(recorder_start(&rec, &prm, NULL), 0);
	assert_int_equal(media_play(p.a.port, &clip, 1, NULL), 0);
	mem_unref(clip);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(told, 1);
	assert_int_equal(res.end, REC_STOPPED);
	assert_int_equal(recording_read(path, &info, NULL), 0);
	assert_true(info.complete);
	assert_true(info.duration_ms >= 400 && info.duration_ms < 3000);
	media_engine_destroy(p.engine);
	loop_destroy(loop);
}

/* ---- after a crash ---- */
static unsigned found;
static struct spool_info found_info;
static void on_found(const char *where, const struct spool_info *i, void *arg)
{
	(void)arg;
	found++;
	found_info = *i;
	snprintf(path, sizeof path, "%s", where);
}

/* The process vanishes while the caller speaks: what the disk has then is copied away and looked at by the next start. */
static void what_was_cut_off_is_found_and_marked(void **state)
{
	(void)state;
	const char *dir = ut_tmpdir(), *after = ut_tmpdir();
	char command[256];
	begin(dir, (struct recorder_prm){ 0 });
	speak(6000);
	pair_run(&p, 6500);
	snprintf(command, sizeof command, "cp %s/*.spool %s/ && echo rubbish > %s/x.spool && touch %s/other", dir, after, after, after);
	assert_int_equal(system(command), 0);
	pair_close(&p);
	found = 0;
	assert_int_equal(recorder_recover(after, NULL, on_found, NULL), 0);
	assert_int_equal(found, 1);
	assert_false(found_info.complete);
	assert_string_equal(found_info.mailbox, "4711");
	assert_in_range(found_info.duration_ms, 6000, 6200); /* three blocks: nothing older than two seconds is missing */
	struct stat st;
	snprintf(command, sizeof command, "%s/x.spool.bad", after);
	assert_int_equal(stat(command, &st), 0);
	found = 0; /* found again while nobody stored it; still cut */
	assert_int_equal(recorder_recover(after, NULL, on_found, NULL), 0);
	assert_int_equal(found, 1);
	assert_false(found_info.complete);
	assert_int_equal(recorder_recover("/nonexistent", NULL, on_found, NULL), 0);
}

static void too_short_a_piece_is_not_kept(void **state)
{
	(void)state;
	const char *dir = ut_tmpdir(), *after = ut_tmpdir();
	char command[256];
	begin(dir, (struct recorder_prm){ 0 });
	pair_run(&p, 1500); /* no block written yet */
	snprintf(command, sizeof command, "cp %s/*.spool %s/", dir, after);
	assert_int_equal(system(command), 0);
	pair_close(&p);
	found = 0;
	assert_int_equal(recorder_recover(after, NULL, on_found, NULL), 0);
	assert_int_equal(found, 0);
	snprintf(command, sizeof command, "test -z \"$(ls %s)\"", after);
	assert_int_equal(system(command), 0);
}

UT_MAIN(UT(silence_ends_and_is_trimmed), UT(nobody_speaks), UT(a_key_stops_it), UT(the_longest_time), UT(a_closed_port_is_a_hang_up_and_keeps_it), UT(a_wide_recording_says_so),
	UT(a_folder_that_cannot_be_made_ends_it_at_once), UT(a_disk_that_fails_later_leaves_what_was_written),
	UT(a_file_is_written_by_the_file_threads),
	UT(what_was_cut_off_is_found_and_marked), UT(too_short_a_piece_is_not_kept))
