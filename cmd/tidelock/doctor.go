package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/internal/errs"
)

// health is the outcome of a check.
type health string

const (
	healthOK   health = "ok"
	healthWarn health = "warn" // the server starts, but something will not go as hoped
	healthFail health = "fail" // the server can't start or can't do its work
	healthSkip health = "skip" // could not be checked, because another check failed
)

// diagnosis is what a check found.
type diagnosis struct {
	Check  string `json:"check"`
	Health health `json:"status"`
	Detail string `json:"detail"`         // what was found
	Mend   string `json:"mend,omitempty"` // what to do about it
}

func ok(format string, args ...any) diagnosis {
	return diagnosis{Health: healthOK, Detail: fmt.Sprintf(format, args...)}
}

func warn(mend, format string, args ...any) diagnosis {
	return diagnosis{Health: healthWarn, Detail: fmt.Sprintf(format, args...), Mend: mend}
}

func fail(mend, format string, args ...any) diagnosis {
	return diagnosis{Health: healthFail, Detail: fmt.Sprintf(format, args...), Mend: mend}
}

func skip(format string, args ...any) diagnosis {
	return diagnosis{Health: healthSkip, Detail: fmt.Sprintf(format, args...)}
}

// check is one row of the table of checks. run looks at one thing, at the
// world only through the clinic, and is given at most checkTimeout.
type check struct {
	name  string
	about string
	run   func(ctx context.Context, c *clinic) diagnosis
}

// checkTimeout bounds each check: doctor must answer where the network does
// not.
const checkTimeout = 15 * time.Second

// checks in the order in which they are told: what the later ones build on
// comes first.
var checks = []check{
	{"configuration", "the configuration file and the environment", checkConfiguration},
	{"data-dir", "the data folder can be written", checkDataDir},
	{"disk", "there is space on the disk", checkDisk},
	{"encryption-key", "the key of stored plans", checkStoredKey},
	{"blobs", "plans and logs can be written, read and deleted", checkBlobs},
	{"database", "the database answers, is whole and has the right version", checkDatabaseHealth},
	{"state-keys", "the keys of stored states are there", checkStateKeys},
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
	{"web", "who can see the pages", checkWeb},
	{"git-host", "the host of the repositories can be reached", checkGitHost},
	{"github-app", "GitHub accepts the App's ID and key", checkApp},
	{"permissions", "the App may do what it must", checkPermissions},
	{"events", "the App is told what it must know", checkEvents},
	{"webhook-secret", "the secret that webhooks are signed with", checkSecret},
	{"deliveries", "GitHub's last webhooks arrived", checkDeliveries},
}

// newDoctorCommand returns `tidelock doctor`.
func newDoctorCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [CHECK...]",
		Short: "Check that everything is there that the server needs",
		Long: "Checks the configuration, the GitHub App's key, permissions and events, the disk, the database and the\n" +
			"Terraform binary, and says how to mend what is wrong. It changes nothing, and it may be run beside a server.\n" +
			"It exits with 1 when a check fails. With names of checks, only those are made:\n\n" + listChecks(),
		Example:           "  tidelock doctor\n  tidelock doctor permissions events\n  tidelock doctor --json",
		Args:              knownChecks,
		ValidArgsFunction: completeChecks,
		RunE: func(cmd *cobra.Command, args []string) error {
			l := loadConfig(p.configPath, p.environ, needAll)
			found := examine(cmd.Context(), newClinic(l, p.environ), args)
			err := verdict(found)
			if asJSON {
				if werr := writeJSON(p.stdout, map[string]any{"ok": err == nil, "checks": found}); werr != nil {
					return werr
				}
				return told(err)
			}
			if werr := writeDiagnoses(p.stdout, found); werr != nil {
				return werr
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was found as JSON")
	return cmd
}

// examine makes the checks with these names, all of them where there are none.
func examine(ctx context.Context, c *clinic, names []string) []diagnosis {
	var found []diagnosis
	for _, check := range checks {
		if len(names) > 0 && !slices.Contains(names, check.name) {
			continue
		}
		found = append(found, check.make(ctx, c))
	}
	return found
}

func (k check) make(ctx context.Context, c *clinic) diagnosis {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	d := k.run(ctx, c)
	d.Check = k.name
	return d
}

// verdict returns an error where a check failed, or where what was asked for
// could not be checked.
func verdict(found []diagnosis) error {
	with := func(h health) string {
		var names []string
		for _, d := range found {
			if d.Health == h {
				names = append(names, d.Check)
			}
		}
		return strings.Join(names, ", ")
	}
	if failed := with(healthFail); failed != "" {
		return errs.New(errs.Invalid, "Not everything is there that the server needs; see %s.", failed)
	}
	if skipped := with(healthSkip); skipped != "" {
		return errs.New(errs.Invalid, "Not everything could be checked: %s. See the other checks.", skipped)
	}
	return nil
}

// writeDiagnoses prints a line for each check, what to do under those that
// are not well, and a sum.
func writeDiagnoses(w io.Writer, found []diagnosis) error {
	width := 0
	for _, d := range found {
		width = max(width, len(d.Check))
	}
	var b strings.Builder
	count := map[health]int{}
	margin := "\n" + strings.Repeat(" ", 6+width+2)
	for _, d := range found {
		count[d.Health]++
		fmt.Fprintf(&b, "%-6s%-*s  %s\n", d.Health, width, d.Check, strings.ReplaceAll(d.Detail, "\n", margin))
		if d.Mend != "" {
			fmt.Fprintf(&b, "%s→ %s\n", margin[1:], strings.ReplaceAll(d.Mend, "\n", margin+"  "))
		}
	}
	warnings := "warnings"
	if count[healthWarn] == 1 {
		warnings = "warning"
	}
	fmt.Fprintf(&b, "\n%d ok, %d %s, %d failed", count[healthOK], count[healthWarn], warnings, count[healthFail])
	if n := count[healthSkip]; n > 0 {
		fmt.Fprintf(&b, ", %d skipped", n)
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func listChecks() string {
	var b strings.Builder
	for i, k := range checks {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "  %-16s%s", k.name, k.about)
	}
	return b.String()
}

func knownChecks(_ *cobra.Command, args []string) error {
	for _, arg := range args {
		if !slices.ContainsFunc(checks, func(k check) bool { return k.name == arg }) {
			return errs.New(errs.Invalid, "There is no check %q; `tidelock doctor --help` lists them.", arg)
		}
	}
	return nil
}

func completeChecks(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, k := range checks {
		if strings.HasPrefix(k.name, prefix) && !slices.Contains(args, k.name) {
			names = append(names, cobra.CompletionWithDesc(k.name, k.about))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
