package gate

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func evalExpr(t *testing.T, text string, f Facts) (bool, string) {
	t.Helper()
	c := compile(text)
	if len(c.problems) > 0 {
		t.Fatalf("%s: %+v", text, c.problems)
	}
	return c.eval(f)
}

func TestExpressions(t *testing.T) {
	f := good()
	f.Plan.Delete = 1
	f.Plan.Targets = []string{"aws_db_instance.main"}
	f.Plan.Resources = append(f.Plan.Resources, Resource{"aws_db_instance.main", "aws_db_instance", "delete"})
	for _, c := range []struct {
		text string
		want bool
		why  string // part of what kept it from having a result
	}{
		{`plan.resources.exists(r, r.type == "aws_db_instance" && r.action == "delete")`, true, ""},
		{`plan.resources.all(r, r.address.startsWith(r.type))`, true, ""},
		{`plan.resources.exists_one(r, r.action == "delete")`, true, ""},
		{`plan.resources.filter(r, r.action == "delete").size() <= 1`, true, ""},
		{`plan.targets == ["aws_db_instance.main"] && plan.targets.size() == 1`, true, ""},
		{`plan.create + plan.update + plan.replace + plan.delete < 3`, true, ""},
		{`plan.import == 0 && plan.read == 0 && plan.move == 0 && plan.forget == 0 && !plan.destroy && plan.serial == 4 && plan.digest == "d1"`, true, ""},
		{`plan.project == "net" && plan.dir == "net" && plan.workspace in ["default", "dev"]`, true, ""},
		{`cost.known && cost.delta < 50 && cost.after > cost.before`, true, ""},
		{`actor.login == "alice" && actor.role == "maintain" && actor.hasRole("write") && !actor.hasRole("admin")`, true, ""},
		{`actor.memberOf("Acme/Platform") && !actor.memberOf("acme/network")`, true, ""},
		{`actor.memberOf("acme/never-asked")`, false, "whether the actor is in acme/never-asked is not known"},
		{`!actor.memberOf("acme/never-asked")`, false, "is not known"},
		{`"ci/build" in checks.passed && checks.failed.size() == 0 && checks.pending == []`, true, ""},
		{`policy.verdict == "pass" && !policy.waived`, true, ""},
		{`policy.hard == 0`, true, ""},
		{`pull.number == 7 && pull.title == "Add a bucket" && pull.author == "bob" && pull.base_ref == "main" && pull.head_ref == "bucket"`, true, ""},
		{`pull.open && !pull.merged && !pull.draft && !pull.fork && pull.mergeable && pull.behind == 0 && pull.head_sha.size() == 14`, true, ""},
		{`pull.approvals == 2 && "carol" in pull.approved_by`, true, ""},
		{`pull.labels.exists(l, l.matches("^Approved-By-[A-Z]"))`, true, ""},
		{`("by-" + actor.login) in pull.labels`, false, ""},
		{`now.getFullYear() == 2026 && now < timestamp("2030-01-01T00:00:00Z") && now + duration("24h") > now`, true, ""},
		{`1 / 0 == 1`, false, "division by zero"},
		{`plan.resources[9].type == "x"`, false, "index out of bounds"},
	} {
		got, why := evalExpr(t, c.text, f)
		if got != c.want || !strings.Contains(why, c.why) || (why == "") != (c.why == "") {
			t.Errorf("%s: %v %q, want %v %q", c.text, got, why, c.want, c.why)
		}
	}
}

// TestExpressionOverWhatIsNotKnown: what was not read is neither 0 nor "".
func TestExpressionOverWhatIsNotKnown(t *testing.T) {
	f := Facts{Now: time.Unix(1e9, 0), Pull: Pull{HeadSHA: "abc"}, Actor: Actor{Login: "alice"}, Cost: &CostChange{Delta: usd("1")}, Checks: &CheckResults{HeadSHA: "older"}}
	for _, text := range []string{
		"pull.behind == 0", "!pull.mergeable", "pull.approvals < 1", "pull.approved_by.size() == 0", "cost.delta < 5", "cost.before == 0.0",
		"actor.role != 'read'", "!actor.hasRole('admin')", "plan.delete == 0", "plan == plan", "checks.failed.size() == 0", "policy.verdict != 'fail'",
	} {
		if ok, why := evalExpr(t, text, f); ok || why == "" {
			t.Errorf("%s: %v %q, want an error", text, ok, why)
		}
	}
	if ok, why := evalExpr(t, "!has(cost.delta) && !cost.known && !has(pull.behind)", f); !ok {
		t.Errorf("has: %q", why)
	}
	for text, f := range map[string]Facts{"pull.title == ''": {}, "actor.login == ''": {}, "now.getFullYear() < 2000": {}} {
		if ok, why := evalExpr(t, text, f); ok || why == "" {
			t.Errorf("%s: %v %q, want an error", text, ok, why)
		}
	}
}

// TestChangeWindow goes through a week of a freeze in a zone with summer time.
func TestChangeWindow(t *testing.T) {
	const text = `now.getDayOfWeek("Europe/Berlin") in [1, 2, 3, 4] && now.getHours("Europe/Berlin") >= 9 && now.getHours("Europe/Berlin") < 17`
	f := good()
	for at, want := range map[string]bool{
		"2026-03-27T10:00:00Z": false, // Friday
		"2026-03-26T10:00:00Z": true,
		"2026-03-26T07:59:59Z": false, // 8:59 in winter time
		"2026-03-26T08:00:00Z": true,
		"2026-03-30T06:59:59Z": false, // Monday, 8:59 in summer time
		"2026-03-30T07:00:00Z": true,
		"2026-03-29T22:30:00Z": false, // Monday already there
		"2026-03-26T15:59:59Z": true,
		"2026-03-26T16:00:00Z": false,
	} {
		var err error
		if f.Now, err = time.Parse(time.RFC3339, at); err != nil {
			t.Fatal(err)
		}
		if got, why := evalExpr(t, text, f); got != want || why != "" {
			t.Errorf("%s: %v %s, want %v", at, got, why, want)
		}
	}
	friday := "now.getDayOfWeek('Europe/Berlin') != 5 || plan.delete == 0"
	f.Now = time.Date(2026, 3, 27, 10, 0, 0, 0, time.UTC)
	for deletes, want := range map[int]bool{0: true, 1: false} {
		f.Plan.Delete = deletes
		if got, why := evalExpr(t, friday, f); got != want || why != "" {
			t.Errorf("%d deletions on a Friday: %v %s", deletes, got, why)
		}
	}
}

func TestBadExpressionsSayWhatThereIs(t *testing.T) {
	for _, c := range []struct {
		text      string
		line, col int
		want      string
	}{
		{"pull.titel == 'x'", 1, 5, "pull has no field titel; it has approvals, approved_by, author,"},
		{"true &&\n  plan.resources.exists(r, r.adress == 'x')", 2, 29, "resource has no field adress; it has action, address and type."},
		{"pul.title == 'x'", 1, 1, "There is no pul; an expression can look at actor, checks, cost, now, plan, policy and pull."},
		{"open(plan)", 1, 5, "There is no function open."},
		{"pull.title", 1, 1, "The expression gives string, but has to be true or false."},
		{"1 +", 1, 4, "Syntax error"},
		{"", 1, 1, "empty"},
		{"cost.delta == 0", 1, 12, "== can't be used with (double, int). Write the whole number with a point, as in 0.0."},
		{"plan.resources.map(r, r.type).size() > 0", 1, 19, "map does not exist here"},
		{"now.getHours('Berlin') > 3", 1, 14, `There is no time zone "Berlin"`},
		{"now.getHours('Local') > 3", 1, 14, `There is no time zone "Local"`},
		{"now > timestamp('yesterday')", 1, 17, "Invalid timestamp"},
		{"pull.title.matches('(')", 1, 20, "Invalid matches argument"},
		{"pull.title.matches(pull.author)", 1, 19, "a pattern as it is written"},
		{"pull.title.matches('(a{30}){30}')", 1, 20, "too large"},
		{"actor.memberOf('platform')", 1, 15, "organization/team"},
		{"actor.memberOf(pull.title)", 1, 15, "organization/team"},
		{"actor.hasRole('owner')", 1, 14, "read, triage, write, maintain or admin"},
		{"dyn(plan.delete) == 1", 1, 4, "dyn"},
		{"[1] + [2] == [1, 2]", 1, 5, "Lists can't be added"},
		{"[[1]] == [[1]]", 1, 7, "can be compared"},
		{"[1] in [[1]]", 1, 5, "can be compared"},
		{"plan.resources.exists(pull, pull.type == 'x')", 1, 29, "pull has a meaning already"},
		{"[1].all(a, [1].all(b, [1].all(c, true)))", 1, 30, "2 deep"},
		{"[1, 'a'].size() == 2", 1, 5, "string"},
		{strings.Repeat("(", 100) + "true" + strings.Repeat(")", 100), 1, 1, "recursion"},
		{"true || " + strings.Repeat("'x' == 'x' || ", 400) + "true", 1, 1, "4096 are allowed"},
		{`'a' + 'b' + 'c' + 'd' + 'e' + 'f' == ''`, 1, 29, "joined 4 times"},
	} {
		got := CheckExpression(ActApply, c.text)
		if len(got) == 0 || got[0].Line != c.line || got[0].Column != c.col || !strings.Contains(got[0].Message, c.want) {
			t.Errorf("%.60s: %+v, want %d:%d %q", c.text, got, c.line, c.col, c.want)
		}
	}
	if got := CheckExpression(ActPlan, "plan.delete == 0"); len(got) != 1 || !strings.Contains(got[0].Message, "There is no plan yet") {
		t.Errorf("a plan before the plan: %+v", got)
	}
	if got := CheckExpression(ActPlan, "!pull.fork && checks.failed.size() == 0"); len(got) > 0 {
		t.Errorf("refused before a plan: %+v", got)
	}
}

// TestThreat_TitleIsData: what a pull's author writes is compared, and never
// read as an expression.
func TestThreat_TitleIsData(t *testing.T) {
	f := good()
	for _, title := range []string{`" || true || "`, `' || true || '`, `${true}`, "true", `\") || actor.hasRole("admin`, "{{true}}"} {
		f.Pull.Title, f.Pull.HeadRef, f.Pull.Labels = title, title, []string{title}
		f.Plan.Resources = []Resource{{title, title, title}}
		for _, text := range []string{`pull.title == "release"`, `"release" in pull.labels`, `plan.resources.exists(r, r.address == "release")`, `pull.head_ref.startsWith("release/")`} {
			if ok, why := evalExpr(t, text, f); ok || why != "" {
				t.Errorf("title %q opens %s (%s)", title, text, why)
			}
		}
		if ok, _ := evalExpr(t, "pull.title.size() > 0", f); !ok {
			t.Errorf("title %q is not there", title)
		}
	}
}

// bombs are expressions that are small and would be much work, each refused
// or ended.
func bombs() []string {
	nested := func(n int) string { // doubles a value at each level
		text := fmt.Sprintf("a%d == a%d", n, n)
		for i := n; i > 0; i-- {
			text = fmt.Sprintf("[[a%d, a%d]].exists(a%d, %s)", i-1, i-1, i, text)
		}
		return "[[1]].exists(a0, " + text + ")"
	}
	types := "true" // doubles a type at each level
	for i := 12; i > 0; i-- {
		types = fmt.Sprintf("[{'k': a%d, 'l': a%d}].exists(a%d, %s)", i-1, i-1, i, types)
	}
	return []string{
		nested(3), nested(30), "[1].exists(a0, " + types + ")",
		"[[1]]" + strings.Repeat(".map(a, a + a)", 40) + ".all(a, a == a)",
		"[[1]]" + strings.Repeat(".map(a, [a, a])", 40) + ".all(a, a == a)",
		"['a']" + strings.Repeat(".map(a, a + a)", 60) + ".all(a, a.size() > 0)",
		"plan.resources.all(a, plan.resources.all(b, plan.resources.all(c, a.type != b.type)))",
		"plan.resources.all(a, plan.resources.all(b, a.address + b.address != a.type))",
		"plan.resources.all(a, plan.resources.filter(b, b.address.matches('(a|b|ab)*c')).size() >= 0)",
		"plan.resources.all(a, pull.labels.all(l, l.matches('(x+x+)+y') || l.contains(a.address) || true))",
		"plan.resources" + strings.Repeat(".filter(a, a.type != 'x')", 60) + ".size() >= 0",
		"'" + strings.Repeat("a", 3000) + "'.matches('(a?){99}a{99}')",
		"9223372036854775807 + 1 > 0", "duration('290000h') * 2 > duration('1h')", "timestamp(253402300799) + duration('9999999h') > now",
		strings.Repeat("!", 4000) + "true", strings.Repeat("[", 2000), strings.Repeat("a.", 2000), strings.Repeat("true?", 700), strings.Repeat("{1:", 1000),
		"'" + strings.Repeat(`\u00e4`, 600) + "' == ''", "\"\"\"" + strings.Repeat("\n", 4000), "/*" + strings.Repeat("x//", 1000), strings.Repeat("(", 4000), strings.Repeat("-", 4000) + "1",
		"\x00", "\xff\xfe", "🏗️ == '🏗️'", "true // comment", "true;", "${pull.title}", "@result == 1", "__result__", "[1].exists(__result__, true)",
	}
}

func TestThreat_ExpressionBombs(t *testing.T) {
	f := good()
	f.Plan.Resources = nil
	for i := range 20_000 {
		f.Plan.Resources = append(f.Plan.Resources, Resource{fmt.Sprintf("module.a.aws_instance.x[%d]", i), "aws_instance", "update"})
		f.Pull.Labels = append(f.Pull.Labels, strings.Repeat("x", 50))
	}
	for _, text := range bombs() {
		start := time.Now()
		v := Evaluate(Rules{Expressions: []Expression{{Name: "bomb", Expr: text}}}, f)
		// The deadline is two seconds; a loaded machine gets more.
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%.80q took %v: %s", text, took, v[0].Why)
		} else if took > 200*time.Millisecond {
			t.Logf("%.80q took %v: %s", text, took, v[0].Why)
		}
	}
}

// TestRulesOverManyResources: an ordinary rule has room for a large plan.
func TestRulesOverManyResources(t *testing.T) {
	f := good()
	f.Plan.Resources = nil
	for i := range 50_000 {
		f.Plan.Resources = append(f.Plan.Resources, Resource{fmt.Sprintf("aws_instance.x[%d]", i), "aws_instance", "update"})
	}
	for _, text := range []string{
		`!plan.resources.exists(r, r.type == "aws_db_instance" && r.action in ["delete", "replace"])`,
		`plan.resources.filter(r, r.action == "delete").size() < 10`,
	} {
		if ok, why := evalExpr(t, text, f); !ok {
			t.Errorf("%s: %s", text, why)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	for i := range maxCached + 50 {
		compile(fmt.Sprintf("plan.delete < %d", i))
	}
	if n := len(cache.byText); n > maxCached {
		t.Errorf("%d expressions are kept", n)
	}
	first := compile("plan.delete < 1")
	if second := compile("plan.delete < 1"); second != first {
		t.Error("read twice")
	}
}

func TestExpressionsFromManyGoroutines(t *testing.T) {
	f := good()
	done := make(chan string)
	for i := range 16 {
		go func() {
			for j := range 40 {
				if ok, why := compile(fmt.Sprintf("plan.create < %d + pull.number", i*j)).eval(f); !ok {
					done <- why
					return
				}
				CheckExpression(ActApply, fmt.Sprintf("plan.nofield%d == %d", i, j))
			}
			done <- ""
		}()
	}
	for range 16 {
		if why := <-done; why != "" {
			t.Error(why)
		}
	}
}

func FuzzExpression(f *testing.F) {
	for _, text := range bombs() {
		f.Add(text)
	}
	f.Add(`plan.resources.exists(r, r.type == "aws_db_instance" && r.action == "delete")`)
	f.Add(`now.getDayOfWeek("Europe/Berlin") != 5 || plan.delete == 0`)
	f.Add(`has(cost.delta) && cost.delta < 5.0 && actor.memberOf("a/b")`)
	facts, nothing := good(), Facts{}
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		rules := Rules{Expressions: []Expression{{Name: "fuzz", Expr: text}}}
		rules.Needs()
		CheckExpression(ActPlan, text)
		for _, p := range CheckExpression(ActApply, text) {
			if p.Line < 1 || p.Column < 1 || p.Message == "" {
				t.Errorf("%q: %+v", text, p)
			}
		}
		for _, v := range append(Evaluate(rules, facts), Evaluate(rules, nothing)...) {
			if strings.ContainsAny(Sentence(v), "\n\x00") || strings.Contains(v.Why, "fault of Tidelock") {
				t.Errorf("%q: %q", text, Sentence(v))
			}
		}
		if took := time.Since(start); took > 60*time.Second {
			t.Errorf("%q took %v", text, took)
		}
	})
}
