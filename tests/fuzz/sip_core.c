/* SPDX-License-Identifier: Apache-2.0 */
/* sip_core.c  Messages of any kind and order against the whole core: transactions, dialogs, legs, subscriptions. The input is cut at lines "----"; TAG stands for
 * our tag in the last call, WAT for that in the last subscription. Between messages the clock goes on, by 100 ms or, behind a line "====", by 40 s.             */
#include <errno.h>
#include <stdint.h>
#include "base/mem.h"
#include "media/media.h"
#include "sip/leg_private.h"
#include "sip/watch_private.h"

struct bench {
	struct clock_fake clock;
	struct loop *loop;
	struct sip_core *core;
	struct media_engine *media;
	struct media_port *port;
	struct leg *leg;
	struct sip_peer *peer;
	unsigned calls;
	struct sip_watch *watch; /* the last one, while it lives */
	unsigned watches, told;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void on_leg(struct leg *leg, const struct leg_event *ev, void *arg)
{
	(void)arg;
	if (ev->type == LEG_ANSWERED)
		(void)leg_transfer(leg, "sip:200@example.test", NULL);
	if (ev->type == LEG_REFERRED)
		(void)leg_refer_progress(leg, 200);
	if (ev->type == LEG_ENDING && ev->receipt)
		leg_confirm(leg, true);
}

static void on_offered(struct leg *leg, void *arg)
{
	struct bench *b = arg;

	mem_unref(b->leg);
	b->leg = mem_ref(leg);
	leg_handler(leg, on_leg, b);
	if (b->calls++ % 4 == 3)
		leg_reject(leg, 404, "nobody", 0);
	else
		(void)leg_answer(leg, b->port, NULL);
}

static int on_wanted(struct sip_watch *w, const struct sip_watch_asked *asked, void *arg)
{
	struct bench *b = arg;

	(void)asked;
	if (b->watches++ % 8 == 7)
		return ENOENT;
	sip_watch_own(w, b);
	b->watch = w;
	return 0;
}

/* Now, later or not at all; and sometimes the mailbox goes. */
static void on_state(struct sip_watch *w, void *arg)
{
	struct bench *b = arg;
	char body[40];

	if (b->told++ % 3 == 2)
		return;
	(void)text_print(body, sizeof(body), "Messages-Waiting: %u\r\n", b->told % 2);
	sip_watch_tell(w, text_of(body));
}

static void on_over(struct sip_watch *w, void *arg)
{
	struct bench *b = arg;

	if (sip_watch_owned(w) != b)
		__builtin_trap();
	if (b->watch == w)
		b->watch = NULL;
}

static int on_lookup(const struct sip_source *src, struct sip_peer **peer, struct ev_report *why, void *arg)
{
	struct bench *b = arg;

	(void)src;
	(void)why;
	*peer = mem_ref(b->peer);
	return 0;
}

static void pass(struct bench *b, int64_t ms)
{
	for (int64_t i = 0; i < ms; i += 100) {
		clock_fake_advance_ms(&b->clock, 100);
		loop_step(b->loop, 0);
		media_engine_step(b->media);
	}
}

/* TAG becomes our tag, so that a mutated message still finds its dialog. */
static void feed(struct bench *b, struct text t)
{
	struct sip_path path = { .transport = NET_UDP, .listener = UINT_MAX };
	const char *tag = b->leg ? b->leg->d.local_tag : "none", *watch = b->watch ? b->watch->d.local_tag : "none";
	struct buf msg;
	size_t at, other;

	buf_init(&msg, 1u << 20);
	while ((at = text_find_text(t, TEXT("TAG"))) != (other = text_find_text(t, TEXT("WAT")))) {
		bool is_watch = other < at;
		at = is_watch ? other : at;
		buf_text(&msg, text_head(t, at));
		buf_str(&msg, is_watch ? watch : tag);
		t = text_skip(t, at + 3);
	}
	buf_text(&msg, t);
	(void)net_addr_parse(&path.peer, TEXT("127.0.0.1"), 5070);
	(void)net_addr_parse(&path.local, TEXT("127.0.0.1"), 5060);
	if (!buf_error(&msg) && msg.n)
		sip_receive(b->core, &path, buf_as_text(&msg));
	buf_free(&msg);
}

static bool bench_open(struct bench *b)
{
	struct sip_core_prm prm = { .clock = &b->clock.clock, .lookup = on_lookup, .offered = on_offered, .arg = b };
	struct media_engine_prm media = { .clock = &b->clock.clock };
	const struct sip_watch_handlers watches = { on_wanted, on_state, on_over, b };
	struct net_addr local;
	struct media_port_prm port = { .local = &local };

	clock_fake_init(&b->clock, 1800000000);
	if (loop_create(&b->loop, &b->clock.clock))
		return false;
	prm.loop = b->loop;
	b->peer = sip_peer_create();
	b->peer->believes_headers = true;
	b->peer->max_watches = 3;
	text_fill(b->peer->host, sizeof(b->peer->host), "127.0.0.1");
	(void)net_addr_parse(&local, TEXT("127.0.0.1"), 0);
	if (media_engine_create(&b->media, &media, NULL) || media_port_open(&b->port, b->media, &port, NULL) || sip_core_create(&b->core, &prm, NULL))
		return false;
	sip_core_watches(b->core, &watches);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct text rest = text_make(data, n);
	struct bench b = { .calls = 0 };
	size_t at;

	if (bench_open(&b)) {
		for (unsigned i = 0; i < 16 && rest.n; i++) {
			size_t soon = text_find_text(rest, TEXT("----\n")), late = text_find_text(rest, TEXT("====\n"));
			at = soon < late ? soon : late;
			feed(&b, text_head(rest, at));
			pass(&b, at == late && late != SIZE_MAX ? 40000 : 100);
			rest = at == SIZE_MAX ? TEXT_NONE : text_skip(rest, at + 5);
		}
		pass(&b, 300);
	}
	sip_core_destroy(b.core);
	mem_unref(b.leg);
	mem_unref(b.peer);
	media_engine_destroy(b.media);
	for (int i = 0; i < 4; i++)
		loop_step(b.loop, 0);
	loop_destroy(b.loop);
	if (mem_live())
		abort();
	return 0;
}
