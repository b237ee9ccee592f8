package main

import (
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/policyset"
)

// policyFlags are what the commands that judge have in common: the policies of
// a server's configuration, and what is changed of them for this once.
type policyFlags struct {
	packs    []string
	levels   []string
	settings []string
	own      bool // only the packs given, no bundled rule
}

func (f *policyFlags) add(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringArrayVar(&f.packs, "pack", nil, "folder of further policies, or one .rego file; may be given again")
	s.StringArrayVar(&f.levels, "level", nil, "RULE=LEVEL for this once, as security.aws=off; may be given again")
	s.StringArrayVar(&f.settings, "set", nil, "PACK.NAME=VALUE for this once, as tagging.required=owner,team; may be given again")
	s.BoolVar(&f.own, "without-bundled", false, "ask only the packs given, and none of the bundled rules")
	complete(cmd, "pack", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	})
	complete(cmd, "level", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return prefixesOfRules("="), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
	complete(cmd, "set", cobra.NoFileCompletions)
}

// complete registers how a flag is completed.
func complete(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // the flag stands a few lines above
	}
}

// prefixesOfRules are the bundled rules and what their IDs begin with.
func prefixesOfRules(suffix string) []string {
	e, err := policy.New(policy.Options{})
	if err != nil {
		return nil
	}
	all := map[string]bool{}
	for _, r := range e.Rules() {
		for i, c := range r.ID + "." {
			if c == '.' {
				all[r.ID[:i]+suffix] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// judges says what judges a project by the configuration and the flags.
type judges struct {
	sets  *policyset.Sets
	given policyset.RepoPolicy
	over  policy.Overrides
	own   bool
}

func (f policyFlags) judges(cfg config.Config) (*judges, error) {
	sets, err := parts.Policies(cfg)
	if err != nil {
		return nil, err
	}
	j := &judges{sets: sets, own: f.own, over: policy.Overrides{Levels: map[string]policy.Level{}, Settings: policy.Settings{}}}
	if j.given.Packs, err = packsOfPaths(f.packs); err != nil {
		return nil, err
	}
	for _, text := range f.levels {
		rule, level, ok := strings.Cut(text, "=")
		if !ok {
			return nil, errs.New(errs.Invalid, "--level is RULE=LEVEL, as in --level security.aws=advisory, not %q.", text)
		}
		j.over.Levels[rule] = policy.Level(level)
	}
	for _, text := range f.settings {
		name, value, ok := strings.Cut(text, "=")
		dot := strings.LastIndexByte(name, '.')
		if !ok || dot < 1 {
			return nil, errs.New(errs.Invalid, "--set is PACK.NAME=VALUE, as in --set tagging.required=owner,team, not %q.", text)
		}
		pack, setting := name[:dot], name[dot+1:]
		if j.over.Settings[pack] == nil {
			j.over.Settings[pack] = map[string]any{}
		}
		j.over.Settings[pack][setting] = value // made what the setting is by typed
	}
	return j, nil
}

// packOfPath reads a folder, or a file as a folder of that one.
func packOfPath(path string) (policy.Pack, error) {
	info, err := os.Stat(path)
	if err != nil {
		return policy.Pack{}, errs.Wrap(errs.NotFound, err, "There are no policies at %s: name a folder with .rego files, or one such file.", path)
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return policy.Pack{}, err
	}
	if info.IsDir() {
		name := filepath.Base(whole)
		if _, err := policy.New(policy.Options{Packs: []policy.Pack{{Name: name, FS: onlyRule}}}); err != nil {
			name = "given-" + strings.TrimLeft(name, "./") // the name of a bundled pack, or of the disk's root
		}
		return policy.Pack{Name: name, FS: os.DirFS(path)}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return policy.Pack{}, errs.Wrap(errs.Invalid, err, "%s can't be read.", path)
	}
	if !strings.HasSuffix(path, ".rego") {
		return policy.Pack{}, errs.New(errs.Invalid, "%s is no file of policies: those end in .rego.", path)
	}
	return policy.Pack{Name: "given", FS: fstest.MapFS{filepath.Base(path): {Data: text, Mode: fs.FileMode(0o600)}}}, nil
}

// onlyRule is a pack that holds a rule and no more, to try a name with.
var onlyRule = fstest.MapFS{"p.rego": {Data: []byte("package main\n\ndeny contains \"a\" if false\n")}}

// of returns what judges the target, with the flags' wishes over it.
func (j *judges) of(ctx context.Context, t policyset.Target) (policyset.Judging, error) {
	judging, err := j.sets.For(ctx, t, j.given)
	if err != nil {
		return judging, err
	}
	over := policy.Overrides{Levels: map[string]policy.Level{}, Settings: policy.Settings{}}
	maps.Copy(over.Levels, judging.Overrides.Levels)
	if j.own {
		for _, r := range judging.Engine.Rules() {
			if r.Pack == "" {
				over.Levels[r.ID] = policy.Off
			}
		}
	}
	maps.Copy(over.Levels, j.over.Levels)
	for _, r := range judging.Engine.Rules() { // what judges speaks of each rule by its whole name
		if level, ok := policyset.LevelIn(j.over.Levels, r); ok {
			over.Levels[r.Key()] = level
		}
	}
	for pack, values := range judging.Overrides.Settings {
		over.Settings[pack] = maps.Clone(values)
	}
	defaults := judging.Engine.Settings()
	for pack, values := range j.over.Settings {
		if over.Settings[pack] == nil {
			over.Settings[pack] = map[string]any{}
		}
		for name, value := range values {
			over.Settings[pack][name] = typed(value.(string), defaults[pack][name])
		}
	}
	judging.Overrides = over
	return judging, judging.Engine.Check(over)
}

// judge asks what judges the project about its plan.
func (j *judges) judge(ctx context.Context, t policyset.Target, in policy.Input) (policy.Report, policyset.Judging, error) {
	judging, err := j.of(ctx, t)
	if err != nil {
		return policy.Unjudged(err), judging, err
	}
	if in.Project.Environment == "" {
		in.Project.Environment = judging.Environment
	}
	in.Overrides = judging.Overrides
	report, err := judging.Engine.Judge(ctx, in)
	report.Owners = judging.Owners
	return report, judging, err
}

// typed makes of a flag's text what the setting's default is: a list of what
// stands between commas, a number, true or false, or the text itself. What it
// can't make so is left for the engine to refuse.
func typed(text string, standard any) any {
	switch standard := standard.(type) {
	case []any:
		var like any = ""
		if len(standard) > 0 {
			like = standard[0]
		}
		out := []any{}
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, typed(part, like))
			}
		}
		return out
	case string:
		return text
	}
	var v any
	if json.Unmarshal([]byte(text), &v) == nil {
		return v
	}
	return text
}
