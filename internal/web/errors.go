package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/tidelock/tidelock/internal/errs"
)

// Attribute keys of the log.
const (
	keyError  = "error"
	keyPath   = "path"
	keyMethod = "method"
	keyRun    = "run"
)

// handler turns a function that may fail into a handler; every error of a
// request is answered, and logged where it is ours, in fail alone.
func (s *site) handler(h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // whoever asked has gone
	}
	code := statusOf(err)
	if code >= http.StatusInternalServerError {
		s.Log.Error("page failed", keyMethod, r.Method, keyPath, r.URL.Path, keyError, err)
	}
	switch code {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "60")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="Tidelock"`)
	}
	refuse(w, r, code, err)
}

// errMethod is answered to a request that is not a read.
var errMethod = errs.New(errs.Invalid, "This page only reads: ask with GET.")

func unknown(http.ResponseWriter, *http.Request) error {
	return errs.New(errs.NotFound, "There is no such page.")
}

func onlyRead(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Allow", "GET, HEAD")
	return errMethod
}

func statusOf(err error) int {
	switch {
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed
	case errors.Is(err, errTokenFlood):
		return http.StatusTooManyRequests
	case errors.Is(err, errUnproven):
		return http.StatusUnauthorized
	}
	return errs.KindOf(err).HTTPStatus()
}

// problem is how an error is answered as JSON.
type problem struct {
	Error struct {
		Status  int    `json:"status"`
		Kind    string `json:"kind"`
		Message string `json:"message"`
	} `json:"error"`
}

// failure is what the page of an error shows.
type failure struct {
	Code     int
	Headline string
	Sentence string
	Menu     bool // whether the reader was let in, and so may go elsewhere
}

// refuse answers with an error: JSON below /api/, a page elsewhere. Neither
// says anything about the server to whoever was not let in.
func refuse(w http.ResponseWriter, r *http.Request, code int, err error) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		var p problem
		p.Error.Status, p.Error.Kind, p.Error.Message = code, errs.KindOf(err).String(), errs.Sentence(err)
		_ = writeJSON(w, code, p) // nobody is left to be told
		return
	}
	f := failure{Code: code, Headline: http.StatusText(code), Sentence: errs.Sentence(err)}
	f.Menu = code != http.StatusUnauthorized && code != http.StatusForbidden
	if err := render(w, r, code, "error", shown{title: f.Headline, data: f}); err != nil {
		http.Error(w, f.Sentence, code)
	}
}
