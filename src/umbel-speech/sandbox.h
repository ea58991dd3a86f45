/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.h  What the helper gives up before it reads a byte: more rights, cores, the network, more memory than it can need, and life
 * without its parent. Each by itself: what this kernel can't do is left out. */
#ifndef SPEECH_SANDBOX_H
#define SPEECH_SANDBOX_H

void sandbox_enter(void);

#endif
