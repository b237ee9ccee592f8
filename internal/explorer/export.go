package explorer

import (
	"strings"
	"time"
)

// ResourceColumns are the columns of an export of resources. New ones come at
// the end.
var ResourceColumns = []string{"client", "project", "address", "type", "name", "module", "provider", "provider_version", "id", "arn", "region", "state_here", "attributes"}

// Cells is the resource as a line of an export: its texts as they are, of which
// a spreadsheet might take some for formulas.
func (r Resource) Cells() []string {
	var attributes []string
	for _, a := range r.Attributes {
		attributes = append(attributes, a.Path+"="+a.Value)
	}
	here := map[bool]string{true: "yes", false: "no"}[r.Kept]
	return []string{r.Client, r.Project, r.Address, r.Type, r.Name, r.Module, r.Provider, r.ProviderVersion, r.ID, r.ARN, r.Region, here, strings.Join(attributes, "; ")}
}

// UseColumns are the columns of an export of uses. New ones come at the end.
var UseColumns = []string{"client", "project", "dir", "workspace", "kind", "path", "name", "version", "as_of"}

// Cells is the use as a line of an export, like Resource's.
func (u Use) Cells() []string {
	return []string{u.Client, u.Project, u.Dir, u.Workspace, u.Kind, u.Path, u.Name, u.Version, u.AsOf.UTC().Format(time.RFC3339)}
}
