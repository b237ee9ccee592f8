package bot

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/bot/command"
	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/markdown"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/run"
)

// Owned is which findings of a project the sender may accept.
type Owned struct {
	Owners map[string]policy.Owners // as they are now, by pack; "" is for all packs that are not named
	Mine   map[string]bool          // whose owner the sender is, by the same names
	// Problem is why nobody knows, a sentence; "" where it is known. Nobody owns
	// anything then.
	Problem string
}

// name is the entry that stands for a pack.
func (o Owned) name(pack string) string {
	if _, ok := o.Owners[pack]; ok {
		return pack
	}
	return ""
}

func (o Owned) owns(pack string) bool { return o.Problem == "" && o.Mine[o.name(pack)] }

// ownsAll reports whether the sender owns whatever may have been found.
func (o Owned) ownsAll() bool {
	for pack := range o.Owners {
		if !o.owns(pack) {
			return false
		}
	}
	return o.owns("")
}

// who says whom to ask about a pack's findings.
func (o Owned) who(pack string) string {
	who := o.Owners[o.name(pack)].Who
	if len(who) == 0 {
		return "somebody else with the role **maintain**"
	}
	var names []string
	for _, w := range who[:min(len(who), maxOwnersNamed)] {
		names = append(names, markdown.Code(w))
	}
	if left := len(who) - len(names); left > 0 {
		names = append(names, fmt.Sprintf("%d more", left))
	}
	return strings.Join(names, ", ")
}

// What a reply about findings lists at most: it must fit into a comment.
const (
	maxOwnersNamed   = 10
	maxAcceptedShown = 20
	maxPlansShown    = 30
	maxReply         = 40 << 10 // bytes; GitHub takes 65,536 characters
)

// bounded cuts a reply at a line's end: each line stands for itself.
func bounded(text string) string {
	text = strings.TrimSpace(text)
	if len(text) <= maxReply {
		return text
	}
	return markdown.Cut(text, maxReply) + "\n\nAnd more, for which there is no room here: see the comment above."
}

// author reports whether the sender opened the pull request.
func (d decision) author() bool {
	if id := d.Gate.Actor.ID; id != 0 && d.Pull.AuthorID != 0 {
		return id == d.Pull.AuthorID
	}
	return strings.EqualFold(d.sender, d.Pull.Author)
}

// approvePolicies accepts findings of the plans that policies forbid: those
// whose owner the sender is. The author never does that for themselves, and
// what a hard rule found nobody accepts.
func (d decision) approvePolicies() []Intent {
	wish := d.command.Policies
	plans, bad := d.forbidden()
	switch {
	case d.author():
		return d.refuse("Who opened the pull request can't accept its policy findings. %s", d.whoCan(plans))
	case bad != nil:
		return bad
	case len(plans) == 0:
		return d.none("No policy forbids any plan of this pull request.")
	}
	if why := d.tooLong(wish); why != "" {
		return d.refuse("**Nothing was accepted.** %s", why)
	}
	in := WaiveFindings{Change: *d.Change}
	var until time.Time
	if wish.For > 0 {
		until = d.Gate.Now.Add(wish.For)
	}
	var looks []accepting
	matched := false
	for _, plan := range plans {
		l := d.accepting(plan, wish, until)
		matched = matched || l.matched
		looks = append(looks, l)
		if len(l.word.Findings) > 0 || l.word.All {
			in.Words = append(in.Words, l.word)
		}
	}
	switch {
	case !matched:
		return d.refuse("**Nothing was accepted.** No finding that forbids a plan is of a rule that you name. There are %s.", bounded(rulesOf(plans)))
	case len(in.Words) == 0:
		var b strings.Builder
		b.WriteString("**Nothing was accepted.**")
		if !slices.ContainsFunc(looks, func(l accepting) bool { return l.owned > 0 || len(l.foreign) == 0 }) {
			fmt.Fprintf(&b, " @%s can't accept policy findings of these plans.", markdown.Word(d.sender))
		}
		b.WriteString("\n\n")
		d.remaining(&b, looks)
		return d.refuse("%s", bounded(b.String()))
	}
	return []Intent{in, Reply{d.Pull.Number, bounded(d.acceptedText(looks, until, wish.Reason))}}
}

// forbidden returns the chosen plans that policies forbid, or forbade before
// somebody accepted what they found; and a refusal where one of them could not
// be judged.
func (d decision) forbidden() (plans []run.Run, refusal []Intent) {
	for _, p := range d.chosen() {
		switch r := p.Plan; {
		case r.Status != run.Planned || r.Report == nil:
		case r.Report.Verdict == policy.Error:
			return nil, d.refuse("The policies could not judge the plan of `%s`; there is nothing that could be accepted. The comment above says what must be mended.", markdown.Word(r.Project.Name))
		case r.Report.Verdict == policy.Fail:
			plans = append(plans, *r)
		}
	}
	return plans, nil
}

// tooLong says why a finding can't be accepted for as long as is asked.
func (d decision) tooLong(wish command.Policies) string {
	most := d.Settings.WaiverMax
	switch {
	case wish.For == 0:
		return ""
	case most == 0:
		return "This server accepts findings for exactly one plan only: leave out `--for`. (`policy.waiver_max` on the server allows more.)"
	case wish.For > most:
		return fmt.Sprintf("This server accepts findings for `%s` at most, and `%s` was asked for. (`policy.waiver_max` on the server sets that.)", command.Period(most.Truncate(time.Hour)), command.Period(wish.For))
	case wish.Reason == "":
		return fmt.Sprintf("Accepting a finding beyond this plan needs a reason, which everybody can read later: `%s --reason \"…\"`.", markdown.Word(strings.TrimSpace(string(d.command.Verb)+d.command.Filter.String()+wish.String())))
	}
	return ""
}

// accepting is what the command does to one plan.
type accepting struct {
	plan    run.Run
	word    run.Word
	matched bool // something of it is of the rules that are named
	owned   int  // findings whose owner the sender is
	said    int  // of these, those that they accepted for as long before
	after   run.Standing
	foreign []policy.Finding // that forbid it and are others' to accept
	blind   int              // findings that can be accepted with the whole plan only, and were not
	access  Owned
}

// accepting sorts what was found in a plan.
func (d decision) accepting(plan run.Run, wish command.Policies, until time.Time) accepting {
	l := accepting{plan: plan, access: d.Owned[plan.Key()]}
	actor := access.Actor{Kind: access.User, Name: d.sender, ID: d.Gate.Actor.ID}
	l.word = run.Word{Plan: plan, Expires: until, Reason: wish.Reason, Actor: actor}
	standing := run.StandingOf(plan, d.Gate.Now)
	blind := standing.Hidden
	for i, f := range plan.Report.Findings {
		if !f.Level.Blocks() || !wish.Match(f.Rule) {
			continue
		}
		l.matched = true
		switch {
		case f.Level == policy.Hard:
		case f.Fingerprint == "":
			blind++
		case !l.access.owns(f.Pack):
			l.foreign = append(l.foreign, f)
		case said(standing.Findings[i].By, actor, until):
			l.owned++
			l.said++
		default:
			l.owned++
			l.word.Findings = append(l.word.Findings, f)
		}
	}
	l.matched = l.matched || len(wish.Rules) == 0
	if blind > 0 && len(wish.Rules) == 0 && until.IsZero() && l.access.ownsAll() && plan.Report.Hard == 0 {
		l.owned += blind
		if l.word.All = !slices.ContainsFunc(plan.Waivers, func(w run.Waiver) bool { return w.Fingerprint == "" && said([]run.Waiver{w}, actor, until) }); !l.word.All {
			l.said += blind
		}
	} else {
		l.blind = blind
	}
	l.after = run.StandingOf(l.word.Spoken(d.Gate.Now), d.Gate.Now)
	return l
}

// said reports whether the actor accepted it for as long already.
func said(by []run.Waiver, actor access.Actor, until time.Time) bool {
	return slices.ContainsFunc(by, func(w run.Waiver) bool {
		if w.Actor.ID != actor.ID || (actor.ID == 0 && !strings.EqualFold(w.Actor.Name, actor.Name)) {
			return false
		}
		if until.IsZero() {
			return !w.Sticky() // a word that lasts may be over before the apply
		}
		return w.Sticky() && !w.Expires.Before(until)
	})
}

// acceptedText says what was accepted, for how long, and what is still missing.
func (d decision) acceptedText(looks []accepting, until time.Time, reason string) string {
	var b strings.Builder
	person := markdown.Code(d.sender)
	shown, listed, more := 0, 0, 0
	for _, l := range looks {
		n := len(l.word.Findings)
		if n == 0 && !l.word.All {
			continue
		}
		if more > 0 || shown >= maxPlansShown {
			more++
			continue
		}
		shown++
		name := markdown.Code(l.plan.Project.Name)
		switch {
		case l.word.All:
			fmt.Fprintf(&b, "%s accepts everything that the policies found in %s, for exactly the plan that is shown", person, name)
		case until.IsZero():
			fmt.Fprintf(&b, "%s accepts %s of %s, for exactly the plan that is shown", person, counted(n, "finding"), name)
		default:
			fmt.Fprintf(&b, "%s accepts %s of %s until **%s**, in whatever plan of this project they come back", person, counted(n, "finding"), name, comment.Stamp(until))
		}
		if reason != "" {
			b.WriteString(": " + markdown.Prose(reason))
		}
		b.WriteString("\n\n")
		listed += listFindings(&b, l.word.Findings, maxAcceptedShown-listed)
	}
	if more > 0 {
		fmt.Fprintf(&b, "And so for %s.\n\n", counted(more, "more project"))
	}
	d.remaining(&b, looks)
	return strings.TrimSpace(b.String())
}

// listFindings lists as many as there is room for, and returns how many.
func listFindings(b *strings.Builder, all []policy.Finding, room int) int {
	shown := all[:min(len(all), max(room, 0))]
	for _, f := range shown {
		fmt.Fprintf(b, "- %s", markdown.Code(markdown.Abridged(f.Rule, 200)))
		if f.Address != "" {
			b.WriteString(" " + markdown.Code(markdown.Abridged(f.Address, 200)))
		}
		fmt.Fprintf(b, ": %s\n", markdown.Prose(markdown.Abridged(f.Message, 200)))
	}
	if left := len(all) - len(shown); left > 0 && len(shown) > 0 {
		fmt.Fprintf(b, "- … and %d more\n", left)
	}
	if len(shown) > 0 {
		b.WriteString("\n")
	}
	return len(shown)
}

// remaining says what still keeps each plan from being applied, who can change
// that, and how many of them are needed.
func (d decision) remaining(b *strings.Builder, looks []accepting) {
	for i, l := range looks {
		if i == maxPlansShown {
			fmt.Fprintf(b, "\nThe comment above says how %s stand.\n", counted(len(looks)-i, "more project"))
			return
		}
		name := markdown.Code(l.plan.Project.Name)
		if l.after.Open() == 0 {
			fmt.Fprintf(b, "No policy keeps %s from being applied any more.\n", name)
			continue
		}
		fmt.Fprintf(b, "Policies still forbid %s:\n\n", name)
		if l.access.Problem != "" {
			fmt.Fprintf(b, "- Who may accept its findings can't be told now: %s\n", markdown.Sentences(l.access.Problem))
		}
		for _, line := range l.missing() {
			b.WriteString("- " + line + "\n")
		}
		b.WriteString("\n")
	}
}

// missing lists what still forbids the plan, a sentence for each pack.
func (l accepting) missing() []string {
	type need struct{ findings, more int }
	packs, hard := map[string]need{}, 0
	for i, a := range l.after.Findings {
		f := l.plan.Report.Findings[i]
		switch {
		case !a.Open():
		case a.Hard:
			hard++
		case f.Fingerprint != "": // those without are among the blind
			n := packs[f.Pack]
			packs[f.Pack] = need{n.findings + 1, max(n.more, a.Needed-len(a.By))}
		}
	}
	var out []string
	if hard = max(hard, l.after.Hard); hard > 0 {
		out = append(out, fmt.Sprintf("%s can't be accepted by anyone: the comment above says how to mend %s.", counted(hard, "finding"), map[bool]string{true: "it", false: "each"}[hard == 1]))
	}
	for _, pack := range slices.Sorted(maps.Keys(packs)) {
		n, of := packs[pack], ""
		if pack != "" {
			of = " of the policies " + markdown.Code(pack)
		}
		out = append(out, fmt.Sprintf("%s%s: %s must accept %s, of %s.", counted(n.findings, "finding"), of, counted(n.more, "more owner"),
			map[bool]string{true: "it", false: "each"}[n.findings == 1], l.access.who(pack)))
	}
	switch {
	case l.word.All && l.after.Hidden > 0 && l.after.Rest.Open() && !l.after.Rest.Hard:
		out = append(out, fmt.Sprintf("%s more must accept the whole plan.", counted(l.after.Rest.Needed-len(l.after.Rest.By), "owner")))
	case l.blind > 0 && hard == 0:
		out = append(out, fmt.Sprintf("%s that the comment has no room for, or that can't be told from others, can only be accepted with this very plan, by who owns all its policies: `approve-policies -p %s`.",
			counted(l.blind, "finding"), markdown.Word(command.Quote(l.plan.Project.Name))))
	}
	return out
}

// whoCan says who may accept what was found in the plans.
func (d decision) whoCan(plans []run.Run) string {
	var out []string
	for _, plan := range plans[:min(len(plans), maxPlansShown)] {
		owned := d.Owned[plan.Key()]
		for _, f := range plan.Report.Findings {
			if s := "Ask " + owned.who(f.Pack) + " to comment `approve-policies`."; f.Level == policy.Mandatory && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	if len(out) == 0 {
		return "Ask " + Owned{}.who("") + " to comment `approve-policies`."
	}
	return bounded(strings.Join(out[:min(len(out), maxOwnersNamed)], " "))
}

// rulesOf lists the rules that forbid the plans.
func rulesOf(plans []run.Run) string {
	var names []string
	for _, p := range plans {
		for _, f := range p.Report.Findings {
			if n := markdown.Code(f.Rule); f.Level.Blocks() && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	if left := len(names) - maxAcceptedShown; left > 0 {
		names = append(names[:maxAcceptedShown], fmt.Sprintf("%d more", left))
	}
	return strings.Join(names, ", ")
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// revokePolicies takes back what was accepted in the chosen projects: for
// plans of this pull request, and for longer. Owners do that, and whoever gave
// the word.
func (d decision) revokePolicies() []Intent {
	wish := d.command.Policies
	keys := map[run.Key]bool{}
	for _, p := range d.chosen() {
		keys[p.Plan.Key()] = true
	}
	in := RevokeWaivers{Reason: wish.Reason}
	var others []run.Waiver
	for _, w := range d.Waivers {
		switch {
		case !keys[w.Key], !w.Stands(d.Gate.Now), !w.Sticky() && w.Pull != d.Pull.Number:
			continue
		case len(wish.Rules) > 0 && (w.Fingerprint == "" || !wish.Match(w.Rule)):
			continue
		}
		own := w.Actor.ID != 0 && w.Actor.ID == d.Gate.Actor.ID
		if o := d.Owned[w.Key]; !own && !o.owns(w.Pack) {
			others = append(others, w)
			continue
		}
		in.Waivers = append(in.Waivers, w)
	}
	switch {
	case len(in.Waivers) == 0 && len(others) > 0:
		var lines []string
		for _, w := range others {
			if line := fmt.Sprintf("- %s: ask %s, or %s, who accepted it.", what(w), d.Owned[w.Key].who(w.Pack), markdown.Code(w.Actor.Name)); len(lines) < maxAcceptedShown && !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
		return d.refuse("**Nothing was taken back.** @%s can't do that here.\n\n%s", markdown.Word(d.sender), bounded(strings.Join(lines, "\n")))
	case len(in.Waivers) == 0 && len(wish.Rules) > 0:
		return d.refuse("Nothing of what these rules found stands accepted here.")
	case len(in.Waivers) == 0:
		return d.none("Nothing stands accepted in the projects of this pull request.")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s takes back what was accepted, so it forbids plans again:\n\n", markdown.Code(d.sender))
	for i, w := range in.Waivers {
		if i == maxAcceptedShown {
			fmt.Fprintf(&b, "- … and %d more\n", len(in.Waivers)-i)
			break
		}
		fmt.Fprintf(&b, "- %s in %s, accepted by %s\n", what(w), markdown.Code(w.Project), markdown.Code(w.Actor.Name))
	}
	if len(others) > 0 {
		fmt.Fprintf(&b, "\n%s of others' policies stays: their owners, or who gave the word, can take it back.\n", counted(len(others), "word"))
	}
	return []Intent{in, Reply{d.Pull.Number, bounded(b.String())}}
}

// what names the thing that a waiver accepts.
func what(w run.Waiver) string {
	if w.Fingerprint == "" {
		return "everything in one plan"
	}
	if w.Address == "" {
		return markdown.Code(w.Rule)
	}
	return markdown.Code(w.Rule) + " " + markdown.Code(markdown.Abridged(w.Address, 200))
}
