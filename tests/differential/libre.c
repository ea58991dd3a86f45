/* SPDX-License-Identifier: Apache-2.0 */
/* libre.c  The parser of libre as a filter. */
#include "reader.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#define HAVE_INET6 1
#include <re/re.h>

static void field(const struct pl *pl)
{
	reader_field(pl->p, pl->l);
}

void reader_message(char *data, size_t n)
{
	struct mbuf *mb = mbuf_alloc(n + 1);
	struct sip_msg *m = NULL;

	if (!mb || mbuf_write_mem(mb, (const uint8_t *)data, n)) {
		reader_refused();
		mem_deref(mb);
		return;
	}
	mb->pos = 0;
	if (sip_msg_decode(&m, mb)) {
		reader_refused();
	} else {
		size_t rest = mbuf_get_left(m->mb), length = pl_isset(&m->clen) ? pl_u32(&m->clen) : rest;

		if (m->req)
			field(&m->met);
		else
			reader_number(m->scode);
		field(&m->callid);
		reader_number(m->cseq.num);
		field(&m->cseq.met);
		field(&m->from.tag);
		field(&m->to.tag);
		field(&m->via.branch);
		reader_number(length < rest ? length : rest);
	}
	mem_deref(m);
	mem_deref(mb);
}
