/* SPDX-License-Identifier: Apache-2.0 */
/* matrix_files.c  What a configuration file says that a node shows and trusts, read without the node. Reads files. */
#include <errno.h>
#include "base/mem.h"
#include "cert/install.h"
#include "cert/matrix_private.h"
#include "cert_events.h"
#include "trust/identity.h"
#include "trust/pem.h"

static int file_failed(struct ev_report *why, const char *file, int err)
{
	ev_set(why, EV_CERT_FILE_FAILED);
	ev_str(why, "file", file);
	ev_str(why, "error", strerror(err));
	return err;
}

/* Only its public part: whoever asks need not be allowed to read the key. */
static int public_part(struct matrix_cert **cp, const struct cfg_identity *c, struct ev_report *why)
{
	struct buf pem;
	buf_init(&pem, TRUST_PEM_MAX);
	int err = trust_pem_file(&pem, c->cert);
	if (err)
		err = file_failed(why, c->cert, err);
	else if (*c->chain && (err = trust_pem_file(&pem, c->chain)) != 0)
		err = file_failed(why, c->chain, err);
	else
		err = matrix_cert_from_pem(cp, buf_as_text(&pem), c->cert, why);
	buf_free(&pem);
	return err;
}

/* As the node would load it, a certificate that was installed by command first. */
static int read_identity(struct matrix_cert **cp, const struct cfg *cfg, const struct cfg_identity *c, struct ev_report *why)
{
	struct trust_identity_prm prm = { .name = c->name, .cert_file = c->cert, .key_file = c->key, .chain_file = *c->chain ? c->chain : NULL };
	struct trust_identity *id = NULL;
	int err = cert_load_identity(&id, &prm, cfg->node.data, why);
	if (err == ENOMEM)
		return err;
	if (err)
		return public_part(cp, c, why);
	err = matrix_cert_from(cp, trust_identity_x509(id), trust_identity_chain(id), trust_identity_cert_file(id));
	mem_unref(id);
	return err;
}

static int read_anchors(struct matrix_model *m, const struct cfg *cfg, struct ev_report *why)
{
	struct buf pem;
	int err = 0;
	buf_init(&pem, 4 << 20);
	if (m->anchors_pem)
		buf_str(&pem, m->anchors_pem);
	for (size_t i = 0; !err && i < cfg->trust.ca_files.n; i++) {
		err = trust_pem_file(&pem, cfg->trust.ca_files.v[i]);
		if (err)
			file_failed(why, cfg->trust.ca_files.v[i], err);
		buf_char(&pem, '\n');
	}
	const char *all = err ? NULL : buf_cstr(&pem);
	if (!err && all) {
		mem_free(m->anchors_pem);
		m->anchors_pem = mem_strdup(all);
	}
	if (!err && (!all || !m->anchors_pem))
		err = ENOMEM;
	buf_free(&pem);
	return err;
}

int matrix_take_files(struct matrix_model *m, const struct cfg *cfg, struct ev_report *why)
{
	struct matrix_node *n = NULL;
	int err = matrix_take_self(m, cfg, &n);
	/* The default one first. */
	for (int turn = 0; turn < 2; turn++)
		for (size_t i = 0; !err && i < cfg->node.n_identities; i++) {
			const struct cfg_identity *c = &cfg->node.identities[i];
			bool is_default = *cfg->node.identity ? strcmp(c->name, cfg->node.identity) == 0 : i == 0;
			struct matrix_cert *cert = NULL;
			if (is_default != (turn == 0))
				continue;
			err = read_identity(&cert, cfg, c, why);
			if (!err)
				err = matrix_node_shows(n, c->name, cert);
			mem_unref(cert);
		}
	if (!err)
		err = read_anchors(m, cfg, why);
	return err ? err : matrix_take_gateways(m, cfg);
}
