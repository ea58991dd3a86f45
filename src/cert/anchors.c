/* SPDX-License-Identifier: Apache-2.0 */
/* anchors.c  One PEM file, read whole and written whole. */
#include "cert/anchors.h"
#include <errno.h>
#include <sys/stat.h>
#include "base/mem.h"
#include "cert_events.h"
#include "trust/pem.h"
#include "trust/rule.h"

enum { PATH_SIZE = 512 };

char *cert_anchors_path(const char *data_dir, char *dst)
{
	text_print(dst, PATH_SIZE, "%s/tls/anchors.pem", data_dir);
	return dst;
}

static int read_certs(const char *path, STACK_OF(X509) **all)
{
	struct buf pem;
	buf_init(&pem, TRUST_PEM_MAX);
	int err = trust_pem_file(&pem, path);
	if (!err && pem.n)
		err = trust_pem_certs(all, buf_as_text(&pem));
	else if ((!err || err == ENOENT) && !(*all = sk_X509_new_null()))
		err = ENOMEM;
	else if (err == ENOENT)
		err = 0;
	buf_free(&pem);
	return err;
}

static int failed(struct ev_report *why, const char *path, int err)
{
	ev_set(why, EV_CERT_FILE_FAILED);
	ev_str(why, "file", path);
	ev_str(why, "error", strerrordesc_np(err));
	return err;
}

static int write_certs(const char *data_dir, STACK_OF(X509) *all, struct ev_report *why)
{
	char path[PATH_SIZE], folder[PATH_SIZE];
	struct buf pem;
	buf_init(&pem, TRUST_PEM_MAX);
	text_print(folder, sizeof folder, "%s/tls", data_dir);
	int err = mkdir(folder, 0700) < 0 && errno != EEXIST ? errno : 0;
	for (int i = 0; !err && i < sk_X509_num(all); i++)
		err = trust_pem_put_cert(&pem, sk_X509_value(all, i));
	if (!err)
		err = trust_file_write(cert_anchors_path(data_dir, path), pem.p ? (const void *)pem.p : "", pem.n, 0644);
	buf_free(&pem);
	return err ? failed(why, err == EACCES ? folder : path, err) : 0;
}

int cert_anchors_load(struct trust_set *set, const char *data_dir, struct ev_report *why)
{
	char path[PATH_SIZE];
	STACK_OF(X509) *all = NULL;
	int err = read_certs(cert_anchors_path(data_dir, path), &all);
	if (err)
		failed(why, path, err);
	for (int i = 0; !err && i < sk_X509_num(all); i++)
		err = trust_set_anchor(set, sk_X509_value(all, i));
	sk_X509_pop_free(all, X509_free);
	return err;
}

static bool holds(STACK_OF(X509) *all, X509 *x)
{
	for (int i = 0; i < sk_X509_num(all); i++)
		if (X509_cmp(sk_X509_value(all, i), x) == 0)
			return true;
	return false;
}

int cert_anchors_add(const char *data_dir, struct text pem, unsigned *n, struct ev_report *why)
{
	char path[PATH_SIZE];
	STACK_OF(X509) *kept = NULL, *fresh = NULL;
	int err = trust_pem_certs(&fresh, pem);
	if (err)
		return failed(why, "the text given", err);
	*n = (unsigned)sk_X509_num(fresh);
	if ((err = read_certs(cert_anchors_path(data_dir, path), &kept)) != 0)
		failed(why, path, err);
	for (X509 *x; !err && (x = sk_X509_shift(fresh)) != NULL;)
		if (holds(kept, x) || !sk_X509_push(kept, x))
			X509_free(x);
	if (!err)
		err = write_certs(data_dir, kept, why);
	sk_X509_pop_free(fresh, X509_free);
	sk_X509_pop_free(kept, X509_free);
	return err;
}

/* Index of the one whose fingerprint begins so; -1 none, -2 several. */
static int find(STACK_OF(X509) *all, const char *sha256)
{
	struct trust_cert *c = mem_alloc(sizeof *c);
	int at = -1;
	for (int i = 0; c && i < sk_X509_num(all); i++) {
		trust_cert_describe(c, sk_X509_value(all, i));
		if (strncasecmp(c->sha256, sha256, strlen(sha256)) == 0)
			at = at == -1 ? i : -2;
	}
	mem_free(c);
	return at;
}

static int by_file(const char *const *ca_files, unsigned n, const char *sha256, struct ev_report *why)
{
	for (unsigned i = 0; i < n; i++) {
		STACK_OF(X509) *all = NULL;
		bool here = !read_certs(ca_files[i], &all) && find(all, sha256) != -1;
		sk_X509_pop_free(all, X509_free);
		if (!here)
			continue;
		ev_set(why, EV_CERT_ANCHOR_BY_FILE);
		ev_str(why, "sha256", sha256);
		ev_str(why, "file", ca_files[i]);
		return EPERM;
	}
	return 0;
}

int cert_anchors_remove(const char *data_dir, const char *const *ca_files, unsigned n_files, const char *sha256, struct ev_report *why)
{
	char path[PATH_SIZE];
	STACK_OF(X509) *kept = NULL;
	int err = by_file(ca_files, n_files, sha256, why);
	if (!err && (err = read_certs(cert_anchors_path(data_dir, path), &kept)) != 0)
		failed(why, path, err);
	int at = err ? -1 : find(kept, sha256);
	if (!err && at < 0)
		err = at == -1 ? ENOENT : ENOTUNIQ;
	if (!err) {
		X509_free(sk_X509_delete(kept, at));
		err = write_certs(data_dir, kept, why);
	}
	sk_X509_pop_free(kept, X509_free);
	return err;
}
