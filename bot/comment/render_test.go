package comment

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/markdown/markdowntest"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

var update = flag.Bool("update", false, "write the golden files anew")

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// scene is a change to be told of.
func scene(pairs ...run.Pair) View {
	return View{
		Change:   run.Change{ID: "01968c00-0000-7000-8000-000000000001", Repo: 42, Pull: 7, HeadSHA: "c0ffee0123456789", Status: run.Ready},
		Pull:     run.Pull{Repo: 42, Number: 7, HeadSHA: "c0ffee0123456789", Open: true},
		Settings: Settings{ApplyOnMerge: true},
		Pairs:    pairs, Holders: map[run.Key]run.Lock{}, Now: noon,
	}
}

// merged makes the scene one after the merge.
func merged(v View) View {
	v.Change.MergeSHA, v.Pull.Open, v.Pull.Merged = "facade0123456789", false, true
	return v
}

// locked gives the pull the locks of its projects.
func locked(v View) View {
	for _, p := range v.Pairs {
		v.Holders[p.Plan.Key()] = run.Lock{Key: p.Plan.Key(), Pull: v.Change.Pull, Holder: "ada", Taken: noon}
	}
	return v
}

const resourceDiff = `# aws_instance.web will be updated in-place
!   resource "aws_instance" "web" {
        id            = "i-0a1b2c3d"
!       instance_type = "t3.medium" -> "t3.large"
        # (8 unchanged attributes hidden)
    }

# aws_security_group_rule.https will be created
+   resource "aws_security_group_rule" "https" {
+       cidr_blocks = ["10.0.0.0/8"]
+       id          = (known after apply)
+       to_port     = 443
    }`

func dollars(text string) decimal.Decimal { return decimal.RequireFromString(text) }

func pointer(d decimal.Decimal) *decimal.Decimal { return &d }

func planned(name string) run.Run {
	return run.Run{
		ID: "plan-" + name, Repo: 42, Pull: 7, Kind: run.Plan, Status: run.Planned, Project: planner.Project{Name: name, Dir: name, Workspace: "default"},
		Summary: tfplan.Summary{Create: 1, Update: 1}, Diff: resourceDiff, Report: &policy.Report{Verdict: policy.Pass, Rules: 3},
		Estimate: &cost.Estimate{
			Currency: "USD", Hours: 730, Before: dollars("30.368"), After: dollars("60.736"), Delta: dollars("30.368"), Bound: cost.BoundExact,
			Counts: cost.Counts{Priced: 1, Free: 1, Total: 2}, AsOf: "2026-04-01", AsOfFrom: "2026-04-01", AsOfTo: "2026-04-01",
			Resources: []cost.ResourceCost{{Address: "aws_instance.web", Type: "aws_instance", Action: tfplan.ActionUpdate, Status: cost.StatusPriced,
				Before: pointer(dollars("30.368")), After: pointer(dollars("60.736")), Delta: pointer(dollars("30.368")),
				Components: []cost.Component{instance("t3.large", "0.0832")}, Was: []cost.Component{instance("t3.medium", "0.0416")}}},
		},
		Started: noon, Finished: noon.Add(9 * time.Second),
	}
}

// instance is the month of an instance.
func instance(typ, price string) cost.Component {
	return cost.Component{Name: "Instance", Service: "ec2-linux", Detail: typ + ", Linux, on demand", Quantity: dollars("730"), Unit: "hour",
		Price: dollars(price), Monthly: dollars("730").Mul(dollars(price)), AsOf: "2026-04-01"}
}

func standing(r run.Run) run.Run {
	r.Since = "0123456789abcdef0123456789abcdef01234567"
	return r
}

func unchanged(name string) run.Run {
	r := planned(name)
	r.Summary, r.Diff, r.Estimate = tfplan.Summary{}, "", &cost.Estimate{Currency: "USD", Bound: cost.BoundExact}
	return r
}

func failed(name, why string) run.Run {
	r := planned(name)
	r.Status, r.Summary, r.Diff, r.Report, r.Estimate, r.Error = run.Failed, tfplan.Summary{}, "", nil, nil, why
	return r
}

func forbidden(name string) run.Run {
	r := planned(name)
	r.Summary = tfplan.Summary{Create: 1, Replace: 1}
	r.Report = &policy.Report{Verdict: policy.Fail, Mandatory: 1, Advisory: 1, Rules: 3, Findings: []policy.Finding{
		{Rule: "destruction.stateful", Title: "Stateful resource is destroyed", Severity: policy.High, Level: policy.Mandatory, Address: `aws_db_instance.main["eu"]`,
			Message: "The database is replaced and what it holds is lost.", Help: "Put the label allow-destroy on the pull request if this is meant."},
		{Rule: "tagging.required", Title: "Required tags are missing", Severity: policy.Low, Level: policy.Advisory, Address: "aws_instance.web",
			Message: "The tag owner is missing.", Help: "Add it, or set it in the provider's default_tags."},
	}}
	return r
}

func queued(name string, status run.Status) run.Run {
	r := planned(name)
	r.Status, r.Summary, r.Diff, r.Report, r.Estimate = status, tfplan.Summary{}, "", nil, nil
	return r
}

func only(plan run.Run) run.Pair { return run.Pair{Plan: &plan} }

func with(plan run.Run, status run.Status, why string) run.Pair {
	apply := run.Run{ID: "apply-" + plan.Project.Name, Repo: 42, Pull: 7, Kind: run.Apply, Status: status, Project: plan.Project, PlanRun: plan.ID,
		Summary: plan.Summary, Error: why, Started: noon, Finished: noon.Add(12300 * time.Millisecond)}
	return run.Pair{Plan: &plan, Apply: &apply}
}

func scenes() map[string]View {
	all := map[string]View{
		"one":       locked(scene(only(planned("network")))),
		"unchanged": scene(only(unchanged("network"))),
		"queued":    scene(),
		"many":      locked(scene(only(planned("live/app")), only(planned("live/network")), only(unchanged("live/dns")))),
		"standing":  locked(scene(only(planned("live/app")), only(standing(planned("live/network"))), only(standing(unchanged("live/dns"))))),
		"policy":    locked(scene(only(forbidden("data")), only(planned("app")))),
		"failed": scene(only(failed("network", "Terraform could not plan the project.\n\nError: Reference to undeclared input variable\n\n  on main.tf line 2, in resource \"terraform_data\" \"net\":\n   2:   input = var.missing\n")),
			only(planned("app"))),
		"applied": merged(scene(with(planned("network"), run.Applied, ""), only(unchanged("dns")))),
		"held": merged(locked(scene(with(planned("network"), run.Held, "The merged code is not what was planned, and a new plan does something else than the one that was reviewed. "+
			"Nothing was applied. Comment `plan` to see what would be done now, then `apply` if that is what you want.")))),
		"interrupted": merged(locked(scene(with(planned("network"), run.Interrupted, "Its process ended without leaving a result. Part of it may have been done. "+
			"Look at the log and the infrastructure; `plan` shows what is left, `unlock` gives the project up.")))),
		"apply_failed":  merged(locked(scene(with(planned("network"), run.Failed, "Terraform could not apply the plan.\n\nError: creating EC2 instance: InsufficientInstanceCapacity"), with(planned("app"), run.Applied, "")))),
		"apply_errored": withErrored(merged(locked(scene(with(planned("network"), run.Failed, "Terraform could not apply the plan.\n\nError: Failed to save state"), with(planned("app"), run.Failed, "The backend did not take it."))))),
		"waiting":       scene(only(queued("network", run.Blocked))),
		"findings":      found(12),
	}
	planning := queued("app", run.Running)
	planning.Done, planning.Total = 0, 0
	all["planning"] = scene(only(planned("network")), only(planning), only(queued("dns", run.Queued)))
	estimated, silent, waiting, checking := queued("app", run.Running), queued("dns", run.Running), queued("data", run.Running), with(planned("vpn"), run.Checking, "")
	estimated.Done, estimated.Total, estimated.Now = 12, 40, run.Now{Text: "reading data.aws_ami.a[\"x|y\"], for 40s, and 3 more", Guess: true}
	silent.Done, silent.Now = 7, run.Now{Text: "no word from Terraform for 2m0s (last: refreshing aws_instance.web, for 2m10s)", Quiet: 2 * time.Minute}
	waiting.Now.Waits, checking.Apply.Now.Waits = "memory", "memory"
	all["progress"] = scene(only(estimated), only(silent), only(waiting), checking)
	applying := with(planned("network"), run.Running, "")
	applying.Apply.Done, applying.Apply.Total, applying.Apply.Now.Text = 2, 5, "creating aws_db_instance.main, for 1m10s"
	all["applying"] = merged(locked(scene(applying, with(planned("app"), run.Queued, ""))))

	v := all["waiting"]
	v.Holders[v.Pairs[0].Plan.Key()] = run.Lock{Pull: 3, Holder: "alice", Taken: noon}

	v = locked(scene(only(planned("network")), only(planned("app"))))
	v.Settings.ApplyBeforeMerge, v.Settings.AutoMerge = true, true
	v.URL = "https://tidelock.example.com/changes/01968c00-0000-7000-8000-000000000001"
	all["apply_before_merge"] = v

	v = scene()
	v.Change.Status, v.Change.Reason = run.Unplannable, "tidelock.hcl:3: There is no setting lokc. Did you mean lock?\ntidelock.hcl:9: The project web names no directory."
	all["unplannable"] = v

	v = scene()
	v.Change.Status = run.Empty
	all["empty"] = v

	v = scene(only(queued("network", run.Canceled)))
	v.Change.Status, v.Pull.Open = run.Closed, false
	all["closed"] = v

	part := planned("network")
	part.Options = planner.Options{Targets: []string{"aws_instance.web"}, NoRefresh: true}
	all["part"] = locked(scene(only(part), only(planned("app"))))
	destroy := planned("network")
	destroy.Options, destroy.Summary = planner.Options{Destroy: true}, tfplan.Summary{Delete: 2}
	all["destroy"] = locked(scene(only(destroy)))

	layer := func(r run.Run, n int, on ...string) run.Run {
		r.Layer, r.Project.DependsOn = n, on
		return r
	}
	all["layers"] = locked(scene(only(layer(queued("web", run.Deferred), 2, "app", "dns")), only(planned("dns")), only(layer(queued("app", run.Deferred), 1, "network")), only(planned("network"))))
	group := func(p run.Pair, n int) run.Pair {
		p.Plan.Project.Order, p.Apply.Project.Order = n, n
		return p
	}
	all["groups"] = merged(locked(scene(group(with(planned("app"), run.Deferred, ""), 2), group(with(planned("network"), run.Running, ""), 1))))

	canceled := with(planned("network"), run.Canceled, "Nothing of it was applied.")
	canceled.Apply.StopActor = access.Actor{Kind: access.User, Name: "grace", ID: 2}
	stopped := with(planned("app"), run.Failed, "Terraform was told to stop, and did after 3 of 5 changes.")
	stopped.Apply.StopActor = canceled.Apply.StopActor
	all["canceled"] = merged(locked(scene(canceled, stopped)))
	all["plan_canceled"] = scene(only(queued("network", run.Canceled)), only(planned("app")))

	again := with(planned("network"), run.Applied, "")
	again.Apply.Retry, again.Apply.Actor = true, access.Actor{Kind: access.User, Name: "grace", ID: 2}
	all["retried"] = merged(scene(again))

	v = locked(scene(only(planned("network"))))
	v.Change.Trusted = access.Actor{Kind: access.User, Name: "grace", ID: 2}
	all["fork"] = v

	waived := forbidden("data")
	waived.PlanDigest, waived.Waivers = "sha256:5f3e", []run.Waiver{{Key: waived.Key(), Client: waived.Client, Pull: waived.Pull, PlanDigest: "sha256:5f3e", Actor: access.Actor{Kind: access.User, Name: "grace", ID: 2}}}
	all["waived"] = locked(scene(only(waived)))

	v = locked(scene(only(planned("network"))))
	v.Settings.ApplyBeforeMerge, v.Settings.Commands = true, []string{"plan"}
	all["few_commands"] = v

	v = locked(scene(only(planned("app"))))
	v.Change.Notes = "old: The code of project old is removed, but what it made is not: nothing plans its destruction. Empty the project and apply that first, or let its state go on purpose."
	all["notes"] = v
	for name, make := range scenesOfCost {
		all[name] = make()
	}
	return all
}

// scenesOfCost are those of cost_test.go.
var scenesOfCost = map[string]func() View{}

// The golden files are the comments, as a reviewer reads them: look at them
// when they change.
func TestComments(t *testing.T) {
	for name, v := range scenes() {
		t.Run(name, func(t *testing.T) {
			got := Render(v)
			path := filepath.Join("testdata", name+".md")
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s is another (go test ./bot/comment -run TestComments -update writes it anew):\n%s", path, got)
			}
		})
	}
}

// Whatever there is to tell fits into a comment, with less detail from step to
// step, and is whole: no block is left open.
func TestGitHub10_CommentsFit(t *testing.T) {
	big := func(name string, resources int) run.Run {
		r := planned(name)
		r.Summary = tfplan.Summary{Update: resources}
		r.Diff = ""
		for i := range resources {
			r.Diff += strings.ReplaceAll(resourceDiff, "web", fmt.Sprintf("web-%d", i)) + "\n\n"
		}
		return r
	}
	long := strings.Repeat("deep/", 100)
	for _, c := range []struct {
		name string
		make func() []run.Pair
		has  string
	}{
		{"one huge plan", func() []run.Pair { return []run.Pair{only(big("network", 400))} }, "# aws_instance.web-399 will be updated"},
		{"a plan that is too long even in one line a resource", func() []run.Pair { return []run.Pair{only(big("network", 1500))} }, "too long for a comment"},
		{"200 projects", func() (all []run.Pair) {
			for i := range 200 {
				all = append(all, only(planned(fmt.Sprintf("live/p%d", i))))
			}
			return all
		}, "`live/p199`"},
		{"200 projects that failed", func() (all []run.Pair) {
			for i := range 200 {
				all = append(all, only(failed(fmt.Sprintf("live/p%d", i), strings.Repeat("Error: it is not so\n```\n", 400))))
			}
			return all
		}, "`live/p99`"},
		{"200 projects that a policy forbids", func() (all []run.Pair) {
			for i := range 200 {
				all = append(all, only(forbidden(fmt.Sprintf("live/p%d", i))))
			}
			return all
		}, "`live/p99`"},
		{"2,000 projects with long names", func() (all []run.Pair) {
			for i := range 2000 {
				all = append(all, only(planned(fmt.Sprintf("%s%d", long, i))))
			}
			return all
		}, "more projects"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := locked(scene(c.make()...))
			body := Render(v)
			if len(body) > 65_536 {
				t.Fatalf("%d bytes", len(body))
			}
			if !strings.Contains(body, c.has) {
				t.Errorf("it lacks %q:\n%.3000s", c.has, body)
			}
			root := markdowntest.Page(t, body)
			last := markdowntest.All(root, "sub")
			if len(last) != 1 || !strings.Contains(markdowntest.Text(last[0]), "commit c0ffee0") {
				t.Errorf("the footer is not outside of everything: a block is left open\n%s", body[len(body)-600:])
			}
			for _, k := range Checks(v) {
				if len(k.Text) > 65_535 || len(k.Summary) > 65_535 {
					t.Errorf("check %s is too long", k.Name)
				}
			}
		})
	}
}

// Nothing of a stranger's choosing is more than text in a whole comment.
func TestThreat_CommentsAreInert(t *testing.T) {
	for _, s := range markdowntest.Hostile {
		plan := forbidden("x")
		plan.Project.Name, plan.Diff = s, s
		for i := range plan.Report.Findings {
			f := &plan.Report.Findings[i]
			f.Title, f.Message, f.Help, f.Address, f.Rule = s, s, s, s, s
		}
		plan.Estimate.Resources[0].Address, plan.Estimate.Resources[0].Note = s, s
		broken := failed(s, s)
		v := locked(scene(only(plan), only(broken), with(planned(s), run.Failed, s)))
		v.Change.Notes = s
		body := Render(v)
		body = body[strings.IndexByte(body, '\n'):] // after our own marker
		if bad := markdowntest.Strangers(markdowntest.Page(t, body), "h3 h4 p table thead tbody tr th td code pre details summary ul li strong em sub"); len(bad) > 0 {
			t.Errorf("%q: %q got into\n%s", s, bad, body)
		}
		v = scene()
		v.Change.Status, v.Change.Reason = run.Unplannable, s
		body = Render(v)
		body = body[strings.IndexByte(body, '\n'):]
		if bad := markdowntest.Strangers(markdowntest.Page(t, body), "h3 h4 p code pre ul li sub"); len(bad) > 0 {
			t.Errorf("%q: %q got into\n%s", s, bad, body)
		}
	}
}

// withErrored gives the first two projects' applies states that could not be
// written.
func withErrored(v View) View {
	v.Pairs[0].Apply.ID, v.Pairs[1].Apply.ID = "apply-1", "apply-2"
	v.Errored = map[string]Errored{
		"apply-1": {State: "acme/infra/network", Version: 13, URL: "https://tidelock.example.com/states/acme/infra/network"},
		"apply-2": {State: "acme/infra/app", Version: 2, Backend: "s3"},
	}
	return v
}
