package tfe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// What an address is for.
const (
	forUpload   = "upload"
	forJSON     = "json" // the same state for people's eyes, which is not kept
	forDownload = "download"
)

// claims are what an address opens. It stands in the path: clients overwrite
// query strings.
type claims struct {
	For     string `json:"for"`
	Client  string `json:"client"`  // ID
	State   string `json:"state"`   // ID
	Version string `json:"version"` // ID, of the announcement where it is an upload
	Token   string `json:"token"`   // ID of the token that it was given to
	Until   int64  `json:"until"`   // Unix seconds
}

func (a *API) mac(text string) []byte {
	h := hmac.New(sha256.New, a.key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// sign returns the address that opens what the claims say, from now on.
func (a *API) sign(r *http.Request, c claims) (string, error) {
	c.Until = a.States.Now().Add(uploadTime).Unix()
	b, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(b)
	return a.origin(r) + HostedPrefix + text + "." + base64.RawURLEncoding.EncodeToString(a.mac(text)), nil
}

// origin is where clients reach this server.
func (a *API) origin(r *http.Request) string {
	if a.PublicURL != "" {
		return a.PublicURL
	}
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// verify reads an address. The error is errAddress for all that is wrong with
// it.
func (a *API) verify(text string) (claims, error) {
	text, mac, ok := strings.Cut(text, ".")
	sum, err := base64.RawURLEncoding.Strict().DecodeString(mac)
	if !ok || err != nil || !hmac.Equal(sum, a.mac(text)) {
		return claims{}, errAddress
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return claims{}, errAddress
	}
	var c claims
	if err := json.Unmarshal(b, &c); err != nil {
		return claims{}, errAddress
	}
	if a.States.Now().After(time.Unix(c.Until, 0)) {
		return claims{}, errAddress
	}
	return c, nil
}

// hosted answers at the addresses that need no token. They do no more than the
// token that they were given to still may.
func (a *API) hosted(w http.ResponseWriter, r *http.Request, rest string) (access.Credential, error) {
	c, err := a.verify(rest)
	if err != nil {
		return access.Credential{}, err
	}
	cred, st, err := a.bearer(r, c)
	if err != nil {
		return cred, err
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(transferTime)) // a recorder in a test has none
	switch {
	case c.For == forDownload && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		return cred, a.download(w, r, c, st)
	case c.For == forUpload && r.Method == http.MethodPut:
		u, err := a.upload(r.Context(), c.Client, c.Version)
		if err == nil {
			err = a.write(r, cred, st, u)
		}
		if err != nil {
			w.Header().Set("Connection", "close") // the rest of the body is not read
			return cred, err
		}
	case c.For == forJSON && r.Method == http.MethodPut:
		if err := a.discard(r); err != nil {
			w.Header().Set("Connection", "close")
			return cred, err
		}
	default:
		w.Header().Set("Allow", map[bool]string{true: "GET, HEAD", false: "PUT"}[c.For == forDownload])
		return cred, errMethod
	}
	w.WriteHeader(http.StatusOK)
	return cred, nil
}

// bearer checks that the token of an address still counts, and for what the
// address is for.
func (a *API) bearer(r *http.Request, c claims) (access.Credential, state.State, error) {
	ctx := r.Context()
	cred, err := a.States.Tokens.Token(ctx, a.States.DB, c.Token)
	if errs.Is(err, errs.NotFound) || err == nil && (!cred.Live(a.States.Now()) || cred.Client != c.Client) {
		return cred, state.State{}, errAddress
	}
	if err != nil {
		return access.Credential{}, state.State{}, err
	}
	client, err := a.Clients.Client(ctx, a.States.DB, c.Client)
	if err != nil {
		return cred, state.State{}, err
	}
	st, err := a.States.ByID(ctx, c.Client, c.State)
	if err != nil {
		return cred, st, err
	}
	scope := access.ScopeWrite
	if c.For == forDownload {
		scope = access.ScopeRead
	}
	if client.Status == clients.Deleted || !cred.May(scope) || !cred.Opens(st.Name) {
		return cred, st, errAddress
	}
	return cred, st, nil
}

func (a *API) download(w http.ResponseWriter, r *http.Request, c claims, st state.State) error {
	v, err := a.States.VersionByID(r.Context(), c.Client, c.Version)
	if errs.Is(err, errs.NotFound) || err == nil && v.State != st.ID {
		return errAddress
	}
	if err != nil {
		return err
	}
	head := w.Header()
	head.Set("Content-Type", "application/json")
	head.Set("Content-Length", strconv.FormatInt(v.Size, 10))
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	body, err := a.content(r, v, st.Name)
	if err != nil {
		head.Del("Content-Length")
		return err
	}
	defer body.Close()
	w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(w, body); err != nil {
		// The length was promised: whoever reads must not take a part for all.
		if r.Context().Err() == nil {
			a.States.Log.Error("state not sent to its end", keyClient, c.Client, "project", st.Name, keyError, err)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

// maxJSON bounds the state for people's eyes where states have no bound.
const maxJSON = 1 << 30

// discard reads what clients send beside a state, and keeps nothing of it: it
// says what the state says, with every secret in the clear.
func (a *API) discard(r *http.Request) error {
	limit := int64(maxJSON)
	if own := a.States.Limits.Size; own > 0 {
		limit = 4 * own // it repeats what the state says once
	}
	n, err := io.Copy(io.Discard, io.LimitReader(r.Body, limit+1))
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "The body ended before its end.")
	}
	if n > limit {
		return errs.New(errs.TooLarge, "The body has more than %d bytes.", limit)
	}
	return nil
}
