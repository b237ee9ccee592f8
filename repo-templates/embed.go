package repotemplates

import "embed"

// FS holds the blueprints and what they share. Paths are relative to this
// folder: "starter/live/example/main.tf". "all:" takes in what begins with a
// dot, such as .gitignore.
//
//go:embed all:common all:starter all:aws
var FS embed.FS
