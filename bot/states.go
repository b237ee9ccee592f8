package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// The state of a project that declares no backend, or the server itself as one,
// is kept by the state service. A run gets a copy of it in its own folder and
// works on that by Terraform's local backend: it needs no network and no
// credential for it, and goes on while the server is down. The server locks the
// state before an apply, and writes what came of it when the apply is over,
// whichever process of it is there by then. In between the copy is all there is
// of what was made, so it goes with the run's folder, and that only after the
// write.

// keepsState reports whether the project's state is kept here.
func (b *Bot) keepsState(p planner.Project) bool { return p.Backend == "" || b.namesUs(p) }

// ownerOf returns whose state a project's is, and the name that it gets where
// it has none yet.
func ownerOf(repo clients.Repo, p planner.Project) (o state.Owner, want string) {
	return state.Owner{Client: repo.ClientID, Repo: repo.ID, Project: p.Key()}, state.ProjectName(repo.Name, p.Dir, p.Workspace)
}

// stateOf returns the state of a project as it counts now; the zero value
// where there is none.
func (b *Bot) stateOf(ctx context.Context, repo clients.Repo, p planner.Project) (state.State, error) {
	owner, _ := ownerOf(repo, p)
	name, err := b.States.NameOf(ctx, owner)
	var st state.State
	if err == nil {
		st, err = b.States.State(ctx, owner.Client, name)
	}
	if errs.Is(err, errs.NotFound) || err == nil && !st.Exists() {
		return state.State{}, nil
	}
	return st, err
}

// hasState reports whether the project can have drifted. Of one that keeps its
// state elsewhere nobody knows before Terraform has looked.
func (b *Bot) hasState(ctx context.Context, repo clients.Repo, p planner.Project) (bool, error) {
	if !b.keepsState(p) {
		return true, nil
	}
	if _, err := os.Stat(b.plainState(repo.ClientID, repo.ID, p)); err == nil { // not taken in yet
		return true, nil
	}
	st, err := b.stateOf(ctx, repo, p)
	return st.Exists(), err
}

// stateHeld says that somebody else holds the state's lock: the run is tried
// again.
type stateHeld struct{ holder string }

func (e *stateHeld) Error() string { return "the state is locked by " + e.holder }

// stateTime is how long the credential of a run counts whose length has no
// limit.
const stateTime = 7 * 24 * time.Hour

// layState gives a run that is about to start its copy of the project's state,
// and takes the state's lock for one that writes. The error is a *stateHeld
// where somebody else has that. What can't be mended by waiting becomes the
// run's error.
func (b *Bot) layState(ctx context.Context, r run.Run, s *tfrun.Spec) error {
	if s.Refused != "" || b.adoptable(s.RunID) {
		return nil
	}
	err := b.layReads(ctx, r, s)
	switch {
	case err != nil:
	case b.keepsState(r.Project):
		err = b.giveState(ctx, r, s)
	default:
		err = b.staysHere(ctx, r)
	}
	var held *state.HeldError
	switch {
	case errors.As(err, &held):
		return &stateHeld{held.Lock.Holder()}
	case errs.Is(err, errs.Conflict), errs.Is(err, errs.TooLarge), errs.Is(err, errs.Invalid), errs.Is(err, errs.Forbidden):
		b.Log.Warn("no state for a run", keyRun, r.ID, keyProject, r.Project.Name, "error", err)
		s.Refused = errs.Sentence(err)
		return nil
	case errors.Is(err, state.ErrNoRoom):
		// Waiting may last for days, and nobody would know why.
		b.Log.Warn("no room for a run", keyRun, r.ID, keyProject, r.Project.Name, "error", err)
		s.Refused = "The disk of the server has no room for the state that this may write. Nothing was started."
		return nil
	}
	return err
}

// staysHere refuses a run of a project whose code declares a backend while its
// state is kept here: the run would begin with another state, an empty one most
// often, and whoever opens a pull request chooses which.
func (b *Bot) staysHere(ctx context.Context, r run.Run) error {
	repo, err := b.Clients.Repo(ctx, b.DB, r.Repo)
	if err != nil {
		return err
	}
	st, err := b.stateOf(ctx, repo, r.Project)
	if err != nil || !st.Exists() {
		return err
	}
	client, err := b.Clients.Client(ctx, b.DB, st.Client)
	if err != nil {
		return err
	}
	address := client.Slug + "/" + st.Name
	return errs.New(errs.Conflict, "The state of this project is kept by Tidelock, as `%s`, and its code now declares the backend %q. A run would begin with another state. Remove the block, or first move the state there: `tidelock state migrate %s --to backend --dir DIRECTORY`.", address, r.Project.Backend, address)
}

func (b *Bot) giveState(ctx context.Context, r run.Run, s *tfrun.Spec) error {
	repo, err := b.Clients.Repo(ctx, b.DB, r.Repo)
	if err != nil {
		return err
	}
	if err := b.takeInOne(ctx, repo, r.Project); err != nil {
		return err
	}
	owner, want := ownerOf(repo, r.Project)
	if b.namesUs(r.Project) {
		named, err := b.ownBlock(ctx, r, repo, s.Kind)
		if err != nil {
			return err
		}
		want, s.Workspace, s.OwnBlock = named.name, named.workspace, true
	}
	var name string
	if s.Kind == tfrun.KindPlan { // which makes nothing here
		name, err = b.States.NameOf(ctx, owner)
		if errs.Is(err, errs.NotFound) {
			err = b.States.Free(ctx, owner, want)
		}
	} else {
		name, err = b.States.Claim(ctx, owner, want)
	}
	if err != nil {
		return err
	}
	if s.StateDir, err = b.Runner.NewStateDir(s.RunID); err != nil {
		return err
	}
	s.ManagedBackend = filepath.Join(s.DataDir+".state", stateFile)
	switch {
	case name == "":
		return nil
	case s.Kind == tfrun.KindPlan:
		st, err := b.States.State(ctx, owner.Client, name)
		if errs.Is(err, errs.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if st.MovedAway() {
			return errs.New(errs.Conflict, "The project declares no backend, and its state %s is not here: %s", name, st.Frozen)
		}
		if st.Lock != nil && st.Lock.Run != r.ID {
			return &stateHeld{st.Lock.Holder()}
		}
	default:
		limit := stateTime
		if b.Terraform.ApplyTimeout > 0 {
			limit = b.Terraform.ApplyTimeout + time.Hour
		}
		_, err := b.States.LockForRun(ctx, state.RunAccess{
			Client: owner.Client, Name: name, Run: r.ID, Commit: r.Commit, Actor: r.Actor, Write: true, Until: b.Now().Add(limit),
		}, string(s.Kind))
		if err != nil {
			return err
		}
	}
	return b.copyState(ctx, owner.Client, name, tfrun.ManagedState(filepath.Join(s.StateDir, stateFile), s.Workspace))
}

// stateFile is what Terraform's local backend calls a state.
const stateFile = "terraform.tfstate"

// copyState writes the state that counts into a file; none where there is none.
func (b *Bot) copyState(ctx context.Context, client, name, to string) error {
	_, content, err := b.States.Read(ctx, client, name)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer content.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("copy the state %s: %w", name, err)
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("copy the state %s: %w", name, err)
	}
	_, err = io.Copy(f, content)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("copy the state %s: %w", name, err)
	}
	return nil
}

// bringBack writes what a run has made of its state, lets go of the lock, and
// returns "", or a sentence that says why the state could not be written and
// where it is now: then the lock stays. An error means that nothing is known
// to be kept, and all of it has to be tried again; the run's folder must stay
// for that.
func (b *Bot) bringBack(ctx context.Context, r run.Run, result tfrun.Result) (trouble string, err error) {
	repo, err := b.Clients.Repo(ctx, b.DB, r.Repo)
	if err != nil {
		return "", err
	}
	owner, want := ownerOf(repo, r.Project)
	spec, err := b.Runner.Spec(r.ID)
	if errs.Is(err, errs.NotFound) { // nothing was ever started
		return "", b.leaveState(ctx, r)
	}
	if err != nil {
		return "", err
	}
	l := leftState{Bot: b, run: r, spec: spec, owner: owner, result: result}
	if spec.StateDir == "" || spec.ManagedBackend == "" || result.Backend != "" {
		if result.ErroredState == "" {
			return "", b.leaveState(ctx, r)
		}
		// The project's own backend did not take it, or that of a run which
		// began before states were kept here.
		l.foreign = cmp.Or(result.Backend, r.Project.Backend)
		if l.name, err = b.States.Claim(ctx, owner, want); errs.Is(err, errs.Conflict) {
			return l.keepRaw(ctx, err)
		} else if err != nil {
			return "", err
		}
		if b.keepsState(r.Project) {
			if err := b.takeInOne(ctx, repo, r.Project); err != nil {
				return "", err
			}
		}
		return l.keep(ctx, errors.New("the backend did not take it"))
	}
	if l.name, err = b.States.NameOf(ctx, owner); err != nil { // it was bound before the run began
		return "", fmt.Errorf("run %s: bring its state back: %w", r.ID, errors.New(err.Error()))
	}
	return l.write(ctx)
}

// erroredOf returns the states that the pairs' applies could not write and that
// nobody has pushed yet, by run.
func (b *Bot) erroredOf(ctx context.Context, client string, pairs []run.Pair) (map[string]comment.Errored, error) {
	var all map[string]comment.Errored
	for _, p := range pairs {
		if b.States == nil || p.Apply == nil || p.Apply.Error == "" || !p.Apply.Status.Finished() {
			continue
		}
		left, err := b.States.ErroredBy(ctx, p.Apply.ID)
		if err != nil {
			return nil, err
		}
		if len(left) == 0 {
			continue
		}
		c, err := b.Clients.Client(ctx, b.DB, client)
		if err != nil {
			return nil, err
		}
		one := comment.Errored{State: c.Slug + "/" + left[0].Name, Version: left[0].Seq, Backend: left[0].Base.Backend}
		if b.PublicURL != "" {
			one.URL = b.PublicURL + "/states/" + one.State
		}
		if all == nil {
			all = map[string]comment.Errored{}
		}
		all[p.Apply.ID] = one
	}
	return all, nil
}

// leaveState lets go of the state's lock where a run has it that wrote nothing.
func (b *Bot) leaveState(ctx context.Context, r run.Run) error {
	if !b.keepsState(r.Project) {
		return nil
	}
	name, err := b.States.NameOf(ctx, state.Owner{Client: r.Client, Repo: r.Repo, Project: r.Project.Key()})
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return b.States.LeaveRun(ctx, r.Client, name, r.ID)
}

// freeStates lets go of what runs hold that have ended without: one that was
// locked and never started, say, because the server was killed then. What a
// run has left locked on purpose, because its state could not be written, it
// holds without a credential that counts.
func (b *Bot) freeStates(ctx context.Context) error {
	held, err := b.States.HeldByRuns(ctx)
	if err != nil {
		return err
	}
	for _, st := range held {
		r, err := b.Runs.Run(ctx, b.DB, st.Lock.Run)
		if errs.Is(err, errs.NotFound) || err == nil && !r.Status.Finished() {
			continue
		}
		if err != nil {
			return err
		}
		cred, err := b.States.Tokens.Token(ctx, b.DB, st.Lock.Token)
		if errs.Is(err, errs.NotFound) || err == nil && !cred.Live(b.Now()) {
			continue
		}
		if err != nil {
			return err
		}
		if err := b.States.LeaveRun(ctx, st.Client, st.Name, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// leftState is the state that a run has left in its folder.
type leftState struct {
	*Bot
	run     run.Run
	spec    tfrun.Spec
	owner   state.Owner
	name    string
	foreign string // the project's own backend
	result  tfrun.Result
}

// open returns the state as the run has left it: what Terraform could not
// write, where there is that, else the run's copy; fs.ErrNotExist for none.
func (l *leftState) open() (*os.File, error) {
	if path := l.result.ErroredState; path != "" {
		dir := l.Runner.Dir(l.run.ID)
		if filepath.Dir(path) != dir { // it could not be moved out of the work tree
			dir = l.spec.Root
		}
		return runner.OpenWithin(dir, path)
	}
	return runner.OpenState(l.spec)
}

// write writes the state where it is another one than it was.
func (l *leftState) write(ctx context.Context) (string, error) {
	f, err := l.open()
	if errors.Is(err, fs.ErrNotExist) { // none was made
		return "", l.leaveState(ctx, l.run)
	}
	if errs.Is(err, errs.Invalid) {
		return l.keepRaw(ctx, err)
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	st, err := l.States.State(ctx, l.owner.Client, l.name)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return "", err
	}
	if info, err := f.Stat(); err != nil {
		return "", err
	} else if info.Size() == 0 && !st.Exists() { // Terraform makes the file before it has something to write
		return "", l.leaveState(ctx, l.run)
	}
	lineage, serial, err := tfrun.ReadStateHead(f)
	if err != nil { // Terraform was killed while it wrote
		return l.keepRaw(ctx, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	// Terraform counts the serial up where it has changed something. What it
	// wrote without is the same state under the version of another Terraform.
	if st.Exists() && st.Lineage == lineage && st.Serial == serial {
		return "", l.leaveState(ctx, l.run)
	}
	_, err = l.States.WriteForRun(ctx, l.owner.Client, l.name, l.run.ID, l.run.Commit, serial, f)
	switch errs.KindOf(err) {
	case errs.Conflict, errs.TooLarge, errs.Invalid, errs.Forbidden, errs.NotFound:
		if err != nil {
			return l.keep(ctx, err)
		}
	}
	if err != nil {
		return "", err
	}
	return "", l.leaveState(ctx, l.run)
}

// keep keeps the state as a version that does not count, until somebody pushes
// it. The lock stays, if the run has it, and its credential ends.
func (l *leftState) keep(ctx context.Context, why error) (string, error) {
	f, err := l.open()
	if err != nil {
		return l.keepRaw(ctx, errors.Join(why, err))
	}
	defer f.Close()
	base := state.Base{Serial: l.result.PriorSerial, Backend: l.foreign}
	st, err := l.States.State(ctx, l.owner.Client, l.name)
	switch {
	case errs.Is(err, errs.NotFound):
	case err != nil:
		return "", err
	case l.foreign != "":
	case st.Lock != nil && st.Lock.Run == l.run.ID: // nobody wrote since
		base.Serial, base.Lineage = st.Serial, st.Lineage
	case l.result.Outcome == "":
		base.Serial = -1
	}
	who := state.Who{Actor: l.run.Actor, Run: l.run.ID, Commit: l.run.Commit}
	v, err := l.States.KeepErrored(ctx, l.owner.Client, l.name, who, f, errs.Sentence(why))
	if errs.Is(err, errs.Invalid) || errs.Is(err, errs.TooLarge) {
		return l.keepRaw(ctx, err)
	}
	if err != nil {
		return "", err
	}
	if err := l.States.NoteBase(ctx, v, base); err != nil {
		return "", err
	}
	if l.foreign != "" { // nothing here waits for it
		err = l.leaveState(ctx, l.run)
	} else {
		err = l.States.EndRunNow(ctx, l.run.ID)
	}
	if err != nil {
		return "", err
	}
	client, err := l.Clients.Client(ctx, l.DB, l.owner.Client)
	if err != nil {
		return "", err
	}
	address := client.Slug + "/" + l.name
	l.Log.Error("a state could not be written", keyRun, l.run.ID, keyProject, l.run.Project.Name, "state", address, "version", v.Seq, "error", why)
	if l.foreign != "" {
		return fmt.Sprintf("The state could not be written to the project's backend. It is kept here, encrypted, as version %d of `%s`. Take it with `tidelock state pull %s --version %d`, and push it with `terraform state push` before anything else is planned.", v.Seq, address, address, v.Seq), nil
	}
	return fmt.Sprintf("The state could not be written: %s It is kept, encrypted, as version %d of `%s`. Push it with `tidelock state push-errored %s %d` before anything else is planned: until then the state stays locked.", errs.Sentence(why), v.Seq, address, address, v.Seq), nil
}

// keepRaw keeps what is no state by itself: a file that Terraform had written
// by half. Somebody has to look at it.
func (l *leftState) keepRaw(ctx context.Context, why error) (string, error) {
	l.Log.Error("what a run left is no state", keyRun, l.run.ID, keyProject, l.run.Project.Name, "error", why)
	f, err := l.open()
	if err != nil {
		if errs.Is(err, errs.Invalid) || errors.Is(err, fs.ErrNotExist) {
			return "What the run has left in place of its state is none. Look at what exists: the state is as it was before, and stays locked until somebody unlocks it with `tidelock state unlock`.", l.States.EndRunNow(ctx, l.run.ID)
		}
		return "", err
	}
	defer f.Close()
	ref, _, err := l.Blobs.Put(ctx, l.run.Client, "errored.tfstate", f)
	if err != nil {
		return "", err
	}
	if err := l.noteErrored(ctx, l.run, ref); err != nil {
		return "", err
	}
	return "What the run has left of its state is not whole, and is kept, encrypted, under its event `state.errored` in the audit trail. The state is as it was before, and stays locked until somebody unlocks it with `tidelock state unlock`.", l.States.EndRunNow(ctx, l.run.ID)
}
