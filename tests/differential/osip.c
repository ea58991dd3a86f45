/* SPDX-License-Identifier: Apache-2.0 */
/* osip.c  The parser of libosip2 as a filter. */
#include "reader.h"
#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>
#include <stdlib.h>
#include <string.h>

static void field(const char *s)
{
	reader_field(s, s ? strlen(s) : 0);
}

static void param(osip_list_t *list, char *name)
{
	osip_generic_param_t *p = NULL;

	field(osip_generic_param_get_byname(list, name, &p) == 0 && p ? p->gvalue : NULL);
}

/* It takes multipart bodies apart, and sees no body without Content-Type or Content-Length: then it has no word on the length. */
static void body_length(osip_message_t *m)
{
	osip_body_t *body = NULL;

	if (osip_message_get_body(m, 0, &body) < 0 || !body || (m->content_type && m->content_type->type && !osip_strcasecmp(m->content_type->type, "multipart")))
		field("?");
	else
		reader_number(body->length);
}

static void tell(osip_message_t *m)
{
	osip_via_t *via = NULL;
	static char tag[] = "tag", branch[] = "branch";
	char *id = NULL;

	if (!m->call_id || !m->cseq || !m->cseq->number || !m->from || !m->to || osip_message_get_via(m, 0, &via) < 0 || !via ||
	    (!MSG_IS_RESPONSE(m) && !m->sip_method) || osip_call_id_to_str(m->call_id, &id)) {
		reader_refused();
		return;
	}
	if (MSG_IS_RESPONSE(m))
		reader_number((unsigned long)m->status_code);
	else
		field(m->sip_method);
	field(id);
	osip_free(id);
	field(m->cseq->number);
	field(m->cseq->method);
	param(&m->from->gen_params, tag);
	param(&m->to->gen_params, tag);
	param(&via->via_params, branch);
	body_length(m);
}

void reader_message(char *data, size_t n)
{
	static int ready;
	osip_message_t *m = NULL;

	if (!ready)
		parser_init();
	ready = 1;
	if (strlen(data) != n || osip_message_init(&m)) { /* to it a NUL is the end */
		reader_refused();
		return;
	}
	if (osip_message_parse(m, data, n))
		reader_refused();
	else
		tell(m);
	osip_message_free(m);
}
