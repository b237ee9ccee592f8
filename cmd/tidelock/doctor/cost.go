package doctor

import (
	"cmp"
	"context"
	"fmt"
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
	if c.problems.Of("cost.refresh") != nil || !c.config.DatabaseExists() {
		return skip("there is no database yet, or its settings are not right")
	}
	d, err := db.Open(ctx, c.config.Database.Reveal())
	if err != nil {
		return skip("the database can't be opened: %s", errs.Explain(err))
	}
	defer d.Close()
	if have, want, err := d.Version(ctx); err != nil || have != want {
		return skip("the database has not this program's version")
	}
	all, err := prices.NewStore(d, access.NewTrail(d), nil).Refreshes(ctx)
	if err == nil {
		all, err = c.config.Cost.Refresh.Of(all)
	}
	if err != nil {
		return fail("", "what was read is not known: %v", err)
	}
	return diagnoseRefreshes(all, every, time.Now())
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
