/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h  The language of the admin socket: one JSON object a line, each way.
 *
 *   -> {"schema":1,"cmd":"gateway.show","args":{"name":"pool"}}
 *   <- {"schema":1,"ok":true,"result":{...}}
 *   <- {"schema":1,"ok":false,"error":{"id":3502,"name":"...","text":"...","cause":"...","advice":"..."}}
 *
 * A command that tells things as they happen sends lines with "more":true before its last one. Parsing trusts nothing: the length of
 * a line, the depth and the type of every member are checked. Pure; any thread.                                           */
#ifndef ADMIN_WIRE_H
#define ADMIN_WIRE_H
#include <jansson.h>
#include "base/buf.h"
#include "config/cfg.h"
#include "event/report.h"

enum {
	ADMIN_SCHEMA = 1,
	ADMIN_LINE_MAX = 4 << 20, /* a request line: the greeting or the configuration file it may carry */
	ADMIN_CMD_SIZE = 64,
	ADMIN_DEPTH_MAX = 24,
};

struct admin_request {
	char cmd[ADMIN_CMD_SIZE]; /* letters, digits, '.' and '-' */
	json_t *args;             /* an object, possibly empty; owned */
};

/* 0; EINVAL (`why` says what is wrong with the line), ENOMEM, EPROTONOSUPPORT (another schema). `line` without its line feed. */
int admin_request_parse(struct text line, struct admin_request *rq, struct ev_report *why);
void admin_request_free(struct admin_request *rq);

/* One line with its line feed. The result is borrowed; NULL counts as an empty object. */
int admin_write_result(struct buf *out, const json_t *result, bool more);
int admin_write_error(struct buf *out, const struct ev_report *why);
/* {"id", "name", "text", "cause", "advice", "fields"}; NULL without memory. */
json_t *admin_report_json(const struct ev_report *why);
/* Errors of a configuration: [{"file", "line", "column", "key", "what", "fix"}]; what is not printable is escaped. */
json_t *admin_errors_json(const struct cfg_errors *errors);

/* ---- reading args ---- */
/* The text of member `key`; NULL if absent or of another type. Borrowed. */
const char *admin_arg_str(const json_t *args, const char *key);
int64_t admin_arg_int(const json_t *args, const char *key, int64_t otherwise);
bool admin_arg_bool(const json_t *args, const char *key);
/* As admin_arg_str, but absence is an error in words: EINVAL. */
int admin_need_str(const json_t *args, const char *key, const char **value, struct ev_report *why);

#endif
