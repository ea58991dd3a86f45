/* SPDX-License-Identifier: Apache-2.0 */
/* der.h  Whether bytes are the distinguished encoding of something (X.690 10, 11), whatever it means. Pure; any thread. */
#ifndef TRUST_DER_H
#define TRUST_DER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True if the bytes are one value and nothing behind it: definite lengths in their shortest form, numbers without superfluous octets,
 * truth as FF, unused bits zero. The order within a SET is not looked at. */
bool der_is_one(const uint8_t *p, size_t n);

#endif
