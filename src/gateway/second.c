/* SPDX-License-Identifier: Apache-2.0 */
/* second.c  Silence alone proves nothing: whether and how to ask once more in another way. Pure. */
#include "base/text.h"
#include "gateway/gateway_private.h"
#include "trust/profile.h"

/* TLS stood, a request of ours left, and then nothing but silence or a close: the case in which the peer may have judged our name. */
bool gw_second_wanted(const struct trust_facts *f)
{
	if (f->role != TRUST_DIALLED || f->transport != TRUST_TLS || !f->tls.done || f->sip.status)
		return false;
	return f->end == TRUST_TIMED_OUT || f->end == TRUST_CLOSE_NOTIFY || f->end == TRUST_FIN || f->end == TRUST_RST || f->end == TRUST_OPEN ||
	       f->end == TRUST_LOCAL;
}

/* A certificate that the peer would refuse in the handshake proves nothing; one with a name that it knows proves most. */
static unsigned promise(const struct trust_identity *id, const struct trust_facts *f)
{
	const struct trust_cert *c = trust_identity_cert(id);
	bool usable = c->not_before_s <= f->now_s && f->now_s < c->not_after_s &&
	              (!(c->eku & TRUST_EKU_PRESENT) || c->eku & TRUST_EKU_CLIENT);
	bool known = f->judges.known.n && trust_judges_us_admits(&f->judges, c) == TRUST_ACCEPTS;
	return (usable ? 4u : 0u) + (known ? 2u : 0u) + (text_eq_nocase(text_of(c->cn), text_of(f->our_fqdn)) ? 1u : 0u);
}

/* A plain SIP port waits for ever for a request, and takes our TLS for the beginning of one. */
bool gw_plain_wanted(const struct trust_facts *f)
{
	return f->role == TRUST_DIALLED && f->transport == TRUST_TLS && f->connected && !f->tls.hello_from_peer && !f->tls.plain && f->tls.n_alerts == 0;
}

/* And a TLS port may close, or keep silent, when it hears plain SIP. */
bool gw_tls_wanted(const struct trust_facts *f)
{
	return f->role == TRUST_DIALLED && f->transport == TRUST_TCP && f->connected && !f->sip.received && !f->tls.tls_on_plain;
}

bool gw_second_identity(const struct trust_set *set, const char *shown, const struct trust_facts *f, const char **name, const char **cn)
{
	const struct trust_identity *best = NULL;
	const struct trust_identity *ours = set ? trust_set_find(set, shown) : NULL;
	for (unsigned i = 0; set && i < trust_set_count(set); i++) {
		const struct trust_identity *id = trust_set_at(set, i);
		if (id == ours || (ours && strcmp(trust_identity_cn(id), trust_identity_cn(ours)) == 0))
			continue;
		if (!best || promise(id, f) > promise(best, f))
			best = id;
	}
	if (!best)
		return false;
	*name = trust_identity_name(best);
	*cn = trust_identity_cn(best);
	return true;
}

enum trust_second_outcome gw_second_outcome(const struct sip_result *res)
{
	if (res->outcome == SIP_ANSWERED)
		return TRUST_SECOND_ANSWERED;
	if (res->outcome == SIP_TIMEOUT)
		return TRUST_SECOND_SILENT;
	const struct trust_facts *f = res->facts;
	if (f && f->tls.done && (f->end == TRUST_FIN || f->end == TRUST_RST || f->end == TRUST_CLOSE_NOTIFY))
		return TRUST_SECOND_CLOSED;
	return TRUST_SECOND_FAILED;
}

static int weight(enum trust_second_outcome o)
{
	return o == TRUST_SECOND_ANSWERED ? 3 : o == TRUST_SECOND_FAILED ? 1 : 2;
}

bool gw_second_better(const struct trust_second *now, enum trust_second_outcome o)
{
	return now->kind == TRUST_SECOND_NONE || weight(o) > weight(now->outcome);
}
