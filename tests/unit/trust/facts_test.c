/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/facts.h"
#include <errno.h>
#include <jansson.h>
#include "base/mem.h"
#include "ut.h"

static void a_list_of_names_knows_its_end(void **state)
{
	(void)state;
	struct trust_names l = { 0 };
	char words[64], big[600];
	assert_string_equal(trust_names_join(&l, words, sizeof words), "none");
	trust_names_add_str(&l, "a");
	assert_string_equal(trust_names_join(&l, words, sizeof words), "a");
	trust_names_add_str(&l, "b");
	assert_string_equal(trust_names_join(&l, words, sizeof words), "a and b");
	trust_names_add_str(&l, "c");
	assert_string_equal(trust_names_join_by(&l, "or", words, sizeof words), "a, b or c");
	assert_true(trust_names_has(&l, "B"));
	assert_true(trust_names_has(&l, "b."));
	assert_false(trust_names_has(&l, "d"));
	assert_null(trust_names_at(&l, 3));
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	trust_names_add_str(&l, big);
	trust_names_add_str(&l, big);
	assert_true(l.cut);
	trust_names_add_str(&l, "late");
	assert_int_equal(l.n, 4);
	trust_names_join(&l, words, 12);
	assert_true(strlen(words) < 12);
}

static void the_first_end_counts(void **state)
{
	(void)state;
	struct trust_facts f;
	facts_init(&f, TRUST_DIALLED, TRUST_TLS, 1);
	facts_closed(&f, TRUST_FIN, 0, 7);
	facts_silent(&f, 5000);
	assert_int_equal(f.end, TRUST_FIN);
	assert_int_equal(f.end_ms, 7);
	facts_closed(NULL, TRUST_FIN, 0, 0); /* nobody wanted to know */
	facts_sip_answer(NULL, 200, TEXT("OK"));
}

static void tls_on_a_plain_connection_is_recognised(void **state)
{
	(void)state;
	struct trust_facts f;
	facts_init(&f, TRUST_ACCEPTED, TRUST_TCP, 1);
	assert_false(facts_plain_bytes(&f, "INVITE", 6));
	assert_false(facts_plain_bytes(&f, "\x16", 1));
	assert_true(facts_plain_bytes(&f, "\x16\x03\x01", 3));
	assert_true(f.tls.tls_on_plain);
}

static void what_strangers_say_is_escaped(void **state)
{
	(void)state;
	struct trust_facts f;
	facts_init(&f, TRUST_DIALLED, TRUST_TLS, 1);
	facts_sip_answer(&f, 403, TEXT("no\r\n\x1b[31m"));
	assert_string_equal(f.sip.phrase, "no\\x0d\\x0a\\x1b[31m");
}

static void alerts_have_names(void **state)
{
	(void)state;
	assert_string_equal(trust_alert_name(116), "certificate_required");
	assert_string_equal(trust_alert_name(42), "bad_certificate");
	assert_string_equal(trust_alert_name(200), "unknown");
	struct trust_facts f;
	facts_init(&f, TRUST_DIALLED, TRUST_TLS, 1);
	for (unsigned i = 0; i < 10; i++)
		facts_alert(&f, false, true, false, i);
	assert_int_equal(f.tls.n_alerts, TRUST_ALERTS);
}

static int render(void *arg)
{
	struct trust_facts f;
	struct buf b;
	(void)arg;
	facts_init(&f, TRUST_DIALLED, TRUST_TLS, 1800000000);
	facts_us(&f, "node01", "node01.domain.local", NULL);
	facts_alert(&f, false, true, true, 48);
	buf_init(&b, 1 << 16);
	int err = facts_text(&f, &b);
	buf_free(&b);
	return err;
}

static void it_is_rendered_as_lines_and_as_json(void **state)
{
	(void)state;
	struct trust_facts f;
	struct buf b;
	json_error_t e;
	facts_init(&f, TRUST_DIALLED, TRUST_TLS, 1800000000);
	facts_target(&f, "pool", 5061, "192.0.2.1:5061");
	facts_alert(&f, false, true, true, 48);
	buf_init(&b, 1 << 16);
	assert_int_equal(facts_text(&f, &b), 0);
	assert_non_null(strstr(buf_cstr(&b), "tls.alert1: received fatal 48 unknown_ca (the issuer of the certificate is not trusted), after our handshake had returned"));
	buf_clear(&b);
	assert_int_equal(facts_json(&f, &b), 0);
	json_t *o = json_loads(buf_cstr(&b), 0, &e);
	assert_non_null(o);
	assert_int_equal(json_integer_value(json_object_get(o, "schema")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "connection"), "port")), 5061);
	json_decref(o);
	buf_free(&b);
	ut_oom(render, NULL);
}

UT_MAIN(UT(a_list_of_names_knows_its_end), UT(the_first_end_counts), UT(tls_on_a_plain_connection_is_recognised), UT(what_strangers_say_is_escaped),
	UT(alerts_have_names), UT(it_is_rendered_as_lines_and_as_json))
