package planner

import (
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// OperationKind is what a state operation does.
type OperationKind string

// The state operations.
const (
	Import      OperationKind = "import"   // ADDR ID
	StateRemove OperationKind = "state rm" // ADDR...
	StateMove   OperationKind = "state mv" // FROM TO
)

// Operation changes a project's state without a plan. It alters no
// infrastructure, and is let through, locked and audited as an apply is.
type Operation struct {
	Kind OperationKind `json:"kind"`
	Args []string      `json:"args"`
}

// String returns the operation as it is typed: "import aws_s3_bucket.a my-bucket".
func (o Operation) String() string { return string(o.Kind) + " " + inWords(o.Args) }

// Check reports what is wrong with the operation's arguments, as errs.Invalid.
func (o Operation) Check() error {
	address := func(a string) error {
		if !ValidAddress(a) {
			return errs.New(errs.Invalid, "%s takes the address of a resource, such as aws_s3_bucket.logs, and %q is none.", o.Kind, short(a))
		}
		return nil
	}
	switch o.Kind {
	case Import:
		if len(o.Args) != 2 {
			return errs.New(errs.Invalid, "import takes an address and the object's ID: import aws_s3_bucket.logs my-bucket.")
		}
		if id := o.Args[1]; id == "" || len(id) > 1000 || strings.HasPrefix(id, "-") || !legible(id) {
			return errs.New(errs.Invalid, "%q can't be the ID of an object: an ID is one line of text and begins with no dash.", short(id))
		}
		return address(o.Args[0])
	case StateRemove:
		if len(o.Args) == 0 || len(o.Args) > maxAddresses {
			return errs.New(errs.Invalid, "state rm takes one to %d addresses: state rm aws_s3_bucket.logs.", maxAddresses)
		}
	case StateMove:
		if len(o.Args) != 2 {
			return errs.New(errs.Invalid, "state mv takes two addresses: state mv aws_s3_bucket.old aws_s3_bucket.new.")
		}
	default:
		return errs.New(errs.Invalid, "%q is no operation on a state. There are import, state rm and state mv.", short(string(o.Kind)))
	}
	for _, a := range o.Args {
		if err := address(a); err != nil {
			return err
		}
	}
	return nil
}
