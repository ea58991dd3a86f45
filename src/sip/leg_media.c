/* SPDX-License-Identifier: Apache-2.0 */
/* leg_media.c  Between session descriptions and the media port: what we say of ourselves, what was agreed, what the port is told. */
#include <errno.h>
#include "base/mem.h"
#include "sip/leg_private.h"

/* NULL: the usual. A call that goes in another codec than G.711 is not asked to leave it by our next offer. */
static const struct sdp_codecs *codecs_for(const struct leg *leg)
{
	if (leg->peer && leg->peer->codecs.n)
		return &leg->peer->codecs;
	return leg->agreed_once && leg->agreed.codec > SDP_PCMA ? &sdp_codecs_default : NULL;
}

static int local_of(struct leg *leg, enum sdp_direction direction, char *host, struct sdp_local *local)
{
	struct net_addr addr;
	struct sdes *sdes;

	if (!leg->port)
		return ENOTCONN;
	if (leg_srtp_of(leg, &sdes))
		return ENOMEM;
	addr = *media_port_addr(leg->port);
	*local = (struct sdp_local){ .port = net_addr_port(&addr), .codecs = codecs_for(leg), .dtmf = true, .direction = direction, .sdes = sdes,
		.comfort = leg->info.peer && leg->info.peer->comfort_noise };
	/* Bound to every address: say the one from which packets to this peer leave. */
	if (net_addr_is_any(&addr) && net_addr_local_for(&addr, &leg->info.source))
		return EADDRNOTAVAIL;
	local->addr = text_of(net_addr_print_host(&addr, host));
	return 0;
}

static int from_sdp(int err, const struct sip_refusal *why)
{
	return err == EBADMSG && why->fault ? EPROTO : err;
}

int leg_offer_read(struct leg *leg, struct text offer, const struct sdp **sdp, struct sip_refusal *why)
{
	struct sip_core *core = leg->core;
	bool kept = leg->offer && offer.p == leg->offer;
	int err;

	*sdp = core->offer.sdp;
	if (kept && core->offer.leg == leg)
		return 0;
	core->offer.leg = NULL;
	if (!core->offer.sdp && !(core->offer.sdp = mem_alloc(sizeof(*core->offer.sdp))))
		return ENOMEM;
	*sdp = core->offer.sdp;
	err = sdp_parse(core->offer.sdp, offer, why);
	if (!err && kept)
		core->offer.leg = leg;
	return err;
}

void leg_offer_drop(struct leg *leg)
{
	if (leg->core->offer.leg == leg)
		leg->core->offer.leg = NULL;
	if (leg->offer) /* keys may be in it */
		mem_wipe(leg->offer, strlen(leg->offer));
	mem_free(leg->offer);
	leg->offer = NULL;
}

int leg_sdp_answer(struct leg *leg, struct text offer, struct buf *out, struct sdp_agreed *agreed, struct sip_refusal *why)
{
	char host[NET_ADDR_SIZE];
	struct sdp_local local;
	const struct sdp *sdp;
	int err = local_of(leg, leg->hold_ours ? SDP_SENDONLY : SDP_SENDRECV, host, &local);

	*why = (struct sip_refusal){ .sentence = "" };
	if (!err)
		err = from_sdp(leg_offer_read(leg, offer, &sdp, why), why);
	if (!err)
		err = from_sdp(sdp_answer(sdp, &local, &leg->sdp, out, agreed, why), why);
	return err;
}

int leg_sdp_offer(struct leg *leg, enum sdp_direction direction, struct buf *out)
{
	char host[NET_ADDR_SIZE];
	struct sdp_local local;
	int err = local_of(leg, direction, host, &local);

	return err ? err : sdp_offer(&local, &leg->sdp, out);
}

int leg_sdp_accept(struct leg *leg, struct text answer, struct sdp_agreed *agreed, struct sip_refusal *why)
{
	char host[NET_ADDR_SIZE];
	struct sdp_local local;
	struct sdp *sdp = mem_alloc(sizeof(*sdp));
	int err = sdp ? local_of(leg, leg->hold_ours ? SDP_SENDONLY : SDP_SENDRECV, host, &local) : ENOMEM;

	*why = (struct sip_refusal){ .sentence = "" };
	if (!err)
		err = from_sdp(sdp_parse(sdp, answer, why), why);
	if (!err)
		err = from_sdp(sdp_accept(sdp, &local, agreed, why), why);
	mem_free(sdp);
	return err;
}

static int start(struct leg *leg, const struct sdp_agreed *a)
{
	static const enum media_codec codecs[SDP_CODECS] = { [SDP_PCMU] = MEDIA_PCMU, [SDP_PCMA] = MEDIA_PCMA, [SDP_G722] = MEDIA_G722,
		                                             [SDP_OPUS] = MEDIA_OPUS, [SDP_L16] = MEDIA_L16, [SDP_L16_WIDE] = MEDIA_L16_WIDE };
	struct net_addr rtp, rtcp;
	struct media_stream s = { .remote = &rtp, .codec = codecs[a->codec], .pt = a->send_pt, .recv_pt = a->recv_pt, .dtmf_khz = a->dtmf_khz,
		                  .rtp_timeout_ms = leg->core->prm.timers.rtp_timeout_ms };

	if (net_addr_parse(&rtp, text_of(a->remote_addr), a->remote_port))
		return EPROTO;
	/* 0.0.0.0 is the old way of hold: there is nowhere to send to, and the stream stays with the last address. */
	if (net_addr_is_any(&rtp)) {
		if (!leg->agreed_once)
			return 0;
		(void)net_addr_parse(&rtp, text_of(leg->agreed.remote_addr), leg->agreed.remote_port);
	}
	if (a->remote_rtcp_port && a->remote_rtcp_port != a->remote_port + 1) {
		rtcp = rtp;
		net_addr_set_port(&rtcp, a->remote_rtcp_port);
		s.remote_rtcp = &rtcp;
	}
	s.dtmf_pt = a->send_dtmf_pt < 0 ? MEDIA_NO_PT : (uint8_t)a->send_dtmf_pt;
	s.dtmf_recv_pt = a->recv_dtmf_pt < 0 ? 0 : (uint8_t)a->recv_dtmf_pt;
	s.comfort_pt = a->comfort ? SDP_COMFORT_PT : 0;
	s.send = !a->held && (a->direction == SDP_SENDRECV || a->direction == SDP_SENDONLY);
	s.recv = a->direction == SDP_SENDRECV || a->direction == SDP_RECVONLY;
	if (a->held)
		s.rtp_timeout_ms = 0;
	if (leg->info.peer) {
		s.inband = leg->info.peer->inband == SIP_INBAND_ON || (leg->info.peer->inband == SIP_INBAND_AUTO && a->send_dtmf_pt < 0);
		s.symmetric = leg->info.peer->symmetric_rtp;
	}
	if (leg->sdes && leg->sdes->next.on) {
		s.send_key = &leg->sdes->next.send;
		s.recv_key = &leg->sdes->next.recv;
	}
	return media_port_start(leg->port, &s);
}

int leg_media_apply(struct leg *leg, const struct sdp_agreed *agreed, bool tell)
{
	struct leg_event ev = { .type = agreed->held ? LEG_HELD : LEG_RESUMED };
	bool changed = leg->held != agreed->held;
	struct net_addr remote;
	int err;

	if (!leg->port)
		return 0;
	err = start(leg, agreed);
	if (err)
		return err;
	sdes_settle(leg->sdes);
	leg->held = agreed->held;
	if (!net_addr_parse(&remote, text_of(agreed->remote_addr), agreed->remote_port) && !net_addr_is_any(&remote)) {
		leg->agreed = *agreed;
		leg->agreed_once = true;
	}
	if (tell && changed)
		leg_emit(leg, &ev);
	return 0;
}
