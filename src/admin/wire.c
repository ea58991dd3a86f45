/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c  Lines to requests, results and reports to lines. */
#include "admin/wire.h"
#include <errno.h>
#include "admin_events.h"

static int bad(struct ev_report *why, const char *error)
{
	ev_set(why, EV_ADMIN_REQUEST_BAD);
	ev_str(why, "error", error);
	return EINVAL;
}

/* jansson recurses while it parses: the depth is bounded before it sees the line. */
static bool too_deep(struct text line)
{
	unsigned depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < line.n; i++) {
		char c = line.p[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > ADMIN_DEPTH_MAX)
				return true;
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return false;
}

static bool good_command(const char *s, size_t n)
{
	if (n == 0 || n >= ADMIN_CMD_SIZE)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
		if (!good)
			return false;
	}
	return true;
}

static int take(const json_t *root, struct admin_request *rq, struct ev_report *why)
{
	const json_t *schema = json_object_get(root, "schema"), *cmd = json_object_get(root, "cmd");
	json_t *args = json_object_get(root, "args");
	if (!json_is_integer(schema))
		return bad(why, "it has no \"schema\"");
	if (json_integer_value(schema) != ADMIN_SCHEMA) {
		bad(why, "its schema is another than 1");
		return EPROTONOSUPPORT;
	}
	if (!json_is_string(cmd) || !good_command(json_string_value(cmd), json_string_length(cmd)))
		return bad(why, "\"cmd\" is not the name of a command");
	if (args && !json_is_object(args))
		return bad(why, "\"args\" is not an object");
	text_fill(rq->cmd, sizeof rq->cmd, json_string_value(cmd));
	rq->args = args ? json_incref(args) : json_object();
	return rq->args ? 0 : ENOMEM;
}

int admin_request_parse(struct text line, struct admin_request *rq, struct ev_report *why)
{
	json_error_t error;
	if (line.n > ADMIN_LINE_MAX)
		return bad(why, "it is too long");
	if (too_deep(line))
		return bad(why, "it is nested too deep");
	json_t *root = json_loadb(line.p ? line.p : "", line.n, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return bad(why, error.text);
	int err = json_is_object(root) ? take(root, rq, why) : bad(why, "it is not a JSON object");
	json_decref(root);
	return err;
}

void admin_request_free(struct admin_request *rq)
{
	json_decref(rq->args);
	rq->args = NULL;
	rq->cmd[0] = '\0';
}

static int append(const char *p, size_t n, void *arg)
{
	return buf_put(arg, p, n) ? -1 : 0;
}

static int write_line(struct buf *out, json_t *line)
{
	if (!line)
		return ENOMEM;
	if (json_dump_callback(line, append, out, JSON_COMPACT) != 0 && !buf_error(out))
		out->err = EINVAL;
	json_decref(line);
	buf_char(out, '\n');
	return buf_error(out);
}

int admin_write_result(struct buf *out, const json_t *result, bool more)
{
	json_t *line = json_pack("{s:i, s:b}", "schema", (int)ADMIN_SCHEMA, "ok", 1);
	/* a non-const handle for the count alone; the value is not changed */
	json_t *value = result ? json_incref((json_t *)(uintptr_t)result) : json_object();
	if (line && more)
		json_object_set_new(line, "more", json_true());
	if (line)
		json_object_set_new(line, "result", value);
	else
		json_decref(value);
	return write_line(out, line);
}

json_t *admin_errors_json(const struct cfg_errors *errors)
{
	json_t *all = json_array();
	for (size_t i = 0; i < errors->n; i++) {
		const struct cfg_error *e = &errors->v[i];
		const char *texts[] = { e->key, e->what, e->fix }, *names[] = { "key", "what", "fix" };
		json_t *o = json_pack("{s:s, s:i, s:i}", "file", e->file, "line", (int)e->pos.line, "column", (int)e->pos.column);
		for (unsigned k = 0; o && k < 3; k++) {
			char line[4096]; /* what stands in a file may be anything */
			json_object_set_new(o, names[k], json_string(text_escape(text_of(texts[k]), line, sizeof line)));
		}
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *rendered(const char *pattern, const struct ev_report *why)
{
	struct buf b;
	buf_init(&b, 32768);
	json_t *text = NULL;
	if (ev_render(pattern, why, &b) == 0)
		text = json_string(buf_cstr(&b));
	buf_free(&b);
	return text ? text : json_string("");
}

json_t *admin_report_json(const struct ev_report *why)
{
	const struct ev_def *def = ev_def_find(why->id);
	if (!def)
		return json_pack("{s:i, s:s, s:s}", "id", (int)why->id, "name", "FAILED", "text", "it failed, without a reason given");
	json_t *fields = json_object();
	for (unsigned i = 0; fields && i < why->n_fields; i++) {
		const struct ev_field *f = &why->field[i];
		char line[2048];
		if (f->type == EV_INT)
			json_object_set_new(fields, f->name, json_integer(f->i));
		else
			json_object_set_new(fields, f->name, json_string(text_escape(ev_field_text(why, f->name), line, sizeof line)));
	}
	return json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:o}", "id", (int)why->id, "name", def->name, "severity",
	                 ev_severity_name(def->severity), "text", rendered(def->text, why), "cause", rendered(def->cause, why), "advice",
	                 rendered(def->advice, why), "fields", fields);
}

int admin_write_error(struct buf *out, const struct ev_report *why)
{
	json_t *error = admin_report_json(why);
	return write_line(out, error ? json_pack("{s:i, s:b, s:o}", "schema", (int)ADMIN_SCHEMA, "ok", 0, "error", error) : NULL);
}

const char *admin_arg_str(const json_t *args, const char *key)
{
	const json_t *v = json_object_get(args, key);
	return json_is_string(v) && strlen(json_string_value(v)) == json_string_length(v) ? json_string_value(v) : NULL;
}

int64_t admin_arg_int(const json_t *args, const char *key, int64_t otherwise)
{
	const json_t *v = json_object_get(args, key);
	return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

bool admin_arg_bool(const json_t *args, const char *key)
{
	return json_is_true(json_object_get(args, key));
}

int admin_need_str(const json_t *args, const char *key, const char **value, struct ev_report *why)
{
	const char *s = admin_arg_str(args, key);
	if (!s || !*s) {
		ev_set(why, EV_ADMIN_ARGUMENT_MISSING);
		ev_str(why, "argument", key);
		return EINVAL;
	}
	*value = s;
	return 0;
}
