/* SPDX-License-Identifier: Apache-2.0 */
/* trace.c  See trace.h. The session of a message is found by its tags, and only when somebody listens. */
#include "sip/trace.h"
#include "base/mem.h"
#include "sip/conns.h"
#include "sip/core_private.h"
#include "sip/message.h"
#include "sip/sdes.h"

static void tell_tracer(struct sip_core *core, const struct sip_path *path, bool in, struct text bytes, const char *session)
{
	struct ev_report why;
	struct sip_peer *who = sip_who(core, path, &why);
	struct sip_trace t = { .in = in, .transport = path->transport, .local = path->local, .peer = path->peer, .real_us = clock_real_us(core->prm.clock),
		               .data = (const uint8_t *)bytes.p, .n = bytes.n, .session = session, .gateway = who ? who->name : "",
		               .conn = path->conn ? path->conn->wire_id : 0 };

	core->tracer(&t, core->tracer_arg);
	mem_unref(who);
}

static void tell_bus(struct sip_core *core, const struct sip_path *path, uint16_t id, struct text bytes, const char *session)
{
	struct text first = text_head(bytes, text_find(bytes, '\r'));
	struct ev_report r;
	char peer[NET_ADDR_SIZE];

	ev_set(&r, id);
	ev_session(&r, session);
	ev_str(&r, "peer", net_addr_print(&path->peer, peer));
	ev_str(&r, "transport", net_transport_name(path->transport));
	ev_text(&r, "first_line", text_head(first, 200));
	struct text shown = sip_message_shown(bytes);
	char *copy = text_dup(shown); /* keys of SRTP are nobody's to read */
	if (copy) {
		sdes_strike(copy, shown.n);
		ev_text(&r, "message", text_make(copy, shown.n));
	}
	ev_emit(core->bus, &r);
	mem_free(copy);
}

void sip_trace_message(struct sip_core *core, const struct sip_path *path, bool in, struct text bytes)
{
	uint16_t id = in ? EV_SIP_MESSAGE_IN : EV_SIP_MESSAGE_OUT;
	bool wanted = ev_wanted(core->bus, id);
	const char *session;

	metric_add(in ? core->m.in : core->m.out, 1);
	if (!core->tracer && !wanted)
		return;
	session = sip_session_of(core, bytes);
	if (core->tracer)
		tell_tracer(core, path, in, bytes, session);
	if (wanted)
		tell_bus(core, path, id, bytes, session);
}
