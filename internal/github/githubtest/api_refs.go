package githubtest

import (
	"errors"
	"net/http"
	"strings"
)

// errNoRef and errKeptRef are why a branch is not deleted.
var (
	errNoRef   = errors.New("Reference does not exist")
	errKeptRef = errors.New("Cannot delete a protected or default branch")
)

// deleteRef deletes a branch for real, with the push webhook that goes with it.
func deleteRef(q *request) reply {
	branch, ok := strings.CutPrefix(q.PathValue("ref"), "heads/")
	if !ok {
		return fail(http.StatusUnprocessableEntity, errNoRef.Error())
	}
	s, r, by := q.s, q.repo, q.actor()
	kept := branch == r.defaultBranch || len(r.required[branch]) > 0
	s.mu.Unlock() // the git lock comes first
	err := s.pushBranch(r, by, branch, func(_ store, before string) (string, error) {
		switch {
		case before == "":
			return "", errNoRef
		case kept:
			return "", errKeptRef
		}
		return "", nil
	})
	s.mu.Lock()
	switch {
	case errors.Is(err, errNoRef), errors.Is(err, errKeptRef):
		return fail(http.StatusUnprocessableEntity, err.Error())
	case err != nil:
		return fail(http.StatusInternalServerError, err.Error())
	}
	return reply{http.StatusNoContent, nil}
}
