package checkout

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/tidelock/tidelock/internal/errs"
)

// Tip returns the commit that the ref (a full name, or a branch's) points to
// at the server now; errs.NotFound where there is no such ref. It asks each
// time, which is one request, and fetches nothing: what GitHub calls a pull's
// base commit stays behind when the base branch moves on, and rules must be
// read from where the branch is.
func (s *Store) Tip(ctx context.Context, src Source, ref string) (string, error) {
	tip, err := s.tip(ctx, src, ref)
	if err != nil {
		return "", fmt.Errorf("find %s of %s: %w", ref, src.named(), err)
	}
	return tip, nil
}

// Find returns the commit that a name means at the server now: a branch, a tag,
// a full name of a ref, or a commit, which is taken as it is. refs is what
// brings that commit with a fetch.
func (s *Store) Find(ctx context.Context, src Source, name string) (sha string, refs []string, err error) {
	if plumbing.IsHash(name) {
		return name, nil, nil
	}
	names := []string{"refs/heads/" + name, "refs/tags/" + name}
	if strings.HasPrefix(name, "refs/") {
		names = []string{name}
	}
	for _, ref := range names {
		if sha, err = s.Tip(ctx, src, ref); err == nil || !errs.Is(err, errs.NotFound) {
			return sha, []string{ref}, err
		}
	}
	return "", nil, errs.Wrap(errs.NotFound, err, "The repository has no branch and no tag %q.", name)
}

func (s *Store) tip(ctx context.Context, src Source, ref string) (string, error) {
	if err := src.check(); err != nil {
		return "", err
	}
	names, err := refNames([]string{ref})
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	conn, err := s.connect(ctx, src)
	if err != nil {
		return "", err
	}
	adv, err := conn.session.AdvertisedReferencesContext(ctx)
	if err != nil && !errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return "", conn.classify(err)
	}
	if err == nil {
		if h, ok := adv.References[names[0].String()]; ok {
			if commit, ok := adv.Peeled[names[0].String()]; ok { // a tag with a text of its own
				h = commit
			}
			return h.String(), nil
		}
	}
	return "", errs.New(errs.NotFound, "The repository has no ref %s.", names[0])
}
