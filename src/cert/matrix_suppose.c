/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_suppose.c  The questions of an administrator, as changes of the model. */
#include <errno.h>
#include "base/mem.h"
#include "cert/matrix_private.h"
#include "cert_events.h"

static int bad(struct ev_report *why, const char *question, const char *error)
{
	ev_set(why, EV_CERT_MATRIX_QUESTION);
	ev_str(why, "question", question);
	ev_str(why, "error", error);
	return EINVAL;
}

static bool is(const char *question, const char *word, const char **rest)
{
	size_t n = strlen(word);
	if (strncmp(question, word, n) != 0 || question[n] != '=')
		return false;
	*rest = question + n + 1;
	return true;
}

/* "NODE:FILE": a colon behind something that could be a node's name, and no path. */
static size_t prefix(const char *s)
{
	size_t n = strcspn(s, ":/");
	return s[n] == ':' && n ? n : 0;
}

bool matrix_is_question(const char *question)
{
	const char *rest;
	return is(question, "cert", &rest) || is(question, "node-down", &rest) || is(question, "fqdn", &rest) || is(question, "known", &rest);
}

const char *matrix_question_file(const char *question)
{
	const char *rest;
	if (!is(question, "cert", &rest))
		return NULL;
	size_t n = prefix(rest);
	return rest + (n ? n + 1 : 0);
}

/* ---- the four questions ---- */

static void forget_shown(struct matrix_node *n)
{
	for (unsigned i = 0; i < n->n_shown; i++)
		mem_unref(n->shown[i].cert);
	n->n_shown = 0;
}

/* A whole node shows this certificate, to everybody, under each of its identities. */
static int shows_only(struct matrix_node *n, struct matrix_cert *c)
{
	char names[MATRIX_SHOWN][TRUST_LABEL_SIZE];
	unsigned count = n->n_shown;
	int err = 0;
	for (unsigned i = 0; i < count; i++)
		text_fill(names[i], sizeof names[i], n->shown[i].identity);
	forget_shown(n);
	for (unsigned i = 0; !err && i < count; i++)
		err = matrix_node_shows(n, names[i], c);
	return count ? err : matrix_node_shows(n, "default", c);
}

static int suppose_cert(struct matrix_model *m, const char *question, const char *rest, struct text pem, struct ev_report *why)
{
	struct matrix_cert *c = NULL;
	struct matrix_node *only = NULL;
	size_t n = prefix(rest);
	char name[TRUST_NAME_SIZE];
	if (n && (text_copy(text_make(rest, n), name, sizeof name) || !(only = matrix_find_node(m, name))))
		return bad(why, question, "there is no node of that name");
	int err = matrix_cert_from_pem(&c, pem, rest + (n ? n + 1 : 0), why);
	for (unsigned i = 0; !err && i < m->n_nodes; i++)
		if (!only || only == &m->nodes[i])
			err = shows_only(&m->nodes[i], c);
	mem_unref(c);
	return err;
}

static int suppose_down(struct matrix_model *m, const char *question, const char *name, struct ev_report *why)
{
	struct matrix_node *n = matrix_find_node(m, name);
	if (!n)
		return bad(why, question, "there is no node of that name");
	n->supposed_down = !n->down || n->supposed_down;
	n->down = true;
	return 0;
}

static int suppose_fqdn(struct matrix_model *m, const char *question, const char *name, struct ev_report *why)
{
	if (!*name || strchr(name, '*') || strlen(name) >= TRUST_NAME_SIZE)
		return bad(why, question, "that is no domain name");
	for (unsigned i = 0; i < m->n_nodes; i++)
		text_fill(m->nodes[i].fqdn, sizeof m->nodes[i].fqdn, name);
	return 0;
}

static int suppose_known(struct matrix_model *m, const char *question, const char *rest, struct ev_report *why)
{
	size_t n = prefix(rest);
	char name[TRUST_LABEL_SIZE];
	struct matrix_gateway *only = NULL;
	struct text list = text_of(rest + (n ? n + 1 : 0)), word;
	if (n && (text_copy(text_make(rest, n), name, sizeof name) || !(only = matrix_find_gateway(m, name))))
		return bad(why, question, "there is no gateway of that name");
	if (text_empty(list))
		return bad(why, question, "a name is missing");
	for (unsigned i = 0; i < m->n_gateways; i++)
		if (!only || only == &m->gateways[i])
			trust_names_clear(&m->gateways[i].known);
	while (!text_empty(list)) {
		text_cut(list, ',', &word, &list);
		for (unsigned i = 0; i < m->n_gateways && !text_empty(word); i++)
			if (!only || only == &m->gateways[i])
				trust_names_add(&m->gateways[i].known, word);
	}
	return 0;
}

int matrix_suppose(struct matrix_model *m, const char *question, struct text pem, struct ev_report *why)
{
	const char *rest;
	int err;
	if (is(question, "cert", &rest))
		err = suppose_cert(m, question, rest, pem, why);
	else if (is(question, "node-down", &rest))
		err = suppose_down(m, question, rest, why);
	else if (is(question, "fqdn", &rest))
		err = suppose_fqdn(m, question, rest, why);
	else if (is(question, "known", &rest))
		err = suppose_known(m, question, rest, why);
	else
		err = bad(why, question, "it is none of cert=FILE, cert=NODE:FILE, node-down=NODE, fqdn=NAME, known=NAME");
	if (!err)
		trust_names_add_str(&m->supposed, question);
	return err;
}
