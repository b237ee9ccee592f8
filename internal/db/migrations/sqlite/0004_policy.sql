-- +goose Up

-- Who accepted which finding of the policies: a row a finding and a person.
CREATE TABLE policy_waivers (
    id          TEXT    NOT NULL PRIMARY KEY,
    client_id   TEXT    NOT NULL,
    repo_id     INTEGER NOT NULL,
    dir         TEXT    NOT NULL,
    workspace   TEXT    NOT NULL,
    project     TEXT    NOT NULL, -- display name
    pull        INTEGER NOT NULL, -- where the word was given
    plan_digest TEXT    NOT NULL DEFAULT '', -- the one plan that it is for; '': for the finding, wherever it comes back in the project
    fingerprint TEXT    NOT NULL DEFAULT '', -- of the finding; '': everything that was found in the plan
    rule        TEXT    NOT NULL DEFAULT '', -- from here on: what it was, for people
    pack        TEXT    NOT NULL DEFAULT '',
    address     TEXT    NOT NULL DEFAULT '',
    message     TEXT    NOT NULL DEFAULT '',
    actor_id    INTEGER NOT NULL,
    actor       TEXT    NOT NULL, -- JSON of access.Actor
    reason      TEXT    NOT NULL DEFAULT '',
    given_ms    INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL DEFAULT 0, -- 0: with its plan
    ended       TEXT    NOT NULL DEFAULT '', -- '' | revoked | expired | replaced
    ended_ms    INTEGER NOT NULL DEFAULT 0,
    ended_by    TEXT    NOT NULL DEFAULT '', -- JSON of access.Actor
    untold      INTEGER NOT NULL DEFAULT 0, -- 1: pull requests that stood on it don't say yet that it ended
    warned_ms   INTEGER NOT NULL DEFAULT 0  -- when they last said that it is about to
) STRICT;
CREATE INDEX policy_waivers_project ON policy_waivers (repo_id, dir, workspace);
CREATE INDEX policy_waivers_client ON policy_waivers (client_id, id);
CREATE INDEX policy_waivers_expiry ON policy_waivers (ended, expires_ms);
CREATE INDEX policy_waivers_untold ON policy_waivers (untold);

-- What was accepted until now was everything in one plan.
INSERT INTO policy_waivers (id, client_id, repo_id, dir, workspace, project, pull, plan_digest, actor_id, actor, given_ms)
    SELECT lower('00' || hex(randomblob(3)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(6))), client_id, repo_id, dir, workspace, dir, pull, plan_digest, actor_id, actor, given_ms FROM waivers;
DROP TABLE waivers;
