package clients_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

func ensure(ctx context.Context, d *db.DB, in clients.Installation) (c clients.Client, err error) {
	err = d.Tx(ctx, func(tx *db.Tx) error {
		c, err = clients.NewStore(d).Ensure(ctx, tx, in)
		return err
	})
	return c, err
}

func mustEnsure(t *testing.T, d *db.DB, in clients.Installation) clients.Client {
	t.Helper()
	c, err := ensure(t.Context(), d, in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEnsureMakesOneClientAnInstallation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := clients.NewStore(d)
		a := mustEnsure(t, d, clients.Installation{ID: 11, Account: "Acme_Corp", AccountID: 1})
		if len(a.ID) != 36 || a.Slug != "acme-corp" || a.Name != "Acme_Corp" || a.InstallationID != 11 || a.Status != clients.Active {
			t.Errorf("made %+v", a)
		}
		if again := mustEnsure(t, d, clients.Installation{ID: 11}); again != a {
			t.Errorf("then %+v, at first %+v", again, a)
		}
		// The same name is somebody else's; so is a name that makes the same slug.
		b := mustEnsure(t, d, clients.Installation{ID: 12, Account: "acme-corp", AccountID: 2})
		if b.ID == a.ID || b.Slug != "acme-corp-2" {
			t.Errorf("second account: %+v", b)
		}
		renamed := mustEnsure(t, d, clients.Installation{ID: 11, Account: "Acme"})
		if renamed.ID != a.ID || renamed.Name != "Acme" || renamed.Slug != a.Slug || renamed.AccountID != 1 {
			t.Errorf("renamed: %+v", renamed)
		}
		odd := mustEnsure(t, d, clients.Installation{ID: 13, Account: "…"})
		if odd.Slug != "client" {
			t.Errorf("odd name: %+v", odd)
		}

		all, err := s.List(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]clients.Client{renamed, b, odd}, all); diff != "" {
			t.Errorf("List (-want +got):\n%s", diff)
		}
		if got, err := s.ByInstallation(t.Context(), d, 12); err != nil || got != b {
			t.Errorf("ByInstallation: %+v, %v", got, err)
		}
		if got, err := s.BySlug(t.Context(), d, "client"); err != nil || got != odd {
			t.Errorf("BySlug: %+v, %v", got, err)
		}
		if got, err := s.Client(t.Context(), d, b.ID); err != nil || got != b {
			t.Errorf("Client: %+v, %v", got, err)
		}
		if _, err := s.ByInstallation(t.Context(), d, 99); !errs.Is(err, errs.NotFound) {
			t.Errorf("no installation: %v", err)
		}
		if _, err := ensure(t.Context(), d, clients.Installation{}); !errs.Is(err, errs.Invalid) {
			t.Errorf("installation 0: %v", err)
		}
	})
}

func TestEnsureByManyAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ids := make([]string, 10)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				c, err := ensure(context.Background(), d, clients.Installation{ID: 11, Account: "acme"})
				if err != nil {
					t.Error(err)
				}
				ids[i] = c.ID
			})
		}
		all.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Fatalf("several clients: %v", ids)
			}
		}
	})
}

func TestStatusIsChangedOnPurposeOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := clients.NewStore(d)
		a := mustEnsure(t, d, clients.Installation{ID: 11, Account: "acme", AccountID: 1})
		if err := s.SetStatus(t.Context(), d, a.ID, clients.Suspended); err != nil {
			t.Fatal(err)
		}
		if got := mustEnsure(t, d, clients.Installation{ID: 11, Account: "acme", AccountID: 1}); got.Status != clients.Suspended {
			t.Errorf("a straggling event made it %s", got.Status)
		}
		if err := s.SetStatus(t.Context(), d, a.ID, clients.Deleted); err != nil {
			t.Fatal(err)
		}
		// The account installs the App again, under a new name even.
		if got := mustEnsure(t, d, clients.Installation{ID: 50, Account: "acme2", AccountID: 1}); got.ID != a.ID || got.Status != clients.Active || got.InstallationID != 50 || got.Name != "acme2" {
			t.Errorf("came back as %+v", got)
		}
		if err := s.SetStatus(t.Context(), d, a.ID, "asleep"); err == nil {
			t.Error("took a status that does not exist")
		}
		if err := s.SetStatus(t.Context(), d, "nobody", clients.Active); !errs.Is(err, errs.NotFound) {
			t.Errorf("no client: %v", err)
		}
	})
}

// An account was deleted, and somebody else took its name.
func TestThreat_NameOfADeletedAccountOpensNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := mustEnsure(t, d, clients.Installation{ID: 11, Account: "acme", AccountID: 1})
		if err := clients.NewStore(d).SetStatus(t.Context(), d, a.ID, clients.Deleted); err != nil {
			t.Fatal(err)
		}
		for _, in := range []clients.Installation{{ID: 12, Account: "acme", AccountID: 2}, {ID: 13, Account: "acme"}} {
			if got := mustEnsure(t, d, in); got.ID == a.ID {
				t.Errorf("%+v was given the old client", in)
			}
		}
	})
}

func TestRepos(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), clients.NewStore(d)
		a := mustEnsure(t, d, clients.Installation{ID: 11, Account: "acme"})
		b := mustEnsure(t, d, clients.Installation{ID: 12, Account: "bolt"})
		ensureRepo := func(c clients.Client, r clients.Repo) (got clients.Repo, err error) {
			err = d.Tx(ctx, func(tx *db.Tx) error {
				got, err = s.EnsureRepo(ctx, tx, c, r)
				return err
			})
			return got, err
		}
		got, err := ensureRepo(a, clients.Repo{ID: 100, Owner: "acme", Name: "infra", DefaultBranch: "main", CloneURL: "https://github.com/acme/infra.git"})
		if err != nil || got.ClientID != a.ID || got.Status != clients.Active || got.FullName() != "acme/infra" {
			t.Fatalf("made %+v, %v", got, err)
		}
		got, err = ensureRepo(a, clients.Repo{ID: 100, Owner: "acme", Name: "platform"})
		want := clients.Repo{ID: 100, ClientID: a.ID, Owner: "acme", Name: "platform", DefaultBranch: "main", CloneURL: "https://github.com/acme/infra.git", Status: clients.Active}
		if err != nil || got != want {
			t.Errorf("renamed: %+v, %v", got, err)
		}
		if _, err := ensureRepo(a, clients.Repo{ID: 101, Owner: "acme", Name: "dns"}); err != nil {
			t.Fatal(err)
		}
		if err := s.SetRepoStatus(ctx, d, 101, clients.Removed); err != nil {
			t.Fatal(err)
		}
		repos, err := s.Repos(ctx, d, a.ID)
		if err != nil || len(repos) != 2 || repos[0].Name != "dns" || repos[0].Status != clients.Removed || repos[1] != want {
			t.Errorf("Repos: %+v, %v", repos, err)
		}
		if repos, err := s.Repos(ctx, d, b.ID); err != nil || len(repos) != 0 {
			t.Errorf("another client sees %+v, %v", repos, err)
		}
		if _, err := s.Repo(ctx, d, 999); !errs.Is(err, errs.NotFound) {
			t.Errorf("no repo: %v", err)
		}
		if err := s.SetRepoStatus(ctx, d, 999, clients.Removed); !errs.Is(err, errs.NotFound) {
			t.Errorf("no repo: %v", err)
		}
		if _, err := ensureRepo(a, clients.Repo{}); !errs.Is(err, errs.Invalid) {
			t.Errorf("repo 0: %v", err)
		}
	})
}

func TestThreat_RepoIsNotTakenFromItsClient(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, s := t.Context(), clients.NewStore(d)
		a := mustEnsure(t, d, clients.Installation{ID: 11, Account: "acme"})
		b := mustEnsure(t, d, clients.Installation{ID: 12, Account: "bolt"})
		take := func(c clients.Client) error {
			return d.Tx(ctx, func(tx *db.Tx) error {
				_, err := s.EnsureRepo(ctx, tx, c, clients.Repo{ID: 100, Owner: c.Name, Name: "infra"})
				return err
			})
		}
		if err := take(a); err != nil {
			t.Fatal(err)
		}
		if err := take(b); !errs.Is(err, errs.Conflict) {
			t.Errorf("got %v, want a conflict", err)
		}
		if r, err := s.Repo(ctx, d, 100); err != nil || r.ClientID != a.ID || r.Owner != "acme" {
			t.Errorf("now it is %+v, %v", r, err)
		}
	})
}
