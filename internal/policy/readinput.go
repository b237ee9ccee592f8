package policy

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// ReadInput makes an input of a file: a plan as `terraform show -json` or
// `tofu show -json` writes it, or a whole input as rules see it, with the plan
// under "plan", the facts beside it and a "version". What the facts lack is as
// if nobody had known it. Settings of a whole input become its overrides.
//
// What is neither, and a version that this Tidelock does not know, is
// errs.Invalid.
func ReadInput(raw []byte) (Input, error) {
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || trimmed[0] != '{' {
		return Input{}, errs.New(errs.Invalid, "This is no plan in JSON: write one with terraform show -json plan.bin > plan.json.")
	}
	var keys struct {
		FormatVersion *string         `json:"format_version"`
		Changes       json.RawMessage `json:"resource_changes"`
		Planned       json.RawMessage `json:"planned_values"`
		Values        json.RawMessage `json:"values"`
		Plan          json.RawMessage `json:"plan"`
		Version       json.RawMessage `json:"version"`
	}
	if err := json.Unmarshal(raw, &keys); err != nil {
		return Input{}, errs.Wrap(errs.Invalid, err, "The plan's JSON can't be read: %s.", place(raw, err))
	}
	switch {
	case keys.Plan != nil:
		return readWhole(raw, keys.Plan, keys.Version)
	case keys.FormatVersion == nil && keys.Changes == nil:
		return Input{}, errs.New(errs.Invalid, "This is neither a plan nor an input of the policies: it has none of format_version, resource_changes and plan. Write one with terraform show -json plan.bin > plan.json.")
	case keys.Values != nil && keys.Planned == nil && keys.Changes == nil:
		return Input{}, errs.New(errs.Invalid, "This is a state and not a plan: policies judge what is about to change. Write a plan with terraform plan -out=plan.bin and terraform show -json plan.bin > plan.json.")
	}
	p, err := tfplan.ParsePlan(bytes.NewReader(raw))
	return Input{Plan: p}, err
}

func readWhole(raw, plan, version json.RawMessage) (Input, error) {
	var n json.Number
	switch err := json.Unmarshal(version, &n); {
	case version == nil:
		return Input{}, errs.New(errs.Invalid, `The input has a plan but no version: put "version": %d beside it.`, InputVersion)
	case err != nil || n.String() != fmt.Sprint(InputVersion):
		return Input{}, errs.New(errs.Invalid, "The input is of version %s, and this Tidelock knows version %d only.", compact(version), InputVersion)
	}
	var facts struct {
		Pull     *Pull             `json:"pull"`
		Project  Project           `json:"project"`
		Client   Client            `json:"client"`
		Change   *Change           `json:"change"`
		Cost     *Cost             `json:"cost"`
		Actor    *Actor            `json:"actor"`
		State    *State            `json:"state"`
		Files    map[string]string `json:"files"`
		Settings Settings          `json:"settings"`
	}
	if err := json.Unmarshal(raw, &facts); err != nil {
		return Input{}, errs.Wrap(errs.Invalid, err, "The input of the policies can't be read: %s.", place(raw, err))
	}
	p, err := tfplan.ParsePlan(bytes.NewReader(plan))
	return Input{
		Plan: p, Pull: facts.Pull, Project: facts.Project, Client: facts.Client, Change: facts.Change,
		Cost: facts.Cost, Actor: facts.Actor, State: facts.State, Files: facts.Files,
		Overrides: Overrides{Settings: facts.Settings},
	}, err
}

// place says where JSON is wrong, by line where that is known.
func place(raw []byte, err error) string {
	at := int64(-1)
	switch e := err.(type) {
	case *json.SyntaxError:
		at = e.Offset
	case *json.UnmarshalTypeError:
		return fmt.Sprintf("%s is a %s, which it must not be", e.Field, e.Value)
	}
	if at < 0 || at > int64(len(raw)) {
		return err.Error()
	}
	return fmt.Sprintf("line %d: %v", 1+bytes.Count(raw[:at], []byte("\n")), err)
}

// JSON is the whole input as rules see it with the engine's settings, for who
// writes rules; ReadInput reads it back. It holds the plan's secrets as the
// plan does.
func (e *Engine) JSON(in Input) ([]byte, error) {
	t, err := e.tune(in.Overrides)
	if err != nil {
		return nil, err
	}
	if in.Plan == nil || len(in.Plan.Raw) == 0 {
		return nil, errs.New(errs.Invalid, "There is no plan to judge.")
	}
	all := in.facts(t.settings)
	all["plan"] = in.Plan.Raw
	return json.Marshal(all)
}
