package tfplan

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// maker makes random plans, as their JSON's values.
type maker struct{ *rand.Rand }

func (m maker) word() string {
	return []string{"a", "b", "name", "id", "tags", "x.y", "", "é", "quo\"te"}[m.IntN(9)]
}

func (m maker) value(depth int) any {
	switch n := m.IntN(8); {
	case n == 0:
		return nil
	case n == 1:
		return m.IntN(2) == 0
	case n == 2:
		return json.Number(strconv.Itoa(m.IntN(1000)))
	case n < 5 || depth == 0:
		return m.word() + strconv.Itoa(m.IntN(50))
	case n == 5:
		list := make([]any, m.IntN(4))
		for i := range list {
			list[i] = m.value(depth - 1)
		}
		return list
	}
	return m.object(depth - 1)
}

func (m maker) object(depth int) map[string]any {
	out := map[string]any{}
	for range 1 + m.IntN(4) {
		out[m.word()] = m.value(depth)
	}
	return out
}

// mask covers some of a value.
func (m maker) mask(v any) any {
	if m.IntN(4) == 0 {
		return true
	}
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			if m.IntN(2) == 0 {
				out[k] = m.mask(e)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = m.mask(e)
		}
		return out
	}
	return false
}

func (m maker) change(address string) map[string]any {
	actions := [][]any{{"create"}, {"update"}, {"delete"}, {"delete", "create"}, {"create", "delete"}, {"read"}, {"forget"}, {"create", "forget"}}[m.IntN(8)]
	before, after := m.object(3), m.object(3)
	c := map[string]any{
		"actions": actions, "before": before, "after": after,
		"after_unknown": m.mask(after), "before_sensitive": m.mask(before), "after_sensitive": m.mask(after),
	}
	if len(actions) == 2 {
		c["replace_paths"] = []any{[]any{"a"}, []any{"b", json.Number("0")}}
	}
	if m.IntN(6) == 0 {
		c["importing"] = map[string]any{"id": m.word() + "1"}
	}
	out := map[string]any{"address": address, "mode": "managed", "type": "x_y", "name": address, "provider_name": "p", "change": c}
	if m.IntN(6) == 0 {
		out["previous_address"] = address + "_old"
	}
	if m.IntN(8) == 0 {
		out["deposed"] = "d" + strconv.Itoa(m.IntN(100))
	}
	return out
}

func (m maker) plan() map[string]any {
	var changes, deferred, actions, checks []any
	for i := range 1 + m.IntN(5) {
		changes = append(changes, m.change(fmt.Sprintf("x_y.c%d", i)))
	}
	for i := range m.IntN(3) {
		deferred = append(deferred, map[string]any{"reason": "absent_prereq", "resource_change": m.change(fmt.Sprintf("x_y.d%d", i))})
	}
	for i := range m.IntN(3) {
		config := m.object(2)
		actions = append(actions, map[string]any{
			"address": fmt.Sprintf("action.a.b%d", i), "type": "a", "name": "b", "config_values": config, "config_sensitive": m.mask(config),
			"lifecycle_action_trigger": map[string]any{"triggering_resource_address": "x_y.c0", "action_trigger_event": "AfterCreate", "action_trigger_block_index": json.Number("0"), "actions_list_index": json.Number(strconv.Itoa(i))},
		})
	}
	for i := range m.IntN(4) {
		address := map[string]any{"kind": "check", "to_display": fmt.Sprintf("check.k%d", i)}
		status := []string{"pass", "fail", "unknown", "error"}[m.IntN(4)]
		checks = append(checks, map[string]any{"address": address, "status": status, "instances": []any{map[string]any{"address": address, "status": status}}})
	}
	return map[string]any{
		"format_version": "1.2", "terraform_version": "1.11.4", "applyable": true,
		"resource_changes": changes, "deferred_changes": deferred, "action_invocations": actions, "checks": checks,
		"output_changes": map[string]any{"o": map[string]any{"actions": []any{"update"}, "before": m.value(2), "after": m.value(2)}},
	}
}

// copied is a deep copy.
func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = copied(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = copied(e)
		}
		return out
	}
	return v
}

// write is JSON with its members in a random order and random white space.
func (m maker) write(b *strings.Builder, v any) {
	space := func() { b.WriteString([]string{"", " ", "\n\t", ""}[m.IntN(4)]) }
	switch v := v.(type) {
	case map[string]any:
		keys := keysOf(v, nil, nil)
		m.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		b.WriteString("{")
		for i, k := range keys {
			if i > 0 {
				b.WriteString(",")
			}
			space()
			m.write(b, k)
			space()
			b.WriteString(":")
			m.write(b, v[k])
		}
		b.WriteString("}")
	case []any:
		b.WriteString("[")
		for i, e := range v {
			if i > 0 {
				b.WriteString(",")
			}
			space()
			m.write(b, e)
		}
		b.WriteString("]")
	default:
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		b.Write(text)
	}
}

func (m maker) parsed(t *testing.T, v any) *Plan {
	t.Helper()
	var b strings.Builder
	m.write(&b, v)
	return parsed(t, b.String())
}

func plainly(t *testing.T, v any) *Plan {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, string(b))
}

// loose adds to masks what says nothing.
func (m maker) loose(mask any) any {
	switch v := mask.(type) {
	case map[string]any:
		v["nobody"] = []any{false, map[string]any{}}
		v["else"] = false
	case bool:
		if !v {
			return map[string]any{}
		}
	}
	return mask
}

// TestDigestIsStable: whatever two runs of a plan may differ in that is not
// what they would do, the digest is the same.
func TestDigestIsStable(t *testing.T) {
	shuffle := func(m maker, v map[string]any, key string) {
		if list, ok := v[key].([]any); ok {
			m.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
	}
	for seed := range uint64(80) {
		m := maker{rand.New(rand.NewPCG(seed, 1))}
		v := m.plan()
		want := m.parsed(t, v)
		again := copied(v).(map[string]any)
		for _, key := range []string{"resource_changes", "deferred_changes", "action_invocations", "checks"} {
			shuffle(m, again, key)
		}
		for _, c := range again["resource_changes"].([]any) {
			ch := c.(map[string]any)["change"].(map[string]any)
			for _, key := range []string{"after_unknown", "before_sensitive", "after_sensitive"} {
				ch[key] = m.loose(ch[key])
			}
			if paths, ok := ch["replace_paths"].([]any); ok {
				paths[0], paths[1] = paths[1], paths[0]
			}
			c.(map[string]any)["action_reason"] = "replace_because_cannot_update"
		}
		again["timestamp"] = "2027-01-01T00:00:0" + strconv.Itoa(m.IntN(10)) + "Z"
		again["terraform_version"], again["format_version"] = "1.14.1", "1.3"
		again["prior_state"], again["planned_values"] = m.object(2), m.object(2)
		again["relevant_attributes"] = []any{map[string]any{"resource": "x_y.c0", "attribute": []any{"a"}}}
		again["resource_drift"] = []any{m.change("x_y.drift"), m.change("x_y.c0")}
		again["complete"], again["a_section_of_tomorrow"] = true, []any{}
		again["resource_changes"] = append(again["resource_changes"].([]any), map[string]any{"address": "x_y.same", "change": map[string]any{"actions": []any{"no-op"}, "before": m.object(2), "after": m.object(2)}})
		for _, c := range again["checks"].([]any) { // another wording
			c.(map[string]any)["instances"].([]any)[0].(map[string]any)["problems"] = []any{map[string]any{"message": m.word()}}
		}
		got := m.parsed(t, again)
		if got.Digest() != want.Digest() {
			t.Fatalf("seed %d: another digest for the same plan", seed)
		}
		if !got.Within(want) || !want.Within(got) {
			t.Fatalf("seed %d: the same plan is not within itself", seed)
		}
	}
}

// spot is a value of a tree that can be changed: set puts another there.
type spot struct {
	path string
	old  any
	set  func(any)
}

func spots(path string, v any, set func(any), out *[]spot) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range keysOf(v, nil, nil) {
			spots(path+"."+k, v[k], func(n any) { v[k] = n }, out)
		}
	case []any:
		for i, e := range v {
			spots(path+"["+strconv.Itoa(i)+"]", e, func(n any) { v[i] = n }, out)
		}
	}
	if set != nil {
		*out = append(*out, spot{path, v, set})
	}
}

// TestDigestNoticesEveryChange changes one value of a plan at a time, in every
// section that says what it would do: its digest is another each time.
func TestDigestNoticesEveryChange(t *testing.T) {
	tried := 0
	for seed := range uint64(12) {
		m := maker{rand.New(rand.NewPCG(seed, 2))}
		v := m.plan()
		want := plainly(t, v)
		var all []spot
		for i, c := range v["resource_changes"].([]any) {
			c := c.(map[string]any)
			for _, key := range []string{"before", "after"} {
				spots(fmt.Sprintf("change %d %s", i, key), c["change"].(map[string]any)[key], nil, &all)
			}
			for _, key := range []string{"address", "provider_name", "mode"} {
				spots(key, c[key], func(n any) { c[key] = n }, &all)
			}
		}
		for i, d := range v["deferred_changes"].([]any) {
			d := d.(map[string]any)
			spots(fmt.Sprintf("deferred %d", i), d["resource_change"].(map[string]any)["change"].(map[string]any)["after"], nil, &all)
			spots("reason", d["reason"], func(n any) { d["reason"] = n }, &all)
		}
		for i, a := range v["action_invocations"].([]any) {
			a := a.(map[string]any)
			spots(fmt.Sprintf("action %d", i), a["config_values"], nil, &all)
			for _, key := range []string{"address", "type"} {
				spots(key, a[key], func(n any) { a[key] = n }, &all)
			}
		}
		o := v["output_changes"].(map[string]any)["o"].(map[string]any)
		spots("output before", o["before"], func(n any) { o["before"] = n }, &all)
		spots("output after", o["after"], func(n any) { o["after"] = n }, &all)
		for _, s := range all {
			s.set("something else")
			if plainly(t, v).Digest() == want.Digest() {
				t.Fatalf("seed %d: %s became another, and the digest did not", seed, s.path)
			}
			s.set(s.old)
			tried++
		}
		// Masks: every spot of a value, covered and not.
		for i, c := range v["resource_changes"].([]any) {
			ch := c.(map[string]any)["change"].(map[string]any)
			for _, key := range []string{"after_unknown", "before_sensitive", "after_sensitive"} {
				old := ch[key]
				ch[key] = true
				if old != true && plainly(t, v).Digest() == want.Digest() {
					t.Fatalf("seed %d: all of change %d is %s, and the digest is the same", seed, i, key)
				}
				ch[key] = false
				if squash(old) != nil && plainly(t, v).Digest() == want.Digest() {
					t.Fatalf("seed %d: nothing of change %d is %s any more, and the digest is the same", seed, i, key)
				}
				ch[key] = old
				tried += 2
			}
		}
		// A check that begins or ceases to fail.
		for i, c := range v["checks"].([]any) {
			instance := c.(map[string]any)["instances"].([]any)[0].(map[string]any)
			old := instance["status"]
			for _, status := range []string{"pass", "fail", "error", "unknown"} {
				instance["status"] = status
				good := func(s any) bool { return s == "pass" || s == "unknown" }
				same := plainly(t, v).Digest() == want.Digest()
				if same != (status == old || good(status) && good(old)) {
					t.Fatalf("seed %d: check %d went from %s to %s; the digest is the same: %v", seed, i, old, status, same)
				}
				tried++
			}
			instance["status"] = old
		}
		// One of anything less, or more.
		for _, key := range []string{"resource_changes", "deferred_changes", "action_invocations"} {
			list := v[key].([]any)
			if len(list) > 0 {
				v[key] = list[1:]
				if plainly(t, v).Digest() == want.Digest() {
					t.Fatalf("seed %d: one of %s less, and the digest is the same", seed, key)
				}
				v[key] = list
			}
		}
		v["a_section_of_tomorrow"] = m.object(1)
		if left := plainly(t, v); left.Digest() == want.Digest() || left.Within(want) {
			t.Fatalf("seed %d: a section that nobody knows goes unnoticed", seed)
		}
	}
	if tried < 500 {
		t.Errorf("only %d changes were tried", tried)
	}
}

// TestWithinAsides: what stands beside the changes was reviewed too.
func TestWithinAsides(t *testing.T) {
	p := func(sections string) *Plan {
		return parsed(t, `{"format_version":"1.2","resource_changes":[`+object(`["update"]`, `{"a":1}`, `{"a":2}`, "")+`]`+sections+`}`)
	}
	check := func(status string) string {
		return `,"checks":[{"address":{"kind":"check","to_display":"check.a"},"status":"` + status + `","instances":[{"address":{"to_display":"check.a"},"status":"` + status + `"}]}]`
	}
	later := `,"deferred_changes":[{"reason":"r","resource_change":{"address":"x_y.d","change":{"actions":["create"],"after":{"a":1}}}}]`
	notify := `,"action_invocations":[{"address":"action.a.b","type":"a","name":"b","config_values":{"x":1}}]`
	for _, tc := range []struct {
		name           string
		left, reviewed string
		want           bool
	}{
		{"a check fails as it did", check("fail"), check("fail"), true},
		{"a check holds that failed", check("pass"), check("fail"), true},
		{"a check is not known that failed", check("unknown"), check("fail"), true},
		{"a check fails that held", check("fail"), check("pass"), false},
		{"a check fails that was not known", check("fail"), check("unknown"), false},
		{"a check fails that was not there", check("error"), "", false},
		{"the same is deferred", later, later, true},
		{"nothing is deferred any more", "", later, true},
		{"something is deferred", later, "", false},
		{"for another reason", strings.Replace(later, `"r"`, `"s"`, 1), later, false},
		{"the action is the same", notify, notify, true},
		{"the action was done", "", notify, true},
		{"an action that nobody saw", notify, "", false},
		{"an action that is given something else", strings.Replace(notify, "1", "2", 1), notify, false},
		{"a section that nobody knows", `,"tomorrow":[1]`, "", false},
		{"drift", `,"resource_drift":[` + object(`["update"]`, `{"a":0}`, `{"a":1}`, "") + `]`, "", true},
	} {
		if got := p(tc.left).Within(p(tc.reviewed)); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	// What was deferred and is planned now, nobody has seen.
	deferred := parsed(t, `{"format_version":"1.2"`+later+`}`)
	if parsed(t, one(`{"address":"x_y.d","change":{"actions":["create"],"after":{"a":1}}}`)).Within(deferred) {
		t.Error("a deferred change that is planned now is taken for reviewed")
	}
}

// TestDigestHasNotMoved: digests are stored, and approvals hang on them. A
// plan that has none of the new sections keeps the digest it always had.
func TestDigestHasNotMoved(t *testing.T) {
	b, err := os.ReadFile("testdata/diff/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	const want = "c40c7ef9441e8bf1865c7ce990273225025c97025b08bed4171e57eaf71fcb08"
	if got := parsed(t, string(b)).Digest(); got != want {
		t.Errorf("the digest is %s, and was %s", got, want)
	}
}
