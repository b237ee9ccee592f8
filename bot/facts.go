package bot

import (
	"context"
	"strings"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/gate"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/run"
)

// gateFacts reads what the gates look at, and nothing else: each fact costs
// requests. What can't be read for a reason of its own (no permission, too
// many files) stays unread, which keeps the gates that ask for it closed; what
// may be read later is an error, and the job waits.
func (b *Bot) gateFacts(ctx context.Context, gh *github.Client, repo clients.Repo, p run.Pull, actor access.Actor, need gate.Need) (gate.Facts, error) {
	f := gate.Facts{Now: b.Now(), Actor: gate.Actor{Login: actor.Name, ID: actor.ID}, Pull: gatePull(p)}
	r := factReader{Bot: b, gh: gh, repo: repo, pull: p, facts: &f}
	for _, step := range []struct {
		wanted bool
		read   func(context.Context, gate.Need) error
	}{
		{need.Role, r.role},
		{len(need.Teams) > 0, r.teams},
		{need.Reviews || need.Owners, r.reviews},
		{need.Owners, r.owners},
		{need.Checks, r.checks},
		{need.Compare, r.compare},
		{need.Mergeable, r.mergeable},
	} {
		if !step.wanted {
			continue
		}
		if err := step.read(ctx, need); err != nil && !unreadable(err) {
			return f, err
		} else if err != nil {
			b.Log.Warn("a fact that a gate asks for can't be read", keyRepo, repo.FullName(), keyPull, p.Number, "error", err)
		}
	}
	return f, nil
}

// unreadable reports whether trying again would give the same.
func unreadable(err error) bool {
	return errs.Is(err, errs.NotFound) || errs.Is(err, errs.Forbidden) || errs.Is(err, errs.TooLarge) || errs.Is(err, errs.Invalid)
}

func gatePull(p run.Pull) gate.Pull {
	return gate.Pull{
		Number: p.Number, Title: p.Title, Author: p.Author, AuthorID: p.AuthorID, HeadSHA: p.HeadSHA, HeadRef: p.HeadRef,
		BaseSHA: p.BaseSHA, BaseRef: p.BaseRef, Labels: p.Labels, Draft: p.Draft, Fork: p.Fork(), Open: p.Open, Merged: p.Merged,
	}
}

// factReader fills in one set of facts.
type factReader struct {
	*Bot
	gh    *github.Client
	repo  clients.Repo
	pull  run.Pull
	facts *gate.Facts
}

func (r *factReader) role(ctx context.Context, _ gate.Need) error {
	if r.facts.Actor.Login == "" {
		return nil
	}
	role, err := r.gh.Permission(ctx, r.repo.ID, r.facts.Actor.Login)
	if err == nil {
		r.facts.Actor.Role = role.String()
	}
	return err
}

func (r *factReader) teams(ctx context.Context, need gate.Need) error {
	r.facts.Actor.Teams = map[string]bool{}
	for _, team := range need.Teams {
		in, err := r.member(ctx, team, r.facts.Actor.Login)
		if err != nil {
			return err
		}
		r.facts.Actor.Teams[team] = in
	}
	return nil
}

func (r *factReader) member(ctx context.Context, team, login string) (bool, error) {
	org, slug, ok := strings.Cut(team, "/")
	if !ok || login == "" {
		return false, nil
	}
	return r.gh.TeamMember(ctx, org, slug, login)
}

func (r *factReader) reviews(ctx context.Context, _ gate.Need) error {
	a, err := r.gh.Approved(ctx, r.repo.ID, r.pull.Number, r.pull.HeadSHA)
	if err != nil {
		return err
	}
	out := gate.Reviews{HeadSHA: r.pull.HeadSHA}
	stale := map[int64]bool{}
	for _, s := range a.Stale {
		stale[s.UserID] = true
	}
	for _, rv := range a.By {
		p, err := r.person(ctx, rv)
		if err != nil {
			return err
		}
		if stale[rv.UserID] {
			out.Stale = append(out.Stale, p)
		} else {
			out.ApprovedBy = append(out.ApprovedBy, p)
		}
	}
	for _, rv := range a.Against {
		p, err := r.person(ctx, rv)
		if err != nil {
			return err
		}
		out.Against = append(out.Against, p)
	}
	r.facts.Reviews = &out
	return nil
}

func (r *factReader) person(ctx context.Context, rv github.Review) (gate.Person, error) {
	p := gate.Person{Login: rv.User, ID: rv.UserID, Bot: rv.UserType != "User"}
	if p.Bot || p.Login == "" {
		return p, nil
	}
	role, err := r.gh.Permission(ctx, r.repo.ID, rv.User)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return p, err
	}
	p.Role = role.String()
	return p, nil
}

// owners reads who owns the changed files, from the base branch: a pull must
// not choose its own judges.
func (r *factReader) owners(ctx context.Context, _ gate.Need) error {
	if r.facts.Reviews == nil {
		return nil
	}
	src, err := r.source(ctx, r.repo)
	if err != nil {
		return err
	}
	text, err := r.ownersText(ctx, src)
	if err != nil {
		return err
	}
	changed, err := r.Checkout.Changed(ctx, src, r.pull.BaseSHA, r.pull.HeadSHA)
	if err != nil {
		return err
	}
	table, problems := github.ParseOwners(text)
	if len(problems) > 0 {
		r.Log.Warn("CODEOWNERS has lines that nobody can read", keyRepo, r.repo.FullName(), "line", problems[0].Line)
	}
	out := gate.Owners{Members: map[string]map[string]bool{}}
	for _, file := range changed {
		out.Files = append(out.Files, gate.OwnedFile{Path: file, Owners: table.For(file)})
	}
	for _, team := range out.Teams() {
		out.Members[team] = map[string]bool{}
		for _, p := range r.facts.Reviews.ApprovedBy {
			in, err := r.member(ctx, team, p.Login)
			if err != nil && !unreadable(err) {
				return err
			}
			out.Members[team][strings.ToLower(p.Login)] = in && err == nil
		}
	}
	r.facts.Owners = &out
	return nil
}

func (r *factReader) ownersText(ctx context.Context, src checkout.Source) ([]byte, error) {
	base, err := r.Checkout.Tip(ctx, src, r.pull.BaseRef)
	if errs.Is(err, errs.NotFound) {
		base, err = r.pull.BaseSHA, nil
	}
	if err != nil {
		return nil, err
	}
	for _, path := range github.OwnersPaths {
		text, err := r.Checkout.File(ctx, src, base, path)
		if !errs.Is(err, errs.NotFound) {
			return text, err
		}
	}
	return nil, nil
}

func (r *factReader) checks(ctx context.Context, _ gate.Need) error {
	c, err := r.gh.CheckState(ctx, r.repo.ID, r.pull.HeadSHA)
	if err == nil {
		r.facts.Checks = &gate.CheckResults{HeadSHA: r.pull.HeadSHA, Failed: c.Failed, Pending: c.Pending, Passed: c.Passed}
	}
	return err
}

func (r *factReader) compare(ctx context.Context, _ gate.Need) error {
	c, err := r.gh.Compare(ctx, r.repo.ID, r.pull.BaseRef, r.pull.HeadSHA)
	if err == nil {
		r.facts.Pull.Behind = &c.Behind
	}
	return err
}

func (r *factReader) mergeable(ctx context.Context, _ gate.Need) error {
	p, err := r.gh.PullMergeable(ctx, r.repo.ID, r.pull.Number)
	if err == nil && p.HeadSHA == r.pull.HeadSHA {
		r.facts.Pull.Mergeable = p.Mergeable
	}
	return err
}

// join returns what either needs.
func join(a, b gate.Need) gate.Need {
	return gate.Need{
		Role: a.Role || b.Role, Reviews: a.Reviews || b.Reviews, Owners: a.Owners || b.Owners, Checks: a.Checks || b.Checks,
		Compare: a.Compare || b.Compare, Mergeable: a.Mergeable || b.Mergeable, Teams: append(append([]string(nil), a.Teams...), b.Teams...),
	}
}
