package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// Set by the linker in a release, as in
// -ldflags "-X main.version=1.2.3 -X main.commit=… -X main.date=2026-01-02T15:04:05Z".
// A plain `go build` leaves them empty; the build's own record stands in then.
var version, commit, date string

// versionInfo says which build this is.
type versionInfo struct {
	Version  string `json:"version"`            // "1.2.3", or "dev"
	Commit   string `json:"commit,omitempty"`   // of the source
	Date     string `json:"date,omitempty"`     // of that commit, RFC 3339
	Modified bool   `json:"modified,omitempty"` // built with changes that are not in the commit
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func buildVersion() versionInfo {
	v := versionInfo{Version: version, Commit: commit, Date: date, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.fill(info)
	}
	if v.Version == "" {
		v.Version = "dev"
	}
	return v
}

// fill takes from the build's record what the linker was not told.
func (v *versionInfo) fill(info *debug.BuildInfo) {
	if m := info.Main.Version; v.Version == "" && m != "" && m != "(devel)" && !strings.HasPrefix(m, "v0.0.0-") {
		v.Version = strings.TrimPrefix(m, "v") // a tag; v0.0.0-… only repeats the commit
	}
	if v.Commit != "" {
		return
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.Date = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
}

// String returns one line, such as
// "tidelock 1.2.3 (0a1b2c3d4e5f, 2026-01-02T15:04:05Z) go1.26 linux/amd64".
func (v versionInfo) String() string {
	source := v.Commit
	if len(source) > 12 {
		source = source[:12]
	}
	if v.Modified {
		source += " and changes"
	}
	if v.Date != "" {
		source += ", " + v.Date
	}
	if source != "" {
		source = " (" + source + ")"
	}
	return fmt.Sprintf("tidelock %s%s %s %s/%s", v.Version, source, v.Go, v.OS, v.Arch)
}

// newVersionCommand returns `tidelock version`.
func newVersionCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Show which build this is",
		Example: "  tidelock version\n  tidelock version --json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return writeJSON(p.stdout, buildVersion())
			}
			_, err := fmt.Fprintln(p.stdout, buildVersion())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}
