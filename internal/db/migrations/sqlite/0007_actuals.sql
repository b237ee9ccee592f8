-- +goose Up

-- What the clouds billed, imported from FOCUS exports. A part is one billing
-- period of one sub account; its row says which rows are shown.
CREATE TABLE billing_parts (
    period           TEXT    NOT NULL, -- first day of the billing period, UTC: 2006-01-02
    provider         TEXT    NOT NULL, -- as the export has it
    billing_account  TEXT    NOT NULL,
    sub_account      TEXT    NOT NULL, -- '': charges of the billing account itself
    id               TEXT    NOT NULL, -- of its rows
    import_id        TEXT    NOT NULL,
    period_end_ms    INTEGER NOT NULL,
    through_ms       INTEGER NOT NULL, -- end of the last usage; 0: there is none
    sub_account_name TEXT    NOT NULL,
    client           TEXT    NOT NULL, -- slug of whose it is as a whole; '': the configuration says
    digest           TEXT    NOT NULL, -- of its rows, in whatever order they came
    lines            INTEGER NOT NULL, -- of the export
    rows             INTEGER NOT NULL, -- that they were summed up to
    totals           TEXT    NOT NULL, -- JSON by currency
    PRIMARY KEY (period, provider, billing_account, sub_account)
) STRICT;

CREATE TABLE billing_rows (
    part_id       TEXT    NOT NULL,
    n             INTEGER NOT NULL,
    service       TEXT    NOT NULL,
    resource_id   TEXT    NOT NULL,
    resource_name TEXT    NOT NULL,
    resource_type TEXT    NOT NULL,
    region        TEXT    NOT NULL,
    category      TEXT    NOT NULL,
    correction    INTEGER NOT NULL,
    currency      TEXT    NOT NULL,
    tags          TEXT    NOT NULL, -- JSON, keys sorted; '': none
    billed        TEXT    NOT NULL, -- decimal
    effective     TEXT    NOT NULL,
    list          TEXT    NOT NULL,
    lines         INTEGER NOT NULL,
    unlisted      INTEGER NOT NULL, -- lines without a list cost
    PRIMARY KEY (part_id, n)
) STRICT;

-- Parts whose rows are being written, or are no longer shown and not yet
-- deleted. What a process left that died is found here.
CREATE TABLE billing_loose (
    part_id TEXT    NOT NULL PRIMARY KEY,
    at_ms   INTEGER NOT NULL -- since when it may be deleted at once; see package actuals
) STRICT;

CREATE TABLE billing_imports (
    id      TEXT    NOT NULL PRIMARY KEY, -- in the order of time
    at_ms   INTEGER NOT NULL,
    actor   TEXT    NOT NULL, -- JSON of access.Actor
    client  TEXT    NOT NULL, -- slug that was given; '': none
    forced  INTEGER NOT NULL,
    sources TEXT    NOT NULL, -- JSON: name, sha256, bytes, lines of each file
    parts   TEXT    NOT NULL  -- JSON: what became of each part
) STRICT;

-- Which of a client's projects holds which of the cloud's resources, from the
-- states that plans were made of. Never a sensitive value.
CREATE TABLE resource_keys (
    client_id TEXT    NOT NULL REFERENCES clients (id),
    key       TEXT    NOT NULL, -- what a bill may call it; see package actuals
    repo_id   INTEGER NOT NULL,
    dir       TEXT    NOT NULL,
    workspace TEXT    NOT NULL,
    address   TEXT    NOT NULL,
    type      TEXT    NOT NULL,
    region    TEXT    NOT NULL,
    seen_ms   INTEGER NOT NULL,
    PRIMARY KEY (client_id, key, repo_id, dir, workspace)
) STRICT;
CREATE INDEX resource_keys_project ON resource_keys (repo_id, dir, workspace);

CREATE TABLE resource_projects (
    repo_id   INTEGER NOT NULL,
    dir       TEXT    NOT NULL,
    workspace TEXT    NOT NULL,
    client_id TEXT    NOT NULL REFERENCES clients (id),
    name      TEXT    NOT NULL, -- the project's
    digest    TEXT    NOT NULL, -- of its keys: equal ones need no writing
    seen_ms   INTEGER NOT NULL,
    PRIMARY KEY (repo_id, dir, workspace)
) STRICT;
CREATE INDEX resource_projects_client ON resource_projects (client_id);
