/* SPDX-License-Identifier: Apache-2.0 */
/* tls_words.c  What versions and relics of TLS are called in the configuration. Pure. */
#include <errno.h>
#include "trust/tls.h"

static const char *const legacy_names[] = { "off", "cbc", "tls10" };

const char *tls_legacy_name(enum tls_legacy l)
{
	return (unsigned)l < 3 ? legacy_names[l] : "unknown";
}

int tls_legacy_parse(struct text t, enum tls_legacy *l)
{
	for (unsigned i = 0; i < 3; i++)
		if (text_is_nocase(t, legacy_names[i])) {
			*l = (enum tls_legacy)i;
			return 0;
		}
	return EINVAL;
}

int tls_version_parse(struct text t, uint16_t *version)
{
	static const char *const names[] = { "1.0", "1.1", "1.2", "1.3" };
	for (unsigned i = 0; i < 4; i++)
		if (text_is(t, names[i])) {
			*version = (uint16_t)(0x0301 + i);
			return 0;
		}
	return EINVAL;
}
