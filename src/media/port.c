/* SPDX-License-Identifier: Apache-2.0 */
/* port.c  A port as the loop sees it: opened, told what to do, closed. */
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/rand.h"
#include "media/media_private.h"
#include "media_events.h"

enum { ANY_PAIR_TRIES = 64 };

/* ---- a pair of sockets ---- */
static int bind_one(int *fdp, struct net_addr *addr)
{
	int fd = socket(addr->u.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int on = 1, err = 0;
	if (net_addr_is_v6(addr) && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on))
		err = errno;
	if (!err && bind(fd, &addr->u.sa, net_addr_len(addr)))
		err = errno;
	struct net_addr got = *addr;
	socklen_t len = net_addr_len(addr);
	/* only who asked for none must be told which port it is */
	if (!err && !net_addr_port(addr) && getsockname(fd, &got.u.sa, &len))
		err = errno;
	if (err) {
		close(fd);
		return err;
	}
	net_addr_set_port(addr, net_addr_port(&got));
	*fdp = fd;
	return 0;
}

static int bind_pair(struct media_port *port, uint16_t rtp_port)
{
	struct net_addr rtp = port->local;
	net_addr_set_port(&rtp, rtp_port);
	int err = bind_one(&port->fd, &rtp);
	if (err)
		return err;
	struct net_addr rtcp = rtp;
	net_addr_set_port(&rtcp, (uint16_t)(net_addr_port(&rtp) + 1));
	err = bind_one(&port->fd_rtcp, &rtcp);
	if (err) {
		close(port->fd);
		port->fd = -1;
		return err;
	}
	int on = 1;
	(void)setsockopt(port->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on); /* without it jitter is told too great, */
	(void)setsockopt(port->fd_rtcp, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on); /* and round trips too long */
	port->local = rtp;
	return 0;
}

/* The range is walked in a ring, so that a port rests before it is used again. */
static int bind_from_range(struct media_port *port)
{
	struct media_engine *e = port->engine;
	unsigned min = (e->prm.port_min + 1u) & ~1u, max = e->prm.port_max, pairs = max > min ? (max - min + 1) / 2 : 0;
	for (unsigned i = 0; i < pairs; i++) {
		uint16_t at = e->next_port;
		e->next_port = (uint16_t)(at + 2u + 1u > max ? min : at + 2u);
		int err = bind_pair(port, at);
		if (err != EADDRINUSE)
			return err;
	}
	return EADDRINUSE;
}

/* The kernel names a port; then it is asked for by number: a port that nobody asked for is lost when the socket is disconnected (stream.c does so). */
static int bind_any(struct media_port *port)
{
	int err = EADDRINUSE;
	for (unsigned i = 0; i < ANY_PAIR_TRIES && err == EADDRINUSE; i++) {
		struct net_addr at = port->local;
		err = bind_one(&port->fd, &at);
		if (err)
			break;
		close(port->fd);
		port->fd = -1;
		err = bind_pair(port, net_addr_port(&at) & 0xfffe);
	}
	return err;
}

static int bind_port(struct media_port *port, struct ev_report *why)
{
	const struct media_engine_prm *prm = &port->engine->prm;
	char text[NET_ADDR_SIZE];
	bool range = prm->port_max && !net_addr_port(&port->local);
	int err = net_addr_port(&port->local) ? bind_pair(port, net_addr_port(&port->local)) : range ? bind_from_range(port) : bind_any(port);
	if (!err)
		return 0;
	ev_set(why, range && err == EADDRINUSE ? EV_MEDIA_PORTS_TAKEN : EV_MEDIA_BIND_FAILED);
	ev_str(why, "address", net_addr_print_host(&port->local, text));
	ev_int(why, "min", prm->port_min);
	ev_int(why, "max", prm->port_max);
	ev_str(why, "error", strerror(err));
	return err;
}

/* ---- life ---- */
static struct media_thread *least_busy(struct media_engine *e)
{
	struct media_thread *best = &e->thread[0];
	for (unsigned i = 1; i < e->threads; i++)
		if (e->thread[i].ports < best->ports)
			best = &e->thread[i];
	return best;
}

static int fill_port(struct media_port *port, struct media_engine *e, const struct media_port_prm *prm)
{
	port->engine = e;
	port->thread = least_busy(e);
	port->fd = port->fd_rtcp = -1;
	port->local = *prm->local;
	port->handler = prm->handler;
	port->arg = prm->arg;
	port->dtmf_told = MEDIA_NO_PT;
	port->plays_end = &port->plays;
	text_fill(port->session, sizeof port->session, prm->session ? prm->session : "");
	uint32_t r[3];
	int err = rand_bytes(r, sizeof r);
	port->ssrc = r[0];
	port->ts = r[1];
	port->seq = (uint16_t)r[2];
	return err;
}

int media_port_open(struct media_port **pp, struct media_engine *e, const struct media_port_prm *prm, struct ev_report *why)
{
	if (!media_engine_room(e)) {
		ev_set(why, EV_MEDIA_PORTS_LIMIT);
		ev_int(why, "count", e->n_ports);
		return ENOBUFS;
	}
	struct media_port *port = mem_zalloc(1, sizeof *port);
	if (!port)
		return ENOMEM;
	int err = fill_port(port, e, prm);
	if (!err)
		err = bind_port(port, why);
	if (err) {
		port_free(port);
		return err;
	}
	struct media_thread *t = port->thread;
	t->ports++; /* before the command: it keeps the place for the close */
	if (!engine_command(t, &(struct media_cmd){ .type = CMD_ADD, .port = port })) {
		t->ports--;
		port_free(port);
		return EAGAIN;
	}
	list_append(&e->ports, &port->link);
	e->n_ports++;
	metric_set(e->m_ports, e->n_ports);
	*pp = port;
	return 0;
}

void port_free(struct media_port *port)
{
	if (port->fd >= 0)
		close(port->fd);
	if (port->fd_rtcp >= 0)
		close(port->fd_rtcp);
	plays_free(port->plays);
	inband_free(port->inband);
	rec_free(port->rec_running);
	join_set(&port->join, NULL, 0);
	secure_told(port, NULL);
	secure_free(port->secure);
	secure_free(port->secure_was);
	secure_free(port->secure_done);
	incoming_set(&port->incoming, NULL);
	mem_free(port->order);
	codec_tx_free(port->cfg.tx);
	mem_free(port);
}

void port_deliver(struct media_port *port, const struct media_event *ev)
{
	if (port->handler)
		port->handler(port, ev, port->arg);
}

/* The end comes when the media thread let go and the recording is on the disk. */
void port_try_closed(struct media_port *port)
{
	if (!port->closed || port->rec_running)
		return;
	port_deliver(port, &(struct media_event){ .type = MEDIA_CLOSED });
	engine_port_gone(port);
}

const struct net_addr *media_port_addr(const struct media_port *port)
{
	return &port->local;
}

void media_port_handler(struct media_port *port, media_event_h *handler, void *arg)
{
	port->handler = handler;
	port->arg = arg;
}

void media_port_close(struct media_port *port)
{
	if (port->closing)
		return;
	port->closing = true;
	bool put = engine_command(port->thread, &(struct media_cmd){ .type = CMD_CLOSE, .port = port });
	assert(put);
	(void)put;
}

void port_states_free(struct stream_cfg *c)
{
	codec_tx_free(c->tx);
	codec_rx_free(c->rx);
	secure_free(c->secure);
	c->tx = NULL;
	c->rx = NULL;
	c->secure = NULL;
}

/* Made here, so that the media thread need not. A stream that only changes its address keeps what it has. */
static int states_make(struct media_port *port, struct stream_cfg *c)
{
	bool has = net_addr_is_set(&port->remote_told) && port->codec_told == c->codec;
	if (codec_info(c->codec)->law || has)
		return 0;
	int err = port->order || (port->order = mem_alloc(sizeof *port->order)) ? codec_tx_create(&c->tx, c->codec, MEDIA_RATE) : ENOMEM;
	if (!err)
		err = codec_rx_create(&c->rx, c->codec, MEDIA_RATE);
	if (err)
		port_states_free(c);
	return err;
}

int media_port_start(struct media_port *port, const struct media_stream *s)
{
	if (!s->remote || !net_addr_port(s->remote) || s->remote->u.sa.sa_family != port->local.u.sa.sa_family || (unsigned)s->codec >= MEDIA_CODECS ||
	    s->pt > 127 || s->recv_pt > 127 || s->comfort_pt > 127 || (s->dtmf_pt > 127 && s->dtmf_pt != MEDIA_NO_PT))
		return EINVAL;
	struct media_cmd cmd = { .type = CMD_START, .port = port };
	struct stream_cfg *c = &cmd.u.stream;
	*c = (struct stream_cfg){ .remote = *s->remote, .codec = s->codec, .pt = s->pt, .recv_pt = s->recv_pt ? s->recv_pt : s->pt,
		.dtmf_khz = s->dtmf_khz ? s->dtmf_khz : 8, .dtmf_pt = s->dtmf_pt,
		.dtmf_recv_pt = s->dtmf_recv_pt ? s->dtmf_recv_pt : s->dtmf_pt, .send = s->send, .recv = s->recv,
		.no_silence = s->no_silence, .comfort_pt = s->comfort_pt, .inband = s->inband, .symmetric = s->symmetric, .rtp_timeout_ms = s->rtp_timeout_ms };
	if (s->remote_rtcp && s->remote_rtcp->u.sa.sa_family == s->remote->u.sa.sa_family) {
		c->remote_rtcp = *s->remote_rtcp;
	} else {
		c->remote_rtcp = *s->remote;
		net_addr_set_port(&c->remote_rtcp, (uint16_t)(net_addr_port(s->remote) + 1));
	}
	int err = s->inband && !port->inband ? inband_create(&port->inband) : 0;
	if (!err)
		err = states_make(port, c);
	if (!err)
		err = secure_make(port, s, &c->secure);
	if (!err && (port->closing || !engine_command(port->thread, &cmd)))
		err = EAGAIN;
	if (err) {
		port_states_free(c);
		return err;
	}
	secure_told(port, c->secure);
	port->remote_told = *s->remote;
	port->codec_told = s->codec;
	port->dtmf_told = s->dtmf_pt;
	return 0;
}

/* ---- what it says and records ---- */
uint32_t port_next_id(struct media_port *port)
{
	if (!++port->next_id)
		port->next_id = 1;
	return port->next_id;
}

/* ---- joining ---- */
static bool join_one(struct media_port *port, struct media_join *join, unsigned side)
{
	struct media_cmd cmd = { .type = CMD_JOIN, .port = port, .u.join = { mem_ref(join), side } };
	if (!port->closing && engine_command(port->thread, &cmd))
		return true;
	mem_unref(join);
	return false;
}

int media_join(struct media_port *a, struct media_port *b)
{
	struct media_join *join = media_join_new();
	if (!join)
		return ENOMEM;
	bool one = join_one(a, join, 0), both = one && join_one(b, join, 1);
	if (one && !both) /* if this fails, too, it says into the void until it closes */
		join_one(a, NULL, 0);
	mem_unref(join);
	return both ? 0 : EAGAIN;
}

void media_part(struct media_port *port)
{
	join_one(port, NULL, 0);
}

int media_send_digits(struct media_port *port, const char *digits, unsigned on_ms, unsigned gap_ms)
{
	struct media_cmd cmd = { .type = CMD_DIGITS, .port = port };
	if (port->dtmf_told == MEDIA_NO_PT)
		return ENOTSUP;
	if (port->digits_busy)
		return EBUSY;
	int err = dtmf_tx_start(&cmd.u.digits, digits, on_ms, gap_ms);
	if (err)
		return err;
	if (port->closing || !engine_command(port->thread, &cmd))
		return EAGAIN;
	port->digits_busy = true;
	return 0;
}

int media_record(struct media_port *port, const struct media_record_prm *prm, uint32_t *id)
{
	struct media_cmd cmd = { .type = CMD_RECORD, .port = port };
	if (port->rec_running)
		return EBUSY;
	int err = rec_create(&cmd.u.rec, port, prm, port_next_id(port));
	if (err)
		return err;
	uint32_t its_id = cmd.u.rec->id;
	if (port->closing || !engine_command(port->thread, &cmd)) {
		rec_free(cmd.u.rec);
		return EAGAIN;
	}
	port->rec_running = cmd.u.rec;
	metric_add(port->engine->m_rec, 1);
	if (id)
		*id = its_id;
	return 0;
}

void media_record_stop(struct media_port *port)
{
	if (!port->closing && port->rec_running)
		engine_command(port->thread, &(struct media_cmd){ .type = CMD_REC_STOP, .port = port });
}

bool media_port_codec(const struct media_port *port, enum media_codec *codec)
{
	*codec = port->codec_told;
	return net_addr_is_set(&port->remote_told);
}

const char *media_port_srtp(const struct media_port *port)
{
	return secure_suite_name(port);
}

void media_port_stats(const struct media_port *port, struct media_port_stats *st)
{
	const struct media_counters *c = &port->count;
	*st = (struct media_port_stats){
		.sent = atomic_load_explicit(&c->sent, memory_order_relaxed),
		.received = atomic_load_explicit(&c->received, memory_order_relaxed),
		.strangers = atomic_load_explicit(&c->strangers, memory_order_relaxed),
		.bad = atomic_load_explicit(&c->bad, memory_order_relaxed),
		.send_errors = atomic_load_explicit(&c->send_errors, memory_order_relaxed),
		.not_genuine = atomic_load_explicit(&c->not_genuine, memory_order_relaxed),
		.repeated = atomic_load_explicit(&c->repeated, memory_order_relaxed),
		.lost = atomic_load_explicit(&c->lost, memory_order_relaxed),
		.jitter_us = atomic_load_explicit(&c->jitter_us, memory_order_relaxed),
		.peer_lost = atomic_load_explicit(&c->peer_lost, memory_order_relaxed),
		.rtt_us = atomic_load_explicit(&c->rtt_us, memory_order_relaxed),
	};
}
