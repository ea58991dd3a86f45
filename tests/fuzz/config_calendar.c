/* SPDX-License-Identifier: Apache-2.0 */
/* config_calendar.c  An iCalendar from hostile bytes: never a crash, never a holiday that ends before it begins. */
#include <stdint.h>
#include <stdlib.h>
#include "config/config_private.h"
#include "config/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { 0 };
	const struct cfg_calendar_day *v = NULL;
	struct zone *utc;
	size_t n = 0;
	if (size > 16 << 10 || zone_load(&utc, "UTC"))
		return 0;
	if (cfg_calendar_parse(&a, utc, text_make(data, size), &v, &n) == 0)
		for (size_t i = 0; i < n; i++)
			if (v[i].to_min <= v[i].from_min || !v[i].name || (i && v[i].from_min < v[i - 1].from_min))
				abort();
	arena_free(&a);
	mem_unref(utc);
	return 0;
}
