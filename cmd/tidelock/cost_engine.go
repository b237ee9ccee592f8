package main

import (
	"context"
	"errors"
	"strings"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
)

// estimator is what this command asks, and with which options: those of the
// configuration, with the flags over them.
func (c *costCommand) estimator(ctx context.Context, p *program) (proposal.Estimator, cost.Options, error) {
	cfg, err := p.deskConfig()
	if err != nil {
		var coded codedError
		if errors.As(err, &coded) {
			err = codedError{coded.error, exitUsage}
		}
		return nil, cost.Options{}, err
	}
	settings := cfg.Cost
	if c.engine != "" {
		settings.Engine = c.engine
	}
	if c.hours > 0 {
		settings.HoursPerMonth = c.hours
	}
	if c.currency != "" {
		settings.Currency = strings.ToUpper(c.currency)
		if problem := settings.CurrencyProblem(); problem != "" {
			return nil, cost.Options{}, codedError{errs.New(errs.Invalid, "--currency %s", problem), exitUsage}
		}
	}
	engine, err := parts.DeskEstimator(settings, p.environ)
	if err != nil {
		return nil, cost.Options{}, err
	}
	terms, err := parts.PriceTerms(settings, nil, nil)
	if err != nil {
		return nil, cost.Options{}, err
	}
	opts, err := terms.Options(ctx, "")
	if err != nil {
		return nil, opts, err
	}
	if c.usageFile != "" {
		own, err := cost.ReadUsageFile(c.usageFile)
		if err != nil {
			return nil, opts, err
		}
		if len(c.plans) > 1 {
			own = own.Shared()
		}
		opts.Usage = own.Over(opts.Usage)
	}
	return engine, opts, nil
}
