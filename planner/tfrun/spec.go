package tfrun

import (
	"fmt"
	"time"

	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// Kind is what a run does.
type Kind string

// The kinds of run.
const (
	KindPlan  Kind = "plan"
	KindApply Kind = "apply"
	KindState Kind = "state" // a state operation: see Operation
)

// Spec is everything that one run may know. The server makes it, the runner
// obeys it. All paths are absolute but Dir and VarFiles.
type Spec struct {
	RunID string `json:"run_id"`
	Kind  Kind   `json:"kind"`
	// Binary is the path of terraform or tofu; BinaryVersion, where it is
	// not empty, is what that binary calls itself ("1.11.4"), and saves
	// asking it (see FindBinary).
	Binary        string `json:"binary"`
	BinaryVersion string `json:"binary_version,omitempty"`
	Root          string `json:"root"`      // the work tree
	Dir           string `json:"dir"`       // the project in it, slashes, "." for the root
	Workspace     string `json:"workspace"` // "" means default
	// DataDir is TF_DATA_DIR: made when missing, outside the work tree, for
	// this project and run alone. An apply may be given the plan's.
	DataDir string `json:"data_dir"`
	Home    string `json:"home"` // HOME and TMPDIR of what runs: made when missing, emptied by whoever removes the run
	// PlanFile and PlanJSON are written by a plan. An apply reads PlanFile;
	// when it is empty, it fails: there is no apply without a plan.
	PlanFile string `json:"plan_file"`
	PlanJSON string `json:"plan_json,omitempty"`
	// ScanDir is the folder that what scanners wrote is kept in: made when
	// there is something to keep.
	ScanDir  string   `json:"scan_dir,omitempty"`
	VarFiles []string `json:"var_files,omitempty"` // relative to Dir
	// Env is added to the environment that is built from nothing. It may
	// hold a client's credentials, so it is never written to the disk: the
	// runner gets it through a pipe.
	Env map[string]string `json:"-"`
	// Secrets are the names of variables in Env whose values are masked in
	// whatever leaves the run: its log, its result, its plan's JSON.
	Secrets []string `json:"secrets,omitempty"`
	// Terragrunt stands in front of Binary, where the project is one of its
	// units; nil where it is not.
	Terragrunt *Terragrunt `json:"terragrunt,omitempty"`
	// StepEnv are the names of variables that hooks may set, besides the
	// code's input variables.
	StepEnv []string `json:"step_env,omitempty"`
	// Refused is a sentence that says why nothing may be run; "" where
	// something may. It becomes the run's error.
	Refused string `json:"refused,omitempty"`
	// Desk is nil on a server.
	Desk      *Desk  `json:"desk,omitempty"`
	CLIConfig string `json:"cli_config"` // path of the CLI configuration file; see CLIConfig
	// Notes are sentences that the log begins with.
	Notes []string `json:"notes,omitempty"`
	// ManagedBackend is the path of a state file for a project whose state is
	// Tidelock's to keep, "" for any other.
	ManagedBackend string `json:"managed_backend,omitempty"`
	// OwnBlock says that the code's own backend or cloud block names the server
	// that this is run for: ManagedBackend takes its place.
	OwnBlock bool `json:"own_block,omitempty"`
	// StateDir is where the folder of ManagedBackend really is: a copy of the
	// state that is this run's alone. ManagedBackend is then a path that plan
	// and apply have in common, since a plan file names it, and leads there.
	// "" where the folder of ManagedBackend is itself meant.
	StateDir  string            `json:"state_dir,omitempty"`
	Options   planner.Options   `json:"options,omitzero"`   // of a plan; an apply takes Parallelism from it
	Operation planner.Operation `json:"operation,omitzero"` // of KindState
	Hooks     []planner.Hook    `json:"hooks,omitempty"`    // only those that the server allows
	// SourceDir is where hooks run, relative to Root, that make the code in
	// Dir; "" where hooks run in Dir, which is in the repository.
	SourceDir   string `json:"source_dir,omitempty"`
	LockTimeout string `json:"lock_timeout,omitempty"`
	// Grace is how long Terraform may take to end after it was interrupted,
	// in nanoseconds; 0 means DefaultGrace. Then it is killed.
	Grace time.Duration `json:"grace,omitempty"`
	// MemoryLimit is a soft limit in bytes for each Terraform process, 0 for
	// the default; see tuning.go.
	MemoryLimit int64 `json:"memory_limit,omitempty"`
	// Standing is the state that an earlier plan was made of which is as good
	// as a new one, if the state is the same; nil for none.
	Standing *StateRef `json:"standing,omitempty"`
	// ExpectedSteps is how many steps the last plan of the project took: what
	// a plan's progress is measured by, as it knows no total; 0 for none.
	ExpectedSteps int `json:"expected_steps,omitempty"`
	// Reads are the states whose outputs the code may read; nil where it is not
	// to be looked at for that.
	Reads *Reads `json:"reads,omitempty"`
	// Limits bound each process that the run starts.
	Limits Limits `json:"limits,omitzero"`
	// NoPlanNetwork asks that what a plan runs after init has no network.
	NoPlanNetwork bool `json:"no_plan_network,omitempty"`
	// Confine, where it is not nil, is called on a thread that is about to
	// start a command, and confines that thread and so the command.
	Confine func(Access) error `json:"-"`
	// Enclosed says that Confine has the next process that its thread starts
	// be the first of a namespace of its own; the thread can start no other.
	Enclosed bool `json:"-"`
	// EndLeft, where it is not nil, ends what commands have left behind, and
	// returns when it is gone. It is called while none runs, before something
	// is read or recorded that what was left could write to.
	EndLeft func() error `json:"-"`
	// Keep, where it is not nil, stores what an apply came to, so that it is
	// told by whoever looks even if nothing more comes. It is called when the
	// apply has ended, before what is only looked at afterwards; the Result that
	// Execute returns takes its place.
	Keep func(Result) error `json:"-"`
}

// StateRef names one version of a state.
type StateRef struct {
	Lineage string `json:"lineage,omitempty"` // "" while there is none
	Serial  int64  `json:"serial,omitempty"`
}

// Outcome is how a run ended.
type Outcome string

// The outcomes.
const (
	OutcomePlanned  Outcome = "planned"  // the plan changes something
	OutcomeNoChange Outcome = "nochange" // the plan changes nothing
	OutcomeStands   Outcome = "stands"   // nothing was planned: the state is that of Spec.Standing
	OutcomeApplied  Outcome = "applied"
	OutcomeFailed   Outcome = "failed"
	OutcomeCanceled Outcome = "canceled" // someone stopped it in time; an apply may have done part of its work, which the state tells
	// OutcomeInterrupted is an apply during which Terraform was killed: what
	// it did may stand in no state. It is never tried again by itself.
	OutcomeInterrupted Outcome = "interrupted"
)

// Result is what a run came to. It is stored as JSON.
type Result struct {
	Outcome Outcome `json:"outcome"`
	// Error is a sentence for people and Terraform's own words with file
	// and line; several are parted by an empty line. Values that the code
	// under plan printed can stand in it: whoever shows it masks it first.
	Error            string         `json:"error,omitempty"`
	Diagnostics      []Diagnostic   `json:"diagnostics,omitempty"`
	TerraformVersion string         `json:"terraform_version,omitempty"`
	StateLineage     string         `json:"state_lineage,omitempty"` // "" while there is no state yet, and where nobody knows
	StateSerial      int64          `json:"state_serial"`            // of an apply that after it, 0 where nobody knows
	PlanDigest       string         `json:"plan_digest,omitempty"`
	Summary          tfplan.Summary `json:"summary"`
	// Stale tells that the saved plan no longer fits the state, and nothing
	// was done: plan again.
	Stale bool `json:"stale,omitempty"`
	// Locked tells that someone else holds the state's lock, and nothing
	// was done: try again later. LockHolder is what the lock says of them.
	Locked     bool   `json:"locked,omitempty"`
	LockHolder string `json:"lock_holder,omitempty"`
	// Started tells that an apply began to change things, so that a failed
	// one may have done part of its work; of a state operation, that the
	// state was or may have been written.
	Started bool `json:"started,omitempty"`
	// Killed tells that Terraform was ended by a signal that nobody here sent,
	// before anything had begun to change: for want of memory, for example. It
	// says nothing of the code.
	Killed bool `json:"killed,omitempty"`
	// Warning is for people, like Error, and alters no outcome: a hook that
	// failed after the apply.
	Warning string `json:"warning,omitempty"`
	// PriorSerial is the state's before an apply or a state operation.
	PriorSerial int64 `json:"prior_serial,omitempty"`
	// ErroredState is the path of a state file that Terraform could not
	// write to its backend; whoever gets it must keep it.
	ErroredState string `json:"errored_state,omitempty"`
	// Backend is where the state is of a project whose hooks made code that
	// declares one; "" where it is where the spec says.
	Backend string `json:"backend,omitempty"`
	// Steps is how many a plan took: see Spec.ExpectedSteps.
	Steps int `json:"steps,omitempty"`
	// PeakMemory is the most memory that the run's processes had at once, in
	// bytes, as far as the runner saw; 0 where it did not look.
	PeakMemory int64 `json:"peak_memory,omitempty"`
	// Scans are those of the run's hooks that are scanners and were run.
	Scans []Scan `json:"scans,omitempty"`
	// LockFileChanged tells that init had to add providers to the lock
	// file, which the repository therefore does not pin.
	LockFileChanged bool `json:"lock_file_changed,omitempty"`
}

// Diagnostic is one error or warning of Terraform's.
type Diagnostic struct {
	Severity string `json:"severity"` // error | warning
	Summary  string `json:"summary"`
	Detail   string `json:"detail,omitempty"`
	Address  string `json:"address,omitempty"` // of the resource
	File     string `json:"file,omitempty"`    // relative to the repository's root
	Line     int    `json:"line,omitempty"`
	Context  string `json:"context,omitempty"` // the block it is in: resource "aws_instance" "a"
	Code     string `json:"code,omitempty"`    // the line of code
}

// Progress is how far a run is.
type Progress struct {
	Done, Total int // steps; a replacement is two. Total is 0 while it is unknown
	// Address is the object that an apply has been at the longest, and where
	// it is at none the one it did last; of a plan the last one.
	Address string
	Doing   string        // what happens to it: "creating", "destroying"; "" when it is done
	Elapsed time.Duration // how long already
	Others  int           // so many more have begun and are not done
	Guess   bool          // Total is what an earlier run took
	Step    string        // what of Terraform's runs: "init", "plan", …; "" for none, or not known
	// Quiet is how long nothing was heard of Terraform, where that is long;
	// 0 while it speaks.
	Quiet time.Duration
}

// Now is what happens, for people: "creating aws_db_instance.main, for 1m10s",
// "no word from Terraform for 2m0s (last: reading data.aws_ami.a, for 2m10s)";
// "" while that is nothing.
func (p Progress) Now() string {
	now := ""
	switch {
	case p.Doing != "":
		now = p.Doing + " " + p.Address
		if p.Elapsed >= time.Second {
			now += ", for " + p.Elapsed.Round(time.Second).String()
		}
		if p.Others > 0 {
			now += fmt.Sprintf(", and %d more", p.Others)
		}
	case p.Step != "" && (p.Done == 0 || p.Step != "plan" && p.Step != "apply"): // else the counts say it
		now = "terraform " + p.Step
	}
	if p.Quiet <= 0 {
		return now
	}
	quiet := "no word from Terraform for " + p.Quiet.Round(time.Second).String()
	switch {
	case now != "":
		return quiet + " (last: " + now + ")"
	case p.Address != "":
		return quiet + " (last: " + p.Address + " done)"
	}
	return quiet
}

// Counts is how far the run is, for people: "12/40", "12 of about 40"; "" while
// that is not known.
func (p Progress) Counts() string {
	switch {
	case p.Total == 0 && p.Done == 0:
		return ""
	case p.Total == 0:
		return fmt.Sprintf("%d done", p.Done)
	case p.Guess:
		return fmt.Sprintf("%d of about %d", p.Done, p.Total)
	}
	return fmt.Sprintf("%d/%d", p.Done, p.Total)
}
