/* SPDX-License-Identifier: Apache-2.0 */
/* dir_sql.c  Users in the store: written as a revision, read as a view. Runs in store threads, perhaps more than once. */
#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include "base/hash.h"
#include "directory/dir_private.h"

/* ---- lists: one a line ---- */

static int join(const struct cfg_strings *s, struct buf *out)
{
	for (size_t i = 0; i < s->n; i++)
		buf_printf(out, "%s%s", i ? "\n" : "", s->v[i]);
	return buf_error(out);
}

static struct cfg_strings split(struct arena *a, struct text t)
{
	struct cfg_strings s = { NULL, 0 };
	size_t n = 1;
	for (size_t i = 0; i < t.n; i++)
		n += t.p[i] == '\n';
	const char **v = t.n ? arena_alloc(a, n * sizeof *v) : NULL;
	for (struct text line, rest = t; v && rest.n && s.n < n; s.n++) {
		text_cut(rest, '\n', &line, &rest);
		v[s.n] = arena_text(a, line);
	}
	s.v = v;
	return s;
}

/* ---- writing ---- */

static const uint8_t digest_keys[2][16] = { "umbel revision 1", "umbel revision 2" };

/* A row as text: for the digest, and so that no setting is forgotten in it. */
static int describe(const struct cfg_mailbox *m, struct buf *out)
{
	buf_printf(out, "%s|%s|%s|%s|%s|%s|%s|%s|%s|%d|%d|%s|%s|", m->name, m->display_name, m->first_name, m->last_name, m->spoken_name, m->language,
		m->dialplan, m->policy, m->operator_number, m->dialable, m->lamp, m->lamp_gateway, m->lamp_uri);
	join(&m->extensions, out);
	buf_char(out, '|');
	join(&m->sip_uris, out);
	buf_char(out, '|');
	join(&m->allowed_transfers, out);
	if (*m->department || *m->title || *m->schedule || strcasecmp(m->alias, m->name) != 0) /* else as the releases before wrote it */
		buf_printf(out, "|%s|%s|%s|%s", m->department, m->title, m->alias, m->schedule);
	return buf_char(out, '\n');
}

static const char *source_of(const struct cfg *cfg)
{
	return cfg->source ? cfg->source : ""; /* a configuration made by hand has none */
}

static int digest(const struct cfg *cfg, char hex[33])
{
	struct buf b;
	buf_init(&b, 64 << 20);
	for (size_t i = 0; i < cfg->n_mailboxes; i++)
		describe(&cfg->mailboxes[i], &b);
	buf_str(&b, source_of(cfg));
	int err = buf_error(&b);
	if (!err)
		text_print(hex, 33, "%016llx%016llx", (unsigned long long)hash_siphash(digest_keys[0], b.p, b.n),
			(unsigned long long)hash_siphash(digest_keys[1], b.p, b.n));
	buf_free(&b);
	return err;
}

static int put_user(struct db_tx *tx, const struct cfg_mailbox *m, int64_t revision, struct ev_report *why)
{
	struct buf e, u, a;
	char name[65];
	buf_init(&e, 65536);
	buf_init(&u, 65536);
	buf_init(&a, 65536);
	text_fill(name, sizeof name, m->name);
	for (char *p = name; *p; p++)
		*p = text_lower(*p);
	int err = join(&m->extensions, &e) ? ENOMEM : join(&m->sip_uris, &u) ? ENOMEM : join(&m->allowed_transfers, &a);
	if (!err)
		err = db_exec(tx, why, "INSERT INTO mailbox (name, display_name, first_name, last_name, spoken_name, language, dialplan, policy, operator_number,"
			" extensions, sip_uris, allowed_transfers, dialable, lamp, lamp_gateway, lamp_uri, managed_by_file, removed, revision, department, title,"
			" alias, schedule) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,1,0,?17,?18,?19,?20,?21) ON CONFLICT (name) DO UPDATE SET"
			" display_name=excluded.display_name, first_name=excluded.first_name, last_name=excluded.last_name, spoken_name=excluded.spoken_name,"
			" language=excluded.language, dialplan=excluded.dialplan, policy=excluded.policy, operator_number=excluded.operator_number,"
			" extensions=excluded.extensions, sip_uris=excluded.sip_uris, allowed_transfers=excluded.allowed_transfers, dialable=excluded.dialable,"
			" lamp=excluded.lamp, lamp_gateway=excluded.lamp_gateway, lamp_uri=excluded.lamp_uri, managed_by_file=1, removed=0,"
			" revision=excluded.revision, department=excluded.department, title=excluded.title, alias=excluded.alias, schedule=excluded.schedule",
			"sssssssssttti" "issi" "ssss", name, m->display_name, m->first_name, m->last_name, m->spoken_name, m->language,
			m->dialplan, m->policy, m->operator_number, buf_as_text(&e), buf_as_text(&u), buf_as_text(&a), (int64_t)m->dialable, (int64_t)m->lamp,
			m->lamp_gateway, m->lamp_uri, revision, m->department, m->title, m->alias, m->schedule);
	buf_free(&e);
	buf_free(&u);
	buf_free(&a);
	return err;
}

static int last_revision(struct db_tx *tx, int64_t *number, char hex[33], char node[65], struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT number, digest, node FROM revision ORDER BY number DESC LIMIT 1", "");
	*number = 0;
	hex[0] = node[0] = 0;
	if (err)
		return err == ENOENT ? 0 : err;
	*number = db_col_int(r, 0);
	db_col_copy(r, 1, hex, 33);
	db_col_copy(r, 2, node, 65);
	db_rows_close(r);
	return 0;
}

int dir_revision_before(struct db_tx *tx, int64_t *number, char **objects, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT number, objects FROM revision WHERE objects <> '' AND objects <> (SELECT objects FROM revision"
		" ORDER BY number DESC LIMIT 1) ORDER BY number DESC LIMIT 1", "");
	if (err)
		return err;
	char *text = text_dup(db_col_text(r, 1));
	if (text) {
		*number = db_col_int(r, 0);
		*objects = text;
	}
	db_rows_close(r);
	return text ? 0 : ENOMEM;
}

int dir_revision_newest(struct db_tx *tx, struct dir_newest *n, bool objects, struct ev_report *why)
{
	struct db_rows *r;
	n->number = 0;
	n->node[0] = '\0';
	n->objects = NULL;
	int err = db_query_one(tx, &r, why, "SELECT number, node, objects FROM revision ORDER BY number DESC LIMIT 1", "");
	if (err)
		return err == ENOENT ? 0 : err;
	n->number = db_col_int(r, 0);
	db_col_copy(r, 1, n->node, sizeof n->node);
	n->objects = objects ? text_dup(db_col_text(r, 2)) : NULL;
	db_rows_close(r);
	return objects && !n->objects ? ENOMEM : 0;
}

int dir_revision_same(struct db_tx *tx, const struct cfg *cfg, int64_t since, int64_t *number, struct ev_report *why)
{
	struct db_rows *r;
	char hex[33];
	int err = digest(cfg, hex);
	if (!err)
		err = db_query_one(tx, &r, why, "SELECT number FROM revision WHERE number >= ?1 AND digest = ?2 ORDER BY number DESC LIMIT 1", "is", since, hex);
	if (err)
		return err;
	*number = db_col_int(r, 0);
	db_rows_close(r);
	return 0;
}

int dir_revision_write(struct db_tx *tx, struct dir_sync *s, struct ev_report *why)
{
	char now[33], was[33], node[65];
	int64_t last = 0;
	int err = digest(s->cfg, now);
	if (!err)
		err = last_revision(tx, &last, was, node, why);
	s->revision = last;
	if (err || strcmp(now, was) == 0)
		return err;
	err = db_exec(tx, why, "INSERT INTO revision (number, digest, node, applied_us, objects) VALUES (?1, ?2, ?3, ?4, ?5)", "issis", last + 1, now,
		s->d->node, clock_real_us(db_clock(tx)), source_of(s->cfg));
	for (size_t i = 0; i < s->cfg->n_mailboxes && !err; i++)
		err = put_user(tx, &s->cfg->mailboxes[i], last + 1, why);
	if (!err)
		err = db_exec(tx, why, "UPDATE mailbox SET removed = 1, revision = ?1 WHERE managed_by_file = 1 AND removed = 0 AND revision < ?1", "i", last + 1);
	if (err)
		return err;
	s->removed = db_changes(tx);
	s->fresh = true;
	s->revision = last + 1;
	if (last && strcmp(node, s->d->node) != 0) {
		memcpy(s->other, node, sizeof s->other);
		s->other_revision = last;
	}
	return db_notify(tx, DIR_NOTICE, why);
}

/* ---- reading ---- */

static const char *word(struct arena *a, const struct db_rows *r, int column)
{
	char *s = arena_text(a, db_col_text(r, column));
	return s ? s : "";
}

static void read_user(struct dir_view *v, const struct db_rows *r)
{
	struct arena *a = &v->arena;
	struct dir_user *u = &dir_view_add(v)->user;
	*u = (struct dir_user){ .name = word(a, r, 0), .display_name = word(a, r, 1), .first_name = word(a, r, 2), .last_name = word(a, r, 3),
		.spoken_name = word(a, r, 4), .language = word(a, r, 5), .dialplan = word(a, r, 6), .policy = word(a, r, 7), .operator_number = word(a, r, 8),
		.extensions = split(a, db_col_text(r, 9)), .sip_uris = split(a, db_col_text(r, 10)), .allowed_transfers = split(a, db_col_text(r, 11)),
		.dialable = db_col_int(r, 12) != 0, .lamp = db_col_int(r, 13) != 0, .lamp_gateway = word(a, r, 14), .lamp_uri = word(a, r, 15),
		.managed_by_file = db_col_int(r, 16) != 0, .department = word(a, r, 17), .title = word(a, r, 18), .alias = word(a, r, 19),
		.schedule = word(a, r, 20) };
}

static int count_users(struct db_tx *tx, int64_t *n, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT COUNT(*) FROM mailbox WHERE removed = 0", "");
	if (err)
		return err;
	*n = db_col_int(r, 0);
	db_rows_close(r);
	return 0;
}

static int load(struct db_tx *tx, struct dir_sync *s, struct ev_report *why)
{
	struct db_rows *r;
	int64_t n;
	int err = count_users(tx, &n, why);
	if (!err)
		err = dir_view_begin(&s->view, s->cfg, (size_t)n);
	if (err)
		return err;
	err = db_query(tx, &r, why, "SELECT name, display_name, first_name, last_name, spoken_name, language, dialplan, policy, operator_number, extensions,"
		" sip_uris, allowed_transfers, dialable, lamp, lamp_gateway, lamp_uri, managed_by_file, department, title, alias, schedule FROM mailbox WHERE removed = 0 ORDER BY name LIMIT ?1",
		"i", n);
	if (err)
		return err;
	while ((err = db_step(r, why)) == 0)
		read_user(s->view, r);
	db_rows_close(r);
	return err == ENOENT ? dir_view_end(s->view) : err;
}

/* What was applied for all nodes and differs from what this one has. */
static int load_objects(struct db_tx *tx, struct dir_sync *s, struct ev_report *why)
{
	struct db_rows *r;
	int err = db_query_one(tx, &r, why, "SELECT objects FROM revision WHERE number = ?1", "i", s->revision);
	if (err)
		return err == ENOENT ? 0 : err;
	struct text yaml = db_col_text(r, 0);
	if (yaml.n && !text_is(yaml, source_of(s->cfg)))
		err = cfg_parse(&s->objects, "store", yaml, CFG_WANT_OBJECTS, &s->errors);
	db_rows_close(r);
	return err == EINVAL ? 0 : err; /* s->errors tells */
}

int dir_sync_work(struct db_tx *tx, void *arg, struct ev_report *why)
{
	struct dir_sync *s = arg;
	char hex[33], node[65];
	s->view = dir_view_unref(s->view);
	s->objects = cfg_unref(s->objects);
	cfg_errors_free(&s->errors);
	s->fresh = false;
	s->removed = 0;
	s->other[0] = 0;
	int err = s->writes ? dir_revision_write(tx, s, why) : 0;
	if (!err)
		err = last_revision(tx, &s->revision, hex, node, why);
	if (err || s->revision == s->known)
		return err;
	err = load_objects(tx, s, why);
	if (!err)
		err = load(tx, s, why);
	if (!err) {
		s->view->revision = s->revision;
		s->count = (int64_t)s->view->n;
	} else {
		s->view = dir_view_unref(s->view);
	}
	return err;
}
