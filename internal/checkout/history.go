package checkout

import (
	"container/heap"
	"context"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/tidelock/tidelock/internal/errs"
)

// Marks of a commit during the search for a merge base.
const (
	fromA = 1 << iota
	fromB
	stale // an ancestor of a common ancestor: no longer of interest
	found
)

// mergeBase returns the newest best common ancestor of a and b, and whether
// there is one. It walks back from both in order of date and stops once all
// that is left lies behind what it found, so that its cost is the distance of
// the two and not the length of the history, which go-git's own walks whole.
func mergeBase(ctx context.Context, r *reader, a, b plumbing.Hash) (plumbing.Hash, bool, error) {
	if a == b {
		return a, true, nil
	}
	marks := map[plumbing.Hash]int{}
	var queue commitQueue
	push := func(h plumbing.Hash, mark int) error {
		if marks[h]&mark == mark {
			return nil
		}
		marks[h] |= mark
		c, err := r.commit(h)
		if err == nil {
			heap.Push(&queue, c)
		}
		return err
	}
	if err := push(a, fromA); err != nil {
		return plumbing.ZeroHash, false, err
	}
	if err := push(b, fromB); err != nil {
		return plumbing.ZeroHash, false, err
	}
	var common []*object.Commit
	live := func(c *object.Commit) bool { return marks[c.Hash]&stale == 0 }
	for slices.ContainsFunc(queue, live) {
		if ctx.Err() != nil {
			return plumbing.ZeroHash, false, stopped(ctx)
		}
		c := heap.Pop(&queue).(*object.Commit)
		mark := marks[c.Hash] & (fromA | fromB | stale)
		if mark == fromA|fromB {
			if marks[c.Hash]&found == 0 {
				marks[c.Hash] |= found
				common = append(common, c)
			}
			mark |= stale
		}
		for _, parent := range c.ParentHashes {
			if err := push(parent, mark); err != nil {
				return plumbing.ZeroHash, false, err
			}
		}
	}
	var best *object.Commit
	for _, c := range common {
		if live(c) && (best == nil || c.Committer.When.After(best.Committer.When)) {
			best = c
		}
	}
	if best == nil {
		return plumbing.ZeroHash, false, nil
	}
	return best.Hash, true, nil
}

// commitQueue is a heap, the newest commit first.
type commitQueue []*object.Commit

func (q commitQueue) Len() int           { return len(q) }
func (q commitQueue) Less(i, j int) bool { return q[i].Committer.When.After(q[j].Committer.When) }
func (q commitQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *commitQueue) Push(c any)        { *q = append(*q, c.(*object.Commit)) }
func (q *commitQueue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	*q = (*q)[:last]
	return c
}

// changed returns the paths that differ between two commits. Folders that are
// the same are not entered. No renames are guessed: a moved file is a path
// that went and one that came, and both count.
func (s *Store) changed(ctx context.Context, from, to *part) ([]string, error) {
	d := differ{ctx: ctx, max: s.opts.MaxFiles, text: s.maxText(), odd: !samePlaces(from, to)}
	if err := d.compare(from.top(), to.top(), "", 0); err != nil {
		return nil, err
	}
	slices.Sort(d.paths)
	return slices.Compact(d.paths), nil
}

type differ struct {
	ctx   context.Context
	max   int
	odd   bool // a submodule is fetched in one only, maybe though its commit is the same
	paths []string
	seen  int   // entries
	text  int64 // bytes that paths may still have
}

// compare adds what differs below path between two nodes, either of which can
// be the zero node: nothing there.
func (d *differ) compare(a, b node, path string, depth int) error {
	if a.e.Hash == b.e.Hash && a.e.Mode == b.e.Mode && a.link == b.link && !d.odd {
		return nil
	}
	if d.ctx.Err() != nil {
		return stopped(d.ctx)
	}
	// A few folders that hold each other again and again have no end, though
	// nothing stands in them.
	if d.seen++; depth > maxDepth || len(d.paths) > d.max || d.seen > 4*d.max || d.text < 0 {
		return errs.New(errs.TooLarge, "The comparison has more than %d paths, or folders deeper than %d.", d.max, maxDepth)
	}
	// A folder that became a file, or the other way round, is both. So is a
	// submodule that is at another commit.
	if (isFile(a.e) || isFile(b.e)) && (a.e.Hash != b.e.Hash || a.e.Mode != b.e.Mode) || a.link != b.link {
		d.paths = append(d.paths, path)
		d.text -= int64(len(path))
	}
	before, err := d.children(a)
	if err != nil {
		return err
	}
	after, err := d.children(b)
	if err != nil {
		return err
	}
	for name, entry := range after {
		if err := d.compare(before[name], entry, join(path, name), depth+1); err != nil {
			return err
		}
		delete(before, name)
	}
	for name, entry := range before {
		if err := d.compare(entry, node{}, join(path, name), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func isFile(e object.TreeEntry) bool { return e.Mode != filemode.Empty && e.Mode != filemode.Dir }

func (d *differ) children(n node) (map[string]node, error) {
	if n.e.Mode != filemode.Dir {
		return nil, nil
	}
	entries, err := n.in.r.tree(n.e.Hash)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]node, len(entries))
	for _, e := range entries {
		byName[e.Name] = n.below(e)
	}
	return byName, nil
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}
