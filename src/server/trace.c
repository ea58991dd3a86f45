/* SPDX-License-Identifier: Apache-2.0 */
/* trace.c  The trace, built before the pools whose workers may tell it keys; and the collector of node.trace.hep. */
#include "server/server_private.h"
#include "trace/trace.h"

int server_build_trace(struct server *s, struct ev_report *why)
{
	struct trace_prm prm = { .loop = s->loop, .clock = clock_system(), .bus = s->bus, .node = s->cfg->node.name };
	(void)why;
	return trace_create(&s->trace, &prm);
}

void server_drop_trace(struct server *s)
{
	trace_destroy(s->trace);
	s->trace = NULL;
}

int server_build_listening(struct server *s, struct ev_report *why)
{
	const struct cfg_hep *c = &s->cfg->node.hep;
	struct trace_hep h = { .port = c->port, .id = c->id, .redact = c->redact };
	(void)why;
	text_fill(h.host, sizeof h.host, c->host);
	text_fill(h.key, sizeof h.key, c->key);
	trace_attach(s->trace, s->sip);
	return trace_hep_set(s->trace, &h, s->dns, s->metrics);
}

/* Before the core and DNS go. */
void server_drop_listening(struct server *s)
{
	static const struct trace_hep none;
	if (!s->trace)
		return;
	(void)trace_hep_set(s->trace, &none, NULL, NULL);
	trace_attach(s->trace, NULL);
}
