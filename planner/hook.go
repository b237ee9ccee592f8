package planner

import (
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// Hook is a program that runs before or after Terraform does, in the
// project's directory, where the server allows that. Its output goes into the
// log, or, where Env or MultiEnv is set, into the environment of all that runs
// after it.
//
// It has the run's environment, and TIDELOCK_DIR, TIDELOCK_WORKSPACE and, once
// there is a plan, PLANFILE and SHOWFILE, the paths of the saved plan and of
// its JSON. A program without a slash is looked for on the run's PATH; one
// with a relative path stands in the repository, seen from the project's
// directory.
//
// A plan runs those of before_plan, before_init, then init, those of
// after_init, then the plan, and those of after_plan; an apply the same with
// before_apply and after_apply. before_plan, before_apply and before_init run
// before anything of Terraform's does: they may write code. A state operation
// runs those of before_plan, before_init and after_init. Where one fails,
// Terraform is not started, or goes no further. After a failed after_plan hook
// the plan failed; a failed after_apply hook is a Warning. Those of after_ run
// only after what went well.
type Hook struct {
	When string   `json:"when"` // one of HookMoments
	Run  []string `json:"run"`  // the program and its arguments; never a shell's line
	// Phase narrows a hook of before_init or after_init to PhasePlan or
	// PhaseApply; "" is both. A state operation counts as a plan.
	Phase string `json:"phase,omitempty"`
	// Timeout is how long it may take; 0 is as long as the run.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Env names the variable whose value is what the hook prints, without
	// the space around it.
	Env string `json:"env,omitempty"`
	// MultiEnv is the form in which the hook prints variables: MultiEnvLines
	// or MultiEnvCommas; "" where it prints none. A JSON object is taken in
	// either.
	MultiEnv string `json:"multienv,omitempty"`
	// Sensitive values are masked in whatever leaves the run.
	Sensitive bool `json:"sensitive,omitempty"`
	// SARIF makes the hook a scanner, which runs in plans alone: the file, seen
	// from where it runs, that it writes its results to; ScanOutput is what it
	// prints. They are findings like those of the policies; a plan whose scanner
	// left none that can be read could not be judged.
	SARIF string `json:"sarif,omitempty"`
	// Levels say what its results count as, by SARIF's levels: "error" →
	// "mandatory". Those that are not named count as usual.
	Levels map[string]string `json:"levels,omitempty"`
	// FindingsExit are the exit codes with which it says that it found something,
	// and has not failed.
	FindingsExit []int `json:"findings_exit,omitempty"`
}

// ScanOutput stands for a scanner's standard output, in place of a file.
const ScanOutput = "-"

// The levels of SARIF's results, and what they can count as.
var (
	scanLevels   = []string{"error", "warning", "note"}
	scanVerdicts = []string{"off", "advisory", "mandatory", "hard"}
)

// The moments at which hooks run.
const (
	BeforeInit  = "before_init"
	AfterInit   = "after_init"
	BeforePlan  = "before_plan"
	AfterPlan   = "after_plan"
	BeforeApply = "before_apply"
	AfterApply  = "after_apply"
)

// What a run does, for hooks and secrets that are for one of them only.
const (
	PhasePlan  = "plan"
	PhaseApply = "apply"
)

// The forms in which a hook prints several variables.
const (
	MultiEnvLines  = "lines"  // NAME=value, one a line
	MultiEnvCommas = "commas" // NAME=value,NAME=value, as for Atlantis
)

// HookMoments returns the moments at which hooks run, in the order in which a
// plan or an apply comes to them.
func HookMoments() []string {
	return []string{BeforePlan, BeforeApply, BeforeInit, AfterInit, AfterPlan, AfterApply}
}

// maxHookTime is the longest timeout of a hook: longer than any run.
const maxHookTime = 72 * time.Hour

// At reports whether the hook runs at a moment of a run of the phase.
func (h Hook) At(when, phase string) bool {
	return h.When == when && (h.Phase == "" || h.Phase == phase) && (h.SARIF == "" || phase == PhasePlan)
}

// Scans reports whether the hook is a scanner.
func (h Hook) Scans() bool { return h.SARIF != "" }

// Gives reports whether the hook's output is environment and not log.
func (h Hook) Gives() bool { return h.Env != "" || h.MultiEnv != "" }

// Writes reports whether the hook may write code that is planned or applied:
// it runs before Terraform does.
func (h Hook) Writes() bool {
	return h.When == BeforePlan || h.When == BeforeApply || h.When == BeforeInit || h.When == AfterInit
}

// String returns the program and its arguments, quoted where it takes that.
func (h Hook) String() string { return inWords(h.Run) }

// Check reports what is wrong with a hook, as errs.Invalid.
func (h Hook) Check() error {
	if !slices.Contains(HookMoments(), h.When) {
		return errs.New(errs.Invalid, "A hook can run at %s, not at %q.", orList(HookMoments()), short(h.When))
	}
	if len(h.Run) == 0 || h.Run[0] == "" {
		return errs.New(errs.Invalid, "The hook at %s names no program.", h.When)
	}
	for _, word := range h.Run {
		if strings.ContainsRune(word, 0) {
			return errs.New(errs.Invalid, "The hook at %s has a null byte in it.", h.When)
		}
	}
	if problem := h.problem(); problem != "" {
		return errs.New(errs.Invalid, "The hook at %s: %s", h.When, problem)
	}
	return nil
}

// problem reports what is wrong with all of a hook but its moment and program.
func (h Hook) problem() string {
	switch {
	case h.Phase != "" && h.Phase != PhasePlan && h.Phase != PhaseApply:
		return `phase is "plan" or "apply".`
	case h.Phase != "" && h.When != BeforeInit && h.When != AfterInit:
		return "phase is for before_init and after_init: the others belong to a plan or an apply by themselves."
	case h.Timeout < 0 || h.Timeout > maxHookTime:
		return "timeout is between 1s and 72h."
	case h.Env != "" && h.MultiEnv != "":
		return "env and multienv are both set. env takes the whole output as one value, multienv reads several out of it: keep one."
	case h.MultiEnv != "" && h.MultiEnv != MultiEnvLines && h.MultiEnv != MultiEnvCommas:
		return `multienv is "lines" or "commas".`
	case h.Sensitive && !h.Gives():
		return "sensitive is for hooks with env or multienv, whose output is no log."
	case h.Gives() && (h.When == AfterPlan || h.When == AfterApply):
		return "env and multienv are for hooks that run before the plan or the apply: nothing comes after that could use them."
	}
	if problem := h.scanProblem(); problem != "" {
		return problem
	}
	if h.Env != "" {
		if problem := GivenEnvProblem(h.Env, ""); problem != "" {
			return "The variable " + short(h.Env) + " " + problem
		}
	}
	return ""
}

// maxFindingsExit is how many exit codes a scanner may have for what it found.
const maxFindingsExit = 20

// scanProblem reports what is wrong with a scanner.
func (h Hook) scanProblem() string {
	switch {
	case h.SARIF == "" && h.Levels != nil:
		return "levels is for hooks with sarif: it says what a scanner's results count as."
	case h.SARIF == "" && h.FindingsExit != nil:
		return "findings_exit is for hooks with sarif: it says how a scanner ends that found something."
	case h.SARIF == "":
		return ""
	case h.When == BeforeApply || h.When == AfterApply || h.Phase == PhaseApply:
		return "sarif is for hooks of a plan: what is found there decides whether it may be applied."
	case h.SARIF == ScanOutput && h.Gives():
		return `sarif = "-" reads the output that env and multienv read too: have the scanner write a file.`
	case len(h.FindingsExit) > maxFindingsExit:
		return "findings_exit names too many codes."
	}
	if h.SARIF != ScanOutput {
		if _, err := InRepo(".", h.SARIF); err != nil {
			return "The file " + short(h.SARIF) + " of sarif " + err.Error() + "; it stands in the project's directory or below."
		}
	}
	for _, code := range h.FindingsExit {
		if code < 1 || code > 255 {
			return "findings_exit has exit codes from 1 to 255; 0 is no failure in any case."
		}
	}
	for _, level := range sortedKeys(h.Levels) {
		if !slices.Contains(scanLevels, level) {
			return "levels has " + short(level) + "; results are of " + orList(scanLevels) + "."
		}
		if !slices.Contains(scanVerdicts, h.Levels[level]) {
			return "levels counts " + level + " as " + short(h.Levels[level]) + "; it can be " + orList(scanVerdicts) + "."
		}
	}
	return ""
}
