package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/atlantis"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner"
)

// converted is the answer of `tidelock convert --json`.
type converted struct {
	From     string            `json:"from"`
	To       string            `json:"to"`      // "" where nothing was to be written
	Written  bool              `json:"written"` // whether it was
	Projects int               `json:"projects"`
	Notes    []planner.Problem `json:"notes"` // what is not carried over
	HCL      string            `json:"hcl"`
}

// convertOptions are the flags of `tidelock convert`.
type convertOptions struct {
	output               string
	check, force, strict bool
	asJSON               bool
}

// newConvertCommand returns `tidelock convert`.
func newConvertCommand(p *program) *cobra.Command {
	var o convertOptions
	cmd := &cobra.Command{
		Use:   "convert [FILE]",
		Short: "Write the tidelock.hcl that says what an atlantis.yaml says",
		Long: "Reads FILE, atlantis.yaml where none is named, and writes tidelock.hcl beside it. What can't be carried over is\n" +
			"listed with its line, the reason and what to do instead, here and at the head of the new file. A file that is\n" +
			"there already is kept unless --force is given. A repository with an atlantis.yaml also works without this: the\n" +
			"file is read as it is while there is no tidelock.hcl.",
		Example: "  tidelock convert\n" +
			"  tidelock convert --check --strict       would anything be lost?\n" +
			"  tidelock convert infra/atlantis.yaml -o -",
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return []string{"yaml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(_ *cobra.Command, args []string) error {
			from := atlantis.File
			if len(args) == 1 {
				from = args[0]
			}
			return p.convert(from, o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.output, "output", "o", "", "file to write, - for standard output; else tidelock.hcl beside FILE")
	f.BoolVar(&o.check, "check", false, "write nothing; only tell what would not be carried over")
	f.BoolVar(&o.force, "force", false, "replace the file that is there")
	f.BoolVar(&o.strict, "strict", false, "fail where something is not carried over")
	f.BoolVar(&o.asJSON, "json", false, "print the answer as JSON, the new file's text included")
	if err := cmd.MarkFlagFilename("output", "hcl"); err != nil {
		panic(err) // the flag stands a few lines above
	}
	return cmd
}

func (p *program) convert(from string, o convertOptions) error {
	src, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return errs.New(errs.NotFound, "There is no file %s. Name the atlantis.yaml that is to be converted.", from)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", from, err)
	}
	cfg, notes, err := atlantis.Read(src, from)
	if err != nil {
		return err
	}
	dir := filepath.Dir(from)
	if root, err := os.OpenRoot(dir); err == nil {
		cfg = atlantis.EnvFiles(root.FS(), cfg)
		root.Close()
	}
	cfg.File = filepath.Base(from)
	text := atlantis.Convert(cfg, notes)
	to := o.output
	if to == "" {
		to = filepath.Join(dir, planner.ConfigFile)
	}
	if _, err := planner.ParseConfig(text, planner.ConfigFile); err != nil {
		return errs.Wrap(errs.Invalid, err, "What %s says can't be said in one %s. Nothing was written.", from, planner.ConfigFile)
	}
	done := converted{From: from, Projects: len(cfg.Projects), Notes: notes, HCL: string(text)}
	if done.Notes == nil {
		done.Notes = []planner.Problem{}
	}
	switch {
	case o.check:
	case to == "-":
		if !o.asJSON {
			if _, err := p.stdout.Write(text); err != nil {
				return err
			}
		}
	default:
		if err := writeFresh(to, text, o.force); err != nil {
			return err
		}
		done.To, done.Written = to, true
	}
	if o.asJSON {
		if err := writeJSON(p.stdout, done); err != nil {
			return err
		}
	} else {
		p.tellConverted(done)
	}
	if o.strict && len(notes) > 0 {
		return told(errs.New(errs.Invalid, "%d things are not carried over.", len(notes)))
	}
	return nil
}

// tellConverted writes to standard error, so that the file itself can go to
// standard output.
func (p *program) tellConverted(done converted) {
	for _, n := range done.Notes {
		fmt.Fprintf(p.stderr, "not carried over: %s\n", n)
	}
	if done.Written {
		fmt.Fprintf(p.stderr, "Wrote %s with %s. Check it with: tidelock validate %s\n", done.To, counted(done.Projects, "project"), filepath.Dir(done.To))
	} else if len(done.Notes) == 0 {
		fmt.Fprintf(p.stderr, "All of %s can be carried over.\n", done.From)
	}
}

// counted returns "1 project", "2 projects".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// writeFresh writes a file that must not be there yet unless force is set.
func writeFresh(name string, text []byte, force bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(name, flags, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return errs.New(errs.Conflict, "%s is there already, and nothing was written. Give another name with -o, or replace it with --force.", name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = f.Write(text)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
