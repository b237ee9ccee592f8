package explorer

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	version "github.com/hashicorp/go-version"

	"github.com/tidelock/tidelock/internal/errs"
)

// Resource is a managed resource that a client has.
type Resource struct {
	Client          string      `json:"client"`  // ID, or the slug where it is shown
	Project         string      `json:"project"` // name of the state, or of the project
	Kept            bool        `json:"state_here"`
	Address         string      `json:"address"`
	Type            string      `json:"type"`
	Name            string      `json:"name"`
	Module          string      `json:"module,omitempty"` // address
	Provider        string      `json:"provider"`         // registry.terraform.io/hashicorp/aws
	ProviderVersion string      `json:"provider_version,omitempty"`
	ID              string      `json:"id,omitempty"`
	ARN             string      `json:"arn,omitempty"`
	Region          string      `json:"region,omitempty"`
	Attributes      []Attribute `json:"attributes,omitempty"` // where they were asked for

	source string
}

// Attribute is a value that is not sensitive. What was longer ends in "…".
type Attribute struct {
	Path  string `json:"path"`
	Value string `json:"value"`
}

// The kinds of use.
const (
	Module   = "module"
	Provider = "provider"
)

// Use is a module or a provider that the code of a project used in its latest
// plan.
type Use struct {
	Client    string    `json:"client"` // ID, or the slug where it is shown
	Project   string    `json:"project"`
	Dir       string    `json:"dir"`
	Workspace string    `json:"workspace"`
	Kind      string    `json:"kind"`           // Module or Provider
	Path      string    `json:"path,omitempty"` // of a module: module.a.module.b
	Name      string    `json:"name"`           // its source, or the provider's address
	Version   string    `json:"version"`        // exact where that is known, else what the code asks for; "" for any
	AsOf      time.Time `json:"as_of"`

	source string
}

// Wanted is a module or provider that is asked for: NAME, or NAME@VERSION.
type Wanted struct {
	Name    string
	Version string

	constraint version.Constraints
}

// ParseWanted reads NAME or NAME@VERSION, where VERSION is a version, a Git
// reference, or a constraint such as "< 5.0". The error is errs.Invalid.
func ParseWanted(text string) (Wanted, error) {
	name, v, versioned := cutVersion(text)
	w := Wanted{Name: name, Version: strings.TrimSpace(v)}
	if w.Name == "" || versioned && w.Version == "" || len(text) > maxTerm {
		return w, errs.New(errs.Invalid, "%q is no NAME or NAME@VERSION, as in hashicorp/aws@5.31.0 or 'hashicorp/aws@< 5.0'.", text)
	}
	w.constraint, _ = version.NewConstraint(w.Version) // else it is a name, as of a branch
	return w, nil
}

// cutVersion cuts at the last @ that is not part of a source such as
// git@github.com:… or https://user@host/….
func cutVersion(text string) (name, v string, ok bool) {
	at := strings.LastIndexByte(text, '@')
	if at < 0 || strings.ContainsAny(text[at:], ":/") {
		return text, "", false
	}
	return text[:at], text[at+1:], true
}

// Empty reports whether nothing is asked for.
func (w Wanted) Empty() bool { return w.Name == "" }

// names reports whether the name is meant: whole, or by its last parts.
func (w Wanted) names(name string) bool {
	if matches(w.Name, name) {
		return true
	}
	return !strings.HasPrefix(name, ".") && matches("*/"+w.Name, name)
}

// versions reports whether a version that is used is meant. One of which only
// a constraint is known is meant where the version that is asked for satisfies
// that, or one of those that are asked for, and one that may be any always: it
// may be.
func (w Wanted) versions(used string) bool {
	if w.Version == "" || used == "" || w.Version == used || strings.TrimPrefix(w.Version, "v") == strings.TrimPrefix(used, "v") {
		return true
	}
	if v, err := version.NewVersion(used); err == nil {
		return w.constraint != nil && w.constraint.Check(v)
	}
	allowed, err := version.NewConstraint(used)
	if err != nil {
		return false
	}
	if v, err := version.NewVersion(w.Version); err == nil {
		return allowed.Check(v)
	}
	return w.constraint != nil && overlap(w.constraint, allowed)
}

// inConstraint are the versions that a constraint names.
var inConstraint = regexp.MustCompile(`\d+(\.\d+)*`)

// overlap reports whether some version satisfies both. Where two ranges meet is
// at one of their ends, or right beside it, so these are tried.
func overlap(a, b version.Constraints) bool {
	for _, text := range append(inConstraint.FindAllString(a.String()+" "+b.String(), -1), "0.0.0", "99999.0.0") {
		end, err := version.NewVersion(text)
		if err != nil {
			continue
		}
		n := end.Segments64()
		near := [][]int64{n, {n[0], n[1], n[2] + 1}}
		switch { // the last one before it
		case n[2] > 0:
			near = append(near, []int64{n[0], n[1], n[2] - 1})
		case n[1] > 0:
			near = append(near, []int64{n[0], n[1] - 1, 99999})
		case n[0] > 0:
			near = append(near, []int64{n[0] - 1, 99999, 99999})
		}
		for _, s := range near {
			v, err := version.NewVersion(fmt.Sprintf("%d.%d.%d", s[0], s[1], s[2]))
			if err == nil && a.Check(v) && b.Check(v) {
				return true
			}
		}
	}
	return false
}

// Query says what to look for. What is empty is anything.
type Query struct {
	Client     string  // ID
	Project    string  // name of the state or project; * and ? are wildcards
	Type       string  // with wildcards
	Address    string  // with wildcards; brackets are what they are
	Text       string  // part of an address, an ID or an ARN, in whatever case
	Attributes []Match // all of them
	Module     Wanted
	Provider   Wanted

	After string // Next of the page before
	Limit int    // at most; 0 for 100
	Full  bool   // attributes are wanted too
}

// Match is an attribute that is looked for.
type Match struct {
	Path  string // with wildcards
	Value string // with wildcards
}

// maxTerm bounds what is looked for, in bytes.
const maxTerm = 500

// ParseMatch reads path=value. The error is errs.Invalid.
func ParseMatch(text string) (Match, error) {
	path, value, ok := strings.Cut(text, "=")
	if !ok || path == "" || len(text) > maxTerm || strings.ContainsAny(text, "\n\r") {
		return Match{}, errs.New(errs.Invalid, "%q is no ATTRIBUTE=VALUE, as in tags.Name=web or publicly_accessible=true.", text)
	}
	return Match{path, value}, nil
}

// Page is what was found, in the order of clients, addresses and projects.
type Page struct {
	Resources []Resource `json:"resources"`
	Next      string     `json:"-"` // for Query.After; "" where this is the last
	// Behind is how many of the states that were looked through are not, or not
	// as a whole, in the inventory as they are now.
	Behind int `json:"behind"`
}
