/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "media_events.h"
#include "media_pair.h"

static struct clock_fake clk;

static struct media_engine *engine(uint16_t min, uint16_t max, unsigned ports)
{
	struct media_engine *e;
	clock_fake_init(&clk, 0);
	struct media_engine_prm prm = { .clock = &clk.clock, .port_min = min, .port_max = max, .ports_max = ports };
	assert_int_equal(media_engine_create(&e, &prm, NULL), 0);
	return e;
}

static void mark_closed(struct media_port *port, const struct media_event *ev, void *arg)
{
	(void)port;
	if (ev->type == MEDIA_CLOSED)
		++*(unsigned *)arg;
}

static int open_one(struct media_port **pp, struct media_engine *e, const char *host, unsigned *closed, struct ev_report *why)
{
	struct net_addr local;
	assert_int_equal(net_addr_parse(&local, text_of(host), 0), 0);
	return media_port_open(pp, e, &(struct media_port_prm){ .local = &local, .handler = mark_closed, .arg = closed }, why);
}

static void turn(struct media_engine *e)
{
	for (unsigned i = 0; i < 2; i++) { /* ports are served in portions, within 20 ms */
		clock_fake_advance_ms(&clk, 20);
		media_engine_step(e);
	}
}

/* A stretch of ports that is free at the moment. */
static uint16_t free_range(unsigned ports)
{
	for (uint16_t base = 40000; base < 60000; base = (uint16_t)(base + 64)) {
		bool ok = true;
		for (uint16_t i = 0; i < ports && ok; i++) {
			int fd = socket(AF_INET, SOCK_DGRAM, 0);
			struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)(base + i)) };
			ok = !bind(fd, (struct sockaddr *)&in, sizeof in);
			close(fd);
		}
		if (ok)
			return base;
	}
	fail();
	return 0;
}

static void a_range_gives_its_pairs_and_no_more(void **state)
{
	(void)state;
	struct media_port *port[4];
	unsigned closed = 0;
	struct ev_report why;
	uint16_t base = free_range(7);
	struct media_engine *e = engine((uint16_t)(base + 1), (uint16_t)(base + 6), 0); /* odd begin: pairs at +2, +4 */
	assert_int_equal(open_one(&port[0], e, "127.0.0.1", &closed, NULL), 0);
	assert_int_equal(open_one(&port[1], e, "127.0.0.1", &closed, NULL), 0);
	assert_int_equal(net_addr_port(media_port_addr(port[0])), base + 2);
	assert_int_equal(net_addr_port(media_port_addr(port[1])), base + 4);
	assert_int_equal(open_one(&port[2], e, "127.0.0.1", &closed, &why), EADDRINUSE);
	assert_int_equal(why.id, EV_MEDIA_PORTS_TAKEN);
	assert_true(text_is(ev_field_text(&why, "address"), "127.0.0.1"));
	media_port_close(port[0]);
	turn(e);
	assert_int_equal(closed, 1);
	assert_int_equal(open_one(&port[2], e, "127.0.0.1", &closed, NULL), 0);
	assert_int_equal(net_addr_port(media_port_addr(port[2])), base + 2);
	media_engine_destroy(e);
}

static void the_limit_of_ports_is_kept(void **state)
{
	(void)state;
	struct media_port *port[3];
	unsigned closed = 0;
	struct ev_report why;
	struct media_engine *e = engine(0, 0, 2);
	assert_int_equal(media_engine_room(e), 2);
	assert_int_equal(open_one(&port[0], e, "127.0.0.1", &closed, NULL), 0);
	assert_int_equal(open_one(&port[1], e, "::1", &closed, NULL), 0);
	assert_int_equal(open_one(&port[2], e, "127.0.0.1", &closed, &why), ENOBUFS);
	assert_int_equal(why.id, EV_MEDIA_PORTS_LIMIT);
	media_port_close(port[0]);
	media_port_close(port[0]); /* twice is once */
	turn(e);
	assert_int_equal(closed, 1);
	assert_int_equal(media_engine_room(e), 1);
	media_engine_destroy(e);
}

static void an_address_that_is_not_ours_is_named(void **state)
{
	(void)state;
	struct media_port *port;
	struct ev_report why;
	struct media_engine *e = engine(0, 0, 0);
	assert_int_equal(open_one(&port, e, "192.0.2.77", NULL, &why), EADDRNOTAVAIL);
	assert_int_equal(why.id, EV_MEDIA_BIND_FAILED);
	media_engine_destroy(e);
}

static void nonsense_streams_are_refused(void **state)
{
	(void)state;
	struct media_port *port;
	unsigned closed = 0;
	struct net_addr v6, none, ok;
	net_addr_parse(&v6, TEXT("::1"), 4000);
	net_addr_parse(&none, TEXT("127.0.0.1"), 0);
	net_addr_parse(&ok, TEXT("127.0.0.1"), 4000);
	struct media_engine *e = engine(0, 0, 0);
	assert_int_equal(open_one(&port, e, "127.0.0.1", &closed, NULL), 0);
	assert_int_equal(media_port_start(port, &(struct media_stream){ .remote = NULL }), EINVAL);
	assert_int_equal(media_port_start(port, &(struct media_stream){ .remote = &v6 }), EINVAL);
	assert_int_equal(media_port_start(port, &(struct media_stream){ .remote = &none }), EINVAL);
	assert_int_equal(media_port_start(port, &(struct media_stream){ .remote = &ok, .pt = 200 }), EINVAL);
	assert_int_equal(media_port_start(port, &(struct media_stream){ .remote = &ok, .codec = MEDIA_CODECS }), EINVAL);
	assert_int_equal(media_port_start(port, &(struct media_stream){ .remote = &ok, .dtmf_pt = MEDIA_NO_PT }), 0);
	media_engine_destroy(e);
}

static void a_full_ring_says_so_but_closing_works(void **state)
{
	(void)state;
	struct media_port *port[8];
	struct media_clip *clip;
	unsigned closed = 0, plays = 0;
	struct media_engine *e = engine(0, 0, 8);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(open_one(&port[i], e, "127.0.0.1", &closed, NULL), 0);
	assert_int_equal(media_clip_silence(&clip, 20), 0);
	while (!media_play(port[0], &clip, 1, NULL))
		assert_true(++plays < 100000);
	assert_int_equal(media_play(port[0], &clip, 1, NULL), EAGAIN);
	mem_unref(clip);
	for (unsigned i = 0; i < 8; i++)
		media_port_close(port[i]);
	turn(e);
	assert_int_equal(closed, 8);
	media_engine_destroy(e);
}

static unsigned named;
static void count_named(const struct ev_record *rec, void *arg)
{
	(void)arg;
	named += rec->report.id == EV_MEDIA_STRANGER_HEARD;
}

static void who_sprays_all_ports_does_not_fill_the_log(void **state)
{
	(void)state;
	struct media_port *port[8];
	struct net_addr remote;
	struct ev_bus *bus;
	struct media_engine *e;
	unsigned closed = 0;
	clock_fake_init(&clk, 1000);
	clock_fake_advance_ms(&clk, 5000);
	named = 0;
	net_addr_parse(&remote, TEXT("127.0.0.1"), 9);
	assert_int_equal(ev_bus_create(&bus, clock_system(), 0), 0);
	ev_bus_sink(bus, count_named, NULL, NULL);
	assert_int_equal(media_engine_create(&e, &(struct media_engine_prm){ .clock = &clk.clock, .bus = bus }, NULL), 0);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(open_one(&port[i], e, "127.0.0.1", &closed, NULL), 0);
		assert_int_equal(media_port_start(port[i], &(struct media_stream){ .remote = &remote, .dtmf_pt = MEDIA_NO_PT, .recv = true }), 0);
	}
	turn(e);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	for (unsigned i = 0; i < 8; i++)
		sendto(fd, "x", 1, 0, &media_port_addr(port[i])->u.sa, net_addr_len(media_port_addr(port[i])));
	close(fd);
	turn(e);
	ev_bus_flush(bus);
	assert_int_equal(named, 1);
	media_engine_destroy(e);
	ev_bus_destroy(bus);
}

static unsigned late_told, late_ms;
static void take_late(const struct ev_record *rec, void *arg)
{
	(void)arg;
	if (rec->report.id != EV_MEDIA_LATE)
		return;
	late_told++;
	late_ms = (unsigned)ev_field(&rec->report, "late_ms")->i;
}

static void stand_still(struct media_engine *e, unsigned ms)
{
	clock_fake_advance_ms(&clk, ms);
	media_engine_step(e);
	for (unsigned i = 0; i < 8; i++) {
		clock_fake_advance_ms(&clk, 5);
		media_engine_step(e);
	}
}

/* Lateness is told at once, then once a minute: the worst of it, not what came first. */
static void the_worst_lateness_of_a_minute_is_told(void **state)
{
	(void)state;
	struct media_port *port;
	struct ev_bus *bus;
	struct media_engine *e;
	unsigned closed = 0;
	clock_fake_init(&clk, 1000);
	clock_fake_advance_ms(&clk, 5000);
	late_told = 0;
	assert_int_equal(ev_bus_create(&bus, clock_system(), 0), 0);
	ev_bus_sink(bus, take_late, NULL, NULL);
	assert_int_equal(media_engine_create(&e, &(struct media_engine_prm){ .clock = &clk.clock, .bus = bus }, NULL), 0);
	assert_int_equal(open_one(&port, e, "127.0.0.1", &closed, NULL), 0);
	stand_still(e, 5);
	stand_still(e, 75);
	ev_bus_flush(bus);
	assert_int_equal(late_told, 1);
	assert_in_range(late_ms, 55, 75);
	stand_still(e, 95);
	stand_still(e, 400);
	stand_still(e, 60);
	ev_bus_flush(bus);
	assert_int_equal(late_told, 1);
	for (unsigned i = 0; i < 60 * 200; i++) {
		clock_fake_advance_ms(&clk, 5);
		media_engine_step(e);
	}
	ev_bus_flush(bus);
	assert_int_equal(late_told, 2);
	assert_in_range(late_ms, 380, 400);
	media_engine_destroy(e);
	ev_bus_destroy(bus);
}

UT_MAIN(UT(the_worst_lateness_of_a_minute_is_told), UT(who_sprays_all_ports_does_not_fill_the_log), UT(a_range_gives_its_pairs_and_no_more), UT(the_limit_of_ports_is_kept), UT(an_address_that_is_not_ours_is_named),
	UT(nonsense_streams_are_refused), UT(a_full_ring_says_so_but_closing_works))
