/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h  Each whole message as it leaves or comes: to the tracer, to the TRACE events, to the counters. */
#ifndef SIP_TRACE_H
#define SIP_TRACE_H
#include "sip/core.h"
#include "sip/path.h"

void sip_trace_message(struct sip_core *core, const struct sip_path *path, bool in, struct text bytes);

#endif
