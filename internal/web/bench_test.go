package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// BenchmarkPages asks for the list of 50 changes with 20 planned projects
// each, and for one of them, whose plans have 64 KB of text together.
func BenchmarkPages(b *testing.B) {
	w := local(b)
	var last run.Change
	diff := strings.Repeat(sampleDiff+"\n\n", 7)
	for i := range 50 {
		last = w.open(w.repo, i+1, fmt.Sprintf("Change %d", i), "head")
		names := make([]string, 20)
		for n := range names {
			names[n] = fmt.Sprintf("env/%d/%d", i, n)
		}
		for _, r := range w.plans(last, names...) {
			w.planned(r, func(r *run.Run) {
				r.Summary, r.Diff, r.Report, r.Estimate = tfplan.Summary{Create: 3}, diff, failing(), estimate()
			})
		}
	}
	for name, path := range map[string]string{"list": "/", "change": "/changes/" + last.ID, "history": "/history", "audit": "/audit"} {
		b.Run(name, func(b *testing.B) {
			size := 0
			for b.Loop() {
				size = len(w.text(path))
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
