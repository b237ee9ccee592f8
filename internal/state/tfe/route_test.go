package tfe

import (
	"net/http/httptest"
	"testing"
)

func TestRoutesNameNobody(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v2/ping": "/api/v2/ping", "/hosted/secret/x": "/hosted/{address}",
		"/api/v2/organizations/acme/workspaces/net%2Fprod": "/api/v2/organizations/{org}/workspaces/{name}",
		"/api/v2/workspaces/ws-1/actions/lock":             "/api/v2/workspaces/{ws}/actions/lock",
		"/api/v2/nothing/here":                             "",
	} {
		if got := Route(httptest.NewRequest("GET", path, nil)); got != want {
			t.Errorf("%s is %q, not %q", path, got, want)
		}
	}
}
