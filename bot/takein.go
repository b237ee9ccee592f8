package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// Before there was a state service, states of projects without a backend lay
// in the data folder as they are. They are taken in at the start, and each
// again before a run of its project begins, in case a run of the earlier server
// still held it then. The file goes only when what was taken in was read back
// and is the same; so a kill at any point costs nothing, and a second look
// finds the same version there.

// plainState is where the state of a project was kept.
func (b *Bot) plainState(client string, repo int64, p planner.Project) string {
	path := filepath.Join(b.DataDir, "states", client, strconv.FormatInt(repo, 10), hash(p.Key()), stateFile)
	return tfrun.ManagedState(path, p.Workspace)
}

// TakeInStates takes in all that lie in the data folder. One that can't be
// taken in stays where it is, and its project is not run until it can.
func (b *Bot) TakeInStates(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(b.DataDir, "states")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	rows, err := b.DB.QueryContext(ctx, `SELECT DISTINCT client_id, repo_id, dir, workspace FROM runs`)
	if err != nil {
		return fmt.Errorf("take states in: %w", err)
	}
	type known struct {
		client string
		repo   int64
		p      planner.Project
	}
	var all []known
	for rows.Next() {
		var k known
		if err := rows.Scan(&k.client, &k.repo, &k.p.Dir, &k.p.Workspace); err != nil {
			_ = rows.Close()
			return fmt.Errorf("take states in: %w", err)
		}
		all = append(all, k)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("take states in: %w", err)
	}
	for _, k := range all {
		if _, err := os.Stat(b.plainState(k.client, k.repo, k.p)); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		repo, err := b.Clients.Repo(ctx, b.DB, k.repo)
		if err == nil {
			repo.ClientID = k.client
			err = b.takeInOne(ctx, repo, k.p)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			b.Log.Error("a state in the data folder is not taken in", keyClient, k.client, keyRepo, k.repo, keyProject, k.p.Key(), "error", err)
		}
	}
	left, _ := filepath.Glob(filepath.Join(b.DataDir, "states", "*", "*", "*", stateFile))
	if len(left) > 0 {
		b.Log.Warn("states lie in the data folder that could not be taken in", "count", len(left), "first", left[0])
	}
	return nil
}

// takeInOne takes in the project's state, where one lies in the data folder.
// The error is a *stateHeld while a run of an earlier server uses it.
func (b *Bot) takeInOne(ctx context.Context, repo clients.Repo, p planner.Project) error {
	path := b.plainState(repo.ClientID, repo.ID, p)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("take in %s: %w", path, err)
	}
	defer f.Close()
	use, err := os.OpenFile(path+".use", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("take in %s: %w", path, err)
	}
	defer use.Close() // and with it the lock
	if err := syscall.Flock(int(use.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return &stateHeld{"a run that began before the server was updated"}
		}
		return fmt.Errorf("take in %s: %w", path, err)
	}
	if err := b.takeIn(ctx, repo, p, f); err != nil {
		return fmt.Errorf("take in %s: %w", path, err)
	}
	for _, name := range []string{path, path + ".backup", path + ".use"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what was taken in: %w", err)
		}
	}
	for dir := filepath.Dir(path); dir != b.DataDir && os.Remove(dir) == nil; { // those that are empty
		dir = filepath.Dir(dir)
	}
	b.Log.Info("a state in the data folder is taken in", keyClient, repo.ClientID, keyRepo, repo.ID, keyProject, p.Key())
	return nil
}

// takeIn writes the state, reads it back, and says so in the audit trail.
func (b *Bot) takeIn(ctx context.Context, repo clients.Repo, p planner.Project, f *os.File) error {
	before, err := state.Weigh(f)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	owner, want := ownerOf(repo, p)
	name, err := b.States.Claim(ctx, owner, want)
	if err != nil {
		return err
	}
	who := state.Who{Actor: access.Actor{Kind: access.Bot, Name: b.actor.Name}}
	v, err := b.States.Write(ctx, state.Write{Client: owner.Client, Name: name, Who: who, Body: f, Reason: "taken in from the data folder"})
	if err != nil {
		return err
	}
	_, content, err := b.States.ReadVersion(ctx, owner.Client, name, v.Seq)
	if err != nil {
		return err
	}
	after, err := state.Weigh(content)
	if err := errors.Join(err, content.Close()); err != nil {
		return err
	}
	if before != after {
		told, _ := json.Marshal([]state.Weight{before, after})
		return errs.New(errs.Conflict, "What was taken in is not what lay there: %s.", told)
	}
	return b.DB.Tx(ctx, func(tx *db.Tx) error {
		return b.States.Trail.Record(ctx, tx, access.Event{
			Client: owner.Client, Action: "state.taken_in", Subject: "state " + name, Actor: who.Actor, At: b.Now(),
			Detail: map[string]any{"version": v.Seq, "serial": after.Serial, "lineage": after.Lineage, "resources": after.Resources, "sha256": after.SHA256},
		})
	})
}
