package planner

import "maps"

// Secrets are what a project asks of the server's secrets: by the name of the
// variable that a run gets, the name that the server has for the secret. No
// value ever stands here.
type Secrets struct {
	Both  map[string]string `json:"both,omitempty"` // for plans and applies
	Plan  map[string]string `json:"plan,omitempty"`
	Apply map[string]string `json:"apply,omitempty"`
}

// Of returns those of a phase: variable → secret.
func (s Secrets) Of(phase string) map[string]string {
	out := maps.Clone(s.Both)
	if out == nil {
		out = map[string]string{}
	}
	if phase == PhaseApply {
		maps.Copy(out, s.Apply)
	} else {
		maps.Copy(out, s.Plan)
	}
	return out
}

// Empty reports whether the project asks for none.
func (s Secrets) Empty() bool { return len(s.Both)+len(s.Plan)+len(s.Apply) == 0 }

// ValidSecretName reports whether name can be that of a secret: letters, digits
// and . _ / -.
func ValidSecretName(name string) bool { return plainName(name, 100, "._/-") }
