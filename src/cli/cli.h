/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h  The `umbel` command: a table of subcommands, each noun in its own file.
 *
 * A row says what a command is called, what it takes and how it is explained; parsing, --help, completion and the manual's list come from the
 * rows. A command prints for people, or with --json the server's answer as it is. Exit codes: 0 good, 1 the answer is "no" or
 * something failed, 2 usage, 3 no server reached.                                                                        */
#ifndef CLI_CLI_H
#define CLI_CLI_H
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include "event/report.h"

enum { CLI_GOOD = 0, CLI_NO = 1, CLI_USAGE = 2, CLI_NO_SERVER = 3 };
enum { CLI_POS = 16, CLI_OPTS = 64 };

struct cli;

struct cli_opt {
	const char *name;  /* without "--"; a one-letter name is "-e" */
	const char *value; /* what it takes ("FILE"), or NULL for a switch */
	const char *help;
};

typedef int (cli_run_h)(struct cli *c);
struct cli_cmd {
	const char *noun, *verb; /* verb NULL: the noun alone is the command */
	const char *args;        /* "NAME [FILE]", for the usage line; "" for none */
	unsigned min, max;       /* how many positional arguments */
	const struct cli_opt *opts; /* ended by a NULL name; NULL for none */
	const char *summary;     /* one line */
	const char *help;        /* more, or NULL */
	const char *examples;    /* lines */
	cli_run_h *run;
};

/* What the command line says, and where to talk to. */
struct cli {
	const struct cli_cmd *cmd;
	bool json;
	const char *socket;
	FILE *out, *err;
	const char *pos[CLI_POS];
	unsigned n_pos;
	struct {
		const struct cli_opt *opt;
		const char *value;
	} opt[CLI_OPTS];
	unsigned n_opt;
};

/* All groups of commands, ended by NULL; each group is ended by a NULL noun. */
extern const struct cli_cmd *const cli_groups[];

/* The whole program but for main(): parses, runs, returns the exit code. */
int cli_main(int argc, char **argv, FILE *out, FILE *err);
/* 0 with c filled; CLI_USAGE after saying what is wrong; -1: help was asked for and printed. */
int cli_parse(struct cli *c, int argc, char **argv);
/* The value of an option, the last one if given twice; "" for a switch; NULL if it was not given. */
const char *cli_opt(const struct cli *c, const char *name);
/* The nth value of an option that may be repeated; NULL behind the last. */
const char *cli_opt_nth(const struct cli *c, const char *name, unsigned n);
/* EINVAL after having said so on c->err. */
int cli_opt_number(struct cli *c, const char *name, uint64_t max, uint64_t otherwise, uint64_t *value);
void cli_help(FILE *out, const struct cli_cmd *cmd);
void cli_overview(FILE *out);
int cli_completion_bash(FILE *out);

/* ---- talking to the server (ask.c) ---- */
/* Sends the command and waits. CLI_GOOD with *result owned by the caller, else the exit code after having said why on c->err (or, with
 * --json, printed the error object on c->out). args becomes cli_ask's. */
int cli_ask(struct cli *c, const char *cmd, json_t *args, json_t **result);
/* The same, calling `more` for each item that comes before the end. more returns false to stop listening (CLI_GOOD). result may be NULL. */
typedef bool (cli_more_h)(struct cli *c, const json_t *item, void *arg);
int cli_follow(struct cli *c, const char *cmd, json_t *args, cli_more_h *more, void *arg, json_t **result);
/* From now on Ctrl-C (and SIGTERM) end what is being followed, as if there were no more: CLI_GOOD. */
void cli_until_interrupted(void);
/* A list that comes in pieces (admin's listing.c), put together. */
int cli_ask_list(struct cli *c, const char *cmd, json_t *args, json_t **result);
/* Ask and print: JSON as it is, or by `show`. Gives the result back. */
typedef int (cli_show_h)(struct cli *c, const json_t *result);
int cli_ask_show(struct cli *c, const char *cmd, json_t *args, cli_show_h *show);
int cli_ask_list_show(struct cli *c, const char *cmd, json_t *args, cli_show_h *show);

/* ---- printing (print.c) ---- */
int cli_error(struct cli *c, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A report, made here: sentence, cause, advice (or JSON). Returns `code`. */
int cli_error_report(struct cli *c, int code, const struct ev_report *why);
void cli_print_error_object(struct cli *c, const json_t *error);
int cli_print_json(struct cli *c, const json_t *value); /* adds "schema" to an object that lacks it */
/* Text member of an object, "" if absent; numbers become text in a small ring of buffers. */
const char *cli_text(const json_t *object, const char *key);
int64_t cli_int(const json_t *object, const char *key);
bool cli_true(const json_t *object, const char *key);
/* Columns as wide as their widest cell. `columns` names members of each row of the array: "name:NAME", "state:STATE" ...; separated by blanks. */
void cli_table(struct cli *c, const json_t *rows, const char *columns);
/* Wraps at 100 columns, each line behind `indent` and its own blanks; a line that is a command is left alone. */
void cli_wrapped(FILE *out, const char *text, const char *indent);
/* The same with a mark ("1. ") before the first line, the others below its text. */
void cli_item(FILE *out, const char *mark, const char *text);
/* "2026-11-22 14:05:09" in local time; "never" for 0. Ring of buffers. */
const char *cli_when_us(int64_t us);
const char *cli_duration_ms(int64_t ms); /* "1:05" or "3 h 2 min" */

#endif
