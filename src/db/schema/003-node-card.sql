-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- What a node says of itself in public: its certificates (never a key), names and listeners, as one JSON text with its own "schema".
CREATE TABLE node_card (
  node TEXT NOT NULL PRIMARY KEY, at_us BIGINT NOT NULL, body TEXT NOT NULL);
