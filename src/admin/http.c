/* SPDX-License-Identifier: Apache-2.0 */
/* http.c  Three pages for monitoring, and revocation lists. */
#include "admin/http.h"
#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include "admin_events.h"
#include "base/mem.h"
#include "cert/crls.h"
#include "net/tmr.h"

enum { HEART_MS = 1000, HEART_DEAD_S = 10, CONNECTIONS = 64, OF_ONE_ADDRESS = 16, TIMEOUT_S = 10, PAGE_MAX = 4 << 20 };

struct admin_http {
	struct admin_http_prm prm;
	struct MHD_Daemon *daemon;
	struct tmr heart;
	atomic_llong beat_us; /* monotonic: when the loop last said that it lives */
};

static void heart_h(void *arg)
{
	struct admin_http *h = arg;
	atomic_store(&h->beat_us, clock_mono_us(loop_clock(h->prm.loop)));
	tmr_start(h->prm.loop, &h->heart, HEART_MS, heart_h, h);
}

/* ---- on the HTTP thread ---- */

static enum MHD_Result answer(struct MHD_Connection *conn, unsigned status, const char *type, const void *body, size_t n)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(n, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	enum MHD_Result done = MHD_queue_response(conn, status, r);
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result answer_text(struct MHD_Connection *conn, unsigned status, const char *line)
{
	char body[512];
	text_print(body, sizeof body, "%s\n", line);
	return answer(conn, status, "text/plain; charset=utf-8", body, strlen(body));
}

/* The node's own view, which is no registry's: ready or not, each need, and what memory it has in use. */
static void put_node(const struct node_view *v, struct buf *b)
{
	unsigned not_met = atomic_load(&v->not_met);
	buf_printf(b, "# HELP umbel_node_ready Whether new calls are welcome\n# TYPE umbel_node_ready gauge\numbel_node_ready %d\n",
	           atomic_load(&v->state) == NODE_READY);
	buf_str(b, "# HELP umbel_node_need_met Whether what every call needs is there\n# TYPE umbel_node_need_met gauge\n");
	for (unsigned i = 0; i < NODE_NEEDS; i++)
		buf_printf(b, "umbel_node_need_met{need=\"%s\"} %d\n", node_need_name((enum node_need)i), !(not_met & (1u << i)));
	buf_printf(b, "# HELP umbel_build_info The version that runs\n# TYPE umbel_build_info gauge\numbel_build_info{version=\"%s\"} 1\n", UMBEL_VERSION);
	buf_printf(b, "# HELP umbel_memory_blocks Blocks of memory in use\n# TYPE umbel_memory_blocks gauge\numbel_memory_blocks %zu\n", mem_live());
	buf_printf(b, "# HELP umbel_memory_bytes Bytes in these blocks\n# TYPE umbel_memory_bytes gauge\numbel_memory_bytes %zu\n", mem_live_bytes());
}

static enum MHD_Result metrics_page(struct admin_http *h, struct MHD_Connection *conn)
{
	struct buf b;
	buf_init(&b, PAGE_MAX);
	enum MHD_Result done;
	put_node(h->prm.node, &b);
	if (metrics_render(h->prm.metrics, &b) == 0)
		done = answer(conn, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", b.p ? (const void *)b.p : "", b.n);
	else
		done = answer_text(conn, MHD_HTTP_INTERNAL_SERVER_ERROR, "the metrics could not be written: no memory left");
	buf_free(&b);
	return done;
}

static enum MHD_Result health_page(struct admin_http *h, struct MHD_Connection *conn)
{
	int64_t silent_s = (clock_mono_us(loop_clock(h->prm.loop)) - atomic_load(&h->beat_us)) / 1000000;
	if (silent_s <= HEART_DEAD_S)
		return answer_text(conn, MHD_HTTP_OK, "alive");
	char line[96];
	text_print(line, sizeof line, "the signalling thread has not turned for %lld s", (long long)silent_s);
	return answer_text(conn, MHD_HTTP_SERVICE_UNAVAILABLE, line);
}

static enum MHD_Result ready_page(struct admin_http *h, struct MHD_Connection *conn)
{
	char line[256];
	bool ready = node_view_ready(h->prm.node, line, sizeof line);
	return answer_text(conn, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, line);
}

/* "/crl/NAME.crl" */
static enum MHD_Result crl_page(struct admin_http *h, struct MHD_Connection *conn, const char *url)
{
	struct text name = text_skip(text_of(url), strlen("/crl/"));
	struct buf der;
	buf_init(&der, PAGE_MAX * 4);
	int err = !h->prm.crls || !text_ends_nocase(name, ".crl") ? ENOENT : cert_crls_get(h->prm.crls, text_head(name, name.n - 4), &der);
	enum MHD_Result done = err ? answer_text(conn, err == ENOENT ? MHD_HTTP_NOT_FOUND : MHD_HTTP_INTERNAL_SERVER_ERROR, "there is no such revocation list here")
				   : answer(conn, MHD_HTTP_OK, "application/pkix-crl", der.p, der.n);
	buf_free(&der);
	return done;
}

static enum MHD_Result request_h(void *arg, struct MHD_Connection *conn, const char *url, const char *method, const char *version,
                                 const char *data, size_t *size, void **state)
{
	struct admin_http *h = arg;
	(void)version;
	(void)data;
	(void)size;
	(void)state;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return answer_text(conn, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET is known here");
	if (text_starts(text_of(url), "/crl/"))
		return crl_page(h, conn, url);
	if (h->prm.only_crls)
		return answer_text(conn, MHD_HTTP_NOT_FOUND, "there are revocation lists, /crl/NAME.crl");
	if (strcmp(url, "/metrics") == 0)
		return metrics_page(h, conn);
	if (strcmp(url, "/healthz") == 0)
		return health_page(h, conn);
	if (strcmp(url, "/readyz") == 0)
		return ready_page(h, conn);
	return answer_text(conn, MHD_HTTP_NOT_FOUND, "there are /metrics, /healthz, /readyz and /crl/NAME.crl");
}

/* ---- on the loop ---- */

static struct MHD_Daemon *start(struct admin_http *h)
{
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL;
	if (net_addr_is_v6(&h->prm.listen))
		flags |= MHD_USE_IPv6;
	return MHD_start_daemon(flags, net_addr_port(&h->prm.listen), NULL, NULL, request_h, h, MHD_OPTION_SOCK_ADDR, &h->prm.listen.u.sa,
	                        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)OF_ONE_ADDRESS,
	                        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
	                        MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
}

int admin_http_create(struct admin_http **hp, const struct admin_http_prm *prm, struct ev_report *why)
{
	char address[NET_ADDR_SIZE];
	struct admin_http *h = mem_zalloc(1, sizeof *h);
	if (!h)
		return ENOMEM;
	h->prm = *prm;
	heart_h(h);
	errno = 0;
	h->daemon = start(h);
	if (!h->daemon) {
		int err = errno ? errno : EADDRINUSE;
		ev_set(why, EV_ADMIN_HTTP_FAILED);
		ev_str(why, "address", net_addr_print(&prm->listen, address));
		ev_str(why, "error", strerror(err));
		admin_http_destroy(h);
		return err;
	}
	struct ev_report r = { 0 };
	net_addr_set_port(&h->prm.listen, admin_http_port(h));
	ev_set(&r, EV_ADMIN_HTTP_LISTENING);
	ev_str(&r, "address", net_addr_print(&h->prm.listen, address));
	ev_emit(prm->bus, &r);
	*hp = h;
	return 0;
}

void admin_http_destroy(struct admin_http *h)
{
	if (!h)
		return;
	if (h->daemon)
		MHD_stop_daemon(h->daemon);
	tmr_cancel(&h->heart);
	mem_free(h);
}

uint16_t admin_http_port(const struct admin_http *h)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
	return info ? info->port : 0;
}
