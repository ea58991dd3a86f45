-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- With what the sound of a call was encrypted (SRTP): the suite's name; empty: it was not, or that was not recorded yet.
ALTER TABLE call_record ADD COLUMN srtp TEXT NOT NULL DEFAULT '';
