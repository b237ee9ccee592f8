package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/tidelock/tidelock/bot/comment"
	"github.com/tidelock/tidelock/bot/proposal"
	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	desks "github.com/tidelock/tidelock/internal/desk"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/planner"
	"github.com/tidelock/tidelock/planner/tfrun"
)

// deskSettings are the blocks of a server's configuration that count at a desk.
var deskSettings = []string{"terraform.", "defaults.", "policy", "environment", "cost.", "gate"}

// deskConfig reads what of a server's configuration counts at a desk. A file
// is read only where somebody names it: one that lies about is the server's of
// this machine, and says nothing of the one that will plan.
func (p *program) deskConfig() (config.Config, error) {
	path := p.configPath
	if named, _ := config.Lookup(p.environ)("TIDELOCK_CONFIG"); path == "" && named == "" {
		path = os.DevNull
	}
	l := config.Read(path, p.environ, config.NeedNothing)
	var bad config.Problems
	for _, problem := range l.Problems {
		counts := problem.Setting == "" || slices.ContainsFunc(deskSettings, func(s string) bool { return strings.HasPrefix(problem.Setting, s) })
		if counts && !problem.Warning {
			bad = append(bad, problem)
		}
	}
	if err := bad.Err(); err != nil {
		return l.Config, codedError{err, exitFault} // 2 means changes here
	}
	return l.Config, nil
}

// options gathers all that a plan at a desk needs.
func (c *planCommand) options(ctx context.Context, p *program) (o desks.Options, err error) {
	cfg, err := p.deskConfig()
	if err != nil {
		return o, err
	}
	o = desks.Options{Dir: c.dir, Base: c.base, All: c.all, OwnConfig: c.ownConfig, Dirs: c.dirs, Labels: c.labels, Now: time.Now}
	for _, given := range []struct {
		flag   string
		values []string
	}{{"-p", c.projects}, {"-w", c.workspaces}} {
		for _, v := range given.values {
			if err := o.Filter.Add(given.flag, v); err != nil {
				return o, err
			}
		}
	}
	if c.out != "" {
		if o.Out, err = filepath.Abs(c.out); err != nil {
			return o, err
		}
	}
	settings := botSettings(cfg)
	o.Settings = func(repo planner.RepoConfig) (comment.Settings, []planner.Problem) {
		return settings.With(repo).OfComments(), settings.Loosened(repo)
	}
	o.Reader = proposal.Reader{Masker: redact.NewMasker()}
	if o.Reader.Terms, err = parts.PriceTerms(cfg.Cost, nil, nil); err != nil {
		return o, err
	}
	if o.Reader.Policies, err = parts.Policies(cfg); err != nil {
		return o, err
	}
	if o.Reader.Estimator, err = parts.DeskEstimator(cfg.Cost, p.environ); err != nil {
		return o, err
	}
	o.Runs, err = c.runs(ctx, p, cfg)
	return o, err
}

// runs says how Terraform is run at this desk.
func (c *planCommand) runs(ctx context.Context, p *program, cfg config.Config) (desks.Runs, error) {
	t := cfg.Terraform
	r := desks.Runs{
		Parallel: c.parallel, Timeout: t.PlanTimeout, Grace: t.Grace, NoLock: c.noLock,
		AllowHooks: t.AllowHooks || c.hooks, ProjectEnv: t.ProjectEnv, Sandbox: parts.Sandbox(cfg), Terragrunt: t.Terragrunt,
	}
	if c.sandbox != "" {
		r.Sandbox.Mode = runner.Mode(c.sandbox)
		if !slices.Contains([]runner.Mode{runner.ModeAuto, runner.ModeStrict, runner.ModeOff}, r.Sandbox.Mode) {
			return r, errs.New(errs.Invalid, "--sandbox is auto, strict or off, not %q.", c.sandbox)
		}
	}
	if r.Parallel < 0 {
		return r, errs.New(errs.Invalid, "--parallel is how many projects are planned at once, and can't be %d.", r.Parallel)
	}
	for _, n := range []int{t.Parallel, runtime.NumCPU()} {
		if r.Parallel == 0 {
			r.Parallel = n
		}
	}
	var err error
	if r.Self, err = os.Executable(); err != nil {
		return r, fmt.Errorf("find this program: %w", err)
	}
	find := config.Lookup(p.environ)
	r.Home, _ = find("HOME")
	var left []string
	if r.Env, left = tfrun.DeskEnv(p.environ); len(left) > 0 {
		fmt.Fprintf(p.stderr, "note: Terraform does not get %s from your environment: the bot has no such thing either.\n", strings.Join(left, ", "))
	}
	if r.Tool, err = deskTools(ctx, cfg); err != nil {
		return r, err
	}
	if r.CLIConfig, err = deskCLIConfig(find, r.Home, t); err != nil {
		return r, err
	}
	r.CLIText = tfrun.CLIConfig(t.ProviderMirror, t.ProviderDirect)
	deskSandbox(&r, find)
	return r, nil
}

// deskTools finds the binary of each project: what it asks for where that is
// installed or may be downloaded, as on a server.
func deskTools(ctx context.Context, cfg config.Config) (func(context.Context, planner.Tool) (string, string, error), error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	cfg.DataDir = filepath.Join(cache, "tidelock") // what is downloaded is kept there
	store, err := parts.Tools(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, t planner.Tool) (string, string, error) {
		b, err := store.Resolve(ctx, t)
		return b.Path, b.Version, err
	}, nil
}

// deskCLIConfig returns the path of the person's own CLI configuration, which
// says where providers come from and holds their logins; "" where they have
// none, or a server's configuration names a mirror: then one is made that says
// as much as a server's does.
func deskCLIConfig(find func(string) (string, bool), home string, t config.Terraform) (string, error) {
	var places []string
	for _, name := range []string{"TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG"} {
		if path, ok := find(name); ok {
			places = append(places, path)
		}
	}
	if home != "" {
		places = append(places, filepath.Join(home, ".terraformrc"), filepath.Join(home, ".tofurc"))
	}
	for _, path := range places {
		info, err := os.Stat(path)
		if t.ProviderMirror == "" && err == nil && info.Mode().IsRegular() {
			return filepath.Abs(path)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrPermission) {
			return "", fmt.Errorf("find Terraform's configuration: %w", err)
		}
	}
	return "", nil
}

// deskWritten are the folders in the home where the tools of clouds keep the
// tokens that they fetch, and Terraform what it caches.
var deskWritten = []string{".aws", ".azure", ".config/gcloud", ".kube", ".cache", ".terraform.d", ".ssh/known_hosts"}

// quotedPath finds the folders that a CLI configuration names.
var quotedPath = regexp.MustCompile(`"([/~$][^"\n]*)"`)

// deskSandbox opens to runs what is the person's: their home to be read, their
// tools' caches to be written, and what their configuration names.
func deskSandbox(r *desks.Runs, find func(string) (string, bool)) {
	s := &r.Sandbox
	s.Read = append(slices.Clone(s.Read), r.Home)
	s.Write = slices.Clone(s.Write)
	for _, dir := range deskWritten {
		if r.Home != "" {
			s.Write = append(s.Write, filepath.Join(r.Home, dir))
		}
	}
	if search, ok := find("PATH"); ok {
		for _, dir := range filepath.SplitList(search) {
			if filepath.IsAbs(dir) {
				s.Read = append(s.Read, dir)
			}
		}
	}
	for _, name := range []string{"SSH_AUTH_SOCK", "TF_PLUGIN_CACHE_DIR"} {
		if path, ok := find(name); ok && filepath.IsAbs(path) {
			s.Write = append(s.Write, path)
		}
	}
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CREDENTIALS", "KUBECONFIG", "KUBE_CONFIG_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "ARM_CLIENT_CERTIFICATE_PATH", "ARM_OIDC_TOKEN_FILE_PATH", "GIT_CONFIG_GLOBAL"} {
		if path, ok := find(name); ok && filepath.IsAbs(path) {
			s.Read = append(s.Read, path)
		}
	}
	text, err := os.ReadFile(r.CLIConfig)
	if err != nil {
		return // Terraform says it better
	}
	for line := range strings.Lines(string(text)) {
		for _, m := range quotedPath.FindAllStringSubmatch(line, -1) {
			path := m[1]
			for _, home := range []string{"~/", "$HOME/", "${HOME}/"} {
				if rest, ok := strings.CutPrefix(path, home); ok {
					path = filepath.Join(r.Home, rest)
				}
			}
			if strings.Contains(line, "plugin_cache_dir") {
				s.Write = append(s.Write, path)
			} else {
				s.Read = append(s.Read, path)
			}
		}
	}
}
