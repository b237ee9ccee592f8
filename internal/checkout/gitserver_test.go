package checkout_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tidelock/tidelock/internal/checkout"
	"github.com/tidelock/tidelock/internal/redact"
)

const token = "ghs_canary-9c41f0_token+/value"

// origin is a real repository behind git's own HTTP server on loopback, which
// wants the token as GitHub does.
type origin struct {
	t    testing.TB
	bare string // what is served
	work string // a clone of it to commit in
	srv  *httptest.Server
	date string // of commits; empty: now

	mu     sync.Mutex
	calls  []string                                                            // "GET /o/r.git/info/refs"
	onCall func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) // a fault to play
}

func newOrigin(t testing.TB) *origin {
	t.Helper()
	execPath, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Skip("skipped: no git binary here, which these tests need as the server")
	}
	backend := filepath.Join(strings.TrimSpace(string(execPath)), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		t.Skip("skipped: git has no git-http-backend here, which these tests need as the server")
	}
	root := t.TempDir()
	o := &origin{t: t, bare: filepath.Join(root, "o", "r.git"), work: filepath.Join(root, "work")}
	o.runIn(root, "init", "-q", "--bare", "-b", "main", o.bare)
	o.runIn(o.bare, "config", "uploadpack.allowAnySHA1InWant", "true") // as GitHub has it
	o.runIn(root, "clone", "-q", o.bare, o.work)
	o.git("checkout", "-q", "-b", "main")
	cgiHandler := &cgi.Handler{
		Path:   backend,
		Env:    []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + root},
		Stderr: io.Discard, // git's complaints about what tests ask for on purpose
	}
	o.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.calls = append(o.calls, r.Method+" "+r.URL.Path)
		onCall := o.onCall
		o.mu.Unlock()
		if user, pass, _ := r.BasicAuth(); user != "x-access-token" || pass != token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if onCall != nil {
			onCall(w, r, cgiHandler.ServeHTTP)
			return
		}
		cgiHandler.ServeHTTP(w, r)
	}))
	t.Cleanup(o.srv.Close)
	return o
}

// env keeps git from the settings of whoever runs the tests.
func (o *origin) env() []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(o.work), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
	}
	if o.date != "" {
		env = append(env, "GIT_AUTHOR_DATE="+o.date, "GIT_COMMITTER_DATE="+o.date)
	}
	return env
}

func (o *origin) runIn(dir string, args ...string) string {
	o.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, o.env()
	out, err := cmd.CombinedOutput()
	if err != nil {
		o.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (o *origin) git(args ...string) string { o.t.Helper(); return o.runIn(o.work, args...) }

// write puts files into the clone's work tree.
func (o *origin) write(files map[string]string) {
	o.t.Helper()
	for name, content := range files {
		path := filepath.Join(o.work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			o.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			o.t.Fatal(err)
		}
	}
}

// commit commits all there is and pushes it to the refs.
func (o *origin) commit(message string, refs ...string) string {
	o.t.Helper()
	o.git("add", "-A")
	o.git("commit", "-q", "--allow-empty", "-m", message)
	sha := o.git("rev-parse", "HEAD")
	o.push(sha, refs...)
	return sha
}

func (o *origin) push(sha string, refs ...string) {
	o.t.Helper()
	if len(refs) == 0 {
		return
	}
	args := []string{"push", "-q", "-f", "origin"}
	for _, ref := range refs {
		args = append(args, sha+":"+ref)
	}
	o.git(args...)
}

// treeOf makes a commit out of lines as of git ls-tree, which can hold what
// git's own commands refuse to, and pushes it to refs/heads/made.
func (o *origin) treeOf(lines ...string) string {
	o.t.Helper()
	cmd := exec.Command("git", "mktree", "--missing")
	cmd.Dir, cmd.Env = o.work, o.env()
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		o.t.Fatalf("git mktree: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func (o *origin) commitTree(tree string) string {
	o.t.Helper()
	sha := o.git("commit-tree", "-m", "made", tree)
	o.push(sha, "refs/heads/made")
	return sha
}

func (o *origin) blob(content string) string {
	o.t.Helper()
	cmd := exec.Command("git", "hash-object", "-w", "--stdin")
	cmd.Dir, cmd.Env, cmd.Stdin = o.work, o.env(), strings.NewReader(content)
	out, err := cmd.Output()
	if err != nil {
		o.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func (o *origin) play(fault func(w http.ResponseWriter, r *http.Request, next http.HandlerFunc)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.onCall = fault
}

// fetches counts the requests for packs so far.
func (o *origin) fetches() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, c := range o.calls {
		if strings.HasSuffix(c, "/git-upload-pack") {
			n++
		}
	}
	return n
}

func (o *origin) requests() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.calls)
}

func (o *origin) url() string { return o.srv.URL + "/o/r.git" }

// basicHeader is what the git binary sends in comparisons.
func (o *origin) basicHeader() string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("x-access-token:"+token))
}

func (o *origin) source() checkout.Source {
	return checkout.Source{RepoID: 77, URL: o.url(), Auth: func(context.Context) (redact.Secret, error) {
		return redact.NewSecret(token), nil
	}}
}

// small fills the origin with a repository of about 30 files, base on main and
// head on a pull request.
func (o *origin) small() (base, head string) {
	o.t.Helper()
	files := map[string]string{"README.md": "# infra\n", "tidelock.hcl": "autodiscover = true\n"}
	for _, env := range []string{"prod", "stage", "dev"} {
		for i := range 9 {
			files[fmt.Sprintf("envs/%s/part%d.tf", env, i)] = fmt.Sprintf("# %s %d\nresource \"terraform_data\" \"r%d\" {}\n", env, i, i)
		}
	}
	o.write(files)
	base = o.commit("base", "refs/heads/main")
	o.write(map[string]string{"envs/prod/part3.tf": "# changed\n"})
	head = o.commit("head", "refs/pull/7/head")
	return base, head
}
