/* SPDX-License-Identifier: Apache-2.0 */
/* speech_private.h  speech.c (requests and the helper's life) and speech_child.c (the process). */
#ifndef VOICE_SPEECH_PRIVATE_H
#define VOICE_SPEECH_PRIVATE_H
#include <sys/types.h>

/* *ours: our end of the socket pair, to be closed also after an error (-1: there is none). */
int speech_spawn(pid_t *pid, int *ours, const char *path);

#endif
