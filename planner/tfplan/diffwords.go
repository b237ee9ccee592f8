package tfplan

import "fmt"

// headings are the comment lines over a change, in Terraform's words.
func headings(c Change) []string {
	addr := c.Address
	named := addr
	if c.Deposed != "" {
		named += " (deposed object " + c.Deposed + ")"
	}
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	switch {
	case c.drifted && c.Action == ActionDelete:
		return []string{named + " has been deleted"}
	case c.drifted:
		return []string{named + " has changed"}
	}
	switch c.Action {
	case ActionCreate:
		add("%s will be created", named)
	case ActionRead:
		add("%s will be read during apply", named)
		switch c.ActionReason {
		case "read_because_config_unknown":
			add("(config refers to values not yet known)")
		case "read_because_dependency_pending":
			add("(depends on a resource or a module with changes pending)")
		case "read_because_check_nested":
			add("(config will be reloaded to verify a check block)")
		}
	case ActionUpdate:
		add("%s will be updated in-place", named)
	case ActionReplace:
		switch c.ActionReason {
		case "replace_because_tainted":
			if c.tofu {
				add("%s is tainted, so it must be replaced", named)
			} else {
				add("%s is tainted, so must be replaced", named)
			}
		case "replace_by_request":
			add("%s will be replaced, as requested", named)
		case "replace_by_triggers":
			add("%s will be replaced due to changes in replace_triggered_by", named)
		default: // replace_because_cannot_update
			add("%s must be replaced", named)
		}
		if c.KeepOld {
			add("(the old object is not destroyed, only forgotten)")
		}
	case ActionDelete:
		add("%s will be destroyed", named)
		switch c.ActionReason {
		case "delete_because_no_resource_config":
			add("(because %s is not in configuration)", c.Type+"."+c.Name)
		case "delete_because_no_module":
			add("(because %s is not in configuration)", c.ModuleAddress)
		case "delete_because_wrong_repetition":
			switch c.Index.(type) {
			case nil:
				add("(because resource uses count or for_each)")
			case string:
				add("(because resource does not use for_each)")
			default:
				add("(because resource does not use count)")
			}
		case "delete_because_count_index":
			add("(because index %s is out of range for count)", indexSuffix(c.Index))
		case "delete_because_each_key":
			add("(because key %s is not in for_each map)", indexSuffix(c.Index))
		case "delete_because_no_move_target":
			from := c.PrevAddress
			if from == "" {
				from = "it"
			}
			add("(because %s was moved to %s, which is not in configuration)", from, addr)
		}
		if c.Deposed != "" {
			add("(left over from a partially-failed replacement of this instance)")
		}
	case ActionForget:
		if c.tofu {
			add("%s will be removed from the OpenTofu state but will not be destroyed", named)
			break
		}
		add("%s will no longer be managed by Terraform, but will not be destroyed", named)
		add("(destroy = false is set in the configuration)")
	case ActionMove:
		add("%s has moved to %s", c.PrevAddress, addr)
	case ActionImport:
		add("%s will be imported", named)
		if c.Generated {
			add("(config will be generated)")
		}
	case ActionNoop:
		add("%s is unchanged", named)
	}
	if c.PrevAddress != "" && c.Action != ActionMove {
		add("(moved from %s)", c.PrevAddress)
	}
	switch {
	case c.Importing == "" || c.Action == ActionImport:
	case c.Importing == importUnknown:
		add("(will be imported first)")
	default:
		add("(imported from \"%s\")", c.Importing)
	}
	return out
}

// indexSuffix writes an instance key as it stands in an address.
func indexSuffix(index any) string {
	switch k := index.(type) {
	case nil:
		return ""
	case string:
		return "[" + quote(k) + "]"
	default:
		return fmt.Sprintf("[%v]", k)
	}
}
