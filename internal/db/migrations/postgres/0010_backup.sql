-- +goose Up

-- Each time that the database came back from a backup or a replica. While the
-- last one has no end, nothing is applied: what really exists may be newer than
-- what the database knows.
CREATE TABLE recoveries (
    id          TEXT    NOT NULL PRIMARY KEY,
    source      TEXT    NOT NULL, -- backup | replica
    made_ms     BIGINT NOT NULL, -- when what came back was written; 0 where that is not known
    came_ms     BIGINT NOT NULL,
    actor       TEXT    NOT NULL, -- JSON of access.Actor
    ended_by    TEXT    NOT NULL DEFAULT '',
    ended_ms    BIGINT NOT NULL DEFAULT 0,
    reason      TEXT    NOT NULL DEFAULT '' -- how whoever ended it knows that all is right
);
CREATE INDEX recoveries_open ON recoveries (ended_ms);
