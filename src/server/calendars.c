/* SPDX-License-Identifier: Apache-2.0 */
/* calendars.c  Between the keeper of calendars and the configuration in use: copies on disk become days of its schedules. */
#include <errno.h>
#include "directory/calendar_cache.h"
#include "server/server_private.h"

int server_calendar_days(struct cfg **cfg, const char *data)
{
	struct cfg *filled;
	if (!cfg_has_calendars(*cfg))
		return 0;
	int err = cfg_with_calendars(&filled, *cfg, calendar_copy_find, (void *)(uintptr_t)data);
	if (err)
		return err;
	cfg_unref(*cfg);
	*cfg = filled;
	return 0;
}

/* What lies on disk serves from the first call on; what is newer comes once the node runs. */
int server_build_calendars(struct server *s, struct ev_report *why)
{
	struct calendars_prm prm = {
		.loop = s->loop, .clock = clock_system(), .bus = s->bus, .metrics = s->metrics, .folder = s->cfg->node.data
	};
	(void)why;
	int err = calendars_create(&s->calendars, &prm, server_calendar_changed, s);
	return err ? err : server_calendar_days(&s->cfg, s->cfg->node.data);
}

void server_drop_calendars(struct server *s)
{
	calendars_destroy(s->calendars);
	s->calendars = NULL;
}
