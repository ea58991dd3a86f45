/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_ca.c  umbel ca ..., umbel cert sign: a small private authority as files, without any server. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/rfc3339.h"
#include "cert/authority.h"
#include "cert/ca.h"
#include "cli/cli_private.h"
#include "trust/pem.h"

enum { PEM_MAX = 1 << 20, PATH_SIZE = 1024 };

static int report(struct cli *c, int err, const struct ev_report *why)
{
	return why->id ? cli_error_report(c, CLI_NO, why) : cli_error(c, CLI_NO, "%s", strerror(err));
}

/* ---- ca init ---- */

static int made(struct cli *c, const char *cert, const char *key, const char *cdp)
{
	if (c->json) {
		json_t *o = json_pack("{s:s, s:s, s:s}", "cert", cert, "key", key, "cdp", cdp ? cdp : "");
		cli_print_json(c, o);
		json_decref(o);
		return CLI_GOOD;
	}
	fprintf(c->out, "The authority is made:\n  certificate  %s   to be trusted by every node and every peer\n  key          %s   to be kept secret: who has it can be anybody\n", cert, key);
	if (cdp)
		fprintf(c->out, "Its certificates will name %s as the place of the revocation list.\n", cdp);
	else
		fprintf(c->out, "Its certificates will name no place of a revocation list, which Lync and Skype for Business demand. A node serves the list; say where with --cdp,\n"
				"now or at each umbel cert sign: --cdp http://NODE:PORT/crl/ca.crl\n");
	fprintf(c->out, "Name the certificate in \"trust.ca\" of each node; where the key lies beside it, umbel cert cure signs with it.\n");
	return CLI_GOOD;
}

static int init(struct cli *c)
{
	char cert[PATH_SIZE], key[PATH_SIZE];
	const char *dir = c->n_pos ? c->pos[0] : ".", *kind = cli_opt(c, "kind"), *cdp = cli_opt(c, "cdp");
	struct ev_report why = { 0 };
	uint64_t days;
	text_print(cert, sizeof cert, "%s/ca.pem", dir);
	text_print(key, sizeof key, "%s/ca.key", dir);
	struct cert_ca_prm prm = { .clock = clock_system(), .cert_file = cert, .key_file = key, .cn = cli_opt(c, "name") };
	if (cli_opt_number(c, "days", 36500, 0, &days) != 0)
		return CLI_USAGE;
	if (kind && cert_key_kind_parse(text_of(kind), &prm.kind) != 0)
		return cli_error(c, CLI_USAGE, "--kind is rsa-2048 or ec-p256, not \"%s\"", kind);
	prm.days = (unsigned)days;
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return cli_error(c, CLI_NO, "%s cannot be made: %s", dir, strerror(errno));
	int err = cert_ca_init(&prm, NULL, &why);
	if (!err && cdp)
		err = cert_authority_set_cdp(cert, cdp, &why);
	struct cert_crl_prm crl = { .clock = clock_system(), .ca_cert_file = cert, .ca_key_file = key };
	if (!err)
		err = cert_crl_make(&crl, NULL, &why);
	return err ? report(c, err, &why) : made(c, cert, key, cdp);
}

/* ---- which authority is meant ---- */

/* A folder with ca.pem in it, or the certificate itself. */
static const char *authority(const char *given, char *dst)
{
	struct stat st;
	if (stat(given, &st) == 0 && S_ISDIR(st.st_mode))
		text_print(dst, PATH_SIZE, "%s/ca.pem", given);
	else
		text_fill(dst, PATH_SIZE, given);
	return dst;
}

static int need_authority(struct cli *c, const char *file)
{
	return access(file, R_OK) == 0 ? CLI_GOOD : cli_error(c, CLI_NO, "%s cannot be read: %s", file, strerror(errno));
}

/* ---- ca list ---- */

static void list_one(const struct cert_issued *i, void *arg)
{
	char ends[RFC3339_SIZE], gone[RFC3339_SIZE];
	int64_t now = clock_real_s(clock_system());
	json_array_append_new(arg, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "serial", i->serial, "subject", i->subject, "sha256", i->sha256, "until",
	                                     rfc3339_s(i->not_after_s, ends), "state", i->revoked_s ? "revoked" : i->not_after_s < now ? "expired" : "good",
	                                     "revoked_at", i->revoked_s ? rfc3339_s(i->revoked_s, gone) : "", "reason", i->reason));
}

static int list(struct cli *c)
{
	char file[PATH_SIZE];
	struct ev_report why = { 0 };
	int code = need_authority(c, authority(c->n_pos ? c->pos[0] : ".", file));
	if (code)
		return code;
	json_t *all = json_array();
	int err = cert_authority_each(file, list_one, all, &why);
	if (err)
		code = report(c, err, &why);
	if (!err && c->json) {
		json_t *o = json_pack("{s:s, s:O}", "cert", file, "issued", all);
		code = cli_print_json(c, o);
		json_decref(o);
	} else if (!err && json_array_size(all)) {
		cli_table(c, all, "serial:SERIAL until:GOOD-UNTIL state:STATE reason:REASON subject:SUBJECT");
	} else if (!err) {
		fprintf(c->out, "%s has issued nothing that it remembers.\n", file);
	}
	json_decref(all);
	return code;
}

/* ---- ca revoke, ca crl ---- */

/* A serial number as it stands, or that of the certificate in the file. */
static int serial_of(struct cli *c, const char *given, char *serial, size_t size)
{
	struct buf pem;
	STACK_OF(X509) *certs = NULL;
	if (access(given, F_OK) != 0) {
		bool plain = *given && strspn(given, "0123456789abcdefABCDEF") == strlen(given) && strlen(given) < size;
		text_fill(serial, size, given);
		return plain ? CLI_GOOD : cli_error(c, CLI_USAGE, "\"%s\" is neither a file nor a serial number in hexadecimal", given);
	}
	int code = cli_read_file(c, given, PEM_MAX, &pem);
	if (code)
		return code;
	if (trust_pem_certs(&certs, buf_as_text(&pem)) != 0)
		code = cli_error(c, CLI_NO, "%s holds no certificate in PEM form", given);
	BIGNUM *n = code ? NULL : ASN1_INTEGER_to_BN(X509_get0_serialNumber(sk_X509_value(certs, 0)), NULL);
	char *hex = n ? BN_bn2hex(n) : NULL;
	text_fill(serial, size, hex ? hex : "");
	OPENSSL_free(hex);
	BN_free(n);
	sk_X509_pop_free(certs, X509_free);
	buf_free(&pem);
	return code;
}

static int make_list(struct cli *c, const char *file, unsigned days, const char *words)
{
	char path[512];
	unsigned n = 0;
	struct ev_report why = { 0 };
	struct cert_crl_prm prm = { .clock = clock_system(), .ca_cert_file = file, .ca_key_file = cli_opt(c, "ca-key"), .days = days };
	int err = cert_crl_make(&prm, &n, &why);
	if (err)
		return report(c, err, &why);
	cert_authority_path(file, ".crl", path);
	if (c->json) {
		json_t *o = json_pack("{s:s, s:i}", "crl", path, "revoked", (int)n);
		cli_print_json(c, o);
		json_decref(o);
	} else {
		fprintf(c->out, "%sThe revocation list %s is made; certificates on it: %u.\n", words, path, n);
		fprintf(c->out, "A node whose \"trust.ca\" names %s serves it, as DER, at /crl/; elsewhere publish it yourself.\n", file);
	}
	return CLI_GOOD;
}

static int take_back(struct cli *c)
{
	char file[PATH_SIZE], serial[CERT_SERIAL_SIZE], words[160];
	const char *reason = cli_opt(c, "reason") ? cli_opt(c, "reason") : "unspecified";
	struct ev_report why = { 0 };
	if (!cert_reason_known(reason))
		return cli_error(c, CLI_USAGE, "--reason is unspecified, keyCompromise, affiliationChanged, superseded or cessationOfOperation, not \"%s\"", reason);
	int code = need_authority(c, authority(cli_opt(c, "ca") ? cli_opt(c, "ca") : ".", file));
	if (!code)
		code = serial_of(c, c->pos[0], serial, sizeof serial);
	if (code)
		return code;
	int err = cert_authority_revoke(file, serial, reason, clock_real_s(clock_system()), &why);
	if (err)
		return report(c, err, &why);
	text_print(words, sizeof words, "%s is revoked.\n", serial);
	return make_list(c, file, 0, words);
}

static int crl(struct cli *c)
{
	char file[PATH_SIZE];
	uint64_t days;
	if (cli_opt_number(c, "days", 3650, 0, &days) != 0)
		return CLI_USAGE;
	int code = need_authority(c, authority(c->n_pos ? c->pos[0] : ".", file));
	return code ? code : make_list(c, file, (unsigned)days, "");
}

/* ---- cert sign ---- */

static void signed_words(struct cli *c, const char *ca, const char *out)
{
	char url[CERT_CDP_SIZE] = "";
	if (!cli_opt(c, "cdp"))
		(void)cert_authority_cdp(ca, url, sizeof url, NULL);
	fprintf(c->out, "%s is signed: %s\nInstall it on the node that made the request: umbel cert install %s\n", c->pos[0], out, out);
	if (!cli_opt(c, "cdp") && !*url)
		fprintf(c->out, "It names no place of a revocation list, which Lync and Skype for Business demand; --cdp URL adds it.\n");
}

static int sign(struct cli *c)
{
	const char *ca = cli_opt(c, "ca"), *key = cli_opt(c, "ca-key"), *out = cli_opt(c, "out");
	struct ev_report why = { 0 };
	struct buf csr, chain;
	char beside[1024];
	uint64_t days;
	if (!ca)
		return cli_error(c, CLI_USAGE, "--ca FILE, the certificate of the authority that signs, is needed");
	size_t dot = text_rfind(text_of(ca), '.');
	text_print(beside, sizeof beside, "%.*s.key", dot == SIZE_MAX ? (int)strlen(ca) : (int)dot, ca);
	if (cli_opt_number(c, "days", 36500, 0, &days) != 0)
		return CLI_USAGE;
	int code = cli_read_file(c, c->pos[0], PEM_MAX, &csr);
	if (code)
		return code;
	struct cert_sign_prm prm = { .clock = clock_system(), .ca_cert_file = ca, .ca_key_file = key ? key : beside, .days = (unsigned)days,
		                     .cdp_url = cli_opt(c, "cdp") };
	buf_init(&chain, PEM_MAX);
	int err = cert_ca_sign(&chain, buf_as_text(&csr), &prm, &why);
	code = err ? report(c, err, &why) : cli_write_file(c, out ? out : "-", chain.p, chain.n, 0644);
	if (!code && out && !c->json)
		signed_words(c, ca, out);
	buf_free(&csr);
	buf_free(&chain);
	return code;
}

static const struct cli_opt sign_opts[] = {
	{ "ca", "FILE", "certificate of the authority" },
	{ "ca-key", "FILE", "its key (default: beside it, with the ending .key)" },
	{ "out", "FILE", "where the certificate goes (default: standard output)" },
	{ "days", "N", "how long it holds (default 397)" },
	{ "cdp", "URL", "where the revocation list is to be found (default: as umbel ca init was told)" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt init_opts[] = {
	{ "name", "CN", "name of the authority (default \"Umbel CA\")" },
	{ "kind", "KIND", "rsa-2048 (default) or ec-p256" },
	{ "days", "N", "how long it holds (default 3650)" },
	{ "cdp", "URL", "where peers will find its revocation list, for every certificate that it signs" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt revoke_opts[] = {
	{ "ca", "FILE", "folder or certificate of the authority (default: the folder here)" },
	{ "ca-key", "FILE", "its key (default: beside it, with the ending .key)" },
	{ "reason", "WORD", "unspecified (default), keyCompromise, affiliationChanged, superseded, cessationOfOperation" },
	{ NULL, NULL, NULL },
};
static const struct cli_opt crl_opts[] = {
	{ "ca-key", "FILE", "its key (default: beside it, with the ending .key)" },
	{ "days", "N", "how long verifiers may keep it (default 7)" },
	{ NULL, NULL, NULL },
};

const struct cli_cmd cli_ca_cmds[] = {
	{ "cert", "sign", "REQUEST", 1, 1, sign_opts, "Sign a certificate request with an authority of umbel ca init",
	  "Grants the names asked for, and both usages unless the request wants only one. Notes it in the authority's journal.",
	  "  umbel cert sign node01.csr --ca /etc/umbel/ca/ca.pem --out node01.pem", sign },
	{ "ca", "init", "[FOLDER]", 0, 1, init_opts, "Make a small private authority: FOLDER/ca.pem and FOLDER/ca.key",
	  "For a lab, or a site that has none. Never overwrites.",
	  "  umbel ca init /etc/umbel/ca --name 'Example UM CA' --cdp http://um.domain.local:8080/crl/ca.crl", init },
	{ "ca", "list", "[FOLDER]", 0, 1, NULL, "List what an authority has issued, and what it took back", NULL, "  umbel ca list /etc/umbel/ca", list },
	{ "ca", "revoke", "SERIAL|FILE", 1, 1, revoke_opts, "Take a certificate back, and make the revocation list anew", NULL,
	  "  umbel ca revoke --ca /etc/umbel/ca node01.pem --reason superseded\n  umbel ca revoke --ca /etc/umbel/ca 5F3A09...", take_back },
	{ "ca", "crl", "[FOLDER]", 0, 1, crl_opts, "Make the revocation list anew (a node that has the key does so daily by itself)", NULL,
	  "  umbel ca crl /etc/umbel/ca", crl },
	{ NULL },
};
