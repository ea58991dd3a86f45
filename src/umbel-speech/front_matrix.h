/* SPDX-License-Identifier: Apache-2.0 */
/* front_matrix.h  One product of matrices, the same to the last bit on every processor.
 *
 * The order of the additions is part of what is promised: a network trained twice from the same recordings is the same
 * file, whether the machine adds four numbers at a time or eight. So nothing is fused, and no library is asked.       */
#ifndef FRONT_MATRIX_H
#define FRONT_MATRIX_H
#include <stdbool.h>
#include <stddef.h>

enum { MATRIX_LANES = 16 };

/* C (m x n) = A (m x k) * B (k x n), or C += with `add`. B and C are dense rows of n, which is a multiple of MATRIX_LANES;
 * A's element (i, j) is a[i * row + j * column], so that a transposed A costs nothing.                                 */
void matrix_multiply(float *c, const float *a, const float *b, size_t m, size_t k, size_t n, size_t row, size_t column, bool add);

#endif
