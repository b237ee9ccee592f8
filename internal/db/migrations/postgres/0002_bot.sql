-- +goose Up

-- What somebody asked of a run beyond the code (JSON of planner.Options), a
-- state operation (JSON of planner.Operation), the layer it is planned in,
-- what the gates said when it was let through (JSON of gate.Record), who asked
-- for it to be stopped (JSON of access.Actor), and whether it goes on where a
-- failed apply ended.
ALTER TABLE runs ADD COLUMN options TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN operation TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN layer BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN gates TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN stop_actor TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN retry BIGINT NOT NULL DEFAULT 0;
-- The resources that a plan changes, for expressions of gates (JSON).
ALTER TABLE runs ADD COLUMN resources TEXT NOT NULL DEFAULT '';
-- Runs that one command asked for together, and that one reply tells of.
ALTER TABLE runs ADD COLUMN batch TEXT NOT NULL DEFAULT '';
CREATE INDEX runs_batch ON runs (batch);

-- Who let this head of a fork be planned (JSON of access.Actor), and the merge
-- queue's branch that it is the head of: '' for a pull request's own head.
ALTER TABLE changes ADD COLUMN trusted TEXT NOT NULL DEFAULT '';
ALTER TABLE changes ADD COLUMN group_ref TEXT NOT NULL DEFAULT '';
ALTER TABLE changes ADD COLUMN comment_node TEXT NOT NULL DEFAULT ''; -- GitHub's global ID of the comment, to fold it away

-- Comments of the bot's beside the one that it keeps up to date: they are
-- folded away once a newer plan has made them old.
CREATE TABLE replies (
    repo_id    BIGINT NOT NULL,
    comment_id BIGINT NOT NULL,
    pull       BIGINT NOT NULL,
    client_id  TEXT   NOT NULL,
    node_id    TEXT   NOT NULL,
    folded     BIGINT NOT NULL DEFAULT 0,
    posted_ms  BIGINT NOT NULL,
    PRIMARY KEY (repo_id, comment_id)
);
CREATE INDEX replies_pull ON replies (repo_id, pull, folded);

-- Comments whose commands were obeyed: one that comes by two ways, or is found
-- by the sweep, is obeyed once.
CREATE TABLE heard (
    repo_id    BIGINT NOT NULL,
    comment_id BIGINT NOT NULL,
    heard_ms   BIGINT NOT NULL,
    PRIMARY KEY (repo_id, comment_id)
);

-- Who accepted the policy findings of exactly this plan.
CREATE TABLE waivers (
    repo_id     BIGINT NOT NULL,
    pull        BIGINT NOT NULL,
    dir         TEXT   NOT NULL,
    workspace   TEXT   NOT NULL,
    plan_digest TEXT   NOT NULL,
    actor_id    BIGINT NOT NULL,
    client_id   TEXT   NOT NULL,
    actor       TEXT   NOT NULL, -- JSON of access.Actor
    given_ms    BIGINT NOT NULL,
    PRIMARY KEY (repo_id, pull, dir, workspace, plan_digest, actor_id)
);

-- Until when what GitHub knows of the repository was compared with what is
-- known here; 0: never, and then from its row's making on.
ALTER TABLE repos ADD COLUMN swept_ms BIGINT NOT NULL DEFAULT 0;
UPDATE repos SET swept_ms = CAST(extract(epoch FROM now()) AS BIGINT) * 1000;
