/* SPDX-License-Identifier: Apache-2.0 */
/* answer_anew.c  An answer whose request came over a connection that is gone since (RFC 3261 18.2.2): it goes to where the request came from, at the port
 * of its Via, over a connection of ours that stands there or a new one. Only to a gateway that we know: whoever else may name any port there,
 * and would have us dial it. Over TLS the other side is judged as whenever we dial that gateway.                            */
#include <errno.h>
#include "base/buf.h"
#include "base/mem.h"
#include "sip/conns.h"
#include "sip/core_private.h"

/* Waits for its connection; ends with it. */
struct late_answer {
	struct sip_core *core;
	struct sip_conn *conn; /* a reference */
	struct sip_conn_user use;
	struct buf bytes;
};

static void on_conn(struct sip_conn *c, enum sip_conn_event ev, void *arg)
{
	struct late_answer *a = arg;
	struct sip_path path = { 0 };

	if (ev == SIP_CONN_UP) {
		sip_conn_path(c, &path);
		(void)sip_path_send(a->core, &path, a->bytes.p, a->bytes.n);
		sip_path_clear(&path);
	}
	sip_conn_unuse(c, &a->use);
	mem_unref(a->conn);
	buf_free(&a->bytes);
	mem_free(a);
}

/* The topmost Via of the answer is the one that the request had. 0: it says none. */
static uint16_t port_of(const void *p, size_t n)
{
	struct sip_msg *m = mem_alloc(sizeof(*m));
	uint16_t port = 0;

	if (m && !sip_msg_parse(m, p, n, NULL))
		port = m->via.port;
	mem_free(m);
	return port;
}

int sip_answer_anew(struct sip_core *core, const struct sip_path *path, const void *p, size_t n)
{
	struct sip_peer *peer = path->conn ? path->conn->owner : NULL;
	struct sip_conn_want want = { .addr = path->peer, .transport = path->transport, .peer = peer, .choice = SIP_CONN_REUSE, .at_peer = true };
	struct late_answer *a;
	struct sip_conn *c;
	uint16_t port;
	int err = 0;

	/* One that we opened may lead to whom a Contact or a route named: he isn't the gateway, and must not become it. */
	if (!peer || peer->notes_only || core->ending || (path->conn->opened && !path->conn->at_peer) || (path->transport == NET_TLS && !peer->policy))
		return ENOTCONN;
	port = port_of(p, n);
	net_addr_set_port(&want.addr, port ? port : path->transport == NET_TLS ? 5061 : 5060);
	want.policy = peer->policy;
	want.identity = peer->identity;
	want.sni = peer->sni[0] ? peer->sni : peer->host;
	c = sip_conn_find(core, &want);
	if (!c)
		err = sip_conn_open(&c, core, &want);
	a = err ? NULL : mem_zalloc(1, sizeof(*a));
	if (!a)
		return err ? err : ENOMEM;
	a->core = core;
	buf_init(&a->bytes, n);
	if (buf_put(&a->bytes, p, n)) {
		buf_free(&a->bytes);
		mem_free(a);
		return ENOMEM;
	}
	a->conn = mem_ref(c);
	sip_conn_use(c, &a->use, on_conn, a);
	if (c->state == SIP_CONN_OPEN)
		on_conn(c, SIP_CONN_UP, a);
	return 0;
}
