/* SPDX-License-Identifier: Apache-2.0 */
/* options.c  OPTIONS from a peer is answered by what is true: 200 with what we can do, or 503 with the reason and when to ask again. */
#include "sip/core_private.h"

bool sip_is_ready(struct sip_core *core, const struct sip_peer *peer, struct sip_readiness *r)
{
	*r = (struct sip_readiness){ .ready = true };
	if (core->prm.ready)
		core->prm.ready(peer, r, core->prm.arg);
	if (r->ready && core->draining) {
		r->ready = false;
		text_fill(r->reason, sizeof(r->reason), "this node is being drained: it takes no new calls");
	}
	if (!r->ready && !r->retry_after_s)
		r->retry_after_s = core->prm.limits.retry_after_s;
	return r->ready;
}

static void capabilities(struct buf *b, void *arg)
{
	(void)arg;
	sip_put_capabilities(b);
	sip_put_str(b, "Accept", "application/sdp, application/dtmf-relay, message/sipfrag");
	sip_put_str(b, "Accept-Encoding", "identity");
	sip_put_str(b, "Accept-Language", "en");
	sip_put_str(b, "Allow-Events", "refer, message-summary");
}

void sip_options_answer(struct sip_core *core, struct sip_stx *stx, const struct sip_peer *peer, bool in_dialog)
{
	struct sip_readiness ready;
	struct sip_reply r = { .status = 200, .more = capabilities };

	/* Within a dialog it asks whether that dialog lives, which it does. */
	if (!in_dialog && (!sip_is_ready(core, peer, &ready) || ready.avoid)) {
		r.status = 503;
		r.sentence = ready.reason;
		r.retry_after_s = ready.retry_after_s;
	}
	(void)sip_reply(core, stx, &r);
}
