package policy_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

// tested is a pack with tests of every outcome, of which one file is written in
// the Rego of before OPA 1.0.
var tested = map[string]string{
	"main.rego": `package main

import data.tidelock.plan

deny contains msg if {
	some rc in plan.made.aws_s3_bucket
	rc.change.after.acl in data.acls
	msg := sprintf("%s is open", [rc.address])
}

warn contains msg if {
	input.project.environment == "production"
	msg := "take care"
}
`,
	"data.json": `{"acls": ["public-read"]}`,
	"main_test.rego": `package main_test

import data.main
import data.tidelock.fixture

open := fixture.input_of([fixture.create("aws_s3_bucket", {"acl": "public-read"})])

test_open if {
	print("looking at", count(open.resource_changes))
	main.deny == {"aws_s3_bucket.x is open"} with input as open
}

test_wrong if {
	main.deny == set() with input as open
}

todo_test_later if false

test_broken if {
	x := {"a": y | some y in [1, 2]}
	x.a == 1
}

test_cases[name] if {
	some name, acl in {"private": "private", "public": "public-read"}
	count(main.deny) == 0 with input as fixture.input_of([fixture.create("aws_s3_bucket", {"acl": acl})])
}
`,
	"old_test.rego": `package old_test

import data.main

test_old {
	count(main.deny) == 0 with input as {"plan": {}}
}
`,
}

func TestRegoTests(t *testing.T) {
	report, err := policy.Test(t.Context(), []policy.Pack{{Name: "own", FS: folder(tested)}}, policy.TestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, r := range report.Tests {
		got = append(got, r.Package+" "+r.Name+" "+string(r.Outcome))
		switch r.Name {
		case "test_open":
			if r.Output != "looking at 1" || r.File != "own/main_test.rego" || r.Line != 8 {
				t.Errorf("%+v", r)
			}
		case "test_wrong":
			if !strings.Contains(r.Message, "main.deny == set()") || r.Line != 14 {
				t.Errorf("%+v", r)
			}
		case "test_broken":
			if !strings.Contains(r.Message, "object keys must be unique") {
				t.Errorf("%+v", r)
			}
		}
	}
	want := []string{"main_test test_open pass", "main_test test_wrong fail", "main_test todo_test_later skip", "main_test test_broken error", "main_test test_cases/private pass", "main_test test_cases/public fail", "old_test test_old pass"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tests (-want +got):\n%s", diff)
	}
	if report.Passed != 3 || report.Failed != 3 || report.Skipped != 1 {
		t.Errorf("%d passed, %d failed, %d skipped", report.Passed, report.Failed, report.Skipped)
	}
	c := report.Coverage
	if len(c.Files) != 1 || c.Files[0].File != "own/main.rego" || c.Percent >= 100 || c.Percent <= 0 {
		t.Fatalf("coverage %+v", c)
	}
	if diff := cmp.Diff([]policy.Lines{{11, 13}}, c.Files[0].Missed); diff != "" {
		t.Errorf("missed (-want +got):\n%s", diff)
	}
}

func TestRegoTestsByName(t *testing.T) {
	packs := []policy.Pack{{Name: "own", FS: folder(tested)}}
	report, err := policy.Test(t.Context(), packs, policy.TestOptions{Run: `^data\.main_test\.test_o`})
	if err != nil || len(report.Tests) != 1 || report.Passed != 1 {
		t.Errorf("Test = %+v, %v", report.Tests, err)
	}
	if _, err := policy.Test(t.Context(), packs, policy.TestOptions{Run: "("}); !errs.Is(err, errs.Invalid) {
		t.Errorf("a broken expression: %v", err)
	}
	broken := []policy.Pack{{Name: "own", FS: fstest.MapFS{"a_test.rego": {Data: []byte("package a_test\n\ntest_a if nothing(1)")}}}}
	if _, err := policy.Test(t.Context(), broken, policy.TestOptions{}); !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), "own/a_test.rego:3: undefined function nothing") {
		t.Errorf("a test that does not compile: %v", err)
	}
}

func TestRegoTestsAreStopped(t *testing.T) {
	packs := []policy.Pack{{Name: "own", FS: folder(map[string]string{"a_test.rego": strings.Replace(bomb, "deny contains msg if", "test_bomb if", 1)})}}
	if _, err := policy.Test(t.Context(), packs, policy.TestOptions{Memory: 32 << 20, Time: 5 * time.Minute}); !errs.Is(err, errs.TooLarge) {
		t.Errorf("Test = %v, want it stopped for its memory", err)
	}
}

func TestCoverageOfPlans(t *testing.T) {
	files := map[string]string{"main.rego": tested["main.rego"], "data.json": tested["data.json"]}
	e := engine(t, policy.Options{}, files)
	none, err := e.Cover(t.Context(), []policy.Input{{Plan: plan(t)}}, false)
	if err != nil {
		t.Fatal(err)
	}
	all, err := e.Cover(t.Context(), []policy.Input{
		{Plan: plan(t), Project: policy.Project{Environment: "production"}},
		{Plan: plan(t, change("aws_s3_bucket.a", `["create"]`, `{"acl":"public-read"}`))},
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	if all.Percent != 100 || none.Reached >= all.Reached || len(all.Files) != 1 {
		t.Errorf("coverage of no change %+v, of all %+v", none, all)
	}
	whole, err := e.Cover(t.Context(), []policy.Input{{Plan: plan(t)}}, true)
	if err != nil || len(whole.Files) < 10 {
		t.Errorf("with the bundled packs: %d files, %v", len(whole.Files), err)
	}
}
