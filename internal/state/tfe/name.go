package tfe

import (
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// Workspace returns the workspace's name of a state: colons for slashes. No
// state's name has a colon, so StateName is its exact reverse.
func Workspace(name string) string { return strings.ReplaceAll(name, "/", ":") }

// StateName returns the state's name of a workspace. The error is errs.Invalid
// for what is no workspace's name.
func StateName(workspace string) (string, error) {
	name := strings.ReplaceAll(workspace, ":", "/")
	if strings.Contains(workspace, "/") || state.CheckName(name) != nil {
		return "", errs.New(errs.Invalid, "A workspace's name is the path of a project with colons for its slashes, such as net:prod: letters, digits, dots, hyphens and underscores between the colons, 200 characters at most. No part begins with a dot, and the last is not \"lock\".")
	}
	return name, nil
}
