/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "voice/spool_private.h"

static char path[128];

static int make(struct spool_info *i)
{
	int fd;
	const char *dir = ut_tmpdir();
	*i = (struct spool_info){ .id = "01", .mailbox = "7", .kind = "greeting", .codec = MEDIA_L16, .started_s = 5 };
	snprintf(path, sizeof path, "%s/a.spool", dir);
	assert_int_equal(spool_create(&fd, dir, path, i), 0);
	assert_int_equal(spool_append(fd, 0, "abcdefgh", 8), 0);
	return fd;
}

static void a_torn_end_spoils_nothing(void **state)
{
	(void)state;
	struct spool_info i, back;
	int fd = make(&i);
	i.bytes = 6;
	i.complete = true;
	i.peak_db = -3;
	assert_int_equal(spool_end(fd, &i), 0);
	assert_int_equal(recording_read(path, &back, NULL), 0);
	assert_true(back.complete);
	assert_int_equal(back.bytes, 6);
	assert_int_equal(back.peak_db, -3);
	assert_int_equal(pwrite(fd, "x", 1, SPOOL_HEAD + 30), 1);
	assert_int_equal(recording_read(path, &back, NULL), 0);
	assert_false(back.complete);
	assert_int_equal(back.bytes, 6);
	assert_string_equal(back.kind, "greeting");
	close(fd);
}

static void an_end_before_its_audio_is_not_believed(void **state)
{
	(void)state;
	struct spool_info i, back;
	int fd = make(&i);
	i.bytes = 8;
	i.complete = true;
	assert_int_equal(spool_end(fd, &i), 0);
	assert_int_equal(ftruncate(fd, SPOOL_AUDIO + 5), 0);
	assert_int_equal(recording_read(path, &back, NULL), 0);
	assert_false(back.complete);
	assert_int_equal(back.bytes, 4); /* whole samples */
	close(fd);
}

static void a_damaged_head_is_refused(void **state)
{
	(void)state;
	struct spool_info i, back;
	int fd = make(&i);
	for (size_t at = 0; at < SPOOL_HEAD; at += 61) {
		uint8_t was, is;
		assert_int_equal(pread(fd, &was, 1, (off_t)at), 1);
		is = (uint8_t)(was ^ 4);
		assert_int_equal(pwrite(fd, &is, 1, (off_t)at), 1);
		assert_int_equal(recording_read(path, &back, NULL), EBADMSG);
		assert_int_equal(pwrite(fd, &was, 1, (off_t)at), 1);
	}
	assert_int_equal(ftruncate(fd, 1000), 0);
	assert_int_equal(recording_read(path, &back, NULL), EBADMSG);
	close(fd);
}

static void long_fields_fit(void **state)
{
	(void)state;
	struct spool_info i = { 0 };
	int fd;
	memset(i.mailbox, 'm', sizeof i.mailbox - 1);
	memset(i.caller, 'c', sizeof i.caller - 1);
	memset(i.name, 'n', sizeof i.name - 1);
	memset(i.session, 's', sizeof i.session - 1);
	memset(i.id, 'i', sizeof i.id - 1);
	memset(i.kind, 'k', sizeof i.kind - 1);
	struct spool_info back;
	const char *dir = ut_tmpdir();
	snprintf(path, sizeof path, "%s/b.spool", dir);
	assert_int_equal(spool_create(&fd, dir, path, &i), 0);
	close(fd);
	assert_int_equal(spool_create(&fd, dir, path, &i), EEXIST);
	assert_int_equal(recording_read(path, &back, NULL), 0);
	assert_string_equal(back.session, i.session);
	assert_string_equal(back.mailbox, i.mailbox);
}

UT_MAIN(UT(a_torn_end_spoils_nothing), UT(an_end_before_its_audio_is_not_believed), UT(a_damaged_head_is_refused), UT(long_fields_fit))
