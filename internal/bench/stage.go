package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tidelock/tidelock/internal/github/githubtest"
)

// secret signs the stand-in's webhooks.
const secret = "a-secret-for-webhooks-0001"

// stage is a server on a fresh data folder, and the GitHub that it serves.
type stage struct {
	gh   *githubtest.Server
	addr string
	data string
	log  string // file of what the server wrote
	cmd  *exec.Cmd
}

// newStage starts a stand-in GitHub and a server with the settings of a fresh
// installation, save those in env (NAME=value), and returns when it serves.
func newStage(ctx context.Context, t *tools, env ...string) (_ *stage, err error) {
	dir, err := os.MkdirTemp(t.dir, "stage-")
	if err != nil {
		return nil, err
	}
	s := &stage{data: filepath.Join(dir, "data"), log: filepath.Join(dir, "server.log")}
	if s.addr, err = freeAddress(); err != nil {
		return nil, err
	}
	// GitHub delivers in parallel, and from a machine of its own: no contract
	// check here takes the server's processor time.
	s.gh, err = githubtest.Start(githubtest.Options{WebhookURL: "http://" + s.addr + "/webhook", WebhookSecret: secret, DeliveryWorkers: 16, HourLimit: 1_000_000})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd = exec.Command(t.tidelock, "serve")
	s.cmd.Dir = dir
	s.cmd.Env = append([]string{
		"HOME=" + dir, "PATH=" + os.Getenv("PATH"),
		"TIDELOCK_DATA_DIR=" + s.data, "TIDELOCK_LISTEN=" + s.addr,
		"TIDELOCK_GITHUB_APP_ID=" + fmt.Sprint(s.gh.AppID()), "TIDELOCK_GITHUB_PRIVATE_KEY=" + s.gh.AppKey(),
		"TIDELOCK_GITHUB_WEBHOOK_SECRET=" + secret, "TIDELOCK_GITHUB_API_URL=" + s.gh.APIURL(),
		"TIDELOCK_GITHUB_WRITE_INTERVAL=0s", // the pace is GitHub's to set, not the machine's
		"TIDELOCK_TERRAFORM_BINARY=" + t.terraform.Path,
		"TIDELOCK_TERRAFORM_SANDBOX_WRITE=" + t.dir,
		"TIDELOCK_TERRAFORM_PROVIDER_MIRROR=" + t.mirror, "TIDELOCK_TERRAFORM_PROVIDER_DIRECT=false",
	}, env...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is the bench's to handle
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	return s, s.healthy(ctx)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// healthy waits until the server answers.
func (s *stage) healthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/healthz", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return s.trouble(errors.New("the server does not come up"))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// trouble adds the end of the server's log to an error.
func (s *stage) trouble(err error) error {
	text, _ := os.ReadFile(s.log)
	if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); len(lines) > 20 {
		text = []byte(strings.Join(lines[len(lines)-20:], "\n"))
	}
	return fmt.Errorf("%w; the server's log ends with:\n%s", err, text)
}

// close ends the server, what it started, and the stand-in.
func (s *stage) close() {
	if s.cmd != nil && s.cmd.Process != nil {
		left := below(s.cmd.Process.Pid) // runners outlive their server
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		_ = s.cmd.Wait()
		for _, p := range left {
			p.kill()
		}
	}
	_ = s.gh.Close()
	_ = os.RemoveAll(filepath.Dir(s.data))
}

// pid is the server's.
func (s *stage) pid() int { return s.cmd.Process.Pid }

// opened returns when the webhook that tells of the pull request's opening was
// made.
func (s *stage) opened(repo *githubtest.Repo, seen int) (time.Time, error) {
	return s.told(repo, "opened", seen)
}

// pushed is the same for a push to it.
func (s *stage) pushed(repo *githubtest.Repo, seen int) (time.Time, error) {
	return s.told(repo, "synchronize", seen)
}

func (s *stage) told(repo *githubtest.Repo, action string, seen int) (time.Time, error) {
	for _, d := range s.gh.Deliveries()[seen:] {
		if d.Event == "pull_request" && d.Action == action && d.RepositoryID == repo.ID() {
			return d.At, nil
		}
	}
	return time.Time{}, errors.New("no webhook told of the pull request")
}

// comment returns the bot's comment on the pull request, "" while there is
// none.
func comment(p *githubtest.Pull) string {
	for _, c := range p.Comments() {
		if c.ByApp {
			return c.Body
		}
	}
	return ""
}

// planned reports whether the comment says that so many resources would be
// made. A plan that came to anything else is an error.
func planned(p *githubtest.Pull, resources int) (bool, error) {
	body := comment(p)
	_, rest, _ := strings.Cut(body, "\n### ")
	line, _, _ := strings.Cut(rest, "\n")
	switch {
	case line == "", strings.HasPrefix(line, "⏳"):
		return false, nil
	case strings.Contains(line, fmt.Sprintf("Plan: %d to add, 0 to change, 0 to destroy", resources)):
		return true, nil
	}
	return false, fmt.Errorf("%d resources were to be made, but the comment says:\n%s", resources, body)
}

// settled reports whether the bot has said everything of the pull request:
// its last check stands.
func settled(p *githubtest.Pull) bool {
	for _, c := range p.Checks() {
		if c.Name == "tidelock/plan" && c.Status == "completed" {
			return true
		}
	}
	return false
}
