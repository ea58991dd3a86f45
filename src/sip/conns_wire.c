/* SPDX-License-Identifier: Apache-2.0 */
/* conns_wire.c  What a trace hears of a connection: its bytes below TLS, that it came up, how it ended. */
#include "base/mem.h"
#include "sip/conns.h"
#include "sip/core_private.h"

static void wire_conn(const struct sip_conn *c, struct sip_wire_conn *w)
{
	*w = (struct sip_wire_conn){ .id = c->wire_id, .transport = c->transport, .opened = c->opened, .local = conn_local(c->conn), .peer = &c->peer,
		                     .gateway = c->owner ? c->owner->name : "" };
}

void sip_conn_on_tap(const struct conn *conn, bool in, const uint8_t *data, size_t n, void *arg)
{
	struct sip_conn *c = arg;
	struct sip_wire_conn w;
	bool first = !c->tapped;

	(void)conn;
	c->tapped = true;
	if (!c->core->wire.bytes || !c->conn)
		return;
	wire_conn(c, &w);
	w.first = first;
	c->core->wire.bytes(&w, in, data, n, c->core->wire.arg);
}

void sip_conn_tell_up(struct sip_conn *c)
{
	struct sip_wire_conn w;
	struct trust_facts *f;

	if (!c->core->wire.up || !(f = mem_alloc(sizeof(*f))))
		return;
	wire_conn(c, &w);
	sip_conn_facts(c, f);
	c->core->wire.up(&w, f, c->core->wire.arg);
	mem_free(f);
}

void sip_conn_tell_end(const struct sip_conn *c)
{
	struct sip_wire_conn w;

	if (!c->core->wire.ended || !c->conn)
		return;
	wire_conn(c, &w);
	c->core->wire.ended(&w, &c->end, c->facts, c->core->wire.arg);
}

void sip_core_looked_up(struct sip_core *core, const char *gateway, const struct dns_targets *t)
{
	if (core->wire.looked_up && t->n_trail)
		core->wire.looked_up(gateway, t, core->wire.arg);
}
