/* SPDX-License-Identifier: Apache-2.0 */
/* draw.c  A table as text for people and as Graphviz for pictures. */
#include <errno.h>
#include "base/buf.h"
#include "base/mem.h"
#include "dialogue/service.h"
#include "dialogue/session.h"

static void event_words(const struct dlg_row *r, char *dst, size_t size)
{
	const struct dlg_when *w = &r->when;
	if (w->event == DLG_KEYS)
		text_print(dst, size, "key %s%s%s%s", w->keys, w->spoken ? " or \"" : "", w->spoken ? w->spoken : "", w->spoken ? "\"" : "");
	else if (w->code)
		text_print(dst, size, "%s", dlg_code_name(w->code));
	else if (w->event == DLG_RESULT)
		text_print(dst, size, "any result");
	else
		text_print(dst, size, "%s", dlg_event_name(w->event));
}

static const char *where(const struct dlg_table *t, const struct dlg_row *r, char *dst, size_t size)
{
	if (r->go == DLG_STAY)
		text_print(dst, size, "(stays)");
	else if (r->go & DLG_RETURN_BIT)
		text_print(dst, size, "returns %s", dlg_code_name(r->go & 0xff));
	else
		text_print(dst, size, "%s", t->states[r->go].name);
	return dst;
}

/* ---- text ---- */
static void say_text(const struct dlg_phrase *p, const char *indent, struct buf *out)
{
	for (; p && p->kind != DLG_W_END; p++) {
		buf_printf(out, "%s", indent);
		switch (p->kind) {
		case DLG_W_PROMPT: buf_printf(out, "\"%s\"", dlg_prompt_words(p->prompt)); break;
		case DLG_W_NAMED: buf_printf(out, "prompt %s", p->fixed ? p->fixed : "of the holiday"); break;
		case DLG_W_NAME:
		case DLG_W_TEXT:
		case DLG_W_DIGITS:
			if (p->fixed)
				buf_printf(out, "\"%s\"", p->fixed);
			else
				buf_str(out, p->kind == DLG_W_DIGITS ? "<digits>" : p->kind == DLG_W_NAME ? "<name>" : "<words>");
			break;
		case DLG_W_NUMBER: buf_str(out, "<number>"); break;
		case DLG_W_COUNT: buf_printf(out, "<how many> %s %s", dlg_prompt_words(p->prompt), dlg_prompt_words(p->plural)); break;
		case DLG_W_WHEN: buf_str(out, "<date and time>"); break;
		case DLG_W_LENGTH: buf_str(out, "<length>"); break;
		case DLG_W_CLIP: buf_str(out, "<recording>"); break;
		case DLG_W_BEEP: buf_str(out, "<tone>"); break;
		case DLG_W_PAUSE: buf_str(out, "<pause>"); break;
		case DLG_W_CLOCK:
			buf_printf(out, "%d:%02d ", p->clip / 60, p->clip % 60);
			break;
		case DLG_W_END: break;
		}
		buf_printf(out, "%s\n", p->only_if ? "  (where it applies)" : "");
	}
}

static void row_text(const struct dlg_table *t, const struct dlg_row *r, struct buf *out)
{
	char on[64], to[64];
	event_words(r, on, sizeof(on));
	buf_printf(out, "    %-24s -> %-22s", on, where(t, r, to, sizeof(to)));
	if (r->only_if.h)
		buf_printf(out, " if %s", r->only_if.name);
	if (r->act.h)
		buf_printf(out, " do %s", r->act.name);
	buf_char(out, '\n');
	say_text(r->say, "        ", out);
}

static void draw_text(const struct dlg_table *t, struct buf *out)
{
	buf_printf(out, "%s (%s), begins at: %s\n", t->title, t->name, t->states[t->start].name);
	for (unsigned s = 0; s < t->n_states; s++) {
		const struct dlg_state *st = &t->states[s];
		buf_printf(out, "\n  %s%s%s%s", st->name, st->call ? " [" : "", st->call ? st->call->title : "", st->call ? "]" : "");
		if (st->timeout_ms)
			buf_printf(out, "  (waits %u.%u s)", st->timeout_ms / 1000, st->timeout_ms % 1000 / 100);
		buf_char(out, '\n');
		say_text(st->say, "      ", out);
		for (unsigned i = 0; i < t->n_rows; i++)
			if (t->rows[i].in == s)
				row_text(t, &t->rows[i], out);
	}
	buf_str(out, "\n  in any state\n");
	for (unsigned i = 0; i < t->n_rows; i++)
		if (t->rows[i].in == DLG_ANY)
			row_text(t, &t->rows[i], out);
}

/* ---- Graphviz ---- */
static void quoted(const char *s, struct buf *out)
{
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_char(out, '\\');
		buf_char(out, *s);
	}
}

static void edge(const struct dlg_table *t, unsigned from, const struct dlg_row *r, struct buf *out)
{
	char on[64];
	if (r->go == DLG_STAY && !r->act.h)
		return;
	event_words(r, on, sizeof(on));
	if (r->go & DLG_RETURN_BIT)
		buf_printf(out, "  s%u -> r%u [label=\"", from, r->go & 0xff);
	else
		buf_printf(out, "  s%u -> s%u [label=\"", from, r->go == DLG_STAY ? from : r->go);
	quoted(on, out);
	if (r->only_if.h)
		buf_printf(out, "\\n[%s]", r->only_if.name);
	if (r->act.h)
		buf_printf(out, "\\n/ %s", r->act.name);
	buf_str(out, "\"];\n");
	(void)t;
}

static void draw_graphviz(const struct dlg_table *t, struct buf *out)
{
	bool returned[R_CODES] = { false };
	buf_str(out, "digraph \"");
	quoted(t->name, out);
	buf_str(out, "\" {\n  label=\"");
	quoted(t->title, out);
	buf_str(out, "\";\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=9];\n");
	for (unsigned s = 0; s < t->n_states; s++) {
		const struct dlg_state *st = &t->states[s];
		buf_printf(out, "  s%u [label=\"", s);
		quoted(st->name, out);
		if (st->call) {
			buf_str(out, "\\n");
			quoted(st->call->title, out);
		}
		buf_printf(out, "\"%s%s];\n", st->call ? ", shape=component" : "", s == t->start ? ", penwidth=2" : "");
	}
	buf_str(out, "  any [label=\"any state\", style=dashed];\n");
	for (unsigned i = 0; i < t->n_rows; i++)
		if (t->rows[i].go & DLG_RETURN_BIT)
			returned[(t->rows[i].go & 0xff) % R_CODES] = true;
	for (unsigned c = 0; c < R_CODES; c++)
		if (returned[c])
			buf_printf(out, "  r%u [label=\"%s\", shape=ellipse];\n", c, dlg_code_name((int)c));
	for (unsigned i = 0; i < t->n_rows; i++)
		if (t->rows[i].in != DLG_ANY)
			edge(t, t->rows[i].in, &t->rows[i], out);
	for (unsigned i = 0; i < t->n_rows; i++)
		if (t->rows[i].in == DLG_ANY && t->rows[i].go & DLG_RETURN_BIT) {
			char on[64];
			event_words(&t->rows[i], on, sizeof(on));
			buf_printf(out, "  any -> r%u [label=\"%s\"];\n", t->rows[i].go & 0xff, on);
		}
	buf_str(out, "}\n");
}

int dlg_draw(const struct dlg_table *table, enum dlg_draw_form form, struct buf *out)
{
	if (form == DLG_DRAW_GRAPHVIZ)
		draw_graphviz(table, out);
	else
		draw_text(table, out);
	return buf_error(out);
}

static const struct dlg_table *const built_in[] = { &dlg_answering, &dlg_ruled, &dlg_subscriber, &dlg_logon, &dlg_player, &dlg_options, &dlg_pin_change, &dlg_language, &dlg_away, &dlg_rule_greetings, &dlg_greeting, &dlg_setup, &dlg_send, &dlg_play_out,
	                                            &dlg_recorder, &dlg_entry, &dlg_names, &dlg_transfer, &dlg_find, &dlg_screen, &dlg_bridged };

int dlg_draw_named(const struct cfg *cfg, struct text name, enum dlg_draw_form form, struct buf *out)
{
	struct dlg_attendants *a;
	int err = dlg_attendants_create(&a, cfg);
	if (err)
		return err;
	const struct dlg_table *t = dlg_attendant_table(a, name);
	for (unsigned i = 0; !t && i < sizeof(built_in) / sizeof(built_in[0]); i++)
		if (text_is_nocase(name, built_in[i]->name))
			t = built_in[i];
	err = t ? dlg_draw(t, form, out) : ENOENT;
	mem_unref(a);
	return err;
}
