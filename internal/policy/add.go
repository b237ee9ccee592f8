package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/tidelock/tidelock/internal/redact"
)

// Add puts what scanners found beside what the rules did, with what of it could
// not be judged, and gives the verdict on the whole. The findings' texts are
// masked and cleaned as those of rules are; one that is there twice is added
// once. p is the project that was planned. What counted before counts on, the findings that are not listed too.
func (r *Report) Add(mask *redact.Masker, p Project, found []Finding, problems []Problem) {
	r.Findings = slices.Clip(r.Findings)
	seen := map[Finding]bool{}
	for _, f := range found {
		f.Title, f.Message = clean(mask.String(f.Title), maxTitle), clean(mask.String(f.Message), maxMessage)
		f.Address, f.Rule = clean(mask.String(f.Address), maxMessage), clean(mask.String(f.Rule), maxTitle)
		f.File, f.URL = clean(mask.String(f.File), maxMessage), clean(mask.String(f.URL), maxMessage)
		f.Fingerprint = scanned(f, p)
		if seen[f] || f.Level == Off {
			continue
		}
		seen[f] = true
		r.Findings = append(r.Findings, f)
		switch {
		case f.Level == Hard:
			r.Hard++
			r.Mandatory++
		case f.Level.Blocks():
			r.Mandatory++
		default:
			r.Advisory++
		}
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(levelRank(a.Level), levelRank(b.Level)),
			cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Address, b.Address), cmp.Compare(a.File, b.File), a.Line-b.Line,
			cmp.Compare(a.Message, b.Message),
		)
	})
	if over := len(r.Findings) - maxFindings; over > 0 {
		r.Omitted += over
		r.Findings = slices.Clone(r.Findings[:maxFindings])
	}
	for _, problem := range problems {
		problem.Message = clean(mask.String(problem.Message), maxMessage)
		r.Problems = append(r.Problems, problem)
	}
	switch {
	case r.Verdict == Error || len(r.Problems) > 0:
		r.Verdict = Error
	case r.Mandatory > 0:
		r.Verdict = Fail
	case r.Advisory > 0:
		r.Verdict = Warn
	}
}

// maxTitle bounds the title and the id that a scanner gives a rule, in
// characters.
const maxTitle = 300

// scanned is the fingerprint of a scanner's finding: the rule, what it is about
// and what it says. Lines move, and are no part of it.
func scanned(f Finding, p Project) string {
	about := f.Address
	if about == "" {
		about = f.File
	}
	raw, err := json.Marshal([]string{"scan", p.Dir, p.Workspace, f.Source, f.Rule, about, f.Message})
	if err != nil {
		panic(err) // strings
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])[:32]
}
