package checkout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// A part is one repository's share of a tree: that of the repository itself, or
// of a submodule at whatever depth. Close it with the part that it hangs on.
type part struct {
	src     Source
	commit  plumbing.Hash
	root    plumbing.Hash // of its tree
	r       *reader
	above   *part            // nil for the repository itself
	subs    map[string]*part // submodules that are fetched, by their path in this part
	release func()
}

// newPart returns the commit's tree, without its submodules.
func newPart(r *reader, commit plumbing.Hash) (*part, error) {
	c, err := r.commit(commit)
	if err != nil {
		return nil, err
	}
	return &part{commit: commit, root: c.TreeHash, r: r, release: func() {}}, nil
}

// open returns the commit's tree with the submodules that the source wants.
func (s *Store) open(ctx context.Context, src Source, v *view, commit plumbing.Hash) (*part, error) {
	p, err := s.hold(src, v, commit)
	if err != nil {
		return nil, err
	}
	if src.Submodules != nil {
		m := mounting{s: s, ctx: ctx, policy: *src.Submodules, home: src}
		if err := m.mount(p, "", 0); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

// openForgiving leaves out the submodules that can't be had, as long as it is
// not for a reason that goes away by itself: what a pull request changes can be
// told although its base is broken, and whoever reads the head is told what is
// wrong there.
func (s *Store) openForgiving(ctx context.Context, src Source, v *view, commit plumbing.Hash) (*part, error) {
	p, err := s.hold(src, v, commit)
	if err != nil {
		return nil, err
	}
	if src.Submodules != nil {
		m := mounting{s: s, ctx: ctx, policy: *src.Submodules, home: src, forgiving: true}
		if err := m.mount(p, "", 0); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

// hold returns a part whose mirror stays in use until it is closed.
func (s *Store) hold(src Source, v *view, commit plumbing.Hash) (*part, error) {
	r := s.reader(src, v)
	p, err := newPart(r, commit)
	if err != nil {
		r.close()
		return nil, err
	}
	m := s.use(src)
	p.src, p.release = src, func() { s.release(m) }
	return p, nil
}

// close gives all mirrors back.
func (p *part) close() {
	for _, sub := range p.subs {
		sub.close()
	}
	p.r.close()
	p.release()
}

// renew reads on in what took the place of a view that is gone, and reports
// whether there is such a thing.
func (p *part) renew(gone *view) bool {
	done := false
	if p.r.v == gone {
		now, err := gone.mirror.view()
		if err == nil && now.generation != gone.generation && now.has(p.commit) {
			memory := p.r.memory
			p.r.close()
			p.r = newReader(now)
			p.r.memory = memory
			done = true
		}
	}
	for _, sub := range p.subs {
		done = sub.renew(gone) || done
	}
	return done
}

// places returns the commits of the fetched submodules, at every depth, by
// their paths in the tree.
func (p *part) places() map[string]plumbing.Hash {
	out := map[string]plumbing.Hash{}
	var walk func(p *part, at string)
	walk = func(p *part, at string) {
		for own, sub := range p.subs {
			out[join(at, own)] = sub.commit
			walk(sub, join(at, own))
		}
	}
	walk(p, "")
	return out
}

// mounts names what the submodules hold; "" where there are none.
func (p *part) mounts() string {
	places := p.places()
	if len(places) == 0 {
		return ""
	}
	h := sha256.New()
	for _, at := range slices.Sorted(maps.Keys(places)) {
		fmt.Fprintf(h, "%q %s\n", at, places[at])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// samePlaces reports whether two trees have fetched submodules at the same
// paths.
func samePlaces(a, b *part) bool {
	x, y := a.places(), b.places()
	for at := range x {
		if _, ok := y[at]; !ok {
			return false
		}
	}
	return len(x) == len(y)
}

// node is an entry of a tree and where it is read from.
type node struct {
	e    object.TreeEntry
	in   *part
	own  string        // its path in the part
	link plumbing.Hash // of the submodule whose top it is
}

func (p *part) top() node {
	return node{e: object.TreeEntry{Mode: filemode.Dir, Hash: p.root}, in: p}
}

// below returns the node of one of the entries of n, which is a folder. A
// submodule that is fetched is the folder that it holds.
func (n node) below(e object.TreeEntry) node {
	own := join(n.own, e.Name)
	if e.Mode == filemode.Submodule {
		if sub := n.in.subs[own]; sub != nil {
			top := sub.top()
			top.e.Name, top.link = e.Name, e.Hash
			return top
		}
	}
	return node{e: e, in: n.in, own: own}
}

// child returns what stands under a name in n.
func (n node) child(name string) (node, error) {
	e, err := child(n.in.r, n.e, name)
	if err != nil {
		return node{}, err
	}
	return n.below(e), nil
}
