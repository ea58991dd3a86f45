/* SPDX-License-Identifier: Apache-2.0 */
/* umbel.c  The command's main(). */
#include <signal.h>
#include "cli/cli.h"

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	return cli_main(argc, argv, stdout, stderr);
}
