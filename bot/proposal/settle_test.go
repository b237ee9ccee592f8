package proposal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// ground is a work tree with a project, and a judged run of it.
type ground struct {
	t      *testing.T
	dir    string
	reader proposal.Reader
	run    run.Run
}

func newGround(t *testing.T, hooks ...planner.Hook) *ground {
	t.Helper()
	g := &ground{t: t, dir: t.TempDir(), reader: proposal.Reader{Masker: redact.NewMasker("canary-77d1"), PublicURL: "https://tidelock.example.com"}}
	g.write("live/main.tf", "# a\n\nresource \"aws_s3_bucket\" \"data\" {\n  bucket = \"a\"\n  acl = \"b\"\n}\n\nmodule \"m\" {\n  source = \"../mod\"\n}\n")
	g.write("mod/main.tf", "resource \"aws_sqs_queue\" \"q\" {\n}\n")
	g.run = run.Run{Project: planner.Project{Name: "live", Dir: "live", Workspace: "default", Hooks: hooks}, Report: &policy.Report{Verdict: policy.Warn, Advisory: 2, Findings: []policy.Finding{
		{Rule: "tagging.required", Level: policy.Advisory, Address: `module.m["x"].aws_sqs_queue.q[0]`, Message: "m"},
		{Rule: "cost.budget", Level: policy.Advisory, Message: "of the whole"},
	}}}
	return g
}

func (g *ground) write(name, text string) string {
	g.t.Helper()
	file := filepath.Join(g.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
	return file
}

func (g *ground) settle(e proposal.Evidence) *policy.Report {
	g.t.Helper()
	plan, err := tfplan.ParsePlan(strings.NewReader(`{"format_version":"1.2","terraform_version":"1.11.4","variables":{"p":{"value":"secret-5b2c"}},
		"configuration":{"root_module":{"variables":{"p":{"sensitive":true}}}},
		"output_changes":{"o":{"actions":["create"],"before":null,"after":"secret-5b2c","after_unknown":false,"before_sensitive":false,"after_sensitive":true}}}`))
	if err != nil {
		g.t.Fatal(err)
	}
	if e.Tree == nil {
		e.Tree = os.DirFS(g.dir)
	}
	g.reader.Settle(&g.run, plan, e)
	return g.run.Report
}

// log is a scanner's file with results in which @ stands for the work tree.
func (g *ground) log(results string) tfrun.Scan {
	g.t.Helper()
	text := strings.ReplaceAll(`{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Trivy"}},"results":[`+results+`]}]}`, "@", g.dir)
	return tfrun.Scan{Hook: 0, File: g.write("../"+filepath.Base(g.t.TempDir())+".sarif", text), Root: g.dir, Dir: "live"}
}

func result(rule, uri string, line int) string {
	return `{"ruleId":"` + rule + `","level":"error","message":{"text":"wrong"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"` + uri + `"},"region":{"startLine":` + string(rune('0'+line)) + `}}}]}`
}

var scanner = planner.Hook{When: planner.AfterInit, Run: []string{"trivy", "config", "."}, SARIF: "trivy.sarif"}

func TestFindingsArePlaced(t *testing.T) {
	g := newGround(t)
	r := g.settle(proposal.Evidence{})
	f := r.Findings[0]
	if f.File != "mod/main.tf" || f.Line != 1 || f.EndLine != 2 || f.URL != "https://tidelock.example.com/policies/tagging.required" {
		t.Errorf("%+v", f)
	}
	if f := r.Findings[1]; f.File != "" || f.Line != 0 || f.URL == "" {
		t.Errorf("%+v", f)
	}
	if r.Verdict != policy.Warn || len(r.Findings) != 2 {
		t.Errorf("%+v", r)
	}
	g.reader.PublicURL = ""
	if r := g.settle(proposal.Evidence{}); !strings.HasSuffix(r.Findings[0].URL, "/docs/policies-rules.md#taggingrequired") {
		t.Errorf("%q", r.Findings[0].URL)
	}
}

func TestScannersAreJudgedWithThePlan(t *testing.T) {
	g := newGround(t, planner.Hook{When: planner.BeforePlan, Run: []string{"x"}}, scanner)
	scan := g.log(strings.Join([]string{
		result("ABS", "file://@/live/main.tf", 4), result("REL", "main.tf", 4), result("ROOT", "live/main.tf", 1), result("UP", "../mod/main.tf", 1),
		result("GONE", "made.tf", 4), result("OUT", "file:///etc/passwd", 1), result("CLIMB", "../../../../../../etc/passwd", 1), result("DIR", "../mod", 1),
		`{"ruleId":"SECRET","level":"warning","message":{"text":"canary-77d1 and secret-5b2c"}}`,
		`{"ruleId":"NOTE","level":"note","message":{"text":"small"}}`,
	}, ","))
	scan.Hook = 1
	r := g.settle(proposal.Evidence{Scans: []tfrun.Scan{scan}})
	got := map[string]string{}
	prints := map[string]bool{}
	for _, f := range r.Findings {
		got[strings.TrimPrefix(f.Rule, "trivy.")] = f.File + "|" + f.Address
		if f.Source == "trivy" && (f.Fingerprint == "" || prints[f.Fingerprint]) {
			t.Errorf("the fingerprint of %+v", f)
		}
		prints[f.Fingerprint] = true
		if f.Rule == "trivy.SECRET" && (strings.Contains(f.Message, "canary") || strings.Contains(f.Message, "secret")) {
			t.Errorf("it tells a secret: %q", f.Message)
		}
	}
	for rule, want := range map[string]string{
		"ABS": "live/main.tf|aws_s3_bucket.data", "REL": "live/main.tf|aws_s3_bucket.data", "ROOT": "live/main.tf|", "UP": "mod/main.tf|module.m.aws_sqs_queue.q",
		"GONE": "|", "OUT": "|", "CLIMB": "|", "DIR": "|", "SECRET": "|", "tagging.required": "mod/main.tf|" + `module.m["x"].aws_sqs_queue.q[0]`,
	} {
		if got[rule] != want {
			t.Errorf("%s stands in %q, want %q", rule, got[rule], want)
		}
	}
	if _, ok := got["NOTE"]; ok || r.Verdict != policy.Fail || r.Mandatory != 8 || r.Advisory != 3 {
		t.Errorf("%+v", r)
	}
	if r.Findings[0].Level != policy.Mandatory {
		t.Error("the worst does not come first")
	}
	// The same plan scanned anew has the same fingerprints.
	again := newGround(t, planner.Hook{When: planner.BeforePlan, Run: []string{"x"}}, scanner)
	again.dir = g.dir
	for _, f := range again.settle(proposal.Evidence{Scans: []tfrun.Scan{scan}}).Findings {
		if f.Source != "" && !prints[f.Fingerprint] {
			t.Errorf("another fingerprint: %+v", f)
		}
	}
}

func TestLevelsOfAScanner(t *testing.T) {
	h := scanner
	h.Levels = map[string]string{"error": "hard", "note": "advisory"}
	g := newGround(t, h)
	r := g.settle(proposal.Evidence{Scans: []tfrun.Scan{g.log(result("A", "main.tf", 4) + `,{"ruleId":"NOTE","level":"note","message":{"text":"small"}}`)}})
	if r.Hard != 1 || r.Mandatory != 1 || r.Advisory != 3 || r.Verdict != policy.Fail {
		t.Errorf("%+v", r)
	}
}

// What nobody has looked at is not passed, whoever sees to it that nobody does.
func TestThreat_AScannerThatLeavesNothingBlocks(t *testing.T) {
	for name, c := range map[string]struct {
		scans func(g *ground) []tfrun.Scan
		want  string
	}{
		"not run": {func(*ground) []tfrun.Scan { return nil }, "the scanner at after_init, trivy config ., was not run: this server runs no hooks"},
		"left no file": {func(*ground) []tfrun.Scan { return []tfrun.Scan{{Problem: "it left no file trivy.sarif"}} },
			"the scanner at after_init, trivy config ., left nothing that can be judged: it left no file trivy.sarif"},
		"no SARIF": {func(g *ground) []tfrun.Scan { return []tfrun.Scan{{File: g.write("x.sarif", `{"results": []}`)}} }, "what it wrote to trivy.sarif can't be read: it is no SARIF"},
		"half": {func(g *ground) []tfrun.Scan {
			return []tfrun.Scan{{File: g.write("x.sarif", `{"version": "2.1.0", "runs": [`)}}
		}, "it is no SARIF"},
		"too many":      {func(g *ground) []tfrun.Scan { return []tfrun.Scan{g.log(strings.Repeat("{},", 1_000_000) + "{}")} }, "it has more than 20000 results"},
		"its copy gone": {func(*ground) []tfrun.Scan { return []tfrun.Scan{{File: "/no/such/file"}} }, "its copy is gone"},
		"it told so": {func(g *ground) []tfrun.Scan {
			return []tfrun.Scan{{File: g.write("x.sarif", `{"version":"2.1.0","runs":[{"invocations":[{"executionSuccessful":false}],"results":[]}]}`)}}
		}, "told of trouble: scanner says that it could not do its work"},
	} {
		g := newGround(t, scanner)
		r := g.settle(proposal.Evidence{Scans: c.scans(g)})
		if r.Verdict != policy.Error || !r.Verdict.Blocks() || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].String(), c.want) {
			t.Errorf("%s: %+v", name, r)
		}
		if len(r.Findings) != 2 {
			t.Errorf("%s: what the policies found is gone: %+v", name, r.Findings)
		}
	}
	// Where hooks are left out on purpose, as at a desk, none is missed.
	g := newGround(t, scanner)
	if r := g.settle(proposal.Evidence{NoHooks: true}); r.Verdict != policy.Warn {
		t.Errorf("%+v", r)
	}
}
