/* SPDX-License-Identifier: Apache-2.0 */
/* addr.c  Addresses as values. */
#include "net/addr.h"
#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

static void unmap(struct net_addr *a)
{
	if (a->u.sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->u.v6.sin6_addr))
		return;
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = a->u.v6.sin6_port };
	memcpy(&v4.sin_addr, a->u.v6.sin6_addr.s6_addr + 12, 4);
	memset(a, 0, sizeof *a);
	a->u.v4 = v4;
}

int net_addr_parse(struct net_addr *a, struct text host, uint16_t port)
{
	char s[INET6_ADDRSTRLEN];
	struct net_addr r = { 0 };
	bool bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	if (bracketed)
		host = text_make(host.p + 1, host.n - 2);
	if (text_copy(host, s, sizeof s))
		return EINVAL;
	if (!bracketed && inet_pton(AF_INET, s, &r.u.v4.sin_addr) == 1) {
		r.u.v4.sin_family = AF_INET;
		r.u.v4.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, s, &r.u.v6.sin6_addr) == 1) {
		r.u.v6.sin6_family = AF_INET6;
		r.u.v6.sin6_port = htons(port);
	} else {
		return EINVAL;
	}
	unmap(&r);
	*a = r;
	return 0;
}

int net_addr_parse_port(struct net_addr *a, struct text host_port, uint16_t default_port)
{
	uint32_t port = default_port;
	size_t colon = text_rfind(host_port, ':'), bracket = text_rfind(host_port, ']');
	bool has_port = colon != SIZE_MAX && (bracket != SIZE_MAX ? colon > bracket : text_find(host_port, ':') == colon);
	if (has_port && text_u32(text_skip(host_port, colon + 1), 65535, &port))
		return EINVAL;
	return net_addr_parse(a, has_port ? text_head(host_port, colon) : host_port, (uint16_t)port);
}

void net_addr_from(struct net_addr *a, const struct sockaddr *sa)
{
	memset(a, 0, sizeof *a);
	if (sa->sa_family == AF_INET)
		memcpy(&a->u.v4, sa, sizeof a->u.v4);
	else if (sa->sa_family == AF_INET6)
		memcpy(&a->u.v6, sa, sizeof a->u.v6);
	unmap(a);
}

socklen_t net_addr_len(const struct net_addr *a)
{
	return a->u.sa.sa_family == AF_INET6 ? sizeof a->u.v6 : sizeof a->u.v4;
}

bool net_addr_is_set(const struct net_addr *a)
{
	return a->u.sa.sa_family != AF_UNSPEC;
}

bool net_addr_is_v6(const struct net_addr *a)
{
	return a->u.sa.sa_family == AF_INET6;
}

bool net_addr_is_any(const struct net_addr *a)
{
	if (net_addr_is_v6(a))
		return IN6_IS_ADDR_UNSPECIFIED(&a->u.v6.sin6_addr);
	return a->u.v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

bool net_addr_is_loopback(const struct net_addr *a)
{
	if (net_addr_is_v6(a))
		return IN6_IS_ADDR_LOOPBACK(&a->u.v6.sin6_addr);
	return ntohl(a->u.v4.sin_addr.s_addr) >> 24 == 127;
}

uint16_t net_addr_port(const struct net_addr *a)
{
	return ntohs(net_addr_is_v6(a) ? a->u.v6.sin6_port : a->u.v4.sin_port);
}

void net_addr_set_port(struct net_addr *a, uint16_t port)
{
	if (net_addr_is_v6(a))
		a->u.v6.sin6_port = htons(port);
	else
		a->u.v4.sin_port = htons(port);
}

bool net_addr_eq_host(const struct net_addr *a, const struct net_addr *b)
{
	if (a->u.sa.sa_family != b->u.sa.sa_family)
		return false;
	if (net_addr_is_v6(a))
		return memcmp(&a->u.v6.sin6_addr, &b->u.v6.sin6_addr, 16) == 0 && a->u.v6.sin6_scope_id == b->u.v6.sin6_scope_id;
	return a->u.v4.sin_addr.s_addr == b->u.v4.sin_addr.s_addr;
}

bool net_addr_eq(const struct net_addr *a, const struct net_addr *b)
{
	return net_addr_eq_host(a, b) && net_addr_port(a) == net_addr_port(b);
}

/* Written for each call many times over: sprintf() would cost ten times as much. All three return the end. */
static char *print_number(char *at, unsigned n)
{
	char digits[10];
	unsigned i = sizeof digits;
	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	memcpy(at, digits + i, sizeof digits - i);
	return at + sizeof digits - i;
}

static char *print_v4(char *at, struct in_addr addr)
{
	uint8_t byte[4];
	memcpy(byte, &addr, sizeof byte);
	for (unsigned i = 0; i < 4; i++) {
		if (i)
			*at++ = '.';
		at = print_number(at, byte[i]);
	}
	*at = '\0';
	return at;
}

static char *print_port(char *at, uint16_t port)
{
	*at++ = ':';
	at = print_number(at, port);
	*at = '\0';
	return at;
}

char *net_addr_print_host(const struct net_addr *a, char *dst)
{
	if (net_addr_is_set(a) && !net_addr_is_v6(a)) {
		print_v4(dst, a->u.v4.sin_addr);
		return dst;
	}
	const void *from = net_addr_is_v6(a) ? (const void *)&a->u.v6.sin6_addr : &a->u.v4.sin_addr;
	if (!net_addr_is_set(a) || !inet_ntop(a->u.sa.sa_family, from, dst, NET_ADDR_SIZE))
		text_fill(dst, NET_ADDR_SIZE, "?");
	return dst;
}

char *net_addr_print(const struct net_addr *a, char *dst)
{
	char host[NET_ADDR_SIZE];
	if (net_addr_is_set(a) && !net_addr_is_v6(a)) {
		print_port(print_v4(dst, a->u.v4.sin_addr), net_addr_port(a));
		return dst;
	}
	net_addr_print_host(a, host);
	snprintf(dst, NET_ADDR_SIZE, net_addr_is_v6(a) ? "[%.45s]:%u" : "%.45s:%u", host, net_addr_port(a));
	return dst;
}

/* A datagram socket that knows its way; connecting it sends nothing. -1: errno. */
static int way_to(const struct net_addr *to)
{
	struct net_addr peer = *to;
	if (!net_addr_port(&peer))
		net_addr_set_port(&peer, 9);
	int fd = socket(peer.u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, &peer.u.sa, net_addr_len(&peer)) == 0)
		return fd;
	int err = errno;
	close(fd);
	errno = err;
	return -1;
}

int net_addr_local_for(struct net_addr *local, const struct net_addr *to)
{
	struct net_addr got = { 0 };
	socklen_t len = sizeof got.u;
	int fd = way_to(to);
	if (fd < 0)
		return errno;
	int err = getsockname(fd, &got.u.sa, &len) < 0 ? errno : 0;
	close(fd);
	if (err)
		return err;
	net_addr_set_port(&got, 0);
	*local = got;
	return 0;
}

size_t net_addr_mtu(const struct net_addr *to)
{
	bool v6 = net_addr_is_v6(to);
	int mtu = 0, fd = way_to(to);
	socklen_t len = sizeof mtu;
	if (fd < 0)
		return 0;
	if (getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &len) < 0 || mtu < 0)
		mtu = 0;
	close(fd);
	return (size_t)mtu;
}
