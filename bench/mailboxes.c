/* SPDX-License-Identifier: Apache-2.0 */
/* mailboxes.c  mailboxes URL FOLDER [MAILBOXES] [MESSAGES]   Does a store stay quick when it fills? With a hundredth of the messages in it, a tenth, and all (a million
 * in 100,000 mailboxes), mailboxes drawn by chance are looked up, opened, heard and deposited in; then deleted folders are emptied while deposits
 * go on. URL is an empty store; FOLDER is for the spool. One JSON line a figure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/rand.h"
#include "mailbox/mbox.h"
#include "net/loop.h"
#include "net/pool.h"

enum { TIMES = 400, BATCH = 10000, AUDIO = 16384, CHUNK = 128 };
static struct loop *loop;
static struct pool *files;
static struct store *store;
static struct mbox *m;
static int64_t boxes = 100000, messages = 1000000;
static bool came;
static int failed;
static char last[ID_SIZE];
static const char *spool;

static double now_ms(void)
{
	return (double)clock_mono_us(clock_system()) / 1000;
}

static void tell(const char *figure, double value, const char *unit, double most, const char *how)
{
	printf("{\"figure\": \"%s\", \"value\": %.2f, \"unit\": \"%s\", \"target\": %.0f, \"met\": %s, \"how\": \"%s\"}\n", figure, value, unit, most,
	       value <= most ? "true" : "false", how);
	fflush(stdout);
}

/* ---- filling ---- */

/* These messages into these mailboxes: as many a mailbox however full the store is. */
struct range {
	int64_t from, to, first_box, boxes;
};

/* Of a hundred messages 30 are new, 69 saved, one was deleted long ago. */
static int fill_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	const struct range *g = arg;
	static const uint8_t audio[CHUNK];
#define SERIES "WITH RECURSIVE s (i) AS (SELECT CAST(?1 AS BIGINT) UNION ALL SELECT i + 1 FROM s WHERE i + 1 < ?2)"
#define AN_ID "SUBSTR('00000000000000000000000000', 1, 26 - LENGTH(CAST(i AS TEXT))) || CAST(i AS TEXT)"
	int err = db_exec(tx, why, SERIES " INSERT INTO message (id, mailbox, state, caller_number, caller_name, session, node, received_us, duration_ms, bytes,"
		" codec, cut, changed_us, deleted_us, purge_us) SELECT " AN_ID ", 'box' || CAST(?5 + (i * 7919) % ?3 AS TEXT), CASE WHEN i % 100 = 99 THEN 2 WHEN"
		" i % 100 < 30 THEN 0 ELSE 1 END, '+4930555', 'Somebody', 'session', '', i, 3000, ?4, 0, 0, i, 1, 1 FROM s", "iiiii", g->from, g->to, g->boxes,
		(int64_t)CHUNK, g->first_box);
	return err ? err : db_exec(tx, why, SERIES " INSERT INTO blob_chunk (id, seq, bytes) SELECT " AN_ID ", 0, ?3 FROM s", "iib", g->from, g->to,
		(const void *)audio, (size_t)CHUNK);
}

static int analyze_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	return db_exec(tx, why, "ANALYZE", "");
}

/* What the filling left in the buffers goes to disk now: else each deposit writes some twenty pages of it to make room for its own. */
static int checkpoint_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	(void)arg;
	return db_exec(tx, why, "CHECKPOINT", "");
}

static int64_t boxes_of(int64_t n)
{
	int64_t b = (int64_t)((double)n * (double)boxes / (double)messages);
	return b < 1 ? 1 : b;
}

static void fill(int64_t from, int64_t to)
{
	int64_t first = from ? boxes_of(from) : 0, some = boxes_of(to) - first;
	for (int64_t at = from; at < to; at += BATCH) {
		struct range g = { at, at + BATCH < to ? at + BATCH : to, first, some > 0 ? some : 1 };
		if (store_run(store, STORE_WRITE, fill_work, &g, NULL))
			abort();
	}
	if (store_run(store, STORE_WRITE, analyze_work, NULL, NULL))
		abort();
	if (strcmp(store_engine(store), "postgresql") == 0 && store_run(store, STORE_WRITE, checkpoint_work, NULL, NULL))
		abort();
}

/* ---- asking ---- */

static void on_counts(int err, const struct mbox_counts *c, const struct ev_report *why, void *arg)
{
	(void)c, (void)why, (void)arg;
	failed += err != 0;
	came = true;
}

static void on_list(int err, const struct mbox_message *v, size_t n, const struct ev_report *why, void *arg)
{
	(void)why, (void)arg;
	failed += err != 0;
	last[0] = 0;
	if (n)
		memcpy(last, v[n - 1].id, ID_SIZE);
	came = true;
}

static void on_audio(int err, enum mbox_codec codec, const uint8_t *p, size_t n, const struct ev_report *why, void *arg)
{
	(void)codec, (void)p, (void)n, (void)why, (void)arg;
	failed += err != 0;
	came = true;
}

static void on_room(int err, const struct ev_report *why, void *arg)
{
	(void)why, (void)arg;
	failed += err != 0;
	came = true;
}

static void on_saved(enum mbox_saved outcome, int err, const struct ev_report *why, void *arg)
{
	(void)err, (void)why, (void)arg;
	failed += outcome != MBOX_SAVE_DONE;
	came = true;
}

enum what { LOOK_UP, OPEN, HEAR, QUOTA, DEPOSIT, KINDS };
static const char *const names[KINDS] = { "look_up", "open", "hear", "quota", "deposit" };

static int ask(enum what w, const char *box)
{
	static uint8_t audio[AUDIO];
	struct mbox_message msg = { .caller_number = "+4930555", .duration_ms = AUDIO / 8, .received_us = clock_real_us(clock_system()) };
	struct mbox_audio a = { .p = audio, .n = sizeof audio };
	switch (w) {
	case LOOK_UP:
		return mbox_counts(m, box, on_counts, NULL, NULL);
	case OPEN:
		return mbox_list(m, box, -1, MBOX_NEWEST_FIRST, on_list, NULL, NULL);
	case HEAR:
		return *last ? mbox_get_audio(m, box, last, on_audio, NULL, NULL) : mbox_counts(m, box, on_counts, NULL, NULL);
	case QUOTA:
		return mbox_room(m, box, 5000, NULL, on_room, NULL, NULL);
	default:
		id_make(msg.id, clock_system());
		text_fill(msg.mailbox, sizeof msg.mailbox, box);
		return mbox_save(m, &msg, &a, on_saved, NULL, NULL);
	}
}

static double timed(enum what w, const char *box)
{
	double from = now_ms();
	came = false;
	if (ask(w, box))
		abort();
	while (!came)
		loop_step(loop, 100);
	return now_ms() - from;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void measure(int64_t n, double median[KINDS])
{
	static double v[KINDS][TIMES];
	char box[65], figure[64], how[160];
	for (int i = 0; i < TIMES; i++) {
		text_print(box, sizeof box, "box%u", rand_below((uint32_t)boxes_of(n)));
		for (enum what w = 0; w < KINDS; w++)
			v[w][i] = timed(w, box);
	}
	for (enum what w = 0; w < KINDS; w++) {
		qsort(v[w], TIMES, sizeof v[w][0], by_size);
		median[w] = v[w][TIMES / 2];
		text_print(figure, sizeof figure, "mailbox_%s_%lldk_p95", names[w], (long long)n / 1000);
		text_print(how, sizeof how, "%s, %lld messages in %lld mailboxes, %d times; median %.2f ms", store_engine(store), (long long)n, (long long)boxes_of(n), TIMES, median[w]);
		tell(figure, v[w][TIMES * 95 / 100], "ms", 50, how);
	}
}

/* ---- retention ---- */

static int waiting_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT COUNT(*) FROM message WHERE state = 2 AND purge_us > 0", "");
	if (err)
		return err;
	*(int64_t *)arg = db_col_int(r, 0);
	db_rows_close(r);
	return 0;
}

static int64_t waiting(void)
{
	int64_t n = -1;
	if (store_run(store, STORE_READ, waiting_work, &n, NULL))
		abort();
	return n;
}

static int open_mailboxes(uint64_t tick_ms)
{
	struct mbox_prm prm = { .store = store, .loop = loop, .files = files, .clock = clock_system(), .spool_dir = spool, .ship_ms = tick_ms,
		.purge_ms = tick_ms ? 60 : UINT64_C(86400000) * 60, .receipt_ms = 60000 };
	return mbox_create(&m, &prm, NULL);
}

static void empty_deleted_folders(void)
{
	double worst = 0, from = now_ms();
	int64_t all = waiting();
	int deposits = 0;
	char box[65], how[160];
	mbox_destroy(m);
	if (open_mailboxes(1))
		abort();
	for (; waiting() > 0; deposits++) {
		text_print(box, sizeof box, "box%u", rand_below((uint32_t)boxes));
		double took = timed(DEPOSIT, box);
		worst = took > worst ? took : worst;
	}
	text_print(how, sizeof how, "%s, the longest of %d deposits while %lld messages went for good in %.1f s", store_engine(store), deposits, (long long)all,
		(now_ms() - from) / 1000);
	tell("mailbox_deposit_while_purging", worst, "ms", 500, how);
}

int main(int argc, char **argv)
{
	double median[3][KINDS];
	char figure[64], how[120];
	struct ev_report *why = mem_zalloc(1, sizeof *why);
	if (argc < 3 || !why) {
		fprintf(stderr, "usage: mailboxes URL FOLDER [MAILBOXES] [MESSAGES]\n");
		return 2;
	}
	boxes = argc > 3 ? atoll(argv[3]) : boxes;
	messages = argc > 4 ? atoll(argv[4]) : messages;
	spool = argv[2];
	struct store_prm sp = { .url = argv[1], .clock = clock_system(), .statement_ms = 600000 };
	if (boxes < 1 || messages < 1000 || loop_create(&loop, clock_system()) || pool_create(&files, loop, "files", 1, 64))
		return 2;
	sp.loop = loop;
	if (store_open(&store, &sp, why) || open_mailboxes(0)) {
		ev_sentence(why, how, sizeof how);
		fprintf(stderr, "%s\n", how);
		return 1;
	}
	for (int i = 0; i < 3; i++) {
		int64_t upto = messages / (i == 0 ? 100 : i == 1 ? 10 : 1);
		fill(i == 0 ? 0 : messages / (i == 1 ? 100 : 10), upto);
		measure(upto, median[i]);
	}
	for (enum what w = 0; w < KINDS; w++) {
		text_print(figure, sizeof figure, "mailbox_%s_growth", names[w]);
		text_print(how, sizeof how, "%s, median with all messages as a multiple of that with a hundredth", store_engine(store));
		tell(figure, median[2][w] / (median[0][w] > 0 ? median[0][w] : 1), "times", 3, how);
	}
	empty_deleted_folders();
	tell("mailbox_failed", failed, "requests", 0, store_engine(store));
	mbox_destroy(m);
	store_close(store);
	pool_destroy(files);
	loop_destroy(loop);
	mem_free(why);
	return failed ? 1 : 0;
}
