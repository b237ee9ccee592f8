package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/infracost"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/internal/secrets"
)

// checkCostEngine tries the program that estimates.
func checkCostEngine(ctx context.Context, c *Clinic) Diagnosis {
	settings := c.config.Cost
	if settings.Engine != config.EngineInfracost {
		return ok("Tidelock's own catalogue, which needs nothing")
	}
	if c.problems.Of("cost.engine", "cost.infracost_path", "cost.infracost_secret", "cost.infracost_endpoint") != nil {
		return skip("its settings are not right, see configuration")
	}
	own := secrets.New(c.config.Secrets, c.config.Environ())
	engine := parts.Infracost(settings, own, c.config.Environ())
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

// checkPriceLists tells whether the lists that the server reads by itself are
// read, and how old the imported prices are.
func checkPriceLists(ctx context.Context, c *Clinic) Diagnosis {
	every := c.config.Cost.Refresh.Every
	if every == 0 {
		return ok("none is read by itself; estimates are made with the program's prices and those that were imported")
	}
	if c.problems.Of("cost.refresh") != nil {
		return skip("its settings are not right, see configuration")
	}
	d, why := c.ledger(ctx)
	switch {
	case why != "":
		return skip("%s", why)
	case d == nil:
		return diagnoseRefreshes(nil, every, time.Now())
	}
	defer d.Close()
	all, err := prices.NewStore(d, access.NewTrail(d), nil).Refreshes(ctx)
	if err == nil {
		all, err = c.config.Cost.Refresh.Of(all)
	}
	if err != nil {
		return fail("", "what was read is not known: %v", err)
	}
	return diagnoseRefreshes(all, every, time.Now())
}

// ledger opens the database for what is only read of it. It is nil where there
// is none yet, and where it can't be read, for the reason why.
func (c *Clinic) ledger(ctx context.Context) (d *db.DB, why string) {
	if !c.config.DatabaseExists() {
		return nil, ""
	}
	d, err := db.Open(ctx, c.config.Database.Reveal())
	if err != nil {
		return nil, "the database can't be opened: " + errs.Explain(err)
	}
	if have, want, err := d.Version(ctx); err != nil || have != want {
		_ = d.Close() // it was only asked
		return nil, "the database has not this program's version"
	}
	return d, ""
}

// oldRate is from how old on a rate of exchange is told of: currencies move by
// some percent in that time.
const oldRate = 90 * 24 * time.Hour

// checkRates tells whether the currencies of estimates have a rate, and an old
// one.
func checkRates(ctx context.Context, c *Clinic) Diagnosis {
	if c.problems.Of("cost.currency", "cost.client", "cost.rate", "cost.usage_file") != nil {
		return skip("the settings of cost are not right, see configuration")
	}
	d, why := c.ledger(ctx)
	if why != "" {
		return skip("%s", why)
	}
	var store *prices.Store // without a database the configuration's rates are all there are
	if d != nil {
		defer d.Close()
		store = prices.NewStore(d, access.NewTrail(d), nil)
	}
	terms, err := parts.PriceTerms(c.config.Cost, store, nil)
	var all []prices.Currency
	if err == nil {
		all, err = terms.Currencies(ctx)
	}
	if err != nil {
		return fail("", "the rates are not known: %s", errs.Explain(err))
	}
	return diagnoseRates(all, time.Now())
}

func diagnoseRates(all []prices.Currency, now time.Time) Diagnosis {
	var without, old, fine []string
	for _, c := range all {
		day, err := time.Parse(time.DateOnly, c.Rate.Day)
		switch {
		case !c.Known && len(c.Clients) > 0:
			without = append(without, c.Name+" of "+strings.Join(c.Clients, ", "))
		case !c.Known:
			without = append(without, c.Name)
		case err == nil && now.Sub(day) > oldRate:
			old = append(old, c.Name+" of "+c.Rate.Day)
		default:
			fine = append(fine, c.Name+" of "+c.Rate.Day)
		}
	}
	const set = "tidelock prices rate set CURRENCY RATE --source WHO-SAYS-SO"
	switch {
	case len(all) == 0:
		return ok("estimates are in dollars, which need none")
	case len(without) > 0:
		return warn(set, "there is no rate of %s: those estimates stay in dollars", strings.Join(without, "; "))
	case len(old) > 0:
		return warn(set, "a rate is older than %d days: %s", oldRate/(24*time.Hour), strings.Join(old, ", "))
	}
	return ok("%s", strings.Join(fine, ", "))
}

// checkBudgets tells of budgets that do not do what they must be meant to.
func checkBudgets(ctx context.Context, c *Clinic) Diagnosis {
	n := len(c.config.Budgets)
	if n == 0 {
		return ok("there are none")
	}
	if c.problems.Of("budget") != nil {
		return skip("a budget is not right, see configuration")
	}
	d, why := c.ledger(ctx)
	switch {
	case why != "":
		return skip("%s", why)
	case d == nil:
		return ok("%d, and nothing was planned yet", n)
	}
	defer d.Close()
	found, err := parts.Budgets(c.config, d, access.NewTrail(d)).Troubles(ctx)
	if err != nil {
		return fail("", "what they look at is not known: %s", errs.Explain(err))
	}
	if len(found) == 0 {
		return ok("%d, and each looks at something, or nothing was planned yet", n)
	}
	var lines, mends []string
	for _, t := range found {
		lines = append(lines, fmt.Sprintf("%s: the budget %q %s", t.Place, t.Budget, t.Text))
		if !slices.Contains(mends, t.Mend) {
			mends = append(mends, t.Mend)
		}
	}
	return warn(strings.Join(mends, "; "), "%s", strings.Join(lines, "\n"))
}

func diagnoseRefreshes(all []prices.Refresh, every time.Duration, now time.Time) Diagnosis {
	var failing []string
	overdue := 0
	for _, r := range all {
		if r.Failures > 0 {
			failing = append(failing, r.List+": "+r.Error)
		} else if r.Overdue(every, now) {
			overdue++
		}
	}
	const stay = "the prices that were read before stay, and grow old; look at the address, the region, the key and the network, or import the list by hand (tidelock prices import)"
	switch {
	case len(all) == 0:
		return ok("none was read yet; the server does so every %s", config.ShowDuration(every))
	case len(failing) > 0:
		more := ""
		if n := len(failing) - 5; n > 0 {
			failing, more = failing[:5], fmt.Sprintf("\nand %d more", n)
		}
		return warn(stay, "some are not read:\n%s%s", strings.Join(failing, "\n"), more)
	case overdue > 0:
		return warn("see whether a server runs that has the block refresh", "%d of %d were not read for more than twice %s", overdue, len(all), config.ShowDuration(every))
	}
	return ok("%d are read every %s", len(all), config.ShowDuration(every))
}
