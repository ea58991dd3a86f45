/* SPDX-License-Identifier: Apache-2.0 */
/* crls.c  One job a minute over all authorities: is the list missing, old, or older than the journal? Then it is made anew. What lies there afterwards
 * is what is served. Readers of other threads share one mutex with the swap.                                               */
#include "cert/crls.h"
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "cert/authority.h"
#include "cert_events.h"
#include "net/tmr.h"
#include "trust/pem.h"

enum { LOOK_MS = 60000, LISTS_MAX = 64, PATH_SIZE = 512 };

struct list_file {
	char ca_file[PATH_SIZE], name[64];
	int64_t crl_ns; /* of the list that `der` was read from; -1: none */
	uint8_t *der;
	size_t der_n;
	int64_t from_s, until_s;
	bool failed; /* said already */
};

struct cert_crls {
	struct cert_crls_prm prm;
	pthread_mutex_t lock; /* over der of all lists */
	struct list_file list[LISTS_MAX];
	unsigned n;
	struct tmr timer;
	struct look *looking;
	bool again;
};

/* A job carries copies. */
struct one {
	char ca_file[PATH_SIZE];
	int64_t known_ns, crl_ns, from_s, until_s;
	struct buf der;
	bool made, read;
	unsigned revoked;
	int err;
	struct ev_report why;
};
struct look {
	struct cert_crls *c; /* NULL: it is gone */
	const struct um_clock *clock;
	unsigned n;
	struct one one[];
};

static int64_t changed_ns(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec : -1;
}

/* ---- in a worker ---- */

static void read_list(struct one *o, const char *path)
{
	struct buf pem;
	STACK_OF(X509_CRL) *all = NULL;
	unsigned char *p = NULL;
	struct tm tm;
	buf_init(&pem, 16 << 20);
	buf_clear(&o->der);
	o->err = trust_pem_file(&pem, path);
	if (!o->err)
		o->err = trust_pem_crls(&all, buf_as_text(&pem));
	int n = o->err ? 0 : i2d_X509_CRL(sk_X509_CRL_value(all, 0), &p);
	if (!o->err)
		o->err = n > 0 ? buf_put(&o->der, p, (size_t)n) : EBADMSG;
	const ASN1_TIME *until = o->err ? NULL : X509_CRL_get0_nextUpdate(sk_X509_CRL_value(all, 0));
	const ASN1_TIME *from = o->err ? NULL : X509_CRL_get0_lastUpdate(sk_X509_CRL_value(all, 0));
	if (until && ASN1_TIME_to_tm(until, &tm))
		o->until_s = (int64_t)timegm(&tm);
	if (from && ASN1_TIME_to_tm(from, &tm))
		o->from_s = (int64_t)timegm(&tm);
	o->read = !o->err;
	OPENSSL_free(p);
	sk_X509_CRL_pop_free(all, X509_CRL_free);
	buf_free(&pem);
}

/* A day after it was made it is made again: who fetches it then has six more. One that begins later was made by a clock that was ahead: to others
 * it is not good yet. */
static bool stale(const struct one *o, const struct um_clock *clock)
{
	return o->until_s - clock_real_s(clock) < (CERT_CRL_DAYS - 1) * 86400LL || o->from_s > clock_real_s(clock);
}

static void look_at(struct one *o, const struct um_clock *clock)
{
	char index[PATH_SIZE], crl[PATH_SIZE], key[PATH_SIZE];
	int64_t journal = changed_ns(cert_authority_path(o->ca_file, ".index", index));
	o->crl_ns = changed_ns(cert_authority_path(o->ca_file, ".crl", crl));
	if (o->crl_ns >= 0 && o->crl_ns != o->known_ns)
		read_list(o, crl);
	bool ours = journal >= 0 && access(cert_authority_path(o->ca_file, ".key", key), F_OK) == 0;
	if (!ours || (!o->err && o->crl_ns > journal && !stale(o, clock)))
		return;
	struct cert_crl_prm prm = { .clock = clock, .ca_cert_file = o->ca_file };
	o->err = cert_crl_make(&prm, &o->revoked, &o->why);
	o->made = !o->err;
	if (o->made) {
		o->crl_ns = changed_ns(crl);
		read_list(o, crl);
	}
}

static int work(void *arg)
{
	struct look *l = arg;
	for (unsigned i = 0; i < l->n; i++)
		look_at(&l->one[i], l->clock);
	return 0;
}

/* ---- on the loop ---- */

static void tell(struct cert_crls *c, struct list_file *f, struct one *o)
{
	char at[RFC3339_SIZE], sentence[512];
	struct ev_report *r = mem_alloc(sizeof *r);
	bool news = o->made || (o->err && !f->failed);
	f->failed = o->err != 0;
	if (r && news) {
		ev_set(r, o->made ? EV_CERT_CRL_MADE : EV_CERT_CRL_FAILED);
		ev_str(r, "file", o->ca_file);
		ev_int(r, "revoked", o->revoked);
		ev_str(r, "error", o->why.id ? ev_sentence(&o->why, sentence, sizeof sentence) : strerrordesc_np(o->err));
		ev_str(r, "until", f->until_s ? rfc3339_s(f->until_s, at) : "(there is none)");
		ev_emit(c->prm.bus, r);
	}
	mem_free(r);
}

static void take(struct cert_crls *c, struct list_file *f, struct one *o)
{
	char label[160], name[96];
	size_t n = 0;
	uint8_t *der = o->read ? buf_take(&o->der, &n) : NULL;
	if (der) {
		pthread_mutex_lock(&c->lock);
		uint8_t *old = f->der;
		f->der = der;
		f->der_n = n;
		pthread_mutex_unlock(&c->lock);
		mem_free(old);
		f->crl_ns = o->crl_ns;
		f->from_s = o->from_s;
		f->until_s = o->until_s;
	}
	if (f->der) {
		text_print(label, sizeof label, "list=\"%s\"", metric_label(text_of(f->name), name, sizeof name));
		metric_set(metric_get(c->prm.metrics, METRIC_GAUGE, "umbel_crl_seconds_left", label, "Seconds until a served revocation list ends"),
			   f->until_s - clock_real_s(loop_clock(c->prm.loop)));
	}
	tell(c, f, o);
}

static void look_free(struct look *l)
{
	for (unsigned i = 0; i < l->n; i++)
		buf_free(&l->one[i].der);
	mem_free(l);
}

static void done(enum pool_result result, int err, void *arg)
{
	struct look *l = arg;
	struct cert_crls *c = l->c;
	(void)err;
	if (c) {
		c->looking = NULL;
		for (unsigned i = 0; result == POOL_DONE && i < l->n; i++)
			for (unsigned k = 0; k < c->n; k++)
				if (strcmp(c->list[k].ca_file, l->one[i].ca_file) == 0)
					take(c, &c->list[k], &l->one[i]);
	}
	look_free(l);
	if (c && c->again)
		cert_crls_look(c);
}

void cert_crls_look(struct cert_crls *c)
{
	c->again = c->looking != NULL;
	struct look *l = c->n && !c->looking ? mem_zalloc(1, sizeof *l + c->n * sizeof l->one[0]) : NULL;
	if (!l)
		return;
	l->c = c;
	l->clock = loop_clock(c->prm.loop);
	l->n = c->n;
	for (unsigned i = 0; i < c->n; i++) {
		text_fill(l->one[i].ca_file, sizeof l->one[i].ca_file, c->list[i].ca_file);
		l->one[i].known_ns = c->list[i].crl_ns;
		l->one[i].from_s = c->list[i].from_s;
		l->one[i].until_s = c->list[i].until_s;
		buf_init(&l->one[i].der, 16 << 20);
	}
	c->looking = l;
	if (pool_submit(c->prm.pool, work, done, l) != 0) {
		c->looking = NULL;
		look_free(l);
	}
}

static void on_time(void *arg)
{
	struct cert_crls *c = arg;
	tmr_start(c->prm.loop, &c->timer, LOOK_MS, on_time, c);
	cert_crls_look(c);
}

static void drop_lists(struct cert_crls *c)
{
	pthread_mutex_lock(&c->lock);
	for (unsigned i = 0; i < c->n; i++)
		mem_free(c->list[i].der);
	memset(c->list, 0, sizeof c->list);
	c->n = 0;
	pthread_mutex_unlock(&c->lock);
}

static void name_of(const char *path, char *dst, size_t size)
{
	char stem[PATH_SIZE];
	const char *slash = strrchr(cert_authority_path(path, "", stem), '/');
	text_fill(dst, size, slash ? slash + 1 : stem);
}

static bool same_files(const struct cert_crls *c, const char *const *ca_files, size_t n)
{
	if (n > LISTS_MAX || n != c->n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(c->list[i].ca_file, ca_files[i]) != 0)
			return false;
	return true;
}

int cert_crls_watch(struct cert_crls *c, const char *const *ca_files, size_t n)
{
	if (!same_files(c, ca_files, n)) {
		drop_lists(c);
		pthread_mutex_lock(&c->lock);
		for (size_t i = 0; i < n && c->n < LISTS_MAX; i++) {
			struct list_file *f = &c->list[c->n++];
			text_fill(f->ca_file, sizeof f->ca_file, ca_files[i]);
			name_of(ca_files[i], f->name, sizeof f->name);
			f->crl_ns = -1;
		}
		pthread_mutex_unlock(&c->lock);
	}
	cert_crls_look(c);
	return 0;
}

int cert_crls_get(struct cert_crls *c, struct text name, struct buf *der)
{
	int err = ENOENT;
	pthread_mutex_lock(&c->lock);
	for (unsigned i = 0; i < c->n && err == ENOENT; i++)
		if (c->list[i].der && text_is(name, c->list[i].name))
			err = buf_put(der, c->list[i].der, c->list[i].der_n);
	pthread_mutex_unlock(&c->lock);
	return err;
}

int cert_crls_create(struct cert_crls **cp, const struct cert_crls_prm *prm)
{
	struct cert_crls *c = mem_zalloc(1, sizeof *c);
	if (!c)
		return ENOMEM;
	c->prm = *prm;
	pthread_mutex_init(&c->lock, NULL);
	tmr_start(prm->loop, &c->timer, LOOK_MS, on_time, c);
	*cp = c;
	return 0;
}

void cert_crls_destroy(struct cert_crls *c)
{
	if (!c)
		return;
	tmr_cancel(&c->timer);
	if (c->looking)
		c->looking->c = NULL;
	drop_lists(c);
	pthread_mutex_destroy(&c->lock);
	mem_free(c);
}
