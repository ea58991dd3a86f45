/* SPDX-License-Identifier: Apache-2.0 */
/* note.c  Which MESSAGE is a note, and its answer, now or later. */
#include "sip/note.h"
#include "base/mem.h"
#include "sip/conns.h"
#include "sip/core_private.h"

struct sip_note_way {
	struct sip_core *core;
	struct sip_stx *stx; /* a reference */
	bool answered;
};

static void way_destroy(void *object)
{
	struct sip_note_way *way = object;

	mem_unref(way->stx);
}

void sip_core_notes(struct sip_core *core, const char *type, const char *subtype, sip_note_h *h, void *arg)
{
	core->note.type = type;
	core->note.subtype = subtype;
	core->note.h = h;
	core->note.arg = arg;
}

bool sip_is_note(const struct sip_core *core, const struct sip_path *path, const struct sip_msg *req)
{
	struct sip_media_type type;

	return core->note.h && req->method == SIP_MESSAGE && path->transport == NET_TLS && path->conn && text_empty(req->to_tag) &&
	       !sip_media_type_parse(&type, sip_msg_value(req, SIP_HDR_CONTENT_TYPE), NULL) && sip_media_type_is(&type, core->note.type, core->note.subtype);
}

void sip_note_answer(struct sip_note_way *way, unsigned status, const char *sentence)
{
	struct sip_reply r = { .status = status, .sentence = sentence };

	if (way->answered)
		return;
	way->answered = true;
	if (status == 503)
		r.retry_after_s = way->core->prm.limits.retry_after_s;
	if (status >= 300) {
		way->core->stats.refused++;
		metric_add(way->core->m.refused, 1);
	}
	(void)sip_reply(way->core, way->stx, &r);
}

void sip_note_take(struct sip_core *core, struct sip_stx *stx, const struct sip_msg *req)
{
	struct sip_source src;
	struct trust_facts *facts = mem_alloc(sizeof(*facts));
	struct sip_note_way *way = mem_object(sizeof(*way), way_destroy);
	struct sip_note note = { .src = &src, .body = req->body };

	if (facts && way) {
		way->core = core;
		way->stx = mem_ref(stx);
		sip_source(&src, facts, sip_stx_path(stx));
		core->note.h(&note, way, core->note.arg);
	} else {
		(void)sip_reply(core, stx, &(struct sip_reply){ .status = 503 });
	}
	mem_unref(way);
	mem_free(facts);
}
