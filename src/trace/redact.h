/* SPDX-License-Identifier: Apache-2.0 */
/* redact.h  A SIP message without what must not be shown: passwords and their digests, and the keys that a caller presses. What is struck out is
 * overwritten by 'x' of the same length, so that lengths stay true. Pure; any bytes.                                      */
#ifndef TRACE_REDACT_H
#define TRACE_REDACT_H
#include <stddef.h>

/* In place. Values of Authorization, Proxy-Authorization, Authentication-Info, WWW-Authenticate and Proxy-Authenticate; of a=crypto, a=cryptoscale,
 * a=key-mgmt and a=ice-pwd lines in any body; the whole body of an INFO but for the names of its fields; and of NOTIFY with keys (KPML). */
void trace_redact(char *p, size_t n);

#endif
