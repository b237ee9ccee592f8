package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

func newStatePullCommand(p *program) *cobra.Command {
	var number int64
	var out string
	cmd := &cobra.Command{
		Use:   "pull CLIENT/PROJECT",
		Short: "Write a state to standard output or a file",
		Long: "Writes the state as the client wrote it, byte for byte, with every secret in it. A file is made with mode 0600, and\n" +
			"is there whole or not at all.",
		Example: "  tidelock state pull acme/network/prod | jq .serial\n  tidelock state pull acme/network/prod --version 11 --out v11.tfstate",
		Args:    oneState,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onState(cmd.Context(), args[0], true, func(ctx context.Context, v *vault, c clients.Client, name string) error {
				var content io.ReadCloser
				var err error
				if number != 0 {
					_, content, err = v.states.ReadVersion(ctx, c.ID, name, number)
				} else {
					_, content, err = v.states.Read(ctx, c.ID, name)
				}
				if err != nil {
					return err
				}
				defer content.Close()
				if out == "" {
					_, err := io.Copy(p.stdout, content)
					return err
				}
				return writeState(out, content)
			})
		},
	}
	cmd.Flags().Int64Var(&number, "version", 0, "this version (else the one that counts)")
	cmd.Flags().StringVarP(&out, "out", "o", "", "write to this file")
	return cmd
}

// writeState makes the file with what r gives, or none.
func writeState(path string, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "The file %s can't be made.", path)
	}
	_, err = io.Copy(f, r)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}

func newStatePushCommand(p *program) *cobra.Command {
	var force bool
	var reason string
	cmd := &cobra.Command{
		Use:   "push CLIENT/PROJECT FILE",
		Short: "Write a state from a file",
		Long: "Writes a version as a client would, with the same checks: the lineage must be that of the state, the serial higher,\n" +
			"and nobody may hold the lock. With --force lineage and serial are not compared, which Terraform's own `state push\n" +
			"-force` can't ask for over HTTP; that needs a reason, and is an event of its own in the audit trail. The lock holds\n" +
			"all the same. - reads standard input.",
		Example: "  tidelock state push acme/network/prod network.tfstate\n" +
			"  tidelock state push acme/network/prod fixed.tfstate --force --reason \"removed the duplicate by hand\"",
		Args: func(cmd *cobra.Command, args []string) error { return stateArgs(cmd, args, 2) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.onState(cmd.Context(), args[0], true, func(ctx context.Context, v *vault, c clients.Client, name string) error {
				body := p.stdin
				if args[1] != "-" {
					f, err := os.Open(args[1])
					if err != nil {
						return errs.Wrap(errs.NotFound, err, "The file %s can't be read.", args[1])
					}
					defer f.Close()
					body = f
				}
				done, err := v.states.Write(ctx, state.Write{Client: c.ID, Name: name, Who: v.who, Body: body, Force: force, Reason: reason})
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(p.stdout, "%s has version %d, with serial %d.\n", args[0], done.Seq, done.Serial)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "whatever lineage and serial are")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit trail; needed with --force")
	complete(cmd, "reason", cobra.NoFileCompletions)
	return cmd
}
