package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// costCommand is one call of `tidelock cost`.
type costCommand struct {
	plans []string
}

// newCostCommand returns `tidelock cost` with its subcommands.
func newCostCommand(p *program) *cobra.Command {
	var c costCommand
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Estimate what plans cost a month",
		Long: "Estimates what the resources of a plan cost a month, before and after, with the list prices that are part of\n" +
			"the program: without an account, a server or a network.",
		Example: "  terraform show -json tfplan | tidelock cost --plan -\n" +
			"  tidelock cost --plan network.json --plan app.json",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(c.plans) == 0 {
				return cmd.Help()
			}
			return c.run(p)
		},
	}
	cmd.Flags().StringArrayVar(&c.plans, "plan", nil, "the output of `terraform show -json PLANFILE`, - for standard input; may be given again")
	cmd.AddCommand( // one line each
		newCostBudgetsCommand(p),
	)
	return cmd
}

// run estimates and tells.
func (c *costCommand) run(p *program) error {
	catalog, err := cost.NewCatalog()
	if err != nil {
		return err
	}
	for _, path := range c.plans {
		plan, err := readCostPlan(path, p.stdin)
		if err != nil {
			return err
		}
		e, err := catalog.Estimate(plan, cost.Options{})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(p.stdout, "%s: %s (%s)\n", path, e.Line(), e.Header()); err != nil {
			return err
		}
	}
	return nil
}

func readCostPlan(path string, stdin io.Reader) (*tfplan.Plan, error) {
	if path == "-" {
		return tfplan.ParsePlan(stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, errs.Wrap(errs.NotFound, err, "The plan %s can't be read.", path)
	}
	defer f.Close()
	return tfplan.ParsePlan(f)
}
