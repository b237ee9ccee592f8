package policyset

import "github.com/tidelock/tidelock/internal/policy"

// tighterOf returns how an engine's settings compare: whether a value is at
// least as strict as another, and whether anybody can say.
func tighterOf(e *policy.Engine) func(pack, name string, than, value any) (ok, known bool) {
	settings := map[[2]string]policy.Setting{}
	for _, s := range e.SettingsReference() {
		settings[[2]string{s.Pack, s.Name}] = s
	}
	return func(pack, name string, than, value any) (ok, known bool) {
		s, found := settings[[2]string{pack, name}]
		if !found {
			return false, false
		}
		return s.AsTight(than, value)
	}
}
