/* SPDX-License-Identifier: Apache-2.0 */
/* quality.h  What a call sounded like, estimated by the E-model (ITU-T G.107) from what was measured, or not at all. Pure.
 *
 *   R = 93.2 - Id - Ie,eff    Id of the one-way delay: half the round trip, a frame of 20 ms, twice the jitter
 *                             Ie,eff of the packets lost, at random, of a codec with its Ie and Bpl: G.711 whose gaps are filled (G.113: 0, 25.1)
 *
 * The scale is that of narrow band, on which no codec is better than G.711. G.722, Opus and L16, whose gaps are filled as well, are counted like it:
 * G.113 has no values for them on this scale.                                                                             */
#ifndef RECORDS_QUALITY_H
#define RECORDS_QUALITY_H
#include <stdbool.h>
#include "records/record.h"

enum { QUALITY_LEAST_MS = 10000, QUALITY_LEAST_PACKETS = 250 };
/* Fills nmos_centi, the three degradations and the band of r from its codec, duration_ms, received, lost, jitter_us and round_trip_us. False, with all of
 * them unknown: the call was too short, or one of these was not measured. */
bool quality_estimate(struct call_record *r);
/* "excellent" (4.50 and more), "good" (3.50), "average" (2.50), "poor" (1.50), "bad". */
const char *quality_band(int64_t nmos_centi);

#endif
