package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

func TestTyposInRulesAreLoadErrors(t *testing.T) {
	for name, c := range map[string]struct{ body, says string }{
		"of the plan":          {`some rc in input.plan.resource_chagnes; msg := rc.address`, `own/p.rego:4: input.plan has no "resource_chagnes", did you mean "resource_changes"? There is: action_invocations,`},
		"at the top":           {`some rc in input.resource_chnages; msg := rc.address`, `input has no "resource_chnages", did you mean "resource_changes"?`},
		"of the pull request":  {`msg := input.pull.lables[_]`, `input.pull has no "lables", did you mean "labels"? There is: approvals, author,`},
		"of a change":          {`some rc in input.resource_changes; msg := rc.chnage.after.name`, `has no "chnage", did you mean "change"?`},
		"within a change":      {`msg := input.plan.resource_changes[_].change.afterr.name`, `has no "afterr", did you mean "after"?`},
		"of nothing there is":  {`msg := input.pull.reviewers[_]`, `input.pull has no "reviewers"? There is: approvals`},
		"of the configuration": {`msg := input.configuration.root_modul.module_calls.a.source`, `did you mean "root_module"?`},
		"of Gatekeeper":        {`msg := input.review.object.metadata.name`, "what Kubernetes admits"},
		"of another product":   {`msg := input.tfplan.resource_changes[_].address`, "input.tfplan is another product's: here the plan is input.plan"},
		"of the code":          {`msg := input.resource.aws_s3_bucket[_].bucket`, "input.resource is of the code, as conftest reads .tf files"},
		"in a function":        {`msg := f(1)`, `own/p.rego:7: input.project has no "enviroment", did you mean "environment"?`},
	} {
		t.Run(name, func(t *testing.T) {
			src := "package main\n\ndeny contains msg if {\n\t" + strings.ReplaceAll(c.body, "; ", "\n\t") + "\n}\n"
			if name == "in a function" {
				src += "\nf(_) := input.project.enviroment\n"
			}
			_, err := policy.New(policy.Options{Packs: []policy.Pack{{Name: "own", FS: folder(map[string]string{"p.rego": src})}}})
			if !errs.Is(err, errs.Invalid) || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("New = %v\nwant %s", err, c.says)
			}
			pack := policy.Pack{Name: "own", FS: folder(map[string]string{"p.rego": src}), Untyped: true}
			if _, err := policy.New(policy.Options{Packs: []policy.Pack{pack}}); err != nil {
				t.Errorf("an untyped pack: %v", err)
			}
		})
	}
}

// TestSchemaFitsWhatRulesSee holds the schema against inputs as they are made,
// in both directions: they are valid, and no member of theirs is unknown to it.
func TestSchemaFitsWhatRulesSee(t *testing.T) {
	e := small(t, policy.Options{}, nil)
	match := matcher(t)
	inputs := map[string]policy.Input{"every fact": everyFact(t), "no fact": {Plan: plan(t)}}
	files, err := filepath.Glob("../../planner/tfplan/testdata/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		in, err := policy.ReadInput(raw)
		if err != nil {
			continue // not a plan as a whole
		}
		inputs[file] = in
	}
	if len(inputs) < 7 {
		t.Fatalf("only %d plans were found", len(inputs))
	}
	for name, in := range inputs {
		t.Run(filepath.Base(name), func(t *testing.T) { checkSchema(t, match, e, in) })
	}
}

func checkSchema(t *testing.T, match func(testing.TB, []byte) []string, e *policy.Engine, in policy.Input) {
	t.Helper()
	whole, err := e.JSON(in)
	if err != nil {
		t.Fatal(err)
	}
	var both map[string]any
	if err := json.Unmarshal(whole, &both); err != nil {
		t.Fatal(err)
	}
	for key, v := range both["plan"].(map[string]any) {
		both[key] = v
	}
	raw, err := json.Marshal(both)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range match(t, raw) {
		t.Error(wrong)
	}
	var schema map[string]any
	if err := json.Unmarshal(policy.InputSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range unknown(schema, schema, both, "input") {
		if !strings.Contains(wrong, ".ritual_changes ") && !strings.Contains(wrong, ".nothing_new ") { // made up by one of the corpus
			t.Error(wrong)
		}
	}
}

// matcher validates inputs by a JSON Schema library that is not OPA's.
func matcher(t testing.TB) func(testing.TB, []byte) []string {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(policy.InputSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("input.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("input.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(t testing.TB, raw []byte) []string {
		t.Helper()
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			return []string{err.Error()}
		}
		return nil
	}
}

func TestSchemaRefuses(t *testing.T) {
	match := matcher(t)
	for name, raw := range map[string]string{
		"no version":            `{"plan":{},"project":{},"client":{},"settings":{}}`,
		"an unknown fact":       `{"version":1,"plan":{},"project":{"enviroment":"x"},"client":{},"settings":{}}`,
		"a number as a text":    `{"version":1,"plan":{},"project":{},"client":{},"settings":{},"pull":{"number":"7"}}`,
		"changes as an object":  `{"version":1,"plan":{"resource_changes":{}},"project":{},"client":{},"settings":{}}`,
		"an action of no kind":  `{"version":1,"plan":{"resource_changes":[{"change":{"actions":["explode"]}}]},"project":{},"client":{},"settings":{}}`,
		"changes wrong at top":  `{"version":1,"plan":{},"resource_changes":7,"project":{},"client":{},"settings":{}}`,
		"a module that is none": `{"version":1,"plan":{"planned_values":{"root_module":{"child_modules":[{"resources":7}]}}},"project":{},"client":{},"settings":{}}`,
	} {
		if len(match(t, []byte(raw))) == 0 {
			t.Errorf("%s is taken for valid", name)
		}
	}
}

// unknown gives the members of v that the schema names nowhere.
func unknown(root, schema map[string]any, v any, at string) (wrong []string) {
	if ref, ok := schema["$ref"].(string); ok {
		schema = root["definitions"].(map[string]any)[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any)
	}
	switch v := v.(type) {
	case map[string]any:
		properties, ok := schema["properties"].(map[string]any)
		if !ok {
			return nil // free
		}
		for key, member := range v {
			s, ok := properties[key].(map[string]any)
			if !ok {
				wrong = append(wrong, fmt.Sprintf("%s.%s is not in the schema", at, key))
				continue
			}
			wrong = append(wrong, unknown(root, s, member, at+"."+key)...)
		}
	case []any:
		items, ok := schema["items"].(map[string]any)
		for i := 0; ok && i < len(v); i++ {
			wrong = append(wrong, unknown(root, items, v[i], fmt.Sprintf("%s[%d]", at, i))...)
		}
	}
	slices.Sort(wrong)
	return slices.Compact(wrong)
}

// TestInputIsDocumented: the page on the input names every fact and every
// member of it that the schema has.
func TestInputIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/policies-input.md")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties map[string]struct {
			Properties map[string]struct {
				Items struct{ Properties map[string]any }
			}
		}
		Definitions map[string]struct{ Properties map[string]any }
	}
	if err := json.Unmarshal(policy.InputSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for row := range strings.Lines(string(page)) {
		if key, rest, ok := strings.Cut(strings.TrimPrefix(row, "| `input."), "` |"); ok {
			rows[key] = rest
		}
	}
	for key, fact := range schema.Properties {
		if _, ofPlan := schema.Definitions["plan"].Properties[key]; ofPlan {
			continue
		}
		row, ok := rows[key]
		if !ok {
			t.Errorf("input.%s is not on the page", key)
		}
		for member, m := range fact.Properties {
			for inner := range m.Items.Properties {
				if !strings.Contains(row, "`"+inner+"`") {
					t.Errorf("input.%s.%s[_].%s is not on the page", key, member, inner)
				}
			}
			if !strings.Contains(row, "`"+member+"`") {
				t.Errorf("input.%s.%s is not on the page", key, member)
			}
		}
	}
}
