-- +goose Up

-- Conventions: ids are UUIDv7 text unless they are GitHub's (BIGINT); times are
-- milliseconds since 1970, 0 = not yet; flags are 0 or 1; JSON is text, '' =
-- none; '' stands for "none" in text columns, NULL only where a key may be
-- missing. The SQLite twin of this file has the same tables and columns.

CREATE TABLE clients (
    id              TEXT   NOT NULL PRIMARY KEY,
    slug            TEXT   NOT NULL UNIQUE,
    name            TEXT   NOT NULL,
    installation_id BIGINT UNIQUE, -- GitHub's
    account_id      BIGINT NOT NULL DEFAULT 0, -- GitHub's ID of the account: a name may pass to somebody else
    status          TEXT   NOT NULL DEFAULT 'active', -- active | suspended | deleted
    created_ms      BIGINT NOT NULL
);
CREATE INDEX clients_account ON clients (account_id);

CREATE TABLE repos (
    id             BIGINT NOT NULL PRIMARY KEY, -- GitHub's repository ID: never changes, unlike owner and name
    client_id      TEXT   NOT NULL REFERENCES clients (id),
    owner          TEXT   NOT NULL,
    name           TEXT   NOT NULL,
    default_branch TEXT   NOT NULL DEFAULT '',
    clone_url      TEXT   NOT NULL DEFAULT '',
    status         TEXT   NOT NULL DEFAULT 'active', -- active | removed
    created_ms     BIGINT NOT NULL
);
CREATE INDEX repos_client ON repos (client_id);

CREATE TABLE deliveries (
    guid            TEXT   NOT NULL PRIMARY KEY, -- X-GitHub-Delivery: a redelivery carries the same
    client_id       TEXT   REFERENCES clients (id), -- NULL until the installation is known
    installation_id BIGINT NOT NULL DEFAULT 0,
    repo_id         BIGINT NOT NULL DEFAULT 0,
    event           TEXT   NOT NULL,
    action          TEXT   NOT NULL DEFAULT '',
    body            BYTEA  NOT NULL,
    received_ms     BIGINT NOT NULL,
    status          TEXT   NOT NULL DEFAULT 'queued', -- queued | done | ignored | failed
    error           TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX deliveries_status ON deliveries (status, received_ms);
CREATE INDEX deliveries_received ON deliveries (received_ms);
CREATE INDEX deliveries_client ON deliveries (client_id, received_ms);

CREATE TABLE pulls (
    repo_id      BIGINT NOT NULL REFERENCES repos (id),
    number       BIGINT NOT NULL,
    client_id    TEXT   NOT NULL REFERENCES clients (id),
    title        TEXT   NOT NULL DEFAULT '',
    author       TEXT   NOT NULL DEFAULT '',
    author_id    BIGINT NOT NULL DEFAULT 0,
    head_sha     TEXT   NOT NULL DEFAULT '',
    head_ref     TEXT   NOT NULL DEFAULT '',
    head_repo_id BIGINT NOT NULL DEFAULT 0, -- 0: the fork is gone
    base_sha     TEXT   NOT NULL DEFAULT '',
    base_ref     TEXT   NOT NULL DEFAULT '',
    state        TEXT   NOT NULL DEFAULT 'open', -- open | closed
    merged       BIGINT NOT NULL DEFAULT 0,
    merge_sha    TEXT   NOT NULL DEFAULT '',
    draft        BIGINT NOT NULL DEFAULT 0,
    labels       TEXT   NOT NULL DEFAULT '[]', -- JSON array of names
    updated_ms   BIGINT NOT NULL,
    PRIMARY KEY (repo_id, number)
);
CREATE INDEX pulls_client ON pulls (client_id, state);

CREATE TABLE changes (
    id                 TEXT   NOT NULL PRIMARY KEY,
    client_id          TEXT   NOT NULL REFERENCES clients (id),
    repo_id            BIGINT NOT NULL REFERENCES repos (id),
    pull               BIGINT NOT NULL,
    head_sha           TEXT   NOT NULL,
    base_sha           TEXT   NOT NULL DEFAULT '',
    status             TEXT   NOT NULL,
    reason             TEXT   NOT NULL DEFAULT '',
    notes              TEXT   NOT NULL DEFAULT '', -- what is wrong in the repository but kept nothing from being planned
    settings           TEXT   NOT NULL DEFAULT '', -- JSON: how the pull is treated, as the base branch said when it was planned
    comment_id         BIGINT NOT NULL DEFAULT 0, -- GitHub's; 0 = not posted
    comment_intent_ms  BIGINT NOT NULL DEFAULT 0, -- set before the comment is created: after a crash, look for it first
    rev                BIGINT NOT NULL DEFAULT 1, -- grows with whatever the answer shows
    answered_rev       BIGINT NOT NULL DEFAULT 0, -- the rev that GitHub shows
    answering_until_ms BIGINT NOT NULL DEFAULT 0,
    answering_node TEXT NOT NULL DEFAULT '',
    merge_sha          TEXT   NOT NULL DEFAULT '',
    auto_merge         BIGINT NOT NULL DEFAULT 0,
    created_ms         BIGINT NOT NULL,
    updated_ms         BIGINT NOT NULL,
    UNIQUE (repo_id, pull, head_sha)
);
CREATE INDEX changes_client ON changes (client_id, created_ms);
CREATE INDEX changes_status ON changes (status);
CREATE INDEX changes_merge ON changes (repo_id, merge_sha);

CREATE TABLE runs (
    id             TEXT   NOT NULL PRIMARY KEY,
    client_id      TEXT   NOT NULL REFERENCES clients (id),
    change_id      TEXT   NOT NULL REFERENCES changes (id),
    repo_id        BIGINT NOT NULL REFERENCES repos (id),
    pull           BIGINT NOT NULL,
    kind           TEXT   NOT NULL, -- plan | apply
    project        TEXT   NOT NULL, -- display name; dir + workspace is the key
    dir            TEXT   NOT NULL,
    workspace      TEXT   NOT NULL,
    spec           TEXT   NOT NULL DEFAULT '', -- JSON of planner.Project
    commit_sha     TEXT   NOT NULL DEFAULT '', -- what is planned or applied: the head, or what it became on the base branch
    status         TEXT   NOT NULL,
    actor          TEXT   NOT NULL DEFAULT '', -- JSON of access.Actor
    node_id        TEXT   NOT NULL DEFAULT '', -- the node whose disk holds the run folder
    ord            BIGINT NOT NULL DEFAULT 0,
    plan_run_id    TEXT   NOT NULL DEFAULT '', -- of an apply: the plan that was reviewed
    inputs_digest  TEXT   NOT NULL DEFAULT '',
    plan_digest    TEXT   NOT NULL DEFAULT '',
    state_lineage  TEXT   NOT NULL DEFAULT '',
    state_serial   BIGINT NOT NULL DEFAULT 0,
    plan_blob      TEXT   NOT NULL DEFAULT '',
    plan_json_blob TEXT   NOT NULL DEFAULT '',
    log_blob       TEXT   NOT NULL DEFAULT '',
    summary        TEXT   NOT NULL DEFAULT '',
    diff           TEXT   NOT NULL DEFAULT '', -- the plan as text, sensitive values masked
    report         TEXT   NOT NULL DEFAULT '',
    estimate       TEXT   NOT NULL DEFAULT '',
    error          TEXT   NOT NULL DEFAULT '',
    progress_done  BIGINT NOT NULL DEFAULT 0,
    progress_total BIGINT NOT NULL DEFAULT 0,
    created_ms     BIGINT NOT NULL,
    started_ms     BIGINT NOT NULL DEFAULT 0,
    finished_ms    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX runs_change ON runs (change_id, ord);
CREATE INDEX runs_plan ON runs (plan_run_id);
CREATE INDEX runs_status ON runs (status, node_id);
CREATE INDEX runs_client ON runs (client_id, created_ms);
CREATE INDEX runs_project ON runs (repo_id, dir, workspace, created_ms);

CREATE TABLE locks (
    repo_id   BIGINT NOT NULL REFERENCES repos (id),
    dir       TEXT   NOT NULL,
    workspace TEXT   NOT NULL,
    client_id TEXT   NOT NULL REFERENCES clients (id),
    change_id TEXT   NOT NULL REFERENCES changes (id),
    pull      BIGINT NOT NULL,
    run_id    TEXT   NOT NULL DEFAULT '', -- the run that works under the lock now
    holder    TEXT   NOT NULL DEFAULT '',
    fence     BIGINT NOT NULL,
    taken_ms  BIGINT NOT NULL,
    PRIMARY KEY (repo_id, dir, workspace)
);
CREATE INDEX locks_change ON locks (change_id);
CREATE INDEX locks_client ON locks (client_id);

-- Fences outlive their locks: a token that was given once is never given again.
CREATE TABLE lock_fences (
    repo_id   BIGINT NOT NULL,
    dir       TEXT   NOT NULL,
    workspace TEXT   NOT NULL,
    fence     BIGINT NOT NULL,
    PRIMARY KEY (repo_id, dir, workspace)
);

CREATE TABLE checks (
    change_id TEXT   NOT NULL REFERENCES changes (id),
    name      TEXT   NOT NULL,
    check_id  BIGINT NOT NULL,
    state     TEXT   NOT NULL DEFAULT '', -- hash of what was last posted
    PRIMARY KEY (change_id, name)
);

CREATE TABLE events (
    seq       BIGINT NOT NULL PRIMARY KEY, -- 1, 2, 3 … without gaps: a gap is a deleted row
    id        TEXT   NOT NULL UNIQUE,
    client_id TEXT   REFERENCES clients (id), -- NULL: an event of the installation as a whole
    at_ms     BIGINT NOT NULL,
    actor     TEXT   NOT NULL, -- JSON of access.Actor
    action    TEXT   NOT NULL,
    subject   TEXT   NOT NULL,
    detail    TEXT   NOT NULL DEFAULT '',
    prev_hash TEXT   NOT NULL,
    hash      TEXT   NOT NULL
);
CREATE INDEX events_client ON events (client_id, seq);

-- One row: where the audit chain ends. Whoever appends holds this row, so the
-- chain has no forks; rows cut from its end show against it.
CREATE TABLE event_head (
    id   BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    seq  BIGINT NOT NULL,
    hash TEXT   NOT NULL
);
INSERT INTO event_head (id, seq, hash) VALUES (1, 0, '');

-- A node's life shows in beats, which only grows. Others watch it change by
-- their own monotonic clocks; beat_ms is for people to read.
CREATE TABLE nodes (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    started_ms BIGINT NOT NULL,
    beat_ms    BIGINT NOT NULL,
    beats      BIGINT NOT NULL DEFAULT 0
);
