package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/runner"
)

// runnerArgs recognises the command line by which the server starts a runner,
// `runner --dir DIR`, and returns DIR. Any other, --help too, goes the long
// way through cobra.
func runnerArgs(args []string) (dir string, ok bool) {
	if len(args) < 2 || args[0] != "runner" {
		return "", false
	}
	if len(args) == 3 && args[1] == "--dir" {
		return args[2], args[2] != ""
	}
	if dir, ok := strings.CutPrefix(args[1], "--dir="); ok && len(args) == 2 {
		return dir, dir != ""
	}
	return "", false
}

// runRunner is the whole life of a runner process, which minds signals itself.
func runRunner(dir string) int { return runner.Main(context.Background(), dir) }

// newRunnerCommand returns the hidden `tidelock runner`. main takes the short
// way past it; it stands here for its help and for command lines that a person
// typed in another form.
func newRunnerCommand(_ *program) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "runner --dir DIR",
		Short:   "Carry out one run in its folder (the server calls this)",
		Long:    "Carries out the plan or apply whose spec.json stands in the folder, and writes its journal, log and result there.\nThe server starts it for every run; only the server can: it hands over a pass that lets the run begin once.",
		Example: "  tidelock runner --dir /var/lib/tidelock/runs/0199a3c4-…",
		Hidden:  true,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if runner.Main(cmd.Context(), dir) != exitOK {
				return told(errRunner)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "the run's folder")
	if err := cmd.MarkFlagRequired("dir"); err != nil {
		panic(err) // the flag stands one line above
	}
	return cmd
}

// errRunner is a runner that failed; runner.Main has told why.
var errRunner = errors.New("the runner failed")
