package tfplan

import (
	"encoding/json"
	"strings"
	"testing"
)

// planOf makes a plan of changes, each the inside of a resource change.
func planOf(t *testing.T, outputs string, changes ...string) *Plan {
	t.Helper()
	for i, c := range changes {
		changes[i] = "{" + c + "}"
	}
	return parsed(t, `{"format_version":"1.2","resource_changes":[`+strings.Join(changes, ",")+`],"output_changes":{`+outputs+`}}`)
}

func TestWithin(t *testing.T) {
	const (
		a = `"address":"x_y.a","mode":"managed","type":"x_y","name":"a","provider_name":"p","change":`
		b = `"address":"x_y.b","mode":"managed","type":"x_y","name":"b","provider_name":"p","change":`

		createA  = a + `{"actions":["create"],"after":{"n":"a","zone":null,"l":[{"k":1},{"k":2}]},"after_unknown":{"id":true},"after_sensitive":{"n":true}}`
		updateB  = b + `{"actions":["update"],"before":{"n":"1","id":"i"},"after":{"n":"2","id":"i"},"after_unknown":{}}`
		deleteB  = b + `{"actions":["delete"],"before":{"n":"1","id":"i"},"after":null}`
		noopB    = b + `{"actions":["no-op"],"before":{"n":"1"},"after":{"n":"1"}}`
		dependsB = b + `{"actions":["create"],"after":{"n":"b","l":[{"k":1}],"m":{"x":1}},"after_unknown":{"id":true,"a_id":true,"l":[{"j":true}],"m":{"y":true}},"after_sensitive":{}}`
		replaceB = b + `{"actions":["delete","create"],"before":{"n":"1","id":"i"},"after":{"n":"2"},"after_unknown":{"id":true},"replace_paths":[["n"]]}`
		firstB   = b + `{"actions":["create","delete"],"before":{"n":"1","id":"i"},"after":{"n":"2"},"after_unknown":{"id":true},"replace_paths":[["n"]]}`
		forgetB  = b + `{"actions":["create","forget"],"before":{"n":"1","id":"i"},"after":{"n":"2"},"after_unknown":{"id":true},"replace_paths":[["n"]]}`
		deposedB = `"address":"x_y.b","deposed":"d1","mode":"managed","type":"x_y","name":"b","provider_name":"p","change":{"actions":["delete"],"before":{"n":"1","id":"i"},"after":null}`
		newB     = b + `{"actions":["create"],"before":null,"after":{"n":"2"},"after_unknown":{"id":true}}`
		movedB   = `"previous_address":"x_y.old",` + updateB
		out      = `"o":{"actions":["update"],"before":1,"after":2}`
		outWait  = `"o":{"actions":["create"],"before":null,"after_unknown":true}`
	)
	edit := func(s string, pairs ...string) string {
		out := strings.NewReplacer(pairs...).Replace(s)
		if out == s {
			t.Fatalf("%q changes nothing in %s", pairs, s)
		}
		return out
	}
	importB := edit(updateB, `"actions":["update"]`, `"actions":["update"],"importing":{"id":"i"}`)
	for _, tc := range []struct {
		name             string
		left, reviewed   []string
		outputs, agreedO string
		want             bool
	}{
		{name: "nothing is left", reviewed: []string{createA}, want: true},
		{name: "nothing is left of nothing", want: true},
		{name: "all of it", left: []string{createA, updateB}, reviewed: []string{createA, updateB}, want: true},
		{name: "part of it", left: []string{updateB}, reviewed: []string{createA, updateB}, want: true},
		{name: "what is done is there, unchanged", left: []string{createA, noopB}, reviewed: []string{createA, updateB}, want: true},

		{name: "a new address", left: []string{createA, updateB}, reviewed: []string{createA}},
		{name: "another address", left: []string{edit(createA, "x_y.a", "x_y.c")}, reviewed: []string{createA}},
		{name: "what was to stay as it is", left: []string{updateB}, reviewed: []string{noopB}},
		{name: "another value", left: []string{edit(updateB, `"n":"2"`, `"n":"3"`)}, reviewed: []string{updateB}},
		{name: "another value in a list", left: []string{edit(createA, `{"k":2}`, `{"k":3}`)}, reviewed: []string{createA}},
		{name: "a longer list", left: []string{edit(createA, `{"k":2}`, `{"k":2},{"k":2}`)}, reviewed: []string{createA}},
		{name: "another type", left: []string{edit(updateB, `"n":"2"`, `"n":2`)}, reviewed: []string{updateB}},
		{name: "other digits", left: []string{edit(createA, `{"k":2}`, `{"k":2.0}`)}, reviewed: []string{createA}},
		{name: "one value more", left: []string{edit(updateB, `"n":"2"`, `"n":"2","new":1`)}, reviewed: []string{updateB}},
		{name: "a null that was not there", left: []string{edit(updateB, `"n":"2"`, `"n":"2","new":null`)}, reviewed: []string{updateB}},
		{name: "one value less", left: []string{edit(createA, `"zone":null,`, ``)}, reviewed: []string{createA}},
		{name: "another value before", left: []string{edit(updateB, `"n":"1"`, `"n":"0"`)}, reviewed: []string{updateB}},
		{name: "another action", left: []string{deleteB}, reviewed: []string{updateB}},
		{name: "a deletion in place of a replacement", left: []string{deleteB}, reviewed: []string{replaceB}},
		{name: "a replacement in place of a creation: it came out tainted", left: []string{replaceB}, reviewed: []string{newB}},
		{name: "a replacement in the other order", left: []string{firstB}, reviewed: []string{replaceB}},
		{name: "a replacement for another reason", left: []string{edit(replaceB, `[["n"]]`, `[["id"]]`)}, reviewed: []string{replaceB}},
		{name: "another provider", left: []string{edit(updateB, `"p"`, `"q"`)}, reviewed: []string{updateB}},
		{name: "a data source of that address", left: []string{edit(updateB, "managed", "data")}, reviewed: []string{updateB}},
		{name: "another mark", left: []string{edit(createA, `"after_sensitive":{"n":true}`, `"after_sensitive":{}`)}, reviewed: []string{createA}},
		{name: "another mark before", left: []string{edit(updateB, `"after_unknown"`, `"before_sensitive":{"n":true},"after_unknown"`)}, reviewed: []string{updateB}},

		{name: "an unknown that is known now", left: []string{edit(dependsB, `"a_id":true,`, ``, `"n":"b"`, `"n":"b","a_id":"a-1"`)}, reviewed: []string{dependsB}, want: true},
		{name: "and turns out to be a secret", left: []string{edit(dependsB, `"a_id":true,`, ``, `"n":"b"`, `"n":"b","a_id":"a-1"`, `"after_sensitive":{}`, `"after_sensitive":{"a_id":true}`)}, reviewed: []string{dependsB}, want: true},
		{name: "an unknown in a list", left: []string{edit(dependsB, `"l":[{"k":1}]`, `"l":[{"k":1,"j":7}]`, `"l":[{"j":true}]`, `"l":[]`)}, reviewed: []string{dependsB}, want: true},
		{name: "an unknown in a map", left: []string{edit(dependsB, `"m":{"x":1}`, `"m":{"x":1,"y":2}`, `"m":{"y":true}`, `"m":{}`)}, reviewed: []string{dependsB}, want: true},
		{name: "its neighbour in the list changes", left: []string{edit(dependsB, `"l":[{"k":1}]`, `"l":[{"k":2,"j":7}]`, `"l":[{"j":true}]`, `"l":[]`)}, reviewed: []string{dependsB}},
		{name: "its neighbour in the map changes", left: []string{edit(dependsB, `"m":{"x":1}`, `"m":{"x":2,"y":2}`, `"m":{"y":true}`, `"m":{}`)}, reviewed: []string{dependsB}},
		{name: "a second one comes into the map", left: []string{edit(dependsB, `"m":{"x":1}`, `"m":{"x":1,"y":2,"z":3}`, `"m":{"y":true}`, `"m":{}`)}, reviewed: []string{dependsB}},
		{name: "a known value is unknown now", left: []string{edit(updateB, `"n":"2",`, ``, `"after_unknown":{}`, `"after_unknown":{"n":true}`)}, reviewed: []string{updateB}},
		{name: "something new is unknown", left: []string{edit(updateB, `"after_unknown":{}`, `"after_unknown":{"arn":true}`)}, reviewed: []string{updateB}},
		{name: "something more is unknown", left: []string{edit(createA, `{"id":true}`, `{"id":true,"arn":true}`)}, reviewed: []string{createA}},

		{name: "the old object of a replacement is gone", left: []string{newB}, reviewed: []string{replaceB}, want: true},
		{name: "and the new one is another", left: []string{edit(newB, `"n":"2"`, `"n":"3"`)}, reviewed: []string{replaceB}},
		{name: "the new object is there, the old one has to go", left: []string{deposedB}, reviewed: []string{firstB}, want: true},
		{name: "neither is done, but the old one was set aside", left: []string{newB, deposedB}, reviewed: []string{firstB}, want: true},
		{name: "another old object", left: []string{edit(deposedB, `"id":"i"`, `"id":"j"`)}, reviewed: []string{firstB}},
		{name: "an old object that was to be kept", left: []string{deposedB}, reviewed: []string{forgetB}},
		{name: "an old object that was to go first", left: []string{deposedB}, reviewed: []string{replaceB}},
		{name: "an old object, where only an update was agreed to", left: []string{deposedB}, reviewed: []string{updateB}},
		{name: "the very deposed object", left: []string{deposedB}, reviewed: []string{deposedB}, want: true},

		{name: "the move is done", left: []string{updateB}, reviewed: []string{movedB}, want: true},
		{name: "a move that nobody saw", left: []string{movedB}, reviewed: []string{updateB}},
		{name: "the import is done", left: []string{updateB}, reviewed: []string{importB}, want: true},
		{name: "an import that nobody saw", left: []string{importB}, reviewed: []string{updateB}},

		{name: "an output", outputs: out, agreedO: out, want: true},
		{name: "an output done", agreedO: out, want: true},
		{name: "an output's other value", outputs: edit(out, `"after":2`, `"after":3`), agreedO: out},
		{name: "an output's other value before", outputs: edit(out, `"before":1`, `"before":0`), agreedO: out},
		{name: "a new output", outputs: edit(out, `"o"`, `"q"`), agreedO: out},
		{name: "an output that goes", outputs: edit(out, `update`, `delete`), agreedO: out},
		{name: "an output that stays", outputs: edit(out, `update`, `no-op`), want: true},
		{name: "an output that is known now", outputs: edit(outWait, `"after_unknown":true`, `"after":"x"`), agreedO: outWait, want: true},
		{name: "an output that is unknown now", outputs: outWait, agreedO: edit(outWait, `"after_unknown":true`, `"after":"x"`)},
		{name: "an output that shows a secret", outputs: out, agreedO: edit(out, `"after":2`, `"after":2,"after_sensitive":true`)},
	} {
		left, reviewed := planOf(t, tc.outputs, tc.left...), planOf(t, tc.agreedO, tc.reviewed...)
		if got := left.Within(reviewed); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
		if !reviewed.Within(reviewed) {
			t.Errorf("%s: a plan is not within itself", tc.name)
		}
		if left.Errored = true; left.Within(reviewed) {
			t.Errorf("%s: a broken plan is within another", tc.name)
		}
	}
	if planOf(t, "", createA).Within(nil) || !planOf(t, "").Within(nil) {
		t.Error("no reviewed plan agrees to nothing")
	}
}

// TestWithinNoticesEveryValue changes every single value of a plan in
// turn: none may go unnoticed.
func TestWithinNoticesEveryValue(t *testing.T) {
	const text = `{"format_version":"1.2","resource_changes":[{"address":"a.b","mode":"managed","type":"a","name":"b","provider_name":"p",
		"change":{"actions":["update"],"before":{"x":1,"l":[1,{"y":"z"}],"m":{"k":null}},"after":{"x":2,"l":[1,{"y":"w"},[true]],"m":{"k":"v"},"s":""},"after_unknown":{"id":true,"m":{"u":true}}}}],
		"output_changes":{"o":{"actions":["update"],"before":{"a":[1]},"after":{"a":[2]}}}}`
	var root any
	if err := json.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	reviewed := parsed(t, text)
	seen := 0
	var walk func(v any, set func(any))
	walk = func(v any, set func(any)) {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				walk(v[k], func(n any) { v[k] = n })
			}
		case []any:
			for i := range v {
				walk(v[i], func(n any) { v[i] = n })
			}
		default:
			set("another")
			b, err := json.Marshal(root)
			if err != nil {
				t.Fatal(err)
			}
			if parsed(t, string(b)).Within(reviewed) {
				t.Errorf("%v became another, and was taken for reviewed", v)
			}
			set(v)
			seen++
		}
	}
	top := root.(map[string]any)
	values := top["resource_changes"].([]any)[0].(map[string]any)["change"].(map[string]any)
	for _, part := range []any{values["before"], values["after"], top["output_changes"].(map[string]any)["o"].(map[string]any)["before"], top["output_changes"].(map[string]any)["o"].(map[string]any)["after"]} {
		walk(part, nil)
	}
	if seen != 12 {
		t.Errorf("%d values were changed", seen)
	}
}
