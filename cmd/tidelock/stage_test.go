package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/db/dbtest"
	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/toolchain"
)

// stage is a whole Tidelock as its users meet it: the server in a process of
// its own, a stand-in GitHub with real git, a real Terraform.
type stage struct {
	t      *testing.T
	gh     *githubtest.Server
	repo   *githubtest.Repo
	data   string
	dsn    string // of its database
	listen string
	env    []string
	binary string // of the server
	server *exec.Cmd
	log    *lockedBuffer
}

// stageOptions shape a stage. The zero value is a repository with one project
// of terraform_data, which needs no provider.
type stageOptions struct {
	files     githubtest.Files
	env       []string // TIDELOCK_… variables
	providers bool     // the stand-in providers are to be had
	data      string   // the server's data folder; one of its own if empty
	postgres  bool     // on PostgreSQL rather than SQLite
	// others are further repositories of acme's, by name; config is the server's
	// configuration file.
	others map[string]githubtest.Files
	config string
	// detect runs the server in the test binary itself and so under the race
	// detector, where the tests are. That makes the server and its runners many
	// times slower, so it is for the tests that go through the most of it.
	detect bool
	// sealed keeps runs out of the test's own folders, which they otherwise
	// may write: gates and effects stand there.
	sealed bool
}

// patience bounds every wait of the stage. It is generous: the machine may be
// busy, and a wait that succeeds ends at once.
var patience time.Duration

func init() {
	flag.DurationVar(&patience, "patience", 90*time.Second, "how long an end-to-end test waits for what must come")
}

var oneProject = githubtest.Files{
	"README.md":       "# infra\n",
	"network/main.tf": "resource \"terraform_data\" \"net\" {\n  input = \"v1\"\n}\n",
}

func newStage(t *testing.T, o stageOptions) *stage {
	t.Helper()
	if testing.Short() {
		t.Skip("runs whole servers; -short")
	}
	tf, err := toolchain.Terraform(t.Context(), toolchain.Options{})
	if err != nil {
		t.Fatalf("no terraform: %v", err)
	}
	if o.files == nil {
		o.files = oneProject
	}
	s := &stage{t: t, data: filepath.Join(t.TempDir(), "data"), log: &lockedBuffer{}}
	if o.data != "" {
		s.data = o.data
	}
	build := builtBinary
	if o.detect {
		build = os.Executable
	}
	if s.binary, err = build(); err != nil {
		t.Fatalf("no server to start: %v", err)
	}
	s.gh = githubtest.New(t, githubtest.Options{})
	s.listen = freeAddress(t)
	s.dsn = "sqlite:" + filepath.Join(s.data, "tidelock.db")
	if o.postgres {
		s.dsn = dbtest.PostgresDSN(t)
		o.env = append([]string{"TIDELOCK_DATABASE=" + s.dsn}, o.env...)
	}
	s.gh.SetWebhook("http://"+s.listen+"/webhook", "a-secret-for-webhooks-0001")
	s.repo = s.gh.CreateRepo("acme", "infra", githubtest.RepoOptions{Files: o.files})
	for name, files := range o.others {
		r := s.gh.CreateRepo("acme", name, githubtest.RepoOptions{Files: files})
		r.Collaborator("ada", "write")
	}
	if o.config != "" {
		file := filepath.Join(t.TempDir(), "tidelock-server.hcl")
		write(t, file, o.config)
		o.env = append([]string{"TIDELOCK_CONFIG=" + file}, o.env...)
	}
	s.repo.Collaborator("ada", "write")
	s.repo.Collaborator("grace", "admin")
	s.env = append([]string{
		"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"),
		"TIDELOCK_DATA_DIR=" + s.data, "TIDELOCK_LISTEN=" + s.listen,
		"TIDELOCK_GITHUB_APP_ID=" + fmt.Sprint(s.gh.AppID()), "TIDELOCK_GITHUB_PRIVATE_KEY=" + s.gh.AppKey(),
		"TIDELOCK_GITHUB_WEBHOOK_SECRET=a-secret-for-webhooks-0001", "TIDELOCK_GITHUB_API_URL=" + s.gh.APIURL(),
		"TIDELOCK_GITHUB_WRITE_INTERVAL=0s", "TIDELOCK_TERRAFORM_BINARY=" + tf.Path, "TIDELOCK_LOG_LEVEL=debug",
	}, o.env...)
	if !o.sealed {
		s.env = append(s.env, "TIDELOCK_TERRAFORM_SANDBOX_WRITE="+os.TempDir())
	}
	if o.providers {
		mirror, err := toolchain.ProviderMirror(t.Context(), toolchain.Options{})
		if err != nil {
			t.Fatalf("no stand-in provider: %v", err)
		}
		s.env = append(s.env, "TIDELOCK_TERRAFORM_PROVIDER_MIRROR="+mirror, "TIDELOCK_TERRAFORM_PROVIDER_DIRECT=false")
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.log.String())
		}
	})
	s.start()
	return s
}

// builtBinary builds the program as users run it, once for all tests.
var builtBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(builtDir(), "tidelock")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func builtDir() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("tidelock-test-%d", os.Getpid()))
}

// tidy removes the built binary when the tests are through.
type tidy struct{ *testing.M }

func (m tidy) Run() int {
	defer os.RemoveAll(builtDir())
	return m.M.Run()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts the server and waits until it answers.
func (s *stage) start() {
	s.t.Helper()
	s.server = &exec.Cmd{Path: s.binary, Args: []string{"tidelock", "serve"}, Env: s.env, Stdout: s.log, Stderr: s.log,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true}}
	if err := s.server.Start(); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		if _, err := askHealth(ctx, "http://"+s.listen+"/healthz"); err == nil {
			return
		}
		select {
		case <-ctx.Done():
			s.t.Fatal("the server does not come up")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop has the server go down in order, kill has it die at once. Runners live
// on in both cases.
func (s *stage) stop() { s.end(syscall.SIGTERM) }
func (s *stage) kill() { s.end(syscall.SIGKILL) }

func (s *stage) end(sig syscall.Signal) {
	if s.server == nil {
		return
	}
	_ = s.server.Process.Signal(sig)
	_ = s.server.Wait()
	s.server = nil
}

// until waits for a condition at GitHub; what says what was waited for.
func (s *stage) until(what string, cond func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if err := s.gh.Wait(ctx, cond); err != nil {
		s.t.Fatalf("waited in vain: %s", what)
	}
}

// open opens a pull request of ada's that changes files.
func (s *stage) open(branch string, files githubtest.Files) *githubtest.Pull {
	s.t.Helper()
	s.repo.Commit("ada", branch, "Change "+branch, files)
	return s.repo.Open("ada", githubtest.PullRequest{Title: "Change " + branch, Head: branch})
}

// answer returns the bot's one comment on the pull, "" while there is none.
func (s *stage) answer(p *githubtest.Pull) string {
	s.t.Helper()
	var body string
	n := 0
	for _, c := range p.Comments() {
		if c.ByApp && strings.HasPrefix(c.Body, "<!-- tidelock:") {
			body = c.Body
			n++
		}
	}
	if n > 1 {
		s.t.Fatalf("the bot posted %d comments where one is due", n)
	}
	return body
}

// says waits until the bot's comment contains the text.
func (s *stage) says(p *githubtest.Pull, text string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if err := s.gh.Wait(ctx, func() bool { return strings.Contains(s.answer(p), text) }); err != nil {
		s.t.Fatalf("the comment never said %q. The conversation:\n%s", text, conversation(p))
	}
	return s.answer(p)
}

// conversation is everything that was said on the pull, for a test that fails.
func conversation(p *githubtest.Pull) string {
	var b strings.Builder
	for _, c := range p.Comments() {
		fmt.Fprintf(&b, "— %s:\n%s\n", c.Author, c.Body)
	}
	return b.String()
}

// replied waits until a reply of the bot's contains the text.
func (s *stage) replied(p *githubtest.Pull, text string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if err := s.gh.Wait(ctx, func() bool {
		for _, c := range p.Comments() {
			if c.ByApp && strings.Contains(c.Body, text) {
				return true
			}
		}
		return false
	}); err != nil {
		s.t.Fatalf("no reply said %q. The conversation:\n%s", text, conversation(p))
	}
}

// check waits until a check has the conclusion.
func (s *stage) check(p *githubtest.Pull, name, conclusion string) githubtest.Check {
	s.t.Helper()
	var found githubtest.Check
	s.until(fmt.Sprintf("check %s: %s", name, conclusion), func() bool {
		for _, c := range p.Checks() {
			if c.Name == name && c.Conclusion == conclusion {
				found = c
				return true
			}
		}
		return false
	})
	return found
}

// runs reads the run history from the server's own database.
func (s *stage) runs() []run.Run {
	s.t.Helper()
	d, err := db.Open(s.t.Context(), s.dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	all, err := run.NewStore(d, nil, nil).History(s.t.Context(), d, "", 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// lockedBuffer is a log that two goroutines may touch.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
