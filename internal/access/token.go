package access

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
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// Scope is one thing that a token may do. None includes another.
type Scope string

// The scopes.
const (
	ScopeRead        Scope = "read"         // read states
	ScopeWrite       Scope = "write"        // write and delete them
	ScopeLock        Scope = "lock"         // lock them, and unlock what it locked
	ScopeForceUnlock Scope = "force-unlock" // take a lock from somebody else
	// ScopeForceWrite has a write count that does not follow from what is there:
	// of another lineage, of a lower serial. Most clients can't say that they
	// mean it, so that having the scope is how it is said; ScopeWrite is needed
	// besides. A token with it ends within a day.
	ScopeForceWrite Scope = "force-write"
)

// Scopes returns the scopes of everyday: all but ScopeForceWrite.
func Scopes() []Scope { return []Scope{ScopeRead, ScopeWrite, ScopeLock, ScopeForceUnlock} }

// maxForceWrite is the longest that a token with ScopeForceWrite counts.
const maxForceWrite = 24 * time.Hour

// TokenPrefix begins every token, so that scanners for leaked secrets and
// people can tell one.
const TokenPrefix = "tlk_"

// Credential is a token as the database knows it: everything but the token.
type Credential struct {
	ID       string
	Client   string // ID; what it opens is this client's
	Name     string
	Projects []string // patterns: * is anything but a slash, ** anything
	Scopes   []Scope
	Actor    Actor // as whom it acts
	By       Actor // who made it
	Run      string
	Commit   string
	Parent   string // ID of the token that was shown for it, "" for none: it ends with that
	Created  time.Time
	Expires  time.Time // zero: never
	Revoked  time.Time // zero: not
	Used     time.Time // to the minute; zero: never
}

// May reports whether the token has the scope.
func (c Credential) May(s Scope) bool { return slices.Contains(c.Scopes, s) }

// Opens reports whether the project is one of the token's.
func (c Credential) Opens(project string) bool {
	return slices.ContainsFunc(c.Projects, func(p string) bool {
		ok, err := doublestar.Match(p, project)
		return ok && err == nil
	})
}

// Live reports whether the token counts at the time.
func (c Credential) Live(now time.Time) bool {
	return c.Revoked.IsZero() && (c.Expires.IsZero() || now.Before(c.Expires))
}

// NewToken is what a token is to be. Projects, Scopes, Client, Name and By are
// needed.
type NewToken struct {
	Client   string
	Name     string
	Projects []string
	Scopes   []Scope
	Actor    Actor // the token itself, by its name, if empty
	By       Actor
	Run      string // the run whose own credential it is
	Commit   string
	Parent   string // ID of the token that was shown for it, "" for none
	Expires  time.Time
}

func (n NewToken) check(now time.Time) error {
	switch {
	case n.Client == "" || n.By.Kind == "":
		return errors.New("a token needs a client and somebody who makes it")
	case n.Name == "" || len(n.Name) > 100 || strings.ContainsFunc(n.Name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errs.New(errs.Invalid, "A token needs a name of at most 100 characters that says what it is for.")
	case len(n.Projects) == 0:
		return errs.New(errs.Invalid, "Say which projects the token opens: a pattern such as network/*, or ** for all of the client's.")
	case len(n.Scopes) == 0:
		return errs.New(errs.Invalid, "Say what the token may do: read, write, lock, force-unlock, force-write.")
	case !n.Expires.IsZero() && !n.Expires.After(now):
		return errs.New(errs.Invalid, "The token would have expired already.")
	case slices.Contains(n.Scopes, ScopeForceWrite) && (n.Expires.IsZero() || n.Expires.After(now.Add(maxForceWrite))):
		return errs.New(errs.Invalid, "A token that may force-write has everything count that it writes, so it is made for one repair: say that it expires within a day.")
	}
	for _, p := range n.Projects {
		if p == "" || !doublestar.ValidatePattern(p) {
			return errs.New(errs.Invalid, "%q is not a pattern of projects.", p)
		}
	}
	for _, s := range n.Scopes {
		if s != ScopeForceWrite && !slices.Contains(Scopes(), s) {
			return errs.New(errs.Invalid, "There is no scope %q; there are read, write, lock, force-unlock and force-write.", s)
		}
	}
	return nil
}

// Tokens keeps tokens. It is safe for concurrent use.
type Tokens struct {
	db    *db.DB
	trail *Trail
	now   func() time.Time

	mu   sync.Mutex
	used map[string]int64 // by token: the minute that was last recorded

	observed func(error) // nil where nobody wants to know
}

// NewTokens returns the store of the database; now is time.Now if nil.
func NewTokens(d *db.DB, trail *Trail, now func() time.Time) *Tokens {
	if now == nil {
		now = time.Now
	}
	return &Tokens{db: d, trail: trail, now: now, used: map[string]int64{}}
}

// Observe has f told of every token that is shown to Authenticate, by the error
// that came of it. f must be fast, and safe for concurrent use. Call it before
// the store is used.
func (t *Tokens) Observe(f func(error)) { t.observed = f }

// Create makes a token and returns it: nobody can ask for it again.
func (t *Tokens) Create(ctx context.Context, n NewToken) (token redact.Secret, c Credential, err error) {
	err = t.db.Tx(ctx, func(tx *db.Tx) error {
		token, c, err = t.CreateTx(ctx, tx, n)
		return err
	})
	return token, c, err
}

// CreateTx is Create in a transaction of the caller's.
func (t *Tokens) CreateTx(ctx context.Context, tx *db.Tx, n NewToken) (redact.Secret, Credential, error) {
	now := t.now()
	if err := n.check(now); err != nil {
		return redact.Secret{}, Credential{}, fmt.Errorf("create token: %w", err)
	}
	if n.Actor.Kind == "" {
		n.Actor = Actor{Kind: Token, Name: n.Name}
	}
	if n.Parent != "" {
		// The write is the lock: whoever revokes the parent at this moment waits,
		// and then sees this one, or is waited for.
		if _, err := tx.ExecContext(ctx, `UPDATE tokens SET used_ms = used_ms WHERE id = $1`, n.Parent); err != nil {
			return redact.Secret{}, Credential{}, fmt.Errorf("create token: %w", err)
		}
		parent, err := t.Token(ctx, tx, n.Parent)
		if err != nil {
			return redact.Secret{}, Credential{}, fmt.Errorf("create token: %w", err)
		}
		if !parent.Live(now) {
			return redact.Secret{}, Credential{}, fmt.Errorf("create token: %w", refuseToken(ErrTokenRevoked))
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return redact.Secret{}, Credential{}, fmt.Errorf("create token: %w", err)
	}
	random := make([]byte, 32)
	rand.Read(random) // never fails: crypto/rand ends the process instead
	token := TokenPrefix + base64.RawURLEncoding.EncodeToString(random)
	c := Credential{ID: id.String(), Client: n.Client, Name: n.Name, Projects: n.Projects, Scopes: n.Scopes, Actor: n.Actor, By: n.By,
		Run: n.Run, Commit: n.Commit, Parent: n.Parent, Created: now, Expires: n.Expires}
	var texts [4]string
	for i, v := range []any{c.Projects, c.Scopes, c.Actor, c.By} {
		b, err := json.Marshal(v)
		if err != nil {
			return redact.Secret{}, Credential{}, fmt.Errorf("create token: %w", err)
		}
		texts[i] = string(b)
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO tokens (id, client_id, name, hash, projects, scopes, actor, created_by, run_id, commit_sha, created_ms, expires_ms, parent_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		c.ID, c.Client, c.Name, hashToken(token), texts[0], texts[1], texts[2], texts[3], c.Run, c.Commit, db.Millis(now), db.Millis(c.Expires), c.Parent)
	if err != nil {
		return redact.Secret{}, Credential{}, fmt.Errorf("create token: %w", err)
	}
	err = t.trail.Record(ctx, tx, Event{Client: c.Client, Action: "token.created", Subject: "token " + c.ID, Actor: c.By, At: now,
		Detail: map[string]any{"name": c.Name, "projects": c.Projects, "scopes": c.Scopes, "run": c.Run, "expires": c.Expires, "parent": c.Parent}})
	return redact.NewSecret(token), c, err
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// errToken is all that a stranger hears.
var errToken = errs.New(errs.Forbidden, "The token is not one that counts here.")

// Why an Authenticate failed, for the log: errors.Is tells.
var (
	ErrNoToken      = errors.New("no such token")
	ErrTokenExpired = errors.New("the token has expired")
	ErrTokenRevoked = errors.New("the token was revoked")
)

// Authenticate returns whose token it is. The error is errs.Forbidden with one
// sentence for all reasons, and wraps one of ErrNoToken, ErrTokenExpired and
// ErrTokenRevoked; with the latter two the credential is returned too.
func (t *Tokens) Authenticate(ctx context.Context, token string) (_ Credential, err error) {
	if t.observed != nil {
		defer func() { t.observed(err) }()
	}
	hash := hashToken(token)
	if !strings.HasPrefix(token, TokenPrefix) || len(token) > 100 {
		return Credential{}, refuseToken(ErrNoToken)
	}
	c, stored, err := scanToken(t.db.QueryRowContext(ctx, tokenColumns+` WHERE hash = $1`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return Credential{}, refuseToken(ErrNoToken)
	}
	if err != nil {
		return Credential{}, fmt.Errorf("read token: %w", err)
	}
	// The index compared a hash of what the stranger sent, which tells nothing
	// of the token; this compares once more, in constant time.
	if subtle.ConstantTimeCompare([]byte(stored), []byte(hash)) != 1 {
		return Credential{}, refuseToken(ErrNoToken)
	}
	now := t.now()
	switch {
	case !c.Revoked.IsZero():
		return c, refuseToken(ErrTokenRevoked)
	case !c.Live(now):
		return c, refuseToken(ErrTokenExpired)
	}
	t.touch(ctx, c.ID, now)
	return c, nil
}

func refuseToken(why error) error {
	return errs.Wrap(errs.Forbidden, why, "%s", errs.Sentence(errToken))
}

// touch records when the token was used, once a minute: a write for each read
// would cost more than the read.
func (t *Tokens) touch(ctx context.Context, id string, now time.Time) {
	minute := now.Unix() / 60
	t.mu.Lock()
	known := t.used[id] == minute
	if !known {
		if len(t.used) > 10_000 {
			clear(t.used)
		}
		t.used[id] = minute
	}
	t.mu.Unlock()
	if !known {
		// A database that can't be written to keeps nobody from reading.
		_, _ = t.db.ExecContext(ctx, `UPDATE tokens SET used_ms = $1 WHERE id = $2 AND used_ms < $1`, minute*60_000, id)
	}
}

const tokenColumns = `SELECT id, client_id, name, hash, projects, scopes, actor, created_by, run_id, commit_sha, created_ms, expires_ms, revoked_ms, used_ms, parent_id FROM tokens`

func scanToken(row interface{ Scan(...any) error }) (c Credential, hash string, err error) {
	var projects, scopes, actor, by string
	var created, expires, revoked, used int64
	if err := row.Scan(&c.ID, &c.Client, &c.Name, &hash, &projects, &scopes, &actor, &by, &c.Run, &c.Commit, &created, &expires, &revoked, &used, &c.Parent); err != nil {
		return c, "", err
	}
	c.Created, c.Expires, c.Revoked, c.Used = db.FromMillis(created), db.FromMillis(expires), db.FromMillis(revoked), db.FromMillis(used)
	if err := errors.Join(json.Unmarshal([]byte(projects), &c.Projects), json.Unmarshal([]byte(scopes), &c.Scopes),
		json.Unmarshal([]byte(actor), &c.Actor), json.Unmarshal([]byte(by), &c.By)); err != nil {
		return c, "", fmt.Errorf("token %s: %w", c.ID, err)
	}
	return c, hash, nil
}

// Token returns the token with the ID, or errs.NotFound.
func (t *Tokens) Token(ctx context.Context, q db.Querier, id string) (Credential, error) {
	c, _, err := scanToken(q.QueryRowContext(ctx, tokenColumns+` WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return c, errs.Wrap(errs.NotFound, err, "There is no such token.")
	}
	return c, err
}

// List returns the client's tokens, or everybody's where client is empty, the
// newest first; without those of runs, unless runs is true.
func (t *Tokens) List(ctx context.Context, client string, runs bool) ([]Credential, error) {
	rows, err := t.db.QueryContext(ctx, tokenColumns+` WHERE (client_id = $1 OR $1 = '') AND (run_id = '' OR $2 = 1) ORDER BY created_ms DESC, id DESC`, client, flag(runs))
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	defer rows.Close()
	var all []Credential
	for rows.Next() {
		c, _, err := scanToken(rows)
		if err != nil {
			return nil, fmt.Errorf("list tokens: %w", err)
		}
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return all, nil
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Revoke ends a token at once, and those that were made by showing it. One that
// was revoked already stays as it is.
func (t *Tokens) Revoke(ctx context.Context, id string, by Actor) (c Credential, err error) {
	err = t.db.Tx(ctx, func(tx *db.Tx) error {
		c, err = t.RevokeTx(ctx, tx, id, by)
		return err
	})
	if err != nil {
		err = fmt.Errorf("revoke token %s: %w", id, err)
	}
	return c, err
}

// RevokeTx is Revoke in a transaction of the caller's.
func (t *Tokens) RevokeTx(ctx context.Context, tx *db.Tx, id string, by Actor) (Credential, error) {
	c, err := t.Token(ctx, tx, id)
	if err != nil || !c.Revoked.IsZero() {
		return c, err
	}
	c.Revoked = t.now()
	if _, err := tx.ExecContext(ctx, `UPDATE tokens SET revoked_ms = $1 WHERE id = $2`, db.Millis(c.Revoked), id); err != nil {
		return c, err
	}
	children, err := children(ctx, tx, id)
	if err != nil {
		return c, err
	}
	for _, child := range children {
		if _, err := t.RevokeTx(ctx, tx, child, by); err != nil {
			return c, err
		}
	}
	return c, t.trail.Record(ctx, tx, Event{Client: c.Client, Action: "token.revoked", Subject: "token " + id, Actor: by, At: c.Revoked, Detail: map[string]any{"name": c.Name}})
}

// children returns the tokens that were made by showing this one.
func children(ctx context.Context, q db.Querier, parent string) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT id FROM tokens WHERE parent_id = $1 ORDER BY id`, parent)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// RevokeRunTx ends the credentials of a run, in the transaction that ends the
// run. They need no event of their own: the run's end is one.
func (t *Tokens) RevokeRunTx(ctx context.Context, tx *db.Tx, run string) error {
	if run == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE tokens SET revoked_ms = $1 WHERE run_id = $2 AND revoked_ms = 0`, db.Millis(t.now()), run)
	if err != nil {
		return fmt.Errorf("revoke the tokens of run %s: %w", run, err)
	}
	return nil
}
