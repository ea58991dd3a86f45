/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c  See stream.h. */
#include "admin/stream.h"
#include "base/mem.h"

static void turn_h(void *arg)
{
	struct admin_stream *s = arg;
	if (s->gone)
		admin_stream_end(s);
	else
		s->turn(s);
}

/* Perhaps while something is being written to him. */
static void gone_h(struct admin_call *call, void *arg)
{
	struct admin_stream *s = arg;
	(void)call;
	s->gone = true;
	if (tmr_active(&s->tmr))
		admin_stream_again(s, 0);
}

void admin_stream_start(struct admin_stream *s, struct admin *a, struct list *list, struct admin_call *call, void (*turn)(struct admin_stream *s),
			void (*free)(struct admin_stream *s))
{
	s->admin = a;
	s->call = mem_ref(call);
	s->turn = turn;
	s->free = free;
	list_append(list, &s->link);
	admin_call_gone(call, gone_h, s);
	admin_stream_again(s, 0);
}

void admin_stream_again(struct admin_stream *s, int64_t in_ms)
{
	tmr_start(s->admin->prm.loop, &s->tmr, s->gone ? 0 : in_ms, turn_h, s);
}

void admin_stream_end(struct admin_stream *s)
{
	tmr_cancel(&s->tmr);
	if (s->admin)
		list_remove(&s->link);
	if (s->call)
		admin_call_gone(s->call, NULL, NULL);
	mem_unref(s->call);
	s->free(s);
}

void admin_streams_stop(struct list *list, void (*last)(struct admin_stream *s))
{
	LIST_FOREACH (list, it) {
		struct admin_stream *s = LIST_ENTRY(it, struct admin_stream, link);
		admin_call_gone(s->call, NULL, NULL);
		if (last)
			last(s);
		if (!s->working) {
			admin_stream_end(s);
			continue;
		}
		list_remove(&s->link);
		s->admin = NULL;
		s->gone = true;
		s->call = mem_unref(s->call);
	}
}
