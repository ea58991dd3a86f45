/* SPDX-License-Identifier: Apache-2.0 */
/* config_yaml.c  A whole configuration from hostile bytes: never a crash, never an error without a cure, and a value that was accepted differs
 * from itself in nothing. */
#include <stdint.h>
#include <stdlib.h>
#include "config/cfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cfg_errors e = { 0 };
	struct cfg_changes d = { 0 };
	struct cfg *c;
	if (size > 64 << 10)
		return 0;
	if (cfg_parse(&c, "f", text_make(data, size), size % 2 ? CFG_WANT_OBJECTS : CFG_WANT_NODE, &e) == 0) {
		if (cfg_diff(c, c, &d) || d.n || e.n)
			abort();
		cfg_unref(c);
	} else if (!e.n && !e.more) {
		abort();
	}
	for (size_t i = 0; i < e.n; i++)
		if (!e.v[i].fix[0] || !e.v[i].what[0])
			abort();
	cfg_errors_free(&e);
	return 0;
}
