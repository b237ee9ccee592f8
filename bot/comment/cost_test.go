package comment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/markdown/markdowntest"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// line is one of a resource's bill.
func line(name, detail, service, quantity, unit, price string) cost.Component {
	return cost.Component{Name: name, Detail: detail, Service: service, Quantity: dollars(quantity), Unit: unit, Price: dollars(price), Monthly: dollars(quantity).Mul(dollars(price)), AsOf: "2026-04-01"}
}

// billed is a resource with its lines, whose totals are those of the lines.
func billed(address string, action tfplan.Action, before, after []cost.Component) cost.ResourceCost {
	add := func(cs []cost.Component) *decimal.Decimal {
		var t decimal.Decimal
		for _, c := range cs {
			t = t.Add(c.Monthly)
		}
		return &t
	}
	typ, _, _ := strings.Cut(address, ".")
	r := cost.ResourceCost{Address: address, Type: typ, Action: action, Status: cost.StatusPriced, Before: add(before), After: add(after), Components: after}
	switch action {
	case tfplan.ActionDelete:
		r.Components = before
	case tfplan.ActionUpdate, tfplan.ActionReplace:
		r.Was = before
	}
	r.Delta = pointer(r.After.Sub(*r.Before))
	return r
}

// estimated makes an estimate of resources.
func estimated(resources ...cost.ResourceCost) *cost.Estimate {
	e := cost.Estimate{Currency: "USD", Hours: 730, Bound: cost.BoundExact, AsOf: "2026-04-01", AsOfFrom: "2026-04-01", AsOfTo: "2026-04-01", Resources: resources}
	for _, r := range resources {
		e.Counts.Total++
		switch r.Status {
		case cost.StatusPriced:
			e.Counts.Priced++
		case cost.StatusUsage:
			e.Counts.Usage++
		default:
			e.Counts.NotPriced++
			e.AtLeast = true
			if r.Action == tfplan.ActionCreate {
				e.Bound = cost.BoundAtLeast
			}
		}
		if r.Before != nil {
			e.Before = e.Before.Add(*r.Before)
		}
		if r.After != nil {
			e.After = e.After.Add(*r.After)
		}
	}
	e.Delta = e.After.Sub(e.Before)
	return &e
}

// shop is a project of which everything that an estimate can say is true.
func shop() run.Run {
	r := planned("live/shop")
	nat := line("NAT gateway", "", "vpc", "730", "hour", "0.045")
	data := line("Data processed", "", "vpc", "2000", "GB", "0.045")
	data.ByUse = true
	more := data
	more.Quantity, more.Monthly = dollars("3000"), dollars("135")
	spot := line("Instance", "c5.large, Linux, spot: on-demand price as ceiling", "ec2-linux", "2190", "hour", "0.085")
	spot.Assumed = []string{"Linux"}
	workers := billed("aws_autoscaling_group.workers", tfplan.ActionCreate, nil, []cost.Component{spot, line("Root volume", "gp2, 8 GB", "ebs", "24", "GB-month", "0.10")})
	workers.Assumed = []string{"Linux", "root volume of 8 GB gp2"}
	bucket := billed("aws_s3_bucket.logs", tfplan.ActionCreate, nil, nil)
	bucket.Status, bucket.Usage = cost.StatusUsage, []string{"storage", "requests"}
	broker := billed("aws_mq_broker.queue", tfplan.ActionCreate, nil, []cost.Component{line("Broker", "mq.m5.large", "mq", "730", "hour", "0.288")})
	broker.Status, broker.Delta, broker.Note = cost.StatusPartial, nil, "no price for Storage (efs) in eu-west-1"
	oracle := cost.ResourceCost{Address: "aws_db_instance.oracle", Type: "aws_db_instance", Action: tfplan.ActionCreate, Status: cost.StatusNoPrice, Before: pointer(decimal.Zero), Note: "no price for Database (db.m5.large/single-az) in eu-west-1"}
	old := cost.ResourceCost{Address: "acme_thing.old", Type: "acme_thing", Action: tfplan.ActionNoop, Status: cost.StatusUnsupported, Delta: pointer(decimal.Zero), Note: "this type of resource isn't supported"}
	db := []cost.Component{line("Database", "db.m5.large, postgres, single-az", "rds-postgres", "730", "hour", "0.178"), line("Storage", "gp2, 100 GB, single-az", "rds-storage", "100", "GB-month", "0.115")}
	larger := []cost.Component{line("Database", "db.m5.xlarge, postgres, single-az", "rds-postgres", "730", "hour", "0.356"), db[1]}
	r.Estimate = estimated(
		old, workers, oracle,
		billed("aws_db_instance.main", tfplan.ActionUpdate, db, larger),
		billed("aws_eip.gone", tfplan.ActionDelete, []cost.Component{line("Public IPv4 address", "", "vpc", "730", "hour", "0.005")}, nil),
		billed("aws_instance.still", tfplan.ActionNoop, []cost.Component{instance("t3.large", "0.0832")}, []cost.Component{instance("t3.large", "0.0832")}),
		broker,
		billed("aws_nat_gateway.main", tfplan.ActionUpdate, []cost.Component{nat, data}, []cost.Component{nat, more}),
		bucket,
	)
	e := r.Estimate
	e.ByUse = &cost.Amounts{Before: dollars("90"), After: dollars("135"), Delta: dollars("45")}
	e.UsageUnread = []string{"infracost-usage.yml:12: monthly_data_procesed_gb of aws_nat_gateway.main"}
	e.Notes = []string{"There is no rate for `EUR`: amounts are in dollars."}
	e.Advice = []cost.Advice{
		{ID: "aws.instance.generation", Address: "aws_launch_template.workers", Text: "Make instance_type c5.large instead of c4.large.", Why: "It is newer. $186.15 a month instead of $219.00.", Saving: dollars("32.85"), Touched: true},
		{ID: "aws.volume.gp3", Address: "aws_ebs_volume.elsewhere", Text: "Make type gp3 instead of gp2.", Why: "It is newer.", Saving: dollars("2"), Touched: false},
	}
	return r
}

func init() {
	scenesOfCost["cost"] = func() View { return locked(scene(only(shop()), only(planned("live/dns")))) }
}

// A change says what it costs in one line at its top, and in its table; where
// nothing costs, or nothing changes, there is no word of it.
func TestCostIsQuiet(t *testing.T) {
	free := planned("dns")
	free.Estimate = estimated()
	free.Estimate.Counts = cost.Counts{Free: 2, Total: 2}
	same := planned("tags")
	same.Estimate = estimated(billed("aws_instance.web", tfplan.ActionUpdate, []cost.Component{instance("t3.large", "0.0832")}, []cost.Component{instance("t3.large", "0.0832")}))
	same.Estimate.Resources[0].Was = nil
	for name, tt := range map[string]struct {
		v    View
		want string // in the section's title; "" for no section
	}{
		"nothing costs":         {scene(only(free)), ""},
		"nothing is planned":    {scene(only(unchanged("dns"))), ""},
		"nothing was estimated": {scene(only(failed("dns", "broken"))), ""},
		"nothing becomes other": {scene(only(same)), "<summary>Cost: no change in cost · priced 1 of 1</summary>"},
		"something costs":       {scene(only(planned("network"))), "<summary>Cost: +$30.37 a month, +100\u00a0% · priced 1 of 2; 1 free</summary>"},
	} {
		body := Render(tt.v)
		if got := strings.Contains(body, "<summary>Cost"); got != (tt.want != "") || !strings.Contains(body, tt.want) {
			t.Errorf("%s:\n%s", name, body)
		}
		if strings.Contains(body, "$") && !strings.Contains(body, "Prices as of 2026-04-01") {
			t.Errorf("%s: an amount without the prices' age:\n%s", name, body)
		}
	}
}

// Nothing that stands in a plan is more than text in what it costs: not in a
// table, not in a fence, not in a list.
func TestThreat_CostIsInert(t *testing.T) {
	for _, s := range append([]string{"```\n@acme/owners\n```", "a\n+ b", "| a | b |\n# c"}, markdowntest.Hostile...) {
		r := shop()
		e := r.Estimate
		for i := range e.Resources {
			c := &e.Resources[i]
			c.Address += s
			c.Note, c.Usage, c.Assumed = s, []string{s}, []string{s}
			for j := range c.Components {
				c.Components[j].Name += s
				c.Components[j].Detail, c.Components[j].Unit = s, c.Components[j].Unit+s
			}
		}
		for i := range e.Advice {
			a := &e.Advice[i]
			a.Address, a.Text, a.Why = s, s, s
		}
		e.Notes, e.AsOf, e.UsageUnread = []string{s}, s, []string{s}
		r.Project.Name = s
		for _, v := range []View{locked(scene(only(r))), locked(scene(only(r), only(planned(s))))} {
			for _, body := range []string{Render(v), Cost(v)} {
				body = body[strings.IndexByte(body, '\n'):]
				root := markdowntest.Page(t, body)
				if bad := markdowntest.Strangers(root, "h3 h4 p table thead tbody tr th td code pre details summary ul li strong em sub"); len(bad) > 0 {
					t.Errorf("%q: %q got into\n%s", s, bad, body)
				}
				if subs := markdowntest.All(root, "sub"); len(subs) != 1 {
					t.Errorf("%q leaves a block open:\n%s", s, body)
				}
			}
		}
	}
}

// A plan of thousands of resources gets its sums and where the rest is, and a
// change of hundreds of projects too.
func TestGitHub10_CostFits(t *testing.T) {
	large := planned("live/huge")
	var rs []cost.ResourceCost
	for i := range 4000 {
		rs = append(rs, billed(fmt.Sprintf("aws_instance.web[%d]", i), tfplan.ActionCreate, nil, []cost.Component{instance("t3.large", "0.0832")}))
	}
	large.Estimate = estimated(rs...)
	var many []run.Pair
	for i := range 300 {
		r := shop()
		r.Project.Name = fmt.Sprintf("live/p%d", i)
		many = append(many, only(r))
	}
	for name, pairs := range map[string][]run.Pair{"one large plan": {only(large)}, "many projects": many} {
		v := locked(scene(pairs...))
		v.URL = "https://tidelock.example.com/changes/1"
		for level := full; level <= barest; level++ {
			if part := costPart(v, level); len(part) > maxCostPart[level]+1000 || len(part) < 100 {
				t.Errorf("%s: %d bytes at %d", name, len(part), level)
			}
		}
		body := Render(v)
		if len(body) > maxComment || !strings.Contains(body, "Prices as of 2026-04-01") || !strings.Contains(body, v.URL) {
			t.Errorf("%s: %d bytes\n%.2000s", name, len(body), body)
		}
		reply := Cost(v)
		if len(reply) > maxComment {
			t.Errorf("%s: the reply has %d bytes", name, len(reply))
		}
		markdowntest.Page(t, reply)
	}
	if part := costPart(locked(scene(only(large))), full); !strings.Contains(part, "more resources") || !strings.Contains(part, "+$242,944.00 a month") {
		t.Errorf("%.3000s", part)
	}
}

// Where the estimator failed there is no figure: neither nothing nor a bound
// of nothing, and the reason stands there.
func TestCostOfAFailedEstimate(t *testing.T) {
	plan := &tfplan.Plan{Changes: []tfplan.Change{{Mode: "managed", Address: "aws_instance.a", Type: "aws_instance", Action: tfplan.ActionCreate}}}
	e := cost.Unestimated(plan, cost.Options{}, "Infracost is not there.")
	text := costBody(View{}, []projectCost{{"net", &e}}, e, full, 16_000)
	if !strings.Contains(text, "| `net` | not known | not known | cost not known |") || !strings.Contains(text, "Infracost is not there") || strings.Contains(text, "$0") {
		t.Error(text)
	}
}
