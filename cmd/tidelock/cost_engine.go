package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/infracost"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/secrets"
)

// What cost.engine may be.
const (
	engineBuiltin   = "tidelock"
	engineInfracost = "infracost"
)

// netVariables are what of the environment Infracost gets on a server: how the
// network is reached.
var netVariables = []string{"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"}

// picked returns those of an environment's variables that have one of the
// names.
func picked(environ, names []string) []string {
	var out []string
	for _, kv := range environ {
		if name, _, ok := strings.Cut(kv, "="); ok && slices.Contains(names, name) {
			out = append(out, kv)
		}
	}
	return out
}

// estimator is what the server asks for estimates.
func (c CostConfig) estimator(catalog *cost.Catalog, own *secrets.Store, environ []string) proposal.Estimator {
	if c.Engine != engineInfracost {
		return proposal.Catalogue{Catalog: catalog}
	}
	return c.infracost(own, environ)
}

// infracost is the server's Infracost. It gets the key from the secret that
// the configuration names.
func (c CostConfig) infracost(own *secrets.Store, environ []string) *infracost.Engine {
	e := &infracost.Engine{Program: c.InfracostPath, Endpoint: c.InfracostEndpoint, Env: picked(environ, netVariables)}
	if name := c.InfracostSecret; name != "" {
		e.Key = func(ctx context.Context) (redact.Secret, error) { return own.Own(ctx, name) }
	}
	return e
}

// deskEstimator is what is asked at a desk: there Infracost is the person's
// own, with their key and settings.
func (p *program) deskEstimator(c CostConfig) (proposal.Estimator, error) {
	if c.Engine != engineInfracost {
		catalog, err := cost.NewCatalog()
		return proposal.Catalogue{Catalog: catalog}, err
	}
	find := lookup(p.environ)
	home, _ := find("HOME")
	e := &infracost.Engine{
		Program: c.InfracostPath, Endpoint: c.InfracostEndpoint, Home: home,
		Env: picked(p.environ, append([]string{"INFRACOST_PRICING_API_ENDPOINT", "INFRACOST_TLS_INSECURE_SKIP_VERIFY"}, netVariables...)),
	}
	if key, ok := find("INFRACOST_API_KEY"); ok {
		e.Key = func(context.Context) (redact.Secret, error) { return redact.NewSecret(key), nil }
	}
	return e, nil
}

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
		if problem := checkCurrency(&Config{Cost: settings}); problem != "" {
			return nil, cost.Options{}, codedError{errs.New(errs.Invalid, "--currency %s", problem), exitUsage}
		}
	}
	engine, err := p.deskEstimator(settings)
	if err != nil {
		return nil, cost.Options{}, err
	}
	terms, err := settings.terms(nil, nil)
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

// checkEngine says what is wrong with the engine's name; "" where nothing is.
func checkEngine(c *Config) string {
	if c.Cost.Engine != engineBuiltin && c.Cost.Engine != engineInfracost {
		return fmt.Sprintf("must be %q or %q, but is %q.", engineBuiltin, engineInfracost, c.Cost.Engine)
	}
	return ""
}

func checkInfracostEndpoint(c *Config) string {
	u, err := url.Parse(c.Cost.InfracostEndpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return fmt.Sprintf("must be an address such as \"https://prices.example.com\", but is %q.", c.Cost.InfracostEndpoint)
	}
	return ""
}

// lookAtInfracost warns of what the engine lacks: the server starts all the
// same, and its comments say that there is no estimate, and why.
func (l *loader) lookAtInfracost() {
	c := l.config.Cost
	if c.Engine != engineInfracost {
		return
	}
	where := l.originOf("cost.engine").where
	if _, err := exec.LookPath(cmp.Or(c.InfracostPath, infracost.Program)); err != nil {
		l.warn("cost.engine", where, "the engine of estimates is infracost, and the program %s is not there: no change will have an estimate. Install Infracost 0.10, name it in cost.infracost_path, or leave cost.engine out.", cmp.Or(c.InfracostPath, infracost.Program))
	}
	switch {
	case c.InfracostSecret == "":
		l.warn("cost.engine", where, "the engine of estimates is infracost, which needs an API key: name the secret block that has it in cost.infracost_secret.")
	case !l.hasSecret(c.InfracostSecret):
		l.problem("cost.infracost_secret", l.originOf("cost.infracost_secret").where, "cost.infracost_secret names the secret %q, and there is no such secret block.", c.InfracostSecret)
	}
}

// checkCostEngine tries the program that estimates.
func checkCostEngine(ctx context.Context, c *clinic) diagnosis {
	settings := c.config.Cost
	if settings.Engine != engineInfracost {
		return ok("Tidelock's own catalogue, which needs nothing")
	}
	if c.problems.of("cost.engine", "cost.infracost_path", "cost.infracost_secret", "cost.infracost_endpoint") != nil {
		return skip("its settings are not right, see configuration")
	}
	own := secrets.New(c.config.Secrets, c.config.environ())
	engine := settings.infracost(own, c.config.environ())
	engine.Timeout = 10 * time.Second
	version, err := engine.Version(ctx)
	switch {
	case errs.Is(err, errs.NotFound):
		return fail("install Infracost 0.10, name it in cost.infracost_path, or leave cost.engine out", "the program %s is not there, so that no change has an estimate", cmp.Or(settings.InfracostPath, infracost.Program))
	case err != nil:
		return fail("", "%s", errs.Sentence(err))
	case settings.InfracostSecret == "":
		return fail("name the secret block that has Infracost's API key in cost.infracost_secret", "Infracost %s is there, but has no API key, without which it estimates nothing", version)
	}
	if _, err := engine.Key(ctx); err != nil {
		return fail("", "the API key of Infracost %s can't be read: %v", version, err)
	}
	return ok("Infracost %s, with the secret %q", version, settings.InfracostSecret)
}
