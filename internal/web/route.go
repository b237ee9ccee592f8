package web

import (
	"net/http"
	"regexp"

	"github.com/gorilla/mux"
)

// routePattern is what stands behind a variable's name in a path.
var routePattern = regexp.MustCompile(`:[^}]*\}`)

// Route returns which kind of address of the handler's a request asks for,
// with the variables' names in place of their values, so that it names nobody;
// "" for one that there is not.
func Route(pages http.Handler, r *http.Request) string {
	s, ok := pages.(*site)
	if !ok {
		return ""
	}
	return RouteOf(s.router, r)
}

// RouteOf is Route for any router.
func RouteOf(router *mux.Router, r *http.Request) string {
	var m mux.RouteMatch
	if !router.Match(r, &m) || m.Route == nil {
		return ""
	}
	path, err := m.Route.GetPathTemplate()
	if err != nil {
		return ""
	}
	return routePattern.ReplaceAllString(path, "}")
}
