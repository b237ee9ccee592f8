package login

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/errs"
)

// maxForm bounds what a program sends.
const maxForm = 16 << 10

// TokenHandler answers at TokenPath: a token for a code.
func (s *Store) TokenHandler(log *slog.Logger) http.Handler {
	failed := access.NewMeter(30, s.now)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Cache-Control", "no-store")
		head.Set("Pragma", "no-cache")
		head.Set("X-Content-Type-Options", "nosniff")
		from := access.Address(r)
		fail := func(code int, word string, err error) {
			sentence := errs.Sentence(err)
			if code < http.StatusInternalServerError {
				log.Warn("login refused", "status", code, "reason", err.Error(), "from", from)
			} else {
				log.Error("login failed", "status", code, "error", err, "from", from)
			}
			reply(w, code, map[string]any{"error": word, "error_description": sentence})
		}
		if r.Method != http.MethodPost {
			head.Set("Allow", http.MethodPost)
			fail(http.StatusMethodNotAllowed, "invalid_request", errs.New(errs.Invalid, "Codes are exchanged by POST."))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			code := http.StatusBadRequest
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				code = http.StatusRequestEntityTooLarge
			}
			fail(code, "invalid_request", errs.Wrap(errs.Invalid, err, "The form can't be read."))
			return
		}
		client := r.PostForm.Get("client_id")
		if user, _, ok := r.BasicAuth(); ok {
			client = user // the libraries of some programs say it so; there is no secret
		}
		switch {
		case client != clientID:
			fail(http.StatusBadRequest, "invalid_client", errs.New(errs.Invalid, "Only terraform login and tofu login may ask for a token here."))
			return
		case r.PostForm.Get("grant_type") != "authorization_code":
			fail(http.StatusBadRequest, "unsupported_grant_type", errs.New(errs.Invalid, "A token is given for a code, and for nothing else."))
			return
		}
		token, made, err := s.Exchange(r.Context(), r.PostForm.Get("code"), r.PostForm.Get("redirect_uri"), r.PostForm.Get("code_verifier"))
		switch {
		case errs.Is(err, errs.Forbidden) && !failed.Count(from):
			head.Set("Retry-After", "60")
			fail(http.StatusTooManyRequests, "slow_down", errs.Wrap(errs.Unavailable, err, "Too many codes that do not count. Wait a minute."))
		case errs.Is(err, errs.Forbidden):
			fail(http.StatusBadRequest, "invalid_grant", err)
		case err != nil:
			fail(http.StatusServiceUnavailable, "temporarily_unavailable", err)
		default:
			log.Info("login", "client", made.Client, "token", made.ID, "from", from)
			reply(w, http.StatusOK, map[string]any{"access_token": token.Reveal(), "token_type": "bearer"})
		}
	})
}

func reply(w http.ResponseWriter, code int, doc map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(doc) // nobody is left to be told
}
