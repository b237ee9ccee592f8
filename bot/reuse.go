package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// A push that touches one project of a pull request's many changes nothing for
// the others: their plans stand for the new commit too, where all that shapes
// a plan is as it was. That is the files (by their digest), the configuration,
// the options, the state, those of other projects that the code may read, and
// what standing does not say: the tool, the server's own settings, the policies
// and what these are told of the pull.
//
// What happened to the infrastructure itself meanwhile is not looked at, as it
// is not between a plan and its apply. So a plan stands for a limited time, and
// a plan that somebody asks for is always made anew.

// standing returns the earlier plans of the pull that stand for the wanted
// ones, by project. Of one whose state is kept elsewhere only Terraform can
// tell whether that is the same.
func (b *Bot) standing(ctx context.Context, c run.Change, found discovered, job planJob) (map[run.Key]run.Run, error) {
	if b.Terraform.ReusePlans <= 0 || job.Asked || c.Pull == 0 || c.MergeSHA != "" || c.GroupRef != "" {
		return nil, nil
	}
	earlier, err := b.Runs.LastPlans(ctx, b.DB, c.Repo, c.Pull)
	if err != nil || len(earlier) == 0 {
		return nil, err
	}
	facts, err := b.factsOf(ctx, c, found.settings.Policy)
	if err != nil {
		return nil, err
	}
	repo, err := b.Clients.Repo(ctx, b.DB, c.Repo)
	if err != nil {
		return nil, err
	}
	facts.Actor = &policy.Actor{Kind: job.Actor.Kind, Login: job.Actor.Name}
	out := map[run.Key]run.Run{}
	for _, w := range found.Wanted {
		r, ok := earlier[run.Key{Repo: c.Repo, Dir: w.Project.Dir, Workspace: w.Project.Workspace}]
		if !ok || b.Now().Sub(madeAt(r)) > b.Terraform.ReusePlans {
			continue
		}
		if r.InputsDigest != w.InputsDigest || !reflect.DeepEqual(r.Options, w.Options) || !sameJSON(r.Project, w.Project) {
			continue
		}
		read, err := b.readNow(ctx, repo, w.Project)
		if err != nil {
			return nil, err
		}
		with, err := b.madeWith(ctx, c, facts, w.Project, read)
		if err != nil {
			return nil, err
		}
		if with == "" || r.MadeWith != with {
			continue
		}
		if !w.Project.Repeatable() || !b.sameTool(ctx, r, w.Project) {
			continue
		}
		same := !b.keepsState(r.Project)
		if !same {
			if same, err = b.sameState(ctx, r); err != nil {
				return nil, err
			}
		}
		if same {
			out[r.Key()] = r
		}
	}
	return out, nil
}

// madeAt is when a plan was made.
func madeAt(r run.Run) time.Time {
	if r.Since != "" {
		return r.Made
	}
	return r.Finished
}

// sameState reports whether a state that is kept here is the one that the plan
// was made of.
func (b *Bot) sameState(ctx context.Context, r run.Run) (bool, error) {
	repo, err := b.Clients.Repo(ctx, b.DB, r.Repo)
	if err != nil {
		return false, err
	}
	st, err := b.stateOf(ctx, repo, r.Project) // the zero value for none
	return err == nil && st.Lineage == r.StateLineage && st.Serial == r.StateSerial, err
}

// stand ends the queued plans that earlier ones stand for, each with the lock
// that it would end with if it were made. It leaves those whose lock another
// pull holds, and those whose state must be asked for.
func (b *Bot) stand(ctx context.Context, tx *db.Tx, created []run.Run, earlier map[run.Key]run.Run, lock bool) (left []run.Run, err error) {
	for _, r := range created {
		from, ok := earlier[r.Key()]
		if !ok || r.Status != run.Queued {
			left = append(left, r)
			continue
		}
		if !b.keepsState(r.Project) {
			if err := b.Runs.MayStand(ctx, tx, r, from); err != nil {
				return nil, err
			}
			left = append(left, r)
			continue
		}
		if lock && !from.Summary.Empty() {
			_, held, err := b.Runs.Acquire(ctx, tx, r)
			if err != nil {
				return nil, err
			}
			if !held {
				left = append(left, r)
				continue
			}
		}
		if err := b.Runs.Reuse(ctx, tx, r, from); err != nil {
			return nil, err
		}
		if err := b.ledgerPlanned(ctx, tx, r, from, run.Change{}); err != nil { // of a group nothing stands
			return nil, err
		}
		if from.Summary.Empty() { // a plan in between may have taken it
			if err := b.free(ctx, tx, r); err != nil {
				return nil, err
			}
		}
	}
	return left, nil
}

// madeWith returns a hash of what shapes a project's plan in a change beside
// code, options and its own state, and how it is judged and priced; read are the
// versions of other states that its code may read. "" where what judges it
// can't be had, for which nothing stands.
func (b *Bot) madeWith(ctx context.Context, c run.Change, facts proposal.Facts, project planner.Project, read []tfrun.ReadState) (string, error) {
	p, err := b.Runs.Pull(ctx, b.DB, c.Repo, c.Pull)
	if err != nil {
		return "", err
	}
	told, err := facts.Told(ctx, b.Policies, project)
	if err != nil {
		return "", ctx.Err()
	}
	terms, err := b.reader().CostOptions(ctx, facts, project)
	if err != nil {
		return "", err
	}
	t := b.Terraform
	text, err := json.Marshal([]any{
		b.Version, t.Env, t.AllowHooks, t.ProjectEnv,
		told, terms.Told(), fmt.Sprintf("%T", b.Estimator), p.Title, p.Author, p.Labels, p.Draft, p.HeadRef, p.BaseRef, read,
	})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

func sameJSON(a, b any) bool {
	x, err := json.Marshal(a)
	y, yerr := json.Marshal(b)
	return err == nil && yerr == nil && string(x) == string(y)
}
