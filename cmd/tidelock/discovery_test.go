package main

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/state"
)

// Which part of the server answers where, of what Terraform and OpenTofu ask.
func TestWhoAnswersTerraform(t *testing.T) {
	key := redact.NewSecret(base64.StdEncoding.EncodeToString(make([]byte, 32)))
	d := dbtest.SQLite(t)
	trail := access.NewTrail(d)
	tokens := access.NewTokens(d, trail, nil)
	s := &server{db: d, trail: trail, log: slog.New(slog.DiscardHandler), config: config.Config{PublicURL: "https://tidelock.example.com"}}
	s.states = state.New(state.Options{DB: d, Trail: trail, Tokens: tokens})
	var token redact.Secret
	err := d.Tx(t.Context(), func(tx *db.Tx) (err error) {
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO clients (id, slug, name, created_ms) VALUES ('c1', 'acme', 'acme', 0)`); err != nil {
			return err
		}
		token, _, err = tokens.CreateTx(t.Context(), tx, access.NewToken{Client: "c1", Name: "x", Projects: []string{"**"}, Scopes: access.Scopes(), By: access.Actor{Kind: access.Bot}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	handler := s.routes(key)
	ask := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token.Reveal())
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		return rec
	}

	rec := ask("GET", discoveryPath, "")
	var services map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &services); err != nil || rec.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("discovery: %v, %s", err, rec.Body)
	}
	for _, name := range []string{"tfe.v2", "tfe.v2.1", "state.v2"} {
		if services[name] != "/api/v2/" {
			t.Errorf("%s: %v", name, services[name])
		}
	}
	login, _ := json.Marshal(services["login.v1"])
	if want := `{"authz":"/oauth/authorization","client":"terraform-cli","grant_types":["authz_code"],"ports":[10000,10010],"token":"/oauth/token"}`; string(login) != want {
		t.Errorf("login.v1: %s", login)
	}
	for _, c := range []struct {
		method, path string
		code         int
	}{
		{"POST", discoveryPath, http.StatusMethodNotAllowed},
		{"GET", "/api/v2/ping", http.StatusNoContent},
		{"GET", "/api/v2/organizations/acme/entitlement-set", http.StatusOK},
		{"GET", "/api/v2/organizations/acme/../beta", http.StatusNotFound}, // as it is, and not another address
		{"GET", "/hosted/x", http.StatusForbidden},
		{"GET", "/state/acme/net/prod", http.StatusNotFound},
		{"GET", "/oauth/authorization", http.StatusBadRequest},
		{"POST", "/oauth/token", http.StatusBadRequest},
	} {
		if rec := ask(c.method, c.path, ""); rec.Code != c.code {
			t.Errorf("%s %s: %d, not %d", c.method, c.path, rec.Code, c.code)
		}
	}
	ws := ask("POST", "/api/v2/organizations/acme/workspaces", `{"data":{"attributes":{"name":"net:prod"}}}`)
	var made struct{ Data struct{ ID string } }
	if err := json.Unmarshal(ws.Body.Bytes(), &made); err != nil || ws.Code != http.StatusCreated {
		t.Fatalf("workspace: %d %s", ws.Code, ws.Body)
	}
	announced := ask("POST", "/api/v2/workspaces/"+made.Data.ID+"/state-versions", `{"data":{"attributes":{"serial":1,"lineage":"l","md5":"d41d8cd98f00b204e9800998ecf8427e"}}}`)
	if !strings.Contains(announced.Body.String(), `"hosted-state-upload-url":"https://tidelock.example.com/hosted/`) {
		t.Errorf("announced: %s", announced.Body)
	}
}
