/* SPDX-License-Identifier: Apache-2.0 */
/* calendars.c  Who is asked when, and what is told.
 *
 *   due -> worker: what copy is there? ask the server; write what came -> loop: tell, and set the next time                */
#include "directory/calendars.h"
#include <errno.h>
#include <strings.h>
#include "base/list.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "directory/calendar_cache.h"
#include "directory_events.h"
#include "net/pool.h"
#include "net/tmr.h"

enum { RETRY_MS = 15 * 60 * 1000, TELL_AGAIN_S = 24 * 3600, QUEUE = 256 };

struct entry {
	struct link link;
	struct calendars *c;
	char *schedule, *url, *ca_file, *time_zone;
	bool plain_http;
	uint64_t refresh_ms;
	struct tmr due;
	bool busy, again, gone; /* gone: out of the list, the job that is under way frees it */
	bool used;              /* by the configuration that is being taken */
	int64_t told_s;
	struct calendars_state state;
};

struct calendars {
	struct calendars_prm prm;
	char *folder;
	struct pool *pool;
	struct list entries;
	atomic_bool stop;
	calendars_h *changed;
	void *arg;
};

/* What a worker holds: nothing of it belongs to the loop until it is done. */
struct job {
	struct entry *e;
	const char *folder;
	struct calendar_ask ask;
	struct calendar_answer answer;
	struct calendar_copy copy;
	int64_t now_s;
	bool changed;
	int kept; /* errno of the copy's writing */
};

static void entry_free(struct entry *e)
{
	mem_free(e->schedule);
	mem_free(e->url);
	mem_free(e->ca_file);
	mem_free(e->time_zone);
	mem_free(e);
}

/* ---- on the worker ---- */

static int keep(struct job *j, const struct buf *was, bool had)
{
	struct calendar_answer *a = &j->answer;
	struct text body = a->unchanged ? buf_as_text(was) : buf_as_text(&a->body);
	j->changed = !a->unchanged && (!had || !text_eq(buf_as_text(was), body));
	struct calendar_copy copy = j->copy;
	copy.checked_s = j->now_s;
	if (!a->unchanged) {
		copy.fetched_s = j->now_s;
		memcpy(copy.etag, a->etag, sizeof copy.etag);
		memcpy(copy.last_modified, a->last_modified, sizeof copy.last_modified);
	}
	int err = calendar_copy_write(j->folder, j->ask.url, &copy, body);
	if (!err)
		j->copy = copy;
	j->changed = j->changed && !err;
	return err;
}

static int work(void *arg)
{
	struct job *j = arg;
	struct buf was;
	buf_init(&was, CFG_CALENDAR_MAX_BYTES + 1);
	bool had = calendar_copy_read(j->folder, j->ask.url, &j->copy, &was) == 0;
	if (!had)
		j->copy = (struct calendar_copy){ 0 };
	j->ask.etag = j->copy.etag;
	j->ask.last_modified = j->copy.last_modified;
	int err = calendar_fetch(&j->ask, &j->answer);
	if (!err && !j->answer.cause)
		j->kept = keep(j, &was, had);
	buf_free(&was);
	return err;
}

/* ---- on the loop ---- */

static void say(struct calendars *c, const struct ev_report *r)
{
	if (c->prm.bus)
		ev_emit(c->prm.bus, r);
}

static void tell_failure(struct entry *e, struct job *j)
{
	struct calendars *c = e->c;
	struct calendars_state *s = &e->state;
	char when[32];
	s->failing_s = s->failing_s ? s->failing_s : j->now_s;
	s->cause = j->answer.cause;
	ev_set(&s->why, j->copy.fetched_s ? EV_CALENDAR_STALE : EV_CALENDAR_MISSING);
	ev_str(&s->why, "schedule", e->schedule);
	if (j->copy.checked_s)
		ev_str(&s->why, "since", rfc3339_s(j->copy.checked_s, when));
	calendar_words(&j->ask, &j->answer, &s->why);
	if (e->told_s && j->now_s - e->told_s < TELL_AGAIN_S)
		return;
	e->told_s = j->now_s;
	say(c, &s->why);
}

static void tell_success(struct entry *e, const struct job *j)
{
	struct ev_report *r = mem_zalloc(1, sizeof *r);
	char server[CALENDAR_SERVER_SIZE], path[4200];
	bool again = e->state.failing_s != 0;
	e->state.failing_s = e->told_s = 0;
	e->state.cause = CALENDAR_NONE;
	ev_set(&e->state.why, 0);
	if (!r)
		return;
	ev_set(r, j->kept ? EV_CALENDAR_NOT_KEPT : j->changed ? EV_CALENDAR_FETCHED : EV_CALENDAR_AGAIN);
	ev_str(r, "schedule", e->schedule);
	ev_str(r, "server", calendar_server(e->url, server, sizeof server));
	ev_int(r, "count", (int64_t)j->answer.count);
	if (j->kept) {
		ev_str(r, "path", calendar_copy_path(e->c->folder, e->url, path, sizeof path) ? path : e->c->folder);
		ev_str(r, "error", strerror(j->kept));
	}
	if (j->kept || j->changed || again)
		say(e->c, r);
	mem_free(r);
}

static void ask(struct entry *e);

static void on_due(void *arg)
{
	ask(arg);
}

static void plan(struct entry *e, bool failed)
{
	uint64_t retry = e->c->prm.retry_ms ? e->c->prm.retry_ms : RETRY_MS;
	uint64_t ms = failed && retry < e->refresh_ms ? retry : e->refresh_ms;
	tmr_start(e->c->prm.loop, &e->due, (int64_t)ms, on_due, e);
}

static void worked(enum pool_result result, int err, void *arg)
{
	struct job *j = arg;
	struct entry *e = j->e;
	struct calendars *c = e->c;
	bool over = result == POOL_CANCELLED || e->gone || j->answer.cause == CALENDAR_STOPPED, changed = !over && j->changed;
	e->busy = false;
	if (!over && !err) {
		e->state.asked++;
		e->state.fetched_s = j->copy.fetched_s;
		e->state.checked_s = j->copy.checked_s;
		if (j->answer.cause)
			tell_failure(e, j);
		else
			tell_success(e, j);
	}
	if (e->gone) {
		entry_free(e);
	} else if (!over && e->again) {
		ask(e);
	} else if (!over) {
		plan(e, err || j->answer.cause || j->kept);
	}
	buf_free(&j->answer.body);
	mem_free(j);
	if (changed)
		c->changed(c->arg);
}

static void ask(struct entry *e)
{
	struct calendars *c = e->c;
	tmr_cancel(&e->due);
	e->again = e->busy;
	if (e->busy)
		return;
	struct job *j = mem_zalloc(1, sizeof *j);
	if (j)
		*j = (struct job){ .e = e,
				   .folder = c->folder,
				   .now_s = clock_real_s(c->prm.clock),
				   .ask = { .url = e->url,
					    .ca_file = e->ca_file,
					    .time_zone = e->time_zone,
					    .plain_http = e->plain_http,
					    .stop = &c->stop } };
	if (j && pool_submit(c->pool, work, worked, j) == 0) {
		e->busy = true;
		return;
	}
	mem_free(j);
	plan(e, true);
}

/* ---- which ---- */

static bool same(const struct entry *e, const struct cfg_schedule *s)
{
	return strcasecmp(e->schedule, s->name) == 0 && strcmp(e->url, s->calendar) == 0 && strcmp(e->ca_file, s->calendar_ca) == 0 &&
	       strcmp(e->time_zone, s->time_zone) == 0 && e->plain_http == s->calendar_plain_http;
}

static struct entry *find(struct calendars *c, const struct cfg_schedule *s)
{
	LIST_FOREACH(&c->entries, it)
	{
		struct entry *e = LIST_ENTRY(it, struct entry, link);
		if (same(e, s))
			return e;
	}
	return NULL;
}

static struct entry *add(struct calendars *c, const struct cfg_schedule *s)
{
	struct entry *e = mem_zalloc(1, sizeof *e);
	if (!e)
		return NULL;
	e->c = c;
	e->schedule = text_dup(text_of(s->name));
	e->url = text_dup(text_of(s->calendar));
	e->ca_file = text_dup(text_of(s->calendar_ca));
	e->time_zone = text_dup(text_of(s->time_zone));
	e->plain_http = s->calendar_plain_http;
	if (!e->schedule || !e->url || !e->ca_file || !e->time_zone) {
		entry_free(e);
		return NULL;
	}
	list_append(&c->entries, &e->link);
	return e;
}

static void take_out(struct entry *e)
{
	tmr_cancel(&e->due);
	list_remove(&e->link);
	e->gone = true;
	if (!e->busy)
		entry_free(e);
}

static void take_out_unused(struct calendars *c)
{
	LIST_FOREACH(&c->entries, it)
	if (!LIST_ENTRY(it, struct entry, link)->used)
		take_out(LIST_ENTRY(it, struct entry, link));
}

int calendars_use(struct calendars *c, const struct cfg *cfg, bool all)
{
	int err = 0;
	LIST_FOREACH(&c->entries, it)
	LIST_ENTRY(it, struct entry, link)->used = false;
	for (size_t i = 0; i < cfg->n_schedules; i++) {
		const struct cfg_schedule *s = &cfg->schedules[i];
		struct entry *e = cfg_calendar_is_address(s->calendar) ? find(c, s) : NULL;
		bool fresh = !e;
		if (!cfg_calendar_is_address(s->calendar))
			continue;
		if (fresh && !(e = add(c, s))) {
			err = ENOMEM;
			continue;
		}
		bool sooner = s->calendar_refresh_ms != e->refresh_ms;
		e->used = true;
		e->refresh_ms = s->calendar_refresh_ms;
		if (fresh || all || sooner)
			ask(e);
	}
	take_out_unused(c);
	return err;
}

bool calendars_state(const struct calendars *c, const char *schedule, struct calendars_state *s)
{
	LIST_FOREACH(&c->entries, it)
	{
		const struct entry *e = LIST_ENTRY(it, struct entry, link);
		if (strcasecmp(e->schedule, schedule) != 0)
			continue;
		*s = e->state;
		return true;
	}
	return false;
}

int calendars_create(struct calendars **cp, const struct calendars_prm *prm, calendars_h *changed, void *arg)
{
	struct calendars *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return ENOMEM;
	c->prm = *prm;
	c->changed = changed;
	c->arg = arg;
	list_init(&c->entries);
	atomic_init(&c->stop, false);
	c->folder = text_dup(text_of(prm->folder));
	int err = c->folder ? pool_create(&c->pool, prm->loop, "calendars", 1, QUEUE) : ENOMEM;
	if (err) {
		mem_free(c->folder);
		mem_free(c);
		return err;
	}
	if (prm->metrics)
		pool_observe(c->pool, prm->metrics);
	calendar_library(true);
	*cp = c;
	return 0;
}

void calendars_destroy(struct calendars *c)
{
	if (!c)
		return;
	atomic_store(&c->stop, true);
	LIST_FOREACH(&c->entries, it)
	LIST_ENTRY(it, struct entry, link)->used = false;
	take_out_unused(c);
	pool_destroy(c->pool); /* those under way are freed by it */
	calendar_library(false);
	mem_free(c->folder);
	mem_free(c);
}
