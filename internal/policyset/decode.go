package policyset

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/tidelock/tidelock/internal/egress"
	"github.com/tidelock/tidelock/internal/policy"
)

// Blocks are the headers of the blocks that Decode reads, for an HCL schema.
func Blocks() []hcl.BlockHeaderSchema {
	return []hcl.BlockHeaderSchema{
		{Type: PackBlock, LabelNames: []string{"name"}},
		{Type: EnvironmentBlock, LabelNames: []string{"name"}},
		{Type: ScopeBlock, LabelNames: []string{"name"}},
	}
}

// IsBlock reports whether a type of block is one that Decode reads.
func IsBlock(typ string) bool {
	return slices.ContainsFunc(Blocks(), func(b hcl.BlockHeaderSchema) bool { return b.Type == typ })
}

// Parse reads the admin repository's file: nothing but policy blocks. below is
// what the server's own file says, whose packs and environments it may name.
// The error is errs.Invalid and lists every problem, one a line.
func Parse(src []byte, filename string, below Config) (Config, error) {
	const most = 1 << 20
	if len(src) > most {
		return Config{}, invalid([]Problem{{Place: Place{File: filename}, Message: "The file is larger than 1 MB."}})
	}
	file, diags := hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
	if diags.HasErrors() {
		return Config{}, invalid(problemsOf("", filename, diags))
	}
	content, diags := file.Body.Content(&hcl.BodySchema{Blocks: Blocks()})
	problems := problemsOf("", filename, diags)
	c, more := Decode(content.Blocks, "")
	if problems = append(append(problems, more...), c.check(below)...); len(problems) > 0 {
		return Config{}, invalid(problems)
	}
	return c, nil
}

// Check returns what is wrong between the blocks of the server's own file.
func (c Config) Check() []Problem { return c.check(Config{}) }

// Decode reads the policy blocks among others, and returns all that is wrong
// with each. dir is the folder to which paths are relative; where it is "",
// paths are within the file's repository.
func Decode(blocks hcl.Blocks, dir string) (Config, []Problem) {
	d := &decoder{dir: dir, names: map[string]Place{}}
	for _, b := range blocks {
		if !IsBlock(b.Type) {
			continue
		}
		d.block, d.place = b.Type, placeOf(b.DefRange)
		name := b.Labels[0]
		if key := b.Type + "." + name; b.Type != ScopeBlock && b.Type != EnvironmentBlock {
			if before, twice := d.names[key]; twice {
				d.say("There is a second %s %q; the first is in line %d.", b.Type, name, before.Line)
				continue
			}
			d.names[key] = d.place
		}
		switch b.Type {
		case PackBlock:
			d.pack(name, b)
		case EnvironmentBlock:
			d.environment(name, b)
		case ScopeBlock:
			d.scope(name, b)
		}
	}
	slices.SortStableFunc(d.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	return d.out, d.problems
}

type decoder struct {
	dir      string
	out      Config
	problems []Problem
	names    map[string]Place

	block string
	place Place
}

func (d *decoder) say(format string, args ...any) {
	d.problems = append(d.problems, Problem{Place: d.place, Block: d.block, Message: fmt.Sprintf(format, args...)})
}

// read decodes a block's body; it reports false where that can't be used.
func (d *decoder) read(b *hcl.Block, into any) bool {
	diags := gohcl.DecodeBody(b.Body, nil, into)
	d.problems = append(d.problems, problemsOf(d.block, d.place.File, diags)...)
	return !diags.HasErrors()
}

type hclPack struct {
	Path      string   `hcl:"path,optional"`
	Git       string   `hcl:"git,optional"`
	Ref       string   `hcl:"ref,optional"`
	Dir       string   `hcl:"dir,optional"`
	URL       string   `hcl:"url,optional"`
	OCI       string   `hcl:"oci,optional"`
	SHA256    string   `hcl:"sha256,optional"`
	KeyFile   string   `hcl:"public_key_file,optional"`
	KeyID     string   `hcl:"key_id,optional"`
	Algorithm string   `hcl:"algorithm,optional"`
	KeyScope  string   `hcl:"signature_scope,optional"`
	Required  *bool    `hcl:"require_signature"`
	Data      []string `hcl:"data,optional"`
	Untyped   bool     `hcl:"untyped,optional"`
	Level     string   `hcl:"level,optional"`
	Refresh   string   `hcl:"refresh,optional"`
	MaxAge    string   `hcl:"max_age,optional"`
	Token     string   `hcl:"token,optional"`
}

// validName matches the names of packs, environments and scopes.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)

func (d *decoder) named(name string) bool {
	if validName.MatchString(name) {
		return true
	}
	d.say("The name %q can't be used: letters, digits and . _ - only, at most 63, and a letter or digit first.", name)
	return false
}

func (d *decoder) pack(name string, b *hcl.Block) {
	var raw hclPack
	if !d.read(b, &raw) || !d.named(name) {
		return
	}
	if name == RepositoryPack {
		d.say("A pack can't be called %q: that is what a repository's own rules are.", name)
	}
	p := PackConfig{
		Name: name, Path: raw.Path, Git: raw.Git, Ref: raw.Ref, Dir: raw.Dir, URL: raw.URL, OCI: strings.TrimPrefix(raw.OCI, "oci://"),
		SHA256: strings.TrimPrefix(strings.ToLower(raw.SHA256), "sha256:"), KeyFile: raw.KeyFile, KeyID: raw.KeyID, Algorithm: raw.Algorithm, KeyScope: raw.KeyScope,
		RequireSignature: raw.KeyFile != "", Data: raw.Data, Untyped: raw.Untyped, Level: policy.Level(raw.Level), Token: raw.Token,
		Refresh: d.duration("refresh", raw.Refresh, DefaultRefresh, 10*time.Second, 24*time.Hour),
		MaxAge:  d.duration("max_age", raw.MaxAge, DefaultMaxAge, time.Minute, 365*24*time.Hour),
		Place:   d.place,
	}
	if raw.Required != nil {
		p.RequireSignature = *raw.Required
	}
	if p.KeyFile != "" && p.Algorithm == "" {
		p.Algorithm = DefaultAlgorithm
	}
	d.source(p)
	d.signature(p)
	if p.Level != "" && p.Level != policy.Advisory && !p.Level.Blocks() {
		d.say("level is %q; what a pack's rules may be at most is advisory, mandatory or hard.", raw.Level)
	}
	if d.dir != "" {
		p.Path, p.KeyFile = absolute(d.dir, p.Path), absolute(d.dir, p.KeyFile)
	}
	d.out.Packs = append(d.out.Packs, p)
}

func absolute(dir, file string) string {
	if file == "" || filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, file)
}

func (d *decoder) duration(name, text string, otherwise, low, high time.Duration) time.Duration {
	if text == "" {
		return otherwise
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		d.say("%s is %q, which is no duration such as \"5m\" or \"24h\".", name, text)
		return otherwise
	}
	if v < low || v > high {
		d.say("%s must be between %s and %s, but is %q.", name, low, high, text)
	}
	return v
}

// source checks where a pack comes from.
func (d *decoder) source(p PackConfig) {
	given := 0
	for _, s := range []string{p.Path, p.Git, p.URL, p.OCI} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		d.say("The policy_pack %q needs one of path, git, url and oci, and no more than one.", p.Name)
		return
	}
	within := func(name, v string) {
		if v != "" && (!fs.ValidPath(path.Clean(v)) || strings.Contains(v, "\\")) {
			d.say("%s is %q, which is no path within the repository.", name, v)
		}
	}
	only := func(name string, given bool, where string) {
		if given {
			d.say("%s goes with %s only, and the policy_pack %q has another source.", name, where, p.Name)
		}
	}
	if d.dir == "" {
		within("path", p.Path)
		within("public_key_file", p.KeyFile)
	}
	within("dir", p.Dir)
	for _, f := range p.Data {
		within("data", f)
	}
	only("ref", p.Ref != "" && p.Git == "", "git")
	only("dir", p.Dir != "" && p.Git == "", "git")
	only("sha256", p.SHA256 != "" && p.URL == "" && p.OCI == "", "url and oci")
	only("token", p.Token != "" && p.Path != "", "git, url and oci")
	if p.SHA256 != "" && !isSHA256(p.SHA256) {
		d.say("sha256 is %q, which is not 64 hexadecimal digits.", p.SHA256)
	}
	for name, v := range map[string]string{"git": p.Git, "url": p.URL} {
		if v == "" {
			continue
		}
		if problem := addressProblem(v); problem != "" {
			d.say("%s %s", name, problem)
		}
	}
	if p.OCI != "" {
		if _, err := parseReference(p.OCI); err != nil {
			d.say("oci is %q, which is no reference of an artifact such as \"ghcr.io/acme/policies:1.2\": %v.", p.OCI, err)
		}
	}
}

func isSHA256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// addressProblem says what keeps text from being an address to fetch from, as
// the end of a sentence.
func addressProblem(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "must be a whole address such as \"https://example.com/policies\"."
	case u.Scheme == "http" && !egress.Loopback(u.Hostname()):
		return "must begin with https:// save for this machine itself."
	case u.User != nil:
		return "must hold no user name or password; name the secret with the token in token."
	case u.Fragment != "":
		return "must hold no fragment (#)."
	}
	return ""
}

// signature checks how a pack's signature is to be checked.
func (d *decoder) signature(p PackConfig) {
	if p.RequireSignature && p.KeyFile == "" {
		d.say("require_signature needs public_key_file: without a key no signature can be checked.")
	}
	for name, v := range map[string]string{"key_id": p.KeyID, "algorithm": p.Algorithm, "signature_scope": p.KeyScope} {
		if v != "" && p.KeyFile == "" {
			d.say("%s needs public_key_file: without a key no signature is checked.", name)
		}
	}
	if p.Algorithm != "" && !slices.Contains(Algorithms, p.Algorithm) {
		d.say("algorithm is %q; it can be %s.", p.Algorithm, strings.Join(Algorithms, ", "))
	}
}

type hclMatch struct {
	Clients    []string `hcl:"clients,optional"`
	Repos      []string `hcl:"repos,optional"`
	Projects   []string `hcl:"projects,optional"`
	Dirs       []string `hcl:"dirs,optional"`
	Workspaces []string `hcl:"workspaces,optional"`
}

type hclEnvironment struct {
	Clients    []string `hcl:"clients,optional"`
	Repos      []string `hcl:"repos,optional"`
	Projects   []string `hcl:"projects,optional"`
	Dirs       []string `hcl:"dirs,optional"`
	Workspaces []string `hcl:"workspaces,optional"`
}

func (d *decoder) environment(name string, b *hcl.Block) {
	var raw hclEnvironment
	if !d.read(b, &raw) || !d.named(name) {
		return
	}
	d.out.Environments = append(d.out.Environments, Environment{Name: name, Match: d.match(hclMatch(raw), nil), Place: d.place})
}

// match checks patterns.
func (d *decoder) match(raw hclMatch, environments []string) Match {
	m := Match{Clients: raw.Clients, Repos: raw.Repos, Environments: environments, Projects: raw.Projects, Dirs: cleaned(raw.Dirs), Workspaces: raw.Workspaces}
	for _, l := range []struct {
		name string
		list []string
	}{{"clients", m.Clients}, {"repos", m.Repos}, {"environments", m.Environments}, {"projects", m.Projects}, {"dirs", m.Dirs}, {"workspaces", m.Workspaces}} {
		for _, p := range l.list {
			if p == "" || !doublestar.ValidatePattern(p) {
				d.say("%s holds %q, which is not a pattern.", l.name, p)
			}
		}
	}
	for _, p := range m.Repos {
		if !strings.Contains(p, "/") && p != "**" {
			d.say("repos holds %q, which matches no repository: write OWNER/NAME, or OWNER/*.", p)
		}
	}
	return m
}

// cleaned takes the slash and the ./ away that people write around folders.
func cleaned(dirs []string) []string {
	var out []string
	for _, dir := range dirs {
		if dir != "" {
			dir = path.Clean(strings.TrimSuffix(dir, "/"))
		}
		out = append(out, dir)
	}
	return out
}

type hclScope struct {
	Clients      []string            `hcl:"clients,optional"`
	Repos        []string            `hcl:"repos,optional"`
	Environments []string            `hcl:"environments,optional"`
	Projects     []string            `hcl:"projects,optional"`
	Dirs         []string            `hcl:"dirs,optional"`
	Workspaces   []string            `hcl:"workspaces,optional"`
	Packs        []string            `hcl:"packs,optional"`
	Levels       map[string]string   `hcl:"levels,optional"`
	Settings     hcl.Expression      `hcl:"settings,optional"`
	Owners       []string            `hcl:"owners,optional"`
	OwnerCount   int                 `hcl:"owner_count,optional"`
	PackOwners   map[string][]string `hcl:"pack_owners,optional"`
}

func (d *decoder) scope(name string, b *hcl.Block) {
	var raw hclScope
	if !d.read(b, &raw) || !d.named(name) {
		return
	}
	s := Scope{
		Name: name, Packs: raw.Packs, Levels: map[string]policy.Level{}, Owners: raw.Owners, OwnerCount: raw.OwnerCount, PackOwners: raw.PackOwners, Place: d.place,
		Match: d.match(hclMatch{raw.Clients, raw.Repos, raw.Projects, raw.Dirs, raw.Workspaces}, raw.Environments),
	}
	for _, rule := range sorted(raw.Levels) {
		s.Levels[rule] = policy.Level(raw.Levels[rule])
		if !s.Levels[rule].Valid() {
			d.say("levels has %q for %s; a level is off, advisory, mandatory or hard.", raw.Levels[rule], rule)
		}
	}
	settings, err := settingsOf(raw.Settings)
	if err != nil {
		d.say("settings %v.", err)
	}
	s.Settings = settings
	if s.OwnerCount < 0 || s.OwnerCount > 20 {
		d.say("owner_count must be between 1 and 20, but is %d.", s.OwnerCount)
	}
	all := slices.Clone(s.Owners)
	for _, pack := range sorted(s.PackOwners) {
		all = append(all, s.PackOwners[pack]...)
	}
	for _, o := range all {
		if problem := OwnerProblem(o); problem != "" {
			d.say("%q among the owners %s", o, problem)
		}
	}
	d.out.Scopes = append(d.out.Scopes, s)
}

// OwnerProblem says what keeps text from naming an owner, as the end of a
// sentence; "" where nothing does.
func OwnerProblem(o string) string {
	org, team, ok := strings.Cut(o, "/")
	if org == "" || strings.HasPrefix(o, "@") || strings.ContainsAny(o, " \t\n") || ok && (team == "" || strings.Contains(team, "/")) {
		return "is neither a login such as `alice` nor a team such as `acme/platform`."
	}
	return ""
}

// settingsOf reads { "pack.name" = value }.
func settingsOf(expr hcl.Expression) (policy.Settings, error) {
	if expr == nil {
		return nil, nil
	}
	v, diags := expr.Value(nil)
	if diags.HasErrors() {
		return nil, fmt.Errorf("can't be read: %s", diags[0].Detail)
	}
	return SettingsOf(v)
}

// SettingsOf makes settings of { "pack.name" = value }.
func SettingsOf(v cty.Value) (policy.Settings, error) {
	if v.IsNull() {
		return nil, nil
	}
	if t := v.Type(); !t.IsObjectType() && !t.IsMapType() || !v.IsWhollyKnown() {
		return nil, fmt.Errorf("is no map of a setting's name to its value, such as { \"tagging.required\" = [\"owner\"] }")
	}
	raw, err := ctyjson.SimpleJSONValue{Value: v}.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("can't be read: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	flat := map[string]any{}
	if err := dec.Decode(&flat); err != nil {
		return nil, fmt.Errorf("can't be read: %w", err)
	}
	out := policy.Settings{}
	for _, key := range sorted(flat) {
		at := strings.LastIndexByte(key, '.')
		if at <= 0 || at == len(key)-1 {
			return nil, fmt.Errorf("has %q, which is not a pack and a setting of it, such as \"tagging.required\"", key)
		}
		if out[key[:at]] == nil {
			out[key[:at]] = map[string]any{}
		}
		out[key[:at]][key[at+1:]] = flat[key]
	}
	return out, nil
}

// problemsOf takes over what HCL found.
func problemsOf(block, file string, diags hcl.Diagnostics) []Problem {
	var out []Problem
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		p := Problem{Place: Place{File: file}, Block: block, Message: strings.TrimSuffix(d.Summary, ".") + "."}
		if d.Subject != nil {
			p.Place = placeOf(*d.Subject)
		}
		if d.Detail != "" {
			p.Message += " " + d.Detail
		}
		out = append(out, p)
	}
	return out
}

func placeOf(r hcl.Range) Place {
	return Place{File: r.Filename, Line: r.Start.Line, Column: r.Start.Column}
}
