/* SPDX-License-Identifier: Apache-2.0 */
/* sdp_rules.c  See sdp_rules.h. */
#include "replayed/sdp_rules.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char words[300];

const char *sdp_in(const char *body)
{
	const char *last = NULL;
	for (const char *p = body; (p = strstr(p, "v=0\r\n")); p++)
		if (p == body || p[-1] == '\n')
			last = p;
	return last;
}

/* The n-th line that begins so, without its end. "" if there is none. */
static void line(const char *sdp, const char *begin, unsigned n, char *dst, size_t size)
{
	size_t len = strlen(begin);
	*dst = '\0';
	for (const char *p = sdp; p && *p; p = strstr(p, "\r\n"), p = p ? p + 2 : NULL)
		if (!strncmp(p, begin, len) && !n--) {
			snprintf(dst, size, "%.*s", (int)strcspn(p, "\r\n"), p);
			return;
		}
}

static unsigned count(const char *sdp, const char *begin)
{
	char l[600];
	unsigned n = 0;
	for (; line(sdp, begin, n, l, sizeof(l)), *l; n++)
		;
	return n;
}

const char *sdp_form(const char *sdp)
{
	static const char order[] = "vosiuepcbtrzkam";
	size_t at = 0;
	bool media = false;
	if (!count(sdp, "o=") || !count(sdp, "s=") || !count(sdp, "t=") || !count(sdp, "c=") || !count(sdp, "m="))
		return "a description without one of o=, s=, t=, c=, m=";
	for (const char *p = sdp; *p;) {
		const char *end = strstr(p, "\r\n"), *kind = strchr(order, *p);
		if (!end || p[1] != '=' || !kind)
			return "a line of the description is none";
		media |= *p == 'm';
		if (!media && (size_t)(kind - order) < at)
			return "the lines of the description are not in their order";
		at = (size_t)(kind - order);
		p = end + 2;
	}
	return NULL;
}

/* The direction of the first medium; a c= of 0.0.0.0 is not looked at. */
static const char *direction(const char *sdp)
{
	static const char *const names[] = { "sendonly", "recvonly", "inactive" };
	char l[40];
	for (unsigned i = 0; i < 3; i++) {
		snprintf(l, sizeof(l), "a=%s", names[i]);
		if (count(sdp, l))
			return names[i];
	}
	return "sendrecv";
}

static bool formats_within(char *answer, const char *offer)
{
	char *save = NULL, want[40], all[700];
	snprintf(all, sizeof(all), "%s ", offer);
	(void)strtok_r(answer, " ", &save); /* medium */
	char *port = strtok_r(NULL, " ", &save);
	(void)strtok_r(NULL, " ", &save); /* protocol */
	if (!port || atoi(port) == 0)
		return true;
	for (char *pt; (pt = strtok_r(NULL, " ", &save));) {
		snprintf(want, sizeof(want), " %s ", pt);
		if (!strstr(all, want))
			return false;
	}
	return true;
}

const char *sdp_answers(const char *offer, const char *answer)
{
	char o[600], a[600], kind[2][40], proto[2][40];
	unsigned n = count(offer, "m=");
	if (count(answer, "m=") != n)
		return "the answer has another number of media than the offer";
	for (unsigned i = 0; i < n; i++) {
		line(offer, "m=", i, o, sizeof(o));
		line(answer, "m=", i, a, sizeof(a));
		if (sscanf(o, "m=%39s %*s %39s", kind[0], proto[0]) != 2 || sscanf(a, "m=%39s %*s %39s", kind[1], proto[1]) != 2)
			return "a medium is malformed";
		if (strcmp(kind[0], kind[1]) != 0 || strcmp(proto[0], proto[1]) != 0)
			return "a medium of the answer is another one than was offered";
		if (!formats_within(a, o))
			return "the answer has formats that were not offered";
	}
	line(offer, "t=", 0, o, sizeof(o));
	line(answer, "t=", 0, a, sizeof(a));
	if (strcmp(o, a) != 0)
		return "t= of the answer is not that of the offer";
	const char *d = direction(offer), *e = direction(answer);
	bool fits = !strcmp(d, "sendrecv") || !strcmp(e, "inactive") || (!strcmp(d, "sendonly") && !strcmp(e, "recvonly")) ||
		    (!strcmp(d, "recvonly") && !strcmp(e, "sendonly"));
	if (fits)
		return NULL;
	snprintf(words, sizeof(words), "%s was offered, %s answered", d, e);
	return words;
}

const char *sdp_follows(const char *before, const char *now)
{
	char b[300], n[300], id[2][80], user[2][80];
	unsigned long version[2];
	line(before, "o=", 0, b, sizeof(b));
	line(now, "o=", 0, n, sizeof(n));
	if (sscanf(b, "o=%79s %79s %lu", user[0], id[0], &version[0]) != 3 || sscanf(n, "o=%79s %79s %lu", user[1], id[1], &version[1]) != 3)
		return "o= is malformed";
	if (strcmp(user[0], user[1]) != 0 || strcmp(id[0], id[1]) != 0)
		return "o= names another session than before";
	const char *rest[2] = { strstr(before, "\r\ns="), strstr(now, "\r\ns=") };
	bool same = rest[0] && rest[1] && !strcmp(rest[0], rest[1]);
	if (version[1] == version[0] + 1 || (same && version[1] == version[0]))
		return NULL;
	snprintf(words, sizeof(words), "version %lu of o= after %lu, %s", version[1], version[0], same ? "and nothing else is new" : "but the description is another one");
	return words;
}
