package policyset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/tidelock/tidelock/internal/policy"
)

// Target is a project that is to be judged.
type Target struct {
	Client    string `json:"client"`  // slug; "" at a desk
	Repo      string `json:"repo"`    // "owner/name"; "" where nobody knows
	Project   string `json:"project"` // name
	Dir       string `json:"dir"`     // within the repository, with slashes; "." for its root
	Workspace string `json:"workspace"`
}

// RepoPolicy is what the project's repository says of its own policies, as it
// stands at the base branch: never at the head that is judged.
type RepoPolicy struct {
	Packs    []policy.Pack // folders of the repository
	Levels   map[string]policy.Level
	Settings policy.Settings
}

// Judging is what judges a project.
type Judging struct {
	Engine      *policy.Engine
	Overrides   policy.Overrides
	Environment string                   // "" where none is configured for the project
	Owners      map[string]policy.Owners // by pack; "" is for all that are not named
	Notes       []string                 // what of the repository's wishes has no effect, in sentences
}

// Version is a hash of all that decides how a plan is judged.
func (j Judging) Version() string {
	raw, err := json.Marshal([]any{j.Engine.Version(), j.Overrides, j.Environment, j.Owners})
	if err != nil {
		panic(err) // texts, and values that came from HCL
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
