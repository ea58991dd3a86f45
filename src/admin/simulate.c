/* SPDX-License-Identifier: Apache-2.0 */
/* simulate.c  attendant.simulate: the arguments in, the lines of the simulation out. */
#include "admin/simulate.h"
#include <errno.h>
#include <stdio.h>
#include "admin/admin_private.h"
#include "admin/words.h"
#include "admin_events.h"
#include "dialogue/simulate.h"

/* "2026-12-24 15:00", with Z behind it universal time. */
static bool moment(const char *at, const struct zone *zone, int64_t *utc_s)
{
	int y, mo, d, h, mi, used = 0;
	if (sscanf(at, "%4d-%2d-%2d%*[ T]%2d:%2d%n", &y, &mo, &d, &h, &mi, &used) != 5 || y < 1970 || y > 2199 || mo < 1 || mo > 12 || d < 1 || h < 0 || h > 23 ||
	    mi < 0 || mi > 59)
		return false;
	bool universal = strcmp(at + used, "Z") == 0;
	int64_t day = zone_day_of(y, mo, d);
	struct zone_date back = zone_date_of(day);
	if ((at[used] && !universal) || back.day != d || back.month != mo)
		return false;
	*utc_s = universal || !zone ? day * 86400 + h * 3600 + mi * 60 : zone_utc(zone, day, h * 3600 + mi * 60);
	return true;
}

static json_t *local_json(const struct zone *z, int64_t utc_s)
{
	static const char *const days[7] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };
	struct zone_time t = z ? zone_local(z, utc_s) : (struct zone_time){ utc_s / 86400, (int32_t)(utc_s % 86400) };
	struct zone_date d = zone_date_of(t.day);
	char s[64];
	text_print(s, sizeof s, "%s %04d-%02d-%02d %02d:%02d", days[zone_weekday(t.day)], d.year, d.month, d.day, t.second / 3600, t.second / 60 % 60);
	return json_string(s);
}

static json_t *hours_json(const struct dlg_sim_line *l, const struct cfg *cfg)
{
	const struct cfg_schedule *s = *l->schedule ? cfg_schedule(cfg, text_of(l->schedule)) : NULL;
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", "hours", "attendant", l->attendant, "schedule", l->schedule, "state",
	                      hours_state_name(l->hours->state), "holiday", l->hours->holiday_name);
	if (s) {
		json_object_set_new(o, "time_zone", json_string(s->time_zone));
		json_object_set_new(o, "until", l->until_s ? local_json(s->zone, l->until_s) : json_null());
	}
	if (s && l->hours->holiday)
		json_object_set_new(o, "line", json_integer(l->hours->holiday->pos.line));
	else if (s && l->hours->period)
		json_object_set_new(o, "line", json_integer(l->hours->period->pos.line));
	return o;
}

struct telling {
	json_t *array, *end;
	const struct cfg *cfg;
};

static void line(const struct dlg_sim_line *l, void *arg)
{
	struct telling *t = arg;
	json_t *o = NULL;
	switch (l->kind) {
	case SIM_HOURS: o = hours_json(l, t->cfg); break;
	case SIM_SAYS: o = json_pack("{s:s, s:s}", "kind", "hears", "words", l->text); break;
	case SIM_KEYS: o = json_pack("{s:s, s:s}", "kind", "presses", "keys", l->text); break;
	case SIM_END:
		t->end = json_pack("{s:s, s:s, s:s, s:s}", "outcome", dlg_sim_end_name(l->end), "attendant", l->attendant, "to", l->to, "name", l->name);
		return;
	}
	json_object_set_new(o, "at_ms", json_integer(l->at_ms));
	json_array_append_new(t->array, o);
}

json_t *admin_simulate(const struct cfg *cfg, const struct languages *languages, const json_t *args, int64_t now_s, struct ev_report *why)
{
	const char *name = "", *at = admin_arg_str(args, "at"), *keys = admin_arg_str(args, "keys"), *caller = admin_arg_str(args, "caller");
	if (admin_need_str(args, "name", &name, why))
		return NULL;
	const struct cfg_attendant *aa = cfg_attendant(cfg, text_of(name));
	const struct cfg_schedule *s = aa && *aa->schedule ? cfg_schedule(cfg, text_of(aa->schedule)) : NULL;
	struct telling t = { .cfg = cfg };
	struct dlg_sim_prm prm = { .cfg = cfg, .attendant = name, .at_s = now_s, .keys = keys ? keys : "", .caller = caller ? caller : "",
	                           .languages = languages, .silent = admin_arg_bool(args, "silent") };
	if (!aa) {
		ev_set(why, EV_ADMIN_NOT_FOUND);
		ev_str(why, "kind", "attendant");
		ev_str(why, "name", name);
		ev_str(why, "hint", admin_words(ADMIN_HINT_ATTENDANTS));
		return NULL;
	}
	if (at && *at && !moment(at, s ? s->zone : NULL, &prm.at_s)) {
		admin_value_bad(why, at, "moment", "2026-12-24 15:00, with Z behind it for universal time");
		return NULL;
	}
	t.array = json_array();
	int err = dlg_simulate(&prm, line, &t);
	if (err == EINVAL)
		admin_value_bad(why, prm.keys, "row of keys", "0 to 9, * and #, with a comma where the caller listens first");
	else if (err)
		ev_set(why, EV_ADMIN_NO_MEMORY);
	json_t *o = err ? NULL : json_pack("{s:s, s:o, s:I, s:O, s:O}", "attendant", aa->name, "at", local_json(s ? s->zone : NULL, prm.at_s), "at_s",
	                                   (json_int_t)prm.at_s, "lines", t.array, "end", t.end);
	json_decref(t.array);
	json_decref(t.end);
	return o;
}
