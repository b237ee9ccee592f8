package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/blueprint"
	"github.com/tidelock/tidelock/internal/errs"
)

// defaultBlueprint is the one that needs neither a provider nor an account.
const defaultBlueprint = "starter"

// initialised is the answer of `tidelock init --json`.
type initialised struct {
	Blueprint string   `json:"blueprint"`
	Dir       string   `json:"dir"`   // absolute
	Files     []string `json:"files"` // relative to dir, sorted
	Next      []string `json:"next"`  // what is left to do, a sentence each
}

// newInitCommand returns `tidelock init`.
func newInitCommand(p *program) *cobra.Command {
	var name string
	var values blueprint.Values
	var list, asJSON bool
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make an infrastructure repository from a blueprint",
		Long: "Writes the files of a repository that Tidelock can plan at once into DIR, the working directory where none is\n" +
			"named: a first project, its modules, tidelock.hcl, CODEOWNERS, .gitignore and a README. Files that are there\n" +
			"already are never replaced: then nothing is written. It needs no configuration, and runs neither git nor Terraform.",
		Example: "  tidelock init --list\n" +
			"  tidelock init infra --client acme --owner acme/platform\n" +
			"  tidelock init infra --blueprint aws --client acme --owner acme/platform --region eu-west-1",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			if list {
				return p.listBlueprints(asJSON)
			}
			dir := folderOf(args)
			if dir == "" {
				return errs.New(errs.Invalid, "The folder's name is empty; leave it out to mean the working directory.")
			}
			done, err := initialise(dir, name, values)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, done)
			}
			return done.write(p.stdout)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&name, "blueprint", "b", defaultBlueprint, "what to make it from; see --list")
	f.StringVar(&values.Client, "client", "", "the client's short name, such as acme; else made of DIR's name")
	f.StringVar(&values.Owner, "owner", "", "GitHub user or organisation/team that reviews changes")
	f.StringVar(&values.Region, "region", "", "the cloud's region, such as eu-west-1, where the blueprint takes one")
	f.BoolVar(&list, "list", false, "list the blueprints and the values that each takes; write nothing")
	f.BoolVar(&asJSON, "json", false, "print the answer as JSON")
	complete := func(flag string, with cobra.CompletionFunc) {
		if err := cmd.RegisterFlagCompletionFunc(flag, with); err != nil {
			panic(err) // the flag stands a few lines above
		}
	}
	complete("blueprint", completeBlueprints)
	for _, free := range []string{"client", "owner", "region"} {
		complete(free, cobra.NoFileCompletions)
	}
	return cmd
}

func completeBlueprints(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	all, err := blueprint.List()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var found []string
	for _, b := range all {
		found = append(found, cobra.CompletionWithDesc(b.Name, b.Description))
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

func (p *program) listBlueprints(asJSON bool) error {
	all, err := blueprint.List()
	if err != nil {
		return err
	}
	if asJSON {
		return writeJSON(p.stdout, all)
	}
	var b strings.Builder
	for _, bp := range all {
		flags := "--" + strings.Join(bp.Values, ", --")
		fmt.Fprintf(&b, "%-10s %s\n%-10s takes %s\n", bp.Name, bp.Description, "", flags)
	}
	_, err = io.WriteString(p.stdout, b.String())
	return err
}

// initialise renders a blueprint and writes it into dir.
func initialise(dir, name string, values blueprint.Values) (initialised, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return initialised{}, err
	}
	if values.Client == "" {
		values.Client = blueprint.ClientFrom(filepath.Base(abs))
	}
	all, err := blueprint.List()
	if err != nil {
		return initialised{}, err
	}
	files, err := blueprint.Render(name, values)
	if err != nil {
		return initialised{}, err
	}
	if err := blueprint.Write(abs, files); err != nil {
		return initialised{}, err
	}
	done := initialised{Blueprint: name, Dir: abs}
	for _, f := range files {
		done.Files = append(done.Files, f.Path)
	}
	for _, b := range all {
		if b.Name == name {
			done.Next = nextSteps(abs, b.First)
		}
	}
	return done, nil
}

// nextSteps says how the files in dir become a repository that is planned;
// first is the one to change then.
func nextSteps(dir, first string) []string {
	commit := `git add -A && git commit -m "Begin"`
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err != nil {
		commit = "git init -b main && " + commit
	}
	return []string{
		"Read the README, then in that folder: " + commit,
		"Push it to a repository on GitHub, and install your server's GitHub App on that repository.",
		"Protect the branch: require a review of code owners and the check tidelock/plan.",
		"On a branch change " + first + " and open a pull request: the plan comes as a comment.",
	}
}

func (i initialised) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Wrote %d files of the blueprint %s to %s:\n", len(i.Files), i.Blueprint, i.Dir)
	for _, f := range i.Files {
		fmt.Fprintf(&b, "  %s\n", f)
	}
	b.WriteString("\nNext:\n")
	for n, step := range i.Next {
		fmt.Fprintf(&b, "  %d. %s\n", n+1, step)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
