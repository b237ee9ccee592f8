-- +goose Up

-- What changes do to the monthly bill: a row a project of a change. Amounts are
-- exact decimals as text, a month. Whether the change is still open, closed or
-- superseded is the change's row to say.
CREATE TABLE cost_ledger (
    change_id     TEXT    NOT NULL REFERENCES changes (id),
    dir           TEXT    NOT NULL,
    workspace     TEXT    NOT NULL,
    client_id     TEXT    NOT NULL REFERENCES clients (id),
    repo_id       INTEGER NOT NULL REFERENCES repos (id),
    pull          INTEGER NOT NULL,
    project       TEXT    NOT NULL, -- display name
    plan_run_id   TEXT    NOT NULL, -- the newest finished plan; IDs sort by age
    plan_digest   TEXT    NOT NULL DEFAULT '',
    planned_ms    INTEGER NOT NULL,
    partial       INTEGER NOT NULL DEFAULT 0, -- 1: the plan was of some resources alone, so that before and after are too
    currency      TEXT    NOT NULL, -- ISO 4217; '': there is no estimate
    before_amount TEXT    NOT NULL,
    after_amount  TEXT    NOT NULL,
    delta_amount  TEXT    NOT NULL,
    at_least      INTEGER NOT NULL,
    bound         TEXT    NOT NULL, -- exact | at_least | at_most | partial
    as_of         TEXT    NOT NULL DEFAULT '', -- of the prices
    services      TEXT    NOT NULL DEFAULT '', -- JSON of budget.Service, several
    applied_ms    INTEGER NOT NULL DEFAULT 0, -- when an apply ended last
    apply_run_id  TEXT    NOT NULL DEFAULT '', -- the newest that ended
    apply_plan_id TEXT    NOT NULL DEFAULT '', -- the plan that it applied
    outcome       TEXT    NOT NULL DEFAULT '', -- applied | failed
    last_amounts  TEXT    NOT NULL DEFAULT '', -- JSON of budget.Amounts: what its plan said
    PRIMARY KEY (change_id, dir, workspace)
) STRICT;
CREATE INDEX cost_ledger_project ON cost_ledger (repo_id, dir, workspace, planned_ms);
CREATE INDEX cost_ledger_client ON cost_ledger (client_id, planned_ms);
CREATE INDEX cost_ledger_pull ON cost_ledger (repo_id, pull);

-- When changes were merged: of the whole change, and also before its plans.
CREATE TABLE cost_merges (
    change_id TEXT    NOT NULL PRIMARY KEY REFERENCES changes (id),
    merged_ms INTEGER NOT NULL
) STRICT;

-- What a project costs a month, from when on.
CREATE TABLE cost_rates (
    repo_id   INTEGER NOT NULL REFERENCES repos (id),
    dir       TEXT    NOT NULL,
    workspace TEXT    NOT NULL,
    run_id    TEXT    NOT NULL, -- the apply that ended; '': what the first plan found there
    client_id TEXT    NOT NULL REFERENCES clients (id),
    change_id TEXT    NOT NULL,
    project   TEXT    NOT NULL, -- display name
    at_ms     INTEGER NOT NULL,
    basis     TEXT    NOT NULL, -- seen | applied | unknown
    partial   INTEGER NOT NULL DEFAULT 0, -- 1: rate is a difference to the one before
    currency  TEXT    NOT NULL,
    rate      TEXT    NOT NULL, -- decimal, a month
    at_least  INTEGER NOT NULL,
    services  TEXT    NOT NULL DEFAULT '', -- JSON of budget.Service, several
    PRIMARY KEY (repo_id, dir, workspace, run_id)
) STRICT;
CREATE INDEX cost_rates_client ON cost_rates (client_id, at_ms);

-- Who approved what a change costs over a budget. A word is for one budget and
-- one pull request; what it covers is in the amounts.
CREATE TABLE cost_approvals (
    id          TEXT    NOT NULL PRIMARY KEY, -- in the order of time
    client_id   TEXT    NOT NULL REFERENCES clients (id),
    repo_id     INTEGER NOT NULL REFERENCES repos (id),
    pull        INTEGER NOT NULL,
    change_id   TEXT    NOT NULL, -- where it was given
    budget      TEXT    NOT NULL, -- its name
    actor_id    INTEGER NOT NULL,
    actor       TEXT    NOT NULL, -- JSON of access.Actor
    currency    TEXT    NOT NULL, -- the budget's, and of the amounts
    delta       TEXT    NOT NULL, -- decimal, a month: the difference of what was approved
    after       TEXT    NOT NULL, -- decimal, a month: of the projects that were approved
    exact       INTEGER NOT NULL, -- 0: something of it had no price, so the word is for these plans alone
    plans       TEXT    NOT NULL, -- hash of the plans' digests
    given_ms    INTEGER NOT NULL
) STRICT;
CREATE INDEX cost_approvals_pull ON cost_approvals (repo_id, pull);

-- Which threshold of which budget was told of in which month: once each.
CREATE TABLE cost_alerts (
    budget    TEXT    NOT NULL,
    client_id TEXT    NOT NULL, -- '': of a budget for several clients
    month     TEXT    NOT NULL, -- 2026-11
    threshold TEXT    NOT NULL, -- percent 80
    change_id TEXT    NOT NULL DEFAULT '', -- whose comment tells it; '': none's
    at_ms     INTEGER NOT NULL,
    text      TEXT    NOT NULL, -- what was told
    PRIMARY KEY (budget, month, threshold)
) STRICT;
CREATE INDEX cost_alerts_change ON cost_alerts (change_id);
