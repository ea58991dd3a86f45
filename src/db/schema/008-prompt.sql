-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- What callers hear in an administrator's own recordings, on all nodes. The audio is the blob prompt/LANGUAGE/NAME: 16 bit, little endian, 8 kHz.
CREATE TABLE prompt (
	language   TEXT   NOT NULL,
	name       TEXT   NOT NULL,
	words      TEXT   NOT NULL,
	bytes      BIGINT NOT NULL,
	changed_us BIGINT NOT NULL,
	PRIMARY KEY (language, name)
);
