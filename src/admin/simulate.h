/* SPDX-License-Identifier: Apache-2.0 */
/* simulate.h  A simulated call to an attendant as JSON: what the server answers and what the command prints without one. */
#ifndef ADMIN_SIMULATE_H
#define ADMIN_SIMULATE_H
#include <jansson.h>
#include "config/cfg.h"
#include "event/report.h"

struct languages;

/* args: name; at ("2026-12-24 15:00" on the clock of its schedule, with Z behind it in universal time; now if not given), keys, caller,
 * silent. NULL after why was filled. now_s: the moment that counts without `at`. languages: whose words are told; NULL: English ones. */
json_t *admin_simulate(const struct cfg *cfg, const struct languages *languages, const json_t *args, int64_t now_s, struct ev_report *why);

#endif
