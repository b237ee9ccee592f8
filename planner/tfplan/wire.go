package tfplan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// The wire form of `terraform show -json`, as far as it is read.
type wirePlan struct {
	formatVersion, terraform string
	changes, drift           []wireChange
	deferred                 []wireDeferred
	invocations              []wireInvocation
	deferredInvocations      []wireDeferredInvocation
	outputs                  map[string]wireValues
	checks                   []wireCheck
	relevant                 []wireRelevant
	errored                  bool
	complete, applyable      *bool
	variables                map[string]wireVariable
	prior                    wireState
	configuration            wireConfiguration
	unread                   map[string]any // sections that nobody here knows
}

type wireVariable struct {
	Value any `json:"value"`
}

type wireConfiguration struct {
	RootModule wireModule `json:"root_module"`
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
	GeneratedConfig string   `json:"generated_config"`
	Importing       *struct {
		ID       string `json:"id"`
		Identity any    `json:"identity"`
	} `json:"importing"`
}

type wireDeferred struct {
	Reason string     `json:"reason"`
	Change wireChange `json:"resource_change"`
}

type wireInvocation struct {
	Address   string `json:"address"`
	Type      string `json:"type"`
	Name      string `json:"name"`
	Provider  string `json:"provider_name"`
	Config    any    `json:"config_values"`
	Unknown   any    `json:"config_unknown"`
	Sensitive any    `json:"config_sensitive"`
	Trigger   *struct {
		Resource string      `json:"triggering_resource_address"`
		Event    string      `json:"action_trigger_event"`
		Block    json.Number `json:"action_trigger_block_index"`
		Place    json.Number `json:"actions_list_index"`
	} `json:"lifecycle_action_trigger"`
}

type wireDeferredInvocation struct {
	Reason     string         `json:"reason"`
	Invocation wireInvocation `json:"action_invocation"`
}

type wireCheck struct {
	Address struct {
		Kind    string `json:"kind"`
		Display string `json:"to_display"`
	} `json:"address"`
	Status    string `json:"status"`
	Instances []struct {
		Address struct {
			Display string `json:"to_display"`
		} `json:"address"`
		Status   string `json:"status"`
		Problems []struct {
			Message string `json:"message"`
		} `json:"problems"`
	} `json:"instances"`
}

type wireRelevant struct {
	Resource  string `json:"resource"`
	Attribute []any  `json:"attribute"`
}

// wireState is the state before the plan, in which alone the data sources
// stand that were read while planning. Its values are decoded only where one
// is sensitive.
type wireState struct {
	Values struct {
		Outputs map[string]struct {
			Sensitive bool `json:"sensitive"`
			Value     any  `json:"value"`
		} `json:"outputs"`
		RootModule wireStateModule `json:"root_module"`
	} `json:"values"`
}

type wireStateModule struct {
	Resources []struct {
		Values    json.RawMessage `json:"values"`
		Sensitive json.RawMessage `json:"sensitive_values"`
	} `json:"resources"`
	Children []wireStateModule `json:"child_modules"`
}

// each calls f for every object in which something is sensitive.
func (m *wireStateModule) each(f func(values, mask any)) {
	for _, r := range m.Resources {
		if !bytes.Contains(r.Sensitive, []byte("true")) {
			continue
		}
		var values, mask any
		for raw, into := range map[*json.RawMessage]*any{&r.Values: &values, &r.Sensitive: &mask} {
			dec := json.NewDecoder(bytes.NewReader(*raw))
			dec.UseNumber()
			if dec.Decode(into) != nil {
				return // nothing, or no JSON: the section was decoded before
			}
		}
		f(values, mask)
	}
	for i := range m.Children {
		m.Children[i].each(f)
	}
}

// ignored is a value that is passed over.
type ignored struct{}

func (*ignored) UnmarshalJSON([]byte) error { return nil }

// decode reads the sections of a plan one after the other, so that a large
// plan is held decoded only as far as it is used. A section that it does not
// know is kept by its name, unless there is nothing in it.
func decode(raw []byte) (*wirePlan, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil {
		return nil, err
	} else if t != json.Delim('{') {
		return nil, errors.New("it is no object")
	}
	w := &wirePlan{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		if err := w.section(dec, t.(string)); err != nil { // a key is a string, or More has failed
			return nil, fmt.Errorf("%s: %w", t, err)
		}
	}
	_, err := dec.Token() // the closing brace
	return w, err
}

func (w *wirePlan) section(dec *json.Decoder, name string) error {
	switch name {
	case "format_version":
		return dec.Decode(&w.formatVersion)
	case "terraform_version":
		return dec.Decode(&w.terraform)
	case "resource_changes":
		return list(dec, &w.changes)
	case "resource_drift":
		return list(dec, &w.drift)
	case "deferred_changes":
		return list(dec, &w.deferred)
	case "action_invocations":
		return list(dec, &w.invocations)
	case "deferred_action_invocations":
		return list(dec, &w.deferredInvocations)
	case "output_changes":
		return dec.Decode(&w.outputs)
	case "checks":
		return list(dec, &w.checks)
	case "relevant_attributes":
		return list(dec, &w.relevant)
	case "errored":
		return dec.Decode(&w.errored)
	case "complete":
		return dec.Decode(&w.complete)
	case "applyable":
		return dec.Decode(&w.applyable)
	case "variables":
		return dec.Decode(&w.variables)
	case "configuration":
		return dec.Decode(&w.configuration)
	case "prior_state":
		return dec.Decode(&w.prior)
	case "planned_values", "timestamp":
		return dec.Decode(&ignored{}) // says nothing that the changes don't
	}
	var v any
	if err := dec.Decode(&v); err != nil {
		return err
	}
	if !nothing(v) {
		if w.unread == nil {
			w.unread = map[string]any{}
		}
		w.unread[name] = v
	}
	return nil
}

// nothing reports whether a section is empty.
func nothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// list decodes a list element by element.
func list[T any](dec *json.Decoder, into *[]T) error {
	t, err := dec.Token()
	if err != nil || t == nil { // null
		return err
	}
	if t != json.Delim('[') {
		return errors.New("it is no list")
	}
	for dec.More() {
		var v T
		if err := dec.Decode(&v); err != nil {
			return err
		}
		*into = append(*into, v)
	}
	_, err = dec.Token()
	return err
}

// maxPlanJSON bounds what ParsePlan reads, in bytes. A plan of 10,000
// resources is about 60 MB.
const maxPlanJSON = 512 << 20

// readAll is io.ReadAll for what is likely to have a size: a large plan is
// held once, and not copied each time there is no more room.
func readAll(r io.Reader, size int64) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 0, min(size, maxPlanJSON)+bytes.MinRead))
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

// sizeOf is how much a reader says that it has, 0 where it does not say.
func sizeOf(r io.Reader) int64 {
	switch r := r.(type) {
	case interface{ Len() int }:
		return int64(r.Len())
	case interface{ Stat() (fs.FileInfo, error) }:
		if info, err := r.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	}
	return 0
}

// ParsePlan reads the output of `terraform show -json PLANFILE`, of either
// tool. Errors are errs.Invalid, or errs.TooLarge past 512 MB.
func ParsePlan(r io.Reader) (*Plan, error) {
	raw, err := readAll(io.LimitReader(r, maxPlanJSON+1), sizeOf(r))
	if err != nil {
		return nil, fmt.Errorf("read plan JSON: %w", err)
	}
	if len(raw) > maxPlanJSON {
		return nil, errs.New(errs.TooLarge, "The plan is larger than %d MB as JSON.", maxPlanJSON>>20)
	}
	w, err := decode(raw)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The plan's JSON can't be read.")
	}
	if major, _, _ := strings.Cut(w.formatVersion, "."); major != "1" && w.formatVersion != "0.1" && w.formatVersion != "0.2" {
		return nil, errs.New(errs.Invalid, "The plan's JSON has format version %q; this version of Tidelock reads version 1.", w.formatVersion)
	}
	p := &Plan{
		Terraform: w.terraform, FormatVersion: w.formatVersion, Errored: w.errored,
		Incomplete:   w.complete != nil && !*w.complete,
		NotApplyable: w.applyable != nil && !*w.applyable,
		Raw:          raw, unread: w.unread,
	}
	if p.Changes, err = changesOf(w.changes); err != nil {
		return nil, err
	}
	if p.drift, err = changesOf(w.drift); err != nil {
		return nil, err
	}
	for i := range p.drift {
		p.drift[i].drifted = true
	}
	if p.Deferred, err = deferredOf(w.deferred); err != nil {
		return nil, err
	}
	p.Invocations = invocationsOf(w)
	p.Checks = checksOf(w.checks)
	for name, o := range w.outputs {
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
	p.relevant = relevantOf(w.relevant)
	p.secrets = secretsOf(w)
	configs := map[string]any{}
	w.configuration.RootModule.collect("", configs)
	p.tofu = madeByTofu(w)
	equip := func(c *Change) {
		c.secrets, c.tofu = p.secrets, p.tofu
		c.config = configs[configKey(c.ModuleAddress, c.Mode, c.Type, c.Name)]
	}
	for i := range p.Changes {
		equip(&p.Changes[i])
	}
	for i := range p.drift {
		equip(&p.drift[i])
	}
	for i := range p.Deferred {
		equip(&p.Deferred[i].Change)
	}
	return p, nil
}

// madeByTofu reports whether a plan is OpenTofu's, as far as its JSON tells:
// Terraform says since 1.8 whether a plan can be applied, OpenTofu does not.
// The one writes lists that change in another way than the other.
func madeByTofu(w *wirePlan) bool {
	major, rest, _ := strings.Cut(w.terraform, ".")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	return w.applyable == nil && major == "1" && err == nil && n >= 8
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
		c.Generated = w.Change.GeneratedConfig != ""
		if c.PrevAddress == c.Address {
			c.PrevAddress = ""
		}
		if w.Change.Importing != nil {
			c.Importing = w.Change.Importing.ID
			if c.Importing == "" && !nothing(w.Change.Importing.Identity) {
				c.Importing = identityText(w.Change.Importing.Identity)
			}
			if c.Importing == "" {
				c.Importing = importUnknown
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

// importUnknown stands for an ID or identity that is not known while planning.
const importUnknown = "(known after apply)"

// identityText writes the identity by which an object is imported, where that
// is not an ID but an object: its JSON, with sorted keys.
func identityText(identity any) string {
	b, err := json.Marshal(identity)
	if err != nil { // it was JSON before
		return importUnknown
	}
	return string(b)
}
