/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "mailbox/spool.h"

static struct mbox_message message(void)
{
	struct mbox_message m = { .mailbox = "alice", .caller_number = "+15550100", .received_us = 1795356309000000, .duration_ms = 2500,
		.codec = MBOX_PCMA, .cut = true, .private = true };
	id_make(m.id, clock_system());
	snprintf(m.caller_name, sizeof m.caller_name, "%s", "J\xc3\xbcrgen \"\n");
	return m;
}

static void what_was_put_is_found_whole_in_a_later_life(void **state)
{
	(void)state;
	struct spool *s;
	struct mbox_message m = message(), back;
	const char *dir = ut_tmpdir();
	char (*ids)[ID_SIZE];
	size_t n;
	struct buf out;
	assert_int_equal(spool_open(&s, dir, 0, NULL), 0);
	assert_int_equal(spool_put(s, &m, (const uint8_t *)"\n\0audio", 7, NULL), 0);
	spool_close(s);
	assert_int_equal(spool_open(&s, dir, 0, NULL), 0);
	assert_int_equal(spool_list(s, &ids, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(ids[0], m.id);
	mem_free(ids);
	buf_init(&out, 1000);
	assert_int_equal(spool_get(s, m.id, &back, &out, NULL), 0);
	assert_int_equal(out.n, 7);
	assert_memory_equal(out.p, "\n\0audio", 7);
	assert_string_equal(back.caller_name, m.caller_name);
	assert_true(back.private && !back.urgent && back.cut && back.codec == MBOX_PCMA && back.duration_ms == 2500 && back.received_us == m.received_us);
	buf_free(&out);
	assert_int_equal(spool_remove(s, m.id), 0);
	assert_int_equal(spool_list(s, &ids, &n), 0);
	assert_int_equal(n, 0);
	mem_free(ids);
	spool_close(s);
}

static void cut_file_is_put_aside_and_half_written_one_forgotten(void **state)
{
	(void)state;
	struct spool *s;
	struct mbox_message m = message(), back;
	const char *dir = ut_tmpdir();
	char path[300];
	struct buf out;
	struct stat st;
	buf_init(&out, 1000);
	assert_int_equal(spool_open(&s, dir, 0, NULL), 0);
	assert_int_equal(spool_put(s, &m, (const uint8_t *)"0123456789", 10, NULL), 0);
	snprintf(path, sizeof path, "%s/new/%s", dir, m.id);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size - 1), 0);
	assert_int_equal(spool_get(s, m.id, &back, &out, NULL), EBADMSG);
	snprintf(path, sizeof path, "%s/bad/%s", dir, m.id);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof path, "%s/tmp/half", dir);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	spool_close(s);
	assert_int_equal(spool_open(&s, dir, 0, NULL), 0);
	assert_int_not_equal(access(path, F_OK), 0);
	spool_close(s);
}

/* Names come from the wire, cut at the field's end: perhaps no UTF-8 at all, perhaps cut in the middle of a letter. */
static void any_name_of_the_wire_comes_back_out_of_the_spool(void **state)
{
	(void)state;
	struct spool *s;
	struct buf out;
	assert_int_equal(spool_open(&s, ut_tmpdir(), 0, NULL), 0);
	for (unsigned kind = 0; kind < 4; kind++) {
		struct mbox_message m = message(), back;
		static const char *const letters[] = { "\xff", "\xc3\xbc", "a", "\\" };
		for (size_t i = 0; i + strlen(letters[kind]) < sizeof m.caller_name; i += strlen(letters[kind]))
			strncpy(m.caller_name + i, letters[kind], sizeof m.caller_name - i);
		m.caller_name[sizeof m.caller_name - 2] = (char)(kind == 2 ? 0xc3 : m.caller_name[sizeof m.caller_name - 2]);
		m.caller_name[sizeof m.caller_name - 1] = '\0';
		memset(m.caller_number, 0xfe, sizeof m.caller_number - 1);
		memset(m.session, 0xfe, sizeof m.session - 1);
		buf_init(&out, 1000);
		assert_int_equal(spool_put(s, &m, (const uint8_t *)"audio", 5, NULL), 0);
		assert_int_equal(spool_get(s, m.id, &back, &out, NULL), 0);
		assert_int_equal(out.n, 5);
		assert_true(back.caller_name[0] && back.caller_number[0]);
		buf_free(&out);
	}
	spool_close(s);
}

static void header_of_others_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "{}", "[]", "{\"spool\":2}", "{\"spool\":1,\"id\":\"../../etc/passwd\"}",
		"{\"spool\":1,\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",\"mailbox\":\"a\",\"number\":\"1\",\"name\":\"n\",\"session\":\"s\","
		"\"received_us\":1,\"duration_ms\":-1,\"bytes\":1,\"codec\":0,\"cut\":0}",
		"{\"spool\":1,\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",\"mailbox\":\"a\\u0000b\",\"number\":\"1\",\"name\":\"n\",\"session\":\"s\","
		"\"received_us\":1,\"duration_ms\":1,\"bytes\":1,\"codec\":0,\"cut\":0}" };
	struct mbox_message m;
	uint64_t n;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(spool_header_parse(text_of(bad[i]), &m, &n), EBADMSG);
}

static void room_and_folder_are_checked(void **state)
{
	(void)state;
	struct spool *s;
	struct ev_report *why = mem_zalloc(1, sizeof *why);
	assert_int_equal(spool_open(&s, "/nonexistent/spool", 0, why), ENOENT);
	assert_true(why->id != 0);
	assert_int_equal(spool_open(&s, ut_tmpdir(), UINT64_MAX, NULL), 0);
	assert_int_equal(spool_room(s, why), ENOSPC);
	spool_close(s);
	mem_free(why);
}

static int put_and_get(void *arg)
{
	struct spool *s = arg;
	struct mbox_message m = message();
	struct buf out;
	buf_init(&out, 100);
	int err = spool_put(s, &m, (const uint8_t *)"x", 1, NULL);
	if (!err)
		err = spool_get(s, m.id, &m, &out, NULL);
	buf_free(&out);
	return err;
}

static void survives_every_failing_allocation(void **state)
{
	(void)state;
	struct spool *s;
	assert_int_equal(spool_open(&s, ut_tmpdir(), 0, NULL), 0);
	ut_oom(put_and_get, s);
	spool_close(s);
}

UT_MAIN(UT(what_was_put_is_found_whole_in_a_later_life), UT(cut_file_is_put_aside_and_half_written_one_forgotten), UT(any_name_of_the_wire_comes_back_out_of_the_spool), UT(header_of_others_is_refused),
	UT(room_and_folder_are_checked), UT(survives_every_failing_allocation))
