package cost

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
	"go.yaml.in/yaml/v3"

	"github.com/tidelock/tidelock/internal/errs"
)

// Usage is what somebody expects resources to be used, read from a file in
// Infracost's format (infracost-usage.yml). It is safe for concurrent use.
type Usage struct {
	types     map[string]*usageEntry // by resource type
	exact     map[string]*usageEntry // by address
	wildcards []*usageEntry          // the most specific first
	file      string
	sum       [sha256.Size]byte // of the file's bytes
	told      told              // what of it is reported that nothing was priced by
	under     *Usage            // what holds where this says nothing; see Over
}

// usageEntry is what the file says under one key.
type usageEntry struct {
	address string
	line    int
	values  map[string]usageValue // by path: "standard.storage_gb"
}

type usageValue struct {
	number decimal.Decimal
	text   string // of the few keys that take a word
	usagePlace
	over *usageValue // that it goes before; nil for none
}

// usagePlace is where something stands.
type usagePlace struct {
	file string
	line int
}

const (
	maxUsageFile   = 4 << 20
	maxUsageValues = 100_000 // aliases may say one thing many times
	maxUsageDepth  = 8
	maxUsageStars  = 1000 // addresses with a star, each of which every resource is held against
)

// usageWords are the keys whose values are words; all others are amounts.
var usageWords = map[string]bool{
	"operating_system": true, "reserved_instance_type": true, "reserved_instance_term": true,
	"reserved_instance_payment_option": true, "architecture": true, "endpoint_type": true, "sku": true,
	"region": true, "dx_virtual_interface_type": true, "dx_connection_type": true,
	"api_throughput_limit": true, "instance_tier": true, "capture_enabled": true, "disaster_recovery_enabled": true,
	"purchase_option": true,
}

// ReadUsage reads a usage file. name is what messages call it. Whatever is
// wrong is reported together, each with its line, and then nothing is read:
// text that is no YAML, parts that the format does not have, keys that stand
// twice, amounts that are negative or no numbers.
func ReadUsage(name string, data []byte) (*Usage, error) {
	if len(data) > maxUsageFile {
		return nil, errs.New(errs.Invalid, "%s has more than %d MB; a usage file is far smaller.", name, maxUsageFile>>20)
	}
	r := &usageReader{name: name, u: &Usage{types: map[string]*usageEntry{}, exact: map[string]*usageEntry{}, file: name, sum: sha256.Sum256(data)}}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errs.New(errs.Invalid, "%s is empty; it begins with \"version: 0.1\".", name)
		}
		where, what, ok := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "line "), ": ")
		if _, odd := strconv.Atoi(where); !ok || odd != nil {
			return nil, errs.New(errs.Invalid, "%s can't be read as YAML: %s.", name, strings.TrimPrefix(err.Error(), "yaml: "))
		}
		return nil, errs.New(errs.Invalid, "%s:%s: this can't be read as YAML: %s.", name, where, what)
	}
	if len(doc.Content) == 0 {
		return nil, errs.New(errs.Invalid, "%s is empty; it begins with \"version: 0.1\".", name)
	}
	var more yaml.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errs.New(errs.Invalid, "%s:%d: a second document begins here; a usage file is one.", name, more.Line)
	}
	r.document(doc.Content[0])
	if len(r.problems) > 0 {
		return nil, errs.New(errs.Invalid, "%s", strings.Join(r.problems, " "))
	}
	sort.Slice(r.u.wildcards, func(i, j int) bool {
		a, b := r.u.wildcards[i].address, r.u.wildcards[j].address
		if n, m := strings.Count(a, "*"), strings.Count(b, "*"); n != m {
			return n < m
		}
		if len(a) != len(b) {
			return len(a) > len(b)
		}
		return a < b
	})
	return r.u, nil
}

type usageReader struct {
	name     string
	u        *Usage
	problems []string
	values   int
}

func (r *usageReader) problem(n *yaml.Node, format string, args ...any) {
	if len(r.problems) < 20 {
		r.problems = append(r.problems, fmt.Sprintf("%s:%d: ", r.name, n.Line)+fmt.Sprintf(format, args...))
	}
}

// pairs calls f for every key of a mapping. Values are followed through
// aliases; a key that stands twice is a problem, "<<" merges.
func (r *usageReader) pairs(n *yaml.Node, what string, depth int, f func(key, value *yaml.Node)) {
	n = follow(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.problem(n, "%s must be a list of \"key: value\" lines.", what)
		return
	}
	if depth > maxUsageDepth {
		r.problem(n, "%s lies more than %d levels deep.", what, maxUsageDepth)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], follow(n.Content[i+1])
		if r.values++; r.values > maxUsageValues {
			if r.values == maxUsageValues+1 {
				r.problem(k, "the file says more than %d things.", maxUsageValues)
			}
			return
		}
		if k.Kind != yaml.ScalarNode {
			r.problem(k, "a key must be a word.")
			continue
		}
		if k.Tag == "!!merge" {
			r.pairs(v, what, depth+1, f)
			continue
		}
		if line := seen[k.Value]; line > 0 {
			r.problem(k, "%q stands in line %d already.", k.Value, line)
			continue
		}
		seen[k.Value] = k.Line
		f(k, v)
	}
}

func follow(n *yaml.Node) *yaml.Node {
	for i := 0; n.Kind == yaml.AliasNode && n.Alias != nil && i < 8; i++ {
		n = n.Alias
	}
	return n
}

func (r *usageReader) document(root *yaml.Node) {
	version := false
	r.pairs(root, "the file", 0, func(k, v *yaml.Node) {
		switch k.Value {
		case "version":
			version = true
			if s := strings.TrimPrefix(v.Value, "v"); v.Kind != yaml.ScalarNode || s != "0.1" {
				r.problem(v, "the version of the usage file's format is %q; 0.1 is the one that is understood.", v.Value)
			}
		case "resource_usage":
			r.pairs(v, "resource_usage", 0, func(k, v *yaml.Node) { r.resource(k, v, false) })
		case "resource_type_default_usage":
			r.pairs(v, "resource_type_default_usage", 0, func(k, v *yaml.Node) { r.resource(k, v, true) })
		default:
			r.problem(k, "%q is no part of a usage file; those are version, resource_usage and resource_type_default_usage.", k.Value)
		}
	})
	if !version && len(r.problems) == 0 {
		r.problem(root, "the version is missing; the file begins with \"version: 0.1\".")
	}
}

func (r *usageReader) resource(k, v *yaml.Node, byType bool) {
	e := &usageEntry{address: k.Value, line: k.Line, values: map[string]usageValue{}}
	r.collect(e, "", k.Value, v, 0)
	switch {
	case k.Value == "":
		r.problem(k, "the address of the resource is empty.")
	case byType && strings.ContainsAny(k.Value, ".[*"):
		r.problem(k, "%q is an address; here stand types of resources, as aws_lambda_function.", k.Value)
	case byType || !strings.Contains(k.Value, "."):
		r.u.types[k.Value] = merged(r.u.types[k.Value], e)
	case strings.Contains(k.Value, "*"):
		if r.u.wildcards = append(r.u.wildcards, e); len(r.u.wildcards) == maxUsageStars+1 {
			r.problem(k, "the file has more than %d addresses with a star.", maxUsageStars)
		}
	default:
		r.u.exact[k.Value] = e
	}
}

func (r *usageReader) collect(e *usageEntry, prefix, what string, v *yaml.Node, depth int) {
	r.pairs(v, fmt.Sprintf("%q", what), depth, func(k, v *yaml.Node) {
		path := prefix + k.Value
		switch v.Kind {
		case yaml.MappingNode:
			r.collect(e, path+".", path, v, depth+1)
		case yaml.ScalarNode:
			if v.Tag == "!!null" {
				return
			}
			val := usageValue{usagePlace: usagePlace{r.name, k.Line}}
			if usageWords[k.Value] {
				val.text = v.Value
			} else if d, ok := usageNumber(v.Value); ok {
				val.number = d
			} else {
				r.problem(v, "%s: %s must be a number that is not negative, not %.40q.", e.address, path, v.Value)
				return
			}
			e.values[path] = val
		default:
			r.problem(v, "%s: %s must be a number, not a list.", e.address, path)
		}
	})
}

// usageNumber reads an amount as YAML writes numbers: 1_000_000, 2.5, 1e6.
func usageNumber(text string) (decimal.Decimal, bool) {
	text = strings.ReplaceAll(text, "_", "")
	if text == "" || len(text) > 24 {
		return decimal.Zero, false
	}
	d, err := decimal.NewFromString(text)
	if err != nil || d.IsNegative() || d.Exponent() < -24 || d.GreaterThan(decimal.New(1, 18)) {
		return decimal.Zero, false
	}
	return d, true
}

// merged returns what both say, the second coming first.
func merged(base, over *usageEntry) *usageEntry {
	if base == nil {
		return over
	}
	if over == nil {
		return base
	}
	m := &usageEntry{address: over.address, line: over.line, values: make(map[string]usageValue, len(base.values)+len(over.values))}
	for k, v := range base.values {
		m.values[k] = v
	}
	for k, v := range over.values {
		if old, ok := m.values[k]; ok && v.over == nil {
			v.over = &old
		}
		m.values[k] = v
	}
	return m
}

// fits reports whether a text is what a pattern describes, in which each star
// stands for anything.
func fits(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, p)
		if i < 0 {
			return false
		}
		rest = rest[i+len(p):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
