package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Where the two halves of a login are asked for.
const (
	AuthorizePath = "/oauth/authorization"
	TokenPath     = "/oauth/token"
)

// clientID is what the command lines call themselves.
const clientID = "terraform-cli"

// The ports at which the command lines wait for the code.
const firstPort, lastPort = 10000, 10010

// codeTime is for how long a code counts. The command line asks at once.
const codeTime = time.Minute

// Services are what discovery tells of logins.
func Services() map[string]any {
	return map[string]any{"login.v1": map[string]any{
		"client": clientID, "grant_types": []string{"authz_code"}, "authz": AuthorizePath, "token": TokenPath, "ports": []int{firstPort, lastPort},
	}}
}

// Request is what a program asks a person for.
type Request struct {
	Redirect  string // where the code goes
	State     string // what goes with it, as it came
	Challenge string // of PKCE
}

// Parse reads and checks what a program asks for. The error is errs.Invalid:
// nothing is then sent anywhere.
func Parse(q url.Values) (Request, error) {
	r := Request{Redirect: q.Get("redirect_uri"), State: q.Get("state"), Challenge: q.Get("code_challenge")}
	for key, values := range q {
		if len(values) > 1 {
			return r, errs.New(errs.Invalid, "The program asks with %q twice.", key)
		}
	}
	sum, err := base64.RawURLEncoding.Strict().DecodeString(r.Challenge)
	switch {
	case q.Get("client_id") != clientID:
		return r, errs.New(errs.Invalid, "Only terraform login and tofu login may ask for a token here.")
	case q.Get("response_type") != "code":
		return r, errs.New(errs.Invalid, "The program does not ask for a code, which is all that there is here.")
	case !loopback(r.Redirect):
		return r, errs.New(errs.Invalid, "The program wants the code sent to %q, which is not this machine: http://localhost with a port from %d to %d.", r.Redirect, firstPort, lastPort)
	case q.Get("code_challenge_method") != "S256" || err != nil || len(sum) != sha256.Size:
		return r, errs.New(errs.Invalid, "The program has to prove with PKCE, by S256, that it is who asked.")
	case len(r.State) > 1000:
		return r, errs.New(errs.Invalid, "The program's state has more than 1000 bytes.")
	}
	return r, nil
}

// loopback reports whether the address is one on the person's own machine where
// a command line may be waiting.
func loopback(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Opaque != "" || strings.ContainsAny(text, "?#\\") || len(text) > 200 {
		return false
	}
	if host := u.Hostname(); host != "localhost" {
		if addr, err := netip.ParseAddr(host); err != nil || !addr.IsLoopback() {
			return false
		}
	}
	// Compared as text: 010000 and +10000 are no ports.
	for port := firstPort; port <= lastPort; port++ {
		if u.Port() == fmt.Sprint(port) {
			return true
		}
	}
	return false
}

// Origin is where the code goes, without the path.
func (r Request) Origin() string {
	u, err := url.Parse(r.Redirect)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Wish is what a person agrees to.
type Wish struct {
	Name   string // of the new token
	Scopes []access.Scope
	For    time.Duration // the longest that it counts
}

// MostTime is the longest that a token of a login counts.
const MostTime = 365 * 24 * time.Hour

// Store keeps codes. It is safe for concurrent use.
type Store struct {
	db     *db.DB
	trail  *access.Trail
	tokens *access.Tokens
	now    func() time.Time
}

// NewStore returns the store of the database; now is time.Now if nil.
func NewStore(d *db.DB, trail *access.Trail, tokens *access.Tokens, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{d, trail, tokens, now}
}

// Agree makes a code for the request of a person who shows the token, and
// returns the address to send the person's browser to. The error is
// errs.Forbidden for a token that does not count, errs.Invalid for a wish that
// can't be.
func (s *Store) Agree(ctx context.Context, r Request, token string, w Wish) (string, error) {
	shown, err := s.tokens.Authenticate(ctx, token)
	if err != nil {
		return "", err
	}
	wanted, err := s.narrow(shown, w)
	if err != nil {
		return "", err
	}
	random := make([]byte, 32)
	rand.Read(random) // never fails: crypto/rand ends the process instead
	code := base64.RawURLEncoding.EncodeToString(random)
	text, err := json.Marshal(wanted)
	if err != nil {
		return "", err
	}
	now := s.now()
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		// Those that came to nothing; the used ones stay a day, to tell a second use.
		if _, err := tx.ExecContext(ctx, `DELETE FROM login_codes WHERE expires_ms < $1`, db.Millis(now.Add(-24*time.Hour))); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO login_codes (hash, client_id, redirect, challenge, wanted, expires_ms) VALUES ($1, $2, $3, $4, $5, $6)`,
			hash(code), wanted.Client, r.Redirect, r.Challenge, string(text), db.Millis(now.Add(codeTime)))
		if err != nil {
			return err
		}
		return s.trail.Record(ctx, tx, access.Event{Client: wanted.Client, Action: "login.agreed", Subject: "token " + shown.ID, Actor: shown.Actor, At: now,
			Detail: map[string]any{"name": wanted.Name, "scopes": wanted.Scopes, "expires": wanted.Expires, "to": r.Origin()}})
	})
	if err != nil {
		return "", fmt.Errorf("agree to a login: %w", err)
	}
	return r.Redirect + "?" + url.Values{"code": {code}, "state": {r.State}}.Encode(), nil
}

// narrow returns the token that the wish is for, within what the shown one may.
func (s *Store) narrow(shown access.Credential, w Wish) (access.NewToken, error) {
	if shown.Run != "" {
		return access.NewToken{}, errs.New(errs.Forbidden, "The token is a run's own, and opens nothing else.")
	}
	if w.For <= 0 || w.For > MostTime {
		return access.NewToken{}, errs.New(errs.Invalid, "Say for how long the token is to count: a year at most.")
	}
	if len(w.Scopes) == 0 {
		return access.NewToken{}, errs.New(errs.Invalid, "Say what the token may do.")
	}
	if slices.Contains(w.Scopes, access.ScopeForceWrite) {
		return access.NewToken{}, errs.New(errs.Forbidden, "A token that may force-write is made for one repair, with `tidelock token create`.")
	}
	for _, scope := range w.Scopes {
		if !shown.May(scope) {
			return access.NewToken{}, errs.New(errs.Forbidden, "The token that you show may not %s, so that none made with it may.", scope)
		}
	}
	if w.Name == "" || len(w.Name) > 100 || strings.ContainsFunc(w.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return access.NewToken{}, errs.New(errs.Invalid, "The token needs a name of at most 100 characters that says where it is used.")
	}
	scopes := slices.Clone(w.Scopes)
	slices.Sort(scopes)
	n := access.NewToken{Client: shown.Client, Name: w.Name, Projects: shown.Projects, Scopes: slices.Compact(scopes), By: shown.Actor, Parent: shown.ID, Expires: s.now().Add(w.For)}
	if shown.Actor.Kind != access.Token {
		n.Actor = shown.Actor // a person's: what the program does is that person's doing
	}
	if !shown.Expires.IsZero() && shown.Expires.Before(n.Expires) {
		n.Expires = shown.Expires
	}
	return n, nil
}

func hash(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// Why an exchange was refused, for the log; the program hears no more than that
// it was.
var (
	errNoCode    = errors.New("no such code")
	errUsedCode  = errors.New("the code was used before")
	errLateCode  = errors.New("the code has expired")
	errRedirect  = errors.New("another redirect address than the code was sent to")
	errVerifier  = errors.New("the PKCE verifier does not fit")
	errShownGone = errors.New("the token that was shown does not count any more")
)

func refused(why error) error {
	return errs.Wrap(errs.Forbidden, why, "The code does not count, or no more. Begin the login again.")
}

// Exchange gives the token for a code. The error is errs.Forbidden where the
// code does not count.
func (s *Store) Exchange(ctx context.Context, code, redirect, verifier string) (token redact.Secret, made access.Credential, err error) {
	var why error
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		token, made, why, err = s.exchange(ctx, tx, code, redirect, verifier)
		return err
	})
	if err != nil {
		return redact.Secret{}, access.Credential{}, fmt.Errorf("exchange a code: %w", err)
	}
	if why != nil {
		return redact.Secret{}, access.Credential{}, refused(why)
	}
	return token, made, nil
}

// exchange returns in why the reason for a refusal, so that what a refusal
// changes is kept: a code that was tried is used up.
func (s *Store) exchange(ctx context.Context, tx *db.Tx, code, redirect, verifier string) (token redact.Secret, made access.Credential, why, err error) {
	now := s.now()
	var client, sentTo, challenge, text, earlier string
	var expires, used int64
	// The write is the lock: of two who come at once one is the second.
	err = tx.QueryRowContext(ctx, `UPDATE login_codes SET used_ms = CASE used_ms WHEN 0 THEN -1 ELSE used_ms END WHERE hash = $1
		RETURNING client_id, redirect, challenge, wanted, expires_ms, used_ms, token_id`, hash(code)).Scan(&client, &sentTo, &challenge, &text, &expires, &used, &earlier)
	if errors.Is(err, sql.ErrNoRows) {
		return token, made, errNoCode, nil
	}
	if err != nil {
		return token, made, nil, err
	}
	if used != -1 {
		if earlier != "" { // somebody else had the code: whose token it is nobody knows
			_, err = s.tokens.RevokeTx(ctx, tx, earlier, access.Actor{Kind: access.Bot})
		}
		return token, made, errUsedCode, err
	}
	var wanted access.NewToken
	if err := json.Unmarshal([]byte(text), &wanted); err != nil {
		return token, made, nil, err
	}
	sum := sha256.Sum256([]byte(verifier))
	switch {
	case now.After(db.FromMillis(expires)):
		why = errLateCode
	case redirect != sentTo:
		why = errRedirect
	case len(verifier) < 43 || len(verifier) > 128 || subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) != 1:
		why = errVerifier
	default:
		shown, err := s.tokens.Token(ctx, tx, wanted.Parent)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return token, made, nil, err
		}
		if err != nil || !shown.Live(now) || !wanted.Expires.After(now) {
			why = errShownGone
		}
	}
	if why == nil {
		if token, made, err = s.tokens.CreateTx(ctx, tx, wanted); err != nil {
			return token, made, nil, err
		}
	}
	_, err = tx.ExecContext(ctx, `UPDATE login_codes SET used_ms = $1, token_id = $2 WHERE hash = $3`, db.Millis(now), made.ID, hash(code))
	return token, made, why, err
}
