package checkout

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/tidelock/tidelock/internal/errs"
)

// Submodules says which submodules are fetched and from where. A submodule's
// address is a stranger's choice, so it leads only to the host that the
// repository itself is on, by https, and to those that are named here.
type Submodules struct {
	// Hosts are other hosts, with their port where that isn't the usual one,
	// that submodules which everybody may read can come from.
	Hosts []string
	// Scope is whose mirrors those are that Own does not know.
	Scope string
	// Own returns where a repository on the repository's own host comes from,
	// with the right to read it; false for one that is to be fetched as anybody
	// may fetch it. Only the source that it returns carries a token, and only to
	// that source is it sent. Nil knows none.
	Own func(ctx context.Context, owner, name string) (Source, bool, error)
}

const (
	// maxNesting bounds how deep submodules stand in each other.
	maxNesting = 5
	// maxSubmodules bounds how many a tree has.
	maxSubmodules = 100
)

// mounting is one look for the submodules of a tree.
type mounting struct {
	s         *Store
	ctx       context.Context
	policy    Submodules
	home      Source // the repository itself
	forgiving bool
	count     int
}

// mount opens the submodules of a part, and theirs. at is where it stands in
// the tree.
func (m *mounting) mount(p *part, at string, depth int) error {
	modules, err := p.modules(at)
	if err != nil || len(modules) == 0 {
		return m.forgive(err)
	}
	links, err := m.gitlinks(p)
	if err != nil {
		return err
	}
	for _, own := range slices.Sorted(maps.Keys(links)) {
		mod, ok := modules[own]
		if !ok || mod.skip {
			continue // Git itself fetches neither
		}
		sub, err := m.open(p, at, mod, links[own], depth)
		if err = m.forgive(err); err != nil {
			return err
		}
		if sub == nil {
			continue
		}
		if p.subs == nil {
			p.subs = map[string]*part{}
		}
		p.subs[own] = sub // before its own are opened: who closes p closes it
		if err := m.mount(sub, join(at, own), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// forgive drops an error that is the repository's own fault, where that is
// wanted.
func (m *mounting) forgive(err error) error {
	if m.forgiving && errs.Is(err, errs.Invalid) {
		return nil
	}
	return err
}

// modules reads the part's own account of its submodules.
func (p *part) modules(at string) (map[string]module, error) {
	e, err := child(p.r, p.top().e, ModulesFile)
	if err != nil || !isFile(e) || e.Mode == filemode.Symlink || e.Mode == filemode.Submodule {
		var damage *damagedError
		if errors.As(err, &damage) {
			return nil, err
		}
		return nil, nil // there is none, or none that Git would read
	}
	size, err := p.r.size(e.Hash)
	if err != nil {
		return nil, err
	}
	if size > maxModulesFile {
		return nil, errs.New(errs.Invalid, "%s is larger than %d MiB.", join(at, ModulesFile), maxModulesFile>>20)
	}
	text, err := p.r.blob(e.Hash)
	if err != nil {
		return nil, err
	}
	modules, err := parseModules(string(text))
	if err != nil && at != "" {
		err = errs.Wrap(errs.Invalid, err, "In the submodule %s: %s", at, errs.Sentence(err))
	}
	return modules, err
}

// gitlinks returns the commits that the part names where submodules stand.
func (m *mounting) gitlinks(p *part) (map[string]plumbing.Hash, error) {
	key := "gitlinks " + string(p.root[:])
	if known, ok := p.r.memory.recall(key); ok {
		return known.(map[string]plumbing.Hash), nil
	}
	links, seen := map[string]plumbing.Hash{}, 0
	var walk func(tree plumbing.Hash, dir string, depth int) error
	walk = func(tree plumbing.Hash, dir string, depth int) error {
		if m.ctx.Err() != nil {
			return stopped(m.ctx)
		}
		entries, err := p.r.tree(tree)
		if err != nil {
			return err
		}
		if seen += len(entries); seen > m.s.opts.MaxFiles || depth > maxDepth {
			return errs.New(errs.TooLarge, "The commit has more than %d files, or folders that stand more than %d deep.", m.s.opts.MaxFiles, maxDepth)
		}
		for _, e := range entries {
			switch e.Mode {
			case filemode.Dir:
				if err := walk(e.Hash, join(dir, e.Name), depth+1); err != nil {
					return err
				}
			case filemode.Submodule:
				links[join(dir, e.Name)] = e.Hash
			}
		}
		return nil
	}
	if err := walk(p.root, "", 0); err != nil {
		return nil, err
	}
	p.r.memory.remember(key, links, 128*len(links))
	return links, nil
}

// open fetches a submodule's commit where that is due. What it can't do is
// errs.Invalid with the line of .gitmodules to look at, save where it is worth
// trying again.
func (m *mounting) open(above *part, at string, mod module, commit plumbing.Hash, depth int) (*part, error) {
	sub, address, err := m.fetch(above, mod, commit, depth)
	if err == nil {
		return sub, nil
	}
	var damage *damagedError
	if errors.As(err, &damage) || m.ctx.Err() != nil {
		return nil, err
	}
	kind := errs.Invalid
	if k := errs.KindOf(err); k == errs.Unavailable || k == errs.TooLarge || k == errs.Canceled {
		kind = k
	}
	where := join(at, ModulesFile)
	if mod.line > 0 {
		where = fmt.Sprintf("%s:%d", where, mod.line)
	}
	if address != "" {
		address = " from " + address
	}
	return nil, errs.Wrap(kind, err, "%s: The submodule %s can't be fetched%s at %s. %s Mend its address there, or leave it out with update = none.",
		where, join(at, mod.path), address, commit.String()[:12], errs.Sentence(err))
}

func (m *mounting) fetch(above *part, mod module, commit plumbing.Hash, depth int) (*part, string, error) {
	if m.count++; m.count > maxSubmodules {
		return nil, "", errs.New(errs.Invalid, "The repository has more than %d submodules.", maxSubmodules)
	}
	if depth >= maxNesting {
		return nil, "", errs.New(errs.Invalid, "Submodules stand more than %d deep in each other.", maxNesting)
	}
	address, err := m.home.resolve(above.src.URL, mod.url)
	if err != nil {
		return nil, "", err
	}
	src, err := m.source(address)
	if err != nil {
		return nil, address, err
	}
	way := []string{address}
	for p := above; p != nil; p = p.above {
		way = append(way, p.src.URL)
		if sameRepository(p.src, src) {
			slices.Reverse(way)
			return nil, address, errs.New(errs.Invalid, "The submodules go round: %s.", strings.Join(way, " has "))
		}
	}
	var p *part
	err = m.s.with(m.ctx, src, nil, []string{commit.String()}, func(v *view, commits []plumbing.Hash) (err error) {
		p, err = m.s.hold(src, v, commits[0])
		return err
	})
	if k := errs.KindOf(err); err != nil && src.Auth == nil && (k == errs.Forbidden || k == errs.NotFound && !errors.Is(err, errGone)) {
		err = errs.Wrap(errs.Invalid, err, "Not everybody may read it, and Tidelock reads by its own right only what the same installation of the App has, and %s on the base branch names already.", ModulesFile)
	}
	if err != nil {
		return nil, address, err
	}
	p.above = above
	return p, address, nil
}

func sameRepository(a, b Source) bool {
	plain := func(s string) string { return strings.ToLower(strings.TrimSuffix(s, ".git")) }
	return a.RepoID > 0 && a.RepoID == b.RepoID || plain(a.URL) == plain(b.URL)
}

// source says where the submodule at an address, which resolve returned, comes
// from.
func (m *mounting) source(address string) (Source, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Source{}, errs.New(errs.Invalid, "Its address can't be read.")
	}
	home, err := url.Parse(m.home.URL)
	if err != nil {
		return Source{}, errs.New(errs.Invalid, "The repository's address can't be read.")
	}
	if strings.EqualFold(u.Host, home.Host) {
		if owner, name, ok := ownName(m.home.URL, address); ok && m.policy.Own != nil {
			src, own, err := m.policy.Own(m.ctx, owner, name)
			if err != nil {
				return Source{}, err
			}
			if own {
				src.Submodules, src.sameHost = nil, true
				if src.URL == "" {
					src.URL = address
				}
				return src, nil
			}
		}
	} else if !slices.ContainsFunc(m.policy.Hosts, func(h string) bool { return strings.EqualFold(h, u.Host) }) {
		return Source{}, errs.New(errs.Invalid, "This server fetches submodules from %s only, and not from %s: who runs it can add that to checkout.submodule_hosts.",
			strings.Join(append([]string{home.Host}, m.policy.Hosts...), ", "), u.Host)
	}
	return Source{Scope: m.policy.Scope, URL: address, sameHost: true}, nil
}

// SubmoduleNames returns the repositories on the source's own host that the text
// of its .gitmodules names, as owner/name in lower case: none where the text
// can't be read.
func SubmoduleNames(src Source, text string) map[string]bool {
	names := map[string]bool{}
	modules, err := parseModules(text)
	if err != nil {
		return names
	}
	for _, mod := range modules {
		address, err := src.resolve(src.URL, mod.url)
		if err != nil {
			continue
		}
		if owner, name, ok := ownName(src.URL, address); ok {
			names[strings.ToLower(owner+"/"+name)] = true
		}
	}
	return names
}

// ownName returns the owner and name of the repository at an address, which
// resolve returned; not ok where it is on another host than home.
func ownName(home, address string) (owner, name string, ok bool) {
	a, err := url.Parse(home)
	if err != nil {
		return "", "", false
	}
	b, err := url.Parse(address)
	if err != nil || !strings.EqualFold(a.Host, b.Host) {
		return "", "", false
	}
	owner, name, ok = strings.Cut(strings.TrimSuffix(strings.Trim(b.Path, "/"), ".git"), "/")
	return owner, name, ok && owner != "" && name != "" && !strings.Contains(name, "/")
}

// resolve returns the address of a submodule as .gitmodules has it, in full.
// Relative ones hang on the address of the repository that they stand in, as
// Git has it. What SSH would fetch is fetched by https.
func (src Source) resolve(above, address string) (string, error) {
	home, err := url.Parse(src.URL)
	if err != nil {
		return "", errs.New(errs.Invalid, "The repository's address can't be read.")
	}
	if address == "" {
		return "", errs.New(errs.Invalid, "It has no address.")
	}
	if strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return "", errs.New(errs.Invalid, "Its address holds blanks or signs that no address has.")
	}
	var u *url.URL
	switch {
	case strings.HasPrefix(address, "./"), strings.HasPrefix(address, "../"):
		if u, err = url.Parse(above); err != nil {
			return "", errs.New(errs.Invalid, "The repository's address can't be read.")
		}
		at, rest := strings.Split(strings.Trim(u.Path, "/"), "/"), address
		for {
			if next, ok := strings.CutPrefix(rest, "./"); ok {
				rest = next
			} else if next, ok := strings.CutPrefix(rest, "../"); ok && len(at) > 0 {
				rest, at = next, at[:len(at)-1]
			} else {
				break
			}
		}
		u = u.JoinPath() // a copy
		u.Path = "/" + strings.Join(append(at, rest), "/")
	case !strings.Contains(address, "://"):
		host, p, ok := strings.Cut(address, ":") // git@host:owner/name.git
		_, name, named := strings.Cut(host, "@")
		if !ok || !named || strings.Contains(host, "/") {
			return "", errs.New(errs.Invalid, "Its address is neither an https one nor relative to the repository's.")
		}
		u = &url.URL{Scheme: "https", Host: name, Path: "/" + strings.TrimLeft(p, "/")}
	default:
		if u, err = url.Parse(address); err != nil {
			return "", errs.New(errs.Invalid, "Its address can't be read.")
		}
		if u.Scheme == "ssh" || u.Scheme == "git+ssh" {
			u.Scheme, u.User = "https", nil
		}
	}
	switch {
	case u.User != nil:
		return "", errs.New(errs.Invalid, "Its address holds credentials. Tidelock takes none from a repository.")
	case u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return "", errs.New(errs.Invalid, "Its address has a query or a fragment.")
	case strings.EqualFold(u.Host, home.Host):
		u.Scheme, u.Host = home.Scheme, home.Host
	case u.Scheme != "https":
		return "", errs.New(errs.Invalid, "Its address is one of %s: Tidelock fetches submodules by https only.", u.Scheme)
	}
	if u.Host == "" || u.Path == "" || path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") || u.RawPath != "" {
		return "", errs.New(errs.Invalid, "Its address can't be read.")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u.String(), nil
}
