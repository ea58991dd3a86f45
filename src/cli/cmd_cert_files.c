/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cert_files.c  umbel cert verify: certificates as files, without any server. */
#include <errno.h>
#include "base/clock.h"
#include "base/rfc3339.h"
#include "cert/order.h"
#include "cli/cli_private.h"
#include "trust/json.h"
#include "trust/profile_verify.h"
#include "trust/verify.h"

enum { PEM_MAX = 1 << 20, NAMES = 32 };

/* ---- cert verify ---- */

static int parse_time(struct cli *c, int64_t *s)
{
	const char *t = cli_opt(c, "time");
	uint64_t epoch;
	*s = clock_real_s(clock_system());
	if (!t)
		return CLI_GOOD;
	if (text_u64(text_of(t), INT64_MAX, &epoch) == 0) {
		*s = (int64_t)epoch;
		return CLI_GOOD;
	}
	return rfc3339_parse(text_of(t), s) == 0 ? CLI_GOOD : cli_error(c, CLI_USAGE, "--time wants 2026-11-22T14:05:09Z or seconds since 1970, not \"%s\"", t);
}

struct verify {
	struct buf ca, chain, crl, ocsp;
	const char *names[NAMES];
	struct trust_verify_prm prm;
	const struct trust_profile *as; /* how somebody else would judge; NULL: as we do */
};

static int read_verify(struct cli *c, struct verify *v)
{
	const char *purpose = cli_opt(c, "purpose"), *profile = cli_opt(c, "profile"), *crl = cli_opt(c, "crl");
	uint64_t depth = 0;
	if (!cli_opt(c, "ca") || !cli_opt(c, "chain") || (!cli_opt(c, "host") && !cli_opt(c, "any-name")))
		return cli_error(c, CLI_USAGE, "--ca FILE, --chain FILE and --host NAME are needed");
	if (purpose && strcmp(purpose, "server") != 0 && strcmp(purpose, "client") != 0)
		return cli_error(c, CLI_USAGE, "--purpose is server or client, not \"%s\"", purpose);
	if (trust_rule_kind_parse(text_of(profile ? profile : "rfc5922"), &v->prm.rule) != 0 && !(v->as = trust_profile_find(profile)))
		return cli_error(c, CLI_USAGE, "--profile is rfc5922, rfc9525, san-or-cn, cn-only, or a name that umbel cert profiles lists, not \"%s\"", profile);
	if (v->as && !cli_opt(c, "host"))
		return cli_error(c, CLI_USAGE, "--host NAME is needed with --profile %s: the name that it dials, or knows", profile);
	if (cli_opt_number(c, "depth", 1000, 0, &depth) != 0)
		return CLI_USAGE;
	int code = parse_time(c, &v->prm.time_s);
	if (!code)
		code = cli_read_file(c, cli_opt(c, "ca"), PEM_MAX, &v->ca);
	if (!code)
		code = cli_read_file(c, cli_opt(c, "chain"), PEM_MAX, &v->chain);
	if (!code && (cert_answer_to_pem(&v->ca) || cert_answer_to_pem(&v->chain))) {
		/* what is no certificate in any form is told with the file's name below */
	}
	if (!code && crl)
		code = cli_read_file(c, crl, PEM_MAX, &v->crl);
	if (!code && cli_opt(c, "ocsp"))
		code = cli_read_file(c, cli_opt(c, "ocsp"), PEM_MAX, &v->ocsp);
	while (v->prm.n_names < NAMES && (v->names[v->prm.n_names] = cli_opt_nth(c, "host", v->prm.n_names)) != NULL)
		v->prm.n_names++;
	v->prm.names = v->names;
	v->prm.ca_pem = buf_as_text(&v->ca);
	v->prm.chain_pem = buf_as_text(&v->chain);
	v->prm.crl_pem = crl ? buf_as_text(&v->crl) : TEXT_NONE;
	v->prm.ocsp_der = buf_as_text(&v->ocsp);
	v->prm.staple = cli_opt(c, "ocsp-require") ? TRUST_STAPLE_REQUIRE : TRUST_STAPLE_OFF;
	v->prm.as_client = purpose && strcmp(purpose, "client") == 0;
	v->prm.depth = cli_opt(c, "depth") ? (int)depth : -1;
	v->prm.any_name = cli_opt(c, "any-name") != NULL;
	v->prm.strict = cli_opt(c, "strict") != NULL;
	v->prm.revocation = cli_opt(c, "crl-full") ? TRUST_REVOCATION_FULL : TRUST_REVOCATION_LEAF;
	return code;
}

static int print_accepted(struct cli *c, const char *name)
{
	if (!cli_opt(c, "host")) {
		fprintf(c->out, "accepted: the chain is good for a %s; no name was asked about\n", cli_opt(c, "purpose") ? cli_opt(c, "purpose") : "server");
		return CLI_GOOD;
	}
	fprintf(c->out, "accepted: the chain is good, and the certificate proves to be %s, used as %s, by the rule %s\n", name,
	        cli_opt(c, "purpose") ? cli_opt(c, "purpose") : "server", cli_opt(c, "profile") ? cli_opt(c, "profile") : "rfc5922");
	return CLI_GOOD;
}

static int print_judgement(struct cli *c, bool accepted, const char *name, const struct trust_verdict *v)
{
	if (c->json) {
		json_t *o = json_pack("{s:b, s:s, s:s}", "accepted", accepted, "reason", trust_verify_name(accepted, v), "certainty",
		                      trust_certainty_name(v->certainty));
		json_object_set_new(o, "sentence", trust_json_lines(accepted ? "" : v->sentence));
		json_object_set_new(o, "cause", trust_json_lines(accepted ? "" : v->cause));
		json_object_set_new(o, "advice", trust_json_lines(accepted ? "" : v->advice));
		json_object_set_new(o, "wanted", trust_json_text(v->wanted));
		json_object_set_new(o, "offered", trust_json_text(v->offered));
		cli_print_json(c, o);
		json_decref(o);
		return accepted ? CLI_GOOD : CLI_NO;
	}
	if (accepted)
		return print_accepted(c, name);
	fprintf(c->out, "refused: %s\n", trust_verify_name(accepted, v));
	cli_wrapped(c->out, v->sentence, "  ");
	if (*v->cause)
		cli_wrapped(c->out, v->cause, "  ");
	if (*v->advice) {
		fprintf(c->out, "What to do:\n");
		cli_wrapped(c->out, v->advice, "  ");
	}
	return CLI_NO;
}

static int print_answer(struct cli *c, const struct trust_profile *p, const struct trust_answer *a)
{
	bool accepted = a->kind == TRUST_ACCEPTS;
	if (c->json) {
		json_t *o = trust_json_answer(a, "advice");
		json_object_set_new(o, "accepted", json_boolean(accepted));
		json_object_set_new(o, "profile", json_string(trust_profile_name(p)));
		cli_print_json(c, o);
		json_decref(o);
		return accepted ? CLI_GOOD : CLI_NO;
	}
	fprintf(c->out, "%s: %s (%s, %s)\n", accepted ? "accepted" : a->kind == TRUST_REFUSES ? "refused" : "not known", a->name, trust_certainty_name(a->certainty),
	        trust_confidence_words(a->confidence));
	cli_wrapped(c->out, a->sentence, "  ");
	if (*a->sees)
		cli_item(c->out, "  We see: ", a->sees);
	cli_wrapped(c->out, a->remark, "  ");
	if (*a->fix) {
		fprintf(c->out, "What to do:\n");
		cli_wrapped(c->out, a->fix, "  ");
	}
	return accepted ? CLI_GOOD : CLI_NO;
}

static int verify_as(struct cli *c, const struct verify *v)
{
	struct trust_answer *a = calloc(1, sizeof *a);
	struct ev_report why = { 0 };
	int err = a ? trust_profile_verify(v->as, &v->prm, a, &why) : ENOMEM;
	int code = err && why.id ? cli_error_report(c, CLI_NO, &why) : err ? cli_error(c, CLI_NO, "%s", strerror(err)) : print_answer(c, v->as, a);
	free(a);
	return code;
}

static int verify(struct cli *c)
{
	struct verify *v = calloc(1, sizeof *v);
	struct trust_verdict *verdict = calloc(1, sizeof *verdict);
	struct trust_facts *facts = calloc(1, sizeof *facts);
	struct ev_report why = { 0 };
	bool accepted = false;
	int code = v && verdict && facts ? read_verify(c, v) : cli_error(c, CLI_NO, "no memory left");
	if (!code && v->as) {
		code = verify_as(c, v);
	} else if (!code) {
		int err = trust_verify(&v->prm, &accepted, facts, verdict, &why);
		code = err && why.id ? cli_error_report(c, CLI_NO, &why) : err ? cli_error(c, CLI_NO, "%s", strerror(err)) : print_judgement(c, accepted, facts->name.matched, verdict);
	}
	if (v) {
		buf_free(&v->ca);
		buf_free(&v->chain);
		buf_free(&v->crl);
		buf_free(&v->ocsp);
	}
	free(v);
	free(verdict);
	free(facts);
	return code;
}

static const struct cli_opt verify_opts[] = {
	{ "ca", "FILE", "the trusted authorities (PEM, DER or PKCS#7)" },
	{ "chain", "FILE", "the certificate shown, leaf first, then its intermediates (PEM, DER or PKCS#7)" },
	{ "host", "NAME", "the name that it must prove (may be repeated: any of them)" },
	{ "time", "TIME", "judge as of then: 2026-11-22T14:05:09Z or seconds since 1970 (default: now)" },
	{ "purpose", "ROLE", "what the certificate is used as: server (default) or client" },
	{ "crl", "FILE", "revocation lists (PEM or DER); the leaf must be covered by one, intermediates where there is one" },
	{ "crl-full", NULL, "every intermediate must be covered by a list, too" },
	{ "ocsp", "FILE", "the OCSP response (DER) that a server staples: if it says revoked, the certificate is refused" },
	{ "ocsp-require", NULL, "there must be a response, and it must say good" },
	{ "depth", "N", "at most so many intermediates (those that a CA issued to itself not counted)" },
	{ "strict", NULL, "refuse what breaks a rule of RFC 5280 that working certificates break" },
	{ "any-name", NULL, "judge the chain only, whatever the name (instead of --host)" },
	{ "profile", "NAME", "how names are judged: rfc5922 (default), rfc9525, san-or-cn, cn-only; or as another does (umbel cert profiles)" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_cert_file_cmds[] = {
	{ "cert", "verify", "", 0, 0, verify_opts, "Judge a certificate as a live connection would, without a server",
	  "Exit code 0 accepted, 1 refused (or not known, with a profile), with the reason in words and as a stable name.",
	  "  umbel cert verify --ca root.pem --chain node01.pem --host node01.domain.local\n"
	  "  umbel cert verify --ca root.pem --chain node01.pem --host um.domain.local --purpose client --profile cn-only --json\n"
	  "  umbel cert verify --ca root.pem --chain node01.pem --host node01.domain.local --purpose client --profile lync",
	  verify },
	{ NULL },
};
