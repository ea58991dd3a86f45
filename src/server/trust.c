/* SPDX-License-Identifier: Apache-2.0 */
/* trust.c  The identities and anchors that the configuration names, as one set, and whether our certificate still holds. */
#include <errno.h>
#include "base/mem.h"
#include "cert/anchors.h"
#include "cert/install.h"
#include "server/server_private.h"
#include "server/words.h"
#include "server_events.h"
#include "trust_events.h"

/* How long certificate and response hold is said by the watch. */
static void warn(const struct ev_report *r, void *arg)
{
	if (r->id != EV_TRUST_CERT_ENDS_SOON && r->id != EV_TRUST_CERT_EXPIRED && r->id != EV_TRUST_STAPLE_USELESS)
		ev_emit(arg, r);
}

static int add_identities(struct ev_bus *bus, const struct cfg *cfg, struct trust_set *set, struct ev_report *why)
{
	const struct cfg_node *n = &cfg->node;
	int err = 0;
	/* The default one first: a set takes its first identity for that. */
	for (int turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < n->n_identities && !err; i++) {
			const struct cfg_identity *c = &n->identities[i];
			bool is_default = n->identity[0] ? strcmp(c->name, n->identity) == 0 : i == 0;
			if (is_default != (turn == 0))
				continue;
			struct trust_identity_prm prm = { .name = c->name, .cert_file = c->cert, .key_file = c->key, .chain_file = c->chain[0] ? c->chain : NULL,
			                                    .ocsp_file = c->ocsp };
			struct trust_identity *id = NULL;
			err = cert_load_identity(&id, &prm, n->data, why);
			if (!err) {
				if (why->id)
					ev_emit(bus, why); /* the installed certificate was passed over */
				ev_set(why, 0);
				err = trust_set_identity(set, id);
			}
			mem_unref(id);
		}
	return err;
}

/* Weaker TLS is nobody's secret while it is on. */
static void say_legacy(struct ev_bus *bus, const struct cfg *cfg)
{
	for (size_t i = 0; i < cfg->n_gateways; i++) {
		struct ev_report r;
		if (!cfg_may_speak_tls(cfg->gateways[i].transport) || cfg->gateways[i].tls.legacy == CFG_LEGACY_OFF)
			continue;
		ev_set(&r, EV_TRUST_TLS_LEGACY);
		ev_str(&r, "gateway", cfg->gateways[i].name);
		ev_str(&r, "legacy", cfg_legacy_name(cfg->gateways[i].tls.legacy));
		ev_emit(bus, &r);
	}
}

static struct trust_chain_rules rules_of(const struct cfg *cfg)
{
	static const enum trust_revocation revocation[] = { [CFG_REVOCATION_LEAF] = TRUST_REVOCATION_LEAF, [CFG_REVOCATION_FULL] = TRUST_REVOCATION_FULL,
		                                            [CFG_REVOCATION_OFF] = TRUST_REVOCATION_OFF };
	static const enum trust_staple staple[] = { [CFG_STAPLE_ASK] = TRUST_STAPLE_ASK, [CFG_STAPLE_REQUIRE] = TRUST_STAPLE_REQUIRE,
		                                    [CFG_STAPLE_OFF] = TRUST_STAPLE_OFF };
	return (struct trust_chain_rules){ .strict = cfg->trust.strict, .depth = -1, .revocation = revocation[cfg->trust.revocation],
		                           .staple = staple[cfg->trust.ocsp] };
}

void server_trust_tell(struct ev_bus *bus, const struct cfg *cfg, const struct trust_set *set)
{
	for (unsigned i = 0; i < trust_set_count(set); i++)
		trust_identity_check(trust_set_at(set, i), cfg->node.fqdn, cfg->node.service, clock_real_s(clock_system()), warn, bus);
	trust_set_lists_check(set, 0, clock_real_s(clock_system()), warn, bus);
	say_legacy(bus, cfg);
}

int server_trust_read(struct ev_bus *bus, const struct cfg *cfg, struct trust_set **setp, struct ev_report *why)
{
	struct trust_set *set = NULL;
	struct trust_chain_rules rules = rules_of(cfg);
	int err = trust_set_create(&set);
	if (!err)
		trust_set_rules(set, &rules);
	if (!err)
		err = add_identities(bus, cfg, set, why);
	for (size_t i = 0; i < cfg->trust.ca_files.n && !err; i++)
		err = trust_set_anchor_file(set, cfg->trust.ca_files.v[i], NULL, why);
	if (!err && cfg->has_node)
		err = cert_anchors_load(set, cfg->node.data, why);
	for (size_t i = 0; i < cfg->trust.crl_files.n && !err; i++)
		err = trust_set_crl_file(set, cfg->trust.crl_files.v[i], why);
	if (err) {
		mem_unref(set);
		return err;
	}
	*setp = set;
	return 0;
}

/* ---- before a start: umbeld --check ---- */

static void say_file(const struct cfg *cfg, const void *member, const char *key, int err, const struct ev_report *why, struct cfg_errors *errors)
{
	const struct ev_def *d = ev_def_find(why->id);
	struct buf what, fix;
	buf_init(&what, 32768);
	buf_init(&fix, 32768);
	if (d) {
		ev_render(d->text, why, &what);
		ev_render(d->advice, why, &fix);
	}
	cfg_fail(errors, cfg->path, cfg_pos_of(cfg, member), key, fix.n ? buf_cstr(&fix) : server_words(SERVER_SAYS_LOOK_AT_FILE), "%s",
		 what.n ? buf_cstr(&what) : strerror(err));
	buf_free(&what);
	buf_free(&fix);
}

static bool about_the_key(uint16_t id)
{
	return id == EV_TRUST_KEY_UNREADABLE || id == EV_TRUST_KEY_NO_PEM || id == EV_TRUST_KEY_MISMATCH;
}

static unsigned check_identity(const struct cfg *cfg, size_t i, struct cfg_errors *errors)
{
	const struct cfg_identity *c = &cfg->node.identities[i];
	struct trust_identity_prm prm = { .name = c->name, .cert_file = c->cert, .key_file = c->key, .chain_file = c->chain[0] ? c->chain : NULL };
	struct trust_identity *id = NULL;
	struct ev_report why = { 0 };
	char key[64];
	int err = cert_load_identity(&id, &prm, cfg->node.data, &why); /* as at the start */
	mem_unref(id);
	if (!err)
		return 0;
	text_print(key, sizeof key, "node.identities[%zu].%s", i, about_the_key(why.id) ? "key" : "cert");
	say_file(cfg, about_the_key(why.id) ? &c->key : &c->cert, key, err, &why, errors);
	return 1;
}

unsigned server_check_files(const struct cfg *cfg, struct cfg_errors *errors)
{
	struct trust_set *set = NULL;
	unsigned bad = 0;
	if (trust_set_create(&set) != 0)
		return 0;
	for (size_t i = 0; i < cfg->node.n_identities; i++)
		bad += check_identity(cfg, i, errors);
	for (size_t i = 0; i < cfg->trust.ca_files.n + cfg->trust.crl_files.n; i++) {
		bool ca = i < cfg->trust.ca_files.n;
		struct ev_report why = { 0 };
		int err = ca ? trust_set_anchor_file(set, cfg->trust.ca_files.v[i], NULL, &why)
		             : trust_set_crl_file(set, cfg->trust.crl_files.v[i - cfg->trust.ca_files.n], &why);
		if (err)
			say_file(cfg, ca ? &cfg->trust.ca_files : &cfg->trust.crl_files, ca ? "trust.ca" : "trust.crl", err, &why, errors);
		bad += err != 0;
	}
	mem_unref(set);
	return bad;
}

int server_build_trust(struct server *s, struct ev_report *why)
{
	struct trust_set *set;
	int err = server_trust_read(s->bus, s->cfg, &set, why);
	if (err)
		return err;
	server_trust_tell(s->bus, s->cfg, set);
	err = trust_keeper_create(&s->keeper, set);
	mem_unref(set);
	struct cert_crls_prm cp = { .loop = s->loop, .pool = s->slow, .bus = s->bus, .metrics = s->metrics };
	if (!err)
		err = cert_watch_create(&s->watch, s->loop, s->keeper, s->bus, s->metrics);
	if (!err)
		err = cert_crls_create(&s->crls, &cp);
	return err ? err : cert_crls_watch(s->crls, s->cfg->trust.ca_files.v, s->cfg->trust.ca_files.n);
}

void server_drop_trust(struct server *s)
{
	cert_crls_destroy(s->crls);
	cert_watch_destroy(s->watch);
	trust_keeper_destroy(s->keeper);
}

static bool listens_by_tls(const struct cfg *cfg)
{
	for (size_t i = 0; i < cfg->node.n_listen; i++)
		if (cfg->node.listen[i].transport == CFG_TLS)
			return true;
	return false;
}

void server_certificate_need(struct server *s)
{
	struct trust_set *set = trust_keeper_get(s->keeper);
	const struct trust_identity *id = trust_set_find(set, NULL);
	int64_t now = clock_real_s(clock_system());
	if (!listens_by_tls(s->cfg))
		node_met(s->node, NODE_NEED_CERTIFICATE);
	else if (!id)
		node_not_met(s->node, NODE_NEED_CERTIFICATE, server_words(SERVER_SAYS_NO_IDENTITY));
	else if (now > trust_identity_not_after_s(id))
		node_not_met(s->node, NODE_NEED_CERTIFICATE, server_words(SERVER_SAYS_CERT_EXPIRED));
	else if (now < trust_identity_cert(id)->not_before_s)
		node_not_met(s->node, NODE_NEED_CERTIFICATE, server_words(SERVER_SAYS_CERT_NOT_YET));
	else
		node_met(s->node, NODE_NEED_CERTIFICATE);
	mem_unref(set);
}
