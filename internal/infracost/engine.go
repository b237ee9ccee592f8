package infracost

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/planner/tfplan"
)

// Program is the name of Infracost's command.
const Program = "infracost"

// Engine estimates with Infracost's command of version 0.10, and with the
// prices that it asks its own service for. It is safe for concurrent use.
type Engine struct {
	Program string // a path, or a name to look for on PATH; "" means "infracost"
	// Key gives Infracost's API key, which the program needs; nil for none,
	// where the program's own settings have it.
	Key func(context.Context) (redact.Secret, error)
	// Endpoint is the address of a pricing API that somebody runs themselves;
	// "" is Infracost's.
	Endpoint string
	// Env are the other variables that the program gets, as KEY=value: those of
	// proxies and certificates. Nothing else of the environment reaches it.
	Env     []string
	Home    string        // "" for an empty one; the program's own settings are in it
	Temp    string        // where the folder of a run is made; "" for the system's
	Timeout time.Duration // of one run; 0 means DefaultTimeout
}

// DefaultTimeout is how long one run may take.
const DefaultTimeout = 2 * time.Minute

const (
	maxPrinted = 128 << 20 // bytes of JSON
	maxSaid    = 64 << 10  // bytes on standard error
	maxQuoted  = 600       // of those in a message
)

// Estimate runs Infracost over a plan. Errors have a sentence for people that
// tells nothing of the server's own: errs.NotFound where the program is not
// there, errs.Unavailable where it failed, took too long or has no key,
// errs.TooLarge where it printed too much, and errs.Invalid where what it
// printed is no JSON of version 0.2.
//
// What Infracost does not do is told in the estimate's notes: it takes off no
// discount of opts, and has 730 hours a month whatever they say.
func (e *Engine) Estimate(ctx context.Context, plan *tfplan.Plan, opts cost.Options) (cost.Estimate, error) {
	e.sweep(time.Now())
	folder, err := os.MkdirTemp(e.Temp, folders)
	if err != nil {
		return cost.Estimate{}, fmt.Errorf("make a folder for infracost: %w", err)
	}
	defer os.RemoveAll(folder)
	args := []string{"breakdown", "--path", "plan.json", "--format", "json", "--no-color"}
	if err := os.WriteFile(filepath.Join(folder, "plan.json"), plan.Raw, 0o600); err != nil {
		return cost.Estimate{}, fmt.Errorf("write the plan for infracost: %w", err)
	}
	usage, err := opts.Usage.YAML(plan)
	if err != nil {
		return cost.Estimate{}, fmt.Errorf("write the usage file for infracost: %w", err)
	}
	if usage != nil {
		if err := os.WriteFile(filepath.Join(folder, cost.UsageFile), usage, 0o600); err != nil {
			return cost.Estimate{}, fmt.Errorf("write the usage file for infracost: %w", err)
		}
		args = append(args, "--usage-file", cost.UsageFile)
	}
	currency := cmp.Or(opts.Exchange.Currency, "USD")
	run := call{folder: folder, args: args, env: []string{"INFRACOST_CURRENCY=" + currency}, secrets: plan.SensitiveValues()}
	printed, err := e.run(ctx, run)
	if err != nil {
		return cost.Estimate{}, err
	}
	root, err := Read("what infracost printed", printed)
	if err != nil {
		return cost.Estimate{}, err
	}
	if root.Currency != currency {
		return cost.Estimate{}, errs.New(errs.Invalid, "Infracost answered in %s, not in %s: its own configuration sets another currency.", root.Currency, currency)
	}
	estimate, err := root.ofPlan(plan)
	if err != nil {
		return cost.Estimate{}, err
	}
	estimate.Notes = append(estimate.Notes, opts.Notes...)
	if len(opts.Discounts) > 0 {
		estimate.Notes = append(estimate.Notes, "Infracost's figures are list prices: the discounts of Tidelock's configuration are not taken off.")
	}
	if h := opts.HoursPerMonth; h > 0 && h != cost.HoursPerMonth {
		estimate.Notes = append(estimate.Notes, fmt.Sprintf("Infracost's months have %d hours, not the configured %d.", cost.HoursPerMonth, h))
	}
	return estimate, nil
}

// folders is what the names of runs' folders begin with.
const folders = "tidelock-infracost-"

// sweep removes what runs left that were killed together with the program: the
// plans in it hold secrets in the clear. Of others' folders it removes none.
func (e *Engine) sweep(now time.Time) {
	all, err := filepath.Glob(filepath.Join(cmp.Or(e.Temp, os.TempDir()), folders+"*"))
	if err != nil {
		return // a folder whose name is a pattern: nothing is found there
	}
	for _, path := range all {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || now.Sub(info.ModTime()) < 10*cmp.Or(e.Timeout, DefaultTimeout) {
			continue
		}
		if of, ok := info.Sys().(*syscall.Stat_t); ok && int(of.Uid) == os.Getuid() {
			_ = os.RemoveAll(path) // the next run tries again
		}
	}
}

// versionText is what `infracost --version` prints: "Infracost v0.10.42".
var versionText = regexp.MustCompile(`v?(\d+)\.(\d+)\.(\d+)`)

// Version asks the program which one it is, "0.10.42". Another minor version
// than 0.10 is errs.Invalid.
func (e *Engine) Version(ctx context.Context) (string, error) {
	folder, err := os.MkdirTemp(e.Temp, folders)
	if err != nil {
		return "", fmt.Errorf("make a folder for infracost: %w", err)
	}
	defer os.RemoveAll(folder)
	asked := *e
	asked.Key, asked.Timeout = nil, cmp.Or(e.Timeout, 20*time.Second)
	printed, err := asked.run(ctx, call{folder: folder, args: []string{"--version"}})
	if err != nil {
		return "", err
	}
	m := versionText.FindStringSubmatch(string(printed))
	if m == nil {
		return "", errs.New(errs.Invalid, "%s does not say which version it is: it is no Infracost.", e.name())
	}
	version := m[1] + "." + m[2] + "." + m[3]
	if m[1] != "0" || m[2] != "10" {
		return version, errs.New(errs.Invalid, "%s is Infracost %s; 0.10 is the one whose JSON is understood.", e.name(), version)
	}
	return version, nil
}

func (e *Engine) name() string { return cmp.Or(e.Program, Program) }

// colour is a terminal's, which the program's log has in spite of --no-color.
var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// logged begins a line of the program's log, of which there are many where it
// tries again what did not work.
var logged = regexp.MustCompile(`^(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b`)

// failure is what the program says that it failed by, if it says so; else all
// that it says.
func failure(text string) string {
	var why []string
	within := false
	for line := range strings.Lines(text) {
		within = strings.HasPrefix(line, "Error:") || within && !logged.MatchString(line)
		if within {
			why = append(why, line)
		}
	}
	if len(why) == 0 {
		return text
	}
	return strings.Join(why, "")
}

// said is the end of what a program wrote on standard error, fit to be shown:
// without its folder, without secrets, on few lines.
func said(text string, folder string, masker *redact.Masker) string {
	text = strings.ReplaceAll(failure(colour.ReplaceAllString(text, "")), folder+string(filepath.Separator), "")
	text = strings.ReplaceAll(text, folder, ".")
	text = strings.Join(strings.Fields(terminal.Clean(masker.String(text))), " ")
	if r := []rune(text); len(r) > maxQuoted {
		text = "… " + string(r[len(r)-maxQuoted:])
	}
	return text
}
