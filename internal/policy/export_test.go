package policy

import (
	"encoding/json"
	"fmt"
	"maps"
)

func toJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // rules are written as JSON everywhere
	}
	return string(text)
}

// CompileBundled compiles all bundled packs anew, as a process does in the
// course of its life.
func CompileBundled() error {
	b, err := compileBundled()
	if err != nil {
		return err
	}
	for _, u := range b.units {
		if _, err := u.ready(); err != nil {
			return err
		}
	}
	return nil
}

// LateUnits compiles what is compiled late, and says what of it is not what
// was read of it before.
func LateUnits() (rules int, wrong []string, err error) {
	b, err := compileBundled()
	if err != nil {
		return 0, nil, err
	}
	for _, u := range b.units {
		if u.later == nil {
			continue
		}
		compiled, err := u.later()
		if err != nil {
			return rules, wrong, err
		}
		rules += len(u.rules)
		if read, made := toJSON(u.rules), toJSON(compiled.rules); read != made {
			wrong = append(wrong, fmt.Sprintf("%v: the rules differ", u.begins))
		}
		if u.needs.all != compiled.needs.all || !maps.Equal(u.needs.keys, compiled.needs.keys) || !maps.Equal(u.needs.facts, compiled.needs.facts) {
			wrong = append(wrong, fmt.Sprintf("%v: needs %v, and compiled %v", u.begins, u.needs, compiled.needs))
		}
		if len(compiled.files)+len(u.problems)+len(compiled.problems) > 0 {
			wrong = append(wrong, fmt.Sprintf("%v: files %v, problems %v, %v", u.begins, compiled.files, u.problems, compiled.problems))
		}
	}
	return rules, wrong, nil
}
