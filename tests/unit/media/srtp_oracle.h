/* SPDX-License-Identifier: Apache-2.0 */
/* srtp_oracle.h  libsrtp2 behind a page of its own: its names and ours are too much alike to meet in one file. */
#ifndef TESTS_SRTP_ORACLE_H
#define TESTS_SRTP_ORACLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oracle;
/* `suite` as enum srtp_suite; key and salt in one. NULL: it would not. */
struct oracle *oracle_new(int suite, const uint8_t *key, bool send);
void oracle_free(struct oracle *o);
/* In place; 0, EALREADY for repetitions, EBADMSG for what is not genuine, EINVAL for others. */
int oracle_seal(struct oracle *o, uint8_t *p, size_t *n, bool rtcp);
int oracle_open(struct oracle *o, uint8_t *p, size_t *n, bool rtcp);

#endif
