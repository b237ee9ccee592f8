package doctor

import (
	"context"
	"sync"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/runner"
)

// Clinic is what the checks look at: the configuration, and the world behind
// functions that a test replaces.
type Clinic struct {
	config   config.Config
	file     string
	problems config.Problems

	app        func(ctx context.Context) (github.AppInfo, error)
	deliveries func(ctx context.Context, span time.Duration) ([]github.Delivery, error)
	database   func(ctx context.Context, dsn string, whole bool) (databaseFacts, error)
	freeSpace  func(dir string) (bytes uint64, err error)
	terraform  func(ctx context.Context, configured string) (path, version string, err error)
	reach      func(ctx context.Context, host string) (time.Duration, error)
	lookupEnv  func(name string) (string, bool)
	host       func() runner.Host
	whole      bool // the database is to be walked whole, however long that takes
}

// Whole has the check of the database walk all of its file, however long that
// takes.
func (c *Clinic) Whole() { c.whole = true }

// New returns the clinic of the real world, with the configuration that was read
// and the environment of the server.
func New(l *config.Reading, environ []string) *Clinic {
	c := &Clinic{
		config: l.Config, file: l.File, problems: l.Problems,
		database:  askDatabase,
		freeSpace: parts.FreeSpace,
		terraform: findTerraform,
		reach:     reach,
		lookupEnv: config.Lookup(environ),
		host:      runner.LookAtHost,
	}
	app, err := newApp(c.config)
	// Three checks ask the same question; GitHub is asked once.
	var once sync.Once
	var info github.AppInfo
	c.app = func(ctx context.Context) (github.AppInfo, error) {
		once.Do(func() {
			if err == nil {
				info, err = app.Self(ctx)
			}
		})
		return info, err
	}
	c.deliveries = func(ctx context.Context, span time.Duration) ([]github.Delivery, error) {
		if err != nil {
			return nil, err
		}
		return app.Deliveries(ctx, time.Now().Add(-span))
	}
	return c
}
