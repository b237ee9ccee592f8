-- +goose Up

-- What the inventory of resources is made of: states that are kept here, and
-- the latest plan of each project. version_id says what of it is in the
-- inventory now; whatever differs from what counts is read anew.
CREATE TABLE inventory_sources (
    id         TEXT    NOT NULL PRIMARY KEY, -- see package explorer
    client_id  TEXT    NOT NULL REFERENCES clients (id),
    kind       TEXT    NOT NULL, -- state | plan
    state_id   TEXT    NOT NULL DEFAULT '',
    repo_id    BIGINT  NOT NULL DEFAULT 0,
    dir        TEXT    NOT NULL DEFAULT '',
    workspace  TEXT    NOT NULL DEFAULT '',
    name       TEXT    NOT NULL, -- the state's, or the project's
    lineage    TEXT    NOT NULL DEFAULT '',
    version_id TEXT    NOT NULL DEFAULT '', -- state version or run; '': none yet, or half of one
    format     BIGINT  NOT NULL DEFAULT 0, -- of what is written; an older one is written anew
    turn       BIGINT  NOT NULL DEFAULT 0, -- goes up with whoever begins to write: who began earlier stops
    resources  BIGINT  NOT NULL DEFAULT 0,
    note       TEXT    NOT NULL DEFAULT '', -- why nothing, or not all, is there
    as_of_ms   BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX inventory_sources_client ON inventory_sources (client_id, lineage);
CREATE INDEX inventory_sources_state ON inventory_sources (state_id);

-- Managed resources, an instance a row. Never a sensitive value.
CREATE TABLE inventory_resources (
    source_id TEXT NOT NULL REFERENCES inventory_sources (id),
    address   TEXT NOT NULL,
    client_id TEXT NOT NULL REFERENCES clients (id),
    type      TEXT NOT NULL,
    name      TEXT NOT NULL,
    module    TEXT NOT NULL, -- address, '' for the root
    provider  TEXT NOT NULL, -- registry.terraform.io/hashicorp/aws
    cloud_id  TEXT NOT NULL,
    arn       TEXT NOT NULL,
    region    TEXT NOT NULL,
    digest    TEXT NOT NULL, -- of all that is known of it: an equal one needs no writing
    PRIMARY KEY (source_id, address)
);
CREATE INDEX inventory_resources_type ON inventory_resources (client_id, type, address, source_id);
CREATE INDEX inventory_resources_address ON inventory_resources (client_id, address, source_id);

-- Apart from what most searches read.
CREATE TABLE inventory_attributes (
    source_id TEXT NOT NULL,
    address   TEXT NOT NULL,
    text      TEXT NOT NULL, -- lines path=value, with a line end before each and after the last
    PRIMARY KEY (source_id, address),
    FOREIGN KEY (source_id, address) REFERENCES inventory_resources (source_id, address) ON DELETE CASCADE
);

-- Which modules and providers the code of a project used in its latest plan.
CREATE TABLE inventory_uses (
    source_id TEXT NOT NULL REFERENCES inventory_sources (id),
    kind      TEXT NOT NULL, -- module | provider
    path      TEXT NOT NULL, -- of a module, the call's address without instance keys; else ''
    name      TEXT NOT NULL, -- source address
    version   TEXT NOT NULL, -- exact where that is known, else what the code asks for
    PRIMARY KEY (source_id, kind, path, name)
);
CREATE INDEX inventory_uses_name ON inventory_uses (kind, name);
