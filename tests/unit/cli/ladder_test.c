/* SPDX-License-Identifier: Apache-2.0 */
/* Ladders out of fixed items: rows as they are printed, several calls, several hosts, narrow terminals, bytes that are no text. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cli/ladder.h"
#include "ut.h"

struct made {
	char *text;
	size_t n;
	FILE *f;
	struct ladder *l;
};

static void begin(struct made *m, unsigned width, bool colour)
{
	setenv("TZ", "UTC", 1);
	tzset();
	m->f = open_memstream(&m->text, &m->n);
	m->l = ladder_create(m->f, width, colour);
	assert_non_null(m->l);
}

static void give(struct made *m, const char *json)
{
	json_t *o = json_loads(json, 0, NULL);
	assert_non_null(o);
	ladder_item(m->l, o);
	json_decref(o);
	fflush(m->f);
}

static void end(struct made *m)
{
	ladder_destroy(m->l);
	fclose(m->f);
	free(m->text);
}

/* No line is wider than the terminal. */
static void fits(const struct made *m, size_t width)
{
	for (const char *p = m->text, *e; *p; p = *e ? e + 1 : e) {
		e = strchrnul(p, '\n');
		if ((size_t)(e - p) > width)
			fail_msg("%zu columns: %.*s", (size_t)(e - p), (int)(e - p), p);
	}
}

#define POOL "\"gateway\":\"pool\",\"peer\":\"192.0.2.7:5061\",\"transport\":\"TLS\""
#define CALL "\"call_id\":\"a@x\",\"from\":\"sip:2002@x\",\"to\":\"sip:2001@x\""
static const char watching[] = "{\"kind\":\"watching\",\"us\":0,\"node\":\"node01\"}";
static const char invite[] = "{\"kind\":\"message\",\"us\":43509123456," POOL "," CALL ",\"in\":true,\"method\":\"INVITE\",\"uri\":\"sip:2001@x\",\"sdp\":true}";
static const char ok[] = "{\"kind\":\"message\",\"us\":43509130000," POOL "," CALL ",\"in\":false,\"status\":200,\"phrase\":\"OK\",\"method\":\"INVITE\",\"sdp\":true,\"session\":\"01abc\"}";
static const char bye[] = "{\"kind\":\"message\",\"us\":43511000000," POOL "," CALL ",\"in\":true,\"method\":\"BYE\",\"in_dialog\":true,\"reason\":\"Q.850;cause=16\"}";

static void a_call_is_a_ladder(void **state)
{
	struct made m;
	(void)state;
	begin(&m, 80, false);
	give(&m, watching);
	give(&m, invite);
	give(&m, ok);
	give(&m, bye);
	assert_string_equal(m.text,
		"\n"
		"                  node01                                      pool\n"
		"                                                            192.0.2.7\n"
		"12:05:09.123 #1   call from 2002 to 2001\n"
		"12:05:09.123 #1   |<--------- INVITE 2001 (TLS, SDP) -----------|\n"
		"12:05:09.130 #1   |----------- 200 OK (INVITE, SDP) ----------->|\n"
		"                  #1 is call 01abc\n"
		"12:05:11.000 #1   |<------------------- BYE --------------------|\n"
		"                  Reason: Q.850;cause=16\n");
	assert_int_equal(ladder_calls(m.l), 1);
	assert_int_equal(ladder_messages(m.l), 3);
	end(&m);
}

static void steps_below_sip_are_shown(void **state)
{
	struct made m;
	(void)state;
	begin(&m, 80, false);
	give(&m, watching);
	give(&m, "{\"kind\":\"dns\",\"us\":1000000,\"gateway\":\"pool\",\"name\":\"pool.x\",\"type\":\"A\",\"outcome\":\"NOERROR\",\"server\":\"192.0.2.53:53\",\"records\":2}");
	give(&m, "{\"kind\":\"connected\",\"us\":1001000," POOL ",\"opened_by_us\":true}");
	give(&m, "{\"kind\":\"tls\",\"us\":1002000," POOL ",\"opened_by_us\":true,\"version\":\"TLS 1.3\",\"their_cn\":\"pool.x\",\"matched\":\"pool.x\",\"our_cn\":\"um.x\"}");
	give(&m, "{\"kind\":\"ended\",\"us\":1003000," POOL ",\"opened_by_us\":true,\"established\":true,\"by_us\":false,\"how\":\"fin\",\"verdict\":\"pool knows nobody of the name um.x\",\"advice\":\"umbel cert cure pool\"}");
	assert_non_null(strstr(m.text, "00:00:01.000      DNS: pool.x A, asked 192.0.2.53:53: NOERROR, 2 records\n"));
	assert_non_null(strstr(m.text, "00:00:01.001      |============== TCP connection ==============>|\n"));
	assert_non_null(strstr(m.text, "00:00:01.002      |================== TLS 1.3 =================>|\n"));
	assert_non_null(strstr(m.text, "                  certificates: theirs pool.x (good as pool.x), ours um.x\n"));
	assert_non_null(strstr(m.text, "|<............... closed: fin ................|"));
	assert_non_null(strstr(m.text, "                  pool knows nobody of the name um.x\n                  What to do: umbel explain gateway pool\n"));
	fits(&m, 80);
	end(&m);
}

static void calls_and_hosts_are_told_apart(void **state)
{
	struct made m;
	char item[600];
	(void)state;
	begin(&m, 80, false);
	give(&m, invite);
	for (unsigned i = 0; i < 6; i++) {
		snprintf(item, sizeof item, "{\"kind\":\"message\",\"us\":5,\"gateway\":\"gw%u\",\"peer\":\"[2001:db8::%u]:5060\",\"transport\":\"UDP\",\"call_id\":\"c%u\",\"in\":true,"
			 "\"method\":\"INVITE\",\"uri\":\"sip:a-very-long-name-of-somebody-%u@x\",\"from\":\"sip:x@y\",\"to\":\"sip:y@x\"}", i, i, i, i);
		give(&m, item);
		fits(&m, 80);
	}
	give(&m, invite); /* its column had to go, and comes back; its number stays */
	assert_int_equal(ladder_calls(m.l), 7);
	assert_non_null(strstr(m.text, "#7   call from x to y"));
	const char *last = strrchr(m.text, '#');
	assert_int_equal(strncmp(last, "#1 ", 3), 0);
	fits(&m, 80);
	ladder_width(m.l, 20);
	give(&m, ok);
	fits(&m, LADDER_WIDTH_MIN > 80 ? LADDER_WIDTH_MIN : 80);
	ladder_width(m.l, 100000);
	give(&m, ok);
	fits(&m, LADDER_WIDTH_MAX);
	end(&m);
}

static void colour_only_where_it_is_wanted(void **state)
{
	struct made m;
	(void)state;
	begin(&m, 80, false);
	give(&m, invite);
	give(&m, ok);
	assert_null(strchr(m.text, '\033'));
	end(&m);
	begin(&m, 80, true);
	give(&m, invite);
	assert_non_null(strstr(m.text, "|\033[36m<---"));
	assert_non_null(strstr(m.text, "---\033[0m|\n"));
	give(&m, "{\"kind\":\"message\",\"us\":5," POOL "," CALL ",\"in\":false,\"status\":404,\"phrase\":\"Not Found\",\"method\":\"INVITE\"}");
	assert_non_null(strstr(m.text, "\033[31m"));
	end(&m);
}

static void what_is_repeated_is_marked(void **state)
{
	static const char by_udp[] = "{\"kind\":\"message\",\"us\":1,\"gateway\":\"g\",\"peer\":\"192.0.2.9:5060\",\"transport\":\"UDP\"," CALL ",\"in\":false,\"method\":\"INVITE\",\"uri\":\"sip:1@x\",\"cseq\":1}";
	struct made m;
	(void)state;
	begin(&m, 80, false);
	give(&m, by_udp);
	assert_null(strstr(m.text, "again"));
	give(&m, by_udp);
	assert_non_null(strstr(m.text, " INVITE 1 (UDP), again "));
	end(&m);
}

static void what_is_missing_is_said(void **state)
{
	struct made m;
	(void)state;
	begin(&m, 80, false);
	give(&m, "{\"kind\":\"lost\",\"us\":0,\"count\":17}");
	assert_non_null(strstr(m.text, "!! 17 messages and steps are missing"));
	assert_int_equal(ladder_lost(m.l), 17);
	fits(&m, 80);
	end(&m);
}

static void nothing_of_the_wire_reaches_the_terminal_as_it_is(void **state)
{
	struct made m;
	(void)state;
	begin(&m, 80, false);
	give(&m, "{\"kind\":\"message\",\"us\":5,\"gateway\":\"\\u001b[2J\",\"peer\":\"\",\"call_id\":\"\\u0007\",\"in\":true,\"method\":\"\\u001b[31mX\",\"uri\":\"\\nx\",\"session\":\"\\u009b1m\",\"text\":\"INVITE \\u001b[2J\\r\\n\\tx\"}");
	give(&m, "{\"kind\":\"tls\",\"us\":5}");
	give(&m, "{\"kind\":\"dns\"}");
	give(&m, "{\"kind\":\"message\"}");
	give(&m, "{\"kind\":\"unheard of\"}");
	give(&m, "{}");
	for (const char *p = m.text; *p; p++)
		assert_true(*p == '\n' || (*p >= ' ' && *p <= '~'));
	end(&m);
}

UT_MAIN(UT(a_call_is_a_ladder), UT(steps_below_sip_are_shown), UT(calls_and_hosts_are_told_apart), UT(colour_only_where_it_is_wanted), UT(what_is_repeated_is_marked), UT(what_is_missing_is_said),
	UT(nothing_of_the_wire_reaches_the_terminal_as_it_is))
