package policyset

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"log/slog"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// clock is the time of a test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// log keeps what is logged.
type log struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *log) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.String()
}

// bench is one pack from somewhere.
type bench struct {
	t    *testing.T
	dir  string
	pack PackConfig
	time *clock
	log  *log
	sets *Sets
}

func newBench(t *testing.T, pack PackConfig) *bench {
	t.Helper()
	pack.Name = "acme"
	if pack.Refresh == 0 {
		pack.Refresh = DefaultRefresh
	}
	if pack.MaxAge == 0 {
		pack.MaxAge = DefaultMaxAge
	}
	b := &bench{t: t, dir: t.TempDir(), pack: pack, time: newClock(), log: &log{}}
	b.restart()
	return b
}

// restart is a new start of the server.
func (b *bench) restart() {
	b.t.Helper()
	b.sets = newSets(b.t, Options{
		Config: Config{Packs: []PackConfig{b.pack}}, Dir: b.dir, Now: b.time.Now, Log: slog.New(slog.NewTextHandler(b.log, nil)),
		Token: func(context.Context, string, bool) (redact.Secret, error) {
			return redact.NewSecret("a-token-of-the-source"), nil
		},
	})
}

// says returns what the pack's rule says, once its source was asked where that
// is due.
func (b *bench) says() string {
	b.t.Helper()
	j, err := b.sets.For(b.t.Context(), Target{Dir: "."}, RepoPolicy{})
	if err != nil {
		return "error: " + errs.Sentence(err)
	}
	for _, r := range j.Engine.Rules() {
		if r.Pack == "acme" {
			return r.Title + strings.Join(j.Notes, " ")
		}
	}
	return "nothing"
}

// titled is a pack's only rule, whose title is the word.
func titled(word string) string {
	return "package acme\n\nimport rego.v1\n\n# METADATA\n# title: " + word + "\ndeny contains \"no\" if input.pull.title == \"none\"\n"
}

func (b *bench) want(what, want string) {
	b.t.Helper()
	if got := b.says(); !strings.Contains(got, want) {
		b.t.Fatalf("%s: %q, want %q\n%s", what, got, want, b.log.text())
	}
}

// pass lets the refresh interval go by.
func (b *bench) pass() { b.time.pass(b.pack.Refresh) }

// server serves what it is given.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	body    []byte
	status  int // 0 is 200
	etag    string
	asked   int
	full    int // answers with a body
	headers http.Header
}

func newServer(t *testing.T) *server {
	s := &server{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	s.headers = r.Header.Clone()
	if s.status != 0 {
		w.WriteHeader(s.status)
		return
	}
	if s.etag != "" {
		w.Header().Set("ETag", s.etag)
		if r.Header.Get("If-None-Match") == s.etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	s.full++
	_, _ = w.Write(s.body)
}

func (s *server) serve(body []byte, etag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body, s.etag, s.status = body, etag, 0
}

func (s *server) fail(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// archive packs entries as they are given.
func archive(t *testing.T, entries ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for _, h := range entries {
		text := h.PAXRecords["T.text"]
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		h.PAXRecords, h.Mode = nil, 0o600
		if h.Typeflag == tar.TypeReg && h.Size == 0 {
			h.Size = int64(len(text))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if len(text) > 0 {
			if _, err := w.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		} else if h.Size > 0 {
			zeros := make([]byte, 1<<20)
			for left := h.Size; left > 0; left -= int64(len(zeros)) {
				if _, err := w.Write(zeros[:min(left, int64(len(zeros)))]); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func file(name, text string) tar.Header {
	return tar.Header{Name: name, PAXRecords: map[string]string{"T.text": text}}
}

// gitServer is a real repository behind git's own HTTP server.
type gitServer struct {
	t         *testing.T
	work, url string
}

func newGitServer(t *testing.T) *gitServer {
	t.Helper()
	path, err := exec.Command("git", "--exec-path").Output()
	backend := filepath.Join(strings.TrimSpace(string(path)), "git-http-backend")
	if err != nil {
		t.Skip("skipped: no git binary here, which this test needs as the server")
	}
	if _, err := os.Stat(backend); err != nil {
		t.Skip("skipped: git has no git-http-backend here, which this test needs as the server")
	}
	root := t.TempDir()
	srv := httptest.NewServer(&cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + root}})
	t.Cleanup(srv.Close)
	g := &gitServer{t: t, work: filepath.Join(root, "work"), url: srv.URL + "/rules.git"}
	g.in(root, "init", "-q", "--bare", "-b", "main", filepath.Join(root, "rules.git"))
	g.in(root, "clone", "-q", filepath.Join(root, "rules.git"), g.work)
	g.git("checkout", "-q", "-b", "main")
	return g
}

func (g *gitServer) in(dir string, args ...string) string {
	g.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (g *gitServer) git(args ...string) string { g.t.Helper(); return g.in(g.work, args...) }

// commit commits a file and pushes main.
func (g *gitServer) commit(name, text string) string {
	g.t.Helper()
	write(g.t, g.work, name, text)
	g.git("add", "-A")
	g.git("commit", "-q", "-m", "change")
	g.git("push", "-q", "origin", "main")
	return g.git("rev-parse", "HEAD")
}
