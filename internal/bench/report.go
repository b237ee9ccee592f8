package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"text/tabwriter"
)

// row is one figure, as bench.json has it.
type row struct {
	Name   string   `json:"name"`
	Value  float64  `json:"value"`
	Unit   string   `json:"unit"`
	Target *float64 `json:"target"` // null where the figure is for information
	Better string   `json:"better"` // lower | higher
}

const (
	lower  = "lower"
	higher = "higher"
)

// met reports whether the row meets its target, if it has one.
func (r row) met() bool {
	if r.Target == nil {
		return true
	}
	if r.Better == higher {
		return r.Value >= *r.Target
	}
	return r.Value <= *r.Target
}

// report gathers the rows. path gets all of them anew with each one.
type report struct {
	path string
	out  io.Writer
	rows []row
}

// note adds a figure that is for information.
func (r *report) note(name string, value float64, unit string) error {
	return r.add(row{Name: name, Value: value, Unit: unit, Better: lower})
}

// aim adds a figure that should be at most target.
func (r *report) aim(name string, value float64, unit string, target float64) error {
	return r.add(row{Name: name, Value: value, Unit: unit, Target: &target, Better: lower})
}

// reach adds a figure that should be at least target.
func (r *report) reach(name string, value float64, unit string, target float64) error {
	return r.add(row{Name: name, Value: value, Unit: unit, Target: &target, Better: higher})
}

func (r *report) add(x row) error {
	x.Value = significant(x.Value, 4)
	r.rows = append(r.rows, x)
	fmt.Fprintf(r.out, "  %s: %s %s\n", x.Name, number(x.Value), x.Unit)
	text, err := json.MarshalIndent(r.rows, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", r.path, err)
	}
	return os.WriteFile(r.path, append(text, '\n'), 0o644)
}

// table prints all rows, with what was to be reached.
func (r *report) table() {
	fmt.Fprintln(r.out)
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\tmeasured\tunit\ttarget\t")
	for _, x := range r.rows {
		target, verdict := "", ""
		if x.Target != nil {
			sign := map[string]string{lower: "≤ ", higher: "≥ "}[x.Better]
			target, verdict = sign+number(*x.Target), "met"
			if !x.met() {
				verdict = "MISSED"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", x.Name, number(x.Value), x.Unit, target, verdict)
	}
	_ = w.Flush()
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// significant rounds to so many digits: more would pretend.
func significant(v float64, digits int) float64 {
	if v == 0 {
		return 0
	}
	scale := math.Pow10(digits - 1 - int(math.Floor(math.Log10(math.Abs(v)))))
	if scale < 1 {
		return math.Round(v)
	}
	return math.Round(v*scale) / scale
}

// median returns the middle of the values, of which there is one at least.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// percentile returns the value that p of 100 values don't exceed.
func percentile(values []float64, p float64) float64 {
	s := slices.Sorted(slices.Values(values))
	at := int(math.Ceil(p/100*float64(len(s)))) - 1
	return s[max(at, 0)]
}
