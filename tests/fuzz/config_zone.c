/* SPDX-License-Identifier: Apache-2.0 */
/* config_zone.c  A time zone from hostile bytes: never a crash, never an offset that no clock has. */
#include <stdint.h>
#include <stdlib.h>
#include "base/mem.h"
#include "config/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone *z;
	if (size > ZONE_FILE_MAX_BYTES || zone_parse(&z, text_make(data, size)))
		return 0;
	static const int64_t moments[] = { INT32_MIN, -1, 0, 1, 951782400, INT32_MAX, 4102444800, 32503680000 };
	for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
		int32_t off = zone_offset_s(z, moments[i]);
		struct zone_time t = zone_local(z, moments[i]);
		if (off > 26 * 3600 || off < -26 * 3600 || t.second < 0 || t.second >= 86400)
			abort();
		(void)zone_utc(z, t.day, t.second);
	}
	mem_unref(z);
	return 0;
}
