package policyset

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/egress"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/internal/redact"
)

// Options say what judges, and where policies come from. The zero Options are
// the bundled packs as they come.
type Options struct {
	// Overrides, Owners and Disabled stand below all that scopes say: the
	// server's policy settings.
	Overrides policy.Overrides
	Owners    policy.Owners // of all packs that no scope gives others
	Disabled  bool          // the bundled rules are off where nothing says otherwise
	Config    Config        // of the server's own file
	Admin     Admin

	Dir string // keeps good copies and mirrors; "" keeps none over restarts
	// Token returns a secret by its name. admin says that the admin repository
	// asks for it, which may not have all. nil: there are none.
	Token func(ctx context.Context, name string, admin bool) (redact.Secret, error)
	// Egress says how hosts are reached; Own is filled in.
	Egress egress.Options
	// Engine is how rules are evaluated; its packs and overrides are filled in.
	Engine       policy.Options
	AdminRefresh time.Duration // how often the admin repository is asked; 0 is one minute
	Log          *slog.Logger
	Now          func() time.Time
}

// Sets knows what judges each project. It is safe for concurrent use.
type Sets struct {
	options           Options
	engines           *engines
	disk              copies
	client, strangers *http.Client // for sources that the server's file names, and for others
	git, strangersGit *checkout.Store
	admin             *source // nil for none

	mu       sync.Mutex
	parsed   adminNow
	sources  map[string]*source // by key of the source and its configuration
	watching bool
}

// New compiles what every project is judged by. What is wrong with that, or
// with what scopes name, is errs.Invalid. No source is asked yet.
func New(o Options) (*Sets, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.AdminRefresh == 0 {
		o.AdminRefresh = time.Minute
	}
	base, err := policy.New(o.Engine)
	if err != nil {
		return nil, err
	}
	s := &Sets{options: o, engines: &engines{options: o.Engine, base: base}, sources: map[string]*source{}}
	if err := s.checkDefaults(); err != nil {
		return nil, err
	}
	if err := invalid(append(o.Config.Check(), s.unknown(o.Config)...)); err != nil {
		return nil, err
	}
	own, others := o.egressOf(o.Config.own()), o.egressOf(nil)
	s.client, s.strangers = own.Client(), others.Client()
	if o.Dir != "" {
		s.disk = copies{filepath.Join(o.Dir, "copies")}
		s.git = checkout.New(filepath.Join(o.Dir, "git"), checkout.Options{Transport: s.client.Transport, Timeout: fetchTime, MaxFetch: 512 << 20})
		s.strangersGit = checkout.New(filepath.Join(o.Dir, "git-admin"), checkout.Options{Transport: s.strangers.Transport, Timeout: fetchTime, MaxFetch: 512 << 20})
	}
	if o.Admin.Repo != "" {
		s.admin = s.adminSource()
	}
	return s, nil
}

// checkDefaults checks what stands below all scopes.
func (s *Sets) checkDefaults() error {
	o := s.options
	var wrong []string
	for _, key := range sorted(o.Overrides.Levels) {
		if !o.Overrides.Levels[key].Valid() {
			wrong = append(wrong, fmt.Sprintf("the level of %s is %q, which is none of off, advisory, mandatory, hard", key, o.Overrides.Levels[key]))
		} else if problem := s.unknownRule(key, len(o.Config.Packs) > 0 || o.Admin.Repo != ""); problem != "" {
			wrong = append(wrong, problem)
		}
	}
	if len(wrong) > 0 {
		return errs.New(errs.Invalid, "The policy settings are wrong: %s.", strings.Join(wrong, "; "))
	}
	return s.engines.base.Check(policy.Overrides{Settings: o.Overrides.Settings})
}

// unknownRule says that a key of levels names no rule; "" where it does, or
// may once packs are there.
func (s *Sets) unknownRule(key string, packs bool) string {
	top, _, _ := strings.Cut(key, ".")
	if ofScanners(key) {
		return "" // which rules a scanner has nobody knows here
	}
	family := false
	for _, r := range s.engines.base.Rules() {
		if _, ok := longest(map[string]policy.Level{key: ""}, r); ok {
			return ""
		}
		family = family || strings.HasPrefix(r.ID, top+".")
	}
	if packs && !family {
		return ""
	}
	return fmt.Sprintf("there is no rule %q", key)
}

// For returns what judges the project. repo is what its repository says at the
// base. An error means that what should judge can't be had: the plan must then
// be held to be judged by policy.Unjudged.
func (s *Sets) For(ctx context.Context, t Target, repo RepoPolicy) (Judging, error) {
	admin, err := s.administration(ctx)
	if err != nil {
		return Judging{}, err
	}
	r := resolving{target: t, repo: repo}
	var j Judging
	server := s.options.Config
	serverEnvironment, origin := environmentOf(server.Environments, t)
	j.Environment, j.EnvironmentOrigin = serverEnvironment, origin
	switch other, at := environmentOf(admin.Environments, t); {
	case other != "" && (serverEnvironment == "" || s.options.Admin.MayLoosen):
		j.Environment, j.EnvironmentOrigin = other, at
	}
	r.environment = j.Environment

	serverScopes := scopesOf(server.Scopes, t, serverEnvironment)
	r.chain = chain{base: s.options, scopes: scopesOf(slices.Concat(server.Scopes, admin.Scopes), t, j.Environment), caps: map[string]PackConfig{}}
	if s.admin != nil && !s.options.Admin.MayLoosen {
		r.floor = &chain{base: s.options, scopes: serverScopes, caps: map[string]PackConfig{}}
	}
	for _, scope := range r.chain.scopes {
		j.Scopes = append(j.Scopes, scope.origin())
	}
	var parts []part
	for _, p := range s.packsOf(admin, serverScopes, r.chain.scopes) {
		r.chain.caps[p.pack.Name] = p.pack
		if r.floor != nil && !p.admin {
			r.floor.caps[p.pack.Name] = p.pack
		}
		got, err := s.contentOf(ctx, p, admin)
		if err != nil {
			return Judging{}, err
		}
		parts = append(parts, part{Pack: packOf(p, got), digest: got.digest})
		j.Packs = append(j.Packs, stateOf(p, got, nil))
		if text := p.trouble(); text != "" {
			j.Notes = append(j.Notes, text)
		}
	}
	if s.admin != nil {
		if text := s.admin.trouble(); text != "" {
			j.Notes = append(j.Notes, text)
		}
	}
	for _, p := range repo.Packs {
		digest, err := digestOf(p.FS)
		if err != nil {
			return Judging{}, err
		}
		parts = append(parts, part{Pack: p, digest: digest})
		j.Packs = append(j.Packs, PackState{Name: p.Name, Kind: "repository", From: repo.origin(), Digest: digest})
	}
	if j.Engine, err = s.engines.of(ctx, parts); err != nil {
		return Judging{}, err
	}
	r.rules, r.chain.defaults = j.Engine.Rules(), j.Engine.Settings()
	j.scanners = append(j.scanners, r.chain.scanLevels())
	if r.floor != nil {
		r.floor.defaults = r.chain.defaults
		j.scanners = append(j.scanners, r.floor.scanLevels())
	}
	r.tighter = tighterOf(j.Engine)
	out := r.resolve()
	j.Overrides, j.Owners, j.OwnerOrigins = out.overrides(r.rules), out.owners, out.ownersOf
	j.Levels, j.Settings, j.Notes = out.levels, out.settings, append(j.Notes, out.notes...)
	for i := range j.Packs {
		j.Packs[i].Rules = countRules(r.rules, j.Packs[i].Name)
	}
	return j, nil
}

func countRules(rules []policy.Rule, pack string) (n int) {
	for _, r := range rules {
		if r.Pack == pack {
			n++
		}
	}
	return n
}

// packsOf returns the sources of the packs that judge where the scopes match:
// those that no scope names, and those that these name. The admin repository
// can't take one of the server's away by naming it.
func (s *Sets) packsOf(admin adminNow, serverScopes, scopes []Scope) []*source {
	server := s.options.Config
	named := func(list []Scope, pack string) bool {
		return slices.ContainsFunc(list, func(sc Scope) bool { return slices.Contains(sc.Packs, pack) })
	}
	var out []*source
	for _, p := range server.Packs {
		scoped := named(server.Scopes, p.Name)
		if s.options.Admin.MayLoosen {
			scoped = scoped || named(admin.Scopes, p.Name)
		}
		if !scoped || named(serverScopes, p.Name) || named(scopes, p.Name) {
			out = append(out, s.sourceOf(p, false, adminNow{}))
		}
	}
	for _, p := range admin.Packs {
		if !named(admin.Scopes, p.Name) || named(scopes, p.Name) {
			out = append(out, s.sourceOf(p, true, admin))
		}
	}
	return out
}

// sourceOf returns the source of a pack, which stays the same while its
// configuration does. What follows a changed one begins with its copy on disk.
func (s *Sets) sourceOf(p PackConfig, admin bool, now adminNow) *source {
	key := fmt.Sprintf("%t %+v", admin, p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if src, ok := s.sources[key]; ok {
		return src
	}
	src := &source{pack: p, admin: admin, disk: s.disk, now: s.options.Now, log: s.options.Log}
	if admin {
		src.readKey = func() ([]byte, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.parsed.copy == nil {
				return nil, errs.New(errs.Unavailable, "The admin repository was not read yet.")
			}
			text, ok := s.parsed.copy.files[p.KeyFile]
			if !ok {
				return nil, errs.New(errs.NotFound, "There is no %s in the admin repository.", p.KeyFile)
			}
			return text, nil
		}
	}
	if admin && p.Kind() == "folder" {
		src.fetch = s.adminFolder(p.Path)
	} else {
		src.fetch = s.fetcherOf(p, admin)
	}
	s.sources[key] = newSource(src)
	return s.sources[key]
}

// adminFolder reads a folder of the admin repository's copy.
func (s *Sets) adminFolder(dir string) fetcher {
	return func(_ context.Context, have *copied) (fetched, error) {
		s.mu.Lock()
		copy := s.parsed.copy
		s.mu.Unlock()
		if have != nil && have.ETag == copy.digest {
			return fetched{}, errSame
		}
		files := within(copy.files, dir)
		if len(files) == 0 {
			return fetched{}, wrongError{errs.New(errs.Invalid, "The admin repository has no folder %s at %s.", dir, copy.Revision)}
		}
		return fetched{files: files, revision: copy.Revision, etag: copy.digest}, nil
	}
}

// contentOf returns what judges of a source.
func (s *Sets) contentOf(ctx context.Context, p *source, admin adminNow) (*copied, error) {
	if p.admin && p.pack.Kind() == "folder" {
		if have, err := p.get(); err != nil || have.ETag != admin.copy.digest {
			p.refresh(ctx)
		}
		return p.get()
	}
	return s.current(ctx, p)
}

// current returns a source's copy, asking the source first where that is due
// and nobody does so in the background, or where there is no copy.
func (s *Sets) current(ctx context.Context, p *source) (*copied, error) {
	s.mu.Lock()
	watching := s.watching
	s.mu.Unlock()
	if p.due() && (p.local() || !watching || !p.ready()) {
		p.refresh(ctx)
	}
	if err := ctx.Err(); err != nil {
		return nil, errs.Wrap(errs.Canceled, err, "The policies were not looked for: the work was stopped.")
	}
	return p.get()
}

// host is that of a pack's source; "" for a folder.
func (p PackConfig) host() string {
	switch p.Kind() {
	case "git", "bundle":
		if u, err := url.Parse(p.Git + p.URL); err == nil {
			return u.Hostname()
		}
	case "oci":
		if ref, err := parseReference(p.OCI); err == nil {
			return hostOf(ref.Registry)
		}
	}
	return ""
}
