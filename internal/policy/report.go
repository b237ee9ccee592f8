package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Verdict is a report in one word.
type Verdict string

// The verdicts. The zero Verdict is none of them and must not be taken for
// Pass: ask Blocks.
const (
	Pass  Verdict = "pass"  // nothing found
	Warn  Verdict = "warn"  // advisory findings only
	Fail  Verdict = "fail"  // at least one mandatory finding
	Error Verdict = "error" // something could not be judged
)

// Blocks reports whether a plan with this verdict must not be applied. All but
// Pass and Warn block, an unknown verdict too.
func (v Verdict) Blocks() bool { return v != Pass && v != Warn }

// Level says what a rule's findings do.
type Level string

// The levels.
const (
	Off       Level = "off"       // the rule is not asked; only the server says so
	Advisory  Level = "advisory"  // shown
	Mandatory Level = "mandatory" // shown, and the plan must not be applied unless an owner accepts it
	Hard      Level = "hard"      // shown, and the plan must not be applied, whoever accepts it
)

var levels = []Level{Off, Advisory, Mandatory, Hard}

// Stricter reports whether l forbids more than than does. An unknown level is
// the least strict: check levels before.
func (l Level) Stricter(than Level) bool {
	return slices.Index(levels, l) > slices.Index(levels, than)
}

// Blocks reports whether a finding of the level keeps a plan from being applied.
// All but Off and Advisory do, an unknown level too.
func (l Level) Blocks() bool { return l != Off && l != Advisory }

// Severity says how bad it is when a rule finds something. It orders findings
// and decides nothing.
type Severity string

// The severities, the worst first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

var severities = []Severity{Critical, High, Medium, Low}

// Report is what the policies say of one plan. It is stored as JSON with the
// run, so its fields only grow.
type Report struct {
	Verdict   Verdict   `json:"verdict"`
	Findings  []Finding `json:"findings"`           // the worst first; at most maxFindings
	Omitted   int       `json:"omitted,omitempty"`  // findings beyond those listed
	Mandatory int       `json:"mandatory"`          // findings that forbid, the hard ones too; counts include the omitted
	Hard      int       `json:"hard,omitempty"`     // of these, those that nobody can accept
	Advisory  int       `json:"advisory"`           //
	Problems  []Problem `json:"problems,omitempty"` // what could not be judged, and why
	Rules     int       `json:"rules"`              // how many rules were asked
	Policies  string    `json:"policies"`           // hash of the rules, levels and settings that judged
	// Asks are facts that some rule looked at and that change without a push:
	// AsksApprovals. Where one does, the plan must be judged anew.
	Asks []string `json:"asks,omitempty"`
	// Owners are those who may accept findings, by pack; "" is for all packs
	// that are not named. Judge leaves it: who owns a pack is no rule's matter.
	Owners map[string]Owners `json:"owners,omitempty"`
}

// AsksApprovals is what Report.Asks says of rules that look at approvals.
const AsksApprovals = "pull.approvals"

// Finding is one thing that one rule found. Its texts are plain text, masked
// and without control characters, but written by whoever wrote the rule and by
// whoever named the resource: escape them for where they are shown.
type Finding struct {
	Rule     string   `json:"rule"`           // "security.aws.public_ingress"
	Pack     string   `json:"pack,omitempty"` // that the rule is of; "" for the bundled ones
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	Level    Level    `json:"level"`             // advisory, mandatory or hard
	Address  string   `json:"address,omitempty"` // of the resource; "" where the finding is of the whole plan
	Message  string   `json:"message"`
	Help     string   `json:"help,omitempty"` // how to mend it

	// Fingerprint tells this finding from all others of the project, and stays
	// the same from plan to plan while what was found does: waivers that last
	// name it. Judge sets it.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Source is the scanner that found it, such as "trivy"; "" for a rule.
	Source string `json:"source,omitempty"`
	// URL explains the rule; "" where no page does.
	URL string `json:"url,omitempty"`
	// File is where the resource is declared, within the repository and with
	// slashes, and Line and EndLine the block's, from 1. "" and 0 where that is
	// not known: Judge sees plans, not code.
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	EndLine int    `json:"end_line,omitempty"`
}

// Problem is something that could not be judged.
type Problem struct {
	Rule    string `json:"rule,omitempty"`
	File    string `json:"file,omitempty"` // of the Rego, within its pack
	Line    int    `json:"line,omitempty"` // from 1; 0 where unknown
	Message string `json:"message"`
}

// String gives "file:line: message", as far as there is one.
func (p Problem) String() string {
	switch {
	case p.File != "" && p.Line > 0:
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
	case p.File != "":
		return p.File + ": " + p.Message
	case p.Rule != "":
		return p.Rule + ": " + p.Message
	}
	return p.Message
}

// LoadError is what is wrong with packs that make no engine.
type LoadError struct{ Problems []Problem }

// Error lists the problems, one a line.
func (e *LoadError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Unjudged is the report of a plan that no engine could judge: err is what New
// or Judge returned. Its verdict is Error.
func Unjudged(err error) Report {
	r := Report{Verdict: Error, Findings: []Finding{}}
	var load *LoadError
	if errors.As(err, &load) {
		r.Problems = load.Problems
	} else {
		r.Problems = []Problem{{Message: errs.Sentence(err)}}
	}
	return r
}

// maxFindings is how many findings a report lists: a plan of ten thousand
// untagged resources must not make a row of megabytes. All are counted.
const maxFindings = 500

// finish sorts, counts, cuts and masks the findings of a project's plan and
// gives the verdict.
func (r *Report) finish(mask *redact.Masker, p Project) {
	slices.SortFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(levelRank(a.Level), levelRank(b.Level)),
			cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Address, b.Address),
			cmp.Compare(a.Message, b.Message),
			cmp.Compare(a.Fingerprint, b.Fingerprint), // the rule's own, so far
		)
	})
	r.Findings = slices.Compact(r.Findings)
	for _, f := range r.Findings {
		switch {
		case !f.Level.Blocks():
			r.Advisory++
		case f.Level == Hard:
			r.Hard++
			fallthrough
		default:
			r.Mandatory++
		}
	}
	if over := len(r.Findings) - maxFindings; over > 0 {
		r.Omitted = over
		r.Findings = slices.Clone(r.Findings[:maxFindings])
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Message, f.Address = mask.String(f.Message), mask.String(f.Address)
		f.Fingerprint = fingerprint(*f, mask.String(f.Fingerprint), p)
		f.Message = clean(f.Message, maxMessage)
		f.Address = clean(f.Address, maxMessage)
	}
	for i := range r.Problems {
		r.Problems[i].Message = clean(mask.String(r.Problems[i].Message), maxMessage)
	}
	switch {
	case len(r.Problems) > 0:
		r.Verdict = Error
	case r.Mandatory > 0:
		r.Verdict = Fail
	case r.Advisory > 0:
		r.Verdict = Warn
	default:
		r.Verdict = Pass
	}
}

// fingerprint tells a finding from all others of its project. own is what the
// rule itself says that the finding is known by, in place of its message: a
// message with a count in it would be a new finding with every plan. Rule and
// address are in it in any case, so that no rule can write what a waiver for
// another one accepts. Texts are masked, so that it is no hash
// of a secret.
func fingerprint(f Finding, own string, p Project) string {
	kind, text := "message", f.Message
	if own != "" {
		kind, text = "own", own
	}
	sum := sha256.New()
	for _, part := range []string{f.Pack, f.Rule, p.Dir, p.Workspace, f.Address, kind, text} {
		fmt.Fprintf(sum, "%d %s\n", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// levelRank sorts the strictest level first.
func levelRank(l Level) int { return -slices.Index(levels, l) }

// maxMessage bounds a text of a report, in characters.
const maxMessage = 1000

// clean makes a text of a rule's fit to be shown: valid, on one line, without
// control and direction characters, not too long.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit-1]) + "…"
	}
	return strings.TrimSpace(s)
}
