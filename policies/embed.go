package policies

import "embed"

// FS holds the bundled packs: every .rego file of this folder, the tests too,
// which the engine leaves out. Paths are relative to this folder:
// "destruction/stateful.rego".
//
//go:embed lib destruction tagging security terraform naming cost compliance
var FS embed.FS
