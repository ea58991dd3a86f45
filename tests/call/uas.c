/* SPDX-License-Identifier: Apache-2.0 */
/* uas.c  Answers every call, for trying other programs against the core by hand:  uas ADDRESS:PORT [transfer-target].
 * Writes what legs tell; with a target, every call is transferred there 2 s after its answer.                          */
#include <signal.h>
#include <stdio.h>
#include "base/mem.h"
#include "media/media.h"
#include "net/tmr.h"
#include "sip/core.h"

struct uas {
	struct loop *loop;
	struct media_engine *media;
	struct sip_peer *anybody;
	struct net_addr local;
	const char *target;
};
struct call {
	struct uas *uas;
	struct leg *leg;
	struct media_port *port;
	struct tmr later;
};
static struct loop *the_loop;

static void on_media(struct media_port *port, const struct media_event *ev, void *arg)
{
	struct call *c = arg;

	(void)port;
	if (ev->type == MEDIA_DIGIT)
		printf("%s key %c\n", leg_session(c->leg), ev->digit);
	if (ev->type == MEDIA_CLOSED) {
		mem_unref(c->leg);
		mem_free(c);
	}
}

static void on_later(void *arg)
{
	struct call *c = arg;

	printf("%s transfer: %d\n", leg_session(c->leg), leg_transfer(c->leg, c->uas->target, NULL));
}

static void on_leg(struct leg *leg, const struct leg_event *ev, void *arg)
{
	struct call *c = arg;

	printf("%s %s %d %s %c\n", leg_session(leg), leg_event_name(ev->type), ev->status, ev->reason, ev->digit ? ev->digit : ' ');
	if (ev->type == LEG_ANSWERED && c->uas->target)
		tmr_start(c->uas->loop, &c->later, 2000, on_later, c);
	if (ev->type == LEG_TRANSFERRED)
		leg_hangup(leg, "transferred");
	if (ev->type == LEG_ENDING && ev->receipt)
		leg_confirm(leg, true);
	if (ev->type == LEG_OVER) {
		tmr_cancel(&c->later);
		media_port_close(c->port);
	}
}

static void on_offered(struct leg *leg, void *arg)
{
	struct uas *u = arg;
	struct call *c = mem_zalloc(1, sizeof(*c));
	struct net_addr any = u->local;
	struct media_port_prm prm = { .local = &any, .handler = on_media, .arg = c };
	struct ev_report why;
	char words[400];

	net_addr_set_port(&any, 0);
	ev_set(&why, 0);
	if (!c || media_port_open(&c->port, u->media, &prm, &why)) {
		leg_reject(leg, 503, NULL, 1);
		mem_free(c);
		return;
	}
	c->uas = u;
	c->leg = mem_ref(leg);
	leg_handler(leg, on_leg, c);
	printf("%s offered %s -> %s\n", leg_session(leg), leg_info(leg)->from.uri, leg_info(leg)->called.uri);
	if (leg_answer(leg, c->port, &why))
		printf("%s not answered: %s\n", leg_session(leg), ev_sentence(&why, words, sizeof(words)));
}

static int on_lookup(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg)
{
	struct uas *u = arg;

	(void)src;
	(void)why;
	*peer = mem_ref(u->anybody);
	return 0;
}

static void on_signal(int n)
{
	(void)n;
	loop_stop(the_loop);
}

int main(int argc, char **argv)
{
	struct uas u = { .target = argc > 2 ? argv[2] : NULL };
	struct sip_core_prm prm = { .clock = clock_system(), .lookup = on_lookup, .offered = on_offered, .arg = &u, .n_listen = 2 };
	struct media_engine_prm media = { .clock = clock_system(), .threads = 1 };
	struct sip_core *core;
	struct ev_bus *bus;
	struct dns *dns;
	struct sip_core_stats st;

	if (argc < 2 || net_addr_parse_port(&u.local, text_of(argv[1]), 5060))
		return 2;
	setlinebuf(stdout);
	prm.listen[0] = (struct sip_listen){ .transport = NET_UDP, .addr = u.local };
	prm.listen[1] = (struct sip_listen){ .transport = NET_TCP, .addr = u.local };
	u.anybody = sip_peer_create();
	text_fill(u.anybody->name, sizeof(u.anybody->name), "anybody");
	if (loop_create(&u.loop, clock_system()) || ev_bus_create(&bus, clock_system(), 100))
		return 1;
	(void)ev_sink_text(bus, 2);
	if (getenv("TRACE"))
		ev_bus_level(bus, EV_CAT_SIP, EV_LEVEL_EXPERT);
	the_loop = media.loop = prm.loop = u.loop;
	prm.bus = bus;
	if (dns_create(&dns, u.loop, NULL) || media_engine_create(&u.media, &media, NULL))
		return 1;
	prm.dns = dns;
	if (sip_core_create(&core, &prm, NULL))
		return 1;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	loop_run(u.loop);
	sip_core_stats(core, &st);
	printf("invites %lu refused %lu malformed %lu stray %lu repeated %lu; transactions %u legs %u\n", (unsigned long)st.invites, (unsigned long)st.refused,
	       (unsigned long)st.malformed, (unsigned long)st.stray, (unsigned long)st.retransmissions, st.transactions, st.legs);
	sip_core_destroy(core);
	for (int i = 0; i < 20; i++)
		loop_step(u.loop, 20);
	media_engine_destroy(u.media);
	dns_destroy(dns);
	mem_unref(u.anybody);
	loop_destroy(u.loop);
	ev_bus_destroy(bus);
	printf("left: %zu\n", mem_live());
	return 0;
}
