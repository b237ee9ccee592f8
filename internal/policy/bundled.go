package policy

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
)

// bundledSet is the bundled packs. They are the same for every engine of the
// process.
type bundledSet struct {
	whole    source
	units    []*unit // first what concerns every plan, then each cloud's
	defaults Settings
	settings []Setting
}

// bundledUnits compiles the bundled packs, once for the process. Most of their
// rules are about one cloud: those are read, for what people read of them, and
// compiled when the first plan comes that holds something of that cloud's. A
// plan of one cloud does not wait for the others', nor does a program that only
// starts.
var bundledUnits = sync.OnceValues(compileBundled)

// clouds are the folders whose rules are about one cloud's resources, with how
// the types of these begin.
var clouds = []struct {
	folder string
	begins []string
}{
	{"security/aws/", []string{"aws_", "awscc_"}},
	{"security/azure/", []string{"azurerm_", "azuread_", "azapi_"}},
	{"security/google/", []string{"google_"}},
}

func compileBundled() (*bundledSet, error) {
	whole, err := new(reader).read(bundledPack)
	if err != nil {
		return nil, err
	}
	b := &bundledSet{whole: whole}
	core := whole
	core.modules = maps.Clone(whole.modules)
	for _, cloud := range clouds {
		of := whole
		of.modules = map[string]*ast.Module{}
		for file, m := range whole.modules {
			if strings.HasPrefix(file, cloud.folder) {
				of.modules[file] = m
				delete(core.modules, file)
			}
		}
		u, problems := later(of, whole.modules, cloud.begins)
		if len(problems) > 0 {
			return nil, unfit(problems)
		}
		b.units = append(b.units, u)
	}
	u, problems := compile(core, core.modules)
	if problems = append(whole.problems, problems...); len(problems) > 0 {
		return nil, unfit(problems)
	}
	if b.defaults, err = defaultsOf(context.Background(), u.compiler); err != nil {
		return nil, err
	}
	b.settings, problems = settingsOf(u.compiler, b.defaults)
	u.problems = append(u.problems, problems...)
	b.units = slices.Insert(b.units, 0, u)
	return b, nil
}

// later makes a unit of modules that are compiled when they are first asked.
// What its rules need of a plan is read from them as they are written.
func later(s source, all map[string]*ast.Module, begins []string) (*unit, []Problem) {
	annotations, wrong := ast.BuildAnnotationSet(slices.Collect(maps.Values(s.modules)))
	if len(wrong) > 0 {
		return nil, problemsOf(wrong)
	}
	modules := maps.Clone(s.modules)
	maps.Copy(modules, used(modules, all))
	u := &unit{source: s, pack: s.Name, begins: begins, needs: needsOf(modules)}
	u.rules, u.problems = rulesOf(s, modules, annotations)
	u.later = sync.OnceValues(func() (*unit, error) {
		compiled, problems := compile(s, modules)
		if len(problems) > 0 {
			return nil, unfit(problems)
		}
		return compiled, nil
	})
	return u, nil
}
