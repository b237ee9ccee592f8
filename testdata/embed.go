package testdata

import "embed"

// FS holds the client Acme: its repository in repos/acme-infra, and in
// pulls/acme-infra what pull requests put over it, a folder for each.
//
//go:embed all:repos/acme-infra all:pulls/acme-infra
var FS embed.FS
