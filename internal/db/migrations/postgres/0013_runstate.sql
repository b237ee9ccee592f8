-- +goose Up

-- Which state a project of a repository has that declares no backend. It is
-- bound once, so that a repository that is renamed keeps its states.
CREATE TABLE state_projects (
    client_id TEXT    NOT NULL REFERENCES clients (id),
    repo_id   BIGINT NOT NULL REFERENCES repos (id),
    project   TEXT    NOT NULL, -- directory:workspace
    name      TEXT    NOT NULL, -- of the state, which may not exist yet
    bound_ms  BIGINT NOT NULL,
    PRIMARY KEY (client_id, repo_id, project),
    UNIQUE (client_id, name)
);

-- What a run began from whose state could not be written: it may be pushed
-- over that, and over nothing else.
CREATE TABLE state_errored (
    version_id   TEXT    NOT NULL PRIMARY KEY REFERENCES state_versions (id),
    base_serial  BIGINT NOT NULL, -- of the state that the run began from, 0 for none
    base_lineage TEXT    NOT NULL DEFAULT '',
    backend      TEXT    NOT NULL DEFAULT '' -- where the project keeps its state; '' for here
);
