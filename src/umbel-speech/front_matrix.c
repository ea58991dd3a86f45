/* SPDX-License-Identifier: Apache-2.0 */
/* front_matrix.c  Four rows by sixteen columns stay in registers while k runs. Each number of C is summed in the order of k by itself, so how
 * many of them the processor sums side by side changes nothing. Built with -ffp-contract=off: a fused product would be rounded once less. */
#include <string.h>
#include "umbel-speech/front_matrix.h"

struct operands {
	float *c;
	const float *a, *b;
	size_t m, k, n, row, column;
	bool add;
};
typedef void(kernel)(const struct operands *o);

/* `bytes`: of a vector register. `rows` rows from i on, MATRIX_LANES columns from j on. */
#define UNROLL _Pragma("GCC unroll 4")

#define KERNEL(name, attribute, bytes)                                                                                          \
	enum { name##_lanes = (bytes) / sizeof(float), name##_parts = MATRIX_LANES / name##_lanes };                            \
	typedef float name##_vector __attribute__((vector_size(bytes)));                                                        \
	attribute static inline __attribute__((always_inline)) void name##_tile(const struct operands *o, size_t i, size_t j, size_t rows) \
	{                                                                                                                       \
		name##_vector sum[4][name##_parts], w[name##_parts];                                                            \
		const float *a = o->a + i * o->row;                                                                             \
		UNROLL for (size_t r = 0; r < 4; r++)                                                                           \
			UNROLL for (size_t p = 0; p < name##_parts; p++)                                                        \
				sum[r][p] = (name##_vector){ 0 };                                                               \
		for (size_t r = 0; o->add && r < rows; r++)                                                                     \
			UNROLL for (size_t p = 0; p < name##_parts; p++)                                                        \
				memcpy(&sum[r][p], o->c + (i + r) * o->n + j + p * name##_lanes, bytes);                        \
		for (size_t k = 0; k < o->k; k++) {                                                                             \
			UNROLL for (size_t p = 0; p < name##_parts; p++)                                                        \
				memcpy(&w[p], o->b + k * o->n + j + p * name##_lanes, bytes);                                   \
			UNROLL for (size_t r = 0; r < rows; r++)                                                                \
				UNROLL for (size_t p = 0; p < name##_parts; p++)                                                \
					sum[r][p] += a[r * o->row + k * o->column] * w[p];                                      \
		}                                                                                                               \
		UNROLL for (size_t r = 0; r < rows; r++)                                                                        \
			UNROLL for (size_t p = 0; p < name##_parts; p++)                                                        \
				memcpy(o->c + (i + r) * o->n + j + p * name##_lanes, &sum[r][p], bytes);                        \
	}                                                                                                                       \
	attribute static void name(const struct operands *o)                                                                    \
	{                                                                                                                       \
		for (size_t j = 0; j < o->n; j += MATRIX_LANES) {                                                               \
			size_t i = 0;                                                                                           \
			for (; i + 4 <= o->m; i += 4)                                                                           \
				name##_tile(o, i, j, 4);                                                                        \
			for (; i < o->m; i++)                                                                                   \
				name##_tile(o, i, j, 1);                                                                        \
		}                                                                                                               \
	}

KERNEL(sixteen_bytes, , 16)
#if defined(__x86_64__)
KERNEL(avx2, __attribute__((target("avx2"))), 32)
#endif

static kernel *best(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return avx2;
#endif
	return sixteen_bytes;
}

void matrix_multiply(float *c, const float *a, const float *b, size_t m, size_t k, size_t n, size_t row, size_t column, bool add)
{
	best()(&(struct operands){ c, a, b, m, k, n, row, column, add });
}
