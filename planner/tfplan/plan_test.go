package tfplan

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// one is a plan's JSON with one resource change.
func one(change string) string {
	return `{"format_version":"1.2","terraform_version":"1.11.4","resource_changes":[` + change + `]}`
}

func object(actions, before, after, more string) string {
	return `{"address":"x_y.z","mode":"managed","type":"x_y","name":"z","provider_name":"p","change":{"actions":` + actions + `,"before":` + before + `,"after":` + after + more + `}}`
}

func TestParsePlanActions(t *testing.T) {
	for actions, want := range map[string]Action{
		`["no-op"]`: ActionNoop, `["create"]`: ActionCreate, `["update"]`: ActionUpdate, `["delete"]`: ActionDelete, `["read"]`: ActionRead,
		`["delete","create"]`: ActionReplace, `["create","delete"]`: ActionReplace, `["forget"]`: ActionForget, `["create","forget"]`: ActionReplace,
	} {
		c := parsed(t, one(object(actions, "{}", "{}", ""))).Changes[0]
		if c.Action != want || c.CreateFirst != (want == ActionReplace && strings.HasPrefix(actions, `["create"`)) {
			t.Errorf("%s: %s, create first %v", actions, c.Action, c.CreateFirst)
		}
	}
	if c := parsed(t, one(object(`["no-op"]`, "{}", "{}", `,"importing":{"id":"i-1"}`))).Changes[0]; c.Action != ActionImport || c.Importing != "i-1" {
		t.Errorf("an import: %+v", c)
	}
	if c := parsed(t, one(`{"address":"a.b","previous_address":"a.c","change":{"actions":["no-op"]}}`)).Changes[0]; c.Action != ActionMove || c.PrevAddress != "a.c" {
		t.Errorf("a move: %+v", c)
	}
}

func TestParsePlanRefusesWhatItDoesNotKnow(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON": "{", "nothing": "", "another format": `{"format_version":"2.0"}`, "no format": `{}`,
		"an action of tomorrow":               one(object(`["dance"]`, "{}", "{}", "")),
		"an output with an action of its own": `{"format_version":"1.0","output_changes":{"o":{"actions":["dance"]}}}`,
		"a list":                              `[]`,
	} {
		if _, err := ParsePlan(strings.NewReader(text)); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: error %v, want invalid", name, err)
		}
	}
	broken := errors.New("broken pipe")
	if _, err := ParsePlan(failing{broken}); !errors.Is(err, broken) {
		t.Errorf("a reader's error is lost: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestNumbersKeepTheirDigits(t *testing.T) {
	p := parsed(t, one(object(`["update"]`, `{"n":12345678901234567890}`, `{"n":0.10}`, "")))
	if got := Diff(p.Changes[0], DiffOptions{}); !strings.Contains(got, "12345678901234567890 -> 0.10") {
		t.Error(got)
	}
}

func TestSummaryInWords(t *testing.T) {
	for _, tc := range []struct {
		s    Summary
		want string
	}{
		{Summary{}, "No changes. The infrastructure matches the configuration."},
		{Summary{Read: 2}, "No changes. The infrastructure matches the configuration."},
		{Summary{Create: 1, Update: 2, Replace: 1, Delete: 3}, "Plan: 2 to add, 2 to change, 4 to destroy."},
		{Summary{Import: 1, Move: 2, Forget: 1}, "Plan: 1 to import, 0 to add, 0 to change, 0 to destroy, 2 to move, 1 to forget."},
		{Summary{Outputs: 1}, "No changes to resources; 1 output changes."},
	} {
		if got := tc.s.String(); got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.s, got, tc.want)
		}
	}
}

// TestDigestCountsEverything changes each part of a plan in turn.
func TestDigestCountsEverything(t *testing.T) {
	base := func() map[string]any {
		var v map[string]any
		text := `{"format_version":"1.2","terraform_version":"1.11.4","timestamp":"2026-01-01T00:00:00Z","resource_changes":[
			{"address":"a.b","previous_address":"a.old","mode":"managed","type":"a","name":"b","provider_name":"p","deposed":"d1","action_reason":"x",
			 "change":{"actions":["delete","create"],"before":{"x":1,"s":"old"},"after":{"x":2,"s":"new"},"after_unknown":{"id":true},"before_sensitive":{},"after_sensitive":{"s":true},"replace_paths":[["x"],["y",0]],"importing":{"id":"i"}}},
			{"address":"a.c","mode":"managed","type":"a","name":"c","change":{"actions":["create"],"after":{}}},
			{"address":"a.same","mode":"managed","type":"a","name":"same","change":{"actions":["no-op"],"before":{"x":1},"after":{"x":1}}}],
			"output_changes":{"o":{"actions":["create"],"after":1},"same":{"actions":["no-op"],"before":1,"after":1}}}`
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	digest := func(v map[string]any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return parsed(t, string(b)).Digest()
	}
	changes := func(v map[string]any) []any { return v["resource_changes"].([]any) }
	first := func(v map[string]any) map[string]any { return changes(v)[0].(map[string]any) }
	change := func(v map[string]any) map[string]any { return first(v)["change"].(map[string]any) }
	want := digest(base())
	for name, mutate := range map[string]func(v map[string]any){
		"the address":       func(v map[string]any) { first(v)["address"] = "a.z" },
		"the old address":   func(v map[string]any) { first(v)["previous_address"] = "a.older" },
		"the deposed key":   func(v map[string]any) { first(v)["deposed"] = "d2" },
		"the provider":      func(v map[string]any) { first(v)["provider_name"] = "q" },
		"the action":        func(v map[string]any) { change(v)["actions"] = []any{"update"} },
		"the old is kept":   func(v map[string]any) { change(v)["actions"] = []any{"create", "forget"} },
		"the order":         func(v map[string]any) { change(v)["actions"] = []any{"create", "delete"} },
		"a value before":    func(v map[string]any) { change(v)["before"].(map[string]any)["x"] = 3 },
		"a value after":     func(v map[string]any) { change(v)["after"].(map[string]any)["x"] = 3 },
		"a type":            func(v map[string]any) { change(v)["after"].(map[string]any)["x"] = "2" },
		"a null":            func(v map[string]any) { change(v)["after"].(map[string]any)["x"] = nil },
		"a secret":          func(v map[string]any) { change(v)["after"].(map[string]any)["s"] = "newer" },
		"a mark":            func(v map[string]any) { change(v)["after_sensitive"] = map[string]any{} },
		"what is unknown":   func(v map[string]any) { change(v)["after_unknown"] = map[string]any{"id": true, "arn": true} },
		"what forces it":    func(v map[string]any) { change(v)["replace_paths"] = []any{[]any{"x"}} },
		"the import":        func(v map[string]any) { change(v)["importing"] = map[string]any{"id": "j"} },
		"one change less":   func(v map[string]any) { v["resource_changes"] = changes(v)[:1] },
		"an output's value": func(v map[string]any) { v["output_changes"].(map[string]any)["o"].(map[string]any)["after"] = 2 },
		"an output's name": func(v map[string]any) {
			o := v["output_changes"].(map[string]any)
			o["p"] = o["o"]
			delete(o, "o")
		},
	} {
		v := base()
		mutate(v)
		if digest(v) == want {
			t.Errorf("%s does not count", name)
		}
	}
	for name, mutate := range map[string]func(v map[string]any){
		"the time":             func(v map[string]any) { v["timestamp"] = "2027-01-01T00:00:00Z" },
		"the tool's version":   func(v map[string]any) { v["terraform_version"] = "1.12.0" },
		"the order of changes": func(v map[string]any) { c := changes(v); c[0], c[1] = c[1], c[0] },
		"what does not change": func(v map[string]any) {
			changes(v)[2].(map[string]any)["change"].(map[string]any)["before"] = map[string]any{"x": 9}
		},
		"masks of nothing": func(v map[string]any) {
			change(v)["after_unknown"] = map[string]any{"id": true, "x": false, "l": []any{}, "m": map[string]any{"n": false}}
			change(v)["before_sensitive"] = false
		},
		"the order of paths": func(v map[string]any) { change(v)["replace_paths"] = []any{[]any{"y", 0}, []any{"x"}} },
	} {
		v := base()
		mutate(v)
		if digest(v) != want {
			t.Errorf("%s counts", name)
		}
	}
}

// TestDiffGolden holds the forms that the comparison with the real tools does
// not reach. testdata/diff/golden.json is a list of resource changes.
func TestDiffGolden(t *testing.T) {
	b, err := os.ReadFile("testdata/diff/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	p := parsed(t, string(b))
	var out []string
	for _, opts := range []DiffOptions{{}, {Full: true}, {Exclaim: true}} {
		js, _ := json.Marshal(opts)
		out = append(out, "== "+string(js)+"\n")
		for _, c := range p.Changes {
			if text := Diff(c, opts); text != "" {
				out = append(out, text)
			}
		}
		out = append(out, DiffOutputs(p, opts))
	}
	got := strings.Join(out, "\n")
	golden := filepath.Join("testdata", "diff", "golden.txt")
	if *update {
		toolchaintest.Write(t, golden, got)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("golden (-), got (+); -update writes it anew:\n%s", diff)
	}
}

func TestThreat_DiffShowsNoSecret(t *testing.T) {
	const secret = "canary-3c1d7e"
	for name, change := range map[string]string{
		"marked":                     object(`["create"]`, "null", `{"p":"`+secret+`"}`, `,"after_sensitive":{"p":true}`),
		"marked before":              object(`["delete"]`, `{"p":"`+secret+`"}`, "null", `,"before_sensitive":{"p":true}`),
		"unmarked later":             object(`["update"]`, `{"p":"`+secret+`"}`, `{"p":"x"}`, `,"before_sensitive":{"p":true}`),
		"unknown later":              object(`["update"]`, `{"p":"`+secret+`"}`, `{}`, `,"before_sensitive":{"p":true},"after_unknown":{"p":true}`),
		"in a map":                   object(`["create"]`, "null", `{"m":{"p":"`+secret+`"}}`, `,"after_sensitive":{"m":{"p":true}}`),
		"a whole list":               object(`["create"]`, "null", `{"l":["`+secret+`"]}`, `,"after_sensitive":{"l":true}`),
		"in a list":                  object(`["update"]`, `{"l":["a"]}`, `{"l":["a","`+secret+`"]}`, `,"after_sensitive":{"l":[false,true]}`),
		"in a block":                 object(`["create"]`, "null", `{"b":[{"p":"`+secret+`"}]}`, `,"after_sensitive":{"b":[{"p":true}]}`),
		"a whole block":              object(`["create"]`, "null", `{"b":[{"p":"`+secret+`"}]}`, `,"after_sensitive":{"b":true}`),
		"the whole object":           object(`["create"]`, "null", `{"p":"`+secret+`"}`, `,"after_sensitive":true`),
		"a value that lost its mark": object(`["update"]`, `{"p":"`+secret+`","copy":"`+secret+`","text":"a\nx`+secret+`y\n","json":"{\"k\":\"`+secret+`\"}"}`, `{"p":"`+secret+`2"}`, `,"before_sensitive":{"p":true}`),
		"encoded":                    object(`["update"]`, `{"p":"`+secret+`"}`, `{"p":"z","b":"Y2FuYXJ5LTNjMWQ3ZQ=="}`, `,"before_sensitive":{"p":true}`),
	} {
		p := parsed(t, one(change))
		for _, opts := range []DiffOptions{{}, {Full: true}} {
			if got := Diff(p.Changes[0], opts); strings.Contains(got, secret) || strings.Contains(got, "Y2FuYXJ5") || !strings.Contains(got, "sensitive") {
				t.Errorf("%s:\n%s", name, got)
			}
		}
	}
	// A variable's value is known to be a secret, too.
	p := parsed(t, `{"format_version":"1.2","variables":{"v":{"value":"`+secret+`"}},"configuration":{"root_module":{"variables":{"v":{"sensitive":true}}}},
		"resource_changes":[`+object(`["create"]`, "null", `{"p":"`+secret+`"}`, "")+`],"output_changes":{"o":{"actions":["create"],"after":"`+secret+`"}}}`)
	if got := Diff(p.Changes[0], DiffOptions{}) + DiffOutputs(p, DiffOptions{}); strings.Contains(got, secret) {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{secret}, p.SensitiveValues()); diff != "" {
		t.Error(diff)
	}
}

func TestThreat_DiffStaysInItsLine(t *testing.T) {
	p := parsed(t, one(object(`["create"]`, "null", `{"a":"x\u001b[31mred\u202egnorw\u0000","b":"l1\n\u001b]8;;http://x\u0007l2\r\n","k\n+ evil":"v"}`, "")))
	got := Diff(p.Changes[0], DiffOptions{})
	for _, bad := range []string{"\x1b", "\u202e", "\x00", "\r", "\x07", "\n+ evil"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q came through:\n%q", bad, got)
		}
	}
	for _, l := range strings.Split(got, "\n") {
		if l != "" && !strings.HasPrefix(l, " ") && !strings.HasPrefix(l, "+ ") {
			t.Errorf("the line %q begins with something else than a marker", l)
		}
	}
}

func FuzzParsePlan(f *testing.F) {
	for _, name := range []string{"testdata/diff/golden.json", "testdata/text/all.json", "testdata/text/failed.json", "testdata/text/refresh.json"} {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(one(object(`["update"]`, `{"a":[1,{"b":null}]}`, `{"a":{"x":"{\"y\":[]}"}}`, `,"after_unknown":{"a":[true]},"before_sensitive":[true],"after_sensitive":{"a":{"x":true}},"replace_paths":[["a",0],[]]`))))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePlan(strings.NewReader(string(b)))
		if err != nil {
			return
		}
		_ = p.Summary().String()
		if first, second := p.Digest(), p.Digest(); first != second {
			t.Fatal("the digest is not stable")
		}
		_ = p.Within(p)
		for _, c := range p.Changes {
			for _, opts := range []DiffOptions{{}, {Full: true}} {
				if text := Diff(c, opts); text != "" && !strings.HasSuffix(text, "}\n") {
					t.Fatalf("%q", text)
				}
			}
		}
		for _, o := range []TextOptions{{Reads: true}, {DiffOptions: DiffOptions{Full: true}}, {Limit: 4 << 10}} {
			text := Text(p, o)
			inert(t, text)
			if o.Limit > 0 && len(text) > o.Limit {
				t.Fatalf("%d bytes", len(text))
			}
			for _, secret := range p.SensitiveValues() {
				if len(secret) > 20 && strings.Contains(text, secret) && !strings.Contains(concealed, secret) {
					t.Fatalf("the secret %q is in\n%s", secret, text)
				}
			}
		}
	})
}
