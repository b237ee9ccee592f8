package tfrun

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// event is one line of Terraform's machine-readable output, as far as it is
// read.
type event struct {
	Level      string    `json:"@level"`
	Message    string    `json:"@message"`
	Type       string    `json:"type"`
	Diagnostic *wireDiag `json:"diagnostic"`
	Hook       *struct {
		Resource wireAddr `json:"resource"`
		Action   string   `json:"action"`
		Elapsed  float64  `json:"elapsed_seconds"`
	} `json:"hook"`
	Change *struct {
		Resource wireAddr `json:"resource"`
		Action   string   `json:"action"`
	} `json:"change"`
	Changes *struct {
		Operation string `json:"operation"`
	} `json:"changes"`
}

type wireAddr struct {
	Addr string `json:"addr"`
}

type wireDiag struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
	Range    *struct {
		Filename string `json:"filename"`
		Start    struct {
			Line int `json:"line"`
		} `json:"start"`
	} `json:"range"`
	Snippet *struct {
		Context string `json:"context"`
		Code    string `json:"code"`
	} `json:"snippet"`
}

func (e event) address() string {
	switch {
	case e.Hook != nil:
		return e.Hook.Resource.Addr
	case e.Change != nil:
		return e.Change.Resource.Addr
	}
	return ""
}

// maxLine bounds one line of Terraform's output that is read as an event, in
// bytes; a longer one is logged as far as it goes, and what is missing named.
// How long the log as a whole may get is decided by whoever takes it.
const (
	maxLine        = 4 << 20
	maxDiagnostics = 50
)

// output takes what Terraform writes, gathers the diagnostics, hands on the
// events, and writes all of it to the log as text for people. It is written
// to by one command at a time.
type output struct {
	log         io.Writer
	said        bool // something stands in the log
	event       func(event)
	diagnostics []Diagnostic
	dir         string // the project's directory in the repository
	paths       *strings.Replacer
	mask        *redact.Masker // of the secrets that the run was given
	line        bytes.Buffer
	skipped     int // bytes of the line that are over its bound
}

func newOutput(spec Spec, log io.Writer) *output {
	if log == nil {
		log = io.Discard
	}
	// People know the repository, not where it lies on this machine.
	var pairs []string
	for _, p := range [][2]string{
		{spec.DataDir, ".terraform"}, {filepath.Join(spec.Root, filepath.FromSlash(spec.Dir)), "."}, {spec.Root, "."}, {spec.Home, "~"},
		{spec.PlanFile, "the saved plan"},
	} {
		if len(p[0]) > 1 {
			pairs = append(pairs, p[0], p[1])
		}
	}
	return &output{log: log, dir: spec.Dir, paths: strings.NewReplacer(pairs...)}
}

// Write takes part of the output. It never fails: a full disk under the log
// must not stop an apply.
func (o *output) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		part := p
		if i >= 0 {
			part = p[:i]
		}
		if o.line.Len()+len(part) > maxLine {
			fits := max(0, min(len(part), maxLine-o.line.Len()))
			o.skipped += len(part) - fits
			part = part[:fits]
		}
		o.line.Write(part)
		if i < 0 {
			break
		}
		o.endLine()
		p = p[i+1:]
	}
	return n, nil
}

// flush ends a line that has no newline.
func (o *output) flush() {
	if o.line.Len() > 0 {
		o.endLine()
	}
}

func (o *output) endLine() {
	line := o.line.Bytes()
	var ev event
	if o.skipped == 0 && len(line) > 0 && line[0] == '{' && json.Unmarshal(line, &ev) == nil && ev.Level != "" {
		o.take(ev)
	} else {
		o.say(string(line) + cutMark(o.skipped))
	}
	o.line.Reset()
	o.skipped = 0
}

func (o *output) take(ev event) {
	if ev.Diagnostic != nil {
		d := o.diagnostic(*ev.Diagnostic)
		if len(o.diagnostics) < maxDiagnostics {
			o.diagnostics = append(o.diagnostics, d)
		}
		o.say(d.String() + "\n")
	} else if ev.Type != "version" || !o.said { // each command begins with it
		o.say(ev.Message)
	}
	if o.event != nil {
		o.event(ev)
	}
}

// cutMark says that so much of a line is missing.
func cutMark(bytes int) string {
	if bytes == 0 {
		return ""
	}
	return fmt.Sprintf(" (The line is cut here: %d bytes are missing.)", bytes)
}

// say writes a text to the log.
func (o *output) say(text string) {
	o.said = true
	_, _ = io.WriteString(o.log, o.clean(text)+"\n")
}

// unescaped takes terminal escapes out of a text: ESC [ … letter, ESC ] … BEL,
// and ESC with any one character.
func unescaped(text string) string {
	if !strings.Contains(text, "\x1b") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != 0x1b {
			b.WriteByte(text[i])
			continue
		}
		if i++; i >= len(text) {
			break
		}
		switch text[i] {
		case '[':
			for i++; i < len(text) && text[i] >= 0x20 && text[i] < 0x40; i++ {
			}
		case ']':
			for i++; i < len(text) && text[i] != 0x07 && text[i] != 0x1b && text[i] != '\n'; i++ {
			}
			if i < len(text) && text[i] != 0x07 {
				i-- // what ends it stands for itself
			}
		}
	}
	return b.String()
}

// clean takes terminal escapes and this machine's paths out of a text.
func (o *output) clean(text string) string {
	text = o.paths.Replace(o.mask.String(unescaped(text)))
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = tfplan.Printable(l)
	}
	return strings.Join(lines, "\n")
}

func (o *output) diagnostic(w wireDiag) Diagnostic {
	d := Diagnostic{Severity: w.Severity, Summary: o.clean(w.Summary), Detail: strings.TrimSpace(o.clean(w.Detail)), Address: w.Address}
	if w.Range != nil && w.Range.Filename != "" && w.Range.Filename != "<empty>" {
		d.Line = w.Range.Start.Line
		d.File = o.clean(w.Range.Filename)
		if !filepath.IsAbs(w.Range.Filename) {
			if joined := path.Join(o.dir, filepath.ToSlash(w.Range.Filename)); !strings.HasPrefix(joined, "../") {
				d.File = joined
			}
		}
	}
	if w.Snippet != nil {
		d.Code = strings.TrimSpace(o.clean(w.Snippet.Code))
		d.Context = o.clean(w.Snippet.Context)
	}
	return d
}

// String writes the diagnostic as Terraform does, on several lines, without
// the values of variables that Terraform adds.
func (d Diagnostic) String() string {
	var b strings.Builder
	kind := "Error"
	if d.Severity == "warning" {
		kind = "Warning"
	}
	fmt.Fprintf(&b, "%s: %s", kind, d.Summary)
	if d.File != "" {
		fmt.Fprintf(&b, "\n  on %s line %d", d.File, d.Line)
		if d.Context != "" {
			fmt.Fprintf(&b, ", in %s", d.Context)
		}
		if d.Code != "" {
			fmt.Fprintf(&b, ":\n  %d: %s", d.Line, d.Code)
		}
	} else if d.Address != "" {
		fmt.Fprintf(&b, "\n  with %s", d.Address)
	}
	if d.Detail != "" {
		b.WriteString("\n\n" + d.Detail)
	}
	return b.String()
}

// lockHolder takes from the error of a locked state who holds it. The http
// backend names the holder's lock alone, and then shows who we are.
func lockHolder(detail string) string {
	_, id, named := strings.Cut(detail, "already locked: ID=")
	id, _, _ = strings.Cut(id, "\n")
	if named && !strings.Contains(detail, "ID:        "+id) {
		return "ID: " + strings.TrimSpace(id)
	}
	var out []string
	for _, l := range strings.Split(detail, "\n") {
		name, value, ok := strings.Cut(strings.TrimSpace(l), ":")
		if value = strings.TrimSpace(value); ok && value != "" && (name == "ID" || name == "Who" || name == "Operation" || name == "Created") {
			out = append(out, name+": "+value)
		}
	}
	return strings.Join(out, ", ")
}

type stateHead struct {
	Serial  int64  `json:"serial"`
	Lineage string `json:"lineage"`
}

// planState returns the lineage and serial of the state that a plan file was
// made from: "" and 0 where there was none, or the plan is encrypted.
func planState(planFile string) (lineage string, serial int64, err error) {
	b, err := planMember(planFile, "tfstate")
	if err != nil || b == nil {
		return "", 0, err
	}
	var s stateHead
	if err := json.Unmarshal(b, &s); err != nil {
		return "", 0, fmt.Errorf("read the plan file's state: %w", err)
	}
	return s.Lineage, s.Serial, nil
}

// planMember returns a file in a plan file, nil where there is none, or where
// the plan is encrypted, as OpenTofu does when the code says so.
func planMember(planFile, name string) ([]byte, error) {
	z, err := zip.OpenReader(planFile)
	if errors.Is(err, zip.ErrFormat) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the plan file: %w", err)
	}
	defer z.Close()
	f, err := z.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s in the plan file: %w", name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read %s in the plan file: %w", name, err)
	}
	return b, nil
}
