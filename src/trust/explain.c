/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c  Facts -> verdict. Reads top down in the order in which a connection lives: SIP answered; the name; the port; the language on it;
 * our judgement; their alerts; a handshake that did not end; and what follows a good handshake. The first that fits is the verdict. */
#include "trust/explain.h"
#include <errno.h>
#include <openssl/x509_vfy.h>
#include "trust/explain_private.h"
#include "trust/profile.h"
#include "trust/rule.h"
#include "trust/wellformed.h"

static const struct row {
	const char *name;
	enum trust_who who;
	enum trust_step step;
	enum trust_certainty certainty;
	const char *sentence, *cause, *advice;
} rows[] = {
#define OTHER(id, text)
#define NOTE(id, text)
#define VERDICT(id, name, who, step, certainty, sentence, cause, advice) \
	[TRUST_V_##id] = { name, TRUST_##who, TRUST_STEP_##step, TRUST_##certainty, sentence, cause, advice },
#include "trust/verdicts.def"
#undef VERDICT
#undef NOTE
#undef OTHER
};

static void choose(struct explain *x, enum trust_verdict_id id)
{
	x->id = id;
	x->certainty = rows[id].certainty;
}

static bool says(const char *text, const char *what)
{
	return text_find_text(text_of(text), text_of(what)) != SIZE_MAX;
}

/* ---- SIP ---- */

static bool says_names(const struct trust_sip_facts *s)
{
	const char *all[] = { s->phrase, s->reason, s->warning, s->ms_diagnostics };
	for (unsigned i = 0; i < 4; i++)
		if (says(all[i], "allows following fqdns") || says(all[i], "not a configured server"))
			return true;
	return false;
}

static void by_status(struct explain *x)
{
	const struct trust_sip_facts *s = &x->f->sip;
	if (s->status < 300)
		choose(x, TRUST_V_WORKS);
	else if (says_names(s))
		choose(x, TRUST_V_SIP_NAME_NOT_ALLOWED);
	else if (s->status == 403 || s->status == 603)
		choose(x, TRUST_V_SIP_FORBIDDEN);
	else if (s->status == 401 || s->status == 407)
		choose(x, TRUST_V_SIP_AUTHENTICATION);
	else if (s->status == 503)
		choose(x, TRUST_V_SIP_UNAVAILABLE);
	else if (s->status == 504 || s->status == 408)
		choose(x, TRUST_V_SIP_TIMEOUT);
	else if (s->status == 404 || s->status == 480 || s->status == 410 || s->status == 604)
		choose(x, TRUST_V_SIP_NOT_FOUND);
	else if (s->status == 405 || s->status == 501)
		choose(x, TRUST_V_SIP_METHOD);
	else
		choose(x, TRUST_V_SIP_OTHER);
}

/* SIP came over this connection before. */
static void after_proof(struct explain *x)
{
	const struct trust_facts *f = x->f;
	bool lost = f->sip.sent && f->end != TRUST_OPEN && f->end != TRUST_LOCAL;
	choose(x, lost ? TRUST_V_LOST_LATER : TRUST_V_PROVEN);
}

/* ---- name and port ---- */

static bool by_dns(struct explain *x)
{
	switch (x->f->dns) {
	case TRUST_DNS_NXDOMAIN: choose(x, TRUST_V_DNS_NXDOMAIN); return true;
	case TRUST_DNS_NODATA: choose(x, TRUST_V_DNS_NODATA); return true;
	case TRUST_DNS_REFUSED: choose(x, TRUST_V_DNS_REFUSED); return true;
	case TRUST_DNS_TIMEOUT: choose(x, TRUST_V_DNS_TIMEOUT); return true;
	case TRUST_DNS_SERVFAIL: choose(x, TRUST_V_DNS_SERVFAIL); return true;
	case TRUST_DNS_MALFORMED: choose(x, TRUST_V_DNS_MALFORMED); return true;
	case TRUST_DNS_NO_SERVER: choose(x, TRUST_V_DNS_NO_SERVER); return true;
	case TRUST_DNS_NOT_ASKED:
	case TRUST_DNS_OK: break;
	}
	return false;
}

static bool by_connect(struct explain *x)
{
	switch (x->f->connect_errno) {
	case 0: return false;
	case ECONNREFUSED: choose(x, TRUST_V_PORT_CLOSED); break;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN: choose(x, TRUST_V_NO_ROUTE); break;
	case ETIMEDOUT: choose(x, TRUST_V_CONNECT_TIMEOUT); break;
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE: choose(x, TRUST_V_CONNECT_RESET); break;
	default: choose(x, TRUST_V_LOCAL_FAULT); break;
	}
	return true;
}

static bool by_plain_transport(struct explain *x)
{
	const struct trust_facts *f = x->f;
	if (f->tls.tls_on_plain) {
		choose(x, TRUST_V_TLS_ON_PLAIN_PORT);
		return true;
	}
	if (f->tls.used)
		return false;
	if (f->end == TRUST_LOCAL)
		choose(x, TRUST_V_CLOSED_BY_US);
	else if (f->end == TRUST_OPEN || f->role == TRUST_ACCEPTED)
		choose(x, TRUST_V_NOTHING_KNOWN);
	else
		choose(x, f->transport != TRUST_UDP ? TRUST_V_TCP_WITHOUT_SIP : f->sip.large ? TRUST_V_LARGE_UDP_SILENT : TRUST_V_UDP_SILENT);
	return true;
}

static bool by_language(struct explain *x)
{
	switch (x->f->tls.plain) {
	case TRUST_PLAIN_SIP: choose(x, TRUST_V_PLAIN_SIP_ON_TLS_PORT); return true;
	case TRUST_PLAIN_HTTP: choose(x, TRUST_V_HTTP_ON_TLS_PORT); return true;
	case TRUST_PLAIN_OTHER: choose(x, TRUST_V_NOT_TLS); return true;
	case TRUST_PLAIN_NO: break;
	}
	return false;
}

/* ---- our judgement ---- */

static enum trust_verdict_id by_name_reason(enum trust_name_reason r)
{
	static const enum trust_verdict_id ids[] = {
		[TRUST_NAME_OK] = TRUST_V_CHAIN_OTHER,
		[TRUST_NAME_NOBODY_ACCEPTED] = TRUST_V_NAME_NOBODY,
		[TRUST_NAME_NONE_OFFERED] = TRUST_V_NAME_NONE,
		[TRUST_NAME_MISMATCH] = TRUST_V_NAME_MISMATCH,
		[TRUST_NAME_IN_CN_ONLY] = TRUST_V_NAME_IN_CN_ONLY,
		[TRUST_NAME_IN_SAN_ONLY] = TRUST_V_NAME_IN_SAN_ONLY,
		[TRUST_NAME_BEHIND_URI] = TRUST_V_NAME_BEHIND_URI,
		[TRUST_NAME_WILDCARD] = TRUST_V_NAME_WILDCARD,
		[TRUST_NAME_USER_URI] = TRUST_V_NAME_USER_URI,
		[TRUST_NAME_SIPS_URI] = TRUST_V_NAME_SIPS_URI,
		[TRUST_NAME_TRAILING_DOT] = TRUST_V_NAME_TRAILING_DOT,
		[TRUST_NAME_IP_AS_DNS] = TRUST_V_NAME_IP_AS_DNS,
		[TRUST_NAME_LESSER_CN] = TRUST_V_NAME_LESSER_CN,
		[TRUST_NAME_NUL] = TRUST_V_NAME_NUL,
		[TRUST_NAME_TOO_MANY] = TRUST_V_NAME_UNREADABLE,
		[TRUST_NAME_UNREADABLE] = TRUST_V_NAME_UNREADABLE,
	};
	return (unsigned)r < sizeof ids / sizeof *ids ? ids[r] : TRUST_V_CHAIN_OTHER;
}

static const struct {
	int code;
	enum trust_verdict_id id;
} by_code[] = {
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, TRUST_V_ISSUER_UNKNOWN },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, TRUST_V_ISSUER_UNKNOWN },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, TRUST_V_ISSUER_UNKNOWN },
	{ X509_V_ERR_CERT_UNTRUSTED, TRUST_V_ISSUER_UNKNOWN },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, TRUST_V_ROOT_UNKNOWN },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, TRUST_V_SELF_SIGNED },
	{ X509_V_ERR_CERT_HAS_EXPIRED, TRUST_V_EXPIRED },
	{ X509_V_ERR_CERT_NOT_YET_VALID, TRUST_V_NOT_YET_VALID },
	{ X509_V_ERR_INVALID_PURPOSE, TRUST_V_WRONG_PURPOSE },
	{ X509_V_ERR_CERT_REVOKED, TRUST_V_REVOKED },
	{ X509_V_ERR_UNABLE_TO_GET_CRL, TRUST_V_CRL_MISSING },
	{ X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, TRUST_V_CRL_MISSING },
	{ X509_V_ERR_CRL_HAS_EXPIRED, TRUST_V_CRL_EXPIRED },
	{ X509_V_ERR_CRL_NOT_YET_VALID, TRUST_V_CRL_EXPIRED },
	{ X509_V_ERR_EE_KEY_TOO_SMALL, TRUST_V_WEAK_CERTIFICATE },
	{ X509_V_ERR_CA_KEY_TOO_SMALL, TRUST_V_WEAK_CERTIFICATE },
	{ X509_V_ERR_CA_MD_TOO_WEAK, TRUST_V_WEAK_CERTIFICATE },
	{ X509_V_ERR_INVALID_CA, TRUST_V_NOT_A_CA },
	{ X509_V_ERR_INVALID_NON_CA, TRUST_V_NOT_A_CA },
	{ X509_V_ERR_PATH_LENGTH_EXCEEDED, TRUST_V_PATH_LENGTH },
	{ X509_V_ERR_CERT_CHAIN_TOO_LONG, TRUST_V_CHAIN_TOO_LONG },
	{ X509_V_ERR_KEYUSAGE_NO_CERTSIGN, TRUST_V_MAY_NOT_SIGN },
	{ X509_V_ERR_PERMITTED_VIOLATION, TRUST_V_OUTSIDE_CONSTRAINTS },
	{ X509_V_ERR_EXCLUDED_VIOLATION, TRUST_V_OUTSIDE_CONSTRAINTS },
	{ X509_V_ERR_SUBTREE_MINMAX, TRUST_V_CONSTRAINTS_UNREADABLE },
	{ X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, TRUST_V_CONSTRAINTS_UNREADABLE },
	{ X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, TRUST_V_CONSTRAINTS_UNREADABLE },
	{ X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, TRUST_V_CONSTRAINTS_UNREADABLE },
	{ X509_V_ERR_UNSPECIFIED, TRUST_V_CHAIN_TOO_COMPLEX }, /* more names times constraints than OpenSSL compares */
	{ X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, TRUST_V_CRITICAL_UNKNOWN },
	{ X509_V_ERR_NO_EXPLICIT_POLICY, TRUST_V_NO_POLICY },
	{ X509_V_ERR_INVALID_POLICY_EXTENSION, TRUST_V_MALFORMED },
	{ X509_V_ERR_INVALID_EXTENSION, TRUST_V_MALFORMED },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, TRUST_V_MALFORMED },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, TRUST_V_MALFORMED },
	{ X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, TRUST_V_MALFORMED },
	{ X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, TRUST_V_MALFORMED },
	{ X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY, TRUST_V_BAD_SIGNATURE },
	{ X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM, TRUST_V_WEAK_CERTIFICATE },
	{ X509_V_ERR_CERT_REJECTED, TRUST_V_MALFORMED },
	{ X509_V_ERR_AKID_SKID_MISMATCH, TRUST_V_ISSUER_UNKNOWN },
	{ X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH, TRUST_V_ISSUER_UNKNOWN },
	{ X509_V_ERR_SUBJECT_ISSUER_MISMATCH, TRUST_V_ISSUER_UNKNOWN },
	{ X509_V_ERR_CRL_SIGNATURE_FAILURE, TRUST_V_CRL_FORGED },
	{ X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, TRUST_V_CRL_FORGED },
	{ X509_V_ERR_KEYUSAGE_NO_CRL_SIGN, TRUST_V_CRL_FORGED },
	{ X509_V_ERR_CRL_PATH_VALIDATION_ERROR, TRUST_V_CRL_FORGED },
	{ X509_V_ERR_DIFFERENT_CRL_SCOPE, TRUST_V_CRL_SCOPE },
	{ X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, TRUST_V_CRL_SCOPE },
	{ X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, TRUST_V_CRL_SCOPE },
	{ X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, TRUST_V_CRL_SCOPE },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, TRUST_V_BAD_SIGNATURE },
	{ X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, TRUST_V_BAD_SIGNATURE },
};

static const enum trust_verdict_id by_fault[TRUST_FAULTS] = {
#define FAULT(id, verdict, words) [TRUST_FAULT_##id] = TRUST_V_##verdict,
#include "trust/faults.def"
#undef FAULT
};

static bool by_our_judgement(struct explain *x)
{
	const struct trust_facts *f = x->f;
	enum trust_verdict_id id = TRUST_V_CHAIN_OTHER;
	if (f->role == TRUST_ACCEPTED && says(f->tls.openssl_error, "peer did not return a certificate")) {
		choose(x, TRUST_V_NO_CLIENT_CERTIFICATE);
		return true;
	}
	if (!f->tls.verify_done || !f->tls.verify_code)
		return false;
	if (f->tls.verify_code == X509_V_ERR_HOSTNAME_MISMATCH)
		id = by_name_reason((enum trust_name_reason)f->name.reason);
	for (unsigned i = 0; i < sizeof by_code / sizeof *by_code; i++)
		if (by_code[i].code == f->tls.verify_code)
			id = by_code[i].id;
	if (f->tls.verify_fault && f->tls.verify_fault < TRUST_FAULTS)
		id = by_fault[f->tls.verify_fault];
	if ((id == TRUST_V_EXPIRED && explain_we_expired(f)) || (id == TRUST_V_NOT_YET_VALID && f->ours.not_before_s > f->now_s))
		id = TRUST_V_OUR_CLOCK;
	choose(x, id);
	return true;
}

/* ---- their alerts ---- */

static void by_handshake_failure(struct explain *x)
{
	const struct trust_facts *f = x->f;
	if (f->role == TRUST_DIALLED && f->tls.cert_requested && !f->ours.shown)
		choose(x, TRUST_V_PEER_WANTS_CERTIFICATE);
	else if (f->role == TRUST_DIALLED && !f->tls.hello_from_peer) {
		choose(x, TRUST_V_NO_COMMON_SUITE);
		x->certainty = TRUST_LIKELY;
	} else
		choose(x, TRUST_V_PEER_SAYS_HANDSHAKE_FAILURE);
}

/* An empty Certificate message is nonsense to some: GnuTLS 3.7 answers it with decode_error (measured). */
static void by_nonsense(struct explain *x)
{
	const struct trust_facts *f = x->f;
	if (f->role != TRUST_DIALLED || !f->tls.cert_requested || f->ours.shown) {
		choose(x, TRUST_V_BROKEN_PROTOCOL);
		return;
	}
	choose(x, TRUST_V_PEER_WANTS_CERTIFICATE);
	x->certainty = TRUST_LIKELY;
}

bool explain_lack_usage(const struct trust_facts *f)
{
	uint8_t need = f->role == TRUST_DIALLED ? TRUST_EKU_CLIENT : TRUST_EKU_SERVER;
	return f->ours.eku & TRUST_EKU_PRESENT && !(f->ours.eku & need);
}

static void by_alert_number(struct explain *x)
{
	const struct trust_facts *f = x->f;
	switch (x->alert->number) {
	case 40: by_handshake_failure(x); break;
	case 42:
		choose(x, f->now_s && f->ours.not_before_s > f->now_s ? TRUST_V_OUR_NOT_YET_VALID : TRUST_V_PEER_BAD_CERTIFICATE);
		break;
	case 43:
		choose(x, TRUST_V_PEER_WRONG_PURPOSE);
		x->certainty = explain_lack_usage(f) ? TRUST_SURE : TRUST_LIKELY;
		break;
	case 44: choose(x, TRUST_V_PEER_REVOKED); break;
	case 45:
		choose(x, TRUST_V_PEER_EXPIRED);
		x->certainty = explain_we_expired(f) ? TRUST_SURE : TRUST_LIKELY;
		break;
	case 46: choose(x, TRUST_V_PEER_CERTIFICATE_UNKNOWN); break;
	case 48: choose(x, TRUST_V_PEER_UNKNOWN_CA); break;
	case 49: choose(x, TRUST_V_PEER_ACCESS_DENIED); break;
	case 70: choose(x, TRUST_V_NO_COMMON_VERSION); break;
	case 71: choose(x, TRUST_V_NO_COMMON_SUITE); break;
	case 80: choose(x, TRUST_V_PEER_INTERNAL); break;
	case 112: choose(x, TRUST_V_PEER_UNRECOGNIZED_NAME); break;
	case 41:
	case 116: choose(x, TRUST_V_PEER_WANTS_CERTIFICATE); break;
	case 10:
	case 20:
	case 21:
	case 22:
	case 47:
	case 50:
	case 51: by_nonsense(x); break;
	default: choose(x, TRUST_V_PEER_ALERT); break;
	}
}

static bool by_alert(struct explain *x)
{
	const struct trust_tls_facts *t = &x->f->tls;
	for (unsigned i = 0; i < t->n_alerts; i++)
		if (!t->alert[i].sent && (t->alert[i].fatal || t->alert[i].number == 41 || t->alert[i].number == 112)) {
			x->alert = &t->alert[i];
			by_alert_number(x);
			return true;
		}
	return false;
}

/* Alerts that we sent for reasons other than the certificate. */
static bool by_our_alert(struct explain *x)
{
	const struct trust_tls_facts *t = &x->f->tls;
	for (unsigned i = 0; i < t->n_alerts; i++)
		if (t->alert[i].sent)
			x->alert = &t->alert[i];
	if (!x->alert && !t->openssl_error[0])
		return false;
	if ((x->alert && x->alert->number == 70) || says(t->openssl_error, "unsupported protocol") || says(t->openssl_error, "version too low") ||
	    says(t->openssl_error, "wrong version number"))
		choose(x, TRUST_V_NO_COMMON_VERSION);
	else if (says(t->openssl_error, "no shared cipher") || says(t->openssl_error, "no suitable") || says(t->openssl_error, "wrong cipher"))
		choose(x, TRUST_V_NO_COMMON_SUITE);
	else
		choose(x, TRUST_V_BROKEN_PROTOCOL);
	return true;
}

/* ---- a handshake that did not end ---- */

static bool by_unfinished(struct explain *x)
{
	const struct trust_facts *f = x->f;
	bool heard = f->tls.heard || f->tls.hello_from_peer;
	if (f->tls.done)
		return false;
	if (f->tls.stalled || f->end == TRUST_TIMED_OUT)
		choose(x, heard ? TRUST_V_STALLED : f->role == TRUST_ACCEPTED ? TRUST_V_OPENED_SILENT : TRUST_V_STALLED_SILENT);
	else if (f->end == TRUST_OPEN)
		choose(x, TRUST_V_NOTHING_KNOWN);
	else if (f->end == TRUST_LOCAL)
		choose(x, TRUST_V_CLOSED_BY_US);
	else if (!heard)
		choose(x, TRUST_V_CLOSED_BEFORE_HELLO);
	else {
		choose(x, TRUST_V_CLOSED_IN_HANDSHAKE);
		x->certainty = f->ours.shown ? TRUST_LIKELY : TRUST_UNKNOWN;
	}
	return true;
}

/* ---- handshake good, then nothing ---- */

enum { KST_OTHERS = 1 << OTHER_NOT_LISTED | 1 << OTHER_LIST_OLD | 1 << OTHER_BY_ADDRESS | 1 << OTHER_MODE | 1 << OTHER_ENCRYPTION };

static void by_silence_dialled(struct explain *x)
{
	const struct trust_facts *f = x->f;
	bool answered = f->second.kind && f->second.outcome == TRUST_SECOND_ANSWERED;
	enum trust_answer_kind admits = trust_judges_us_admits(&f->judges, &f->ours);
	bool configured = f->judges.configured && f->judges.known.n && admits != TRUST_CANNOT_SAY, known = admits == TRUST_ACCEPTS;
	struct trust_names us = { 0 };
	trust_names_add_str(&us, f->our_fqdn);
	bool own_cn = f->our_fqdn[0] && trust_names_has(&us, f->ours.cn);
	x->others = KST_OTHERS | (answered ? 0 : 1 << OTHER_SERVICE);
	if (known) {
		choose(x, TRUST_V_KNOWN_BUT_UNANSWERED);
	} else if (f->ours.shown && f->ours.cn[0] == '*') {
		choose(x, TRUST_V_IDENTITY_WILDCARD);
		x->certainty = configured && answered ? TRUST_SURE : TRUST_LIKELY;
	} else if (f->ours.shown && (configured || (f->our_fqdn[0] && !own_cn))) {
		choose(x, TRUST_V_IDENTITY_UNKNOWN);
		x->certainty = configured && answered ? TRUST_SURE : TRUST_LIKELY;
		x->others |= 1 << OTHER_WILDCARD;
	} else if (!f->tls.cert_requested && !f->ours.shown && !f->tls.certs_unseen) {
		choose(x, TRUST_V_UNASKED_WITHOUT_SIP);
	} else
		choose(x, f->end == TRUST_TIMED_OUT ? TRUST_V_SILENT_WITHOUT_SIP : TRUST_V_CLOSED_WITHOUT_SIP);
	if (x->certainty == TRUST_SURE)
		x->others = 0;
}

/* It dialled the name of its SNI: would it take our certificate for that, by its own rule where we know it? */
static bool refuses_our_server_name(const struct trust_facts *f)
{
	const struct trust_profile *p = f->judges.configured ? trust_profile_find(f->judges.profile) : NULL;
	struct trust_names asked = { 0 };
	struct trust_answer a;
	if (!f->tls.client_hello.sni[0] || !f->ours.shown)
		return false;
	trust_names_add_str(&asked, f->tls.client_hello.sni);
	if (!p || trust_profile_generic(p))
		return !trust_rule_would_accept(TRUST_RULE_SAN_OR_CN, &f->ours, &asked);
	trust_profile_judge(p, &(struct trust_question){ .seat = TRUST_SEAT_SERVER_CERT, .described = &f->ours, .reference = f->tls.client_hello.sni,
							 .enabled = TRUST_SWITCHED_ON }, &a);
	return a.kind == TRUST_REFUSES;
}

static void by_silence_accepted(struct explain *x)
{
	choose(x, refuses_our_server_name(x->f) ? TRUST_V_SERVER_NAME_REFUSED : TRUST_V_ACCEPTED_SAID_NOTHING);
}

static void after_handshake(struct explain *x)
{
	const struct trust_facts *f = x->f;
	if (f->end == TRUST_OPEN)
		choose(x, TRUST_V_NOTHING_KNOWN);
	else if (f->end == TRUST_LOCAL)
		choose(x, TRUST_V_CLOSED_BY_US);
	else if (f->role == TRUST_DIALLED)
		by_silence_dialled(x);
	else
		by_silence_accepted(x);
}

/* ---- somebody whom we do not know ---- */

static void by_address_or_name(struct explain *x)
{
	static const enum trust_verdict_id ids[] = { [TRUST_AWAY_ADDRESS] = TRUST_V_STRANGER, [TRUST_AWAY_NOT_BY_TLS] = TRUST_V_MUST_SPEAK_TLS,
		                                     [TRUST_AWAY_NAME] = TRUST_V_STRANGERS_NAME };
	choose(x, ids[x->f->turned_away]);
}

/* ---- all of it ---- */

static void decide(struct explain *x)
{
	const struct trust_facts *f = x->f;
	if (f->turned_away)
		by_address_or_name(x);
	else if (f->sip.status)
		by_status(x);
	else if (f->sip.received)
		after_proof(x);
	else if (by_dns(x) || by_connect(x) || by_plain_transport(x) || by_language(x) || by_our_judgement(x) || by_alert(x) || by_our_alert(x) ||
		 by_unfinished(x))
		;
	else
		after_handshake(x);
}

/* "(a) ...", one a line. */
static void list_others(const struct explain *x, char *dst, size_t size)
{
	size_t at = 0;
	char letter = 'a';
	dst[0] = '\0';
	for (unsigned i = 0; i < OTHERS && at + 8 < size; i++) {
		if (!(x->others & 1u << i))
			continue;
		text_print(dst + at, size - at, "%s(%c) ", at ? "\n" : "", letter++);
		at += strlen(dst + at);
		explain_fill(x, explain_others[i], dst + at, size - at);
		at += strlen(dst + at);
	}
}

/* The first command of ours in the advice. */
static void find_command(struct trust_verdict *v)
{
	struct text left = text_of(v->advice), line;
	while (text_cut(left, '\n', &line, &left) || line.n) {
		if (text_starts(line, "    umbel ")) {
			text_print(v->command, sizeof v->command, "%.*s", TEXT_FMT(text_skip(line, 4)));
			return;
		}
		if (!left.n)
			return;
	}
}

static bool about_our_identity(enum trust_verdict_id id)
{
	return id == TRUST_V_IDENTITY_UNKNOWN || id == TRUST_V_IDENTITY_WILDCARD || id == TRUST_V_KNOWN_BUT_UNANSWERED ||
	       id == TRUST_V_SIP_NAME_NOT_ALLOWED;
}

void trust_explain(const struct trust_facts *f, struct trust_verdict *v)
{
	struct explain x = { .f = f };
	decide(&x);
	const struct row *r = &rows[x.id];
	*v = (struct trust_verdict){ .id = x.id, .who = r->who, .step = r->step, .certainty = x.certainty };
	if (x.alert && x.alert->after_handshake && v->step == TRUST_STEP_HANDSHAKE)
		v->step = TRUST_STEP_AFTER_HANDSHAKE;
	text_fill(v->name, sizeof v->name, r->name);
	explain_fill(&x, r->sentence, v->sentence, sizeof v->sentence);
	explain_fill(&x, r->cause, v->cause, sizeof v->cause);
	explain_fill(&x, r->advice, v->advice, sizeof v->advice);
	list_others(&x, v->other_causes, sizeof v->other_causes);
	find_command(v);
	if (about_our_identity(x.id)) {
		explain_field(&x, TEXT("our_judged"), v->offered, sizeof v->offered);
		explain_field(&x, f->judges.known.n ? TEXT("known") : TEXT("wanted_cn"), v->wanted, sizeof v->wanted);
	} else if (f->name.judged && f->name.reason != TRUST_NAME_OK) {
		explain_field(&x, TEXT("offered"), v->offered, sizeof v->offered);
		explain_field(&x, TEXT("wanted"), v->wanted, sizeof v->wanted);
	}
}

bool trust_verdict_bad(const struct trust_verdict *v)
{
	return v->id != TRUST_V_WORKS && v->id != TRUST_V_PROVEN && v->id != TRUST_V_NOTHING_KNOWN && v->id != TRUST_V_CLOSED_BY_US;
}

const char *trust_verdict_name(enum trust_verdict_id id)
{
	return (unsigned)id < TRUST_VERDICTS ? rows[id].name : "unknown";
}

char *trust_wanted_cn(const struct trust_judges_us *j, const char *our_fqdn, const char *our_service, char *dst, size_t size)
{
	const char *pick = our_fqdn ? our_fqdn : "";
	if (j && j->configured && j->known.n && !trust_names_has(&j->known, pick))
		pick = our_service && *our_service && trust_names_has(&j->known, our_service) ? our_service : trust_names_at(&j->known, 0);
	text_fill(dst, size, pick);
	return dst;
}
