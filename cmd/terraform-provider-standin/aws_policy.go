package main

import (
	"encoding/json"
	"fmt"
	"slices"
)

// policyDocument renders aws_iam_policy_document as the real provider does:
// keys in its order, a single action or resource as a string.
func policyDocument(config map[string]any) (map[string]string, error) {
	type statement struct {
		Sid          string                    `json:",omitempty"`
		Effect       string                    `json:",omitempty"`
		Action       any                       `json:",omitempty"`
		NotAction    any                       `json:",omitempty"`
		Resource     any                       `json:",omitempty"`
		NotResource  any                       `json:",omitempty"`
		Principal    any                       `json:",omitempty"`
		NotPrincipal any                       `json:",omitempty"`
		Condition    map[string]map[string]any `json:",omitempty"`
	}
	doc := struct {
		Version   string `json:",omitempty"`
		ID        string `json:"Id,omitempty"`
		Statement []json.RawMessage
	}{Version: "2012-10-17", Statement: []json.RawMessage{}}
	if s, ok := config["version"].(string); ok {
		doc.Version = s
	}
	doc.ID, _ = config["policy_id"].(string)

	documents := func(name string) error {
		for _, text := range textsOf(config[name]) {
			var other struct{ Statement []json.RawMessage }
			if err := json.Unmarshal([]byte(text), &other); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			doc.Statement = append(doc.Statement, other.Statement...)
		}
		return nil
	}
	if err := documents("source_policy_documents"); err != nil {
		return nil, err
	}
	list, _ := config["statement"].([]any)
	for _, e := range list {
		m, _ := e.(map[string]any)
		s := statement{
			Effect: "Allow", Action: oneOrMany(m["actions"]), NotAction: oneOrMany(m["not_actions"]),
			Resource: oneOrMany(m["resources"]), NotResource: oneOrMany(m["not_resources"]),
			Principal: principals(m["principals"]), NotPrincipal: principals(m["not_principals"]),
		}
		s.Sid, _ = m["sid"].(string)
		if effect, ok := m["effect"].(string); ok {
			s.Effect = effect
		}
		conditions, _ := m["condition"].([]any)
		for _, c := range conditions {
			c, _ := c.(map[string]any)
			test, _ := c["test"].(string)
			variable, _ := c["variable"].(string)
			if s.Condition == nil {
				s.Condition = map[string]map[string]any{}
			}
			if s.Condition[test] == nil {
				s.Condition[test] = map[string]any{}
			}
			s.Condition[test][variable] = oneOrMany(c["values"])
		}
		text, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		doc.Statement = append(doc.Statement, text)
	}
	if err := documents("override_policy_documents"); err != nil {
		return nil, err
	}
	pretty, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, err
	}
	minified, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	return map[string]string{"json": string(pretty), "minified_json": string(minified)}, nil
}

// textsOf returns the strings of a plain list, sorted: most of them were sets.
func textsOf(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	return out
}

// oneOrMany is nil for no string, the string for one, else the list.
func oneOrMany(v any) any {
	switch l := textsOf(v); len(l) {
	case 0:
		return nil
	case 1:
		return l[0]
	default:
		return l
	}
}

func principals(v any) any {
	list, _ := v.([]any)
	out := map[string]any{}
	for _, e := range list {
		m, _ := e.(map[string]any)
		typ, _ := m["type"].(string)
		if ids := oneOrMany(m["identifiers"]); typ == "*" && ids == "*" {
			return "*"
		} else if ids != nil {
			out[typ] = ids
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
