/* SPDX-License-Identifier: Apache-2.0 */
#include "procs.h"
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ut.h"

static void child(unsigned nr, int gate, int out, procs_h *h, void *arg)
{
	struct procs_end end = { 0 };
	char c;
	if (read(gate, &c, 1) < 0) /* 0: the parent has opened it for all */
		_exit(1);
	h(nr, &end, arg);
	end.ok = 1;
	_exit(write(out, &end, sizeof end) == sizeof end ? 0 : 1);
}

void procs_run(unsigned n, procs_h *h, void *arg, struct procs_end *ends)
{
	int gate[2], (*out)[2] = calloc(n, sizeof *out);
	pid_t *pid = calloc(n, sizeof *pid);
	assert_true(out && pid && pipe(gate) == 0);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(pipe(out[i]), 0);
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (!pid[i]) {
			close(gate[1]);
			child(i, gate[0], out[i][1], h, arg);
		}
		close(out[i][1]);
	}
	close(gate[0]);
	close(gate[1]);
	for (unsigned i = 0; i < n; i++) {
		ends[i] = (struct procs_end){ 0 };
		if (read(out[i][0], &ends[i], sizeof ends[i]) != sizeof ends[i])
			ends[i].ok = 0;
		close(out[i][0]);
		waitpid(pid[i], NULL, 0);
	}
	free(out);
	free(pid);
}
