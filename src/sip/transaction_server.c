/* SPDX-License-Identifier: Apache-2.0 */
/* transaction_server.c  The server machines, RFC 3261 17.2 and RFC 6026 7.1. */
#include <assert.h>
#include <errno.h>
#include "base/mem.h"
#include "sip/transaction_ends.h"
#include "sip/transaction_private.h"
#include "sip/writer.h"

enum stx_state {
	STX_TRYING,     /* nothing sent */
	STX_PROCEEDING, /* 1xx sent */
	STX_COMPLETED,  /* final response sent */
	STX_CONFIRMED,  /* INVITE: ACK of a non-2xx came; repeated ACKs are absorbed */
	STX_ACCEPTED,   /* INVITE: 2xx sent; repeated INVITEs are absorbed, the user repeats the 2xx */
	STX_OVER,
};

struct sip_stx {
	struct sip_txns *txns;
	struct link link;
	struct hash_entry by_key, by_merge;
	char *key, *merge; /* one block */
	enum stx_state state;
	bool invite;
	unsigned status;
	struct sip_path path;
	char *request;
	size_t request_n;
	uint8_t *response;
	size_t response_n;
	struct tmr repeat, end; /* G, or the 100 that is due; H, I, J, L */
	unsigned repeat_ms;
	sip_stx_h *h;
	void *arg;
};

static void stx_destroy(void *object)
{
	struct sip_stx *s = object;

	tmr_cancel(&s->repeat);
	tmr_cancel(&s->end);
	sip_path_clear(&s->path);
	mem_free(s->key);
	mem_free(s->request);
	mem_free(s->response);
}

/* Out of the table, the machine's own reference given back. */
static void stx_leave(struct sip_stx *s)
{
	if (s->state == STX_OVER)
		return;
	s->state = STX_OVER;
	tmr_cancel(&s->repeat);
	tmr_cancel(&s->end);
	hash_remove(&s->by_key);
	hash_remove(&s->by_merge);
	list_remove(&s->link);
	s->txns->count--;
	s->h = NULL;
	mem_unref(s);
}

static void stx_over(struct sip_stx *s)
{
	sip_stx_h *h = s->h;
	void *arg = s->arg;

	if (s->state == STX_OVER)
		return;
	mem_ref(s);
	stx_leave(s);
	if (h)
		h(s, SIP_STX_OVER, arg);
	mem_unref(s);
}

void sip_stx_end_all(struct sip_txns *txns)
{
	struct link *l;

	while ((l = list_first(&txns->server_list)))
		stx_leave(LIST_ENTRY(l, struct sip_stx, link));
}

/* RFC 3261 17.2.3: branch, sent-by and method; and Call-ID with CSeq, which a repetition, an ACK and a CANCEL keep: who makes the same branch for all
 * he sends gets an answer to each. Without the cookie of RFC 3261 all that an older peer must keep the same. */
static void key_put(struct buf *b, const struct sip_msg *req, const char *method)
{
	if (req->via.has_magic) {
		const struct text words[] = { text_of(method), req->via.branch, req->via.host, req->call_id };
		for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
			buf_text(b, words[i]);
			buf_char(b, ' ');
		}
		buf_uint(b, req->via.port);
		buf_char(b, ' ');
		buf_uint(b, req->cseq.number);
		return;
	}
	buf_printf(b, "old %s %.*s %u %.*s %.*s %.*s", method, TEXT_FMT(req->call_id), req->cseq.number, TEXT_FMT(req->from_tag), TEXT_FMT(req->via.whole),
	           TEXT_FMT(req->uri.whole));
}

static void merge_put(struct buf *b, const struct sip_msg *req)
{
	buf_text(b, req->call_id);
	buf_char(b, ' ');
	buf_text(b, req->from_tag);
	buf_char(b, ' ');
	buf_uint(b, req->cseq.number);
	buf_char(b, ' ');
	buf_text(b, req->method_text);
}

static struct sip_stx *find(struct sip_txns *txns, const struct sip_msg *req, const char *method)
{
	struct hash_entry *e = NULL;
	struct buf b;

	buf_init(&b, 8192);
	key_put(&b, req, method);
	if (!buf_error(&b))
		e = hash_find(txns->servers, buf_as_text(&b));
	buf_free(&b);
	return e ? HASH_MEMBER(e, struct sip_stx, by_key) : NULL;
}

static const char *method_for_key(const struct sip_msg *req, char *room, size_t size)
{
	if (req->method == SIP_ACK)
		return "INVITE";
	return text_copy(text_head(req->method_text, size - 1), room, size) ? "" : room;
}

struct sip_stx *sip_stx_find(struct sip_txns *txns, const struct sip_msg *req)
{
	char room[64];

	return find(txns, req, method_for_key(req, room, sizeof(room)));
}

struct sip_stx *sip_stx_cancelled(struct sip_txns *txns, const struct sip_msg *cancel)
{
	return find(txns, cancel, "INVITE");
}

bool sip_stx_merged(struct sip_txns *txns, const struct sip_msg *req)
{
	struct buf b;
	bool there;

	buf_init(&b, 8192);
	merge_put(&b, req);
	there = !buf_error(&b) && hash_find(txns->merges, buf_as_text(&b));
	buf_free(&b);
	return there;
}

static int keys_make(struct sip_stx *s, const struct sip_msg *req)
{
	char room[64];
	struct buf b;
	size_t n = 0, cut;
	int err;

	buf_init(&b, 16384);
	key_put(&b, req, method_for_key(req, room, sizeof(room)));
	cut = b.n;
	buf_char(&b, '\0');
	merge_put(&b, req);
	err = buf_error(&b);
	if (!err) {
		s->key = (char *)buf_take(&b, &n);
		if (!s->key)
			err = ENOMEM;
	}
	buf_free(&b);
	if (err)
		return err;
	s->merge = s->key + cut + 1;
	err = hash_add(s->txns->servers, &s->by_key, text_make(s->key, cut));
	/* A second one of the same dialog and CSeq is the merged request itself, answered 482: it need not be found by this key. */
	if (!err)
		(void)hash_add(s->txns->merges, &s->by_merge, text_make(s->merge, n - cut - 1));
	return err;
}

/* RFC 4320 4.1: who asked anything but INVITE and has no answer by the time that his timer E reaches T2 is told 100, and never sooner. */
static int64_t trying_due_ms(const struct sip_timers *t)
{
	int64_t sum = 0;

	for (unsigned e = t->t1; e < t->t2; e *= 2)
		sum += e;
	return sum;
}

static int answer(struct sip_stx *s, unsigned status, const void *p, size_t n);

static void on_trying_due(void *arg)
{
	struct sip_stx *s = arg;
	char host[NET_ADDR_SIZE];
	struct sip_response_prm prm = { .status = 100, .received = text_of(net_addr_print_host(&s->path.peer, host)), .rport = net_addr_port(&s->path.peer) };
	struct sip_msg *req = mem_alloc(sizeof(*req));
	struct buf b;

	buf_init(&b, SIP_HEAD_MAX_BYTES);
	if (req && !sip_msg_parse(req, s->request, s->request_n, NULL)) {
		sip_put_response(&b, req, &prm);
		sip_put_end(&b);
		if (!buf_error(&b))
			(void)answer(s, 100, b.p, b.n);
	}
	buf_free(&b);
	mem_free(req);
}

int sip_stx_create(struct sip_stx **sp, struct sip_txns *txns, const struct sip_msg *req, const struct sip_path *path)
{
	struct sip_stx *s;
	int err;

	if (txns->count >= txns->max)
		return EAGAIN;
	s = mem_object(sizeof(*s), stx_destroy);
	if (!s)
		return ENOMEM;
	s->txns = txns;
	s->invite = req->method == SIP_INVITE;
	s->request_n = req->whole.n;
	s->request = mem_strndup(req->whole.p, req->whole.n);
	err = s->request ? keys_make(s, req) : ENOMEM;
	if (err) {
		hash_remove(&s->by_key);
		hash_remove(&s->by_merge);
		mem_unref(s);
		return err;
	}
	sip_path_copy(&s->path, path);
	list_append(&txns->server_list, &s->link);
	txns->count++;
	if (!s->invite)
		tmr_start(txns->loop, &s->repeat, trying_due_ms(&txns->t), on_trying_due, s);
	*sp = s;
	return 0;
}

void sip_stx_handler(struct sip_stx *s, sip_stx_h *h, void *arg)
{
	s->h = h;
	s->arg = arg;
}

static void on_end(void *arg)
{
	struct sip_stx *s = arg;
	sip_stx_h *h = s->h;

	mem_ref(s);
	if (s->invite && s->state == STX_COMPLETED && h)
		h(s, SIP_STX_NO_ACK, s->arg);
	stx_over(s);
	mem_unref(s);
}

static void send_response(struct sip_stx *s)
{
	if (s->response)
		(void)s->txns->send(&s->path, s->response, s->response_n, s->txns->send_arg);
}

static void on_repeat(void *arg)
{
	struct sip_stx *s = arg;

	s->txns->repeats++;
	send_response(s);
	s->repeat_ms = s->repeat_ms * 2 > s->txns->t.t2 ? s->txns->t.t2 : s->repeat_ms * 2;
	tmr_start(s->txns->loop, &s->repeat, s->repeat_ms, on_repeat, s);
}

void sip_stx_again(struct sip_stx *s, const struct sip_msg *req, const struct sip_path *path)
{
	sip_stx_h *h = s->h;

	s->txns->repeats++;
	if (req->method != SIP_ACK) {
		/* RFC 6026 7.1: in Accepted the repeated INVITE is absorbed, the 2xx is on its way by the user's timer. */
		if ((s->state == STX_PROCEEDING || s->state == STX_COMPLETED) && s->response)
			(void)s->txns->send(path, s->response, s->response_n, s->txns->send_arg);
		return;
	}
	if (!s->invite || s->state != STX_COMPLETED)
		return;
	s->txns->repeats--;
	s->state = STX_CONFIRMED;
	tmr_cancel(&s->repeat);
	mem_ref(s);
	tmr_start_lax(s->txns->loop, &s->end, sip_path_reliable(&s->path) ? 0 : s->txns->t.t4, on_end, s); /* I */
	if (h)
		h(s, SIP_STX_ACK, s->arg);
	mem_unref(s);
}

static void final_timers(struct sip_stx *s, unsigned status)
{
	struct sip_txns *x = s->txns;
	bool reliable = sip_path_reliable(&s->path);

	tmr_cancel(&s->repeat);

	if (s->invite && status < 300) {
		s->state = STX_ACCEPTED;
		tmr_start_lax(x->loop, &s->end, x->t.t1 * 64, on_end, s); /* L */
		return;
	}
	s->state = STX_COMPLETED;
	if (!s->invite) {
		tmr_start_lax(x->loop, &s->end, reliable ? 0 : x->t.t1 * 64, on_end, s); /* J */
		return;
	}
	tmr_start_lax(x->loop, &s->end, x->t.t1 * 64, on_end, s); /* H */
	s->repeat_ms = x->t.t1;
	if (!reliable)
		tmr_start(x->loop, &s->repeat, s->repeat_ms, on_repeat, s); /* G */
}

static int answer(struct sip_stx *s, unsigned status, const void *p, size_t n)
{
	uint8_t *copy = NULL;
	int err;

	if (s->state == STX_ACCEPTED && status >= 200 && status < 300)
		return s->txns->send(&s->path, p, n, s->txns->send_arg);
	if (s->state > STX_PROCEEDING)
		return EALREADY;
	/* A 2xx of an INVITE is repeated by the user, who keeps the bytes. */
	if (!(s->invite && status >= 200 && status < 300)) {
		copy = mem_alloc(n ? n : 1);
		if (!copy)
			return ENOMEM;
		memcpy(copy, p, n);
	}
	mem_free(s->response);
	s->response = copy;
	s->response_n = copy ? n : 0;
	s->status = status;
	err = s->txns->send(&s->path, p, n, s->txns->send_arg);
	if (status < 200) {
		s->state = STX_PROCEEDING;
		return err;
	}
	mem_free(s->request);
	s->request = NULL;
	s->request_n = 0;
	/* Who was refused may ask by another way as well and hears the same; only what was begun here must not begin twice. */
	if (status >= 300)
		hash_remove(&s->by_merge);
	final_timers(s, status);
	return err;
}

int sip_stx_respond(struct sip_stx *s, unsigned status, const void *p, size_t n)
{
	/* RFC 4320 4.1, 4.2: the only provisional answer is a 100, which comes by itself when it is due; and who hears 408 has given up before. */
	if (!s->invite && (status < 200 || status == 408))
		return EINVAL;
	return answer(s, status, p, n);
}

static int64_t left(const struct tmr *t)
{
	return tmr_active(t) ? tmr_left_ms(t) : -1;
}

struct sip_txn_look sip_stx_look(const struct sip_stx *s)
{
	static const char *const names[] = {
		[STX_TRYING] = "Trying", [STX_PROCEEDING] = "Proceeding", [STX_COMPLETED] = "Completed",
		[STX_CONFIRMED] = "Confirmed", [STX_ACCEPTED] = "Accepted", [STX_OVER] = "Terminated",
	};

	return (struct sip_txn_look){ s->state == STX_TRYING && s->invite ? "Proceeding" : names[s->state], left(&s->repeat), left(&s->end) };
}

struct text sip_stx_request(const struct sip_stx *s)
{
	return s->request ? text_make(s->request, s->request_n) : TEXT_NONE;
}

const struct sip_path *sip_stx_path(const struct sip_stx *s)
{
	return &s->path;
}

unsigned sip_stx_status(const struct sip_stx *s)
{
	return s->status;
}

bool sip_stx_accepted(const struct sip_stx *s)
{
	return s->state == STX_ACCEPTED;
}

bool sip_stx_is_invite(const struct sip_stx *s)
{
	return s->invite;
}

void *sip_stx_arg(const struct sip_stx *s)
{
	return s->arg;
}

sip_stx_h *sip_stx_handler_of(const struct sip_stx *s)
{
	return s->h;
}
