package tfrun

import (
	"context"
	"errors"
	"os/exec"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// killed reports whether a command was ended by a signal rather than by
// itself.
func killed(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() < 0
}

// steps are what people are told that Terraform could not do.
var steps = map[string]string{
	"version":   "start Terraform",
	"init":      "prepare the project (terraform init)",
	"workspace": "select the workspace",
	"plan":      "plan the project",
	"show":      "show the plan",
	"apply":     "apply the plan",
	"state":     "change the state",
}

// finish turns what happened into the result's words.
func (e *execution) finish(ctx context.Context, err error) {
	e.out.flush()
	r := &e.result
	defer func() { r.mask(e.out.mask) }()
	r.Diagnostics = e.out.diagnostics
	if err == nil {
		return
	}
	r.Outcome = OutcomeFailed
	var known *errs.Error
	switch {
	case r.Started && killed(err):
		r.Outcome = OutcomeInterrupted
		r.Error = "Terraform was killed in the middle of the " + e.noun() + ". What it had done by then may not be in the state, and the state's lock may be left."
	case ctx.Err() != nil:
		r.Outcome = OutcomeCanceled
		r.Error = "The run was stopped before it was done."
		switch {
		case e.spec.Kind == KindPlan:
		case r.Started:
			r.Error = "The " + e.noun() + " was stopped before it was done. What had happened by then is in the state, as far as Terraform could write it."
		default:
			r.Error = "The " + e.noun() + " was stopped before it began. Nothing was changed."
		}
	case errors.As(err, &known):
		r.Error = errs.Sentence(err)
	default:
		r.Killed = killed(err)
		r.Error = "Terraform could not " + steps[e.step] + "."
		if steps[e.step] == "" {
			r.Error = "The run failed before Terraform was started: " + e.out.clean(err.Error()) + "."
		}
	}
	if r.Started && e.applying != nil {
		r.Error += e.applying.account()
	}
	var words []string
	for _, d := range r.Diagnostics {
		if d.Severity != "error" {
			continue
		}
		if strings.HasPrefix(d.Summary, "Terraform encountered problems during initialisation") && len(words) > 0 {
			continue // says only that there are others
		}
		words = append(words, d.String())
		switch {
		case d.Summary == "Saved plan is stale", d.Summary == "Saved plan does not match the given state":
			r.Stale = !r.Started
		case d.Summary == "Error acquiring the state lock" && r.Outcome == OutcomeFailed: // nobody asked it to stop waiting
			r.Locked, r.LockHolder = true, lockHolder(d.Detail)
		}
	}
	if len(words) == 0 && known == nil && r.Outcome == OutcomeFailed && steps[e.step] != "" {
		// It ended without a diagnostic: what it wrote to stderr is the best there is.
		words = append(words, e.out.clean(tail(err.Error(), 4000)))
	}
	if len(words) > 0 {
		r.Error += "\n\n" + strings.Join(words, "\n\n")
	}
}

// noun is what the run does to the state.
func (e *execution) noun() string {
	if e.spec.Kind == KindState {
		return string(e.spec.Operation.Kind)
	}
	return "apply"
}

// tail returns the last n bytes of s, from the beginning of a line.
func tail(s string, n int) string {
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[i+1:]
	}
	return s
}
