package infracost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/tidelock/tidelock/internal/errs"
)

// MaxFile is how large a file may be, in bytes. One of 10,000 resources has
// some 20 MB.
const MaxFile = 256 << 20

// maxParts is how deep parts of resources may lie in each other.
const maxParts = 16

// Read reads a file. name is what errors call it; each says the line, what is
// wrong there and what the format has instead. Nothing is read of a file that
// is wrong anywhere. All errors are errs.Invalid, or errs.TooLarge.
func Read(name string, data []byte) (Root, error) {
	if len(data) > MaxFile {
		return Root{}, errs.New(errs.TooLarge, "%s has more than %d MB.", name, MaxFile>>20)
	}
	var root Root
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&root); err != nil {
		return Root{}, readError(name, data, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Root{}, errs.New(errs.Invalid, "%s:%d: something follows the end of the JSON.", name, lineAt(data, d.InputOffset()+1))
	}
	if root.Version != Version {
		if root.Version == "" && root.Projects == nil {
			return Root{}, errs.New(errs.Invalid, "%s is no JSON of Infracost's: it has neither a version nor projects. `infracost breakdown --format json` and `tidelock cost --format json` make it.", name)
		}
		return Root{}, errs.New(errs.Invalid, "%s:%d: the format's version is %q; %s is the one that is understood. Infracost 0.10 writes it.", name, lineOf(data, `"version"`), root.Version, Version)
	}
	if root.Projects == nil {
		return Root{}, errs.New(errs.Invalid, "%s has no projects.", name)
	}
	if root.Currency == "" {
		root.Currency = "USD" // so it was before files said it
	}
	if !isCurrency(root.Currency) {
		return Root{}, errs.New(errs.Invalid, "%s:%d: %q is no currency; it is written with three letters, such as USD.", name, lineOf(data, `"currency"`), root.Currency)
	}
	for _, p := range root.Projects {
		if problem := p.check(); problem != nil {
			return Root{}, errs.New(errs.Invalid, "%s:%d: project %q: %s", name, lineOf(data, quoted(problem.at)), p.Label(), problem.text)
		}
	}
	return root, nil
}

func isCurrency(text string) bool {
	return len(text) == 3 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// readError says where JSON is wrong, and how.
func readError(name string, data []byte, err error) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	var bad badAmount
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errs.New(errs.Invalid, "%s is empty.", name)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errs.New(errs.Invalid, "%s:%d: the JSON ends in the middle: the file was cut off.", name, lineAt(data, int64(len(data))))
	case errors.As(err, &syntax):
		return errs.New(errs.Invalid, "%s:%d: this is no JSON: %s.", name, lineAt(data, syntax.Offset), syntax)
	case errors.As(err, &typ):
		return errs.New(errs.Invalid, "%s:%d: %s is %s here, which the format does not have.", name, lineAt(data, typ.Offset), fieldName(typ.Field), article(typ.Value))
	case errors.As(err, &bad):
		return errs.New(errs.Invalid, "%s:%d: %s.", name, lineOf(data, bad.raw), bad)
	}
	return errs.New(errs.Invalid, "%s can't be read: %s.", name, err)
}

func fieldName(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

// article writes a JSON type with its article: "a number", "an object".
func article(kind string) string {
	if strings.HasPrefix(kind, "array") || strings.HasPrefix(kind, "object") {
		return "an " + kind
	}
	return "a " + kind
}

// lineAt is the line of an offset, from 1.
func lineAt(data []byte, offset int64) int {
	offset = min(max(offset, 0), int64(len(data)))
	return 1 + bytes.Count(data[:offset], []byte("\n"))
}

// lineOf is the line of some text where it first stands, 1 where it does not.
func lineOf(data []byte, text string) int {
	at := bytes.Index(data, []byte(text))
	return lineAt(data, int64(max(at, 0)))
}

func quoted(name string) string {
	b, err := json.Marshal(name)
	if err != nil {
		return name
	}
	return string(b)
}

// problem is what is wrong with a project.
type problem struct {
	at   string // a name that stands where it is
	text string
}

// check reports amounts of a project that do not add up: a part that somebody
// took out, or a figure that somebody changed.
func (p Project) check() *problem {
	if p.Name == "" {
		return &problem{"name", "it has no name."}
	}
	for _, b := range []*Breakdown{p.PastBreakdown, p.Breakdown} {
		if b == nil {
			continue
		}
		var sum decimal.Decimal
		for i := range b.Resources {
			r := &b.Resources[i]
			if problem := r.check(0); problem != nil {
				return problem
			}
			if r.MonthlyCost != nil {
				sum = sum.Add(r.MonthlyCost.Decimal)
			}
		}
		if total := b.TotalMonthlyCost; total != nil && !near(sum, total.Decimal) {
			return &problem{p.Name, fmt.Sprintf("its totalMonthlyCost is %s, but its resources cost %s together.", total, sum)}
		}
	}
	return nil
}

func (r *Resource) check(depth int) *problem {
	if r.Name == "" {
		return &problem{"resources", "a resource has no name."}
	}
	if depth > maxParts {
		return &problem{r.Name, fmt.Sprintf("%s lies more than %d parts deep.", r.Name, maxParts)}
	}
	var sum decimal.Decimal
	some := false
	for _, c := range r.Components {
		if c.MonthlyCost != nil {
			sum, some = sum.Add(c.MonthlyCost.Decimal), true
		}
	}
	for i := range r.Parts {
		if problem := r.Parts[i].check(depth + 1); problem != nil {
			return problem
		}
		if c := r.Parts[i].MonthlyCost; c != nil {
			sum, some = sum.Add(c.Decimal), true
		}
	}
	if some && r.MonthlyCost != nil && !near(sum, r.MonthlyCost.Decimal) {
		return &problem{r.Name, fmt.Sprintf("the monthlyCost of %s is %s, but its parts cost %s together.", r.Name, r.MonthlyCost, sum)}
	}
	return nil
}

// near reports whether two sums are one, but for what rounding leaves.
func near(a, b decimal.Decimal) bool {
	return a.Sub(b).Abs().LessThanOrEqual(decimal.New(1, -2))
}

// Write writes a file, with lines and indents as people read it.
func (r Root) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
