package state

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
)

// Prefix is where the handler expects to be asked.
const Prefix = "/state/"

// handler is the HTTP backend: /state/{client}/{project…} is a state, and the
// same with /lock behind it is its lock, for clients that are set up to use
// POST and DELETE there.
type handler struct {
	store   *Store
	clients *clients.Store
	door    *access.Door
}

// Handler returns the HTTP backend of Terraform and OpenTofu.
func (s *Store) Handler(c *clients.Store) http.Handler {
	return &handler{store: s, clients: c, door: access.NewDoor(s.Tokens)}
}

// call is a request that was let in.
type call struct {
	*http.Request
	w      http.ResponseWriter
	cred   access.Credential
	client string // ID
	name   string
}

func (c *call) who() Who { return By(c.cred) }

// transferTime is how long a state may take to come or to go: longer than what
// the server allows to requests that nobody vouches for.
const transferTime = 15 * time.Minute

// ServeHTTP answers one request. Every refusal ends in refuse.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	cred, err := h.authenticate(r)
	if err != nil {
		h.refuse(w, r, cred, err)
		return
	}
	c := &call{Request: r, w: w, cred: cred}
	if err := h.serve(c); err != nil {
		h.refuse(w, r, cred, err)
	}
}

// serve finds out what is asked for, whether it may be, and does it.
func (h *handler) serve(c *call) error {
	slug, name, _ := strings.Cut(strings.TrimPrefix(c.URL.Path, Prefix), "/")
	client, err := h.clients.BySlug(c.Context(), h.store.DB, slug)
	if errs.Is(err, errs.NotFound) || err == nil && client.ID != c.cred.Client {
		return errForeign // whether or not it is there
	}
	if err != nil {
		return err
	}
	name, onLock := strings.CutSuffix(name, "/lock")
	if err := CheckName(name); err != nil {
		return err
	}
	c.client, c.name = client.ID, name
	if !c.cred.Opens(name) {
		return errs.New(errs.Forbidden, "The token does not open the project %s.", name)
	}
	if client.Status == clients.Deleted {
		return errs.New(errs.Forbidden, "The client %s has left this Tidelock.", slug)
	}
	verb, allow := find(c.Method, onLock)
	if verb == nil {
		c.w.Header().Set("Allow", allow)
		return errMethod
	}
	if verb.scope != "" && !c.cred.May(verb.scope) {
		return errs.New(errs.Forbidden, "The token may not %s.", verb.scope)
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(transferTime)) // a recorder in a test has none
	return verb.do(h, c)
}

// verb is one kind of request: of a state, or of the address behind it with
// /lock.
type verb struct {
	method string
	onLock bool
	scope  access.Scope // "" where the body decides
	do     func(*handler, *call) error
}

var verbs = []verb{
	{"GET", false, access.ScopeRead, (*handler).get},
	{"HEAD", false, access.ScopeRead, (*handler).get},
	{"POST", false, access.ScopeWrite, (*handler).post},
	{"PUT", false, access.ScopeWrite, (*handler).post},
	{"DELETE", false, access.ScopeWrite, (*handler).delete},
	{"LOCK", false, access.ScopeLock, (*handler).lock},
	{"UNLOCK", false, "", (*handler).unlock},
	{"LOCK", true, access.ScopeLock, (*handler).lock},
	{"UNLOCK", true, "", (*handler).unlock},
	{"POST", true, access.ScopeLock, (*handler).lock},
	{"DELETE", true, "", (*handler).unlock},
}

// find returns the verb of a method; nil, and those that there are, for one that
// is not known.
func find(method string, onLock bool) (found *verb, allow string) {
	var all []string
	for i, v := range verbs {
		if v.onLock != onLock {
			continue
		}
		if v.method == method {
			return &verbs[i], ""
		}
		all = append(all, v.method)
	}
	return nil, strings.Join(all, ", ")
}

func (h *handler) get(c *call) error {
	var v Version
	var content io.ReadCloser
	var err error
	if c.Method == http.MethodHead {
		v, err = h.store.Current(c.Context(), c.client, c.name)
	} else {
		v, content, err = h.store.Read(c.Context(), c.client, c.name)
	}
	if err != nil {
		return err
	}
	head := c.w.Header()
	head.Set("Content-Type", "application/json")
	head.Set("Content-Length", strconv.FormatInt(v.Size, 10))
	if sum, err := hex.DecodeString(v.MD5); err == nil {
		head.Set("Content-MD5", base64.StdEncoding.EncodeToString(sum))
	}
	head.Set("Tidelock-Version", strconv.FormatInt(v.Seq, 10))
	c.w.WriteHeader(http.StatusOK)
	if content == nil {
		return nil
	}
	defer content.Close()
	pump := pumps.Get().(*[]byte)
	defer pumps.Put(pump)
	if _, err := io.CopyBuffer(struct{ io.Writer }{c.w}, content, *pump); err != nil {
		// The length was promised: whoever reads must not take a part for all.
		if c.Context().Err() == nil {
			h.store.Log.Error("state not sent to its end", keyClient, c.client, keyProject, c.name, keyError, err)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (h *handler) post(c *call) error {
	if limit := h.store.Limits.Size; limit > 0 && c.ContentLength > limit {
		c.w.Header().Set("Connection", "close") // the rest of the body is not read
		return tooLarge(limit)
	}
	v, err := h.store.Write(c.Context(), Write{
		Client: c.client, Name: c.name, Who: c.who(), LockID: c.URL.Query().Get("ID"), MD5: c.Header.Get("Content-MD5"), Body: c.Body, Override: OverrideOf(c.cred),
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("Tidelock-Version", strconv.FormatInt(v.Seq, 10))
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (h *handler) delete(c *call) error {
	if err := h.store.Delete(c.Context(), c.client, c.name, c.who(), c.URL.Query().Get("ID")); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// info reads the body of LOCK and UNLOCK.
func (c *call) info() ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(c.Body, maxInfo+1))
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The body ended before its end. Nothing was changed.")
	}
	if len(raw) > maxInfo {
		return nil, errs.New(errs.TooLarge, "The lock's info has more than %d bytes. Nothing was changed.", maxInfo)
	}
	return bytes.TrimSpace(raw), nil
}

func (h *handler) lock(c *call) error {
	raw, err := c.info()
	if err != nil {
		return err
	}
	if _, err := h.store.Lock(c.Context(), c.client, c.name, c.who(), raw); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (h *handler) unlock(c *call) error {
	raw, err := c.info()
	if err != nil {
		return err
	}
	id, bare := c.URL.Query().Get("ID"), true
	if len(raw) > 0 {
		info, err := ParseLockInfo(raw)
		if err != nil {
			return err
		}
		id, bare = info.ID, info.bare()
	}
	if id != "" && c.cred.May(access.ScopeLock) {
		err := h.store.Unlock(c.Context(), c.client, c.name, c.who(), id)
		var other *HeldError
		if !errors.As(err, &other) || other.Lock.ID != id {
			return done(c, err)
		}
	}
	// What is left takes a lock away: Terraform's force-unlock sends nothing,
	// OpenTofu's the ID alone, and whoever was refused a lock was told its ID.
	if !c.cred.May(access.ScopeForceUnlock) {
		return errs.New(errs.Forbidden, "The token may not force-unlock, which is what an UNLOCK of somebody else's lock, or without the lock's info, is.")
	}
	reason := "asked over HTTP by the lock's ID"
	if bare && id == "" {
		reason = "asked over HTTP, for whichever lock there was"
	}
	_, err = h.store.ForceUnlock(c.Context(), c.client, c.name, c.who(), id, reason)
	return done(c, err)
}

func done(c *call, err error) error {
	if err == nil {
		c.w.WriteHeader(http.StatusOK)
	}
	return err
}

var (
	errForeign = errs.New(errs.NotFound, "There is no such state.")
	errMethod  = errs.New(errs.Invalid, "There is no such method here.")
	errNoAuth  = errs.New(errs.Forbidden, "A token is needed: as the password, with any user name, or as Authorization: Bearer.")
)

// asksLock reports whether a request asks for a lock, in either form.
func asksLock(r *http.Request) bool {
	return r.Method == "LOCK" || r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/lock")
}

// status returns how an error is answered.
func status(err error, r *http.Request) int {
	var other *HeldError
	switch {
	case errors.Is(err, errNoAuth), access.Unknown(err):
		return http.StatusUnauthorized
	case errors.Is(err, access.ErrFlood):
		return http.StatusTooManyRequests
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed
	case errors.Is(err, errQuota):
		return http.StatusInsufficientStorage
	case errors.As(err, &other) && asksLock(r):
		return http.StatusLocked
	}
	return errs.KindOf(err).HTTPStatus()
}

// answer writes the status of an error: with the holder of the lock where one
// is in the way, which clients read, else with a sentence for people.
func answer(w http.ResponseWriter, r *http.Request, code int, err error) {
	switch code {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="Tidelock", charset="UTF-8"`)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "2")
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "60")
	}
	w.Header().Set("Content-Type", "application/json")
	body := []byte{}
	var other *HeldError
	switch {
	case errors.As(err, &other):
		body = other.Lock.JSON()
	case code == http.StatusConflict && asksLock(r):
		// Nobody holds it: it is frozen, say. Of a refusal Terraform shows people
		// the holder's ID, and nothing else; OpenTofu all that the holder says.
		why := errs.Sentence(err)
		body = Lock{LockInfo: LockInfo{ID: why, Operation: "none", Info: why, Who: "Tidelock", Created: time.Now().UTC()}}.JSON()
	default:
		var p struct {
			Error struct {
				Status  int    `json:"status"`
				Kind    string `json:"kind"`
				Message string `json:"message"`
			} `json:"error"`
		}
		p.Error.Status, p.Error.Kind, p.Error.Message = code, errs.KindOf(err).String(), errs.Sentence(err)
		if b, err := json.Marshal(p); err == nil {
			body = append(b, '\n')
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // nobody is left to be told
	}
}

// token returns what the request shows: a bearer token, or the password of
// basic authentication, whatever the user's name is.
func token(r *http.Request) string {
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return strings.TrimSpace(t)
	}
	_, password, _ := r.BasicAuth()
	return password
}

// subject names in the audit trail what a request asked for, however strange.
func subject(path string) string {
	path = strings.ToValidUTF8(strings.TrimPrefix(path, Prefix), "?")
	if len(path) > maxName {
		path = path[:maxName] + "…"
	}
	return fmt.Sprintf("state %q", path)
}
