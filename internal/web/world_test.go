package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/net/html"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// world is a site on a database of its own, and the stores to fill it with.
type world struct {
	t     testing.TB
	opts  Options
	site  *site
	repo  clients.Repo
	clock atomic.Int64 // milliseconds; pages read it while a test turns it
	log   *bytes.Buffer
	queue *queue.Queue
}

// theRules are those that the pages tell of.
var theRules = []policy.Rule{
	{
		ID: "security.aws.public_ingress", Title: "Open to <everybody>", Severity: policy.Critical, Level: policy.Mandatory, Why: "Because `0.0.0.0/0` is everybody.",
		Mend: "Name the networks.", Good: &policy.Example{HCL: "resource \"a\" \"good\" {}"}, Bad: &policy.Example{HCL: "resource \"a\" \"bad\" {}", Action: "delete", Labels: []string{"big"}},
		Controls: map[string][]string{"cis_aws_3.0": {"5.2", "5.3"}, "house": {"H1"}}, File: "security/aws/public_ingress.rego", Line: 12,
	},
	{ID: "tagging.required", Title: "Required tags are missing", Severity: policy.Low, Level: policy.Advisory, File: "tagging/required.rego", Line: 3},
	{ID: "main.deny", Pack: "house", Title: "deny", Severity: policy.Medium, Level: policy.Off, File: "house/main.rego", Line: 1},
}

var ada = access.Actor{Kind: access.User, Name: "ada", ID: 1}

func newWorld(t testing.TB, d *db.DB, password string) *world {
	t.Helper()
	w := &world{t: t, log: &bytes.Buffer{}}
	w.clock.Store(1_800_000_000_000)
	now := func() time.Time { return time.UnixMilli(w.clock.Load()) }
	log := slog.New(slog.NewTextHandler(io.MultiWriter(w.log), nil))
	trail := access.NewTrail(d)
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.Open(t.TempDir(), redact.NewSecret(base64.StdEncoding.EncodeToString(secret)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	q, err := queue.New(queue.Options{Node: "test", DB: d, Log: log, Lanes: map[string]int{"test": 1}, Poll: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	w.queue = q
	w.opts = Options{
		DB: d, Runs: run.NewStore(d, trail, now), Clients: clients.NewStore(d), Queue: q, Trail: trail, Blobs: blobs, Log: log,
		Password: redact.NewSecret(password), Now: now, Version: "1.2.3",
		Rules:  func(context.Context) ([]policy.Rule, error) { return theRules, nil },
		Ledger: budget.NewStore(d, trail, budget.Options{Now: now, Budgets: theBudgets}), Bills: actuals.NewStore(d, trail, actuals.Rules{}, now),
	}
	w.site = newSite(w.opts)
	w.repo = w.client("acme", 41, 7, "infra")
	return w
}

// pass lets time go by.
func (w *world) pass(d time.Duration) { w.clock.Add(d.Milliseconds()) }

func (w *world) tx(f func(ctx context.Context, tx *db.Tx) error) {
	w.t.Helper()
	if err := w.opts.DB.Tx(w.t.Context(), func(tx *db.Tx) error { return f(w.t.Context(), tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) client(account string, installation, repo int64, name string) clients.Repo {
	w.t.Helper()
	var r clients.Repo
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		c, err := w.opts.Clients.Ensure(ctx, tx, clients.Installation{ID: installation, Account: account})
		if err != nil {
			return err
		}
		r, err = w.opts.Clients.EnsureRepo(ctx, tx, c, clients.Repo{
			ID: repo, Owner: account, Name: name, DefaultBranch: "main", CloneURL: "https://github.example.com/" + account + "/" + name + ".git",
		})
		return err
	})
	return r
}

// open makes a change of a pull of the repository.
func (w *world) open(repo clients.Repo, number int, title, head string) run.Change {
	w.t.Helper()
	var out run.Opened
	w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		p := run.Pull{
			Repo: repo.ID, Number: number, Client: repo.ClientID, Title: title, Author: "ada", HeadSHA: head, HeadRepo: repo.ID,
			HeadRef: "feature/bigger-database", BaseSHA: "b", BaseRef: "main", Open: true, Labels: []string{"infra"},
		}
		if err := w.opts.Runs.SavePull(ctx, tx, p); err != nil {
			return err
		}
		out, err = w.opts.Runs.OpenChange(ctx, tx, p, ada)
		return err
	})
	return out.Change
}

// plans queues a plan for each project name, which is its directory too.
func (w *world) plans(c run.Change, names ...string) []run.Run {
	w.t.Helper()
	var wanted []run.Wanted
	for _, n := range names {
		wanted = append(wanted, run.Wanted{Project: planner.Project{Name: n, Dir: n, Workspace: "default"}, InputsDigest: "in"})
	}
	var out []run.Run
	w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		out, _, err = w.opts.Runs.AddPlans(ctx, tx, c, wanted, "", ada)
		return err
	})
	return out
}

// begin takes the project's lock and starts the run.
func (w *world) begin(r run.Run) run.Run {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		if _, _, err = w.opts.Runs.Acquire(ctx, tx, r); err != nil {
			return err
		}
		r, err = w.opts.Runs.Begin(ctx, tx, r, "node-1")
		return err
	})
	return r
}

// planned takes a queued plan to its end; with sets what it found.
func (w *world) planned(r run.Run, with func(*run.Run)) run.Run {
	w.t.Helper()
	r = w.begin(r)
	w.pass(4200 * time.Millisecond)
	r.PlanDigest, r.StateLineage, r.StateSerial = "sha256:5f3e", "b1946ac9", 12
	r.Report = &policy.Report{Verdict: policy.Pass, Findings: []policy.Finding{}, Rules: 3}
	final := run.Planned
	if with != nil {
		with(&r)
	}
	if r.Error != "" {
		final, r.Report, r.PlanDigest = run.Failed, nil, ""
	}
	w.tx(func(ctx context.Context, tx *db.Tx) error { return w.opts.Runs.Finish(ctx, tx, r, final) })
	return w.reread(r)
}

func (w *world) reread(r run.Run) run.Run {
	w.t.Helper()
	r, err := w.opts.Runs.Run(w.t.Context(), w.opts.DB, r.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// applying brings an apply of the plan to where Terraform runs.
func (w *world) applying(plan run.Run) run.Run {
	w.t.Helper()
	var r run.Run
	w.tx(func(ctx context.Context, tx *db.Tx) (err error) {
		if r, _, err = w.opts.Runs.AddApply(ctx, tx, plan, "", "", ada); err != nil {
			return err
		}
		l, _, err := w.opts.Runs.Acquire(ctx, tx, r)
		if err != nil {
			return err
		}
		if r, err = w.opts.Runs.Begin(ctx, tx, r, "node-1"); err != nil {
			return err
		}
		r, err = w.opts.Runs.Intend(ctx, tx, r, l.Fence)
		return err
	})
	return r
}

// applied ends an apply well and frees the lock.
func (w *world) applied(r run.Run) {
	w.t.Helper()
	w.pass(31 * time.Second)
	w.tx(func(ctx context.Context, tx *db.Tx) error {
		if err := w.opts.Runs.Finish(ctx, tx, r, run.Applied); err != nil {
			return err
		}
		_, err := w.opts.Runs.Release(ctx, tx, r)
		return err
	})
}

func (w *world) put(name, text string) string {
	w.t.Helper()
	ref, _, err := w.opts.Blobs.Put(w.t.Context(), w.repo.ClientID, name, strings.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	return ref
}

// ask sends a request as a browser on this machine does.
func (w *world) ask(method, path string, change ...func(*http.Request)) *http.Response {
	w.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:40000", "localhost:8080"
	for _, c := range change {
		c(r)
	}
	rec := httptest.NewRecorder()
	w.site.ServeHTTP(rec, r)
	return rec.Result()
}

func (w *world) text(path string) string {
	w.t.Helper()
	res := w.ask("GET", path)
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("GET %s: %s\n%s", path, res.Status, body)
	}
	return string(body)
}

// page asks for a page and parses it.
func (w *world) page(path string) *html.Node {
	w.t.Helper()
	doc, err := html.Parse(strings.NewReader(w.text(path)))
	if err != nil {
		w.t.Fatal(err)
	}
	return doc
}

// find returns every element with the tag and, unless it is "", the class.
func find(n *html.Node, tag, class string) []*html.Node {
	var all []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag && (class == "" || strings.Contains(" "+attr(d, "class")+" ", " "+class+" ")) {
			all = append(all, d)
		}
	}
	return all
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// content is an element's text with its spaces folded.
func content(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func amount(s string) *decimal.Decimal { d := dec(s); return &d }

func estimate() *cost.Estimate {
	return &cost.Estimate{
		Currency: "USD", Hours: 730, Before: dec("61.32"), After: dec("122.64"), Delta: dec("61.32"), Bound: cost.BoundExact,
		Counts: cost.Counts{Priced: 2, Free: 1, Total: 3}, AsOf: "2026-05-01",
		Resources: []cost.ResourceCost{{
			Address: "aws_db_instance.main", Type: "aws_db_instance", Action: tfplan.ActionUpdate, Status: cost.StatusPriced,
			Before: amount("61.32"), After: amount("122.64"), Delta: amount("61.32"),
			Components: []cost.Component{{Name: "Instance hours", Detail: "db.t4g.large, PostgreSQL", Quantity: dec("730"), Unit: "hours", Price: dec("0.168"), Monthly: dec("122.64")}},
		}},
	}
}

const sampleDiff = `  # aws_db_instance.main will be updated in-place
~   resource "aws_db_instance" "main" {
        id             = "main"
~       instance_class = "db.t4g.medium" -> "db.t4g.large"
        # (18 unchanged attributes hidden)
    }

  # aws_security_group_rule.open must be replaced
-/+ resource "aws_security_group_rule" "open" {
-       cidr_blocks = ["10.0.0.0/8"]
+       cidr_blocks = ["0.0.0.0/0"] # forces replacement
    }`

func failing() *policy.Report {
	return &policy.Report{
		Verdict: policy.Fail, Rules: 3, Mandatory: 1, Advisory: 1,
		Findings: []policy.Finding{
			{
				Rule: "security.aws.public_ingress", Title: "No public ingress", Severity: policy.Critical, Level: policy.Mandatory,
				Address: "aws_security_group_rule.open", Message: "Port 22 is open to the whole internet (0.0.0.0/0).",
				Help: "Name the networks that need it in cidr_blocks.",
			},
			{
				Rule: "governance.required_tags", Title: "Required tags", Severity: policy.Low, Level: policy.Advisory,
				Address: "aws_db_instance.main", Message: "The tag owner is missing.",
			},
		},
	}
}

// busyWorld fills the world as a working day would.
func busyWorld(w *world) (change run.Change, plan run.Run) {
	w.t.Helper()
	old := w.open(w.repo, 10, "Add a bucket for access logs", "0d4e0df1aa")
	p := w.planned(w.plans(old, "storage")[0], func(r *run.Run) {
		r.Summary = tfplan.Summary{Create: 2}
		r.Diff = "  # aws_s3_bucket.logs will be created\n+   resource \"aws_s3_bucket\" \"logs\" {\n+       bucket = \"acme-logs\"\n    }"
	})
	w.applied(w.applying(p))
	w.pass(9 * time.Minute)
	w.plans(w.open(w.repo, 11, "Move state buckets to eu-central-1", "77c01dcafe"), "network/prod", "network/staging")

	change = w.open(w.repo, 12, "Give the orders database more memory", "be0fd72c11")
	runs := w.plans(change, "database/prod", "database/staging", "monitoring")
	log := "\x1b[0m\x1b[1maws_db_instance.main: Refreshing state...\x1b[0m\r\nPlan: 0 to add, 1 to change, 0 to destroy.\n"
	plan = w.planned(runs[0], func(r *run.Run) {
		r.Summary, r.Diff, r.Report, r.Estimate = tfplan.Summary{Update: 1, Replace: 1}, sampleDiff, failing(), estimate()
		r.LogBlob = w.put("log", log)
	})
	w.planned(runs[1], func(r *run.Run) { r.Summary = tfplan.Summary{} })
	w.planned(runs[2], func(r *run.Run) {
		r.Error = "Error: Unsupported argument\n\n  on main.tf line 4, in resource \"aws_sns_topic\" \"alerts\":\n   4:   nme = \"alerts\"\n\nAn argument named \"nme\" is not expected here."
	})
	w.pass(3 * time.Minute)

	other := w.client("globex", 42, 8, "platform")
	c := w.open(other, 3, "Scale the worker pool", "5da61f7a02")
	q := w.plans(c, "workers")
	w.applying(w.planned(q[0], func(r *run.Run) { r.Summary = tfplan.Summary{Create: 3, Delete: 1} }))
	w.pass(40 * time.Second)
	if err := w.opts.Runs.Progress(w.t.Context(), w.applyOf(c), 2, 4, run.Now{Text: "creating aws_eks_node_group.workers, for 40s"}); err != nil {
		w.t.Fatal(err)
	}
	return change, plan
}

func (w *world) applyOf(c run.Change) string {
	w.t.Helper()
	runs, err := w.opts.Runs.Runs(w.t.Context(), w.opts.DB, c.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range runs {
		if r.Kind == run.Apply {
			return r.ID
		}
	}
	w.t.Fatalf("change %s has no apply", c.ID)
	return ""
}

func local(t testing.TB) *world { return newWorld(t, dbtest.SQLite(t), "") }
