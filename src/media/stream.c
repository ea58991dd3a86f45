/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c  A port as its media thread serves it, every 20 ms:
 *
 *   socket -> whose is it? -> RTP -> telephone-event -> keys
 *                                 \-> G.711 -> recording
 *   clips (play.c) or silence or keys -> RTP -> socket
 *
 * The socket is unconnected and every packet's source compared until some came from the negotiated address; then it is connected,
 * which spares the kernel work and us the strangers. After two seconds of silence it is opened again, so that a peer who
 * sends from elsewhere can be named. Media from another address is never used (RFC 4961 lets a peer send from another port; it must say so
 * in its SDP), but for a gateway that is marked to stand behind a NAT (source.c).                                       */
#include <errno.h>
#include <sys/socket.h>
#include "base/mem.h"
#include "base/rand.h"
#include "media/g711.h"
#include "media/media_private.h"

enum {
	PACKETS_A_TURN = 16,
	READS_AT_END = 64, /* of so many each: more than a socket has room for, less than a flood could hold us up with */
	TOGETHER = 24, /* ports: what is sent for them takes 50 us */
	GOOD_TO_CONNECT = 3,
	LOOK_AGAIN_US = 2000000,
	TELL_STRANGER_US = 5000000, TELL_SAME_STRANGER_US = 60000000,
	ASK_TIME_FRAMES = 4, /* the kernel's time of a packet costs as much as a quarter of reading it: one turn in so many asks for it */
	COMFORT_PT = 13, COMFORT_DB = 65 /* below full scale: an idle telephone line */, COMFORT_FRAMES = 10 /* so often it is said again: a NAT between must not forget us */,
	PATIENCE_WITH_COMFORT = 10,
	RTCP_TYPE_LEAST = 64, RTCP_TYPE_MOST = 95, /* RTCP on RTP's port, which was not agreed (RFC 5761 4) */
};

static void count(_Atomic uint64_t *n)
{
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

/* ---- which socket ---- */
static void look_at_all(struct media_port *port)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	if (port->connected)
		connect(port->fd, &none, sizeof none);
	port->connected = false;
	port->good = 0;
}

static void trust_address(struct media_port *port)
{
	port->connected = !connect(port->fd, &port->cfg.remote.u.sa, net_addr_len(&port->cfg.remote));
}

static void stranger(struct media_port *port, const struct net_addr *from)
{
	count(&port->count.strangers);
	if (!port->stranger_count++)
		port->stranger = *from;
}

/* The first of them since the last telling; one who keeps coming is told once a minute, others at most every five seconds. */
static void tell_stranger(struct media_thread *t, struct media_port *port, int64_t now_us)
{
	if (!port->stranger_count)
		return;
	bool same = net_addr_eq(&port->stranger, &port->stranger_told);
	if (port->stranger_told_us && now_us - port->stranger_told_us < (same ? TELL_SAME_STRANGER_US : TELL_STRANGER_US))
		return;
	thread_emit(t, &(struct media_msg){ .type = MEDIA_STRANGER, .port = port, .addr = port->stranger, .count = port->stranger_count });
	port->stranger_told = port->stranger;
	port->stranger_told_us = now_us;
	port->stranger_count = 0;
}

/* ---- receiving ---- */
static void digits(struct media_thread *t, struct media_port *port, const struct dtmf_news *news)
{
	/* a lost end is told before the key that follows */
	if (news->ended && news->started && port->dtmf_rx.on)
		thread_emit(t, &(struct media_msg){ .type = MEDIA_DIGIT, .port = port, .digit = news->ended, .ms = news->ms });
	if (news->started)
		thread_emit(t, &(struct media_msg){ .type = MEDIA_DIGIT_START, .port = port, .digit = news->started });
	if (news->ended && !(news->started && port->dtmf_rx.on))
		thread_emit(t, &(struct media_msg){ .type = MEDIA_DIGIT, .port = port, .digit = news->ended, .ms = news->ms });
}

/* Keys as tones: one change at a time. */
struct listener {
	struct media_thread *t;
	struct media_port *port;
};
static void tones(const struct dtmf_news *news, void *arg)
{
	const struct listener *l = arg;
	thread_emit(l->t, &(struct media_msg){ .type = news->started ? MEDIA_DIGIT_START : MEDIA_DIGIT, .port = l->port,
		.digit = news->started ? news->started : news->ended, .ms = news->ms, .by_tone = true });
}

static void source_changed(struct media_port *port)
{
	port->dtmf_rx.seen = false; /* a new count of stamps; a key that is down ends by its time-out */
}

/* By our number for keys, and by theirs, which some send; but ours for the audio comes first. MEDIA_NO_PT is more than seven bits. */
static bool is_key(const struct media_port *port, uint8_t pt)
{
	return pt == port->cfg.dtmf_recv_pt || (pt == port->cfg.dtmf_pt && pt != port->cfg.recv_pt);
}

/* What cannot be heard is silence: keys, comfort noise (RFC 3389), what was never agreed. Some send audio by their own number, too. */
static uint8_t codec_of(const struct media_port *port, uint8_t pt)
{
	if (is_key(port, pt))
		return REC_NO_AUDIO;
	if (pt == port->cfg.recv_pt || pt == port->cfg.pt)
		return (uint8_t)port->cfg.codec;
	if (pt == media_codec_pt(MEDIA_PCMU) || pt == media_codec_pt(MEDIA_PCMA))
		return pt ? MEDIA_PCMA : MEDIA_PCMU;
	return REC_NO_AUDIO;
}

/* Such a number may have been agreed on for audio or keys: without RTCP beside it, it is free. */
static bool is_rtcp(const struct media_port *port, uint8_t pt)
{
	return pt >= RTCP_TYPE_LEAST && pt <= RTCP_TYPE_MOST && !is_key(port, pt) && codec_of(port, pt) == REC_NO_AUDIO;
}

/* A packet of G.711, or one without audio. */
static void hear(struct media_thread *t, struct media_port *port, const struct rtp_packet *pkt, uint8_t codec, int64_t now_us, bool for_rec)
{
	if (for_rec)
		rec_packet(port->rec, now_us, pkt, codec);
	if (port->cfg.inband)
		inband_packet(port->inband, now_us, pkt, codec, tones, &(struct listener){ t, port });
	if (codec != REC_NO_AUDIO)
		join_put(&port->join, pkt->ssrc, pkt->ts, (enum media_codec)codec, pkt->payload, pkt->n);
}

/* In a codec that needs decoding: goes on as PCMU. A wide recording takes it as it is. */
static void hear_other(struct media_thread *t, struct media_port *port, const struct rtp_packet *pkt, unsigned lost, int64_t now_us)
{
	bool for_rec = port->rec && !rec_decode(port->rec, now_us, pkt, lost);
	int16_t pcm[INCOMING_MAX];
	uint8_t law[INCOMING_MAX];
	struct rtp_packet out = *pkt;
	if (!for_rec && !port->join.join && !port->cfg.inband)
		return;
	if (!for_rec && !port->cfg.inband) { /* both sides speak it: nobody need look into it */
		struct incoming before = port->incoming;
		size_t n = incoming_place(&port->incoming, pkt, &out.ts);
		if (!n || join_put_payload(&port->join, pkt->ssrc, out.ts, port->cfg.codec, pkt->payload, pkt->n, n))
			return;
		port->incoming = before;
	}
	out.payload = law;
	out.n = incoming_decode(&port->incoming, pkt, pcm, &out.ts);
	if (!out.n) { /* it came, though */
		if (for_rec)
			rec_packet(port->rec, now_us, pkt, REC_NO_AUDIO);
		return;
	}
	g711_encode(MEDIA_PCMU, law, pcm, out.n);
	hear(t, port, &out, MEDIA_PCMU, now_us, for_rec);
}

static bool needs_decoding(uint8_t codec)
{
	return codec != REC_NO_AUDIO && !codec_info((enum media_codec)codec)->law;
}

void stream_in_order(const struct jitter_packet *p, void *arg)
{
	struct media_port *port = arg;
	if (needs_decoding(p->tag))
		hear_other(port->thread, port, &p->rtp, p->lost, p->at_us);
	else
		hear(port->thread, port, &p->rtp, p->tag, p->at_us, port->rec != NULL);
}

/* The stamp of a key is that of its beginning: only audio tells how long packets were on their way. */
static void note_arrival(struct media_port *port, const struct rtp_packet *pkt, int64_t came_us)
{
	bool same = port->rtp_rx.known && port->rtp_rx.ssrc == pkt->ssrc;
	if (rtp_rx_packet(&port->rtp_rx, pkt) == RTP_RX_NEW_SOURCE && same)
		source_changed(port);
	if (came_us && !is_key(port, pkt->pt))
		rtp_rx_arrived(&port->rtp_rx, pkt, (uint32_t)(came_us * (codec_info(port->cfg.codec)->clock / 1000) / 1000));
}

/* came_us: when the kernel took it; 0: it was not asked. */
static void packet(struct media_thread *t, struct media_port *port, const struct rtp_packet *pkt, int64_t now_us, int64_t came_us)
{
	note_arrival(port, pkt, came_us);
	uint8_t codec = codec_of(port, pkt->pt);
	if (port->incoming.rx)
		jitter_put(port->order, now_us, pkt, codec);
	else
		hear(t, port, pkt, needs_decoding(codec) ? REC_NO_AUDIO : codec, now_us, port->rec != NULL);
	if (is_key(port, pkt->pt)) {
		struct dtmf_news news;
		if (dtmf_rx_packet(&port->dtmf_rx, pkt, now_us, &news))
			count(&port->count.bad);
		else
			digits(t, port, &news);
	}
}

static void datagram(struct media_thread *t, struct media_port *port, const uint8_t *p, size_t n, int64_t now_us, int64_t came_us)
{
	struct rtp_packet pkt;
	if (rtp_parse(&pkt, p, n) || is_rtcp(port, pkt.pt)) {
		count(&port->count.bad);
		return;
	}
	port->latched = true;
	port->last_rx_us = now_us;
	if (port->timed_out) {
		port->timed_out = false;
		thread_emit(t, &(struct media_msg){ .type = MEDIA_RTP_BACK, .port = port });
	}
	if (source_is_ours(t, port, &pkt, now_us)) /* there is somebody, but this is nothing of his */
		return;
	count(&port->count.received);
	port->comforted = pkt.pt == COMFORT_PT && codec_of(port, pkt.pt) == REC_NO_AUDIO;
	packet(t, port, &pkt, now_us, came_us);
	if (!port->connected && ++port->good >= GOOD_TO_CONNECT)
		trust_address(port);
}

/* To learn that a socket is empty costs half as much as a packet. Where nobody waits for what comes, which is one packet a turn, that is asked with the time, and
 * in each turn for as long as there was more than one. */
static bool empties(const struct media_port *port)
{
	return port->crowded || port->rec || port->join.join || port->cfg.inband || !port->connected;
}

/* How many came. */
static unsigned receive(struct media_thread *t, struct media_port *port, int64_t now_us)
{
	uint8_t p[RTP_PACKET_MAX] MEM_NOT_CLEARED;
	bool moved = false; /* at most once a turn: EVENTS_A_TURN counts on it */
	bool ask_time = port->rtcp_frame % ASK_TIME_FRAMES == 0;
	unsigned most = ask_time || empties(port) ? PACKETS_A_TURN : 1, came = 0;
	for (unsigned i = 0; i < most; i++) {
		struct sockaddr_storage ss MEM_NOT_CLEARED;
		socklen_t len = sizeof ss;
		int64_t waited_us = 0;
		ssize_t n = ask_time ? report_read(port->fd, p, sizeof p, &ss, &waited_us)
		                     : recvfrom(port->fd, p, sizeof p, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&ss, &len);
		if (n < 0 && errno == ECONNREFUSED) /* a report about a packet of ours */
			continue;
		if (n < 0)
			break;
		came++;
		struct net_addr from;
		net_addr_from(&from, (struct sockaddr *)&ss);
		if (!port->started || !port->cfg.recv)
			continue;
		bool known = net_addr_eq(&from, &port->cfg.remote), fits = (size_t)n <= sizeof p;
		size_t bytes = (size_t)n;
		bool opened = fits && port->secure && secure_open(port, p, &bytes, known); /* who has the key is the peer, wherever he is */
		if (opened && !known && port->cfg.symmetric && !moved) {
			source_latch(t, port, &from);
			moved = true;
		}
		if (!known && !opened && (port->secure || !source_latches(t, port, &from, p, (size_t)n, now_us)))
			stranger(port, &from);
		else if (!fits)
			count(&port->count.bad);
		else if (opened || !port->secure)
			datagram(t, port, p, bytes, now_us, ask_time ? now_us - waited_us : 0);
		if (!known && opened && !port->cfg.symmetric)
			port->good = 0; /* connecting would shut him out */
	}
	if (most > 1)
		port->crowded = came > 1;
	return came;
}

static void watch_silence(struct media_thread *t, struct media_port *port, int64_t now_us)
{
	struct dtmf_news news;
	dtmf_rx_tick(&port->dtmf_rx, now_us, &news);
	digits(t, port, &news);
	if (port->incoming.rx)
		jitter_tick(port->order, now_us);
	if (port->cfg.inband)
		inband_tick(port->inband, now_us, tones, &(struct listener){ t, port });
	tell_stranger(t, port, now_us);
	if (!port->started || !port->cfg.recv)
		return;
	int64_t silent_us = now_us - port->last_rx_us;
	if (port->connected && silent_us >= LOOK_AGAIN_US)
		look_at_all(port);
	int64_t limit_us = (int64_t)port->cfg.rtp_timeout_ms * 1000 * (port->comforted ? PATIENCE_WITH_COMFORT : 1);
	if (limit_us && !port->timed_out && silent_us >= limit_us) {
		port->timed_out = true;
		thread_emit(t, &(struct media_msg){ .type = MEDIA_RTP_TIMEOUT, .port = port, .ms = (uint32_t)(silent_us / 1000) });
	}
}

/* ---- sending ---- */
static void send_packet(struct media_port *port, const struct rtp_packet *head, uint8_t *p, size_t n)
{
	rtp_write_head(p, head);
	size_t octets = n - RTP_HEAD;
	if (port->secure && !(n = secure_seal(port, p, RTP_HEAD, p + RTP_HEAD, octets))) {
		port->seq++;
		count(&port->count.send_errors);
		return;
	}
	ssize_t sent = port->connected ? send(port->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL)
	                               : sendto(port->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL, &port->cfg.remote.u.sa, net_addr_len(&port->cfg.remote));
	port->seq++;
	port->octets += (uint32_t)octets;
	count(sent < 0 ? &port->count.send_errors : &port->count.sent);
}

static bool sends(const struct media_port *port)
{
	return port->started && port->cfg.send && !port->leaving;
}

static void send_digit(struct media_thread *t, struct media_port *port)
{
	uint8_t p[RTP_HEAD + DTMF_PAYLOAD + SRTP_ROOM];
	struct rtp_packet head = { .pt = port->cfg.dtmf_pt, .seq = port->seq, .ssrc = port->ssrc };
	if (dtmf_tx_tick(&port->dtmf_tx, port->cfg.dtmf_khz, port->ts, p + RTP_HEAD, &head.ts, &head.marker) && sends(port))
		send_packet(port, &head, p, RTP_HEAD + DTMF_PAYLOAD);
	port->talking = false;
	if (!dtmf_tx_active(&port->dtmf_tx))
		thread_emit(t, &(struct media_msg){ .type = MEDIA_DIGITS_SENT, .port = port });
}

/* Silence that both agreed to say by comfort noise (RFC 3389): one packet when it begins, and at times. False: it is to be sent as such. */
static bool send_comfort(struct media_port *port)
{
	uint8_t p[RTP_HEAD + 1 + SRTP_ROOM];
	if (!port->cfg.comfort_pt || (port->cfg.codec == MEDIA_G722 && port->quiet < QUIET_SETTLED))
		return false;
	port->talking = false; /* the marker tells where speech begins */
	if (port->comforting++ % COMFORT_FRAMES)
		return true;
	p[RTP_HEAD] = COMFORT_DB;
	send_packet(port, &(struct rtp_packet){ .pt = port->cfg.comfort_pt, .seq = port->seq, .ts = port->ts, .ssrc = port->ssrc }, p, RTP_HEAD + 1);
	return true;
}

static void send_frame(struct media_thread *t, struct media_port *port, bool may_emit)
{
	/* time stamps follow the clock, also over ticks that were skipped */
	uint64_t frames = t->frame - port->last_frame;
	port->last_frame = t->frame;
	if (frames > 1)
		port->talking = false;
	port->ts += (uint32_t)(frames * (codec_info(port->cfg.codec)->clock / 1000 * MEDIA_FRAME_MS));
	if (dtmf_tx_active(&port->dtmf_tx)) {
		if (may_emit)
			send_digit(t, port);
		return;
	}
	uint8_t p[RTP_HEAD + CODEC_PAYLOAD_MAX + SRTP_ROOM] MEM_NOT_CLEARED;
	size_t n;
	bool audio = utter(port, p + RTP_HEAD, &n);
	if (!sends(port) || (!audio && port->cfg.no_silence)) {
		port->talking = false;
		port->comforting = 0;
		return;
	}
	if (!audio && send_comfort(port))
		return;
	port->comforting = 0;
	struct rtp_packet head = { .marker = !port->talking, .pt = port->cfg.pt, .seq = port->seq, .ts = port->ts, .ssrc = port->ssrc };
	send_packet(port, &head, p, RTP_HEAD + n);
	port->talking = true;
}

/* ---- commands ---- */
/* Nobody waits for a recording, so that stragglers can be waited for; somebody does at the other end of a joined call. */
static unsigned order_hold_ms(const struct media_port *port)
{
	return port->join.join ? ORDER_HOLD_JOINED_MS : ORDER_HOLD_MS;
}

/* Encoder and decoder of before go on unless the codec is another. */
static void take_states(struct media_port *port, const struct stream_cfg *cfg)
{
	struct codec_tx *tx = port->cfg.tx;
	bool same = port->started && port->cfg.codec == cfg->codec;
	port->cfg = *cfg;
	port->cfg.rx = NULL;
	if (cfg->rx || !same)
		incoming_set(&port->incoming, cfg->rx);
	if (!same)
		port->rtp_rx.timed = false; /* another clock */
	if (cfg->rx)
		jitter_init(port->order, order_hold_ms(port), stream_in_order, port);
	if (!cfg->tx && same)
		port->cfg.tx = tx;
	else
		codec_tx_free(tx);
	port->dtmf_rx.khz = port->cfg.dtmf_khz;
	join_speaks(&port->join, port->cfg.codec);
}

static void start(struct media_port *port, const struct stream_cfg *cfg, int64_t now_us)
{
	struct stream_cfg now = *cfg;
	bool moved = source_moves(port, &now);
	secure_start(port, cfg->secure, now_us);
	take_states(port, &now);
	port->started = true;
	port->last_rx_us = now_us;
	port->timed_out = false;
	if (moved) {
		look_at_all(port);
		port->stranger_count = 0;
		port->stranger_told_us = 0;
	}
}

/* Few ports are served together, so that their thread wakes once a frame for all of them; many are spread over it. */
static unsigned slot_for(const struct media_thread *t)
{
	unsigned fullest = SLOTS, emptiest = 0;
	for (unsigned i = 0; i < SLOTS; i++) {
		unsigned n = t->slot_ports[i];
		if (n < t->slot_ports[emptiest])
			emptiest = i;
		if (n && n < TOGETHER && (fullest == SLOTS || n > t->slot_ports[fullest]))
			fullest = i;
	}
	return fullest < SLOTS ? fullest : emptiest;
}

static void add(struct media_thread *t, struct media_port *port)
{
	port->slot = slot_for(t);
	list_append(&t->slot[port->slot], &port->slot_link);
	t->slot_ports[port->slot]++;
	t->served++;
	port->last_frame = t->frame;
	port->rtcp_every = RTCP_SEND_FRAMES / 2 + rand_below(RTCP_SEND_FRAMES);
}

/* With what was said already: in the socket, where seconds of it lie when the machine stood still, and what waits for others before it. */
static void end_recording(struct media_thread *t, struct media_port *port, int64_t now_us)
{
	if (!port->rec)
		return;
	for (unsigned i = 0; i < READS_AT_END && ring_room(&t->events) >= EVENTS_A_TURN && receive(t, port, now_us); i++)
		;
	if (port->incoming.rx)
		jitter_flush(port->order);
	rec_end(port->rec, now_us);
}

void stream_command(struct media_thread *t, const struct media_cmd *cmd, int64_t now_us)
{
	struct media_port *port = cmd->port;
	switch (cmd->type) {
	case CMD_ADD:
		add(t, port);
		break;
	case CMD_START:
		start(port, &cmd->u.stream, now_us);
		break;
	case CMD_PLAY:
		*port->plays_end = cmd->u.play;
		port->plays_end = &cmd->u.play->next;
		break;
	case CMD_STOP:
		play_stop(port);
		break;
	case CMD_PAUSE:
		port->paused = cmd->u.paused;
		break;
	case CMD_SKIP:
		play_skip(port, cmd->u.skip_ms);
		break;
	case CMD_SWAP:
		play_swap(port, cmd->u.play);
		break;
	case CMD_DIGITS:
		port->dtmf_tx = cmd->u.digits;
		break;
	case CMD_RECORD:
		port->rec = cmd->u.rec;
		rec_start(port->rec, port, now_us);
		break;
	case CMD_REC_STOP:
		end_recording(t, port, now_us);
		break;
	case CMD_JOIN:
		join_set(&port->join, cmd->u.join.join, cmd->u.join.side);
		if (port->incoming.rx)
			jitter_hold(port->order, order_hold_ms(port));
		if (port->started)
			join_speaks(&port->join, port->cfg.codec);
		break;
	case CMD_CLOSE:
		play_stop(port);
		join_set(&port->join, NULL, 0);
		end_recording(t, port, now_us);
		port->dtmf_tx = (struct dtmf_tx){ 0 };
		port->leaving = true;
		break;
	}
}

/* The end of a port: all told, nothing of it in our hands. */
static void leave(struct media_thread *t, struct media_port *port, int64_t now_us)
{
	if (port->started)
		report_send(port, now_us, true);
	list_remove(&port->slot_link);
	t->slot_ports[port->slot]--;
	t->served--;
	thread_emit(t, &(struct media_msg){ .type = MEDIA_CLOSED, .port = port });
}

bool stream_turn(struct media_thread *t, struct media_port *port, int64_t now_us, bool may_emit)
{
	if (may_emit && !port->leaving) {
		receive(t, port, now_us);
		watch_silence(t, port, now_us);
	}
	if (may_emit && port->rec && rec_tick(port->rec, port, now_us))
		port->rec = NULL;
	if (!port->leaving)
		send_frame(t, port, may_emit);
	if (may_emit && port->plays_over)
		play_tell(t, port);
	if (may_emit)
		secure_turn(t, port, now_us);
	report_turn(port, now_us);
	if (!may_emit || !port->leaving || port->rec || port->plays)
		return true;
	leave(t, port, now_us);
	return false;
}
