/* SPDX-License-Identifier: Apache-2.0 */
/* authority.c  The journal of a private CA: lines of words between tabs, the first of which says what the line is:
 *
 *     cdp      URL
 *     issued   SERIAL  ISSUED  NOT_AFTER  SHA256  SUBJECT
 *     revoked  SERIAL  AT      REASON                                                                              */
#include "cert/authority.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "cert/ca_private.h"
#include "cert_events.h"
#include "trust/pem.h"
#include "trust/rule.h"

enum { PATH_SIZE = 512, INDEX_MAX = 16 << 20, WORDS = 6 };

char *cert_authority_path(const char *ca_cert_file, const char *ending, char *dst)
{
	struct text path = text_of(ca_cert_file);
	size_t dot = text_rfind(path, '.'), slash = text_rfind(path, '/');
	bool has = dot != SIZE_MAX && (slash == SIZE_MAX || dot > slash);
	text_print(dst, PATH_SIZE, "%.*s%s", has ? (int)dot : (int)path.n, path.p, ending);
	return dst;
}

/* ---- reading ---- */

struct line {
	struct text word[WORDS];
	unsigned n;
};

static void split(struct line *l, struct text t)
{
	struct text rest = t;
	for (l->n = 0; l->n < WORDS && rest.p; l->n++)
		text_cut(rest, '\t', &l->word[l->n], &rest);
	for (unsigned i = l->n; i < WORDS; i++)
		l->word[i] = TEXT_NONE;
}

static int read_index(const char *ca_cert_file, struct buf *b, struct ev_report *why)
{
	char path[PATH_SIZE];
	int err = trust_pem_file(b, cert_authority_path(ca_cert_file, ".index", path));
	if (err && err != ENOENT)
		ca_complain(why, EV_CERT_FILE_FAILED, path, NULL, err);
	return err == ENOENT ? 0 : err;
}

static bool next_line(struct text *rest, struct line *l)
{
	struct text t;
	if (!text_cut(*rest, '\n', &t, rest)) /* half a line at the end tells nothing */
		return false;
	split(l, text_trim(t));
	return true;
}

static void find_end(struct text rest, struct cert_issued *c)
{
	struct line l;
	uint64_t at = 0;
	while (next_line(&rest, &l))
		if (text_is(l.word[0], "revoked") && text_is(l.word[1], c->serial) && text_u64(l.word[2], INT64_MAX, &at) == 0) {
			c->revoked_s = (int64_t)at;
			(void)text_copy(l.word[3], c->reason, sizeof c->reason);
		}
}

static bool read_issued(const struct line *l, struct cert_issued *c)
{
	uint64_t issued = 0, ends = 0;
	memset(c, 0, sizeof *c);
	bool good = text_copy(l->word[1], c->serial, sizeof c->serial) == 0 && text_u64(l->word[2], INT64_MAX, &issued) == 0 &&
		    text_u64(l->word[3], INT64_MAX, &ends) == 0 && text_copy(l->word[4], c->sha256, sizeof c->sha256) == 0;
	(void)text_copy(text_head(l->word[5], sizeof c->subject - 1), c->subject, sizeof c->subject);
	c->issued_s = (int64_t)issued;
	c->not_after_s = (int64_t)ends;
	return good;
}

int cert_authority_each(const char *ca_cert_file, cert_issued_h *each, void *arg, struct ev_report *why)
{
	char path[PATH_SIZE];
	struct cert_issued c;
	struct line l;
	struct buf b;
	buf_init(&b, INDEX_MAX);
	int err = read_index(ca_cert_file, &b, why);
	struct text rest = buf_as_text(&b);
	while (!err && next_line(&rest, &l)) {
		if (!text_is(l.word[0], "issued"))
			continue;
		if (!read_issued(&l, &c))
			err = ca_complain(why, EV_CERT_FILE_FAILED, cert_authority_path(ca_cert_file, ".index", path), "a line in it is damaged", EBADMSG);
		else {
			find_end(rest, &c);
			each(&c, arg);
		}
	}
	buf_free(&b);
	return err;
}

int cert_authority_cdp(const char *ca_cert_file, char *url, size_t size, struct ev_report *why)
{
	struct line l;
	struct buf b;
	buf_init(&b, INDEX_MAX);
	text_fill(url, size, "");
	int err = read_index(ca_cert_file, &b, why);
	struct text rest = buf_as_text(&b);
	while (!err && next_line(&rest, &l))
		if (text_is(l.word[0], "cdp"))
			(void)text_copy(l.word[1], url, size);
	buf_free(&b);
	return err;
}

/* ---- writing ---- */

/* Where the last whole line ends. What stands behind it is half of one: the disk was full, or the power went; nobody was given what it tells of. */
static int find_end_of_lines(int fd, off_t *end)
{
	char piece[4096];
	off_t at = lseek(fd, 0, SEEK_END);
	while (at > 0) {
		off_t from = at > (off_t)sizeof piece ? at - (off_t)sizeof piece : 0;
		ssize_t n = pread(fd, piece, (size_t)(at - from), from);
		if (n != at - from)
			return n < 0 ? errno : EIO;
		const char *last = memrchr(piece, '\n', (size_t)n);
		if (last) {
			*end = from + (last - piece) + 1;
			return 0;
		}
		at = from;
	}
	*end = 0;
	return at < 0 ? errno : 0;
}

/* All of it, or nothing. */
static int write_line(int fd, const char *words)
{
	size_t n = strlen(words);
	off_t end = 0;
	int err = find_end_of_lines(fd, &end);
	if (err)
		return err;
	ssize_t put = ftruncate(fd, end) < 0 ? -1 : pwrite(fd, words, n, end);
	err = put == (ssize_t)n ? 0 : put < 0 ? errno : ENOSPC;
	if (!err && fsync(fd) < 0)
		err = errno;
	if (err && ftruncate(fd, end) < 0) {
		/* then the next one does it */
	}
	return err;
}

/* One line at the end, under a lock, on the disk before we go on. */
static int append(const char *ca_cert_file, const char *words, struct ev_report *why)
{
	char path[PATH_SIZE];
	int fd = open(cert_authority_path(ca_cert_file, ".index", path), O_RDWR | O_CREAT | O_CLOEXEC, 0644), err = fd < 0 ? errno : 0;
	if (!err && flock(fd, LOCK_EX) < 0)
		err = errno;
	if (!err)
		err = write_line(fd, words);
	if (fd >= 0)
		close(fd);
	return err ? ca_complain(why, EV_CERT_FILE_FAILED, path, NULL, err) : 0;
}

int cert_authority_set_cdp(const char *ca_cert_file, const char *url, struct ev_report *why)
{
	char line[CERT_CDP_SIZE + 16];
	if (strpbrk(url, "\t\r\n ,;") || (!text_starts_nocase(text_of(url), "http://") && !text_starts_nocase(text_of(url), "ldap://")) ||
	    strlen(url) >= CERT_CDP_SIZE) {
		ev_set(why, EV_CERT_CDP_BAD);
		ev_str(why, "url", url);
		return EINVAL;
	}
	text_print(line, sizeof line, "cdp\t%s\n", url);
	return append(ca_cert_file, line, why);
}

int cert_authority_issued(const char *ca_cert_file, X509 *leaf, int64_t now_s, struct ev_report *why)
{
	char serial[CERT_SERIAL_SIZE], line[1024], subject[512];
	struct trust_cert *c = mem_alloc(sizeof *c);
	if (!c)
		return ENOMEM;
	trust_cert_describe(c, leaf);
	text_escape(text_of(c->subject), subject, sizeof subject);
	int err = text_print(line, sizeof line, "issued\t%s\t%lld\t%lld\t%s\t%s\n", ca_serial_words(X509_get0_serialNumber(leaf), serial), (long long)now_s,
			     (long long)c->not_after_s, c->sha256, subject);
	mem_free(c);
	return err ? err : append(ca_cert_file, line, why);
}

/* ---- revoking ---- */

static const char *const reasons[] = { "unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation" };

bool cert_reason_known(const char *reason)
{
	for (unsigned i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (strcmp(reasons[i], reason) == 0)
			return true;
	return false;
}

struct search {
	const char *serial;
	bool found, revoked;
};

static void look_for(const struct cert_issued *c, void *arg)
{
	struct search *s = arg;
	if (text_eq_nocase(text_of(c->serial), text_of(s->serial))) {
		s->found = true;
		s->revoked = c->revoked_s != 0;
	}
}

int cert_authority_revoke(const char *ca_cert_file, const char *serial, const char *reason, int64_t now_s, struct ev_report *why)
{
	char line[256], upper[CERT_SERIAL_SIZE];
	struct search s = { .serial = serial };
	int err = cert_authority_each(ca_cert_file, look_for, &s, why);
	if (!err && (!s.found || s.revoked)) {
		ev_set(why, s.found ? EV_CERT_REVOKED_BEFORE : EV_CERT_NOT_OURS);
		ev_str(why, "serial", serial);
		ev_str(why, "file", ca_cert_file);
		return s.found ? EALREADY : ENOENT;
	}
	text_fill(upper, sizeof upper, serial);
	for (char *c = upper; *c; c++)
		*c = *c >= 'a' && *c <= 'f' ? (char)(*c - 'a' + 'A') : *c;
	if (!err)
		err = text_print(line, sizeof line, "revoked\t%s\t%lld\t%s\n", upper, (long long)now_s, reason);
	return err ? err : append(ca_cert_file, line, why);
}

/* ---- the list ---- */

struct listing {
	X509_CRL *crl;
	int64_t now_s;
	unsigned n;
	int err;
};

enum { KEEP_EXPIRED_S = 30 * 86400 }; /* a list may drop what has expired once it was named there after its end (RFC 5280 3.3) */

static int reason_code(const char *reason)
{
	static const int codes[] = { CRL_REASON_UNSPECIFIED, CRL_REASON_KEY_COMPROMISE, CRL_REASON_AFFILIATION_CHANGED, CRL_REASON_SUPERSEDED,
				     CRL_REASON_CESSATION_OF_OPERATION };
	for (unsigned i = 1; i < sizeof reasons / sizeof *reasons; i++)
		if (strcmp(reasons[i], reason) == 0)
			return codes[i];
	return CRL_REASON_UNSPECIFIED;
}

static bool set_entry(X509_REVOKED *r, const struct cert_issued *c)
{
	BIGNUM *n = NULL;
	ASN1_INTEGER *serial = BN_hex2bn(&n, c->serial) ? BN_to_ASN1_INTEGER(n, NULL) : NULL;
	ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)c->revoked_s);
	ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();
	int reason = reason_code(c->reason);
	/* "unspecified" is said by saying nothing (RFC 5280 5.3.1) */
	bool ok = serial && at && code && X509_REVOKED_set_serialNumber(r, serial) && X509_REVOKED_set_revocationDate(r, at) &&
		  ASN1_ENUMERATED_set(code, reason) &&
		  (reason == CRL_REASON_UNSPECIFIED || X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, code, 0, 0));
	ASN1_ENUMERATED_free(code);
	ASN1_TIME_free(at);
	ASN1_INTEGER_free(serial);
	BN_free(n);
	return ok;
}

static void put_entry(const struct cert_issued *c, void *arg)
{
	struct listing *l = arg;
	if (!c->revoked_s || l->err || c->not_after_s + KEEP_EXPIRED_S < l->now_s)
		return;
	X509_REVOKED *r = X509_REVOKED_new();
	if (!r || !set_entry(r, c) || !X509_CRL_add0_revoked(l->crl, r)) {
		X509_REVOKED_free(r);
		l->err = ENOMEM;
		return;
	}
	l->n++;
}

/* The number only ever grows: microseconds since 1970 do. */
static bool set_number(X509_CRL *crl, int64_t now_us)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	bool ok = n && ASN1_INTEGER_set_int64(n, now_us) && X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0);
	ASN1_INTEGER_free(n);
	return ok;
}

static bool set_head(X509_CRL *crl, const struct ca_pair *ca, const struct cert_crl_prm *prm)
{
	int64_t now_s = clock_real_s(prm->clock);
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(now_s - 300)); /* clocks differ */
	ASN1_TIME *to = ASN1_TIME_set(NULL, (time_t)(now_s + (int64_t)(prm->days ? prm->days : CERT_CRL_DAYS) * 86400));
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, ca->cert, NULL, NULL, crl, 0);
	X509_EXTENSION *aki = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid");
	bool ok = from && to && X509_CRL_set_version(crl, 1) && X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert)) &&
		  X509_CRL_set1_lastUpdate(crl, from) && X509_CRL_set1_nextUpdate(crl, to) && (!aki || X509_CRL_add_ext(crl, aki, -1)) &&
		  set_number(crl, clock_real_us(prm->clock));
	X509_EXTENSION_free(aki);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return ok;
}

static int write_list(const char *ca_cert_file, X509_CRL *crl, struct ev_report *why)
{
	char path[PATH_SIZE], *p = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	long n = bio && PEM_write_bio_X509_CRL(bio, crl) ? BIO_get_mem_data(bio, &p) : 0;
	int err = n > 0 ? trust_file_write(cert_authority_path(ca_cert_file, ".crl", path), p, (size_t)n, 0644) : ENOMEM;
	BIO_free(bio);
	return err ? ca_complain(why, EV_CERT_FILE_FAILED, path, NULL, err) : 0;
}

/* While a list is made, nothing is revoked: else one made from an older journal could replace a younger one. -1: there is no journal. */
static int hold_journal(const char *ca_cert_file)
{
	char path[PATH_SIZE];
	int fd = open(cert_authority_path(ca_cert_file, ".index", path), O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)flock(fd, LOCK_EX);
	return fd;
}

int cert_crl_make(const struct cert_crl_prm *prm, unsigned *revoked, struct ev_report *why)
{
	int journal = hold_journal(prm->ca_cert_file);
	struct ca_pair ca = { 0 };
	struct listing l = { .now_s = clock_real_s(prm->clock) };
	int err = ca_pair_read(&ca, prm->ca_cert_file, prm->ca_key_file, why);
	if (!err && (!(l.crl = X509_CRL_new()) || !set_head(l.crl, &ca, prm)))
		err = ENOMEM;
	if (!err)
		err = cert_authority_each(prm->ca_cert_file, put_entry, &l, why);
	if (!err)
		err = l.err;
	if (!err && (!X509_CRL_sort(l.crl) || !X509_CRL_sign(l.crl, ca.key, EVP_sha256())))
		err = EIO;
	if (!err)
		err = write_list(prm->ca_cert_file, l.crl, why);
	if (!err && revoked)
		*revoked = l.n;
	if (journal >= 0)
		close(journal);
	X509_CRL_free(l.crl);
	ca_pair_free(&ca);
	ERR_clear_error();
	return err;
}
