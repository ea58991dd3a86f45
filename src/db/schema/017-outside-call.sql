-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- Calls to numbers outside that a mailbox or an attendant caused, by the hour of the store's clock; told: that there were too many.
CREATE TABLE outside_call (
  of TEXT NOT NULL, hour BIGINT NOT NULL, calls BIGINT NOT NULL, told BIGINT NOT NULL,
  PRIMARY KEY (of, hour));
