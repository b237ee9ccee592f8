-- +goose Up

-- What is known of a project since the database came back whose state is kept
-- elsewhere: a plan has read its serial, or a person has let it go.
CREATE TABLE recovery_projects (
    recovery_id   TEXT    NOT NULL REFERENCES recoveries (id),
    client_id     TEXT    NOT NULL REFERENCES clients (id),
    repo_id       BIGINT NOT NULL REFERENCES repos (id),
    project       TEXT    NOT NULL, -- directory:workspace
    status        TEXT    NOT NULL, -- equal | differs | released
    known_serial  BIGINT NOT NULL DEFAULT 0, -- what the database that came back recorded last; -1: nobody knows
    known_lineage TEXT    NOT NULL DEFAULT '',
    found_serial  BIGINT NOT NULL DEFAULT 0, -- what the plan read
    found_lineage TEXT    NOT NULL DEFAULT '',
    run_id        TEXT    NOT NULL DEFAULT '', -- the plan
    actor         TEXT    NOT NULL, -- JSON of access.Actor
    reason        TEXT    NOT NULL, -- a sentence
    at_ms         BIGINT NOT NULL,
    PRIMARY KEY (recovery_id, repo_id, project)
);

-- Each time that a backup was made, or was to be made.
CREATE TABLE backups (
    id       TEXT    NOT NULL PRIMARY KEY,
    began_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL DEFAULT 0,
    outcome  TEXT    NOT NULL DEFAULT '', -- done | failed; '' until it ends
    size     BIGINT NOT NULL DEFAULT 0, -- bytes of the file
    blobs    BIGINT NOT NULL DEFAULT 0,
    missing  BIGINT NOT NULL DEFAULT 0, -- blobs that rows name and that were not there
    error    TEXT    NOT NULL DEFAULT '', -- a sentence
    actor    TEXT    NOT NULL -- JSON of access.Actor
);
CREATE INDEX backups_ended ON backups (outcome, ended_ms);
