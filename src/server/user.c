/* SPDX-License-Identifier: Apache-2.0 */
/* user.c  Root is needed for ports below 1024 and to read keys; nothing else. Once both are done the process becomes node.user for good. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include "server/server_private.h"
#include "server/words.h"
#include "server_events.h"

enum { FOLDERS_DEEP = 4 };

static int refuse(struct ev_report *why, const char *user, const char *what, int err)
{
	ev_set(why, EV_SERVER_USER_FAILED);
	ev_str(why, "user", user);
	ev_str(why, "error", what);
	return err ? err : EPERM;
}

/* One file or folder; what is no link, is still root's and has no second name elsewhere. A user who may write there must not be able to
 * have other people's files handed to him. */
static int give_at(int at, const char *name, const struct passwd *pw)
{
	struct stat st;
	int fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : errno;
	int err = fstat(fd, &st) ? errno : 0;
	bool ours = !err && st.st_uid == 0 && !S_ISLNK(st.st_mode) && (S_ISDIR(st.st_mode) || st.st_nlink == 1);
	if (ours && fchownat(fd, "", pw->pw_uid, (gid_t)-1, AT_EMPTY_PATH))
		err = errno;
	close(fd);
	return err;
}

static int give_tree(int at, const char *name, const struct passwd *pw, unsigned depth)
{
	int err = give_at(at, name, pw);
	int fd = err ? -1 : openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return err;
	for (struct dirent *e; !err && (e = readdir(d)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			err = depth ? give_tree(dirfd(d), e->d_name, pw, depth - 1) : 0;
	closedir(d);
	return err;
}

/* "sqlite:/path" or "sqlite:///path"; "" for another engine. */
static const char *store_file(const struct server *s)
{
	const char *path = s->cfg->node.store;
	if (!text_starts(text_of(path), "sqlite:"))
		return "";
	path += strlen("sqlite:");
	return text_starts(text_of(path), "//") ? path + 2 : path;
}

/* What the process keeps writing, or opens again later, must belong to whom it becomes. */
static int hand_over(const struct server *s, const struct passwd *pw)
{
	static const char *const tails[] = { "", "-wal", "-shm", "-journal" };
	char path[4200];
	int err = give_tree(AT_FDCWD, s->cfg->node.data, pw, FOLDERS_DEEP);
	for (unsigned i = 0; i < sizeof tails / sizeof tails[0] && !err && *store_file(s); i++)
		if ((err = text_print(path, sizeof path, "%s%s", store_file(s), tails[i])) == 0)
			err = give_at(AT_FDCWD, path, pw);
	if (!err && s->cfg->node.admin_socket[0])
		err = give_at(AT_FDCWD, s->cfg->node.admin_socket, pw);
	if (!err && s->cfg->node.log_json[0])
		err = give_at(AT_FDCWD, s->cfg->node.log_json, pw);
	return err;
}

/* SQLite makes its journal beside the store, whenever it opens it. Asked as the user that we are by now. */
static bool store_folder_usable(const struct server *s)
{
	char dir[4200];
	if (!*store_file(s) || text_print(dir, sizeof dir, "%s", store_file(s)))
		return true;
	char *slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = '\0';
	return faccessat(AT_FDCWD, slash ? dir : ".", W_OK | X_OK, AT_EACCESS) == 0;
}

int server_become_user(struct server *s, struct ev_report *why)
{
	const char *user = s->cfg->node.user;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!user[0] || s->keep_user || geteuid() != 0) {
		server_not_dumpable();
		return 0;
	}
	errno = 0;
	const struct passwd *pw = getpwnam(user);
	if (!pw)
		return refuse(why, user, errno ? strerror(errno) : server_words(SERVER_SAYS_NO_USER), errno);
	int err = hand_over(s, pw);
	if (err)
		return refuse(why, user, strerror(err), err);
	if (initgroups(user, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
		return refuse(why, user, strerror(errno), errno);
	server_not_dumpable();
	if (setuid(0) == 0 && pw->pw_uid != 0)
		return refuse(why, user, server_words(SERVER_SAYS_NOT_FOR_GOOD), EPERM);
	if (!store_folder_usable(s))
		return refuse(why, user, server_words(SERVER_SAYS_STORE_FOLDER), EACCES);
	return 0;
}
