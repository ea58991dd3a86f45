-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- What nodes write to each other about certificates. Each body is signed by its sender's certificate; nothing in it is secret.
CREATE TABLE node_letter (
  id TEXT NOT NULL PRIMARY KEY, to_node TEXT NOT NULL, at_us BIGINT NOT NULL, body TEXT NOT NULL);
CREATE INDEX node_letter_to ON node_letter (to_node, at_us);
