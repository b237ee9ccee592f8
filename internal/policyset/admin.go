package policyset

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/egress"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policy"
	"github.com/tidelock/tidelock/planner"
)

// Admin is the repository in which those who own the policies keep them, with
// pull requests and reviews of their own. Its AdminFile has the same blocks as
// the server's configuration.
type Admin struct {
	Repo string // "owner/name"; "" is none
	Ref  string // branch, tag or commit; "" is what Source says
	// MayLoosen lets it go below what the server's own configuration says.
	MayLoosen bool
	// Source says where its commits come from, and the branch where Ref is "".
	Source func(context.Context) (src checkout.Source, branch string, err error)
	Store  *checkout.Store
	Folder string // a clone of it, as it is checked out, in place of Source: at a desk
}

// adminSource returns the source of the admin repository's tree.
func (s *Sets) adminSource() *source {
	a := s.options.Admin
	where := func(ctx context.Context) (checkout.Source, string, error) {
		src, branch, err := a.Source(ctx)
		if a.Ref != "" {
			branch = a.Ref
		}
		return src, branch, err
	}
	fetch := gitRef(a.Store, where, "")
	switch {
	case a.Folder != "":
		fetch = folder(a.Folder)
	case a.Source == nil:
		fetch = func(context.Context, *copied) (fetched, error) {
			return fetched{}, errs.New(errs.Unavailable, "The admin repository %s can be asked by the server only.", a.Repo)
		}
	}
	return newSource(&source{
		pack:  PackConfig{Git: a.Repo, Ref: a.Ref, Refresh: s.options.AdminRefresh, MaxAge: DefaultMaxAge},
		admin: true, fetch: fetch, disk: s.disk, now: s.options.Now, log: s.options.Log,
		check: func(files map[string][]byte) error {
			text, ok := files[AdminFile]
			if !ok {
				return errs.New(errs.Invalid, "There is no %s in it.", AdminFile)
			}
			c, err := Parse(text, AdminFile, s.options.Config)
			if err != nil {
				return err
			}
			return invalid(s.unknown(c))
		},
	})
}

// adminNow is what the admin repository says.
type adminNow struct {
	Config
	copy *copied
}

// administration returns what the admin repository says now.
func (s *Sets) administration(ctx context.Context) (adminNow, error) {
	if s.admin == nil {
		return adminNow{}, nil
	}
	copy, err := s.current(ctx, s.admin)
	if err != nil {
		return adminNow{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parsed.copy == nil || s.parsed.copy.digest != copy.digest {
		c, err := Parse(copy.files[AdminFile], AdminFile, s.options.Config)
		if err != nil { // it was read when it came
			return adminNow{}, err
		}
		s.parsed = adminNow{c, copy}
	}
	return s.parsed, nil
}

// unknown returns what of scopes names no rule and no setting, as far as that
// can be known before every pack is there.
func (s *Sets) unknown(c Config) []Problem {
	var out []Problem
	say := func(p Place, message string) {
		out = append(out, Problem{Place: p, Block: ScopeBlock, Message: message})
	}
	for _, scope := range c.Scopes {
		for _, key := range sorted(scope.Levels) {
			if problem := s.unknownRule(key, len(c.Packs) > 0); problem != "" {
				say(scope.Place, problem)
			}
		}
		if err := s.engines.base.Check(policy.Overrides{Settings: scope.Settings}); err != nil {
			say(scope.Place, errs.Sentence(err))
		}
	}
	return out
}

// own are the hosts that a configuration names: whoever wrote it may ask them,
// whatever addresses they have.
func (c Config) own() []string {
	var out []string
	for _, p := range c.Packs {
		if host := p.host(); host != "" && !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out
}

// egressOf returns a guard for the hosts.
func (o Options) egressOf(own []string) *egress.Guard {
	g := o.Egress
	g.Own, g.PlainHTTP = own, true
	return egress.New(g)
}

// AdminRepo is the admin repository's name, "owner/name"; "" where there is
// none.
func (s *Sets) AdminRepo() string { return s.options.Admin.Repo }

// AskAdmin has the admin repository asked anew at the next occasion: something
// was pushed to it.
func (s *Sets) AskAdmin() {
	if s.admin == nil {
		return
	}
	s.admin.mu.Lock()
	defer s.admin.mu.Unlock()
	s.admin.asked = time.Time{}
}

// ChangesAdmin says what a change of files in the admin repository means for
// what judges meanwhile: nothing.
func (s *Sets) ChangesAdmin(ctx context.Context, paths []string) []planner.Problem {
	admin, err := s.administration(ctx)
	if err != nil {
		return nil // whoever judges says so
	}
	for _, p := range paths {
		holds := p == AdminFile
		for _, pack := range admin.Packs {
			holds = holds || pack.KeyFile == p || pack.Path != "" && (pack.Path == "." || strings.HasPrefix(p, strings.TrimSuffix(pack.Path, "/")+"/"))
		}
		if holds {
			return []planner.Problem{{Path: p, Message: "This pull request changes policies that judge all repositories. They, and this one, are judged by what is merged; its own hold once it is."}}
		}
	}
	return nil
}
