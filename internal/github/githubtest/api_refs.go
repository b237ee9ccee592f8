package githubtest

import (
	"errors"
	"net/http"
	"strings"
)

// errNoRef and errKeptRef are why a branch is not deleted.
var (
	errNoRef   = refusal{http.StatusUnprocessableEntity, "Reference does not exist"}
	errKeptRef = refusal{http.StatusUnprocessableEntity, "Cannot delete a protected or default branch"}
)

// deleteRef deletes a branch for real, with the push webhook that goes with it.
func deleteRef(q *request) reply {
	branch, ok := strings.CutPrefix(q.PathValue("ref"), "heads/")
	if !ok {
		return fail(errNoRef.status, errNoRef.message)
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
	var no refusal
	switch {
	case errors.As(err, &no):
		return fail(no.status, no.message)
	case err != nil:
		return fail(http.StatusInternalServerError, err.Error())
	}
	return reply{http.StatusNoContent, nil}
}
