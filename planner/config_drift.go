package planner

import (
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/schedule"
)

// DriftConfig is what a drift block says: when projects are compared with the
// world, and what becomes of a difference. A nil leaves it to the block
// around, or to the server.
type DriftConfig struct {
	Schedule  *string // cron's five fields, or ScheduleOff
	Timezone  *string // IANA's name
	Remediate *string // RemediateIssue, RemediatePull or RemediateOff
}

// ScheduleOff is the schedule of what is never checked by itself.
const ScheduleOff = "off"

// What becomes of drift.
const (
	RemediateIssue = "issue" // it is told in the repository's drift issue
	RemediatePull  = "pull"  // and a pull request offers to take it back
	RemediateOff   = "off"   // it is shown here, and GitHub is not told
)

// Over returns c with what it leaves open taken from around.
func (c DriftConfig) Over(around DriftConfig) DriftConfig {
	for _, f := range []struct{ to, from **string }{
		{&c.Schedule, &around.Schedule}, {&c.Timezone, &around.Timezone}, {&c.Remediate, &around.Remediate},
	} {
		if *f.to == nil {
			*f.to = *f.from
		}
	}
	return c
}

// Empty reports whether the block says nothing.
func (c DriftConfig) Empty() bool { return c == DriftConfig{} }

type hclDrift struct {
	Schedule  *string   `hcl:"schedule"`
	Timezone  *string   `hcl:"timezone"`
	Remediate *string   `hcl:"remediate"`
	Range     hcl.Range `hcl:",def_range"`
}

// drift reads a drift block.
func (r *configReader) drift(raw *hclDrift) DriftConfig {
	if raw == nil {
		return DriftConfig{}
	}
	c := DriftConfig{Schedule: raw.Schedule, Timezone: raw.Timezone, Remediate: raw.Remediate}
	line := raw.Range.Start.Line
	expr, zone := "@daily", "" // to look at the other alone
	if c.Schedule != nil && *c.Schedule != ScheduleOff {
		expr = *c.Schedule
	}
	if c.Timezone != nil {
		zone = *c.Timezone
	}
	if _, err := schedule.Parse(expr, zone); err != nil {
		r.say(line, "%s", errs.Sentence(err))
	}
	if known := []string{RemediateIssue, RemediatePull, RemediateOff}; c.Remediate != nil {
		if !oneOfThese(known, *c.Remediate) {
			r.say(line, "remediate is %q; it can be %s.%s", short(*c.Remediate), orList(known), r.guess(*c.Remediate, known))
		}
	}
	return c
}

func oneOfThese(known []string, word string) bool {
	for _, k := range known {
		if k == word {
			return true
		}
	}
	return false
}

// driftDir is where reports of drift stand in a repository.
const driftDir = ".tidelock/drift"

// DriftReport returns the file, relative to the repository's root, whose change
// asks for the project to be planned and so for its drift to be taken back. Two
// projects never share one.
func DriftReport(p Project) string {
	name := p.Dir
	if p.Workspace != "" && p.Workspace != DefaultWorkspace {
		name += ":" + p.Workspace
	}
	return path.Join(driftDir, slug(name)+".md")
}

// DriftBranch returns the branch on which that report is changed.
func DriftBranch(p Project) string {
	return "tidelock/drift-" + strings.TrimSuffix(path.Base(DriftReport(p)), ".md")
}

// slug writes a name with what files and branches can have alone. What had to
// be written otherwise is told apart by a number made of all of it.
func slug(name string) string {
	var b strings.Builder
	same := name != "" && name[0] != '.'
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-' && i > 0:
			b.WriteByte(c)
		default:
			b.WriteByte('-')
			same = false
		}
	}
	out := strings.Trim(b.String(), "-")
	if same && len(out) <= 80 {
		return out
	}
	var h uint64 = 14695981039346656037 // FNV-1a
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	if len(out) > 80 {
		out = out[:80]
	}
	if out == "" {
		out = "root"
	}
	return out + "-" + strconv.FormatUint(h>>32, 36)
}

// isFile reports whether there is a file of that name.
func isFile(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.Mode().IsRegular()
}
