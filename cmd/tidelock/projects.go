package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/planner"
)

// listed is the answer of `tidelock projects --json`.
type listed struct {
	File     string              `json:"file"`     // the configuration, "" where there is none
	Changed  []string            `json:"changed"`  // the paths of the change; null where none was given
	Projects []listedProject     `json:"projects"` // by layer, order and directory
	Calls    map[string][]string `json:"calls"`    // directory → the directories of the modules that its code calls
	Problems []planner.Problem   `json:"problems"`
}

// listedProject is a project, with the layer in which it is planned, and why a
// change concerns it.
type listedProject struct {
	planner.Project
	Layer    int    `json:"layer"`
	Affected bool   `json:"affected"`
	Reason   string `json:"reason,omitempty"` // "live/main.tf changed"
	// RunsWith is which tool the server would take, where that was asked.
	RunsWith *toolFound `json:"runs_with,omitempty"`
}

// newProjectsCommand returns `tidelock projects`.
func newProjectsCommand(p *program) *cobra.Command {
	var base, head string
	var changed []string
	var asJSON, asDot, tools bool
	cmd := &cobra.Command{
		Use:   "projects [DIR]",
		Short: "Show a repository's projects, their modules, and why a change concerns them",
		Long: "Finds the projects in DIR, the root of a repository (the working directory where none is named), and shows the\n" +
			"layers in which they are planned and the local modules that they call. Told of a change, by two commits or by\n" +
			"paths, it says which projects would be planned, and why each.\n\n" +
			"With --base the commits are read, not the files in DIR: --head, and what changed in it since it left --base. As on\n" +
			"a pull request the configuration is the one at --base. Terraform is not run, and nothing is asked over the network.\n\n" +
			"With --tools it says which Terraform or OpenTofu each project would be run with on this machine, as the server's\n" +
			"configuration has it, and why. For that each binary is asked for its version.",
		Example: "  tidelock projects\n" +
			"  tidelock projects --base origin/main                       what would my branch plan, and why?\n" +
			"  tidelock projects --changed modules/vpc/main.tf            who uses this file?\n" +
			"  tidelock projects --tools                                  which version runs each project, and why?\n" +
			"  tidelock projects --dot | dot -Tsvg > projects.svg         the graph as a picture\n" +
			"  tidelock projects --base v1 --head v2 --json | jq -r '.projects[] | select(.affected).dir'",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := folderOf(args)
			if cmd.Flags().Changed("head") && base == "" {
				return errs.New(errs.Invalid, "--head names a change to something: give --base too, as in --base origin/main.")
			}
			l, err := list(cmd.Context(), dir, base, head, changed)
			if err != nil {
				return err
			}
			if tools {
				if err := p.findTools(cmd.Context(), l.Projects); err != nil {
					return err
				}
			}
			switch {
			case asJSON:
				return writeJSON(p.stdout, l)
			case asDot:
				return l.writeDot(p.stdout)
			}
			return l.write(p.stdout, p.stderr)
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "branch, tag or commit that the change is to be merged into")
	cmd.Flags().StringVar(&head, "head", "HEAD", "branch, tag or commit of the change, beside --base")
	cmd.Flags().StringArrayVar(&changed, "changed", nil, "a changed file, relative to the repository's root; may be given again")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as JSON")
	cmd.Flags().BoolVar(&asDot, "dot", false, "print the graph for Graphviz")
	cmd.Flags().BoolVar(&tools, "tools", false, "say which Terraform or OpenTofu runs each project, and why")
	cmd.MarkFlagsMutuallyExclusive("json", "dot")
	cmd.MarkFlagsMutuallyExclusive("tools", "dot")
	cmd.MarkFlagsMutuallyExclusive("base", "changed")
	cmd.MarkFlagsMutuallyExclusive("head", "changed")
	return cmd
}

// list looks at the work tree in dir, or at a commit of its repository.
func list(ctx context.Context, dir, base, head string, changed []string) (listed, error) {
	if base != "" {
		return listCommit(ctx, dir, base, head)
	}
	root, err := openFolder(dir)
	if err != nil {
		return listed{}, err
	}
	defer root.Close()
	for i, file := range changed {
		if changed[i] = path.Clean(filepath.ToSlash(file)); !fs.ValidPath(changed[i]) {
			return listed{}, errs.New(errs.Invalid, "%q is not a path relative to the repository's root.", file)
		}
	}
	return listTree(root.FS(), root.FS(), changed)
}

// listCommit looks at the commit head as a change to base.
func listCommit(ctx context.Context, dir, base, head string) (listed, error) {
	repo, err := checkout.OpenLocal(ctx, dir, checkout.Options{})
	if err != nil {
		return listed{}, err
	}
	var shas []string
	for _, rev := range []string{base, head} {
		sha, err := checkout.Resolve(ctx, dir, rev)
		if err != nil {
			return listed{}, err
		}
		shas = append(shas, sha)
	}
	changed, err := repo.Changed(ctx, shas[0], shas[1])
	if err != nil {
		return listed{}, err
	}
	before, err := repo.TreeFS(ctx, shas[0])
	if err != nil {
		return listed{}, err
	}
	defer before.Close()
	after, err := repo.TreeFS(ctx, shas[1])
	if err != nil {
		return listed{}, err
	}
	defer after.Close()
	return listTree(before, after, append([]string{}, changed...))
}

// listTree finds the projects in the tree, by the configuration of another one.
func listTree(config, tree fs.FS, changed []string) (listed, error) {
	var v validated
	cfg, err := v.configuration(config, tree)
	if err != nil {
		return listed{}, err
	}
	found, err := planner.Survey(tree, cfg)
	if err != nil {
		return listed{}, err
	}
	layers, err := planner.Layers(found.Projects)
	if err != nil {
		return listed{}, err
	}
	l := listed{File: v.File, Changed: changed, Projects: []listedProject{}, Calls: found.Calls, Problems: append([]planner.Problem{}, found.Problems...)}
	reasons := map[string]string{}
	for _, t := range planner.Affected(found.Projects, changed) {
		reasons[t.Project.Key()] = t.Reason
	}
	for _, p := range found.Projects {
		if p.Missing {
			continue
		}
		reason, affected := reasons[p.Key()]
		l.Projects = append(l.Projects, listedProject{Project: p, Layer: layers[p.Key()], Affected: affected, Reason: reason})
	}
	slices.SortStableFunc(l.Projects, func(a, b listedProject) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Order, b.Order))
	})
	return l, nil
}

// write tells the problems on standard error, and on standard output the
// projects, what the change concerns, and who calls which module.
func (l listed) write(stdout, stderr io.Writer) error {
	for _, p := range l.Problems {
		fmt.Fprintf(stderr, "%s\n", terminal.Clean(p.String()))
	}
	if len(l.Projects) == 0 {
		_, err := fmt.Fprintln(stdout, "There is no project: no directory has Terraform code with a state of its own.")
		return err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s, by %s:\n\n", counted(len(l.Projects), "project"), cmp.Or(l.File, "no configuration file"))
	t := newTable("LAYER", "PROJECT", "DIRECTORY", "WORKSPACE", "MODULES", "AFTER")
	for _, p := range l.Projects {
		t.row(p.Layer, p.Name, p.Dir, p.Workspace, len(p.Modules), strings.Join(p.DependsOn, ", "))
	}
	_ = t.write(&out)
	l.writeTools(&out)
	if l.Changed != nil {
		l.writeAffected(&out)
	}
	if len(l.Calls) > 0 {
		fmt.Fprint(&out, "\nModules that code calls:\n\n")
		t := newTable()
		for _, dir := range slices.Sorted(maps.Keys(l.Calls)) {
			t.row(dir, "→ "+strings.Join(l.Calls[dir], ", "))
		}
		_ = t.write(&out)
	}
	_, err := io.WriteString(stdout, out.String())
	return err
}

func (l listed) writeAffected(out *strings.Builder) {
	t := newTable()
	for _, p := range l.Projects {
		if p.Affected {
			reason := p.Reason
			if p.ByHand {
				reason += "; planned by command only"
			}
			t.row(p.Name, reason)
		}
	}
	if len(t.rows) == 0 {
		fmt.Fprintf(out, "\nThe change (%s) concerns none of them.\n", counted(len(l.Changed), "path"))
		return
	}
	fmt.Fprintf(out, "\nThe change (%s) concerns %d of them:\n\n", counted(len(l.Changed), "path"), len(t.rows))
	_ = t.write(out)
}

// writeDot writes the graph for Graphviz: projects as boxes, modules as
// ellipses, dashed lines from a project to what it waits for. What a change
// concerns is filled.
func (l listed) writeDot(stdout io.Writer) error {
	quote := func(s string) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
	}
	var out strings.Builder
	out.WriteString("digraph projects {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n")
	byDir, byName := map[string][]listedProject{}, map[string]listedProject{}
	for _, p := range l.Projects {
		byDir[p.Dir] = append(byDir[p.Dir], p)
		byName[p.Name] = p
		fill := ""
		if p.Affected {
			fill = ", style=filled, fillcolor=gold, tooltip=" + quote(p.Reason)
		}
		fmt.Fprintf(&out, "  %s [shape=box, label=%s%s];\n", quote("project "+p.Key()), quote(p.Name), fill)
	}
	// A directory that is a project may be called as a module too.
	from := func(dir string) []string {
		var ids []string
		for _, p := range byDir[dir] {
			ids = append(ids, "project "+p.Key())
		}
		return ids
	}
	modules := map[string]bool{}
	for _, called := range l.Calls {
		for _, dir := range called {
			modules[dir] = true
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(modules)) {
		fmt.Fprintf(&out, "  %s [shape=ellipse, label=%s];\n", quote("module "+dir), quote(dir))
	}
	for _, dir := range slices.Sorted(maps.Keys(l.Calls)) {
		ids := from(dir)
		if modules[dir] {
			ids = append(ids, "module "+dir)
		}
		for _, id := range ids {
			for _, called := range l.Calls[dir] {
				fmt.Fprintf(&out, "  %s -> %s;\n", quote(id), quote("module "+called))
			}
		}
	}
	for _, p := range l.Projects {
		for _, name := range p.DependsOn {
			if on, ok := byName[name]; ok {
				fmt.Fprintf(&out, "  %s -> %s [style=dashed];\n", quote("project "+p.Key()), quote("project "+on.Key()))
			}
		}
	}
	out.WriteString("}\n")
	_, err := io.WriteString(stdout, out.String())
	return err
}
