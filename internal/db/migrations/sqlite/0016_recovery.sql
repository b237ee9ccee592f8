-- +goose Up

-- What is known of a project since the database came back whose state is kept
-- elsewhere: a plan has read its serial, or a person has let it go.
CREATE TABLE recovery_projects (
    recovery_id   TEXT    NOT NULL REFERENCES recoveries (id),
    client_id     TEXT    NOT NULL REFERENCES clients (id),
    repo_id       INTEGER NOT NULL REFERENCES repos (id),
    project       TEXT    NOT NULL, -- directory:workspace
    status        TEXT    NOT NULL, -- equal | differs | released
    known_serial  INTEGER NOT NULL DEFAULT 0, -- what the database that came back recorded last; -1: nobody knows
    known_lineage TEXT    NOT NULL DEFAULT '',
    found_serial  INTEGER NOT NULL DEFAULT 0, -- what the plan read
    found_lineage TEXT    NOT NULL DEFAULT '',
    run_id        TEXT    NOT NULL DEFAULT '', -- the plan
    actor         TEXT    NOT NULL, -- JSON of access.Actor
    reason        TEXT    NOT NULL, -- a sentence
    at_ms         INTEGER NOT NULL,
    PRIMARY KEY (recovery_id, repo_id, project)
) STRICT;

-- Each time that a backup was made, or was to be made.
CREATE TABLE backups (
    id       TEXT    NOT NULL PRIMARY KEY,
    began_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL DEFAULT 0,
    outcome  TEXT    NOT NULL DEFAULT '', -- done | failed; '' until it ends
    size     INTEGER NOT NULL DEFAULT 0, -- bytes of the file
    blobs    INTEGER NOT NULL DEFAULT 0,
    missing  INTEGER NOT NULL DEFAULT 0, -- blobs that rows name and that were not there
    error    TEXT    NOT NULL DEFAULT '', -- a sentence
    actor    TEXT    NOT NULL -- JSON of access.Actor
) STRICT;
CREATE INDEX backups_ended ON backups (outcome, ended_ms);
