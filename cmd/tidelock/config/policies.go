package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/tidelock/tidelock/internal/policyset"
)

// readPolicies reads the blocks that say what judges which project.
func (l *Reading) readPolicies(blocks hcl.Blocks) {
	dir := filepath.Dir(l.File)
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	c, problems := policyset.Decode(blocks, dir)
	for _, p := range append(problems, c.Check()...) {
		l.problem(p.Block, fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column), "%s", lowerFirst(p.Message))
	}
	if len(problems) > 0 {
		l.broken[policyset.PackBlock] = true
	}
	l.Config.Policies = c
	for _, p := range c.Packs {
		l.origins[policyset.PackBlock+"."+p.Name] = origin{rank: rankFile, where: placed(p.Place)}
		if p.Token != "" && !l.hasSecret(p.Token) {
			l.problem(policyset.PackBlock, placed(p.Place), "the policy_pack %q asks for the secret %q, and there is no such secret block.", p.Name, p.Token)
		}
	}
}

func (l *Reading) hasSecret(name string) bool {
	for _, s := range l.Config.Secrets {
		if s.Name == name {
			return true
		}
	}
	return false
}

func placed(p policyset.Place) string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// writePolicies prints the blocks as a file could hold them.
func (l *Reading) writePolicies(b *strings.Builder) {
	c := l.Config.Policies
	show := func(p policyset.Place, text string) { fmt.Fprintf(b, "\n# from %s\n%s", placed(p), text) }
	for _, p := range c.Packs {
		show(p.Place, p.HCL())
	}
	for _, e := range c.Environments {
		show(e.Place, e.HCL())
	}
	for _, s := range c.Scopes {
		show(s.Place, s.HCL())
	}
}

// policiesJSON adds the blocks to what is shown as JSON.
func (l *Reading) policiesJSON(all map[string]Shown) {
	c := l.Config.Policies
	for _, p := range c.Packs {
		all[policyset.PackBlock+"."+p.Name] = Shown{Value: p.HCL(), Source: placed(p.Place)}
	}
	for _, e := range c.Environments {
		all[policyset.EnvironmentBlock+"."+e.Name] = Shown{Value: e.HCL(), Source: placed(e.Place)}
	}
	for _, s := range c.Scopes {
		all[policyset.ScopeBlock+"."+s.Name] = Shown{Value: s.HCL(), Source: placed(s.Place)}
	}
}

// policiesReference are the sections of docs/configuration.md.
func policiesReference() string {
	var b strings.Builder
	for _, block := range policyset.Blocks() {
		fmt.Fprintf(&b, "\n## `%s`\n\n%s They stand in the file only, and have no variables.\n\n| attribute | takes | what it means |\n|---|---|---|\n", block.Type, policyset.Docs[block.Type])
		for _, a := range policyset.Attributes() {
			if a.Block == block.Type {
				fmt.Fprintf(&b, "| **`%s`** | %s | %s |\n", a.Name, a.Takes, strings.ReplaceAll(a.Doc, "|", "\\|"))
			}
		}
	}
	return b.String()
}
