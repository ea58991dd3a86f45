/* SPDX-License-Identifier: Apache-2.0 */
/* sip_dialog.c  One call, every step a byte: what the peer sends (always well formed, with the right tags unless the byte says otherwise), what the owner of the leg
 * does, how it is answered what we send, and time. The low half of the byte is the step, the high half its kind. So states are reached that mutated
 * text hardly finds. At the end all calls are over and no memory is left.                                                                            */
#include <stdint.h>
#include "base/mem.h"
#include "media/media.h"
#include "sip/leg_private.h"

enum { STEPS_MAX = 64 };

struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct sip_core *core;
	struct media_engine *media;
	struct media_port *port;
	struct leg *leg;
	struct sip_peer *peer;
	struct buf last;     /* what the peer said last */
	struct buf ours;     /* the last request that we sent */
	unsigned cseq, call; /* of the peer */
	char called_tag[64];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const sessions[] = {
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n",
	"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4002 RTP/AVP 8\r\na=sendonly\r\n",
	"v=0\r\no=- 1 3 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nm=video 5000 RTP/AVP 31\r\n",
	"v=0\r\no=- 1 4 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n",
	"v=0\r\no=- 1 5 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 99\r\n",
	"",
};
static const unsigned statuses[] = { 100, 180, 183, 200, 202, 302, 401, 407, 408, 422, 481, 487, 491, 500, 503, 603 };

static void pass(struct bench *b, int64_t ms)
{
	int64_t piece = ms > 5000 ? 1000 : 50;

	for (int64_t i = 0; i < ms; i += piece) {
		clock_fake_advance_ms(&b->clock, piece);
		loop_step(b->loop, 0);
		media_engine_step(b->media);
	}
}

static void on_trace(const struct sip_trace *t, void *arg)
{
	struct bench *b = arg;
	struct sip_msg *m;

	if (t->in || !(m = mem_alloc(sizeof(*m))))
		return;
	if (!sip_msg_parse(m, t->data, t->n, NULL)) {
		if (m->request && m->method != SIP_ACK) {
			buf_clear(&b->ours);
			buf_put(&b->ours, t->data, t->n);
		} else if (!m->request && m->to_tag.n) {
			(void)text_copy(text_head(m->to_tag, sizeof(b->called_tag) - 1), b->called_tag, sizeof(b->called_tag));
		}
	}
	mem_free(m);
}

static void on_leg(struct leg *leg, const struct leg_event *ev, void *arg)
{
	(void)leg;
	(void)ev;
	(void)arg;
}

static void on_offered(struct leg *leg, void *arg)
{
	struct bench *b = arg;

	if (b->leg) {
		leg_handler(b->leg, NULL, NULL);
		(void)leg_hangup(b->leg, NULL);
		leg_confirm(b->leg, true);
	}
	mem_unref(b->leg);
	b->leg = mem_ref(leg);
	leg_handler(leg, on_leg, b);
}

static int on_lookup(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg)
{
	(void)src;
	(void)why;
	*peer = mem_ref(((struct bench *)arg)->peer);
	return 0;
}

static void deliver(struct bench *b)
{
	struct sip_path path = { .transport = NET_UDP, .listener = 0, .local = *sip_core_local(b->core, 0), .udp = b->core->listener[0].udp };

	(void)net_addr_parse(&path.peer, TEXT("127.0.0.1"), 5070);
	if (!buf_error(&b->last) && b->last.n)
		sip_receive(b->core, &path, buf_as_text(&b->last));
}

/* A request of the peer: kind bit 3: as an outsider might make it. */
static void request(struct bench *b, const char *method, unsigned cseq, unsigned kind, const char *more, const char *type, const char *body)
{
	bool in_call = strcmp(method, "CANCEL") != 0 && b->called_tag[0] && (strcmp(method, "INVITE") != 0 || kind & 16);
	bool odd = kind & 8;

	buf_clear(&b->last);
	buf_printf(&b->last, "%s sip:200@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;rport;branch=z9hG4bK%u-%u%s\r\nMax-Forwards: 70\r\n", method, b->call,
	           cseq, strcmp(method, "ACK") ? "" : odd ? "a" : "");
	buf_printf(&b->last, "From: <sip:100@127.0.0.1>;tag=peer%u\r\nTo: <sip:200@127.0.0.1>%s%s\r\nCall-ID: call%u\r\nCSeq: %u %s\r\n", b->call, in_call ? ";tag=" : "",
	           in_call ? (odd ? "wrong" : b->called_tag) : "", b->call, cseq, method);
	buf_printf(&b->last, "Contact: <sip:100@127.0.0.1:5070>\r\n%s", more);
	if (body[0])
		buf_printf(&b->last, "Content-Type: %s\r\n", type);
	buf_printf(&b->last, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	deliver(b);
}

static void answer_ours(struct bench *b, unsigned kind)
{
	struct sip_msg *m = mem_alloc(sizeof(*m));
	const char *body = kind == 3 ? sessions[0] : "";
	struct buf ours;

	buf_init(&ours, 1 << 17);
	buf_put(&ours, b->ours.p, b->ours.n);
	if (m && ours.n && !sip_msg_parse(m, ours.p, ours.n, NULL)) {
		buf_clear(&b->last);
		sip_put_response(&b->last, m, &(struct sip_response_prm){ .status = statuses[kind], .to_tag = TEXT("peer") });
		buf_str(&b->last, "Contact: <sip:100@127.0.0.1:5070>\r\n");
		buf_printf(&b->last, "%sContent-Length: %zu\r\n\r\n%s", body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
		deliver(b);
	}
	buf_free(&ours);
	mem_free(m);
}

static void owner(struct bench *b, unsigned kind)
{
	struct leg *leg = b->leg;

	if (!leg)
		return;
	switch (kind) {
	case 0: (void)leg_ring(leg); break;
	case 1: case 2: case 3: (void)leg_answer(leg, b->port, &(struct ev_report){ 0 }); break;
	case 4: (void)leg_reject(leg, 486, "busy", 5); break;
	case 5: (void)leg_hangup(leg, "enough"); break;
	case 6: leg_confirm(leg, true); break;
	case 7: leg_confirm(leg, false); break;
	case 8: (void)leg_transfer(leg, "sip:300@example.test", NULL); break;
	case 9: (void)leg_hold(leg, true); break;
	case 10: (void)leg_hold(leg, false); break;
	case 11: (void)leg_send_info_digit(leg, '5', 100); break;
	case 12: (void)leg_refer_progress(leg, 180); break;
	case 13: (void)leg_refer_progress(leg, 200); break;
	case 14: (void)leg_cancel(leg); break;
	default: /* the owner has had enough of it */
		(void)leg_hangup(leg, NULL);
		leg_confirm(leg, true);
		b->leg = mem_unref(leg);
	}
}

static void step(struct bench *b, unsigned what, unsigned kind)
{
	static const char *const frags[] = { "SIP/2.0 100 Trying\r\n", "SIP/2.0 200 OK\r\n", "SIP/2.0 486 Busy\r\n", "nonsense" };
	const char *session = sessions[kind % 6];

	switch (what) {
	case 0:
		b->called_tag[0] = '\0';
		b->call++;
		request(b, "INVITE", b->cseq = 1, 0, kind & 8 ? "Supported: timer, 100rel\r\nSession-Expires: 1800\r\n" : "", "application/sdp", session);
		break;
	case 1: request(b, "ACK", b->cseq, kind & 8, "", "application/sdp", kind & 1 ? sessions[kind / 2 % 4] : ""); break;
	case 2: request(b, "CANCEL", b->cseq, 0, "", "", ""); break;
	case 3: request(b, "INVITE", ++b->cseq, 16 | (kind & 8), "", "application/sdp", session); break;
	case 4: request(b, "UPDATE", ++b->cseq, kind & 8, kind & 1 ? "Session-Expires: 90;refresher=uac\r\n" : "", "application/sdp", session); break;
	case 5: request(b, "BYE", ++b->cseq, kind & 8, "Reason: Q.850;cause=16\r\n", "", ""); break;
	case 6: request(b, "INFO", ++b->cseq, kind & 8, "", "application/dtmf-relay", kind & 1 ? "Signal=5\r\nDuration=100\r\n" : "Signal="); break;
	case 7: request(b, "REFER", ++b->cseq, kind & 8, kind & 1 ? "Refer-To: <sip:300@127.0.0.1>\r\n" : "Refer-To: <tel:9>\r\nRefer-Sub: false\r\n", "", ""); break;
	case 8:
		request(b, "NOTIFY", ++b->cseq, kind & 8, kind & 4 ? "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n" : "Event: refer\r\nSubscription-State: active;expires=60\r\n",
		        "message/sipfrag", frags[kind & 3]);
		break;
	case 9: request(b, "PRACK", ++b->cseq, kind & 8, "RAck: 1 1 INVITE\r\n", "application/sdp", kind & 1 ? session : ""); break;
	case 10: request(b, "OPTIONS", ++b->cseq, kind & 8, "", "", ""); break;
	case 11: answer_ours(b, kind); break;
	case 12: deliver(b); break; /* once more */
	case 13: pass(b, kind < 4 ? 50 : kind < 8 ? 500 : kind < 12 ? 4000 : 40000); break;
	case 14: owner(b, kind); break;
	default: request(b, "BYE", kind, 0, "", "", ""); /* an old number */
	}
}

static bool bench_open(struct bench *b)
{
	struct sip_core_prm prm = { .clock = &b->clock.clock, .lookup = on_lookup, .offered = on_offered, .arg = b, .n_listen = 1 };
	struct media_engine_prm media = { .clock = &b->clock.clock };
	struct net_addr local;
	struct media_port_prm port = { .local = &local };
	struct ev_report why;

	buf_init(&b->last, 1 << 17);
	buf_init(&b->ours, 1 << 17);
	clock_fake_init(&b->clock, 1800000000);
	if (loop_create(&b->loop, &b->clock.clock))
		return false;
	prm.loop = b->loop;
	b->peer = sip_peer_create();
	text_fill(b->peer->host, sizeof(b->peer->host), "127.0.0.1");
	b->peer->port = 5070;
	(void)net_addr_parse(&local, TEXT("127.0.0.1"), 0);
	prm.listen[0] = (struct sip_listen){ .transport = NET_UDP, .addr = local };
	if (media_engine_create(&b->media, &media, NULL) || media_port_open(&b->port, b->media, &port, NULL) || sip_core_create(&b->core, &prm, &why))
		return false;
	sip_core_tracer(b->core, on_trace, b);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bench b = { .cseq = 1 };

	if (bench_open(&b)) {
		for (size_t i = 0; i < n && i < STEPS_MAX; i++) {
			step(&b, data[i] & 15, data[i] >> 4);
			pass(&b, 50);
		}
		/* the peer is gone, the owner lets go: nothing may stay for ever */
		if (b.leg) {
			(void)leg_reject(b.leg, 480, NULL, 0);
			(void)leg_hangup(b.leg, NULL);
			leg_confirm(b.leg, true);
		}
		pass(&b, 300000);
		if (sip_core_legs(b.core))
			abort();
	}
	sip_core_destroy(b.core);
	mem_unref(b.leg);
	mem_unref(b.peer);
	media_engine_destroy(b.media);
	for (int i = 0; i < 4; i++)
		loop_step(b.loop, 0);
	loop_destroy(b.loop);
	buf_free(&b.last);
	buf_free(&b.ours);
	if (mem_live())
		abort();
	return 0;
}
