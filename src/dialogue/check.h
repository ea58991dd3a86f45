/* SPDX-License-Identifier: Apache-2.0 */
/* check.h  What is wrong with a configuration that only conversations know: places that answering rules may not call. */
#ifndef DIALOGUE_CHECK_H
#define DIALOGUE_CHECK_H
#include "config/cfg.h"

/* Adds to errors. 0, ENOMEM. */
int dlg_rules_check(const struct cfg *cfg, struct cfg_errors *errors);

#endif
