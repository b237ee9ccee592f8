package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// BenchmarkSandboxPlan is a whole plan of two objects, runner process and init
// included, without a sandbox and in the default one by turns, so that both
// meet the same machine. "ratio" is what the sandbox costs.
func BenchmarkSandboxPlan(b *testing.B) {
	tool, err := toolchain.Terraform(b.Context(), toolchain.Options{})
	if err != nil {
		b.Fatal(err)
	}
	took := map[Mode]float64{}
	n := 0
	for b.Loop() {
		modes := []Mode{ModeOff, ModeAuto}
		if n%4 == 0 { // whoever comes second finds warm caches
			slices.Reverse(modes)
		}
		for _, mode := range modes {
			n++
			s := &site{dir: b.TempDir()}
			for name, content := range map[string]string{"tree/main.tf": plain, "cli.tfrc": string(tfrun.CLIConfig("", false))} {
				if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
					b.Fatal(err)
				}
				if err := os.WriteFile(s.path(name), []byte(content), 0o644); err != nil {
					b.Fatal(err)
				}
			}
			r := newRunner(s.path("runs"))
			r.opts.Sandbox = Sandbox{Mode: mode, Processes: 1000, Disk: 10 << 30, Memory: 8 << 30}
			spec := tfrun.Spec{
				RunID: fmt.Sprint("plan", n), Kind: tfrun.KindPlan, Binary: tool.Path, BinaryVersion: tool.Version, Root: s.path("tree"), Dir: ".",
				CLIConfig: s.path("cli.tfrc"), ManagedBackend: s.path("state/s.tfstate"),
			}
			began := b.Elapsed()
			if err := r.Start(b.Context(), spec); err != nil {
				b.Fatal(err)
			}
			if got, err := r.Wait(b.Context(), spec.RunID, nil); err != nil || got.Outcome != tfrun.OutcomePlanned {
				b.Fatal(got, err)
			}
			took[mode] += (b.Elapsed() - began).Seconds()
		}
	}
	b.ReportMetric(1000*took[ModeOff]/float64(b.N), "off-ms")
	b.ReportMetric(1000*took[ModeAuto]/float64(b.N), "auto-ms")
	b.ReportMetric(took[ModeAuto]/took[ModeOff], "ratio")
}
