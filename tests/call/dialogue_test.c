/* SPDX-License-Identifier: Apache-2.0 */
/* Whole calls: a caller on one core, the conversations of the other, real audio between them, a real mailbox and directory behind them. What
 * is stored, and what is heard, is compared with what was said.                                                        */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>
#include "base/mem.h"
#include "call/rig.h"
#include "dialogue/service.h"
#include "directory/pin.h"
#include "mailbox/mbox.h"
#include "media/g711.h"
#include "support/audio.h"
#include "unit/dialogue/world.h"
#include "voice/name.h"
#include "voice/languages.h"
#include "voice/speech.h"

struct site {
	struct rig r;
	struct store *store;
	struct pool *files;
	struct mbox *mbox;
	struct dir *dir;
	struct languages *languages;
	struct speech *speech;
	struct voice_names *names;
	struct dlg_service *calls;
	char url[300], spool[300], recordings[300];
	struct cfg *cfg;
	/* of the last list */
	struct mbox_message m[4];
	size_t n;
	uint8_t audio[200000];
	size_t n_audio;
	bool came;
};

/* ---- the site ---- */
static void open_calls(struct site *s)
{
	struct dlg_service_prm prm = { .loop = s->r.loop, .clock = &s->r.clock.clock, .cfg = s->cfg, .dir = s->dir, .mbox = s->mbox, .media = s->r.engine,
		                       .languages = s->languages, .names = s->names, .files = s->files, .spool_dir = s->recordings };
	assert_int_equal(dlg_service_create(&s->calls, &prm, NULL), 0);
	dlg_service_recover(s->calls);
}

static void pass(struct site *s, int64_t ms);

static void pin_there(int err, enum dir_pin_rule rule, const struct ev_report *why, void *arg)
{
	(void)rule, (void)why;
	assert_int_equal(err, 0);
	((struct site *)arg)->came = true;
}

static void applied(int err, int64_t revision, const struct ev_report *why, void *arg)
{
	(void)revision, (void)why;
	assert_int_equal(err, 0);
	((struct site *)arg)->came = true;
}

static void until_came(struct site *s)
{
	for (int i = 0; i < 500 && !s->came; i++)
		pass(s, 20);
	assert_true(s->came);
	s->came = false;
}

static void open_directory(struct site *s)
{
	struct dir_prm prm = { .store = s->store, .loop = s->r.loop, .crypto = s->files, .clock = clock_system(), .node = "n1", .poll_ms = 1000000, .cheap_hash = true };
	assert_int_equal(dir_create(&s->dir, &prm), 0);
	assert_int_equal(dir_apply(s->dir, s->cfg, applied, s), 0);
	until_came(s);
	struct dir_view *v = dir_view(s->dir);
	assert_int_equal(dir_pin_set(s->dir, dir_find_name(v, TEXT("alice")), TEXT("482915"), false, pin_there, s, NULL), 0);
	until_came(s);
	dir_view_unref(v);
}

static void open_site(struct site *s, const char *url)
{
	memset(s, 0, sizeof(*s));
	rig_open(&s->r, NET_TCP, false);
	s->r.side[B].auto_answer = false;
	s->cfg = world_cfg();
	assert_int_equal(pool_create(&s->files, s->r.loop, "files", 1, 64), 0);
	snprintf(s->url, sizeof(s->url), "%s", url ? url : "");
	if (!url)
		snprintf(s->url, sizeof(s->url), "sqlite:%s/m.db", ut_tmpdir());
	snprintf(s->spool, sizeof(s->spool), "%s/spool", ut_tmpdir());
	snprintf(s->recordings, sizeof(s->recordings), "%s/rec", ut_tmpdir());
	struct store_prm sp = { .url = s->url, .loop = s->r.loop, .clock = clock_system(), .may_be_away = true };
	assert_int_equal(store_open(&s->store, &sp, NULL), 0);
	struct mbox_prm mp = { .store = s->store, .loop = s->r.loop, .files = s->files, .clock = clock_system(), .spool_dir = s->spool };
	assert_int_equal(mbox_create(&s->mbox, &mp, NULL), 0);
	open_directory(s);
	assert_int_equal(languages_open(&s->languages, &(struct prompt_set_prm){ 0 }, NULL, 0, NULL), 0);
	assert_int_equal(speech_create(&s->speech, &(struct speech_prm){ .loop = s->r.loop, .answer_ms = 600000 }), 0);
	speech_start(s->speech);
	struct speech_about a = { 0 };
	for (unsigned i = 0; a.state != SPEECH_UP && i < 20000; i++) {
		rig_run(&s->r, 5);
		usleep(1000);
		speech_about(s->speech, &a);
	}
	assert_int_equal(a.state, SPEECH_UP);
	assert_int_equal(voice_names_create(&s->names, s->speech, NULL, 32), 0);
	open_calls(s);
}

static void close_site(struct site *s)
{
	dlg_service_destroy(s->calls);
	voice_names_destroy(s->names);
	speech_destroy(s->speech);
	mbox_destroy(s->mbox);
	dir_destroy(s->dir);
	store_close(s->store);
	pool_destroy(s->files);
	languages_close(s->languages);
	rig_close(&s->r);
	cfg_unref(s->cfg);
}

/* ---- what the caller does ---- */
/* The disk keeps its own time: where it is waited for, the tests' clock goes only about ten times as fast. */
static void pass(struct site *s, int64_t ms)
{
	for (int64_t i = 0; i < ms; i += 5) {
		rig_run(&s->r, 5);
		usleep(400);
	}
}

static char state[160];

static void note_state(const struct dlg_call_info *c, void *arg)
{
	(void)arg;
	snprintf(state, sizeof(state), "%s", c->state);
}

static void print_steps(const struct dlg_call_info *c, void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < c->n_steps; i++)
		print_message("  %6lld %s\n", (long long)c->steps[i].at_ms, c->steps[i].text);
}

static bool until_state(struct site *s, const char *want, int64_t max_ms)
{
	for (int64_t ms = 0; ms <= max_ms; ms += 20) {
		state[0] = '\0';
		dlg_service_calls(s->calls, false, note_state, NULL);
		if (strcmp(state, want) == 0)
			return true;
		pass(s, 20);
	}
	print_message("wanted state '%s', is '%s'\n", want, state);
	dlg_service_calls(s->calls, true, print_steps, NULL);
	return false;
}

static bool until_over(struct site *s, const char *words)
{
	/* the receipt waits for the disk: slower still, so that a busy machine is not taken for a store that is away */
	for (int i = 0; i < 4000 && !strstr(s->r.side[A].log, words); i++) {
		rig_run(&s->r, 5);
		usleep(2000);
	}
	return rig_until(&s->r, A, words, 0);
}

static void call(struct site *s, const char *number)
{
	if (s->r.side[A].port)
		media_port_close(s->r.side[A].port);
	while (s->r.side[A].port)
		rig_run(&s->r, 20);
	rig_forget(&s->r.side[A]);
	rig_forget(&s->r.side[B]);
	rig_call(&s->r, A, number);
	assert_true(rig_until(&s->r, B, "offered", 2000));
	dlg_service_offer(s->calls, s->r.side[B].leg);
	s->r.side[B].leg = mem_unref(s->r.side[B].leg);
}

static void keys(struct site *s, const char *k)
{
	assert_int_equal(media_send_digits(s->r.side[A].port, k, 100, 60), 0);
	rig_run(&s->r, 160 * (int64_t)strlen(k) + 100);
}

enum { SPOKEN_MS = 4000, SPOKEN = SPOKEN_MS * 8 };
static int16_t spoken[SPOKEN];

static void speak(struct site *s)
{
	struct media_clip *clip;
	audio_make(spoken, SPOKEN, 7);
	assert_int_equal(media_clip_from_l16(&clip, spoken, SPOKEN), 0);
	assert_int_equal(media_play(s->r.side[A].port, &clip, 1, NULL), 0);
	mem_unref(clip);
	rig_run(&s->r, SPOKEN_MS + 200);
}

static void hang_up(struct site *s)
{
	leg_hangup(s->r.side[A].leg, NULL);
}

static void all_over(struct site *s)
{
	for (int i = 0; i < 500 && dlg_service_count(s->calls); i++)
		pass(s, 20);
	assert_int_equal(dlg_service_count(s->calls), 0);
}

static void leave(struct site *s)
{
	call(s, "201");
	assert_true(until_state(s, "recorder: record", 20000));
	speak(s);
	hang_up(s);
	assert_true(until_over(s, "over:we hung up:200"));
	all_over(s);
}

/* ---- what is stored ---- */
static void on_list(int err, const struct mbox_message *v, size_t n, const struct ev_report *why, void *arg)
{
	struct site *s = arg;
	(void)why;
	assert_int_equal(err, 0);
	s->n = n;
	for (size_t i = 0; i < n && i < 4; i++)
		s->m[i] = v[i];
	s->came = true;
}

static void on_audio(int err, enum mbox_codec codec, const uint8_t *p, size_t n, const struct ev_report *why, void *arg)
{
	struct site *s = arg;
	(void)codec, (void)why;
	assert_int_equal(err, 0);
	s->n_audio = n < sizeof(s->audio) ? n : sizeof(s->audio);
	memcpy(s->audio, p, s->n_audio);
	s->came = true;
}

static void list_messages(struct site *s)
{
	assert_int_equal(mbox_list(s->mbox, "alice", -1, MBOX_OLDEST_FIRST, on_list, s, NULL), 0);
	until_came(s);
}

static double likeness(const uint8_t *ulaw, size_t n)
{
	int16_t *pcm = mem_zalloc(n ? n : 1, sizeof(*pcm));
	g711_decode(MEDIA_PCMU, pcm, ulaw, n);
	struct audio_match m = audio_compare(spoken, SPOKEN, pcm, n, 32000);
	mem_free(pcm);
	return m.correlation;
}

static void message_is_left_and_is_what_was_said(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	leave(&s);
	list_messages(&s);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.m[0].mailbox, "alice");
	assert_string_equal(s.m[0].caller_number, "alice");
	assert_in_range(s.m[0].duration_ms, SPOKEN_MS - 100, SPOKEN_MS + 2000);
	assert_int_equal(mbox_get_audio(s.mbox, "alice", s.m[0].id, on_audio, &s, NULL), 0);
	until_came(&s);
	assert_true(likeness(s.audio, s.n_audio) > 0.9);
	close_site(&s);
}

/* The media thread gets no time for three quarters of a minute: no receipt, but the message is there as soon as the thread goes on. */
static void message_of_a_starved_machine_is_late_and_not_lost(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	call(&s, "201");
	assert_true(until_state(&s, "recorder: record", 20000));
	speak(&s);
	s.r.media_stands = true;
	hang_up(&s);
	assert_true(until_state(&s, "recorder: stop recording", 20000));
	rig_run(&s.r, 45000);
	assert_non_null(strstr(s.r.side[A].log, "over:we hung up:500"));
	list_messages(&s);
	assert_int_equal(s.n, 0);
	s.r.media_stands = false;
	for (int i = 0; i < 2000 && !s.n; i++) {
		pass(&s, 20);
		list_messages(&s);
	}
	assert_int_equal(s.n, 1);
	assert_int_equal(mbox_get_audio(s.mbox, "alice", s.m[0].id, on_audio, &s, NULL), 0);
	until_came(&s);
	assert_true(likeness(s.audio, s.n_audio) > 0.9);
	all_over(&s);
	close_site(&s);
}

static void owner_hears_it_by_phone_and_deletes_it(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	leave(&s);
	call(&s, "700");
	assert_true(until_state(&s, "entry: entry", 5000));
	keys(&s, "201#");
	keys(&s, "482915#");
	assert_true(until_state(&s, "subscriber: main menu", 5000));
	struct media_sink_mem heard;
	media_sink_mem_init(&heard, 4 << 20);
	assert_int_equal(media_record(s.r.side[A].port, &(struct media_record_prm){ .sink = &heard.sink, .format = MEDIA_PCMU }, NULL), 0);
	keys(&s, "1");
	assert_true(until_state(&s, "player: menu", 60000));
	media_record_stop(s.r.side[A].port);
	rig_run(&s.r, 500);
	assert_true(heard.bytes.n > SPOKEN);
	size_t from = heard.bytes.n > SPOKEN + 24000 ? heard.bytes.n - SPOKEN - 24000 : 0;
	assert_true(likeness(heard.bytes.p + from, heard.bytes.n - from) > 0.9);
	buf_free(&heard.bytes);
	list_messages(&s);
	assert_int_equal(s.m[0].state, MBOX_SAVED);
	keys(&s, "7");
	assert_true(until_state(&s, "subscriber: main menu", 5000));
	list_messages(&s);
	assert_int_equal(s.n, 0);
	keys(&s, "33");
	assert_true(until_over(&s, "over:the peer hung up"));
	all_over(&s);
	close_site(&s);
}

/* ---- a message that grows ---- */
static int grow_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	return db_exec(tx, why, "UPDATE message SET version = version + 1, grown = version + 1", "");
}

static void grown(enum store_result result, int err, const struct ev_report *why, void *arg)
{
	(void)why;
	assert_int_equal(result, STORE_DONE);
	assert_int_equal(err, 0);
	((struct site *)arg)->came = true;
}

/* Its rest came from another node while its owner heard the part: what he has not heard he cannot delete, and nobody tells him that he did. */
static void what_grew_while_he_heard_it_is_deleted_when_he_heard_it_all(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	leave(&s);
	call(&s, "700");
	assert_true(until_state(&s, "entry: entry", 5000));
	keys(&s, "201#");
	keys(&s, "482915#");
	assert_true(until_state(&s, "subscriber: main menu", 5000));
	keys(&s, "1");
	assert_true(until_state(&s, "player: play", 5000));
	assert_int_equal(store_submit(s.store, STORE_WRITE, grow_work, grown, &s), 0);
	until_came(&s);
	assert_true(until_state(&s, "player: menu", 60000));
	list_messages(&s);
	assert_int_equal(s.m[0].state, MBOX_NEW);
	keys(&s, "7");
	pass(&s, 500);
	assert_true(until_state(&s, "player: menu", 5000));
	list_messages(&s);
	assert_int_equal(s.n, 1);
	keys(&s, "11");
	assert_true(until_state(&s, "player: play", 5000));
	assert_true(until_state(&s, "player: menu", 60000));
	list_messages(&s);
	assert_int_equal(s.m[0].state, MBOX_SAVED);
	keys(&s, "7");
	assert_true(until_state(&s, "subscriber: main menu", 5000));
	list_messages(&s);
	assert_int_equal(s.n, 0);
	hang_up(&s);
	all_over(&s);
	close_site(&s);
}

/* ---- what the house says ---- */
static bool loud(const struct buf *heard)
{
	int16_t pcm;
	size_t n = 0;
	for (size_t i = 0; i < heard->n; i++) {
		g711_decode(MEDIA_PCMU, &pcm, heard->p + i, 1);
		n += pcm > 800 || pcm < -800;
	}
	return n > 800;
}

/* Who waits for the tone speaks behind it: there he is recorded, and hears meanwhile what he has to know. */
static void asked_to_finish_before_the_tone_he_is_recorded_behind_it(void **state_)
{
	(void)state_;
	struct site s;
	struct media_sink_mem heard;
	open_site(&s, NULL);
	for (unsigned seconds = 10; seconds <= 120; seconds += 110) {
		call(&s, "201");
		assert_true(until_state(&s, "recorder: tone", 20000));
		dlg_service_ask_to_finish(s.calls, seconds);
		assert_true(until_state(&s, "recorder: record", 2000)); /* the tone alone: the words are longer */
		media_sink_mem_init(&heard, 4 << 20);
		assert_int_equal(media_record(s.r.side[A].port, &(struct media_record_prm){ .sink = &heard.sink, .format = MEDIA_PCMU }, NULL), 0);
		speak(&s);
		media_record_stop(s.r.side[A].port);
		rig_run(&s.r, 200);
		assert_true(loud(&heard.bytes));
		buf_free(&heard.bytes);
		hang_up(&s);
		assert_true(until_over(&s, "over:we hung up:200"));
		all_over(&s);
	}
	close_site(&s);
}

static void attendant_puts_through(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	call(&s, "100");
	assert_true(until_state(&s, "main: menu", 5000));
	keys(&s, "203");
	assert_true(until_state(&s, "transfer: transferring", 20000));
	assert_true(rig_until(&s.r, A, "referred", 20000));
	assert_string_equal(s.r.side[A].last_target, "sip:203@example.com");
	leg_refer_progress(s.r.side[A].leg, 180);
	rig_run(&s.r, 500);
	assert_null(strstr(s.r.side[A].log, "over"));
	leg_refer_progress(s.r.side[A].leg, 200);
	assert_true(until_over(&s, "over:the peer hung up"));
	all_over(&s);
	close_site(&s);
}

static void transfer_refused_keeps_the_caller(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	call(&s, "100");
	assert_true(until_state(&s, "main: menu", 5000));
	keys(&s, "203");
	assert_true(until_state(&s, "transfer: transferring", 20000));
	assert_true(rig_until(&s.r, A, "referred", 20000));
	leg_refer_progress(s.r.side[A].leg, 486);
	assert_true(until_state(&s, "transfer: offer", 5000));
	keys(&s, "1");
	assert_true(until_state(&s, "recorder: record", 30000));
	speak(&s);
	keys(&s, "#");
	assert_true(until_state(&s, "answering: menu", 5000));
	keys(&s, "3");
	assert_true(until_over(&s, "over:the peer hung up"));
	all_over(&s);
	assert_int_equal(mbox_list(s.mbox, "carol", -1, MBOX_OLDEST_FIRST, on_list, &s, NULL), 0);
	until_came(&s);
	assert_int_equal(s.n, 1);
	close_site(&s);
}

static void nobody_called_is_404_and_drain_is_503(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	call(&s, "999");
	assert_true(until_over(&s, "over:"));
	assert_non_null(strstr(s.r.side[A].log, ":404"));
	dlg_service_drain(s.calls, true);
	call(&s, "201");
	assert_true(until_over(&s, "over:"));
	assert_non_null(strstr(s.r.side[A].log, ":503"));
	close_site(&s);
}

static char session[EV_SESSION_SIZE];

static void note_session(const struct dlg_call_info *c, void *arg)
{
	(void)arg;
	snprintf(session, sizeof(session), "%s", c->session);
}

static void hung_up_by_the_administrator_keeps_the_message(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	call(&s, "201");
	assert_true(until_state(&s, "recorder: record", 20000));
	speak(&s);
	assert_int_equal(dlg_service_end(s.calls, "no such call"), ENOENT);
	dlg_service_calls(s.calls, false, note_session, NULL);
	assert_int_equal(dlg_service_end(s.calls, session), 0);
	assert_true(until_over(&s, "over:the peer hung up"));
	all_over(&s);
	list_messages(&s);
	assert_int_equal(s.n, 1);
	close_site(&s);
}

/* The end of the server is the end of its calls, and what was said by then is kept. */
static void the_end_of_the_server_keeps_the_message(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	call(&s, "201");
	assert_true(until_state(&s, "recorder: record", 20000));
	speak(&s);
	dlg_service_calls(s.calls, false, note_session, NULL);
	assert_int_equal(dlg_service_end(s.calls, session), 0);
	all_over(&s);
	dlg_service_destroy(s.calls);
	open_calls(&s);
	list_messages(&s);
	assert_int_equal(s.n, 1);
	close_site(&s);
}

/* What lies on the disk while a caller speaks is what a crash leaves: another server makes a message of it. */
static void what_a_crash_cut_off_is_kept(void **state_)
{
	(void)state_;
	struct site s;
	char command[1000], kept[300];
	open_site(&s, NULL);
	call(&s, "201");
	assert_true(until_state(&s, "recorder: record", 20000));
	speak(&s);
	pass(&s, 1000);
	snprintf(kept, sizeof(kept), "%s/kept", ut_tmpdir());
	snprintf(command, sizeof(command), "cp -r %s %s", s.recordings, kept);
	assert_int_equal(system(command), 0);
	rig_run(&s.r, 100);
	dlg_service_calls(s.calls, false, note_session, NULL);
	keys(&s, "#");
	assert_true(until_state(&s, "answering: menu", 5000));
	keys(&s, "2"); /* thrown away by the caller himself */
	hang_up(&s);
	assert_true(until_over(&s, "over:"));
	all_over(&s);
	list_messages(&s);
	assert_int_equal(s.n, 0);
	dlg_service_destroy(s.calls);
	text_fill(s.recordings, sizeof(s.recordings), kept);
	open_calls(&s);
	assert_int_equal(dlg_service_waiting(s.calls), 1);
	for (int i = 0; i < 500 && dlg_service_waiting(s.calls); i++)
		pass(&s, 20);
	assert_int_equal(dlg_service_waiting(s.calls), 0);
	list_messages(&s);
	assert_int_equal(s.n, 1);
	assert_true(s.m[0].cut);
	assert_true(s.m[0].duration_ms >= 2000);
	dlg_service_destroy(s.calls); /* and only once */
	open_calls(&s);
	pass(&s, 1000);
	list_messages(&s);
	assert_int_equal(s.n, 1);
	close_site(&s);
}

static atomic_bool stuck;

static int wait_for_the_disk(void *arg)
{
	(void)arg;
	while (atomic_load(&stuck))
		usleep(1000);
	return 0;
}

static void nothing_done(enum pool_result result, int err, void *arg)
{
	(void)result, (void)err, (void)arg;
}

/* The recording is still to be read by a disk that hangs when the server ends: whoever comes back late finds nobody, and the file stays. */
static void end_of_the_server_does_not_wait_for_a_stuck_disk(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	call(&s, "201");
	assert_true(until_state(&s, "recorder: record", 20000));
	speak(&s);
	atomic_store(&stuck, true);
	assert_int_equal(pool_submit(s.files, wait_for_the_disk, nothing_done, NULL), 0);
	hang_up(&s);
	assert_true(until_state(&s, "answering: saving", 5000));
	dlg_service_destroy(s.calls);
	s.calls = NULL;
	atomic_store(&stuck, false);
	for (int i = 0; i < 5000 && pool_depth(s.files); i++)
		pass(&s, 20);
	open_calls(&s);
	for (int i = 0; i < 2000 && !s.n; i++) {
		pass(&s, 20);
		list_messages(&s);
	}
	assert_int_equal(s.n, 1);
	close_site(&s);
}

static void let_go(struct site *s)
{
	atomic_store(&stuck, false);
	for (int i = 0; i < 100 && pool_depth(s->files); i++)
		pass(s, 20);
	pass(s, 500);
}

static void hold_the_disk(struct site *s)
{
	atomic_store(&stuck, true);
	assert_int_equal(pool_submit(s->files, wait_for_the_disk, nothing_done, NULL), 0);
}

static size_t messages_of(struct site *s, const char *mailbox)
{
	assert_int_equal(mbox_list(s->mbox, mailbox, -1, MBOX_OLDEST_FIRST, on_list, s, NULL), 0);
	until_came(s);
	return s->n;
}

/* The caller was told that nothing was saved; the message comes nevertheless, and once. */
static void saved_too_late_is_saved_once(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	call(&s, "201");
	assert_true(until_state(&s, "recorder: record", 20000));
	speak(&s);
	keys(&s, "#");
	assert_true(until_state(&s, "answering: menu", 5000));
	hold_the_disk(&s);
	keys(&s, "#");
	assert_true(until_state(&s, "answering: saving", 2000));
	rig_run(&s.r, 24000);
	assert_true(until_state(&s, "answering: goodbye", 5000));
	assert_true(until_over(&s, "over:the peer hung up"));
	assert_int_equal(messages_of(&s, "alice"), 0);
	let_go(&s);
	all_over(&s);
	assert_int_equal(messages_of(&s, "alice"), 1);
	dlg_service_destroy(s.calls);
	open_calls(&s);
	pass(&s, 1000);
	assert_int_equal(messages_of(&s, "alice"), 1);
	close_site(&s);
}

/* Whoever is told that it was not sent sends it again: the first one must not come after that. */
static void not_sent_in_time_is_not_sent_later(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	call(&s, "700");
	assert_true(until_state(&s, "entry: entry", 5000));
	keys(&s, "201#");
	keys(&s, "482915#");
	assert_true(until_state(&s, "subscriber: main menu", 5000));
	for (int again = 0; again < 2; again++) {
		keys(&s, "5");
		assert_true(until_state(&s, "entry: entry", 5000));
		keys(&s, "203#");
		assert_true(until_state(&s, "send: recipient added", 5000));
		keys(&s, "#");
		assert_true(until_state(&s, "recorder: record", 20000));
		speak(&s);
		keys(&s, "#");
		assert_true(until_state(&s, "send: review", 5000));
		if (!again)
			hold_the_disk(&s);
		keys(&s, "1");
		if (!again) {
			assert_true(until_state(&s, "send: send", 2000));
			rig_run(&s.r, 58000);
		}
		assert_true(until_state(&s, "subscriber: main menu", 10000));
		let_go(&s);
		assert_int_equal(messages_of(&s, "carol"), again);
	}
	hang_up(&s);
	assert_true(until_over(&s, "over:"));
	all_over(&s);
	close_site(&s);
}

static void hang_up_at_any_moment_frees_everything(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	for (int ms = 0; ms < 24000; ms += 2170) {
		call(&s, "201");
		rig_run(&s.r, ms);
		hang_up(&s);
		assert_true(until_over(&s, "over:"));
		all_over(&s);
	}
	close_site(&s);
}

static unsigned n_shown, n_steps;

static void show(const struct dlg_call_info *c, void *arg)
{
	(void)arg;
	n_shown++;
	n_steps = c->n_steps;
	assert_true(c->over);
	assert_string_equal(c->object, "alice");
	assert_string_equal(c->state, "message left, caller hung up");
}

static void calls_are_remembered_step_by_step(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	leave(&s);
	dlg_service_calls(s.calls, true, show, NULL);
	assert_int_equal(n_shown, 1);
	assert_true(n_steps >= 8);
	close_site(&s);
}

static void calls_hung_up_soon(struct site *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		call(s, "201");
		hang_up(s);
		assert_true(until_over(s, "over:"));
		all_over(s);
	}
	rig_run(&s->r, 40000); /* until the transactions are gone, too */
}

/* A leak shows when everything is closed; what only grows does not. */
static void what_calls_leave_behind_has_an_end(void **state_)
{
	(void)state_;
	struct site s;
	open_site(&s, NULL);
	calls_hung_up_soon(&s, DLG_HISTORY + 2);
	size_t blocks = mem_live(), bytes = mem_live_bytes();
	calls_hung_up_soon(&s, 100);
	/* half a block a call, half a kilobyte: the helper for speech, which starts when it likes, has its few, too */
	assert_in_range(mem_live(), 0, blocks + 50);
	assert_in_range(mem_live_bytes(), 0, bytes + 50000);
	close_site(&s);
}

UT_MAIN(UT(what_calls_leave_behind_has_an_end), UT(message_is_left_and_is_what_was_said), UT(message_of_a_starved_machine_is_late_and_not_lost), UT(owner_hears_it_by_phone_and_deletes_it),
        UT(what_grew_while_he_heard_it_is_deleted_when_he_heard_it_all), UT(asked_to_finish_before_the_tone_he_is_recorded_behind_it), UT(attendant_puts_through),
        UT(transfer_refused_keeps_the_caller), UT(nobody_called_is_404_and_drain_is_503), UT(hung_up_by_the_administrator_keeps_the_message), UT(the_end_of_the_server_keeps_the_message),
        UT(what_a_crash_cut_off_is_kept), UT(saved_too_late_is_saved_once), UT(not_sent_in_time_is_not_sent_later), UT(end_of_the_server_does_not_wait_for_a_stuck_disk),
        UT(hang_up_at_any_moment_frees_everything), UT(calls_are_remembered_step_by_step))
