/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h  Requests from a socket, worked off by one thread a core. The calling thread reads; each worker takes the next request, does all of it and
 * answers. Ends when the socket does: who asked is gone. */
#ifndef SPEECH_SERVE_H
#define SPEECH_SERVE_H

/* 0 at the end of the socket; EPROTO: what came is no message of ours; errno. */
int serve_run(int fd);

#endif
