/* SPDX-License-Identifier: Apache-2.0 */
/* redact.c  Line by line, without trusting that it is well-formed: when in doubt more is struck out. */
#include "trace/redact.h"
#include "base/text.h"

struct line {
	char *p;
	size_t n; /* without its end */
};

static struct line next_line(char **at, char *end)
{
	struct line l = { *at, 0 };
	while (*at < end && **at != '\n')
		++*at;
	l.n = (size_t)(*at - l.p);
	if (*at < end)
		++*at;
	if (l.n && l.p[l.n - 1] == '\r')
		l.n--;
	return l;
}

static void strike(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != '\r' && p[i] != '\n')
			p[i] = 'x';
}

static bool is_secret_header(struct text name)
{
	static const char *const names[] = { "Authorization", "Proxy-Authorization", "Authentication-Info", "Proxy-Authentication-Info", "WWW-Authenticate",
					     "Proxy-Authenticate" };
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (text_is_nocase(name, names[i]))
			return true;
	return false;
}

/* "Signal=5", "Duration=160": the names stay. */
static void strike_value(struct line l)
{
	size_t i = 0;
	while (i < l.n && l.p[i] != '=' && l.p[i] != ':')
		i++;
	if (i < l.n)
		strike(l.p + i + 1, l.n - i - 1);
	else
		strike(l.p, l.n);
}

static bool is_key_line(struct line l)
{
	static const char *const begins[] = { "a=crypto", "a=key-mgmt:", "a=ice-pwd:", "k=" };
	for (unsigned i = 0; i < sizeof begins / sizeof *begins; i++)
		if (text_starts_nocase(text_make(l.p, l.n), begins[i]))
			return true;
	return false;
}

/* Returns where the body begins, and whether all of it is to go. */
static char *head(char *p, char *end, bool *whole)
{
	bool secret = false, first = true;
	*whole = false;
	while (p < end) {
		struct line l = next_line(&p, end);
		if (!l.n && !first)
			break;
		struct text t = text_make(l.p, l.n), name, value;
		if (first) {
			*whole = text_starts(t, "INFO ");
			first = l.n == 0; /* empty lines may come before a message */
			continue;
		}
		if (l.p[0] == ' ' || l.p[0] == '\t') { /* a folded value */
			if (secret)
				strike(l.p, l.n);
			continue;
		}
		if (!text_cut(t, ':', &name, &value))
			continue;
		name = text_trim(name);
		secret = is_secret_header(name);
		if (secret)
			strike((char *)l.p + (value.p - t.p), value.n);
		if ((text_is_nocase(name, "Content-Type") || text_is_nocase(name, "c")) &&
		    (text_starts_nocase(text_trim(value), "application/dtmf") || text_starts_nocase(text_trim(value), "application/kpml") ||
		     text_starts_nocase(text_trim(value), "audio/telephone-event")))
			*whole = true;
	}
	return p;
}

void trace_redact(char *p, size_t n)
{
	char *end = p + n;
	bool whole;
	p = head(p, end, &whole);
	while (p < end) {
		struct line l = next_line(&p, end);
		if (whole || is_key_line(l))
			strike_value(l);
	}
}
