/* SPDX-License-Identifier: Apache-2.0 */
/* source.c  Whose packets are these? A peer behind a NAT, who is found by where his packets come from; and a peer who uses our own SSRC, or sends
 * us our own packets (RFC 3550 8.2). On the media thread. */
#include "base/rand.h"
#include "media/media_private.h"

enum { QUIET_US = 2000000, CONFLICT_US = 10000000, NEAR = 200 };

/* ---- symmetric RTP ---- */

/* Who is heard stays; another one only where it is not the first and the one before has been silent. */
static bool may_latch(const struct media_port *port, int64_t now_us)
{
	return port->cfg.symmetric && (!port->latched || now_us - port->last_rx_us >= QUIET_US);
}

void source_latch(struct media_thread *t, struct media_port *port, const struct net_addr *from)
{
	port->latched = true;
	if (net_addr_eq(from, &port->cfg.remote))
		return;
	bool beside = net_addr_port(&port->cfg.remote_rtcp) == net_addr_port(&port->cfg.remote) + 1;
	port->cfg.remote = *from;
	port->cfg.remote_rtcp = *from;
	if (beside)
		net_addr_set_port(&port->cfg.remote_rtcp, (uint16_t)(net_addr_port(from) + 1));
	port->good = 0;
	port->talking = false; /* the marker tells the new place where speech begins */
	thread_emit(t, &(struct media_msg){ .type = MEDIA_LATCHED, .port = port, .addr = *from });
}

bool source_latches(struct media_thread *t, struct media_port *port, const struct net_addr *from, const uint8_t *p, size_t n, int64_t now_us)
{
	struct rtp_packet pkt;
	if (!may_latch(port, now_us) || n > RTP_PACKET_MAX || rtp_parse(&pkt, p, n) || pkt.ssrc == port->ssrc ||
	    (pkt.pt != port->cfg.recv_pt && pkt.pt != port->cfg.dtmf_recv_pt && (!port->cfg.comfort_pt || pkt.pt != port->cfg.comfort_pt)))
		return false;
	source_latch(t, port, from);
	return true;
}

/* Whoever was heard by RTP may send his reports from another port of his: a NAT gives it any. */
bool source_reports(struct media_port *port, const struct net_addr *from)
{
	if (net_addr_eq(from, &port->cfg.remote_rtcp))
		return true;
	if (!port->cfg.symmetric || !port->latched || !net_addr_eq_host(from, &port->cfg.remote))
		return false;
	port->cfg.remote_rtcp = *from;
	return true;
}

/* A new offer and answer: what was found stays, where the peer says the same of himself as before. True: it is elsewhere now. */
bool source_moves(struct media_port *port, struct stream_cfg *cfg)
{
	bool same = port->started && net_addr_eq(&cfg->remote, &port->negotiated);
	port->negotiated = cfg->remote;
	if (same && port->latched && cfg->symmetric) {
		cfg->remote = port->cfg.remote;
		cfg->remote_rtcp = port->cfg.remote_rtcp;
		return false;
	}
	port->latched = false;
	return !same || !net_addr_eq(&cfg->remote, &port->cfg.remote);
}

/* ---- our own SSRC ---- */
static uint32_t another_ssrc(uint32_t not_this)
{
	uint32_t ssrc = 0;
	do
		ssrc = rand_below(UINT16_MAX + 1u) << 16 | rand_below(UINT16_MAX + 1u);
	while (ssrc == not_this);
	return ssrc;
}

static void change_ssrc(struct media_thread *t, struct media_port *port, int64_t now_us)
{
	report_send(port, now_us, true);
	port->ssrc_was = port->ssrc;
	port->ssrc = another_ssrc(port->ssrc);
	port->conflict_us = now_us;
	port->conflict = true;
	port->talking = false;
	thread_emit(t, &(struct media_msg){ .type = MEDIA_COLLISION, .port = port });
}

static void looped(struct media_thread *t, struct media_port *port, int64_t now_us)
{
	port->conflict_us = now_us;
	if (port->loop_told)
		return;
	port->loop_told = true;
	thread_emit(t, &(struct media_msg){ .type = MEDIA_LOOP, .port = port });
}

/* Sent by us a moment ago, by its number. */
static bool just_sent(const struct media_port *port, const struct rtp_packet *pkt)
{
	return (uint16_t)(port->seq - pkt->seq) <= NEAR;
}

/* The first one that bears our SSRC makes us take another. If packets follow us there, they are our own. */
bool source_is_ours(struct media_thread *t, struct media_port *port, const struct rtp_packet *pkt, int64_t now_us)
{
	bool recent = port->conflict && now_us - port->conflict_us < CONFLICT_US;
	if (pkt->ssrc == port->ssrc) {
		if (recent)
			looped(t, port, now_us);
		else
			change_ssrc(t, port, now_us);
		return recent || just_sent(port, pkt);
	}
	return recent && pkt->ssrc == port->ssrc_was && just_sent(port, pkt); /* those that were still under way */
}
