package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/errs"
)

// The exit codes.
const (
	exitOK    = 0
	exitFault = 1
	exitUsage = 2
)

func main() { os.Exit(mainExit()) }

// mainExit runs the program as the process was called and returns its exit
// code.
func mainExit() int {
	// A runner is started for every plan and apply: it takes the short way,
	// past the tree of commands.
	if dir, ok := runnerArgs(os.Args[1:]); ok {
		return runRunner(dir)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the first signal asks for an orderly end, a second one ends at once
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()}
	return p.run(ctx, os.Args[1:])
}

// program is what every command is given of the process around it, so that a
// test can stand in for it.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string // as os.Environ; only config.Load and the runs' allow-list read it
	configPath     string   // --config
}

// run executes one command line and tells its error, once.
func (p *program) run(ctx context.Context, args []string) int {
	started := false // whether the command itself ran, or only its command line was read
	root := newRootCommand(p, &started)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	var silent toldError
	if !errors.As(err, &silent) {
		fmt.Fprintf(p.stderr, "tidelock: %s\n", hang(errs.Explain(err)))
	}
	var wrong config.Error
	var coded codedError
	switch {
	case !started && !errors.As(err, &coded):
		fmt.Fprintf(p.stderr, "Run '%s --help' for how it is used.\n", cmd.CommandPath())
		return exitUsage
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &wrong):
		return exitUsage
	}
	return exitFault
}

// toldError is an error that the command's own output has told already.
type toldError struct{ error }

func (e toldError) Unwrap() error { return e.error }

// told marks err as told; it returns nil for nil.
func told(err error) error {
	if err == nil {
		return nil
	}
	return toldError{err}
}

// hang sets the further lines of a message under its first.
func hang(s string) string { return strings.ReplaceAll(s, "\n", "\n  ") }
