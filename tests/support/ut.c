/* SPDX-License-Identifier: Apache-2.0 */
/* ut.c  Leak check, failing allocations, temporary folders. */
#include "ut.h"
#include <errno.h>
#include <ftw.h>
#include <unistd.h>
#include "base/mem.h"

static size_t live_before;

int ut_setup(void **state)
{
	(void)state;
	live_before = mem_live();
	return 0;
}

int ut_teardown(void **state)
{
	(void)state;
	mem_fail_at(0);
	if (mem_live() == live_before)
		return 0;
	print_error("leak: %zu block(s) left\n", mem_live() - live_before);
	return -1;
}

void ut_oom(ut_body *body, void *arg)
{
	for (size_t n = 1; n < 100000; n++) {
		size_t live = mem_live();
		mem_fail_at(n);
		int err = body(arg);
		bool met = mem_failed();
		mem_fail_at(0);
		if (mem_live() != live)
			fail_msg("allocation %zu fails: %zu block(s) leaked", n, mem_live() - live);
		if (!met) {
			assert_int_equal(err, 0);
			return;
		}
		if (err != ENOMEM && err != 0)
			fail_msg("allocation %zu fails: got error %d, not ENOMEM", n, err);
	}
	fail_msg("the body never ran to its end");
}

static char folders[64][64];
static unsigned n_folders;

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void remove_all(void)
{
	for (unsigned i = 0; i < n_folders; i++)
		nftw(folders[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *ut_tmpdir(void)
{
	assert_true(n_folders < 64);
	if (!n_folders)
		atexit(remove_all);
	char *path = folders[n_folders];
	snprintf(path, sizeof folders[0], "/tmp/umbel-ut-XXXXXX");
	assert_non_null(mkdtemp(path));
	n_folders++;
	return path;
}
