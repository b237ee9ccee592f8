package doctor

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// Health is the outcome of a check.
type Health string

// The outcomes.
const (
	OK   Health = "ok"
	Warn Health = "warn" // the server starts, but something will not go as hoped
	Fail Health = "fail" // the server can't start or can't do its work
	Skip Health = "skip" // could not be checked, because another check failed
)

// Diagnosis is what a check found.
type Diagnosis struct {
	Check  string `json:"check"`
	Health Health `json:"status"`
	Detail string `json:"detail"`         // what was found
	Mend   string `json:"mend,omitempty"` // what to do about it
}

func ok(format string, args ...any) Diagnosis {
	return Diagnosis{Health: OK, Detail: fmt.Sprintf(format, args...)}
}

func warn(mend, format string, args ...any) Diagnosis {
	return Diagnosis{Health: Warn, Detail: fmt.Sprintf(format, args...), Mend: mend}
}

func fail(mend, format string, args ...any) Diagnosis {
	return Diagnosis{Health: Fail, Detail: fmt.Sprintf(format, args...), Mend: mend}
}

func skip(format string, args ...any) Diagnosis {
	return Diagnosis{Health: Skip, Detail: fmt.Sprintf(format, args...)}
}

// Check looks at one thing.
type Check struct {
	Name  string // as the command line has it
	About string // what is so when it is well, in a few words

	// run looks at the world only through the clinic, and is given at most
	// checkTimeout, unless it walks a database.
	run func(ctx context.Context, c *Clinic) Diagnosis
}

// checkTimeout bounds each check: doctor must answer where the network does
// not.
const checkTimeout = 15 * time.Second

// databaseCheck is the name of the check that takes long where it is to see all.
const databaseCheck = "database"

// checks in the order in which they are told: what the later ones build on
// comes first.
var checks = []Check{
	{"configuration", "the configuration file and the environment", checkConfiguration},
	{"data-dir", "the data folder can be written", checkDataDir},
	{"disk", "there is space on the disk", checkDisk},
	{"encryption-key", "the key of stored plans", checkStoredKey},
	{"blobs", "plans and logs can be written, read and deleted", checkBlobs},
	{databaseCheck, "the database answers, is not damaged and has the right version", checkDatabaseHealth},
	{"state-keys", "the keys of stored states are there", checkStateKeys},
	{"backup", "the last backup went well, and is not old", checkBackup},
	{"replica", "the copy of the database elsewhere is up to date", checkReplica},
	{"terraform", "Terraform or OpenTofu can be run", checkTerraform},
	{"tools", "the other versions of Terraform and OpenTofu", checkTools},
	{"capacity", "how many runs this machine does at once", checkCapacity},
	{"providers", "where runs install providers from", checkProviders},
	{"provider-store", "the providers on this machine are as they were verified", checkProviderStore},
	{"sandbox", "what keeps the code of plans to its own files", checkSandbox},
	{"policies", "the policies and their settings", checkPolicies},
	{"cost-engine", "what estimates are made with", checkCostEngine},
	{"price-lists", "the price lists that the server reads by itself", checkPriceLists},
	{"rates", "the currencies of estimates have a rate", checkRates},
	{"budgets", "the budgets look at something, and can judge it", checkBudgets},
	{"web", "who can see the pages", checkWeb},
	{"metrics", "figures are told where they should be", checkMetrics},
	{"git-host", "the host of the repositories can be reached", checkGitHost},
	{"github-app", "GitHub accepts the App's ID and key", checkApp},
	{"permissions", "the App may do what it must", checkPermissions},
	{"events", "the App is told what it must know", checkEvents},
	{"webhook-secret", "the secret that webhooks are signed with", checkSecret},
	{"deliveries", "GitHub's last webhooks arrived", checkDeliveries},
}

// Checks returns all checks, in the order in which they are made.
func Checks() []Check { return slices.Clone(checks) }

// Examine makes the checks with these names, all of them where there are none.
func Examine(ctx context.Context, c *Clinic, names []string) []Diagnosis {
	var found []Diagnosis
	for _, check := range checks {
		if len(names) > 0 && !slices.Contains(names, check.Name) {
			continue
		}
		found = append(found, check.make(ctx, c))
	}
	return found
}

func (k Check) make(ctx context.Context, c *Clinic) Diagnosis {
	if !c.whole || k.Name != databaseCheck {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, checkTimeout)
		defer cancel()
	}
	d := k.run(ctx, c)
	d.Check = k.Name
	return d
}

// Verdict returns an error where a check failed, or where what was asked for
// could not be checked.
func Verdict(found []Diagnosis) error {
	with := func(h Health) string {
		var names []string
		for _, d := range found {
			if d.Health == h {
				names = append(names, d.Check)
			}
		}
		return strings.Join(names, ", ")
	}
	if failed := with(Fail); failed != "" {
		return errs.New(errs.Invalid, "Not everything is there that the server needs; see %s.", failed)
	}
	if skipped := with(Skip); skipped != "" {
		return errs.New(errs.Invalid, "Not everything could be checked: %s. See the other checks.", skipped)
	}
	return nil
}

// Write prints a line for each check, what to do under those that
// are not well, and a sum.
func Write(w io.Writer, found []Diagnosis) error {
	width := 0
	for _, d := range found {
		width = max(width, len(d.Check))
	}
	var b strings.Builder
	count := map[Health]int{}
	margin := "\n" + strings.Repeat(" ", 6+width+2)
	for _, d := range found {
		count[d.Health]++
		fmt.Fprintf(&b, "%-6s%-*s  %s\n", d.Health, width, d.Check, strings.ReplaceAll(d.Detail, "\n", margin))
		if d.Mend != "" {
			fmt.Fprintf(&b, "%s→ %s\n", margin[1:], strings.ReplaceAll(d.Mend, "\n", margin+"  "))
		}
	}
	warnings := "warnings"
	if count[Warn] == 1 {
		warnings = "warning"
	}
	fmt.Fprintf(&b, "\n%d ok, %d %s, %d failed", count[OK], count[Warn], warnings, count[Fail])
	if n := count[Skip]; n > 0 {
		fmt.Fprintf(&b, ", %d skipped", n)
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}
