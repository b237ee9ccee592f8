package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/tidelock/tidelock/bot"
	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/cmd/tidelock/parts"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/actuals"
	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/blob"
	"github.com/tidelock/tidelock/internal/budget"
	"github.com/tidelock/tidelock/internal/capacity"
	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/clients"
	"github.com/tidelock/tidelock/internal/cost"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/drift"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/explorer"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/metrics"
	"github.com/tidelock/tidelock/internal/policyset"
	"github.com/tidelock/tidelock/internal/prices"
	"github.com/tidelock/tidelock/internal/providers"
	"github.com/tidelock/tidelock/internal/queue"
	"github.com/tidelock/tidelock/internal/redact"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/internal/secrets"
	"github.com/tidelock/tidelock/internal/state"
	"github.com/tidelock/tidelock/internal/web"
	"github.com/tidelock/tidelock/planner"
)

// server is the whole of a running Tidelock: all wiring is here, so that
// `serve` and `demo` run the same thing.
type server struct {
	config  config.Config
	log     *slog.Logger
	db      *db.DB
	app     *github.App
	queue   *queue.Queue
	bot     *bot.Bot
	runs    *run.Store
	drift   *drift.Store
	budget  *budget.Store
	trail   *access.Trail
	blobs   *blob.Store
	masker  *redact.Masker // of the server's own secrets
	node    string         // this server's name on its runs
	runner  *runner.Runner
	mirrors *checkout.Store
	http    *http.Server
	lock    *os.File // holds the data folder for this process

	providers *providers.Store
	policies  *policyset.Sets
	prices    *prices.Live
	refresher *prices.Refresher
	states    *state.Store
	replica   *backup.Replica // nil where none is configured
	inventory *explorer.Index

	metrics *metrics.Metrics // nil where figures are told nowhere
	figures net.Listener     // of those
}

// newServer wires a server up from a checked configuration. Nothing runs and
// nothing listens before start; close gives back what it took.
func newServer(ctx context.Context, c config.Config, environ []string, log *slog.Logger) (_ *server, err error) {
	s := &server{config: c, log: log}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.lock, err = lockDataDir(c.DataDir); err != nil {
		return nil, err
	}
	node, err := nodeID(c.DataDir)
	if err != nil {
		return nil, err
	}
	s.node = node
	key, err := config.LoadEncryptionKey(c)
	if err != nil {
		return nil, err
	}
	walking := func(why string) { log.Info("checking the whole database before it is served", "why", why) }
	if s.db, err = db.Open(ctx, c.Database.Reveal(), db.Served(walking)); err != nil {
		return nil, err
	}
	if err := s.db.Migrate(ctx); err != nil {
		return nil, err
	}
	s.metrics = s.newMetrics()
	if err := s.startReplica(ctx, key); err != nil {
		return nil, err
	}
	terraform, err := s.terraform(ctx, environ)
	if err != nil {
		return nil, err
	}
	lanes := bot.Lanes(terraform.Parallel)
	lanes[prices.Lane] = 1
	if s.queue, err = queue.New(queue.Options{Node: node, Name: hostname(), DB: s.db, Log: log, Lanes: lanes, Fair: bot.FairLanes()}); err != nil {
		return nil, err
	}
	app := appOptions(c, log)
	if s.metrics != nil {
		app.OnCall = s.metrics.GitHub
	}
	if s.app, err = github.NewApp(app); err != nil {
		return nil, err
	}
	options, err := s.botOptions(ctx, node, key, terraform)
	if err != nil {
		return nil, err
	}
	s.bot = bot.New(options)
	s.observe()
	s.http = &http.Server{
		Handler: s.routes(key), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

func appOptions(c config.Config, log *slog.Logger) github.Options {
	pace := github.Pace{Burst: c.GitHub.WriteBurst, Off: c.GitHub.WriteInterval == 0}
	if !pace.Off {
		pace.PerSecond = 1 / c.GitHub.WriteInterval.Seconds()
	}
	return github.Options{
		ID: c.GitHub.AppID, Key: c.GitHub.PrivateKey, WebhookSecret: c.GitHub.WebhookSecret,
		BaseURL: c.GitHub.APIURL, Writes: pace, Log: log,
	}
}

func (s *server) botOptions(ctx context.Context, node string, key redact.Secret, terraform bot.Terraform) (bot.Options, error) {
	c := s.config
	var err error
	if s.blobs, err = parts.Blobs(ctx, c, key); err != nil {
		return bot.Options{}, err
	}
	s.masker = redact.NewMasker(c.GitHub.PrivateKey.Reveal(), c.GitHub.WebhookSecret.Reveal(), key.Reveal(), c.Database.Reveal(), c.Web.Password.Reveal(), c.Metrics.Token.Reveal())
	self, err := os.Executable()
	if err != nil {
		return bot.Options{}, fmt.Errorf("find this program: %w", err)
	}
	if err := s.lookAtSandbox(); err != nil {
		return bot.Options{}, err
	}
	runners, err := runner.New(runner.Options{Dir: filepath.Join(c.DataDir, "runs"), Self: self, Log: s.log, Grace: c.Terraform.Grace, Sandbox: parts.Sandbox(c)})
	if err != nil {
		return bot.Options{}, err
	}
	s.runner = runners
	if s.providers, err = parts.Providers(c, s.log); err != nil {
		return bot.Options{}, err
	}
	s.mirrors = checkout.New(filepath.Join(c.DataDir, "mirrors"), checkout.Options{})
	sets, err := s.policySets(policyset.Admin{Source: s.adminRepository, Store: s.mirrors})
	if err != nil {
		return bot.Options{}, err
	}
	s.policies = sets
	catalog, err := cost.NewCatalog()
	if err != nil {
		return bot.Options{}, err
	}
	s.trail = access.NewTrail(s.db)
	s.runs = run.NewStore(s.db, s.trail, nil)
	if s.states, err = stateService(c, s.db, s.blobs, s.trail, key, s.log); err != nil {
		return bot.Options{}, err
	}
	if err := s.states.CheckKeys(ctx); err != nil {
		return bot.Options{}, err
	}
	s.drift = drift.NewStore(s.db, s.trail, nil)
	s.inventory = explorer.New(s.db, s.states, s.log, nil)
	s.prices = prices.NewLive(prices.NewStore(s.db, s.trail, nil))
	if _, err := s.prices.Refresh(ctx); err != nil {
		return bot.Options{}, err
	}
	if s.refresher, err = newRefresher(c, s.db, s.trail, s.queue, s.log); err != nil {
		return bot.Options{}, err
	}
	terms, err := parts.PriceTerms(c.Cost, prices.NewStore(s.db, s.trail, nil), nil)
	if err != nil {
		return bot.Options{}, err
	}
	s.budget = parts.Budgets(c, s.db, s.trail)
	return bot.Options{
		DB: s.db, Queue: s.queue, App: s.app, Capacity: capacity.New(func() capacity.Limits { return parts.RunLimits(c.Terraform) }), Name: s.rememberedName(), Clients: clients.NewStore(s.db), Runs: s.runs,
		Blobs: s.blobs, Checkout: s.mirrors, Submodules: bot.Submodules{Allowed: c.Checkout.Submodules, Hosts: c.Checkout.SubmoduleHosts}, Providers: s.providers, Runner: runners,
		Policies: sets, Estimator: parts.Estimator(c.Cost, catalog.With(s.prices), secrets.New(c.Secrets, c.Environ()), c.Environ()), Terms: terms, Node: node, DataDir: c.DataDir,
		Settings: botSettings(c), Version: buildVersion().Version,
		Budget: s.budget, Actuals: actuals.NewStore(s.db, s.trail, c.Billing, nil), States: s.states, Drift: s.drift, DriftDefaults: driftDefaults(c.Drift), DriftKeep: c.Drift.Keep,
		Terraform: terraform, PublicURL: c.PublicURL, Log: s.log,
		Masker: s.masker, Inventory: s.inventory,
	}, nil
}

// lookAtSandbox tells what the sandbox lacks, and refuses a strict one that
// lacks anything.
func (s *server) lookAtSandbox() error {
	lacks := parts.SandboxLacks(s.config, runner.LookAtHost())
	if s.config.Terraform.Sandbox == string(runner.ModeStrict) && len(lacks) > 0 {
		return errs.New(errs.Invalid, "terraform.sandbox is \"strict\", and runs would not be confined as that promises. %s", strings.Join(lacks, " "))
	}
	for _, sentence := range lacks {
		s.log.Warn("the sandbox of runs is not whole", "lack", sentence)
	}
	if s.config.Terraform.Sandbox == string(runner.ModeOff) {
		s.log.Warn("runs are not confined: terraform.sandbox is off")
	}
	return nil
}

// botSettings are the defaults as the bot knows them.
func botSettings(c config.Config) bot.Settings {
	d := c.Defaults
	return bot.Settings{
		WaiverMax: c.Policy.WaiverMax, Gates: c.Gates, Budgets: len(c.Budgets) > 0,
		Lock: d.Lock, ApplyBeforeMerge: d.ApplyBeforeMerge || d.AutoMerge, ApplyOnMerge: d.ApplyOnMerge,
		AutoMerge: d.AutoMerge, MergeMethod: d.MergeMethod, Approvals: d.RequiredApprovals, DeleteBranch: d.DeleteBranch,
		AutoPlan: d.AutoPlan, PlanDrafts: d.PlanDrafts, Commands: d.Commands,
		ProjectChecks: d.ProjectChecks, QuietUnchanged: d.QuietUnchanged, CommentPerCommit: d.CommentPerCommit, SplitComments: d.SplitComments,
	}
}

// terraform finds the binary, and says how runs are made.
func (s *server) terraform(ctx context.Context, environ []string) (bot.Terraform, error) {
	c := s.config.Terraform
	tools, err := parts.Tools(ctx, s.config, s.log)
	if err != nil {
		return bot.Terraform{}, err
	}
	terragrunt, err := s.terragrunt(ctx)
	if err != nil {
		return bot.Terraform{}, err
	}
	env := map[string]string{}
	find := config.Lookup(environ)
	for _, name := range c.Env {
		if v, ok := find(name); ok {
			env[name] = v
		}
	}
	parallel := parts.Parallel(c)
	if own := tools.Default(); own.Empty() {
		s.log.Info("no terraform of the server's own: each project gets one that is installed or downloaded", "parallel", parallel)
	} else {
		s.log.Info("terraform found", "path", own.Path, "tool", planner.ToolTitle(own.Name), "version", own.Version, "parallel", parallel)
	}
	return bot.Terraform{
		Tools: tools, Env: env, Parallel: parallel, RunMemory: int64(c.RunMemory) << 20,
		PlanTimeout: c.PlanTimeout, ApplyTimeout: c.ApplyTimeout, KeepTrees: c.KeepTrees, ReusePlans: c.ReusePlans, AllowHooks: c.AllowHooks, ProjectEnv: c.ProjectEnv,
		Terragrunt: terragrunt, Secrets: secrets.New(s.config.Secrets, environ),
	}, nil
}

func (s *server) routes(key redact.Secret) http.Handler {
	r := mux.NewRouter()
	r.Handle("/webhook", s.bot)
	r.HandleFunc("/healthz", s.health).Methods(http.MethodGet, http.MethodHead)
	s.routeLogins(r)
	var pages http.Handler
	if s.config.Web.Enabled {
		pages = web.New(web.Options{
			DB: s.db, Runs: s.runs, Clients: clients.NewStore(s.db), Queue: s.queue, Trail: s.trail, Blobs: s.blobs,
			Log: s.log, Password: s.config.Web.Password, Masker: s.masker,
			Node: s.node, LogPath: s.runner.LogPath,
			Rules: s.policies.Known, Version: buildVersion().Version,
			Ledger: s.budget, Bills: actuals.NewStore(s.db, s.trail, s.config.Billing, nil),
			States: s.states, Inventory: s.inventory,
		})
		r.PathPrefix(pagesPrefix).Handler(pages)
	}
	return s.counted(r, pages, s.statesFirst(key, r))
}

// pagesPrefix is where the pages are: wherever nothing else is.
const pagesPrefix = "/"

// folders are those without whose disks the server can't work, by what figures
// call them.
func (s *server) folders() map[string]string {
	all := map[string]string{"data": s.config.DataDir}
	if path := s.db.Path(); path != "" && filepath.Dir(path) != filepath.Clean(s.config.DataDir) {
		all["database"] = filepath.Dir(path)
	}
	return all
}

// health answers 200 while webhooks can be stored and applies begun, and nothing
// is known of damage to the database. It says no more than that.
func (s *server) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if _, _, err := s.db.Version(ctx); err != nil {
		s.log.Error("unhealthy", "error", err)
		http.Error(w, "unhealthy", http.StatusServiceUnavailable)
		return
	}
	if damage := s.db.Wholeness().Damage; damage != "" {
		s.log.Error("unhealthy: the database is damaged", "damage", damage)
		http.Error(w, "unhealthy", http.StatusServiceUnavailable)
		return
	}
	for name, dir := range s.folders() {
		if free, err := parts.FreeSpace(dir); err == nil && free < parts.LeastFree {
			s.log.Error("unhealthy: the disk is all but full, and no apply is begun on it", "of", name, "folder", dir, "free", free)
			http.Error(w, "unhealthy", http.StatusServiceUnavailable)
			return
		}
	}
	fmt.Fprintln(w, "ok")
}

// run serves on the listener until ctx ends, then goes down in order: no new
// webhooks, the jobs at hand to a safe point, the database last. Runners go
// on; the next start adopts them.
func (s *server) run(ctx context.Context, l net.Listener) error {
	if err := s.bot.Recover(ctx); err != nil {
		return err
	}
	if err := s.listenFigures(ctx); err != nil {
		return err
	}
	// The queue's own context must outlive ctx: it is stopped in order below.
	if err := s.queue.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { s.learnName(work) })
	wg.Go(func() { s.bot.Sweep(work, s.config.GitHub.SweepInterval) })
	wg.Go(func() { s.bot.Reconcile(work, s.config.GitHub.ReconcileInterval) })
	wg.Go(func() { s.bot.WatchDrift(work) })
	wg.Go(func() { s.bot.WatchWaivers(work) })
	wg.Go(func() { s.bot.WatchBudgets(work) })
	wg.Go(func() { s.states.Watch(work, time.Hour) })
	wg.Go(func() { s.states.Keys.Keep(work, s.log) })
	wg.Go(func() { s.inventory.Watch(work, 3*time.Second) })
	wg.Go(func() { s.sweepCopies(work) })
	wg.Go(func() { s.watchReplica(work) })
	wg.Go(func() { s.watchDatabase(work) })
	wg.Go(func() { s.bot.Policies.Watch(work) })
	wg.Go(func() { s.prices.Watch(work, time.Minute, s.log) })
	wg.Go(func() { s.refresher.Watch(work) })
	wg.Go(func() { s.tellFigures(work) })
	failed := make(chan error, 1)
	wg.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	})
	debug.FreeOSMemory() // starting up, policies and prices above all, left much that is needed no more
	s.log.Info("serving", "listen", l.Addr().String())
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop()
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	err = errors.Join(err, s.http.Shutdown(down), s.queue.Stop(down))
	wg.Wait()
	return err
}

// shutdownTime is how long going down may take before what still runs is left
// to the next start.
const shutdownTime = 3 * time.Second

func (s *server) close() {
	if s.replica != nil { // behind the last write
		if err := s.replica.Stop(context.Background()); err != nil {
			s.log.Warn("replica not up to date", "error", err)
		}
	}
	if s.db != nil {
		if err := s.db.Close(); err != nil {
			s.log.Warn("database not closed", "error", err)
		}
	}
	if s.figures != nil {
		s.figures.Close()
	}
	if s.lock != nil {
		s.lock.Close()
	}
}

// lockWait is how long the data folder's lock is waited for.
const lockWait = 2 * time.Second

// lockDataDir makes the data folder and takes it for this process: two servers
// on one folder would adopt each other's runs.
func lockDataDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The data folder %s can't be made", dir)
	}
	f, err := os.OpenFile(filepath.Join(dir, "server.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "The data folder %s can't be written to", dir)
	}
	// A server that was killed while it started a process leaves that one with
	// the lock for a moment.
	for until := time.Now().Add(lockWait); ; time.Sleep(50 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(until) {
			f.Close()
			return nil, errs.New(errs.Conflict, "Another Tidelock server uses the data folder %s. Each server needs one of its own.", dir)
		}
	}
}

// nodeID is this server's name in the database, kept over restarts: its own
// work is taken up at once by it.
func nodeID(dir string) (string, error) {
	path := filepath.Join(dir, "node-id")
	text, err := os.ReadFile(path)
	if err == nil && strings.TrimSpace(string(text)) != "" {
		return strings.TrimSpace(string(text)), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read node id: %w", err)
	}
	id := uuid.NewString()
	if err := os.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write node id: %w", err)
	}
	return id, nil
}

func hostname() string {
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "unknown"
}

func driftDefaults(c config.Drift) drift.Defaults {
	return drift.Defaults{Cron: c.Schedule, Timezone: c.Timezone, Remediate: c.Remediate}
}
