package main

import (
	"log/slog"
	"time"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/state"
)

// StateConfig bounds what clients keep in the state service.
type StateConfig struct {
	MaxSize      int // MiB of one state
	MaxStates    int // of a client; 0 for no bound
	MaxTotal     int // MiB of a client with all versions, as they are stored; 0 for no bound
	KeepVersions int // of each state; 0 for all
	KeepAge      time.Duration
}

var defaultState = StateConfig{MaxSize: 256, KeepVersions: 100, KeepAge: 90 * 24 * time.Hour}

func (c StateConfig) limits() state.Limits {
	return state.Limits{Size: int64(c.MaxSize) << 20, States: c.MaxStates, Bytes: int64(c.MaxTotal) << 20}
}

func (c StateConfig) keep() state.Keep { return state.Keep{Count: c.KeepVersions, Age: c.KeepAge} }

// roomForState refuses locks on a disk that is all but full: an apply that
// begins on it may not be able to write its state.
func (c Config) roomForState() error {
	if free, err := freeSpace(c.DataDir); err == nil && free < leastFree {
		return errs.New(errs.Unavailable, "The disk of the server is all but full, and nothing that writes is begun on it.")
	}
	return nil
}

// states returns the state service on the server's database.
func (c Config) states(d *db.DB, blobs *blob.Store, trail *access.Trail, key redact.Secret, log *slog.Logger) (*state.Store, error) {
	ring, err := c.keyring(key)
	if err != nil {
		return nil, err
	}
	return state.New(state.Options{
		DB: d, Blobs: blobs, Keys: ring, Trail: trail, Tokens: access.NewTokens(d, trail, nil), Log: log,
		Limits: c.State.limits(), Keep: c.State.keep(), Room: c.roomForState,
	}), nil
}
