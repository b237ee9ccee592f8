package gate

import (
	"strings"
	"testing"
)

// TestHCLComesBack writes gates as a file and reads them again.
func TestHCLComesBack(t *testing.T) {
	r := strict()
	r.Expressions = append(r.Expressions, Expression{Name: "odd", Expr: "pull.title != \"${x} %{if} \\\\ \\\"\" &&\n  plan.delete < 5", Message: "Tab\there, \"quotes\" and ${a}."})
	s := Set{Apply: r, Plan: Rules{Labels: []string{"a${b}"}}}
	text := s.HCL(ActPlan) + s.HCL(ActApply) + s.HCL(ActDestroy)
	back, problems := decode(t, text)
	if len(problems) > 0 {
		t.Fatalf("%v\n%s", problems, text)
	}
	if again := back.HCL(ActPlan) + back.HCL(ActApply) + back.HCL(ActDestroy); again != text {
		t.Errorf("got\n%swant\n%s", again, text)
	}
	if back.Apply.Expressions[1].Expr != r.Expressions[1].Expr || back.Apply.Expressions[1].Message != r.Expressions[1].Message || back.Plan.Labels[0] != "a${b}" {
		t.Errorf("%+v", back)
	}
	if got := (Set{Apply: Rules{Also: []People{{Users: []string{"x"}}}}}).HCL(ActApply); !strings.Contains(got, `# and also among users = ["x"], teams = []`) {
		t.Errorf("%s", got)
	}
}

func TestAttributesAreDescribed(t *testing.T) {
	if len(Attributes()) != len(names) { // teams too, and nothing of budgets, which stand elsewhere
		t.Errorf("%d attributes, %d gates", len(Attributes()), len(names))
	}
	for _, a := range Attributes() {
		if a.Takes == "" || !strings.HasSuffix(a.Doc, ".") {
			t.Errorf("%s is not described", a.Name)
		}
	}
}
