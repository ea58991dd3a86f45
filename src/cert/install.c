/* SPDX-License-Identifier: Apache-2.0 */
/* install.c  Files of the data folder, the examination, and the swap. */
#include "cert/install.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "cert/order.h"
#include "cert/words.h"
#include "cert_events.h"
#include "trust/explain.h"
#include "trust/pem.h"
#include "trust/rule.h"
#include "trust/verify.h"
#include "trust_events.h"

enum { PATH_SIZE = 512 };

static char *path_of(const char *data_dir, const char *name, const char *ending, char *dst)
{
	char safe[TRUST_LABEL_SIZE];
	text_fill(safe, sizeof safe, name && *name ? name : "default");
	for (char *c = safe; *c; c++)
		if (*c == '/' || *c == '+')
			*c = '_';
	text_print(dst, PATH_SIZE, "%s/tls/%s%s", data_dir, safe[0] == '.' ? "identity" : safe, ending);
	return dst;
}

char *cert_installed_path(const char *data_dir, const char *name, char *dst)
{
	return path_of(data_dir, name, ".pem", dst);
}

char *cert_awaited_path(const char *data_dir, const char *name, char *dst)
{
	return path_of(data_dir, name, ".crt", dst);
}

char *cert_request_path(const char *data_dir, const char *name, char *dst)
{
	return path_of(data_dir, name, ".csr", dst);
}

static int file_failed(struct ev_report *why, const char *file, int err)
{
	ev_set(why, EV_CERT_FILE_FAILED);
	ev_str(why, "file", file);
	ev_str(why, "error", strerrordesc_np(err));
	return err;
}

static int make_folder(const char *data_dir, struct ev_report *why)
{
	char path[PATH_SIZE];
	text_print(path, sizeof path, "%s/tls", data_dir);
	return mkdir(path, 0700) < 0 && errno != EEXIST ? file_failed(why, path, errno) : 0;
}

static int write_file(const char *path, struct buf *b, unsigned mode, struct ev_report *why)
{
	int err = buf_error(b) ? buf_error(b) : trust_file_write(path, b->p, b->n, mode);
	return err ? file_failed(why, path, err) : 0;
}

/* A second name for what is there, so that it is there at any moment. */
static int keep_old(const char *path, const char *old, struct ev_report *why)
{
	(void)unlink(old);
	return link(path, old) < 0 && errno != ENOENT ? file_failed(why, old, errno) : 0;
}

static void free_secret(struct buf *b)
{
	if (b->p)
		mem_wipe(b->p, b->room);
	buf_free(b);
}

/* ---- requests ---- */

int cert_request_files(const char *data_dir, const char *name, enum cert_key_kind kind, const struct cert_names *names, enum cert_usage usage,
		       struct buf *csr, char *csr_file, struct ev_report *why)
{
	char key_path[PATH_SIZE], csr_path[PATH_SIZE], old_path[PATH_SIZE];
	struct buf secret, text;
	EVP_PKEY *key = NULL;
	buf_init(&secret, TRUST_PEM_MAX);
	buf_init(&text, TRUST_PEM_MAX);
	path_of(data_dir, name, ".key", key_path);
	path_of(data_dir, name, ".csr", csr_path);
	int err = make_folder(data_dir, why);
	if (!err)
		err = cert_key_make(&key, kind);
	if (!err && (err = cert_request_make(&text, key, names, usage)) == EINVAL) {
		ev_set(why, EV_CERT_REQUEST_BAD);
		ev_printf(why, "error", "%s is no name for a certificate", names->cn[0] ? names->cn : "(nothing)");
	}
	if (!err)
		err = trust_pem_put_key(&secret, key);
	if (!err)
		err = keep_old(key_path, path_of(data_dir, name, ".key.old", old_path), why);
	if (!err)
		err = write_file(key_path, &secret, 0600, why);
	if (!err)
		err = write_file(csr_path, &text, 0644, why);
	if (!err && csr)
		err = buf_put(csr, text.p, text.n);
	if (!err && csr_file)
		text_fill(csr_file, PATH_SIZE, csr_path);
	EVP_PKEY_free(key);
	free_secret(&secret);
	buf_free(&text);
	return err;
}

/* ---- answers ---- */

static void tell_order(const char *name, const struct cert_order *o, trust_warn_h *each, void *arg)
{
	struct ev_report *r = each && (o->mended || o->left_out || o->added) ? mem_alloc(sizeof *r) : NULL;
	if (!r)
		return;
	ev_set(r, EV_CERT_ORDER_MENDED);
	ev_str(r, "identity", name);
	ev_str(r, "order", cert_words(o->mended ? CERT_SAYS_ORDER_MENDED : CERT_SAYS_ORDER_RIGHT));
	ev_int(r, "left_out", o->left_out);
	ev_int(r, "added", o->added);
	each(r, arg);
	mem_free(r);
}

/* The identity of one key: 0; EKEYREJECTED when no certificate fits it. */
static int with_key(struct trust_identity **ip, const char *name, STACK_OF(X509) *all, EVP_PKEY *key, const struct trust_set *set, trust_warn_h *each,
		    void *arg)
{
	struct cert_order o;
	int err = cert_order_make(&o, all, key, set);
	if (!err)
		err = trust_identity_from(ip, name, o.leaf, o.chain, key, NULL);
	if (!err)
		tell_order(name, &o, each, arg);
	cert_order_free(&o);
	return err;
}

static int key_file(EVP_PKEY **key, const char *data_dir, const char *name, const char *ending)
{
	char path[PATH_SIZE];
	struct buf secret;
	buf_init(&secret, TRUST_PEM_MAX);
	int err = trust_pem_file(&secret, path_of(data_dir, name, ending, path));
	if (!err)
		err = trust_pem_key(key, buf_as_text(&secret));
	free_secret(&secret);
	return err;
}

/* With the key that a request made; no file, or none that fits: EKEYREJECTED. */
static int with_key_of(struct trust_identity **ip, const char *name, const char *data_dir, const char *ending, STACK_OF(X509) *all, const struct trust_set *set,
		       trust_warn_h *each, void *arg)
{
	EVP_PKEY *key = NULL;
	int err = key_file(&key, data_dir, name, ending) ? EKEYREJECTED : with_key(ip, name, all, key, set, each, arg);
	EVP_PKEY_free(key);
	return err;
}

/* The key of the last request; the one in use, for a renewal; that of the request before the last, whose answer comes late. */
static int with_ours(struct trust_identity **ip, const char *name, const char *data_dir, STACK_OF(X509) *all, const struct trust_set *set, trust_warn_h *each,
		     void *arg)
{
	struct trust_identity *now = trust_set_find(set, name);
	int err = with_key_of(ip, name, data_dir, ".key", all, set, each, arg);
	if (err == EKEYREJECTED && now)
		err = with_key(ip, name, all, trust_identity_key(now), set, each, arg);
	return err == EKEYREJECTED ? with_key_of(ip, name, data_dir, ".key.old", all, set, each, arg) : err;
}

static int no_key_fits(struct ev_report *why, const char *name, STACK_OF(X509) *all, const char *data_dir, bool given)
{
	char path[PATH_SIZE];
	struct trust_cert *c = mem_alloc(sizeof *c);
	if (!c)
		return ENOMEM;
	trust_cert_describe(c, sk_X509_value(all, 0));
	ev_set(why, EV_TRUST_KEY_MISMATCH);
	ev_str(why, "identity", name);
	ev_str(why, "file", cert_words(CERT_SAYS_CERT_GIVEN));
	ev_str(why, "key_file", given ? cert_words(CERT_SAYS_KEY_GIVEN) : path_of(data_dir, name, ".key", path));
	ev_str(why, "cn", c->cn);
	mem_free(c);
	return EKEYREJECTED;
}

static int text_given_bad(struct ev_report *why, uint16_t event, const char *name, enum cert_words what, int err)
{
	ev_set(why, event);
	ev_str(why, "identity", name);
	ev_str(why, "file", cert_words(what));
	ev_str(why, "error", strerrordesc_np(err));
	return err;
}

int cert_from_answer(struct trust_identity **ip, const char *name, struct text chain_pem, struct text key_pem, const char *data_dir,
		     const struct trust_set *set, struct ev_report *why, trust_warn_h *each, void *arg)
{
	STACK_OF(X509) *all = NULL;
	EVP_PKEY *key = NULL;
	int err = trust_pem_certs(&all, chain_pem);
	if (err)
		return text_given_bad(why, EV_TRUST_CERT_NO_PEM, name, CERT_SAYS_CERT_GIVEN, err);
	if (key_pem.n && (err = trust_pem_key(&key, key_pem)) != 0)
		text_given_bad(why, EV_TRUST_KEY_NO_PEM, name, CERT_SAYS_KEY_GIVEN, err);
	else if ((err = key ? with_key(ip, name, all, key, set, each, arg) : with_ours(ip, name, data_dir, all, set, each, arg)) == EKEYREJECTED)
		err = no_key_fits(why, name, all, data_dir, key != NULL);
	EVP_PKEY_free(key);
	sk_X509_pop_free(all, X509_free);
	return err;
}

/* ---- loading ---- */

static int64_t changed_ns(const char *path)
{
	struct stat st;
	return path && *path && stat(path, &st) == 0 ? st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec : -1;
}

static void not_used(struct ev_report *why, uint16_t event, const struct trust_identity_prm *configured, const char *path)
{
	char reason[512] = "";
	if (why && why->id)
		ev_sentence(why, reason, sizeof reason);
	ev_set(why, event);
	ev_str(why, "identity", configured->name ? configured->name : "default");
	ev_str(why, "file", configured->cert_file);
	ev_str(why, "installed", path);
	ev_str(why, "reason", reason);
}

int cert_load_identity(struct trust_identity **ip, const struct trust_identity_prm *configured, const char *data_dir, struct ev_report *why)
{
	char path[PATH_SIZE];
	int64_t installed = data_dir && *data_dir ? changed_ns(cert_installed_path(data_dir, configured->name, path)) : -1;
	bool older = installed < changed_ns(configured->cert_file);
	struct ev_report *note = installed >= 0 ? mem_zalloc(1, sizeof *note) : NULL;
	ev_set(why, 0);
	if (installed >= 0 && !older) {
		struct trust_identity_prm prm = { .name = configured->name, .cert_file = path, .key_file = path, .ocsp_file = configured->ocsp_file };
		if (!trust_identity_load(ip, &prm, note)) {
			mem_free(note);
			return 0;
		}
	}
	int err = trust_identity_load(ip, configured, why);
	if (!err && installed >= 0) {
		not_used(note, older ? EV_CERT_INSTALLED_OLDER : EV_CERT_INSTALLED_BROKEN, configured, path);
		if (note && why)
			ev_copy(why, note);
	}
	mem_free(note);
	return err;
}

/* ---- the examination ---- */

static int put_chain(struct buf *out, const struct trust_identity *id)
{
	STACK_OF(X509) *chain = trust_identity_chain(id);
	int err = trust_pem_put_cert(out, trust_identity_x509(id));
	for (int i = 0; !err && chain && i < sk_X509_num(chain); i++)
		err = trust_pem_put_cert(out, sk_X509_value(chain, i));
	return err;
}

static int put_anchors(struct buf *out, const struct trust_set *set)
{
	int err = 0;
	for (unsigned i = 0; !err && i < trust_set_anchors(set); i++)
		err = trust_pem_put_cert(out, trust_set_anchor_at(set, i));
	return err;
}

static bool only_unknown_here(enum trust_verdict_id id)
{
	return id == TRUST_V_ISSUER_UNKNOWN || id == TRUST_V_ROOT_UNKNOWN || id == TRUST_V_SELF_SIGNED;
}

static void warn_issuer(const struct trust_identity *id, trust_warn_h *each, void *arg)
{
	struct ev_report *r = mem_alloc(sizeof *r);
	if (!r)
		return;
	ev_set(r, EV_TRUST_CERT_CHAIN_SHORT);
	ev_str(r, "identity", trust_identity_name(id));
	ev_str(r, "cn", trust_identity_cn(id));
	ev_str(r, "issuer", trust_identity_cert(id)->issuer);
	if (each)
		each(r, arg);
	mem_free(r);
}

/* One role. That our own roots do not know the issuer is no fault: it is the peers who must. */
static int examine_role(const struct trust_identity *id, struct text roots, struct text chain, bool as_client, int64_t now_s,
			struct ev_report *why, trust_warn_h *each, void *arg)
{
	struct trust_verify_prm prm = { .ca_pem = roots, .chain_pem = chain, .any_name = true, .as_client = as_client, .time_s = now_s, .depth = -1 };
	struct trust_verdict *v = mem_alloc(sizeof *v);
	bool good = false;
	int err = v ? trust_verify(&prm, &good, NULL, v, why) : ENOMEM;
	if (!err && !good && only_unknown_here(v->id)) {
		if (!as_client)
			warn_issuer(id, each, arg);
	} else if (!err && !good) {
		ev_set(why, EV_CERT_EXAM_CHAIN);
		ev_str(why, "cn", trust_identity_cn(id));
		ev_str(why, "role", as_client ? "client" : "server");
		trust_verdict_fields(v, why);
		/* "this node refused the peer: ..." is said of others; this one is ours */
		size_t reason = text_find_text(text_of(v->sentence), TEXT(": "));
		ev_str(why, "verdict", reason == SIZE_MAX ? v->sentence : v->sentence + reason + 2);
		err = EINVAL;
	}
	mem_free(v);
	return err;
}

static int examine_name(const struct trust_identity *id, const char *fqdn, struct ev_report *why)
{
	char names[512];
	struct trust_names us = { 0 };
	if (!fqdn || !*fqdn)
		return 0;
	trust_names_add_str(&us, fqdn);
	if (trust_rule_would_accept(TRUST_RULE_SAN_OR_CN, trust_identity_cert(id), &us))
		return 0;
	ev_set(why, EV_CERT_EXAM_NAME);
	ev_str(why, "cn", trust_identity_cn(id));
	ev_str(why, "fqdn", fqdn);
	ev_str(why, "names", trust_names_join(&trust_identity_cert(id)->sans, names, sizeof names));
	return EINVAL;
}

/* A role that it has no usage for matters only where it has that role. */
static bool has_role(const struct trust_identity *id, bool as_client, const struct cert_examine_prm *prm)
{
	uint8_t eku = trust_identity_cert(id)->eku, need = as_client ? TRUST_EKU_CLIENT : TRUST_EKU_SERVER;
	return (as_client ? prm->dials : prm->serves) || !(eku & TRUST_EKU_PRESENT) || (eku & need);
}

int cert_examine(const struct trust_identity *id, const struct cert_examine_prm *prm, struct ev_report *why, trust_warn_h *each, void *arg)
{
	struct buf roots, chain;
	buf_init(&roots, TRUST_PEM_MAX);
	buf_init(&chain, TRUST_PEM_MAX);
	int err = put_anchors(&roots, prm->set);
	if (!err)
		err = put_chain(&chain, id);
	for (int client = 0; !err && roots.n && client < 2; client++)
		if (has_role(id, client, prm))
			err = examine_role(id, buf_as_text(&roots), buf_as_text(&chain), client, prm->now_s, why, each, arg);
	if (!err)
		err = examine_name(id, prm->fqdn, why);
	if (!err)
		(void)trust_identity_check(id, prm->fqdn, prm->service, prm->now_s, each, arg);
	buf_free(&roots);
	buf_free(&chain);
	return err;
}

/* ---- files ---- */

int cert_write_installed(struct trust_identity **installed, const char *data_dir, const struct trust_identity *id, const char *name,
			 struct ev_report *why)
{
	char path[PATH_SIZE], old[PATH_SIZE];
	struct buf all;
	buf_init(&all, TRUST_PEM_MAX);
	int err = make_folder(data_dir, why);
	if (!err && !buf_reserve(&all, 65536)) /* one that grows would leave copies of the key behind */
		err = buf_error(&all);
	if (!err)
		err = trust_pem_put_key(&all, trust_identity_key(id));
	if (!err)
		err = put_chain(&all, id);
	cert_installed_path(data_dir, name, path);
	path_of(data_dir, name, ".pem.old", old);
	if (!err)
		err = keep_old(path, old, why);
	bool kept = !err;
	if (!err)
		err = write_file(path, &all, 0600, why);
	free_secret(&all);
	struct trust_identity_prm prm = { .name = name, .cert_file = path, .key_file = path };
	if (!err)
		err = trust_identity_load(installed, &prm, why);
	if (err && kept) /* nothing half done is left for the next start to find */
		(void)cert_unwrite_installed(data_dir, name);
	return err;
}

int cert_outlive(const char *data_dir, const char *name, const char *configured_file)
{
	char path[PATH_SIZE];
	struct stat configured;
	if (!*configured_file || stat(configured_file, &configured) != 0 || changed_ns(configured_file) <= changed_ns(cert_installed_path(data_dir, name, path)))
		return 0;
	struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, configured.st_mtim };
	return utimensat(AT_FDCWD, path, times, 0) == 0 ? 0 : errno;
}

int cert_unwrite_installed(const char *data_dir, const char *name)
{
	char path[PATH_SIZE], old[PATH_SIZE];
	cert_installed_path(data_dir, name, path);
	path_of(data_dir, name, ".pem.old", old);
	if (rename(old, path) == 0)
		return 0;
	return errno == ENOENT && (unlink(path) == 0 || errno == ENOENT) ? 0 : errno;
}

/* ---- the swap ---- */

int cert_put_live(struct trust_keeper *keeper, struct trust_identity *id, struct ev_bus *bus)
{
	struct trust_set *was = trust_keeper_get(keeper), *now = NULL;
	int err = trust_set_copy(&now, was);
	if (!err)
		err = trust_set_identity(now, id);
	if (!err)
		trust_keeper_swap(keeper, now);
	if (!err && bus) {
		struct ev_report *r = mem_alloc(sizeof *r);
		ev_set(r, EV_TRUST_SET_SWAPPED);
		ev_str(r, "identity", trust_identity_name(id));
		ev_str(r, "cn", trust_identity_cn(id));
		ev_str(r, "fingerprint", trust_identity_fingerprint(id));
		if (r)
			ev_emit(bus, r);
		mem_free(r);
	}
	mem_unref(now);
	mem_unref(was);
	return err;
}

int cert_take_out(struct trust_keeper *keeper, const char *name)
{
	struct trust_set *was = trust_keeper_get(keeper), *now = NULL;
	int err = trust_set_copy(&now, was);
	if (!err) {
		trust_set_drop(now, name);
		trust_keeper_swap(keeper, now);
	}
	mem_unref(now);
	mem_unref(was);
	return err;
}
