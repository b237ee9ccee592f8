package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/binaries"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// newToolsCommand returns `tidelock tools` with its subcommands.
func newToolsCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "tools",
		Short: "Show, install and delete versions of Terraform and OpenTofu",
		Long: "Shows the versions of Terraform and OpenTofu that the server can run projects with: its own (terraform.binary),\n" +
			"those in the folders of terraform.tools_dirs, and those that were downloaded. A project gets the server's own where\n" +
			"that will do, else the newest that is here, else, with terraform.download, one that is downloaded.\n\n" +
			"It needs the setting data_dir, and nothing of GitHub. It exits with 1 where one that is here can't be used.",
		Example: "  tidelock tools\n" +
			"  tidelock tools install terraform 1.9.8\n" +
			"  tidelock tools install tofu latest\n" +
			"  tidelock tools prune --unused-days 30\n" +
			"  tidelock tools --json | jq -r '.[] | select(.tool == \"tofu\").version'",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := p.tools(cmd.Context(), nil)
			if err != nil {
				return err
			}
			all, err := store.Installed(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(p.stdout, append([]binaries.Installed{}, all...))
			} else {
				err = writeTools(p.stdout, all)
			}
			return errors.Join(err, usable(all))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the versions as JSON")
	cmd.AddCommand(newToolsInstallCommand(p), newToolsPruneCommand(p))
	return cmd
}

// tools opens the server's store. Only what goes wrong is logged.
func (p *program) tools(ctx context.Context, progress func(binaries.Binary, binaries.Download)) (*binaries.Store, error) {
	l := config.Read(p.configPath, p.environ, config.NeedDatabase)
	if err := l.Problems.Err(); err != nil {
		return nil, err
	}
	o, err := parts.ToolsOptions(ctx, l.Config)
	if err != nil {
		return nil, err
	}
	o.Log = slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	o.Progress = progress
	return binaries.Open(o), nil
}

// usable returns an error where one of the versions can't be used.
func usable(all []binaries.Installed) error {
	for _, i := range all {
		if i.Problem != "" {
			return errs.New(errs.Invalid, "Not all that is here can be used. Delete what can't, or put it right.")
		}
	}
	return nil
}

func writeTools(w io.Writer, all []binaries.Installed) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "There is no Terraform or OpenTofu here. `tidelock tools install terraform latest` downloads one.")
		return err
	}
	t := newTable("TOOL", "VERSION", "SIZE", "FROM", "USED", "PATH")
	for _, i := range all {
		used := "-"
		if !i.Used.IsZero() {
			used = humanize.Time(i.Used)
		}
		t.row(i.Name, i.Version, humanize.IBytes(uint64(i.Bytes)), i.Source, used, i.Path)
		if i.Problem != "" {
			t.row("", "", "", "→ "+i.Problem)
		}
	}
	return t.write(w)
}

func newToolsInstallCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "install TOOL VERSION",
		Short: "Download a version, verified",
		Long: "Downloads a version of terraform or tofu into data_dir, where the server finds it. It is kept only if its makers\n" +
			"signed it. VERSION is what a version file may hold: 1.9.8, 1.9 for the newest of 1.9, a constraint, or latest.\n" +
			"Where it is here already, nothing is downloaded. terraform.download need not be set for it.",
		Example: "  tidelock tools install terraform 1.9.8\n" +
			"  tidelock tools install tofu latest\n" +
			"  tidelock tools install terraform '>= 1.9, < 1.12'",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 || args[0] != planner.ToolTerraform && args[0] != planner.ToolOpenTofu {
				return errs.New(errs.Invalid, "Say which tool, terraform or tofu, and which version, as in `tidelock tools install terraform 1.9.8`.")
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return []string{planner.ToolTerraform, planner.ToolOpenTofu}, cobra.ShellCompDirectiveNoFileComp
			case 1:
				return []string{"latest"}, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			want, err := planner.AskTool(args[0], args[1], "the command line")
			if err != nil {
				return errs.New(errs.Invalid, "%s", err)
			}
			store, err := p.tools(cmd.Context(), downloadLine(p.stderr))
			if err != nil {
				return err
			}
			b, err := store.Install(cmd.Context(), want)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, b)
			}
			_, err = fmt.Fprintf(p.stdout, "%s is at %s\n", b, b.Path)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print where it is as JSON")
	return cmd
}

// downloadLine keeps a line on a terminal up to date with how far a download
// is. Elsewhere nobody is told.
func downloadLine(w io.Writer) func(binaries.Binary, binaries.Download) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	var told time.Time
	return func(b binaries.Binary, d binaries.Download) {
		if now := time.Now(); now.Sub(told) > 100*time.Millisecond || d.Done == d.Total {
			told = now
			end := ""
			if d.Done == d.Total {
				end = "\n"
			}
			fmt.Fprintf(w, "\rDownloading %s: %s of %s   %s", b, humanize.IBytes(uint64(d.Done)), humanize.IBytes(uint64(d.Total)), end)
		}
	}
}

func newToolsPruneCommand(p *program) *cobra.Command {
	var asJSON bool
	var days int
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Delete downloaded versions that no run used for a while",
		Long: "Deletes what was downloaded and not used for so many days. A project that asks for it again has it downloaded\n" +
			"again. What is in the folders of terraform.tools_dirs is never touched, and what a run has begun with stays open to it.",
		Example: "  tidelock tools prune\n  tidelock tools prune --unused-days 0    all of it",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 0 {
				return errs.New(errs.Invalid, "--unused-days is %d; it can't be less than 0.", days)
			}
			store, err := p.tools(cmd.Context(), nil)
			if err != nil {
				return err
			}
			gone, err := store.Prune(cmd.Context(), time.Now().AddDate(0, 0, -days))
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, append([]binaries.Installed{}, gone...))
			}
			var names []string
			var bytes int64
			for _, i := range gone {
				names = append(names, i.String())
				bytes += i.Bytes
			}
			_, err = fmt.Fprintf(p.stdout, "Deleted: %s (%s).\n", cmp.Or(strings.Join(names, ", "), "nothing"), humanize.IBytes(uint64(bytes)))
			return err
		},
	}
	cmd.Flags().IntVar(&days, "unused-days", 90, "delete what no run used for so many days")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was deleted as JSON")
	return cmd
}
