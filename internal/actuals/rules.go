package actuals

import (
	"encoding/json"
	"slices"
	"strings"
)

// Rules say which charges are whose.
type Rules []Rule

// Rule is what one client's charges are known by.
type Rule struct {
	Client   string            // slug
	Accounts []string          // of billing accounts or sub accounts, as the export has their IDs
	Tags     map[string]string // all of which a charge has, in accounts that are several clients' or nobody's
	// ProjectTag is the tag that names a charge's project; "" for DefaultProjectTag.
	ProjectTag string
}

// DefaultProjectTag is the tag by which a charge names its project.
const DefaultProjectTag = "tidelock:project"

// The reasons why nobody's a charge is.
const (
	nobody  = "nobody"  // no rule is about it
	several = "several" // the rules of several clients are
)

// AccountKey is an account's ID in one of the ways that exports and people
// write it.
func AccountKey(id string) string {
	id = strings.ToLower(strings.Trim(strings.TrimSpace(id), "/"))
	return strings.TrimPrefix(strings.TrimPrefix(id, "subscriptions/"), "projects/")
}

// owner tells whose a charge is, and how that is known: ByAccount or ByClient.
// Where it is nobody's, how is the reason.
//
// The sub account goes before the billing account: who has a sub account has it
// alone, whoever pays. Tags decide only where the account leaves it open, so
// that nobody tags himself into an account that is another's.
func (rs Rules) owner(billing, sub, tags string) (client, how string) {
	for _, id := range [...]string{sub, billing} {
		if id == "" {
			continue
		}
		holders := rs.holders(id)
		switch len(holders) {
		case 0:
		case 1:
			return holders[0].Client, ByAccount
		default:
			return holders.tagged(tags)
		}
	}
	return rs.tagged(tags)
}

func (rs Rules) holders(id string) Rules {
	key := AccountKey(id)
	var found Rules
	for _, r := range rs {
		if slices.ContainsFunc(r.Accounts, func(a string) bool { return AccountKey(a) == key }) {
			found = append(found, r)
		}
	}
	return found
}

// tagged tells whose a charge is by its tags alone.
func (rs Rules) tagged(tags string) (client, how string) {
	have := tagsOf(tags)
	found := ""
	for _, r := range rs {
		if len(r.Tags) == 0 {
			continue
		}
		all := true
		for k, v := range r.Tags {
			all = all && tagValue(have, k) == v
		}
		switch {
		case !all:
		case found != "":
			return "", several
		default:
			found = r.Client
		}
	}
	if found == "" {
		return "", nobody
	}
	return found, ByClient
}

// of returns a client's rule.
func (rs Rules) of(client string) Rule {
	for _, r := range rs {
		if r.Client == client {
			if r.ProjectTag == "" {
				r.ProjectTag = DefaultProjectTag
			}
			return r
		}
	}
	return Rule{Client: client, ProjectTag: DefaultProjectTag}
}

func tagsOf(text string) map[string]string {
	if text == "" {
		return nil
	}
	var tags map[string]string
	if json.Unmarshal([]byte(text), &tags) != nil {
		return nil // what tagsJSON wrote is JSON
	}
	return tags
}

// tagValue finds a tag. AWS puts "user:" before the tags of its users in some
// of its exports, and Azure does not tell capitals from small letters.
func tagValue(tags map[string]string, key string) string {
	if v, ok := tags[key]; ok {
		return v
	}
	for k, v := range tags {
		if strings.EqualFold(k, key) || strings.EqualFold(k, "user:"+key) {
			return v
		}
	}
	return ""
}
