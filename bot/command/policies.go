package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/tidelock/tidelock/internal/markdown"
)

// Policies is what approve-policies and revoke-policies say of findings.
type Policies struct {
	Rules  []string      `json:"rules,omitempty"`  // IDs or patterns of them; empty: every rule
	For    time.Duration `json:"for,omitempty"`    // 0: for exactly the plan that is shown
	Reason string        `json:"reason,omitempty"` // one line, written by a stranger
}

// Match reports whether the command is about what the rule found.
func (p Policies) Match(rule string) bool { return matchAny(p.Rules, rule, true) }

// String returns the flags as they are typed, with a space before each.
func (p Policies) String() string {
	var b strings.Builder
	for _, r := range p.Rules {
		b.WriteString(" --rule " + Quote(r))
	}
	if p.For != 0 {
		b.WriteString(" --for " + Period(p.For))
	}
	if p.Reason != "" {
		b.WriteString(" --reason " + Quote(p.Reason))
	}
	return b.String()
}

// Period returns a span of whole hours as --for takes it: "30d", "36h".
func Period(d time.Duration) string {
	if d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
}

const (
	day = 24 * time.Hour
	// maxPeriod is more than any server allows: it keeps the reckoning in
	// bounds, no more.
	maxPeriod = 3650 * day
	// maxReason is the letters of a reason.
	maxReason = 500
)

// add takes what was typed after a flag. The sentence says what is wrong with
// it, in Markdown, "" if nothing is.
func (p *Policies) add(flag, value string) string {
	switch flag {
	case "--rule":
		return p.addRule(value)
	case "--for":
		d, ok := period(value)
		switch {
		case !ok:
			return "`--for` takes a time such as `30d`, `2w` or `12h`."
		case p.For != 0 && p.For != d:
			return "`--for` can be given once."
		}
		p.For = d
	case "--reason":
		value = strings.TrimSpace(value)
		switch {
		case value == "":
			return "`--reason` takes a few words in quotes."
		case utf8.RuneCountInString(value) > maxReason:
			return fmt.Sprintf("A reason can have %d letters at most.", maxReason)
		case p.Reason != "" && p.Reason != value:
			return "`--reason` can be given once."
		}
		p.Reason = value
	}
	return ""
}

func (p *Policies) addRule(value string) string {
	switch {
	case len(value) > maxNameLength:
		return fmt.Sprintf("What follows `--rule` can have %d bytes at most.", maxNameLength)
	case strings.HasPrefix(value, "-") || strings.ContainsAny(value, " \t"):
		return "`--rule` takes a rule's ID, as the comment shows it."
	case !doublestar.ValidatePattern(noBraces.Replace(value)):
		return fmt.Sprintf("`%s` is no valid pattern.", markdown.Word(value))
	case slices.Contains(p.Rules, value):
		return ""
	case len(p.Rules) == maxNames:
		return fmt.Sprintf("`--rule` can be given %d times at most.", maxNames)
	}
	p.Rules = append(p.Rules, value)
	return ""
}

// period reads a number of hours, days or weeks, at least one.
func period(s string) (time.Duration, bool) {
	if len(s) < 2 || len(s) > 6 {
		return 0, false
	}
	unit := map[byte]time.Duration{'h': time.Hour, 'd': day, 'w': 7 * day}[s[len(s)-1]|0x20]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	if unit == 0 || err != nil || n == 0 || time.Duration(n) > maxPeriod/unit {
		return 0, false
	}
	return time.Duration(n) * unit, true
}
