package gate

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func decode(t *testing.T, text string) (Set, []Problem) {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(text), "tidelock.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return Decode(file.Body, "tidelock.hcl")
}

func TestDecode(t *testing.T) {
	s, problems := decode(t, `
autodiscover = false # not ours
gate "apply" {
  approvals                 = 2
  code_owners               = true
  mergeable                 = true
  checks                    = ["ci/*"]
  up_to_date                = true
  policies                  = true
  max_monthly_cost_increase = 500.5
  labels                    = ["approved-by-finance"]
  without_labels            = ["do-not-apply"]
  role                      = "maintain"
  users                     = ["alice"]
  teams                     = ["acme/platform"]
  rule "no-friday" {
    when    = "now.getDayOfWeek('Europe/Berlin') != 5 || plan.delete == 0"
    message = "Nothing is destroyed on a Friday."
  }
}
gate "plan" {
  code_owners = false
  approvals   = 0
  labels      = []
  role        = ""
  mergeable   = null
}
project "x" { dir = "." }
gate "destroy" {
  rule "big" {
    when = <<-EOT
      plan.delete < 100 &&
      actor.hasRole("admin")
    EOT
  }
}
`)
	for _, p := range problems {
		t.Error(p)
	}
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"plan":{"off":["approvals","code_owners","labels","role"]},` +
		`"apply":{"approvals":2,"code_owners":true,"mergeable":true,"checks":["ci/*"],"up_to_date":true,"policies":true,"max_monthly_cost_increase":"500.5",` +
		`"labels":["approved-by-finance"],"without_labels":["do-not-apply"],"role":"maintain","users":["alice"],"teams":["acme/platform"],` +
		`"rules":[{"name":"no-friday","expr":"now.getDayOfWeek('Europe/Berlin') != 5 || plan.delete == 0","message":"Nothing is destroyed on a Friday.","pos":"tidelock.hcl:17"}]},` +
		`"destroy":{"rules":[{"name":"big","expr":"plan.delete \u003c 100 \u0026\u0026\nactor.hasRole(\"admin\")\n","pos":"tidelock.hcl:31"}]}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDecodeTellsAllProblemsAtTheirPlaces(t *testing.T) {
	_, problems := decode(t, `gate "apply" {
  approvals   = "two"
  code_owners = "yes"
  checks      = "ci"
  labels      = ["a", 1]
  aprovals    = 2
  role        = "boss"
  users       = ["@alice", "alice", ""]
  teams       = ["platform"]
  max_monthly_cost_increase = -5
  without_labels = [var.x]
  rule "no friday" {
    when = "true"
  }
  rule "approvals" {
    when = "true"
    then = "false"
  }
  rule "bad" {
    when = "plan.delte == 0 && pull.titel == ''"
  }
  rule "heredoc" {
    when = <<-EOT
      plan.delete == 0 &&
        plan.creat == 0
    EOT
  }
  rule "empty" {}
  rule "bad" {
    when = 5
  }
  lock {}
}
gate "aply" {}
gate {}
gate "apply" {}
gate "plan" {
  policies = true
  approvals = 11
  labels = ["x"]
  without_labels = ["X"]
  rule "early" { 
    when = "cost.delta < 5.0" 
  }
}
`)
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	all := strings.Join(got, "\n")
	for _, want := range []string{
		"tidelock.hcl:2:17: approvals must be a number, but is a string.",
		"tidelock.hcl:3:17: code_owners must be true or false, but is a string.",
		"tidelock.hcl:4:17: checks must be a list of strings, but is a string.",
		"tidelock.hcl:5:17: labels must be a list of strings, but holds something else.",
		`tidelock.hcl:6:3: An argument named "aprovals" is not expected here.`,
		`A gate "apply" takes approvals, code_owners,`,
		`tidelock.hcl:7:17: role is "boss", but can be read, triage, write, maintain or admin.`,
		`tidelock.hcl:8:17: users: "@alice" is not a login; write it without @`,
		"tidelock.hcl:8:17: users holds an empty name.",
		`tidelock.hcl:9:17: teams: "platform" is not a team; write it as organization/team.`,
		"tidelock.hcl:10:31: max_monthly_cost_increase must be 0 or more, but is -5.",
		"tidelock.hcl:11:21: Variables not allowed",
		`tidelock.hcl:12:3: The name of a rule has letters`,
		`tidelock.hcl:15:3: "approvals" is the name of a gate of its own`,
		`tidelock.hcl:17:5: An argument named "then" is not expected here. A rule "approvals" takes when and message.`,
		`tidelock.hcl:20:17: The rule "bad": plan has no field delte; it has create,`,
		`tidelock.hcl:20:36: The rule "bad": pull has no field titel;`,
		`tidelock.hcl:25:13: The rule "heredoc": plan has no field creat;`,
		`tidelock.hcl:28:3: The rule "empty" lacks when`,
		`tidelock.hcl:29:3: There is a rule "bad" on line 19 already.`,
		`tidelock.hcl:30:12: when must be a string, but is a number.`,
		`tidelock.hcl:32:3: Blocks of type "lock" are not expected here.`,
		`tidelock.hcl:34:1: A gate stands before "plan", "apply" or "destroy"`,
		"tidelock.hcl:35:6: Missing act for gate.",
		`tidelock.hcl:36:1: There is a gate "apply" on line 1 already.`,
		`tidelock.hcl:38:3: policies looks at a plan, and before a plan there is none;`,
		"tidelock.hcl:39:15: approvals must be a whole number between 0 and 10, but is 11.",
		`tidelock.hcl:41:3: The label "x" is in labels and in without_labels`,
		`tidelock.hcl:43:13: The rule "early": There is no cost yet when a plan is asked for`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if len(problems) != 28 {
		t.Errorf("%d problems", len(problems))
	}
	if t.Failed() {
		t.Log("\n" + all)
	}
}

func TestThreat_HugeGateBlocks(t *testing.T) {
	var rules strings.Builder
	for i := range 200 {
		fmt.Fprintf(&rules, "rule \"r%d\" {\n when = \"plan.delete == %d\"\n}\n", i, i)
	}
	for _, c := range []struct{ body, want string }{
		{"labels = [" + strings.Repeat(`"x",`, 5000) + "]", "and 100 are allowed"},
		{`labels = ["` + strings.Repeat("x", 5000) + `"]`, "and 200 are allowed"},
		{rules.String(), "A gate can have 20 rules."},
		{"rule \"x\" {\n when = \"" + strings.Repeat("true || ", 5000) + "true\"\n}", "4096 are allowed"},
		{"max_monthly_cost_increase = 1e4000", "out of all bounds"},
		{"approvals = 1e300", "out of all bounds"},
		{"rule \"x\" {\n when = \"true\"\n message = \"" + strings.Repeat("y", 5000) + "\"\n}", "1000 are allowed"},
	} {
		_, problems := decode(t, "gate \"apply\" {\n"+c.body+"\n}\n")
		if len(problems) == 0 || !strings.Contains(fmt.Sprint(problems), c.want) || len(fmt.Sprint(problems)) > 200_000 {
			t.Errorf("%.40q: %.300v, want %q", c.body, problems, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("gate \"apply\" {\n approvals = 2\n rule \"x\" {\n when = <<-EOT\n  plan.x\n EOT\n }\n}\n")
	f.Add("gate \"plan\" {\n rule \"x\" {\n when = \"\\u00e4 ${1} %{if true}x%{endif} plan.y\"\n }\n}\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, _ := hclsyntax.ParseConfig([]byte(text), "f", hcl.InitialPos)
		if file == nil || file.Body == nil {
			return
		}
		s, problems := Decode(file.Body, "f")
		for _, p := range problems {
			if p.Message == "" || strings.Contains(p.Message, "%!") {
				t.Errorf("%q: %q", text, p)
			}
		}
		if len(problems) == 0 {
			for _, act := range Acts() {
				Evaluate(s.Of(act), Facts{})
			}
		}
	})
}
