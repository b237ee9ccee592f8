package main

import (
	"testing"

	"github.com/tidelock/tidelock/internal/run"
)

// The same program on the other database: layers, a pull that waits for
// another's lock, a server that is killed, a merge.
func TestWholeProgramOnPostgreSQL(t *testing.T) {
	t.Parallel()
	s := newStage(t, stageOptions{files: layered("apply_before_merge = true\n"), postgres: true})
	first := s.open("first", bothLayers("v2"))
	s.says(first, "after `net`")
	second := s.open("second", bothLayers("v3"))
	s.says(second, "waits for #1")
	first.Comment("ada", "apply")
	s.says(first, "| `app` | layer 2: after `net` | +1 |")
	s.kill()
	s.start()
	first.Comment("ada", "apply")
	s.says(first, "✅ Applied 2 projects")
	s.merge(first)
	s.says(second, "| `net` | layer 1 | ~1 |")
	second.Comment("ada", "cancel")
	second.Comment("ada", "cost")
	s.replied(second, "cost")
	if n := count(s.runs(), run.Apply); n != 2 {
		t.Errorf("%d applies", n)
	}
}
