package config

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config/configtest"
	gates "github.com/tidelock/tidelock/internal/gate" // gate is a name in the tests
)

const someGates = `
gate "apply" {
  approvals = 2
  checks    = ["ci/*"]
  rule "small" {
    when    = "plan.delete < 5"
    message = "Too much at once."
  }
}
gate "destroy" { role = "admin" }
`

func TestConfigGates(t *testing.T) {
	_, file := configtest.Good(t, someGates)
	l := Read(file, nil, NeedAll)
	if len(l.Problems) > 0 {
		t.Fatal(l.Problems)
	}
	g := l.Config.Gates
	if g.Apply.Approvals != 2 || len(g.Apply.Expressions) != 1 || g.Destroy.Role != "admin" || g.Apply.Expressions[0].Pos != file+":12" {
		t.Errorf("%+v", g)
	}
	var out strings.Builder
	if err := l.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# from " + file + ":8:1\ngate \"apply\" {\n  approvals = 2\n  checks    = [\"ci/*\"]\n  rule \"small\" {", "gate \"destroy\" {\n  role = \"admin\"\n}\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("config show lacks %q:\n%s", want, out.String())
		}
	}
	text, err := json.Marshal(l.JSON())
	if err != nil || !strings.Contains(string(text), `"gate.destroy":{"value":{"role":"admin"},"source":"`+file+`:16:1"}`) || strings.Contains(string(text), "gate.plan") {
		t.Errorf("%v %s", err, text)
	}
}

func TestConfigGatesProblemsHaveTheirPlaces(t *testing.T) {
	_, file := configtest.Good(t, "gate \"apply\" {\n  approvals = 99\n  rule \"x\" {\n    when = \"plan.delet == 0\"\n  }\n}\ngate \"aply\" {}\ngate {}\n")
	_, problems := Load(file, nil)
	for i, want := range []string{":8:15: approvals must be a whole number between 0 and 10, but is 99.", `:10:17: the rule "x": plan has no field delet; it has`, `:13:1: a gate stands before "plan"`, ":14:6: "} {
		if i >= len(problems) || !strings.HasPrefix(problems[i].String(), file+want) {
			t.Fatalf("problem %d: %v, want %s", i, problems, want)
		}
	}
	if len(problems) != 4 {
		t.Errorf("%v", problems)
	}
}

// TestShortFormOfApprovals: the larger of the two holds.
func TestShortFormOfApprovals(t *testing.T) {
	_, file := configtest.Good(t, someGates+"defaults {\n  required_approvals = 3\n}\n")
	c, problems := Load(file, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got := c.Gates.WithFloor(c.Defaults.RequiredApprovals).Of(gates.ActApply); got.Approvals != 3 || !got.Policies {
		t.Errorf("%+v", got)
	}
}
