/* SPDX-License-Identifier: Apache-2.0 */
/* rules.h  Which outside numbers may be dialled, and how. Pure. Nobody may dial any unless a policy or an attendant names a group of the dial
 * plan's rules; what comes out is digits only, made from the plan's dial codes or the rule's own words.                   */
#ifndef DIRECTORY_RULES_H
#define DIRECTORY_RULES_H
#include <stdbool.h>
#include <stddef.h>
#include "base/text.h"
#include "config/cfg.h"

enum { RULE_NUMBER_SIZE = 32 };

/* x: any digit; * at the end: one digit or more; all else for itself. */
bool rule_matches(const char *pattern, struct text number);
/* "0049301234", "0301234" or "+49301234" as +49301234, by the plan's prefixes; ENOENT: it is no such number. */
int rule_canonical(const struct cfg_dialplan *plan, struct text number, char dst[RULE_NUMBER_SIZE]);
/* +49301234 as it is dialled in this house: outside line, then national or international prefix. ENOENT: not in that form. */
int rule_dial_string(const struct cfg_dialplan *plan, struct text canonical, char dst[RULE_NUMBER_SIZE]);
/* The first rule of one of the groups that allows the number as it is or in its full form, and what is dialled for it. NULL: not allowed. */
const struct cfg_call_rule *rule_allows(const struct cfg_dialplan *plan, const struct cfg_strings *groups, struct text number, char dst[RULE_NUMBER_SIZE]);

#endif
