/* SPDX-License-Identifier: Apache-2.0 */
#include "cert/watch.h"
#include "base/mem.h"
#include "cert_events.h"
#include "support/certs.h"
#include "ut.h"

static unsigned count[2];
static void counter(const struct ev_record *rec, void *arg)
{
	(void)arg;
	count[0] += rec->report.id == EV_CERT_EXPIRES;
	count[1] += rec->report.id == EV_CERT_EXPIRED;
}

static void each_threshold_is_said_once(void **state)
{
	(void)state;
	struct clock_fake clock;
	struct loop *loop;
	struct ev_bus *bus;
	struct tc root, leaf;
	struct trust_identity *id;
	struct trust_set *set;
	struct trust_keeper *keeper;
	struct cert_watch *w;
	count[0] = count[1] = 0;
	clock_fake_init(&clock, TC_NOW);
	assert_int_equal(loop_create(&loop, &clock.clock), 0);
	assert_int_equal(ev_bus_create(&bus, &clock.clock, 64), 0);
	assert_int_equal(ev_bus_sink(bus, counter, NULL, NULL), 0);
	tc_root(&root, "Root");
	tc_make(&leaf, &(struct tc_prm){ .cn = "node01", .san = "DNS:node01", .issuer = &root, .from_days = -1, .to_days = 40 });
	assert_int_equal(trust_identity_from(&id, "default", leaf.cert, NULL, leaf.key, NULL), 0);
	assert_int_equal(trust_set_create(&set), 0);
	assert_int_equal(trust_set_identity(set, id), 0);
	assert_int_equal(trust_keeper_create(&keeper, set), 0);
	assert_int_equal(cert_watch_create(&w, loop, keeper, bus, NULL), 0);
	for (int day = 0; day < 45; day++) {
		clock_fake_advance_ms(&clock, 86400 * 1000);
		cert_watch_look(w);
		cert_watch_look(w);
	}
	ev_bus_flush(bus);
	assert_int_equal(count[0], 4); /* 30, 14, 7, 1 */
	assert_int_equal(count[1], 1);
	cert_watch_destroy(w);
	trust_keeper_destroy(keeper);
	mem_unref(set);
	mem_unref(id);
	tc_free(&leaf);
	tc_free(&root);
	ev_bus_destroy(bus);
	loop_destroy(loop);
}

UT_MAIN(UT(each_threshold_is_said_once))
