package tfrun

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// planned reads the plan that a spec's run left.
func planned(t *testing.T, spec Spec) *tfplan.Plan {
	t.Helper()
	js, err := os.ReadFile(spec.PlanJSON)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, js)
}

// actions are a plan's changes as "create terraform_data.a".
func actions(p *tfplan.Plan) string {
	var out []string
	for _, c := range p.Changes {
		if c.Action != tfplan.ActionNoop {
			out = append(out, string(c.Action)+" "+strings.TrimPrefix(c.Address, "terraform_data."))
		}
	}
	return strings.Join(out, ", ")
}

func TestPlanWithOptions(t *testing.T) {
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, map[string]string{"main.tf": "variable \"size\" {\n  default = \"1\"\n}\nresource \"terraform_data\" \"a\" {\n  input = var.size\n}\nresource \"terraform_data\" \"b\" {\n  for_each = { \"x y\" = 1 }\n  input = each.value\n}\n"})
		with := func(o planner.Options, want Outcome) (Spec, Result) {
			t.Helper()
			spec := s.spec(".")
			spec.Options = o
			return spec, s.must(spec, want)
		}
		check := func(o planner.Options, want string) Spec {
			t.Helper()
			spec, _ := with(o, OutcomePlanned)
			if got := actions(planned(t, spec)); got != want {
				t.Errorf("%s: %s, want %s", o, got, want)
			}
			return spec
		}
		check(planner.Options{Targets: []string{"terraform_data.a"}}, "create a")
		check(planner.Options{Targets: []string{`terraform_data.b["x y"]`}}, `create b["x y"]`)
		all := check(planner.Options{Vars: []string{"size=two words"}, Parallelism: 1}, `create a, create b["x y"]`)
		if got := planned(t, all).Changes[0].After["input"]; got != "two words" {
			t.Errorf("the variable came out as %v", got)
		}
		apply := applyOf(all)
		apply.Options = planner.Options{Parallelism: 1}
		if r := s.must(apply, OutcomeApplied); r.PriorSerial != 0 || r.StateSerial == 0 {
			t.Errorf("serials %d and %d, want none and some", r.PriorSerial, r.StateSerial)
		}
		check(planner.Options{}, "update a") // the variable was the command's alone
		check(planner.Options{Vars: []string{"size=two words"}, Replace: []string{"terraform_data.a"}}, "replace a")
		check(planner.Options{Destroy: true}, `delete a, delete b["x y"]`)
		check(planner.Options{Destroy: true, Targets: []string{"terraform_data.a"}}, "delete a")

		for _, tc := range []struct {
			o    planner.Options
			want string
		}{
			{planner.Options{RefreshOnly: true, NoRefresh: true}, "-refresh=false"},
			{planner.Options{Vars: []string{"nosuch=1"}}, "nosuch"},
		} {
			if _, r := with(tc.o, OutcomeFailed); !strings.Contains(r.Error, tc.want) {
				t.Errorf("%s: no %q in\n%s", tc.o, tc.want, r.Error)
			}
		}
	})
}

// TestDriftIsFound changes and deletes objects under Terraform: they are
// files of the stand-in provider.
func TestDriftIsFound(t *testing.T) {
	config := toolchaintest.Mirror(t)
	each(t, func(t *testing.T, b Binary) {
		objects := t.TempDir()
		s := newSite(t, b, map[string]string{"main.tf": "provider \"aws\" {\n  region = \"eu-west-1\"\n}\nresource \"aws_sqs_queue\" \"q\" {\n  name = \"q\"\n  delay_seconds = 5\n}\nresource \"aws_s3_bucket\" \"b\" {\n  bucket = \"b\"\n}\noutput \"delay\" {\n  value = aws_sqs_queue.q.delay_seconds\n}\n"})
		toolchaintest.Write(t, filepath.Join(s.dir, "cli.tfrc"), config)
		spec := func(o planner.Options) Spec {
			spec := s.spec(".")
			spec.Env = map[string]string{"TIDELOCK_STANDIN_DIR": objects}
			spec.Options = o
			return spec
		}
		first := spec(planner.Options{})
		s.must(first, OutcomePlanned)
		s.must(applyOf(first), OutcomeApplied)

		look := spec(planner.Options{RefreshOnly: true})
		r := s.must(look, OutcomeNoChange)
		if p := planned(t, look); len(p.Drift()) != 0 || !r.Summary.Empty() {
			t.Errorf("drift where there is none: %+v", p.Drift())
		}

		edit := func(typ string, change func(string) string) {
			t.Helper()
			files, err := filepath.Glob(filepath.Join(objects, "aws", typ, "*.json"))
			if err != nil || len(files) != 1 {
				t.Fatalf("objects of %s: %v, %v", typ, files, err)
			}
			old, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			text := change(string(old))
			if text == string(old) {
				t.Fatalf("nothing to change in\n%s", old)
			}
			if text == "" {
				err = os.Remove(files[0])
			} else {
				err = os.WriteFile(files[0], []byte(text), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		edit("aws_sqs_queue", func(text string) string {
			return strings.Replace(text, `"delay_seconds": 5`, `"delay_seconds": 77`, 1)
		})
		edit("aws_s3_bucket", func(string) string { return "" })

		look = spec(planner.Options{RefreshOnly: true})
		r = s.must(look, OutcomePlanned)
		if r.Summary != (tfplan.Summary{Update: 1, Delete: 1, Outputs: 1}) {
			t.Errorf("%+v, want one changed, one gone and an output", r.Summary)
		}
		var text strings.Builder
		for _, c := range planned(t, look).Drift() {
			text.WriteString(tfplan.Diff(c, tfplan.DiffOptions{}))
		}
		for _, want := range []string{"# aws_s3_bucket.b has been deleted\n", "# aws_sqs_queue.q has changed\n", "5 -> 77"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("no %q in\n%s", want, text.String())
			}
		}
		if strings.Contains(text.String(), "will be") {
			t.Errorf("drift is told as a plan:\n%s", text.String())
		}

		// Without looking at the world, the plan is blind to it.
		s.must(spec(planner.Options{NoRefresh: true}), OutcomeNoChange)
		back := spec(planner.Options{})
		s.must(back, OutcomePlanned)
		if got := actions(planned(t, back)); got != "create aws_s3_bucket.b, update aws_sqs_queue.q" {
			t.Errorf("an ordinary plan would %s", got)
		}
	})
}

// TestWhatAFailedApplyLeavesIsWithin: one object is made, the next one can't
// be; what is planned then was all agreed to, though it knows more by now.
func TestWhatAFailedApplyLeavesIsWithin(t *testing.T) {
	config := toolchaintest.Mirror(t)
	code := func(name string) map[string]string {
		return map[string]string{"main.tf": "provider \"aws\" {\n  region = \"eu-west-1\"\n}\nresource \"aws_s3_bucket\" \"b\" {\n  bucket = \"b\"\n}\nresource \"aws_sqs_queue\" \"q\" {\n  name = \"" + name + "\"\n  tags = { bucket = aws_s3_bucket.b.arn }\n}\noutput \"q\" {\n  value = aws_sqs_queue.q.arn\n}\n"}
	}
	each(t, func(t *testing.T, b Binary) {
		s := newSite(t, b, code("fail-create-q"))
		toolchaintest.Write(t, filepath.Join(s.dir, "cli.tfrc"), config)
		reviewed := s.spec(".")
		s.must(reviewed, OutcomePlanned)
		r := s.must(applyOf(reviewed), OutcomeFailed)
		if !r.Started || !strings.HasPrefix(r.Error, "Terraform could not apply the plan. Done: aws_s3_bucket.b. Begun but not finished: aws_sqs_queue.q.\n") {
			t.Errorf("%+v", r)
		}
		left := s.spec(".")
		again := s.must(left, OutcomePlanned)
		was, is := planned(t, reviewed), planned(t, left)
		if actions(is) != "create aws_sqs_queue.q" || !is.Within(was) || was.Within(is) {
			t.Errorf("%s is within %s: %v, and the other way round: %v", actions(is), actions(was), is.Within(was), was.Within(is))
		}
		if again.PlanDigest == r.PlanDigest {
			t.Error("the test shows nothing: the plans are equal")
		}
		s.lay(code("another"))
		other := s.spec(".")
		s.must(other, OutcomePlanned)
		if planned(t, other).Within(was) {
			t.Error("another name is within it, too")
		}
	})
}
