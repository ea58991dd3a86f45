/* SPDX-License-Identifier: Apache-2.0 */
/* peer.c  From a gateway's settings to the value that the SIP core reads. */
#include <errno.h>
#include "base/mem.h"
#include "gateway/gateway_private.h"
#include "trust/profile.h"

static enum net_transport transport_of(enum cfg_transport t)
{
	static const enum net_transport of[] = { [CFG_UDP] = NET_UDP, [CFG_TCP] = NET_TCP, [CFG_TLS] = NET_TLS, [CFG_TRANSPORT_AUTO] = NET_ANY };
	return of[t];
}

static enum trust_rule_kind rule_of(enum cfg_rule r)
{
	return r == CFG_RULE_CN_ONLY ? TRUST_RULE_CN_ONLY : r == CFG_RULE_RFC5922 ? TRUST_RULE_RFC5922 : TRUST_RULE_SAN_OR_CN;
}

static struct tls_limits limits_of(const struct cfg_tls *t)
{
	struct tls_limits l = { .min = (uint16_t)t->min, .max = (uint16_t)t->max };
	l.legacy = t->legacy == CFG_LEGACY_TLS10 ? TLS_LEGACY_TLS10 : t->legacy == CFG_LEGACY_CBC ? TLS_LEGACY_CBC : TLS_LEGACY_OFF;
	return l;
}

static struct trust_judges_us judges_of(const struct cfg_judges_us *j)
{
	struct trust_judges_us out = { 0 };
	if (!trust_judges_us_set(&out, cfg_profile_name(j->profile)))
		return out;
	for (size_t i = 0; i < j->known_names.n; i++)
		trust_names_add_str(&out.known, j->known_names.v[i]);
	return out;
}

static int add_policy(struct trust_policy *p, const struct cfg_gateway *conf)
{
	return trust_policy_add(p, conf->name, rule_of(conf->rule), conf->accept_names.v, (unsigned)conf->accept_names.n);
}

/* The words were looked at when the configuration was read. */
static struct sdp_codecs codecs_of(const struct cfg_strings *words)
{
	struct sdp_codecs c = { .strict = words->n > 0 };
	unsigned seen = 0;
	for (size_t i = 0; i < words->n; i++) {
		enum sdp_codec codec;
		if (!sdp_codec_of_word(text_of(words->v[i]), &codec) || seen & 1u << codec)
			continue;
		seen |= 1u << codec;
		c.v[c.n++] = codec;
	}
	return c;
}

int gw_make_peer(struct sip_peer **pp, const struct cfg_gateway *conf)
{
	static const enum sip_reuse reuse[] = { [CFG_REUSE_ALIAS] = SIP_REUSE_ALIAS, [CFG_REUSE_ANY] = SIP_REUSE_ANY, [CFG_REUSE_NEVER] = SIP_REUSE_NEVER };
	static const enum sdes_want srtp[] = { [CFG_SRTP_AUTO] = SDES_OFF, [CFG_SRTP_OFF] = SDES_OFF, [CFG_SRTP_OPTIONAL] = SDES_OPTIONAL,
		                               [CFG_SRTP_REQUIRED] = SDES_REQUIRED };
	struct sip_peer *p = sip_peer_create();
	if (!p)
		return ENOMEM;
	text_fill(p->name, sizeof p->name, conf->name);
	text_fill(p->host, sizeof p->host, conf->address);
	p->port = conf->port;
	p->transport = transport_of(conf->transport);
	text_fill(p->identity, sizeof p->identity, conf->identity);
	p->rule = rule_of(conf->rule);
	p->tls = limits_of(&conf->tls);
	text_fill(p->sni, sizeof p->sni, conf->sni);
	p->reuse = reuse[conf->reuse];
	p->srtp = srtp[conf->srtp];
	p->believes_headers = conf->trusted_headers;
	p->told_identity = conf->asserted_identity;
	static const enum sip_inband inband[] = { [CFG_AUTO] = SIP_INBAND_AUTO, [CFG_ON] = SIP_INBAND_ON, [CFG_OFF] = SIP_INBAND_OFF };
	p->inband = inband[conf->inband_dtmf];
	p->symmetric_rtp = conf->symmetric_rtp;
	p->comfort_noise = conf->comfort_noise;
	p->codecs = codecs_of(&conf->codecs);
	p->max_dialogs = conf->max_calls;
	p->max_watches = conf->lamp ? conf->subscriptions : 0;
	if (*conf->login.user && *conf->login.realm) {
		text_fill(p->login.user, sizeof p->login.user, conf->login.user);
		text_fill(p->login.password, sizeof p->login.password, conf->login.password);
		text_fill(p->login.realm, sizeof p->login.realm, conf->login.realm);
		p->login.demanded = conf->login.demanded;
		p->login.md5_only = conf->login.md5_only;
	}
	p->judges_us = judges_of(&conf->judges_us);
	int err = !cfg_may_speak_tls(conf->transport) ? 0 : trust_policy_create(&p->policy);
	if (!err && p->policy)
		err = add_policy(p->policy, conf);
	if (err) {
		mem_unref(p);
		return err;
	}
	*pp = p;
	return 0;
}

/* The other nodes come in by the same listeners. Their label is no gateway's name: they may shake hands, but not call. */
static int add_nodes(struct trust_policy *p, const struct cfg *cfg)
{
	int err = 0;
	for (size_t i = 0; !err && i < cfg->n_nodes; i++) {
		char label[TRUST_LABEL_SIZE];
		if (cfg_is_self(cfg, &cfg->nodes[i]))
			continue;
		text_print(label, sizeof label, "node %s", cfg->nodes[i].name);
		err = trust_policy_add(p, label, TRUST_RULE_RFC9525, &cfg->nodes[i].fqdn, 1);
	}
	return err;
}

int gw_make_policy(struct trust_policy **pp, const struct cfg *cfg)
{
	struct trust_policy *p = NULL;
	int err = trust_policy_create(&p);
	for (size_t i = 0; !err && i < cfg->n_gateways; i++)
		if (cfg_may_speak_tls(cfg->gateways[i].transport))
			err = add_policy(p, &cfg->gateways[i]);
	if (!err)
		err = add_nodes(p, cfg);
	if (err) {
		mem_unref(p);
		return err;
	}
	*pp = p;
	return 0;
}

static bool same_strings(const struct cfg_strings *a, const struct cfg_strings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

static bool same_login(const struct cfg_login *a, const struct cfg_login *b)
{
	return strcmp(a->user, b->user) == 0 && strcmp(a->password, b->password) == 0 && strcmp(a->realm, b->realm) == 0 && a->demanded == b->demanded &&
	       a->md5_only == b->md5_only;
}

bool gw_same_settings(const struct cfg_gateway *a, const struct cfg_gateway *b)
{
	return strcmp(a->address, b->address) == 0 && a->port == b->port && a->transport == b->transport && strcmp(a->identity, b->identity) == 0 &&
	       strcmp(a->sni, b->sni) == 0 && a->rule == b->rule && same_strings(&a->accept_names, &b->accept_names) &&
	       same_strings(&a->sources, &b->sources) && a->judges_us.profile == b->judges_us.profile &&
	       same_strings(&a->judges_us.known_names, &b->judges_us.known_names) && a->tls.min == b->tls.min && a->tls.max == b->tls.max &&
	       a->tls.legacy == b->tls.legacy && a->reuse == b->reuse && a->srtp == b->srtp && same_login(&a->login, &b->login) && a->trusted_headers == b->trusted_headers && a->asserted_identity == b->asserted_identity &&
	       a->max_calls == b->max_calls && a->lamp == b->lamp && a->inband_dtmf == b->inband_dtmf && a->symmetric_rtp == b->symmetric_rtp && a->comfort_noise == b->comfort_noise && a->subscriptions == b->subscriptions &&
	       memcmp(&a->options, &b->options, sizeof a->options) == 0;
}
