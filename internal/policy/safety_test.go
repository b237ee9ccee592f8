package policy_test

import (
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// walk is an evaluation of more steps than there are atoms.
const walk = `package slow
deny contains "never" if {
	` + "some a in n; some b in n; some c in n; some d in n; some e in n; some f in n; some g in n; some h in n\n" + `
	a + b + c + d + e + f + g + h < 0
}
n := numbers.range(1, 1000)
`

// bomb makes a list that grows until someone stops it.
const bomb = `package big
deny contains msg if {
	all := [s |
		some a in numbers.range(1, 10000)
		some b in numbers.range(1, 10000)
		s := sprintf("%s %d %d", [long, a, b])
	]
	msg := sprintf("%d", [count(all)])
}
long := concat(" ", [s | some i in numbers.range(1, 500); s := "words"])
`

// double makes a text that is twice as long with each step.
const double = `package big
deny contains msg if {
	a := concat("", [x | some _ in numbers.range(1, 1000); x := "0123456789"])
	b := replace(a, "1", a)
	c := replace(b, "2", b)
	d := replace(c, "3", c)
	msg := substring(d, 0, 5)
}
`

func heapNow() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// peak looks at the heap until it is asked.
func peak() func() uint64 {
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		var top uint64
		for tick := time.NewTicker(2 * time.Millisecond); ; {
			select {
			case <-tick.C:
				top = max(top, heapNow())
			case <-stop:
				tick.Stop()
				most <- top
				return
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
}

func TestThreat_RulesThatTakeAllTimeAreStopped(t *testing.T) {
	e := small(t, policy.Options{RuleTime: 200 * time.Millisecond}, map[string]string{"p.rego": walk})
	db := plan(t, change("aws_db_instance.a", goneDB, `null`))
	for range 2 { // the next plan is judged as if nothing had been
		start := time.Now()
		r := judge(t, e, policy.Input{Plan: db})
		if took := time.Since(start); took > time.Minute {
			t.Errorf("took %s", took)
		}
		if r.Verdict != policy.Error || len(r.Problems) != 1 || !strings.HasPrefix(r.Problems[0].String(), "own/p.rego:2: stopped after") {
			t.Errorf("verdict %s, problems %v", r.Verdict, r.Problems)
		}
		if got := of(r, "destruction.stateful"); len(got) != 1 {
			t.Errorf("the other rules found %v", messages(r))
		}
	}
}

func TestThreat_RulesThatTakeAllMemoryAreStopped(t *testing.T) {
	const bound = 64 << 20
	for name, c := range map[string]struct{ rego, says string }{
		"a list that grows":  {bomb, "own/p.rego:2: stopped after"},
		"a text that grows":  {double, "own/p.rego:"},
		"numbers":            {"package big\n\ndeny contains \"a\" if count(numbers.range(1, 1000000000)) > 0", "own/p.rego:3: stopped after"},
		"addresses":          {"package big\n\ndeny contains \"a\" if count(net.cidr_expand(\"10.0.0.0/4\")) > 0", "own/p.rego:3: stopped after"},
		"one large number":   {"package big\n\ndeny contains \"a\" if bits.lsh(1, 100000000000) > 0", "own/p.rego:3: bits.lsh would move"},
		"one long text":      {"package big\n\ndeny contains \"a\" if concat(\"\", [s | some _ in numbers.range(1, 100000); s := t]) != \"\"\n\nt := concat(\"\", [s | some _ in numbers.range(1, 10000); s := \"0123456789\"])", "own/p.rego:3: a text of more than 64 MB"},
		"one long replaced":  {"package big\n\ndeny contains \"a\" if regex.replace(t, `0`, t) != \"\"\n\nt := concat(\"\", [s | some _ in numbers.range(1, 10000); s := \"0123456789\"])", "own/p.rego:3: a text of more than 64 MB"},
		"one long JSON":      {"package big\n\ndeny contains \"a\" if json.marshal([t | some _ in numbers.range(1, 10000)]) != \"\"\n\nt := concat(\"\", [s | some _ in numbers.range(1, 10000); s := \"0123456789\"])", "own/p.rego:3: a text of more than 64 MB"},
		"replaced by itself": {"package big\n\ndeny contains \"a\" if strings.replace_n({\"0\": t, \"1\": t}, t) != \"\"\n\nt := concat(\"\", [s | some _ in numbers.range(1, 10000); s := \"0123456789\"])", "own/p.rego:3: a text of more than 64 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			e := small(t, policy.Options{Memory: bound, RuleTime: 5 * time.Minute, Time: 5 * time.Minute}, map[string]string{"p.rego": c.rego})
			db := plan(t, change("aws_db_instance.a", goneDB, `null`))
			runtime.GC()
			before, top := heapNow(), peak()
			r := judge(t, e, policy.Input{Plan: db})
			// Until a rule is stopped it goes on for as long as a collection
			// takes.
			if most := top(); most > before+8*bound {
				t.Errorf("the heap grew by %d MB, and %d MB are the bound", (most-before)>>20, bound>>20)
			}
			if r.Verdict != policy.Error || len(r.Problems) != 1 || !strings.HasPrefix(r.Problems[0].String(), c.says) {
				t.Errorf("verdict %s, problems %v; want %q", r.Verdict, r.Problems, c.says)
			}
			if strings.Contains(c.says, "stopped") && len(r.Problems) > 0 && !strings.Contains(r.Problems[0].Message, "64 MB of memory") {
				t.Errorf("the problem is %q", r.Problems[0].Message)
			}
			if got := of(r, "destruction.stateful"); len(got) != 1 {
				t.Errorf("the other rules found %v", messages(r))
			}
			next := small(t, policy.Options{Memory: bound}, nil)
			if r := judge(t, next, policy.Input{Plan: db}); r.Verdict != policy.Fail || len(r.Problems) > 0 {
				t.Errorf("the next plan: verdict %s, problems %v", r.Verdict, r.Problems)
			}
		})
	}
}

func TestFaultyRulesNeverPass(t *testing.T) {
	for name, c := range map[string]struct{ rego, says string }{
		"division by zero":      {"deny contains \"many\" if {\n\t10 / count(input.resource_changes) > 1\n}", "own/p.rego:4: divide by zero"},
		"rest of a division":    {"deny contains \"odd\" if {\n\t10 % count(input.resource_changes) == 1\n}", "own/p.rego:4: divide by zero"},
		"two values":            {"deny contains kind if true\n\nkind := \"a\" if input.version\n\nkind := \"b\" if input.version", "own/p.rego:7: rule data.main.kind produced conflicting values"},
		"a function of two":     {"deny contains f(1) if true\n\nf(x) := x if x > 0\n\nf(x) := x + 1 if x > 0", "own/p.rego:7: function data.main.f produced conflicting values"},
		"one key of two values": {"deny contains m.a if true\n\nm[\"a\"] := 1 if input.version\n\nm[\"a\"] := 2 if input.version", "own/p.rego:7: rule data.main.m.a produced conflicting values"},
		"no message":            {"deny contains {\"text\": \"a\"}", `own/p.rego:3: gave an object without a "msg"`},
		"a number":              {"deny contains 7", "own/p.rego:3: gave 7"},
	} {
		t.Run(name, func(t *testing.T) {
			e := small(t, policy.Options{}, map[string]string{"p.rego": "package main\n\n" + c.rego + "\n"})
			r := judge(t, e, policy.Input{Plan: plan(t)})
			if r.Verdict != policy.Error || len(r.Problems) != 1 || !strings.HasPrefix(r.Problems[0].String(), c.says) {
				t.Errorf("verdict %s, problems %v; want %q", r.Verdict, r.Problems, c.says)
			}
		})
	}
}

func TestThreat_BuiltinsThatReachOutsideAreNotThere(t *testing.T) {
	for _, call := range []string{
		`http.send({"method": "get", "url": "http://127.0.0.1/"})`, `opa.runtime()`, `net.lookup_ip_addr("localhost")`,
		`rand.intn("a", 9)`, `uuid.rfc4122("a")`, `io.jwt.encode_sign({}, {}, {})`, `io.jwt.encode_sign_raw("", "", "")`, `io.jwt.decode_verify("x", {})`,
		`json.match_schema({}, {"$ref": "file:///etc/hostname"})`, `json.verify_schema({"$ref": "file:///etc/hostname"})`,
	} {
		for _, head := range []string{"deny contains x if {\n\tx := ", "deny[x] {\n\tx := "} {
			_, err := policy.New(policy.Options{Packs: []policy.Pack{{Name: "own", FS: folder(map[string]string{"p.rego": "package main\n\n" + head + call + "\n}\n"})}}})
			if err == nil || !strings.Contains(err.Error(), "own/p.rego:4: undefined function") {
				t.Errorf("%s: New = %v, want an undefined function", call, err)
			}
		}
	}
	// What stays: the time, and reading without asking anyone.
	small(t, policy.Options{}, map[string]string{"p.rego": `package main
deny contains "a" if time.now_ns() < 0
deny contains "b" if io.jwt.decode("x.y.z")[0]
deny contains "c" if net.cidr_contains("10.0.0.0/8", "11.0.0.1")
`})
}

func TestPlansAreBounded(t *testing.T) {
	e := small(t, policy.Options{}, nil)
	r := judge(t, e, policy.Input{Plan: &tfplan.Plan{Raw: make([]byte, 512<<20+1)}}) // never touched
	if r.Verdict != policy.Error || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Message, "at most 512 MB") {
		t.Errorf("verdict %s, problems %v", r.Verdict, r.Problems)
	}
}
