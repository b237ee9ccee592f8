package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/atlantis"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/planner"
)

// validated is the answer of `tidelock validate --json`.
type validated struct {
	OK       bool               `json:"ok"`
	File     string             `json:"file"`     // the configuration, "" where there is none
	Problems []planner.Problem  `json:"problems"` // what keeps something from being planned
	Notes    []planner.Problem  `json:"notes"`    // what is said and does nothing
	Projects []validatedProject `json:"projects"`
}

// validatedProject is a project with the layer in which it is planned.
type validatedProject struct {
	Name      string   `json:"name"`
	Dir       string   `json:"dir"`
	Workspace string   `json:"workspace"`
	Layer     int      `json:"layer"` // 0 is planned at once, others after what they depend on is applied
	Order     int      `json:"order"`
	DependsOn []string `json:"depends_on"`
	ByHand    bool     `json:"by_hand"`
	Backend   string   `json:"backend"` // "" where the state is Tidelock's to keep
}

// newValidateCommand returns `tidelock validate`.
func newValidateCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "validate [DIR]",
		Short: "Check a repository's tidelock.hcl or atlantis.yaml and list its projects",
		Long: "Reads the repository's configuration in DIR, the working directory where none is named, as it would be read from\n" +
			"a base branch, finds the projects, and reports all that is wrong: in the configuration, and in the code as far as\n" +
			"it decides what is a project. Then it lists the projects with the layers in which they are planned. Terraform is\n" +
			"not run, and nothing is asked over the network.",
		Example:           "  tidelock validate\n  tidelock validate infra --json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFolder,
		RunE: func(_ *cobra.Command, args []string) error {
			dir := folderOf(args)
			v, err := validate(dir)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(p.stdout, v)
			} else {
				err = v.write(p.stdout, p.stderr)
			}
			if err == nil && !v.OK {
				err = told(errs.New(errs.Invalid, "%s.", counted(len(v.Problems), "problem")))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as JSON")
	return cmd
}

// validate looks at the work tree in dir.
func validate(dir string) (validated, error) {
	v := validated{Problems: []planner.Problem{}, Notes: []planner.Problem{}, Projects: []validatedProject{}}
	root, err := openFolder(dir)
	if err != nil {
		return v, err
	}
	defer root.Close()
	cfg, err := v.configuration(root.FS(), root.FS())
	if errs.Is(err, errs.Invalid) {
		for line := range strings.Lines(errs.Sentence(err)) {
			v.Problems = append(v.Problems, problemOf(strings.TrimSuffix(line, "\n")))
		}
		return v, nil
	}
	if err != nil {
		return v, err
	}
	projects, problems, err := planner.Discover(root.FS(), cfg)
	if err != nil {
		return v, err
	}
	v.Problems = append(v.Problems, problems...)
	v.Problems = append(v.Problems, planner.MissingVarFiles(root.FS(), cfg, projects)...)
	for _, p := range projects {
		refused, err := planner.Forbidden(root.FS(), p.Dir) // what no run begins with, such as modules in a circle
		if err != nil {
			return v, err
		}
		for _, r := range refused {
			if !slices.Contains(v.Problems, r) {
				v.Problems = append(v.Problems, r)
			}
		}
	}
	if cfg.Template != "" {
		if err := comment.CheckTemplate(cfg.Template); err != nil {
			v.Problems = append(v.Problems, planner.Problem{Path: v.File, Line: cfg.TemplateLine, Message: errs.Sentence(err)})
		}
	}
	layers, err := planner.Layers(projects)
	if err != nil {
		return v, err
	}
	for _, p := range projects {
		if !p.Missing {
			v.Projects = append(v.Projects, validatedProject{
				Name: p.Name, Dir: p.Dir, Workspace: p.Workspace, Layer: layers[p.Key()], Order: p.Order,
				DependsOn: append([]string{}, p.DependsOn...), ByHand: p.ByHand, Backend: p.Backend,
			})
		}
	}
	slices.SortStableFunc(v.Projects, func(a, b validatedProject) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Order, b.Order))
	})
	v.OK = len(v.Problems) == 0
	return v, nil
}

// configuration reads tidelock.hcl, else atlantis.yaml, out of fsys. tree is
// where the code is: beside a pull request's base, its head.
func (v *validated) configuration(fsys, tree fs.FS) (planner.RepoConfig, error) {
	ours, oursErr := fs.ReadFile(fsys, planner.ConfigFile)
	theirs, theirsErr := fs.ReadFile(fsys, atlantis.File)
	for _, err := range []error{oursErr, theirsErr} {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return planner.RepoConfig{}, fmt.Errorf("read the configuration: %w", err)
		}
	}
	switch {
	case oursErr == nil:
		v.File = planner.ConfigFile
		if theirsErr == nil {
			v.Notes = append(v.Notes, planner.Problem{Path: atlantis.File, Message: "The file is not read, since there is a " + planner.ConfigFile + "."})
		}
		return planner.ParseConfig(ours, planner.ConfigFile)
	case theirsErr == nil:
		v.File = atlantis.File
		cfg, notes, err := atlantis.Read(theirs, atlantis.File)
		v.Notes = append(v.Notes, notes...)
		return atlantis.EnvFiles(tree, cfg), err
	}
	return planner.DefaultRepoConfig(), nil
}

// problemOf takes "path:line: message" apart again, as far as it is that.
func problemOf(line string) planner.Problem {
	path, rest, ok := strings.Cut(line, ":")
	var p planner.Problem
	if at, message, is := strings.Cut(rest, ": "); ok && is {
		if _, err := fmt.Sscanf(at, "%d", &p.Line); err == nil {
			p.Path, p.Message = path, message
			return p
		}
	}
	return planner.Problem{Path: path, Message: strings.TrimSpace(rest)}
}

// write tells the problems and notes on standard error and the projects on
// standard output.
func (v validated) write(stdout, stderr io.Writer) error {
	for _, n := range v.Notes {
		fmt.Fprintf(stderr, "note: %s\n", terminal.Clean(n.String()))
	}
	for _, p := range v.Problems {
		fmt.Fprintf(stderr, "%s\n", terminal.Clean(p.String()))
	}
	if len(v.Problems) > 0 {
		fmt.Fprintf(stderr, "%s.\n", counted(len(v.Problems), "problem"))
	}
	if len(v.Projects) == 0 {
		if v.OK {
			fmt.Fprintln(stdout, "There is no project: no directory has Terraform code with a state of its own.")
		}
		return nil
	}
	by := v.File
	if by == "" {
		by = "no configuration file"
	}
	fmt.Fprintf(stdout, "%s, by %s:\n", counted(len(v.Projects), "project"), by)
	t := newTable("LAYER", "ORDER", "PROJECT", "DIRECTORY", "WORKSPACE", "STATE", "AFTER")
	for _, p := range v.Projects {
		after := strings.Join(p.DependsOn, ", ")
		if p.ByHand {
			after = strings.TrimPrefix(after+"; planned by command only", "; ")
		}
		t.row(p.Layer, p.Order, p.Name, p.Dir, p.Workspace, cmp.Or(p.Backend, "kept by Tidelock"), after)
	}
	return t.write(stdout)
}
