package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/runner"
	"github.com/tidelock/tidelock/internal/terminal"
	"github.com/tidelock/tidelock/internal/toolchain"
	"github.com/tidelock/tidelock/testdata"
)

// Server is a Tidelock server that is set up and does not run yet.
type Server interface {
	// Run serves on the listener until ctx ends, and goes down in order.
	Run(ctx context.Context, l net.Listener) error
	Close()
}

// Options say how the story is told.
type Options struct {
	// NewServer sets a server up from its configuration file. It is the
	// caller's, which holds the wiring of `tidelock serve`.
	NewServer func(ctx context.Context, config string, log io.Writer) (Server, error)

	Out      io.Writer     // where it is told
	Terminal bool          // Out is a terminal: the last lines may be redrawn
	Colour   bool          // Out understands colours
	Width    int           // of Out in cells; 0 where that is unknown
	Pause    time.Duration // to read in, after each thing that is shown
	Exit     bool          // end when the story has ended, instead of staying up
	Log      io.Writer     // the server's log; nil for nowhere
	Path     string        // the PATH that git and Terraform get
}

// Run tells the story and returns when it has ended and, unless o.Exit, the
// context has too: that is no error then. All that it started has ended and
// its folder is gone when it returns.
func Run(ctx context.Context, o Options) error { return play(ctx, o, (*demo).story) }

// play is Run with another story to tell.
func play(ctx context.Context, o Options, tell func(*demo, context.Context) error) (err error) {
	d := &demo{Options: o, screen: newScreen(o.Out, o.Terminal, o.Width, o.Colour), tail: &tail{keep: 15}}
	defer d.Clear()
	told := false
	defer func() {
		err = errors.Join(err, d.end())
		switch {
		case err == nil || (told && errors.Is(err, context.Canceled)):
			err = nil
		case ctx.Err() != nil:
			err = errs.Wrap(errs.Canceled, context.Cause(ctx), "The demo was interrupted before its story had ended.")
		default:
			d.showLog()
		}
	}()
	d.title("Tidelock", "plans and applies Terraform on GitHub pull requests")
	d.say("What follows is real: git, Terraform, and the server that `tidelock serve` runs. Only GitHub is a stand-in on this machine, and so is the AWS provider, which reaches no cloud.")
	if err := d.setUp(ctx); err != nil {
		return err
	}
	d.began = time.Now() // what had to be built is no part of the story
	story, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	d.serve(story, stop)
	if err := tell(d, story); err != nil {
		if cause := context.Cause(story); cause != nil && ctx.Err() == nil {
			return cause // the server went down
		}
		return err
	}
	told = true
	if o.Exit {
		return nil
	}
	d.stay()
	<-story.Done()
	if ctx.Err() == nil {
		return context.Cause(story)
	}
	return nil
}

// demo is one telling.
type demo struct {
	Options
	*screen
	began time.Time

	dir      string // everything of this demo; removed at the end
	data     string // the server's data folder
	git      string
	tool     toolchain.Binary
	gh       *githubtest.Server
	repo     *githubtest.Repo
	server   Server
	listener net.Listener
	tail     *tail

	serving  sync.WaitGroup
	down     context.CancelFunc // has the server go down
	serveErr error              // of the server; to be read after serving
	figures  []figure
}

// figure is how long a step took.
type figure struct {
	what string
	took time.Duration
}

func (d *demo) took(what string, t time.Duration) time.Duration {
	d.figures = append(d.figures, figure{what, t})
	return t
}

// url is where the server's pages are.
func (d *demo) url() string { return "http://" + d.listener.Addr().String() }

// setUp gets everything ready: tools, GitHub, the client's repository, the
// server.
func (d *demo) setUp(ctx context.Context) (err error) {
	d.chapter("Getting ready")
	if d.git, err = findGit(); err != nil {
		return err
	}
	if d.dir, err = os.MkdirTemp("", "tidelock-demo-"); err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	if d.dir, err = filepath.EvalSymlinks(d.dir); err != nil {
		return err
	}
	if d.tool, err = toolchain.Terraform(ctx, toolchain.Options{Progress: d.Out}); err != nil {
		return err
	}
	d.did("%s %s `%s`", product(d.tool), d.tool.Version, d.tool.Path)
	mirror, err := toolchain.ProviderMirror(ctx, toolchain.Options{Progress: d.Out})
	if err != nil {
		return err
	}
	d.did("a stand-in for the AWS provider, which keeps what it creates in Terraform's state alone")
	if d.gh, err = githubtest.Start(githubtest.Options{Dir: filepath.Join(d.dir, "github")}); err != nil {
		return err
	}
	d.did("a stand-in for GitHub at %s", d.gh.URL)
	if err := d.setUpServer(ctx, mirror); err != nil {
		return err
	}
	d.did("Tidelock at %s, as a GitHub App on the client's organisation", d.url())
	return d.seed()
}

func product(b toolchain.Binary) string {
	if b.Name == "tofu" {
		return "OpenTofu"
	}
	return "Terraform"
}

// setUpServer writes what an operator would, a configuration and two files
// with secrets, and makes a server of them.
func (d *demo) setUpServer(ctx context.Context, mirror string) (err error) {
	if d.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("listen on loopback: %w", err)
	}
	d.data = filepath.Join(d.dir, "data")
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	webhook := hex.EncodeToString(secret)
	config := fmt.Sprintf(`listen     = %q
public_url = %q
data_dir   = %q

github {
  app_id              = %d
  private_key_file    = "app.pem"
  webhook_secret_file = "webhook-secret"
  api_url             = %q
  write_interval      = "0s"
}

terraform {
  binary          = %q
  provider_mirror = %q
  provider_direct = false
}
`, d.listener.Addr(), d.url(), d.data, d.gh.AppID(), d.gh.APIURL(), d.tool.Path, mirror)
	for name, content := range map[string]string{
		"tidelock-server.hcl": config, "app.pem": d.gh.AppKey(), "webhook-secret": webhook,
	} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	d.gh.SetWebhook(d.url()+"/webhook", webhook)
	var log io.Writer = d.tail
	if d.Log != nil {
		log = io.MultiWriter(d.tail, d.Log)
	}
	d.server, err = d.NewServer(ctx, filepath.Join(d.dir, "tidelock-server.hcl"), log)
	return err
}

// serve runs the server beside the story; should it fail, the story ends.
func (d *demo) serve(ctx context.Context, stop context.CancelCauseFunc) {
	// The server outlives the story's context until end has it go down, so that
	// what ends the story does not also end what it is told about.
	until, down := context.WithCancel(context.WithoutCancel(ctx))
	d.down = down
	d.serving.Go(func() {
		d.serveErr = d.server.Run(until, d.listener)
		if until.Err() == nil {
			stop(fmt.Errorf("the server went down: %w", d.serveErr))
		}
	})
}

// The people of the story.
const (
	ada   = "ada"
	ben   = "ben"
	grace = "grace"
)

// seed makes the client's repository as it is before the story: read-me,
// runbook, and no infrastructure yet.
func (d *demo) seed() error {
	files, err := read(testdata.FS, client)
	if err != nil {
		return err
	}
	for name := range files {
		if strings.HasSuffix(name, ".tf") {
			delete(files, name)
		}
	}
	d.repo = d.gh.CreateRepo("acme", "infra", githubtest.RepoOptions{Files: files})
	d.repo.Collaborator(ada, "write")
	d.repo.Collaborator(ben, "write")
	d.repo.Collaborator(grace, "admin")
	d.repo.Protect("main", "tidelock/plan")
	d.did("the repository `acme/infra`, whose branch `main` asks for the check `tidelock/plan`")
	return nil
}

// person makes somebody with a home of his own on this machine.
func (d *demo) person(login, name string) (*person, error) {
	home := filepath.Join(d.dir, login)
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	return &person{name: name, login: login, token: d.gh.Person(login).Token, home: home, git: d.git, path: d.Path}, nil
}

// database opens the server's database beside it, for reading.
func (d *demo) database(ctx context.Context) (*db.DB, error) {
	return db.Open(ctx, "sqlite:"+filepath.Join(d.data, "tidelock.db"))
}

// end has everything end that setUp and serve began, in the opposite order.
func (d *demo) end() error {
	var problems []error
	if d.down != nil {
		d.down()
		d.serving.Wait()
	}
	if d.server != nil {
		d.server.Close()
	}
	if d.data != "" {
		problems = append(problems, d.endRuns())
	}
	if d.listener != nil {
		_ = d.listener.Close() // the server has, if it ran
	}
	if d.gh != nil {
		if err := d.gh.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) {
			problems = append(problems, err)
		}
	}
	if d.dir != "" {
		problems = append(problems, os.RemoveAll(d.dir))
	}
	return errors.Join(problems...)
}

// endRuns stops runs that outlive the server, as they are meant to: here no
// other server will take them up.
func (d *demo) endRuns() error {
	dir := filepath.Join(d.data, "runs")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return nil // there never was one
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	r, err := runner.New(runner.Options{Dir: dir, Self: self, Grace: 2 * time.Second})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, e := range entries {
		err = errors.Join(err, r.Stop(ctx, e.Name()))
	}
	return err
}

// showLog shows the end of the server's log, for whoever must find out what
// went wrong.
func (d *demo) showLog() {
	lines := d.tail.lines()
	if len(lines) == 0 {
		return
	}
	var shown []terminal.Line
	for _, l := range lines {
		shown = append(shown, terminal.Text(terminal.Dim, l).Cut(d.Inner()-2))
	}
	d.Put(nil)
	d.box("the server's last words", shown)
}

// tail keeps the last lines that are written to it.
type tail struct {
	keep int
	mu   sync.Mutex
	last []string
	rest []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = append(t.rest, p...)
	for {
		l, rest, found := bytes.Cut(t.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		t.rest = rest
		if t.last = append(t.last, string(l)); len(t.last) > t.keep {
			t.last = t.last[1:]
		}
	}
}

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.last...)
}
