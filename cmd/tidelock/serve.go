package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/runner"
)

func newServeCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: "Runs the server: receives webhooks at /webhook, plans, comments and applies, until it is told to stop.\n" +
			"On SIGINT or SIGTERM it goes down in order; applies that run go on, and the next start takes them up again.",
		Example: "  tidelock serve\n" +
			"  tidelock serve --config /etc/tidelock/tidelock-server.hcl\n" +
			"  TIDELOCK_DATA_DIR=/var/lib/tidelock TIDELOCK_GITHUB_APP_ID=12345 tidelock serve",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.serve(cmd.Context()) },
	}
}

func (p *program) serve(ctx context.Context) error {
	// Before a secret is read: the memory of this process is nobody's.
	if err := runner.Hide(); err != nil {
		return err
	}
	c, problems := config.Load(p.configPath, p.environ)
	if err := problems.Err(); err != nil {
		return err
	}
	log := newLogger(p.stderr, c.Log)
	for _, w := range problems.Warnings() {
		log.Warn(w.String())
	}
	s, err := newServer(ctx, c, p.environ, log)
	if err != nil {
		return err
	}
	defer s.close()
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "The server can't listen on %s", c.Listen)
	}
	fmt.Fprintf(p.stdout, "Tidelock %s listens on http://%s; point the App's webhook at /webhook there.\n", buildVersion(), l.Addr())
	return s.run(ctx, l)
}

// newLogger returns the server's logger.
func newLogger(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo // the configuration was checked; this can't be
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
