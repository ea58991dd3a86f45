/* SPDX-License-Identifier: Apache-2.0 */
/* pem.c  PEM in and out by OpenSSL, with our bounds. */
#include "trust/pem.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"

int trust_pem_file(struct buf *out, const char *path)
{
	struct stat st;
	/* Looked at before it is opened: a pipe without a writer would hold us up there for ever. */
	bool special = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
	int fd = special ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), err = special ? S_ISDIR(st.st_mode) ? EISDIR : EINVAL : fd < 0 ? errno : 0;
	if (!err && fstat(fd, &st) < 0)
		err = errno;
	if (!err && !S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	/* Room for all of it at once: a buffer that grows leaves copies behind, and this may be a key. */
	if (!err && st.st_size > 0 && (uint64_t)st.st_size + 4096 <= out->max - out->n && !buf_reserve(out, (size_t)st.st_size + 4096))
		err = buf_error(out);
	while (!err) {
		uint8_t *at = buf_reserve(out, 4096);
		if (!at) {
			err = buf_error(out);
			break;
		}
		ssize_t n = read(fd, at, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = errno;
		if (n <= 0)
			break;
		buf_grew(out, (size_t)n);
	}
	if (fd >= 0)
		close(fd);
	return err;
}

/* A passphrase is never asked for: a daemon has nobody to ask. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

static BIO *reader(struct text pem)
{
	return pem.n && pem.n <= TRUST_PEM_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
}

/* The DER in the next block of that kind: 0; ENOENT if there are no more; EBADMSG if it is damaged. OPENSSL_free() it. */
static int read_block(unsigned char **der, long *n, const char *kind, BIO *bio)
{
	if (PEM_bytes_read_bio(der, n, NULL, kind, bio, no_passphrase, NULL) == 1)
		return 0;
	/* The end of the text is "no start line"; anything else is a block that looks like one and is not. */
	unsigned long e = ERR_peek_last_error();
	return e && ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) != PEM_R_NO_START_LINE ? EBADMSG : ENOENT;
}

/* One block: as above, and EBADMSG if it is no certificate, or more than one stands in it. */
static int read_cert(X509 **x, BIO *bio)
{
	unsigned char *der = NULL;
	long n = 0;
	int err = read_block(&der, &n, PEM_STRING_X509, bio);
	if (err)
		return err;
	const unsigned char *at = der;
	*x = d2i_X509(NULL, &at, n);
	bool whole = *x && at == der + n;
	OPENSSL_free(der);
	if (!whole)
		X509_free(*x);
	return whole ? 0 : EBADMSG;
}

static int list_of_der(X509_CRL **crl, const unsigned char *der, size_t n)
{
	const unsigned char *at = der;
	*crl = d2i_X509_CRL(NULL, &at, (long)n);
	if (*crl && at == der + n)
		return 0;
	X509_CRL_free(*crl);
	return EBADMSG;
}

static int read_list(X509_CRL **crl, BIO *bio)
{
	unsigned char *der = NULL;
	long n = 0;
	int err = read_block(&der, &n, PEM_STRING_X509_CRL, bio);
	if (!err)
		err = list_of_der(crl, der, (size_t)n);
	OPENSSL_free(der);
	return err;
}

int trust_pem_certs(STACK_OF(X509) **certs, struct text pem)
{
	BIO *bio = reader(pem);
	STACK_OF(X509) *all = sk_X509_new_null();
	X509 *one;
	int err = all ? 0 : ENOMEM;
	while (!err && bio && sk_X509_num(all) < TRUST_PEM_CERTS && (err = read_cert(&one, bio)) == 0)
		if (!sk_X509_push(all, one)) {
			X509_free(one);
			err = ENOMEM;
		}
	if (err == ENOENT)
		err = 0;
	if (!err && !sk_X509_num(all))
		err = EBADMSG;
	ERR_clear_error();
	BIO_free(bio);
	if (err)
		sk_X509_pop_free(all, X509_free);
	else
		*certs = all;
	return err;
}

/* A list that cannot be read is never passed over: whom it takes back would then be believed. */
int trust_pem_crls(STACK_OF(X509_CRL) **crls, struct text pem)
{
	bool der = pem.n && pem.n <= TRUST_PEM_MAX && pem.p[0] == 0x30;
	BIO *bio = der ? NULL : reader(pem);
	STACK_OF(X509_CRL) *all = sk_X509_CRL_new_null();
	X509_CRL *one;
	int err = all ? 0 : ENOMEM;
	while (!err && (der || bio) && (err = der ? list_of_der(&one, (const unsigned char *)pem.p, pem.n) : read_list(&one, bio)) == 0) {
		if (!sk_X509_CRL_push(all, one)) {
			X509_CRL_free(one);
			err = ENOMEM;
		}
		if (der)
			break;
	}
	if (err == ENOENT)
		err = 0;
	if (!err && !sk_X509_CRL_num(all))
		err = EBADMSG;
	ERR_clear_error();
	BIO_free(bio);
	if (err)
		sk_X509_CRL_pop_free(all, X509_CRL_free);
	else
		*crls = all;
	return err;
}

int trust_pem_key(EVP_PKEY **key, struct text pem)
{
	BIO *bio = reader(pem);
	EVP_PKEY *k = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	BIO_free(bio);
	ERR_clear_error();
	if (!k)
		return EBADMSG;
	*key = k;
	return 0;
}

static int take(struct buf *out, BIO *bio, int ok)
{
	char *p = NULL;
	long n = bio && ok ? BIO_get_mem_data(bio, &p) : 0;
	int err = n > 0 ? buf_put(out, p, (size_t)n) : ENOMEM;
	ERR_clear_error();
	return err;
}

int trust_pem_put_cert(struct buf *out, X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int err = take(out, bio, bio ? PEM_write_bio_X509(bio, cert) : 0);
	BIO_free(bio);
	return err;
}

int trust_pem_put_key(struct buf *out, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	if (!bio)
		bio = BIO_new(BIO_s_mem());
	int err = take(out, bio, bio ? PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) : 0);
	BIO_free(bio);
	return err;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return errno;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int sync_folder_of(const char *path)
{
	char folder[4096];
	text_fill(folder, sizeof folder, path);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int err = fsync(fd) < 0 && errno != EINVAL ? errno : 0;
	close(fd);
	return err;
}

int trust_file_write(const char *path, const void *p, size_t n, unsigned mode)
{
	char temp[4096];
	if (text_print(temp, sizeof temp, "%s.new-XXXXXX", path))
		return ENAMETOOLONG;
	int fd = mkostemp(temp, O_CLOEXEC), err = fd < 0 ? errno : 0; /* 0600 from birth */
	if (err)
		return err;
	err = write_all(fd, p, n);
	if (!err && fchmod(fd, (mode_t)mode) < 0)
		err = errno;
	if (!err && fsync(fd) < 0)
		err = errno;
	if (close(fd) < 0 && !err)
		err = errno;
	if (!err && rename(temp, path) < 0)
		err = errno;
	if (err)
		unlink(temp);
	return err ? err : sync_folder_of(path);
}
