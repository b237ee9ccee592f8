package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

// twoBuckets is a plan of a public bucket and a private one.
func twoBuckets(t testing.TB) policy.Input {
	return policy.Input{Plan: plan(t,
		change("aws_s3_bucket.open", `["create"]`, `{"acl":"public-read","tags":{"team":"a"}}`),
		change("aws_s3_bucket.shut", `["update"]`, `{"acl":"private","tags":null}`),
	)}
}

// TestPoliciesOfBeforeOPA1 are judged as they are: rules without "if", sets
// without "contains", and the built-ins that Rego has dropped since.
func TestPoliciesOfBeforeOPA1(t *testing.T) {
	e := small(t, policy.Options{}, map[string]string{
		"main.rego": `package main

import data.lib.plan as tf
import input as tfplan

blocked = ["public-read", "public-read-write"]

is_blocked(acl) {
	blocked[_] == acl
}

deny[msg] {
	bucket := tf.of_type("aws_s3_bucket")[_]
	is_blocked(bucket.change.after.acl)
	msg = sprintf("%v has the ACL %v", [bucket.address, bucket.change.after.acl])
}

violation[{"msg": msg, "details": {"address": rc.address}}] {
	rc := tfplan.resource_changes[_]
	any([rc.change.after.tags == null, rc.change.after.tags == {}])
	re_match("^aws_", rc.type)
	msg := "no tags"
}

warn_count[msg] {
	n := count([rc | rc := tfplan.resource_changes[_]; rc.change.actions[_] == "create"])
	n > 0
	msg := sprintf("%d new", [n])
}

default allow = false

allow {
	count(deny) == 0
}
`,
		"lib/plan.rego": `package lib.plan

of_type(type) = resources {
	resources := [rc | rc := input.resource_changes[_]; rc.type == type]
}
`,
		"keywords.rego": `package terraform.analysis

import future.keywords.contains
import future.keywords.if
import future.keywords.in

deny contains msg if {
	some rc in input.resource_changes
	not rc.change.after.tags.team
	msg := sprintf("%s has no team", [rc.address])
}
`,
		"new.rego": `package modern

import rego.v1

deny contains "too many" if count(input.resource_changes) > 1
`,
		"keyed.rego": `package keyed

import rego.v1

deny[reason] if {
	some rc in input.resource_changes
	reason := sprintf("%s by its key", [rc.address])
}

warn[rc.address] := {"msg": "by its value", "resource": rc.address} if {
	some rc in input.resource_changes
}
`,
	})
	r := judge(t, e, twoBuckets(t))
	want := []string{
		"keyed.deny: aws_s3_bucket.open by its key", "keyed.deny: aws_s3_bucket.shut by its key",
		"main.deny: aws_s3_bucket.open has the ACL public-read",
		"main.violation: no tags",
		"modern.deny: too many",
		"terraform.analysis.deny: aws_s3_bucket.shut has no team",
		"keyed.warn: by its value", "keyed.warn: by its value",
		"main.warn_count: 1 new",
	}
	if diff := cmp.Diff(want, own(r)); diff != "" || len(r.Problems) > 0 {
		t.Errorf("findings (-want +got):\n%s\n%v", diff, r.Problems)
	}
}

// own gives the messages of what the pack "own" found.
func own(r policy.Report) []string {
	out := []string{}
	for _, f := range r.Findings {
		if f.Pack == "own" {
			out = append(out, f.Rule+": "+f.Message)
		}
	}
	return out
}

func TestExceptionsOfConftest(t *testing.T) {
	e := small(t, policy.Options{}, map[string]string{"p.rego": `package main

deny_public[msg] {
	msg := "public"
}

deny_tags[msg] {
	msg := "no tags"
}

deny[msg] {
	msg := "plain"
}

exception[rules] {
	input.pull.labels[_] == "sandbox"
	rules := ["public", ""]
}
`})
	in := twoBuckets(t)
	if r := judge(t, e, in); r.Mandatory != 3 {
		t.Errorf("without exceptions: %v", own(r))
	}
	in.Pull = &policy.Pull{Labels: []string{"sandbox"}}
	r := judge(t, e, in)
	want := []string{"main.deny_tags: no tags", "main.deny: plain (excepted by the policy)", "main.deny_public: public (excepted by the policy)"}
	if diff := cmp.Diff(want, own(r)); diff != "" {
		t.Errorf("with exceptions (-want +got):\n%s", diff)
	}
	if r.Mandatory != 1 {
		t.Errorf("%d findings forbid, want 1", r.Mandatory)
	}
}

const readsData = `package main

deny contains msg if {
	some rc in input.resource_changes
	not rc.change.after.acl in data.allowed.acls
	msg := sprintf("%s: %s", [rc.address, data.team.channel])
}
`

func TestDataOfPacks(t *testing.T) {
	acls, team := `{"acls": ["private"]}`, "channel: \"#infra\"\n"
	for name, c := range map[string]struct {
		files map[string]string
		data  []string
	}{
		"an OPA bundle":         {map[string]string{"allowed/data.json": acls, "team/data.yaml": team, ".manifest": `{"roots": ["main", "allowed", "team"], "revision": "r1"}`}, nil},
		"one file":              {map[string]string{"data.json": `{"allowed": {"acls": ["private"]}, "team": {"channel": "#infra"}}`}, nil},
		"conftest's data":       {map[string]string{"data/lists.yaml": "allowed:\n  acls: [private]\n", "data/team/any.yml": team}, nil},
		"folders that we name":  {map[string]string{"lists/allowed/a.json": acls, "teams.json": `{"team": {"channel": "#infra"}}`, "fixtures/plan.json": `{"allowed": 7}`}, []string{"lists", "teams.json"}},
		"what is not data":      {map[string]string{"data.yaml": "allowed: {acls: [private]}\nteam: {channel: \"#infra\"}", "package.json": `{"allowed": 1}`, ".github/workflows/data.yaml": "allowed: 1", "README.md": "# a"}, nil},
		"merged from two files": {map[string]string{"data.json": `{"allowed": {"acls": ["private"]}, "team": {}}`, "team/data.json": `{"channel": "#infra"}`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.files["p.rego"] = readsData
			e, err := policy.New(policy.Options{Packs: []policy.Pack{{Name: "own", FS: folder(c.files), Data: c.data}}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"main.deny: aws_s3_bucket.open: #infra"}, own(judge(t, e, twoBuckets(t)))); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDataChangesTheVersion(t *testing.T) {
	versions := map[string]bool{}
	for _, acl := range []string{"private", "public-read", "private"} {
		e := small(t, policy.Options{}, map[string]string{"p.rego": readsData, "data.json": fmt.Sprintf(`{"allowed": {"acls": [%q]}, "team": {"channel": "a"}}`, acl)})
		versions[judge(t, e, twoBuckets(t)).Policies] = true
	}
	if len(versions) != 2 {
		t.Errorf("two sets of data give %d versions", len(versions))
	}
}

func TestPacksThatCannotBeRead(t *testing.T) {
	const rule = "package main\n\ndeny contains \"a\" if false"
	for name, c := range map[string]struct {
		files map[string]string
		says  string
	}{
		"data that nobody gives":    {map[string]string{"p.rego": readsData}, "own/p.rego:5: data.allowed is given by no package and no data file"},
		"a library that is missing": {map[string]string{"p.rego": "package main\n\nimport data.lib.tf\n\ndeny contains \"a\" if tf.public"}, "own/p.rego:5: data.lib is given by no package"},
		"data of ours":              {map[string]string{"p.rego": rule, "data.json": `{"tidelock": {"labels": {}}}`}, "own/data.json: data.tidelock belongs to the bundled policies"},
		"data of ours by folder":    {map[string]string{"p.rego": rule, "tidelock/data.json": `{"a": 1}`}, "own/tidelock/data.json: data.tidelock belongs to the bundled policies"},
		"data that is no object":    {map[string]string{"p.rego": rule, "data.json": `[1]`}, "own/data.json: data is an object"},
		"broken data":               {map[string]string{"p.rego": rule, "data.yaml": "a: [1"}, "own/data.yaml: the data can't be read"},
		"data given twice":          {map[string]string{"p.rego": rule, "data/a.json": `{"x": 1}`, "data/b.json": `{"x": 2}`}, "own/data/b.json: x of the data is given by another file too"},
		"data where a rule is":      {map[string]string{"p.rego": rule, "data.json": `{"main": {"deny": ["b"]}}`}, "own/p.rego:3: "},
		"a package outside roots":   {map[string]string{"p.rego": rule, ".manifest": `{"roots": ["acme"]}`}, "own/p.rego:1: package main is outside of the roots"},
		"data outside roots":        {map[string]string{"p.rego": rule, "data.json": `{"other": 1}`, ".manifest": `{"roots": ["main"]}`}, "own/.manifest: data.other is outside of the roots"},
		"a broken manifest":         {map[string]string{"p.rego": rule, ".manifest": `{`}, "own/.manifest: the bundle's manifest can't be read"},
		"Gatekeeper's template":     {map[string]string{"p.rego": rule, "template.yaml": "apiVersion: templates.gatekeeper.sh/v1\nkind: ConstraintTemplate\n"}, "own/template.yaml: a Gatekeeper ConstraintTemplate is not read"},
		"files nobody asked for":    {map[string]string{"p.rego": "package main\n\ndeny contains \"a\" if not input.files.CODEOWNERS"}, "own/p.rego:3: input.files holds what rules ask for"},
		"files outside":             {map[string]string{"p.rego": "package main\n\n# METADATA\n# custom:\n#   files: [../secret]\ndeny contains \"a\" if not input.files.x"}, "own/p.rego:6: files names ../secret"},
		"recursion":                 {map[string]string{"p.rego": "package main\n\nf(x) := f(x - 1)\n\ndeny contains \"a\" if f(3)"}, "own/p.rego:3: rego_recursion_error"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.New(policy.Options{Packs: []policy.Pack{{Name: "own", FS: folder(c.files)}}})
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), strings.Replace(c.says, "rego_recursion_error", "rule data.main.f is recursive", 1)) {
				t.Errorf("New = %v\nwant %s", err, c.says)
			}
		})
	}
}

// TestPacksStayApart: two packs that chose the same names are two, in rules and
// in helpers.
func TestPacksStayApart(t *testing.T) {
	of := func(word string) policy.Pack {
		return policy.Pack{Name: word, FS: folder(map[string]string{
			"p.rego":    fmt.Sprintf("package main\n\nhelper := %q\n\ndeny contains sprintf(\"%%s %%s\", [helper, data.name])", word),
			"data.json": fmt.Sprintf(`{"name": %q}`, strings.ToUpper(word)),
		})}
	}
	e, err := policy.New(policy.Options{Packs: []policy.Pack{of("one"), of("two")}})
	if err != nil {
		t.Fatal(err)
	}
	r := judge(t, e, policy.Input{Plan: plan(t)})
	got := map[string]string{}
	prints := map[string]bool{}
	for _, f := range r.Findings {
		got[f.Pack] = f.Message
		prints[f.Fingerprint] = true
	}
	if diff := cmp.Diff(map[string]string{"one": "one ONE", "two": "two TWO"}, got); diff != "" || len(prints) != 2 || len(r.Problems) > 0 {
		t.Errorf("findings (-want +got):\n%s\n%v %v", diff, prints, r.Problems)
	}
}

func TestFilesThatRulesAskFor(t *testing.T) {
	e := small(t, policy.Options{}, map[string]string{
		"a.rego": "# METADATA\n# scope: package\n# custom:\n#   files: [\"live/**/owners.yaml\", CODEOWNERS]\npackage main\n\ndeny contains \"no owners\" if not input.files.CODEOWNERS",
		"b.rego": "package main\n\n# METADATA\n# custom:\n#   files: CODEOWNERS\nwarn contains \"a\" if count(input.files) > 1",
	})
	if diff := cmp.Diff([]string{"CODEOWNERS", "live/**/owners.yaml"}, e.Files()); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if got := small(t, policy.Options{}, nil).Files(); len(got) != 0 {
		t.Errorf("the bundled rules ask for %v", got)
	}
}
