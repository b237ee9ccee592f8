package tfplan

import (
	"strings"
)

// lineDiff shows in which lines two texts differ, with the lines around each;
// "" where they are the same. It goes object by object, where both have the
// same number of them.
func lineDiff(want, got string) string {
	w, g := strings.Split(want, "\n  # "), strings.Split(got, "\n  # ")
	if len(w) != len(g) {
		w, g = []string{want}, []string{got}
	}
	var b strings.Builder
	for i := range w {
		if w[i] == g[i] {
			continue
		}
		heading, _, _ := strings.Cut(w[i], "\n")
		b.WriteString("  # " + heading + "\n")
		edits := compare(anys(strings.Split(w[i], "\n")), anys(strings.Split(g[i], "\n")), func(a, b any) bool { return a == b })
		near := map[int]bool{}
		for k, e := range edits {
			if e.before < 0 || e.after < 0 {
				for n := k - 4; n <= k+4; n++ {
					near[n] = true
				}
			}
		}
		for k, e := range edits {
			mark := "  "
			switch {
			case e.after < 0:
				mark = "T "
			case e.before < 0:
				mark = "W "
			}
			if near[k] {
				b.WriteString(mark + e.line + "\n")
			} else if near[k-1] {
				b.WriteString("  ⋮\n")
			}
		}
	}
	return b.String()
}
