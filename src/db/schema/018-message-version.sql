-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- version grows with each change of a message; grown: the version in which it became more than it had been, so that who heard less of it cannot put the
-- rest away. A node of an older release leaves both as they are.
ALTER TABLE message ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN grown BIGINT NOT NULL DEFAULT 0;
