/* SPDX-License-Identifier: Apache-2.0 */
/* calltest.c  Runs a script against a call. One step at a time: step_begin() starts it, events and a poll a tenth of a second end it by
 * step_end(). A transfer opens a second side, on which the script goes on. When the script is over the call is hung up, the recordings are
 * written, and the loop stops.                                                                                         */
#include "cli/calltest.h"
#include <errno.h>
#include "base/mem.h"
#include "cli/calltest_private.h"
#include "cli_events.h"
#include "voice/wav.h"

enum { POLL_MS = 100, QUIET_MS = 700, QUIET_RMS = 120, WHOLE_MS = 180000, CLOSE_MS = 4000 };

static void step_begin(struct calltest *ct);
static void finish(struct calltest *ct);

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

static const struct calltest_step *step_of(const struct calltest *ct)
{
	return ct->stepping && ct->at < ct->script->n ? &ct->script->step[ct->at] : NULL;
}

static void step_end(struct calltest *ct, bool ok, const char *detail)
{
	const struct calltest_step *st = step_of(ct);
	int64_t took = now_ms() - ct->step_ms;
	if (!st)
		return;
	tmr_cancel(&ct->limit);
	ct->stepping = false;
	json_array_append_new(ct->steps, json_pack("{s:s, s:b, s:I, s:s}", "step", st->text, "ok", ok, "ms", (json_int_t)took, "detail", detail));
	if (ct->prm->progress)
		ct->prm->progress(st->text, ok, took, detail, ct->prm->arg);
	ct->at++;
	if (!ok) {
		ct->failed = true;
		finish(ct);
	} else {
		step_begin(ct);
	}
}

static void too_late(void *arg)
{
	struct calltest *ct = arg;
	char detail[400];
	const struct side *s = ct->now;
	text_print(detail, sizeof detail, "it did not happen in time%s%s", s->over ? "; the call is over: " : s->up ? "" : "; the call was never answered", s->over ? s->reason : "");
	step_end(ct, false, detail);
}

/* ---- listening ---- */
static bool quiet_now(struct side *s, size_t from)
{
	enum { QUIET = QUIET_MS * MEDIA_RATE / 1000, BLOCK = MEDIA_RATE / 50 };
	bool quiet = false, spoken = false;
	pthread_mutex_lock(&s->ear.lock);
	const int16_t *pcm = (const int16_t *)(const void *)s->ear.pcm.p;
	size_t n = s->ear.pcm.n / 2, last_loud = 0;
	for (size_t i = from; i + BLOCK <= n; i += BLOCK) {
		int64_t power = 0;
		for (size_t k = i; k < i + BLOCK; k++)
			power += (int64_t)pcm[k] * pcm[k];
		if (power > (int64_t)QUIET_RMS * QUIET_RMS * BLOCK) {
			spoken = true;
			last_loud = i + BLOCK;
		}
	}
	quiet = spoken && n - last_loud >= QUIET;
	pthread_mutex_unlock(&s->ear.lock);
	return quiet;
}

static bool expects(const struct calltest_step *st)
{
	return st && (st->kind == CT_EXPECT || st->kind == CT_EXPECT_SOUND);
}

/* Ends the step if the sound that it waits for has been heard on this side. */
static bool heard_on(struct calltest *ct, struct side *s)
{
	char detail[160], gaps[60] = "";
	struct match_found f = { 0 };
	size_t have = ear_samples(&s->ear);
	if (!ct->sound.n || have == s->looked)
		return false;
	s->looked = have;
	bool found = ear_heard(&s->ear, s->searched, &ct->sound, &f);
	s->searched = found ? f.end : f.at;
	if (!found)
		return false;
	ct->gaps_ms += f.gaps_ms;
	if (f.gaps_ms)
		text_print(gaps, sizeof gaps, ", gaps of %u ms in it", f.gaps_ms);
	text_print(detail, sizeof detail, "heard %.1f s into the call, likeness %.2f%s", (double)f.at / MEDIA_RATE, f.likeness, gaps);
	step_end(ct, true, detail);
	return true;
}

static void poll_ear(void *arg);

static void poll_later(struct calltest *ct)
{
	ct->poll_due_ms = now_ms() + POLL_MS;
	tmr_start(ct->loop, &ct->poll, POLL_MS, poll_ear, ct);
}

static void poll_ear(void *arg)
{
	struct calltest *ct = arg;
	const struct calltest_step *st = step_of(ct);
	if (now_ms() - ct->poll_due_ms > ct->late_ms)
		ct->late_ms = now_ms() - ct->poll_due_ms;
	if (!ct->ending)
		poll_later(ct);
	if (!st || !ct->now->port)
		return;
	if (st->kind == CT_WAIT_SILENCE && quiet_now(ct->now, ct->step_mark))
		step_end(ct, true, "");
	else if (expects(st))
		(void)heard_on(ct, ct->now);
}

/* What is heard comes a second at a time. So the last of it, and with it the last chance of a sound that is waited for, comes after the
 * call is over, or after it was transferred. */
static void ear_ended(struct calltest *ct, struct side *s)
{
	char detail[320];
	s->ear_ended = true;
	if (!expects(step_of(ct)) || heard_on(ct, s) || s != ct->now || !s->over)
		return;
	text_print(detail, sizeof detail, "the call ended meanwhile: %s", s->reason);
	step_end(ct, false, detail);
}

/* ---- steps that need preparation ---- */
static const char *load_prompt(struct calltest *ct, const char *name)
{
	struct prompt_set_prm prm = { .pack = ct->prm->prompts };
	if (!ct->prompts && prompt_set_open(&ct->prompts, &prm, NULL))
		return "the prompts could not be loaded";
	struct media_clip *clip = prompt_clip(ct->prompts, name);
	if (!clip)
		return "there is no prompt of that name";
	size_t n;
	int16_t *pcm = clip_pcm(clip, &n);
	if (pcm)
		match_prepare(&ct->sound, pcm, n);
	return pcm ? NULL : "no memory";
}

static const char *load_sound(struct calltest *ct, const char *path)
{
	int16_t *pcm = NULL;
	size_t n;
	int err = wav_read(path, &pcm, &n);
	if (!err)
		match_prepare(&ct->sound, pcm, n);
	return err ? strerror(err) : NULL;
}

static const char *play_file(struct calltest *ct, const char *path)
{
	struct media_clip *clip = NULL;
	int16_t *pcm = NULL;
	size_t n;
	int err = wav_read(path, &pcm, &n);
	if (!err)
		err = media_clip_from_l16(&clip, pcm, n);
	mem_free(pcm);
	if (!err)
		err = media_play(ct->now->port, &clip, 1, &ct->play_id);
	mem_unref(clip);
	return err ? strerror(err) : NULL;
}

static const char *press(struct calltest *ct, const char *keys)
{
	int err = media_send_digits(ct->now->port, keys, 0, 0);
	return err == ENOTSUP ? "the other side takes no telephone-events" : err == EINVAL ? "only 0-9 * # A-D and commas are keys" : err ? strerror(err) : NULL;
}

static const char *press_info(struct calltest *ct, const char *keys)
{
	int err = 0;
	for (const char *k = keys; *k && !err; k++)
		err = leg_send_info_digit(ct->now->leg, *k, 100);
	return err ? strerror(err) : NULL;
}

/* Writes what runs; the file holds what was heard since its step. */
static int write_record(struct side *s)
{
	int err = s->record[0] ? ear_write(&s->ear, s->ear.mark, SIZE_MAX, s->record) : 0;
	s->record[0] = '\0';
	return err;
}

static const char *start_record(struct side *s, const char *path)
{
	int err = write_record(s);
	text_fill(s->record, sizeof s->record, path);
	s->ear.mark = ear_samples(&s->ear);
	return err ? strerror(err) : NULL;
}

static void waited(void *arg)
{
	step_end(arg, true, "");
}

/* Starts the current step. Gives NULL, or what is wrong; *now: it is over already. */
static const char *start_step(struct calltest *ct, const struct calltest_step *st, bool *now)
{
	struct side *s = ct->now;
	switch (st->kind) {
	case CT_EXPECT_ANSWER:
		*now = s->up;
		return NULL;
	case CT_WAIT:
	case CT_WAIT_SILENCE:
		return NULL;
	case CT_EXPECT:
	case CT_EXPECT_SOUND:
		match_free(&ct->sound);
		ct->side[0].looked = ct->side[1].looked = 0;
		return st->kind == CT_EXPECT ? load_prompt(ct, st->arg) : load_sound(ct, st->arg);
	case CT_PRESS:
		return press(ct, st->arg);
	case CT_PRESS_INFO:
		*now = true;
		return press_info(ct, st->arg);
	case CT_PLAY:
		return play_file(ct, st->arg);
	case CT_RECORD:
		*now = true;
		return start_record(s, st->arg);
	case CT_RECORD_STOP:
		media_record_stop(s->port); /* what is still on its way to the ear comes with MEDIA_REC_ENDED */
		return NULL;
	case CT_EXPECT_TRANSFER:
		*now = ct->referred && ct->side[1].up;
		return NULL;
	case CT_EXPECT_BYE:
		*now = s->over && s->by_peer;
		return NULL;
	case CT_HANGUP:
		*now = s->over;
		return s->over || leg_hangup(s->leg, NULL) == 0 ? NULL : "the call cannot be ended";
	}
	return "no such step";
}

static void step_begin(struct calltest *ct)
{
	if (ct->ending)
		return;
	if (ct->at >= ct->script->n) {
		finish(ct);
		return;
	}
	const struct calltest_step *st = &ct->script->step[ct->at];
	bool now = false;
	ct->stepping = true;
	ct->step_ms = now_ms();
	ct->step_mark = ct->now->port ? ear_samples(&ct->now->ear) : 0;
	char detail[300];
	text_print(detail, sizeof detail, "the call is over: %s", ct->now->reason);
	if (ct->now->over && !expects(st) && st->kind != CT_EXPECT_BYE && st->kind != CT_HANGUP && st->kind != CT_EXPECT_TRANSFER && st->kind != CT_RECORD_STOP) {
		step_end(ct, false, detail);
		return;
	}
	const char *wrong = start_step(ct, st, &now);
	if (wrong || now)
		step_end(ct, !wrong, wrong ? wrong : "");
	else if (expects(st) && ct->now->over && ct->now->ear_ended) {
		if (!heard_on(ct, ct->now)) /* all that was said is known */
			step_end(ct, false, detail);
	}
	else if (st->within_ms)
		tmr_start(ct->loop, &ct->limit, st->within_ms, st->kind == CT_WAIT ? waited : too_late, ct);
}

/* ---- the end ---- */
static void stop(void *arg)
{
	struct calltest *ct = arg;
	loop_stop(ct->loop);
}

static void maybe_stop(struct calltest *ct)
{
	for (int i = 0; i < 2; i++)
		if (ct->side[i].port || (ct->side[i].leg && !ct->side[i].over))
			return;
	stop(ct);
}

static void close_side(struct side *s)
{
	if (s->leg && !s->over) {
		if (!s->up)
			leg_cancel(s->leg);
		else
			leg_hangup(s->leg, NULL);
	}
	if (s->port && (s->over || !s->leg))
		media_port_close(s->port);
}

static void finish(struct calltest *ct)
{
	if (ct->ending)
		return;
	ct->ending = true;
	tmr_cancel(&ct->limit);
	tmr_cancel(&ct->poll);
	for (int i = 0; i < 2; i++)
		close_side(&ct->side[i]);
	tmr_start(ct->loop, &ct->whole, CLOSE_MS, stop, ct);
	maybe_stop(ct);
}

static void out_of_time(void *arg)
{
	struct calltest *ct = arg;
	if (step_of(ct))
		step_end(ct, false, "the time for the whole test is over");
	ct->failed = true;
	finish(ct);
}

/* ---- media ---- */
static void on_media(struct media_port *port, const struct media_event *ev, void *arg)
{
	struct side *s = arg;
	struct calltest *ct = s->ct;
	const struct calltest_step *st = s == ct->now ? step_of(ct) : NULL;
	struct media_record_prm rp = { .sink = &s->ear.sink, .format = MEDIA_L16 };
	switch (ev->type) {
	case MEDIA_PLAY_ENDED:
		if (st && st->kind == CT_PLAY && ev->id == ct->play_id)
			step_end(ct, !ev->stopped, ev->stopped ? "the call ended meanwhile" : "");
		break;
	case MEDIA_DIGITS_SENT:
		if (st && st->kind == CT_PRESS)
			step_end(ct, true, "");
		break;
	case MEDIA_REC_ENDED:
		if (ct->ending || s->over || !st || st->kind != CT_RECORD_STOP) {
			(void)write_record(s);
			if (!ct->ending)
				ear_ended(ct, s);
			break;
		}
		int err = write_record(s);
		if (!err)
			err = media_record(port, &rp, &s->rec_id);
		step_end(ct, !err, err ? strerror(err) : "");
		break;
	case MEDIA_CLOSED:
		media_port_stats(port, &s->stats);
		s->port = NULL;
		if (ct->ending)
			maybe_stop(ct);
		break;
	default:
		break;
	}
}

/* ---- the call ---- */
static void on_leg(struct leg *leg, const struct leg_event *ev, void *arg);

static void follow(struct calltest *ct, const struct leg_event *ev)
{
	struct side *s = &ct->side[1];
	struct leg_call_prm prm = { .uri = ev->target, .from_user = ct->prm->from_user ? ct->prm->from_user : "umbel-test", .referred_by = ev->referred_by,
		                    .h = on_leg, .arg = s };
	struct ev_report why = { 0 };
	ct->referred = true;
	text_fill(ct->heard_target, sizeof ct->heard_target, ev->target);
	int err = s->leg ? EBUSY : side_open(ct, s, on_media, &why);
	if (!err)
		err = leg_call(&s->leg, ct->core, ct->peer, &prm, s->port, &why);
	leg_refer_progress(ct->side[0].leg, err ? 503 : 100);
	if (err)
		s->over = true;
}

static void answered(struct calltest *ct, struct side *s)
{
	const struct calltest_step *st = step_of(ct);
	char detail[300];
	s->up = true;
	s->srtp = media_port_srtp(s->port);
	if (s == &ct->side[1]) {
		leg_refer_progress(ct->side[0].leg, 200);
		(void)write_record(&ct->side[0]);
		ct->now = s;
	}
	if (st && st->kind == CT_EXPECT_ANSWER)
		step_end(ct, true, "");
	else if (st && st->kind == CT_EXPECT_TRANSFER && s == &ct->side[1]) {
		text_print(detail, sizeof detail, "to %s", ct->heard_target);
		step_end(ct, true, detail);
	}
}

static void over(struct calltest *ct, struct side *s, const struct leg_event *ev)
{
	const struct calltest_step *st = step_of(ct);
	s->over = true;
	s->by_peer = s->by_peer || ev->end == LEG_END_PEER;
	s->status = ev->status;
	text_print(s->reason, sizeof s->reason, "%s%s%.0d%s%.100s", leg_end_name(ev->end), ev->status ? ", " : "", ev->status, ev->reason[0] ? " " : "", ev->reason);
	if (s == &ct->side[1] && !s->up && ct->side[0].leg)
		leg_refer_progress(ct->side[0].leg, ev->status >= 300 ? ev->status : 503);
	if (s->port)
		media_port_close(s->port);
	if (ct->ending) {
		maybe_stop(ct);
		return;
	}
	if (s != ct->now || !st)
		return;
	if (st->kind == CT_EXPECT_BYE)
		step_end(ct, s->by_peer, s->by_peer ? "" : s->reason);
	else if (st->kind == CT_HANGUP)
		step_end(ct, true, "");
	else if (st->kind != CT_EXPECT_TRANSFER && st->kind != CT_RECORD_STOP && !(st->kind == CT_WAIT) && !(expects(st) && !s->ear_ended)) {
		char detail[320];
		text_print(detail, sizeof detail, "the call ended meanwhile: %s", s->reason);
		step_end(ct, false, detail);
	}
}

static void on_leg(struct leg *leg, const struct leg_event *ev, void *arg)
{
	struct side *s = arg;
	struct calltest *ct = s->ct;
	switch (ev->type) {
	case LEG_ANSWERED:
		answered(ct, s);
		break;
	case LEG_PROGRESS:
		if (s == &ct->side[1] && ev->status > 100)
			leg_refer_progress(ct->side[0].leg, ev->status);
		break;
	case LEG_REFERRED:
		follow(ct, ev);
		break;
	case LEG_ENDING:
		s->by_peer = true;
		leg_confirm(leg, true);
		break;
	case LEG_OVER:
		over(ct, s, ev);
		break;
	default:
		break;
	}
}

void calltest_offered(struct leg *leg, void *arg)
{
	struct calltest *ct = arg;
	struct side *s = &ct->side[0];
	struct ev_report why = { 0 };
	if (ct->prm->uri || s->leg) {
		leg_reject(leg, 486, "the test caller has one line", 0);
		return;
	}
	s->leg = mem_ref(leg);
	leg_handler(leg, on_leg, s);
	int err = side_open(ct, s, on_media, &why);
	if (!err)
		err = leg_answer(leg, s->port, &why);
	if (err && !leg_is_over(leg))
		leg_reject(leg, 488, "no media", 0);
}

static int begin(struct calltest *ct, struct ev_report *why)
{
	struct leg_call_prm prm = { .uri = ct->prm->uri, .from_user = ct->prm->from_user ? ct->prm->from_user : "umbel-test", .from_display = ct->prm->from_display,
		                    .diversion = ct->prm->diversion, .h = on_leg, .arg = &ct->side[0] };
	ct->side[0].ct = ct;
	if (!ct->prm->uri)
		return 0;
	int err = side_open(ct, &ct->side[0], on_media, why);
	return err ? err : leg_call(&ct->side[0].leg, ct->core, ct->peer, &prm, ct->side[0].port, why);
}

static int64_t measured(const struct calltest *ct, enum metric_kind kind, const char *name)
{
	return metric_value(metric_get(ct->metrics, kind, name, NULL, ""));
}

/* How well we ourselves kept up. Who runs many callers on one machine must know whether it was they who were too slow. */
static json_t *own_report(const struct calltest *ct)
{
	const struct media_port_stats *a = &ct->side[0].stats, *b = &ct->side[1].stats;
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:i}", "media_late_ms", (json_int_t)(measured(ct, METRIC_GAUGE, "umbel_media_tick_late_max_us") / 1000),
	                 "frames_skipped", (json_int_t)measured(ct, METRIC_COUNTER, "umbel_media_frames_skipped_total"), "loop_late_ms", (json_int_t)ct->late_ms,
	                 "packets_received", (json_int_t)(a->received + b->received), "packets_lost", (json_int_t)(a->lost + b->lost), "gaps_ms", (int)ct->gaps_ms);
}

static json_t *report(const struct calltest *ct)
{
	const struct side *s = ct->now;
	json_t *call = json_pack("{s:b, s:b, s:i, s:s, s:b, s:s, s:s}", "answered", ct->side[0].up, "transferred", ct->side[1].up, "status", s->status, "end",
	                         s->over ? s->reason : "", "by_peer", s->by_peer, "target", ct->heard_target, "srtp", ct->side[0].srtp ? ct->side[0].srtp : "");
	return json_pack("{s:i, s:b, s:o, s:o, s:O}", "schema", 1, "ok", !ct->failed, "call", call, "caller", own_report(ct), "steps", ct->steps);
}

int calltest_run(const struct calltest_prm *prm, const struct calltest_script *script, json_t **result, struct ev_report *why)
{
	struct calltest *ct = mem_zalloc(1, sizeof *ct);
	if (!ct)
		return ENOMEM;
	ct->prm = prm;
	ct->script = script;
	ct->now = &ct->side[0];
	ct->steps = json_array();
	int err = ct->steps ? calltest_setup(ct, why) : ENOMEM;
	if (!err)
		err = begin(ct, why);
	if (!err) {
		ct->began_ms = now_ms();
		tmr_start(ct->loop, &ct->whole, prm->for_ms ? prm->for_ms : WHOLE_MS, out_of_time, ct);
		poll_later(ct);
		step_begin(ct);
		loop_run(ct->loop);
		*result = report(ct);
		err = *result ? 0 : ENOMEM;
	}
	calltest_teardown(ct);
	json_decref(ct->steps);
	mem_free(ct);
	return err;
}
