package planner

import (
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Hook is a program that runs before or after Terraform does, in the
// project's directory, where the server allows that. Its output goes into the
// log.
//
// It has the run's environment, and TIDELOCK_DIR, TIDELOCK_WORKSPACE and, once
// there is a plan, PLANFILE and SHOWFILE, the paths of the saved plan and of
// its JSON. A program without a slash is looked for on the run's PATH; one
// with a relative path stands in the repository, seen from the project's
// directory.
//
// before_plan and before_apply run before anything of Terraform's does, init
// too: they may write code. A state operation runs those of before_plan. Where
// one fails, Terraform is not started. After a failed after_plan hook the plan
// failed; a failed after_apply hook is a Warning. Those of after_ run only
// after what went well.
type Hook struct {
	When string   `json:"when"` // before_plan | after_plan | before_apply | after_apply
	Run  []string `json:"run"`  // the program and its arguments; never a shell's line
}

// The moments at which hooks run.
const (
	BeforePlan  = "before_plan"
	AfterPlan   = "after_plan"
	BeforeApply = "before_apply"
	AfterApply  = "after_apply"
)

// String returns the program and its arguments, quoted where it takes that.
func (h Hook) String() string { return inWords(h.Run) }

// Check reports what is wrong with a hook, as errs.Invalid.
func (h Hook) Check() error {
	switch h.When {
	case BeforePlan, AfterPlan, BeforeApply, AfterApply:
	default:
		return errs.New(errs.Invalid, "A hook can run at before_plan, after_plan, before_apply or after_apply, not at %q.", short(h.When))
	}
	if len(h.Run) == 0 || h.Run[0] == "" {
		return errs.New(errs.Invalid, "The hook at %s names no program.", h.When)
	}
	for _, word := range h.Run {
		if strings.ContainsRune(word, 0) {
			return errs.New(errs.Invalid, "The hook at %s has a null byte in it.", h.When)
		}
	}
	return nil
}
