-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- What a node tells beside its calls: how its clock differs from the store's (microseconds, positive: it is ahead), how many calls it would take at
-- once, which revision and which objects (digest) it serves, and how often it gives a sign. A node of an older release leaves them as they are.
ALTER TABLE node ADD COLUMN skew_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE node ADD COLUMN max_calls BIGINT NOT NULL DEFAULT 0;
ALTER TABLE node ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE node ADD COLUMN objects TEXT NOT NULL DEFAULT '';
ALTER TABLE node ADD COLUMN interval_ms BIGINT NOT NULL DEFAULT 5000;
