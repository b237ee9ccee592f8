package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/redact"
)

// policyPaths are what the policies are told by.
var policyPaths = []string{"policy.levels", "policy.required_tags", "policy.admin_repo", policyset.PackBlock, policyset.EnvironmentBlock, policyset.ScopeBlock}

// checkPolicies asks every source of policies, into a folder of its own: the
// server's copies stay as they are.
func checkPolicies(ctx context.Context, c *Clinic) Diagnosis {
	if c.problems.Of(policyPaths...) != nil {
		return skip("their settings are not right, see configuration")
	}
	dir, err := os.MkdirTemp("", "tidelock-policies-")
	if err != nil {
		return fail("", "%v", err)
	}
	defer os.RemoveAll(dir)
	o := parts.PolicyOptions(c.config)
	o.Dir = dir
	if o.Admin.Repo != "" {
		o.Admin.Store = checkout.New(filepath.Join(dir, "admin"), checkout.Options{})
		o.Admin.Source = c.adminRepository
	}
	sets, err := policyset.New(o)
	if err != nil {
		return fail("correct the block policy of the configuration, or the policy blocks beside it", "%s", errs.Explain(err))
	}
	states := sets.States(ctx)
	if len(states) == 0 && c.config.Policy.Disabled {
		return warn("", "turned off by policy.disabled")
	}
	text := []string{bundledRules(c.config, sets.Rules())}
	bad := 0
	for _, s := range states {
		if s.Problem != "" {
			bad++
		}
		text = append(text, s.Line())
	}
	if bad > 0 {
		return fail("mend the source, or take its policy_pack out: without it nothing that it judges can be applied", "%s", strings.Join(text, "\n"))
	}
	return ok("%s", strings.Join(text, "\n"))
}

// bundledRules says how many rules come with Tidelock, and what the
// configuration does to them.
func bundledRules(c config.Config, n int) string {
	off := 0
	for _, level := range c.Policy.Levels {
		if level == "off" {
			off++
		}
	}
	switch {
	case c.Policy.Disabled:
		return fmt.Sprintf("%d bundled rules, turned off by policy.disabled", n)
	case off > 0:
		return fmt.Sprintf("%d bundled rules; policy.levels turns off what %d of its entries name", n, off)
	}
	return fmt.Sprintf("%d bundled rules", n)
}

// LocalPacks says of the packs in folders what a check without a network can.
func LocalPacks(ctx context.Context, c config.Config) ([]string, error) {
	o := parts.PolicyOptions(c)
	o.Admin, o.Dir = policyset.Admin{}, ""
	o.Token = func(context.Context, string, bool) (redact.Secret, error) { return redact.Secret{}, nil }
	var elsewhere []string
	var packs []policyset.PackConfig
	for _, p := range c.Policies.Packs {
		if p.Kind() == "folder" {
			packs = append(packs, p)
		} else {
			elsewhere = append(elsewhere, fmt.Sprintf("policies: %s (%s) from %s, which `tidelock doctor` asks", p.Name, p.Kind(), p.From()))
		}
	}
	if _, err := policyset.New(o); err != nil {
		return nil, err
	}
	o.Config = policyset.Config{Packs: packs}
	sets, err := policyset.New(o)
	if err != nil {
		return nil, err
	}
	lines := []string{"policies: " + bundledRules(c, sets.Rules())}
	for _, s := range sets.States(ctx) {
		lines = append(lines, "policies: "+s.Line())
	}
	lines = append(lines, elsewhere...)
	if c.Policy.AdminRepo != "" {
		lines = append(lines, "policies: those of the admin repository "+c.Policy.AdminRepo+", which `tidelock doctor` asks")
	}
	return lines, nil
}
