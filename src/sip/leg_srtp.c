/* SPDX-License-Identifier: Apache-2.0 */
/* leg_srtp.c  Whether the sound of a leg is encrypted: what was asked for, its keys, and the events when two sides do not agree about it. */
#include <errno.h>
#include "base/mem.h"
#include "sip/leg_private.h"

void leg_srtp(struct leg *leg, enum sdes_want want)
{
	leg->srtp_want = want;
	if (leg->sdes)
		leg->sdes->want = want;
}

bool leg_is_encrypted(const struct leg *leg)
{
	return leg->sdes && leg->sdes->now.on;
}

void leg_srtp_forget(struct leg *leg)
{
	if (leg->sdes)
		mem_free_secret(leg->sdes, sizeof(*leg->sdes));
	leg->sdes = NULL;
}

int leg_srtp_of(struct leg *leg, struct sdes **sp)
{
	if (!leg->sdes && leg->srtp_want != SDES_OFF) {
		leg->sdes = mem_alloc(sizeof(*leg->sdes));
		if (!leg->sdes)
			return ENOMEM;
		sdes_init(leg->sdes, leg->srtp_want);
	}
	if (leg->sdes) /* DNS may have chosen the transport meanwhile */
		leg->sdes->open_line = leg->d.transport != NET_TLS;
	*sp = leg->sdes;
	return 0;
}

static uint16_t event_of(enum sip_fault fault)
{
	switch (fault) {
	case SIP_FAULT_SDP_NOT_ENCRYPTED: return EV_SIP_SOUND_NOT_ENCRYPTED;
	case SIP_FAULT_SDP_ONLY_SRTP: return EV_SIP_SOUND_ONLY_ENCRYPTED;
	case SIP_FAULT_SDP_NO_KEYS: case SIP_FAULT_SDP_NO_SUITE: return EV_SIP_SOUND_NO_SUITE;
	case SIP_FAULT_SDP_KEYS_OPEN: return EV_SIP_SOUND_KEYS_OPEN;
	case SIP_FAULT_SDP_ANSWER_PLAIN: case SIP_FAULT_SDP_ANSWER_KEYS: return EV_SIP_SOUND_ANSWER;
	default: return 0;
	}
}

bool leg_srtp_report(struct leg *leg, const struct sip_refusal *why, struct ev_report *report)
{
	uint16_t id = event_of(why->fault);
	char offered[256] = "";

	if (!id)
		return false;
	if (leg->core->offer.sdp && id != EV_SIP_SOUND_ANSWER)
		sdes_offered(leg->core->offer.sdp, offered, sizeof(offered));
	ev_set(report, id);
	ev_session(report, leg->session);
	ev_str(report, "gateway", leg->peer ? leg->peer->name : "");
	ev_str(report, "transport", net_transport_name(leg->d.transport));
	ev_str(report, "why", why->sentence);
	ev_str(report, "offered", offered);
	ev_str(report, "wanted", sdes_want_name(leg->srtp_want));
	ev_str(report, "called", leg->info.called.uri);
	ev_emit(leg->core->bus, report);
	return true;
}

/* Many a gateway says no more than its status when it has no SRTP. */
void leg_srtp_refused(struct leg *leg, unsigned status, const char *words)
{
	struct ev_report r;

	if (leg->srtp_want != SDES_REQUIRED || (status != 488 && status != 415 && status != 606))
		return;
	ev_set(&r, EV_SIP_SOUND_REFUSED);
	ev_session(&r, leg->session);
	ev_str(&r, "gateway", leg->peer ? leg->peer->name : "");
	ev_str(&r, "called", leg->info.called.uri);
	ev_int(&r, "status", status);
	ev_str(&r, "reason", words);
	ev_emit(leg->core->bus, &r);
}
