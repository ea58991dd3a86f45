/* SPDX-License-Identifier: Apache-2.0 */
/* history.c  History-Info (RFC 7044) of ours: in a call that we make for a caller, when such a call is sent on by a 302, and in our answers to whoever
 * understands it. In a REFER it would tell of the REFER: the call that comes of it has the caller's own. What others say is read by leg_info.c. */
#include "sip/leg_private.h"

enum { INDEX_SIZE = 4 * (LEG_HISTORY + 4) };

/* ---- calls of ours ---- */
struct history_put {
	struct leg *leg;
	char index[INDEX_SIZE]; /* of the last one: "1.1.1" */
};

static void entry_put(struct history_put *h, const char *uri, const char *reason, bool mapped)
{
	char parent[INDEX_SIZE];
	struct sip_uri u;

	if (sip_uri_parse(&u, text_of(uri), NULL) || (reason[0] && u.headers.n))
		return;
	text_fill(parent, sizeof(parent), h->index);
	(void)text_print(h->index, sizeof(h->index), parent[0] ? "%s.1" : "1", parent);
	if (mapped && parent[0])
		sip_put_printf(&h->leg->out->said, "History-Info", "<%s>;index=%s;mp=%s", uri, h->index, parent);
	else
		sip_put_printf(&h->leg->out->said, "History-Info", "<%s%s>;index=%s", uri, reason, h->index);
}

/* RFC 7044 10.3: what came before, whose call it was, and where it goes now. Each of our entries follows from the one before it. */
void leg_history_put(struct leg *leg, const struct leg_call_prm *prm)
{
	struct history_put h = { .leg = leg };

	if (prm->after->wants_privacy || !prm->diversion || !prm->diversion[0])
		return;
	for (unsigned i = 0; i < prm->after->n_history; i++)
		entry_put(&h, prm->after->history[i].party.uri, "", false);
	entry_put(&h, prm->diversion, "?Reason=SIP%3Bcause%3D302", false);
	entry_put(&h, prm->uri, "", true);
}

/* Where the last line of `said` that begins so stands; SIZE_MAX: nowhere. */
static size_t last_line(struct text said, struct text name)
{
	size_t found = SIZE_MAX;

	for (size_t at = 0; at < said.n;) {
		struct text rest = text_skip(said, at);
		size_t end = text_find(rest, '\n');
		if (text_eq(text_head(rest, name.n), name))
			found = at;
		at = end == SIZE_MAX ? said.n : at + end + 1;
	}
	return found;
}

/* The entry that we wrote last gets the reason why it was left, and a sibling follows it (RFC 7044 10.3, rule 4: the last number counts on). */
int leg_history_moved(struct leg *leg, struct text target)
{
	const struct text name = TEXT("History-Info: ");
	struct text said = buf_as_text(&leg->out->said), line;
	size_t at = last_line(said, name);
	struct sip_history h;
	struct sip_uri u;
	struct buf b;
	int err;

	if (at == SIZE_MAX)
		return 0;
	line = text_trim(text_skip(said, at + name.n));
	if (sip_history_parse(&h, line, NULL) || !h.n_index || h.addr.uri.headers.n || sip_uri_parse(&u, target, NULL) || u.headers.n)
		return 0;
	buf_init(&b, leg->out->said.max);
	buf_put(&b, said.p, at);
	buf_printf(&b, "History-Info: <%.*s?Reason=SIP%%3Bcause%%3D302>;index=", TEXT_FMT(h.addr.uri.whole));
	for (unsigned i = 0; i < h.n_index; i++)
		buf_printf(&b, i ? ".%u" : "%u", h.index[i]);
	if (h.mp.n)
		buf_printf(&b, ";mp=%.*s", TEXT_FMT(h.mp));
	buf_printf(&b, "\r\nHistory-Info: <%.*s>;index=", TEXT_FMT(target));
	for (unsigned i = 0; i < h.n_index; i++)
		buf_printf(&b, i ? ".%u" : "%u", h.index[i] + (i + 1u == h.n_index));
	if (h.mp.n)
		buf_printf(&b, ";mp=%.*s", TEXT_FMT(h.mp));
	buf_str(&b, "\r\n");
	err = buf_error(&b);
	if (err) {
		buf_free(&b);
		return err;
	}
	buf_free(&leg->out->said);
	leg->out->said = b;
	return 0;
}

/* ---- answers ---- */
static bool understood(const struct sip_msg *req)
{
	struct sip_iter it = sip_iter_of(req, SIP_HDR_SUPPORTED);
	struct text item;

	while (!sip_iter_next(&it, &item))
		if (text_is_nocase(item, "histinfo"))
			return true;
	return false;
}

void sip_history_seen(struct sip_history_last *l, int err, const struct sip_history *h)
{
	if (err || !h->n_index)
		l->unreadable = true;
	else if (!l->entry.n_index || sip_history_compare(h, &l->entry) > 0)
		l->entry = *h;
}

static struct sip_history_last last_of(const struct sip_core *core, const struct sip_msg *req)
{
	struct sip_iter it = sip_iter_of(req, SIP_HDR_HISTORY_INFO);
	struct sip_history_last l = { 0 };
	struct sip_history h;
	struct text item;

	if (core->now.req == req && core->now.history_read)
		return core->now.history;
	while (!sip_iter_next(&it, &item))
		sip_history_seen(&l, sip_history_parse(&h, item, NULL), &h);
	return l;
}

/* What the request brought, as it stands; and where its last entry is not whom it came for, that one behind a gap (RFC 7044 9.1, 9.4, 10.3 rule 6). */
void sip_history_answer(struct sip_core *core, struct buf *b, const struct sip_msg *req)
{
	struct sip_history_last l;
	struct sip_history *last = &l.entry;
	char index[INDEX_SIZE * 4];
	size_t at = 0;

	if (!understood(req))
		return;
	l = last_of(core, req);
	sip_put_copy(b, req, SIP_HDR_HISTORY_INFO);
	last->addr.uri.headers = TEXT_NONE;
	if (l.unreadable || (last->n_index && sip_uri_equal(&last->addr.uri, &req->uri)))
		return;
	for (unsigned i = 0; i < last->n_index; i++) {
		(void)text_print(index + at, sizeof(index) - at, "%u.", last->index[i]);
		at += strlen(index + at);
	}
	(void)text_print(index + at, sizeof(index) - at, "%s", last->n_index ? "0.1" : "1");
	sip_put_printf(b, "History-Info", "<%.*s>;index=%s", TEXT_FMT(req->uri.whole), index);
}
