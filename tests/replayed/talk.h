/* SPDX-License-Identifier: Apache-2.0 */
/* talk.h  Recorded conversations as files: one product a file, several scenes in it. README.md says what may stand there. */
#ifndef TESTS_REPLAYED_TALK_H
#define TESTS_REPLAYED_TALK_H
#include <stdbool.h>
#include <stdint.h>

enum talk_do {
	TALK_SEND,  /* a message, lines */
	TALK_HEAR,  /* a message of Umbel: what, lines are what it must hold */
	TALK_WAIT,  /* ms */
	TALK_SPEAK, /* audio for ms */
	TALK_KEYS,  /* what, by telephone-event */
	TALK_LAMP,  /* Umbel is told to light the mailbox's lamp: what is "3/1" (new/old) */
	TALK_QUIET, /* nothing may come for ms */
	TALK_AUDIO, /* Umbel's audio has come since the last time */
	TALK_SILENCE, /* no audio of Umbel comes for ms */
	TALK_CLOSE, /* our connections */
	TALK_LEFT,  /* at the end of it all, the mailbox holds so many messages: ms */
};

struct talk_lines {
	char **v; /* blocks are put in place */
	unsigned n;
};
struct talk_step {
	enum talk_do act;
	unsigned line;  /* in the file */
	char *what;     /* "200 INVITE", "REFER", "203"; "" */
	int64_t ms;     /* of WAIT ...; of HEAR the longest wait */
	bool may;       /* HEAR: it need not come */
	struct talk_lines lines;
};
struct talk_scene {
	const char *product, *name;
	char transport[4]; /* "udp", "tcp", "tls" */
	bool only;         /* ... and no other: it stands with the scene */
	unsigned line;
	struct talk_step *step;
	unsigned n;
};
/* "when": the answer to a request that no step waits for; "accepts": what each such message of Umbel must hold; "block": lines to be
 * inserted by "&name". */
struct talk_rule {
	char *what;
	struct talk_lines lines;
};
enum { TALK_RULES = 32, TALK_SCENES = 32 };
struct talk {
	char path[256];
	char product[32];
	char *text, **lines;
	struct talk_rule when[TALK_RULES], accepts[TALK_RULES], block[TALK_RULES];
	unsigned n_when, n_accepts, n_block;
	struct talk_scene scene[TALK_SCENES];
	unsigned n_scenes;
};

/* Fails the test with file and line when the file cannot be understood. */
struct talk *talk_read(const char *path);
void talk_free(struct talk *t);
/* "INVITE", "200", "200 INVITE", "2xx BYE", "requests", "responses", "all" against a message's method and status (0: a request). */
bool talk_is(const char *what, const char *method, int status);

#endif
