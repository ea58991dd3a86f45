/* SPDX-License-Identifier: Apache-2.0 */
/* message_access.c  Reading a message that was parsed: headers by id and name, lists over several headers, the endpoint's checks. */
#include <errno.h>
#include "sip/chars.h"
#include "sip/message.h"

const struct sip_hdr *sip_msg_hdr(const struct sip_msg *msg, enum sip_hdr_id id)
{
	return msg->first[id] ? &msg->hdr[msg->first[id] - 1] : NULL;
}

const struct sip_hdr *sip_msg_hdr_next(const struct sip_msg *msg, const struct sip_hdr *h)
{
	return h->next ? &msg->hdr[h->next - 1] : NULL;
}

struct text sip_msg_value(const struct sip_msg *msg, enum sip_hdr_id id)
{
	const struct sip_hdr *h = sip_msg_hdr(msg, id);

	return h ? h->value : TEXT_NONE;
}

const struct sip_hdr *sip_msg_hdr_named(const struct sip_msg *msg, const char *name)
{
	enum sip_hdr_id id = sip_hdr_id_of(text_of(name));
	const struct sip_hdr *h = sip_msg_hdr(msg, id);

	if (id != SIP_HDR_OTHER)
		return h;
	while (h && !text_is_nocase(h->name, name))
		h = sip_msg_hdr_next(msg, h);
	return h;
}

struct sip_iter sip_iter_of(const struct sip_msg *msg, enum sip_hdr_id id)
{
	const struct sip_hdr *h = sip_msg_hdr(msg, id);

	return (struct sip_iter){ msg, h, h ? h->value : TEXT_NONE };
}

int sip_iter_next(struct sip_iter *it, struct text *item)
{
	while (it->hdr) {
		int err = sip_list_next(&it->rest, item);

		if (err != ENOENT)
			return err;
		it->hdr = sip_msg_hdr_next(it->msg, it->hdr);
		it->rest = it->hdr ? it->hdr->value : TEXT_NONE;
	}
	return ENOENT;
}

int sip_iter_addr(struct sip_iter *it, struct sip_addr *a)
{
	struct text item;
	int err = sip_iter_next(it, &item);

	return err ? err : sip_addr_parse(a, item, NULL);
}

bool sip_msg_has_token(const struct sip_msg *msg, enum sip_hdr_id id, const char *token)
{
	for (const struct sip_hdr *h = sip_msg_hdr(msg, id); h; h = sip_msg_hdr_next(msg, h))
		if (sip_list_has(h->value, token))
			return true;
	return false;
}

int sip_msg_contact(const struct sip_msg *msg, struct sip_addr *a)
{
	struct sip_iter it = sip_iter_of(msg, SIP_HDR_CONTACT);
	int err = sip_iter_addr(&it, a);

	return err ? err : a->star ? EBADMSG : 0;
}

static bool in_list(const char *const *list, struct text t)
{
	for (; list && *list; list++)
		if (text_is_nocase(t, *list))
			return true;
	return false;
}

static int check_require(const struct sip_msg *msg, const struct sip_served *served, struct sip_refusal *why)
{
	struct sip_iter it = sip_iter_of(msg, SIP_HDR_REQUIRE);
	struct text item;
	int err;

	while ((err = sip_iter_next(&it, &item)) == 0)
		if (!in_list(served->extensions, item))
			return sip_refuse(why, SIP_FAULT_BAD_EXTENSION, item);
	return err == ENOENT ? 0 : sip_refuse(why, SIP_FAULT_HEADER_VALUE, sip_msg_value(msg, SIP_HDR_REQUIRE));
}

static bool body_type_served(struct text value, const char *const *types)
{
	struct sip_media_type m, known;

	if (sip_media_type_parse(&m, value, NULL))
		return false;
	if (text_is_nocase(m.type, "multipart"))
		return true;
	for (; *types; types++)
		if (!sip_media_type_parse(&known, text_of(*types), NULL) && text_eq_nocase(known.type, m.type) &&
		    text_eq_nocase(known.subtype, m.subtype))
			return true;
	return false;
}

/* A body that may be ignored (Content-Disposition ...;handling=optional, RFC 3204) is never a reason to refuse. */
static int check_body(const struct sip_msg *msg, const struct sip_served *served, struct sip_refusal *why)
{
	struct text type = sip_msg_value(msg, SIP_HDR_CONTENT_TYPE), disposition, kind, params, handling;
	struct sip_iter it = sip_iter_of(msg, SIP_HDR_CONTENT_ENCODING);
	struct text encoding;

	if (!msg->body.n || !served->body_types)
		return 0;
	disposition = sip_msg_value(msg, SIP_HDR_CONTENT_DISPOSITION);
	text_cut(disposition, ';', &kind, &params);
	if (sip_param_find(params, "handling", &handling) && text_is_nocase(handling, "optional"))
		return 0;
	if (!type.n || !body_type_served(type, served->body_types))
		return sip_refuse(why, SIP_FAULT_MEDIA_TYPE, type);
	while (!sip_iter_next(&it, &encoding))
		if (!text_is_nocase(encoding, "identity"))
			return sip_refuse(why, SIP_FAULT_BODY_ENCODING, encoding);
	return 0;
}

int sip_msg_check(const struct sip_msg *msg, const struct sip_served *served, struct sip_refusal *why)
{
	int err;

	if (msg->method == SIP_METHOD_OTHER || !(served->methods & 1u << msg->method))
		return sip_refuse(why, SIP_FAULT_METHOD_NOT_ALLOWED, msg->method_text);
	if (msg->uri.scheme == SIP_SCHEME_OTHER)
		return sip_refuse(why, SIP_FAULT_SCHEME_NOT_SERVED, msg->uri.scheme_text);
	if (msg->method == SIP_ACK || msg->method == SIP_CANCEL)
		return 0;
	err = check_require(msg, served, why);
	return err ? err : check_body(msg, served, why);
}
