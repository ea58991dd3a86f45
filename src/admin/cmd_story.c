/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_story.c  explain.all, and stories as JSON for the other commands. */
#include <errno.h>
#include "admin/admin_private.h"
#include "base/mem.h"
#include "gateway/story_store.h"
#include "node/node.h"

enum { STORIES_SHOWN = 64, ENDED_SHOWN = 10 };

static json_t *parsed(const char *text)
{
	json_t *o = text ? json_loads(text, 0, NULL) : NULL;
	return o ? o : json_null();
}

static json_t *story_json(const struct gw_story *st, bool full)
{
	char lasted[48];
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:i, s:s, s:o}", "id", st->id, "node", st->node, "gateway",
	                      st->gateway, "peer", *st->gateway || st->many ? st->peer : st->host, "direction", trust_role_name(st->role), "flow",
	                      trust_flow_name(st->flow), "verdict_name", st->verdict, "certainty", trust_certainty_name(st->certainty), "identity",
	                      st->identity, "first_us", (json_int_t)st->first_us, "last_us", (json_int_t)st->last_us, "ended_us",
	                      (json_int_t)st->ended_us, "count", (json_int_t)st->count, "end", gw_story_end_name(st->end), "returns", (int)st->returns,
	                      "lasted", gw_story_lasted(st, lasted, sizeof lasted), "sentence", admin_json_text(text_of(st->sentence)));
	if (o && full) {
		json_object_set_new(o, "verdict", parsed(st->verdict_json));
		json_object_set_new(o, "facts", parsed(st->facts_json));
	}
	return o;
}

static const struct gw_stories *stories(const struct admin *a)
{
	return a->prm.gateways ? gw_table_stories(a->prm.gateways) : NULL;
}

json_t *admin_stories_json(struct admin *a, const char *gateway, bool full)
{
	const struct gw_stories *s = stories(a);
	json_t *array = json_array();
	unsigned ended = 0;
	for (unsigned i = 0; s && i < gw_story_count(s) && json_array_size(array) < STORIES_SHOWN; i++) {
		const struct gw_story *st = gw_story_at(s, i);
		if (gateway && strcmp(gateway, st->gateway) != 0)
			continue;
		if (st->end != GW_STORY_OPEN && ++ended > ENDED_SHOWN)
			break;
		json_array_append_new(array, story_json(st, full));
	}
	return array;
}

json_t *admin_story_json(struct admin *a, const char *id)
{
	const struct gw_stories *s = stories(a);
	const struct gw_story *st = s && id && *id ? gw_story_find(s, id) : NULL;
	return st ? story_json(st, true) : NULL;
}

/* ---- by its id: those that this node remembers, then the store ---- */

struct asked {
	struct admin_call *call;
	char id[ID_SIZE];
};

static void found_h(const struct gw_story *st, void *arg)
{
	struct asked *x = arg;
	if (st)
		admin_call_ok(x->call, json_pack("{s:o}", "story", story_json(st, true)));
	else
		admin_call_not_found(x->call, "story", x->id, "umbel explain shows those that go on; what is over is kept for 30 days.");
	mem_unref(x->call);
	mem_free(x);
}

bool admin_story_answer(struct admin *a, struct admin_call *call, const char *id)
{
	json_t *o = admin_story_json(a, id);
	if (o) {
		admin_call_ok(call, json_pack("{s:o}", "story", o));
		return true;
	}
	if (!id_valid(text_of(id)) || !a->prm.stories)
		return false;
	struct asked *x = mem_zalloc(1, sizeof *x);
	int err = x ? 0 : ENOMEM;
	if (x) {
		x->call = mem_ref(call);
		text_fill(x->id, sizeof x->id, id);
		err = gw_story_store_find(a->prm.stories, id, found_h, x);
	}
	if (err) {
		if (x)
			mem_unref(x->call);
		mem_free(x);
		admin_call_errno(call, err, NULL);
	}
	return true;
}

static json_t *others_json(const struct admin *a)
{
	const struct gw_story_store *k = a->prm.stories;
	json_t *array = json_array();
	for (unsigned i = 0; k && i < gw_story_store_others(k); i++)
		json_array_append_new(array, story_json(gw_story_store_other(k, i), false));
	return array;
}

static void all(struct admin_call *call, const json_t *args, void *arg)
{
	struct admin *a = arg;
	const struct gw_stories *s = stories(a);
	(void)args;
	if (!s) {
		admin_call_absent(call, "gateways");
		return;
	}
	json_t *open = json_array();
	for (unsigned i = 0; i < gw_story_open(s); i++)
		json_array_append_new(open, story_json(gw_story_at(s, i), i < STORIES_SHOWN));
	admin_call_ok(call, json_pack("{s:s, s:o, s:o, s:I}", "node", a->prm.node ? node_name(a->prm.node) : "", "stories", open, "other_nodes", others_json(a),
	                              "lost", (json_int_t)gw_story_lost(s)));
}

const struct admin_cmd admin_story_cmds[] = { { "explain.all", all }, { NULL, NULL } };
