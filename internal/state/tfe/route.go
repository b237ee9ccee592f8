package tfe

import (
	"net/http"
	"strings"
)

// Route returns which kind of address of the API's a request asks for, with
// the variables' names in place of their values, so that it names nobody; ""
// for one that there is not.
func Route(r *http.Request) string {
	path := r.URL.EscapedPath()
	if strings.HasPrefix(path, HostedPrefix) {
		return HostedPrefix + "{address}"
	}
	rest := strings.TrimPrefix(path, Prefix)
	if rest == "ping" {
		return Prefix + rest
	}
	parts := strings.Split(rest, "/")
	for _, known := range routes {
		if _, ok := known.match(parts); ok {
			return Prefix + known.path
		}
	}
	return ""
}
