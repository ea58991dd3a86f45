/* SPDX-License-Identifier: Apache-2.0 */
/* Every change of a mailbox reaches its lamp, once and with the right numbers; a failure is event 1344 and is made again. */
#include "ut.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "delivery/lamp.h"
#include "delivery_events.h"
#include "net/loop.h"
#include "net/pool.h"

struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct store *s;
	struct pool *files;
	struct ev_bus *bus;
	struct dir *d;
	struct mbox *m;
	struct outbox *o;
	struct lamp *l;
	struct lamp_note note;
	char account[64], gateway[64];
	unsigned sent, events;
	char words[600];
	bool came;
};

static void send(struct lamp *l, const struct lamp_note *note, void *arg)
{
	struct bench *b = arg;
	(void)l;
	b->note = *note;
	snprintf(b->account, sizeof b->account, "%s", note->account);
	snprintf(b->gateway, sizeof b->gateway, "%s", note->gateway);
	b->sent++;
}

static void hear(const struct ev_record *rec, void *arg)
{
	struct bench *b = arg;
	if (rec->report.id != EV_LAMP_FAILED)
		return;
	struct buf out;
	buf_init(&out, 1000);
	ev_sentence(&rec->report, b->words, sizeof b->words);
	ev_render(ev_def_find(rec->report.id)->cause, &rec->report, &out);
	snprintf(b->words + strlen(b->words), sizeof b->words - strlen(b->words), " / %s", buf_cstr(&out));
	buf_free(&out);
	b->events++;
}

static const char file[] =
	"gateways: [{name: pool, address: pool.org, lamp: true}, {name: dark, address: dark.org}]\n"
	"mailboxes:\n"
	"  - {name: Alice, extensions: ['201']}\n"
	"  - {name: bob, extensions: ['202'], lamp_gateway: dark}\n"
	"  - {name: carol, lamp: false}\n";

static void begin(struct bench *b)
{
	char url[300], spool[300];
	struct cfg *c;
	memset(b, 0, sizeof *b);
	clock_fake_init(&b->clock, 1795356309);
	assert_int_equal(loop_create(&b->loop, &b->clock.clock), 0);
	assert_int_equal(pool_create(&b->files, b->loop, "files", 1, 16), 0);
	assert_int_equal(ev_bus_create(&b->bus, &b->clock.clock, 4), 0);
	ev_bus_sink(b->bus, hear, NULL, b);
	snprintf(url, sizeof url, "sqlite:%s/l.db", ut_tmpdir());
	snprintf(spool, sizeof spool, "%s/spool", ut_tmpdir());
	struct store_prm sp = { .url = url, .loop = b->loop, .clock = &b->clock.clock };
	assert_int_equal(store_open(&b->s, &sp, NULL), 0);
	struct dir_prm dp = { .store = b->s, .loop = b->loop, .crypto = b->files, .clock = &b->clock.clock, .node = "node01" };
	assert_int_equal(dir_create(&b->d, &dp), 0);
	assert_int_equal(cfg_parse(&c, "f", text_of(file), CFG_WANT_OBJECTS, NULL), 0);
	assert_int_equal(dir_apply(b->d, c, NULL, NULL), 0);
	cfg_unref(c);
	struct outbox_prm op = { .store = b->s, .loop = b->loop, .clock = &b->clock.clock, .node = "node01" };
	assert_int_equal(outbox_create(&b->o, &op), 0);
	struct mbox_prm mp = { .store = b->s, .loop = b->loop, .files = b->files, .clock = &b->clock.clock, .outbox = b->o, .spool_dir = spool };
	assert_int_equal(mbox_create(&b->m, &mp, NULL), 0);
	struct lamp_prm lp = { .outbox = b->o, .store = b->s, .dir = b->d, .bus = b->bus, .clock = &b->clock.clock, .node = "node01", .send = send, .send_arg = b };
	assert_int_equal(lamp_create(&b->l, &lp), 0);
	outbox_start(b->o);
}

static void end(struct bench *b)
{
	outbox_destroy(b->o);
	lamp_destroy(b->l);
	mbox_destroy(b->m);
	dir_destroy(b->d);
	store_close(b->s);
	pool_destroy(b->files);
	loop_destroy(b->loop);
	ev_bus_destroy(b->bus);
}

static void on_saved(enum mbox_saved outcome, int err, const struct ev_report *why, void *arg)
{
	(void)err;
	(void)why;
	assert_int_equal(outcome, MBOX_SAVE_DONE);
	((struct bench *)arg)->came = true;
}

static void on_done(int err, const struct ev_report *why, void *arg)
{
	(void)why;
	assert_int_equal(err, 0);
	((struct bench *)arg)->came = true;
}

static void wait_came(struct bench *b)
{
	for (int i = 0; i < 1000 && !b->came; i++)
		loop_step(b->loop, 5);
	assert_true(b->came);
	b->came = false;
}

static void wait_sent(struct bench *b, unsigned n)
{
	for (int i = 0; i < 200 && b->sent < n; i++)
		loop_step(b->loop, 5);
	for (int i = 0; i < 10; i++)
		loop_step(b->loop, 2);
	assert_int_equal(b->sent, n);
}

static void leave(struct bench *b, const char *mailbox, char id[ID_SIZE])
{
	struct mbox_message m = { 0 };
	struct mbox_audio a = { .p = (const uint8_t *)"x", .n = 1 };
	id_make(m.id, clock_system());
	memcpy(id, m.id, ID_SIZE);
	snprintf(m.mailbox, sizeof m.mailbox, "%s", mailbox);
	assert_int_equal(mbox_save(b->m, &m, &a, on_saved, b, NULL), 0);
	wait_came(b);
}

static void lamp_follows_every_change(void **state)
{
	(void)state;
	struct bench b;
	struct lamp_outcome good = { .verdict = OUTBOX_DONE, .sip_status = 200 };
	char id[ID_SIZE];
	begin(&b);
	leave(&b, "alice", id);
	wait_sent(&b, 1);
	assert_int_equal(b.note.fresh, 1);
	assert_int_equal(b.note.saved, 0);
	assert_string_equal(b.account, "sip:201@pool.org");
	assert_string_equal(b.gateway, "pool");
	lamp_result(b.l, b.note.handle, &good);
	lamp_result(b.l, b.note.handle, &good); /* twice is harmless */
	assert_int_equal(mbox_mark(b.m, "alice", id, MBOX_SAVED, on_done, &b, NULL), 0);
	wait_came(&b);
	wait_sent(&b, 2);
	assert_int_equal(b.note.fresh, 0);
	assert_int_equal(b.note.saved, 1);
	assert_int_equal(b.events, 0);
	end(&b); /* with a NOTIFY under way */
}

static void failure_is_told_with_its_verdict_and_made_again(void **state)
{
	(void)state;
	struct bench b;
	struct lamp_outcome silent = { .verdict = OUTBOX_LATER, .verdict_name = "peer-name-unknown", .sentence = "the pool closed after TLS", .advice = "umbel cert cure pool" };
	struct lamp_outcome refused = { .verdict = OUTBOX_NEVER, .sip_status = 404 };
	char id[ID_SIZE];
	begin(&b);
	leave(&b, "alice", id);
	wait_sent(&b, 1);
	lamp_result(b.l, b.note.handle, &silent);
	ev_bus_flush(b.bus);
	assert_int_equal(b.events, 1);
	assert_string_equal(b.words, "the message lamp of mailbox alice (sip:201@pool.org) could not be set through gateway pool: the pool closed after TLS / "
		"The gateway refused the NOTIFY, or could not be reached (peer-name-unknown): the pool closed after TLS. It is tried again later.");
	for (int i = 0; i < 20; i++)
		loop_step(b.loop, 5);
	clock_fake_advance_ms(&b.clock, 8000);
	wait_sent(&b, 2);
	lamp_result(b.l, b.note.handle, &refused);
	ev_bus_flush(b.bus);
	assert_int_equal(b.events, 2);
	assert_non_null(strstr(b.words, "it answered 404"));
	clock_fake_advance_ms(&b.clock, 60000);
	wait_sent(&b, 2);
	end(&b);
}

static void mailbox_without_lamp_is_left_alone(void **state)
{
	(void)state;
	struct bench b;
	char id[ID_SIZE];
	begin(&b);
	leave(&b, "bob", id);
	leave(&b, "carol", id);
	leave(&b, "nobody", id);
	wait_sent(&b, 0);
	assert_int_equal(outbox_running(b.o), 0);
	end(&b);
}

static void body_is_that_of_rfc_3842(void **state)
{
	(void)state;
	struct buf out;
	struct lamp_note note = { .account = "sip:a@b", .fresh = 8, .saved = 3 };
	buf_init(&out, 1000);
	assert_int_equal(lamp_body(&note, &out), 0);
	assert_string_equal(buf_cstr(&out), "Messages-Waiting: yes\r\nMessage-Account: sip:a@b\r\nVoice-Message: 8/3\r\n");
	note.account = "sip:a\r\nEvil: x";
	assert_int_equal(lamp_body(&note, &out), EINVAL);
	buf_free(&out);
}

UT_MAIN(UT(lamp_follows_every_change), UT(failure_is_told_with_its_verdict_and_made_again), UT(mailbox_without_lamp_is_left_alone), UT(body_is_that_of_rfc_3842))
