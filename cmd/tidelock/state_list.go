package main

import (
	"context"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// lockJSON is who holds a state.
type lockJSON struct {
	ID        string       `json:"id"`
	Operation string       `json:"operation,omitempty"`
	Who       string       `json:"who,omitempty"`
	Actor     access.Actor `json:"actor"`
	Run       string       `json:"run,omitempty"`
	Since     time.Time    `json:"since"`
}

// stateJSON is a state in `tidelock state list --json`.
type stateJSON struct {
	State   string     `json:"state"` // CLIENT/PROJECT
	Exists  bool       `json:"exists"`
	Version int64      `json:"last_version"`
	Serial  int64      `json:"serial"`
	Lineage string     `json:"lineage,omitempty"`
	Written *time.Time `json:"written_at,omitempty"`
	Frozen  string     `json:"frozen,omitempty"`
	Lock    *lockJSON  `json:"lock,omitempty"`
	Shared  []string   `json:"shared_with,omitempty"` // as `state share --with` takes it
}

func viewState(slug string, s state.State, shared []string) stateJSON {
	v := stateJSON{Shared: shared, State: slug + "/" + s.Name, Exists: s.Exists(), Version: s.Seq, Serial: s.Serial, Lineage: s.Lineage, Frozen: s.Frozen}
	if !s.Written.IsZero() {
		v.Written = &s.Written
	}
	if l := s.Lock; l != nil {
		v.Lock = &lockJSON{l.ID, l.Operation, l.Who, l.Actor, l.Run, l.Since}
	}
	return v
}

// versionJSON is a version in `tidelock state versions --json`.
type versionJSON struct {
	Version   int64        `json:"version"`
	Current   bool         `json:"current"`
	Kind      string       `json:"kind"`
	Serial    int64        `json:"serial"`
	Lineage   string       `json:"lineage"`
	Size      int64        `json:"size"`
	Stored    int64        `json:"stored"`
	SHA256    string       `json:"sha256"`
	MD5       string       `json:"md5"`
	Terraform string       `json:"terraform_version,omitempty"`
	Encrypted bool         `json:"encrypted_by_client,omitempty"`
	Resources int          `json:"resources"`
	Instances int          `json:"instances"`
	Actor     access.Actor `json:"actor"`
	Run       string       `json:"run,omitempty"`
	Commit    string       `json:"commit,omitempty"`
	Reason    string       `json:"reason,omitempty"`
	Created   time.Time    `json:"created_at"`
	Key       string       `json:"key"`
}

func viewVersion(v state.Version, current string) versionJSON {
	return versionJSON{v.Seq, v.ID == current, v.Kind, v.Serial, v.Lineage, v.Size, v.Stored, v.SHA256, v.MD5, v.TerraformVersion, v.Encrypted, v.Resources, v.Instances,
		v.Actor, v.Run, v.Commit, v.Reason, v.Created, v.Key}
}

func newStateListCommand(p *program) *cobra.Command {
	var client string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the states",
		Example: "  tidelock state list\n  tidelock state list --client acme --json | jq -r '.states[] | select(.lock).state'",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.onStates(cmd.Context(), false, func(ctx context.Context, v *vault) error {
				id, err := v.clientID(ctx, client)
				if err != nil {
					return err
				}
				slugs, err := v.slugs(ctx)
				if err != nil {
					return err
				}
				all, err := v.states.States(ctx, id)
				if err != nil {
					return err
				}
				shared, err := v.sharesOf(ctx, all)
				if err != nil {
					return err
				}
				if asJSON {
					views := []stateJSON{}
					for _, s := range all {
						views = append(views, viewState(slugs[s.Client], s, shared[s.ID]))
					}
					return writeJSON(p.stdout, map[string]any{"states": views})
				}
				t := newTable("STATE", "SERIAL", "VERSION", "WRITTEN", "LOCKED BY", "SHARED WITH")
				for _, s := range all {
					serial, holder := any(s.Serial), ""
					if !s.Exists() {
						serial = "-"
					}
					if s.Lock != nil {
						holder = s.Lock.Holder()
					}
					if s.Frozen != "" {
						holder = "frozen: " + s.Frozen
					}
					t.row(slugs[s.Client]+"/"+s.Name, serial, s.Seq, day(s.Written), holder, strings.Join(shared[s.ID], ", "))
				}
				return t.write(p.stdout)
			})
		},
	}
	cmd.Flags().StringVar(&client, "client", "", "only this client's, by its slug")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	complete(cmd, "client", cobra.NoFileCompletions)
	return cmd
}

func newStateShowCommand(p *program) *cobra.Command {
	var number int64
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show CLIENT/PROJECT",
		Short:   "Show a state: the version that counts, and who holds it",
		Example: "  tidelock state show acme/network/prod\n  tidelock state show acme/network/prod --version 11 --json",
		Args:    oneState,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onState(cmd.Context(), args[0], false, func(ctx context.Context, v *vault, c clients.Client, name string) error {
				return v.show(ctx, p, c, name, number, asJSON)
			})
		},
	}
	cmd.Flags().Int64Var(&number, "version", 0, "show this version (else the one that counts)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (v *vault) show(ctx context.Context, p *program, c clients.Client, name string, number int64, asJSON bool) error {
	st, err := v.states.State(ctx, c.ID, name)
	if err != nil {
		return err
	}
	var version state.Version
	if number != 0 {
		version, err = v.states.Version(ctx, c.ID, name, number)
	} else if st.Exists() {
		version, err = v.states.Current(ctx, c.ID, name)
	}
	if err != nil {
		return err
	}
	shared, err := v.sharesOf(ctx, []state.State{st})
	if err != nil {
		return err
	}
	if asJSON {
		out := map[string]any{"state": viewState(c.Slug, st, shared[st.ID])}
		if version.ID != "" {
			out["version"] = viewVersion(version, st.Current)
		}
		return writeJSON(p.stdout, out)
	}
	t := newTable()
	t.row("state", c.Slug+"/"+st.Name)
	switch {
	case st.Lock != nil:
		t.row("locked", "by "+st.Lock.Holder()+", lock "+st.Lock.ID)
	default:
		t.row("locked", "no")
	}
	if st.Frozen != "" {
		t.row("frozen", st.Frozen)
	}
	for _, with := range shared[st.ID] {
		t.row("shared with", with)
	}
	if version.ID == "" {
		t.row("version", "none counts")
		return t.write(p.stdout)
	}
	counts := ""
	if version.ID == st.Current {
		counts = ", counts"
	}
	t.row("version", humanize.Comma(version.Seq)+" ("+version.Kind+counts+")")
	t.row("written", day(version.Created)+" by "+version.Actor.String())
	for _, line := range []struct{ name, value string }{{"run", version.Run}, {"commit", version.Commit}, {"reason", version.Reason}} {
		if line.value != "" {
			t.row(line.name, line.value)
		}
	}
	t.row("serial", version.Serial)
	t.row("lineage", version.Lineage)
	t.row("tool", version.TerraformVersion)
	t.row("resources", humanize.Comma(int64(version.Resources))+", with "+humanize.Comma(int64(version.Instances))+" instances")
	t.row("size", humanize.IBytes(uint64(version.Size))+", stored as "+humanize.IBytes(uint64(version.Stored)))
	t.row("sha256", version.SHA256)
	t.row("key", version.Key)
	return t.write(p.stdout)
}

func newStateVersionsCommand(p *program) *cobra.Command {
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "versions CLIENT/PROJECT",
		Short:   "List the versions of a state, the newest first",
		Example: "  tidelock state versions acme/network/prod\n  tidelock state versions acme/network/prod --json | jq '.versions[0].sha256'",
		Args:    oneState,
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 || limit > 10000 {
				return errs.New(errs.Invalid, "--limit is how many to show, from 1 to 10000, not %d.", limit)
			}
			return p.onState(cmd.Context(), args[0], false, func(ctx context.Context, v *vault, c clients.Client, name string) error {
				st, err := v.states.State(ctx, c.ID, name)
				if err != nil {
					return err
				}
				all, err := v.states.Versions(ctx, c.ID, name, limit)
				if err != nil {
					return err
				}
				if asJSON {
					views := []versionJSON{}
					for _, one := range all {
						views = append(views, viewVersion(one, st.Current))
					}
					return writeJSON(p.stdout, map[string]any{"versions": views})
				}
				t := newTable("VERSION", "KIND", "SERIAL", "INSTANCES", "SIZE", "WRITTEN", "BY", "")
				for _, one := range all {
					by, mark := one.Actor.String(), ""
					if one.Run != "" {
						by += ", run " + one.Run
					}
					if one.ID == st.Current {
						mark = "counts"
					}
					t.row(one.Seq, one.Kind, one.Serial, one.Instances, humanize.IBytes(uint64(one.Size)), day(one.Created), by, mark)
				}
				return t.write(p.stdout)
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "how many to show")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	complete(cmd, "limit", cobra.NoFileCompletions)
	return cmd
}
