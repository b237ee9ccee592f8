-- +goose Up

-- Which projects of the client's other repositories may read the outputs of a
-- state. Those of one repository say so in that repository.
CREATE TABLE state_shares (
    client_id TEXT    NOT NULL REFERENCES clients (id),
    name      TEXT    NOT NULL, -- of the state
    repo_id   BIGINT  NOT NULL REFERENCES repos (id),
    project   TEXT    NOT NULL, -- directory:workspace; '' for all of the repository's
    actor     TEXT    NOT NULL, -- JSON of access.Actor
    shared_ms BIGINT  NOT NULL,
    PRIMARY KEY (client_id, name, repo_id, project)
);
CREATE INDEX state_shares_repo ON state_shares (client_id, repo_id);
