-- +goose Up

-- A token that another one was shown for, by `terraform login`: it ends with that.
ALTER TABLE tokens ADD COLUMN parent_id TEXT NOT NULL DEFAULT '';
CREATE INDEX tokens_parent ON tokens (parent_id) WHERE parent_id <> '';

-- Codes between a person's consent and the token: each opens once.
CREATE TABLE login_codes (
    hash       TEXT    NOT NULL PRIMARY KEY, -- hex of SHA-256
    client_id  TEXT    NOT NULL REFERENCES clients (id),
    redirect   TEXT    NOT NULL, -- where the code was sent
    challenge  TEXT    NOT NULL, -- of PKCE, S256
    wanted     TEXT    NOT NULL, -- JSON of the token that was agreed to
    expires_ms INTEGER NOT NULL,
    used_ms    INTEGER NOT NULL DEFAULT 0,
    token_id   TEXT    NOT NULL DEFAULT '' -- that came of it
) STRICT;
CREATE INDEX login_codes_expires ON login_codes (expires_ms);

-- What the cloud block knows of workspaces beyond their states. A workspace is
-- a state; one without a row here was made over HTTP.
CREATE TABLE cloud_workspaces (
    state_id   TEXT    NOT NULL PRIMARY KEY REFERENCES states (id),
    client_id  TEXT    NOT NULL REFERENCES clients (id),
    project_id TEXT    NOT NULL DEFAULT '', -- of cloud_projects
    tags       TEXT    NOT NULL DEFAULT '{}', -- JSON object; '' is the value of a tag without one
    created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX cloud_workspaces_client ON cloud_workspaces (client_id);

-- Groups of workspaces, which the cloud block calls projects.
CREATE TABLE cloud_projects (
    id         TEXT    NOT NULL PRIMARY KEY,
    client_id  TEXT    NOT NULL REFERENCES clients (id),
    name       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    UNIQUE (client_id, name)
) STRICT;

-- Versions that were announced, and come by an address of their own.
CREATE TABLE cloud_uploads (
    id         TEXT    NOT NULL PRIMARY KEY,
    state_id   TEXT    NOT NULL REFERENCES states (id),
    client_id  TEXT    NOT NULL REFERENCES clients (id),
    token_id   TEXT    NOT NULL,
    lock_id    TEXT    NOT NULL, -- '': the announcer held none
    serial     INTEGER NOT NULL,
    lineage    TEXT    NOT NULL,
    md5        TEXT    NOT NULL, -- hex
    forced     INTEGER NOT NULL DEFAULT 0, -- 1: past the checks of lineage and serial
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    version_id TEXT    NOT NULL DEFAULT '' -- that came of it
) STRICT;
CREATE INDEX cloud_uploads_expires ON cloud_uploads (expires_ms);
