package policyset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
)

// maxEngines is how many compiled engines are kept beside the one of the
// bundled packs alone: one a combination of packs, each some tens of MB.
const maxEngines = 6

// engines compiles each combination of packs once. It is safe for concurrent
// use.
type engines struct {
	options policy.Options
	base    *policy.Engine // of the bundled packs alone

	flight singleflight.Group
	mu     sync.Mutex
	kept   []compiled // the last used at the end
}

type compiled struct {
	key    string
	engine *policy.Engine
	err    error // errs.Invalid: the same content does not compile the next time either
}

// part is a pack of an engine: digest stands for its files. What one pack has
// no other sees: a repository's own can add findings, and change no one's.
type part struct {
	policy.Pack
	digest string
}

// packOf is a source's copy as the engine takes it.
func packOf(p *source, c *copied) policy.Pack {
	return policy.Pack{Name: p.pack.Name, FS: c.fs, Data: p.pack.Data, Untyped: p.pack.Untyped}
}

// of returns the engine of the packs.
func (e *engines) of(ctx context.Context, parts []part) (*policy.Engine, error) {
	if len(parts) == 0 {
		return e.base, nil
	}
	var key strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&key, "%s %s %q %t\n", p.Name, p.digest, p.Data, p.Untyped)
	}
	if c, ok := e.recall(key.String()); ok {
		return c.engine, c.err
	}
	done := e.flight.DoChan(key.String(), func() (any, error) {
		if c, ok := e.recall(key.String()); ok {
			return c, nil
		}
		c := compiled{key: key.String()}
		c.engine, c.err = e.compile(parts)
		e.remember(c)
		return c, nil
	})
	select {
	case r := <-done:
		c := r.Val.(compiled)
		return c.engine, c.err
	case <-ctx.Done():
		return nil, errs.Wrap(errs.Canceled, ctx.Err(), "The policies were not compiled: the work was stopped.")
	}
}

func (e *engines) compile(parts []part) (*policy.Engine, error) {
	o := e.options
	for _, p := range parts {
		o.Packs = append(o.Packs, p.Pack)
	}
	return policy.New(o)
}

func (e *engines) recall(key string) (compiled, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.kept, func(c compiled) bool { return c.key == key })
	if i < 0 {
		return compiled{}, false
	}
	c := e.kept[i]
	e.kept = append(slices.Delete(e.kept, i, i+1), c)
	return c, true
}

func (e *engines) remember(c compiled) {
	if c.err != nil && !errs.Is(c.err, errs.Invalid) && !errs.Is(c.err, errs.TooLarge) {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept = append(e.kept, c)
	if len(e.kept) > maxEngines {
		e.kept = slices.Delete(e.kept, 0, 1)
	}
}

// digestOf hashes the files of a pack.
func digestOf(pack fs.FS) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(pack, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".rego") {
			return err
		}
		src, err := fs.ReadFile(pack, name)
		fmt.Fprintf(sum, "%d %s %d\n%s", len(name), name, len(src), src)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}
