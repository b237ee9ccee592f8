package explorer

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/internal/state"
)

// Bounds of what is kept.
const (
	maxValue     = 200      // bytes of a value
	maxPath      = 200      // bytes of an attribute's path
	maxText      = 16 << 10 // bytes of a resource's attributes
	maxAddress   = 1000     // bytes; PostgreSQL's indexes take no more than some 2,700
	maxResources = 250_000  // of a source
)

// row is a resource as it is kept.
type row struct {
	address, typ, name, module, provider string
	id, arn, region                      string
	text                                 string // see inventory_attributes
	digest                               string
}

// rowOf is how a resource is kept. ok is false for what is not.
func rowOf(in state.Instance, g *state.Secrets) (r row, ok bool) {
	if in.Mode != "managed" || in.Type == "" || len(in.Address) > maxAddress || g.Hides(in.Address) {
		return r, false
	}
	r = row{address: clean(in.Address), typ: clean(in.Type), name: clean(in.Name), module: clean(in.Module), provider: clean(providerOf(in.Provider))}
	text := func(path string) string {
		a, ok := in.Attributes[path]
		if !ok || a.Sensitive {
			return ""
		}
		v, ok := valueOf(a.JSON)
		if !ok || len(v) > 2*maxValue || g.Hides(v) {
			return ""
		}
		return v
	}
	r.id, r.arn = text("id"), text("arn")
	r.region = cmp.Or(text("region"), text("location"))
	if part := strings.SplitN(r.arn, ":", 6); r.region == "" && len(part) == 6 {
		r.region = part[3]
	}
	if zone := text("availability_zone"); r.region == "" && len(zone) > 1 {
		r.region = strings.TrimRight(zone, "abcdef")
	}
	r.text = attributesOf(in.Attributes, g)
	sum := sha256.New()
	for _, s := range []string{r.address, r.typ, r.name, r.module, r.provider, r.id, r.arn, r.region, r.text} {
		sum.Write([]byte(strconv.Itoa(len(s)) + ":" + s)) // never fails
	}
	r.digest = hex.EncodeToString(sum.Sum(nil)[:16])
	return r, true
}

// attributesOf writes attributes as lines. Where they are too many, the
// shallow ones are kept.
func attributesOf(all map[string]state.Attribute, g *state.Secrets) string {
	paths := make([]string, 0, len(all))
	size := 0
	for path, a := range all {
		if a.Sensitive || len(path) > maxPath || strings.ContainsAny(path, "=\n\r") || g.Hides(path) {
			continue
		}
		paths = append(paths, path)
	}
	slices.SortFunc(paths, func(a, b string) int {
		return cmp.Or(strings.Count(a, ".")-strings.Count(b, "."), strings.Compare(a, b))
	})
	var lines []string
	for _, path := range paths {
		v, ok := valueOf(all[path].JSON)
		if !ok || g.Hides(v) {
			continue
		}
		line := clean(path) + "=" + cut(v)
		if size += len(line) + 1; size > maxText {
			break
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return ""
	}
	slices.Sort(lines)
	return "\n" + strings.Join(lines, "\n") + "\n"
}

// valueOf is a leaf as it is looked for. Nothing, texts of several lines and
// whole documents are not kept: nobody looks for them by their value, and what
// is secret in them nobody can tell.
func valueOf(text string) (string, bool) {
	if !strings.HasPrefix(text, `"`) {
		return text, text != "null" && text != "[]" && text != "{}"
	}
	var s string
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return "", false
	}
	s = clean(s)
	if s == "" || strings.ContainsAny(s, "\n\r") || s[0] == '{' || s[0] == '[' || s[0] == '<' {
		return "", false
	}
	return s, true
}

// clean makes a text one that either database takes.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func cut(s string) string {
	if len(s) > maxValue {
		return strings.ToValidUTF8(s[:maxValue], "") + "…"
	}
	return s
}

// providerOf is a provider's address without the configuration that a state
// names: module.a.provider["registry.terraform.io/hashicorp/aws"].west.
func providerOf(text string) string {
	_, rest, ok := strings.Cut(text, `provider["`)
	if !ok {
		return strings.TrimPrefix(text, "provider.") // of old states
	}
	address, _, _ := strings.Cut(rest, `"`)
	return address
}
