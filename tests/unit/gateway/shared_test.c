/* SPDX-License-Identifier: Apache-2.0 */
/* Two nodes on one store tell each other what works. */
#include "ut.h"
#include <string.h>
#include "base/mem.h"
#include "db/db.h"
#include "gateway/shared.h"

struct side {
	struct gw_table *table;
	struct gw_shared *shared;
};

static void begin(struct side *d, struct loop *loop, struct store *store, struct cfg *cfg, const char *node)
{
	struct gw_prm prm = { .loop = loop, .clock = clock_system(), .node = node, .fqdn = node };
	assert_int_equal(gw_table_create(&d->table, &prm), 0);
	assert_int_equal(gw_table_apply(d->table, cfg), 0);
	struct gw_shared_prm sp = { .table = d->table, .store = store, .loop = loop, .clock = clock_system(), .node = node, .interval_ms = 20 };
	assert_int_equal(gw_shared_create(&d->shared, &sp), 0);
}

static void told(struct side *d, bool works)
{
	struct trust_facts *f = mem_zalloc(1, sizeof *f);
	facts_init(f, TRUST_DIALLED, TRUST_TCP, 1700000000);
	facts_gateway(f, "pool", "192.0.2.1");
	facts_flow(f, TRUST_FLOW_TRANSFER);
	facts_target(f, "192.0.2.1", 5060, "192.0.2.1:5060");
	facts_connect(f, works ? 0 : 111, 1);
	facts_sip_sent(f, TEXT("REFER"));
	if (works)
		facts_sip_answer(f, 202, TEXT("Accepted"));
	gw_flow(gw_peer(gw_find(d->table, "pool")), f, works, d->table);
	mem_free(f);
}

static const struct gw_shared_flow *seen(struct loop *loop, struct side *d, enum gw_works works)
{
	for (unsigned i = 0; i < 400; i++) {
		if (gw_shared_count(d->shared) && gw_shared_at(d->shared, 0)->works == works)
			return gw_shared_at(d->shared, 0);
		loop_step(loop, 10);
	}
	fail_msg("nothing was heard of the other node");
	return NULL;
}

static void nodes_hear_of_each_other(void **state)
{
	(void)state;
	struct loop *loop;
	struct store *store;
	struct cfg *cfg;
	struct cfg_errors errors = { 0 };
	struct side a, b;
	char url[200];
	text_print(url, sizeof url, "sqlite:%s/db", ut_tmpdir());
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	struct store_prm prm = { .url = url, .loop = loop, .clock = clock_system() };
	assert_int_equal(store_open(&store, &prm, NULL), 0);
	assert_int_equal(cfg_parse(&cfg, "test", TEXT("gateways:\n- {name: pool, address: 192.0.2.1, transport: tcp, options: {on: false}}\n"), CFG_WANT_OBJECTS, &errors), 0);
	begin(&a, loop, store, cfg, "node01");
	begin(&b, loop, store, cfg, "node02");
	told(&a, false);
	const struct gw_shared_flow *f = seen(loop, &b, GW_REFUSED);
	assert_string_equal(f->node, "node01");
	assert_string_equal(f->gateway, "pool");
	assert_int_equal(f->flow, GW_TRANSFER);
	assert_true(*f->verdict && *f->sentence);
	assert_int_equal(gw_shared_count(a.shared), 0); /* one does not hear oneself */
	told(&a, true);
	f = seen(loop, &b, GW_WORKS);
	assert_true(f->worked_us >= f->failed_us);
	gw_shared_destroy(a.shared);
	gw_shared_destroy(b.shared);
	gw_table_destroy(a.table);
	gw_table_destroy(b.table);
	store_close(store);
	cfg_unref(cfg);
	loop_destroy(loop);
}

UT_MAIN(UT(nodes_hear_of_each_other))
