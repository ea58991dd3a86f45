/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_card.c  What a node says of itself, in the store or in a letter, for the matrices of the others: names, listeners and certificates. Never a key. What is
 * read comes from another process, maybe of another release: every member is looked at before it counts.                */
#include <errno.h>
#include "base/mem.h"
#include "cert/matrix_json.h"
#include "cert/matrix_private.h"
#include "trust/identity.h"
#include "trust/pem.h"

enum { CARD_SCHEMA = 1 };

static json_t *identity(const struct trust_identity *id)
{
	struct buf pem;
	buf_init(&pem, TRUST_PEM_MAX);
	int err = trust_pem_put_cert(&pem, trust_identity_x509(id));
	STACK_OF(X509) *chain = trust_identity_chain(id);
	for (int i = 0; !err && chain && i < sk_X509_num(chain); i++)
		err = trust_pem_put_cert(&pem, sk_X509_value(chain, i));
	const char *text = err ? NULL : buf_cstr(&pem);
	json_t *o = text ? json_pack("{s:s, s:s}", "name", trust_identity_name(id), "chain", text) : NULL;
	buf_free(&pem);
	return o;
}

static json_t *identities(const struct trust_set *set)
{
	json_t *array = json_array();
	for (unsigned i = 0; i < trust_set_count(set); i++) {
		const struct trust_identity *id = trust_set_at(set, i);
		if (!strchr(trust_identity_name(id), '+')) /* not one that is being rehearsed */
			json_array_append_new(array, identity(id));
	}
	return array;
}

int matrix_card_make(struct buf *out, const struct cfg *cfg, const struct trust_set *set)
{
	struct matrix_model *m = NULL;
	struct matrix_node *n = NULL;
	int err = matrix_model_create(&m, 0);
	if (!err)
		err = matrix_take_self(m, cfg, &n);
	json_t *listen = json_array(), *o = NULL;
	for (unsigned i = 0; !err && i < n->addresses.n; i++)
		json_array_append_new(listen, json_string(trust_names_at(&n->addresses, i)));
	if (!err)
		o = json_pack("{s:i, s:s, s:s, s:O, s:o}", "schema", CARD_SCHEMA, "fqdn", cfg->node.fqdn, "service", cfg->node.service, "tls", listen, "identities",
		              identities(set));
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (!err)
		err = text ? buf_str(out, text) : ENOMEM;
	free(text);
	json_decref(o);
	json_decref(listen);
	matrix_model_free(m);
	return err;
}

/* ---- reading one ---- */

static const char *member(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

static int take_identity(struct matrix_node *n, const json_t *o)
{
	struct matrix_cert *c = NULL;
	char from[128];
	text_print(from, sizeof from, "as node %s says of itself", n->name);
	int err = *member(o, "name") ? matrix_cert_from_pem(&c, text_of(member(o, "chain")), from, NULL) : EBADMSG;
	if (!err)
		err = matrix_node_shows(n, member(o, "name"), c);
	mem_unref(c);
	return err == EBADMSG || err == ENOSPC ? 0 : err; /* it is not known then */
}

int matrix_take_card(struct matrix_model *m, const char *name, const char *fqdn, const char *card, struct matrix_node **np)
{
	json_t *o = card ? json_loads(card, 0, NULL) : NULL;
	struct matrix_node *n = matrix_add_node(m, name, fqdn, "");
	size_t i;
	const json_t *x;
	int err = n ? 0 : ENOSPC;
	if (!err && json_integer_value(json_object_get(o, "schema")) == CARD_SCHEMA) {
		text_fill(n->service, sizeof n->service, member(o, "service"));
		json_array_foreach(json_object_get(o, "tls"), i, x)
			if (json_is_string(x))
				trust_names_add_str(&n->addresses, json_string_value(x));
		json_array_foreach(json_object_get(o, "identities"), i, x)
			err = err ? err : take_identity(n, x);
	}
	json_decref(o);
	if (!err)
		*np = n;
	return err;
}
