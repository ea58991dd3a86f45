/* SPDX-License-Identifier: Apache-2.0 */
/* large_test.c  Requests over UDP that are too large for a datagram (RFC 3261 18.1.1): by TCP to the same place; by UDP after all where that is refused or
 * nobody answers, which is told and remembered for a while. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "call/raw.h"
#include "event/bus.h"
#include "sip_events.h"

/* A number that makes the INVITE of b larger than 1300 bytes. */
static const char *long_number(void)
{
	static char n[451];

	memset(n, '7', sizeof(n) - 1);
	return n;
}

/* A TCP socket at the port that the raw peer has for UDP; -1: another has it. */
static int listener_at(const struct raw *x, int backlog)
{
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)x->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), 0);
	if (bind(fd, (struct sockaddr *)&me, sizeof(me)) || listen(fd, backlog)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* b calls the raw peer, which takes TCP, too: returns who listens there. */
static int at_the_peer(struct raw *x, int backlog)
{
	int fd = -1;

	for (unsigned i = 0; fd < 0 && i < 20; i++) {
		raw_open(x, false);
		fd = listener_at(x, backlog);
		if (fd < 0)
			raw_close(x);
	}
	assert_true(fd >= 0);
	x->r.side[B].other->port = (uint16_t)x->port;
	return fd;
}

static void goes_by_tcp(void **state)
{
	char contact[100];
	int udp, listening, tcp;
	struct raw x;

	(void)state;
	listening = at_the_peer(&x, 5);
	rig_call(&x.r, B, long_number());
	assert_string_equal(heard(&x, 50), ""); /* nothing by UDP */
	tcp = accept(listening, NULL, NULL);
	assert_true(tcp >= 0);
	assert_int_equal(fcntl(tcp, F_SETFL, O_NONBLOCK), 0);
	udp = x.fd;
	x.fd = tcp;
	heard(&x, 20);
	wants(&x, "Via: SIP/2.0/TCP 127.0.0.1:");
	wants(&x, "INVITE sip:7777");
	snprintf(contact, sizeof(contact), "Contact: <sip:umbel@127.0.0.1:%u;transport=udp>", net_addr_port(sip_core_local(x.r.side[B].core, 0)));
	wants(&x, contact);
	answer(&x, 200, "t1", SDP);
	assert_true(rig_until(&x.r, B, "answered", 100));
	x.fd = udp; /* what follows is small, and our Contact names no TCP */
	heard(&x, 50);
	wants(&x, "ACK sip:a@127.0.0.1");
	wants(&x, "Via: SIP/2.0/UDP");
	/* the next one over the same connection */
	assert_int_equal(leg_hangup(x.r.side[B].leg, NULL), 0);
	heard(&x, 20);
	wants(&x, "BYE sip:a@127.0.0.1");
	answer(&x, 200, "t1", "");
	assert_true(rig_until(&x.r, B, "over:", 100));
	rig_call(&x.r, B, long_number());
	assert_string_equal(heard(&x, 50), "");
	x.fd = tcp;
	heard(&x, 20);
	wants(&x, "INVITE sip:7777");
	assert_int_equal(accept(listening, NULL, NULL), -1);
	x.fd = udp;
	close(tcp);
	close(listening);
	raw_close(&x);
}

static void count_told(const struct ev_record *rec, void *arg)
{
	if (rec->report.id == EV_SIP_TCP_REFUSED)
		++*(unsigned *)arg;
}

static unsigned told(void)
{
	unsigned n = 0;

	ev_bus_flush(rig_bus);
	ev_bus_read(rig_bus, 0, 64, count_told, &n);
	return n;
}

/* Refused: by UDP at once, told once; ten minutes later TCP is tried again. */
static void refused_goes_by_udp(void **state)
{
	struct clock_fake clock;
	struct raw x;

	(void)state;
	clock_fake_init(&clock, TC_NOW);
	assert_int_equal(ev_bus_create(&rig_bus, &clock.clock, 64), 0);
	ev_bus_level(rig_bus, EV_CAT_SIP, EV_LEVEL_HIGH);
	close(at_the_peer(&x, 5));
	for (unsigned i = 0; i < 2; i++) {
		rig_call(&x.r, B, long_number());
		heard(&x, 50);
		wants(&x, "INVITE sip:7777");
		wants(&x, "Via: SIP/2.0/UDP 127.0.0.1:");
		assert_int_equal(count(x.in, "INVITE sip:"), 1);
		answer(&x, 486, "t1", "");
		assert_true(rig_until(&x.r, B, "over:refused:486", 100));
		heard(&x, 20); /* its ACK */
		rig_forget(&x.r.side[B]);
		assert_int_equal(told(), 1);
	}
	rig_run(&x.r, 10 * 60 * 1000 + 100);
	heard(&x, 10);
	rig_call(&x.r, B, long_number());
	heard(&x, 50);
	wants(&x, "INVITE sip:7777");
	assert_int_equal(told(), 2);
	/* and no answer: the verdict knows of both */
	assert_true(rig_until(&x.r, B, "over:failed:408", 33000));
	assert_int_equal(x.r.side[B].facts.transport, TRUST_UDP);
	assert_true(x.r.side[B].facts.sip.large > 1300);
	assert_string_equal(x.r.side[B].facts.sip.no_tcp, strerror(ECONNREFUSED));
	raw_close(&x);
	ev_bus_destroy(rig_bus);
	rig_bus = NULL;
}

/* A listener whose queue is full lets every further SYN fall: as a firewall that drops. */
static void silence_goes_by_udp(void **state)
{
	struct sockaddr_in at;
	int listening, filler[2];
	struct raw x;

	(void)state;
	listening = at_the_peer(&x, 0);
	at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)x.port) };
	for (unsigned i = 0; i < 2; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(filler[i], (struct sockaddr *)&at, sizeof(at));
	}
	rig_call(&x.r, B, long_number());
	assert_string_equal(heard(&x, 3500), "");
	heard(&x, 1000);
	wants(&x, "INVITE sip:7777");
	wants(&x, "Via: SIP/2.0/UDP 127.0.0.1:");
	answer(&x, 486, "t1", "");
	assert_true(rig_until(&x.r, B, "over:refused:486", 100));
	rig_forget(&x.r.side[B]);
	rig_call(&x.r, B, long_number()); /* no waiting any more */
	heard(&x, 20);
	wants(&x, "INVITE sip:7777");
	for (unsigned i = 0; i < 2; i++)
		close(filler[i]);
	close(listening);
	raw_close(&x);
}

/* The proof of a password makes it too large. */
static void large_by_its_login(void **state)
{
	static char number[201];
	struct sip_peer *peer;
	int listening, udp, tcp;
	struct raw x;

	(void)state;
	listening = at_the_peer(&x, 5);
	peer = x.r.side[B].other;
	snprintf(peer->login.user, sizeof(peer->login.user), "umbel");
	snprintf(peer->login.password, sizeof(peer->login.password), "secret");
	snprintf(peer->login.realm, sizeof(peer->login.realm), "pbx");
	memset(number, '7', sizeof(number) - 1);
	rig_call(&x.r, B, number);
	heard(&x, 20);
	wants(&x, "Via: SIP/2.0/UDP");
	if (strlen(x.in) > 1300)
		fail_msg("%zu bytes", strlen(x.in));
	answer_more(&x, 401, "t1", "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256\r\n", "");
	heard(&x, 50);
	wants(&x, "ACK sip:7777");
	assert_int_equal(count(x.in, "INVITE sip:"), 0);
	tcp = accept(listening, NULL, NULL);
	assert_true(tcp >= 0);
	assert_int_equal(fcntl(tcp, F_SETFL, O_NONBLOCK), 0);
	udp = x.fd;
	x.fd = tcp;
	heard(&x, 20);
	wants(&x, "INVITE sip:7777");
	wants(&x, "Authorization: Digest username=\"umbel\"");
	x.fd = udp;
	close(tcp);
	close(listening);
	raw_close(&x);
}

UT_MAIN(UT(goes_by_tcp), UT(refused_goes_by_udp), UT(silence_goes_by_udp), UT(large_by_its_login))
