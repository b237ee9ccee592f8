package planner

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// StatePlace is where a cloud block, a backend "remote" or a backend "http" says that
// the state is. What is not written as plain text is left empty: nothing of a
// stranger's is evaluated.
type StatePlace struct {
	File         string `json:"file"` // relative to the repository's root
	Line         int    `json:"line,omitempty"`
	Host         string `json:"host,omitempty"` // of cloud and remote
	Organization string `json:"organization,omitempty"`
	Workspace    string `json:"workspace,omitempty"` // the name in workspaces
	Prefix       string `json:"prefix,omitempty"`    // the prefix in workspaces, of remote
	Address      string `json:"address,omitempty"`   // of http
}

// At is where the block stands, for people.
func (p StatePlace) At() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// set notes a setting of the block.
func (p *StatePlace) set(name, value string) {
	switch name {
	case "hostname":
		p.Host = value
	case "organization":
		p.Organization = value
	case "address":
		p.Address = value
	}
}

// setWorkspaces notes a setting of the block workspaces in it.
func (p *StatePlace) setWorkspaces(name, value string) {
	switch name {
	case "name":
		p.Workspace = value
	case "prefix":
		p.Prefix = value
	}
}

// namesStatePlace reports whether backends of the type tell of a StatePlace.
func namesStatePlace(typ string) bool { return typ == "cloud" || typ == "remote" || typ == "http" }

// placeOfNative reads a cloud block or one of a backend.
func placeOfNative(b *hclsyntax.Block) *StatePlace {
	p := &StatePlace{Line: b.DefRange().Start.Line}
	if b.Body == nil {
		return p
	}
	for name, a := range b.Body.Attributes {
		if text, ok := literal(a.Expr); ok {
			p.set(name, text)
		}
	}
	for _, inner := range b.Body.Blocks {
		if inner.Type != "workspaces" || inner.Body == nil {
			continue
		}
		for name, a := range inner.Body.Attributes {
			if text, ok := literal(a.Expr); ok {
				p.setWorkspaces(name, text)
			}
		}
	}
	return p
}

// placeOfJSON reads the same from JSON, where nobody knows the line.
func placeOfJSON(v any) *StatePlace {
	p := &StatePlace{}
	eachObject(v, func(name string, value any) {
		if text, ok := plain(value); ok {
			p.set(name, text)
		}
		if name == "workspaces" {
			eachObject(value, func(name string, value any) {
				if text, ok := plain(value); ok {
					p.setWorkspaces(name, text)
				}
			})
		}
	})
	return p
}

// plain returns a text of JSON in which nothing is to be evaluated.
func plain(v any) (string, bool) {
	text, ok := v.(string)
	return text, ok && !strings.Contains(text, "${") && !strings.Contains(text, "%{")
}
