/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "config/cfg.h"

#define NODE \
	"node:\n" \
	"  name: node01\n" \
	"  fqdn: node01.domain.local\n" \
	"  listen: [udp:127.0.0.1:5060, 'tls:[::1]:5061']\n" \
	"  identities:\n" \
	"    - {name: own, cert: /etc/c.pem, key: /etc/k.pem}\n"

static const char whole[] = NODE
	"  sip: {t1_ms: 50}\n"
	"  admin: {http: 127.0.0.1:8060}\n"
	"  log: {levels: {trust: expert}}\n"
	"  drain_s: 0.5\n"
	"trust: {ca: /etc/root.pem}\n"
	"gateways:\n"
	"  - name: pool\n"
	"    address: lyncpool.domain.com\n"
	"    port: 5061\n"
	"    judges_us: {profile: cn-known-servers, known_names: [node01.domain.local]}\n"
	"    tls: {min: 1.2, max: 1.3}\n"
	"    options: {interval_s: 10, misses: 3}\n"
	"    reuse: never\n"
	"    trusted_headers: yes\n"
	"    lamp: true\n"
	"  - {name: pbx, address: 192.0.2.1, transport: udp}\n"
	"dialplans:\n"
	"  - {name: main, gateway: pool, extension_digits: 3, access_numbers: ['900', 'sip:um@domain.local'], operator: alice}\n"
	"policies:\n"
	"  - {name: strict, pin_min_length: 8, silence_s: 3}\n"
	"attendants:\n"
	"  - name: front\n"
	"    numbers: ['800']\n"
	"    greeting: \"Welcome to M\xc3\xbcller: press 1\"\n"
	"    keys:\n"
	"      1: extension 201\n"
	"      2: mailbox bob\n"
	"      0: operator\n"
	"      9: dial-by-name\n"
	"      '*': log-on\n"
	"      timeout: repeat\n"
	"mailboxes:\n"
	"  - {name: alice, display_name: Anna Maria Smith, extensions: ['201'], sip_uris: 'sip:alice@domain.com', policy: strict}\n"
	"  - {name: bob, display_name: 'Jones, Bob', extensions: ['202'], dialable: false, allowed_transfers: [alice, '299']}\n";

static struct cfg *good(const char *yaml, enum cfg_want want)
{
	struct cfg_errors e = { 0 };
	struct cfg *c = NULL;
	struct buf b;
	buf_init(&b, 100000);
	if (cfg_parse(&c, "umbel.yaml", text_of(yaml), want, &e)) {
		cfg_errors_print(&e, &b);
		fail_msg("%s", buf_cstr(&b));
	}
	cfg_errors_free(&e);
	return c;
}

static void every_setting_arrives(void **state)
{
	(void)state;
	struct cfg *c = good(whole, CFG_WANT_NODE);
	assert_string_equal(c->node.name, "node01");
	assert_int_equal(c->node.n_listen, 2);
	assert_int_equal(c->node.listen[1].transport, CFG_TLS);
	assert_string_equal(c->node.listen[1].address, "::1");
	assert_int_equal(c->node.listen[1].port, 5061);
	assert_int_equal(c->node.sip.t1_ms, 50);
	assert_int_equal(c->node.sip.t2_ms, 4000);
	assert_int_equal(c->node.drain_ms, 500);
	assert_int_equal(c->node.media.port_min, 20000);
	assert_int_equal(c->node.media.port_max, 29999);
	assert_string_equal(c->node.admin_http, "127.0.0.1:8060");
	assert_string_equal(c->node.levels[0].level, "expert");
	assert_string_equal(c->trust.ca_files.v[0], "/etc/root.pem");
	const struct cfg_gateway *g = cfg_gateway(c, TEXT("POOL"));
	assert_non_null(g);
	assert_int_equal(g->transport, CFG_TLS);
	assert_int_equal(g->judges_us.profile, CFG_PROFILE_CN_KNOWN_SERVERS);
	assert_string_equal(g->judges_us.known_names.v[0], "node01.domain.local");
	assert_string_equal(g->accept_names.v[0], "lyncpool.domain.com");
	assert_string_equal(g->sni, "lyncpool.domain.com");
	assert_int_equal(g->options.interval_ms, 10000);
	assert_int_equal(g->options.timeout_ms, 5000);
	assert_int_equal(g->reuse, CFG_REUSE_NEVER);
	assert_true(g->trusted_headers && g->lamp && g->calls_in);
	assert_int_equal(cfg_pos_of(c, &g->reuse).line, 19);
	assert_int_equal(cfg_pos_of(c, &g->rule).line, 0);
	const struct cfg_attendant *a = cfg_attendant_by_number(c, TEXT("800"));
	assert_non_null(a);
	assert_int_equal(a->n_keys, 6);
	assert_int_equal(a->keys[0].action, CFG_ACT_EXTENSION);
	assert_string_equal(a->keys[0].target, "201");
	assert_int_equal(a->keys[5].key, 't');
	const struct cfg_mailbox *m = cfg_mailbox(c, TEXT("alice"));
	assert_string_equal(m->first_name, "Anna Maria");
	assert_string_equal(m->last_name, "Smith");
	assert_string_equal(cfg_mailbox(c, TEXT("bob"))->first_name, "Bob");
	assert_string_equal(cfg_mailbox(c, TEXT("bob"))->last_name, "Jones");
	assert_int_equal(cfg_policy(c, text_of(m->policy))->pin_min_length, 8);
	assert_int_equal(cfg_policy(c, TEXT("none"))->pin_min_length, 6);
	assert_string_equal(cfg_identity(c, TEXT_NONE)->name, "own");
	assert_null(cfg_unref(c));
}

static void bad(const char *yaml, enum cfg_want want, const char *const *expect, size_t n)
{
	struct cfg_errors e = { 0 };
	struct cfg *c = NULL;
	struct buf b;
	buf_init(&b, 100000);
	assert_int_equal(cfg_parse(&c, "u", text_of(yaml), want, &e), EINVAL);
	cfg_errors_print(&e, &b);
	for (size_t i = 0; i < n; i++)
		if (!strstr(buf_cstr(&b), expect[i]))
			fail_msg("\"%s\" not in:\n%s", expect[i], buf_cstr(&b));
	if (e.n != n)
		fail_msg("%zu errors, not %zu:\n%s", e.n, n, buf_cstr(&b));
	buf_free(&b);
	cfg_errors_free(&e);
}

#define BAD(yaml, ...) \
	do { \
		static const char *const expect_[] = { __VA_ARGS__ }; \
		bad(yaml, CFG_WANT_NODE, expect_, sizeof expect_ / sizeof expect_[0]); \
	} while (0)

static void all_errors_are_told_with_place_and_cure(void **state)
{
	(void)state;
	BAD("node:\n  name: a b\n  fqdn: 1.2.3.4\n  listn: x\n  listen: tsl:1:2\n  sip: {t1_ms: 9999999}\ngateways:\n  - address: p\n    transport: tsl\n",
		"u:2:9: node.name: is \"a b\": use 1 to 63", "u:3:9: node.fqdn: is an IP address", "u:4:3: node.listn: is not a known key: did you mean listen?",
		"u:5:11: node.listen: holds \"tsl:1:2\"", "u:6:16: node.sip.t1_ms: is \"9999999\": use 10 to 10000 milliseconds",
		"u:8:5: gateways[0].name: is missing", "u:9:16: gateways[0].transport: is \"tsl\": use one of udp, tcp, tls, auto (did you mean tls?)");
}

static void an_empty_list_of_names_is_nobody_and_a_missing_one_the_address(void **state)
{
	(void)state;
	struct cfg *c = good(NODE "gateways:\n  - {name: closed, address: a.org, accept_names: []}\n  - {name: open, address: b.org}\n", CFG_WANT_NODE);
	assert_int_equal(cfg_gateway(c, TEXT("closed"))->accept_names.n, 0);
	assert_int_equal(cfg_gateway(c, TEXT("open"))->accept_names.n, 1);
	assert_string_equal(cfg_gateway(c, TEXT("open"))->accept_names.v[0], "b.org");
	cfg_unref(c);
}

static void names_and_numbers_are_checked_over_the_whole_file(void **state)
{
	(void)state;
	BAD(NODE "gateways:\n  - {name: g, address: 192.0.2.1, identity: onw}\n  - {name: G, address: x.org, tls: {min: 1.1}}\n",
		"gateways[0].identity: there is no identity \"onw\": did you mean own?", "gateways[0].accept_names: address is an IP address",
		"gateways[1].name: \"G\" is used already, by g in line 8", "gateways[1].tls: versions below 1.2 are off: add legacy: tls10");
	BAD(NODE "dialplans: [{name: d, gateway: none, extension_digits: 4}]\nmailboxes:\n  - {name: a, extensions: ['0201'], operator: bb}\n"
		"  - {name: b, extensions: ['201', '0201'], policy: p, lamp_gateway: q}\nattendants:\n  - {name: t, numbers: ['0201'], keys: {1: attendant x}}\n",
		"dialplans[0].gateway: there is no gateway \"none\"", "mailboxes[0].operator: there is no mailbox \"bb\"",
		"mailboxes[1].extensions: \"201\" has not 4 digits", "mailboxes[1].extensions: \"0201\" is used already, by a in line 9",
		"mailboxes[1].policy: there is no policy", "mailboxes[1].lamp_gateway: there is no gateway", "attendants[0].numbers: \"0201\" is used already, by b",
		"attendants[0].keys: there is no attendant \"x\": did you mean t?");
	BAD("node: {name: a, fqdn: a.b, listen: [tls:127.0.0.1:5061, tls:127.0.0.1:5061]}\n", "a TLS address needs a certificate", "a TLS address needs a certificate",
		"the same address stands twice");
}

#define TWO_NODES "nodes:\n  - {name: node01, fqdn: node01.domain.local}\n  - {name: node02, fqdn: node02.domain.local, address: 192.0.2.2, port: 5071}\n"

static void nodes_with_stores_of_their_own_are_listed(void **state)
{
	(void)state;
	static const char *const not_here[] = { "u:1:1: nodes: nodes that share their objects have one store, and need no list: leave it out" };
	struct cfg *c = good(NODE TWO_NODES, CFG_WANT_NODE), *both;
	struct cfg *objects = good("mailboxes: [{name: a}]\n", CFG_WANT_OBJECTS);
	struct cfg_errors e = { 0 };
	assert_int_equal(c->n_nodes, 2);
	assert_true(cfg_is_self(c, &c->nodes[0]));
	assert_string_equal(c->nodes[0].address, "node01.domain.local");
	assert_int_equal(c->nodes[0].port, 5061);
	assert_false(cfg_is_self(c, &c->nodes[1]));
	assert_string_equal(c->nodes[1].address, "192.0.2.2");
	assert_int_equal(c->nodes[1].port, 5071);
	assert_int_equal(cfg_merge(&both, c, objects, &e), 0); /* they go with the node's part */
	assert_int_equal(both->n_nodes, 2);
	cfg_unref(both);
	cfg_unref(objects);
	cfg_unref(c);
	bad("nodes: [{name: a, fqdn: a.b}]\n", CFG_WANT_OBJECTS, not_here, 1);
	BAD(NODE "nodes:\n  - {name: node01, fqdn: other.domain.local}\n  - {name: two, fqdn: 192.0.2.2}\n  - {name: Two, fqdn: node01.domain.local}\n  - {name: x, fqdn: other.domain.local}\n",
		"u:8:26: nodes[0].fqdn: node node01 is this one, whose node.fqdn is node01.domain.local: let both say the same",
		"nodes[1].fqdn: is an IP address: give its full name", "nodes[2].name: \"Two\" is used already, by two in line 9",
		"nodes[2].fqdn: is this node's own name, but node.name is node01", "nodes[3].fqdn: is that of node node01 already");
	BAD("node: {name: a, fqdn: a.b, listen: udp:127.0.0.1:5060}\nnodes: [{name: b, fqdn: b.b}]\n",
		"nodes: other nodes come in over TLS, but this one listens on no tls address: add a tls address to node.listen");
	c = good("node: {name: a, fqdn: a.b, listen: udp:127.0.0.1:5060}\nnodes: [{name: a, fqdn: a.b}]\n", CFG_WANT_NODE); /* alone */
	cfg_unref(c);
}

static void secrets_have_no_place_in_the_file(void **state)
{
	(void)state;
	BAD(NODE "mailboxes: [{name: a, pin: 123456}]\n", "u:7:23: mailboxes[0].pin: PINs, greetings and counters are never in the file: take it out; use: umbel mailbox pin NAME");
}

static void yaml_that_is_none_is_refused(void **state)
{
	(void)state;
	BAD("", "u:1:1: file: is empty");
	BAD("node: [\n", "YAML");
	BAD("- a\n", "holds no settings");
	BAD("a: &x 1\nb: *x\n", "anchors, aliases and tags");
	BAD("node: {name: a, fqdn: a.b, name: b, listen: 'udp:127.0.0.1:1'}\n", "the key \"name\" stands twice");
	BAD("a: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n", "too many levels");
	BAD(NODE "---\nnode: x\n", "a second document");
	BAD(NODE "mailboxes: x\ntrust: y\ngateways: [z]\n", "mailboxes: is not a list", "trust: is not a map", "gateways[0]: is not a map", "gateways[0].name: is missing",
		"gateways[0].address: is missing");
	static const char *const one[] = { "node: is not for all nodes" };
	bad(NODE, CFG_WANT_OBJECTS, one, 1);
	static const char *const missing[] = { "node: is missing" };
	bad("gateways: []\n", CFG_WANT_NODE, missing, 1);
}

static void unreadable_file_is_an_error_like_any(void **state)
{
	(void)state;
	struct cfg_errors e = { 0 };
	struct cfg *c;
	assert_int_equal(cfg_load(&c, "/nonexistent/umbel.yaml", CFG_WANT_NODE, &e), EINVAL);
	assert_int_equal(e.n, 1);
	cfg_errors_free(&e);
}

static void many_errors_are_counted(void **state)
{
	(void)state;
	struct buf b;
	struct cfg_errors e = { 0 };
	struct cfg *c;
	buf_init(&b, 1 << 20);
	buf_str(&b, NODE "mailboxes:\n");
	for (int i = 0; i < 500; i++)
		buf_printf(&b, "  - {name: m%d, colour: red}\n", i);
	assert_int_equal(cfg_parse(&c, "u", buf_as_text(&b), CFG_WANT_NODE, &e), EINVAL);
	assert_int_equal(e.n, CFG_ERRORS_MAX);
	assert_int_equal(e.more, 300);
	cfg_errors_free(&e);
	buf_free(&b);
}

static void difference_names_what_changed_and_what_needs_a_restart(void **state)
{
	(void)state;
	struct cfg *a = good(whole, CFG_WANT_NODE);
	struct cfg *b = good(NODE "  sip: {t1_ms: 60}\n  admin: {http: 127.0.0.1:8060}\n  log: {levels: {trust: expert}}\n  drain_s: 0.5\n"
		"trust: {ca: /etc/root.pem}\ngateways:\n  - {name: pbx, address: 192.0.2.1, transport: udp, lamp: true}\n  - {name: new, address: x.org}\n"
		"mailboxes: [{name: bob, display_name: 'Jones, Bob', extensions: ['202'], dialable: false}]\n", CFG_WANT_NODE);
	struct cfg_changes d = { 0 };
	struct buf out;
	buf_init(&out, 10000);
	assert_int_equal(cfg_diff(a, b, &d), 0);
	for (size_t i = 0; i < d.n; i++)
		buf_printf(&out, "%c%s%s ", "+-~"[d.v[i].kind], d.v[i].key, d.v[i].restart ? "!" : "");
	assert_string_equal(buf_cstr(&out), "~node.sip.t1_ms! -gateways.pool ~gateways.pbx.lamp +gateways.new -dialplans.main -policies.strict -attendants.front "
		"-mailboxes.alice ~mailboxes.bob.allowed_transfers ");
	buf_free(&out);
	cfg_changes_free(&d);
	assert_int_equal(cfg_diff(a, a, &d), 0);
	assert_int_equal(d.n, 0);
	cfg_changes_free(&d);
	cfg_unref(a);
	cfg_unref(b);
}

static void node_and_objects_are_put_together_and_checked(void **state)
{
	(void)state;
	struct cfg *node = good(NODE "trust: {ca: /etc/root.pem}\n", CFG_WANT_NODE);
	struct cfg *objects = good("gateways: [{name: g, address: x.org, identity: own}]\nmailboxes: [{name: a}]\n", CFG_WANT_OBJECTS);
	struct cfg *bad = good("gateways:\n  - {name: g, address: x.org, identity: other}\n", CFG_WANT_OBJECTS), *c;
	struct cfg_errors e = { 0 };
	assert_false(cfg_has_objects(node));
	assert_true(cfg_has_objects(objects));
	assert_int_equal(cfg_merge(&c, node, bad, &e), EINVAL);
	assert_int_equal(e.n, 1);
	assert_string_equal(e.v[0].key, "gateways[0].identity");
	assert_int_equal(e.v[0].pos.line, 2);
	cfg_errors_free(&e);
	assert_int_equal(cfg_merge(&c, node, objects, &e), 0);
	cfg_unref(node);
	assert_string_equal(c->source, objects->source);
	cfg_unref(objects);
	cfg_unref(bad);
	assert_true(c->has_node);
	assert_string_equal(c->node.name, "node01");
	assert_string_equal(c->trust.ca_files.v[0], "/etc/root.pem");
	assert_non_null(cfg_mailbox(c, TEXT("a")));
	assert_int_equal(cfg_pos_of(c, &c->gateways[0].identity).line, 1);
	/* a reload of the node's file keeps the objects, and nothing of the old node */
	struct cfg *anew = good(NODE "  drain_s: 3\n", CFG_WANT_NODE), *again;
	assert_int_equal(cfg_merge(&again, anew, c, &e), 0);
	cfg_unref(anew);
	cfg_unref(c);
	assert_int_equal(again->node.drain_ms, 3000);
	assert_int_equal(again->trust.ca_files.n, 0);
	assert_non_null(cfg_mailbox(again, TEXT("a")));
	cfg_unref(again);
}

static void sample_is_a_good_file(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 1 << 20);
	assert_int_equal(cfg_sample(&b), 0);
	assert_non_null(strstr(buf_cstr(&b), "  #drain_s: 12"));
	cfg_unref(good(buf_cstr(&b), CFG_WANT_NODE));
	buf_free(&b);
}

static int parse_whole(void *arg)
{
	(void)arg;
	struct cfg *c;
	struct cfg_errors e = { 0 };
	int err = cfg_parse(&c, "u", text_of(whole), CFG_WANT_NODE, &e);
	if (!err)
		cfg_unref(c);
	cfg_errors_free(&e);
	return err;
}

static void survives_every_failing_allocation(void **state)
{
	(void)state;
	ut_oom(parse_whole, NULL);
}

UT_MAIN(UT(every_setting_arrives), UT(all_errors_are_told_with_place_and_cure), UT(an_empty_list_of_names_is_nobody_and_a_missing_one_the_address), UT(names_and_numbers_are_checked_over_the_whole_file), UT(nodes_with_stores_of_their_own_are_listed),
	UT(secrets_have_no_place_in_the_file), UT(yaml_that_is_none_is_refused), UT(unreadable_file_is_an_error_like_any), UT(many_errors_are_counted),
	UT(difference_names_what_changed_and_what_needs_a_restart), UT(node_and_objects_are_put_together_and_checked), UT(sample_is_a_good_file), UT(survives_every_failing_allocation))
