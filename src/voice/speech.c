/* SPDX-License-Identifier: Apache-2.0 */
/* speech.c  The life of the helper process, and the requests that it has under way. */
#include "voice/speech.h"
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/list.h"
#include "base/mem.h"
#include "net/tmr.h"
#include "voice/speaker.h"
#include "voice/speech_private.h"
#include "voice_events.h"

enum {
	ANSWER_MS = 6000, LEARN_TIMES = 5, PING_MS = 15000, BACK_OFF_MS = 200, BACK_OFF_MAX_MS = 30000, GOOD_MS = 60000, REQUESTS_MAX = 256,
	OUT_MAX = 16 << 20, CHUNK = 65536, SAY_MS = 3000, START_MS = 20000,
};

struct request {
	struct link link;
	uint32_t id;
	enum speech_type type, answer;
	bool overdue;         /* told so already: only waited for to know whether the helper lives */
	uint64_t heard;       /* how often the helper had said anything when this was sent */
	struct tmr limit;
	struct speech *speech;
	speech_h *handler;    /* NULL: nobody waits */
	void *arg;
};

struct speech {
	struct speech_prm prm;
	enum speech_state state;
	pid_t pid;
	int fd, pidfd;
	struct loop_io io, pid_io;
	struct buf in, out;
	struct list requests;
	unsigned n_requests;
	uint32_t next_id, starts;
	int64_t started_ms;
	uint64_t heard;               /* how often it said anything */
	unsigned back_off_ms;
	struct tmr again, ping;
	struct speech_hello hello;
	char front[64], reason[160], ended[160];
	bool *gone;                   /* set when destroyed under a handler */
	struct metric *m_up, *m_starts, *m_requests, *m_failed, *m_waiting;
};

const char *speech_state_name(enum speech_state s)
{
	static const char *const names[] = { "stopped", "starting", "up", "waiting" };
	return names[s];
}

static int64_t now_ms(const struct speech *s)
{
	return loop_now_ms(s->prm.loop);
}

/* ---- requests ---- */
static void request_free(struct request *q)
{
	tmr_cancel(&q->limit);
	list_remove(&q->link);
	q->speech->n_requests--;
	metric_set(q->speech->m_waiting, q->speech->n_requests);
	mem_free(q);
}

/* True while s still stands. */
static bool finish(struct speech *s, struct request *q, int err, const struct speech_answer *a)
{
	static const struct speech_answer nothing;
	speech_h *h = q->handler;
	void *arg = q->arg;
	bool gone = false, *outer = s->gone;
	request_free(q);
	if (err)
		metric_add(s->m_failed, 1);
	if (!h)
		return true;
	s->gone = &gone;
	h(err, a ? a : &nothing, arg);
	if (gone) {
		if (outer)
			*outer = true;
		return false;
	}
	s->gone = outer;
	return true;
}

static struct request *find(struct speech *s, uint32_t id)
{
	LIST_FOREACH(&s->requests, l)
		if (LIST_ENTRY(l, struct request, link)->id == id)
			return LIST_ENTRY(l, struct request, link);
	return NULL;
}

/* ---- the end of a helper ---- */
static void begin(void *arg);

/* Nothing is left of a process that is over. */
static void reap(struct speech *s, bool wait)
{
	if (s->pid)
		while (waitpid(s->pid, NULL, wait ? 0 : WNOHANG) < 0 && errno == EINTR)
			;
	s->pid = 0;
	loop_io_del(&s->pid_io);
	if (s->pidfd >= 0)
		close(s->pidfd);
	s->pidfd = -1;
}

/* It is killed; who is killed while it reads a disk that hangs is reaped when it is over: the loop does not wait for that. */
static void let_go(struct speech *s)
{
	loop_io_del(&s->io);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	if (s->pid)
		kill(-s->pid, SIGKILL); /* and what it runs: the group is its own */
	if (!s->pid || !s->pid_io.loop)
		reap(s, true);
	tmr_cancel(&s->ping);
	buf_free(&s->in);
	buf_free(&s->out);
	metric_set(s->m_up, 0);
}

/* How it ended, if it has by itself. */
static void tell_end(struct speech *s, const char *reason)
{
	int status = 0;
	if (s->pid)
		kill(-s->pid, SIGKILL); /* what a helper that is over had begun; itself it is not reaped yet */
	if (!reason && s->pid && waitpid(s->pid, &status, WNOHANG) == s->pid) {
		s->pid = 0;
		if (WIFSIGNALED(status))
			text_print(s->ended, sizeof s->ended, "signal %d", WTERMSIG(status));
		else
			text_print(s->ended, sizeof s->ended, "exit status %d", WEXITSTATUS(status));
	} else {
		text_fill(s->ended, sizeof s->ended, reason ? reason : "its connection closed");
	}
	struct ev_report r;
	ev_set(&r, EV_SPEECH_HELPER_ENDED);
	ev_str(&r, "reason", s->ended);
	ev_int(&r, "requests", s->n_requests);
	ev_int(&r, "again_ms", s->back_off_ms);
	if (s->prm.bus)
		ev_emit(s->prm.bus, &r);
}

/* Requests fail, the next one is started after a pause. Nothing of s may be touched behind this by who isn't sure that it still stands. */
static void ended(struct speech *s, const char *reason)
{
	if (s->state == SPEECH_STOPPED || s->state == SPEECH_WAITING)
		return;
	if (now_ms(s) - s->started_ms > GOOD_MS || !s->back_off_ms)
		s->back_off_ms = s->prm.back_off_ms;
	tell_end(s, reason);
	let_go(s);
	s->state = SPEECH_WAITING;
	tmr_start(s->prm.loop, &s->again, s->back_off_ms, begin, s);
	s->back_off_ms = s->back_off_ms * 2 > BACK_OFF_MAX_MS ? BACK_OFF_MAX_MS : s->back_off_ms * 2;
	for (struct link *l; (l = list_first(&s->requests)) != NULL;) /* none can be added now */
		if (!finish(s, LIST_ENTRY(l, struct request, link), ECONNRESET, NULL))
			return;
}

/* ---- time ---- */
static void overdue(void *arg)
{
	struct request *q = arg;
	struct speech *s = q->speech;
	bool silent = s->heard == q->heard;
	if (silent || q->overdue) {
		ended(s, "it hung, and was killed");
		return;
	}
	/* others were answered since: it lives, but has too much to do, or one of its threads hangs */
	struct request *rest = mem_zalloc(1, sizeof *rest);
	if (rest) {
		*rest = (struct request){ .id = q->id, .type = q->type, .answer = q->answer, .overdue = true, .heard = s->heard, .speech = s };
		list_append(&s->requests, &rest->link);
		s->n_requests++;
		tmr_start(s->prm.loop, &rest->limit, 3 * (int64_t)s->prm.answer_ms, overdue, rest);
	}
	(void)finish(s, q, ETIMEDOUT, NULL);
}

/* ---- sending ---- */
static void flush(struct speech *s)
{
	size_t sent = 0;
	while (sent < s->out.n) {
		ssize_t n = send(s->fd, s->out.p + sent, s->out.n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break; /* full, or broken: then reading says so */
		sent += (size_t)n;
	}
	buf_consume(&s->out, sent);
	loop_io_mod(&s->io, s->out.n ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void *request_new(struct speech *s, enum speech_type type, enum speech_type answer, speech_h *h, void *arg)
{
	struct request *q = mem_zalloc(1, sizeof *q);
	if (!q)
		return NULL;
	q->id = ++s->next_id ? s->next_id : ++s->next_id;
	q->type = type;
	q->answer = answer;
	q->heard = s->heard;
	q->speech = s;
	q->handler = h;
	q->arg = arg;
	list_append(&s->requests, &q->link);
	s->n_requests++;
	metric_set(s->m_waiting, s->n_requests);
	return q;
}

/* The message that began at `at` is complete. */
static int submit(struct speech *s, struct request *q, size_t at, uint64_t *handle)
{
	speech_end(&s->out, at);
	int err = buf_error(&s->out);
	if (err) {
		request_free(q);
		if (at == 0)
			buf_free(&s->out);
		else
			ended(s, strerrordesc_np(err)); /* half a message may be out */
		return err == EMSGSIZE ? EAGAIN : err;
	}
	int64_t limit_ms = s->prm.answer_ms;
	if (q->type == SPEECH_LEARN)
		limit_ms *= LEARN_TIMES;
	else if (q->type == SPEECH_SAY && limit_ms > SAY_MS)
		limit_ms = SAY_MS; /* a caller waits in silence */
	tmr_start(s->prm.loop, &q->limit, limit_ms, overdue, q);
	if (handle)
		*handle = q->id;
	metric_add(s->m_requests, 1);
	flush(s);
	return 0;
}

static int may_ask(const struct speech *s)
{
	if (!s || s->state != SPEECH_UP)
		return ENOTCONN;
	return s->n_requests >= REQUESTS_MAX || s->out.n > OUT_MAX / 2 ? EAGAIN : 0;
}

static void ask_life(struct speech *s)
{
	struct request *q = request_new(s, SPEECH_PING, SPEECH_PONG, NULL, NULL);
	if (!q)
		return;
	size_t at = speech_begin(&s->out, SPEECH_PING, q->id);
	(void)submit(s, q, at, NULL);
}

int speech_say(struct speech *s, uint64_t *handle, struct text voice, struct text text, speech_h *h, void *arg)
{
	int err = text.n > SPEECH_TEXT_MAX || (voice.n && !speaker_voice_good(voice)) ? EINVAL : may_ask(s);
	if (err)
		return err;
	struct request *q = request_new(s, SPEECH_SAY, SPEECH_SAID, h, arg);
	if (!q)
		return ENOMEM;
	size_t at = speech_begin(&s->out, SPEECH_SAY, q->id);
	speech_put_say(&s->out, voice, text);
	return submit(s, q, at, handle);
}

int speech_learn(struct speech *s, uint64_t *handle, uint64_t key, const struct speech_entry *v, size_t n, speech_h *h, void *arg)
{
	int err = n > SPEECH_ENTRIES_MAX ? EINVAL : may_ask(s);
	if (err)
		return err;
	struct request *q = request_new(s, SPEECH_LEARN, SPEECH_LEARNED, h, arg);
	if (!q)
		return ENOMEM;
	size_t at = speech_begin(&s->out, SPEECH_LEARN, q->id);
	speech_put_learn(&s->out, key, v, n);
	err = submit(s, q, at, handle);
	if (!err)
		ask_life(s); /* learning may take long, a helper that lives answers this at once: so one that hangs is known in time */
	return err;
}

int speech_listen(struct speech *s, uint64_t *handle, uint64_t key, const int16_t *pcm, size_t n, speech_h *h, void *arg)
{
	return speech_listen_again(s, handle, key, NULL, pcm, n, h, arg);
}

int speech_listen_again(struct speech *s, uint64_t *handle, uint64_t key, const struct speech_memory *before, const int16_t *pcm, size_t n, speech_h *h, void *arg)
{
	int err = n > SPEECH_SAMPLES_MAX ? EINVAL : may_ask(s);
	if (err)
		return err;
	struct request *q = request_new(s, SPEECH_HEAR, SPEECH_HEARD, h, arg);
	if (!q)
		return ENOMEM;
	size_t at = speech_begin(&s->out, SPEECH_HEAR, q->id);
	speech_put_hear(&s->out, key, before, pcm, n);
	return submit(s, q, at, handle);
}

void speech_cancel(struct speech *s, uint64_t handle)
{
	struct request *q = s ? find(s, (uint32_t)handle) : NULL;
	if (q)
		q->handler = NULL; /* the answer is still waited for: it shows that the helper lives */
}

static void ping(void *arg)
{
	struct speech *s = arg;
	tmr_start(s->prm.loop, &s->ping, PING_MS, ping, s);
	if (s->n_requests || may_ask(s))
		return;
	ask_life(s);
}

/* ---- receiving ---- */
static int take_hello(struct speech *s, const uint8_t *p, size_t n)
{
	struct ev_report r;
	int err = s->state == SPEECH_STARTING ? speech_get_hello(&s->hello, p, n) : EPROTO;
	if (err)
		return err;
	(void)text_copy(s->hello.front, s->front, sizeof s->front);
	(void)text_copy(s->hello.reason, s->reason, sizeof s->reason);
	s->state = SPEECH_UP;
	metric_set(s->m_up, 1);
	tmr_start(s->prm.loop, &s->ping, PING_MS, ping, s);
	ev_set(&r, s->hello.hears ? EV_SPEECH_HELPER_UP : EV_SPEECH_DEAF);
	ev_int(&r, "workers", s->hello.workers);
	ev_str(&r, "front", s->front);
	ev_str(&r, "reason", s->reason);
	if (s->prm.bus)
		ev_emit(s->prm.bus, &r);
	return 0;
}

static int take_said(struct speech *s, struct request *q, const uint8_t *p, size_t n, bool *stands)
{
	const uint8_t *sound;
	size_t bytes;
	enum speech_stand_in why;
	if (speech_get_said(&why, &sound, &bytes, p, n))
		return EPROTO;
	int16_t *pcm = mem_alloc(bytes ? bytes : 1);
	int err = pcm ? speech_get_pcm(pcm, SPEECH_SAID_MAX, sound, bytes) : ENOMEM;
	struct speech_answer a = { .pcm = pcm, .n = bytes / 2, .stand_in = why };
	if (err != EPROTO)
		*stands = finish(s, q, err, &a);
	mem_free(pcm);
	return err == EPROTO ? err : 0;
}

static int take_learned(struct speech *s, struct request *q, const uint8_t *p, size_t n, bool *stands)
{
	struct speech_learned *l = mem_zalloc(1, sizeof *l);
	int err = l ? speech_get_learned(l, p, n) : ENOMEM;
	struct speech_answer a = { .learned = l };
	if (err != EPROTO)
		*stands = finish(s, q, err, &a);
	mem_free(l);
	return err == EPROTO ? err : 0;
}

/* One message. EPROTO: not one that may come now. */
static int take(struct speech *s, const struct speech_head *h, const uint8_t *p, bool *stands)
{
	struct speech_result result;
	int said;
	if (h->type == SPEECH_HELLO)
		return h->id ? EPROTO : take_hello(s, p, h->n);
	struct request *q = find(s, h->id);
	if (!q || s->state != SPEECH_UP || (h->type != q->answer && h->type != SPEECH_FAILED))
		return EPROTO;
	int err = 0;
	switch (h->type) {
	case SPEECH_SAID: return take_said(s, q, p, h->n, stands);
	case SPEECH_LEARNED: return take_learned(s, q, p, h->n, stands);
	case SPEECH_HEARD:
		if ((err = speech_get_result(&result, p, h->n)) == 0)
			*stands = finish(s, q, 0, &(struct speech_answer){ .result = &result });
		return err;
	case SPEECH_FAILED:
		if ((err = speech_get_failed(&said, p, h->n)) == 0)
			*stands = finish(s, q, said, NULL);
		return err;
	default:
		if (h->n == 0)
			*stands = finish(s, q, 0, NULL);
		return h->n ? EPROTO : 0;
	}
}

/* Messages that are complete. */
static void take_all(struct speech *s)
{
	struct speech_head h;
	bool stands = true;
	int err;
	size_t at = 0;
	while ((err = s->in.n - at >= SPEECH_HEAD ? speech_head_parse(&h, s->in.p + at, s->in.n - at) : EAGAIN) == 0 && s->in.n - at - SPEECH_HEAD >= h.n) {
		uint32_t starts = s->starts;
		enum speech_state was = s->state;
		err = take(s, &h, s->in.p + at + SPEECH_HEAD, &stands);
		if (!stands || (s->state != was && was == SPEECH_UP) || s->starts != starts)
			return; /* a handler ended it, and with it the buffer */
		if (err)
			break;
		at += SPEECH_HEAD + h.n;
	}
	if (err && err != EAGAIN)
		ended(s, err == EPROTONOSUPPORT ? "it is of another version" : "it broke the protocol");
	else
		buf_consume(&s->in, at);
}

static void ready(struct loop_io *io, uint32_t events, void *arg)
{
	struct speech *s = arg;
	(void)io;
	if (events & EPOLLOUT)
		flush(s);
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	uint8_t *p = buf_reserve(&s->in, CHUNK);
	ssize_t n = p ? recv(s->fd, p, CHUNK, MSG_DONTWAIT) : -1;
	if (!p) {
		ended(s, strerrordesc_np(buf_error(&s->in)));
	} else if (n > 0) {
		buf_grew(&s->in, (size_t)n);
		s->heard++;
		take_all(s);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		loop_io_del(&s->io); /* why is known when the process is over */
		if (s->pidfd < 0)
			ended(s, NULL);
	}
}

static void process_over(struct loop_io *io, uint32_t events, void *arg)
{
	struct speech *s = arg;
	(void)io, (void)events;
	if (s->state == SPEECH_WAITING)
		reap(s, false);
	else
		ended(s, NULL);
}

/* ---- the beginning ---- */
static void not_ready(void *arg)
{
	ended(arg, "it did not get ready, and was killed");
}

static void begin(void *arg)
{
	struct speech *s = arg;
	const char *path = speech_program(s->prm.program);
	if (s->pid) { /* the one before is still not over */
		tmr_start(s->prm.loop, &s->again, s->prm.back_off_ms, begin, s);
		return;
	}
	buf_init(&s->in, SPEECH_BODY_MAX + SPEECH_HEAD + CHUNK);
	buf_init(&s->out, OUT_MAX);
	s->state = SPEECH_STARTING;
	s->started_ms = now_ms(s);
	s->starts++;
	metric_add(s->m_starts, 1);
	int err = speech_spawn(&s->pid, &s->fd, path);
	if (!err) {
		s->pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);
		err = s->pidfd < 0 ? errno : loop_io_add(s->prm.loop, &s->pid_io, s->pidfd, EPOLLIN, process_over, s);
	}
	if (!err)
		err = loop_io_add(s->prm.loop, &s->io, s->fd, EPOLLIN, ready, s);
	if (!err) {
		tmr_start(s->prm.loop, &s->ping, START_MS, not_ready, s); /* until its first word */
		return;
	}
	struct ev_report r;
	ev_set(&r, EV_SPEECH_HELPER_MISSING);
	ev_str(&r, "path", path);
	ev_str(&r, "error", strerrordesc_np(err));
	if (s->prm.bus && s->starts == 1)
		ev_emit(s->prm.bus, &r);
	let_go(s);
	s->state = SPEECH_WAITING;
	text_fill(s->ended, sizeof s->ended, strerrordesc_np(err));
	tmr_start(s->prm.loop, &s->again, BACK_OFF_MAX_MS, begin, s);
}

int speech_create(struct speech **sp, const struct speech_prm *prm)
{
	struct speech *s = mem_zalloc(1, sizeof *s);
	if (!s)
		return ENOMEM;
	s->prm = *prm;
	s->prm.answer_ms = prm->answer_ms ? prm->answer_ms : ANSWER_MS;
	s->prm.back_off_ms = prm->back_off_ms ? prm->back_off_ms : BACK_OFF_MS;
	s->fd = s->pidfd = -1;
	list_init(&s->requests);
	s->m_up = metric_get(prm->metrics, METRIC_GAUGE, "umbel_speech_up", NULL, "Whether the helper process for speech answers");
	s->m_starts = metric_get(prm->metrics, METRIC_COUNTER, "umbel_speech_starts_total", NULL, "Starts of the helper process for speech");
	s->m_requests = metric_get(prm->metrics, METRIC_COUNTER, "umbel_speech_requests_total", NULL, "Requests to the helper process for speech");
	s->m_failed = metric_get(prm->metrics, METRIC_COUNTER, "umbel_speech_failed_total", NULL, "Requests to the helper process for speech that failed");
	s->m_waiting = metric_get(prm->metrics, METRIC_GAUGE, "umbel_speech_waiting", NULL, "Requests that the helper process for speech has not answered yet");
	*sp = s;
	return 0;
}

void speech_start(struct speech *s)
{
	if (s->state == SPEECH_STOPPED)
		begin(s);
}

void speech_destroy(struct speech *s)
{
	if (!s)
		return;
	if (s->gone)
		*s->gone = true;
	for (struct link *l; (l = list_first(&s->requests)) != NULL;)
		request_free(LIST_ENTRY(l, struct request, link));
	tmr_cancel(&s->again);
	let_go(s);
	reap(s, true);
	mem_free(s);
}

bool speech_hears(const struct speech *s)
{
	return s && s->state == SPEECH_UP && s->hello.hears;
}

void speech_about(const struct speech *s, struct speech_about *a)
{
	*a = (struct speech_about){ .state = SPEECH_STOPPED };
	if (!s)
		return;
	a->state = s->state;
	a->pid = s->pid;
	a->speaks = s->state == SPEECH_UP && s->hello.speaks;
	a->hears = speech_hears(s);
	a->workers = s->hello.workers;
	a->waiting = s->n_requests;
	a->starts = s->starts;
	a->up_ms = s->state == SPEECH_UP ? now_ms(s) - s->started_ms : 0;
	text_fill(a->front, sizeof a->front, s->front);
	text_fill(a->reason, sizeof a->reason, s->reason);
	text_fill(a->ended, sizeof a->ended, s->ended);
}
