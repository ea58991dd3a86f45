/* SPDX-License-Identifier: Apache-2.0 */
/* gen_media.c  RTP of the generator's calls. A socket is read once in 20 ms, and when each packet really came is the kernel's word, so that a
 * generator that is late itself does not make the server look late. A packet that our own socket had no room for is counted apart.
 *
 * A script says what a caller does: keys are pressed (N: those of his own number); `,` waits a second; `~` waits until the other side was heard and then silent for 700 ms;
 * `T` talks, `H` holds his tongue; `B` hangs up. */
#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "gen.h"
#include "media/rtp.h"

enum { AT_ONCE = 4, QUIET_US = 700000, LATE_NS = 20000000, FRAME_NS = 20000000, PT_KEYS = 101 };

struct gen_judged gen_judged;
bool gen_measuring;
static const uint8_t *speech;
static size_t speech_n;

void gen_media_prepare(void)
{
	gen_known_prepare();
	if (gen_opt.codec->law)
		speech = gen_known_speech(&speech_n);
}

void gen_hist_add(uint32_t hist[GEN_HIST], int64_t us)
{
	int64_t at = us < 0 ? 0 : us / 50;
	hist[at < GEN_HIST ? at : GEN_HIST - 1]++;
}

void gen_media_open(struct gen_call *c)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int on = 1;
	c->rtp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->rtp < 0 || bind(c->rtp, (struct sockaddr *)&a, sizeof a) < 0 || getsockname(c->rtp, (struct sockaddr *)&a, &len) < 0)
		gen_die("RTP socket");
	setsockopt(c->rtp, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	setsockopt(c->rtp, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
	c->rtp_port = ntohs(a.sin_port);
	c->rx = (struct gen_rx){ 0 };
	c->tx = (struct gen_tx){ .seq = (uint16_t)(c->rtp_port * 7) & 0x7fff, .ts = c->rtp_port * 977u, /* encrypted: RFC 3711 3.3.1 */
		.said = gen_opt.codec->law ? c->rtp_port * 61u : 0, .loud = !gen_opt.silent, .step = gen_opt.script };
}

void gen_media_connect(struct gen_call *c, const struct sockaddr_in *to)
{
	if (c->rtp >= 0 && connect(c->rtp, (const struct sockaddr *)to, sizeof *to) < 0)
		gen_die("connect RTP");
}

void gen_media_close(struct gen_call *c)
{
	if (c->rtp >= 0)
		close(c->rtp);
	c->rtp = -1;
	gen_secret_close(c);
}

/* ---- receiving ---- */
static void judge_time(struct gen_rx *rx, const struct rtp_packet *pkt, int64_t ns, uint32_t step)
{
	struct gen_judged *j = &gen_judged;
	int64_t of_ts = (int64_t)(int32_t)(pkt->ts - rx->ts) * FRAME_NS / step; /* since the packet before, by its stamp */
	int64_t off = ns - rx->last_ns - of_ts;
	rx->base_ns += of_ts; /* when this one would have come had it been as early as the earliest */
	if (ns < rx->base_ns)
		rx->base_ns = ns;
	if (!gen_measuring)
		return;
	int64_t late = ns - rx->base_ns;
	j->intervals++;
	gen_hist_add(j->interval, (off < 0 ? -off : off) / 1000);
	gen_hist_add(j->lateness, late / 1000);
	j->late += late > LATE_NS;
	if (late / 1000 > j->latest_us)
		j->latest_us = late / 1000;
}

static void judge_payload(struct gen_rx *rx, const struct rtp_packet *pkt, uint32_t frames)
{
	struct gen_judged *j = &gen_judged;
	enum gen_known what = (gen_opt.codec->law ? gen_known_judge : gen_coded_judge)(rx, pkt->payload, pkt->n, frames);
	if (what != GEN_IS_QUIET) {
		rx->loud = true;
		rx->loud_us = gen_now_us();
	}
	if (!gen_measuring)
		return;
	j->known += what == GEN_IS_KNOWN;
	j->quiet += what == GEN_IS_QUIET;
	j->leaps += what == GEN_IS_LEAP;
	j->unknown += what == GEN_IS_UNKNOWN;
}

static void first_packet(struct gen_rx *rx, const struct rtp_packet *pkt, int64_t ns)
{
	*rx = (struct gen_rx){ .any = true, .seq = pkt->seq, .ts = pkt->ts, .ssrc = pkt->ssrc, .last_ns = ns, .base_ns = ns, .overflow = rx->overflow };
	if (gen_measuring && !pkt->marker)
		gen_judged.wrong_marker++;
	judge_payload(rx, pkt, 0);
}

static void judge(struct gen_rx *rx, const uint8_t *p, size_t n, int64_t ns)
{
	struct gen_judged *j = &gen_judged;
	uint32_t step = gen_opt.codec->ts_step;
	struct rtp_packet pkt;
	j->received += gen_measuring;
	if (rtp_parse(&pkt, p, n)) {
		j->bad += gen_measuring;
		return;
	}
	if (!rx->any || pkt.ssrc != rx->ssrc) {
		j->wrong_ssrc += rx->any && gen_measuring;
		first_packet(rx, &pkt, ns);
		return;
	}
	int16_t ahead = (int16_t)(pkt.seq - rx->seq);
	if (ahead <= 0) {
		j->doubled += !ahead && gen_measuring;
		j->reordered += ahead && gen_measuring;
		return;
	}
	uint32_t ts = pkt.ts - rx->ts, frames = ts / step;
	bool gap = frames > (uint32_t)ahead; /* a pause: of silence, keys or a late server; a marker belongs there */
	if (gen_measuring) {
		j->lost += (unsigned)(ahead - 1);
		j->wrong_pt += pkt.pt != gen_opt.codec->pt && pkt.pt != PT_KEYS && pkt.pt != 13;
		j->wrong_ts += pkt.pt != PT_KEYS && (ts % step || frames < (uint32_t)ahead);
		j->wrong_marker += pkt.pt != PT_KEYS && ahead == 1 && pkt.marker != gap;
	}
	judge_time(rx, &pkt, ns, step);
	judge_payload(rx, &pkt, (uint32_t)ahead);
	rx->seq = pkt.seq;
	rx->ts = pkt.ts;
	rx->last_ns = ns;
}

/* Authenticated, decrypted, judged. */
static void arrived(struct gen_call *c, uint8_t *p, size_t n, int64_t ns)
{
	if (c->open && srtp_open(c->open, p, &n))
		gen_judged.not_genuine++; /* of the whole run: one is too many */
	else
		judge(&c->rx, p, n, ns);
}

static void receive(struct gen_call *c)
{
	static uint8_t data[AT_ONCE][2048];
	static union {
		char room[128];
		struct cmsghdr head;
	} control[AT_ONCE];
	struct iovec iov[AT_ONCE];
	struct mmsghdr m[AT_ONCE];
	int n;
	do {
		for (int i = 0; i < AT_ONCE; i++) {
			iov[i] = (struct iovec){ data[i], sizeof data[i] };
			m[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1, .msg_control = &control[i], .msg_controllen = sizeof control[i] } };
		}
		n = recvmmsg(c->rtp, m, AT_ONCE, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			struct timespec t = { 0 };
			uint32_t overflow = c->rx.overflow;
			for (struct cmsghdr *h = CMSG_FIRSTHDR(&m[i].msg_hdr); h; h = CMSG_NXTHDR(&m[i].msg_hdr, h))
				if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_TIMESTAMPNS)
					memcpy(&t, CMSG_DATA(h), sizeof t);
				else if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SO_RXQ_OVFL)
					memcpy(&overflow, CMSG_DATA(h), sizeof overflow);
			gen_judged.overflow += gen_measuring ? overflow - c->rx.overflow : 0;
			c->rx.overflow = overflow;
			arrived(c, data[i], m[i].msg_len, (int64_t)t.tv_sec * 1000000000 + t.tv_nsec);
		}
	} while (n == AT_ONCE);
}

/* ---- sending ---- */
static void send_packet(struct gen_call *c, const struct rtp_packet *head, uint8_t *p, size_t n)
{
	rtp_write_head(p, head);
	if (c->seal && srtp_seal(c->seal, p, RTP_HEAD, p + RTP_HEAD, n - RTP_HEAD, &n))
		gen_die("sealing a packet");
	bool good = send(c->rtp, p, n, MSG_DONTWAIT) == (ssize_t)n;
	c->tx.seq++;
	if (!gen_measuring)
		return;
	gen_judged.sent++;
	gen_judged.send_errors += !good && errno != ECONNREFUSED;
}

/* The payload of the next frame: speech, or silence. */
static size_t speak(struct gen_tx *tx, uint8_t *p)
{
	const struct gen_codec *k = gen_opt.codec;
	size_t n = GEN_FRAME;
	if (k->law) {
		if (tx->loud)
			memcpy(p, speech + tx->said % (speech_n / GEN_FRAME) * GEN_FRAME, n);
		else
			memset(p, media_codec_silence(k->codec), n);
	} else {
		const uint8_t *frame = tx->loud ? gen_coded_speech(tx->said, &n) : gen_coded_silence(tx->hushed, &n);
		memcpy(p, frame, n);
	}
	tx->hushed = tx->loud ? 0 : tx->hushed + 1;
	tx->said += tx->loud;
	return n;
}

static void send_frame(struct gen_call *c)
{
	struct gen_tx *tx = &c->tx;
	uint8_t p[RTP_HEAD + CODEC_PAYLOAD_MAX + SRTP_ROOM];
	struct rtp_packet head = { .pt = gen_opt.codec->pt, .seq = tx->seq, .ts = tx->ts, .ssrc = c->rtp_port };
	if (dtmf_tx_active(&tx->keys)) {
		head.pt = PT_KEYS;
		if (dtmf_tx_tick(&tx->keys, 8, tx->ts, p + RTP_HEAD, &head.ts, &head.marker))
			send_packet(c, &head, p, RTP_HEAD + DTMF_PAYLOAD);
	} else {
		send_packet(c, &head, p, RTP_HEAD + speak(tx, p + RTP_HEAD));
	}
	tx->ts += gen_opt.codec->ts_step;
}

/* ---- the script ---- */
/* Keys that stand beside each other are pressed in one go; N is the caller's own number. */
static void press(struct gen_call *c, int slot)
{
	char keys[DTMF_QUEUE + 1] = "", own[64];
	size_t n = 0;
	for (; *c->tx.step && strchr("0123456789*#N", *c->tx.step) && n + sizeof own < sizeof keys + 40; c->tx.step++) {
		gen_call_number(slot, own);
		n += (size_t)snprintf(keys + n, sizeof keys - n, "%s", *c->tx.step == 'N' ? own : (char[2]){ *c->tx.step, 0 });
	}
	if (dtmf_tx_start(&c->tx.keys, keys, 0, 0)) {
		fprintf(stderr, "callgen: --script: \"%s\" is not understood\n", c->tx.step);
		exit(2);
	}
}

static bool step(struct gen_call *c, int slot, int64_t now_us)
{
	struct gen_tx *tx = &c->tx;
	while (tx->step && *tx->step && now_us >= tx->step_us && !dtmf_tx_active(&tx->keys)) {
		if (*tx->step == '~' && (!c->rx.loud || now_us - c->rx.loud_us < QUIET_US))
			return false;
		switch (*tx->step) {
		case 'B': return true;
		case ',': tx->step_us = now_us + 1000000; break;
		case '~': c->rx.loud = false; break;
		case 'T':
		case 'H': tx->loud = *tx->step == 'T'; break;
		default: press(c, slot); continue;
		}
		tx->step++;
	}
	return false;
}

bool gen_media_turn(int slot, int64_t now_us)
{
	struct gen_call *c = &gen_calls[slot];
	receive(c);
	bool over = step(c, slot, now_us);
	send_frame(c);
	return over;
}
