package config

import (
	"cmp"
	"fmt"
	"net/url"
	"os/exec"

	"github.com/tidelock/tidelock/internal/infracost"
)

// What cost.engine may be.
const (
	EngineBuiltin   = "tidelock"
	EngineInfracost = "infracost"
)

// checkEngine says what is wrong with the engine's name; "" where nothing is.
func checkEngine(c *Config) string {
	if c.Cost.Engine != EngineBuiltin && c.Cost.Engine != EngineInfracost {
		return fmt.Sprintf("must be %q or %q, but is %q.", EngineBuiltin, EngineInfracost, c.Cost.Engine)
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
func (l *Reading) lookAtInfracost() {
	c := l.Config.Cost
	if c.Engine != EngineInfracost {
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
