/* SPDX-License-Identifier: Apache-2.0 */
/* listing.c  Lists that may be long, some items a turn of the loop: calls must not wait until five thousand mailboxes are written down. */
#include "admin/stream.h"
#include "base/mem.h"

enum { QUEUE_MAX = 1 << 20, WAIT_MS = 20 };

struct listing {
	struct admin_stream stream; /* first */
	struct admin_listing of;
	size_t at;
};

static void give_back(const struct admin_listing *of)
{
	dir_view_unref(of->view);
	cfg_unref(of->cfg);
	json_decref(of->rest);
}

static void listing_free(struct admin_stream *s)
{
	struct listing *l = (struct listing *)s;
	give_back(&l->of);
	mem_free(l);
}

static json_t *piece(struct listing *l)
{
	json_t *array = json_array();
	for (size_t k = 0; array && k < ADMIN_LISTED_AT_ONCE && l->at < l->of.n; k++)
		if (json_array_append_new(array, l->of.item(&l->of, l->at++)) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

/* Who reads slowly is not sent more than he takes. */
static void next(struct admin_stream *s)
{
	struct listing *l = (struct listing *)s;
	if (admin_call_queued(s->call) > QUEUE_MAX) {
		admin_stream_again(s, WAIT_MS);
		return;
	}
	json_t *array = piece(l);
	if (!array || l->at == l->of.n) {
		if (array)
			json_object_set_new(l->of.rest, l->of.key, array);
		admin_call_ok(s->call, array ? json_incref(l->of.rest) : NULL);
		admin_stream_end(s);
		return;
	}
	admin_call_more(s->call, json_pack("{s:o}", l->of.key, array));
	admin_stream_again(s, 0);
}

void admin_list(struct admin *a, struct admin_call *call, const struct admin_listing *of)
{
	struct listing *l = of->rest ? mem_zalloc(1, sizeof *l) : NULL;
	if (!l) {
		give_back(of);
		admin_call_ok(call, NULL);
		return;
	}
	l->of = *of;
	admin_stream_start(&l->stream, a, &a->listings, call, next, listing_free);
}

void admin_lists_stop(struct admin *a)
{
	admin_streams_stop(&a->listings, NULL);
}
