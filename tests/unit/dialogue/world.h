/* SPDX-License-Identifier: Apache-2.0 */
/* world.h  A small site for tests of conversations: alice 201, bob 202 (not dialable), carol 203, dave 204 (both spelled 22...), an attendant
 * "main" with a menu and a second one "night", an operator 200.                                                        */
#ifndef TESTS_DIALOGUE_WORLD_H
#define TESTS_DIALOGUE_WORLD_H
#include "config/cfg.h"
#include "directory/dir.h"

struct cfg *world_cfg(void);        /* a reference */
struct cfg *rules_cfg(void);        /* alice with a rule of each kind: find, find two, transfer, menu, hang-up */
struct dir_view *world_view(void);  /* a reference */
const struct dir_user *world_user(const struct dir_view *v, const char *name);

#endif
