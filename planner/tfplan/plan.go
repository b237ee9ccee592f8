package tfplan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
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
	Errored       bool            // planning failed half way: the plan can be shown, never applied
	Raw           json.RawMessage // the JSON as it was read; holds sensitive values in the clear

	drift   []Change // as Terraform lists it; see Drift
	secrets *secrets
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
	ActionReason    string  // Terraform's word for why, "replace_because_tainted"
	Importing       string  // ID the object is imported by, "" when it is not

	drifted bool     // not the plan's doing, but what happened outside of Terraform
	config  any      // the expressions of the resource's configuration, for Diff
	secrets *secrets // of the whole plan, for Diff
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
}

// Empty reports whether applying the plan would change nothing at all, not
// even an output or an address in the state. Data sources that are read
// during the apply change nothing by themselves.
func (s Summary) Empty() bool {
	s.Read = 0
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
	return s
}

// String is Terraform's closing line: "Plan: 1 to add, 2 to change, 0 to
// destroy.", with replacements counted on both sides as Terraform counts them.
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
	b.WriteString(".")
	if s.Outputs > 0 && s.Create+s.Update+s.Replace+s.Delete+s.Move+s.Import+s.Forget == 0 {
		return fmt.Sprintf("No changes to resources; %s.", count(s.Outputs, "output changes", "outputs change"))
	}
	return b.String()
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// The wire form of `terraform show -json`, as far as it is read.
type wirePlan struct {
	FormatVersion   string                `json:"format_version"`
	Terraform       string                `json:"terraform_version"`
	ResourceChanges []wireChange          `json:"resource_changes"`
	ResourceDrift   []wireChange          `json:"resource_drift"`
	OutputChanges   map[string]wireValues `json:"output_changes"`
	Errored         bool                  `json:"errored"`
	Variables       map[string]struct {
		Value any `json:"value"`
	} `json:"variables"`
	Configuration struct {
		RootModule wireModule `json:"root_module"`
	} `json:"configuration"`
}

type wireChange struct {
	Address         string     `json:"address"`
	PreviousAddress string     `json:"previous_address"`
	ModuleAddress   string     `json:"module_address"`
	Mode            string     `json:"mode"`
	Type            string     `json:"type"`
	Name            string     `json:"name"`
	Index           any        `json:"index"`
	Deposed         string     `json:"deposed"`
	Provider        string     `json:"provider_name"`
	ActionReason    string     `json:"action_reason"`
	Change          wireValues `json:"change"`
}

type wireValues struct {
	Actions         []string `json:"actions"`
	Before          any      `json:"before"`
	After           any      `json:"after"`
	AfterUnknown    any      `json:"after_unknown"`
	BeforeSensitive any      `json:"before_sensitive"`
	AfterSensitive  any      `json:"after_sensitive"`
	ReplacePaths    [][]any  `json:"replace_paths"`
	Importing       *struct {
		ID string `json:"id"`
	} `json:"importing"`
}

// maxPlanJSON bounds what ParsePlan reads, in bytes. A plan of 10,000
// resources is about 60 MB.
const maxPlanJSON = 512 << 20

// ParsePlan reads the output of `terraform show -json PLANFILE`, of either
// tool. Errors are errs.Invalid, or errs.TooLarge past 512 MB.
func ParsePlan(r io.Reader) (*Plan, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxPlanJSON+1))
	if err != nil {
		return nil, fmt.Errorf("read plan JSON: %w", err)
	}
	if len(raw) > maxPlanJSON {
		return nil, errs.New(errs.TooLarge, "The plan is larger than %d MB as JSON.", maxPlanJSON>>20)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var w wirePlan
	if err := dec.Decode(&w); err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The plan's JSON can't be read.")
	}
	if major, _, _ := strings.Cut(w.FormatVersion, "."); major != "1" && w.FormatVersion != "0.1" && w.FormatVersion != "0.2" {
		return nil, errs.New(errs.Invalid, "The plan's JSON has format version %q; this version of Tidelock reads version 1.", w.FormatVersion)
	}
	p := &Plan{Terraform: w.Terraform, FormatVersion: w.FormatVersion, Errored: w.Errored, Raw: raw}
	if p.Changes, err = changesOf(w.ResourceChanges); err != nil {
		return nil, err
	}
	if p.drift, err = changesOf(w.ResourceDrift); err != nil {
		return nil, err
	}
	for i := range p.drift {
		p.drift[i].drifted = true
	}
	for name, o := range w.OutputChanges {
		action, _, err := actionOf(o.Actions)
		if err != nil {
			return nil, errs.Wrap(errs.Invalid, err, "The plan's JSON has an unknown action for output %s.", name)
		}
		p.Outputs = append(p.Outputs, OutputChange{
			Name: name, Action: action, Before: o.Before, After: o.After,
			Unknown: o.AfterUnknown, BeforeSensitive: o.BeforeSensitive, AfterSensitive: o.AfterSensitive,
		})
	}
	sort.Slice(p.Outputs, func(i, j int) bool { return p.Outputs[i].Name < p.Outputs[j].Name })
	p.secrets = secretsOf(&w)
	configs := map[string]any{}
	w.Configuration.RootModule.collect("", configs)
	for _, list := range [][]Change{p.Changes, p.drift} {
		for i := range list {
			c := &list[i]
			c.secrets = p.secrets
			c.config = configs[configKey(c.ModuleAddress, c.Mode, c.Type, c.Name)]
		}
	}
	return p, nil
}

func changesOf(in []wireChange) ([]Change, error) {
	out := make([]Change, 0, len(in))
	for _, w := range in {
		c := Change{
			Address: w.Address, PrevAddress: w.PreviousAddress, ModuleAddress: w.ModuleAddress,
			Mode: w.Mode, Type: w.Type, Name: w.Name, Index: w.Index, Deposed: w.Deposed, Provider: w.Provider,
			Unknown: w.Change.AfterUnknown, BeforeSensitive: w.Change.BeforeSensitive, AfterSensitive: w.Change.AfterSensitive,
			ReplacePaths: w.Change.ReplacePaths, ActionReason: w.ActionReason,
		}
		// An object's value is always an object; anything else is dropped
		// rather than trusted, since the renderer and the policies index it.
		c.Before, _ = w.Change.Before.(map[string]any)
		c.After, _ = w.Change.After.(map[string]any)
		if c.PrevAddress == c.Address {
			c.PrevAddress = ""
		}
		if w.Change.Importing != nil {
			c.Importing = w.Change.Importing.ID
			if c.Importing == "" {
				c.Importing = "(known after apply)" // an ID or identity that is not known while planning
			}
		}
		action, createFirst, err := actionOf(w.Change.Actions)
		if err != nil {
			return nil, errs.Wrap(errs.Invalid, err, "The plan's JSON has an unknown action for %s.", w.Address)
		}
		if action == ActionNoop && c.Importing != "" {
			action = ActionImport
		} else if action == ActionNoop && c.PrevAddress != "" {
			action = ActionMove
		}
		c.Action, c.CreateFirst = action, createFirst
		c.KeepOld = action == ActionReplace && slices.Contains(w.Change.Actions, "forget")
		out = append(out, c)
	}
	sort.SliceStable(out, func(i, j int) bool { return before(&out[i], &out[j]) })
	return out, nil
}

// before tells the order in which Terraform lists changes: the root module
// first, instances by their number.
func before(a, b *Change) bool {
	if a.ModuleAddress != b.ModuleAddress {
		return a.ModuleAddress < b.ModuleAddress
	}
	if a.Mode != b.Mode {
		return a.Mode < b.Mode
	}
	if a.Type != b.Type {
		return a.Type < b.Type
	}
	if a.Name != b.Name {
		return a.Name < b.Name
	}
	x, xok := a.Index.(json.Number)
	y, yok := b.Index.(json.Number)
	if xok && yok && x != y {
		return len(x) < len(y) || len(x) == len(y) && x < y
	}
	if xok != yok {
		return xok
	}
	if a.Address != b.Address {
		return a.Address < b.Address
	}
	return a.Deposed < b.Deposed
}

// actionOf translates Terraform's list of actions. An unknown one is an
// error: an action that nobody understood must not be shown as none.
func actionOf(actions []string) (action Action, createFirst bool, err error) {
	switch strings.Join(actions, ",") {
	case "no-op", "":
		return ActionNoop, false, nil
	case "create":
		return ActionCreate, false, nil
	case "read":
		return ActionRead, false, nil
	case "update":
		return ActionUpdate, false, nil
	case "delete":
		return ActionDelete, false, nil
	case "delete,create":
		return ActionReplace, false, nil
	case "create,delete":
		return ActionReplace, true, nil
	case "forget":
		return ActionForget, false, nil
	case "create,forget", "forget,create":
		// The old object is left alone and a new one made in its place.
		return ActionReplace, true, nil
	}
	return "", false, fmt.Errorf("actions %q", actions)
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
	return s
}
