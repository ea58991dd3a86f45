/* SPDX-License-Identifier: Apache-2.0 */
/* find_live.c  Find me, done: the call to a place, and the two calls joined. */
#include <errno.h>
#include "dialogue/call_private.h"

int dlg_live_find(void *arg, uint32_t job, const char *uri, uint32_t ring_ms)
{
	(void)arg, (void)job, (void)uri, (void)ring_ms;
	return ENOTSUP;
}

void dlg_live_find_stop(void *arg)
{
	(void)arg;
}

int dlg_live_join(void *arg, uint32_t job)
{
	(void)arg, (void)job;
	return ENOTSUP;
}

int dlg_live_take(void *arg, uint32_t job)
{
	(void)arg, (void)job;
	return ENOTSUP;
}
