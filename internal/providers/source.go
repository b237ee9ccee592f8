package providers

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-version"

	"github.com/tidelock/tidelock/internal/errs"
)

// offer is a package that a source has, and what it says of it.
type offer struct {
	url      string
	from     string   // for people: "registry.terraform.io"
	hashes   []string // one of them must be the package's: zh: of the archive, h1: of what is in it; none where the source names none
	sums     []string // zh: of the archives for all platforms, as far as they are told
	signedBy string   // the key that signed the sums; "" where none did
	note     string   // a sentence about what is weaker than usual; "" mostly
}

// source is where packages come from.
type source interface {
	name() string
	// versions returns those that it has for the platform, errAbsent where
	// it does not know the provider.
	versions(ctx context.Context, a Address, platform string) ([]*version.Version, error)
	// offer returns where a version's package is, errAbsent where it has none
	// for the platform.
	offer(ctx context.Context, a Address, v, platform string) (offer, error)
}

// networkMirror is an operator's own server of packages.
type networkMirror struct {
	client *client
	base   *url.URL // ends with a slash
}

func (m *networkMirror) name() string { return m.base.Host }

func (m *networkMirror) address(a Address, file string) *url.URL {
	return m.base.JoinPath(a.Hostname.ForDisplay(), a.Namespace, a.Type, file)
}

func (m *networkMirror) versions(ctx context.Context, a Address, _ string) ([]*version.Version, error) {
	var index struct {
		Versions map[string]struct{} `json:"versions"`
	}
	if err := m.client.document(ctx, m.address(a, "index.json").String(), &index); err != nil {
		return nil, err
	}
	var out []*version.Version
	for text := range index.Versions {
		if v, err := version.NewVersion(text); err == nil {
			out = append(out, v)
		}
	}
	return out, nil
}

func (m *networkMirror) offer(ctx context.Context, a Address, v, platform string) (offer, error) {
	at := m.address(a, v+".json")
	var doc struct {
		Archives map[string]struct {
			URL    string   `json:"url"`
			Hashes []string `json:"hashes"`
		} `json:"archives"`
	}
	if err := m.client.document(ctx, at.String(), &doc); err != nil {
		return offer{}, err
	}
	archive, ok := doc.Archives[platform]
	if !ok {
		return offer{}, errAbsent
	}
	where, err := at.Parse(archive.URL)
	if err != nil {
		return offer{}, errs.Wrap(errs.Invalid, err, "The mirror %s names an address for %s %s that can't be read.", m.name(), a, v)
	}
	o := offer{url: where.String(), from: m.name(), hashes: knownHashes(archive.Hashes)}
	for _, other := range doc.Archives {
		for _, h := range other.Hashes {
			if strings.HasPrefix(h, "zh:") {
				o.sums = append(o.sums, h)
			}
		}
	}
	slices.Sort(o.sums)
	if len(o.hashes) == 0 {
		o.note = fmt.Sprintf("The mirror %s names no checksum of %s %s, so the package is what TLS alone vouches for.", m.name(), a, v)
	}
	return o, nil
}

// knownHashes leaves out what this program can't work out.
func knownHashes(all []string) []string {
	var out []string
	for _, h := range all {
		if strings.HasPrefix(h, "zh:") || strings.HasPrefix(h, "h1:") {
			out = append(out, h)
		}
	}
	return out
}

// lists remembers for some minutes what versions sources have, so that runs
// without a lock file do not ask for each plan anew, and so that those which
// start together choose the same.
type lists struct {
	age time.Duration
	now func() time.Time

	mu   sync.Mutex
	kept map[string]*list
}

// maxLists is how many lists are remembered at most, and maxVersions how many
// versions each may have: code that anybody may write names the providers.
const (
	maxLists    = 500
	maxVersions = 5000
)

type list struct {
	sync.Mutex
	at       time.Time
	versions []*version.Version
	err      error // errAbsent alone is kept
}

func (l *lists) get(ctx context.Context, s source, a Address, platform string) ([]*version.Version, error) {
	key := s.name() + " " + a.String()
	l.mu.Lock()
	if l.kept == nil {
		l.kept = map[string]*list{}
	}
	e := l.kept[key]
	if e == nil {
		if len(l.kept) >= maxLists {
			clear(l.kept)
		}
		e = &list{}
		l.kept[key] = e
	}
	l.mu.Unlock()
	e.Lock()
	defer e.Unlock()
	if !e.at.IsZero() && l.now().Sub(e.at) < l.age {
		return e.versions, e.err
	}
	versions, err := s.versions(ctx, a, platform)
	if err != nil && !errors.Is(err, errAbsent) {
		return nil, err
	}
	if len(versions) > maxVersions {
		return nil, errs.New(errs.TooLarge, "The provider %s has %d versions, more than the %d that are looked at.", a, len(versions), maxVersions)
	}
	e.at, e.versions, e.err = l.now(), versions, err
	return versions, err
}

// wish is which version of a provider is wanted.
type wish struct {
	exact       string // from the lock file; "" where nothing is pinned
	constraints []string
}

// String returns the wish as people read it.
func (w wish) String() string {
	switch {
	case w.exact != "":
		return w.exact
	case len(w.constraints) == 0:
		return "any version"
	}
	return strings.Join(w.constraints, ", ")
}

// meets reports whether a version will do. As in Terraform, one that is not a
// release is taken only where a constraint names it.
func (w wish) meets(v *version.Version) (bool, error) {
	named := false
	for _, text := range w.constraints {
		c, err := version.NewConstraint(text)
		if err != nil {
			return false, errs.Wrap(errs.Invalid, err, "%q is not a constraint of versions.", text)
		}
		if !c.Check(v) {
			return false, nil
		}
		bare, err := version.NewVersion(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "=")))
		named = named || err == nil && bare.Equal(v)
	}
	return v.Prerelease() == "" || named, nil
}

// newest returns the newest version that meets the wish, nil where none does.
func (w wish) newest(all []*version.Version) (*version.Version, error) {
	var best *version.Version
	for _, v := range all {
		ok, err := w.meets(v)
		if err != nil {
			return nil, err
		}
		if ok && (best == nil || v.GreaterThan(best)) {
			best = v
		}
	}
	return best, nil
}
