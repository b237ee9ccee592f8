package planner

import (
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Options is what somebody asked of a plan beyond what the code says. It is
// recorded with the run and shown, since a plan of a part is not the plan of
// the whole.
type Options struct {
	Destroy     bool     `json:"destroy,omitempty"`      // plan the end of everything in the state
	RefreshOnly bool     `json:"refresh_only,omitempty"` // compare the state with the world, and nothing else
	NoRefresh   bool     `json:"no_refresh,omitempty"`   // -refresh=false
	Targets     []string `json:"targets,omitempty"`      // resource addresses
	Replace     []string `json:"replace,omitempty"`      // resource addresses
	Vars        []string `json:"vars,omitempty"`         // name=value
	Parallelism int      `json:"parallelism,omitempty"`  // 0 is Terraform's own; alters no plan
}

// Empty reports whether nothing was asked for.
func (o Options) Empty() bool { return o.String() == "" }

// Alters reports whether the options can make another plan of the same code
// and state.
func (o Options) Alters() bool {
	o.Parallelism = 0
	return !o.Empty()
}

// String returns the options as Terraform's flags, as they may be typed after
// "--"; "" where there are none.
func (o Options) String() string {
	var flags []string
	if o.Destroy {
		flags = append(flags, "-destroy")
	}
	if o.RefreshOnly {
		flags = append(flags, "-refresh-only")
	}
	if o.NoRefresh {
		flags = append(flags, "-refresh=false")
	}
	for _, t := range o.Targets {
		flags = append(flags, "-target="+t)
	}
	for _, t := range o.Replace {
		flags = append(flags, "-replace="+t)
	}
	for _, v := range o.Vars {
		flags = append(flags, "-var="+v)
	}
	if o.Parallelism > 0 {
		flags = append(flags, "-parallelism="+strconv.Itoa(o.Parallelism))
	}
	return strings.Join(flags, " ")
}

// maxParallelism is how many objects at a time anybody may ask for.
const maxParallelism = 100

// ParseOptions reads Terraform's flags as people type them after "--", in the
// forms -flag=value, --flag=value and, where a value is due, -flag value. Only
// those of Options are allowed, and none that Tidelock sets itself; the error
// is errs.Invalid and names the flag and what may stand there.
func ParseOptions(words []string) (Options, error) {
	var o Options
	for i := 0; i < len(words); i++ {
		flag, value, joined := strings.Cut(words[i], "=")
		flag = "-" + strings.TrimLeft(flag, "-")
		if !strings.HasPrefix(words[i], "-") {
			return o, errs.New(errs.Invalid, "%q is no flag of Terraform's. %s", short(words[i]), allowedOptions)
		}
		need := func() (string, error) {
			if !joined {
				if i++; i == len(words) || strings.HasPrefix(words[i], "-") {
					return "", errs.New(errs.Invalid, "%s needs a value.", flag)
				}
				value = words[i]
			}
			if value == "" {
				return "", errs.New(errs.Invalid, "%s needs a value.", flag)
			}
			return value, nil
		}
		var err error
		switch flag {
		case "-target":
			err = o.address(need, &o.Targets, flag)
		case "-replace":
			err = o.address(need, &o.Replace, flag)
		case "-var":
			err = o.variable(need)
		case "-refresh":
			err = o.refresh(value, joined)
		case "-parallelism":
			err = o.parallelism(need)
		default:
			err = errs.New(errs.Invalid, "The flag %s is not taken. %s", short(flag), allowedOptions)
		}
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

const allowedOptions = "After -- there may stand -target=ADDR, -replace=ADDR, -var=NAME=VALUE, -refresh=false and -parallelism=N."

func (o *Options) address(need func() (string, error), into *[]string, flag string) error {
	a, err := need()
	if err == nil && !ValidAddress(a) {
		err = errs.New(errs.Invalid, "%s takes the address of a resource or module, such as module.net.aws_subnet.a[0], and %q is none.", flag, short(a))
	}
	if err == nil && len(*into) == maxAddresses {
		err = errs.New(errs.Invalid, "%s can be given %d times at most.", flag, maxAddresses)
	}
	*into = append(*into, a)
	return err
}

// maxAddresses is how many resources one command may name.
const maxAddresses = 50

func (o *Options) variable(need func() (string, error)) error {
	v, err := need()
	if err != nil {
		return err
	}
	name, value, ok := strings.Cut(v, "=")
	if !ok || !plainName(name, 200, "-") || len(value) > 4096 || strings.ContainsRune(value, 0) {
		return errs.New(errs.Invalid, "-var takes NAME=VALUE, such as -var=size=3.")
	}
	o.Vars = append(o.Vars, v)
	return nil
}

func (o *Options) refresh(value string, joined bool) error {
	on := true
	if joined {
		var err error
		if on, err = strconv.ParseBool(value); err != nil {
			return errs.New(errs.Invalid, "-refresh takes true or false.")
		}
	}
	o.NoRefresh = !on
	return nil
}

func (o *Options) parallelism(need func() (string, error)) error {
	v, err := need()
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxParallelism {
		return errs.New(errs.Invalid, "-parallelism takes a number from 1 to %d.", maxParallelism)
	}
	o.Parallelism = n
	return nil
}

// ValidAddress reports whether s has the form of a resource's or module's
// address. Terraform itself says whether there is one; this keeps out what
// could be read as a flag, a path or a line of its own.
func ValidAddress(s string) bool {
	if s == "" || len(s) > 500 || s[0] == '-' {
		return false
	}
	depth, quoted, dots := 0, false, 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c < ' ' || c == 0x7f:
			return false
		case quoted:
			switch {
			case c == '\\' && i+1 < len(s):
			case c == '"' && s[i-1] != '\\':
				quoted = false
			}
		case c == '"' && depth == 1:
			quoted = true
		case c == '[' && depth == 0 && i > 0:
			depth = 1
		case c == ']' && depth == 1:
			depth = 0
		case c == '.':
			dots++
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return depth == 0 && !quoted && dots > 0
}

func short(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
