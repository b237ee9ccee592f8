package tfplan

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/toolchain/toolchaintest"
)

func read(t *testing.T, name string) *Plan {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, string(b))
}

// TestTextGolden holds the whole text of plans, with what the tools that are
// here can't make: deferred changes, actions, imports by identity, sections
// of tomorrow.
func TestTextGolden(t *testing.T) {
	for _, name := range []string{"all", "failed", "refresh", "nothing", "example"} {
		p := read(t, "testdata/text/"+name+".json")
		s := p.Summary()
		got := Text(p, TextOptions{Reads: true}) + "\n== " + s.String() + "\n== " + s.Aside() + "\n"
		golden := filepath.Join("testdata", "text", name+".txt")
		if *update {
			toolchaintest.Write(t, golden, got)
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("%s: golden (-), got (+); -update writes it anew:\n%s", name, diff)
		}
	}
}

// TestSummaryTellsDriftFromChange: what happened outside is counted apart, and
// neither makes a plan that does nothing into one that does something, nor
// hides what is put off or can't be read.
func TestSummaryTellsDriftFromChange(t *testing.T) {
	all := read(t, "testdata/text/all.json").Summary()
	want := Summary{Create: 1, Update: 3, Replace: 1, Delete: 1, Read: 1, Move: 2, Import: 3, Outputs: 1, Deferred: 3, Invoke: 4, Unread: 1, Drift: 3, BadChecks: 4}
	if all != want {
		t.Errorf("got  %#v\nwant %#v", all, want)
	}
	if twice := all.Plus(all); twice.Drift != 6 || twice.BadChecks != 8 || twice.Deferred != 6 || twice.Invoke != 8 || twice.Unread != 2 {
		t.Errorf("twice that is %#v", twice)
	}
	for _, tc := range []struct {
		s     Summary
		empty bool
		words string
	}{
		{Summary{Drift: 2, BadChecks: 1}, true, "No changes. The infrastructure matches the configuration."},
		{Summary{Deferred: 2}, false, "Plan: 0 to add, 0 to change, 0 to destroy, 2 deferred."},
		{Summary{Invoke: 1, Outputs: 1}, false, "Plan: 0 to add, 0 to change, 0 to destroy, 1 action to invoke."},
		{Summary{Unread: 2}, false, "Plan: 0 to add, 0 to change, 0 to destroy, and 2 kinds of change that Tidelock can't read."},
	} {
		if tc.s.Empty() != tc.empty || tc.s.String() != tc.words {
			t.Errorf("%#v: empty %v, %q", tc.s, tc.s.Empty(), tc.s)
		}
	}
}

// many is a plan's JSON of n creations with values of size bytes.
func many(n, size int) string {
	var changes []string
	for i := range n {
		changes = append(changes, fmt.Sprintf(`{"address":"x_y.z[%d]","index":%[1]d,"mode":"managed","type":"x_y","name":"z","change":{"actions":["create"],"before":null,"after":{"v":%q}}}`, i, strings.Repeat("v", size)))
	}
	return `{"format_version":"1.2","resource_changes":[` + strings.Join(changes, ",") + `],"output_changes":{"o":{"actions":["create"],"after":1}}}`
}

// TestTextKeepsItsLimit: whatever is in a plan, the text is no longer than
// asked, and tells what is left out.
func TestTextKeepsItsLimit(t *testing.T) {
	left := regexp.MustCompile(`… and (\d+) more`)
	for _, tc := range []struct {
		name string
		plan *Plan
	}{
		{"many", parsed(t, many(3000, 10))}, {"few and long", parsed(t, many(5, 5000))}, {"one and long", parsed(t, many(1, 50_000))},
		{"of all kinds", read(t, "testdata/text/all.json")},
	} {
		whole := Text(tc.plan, TextOptions{})
		for _, limit := range []int{4 << 10, 5000, 8 << 10, 96 << 10, 1 << 20} {
			got := Text(tc.plan, TextOptions{Limit: limit})
			switch {
			case len(got) > limit:
				t.Errorf("%s: %d bytes, the limit is %d", tc.name, len(got), limit)
			case got == whole:
			case !left.MatchString(got) && !strings.Contains(got, "too long to show here"):
				t.Errorf("%s at %d: cut, and does not say so:\n%s", tc.name, limit, got)
			}
			// Every change is there, or counted.
			shown := strings.Count(got, "x_y.z[")
			if m := left.FindStringSubmatch(got); m != nil && tc.name == "many" && fmt.Sprint(3000-shown) != m[1] {
				t.Errorf("%d of 3000 are shown, and %s left out", shown, m[1])
			}
		}
	}
	if got := Text(parsed(t, many(1, 50_000)), TextOptions{Limit: 8 << 10}); !strings.Contains(got, "x_y.z[0] will be created") {
		t.Errorf("not even the heading of what is too long:\n%s", got)
	}
}

// TestHugeStrings: a value of 10 MB takes a line, and tells its length and
// where it changes.
func TestHugeStrings(t *testing.T) {
	huge := strings.Repeat("0123456789", 1<<20)
	changed := huge[:5_000_000] + "X" + huge[5_000_001:] + "tail"
	big := huge[:1_000_000] // is no different, and takes less time
	for name, tc := range map[string]struct{ change, want string }{
		"created":   {object(`["create"]`, "null", `{"s":"`+huge+`"}`, ""), "# the first 512 of 10485760 bytes"},
		"destroyed": {object(`["delete"]`, `{"s":"`+big+`"}`, "null", ""), "# the first 512 of 1000000 bytes"},
		"changed":   {object(`["update"]`, `{"s":"`+huge+`"}`, `{"s":"`+changed+`"}`, ""), "# 10485760 -> 10485764 bytes, the first difference at byte 5000000"},
		"in a list": {object(`["create"]`, "null", `{"l":["`+big+`"]}`, ""), "# the first 512 of 1000000 bytes"},
		"a name":    {object(`["create"]`, "null", `{"m":{"`+big+`":1}}`, ""), "# the first 512 of 1000000 bytes"},
		"retyped":   {object(`["update"]`, `{"s":["a"]}`, `{"s":"`+big+`"}`, ""), "# the first 512 of 1000000 bytes"},
		"lines":     {object(`["update"]`, `{"s":"a\nb"}`, `{"s":"`+strings.Repeat(`line\n`, 20_000)+`"}`, ""), "# 3 -> 100000 bytes, the first difference at byte 0"},
		"in a text": {object(`["update"]`, `{"s":"{\"a\":1}"}`, `{"s":"{\"a\":\"`+big+`\"}"}`, ""), "bytes, the first difference at byte 5"},
	} {
		got := Diff(parsed(t, one(tc.change)).Changes[0], DiffOptions{})
		if len(got) > 4000 || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %d bytes: %.2000s", name, len(got), got)
		}
	}
	if got := Diff(parsed(t, one(object(`["update"]`, `{"s":"`+huge+`"}`, `{"s":"`+changed+`"}`, ""))).Changes[0], DiffOptions{}); !strings.Contains(got, `X1234`) {
		t.Errorf("the difference is not shown:\n%s", got)
	}
}

func TestThreat_TextShowsNoSecret(t *testing.T) {
	const secret, key, pem = "canary-3c1d7e", "ada+canary7@example.com", "-----BEGIN KEY-----\nabc\ndef\n-----END KEY-----\n"
	quotedPEM := strings.ReplaceAll(pem, "\n", `\n`)
	encoded := base64.StdEncoding.EncodeToString([]byte(secret))
	doc := `{"format_version":"1.2","terraform_version":"1.14.0","applyable":true,
	"variables":{"v":{"value":{"user":"` + secret + `"}},"pin":{"value":31415926}},
	"configuration":{"root_module":{"variables":{"v":{"sensitive":true},"pin":{"sensitive":true}}}},
	"resource_changes":[
	 {"address":"x_y.source","mode":"managed","type":"x_y","name":"source","change":{"actions":["create"],"before":null,
	  "after":{"m":{"` + key + `":"` + secret + `","password":"` + secret + `"},"pem":"` + quotedPEM + `"},"after_sensitive":{"m":true,"pem":true}}},
	 {"address":"x_y.copy[\"` + secret + `\"]","index":"` + secret + `","mode":"managed","type":"x_y","name":"copy","change":{"actions":["update"],
	  "before":{"text":"see ` + secret + ` there"},
	  "after":{"text":"` + encoded + `","m":{"` + key + `":"` + secret + `"},"l":["` + key + `"],"lines":"first\n` + quotedPEM + `last\n","json":"{\"` + key + `\":[\"` + secret + `\"]}","n":31415926,
	   "long":"` + strings.Repeat("x", maxString) + secret + `"},"importing":{"id":"` + secret + `"}}}],
	"deferred_changes":[{"reason":"` + secret + `","resource_change":{"address":"x_y.d","mode":"managed","type":"x_y","name":"d","change":{"actions":["create"],"before":null,"after":{"a":"` + secret + `","hush":"hush-hush-9"},"after_sensitive":{"hush":true}}}}],
	"action_invocations":[{"address":"action.a.b","type":"a","name":"b","config_values":{"a":"` + secret + `","own":"own-canary-5","copy":"own-canary-5"},"config_sensitive":{"own":true}}],
	"checks":[{"address":{"kind":"check","to_display":"check.c"},"status":"fail","instances":[{"address":{"to_display":"check.c"},"status":"fail","problems":[
	  {"message":"got ` + secret + `, ` + encoded + `, ` + key + ` and 31415926"},{"message":"` + quotedPEM + `"},{"message":"can-\nary and hush-hush-9"}]}]}],
	"output_changes":{"o":{"actions":["create"],"after":{"k":"` + secret + `","` + key + `":1}},"m":{"actions":["update"],"before":{"password":"` + secret + `"},"after":"gone"}},
	"relevant_attributes":[{"resource":"x_y.drift","attribute":["t"]}],
	"resource_drift":[{"address":"x_y.drift","mode":"managed","type":"x_y","name":"drift","change":{"actions":["update"],"before":{"t":"a"},"after":{"t":"` + secret + `"}}}]}`
	p := parsed(t, doc)
	for _, o := range []TextOptions{{}, {DiffOptions: DiffOptions{Full: true, Exclaim: true}, Reads: true}, {Limit: 4 << 10}, {Limit: 6 << 10}} {
		got := Text(p, o)
		for _, bad := range []string{secret, encoded, key, "31415926", "abc", "BEGIN KEY", "hush-hush-9", "own-canary-5"} {
			if strings.Contains(got, bad) {
				t.Errorf("%+v: %q came through:\n%s", o, bad, got)
			}
		}
		if !strings.Contains(got, "check.c fails") || o.Limit == 0 && !strings.Contains(got, "x_y.drift has changed") {
			t.Errorf("%+v: it does not say enough:\n%s", o, got)
		}
	}
}

// TestThreat_SecretsOfDataSources: what a data source reads while the plan is
// made stands in the state before it alone.
func TestThreat_SecretsOfDataSources(t *testing.T) {
	p := parsed(t, `{"format_version":"1.2","resource_changes":[`+object(`["create"]`, "null", `{"a":"canary-read","n":77712345,"open":"shown"}`, "")+`],
	"prior_state":{"values":{"outputs":{"o":{"sensitive":true,"value":["canary-output"]},"p":{"sensitive":false,"value":"shown"}},"root_module":{"child_modules":[{"resources":[
	 {"address":"data.a.b","mode":"data","values":{"token":"canary-read","pin":77712345,"list":["x","canary-listed"]},"sensitive_values":{"token":true,"pin":true,"list":[false,true]}},
	 {"address":"data.a.c","mode":"data","values":{"open":"shown"},"sensitive_values":{}}]}]}}}}`)
	if diff := cmp.Diff([]string{"77712345", "canary-listed", "canary-output", "canary-read"}, slices.Sorted(slices.Values(p.SensitiveValues()))); diff != "" {
		t.Error(diff)
	}
	if got := Text(p, TextOptions{}); strings.Contains(got, "canary") || strings.Contains(got, "77712345") || !strings.Contains(got, "shown") {
		t.Error(got)
	}
}

func TestThreat_TextStaysInItsLines(t *testing.T) {
	evil := `\n+ evil\r\u001b[31m\u202e\u0000\u2066- x`
	p := parsed(t, `{"format_version":"1.2","applyable":true,"`+evil+`_section":[1],
	"resource_changes":[{"address":"x_y.z[\"`+evil+`\"]","previous_address":"`+evil+`","module_address":"`+evil+`","mode":"`+evil+`","type":"`+evil+`","name":"`+evil+`","deposed":"`+evil+`","action_reason":"delete_because_no_module","change":{"actions":["delete"],"before":{"`+evil+`":"`+evil+`"},"after":null,"importing":{"id":"`+evil+`"}}}],
	"deferred_changes":[{"reason":"`+evil+`","resource_change":{"address":"`+evil+`","change":{"actions":["create"],"after":{"a":1}}}},{"reason":"`+evil+`","resource_change":{"address":"`+evil+`","change":{"actions":["no-op"]}}}],
	"action_invocations":[{"address":"`+evil+`","type":"`+evil+`","name":"`+evil+`","config_values":{"`+evil+`":"`+evil+`"},"lifecycle_action_trigger":{"triggering_resource_address":"`+evil+`","action_trigger_event":"`+evil+`"}}],
	"checks":[{"address":{"kind":"`+evil+`"},"status":"fail","instances":[{"address":{"to_display":"`+evil+`"},"status":"`+evil+`","problems":[{"message":"`+evil+`"}]}]}],
	"output_changes":{"`+evil+`":{"actions":["create"],"after":"`+evil+`"}},
	"relevant_attributes":[{"resource":"","attribute":[]}],
	"resource_drift":[{"address":"`+evil+`","type":"t","name":"n","change":{"actions":["update"],"before":{"a":1},"after":{"a":2}}}]}`)
	for _, o := range []TextOptions{{}, {DiffOptions: DiffOptions{Full: true}}, {Limit: 4 << 10}} {
		inert(t, Text(p, o))
	}
}

// inert fails where a text has a control character, or a line that begins
// with a marker and has none in its place.
func inert(t *testing.T, text string) {
	t.Helper()
	for _, bad := range []string{"\x1b", "\u202e", "\u2066", "\x00", "\r"} {
		if strings.Contains(text, bad) {
			t.Fatalf("%q came through:\n%q", bad, text)
		}
	}
	marked := regexp.MustCompile(`^(?:[-+~!.] {3,}|(?:-/\+|\+/-) |<=  | |$)`)
	for _, l := range strings.Split(text, "\n") {
		if !marked.MatchString(l) && l != "Changes to Outputs:" {
			t.Fatalf("the line %q begins with something else than a marker:\n%s", l, text)
		}
	}
}
