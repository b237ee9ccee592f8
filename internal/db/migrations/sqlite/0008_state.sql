-- +goose Up

-- What programs show instead of a password. The token itself is nowhere.
CREATE TABLE tokens (
    id         TEXT    NOT NULL PRIMARY KEY,
    client_id  TEXT    NOT NULL REFERENCES clients (id), -- what it opens is this client's, and nobody else's
    name       TEXT    NOT NULL,
    hash       TEXT    NOT NULL UNIQUE, -- hex of SHA-256: of 256 random bits, so a salt adds nothing
    projects   TEXT    NOT NULL, -- JSON array of patterns
    scopes     TEXT    NOT NULL, -- JSON array of words
    actor      TEXT    NOT NULL, -- JSON of access.Actor: as whom it acts
    created_by TEXT    NOT NULL, -- JSON of access.Actor
    run_id     TEXT    NOT NULL DEFAULT '', -- of a run's own credential
    commit_sha TEXT    NOT NULL DEFAULT '', -- what that run is of
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL DEFAULT 0, -- 0: never
    revoked_ms INTEGER NOT NULL DEFAULT 0,
    used_ms    INTEGER NOT NULL DEFAULT 0 -- to the minute
) STRICT;
CREATE INDEX tokens_client ON tokens (client_id, created_ms);
CREATE INDEX tokens_run ON tokens (run_id);

-- A project's state: which of its versions counts now, and what the next
-- write is compared with.
CREATE TABLE states (
    id         TEXT    NOT NULL PRIMARY KEY,
    client_id  TEXT    NOT NULL REFERENCES clients (id),
    name       TEXT    NOT NULL, -- the project's path
    version_id TEXT    NOT NULL DEFAULT '', -- '': none yet, or deleted
    seq        INTEGER NOT NULL DEFAULT 0, -- number of the last version that was made
    serial     INTEGER NOT NULL DEFAULT 0, -- of the version that counts
    max_serial INTEGER NOT NULL DEFAULT 0, -- of all versions of its lineage
    lineage    TEXT    NOT NULL DEFAULT '',
    md5        TEXT    NOT NULL DEFAULT '', -- hex
    frozen     TEXT    NOT NULL DEFAULT '', -- why nothing may be written, '' where it may
    created_ms INTEGER NOT NULL,
    written_ms INTEGER NOT NULL DEFAULT 0,
    UNIQUE (client_id, name)
) STRICT;

-- Every write. A row never changes, but for the key that its data key is
-- wrapped by.
CREATE TABLE state_versions (
    id                TEXT    NOT NULL PRIMARY KEY,
    state_id          TEXT    NOT NULL REFERENCES states (id),
    client_id         TEXT    NOT NULL REFERENCES clients (id),
    seq               INTEGER NOT NULL, -- 1, 2, 3, … of this state
    kind              TEXT    NOT NULL, -- write | force | restore | errored
    serial            INTEGER NOT NULL,
    lineage           TEXT    NOT NULL,
    size              INTEGER NOT NULL, -- bytes of the state
    stored            INTEGER NOT NULL, -- bytes that it takes here
    md5               TEXT    NOT NULL, -- hex
    sha256            TEXT    NOT NULL, -- hex
    terraform_version TEXT    NOT NULL DEFAULT '',
    encrypted         INTEGER NOT NULL DEFAULT 0, -- 1: by the client, so that nobody here can look into it
    resources         INTEGER NOT NULL DEFAULT 0,
    instances         INTEGER NOT NULL DEFAULT 0,
    actor             TEXT    NOT NULL, -- JSON of access.Actor
    run_id            TEXT    NOT NULL DEFAULT '',
    commit_sha        TEXT    NOT NULL DEFAULT '',
    reason            TEXT    NOT NULL DEFAULT '',
    created_ms        INTEGER NOT NULL,
    blob_ref          TEXT    NOT NULL DEFAULT '', -- '': in state_contents
    key_id            TEXT    NOT NULL, -- which key wraps the data key
    wrapped           BLOB    NOT NULL,
    UNIQUE (state_id, seq)
) STRICT;
CREATE INDEX state_versions_client ON state_versions (client_id, created_ms);
CREATE INDEX state_versions_wrap ON state_versions (key_id, id);
CREATE INDEX state_versions_run ON state_versions (run_id);

-- Sealed contents, apart from what lists read. Larger ones lie in blobs.
CREATE TABLE state_contents (
    version_id TEXT NOT NULL PRIMARY KEY REFERENCES state_versions (id),
    sealed     BLOB NOT NULL
) STRICT;

-- Who holds a state now. No row: nobody.
CREATE TABLE state_locks (
    state_id   TEXT    NOT NULL PRIMARY KEY REFERENCES states (id),
    client_id  TEXT    NOT NULL REFERENCES clients (id),
    lock_id    TEXT    NOT NULL,
    info       TEXT    NOT NULL, -- JSON, as the client sent it
    actor      TEXT    NOT NULL, -- JSON of access.Actor
    token_id   TEXT    NOT NULL DEFAULT '',
    run_id     TEXT    NOT NULL DEFAULT '',
    created_ms INTEGER NOT NULL
) STRICT;

-- An older version is to count again: one asks, another approves.
CREATE TABLE state_restores (
    id          TEXT    NOT NULL PRIMARY KEY,
    state_id    TEXT    NOT NULL REFERENCES states (id),
    client_id   TEXT    NOT NULL REFERENCES clients (id),
    version_id  TEXT    NOT NULL, -- which is to come back
    over_id     TEXT    NOT NULL, -- which counted when it was asked, '' for none
    reason      TEXT    NOT NULL,
    status      TEXT    NOT NULL, -- asked | done | dropped
    asked_by    TEXT    NOT NULL, -- JSON of access.Actor
    asked_ms    INTEGER NOT NULL,
    ended_by    TEXT    NOT NULL DEFAULT '',
    ended_ms    INTEGER NOT NULL DEFAULT 0,
    result_id   TEXT    NOT NULL DEFAULT '' -- the version that came of it
) STRICT;
CREATE INDEX state_restores_state ON state_restores (state_id, asked_ms);

-- What a client has here, kept up with each write.
CREATE TABLE state_usage (
    client_id TEXT    NOT NULL PRIMARY KEY REFERENCES clients (id),
    states    INTEGER NOT NULL,
    bytes     INTEGER NOT NULL -- stored, of all versions
) STRICT;
