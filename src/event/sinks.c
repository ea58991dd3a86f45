/* SPDX-License-Identifier: Apache-2.0 */
/* sinks.c  Events as lines of text and as lines of JSON. */
#include "event/bus.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <jansson.h>
#include "base/mem.h"
#include "base/rfc3339.h"

static void write_all(int fd, const void *p, size_t n)
{
	for (const char *at = p; n;) {
		ssize_t w = write(fd, at, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return; /* a sink that cannot write has nowhere to say so; the ring still keeps the event */
		at += w;
		n -= (size_t)w;
	}
}

static void text_sink(const struct ev_record *rec, void *arg)
{
	char when[RFC3339_SIZE], sentence[4096];
	const struct ev_def *d = ev_def_find(rec->report.id);
	struct buf b;
	buf_init(&b, 16384);
	if (rec->lost_before)
		buf_printf(&b, "(%llu events before this one were lost)\n", (unsigned long long)rec->lost_before);
	buf_printf(&b, "%s %-7s %u %s %s%s%s%s\n", rfc3339_us(rec->real_us, when), d ? ev_severity_name((enum ev_severity)d->severity) : "?",
	           rec->report.id, d ? d->name : "?", rec->report.session[0] ? "[" : "", rec->report.session, rec->report.session[0] ? "] " : "",
	           ev_sentence(&rec->report, sentence, sizeof sentence));
	const char *line = buf_cstr(&b);
	if (line)
		write_all(*(int *)arg, line, b.n);
	buf_free(&b);
}

static void text_close(void *arg)
{
	mem_free(arg);
}

int ev_sink_text(struct ev_bus *bus, int fd)
{
	int *keep = mem_alloc(sizeof *keep);
	if (!keep)
		return ENOMEM;
	*keep = fd;
	int err = ev_bus_sink(bus, text_sink, text_close, keep);
	if (err)
		mem_free(keep);
	return err;
}

/* Bytes of the wire may be no UTF-8; jansson wants it, so such texts are escaped first. */
static json_t *json_text(struct text t)
{
	json_t *j = json_stringn(t.p ? t.p : "", t.n);
	if (!j) {
		char esc[8192];
		j = json_string(text_escape(t, esc, sizeof esc));
	}
	return j;
}

int ev_record_json(const struct ev_record *rec, struct buf *out)
{
	char when[RFC3339_SIZE];
	const struct ev_report *r = &rec->report;
	const struct ev_def *d = ev_def_find(r->id);
	json_t *fields = json_object(), *o = json_object();
	for (unsigned i = 0; fields && i < r->n_fields; i++)
		json_object_set_new(fields, r->field[i].name,
		                    r->field[i].type == EV_INT ? json_integer(r->field[i].i) : json_text(text_make(r->arena + r->field[i].at, r->field[i].n)));
	struct buf b;
	buf_init(&b, 65536);
	json_object_set_new(o, "schema", json_integer(1));
	json_object_set_new(o, "seq", json_integer((json_int_t)rec->seq));
	json_object_set_new(o, "time", json_string(rfc3339_us(rec->real_us, when)));
	json_object_set_new(o, "id", json_integer(r->id));
	if (rec->lost_before)
		json_object_set_new(o, "lost_before", json_integer((json_int_t)rec->lost_before));
	if (d) {
		json_object_set_new(o, "name", json_string(d->name));
		json_object_set_new(o, "severity", json_string(ev_severity_name((enum ev_severity)d->severity)));
		json_object_set_new(o, "category", json_string(ev_category_name((enum ev_category)d->category)));
		const struct { const char *key, *pattern; } part[] = { { "text", d->text }, { "cause", d->cause }, { "advice", d->advice } };
		for (unsigned i = 0; i < 3; i++) {
			buf_clear(&b);
			ev_render(part[i].pattern, r, &b);
			if (b.n && buf_cstr(&b))
				json_object_set_new(o, part[i].key, json_text(buf_as_text(&b)));
		}
	}
	if (r->session[0])
		json_object_set_new(o, "session", json_text(text_of(r->session)));
	json_object_set_new(o, "fields", fields);
	char *s = json_dumps(o, JSON_COMPACT);
	int err = s ? buf_str(out, s) : ENOMEM;
	free(s);
	json_decref(o);
	buf_free(&b);
	return err;
}

static void json_sink(const struct ev_record *rec, void *arg)
{
	struct buf b;
	buf_init(&b, 262144);
	/* Opened for each event: a rotated or deleted file is followed without a signal, and events are rare. */
	int fd = open(arg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd >= 0 && !ev_record_json(rec, &b) && !buf_char(&b, '\n'))
		write_all(fd, b.p, b.n);
	if (fd >= 0)
		close(fd);
	buf_free(&b);
}

int ev_sink_json(struct ev_bus *bus, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return errno;
	close(fd);
	char *keep = mem_strdup(path);
	int err = keep ? ev_bus_sink(bus, json_sink, mem_free, keep) : ENOMEM;
	if (err)
		mem_free(keep);
	return err;
}
