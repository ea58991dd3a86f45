/* SPDX-License-Identifier: Apache-2.0 */
/* simulate.h  What a caller of an attendant would hear at a moment, key by key, and where the call would go: the real tables in virtual time, without
 * any call, sound or store. Any thread; takes no time to speak of.                                                       */
#ifndef DIALOGUE_SIMULATE_H
#define DIALOGUE_SIMULATE_H
#include <stdbool.h>
#include <stdint.h>
#include "directory/hours.h"

struct languages;

enum dlg_sim_kind {
	SIM_HOURS, /* an attendant answers: what its schedule says */
	SIM_SAYS,  /* what is heard */
	SIM_KEYS,  /* what the caller presses */
	SIM_END,   /* where the call goes; once, the last */
};
enum dlg_sim_end { SIM_WAITS, SIM_TRANSFER, SIM_MESSAGE, SIM_LOGON, SIM_OVER, SIM_ENDLESS };
const char *dlg_sim_end_name(enum dlg_sim_end e); /* "waits", "transfer", "message", "log-on", "over", "endless" */
/* Belongs to the simulation; texts are "" where they say nothing. */
struct dlg_sim_line {
	enum dlg_sim_kind kind;
	int64_t at_ms; /* since the call was answered */
	const char *text; /* words; keys */
	const char *attendant, *schedule;
	const struct hours_now *hours; /* SIM_HOURS */
	int64_t until_s; /* when that changes; 0: not within a year */
	enum dlg_sim_end end;
	const char *to, *name; /* URI; mailbox or person */
};
typedef void (dlg_sim_h)(const struct dlg_sim_line *l, void *arg);

struct dlg_sim_prm {
	const struct cfg *cfg;
	const char *attendant;
	int64_t at_s;
	const char *keys;   /* "2,1": after a comma the caller listens to the end before he goes on; "" none */
	const char *caller; /* his number; "" unknown */
	const struct languages *languages; /* sentences in the caller's language, on the loop thread then; NULL: in English */
	bool silent;        /* when all keys were pressed the caller stays on the line and says nothing, instead of us stopping there */
};
/* 0; ENOENT: no such attendant; EINVAL: keys that no telephone has; ENOMEM. */
int dlg_simulate(const struct dlg_sim_prm *prm, dlg_sim_h *h, void *arg);

#endif
