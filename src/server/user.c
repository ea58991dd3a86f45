/* SPDX-License-Identifier: Apache-2.0 */
/* user.c  Root is needed for ports below 1024 and to read keys; nothing else. Once both are done the process becomes node.user for good. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>
#include "server/server_private.h"
#include "server_events.h"

static int refuse(struct ev_report *why, const char *user, const char *what, int err)
{
	ev_set(why, EV_SERVER_USER_FAILED);
	ev_str(why, "user", user);
	ev_str(why, "error", what);
	return err ? err : EPERM;
}

/* What the process keeps writing must belong to whom it becomes. */
static int hand_over(const struct server *s, const struct passwd *pw)
{
	char path[4200];
	static const char *const folders[] = { "", "/spool", "/recordings" };
	for (unsigned i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		text_print(path, sizeof path, "%s%s", s->cfg->node.data, folders[i]);
		if (chown(path, pw->pw_uid, pw->pw_gid) && errno != ENOENT)
			return errno;
	}
	return 0;
}

int server_become_user(struct server *s, struct ev_report *why)
{
	const char *user = s->cfg->node.user;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!user[0] || s->keep_user || geteuid() != 0)
		return 0;
	errno = 0;
	const struct passwd *pw = getpwnam(user);
	if (!pw)
		return refuse(why, user, errno ? strerror(errno) : "there is no such user", errno);
	int err = hand_over(s, pw);
	if (err)
		return refuse(why, user, strerror(err), err);
	if (initgroups(user, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
		return refuse(why, user, strerror(errno), errno);
	if (setuid(0) == 0 && pw->pw_uid != 0)
		return refuse(why, user, "privileges could be had back", EPERM);
	return 0;
}
