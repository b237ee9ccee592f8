package tfplan

import "strings"

// wireModule is a module in the plan's configuration, as far as it is read.
type wireModule struct {
	Resources []struct {
		Mode        string         `json:"mode"`
		Type        string         `json:"type"`
		Name        string         `json:"name"`
		Expressions map[string]any `json:"expressions"`
	} `json:"resources"`
	Calls map[string]struct {
		Module wireModule `json:"module"`
	} `json:"module_calls"`
	Variables map[string]struct {
		Sensitive bool `json:"sensitive"`
	} `json:"variables"`
}

// collect gathers every resource's expressions under configKey's names.
func (m *wireModule) collect(path string, into map[string]any) {
	for _, r := range m.Resources {
		if r.Expressions != nil {
			into[path+"\x00"+r.Mode+"\x00"+r.Type+"\x00"+r.Name] = r.Expressions
		}
	}
	for name, call := range m.Calls {
		call.Module.collect(path+"."+name, into)
	}
}

// configKey names a resource's configuration: the module's address without
// instance keys, which all instances share.
func configKey(module, mode, typ, name string) string {
	var path strings.Builder
	// module.a["x.y"].module.b → .a.b
	for rest := module; rest != ""; {
		rest = strings.TrimPrefix(rest, "module.")
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		path.WriteString("." + rest[:end])
		rest = rest[end:]
		if strings.HasPrefix(rest, "[") {
			rest = rest[indexEnd(rest):]
		}
		next := strings.TrimPrefix(rest, ".")
		if next == rest && rest != "" {
			break // not an address; what was read so far finds nothing
		}
		rest = next
	}
	return path.String() + "\x00" + mode + "\x00" + typ + "\x00" + name
}

// indexEnd returns the length of the instance key that s begins with.
func indexEnd(s string) int {
	quoted, escaped := false, false
	for i := 0; i < len(s); i++ {
		switch {
		case escaped:
			escaped = false
		case quoted && s[i] == '\\':
			escaped = true
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ']' && !quoted:
			return i + 1
		}
	}
	return len(s)
}
