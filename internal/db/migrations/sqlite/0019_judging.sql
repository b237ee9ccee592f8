-- +goose Up

-- What is asked of the present must not cost more with each year of the past.
-- When a row's change was merged: what stands in cost_merges, where an index
-- finds with it what is merged and not applied.
ALTER TABLE cost_ledger ADD COLUMN merged_ms INTEGER NOT NULL DEFAULT 0;
UPDATE cost_ledger SET merged_ms = (SELECT m.merged_ms FROM cost_merges m WHERE m.change_id = cost_ledger.change_id)
    WHERE change_id IN (SELECT change_id FROM cost_merges);
CREATE INDEX cost_ledger_awaited ON cost_ledger (client_id, change_id)
    WHERE merged_ms <> 0 AND (outcome = '' OR apply_plan_id <> plan_run_id) AND (delta_amount <> '0' OR bound <> 'exact');
CREATE INDEX pulls_open ON pulls (client_id, repo_id, number) WHERE state = 'open';

-- The projects that have a rate, each once, so that nobody reads all rates to
-- find them.
CREATE TABLE cost_projects (
    client_id TEXT    NOT NULL REFERENCES clients (id),
    repo_id   INTEGER NOT NULL REFERENCES repos (id),
    dir       TEXT    NOT NULL,
    workspace TEXT    NOT NULL,
    PRIMARY KEY (client_id, repo_id, dir, workspace)
) STRICT;
INSERT INTO cost_projects (client_id, repo_id, dir, workspace) SELECT DISTINCT client_id, repo_id, dir, workspace FROM cost_rates;
CREATE INDEX cost_rates_project ON cost_rates (repo_id, dir, workspace, at_ms);
CREATE INDEX cost_rates_base ON cost_rates (repo_id, dir, workspace, at_ms) WHERE basis = 'applied' AND partial = 0;
