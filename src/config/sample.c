/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c  The commented sample file: every setting with its help; what has a default stands there as a comment. */
#include <stdio.h>
#include "config/config_private.h"

static void indent(struct buf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_str(out, "  ");
}

static const char *example(const struct cfg_row *row)
{
	switch (row->type) {
	case CFG_LISTEN:
		return "[udp:127.0.0.1:5060, tcp:127.0.0.1:5060]";
	case CFG_HOST:
		return "node01.domain.local";
	case CFG_PATH:
		return "/etc/umbel/file.pem";
	default:
		return "example";
	}
}

static void object(struct buf *out, const struct cfg_object *o, unsigned depth, bool list)
{
	for (size_t i = 0; i < o->n_rows; i++) {
		const struct cfg_row *r = &o->rows[i];
		bool needed = !r->def;
		indent(out, depth);
		buf_printf(out, "# %s\n", r->help);
		indent(out, list && i == 0 ? depth - 1 : depth);
		buf_printf(out, "%s%s%s: %s\n", needed ? "" : "#", list && i == 0 ? "- " : "", r->key, needed ? example(r) : r->def[0] ? r->def : "\"\"");
	}
	for (size_t i = 0; i < o->n_subs; i++) {
		indent(out, depth);
		buf_printf(out, "# %s\n", o->subs[i].object->help);
		indent(out, depth);
		buf_printf(out, "#%s:\n", o->subs[i].key);
		struct buf inner;
		buf_init(&inner, 64 << 10);
		object(&inner, o->subs[i].object, depth + (o->subs[i].list ? 2 : 1), o->subs[i].list);
		struct text rest = buf_as_text(&inner), line;
		while (rest.n) { /* parts that may be left out are shown, but switched off */
			text_cut(rest, '\n', &line, &rest);
			buf_printf(out, "%s%.*s\n", text_starts(text_trim(line), "#") ? "" : "#", TEXT_FMT(line));
		}
		buf_free(&inner);
	}
}

int cfg_sample(struct buf *out)
{
	buf_str(out, "# umbel.yaml: the configuration of one node. Lines that begin with # show defaults.\n# Check it with: umbeld --check umbel.yaml\n");
	for (size_t i = 0; i < cfg_root.n_subs; i++) {
		const struct cfg_sub *s = &cfg_root.subs[i];
		bool node = strcmp(s->key, "node") == 0;
		buf_printf(out, "\n# %s\n%s%s:\n", s->object->help, node ? "" : "#", s->key);
		struct buf inner;
		buf_init(&inner, 64 << 10);
		object(&inner, s->object, s->list ? 2 : 1, s->list);
		struct text rest = buf_as_text(&inner), line;
		while (rest.n) {
			text_cut(rest, '\n', &line, &rest);
			buf_printf(out, "%s%.*s\n", node || text_starts(text_trim(line), "#") ? "" : "#", TEXT_FMT(line));
		}
		buf_free(&inner);
	}
	return buf_error(out);
}
