/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c  A verdict for people, for machines, and for an event. */
#include <errno.h>
#include <jansson.h>
#include "trust/explain.h"

const char *trust_certainty_name(enum trust_certainty c)
{
	static const char *const names[] = { "unknown", "likely", "sure" };
	return (unsigned)c < 3 ? names[c] : "unknown";
}

const char *trust_who_name(enum trust_who w)
{
	static const char *const names[] = { "nobody", "us", "peer", "network" };
	return (unsigned)w < 4 ? names[w] : "nobody";
}

const char *trust_step_name(enum trust_step s)
{
	static const char *const names[] = { "dns", "connect", "handshake", "after-handshake", "sip", "none" };
	return (unsigned)s < 6 ? names[s] : "none";
}

static int paragraph(struct buf *out, const char *title, const char *words)
{
	struct text left = text_of(words), line;
	int err = 0;
	if (!*words)
		return 0;
	err = buf_printf(out, "%s\n", title);
	while (!err && left.n) {
		text_cut(left, '\n', &line, &left);
		err = buf_printf(out, "  %.*s\n", TEXT_FMT(line));
	}
	return err;
}

int trust_verdict_text(const struct trust_verdict *v, struct buf *out)
{
	static const char *const sure[] = {
		"How sure: unknown; the facts fit several causes.",
		"How sure: likely; the other causes are named below.",
		"How sure: sure.",
	};
	int err = buf_printf(out, "%s\n", v->sentence);
	if (!err && trust_verdict_bad(v))
		err = buf_printf(out, "%s (verdict %s, refused by %s, at step %s)\n", sure[v->certainty], v->name, trust_who_name(v->who),
				 trust_step_name(v->step));
	if (!err)
		err = paragraph(out, "Why:", v->cause);
	if (!err)
		err = paragraph(out, "What to do:", v->advice);
	if (!err)
		err = paragraph(out, "What else looks the same, and how to tell:", v->other_causes);
	return err;
}

/* Names come from a peer's certificate and need not be UTF-8; JSON must. */
static json_t *json_of(const char *words)
{
	char line[TRUST_VERDICT_TEXT * 4];
	json_t *o = json_string(words);
	return o ? o : json_string(text_escape(text_of(words), line, sizeof line));
}

static json_t *json_of_line(struct text line)
{
	char escaped[TRUST_VERDICT_TEXT * 4];
	json_t *o = json_stringn(line.p, line.n);
	return o ? o : json_string(text_escape(line, escaped, sizeof escaped));
}

static json_t *lines_of(const char *words)
{
	struct text left = text_of(words), line;
	json_t *all = json_array();
	while (all && left.n) {
		text_cut(left, '\n', &line, &left);
		json_array_append_new(all, json_of_line(line));
	}
	return all;
}

int trust_verdict_json(const struct trust_verdict *v, struct buf *out)
{
	json_t *o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o}", "schema", 1, "verdict", v->name, "who_refused",
			      trust_who_name(v->who), "step", trust_step_name(v->step), "certainty", trust_certainty_name(v->certainty),
			      "sentence", json_of(v->sentence), "cause", json_of(v->cause), "advice", lines_of(v->advice), "command", v->command,
			      "other_causes", lines_of(v->other_causes), "wanted", json_of(v->wanted), "offered", json_of(v->offered));
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	int err = text ? buf_str(out, text) : ENOMEM;
	free(text);
	json_decref(o);
	return err;
}

void trust_verdict_fields(const struct trust_verdict *v, struct ev_report *r)
{
	ev_str(r, "verdict", v->sentence);
	ev_str(r, "verdict_name", v->name);
	ev_str(r, "who_refused", trust_who_name(v->who));
	ev_str(r, "step", trust_step_name(v->step));
	ev_str(r, "certainty", trust_certainty_name(v->certainty));
	ev_str(r, "cause", v->cause);
	ev_str(r, "advice", v->advice);
	if (v->other_causes[0])
		ev_str(r, "other_causes", v->other_causes);
	if (v->command[0])
		ev_str(r, "command", v->command);
	if (v->wanted[0])
		ev_str(r, "wanted", v->wanted);
	if (v->offered[0])
		ev_str(r, "offered", v->offered);
}
