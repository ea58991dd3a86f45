/* SPDX-License-Identifier: Apache-2.0 */
/* rules_check.c  Answering rules of a configuration against what their owners may call: what config/ alone cannot know. */
#include "dialogue/check.h"
#include "dialogue/rules.h"

static enum dir_allow judge(struct dlg_session *s, const char *target)
{
	dlg_aim_from(s, target);
	return s->allow;
}

static void one(struct dlg_session *s, const struct cfg_mailbox *m, size_t i, size_t k, const char *key, const char *target, struct cfg_pos pos,
                struct cfg_errors *errors)
{
	char where[96];
	if (!*target || judge(s, target) == DIR_ALLOWED)
		return;
	text_print(where, sizeof(where), "mailboxes[%zu].rules[%zu].%s", i, k, key);
	cfg_fail(errors, dir_view_cfg(s->view)->path, pos, where, "name a mailbox or an extension, or let allowed_rules of its policy name a group that holds this number",
	         "%s may not call \"%s\"", m->name, target);
}

unsigned dlg_rule_problems(struct dlg_session *s, const struct cfg_mailbox *m, size_t i, struct cfg_errors *errors)
{
	size_t before = errors->n;
	for (size_t k = 0; k < m->n_rules; k++) {
		const struct cfg_answer_rule *r = &m->rules[k];
		struct cfg_pos pos = cfg_pos_of(dir_view_cfg(s->view), &r->find);
		for (size_t n = 0; n < r->find.n; n++)
			one(s, m, i, k, "find", r->find.v[n], pos.line ? pos : r->pos, errors);
		one(s, m, i, k, "transfer", r->transfer, r->pos, errors);
		for (size_t n = 0; n < r->n_keys; n++)
			if (r->keys[n].action == CFG_ACT_TRANSFER)
				one(s, m, i, k, "keys", r->keys[n].target, r->keys[n].pos, errors);
	}
	return (unsigned)(errors->n - before);
}

int dlg_rules_check(const struct cfg *cfg, struct cfg_errors *errors)
{
	struct dir_view *view;
	int err = dir_view_of_cfg(&view, cfg);
	if (err)
		return err;
	struct dlg_session s = { .view = view };
	for (size_t i = 0; i < cfg->n_mailboxes; i++) {
		s.box = dir_find_name(view, text_of(cfg->mailboxes[i].name));
		if (s.box)
			dlg_rule_problems(&s, &cfg->mailboxes[i], i, errors);
	}
	dir_view_unref(view);
	return 0;
}
