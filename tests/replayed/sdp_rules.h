/* SPDX-License-Identifier: Apache-2.0 */
/* sdp_rules.h  Whether a session description of Umbel is one (RFC 4566 5), answers what it was offered (RFC 3264 6, 8), and is a later version of the one
 * before. Reads the text itself, not by Umbel's parser.                                                                */
#ifndef TESTS_REPLAYED_SDP_RULES_H
#define TESTS_REPLAYED_SDP_RULES_H
#include <stddef.h>

/* All give NULL, or what is wrong in words; some are made in a static buffer. Texts are whole bodies; of a multipart one the last description counts. */
const char *sdp_form(const char *sdp);
const char *sdp_answers(const char *offer, const char *answer);
const char *sdp_follows(const char *before, const char *now);
/* The description within a body; NULL: none. */
const char *sdp_in(const char *body);

#endif
