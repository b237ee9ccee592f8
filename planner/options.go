package planner

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

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

// Flags returns the options as Terraform's flags, one a word, as ParseOptions
// reads them.
func (o Options) Flags() []string {
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
	return flags
}

// String returns the flags in one line, quoted where they hold spaces or
// quotes; "" where there are none.
func (o Options) String() string { return inWords(o.Flags()) }

// inWords joins words so that a person sees where each ends.
func inWords(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if w == "" || strings.ContainsAny(w, " \t\u00a0'\"\\") {
			w = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w) + `"`
		}
		out[i] = w
	}
	return strings.Join(out, " ")
}

// Check reports options that can't stand together, as errs.Invalid.
func (o Options) Check() error {
	switch {
	case o.RefreshOnly && o.NoRefresh:
		return errs.New(errs.Invalid, "A check for drift reads every object: -refresh=false would leave nothing to compare.")
	case o.RefreshOnly && (o.Destroy || len(o.Replace) > 0):
		return errs.New(errs.Invalid, "A check for drift only reads: it can't destroy or replace anything.")
	case o.Destroy && len(o.Replace) > 0:
		return errs.New(errs.Invalid, "What is destroyed can't be replaced as well: leave -replace away.")
	}
	return nil
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
		if !strings.HasPrefix(words[i], "-") {
			return Options{}, errs.New(errs.Invalid, "%q is no flag of Terraform's. %s", short(words[i]), allowedOptions)
		}
		flag, value, joined := strings.Cut(words[i], "=")
		if strings.HasPrefix(flag, "--") {
			flag = flag[1:]
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
			return Options{}, err
		}
	}
	return o, nil
}

const allowedOptions = "After -- there may stand -target=ADDR, -replace=ADDR, -var=NAME=VALUE, -refresh=false and -parallelism=N."

func (o *Options) address(need func() (string, error), into *[]string, flag string) error {
	a, err := need()
	switch {
	case err != nil:
		return err
	case !ValidAddress(a):
		return errs.New(errs.Invalid, "%s takes the address of a resource or module, such as module.net.aws_subnet.a[0], and %q is none.", flag, short(a))
	case len(*into) == maxAddresses:
		return errs.New(errs.Invalid, "%s can be given %d times at most.", flag, maxAddresses)
	}
	*into = append(*into, a)
	return nil
}

// maxAddresses is how many resources one command may name, and how many
// variables.
const maxAddresses = 50

func (o *Options) variable(need func() (string, error)) error {
	v, err := need()
	if err != nil {
		return err
	}
	name, value, ok := strings.Cut(v, "=")
	if !ok || !plainName(name, 200, "-") || len(value) > 4096 || !legible(value) {
		return errs.New(errs.Invalid, "-var takes NAME=VALUE in one line, such as -var=size=3.")
	}
	if len(o.Vars) == maxAddresses {
		return errs.New(errs.Invalid, "-var can be given %d times at most.", maxAddresses)
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
// address: names parted by dots, each with at most one number or quoted key in
// brackets. Terraform itself says whether there is one; this keeps out what
// could be read as a flag, a path or a line of its own.
func ValidAddress(s string) bool {
	if len(s) > 500 || !legible(s) {
		return false
	}
	for names := 1; ; names++ {
		n := strings.IndexAny(s, ".[")
		if n < 0 {
			n = len(s)
		}
		if !plainName(s[:n], 500, "-") {
			return false
		}
		if s = s[n:]; strings.HasPrefix(s, "[") {
			if n = indexKey(s); n == 0 {
				return false
			}
			s = s[n:]
		}
		if s == "" {
			return names > 1
		}
		if s[0] != '.' {
			return false
		}
		s = s[1:]
	}
}

// indexKey returns the length of the [0] or ["key"] that s begins with, 0
// where it is none.
func indexKey(s string) int {
	i := 1
	if strings.HasPrefix(s, `["`) {
		for i = 2; i < len(s) && s[i] != '"'; i++ {
			if s[i] == '\\' {
				i++
			}
		}
		i++
	} else {
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == 1 {
			return 0
		}
	}
	if i >= len(s) || s[i] != ']' {
		return 0
	}
	return i + 1
}

// legible reports whether s is text in one line that shows all it holds.
func legible(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r) || r == unicode.ReplacementChar
	})
}

// short cuts a stranger's text to what fits a sentence.
func short(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
