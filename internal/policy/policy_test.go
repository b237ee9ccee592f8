package policy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// engine is New with one pack of the files, which it needs not have.
func engine(t testing.TB, o policy.Options, files map[string]string) *policy.Engine {
	t.Helper()
	if len(files) > 0 {
		o.Packs = append(o.Packs, policy.Pack{Name: "own", FS: folder(files)})
	}
	e, err := policy.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func folder(files map[string]string) fs.FS {
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

// plan is a plan of the resource changes, which are JSON.
func plan(t testing.TB, changes ...string) *tfplan.Plan {
	t.Helper()
	return parse(t, `{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[`+strings.Join(changes, ",")+`]}`)
}

func parse(t testing.TB, raw string) *tfplan.Plan {
	t.Helper()
	p, err := tfplan.ParsePlan(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func change(address, actions, after string) string {
	kind, _, _ := strings.Cut(address, ".")
	return fmt.Sprintf(`{"address":%q,"mode":"managed","type":%q,"name":"x","change":{"actions":%s,"before":null,"after":%s,"after_unknown":{}}}`, address, kind, actions, after)
}

func judge(t testing.TB, e *policy.Engine, in policy.Input) policy.Report {
	t.Helper()
	r, err := e.Judge(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func messages(r policy.Report) []string {
	out := []string{}
	for _, f := range r.Findings {
		out = append(out, f.Rule+": "+f.Message)
	}
	return out
}

const (
	goneDB  = `["delete"]`
	openSSH = `{"type":"ingress","protocol":"tcp","from_port":22,"to_port":22,"cidr_blocks":["0.0.0.0/0"]}`
)

// six are bundled rules that tests count on. What they know of the other ones
// would change with each that is added.
var six = []string{"destruction.mass", "destruction.stateful", "security.aws.public_ingress", "security.azure.public_ingress", "security.google.public_ingress", "tagging.required"}

var bundledRules = sync.OnceValues(func() ([]policy.Rule, error) {
	e, err := policy.New(policy.Options{})
	if err != nil {
		return nil, err
	}
	return e.Rules(), nil
})

// small is engine with no bundled rules but the six.
func small(t testing.TB, o policy.Options, files map[string]string) *policy.Engine {
	t.Helper()
	rules, err := bundledRules()
	if err != nil {
		t.Fatal(err)
	}
	levels := map[string]policy.Level{}
	for _, r := range rules {
		if !slices.Contains(six, r.ID) {
			levels[r.ID] = policy.Off
		}
	}
	maps.Copy(levels, o.Overrides.Levels)
	o.Overrides.Levels = levels
	return engine(t, o, files)
}

func TestReportAsJSON(t *testing.T) {
	e := small(t, policy.Options{}, nil)
	r := judge(t, e, policy.Input{Plan: plan(t,
		change("aws_s3_bucket.logs", `["create"]`, `{"tags":{"Owner":"a"}}`),
		change("aws_security_group_rule.ssh", `["create"]`, openSSH),
		change("aws_db_instance.orders", goneDB, `null`),
	)})
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(r.Policies) {
		t.Errorf("Policies = %q, want a SHA-256", r.Policies)
	}
	r.Policies = ""
	for i := range r.Findings {
		if r.Findings[i].Help == "" {
			t.Errorf("%s has no help", r.Findings[i].Rule)
		}
		r.Findings[i].Help = ""
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(r.Findings[i].Fingerprint) {
			t.Errorf("%s has the fingerprint %q", r.Findings[i].Rule, r.Findings[i].Fingerprint)
		}
		r.Findings[i].Fingerprint = ""
	}
	got, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "verdict": "fail",
  "findings": [
    {
      "rule": "destruction.stateful",
      "title": "Data would be destroyed",
      "severity": "critical",
      "level": "mandatory",
      "address": "aws_db_instance.orders",
      "message": "This aws_db_instance would be destroyed with its data."
    },
    {
      "rule": "security.aws.public_ingress",
      "title": "Open to the internet (AWS)",
      "severity": "high",
      "level": "mandatory",
      "address": "aws_security_group_rule.ssh",
      "message": "0.0.0.0/0 may reach tcp port 22."
    },
    {
      "rule": "tagging.required",
      "title": "Required tags are missing",
      "severity": "low",
      "level": "advisory",
      "address": "aws_s3_bucket.logs",
      "message": "This aws_s3_bucket lacks the tag environment."
    }
  ],
  "mandatory": 2,
  "advisory": 1,
  "rules": 6,
  "policies": ""
}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestVerdicts(t *testing.T) {
	e := small(t, policy.Options{}, nil)
	for _, c := range []struct {
		name   string
		plan   *tfplan.Plan
		want   policy.Verdict
		blocks bool
	}{
		{"nothing found", plan(t, change("aws_iam_role.a", `["create"]`, `{"name":"a"}`)), policy.Pass, false},
		{"no changes at all", parse(t, `{"format_version":"1.2"}`), policy.Pass, false},
		{"advisory", plan(t, change("aws_s3_bucket.a", `["create"]`, `{"tags":null}`)), policy.Warn, false},
		{"mandatory", plan(t, change("aws_db_instance.a", goneDB, `null`)), policy.Fail, true},
		{"no plan", nil, policy.Error, true},
		{"no JSON", &tfplan.Plan{}, policy.Error, true},
		{"broken JSON", &tfplan.Plan{Raw: json.RawMessage(`{"resource_changes":[`)}, policy.Error, true},
		{"not an object", &tfplan.Plan{Raw: json.RawMessage(`[]`)}, policy.Error, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := judge(t, e, policy.Input{Plan: c.plan})
			if r.Verdict != c.want || r.Verdict.Blocks() != c.blocks {
				t.Errorf("verdict %q, blocks %v; want %q, %v", r.Verdict, r.Verdict.Blocks(), c.want, c.blocks)
			}
			if c.want == policy.Error && len(r.Problems) == 0 {
				t.Error("the report does not say what is wrong")
			}
		})
	}
	if !policy.Verdict("").Blocks() {
		t.Error("a verdict that nobody set must block")
	}
}

func TestLabelAllowsDestroy(t *testing.T) {
	e := small(t, policy.Options{}, nil)
	in := policy.Input{Plan: plan(t, change("aws_db_instance.a", goneDB, `null`)), Pull: &policy.Pull{Number: 7}}
	if r := judge(t, e, in); r.Verdict != policy.Fail {
		t.Errorf("without label: %s", r.Verdict)
	}
	in.Pull.Labels = []string{"allow-destroy"}
	if r := judge(t, e, in); r.Verdict != policy.Pass {
		t.Errorf("with label: %s, %v", r.Verdict, messages(r))
	}
}

func TestCompileErrorsNameFileAndLine(t *testing.T) {
	for name, c := range map[string]struct{ rego, file, message string }{
		"syntax":           {"package main\n\ndeny contains msg if {", "own/p.rego", "unexpected eof"},
		"unknown function": {"package main\n\ndeny contains msg if {\n\tmsg := nothing(input)\n}", "own/p.rego:4", "undefined function nothing"},
		"broken Rego v0":   {"package main\n\ndeny[msg] {\n\tmsg := \"a\"\n\tx :=\n}", "own/p.rego:6", "unexpected"},
		"half Rego v1":     {"package main\n\nimport rego.v1\n\ndeny[msg] {\n\tmsg := \"a\"\n}", "own/p.rego:5", "`if`"},
		"recursion":        {"package main\n\ndeny contains a if {\n\tsome a in deny\n}", "own/p.rego:3", "recursive"},
		"bad level":        {"package main\n\n# METADATA\n# custom:\n#   level: never\ndeny contains \"a\"", "own/p.rego:6", "never"},
		"bad severity":     {"package main\n\n# METADATA\n# custom:\n#   severity: huge\ndeny contains \"a\"", "own/p.rego:6", "huge"},
		"no rules":         {"package main\n\nallow := true", "own", "no rule"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.New(policy.Options{Packs: []policy.Pack{{Name: "own", FS: folder(map[string]string{"p.rego": c.rego})}}})
			var load *policy.LoadError
			if !errs.Is(err, errs.Invalid) || !errors.As(err, &load) {
				t.Fatalf("New = %v, want a LoadError that is invalid", err)
			}
			if got := load.Error(); !strings.Contains(got, c.file) || !strings.Contains(got, c.message) {
				t.Errorf("problems = %q, want %q and %q in it", got, c.file, c.message)
			}
			if s := errs.Sentence(err); !strings.Contains(s, "could not be judged") || !strings.Contains(s, c.file) {
				t.Errorf("sentence = %q", s)
			}
			r := policy.Unjudged(err)
			if r.Verdict != policy.Error || !r.Verdict.Blocks() || !cmp.Equal(r.Problems, load.Problems) {
				t.Errorf("Unjudged = %+v", r)
			}
		})
	}
}

func TestThreat_PolicyReachesNothingOutside(t *testing.T) {
	for _, call := range []string{
		`http.send({"method": "get", "url": "http://127.0.0.1/"})`,
		`net.lookup_ip_addr("localhost")`,
		`opa.runtime()`,
		`rand.intn("a", 9)`,
		`uuid.rfc4122("a")`,
	} {
		src := "package main\n\ndeny contains msg if {\n\tmsg := " + call + "\n}"
		_, err := policy.New(policy.Options{Packs: []policy.Pack{{Name: "own", FS: folder(map[string]string{"p.rego": src})}}})
		if err == nil || !strings.Contains(err.Error(), "undefined function") {
			t.Errorf("%s: New = %v, want an undefined function", call, err)
		}
	}
	// What is said of the built-ins above must not be so of those that stay.
	small(t, policy.Options{}, map[string]string{"p.rego": "package main\n\ndeny contains \"late\" if time.now_ns() < 0"})
}

func TestThreat_PackCannotTouchBundledRules(t *testing.T) {
	for name, pack := range map[string]policy.Pack{
		"writes into the namespace": {Name: "own", FS: folder(map[string]string{"a.rego": "package tidelock.labels\n\nany_set(_) if true"})},
		"is the namespace":          {Name: "own", FS: folder(map[string]string{"a.rego": "package tidelock\n\ndeny contains \"a\""})},
		"has a bundled pack's name": {Name: "destruction", FS: folder(map[string]string{"stateful.rego": "package main\n\ndeny contains \"a\" if false"})},
		"has no name":               {FS: folder(map[string]string{"destruction/stateful.rego": "package main\n\ndeny contains \"a\" if false"})},
		"has a name with a way out": {Name: "..", FS: folder(map[string]string{"a.rego": "package main\n\ndeny contains \"a\" if false"})},
		"has a name with a slash":   {Name: "a/b", FS: folder(map[string]string{"a.rego": "package main\n\ndeny contains \"a\" if false"})},
	} {
		if _, err := policy.New(policy.Options{Packs: []policy.Pack{pack}}); !errs.Is(err, errs.Invalid) {
			t.Errorf("a pack that %s: New = %v, want invalid", name, err)
		}
	}
}

func TestThreat_SensitiveValuesStayOutOfMessages(t *testing.T) {
	e := small(t, policy.Options{}, map[string]string{"p.rego": `package main
deny contains {"msg": sprintf("%v", [rc.change]), "address": rc.address} if some rc in input.resource_changes
deny contains sprintf("%v", [input.variables]) if true
deny contains sprintf("%v %v", [input.planned_values, input.plan.prior_state]) if true
deny contains base64.encode(input.resource_changes[0].change.after.password) if true
`})
	p := parse(t, `{"format_version":"1.2","resource_changes":[{"address":"aws_db_instance.a","mode":"managed","type":"aws_db_instance","name":"a","change":{
		"actions":["update"],"before":{"password":"canary-before","open":"shown-before"},"after":{"password":"canary-after","users":[{"pin":"canary-nested"},{"pin":"shown-nested"}]},
		"after_unknown":{},"before_sensitive":{"password":true},"after_sensitive":{"password":true,"users":[{"pin":true},{}]}}}],
		"variables":{"secret":{"value":"canary-variable"},"open":{"value":"shown-variable"}},
		"configuration":{"root_module":{"variables":{"secret":{"sensitive":true},"open":{}}}},
		"planned_values":{"outputs":{"o":{"sensitive":true,"value":"canary-output"}}},
		"prior_state":{"values":{"root_module":{"resources":[{"address":"data.a.b","values":{"token":"canary-state"},"sensitive_values":{"token":true}}]}}}}`)
	raw, err := json.Marshal(judge(t, e, policy.Input{Plan: p}))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("canary")) || bytes.Contains(raw, []byte("Y2FuYXJ5")) {
		t.Errorf("the report shows a sensitive value: %s", raw)
	}
	for _, want := range []string{"shown-before", "shown-nested", "shown-variable"} {
		if !bytes.Contains(raw, []byte(want)) {
			t.Errorf("the report lacks %s, which is not sensitive: %s", want, raw)
		}
	}
}

const endless = `package slow
deny contains "never" if {
	some a in numbers.range(1, 100000)
	some b in numbers.range(1, 100000)
	some c in numbers.range(1, 100000)
	a + b + c < 0
}`

func TestEndlessRuleIsStoppedAndBlocks(t *testing.T) {
	e := small(t, policy.Options{RuleTime: 50 * time.Millisecond}, map[string]string{"slow.rego": endless})
	start := time.Now()
	r := judge(t, e, policy.Input{Plan: plan(t, change("aws_db_instance.a", goneDB, `null`))})
	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %s", took)
	}
	if r.Verdict != policy.Error || len(r.Problems) != 1 || r.Problems[0].Rule != "slow.deny" || !strings.Contains(r.Problems[0].Message, "stopped after") {
		t.Errorf("verdict %s, problems %v", r.Verdict, r.Problems)
	}
	if got := messages(r); len(got) != 1 || !strings.HasPrefix(got[0], "destruction.stateful") {
		t.Errorf("the other rules found %v", got)
	}
}

func TestAllRulesTogetherAreStopped(t *testing.T) {
	files := map[string]string{"a.rego": endless, "z.rego": "package zone\n\ndeny contains \"found\""}
	e := small(t, policy.Options{RuleTime: time.Minute, Time: 50 * time.Millisecond}, files)
	r := judge(t, e, policy.Input{Plan: plan(t)})
	rules := map[string]bool{}
	for _, p := range r.Problems {
		rules[p.Rule] = true
	}
	if r.Verdict != policy.Error || !rules["slow.deny"] || !rules["zone.deny"] {
		t.Errorf("verdict %s, problems %v; want slow.deny stopped and zone.deny not asked", r.Verdict, r.Problems)
	}
}

func TestCanceledJudgeGivesNoAnswer(t *testing.T) {
	e := small(t, policy.Options{RuleTime: time.Minute, Time: time.Minute}, map[string]string{"slow.rego": endless})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r, err := e.Judge(ctx, policy.Input{Plan: plan(t)})
	if !errs.Is(err, errs.Canceled) || r.Verdict != policy.Error {
		t.Errorf("Judge = %s, %v; want an error verdict and canceled", r.Verdict, err)
	}
}

func TestFaultyRuleBlocks(t *testing.T) {
	e := small(t, policy.Options{}, map[string]string{"p.rego": `package main
kind := "a" if input.version
kind := "b" if input.version
deny contains kind if true
`, "q.rego": "package other\n\ndeny contains {\"reason\": \"no msg\"}\n", "r.rego": "package third\n\ndeny := 7\n"})
	r := judge(t, e, policy.Input{Plan: plan(t)})
	if r.Verdict != policy.Error || len(r.Problems) != 3 {
		t.Fatalf("verdict %s, problems %v", r.Verdict, r.Problems)
	}
	for i, want := range []string{"own/p.rego:3: ", "own/q.rego:3: ", "own/r.rego:3: "} {
		if got := r.Problems[i].String(); !strings.HasPrefix(got, want) {
			t.Errorf("problem %q, want it to begin with %q", got, want)
		}
	}
}

func TestConftestPolicies(t *testing.T) {
	e := small(t, policy.Options{}, map[string]string{"policy/main.rego": `package main

import rego.v1

# Terraform's plan at the top of the input, as conftest is given it.
buckets := [rc | some rc in input.resource_changes; rc.type == "aws_s3_bucket"]

deny contains msg if {
	some rc in buckets
	rc.change.after.acl == "public-read"
	msg := sprintf("%s is public", [rc.address])
}

deny_version contains "too old" if input.terraform_version == "1.11.4"

violation contains {"msg": "named badly", "details": {"address": rc.address}} if some rc in buckets

warn contains {"msg": "look here"} if count(buckets) > 0

warn_off := false

deny_function(x) := x
`, "policy/main_test.rego": "package main_test\n\nnot even Rego"})
	r := judge(t, e, policy.Input{Plan: plan(t, change("aws_s3_bucket.a", `["create"]`, `{"acl":"public-read"}`))})
	want := []string{"main.deny: aws_s3_bucket.a is public", "main.deny_version: too old", "main.violation: named badly", "main.warn: look here"}
	if diff := cmp.Diff(want, messages(r)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if r.Mandatory != 3 || r.Advisory != 1 || r.Findings[2].Address != "aws_s3_bucket.a" {
		t.Errorf("mandatory %d, advisory %d, address %q", r.Mandatory, r.Advisory, r.Findings[2].Address)
	}
}

func TestFindingMayWeakenItsLevelOnly(t *testing.T) {
	e := small(t, policy.Options{}, map[string]string{"p.rego": `package main
deny contains {"msg": "weak", "level": "advisory"}
warn contains {"msg": "strong", "level": "mandatory"}
`})
	r := judge(t, e, policy.Input{Plan: plan(t)})
	if r.Verdict != policy.Warn || r.Advisory != 2 {
		t.Errorf("verdict %s, advisory %d; want warn, 2", r.Verdict, r.Advisory)
	}
}

func TestLevels(t *testing.T) {
	db := change("aws_db_instance.a", goneDB, `null`)
	bucket := change("aws_s3_bucket.a", `["create"]`, `{"tags":null}`)
	for _, c := range []struct {
		name       string
		own, calls map[string]policy.Level
		plan       string
		want       policy.Verdict
		rules      int
	}{
		{"as bundled", nil, nil, db, policy.Fail, 6},
		{"by the server", map[string]policy.Level{"destruction.stateful": policy.Advisory}, nil, db, policy.Warn, 6},
		{"off", map[string]policy.Level{"destruction.stateful": policy.Off}, nil, db, policy.Pass, 5},
		{"a folder", map[string]policy.Level{"security": policy.Off}, nil, db, policy.Fail, 3},
		{"the longest counts", map[string]policy.Level{"destruction": policy.Off, "destruction.stateful": policy.Advisory}, nil, db, policy.Warn, 5},
		{"stricter", map[string]policy.Level{"tagging.required": policy.Mandatory}, nil, bucket, policy.Fail, 6},
		{"by the client over the server", map[string]policy.Level{"tagging": policy.Off}, map[string]policy.Level{"tagging.required": policy.Mandatory}, bucket, policy.Fail, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := small(t, policy.Options{Overrides: policy.Overrides{Levels: c.own}}, nil)
			r := judge(t, e, policy.Input{Plan: plan(t, c.plan), Overrides: policy.Overrides{Levels: c.calls}})
			if r.Verdict != c.want || r.Rules != c.rules {
				t.Errorf("verdict %s by %d rules, want %s by %d", r.Verdict, r.Rules, c.want, c.rules)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	bucket := plan(t, change("aws_s3_bucket.a", `["create"]`, `{"tags":{"team":"a"}}`))
	e := small(t, policy.Options{Overrides: policy.Overrides{Settings: policy.Settings{"tagging": {"required": []string{"team"}}}}}, nil)
	first := judge(t, e, policy.Input{Plan: bucket})
	if first.Verdict != policy.Pass {
		t.Errorf("by the server: %v", messages(first))
	}
	client := policy.Overrides{Settings: policy.Settings{"tagging": {"required": []any{"team", "cost"}}}}
	second := judge(t, e, policy.Input{Plan: bucket, Overrides: client})
	if got := messages(second); len(got) != 1 || !strings.HasSuffix(got[0], "lacks the tag cost.") {
		t.Errorf("by the client: %v", got)
	}
	if third := judge(t, e, policy.Input{Plan: bucket}); !cmp.Equal(third, first) {
		t.Error("one client's settings changed another's report")
	}
	if first.Policies == second.Policies {
		t.Error("other settings have the same policy hash")
	}
	want := []any{"environment", "owner"}
	if diff := cmp.Diff(want, e.Settings()["tagging"]["required"]); diff != "" {
		t.Errorf("default (-want +got):\n%s", diff)
	}
}

func TestWrongOverridesAreAllReported(t *testing.T) {
	o := policy.Overrides{
		Levels: map[string]policy.Level{"destruction.statefull": policy.Off, "tagging": "soft", "destr": policy.Off},
		Settings: policy.Settings{
			"colours":     {"a": "b"},
			"destruction": {"label": "x", "most": "twenty", "labels": "allow", "extra_types": []any{1}},
			"security":    {"public_ports": []any{"22"}},
		},
	}
	_, err := policy.New(policy.Options{Overrides: o})
	e := small(t, policy.Options{}, nil)
	_, judged := e.Judge(t.Context(), policy.Input{Plan: plan(t), Overrides: o})
	for where, err := range map[string]error{"New": err, "Check": e.Check(o), "Judge": judged} {
		if !errs.Is(err, errs.Invalid) {
			t.Fatalf("%s = %v, want invalid", where, err)
		}
		for _, want := range []string{
			`no rule "destruction.statefull"`, `no rule "destr"`, `level of tagging is "soft"`, `no pack "colours"`, `no setting "label"`,
			"destruction.most is a text and must be a number", "destruction.labels is a text and must be a list",
			"destruction.extra_types holds a number", "security.public_ports holds a text",
		} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s does not say %q: %v", where, want, err)
			}
		}
	}
}

func TestFindingsAreCappedAndCounted(t *testing.T) {
	e := small(t, policy.Options{}, map[string]string{"p.rego": `package main
warn contains sprintf("%d", [i]) if some i in numbers.range(1, 700)
deny contains concat("", ["x\u0000\u202e\n", concat("", [c | some i in numbers.range(1, 3000); c := "y"])])
`})
	r := judge(t, e, policy.Input{Plan: plan(t)})
	if len(r.Findings) != 500 || r.Omitted != 201 || r.Advisory != 700 || r.Mandatory != 1 {
		t.Errorf("%d listed, %d omitted, %d advisory, %d mandatory", len(r.Findings), r.Omitted, r.Advisory, r.Mandatory)
	}
	// The mandatory one comes first, on one line and cut.
	if m := r.Findings[0].Message; !strings.HasPrefix(m, "x yyy") || len([]rune(m)) != 1000 || !strings.HasSuffix(m, "…") {
		t.Errorf("message of %d characters: %.20q", len([]rune(m)), m)
	}
}

func TestConcurrentJudgesAgree(t *testing.T) {
	e := small(t, policy.Options{Parallel: 4}, nil)
	p := bigPlan(t, 60)
	want := judge(t, e, policy.Input{Plan: p})
	if len(want.Findings) == 0 {
		t.Fatal("the plan has no findings to compare")
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			got, err := e.Judge(t.Context(), policy.Input{Plan: p})
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("Judge: %v (-want +got):\n%s", err, diff)
			}
		})
	}
	wg.Wait()
}

func TestRulesAreDocumented(t *testing.T) {
	for _, r := range engine(t, policy.Options{}, nil).Rules() {
		if r.Title == "deny" || r.Description == "" || r.Why == "" || r.Mend == "" || r.Good == nil || r.Bad == nil {
			t.Errorf("%s (%s:%d) lacks a title, description, why, mend or example: %+v", r.ID, r.File, r.Line, r)
		}
	}
}
