package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/github/githubtest"
	"github.com/tidelock/tidelock/testdata"
)

// brokenServer is a server that goes down as soon as it runs.
type brokenServer struct{ log io.Writer }

func (s brokenServer) Run(context.Context, net.Listener) error {
	_, _ = io.WriteString(s.log, "level=ERROR msg=\"out of luck\"\n")
	return errors.New("out of luck")
}
func (brokenServer) Close() {}

func TestStoryEndsWhenTheServerDies(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Terraform and the stand-in provider; -short")
	}
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var out bytes.Buffer
	err := Run(t.Context(), Options{
		NewServer: func(_ context.Context, _ string, log io.Writer) (Server, error) { return brokenServer{log}, nil },
		Out:       &out, Exit: true, Path: os.Getenv("PATH"),
	})
	if err == nil || !strings.Contains(err.Error(), "the server went down: out of luck") {
		t.Errorf("error: %v", err)
	}
	if !strings.Contains(out.String(), "msg=\"out of luck\"") {
		t.Errorf("the server's log is not shown:\n%s", out.String())
	}
	if left, _ := filepath.Glob(filepath.Join(tmp, "tidelock-demo-*")); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
}

// idleServer is a server that does nothing until it is told to end.
type idleServer struct{ closed *bool }

func (s idleServer) Run(ctx context.Context, _ net.Listener) error { <-ctx.Done(); return nil }
func (s idleServer) Close()                                        { *s.closed = true }

// TestStaysUpUntilInterrupted tells a story of one pull request, and interrupts
// the demo once that has ended.
func TestStaysUpUntilInterrupted(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Terraform and the stand-in provider; -short")
	}
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	closed := false
	o := Options{
		NewServer: func(context.Context, string, io.Writer) (Server, error) { return idleServer{&closed}, nil },
		Out: writerFunc(func(p []byte) (int, error) {
			if bytes.Contains(p, []byte("Ctrl-C")) {
				cancel()
			}
			return out.Write(p)
		}),
	}
	err := play(ctx, o, func(d *demo, _ context.Context) error {
		d.repo.Commit(ada, "one", "One", githubtest.Files{"one": "1"})
		d.repo.Open(ada, githubtest.PullRequest{Title: "One", Head: "one"})
		return nil
	})
	if err != nil || !closed {
		t.Errorf("error %v, server closed: %v", err, closed)
	}
	for _, want := range []string{"pull request #1, open", "/acme/infra/pull/1", "Tidelock's own pages"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	if left, _ := filepath.Glob(filepath.Join(tmp, "tidelock-demo-*")); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestThreat_TokenOfAPersonStaysInTheEnvironment pushes as a person does and
// looks for the token wherever git could have left it.
func TestThreat_TokenOfAPersonStaysInTheEnvironment(t *testing.T) {
	gh := githubtest.New(t, githubtest.Options{})
	repo := gh.CreateRepo("acme", "infra", githubtest.RepoOptions{})
	repo.Collaborator(ada, "write")
	git, err := findGit()
	if err != nil {
		t.Fatal(err)
	}
	p := &person{name: "Ada", login: ada, token: gh.Person(ada).Token, home: t.TempDir(), git: git, path: os.Getenv("PATH")}
	if err := p.checkOut(t.Context(), repo.CloneURL(), "one"); err != nil {
		t.Fatal(err)
	}
	if err := p.lay(testdata.FS, pulls+"docs-only"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.commit(t.Context(), "One"); err != nil {
		t.Fatal(err)
	}
	if err := p.push(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	if text, ok := repo.File("one", "docs/runbook.md"); !ok || !strings.Contains(text, "worker can be stopped") {
		t.Errorf("not pushed: %q", text)
	}
	err = filepath.WalkDir(p.home, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(p.token)) {
			t.Errorf("the token stands in %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}

	p.token = "wrong"
	if err := p.push(t.Context(), "one"); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a push with a wrong token: %v", err)
	}
}

func TestEditWantsItsTextOnce(t *testing.T) {
	p := &person{clone: t.TempDir()}
	if err := os.WriteFile(filepath.Join(p.clone, "a"), []byte("x y x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.edit("a", "x", "z"); err == nil {
		t.Error("a text that stands twice was replaced")
	}
	if err := p.edit("a", "y", "z"); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(filepath.Join(p.clone, "a")); string(got) != "x z x" {
		t.Errorf("edited: %q", got)
	}
}

func TestTailKeepsWholeLastLines(t *testing.T) {
	w := &tail{keep: 2}
	for _, s := range []string{"one\ntw", "o\nthree\nfo", "ur"} {
		if _, err := io.WriteString(w, s); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(w.lines(), "|"); got != "two|three" {
		t.Errorf("kept %q", got)
	}
}
