package github

import (
	"net/url"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Host is where a GitHub is to be found. All three addresses end in a slash but
// GraphQL's.
type Host struct {
	Web     string // its pages: https://github.com/
	REST    string // the root of the REST API: https://api.github.com/
	GraphQL string // https://api.github.com/graphql
	// Enterprise is set for a GitHub Enterprise Server, which has its API below
	// its pages and limits switched off unless its owner has them on.
	Enterprise bool
}

// ParseHost returns the host that an address means, whichever of its addresses
// that is: "https://github.acme.com", "https://github.acme.com/api/v3". Empty
// is github.com. What is no http(s) URL is errs.Invalid.
func ParseHost(address string) (Host, error) {
	address = strings.TrimSpace(address)
	if address == "" {
		address = "https://github.com"
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil {
		return Host{}, errs.New(errs.Invalid, "GitHub's address %q is not an http(s) URL. For GitHub Enterprise Server it is https://HOST or https://HOST/api/v3.", address)
	}
	at := func(host, path string) string { return u.Scheme + "://" + host + path }
	host := strings.ToLower(u.Host)
	switch host {
	case "github.com", "www.github.com", "api.github.com":
		return Host{Web: at("github.com", "/"), REST: at("api.github.com", "/"), GraphQL: at("api.github.com", "/graphql")}, nil
	}
	if tenant, ok := strings.CutSuffix(host, ".ghe.com"); ok { // Enterprise Cloud with data residency
		tenant = strings.TrimPrefix(tenant, "api.") + ".ghe.com"
		return Host{Web: at(tenant, "/"), REST: at("api."+tenant, "/"), GraphQL: at("api."+tenant, "/graphql")}, nil
	}
	path := strings.TrimRight(u.Path, "/")
	for _, known := range []string{"/api/v3", "/api/graphql", "/api"} {
		if root, ok := strings.CutSuffix(path, known); ok {
			path = root
			break
		}
	}
	return Host{Web: at(u.Host, path+"/"), REST: at(u.Host, path+"/api/v3/"), GraphQL: at(u.Host, path+"/api/graphql"), Enterprise: true}, nil
}
