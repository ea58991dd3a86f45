/* SPDX-License-Identifier: Apache-2.0 */
/* ban.h  Included before every file: functions that write without knowing where to stop are compile errors here. */
#ifndef BASE_BAN_H
#define BASE_BAN_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef gets
#undef strtok
#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok
#endif
