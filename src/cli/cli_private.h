/* SPDX-License-Identifier: Apache-2.0 */
/* cli_private.h  What several nouns share. */
#ifndef CLI_PRIVATE_H
#define CLI_PRIVATE_H
#include "base/buf.h"
#include "cli/cli.h"

extern const struct cli_cmd cli_cert_profile_cmds[], cli_answering_cmds[], cli_report_cmds[];
extern const struct cli_opt cli_cert_check_opts[];
extern const struct cli_cmd cli_status_cmds[], cli_gateway_cmds[], cli_explain_cmds[], cli_capture_cmds[], cli_trace_cmds[], cli_watch_cmds[], cli_events_cmds[], cli_log_cmds[], cli_call_cmds[], cli_calltest_cmds[], cli_mailbox_cmds[],
	cli_message_cmds[], cli_prompt_cmds[], cli_attendant_cmds[], cli_check_cmds[], cli_cert_cmds[], cli_cert_file_cmds[], cli_matrix_cmds[], cli_ca_cmds[], cli_trust_cmds[], cli_completion_cmds[];

extern const struct cli_cmd cli_object_cmds[], cli_speech_cmds[];

/* umbel cert check with files (cmd_cert_check.c): whether the arguments are files and not an identity's name; and the command. */
bool cli_cert_names_files(const struct cli *c);
int cli_cert_check_files(struct cli *c);
void cli_show_gateways(struct cli *c, const json_t *gateways);
/* Whether anybody listens on the socket. */
bool cli_server_there(struct cli *c);
/* A whole file (at most max bytes) into b; "-" is standard input. CLI_GOOD, or CLI_NO after having said why. */
int cli_read_file(struct cli *c, const char *path, size_t max, struct buf *b);
/* The certificates of a file in any form (PEM, DER, PKCS#7), as PEM, and nothing else of it: a key may stand beside them. As above. */
int cli_read_certs(struct cli *c, const char *path, struct buf *pem);
/* Writes a file that did not exist or is replaced whole; "-" is standard output. */
int cli_write_file(struct cli *c, const char *path, const void *p, size_t n, unsigned mode);
/* "  title   a, b, c" */
void cli_show_strings(struct cli *c, const char *title, const json_t *array);
/* A whole configuration, or a file of objects alone. CLI_GOOD, or CLI_NO after all errors were told. */
struct cfg;
int cli_load_cfg(struct cli *c, const char *path, struct cfg **cfg);
/* Adds an option's value to args if it was given. */
void cli_arg_opt(struct cli *c, json_t *args, const char *opt, const char *key);
/* The same for a file that the server opens: it stands in another folder than the caller. */
void cli_arg_path(struct cli *c, json_t *args, const char *opt, const char *key);
/* Says that a file holds no certificate, and what it seems to hold instead. CLI_NO. */
int cli_no_certificate(struct cli *c, const char *path, const struct buf *b);

/* "90s", "10m", "2h", "1d"; a plain number is seconds; at most a day. CLI_USAGE after saying what is wrong with --OPTION. */
int cli_time_ms(struct cli *c, const char *option, const char *s, int64_t *ms);

#endif
