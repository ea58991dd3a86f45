/* SPDX-License-Identifier: Apache-2.0 */
#include "ut.h"
#include "event/metrics.h"

static void families_stand_together_and_same_labels_are_one_metric(void **state)
{
	(void)state;
	struct metrics *m;
	struct buf b;
	buf_init(&b, 4096);
	assert_int_equal(metrics_create(&m), 0);
	struct metric *b1 = metric_get(m, METRIC_COUNTER, "umbel_b_total", "x=\"1\"", "B."), *a = metric_get(m, METRIC_GAUGE, "umbel_a", NULL, "A.");
	metric_add(b1, 2);
	metric_add(metric_get(m, METRIC_COUNTER, "umbel_b_total", "x=\"1\"", "B."), 1);
	metric_add(metric_get(m, METRIC_COUNTER, "umbel_b_total", "x=\"2\"", "B."), 5);
	metric_set(a, 7);
	metric_max(a, 3);
	assert_int_equal(metrics_render(m, &b), 0);
	assert_string_equal(buf_cstr(&b), "# HELP umbel_a A.\n# TYPE umbel_a gauge\numbel_a 7\n# HELP umbel_b_total B.\n# TYPE umbel_b_total counter\n"
	                                  "umbel_b_total{x=\"1\"} 3\numbel_b_total{x=\"2\"} 5\n");
	buf_free(&b);
	metrics_destroy(m);
}

static void label_values_cannot_break_out(void **state)
{
	(void)state;
	char dst[32];
	assert_string_equal(metric_label(TEXT("a\"b\\c\n"), dst, sizeof dst), "a\\\"b\\\\c\\n");
}

UT_MAIN(UT(families_stand_together_and_same_labels_are_one_metric), UT(label_values_cannot_break_out))
