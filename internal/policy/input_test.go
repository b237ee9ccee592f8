package policy_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

// everyFact is an input in which nothing is missing.
func everyFact(t testing.TB) policy.Input {
	return policy.Input{
		Plan:    plan(t, change("aws_s3_bucket.a", `["create"]`, `{"tags":{"owner":"a","environment":"b"}}`)),
		Pull:    &policy.Pull{Repo: "acme/live", Number: 7, Title: "Grow", Author: "ada", Labels: []string{"big"}, HeadRef: "grow", BaseRef: "main", HeadSHA: "abc", Approvals: []string{"grace"}},
		Project: policy.Project{Name: "net", Dir: "live/net", Workspace: "default", Environment: "production"},
		Client:  policy.Client{Slug: "acme", Name: "Acme"},
		Change:  &policy.Change{ID: "c1", HeadSHA: "abc", BaseSHA: "def", Merged: true, Files: []string{"live/net/main.tf"}},
		Cost: &policy.Cost{Currency: "EUR", Before: "10", After: "12.5", Delta: "2.5", Known: true,
			Resources: []policy.CostOfResource{{Address: "aws_s3_bucket.a", Type: "aws_s3_bucket", Before: "0", After: "2.5"}}},
		Actor: &policy.Actor{Kind: "user", Login: "ada"},
		State: &policy.State{Lineage: "l", Serial: 41},
		Files: map[string]string{"CODEOWNERS": "* @ada"},
	}
}

const readsFacts = `package main
deny contains sprintf("%s %d %s %v %s", [input.pull.repo, input.pull.number, input.pull.author, input.pull.labels, concat(",", input.pull.approvals)])
deny contains sprintf("%s in %s for %s", [input.project.dir, input.project.environment, input.client.slug])
deny contains sprintf("%s %v %v", [input.change.id, input.change.merged, input.change.files])
deny contains sprintf("%v to %v %s: %s", [input.cost.before, input.cost.after, input.cost.currency, input.cost.resources[0].address])
deny contains sprintf("%s %s", [input.actor.kind, input.actor.login])
deny contains sprintf("%s %d", [input.state.lineage, input.state.serial])
# METADATA
# custom:
#   files: [CODEOWNERS]
deny contains input.files.CODEOWNERS
deny contains sprintf("%v of %v", [missing, input.version]) if {
	missing := [k | some k in ["pull", "change", "cost", "actor", "state", "files"]; not input[k]]
}
`

func TestRulesSeeEveryFact(t *testing.T) {
	e := small(t, policy.Options{}, map[string]string{"p.rego": readsFacts})
	r := judge(t, e, everyFact(t))
	want := []string{
		`main.deny: * @ada`,
		`main.deny: 10 to 12.5 EUR: aws_s3_bucket.a`,
		`main.deny: [] of 1`,
		`main.deny: acme/live 7 ada ["big"] grace`,
		`main.deny: c1 true ["live/net/main.tf"]`,
		`main.deny: l 41`,
		`main.deny: live/net in production for acme`,
		`main.deny: user ada`,
	}
	if diff := cmp.Diff(want, of(r, "main.deny")); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	// What nobody knows has no key at all.
	r = judge(t, e, policy.Input{Plan: plan(t)})
	want = []string{`main.deny: in  for`, `main.deny: ["pull", "change", "cost", "actor", "state", "files"] of 1`}
	if diff := cmp.Diff(want, of(r, "main.deny")); diff != "" {
		t.Errorf("findings without facts (-want +got):\n%s", diff)
	}
}

// of gives the messages of one rule's findings.
func of(r policy.Report, rule string) []string {
	out := []string{}
	for _, m := range messages(r) {
		if strings.HasPrefix(m, rule+": ") {
			out = append(out, m)
		}
	}
	return out
}

func TestReadInput(t *testing.T) {
	e := small(t, policy.Options{}, nil)
	in := everyFact(t)
	raw, err := e.JSON(in)
	if err != nil {
		t.Fatal(err)
	}
	back, err := policy.ReadInput(raw)
	if err != nil {
		t.Fatal(err)
	}
	again, err := e.JSON(back)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(raw), string(again)); diff != "" {
		t.Errorf("what was written and read (-want +got):\n%s", diff)
	}
	bare, err := policy.ReadInput(in.Plan.Raw)
	if err != nil || bare.Pull != nil || string(bare.Plan.Raw) != string(in.Plan.Raw) {
		t.Errorf("a bare plan: %v, %+v", err, bare)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(raw, &keys); err != nil {
		t.Fatal(err)
	}
	want := []string{"actor", "change", "client", "cost", "files", "plan", "project", "pull", "settings", "state", "version"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(keys))); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestReadInputRefuses(t *testing.T) {
	for name, c := range map[string]struct{ raw, says string }{
		"a later version":    {`{"version":2,"plan":{"format_version":"1.2"}}`, "version 2, and this Tidelock knows version 1"},
		"a version of words": {`{"version":"one","plan":{"format_version":"1.2"}}`, `version "one"`},
		"no version":         {`{"plan":{"format_version":"1.2"}}`, "no version"},
		"a plan file":        {"PK\x03\x04", "terraform show -json"},
		"nothing":            {"", "terraform show -json"},
		"a state":            {`{"format_version":"1.0","values":{"root_module":{}}}`, "a state and not a plan"},
		"some other JSON":    {`{"name":"x"}`, "neither a plan nor an input"},
		"broken JSON":        {"{\n\"plan\": oops}", "line 2"},
		"a wrong fact":       {`{"version":1,"plan":{"format_version":"1.2"},"pull":{"number":"seven"}}`, "pull.number is a string"},
		"a later plan":       {`{"format_version":"2.0","resource_changes":[]}`, "2.0"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.ReadInput([]byte(c.raw))
			if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), c.says) {
				t.Errorf("ReadInput = %v, want %q in the sentence", err, c.says)
			}
		})
	}
}

func TestFingerprints(t *testing.T) {
	e := small(t, policy.Options{}, map[string]string{"p.rego": `package main
deny contains {"msg": sprintf("%s of %d", [rc.type, count(input.resource_changes)]), "address": rc.address} if some rc in input.resource_changes
deny_own contains {"msg": sprintf("%s of %d", [rc.type, count(input.resource_changes)]), "address": rc.address, "fingerprint": "bucket"} if some rc in input.resource_changes
deny_secret contains {"msg": rc.change.after.password, "address": rc.address, "fingerprint": rc.change.after.password} if some rc in input.resource_changes
`})
	prints := func(dir, workspace string, changes ...string) map[string]string {
		t.Helper()
		r := judge(t, e, policy.Input{Plan: plan(t, changes...), Project: policy.Project{Name: "any", Dir: dir, Workspace: workspace}})
		out := map[string]string{}
		for _, f := range r.Findings {
			if f.Pack != "own" {
				continue
			}
			if len(f.Fingerprint) != 32 || strings.Trim(f.Fingerprint, "0123456789abcdef") != "" {
				t.Errorf("fingerprint %q is not 16 bytes in hexadecimal", f.Fingerprint)
			}
			out[f.Rule+" "+f.Address] = f.Fingerprint
		}
		return out
	}
	a, b := change("x.a", `["create"]`, `{}`), change("x.b", `["create"]`, `{}`)
	first := prints("live", "default", a)
	if diff := cmp.Diff(first, prints("live", "default", a)); diff != "" {
		t.Errorf("the same plan has other fingerprints: %s", diff)
	}
	both := prints("live", "default", a, b)
	if both["main.deny x.a"] == first["main.deny x.a"] {
		t.Error("another message has the same fingerprint")
	}
	if both["main.deny_own x.a"] != first["main.deny_own x.a"] {
		t.Error("the rule's own fingerprint does not last")
	}
	if both["main.deny_own x.a"] == both["main.deny_own x.b"] {
		t.Error("two addresses share a fingerprint")
	}
	for _, other := range []map[string]string{prints("other", "default", a), prints("live", "other", a)} {
		if other["main.deny x.a"] == first["main.deny x.a"] || other["main.deny_own x.a"] == first["main.deny_own x.a"] {
			t.Error("two projects share a fingerprint")
		}
	}
	secret := func(word string) string {
		return prints("live", "default", strings.Replace(change("x.a", `["create"]`, `{"password":"`+word+`"}`), `"after_unknown"`, `"after_sensitive":{"password":true},"after_unknown"`, 1))["main.deny_secret x.a"]
	}
	if one := secret("canary-1"); one == "" || one != secret("canary-2") {
		t.Error("a fingerprint tells of a secret")
	}
}
