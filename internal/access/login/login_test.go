package login_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/access/login"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/errs"
)

var alice = access.Actor{Kind: access.User, Name: "alice", ID: 7}

const verifier = "0123456789-0123456789-0123456789-0123456789"

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// query is what terraform asks with.
func query() url.Values {
	return url.Values{
		"client_id": {"terraform-cli"}, "response_type": {"code"}, "redirect_uri": {"http://localhost:10005/login"}, "state": {"s&=t"},
		"code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"},
	}
}

func TestThreat_CodesGoToThisMachineAlone(t *testing.T) {
	for _, good := range []string{"http://localhost:10000/login", "http://localhost:10010/", "http://127.0.0.1:10001/login", "http://[::1]:10001/login", "http://localhost:10001"} {
		q := query()
		q.Set("redirect_uri", good)
		if r, err := login.Parse(q); err != nil || r.Redirect != good {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "localhost:10000", "https://localhost:10000/login", "http://localhost/login", "http://localhost:9999/login", "http://localhost:10011/login", "http://localhost:+10000/", "http://localhost:010000/",
		"http://evil.example:10000/login", "http://localhost.evil.example:10000/", "http://localhost@evil.example:10000/", "http://evil.example:10000@localhost:10000/", "http://localhost:10000@evil.example/",
		"http://localhost:10000/#", "http://localhost:10000/?", "http://localhost:10000/#x", "http://localhost:10000/?x=1", "http://0.0.0.0:10000/", "http://10.0.0.1:10000/", "http://2130706433:10000/", "http:localhost:10000", "//localhost:10000/",
		"javascript:alert(1)", "http://localhost:10000\\@evil.example/", "http://LOCALHOST.:10000/", "http://localhost:10000/" + strings.Repeat("x", 200),
	} {
		q := query()
		q.Set("redirect_uri", bad)
		if _, err := login.Parse(q); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	for key, bad := range map[string][]string{
		"client_id": {"", "other"}, "response_type": {"", "token"}, "code_challenge_method": {"", "plain"},
		"code_challenge": {"", "short", challengeOf(verifier) + "=", strings.Repeat("!", 43)}, "state": {strings.Repeat("x", 1001)},
	} {
		for _, v := range bad {
			q := query()
			q.Set(key, v)
			if _, err := login.Parse(q); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s=%q: %v", key, v, err)
			}
		}
	}
	q := query()
	q.Add("redirect_uri", "http://localhost:10001/other")
	if _, err := login.Parse(q); !errs.Is(err, errs.Invalid) {
		t.Errorf("two addresses: %v", err)
	}
}

// world is a store of codes with a client and a token of alice's.
type world struct {
	t      *testing.T
	db     *db.DB
	trail  *access.Trail
	tokens *access.Tokens
	store  *login.Store
	shown  string
	cred   access.Credential
	shift  time.Duration
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, db: d, trail: access.NewTrail(d)}
	now := func() time.Time { return time.Now().Add(w.shift) }
	w.tokens = access.NewTokens(d, w.trail, now)
	w.store = login.NewStore(d, w.trail, w.tokens, now)
	if _, err := d.ExecContext(t.Context(), `INSERT INTO clients (id, slug, name, created_ms) VALUES ('c1', 'c1', 'c1', 0)`); err != nil {
		t.Fatal(err)
	}
	shown, cred, err := w.tokens.Create(t.Context(), access.NewToken{Client: "c1", Name: "alice", Projects: []string{"net/*"}, Scopes: []access.Scope{access.ScopeRead, access.ScopeLock},
		Actor: alice, By: access.Actor{Kind: access.Bot}, Expires: time.Now().Add(48 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	w.shown, w.cred = shown.Reveal(), cred
	return w
}

var wish = login.Wish{Name: "alice's laptop", Scopes: []access.Scope{access.ScopeRead}, For: 24 * time.Hour}

// agree returns the code of a login.
func (w *world) agree(wish login.Wish) string {
	w.t.Helper()
	r, err := login.Parse(query())
	if err != nil {
		w.t.Fatal(err)
	}
	to, err := w.store.Agree(context.Background(), r, w.shown, wish)
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, "http://localhost:10005/login?") || u.Query().Get("state") != "s&=t" {
		w.t.Fatalf("sent to %s, %v", to, err)
	}
	return u.Query().Get("code")
}

func TestLogin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token, made, err := w.store.Exchange(t.Context(), w.agree(wish), "http://localhost:10005/login", verifier)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.tokens.Authenticate(t.Context(), token.Reveal())
		if err != nil || got.ID != made.ID || got.Client != "c1" || got.Actor != alice || got.By != alice || got.Parent != w.cred.ID || got.Name != wish.Name ||
			!slices.Equal(got.Projects, w.cred.Projects) || !slices.Equal(got.Scopes, wish.Scopes) || time.Until(got.Expires) > 25*time.Hour {
			t.Errorf("made: %+v, %v", got, err)
		}
		// No later than the one that was shown, whatever was wished.
		_, long, err := w.store.Exchange(t.Context(), w.agree(login.Wish{Name: "x", Scopes: wish.Scopes, For: login.MostTime}), "http://localhost:10005/login", verifier)
		if err != nil || !long.Expires.Equal(w.cred.Expires.Truncate(time.Millisecond)) && !long.Expires.Equal(w.cred.Expires) {
			t.Errorf("expires %v, the shown one %v, %v", long.Expires, w.cred.Expires, err)
		}
		// It ends with it.
		if _, err := w.tokens.Revoke(t.Context(), w.cred.ID, alice); err != nil {
			t.Fatal(err)
		}
		if _, err := w.tokens.Authenticate(t.Context(), token.Reveal()); !errs.Is(err, errs.Forbidden) {
			t.Errorf("after the shown one was revoked: %v", err)
		}
		var actions []string
		all, err := w.trail.List(t.Context(), "c1", 20)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			actions = append(actions, e.Action)
		}
		if !slices.Contains(actions, "login.agreed") || len(actions) < 6 {
			t.Errorf("audit: %v", actions)
		}
		if err := w.trail.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestThreat_LoginGivesNoMoreThanWasShown(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	r, err := login.Parse(query())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token string
		wish  login.Wish
		kind  errs.Kind
	}{
		"another scope":   {w.shown, login.Wish{Name: "x", Scopes: []access.Scope{access.ScopeRead, access.ScopeWrite}, For: time.Hour}, errs.Forbidden},
		"no scope":        {w.shown, login.Wish{Name: "x", For: time.Hour}, errs.Invalid},
		"an unknown one":  {w.shown, login.Wish{Name: "x", Scopes: []access.Scope{"admin"}, For: time.Hour}, errs.Forbidden},
		"no name":         {w.shown, login.Wish{Scopes: wish.Scopes, For: time.Hour}, errs.Invalid},
		"a strange name":  {w.shown, login.Wish{Name: "a\x1b[2J", Scopes: wish.Scopes, For: time.Hour}, errs.Invalid},
		"for ever":        {w.shown, login.Wish{Name: "x", Scopes: wish.Scopes, For: 400 * 24 * time.Hour}, errs.Invalid},
		"no time":         {w.shown, login.Wish{Name: "x", Scopes: wish.Scopes}, errs.Invalid},
		"no token":        {"", wish, errs.Forbidden},
		"another's token": {"tlk_nobody", wish, errs.Forbidden},
	} {
		if to, err := w.store.Agree(t.Context(), r, c.token, c.wish); !errs.Is(err, c.kind) || to != "" {
			t.Errorf("%s: %q, %v", name, to, err)
		}
	}
	run, _, err := w.tokens.Create(t.Context(), access.NewToken{Client: "c1", Name: "run", Projects: []string{"**"}, Scopes: wish.Scopes, By: alice, Run: "run-1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Agree(t.Context(), r, run.Reveal(), wish); !errs.Is(err, errs.Forbidden) {
		t.Errorf("a run's token: %v", err)
	}
	force := login.Wish{Name: "x", Scopes: []access.Scope{access.ScopeForceWrite}, For: time.Hour}
	repair, _, err := w.tokens.Create(t.Context(), access.NewToken{Client: "c1", Name: "repair", Projects: []string{"**"}, Scopes: force.Scopes, By: alice, Expires: time.Now().Add(2 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Agree(t.Context(), r, repair.Reveal(), force); !errs.Is(err, errs.Forbidden) {
		t.Errorf("a token for a repair: %v", err)
	}
}

// exchange asks for the token as a program does.
func exchange(h http.Handler, change func(url.Values)) *httptest.ResponseRecorder {
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {"terraform-cli"}, "redirect_uri": {"http://localhost:10005/login"}, "code_verifier": {verifier}}
	change(form)
	r := httptest.NewRequest(http.MethodPost, login.TokenPath, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

func TestThreat_CodesCountOnceAndForTheirOwner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		h := w.store.TokenHandler(slog.New(slog.DiscardHandler))
		for name, change := range map[string]func(url.Values){
			"another verifier": func(f url.Values) { f.Set("code_verifier", strings.Repeat("x", 43)) },
			"no verifier":      func(f url.Values) { f.Del("code_verifier") },
			"another address":  func(f url.Values) { f.Set("redirect_uri", "http://localhost:10006/login") },
			"too late":         func(url.Values) { w.shift += 61 * time.Second },
		} {
			code := w.agree(wish)
			rec := exchange(h, func(f url.Values) { f.Set("code", code); change(f) })
			if rec.Code != 400 || !strings.Contains(rec.Body.String(), `"invalid_grant"`) || rec.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
			}
			// Who tried has used it up.
			if rec := exchange(h, func(f url.Values) { f.Set("code", code) }); rec.Code != 400 {
				t.Errorf("%s, and then right: %d", name, rec.Code)
			}
		}
		// A code that comes twice: one gets a token, and it ends.
		code := w.agree(wish)
		var wg sync.WaitGroup
		var mu sync.Mutex
		var given []string
		for range 4 {
			wg.Go(func() {
				rec := exchange(h, func(f url.Values) { f.Set("code", code) })
				mu.Lock()
				defer mu.Unlock()
				if rec.Code == 200 {
					given = append(given, rec.Body.String())
				}
			})
		}
		wg.Wait()
		var got struct {
			Token string `json:"access_token"`
			Type  string `json:"token_type"`
		}
		if len(given) != 1 || json.Unmarshal([]byte(given[0]), &got) != nil || got.Type != "bearer" {
			t.Fatalf("given: %v", given)
		}
		if _, err := w.tokens.Authenticate(t.Context(), got.Token); !errs.Is(err, errs.Forbidden) {
			t.Errorf("a token whose code was used twice: %v", err)
		}
		// One whose shown token was revoked meanwhile.
		code = w.agree(wish)
		if _, err := w.tokens.Revoke(t.Context(), w.cred.ID, alice); err != nil {
			t.Fatal(err)
		}
		if rec := exchange(h, func(f url.Values) { f.Set("code", code) }); rec.Code != 400 {
			t.Errorf("after the shown token was revoked: %d", rec.Code)
		}
		for name, c := range map[string]struct {
			change func(url.Values)
			says   string
		}{
			"no code":        {func(url.Values) {}, "invalid_grant"},
			"another client": {func(f url.Values) { f.Set("client_id", "x") }, "invalid_client"},
			"a password":     {func(f url.Values) { f.Set("grant_type", "password") }, "unsupported_grant_type"},
		} {
			if rec := exchange(h, c.change); rec.Code != 400 || !strings.Contains(rec.Body.String(), fmt.Sprintf("%q", c.says)) {
				t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
			}
		}
		if rec := exchange(h, func(f url.Values) { f.Set("code", strings.Repeat("x", 20<<10)) }); rec.Code != 413 {
			t.Errorf("a long form: %d", rec.Code)
		}
		for range 30 {
			exchange(h, func(f url.Values) { f.Set("code", "guess") })
		}
		if rec := exchange(h, func(f url.Values) { f.Set("code", "guess") }); rec.Code != 429 {
			t.Errorf("guessing: %d", rec.Code)
		}
	})
}

// Whoever revokes a token while a login is made with it leaves nothing that counts.
func TestThreat_RevokedWhileALoginIsMade(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		code := w.agree(wish)
		ended := make(chan error, 1)
		err := d.Tx(t.Context(), func(tx *db.Tx) error {
			if _, err := w.tokens.RevokeTx(t.Context(), tx, w.cred.ID, alice); err != nil {
				return err
			}
			go func() { // which waits for this transaction, sooner or later
				_, _, err := w.store.Exchange(context.WithoutCancel(t.Context()), code, "http://localhost:10005/login", verifier)
				ended <- err
			}()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errs.Is(err, errs.Forbidden) {
			t.Errorf("the login: %v", err)
		}
		var live int
		if err := d.QueryRowContext(t.Context(), `SELECT count(*) FROM tokens WHERE parent_id <> '' AND revoked_ms = 0`).Scan(&live); err != nil || live != 0 {
			t.Errorf("%d tokens count that were made of it, %v", live, err)
		}
	})
}
