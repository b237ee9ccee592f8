package main

import (
	"context"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// newStateCommand returns `tidelock state` with its subcommands.
func newStateCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "state",
		Short: "Look at the states that are kept here, restore and mend them",
		Long: "Works on the server's database and with its encryption key, on the server's machine: whoever may do that may do\n" +
			"everything here, and what changes something stands in the audit trail with the user's name. A state is written\n" +
			"CLIENT/PROJECT, as in the address of the HTTP backend: /state/CLIENT/PROJECT.",
		Example: "  tidelock state list\n" +
			"  tidelock state versions acme/network/prod\n" +
			"  tidelock state diff acme/network/prod 11 12\n" +
			"  tidelock state restore acme/network/prod 11 --reason \"12 lost the subnets\"",
		Args: noArgs,
		RunE: helpWithoutCommand,
	}
	cmd.AddCommand(
		newStateListCommand(p), newStateShowCommand(p), newStateVersionsCommand(p), newStateDiffCommand(p),
		newStatePullCommand(p), newStatePushCommand(p), newStateRestoreCommand(p), newStateApproveCommand(p), newStateRestoresCommand(p),
		newStateUnlockCommand(p), newStateThawCommand(p), newStateRemoveCommand(p), newStateErroredCommand(p), newStatePushErroredCommand(p),
		newStateMigrateCommand(p), newStateBindCommand(p), newStateShareCommand(p), newStateUnshareCommand(p),
	)
	return cmd
}

// vault is what commands of the state service work with.
type vault struct {
	config  config.Config
	db      *db.DB
	blobs   *blob.Store // nil without the key
	clients *clients.Store
	tokens  *access.Tokens
	states  *state.Store
	who     state.Who
}

func (v *vault) close() {
	if v.blobs != nil {
		_ = v.blobs.Close()
	}
	_ = v.db.Close() // everything is committed by then
}

// openStates opens the server's database, and where keys is true what is needed
// to read and write contents.
func (p *program) openStates(ctx context.Context, keys bool) (_ *vault, err error) {
	l := config.Read(p.configPath, p.environ, config.NeedDatabase)
	if err := l.Problems.Err(); err != nil {
		return nil, err
	}
	c := l.Config
	if !c.DatabaseExists() { // opening would make it
		return nil, errs.New(errs.NotFound, "There is no database yet at %s: no server has run on it.", c.DatabaseShown())
	}
	v := &vault{config: c, who: state.Who{Actor: p.operator()}}
	if v.db, err = db.Open(ctx, c.Database.Reveal()); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			v.close()
		}
	}()
	have, want, err := v.db.Version(ctx)
	if err != nil {
		return nil, err
	}
	if have != want {
		return nil, errs.New(errs.Conflict, "The database has version %d, and this Tidelock works with %d. Use the server's own program, or run `tidelock migrate`.", have, want)
	}
	trail := access.NewTrail(v.db)
	v.clients, v.tokens = clients.NewStore(v.db), access.NewTokens(v.db, trail, nil)
	o := state.Options{DB: v.db, Trail: trail, Tokens: v.tokens, Limits: stateLimits(c.State), Keep: stateKeep(c.State)}
	if keys {
		key, err := config.FindEncryptionKey(c)
		if err != nil {
			return nil, err
		}
		if o.Keys, err = parts.Keyring(c, key); err != nil {
			return nil, err
		}
		if v.blobs, err = parts.Blobs(ctx, c, key); err != nil {
			return nil, err
		}
		o.Blobs = v.blobs
	}
	v.states = state.New(o)
	return v, nil
}

// onStates opens the server's states for as long as do works with them.
func (p *program) onStates(ctx context.Context, keys bool, do func(context.Context, *vault) error) error {
	v, err := p.openStates(ctx, keys)
	if err != nil {
		return err
	}
	defer v.close()
	return do(ctx, v)
}

// onState is onStates for one of them, written CLIENT/PROJECT.
func (p *program) onState(ctx context.Context, arg string, keys bool, do func(context.Context, *vault, clients.Client, string) error) error {
	return p.onStates(ctx, keys, func(ctx context.Context, v *vault) error {
		c, name, err := v.find(ctx, arg)
		if err != nil {
			return err
		}
		return do(ctx, v, c, name)
	})
}

// operator is who works on the server's machine: the user of the system, the
// one behind sudo where there is one. It is a name for the audit trail, and
// proves nothing: who may write to the database may write any name.
func (p *program) operator() access.Actor {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
		if sudo, ok := config.Lookup(p.environ)("SUDO_USER"); ok && sudo != "" && u.Uid == "0" {
			name = sudo
		}
	}
	return access.Actor{Kind: access.Token, Name: strings.TrimSuffix("command line of "+name, " of ")}
}

// find reads CLIENT/PROJECT.
func (v *vault) find(ctx context.Context, arg string) (client clients.Client, name string, err error) {
	slug, name, ok := strings.Cut(arg, "/")
	if !ok {
		return client, "", errs.New(errs.Invalid, "A state is written CLIENT/PROJECT, as in acme/network/prod, not %q.", arg)
	}
	if err := state.CheckName(name); err != nil {
		return client, "", err
	}
	client, err = v.client(ctx, slug)
	return client, name, err
}

func (v *vault) client(ctx context.Context, slug string) (clients.Client, error) {
	return clientNamed(ctx, v.clients, v.db, slug)
}

// clientID returns the ID that a filter by client stands for, "" for none.
func (v *vault) clientID(ctx context.Context, slug string) (string, error) {
	return clientID(ctx, v.clients, v.db, slug)
}

// versionNumber reads the number of a version.
func versionNumber(arg string) (int64, error) {
	n, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || n < 1 {
		return 0, errs.New(errs.Invalid, "%q is no number of a version; `tidelock state versions` lists them.", arg)
	}
	return n, nil
}

// slugs returns the clients' names by ID.
func (v *vault) slugs(ctx context.Context) (map[string]string, error) {
	all, err := v.clients.List(ctx, v.db)
	if err != nil {
		return nil, err
	}
	m := map[string]string{}
	for _, c := range all {
		m[c.ID] = c.Slug
	}
	return m, nil
}

// oneState admits one argument, the state.
func oneState(cmd *cobra.Command, args []string) error { return stateArgs(cmd, args, 1) }

// stateArgs admits n arguments, of which the first is a state.
func stateArgs(cmd *cobra.Command, args []string, n int) error {
	if len(args) != n {
		return errs.New(errs.Invalid, "%s takes %s.", cmd.CommandPath(), strings.TrimPrefix(cmd.Use, cmd.Name()+" "))
	}
	return nil
}

// day shows a time to people.
func day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04")
}
