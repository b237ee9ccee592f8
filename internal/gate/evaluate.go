package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Verdict is what one gate says. Its texts are Markdown in which everything
// that others wrote is quoted: safe in a comment and in a check.
type Verdict struct {
	Gate string `json:"gate"` // one of the constants, or an expression's name
	Open bool   `json:"open"`
	Why  string `json:"why"`           // a sentence: what is missing, or what is there
	Who  string `json:"who,omitempty"` // who can open it: "anyone with write access"; "" where it opens by itself
	How  string `json:"how,omitempty"` // how, after "can": "approve the pull request on GitHub"
}

// Sentence says the verdict in one or two sentences: what is missing, who can
// give it, and how.
func Sentence(v Verdict) string {
	switch {
	case v.Open || v.How == "":
		return v.Why
	case v.Who == "":
		return v.Why + " " + upper(v.How) + "."
	}
	return v.Why + " " + upper(v.Who) + " can " + v.How + "."
}

// Closed returns the verdicts of the gates that are closed.
func Closed(all []Verdict) []Verdict {
	var out []Verdict
	for _, v := range all {
		if !v.Open {
			out = append(out, v)
		}
	}
	return out
}

// Evaluate returns the verdict of every gate that the rules have, in the order
// of the documentation, expressions last in theirs. It changes nothing, and
// never panics: a gate that can't be judged is closed.
func Evaluate(r Rules, f Facts) []Verdict {
	var out []Verdict
	add := func(gate string, asked bool, judge func(Rules, Facts) Verdict) {
		if asked {
			v := guarded(gate, judge, r, f)
			v.Gate = gate
			out = append(out, v)
		}
	}
	add(Approvals, r.Approvals > 0, approvals)
	add(CodeOwners, r.CodeOwners, codeOwners)
	add(Mergeable, r.Mergeable, mergeable)
	add(Checks, len(r.Checks) > 0, checks)
	add(UpToDate, r.UpToDate, upToDate)
	add(Policies, r.Policies, policies)
	add(Cost, r.MaxMonthlyCost != nil, cost)
	add(Budgets, r.Budgets, budgets)
	add(Labels, len(r.Labels) > 0, labels)
	add(WithoutLabels, len(r.WithoutLabels) > 0, withoutLabels)
	add(Role, r.Role != "", role)
	add(Users, len(r.lists()) > 0, users)
	for _, e := range r.Expressions {
		add(e.Name, true, func(_ Rules, f Facts) Verdict { return expression(e, f) })
	}
	return out
}

func guarded(gate string, judge func(Rules, Facts) Verdict, r Rules, f Facts) (v Verdict) {
	defer func() {
		if recover() != nil {
			v = Verdict{Why: fmt.Sprintf("The gate %s could not be judged, which is a fault of Tidelock's.", quote(gate))}
		}
	}()
	return judge(r, f)
}

func open(format string, args ...any) Verdict {
	return Verdict{Open: true, Why: fmt.Sprintf(format, args...)}
}

// unread is the verdict where a fact is missing.
func unread(what string) Verdict {
	return Verdict{Why: fmt.Sprintf("%s could not be read, so this stays closed.", upper(what)), Who: "anyone", How: "give the command again when GitHub answers"}
}

const (
	writers     = "anyone with write access"
	unreadPull  = "the pull request"
	unreadStale = "the present head's"
)

// counting returns those of the approvers whose word counts: people with
// write access other than the author, each once, who don't ask for changes.
func counting(f Facts) []Person {
	var out []Person
	for _, p := range f.Reviews.ApprovedBy {
		author := p.ID != 0 && p.ID == f.Pull.AuthorID || strings.EqualFold(p.Login, f.Pull.Author)
		if author || p.Bot || !holds(p.Role, "write") || among(out, p) || among(f.Reviews.Against, p) {
			continue
		}
		out = append(out, p)
	}
	return out
}

func among(all []Person, p Person) bool {
	return slices.ContainsFunc(all, func(q Person) bool {
		return p.ID != 0 && p.ID == q.ID || strings.EqualFold(p.Login, q.Login)
	})
}

// reviewsOf returns the verdict that stands in the way of judging reviews at
// all, and whether there is one.
func reviewsOf(f Facts) (Verdict, bool) {
	switch {
	case f.Pull.HeadSHA == "":
		return unread(unreadPull), true
	case f.Reviews == nil:
		return unread("the reviews"), true
	case f.Reviews.HeadSHA != f.Pull.HeadSHA:
		return Verdict{Why: fmt.Sprintf("The reviews were read for `%s`, but the head is `%s` now.", short(f.Reviews.HeadSHA), short(f.Pull.HeadSHA)),
			Who: "anyone", How: "give the command again"}, true
	}
	return Verdict{}, false
}

func approvals(r Rules, f Facts) Verdict {
	if v, bad := reviewsOf(f); bad {
		return v
	}
	for _, p := range f.Reviews.Against {
		// GitHub counts those who may write only; whose role is not known
		// counts here, against the pull.
		if p.Role != "" && !holds(p.Role, "write") {
			continue
		}
		return Verdict{Why: fmt.Sprintf("%s asks for changes.", quote(p.Login)),
			Who: quote(p.Login), How: "approve, or somebody who may can dismiss that review"}
	}
	by := counting(f)
	if len(by) >= r.Approvals {
		return open("It has %s of `%s`: %s.", count(len(by), "approving review"), short(f.Pull.HeadSHA), list(logins(by)))
	}
	why := fmt.Sprintf("It needs %s of `%s`, and has %s.", count(r.Approvals, "approving review"), short(f.Pull.HeadSHA), countOf(by))
	if n := len(f.Reviews.Stale); n > 0 {
		why += fmt.Sprintf(" What %s approved was an older commit.", list(logins(f.Reviews.Stale)))
	}
	if n := len(f.Reviews.ApprovedBy) - len(by); n > 0 {
		why += " Approvals by the author, by bots and by people without write access don't count."
	}
	return Verdict{Why: why, Who: fmt.Sprintf("%s but the author %s", writers, quote(f.Pull.Author)), How: "approve the pull request on GitHub"}
}

func countOf(by []Person) string {
	if len(by) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d (%s)", len(by), list(logins(by)))
}

func logins(all []Person) []string {
	var out []string
	for _, p := range all {
		out = append(out, p.Login)
	}
	return out
}

func codeOwners(_ Rules, f Facts) Verdict {
	if v, bad := reviewsOf(f); bad {
		return v
	}
	if f.Owners == nil {
		return unread("the owners of the changed files")
	}
	by := counting(f)
	var files, owners []string
	owned := 0
	for _, file := range f.Owners.Files {
		if len(file.Owners) == 0 {
			continue
		}
		owned++
		if !slices.ContainsFunc(file.Owners, func(o string) bool { return approvedBy(o, by, f.Owners.Members) }) {
			files = append(files, file.Path)
			for _, o := range file.Owners {
				owners = append(owners, strings.TrimPrefix(o, "@"))
			}
		}
	}
	switch owners = union(owners, nil); {
	case owned == 0:
		return open("No changed file has an owner in CODEOWNERS.")
	case len(files) == 0:
		return open("The owners have approved %s.", count(owned, "changed file"))
	}
	v := Verdict{Why: fmt.Sprintf("No owner of %s has approved `%s`.", list(files), short(f.Pull.HeadSHA)),
		Who: "each file's owner (" + list(owners) + ")", How: "approve the pull request on GitHub, unless they are its author"}
	if !slices.ContainsFunc(owners, func(o string) bool { return !strings.Contains(o, "@") }) {
		v.Who, v.How = writers, "name logins or teams in CODEOWNERS on the base branch: e-mail addresses can't be told to be somebody's here"
	}
	return v
}

// approvedBy reports whether the owner, as CODEOWNERS names them, is among
// those whose approval counts.
func approvedBy(owner string, by []Person, members map[string]map[string]bool) bool {
	name, ok := strings.CutPrefix(strings.ToLower(owner), "@")
	if !ok {
		return false // an e-mail address
	}
	return slices.ContainsFunc(by, func(p Person) bool {
		login := strings.ToLower(p.Login)
		if strings.Contains(name, "/") {
			return members[name][login]
		}
		return name == login
	})
}

func mergeable(_ Rules, f Facts) Verdict {
	switch p := f.Pull; {
	case p.HeadSHA == "":
		return unread(unreadPull)
	case p.Merged:
		return open("It is merged.")
	case p.Mergeable == nil:
		return Verdict{Why: "GitHub has not said yet whether it can be merged.", Who: "anyone", How: "give the command again in a moment"}
	case !*p.Mergeable:
		return Verdict{Why: fmt.Sprintf("It conflicts with %s.", quote(p.BaseRef)), Who: writers, How: fmt.Sprintf("merge %s into it, or rebase it, and push", quote(p.BaseRef))}
	}
	return open("It merges cleanly.")
}

func upToDate(_ Rules, f Facts) Verdict {
	switch p := f.Pull; {
	case p.HeadSHA == "":
		return unread(unreadPull)
	case p.Merged:
		return open("It is merged.")
	case p.Behind == nil:
		return unread("how far it is behind its base branch")
	case *p.Behind != 0:
		return Verdict{Why: fmt.Sprintf("It lacks %s of %s.", count(*p.Behind, "commit"), quote(p.BaseRef)),
			Who: writers, How: fmt.Sprintf("merge %s into it, or rebase it, and push", quote(p.BaseRef))}
	}
	return open("It holds all of %s.", quote(f.Pull.BaseRef))
}

func checks(r Rules, f Facts) Verdict {
	c := f.Checks
	switch {
	case f.Pull.HeadSHA == "":
		return unread(unreadPull)
	case c == nil:
		return unread("the checks")
	case c.HeadSHA != f.Pull.HeadSHA:
		return Verdict{Why: fmt.Sprintf("The checks were read for `%s`, but the head is `%s` now.", short(c.HeadSHA), short(f.Pull.HeadSHA)),
			Who: "anyone", How: "give the command again"}
	}
	var failed, pending, missing []string
	for _, pattern := range r.Checks {
		bad, wait := matching(pattern, c.Failed), matching(pattern, c.Pending)
		failed, pending = append(failed, bad...), append(pending, wait...)
		if len(bad) == 0 && len(wait) == 0 && len(matching(pattern, c.Passed)) == 0 {
			missing = append(missing, pattern)
		}
	}
	switch {
	case len(failed) > 0:
		return Verdict{Why: fmt.Sprintf("Failed: %s.", list(union(failed, nil))), Who: writers, How: "mend what fails and push, or run it again"}
	case len(pending) > 0:
		return Verdict{Why: fmt.Sprintf("Not finished yet: %s.", list(union(pending, nil))), How: "give the command again when it has passed"}
	case len(missing) > 0:
		return Verdict{Why: fmt.Sprintf("Nothing has reported to `%s` as %s yet.", short(f.Pull.HeadSHA), list(missing)), How: "give the command again when it has passed"}
	}
	return open("%s passed.", upper(count(len(c.Passed), "check")))
}

// matching returns those of the names that the pattern means. Names may hold
// what patterns read, as "build (linux) [fast]" does: itself always counts.
func matching(pattern string, names []string) []string {
	var out []string
	for _, n := range names {
		if pattern == "*" || pattern == n {
			out = append(out, n)
		} else if ok, err := doublestar.Match(pattern, n); ok && err == nil {
			out = append(out, n)
		}
	}
	return out
}

func policies(_ Rules, f Facts) Verdict {
	again := Verdict{Who: "anyone", How: "comment `plan` for a new plan"}
	switch p := f.Policy; {
	case p == nil:
		again.Why = "No policy has judged the plan."
		return again
	case p.Verdict == "pass" || p.Verdict == "warn":
		return open("The policies pass.")
	case p.Verdict == "fail" && p.Hard > 0:
		return Verdict{Why: "A policy forbids the plan, and nobody can accept that.", Who: "the author", How: "mend the findings, each of which says how"}
	case p.Verdict == "fail" && p.Waived:
		return open("The findings of the policies were approved.")
	case p.Verdict == "fail":
		return Verdict{Why: "A policy forbids the plan.", Who: "whoever may approve policies", How: "comment `approve-policies`, or the author can mend the findings, each of which says how"}
	}
	again.Why = "The policies could not judge the plan."
	return again
}

func cost(r Rules, f Facts) Verdict {
	limit := r.MaxMonthlyCost.StringFixed(2)
	who, how := "whoever owns the limit", "raise max_monthly_cost_increase on the base branch or on the server, or the author can make the change cheaper"
	switch c := f.Cost; {
	case c == nil || c.Delta == nil:
		return Verdict{Why: fmt.Sprintf("What it costs is not known, and the limit is %s USD a month.", limit), Who: "anyone", How: "comment `plan` for a new estimate"}
	case c.Delta.GreaterThan(*r.MaxMonthlyCost):
		return Verdict{Why: fmt.Sprintf("It costs %s USD a month more, and the limit is %s.", c.Delta.StringFixed(2), limit), Who: who, How: how}
	case !c.Known:
		return Verdict{Why: fmt.Sprintf("What it costs is not wholly known: %s USD a month more and whatever has no price. The limit is %s.", c.Delta.StringFixed(2), limit), Who: who, How: how}
	}
	return open("It costs %s USD a month more, within the limit of %s.", f.Cost.Delta.StringFixed(2), limit)
}

// budgets is closed while any budget is that the plan would exceed.
func budgets(_ Rules, f Facts) Verdict {
	if f.Budgets == nil {
		return unread("what the budgets say")
	}
	var why, who []string
	for _, b := range f.Budgets.Exceeded {
		why = append(why, b.Why)
		if len(b.Who) == 0 {
			who = union(who, []string{"somebody with the role maintain"})
		} else {
			who = union(who, []string{list(b.Who)})
		}
	}
	if len(why) == 0 {
		return open("No budget is exceeded, or its owners have approved that.")
	}
	return Verdict{Why: strings.Join(why, " "), Who: strings.Join(who, " and "), How: "comment `approve-cost`, unless they are the author, who can make the change cheaper"}
}

func labels(r Rules, f Facts) Verdict {
	if f.Pull.HeadSHA == "" {
		return unread(unreadPull)
	}
	var missing []string
	for _, l := range r.Labels {
		if !containsFold(f.Pull.Labels, l) {
			missing = append(missing, l)
		}
	}
	if len(missing) == 0 {
		return open("It has the labels %s.", list(r.Labels))
	}
	return Verdict{Why: fmt.Sprintf("It lacks the label %s.", list(missing)), Who: "anyone with triage access", How: "add the label on GitHub"}
}

func withoutLabels(r Rules, f Facts) Verdict {
	if f.Pull.HeadSHA == "" {
		return unread(unreadPull)
	}
	var found []string
	for _, l := range r.WithoutLabels {
		if containsFold(f.Pull.Labels, l) {
			found = append(found, l)
		}
	}
	if len(found) == 0 {
		return open("It has no label that forbids this.")
	}
	return Verdict{Why: fmt.Sprintf("Its label %s forbids this.", list(found)), Who: "anyone with triage access", How: "remove the label on GitHub"}
}

func role(r Rules, f Facts) Verdict {
	switch a := f.Actor; {
	case !slices.Contains(roles, r.Role):
		return Verdict{Why: fmt.Sprintf("The rule asks for the role %s, which does not exist.", quote(r.Role)), Who: "whoever owns the rule", How: "name one of " + list(roles)}
	case a.Login == "" || a.Role == "":
		return unread("what " + actorName(a) + " may do in this repository")
	case !holds(a.Role, r.Role):
		return Verdict{Why: fmt.Sprintf("It needs the role %s, and %s has %s.", quote(r.Role), actorName(a), quote(a.Role)),
			Who: fmt.Sprintf("anyone with the role %s or a higher one", quote(r.Role)), How: "give the command"}
	}
	return open("%s has the role %s.", upper(actorName(f.Actor)), quote(f.Actor.Role))
}

func actorName(a Actor) string {
	if a.Login == "" {
		return "whoever acts"
	}
	return quote(a.Login)
}

func users(r Rules, f Facts) Verdict {
	a := f.Actor
	if a.Login == "" {
		return unread("who acts")
	}
	for _, p := range r.lists() {
		in := containsFold(p.Users, a.Login)
		unasked := ""
		for _, t := range p.Teams {
			member, asked := a.Teams[strings.ToLower(t)]
			in = in || member
			if !asked && unasked == "" {
				unasked = t
			}
		}
		switch {
		case in:
		case unasked != "":
			return unread(fmt.Sprintf("whether %s is in %s", quote(a.Login), quote(unasked)))
		default:
			return Verdict{Why: fmt.Sprintf("%s is not among those who may do this.", quote(a.Login)), Who: people(p), How: "give the command"}
		}
	}
	return open("%s may do this.", quote(a.Login))
}

// people names who is let through.
func people(p People) string {
	var parts []string
	if len(p.Users) > 0 {
		parts = append(parts, list(p.Users))
	}
	if len(p.Teams) > 0 {
		parts = append(parts, "members of "+list(p.Teams))
	}
	return strings.Join(parts, " and ")
}

// expression judges one rule in CEL.
func expression(e Expression, f Facts) Verdict {
	where := ""
	if e.Pos != "" {
		where = " (" + quote(e.Pos) + ")"
	}
	c := compile(e.Expr)
	if len(c.problems) > 0 {
		return Verdict{Why: fmt.Sprintf("The rule %s%s can't be read: %s", quote(e.Name), where, prose(c.problems[0].Message)),
			Who: "whoever owns the rule", How: "mend it on the base branch or on the server"}
	}
	ok, why := c.eval(f)
	switch {
	case why != "":
		return Verdict{Why: fmt.Sprintf("The rule %s%s could not be judged: %s", quote(e.Name), where, why),
			Who: "whoever owns the rule", How: "mend it, or anyone can give the command again when what it looks at is there"}
	case ok:
		return open("The rule %s is met.", quote(e.Name))
	}
	v := Verdict{Why: fmt.Sprintf("The rule %s%s is not met.", quote(e.Name), where), Who: "whoever owns the rule", How: "change it, or the author can change what it looks at"}
	if e.Message != "" {
		v.Why = prose(e.Message) + " " + v.Why
	}
	return v
}
