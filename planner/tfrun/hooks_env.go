package tfrun

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/planner"
)

// maxHookValue is how much a hook may print that becomes environment, in bytes.
const maxHookValue = 256 << 10

// hookValue keeps what a hook prints that becomes environment. It is never
// logged: it may be secret.
type hookValue struct {
	text bytes.Buffer
	over bool
}

func (v *hookValue) Write(p []byte) (int, error) {
	left := maxHookValue - v.text.Len()
	v.over = v.over || len(p) > left
	v.text.Write(p[:min(len(p), max(0, left))])
	return len(p), nil
}

// take gives what a hook printed to all that runs after it.
func (e *execution) take(h planner.Hook, name string, given *hookValue) error {
	if given.over {
		return errs.New(errs.Invalid, "%s prints more than %d kB, which no environment can hold.", name, maxHookValue>>10)
	}
	values, err := h.EnvFrom(given.text.String())
	if err != nil {
		return errs.New(errs.Invalid, "%s gives no environment: %s.", name, err)
	}
	names := slices.Sorted(maps.Keys(values))
	for _, n := range names {
		if !planner.StepEnvAllowed(n, e.spec.StepEnv) {
			return errs.New(errs.Invalid, "%s sets %s, which this server does not let a repository set. Its terraform.project_env can name it; an input variable, as TF_VAR_%s, needs no leave.", name, n, strings.ToLower(n))
		}
	}
	if h.Sensitive {
		for _, n := range names {
			if len(values[n]) < redact.MinLength {
				return errs.New(errs.Invalid, "%s marks %s as sensitive, and its value is too short to be masked: one of fewer than %d characters would be found everywhere.", name, n, redact.MinLength)
			}
		}
	}
	if h.Sensitive {
		e.hide(slices.Collect(maps.Values(values))...)
	}
	maps.Copy(e.env, values)
	if len(names) > 0 {
		e.out.say("It sets " + strings.Join(names, ", ") + ".")
	}
	return e.equip()
}

// hide has values masked in whatever leaves the run from now on. Those that are
// JSON are masked part by part too: Terraform takes an object apart.
func (e *execution) hide(values ...string) {
	for _, v := range values {
		if v == "" || slices.Contains(e.secrets, v) {
			continue
		}
		e.secrets = append(e.secrets, v)
		var parsed any
		if t := strings.TrimSpace(v); strings.HasPrefix(t, "{") || strings.HasPrefix(t, "[") {
			if json.Unmarshal([]byte(t), &parsed) == nil {
				eachText(parsed, func(s string) { e.secrets = append(e.secrets, s) })
			}
		}
	}
	e.out.mask = redact.NewMasker(e.secrets...)
}

// eachText calls f for each string in a JSON value that is no key.
func eachText(v any, f func(string)) {
	switch v := v.(type) {
	case string:
		f(v)
	case []any:
		for _, x := range v {
			eachText(x, f)
		}
	case map[string]any:
		for _, x := range v {
			eachText(x, f)
		}
	}
}

// maskedJSON is a plan's JSON without the secrets that the run was given. Only
// texts are looked at, and numbers that are a secret as a whole: the form stays
// JSON.
func (e *execution) maskedJSON(raw []byte) ([]byte, error) {
	if len(e.secrets) == 0 {
		return raw, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(masked(v, e.out.mask))
}

func masked(v any, m *redact.Masker) any {
	switch v := v.(type) {
	case string:
		return m.String(v)
	case json.Number:
		if m.String(v.String()) != v.String() {
			return redact.Mask
		}
	case []any:
		for i, x := range v {
			v[i] = masked(x, m)
		}
	case map[string]any:
		for k, x := range v {
			if hidden := m.String(k); hidden != k {
				delete(v, k)
				k = hidden
			}
			v[k] = masked(x, m)
		}
	}
	return v
}

// learnSecrets has an apply mask what was masked in the plan that it applies:
// the values of hooks that ran before the plan, and of secrets that only plans
// are given, stand in the saved plan, and nobody hands them over again. They are
// found where the plan's JSON as it was kept says less than the saved plan does.
func (e *execution) learnSecrets(ctx context.Context) error {
	kept, err := os.ReadFile(e.spec.PlanJSON)
	if errors.Is(err, fs.ErrNotExist) || e.spec.PlanJSON == "" || err == nil && !bytes.Contains(kept, []byte(redact.Mask)) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the plan's JSON: %w", err)
	}
	var text bytes.Buffer
	e.tf.SetStdout(&text)
	err = e.confined(false, func() error {
		_, err := e.tf.ShowPlanFile(ctx, e.spec.PlanFile)
		return err
	})
	if err != nil {
		return err
	}
	var whole, less any
	if err := errors.Join(json.Unmarshal(text.Bytes(), &whole), json.Unmarshal(kept, &less)); err != nil {
		return fmt.Errorf("compare the plan's JSON: %w", err)
	}
	var found []string
	differences(whole, less, func(secret string) { found = append(found, secret) })
	e.hide(found...)
	return nil
}

// differences calls f for each text that is masked in less and not in whole.
func differences(whole, less any, f func(secret string)) {
	switch whole := whole.(type) {
	case string:
		if masked, ok := less.(string); ok && masked != whole {
			rest := whole
			for i, plain := range strings.Split(masked, redact.Mask) {
				at := strings.Index(rest, plain)
				if plain == "" && i > 0 {
					at = len(rest) // the mask ends it, or another follows
				}
				if at < 0 {
					f(whole)
					return
				}
				if i > 0 && at > 0 {
					f(rest[:at])
				}
				rest = rest[min(len(rest), at+len(plain)):]
			}
		}
	case []any:
		if other, ok := less.([]any); ok && len(other) == len(whole) {
			for i := range whole {
				differences(whole[i], other[i], f)
			}
		}
	case map[string]any:
		if other, ok := less.(map[string]any); ok {
			for k, v := range whole {
				differences(v, other[k], f)
			}
		}
	}
}

// mask takes the run's secrets out of its result: what has not come through
// the log's output is masked here.
func (r *Result) mask(m *redact.Masker) {
	for _, text := range []*string{&r.Error, &r.Warning, &r.LockHolder} {
		*text = m.String(*text)
	}
	for i := range r.Diagnostics {
		d := &r.Diagnostics[i]
		for _, text := range []*string{&d.Summary, &d.Detail, &d.Address, &d.File, &d.Context, &d.Code} {
			*text = m.String(*text)
		}
	}
}
