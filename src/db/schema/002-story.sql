-- SPDX-License-Identifier: Apache-2.0
-- readable-by: 1
-- What failed, one row a kind of failure; the columns are those of struct gw_story (gateway/story.h).
CREATE TABLE story (
  id TEXT NOT NULL PRIMARY KEY, node TEXT NOT NULL, gateway TEXT NOT NULL, peer TEXT NOT NULL, host TEXT NOT NULL, many BIGINT NOT NULL,
  role BIGINT NOT NULL, flow BIGINT NOT NULL, transport BIGINT NOT NULL, step BIGINT NOT NULL, certainty BIGINT NOT NULL,
  verdict TEXT NOT NULL, identity TEXT NOT NULL, sentence TEXT NOT NULL,
  first_us BIGINT NOT NULL, last_us BIGINT NOT NULL, ended_us BIGINT NOT NULL, times BIGINT NOT NULL, returns BIGINT NOT NULL,
  ended BIGINT NOT NULL, -- 0: it goes on
  verdict_json TEXT NOT NULL, facts_json TEXT NOT NULL);
CREATE INDEX story_node ON story (node, last_us);
