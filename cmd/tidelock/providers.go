package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/providers"
	"github.com/tidelock/tidelock/planner"
)

// newProvidersCommand returns `tidelock providers`.
func newProvidersCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "providers",
		Short: "Look after the store of providers",
		Long: "The server keeps each version of a provider once, verified and unpacked, in the folder providers of its data\n" +
			"folder, and every run links to it. These commands work beside a running server, as its user. They need the\n" +
			"setting data_dir and nothing of GitHub.",
		Example: "  tidelock providers list\n  tidelock providers verify\n  tidelock providers fetch ~/src/infra",
		Args:    noArgs,
		RunE:    helpWithoutCommand,
	}
	cmd.AddCommand(newProvidersListCommand(p), newProvidersVerifyCommand(p), newProvidersPruneCommand(p), newProvidersFetchCommand(p))
	return cmd
}

// openProviders opens the store that the configuration names.
func openProviders(p *program) (*providers.Store, config.Config, error) {
	l := config.Read(p.configPath, p.environ, config.NeedDatabase)
	if err := l.Problems.Err(); err != nil {
		return nil, config.Config{}, err
	}
	s, err := parts.Providers(l.Config, slog.New(slog.DiscardHandler))
	return s, l.Config, err
}

func newProvidersListCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the providers that are on this machine",
		Example: "  tidelock providers list\n  tidelock providers list --json | jq -r '.packages[].provider'",
		Args:    noArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			s, _, err := openProviders(p)
			if err != nil {
				return err
			}
			all, err := s.List()
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, map[string]any{"packages": append([]providers.Package{}, all...)})
			}
			if len(all) == 0 {
				_, err = fmt.Fprintln(p.stdout, "There is none yet: a provider is fetched when the first run wants it.")
				return err
			}
			return writePackages(p, all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON, with all that is known of each")
	return cmd
}

func writePackages(p *program, all []providers.Package) error {
	t := newTable("PROVIDER", "VERSION", "PLATFORM", "SIZE", "FROM", "SIGNED BY", "LAST USED")
	total := int64(0)
	for _, k := range all {
		total += k.Size
		t.row(k.Provider, k.Version, k.Platform, humanize.IBytes(uint64(k.Size)), k.Source, cmp.Or(k.SignedBy, "nobody"), k.Used.Local().Format(time.DateTime))
	}
	if err := t.write(p.stdout); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.stdout, "\n%s, %s\n", counted(len(all), "package"), humanize.IBytes(uint64(total)))
	return err
}

func newProvidersVerifyCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Work out the checksums of all providers anew",
		Long: "Works out the checksums of all packages in the store anew and compares them with those that they had when they\n" +
			"were verified. It exits with 1 where one differs, and changes nothing: an altered package is fetched anew when\n" +
			"the next run wants it.",
		Example: "  tidelock providers verify",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, _, err := openProviders(p)
			if err != nil {
				return err
			}
			checked, wrong, err := s.Verify(cmd.Context())
			if err != nil {
				return err
			}
			if len(wrong) > 0 {
				err = errs.New(errs.Conflict, "The store of providers is not as it was verified. %s", strings.Join(wrong, " "))
			}
			if asJSON {
				if werr := writeJSON(p.stdout, map[string]any{"ok": err == nil, "checked": checked, "wrong": append([]string{}, wrong...)}); werr != nil {
					return werr
				}
				return told(err)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "%s, each as it was verified.\n", counted(checked, "package"))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

func newProvidersPruneCommand(p *program) *cobra.Command {
	var asJSON bool
	var maxAge time.Duration
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Delete providers that no run has used for long",
		Long: "Deletes what the server would delete by itself, by terraform.provider_store_max_age and _max_size. What a run was\n" +
			"given within the last three days stays. What is deleted is fetched again when it is wanted.",
		Example: "  tidelock providers prune\n  tidelock providers prune --max-age 168h",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, c, err := openProviders(p)
			if err != nil {
				return err
			}
			swept, err := s.Sweep(cmd.Context(), cmp.Or(maxAge, c.Terraform.Providers.MaxAge), int64(c.Terraform.Providers.MaxSize)<<20)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, map[string]any{"removed": append([]providers.Package{}, swept.Removed...), "bytes_freed": swept.Freed, "bytes_kept": swept.Kept})
			}
			for _, k := range swept.Removed {
				fmt.Fprintf(p.stdout, "%s %s %s\n", k.Provider, k.Version, k.Platform)
			}
			_, err = fmt.Fprintf(p.stdout, "%s deleted, %s freed, %s kept.\n", counted(len(swept.Removed), "package"), humanize.IBytes(uint64(swept.Freed)), humanize.IBytes(uint64(swept.Kept)))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was deleted as JSON")
	cmd.Flags().DurationVar(&maxAge, "max-age", 0, "in the place of terraform.provider_store_max_age")
	return cmd
}

// fetched is the answer of `tidelock providers fetch --json`.
type fetched struct {
	Packages []providers.Package `json:"packages"`
	Notes    []string            `json:"notes"` // what was not fetched, and why
}

func newProvidersFetchCommand(p *program) *cobra.Command {
	var asJSON bool
	var tool string
	cmd := &cobra.Command{
		Use:   "fetch [DIR]",
		Short: "Fetch the providers of a repository's projects beforehand",
		Long: "Finds the projects in DIR, the root of a repository (the working directory where none is named), and fetches and\n" +
			"verifies the providers that they require, as the server does before a run: by their lock files, else the newest\n" +
			"that meet their constraints. Terraform is not run.",
		Example:           "  tidelock providers fetch\n  tidelock providers fetch ~/src/infra --tool tofu",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := folderOf(args)
			s, c, err := openProviders(p)
			if err != nil {
				return err
			}
			if tool == "" && strings.Contains(filepath.Base(c.Terraform.Binary), planner.ToolOpenTofu) {
				tool = planner.ToolOpenTofu
			}
			f, err := fetch(cmd.Context(), s, dir, tool)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, f)
			}
			for _, n := range f.Notes {
				fmt.Fprintln(p.stderr, n)
			}
			if len(f.Packages) == 0 {
				_, err := fmt.Fprintln(p.stdout, "Nothing had to be fetched.")
				return err
			}
			return writePackages(p, f.Packages)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the packages as JSON")
	cmd.Flags().StringVar(&tool, "tool", "", "terraform or tofu, for projects that name neither (else by terraform.binary)")
	if err := cmd.RegisterFlagCompletionFunc("tool", cobra.FixedCompletions([]string{planner.ToolTerraform, planner.ToolOpenTofu}, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag stands one line above
	}
	return cmd
}

// fetch prepares the store for every project in dir. A project that can't be
// prepared does not keep the others from it.
func fetch(ctx context.Context, s *providers.Store, dir, tool string) (fetched, error) {
	f := fetched{Packages: []providers.Package{}, Notes: []string{}}
	if tool != "" && tool != planner.ToolTerraform && tool != planner.ToolOpenTofu {
		return f, errs.New(errs.Invalid, "--tool is terraform or tofu, not %q.", tool)
	}
	root, err := openFolder(dir)
	if err != nil {
		return f, err
	}
	defer root.Close()
	var v validated
	cfg, err := v.configuration(root.FS(), root.FS())
	if err != nil {
		return f, err
	}
	projects, _, err := planner.Discover(root.FS(), cfg)
	if err != nil {
		return f, err
	}
	var refused []string
	for _, project := range projects {
		if project.Missing {
			continue
		}
		got, err := s.Prepare(ctx, providers.Request{Root: root.FS(), Project: project, Tool: cmp.Or(project.Tool.Name, tool, planner.ToolTerraform)})
		if err != nil {
			if errs.Is(err, errs.Internal) {
				return f, err
			}
			refused = append(refused, errs.Sentence(err))
			continue
		}
		f.Packages = append(f.Packages, got.Packages...)
		f.Notes = append(f.Notes, got.Notes...)
	}
	key := func(k providers.Package) string { return k.Provider + " " + k.Version }
	slices.SortFunc(f.Packages, func(a, b providers.Package) int { return cmp.Compare(key(a), key(b)) })
	f.Packages = slices.CompactFunc(f.Packages, func(a, b providers.Package) bool { return key(a) == key(b) })
	slices.Sort(f.Notes)
	f.Notes = slices.Compact(f.Notes)
	if len(refused) > 0 {
		slices.Sort(refused)
		return f, errs.New(errs.Invalid, "%s", strings.Join(slices.Compact(refused), "\n"))
	}
	return f, nil
}
