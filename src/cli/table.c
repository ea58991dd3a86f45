/* SPDX-License-Identifier: Apache-2.0 */
/* table.c  All commands, in the order of the overview. */
#include "cli/cli_private.h"

const struct cli_cmd *const cli_groups[] = {
	cli_status_cmds,  cli_gateway_cmds, cli_capture_cmds, cli_explain_cmds, cli_check_cmds, cli_cert_cmds, cli_cert_file_cmds, cli_cert_profile_cmds, cli_matrix_cmds, cli_ca_cmds,     cli_trust_cmds,      cli_events_cmds,
	cli_log_cmds,     cli_trace_cmds, cli_watch_cmds,     cli_call_cmds,    cli_calltest_cmds, cli_mailbox_cmds,   cli_message_cmds, cli_prompt_cmds, cli_attendant_cmds, cli_object_cmds, cli_speech_cmds, cli_completion_cmds,
	cli_answering_cmds, cli_report_cmds, NULL,
};
