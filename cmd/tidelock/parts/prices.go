package parts

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/infracost"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/secrets"
)

// PriceTerms are how plans are priced; store is nil where there is no database.
func PriceTerms(c config.Cost, store *prices.Store, now func() time.Time) (*prices.Terms, error) {
	read := func(path string) (*cost.Usage, error) {
		if path == "" {
			return nil, nil
		}
		return cost.ReadUsageFile(path)
	}
	s := prices.Settings{
		Hours: c.HoursPerMonth, Currency: c.Currency, SustainedUse: c.SustainedUse, Discounts: c.Discounts, Rates: c.Rates,
		Clients: map[string]prices.ClientSettings{},
	}
	var err error
	if s.Usage, err = read(c.UsageFile); err != nil {
		return nil, err
	}
	for slug, client := range c.Clients {
		usage, err := read(client.UsageFile)
		if err != nil {
			return nil, err
		}
		s.Clients[slug] = prices.ClientSettings{Currency: client.Currency, Usage: usage}
	}
	return prices.NewTerms(s, store, now), nil
}

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

// Estimator is what the server asks for estimates.
func Estimator(c config.Cost, catalog *cost.Catalog, own *secrets.Store, environ []string) proposal.Estimator {
	if c.Engine != config.EngineInfracost {
		return proposal.Catalogue{Catalog: catalog}
	}
	return Infracost(c, own, environ)
}

// Infracost is the server's Infracost. It gets the key from the secret that
// the configuration names.
func Infracost(c config.Cost, own *secrets.Store, environ []string) *infracost.Engine {
	e := &infracost.Engine{Program: c.InfracostPath, Endpoint: c.InfracostEndpoint, Env: picked(environ, netVariables)}
	if name := c.InfracostSecret; name != "" {
		e.Key = func(ctx context.Context) (redact.Secret, error) { return own.Own(ctx, name) }
	}
	return e
}

// DeskEstimator is what is asked at a desk: there Infracost is the person's
// own, with their key and settings.
func DeskEstimator(c config.Cost, environ []string) (proposal.Estimator, error) {
	if c.Engine != config.EngineInfracost {
		catalog, err := cost.NewCatalog()
		return proposal.Catalogue{Catalog: catalog}, err
	}
	find := config.Lookup(environ)
	home, _ := find("HOME")
	e := &infracost.Engine{
		Program: c.InfracostPath, Endpoint: c.InfracostEndpoint, Home: home,
		Env: picked(environ, append([]string{"INFRACOST_PRICING_API_ENDPOINT", "INFRACOST_TLS_INSECURE_SKIP_VERIFY"}, netVariables...)),
	}
	if key, ok := find("INFRACOST_API_KEY"); ok {
		e.Key = func(context.Context) (redact.Secret, error) { return redact.NewSecret(key), nil }
	}
	return e, nil
}
