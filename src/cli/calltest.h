/* SPDX-License-Identifier: Apache-2.0 */
/* calltest.h  The test caller: a real caller on the same SIP core and media engine as the server, in the process of the command line. It calls any
 * address (or waits to be called), speaks from WAV files, presses keys, listens, and reports each step. Scripts of steps, one a line:
 *
 *     expect-answer [within 10s]      (in front of every script for outgoing calls, unless said)
 *     wait 2s                         let time pass
 *     wait-silence [within 20s]       until whoever speaks has been silent for 0.7 s
 *     expect PROMPT [within 20s]      until that prompt of the catalogue was heard (compared sample by sample)
 *     expect-sound FILE [within 20s]  the same with the sound of a WAV file
 *     press 1234#                     keys by telephone-event; a comma is a pause of a second
 *     press-info 12                   keys by SIP INFO
 *     play FILE                       speak, to the end of the file
 *     record FILE                     from now on to a WAV file, until record-stop, another record, or the end
 *     record-stop
 *     expect-transfer [within 20s]    the other side asks us to call somebody: done, and the script goes on with that call
 *     expect-bye [within 20s]         the other side hangs up
 *     hangup
 *
 * The report says of each step whether it came true, when, and if not, what happened instead; and of the caller itself, whether it kept up:
 * "caller": { media_late_ms, frames_skipped, loop_late_ms: its own threads; packets_received, packets_lost; gaps_ms: by which the sounds that it
 * recognised took longer than they last }.                                                                              */
#ifndef CLI_CALLTEST_H
#define CLI_CALLTEST_H
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "event/report.h"
#include "sip/sdes.h"

enum calltest_kind {
	CT_EXPECT_ANSWER, CT_WAIT, CT_WAIT_SILENCE, CT_EXPECT, CT_EXPECT_SOUND, CT_PRESS, CT_PRESS_INFO, CT_PLAY, CT_RECORD, CT_RECORD_STOP,
	CT_EXPECT_TRANSFER, CT_EXPECT_BYE, CT_HANGUP,
};
enum { CT_STEPS = 128, CT_ARG_SIZE = 512 };
struct calltest_step {
	enum calltest_kind kind;
	int64_t within_ms;      /* CT_WAIT: how long */
	char arg[CT_ARG_SIZE];  /* prompt, file, keys */
	char text[CT_ARG_SIZE]; /* as it was written, for the report */
};
struct calltest_script {
	struct calltest_step step[CT_STEPS];
	unsigned n;
};
/* Adds the steps of a text, a line each (or separated by ';'); '#' at the start of a line is a comment. 0; EINVAL with what is wrong
 * in words in `what` ("line 3: ..."). */
int calltest_script_add(struct calltest_script *s, const char *text, char *what, size_t size);

struct calltest_prm {
	const char *uri;            /* whom to call; NULL: wait to be called */
	const char *listen;         /* "udp:127.0.0.1:5080", "tcp:...", "tls:..."; NULL: any port on the address that leads to the target */
	const char *from_user, *from_display; /* NULL: "umbel-test" */
	const char *proxy;          /* "host:port": the call goes there whatever the URI's host; NULL */
	enum sdes_want srtp;        /* whether the sound is encrypted */
	const char *diversion;      /* URI of a Diversion header; NULL */
	const char *cert, *key, *ca; /* PEM files; all of them for TLS */
	const char *accept_name;    /* TLS: name the other side must prove; NULL: the host dialled */
	const char *dns;            /* name servers; NULL: resolv.conf */
	const char *prompts;        /* pack; NULL: the default one */
	int64_t t1_ms;              /* SIP's T1; 0: 500 */
	unsigned calls;             /* when listening: how many calls to take; 0: one */
	int64_t for_ms;             /* limit for all of it; 0: 3 minutes */
	bool trace;                 /* print SIP messages to standard error */
	/* Called for each step that ended, for progress; may be NULL. */
	void (*progress)(const char *text, bool ok, int64_t ms, const char *detail, void *arg);
	void *arg;
};
/* Runs it on a loop of its own. *result is the report: {schema, ok, call: {...}, caller: {...}, steps: [...]}; the caller gives it back. 0: it ran (whether well
 * is in `ok`); an errno with `why`: it could not begin. */
int calltest_run(const struct calltest_prm *prm, const struct calltest_script *script, json_t **result, struct ev_report *why);

#endif
