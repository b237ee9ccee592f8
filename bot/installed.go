package bot

import (
	"context"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
)

// installed keeps clients and their repositories in step with where the App is
// installed. Where it no longer is, nothing can be planned or told: what waits
// is canceled. An apply that runs is left to finish.
func (b *Bot) installed(ctx context.Context, e github.Event, guid string) error {
	var stop []string
	err := b.DB.Tx(ctx, func(tx *db.Tx) error {
		stop = nil
		client, err := b.Clients.Ensure(ctx, tx, clients.Installation{ID: e.Installation.ID, Account: e.Installation.Account, AccountID: e.Installation.AccountID})
		if err != nil {
			return err
		}
		status := map[string]string{"deleted": clients.Deleted, "suspend": clients.Suspended, "unsuspend": clients.Active, "created": clients.Active}[e.Action]
		if e.Kind == "installation" && status != "" {
			if err := b.Clients.SetStatus(ctx, tx, client.ID, status); err != nil {
				return err
			}
			if status != clients.Active {
				b.App.Forget(e.Installation.ID)
				if stop, err = b.Runs.CancelClient(ctx, tx, client.ID, b.actor, "The GitHub App was "+past[status]+"."); err != nil {
					return err
				}
			}
		}
		for _, r := range e.Removed {
			running, err := b.lose(ctx, tx, client.ID, r.ID, "The GitHub App was taken off this repository.")
			if err != nil {
				return err
			}
			stop = append(stop, running...)
		}
		for _, r := range e.Added {
			// Only what GitHub names here is known: the rest comes with the
			// first event of the repository, or with the sweep.
			known, err := b.Clients.Repo(ctx, tx, r.ID)
			if errs.Is(err, errs.NotFound) || (err == nil && known.ClientID != client.ID) {
				continue
			}
			if err != nil {
				return err
			}
			if err := b.Clients.SetRepoStatus(ctx, tx, r.ID, clients.Active); err != nil {
				return err
			}
		}
		return endDelivery(ctx, tx, guid, "done", "")
	})
	b.stop(ctx, stop)
	return err
}

// past says in a sentence what happened to an installation.
var past = map[string]string{clients.Deleted: "uninstalled", clients.Suspended: "suspended"}

// lose cancels what waits for a repository that can't be reached any more, and
// returns the plans to be stopped.
func (b *Bot) lose(ctx context.Context, tx *db.Tx, client string, repo int64, why string) ([]string, error) {
	known, err := b.Clients.Repo(ctx, tx, repo)
	if errs.Is(err, errs.NotFound) || (err == nil && known.ClientID != client) {
		return nil, nil // nothing was ever heard of it, or it is another client's by now
	}
	if err != nil {
		return nil, err
	}
	if err := b.Clients.SetRepoStatus(ctx, tx, repo, clients.Removed); err != nil {
		return nil, err
	}
	return b.Runs.CancelRepo(ctx, tx, repo, b.actor, why)
}

// repository keeps a repository's row in step with what became of it: its name
// and owner were taken over already, since everything is keyed by its ID.
func (b *Bot) repository(ctx context.Context, e github.Event, repo clients.Repo, guid string) error {
	var stop []string
	err := b.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		stop = nil
		switch e.Action {
		case "deleted":
			stop, err = b.lose(ctx, tx, repo.ClientID, repo.ID, "The repository was deleted.")
		case "archived":
			stop, err = b.Runs.CancelRepo(ctx, tx, repo.ID, b.actor, "The repository was archived.")
		}
		if err != nil {
			return err
		}
		return endDelivery(ctx, tx, guid, "done", "")
	})
	b.stop(ctx, stop)
	return err
}
