package proposal

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/planner"
)

// place says of each advice where the resource is declared, and whether the
// change touches a line of that block: whether it reads otherwise than at the
// base, in a file that differs from it. Nobody is to be told in a review of
// what its change is not about.
func (e Evidence) place(p planner.Project, at *planner.Locator, advice []cost.Advice) {
	if len(advice) == 0 {
		return
	}
	var before *planner.Locator
	for i := range advice {
		a := &advice[i]
		here := at.Find(a.Address)
		if here.File == "" {
			continue
		}
		a.File, a.Line = here.File, here.Line
		if e.Base == nil || e.Changed != nil && !slices.Contains(e.Changed, here.File) {
			continue
		}
		if before == nil {
			before = planner.NewLocator(e.Base, p)
		}
		now, ok := block(e.Tree, here)
		was, there := block(e.Base, before.Find(a.Address))
		a.Touched = ok && (!there || now != was)
	}
}

// block returns the lines of a place.
func block(tree fs.FS, at planner.Place) (string, bool) {
	if at.File == "" {
		return "", false
	}
	text, err := fs.ReadFile(tree, at.File)
	if err != nil {
		return "", false
	}
	lines := strings.Split(string(text), "\n")
	if at.Line < 1 || at.EndLine > len(lines) || at.EndLine < at.Line {
		return "", false
	}
	return strings.Join(lines[at.Line-1:at.EndLine], "\n"), true
}
