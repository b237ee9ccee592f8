package policy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/tidelock/tidelock/policies"
)

// Framework is a catalogue of controls that rules give evidence for.
type Framework struct {
	ID       string    `json:"id"` // the key in Rule.Controls: "soc2"
	Title    string    `json:"title"`
	Controls []Control `json:"controls"` // in the order of their numbers
}

// Control is one thing that a framework asks for.
type Control struct {
	ID    string `json:"id"`    // "CC6.1"
	Title string `json:"title"` // in our words, not the framework's
}

// Frameworks returns what the bundled packs know of frameworks, in the order of
// their IDs.
func Frameworks() ([]Framework, error) {
	all, err := frameworks()
	return slices.Clone(all), err
}

// frameworks reads policies/compliance/frameworks.rego, which is data, once.
var frameworks = sync.OnceValues(func() ([]Framework, error) {
	const file = "compliance/frameworks.rego"
	src, err := policies.FS.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the frameworks: %w", err)
	}
	m, err := ast.ParseModuleWithOpts(file, string(src), ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		return nil, fmt.Errorf("read the frameworks: %w", err)
	}
	rs, err := rego.New(rego.Query("data.tidelock.compliance.frameworks.frameworks"), rego.ParsedModule(m), rego.Capabilities(capabilities(ast.RegoV1))).Eval(context.Background())
	if err != nil || len(rs) != 1 {
		return nil, fmt.Errorf("read the frameworks: %w", err)
	}
	value, _ := rs[0].Expressions[0].Value.(map[string]any)
	var out []Framework
	for id, v := range value {
		one, _ := v.(map[string]any)
		controls, _ := one["controls"].(map[string]any)
		f := Framework{ID: id, Title: text(one["title"])}
		for number, title := range controls {
			f.Controls = append(f.Controls, Control{ID: number, Title: text(title)})
		}
		slices.SortFunc(f.Controls, func(a, b Control) int { return CompareControls(a.ID, b.ID) })
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Framework) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
})

// CompareControls orders the numbers of controls as people count: 2.9 before
// 2.10, and A.5.1 before A.8.1.
func CompareControls(a, b string) int {
	return slices.CompareFunc(parts(a), parts(b), func(x, y string) int {
		m, merr := strconv.Atoi(x)
		n, nerr := strconv.Atoi(y)
		if merr == nil && nerr == nil {
			return cmp.Compare(m, n)
		}
		return cmp.Compare(x, y)
	})
}

// parts takes a number apart into words and numbers: CC6.1 is CC, 6, 1.
func parts(id string) []string {
	var out []string
	word := ""
	for _, r := range id + "." {
		isDigit := r >= '0' && r <= '9'
		if r == '.' || word != "" && isDigit != (word[len(word)-1] >= '0' && word[len(word)-1] <= '9') {
			if word != "" {
				out = append(out, word)
			}
			word = ""
		}
		if r != '.' {
			word += string(r)
		}
	}
	return out
}

// ControlTitle gives what a control is called, "" where nobody knows it.
func ControlTitle(framework, id string) string {
	all, err := frameworks()
	if err != nil {
		return ""
	}
	for _, f := range all {
		if f.ID != framework {
			continue
		}
		for _, c := range f.Controls {
			if strings.EqualFold(c.ID, id) {
				return c.Title
			}
		}
	}
	return ""
}
