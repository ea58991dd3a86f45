/* SPDX-License-Identifier: Apache-2.0 */
/* rules.c  Patterns of outside numbers, and what is dialled for them. */
#include "directory/rules.h"
#include <errno.h>
#include <string.h>

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool all_digits(struct text t)
{
	for (size_t i = 0; i < t.n; i++)
		if (!digit(t.p[i]))
			return false;
	return t.n > 0;
}

bool rule_matches(const char *pattern, struct text number)
{
	size_t i = 0;
	for (; pattern[i] && pattern[i] != '*'; i++)
		if (i >= number.n || (pattern[i] == 'x' ? !digit(number.p[i]) : pattern[i] != number.p[i]))
			return false;
	if (!pattern[i])
		return i == number.n;
	if (i >= number.n)
		return false;
	for (; i < number.n; i++)
		if (!digit(number.p[i]))
			return false;
	return true;
}

int rule_canonical(const struct cfg_dialplan *plan, struct text number, char dst[RULE_NUMBER_SIZE])
{
	if (text_starts(number, "+"))
		return all_digits(text_skip(number, 1)) ? text_copy(number, dst, RULE_NUMBER_SIZE) : ENOENT;
	if (!all_digits(number))
		return ENOENT;
	const char *far = plan->international_prefix, *near = plan->national_prefix;
	if (far[0] && text_starts(number, far) && number.n > strlen(far))
		return text_print(dst, RULE_NUMBER_SIZE, "+%.*s", TEXT_FMT(text_skip(number, strlen(far))));
	if (near[0] && plan->country_code[0] && text_starts(number, near) && number.n > strlen(near))
		return text_print(dst, RULE_NUMBER_SIZE, "+%s%.*s", plan->country_code, TEXT_FMT(text_skip(number, strlen(near))));
	return ENOENT;
}

int rule_dial_string(const struct cfg_dialplan *plan, struct text canonical, char dst[RULE_NUMBER_SIZE])
{
	struct text digits = text_skip(canonical, 1);
	if (!text_starts(canonical, "+") || !all_digits(digits))
		return ENOENT;
	size_t code = strlen(plan->country_code);
	if (code && text_starts(digits, plan->country_code) && digits.n > code)
		return text_print(dst, RULE_NUMBER_SIZE, "%s%s%.*s", plan->outside_line, plan->national_prefix, TEXT_FMT(text_skip(digits, code)));
	return text_print(dst, RULE_NUMBER_SIZE, "%s%s%.*s", plan->outside_line, plan->international_prefix, TEXT_FMT(digits));
}

/* Each x of `dial` is the next digit that x or * stood for; * is all that are left. */
static int fill(const char *pattern, const char *dial, struct text number, char dst[RULE_NUMBER_SIZE])
{
	char stood[RULE_NUMBER_SIZE] = "";
	size_t n = 0, used = 0, out = 0;
	for (size_t i = 0; i < number.n; i++) {
		size_t fixed = strcspn(pattern, "*");
		bool wild = i >= fixed || pattern[i] == 'x';
		if (wild && n + 1 < sizeof stood)
			stood[n++] = number.p[i];
	}
	for (const char *p = dial; *p; p++) {
		if (*p == '*') {
			for (; used < n && out + 1 < RULE_NUMBER_SIZE; used++)
				dst[out++] = stood[used];
		} else if (*p == 'x') {
			if (used >= n)
				return ENOENT; /* the rule wants more digits than were typed */
			if (out + 1 < RULE_NUMBER_SIZE)
				dst[out++] = stood[used++];
		} else if (out + 1 < RULE_NUMBER_SIZE) {
			dst[out++] = *p;
		}
	}
	dst[out] = '\0';
	return out && out + 1 < RULE_NUMBER_SIZE ? 0 : ENAMETOOLONG;
}

static int dialled(const struct cfg_dialplan *plan, const struct cfg_call_rule *r, struct text number, char dst[RULE_NUMBER_SIZE])
{
	char made[RULE_NUMBER_SIZE];
	int err = *r->dial ? fill(r->pattern, r->dial, number, made) : text_copy(number, made, sizeof made);
	if (err)
		return err;
	if (made[0] == '+')
		return rule_dial_string(plan, text_of(made), dst);
	if (!all_digits(text_of(made)))
		return ENOENT;
	memcpy(dst, made, sizeof made);
	return 0;
}

static bool named(const struct cfg_strings *groups, const char *name)
{
	for (size_t i = 0; i < groups->n; i++)
		if (text_is_nocase(text_of(name), groups->v[i]))
			return true;
	return false;
}

const struct cfg_call_rule *rule_allows(const struct cfg_dialplan *plan, const struct cfg_strings *groups, struct text number, char dst[RULE_NUMBER_SIZE])
{
	char full[RULE_NUMBER_SIZE];
	bool has_full = plan && rule_canonical(plan, number, full) == 0;
	if (!number.n || number.n >= RULE_NUMBER_SIZE)
		return NULL;
	for (size_t i = 0; plan && i < plan->n_rules; i++) {
		const struct cfg_call_rule *r = &plan->rules[i];
		if (!named(groups, r->name))
			continue;
		if (rule_matches(r->pattern, number) && dialled(plan, r, number, dst) == 0)
			return r;
		if (has_full && r->pattern[0] == '+' && rule_matches(r->pattern, text_of(full)) && dialled(plan, r, text_of(full), dst) == 0)
			return r;
	}
	return NULL;
}
