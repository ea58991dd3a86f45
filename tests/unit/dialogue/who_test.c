/* SPDX-License-Identifier: Apache-2.0 */
/* Who is called: Request-URI, diversion, history, To; and who calls, as far as it is believed. */
#include "ut.h"
#include "dialogue/who.h"
#include "world.h"

static struct leg_party party(const char *uri, const char *user, const char *host)
{
	return (struct leg_party){ .uri = uri, .user = user, .host = host, .display = "" };
}

static struct leg_info blank(void)
{
	struct leg_info i = { .incoming = true, .session = "s", .call_id = "c", .opaque = "" };
	i.called = i.to = i.from = i.asserted = party("", "", "");
	i.from = party("sip:+15550100@pool", "+15550100", "pool");
	i.headers_believed = true;
	return i;
}

static struct dlg_who ask(struct leg_info *i)
{
	static struct dlg_who who;
	struct dir_view *v = world_view();
	dlg_who(v, i, &who);
	if (who.box || who.attendant) /* what is asked for by the tests, as names do not outlive the view */
		text_fill(who.caller_name, sizeof(who.caller_name), who.box ? who.box->name : who.attendant->name);
	who.box = who.caller = NULL;
	who.attendant = NULL;
	dir_view_unref(v);
	return who;
}

static void a_mailbox_by_request_uri(void **state)
{
	(void)state;
	struct leg_info i = blank();
	i.called = party("sip:201@node01", "201", "node01");
	struct dlg_who w = ask(&i);
	assert_int_equal(w.kind, DLG_WHO_MAILBOX);
	assert_string_equal(w.caller_name, "alice");
	assert_string_equal(w.by, "Request-URI");
	i.called = party("sip:alice@example.com", "alice", "example.com");
	i.opaque = "app:voicemail";
	w = ask(&i);
	assert_int_equal(w.kind, DLG_WHO_MAILBOX);
	assert_string_equal(w.caller_number, "+15550100");
}

static void an_attendant_by_number(void **state)
{
	(void)state;
	struct leg_info i = blank();
	i.called = party("sip:100@node01", "100", "node01");
	struct dlg_who w = ask(&i);
	assert_int_equal(w.kind, DLG_WHO_ATTENDANT);
	assert_string_equal(w.caller_name, "main");
}

static void access_number_alone_is_the_subscriber(void **state)
{
	(void)state;
	struct leg_info i = blank();
	i.called = i.to = party("sip:700@node01", "700", "node01");
	struct dlg_who w = ask(&i);
	assert_int_equal(w.kind, DLG_WHO_SUBSCRIBER);
	assert_string_equal(w.caller_name, "");
	i.asserted = party("sip:203@pool", "203", "pool"); /* an own extension, believed: the PIN alone */
	w = ask(&i);
	assert_int_equal(w.kind, DLG_WHO_SUBSCRIBER);
	assert_string_equal(w.caller_name, "carol");
	i.headers_believed = false;
	i.asserted = party("", "", "");
	i.from = party("sip:203@pool", "203", "pool");
	w = ask(&i);
	assert_int_equal(w.kind, DLG_WHO_SUBSCRIBER);
	assert_string_equal(w.caller_name, "");
}

static void the_original_diversion_counts(void **state)
{
	(void)state;
	struct leg_redirect diversion[2] = { { party("sip:203@pool", "203", "pool"), "unconditional" }, { party("sip:201@pool", "201", "pool"), "user-busy" } };
	struct leg_redirect history[2] = { { party("sip:203@pool", "203", "pool"), "SIP;cause=408" }, { party("sip:700@node01", "700", "node01"), "" } };
	struct leg_info i = blank();
	i.called = i.to = party("sip:700@node01", "700", "node01");
	i.n_diversions = 2;
	i.diversion = diversion;
	struct dlg_who w = ask(&i);
	assert_int_equal(w.kind, DLG_WHO_MAILBOX);
	assert_string_equal(w.caller_name, "alice");
	assert_string_equal(w.by, "Diversion");
	assert_string_equal(w.reason, "user-busy"); /* hers, not that of whoever came after */
	assert_string_equal(w.dialled, "201");
	i.n_diversions = 0;
	i.n_history = 2;
	i.history = history;
	w = ask(&i);
	assert_string_equal(w.caller_name, "carol");
	assert_string_equal(w.by, "History-Info");
	assert_string_equal(w.reason, "SIP;cause=408");
	assert_string_equal(w.dialled, "203");
	i.n_history = 0;
	i.to = party("sip:alice@example.com", "alice", "example.com");
	w = ask(&i);
	assert_string_equal(w.caller_name, "alice");
	assert_string_equal(w.by, "To");
	assert_string_equal(w.reason, "");
	assert_string_equal(w.dialled, "alice");
}

static void own_mailbox_is_heard_not_filled(void **state)
{
	(void)state;
	struct leg_info i = blank();
	i.called = i.to = party("sip:203@node01", "203", "node01");
	i.from = party("sip:203@pool", "203", "pool");
	struct dlg_who w = ask(&i);
	assert_int_equal(w.kind, DLG_WHO_SUBSCRIBER);
}

static void nobody_is_told_with_what_was_looked_for(void **state)
{
	(void)state;
	struct leg_info i = blank();
	i.called = party("sip:999@node01", "999", "node01");
	i.to = party("sip:998@node01", "998", "node01");
	i.headers_believed = false;
	struct dlg_who w = ask(&i);
	assert_int_equal(w.kind, DLG_WHO_NOBODY);
	char looked_at[DLG_LOOKED_AT];
	dlg_looked_at(&i, looked_at);
	assert_string_equal(looked_at, "Request-URI sip:999@node01, To sip:998@node01; Diversion and History-Info of this gateway are not believed");
}

static void withheld_numbers_stay_withheld(void **state)
{
	(void)state;
	struct leg_info i = blank();
	i.called = party("sip:201@node01", "201", "node01");
	i.from = party("sip:anonymous@anonymous.invalid", "anonymous", "anonymous.invalid");
	assert_string_equal(ask(&i).caller_number, "");
}

static void a_secured_dial_plan_takes_tls_only(void **state)
{
	(void)state;
	static const char yaml[] = "gateways: [{name: g, address: pbx.example.com}]\n"
		"dialplans: [{name: open, access_numbers: ['700']}, {name: safe, gateway: g, security: sip, access_numbers: ['701']}]\n"
		"attendants: [{name: front, numbers: ['100']}, {name: vault, numbers: ['101'], dialplan: safe}]\n"
		"mailboxes: [{name: alice, extensions: ['201']}, {name: bob, extensions: ['202'], dialplan: safe}]\n";
	static const struct {
		const char *number;
		bool safe;
	} v[] = { { "700", false }, { "701", true }, { "100", false }, { "101", true }, { "201", false }, { "202", true }, { "999", false } };
	struct cfg *c;
	struct dir_view *view;
	struct dlg_who w;
	assert_int_equal(cfg_parse(&c, "u", text_of(yaml), CFG_WANT_OBJECTS, NULL), 0);
	assert_int_equal(dir_view_of_cfg(&view, c), 0);
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		struct leg_info info = blank();
		info.called = info.to = party("sip:x@node01", v[i].number, "node01");
		dlg_who(view, &info, &w);
		for (enum net_transport t = NET_UDP; t <= NET_TLS; t++)
			if (dlg_secure_enough(&w, t) != (!v[i].safe || t == NET_TLS))
				fail_msg("%s over %s", v[i].number, net_transport_name(t));
	}
	struct leg_info info = blank(); /* a diverted call belongs to the plan of the mailbox that it was for */
	info.called = info.to = party("sip:700@node01", "700", "node01");
	struct leg_redirect diverted = { party("sip:202@pool", "202", "pool"), "no-answer" };
	info.diversion = &diverted;
	info.n_diversions = 1;
	dlg_who(view, &info, &w);
	assert_int_equal(w.kind, DLG_WHO_MAILBOX);
	assert_false(dlg_secure_enough(&w, NET_TCP));
	dir_view_unref(view);
	cfg_unref(c);
}

/* The gateway asserts who it is and says that he does not want to be shown: not even by his name in the directory. */
static void who_wants_privacy_is_nobody(void **state)
{
	(void)state;
	struct leg_info i = blank();
	i.called = party("sip:202@node01", "202", "node01");
	i.asserted = party("sip:201@example.com", "201", "example.com");
	struct dlg_who w = ask(&i);
	assert_string_equal(w.caller_number, "201");
	i.wants_privacy = true;
	w = ask(&i);
	assert_string_equal(w.caller_number, "");
	assert_int_equal(w.kind, DLG_WHO_MAILBOX);
	i.called = party("sip:201@node01", "201", "node01"); /* nor does it log anybody on */
	w = ask(&i);
	assert_int_equal(w.kind, DLG_WHO_MAILBOX);
}

static void who_wants_encrypted_sound(void **state)
{
	(void)state;
	struct cfg_dialplan plan = { .security = CFG_SECURITY_OFF };
	struct cfg_gateway g = { .srtp = CFG_SRTP_AUTO };
	static const enum sdes_want want[4][3] = { /* srtp of the gateway; security of the dial plan */
		[CFG_SRTP_AUTO] = { SDES_OFF, SDES_OPTIONAL, SDES_REQUIRED }, [CFG_SRTP_OFF] = { SDES_OFF, SDES_OFF, SDES_REQUIRED },
		[CFG_SRTP_OPTIONAL] = { SDES_OPTIONAL, SDES_OPTIONAL, SDES_REQUIRED }, [CFG_SRTP_REQUIRED] = { SDES_REQUIRED, SDES_REQUIRED, SDES_REQUIRED },
	};
	for (unsigned s = CFG_SRTP_AUTO; s <= CFG_SRTP_REQUIRED; s++)
		for (unsigned p = CFG_SECURITY_OFF; p <= CFG_SECURITY_MEDIA; p++) {
			g.srtp = (enum cfg_srtp)s;
			plan.security = (enum cfg_security)p;
			assert_int_equal(dlg_srtp(&plan, &g), want[s][p]);
		}
	assert_int_equal(dlg_srtp(NULL, NULL), SDES_OFF);
	assert_int_equal(dlg_srtp(NULL, &g), SDES_REQUIRED);
}

UT_MAIN(UT(a_secured_dial_plan_takes_tls_only), UT(who_wants_encrypted_sound), UT(who_wants_privacy_is_nobody), UT(a_mailbox_by_request_uri), UT(an_attendant_by_number), UT(access_number_alone_is_the_subscriber), UT(the_original_diversion_counts),
        UT(own_mailbox_is_heard_not_filled), UT(nobody_is_told_with_what_was_looked_for), UT(withheld_numbers_stay_withheld))
