/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "admin/http.h"

static const char *get(uint16_t port, const char *path)
{
	static char text[65536];
	struct net_addr to;
	size_t n = 0;
	assert_int_equal(net_addr_parse(&to, TEXT("127.0.0.1"), port), 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, &to.u.sa, net_addr_len(&to)), 0);
	char rq[200];
	text_print(rq, sizeof rq, "GET %s HTTP/1.0\r\n\r\n", path);
	assert_int_equal(send(fd, rq, strlen(rq), 0), (long)strlen(rq));
	for (ssize_t got; (got = recv(fd, text + n, sizeof text - n - 1, 0)) > 0;)
		n += (size_t)got;
	text[n] = '\0';
	close(fd);
	return text;
}

/* Connections that say nothing, all of one address: another address is answered all the same. */
static void one_address_does_not_take_all_places(uint16_t port)
{
	enum { MANY = 80 };
	struct net_addr to, from;
	int fd[MANY];
	assert_int_equal(net_addr_parse(&to, TEXT("127.0.0.1"), port), 0);
	assert_int_equal(net_addr_parse(&from, TEXT("127.0.0.77"), 0), 0);
	for (unsigned i = 0; i < MANY; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(fd[i], &from.u.sa, net_addr_len(&from)), 0);
		assert_int_equal(connect(fd[i], &to.u.sa, net_addr_len(&to)), 0);
		(void)!send(fd[i], "GET /", 5, MSG_NOSIGNAL);
	}
	assert_non_null(strstr(get(port, "/healthz"), "alive"));
	for (unsigned i = 0; i < MANY; i++)
		close(fd[i]);
}

static void pages_tell_metrics_health_and_readiness(void **state)
{
	(void)state;
	struct loop *loop;
	struct node *node;
	struct metrics *metrics;
	struct admin_http *http;
	assert_int_equal(loop_create(&loop, clock_system()), 0);
	assert_int_equal(metrics_create(&metrics), 0);
	metric_add(metric_get(metrics, METRIC_COUNTER, "umbel_test_total", NULL, "a test"), 3);
	struct node_prm np = { .loop = loop, .clock = clock_system(), .name = "n" };
	assert_int_equal(node_create(&node, &np), 0);
	struct admin_http_prm prm = { .loop = loop, .metrics = metrics, .node = node_view(node) };
	assert_int_equal(net_addr_parse(&prm.listen, TEXT("127.0.0.1"), 0), 0);
	assert_int_equal(admin_http_create(&http, &prm, NULL), 0);
	uint16_t port = admin_http_port(http);
	assert_non_null(strstr(get(port, "/metrics"), "umbel_test_total 3"));
	assert_non_null(strstr(get(port, "/metrics"), "umbel_node_ready 0\n"));
	assert_non_null(strstr(get(port, "/metrics"), "umbel_node_need_met{need=\"store\"} 0\n"));
	assert_non_null(strstr(get(port, "/healthz"), "alive"));
	assert_non_null(strstr(get(port, "/readyz"), " 503 "));
	for (unsigned i = 0; i < NODE_NEEDS; i++)
		node_met(node, (enum node_need)i);
	assert_non_null(strstr(get(port, "/readyz"), " 200 "));
	assert_non_null(strstr(get(port, "/else"), " 404 "));
	one_address_does_not_take_all_places(port);
	admin_http_destroy(http);
	node_destroy(node);
	metrics_destroy(metrics);
	loop_destroy(loop);
}

UT_MAIN(UT(pages_tell_metrics_health_and_readiness))
