/* SPDX-License-Identifier: Apache-2.0 */
/* tshark.c  Two readings of the file: the first finds the ports on which SIP or TLS is spoken, the second tells what was said on them. */
#include "capture/tshark.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "capture/child.h"

enum { LINE_MAX_BYTES = 1 << 20, ARGS = 64 + CAP_FIELDS * 2 + CAP_PORTS_MAX * 2, WORDS = 16384, KEYLOG_LINE = 512 };

/* ---- arguments ---- */

struct args {
	const char *v[ARGS];
	unsigned n;
	char words[WORDS]; /* those that are made here */
	size_t used;
};

static void add(struct args *a, const char *word)
{
	if (a->n + 1 < ARGS)
		a->v[a->n++] = word;
	a->v[a->n] = NULL;
}

static void add_made(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add_made(struct args *a, const char *fmt, ...)
{
	va_list ap;
	char *at = a->words + a->used;
	va_start(ap, fmt);
	int n = vsnprintf(at, sizeof a->words - a->used, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof a->words - a->used)
		return;
	a->used += (size_t)n + 1;
	add(a, at);
}

static void begin(struct args *a, bool keys)
{
	static const char *const settings[] = {
		"tcp.desegment_tcp_streams:TRUE", "tcp.reassemble_out_of_order:TRUE", "tcp.try_heuristic_first:TRUE", "tcp.analyze_sequence_numbers:TRUE",
		"tls.desegment_ssl_records:TRUE", "tls.desegment_ssl_application_data:TRUE",
	};
	a->n = 0;
	a->used = 0;
	add(a, "tshark");
	add(a, "-n");
	add(a, "-r");
	add(a, "-");
	for (unsigned i = 0; i < sizeof settings / sizeof *settings; i++) {
		add(a, "-o");
		add(a, settings[i]);
	}
	if (keys) {
		add(a, "-o");
		add(a, "tls.keylog_file:/proc/self/fd/3");
	}
	add(a, "-T");
	add(a, "fields");
	add(a, "-E");
	add_made(a, "separator=%c", CAP_SEPARATOR);
	add(a, "-E");
	add_made(a, "aggregator=%c", CAP_AGGREGATOR);
}

/* ---- running ---- */

static enum cap_read verdict(struct cap_tshark *t, const struct cap_child *c, int err)
{
	text_fill(t->said, sizeof t->said, c->said);
	t->err = err;
	if (err == ENOENT)
		return CAP_READ_NO_TSHARK;
	if (err)
		return CAP_READ_ERRNO;
	if (WIFSIGNALED(c->status))
		return CAP_READ_KILLED;
	struct text said = text_of(c->said);
	if (WEXITSTATUS(c->status) == 0)
		return CAP_READ_OK;
	if (text_find_text(said, TEXT("cut short")) != SIZE_MAX)
		return CAP_READ_SHORT;
	if (text_find_text(said, TEXT("isn't a capture file")) != SIZE_MAX || text_find_text(said, TEXT("isn't a supported")) != SIZE_MAX)
		return CAP_READ_NOT_A_CAPTURE;
	return CAP_READ_FAILED;
}

static enum cap_read run(struct cap_tshark *t, const struct args *a, int keys, void (*line)(struct text, void *), void (*tick)(void *), void *arg)
{
	char path[4096];
	const char *was = getenv("PATH");
	text_print(path, sizeof path, "PATH=%s:/usr/bin:/usr/local/bin", was ? was : "/usr/bin");
	const char *const env[] = { path, "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/nonexistent", "WIRESHARK_CONFIG_DIR=/nonexistent", NULL };
	struct cap_child c = { .argv = a->v, .env = env, .in = t->fd, .extra = keys, .line = line, .tick = tick, .arg = arg, .line_max = LINE_MAX_BYTES };
	if (lseek(t->fd, 0, SEEK_SET) < 0) {
		t->err = errno;
		return CAP_READ_ERRNO;
	}
	int err = cap_child_run(&c);
	t->long_lines += c.long_lines;
	return verdict(t, &c, err);
}

/* ---- the first reading ---- */

enum { FIND_SPORT, FIND_DPORT, FIND_HELLO, FIND_ALPN, FIND_SIP, FIND_FIELDS };
static const char *const find_names[FIND_FIELDS] = { "tcp.srcport", "tcp.dstport", "tls.handshake.type", "tls.handshake.extensions_alpn_str", "sip.CSeq" };

static bool has_port(const uint16_t *list, unsigned n, uint64_t port)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i] == port)
			return true;
	return false;
}

static void use_port(struct cap_tshark *t, uint64_t port)
{
	if (port && t->n_used < CAP_PORTS_MAX && !has_port(t->used, t->n_used, port))
		t->used[t->n_used++] = (uint16_t)port;
}

/* Ports where TLS carries something else, as everybody knows. */
static bool is_others(uint64_t port, struct text alpn)
{
	static const uint16_t others[] = { 443, 465, 563, 587, 636, 853, 989, 990, 992, 993, 995, 3389, 5223, 5222, 5269, 5432, 6697, 8443, 9443 };
	return has_port(others, sizeof others / sizeof *others, port) || (alpn.n && !text_starts_nocase(alpn, "sip"));
}

static void found(struct text line, void *arg)
{
	struct cap_tshark *t = arg;
	struct text v[FIND_FIELDS];
	uint64_t sport = 0, dport = 0, type = 0;
	for (unsigned i = 0; i < FIND_FIELDS; i++)
		if (text_cut(line, CAP_SEPARATOR, &v[i], &line) != (i + 1 < FIND_FIELDS))
			return;
	if (!cap_number(cap_last(v[FIND_SPORT]), 65535, &sport) || !cap_number(cap_last(v[FIND_DPORT]), 65535, &dport))
		return;
	if (v[FIND_SIP].n && !v[FIND_HELLO].n) { /* plain: the service has the lower port, or one known already */
		if (!has_port(t->used, t->n_used, sport) && !has_port(t->used, t->n_used, dport))
			use_port(t, sport < dport ? sport : dport);
	} else if (cap_number(cap_first(v[FIND_HELLO]), 255, &type) && type == 1 && !has_port(t->used, t->n_used, dport)) {
		if (!is_others(dport, cap_first(v[FIND_ALPN])))
			use_port(t, dport);
		else if (t->n_left < sizeof t->left / sizeof *t->left && !has_port(t->left, t->n_left, dport))
			t->left[t->n_left++] = (uint16_t)dport;
	}
}

static void tick(struct cap_tshark *t, unsigned reading);

static void find_tick(void *arg)
{
	tick(arg, 1);
}

static enum cap_read find_ports(struct cap_tshark *t, struct args *a, int keys)
{
	begin(a, keys >= 0);
	add(a, "-Y");
	add(a, "tls.handshake.type == 1 || (tcp && sip)");
	for (unsigned i = 0; i < FIND_FIELDS; i++) {
		add(a, "-e");
		add(a, find_names[i]);
	}
	return run(t, a, keys, found, find_tick, t);
}

/* ---- the second ---- */

struct reading {
	struct cap_tshark *t;
	struct cap_book *b;
};

static void told(struct text line, void *arg)
{
	struct reading *r = arg;
	cap_book_line(r->b, line);
}

/* The child shares our place in the file. */
static void tick(struct cap_tshark *t, unsigned reading)
{
	struct stat st;
	off_t at = lseek(t->fd, 0, SEEK_CUR);
	if (t->progress && fstat(t->fd, &st) == 0 && st.st_size > 0 && at >= 0)
		t->progress(reading, (unsigned)(at * 100 / st.st_size), t->arg);
}

static void read_tick(void *arg)
{
	struct reading *r = arg;
	tick(r->t, r->t->only_ports ? 1 : 2);
}

static enum cap_read read_ports(struct cap_tshark *t, struct cap_book *b, struct args *a, int keys)
{
	struct reading r = { t, b };
	char filter[1024];
	size_t at;
	begin(a, keys >= 0);
	for (unsigned i = 0; i < t->n_used; i++)
		if (t->used[i] != 5060 && t->used[i] != 5061) {
			add(a, "-d");
			add_made(a, "tls.port==%u,sip", t->used[i]);
		}
	text_print(filter, sizeof filter, "(udp && sip) || (exported_pdu && sip) || dns || icmp.type == 3 || icmpv6.type == 1 || tcp.port in {");
	at = strlen(filter);
	for (unsigned i = 0; i < t->n_used && at < sizeof filter; i++, at = strlen(filter))
		text_print(filter + at, sizeof filter - at, "%s%u", i ? ", " : "", t->used[i]);
	text_print(filter + at, sizeof filter - at, "}");
	add(a, "-Y");
	add(a, filter);
	for (unsigned i = 0; i < CAP_FIELDS; i++) {
		add(a, "-e");
		add(a, cap_field_names[i]);
	}
	return run(t, a, keys, told, read_tick, &r);
}

/* Keys go to tshark by a file without a name: a copy on a disk might stay there. */
static int keys_fd(struct text keylog, int *fd)
{
	*fd = -1;
	if (!keylog.n)
		return 0;
	int m = memfd_create("keys", MFD_CLOEXEC);
	if (m < 0)
		return errno;
	for (size_t done = 0; done < keylog.n;) {
		ssize_t n = write(m, keylog.p + done, keylog.n - done);
		if (n < 0) {
			int err = errno;
			close(m);
			return err;
		}
		done += (size_t)n;
	}
	lseek(m, 0, SEEK_SET);
	*fd = m;
	return 0;
}

enum cap_read cap_tshark_read(struct cap_tshark *t, struct cap_book *b)
{
	struct args a;
	int keys;
	enum cap_read r = CAP_READ_OK;
	t->n_used = t->n_left = 0;
	t->long_lines = 0;
	t->err = keys_fd(t->keylog, &keys);
	if (t->err)
		return CAP_READ_ERRNO;
	use_port(t, 5061);
	use_port(t, 5060);
	for (unsigned i = 0; i < t->n_ports; i++)
		use_port(t, t->port[i]);
	if (!t->only_ports)
		r = find_ports(t, &a, keys);
	if (r == CAP_READ_OK || r == CAP_READ_SHORT)
		r = read_ports(t, b, &a, keys);
	if (keys >= 0)
		close(keys);
	if (b->err && (r == CAP_READ_OK || r == CAP_READ_SHORT)) {
		t->err = b->err;
		return CAP_READ_ERRNO;
	}
	return r;
}

/* ---- key logs ---- */

static bool is_hex(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!strchr("0123456789abcdefABCDEF", t.p[i]) || !t.p[i])
			return false;
	return t.n > 0 && t.n % 2 == 0;
}

static bool is_key(struct text line)
{
	static const char *const labels[] = { "CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
		"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET", "EARLY_EXPORTER_SECRET", "CLIENT_EARLY_TRAFFIC_SECRET" };
	struct text label, random, secret;
	bool known = false;
	if (line.n > KEYLOG_LINE || !text_cut(line, ' ', &label, &line) || !text_cut(line, ' ', &random, &secret))
		return false;
	for (unsigned i = 0; i < sizeof labels / sizeof *labels; i++)
		known = known || text_is(label, labels[i]);
	return known && random.n == 64 && is_hex(random) && is_hex(secret);
}

int cap_keylog_clean(struct buf *out, struct text in, unsigned *n)
{
	struct text line;
	*n = 0;
	while (in.n) {
		text_cut(in, '\n', &line, &in);
		line = text_trim(line);
		if (!is_key(line))
			continue;
		buf_text(out, line);
		buf_char(out, '\n');
		++*n;
	}
	return buf_error(out);
}
