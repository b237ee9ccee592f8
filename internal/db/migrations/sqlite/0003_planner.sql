-- +goose Up

-- A change that is of no pull request: the branch whose tip it is; '' for a
-- pull request's. Its number is 0 then.
ALTER TABLE changes ADD COLUMN branch TEXT NOT NULL DEFAULT '';

-- What is known of a repository's drift: which commit its schedules were read
-- from, and the one issue that tells of it.
CREATE TABLE drift_repos (
    repo_id         INTEGER NOT NULL PRIMARY KEY REFERENCES repos (id),
    client_id       TEXT    NOT NULL REFERENCES clients (id),
    read_ms         INTEGER NOT NULL DEFAULT 0, -- when the schedules were read; 0: read them
    defaults        TEXT    NOT NULL DEFAULT '', -- hash of the server's settings that they were read with
    problem         TEXT    NOT NULL DEFAULT '', -- why they can't be read
    trouble         TEXT    NOT NULL DEFAULT '', -- why GitHub could not be told
    issue           INTEGER NOT NULL DEFAULT 0, -- its number; 0: none
    issue_state     TEXT    NOT NULL DEFAULT '', -- as Tidelock left it: open | closed | intended | dismissed
    issue_shown     TEXT    NOT NULL DEFAULT '', -- hash of what it says
    issue_dismissed TEXT    NOT NULL DEFAULT '', -- digest of the drift for which somebody closed it
    telling_until_ms INTEGER NOT NULL DEFAULT 0, -- until when one worker alone writes of it to GitHub
    telling_node    TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX drift_repos_read ON drift_repos (read_ms);

-- When projects are checked. The row without a directory is for all that have
-- none of their own.
CREATE TABLE drift_schedules (
    repo_id   INTEGER NOT NULL REFERENCES repos (id),
    dir       TEXT    NOT NULL,
    workspace TEXT    NOT NULL,
    client_id TEXT    NOT NULL REFERENCES clients (id),
    cron      TEXT    NOT NULL DEFAULT '', -- '': never by itself
    timezone  TEXT    NOT NULL DEFAULT '',
    remediate TEXT    NOT NULL DEFAULT '', -- issue | pull | off
    next_ms   INTEGER NOT NULL DEFAULT 0, -- 0: never
    PRIMARY KEY (repo_id, dir, workspace)
) STRICT;
CREATE INDEX drift_schedules_next ON drift_schedules (next_ms);

-- Checks, each of several projects at once. Its runs have its ID as their batch.
CREATE TABLE drift_checks (
    id          TEXT    NOT NULL PRIMARY KEY,
    client_id   TEXT    NOT NULL REFERENCES clients (id),
    repo_id     INTEGER NOT NULL REFERENCES repos (id),
    tick_ms     INTEGER NOT NULL, -- what it was due at, or asked for
    actor       TEXT    NOT NULL DEFAULT '', -- JSON of access.Actor
    wanted      TEXT    NOT NULL DEFAULT '', -- JSON of drift.Wanted: which projects
    status      TEXT    NOT NULL, -- asked | queued | running | done | failed
    error       TEXT    NOT NULL DEFAULT '',
    commit_sha  TEXT    NOT NULL DEFAULT '',
    created_ms  INTEGER NOT NULL,
    finished_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX drift_checks_status ON drift_checks (status, created_ms);
CREATE INDEX drift_checks_repo ON drift_checks (repo_id, created_ms);

-- What the last check of each project found. The run has the text.
CREATE TABLE drift_projects (
    repo_id       INTEGER NOT NULL REFERENCES repos (id),
    dir           TEXT    NOT NULL,
    workspace     TEXT    NOT NULL,
    client_id     TEXT    NOT NULL REFERENCES clients (id),
    project       TEXT    NOT NULL, -- display name
    status        TEXT    NOT NULL, -- clean | drifted | failed
    since_ms      INTEGER NOT NULL, -- since when that is so
    checked_ms    INTEGER NOT NULL,
    check_id      TEXT    NOT NULL DEFAULT '',
    run_id        TEXT    NOT NULL DEFAULT '',
    digest        TEXT    NOT NULL DEFAULT '', -- of the drift
    pull          INTEGER NOT NULL DEFAULT 0, -- the pull request that is changing the project; 0: none
    remedy        INTEGER NOT NULL DEFAULT 0, -- the pull request that would take the drift back; 0: none
    remedy_digest TEXT    NOT NULL DEFAULT '', -- of the drift that it was opened for
    PRIMARY KEY (repo_id, dir, workspace)
) STRICT;
CREATE INDEX drift_projects_client ON drift_projects (client_id, status);

-- What a run does now, and what it took: the next one of its project reckons
-- with that.
ALTER TABLE runs ADD COLUMN progress TEXT NOT NULL DEFAULT ''; -- JSON of run.Progress
ALTER TABLE runs ADD COLUMN steps INTEGER NOT NULL DEFAULT 0; -- that Terraform went through; 0: not known
ALTER TABLE runs ADD COLUMN peak_memory INTEGER NOT NULL DEFAULT 0; -- bytes, of all its processes at once; 0: not known
ALTER TABLE runs ADD COLUMN tool TEXT NOT NULL DEFAULT ''; -- which it is run with: "terraform 1.11.4"; '' before it begins

-- A plan that stands for a later commit too: nothing that shapes it has changed.
ALTER TABLE runs ADD COLUMN earlier_run TEXT NOT NULL DEFAULT ''; -- whose plan stands, if Terraform finds the same state
ALTER TABLE runs ADD COLUMN made_with TEXT NOT NULL DEFAULT ''; -- hash of what shaped it beside code, options and state
ALTER TABLE runs ADD COLUMN since_sha TEXT NOT NULL DEFAULT ''; -- the commit that it was made of; '' where that is the run's own
ALTER TABLE runs ADD COLUMN made_ms INTEGER NOT NULL DEFAULT 0; -- when it was made; 0 where that was when the run ended
