package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	gates "github.com/tidelock/tidelock/internal/gate" // gate is a name in the tests
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/redact"
)

// readFile reads the configuration file over the defaults.
func (l *Reading) readFile(flag string) {
	path, named := l.findConfig(flag)
	if path == "" {
		return
	}
	src, err := os.ReadFile(path)
	if err != nil {
		how := ""
		if named && flag == "" {
			how = " $TIDELOCK_CONFIG names it."
		}
		l.partial = true // what it would have held is unknown
		l.problem("", "", "the configuration file can't be read: %v.%s", err, how)
		return
	}
	l.File = path
	file, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	if l.partial = diags.HasErrors(); l.partial {
		l.diagnostics("", diags)
	}
	if file != nil && file.Body != nil {
		l.readRoot(src, file.Body)
	}
}

// schemaOf returns what the block may hold; the block "" is the whole file.
func schemaOf(block string) *hcl.BodySchema {
	schema := &hcl.BodySchema{}
	for _, s := range settings {
		if b, attr := s.split(); b == block {
			schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: attr})
		}
	}
	if block == "" {
		for _, sec := range sections[1:] {
			schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: sec.name})
		}
		schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: gates.BlockType, LabelNames: []string{"act"}},
			hcl.BlockHeaderSchema{Type: secretBlock, LabelNames: []string{"name"}},
			hcl.BlockHeaderSchema{Type: WrappingBlock, LabelNames: []string{"name"}},
			hcl.BlockHeaderSchema{Type: billingBlock, LabelNames: []string{"client"}},
			hcl.BlockHeaderSchema{Type: budgetBlock, LabelNames: []string{"name"}})
		schema.Blocks = append(schema.Blocks, policyset.Blocks()...)
	}
	if block == "cost" {
		schema.Blocks = append(schema.Blocks, costBlocks...)
	}
	return schema
}

func (l *Reading) readRoot(src []byte, body hcl.Body) {
	content, diags := body.Content(schemaOf(""))
	l.diagnostics("", diags)
	l.readAttributes("", content.Attributes)
	l.readGates(content.Blocks)
	l.readSecrets(content.Blocks)
	l.readWrappingKeys(content.Blocks)
	l.readPolicies(content.Blocks)
	l.readBilling(content.Blocks)
	l.readBudgets(content.Blocks)
	first := map[string]hcl.Range{}
	for _, block := range content.Blocks {
		if block.Type == gates.BlockType || block.Type == secretBlock || block.Type == WrappingBlock || block.Type == billingBlock || block.Type == budgetBlock || policyset.IsBlock(block.Type) {
			continue
		}
		if before, twice := first[block.Type]; twice {
			l.problem("", place(block.DefRange), "there is a second block %s; the first is on line %d. Make one of them.", block.Type, before.Start.Line)
			continue
		}
		first[block.Type] = block.DefRange
		inner, diags := block.Body.Content(schemaOf(block.Type))
		l.diagnostics(block.Type, diags)
		l.readAttributes(block.Type, inner.Attributes)
		if block.Type == "cost" {
			l.readCost(src, inner.Blocks)
		}
	}
}

func (l *Reading) readAttributes(block string, attrs hcl.Attributes) {
	for _, s := range settings {
		b, name := s.split()
		if attr, ok := attrs[name]; ok && b == block {
			l.readAttribute(s, attr)
		}
	}
}

// readAttribute decodes one attribute into the setting's field. null and ""
// leave the default.
func (l *Reading) readAttribute(s setting, attr *hcl.Attribute) {
	where := place(attr.Expr.Range())
	if s.from != "" && !s.inline {
		_, name := s.split()
		l.problem(s.path, place(attr.NameRange),
			"%s is a secret and must not stand in the configuration file. Put it into a file of its own and name that with %s_file, or set %s. Replace the secret if others could read it here.",
			s.path, name, EnvName(s.path))
		l.broken[s.path] = true
		return
	}
	value, diags := attr.Expr.Value(nil)
	if diags.HasErrors() {
		l.broken[s.path] = true
		l.diagnostics(s.path, diags)
		return
	}
	if value.IsNull() || value.Type() == cty.String && value.AsString() == "" {
		return
	}
	target := s.bind(&l.Config)
	if _, isText := target.(*string); (isText || isParsed(target)) && value.Type() != cty.String {
		l.wrongType(s, where, value)
		return
	}
	switch target := target.(type) {
	case *redact.Secret: // the database's DSN
		if dsnHasPassword(value.AsString()) {
			l.problem(s.path, where,
				"%s holds a password, which must not stand in the configuration file. Put the whole value into a file of its own and name that with database_file, or set %s.", s.path, EnvName(s.path))
			l.broken[s.path] = true
			return
		}
		*target = redact.NewSecret(value.AsString())
	default:
		if isParsed(target) {
			if wrong := parseText(target, value.AsString()); wrong != "" {
				l.problem(s.path, where, "%s %s", s.path, wrong)
				l.broken[s.path] = true
				return
			}
			break
		}
		if diags := gohcl.DecodeExpression(attr.Expr, nil, fresh(target)); diags.HasErrors() {
			l.wrongType(s, where, value)
			return
		}
	}
	l.origins[s.path] = origin{rank: rankFile, where: where, dir: filepath.Dir(l.File)}
}

func (l *Reading) wrongType(s setting, where string, value cty.Value) {
	l.problem(s.path, where, "%s must be %s, but is %s.", s.path, typeOf(s.bind(&l.Config)), describe(value))
	l.broken[s.path] = true
}

// describe names a value of the wrong type, and shows it where it is short
// and can't be a secret.
func describe(v cty.Value) string {
	t := v.Type()
	switch {
	case t == cty.Bool && v.True():
		return "true"
	case t == cty.Bool:
		return "false"
	case t == cty.Number:
		return "the number " + v.AsBigFloat().Text('g', -1)
	case t == cty.String:
		return "a string"
	case t.IsTupleType():
		return "a list of something else"
	case t.IsObjectType():
		return "a block or a map of something else"
	}
	return "a " + t.FriendlyName()
}

// diagnostics takes over what HCL found, block naming where.
func (l *Reading) diagnostics(block string, diags hcl.Diagnostics) {
	for _, d := range diags {
		where := l.File
		if d.Subject != nil {
			where = place(*d.Subject)
		}
		text := sentence(d)
		if d.Summary == "Unsupported argument" && block != "" {
			text = strings.TrimSuffix(text, ".") + "."
			text = strings.Replace(text, "is not expected here", "is not known in the block "+block, 1)
		}
		l.problem(block, where, "%s", text)
	}
}

// sentence makes one text of a diagnostic's summary and detail.
func sentence(d *hcl.Diagnostic) string {
	text := d.Detail
	if text == "" {
		text = d.Summary
	} else if strings.HasPrefix(d.Summary, "Invalid") || strings.HasPrefix(d.Summary, "Missing") || strings.HasPrefix(d.Summary, "Unclosed") {
		text = d.Summary + ": " + lowerFirst(text)
	}
	return lowerFirst(text)
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// place returns file:line:column, as editors and terminals link it.
func place(r hcl.Range) string {
	return fmt.Sprintf("%s:%d:%d", r.Filename, r.Start.Line, r.Start.Column)
}
