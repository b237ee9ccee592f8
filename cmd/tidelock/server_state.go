package main

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/access/login"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
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

func stateLimits(c config.State) state.Limits {
	return state.Limits{Size: int64(c.MaxSize) << 20, States: c.MaxStates, Bytes: int64(c.MaxTotal) << 20}
}

func stateKeep(c config.State) state.Keep { return state.Keep{Count: c.KeepVersions, Age: c.KeepAge} }

// roomForState refuses locks on a disk that is all but full: an apply that
// begins on it may not be able to write its state.
func roomForState(c config.Config) error {
	if free, err := parts.FreeSpace(c.DataDir); err == nil && free < parts.LeastFree {
		return errs.New(errs.Unavailable, "The disk of the server is all but full, and nothing that writes is begun on it.")
	}
	return nil
}

// stateService returns the state service on the server's database.
func stateService(c config.Config, d *db.DB, blobs *blob.Store, trail *access.Trail, key redact.Secret, log *slog.Logger) (*state.Store, error) {
	ring, err := parts.Keyring(c, key)
	if err != nil {
		return nil, err
	}
	return state.New(state.Options{
		DB: d, Blobs: blobs, Keys: ring, Trail: trail, Tokens: access.NewTokens(d, trail, nil), Log: log,
		Limits: stateLimits(c.State), Keep: stateKeep(c.State), Room: func() error { return roomForState(c) },
	}), nil
}
