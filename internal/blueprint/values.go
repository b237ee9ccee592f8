package blueprint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// The values that a blueprint can take, by the names that its templates use.
const (
	ValueClient = "client"
	ValueOwner  = "owner"
	ValueRegion = "region"
)

var valueNames = []string{ValueClient, ValueOwner, ValueRegion}

// Values are what a blueprint is rendered with.
type Values struct {
	// Client is the client's short name, which begins the names of what is
	// made: lower-case letters, digits and hyphens, at most 40.
	Client string
	// Owner is who reviews and answers for everything: a GitHub user, or a
	// team as organisation/team; an @ before it is taken away.
	Owner string
	// Region is the cloud's region, such as eu-west-1.
	Region string
}

// The forms are narrow on purpose: what fits them means nothing to HCL,
// Markdown, CODEOWNERS or a shell.
var (
	clientForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	ownerForm  = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*(/[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*)?$`)
	regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
)

const (
	maxClient = 40 // leaves room in names of 63, such as a bucket's
	maxOwner  = 100
)

// check returns what the templates of b see, or one errs.Invalid error with
// all that is wrong.
func (v Values) check(b Blueprint) (map[string]string, error) {
	v.Owner = strings.TrimPrefix(v.Owner, "@")
	var problems []string
	data := map[string]string{}
	for _, c := range []struct {
		name, value string
		good        bool
		missing     string // how to give it
		form        string // what it must be like
	}{
		{ValueClient, v.Client, len(v.Client) <= maxClient && clientForm.MatchString(v.Client),
			"a short name such as acme", "has up to 40 lower-case letters and digits, with single hyphens between them"},
		{ValueOwner, v.Owner, len(v.Owner) <= maxOwner && ownerForm.MatchString(v.Owner),
			"a GitHub user such as ada, or a team such as acme/platform", "is a GitHub user such as ada, or a team such as acme/platform"},
		{ValueRegion, v.Region, regionForm.MatchString(v.Region),
			"one such as eu-west-1", "is one such as eu-west-1"},
	} {
		takes := slices.Contains(b.Values, c.name)
		switch {
		case !takes && c.value != "":
			problems = append(problems, "The blueprint "+b.Name+" takes no "+c.name+".")
		case !takes:
		case c.value == "":
			problems = append(problems, "The "+c.name+" is missing: "+c.missing+".")
		case !c.good:
			problems = append(problems, "The "+c.name+" "+quote(c.value)+" won't do: it "+c.form+".")
		default:
			data[c.name] = c.value
		}
	}
	if len(problems) > 0 {
		return nil, errs.New(errs.Invalid, "%s", strings.Join(problems, "\n"))
	}
	return data, nil
}

var notInClient = regexp.MustCompile(`[^a-z0-9]+`)

// ClientFrom proposes a client's name from that of a folder, "" where nothing
// of it can be used: "Acme_Infra" gives "acme-infra".
func ClientFrom(folder string) string {
	s := notInClient.ReplaceAllString(strings.ToLower(folder), "-")
	if s = strings.Trim(s, "-"); len(s) > maxClient {
		s = strings.TrimRight(s[:maxClient], "-")
	}
	return s
}
