/* SPDX-License-Identifier: Apache-2.0 */
/* phone_live.h  The effects of the mailbox by phone, and what effects_live.c tells them about what is being said. */
#ifndef DIALOGUE_PHONE_LIVE_H
#define DIALOGUE_PHONE_LIVE_H
#include <stdbool.h>
#include <stdint.h>

struct dlg_call;
struct say_seq;

int dlg_job_owner(void *arg, uint32_t job);
int dlg_job_choose(void *arg, uint32_t job, const char *name, const char *value);
int dlg_job_away(void *arg, uint32_t job, bool on, int64_t until_us);
int dlg_job_undelete(void *arg, uint32_t job, const char *id);
int dlg_job_note(void *arg, uint32_t job, const char *id, unsigned set, unsigned clear);
int dlg_job_stretch(void *arg, uint32_t job, unsigned speed);
int dlg_job_send(void *arg, uint32_t job); /* send_live.c */

/* The message in a sentence, from where it is to go on, at its speed; then: the sentence begins now; then: it was stopped, or is over. */
void dlg_phone_say(struct dlg_call *c, struct say_seq *q);
void dlg_phone_said(struct dlg_call *c, const struct say_seq *q);
void dlg_phone_stopped(struct dlg_call *c);
uint32_t dlg_phone_heard(void *arg);
const char *dlg_phone_language(void *arg, unsigned i);
unsigned dlg_phone_hours(void *arg);
int32_t dlg_phone_offset_s(void *arg, int64_t when_s);
void dlg_phone_forget(struct dlg_call *c); /* another message comes */

#endif
