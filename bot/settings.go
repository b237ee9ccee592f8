package bot

import (
	"encoding/json"

	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/planner"
)

// When the lock of a project is taken.
const (
	LockAtPlan  = "plan"  // from the first plan to the apply or the pull's end
	LockAtApply = "apply" // only while applying
	LockOff     = "off"   // never across runs; Terraform's own state lock remains
)

// Settings is how a repository's pull requests are treated: the server's
// defaults, and over them what the repository says at the base commit.
type Settings struct {
	Lock             string `json:"lock"`               // LockAtPlan, LockAtApply or LockOff
	ApplyBeforeMerge bool   `json:"apply_before_merge"` // `apply` is obeyed on open pull requests
	ApplyOnMerge     bool   `json:"apply_on_merge"`     // merging applies
	AutoMerge        bool   `json:"auto_merge"`         // merge once everything is applied
	MergeMethod      string `json:"merge_method"`       // merge | squash | rebase
	Approvals        int    `json:"approvals"`          // approving reviews of the head, not the author's, that an `apply` before the merge needs
}

// With returns the settings with the repository's own wishes over them.
func (s Settings) With(c planner.RepoConfig) Settings {
	if c.ApplyBeforeMerge != nil {
		s.ApplyBeforeMerge = *c.ApplyBeforeMerge
	}
	if c.AutoMerge != nil {
		s.AutoMerge = *c.AutoMerge
		s.ApplyBeforeMerge = s.ApplyBeforeMerge || s.AutoMerge
	}
	if c.Lock != nil {
		s.Lock = *c.Lock
	}
	return s
}

// settingsOf returns how the change was treated when it was planned, fallback
// where it was not planned yet.
func settingsOf(c run.Change, fallback Settings) (Settings, error) {
	if c.Settings == "" {
		return fallback, nil
	}
	var s Settings
	err := json.Unmarshal([]byte(c.Settings), &s)
	return s, err
}
