package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
)

var texts = []string{
	`{}`, `{"a":1}`, ` { "a" : [ 1 , -2.5e3 , "b" , true , false , null , { } , [ ] ] } `,
	`{"a":"\u00e9\n\"\\\/ é","b":"\ud83d\ude00","c":"\ud800"}`, `{"a\"b":1}`, `{"a":1,"a":2}`, `{"a":100000000000000000000.0001}`,
	`{"a":{"b":{"c":[[[1]]]}}}`, "{\"a\":\"\xff\"}", `{"a":0}`, `{"a":-0}`, `{"a":1e999}`,
	``, `{`, `}`, `[]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{"a":01}`, `{"a":+1}`, `{"a":.5}`, `{"a":1.}`, `{"a":tru}`, `{"a":truex}`,
	`{"a":"b}`, "{\"a\":\"\n\"}", `{"a":"\x"}`, `{"a":[1,]}`, `{"a":[1 2]}`, `{"a":1}x`, `{"a":1}{}`, `{"a":--1}`, `{"a":nullnull}`, `{"a":"\`,
}

// FuzzDecoder holds the decoder to OPA's own way into its values.
func FuzzDecoder(f *testing.F) {
	for _, s := range texts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if !strings.HasPrefix(strings.TrimLeft(src, " \n\r\t"), "{") {
			return // the decoder is for objects
		}
		got, err := members([]byte(src), func(string) bool { return true })
		want, wantErr := ast.ValueFromReader(strings.NewReader(src))
		if err != nil {
			// OPA's reader stops after the first value; the decoder does not.
			if wantErr == nil && !strings.Contains(err.Error(), "more after the end") && !strings.Contains(err.Error(), "too deeply") {
				t.Fatalf("%q: %v, and OPA reads %v", src, err, want)
			}
			return
		}
		if wantErr != nil {
			t.Fatalf("%q: read as %v, and OPA says %v", src, got, wantErr)
		}
		if v := object(got).Value; v.Compare(want) != 0 {
			t.Fatalf("%q: read as %v, OPA reads %v", src, v, want)
		}
	})
}

func TestDecoderSkipsWhatNobodyAsksFor(t *testing.T) {
	const src = `{"a":{"x":["}",{"]":"\"}"}],"y":{}},"b":1,"c":"a\\","d":-1.5e3,"e":null,"f":[[],{}],"g":2}`
	got, err := members([]byte(src), func(key string) bool { return key == "b" || key == "g" })
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"b": 1, "g": 2}`; object(got).String() != want {
		t.Errorf("got %v, want %s", object(got), want)
	}
	for _, broken := range []string{`{"a":[`, `{"a":"`, `{"a":`, `{"a":{"b":"}`} {
		if _, err := members([]byte(broken), func(string) bool { return false }); err == nil {
			t.Errorf("%q is skipped without an error", broken)
		}
	}
}

// TestDecoderReadsInPieces: a list of megabytes is read by several at once, in
// its order, and what is wrong in the midst of it is found.
func TestDecoderReadsInPieces(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"format_version":"1.2", "resource_changes": [`)
	for i := range 20_000 {
		fmt.Fprintf(&b, `{"address":"a[%d]","change":{"after":{"text":"%s ]},","n":[%d, null]}}} , `, i, strings.Repeat("x", i%90), i)
	}
	b.WriteString(`{"last":true} ], "empty":[ ], "after": {"a": "b"}}`)
	src := b.String()
	got, err := members([]byte(src), func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	want, err := ast.ValueFromReader(strings.NewReader(src))
	if err != nil {
		t.Fatal(err)
	}
	if object(got).Value.Compare(want) != 0 {
		t.Error("what is read differs from what OPA reads")
	}
	broken := strings.Replace(src, `"a[15000]"`, `"a[15000]" x`, 1)
	if _, err := members([]byte(broken), func(string) bool { return true }); err == nil {
		t.Error("a broken list is read")
	}
}

func TestDecoderBoundsNesting(t *testing.T) {
	src := `{"a":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `}`
	if _, err := members([]byte(src), func(string) bool { return true }); err == nil || !strings.Contains(err.Error(), "deeply") {
		t.Errorf("a million nested lists: %v", err)
	}
}

func TestNeeds(t *testing.T) {
	for rule, want := range map[string]string{
		`input.resource_changes[_].type == "a"`:              "resource_changes",
		`input.plan.planned_values.root_module`:              "planned_values resource_changes",
		`input.prior_state`:                                  "prior_state resource_changes",
		`input.pull.labels[_] == "a"`:                        "resource_changes",
		`input.variables.a`:                                  "configuration resource_changes variables",
		`some x in input.plan.checks`:                        "checks resource_changes",
		`count(input.plan) > 0`:                              "all",
		`walk(input, [_, x])`:                                "all",
		`x := input; x.checks`:                               "all",
		`x := input.plan; x.checks`:                          "all",
		`some k; input.plan[k]`:                              "all",
		`some k; input[k]`:                                   "all",
		`object.get(input, ["plan", "checks"], 1) == 1`:      "all",
		`object.get(input.plan, "checks", 1) == 1`:           "all",
		`x := "plan"; input[x].checks`:                       "all",
		`input.pull.labels[count(input.output_changes)]`:     "output_changes resource_changes",
		`helper(input)`:                                      "all",
		`x := {y | y := input.relevant_attributes}`:          "relevant_attributes resource_changes",
		`data.other[input.plan.timestamp]`:                   "resource_changes timestamp",
		`every x in input.plan.resource_drift { x.type }`:    "resource_changes resource_drift",
		`not input.plan.applyable`:                           "applyable resource_changes",
		`input.plan.resource_changes == input.configuration`: "configuration resource_changes",
	} {
		src := fmt.Sprintf("package main\n\nhelper(x) if x.a\n\ndeny contains \"a\" if { %s }", rule)
		m, err := ast.ParseModuleWithOpts("p.rego", src, ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		c := ast.NewCompiler()
		if c.Compile(map[string]*ast.Module{"p.rego": m}); c.Failed() {
			t.Fatal(c.Errors)
		}
		n := needsOf(c.Modules)
		got := strings.Join(slices.Sorted(maps.Keys(n.keys)), " ")
		if n.all {
			got = "all"
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", rule, diff)
		}
	}
}
