package sarif

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

// Bounds of a log: far above what a scanner writes of one project.
const (
	MaxBytes   = 16 << 20
	maxResults = 20_000 // of a run, and of all lists in it
	maxDepth   = 200
	maxBases   = 10  // base URIs that stand on each other
	maxID      = 200 // bytes of a rule's id
	maxLogical = 500 // bytes of a place's name
	maxText    = 10_000
)

// Level is how bad a scanner says that a result is.
type Level string

// SARIF's levels, without "none": such a result is none.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
	LevelNote    Level = "note"
)

// Result is one thing that a scanner found. Its texts are the scanner's, or of
// whoever wrote the file: escape them for where they are shown.
type Result struct {
	Tool     string // its name as it calls itself, in lower case: "trivy"
	Rule     string // "AVD-AWS-0086"; "" where it names none
	Title    string // of the rule, on one line; "" where it has none
	Message  string
	URL      string // that explains the rule: http or https; "" where none does
	Level    Level
	Severity policy.Severity
	// Path is where the file is: absolute, or relative to where the scanner ran;
	// "" where the result is of no file. Line and EndLine are 0 where it names
	// none.
	Path          string
	Given         string // the path as the result itself gives it, before any base
	Line, EndLine int
	Logical       string // what it calls the place, a resource's address for some
	// Suppressed tells that a comment in the code asks to overlook it; Why is
	// what the comment says.
	Suppressed bool
	Why        string
}

// Log is what a scanner wrote.
type Log struct {
	Results []Result
	// Trouble are sentences of what the scanner could not do. What it has
	// not looked at nobody has judged.
	Trouble []string
}

// Read reads a log. What is no SARIF 2.1.0, or passes a bound, is errs.Invalid
// with a clause such as "it is no JSON: …".
func Read(r io.Reader) (Log, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return Log{}, fmt.Errorf("read a SARIF file: %w", err)
	}
	if len(b) > MaxBytes {
		return Log{}, errs.New(errs.Invalid, "it is longer than %d MB", MaxBytes>>20)
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if err := checkDepth(b); err != nil {
		return Log{}, errs.Wrap(errs.Invalid, err, "%s", err)
	}
	var w wireLog
	if err := json.Unmarshal(b, &w); err != nil {
		var wrong *json.UnmarshalTypeError
		switch {
		case errors.Is(err, errTooMany):
			return Log{}, errs.Wrap(errs.Invalid, err, "it has more than %d results, or another list in it is too long", maxResults)
		case errors.As(err, &wrong):
			return Log{}, errs.Wrap(errs.Invalid, err, "it is no SARIF: %s is a %s", wrong.Field, wrong.Value)
		}
		return Log{}, errs.Wrap(errs.Invalid, err, "it is no SARIF: %s", err)
	}
	switch {
	case w.Version == "" || w.Runs == nil:
		return Log{}, errs.New(errs.Invalid, "it is no SARIF: it has no version or no runs")
	case w.Version != "2.1.0" && !strings.HasPrefix(w.Version, "2.1.0-"):
		return Log{}, errs.New(errs.Invalid, "its version of SARIF is %.20q, and 2.1.0 is read", w.Version)
	case len(*w.Runs) == 0:
		return Log{}, errs.New(errs.Invalid, "it has no run in it: no scanner has looked")
	}
	var log Log
	for _, run := range *w.Runs {
		if run.Results == nil {
			log.Trouble = append(log.Trouble, run.name()+" tells no results")
			continue
		}
		log.Trouble = append(log.Trouble, run.trouble()...)
		run.Tool.Driver.number()
		for i := range run.Tool.Extensions {
			run.Tool.Extensions[i].number()
		}
		for _, res := range *run.Results {
			if r, ok := run.result(res); ok {
				log.Results = append(log.Results, r)
			}
		}
		if len(log.Results) > maxResults {
			return Log{}, errs.New(errs.Invalid, "it has more than %d results", maxResults)
		}
	}
	return log, nil
}

// name is the tool's, fit to stand in a rule's id.
func (w wireRun) name() string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, cut(w.Tool.Driver.Name, 40)), "-")
	if name == "" {
		return "scanner"
	}
	return name
}

// trouble tells what the scanner itself says that it could not do.
func (w wireRun) trouble() []string {
	var out []string
	for _, i := range w.Invocations {
		if i.Successful == nil || *i.Successful {
			continue
		}
		text := w.name() + " says that it could not do its work"
		for _, n := range i.Notifications {
			if n.Level == "error" && n.Message.Text != "" {
				text += ": " + cut(n.Message.Text, 500)
				break
			}
		}
		out = append(out, text)
	}
	return out
}

// result reads one; false where nothing is wrong in it.
func (w wireRun) result(res wireResult) (Result, bool) {
	switch {
	case res.Kind != "" && res.Kind != "fail" && res.Kind != "open" && res.Kind != "review":
		return Result{}, false
	case res.Baseline == "absent":
		return Result{}, false
	}
	rule := w.rule(res)
	out := Result{Tool: w.name(), Rule: ruleID(res, rule), Title: rule.Short.Text, URL: webURL(rule.HelpURI), Message: message(w, rule, res.Message)}
	if out.Title == "" {
		out.Title = rule.Name
	}
	if out.Title == "" {
		out.Title = out.Rule
	}
	level := res.Level
	if level == "" {
		level = rule.Default.Level
	}
	switch Level(level) {
	case LevelError, LevelNote:
		out.Level = Level(level)
	case "none":
		return Result{}, false
	default:
		out.Level = LevelWarning // also of what is no level: better told than lost
	}
	for _, s := range res.Suppressions {
		if s.Status != "" && s.Status != "accepted" {
			continue
		}
		if s.Kind == "external" { // not of the code: whoever set the scanner up says so
			return Result{}, false
		}
		out.Suppressed, out.Why = true, s.Justification
	}
	out.Severity = severity(res.Properties.SecuritySeverity, rule.Properties.SecuritySeverity, out.Level)
	if l := res.Locations.of; l != nil {
		out.Given, out.Path = w.path(l.Physical.Artifact)
		if out.Line = line(l.Physical.Region.Start); out.Line > 0 {
			out.EndLine = max(line(l.Physical.Region.End), out.Line)
		}
		if l.Logical.of != nil {
			out.Logical = cut(l.Logical.of.Name, maxLogical)
		}
	}
	return out, true
}

// maxLine is the last line that is believed.
const maxLine = 10_000_000

func line(n int) int {
	if n < 1 || n > maxLine {
		return 0
	}
	return n
}

// rule finds the rule of a result: by index where it has one, else by id.
func (w wireRun) rule(res wireResult) wireRule {
	component := w.Tool.Driver
	if i := res.Rule.Component.Index; i != nil && *i >= 0 && *i < len(w.Tool.Extensions) {
		component = w.Tool.Extensions[*i]
	}
	for _, i := range []*int{res.RuleIndex, res.Rule.Index} {
		if i != nil && *i >= 0 && *i < len(component.Rules) {
			return component.Rules[*i]
		}
	}
	id := res.RuleID
	if id == "" {
		id = res.Rule.ID
	}
	if id == "" {
		return wireRule{}
	}
	parent, _, _ := strings.Cut(id, "/") // "CA1000/1" is a case of CA1000
	for _, want := range []string{id, parent} {
		if i, ok := component.byID[want]; ok {
			return component.Rules[i]
		}
	}
	return wireRule{}
}

// ruleID is the id of a result's rule, without what would end a word.
func ruleID(res wireResult, rule wireRule) string {
	id := res.RuleID
	if id == "" {
		id = res.Rule.ID
	}
	if id == "" {
		id = rule.ID
	}
	return cut(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-/:", r):
			return r
		}
		return '_'
	}, strings.TrimSpace(id)), maxID)
}

// message is what the result says. Trivy puts what it knows in lines of its
// own around it.
func message(w wireRun, rule wireRule, m wireMessage) string {
	text := m.Text
	if text == "" && m.ID != "" {
		if text = rule.Strings[m.ID].Text; text == "" {
			text = w.Tool.Driver.Strings[m.ID].Text
		}
	}
	text = filled(text, m.Arguments)
	if strings.HasPrefix(text, "Artifact: ") {
		for l := range strings.Lines(text) {
			if said, ok := strings.CutPrefix(l, "Message: "); ok {
				return strings.TrimSpace(said)
			}
		}
	}
	return strings.TrimSpace(text)
}

// filled puts the arguments where {0}, {1}, … stand, in one go, so that what
// they bring can't make a text of any length.
func filled(text string, args []string) string {
	var b strings.Builder
	for rest := cut(text, maxText); rest != "" && b.Len() < maxText; {
		if end := strings.IndexByte(rest[:min(len(rest), 5)], '}'); rest[0] == '{' && end > 1 && end < 4 {
			if i, err := strconv.Atoi(rest[1:end]); err == nil && i >= 0 && i < len(args) {
				b.WriteString(args[i])
				rest = rest[end+1:]
				continue
			}
		}
		next := 1 + strings.IndexByte(rest[1:], '{')
		if next == 0 {
			next = len(rest)
		}
		b.WriteString(rest[:next])
		rest = rest[next:]
	}
	return cut(b.String(), maxText)
}

// webURL lets only addresses of pages through.
func webURL(s string) string {
	u, err := url.Parse(s)
	if len(s) > 500 || err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// severity reads the number that GitHub's code scanning goes by, and where
// there is none goes by the level.
func severity(ofResult, ofRule string, level Level) policy.Severity {
	for _, s := range []string{ofResult, ofRule} {
		n, err := strconv.ParseFloat(s, 64)
		switch {
		case err != nil || n <= 0 || n > 10:
		case n >= 9:
			return policy.Critical
		case n >= 7:
			return policy.High
		case n >= 4:
			return policy.Medium
		default:
			return policy.Low
		}
	}
	switch level {
	case LevelError:
		return policy.High
	case LevelNote:
		return policy.Low
	}
	return policy.Medium
}

// path returns where an artifact is: as it is given, and with the bases that it
// stands on.
func (w wireRun) path(a wireArtifact) (given, full string) {
	if a.URI == "" && a.Index != nil && *a.Index >= 0 && *a.Index < len(w.Artifacts) {
		a = w.Artifacts[*a.Index].Location
	}
	given = pathOf(a.URI)
	full = given
	for range maxBases {
		if full == "" || path.IsAbs(full) || a.BaseID == "" {
			break
		}
		base, ok := w.BaseIDs[a.BaseID]
		if !ok {
			break
		}
		if b := pathOf(base.URI); b != "" {
			full = path.Join(b, full)
		}
		a = base
	}
	return given, full
}

// pathOf returns the path of a URI of a file, clean; "" of another.
func pathOf(uri string) string {
	if uri == "" || len(uri) > 4096 {
		return ""
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil && !strings.Contains(uri, "://"): // a bare path with a % or a colon in it
		return path.Clean(strings.ReplaceAll(uri, `\`, "/"))
	case err != nil, u.Scheme != "" && u.Scheme != "file", u.Host != "" && u.Host != "localhost":
		return ""
	}
	p := u.Path
	if u.Scheme == "file" && p == "" {
		p = u.Opaque // file:main.tf
	}
	if p == "" {
		return ""
	}
	return path.Clean(p)
}

// cut shortens a text to so many bytes.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
