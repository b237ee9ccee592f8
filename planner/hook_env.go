package planner

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// varPrefix begins the names of variables whose values are inputs of the code.
const varPrefix = "TF_VAR_"

// GivenEnvProblem reports why a hook's output, or a secret, can't become the
// variable, as the end of a sentence that begins with its name; "" where it
// can. It is EnvProblem but for TF_VAR_…: a literal value belongs into a
// .tfvars file, where it is reviewed, and these have none that could stand
// there.
func GivenEnvProblem(name, value string) string {
	input, isInput := strings.CutPrefix(name, varPrefix)
	if !isInput {
		return EnvProblem(name, value)
	}
	if !plainName(input, 200, "-") || input[0] >= '0' && input[0] <= '9' || strings.Contains(input, "-") {
		return "names no input variable that an environment can carry: letters, digits and _ only behind TF_VAR_."
	}
	return EnvProblem("X", value)
}

// StepEnvAllowed reports whether a hook may set the variable, where the
// server's project_env has the names. An input variable needs none of those:
// it decides nothing but what the code makes of it, and a hook could write it
// into a .tfvars file just as well. Any other name may choose credentials or
// an endpoint, which is for the server to allow.
func StepEnvAllowed(name string, projectEnv []string) bool {
	return strings.HasPrefix(name, varPrefix) || slices.Contains(projectEnv, name)
}

// maxStepVariables is how many variables one hook can set.
const maxStepVariables = 200

// EnvFrom reads the variables out of what a hook printed. The error is a
// clause that never quotes a value: "line 3 has no =".
func (h Hook) EnvFrom(stdout string) (map[string]string, error) {
	out := map[string]string{}
	var err error
	switch text := strings.TrimSpace(stdout); {
	case h.Env != "":
		out[h.Env] = text
	case strings.HasPrefix(text, "{"):
		err = envFromJSON(text, out)
	case h.MultiEnv == MultiEnvCommas:
		err = envFromCommas(text, out)
	default:
		err = envFromLines(text, out)
	}
	if err != nil {
		return nil, err
	}
	if len(out) > maxStepVariables {
		return nil, fmt.Errorf("it sets more than %d variables", maxStepVariables)
	}
	for name, value := range out {
		if problem := GivenEnvProblem(name, value); problem != "" {
			return nil, fmt.Errorf("the variable %q %s", short(name), strings.TrimSuffix(problem, "."))
		}
	}
	return out, nil
}

// envFromLines reads NAME=value, one a line; empty lines and those that begin
// with # are passed over, and quotes mean themselves.
func envFromLines(text string, out map[string]string) error {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if t := strings.TrimSpace(line); t == "" || t[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return fmt.Errorf("line %d of what it prints has no =, and is no NAME=value", n)
		}
		out[strings.TrimPrefix(strings.TrimSpace(name), "export ")] = value
	}
	return nil
}

// envFromCommas reads NAME=value,NAME=value. In a value, a comma or a quote
// stands behind a backslash, or in double quotes that enclose the value.
func envFromCommas(text string, out map[string]string) error {
	var field strings.Builder
	var name string
	inName, quoted := true, false
	end := func() error {
		if inName {
			if strings.TrimSpace(field.String()) == "" && len(out) > 0 {
				return nil // a comma at the end
			}
			return fmt.Errorf("a part of what it prints has no =, and is no NAME=value")
		}
		out[name] = field.String()
		field.Reset()
		inName = true
		return nil
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inName && c == '=':
			name, inName = strings.TrimSpace(field.String()), false
			field.Reset()
		case !inName && c == '\\' && i+1 < len(text):
			i++
			field.WriteByte(text[i])
		case !inName && c == '"' && (quoted || field.Len() == 0):
			quoted = !quoted
		case c == ',' && !quoted:
			if err := end(); err != nil {
				return err
			}
		default:
			field.WriteByte(c)
		}
	}
	if quoted {
		return fmt.Errorf("a quote in what it prints is not closed")
	}
	if text == "" {
		return nil
	}
	return end()
}

// envFromJSON reads an object. A value that is no string is given as JSON,
// which is how Terraform reads lists and objects.
func envFromJSON(text string, out map[string]string) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return fmt.Errorf("what it prints begins with { and is no JSON object")
	}
	for name, raw := range object {
		var s string
		switch {
		case string(raw) == "null":
		case json.Unmarshal(raw, &s) == nil:
			out[name] = s
		default:
			out[name] = string(raw)
		}
	}
	return nil
}
