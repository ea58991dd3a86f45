/* SPDX-License-Identifier: Apache-2.0 */
/* journal.c  systemd's journal by its native protocol: one datagram of KEY=value lines, or KEY\n<64-bit length>value for what
 * holds line feeds (systemd, "Native Journal Protocol"). MESSAGE_ID ties an event to its entry in the catalog.         */
#include "event/bus.h"
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/mem.h"

static void put(struct buf *b, const char *key, struct text value)
{
	buf_str(b, key);
	if (text_find(value, '\n') == SIZE_MAX) {
		buf_char(b, '=');
	} else {
		uint64_t n = value.n; /* little endian on all we run on */
		buf_char(b, '\n');
		buf_put(b, &n, sizeof n);
	}
	buf_text(b, value);
	buf_char(b, '\n');
}

static void put_fields(struct buf *b, const struct ev_report *r)
{
	for (unsigned i = 0; i < r->n_fields; i++) {
		char key[64] = "UMBEL_", number[24];
		size_t k = 6;
		for (const char *p = r->field[i].name; *p && k < sizeof key - 1; p++)
			key[k++] = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
		snprintf(number, sizeof number, "%lld", (long long)r->field[i].i);
		put(b, key, r->field[i].type == EV_INT ? text_of(number) : text_make(r->arena + r->field[i].at, r->field[i].n));
	}
}

static void journal_sink(const struct ev_record *rec, void *arg)
{
	static const char *const priority[] = { "3", "4", "5", "6", "7", "7" };
	const struct ev_def *d = ev_def_find(rec->report.id);
	char sentence[4096], id[16], message_id[40];
	struct buf b;
	if (!d)
		return;
	buf_init(&b, 65536);
	snprintf(id, sizeof id, "%u", d->id);
	snprintf(message_id, sizeof message_id, "756d62656c000000000000000000%04x", d->id);
	put(&b, "MESSAGE", text_of(ev_sentence(&rec->report, sentence, sizeof sentence)));
	put(&b, "PRIORITY", text_of(priority[d->severity]));
	put(&b, "SYSLOG_IDENTIFIER", TEXT("umbeld"));
	put(&b, "MESSAGE_ID", text_of(message_id));
	put(&b, "UMBEL_EVENT", text_of(id));
	put(&b, "UMBEL_EVENT_NAME", text_of(d->name));
	if (rec->report.session[0])
		put(&b, "UMBEL_SESSION", text_of(rec->report.session));
	put_fields(&b, &rec->report);
	if (!buf_error(&b))
		(void)!send(*(int *)arg, b.p, b.n, MSG_DONTWAIT | MSG_NOSIGNAL); /* a journal that is gone is no reason to stop */
	buf_free(&b);
}

static void journal_close(void *arg)
{
	close(*(int *)arg);
	mem_free(arg);
}

int ev_sink_journal(struct ev_bus *bus)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };
	int *fd = mem_alloc(sizeof *fd);
	if (!fd)
		return ENOMEM;
	*fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = *fd < 0 ? errno : connect(*fd, (struct sockaddr *)&to, sizeof to) < 0 ? errno : ev_bus_sink(bus, journal_sink, journal_close, fd);
	if (err) {
		if (*fd >= 0)
			close(*fd);
		mem_free(fd);
	}
	return err;
}
