package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// A rule is stopped between two steps, and one call of a built-in is one step.
// So what one call may make is bounded here: a text of a megabyte, put in the
// place of each letter of itself, would be the end of the process before anyone
// could look. OPA's built-ins are the process's, and no other package uses them.
//
// A division by zero is an error here too: in OPA it merely makes the rule find
// nothing, and a rule that finds nothing passes.

// maxText bounds, in bytes, a text that one call makes, and maxShift the bits
// that a number is moved by.
const (
	maxText  = 64 << 20
	maxShift = 1 << 16
)

func init() {
	for _, name := range []string{
		"concat", "sprintf", "json.marshal", "json.marshal_with_options", "yaml.marshal", "urlquery.encode_object",
		"base64.encode", "base64url.encode", "base64url.encode_no_pad", "hex.encode", "urlquery.encode", "print", "internal.print",
		"strings.render_template", "format_int",
	} {
		guard(name, func(operands []*ast.Term) error { return limited(textOf(operands, maxText)) })
	}
	guard("replace", func(o []*ast.Term) error { return limited(replaced(o[0], o[1], o[2])) })
	guard("strings.replace_n", func(o []*ast.Term) error {
		patterns, ok := o[0].Value.(ast.Object)
		if !ok {
			return nil
		}
		size := 0
		patterns.Foreach(func(old, by *ast.Term) { size = min(size+replaced(o[1], old, by), maxText+1) })
		return limited(size)
	})
	guard("regex.replace", func(o []*ast.Term) error {
		s, _ := o[0].Value.(ast.String)
		by, _ := o[2].Value.(ast.String)
		if strings.Contains(string(by), "$") { // the text may be put in for each match of it
			return limited((len(s) + 1) * (len(by) + len(s)))
		}
		return limited((len(s) + 1) * (len(by) + 1))
	})
	guard("bits.lsh", func(o []*ast.Term) error {
		n, ok := o[1].Value.(ast.Number)
		if i, fits := n.Int64(); ok && (!fits || i > maxShift) {
			return fmt.Errorf("bits.lsh would move a number by %s bits, and %d are the most", n, maxShift)
		}
		return nil
	})
	for _, name := range []string{"div", "rem"} {
		guard(name, func(o []*ast.Term) error {
			if n, ok := o[1].Value.(ast.Number); ok {
				if f, fits := n.Float64(); fits && f == 0 {
					return errors.New("divide by zero")
				}
			}
			return nil
		})
	}
}

// guard asks before each call of a built-in whether its operands are fit. What
// is not ends the evaluation: other errors of built-ins make an expression
// undefined, and the rule would find nothing.
func guard(name string, fit func(operands []*ast.Term) error) {
	call := topdown.GetBuiltin(name)
	if call == nil {
		return // OPA has it no more
	}
	topdown.RegisterBuiltinFunc(name, func(bctx topdown.BuiltinContext, operands []*ast.Term, iter func(*ast.Term) error) error {
		if err := fit(operands); err != nil {
			return topdown.Halt{Err: &topdown.Error{Code: topdown.BuiltinErr, Message: err.Error(), Location: bctx.Location}}
		}
		return call(bctx, operands, iter)
	})
}

func limited(size int) error {
	if size > maxText || size < 0 { // a product that does not fit is below 0
		return fmt.Errorf("a text of more than %d MB would be made", maxText>>20)
	}
	return nil
}

// replaced is how long the text gets.
func replaced(text, old, by *ast.Term) int {
	s, _ := text.Value.(ast.String)
	o, _ := old.Value.(ast.String)
	b, _ := by.Value.(ast.String)
	if len(s)+len(b) < 4096 { // most are: counting is not worth it
		return len(s)
	}
	return len(s) + strings.Count(string(s), string(o))*len(b)
}

// textOf estimates the text that the terms make, and stops at a most.
func textOf(terms []*ast.Term, most int) int {
	size := 0
	for _, t := range terms {
		if size > most {
			break
		}
		size += textOfTerm(t, most-size)
	}
	return size
}

func textOfTerm(t *ast.Term, most int) int {
	switch v := t.Value.(type) {
	case ast.String:
		return len(v)
	case ast.Number:
		return len(v)
	case *ast.Array:
		size := v.Len()
		for i := 0; i < v.Len() && size <= most; i++ {
			size += textOfTerm(v.Elem(i), most-size)
		}
		return size
	case ast.Set:
		size := v.Len()
		_ = v.Iter(func(e *ast.Term) error {
			if size > most {
				return errors.New("enough")
			}
			size += textOfTerm(e, most-size)
			return nil
		})
		return size
	case ast.Object:
		size := v.Len()
		_ = v.Iter(func(key, e *ast.Term) error {
			if size > most {
				return errors.New("enough")
			}
			size += textOfTerm(key, most-size) + textOfTerm(e, most-size)
			return nil
		})
		return size
	}
	return 1
}
