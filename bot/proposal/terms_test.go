package proposal_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/planner"
)

// The usage files of project and repository go over what the server says. One
// that is wrong is left out, and a note says where it is wrong.
func TestCostOptions(t *testing.T) {
	server, err := cost.ReadUsage("server.yml", []byte("version: 0.1\nresource_type_default_usage:\n  aws_sqs_queue: {monthly_requests: 1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	d := proposal.Reader{Terms: prices.NewTerms(prices.Settings{Hours: 700, Usage: server}, nil, nil)}
	good := "version: 0.1\nresource_usage:\n  aws_sqs_queue.q: {monthly_requests: 2}\n"
	options := func(files map[string]string, p planner.Project) (cost.Options, error) {
		t.Helper()
		tree := fstest.MapFS{}
		for name, text := range files {
			tree[name] = &fstest.MapFile{Data: []byte(text)}
		}
		p.Usage = planner.UsageFiles(tree, p)
		return d.CostOptions(t.Context(), proposal.Facts{Files: func(ctx context.Context, patterns []string) (map[string]string, error) {
			return proposal.ReadFiles(ctx, tree, patterns)
		}}, p)
	}
	none, err := options(nil, planner.Project{Dir: "app"})
	if err != nil || none.HoursPerMonth != 700 || none.Usage == nil {
		t.Fatalf("%+v, %v", none, err)
	}
	seen := map[string]string{none.Told(): "none"}
	for name, files := range map[string]map[string]string{
		"root":    {"infracost-usage.yml": good},
		"project": {"app[1]/infracost-usage.yml": good},
		"both":    {"infracost-usage.yml": good, "app[1]/infracost-usage.yml": good + "  aws_sqs_queue.r: {monthly_requests: 2}\n"},
	} {
		o, err := options(files, planner.Project{Dir: "app[1]"})
		if err != nil || len(o.Notes) != 0 {
			t.Errorf("%s: %q, %v", name, o.Notes, err)
		}
		if seen[o.Told()] == "none" {
			t.Errorf("%s is told as %s", name, seen[o.Told()])
		}
	}
	bad, err := options(map[string]string{"infracost-usage.yml": good, "app/infracost-usage.yml": "version: 0.1\nresource_usage:\n  aws_sqs_queue.q: {monthly_requests: many}\n"}, planner.Project{Dir: "app"})
	if err != nil || len(bad.Notes) != 1 || !strings.Contains(bad.Notes[0], "without app/infracost-usage.yml: app/infracost-usage.yml:3: ") {
		t.Errorf("%q, %v", bad.Notes, err)
	}
	root, _ := options(map[string]string{"infracost-usage.yml": good}, planner.Project{Dir: "app"})
	if bad.Usage.Digest() != root.Usage.Digest() {
		t.Error("the file that is right is left out with the other")
	}
	large, err := options(map[string]string{"infracost-usage.yml": strings.Repeat("#", 5<<20)}, planner.Project{Dir: "app"})
	if err != nil || len(large.Notes) != 1 || !strings.Contains(large.Notes[0], "too large: infracost-usage.yml") {
		t.Errorf("%q, %v", large.Notes, err)
	}
	later := proposal.Facts{Files: func(context.Context, []string) (map[string]string, error) { return nil, errors.New("the disk sleeps") }}
	if _, err := d.CostOptions(t.Context(), later, planner.Project{Dir: ".", Usage: []string{"infracost-usage.yml"}}); err == nil || errs.Is(err, errs.Invalid) {
		t.Errorf("what can be read later is taken for nothing: %v", err)
	}
}

// TestThreat_ChangeThatSaysItsOwnUsageIsTold: a pull request that edits the
// usage file can make itself cheaper by it, so its readers are told.
func TestThreat_ChangeThatSaysItsOwnUsageIsTold(t *testing.T) {
	tree := fstest.MapFS{"infracost-usage.yml": &fstest.MapFile{Data: []byte("version: 0.1\nresource_type_default_usage:\n  aws_instance: {monthly_hrs: 0}\n")}}
	for path, told := range map[string]bool{"infracost-usage.yml": true, "main.tf": false} {
		facts := proposal.Facts{
			Files: func(ctx context.Context, patterns []string) (map[string]string, error) {
				return proposal.ReadFiles(ctx, tree, patterns)
			},
			Changed: func(context.Context) ([]string, error) { return []string{path}, nil },
		}
		note, err := proposal.OwnUsage(t.Context(), facts, planner.Project{Dir: ".", Usage: []string{"infracost-usage.yml"}})
		if err != nil || strings.Contains(note, "edits infracost-usage.yml") != told {
			t.Errorf("%s: %q, %v", path, note, err)
		}
	}
}
