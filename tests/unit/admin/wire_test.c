/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <string.h>
#include "admin/wire.h"
#include "admin_events.h"
#include "base/mem.h"

static void good_requests_are_taken(void **state)
{
	(void)state;
	struct admin_request rq = { 0 };
	assert_int_equal(admin_request_parse(TEXT("{\"schema\":1,\"cmd\":\"gateway.show\",\"args\":{\"name\":\"pool\"}}"), &rq, NULL), 0);
	assert_string_equal(rq.cmd, "gateway.show");
	assert_string_equal(admin_arg_str(rq.args, "name"), "pool");
	admin_request_free(&rq);
	assert_int_equal(admin_request_parse(TEXT(" {\"cmd\":\"status\",\"schema\":1} "), &rq, NULL), 0);
	assert_true(json_is_object(rq.args));
	admin_request_free(&rq);
}

static void bad_requests_are_refused_with_a_reason(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		int err;
	} cases[] = {
		{ "", EINVAL },
		{ "[]", EINVAL },
		{ "{", EINVAL },
		{ "{\"schema\":1}", EINVAL },
		{ "{\"cmd\":\"status\"}", EINVAL },
		{ "{\"schema\":2,\"cmd\":\"status\"}", EPROTONOSUPPORT },
		{ "{\"schema\":\"1\",\"cmd\":\"status\"}", EINVAL },
		{ "{\"schema\":1,\"cmd\":\"Sta tus\"}", EINVAL },
		{ "{\"schema\":1,\"cmd\":\"\"}", EINVAL },
		{ "{\"schema\":1,\"cmd\":\"a\\u0000b\"}", EINVAL },
		{ "{\"schema\":1,\"cmd\":\"status\",\"args\":[]}", EINVAL },
		{ "{\"schema\":1,\"schema\":1,\"cmd\":\"status\"}", EINVAL },
		{ "{\"schema\":1,\"cmd\":\"status\"} x", EINVAL },
		{ "{\"schema\":1,\"cmd\":\"0123456789012345678901234567890123456789012345678901234567890123\"}", EINVAL },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct admin_request rq = { 0 };
		struct ev_report why = { 0 };
		assert_int_equal(admin_request_parse(text_of(cases[i].line), &rq, &why), cases[i].err);
		assert_int_equal(why.id, EV_ADMIN_REQUEST_BAD);
		assert_null(rq.args);
	}
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	struct admin_request rq = { 0 };
	static char line[200000];
	memset(line, '[', sizeof line);
	assert_int_equal(admin_request_parse(text_make(line, sizeof line), &rq, NULL), EINVAL);
	/* brackets within a string are no nesting */
	assert_int_equal(admin_request_parse(TEXT("{\"schema\":1,\"cmd\":\"x\",\"args\":{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\"}}"), &rq, NULL), 0);
	admin_request_free(&rq);
}

static void answers_are_single_lines(void **state)
{
	(void)state;
	struct buf b;
	struct ev_report why = { 0 };
	buf_init(&b, 65536);
	json_t *result = json_pack("{s:s}", "a", "line\nfeed");
	assert_int_equal(admin_write_result(&b, result, false), 0);
	json_decref(result);
	assert_string_equal(buf_cstr(&b), "{\"schema\":1,\"ok\":true,\"result\":{\"a\":\"line\\nfeed\"}}\n");
	buf_clear(&b);
	assert_int_equal(admin_write_result(&b, NULL, true), 0);
	assert_string_equal(buf_cstr(&b), "{\"schema\":1,\"ok\":true,\"more\":true,\"result\":{}}\n");
	buf_clear(&b);
	ev_set(&why, EV_ADMIN_NOT_FOUND);
	ev_str(&why, "kind", "gateway");
	ev_str(&why, "name", "po\x01ol");
	ev_str(&why, "hint", "umbel gateway list");
	assert_int_equal(admin_write_error(&b, &why), 0);
	assert_non_null(strstr(buf_cstr(&b), "\"name\":\"ADMIN_NOT_FOUND\""));
	assert_non_null(strstr(buf_cstr(&b), "there is no gateway"));
	assert_non_null(strstr(buf_cstr(&b), "\"advice\":\"umbel gateway list\""));
	assert_int_equal(strchr(buf_cstr(&b), '\n') - buf_cstr(&b), (long)b.n - 1);
	buf_free(&b);
}

UT_MAIN(UT(good_requests_are_taken), UT(bad_requests_are_refused_with_a_reason), UT(nesting_is_bounded), UT(answers_are_single_lines))
