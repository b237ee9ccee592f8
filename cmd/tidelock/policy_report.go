package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/terminal"
)

// writeReport shows a report to people, the worst finding first.
func writeReport(s terminal.Screen, r policy.Report) error {
	for _, p := range r.Problems {
		s.Put(terminal.Text(terminal.Red, "✗ could not be judged: ").And(terminal.Plain, terminal.Clean(p.String())))
	}
	if len(r.Problems) > 0 {
		s.Put(nil)
	}
	for _, f := range r.Findings {
		putFinding(s, f)
	}
	if r.Omitted > 0 {
		s.Put(terminal.Text(terminal.Dim, fmt.Sprintf("… and %d more", r.Omitted)), nil)
	}
	s.Put(verdictLine(r))
	return nil
}

// putFinding shows one finding, with how to mend it below.
func putFinding(s terminal.Screen, f policy.Finding) {
	style := terminal.Yellow
	if f.Level.Blocks() {
		style = terminal.Red
	}
	head := terminal.Text(style, string(f.Level)).And(terminal.Plain, "  "+terminal.Clean(string(f.Severity))+"  ").And(terminal.Bold, terminal.Clean(f.Rule))
	if f.Address != "" {
		head = head.And(terminal.Plain, "  "+terminal.Clean(f.Address))
	}
	s.Put(head)
	put := func(style terminal.Style, text string) {
		for _, l := range terminal.Text(style, terminal.Clean(text)).Wrap(s.Inner()-2, 0) {
			s.Put(append(terminal.Text(terminal.Plain, "  "), l...))
		}
	}
	put(terminal.Plain, f.Message)
	if f.File != "" {
		put(terminal.Cyan, fmt.Sprintf("%s:%d", f.File, f.Line))
	}
	if f.Help != "" {
		put(terminal.Dim, f.Help)
	}
	s.Put(nil)
}

// verdictLine is a report in a sentence.
func verdictLine(r policy.Report) terminal.Line {
	var found []string
	if r.Mandatory > 0 {
		text := counted(r.Mandatory, "violation")
		if r.Hard > 0 {
			text += fmt.Sprintf(" (%d that nobody can accept)", r.Hard)
		}
		found = append(found, text)
	}
	if r.Advisory > 0 {
		found = append(found, counted(r.Advisory, "warning"))
	}
	said := "nothing found"
	if len(found) > 0 {
		said = strings.Join(found, ", ")
	}
	rest := fmt.Sprintf(": %s; %s asked.", said, counted(r.Rules, "rule"))
	switch r.Verdict {
	case policy.Pass:
		return terminal.Text(terminal.Green, "✓ passes").And(terminal.Plain, rest)
	case policy.Warn:
		return terminal.Text(terminal.Yellow, "✓ passes with warnings").And(terminal.Plain, rest)
	case policy.Fail:
		return terminal.Text(terminal.Red, "✗ forbidden").And(terminal.Plain, rest)
	}
	return terminal.Text(terminal.Red, "✗ could not be judged, and is forbidden for that").And(terminal.Plain, rest)
}

// writeAnnotations writes a report as GitHub Actions takes annotations on its
// standard output. Whatever stands in a finding ends neither the line nor the
// property that it is in.
func writeAnnotations(w io.Writer, r policy.Report) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, p := range r.Problems {
		if _, err := fmt.Fprintf(w, "::error title=%s::%s\n", property.Replace("Policies could not judge the plan"), data.Replace(p.String())); err != nil {
			return err
		}
	}
	for _, f := range r.Findings {
		kind := "warning"
		if f.Level.Blocks() {
			kind = "error"
		}
		place := ""
		if f.File != "" {
			place = fmt.Sprintf("file=%s,line=%d,endLine=%d,", property.Replace(f.File), f.Line, max(f.Line, f.EndLine))
		}
		text := f.Message
		if f.Address != "" {
			text = f.Address + ": " + text
		}
		if f.Help != "" {
			text += "\n" + f.Help
		}
		if _, err := fmt.Fprintf(w, "::%s %stitle=%s::%s\n", kind, place, property.Replace(f.Title+" ("+f.Rule+")"), data.Replace(text)); err != nil {
			return err
		}
	}
	return nil
}
