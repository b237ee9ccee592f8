package doctor

import (
	"context"
	"strings"

	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/runner"
)

// checkSandbox tells what this machine offers to keep runs to their own files,
// and what of it the configuration does without.
func checkSandbox(_ context.Context, c *Clinic) Diagnosis {
	if c.problems.Of("terraform.sandbox", "terraform.sandbox_read", "terraform.sandbox_write", "terraform.sandbox_network") != nil {
		return skip("its settings are not right, see configuration")
	}
	host := c.host()
	offers := strings.Join(host.Offers(), "; ")
	if offers == "" {
		offers = "this machine offers nothing to confine runs with"
	}
	mode := runner.Mode(c.config.Terraform.Sandbox)
	if mode == runner.ModeOff {
		return warn("set terraform.sandbox to \"auto\" or \"strict\"", "turned off by terraform.sandbox: the code of plans can read what the server can; %s", offers)
	}
	lacks := parts.SandboxLacks(c.config, host)
	switch {
	case len(lacks) == 0:
		return ok("%s: %s", mode, offers)
	case mode == runner.ModeStrict:
		return fail("mend that, or set terraform.sandbox to \"auto\"", "strict, so the server does not start: %s\n%s", offers, strings.Join(lacks, "\n"))
	}
	return warn("run only the code of people whom you trust with the server's files, or move to a machine that can", "%s: %s\n%s", mode, offers, strings.Join(lacks, "\n"))
}
