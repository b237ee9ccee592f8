package policyset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/tidelock/tidelock/internal/errs"
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
	File     string        // that says so; "" is tidelock.hcl
	Packs    []policy.Pack // folders of the repository: see ReadRepoPacks
	Levels   map[string]policy.Level
	Settings policy.Settings
}

func (r RepoPolicy) origin() Origin {
	if r.File == "" {
		return "tidelock.hcl"
	}
	return r.File
}

// owns reports whether a pack is one of the repository's.
func (r RepoPolicy) owns(pack string) bool {
	return slices.ContainsFunc(r.Packs, func(p policy.Pack) bool { return p.Name == pack })
}

// ReadRepoPacks reads folders of a repository's tree as one pack, whose files
// have the names that they have there. No folders are no pack.
func ReadRepoPacks(tree fs.FS, folders []string) ([]policy.Pack, error) {
	if len(folders) == 0 {
		return nil, nil
	}
	all := map[string][]byte{}
	for _, dir := range folders {
		info, err := fs.Stat(tree, dir)
		if err != nil || !info.IsDir() {
			return nil, errs.New(errs.Invalid, "tidelock.hcl on the base branch names the policies in %q, and there is no such folder.", dir)
		}
		files, err := readFiles(tree, dir)
		if err != nil {
			return nil, fmt.Errorf("read the policies in %s: %w", dir, err)
		}
		for name, text := range files {
			all[path.Join(dir, name)] = text
		}
	}
	if err := policy.CheckFiles(all); err != nil {
		return nil, err
	}
	c, err := newSnapshot(all)
	if err != nil {
		return nil, err
	}
	return []policy.Pack{{Name: RepositoryPack, FS: c.fs}}, nil
}

// Judging is what judges a project.
type Judging struct {
	Engine      *policy.Engine
	Overrides   policy.Overrides
	Environment string                   // "" where none is configured for the project
	Owners      map[string]policy.Owners // by pack; "" is for all that are not named
	Notes       []string                 // what of the repository's wishes has no effect, and what is wrong with policies, in sentences

	Levels   []Level   // of every rule, with where each comes from, in the order of the engine's rules
	Settings []Setting // that somebody set
	Packs    []PackState
	Scopes   []string // that match, the strongest last
	// EnvironmentOrigin is where the block stands that names it.
	EnvironmentOrigin Origin
	// OwnerOrigins are where the owners come from.
	OwnerOrigins map[string]Origin

	scanners []map[string]policy.Level // see ScanLevel; all of them hold
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
