package tfplan

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Action is what a plan does to one object.
type Action string

// The actions. Move and Import stand for objects that are only moved or
// imported; an object that is moved and updated has ActionUpdate, and its
// PrevAddress is set.
const (
	ActionCreate  Action = "create"
	ActionUpdate  Action = "update"
	ActionReplace Action = "replace"
	ActionDelete  Action = "delete"
	ActionRead    Action = "read"
	ActionMove    Action = "move"
	ActionImport  Action = "import"
	ActionForget  Action = "forget"
	ActionNoop    Action = "noop"
)

// Plan is one project's plan as `terraform show -json` tells it.
type Plan struct {
	Terraform     string          // version of the tool that planned, "1.11.4"
	FormatVersion string          // of the JSON, "1.2"
	Changes       []Change        // of every object, no-ops included, in Terraform's order
	Outputs       []OutputChange  // in the order of their names, no-ops included
	Deferred      []Deferred      // what Terraform has put off until this plan is applied
	Invocations   []Invocation    // actions that the apply invokes beside its changes
	Checks        []Check         // of every instance, by kind and address
	Errored       bool            // planning failed half way: the plan can be shown, never applied
	Incomplete    bool            // Terraform says that another plan has to follow this one's apply
	NotApplyable  bool            // Terraform says that there is nothing to apply, or that it must not be
	Raw           json.RawMessage // the JSON as it was read; holds sensitive values in the clear

	drift    []Change           // as Terraform lists it; see Drift
	relevant map[string][][]any // what of an object the plan builds on, by address; see Drift
	unread   map[string]any     // see Unread
	secrets  *secrets
	tofu     bool
}

// Change is what a plan does to one object.
type Change struct {
	Address       string // module.a.aws_instance.b["c"]
	PrevAddress   string // where the object was before, when the plan moves it
	ModuleAddress string // "" for the root module
	Mode          string // managed | data
	Type          string
	Name          string
	Index         any    // nil, a string or a json.Number
	Deposed       string // key of a deposed object, "" for the current one
	Provider      string // registry.terraform.io/hashicorp/aws
	Action        Action
	CreateFirst   bool           // of a replacement: the new object is made before the old one goes
	KeepOld       bool           // of a replacement: the old object is not destroyed, only forgotten
	Before        map[string]any // nil where there is none; numbers are json.Number
	After         map[string]any // without the values that are not known yet
	// Unknown, BeforeSensitive and AfterSensitive are masks as Terraform
	// writes them: true for a whole value, or an object or list with masks
	// of its members.
	Unknown         any
	BeforeSensitive any
	AfterSensitive  any
	ReplacePaths    [][]any // paths that force a replacement; steps are strings and json.Numbers
	ActionReason    string  // Terraform's word for why, "replace_because_tainted"; Diff has it in words
	// Importing is the ID or the identity by which the object is imported,
	// "" when it is not.
	Importing string
	Generated bool // the configuration of what is imported is generated, and not in the code yet

	keep    map[string]any // of an object that is gone, what is to be shown of it; nil for all
	drifted bool           // not the plan's doing, but what happened outside of Terraform
	config  any            // the expressions of the resource's configuration, for Diff
	secrets *secrets       // of the whole plan, for Diff
	tofu    bool           // OpenTofu made the plan: see madeByTofu
}

// OutputChange is what a plan does to one output of the root module.
type OutputChange struct {
	Name            string
	Action          Action // create | update | delete | noop
	Before, After   any
	Unknown         any
	BeforeSensitive any
	AfterSensitive  any
}

// Summary counts what a plan does. A replacement counts in Replace alone; an
// object that is moved or imported and also changed counts in both.
type Summary struct {
	Create  int `json:"create"`
	Update  int `json:"update"`
	Replace int `json:"replace"`
	Delete  int `json:"delete"`
	Read    int `json:"read"`
	Move    int `json:"move"`
	Import  int `json:"import"`
	Forget  int `json:"forget"`
	Outputs int `json:"outputs"`
	// Deferred is what Terraform puts off until the plan is applied, Invoke
	// the actions that the apply invokes beside its changes, Unread the
	// sections of the plan that this version does not know.
	Deferred int `json:"deferred,omitempty"`
	Invoke   int `json:"invoke,omitempty"`
	Unread   int `json:"unread,omitempty"`
	// Drift and BadChecks are no doing of the plan: the objects whose changes
	// outside of Terraform it builds on, and the declared conditions that
	// don't hold.
	Drift     int `json:"drift,omitempty"`
	BadChecks int `json:"bad_checks,omitempty"`
}

// Empty reports whether applying the plan would change nothing at all, not
// even an output or an address in the state, and nothing is put off. Data
// sources that are read during the apply change nothing by themselves; what
// changed outside of Terraform is no change of the plan.
func (s Summary) Empty() bool {
	s.Read, s.Drift, s.BadChecks = 0, 0, 0
	return s == Summary{}
}

// Plus adds the counts of another project's plan, for what a pull request does
// as a whole.
func (s Summary) Plus(o Summary) Summary {
	s.Create += o.Create
	s.Update += o.Update
	s.Replace += o.Replace
	s.Delete += o.Delete
	s.Read += o.Read
	s.Move += o.Move
	s.Import += o.Import
	s.Forget += o.Forget
	s.Outputs += o.Outputs
	s.Deferred += o.Deferred
	s.Invoke += o.Invoke
	s.Unread += o.Unread
	s.Drift += o.Drift
	s.BadChecks += o.BadChecks
	return s
}

// String is Terraform's closing line: "Plan: 1 to add, 2 to change, 0 to
// destroy.", with replacements counted on both sides as Terraform counts them.
// It does not speak of drift and checks; Aside does.
func (s Summary) String() string {
	if s.Empty() {
		return "No changes. The infrastructure matches the configuration."
	}
	var b strings.Builder
	b.WriteString("Plan: ")
	if s.Import > 0 {
		fmt.Fprintf(&b, "%d to import, ", s.Import)
	}
	fmt.Fprintf(&b, "%d to add, %d to change, %d to destroy", s.Create+s.Replace, s.Update, s.Delete+s.Replace)
	if s.Move > 0 {
		fmt.Fprintf(&b, ", %d to move", s.Move)
	}
	if s.Forget > 0 {
		fmt.Fprintf(&b, ", %d to forget", s.Forget)
	}
	if s.Invoke > 0 {
		fmt.Fprintf(&b, ", %s to invoke", count(s.Invoke, "action", "actions"))
	}
	if s.Deferred > 0 {
		fmt.Fprintf(&b, ", %d deferred", s.Deferred)
	}
	if s.Unread > 0 {
		fmt.Fprintf(&b, ", and %s that Tidelock can't read", count(s.Unread, "kind of change", "kinds of change"))
	}
	b.WriteString(".")
	if s.Outputs > 0 && s.Create+s.Update+s.Replace+s.Delete+s.Move+s.Import+s.Forget+s.Deferred+s.Invoke+s.Unread == 0 {
		return fmt.Sprintf("No changes to resources; %s.", count(s.Outputs, "output changes", "outputs change"))
	}
	return b.String()
}

// Aside tells what is to be known beside what the plan does: what changed
// outside of Terraform, and the checks that fail. "" where there is nothing.
func (s Summary) Aside() string {
	var parts []string
	if s.Drift > 0 {
		parts = append(parts, fmt.Sprintf("%d changed outside of Terraform", s.Drift))
	}
	if s.BadChecks > 0 {
		parts = append(parts, count(s.BadChecks, "check fails", "checks fail"))
	}
	return strings.Join(parts, ", ")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Summary counts the plan's changes.
func (p *Plan) Summary() Summary {
	var s Summary
	for _, c := range p.Changes {
		switch c.Action {
		case ActionCreate:
			s.Create++
		case ActionUpdate:
			s.Update++
		case ActionReplace:
			s.Replace++
		case ActionDelete:
			s.Delete++
		case ActionRead:
			s.Read++
		case ActionForget:
			s.Forget++
		}
		if c.Importing != "" {
			s.Import++
		}
		if c.PrevAddress != "" {
			s.Move++
		}
	}
	for _, o := range p.Outputs {
		if o.Action != ActionNoop {
			s.Outputs++
		}
	}
	for _, c := range p.Checks {
		if c.Bad() {
			s.BadChecks++
		}
	}
	s.Deferred, s.Invoke, s.Unread = len(p.Deferred), len(p.Invocations), len(p.unread)
	if !s.Empty() {
		drift, _ := p.driftThatMatters()
		s.Drift = len(drift)
	}
	return s
}
