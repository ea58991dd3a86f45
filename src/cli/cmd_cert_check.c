/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_cert_check.c  umbel cert check FILE..., umbel cert profiles: who would accept a certificate, without any server and before it is used. */
#include <openssl/x509_vfy.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/rfc3339.h"
#include "cert/order.h"
#include "cli/cli_private.h"
#include "trust/finding.h"
#include "trust/json.h"
#include "trust/pem.h"
#include "trust/profile.h"
#include "trust/rule.h"

enum { PEM_MAX = 1 << 20 };

/* ---- what was asked ---- */

struct check {
	struct cli *c;
	X509_STORE *anchors;
	struct trust_names known;
	bool has_known;
	enum trust_switch enabled;
	int64_t now_s;
	bool bad; /* something grave was found, or a verifier that was named refuses */
};

bool cli_cert_names_files(const struct cli *c)
{
	static const char *const only_files[] = { "name", "known", "ca", "profile", "switched", "time" };
	for (unsigned i = 0; i < sizeof only_files / sizeof *only_files; i++)
		if (cli_opt(c, only_files[i]))
			return true;
	for (unsigned i = 0; i < c->n_pos; i++)
		if (strchr(c->pos[i], '/') || strchr(c->pos[i], '.') || strcmp(c->pos[i], "-") == 0 || access(c->pos[i], R_OK) == 0)
			return true;
	return c->n_pos > 1;
}

static int read_anchors(struct check *k, const char *path)
{
	struct buf pem;
	STACK_OF(X509) *roots = NULL;
	int code = cli_read_certs(k->c, path, &pem);
	if (code)
		return code;
	int err = trust_pem_certs(&roots, buf_as_text(&pem));
	k->anchors = err ? NULL : X509_STORE_new();
	for (int i = 0; k->anchors && i < sk_X509_num(roots); i++)
		X509_STORE_add_cert(k->anchors, sk_X509_value(roots, i));
	sk_X509_pop_free(roots, X509_free);
	buf_free(&pem);
	return k->anchors ? CLI_GOOD : cli_error(k->c, CLI_NO, "%s: no memory left", path);
}

static int read_question(struct check *k)
{
	struct cli *c = k->c;
	const char *at = cli_opt(c, "time"), *profile = cli_opt(c, "profile"), *on = cli_opt(c, "switched"), *known;
	k->now_s = clock_real_s(clock_system());
	if (!c->n_pos)
		return cli_error(c, CLI_USAGE, "which file? umbel cert check FILE...");
	if (at && rfc3339_parse(text_of(at), &k->now_s) != 0)
		return cli_error(c, CLI_USAGE, "--time wants 2026-11-22T14:05:09Z, not \"%s\"", at);
	for (unsigned i = 0; (profile = cli_opt_nth(c, "profile", i)) != NULL; i++)
		if (!trust_profile_find(profile))
			return cli_error(c, CLI_USAGE, "there is no profile %s; they are listed by: umbel cert profiles", profile);
	if (on && strcmp(on, "on") != 0 && strcmp(on, "off") != 0)
		return cli_error(c, CLI_USAGE, "--switched is on or off, not \"%s\"", on);
	k->enabled = !on ? TRUST_AS_DEFAULT : strcmp(on, "on") == 0 ? TRUST_SWITCHED_ON : TRUST_SWITCHED_OFF;
	for (unsigned i = 0; (known = cli_opt_nth(c, "known", i)) != NULL; i++)
		trust_names_add_str(&k->known, known);
	k->has_known = k->known.n > 0;
	return cli_opt(c, "ca") ? read_anchors(k, cli_opt(c, "ca")) : CLI_GOOD;
}

/* ---- one certificate ---- */

struct file {
	struct check *k;
	X509 *leaf;
	STACK_OF(X509) *chain;
	struct trust_cert words;
	json_t *findings;
};

static int read_certificate(struct file *f, const char *path)
{
	struct buf pem;
	int code = cli_read_file(f->k->c, path, PEM_MAX, &pem);
	if (code)
		return code;
	(void)cert_answer_to_pem(&pem); /* DER and PKCS#7, as Windows saves them */
	if (trust_pem_certs(&f->chain, buf_as_text(&pem)) == 0)
		f->leaf = sk_X509_shift(f->chain);
	if (f->leaf)
		trust_cert_describe(&f->words, f->leaf);
	else
		code = cli_no_certificate(f->k->c, path, &pem);
	buf_free(&pem);
	return code;
}

static void keep_finding(const struct trust_finding *found, void *arg)
{
	struct file *f = arg;
	if (f->k->anchors && strcmp(found->name, "no-intermediates") == 0)
		return; /* then the verifiers find the way, or say that they do not */
	f->k->bad = f->k->bad || found->grave;
	json_array_append_new(f->findings, json_pack("{s:s, s:b, s:s, s:s}", "name", found->name, "grave", found->grave, "sentence", found->sentence, "fix", found->fix));
}

static json_t *usages_json(uint8_t eku)
{
	static const struct { uint8_t bit; const char *name; } words[] = {
		{ TRUST_EKU_SERVER, "serverAuth" }, { TRUST_EKU_CLIENT, "clientAuth" }, { TRUST_EKU_SIP, "sipDomain" },
		{ TRUST_EKU_ANY, "anyExtendedKeyUsage" }, { TRUST_EKU_OTHER, "others" },
	};
	json_t *a = json_array();
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (eku & words[i].bit)
			json_array_append_new(a, json_string(words[i].name));
	return a;
}

static json_t *certificate_json(const struct trust_cert *w, int chain)
{
	char from[RFC3339_SIZE], to[RFC3339_SIZE];
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:s, s:i}", "cn", trust_json_text(w->cn), "subject", trust_json_text(w->subject), "issuer",
	                 trust_json_text(w->issuer), "sans", trust_json_names(&w->sans),
	                 "not_before", rfc3339_s(w->not_before_s, from), "not_after", rfc3339_s(w->not_after_s, to), "key", w->key, "usages", usages_json(w->eku), "sha256",
	                 w->sha256, "chain", chain);
}

/* ---- one judgement ---- */

static const char *cell(const struct trust_answer *a)
{
	if (!a->default_off)
		return trust_answer_kind_name(a->kind);
	return a->if_enabled == TRUST_ACCEPTS ? "accepts (off)" : a->if_enabled == TRUST_REFUSES ? "off; would refuse" : "off; unknown";
}

static json_t *answer_json(const struct trust_profile *p, const struct trust_question *q, const struct trust_answer *a)
{
	json_t *o = trust_json_answer(a, "fix");
	json_object_set_new(o, "verifier", json_string(trust_profile_name(p)));
	json_object_set_new(o, "title", json_string(trust_profile_title(p)));
	json_object_set_new(o, "seat", json_string(trust_seat_name(q->seat)));
	json_object_set_new(o, "reference", q->reference ? trust_json_text(q->reference) : json_null());
	json_object_set_new(o, "off_by_default", json_boolean(a->default_off));
	if (a->default_off) {
		json_object_set_new(o, "if_switched_on", json_string(trust_answer_kind_name(a->if_enabled)));
		json_object_set_new(o, "if_switched_on_reason", json_string(a->if_enabled_name));
	}
	json_object_set_new(o, "cell", json_string(cell(a)));
	return o;
}

static bool is_asked(const struct check *k, const struct trust_profile *p)
{
	const char *name;
	if (!cli_opt(k->c, "profile"))
		return !trust_profile_generic(p);
	for (unsigned i = 0; (name = cli_opt_nth(k->c, "profile", i)) != NULL; i++)
		if (trust_profile_find(name) == p)
			return true;
	return false;
}

static json_t *judge_all(struct file *f, const char *reference)
{
	struct trust_answer *a = calloc(1, sizeof *a);
	json_t *all = json_array();
	const struct trust_profile *p;
	for (unsigned i = 0; a && (p = trust_profile_at(i)) != NULL; i++)
		for (enum trust_seat seat = TRUST_SEAT_SERVER_CERT; is_asked(f->k, p) && seat <= TRUST_SEAT_CLIENT_CERT; seat++) {
			struct trust_question q = { .seat = seat, .leaf = f->leaf, .chain = f->chain, .anchors = f->k->anchors, .reference = reference,
			                            .known = f->k->has_known ? &f->k->known : NULL, .now_s = f->k->now_s, .enabled = f->k->enabled };
			trust_profile_judge(p, &q, a);
			f->k->bad = f->k->bad || (a->kind == TRUST_REFUSES && cli_opt(f->k->c, "profile"));
			json_array_append_new(all, answer_json(p, &q, a));
		}
	free(a);
	return all;
}

/* The names that --name gives; else the certificate's own: its CN, or the first DNS name. */
static json_t *judge_names(struct file *f)
{
	const char *name = cli_opt(f->k->c, "name"), *first = trust_names_at(&f->words.sans, 0);
	json_t *all = json_array();
	for (unsigned i = 0; (name = cli_opt_nth(f->k->c, "name", i)) != NULL; i++)
		json_array_append_new(all, json_pack("{s:s, s:o}", "name", name, "answers", judge_all(f, name)));
	if (json_array_size(all))
		return all;
	name = f->words.cn[0] && f->words.cn[0] != '*' ? f->words.cn : first && strncmp(first, "DNS:", 4) == 0 ? first + 4 : NULL;
	json_array_append_new(all, json_pack("{s:s?, s:o}", "name", name, "answers", judge_all(f, name)));
	return all;
}

/* ---- for people ---- */

static void print_certificate(struct cli *c, const char *path, const struct trust_cert *w, int chain)
{
	char names[512];
	json_t *usages = usages_json(w->eku);
	fprintf(c->out, "%s: CN %s\n", path, w->cn[0] ? w->cn : w->cns.cut ? "(not readable)" : "(none)");
	fprintf(c->out, "  names   %s\n", w->sans.n ? trust_names_join(&w->sans, names, sizeof names) : w->sans.cut && w->has_san ? "(not readable)" :
		w->has_san ? "(none that counts)" : "(no subjectAltName)");
	fprintf(c->out, "  issuer  %s\n", w->issuer);
	fprintf(c->out, "  good    %s to %s\n", cli_when_us(w->not_before_s * 1000000), cli_when_us(w->not_after_s * 1000000));
	fprintf(c->out, "  key     %s; usages ", w->key);
	for (size_t i = 0; i < json_array_size(usages); i++)
		fprintf(c->out, "%s%s", i ? ", " : "", json_string_value(json_array_get(usages, i)));
	fprintf(c->out, "%s; %d more in the file\n", json_array_size(usages) ? "" : "not listed", chain);
	json_decref(usages);
}

static void print_findings(struct cli *c, const json_t *findings)
{
	size_t i;
	const json_t *f;
	json_array_foreach(findings, i, f) {
		char line[800];
		text_print(line, sizeof line, "%s. %s", cli_text(f, "sentence"), cli_text(f, "fix"));
		cli_item(c->out, cli_true(f, "grave") ? "  ! " : "  - ", line);
	}
	if (!json_array_size(findings))
		fprintf(c->out, "  Nothing is questionable in it.\n");
}

/* Both seats of a verifier in one row: they stand one behind the other. */
static void print_table(struct cli *c, const json_t *answers)
{
	json_t *rows = json_array();
	for (size_t i = 0; i + 1 < json_array_size(answers); i += 2) {
		const json_t *server = json_array_get(answers, i), *client = json_array_get(answers, i + 1);
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "v", cli_text(server, "verifier"), "s", cli_text(server, "cell"), "c", cli_text(client, "cell"), "k",
		                                      cli_text(server, "how_known")));
	}
	cli_table(c, rows, "v:VERIFIER s:IT-DIALS-US c:WE-DIAL-IT k:HOW-WE-KNOW");
	json_decref(rows);
}

/* Refusals first, each with what to do and what is seen of it; what is not known in one line each. */
static void print_refusal(struct cli *c, const json_t *a)
{
	char line[1800];
	bool off = cli_true(a, "off_by_default");
	fprintf(c->out, "  %s, as %s: %s (%s%s, %s)\n", cli_text(a, "verifier"), cli_text(a, "seat"), cli_text(a, off ? "if_switched_on_reason" : "reason"),
	        off ? "if switched on; " : "", cli_text(a, "certainty"), cli_text(a, "how_known"));
	text_print(line, sizeof line, "%s. %s We see: %s.", cli_text(a, "sentence"), cli_text(a, "fix"), cli_text(a, "sees"));
	cli_wrapped(c->out, line, "      ");
}

static void print_reasons(struct cli *c, const json_t *answers)
{
	size_t i;
	const json_t *a;
	unsigned refused = 0, unknown = 0;
	json_array_foreach(answers, i, a)
		if (strcmp(cli_text(a, "answer"), "refuses") == 0 || strcmp(cli_text(a, "if_switched_on"), "refuses") == 0) {
			if (!refused++)
				fprintf(c->out, "\nWho would refuse it, and why:\n");
			print_refusal(c, a);
		}
	json_array_foreach(answers, i, a)
		if (strcmp(cli_text(a, "answer"), "unknown") == 0) {
			char line[1800];
			if (!unknown++)
				fprintf(c->out, "\nWhat is not known:\n");
			text_print(line, sizeof line, "as %s certificate: %s", cli_text(a, "seat"), cli_text(a, "sentence"));
			cli_item(c->out, "  - ", line);
		}
	if (unknown)
		fprintf(c->out, "  A certificate with the name in the CN and as a DNS name in the subjectAltName, and with both\n  usages, avoids such questions in most cases.\n");
}

static void print_judgements(struct cli *c, const json_t *by_name)
{
	size_t i;
	const json_t *n;
	json_array_foreach(by_name, i, n) {
		const char *name = cli_text(n, "name");
		fprintf(c->out, "\nWho would accept it%s%s%s:\n", *name ? ", dialled as " : "", name, cli_opt(c, "name") ? "" : " (its own name; --name asks for others)");
		print_table(c, json_object_get(n, "answers"));
		print_reasons(c, json_object_get(n, "answers"));
	}
	fprintf(c->out, "\n\"off\": that check is off by default. Every row with its source: umbel cert profiles\n");
}

static int check_file(struct check *k, const char *path, json_t *files)
{
	struct file f = { .k = k };
	int code = read_certificate(&f, path);
	if (!code) {
		int chain = f.chain ? sk_X509_num(f.chain) : 0;
		f.findings = json_array();
		trust_findings(f.leaf, f.chain, k->now_s, keep_finding, &f);
		json_t *by_name = judge_names(&f);
		if (k->c->json) {
			json_array_append_new(files, json_pack("{s:s, s:o, s:O, s:O}", "file", path, "certificate", certificate_json(&f.words, chain), "findings", f.findings, "names", by_name));
		} else {
			print_certificate(k->c, path, &f.words, chain);
			print_findings(k->c, f.findings);
			print_judgements(k->c, by_name);
		}
		json_decref(by_name);
		json_decref(f.findings);
	}
	X509_free(f.leaf);
	sk_X509_pop_free(f.chain, X509_free);
	return code;
}

int cli_cert_check_files(struct cli *c)
{
	struct check *k = calloc(1, sizeof *k);
	if (!k)
		return cli_error(c, CLI_NO, "no memory left");
	k->c = c;
	json_t *files = json_array();
	int code = read_question(k);
	for (unsigned i = 0; !code && i < c->n_pos; i++)
		code = check_file(k, c->pos[i], files);
	if (!code && k->bad)
		code = CLI_NO;
	if (c->json && json_array_size(files)) {
		json_t *o = json_pack("{s:b, s:O}", "good", !k->bad, "files", files);
		cli_print_json(c, o);
		json_decref(o);
	}
	json_decref(files);
	X509_STORE_free(k->anchors);
	free(k);
	return code;
}

/* ---- cert profiles ---- */

static const char *const references[] = { "none", "uri-domain", "typed-address", "dialled-host", "unknown" };

static json_t *tri(int v)
{
	return v < 0 ? json_null() : json_boolean(v);
}

static json_t *seat_json(const struct trust_profile *p, enum trust_seat seat)
{
	char words[1024];
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "remark", trust_profile_seat_remark(p, seat), "judges_by", trust_when_name(trust_profile_when(p, seat)), "rule", trust_profile_words(p, seat, words, sizeof words), "confidence", trust_confidence_name(trust_profile_confidence(p, seat)),
	                 "how_known", trust_confidence_words(trust_profile_confidence(p, seat)), "on_by_default", tri(trust_profile_default(p, seat)));
}

static json_t *profile_json(const struct trust_profile *p)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:s, s:s, s:b, s:b}", "name", trust_profile_name(p), "title", trust_profile_title(p), "server",
	                 seat_json(p, TRUST_SEAT_SERVER_CERT), "client", seat_json(p, TRUST_SEAT_CLIENT_CERT), "reference", references[trust_profile_reference(p)], "sends_sni",
	                 tri(trust_profile_sends_sni(p)), "source", trust_profile_source(p), "remark", trust_profile_remark(p), "tried", trust_profile_can_run(p), "generic",
	                 trust_profile_generic(p));
}

static void print_profile(struct cli *c, const json_t *p)
{
	static const char *const seats[] = { "server", "client" }, *const words[] = { "it dials us", "we dial it" };
	char line[1400];
	fprintf(c->out, "%s: %s\n", cli_text(p, "name"), cli_text(p, "title"));
	for (unsigned i = 0; i < 2; i++) {
		const json_t *s = json_object_get(p, seats[i]);
		text_print(line, sizeof line, "%s%s%s (%s)", cli_text(s, "rule"), *cli_text(s, "remark") ? " " : "", cli_text(s, "remark"), cli_text(s, "how_known"));
		fprintf(c->out, "  %s:\n", words[i]);
		cli_wrapped(c->out, line, "    ");
	}
	if (*cli_text(p, "remark"))
		cli_wrapped(c->out, cli_text(p, "remark"), "  ");
	text_print(line, sizeof line, "Source: %s", cli_text(p, "source"));
	cli_wrapped(c->out, line, "  ");
}

static int profiles(struct cli *c)
{
	const struct trust_profile *p, *only = c->n_pos ? trust_profile_find(c->pos[0]) : NULL;
	size_t k;
	const json_t *row;
	if (c->n_pos && !only)
		return cli_error(c, CLI_USAGE, "there is no profile %s; without a name, umbel cert profiles lists them all", c->pos[0]);
	json_t *all = json_array();
	for (unsigned i = 0; (p = trust_profile_at(i)) != NULL; i++)
		if (only ? p == only : !trust_profile_generic(p) || c->json)
			json_array_append_new(all, profile_json(p));
	if (c->json) {
		json_t *o = json_pack("{s:O}", "profiles", all);
		cli_print_json(c, o);
		json_decref(o);
	} else {
		json_array_foreach(all, k, row)
			print_profile(c, row);
	}
	json_decref(all);
	return CLI_GOOD;
}

const struct cli_opt cli_cert_check_opts[] = {
	{ "name", "NAME", "the name that is dialled to reach us (may be repeated; default: the certificate's own)" },
	{ "known", "NAME", "a name by which the verifier knows us, in its topology or list (may be repeated)" },
	{ "ca", "FILE", "what the verifier trusts (PEM); without, the chain is taken as good" },
	{ "profile", "NAME", "ask this verifier only (may be repeated); exit code 1 if it refuses" },
	{ "switched", "on|off", "judge as if every check that can be switched were so (default: as the products come)" },
	{ "time", "TIME", "judge as of then: 2026-11-22T14:05:09Z (default: now)" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_cert_profile_cmds[] = {
	{ "cert", "profiles", "[NAME]", 0, 1, NULL, "List what is known of how others judge certificates, and where from",
	  "Each row tells of both directions: it dials us (our server certificate), we dial it (our client certificate).",
	  "  umbel cert profiles\n  umbel cert profiles lync\n  umbel cert profiles --json", profiles },
	{ NULL },
};
