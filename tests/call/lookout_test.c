/* SPDX-License-Identifier: Apache-2.0 */
/* lookout_test.c  A phone subscribes by SIP, and what it is told comes from a real mailbox: at once, when a message is left or deleted, when another node changed it, and
 * when the mailbox is there no more. */
#include <stdio.h>
#include <unistd.h>
#include "base/mem.h"
#include "call/raw.h"
#include "delivery/lookout.h"

#define SUBSCRIBE "Event: message-summary\r\nExpires: 600\r\n"

static const char file[] =
	"gateways: [{name: pool-a, address: pool.org, transport: udp, lamp: true}, {name: dark, address: dark.org, transport: udp, lamp: true}]\n"
	"mailboxes:\n"
	"  - {name: Alice, extensions: ['100'], sip_uris: ['sip:alice@b.test']}\n"
	"  - {name: bob, extensions: ['102'], lamp_gateway: dark}\n"
	"  - {name: carol, extensions: ['103'], lamp: false}\n";
static const char without_alice[] = "gateways: [{name: pool-a, address: pool.org, transport: udp, lamp: true}]\nmailboxes: [{name: bob, extensions: ['102']}]\n";

struct desk {
	struct raw x;
	struct store *store;
	struct pool *files;
	struct dir *dir;
	struct mbox *mbox, *other; /* the other is another node's */
	struct lookout *l;
	bool came;
	unsigned saved;
};

static void apply(struct desk *d, const char *text)
{
	struct cfg *c;

	assert_int_equal(cfg_parse(&c, "f", text_of(text), CFG_WANT_OBJECTS, NULL), 0);
	assert_int_equal(dir_apply(d->dir, c, NULL, NULL), 0);
	cfg_unref(c);
}

static struct mbox *mbox_open(struct desk *d, const char *name)
{
	char spool[300];
	struct mbox_prm mp = { .store = d->store, .loop = d->x.r.loop, .files = d->files, .clock = &d->x.r.clock.clock, .spool_dir = spool };
	struct mbox *m;

	snprintf(spool, sizeof(spool), "%s/%s", ut_tmpdir(), name);
	assert_int_equal(mbox_create(&m, &mp, NULL), 0);
	return m;
}

static void begin(struct desk *d)
{
	char url[300];

	memset(d, 0, sizeof(*d));
	raw_open(&d->x, false);
	d->x.r.side[B].other->max_watches = 10;
	struct rig *r = &d->x.r;
	snprintf(url, sizeof(url), "sqlite:%s/lookout.db", ut_tmpdir());
	unlink(url + 7);
	struct store_prm sp = { .url = url, .loop = r->loop, .clock = &r->clock.clock };
	assert_int_equal(store_open(&d->store, &sp, NULL), 0);
	assert_int_equal(pool_create(&d->files, r->loop, "files", 1, 16), 0);
	struct dir_prm dp = { .store = d->store, .loop = r->loop, .crypto = d->files, .clock = &r->clock.clock, .node = "node01" };
	assert_int_equal(dir_create(&d->dir, &dp), 0);
	apply(d, file);
	d->mbox = mbox_open(d, "spool");
	d->other = mbox_open(d, "spool2");
	struct lookout_prm lp = { .loop = r->loop, .store = d->store, .dir = d->dir, .mbox = d->mbox };
	assert_int_equal(lookout_create(&d->l, &lp), 0);
	lookout_attach(d->l, r->side[B].core);
}

static void end(struct desk *d)
{
	sip_core_destroy(d->x.r.side[B].core);
	d->x.r.side[B].core = NULL;
	lookout_destroy(d->l);
	mbox_destroy(d->mbox);
	mbox_destroy(d->other);
	dir_destroy(d->dir);
	store_close(d->store);
	pool_destroy(d->files);
	raw_close(&d->x);
}

/* The store's threads have their own time. */
static void until_notified(struct desk *d, const char *state, const char *numbers)
{
	for (int i = 0; i < 1000 && !strstr(heard(&d->x, 5), "NOTIFY sip:"); i++)
		usleep(2000);
	wants(&d->x, "NOTIFY sip:");
	memmove(d->x.in, strstr(d->x.in, "NOTIFY sip:"), strlen(strstr(d->x.in, "NOTIFY sip:")) + 1);
	wants(&d->x, state);
	wants(&d->x, numbers);
	answer(&d->x, 200, "", "");
}

static void subscribe(struct desk *d, const char *number, const char *status)
{
	static unsigned n;
	char room[1000];
	int len;

	len = snprintf(room, sizeof(room),
	               "SUBSCRIBE sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;rport;branch=z9hG4bKl%u\r\nFrom: <sip:a@a.test>;tag=me\r\nTo: <sip:%s>\r\n"
	               "Call-ID: raw%u\r\nCSeq: 1 SUBSCRIBE\r\nMax-Forwards: 70\r\nContact: <sip:a@127.0.0.1:%u>\r\n" SUBSCRIBE "Content-Length: 0\r\n\r\n",
	               number, d->x.port, n, number, n, d->x.port);
	n++;
	d->x.tag[0] = '\0';
	say_bytes(&d->x, room, (size_t)len);
	heard(&d->x, 5);
	wants(&d->x, status);
}

static void on_saved(enum mbox_saved outcome, int err, const struct ev_report *why, void *arg)
{
	(void)err;
	(void)why;
	assert_int_equal(outcome, MBOX_SAVE_DONE);
	((struct desk *)arg)->came = true;
}

static void on_done(int err, const struct ev_report *why, void *arg)
{
	(void)why;
	assert_int_equal(err, 0);
	((struct desk *)arg)->came = true;
}

static void wait_came(struct desk *d)
{
	for (int i = 0; i < 2000 && !d->came; i++) {
		loop_step(d->x.r.loop, 0);
		usleep(1000);
	}
	assert_true(d->came);
	d->came = false;
}

static void leave_message(struct desk *d, struct mbox *m, char id[ID_SIZE])
{
	struct mbox_message msg = { .mailbox = "alice", .received_us = clock_real_us(&d->x.r.clock.clock), .duration_ms = 20, .codec = MBOX_PCMU };
	struct mbox_audio a = { .p = (const uint8_t *)"01234567", .n = 8 };

	id_make(msg.id, &d->x.r.clock.clock);
	memcpy(id, msg.id, sizeof(msg.id));
	assert_int_equal(mbox_save(m, &msg, &a, on_saved, d, NULL), 0);
	wait_came(d);
}

static void changes_are_told(void **state)
{
	char id[ID_SIZE];
	struct desk d;

	(void)state;
	begin(&d);
	subscribe(&d, "100@b.test", "SIP/2.0 200");
	until_notified(&d, "Subscription-State: active", "Message-Account: sip:100@b.test\r\nVoice-Message: 0/0");
	heard(&d.x, 1100);
	leave_message(&d, d.mbox, id);
	until_notified(&d, "Subscription-State: active", "Messages-Waiting: yes\r\nMessage-Account: sip:100@b.test\r\nVoice-Message: 1/0");
	heard(&d.x, 1100);
	assert_int_equal(mbox_mark(d.mbox, "alice", id, MBOX_SAVED, on_done, &d, NULL), 0);
	wait_came(&d);
	until_notified(&d, "Subscription-State: active", "Voice-Message: 0/1");
	heard(&d.x, 1100);
	/* another node with the same store */
	leave_message(&d, d.other, id);
	until_notified(&d, "Subscription-State: active", "Voice-Message: 1/1");
	heard(&d.x, 1100);
	/* and the mailbox goes */
	apply(&d, without_alice);
	until_notified(&d, "Subscription-State: terminated;reason=noresource", "Voice-Message: 1/1");
	heard(&d.x, 20);
	assert_int_equal(sip_core_watch_count(d.x.r.side[B].core), 0);
	end(&d);
}

static void who_may_watch_what(void **state)
{
	struct desk d;

	(void)state;
	begin(&d);
	subscribe(&d, "alice@b.test", "SIP/2.0 200"); /* by her address */
	until_notified(&d, "Subscription-State: active", "Message-Account: sip:alice@b.test\r\nVoice-Message: 0/0");
	subscribe(&d, "102@b.test", "SIP/2.0 403"); /* another gateway's */
	subscribe(&d, "103@b.test", "SIP/2.0 403"); /* who has no lamp */
	subscribe(&d, "999@b.test", "SIP/2.0 404");
	subscribe(&d, "b.test", "SIP/2.0 404");
	subscribe(&d, "%0d%0a@b.test", "SIP/2.0 404");
	assert_int_equal(sip_core_watch_count(d.x.r.side[B].core), 1);
	end(&d);
}

UT_MAIN(UT(changes_are_told), UT(who_may_watch_what))
