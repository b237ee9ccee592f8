package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is what go test -json writes, one a line (go doc test2json).
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build-output and build-fail
	Test        string
	Elapsed     float64 // seconds
	Output      string
	FailedBuild string
}

type testKey struct{ pkg, test string }

// report gathers the events and prints as it goes.
type report struct {
	out     io.Writer
	output  map[testKey][]string // of tests and packages that have not ended
	builds  map[string][]string  // output of builds, by what was built
	running map[testKey]bool
	paused  map[testKey]bool

	passed, failed int
	packagesFailed []string
	skipped        map[string][]string // reason → tests
	faults         []string
}

func newReport(out io.Writer) *report {
	return &report{
		out: out, output: map[testKey][]string{}, builds: map[string][]string{},
		running: map[testKey]bool{}, paused: map[testKey]bool{}, skipped: map[string][]string{},
	}
}

// line takes one line and reports whether it printed anything. A line that is
// no event is passed on as it is.
func (r *report) line(line []byte) bool {
	var e event
	if err := json.Unmarshal(line, &e); err != nil || e.Action == "" {
		_, _ = r.out.Write(line)
		return true
	}
	key := testKey{e.Package, e.Test}
	switch e.Action {
	case "run":
		r.running[key] = true
	case "pause": // it waits for its turn among the parallel ones
		r.paused[key] = true
	case "cont":
		delete(r.paused, key)
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "build-output":
		r.builds[e.ImportPath] = append(r.builds[e.ImportPath], e.Output)
	case "pass", "fail", "skip":
		delete(r.running, key)
		if e.Test == "" {
			return r.packageEnds(e)
		}
		return r.testEnds(key, e)
	}
	return false
}

func (r *report) testEnds(key testKey, e event) bool {
	text := r.output[key]
	delete(r.output, key)
	switch e.Action {
	case "pass":
		r.passed++
	case "skip":
		reason := skipReason(text)
		r.skipped[reason] = append(r.skipped[reason], short(key.pkg)+" "+key.test)
	case "fail":
		r.failed++
		fmt.Fprintf(r.out, "--- FAIL: %s %s (%.2fs)\n%s", short(key.pkg), key.test, e.Elapsed, own(text))
		return true
	}
	return false
}

func (r *report) packageEnds(e event) bool {
	key := testKey{e.Package, ""}
	text := r.output[key]
	delete(r.output, key)
	switch e.Action {
	case "skip":
		return false // it has no test files
	case "pass":
		fmt.Fprintf(r.out, "ok  \t%s\t%.1fs\n", e.Package, e.Elapsed)
	case "fail":
		// What the package itself said: a panic, a race, a failed build. And
		// tests that never ended, as a panic or a timeout took them along.
		fmt.Fprint(r.out, strings.Join(r.builds[e.FailedBuild], ""), own(text))
		for _, k := range slices.SortedFunc(maps.Keys(r.running), compareKeys) {
			if k.pkg == e.Package {
				fmt.Fprintf(r.out, "--- FAIL: %s %s (did not end)\n%s", short(k.pkg), k.test, own(r.output[k]))
				r.failed++
				delete(r.running, k)
			}
		}
		fmt.Fprintf(r.out, "FAIL\t%s\t%.1fs\n", e.Package, e.Elapsed)
		r.packagesFailed = append(r.packagesFailed, e.Package)
	}
	return true
}

func compareKeys(a, b testKey) int {
	return strings.Compare(a.pkg+" "+a.test, b.pkg+" "+b.test)
}

// own drops the lines by which go test itself marks the course of a test.
func own(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		if trimmed := strings.TrimLeft(l, " "); strings.HasPrefix(trimmed, "=== ") || strings.HasPrefix(trimmed, "--- ") {
			continue
		}
		b.WriteString(l)
	}
	return b.String()
}

// skipReason is the text that the test gave, without the file and line.
func skipReason(lines []string) string {
	text := strings.TrimSpace(own(lines))
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		text = strings.TrimSpace(text[i:])
	}
	if at, rest, ok := strings.Cut(text, ": "); ok && strings.Contains(at, ".go:") {
		text = rest
	}
	if text == "" {
		return "no reason given"
	}
	return text
}

// maxNamed is how many tests a sign of life names.
const maxNamed = 6

// stillRunning is a sign of life.
func (r *report) stillRunning() {
	var names []string
	for _, k := range slices.SortedFunc(maps.Keys(r.running), compareKeys) {
		if !strings.Contains(k.test, "/") && !r.paused[k] {
			names = append(names, short(k.pkg)+" "+k.test)
		}
	}
	if len(names) == 0 {
		fmt.Fprintln(r.out, "… building")
		return
	}
	more := ""
	if left := len(names) - maxNamed; left > 0 {
		names, more = names[:maxNamed], fmt.Sprintf(" and %d more", left)
	}
	fmt.Fprintf(r.out, "… running %s%s\n", strings.Join(names, ", "), more)
}

func (r *report) fault(err error) { r.faults = append(r.faults, err.Error()) }

// close prints the end of the report and returns the exit code.
func (r *report) close(notes []string) int {
	skipped := 0
	for _, tests := range r.skipped {
		skipped += len(tests)
	}
	if skipped > 0 {
		fmt.Fprintln(r.out, "\nSkipped:")
		for _, reason := range slices.Sorted(maps.Keys(r.skipped)) {
			tests := r.skipped[reason]
			slices.Sort(tests)
			fmt.Fprintf(r.out, "  %s\n", reason)
			for _, t := range tests {
				fmt.Fprintf(r.out, "    %s\n", t)
			}
		}
	} else {
		fmt.Fprintln(r.out, "\nNo test was skipped.")
	}
	for _, n := range notes {
		fmt.Fprintf(r.out, "Note: %s\n", n)
	}
	for _, f := range r.faults {
		fmt.Fprintf(r.out, "The report is not whole: %s\n", f)
	}
	for _, p := range r.packagesFailed {
		fmt.Fprintf(r.out, "FAIL\t%s\n", p)
	}
	if r.passed+r.failed+skipped == 0 {
		fmt.Fprintln(r.out, "No test ran.")
	}
	failed := r.failed
	if failed == 0 {
		failed = len(r.packagesFailed) // a package that could not be built or set up
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, failed, skipped)
	if failed > 0 || len(r.faults) > 0 || r.passed == 0 {
		return 1
	}
	return 0
}

// short is a package's path below the module.
func short(pkg string) string {
	return strings.TrimPrefix(strings.TrimPrefix(pkg, "github.com/tidelock/tidelock"), "/")
}
