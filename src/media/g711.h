/* SPDX-License-Identifier: Apache-2.0 */
/* g711.h  ITU-T G.711: both laws to and from 16 bit, and from one to the other. Pure functions on tables that are made once. */
#ifndef MEDIA_G711_H
#define MEDIA_G711_H
#include <stddef.h>
#include <stdint.h>
#include "media/clip.h"

uint8_t g711_encode_ulaw(int16_t pcm);
uint8_t g711_encode_alaw(int16_t pcm);
/* 256 values; `law` PCMU or PCMA. */
const int16_t *g711_table(enum media_codec law);
/* The squares of those values. */
const float *g711_squares(enum media_codec law);
/* 256 values: PCMU to PCMA and back. */
const uint8_t *g711_cross(enum media_codec from);
void g711_encode(enum media_codec law, uint8_t *dst, const int16_t *pcm, size_t n);
void g711_decode(enum media_codec law, int16_t *dst, const uint8_t *src, size_t n);

#endif
