-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- How the caller's keys came: event, tone, info, with commas between.
ALTER TABLE call_record ADD COLUMN keys TEXT NOT NULL DEFAULT '';
