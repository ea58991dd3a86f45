/* SPDX-License-Identifier: Apache-2.0 */
/* calltest_script.c  Steps of the test caller out of text. */
#include "cli/calltest.h"
#include <errno.h>
#include "base/text.h"

static const struct {
	const char *word;
	enum calltest_kind kind;
	bool arg;             /* takes a word */
	int64_t within_ms;    /* default; 0: no limit of its own */
} steps[] = {
	{ "expect-answer", CT_EXPECT_ANSWER, false, 15000 },
	{ "wait", CT_WAIT, false, 0 },
	{ "wait-silence", CT_WAIT_SILENCE, false, 20000 },
	{ "expect", CT_EXPECT, true, 20000 },
	{ "expect-sound", CT_EXPECT_SOUND, true, 20000 },
	{ "press", CT_PRESS, true, 10000 },
	{ "press-info", CT_PRESS_INFO, true, 10000 },
	{ "play", CT_PLAY, true, 600000 },
	{ "record", CT_RECORD, true, 0 },
	{ "record-stop", CT_RECORD_STOP, false, 0 },
	{ "expect-transfer", CT_EXPECT_TRANSFER, false, 20000 },
	{ "expect-bye", CT_EXPECT_BYE, false, 20000 },
	{ "hangup", CT_HANGUP, false, 10000 },
};

/* "2s", "500ms", "1.5s"; a number alone counts seconds. */
static int parse_time(struct text t, int64_t *ms)
{
	struct text whole, part;
	uint32_t s, tenths = 0;
	bool millis = text_ends_nocase(t, "ms");
	if (millis)
		t.n -= 2;
	else if (text_ends_nocase(t, "s"))
		t.n--;
	bool fraction = text_cut(t, '.', &whole, &part);
	if (text_u32(whole, 3600000, &s) || (fraction && (part.n != 1 || text_u32(part, 9, &tenths))))
		return EINVAL;
	*ms = millis ? (int64_t)s : (int64_t)s * 1000 + tenths * 100;
	return 0;
}

static struct text word(struct text *rest)
{
	*rest = text_trim(*rest);
	struct text w, tail;
	text_cut(*rest, ' ', &w, &tail);
	*rest = text_trim(tail);
	return w;
}

static const char *parse_line(struct text line, struct calltest_step *step)
{
	struct text rest = line, name = word(&rest);
	unsigned i = 0;
	while (i < sizeof steps / sizeof steps[0] && !text_is(name, steps[i].word))
		i++;
	if (i == sizeof steps / sizeof steps[0])
		return "no such step";
	*step = (struct calltest_step){ .kind = steps[i].kind, .within_ms = steps[i].within_ms };
	if (text_copy(line, step->text, sizeof step->text))
		return "the line is too long";
	if (steps[i].arg && (!rest.n || text_copy(word(&rest), step->arg, sizeof step->arg)))
		return "it needs a word behind it";
	if (step->kind == CT_WAIT)
		return parse_time(word(&rest), &step->within_ms) ? "it needs a time behind it, like 2s or 500ms" : rest.n ? "too many words" : NULL;
	if (rest.n && (!text_is(word(&rest), "within") || parse_time(word(&rest), &step->within_ms) || rest.n))
		return "only \"within TIME\" may follow, like: within 10s";
	return NULL;
}

int calltest_script_add(struct calltest_script *s, const char *text, char *what, size_t size)
{
	struct text rest = text_of(text), line, part;
	for (unsigned number = 1; rest.n; number++) {
		text_cut(rest, '\n', &line, &rest);
		for (line = text_trim(line); line.n && line.p[0] != '#';) {
			text_cut(line, ';', &part, &line);
			part = text_trim(part);
			if (!part.n)
				continue;
			const char *wrong = s->n == CT_STEPS ? "a script has at most 128 steps" : parse_line(part, &s->step[s->n]);
			if (wrong) {
				text_print(what, size, "line %u: \"%.*s\": %s", number, TEXT_FMT(text_head(part, 80)), wrong);
				return EINVAL;
			}
			s->n++;
		}
	}
	return 0;
}
