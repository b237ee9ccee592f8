package policyset

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/tidelock/tidelock/internal/errs"
)

// PackState is where a pack stands.
type PackState struct {
	Name      string    `json:"name"`
	Kind      string    `json:"kind"` // folder, git, bundle, oci or repository
	From      string    `json:"from"`
	Admin     bool      `json:"admin,omitempty"` // the admin repository names it
	Revision  string    `json:"revision,omitempty"`
	Version   string    `json:"version,omitempty"` // what a bundle's manifest says of itself
	Digest    string    `json:"digest,omitempty"`
	Signature string    `json:"signature,omitempty"` // "checked", "none demanded" or "demanded"
	Confirmed time.Time `json:"confirmed,omitzero"`
	Rules     int       `json:"rules"`
	Problem   string    `json:"problem,omitempty"` // why nothing or nothing newer judges
	Place     string    `json:"place,omitempty"`   // of the block
}

// Line says of a pack where it comes from and what it is, on one line.
func (s PackState) Line() string {
	text := s.Name + " from " + s.From
	if s.Kind != "folder" && s.Name != "admin repository" {
		text = s.Name + " (" + s.Kind + ") from " + s.From
	}
	if s.Admin && s.Name != "admin repository" {
		text += ", named by the admin repository"
	}
	if s.Revision != "" {
		text += " at " + s.Revision
	}
	if s.Version != "" {
		text += " (" + s.Version + ")"
	}
	if s.Problem != "" {
		return text + ": " + s.Problem
	}
	if s.Name == "admin repository" {
		return text
	}
	return fmt.Sprintf("%s, content %.12s, signature %s: %s", text, s.Digest, s.Signature, english.Plural(s.Rules, "rule", ""))
}

func stateOf(p *source, c *copied, err error) PackState {
	out := PackState{Name: p.pack.Name, Kind: p.pack.Kind(), From: p.pack.From(), Admin: p.admin, Place: p.pack.Place.String(), Signature: "none demanded"}
	if p.pack.KeyFile != "" {
		out.Signature = "demanded"
		if !p.pack.RequireSignature {
			out.Signature = "checked where there is one"
		}
	}
	if c != nil {
		out.Revision, out.Version, out.Digest, out.Confirmed = c.Revision, c.Version, c.digest, c.Confirmed
		if c.Signed {
			out.Signature = "checked"
		}
	}
	if err != nil {
		out.Problem = errs.Sentence(err)
	} else if text := p.lastError(); text != "" {
		out.Problem = text
	}
	return out
}

// lastError is why the last attempt gave nothing new.
func (s *source) lastError() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		return ""
	}
	return errs.Sentence(s.err)
}

// States asks every source that is due and says where each pack stands, the
// admin repository first. The rules of a pack are counted where it compiles
// beside the bundled ones alone.
func (s *Sets) States(ctx context.Context) []PackState {
	var out []PackState
	admin, err := s.administration(ctx)
	if s.admin != nil {
		state := stateOf(s.admin, admin.copy, err)
		state.Name, state.Kind, state.From, state.Admin = "admin repository", "git", s.options.Admin.Repo, true
		out = append(out, state)
	}
	for _, p := range s.all(admin) {
		got, err := s.contentOf(ctx, p, admin)
		state := stateOf(p, got, err)
		if err == nil {
			engine, err := s.engines.of(ctx, []part{{Pack: packOf(p, got), digest: got.digest}})
			if err != nil {
				state.Problem = errs.Sentence(err)
			} else {
				state.Rules = countRules(engine.Rules(), p.pack.Name)
			}
		}
		out = append(out, state)
	}
	return out
}

// Rules is how many rules the bundled packs have.
func (s *Sets) Rules() int { return len(s.engines.base.Rules()) }

// all returns the sources of all packs.
func (s *Sets) all(admin adminNow) []*source {
	var out []*source
	for _, p := range s.options.Config.Packs {
		out = append(out, s.sourceOf(p, false, adminNow{}))
	}
	for _, p := range admin.Packs {
		out = append(out, s.sourceOf(p, true, admin))
	}
	return out
}

// Watch asks the sources as often as each says, until ctx ends. While it runs,
// For waits for a source only where there is no good copy of it.
func (s *Sets) Watch(ctx context.Context) {
	s.setWatching(true)
	defer s.setWatching(false)
	swept := false
	for {
		s.look(ctx)
		if !swept && ctx.Err() == nil {
			swept = true
			s.sweep(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchEvery):
		}
	}
}

// watchEvery is how often it is looked whether a source is to be asked: less
// than the least refresh.
const watchEvery = 5 * time.Second

// look asks all sources that are due, at the same time.
func (s *Sets) look(ctx context.Context) {
	if s.admin != nil && s.admin.due() {
		s.admin.refresh(ctx)
	}
	admin, err := s.administration(ctx)
	if err != nil {
		admin = adminNow{} // which is logged where it is asked for
	}
	var wg sync.WaitGroup
	for _, p := range s.all(admin) {
		if p.pack.Kind() != "folder" && p.due() {
			wg.Go(func() { p.refresh(ctx) })
		}
	}
	wg.Wait()
}

func (s *Sets) setWatching(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watching = on
}

// sweep forgets copies of sources that the configuration names no more. Where
// the admin repository can't be read, nothing is forgotten.
func (s *Sets) sweep(ctx context.Context) {
	admin, err := s.administration(ctx)
	if err != nil {
		return
	}
	keys := map[string]bool{}
	for _, p := range s.all(admin) {
		keys[p.key] = true
	}
	if s.admin != nil {
		keys[s.admin.key] = true
	}
	if err := s.disk.sweep(keys); err != nil {
		s.options.Log.Warn("old copies of policies not removed", "error", err)
	}
}
