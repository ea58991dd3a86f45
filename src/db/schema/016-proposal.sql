-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- New objects that all living nodes are asked about before they become a revision; at most one at a time (lease "objects"). number: when, by the
-- store's clock. A node of an older release never answers.
CREATE TABLE proposal (
  number BIGINT NOT NULL PRIMARY KEY, node TEXT NOT NULL, based_on BIGINT NOT NULL, until_us BIGINT NOT NULL, objects TEXT NOT NULL);
CREATE TABLE proposal_answer (
  number BIGINT NOT NULL, node TEXT NOT NULL, good BIGINT NOT NULL, finding TEXT NOT NULL,
  PRIMARY KEY (number, node));
