package main

import (
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/access/login"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/internal/state/tfe"
	"github.com/tidelock/tidelock/internal/web"
)

// routeLogins has the router answer what comes before a token: discovery, and
// the two halves of a login.
func (s *server) routeLogins(r *mux.Router) {
	store := login.NewStore(s.db, s.trail, access.NewTokens(s.db, s.trail, nil), nil)
	r.Handle(discoveryPath, discovery(tfe.Services(), login.Services()))
	r.Handle(login.TokenPath, store.TokenHandler(s.log))
	r.PathPrefix(web.LoginPrefix).Handler(web.Login(store, s.log))
}

// statesFirst hands the state service its requests as they are: the router of
// the others would first send a path such as /state/a/../b elsewhere.
func (s *server) statesFirst(key redact.Secret, others http.Handler) http.Handler {
	all := clients.NewStore(s.db)
	backend := s.states.Handler(all)
	cloud := tfe.New(tfe.Options{States: s.states, Clients: all, Key: key, PublicURL: s.config.PublicURL})
	raw := []struct {
		prefix string
		http.Handler
	}{{state.Prefix, backend}, {tfe.Prefix, cloud}, {tfe.HostedPrefix, cloud}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, h := range raw {
			if strings.HasPrefix(r.URL.Path, h.prefix) {
				h.ServeHTTP(w, r)
				return
			}
		}
		others.ServeHTTP(w, r)
	})
}
