/* SPDX-License-Identifier: Apache-2.0 */
/* talk_sip.c  Requests and their final answers, where SIP can be read. */
#include "capture/talk_private.h"

static uint64_t key_of(struct text call_id, struct text cseq)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a: who chooses Call-IDs can only confuse the picture of his own capture */
	for (size_t i = 0; i < call_id.n; i++)
		h = (h ^ (uint8_t)call_id.p[i]) * 1099511628211u;
	h = (h ^ 0xff) * 1099511628211u;
	for (size_t i = 0; i < cseq.n; i++)
		h = (h ^ (uint8_t)cseq.p[i]) * 1099511628211u;
	return h;
}

static struct cap_txn *find(struct cap_talk *t, uint64_t key)
{
	for (unsigned i = 0; i < t->n_txns && i < CAP_TXNS; i++)
		if (t->txn[i].key == key)
			return &t->txn[i];
	return NULL;
}

/* Lines are divided by \r\n spelt out. */
static void header(struct text all, const char *name, char *dst, size_t size)
{
	struct text line, n, value;
	while (all.n) {
		size_t at = text_find_text(all, TEXT("\\r\\n"));
		line = at == SIZE_MAX ? all : text_head(all, at);
		all = at == SIZE_MAX ? TEXT_NONE : text_skip(all, at + 4);
		if (text_cut(line, ':', &n, &value) && text_is_nocase(text_trim(n), name)) {
			text_escape(text_trim(value), dst, size);
			return;
		}
	}
}

/* "SIP/2.0/TLS node01.domain.local:5061;branch=..." */
static void via_host(struct text headers, char *dst, size_t size)
{
	char via[TRUST_NAME_SIZE + 64] = "";
	struct text proto, host, rest;
	header(headers, "Via", via, sizeof via);
	if (!text_cut(text_of(via), ' ', &proto, &host))
		return;
	text_cut(text_trim(host), ';', &host, &rest);
	if (!text_starts(host, "[") && text_rfind(host, ':') != SIZE_MAX)
		host = text_head(host, text_rfind(host, ':'));
	(void)text_copy(text_trim(host), dst, size);
}

static void request(struct cap_talk *t, unsigned from, int64_t us, struct text method, uint64_t key, struct text headers)
{
	t->side[from].requests++;
	if (!t->side[from].via[0])
		via_host(headers, t->side[from].via, sizeof t->side[from].via);
	if (text_is(method, "ACK") || text_is(method, "CANCEL") || find(t, key))
		return;
	t->txns_dropped += t->n_txns >= CAP_TXNS;
	struct cap_txn *x = &t->txn[t->n_txns++ % CAP_TXNS];
	*x = (struct cap_txn){ .key = key, .at_us = us, .side = (uint8_t)from };
	text_escape(method, x->method, sizeof x->method);
}

static void answer(struct cap_talk *t, unsigned from, int64_t us, struct text status, struct text line, uint64_t key, struct text headers)
{
	struct cap_txn *x = find(t, key);
	uint64_t n;
	t->side[from].answers++;
	if (!x || x->side == from || !cap_number(status, 699, &n) || n < 100)
		return;
	if (n < 200) {
		x->provisional = (uint16_t)n;
		return;
	}
	x->status = (uint16_t)n;
	x->answered_us = us;
	text_escape(text_skip(line, 12), x->phrase, sizeof x->phrase); /* "SIP/2.0 403 " */
	header(headers, "Reason", x->reason, sizeof x->reason);
	header(headers, "Warning", x->warning, sizeof x->warning);
	header(headers, "ms-diagnostics", x->diagnostics, sizeof x->diagnostics);
}

/* A packet may hold several messages. Requests come before answers in what is told of it; where both are in one, each list is taken in its
 * own order. */
void cap_talk_sip(struct cap_talk *t, const struct cap_line *l, unsigned from, int64_t us)
{
	struct text methods = l->value[CAP_SIP_METHOD], statuses = l->value[CAP_SIP_STATUS], lines = l->value[CAP_SIP_STATUS_LINE];
	struct text cseqs = l->value[CAP_SIP_CSEQ], ids = l->value[CAP_SIP_CALL_ID], headers = l->value[CAP_SIP_HEADERS];
	struct text cseq, id, head, v, line, what, method;
	while (cap_next(&cseqs, &cseq)) {
		id = head = line = TEXT_NONE;
		cap_next(&ids, &id);
		cap_next(&headers, &head);
		text_cut(text_trim(cseq), ' ', &what, &method);
		uint64_t key = key_of(id, cseq);
		t->sip = true;
		if (methods.n && text_eq(cap_first(methods), text_trim(method)) && cap_next(&methods, &v)) {
			request(t, from, us, v, key, head);
		} else if (cap_next(&statuses, &v)) {
			cap_next(&lines, &line);
			answer(t, from, us, v, line, key, head);
		}
	}
}
