package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/errs"
)

// newTokenCommand returns `tidelock token` with its subcommands.
func newTokenCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Make, list and revoke the tokens that open states",
		Long: "A token opens the states of one client, and of those the projects that its patterns name. It is shown once, when it\n" +
			"is made: the database has its hash alone.",
		Example: "  tidelock token create alice-laptop --client acme --project 'network/*' --scope read,write,lock --expires 90d\n" +
			"  tidelock token revoke 019a2b3c-…",
		Args: noArgs,
		RunE: helpWithoutCommand,
	}
	cmd.AddCommand(newTokenCreateCommand(p), newTokenListCommand(p), newTokenRevokeCommand(p))
	return cmd
}

// tokenJSON is a token, without itself.
type tokenJSON struct {
	ID       string         `json:"id"`
	Client   string         `json:"client"`
	Name     string         `json:"name"`
	Projects []string       `json:"projects"`
	Scopes   []access.Scope `json:"scopes"`
	By       access.Actor   `json:"created_by"`
	Run      string         `json:"run,omitempty"`
	Parent   string         `json:"parent,omitempty"` // the token that was shown for it at a login
	Created  time.Time      `json:"created_at"`
	Expires  *time.Time     `json:"expires_at,omitempty"`
	Revoked  *time.Time     `json:"revoked_at,omitempty"`
	Used     *time.Time     `json:"used_at,omitempty"`
	Live     bool           `json:"live"`
	Token    string         `json:"token,omitempty"` // when it was made, and then never again
}

func viewToken(slug string, c access.Credential) tokenJSON {
	at := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	return tokenJSON{ID: c.ID, Client: slug, Name: c.Name, Projects: c.Projects, Scopes: c.Scopes, By: c.By, Run: c.Run, Parent: c.Parent, Created: c.Created.UTC(),
		Expires: at(c.Expires.UTC()), Revoked: at(c.Revoked), Used: at(c.Used), Live: c.Live(time.Now())}
}

func newTokenCreateCommand(p *program) *cobra.Command {
	var client, expires string
	var projects, scopes []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a token, and show it once",
		Long: "The scopes are read, write, lock, force-unlock and force-write, and none includes another: a laptop that plans needs\n" +
			"read and lock, one that applies write too. What is written with force-write counts even though it does not follow\n" +
			"from what is there, so a token with it ends within a day. In the patterns of projects * is anything but a slash, and\n" +
			"** anything.",
		Example: "  tidelock token create alice-laptop --client acme --project '**' --scope read,write,lock --expires 90d\n" +
			"  tidelock token create ci --client acme --project network/prod --scope read --json | jq -r .token\n" +
			"  tidelock token create repair --client acme --project network/prod --scope read,write,lock,force-write --expires 1h",
		Args: func(cmd *cobra.Command, args []string) error { return stateArgs(cmd, args, 1) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if client == "" {
				return errs.New(errs.Invalid, "Say with --client whose states the token opens.")
			}
			n := access.NewToken{Name: args[0], Projects: projects, By: p.operator()}
			for _, s := range scopes {
				n.Scopes = append(n.Scopes, access.Scope(s))
			}
			if expires != "" && expires != "never" {
				within, err := wholeTime(expires)
				if err != nil {
					return err
				}
				n.Expires = time.Now().Add(within)
			}
			return p.onStates(cmd.Context(), false, func(ctx context.Context, v *vault) error {
				c, err := v.client(ctx, client)
				if err != nil {
					return err
				}
				n.Client = c.ID
				token, made, err := v.tokens.Create(ctx, n)
				if err != nil {
					return err
				}
				if asJSON {
					view := viewToken(c.Slug, made)
					view.Token = token.Reveal()
					return writeJSON(p.stdout, view)
				}
				_, err = fmt.Fprintln(p.stdout, token.Reveal())
				if err == nil {
					fmt.Fprintf(p.stderr, "That is the token, and it is not shown again. Its ID is %s.\n", made.ID)
				}
				return err
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&client, "client", "", "whose states it opens, by the client's slug")
	f.StringSliceVar(&projects, "project", []string{"**"}, "which projects: a pattern; may be repeated")
	f.StringSliceVar(&scopes, "scope", []string{"read", "lock"}, "what it may do: read, write, lock, force-unlock, force-write")
	f.StringVar(&expires, "expires", "90d", "after this time, as 12h, 90d or 4w; never for never")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	for _, flag := range []string{"client", "project", "expires"} {
		complete(cmd, flag, cobra.NoFileCompletions)
	}
	complete(cmd, "scope", cobra.FixedCompletions([]string{"read", "write", "lock", "force-unlock", "force-write"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func newTokenListCommand(p *program) *cobra.Command {
	var client string
	var runs, asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the tokens, the newest first",
		Example: "  tidelock token list --client acme\n  tidelock token list --json | jq '.tokens[] | select(.live and .expires_at == null).name'",
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
				all, err := v.tokens.List(ctx, id, runs)
				if err != nil {
					return err
				}
				views := []tokenJSON{}
				t := newTable("ID", "CLIENT", "NAME", "PROJECTS", "SCOPES", "EXPIRES", "USED")
				for _, c := range all {
					view := viewToken(slugs[c.Client], c)
					views = append(views, view)
					var words []string
					for _, s := range c.Scopes {
						words = append(words, string(s))
					}
					until := day(c.Expires)
					if !c.Revoked.IsZero() {
						until = "revoked " + day(c.Revoked)
					}
					t.row(c.ID, view.Client, c.Name, strings.Join(c.Projects, ","), strings.Join(words, ","), until, day(c.Used))
				}
				if asJSON {
					return writeJSON(p.stdout, map[string]any{"tokens": views})
				}
				return t.write(p.stdout)
			})
		},
	}
	cmd.Flags().StringVar(&client, "client", "", "only this client's, by its slug")
	cmd.Flags().BoolVar(&runs, "runs", false, "also those that the server made for its runs")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	complete(cmd, "client", cobra.NoFileCompletions)
	return cmd
}

func newTokenRevokeCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "revoke ID",
		Short:   "End a token at once",
		Example: "  tidelock token list --client acme\n  tidelock token revoke 019a2b3c-…",
		Args:    func(cmd *cobra.Command, args []string) error { return stateArgs(cmd, args, 1) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onStates(cmd.Context(), false, func(ctx context.Context, v *vault) error {
				c, err := v.tokens.Revoke(ctx, args[0], p.operator())
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.stdout, "The token %s opens nothing any more.\n", c.Name)
				return err
			})
		},
	}
	return cmd
}
