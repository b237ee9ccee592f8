package main

import (
	"context"
	"io"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/demo"
	"github.com/tidelock/tidelock/internal/errs"
)

// readingTime is how long the demo stops after each thing that it shows,
// where somebody watches.
const readingTime = 1500 * time.Millisecond

func newDemoCommand(p *program) *cobra.Command {
	var exit bool
	var pause time.Duration
	var logFile string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show pull requests all the way, on a stand-in GitHub",
		Long: "Plays one client's story on this machine: pull requests that are pushed, planned, priced, judged, stopped by a\n" +
			"policy, mended, merged and applied, with the server that serve runs, a real Terraform and real git. GitHub is a\n" +
			"stand-in, and so is the AWS provider: nothing leaves this machine, and no account is needed.\n\n" +
			"Terraform or OpenTofu is taken from PATH; where there is neither, OpenTofu is built once, which takes some\n" +
			"minutes. The provider is built from Tidelock's source: run it inside a clone.\n\n" +
			"Afterwards the pages stay up to be looked at until Ctrl-C. Everything is in a temporary folder that is removed.",
		Example: "  tidelock demo                    the story, then its pages until Ctrl-C\n" +
			"  tidelock demo --exit             the story alone\n" +
			"  tidelock demo --pause 4s         with more time to read\n" +
			"  tidelock demo --log server.log   with the server's log in a file",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("pause") {
				pause = -1
			}
			return p.demo(cmd.Context(), exit, pause, logFile)
		},
	}
	cmd.Flags().BoolVar(&exit, "exit", false, "end when the story has ended")
	cmd.Flags().DurationVar(&pause, "pause", readingTime, "time to read after each thing that is shown; 0s where the output is no terminal")
	cmd.Flags().StringVar(&logFile, "log", "", "write the server's log to this file")
	if err := cmd.MarkFlagFilename("log"); err != nil {
		panic(err) // the flag stands one line above
	}
	return cmd
}

// demo runs the demo; a pause below zero is the usual one.
func (p *program) demo(ctx context.Context, exit bool, pause time.Duration, logFile string) error {
	find := config.Lookup(p.environ)
	path, _ := find("PATH")
	o := demo.Options{NewServer: newDemoServer, Out: p.stdout, Exit: exit, Pause: pause, Path: path}
	shown := lookOf(p.stdout, p.environ, false)
	o.Terminal, o.Colour, o.Width = shown.terminal, shown.colour, shown.width
	if o.Pause < 0 {
		o.Pause = 0
		if o.Terminal {
			o.Pause = readingTime
		}
	}
	if logFile != "" {
		f, err := os.Create(logFile)
		if err != nil {
			return errs.Wrap(errs.Invalid, err, "The log can't be written to %s", logFile)
		}
		defer f.Close()
		o.Log = f
	}
	return demo.Run(ctx, o)
}

// demoServer is a server as serve runs it.
type demoServer struct{ *server }

func newDemoServer(ctx context.Context, path string, log io.Writer) (demo.Server, error) {
	c, problems := config.Load(path, nil)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	s, err := newServer(ctx, c, nil, newLogger(log, c.Log))
	if err != nil {
		return nil, err
	}
	return demoServer{s}, nil
}

func (s demoServer) Run(ctx context.Context, l net.Listener) error { return s.run(ctx, l) }
func (s demoServer) Close()                                        { s.close() }
