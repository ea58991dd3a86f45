/* SPDX-License-Identifier: Apache-2.0 */
/* calendar_fetch.c  HTTP(S) by libcurl, and what its errors mean to an administrator. */
#include "directory/calendar_fetch.h"
#include <curl/curl.h>
#include <errno.h>
#include <openssl/x509_vfy.h>
#include <string.h>

enum { CONNECT_MS = 10000, TIMEOUT_MS = 30000, REDIRECTS_MAX = 3, HEADERS_MAX_BYTES = 64 << 10 };

static const struct {
	const char *word, *why, *advice;
} causes[] = {
#define CAUSE(id, word, why, advice) { word, why, advice },
#include "directory/calendar.def"
#undef CAUSE
};

const char *calendar_cause_word(enum calendar_cause c)
{
	return (unsigned)c < sizeof causes / sizeof causes[0] ? causes[c].word : "?";
}

char *calendar_server(const char *url, char *dst, size_t size)
{
	struct text t = text_of(url);
	size_t at = text_find_text(t, TEXT("://"));
	t = at == SIZE_MAX ? t : text_skip(t, at + 3);
	for (size_t i = 0; i < t.n; i++)
		if (strchr("/?#", t.p[i])) {
			t = text_head(t, i);
			break;
		}
	at = text_rfind(t, '@'); /* who logs on stands before it */
	t = at == SIZE_MAX ? t : text_skip(t, at + 1);
	text_print(dst, size, "%.*s", TEXT_FMT(t));
	return dst;
}

void calendar_library(bool on)
{
	if (on)
		curl_global_init(CURL_GLOBAL_DEFAULT);
	else
		curl_global_cleanup();
}

/* ---- while it runs ---- */

struct run {
	const struct calendar_ask *ask;
	struct calendar_answer *a;
	CURL *curl;
	size_t header_bytes;
	bool too_large;
};

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct run *r = arg;
	int err = buf_put(&r->a->body, p, size * n);
	r->too_large = r->too_large || err == EMSGSIZE;
	return err ? 0 : size * n;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct run *r = arg;
	(void)p;
	r->header_bytes += size * n;
	if (r->header_bytes > HEADERS_MAX_BYTES)
		r->too_large = true;
	return r->too_large ? 0 : size * n;
}

static int on_progress(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	const struct run *r = arg;
	(void)down_all;
	(void)down;
	(void)up_all;
	(void)up;
	return r->ask->stop && atomic_load(r->ask->stop);
}

/* ---- before it ---- */

/* Bytes of another server's header go back to it: no more of them than a line may hold. */
static bool sendable(const char *tag)
{
	for (const char *p = tag; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return *tag != '\0';
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
	char line[CALENDAR_TAG_SIZE + 64];
	if (!sendable(value))
		return true;
	text_print(line, sizeof line, "%s: %s", name, value);
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (longer)
		*list = longer;
	return longer != NULL;
}

static CURLcode set_up(struct run *r, struct curl_slist *headers)
{
	CURL *c = r->curl;
	const struct calendar_ask *ask = r->ask;
	CURLcode e = CURLE_OK;
#define SET(option, value) e = e ? e : curl_easy_setopt(c, option, value)
	SET(CURLOPT_ERRORBUFFER, r->a->detail);
	SET(CURLOPT_URL, ask->url);
	SET(CURLOPT_PROTOCOLS_STR, ask->plain_http ? "https,http" : "https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, text_starts_nocase(text_of(ask->url), "https:") ? "https" : "https,http"); /* never from safe to open */
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L); /* a resolver that hangs keeps nobody from stopping */
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	SET(CURLOPT_TIMEOUT_MS, ask->timeout_ms ? (long)ask->timeout_ms : (long)TIMEOUT_MS);
	SET(CURLOPT_MAXFILESIZE, (long)CFG_CALENDAR_MAX_BYTES);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (*ask->ca_file) {
		SET(CURLOPT_CAINFO, ask->ca_file);
		SET(CURLOPT_CAPATH, NULL); /* these, and nobody else */
	}
	SET(CURLOPT_USERAGENT, "Umbel/" UMBEL_VERSION);
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, r);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, r);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, r);
#undef SET
	return e;
}

/* ---- after it ---- */

static enum calendar_cause cause_of_certificate(CURL *c)
{
	long verify = 0;
	curl_easy_getinfo(c, CURLINFO_SSL_VERIFYRESULT, &verify);
	switch (verify) {
	case X509_V_OK:              /* the chain is good: it was the name, */
	case X509_V_ERR_UNSPECIFIED: /* or the chain's result was not even asked for, since the name is compared first */
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return CALENDAR_TLS_NAME;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return CALENDAR_EXPIRED;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_CERT_UNTRUSTED:
		return CALENDAR_ISSUER;
	default:
		return CALENDAR_TLS;
	}
}

static enum calendar_cause cause_of(const struct run *r, CURLcode e)
{
	long redirects = 0;
	curl_easy_getinfo(r->curl, CURLINFO_REDIRECT_COUNT, &redirects);
	if (r->too_large)
		return CALENDAR_SIZE;
	switch (e) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return CALENDAR_NAME;
	case CURLE_COULDNT_CONNECT:
		return CALENDAR_NOBODY;
	case CURLE_OPERATION_TIMEDOUT:
		return CALENDAR_TIME;
	case CURLE_PEER_FAILED_VERIFICATION:
		return cause_of_certificate(r->curl);
	case CURLE_SSL_CACERT_BADFILE:
		return CALENDAR_OWN_CA;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
		return CALENDAR_TLS;
	case CURLE_TOO_MANY_REDIRECTS:
		return CALENDAR_REDIRECTS;
	case CURLE_UNSUPPORTED_PROTOCOL:
		return CALENDAR_PLAIN_REDIRECT;
	case CURLE_FILESIZE_EXCEEDED:
		return CALENDAR_SIZE;
	case CURLE_ABORTED_BY_CALLBACK:
		return CALENDAR_STOPPED;
	default:
		return CALENDAR_OTHER;
	}
}

static enum calendar_cause cause_of_status(long status)
{
	if (status == 200)
		return CALENDAR_NONE;
	if (status == 401 || status == 403 || status == 407)
		return CALENDAR_DENIED;
	return status == 404 || status == 410 ? CALENDAR_GONE : CALENDAR_STATUS;
}

static void keep_header(CURL *c, const char *name, char dst[CALENDAR_TAG_SIZE])
{
	struct curl_header *h;
	dst[0] = '\0';
	if (curl_easy_header(c, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK && strlen(h->value) < CALENDAR_TAG_SIZE && sendable(h->value))
		text_fill(dst, CALENDAR_TAG_SIZE, h->value); /* one cut short would never match */
}

static int judge(struct run *r)
{
	struct calendar_answer *a = r->a;
	curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &a->status);
	if (a->status == 304 && (*r->ask->etag || *r->ask->last_modified)) {
		a->unchanged = true;
		return 0;
	}
	a->cause = cause_of_status(a->status);
	if (a->cause)
		return 0;
	keep_header(r->curl, "ETag", a->etag);
	keep_header(r->curl, "Last-Modified", a->last_modified);
	int err = cfg_calendar_count(r->ask->time_zone, buf_as_text(&a->body), &a->count);
	if (err == EINVAL || err == E2BIG)
		a->cause = err == EINVAL ? CALENDAR_NO_CALENDAR : CALENDAR_HEAVY;
	return a->cause ? 0 : err;
}

int calendar_fetch(const struct calendar_ask *ask, struct calendar_answer *a)
{
	struct run r = { .ask = ask, .a = a, .curl = curl_easy_init() };
	struct curl_slist *headers = NULL;
	int err = 0;
	buf_init(&a->body, CFG_CALENDAR_MAX_BYTES);
	bool good =
		r.curl && add_header(&headers, "If-None-Match", ask->etag) && add_header(&headers, "If-Modified-Since", ask->last_modified);
	CURLcode e = good ? set_up(&r, headers) : CURLE_OUT_OF_MEMORY;
	if (!e)
		e = curl_easy_perform(r.curl);
	if (e == CURLE_OUT_OF_MEMORY || buf_error(&a->body) == ENOMEM)
		err = ENOMEM;
	else if (e)
		a->cause = cause_of(&r, e);
	else
		err = judge(&r);
	curl_slist_free_all(headers);
	if (r.curl)
		curl_easy_cleanup(r.curl);
	return err;
}

void calendar_words(const struct calendar_ask *ask, const struct calendar_answer *a, struct ev_report *r)
{
	char server[CALENDAR_SERVER_SIZE];
	struct buf b;
	unsigned cause = (unsigned)a->cause < sizeof causes / sizeof causes[0] ? (unsigned)a->cause : CALENDAR_OTHER;
	ev_str(r, "server", calendar_server(ask->url, server, sizeof server));
	ev_int(r, "status", a->status);
	ev_int(r, "seconds", (ask->timeout_ms ? ask->timeout_ms : TIMEOUT_MS) / 1000);
	ev_str(r, "ca", ask->ca_file);
	ev_str(r, "detail", a->detail);
	buf_init(&b, 4096);
	if (ev_render(causes[cause].why, r, &b) == 0)
		ev_text(r, "why", buf_as_text(&b));
	buf_clear(&b);
	if (ev_render(causes[cause].advice, r, &b) == 0)
		ev_text(r, "advice", buf_as_text(&b));
	buf_free(&b);
}
