/* SPDX-License-Identifier: Apache-2.0 */
/* report.c  RTCP of a port (RFC 3550 6): reports read twice a second, sent about every five. On the media thread. */
#include <sys/socket.h>
#include <time.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "media/media_private.h"

enum { RTCP_READ_FRAMES = 25, READ_LATE_US = 2000000 };

/* How long ago the kernel took it. Reports are read twice a second only, and that would count as a way twice as long as it is; audio is read on the
 * tick, and that would count as jitter of the network. */
static int64_t waited_us(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct timespec at;
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&at, CMSG_DATA(c), sizeof at);
		int64_t us = clock_real_us(clock_system()) - (at.tv_sec * INT64_C(1000000) + at.tv_nsec / 1000); /* the kernel's clock, whatever ours is */
		return us > 0 && us < READ_LATE_US ? us : 0;
	}
	return 0;
}

ssize_t report_read(int fd, uint8_t *p, size_t size, struct sockaddr_storage *from, int64_t *its_wait_us)
{
	union { /* aligned as control data must be */
		char room[CMSG_SPACE(sizeof(struct timespec))];
		struct cmsghdr head;
	} control;
	struct iovec iov = { p, size };
	struct msghdr m = { .msg_name = from, .msg_namelen = sizeof *from, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_TRUNC);
	*its_wait_us = n < 0 ? 0 : waited_us(&m);
	return n;
}

static void receive(struct media_port *port, int64_t read_us)
{
	uint8_t p[RTP_PACKET_MAX] MEM_NOT_CLEARED;
	for (unsigned i = 0; i < 4; i++) {
		struct sockaddr_storage ss MEM_NOT_CLEARED;
		int64_t its_wait_us;
		ssize_t n = report_read(port->fd_rtcp, p, sizeof p, &ss, &its_wait_us);
		struct net_addr from;
		struct rtcp_heard h;
		if (n < 0)
			return;
		if ((size_t)n > sizeof p)
			continue;
		int64_t now_us = read_us - its_wait_us;
		size_t len = (size_t)n;
		net_addr_from(&from, (struct sockaddr *)&ss);
		if (!port->started || (port->secure && !secure_open_rtcp(port, p, &len)) || !source_reports(port, &from) || rtcp_parse(&h, p, len, port->ssrc))
			continue;
		if (h.sr) {
			port->lsr = (uint32_t)(h.ntp >> 16);
			port->lsr_us = now_us;
		}
		if (!h.about_us)
			continue;
		atomic_store_explicit(&port->count.peer_lost, h.block.lost, memory_order_relaxed);
		uint32_t now_ntp = (uint32_t)(rtcp_ntp(now_us) >> 16), rtt = now_ntp - h.block.lsr - h.block.dlsr;
		if (h.block.lsr && rtt < 10u << 16) /* ten seconds is no round trip */
			atomic_store_explicit(&port->count.rtt_us, (uint32_t)((uint64_t)rtt * 1000000 >> 16), memory_order_relaxed);
	}
}

/* NTP stamps come from the monotonic clock: differences are all that is asked of them, and it never jumps (RFC 3550 4). */
void report_send(struct media_port *port, int64_t now_us, bool bye)
{
	uint64_t sent = atomic_load_explicit(&port->count.sent, memory_order_relaxed);
	struct rtcp_report r = { .ssrc = port->ssrc, .sender = sent > 0, .ntp = rtcp_ntp(now_us), .rtp_ts = port->ts,
		.packets = (uint32_t)sent, .octets = port->octets, .has_block = port->rtp_rx.known, .bye = bye };
	uint8_t p[RTCP_PACKET_MAX + SRTP_ROOM];
	if (r.has_block)
		r.block = (struct rtcp_block){ .ssrc = port->rtp_rx.ssrc, .fraction = rtp_rx_fraction(&port->rtp_rx), .lost = rtp_rx_lost(&port->rtp_rx),
			.highest = rtp_rx_highest(&port->rtp_rx), .jitter = port->rtp_rx.jitter16 >> 4, .lsr = port->lsr,
			.dlsr = port->lsr ? (uint32_t)(((uint64_t)(now_us - port->lsr_us) << 16) / 1000000) : 0 };
	snprintf(r.cname, sizeof r.cname, "%08x", port->ssrc);
	size_t n = rtcp_write(p, &r);
	if (!port->secure || (n = secure_seal_rtcp(port, p, n)) != 0)
		sendto(port->fd_rtcp, p, n, MSG_DONTWAIT | MSG_NOSIGNAL, &port->cfg.remote_rtcp.u.sa, net_addr_len(&port->cfg.remote_rtcp));
}

void report_turn(struct media_port *port, int64_t now_us)
{
	port->rtcp_frame++;
	if (port->rtcp_frame % RTCP_READ_FRAMES == 0) {
		receive(port, now_us);
		atomic_store_explicit(&port->count.lost, rtp_rx_lost_all(&port->rtp_rx), memory_order_relaxed);
		atomic_store_explicit(&port->count.jitter_us, (uint32_t)((uint64_t)(port->rtp_rx.jitter16 >> 4) * 1000000 / codec_info(port->cfg.codec)->clock), memory_order_relaxed);
	}
	if (port->rtcp_frame < port->rtcp_every)
		return;
	port->rtcp_frame = 0;
	port->rtcp_every = RTCP_SEND_FRAMES / 2 + rand_below(RTCP_SEND_FRAMES); /* 6.2: 0.5 to 1.5 times the interval */
	if (port->started)
		report_send(port, now_us, false);
}
