/* SPDX-License-Identifier: Apache-2.0 */
/* text.c  From what was taken to a text, piece by piece: each message whole, behind a line that says when, from whom to whom, and of which call. On a
 * worker. */
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "base/rfc3339.h"
#include "trace/redact.h"
#include "trace/take_private.h"

static void put_host(struct buf *b, const char *name, const struct net_addr *a)
{
	char addr[NET_ADDR_SIZE];
	buf_printf(b, "%s%s%s", name, *name ? " " : "", net_addr_is_set(a) ? net_addr_print(a, addr) : "");
}

/* Lines as they are, but without bytes that a terminal would obey. */
static void put_lines(struct buf *b, struct text rest)
{
	struct text line;
	char clean[4096];
	while (!text_empty(rest)) {
		text_cut(rest, '\n', &line, &rest);
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		while (line.n > sizeof clean / 4 - 1) {
			buf_str(b, text_escape(text_head(line, sizeof clean / 4 - 1), clean, sizeof clean));
			line = text_skip(line, sizeof clean / 4 - 1);
		}
		buf_str(b, text_escape(line, clean, sizeof clean));
		buf_char(b, '\n');
	}
	buf_char(b, '\n');
}

static int message(struct trace_taken *k, const struct trace_entry *e, struct buf *out)
{
	char when[RFC3339_SIZE], *copy = mem_alloc(e->n + 1);
	if (!copy)
		return ENOMEM;
	memcpy(copy, e->data, e->n);
	if (k->redact)
		trace_redact(copy, e->n);
	buf_printf(out, "---- %s  %s  ", rfc3339_us(e->us, when), net_transport_name(e->transport));
	put_host(out, e->in ? e->gateway : k->trace->node, e->in ? &e->peer : &e->local);
	buf_str(out, " -> ");
	put_host(out, e->in ? k->trace->node : e->gateway, e->in ? &e->local : &e->peer);
	if (e->session[0])
		buf_printf(out, "  call %s", e->session);
	buf_str(out, "\n\n");
	put_lines(out, text_make(copy, e->n));
	mem_free_secret(copy, e->n + 1);
	k->saved.packets++;
	return buf_error(out);
}

int trace_text_write(struct trace_taken *k, size_t bytes, struct buf *out, bool *over)
{
	size_t enough = out->n + bytes;
	int err = 0;
	while (!err && k->at < k->n_entries && out->n < enough) {
		struct taken_entry *x = &k->entry[k->at++];
		if (x->e->kind == TRACE_MESSAGE && trace_taken_wants(k, x))
			err = message(k, x->e, out);
		x->e = mem_unref(x->e);
	}
	*over = k->at == k->n_entries;
	return err ? err : buf_error(out);
}
