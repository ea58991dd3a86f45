/* SPDX-License-Identifier: Apache-2.0 */
/* health.c  Up or down, and what is to be said. */
#include "gateway/health.h"
#include "base/text.h"

enum { HOUR_MS = 3600000 };

const char *gw_state_name(enum gw_state s)
{
	static const char *const names[] = { "unknown", "up", "down" };
	return s <= GW_DOWN ? names[s] : "?";
}

static void set_state(struct gw_health *h, enum gw_state to, int64_t now_ms)
{
	h->state = to;
	h->since_ms = h->told_ms = now_ms;
	h->failed = 0;
}

enum gw_say gw_health_answer(struct gw_health *h, const struct gw_health_prm *prm, int64_t now_ms)
{
	h->misses = 0;
	h->answers++;
	if (h->state == GW_UP)
		return GW_SAY_NOTHING;
	if (h->state == GW_UNKNOWN) {
		set_state(h, GW_UP, now_ms);
		h->reason[0] = '\0';
		return GW_SAY_UP;
	}
	if (h->answers < prm->answers)
		return GW_SAY_NOTHING;
	uint64_t failed = h->failed;
	set_state(h, GW_UP, now_ms);
	h->failed = failed; /* told once more, by the event of the return */
	h->reason[0] = '\0';
	return GW_SAY_BACK;
}

static enum gw_say still_down(struct gw_health *h, const struct gw_health_prm *prm, int64_t now_ms, bool other_reason)
{
	h->failed++;
	if (other_reason) {
		h->told_ms = now_ms;
		return GW_SAY_REASON;
	}
	if (now_ms - h->told_ms < (prm->remind_ms ? prm->remind_ms : HOUR_MS))
		return GW_SAY_NOTHING;
	h->told_ms = now_ms;
	return GW_SAY_STILL;
}

enum gw_say gw_health_miss(struct gw_health *h, const struct gw_health_prm *prm, int64_t now_ms, const char *reason)
{
	bool other = strncmp(h->reason, reason, sizeof h->reason - 1) != 0;
	h->answers = 0;
	h->misses++;
	text_fill(h->reason, sizeof h->reason, reason);
	if (h->state == GW_DOWN)
		return still_down(h, prm, now_ms, other);
	if (h->state == GW_UP && h->misses < prm->misses)
		return GW_SAY_MISSED;
	set_state(h, GW_DOWN, now_ms);
	h->failed = h->misses;
	return GW_SAY_DOWN;
}
