package cost

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// terraform runs a real tool in a copy of a configuration, with the stand-in
// provider and an environment of its own.
type terraform struct {
	t    *testing.T
	bin  string
	dir  string
	home string
}

func newTerraform(t *testing.T, bin toolchain.Binary, configuration string) *terraform {
	t.Helper()
	mirror, err := toolchain.ProviderMirror(t.Context(), toolchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tf := &terraform{t: t, bin: bin.Path, dir: t.TempDir(), home: t.TempDir()}
	if err := os.CopyFS(tf.dir, os.DirFS(configuration)); err != nil {
		t.Fatal(err)
	}
	rc := "provider_installation {\n  filesystem_mirror {\n    path = \"" + filepath.ToSlash(mirror) + "\"\n  }\n}\n"
	if err := os.WriteFile(filepath.Join(tf.home, "rc"), []byte(rc), 0o600); err != nil {
		t.Fatal(err)
	}
	tf.run("init", "-input=false", "-no-color")
	return tf
}

func (tf *terraform) run(args ...string) []byte {
	tf.t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(tf.t.Context()), tf.bin, args...)
	cmd.Dir = tf.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + tf.home, "TF_CLI_CONFIG_FILE=" + filepath.Join(tf.home, "rc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		tf.t.Fatalf("%s %s: %v\n%s%s", tf.bin, strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.Bytes()
}

// plan plans, estimates, and leaves the plan to be applied.
func (tf *terraform) plan(args ...string) Estimate {
	tf.t.Helper()
	tf.run(append([]string{"plan", "-input=false", "-no-color", "-out=plan"}, args...)...)
	p, err := tfplan.ParsePlan(bytes.NewReader(tf.run("show", "-json", "plan")))
	if err != nil {
		tf.t.Fatal(err)
	}
	return estimate(tf.t, p)
}

// A real tool plans, applies and changes an estate over three clouds with the
// stand-in provider: what is estimated comes from its own JSON.
func TestRealPlan(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a real Terraform")
	}
	bins := map[string]toolchain.Binary{}
	first, err := toolchain.Terraform(t.Context(), toolchain.Options{Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	bins[first.Name] = first
	if tofu, err := toolchain.FindOpenTofu(t.Context(), toolchain.Options{}); err == nil {
		bins[tofu.Name] = tofu
	} else {
		t.Log("no OpenTofu is there: planned with", first.Name, "alone")
	}
	for name, bin := range bins {
		t.Run(name, func(t *testing.T) { realPlan(t, newTerraform(t, bin, "testdata/estate")) })
	}
}

func realPlan(t *testing.T, tf *terraform) {
	// What each resource costs and where it is found to be.
	want := map[string]string{
		"aws_instance.web":                              "70.88 us-east-1",  // 730 × 0.096 + 10 × 0.08
		"aws_ebs_volume.data[0]":                        "8 us-east-1",      // 100 × 0.08
		"aws_ebs_volume.data[1]":                        "8 us-east-1",      //
		"aws_eip.ireland":                               "3.65 eu-west-1",   // 730 × 0.005
		"aws_nat_gateway.ireland":                       "35.04 eu-west-1",  // 730 × 0.048
		`module.fleet["a"].aws_autoscaling_group.nodes`: "18.384 us-east-1", // 2 × (730 × 0.0104 + 20 × 0.08)
		`module.fleet["b"].aws_autoscaling_group.nodes`: "18.384 us-east-1",
		"module.app.aws_db_instance.main":               "313.02 eu-west-1",      // 730 × 0.394 + 100 × 0.254
		"module.app.aws_lb.main":                        "18.396 eu-west-1",      // 730 × 0.0252
		"azurerm_kubernetes_cluster.main":               "89.79 eastus",          // 730 × 0.096 + P10 19.71
		"azurerm_kubernetes_cluster_node_pool.more":     "100.156 eastus",        // 2 × (730 × 0.0416 + P10 19.71)
		"aws_ecs_service.api":                           "18.02005 us-east-1",    // 2 × 730 × (0.25 × 0.04048 + 0.5 × 0.004445)
		"azurerm_mssql_database.main":                   "456.25 eastus",         // 730 × 0.625
		"google_compute_instance_group_manager.fleet":   "76.149635 us-central1", // 2 × (730 × 0.04749975 + 20 × 0.17)
		"google_compute_address.web":                    "3.65 us-central1",      // 730 × 0.005, in use
		"google_compute_instance.web":                   "38.0748175 us-central1",
	}
	e := tf.plan()
	got := map[string]string{}
	for _, r := range e.Resources {
		if r.Status == StatusPriced {
			got[r.Address] = r.After.String() + " " + r.Region
		} else if r.Status != StatusFree && r.Status != StatusUsage {
			t.Errorf("%s: %s: %s", r.Address, r.Status, r.Note)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if e.Bound != BoundExact || e.AtLeast || !e.Before.IsZero() {
		t.Errorf("%s, at least %v, before %s", e.Bound, e.AtLeast, e.Before)
	}
	tf.run("apply", "-input=false", "-no-color", "plan")

	// Everything stands: the same sum before and after.
	still := tf.plan()
	if !still.Before.Equal(e.After) || !still.Delta.IsZero() || still.Bound != BoundExact {
		t.Errorf("unchanged: before %s, delta %s, %s; created for %s", still.Before, still.Delta, still.Bound, e.After)
	}

	// A larger machine and one volume less: + 730 × 0.096 - 8.
	changed := tf.plan("-var=size=m5.xlarge", "-var=volumes=1")
	if changed.Delta.String() != "62.08" || changed.Bound != BoundExact {
		t.Errorf("changed: %s (%s), want 62.08", changed.Delta, changed.Bound)
	}

	// Everything goes, though nothing of it is configured any more.
	gone := tf.plan("-destroy")
	if !gone.Before.Equal(e.After) || !gone.After.IsZero() || gone.Bound != BoundExact {
		t.Errorf("destroyed: before %s, after %s, %s", gone.Before, gone.After, gone.Bound)
	}
}
