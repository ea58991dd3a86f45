/* SPDX-License-Identifier: Apache-2.0 */
/* rfc3339.h  Instants as text, always in UTC ("2026-11-22T14:05:09Z"). */
#ifndef BASE_RFC3339_H
#define BASE_RFC3339_H
#include <stdint.h>
#include "base/text.h"

enum { RFC3339_SIZE = 32 };
/* Seconds or microseconds since 1970; dst has RFC3339_SIZE bytes. Returns dst. */
char *rfc3339_s(int64_t s, char *dst);
char *rfc3339_us(int64_t us, char *dst); /* with milliseconds */
/* "2026-11-22T14:05:09Z" or with +hh:mm; fractions are dropped. EINVAL. */
int rfc3339_parse(struct text t, int64_t *s);

#endif
