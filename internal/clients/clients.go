package clients

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// The states of a client and of a repo.
const (
	Active    = "active"
	Suspended = "suspended" // the installation is suspended: nothing runs
	Deleted   = "deleted"   // the App was uninstalled; history stays
	Removed   = "removed"   // of a repo: taken out of the installation, or deleted
)

// Client is whoever the infrastructure belongs to.
type Client struct {
	ID             string // UUIDv7
	Slug           string // in URLs: lower case letters, digits and hyphens; unique, never changes
	Name           string // the GitHub account's
	InstallationID int64  // GitHub's; 0 if there is none
	AccountID      int64  // GitHub's; 0 if it was never told
	Status         string // Active, Suspended or Deleted
}

// Repo is a GitHub repository of a client.
type Repo struct {
	ID            int64 // GitHub's
	ClientID      string
	Owner, Name   string
	DefaultBranch string // empty until GitHub told
	CloneURL      string // HTTPS, without credentials
	Status        string // Active or Removed
}

// FullName returns "owner/name".
func (r Repo) FullName() string { return r.Owner + "/" + r.Name }

// Installation is what a GitHub event says about the App's installation.
type Installation struct {
	ID        int64
	Account   string // login of the account; may be empty where the client exists
	AccountID int64  // 0 where the event does not tell
}

// Store keeps clients and repos.
type Store struct{ db *db.DB }

// NewStore returns the store of the database.
func NewStore(d *db.DB) *Store { return &Store{d} }

const clientColumns = `SELECT id, slug, name, coalesce(installation_id, 0), account_id, status FROM clients`

func scanClient(s interface{ Scan(...any) error }) (c Client, err error) {
	err = s.Scan(&c.ID, &c.Slug, &c.Name, &c.InstallationID, &c.AccountID, &c.Status)
	return c, err
}

func client(ctx context.Context, q db.Querier, where string, args ...any) (Client, error) {
	c, err := scanClient(q.QueryRowContext(ctx, clientColumns+` WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Client{}, errs.Wrap(errs.NotFound, err, "There is no such client.")
	}
	if err != nil {
		return Client{}, fmt.Errorf("read client: %w", err)
	}
	return c, nil
}

// Client returns the client with the ID, or errs.NotFound.
func (s *Store) Client(ctx context.Context, q db.Querier, id string) (Client, error) {
	return client(ctx, q, `id = $1`, id)
}

// BySlug returns the client with the slug, or errs.NotFound.
func (s *Store) BySlug(ctx context.Context, q db.Querier, slug string) (Client, error) {
	return client(ctx, q, `slug = $1`, slug)
}

// ByInstallation returns the client of GitHub's installation, or errs.NotFound.
func (s *Store) ByInstallation(ctx context.Context, q db.Querier, id int64) (Client, error) {
	return client(ctx, q, `installation_id = $1`, id)
}

// List returns all clients by slug, deleted ones too.
func (s *Store) List(ctx context.Context, q db.Querier) ([]Client, error) {
	rows, err := q.QueryContext(ctx, clientColumns+` ORDER BY slug`)
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	defer rows.Close()
	var all []Client
	for rows.Next() {
		c, err := scanClient(rows)
		if err != nil {
			return nil, fmt.Errorf("list clients: %w", err)
		}
		all = append(all, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	return all, nil
}

// Ensure returns the client of the installation and makes it where there is
// none. It leaves the status as it is: a straggling event of a suspended
// installation does not wake it up.
//
// An account that comes back with a new installation finds its client again by
// the account's number, never by its name: after an account is deleted, anyone
// may take that. Such a client becomes active.
func (s *Store) Ensure(ctx context.Context, tx *db.Tx, in Installation) (Client, error) {
	if in.ID <= 0 {
		return Client{}, errs.New(errs.Invalid, "The event names no installation of the GitHub App.")
	}
	c, err := s.ByInstallation(ctx, tx, in.ID)
	switch {
	case err == nil:
		return s.refresh(ctx, tx, c, in)
	case !errs.Is(err, errs.NotFound):
		return Client{}, err
	}
	if in.AccountID != 0 {
		c, err := client(ctx, tx, `account_id = $1 ORDER BY created_ms LIMIT 1`, in.AccountID)
		if err == nil {
			return s.comeBack(ctx, tx, c, in)
		}
		if !errs.Is(err, errs.NotFound) {
			return Client{}, err
		}
	}
	return s.create(ctx, tx, in)
}

// refresh keeps the name of a renamed account, and its number once it is told.
func (s *Store) refresh(ctx context.Context, tx *db.Tx, c Client, in Installation) (Client, error) {
	if (in.Account == "" || in.Account == c.Name) && (in.AccountID == 0 || in.AccountID == c.AccountID) {
		return c, nil
	}
	if in.Account != "" {
		c.Name = in.Account
	}
	if in.AccountID != 0 {
		c.AccountID = in.AccountID
	}
	if _, err := tx.ExecContext(ctx, `UPDATE clients SET name = $1, account_id = $2 WHERE id = $3`, c.Name, c.AccountID, c.ID); err != nil {
		return Client{}, fmt.Errorf("update client %s: %w", c.ID, err)
	}
	return c, nil
}

func (s *Store) comeBack(ctx context.Context, tx *db.Tx, c Client, in Installation) (Client, error) {
	c.InstallationID, c.Status = in.ID, Active
	if _, err := tx.ExecContext(ctx, `UPDATE clients SET installation_id = $1, status = $2 WHERE id = $3`, in.ID, Active, c.ID); err != nil {
		return Client{}, fmt.Errorf("update client %s: %w", c.ID, err)
	}
	return s.refresh(ctx, tx, c, in)
}

func (s *Store) create(ctx context.Context, tx *db.Tx, in Installation) (Client, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Client{}, fmt.Errorf("create client: %w", err)
	}
	base := slugOf(in.Account)
	for n := 1; n <= 1000; n++ {
		slug := base
		if n > 1 {
			slug = fmt.Sprintf("%s-%d", base, n)
		}
		// A conflict means that the slug is taken, or that somebody else made
		// this installation's client meanwhile.
		_, err := tx.ExecContext(ctx, `
			INSERT INTO clients (id, slug, name, installation_id, account_id, status, created_ms)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			id.String(), slug, in.Account, in.ID, in.AccountID, Active, db.Millis(time.Now()))
		if err != nil {
			return Client{}, fmt.Errorf("create client %s: %w", slug, err)
		}
		c, err := s.ByInstallation(ctx, tx, in.ID)
		if !errs.Is(err, errs.NotFound) {
			return c, err
		}
	}
	return Client{}, fmt.Errorf("create client: no slug is free for %q", in.Account)
}

// slugOf makes a slug of a GitHub login.
func slugOf(account string) string {
	slug := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, account)
	if slug = strings.Trim(slug, "-"); slug == "" {
		return "client"
	}
	return slug
}

// SetStatus changes a client's status: Active, Suspended or Deleted.
func (s *Store) SetStatus(ctx context.Context, q db.Querier, clientID, status string) error {
	switch status {
	case Active, Suspended, Deleted:
	default:
		return fmt.Errorf("client %s: no status %q", clientID, status)
	}
	return one(ctx, q, "There is no such client.", `UPDATE clients SET status = $1 WHERE id = $2`, status, clientID)
}

// one runs an update that must meet exactly one row.
func one(ctx context.Context, q db.Querier, missing, query string, args ...any) error {
	res, err := q.ExecContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("set status: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("set status: %w", err)
	}
	if n == 0 {
		return errs.New(errs.NotFound, "%s", missing)
	}
	return nil
}
