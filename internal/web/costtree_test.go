package web

import (
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// The pages of a run and of a change show what the comment shows of the cost,
// whole; the API has the month by service and the advice.
func TestCostTreeOnPages(t *testing.T) {
	w := local(t)
	change := w.open(w.repo, 31, "A larger database", "head")
	runs := w.plans(change, "database", "queue")
	part := func(name, detail, service, price string) cost.Component {
		return cost.Component{Name: name, Detail: detail, Service: service, Quantity: dec("730"), Unit: "hour", Price: dec(price), Monthly: dec("730").Mul(dec(price))}
	}
	plan := w.planned(runs[0], func(r *run.Run) {
		e := estimate()
		e.Counts.NotPriced, e.Counts.Total = 1, 4
		db := &e.Resources[0]
		db.Components, db.Was = []cost.Component{part("Database", "db.t4g.large", "rds-postgres", "0.168")}, []cost.Component{part("Database", "db.t4g.medium", "rds-postgres", "0.084")}
		e.Resources = append(e.Resources,
			cost.ResourceCost{Address: "aws_instance.web", Type: "aws_instance", Action: tfplan.ActionNoop, Status: cost.StatusPriced, Before: amount("7.30"), After: amount("7.30"), Delta: amount("0"), Components: []cost.Component{part("Instance", "", "ec2-linux", "0.01")}},
			cost.ResourceCost{Address: "acme_thing.x", Type: "acme_thing", Action: tfplan.ActionCreate, Status: cost.StatusUnsupported, Before: amount("0"), Note: "this type of resource isn't supported"})
		e.Before, e.After = e.Before.Add(dec("7.3")), e.After.Add(dec("7.3"))
		e.Advice = []cost.Advice{{ID: "aws.database.gp3", Address: "aws_db_instance.main", Text: "Make storage_type gp3 instead of io1.", Why: "It has as many IOPS.", Saving: dec("12.5"), File: "live/db.tf", Line: 7}}
		r.Estimate, r.Diff, r.Summary = e, sampleDiff, tfplan.Summary{Update: 1}
	})
	w.planned(runs[1], func(r *run.Run) { r.Estimate, r.Diff, r.Summary = estimate(), sampleDiff, tfplan.Summary{Update: 1} })
	for _, path := range []string{"/runs/" + plan.ID, "/changes/" + change.ID} {
		doc := w.page(path)
		trees := find(doc, "table", "costtree")
		if len(trees) == 0 {
			t.Fatalf("%s has no tree", path)
		}
		if got := content(trees[0]); !strings.Contains(got, "~ aws_db_instance.main +$61.32 ($61.32 → $122.64)") ||
			!strings.Contains(got, "~ Database, db.t4g.large 730 hours × $0.168 = $122.64 before: db.t4g.medium, 730 hours × $0.084 = $61.32") || strings.Contains(got, "aws_instance.web") {
			t.Errorf("%s: the tree says %s", path, got)
		}
		text := content(doc)
		for _, want := range []string{"1 resource as before: $7.30", "acme_thing.x this type of resource isn't supported", "$12.50 a month less.", "live/db.tf:7", "RDS before ░", "2026-05-01"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q:\n%s", path, want, text)
			}
		}
	}
	var got struct {
		Cost     struct{ Services []cost.ServiceAmount }
		Estimate cost.Estimate
	}
	w.json("/api/v1/runs/"+plan.ID, &got)
	if s := got.Cost.Services; len(s) != 2 || s[0].Service != "Amazon Relational Database Service" || !s[0].Delta.Equal(dec("61.32")) || len(got.Estimate.Advice) != 1 {
		t.Errorf("%+v", got)
	}
	got.Cost.Services = nil
	w.json("/api/v1/changes/"+change.ID, &got)
	if s := got.Cost.Services; len(s) != 2 || !s[0].After.Equal(dec("245.28")) {
		t.Errorf("%+v", s)
	}
}
