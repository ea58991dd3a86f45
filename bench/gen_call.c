/* SPDX-License-Identifier: Apache-2.0 */
/* gen_call.c  A call of the generator. It is no SIP stack: fixed messages are sent and the few things that it needs looked for in the answers, so that
 * it costs little beside the server that is measured. */
#include <arpa/inet.h>
#include <unistd.h>
#include "gen.h"
#include "invite.h"

enum { RESEND_US = 500000, RESENDS = 6, MESSAGE = 4096 };

struct gen_call *gen_calls;
int gen_slots;
struct gen_counts gen_counts;

/* ---- messages ---- */
static size_t offer(struct gen_call *c, const char *ip, bool big, char sdp[1200])
{
	const struct gen_codec *k = gen_opt.codec;
	char crypto[200];
	bool secret = gen_secret_offer(c, crypto, sizeof crypto) > 0;
	int n = snprintf(sdp, 1200, "v=0\r\no=- %u 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/%s %u %s101\r\n%s%s%s%s%s", c->rtp_port, ip, ip, c->rtp_port,
	                 secret ? "SAVP" : "AVP", k->pt, big ? "8 9 18 111 13 " : "", k->rtpmap ? "a=rtpmap:" : "", k->rtpmap ? k->rtpmap : "", k->rtpmap ? "\r\n" : "", crypto,
	                 big ? INVITE_LONG_SDP : "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n");
	return (size_t)n;
}

static void user(char text[64], const char *base, unsigned count, int slot, const char *otherwise)
{
	if (!base)
		snprintf(text, 64, "%s%d", otherwise, slot);
	else if (count > 1)
		snprintf(text, 64, "%lu", strtoul(base, NULL, 10) + (unsigned)slot % count);
	else
		snprintf(text, 64, "%.60s", base);
}

void gen_call_number(int slot, char text[64])
{
	user(text, gen_opt.from, gen_opt.from_count, slot, "");
}

static void request(int slot, const char *method, unsigned cseq, unsigned branch)
{
	struct gen_call *c = &gen_calls[slot];
	char msg[MESSAGE], sdp[1200] = "", ip[32], uri[256], to[64], from[64];
	bool invite = strcmp(method, "INVITE") == 0, big = invite && gen_opt.long_invite;
	const char *transport = gen_opt.tls ? "TLS" : "UDP";
	unsigned port = ntohs(c->conn->local.sin_port);
	inet_ntop(AF_INET, &c->conn->local.sin_addr, ip, sizeof ip);
	user(to, gen_opt.to, gen_opt.to_count, slot, "");
	user(from, gen_opt.from, gen_opt.from_count, slot, "bench");
	size_t n_sdp = invite ? offer(c, ip, big, sdp) : 0;
	if (invite || !c->contact[0])
		snprintf(uri, sizeof uri, "sip:%s@%s:%u", to, ip, ntohs(gen_opt.target.sin_port));
	else
		snprintf(uri, sizeof uri, "%s", c->contact);
	int n = snprintf(msg, sizeof msg,
	                 "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s:%u;branch=z9hG4bK%s%dx%ux%u;rport\r\n%sMax-Forwards: 70\r\n"
	                 "From: <sip:%s@%s>;tag=b%sx%dx%u\r\nTo: <sip:%s@%s>%s%s\r\nCall-ID: %s-%d-%u@bench\r\nCSeq: %u %s\r\n"
	                 "Contact: <sip:bench@%s:%u%s>\r\n%s%sContent-Length: %zu\r\n\r\n%s",
	                 method, uri, transport, ip, port, gen_run, slot, c->round, branch, big ? INVITE_LONG_VIA : "", from, ip, gen_run, slot, c->round, to, ip,
	                 c->to_tag[0] ? ";tag=" : "", c->to_tag, gen_run, slot, c->round, cseq, method, ip, port, gen_opt.tls ? ";transport=tls" : "",
	                 big ? INVITE_LONG_HEADERS : "", invite ? "Content-Type: application/sdp\r\n" : "", n_sdp, sdp);
	gen_conn_send(c->conn, msg, (size_t)n);
}

static const char *header(const char *msg, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = msg; (p = strstr(p, "\r\n")) != NULL;) {
		p += 2;
		if (strncasecmp(p, name, n) == 0 && p[n] == ':')
			return p + n + 1 + strspn(p + n + 1, " ");
		if (*p == '\r')
			break;
	}
	return NULL;
}

static void copy_until(char *dst, size_t size, const char *from, const char *stop)
{
	size_t n = strcspn(from, stop);
	if (n >= size)
		n = size - 1;
	memcpy(dst, from, n);
	dst[n] = '\0';
}

/* ---- a call's life ---- */
static void over(struct gen_call *c)
{
	gen_media_close(c);
	gen_conn_put(c->conn);
	c->conn = NULL;
	gen_counts.up -= c->state == GEN_UP || c->state == GEN_LEAVING;
	c->state = GEN_FREE;
	gen_slot_free((int)(c - gen_calls));
}

static void failed(struct gen_call *c)
{
	gen_counts.failed++;
	over(c);
}

static void ended(struct gen_call *c)
{
	gen_counts.ended++;
	over(c);
}

static void invite(int slot, int64_t now_us)
{
	struct gen_call *c = &gen_calls[slot];
	c->state = GEN_INVITED;
	c->resend_us = now_us + RESEND_US;
	request(slot, "INVITE", 1, 1);
}

void gen_call_begin(int slot, int64_t now_us, int64_t hold_us)
{
	struct gen_call *c = &gen_calls[slot];
	*c = (struct gen_call){ .round = c->round + 1, .rtp = -1, .rtp_port = 9, .begun_us = now_us, .hold_us = hold_us, .state = GEN_OPENING };
	gen_counts.begun++;
	if (slot >= gen_slots)
		gen_slots = slot + 1;
	c->conn = gen_conn_get();
	if (!c->conn) {
		failed(c);
		return;
	}
	gen_media_open(c);
	if (c->conn->ready)
		invite(slot, now_us);
}

void gen_call_connected(struct gen_conn *conn)
{
	for (int i = 0; i < gen_slots; i++)
		if (gen_calls[i].conn == conn && gen_calls[i].state == GEN_OPENING)
			invite(i, gen_now_us());
}

static void answered(int slot, const char *msg)
{
	struct gen_call *c = &gen_calls[slot];
	const char *to = header(msg, "To"), *contact = header(msg, "Contact"), *tag = to ? strstr(to, ";tag=") : NULL;
	const char *m = strstr(msg, "\nm=audio "), *ip = strstr(msg, "\nc=IN IP4 ");
	char host[32];
	if (!tag || !contact || !m || !ip) {
		failed(c);
		return;
	}
	copy_until(c->to_tag, sizeof c->to_tag, tag + 5, ";\r\n");
	const char *lt = strchr(contact, '<');
	copy_until(c->contact, sizeof c->contact, lt ? lt + 1 : contact, ">\r\n");
	copy_until(host, sizeof host, ip + 10, " \r\n");
	struct sockaddr_in media = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(m + 9)) };
	inet_pton(AF_INET, host, &media.sin_addr);
	request(slot, "ACK", 1, 2);
	gen_media_connect(c, &media);
	if (!gen_secret_answered(c, m)) {
		fprintf(stderr, "callgen: no key was answered that fits the offer\n");
		failed(c);
		return;
	}
	c->state = GEN_UP;
	c->up_us = gen_now_us();
	gen_setup_took(c->up_us - c->begun_us);
	gen_counts.up++;
}

static void refused(int slot, int status)
{
	request(slot, "ACK", 1, 1);
	gen_counts.refused++;
	gen_counts.last_refusal = status;
	failed(&gen_calls[slot]);
}

/* A request of the server: BYE, or something that we do not know. The answer mirrors it. */
static void asked(struct gen_call *c, struct gen_conn *conn, const char *msg)
{
	bool bye = strncmp(msg, "BYE ", 4) == 0;
	if (strncmp(msg, "ACK ", 4) == 0)
		return;
	char out[MESSAGE];
	size_t o = (size_t)snprintf(out, sizeof out, "SIP/2.0 %s\r\n", bye || strncmp(msg, "OPTIONS ", 8) == 0 ? "200 OK" : "501 Not Implemented");
	for (const char *p = strstr(msg, "\r\n") + 2; *p && *p != '\r';) {
		size_t n = strcspn(p, "\r") + 2;
		if ((strncasecmp(p, "Via:", 4) == 0 || strncasecmp(p, "From:", 5) == 0 || strncasecmp(p, "To:", 3) == 0 || strncasecmp(p, "Call-ID:", 8) == 0 ||
		     strncasecmp(p, "CSeq:", 5) == 0) && n < sizeof out - o - 32) {
			memcpy(out + o, p, n);
			o += n;
		}
		p += n;
	}
	o += (size_t)snprintf(out + o, sizeof out - o, "Content-Length: 0\r\n\r\n");
	gen_conn_send(conn, out, o);
	if (bye && c && (c->state == GEN_UP || c->state == GEN_LEAVING))
		ended(c);
}

/* Call-ID: RUN-SLOT-ROUND@bench. */
static struct gen_call *which(const char *msg)
{
	const char *id = header(msg, "Call-ID");
	size_t n = strlen(gen_run);
	char *end;
	if (!id || strncmp(id, gen_run, n) != 0 || id[n] != '-')
		return NULL;
	unsigned long slot = strtoul(id + n + 1, &end, 10), round = *end == '-' ? strtoul(end + 1, NULL, 10) : 0;
	return slot < (unsigned long)gen_slots && gen_calls[slot].round == round ? &gen_calls[slot] : NULL;
}

void gen_incoming(struct gen_conn *conn, const char *msg)
{
	struct gen_call *c = which(msg);
	if (strncmp(msg, "SIP/2.0 ", 8) != 0) {
		if (strstr(msg, "\r\n"))
			asked(c, conn, msg);
		return;
	}
	const char *cseq = header(msg, "CSeq");
	int status = atoi(msg + 8);
	if (!c || !cseq || status < 200)
		return;
	int slot = (int)(c - gen_calls);
	if (strstr(cseq, "INVITE")) {
		if (c->state == GEN_INVITED && status < 300)
			answered(slot, msg);
		else if (c->state == GEN_INVITED)
			refused(slot, status);
		else if (c->state == GEN_UP && status < 300)
			request(slot, "ACK", 1, 2); /* it was lost */
	} else if (strstr(cseq, "BYE") && c->state == GEN_LEAVING) {
		ended(c);
	}
}

static void leave(int slot, int64_t now_us)
{
	struct gen_call *c = &gen_calls[slot];
	request(slot, "BYE", 2, 3);
	c->state = GEN_LEAVING;
	c->resends = 0;
	c->resend_us = now_us + RESEND_US;
}

/* Over UDP the request is sent again; over TLS it is only waited for the answer. */
static void again(int slot, int64_t now_us)
{
	struct gen_call *c = &gen_calls[slot];
	if (++c->resends > RESENDS || (c->conn && c->conn->broken)) {
		failed(c);
		return;
	}
	c->resend_us = now_us + ((int64_t)RESEND_US << c->resends);
	if (gen_opt.tls || c->state == GEN_OPENING)
		return;
	gen_counts.retransmissions++;
	if (c->state == GEN_INVITED)
		request(slot, "INVITE", 1, 1);
	else
		request(slot, "BYE", 2, 3);
}

void gen_call_turn(int slot, int64_t now_us, bool leave_now)
{
	struct gen_call *c = &gen_calls[slot];
	if (c->state == GEN_UP) {
		bool hangs_up = gen_opt.mode == GEN_PLAY && gen_media_turn(slot, now_us);
		gen_counts.scripts += hangs_up;
		if (hangs_up || leave_now || (c->hold_us && now_us - c->up_us >= c->hold_us))
			leave(slot, now_us);
	} else if (c->state != GEN_FREE && (now_us >= c->resend_us || (c->conn && c->conn->broken))) {
		again(slot, now_us);
	}
}
