/* SPDX-License-Identifier: Apache-2.0 */
/* Calendars from a web server of our own that misbehaves in every way it can: what is taken, what is refused with which words, what is kept on
 * disk, what is said how often. Certificates are the end-to-end test's (tests/e2e/test_calendar.py).                     */
#include "ut.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "directory/calendar_cache.h"
#include "directory/calendars.h"
#include "directory/hours.h"
#include "directory_events.h"

#define ICS(summary) "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261224\r\nSUMMARY:" summary "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

/* ---- the server ---- */

struct web {
	int fd;
	uint16_t port;
	pthread_t thread;
	atomic_bool stop;
	atomic_int asked, unchanged; /* requests; those answered 304 */
	atomic_int version; /* of /ok; 0: it answers 503 */
};

static void put(int fd, const char *s)
{
	(void)!send(fd, s, strlen(s), MSG_NOSIGNAL);
}

static void answer(struct web *w, int fd, const char *request)
{
	char head[300], path[100] = "";
	sscanf(request, "GET %99s", path);
	if (strcmp(path, "/ok") == 0) {
		int version = atomic_load(&w->version);
		snprintf(head, sizeof head, "If-None-Match: \"v%d\"", version);
		if (!version) {
			put(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
		} else if (strstr(request, head)) {
			atomic_fetch_add(&w->unchanged, 1);
			put(fd, "HTTP/1.1 304 Not Modified\r\n\r\n");
		} else {
			snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nETag: \"v%d\"\r\nConnection: close\r\n\r\n", version);
			put(fd, head);
			put(fd, version == 1 ? ICS("One") : ICS("Two"));
		}
	} else if (strcmp(path, "/page") == 0) {
		put(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>log on, please</html>");
	} else if (strcmp(path, "/huge") == 0 || strcmp(path, "/said-huge") == 0) {
		put(fd, path[1] == 's' ? "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" : "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		static const char block[4096] = "BEGIN:VCALENDAR";
		for (int i = 0; i < 1024 && send(fd, block, sizeof block, MSG_NOSIGNAL) > 0; i++)
			;
	} else if (strcmp(path, "/headers") == 0) {
		put(fd, "HTTP/1.1 200 OK\r\n");
		for (int i = 0; i < 4000; i++)
			put(fd, "X-More: 0123456789012345678901234567890123456789\r\n");
	} else if (strncmp(path, "/to/", 4) == 0 && path[4] > '0') {
		snprintf(head, sizeof head, "HTTP/1.1 302 Found\r\nLocation: /to/%c\r\nContent-Length: 0\r\n\r\n", path[4] - 1);
		put(fd, head);
	} else if (strcmp(path, "/to/0") == 0) {
		put(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" ICS("Far"));
	} else if (strcmp(path, "/file") == 0) {
		put(fd, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n");
	} else if (strcmp(path, "/silent") == 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		while (!atomic_load(&w->stop) && poll(&p, 1, 20) == 0)
			;
	} else {
		snprintf(head, sizeof head, "HTTP/1.1 %.3s No\r\nContent-Length: 0\r\n\r\n", path[0] ? path + 1 : "400");
		put(fd, head);
	}
}

static void *serve(void *arg)
{
	struct web *w = arg;
	while (!atomic_load(&w->stop)) {
		struct pollfd p = { .fd = w->fd, .events = POLLIN };
		char request[4096];
		size_t have = 0;
		if (poll(&p, 1, 20) <= 0)
			continue;
		int fd = accept(w->fd, NULL, NULL);
		for (ssize_t n; fd >= 0 && have < sizeof request - 1 && (n = recv(fd, request + have, sizeof request - 1 - have, 0)) > 0;) {
			have += (size_t)n;
			request[have] = '\0';
			if (!strstr(request, "\r\n\r\n"))
				continue;
			atomic_fetch_add(&w->asked, 1);
			answer(w, fd, request);
			break;
		}
		if (fd >= 0) {
			shutdown(fd, SHUT_RDWR);
			close(fd);
		}
	}
	return NULL;
}

static void web_open(struct web *w)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	*w = (struct web){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	atomic_store(&w->version, 1);
	assert_int_equal(bind(w->fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(w->fd, 16), 0);
	assert_int_equal(getsockname(w->fd, (struct sockaddr *)&a, &n), 0);
	w->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&w->thread, NULL, serve, w), 0);
}

static void web_close(struct web *w)
{
	atomic_store(&w->stop, true);
	pthread_join(w->thread, NULL);
	close(w->fd);
}

/* ---- one fetch ---- */

static enum calendar_cause fetch(const struct web *w, const char *path, struct calendar_answer *a)
{
	char url[200];
	snprintf(url, sizeof url, "http://127.0.0.1:%u%s", w->port, path);
	struct calendar_ask ask = { .url = url, .ca_file = "", .time_zone = "UTC", .plain_http = true, .etag = "", .last_modified = "", .timeout_ms = 300 };
	assert_int_equal(calendar_fetch(&ask, a), 0);
	struct ev_report r = { 0 };
	calendar_words(&ask, a, &r);
	assert_true(!a->cause == !ev_field_text(&r, "why").n);
	assert_int_equal(text_find_text(ev_field_text(&r, "why"), TEXT("?")), SIZE_MAX); /* each sentence has what it speaks of */
	assert_int_equal(text_find_text(ev_field_text(&r, "advice"), TEXT("{")), SIZE_MAX);
	return a->cause;
}

static void what_came_is_judged(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		enum calendar_cause cause;
	} v[] = { { "/ok", CALENDAR_NONE }, { "/to/3", CALENDAR_NONE }, { "/to/4", CALENDAR_REDIRECTS }, { "/file", CALENDAR_PLAIN_REDIRECT },
		  { "/page", CALENDAR_NO_CALENDAR }, { "/huge", CALENDAR_SIZE }, { "/said-huge", CALENDAR_SIZE }, { "/headers", CALENDAR_SIZE },
		  { "/silent", CALENDAR_TIME }, { "/401", CALENDAR_DENIED }, { "/403", CALENDAR_DENIED }, { "/404", CALENDAR_GONE },
		  { "/500", CALENDAR_STATUS }, { "/204", CALENDAR_STATUS }, { "/304", CALENDAR_STATUS } };
	struct web w;
	web_open(&w);
	calendar_library(true);
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct calendar_answer a = { 0 };
		if (fetch(&w, v[i].path, &a) != v[i].cause)
			fail_msg("%s: %s (%s), not %s", v[i].path, calendar_cause_word(a.cause), a.detail, calendar_cause_word(v[i].cause));
		if (!a.cause)
			assert_int_equal(a.count, 1);
		buf_free(&a.body);
	}
	struct web gone = w;
	web_close(&w);
	struct calendar_answer a = { 0 };
	assert_int_equal(fetch(&gone, "/ok", &a), CALENDAR_NOBODY);
	buf_free(&a.body);
	/* without being told to, nothing goes without encryption */
	struct calendar_ask ask = { .url = "http://127.0.0.1:1/", .ca_file = "", .time_zone = "UTC", .etag = "", .last_modified = "" };
	a = (struct calendar_answer){ 0 };
	assert_int_equal(calendar_fetch(&ask, &a), 0);
	assert_int_equal(a.cause, CALENDAR_PLAIN_REDIRECT);
	buf_free(&a.body);
	calendar_library(false);
}

static void only_the_server_of_an_address_is_said(void **state)
{
	(void)state;
	char server[CALENDAR_SERVER_SIZE];
	assert_string_equal(calendar_server("https://me:secret@cal.contoso.com:8443/private-abc/x.ics?key=1", server, sizeof server), "cal.contoso.com:8443");
	assert_string_equal(calendar_server("https://cal.contoso.com?key=/@", server, sizeof server), "cal.contoso.com");
	assert_string_equal(calendar_server("http://[::1]:80/", server, sizeof server), "[::1]:80");
}

/* ---- copies ---- */

static void copies_are_whole_or_none(void **state)
{
	(void)state;
	char folder[300], path[600];
	struct calendar_copy c = { .fetched_s = 1000, .checked_s = 2000, .etag = "\"a: b\"", .last_modified = "Mon, 01 Jan 2026 00:00:00 GMT" }, was = { 0 };
	struct buf b;
	snprintf(folder, sizeof folder, "%s/copies", ut_tmpdir());
	assert_int_equal(mkdir(folder, 0700), 0);
	buf_init(&b, 1 << 20);
	assert_int_equal(calendar_copy_read(folder, "https://x/", &was, NULL), ENOENT);
	assert_int_equal(calendar_copy_write(folder, "https://x/", &c, TEXT("BEGIN:VCALENDAR\r\n\r\nEND:VCALENDAR\r\n")), 0);
	assert_int_equal(calendar_copy_read(folder, "https://x/", &was, &b), 0);
	assert_string_equal(buf_cstr(&b), "BEGIN:VCALENDAR\r\n\r\nEND:VCALENDAR\r\n");
	assert_true(was.fetched_s == 1000 && was.checked_s == 2000 && strcmp(was.etag, c.etag) == 0 && strcmp(was.last_modified, c.last_modified) == 0);
	assert_int_equal(calendar_copy_read(folder, "https://y/", &was, NULL), ENOENT);
	assert_true(calendar_copy_path(folder, "https://x/", path, sizeof path));
	for (int bytes = 40; bytes >= 0; bytes -= 8) { /* a disk that lost its end, at every place of the head */
		assert_int_equal(truncate(path, bytes), 0);
		assert_int_equal(calendar_copy_read(folder, "https://x/", &was, NULL), ENOENT);
	}
	buf_free(&b);
}

/* ---- the keeper ---- */

struct rig {
	struct web web;
	struct loop *loop;
	struct clock_fake clock;
	struct ev_bus *bus;
	struct calendars *c;
	char folder[300];
	int changed;
	struct cfg *cfg;
};

static void changed(void *arg)
{
	((struct rig *)arg)->changed++;
}

static struct cfg *config(uint16_t port, const char *path)
{
	char yaml[400];
	struct cfg *c;
	struct cfg_errors e = { 0 };
	snprintf(yaml, sizeof yaml, "schedules:\n  - {name: office, time_zone: Europe/Berlin, calendar: 'http://127.0.0.1:%u%s', calendar_plain_http: true}\n", port, path);
	assert_int_equal(cfg_parse(&c, "u", text_of(yaml), CFG_WANT_OBJECTS, &e), 0);
	cfg_errors_free(&e);
	return c;
}

static void rig_open(struct rig *r, const char *name)
{
	memset(r, 0, sizeof *r);
	web_open(&r->web);
	clock_fake_init(&r->clock, 1800000000);
	assert_int_equal(loop_create(&r->loop, &r->clock.clock), 0);
	assert_int_equal(ev_bus_create(&r->bus, &r->clock.clock, 100), 0);
	ev_bus_level(r->bus, EV_CAT_DIRECTORY, EV_LEVEL_LOW);
	snprintf(r->folder, sizeof r->folder, "%s/%s", ut_tmpdir(), name);
	assert_int_equal(mkdir(r->folder, 0700), 0);
	r->cfg = config(r->web.port, "/ok");
}

static void keeper_open(struct rig *r)
{
	struct calendars_prm prm = { .loop = r->loop, .clock = &r->clock.clock, .bus = r->bus, .folder = r->folder };
	assert_int_equal(calendars_create(&r->c, &prm, changed, r), 0);
	assert_int_equal(calendars_use(r->c, r->cfg, true), 0);
}

static void rig_close(struct rig *r)
{
	calendars_destroy(r->c);
	cfg_unref(r->cfg);
	ev_bus_destroy(r->bus);
	loop_destroy(r->loop);
	web_close(&r->web);
}

/* Until the keeper knows what came of that many requests: then the next is planned, too. */
static struct calendars_state *asked(struct rig *r, unsigned times)
{
	static struct calendars_state s;
	for (int i = 0; i < 3000; i++) {
		loop_step(r->loop, 10);
		if (calendars_state(r->c, "office", &s) && s.asked >= times)
			return &s;
	}
	fail_msg("asked %u times", s.asked);
	return &s;
}

static size_t days(struct rig *r, const char *holiday)
{
	struct cfg *filled;
	struct hours_now now;
	assert_int_equal(cfg_with_calendars(&filled, r->cfg, calendar_copy_find, r->folder), 0);
	size_t n = filled->schedules[0].n_days;
	hours_at(&filled->schedules[0], 1798110000, &now); /* 2026-12-24 12:00 in Berlin */
	assert_string_equal(now.holiday_name, holiday);
	cfg_unref(filled);
	return n;
}

static void what_is_fetched_is_kept_and_asked_for_daily(void **state)
{
	(void)state;
	struct rig *r = mem_zalloc(1, sizeof *r);
	rig_open(r, "daily");
	keeper_open(r);
	struct calendars_state *s = asked(r, 1);
	assert_int_equal(s->failing_s, 0);
	assert_int_equal(r->changed, 1);
	assert_int_equal(days(r, "One"), 1);
	clock_fake_advance_ms(&r->clock, 86400000); /* a day later, nothing new */
	asked(r, 2);
	assert_int_equal(atomic_load(&r->web.unchanged), 1);
	assert_int_equal(r->changed, 1);
	atomic_store(&r->web.version, 2);
	clock_fake_advance_ms(&r->clock, 86400000);
	asked(r, 3);
	assert_int_equal(r->changed, 2);
	assert_int_equal(days(r, "Two"), 1);
	rig_close(r);
	mem_free(r);
}

struct counting {
	uint16_t id;
	unsigned n;
};

static void count(const struct ev_record *rec, void *arg)
{
	struct counting *c = arg;
	c->n += rec->report.id == c->id;
}

static unsigned told(struct rig *r, uint16_t id)
{
	struct counting n = { .id = id };
	ev_bus_flush(r->bus);
	ev_bus_read(r->bus, 0, 1000, count, &n);
	return n.n;
}

static void an_absent_server_leaves_the_copy_in_use(void **state)
{
	(void)state;
	struct rig *r = mem_zalloc(1, sizeof *r);
	rig_open(r, "away");
	keeper_open(r);
	asked(r, 1);
	calendars_destroy(r->c);
	atomic_store(&r->web.version, 0);
	clock_fake_advance_ms(&r->clock, 3600000);
	keeper_open(r); /* the node starts anew while the server is away */
	struct calendars_state *s = asked(r, 1);
	assert_int_equal(s->cause, CALENDAR_STATUS);
	assert_int_equal(s->failing_s, 1800003600);
	assert_int_equal(s->checked_s, 1800000000);
	assert_int_equal(s->why.id, EV_CALENDAR_STALE);
	assert_true(text_is(ev_field_text(&s->why, "since"), "2027-01-15T08:00:00Z"));
	assert_int_equal(days(r, "One"), 1);
	assert_int_equal(r->changed, 1);
	for (unsigned i = 2; i < 5; i++) { /* it is asked again every quarter of an hour, and told once a day */
		clock_fake_advance_ms(&r->clock, 15 * 60000);
		asked(r, i);
	}
	assert_int_equal(told(r, EV_CALENDAR_STALE), 1);
	atomic_store(&r->web.version, 1);
	clock_fake_advance_ms(&r->clock, 15 * 60000);
	for (int i = 0; i < 3000 && !told(r, EV_CALENDAR_AGAIN); i++)
		loop_step(r->loop, 10);
	assert_int_equal(told(r, EV_CALENDAR_AGAIN), 1);
	rig_close(r);
	mem_free(r);
}

static void without_a_copy_that_is_said(void **state)
{
	(void)state;
	struct rig *r = mem_zalloc(1, sizeof *r);
	rig_open(r, "never");
	atomic_store(&r->web.version, 0);
	keeper_open(r);
	struct calendars_state *s = asked(r, 1);
	assert_int_equal(s->why.id, EV_CALENDAR_MISSING);
	assert_int_equal(days(r, ""), 0);
	/* a schedule that is gone is not asked for any more, and a server that keeps silent holds nobody up */
	struct cfg *other = config(r->web.port, "/silent");
	assert_int_equal(calendars_use(r->c, other, false), 0);
	cfg_unref(r->cfg);
	r->cfg = other;
	for (int i = 0; i < 3000 && atomic_load(&r->web.asked) < 2; i++)
		loop_step(r->loop, 10);
	assert_int_equal(atomic_load(&r->web.asked), 2);
	rig_close(r);
	mem_free(r);
}

static void a_folder_that_takes_nothing_is_said(void **state)
{
	(void)state;
	struct rig *r = mem_zalloc(1, sizeof *r);
	rig_open(r, "full");
	assert_int_equal(rmdir(r->folder), 0);
	keeper_open(r);
	for (int i = 0; i < 3000 && !told(r, EV_CALENDAR_NOT_KEPT); i++)
		loop_step(r->loop, 10);
	assert_int_equal(told(r, EV_CALENDAR_NOT_KEPT), 1);
	assert_int_equal(r->changed, 0);
	rig_close(r);
	mem_free(r);
}

static int fill(void *arg)
{
	struct rig *r = arg;
	struct cfg *filled, *again;
	int err = cfg_with_calendars(&filled, r->cfg, calendar_copy_find, r->folder);
	if (err)
		return err;
	err = cfg_with_calendars(&again, filled, calendar_copy_find, (char *)(uintptr_t)"/nowhere"); /* what it had stays */
	cfg_unref(filled);
	if (err)
		return err;
	bool kept = again->schedules[0].n_days == 1 && strcmp(again->schedules[0].days[0].name, "One") == 0;
	cfg_unref(again);
	return kept ? 0 : EPROTO;
}

static void days_survive_what_they_came_with(void **state)
{
	(void)state;
	struct rig *r = mem_zalloc(1, sizeof *r);
	struct calendar_copy c = { .fetched_s = 1, .checked_s = 1 };
	rig_open(r, "fill");
	assert_int_equal(calendar_copy_write(r->folder, r->cfg->schedules[0].calendar, &c, TEXT(ICS("One"))), 0);
	ut_oom(fill, r);
	rig_close(r);
	mem_free(r);
}

UT_MAIN(UT(what_came_is_judged), UT(only_the_server_of_an_address_is_said), UT(copies_are_whole_or_none), UT(what_is_fetched_is_kept_and_asked_for_daily),
	UT(an_absent_server_leaves_the_copy_in_use), UT(without_a_copy_that_is_said), UT(a_folder_that_takes_nothing_is_said), UT(days_survive_what_they_came_with))
