package web

import (
	"net/http/httptest"
	"testing"
)

func TestRoutesNameNobody(t *testing.T) {
	pages := New(Options{})
	for path, want := range map[string]string{
		"/": "/", "/runs/secret/plan": "/runs/{id}/plan", "/states/acme/a/b/c": "/states/{client}/{project}",
		"/api/v1/runs/secret/log": "/api/v1/runs/{id}/log", "/no/such/secret": "", "/static/x/y": "/static/{hash}/{name}",
	} {
		if got := Route(pages, httptest.NewRequest("GET", path, nil)); got != want {
			t.Errorf("%s is %q, not %q", path, got, want)
		}
	}
}
